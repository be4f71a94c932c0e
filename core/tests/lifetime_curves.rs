//! Survival curves and log-rank tests against published tables: every value of `km_gehan`, `km_lung` and `logrank_gehan`, and what R prints of others.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic in a test is a failed test")]

mod reference;

use healthfold::lifetime::{
    LogRank, LogRankWeights, Observation, SurvivalBounds, SurvivalCurve, SurvivalPoint,
};
use reference::{Computed, Reference};

/// The observations of a table whose `column` is one of some values; all of them without.
fn observations(case: &Reference, of: Option<(&str, &str)>) -> Vec<Observation> {
    let rows = case.rows("input.csv");
    let inside = rows.iter().filter(|row| of.is_none_or(|(column, value)| row[column] == value));
    let seen = |row: &std::collections::BTreeMap<String, String>| Observation {
        entry: None,
        time: row["time"].parse().unwrap(),
        ended: row["event"] == "1",
    };
    inside.map(seen).collect()
}

/// All figures of one curve at some times, under a prefix.
fn curve(into: &mut Computed, prefix: &str, seen: &[Observation], times: &[f64], horizons: &[f64]) {
    let of = |bounds| SurvivalCurve::of(seen, bounds);
    let scales =
        [("loglog", SurvivalBounds::LogLog), ("log", SurvivalBounds::Log), ("plain", SurvivalBounds::Plain)];
    let main = of(SurvivalBounds::LogLog);
    let mut put = |name: String, values: Vec<f64>| into.insert(format!("{prefix}.{name}"), values);
    put("n".into(), vec![main.n as f64]);
    put("events".into(), vec![main.ended as f64]);
    let at_risk = |time: &f64| seen.iter().filter(|seen| seen.time >= *time).count() as f64;
    put("at_risk".into(), times.iter().map(at_risk).collect());
    for point in &main.points {
        assert_eq!(point.at_risk as f64, at_risk(&point.time));
    }
    let each = |curve: &SurvivalCurve, of: &dyn Fn(&SurvivalPoint) -> f64, before: f64| {
        times.iter().map(|time| curve.at(*time).map_or(before, of)).collect::<Vec<f64>>()
    };
    put("S".into(), each(&main, &|point| point.survival, 1.0));
    put("greenwood_se".into(), each(&main, &|point| point.standard_error, 0.0));
    put("nelson_aalen".into(), each(&main, &|point| point.cumulative_hazard, 0.0));
    put("nelson_aalen_se".into(), each(&main, &|point| point.cumulative_hazard_se, 0.0));
    put("nelson_aalen_tie_corrected".into(), each(&main, &|point| point.cumulative_hazard_ties, 0.0));
    put("median".into(), vec![main.quantile(0.5).value.unwrap_or(f64::INFINITY)]);
    for (name, bounds) in scales {
        let curve = of(bounds);
        let nan = |end: Option<f64>| end.unwrap_or(f64::NAN);
        put(format!("ci95_{name}_lower"), each(&curve, &|point| nan(point.low), 1.0));
        put(format!("ci95_{name}_upper"), each(&curve, &|point| nan(point.high), 1.0));
        let median = curve.quantile(0.5);
        let end = |end: Option<f64>| end.unwrap_or(f64::INFINITY);
        put(format!("median_ci95_{name}"), vec![end(median.low), end(median.high)]);
    }
    for horizon in horizons {
        let mean = main.restricted_mean(*horizon).unwrap();
        put(format!("rmst_{horizon}"), vec![mean.value]);
        put(format!("rmst_{horizon}_se"), vec![mean.standard_error]);
    }
}

#[test]
fn the_remission_trial_of_freireich_and_gehan() {
    let Some(case) = Reference::open("km_gehan") else { return };
    let mut computed = Computed::new();
    for arm in ["6-MP", "control"] {
        curve(&mut computed, arm, &observations(&case, Some(("arm", arm))), &case.input("times"), &[20.0]);
    }
    case.check(&computed);
}

#[test]
fn lung_cancer_of_the_survival_package() {
    let Some(case) = Reference::open("km_lung") else { return };
    let mut computed = Computed::new();
    let times = case.input("times");
    let sexes = ["1", "2"].map(|sex| observations(&case, Some(("sex", sex))));
    curve(&mut computed, "all", &observations(&case, None), &times, &[500.0, 1000.0]);
    curve(&mut computed, "sex1", &sexes[0], &times, &[500.0, 900.0]);
    curve(&mut computed, "sex2", &sexes[1], &times, &[500.0, 900.0]);
    let test = LogRank::of(&sexes.each_ref().map(Vec::as_slice), LogRankWeights::LogRank).unwrap();
    computed.insert("logrank.chisq".into(), vec![test.chi_square]);
    computed.insert("logrank.p".into(), vec![test.p_value.unwrap()]);
    computed.insert("logrank.observed".into(), test.groups.iter().map(|group| group.observed).collect());
    computed.insert("logrank.expected".into(), test.groups.iter().map(|group| group.expected).collect());
    case.check(&computed);
}

#[test]
fn log_rank_tests_of_the_remission_trial() {
    let Some(case) = Reference::open("logrank_gehan") else { return };
    let arms = ["6-MP", "control"].map(|arm| observations(&case, Some(("arm", arm))));
    let mut computed = Computed::new();
    for (name, weights) in [
        ("logrank", LogRankWeights::LogRank),
        ("wilcoxon", LogRankWeights::Wilcoxon),
        ("tarone-ware", LogRankWeights::TaroneWare),
        ("peto", LogRankWeights::Peto),
        ("fh10", LogRankWeights::FlemingHarrington),
    ] {
        let test = LogRank::of(&arms.each_ref().map(Vec::as_slice), weights).unwrap();
        computed.insert(format!("{name}.chisq"), vec![test.chi_square]);
        computed.insert(format!("{name}.p"), vec![test.p_value.unwrap()]);
        computed.insert("observed".into(), test.groups.iter().map(|group| group.observed).collect());
        computed.insert("expected".into(), test.groups.iter().map(|group| group.expected).collect());
    }
    case.check(&computed);
}

/// Ages as the literature writes them: a plus is what was lost from sight.
fn ages(text: &str) -> Vec<Observation> {
    let seen = |age: &str| Observation {
        entry: None,
        time: age.trim_end_matches('+').parse().unwrap(),
        ended: !age.ends_with('+'),
    };
    text.split_whitespace().map(seen).collect()
}

/// To the digits that were printed.
fn printed(found: impl IntoIterator<Item = f64>, published: &[f64], half: f64) {
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), published.len());
    for (found, published) in found.iter().zip(published) {
        assert!((found - published).abs() <= half, "{found}, published {published}");
    }
}

/// Miller (1997, "Survival Analysis"), acute myelogenous leukaemia, weeks of remission with and without maintenance; the figures are
/// those that R's `summary(survfit(Surv(time, status) ~ x, aml))` and `survdiff` print, on the scale of log S.
#[test]
fn remission_of_leukaemia_as_r_prints_it() {
    let kept = ages("9 13 13+ 18 23 28+ 31 34 45+ 48 161+");
    let not = ages("5 5 8 8 12 16+ 23 27 30 33 43 45");
    let curve = SurvivalCurve::of(&kept, SurvivalBounds::Log);
    let steps = || curve.points.iter().filter(|point| point.ended > 0);
    printed(steps().map(|point| point.survival), &[0.909, 0.818, 0.716, 0.614, 0.491, 0.368, 0.184], 5e-4);
    let errors = [0.0867, 0.1163, 0.1397, 0.1526, 0.1642, 0.1627, 0.1535];
    printed(steps().map(|point| point.standard_error), &errors, 5e-5);
    let lows = [0.7541, 0.6192, 0.4884, 0.3769, 0.2549, 0.1549, 0.0359];
    printed(steps().map(|point| point.low.unwrap()), &lows, 5e-5);
    printed(steps().map(|point| point.high.unwrap()), &[1.0, 1.0, 1.0, 0.999, 0.946, 0.875, 0.944], 5e-4);
    let median = curve.quantile(0.5);
    assert_eq!((median.value, median.low, median.high), (Some(31.0), Some(18.0), None));
    let median = SurvivalCurve::of(&not, SurvivalBounds::Log).quantile(0.5);
    assert_eq!((median.value, median.low, median.high), (Some(23.0), Some(8.0), None));
    let test = LogRank::of(&[&kept, &not], LogRankWeights::LogRank).unwrap();
    printed(test.groups.iter().map(|group| group.expected), &[10.69, 7.31], 5e-3);
    printed([test.chi_square, test.p_value.unwrap()], &[3.40, 0.0653], 5e-3);
}

/// Edmunson et al. (1979), cancer of the ovary, days; R's `survfit` and `survdiff` on its data set `ovarian`.
#[test]
fn cancer_of_the_ovary_as_r_prints_it() {
    let one = ages("59 115 156 268 329 431 448+ 477+ 638 803+ 855+ 1040+ 1106+");
    let two = ages("353 365 377+ 421+ 464 475 563 744+ 769+ 770+ 1129+ 1206+ 1227+");
    let test = LogRank::of(&[&one, &two], LogRankWeights::LogRank).unwrap();
    printed(test.groups.iter().map(|group| group.observed), &[7.0, 5.0], 0.0);
    printed(test.groups.iter().map(|group| group.expected), &[5.23, 6.77], 5e-3);
    printed([test.chi_square, test.p_value.unwrap()], &[1.06, 0.303], 5e-3);
    let median = SurvivalCurve::of(&[one, two].concat(), SurvivalBounds::Log).quantile(0.5);
    assert_eq!((median.value, median.low, median.high), (Some(638.0), Some(464.0), None));
}

//! Survival curves and log-rank tests against published tables: every value of `km_gehan`, `km_lung` and `logrank_gehan`.

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

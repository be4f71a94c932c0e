//! Laws of lifetimes on random data: a curve begins at 1 and never rises, its mean is the area under it, who is watched
//! longer never lowers it, the order of clients changes no bit, values scale with money.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic in a test is a failed test")]

use healthfold::lifetime::{
    DifferenceInterval, Lifetime, LifetimeOptions, LogRank, LogRankWeights, Ltv, LtvOptions, Observation,
    RateDifference, RatioEstimate, ShareInterval, SimpleTerms, SurvivalBounds, SurvivalCurve,
};
use healthfold::{Engine, Event, HeadRate, Settings};
use healthfold_testkit::logs;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Whole ages, many of them the same, some come into sight late.
fn observation() -> impl Strategy<Value = Observation> {
    (0_u32..40, 0_u32..60, 0_u8..4, any::<bool>()).prop_map(|(entry, time, late, ended)| Observation {
        entry: (late == 0).then(|| f64::from(entry)),
        time: f64::from(time),
        ended,
    })
}

fn observations() -> impl Strategy<Value = Vec<Observation>> {
    prop::collection::vec(observation(), 0..60)
}

fn bounds() -> impl Strategy<Value = SurvivalBounds> {
    prop::sample::select(vec![SurvivalBounds::LogLog, SurvivalBounds::Log, SurvivalBounds::Plain])
}

fn weights() -> impl Strategy<Value = LogRankWeights> {
    prop::sample::select(vec![
        LogRankWeights::LogRank,
        LogRankWeights::Wilcoxon,
        LogRankWeights::TaroneWare,
        LogRankWeights::Peto,
        LogRankWeights::FlemingHarrington,
    ])
}

fn engine(log: &[Event]) -> Engine {
    let mut engine = Engine::new(Settings::default()).unwrap();
    engine.apply_all(log);
    engine
}

/// A book under contract: each client begins on a day of January and stays so many months, for ever from 9 on.
fn contracts(clients: &[(u8, u8)], price: u32) -> Engine {
    let mut engine = Engine::new(Settings::default()).unwrap();
    let mut set = |i: usize, time: String, status: &str| {
        let event = json!({"id": format!("{i}{status}"), "source": "t", "type": "billing.subscription_set",
            "subject": format!("c{i:03}"), "time": time,
            "data": {"subscription": "s", "status": status, "amount": price, "currency": "USD", "interval": {"unit": "month"}}});
        engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap()).unwrap();
    };
    for (i, (day, months)) in clients.iter().enumerate() {
        set(i, format!("2025-01-{:02}T00:00:00Z", day % 28 + 1), "active");
        if *months < 9 {
            set(i, format!("2025-{:02}-{:02}T00:00:00Z", 2 + months, day % 28 + 1), "cancelled");
        }
    }
    engine
}

fn values(engine: &Engine, method: &str) -> Option<Value> {
    let options = json!({"method": method, "margin": "0.7", "annual_discount": 0.1}).to_string();
    let options = LtvOptions::from_json(&options).unwrap();
    let ltv: Ltv = engine.ltv(engine.zone().as_of("2025-12-31").unwrap(), &options).ok()?;
    serde_json::to_value(ltv).ok()
}

proptest! {
    #![proptest_config(logs::config())]

    #[test]
    fn a_curve_begins_at_1_and_never_rises(seen in observations(), bounds in bounds()) {
        let curve = SurvivalCurve::of(&seen, bounds);
        prop_assert_eq!(curve.survival_at(-1.0), 1.0);
        prop_assert_eq!(curve.n, curve.ended + curve.censored);
        let mut before = (1.0, 0.0);
        for point in &curve.points {
            prop_assert!((0.0..=before.0).contains(&point.survival));
            prop_assert!(point.cumulative_hazard >= before.1 && point.hazard <= 1.0);
            prop_assert!(point.at_risk >= point.ended + point.censored);
            before = (point.survival, point.cumulative_hazard);
            prop_assert_eq!(point.low.is_some(), point.survival > 0.0);
            if let Some((low, high)) = point.low.zip(point.high) {
                prop_assert!(low <= point.survival && point.survival <= high && low >= 0.0 && high <= 1.0);
            }
        }
        if let Some(median) = curve.quantile(0.5).value {
            prop_assert!(curve.survival_at(median) <= 0.5 + 1e-9 && curve.survival_at(median - 0.5) > 0.5);
        }
    }

    #[test]
    fn the_restricted_mean_is_the_area(seen in observations(), horizon in 0_u32..60) {
        let curve = SurvivalCurve::of(&seen, SurvivalBounds::LogLog);
        if let Some(mean) = curve.restricted_mean(f64::from(horizon)) {
            // Ages are whole: each day counts with what is left at its beginning.
            let area: f64 = (0..horizon).map(|day| curve.survival_at(f64::from(day))).sum();
            prop_assert!((mean.value - area).abs() < 1e-9);
            prop_assert!(mean.standard_error >= 0.0 && mean.value <= f64::from(horizon));
        }
    }

    /// At each age up to its own one more is at risk and none more ends; at later ages nothing is changed.
    #[test]
    fn one_more_that_is_watched_without_an_end_never_lowers_a_curve(seen in observations(), until in 0_u32..70) {
        let curve = SurvivalCurve::of(&seen, SurvivalBounds::LogLog);
        let mut more = seen.clone();
        more.push(Observation { entry: None, time: f64::from(until), ended: false });
        let more = SurvivalCurve::of(&more, SurvivalBounds::LogLog);
        for day in 0..70 {
            prop_assert!(more.survival_at(f64::from(day)) >= curve.survival_at(f64::from(day)) - 1e-12);
        }
    }

    #[test]
    fn the_order_of_clients_changes_no_bit(seen in observations(), weights in weights(), turn in 0_usize..60) {
        let mut turned = seen.clone();
        turned.rotate_left(turn.min(seen.len()));
        turned.reverse();
        let of = |seen: &[Observation]| SurvivalCurve::of(seen, SurvivalBounds::Log);
        prop_assert_eq!(of(&seen), of(&turned));
        let half = |seen: &[Observation]| {
            let (a, b): (Vec<_>, Vec<_>) = seen.iter().copied().partition(|seen| seen.time % 2.0 == 0.0);
            LogRank::of(&[&a, &b], weights)
        };
        prop_assert_eq!(half(&seen), half(&turned));
    }

    #[test]
    fn a_test_of_groups_closes(
        groups in prop::collection::vec(observations(), 2..5),
        weights in weights(),
    ) {
        let slices: Vec<&[Observation]> = groups.iter().map(Vec::as_slice).collect();
        let test = LogRank::of(&slices, weights).unwrap();
        let sum = |of: &dyn Fn(usize) -> f64| (0..groups.len()).map(of).sum::<f64>();
        prop_assert!(sum(&|i| test.groups[i].score).abs() < 1e-6);
        prop_assert!(sum(&|i| test.groups[i].observed - test.groups[i].expected).abs() < 1e-9);
        prop_assert!((test.degrees_of_freedom as usize) < groups.len());
        prop_assert!(test.chi_square >= 0.0 && test.chi_square.is_finite());
        prop_assert!(test.p_value.is_none_or(|p| (0.0..=1.0).contains(&p)));
        for (i, row) in test.covariance.iter().enumerate() {
            prop_assert!(row.iter().sum::<f64>().abs() < 1e-6 * (1.0 + row[i]));
        }
        let mut backwards = slices.clone();
        backwards.reverse();
        let other = LogRank::of(&backwards, weights).unwrap();
        prop_assert!((other.chi_square - test.chi_square).abs() <= 1e-6 * (1.0 + test.chi_square));
    }

    #[test]
    fn intervals_hold_what_they_are_about(
        (n, x) in (1_u64..5_000).prop_flat_map(|n| (Just(n), 0..=n)),
        (m, y) in (1_u64..5_000).prop_flat_map(|m| (Just(m), 0..=m)),
        level in 0.5_f64..0.999,
    ) {
        use ShareInterval::{AgrestiCoull, ClopperPearson, Jeffreys, Wald, Wilson, WilsonCorrected};
        let p = x as f64 / n as f64;
        for method in [Wilson, WilsonCorrected, Wald, AgrestiCoull, ClopperPearson, Jeffreys] {
            let (low, high) = method.of(x, n, level).unwrap();
            prop_assert!(0.0 <= low && low <= high && high <= 1.0, "{method:?} {low} {high}");
            // The prior of Jeffreys draws away from the ends.
            if method != Jeffreys {
                prop_assert!(low <= p + 1e-9 && p <= high + 1e-9, "{method:?} {low} {p} {high}");
            }
        }
        let (a, b) = (HeadRate::new(x, n), HeadRate::new(y, m));
        let (there, back) = (RateDifference::of(a, b), RateDifference::of(b, a));
        prop_assert!((there.value.unwrap() + back.value.unwrap()).abs() < 1e-12);
        prop_assert!((there.low.unwrap() + back.high.unwrap()).abs() < 1e-9);
        for method in [DifferenceInterval::Newcombe, DifferenceInterval::NewcombeCorrected, DifferenceInterval::Wald] {
            let (low, high) = method.of(a, b).unwrap();
            let d = there.value.unwrap();
            prop_assert!(-1.0 <= low && low <= d + 1e-12 && d <= high + 1e-12 && high <= 1.0);
        }
        prop_assert!(there.p_value.is_none_or(|p| (0.0..=1.0).contains(&p)));
    }

    #[test]
    fn closed_forms_scale_with_money_and_never_fall_with_time(
        margin in -1e6_f64..1e6, churn in 0.0_f64..=1.0, discount in 0.0_f64..0.2, growth in -0.1_f64..0.1,
        periods in 1_u32..200, times in 0.1_f64..10.0,
    ) {
        let terms = SimpleTerms { margin, churn, discount, growth };
        let more = SimpleTerms { margin: margin * times, ..terms };
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + a.abs());
        prop_assert_eq!(terms.due().is_ok(), more.due().is_ok());
        if let (Ok(one), Ok(other)) = (terms.due(), more.due()) {
            prop_assert!(close(one * times, other));
            prop_assert!(close(one - margin, terms.arrears().unwrap()));
            prop_assert!(terms.due_within(periods).abs() <= one.abs() * (1.0 + 1e-9) + 1e-9);
        }
        prop_assert!(terms.due_within(periods + 1).abs() >= terms.due_within(periods).abs() * (1.0 - 1e-12));
    }

    #[test]
    fn a_ratio_lies_within_its_intervals(
        clients in prop::collection::vec((1.0_f64..1e4, 0.0_f64..1e4), 2..12), times in 0.01_f64..100.0,
    ) {
        let one = RatioEstimate::of(&clients, 7, 200).unwrap();
        prop_assert!(one.linearised_z.0 <= one.value && one.value <= one.linearised_z.1);
        prop_assert!(one.linearised_t.0 <= one.linearised_z.0, "few clients make it wider");
        let scaled: Vec<(f64, f64)> = clients.iter().map(|(s, e)| (s * times, e * times)).collect();
        let other = RatioEstimate::of(&scaled, 7, 200).unwrap();
        prop_assert!((one.jackknife_se - other.jackknife_se).abs() <= 1e-9 * (1.0 + one.jackknife_se));
    }

    /// Spells share out what was paid: on each day a client pays it is in one spell that runs, and never in two.
    #[test]
    fn spells_of_a_client_follow_each_other(log in logs::logs(0..40), grace in 0_u32..30) {
        let engine = engine(&log);
        let as_of = engine.zone().as_of("2026-03-29").unwrap();
        let asked = |grace: u32| {
            let options = LifetimeOptions::from_json(&json!({"renewal_grace_days": grace}).to_string()).unwrap();
            engine.spells(as_of, &options).unwrap()
        };
        let spells = asked(grace);
        for pair in spells.spells.windows(2).filter(|pair| pair[0].client == pair[1].client) {
            prop_assert!(pair[0].until.is_some_and(|until| until < pair[1].from));
            prop_assert_eq!(pair[0].number + 1, pair[1].number);
        }
        for spell in &spells.spells {
            prop_assert_eq!(spell.ended, spell.until.is_some());
            prop_assert!(spell.from <= as_of && spell.until.is_none_or(|until| until <= as_of));
        }
        prop_assert!(spells.spells.len() <= asked(0).spells.len(), "a grace joins spells and splits none");
        let options = LifetimeOptions::from_json(r#"{"group_by":"segment"}"#).unwrap();
        let life: Lifetime = engine.lifetime(as_of, &options).unwrap();
        let groups = life.groups.unwrap();
        prop_assert_eq!(groups.iter().map(|group| group.row.curve.n).sum::<u64>(), life.total.curve.n);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..logs::config() })]

    #[test]
    fn values_scale_with_money_and_know_no_order(
        clients in prop::collection::vec((0_u8..28, 0_u8..14), 10..60), turn in 0_usize..60,
    ) {
        let one = values(&contracts(&clients, 10), "sbg");
        let tenfold = values(&contracts(&clients, 100), "sbg");
        prop_assert_eq!(one.is_some(), tenfold.is_some());
        let mut turned = clients.clone();
        turned.rotate_left(turn.min(clients.len()));
        let turned = values(&contracts(&turned, 10), "sbg");
        let (Some(one), Some(tenfold), Some(turned)) = (one, tenfold, turned) else { return Ok(()) };
        prop_assert_eq!(&one["models"], &turned["models"]);
        let total = |ltv: &Value| ltv["values"][0]["total"].as_f64();
        if let (Some(a), Some(b), Some(c)) = (total(&one), total(&tenfold), total(&turned)) {
            prop_assert!((a * 10.0 - b).abs() <= 1e-9 * b && (a - c).abs() <= 1e-9 * a);
        }
        for client in one["clients"].as_array().unwrap() {
            let value = client["value"].as_f64().unwrap();
            // 36 payments of 10 at 0.7 are the most there can be.
            prop_assert!((0.0..=252.0).contains(&value));
        }
    }
}

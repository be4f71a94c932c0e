//! Intervals, closed forms and purchase summaries against reference figures: every value of `wilson_intervals`,
//! `prop_difference`, `nrr_ci_small`, `simple_ltv` and `rfm_from_events_cdnow`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic in a test is a failed test")]

mod reference;

use healthfold::lifetime::{
    DifferenceInterval, LifetimeOptions, Ltv, LtvOptions, NoLtv, RateDifference, RatioEstimate,
    ShareInterval, SimpleTerms,
};
use healthfold::{Engine, HeadRate, ReadOptions, Settings};
use reference::{Computed, Reference};
use std::collections::BTreeMap;
use std::fmt::Write as _;

fn parse<T: std::str::FromStr>(row: &BTreeMap<String, String>, column: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    row[column].parse().unwrap()
}

#[test]
fn intervals_of_a_retention_rate() {
    let Some(case) = Reference::open("wilson_intervals") else { return };
    let rows = case.rows("input.csv");
    let mut computed = Computed::new();
    for (name, method) in [
        ("wilson", ShareInterval::Wilson),
        ("wilson_cc", ShareInterval::WilsonCorrected),
        ("wald", ShareInterval::Wald),
        ("agresti_coull", ShareInterval::AgrestiCoull),
        ("clopper_pearson", ShareInterval::ClopperPearson),
        ("jeffreys", ShareInterval::Jeffreys),
    ] {
        for level in case.input("levels") {
            let of = |row| method.of(parse(row, "retained"), parse(row, "customers"), level).unwrap();
            let (low, high): (Vec<f64>, Vec<f64>) = rows.iter().map(of).unzip();
            let percent = (level * 100.0).round();
            computed.insert(format!("{percent}.{name}.lower"), low);
            computed.insert(format!("{percent}.{name}.upper"), high);
        }
    }
    case.check(&computed);
    for row in &rows {
        let (part, whole) = (parse(row, "retained"), parse(row, "customers"));
        let (low, high) = ShareInterval::default().of(part, whole, 0.95).unwrap();
        let rate = HeadRate::new(part, whole);
        assert!((rate.low.unwrap() - low).abs() < 1e-14 && (rate.high.unwrap() - high).abs() < 1e-14);
    }
    assert_eq!(ShareInterval::Wilson.of(0, 0, 0.95), None, "over nobody there is no interval");
}

#[test]
fn did_retention_change() {
    let Some(case) = Reference::open("prop_difference") else { return };
    let rates: Vec<(HeadRate, HeadRate)> = case
        .rows("input.csv")
        .iter()
        .map(|row| {
            let rate = |x, n| HeadRate::new(parse(row, x), parse(row, n));
            (rate("x1", "n1"), rate("x2", "n2"))
        })
        .collect();
    let mut computed = Computed::new();
    for (name, method) in [
        ("newcombe", DifferenceInterval::Newcombe),
        ("newcombe_cc", DifferenceInterval::NewcombeCorrected),
        ("wald", DifferenceInterval::Wald),
    ] {
        let (low, high): (Vec<f64>, Vec<f64>) = rates.iter().map(|(a, b)| method.of(*a, *b).unwrap()).unzip();
        computed.insert(format!("{name}.lower"), low);
        computed.insert(format!("{name}.upper"), high);
    }
    let found: Vec<RateDifference> = rates.iter().map(|(a, b)| RateDifference::of(*a, *b)).collect();
    let nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
    computed.insert("difference".into(), found.iter().map(|found| nan(found.value)).collect());
    computed.insert("chisq".into(), found.iter().map(|found| nan(found.chi_square)).collect());
    let last = found.last().unwrap();
    computed.insert("ratio_row9".into(), vec![nan(last.ratio)]);
    computed.insert("ratio_row9_ci95".into(), vec![nan(last.ratio_low), nan(last.ratio_high)]);
    case.check(&computed);
}

#[test]
fn nrr_of_twelve_clients() {
    let Some(case) = Reference::open("nrr_ci_small") else { return };
    let rows = case.rows("input.csv");
    let clients: Vec<(f64, f64)> = rows
        .iter()
        .map(|row| (parse(row, "start_mrr"), parse(row, "end_mrr")))
        .filter(|(start, _)| *start > 0.0)
        .collect();
    let mut computed = Computed::new();
    computed.insert("n".into(), vec![clients.len() as f64]);
    let gross: Vec<(f64, f64)> = clients.iter().map(|(start, end)| (*start, end.min(*start))).collect();
    for (name, clients) in [("nrr", &clients), ("grr", &gross)] {
        let found = RatioEstimate::of(clients, 0, 2_000).unwrap();
        let pair = |(low, high)| vec![low, high];
        computed.insert(name.into(), vec![found.value]);
        for (figure, values) in [
            ("se_linear", vec![found.linearised_se]),
            ("se_jackknife", vec![found.jackknife_se]),
            ("ci95_linear_z", pair(found.linearised_z)),
            ("ci95_linear_t", pair(found.linearised_t)),
            ("bootstrap_se", vec![found.bootstrap_se]),
            ("bootstrap_percentile_ci95", pair(found.bootstrap_percentile)),
            ("bca_acceleration", vec![found.acceleration]),
            ("bootstrap_bca_ci95", pair(found.bootstrap_bca)),
        ] {
            computed.insert(format!("{name}.{figure}"), values);
        }
    }
    let kept = clients.iter().filter(|(_, end)| *end > 0.0).count();
    let kept = HeadRate::new(kept as u64, clients.len() as u64);
    computed.insert("logo_retention".into(), vec![kept.value.unwrap()]);
    computed.insert("logo_retention_wilson95".into(), vec![kept.low.unwrap(), kept.high.unwrap()]);
    case.check(&computed);
}

#[test]
fn closed_forms_of_lifetime_value() {
    let Some(case) = Reference::open("simple_ltv") else { return };
    let unbounded = |value: Result<f64, NoLtv>| value.unwrap_or(f64::INFINITY);
    let mut computed = Computed::new();
    let mut put = |name: &str, value: f64| computed.entry(name.to_owned()).or_default().push(value);
    for row in case.rows("input.csv") {
        let number = |column: &str| parse::<f64>(&row, column);
        let terms = SimpleTerms {
            margin: number("arpa") * number("gross_margin"),
            churn: number("churn"),
            discount: number("discount"),
            growth: number("growth"),
        };
        put("lifetime", unbounded(terms.lifetime()));
        put("ltv_simple", unbounded(terms.plain()));
        put("ltv_disc_due", unbounded(terms.due()));
        put("ltv_disc_arrears", unbounded(terms.arrears()));
        put("ltv_horizon_due", terms.due_within(parse(&row, "horizon")));
    }
    for retention in [0.6, 0.7, 0.8, 0.9] {
        for discount in [0.10, 0.12, 0.14, 0.16] {
            let terms = SimpleTerms { margin: 1.0, churn: 1.0 - retention, discount, growth: 0.0 };
            put("margin_multiple_r60_70_80_90_by_i10_12_14_16", unbounded(terms.arrears()));
        }
    }
    case.check(&computed);
}

/// The purchases of a table of (customer_id, date, amount) as events; the sample's lines are told apart by their number.
fn purchases(case: &Reference) -> String {
    let mut lines = String::new();
    for (number, row) in case.rows("input.csv").iter().enumerate() {
        let (client, day, amount) = (&row["customer_id"], &row["date"], &row["amount"]);
        writeln!(
            lines,
            r#"{{"id":"{number}","source":"shop","type":"billing.charged","subject":"{client}","time":"{day}T12:00:00Z","data":{{"charge":"{number}","amount":"{amount}","currency":"USD"}}}}"#
        )
        .unwrap();
    }
    lines
}

#[test]
fn purchase_summaries_of_cdnow_from_events() {
    let Some(case) = Reference::open("rfm_from_events_cdnow") else { return };
    let lines = purchases(&case);
    let mut engine = Engine::new(Settings::default()).unwrap();
    let applied = engine.apply_ndjson(lines.as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!((applied.applied, applied.rejected_count()), (6919, 0));
    let options = LifetimeOptions::from_json(r#"{"calibration_end":"1997-09-30"}"#).unwrap();
    let as_of = engine.zone().as_of("1998-06-30").unwrap();
    let found = engine.rfm(as_of, &options).unwrap();
    let by_id: BTreeMap<&str, _> = found.clients.iter().map(|row| (row.client.as_str(), row)).collect();
    let expected = case.rows("expected_summary.csv");
    assert_eq!((expected.len(), found.clients.len(), found.left_out), (2357, 2357, 0));
    for row in &expected {
        let found = by_id[row["customer_id"].as_str()];
        let whole = (found.frequency, found.recency_days, found.age_days, found.holdout_frequency);
        let expected =
            (parse(row, "x"), parse(row, "t_x_days"), parse(row, "T_days"), Some(parse(row, "x_holdout")));
        assert_eq!(whole, expected, "{}", row["customer_id"]);
        let value: f64 = parse(row, "zbar");
        assert!(
            (found.value.unwrap_or(0.0) - value).abs() <= 1e-9 * value.max(1.0),
            "{}",
            row["customer_id"]
        );
    }
    let sum = |of: &dyn Fn(&healthfold::lifetime::RfmRow) -> u32| {
        vec![found.clients.iter().map(of).map(f64::from).sum::<f64>()]
    };
    let repeaters: Vec<(f64, f64)> =
        found.clients.iter().filter_map(|row| Some((f64::from(row.frequency), row.value?))).collect();
    let n = repeaters.len() as f64;
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| repeaters.iter().map(of).sum::<f64>() / n;
    let (x, z) = (mean(&|(x, _)| *x), mean(&|(_, z)| *z));
    let moment = |of: &dyn Fn(&(f64, f64)) -> f64| repeaters.iter().map(of).sum::<f64>() / (n - 1.0);
    let (sx, sz) = (moment(&|(a, _)| (a - x) * (a - x)).sqrt(), moment(&|(_, b)| (b - z) * (b - z)).sqrt());
    let mut computed = Computed::new();
    for (name, values) in [
        ("n_rows", vec![6919.0]),
        ("n_customers", vec![found.clients.len() as f64]),
        ("n_repeaters", vec![n]),
        ("sum_x", sum(&|row| row.frequency)),
        ("sum_t_x_days", sum(&|row| row.recency_days)),
        ("sum_T_days", sum(&|row| row.age_days)),
        ("sum_x_holdout", sum(&|row| row.holdout_frequency.unwrap())),
        ("max_x", vec![found.clients.iter().map(|row| f64::from(row.frequency)).fold(0.0, f64::max)]),
        ("mean_zbar_repeaters", vec![z]),
        ("sd_zbar_repeaters", vec![sz]),
        ("corr_x_zbar_repeaters", vec![moment(&|(a, b)| (a - x) * (b - z)) / (sx * sz)]),
    ] {
        computed.insert(name.into(), values);
    }
    case.check(&computed);
}

/// The published fit of the sample (Fader, Hardie & Lee 2005): r 0.243, alpha 4.414, a 0.793, b 2.426, log-likelihood -9582.4,
/// and of Pareto/NBD: -9595.0. Client 1 (x 2, 30.43 of 38.86 weeks) is still there with 0.7266 and buys 1.226 times in 39
/// weeks; a client's values there are drawn to the mean by Gamma-Gamma.
#[test]
fn values_of_cdnow_buyers_by_published_models() {
    let Some(case) = Reference::open("rfm_from_events_cdnow") else { return };
    let mut engine = Engine::new(Settings::default()).unwrap();
    engine.apply_ndjson(purchases(&case).as_bytes(), &ReadOptions::default()).unwrap();
    let as_of = engine.zone().as_of("1997-09-30").unwrap();
    let ask = |settings: &str| {
        let options = LtvOptions::from_json(settings).unwrap();
        match engine.ltv(as_of, &options).unwrap() {
            Ltv::Model(ltv) => *ltv,
            _ => unreachable!("these are models"),
        }
    };
    let ltv = ask(r#"{"method":"bg_nbd","horizon_months":9,"margin":"0.3"}"#);
    let [behaviour, values] = ltv.models.as_slice() else { unreachable!("two models") };
    let near =
        |found: f64, expected: f64, off: f64| assert!((found - expected).abs() < off, "{found} {expected}");
    for (estimate, expected) in behaviour.fit.parameters.iter().zip([0.243, 4.414, 0.793, 2.426]) {
        near(estimate.value, expected, 6e-4);
    }
    near(behaviour.fit.log_likelihood, -9582.4, 0.06);
    assert_eq!((behaviour.unit, behaviour.fit.n, values.fit.n), ("week", 2357, 946));
    let first = ltv.clients.iter().find(|row| row.client.as_str() == "1").unwrap();
    near(first.p_alive.unwrap(), 0.7266, 1e-3);
    // Nine months are 39.107 weeks.
    near(first.expected.unwrap(), 1.226, 0.01);
    let value = first.expected.unwrap() * first.purchase_value.unwrap() * 0.3;
    near(first.value.unwrap(), value, 1e-9);
    assert_eq!(
        (first.horizon, first.horizon_months, first.currency.unwrap().to_string().as_str()),
        ("months", Some(9), "USD")
    );
    assert_eq!(ltv.values[0].clients, 2357);
    let alive = ltv.alive.as_ref().unwrap();
    assert_eq!(
        (alive.frequency.first(), alive.recency_weeks.len(), alive.p_alive.len()),
        (Some(&0), 25, alive.frequency.len())
    );
    // Who never came back is still there for certain by BG/NBD; who came back can have done so only later than its first.
    assert_eq!((alive.p_alive[0][0], alive.p_alive[0][1], alive.p_alive[1][0]), (Some(1.0), None, None));
    let last = alive.p_alive.last().unwrap();
    assert!(last[1].unwrap() < 1e-6 && last[24].unwrap() > 0.9, "a frequent buyer that fell silent has left");
    let discounted = ask(r#"{"method":"bg_nbd","horizon_months":9,"margin":"0.3","annual_discount":0.15}"#);
    assert!(discounted.values[0].total < ltv.values[0].total);
    near(ask(r#"{"method":"pareto_nbd"}"#).models[0].fit.log_likelihood, -9595.0, 0.06);
    assert!(ask(r#"{"method":"mbg_nbd"}"#).models[0].fit.converged);
}

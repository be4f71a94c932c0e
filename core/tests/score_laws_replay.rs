//! Laws of the score on random logs and random models of every kind of signal: an answer as of an instant is what an
//! engine that had read no further would say, a change adds up, the order of a document does not matter, and knowing
//! less is never covering more.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by a panic, and what the strategies make is valid"
)]

use healthfold::{
    Engine, Event, EventKind, HealthScore, Instant, Model, ScoresOf, Settings, SignalSpec, signal_docs,
};
use healthfold_testkit::logs;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The ends of some days of the logs.
const ENDS: [&str; 9] = [
    "2026-01-04",
    "2026-01-05",
    "2026-01-31",
    "2026-02-14",
    "2026-02-28",
    "2026-03-15",
    "2026-03-29",
    "2026-04-02",
    "2026-05-20",
];

const ZONES: [&str; 3] = ["UTC", "America/New_York", "Asia/Kolkata"];

/// Every kind of signal, about what the logs have.
fn pool() -> Vec<Value> {
    vec![
        json!({"kind": "usage_sum", "metric": "reports", "days": 30}),
        json!({"kind": "usage_sum", "metric": "calls", "days": 14, "offset": 5}),
        json!({"kind": "usage_trend", "metric": "reports", "days": 30}),
        json!({"kind": "gauge", "metric": "calls", "days": 60, "take": "mean"}),
        json!({"kind": "ratio", "numerator": "calls", "denominator": "reports", "days": 60}),
        json!({"kind": "active_users", "days": 30}),
        json!({"kind": "active_trend", "days": 30}),
        json!({"kind": "stickiness", "short": 7, "long": 60}),
        json!({"kind": "seat_use", "days": 60}),
        json!({"kind": "breadth", "days": 30}),
        json!({"kind": "days_since_usage"}),
        json!({"kind": "active_days", "days": 90}),
        json!({"kind": "usage_vs_own", "metric": "reports", "days": 7, "baseline_days": 60}),
        json!({"kind": "usage_vs_last_year", "metric": "reports", "days": 30}),
        json!({"kind": "quota_use", "metric": "reports"}),
        json!({"kind": "projected_overage", "metric": "calls"}),
        json!({"kind": "tickets_opened", "days": 60}),
        json!({"kind": "tickets_open", "older_than_days": 3}),
        json!({"kind": "ticket_surge", "days": 30, "baseline_days": 60}),
        json!({"kind": "first_response_hours", "days": 60}),
        json!({"kind": "first_response_within", "days": 60, "target_attribute": "size", "target_hours": 48}),
        json!({"kind": "resolution_hours", "days": 90, "quantile": 0.9}),
        json!({"kind": "csat", "days": 60}),
        json!({"kind": "incident_hours", "days": 30}),
        json!({"kind": "mrr", "currency": "USD"}),
        json!({"kind": "mrr_trend", "days": 30}),
        json!({"kind": "overdue_days"}),
        json!({"kind": "failed_payments", "days": 30}),
        json!({"kind": "days_to_renewal"}),
        json!({"kind": "tenure_days"}),
        json!({"kind": "days_to_trial_end"}),
        json!({"kind": "bill_shock", "days": 90}),
        json!({"kind": "nps"}),
        json!({"kind": "sentiment", "half_life_days": 20, "max_age_days": 60}),
        json!({"kind": "sentiment", "part": "talks"}),
        json!({"kind": "days_since_contact"}),
        json!({"kind": "milestone", "milestone": "live"}),
        json!({"kind": "milestone_days", "milestone": "live"}),
        json!({"kind": "activation", "milestones": ["onboarded", "live"], "within_days": 20}),
        json!({"kind": "contact_validity"}),
        json!({"kind": "key_contact_lost", "days": 60}),
        json!({"kind": "attribute", "key": "size"}),
        json!({"kind": "stage_days"}),
        json!({"kind": "formula", "expr": {"if": [{">": ["s00", {"kind": "tickets_open"}]}, {"+": ["s05", 1]}, {"/": ["s24", "s29"]}]}}),
    ]
}

fn name(signal: usize) -> String {
    format!("s{signal:02}")
}

fn signals() -> Value {
    pool().into_iter().enumerate().map(|(i, spec)| (name(i), spec)).collect::<Map<String, Value>>().into()
}

#[test]
fn the_laws_are_about_every_kind_of_signal() {
    let pool = pool();
    let asked: BTreeSet<&str> = pool.iter().filter_map(|spec| spec["kind"].as_str()).collect();
    let all: BTreeSet<&str> = signal_docs().into_iter().map(|doc| doc.kind).collect();
    assert_eq!(asked, all);
}

fn curve() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"points": [[0, 0], [3, 40], [60, 100]]})),
        Just(json!({"points": [[0, 100], [10, 0]]})),
        Just(json!({"steps": [[0, 20], [1, 60], [5, 90]]})),
        Just(json!({"logistic": {"mid": 5, "slope": -0.3}})),
        Just(json!({"peak": {"low": 0, "ideal": 7, "high": 50}})),
        Just(json!({"percentile": {"within": "segment", "min_clients": 2}})),
        Just(json!({"percentile": {"within": "all", "invert": true}})),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"paying": true})),
        Just(json!({"trial": true})),
        Just(json!({"segment": "smb"})),
        Just(json!({"tag": "partner"})),
        Just(json!({"milestone": "onboarded"})),
        Just(json!({"attribute": "size", "equals": 250})),
        (0i32..90).prop_map(|days| json!({"tenure_days": {"at_least": days}})),
        (0..pool().len(), 0i32..20).prop_map(|(signal, at)| json!({"signal": name(signal), "above": at})),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            list.clone().prop_map(|list| json!({"all": list})),
            list.prop_map(|list| json!({"any": list})),
            inner.prop_map(|inner| json!({"not": inner})),
        ]
    })
}

/// A part for a signal of its own, so that it can be told from the others.
fn part(signal: usize) -> impl Strategy<Value = Value> {
    let missing = prop_oneof![
        6 => Just(json!("redistribute")),
        1 => Just(json!({"points": 30})),
        1 => Just(json!("required")),
        2 => Just(json!({"carry_days": 25})),
    ];
    (0.1f64..9.0, curve(), missing).prop_map(
        move |(weight, curve, missing)| json!({"signal": name(signal), "weight": weight, "curve": curve, "missing": missing}),
    )
}

/// A model without a set around it, whose stages are those of none.
fn single() -> impl Strategy<Value = Value> {
    let chosen = prop::sample::subsequence((0..pool().len()).collect::<Vec<_>>(), 3..9).prop_shuffle();
    let parts = chosen.prop_flat_map(|chosen| chosen.into_iter().map(part).collect::<Vec<_>>());
    let combine = || prop::sample::select(&["mean", "mean", "mean", "min", "max"][..]);
    let bounds = prop::sample::select(&["cap", "floor", "set"][..]);
    let limit = (condition(), bounds, 0u32..100)
        .prop_map(|(when, bound, at)| json!({"name": "bound", "when": when, bound: at}));
    let adjustment = (0..pool().len(), -40i32..40).prop_map(
        |(signal, to)| json!({"name": name(signal), "signal": name(signal), "curve": {"points": [[0, 0], [10, to]]}}),
    );
    let sources = prop::option::of(0u32..30).prop_map(|days| {
        days.map_or(json!({}), |days| json!({"app": {"silent_after_days": days}, "crm": {"silent_after_days": 9, "metrics": ["calls"]}}))
    });
    let rest = (
        prop::collection::vec(limit, 0..3),
        prop::collection::vec(adjustment, 0..3),
        prop::option::of(0.0f64..30.0),
        prop_oneof![Just(0.0), 0.0f64..0.7],
    );
    (parts, 1usize..4, combine(), combine(), sources, rest).prop_map(
        |(parts, groups, inner, root, sources, (limits, adjustments, human_cap, min_coverage))| {
            let judged = |adjustment: &Value| ["s33", "s34"].iter().any(|judged| adjustment["signal"] == *judged);
            let adjustments: Vec<Value> =
                adjustments.into_iter().filter(|one| human_cap.is_none() || !judged(one)).collect();
            let size = parts.len().div_ceil(groups);
            let mut groups: Vec<Value> = (parts.chunks(size).enumerate())
                .map(|(i, parts)| json!({"name": format!("g{i}"), "weight": i + 1, "combine": inner, "parts": parts}))
                .collect();
            // The last group stands inside the first.
            if let Some(last) = groups.pop_if(|last| last["weight"] != 1) {
                groups[0]["groups"] = json!([last]);
            }
            json!({"name": "one", "signals": signals(), "combine": root, "groups": groups, "limits": limits,
                "adjustments": adjustments, "sources": sources, "min_coverage": min_coverage, "human_cap": human_cap,
                "bands": [{"name": "red", "from": 0}, {"name": "yellow", "from": 40}, {"name": "green", "from": 70}]})
        },
    )
}

/// A model, or a set of two with stages.
fn set() -> impl Strategy<Value = Value> {
    let stages = (condition(), condition())
        .prop_map(|(first, then)| json!([{"name": "first", "when": first}, {"name": "then", "when": then}]));
    let when = prop_oneof![Just(json!({"stage": "first"})), condition()];
    (single(), single(), stages, when).prop_map(|(one, other, stages, when)| {
        // A stage cannot be told by how long it lasts.
        let stages = without_stage_days(stages);
        json!({"name": "set", "signals": signals(), "stages": stages, "sources": one["sources"],
            "models": [{"when": when, "model": one}, {"model": other}]})
    })
}

/// Puts another signal in the place of the one that a condition must not speak of.
fn without_stage_days(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, without_stage_days(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(without_stage_days).collect::<Vec<_>>().into(),
        Value::String(text) if text == name(42) => name(0).into(),
        other => other,
    }
}

/// A model by itself has no stages, so nothing in it may ask for the days in one.
fn alone(mut model: Value) -> Value {
    model["signals"][name(42)] = json!({"kind": "tickets_open"});
    model
}

fn engine<'e>(zone: &str, log: impl IntoIterator<Item = &'e Event>) -> Engine {
    let mut engine = Engine::new(Settings { timezone: zone.to_owned(), ..Settings::default() }).unwrap();
    engine.apply_all(log);
    engine
}

fn time(event: &Event) -> Instant {
    event.to_json()["time"].as_str().unwrap().parse().unwrap()
}

/// Whether an answer about the past can know of an event what was not known then.
fn looks_back(engine: &Engine, event: &Event) -> bool {
    match event.kind() {
        EventKind::MergedInto | EventKind::ClientErased | EventKind::Retracted => true,
        EventKind::UsageDaySet => {
            let day = event.to_json()["data"]["day"].as_str().and_then(|day| day.parse().ok());
            day.is_none_or(|day| engine.zone().day(time(event)) > day)
        }
        _ => false,
    }
}

/// What the parts, effects and clamp of a score add up to.
fn total(health: &HealthScore) -> f64 {
    let parts: f64 = health.parts.iter().map(|part| part.contribution).sum();
    let effects: f64 = health.adjustments.iter().chain(&health.limits).map(|effect| effect.effect).sum();
    parts + effects + health.r#override.as_ref().map_or(0.0, |over| over.effect) + health.clamp
}

/// The parts of means, the groups of means and the adjustments the other way round.
fn reversed(mut value: Value) -> Value {
    let mean = value["combine"].as_str().is_none_or(|combine| combine == "mean");
    for list in ["parts", "groups", "adjustments"] {
        let Some(items) = value.get_mut(list).and_then(Value::as_array_mut) else { continue };
        if list == "groups" {
            items.iter_mut().for_each(|item| *item = reversed(item.take()));
        }
        if mean || list == "adjustments" {
            items.reverse();
        }
    }
    value
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9,
        (a, b) => a == b,
    }
}

/// Checks that the table of a book has the bits of its scores.
fn tabled(engine: &Engine, model: &Model, as_of: Instant) {
    let (table, scores) =
        (engine.score_table(model, as_of, ScoresOf::All), engine.scores(model, as_of, ScoresOf::All));
    assert_eq!(table.len(), scores.len());
    // Asked beside other instants, in whatever order, a table is the same.
    let earlier = engine.zone().end_of(engine.zone().day(as_of).plus(-40));
    let instants = [as_of, earlier, as_of];
    let apart: Vec<_> = instants.iter().map(|at| engine.score_table(model, *at, ScoresOf::All)).collect();
    assert_eq!(engine.score_tables(model, &instants, ScoresOf::All), apart);
    assert_eq!(engine.score_tables(model, &[], ScoresOf::All), []);
    let bits = |number: Option<f64>| number.map(f64::to_bits);
    for (row, health) in scores.iter().enumerate() {
        assert_eq!(table.row(&health.client), Some(row));
        assert_eq!(table.band_of(row), Some(&health.band));
        let rule = table.rule[row];
        assert_eq!(rule.map(|rule| &table.models[rule as usize]), health.model.as_ref());
        let stage = table.stage[row].map(|stage| &table.stages[stage as usize]);
        assert_eq!(stage, health.stage.as_ref());
        let numbers = [&table.score, &table.computed, &table.coverage, &table.low, &table.high, &table.clamp];
        let by_name = [
            health.score,
            health.computed,
            Some(health.coverage),
            health.low,
            health.high,
            Some(health.clamp),
        ];
        assert_eq!(numbers.map(|column| bits(column.get(row))), by_name.map(bits));
        let over = health.r#override.as_ref().map(|over| over.effect);
        assert_eq!(bits(table.override_effect.get(row)), bits(over));
        let parts = table.parts.iter().zip(table.parts.weights());
        let read = parts.filter(|(part, _)| Some(part.model) == rule).map(|(part, weights)| {
            let numbers = [part.readings.get(row), part.points.get(row), weights.get(row)].map(bits);
            (part.name.clone(), part.missing[row], numbers)
        });
        let named = health.parts.iter().map(|part| {
            let numbers = [part.reading, part.points, Some(part.weight)].map(bits);
            (part.name.clone(), part.missing, numbers)
        });
        assert_eq!(read.collect::<Vec<_>>(), named.collect::<Vec<_>>());
        let steps = table.steps.iter().filter(|step| Some(step.model) == rule);
        let told =
            steps.map(|step| (step.name.clone(), [step.readings.get(row), step.effects.get(row)].map(bits)));
        let effects = health.adjustments.iter().chain(&health.limits);
        let effects =
            effects.map(|effect| (effect.name.clone(), [effect.reading, Some(effect.effect)].map(bits)));
        assert_eq!(told.collect::<Vec<_>>(), effects.collect::<Vec<_>>());
    }
}

proptest! {
    #[test]
    fn an_answer_of_the_past_is_that_of_an_engine_that_read_no_further(
        log in logs::logs(0..50),
        set in set(),
        end in prop::sample::select(&ENDS[..]),
        zone in prop::sample::select(&ZONES[..]),
    ) {
        let empty = engine(zone, []);
        let log: Vec<Event> = log.into_iter().filter(|event| !looks_back(&empty, event)).collect();
        let as_of = empty.zone().as_of(end).unwrap();
        let (whole, then) = (engine(zone, &log), engine(zone, log.iter().filter(|event| time(event) <= as_of)));
        for model in [&Model::from_value(&set).unwrap(), &Model::default()] {
            let told = |engine: &Engine| serde_json::to_value(engine.scores(model, as_of, ScoresOf::All)).unwrap();
            prop_assert_eq!(told(&whole), told(&then));
            let paying = |engine: &Engine| engine.scores(model, as_of, ScoresOf::Paying).len();
            prop_assert_eq!(paying(&whole), paying(&then));
            tabled(&whole, model, as_of);
        }
        for client in then.clients() {
            for spec in pool().iter().filter(|spec| spec["kind"] != "formula") {
                let spec = SignalSpec::from_json(&spec.to_string()).unwrap();
                let read = |engine: &Engine| engine.signal(client, &spec, as_of).unwrap();
                prop_assert_eq!(read(&whole), read(&then), "{} of {}", spec.kind(), client.as_str());
            }
            let milestones = ["onboarded".to_owned(), "live".to_owned()];
            let activation = |engine: &Engine| {
                let told = engine.activation(client, &milestones, 20, as_of).map_err(|error| error.to_string());
                told.map(|told| serde_json::to_value(told).unwrap())
            };
            prop_assert_eq!(activation(&whole), activation(&then));
        }
    }

    #[test]
    fn a_change_on_a_random_log_adds_up(
        log in logs::logs(0..50),
        first in set(),
        second in prop::option::of(set()),
        ends in prop::array::uniform2(prop::sample::select(&ENDS[..])),
    ) {
        let engine = engine("UTC", &log);
        let [start, end] = ends.map(|end| engine.zone().as_of(end).unwrap());
        let first = Model::from_value(&first).unwrap();
        let second = second.map(|second| Model::from_value(&second).unwrap());
        for client in engine.scores(&first, end, ScoresOf::All).into_iter().map(|health| health.client) {
            let change = engine.explain_change(&client, &first, start, end, second.as_ref()).unwrap();
            let before = engine.score(&client, &first, start).unwrap();
            let after = engine.score(&client, second.as_ref().unwrap_or(&first), end).unwrap();
            prop_assert_eq!((change.from, change.to), (before.score, after.score));
            let sum: f64 = change.parts.iter().map(|part| part.points).sum();
            let seen = total(&after) - total(&before);
            prop_assert!((sum - seen).abs() < 1e-9, "{sum} is not {seen}: {change:?}");
            if let Some(delta) = change.delta {
                prop_assert!((sum - delta).abs() < 1e-9, "{sum} is not {delta}: {change:?}");
            }
        }
    }

    #[test]
    fn the_order_of_a_document_changes_last_bits_at_most(
        log in logs::logs(0..50),
        model in single(),
        end in prop::sample::select(&ENDS[..]),
    ) {
        let engine = engine("UTC", &log);
        let as_of = engine.zone().as_of(end).unwrap();
        let model = alone(model);
        let other = Model::from_value(&reversed(model.clone())).unwrap();
        // Of two children that are equal but for their last bits, either may be the least or the greatest. What they give is
        // the same then, only from elsewhere.
        let text = model.to_string();
        let picks = [r#""combine":"min""#, r#""combine":"max""#].iter().any(|combine| text.contains(combine));
        let given = |health: &HealthScore| health.parts.iter().map(|part| part.contribution).sum::<f64>();
        let scores = |model: &Model| engine.scores(model, as_of, ScoresOf::All);
        for (one, other) in scores(&Model::from_value(&model).unwrap()).iter().zip(scores(&other)) {
            prop_assert!(close(one.score, other.score), "{:?} {:?}", one.score, other.score);
            prop_assert!(close(one.low, other.low) && close(one.high, other.high));
            prop_assert!(close(Some(one.coverage), Some(other.coverage)));
            for part in &one.parts {
                let same = other.parts.iter().find(|twin| (&twin.group, &twin.signal) == (&part.group, &part.signal)).unwrap();
                let as_much = picks && close(Some(given(one)), Some(given(&other)));
                prop_assert!(as_much || close(Some(part.contribution), Some(same.contribution)), "{part:?} {same:?}");
            }
        }
    }

    #[test]
    fn a_measure_that_nobody_takes_covers_nothing_more(
        log in logs::logs(0..50),
        model in single(),
        dropped in 0..pool().len(),
        end in prop::sample::select(&ENDS[..]),
    ) {
        let engine = engine("UTC", &log);
        let as_of = engine.zone().as_of(end).unwrap();
        let model = alone(model);
        let mut less = model.clone();
        less["signals"][name(dropped)] = json!({"kind": "attribute", "key": "that nobody states"});
        let scores = |model: &Value| engine.scores(&Model::from_value(model).unwrap(), as_of, ScoresOf::All);
        for (before, after) in scores(&model).iter().zip(scores(&less)) {
            prop_assert!(after.coverage <= before.coverage + 1e-12, "{} {}", before.coverage, after.coverage);
        }
    }

    #[test]
    fn the_clock_of_a_stage_skips_only_days_on_which_nothing_turns(
        log in logs::logs(0..60),
        conditions in prop::array::uniform3(condition()),
        end in prop::sample::select(&ENDS[..]),
        zone in prop::sample::select(&ZONES[..]),
    ) {
        let engine = engine(zone, &log);
        let as_of = engine.zone().as_of(end).unwrap();
        let names = ["first", "second", "third"];
        let clock = |around: &dyn Fn(Value) -> Value| {
            let stage = |(name, when): (&&str, &Value)| json!({"name": name, "when": around(without_stage_days(when.clone()))});
            let stages: Vec<Value> = names.iter().zip(&conditions).map(stage).collect();
            let part = json!({"signal": name(42), "curve": {"points": [[0, 0], [1000, 100]]}});
            let model = json!({"name": "m", "signals": signals(), "groups": [{"name": "g", "parts": [part]}],
                "bands": [{"name": "all", "from": 0}]});
            let set = json!({"name": "set", "signals": signals(), "stages": stages, "models": [{"model": model}]});
            let scores = engine.scores(&Model::from_value(&set).unwrap(), as_of, ScoresOf::All);
            scores.into_iter().map(|health| (health.stage, health.parts[0].reading)).collect::<Vec<_>>()
        };
        // A signal beside it may turn on any day, so that each is looked at; the answer is the same.
        let slow = |when: Value| json!({"any": [when, {"signal": name(0), "below": -1e9}]});
        prop_assert_eq!(clock(&|when| when), clock(&slow));
    }
}

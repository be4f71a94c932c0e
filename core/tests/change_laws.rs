//! Every change of a score adds up: on random clients and two models, and in one worked example.

use healthfold::{Cause, Engine, Event, Model, Settings};
use proptest::prelude::*;
use serde_json::{Value, json};

const KEYS: [&str; 4] = ["a", "b", "c", "d"];

#[expect(clippy::unwrap_used, reason = "what the strategies make is valid")]
fn engine(first: &[Option<i32>], then: &[Option<i32>], cap: Option<i32>) -> Engine {
    let mut engine = Engine::new(Settings::default()).unwrap();
    let mut apply = |id: &str, time: &str, kind: &str, data: Value| {
        let event =
            json!({"id": id, "source": "t", "type": kind, "subject": "c", "time": time, "data": data});
        engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap()).unwrap();
    };
    let attributes = |values: &[Option<i32>]| -> Value {
        KEYS.iter().zip(values).map(|(key, value)| (*key, value.map_or(Value::Null, Value::from))).collect()
    };
    apply(
        "1",
        "2026-01-05T10:00:00Z",
        "client.set",
        json!({"segment": "smb", "attributes": attributes(first)}),
    );
    apply(
        "2",
        "2026-02-05T10:00:00Z",
        "client.set",
        json!({"segment": "ent", "attributes": attributes(then)}),
    );
    if let Some(cap) = cap {
        let data = json!({"kind": "cap", "value": cap, "reason": "r", "by": "b", "until": "2027-01-01"});
        apply("3", "2026-02-06T10:00:00Z", "client.override_set", data);
    }
    engine
}

fn single(name: &str, weights: &[u32], combine: &str, slope: i32) -> Value {
    let signals: Value = KEYS.iter().map(|key| (*key, json!({"kind": "attribute", "key": key}))).collect();
    let part = |(key, weight): (&&str, &u32)| json!({"signal": key, "weight": weight, "curve": {"points": [[0, 0], [slope, 100]]}});
    let mut first: Vec<Value> = KEYS.iter().zip(weights).map(part).collect();
    let then = first.split_off(2);
    json!({"name": name, "signals": signals,
        "groups": [{"name": "one", "combine": combine, "parts": first}, {"name": "two", "weight": 2, "parts": then}],
        "adjustments": [{"name": "more", "signal": "a", "curve": {"points": [[0, -30], [100, 30]]}}],
        "limits": [{"name": "low", "when": {"signal": "b", "below": 20}, "cap": 30}],
        "bands": [{"name": "red", "from": 0}, {"name": "green", "from": 60}]})
}

proptest! {
    #[test]
    fn the_parts_of_a_change_add_up(
        first in prop::collection::vec(prop::option::weighted(0.8, 0i32..=100), 4),
        then in prop::collection::vec(prop::option::weighted(0.8, 0i32..=100), 4),
        weights in prop::collection::vec(0u32..5, 4),
        combine in prop::sample::select(&["mean", "min", "max"][..]),
        cap in prop::option::weighted(0.3, 0i32..=100),
        slope in 10i32..100,
        edit in any::<bool>(),
    ) {
        let engine = engine(&first, &then, cap);
        let (start, end) = ("2026-01-10T12:00:00Z".parse().unwrap(), "2026-02-10T12:00:00Z".parse().unwrap());
        // A set, so that the client also moves from one of its models to another.
        let set = json!({"name": "set", "models": [
            {"when": {"segment": "ent"}, "model": single("ent", &weights, combine, slope)},
            {"model": single("rest", &weights, "mean", 100)}]});
        let (model, edited) = (Model::from_value(&set).unwrap(), Model::from_value(&single("new", &weights, combine, slope)).unwrap());
        let end_model = edit.then_some(&edited);
        let change = engine.explain_change(&"c".into(), &model, start, end, end_model).unwrap();
        let sum: f64 = change.parts.iter().map(|part| part.points).sum();
        match change.delta {
            Some(delta) => prop_assert!((sum - delta).abs() < 1e-9, "{sum} is not {delta}: {change:?}"),
            None => prop_assert!(change.from.is_none() || change.to.is_none()),
        }
        let same = engine.explain_change(&"c".into(), &model, end, end, None).unwrap();
        prop_assert!(same.parts.is_empty(), "nothing changes between an instant and itself: {same:?}");
    }
}

#[test]
fn a_worked_change() {
    // Weights 1, 1 in one mean, x / 100: a 40 -> 60, b 80 -> missing.
    let model = Model::from_value(&json!({"name": "m",
        "signals": {"a": {"kind": "attribute", "key": "a"}, "b": {"kind": "attribute", "key": "b"}},
        "groups": [{"name": "g", "parts": [
            {"signal": "a", "curve": {"points": [[0, 0], [100, 100]]}},
            {"signal": "b", "curve": {"points": [[0, 0], [100, 100]]}}]}],
        "bands": [{"name": "red", "from": 0}]}))
    .unwrap();
    let engine = engine(&[Some(40), Some(80), None, None], &[Some(60), None, None, None], None);
    let (start, end) = ("2026-01-10T12:00:00Z".parse().unwrap(), "2026-02-10T12:00:00Z".parse().unwrap());
    let change = engine.explain_change(&"c".into(), &model, start, end, None).unwrap();
    // Before (40 + 80) / 2 = 60, after 60 alone: no difference in all, and yet:
    // a's value: its mean weight 0.75 x 20 = 15; a's weight: its mean points 50 x 0.5 = 25; b's going: -0.5 x 80 = -40.
    assert_eq!((change.from, change.to, change.delta), (Some(60.0), Some(60.0), Some(0.0)));
    let parts: Vec<(Cause, &str, f64)> =
        change.parts.iter().map(|p| (p.cause, p.name.as_str(), p.points)).collect();
    assert_eq!(
        parts,
        [(Cause::Missing, "b", -40.0), (Cause::Missing, "a", 25.0), (Cause::Signal, "a", 15.0)]
    );
    assert_eq!(
        change.parts[2].events[0].event.as_ref().unwrap().id.as_str(),
        "2",
        "the event behind it is named"
    );
}

//! What only a book tells of a model: each code on clients made by hand.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by a panic")]

use healthfold::{Engine, Event, Finding, LintCode, Model, ScoresOf, Settings};
use serde_json::{Value, json};

/// A book of clients `c00`, `c01` and so on, each with the events that are made for its number.
fn book(clients: usize, events: impl Fn(usize) -> Vec<(&'static str, Value)>) -> Engine {
    let mut engine = Engine::new(Settings::default()).unwrap();
    for n in 0..clients {
        for (i, (kind, data)) in events(n).into_iter().enumerate() {
            let event = json!({"id": format!("{n}-{i}"), "source": "t", "type": kind, "subject": format!("c{n:02}"),
                "time": "2026-03-05T10:00:00Z", "data": data});
            engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap()).unwrap();
        }
    }
    engine
}

fn attributes(values: Value) -> (&'static str, Value) {
    ("client.set", json!({"attributes": values}))
}

fn part(signal: &str) -> Value {
    json!({"signal": signal, "curve": {"points": [[0, 0], [100, 100]]}})
}

fn model(signals: &Value, parts: &Value, more: &Value) -> Model {
    let mut document = json!({"name": "m", "signals": signals, "groups": [{"name": "g", "parts": parts}],
        "bands": [{"name": "red", "from": 0}, {"name": "green", "from": 50}]});
    for (name, value) in more.as_object().unwrap() {
        document[name] = value.clone();
    }
    Model::from_value(&document).unwrap()
}

fn found(engine: &Engine, model: &Model, code: LintCode) -> Vec<Finding> {
    let all = engine.lint(model, engine.zone().as_of("2026-03-10").unwrap(), ScoresOf::All);
    all.into_iter().filter(|finding| finding.code == code).collect()
}

fn paths(engine: &Engine, model: &Model, code: LintCode) -> Vec<String> {
    found(engine, model, code).into_iter().map(|finding| finding.path).collect()
}

fn by_key(keys: &[&str]) -> Value {
    keys.iter().map(|key| (*key, json!({"kind": "attribute", "key": key}))).collect()
}

#[test]
fn signal_never_varies_and_needs_ten_readings() {
    let model = model(&by_key(&["same", "other"]), &json!([part("same"), part("other")]), &json!({}));
    let of = |clients| book(clients, |n| vec![attributes(json!({"same": 7, "other": n}))]);
    let findings = found(&of(10), &model, LintCode::SignalNeverVaries);
    assert_eq!(
        (findings[0].path.as_str(), findings[0].clients, findings.len()),
        ("signals.same", Some(10), 1)
    );
    assert!(found(&of(9), &model, LintCode::SignalNeverVaries).is_empty());
    // Ten clients, of which nine have a reading.
    let nine = book(10, |n| vec![attributes(if n == 0 { json!({}) } else { json!({"same": 7}) })]);
    assert!(found(&nine, &model, LintCode::SignalNeverVaries).is_empty());
}

#[test]
fn signal_always_missing_and_denominator_always_zero() {
    let signals = json!({"x": {"kind": "attribute", "key": "x"}, "mood": {"kind": "sentiment"},
        "missed": {"kind": "ratio", "numerator": "missed", "denominator": "cals", "days": 30}});
    let model = model(&signals, &json!([part("x"), part("mood"), part("missed")]), &json!({}));
    let engine = book(12, |n| {
        vec![attributes(json!({"x": n})), ("usage.counted", json!({"metric": "calls", "count": 5}))]
    });
    // `cals` is a typing error for `calls`: nobody has any.
    let findings = found(&engine, &model, LintCode::DenominatorAlwaysZero);
    assert_eq!((findings[0].path.as_str(), findings[0].clients), ("signals.missed", Some(12)));
    assert_eq!(paths(&engine, &model, LintCode::SignalAlwaysMissing), ["signals.mood"]);
}

#[test]
fn near_copies_by_their_points() {
    let signals = by_key(&["a", "twin", "against", "free"]);
    let falls = json!({"signal": "against", "curve": {"points": [[0, 100], [100, 0]]}});
    let model = model(&signals, &json!([part("a"), part("twin"), falls, part("free")]), &json!({}));
    // twin = a / 2 + 10; against = a under a falling curve; free goes its own way.
    let of = |clients| {
        book(clients, |n| {
            let (a, free) = (4 * n, n * 37 % 100);
            vec![attributes(json!({"a": a, "twin": a / 2 + 10, "against": a, "free": free}))]
        })
    };
    let findings = found(&of(20), &model, LintCode::NearCopies);
    let told: Vec<(&str, bool)> = findings
        .iter()
        .map(|finding| (finding.path.as_str(), finding.message.contains("opposite")))
        .collect();
    let at = ["groups[0].parts[1]", "groups[0].parts[2]", "groups[0].parts[2]"];
    assert_eq!(told, [(at[0], false), (at[1], true), (at[2], true)]);
    assert!(found(&of(19), &model, LintCode::NearCopies).is_empty(), "19 clients are too few");
}

#[test]
fn limit_cannot_fire_and_empty_band() {
    let limits = json!({"limits": [
        {"name": "never", "when": {"signal": "x", "above": 90}, "cap": 10},
        {"name": "idle", "when": {"signal": "x", "above": 10}, "cap": 80},
        {"name": "works", "when": {"signal": "x", "above": 40}, "cap": 30}]});
    let model = model(&by_key(&["x"]), &json!([part("x")]), &limits);
    // x from 0 to 45: the score is x, at most 45 below green, and 30 above 40.
    let engine = book(10, |n| vec![attributes(json!({"x": 5 * n}))]);
    assert_eq!(paths(&engine, &model, LintCode::LimitCannotFire), ["limits[0]", "limits[1]"]);
    assert_eq!(paths(&engine, &model, LintCode::EmptyBand), ["bands[1]"]);
}

#[test]
fn a_yes_or_no_that_only_the_data_tells() {
    let steps = json!([{"signal": "x", "curve": {"steps": [[0, 0], [1, 50], [2, 100]]}}]);
    let model = model(&by_key(&["x"]), &steps, &json!({}));
    let flags = book(10, |n| vec![attributes(json!({"x": n % 2 == 0}))]);
    assert_eq!(paths(&flags, &model, LintCode::YesNoUnderGradedCurve), ["groups[0].parts[0].curve"]);
    let degrees = book(10, |n| vec![attributes(json!({"x": n % 3}))]);
    assert!(found(&degrees, &model, LintCode::YesNoUnderGradedCurve).is_empty());
}

#[test]
fn never_chosen_and_no_model_fits() {
    let single = json!({"name": "m", "signals": by_key(&["x"]), "groups": [{"name": "g", "parts": [part("x")]}],
        "bands": [{"name": "red", "from": 0}]});
    let set = Model::from_value(&json!({"name": "set",
        "stages": [{"name": "trial", "when": {"trial": true}}, {"name": "rest", "when": {"trial": false}}],
        "models": [{"when": {"segment": "smb"}, "model": single}, {"when": {"segment": "bank"}, "model": single}]}))
    .unwrap();
    let engine = book(10, |n| vec![("client.set", json!({"segment": if n < 7 { "smb" } else { "ent" }}))]);
    assert_eq!(paths(&engine, &set, LintCode::NeverChosen), ["models[1]", "stages[0]"]);
    let unmatched = found(&engine, &set, LintCode::NoModelFits);
    assert!(unmatched[0].message.starts_with("3 of 10 clients"), "{}", unmatched[0].message);
}

#[test]
fn every_code_is_on_the_page_and_has_a_test() {
    let page = include_str!("../../docs/models.md");
    let tests = [include_str!("lint_book.rs"), include_str!("../src/score/lint/tests.rs")].concat();
    for code in LintCode::ALL {
        assert!(page.contains(&format!("| `{code}` |")), "docs/models.md does not tell of {code}");
        assert!(tests.contains(&format!("LintCode::{code:?}")), "no test of {code}");
    }
}

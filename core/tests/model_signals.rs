//! Signals as models use them: formulas, the clock of a stage, directions that nobody knows, money in several currencies;
//! every fault of them by its path, and fast.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by a panic")]

use healthfold::{Engine, Event, HealthScore, Model, ModelError, Reading, ScoresOf, Settings, SignalSpec};
use proptest::prelude::*;
use serde_json::{Value, json};

fn engine(events: &[(&str, &str, &str, Value)]) -> Engine {
    let mut engine = Engine::new(Settings::default()).unwrap();
    for (n, (kind, client, time, data)) in events.iter().enumerate() {
        let event = json!({"id": n.to_string(), "source": "t", "type": kind, "subject": client, "time": time, "data": data});
        engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap()).unwrap();
    }
    engine
}

fn score(engine: &Engine, model: &Value, as_of: &str) -> HealthScore {
    let model = Model::from_value(model).unwrap();
    engine.score(&"acme".into(), &model, engine.zone().as_of(as_of).unwrap()).unwrap()
}

fn straight() -> Value {
    json!({"points": [[0, 0], [100, 100]]})
}

/// A model of these signals, with a part for each of `parts`.
fn model(signals: Value, parts: &[&str]) -> Value {
    let parts: Vec<Value> =
        parts.iter().map(|signal| json!({"signal": signal, "curve": straight()})).collect();
    json!({"name": "m", "version": 1, "signals": signals, "groups": [{"name": "g", "parts": parts}],
        "bands": [{"name": "red", "from": 0}, {"name": "green", "from": 60}]})
}

fn faults(model: &Value) -> Vec<(String, String)> {
    let ModelError { issues, .. } = Model::from_value(model).unwrap_err();
    issues.into_iter().map(|issue| (issue.path, issue.message)).collect()
}

fn paths(model: &Value) -> Vec<String> {
    faults(model).into_iter().map(|(path, _)| path).collect()
}

fn formula(expr: Value) -> Value {
    json!({"kind": "formula", "expr": expr})
}

/// `leaf` under so many additions.
fn nested(levels: usize, leaf: Value) -> Value {
    (0..levels).fold(leaf, |inner, _| json!({"+": [inner]}))
}

#[test]
fn every_fault_of_a_formula_has_its_path() {
    let x = json!({"kind": "attribute", "key": "x"});
    let deep = "+[0].".repeat(16);
    let cases = [
        (json!({"/": [1, {"+": ["nobody"]}]}), "/[1].+[0]"),
        (json!({"/": [1, 2, 3]}), "/"),
        (json!({"if": [1, 2]}), "if"),
        (json!({"min": []}), "min"),
        (json!({"max": 7}), "max"),
        (json!({"max": [true]}), "max[0]"),
        (json!({"+": [null]}), "+[0]"),
        (json!({"+": [1], "-": [1, 2]}), ""),
        (json!({"+": [1], "note": "mine"}), "note"),
        (json!({"%": [1, 2]}), ""),
        (json!([1, 2]), ""),
        (json!({}), ""),
        (json!(null), ""),
        (json!({"+": [{"kind": "usage_sum", "days": 7}]}), "+[0].metric"),
        (json!({"+": [{"kind": "attribute", "key": "x", "direction": "up"}]}), "+[0].direction"),
        (json!({"+": [{"kind": "formula", "expr": 1}]}), "+[0].kind"),
        (json!({"+": [{"kind": "stage_days"}]}), "+[0].kind"),
        (json!({"*": vec![json!(1); 256]}), ""),
        (nested(16, json!(1)), deep.trim_end_matches('.')),
    ];
    for (expr, path) in cases {
        let faulty = model(json!({"x": x, "f": formula(expr.clone())}), &["f"]);
        let dot = if path.is_empty() { "" } else { "." };
        assert_eq!(paths(&faulty), [format!("signals.f.expr{dot}{path}")], "{expr}");
    }
    let all = model(json!({"f": formula(json!({"+": ["no", {"-": [1]}, {"min": []}, "such"]}))}), &["f"]);
    assert_eq!(paths(&all).len(), 4, "all at once");
    let fits = model(
        json!({"f": formula(json!({"*": vec![json!(1); 255]})), "g": formula(nested(15, json!(1)))}),
        &["f", "g"],
    );
    assert!(Model::from_value(&fits).is_ok(), "256 nodes, and 16 levels");
    for (member, value) in [("offset", json!(1)), ("through", json!("yesterday"))] {
        let mut moved = formula(json!(1));
        moved[member] = value;
        assert_eq!(paths(&model(json!({"f": moved}), &["f"])), [format!("signals.f.{member}")]);
    }
}

#[test]
fn formulas_do_not_stand_on_themselves() {
    let own = model(json!({"a": formula(json!("a"))}), &["a"]);
    assert_eq!(faults(&own), [("signals.a.expr".into(), "must not stand on itself: a -> a".into())]);
    // Two circles through a: each of them is told.
    let two = json!({"a": formula(json!({"+": ["b", "c"]})), "b": formula(json!("a")), "c": formula(json!({"+": ["d", "a"]})),
        "d": formula(json!("x")), "x": {"kind": "attribute", "key": "x"}});
    let told = faults(&model(two, &["x"]));
    assert_eq!(
        told,
        [
            ("signals.b.expr".to_owned(), "must not stand on itself: a -> b -> a".to_owned()),
            ("signals.c.expr".to_owned(), "must not stand on itself: a -> c -> a".to_owned()),
        ]
    );
    // A faulty formula is no circle, whoever names it.
    let faulty =
        json!({"a": formula(json!({"+": ["b", "no"]})), "b": formula(json!("a")), "c": formula(json!("a"))});
    assert_eq!(paths(&model(faulty, &["b"])), ["signals.a.expr.+[1]"]);
}

/// `f0`, and so many formulas each of which names the one before twice.
fn tower(storeys: usize) -> Value {
    let mut signals = serde_json::Map::new();
    signals.insert("f0".to_owned(), json!({"kind": "attribute", "key": "x"}));
    for n in 1..=storeys {
        let below = format!("f{}", n - 1);
        signals.insert(format!("f{n}"), formula(json!({"+": [below, below]})));
    }
    Value::Object(signals)
}

#[test]
fn a_tower_of_formulas_reads_each_of_them_once_and_is_not_too_high() {
    let engine =
        engine(&[("client.set", "acme", "2026-01-01T00:00:00Z", json!({"attributes": {"x": 0.0001}}))]);
    // 2^16 x 0.0001 = 6.5536.
    let health = score(&engine, &model(tower(16), &["f16"]), "2026-01-02");
    assert!((health.score.unwrap() - 6.5536).abs() < 1e-9);
    assert_eq!(paths(&model(tower(40), &["f40"])), ["signals.f17.expr"]);
    // No fault of a long chain may end in a stack that is too small.
    assert_eq!(paths(&model(tower(20_000), &["f0"])), ["signals.f17.expr"]);
}

#[test]
fn a_model_of_ten_thousand_faults_tells_them_all() {
    let mut signals = serde_json::Map::new();
    for n in 0..3_000 {
        // In a ring, so that there is one circle of all of them.
        signals.insert(format!("f{n:04}"), formula(json!(format!("f{:04}", (n + 1) % 3_000))));
        signals.insert(format!("u{n:04}"), json!({"kind": "usage_sum", "days": 0}));
    }
    let mut faulty = model(Value::Object(signals), &[]);
    let part = |n: usize| json!({"signal": format!("nobody {n}"), "curve": {"points": [[1, 0], [1, 101]]}});
    faulty["groups"][0]["parts"] = (0..3_000).map(part).collect();
    let rate = json!({"currency": "usd", "from": "soon", "rate": -1});
    faulty["rates"] = json!(vec![rate; 1_000]);
    // Per u two, the ring (a circle, and opened still too high a tower), per part three, per rate three, the currency.
    let told = faults(&faulty);
    assert_eq!(told.len(), 6_000 + 2 + 9_000 + 3_000 + 1);
    assert!(told.iter().all(|(_, message)| message.len() < 2_000), "a fault is a sentence");
}

#[test]
fn rates_of_a_model_are_told_by_path() {
    let x = json!({"x": {"kind": "attribute", "key": "x"}});
    let with = |currency: Value, rates: Value| {
        let mut faulty = model(x.clone(), &["x"]);
        (faulty["currency"], faulty["rates"]) = (currency, rates);
        faults(&faulty)
    };
    let good = json!({"currency": "EUR", "from": "2026-01-01", "rate": 1.1});
    assert_eq!(
        with(Value::Null, json!([good])),
        [("currency".to_owned(), "is missing, it must be the currency that the rates are for".to_owned())]
    );
    let told = with(
        json!("USD"),
        json!([good, {"currency": "EUR", "from": "January", "rate": 0}, 7, {"currency": "EUR", "from": "2026-01-01", "rate": "1", "to": "USD"}]),
    );
    let paths: Vec<&str> = told.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["rates[1].from", "rates[1].rate", "rates[2]", "rates[3].to"]);
    assert_eq!(
        told[1].1,
        "must be a rate above 0 and at most 10^9 with at most 12 fractional digits, found `0`"
    );
    assert_eq!(with(json!("USD"), json!({}))[0].0, "rates");
    assert_eq!(with(json!("dollar"), json!([good]))[0].0, "currency");
}

#[test]
fn s20_what_nobody_can_judge_is_tracked_at_weight_nought() {
    let tickets = json!({"kind": "tickets_opened", "days": 30, "direction": "unknown"});
    let mut tracked =
        model(json!({"tickets": tickets, "double": formula(json!({"*": ["tickets", 2]}))}), &[]);
    tracked["groups"][0]["parts"] = json!([
        {"signal": "tickets", "weight": 1, "curve": straight()},
        {"signal": "tickets"},
        {"signal": "double", "weight": 2, "curve": straight()},
        {"signal": "tickets", "weight": 0},
        {"signal": "tickets", "weight": 0, "curve": {"points": []}},
    ]);
    tracked["limits"] = json!([{"name": "l", "when": {"any": [{"paying": true}, {"signal": "tickets", "above": 1}]}, "cap": 3}]);
    tracked["adjustments"] = json!([{"name": "a", "signal": "double", "curve": straight()}]);
    let told = faults(&tracked);
    let paths: Vec<&str> = told.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "groups[0].parts[0].weight",
            "groups[0].parts[1].weight",
            "groups[0].parts[2].weight",
            "groups[0].parts[4].curve.points",
            "adjustments[0].signal",
            "limits[0].when.any[1].signal",
        ]
    );
    assert_eq!(told[0].1, "must be 0 as long as the direction of its signal is unknown, found `1`");
    // Weight 0 and nothing more: there is nothing to make a score of, and the reading is told.
    tracked["groups"][0]["parts"] = json!([{"signal": "tickets", "weight": 0}]);
    tracked["limits"] = json!([]);
    tracked["adjustments"] = json!([]);
    let engine = engine(&[("support.ticket_opened", "acme", "2026-01-01T00:00:00Z", json!({"ticket": "T"}))]);
    let health = score(&engine, &tracked, "2026-01-02");
    assert_eq!((health.score, health.coverage, health.low, health.high), (None, 0.0, None, None));
    assert_eq!(
        (health.parts[0].reading, health.parts[0].points, health.parts[0].weight),
        (Some(1.0), None, 0.0)
    );
}

/// A set with the stages trial (of fourteen days), onboarding and active, and how long a client is in them.
fn stages() -> Value {
    let inner = model(json!({"days": {"kind": "stage_days"}}), &["days"]);
    json!({"name": "set", "signals": {"logins": {"kind": "usage_sum", "metric": "logins", "days": 7}},
        "stages": [{"name": "trial", "when": {"trial": true}},
            {"name": "onboarding", "when": {"signal": "logins", "below": 10}},
            {"name": "active", "when": {"signal": "logins", "at_least": 10}}],
        "models": [{"when": {"stage": "trial"}, "model": inner}, {"model": inner}]})
}

#[test]
fn s46_the_clock_of_a_stage_runs_by_itself() {
    let trial = json!({"subscription": "s", "status": "trialing", "amount": "10", "currency": "USD", "interval": {"unit": "month", "count": 1}, "trial_end": "2026-01-15"});
    let paying = json!({"subscription": "s", "status": "active", "amount": "10", "currency": "USD", "interval": {"unit": "month", "count": 1}});
    let logins = |n: u32| json!({"metric": "logins", "count": n});
    let engine = engine(&[
        ("billing.subscription_set", "acme", "2026-01-01T09:00:00Z", trial),
        ("usage.counted", "acme", "2026-01-02T09:00:00Z", logins(1)),
        ("billing.subscription_set", "acme", "2026-01-15T09:00:00Z", paying),
        ("usage.counted", "acme", "2026-01-20T09:00:00Z", logins(4)),
        ("usage.counted", "acme", "2026-01-22T09:00:00Z", logins(6)),
    ]);
    // 20 to 22 January make 10 logins in 7 days until 26 January; on 27 January those of the 20th are out of the window.
    let expected = [
        ("2026-01-01", "trial", 0.0),
        ("2026-01-14", "trial", 13.0),
        ("2026-01-15", "onboarding", 0.0),
        ("2026-01-21", "onboarding", 6.0),
        ("2026-01-22T08:00:00Z", "active", 0.0),
        ("2026-01-26", "active", 4.0),
        ("2026-01-27", "onboarding", 0.0),
        ("2026-02-06", "onboarding", 10.0),
    ];
    for (as_of, stage, days) in expected {
        let health = score(&engine, &stages(), as_of);
        assert_eq!((health.stage.as_deref(), health.parts[0].reading), (Some(stage), Some(days)), "{as_of}");
    }
}

#[test]
fn s47_each_stage_has_its_own_model_and_a_score_says_its_stage() {
    let mut set = stages();
    let own = |name: &str, points: u32| {
        let mut inner = model(json!({"days": {"kind": "stage_days"}}), &[]);
        inner["name"] = json!(name);
        inner["groups"][0]["parts"] = json!([{"signal": "days", "curve": {"points": [[0, points]]}}]);
        inner
    };
    set["models"] = json!([{"when": {"stage": "onboarding"}, "model": own("first steps", 30)}, {"model": own("daily work", 80)}]);
    let logins = |n: u32| json!({"metric": "logins", "count": n});
    let engine = engine(&[
        ("usage.counted", "acme", "2026-01-01T09:00:00Z", logins(1)),
        ("usage.counted", "acme", "2026-01-04T09:00:00Z", logins(9)),
    ]);
    let [before, after] = ["2026-01-03", "2026-01-05"].map(|day| score(&engine, &set, day));
    assert_eq!(
        (before.stage.as_deref(), before.model.as_deref(), before.score),
        (Some("onboarding"), Some("first steps"), Some(30.0))
    );
    assert_eq!(
        (after.stage.as_deref(), after.model.as_deref(), after.score),
        (Some("active"), Some("daily work"), Some(80.0))
    );
    // Since the end of 4 January: one day by the 5th.
    assert_eq!((before.parts[0].reading, after.parts[0].reading), (Some(2.0), Some(1.0)));
}

#[test]
fn the_clock_of_a_stage_does_not_look_behind_a_seal() {
    let logins = |day: &str| {
        let time: &'static str = format!("2026-01-{day}T09:00:00Z").leak();
        ("usage.counted", "acme", time, json!({"metric": "logins", "count": 20}))
    };
    let mut engine = engine(&["03", "08", "13", "18", "23", "28"].map(logins));
    let set = stages();
    let days = |engine: &Engine, as_of: &str| score(engine, &set, as_of).parts[0].clone();
    // Active from the first day on, 3 January: 30 - 3 = 27. Since 28 January the window of 7 days is never empty.
    assert_eq!(days(&engine, "2026-01-30").reading, Some(27.0));
    engine.apply(&Event::from_json(json!({"id": "late", "source": "t", "type": "usage.counted", "subject": "acme", "time": "2026-02-03T09:00:00Z", "data": {"metric": "logins", "count": 20}}).to_string().as_bytes()).unwrap()).unwrap();
    engine.seal("2026-02-01T00:00:00Z".parse().unwrap()).unwrap();
    // The logins of single days of January are gone: who says 3 would guess.
    let part = days(&engine, "2026-02-05");
    assert_eq!((part.reading, part.missing.map(|missing| missing.as_str())), (None, Some("sealed")));
}

#[test]
fn the_clock_of_a_stage_is_refused_where_there_is_none() {
    let alone = model(json!({"d": {"kind": "stage_days"}}), &["d"]);
    assert_eq!(paths(&alone), ["signals.d.kind"]);
    let mut set = stages();
    set["signals"]["d"] = json!({"kind": "stage_days"});
    set["signals"]["half"] = formula(json!({"/": ["d", 2]}));
    set["signals"]["inside"] = formula(json!({"/": [{"kind": "stage_days"}, 2]}));
    set["models"][0]["when"] = json!({"signal": "half", "above": 3});
    assert!(Model::from_value(&set).is_ok(), "whoever chooses a model may look at the clock");
    set["stages"][1]["when"] = json!({"all": [{"signal": "d", "above": 3}, {"signal": "half", "above": 3}, {"signal": "inside", "above": 1}]});
    set["models"][1]["model"]["signals"]["days"]["stage"] = json!("advanced");
    let when = "stages[1].when.all";
    assert_eq!(
        paths(&set),
        [
            format!("{when}[0].signal"),
            format!("{when}[1].signal"),
            format!("{when}[2].signal"),
            "models[1].model.signals.days.stage".to_owned()
        ]
    );
}

#[test]
fn a_condition_names_only_stages_that_there_are() {
    let limit = |stage: &str| json!([{"name": "slow", "when": {"stage": stage}, "cap": 10}]);
    let mut set = stages();
    set["models"][0]["when"] = json!({"stage": "onboarding"});
    set["models"][0]["model"]["limits"] = limit("onboarding");
    set["models"].as_array_mut().unwrap().truncate(1);
    assert!(Model::from_value(&set).is_ok());
    set["models"][0]["when"] = json!({"stage": "nowhere"});
    set["models"][0]["model"]["limits"] = limit("gone");
    set["stages"][0]["when"] = json!({"any": [{"stage": "onboarding"}]});
    let all = ["stages[0].when.any[0].stage", "models[0].when.stage", "models[0].model.limits[0].when.stage"];
    assert_eq!(paths(&set), all);
    let mut alone = model(json!({"x": {"kind": "attribute", "key": "x"}}), &["x"]);
    alone["limits"] = limit("onboarding");
    assert_eq!(paths(&alone), ["limits[0].when.stage"]);
}

#[test]
fn what_moved_the_stage_is_behind_its_clock() {
    let logins = |n: u32| json!({"metric": "logins", "count": n});
    let engine = engine(&[
        ("usage.counted", "acme", "2026-01-01T09:00:00Z", logins(1)),
        ("usage.counted", "acme", "2026-01-04T09:00:00Z", logins(9)),
    ]);
    let set = Model::from_value(&stages()).unwrap();
    let at = |day: &str| engine.zone().as_of(day).unwrap();
    let change =
        engine.explain_change(&"acme".into(), &set, at("2026-01-03"), at("2026-01-05"), None).unwrap();
    let clock = change.parts.iter().find(|part| part.name == "days").unwrap();
    assert_eq!(clock.events[0].day.map(|day| day.to_string()).as_deref(), Some("2026-01-04"));
}

#[test]
fn s93_an_answer_is_judged_by_the_target_of_its_own_client_and_time() {
    let target = |hours: Value| json!({"attributes": {"sla": hours}});
    let ticket = |id: &str| json!({"ticket": id});
    let reply = |id: &str| json!({"ticket": id, "by": "agent"});
    let engine = engine(&[
        ("client.set", "acme", "2026-01-01T00:00:00Z", target(json!(2))),
        ("client.set", "acme", "2026-01-06T00:00:00Z", target(json!(8))),
        ("support.ticket_opened", "acme", "2026-01-05T10:00:00Z", ticket("old")),
        ("support.ticket_opened", "acme", "2026-01-06T10:00:00Z", ticket("new")),
        ("support.ticket_opened", "other", "2026-01-05T10:00:00Z", ticket("theirs")),
        // Each of them is answered after 3 hours.
        ("support.ticket_replied", "acme", "2026-01-05T13:00:00Z", reply("old")),
        ("support.ticket_replied", "acme", "2026-01-06T13:00:00Z", reply("new")),
        ("support.ticket_replied", "other", "2026-01-05T13:00:00Z", reply("theirs")),
    ]);
    let share = |client: &str, spec: Value| {
        let spec = SignalSpec::from_json(&spec.to_string()).unwrap();
        engine.signal(&client.into(), &spec, engine.zone().as_of("2026-01-07").unwrap()).unwrap().value()
    };
    let own = json!({"kind": "first_response_within", "days": 7, "target_attribute": "sla"});
    let or_four =
        json!({"kind": "first_response_within", "days": 7, "target_attribute": "sla", "target_hours": 4});
    assert_eq!(share("acme", own.clone()), Some(0.5), "3 > 2, and 3 <= 8");
    assert_eq!(
        (share("other", own), share("other", or_four)),
        (None, Some(1.0)),
        "3 <= 4, for want of its own"
    );
}

#[test]
fn a_formula_is_moved_by_what_its_inputs_are_made_of() {
    let engine = engine(&[
        ("client.set", "acme", "2026-01-01T09:00:00Z", json!({"attributes": {"seats": 10}})),
        ("usage.counted", "acme", "2026-01-02T09:00:00Z", json!({"metric": "logins", "count": 5})),
        ("client.set", "acme", "2026-01-05T09:00:00Z", json!({"attributes": {"seats": 5}})),
        ("client.set", "acme", "2026-01-05T10:00:00Z", json!({"attributes": {"other": 5}})),
    ]);
    let signals = json!({"seats": {"kind": "attribute", "key": "seats"},
        "fill": formula(json!({"/": [{"kind": "usage_sum", "metric": "logins", "days": 7}, "seats"]})),
        "share": formula(json!({"*": ["fill", 100]}))});
    let model = Model::from_value(&model(signals, &["share"])).unwrap();
    let as_of = |text: &str| engine.zone().as_of(text).unwrap();
    let change = engine
        .explain_change(&"acme".into(), &model, as_of("2026-01-03"), as_of("2026-01-06"), None)
        .unwrap();
    // 5 / 10 to 5 / 5: by the seats alone.
    assert_eq!((change.from, change.to), (Some(50.0), Some(100.0)));
    let [part] = change.parts.as_slice() else { panic!("one part: {change:?}") };
    assert_eq!((part.name.as_str(), part.events.len()), ("share", 1));
    assert_eq!(part.events[0].kind, "client.set");
}

const KEYS: [&str; 3] = ["a", "b", "c"];

/// Any tree over three attributes and small whole numbers, zeros among them.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        (-2i32..3).prop_map(|n| json!(n)),
        prop::sample::select(&KEYS[..]).prop_map(|key| json!(key)),
        prop::sample::select(&KEYS[..]).prop_map(|key| json!({"kind": "attribute", "key": key})),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let two = ["-", "/", ">", ">=", "<", "<=", "=="];
        prop_oneof![
            (prop::sample::select(&["+", "*", "min", "max"][..]), prop::collection::vec(inner.clone(), 1..4))
                .prop_map(|(name, items)| json!({name: items})),
            (prop::sample::select(two.to_vec()), prop::collection::vec(inner.clone(), 2))
                .prop_map(|(name, items)| json!({name: items})),
            prop::collection::vec(inner, 3).prop_map(|items| json!({"if": items})),
        ]
    })
}

/// What a tree comes to, written as the definition says it.
fn worth(tree: &Value, of: &dyn Fn(&str) -> Option<f64>) -> Result<f64, &'static str> {
    if let Some(number) = tree.as_f64() {
        return Ok(number);
    }
    if let Some(name) = tree.as_str().or_else(|| tree["key"].as_str()) {
        return of(name).ok_or("never_seen");
    }
    let (name, items) = tree.as_object().unwrap().iter().next().unwrap();
    let items = items.as_array().unwrap();
    if name == "if" {
        let taken = if worth(&items[0], of)? != 0.0 { 1 } else { 2 };
        return worth(&items[taken], of);
    }
    let values = items.iter().map(|item| worth(item, of)).collect::<Result<Vec<f64>, _>>()?;
    let flag = |holds: bool| if holds { 1.0 } else { 0.0 };
    let value = match name.as_str() {
        "+" => values.iter().skip(1).fold(values[0], |sum, value| sum + value),
        "*" => values.iter().skip(1).fold(values[0], |product, value| product * value),
        "min" => values.iter().copied().fold(f64::INFINITY, f64::min),
        "max" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "-" => values[0] - values[1],
        "/" if values[1] == 0.0 => return Err("too_little"),
        "/" => values[0] / values[1],
        ">" => flag(values[0] > values[1]),
        ">=" => flag(values[0] >= values[1]),
        "<" => flag(values[0] < values[1]),
        "<=" => flag(values[0] <= values[1]),
        "==" => flag(values[0] == values[1]),
        other => panic!("{other}"),
    };
    if value.is_finite() { Ok(value) } else { Err("too_little") }
}

/// The same tree without names.
fn written_out(tree: &Value) -> Value {
    match tree {
        Value::String(key) => json!({"kind": "attribute", "key": key}),
        Value::Object(members) if !members.contains_key("kind") => {
            let items = |items: &Value| items.as_array().unwrap().iter().map(written_out).collect::<Value>();
            members.iter().map(|(name, operands)| (name.clone(), items(operands))).collect()
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn a_formula_is_worth_what_its_definition_says(tree in tree(), values in prop::collection::vec(prop::option::of(-3i32..4), 3)) {
        let attributes: Value =
            KEYS.iter().zip(&values).filter_map(|(key, value)| value.map(|value| (*key, json!(value)))).collect();
        let engine = engine(&[("client.set", "acme", "2026-01-01T00:00:00Z", json!({"attributes": attributes, "name": "Acme"}))]);
        let of = |key: &str| KEYS.iter().position(|known| *known == key).and_then(|i| values[i]).map(f64::from);
        let expected = worth(&tree, &of);
        let mut signals: Value = KEYS.iter().map(|key| (*key, json!({"kind": "attribute", "key": key}))).collect();
        signals["f"] = formula(tree.clone());
        let health = score(&engine, &model(signals, &["f"]), "2026-01-02");
        let part = &health.parts[0];
        prop_assert_eq!(part.reading, expected.ok().map(|value| value + 0.0));
        prop_assert_eq!(part.missing.map(|missing| missing.as_str()), expected.err());
        // With every name written out it needs no model.
        let spec = SignalSpec::from_json(&formula(written_out(&tree)).to_string()).unwrap();
        let reading: Reading = engine.signal(&"acme".into(), &spec, engine.zone().as_of("2026-01-02").unwrap()).unwrap();
        prop_assert_eq!(reading.value(), part.reading);
    }
}

/// Ann is active on the days 1 to 3 before the end, Ben on day 10 before it and Cid on day 40 before it; each with one report.
fn users_of_a_quarter() -> Engine {
    let report = |day: &str, user: &str| {
        ("usage.counted", "acme", format!("{day}T12:00:00Z"), json!({"metric": "reports", "user": user}))
    };
    let days = [
        ("2026-03-29", "ann"),
        ("2026-03-30", "ann"),
        ("2026-03-31", "ann"),
        ("2026-03-22", "ben"),
        ("2026-02-20", "cid"),
    ];
    let seats = json!({"subscription": "s", "status": "active", "amount": 10, "currency": "USD",
        "interval": {"unit": "month"}, "seats": 8});
    let events: Vec<_> = days.map(|(day, user)| report(day, user)).into();
    let mut events: Vec<(&str, &str, &str, Value)> = events
        .iter()
        .map(|(kind, client, time, data)| (*kind, *client, time.as_str(), data.clone()))
        .collect();
    events.push(("billing.subscription_set", "acme", "2026-01-01T00:00:00Z", seats));
    engine(&events)
}

#[test]
fn signals_that_count_the_same_users_in_any_order_say_what_each_says_alone() {
    let engine = users_of_a_quarter();
    let signals = json!({
        "week": {"kind": "active_users", "days": 7},
        "sticky": {"kind": "stickiness", "short": 1, "long": 30},
        "month": {"kind": "active_users", "days": 30},
        "seats": {"kind": "seat_use", "days": 30},
        "quarter": {"kind": "active_users", "days": 90},
        "month_before": {"kind": "active_users", "days": 30, "offset": 30},
        "twice": formula(json!({"+": [{"kind": "active_users", "days": 30}, {"kind": "active_users", "days": 30}]})),
    });
    // Ann alone; 1 of 2; Ann and Ben; 2 of 8 seats; with Cid; Cid alone; 2 + 2.
    let expected = [
        ("week", 1.0),
        ("sticky", 0.5),
        ("month", 2.0),
        ("seats", 0.25),
        ("quarter", 3.0),
        ("month_before", 1.0),
        ("twice", 4.0),
    ];
    let names = expected.map(|(name, _)| name);
    for turn in 0..names.len() {
        let mut names = names;
        names.rotate_left(turn);
        let score = score(&engine, &model(signals.clone(), &names), "2026-03-31");
        for (part, name) in score.parts.iter().zip(names) {
            let (_, value) = expected.iter().find(|(known, _)| *known == name).unwrap();
            assert_eq!(part.reading, Some(*value), "{name}, asked after {turn} others");
        }
    }
}

/// Where windows are moved back to is worked out once for all clients: it is where a signal alone looks.
#[test]
fn windows_that_are_moved_back_end_where_the_clocks_of_the_zone_say() {
    let settings = Settings { timezone: "Europe/Berlin".into(), ..Settings::default() };
    let mut engine = Engine::new(settings).unwrap();
    // The last second of 3 March in Berlin, and the first of the 4th; the clocks change on the 29th.
    for (n, time) in ["2026-03-03T22:59:59Z", "2026-03-03T23:00:00Z"].iter().enumerate() {
        let event = json!({"id": n.to_string(), "source": "t", "type": "usage.counted", "subject": "acme", "time": time,
            "data": {"metric": "reports", "count": 10_u32.pow(u32::try_from(n).unwrap())}});
        engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap()).unwrap();
    }
    let moved = |offset: i32| json!({"kind": "usage_sum", "metric": "reports", "days": 1, "offset": offset});
    let signals = json!({"third": moved(28), "fourth": moved(27), "fifth": moved(26), "before": moved(29)});
    let score = score(&engine, &model(signals, &["third", "fourth", "fifth", "before"]), "2026-03-31");
    let readings: Vec<Option<f64>> = score.parts.iter().map(|part| part.reading).collect();
    // Before 3 March the client was not there.
    assert_eq!(readings, [Some(1.0), Some(10.0), Some(0.0), None]);
    let as_of = engine.zone().as_of("2026-03-31").unwrap();
    for (offset, reading) in [28, 27, 26, 29].into_iter().zip(readings) {
        let alone = SignalSpec::from_json(&moved(offset).to_string()).unwrap();
        assert_eq!(engine.signal(&"acme".into(), &alone, as_of).unwrap().value(), reading);
    }
}

/// A table has room for everybody and rows for those it is about.
#[test]
fn a_table_of_those_who_pay_has_no_row_more() {
    let subscription = json!({"subscription": "s", "status": "active", "amount": 10, "currency": "USD",
        "interval": {"unit": "month"}});
    let report = json!({"metric": "reports"});
    let engine = engine(&[
        ("usage.counted", "acme", "2026-03-01T00:00:00Z", report.clone()),
        ("usage.counted", "birch", "2026-03-01T00:00:00Z", report),
        ("billing.subscription_set", "birch", "2026-03-01T00:00:00Z", subscription),
    ]);
    let signals = json!({"reports": {"kind": "usage_sum", "metric": "reports", "days": 28}});
    let model = Model::from_value(&model(signals, &["reports"])).unwrap();
    let as_of = engine.zone().as_of("2026-03-10").unwrap();
    let table = engine.score_table(&model, as_of, ScoresOf::Paying);
    assert_eq!((table.len(), table.client[0].as_str()), (1, "birch"));
    let part = &table.parts[0];
    assert_eq!((part.readings.values(), part.missing.as_slice()), (&[1.0][..], &[None][..]));
    assert_eq!((table.score.values().len(), table.groups[0].points.values().len()), (1, 1));
}

/// Of however many clients, a table has no row too few, none twice and none in the place of another.
#[test]
fn a_table_of_many_has_a_row_for_each() {
    let name = |n: usize| format!("client-{n:02}");
    let names: Vec<String> = (1..=37).map(name).collect();
    let used = |n: usize| json!({"metric": "reports", "count": n});
    for clients in [1, 15, 16, 17, 37] {
        let events = names.iter().take(clients).zip(1..);
        let events: Vec<_> = events
            .map(|(name, n)| ("usage.counted", name.as_str(), "2026-03-01T00:00:00Z", used(n)))
            .collect();
        let signals = json!({"reports": {"kind": "usage_sum", "metric": "reports", "days": 28}});
        let model = Model::from_value(&model(signals, &["reports"])).unwrap();
        let engine = engine(&events);
        let table = engine.score_table(&model, engine.zone().as_of("2026-03-10").unwrap(), ScoresOf::All);
        let told =
            table.client.iter().map(|client| client.as_str()).zip(table.score.values().iter().copied());
        let counts = (1_u32..).map(f64::from);
        let expected: Vec<_> = names.iter().take(clients).map(String::as_str).zip(counts).collect();
        assert_eq!(told.collect::<Vec<_>>(), expected, "with this curve a count is its points");
        assert_eq!(table.parts[0].readings, table.score);
        assert_eq!(table.parts[0].missing, vec![None; clients]);
    }
}

/// Some metrics of a model are looked up once for all signals, and the last windows of each are remembered: no signal reads
/// the sum of another by that.
#[test]
fn many_metrics_and_windows_side_by_side_are_each_their_own() {
    let metrics: Vec<String> = (0..12).map(|n| format!("metric-{n}")).collect();
    // Metric n is used d + n times on day d of March; the fourth never is.
    let count = |metric: usize, day: usize| if metric == 3 { 0 } else { metric + day };
    let mut events = Vec::new();
    for (metric, name) in metrics.iter().enumerate().filter(|(metric, _)| *metric != 3) {
        for day in 1..=20 {
            let data = json!({"metric": name, "count": count(metric, day)});
            events.push((format!("2026-03-{day:02}T12:00:00Z"), data));
        }
    }
    let events: Vec<_> =
        events.iter().map(|(time, data)| ("usage.counted", "acme", time.as_str(), data.clone())).collect();
    let engine = engine(&events);
    let mut signals = serde_json::Map::new();
    let mut expected = Vec::new();
    // The windows end on 20 March, or so many days before it.
    for (days, offset) in [(7, 0), (14, 0), (7, 0), (5, 10), (1, 3)] {
        for (metric, name) in metrics.iter().enumerate() {
            let signal = format!("{days}-{offset}-{name}");
            signals.insert(
                signal.clone(),
                json!({"kind": "usage_sum", "metric": name, "days": days, "offset": offset}),
            );
            let sum: usize = (20 - offset + 1 - days..=20 - offset).map(|day| count(metric, day)).sum();
            expected.push((signal, Some(f64::from(u32::try_from(sum).unwrap()))));
        }
    }
    for (metric, name) in metrics.iter().enumerate() {
        let signal = format!("trend-{name}");
        signals.insert(signal.clone(), json!({"kind": "usage_trend", "metric": name, "days": 7}));
        let sum = |days: std::ops::RangeInclusive<usize>| {
            f64::from(u32::try_from(days.map(|day| count(metric, day)).sum::<usize>()).unwrap())
        };
        expected.push((signal, (metric != 3).then(|| sum(14..=20) / sum(7..=13))));
    }
    let names: Vec<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    let score = score(&engine, &model(signals.into(), &names), "2026-03-20");
    for (part, (name, value)) in score.parts.iter().zip(&expected) {
        assert_eq!(part.reading, *value, "{name}");
    }
    assert_eq!(score.parts.len(), 6 * metrics.len());
}

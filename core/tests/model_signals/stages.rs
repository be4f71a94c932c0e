//! The stages of a lifecycle and their clock.

use super::*;

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

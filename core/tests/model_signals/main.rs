//! Signals as models use them: formulas, the clock of a stage, directions that nobody knows, money in several currencies;
//! every fault of them by its path, and fast.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by a panic")]

mod formulas;
mod stages;

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

//! Corners that none of the shared cases holds.

use serde_json::{Value, json};

use super::Oracle;

/// An event of the source `test` with a given id.
fn event(id: &str, kind: &str, client: &str, time: &str, data: Value) -> Value {
    json!({ "id": id, "source": "test", "type": kind, "subject": client, "time": time, "data": data })
}

/// A monthly subscription `s` in USD.
fn subscription(id: &str, client: &str, time: &str, status: &str, amount: i64) -> Value {
    let interval = json!({ "unit": "month" });
    let data = json!({
        "subscription": "s", "status": status, "amount": amount, "currency": "USD", "interval": interval,
    });
    event(id, "billing.subscription_set", client, time, data)
}

fn reading(oracle: &Oracle, client: &str, spec: Value, as_of: &str) -> Value {
    oracle.signal(client, &spec, as_of).unwrap()
}

fn number(oracle: &Oracle, client: &str, spec: Value, as_of: &str) -> f64 {
    let answer = reading(oracle, client, spec, as_of);
    answer["reading"].as_f64().unwrap_or_else(|| panic!("{answer}"))
}

#[test]
fn usage_counts_whole_days_and_midnight_looks_back() {
    let use_at = |id: &str, time: &str| event(id, "usage.counted", "a", time, json!({ "metric": "m" }));
    let oracle = Oracle::new(
        &[
            use_at("1", "2026-03-09T23:30:00Z"),
            use_at("2", "2026-03-10T20:00:00Z"),
            use_at("3", "2026-03-11T00:00:00Z"),
        ],
        "UTC",
    );
    let sum = |days: i64, as_of: &str| {
        number(&oracle, "a", json!({ "kind": "usage_sum", "metric": "m", "days": days }), as_of)
    };
    assert_eq!(sum(1, "2026-03-10T08:00:00Z"), 1.0, "20:00 is later today and counts");
    assert_eq!(sum(3, "2026-03-11T00:00:00Z"), 2.0, "midnight counts through the day just ended");
    assert_eq!(sum(1, "2026-03-11"), 1.0, "a date is its last microsecond");

    // In Berlin 23:30 UTC is half past midnight of the 10th.
    let berlin = Oracle::new(&[use_at("1", "2026-03-09T23:30:00Z")], "Europe/Berlin");
    let spec = json!({ "kind": "days_since_usage" });
    assert_eq!(number(&berlin, "a", spec, "2026-03-12T23:30:00Z"), 3.0);
}

#[test]
fn the_last_version_of_a_roll_up_stands_whenever_it_was_sent() {
    let roll_up = |id: &str, source: &str, time: &str, count: i64, users: &[&str]| {
        let data = json!({ "metric": "m", "day": "2026-03-05", "count": count, "users": users });
        let mut sent = event(id, "usage.day_set", "a", time, data);
        sent["source"] = json!(source);
        sent
    };
    let oracle = Oracle::new(
        &[
            roll_up("1", "x", "2026-03-06T00:00:00Z", 5, &["u", "v"]),
            roll_up("2", "x", "2026-03-20T00:00:00Z", 7, &["u"]),
            roll_up("3", "y", "2026-03-06T00:00:00Z", 100, &["w"]),
        ],
        "UTC",
    );
    let sum = json!({ "kind": "usage_sum", "metric": "m", "days": 7 });
    assert_eq!(number(&oracle, "a", sum, "2026-03-08"), 107.0);
    assert_eq!(number(&oracle, "a", json!({ "kind": "active_users", "days": 7 }), "2026-03-08"), 2.0);
}

#[test]
fn missing_says_why() {
    let oracle = Oracle::new(
        &[
            event("1", "client.set", "a", "2026-03-01T00:00:00Z", json!({ "segment": "smb" })),
            event("2", "usage.counted", "b", "2026-03-05T10:00:00Z", json!({ "metric": "m" })),
            event("3", "client.sentiment_set", "a", "2026-03-01T00:00:00Z", json!({ "value": 80 })),
        ],
        "UTC",
    );
    let missing =
        |client: &str, spec: Value, as_of: &str| reading(&oracle, client, spec, as_of)["missing"].clone();
    let sum = json!({ "kind": "usage_sum", "metric": "m", "days": 7 });
    assert_eq!(missing("a", sum.clone(), "2026-03-04"), "never_seen", "no usage in the book yet");
    assert_eq!(number(&oracle, "a", sum.clone(), "2026-03-05"), 0.0);
    assert_eq!(missing("b", sum, "2026-03-04"), "never_seen", "the client itself is not yet seen");
    assert_eq!(missing("a", json!({ "kind": "active_users", "days": 7 }), "2026-03-06"), "no_users");
    let ratio = json!({ "kind": "ratio", "numerator": "m", "denominator": "n", "days": 7 });
    assert_eq!(missing("b", ratio, "2026-03-06"), "too_little");
    let sentiment = json!({ "kind": "sentiment", "max_age_days": 3 });
    assert_eq!(missing("a", sentiment, "2026-03-06"), "expired");
    let faded = json!({ "kind": "sentiment", "half_life_days": 5 });
    assert_eq!(number(&oracle, "a", faded, "2026-03-06T01:00:00Z"), 65.0);
}

#[test]
fn tickets_as_they_stand() {
    let ticket = |id: &str, kind: &str, time: &str, more: Value| {
        let mut data = json!({ "ticket": "t" });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event(id, &format!("support.ticket_{kind}"), "a", time, data)
    };
    let oracle = Oracle::new(
        &[
            // The opening has the greater id and still comes first of its instant.
            ticket("9", "opened", "2026-03-01T10:00:00Z", json!({ "priority": "low" })),
            ticket("1", "resolved", "2026-03-01T10:00:00Z", json!({})),
            ticket("2", "reopened", "2026-03-02T10:00:00Z", json!({})),
            ticket("3", "updated", "2026-03-02T11:00:00Z", json!({ "priority": "urgent" })),
            ticket("4", "replied", "2026-03-02T16:00:00Z", json!({ "by": "agent" })),
            ticket("5", "resolved", "2026-03-03T10:00:00Z", json!({})),
            ticket("6", "rated", "2026-03-03T11:00:00Z", json!({ "rating": 4 })),
        ],
        "UTC",
    );
    let open = json!({ "kind": "tickets_open" });
    assert_eq!(number(&oracle, "a", open.clone(), "2026-03-01"), 0.0);
    assert_eq!(number(&oracle, "a", open.clone(), "2026-03-02"), 1.0);
    assert_eq!(number(&oracle, "a", open, "2026-03-03"), 0.0);
    let urgent = json!({ "kind": "tickets_open", "min_priority": "high", "older_than_days": 0 });
    assert_eq!(number(&oracle, "a", urgent, "2026-03-02"), 1.0);
    let hours = |kind: &str| number(&oracle, "a", json!({ "kind": kind, "days": 30 }), "2026-03-05");
    assert_eq!(hours("first_response_hours"), 30.0);
    assert_eq!(hours("resolution_hours"), 48.0);
    assert_eq!(hours("csat"), 4.0);
}

#[test]
fn retracted_merged_and_erased() {
    let oracle = Oracle::new(
        &[
            subscription("1", "a", "2026-01-01T00:00:00Z", "active", 10),
            subscription("2", "a", "2026-02-01T00:00:00Z", "active", 99),
            // Sent before the merge, by the id that is later merged: it resolves to the same client.
            event(
                "3",
                "event.retracted",
                "old",
                "2026-01-15T00:00:00Z",
                json!({ "source": "test", "id": "2", "type": "billing.subscription_set" }),
            ),
            event("4", "client.merged_into", "old", "2026-06-01T00:00:00Z", json!({ "into": "a" })),
            subscription("5", "gone", "2026-01-01T00:00:00Z", "active", 7),
            event("6", "client.erased", "gone", "2026-06-01T00:00:00Z", json!({})),
        ],
        "UTC",
    );
    let mrr = json!({ "kind": "mrr" });
    assert_eq!(number(&oracle, "a", mrr.clone(), "2026-02-15"), 10.0);
    assert_eq!(oracle.signal("old", &mrr, "2026-02-15"), Err("merged".to_owned()));
    assert_eq!(oracle.signal("gone", &mrr, "2026-02-15"), Err("erased".to_owned()));
    assert_eq!(oracle.signal("nobody", &mrr, "2026-02-15"), Err("unknown_client".to_owned()));
    assert_eq!(oracle.clients("2026-02-15"), ["a"]);
    let report = oracle.revenue("2026-02", &Value::Null).unwrap();
    assert_eq!(report["total"]["closing"]["mrr"], "17", "the money of an erased client stays");
}

#[test]
fn a_pause_its_end_and_its_return() {
    let events = [
        subscription("1", "lost", "2026-01-01T00:00:00Z", "active", 10),
        subscription("2", "lost", "2026-02-10T00:00:00Z", "paused", 10),
        subscription("3", "lost", "2026-03-10T00:00:00Z", "cancelled", 10),
        subscription("4", "back", "2026-01-01T00:00:00Z", "active", 20),
        subscription("5", "back", "2026-02-10T00:00:00Z", "paused", 20),
        subscription("6", "back", "2026-03-10T00:00:00Z", "active", 20),
    ];
    let oracle = Oracle::new(&events, "UTC");
    let february = oracle.revenue("2026-02", &Value::Null).unwrap();
    assert_eq!(february["total"]["paused"]["mrr"], "30");
    assert_eq!(february["total"]["logo_churn"]["part"], 0, "a pause loses no logo");
    assert_eq!(february["total"]["grr"]["value"], 0.0, "but it is a loss of revenue while it lasts");
    let march = oracle.revenue("2026-03", &Value::Null).unwrap();
    assert_eq!(march["total"]["resumed"]["mrr"], "20");
    assert_eq!(march["total"]["paused_lost"]["mrr"], "10");
    assert_eq!(march["total"]["clients"]["paused_lost"], 1);
    let rows = oracle.movements("2026-03", &Value::Null).unwrap();
    assert_eq!(rows["rows"][0]["gap_days"], 28);
}

#[test]
fn several_currencies_have_a_row_each_and_common_heads() {
    let mut euros = subscription("2", "a", "2026-01-05T00:00:00Z", "active", 5);
    euros["data"]["currency"] = json!("EUR");
    euros["data"]["subscription"] = json!("t");
    let oracle = Oracle::new(&[subscription("1", "a", "2026-01-05T00:00:00Z", "active", 10), euros], "UTC");
    let report = oracle.revenue("2026-01", &Value::Null).unwrap();
    assert_eq!(report["total"], Value::Null);
    assert_eq!(report["by_currency"]["EUR"]["new"]["arr"], "60");
    assert_eq!(report["by_currency"]["USD"]["new"]["arr"], "120");
    assert_eq!(report["clients"]["new"], 1);
    let only = oracle.revenue("2026-01", &json!({ "only_currency": "EUR" })).unwrap();
    assert_eq!(only["total"]["closing"]["mrr"], "5");
    assert_eq!(oracle.revenue("2026-01", &json!({ "currency": "USD" })), Err("missing_rate".to_owned()));
    let mrr = reading(&oracle, "a", json!({ "kind": "mrr" }), "2026-01-31");
    assert_eq!(mrr["missing"], "several_currencies");
}

#[test]
fn a_gap_longer_than_asked_for_is_new() {
    let events = [
        subscription("1", "a", "2026-01-01T00:00:00Z", "active", 10),
        subscription("2", "a", "2026-02-01T09:00:00Z", "cancelled", 10),
        subscription("3", "a", "2026-03-01T08:00:00Z", "active", 10),
    ];
    let oracle = Oracle::new(&events, "UTC");
    let kind = |days: i64| {
        let rows = oracle.movements("2026-03", &json!({ "reactivation_within_days": days })).unwrap();
        rows["rows"][0]["kind"].clone()
    };
    assert_eq!(kind(28), "reactivation", "28 calendar days, though an hour less by the clock");
    assert_eq!(kind(27), "new");
}

#[test]
fn overdue_until_paid_or_planned() {
    let invoice = json!({ "invoice": "i", "amount": "12.50", "currency": "USD", "due": "2026-03-10" });
    let events = [
        event("1", "billing.invoice_issued", "a", "2026-03-01T00:00:00Z", invoice),
        event(
            "2",
            "billing.payment_plan_set",
            "a",
            "2026-03-15T00:00:00Z",
            json!({ "plan_id": "p", "until": "2026-03-20" }),
        ),
        event("3", "billing.invoice_paid", "a", "2026-03-25T00:00:00Z", json!({ "invoice": "i" })),
    ];
    let oracle = Oracle::new(&events, "UTC");
    let overdue = |as_of: &str| number(&oracle, "a", json!({ "kind": "overdue_days" }), as_of);
    assert_eq!(overdue("2026-03-10"), 0.0, "payable throughout its day");
    assert_eq!(overdue("2026-03-12"), 2.0);
    assert_eq!(overdue("2026-03-19"), 0.0, "a plan runs");
    assert_eq!(overdue("2026-03-20"), 10.0, "at its end it runs no more");
    assert_eq!(overdue("2026-03-25"), 0.0);
}

#[test]
fn an_offset_asks_at_the_end_of_an_earlier_day() {
    let used = |id: &str, time: &str| event(id, "usage.counted", "a", time, json!({ "metric": "m" }));
    let oracle = Oracle::new(&[used("1", "2026-03-09T10:00:00Z"), used("2", "2026-03-10T10:00:00Z")], "UTC");
    let sum = |more: Value, as_of: &str| {
        let mut spec = json!({ "kind": "usage_sum", "metric": "m", "days": 7 });
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        reading(&oracle, "a", spec, as_of)
    };
    assert_eq!(sum(json!({ "through": "yesterday" }), "2026-03-10T12:00:00Z")["reading"], 1.0);
    assert_eq!(sum(json!({ "offset": 0 }), "2026-03-10T12:00:00Z")["reading"], 2.0);
    assert_eq!(sum(json!({ "offset": 2 }), "2026-03-10T12:00:00Z")["missing"], "never_seen");
}

#[test]
fn past_due_counts_up_to_its_limit() {
    let events = [
        subscription("1", "a", "2026-01-01T00:00:00Z", "active", 10),
        subscription("2", "a", "2026-01-30T12:00:00Z", "past_due", 10),
        subscription("3", "a", "2026-02-01T12:00:00Z", "past_due", 10),
    ];
    let oracle = Oracle::new(&events, "UTC");
    let closing = |days: i64| {
        oracle.revenue("2026-02", &json!({ "past_due_limit_days": days })).unwrap()["total"]["closing"]["mrr"]
            .clone()
    };
    assert_eq!(closing(29), "10", "28 February is 29 days after 30 January");
    assert_eq!(closing(28), "0");
}

/// Attribute x straight to points, beside a sentiment that nobody ever gave.
fn model(more: Value) -> Value {
    let straight = json!({ "points": [[0, 0], [100, 100]] });
    let mut model = json!({
        "name": "m",
        "version": 1,
        "signals": { "x": { "kind": "attribute", "key": "x" }, "sent": { "kind": "sentiment" } },
        "groups": [{ "name": "g", "parts": [
            { "signal": "x", "curve": straight },
            { "signal": "sent", "weight": 3, "curve": straight },
        ] }],
        "bands": [{ "name": "red", "from": 0 }, { "name": "green", "from": 70 }],
    });
    model.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    model
}

/// One client with attribute x and an override that stands from March on.
fn scored(x: f64, kind: &str, value: i64) -> Oracle {
    let until = "2026-12-31";
    let held = json!({ "kind": kind, "value": value, "by": "ann", "reason": "call", "until": until });
    let attributes = json!({ "attributes": { "x": x } });
    let events = [
        event("1", "client.set", "a", "2026-01-01T00:00:00Z", attributes),
        event("2", "client.override_set", "a", "2026-03-01T00:00:00Z", held),
    ];
    Oracle::new(&events, "UTC")
}

#[test]
fn an_override_of_kind_score_counts_even_without_coverage() {
    let oracle = scored(60.0, "score", 90);
    let model = model(json!({ "min_coverage": 0.5 }));
    let before = oracle.score("a", &model, "2026-02-01").unwrap();
    assert_eq!((&before["score"], &before["band"]), (&Value::Null, &json!("unknown")));
    assert_eq!((&before["low"], &before["high"]), (&json!(15.0), &json!(90.0)));
    let after = oracle.score("a", &model, "2026-03-01").unwrap();
    assert_eq!((&after["score"], &after["computed"]), (&json!(90.0), &Value::Null));
    assert_eq!(after["override"]["effect"], 30.0);

    let no_minimum = self::model(json!({}));
    let capped = scored(60.0, "cap", 40).score("a", &no_minimum, "2026-03-01").unwrap();
    assert_eq!((&capped["score"], &capped["computed"]), (&json!(40.0), &json!(60.0)));
}

#[test]
fn what_stands_in_for_a_missing_part() {
    let oracle = scored(60.0, "cap", 100);
    let with = |policy: Value| {
        let mut model = model(json!({}));
        model["groups"][0]["parts"][1]["missing"] = policy;
        oracle.score("a", &model, "2026-02-01").unwrap()
    };
    let left_out = with(json!("redistribute"));
    assert_eq!((&left_out["score"], &left_out["coverage"]), (&json!(60.0), &json!(0.25)));
    let fixed = with(json!({ "points": 20 }));
    assert_eq!((&fixed["score"], &fixed["coverage"]), (&json!(30.0), &json!(0.25)));
    assert_eq!((&fixed["low"], &fixed["high"]), (&json!(15.0), &json!(90.0)));
    let required = with(json!("required"));
    assert_eq!((&required["score"], &required["computed"]), (&Value::Null, &Value::Null));
    assert_eq!(required["coverage"], 0.25);
}

#[test]
fn a_set_limit_replaces_and_the_clamp_comes_last() {
    let limits = json!([
        { "name": "low", "when": { "signal": "x", "at_least": 50 }, "set": 10 },
        { "name": "lower", "when": { "signal": "x", "above": 50 }, "set": 5 },
        { "name": "never", "when": { "signal": "sent", "below": 100 }, "cap": 1 },
    ]);
    let oracle = scored(60.0, "floor", 0);
    let answer = oracle.score("a", &model(json!({ "limits": limits })), "2026-02-01").unwrap();
    assert_eq!(answer["score"], 5.0);
    assert_eq!(answer["limits"][1]["effect"], -55.0);
    assert_eq!(answer["limits"][2], json!({ "name": "never", "reading": null, "effect": 0.0 }));

    let bonus = json!([{ "name": "b", "signal": "x", "curve": { "steps": [[0, 70]] } }]);
    let over = oracle.score("a", &model(json!({ "adjustments": bonus })), "2026-02-01").unwrap();
    assert_eq!((&over["score"], &over["clamp"]), (&json!(100.0), &json!(-30.0)));
    let edge = scored(69.9999999995, "floor", 0).score("a", &model(json!({})), "2026-02-01").unwrap();
    assert_eq!(edge["band"], "green", "an edge is reached within 1e-9");
}

#[test]
fn intervals_of_the_lifetime_cases() {
    let retained = super::rate::of_heads(81, 263);
    assert!((retained["low"].as_f64().unwrap() - 0.2552885198782742).abs() < 1e-12);
    assert!((retained["high"].as_f64().unwrap() - 0.36620957698280004).abs() < 1e-12);
    let ends = [
        (100, 100),
        (100, 0),
        (250, 300),
        (80, 80),
        (1200, 1200),
        (40, 60),
        (40, 0),
        (500, 450),
        (300, 360),
        (90, 90),
        (60, 60),
        (60, 0),
    ];
    let pairs: Vec<_> =
        ends.iter().map(|(s, e)| (super::exact::whole(*e), super::exact::whole(*s))).collect();
    let nrr = super::rate::of_money(&pairs);
    assert!((nrr["low"].as_f64().unwrap() - 0.8384739350771876).abs() < 1e-12);
    assert!((nrr["high"].as_f64().unwrap() - 1.076419681944089).abs() < 1e-12);
}

#[test]
fn times_and_days() {
    use super::calendar::{Calendar, parse_instant};
    let utc = Calendar::new("UTC");
    assert_eq!(parse_instant("1970-01-01T00:00:60Z"), Some(60_000_000));
    assert_eq!(parse_instant("1970-01-01t01:00:00.1234567899+01:00"), Some(123_456));
    assert_eq!(utc.instant_or_date("9999-12-31T23:59:59Z"), Some(super::calendar::NEVER));
    assert_eq!(
        utc.period("2026-W07").unwrap().0,
        utc.start_of(super::calendar::parse_date("2026-02-09").unwrap())
    );
    // Midnight did not exist in Beirut on 27 March 2022: the day began at one o'clock.
    let beirut = Calendar::new("Asia/Beirut");
    let day = super::calendar::parse_date("2022-03-27").unwrap();
    assert_eq!(beirut.start_of(day), parse_instant("2022-03-27T01:00:00+03:00").unwrap());
}

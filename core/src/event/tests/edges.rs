//! Where reading turns: lengths and depths to the last one that is allowed, and texts that look like JSON.

use super::*;
use crate::event::fields::Field;

/// What is in a text is no bracket, and what is closed is no longer open.
#[test]
fn only_what_is_open_at_once_counts_as_depth() {
    let open = |n: usize| "[".repeat(n);
    let deep = |text: &str| check_depth(text).is_err();
    assert_eq!((deep(&open(64)), deep(&open(65))), (false, true));
    assert!(!deep(&"[]".repeat(65)) && !deep(&"{}".repeat(65)) && !deep(&format!("[]{}", open(64))));
    assert!(deep(&format!("{}{}", "{}".repeat(9), open(65))));
    for in_text in [open(65), format!(r#"\"{}"#, open(65)), format!(r#"\\\"{}\\"#, open(65))] {
        assert!(!deep(&format!(r#"["{in_text}"]"#)), "{in_text}");
    }
    // The text is over before the brackets, behind an escaped backslash too; what it closed it did not open.
    assert!(deep(&format!(r#""\\"{}"#, open(65))) && deep(&format!(r#"{}"]]""#, open(65))));
    assert!(deep(&format!(r#"{}"]]"["#, open(64))));
}

#[test]
fn an_event_of_the_greatest_length_is_read() {
    let event = event_json("usage.counted", r#"{"metric":"m"}"#);
    let padded = |n: usize| event.clone() + &" ".repeat(n - event.len());
    assert_eq!(MAX_LINE, 1_048_576);
    assert!(Event::from_json(padded(1_048_576).as_bytes()).is_ok());
    assert_eq!(error(&padded(1_048_577)).code, EventCode::TooLong);
    let no_text = [padded(1_048_576).as_bytes(), b"\xff"].concat();
    assert_eq!(Event::from_json(&no_text).unwrap_err().code, EventCode::TooLong);
}

#[test]
fn a_type_is_hinted_at_only_where_it_is_near() {
    assert_eq!(nearest_kind("app/CLIENT_SET"), None);
    assert_eq!(nearest_kind("Client.Set"), Some(EventKind::ClientSet));
    assert_eq!(
        nearest_kind("crm/set"),
        EventKind::ALL.iter().copied().find(|kind| kind.as_str().ends_with(".set"))
    );
    assert_eq!(message("app.started", "{}"), "`type` must be a known event type, found `\"app.started\"`");
}

#[test]
fn text_is_written_as_json_whatever_is_in_it() {
    for text in [
        "",
        "plain",
        "é \u{7f}",
        "\"",
        "\"\"",
        "\\",
        "\\\\",
        "\n",
        "\n\n",
        "\u{1f} \u{0}",
        "\"\\",
        "a\"b\nc\\d",
    ] {
        let mut out = String::new();
        fields::write_text(&mut out, text);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        assert_eq!(out, serde_json::to_string(text).unwrap());
    }
}

/// 2204 and 2400 have a 29th of February; 2201 and 2300 have none. Half an hour before midnight five hours west of UTC is 2200.
#[test]
fn a_day_that_means_never_is_a_day_all_the_same() {
    let data = |day: &str| format!(r#"{{"plan_id":"P","until":"{day}"}}"#);
    for day in ["2204-02-29", "2400-02-29", "2201-02-28", "9999-12-31", "2199-12-31T23:30:00-05:00"] {
        let plan = payload_of!(PaymentPlanSet, "billing.payment_plan_set", &data(day));
        assert_eq!(plan.until, Moment::Never, "{day}");
    }
    for day in ["2201-02-29", "2300-02-29", "2204-02-30", "9999-13-01", "2199-12-31T25:00:00Z"] {
        let refused = error(&event_json("billing.payment_plan_set", &data(day)));
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            (EventCode::BadTime, Some("data.until")),
            "{day}"
        );
    }
}

#[test]
fn what_is_no_object_is_told_from_what_is_no_json() {
    // Half of a pair of surrogates is no text, in a name as little as in a value.
    let half = event_json("client.set", r#"{"owner":"a","\ud800":1}"#);
    assert_eq!(error(&half).code, EventCode::MalformedJson);
    assert_eq!(error("").code, EventCode::MalformedJson);
    assert_eq!((error("[1]").code, error("[1").code), (EventCode::WrongType, EventCode::MalformedJson));
    let interval = r#"{"subscription":"S","status":"active","amount":1,"currency":"USD","interval":[1]}"#;
    assert_eq!(
        message("billing.subscription_set", interval),
        "`data.interval` must be an object {unit: day, week, month or year; count}, found `[1]`"
    );
    assert_eq!(
        message("client.set", r#"{"attributes":{"k":1,"k":2}}"#),
        r#"`data.attributes.k` must be each name once in an object, found `{"k":1,"k":2}`"#
    );
    assert_eq!(EventCode::BadTime.to_string(), "bad_time");
}

#[test]
fn fast_and_careful_agree_on_depth_and_small_counts() {
    // `data` is an object in the event, so 62 more in it make 64.
    let nested = |n: usize| format!("{}{{}}{}", r#"{"a":"#.repeat(n - 1), "}".repeat(n - 1));
    let event = |n: usize| event_json("usage.counted", &format!(r#"{{"metric":"m","x":{}}}"#, nested(n)));
    assert!(Event::from_json(event(62).as_bytes()).is_ok());
    assert_eq!(error(&event(63)).code, EventCode::LimitExceeded);
    assert_eq!(
        error(&event(63).replace("\"x\":{", "\"x\":[{").replacen("}}}", "}]}}", 1)).code,
        EventCode::LimitExceeded
    );
    for n in 0..=120_i64 {
        for count in [format!("{n}"), format!(" {n}"), format!("\"{n}\"")] {
            let data = format!(r#"{{"count":{count},"metric":"m"}}"#);
            let counted = payload_of!(UsageCounted, "usage.counted", &data);
            assert_eq!(counted.count.micros(), n * 1_000_000, "{data}");
        }
    }
}

#[test]
fn texts_names_and_lists_end_where_they_say() {
    let set = |field: &str, value: &str| {
        Event::from_json(event_json("client.set", &format!(r#"{{"{field}":{value}}}"#)).as_bytes())
    };
    let text = |n: usize| "x".repeat(n);
    for (n, ok) in [(4_096, true), (4_097, false), (4_098, false)] {
        assert_eq!(set("owner", &format!("\"{}\"", text(n))).is_ok(), ok, "{n}");
        assert_eq!(set("attributes", &format!(r#"{{"{}":1}}"#, text(n))).is_ok(), ok, "{n}");
    }
    let code = |field: &str, value: &str| set(field, value).unwrap_err().code;
    assert_eq!(code("tags", r#"{"a":1}"#), EventCode::WrongType);
    assert_eq!(code("attributes", "[1]"), EventCode::WrongType);
    assert_eq!(
        message("client.set", r#"{"attributes":[1]}"#),
        "`data.attributes` must be an object of named values, found `[1]`"
    );
    // Nothing, an empty text and no field at all name nothing.
    for parts in ["null", "\"\"", "{}"] {
        let judged =
            payload_of!(SentimentSet, "client.sentiment_set", &format!(r#"{{"value":50,"parts":{parts}}}"#));
        assert!(judged.parts.is_empty(), "{parts}");
    }
    let judged = payload_of!(SentimentSet, "client.sentiment_set", r#"{"value":50,"parts":{"talks":3}}"#);
    assert!(!judged.parts.is_empty());
}

#[test]
fn what_is_not_stated_is_not_written() {
    for (kind, data) in [
        ("support.ticket_updated", r#"{"ticket":"T"}"#),
        ("support.ticket_updated", r#"{"ticket":"T","topic":""}"#),
        ("client.sentiment_set", r#"{"value":"50"}"#),
        ("client.set", "{}"),
    ] {
        let line = Event::from_json(event_json(kind, data).as_bytes()).unwrap().to_line();
        let written: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(written["data"].to_string(), data, "{kind}");
    }
}

/// Free text may be empty by its own schema, an id may not be empty, and of anything else empty text says nothing.
#[test]
fn what_may_be_left_out_may_be_null_by_the_schema() {
    let or_null = |schema: serde_json::Value| serde_json::json!({"anyOf": [schema, {"type": "null"}]});
    assert_eq!(<Option<crate::id::Text>>::schema(), or_null(crate::id::Text::schema()));
    assert_eq!(<Option<crate::id::UserId>>::schema(), or_null(crate::id::UserId::schema()));
    let day = serde_json::json!({"anyOf": [Day::schema(), {"enum": [null, ""]}]});
    assert_eq!(<Option<Day>>::schema(), day);
}

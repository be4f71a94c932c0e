//! What bad input gets: a clear typed error, and everything else still there.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside of test functions"
)]

use healthfold::{
    Applied, Dedupe, Engine, Event, EventCode, EventError, Instant, Limits, ReadError, ReadOptions, Settings,
};
use healthfold_testkit::logs;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value, json};

const GOOD: &str = r#"{"id":"good-1","source":"app","type":"usage.counted","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"metric":"reports"}}"#;
const ALSO_GOOD: &str = r#"{"id":"good-2","source":"app","type":"client.set","subject":"birch","time":"2026-01-06T10:00:00Z","data":{"owner":"ann"}}"#;

fn engine() -> Engine {
    Engine::new(Settings::default()).unwrap()
}

fn limited(metrics: u32, ids: u32) -> Engine {
    Engine::new(Settings { limits: Limits { metrics, ids }, ..Settings::default() }).unwrap()
}

fn read(engine: &mut Engine, input: &[u8]) -> Applied {
    engine.apply_ndjson(input, &ReadOptions::default()).unwrap()
}

fn strict(engine: &mut Engine, input: &[u8]) -> Result<Applied, ReadError> {
    engine.apply_ndjson(input, &ReadOptions { strict: true, ..ReadOptions::default() })
}

fn event(json: &str) -> Event {
    Event::from_json(json.as_bytes()).unwrap()
}

/// A good event with one member of the envelope, or of `data` (`data.NAME`), replaced; null takes it out.
fn with(path: &str, value: Value) -> String {
    let mut event: Value = serde_json::from_str(GOOD).unwrap();
    *event.get_mut("id").unwrap() = "bad".into();
    let (target, name) = match path.strip_prefix("data.") {
        Some(name) => (event.get_mut("data").unwrap(), name),
        None => (&mut event, path),
    };
    let members = target.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    event.to_string()
}

/// Between two good events, a bad line costs nothing but itself.
#[track_caller]
fn refused(bad: &[u8]) -> EventError {
    let mut whole = engine();
    let input = [GOOD.as_bytes(), b"\n", bad, b"\n", ALSO_GOOD.as_bytes(), b"\n"].concat();
    let applied = read(&mut whole, &input);
    assert_eq!((applied.applied, applied.duplicates, applied.conflict_count), (2, 0, 0));
    assert_eq!(applied.rejected_count(), 1);
    let rejection = applied.rejected.first().unwrap();
    assert_eq!((rejection.index, rejection.line), (1, Some(2)));
    assert_eq!(rejection.offset, Some(GOOD.len() as u64 + 1));
    assert_eq!(applied.rejected_by_code.keys().collect::<Vec<_>>(), [&rejection.error.code.as_str()]);
    let mut good = engine();
    good.apply_all(&[event(GOOD), event(ALSO_GOOD)]);
    assert_eq!(whole.fingerprint(), good.fingerprint(), "nothing of the bad event is in");

    let mut atomic = engine();
    let before = atomic.fingerprint();
    let error = strict(&mut atomic, &input).unwrap_err();
    assert_eq!(atomic.fingerprint(), before, "strict: all or nothing");
    let ReadError::Strict(first) = error else { panic!("not a bad event: {error}") };
    assert_eq!(*first, *rejection);
    rejection.error.clone()
}

/// A refusal with its code and field; the message names the field and what was found.
#[track_caller]
fn refused_as(bad: &str, code: &str, field: &str) -> EventError {
    let error = refused(bad.as_bytes());
    assert_eq!((error.code.as_str(), error.field.as_deref()), (code, Some(field)), "{bad}: {error}");
    assert!(error.message.contains(&format!("`{field}`")), "{error}");
    error
}

#[test]
fn malformed_json() {
    for bad in [
        "",
        "nonsense",
        "{",
        "}",
        "{}}",
        r#"{"id":}"#,
        "[1",
        "\"text",
        "nul",
        "{\"a\":1,}",
        "{'a':1}",
        "{\"a\" 1}",
        "\u{feff}{}",
        "{\"id\":\"a\nb\"}",
        "NaN",
    ] {
        if bad.is_empty() || bad.contains('\n') {
            continue;
        }
        let error = refused(bad.as_bytes());
        assert_eq!((error.code, error.field), (EventCode::MalformedJson, None), "{bad}");
    }
    // No UTF-8: alone, in a string, and an overlong NUL.
    for bad in [&b"\xff"[..], b"{\"id\":\"\xe9\"}", b"\xc0\x80"] {
        assert_eq!(refused(bad).code, EventCode::MalformedJson);
    }
    assert_eq!(
        refused(GOOD.replace("reports\"", "reports\",\"metric\":\"b\"").as_bytes()).code,
        EventCode::MalformedJson
    );
    let twice = GOOD.replace(r#""id":"good-1""#, r#""id":"1","\u0069d":"2""#);
    let error = refused(twice.as_bytes());
    assert_eq!((error.code.as_str(), error.field.as_deref()), ("malformed_json", Some("id")));
}

#[test]
fn json_that_is_no_object() {
    for bad in ["1", "\"text\"", "null", "true"] {
        assert_eq!(refused(bad.as_bytes()).code.as_str(), "wrong_type", "{bad}");
    }
    refused_as(&with("data", json!([])), "wrong_type", "data");
    refused_as(&with("data", json!("x")), "wrong_type", "data");
}

#[test]
fn missing_fields() {
    for field in ["id", "source", "type", "subject", "time", "data", "data.metric"] {
        let error = refused_as(&with(field, Value::Null), "missing_field", field);
        assert!(error.message.contains("is missing"), "{error}");
    }
    let no_amount = r#"{"id":"x","source":"b","type":"billing.subscription_set","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"subscription":"S","status":"active","currency":"USD","interval":{"unit":"month"}}}"#;
    refused_as(no_amount, "missing_field", "data.amount");
    let no_unit =
        no_amount.replace(r#""currency""#, r#""amount":1,"currency""#).replace(r#"{"unit":"month"}"#, "{}");
    refused_as(&no_unit, "missing_field", "data.interval.unit");
}

#[test]
fn wrong_types() {
    for (field, value) in [
        ("id", json!(1)),
        ("source", json!({})),
        ("type", json!(1)),
        ("subject", json!(["acme"])),
        ("time", json!(1_767_607_200)),
        ("sequence", json!("1")),
        ("recordedtime", json!(1)),
        ("specversion", json!(1.0)),
        ("data.metric", json!(7)),
        ("data.count", json!(true)),
        ("data.user", json!(7)),
    ] {
        refused_as(&with(field, value), "wrong_type", field);
    }
}

#[test]
fn unknown_types() {
    let error = refused_as(&with("type", json!("usage.count")), "unknown_type", "type");
    assert!(error.message.contains("`\"usage.count\"`"), "{error}");
    let error = refused_as(&with("type", json!("Usage.Counted")), "unknown_type", "type");
    assert!(error.message.contains("did you mean `usage.counted`"), "{error}");

    let mut engine = engine();
    let input = format!("{GOOD}\n{}\nnonsense\n", with("type", json!("app.started")));
    let options = ReadOptions { skip_unknown: true, ..ReadOptions::default() };
    let applied = engine.apply_ndjson(input.as_bytes(), &options).unwrap();
    assert_eq!((applied.applied, applied.skipped, applied.rejected_count()), (1, 1, 1));
    let options = ReadOptions { strict: true, ..options };
    let input = format!("{}\n{ALSO_GOOD}\n", with("type", json!("app.started")));
    let applied = engine.apply_ndjson(input.as_bytes(), &options).unwrap();
    assert_eq!((applied.applied, applied.skipped, applied.rejected_count()), (1, 1, 0));
}

#[test]
fn numbers() {
    let count = |text: &str| {
        GOOD.replace("good-1", "bad").replace("\"reports\"", &format!("\"reports\",\"count\":{text}"))
    };
    for (text, code) in [
        ("0.0000001", "out_of_range"),
        ("\"1.2345678\"", "out_of_range"),
        ("1e400", "out_of_range"),
        ("-1e400", "out_of_range"),
        ("1e-400", "out_of_range"),
        ("1e99999999999999999999", "out_of_range"),
        ("1000000000000.000001", "out_of_range"),
        ("1000000000001", "out_of_range"),
        ("\"NaN\"", "bad_value"),
        ("\"Infinity\"", "bad_value"),
        ("\"\"", "bad_value"),
        ("\"1,5\"", "bad_value"),
        ("\" 1\"", "bad_value"),
        ("\"0x10\"", "bad_value"),
        ("\"+1\"", "bad_value"),
        ("\"01\"", "bad_value"),
        ("null", "wrong_type"),
        ("[1]", "wrong_type"),
    ] {
        refused_as(&count(text), code, "data.count");
    }
    // No JSON at all, so that the line is what is wrong.
    for text in ["NaN", "Infinity", "01", "+1", ".5", "1.", "0x10", "--1"] {
        assert_eq!(refused(count(text).as_bytes()).code.as_str(), "malformed_json", "{text}");
    }
    // The limits themselves are good, and so are zeros that say nothing.
    for text in ["1000000000000", "-1000000000000", "0.000001", "1.0000000000", "1e12", "0e400", "-0"] {
        assert_eq!(read(&mut engine(), count(text).as_bytes()).applied, 1, "{text}");
    }
}

#[test]
fn times() {
    for time in [
        "2026-01-05T10:00:00",
        "2026-01-05",
        "2026-01-05 10:00:00Z",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "1970-01-01T00:00:00+00:01",
        "2199-12-31T23:59:00-00:01",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-05T24:00:00Z",
        "2026-01-05T10:60:00Z",
        "2026-01-05T10:00:61Z",
        "2026-01-05T10:00:00+24:00",
        "2026-01-05T10:00:00.Z",
        "2026-1-5T10:00:00Z",
        "yesterday",
        "",
        "٢٠٢٦-01-05T10:00:00Z",
        "2026-01-05T10:00:00Z ",
    ] {
        refused_as(&with("time", json!(time)), "bad_time", "time");
        refused_as(&with("recordedtime", json!(time)), "bad_time", "recordedtime");
    }
    for time in [
        "1970-01-01T00:00:00Z",
        "2199-12-31T23:59:59.999999999Z",
        "1969-12-31T23:59:59-00:01",
        "2200-01-01T00:00:00+00:01",
        "2026-01-05t10:00:00z",
        "2026-01-05T10:00:00-00:00",
        "2016-12-31T23:59:60Z",
        "2026-01-05T10:00:00.123456789123456789+23:59",
    ] {
        assert_eq!(read(&mut engine(), with("time", json!(time)).as_bytes()).applied, 1, "{time}");
    }
    let due = |due: &str| {
        let json = json!({"id": "x", "source": "b", "type": "billing.invoice_issued", "subject": "acme",
            "time": "2026-01-05T10:00:00Z", "data": {"invoice": "I", "amount": 1, "currency": "USD", "due": due}});
        json.to_string()
    };
    for bad in [
        "soon",
        "1969-12-31",
        "2026-02-30",
        "2300-02-29",
        "2026-01-05T10:00:00",
        "22000-01-01",
        "+200-01-01",
        "",
    ] {
        refused_as(&due(bad), "bad_time", "data.due");
    }
    for good in
        ["2026-02-28", "2199-12-31", "2200-01-01", "9999-12-31", "2400-02-29", "2199-12-31T23:30:00-01:00"]
    {
        assert_eq!(read(&mut engine(), due(good).as_bytes()).applied, 1, "{good}");
    }
}

#[test]
fn ids() {
    for field in ["id", "source", "subject", "data.metric", "data.user"] {
        refused_as(&with(field, json!("")), "empty_id", field);
    }
    for field in ["id", "source", "subject"] {
        refused_as(&with(field, json!("x".repeat(300))), "too_long", field);
        refused_as(&with(field, json!("x".repeat(257))), "too_long", field);
        // Bytes are counted, not characters.
        refused_as(&with(field, json!("é".repeat(129))), "too_long", field);
        assert_eq!(read(&mut engine(), with(field, json!("é".repeat(128))).as_bytes()).applied, 1);
    }
    refused_as(&with("data.metric", json!("x".repeat(4_097))), "too_long", "data.metric");
    assert_eq!(read(&mut engine(), with("data.metric", json!("x".repeat(4_096))).as_bytes()).applied, 1);
}

#[test]
fn text_that_is_no_text() {
    for (found, code) in [
        (r"\ud800", "malformed_json"),
        (r"\udc00", "malformed_json"),
        (r"x\ud83dx", "malformed_json"),
        (r"\u0000", "bad_value"),
        (r"a\u0000b", "bad_value"),
    ] {
        for (good, field) in
            [("good-1", "id"), ("acme", "subject"), ("reports", "data.metric"), ("app", "source")]
        {
            refused_as(&GOOD.replace(&format!("\"{good}\""), &format!("\"{found}\"")), code, field);
        }
    }
    // A raw control character is no JSON.
    assert_eq!(refused(GOOD.replace("reports", "re\u{1}ports").as_bytes()).code.as_str(), "malformed_json");
    assert_eq!(refused(GOOD.replace("reports", "re\0ports").as_bytes()).code.as_str(), "malformed_json");
    // Everything else is taken as it is: a pair of surrogates, direction marks, text that is not normalised.
    let odd = GOOD.replace("acme", r"\ud83d\ude00\u202ee\u0301");
    let mut engine = engine();
    assert_eq!(read(&mut engine, odd.as_bytes()).applied, 1);
    assert_eq!(engine.clients().map(|id| id.as_str()).collect::<Vec<_>>(), ["😀\u{202e}e\u{301}"]);
}

#[test]
fn nesting() {
    let deep = |depth: usize| {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        GOOD.replace("good-1", "bad").replace("\"reports\"", &format!("\"reports\",\"more\":{nested}"))
    };
    // The envelope and `data` are two of the 64.
    assert_eq!(read(&mut engine(), deep(62).as_bytes()).applied, 1);
    for depth in [63, 10_000, 200_000] {
        let error = refused(deep(depth).as_bytes());
        assert_eq!((error.code.as_str(), error.field), ("limit_exceeded", None));
        assert_eq!(error.message, "an event must be nested at most 64 deep");
    }
    let unclosed = "[".repeat(10_000).replacen('[', "{\"a\":", 1);
    assert_eq!(refused(unclosed.as_bytes()).code.as_str(), "limit_exceeded");
    // Brackets in text are text.
    let text = GOOD.replace("good-1", "bad").replace("reports", &"[".repeat(1_000));
    assert_eq!(read(&mut engine(), text.as_bytes()).applied, 1);
}

#[test]
fn long_lines() {
    let padded = |length: usize| {
        let mut line = GOOD.replace("good-1", "bad").replace("\"reports\"", "\"reports\",\"pad\":\"\"");
        let at = line.len() - 3;
        line.insert_str(at, &"x".repeat(length - line.len()));
        line
    };
    const MIB: usize = 1 << 20;
    assert_eq!(read(&mut engine(), padded(MIB).as_bytes()).applied, 1);
    for length in [MIB + 1, MIB + 2, MIB + 3, 2 * MIB] {
        assert_eq!(refused(padded(length).as_bytes()).code.as_str(), "too_long", "{length}");
    }
    // Blanks are part of a line: what stands before them may look whole, what stands behind them must not be lost.
    let blanks = " ".repeat(2 * MIB);
    for long in [format!("{}{blanks}x", with("id", json!("bad"))), blanks.clone()] {
        let error = Event::from_json(long.as_bytes()).unwrap_err();
        assert_eq!(error.code.as_str(), "too_long");
        assert_eq!(refused(long.as_bytes()).code.as_str(), "too_long");
    }
    let mut engine = engine();
    let applied = read(&mut engine, format!("{GOOD}\n{blanks}{ALSO_GOOD}\n{ALSO_GOOD}").as_bytes());
    assert_eq!((applied.applied, applied.rejected_count()), (2, 1));
    // In a list, too.
    let list = format!("[{GOOD},{},{ALSO_GOOD}]", padded(2 * MIB));
    let applied = read(&mut Engine::new(Settings::default()).unwrap(), list.as_bytes());
    assert_eq!((applied.applied, applied.rejected_by_code.get("too_long")), (2, Some(&1)));
}

#[test]
fn values_outside_their_set() {
    let nps = |score: &str| {
        format!(
            r#"{{"id":"x","source":"s","type":"client.nps_answered","subject":"acme","time":"2026-01-05T10:00:00Z","data":{{"score":{score}}}}}"#
        )
    };
    refused_as(&nps("7.5"), "bad_value", "data.score");
    refused_as(&nps("11"), "out_of_range", "data.score");
    refused_as(&nps("-1"), "out_of_range", "data.score");
    let currency = r#"{"id":"x","source":"b","type":"billing.charged","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"charge":"C","amount":10,"currency":"usd"}}"#;
    assert!(refused_as(currency, "bad_value", "data.currency").message.contains("did you mean USD"));
    refused_as(&currency.replace("usd", "US$"), "bad_value", "data.currency");
    refused_as(&currency.replace("usd", "USD").replace("10,", "-10,"), "out_of_range", "data.amount");
    let interval = r#"{"id":"x","source":"b","type":"billing.subscription_set","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"subscription":"S","status":"active","amount":1,"currency":"USD","interval":{"unit":"month","count":0}}}"#;
    refused_as(interval, "bad_value", "data.interval.count");
    refused_as(&interval.replace(":0}", ":1.5}"), "bad_value", "data.interval.count");
    refused_as(&interval.replace(":0}", ":-1}"), "out_of_range", "data.interval.count");
    refused_as(&interval.replace("\"month\"", "\"fortnight\""), "bad_value", "data.interval.unit");
    refused_as(
        &interval.replace("{\"unit\":\"month\",\"count\":0}", "\"month\""),
        "wrong_type",
        "data.interval",
    );
    refused_as(&with("specversion", json!("0.3")), "bad_value", "specversion");
    for (sequence, code) in
        [("1.5", "bad_value"), ("1e3", "bad_value"), ("9223372036854775808", "out_of_range")]
    {
        refused_as(&GOOD.replace("\"data\"", &format!("\"sequence\":{sequence},\"data\"")), code, "sequence");
    }
    let retracted = r#"{"id":"x","source":"b","type":"event.retracted","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"source":"app","id":"good-1","type":"usage.counted"}}"#;
    assert!(refused_as(retracted, "not_retractable", "data.type").message.contains("negative count"));
    for kind in ["client.erased", "support.ticket_opened", "event.retracted", "usage.day_set"] {
        refused_as(&retracted.replace("usage.counted", kind), "not_retractable", "data.type");
    }
}

#[test]
fn the_same_id_with_other_content() {
    let mut engine = engine();
    read(&mut engine, GOOD.as_bytes());
    let before = engine.fingerprint();
    for other in [
        GOOD.replace("acme", "birch"),
        GOOD.replace("reports", "calls"),
        GOOD.replace("10:00:00Z", "10:00:01Z"),
        GOOD.replace("\"data\"", "\"sequence\":1,\"data\""),
        GOOD.replace("\"reports\"", "\"reports\",\"count\":2"),
        ALSO_GOOD.replace("good-2", "good-1"),
    ] {
        let error = engine.apply(&event(&other)).unwrap_err();
        assert_eq!((error.code, error.field), (EventCode::ConflictingEvent, None));
        assert_eq!(
            error.message,
            "event `good-1` of source `app` is in already with other content, which stays"
        );
        let applied = read(&mut engine, other.as_bytes());
        assert_eq!((applied.applied, applied.duplicates, applied.rejected_count()), (0, 0, 0));
        assert_eq!(applied.conflict_count, 1);
        let conflict = applied.conflicts.first().unwrap();
        assert_eq!((conflict.index, conflict.source.as_str(), conflict.id.as_str()), (0, "app", "good-1"));
        assert!(matches!(strict(&mut engine, other.as_bytes()), Err(ReadError::Strict(bad))
            if bad.error.code == EventCode::ConflictingEvent));
        assert_eq!(engine.fingerprint(), before);
    }
    // Other forms of the same content are the same event.
    for same in [
        GOOD.replace("\"reports\"", "\"reports\",\"count\":1.0"),
        GOOD.replace("\"reports\"", "\"reports\",\"count\":\"1\",\"user\":null,\"unknown\":[1]"),
        GOOD.replace("10:00:00Z", "11:00:00.0000009+01:00"),
        GOOD.replace(
            "\"data\"",
            "\"sequence\":0,\"recordedtime\":\"2026-02-01T00:00:00Z\",\"trace\":\"x\",\"data\"",
        ),
    ] {
        assert_eq!(engine.apply(&event(&same)), Ok(false), "{same}");
    }
    assert_eq!(engine.fingerprint(), before);
    // A refused event does not claim its identity.
    assert_eq!(refused(with("time", json!("soon")).as_bytes()).code.as_str(), "bad_time");
    read(&mut engine, with("time", json!("soon")).as_bytes());
    assert_eq!(read(&mut engine, with("data.count", json!(5)).as_bytes()).applied, 1);
}

#[test]
fn overlapping_usage_does_not_merge() {
    let mut one = engine();
    one.apply_all(&[event(GOOD), event(ALSO_GOOD)]);
    let mut two = engine();
    let more = GOOD.replace("good-1", "good-3");
    two.apply_all(&[event(GOOD), event(ALSO_GOOD), event(&more)]);
    let (before, other) = (one.snapshot(), two.snapshot());
    let error = one.merge(&two).unwrap_err();
    assert_eq!(error.code(), "overlapping");
    let healthfold::MergeError::Overlapping { count, events } = error else { panic!("{error}") };
    assert_eq!((count, events.len()), (1, 1), "the overlap of client.set does no harm");
    assert!(one.snapshot() == before && two.snapshot() == other, "nothing changed");

    // With an identity of two contents besides, that is what is said.
    let mut three = engine();
    three.apply_all(&[event(GOOD), event(&ALSO_GOOD.replace("ann", "bob"))]);
    let error = one.merge(&three).unwrap_err();
    assert_eq!(error.code(), "conflicting_event");
    let healthfold::MergeError::ConflictingEvent { count, events } = error else { panic!("{error}") };
    let named = events.first().and_then(|clash| clash.event.clone()).unwrap();
    assert_eq!((count, named.source.as_str(), named.id.as_str()), (1, "app", "good-2"));
    assert!(one.snapshot() == before);
    // A hundred of them: twenty are named.
    let usage: Vec<Event> = (0..100).map(|n| event(&GOOD.replace("good-1", &format!("many-{n}")))).collect();
    one.apply_all(&usage);
    let mut four = engine();
    four.apply_all(&usage);
    match one.merge(&four) {
        Err(healthfold::MergeError::Overlapping { count, events }) => {
            assert_eq!((count, events.len()), (100, 20))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_merge_with_itself_has_no_effect() {
    let mut one = engine();
    one.apply_all(&[event(GOOD), event(ALSO_GOOD)]);
    let before = one.snapshot();
    one.merge(&one.clone()).unwrap();
    one.merge(&Engine::restore(&before).unwrap()).unwrap();
    assert!(one.snapshot() == before);
    // Nor has a client that is merged into itself.
    let merge = r#"{"id":"m","source":"crm","type":"client.merged_into","subject":"acme","time":"2026-01-07T00:00:00Z","data":{"into":"acme"}}"#;
    assert_eq!(one.apply(&event(merge)), Ok(true));
    assert_eq!(one.clients().map(|id| id.as_str()).collect::<Vec<_>>(), ["acme", "birch"]);
}

#[test]
fn engines_that_differ_do_not_merge() {
    let of = |settings: Settings| Engine::new(settings).unwrap();
    let mut sealed = engine();
    sealed.seal("2026-01-01T00:00:00Z".parse().unwrap()).unwrap();
    let mut one = engine();
    one.apply(&event(GOOD)).unwrap();
    let before = one.snapshot();
    for (other, what) in [
        (of(Settings { timezone: "Europe/Berlin".to_owned(), ..Settings::default() }), "time zone"),
        (of(Settings { dedupe: Dedupe::Upstream, ..Settings::default() }), "dedupe"),
        (limited(1, 1), "limits"),
        (of(Settings { erasure_key: [1; 32], ..Settings::default() }), "erasure key"),
        (sealed, "seal"),
    ] {
        let error = one.merge(&other).unwrap_err();
        assert_eq!(
            (error.code(), error.to_string()),
            ("settings_differ", format!("the engines differ in {what}"))
        );
        assert!(one.snapshot() == before);
    }
    assert!(Engine::new(Settings { timezone: "Mars/Olympus".to_owned(), ..Settings::default() }).is_err());
}

#[test]
fn a_seal_does_not_move_backwards() {
    let mut engine = engine();
    let at = |text: &str| text.parse::<Instant>().unwrap();
    read(&mut engine, format!("{GOOD}\n{ALSO_GOOD}").as_bytes());
    engine.seal(at("2026-03-20T10:00:00Z")).unwrap();
    assert_eq!(engine.sealed_before(), Some(at("2026-03-01T00:00:00Z")), "down to the start of its month");
    let before = engine.snapshot();
    let error = engine.seal(at("2026-02-28T23:59:59Z")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the engine is sealed before 2026-03-01T00:00:00Z, a seal cannot move back to 2026-02-28T23:59:59Z"
    );
    assert_eq!(healthfold::Error::from(error).code(), "seal_backwards");
    assert!(engine.snapshot() == before);
    engine.seal(at("2026-03-01T00:00:00Z")).unwrap();
    assert!(engine.snapshot() == before, "the same month is no move");

    // From before the seal nothing comes in any more, not even what was in.
    for (early, id) in [(GOOD.to_owned(), 0), (with("time", json!("2026-02-28T23:59:59.999999Z")), 1)] {
        let applied =
            read(&mut engine, format!("{early}\n{}", with("time", json!("2026-03-01T00:00:00Z"))).as_bytes());
        assert_eq!(applied.rejected_by_code.get("before_seal"), Some(&1), "{id}");
        assert_eq!(applied.rejected.first().unwrap().index, 0);
    }
    // A roll-up belongs to its day, whatever its time.
    let day = |day: &str| {
        json!({"id": day, "source": "w", "type": "usage.day_set", "subject": "acme",
        "time": "2026-03-05T00:00:00Z", "data": {"metric": "m", "day": day, "count": 1}})
        .to_string()
    };
    assert_eq!(read(&mut engine, day("2026-02-28").as_bytes()).rejected_by_code.get("before_seal"), Some(&1));
    assert_eq!(read(&mut engine, day("2026-03-01").as_bytes()).applied, 1);
}

#[test]
fn more_than_a_client_may_have() {
    let usage = |id: &str, metric: &str| GOOD.replace("good-1", id).replace("reports", metric);
    let ticket = |id: &str, ticket: &str| {
        json!({"id": id, "source": "h", "type": "support.ticket_opened",
        "subject": "acme", "time": "2026-01-05T10:00:00Z", "data": {"ticket": ticket}})
        .to_string()
    };
    let mut engine = limited(2, 2);
    let lines = [
        usage("1", "a"),
        usage("2", "b"),
        usage("3", "c"),
        usage("4", "a"),
        ticket("5", "T1"),
        ticket("6", "T2"),
        ticket("7", "T3"),
        ticket("8", "T1"),
        ALSO_GOOD.to_owned(),
    ];
    let applied = read(&mut engine, lines.join("\n").as_bytes());
    assert_eq!((applied.applied, applied.rejected_by_code.get("limit_exceeded")), (7, Some(&2)));
    let rejected: Vec<_> = applied.rejected.iter().map(|r| (r.index, r.error.message.as_str())).collect();
    assert_eq!(
        rejected,
        [
            (2, "client `acme` has 2 metrics, which is the most it may have"),
            (6, "client `acme` has 2 tickets, which is the most it may have"),
        ]
    );
    // Another client has room, a gauge of a known name is one more, and the identity was not claimed.
    assert_eq!(read(&mut engine, usage("3", "c").replace("acme", "cedar").as_bytes()).applied, 1);
    let gauge = usage("9", "a").replace("counted", "measured").replace("\"a\"", "\"a\",\"value\":1");
    assert_eq!(read(&mut engine, gauge.as_bytes()).rejected_count(), 1);
    // The first event of a client is held to the limits as well.
    let attributes = ALSO_GOOD
        .replace("\"owner\":\"ann\"", r#""attributes":{"a":1,"b":2,"c":3}"#)
        .replace("birch", "dune");
    let mut fresh = limited(2, 2);
    assert_eq!(read(&mut fresh, attributes.as_bytes()).rejected_by_code.get("limit_exceeded"), Some(&1));
    assert_eq!(fresh.fingerprint(), limited(2, 2).fingerprint());
    // In strict mode a batch that would exceed them within itself is refused as a whole.
    let mut atomic = limited(2, 2);
    let before = atomic.fingerprint();
    let error =
        strict(&mut atomic, [usage("1", "a"), usage("2", "b"), usage("3", "c")].join("\n").as_bytes());
    assert!(matches!(error, Err(ReadError::Strict(bad)) if bad.index == 2 && bad.line == Some(3)));
    assert_eq!(atomic.fingerprint(), before);
}

#[test]
fn a_strict_batch_conflicts_within_itself() {
    let mut engine = engine();
    read(&mut engine, GOOD.as_bytes());
    let before = engine.snapshot();
    let input = format!("{GOOD}\n\n{ALSO_GOOD}\n{}\n", ALSO_GOOD.replace("ann", "bob"));
    let error = strict(&mut engine, input.as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "event 2 at line 4: event `good-2` of source `app` is in already with other content, which stays"
    );
    assert!(engine.snapshot() == before);
    let applied = strict(&mut engine, format!("{GOOD}\n{ALSO_GOOD}\n{ALSO_GOOD}\n").as_bytes()).unwrap();
    assert_eq!((applied.applied, applied.duplicates), (1, 2));
}

#[test]
fn many_rejections_are_counted_and_the_first_thousand_listed() {
    let mut input = "nonsense\n".repeat(1_500);
    input.push_str(GOOD);
    let mut engine = engine();
    let applied = read(&mut engine, input.as_bytes());
    assert_eq!((applied.applied, applied.rejected.len(), applied.rejected_count()), (1, 1_000, 1_500));
    assert_eq!(applied.rejected_by_code.get("malformed_json"), Some(&1_500));
    assert_eq!(applied.rejected.last().map(|last| last.line), Some(Some(1_000)));
    let row = serde_json::to_value(applied.rejected.first()).unwrap();
    let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["code", "field", "index", "line", "message", "offset"]);
}

#[test]
fn forms_of_input() {
    let expected = {
        let mut engine = engine();
        engine.apply_all(&[event(GOOD), event(ALSO_GOOD)]);
        engine.fingerprint()
    };
    let forms = [
        format!("{GOOD}\n{ALSO_GOOD}"),
        format!("\u{feff}{GOOD}\r\n\r\n  {ALSO_GOOD}  \r\n\n"),
        format!("[{GOOD},{ALSO_GOOD}]"),
        format!("\u{feff}\n [ {GOOD}\n,\r\n{ALSO_GOOD} ]\n\n"),
    ];
    for form in forms {
        let mut engine = engine();
        let applied = read(&mut engine, form.as_bytes());
        assert_eq!((applied.applied, applied.rejected_count()), (2, 0), "{form}");
        assert_eq!(engine.fingerprint(), expected);
    }
    for empty in ["", "\n\n", "\u{feff}", "[]", " [ ] \n"] {
        assert_eq!(read(&mut engine(), empty.as_bytes()), Applied::default(), "{empty:?}");
    }
    // A list with faults: the good ones are in, nothing is dropped in silence.
    for (list, good, bad) in [
        (format!("[{GOOD},{{}},{ALSO_GOOD}]"), 2, 1),
        (format!("[{GOOD},,{ALSO_GOOD}]"), 2, 1),
        (format!("[{GOOD},]"), 1, 1),
        (format!("[{GOOD}"), 0, 1),
        (format!("[{GOOD},{ALSO_GOOD}"), 1, 1),
        (format!("[{GOOD}] {ALSO_GOOD}"), 1, 1),
        (format!("[]{GOOD}"), 0, 1),
        ("[".to_owned(), 0, 1),
        ("[1,\"]\",[2,3],null]".to_owned(), 0, 4),
    ] {
        let applied = read(&mut engine(), list.as_bytes());
        assert_eq!((applied.applied, applied.rejected_count()), (good, bad), "{list}");
    }
    // A source for events that state none.
    let bare = GOOD.replace("\"source\":\"app\",", "");
    let options = ReadOptions { source: Some("app".into()), ..ReadOptions::default() };
    let mut engine = engine();
    read(&mut engine, GOOD.as_bytes());
    assert_eq!(engine.apply_ndjson(bare.as_bytes(), &options).unwrap().duplicates, 1);
}

#[test]
fn an_input_that_breaks_off_keeps_what_came_before() {
    struct Broken<'a>(&'a [u8]);
    impl std::io::Read for Broken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.len() {
                0 => Err(std::io::Error::other("the cable is out")),
                n => {
                    let n = n.min(buffer.len()).min(7);
                    buffer.get_mut(..n).unwrap().copy_from_slice(self.0.get(..n).unwrap());
                    self.0 = self.0.get(n..).unwrap();
                    Ok(n)
                }
            }
        }
    }
    let input = format!("{GOOD}\n{ALSO_GOOD}\n");
    let mut kept = engine();
    let error = kept.apply_ndjson(std::io::BufReader::new(Broken(input.as_bytes())), &ReadOptions::default());
    assert_eq!(error.unwrap_err().to_string(), "reading failed: the cable is out");
    assert_eq!(kept.clients().count(), 2);
    let mut atomic = engine();
    let options = ReadOptions { strict: true, ..ReadOptions::default() };
    assert!(atomic.apply_ndjson(std::io::BufReader::new(Broken(input.as_bytes())), &options).is_err());
    assert_eq!(atomic.clients().count(), 0);
}

/// A good line with some bytes changed, cut, doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6);
    (logs::event(), changes).prop_map(|(event, changes)| {
        let mut bytes = event.to_json().to_string().into_bytes();
        for (at, byte, change) in changes {
            let at = at.index(bytes.len().max(1)).min(bytes.len());
            match change {
                0 if at < bytes.len() => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => bytes.truncate(at.max(1)),
                _ => {
                    // A byte that means something in JSON.
                    let syntax = b"{}[]\",:\\0-.eEtfn";
                    bytes.insert(at, syntax[usize::from(byte) % syntax.len()]);
                }
            }
        }
        bytes
    })
}

/// Seeds of failures are kept beside this file.
fn config() -> ProptestConfig {
    let persistence = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { failure_persistence: Some(Box::new(persistence)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Event::from_json(&bytes);
        let applied = read(&mut engine(), &bytes);
        prop_assert_eq!(applied.applied, 0);
    }

    #[test]
    fn no_mutated_line_panics_or_costs_another(bytes in mutated()) {
        prop_assume!(!bytes.contains(&b'\n') && bytes.first() != Some(&b'['));
        let mut engine = engine();
        let input = [GOOD.as_bytes(), b"\n", &bytes, b"\n", ALSO_GOOD.as_bytes()].concat();
        let applied = read(&mut engine, &input);
        prop_assert!(applied.applied >= 2);
        let one = applied.applied - 2 + applied.rejected_count() + applied.duplicates + applied.conflict_count;
        prop_assert!(one <= 1, "one line is one event: {:?}", applied);
        // Alone, as a list, and strictly.
        let _ = read(&mut engine, &[b"[", &bytes[..], b"]"].concat());
        let before = engine.fingerprint();
        if strict(&mut engine, &[&bytes[..], b"\nnonsense"].concat()).is_err() {
            prop_assert_eq!(engine.fingerprint(), before);
        }
        let _ = engine.snapshot();
    }

    #[test]
    fn an_event_is_the_same_after_a_way_through_text(event in logs::event()) {
        let json = event.to_json();
        let back = Event::from_json(json.to_string().as_bytes()).unwrap();
        prop_assert_eq!(&back, &event);
        prop_assert_eq!(back.to_json(), json);
    }

    #[test]
    fn an_exact_number_is_the_same_after_a_way_through_text(
        micros in prop_oneof![any::<i32>().prop_map(i64::from), -1_000_000_000_000_000_000i64..=1_000_000_000_000_000_000],
    ) {
        let number = healthfold::Quantity::from_micros(micros).unwrap();
        let line = ALSO_GOOD.replace("\"owner\":\"ann\"", &format!("\"attributes\":{{\"k\":{number}}}"));
        let event = event(&line);
        prop_assert_eq!(&Event::from_json(event.to_line().as_bytes()).unwrap(), &event);
        let line = with("data.count", json!(number.to_string()));
        let event = self::event(&line);
        prop_assert_eq!(&Event::from_json(event.to_json().to_string().as_bytes()).unwrap(), &event);
    }
}

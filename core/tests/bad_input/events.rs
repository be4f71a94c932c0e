//! A line that is no event: what is refused, by code and field.

use super::*;

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

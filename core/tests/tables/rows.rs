//! Rows that are refused, skipped, or have no id.

use super::{batch, column, engine, load, options, texts};
use healthfold::table::arrow_array::*;
use healthfold::table::arrow_schema::ArrowError;
use healthfold::table::{Fill, TableOptions};
use healthfold::{Applied, EventCode, EventKind, EventReader, ReadOptions, SignalSpec, TableError};
use std::sync::Arc;

#[test]
fn a_bad_row_says_what_its_json_would_say() {
    let long = "x".repeat(300);
    // Subject, time, metric, count: each row is bad in its own way.
    let rows = [
        ("acme", "2026-01-05T10:00:00Z", "m", "1"),
        ("", "2026-01-05T10:00:00Z", "m", "1"),
        (long.as_str(), "2026-01-05T10:00:00Z", "m", "1"),
        ("a\0b", "2026-01-05T10:00:00Z", "m", "1"),
        ("acme", "2026-01-05 10:00:00", "m", "1"),
        ("acme", "2026-01-05T10:00:00Z", "", "1"),
        ("acme", "2026-01-05T10:00:00Z", "m", "1.1234567"),
        ("acme", "2026-01-05T10:00:00Z", "m", "many"),
        ("acme", "2026-01-05T10:00:00Z", "m", "2"),
    ];
    let ids: Vec<String> = (0..rows.len()).map(|id| id.to_string()).collect();
    let table = batch([
        ("id", texts(ids.iter().map(String::as_str))),
        ("subject", texts(rows.map(|row| row.0))),
        ("time", texts(rows.map(|row| row.1))),
        ("metric", texts(rows.map(|row| row.2))),
        ("count", texts(rows.map(|row| row.3))),
    ]);
    let lines: Vec<String> = rows
        .iter()
        .zip(&ids)
        .map(|((subject, time, metric, count), id)| {
            serde_json::json!({"id": id, "source": "app", "type": "usage.counted", "subject": subject, "time": time,
                "data": {"metric": metric, "count": count}})
            .to_string()
        })
        .collect();
    let lines = lines.join("\n");
    let mut reader = EventReader::new(lines.as_bytes(), None);
    let mut expected = Vec::new();
    while let Some((place, event)) = reader.next_event().unwrap() {
        expected.extend(event.err().map(|error| (place.index, error)));
    }
    assert_eq!(expected.len(), 7);
    // Two batches: rows are counted over the whole table.
    let mut engine = engine();
    let batches = [table.slice(0, 4), table.slice(4, 5)];
    let applied = load(&mut engine, EventKind::UsageCounted, &batches, &options()).unwrap();
    let found: Vec<_> = applied.rejected.iter().map(|row| (row.index, row.error.clone())).collect();
    assert_eq!(found, expected);
    assert!(applied.rejected.iter().all(|row| row.line.is_none() && row.offset.is_none()));
    assert_eq!((applied.applied, applied.rejected_by_code["out_of_range"]), (2, 1));
}

#[test]
fn odd_rows_among_sound_ones_say_what_their_json_would_say() {
    // Subject, subscription, status, cents, unit of the interval, plan: most rows are odd in one of them.
    let long = "x".repeat(5_000);
    type Row<'t> =
        (Option<&'t str>, Option<&'t str>, Option<&'t str>, Option<i64>, Option<&'t str>, Option<&'t str>);
    let rows: [Row<'_>; 14] = [
        (Some("acme"), Some("s"), Some("active"), Some(1_250), Some("month"), Some("pro")),
        (Some("acme"), Some(""), Some("active"), Some(1_250), Some("month"), None),
        (Some("acme"), Some("s"), Some("asleep"), Some(1_250), Some("month"), None),
        (Some("acme"), Some("s"), Some("cancelled"), None, None, None),
        (Some("acme"), Some("s"), Some("active"), None, Some("month"), None),
        (Some("acme"), Some("s"), Some("active"), Some(-100), Some("month"), None),
        (Some("birch"), Some("t"), Some("trialing"), Some(0), Some("year"), Some("")),
        (Some("acme"), Some("s"), Some("active"), Some(1_250), None, None),
        (Some("acme"), Some("s"), Some("active"), Some(1_250), Some("decade"), None),
        (Some("acme"), Some("s"), Some("active"), Some(1_250), Some("month"), Some("a\0b")),
        (Some("acme"), Some("s"), Some("active"), Some(1_250), Some("month"), Some(long.as_str())),
        (None, Some("s"), Some("active"), Some(1_250), Some("month"), None),
        (Some("acme"), None, Some("active"), Some(1_250), Some("month"), None),
        (Some("cedar"), Some("u"), Some("paused"), Some(999), Some("week"), Some("mini")),
    ];
    let ids: Vec<String> = (0..rows.len()).map(|id| id.to_string()).collect();
    let texts_of = |cells: Vec<Option<&str>>| Arc::new(StringArray::from(cells)) as ArrayRef;
    let cents = rows.iter().map(|row| row.3.map(i128::from)).collect::<Decimal128Array>();
    let table = batch([
        ("id", texts(ids.iter().map(String::as_str))),
        ("subject", texts_of(rows.iter().map(|row| row.0).collect())),
        ("time", texts(rows.map(|_| "2026-01-05T10:00:00Z"))),
        ("subscription", texts_of(rows.iter().map(|row| row.1).collect())),
        ("status", texts_of(rows.iter().map(|row| row.2).collect())),
        ("amount", Arc::new(cents.with_precision_and_scale(18, 2).unwrap())),
        ("unit", texts_of(rows.iter().map(|row| row.4).collect())),
        ("plan", texts_of(rows.iter().map(|row| row.5).collect())),
    ]);
    let line = |(row, id): (&Row<'_>, &String)| {
        let (subject, subscription, status, cents, unit, plan) = *row;
        let stated =
            |name: &str, value: Option<serde_json::Value>| value.map(|value| (name.to_owned(), value));
        let text = |text: Option<&str>| text.map(serde_json::Value::from);
        // 1250 cents are 12.5, -100 are -1: no digit of these is lost in a binary number.
        #[expect(clippy::cast_precision_loss, reason = "four digits")]
        let amount = cents
            .map(|cents| if cents % 100 == 0 { (cents / 100).into() } else { (cents as f64 / 100.0).into() });
        let data: serde_json::Map<_, _> = [
            stated("subscription", text(subscription)),
            stated("status", text(status)),
            stated("amount", amount),
            stated("currency", Some("USD".into())),
            stated("interval", unit.map(|unit| serde_json::json!({ "unit": unit }))),
            stated("plan", text(plan)),
        ]
        .into_iter()
        .flatten()
        .collect();
        let head = [
            stated("id", text(Some(id.as_str()))),
            stated("source", text(Some("app"))),
            stated("type", text(Some("billing.subscription_set"))),
            stated("subject", text(subject)),
            stated("time", text(Some("2026-01-05T10:00:00Z"))),
            stated("data", Some(data.into())),
        ];
        serde_json::Value::from(head.into_iter().flatten().collect::<serde_json::Map<_, _>>()).to_string()
    };
    let lines = rows.iter().zip(&ids).map(line).collect::<Vec<_>>().join("\n");
    let mut of_lines = engine();
    let read = of_lines.apply_ndjson(lines.as_bytes(), &ReadOptions::default()).unwrap();
    let mut engine = engine();
    let options = TableOptions {
        columns: [
            ("interval.unit".to_owned(), column("unit")),
            ("currency".to_owned(), Fill::Constant("USD".into())),
        ]
        .into(),
        ..options()
    };
    let applied = load(&mut engine, EventKind::SubscriptionSet, &[table], &options).unwrap();
    let told = |applied: &Applied| {
        applied.rejected.iter().map(|row| (row.index, row.error.clone())).collect::<Vec<_>>()
    };
    assert_eq!(told(&applied), told(&read));
    assert_eq!((applied.applied, applied.rejected.len()), (4, 10));
    assert_eq!(engine.fingerprint(), of_lines.fingerprint());
}

#[test]
fn a_null_where_a_value_must_be_is_missing() {
    let table = batch([
        ("id", Arc::new(StringArray::from(vec![Some("1"), None, Some("3"), Some("4")])) as ArrayRef),
        ("subject", Arc::new(StringArray::from(vec![Some("acme"), Some("acme"), None, Some("acme")]))),
        ("time", texts(["2026-01-05T10:00:00Z"; 4])),
        ("metric", Arc::new(StringArray::from(vec![Some("m"), Some("m"), Some("m"), None]))),
    ]);
    let applied = load(&mut engine(), EventKind::UsageCounted, &[table], &options()).unwrap();
    let found: Vec<_> =
        applied.rejected.iter().map(|row| (row.index, row.error.code, row.error.field.as_deref())).collect();
    let missing = EventCode::MissingField;
    assert_eq!(
        found,
        [(1, missing, Some("id")), (2, missing, Some("subject")), (3, missing, Some("data.metric"))]
    );
}

/// Uses without ids: each row a client and a count.
fn uses(rows: &[(&str, i32)]) -> RecordBatch {
    batch([
        ("subject", texts(rows.iter().map(|row| row.0))),
        ("time", texts(vec!["2026-01-05T10:00:00Z"; rows.len()])),
        ("metric", texts(vec!["m"; rows.len()])),
        ("count", Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.1))) as ArrayRef),
    ])
}

#[test]
fn rows_without_ids_are_known_by_their_content_and_number() {
    let mut engine = engine();
    let mut took = |rows: &[(&str, i32)], load_name: &str| {
        let options = TableOptions { load: load_name.to_owned(), ..options() };
        let applied = load(&mut engine, EventKind::UsageCounted, &[uses(rows)], &options).unwrap();
        assert_eq!(applied.conflict_count, 0);
        (applied.applied, applied.duplicates)
    };
    let table = [("acme", 1), ("acme", 1), ("birch", 2)];
    // Equal rows are two uses.
    assert_eq!(took(&table, ""), (3, 0));
    assert_eq!(took(&table, ""), (0, 3), "the same table changes nothing");
    let grown = [("cedar", 9), ("birch", 2), ("acme", 1), ("acme", 1), ("acme", 1)];
    assert_eq!(took(&grown, ""), (2, 3), "one more of acme's, and cedar's; the order means nothing");
    assert_eq!(took(&table, "february"), (3, 0), "another load is another happening");
}

/// Rows are read some at a time, and the columns of so many are held at once; whatever their number, a batch is its rows.
#[test]
fn a_batch_of_many_rows_is_its_rows_and_the_same_in_parts() {
    const ROWS: usize = (1 << 17) + 3;
    let odd = [0, 255, 256, 4_095, 4_096, (1 << 16) - 1, 1 << 16, (1 << 17) + 2];
    let clients = ["a", "b", "c"];
    let rows: Vec<(&str, i32)> =
        (0..ROWS).map(|n| if odd.contains(&n) { ("", 1) } else { (clients[n % 3], 1) }).collect();
    let whole = uses(&rows);
    let mut engine = engine();
    let applied =
        load(&mut engine, EventKind::UsageCounted, std::slice::from_ref(&whole), &options()).unwrap();
    let found: Vec<u64> = applied.rejected.iter().map(|row| row.index).collect();
    assert_eq!(found, odd.map(|n| n as u64));
    // Each client says the same again and again: each time another event.
    assert_eq!((applied.applied, applied.duplicates), ((ROWS - odd.len()) as u64, 0));
    let parts: Vec<RecordBatch> =
        (0..ROWS).step_by(50_000).map(|from| whole.slice(from, 50_000.min(ROWS - from))).collect();
    let again = load(&mut engine, EventKind::UsageCounted, &parts, &options()).unwrap();
    assert_eq!((again.applied, again.duplicates), (0, applied.applied));
    let found: Vec<u64> = again.rejected.iter().map(|row| row.index).collect();
    assert_eq!(found, odd.map(|n| n as u64));
}

#[test]
fn content_is_what_the_row_says_however_it_is_stored() {
    let mut engine = engine();
    load(&mut engine, EventKind::UsageCounted, &[uses(&[("acme", 1)])], &options()).unwrap();
    let stored_otherwise = batch([
        ("subject", texts(["acme"])),
        ("time", Arc::new(TimestampSecondArray::from(vec![1_767_607_200]).with_timezone("UTC")) as ArrayRef),
        ("metric", texts(["m"])),
        ("count", Arc::new(Float32Array::from(vec![1.0]))),
        ("recordedtime", texts(["2026-02-01T00:00:00Z"])),
        ("of_no_interest", texts(["x"])),
    ]);
    let applied = load(&mut engine, EventKind::UsageCounted, &[stored_otherwise], &options()).unwrap();
    assert_eq!((applied.applied, applied.duplicates), (0, 1));
}

#[test]
fn identities_of_rows_stay_what_they_are() {
    // What is in a log keeps its identities for ever. The content is subject, time, sequence and data; the key of its hash
    // is the hash of the load, the source and the type, each behind its length.
    let key = ["crm1", "app", "client.milestone_reached"]
        .map(|part| [&(part.len() as u64).to_le_bytes()[..], part.as_bytes()].concat())
        .concat();
    let content = r#""acme"1767607200000000,0{"milestone":"onboarded"}"#;
    let hash = blake3::keyed_hash(blake3::hash(&key).as_bytes(), content.as_bytes());
    assert_eq!(&hash.to_hex()[..32], "ed5e861c03deb62a37ad327509e47387");
    // The same 16 bytes in base64url.
    let id = "7V6GHAPetio3rTJ1CeRzhw-1";
    let mut engine = engine();
    let row = batch([
        ("subject", texts(["acme"])),
        ("time", texts(["2026-01-05T10:00:00Z"])),
        ("milestone", texts(["onboarded"])),
    ]);
    let options = TableOptions { load: "crm1".to_owned(), ..options() };
    load(&mut engine, EventKind::MilestoneReached, &[row], &options).unwrap();
    let line = format!(
        r#"{{"id":"{id}","source":"app","type":"client.milestone_reached","subject":"acme","time":"2026-01-05T10:00:00Z","data":{{"milestone":"onboarded"}}}}"#
    );
    assert_eq!(engine.fingerprint(), super::of_lines(super::engine(), &[line]));
}

#[test]
fn rows_of_a_wide_table_are_skipped_where_nothing_happened() {
    let invoices = batch([
        ("client", texts(["acme", "birch", "cedar"])),
        ("invoice", texts(["1", "2", "3"])),
        (
            "paid_at",
            Arc::new(StringArray::from(vec![Some("2026-01-05T10:00:00Z"), None, Some("then")])) as ArrayRef,
        ),
    ]);
    let columns = [("subject".to_owned(), column("client")), ("time".to_owned(), column("paid_at"))];
    let plain = TableOptions { columns: columns.into(), ..options() };
    let applied =
        load(&mut engine(), EventKind::InvoicePaid, std::slice::from_ref(&invoices), &plain).unwrap();
    assert_eq!((applied.applied, applied.skipped, applied.rejected_count()), (1, 0, 2));
    let skipping = TableOptions { skip_without_time: true, ..plain };
    let applied = load(&mut engine(), EventKind::InvoicePaid, &[invoices], &skipping).unwrap();
    assert_eq!((applied.applied, applied.skipped, applied.rejected[0].index), (1, 1, 2));
}

/// A date is of its own day, also where the table's zone begins it on the engine's day before.
#[test]
fn a_date_is_of_its_day_in_whatever_zone_it_begins() {
    let on = |date: &str| date.parse().unwrap();
    let rows = batch([
        ("subject", texts(["acme", "birch", "cedar"])),
        // 4, 5 and 6 January 2026, counted from 1970.
        ("time", Arc::new(Date32Array::from(vec![20_457, 20_458, 20_459])) as ArrayRef),
        ("milestone", texts(["a", "b", "c"])),
        ("metric", texts(["m", "m", "m"])),
    ]);
    for kind in [EventKind::MilestoneReached, EventKind::UsageCounted] {
        for timezone in ["Europe/Berlin", "America/New_York", "UTC"] {
            let days = Some((on("2026-01-05"), on("2026-01-06")));
            let options = TableOptions { days, timezone: Some(timezone.to_owned()), ..options() };
            let mut engine = engine();
            let applied = load(&mut engine, kind, std::slice::from_ref(&rows), &options).unwrap();
            assert_eq!((applied.applied, applied.skipped), (1, 2), "{kind} {timezone}");
            let clients: Vec<&str> = engine.clients().map(|client| client.as_str()).collect();
            assert_eq!(clients, ["birch"], "{kind} {timezone}");
        }
    }
}

#[test]
fn days_outside_are_skipped() {
    let day = |text: &str| text.parse().unwrap();
    let days = Some((day("2026-01-05"), day("2026-01-06")));
    let options = TableOptions { days, timezone: Some("UTC".to_owned()), ..options() };
    let times =
        ["2026-01-04T23:59:59Z", "2026-01-05T00:00:00Z", "2026-01-05T23:59:59Z", "2026-01-06T00:00:00Z"];
    let seconds = [1_767_571_199, 1_767_571_200, 1_767_657_599, 1_767_657_600];
    let columns: [ArrayRef; 3] = [
        texts(times),
        Arc::new(TimestampSecondArray::from(seconds.to_vec())),
        Arc::new(Date32Array::from(vec![20_457, 20_458, 20_458, 20_459])),
    ];
    for times in columns {
        let table =
            batch([("subject", texts(["a", "b", "c", "d"])), ("time", times), ("metric", texts(["m"; 4]))]);
        let mut engine = engine();
        let applied = load(&mut engine, EventKind::UsageCounted, &[table], &options).unwrap();
        assert_eq!((applied.applied, applied.skipped), (2, 2));
        let clients: Vec<&str> = engine.clients().map(|client| client.as_str()).collect();
        assert_eq!(clients, ["b", "c"]);
    }
    // A roll-up is of its day, whenever it was told.
    let columns: [ArrayRef; 2] =
        [texts(["2026-01-04", "2026-01-05"]), Arc::new(Date32Array::from(vec![20_457, 20_458]))];
    for days in columns {
        let table = batch([
            ("subject", texts(["a", "b"])),
            ("time", texts(["2026-02-01T00:00:00Z"; 2])),
            ("metric", texts(["m"; 2])),
            ("day", days),
            ("count", Arc::new(Int32Array::from(vec![1, 1]))),
        ]);
        let applied = load(&mut engine(), EventKind::UsageDaySet, &[table], &options).unwrap();
        assert_eq!((applied.applied, applied.skipped), (1, 1));
    }
}

#[test]
fn strict_is_all_or_nothing() {
    let table = batch([
        ("id", texts(["1", "2", "1"])),
        ("subject", texts(["acme", "acme", "birch"])),
        ("time", texts(["2026-01-05T10:00:00Z"; 3])),
        ("metric", texts(["m"; 3])),
    ]);
    let strict = TableOptions { strict: true, ..options() };
    let mut engine = engine();
    let before = engine.fingerprint();
    // The third has the identity of the first and another content.
    let error =
        load(&mut engine, EventKind::UsageCounted, std::slice::from_ref(&table), &strict).unwrap_err();
    assert_eq!(error.code(), "conflicting_event");
    assert!(matches!(error, TableError::Strict { index: 2, .. }), "{error}");
    assert_eq!(engine.fingerprint(), before);
    let applied = load(&mut engine, EventKind::UsageCounted, &[table.slice(0, 2)], &strict).unwrap();
    assert_eq!(applied.applied, 2);
}

#[test]
fn constants_fill_every_row() {
    let table = batch([("subject", texts(["acme", "birch"]))]);
    let constant = |name: &str, value: serde_json::Value| (name.to_owned(), Fill::Constant(value));
    let columns = [
        constant("time", "2026-01-05T10:00:00Z".into()),
        constant("attributes.size", 3.into()),
        constant("tags", serde_json::json!(["imported"])),
        constant("source", "crm".into()),
        constant("name", serde_json::Value::Null),
    ];
    let options = TableOptions { columns: columns.into(), ..TableOptions::default() };
    let mut engine = engine();
    let applied = load(&mut engine, EventKind::ClientSet, &[table], &options).unwrap();
    assert_eq!((applied.applied, applied.rejected), (2, vec![]));
    let attribute = SignalSpec::from_json(r#"{"kind": "attribute", "key": "size"}"#).unwrap();
    let reading = engine.signal(&"birch".into(), &attribute, engine.zone().as_of("2026-01-05").unwrap());
    assert_eq!(reading.unwrap().value(), Some(3.0));
}

#[test]
fn rows_before_a_batch_that_fails_are_in_unless_all_or_nothing_was_asked_for() {
    let rows = uses(&[("acme", 1)]);
    let other = batch([("subject", texts(["birch"]))]);
    for strict in [false, true] {
        let options = TableOptions { strict, ..options() };
        // A batch that cannot be had, and one of another table.
        let failing = [Err(ArrowError::IpcError("cut off".to_owned())), Ok(other.clone())];
        for second in failing {
            let mut engine = engine();
            let table = RecordBatchIterator::new([Ok(rows.clone()), second], rows.schema());
            let error = engine.apply_table(EventKind::UsageCounted, table, &options).unwrap_err();
            assert_eq!(error.code(), "unreadable_table");
            assert_eq!(engine.clients().count(), usize::from(!strict));
        }
    }
}

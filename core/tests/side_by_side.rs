//! Tables that several threads take in, each the rows of its own clients: the same state, the same refusals and the same counts as
//! one thread finds, whatever the book held before. Who keeps no identities loads so.

#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside of test functions")]
#![allow(clippy::indexing_slicing, clippy::panic, reason = "a test fails by a panic")]

use healthfold::table::arrow_array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, StringArray, StringViewArray,
    TimestampMicrosecondArray,
};
use healthfold::table::arrow_schema::ArrowError;
use healthfold::table::{Fill, TableOptions};
use healthfold::{
    Applied, Dedupe, Engine, Event, EventKind, Limits, Model, ReadOptions, ScoresOf, Settings, TableError,
};
use proptest::prelude::*;
use std::sync::Arc;

/// 2026-01-01T00:00:00Z in microseconds.
const JANUARY: i64 = 1_767_225_600_000_000;
const DAY: i64 = 86_400_000_000;
/// Enough rows for threads to share.
const ROWS: i64 = 9_001;

fn with<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

fn upstream(limits: Limits) -> Engine {
    Engine::new(Settings { dedupe: Dedupe::Upstream, limits, ..Settings::default() }).unwrap()
}

fn tell(engine: &mut Engine, event: &serde_json::Value) {
    assert!(engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap()).unwrap());
}

/// What a load may find: nothing, clients who are in the table and others, one who was erased, one who was merged before or after it
/// was heard of, something taken back, a seal.
const BEFORE: usize = 7;

fn begun(before: usize, limits: Limits) -> Engine {
    let mut engine = upstream(limits);
    let mut told = |id: &str, kind: &str, subject: &str, data: serde_json::Value| {
        let event = serde_json::json!({"id": id, "source": "crm", "type": kind, "subject": subject,
            "time": "2025-12-30T08:00:00Z", "data": data});
        tell(&mut engine, &event);
    };
    let subscription = serde_json::json!({"subscription": "s", "status": "active", "amount": "10", "currency": "USD",
        "interval": {"unit": "month"}});
    if before > 0 {
        for client in ["c-1", "c-2", "c-3", "nobody else"] {
            told(client, "client.sentiment_set", client, serde_json::json!({"value": 40}));
            told(client, "support.ticket_opened", client, serde_json::json!({"ticket": "before"}));
        }
    }
    match before {
        2 => told("e", "client.erased", "c-1", serde_json::json!({})),
        3 => told("m", "client.merged_into", "c-2", serde_json::json!({"into": "c-3"})),
        4 => told("m", "client.merged_into", "c-2", serde_json::json!({"into": "c-77"})),
        5 => {
            told("x", "billing.subscription_set", "c-3", subscription);
            let data = serde_json::json!({"source": "crm", "id": "x", "type": "billing.subscription_set"});
            told("r", "event.retracted", "c-3", data);
        }
        6 => engine.seal("2026-01-09T00:00:00Z".parse().unwrap()).unwrap(),
        _ => {}
    }
    engine
}

fn texts(text: impl Fn(i64) -> Option<String>, rows: i64, views: bool) -> ArrayRef {
    let texts = (0..rows).map(text);
    if views {
        Arc::new(texts.collect::<StringViewArray>())
    } else {
        Arc::new(texts.collect::<StringArray>())
    }
}

fn times(rows: i64) -> ArrayRef {
    let times = (0..rows).map(|row| (row % 499 != 7).then_some(JANUARY + row * 7 % 40 * DAY + row));
    Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

/// Names of clients, few of them none that a row may have.
fn client(row: i64) -> Option<String> {
    match row {
        _ if row % 1_201 == 5 => None,
        _ if row % 1_409 == 5 => Some(String::new()),
        _ if row % 1_511 == 5 => Some("c\0".to_owned()),
        _ if row % 1_601 == 5 => Some("c".repeat(3_000)),
        _ => Some(format!("c-{}", row * 7_919 % 257)),
    }
}

fn batch<'n>(columns: impl IntoIterator<Item = (&'n str, ArrayRef)>) -> RecordBatch {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn usage(views: bool) -> RecordBatch {
    batch([
        ("subject", texts(client, ROWS, views)),
        ("time", times(ROWS)),
        ("metric", texts(|row| (row % 977 != 3).then(|| format!("m-{}", row % 6)), ROWS, views)),
        ("user", texts(|row| (row % 3 > 0).then(|| format!("u-{}", row % 19)), ROWS, views)),
        ("count", Arc::new((0..ROWS).map(|row| row % 11 - 1).collect::<Int64Array>())),
    ])
}

fn tickets() -> RecordBatch {
    batch([
        ("subject", texts(client, ROWS, true)),
        ("time", times(ROWS)),
        ("ticket", texts(|row| (row % 613 != 1).then(|| format!("t-{}", row % 50)), ROWS, false)),
    ])
}

fn options() -> TableOptions {
    let day = |day: &str| day.parse().unwrap();
    TableOptions {
        source: Some("warehouse".into()),
        skip_without_time: true,
        days: Some((day("2026-01-04"), day("2026-02-05"))),
        ..TableOptions::default()
    }
}

fn load(engine: &mut Engine, kind: EventKind, batches: &[RecordBatch], options: &TableOptions) -> Applied {
    let table = RecordBatchIterator::new(batches.iter().cloned().map(Ok), batches[0].schema());
    engine.apply_table(kind, table, options).unwrap()
}

/// Everything that is known, and what is made of it.
fn told(engine: &Engine) -> (String, String, Vec<String>) {
    let as_of = engine.zone().as_of("2026-02-01").unwrap();
    let scores = engine.scores(&Model::default(), as_of, ScoresOf::All);
    let clients = engine.clients().map(ToString::to_string).collect();
    (engine.fingerprint(), serde_json::to_string(&scores).unwrap(), clients)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_threads_take_in_side_by_side_is_what_one_takes_in(
        before in 0..BEFORE,
        threads in 2..9usize,
        metrics in prop::sample::select(vec![4, 10_000]),
        ids in prop::sample::select(vec![9, 10_000]),
        views in any::<bool>(),
    ) {
        let limits = Limits { metrics, ids };
        let loaded = || {
            let mut engine = begun(before, limits);
            let more = usage(views);
            // Two batches, the last of them short, and again to clients who are known by then.
            let first = load(&mut engine, EventKind::UsageCounted, &[more.clone(), more.slice(100, 700)], &options());
            let second = load(&mut engine, EventKind::TicketOpened, &[tickets()], &options());
            let third = load(&mut engine, EventKind::UsageCounted, &[more.slice(50, 8_500)], &options());
            (first, second, third, told(&engine))
        };
        let alone = with(1, loaded);
        prop_assert!(alone.0.applied > 5_000 || metrics == 4);
        prop_assert!(alone.0.rejected_count() > 5 && alone.0.skipped > 1_000, "{} {}", alone.0.rejected_count(), alone.0.skipped);
        prop_assert_eq!(&with(threads, loaded), &alone);
        // By a thread that is none of the pool.
        prop_assert_eq!(loaded(), alone);
    }
}

#[test]
fn side_by_side_a_table_is_its_events() {
    // The rows as lines, one by one.
    let mut lines = String::new();
    let mut expected = 0;
    for row in 0..ROWS {
        let day = row * 7 % 40;
        if row % 499 == 7 || !(3..35).contains(&day) {
            continue;
        }
        let Some(client) = client(row).filter(|client| client.starts_with("c-")) else { continue };
        if row % 977 == 3 {
            continue;
        }
        expected += 1;
        let mut data = serde_json::json!({"metric": format!("m-{}", row % 6), "count": row % 11 - 1});
        if row % 3 > 0 {
            data["user"] = format!("u-{}", row % 19).into();
        }
        let (month, of_month) = if day < 31 { (1, day + 1) } else { (2, day - 30) };
        let time = format!("2026-{month:02}-{of_month:02}T00:00:00.{row:06}Z");
        let event = serde_json::json!({"id": row.to_string(), "source": "warehouse", "type": "usage.counted",
            "subject": client, "time": time, "data": data});
        lines.push_str(&event.to_string());
        lines.push('\n');
    }
    let mut of_lines = upstream(Limits::default());
    assert_eq!(of_lines.apply_ndjson(lines.as_bytes(), &ReadOptions::default()).unwrap().rejected, []);
    for threads in [2, 3, 5] {
        let (applied, engine) = with(threads, || {
            let mut engine = upstream(Limits::default());
            (load(&mut engine, EventKind::UsageCounted, &[usage(true)], &options()), engine)
        });
        assert_eq!(applied.applied, expected);
        assert_eq!(told(&engine), told(&of_lines), "{threads} threads");
        assert_eq!(engine.span(), of_lines.span());
    }
}

#[test]
fn a_client_whose_name_stands_in_columns_of_different_kinds_is_one() {
    let numbers = |rows: i64| -> ArrayRef { Arc::new((0..rows).map(|row| row % 90).collect::<Int64Array>()) };
    let columns = |client: ArrayRef| {
        batch([
            ("subject", client),
            ("time", times(ROWS)),
            ("ticket", texts(|row| Some(format!("t-{}", row % 7)), ROWS, false)),
        ])
    };
    let loaded = || {
        let mut engine = upstream(Limits::default());
        load(&mut engine, EventKind::TicketOpened, &[columns(numbers(ROWS))], &options());
        let names = texts(|row| Some((row % 90).to_string()), ROWS, false);
        load(&mut engine, EventKind::TicketResolved, &[columns(names)], &options());
        told(&engine)
    };
    let alone = with(1, loaded);
    assert_eq!(alone.2.len(), 90);
    assert_eq!(with(2, loaded), alone);
}

#[test]
fn a_table_that_breaks_off_loses_nobody() {
    let broken = |engine: &mut Engine| {
        let (rows, schema) = (usage(false), usage(false).schema());
        let damaged = Err(ArrowError::ParseError("torn".to_owned()));
        let batches = [Ok(rows.clone()), Ok(rows.slice(0, 3_000)), damaged, Ok(rows)];
        let table = RecordBatchIterator::new(batches, schema);
        match engine.apply_table(EventKind::UsageCounted, table, &options()) {
            Err(TableError::Unreadable { what }) => assert!(what.contains("torn"), "{what}"),
            other => panic!("{other:?}"),
        }
    };
    let loaded = || {
        let mut engine = begun(1, Limits::default());
        broken(&mut engine);
        let first = told(&engine);
        // And it goes on from there.
        load(&mut engine, EventKind::TicketOpened, &[tickets()], &options());
        (first, told(&engine))
    };
    let alone = with(1, loaded);
    assert!(alone.0.2.len() > 250);
    assert_eq!(with(2, loaded), alone);
    assert_eq!(with(4, loaded), alone);
}

#[test]
fn a_batch_with_other_columns_is_an_error_for_all() {
    for threads in [1, 2] {
        let result = with(threads, || {
            let rows = usage(false);
            let other =
                batch([("subject", texts(client, ROWS, false)), ("time", texts(client, ROWS, false))]);
            let table = RecordBatchIterator::new([Ok(rows.clone()), Ok(other)], rows.schema());
            upstream(Limits::default()).apply_table(
                EventKind::UsageCounted,
                table,
                &TableOptions {
                    columns: [("metric".to_owned(), Fill::Constant("m".into()))].into(),
                    ..options()
                },
            )
        });
        assert!(matches!(result, Err(TableError::Unreadable { .. })), "{result:?}");
    }
}

#[test]
fn who_watches_sees_what_threads_would_take_in() {
    let loaded = || {
        let mut engine = begun(1, Limits::default());
        let as_of = engine.zone().as_of("2026-02-01").unwrap();
        let mut watch = engine.watch(&Model::default(), as_of, ScoresOf::All, None).unwrap();
        load(&mut engine, EventKind::UsageCounted, &[usage(true)], &options());
        watch.refresh(&engine, as_of).unwrap();
        let client = "c-9".into();
        assert_eq!(
            watch.score(&client).map(|(score, _)| score),
            Some(engine.score(&client, &Model::default(), as_of).unwrap().score)
        );
        told(&engine)
    };
    assert_eq!(with(2, loaded), with(1, loaded));
}

/// Invoices, each row of which tells when it was issued and, of most, when it was paid.
#[cfg(feature = "parquet")]
#[test]
fn a_file_that_tells_of_several_things_is_the_same_to_all_threads() {
    use healthfold::table::Bytes;
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::WriterProperties;

    const INVOICES: i64 = 30_000;
    let paid = (0..INVOICES).map(|row| (row % 5 > 0).then_some(JANUARY + (row % 40 + 9) * DAY));
    let rows = batch([
        ("client", texts(client, INVOICES, false)),
        ("invoice", texts(|row| (row % 701 != 9).then(|| format!("i-{}", row % 9_000)), INVOICES, false)),
        ("amount", Arc::new((0..INVOICES).map(|row| row % 97 + 1).collect::<Int64Array>())),
        ("issued_at", times(INVOICES)),
        ("paid_at", Arc::new(paid.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))),
    ]);
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(7_000)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    let file = Bytes::from(writer.into_inner().unwrap());
    let column = |field: &str, name: &str| (field.to_owned(), Fill::Column(name.to_owned()));
    let constant = |field: &str, value: &str| (field.to_owned(), Fill::Constant(value.into()));
    let kind = |time: &str, source: &str, more: Vec<(String, Fill)>| TableOptions {
        columns: [column("subject", "client"), column("time", time)].into_iter().chain(more).collect(),
        source: Some(source.into()),
        days: None,
        ..options()
    };
    let issued = vec![constant("currency", "USD"), constant("due", "2026-02-01")];
    let kinds = [
        (EventKind::InvoiceIssued, kind("issued_at", "issued", issued)),
        (EventKind::InvoicePaid, kind("paid_at", "paid", vec![])),
    ];
    for ids in [20, 65_535] {
        let loaded = || {
            let mut engine = begun(1, Limits { ids, ..Limits::default() });
            let applied = engine.apply_parquet_each(&kinds, file.clone()).unwrap();
            (applied, told(&engine))
        };
        let alone = with(1, loaded);
        let all = 30_000 - 61 - alone.0[0].rejected_count();
        assert_eq!(alone.0[0].applied, all, "61 rows were issued at no time");
        assert_eq!((alone.0[0].skipped, alone.0[1].skipped), (61, 6_000));
        assert_eq!(alone.0[0].rejected_by_code.contains_key("limit_exceeded"), ids == 20);
        for threads in [2, 3, 8] {
            assert_eq!(with(threads, loaded), alone, "{threads} threads");
        }
    }
    // Whoever looks on may end it, and what was read before is in.
    let stopped = || {
        let mut engine = begun(1, Limits::default());
        let look = |done: u64, _: u64| {
            if done >= 16_384 { Err(ArrowError::ComputeError("enough".to_owned())) } else { Ok(()) }
        };
        let result = engine.apply_parquet_each_watched(&kinds, file.clone(), look);
        assert!(matches!(result, Err(TableError::Unreadable { .. })), "{result:?}");
        told(&engine)
    };
    assert_eq!(with(2, stopped), with(1, stopped));
}

#[test]
fn a_limit_that_threads_came_near_holds_for_the_next_rows() {
    let rows = |rows: i64, metric: fn(i64) -> i64| {
        batch([
            ("subject", texts(|row| Some(format!("c-{}", row % 50)), rows, true)),
            ("time", times(rows)),
            ("metric", texts(move |row| Some(format!("m-{}", metric(row))), rows, true)),
        ])
    };
    let loaded = || {
        let mut engine = upstream(Limits { metrics: 10, ..Limits::default() });
        let most = load(&mut engine, EventKind::UsageCounted, &[rows(ROWS, |row| row / 50 % 9)], &options());
        // Three more would make twelve.
        let few =
            load(&mut engine, EventKind::UsageCounted, &[rows(450, |row| 100 + row / 50 % 3)], &options());
        (most.rejected_count(), few, told(&engine))
    };
    let alone = with(1, loaded);
    assert_eq!(alone.0, 0);
    assert!(alone.1.rejected_by_code["limit_exceeded"] > 100, "{:?}", alone.1.rejected_by_code);
    assert_eq!(with(2, loaded), alone);
}

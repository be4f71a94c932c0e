//! Counted usage where nobody keeps identities: taken in from the columns, and the same as its events one by one.

use super::{batch, column, load, options, upstream};
use healthfold::table::arrow_array::types::Int16Type;
use healthfold::table::arrow_array::{
    ArrayRef, DictionaryArray, Int64Array, LargeStringArray, StringArray, StringViewArray,
    TimestampMicrosecondArray,
};
use healthfold::table::{Fill, TableOptions};
use healthfold::{Dedupe, Engine, Event, EventKind, Limits, ReadOptions, Settings};
use proptest::prelude::*;
use std::sync::Arc;

/// 2026-03-01T00:00:00Z in microseconds.
const MARCH: i64 = 1_772_323_200_000_000;
const HOUR: i64 = 3_600_000_000;

/// What a row says, some of it odd.
#[derive(Clone, Debug)]
struct Row {
    subject: Option<String>,
    hours: i64,
    metric: Option<String>,
    user: Option<String>,
    count: Option<i64>,
}

/// Names, of which so many in a thousand are odd.
fn names(odd: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        600 => "[a-d]",
        300 => "[a-c]{2}-[0-9]{1,9}",
        // Longer than what stands in a view itself, and alike at its beginning.
        100 => "the one of many [0-9]",
        1 + odd => Just("\u{e9}".to_owned()),
        odd => prop::sample::select(vec!["", "with\0nul"]).prop_map(str::to_owned),
    ]
}

fn row(odd: u32) -> impl Strategy<Value = Row> {
    let count = prop_oneof![900 => (-3i64..9).prop_map(Some), 100 => Just(None), odd => Just(Some(i64::MAX))];
    let stated = move || prop::option::weighted(0.999_9 - f64::from(odd) / 2_000.0, names(odd));
    (stated(), 0..400i64, stated(), prop::option::of(names(odd)), count)
        .prop_map(|(subject, hours, metric, user, count)| Row { subject, hours, metric, user, count })
}

/// Rows of which none is odd, few are, or many.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::sample::select(vec![0, 1, 50]).prop_flat_map(|odd| prop::collection::vec(row(odd), 1..600))
}

/// Texts in one of the layouts that a table may have.
fn texts(values: Vec<Option<&str>>, layout: usize) -> ArrayRef {
    match layout % 4 {
        0 => Arc::new(StringArray::from(values)),
        1 => Arc::new(LargeStringArray::from(values)),
        2 => Arc::new(StringViewArray::from(values)),
        _ => Arc::new(values.into_iter().collect::<DictionaryArray<Int16Type>>()),
    }
}

/// The row as a line, for who reads events one by one.
fn line(row: &Row, id: usize) -> String {
    let time = time_of(row.hours);
    let member = |name: &str, value: serde_json::Value| (name.to_owned(), value);
    let text =
        |name: &str, text: &Option<String>| text.as_ref().map(|text| member(name, text.as_str().into()));
    let count = row.count.map(|count| member("count", count.into()));
    let data: serde_json::Map<_, _> =
        [text("metric", &row.metric), count, text("user", &row.user)].into_iter().flatten().collect();
    let head = [
        Some(member("id", id.to_string().into())),
        Some(member("source", "app".into())),
        Some(member("type", "usage.counted".into())),
        text("subject", &row.subject),
        Some(member("time", time.into())),
        Some(member("data", data.into())),
    ];
    serde_json::Value::from(head.into_iter().flatten().collect::<serde_json::Map<_, _>>()).to_string()
}

/// So many hours behind the first of March.
fn time_of(hours: i64) -> String {
    let (day, hour) = (hours / 24, hours % 24);
    format!("2026-03-{:02}T{hour:02}:00:00Z", day + 1)
}

fn table(rows: &[Row], layouts: [usize; 3]) -> healthfold::table::arrow_array::RecordBatch {
    let of = |of: fn(&Row) -> Option<&str>, layout| texts(rows.iter().map(of).collect(), layout);
    let times: TimestampMicrosecondArray = rows.iter().map(|row| Some(MARCH + row.hours * HOUR)).collect();
    batch([
        ("subject", of(|row| row.subject.as_deref(), layouts[0])),
        ("time", Arc::new(times.with_timezone("UTC"))),
        ("metric", of(|row| row.metric.as_deref(), layouts[1])),
        ("user", of(|row| row.user.as_deref(), layouts[2])),
        ("count", Arc::new(rows.iter().map(|row| row.count).collect::<Int64Array>())),
    ])
}

/// What was there before: nothing, a client who was erased, or a seal before the sixth of March.
fn begun(before: u8, metrics: u32) -> Engine {
    let limits = Limits { metrics, ..Limits::default() };
    let settings = Settings { dedupe: Dedupe::Upstream, limits, ..Settings::default() };
    let mut engine = Engine::new(settings).unwrap();
    if before == 1 {
        let erased = br#"{"id":"e","source":"gdpr","type":"client.erased","subject":"a","time":"2026-03-02T00:00:00Z","data":{}}"#;
        engine.apply(&Event::from_json(erased).unwrap()).unwrap();
    }
    if before == 2 {
        engine.seal("2026-03-06T00:00:00Z".parse().unwrap()).unwrap();
    }
    engine
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn columns_of_counts_are_their_events(
        rows in rows(),
        layouts in [0..4usize, 0..4usize, 0..4usize],
        before in 0..3u8,
        metrics in prop::sample::select(vec![2, 5, 10_000]),
    ) {
        let (mut tables, mut expected) = (begun(before, metrics), begun(before, metrics));
        let lines: Vec<String> = rows.iter().zip(0..).map(|(row, id)| line(row, id)).collect();
        let read = expected.apply_ndjson(lines.join("\n").as_bytes(), &ReadOptions::default()).unwrap();
        let applied =
            load(&mut tables, EventKind::UsageCounted, &[table(&rows, layouts)], &options()).unwrap();
        let told = |applied: &healthfold::Applied| {
            applied.rejected.iter().map(|row| (row.index, row.error.clone())).collect::<Vec<_>>()
        };
        prop_assert_eq!(told(&applied), told(&read));
        prop_assert_eq!(applied.applied, read.applied);
        prop_assert_eq!(tables.fingerprint(), expected.fingerprint());
    }
}

fn sound(rows: usize) -> Vec<Row> {
    let row = |n: usize| Row {
        subject: Some(format!("c-{}", n % 7)),
        hours: i64::try_from(n % 300).unwrap(),
        metric: Some(format!("metric number {}", n % 3)),
        user: (!n.is_multiple_of(4)).then(|| format!("u-{}", n % 5)),
        count: Some(1),
    };
    (0..rows).map(row).collect()
}

#[test]
fn metrics_may_be_as_many_as_the_rows() {
    let (mut few, mut many) = (sound(600), sound(600));
    for (row, number) in few.iter_mut().chain(&mut many).zip(0..) {
        row.metric = Some(format!("m{}", if number < 600 { number % 60 } else { number }));
    }
    for rows in [few, many] {
        let mut engine = upstream();
        let lines: Vec<String> = rows.iter().zip(0..).map(|(row, id)| line(row, id)).collect();
        let options = options();
        let applied = load(&mut engine, EventKind::UsageCounted, &[table(&rows, [2; 3])], &options).unwrap();
        assert_eq!((applied.applied, engine.fingerprint()), (600, super::of_lines(upstream(), &lines)));
    }
}

#[test]
fn ids_sequences_and_sources_of_rows_must_be_sound_though_nobody_keeps_them() {
    let rows = sound(600);
    let mut expected = upstream();
    load(&mut expected, EventKind::UsageCounted, &[table(&rows, [2; 3])], &options()).unwrap();
    let with = |name: &'static str, cells: ArrayRef| {
        let table = table(&rows, [2; 3]);
        let columns = table.schema();
        let columns = columns.fields().iter().zip(table.columns());
        let columns = columns.map(|(field, cells)| (field.name().as_str(), cells.clone()));
        batch(columns.chain([(name, cells)]))
    };
    let numbered = |prefix: &str, odd: Option<usize>| -> ArrayRef {
        let cell = |n: usize| (Some(n) != odd).then(|| format!("{prefix}{n}"));
        Arc::new((0..600).map(cell).collect::<StringArray>())
    };
    let same = |name, cells, options: &TableOptions, applied| {
        let mut engine = upstream();
        let became = load(&mut engine, EventKind::UsageCounted, &[with(name, cells)], options).unwrap();
        assert_eq!(became.applied, applied, "{name}");
        assert_eq!(became.rejected_count(), 600 - applied, "{name}");
        engine
    };
    let whole = |odd: Option<i64>| -> ArrayRef {
        Arc::new((0..600).map(|n| Some(if Some(n) == odd { -5 } else { n })).collect::<Int64Array>())
    };
    let fingerprint = expected.fingerprint();
    assert_eq!(same("id", numbered("e-", None), &options(), 600).fingerprint(), fingerprint);
    assert_eq!(same("sequence", whole(None), &options(), 600).fingerprint(), fingerprint);
    assert_ne!(same("id", numbered("e-", Some(300)), &options(), 599).fingerprint(), fingerprint);
    let of_column = TableOptions {
        columns: [("source".to_owned(), column("told_by"))].into(),
        ..TableOptions::default()
    };
    let of_all = TableOptions {
        columns: [("source".to_owned(), Fill::Constant("app".into()))].into(),
        ..TableOptions::default()
    };
    let told_by: ArrayRef = Arc::new(StringArray::from(vec!["app"; 600]));
    assert_eq!(same("told_by", told_by.clone(), &of_column, 600).fingerprint(), fingerprint);
    assert_eq!(same("told_by", told_by, &of_all, 600).fingerprint(), fingerprint);
}

#[test]
fn all_or_nothing_holds_for_columns_of_counts_too() {
    let mut rows = sound(600);
    let strict = TableOptions { strict: true, ..options() };
    let mut engine = upstream();
    let kind = EventKind::UsageCounted;
    assert_eq!(load(&mut engine, kind, &[table(&rows, [2; 3])], &strict).unwrap().applied, 600);
    let before = engine.fingerprint();
    rows[599].count = Some(i64::MAX);
    let refused = load(&mut engine, kind, &[table(&rows, [2; 3])], &strict).unwrap_err();
    assert!(refused.to_string().contains("599"), "{refused}");
    assert_eq!(engine.fingerprint(), before);
}

#[test]
fn of_a_table_in_any_order_the_days_asked_are_in() {
    let mut rows = sound(6_000);
    let days = Some(("2026-03-03".parse().unwrap(), "2026-03-05".parse().unwrap()));
    let asked = |rows: &[Row]| {
        let mut engine = upstream();
        let options = TableOptions { days, ..options() };
        let applied = load(&mut engine, EventKind::UsageCounted, &[table(rows, [2; 3])], &options).unwrap();
        (applied.applied, applied.skipped, engine.fingerprint())
    };
    let within: Vec<Row> = rows.iter().filter(|row| (48..96).contains(&row.hours)).cloned().collect();
    let mut expected = upstream();
    load(&mut expected, EventKind::UsageCounted, &[table(&within, [0; 3])], &options()).unwrap();
    let as_they_came = asked(&rows);
    assert_eq!(as_they_came, (within.len() as u64, 6_000 - within.len() as u64, expected.fingerprint()));
    rows.sort_by_key(|row| row.hours);
    assert_eq!(asked(&rows), as_they_came);
}

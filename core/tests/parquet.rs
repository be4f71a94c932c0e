//! Parquet files give what their rows give; only what can matter is read, and a damaged file is an error.

#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside of test functions")]
#![allow(clippy::indexing_slicing, reason = "a test fails by a panic")]

use healthfold::table::arrow_array::*;
use healthfold::table::arrow_schema::ArrowError;
use healthfold::table::{Bytes, Fill, TableOptions};
use healthfold::{Engine, EventKind, Settings, TableError};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::sync::Arc;

fn engine() -> Engine {
    Engine::new(Settings::default()).unwrap()
}

/// 100 uses, four a day from 1 January 2026 on, in the order of time; the last is bad.
fn uses() -> RecordBatch {
    let hours = |row: i64| 1_767_225_600 + row * 6 * 3_600;
    let times = TimestampMillisecondArray::from_iter_values((0..100).map(|row| hours(row) * 1_000));
    let counts = Decimal128Array::from_iter_values((1..100).chain([i128::pow(10, 30)]));
    let columns: [(&str, ArrayRef); 5] = [
        ("unread", Arc::new(BinaryArray::from_iter_values((0..100).map(|_| b"blob")))),
        (
            "client",
            Arc::new(StringArray::from_iter_values((0..100).map(|row| format!("client-{}", row % 7)))),
        ),
        ("at", Arc::new(times)),
        ("metric", Arc::new(StringArray::from_iter_values((0..100).map(|row| ["m", "n"][row % 2])))),
        ("count", Arc::new(counts.with_precision_and_scale(38, 0).unwrap())),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn file(batch: &RecordBatch, compression: Compression) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(16))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

fn options() -> TableOptions {
    let column = |name: &str| Fill::Column(name.to_owned());
    TableOptions {
        columns: [("subject".to_owned(), column("client")), ("time".to_owned(), column("at"))].into(),
        source: Some("app".into()),
        timezone: Some("UTC".to_owned()),
        ..TableOptions::default()
    }
}

fn of_table(options: &TableOptions) -> (Engine, healthfold::Applied) {
    let mut engine = engine();
    let batch = uses();
    let schema = batch.schema();
    let table = RecordBatchIterator::new([Ok(batch)], schema);
    let applied = engine.apply_table(EventKind::UsageCounted, table, options).unwrap();
    (engine, applied)
}

/// Invoices of which most were paid; the third was never issued, and of the last the time of payment is no time at all.
fn invoices() -> RecordBatch {
    let day = |row: i64| 1_767_225_600_000 + row * 86_400_000;
    let issued = (0..50).map(|row| (row != 2).then(|| day(row)));
    let paid = (0..50).map(|row| match row {
        49 => Some(i64::MAX),
        row => (row % 5 != 0).then(|| day(row + 3)),
    });
    let texts = |name: &str, of: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..50).map(|row| format!("{name}-{}", row % of))))
    };
    let amounts = Decimal128Array::from_iter_values(100..150).with_precision_and_scale(38, 2).unwrap();
    let columns: [(&str, ArrayRef); 5] = [
        ("invoice", texts("i", 50)),
        ("subject", texts("client", 7)),
        ("issued_at", Arc::new(TimestampMillisecondArray::from_iter(issued).with_timezone("UTC"))),
        ("paid_at", Arc::new(TimestampMillisecondArray::from_iter(paid).with_timezone("UTC"))),
        ("amount", Arc::new(amounts)),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn issued_and_paid(strict: bool) -> [(EventKind, TableOptions); 2] {
    let options = |time: &str, source: &str, days: Option<(&str, &str)>| TableOptions {
        columns: [
            ("time".to_owned(), Fill::Column(time.to_owned())),
            ("due".to_owned(), Fill::Constant("2026-06-01".into())),
            ("currency".to_owned(), Fill::Constant("USD".into())),
        ]
        .into_iter()
        .take(if source == "issued" { 3 } else { 1 })
        .collect(),
        source: Some(source.into()),
        skip_without_time: true,
        days: days.map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap())),
        strict,
        ..TableOptions::default()
    };
    [
        (EventKind::InvoiceIssued, options("issued_at", "issued", Some(("2026-01-01", "2026-01-30")))),
        (EventKind::InvoicePaid, options("paid_at", "paid", None)),
    ]
}

#[test]
fn a_file_that_tells_of_several_things_is_each_of_its_tables() {
    let bytes = || Bytes::from(file(&invoices(), Compression::SNAPPY));
    let (mut one_by_one, mut at_once) = (engine(), engine());
    let kinds = issued_and_paid(false);
    let each: Vec<_> = kinds
        .iter()
        .map(|(kind, options)| one_by_one.apply_parquet(*kind, bytes(), options).unwrap())
        .collect();
    assert_eq!(at_once.apply_parquet_each(&kinds, bytes()).unwrap(), each);
    assert_eq!(at_once.fingerprint(), one_by_one.fingerprint());
    let counts = |n: usize| (each[n].applied, each[n].skipped, each[n].rejected.len());
    assert_eq!((counts(0), counts(1)), ((28, 22, 0), (39, 10, 1)));
    let again = at_once.apply_parquet_each(&kinds, bytes()).unwrap();
    assert_eq!((again[0].duplicates, again[1].duplicates), (28, 39));
    // Where one is strict all are.
    let mut strict = engine();
    let before = strict.fingerprint();
    let error = strict.apply_parquet_each(&issued_and_paid(true), bytes()).unwrap_err();
    assert!(matches!(error, TableError::Strict { index: 49, .. }), "{error}");
    assert_eq!(strict.fingerprint(), before);
    let [issued, (kind, paid)] = issued_and_paid(true);
    let good =
        TableOptions { days: Some(("2026-01-01".parse().unwrap(), "2027-01-01".parse().unwrap())), ..paid };
    let good = [issued, (kind, good)];
    let applied = strict.apply_parquet_each(&good, bytes()).unwrap();
    assert_eq!((applied[0].applied, applied[1].applied), (28, 39));
    assert_eq!(strict.fingerprint(), one_by_one.fingerprint());
}

#[test]
fn faults_of_all_types_are_told_at_once_each_with_its_type() {
    let bytes = Bytes::from(file(&invoices(), Compression::SNAPPY));
    let [(first, mut issued), (second, mut paid)] = issued_and_paid(false);
    issued.columns.insert("amount".to_owned(), Fill::Column("worth".to_owned()));
    paid.columns.insert("time".to_owned(), Fill::Column("settled_at".to_owned()));
    let refused = |kinds: &[_]| match engine().apply_parquet_each(kinds, bytes.clone()).unwrap_err() {
        TableError::Invalid { issues } => issues,
        other => panic!("{other}"),
    };
    let both = refused(&[(first, issued), (second, paid.clone())]);
    let of = |kind: &str, column: &str| {
        let told = |issue: &&healthfold::TableIssue| {
            issue.message.starts_with(&format!("{kind}: ")) && issue.message.contains(column)
        };
        both.iter().filter(told).count()
    };
    assert!(
        of("billing.invoice_issued", "worth") > 0 && of("billing.invoice_paid", "settled_at") > 0,
        "{both:?}"
    );
    assert_eq!(of("billing.invoice_paid", "worth"), 0, "{both:?}");
    // Of one type nobody has to be told which.
    let alone = refused(&[(second, paid)]);
    assert!(alone.iter().all(|issue| !issue.message.contains("billing.")), "{alone:?}");
}

#[test]
fn a_file_is_the_table_in_it() {
    let (expected, of_rows) = of_table(&options());
    assert_eq!((of_rows.applied, of_rows.rejected[0].index), (99, 99));
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(Default::default())]
    {
        let mut engine = engine();
        let bytes = Bytes::from(file(&uses(), compression));
        let applied = engine.apply_parquet(EventKind::UsageCounted, bytes, &options()).unwrap();
        assert_eq!(applied, of_rows, "rows keep their numbers and their errors");
        assert_eq!(engine.fingerprint(), expected.fingerprint());
    }
}

#[test]
fn days_are_the_same_whether_their_row_groups_are_read_or_not() {
    // Row groups hold 16 rows, four days each. The last row is of 25 January, in the group from the 25th on.
    for (from, to) in
        [("2026-01-06", "2026-01-08"), ("2026-01-24", "2026-02-01"), ("2027-01-01", "2028-01-01")]
    {
        let days = Some((from.parse().unwrap(), to.parse().unwrap()));
        let options = TableOptions { days, ..options() };
        let (expected, of_rows) = of_table(&options);
        let mut engine = engine();
        let bytes = Bytes::from(file(&uses(), Compression::SNAPPY));
        let applied = engine.apply_parquet(EventKind::UsageCounted, bytes, &options).unwrap();
        assert_eq!(applied, of_rows, "{from}");
        assert_eq!(engine.fingerprint(), expected.fingerprint());
        assert_eq!(applied.applied + applied.skipped + applied.rejected_count(), 100);
    }
}

#[test]
fn what_is_wrong_with_the_columns_is_told_before_a_row_is_read() {
    let bytes = Bytes::from(file(&uses(), Compression::SNAPPY));
    let options = TableOptions { timezone: None, source: None, ..options() };
    let error = engine().apply_parquet(EventKind::UsageCounted, bytes, &options).unwrap_err();
    assert_eq!(error.code(), "invalid_table");
    assert!(error.to_string().contains("`time`") && error.to_string().contains("`source`"), "{error}");
}

#[test]
fn a_load_is_watched_and_can_be_ended() {
    let bytes = Bytes::from(file(&uses(), Compression::SNAPPY));
    let mut looks = Vec::new();
    let look = |done, of| {
        looks.push((done, of));
        Ok(())
    };
    let applied =
        engine().apply_parquet_watched(EventKind::UsageCounted, bytes.clone(), &options(), look).unwrap();
    assert_eq!(applied.applied, 99);
    assert_eq!((looks.first(), looks.last()), (Some(&(0, 100)), Some(&(100, 100))));
    // Of the groups that may hold the days asked for, 16 rows each.
    let days = Some(("2026-01-06".parse().unwrap(), "2026-01-07".parse().unwrap()));
    let mut rows = 0;
    let look = |_, of| {
        rows = of;
        Ok(())
    };
    let some = TableOptions { days, ..options() };
    engine().apply_parquet_watched(EventKind::UsageCounted, bytes.clone(), &some, look).unwrap();
    assert_eq!(rows, 16);

    let enough = |_, _| Err(ArrowError::ExternalError("enough".into()));
    let error =
        engine().apply_parquet_watched(EventKind::UsageCounted, bytes, &options(), enough).unwrap_err();
    assert!(error.to_string().contains("enough"), "{error}");
    // For several types of event a row is read once.
    let (bytes, mut rows) = (Bytes::from(file(&invoices(), Compression::SNAPPY)), 0);
    let look = |done, _| {
        rows = done;
        Ok(())
    };
    engine().apply_parquet_each_watched(&issued_and_paid(false), bytes, look).unwrap();
    assert_eq!(rows, 50);
}

#[test]
fn a_damaged_file_is_an_error_and_never_a_panic() {
    let sound = file(&uses(), Compression::SNAPPY);
    let mut errors = 0;
    // What the decoder itself says when it meets them is not for the output of tests.
    std::panic::set_hook(Box::new(|_| {}));
    let mut bytes = sound.clone();
    for at in (0..sound.len()).step_by(7) {
        bytes[at] ^= 0x55;
        let damaged = Bytes::from(bytes.clone());
        if let Err(error) = engine().apply_parquet(EventKind::UsageCounted, damaged, &options()) {
            assert!(["unreadable_table", "invalid_table"].contains(&error.code()), "{error}");
            errors += 1;
        }
        bytes[at] ^= 0x55;
    }
    for length in [0, 4, 11, sound.len() / 2, sound.len() - 1] {
        let cut = Bytes::from(sound[..length].to_vec());
        let error = engine().apply_parquet(EventKind::UsageCounted, cut, &options()).unwrap_err();
        assert_eq!(error.code(), "unreadable_table");
    }
    let _ = std::panic::take_hook();
    assert!(errors > 100, "{errors}");
}

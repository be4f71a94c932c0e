//! Every layout of a column gives the event that its JSON gives.

use super::{batch, engine, load, of_lines, options, texts, upstream};
use healthfold::table::TableOptions;
use healthfold::table::arrow_array::builder::{ListBuilder, StringBuilder};
use healthfold::table::arrow_array::types::{
    ArrowPrimitiveType, Decimal256Type, Float16Type, Int8Type, Int32Type, UInt64Type,
};
use healthfold::table::arrow_array::*;
use healthfold::table::arrow_schema::{DataType, Field};
use healthfold::{EventCode, EventKind, SignalSpec};
use std::sync::Arc;

type F16 = <Float16Type as ArrowPrimitiveType>::Native;
type Wide = <Decimal256Type as ArrowPrimitiveType>::Native;

/// One row of `usage.counted` with this count, as JSON has it.
fn counted(count: &str) -> String {
    format!(
        r#"{{"id":"1","source":"app","type":"usage.counted","subject":"acme","time":"2026-01-05T10:00:00Z","data":{{"metric":"m","count":{count}}}}}"#
    )
}

fn row_with(name: &str, column: ArrayRef) -> RecordBatch {
    let fixed = [("subject", "acme"), ("time", "2026-01-05T10:00:00Z"), ("metric", "m"), ("id", "1")];
    let rows = column.len();
    let fixed = fixed.into_iter().filter(|(field, _)| *field != name);
    let columns = fixed.map(|(field, value)| (field, texts(vec![value; rows])));
    batch(columns.chain([(name, column)]).collect::<Vec<_>>())
}

#[track_caller]
fn counts(column: ArrayRef, count: &str) {
    let mut engine = engine();
    let name = format!("{:?}", column.data_type());
    let applied =
        load(&mut engine, EventKind::UsageCounted, &[row_with("count", column)], &options()).unwrap();
    assert_eq!((applied.applied, applied.rejected), (1, vec![]), "{name}");
    assert_eq!(engine.fingerprint(), of_lines(super::engine(), &[counted(count)]), "{name}");
}

#[test]
fn numbers_of_every_width_are_the_same_number() {
    counts(Arc::new(Int8Array::from(vec![-3])), "-3");
    counts(Arc::new(Int16Array::from(vec![300])), "300");
    counts(Arc::new(Int32Array::from(vec![70_000])), "70000");
    counts(Arc::new(Int64Array::from(vec![1_000_000_000_000])), "1000000000000");
    counts(Arc::new(UInt8Array::from(vec![200])), "200");
    counts(Arc::new(UInt16Array::from(vec![60_000])), "60000");
    counts(Arc::new(UInt32Array::from(vec![4_000_000_000])), "4000000000");
    counts(Arc::new(UInt64Array::from(vec![5])), "5");
    counts(Arc::new(Float64Array::from(vec![0.1])), "0.1");
    counts(Arc::new(Float64Array::from(vec![1e12])), "1000000000000");
    counts(Arc::new(Float64Array::from(vec![123_456_789.123_456])), "123456789.123456");
    // As a double it would be 0.10000000149011612: a float of 32 bits means 0.1.
    counts(Arc::new(Float32Array::from(vec![0.1])), "0.1");
    counts(Arc::new(Float16Array::from_iter_values([F16::from_f32(1.5)])), "1.5");
    let decimal = Decimal128Array::from(vec![12_345]).with_precision_and_scale(10, 3).unwrap();
    counts(Arc::new(decimal), "12.345");
    // 10 digits behind the point, of which the last four are 0.
    let decimal = Decimal128Array::from(vec![1_234_560_000]).with_precision_and_scale(38, 10).unwrap();
    counts(Arc::new(decimal), "0.123456");
    let decimal = Decimal128Array::from(vec![12]).with_precision_and_scale(5, -2).unwrap();
    counts(Arc::new(decimal), "1200");
    let wide = Decimal256Array::from_iter_values([Wide::from_i128(-1_500_000)]);
    counts(Arc::new(wide.with_precision_and_scale(60, 6).unwrap()), "-1.5");
    let small = Decimal32Array::from(vec![150]).with_precision_and_scale(9, 2).unwrap();
    counts(Arc::new(small), "1.5");
    let middle = Decimal64Array::from(vec![150]).with_precision_and_scale(18, 2).unwrap();
    counts(Arc::new(middle), "1.5");
    counts(Arc::new(StringArray::from(vec!["2.50"])), "2.5");
    counts(Arc::new(LargeStringArray::from(vec!["1e3"])), "1000");
    counts(Arc::new(StringViewArray::from(vec!["0.000001"])), "0.000001");
    counts(Arc::new(NullArray::new(1)), "1");
    counts(Arc::new(Int32Array::from(vec![None])), "1");
}

#[test]
fn numbers_that_json_would_refuse_are_refused() {
    let code = |column: ArrayRef| {
        let mut engine = engine();
        let rows = [row_with("count", column)];
        let applied = load(&mut engine, EventKind::UsageCounted, &rows, &options()).unwrap();
        assert_eq!(applied.applied, 0);
        applied.rejected[0].error.code
    };
    let decimal = |units, precision, scale| -> ArrayRef {
        Arc::new(Decimal128Array::from(vec![units]).with_precision_and_scale(precision, scale).unwrap())
    };
    assert_eq!(code(decimal(1, 10, 7)), EventCode::OutOfRange, "seven digits");
    assert_eq!(code(decimal(i128::pow(10, 37), 38, 0)), EventCode::OutOfRange);
    assert_eq!(code(decimal(1, 38, -30)), EventCode::OutOfRange);
    assert_eq!(code(Arc::new(Float64Array::from(vec![0.1 + 0.2]))), EventCode::OutOfRange, "17 digits");
    assert_eq!(code(Arc::new(Float64Array::from(vec![1.1e12]))), EventCode::OutOfRange);
    assert_eq!(code(Arc::new(Float64Array::from(vec![1e-7]))), EventCode::OutOfRange);
    assert_eq!(code(Arc::new(Float64Array::from(vec![f64::NAN]))), EventCode::BadValue);
    assert_eq!(code(Arc::new(Float64Array::from(vec![f64::INFINITY]))), EventCode::BadValue);
    assert_eq!(code(Arc::new(UInt64Array::from(vec![u64::MAX]))), EventCode::OutOfRange);
    assert_eq!(code(Arc::new(Int64Array::from(vec![1_000_000_000_001]))), EventCode::OutOfRange);
    let wide = Decimal256Array::from_iter_values([Wide::MAX]);
    assert_eq!(code(Arc::new(wide.with_precision_and_scale(76, 0).unwrap())), EventCode::OutOfRange);
    assert_eq!(code(Arc::new(StringArray::from(vec!["many"]))), EventCode::BadValue);
}

/// An engine with one use at a time.
fn at(time: &str) -> String {
    of_lines(engine(), &[counted("1").replace("2026-01-05T10:00:00Z", time)])
}

#[track_caller]
fn is_at(column: ArrayRef, timezone: Option<&str>, time: &str) {
    let mut engine = engine();
    let name = format!("{:?}", column.data_type());
    let options = TableOptions { timezone: timezone.map(str::to_owned), ..options() };
    let applied = load(&mut engine, EventKind::UsageCounted, &[row_with("time", column)], &options).unwrap();
    assert_eq!((applied.applied, applied.rejected), (1, vec![]), "{name}");
    assert_eq!(engine.fingerprint(), at(time), "{name}");
}

#[test]
fn times_of_every_unit_are_the_same_instant() {
    // 2026-01-05T10:00:00Z is 1 767 607 200 seconds after 1970.
    const S: i64 = 1_767_607_200;
    let utc = "2026-01-05T10:00:00Z";
    is_at(Arc::new(TimestampSecondArray::from(vec![S]).with_timezone("UTC")), None, utc);
    is_at(Arc::new(TimestampMillisecondArray::from(vec![S * 1_000]).with_timezone("Etc/UTC")), None, utc);
    // The zone of a column says how it is shown, not what it means.
    is_at(
        Arc::new(TimestampMicrosecondArray::from(vec![S * 1_000_000]).with_timezone("Asia/Tokyo")),
        None,
        utc,
    );
    let nanos = S * 1_000_000_000 + 1_999;
    is_at(
        Arc::new(TimestampNanosecondArray::from(vec![nanos]).with_timezone("+00:00")),
        Some("Europe/Berlin"),
        "2026-01-05T10:00:00.000001Z",
    );
    is_at(Arc::new(TimestampSecondArray::from(vec![S])), Some("UTC"), utc);
    // Ten o'clock in Berlin is nine in UTC, in winter.
    is_at(Arc::new(TimestampSecondArray::from(vec![S])), Some("Europe/Berlin"), "2026-01-05T09:00:00Z");
    // 29 March 2026, 02:30 was skipped: an hour later, 03:30 there. 25 October, 02:30 came twice: the first.
    let skipped = 1_774_751_400; // 2026-03-29T02:30:00 as if it were UTC
    is_at(Arc::new(TimestampSecondArray::from(vec![skipped])), Some("Europe/Berlin"), "2026-03-29T01:30:00Z");
    let twice = 1_792_895_400; // 2026-10-25T02:30:00 as if it were UTC
    is_at(Arc::new(TimestampSecondArray::from(vec![twice])), Some("Europe/Berlin"), "2026-10-25T00:30:00Z");
    // 20 458 days after 1970.
    is_at(Arc::new(Date32Array::from(vec![20_458])), Some("UTC"), "2026-01-05T00:00:00Z");
    is_at(Arc::new(Date32Array::from(vec![20_458])), Some("Europe/Berlin"), "2026-01-04T23:00:00Z");
    let noon = 20_458 * 86_400_000 + 43_200_000;
    is_at(Arc::new(Date64Array::from(vec![noon])), Some("UTC"), "2026-01-05T00:00:00Z");
    is_at(texts(["2026-01-05T11:00:00+01:00"]), None, utc);
}

#[test]
fn times_outside_the_years_are_refused() {
    for seconds in [-1, i64::MIN, i64::MAX, 7_258_118_400] {
        let mut engine = engine();
        let column = TimestampSecondArray::from(vec![seconds]).with_timezone("UTC");
        let rows = [row_with("time", Arc::new(column))];
        let applied = load(&mut engine, EventKind::UsageCounted, &rows, &options()).unwrap();
        assert_eq!(applied.rejected[0].error.code, EventCode::BadTime, "{seconds}");
        assert_eq!(applied.rejected[0].error.field.as_deref(), Some("time"));
    }
}

#[test]
fn texts_of_every_layout_are_the_same_text() {
    let expected = of_lines(
        engine(),
        &[
            r#"{"id":"1","source":"app","type":"usage.counted","subject":"7","time":"2026-01-05T10:00:00Z","data":{"metric":"m"}}"#
                .to_owned(),
        ],
    );
    let dictionary = |keys: Int8Array, values: ArrayRef| -> ArrayRef {
        Arc::new(DictionaryArray::<Int8Type>::try_new(keys, values).unwrap())
    };
    let columns: Vec<ArrayRef> = vec![
        texts(["7"]),
        Arc::new(LargeStringArray::from(vec!["7"])),
        Arc::new(StringViewArray::from(vec!["7"])),
        dictionary(Int8Array::from(vec![1]), texts(["8", "7"])),
        dictionary(Int8Array::from(vec![0]), Arc::new(Int64Array::from(vec![7]))),
        Arc::new(DictionaryArray::<UInt64Type>::try_new(UInt64Array::from(vec![0]), texts(["7"])).unwrap()),
        Arc::new(
            RunArray::<Int32Type>::try_new(&Int32Array::from(vec![1]), &StringArray::from(vec!["7"]))
                .unwrap(),
        ),
        // A whole number is the id of its digits.
        Arc::new(UInt16Array::from(vec![7])),
        Arc::new(Int64Array::from(vec![7])),
    ];
    for column in columns {
        let mut engine = engine();
        let name = format!("{:?}", column.data_type());
        let rows = [row_with("subject", column)];
        let applied = load(&mut engine, EventKind::UsageCounted, &rows, &options()).unwrap();
        assert_eq!((applied.applied, applied.rejected), (1, vec![]), "{name}");
        assert_eq!(engine.fingerprint(), expected, "{name}");
    }
}

#[test]
fn slices_chunks_and_nulls_keep_rows_together() {
    // Four rows, of which the middle two are loaded; one of these has no count and no user.
    let users = DictionaryArray::<Int8Type>::try_new(
        Int8Array::from(vec![Some(0), None, Some(1), Some(0)]),
        texts(["u-0", "u-1"]),
    );
    let runs = RunArray::<Int32Type>::try_new(
        &Int32Array::from(vec![1, 3, 4]),
        &StringArray::from(vec!["a", "b", "c"]),
    );
    let rows = batch([
        ("id", texts(["1", "2", "3", "4"])),
        ("subject", texts(["acme"; 4])),
        ("time", texts(["2026-01-05T10:00:00Z"; 4])),
        ("metric", Arc::new(runs.unwrap()) as ArrayRef),
        ("count", Arc::new(Int32Array::from(vec![Some(9), None, Some(4), Some(9)]))),
        ("user", Arc::new(users.unwrap())),
    ]);
    let line = |id: u8, data: &str| {
        format!(
            r#"{{"id":"{id}","source":"app","type":"usage.counted","subject":"acme","time":"2026-01-05T10:00:00Z","data":{{"metric":"b"{data}}}}}"#
        )
    };
    let expected = of_lines(engine(), &[line(2, ""), line(3, r#","count":4,"user":"u-1""#)]);
    let mut sliced = engine();
    load(&mut sliced, EventKind::UsageCounted, &[rows.slice(1, 2)], &options()).unwrap();
    assert_eq!(sliced.fingerprint(), expected);
    let mut chunked = engine();
    let chunks = [rows.slice(1, 1), rows.slice(0, 0), rows.slice(2, 1)];
    let applied = load(&mut chunked, EventKind::UsageCounted, &chunks, &options()).unwrap();
    assert_eq!((applied.applied, chunked.fingerprint()), (2, expected));
    let empty = RecordBatch::new_empty(rows.schema());
    assert_eq!(load(&mut chunked, EventKind::UsageCounted, &[empty], &options()).unwrap().applied, 0);
}

#[test]
fn more_rows_than_are_unpacked_at_a_time() {
    let ids: Vec<String> = (0..40_000).map(|id| id.to_string()).collect();
    let rows = batch([
        ("id", texts(ids.iter().map(String::as_str))),
        ("subject", texts(vec!["acme"; ids.len()])),
        ("time", texts(vec!["2026-01-05T10:00:00Z"; ids.len()])),
        ("metric", texts(vec!["m"; ids.len()])),
    ]);
    let mut engine = upstream();
    let applied = load(&mut engine, EventKind::UsageCounted, &[rows], &options()).unwrap();
    assert_eq!(applied.applied, 40_000);
    let sum = SignalSpec::from_json(r#"{"kind": "usage_sum", "metric": "m", "days": 28}"#).unwrap();
    let reading = engine.signal(&"acme".into(), &sum, engine.zone().as_of("2026-01-05").unwrap()).unwrap();
    assert_eq!(reading.value(), Some(40_000.0));
}

#[test]
fn lists_and_structs_are_lists_and_objects() {
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.append_value([Some("skipped")]);
    tags.append_value([Some("eu"), Some("a \"quoted\" one")]);
    tags.append_null();
    tags.append_value(std::iter::empty::<Option<&str>>());
    let attributes = StructArray::from(vec![
        (
            Arc::new(Field::new("size", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![0, 250, 1, 2])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("region", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![None, Some("eu"), None, None])),
        ),
    ]);
    let rows = batch([
        ("id", texts(["0", "1", "2", "3"])),
        ("subject", texts(["acme"; 4])),
        ("time", texts(["2026-01-05T10:00:00Z"; 4])),
        ("tags", Arc::new(tags.finish()) as ArrayRef),
        ("attributes", Arc::new(attributes)),
        ("attributes.vip", Arc::new(BooleanArray::from(vec![None, Some(true), None, Some(false)]))),
        ("name", texts(["", "", "Acme", ""])),
    ]);
    let line = |id: u8, data: &str| {
        format!(
            r#"{{"id":"{id}","source":"app","type":"client.set","subject":"acme","time":"2026-01-05T10:00:00Z","data":{data}}}"#
        )
    };
    let expected = of_lines(
        engine(),
        &[
            line(
                1,
                r#"{"tags":["eu","a \"quoted\" one"],"attributes":{"size":250,"region":"eu","vip":true},"name":null}"#,
            ),
            line(2, r#"{"attributes":{"size":1},"name":"Acme"}"#),
            line(3, r#"{"tags":[],"attributes":{"size":2,"vip":false},"name":""}"#),
        ],
    );
    let mut engine = engine();
    let applied = load(&mut engine, EventKind::ClientSet, &[rows.slice(1, 3)], &options()).unwrap();
    assert_eq!((applied.applied, applied.rejected), (3, vec![]));
    assert_eq!(engine.fingerprint(), expected);
}

#[test]
fn a_subscription_has_dates_money_and_an_interval() {
    let amount = Decimal128Array::from(vec![4_990]).with_precision_and_scale(18, 2).unwrap();
    let rows = batch([
        ("id", texts(["1"])),
        ("subject", texts(["acme"])),
        ("time", texts(["2026-01-05T10:00:00Z"])),
        ("subscription", Arc::new(Int64Array::from(vec![77])) as ArrayRef),
        ("status", texts(["active"])),
        ("amount", Arc::new(amount)),
        ("currency", texts(["USD"])),
        ("interval.unit", texts(["month"])),
        ("interval.count", Arc::new(Int8Array::from(vec![3]))),
        ("seats", Arc::new(Float64Array::from(vec![5.0]))),
        ("term_end", Arc::new(Date32Array::from(vec![20_458]))),
        ("cancel_at", Arc::new(TimestampMillisecondArray::from(vec![None::<i64>]).with_timezone("UTC"))),
    ]);
    let mut engine = engine();
    load(&mut engine, EventKind::SubscriptionSet, &[rows], &options()).unwrap();
    let line = r#"{"id":"1","source":"app","type":"billing.subscription_set","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"subscription":"77","status":"active","amount":49.9,"currency":"USD","interval":{"unit":"month","count":3},"seats":5,"term_end":"2026-01-05"}}"#;
    assert_eq!(engine.fingerprint(), of_lines(super::engine(), &[line.to_owned()]));
}

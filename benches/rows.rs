//! `rows N`: how long `apply_table` takes for N rows of usage with ids, the same rows that bindings-python/tests/bench.py
//! makes. `cargo xtask bench --python` runs both in turn.

#![allow(clippy::print_stdout, reason = "a program says how long it took")]

use anyhow::{Context, Result, bail};
use healthfold::table::TableOptions;
use healthfold::table::arrow_array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, StringViewArray, TimestampMicrosecondArray,
};
use healthfold::{Engine, EventKind, Settings};
use std::sync::Arc;
use std::time::Instant;

/// 1 January 2026, in microseconds.
const START: i64 = 1_767_225_600_000_000;
const DAY: i64 = 86_400_000_000;

fn batch(places: std::ops::Range<i64>) -> Result<RecordBatch> {
    let texts = |text: &dyn Fn(i64) -> String| -> ArrayRef {
        Arc::new(places.clone().map(|place| Some(text(place))).collect::<StringViewArray>())
    };
    let metric = |place: i64| match place % 3 {
        0 => "reports".to_owned(),
        1 => "exports".to_owned(),
        _ => "alerts".to_owned(),
    };
    let times = places.clone().map(|place| place % 89 * DAY + START);
    Ok(RecordBatch::try_from_iter([
        ("id", texts(&|place| place.to_string())),
        ("subject", texts(&|place| (place % 5_000).to_string())),
        (
            "time",
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")) as ArrayRef,
        ),
        ("metric", texts(&metric)),
        ("count", Arc::new(Int64Array::from_iter_values(places.clone().map(|place| place % 7 + 1)))),
    ])?)
}

fn main() -> Result<()> {
    let rows: i64 = std::env::args().nth(1).context("how many rows?")?.parse()?;
    let piece = 1 << 16;
    let pieces = (0..rows).step_by(1 << 16).map(|from| batch(from..rows.min(from + piece)));
    let batches = pieces.collect::<Result<Vec<_>>>()?;
    let schema = batches.first().context("at least one row")?.schema();
    let table = RecordBatchIterator::new(batches.into_iter().map(Ok), schema);
    let options = TableOptions { source: Some("app".into()), ..TableOptions::default() };
    let mut engine = Engine::new(Settings::default())?;
    #[allow(clippy::disallowed_methods, reason = "how long it takes is the question here")]
    let begun = Instant::now();
    let applied = engine.apply_table(EventKind::UsageCounted, table, &options)?;
    let seconds = begun.elapsed().as_secs_f64();
    if i64::try_from(applied.applied)? != rows {
        bail!("{} of {rows} rows were applied", applied.applied);
    }
    println!("{seconds}");
    Ok(())
}

//! Tables: every layout of a column against the same events as JSON, rows that are refused, what rows without ids are, and
//! the mapping of columns to fields.

#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside of test functions")]
#![allow(clippy::indexing_slicing, clippy::panic, reason = "a test fails by a panic")]

mod counted;
mod laws;
mod layouts;
mod mapping;
mod out;
mod rows;

use healthfold::table::arrow_array::{ArrayRef, RecordBatch, RecordBatchIterator, StringArray};
use healthfold::table::arrow_schema::ArrowError;
use healthfold::table::{Fill, TableOptions};
use healthfold::{Applied, Dedupe, Engine, EventKind, ReadOptions, Settings, TableError};
use std::sync::Arc;

fn engine() -> Engine {
    Engine::new(Settings::default()).unwrap()
}

/// An engine that keeps no identities, so that events with other ids are alike.
fn upstream() -> Engine {
    Engine::new(Settings { dedupe: Dedupe::Upstream, ..Settings::default() }).unwrap()
}

fn texts<'t>(values: impl IntoIterator<Item = &'t str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn batch<'n>(columns: impl IntoIterator<Item = (&'n str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
        .unwrap()
}

/// Options with a source.
fn options() -> TableOptions {
    TableOptions { source: Some("app".into()), ..TableOptions::default() }
}

fn column(name: &str) -> Fill {
    Fill::Column(name.to_owned())
}

fn load(
    engine: &mut Engine,
    kind: EventKind,
    batches: &[RecordBatch],
    options: &TableOptions,
) -> Result<Applied, TableError> {
    let schema = batches[0].schema();
    let batches: Vec<Result<RecordBatch, ArrowError>> = batches.iter().cloned().map(Ok).collect();
    engine.apply_table(kind, RecordBatchIterator::new(batches, schema), options)
}

/// What engines of the lines have as fingerprint.
fn of_lines(mut engine: Engine, lines: &[String]) -> String {
    let applied = engine.apply_ndjson(lines.join("\n").as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!(applied.rejected, []);
    engine.fingerprint()
}

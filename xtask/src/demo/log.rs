//! Where the demo's events come from, and what became of them.

use anyhow::{Context, Result};
use healthfold::{Applied, Engine, ReadOptions, Settings};
use healthfold_testkit::book::{BookSpec, write_book};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// What was read, and what was not taken and why.
#[derive(Clone, Debug, Serialize)]
pub struct Read {
    /// The file, or that the book was made.
    pub from: String,
    /// Lines that held something.
    pub lines: u64,
    /// Events that were applied.
    pub applied: u64,
    /// Events that were there twice.
    pub duplicates: u64,
    /// Events of one identity and other content.
    pub conflicts: u64,
    /// What was rejected, by code, with the first of each.
    pub rejected: Vec<RejectedCode>,
}

/// The rejections of one code.
#[derive(Clone, Debug, Serialize)]
pub struct RejectedCode {
    /// The slug.
    pub code: String,
    /// How many.
    pub count: u64,
    /// Where the first one stands.
    pub line: Option<u64>,
    /// What was wrong with it.
    pub message: String,
}

/// Folds a file of events.
pub(crate) fn fold_file(path: &Path, timezone: &str) -> Result<(Engine, Read)> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let bar = ProgressBar::new(file.metadata()?.len());
    bar.set_style(ProgressStyle::with_template("  {bar:40} {bytes} of {total_bytes}, {eta} to go")?);
    let folded =
        fold(BufReader::with_capacity(1 << 16, bar.wrap_read(file)), timezone, &path.display().to_string());
    bar.finish_and_clear();
    folded
}

/// Makes the demo's book and folds it.
pub(crate) fn fold_book(spec: &BookSpec, timezone: &str) -> Result<(Engine, Read)> {
    let mut lines = Vec::new();
    write_book(spec, &mut lines)?;
    let from = format!(
        "a book made for the demo (seed {}, {} clients, {} days)",
        spec.seed, spec.clients, spec.days
    );
    fold(lines.as_slice(), timezone, &from)
}

fn fold(input: impl BufRead, timezone: &str, from: &str) -> Result<(Engine, Read)> {
    let mut engine = Engine::new(Settings { timezone: timezone.to_owned(), ..Settings::default() })?;
    let applied = engine.apply_ndjson(input, &ReadOptions::default())?;
    Ok((engine, read(&applied, from)))
}

fn read(applied: &Applied, from: &str) -> Read {
    let first_of =
        |code: &str| applied.rejected.iter().find(|rejection| rejection.error.code.as_str() == code);
    let mut rejected: Vec<RejectedCode> = applied
        .rejected_by_code
        .iter()
        .map(|(code, count)| RejectedCode {
            code: (*code).to_owned(),
            count: *count,
            line: first_of(code).and_then(|rejection| rejection.line),
            message: first_of(code).map(|rejection| rejection.error.message.clone()).unwrap_or_default(),
        })
        .collect();
    rejected.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.code.cmp(&b.code)));
    let Applied { applied: taken, duplicates, skipped, conflict_count, .. } = *applied;
    let lines = taken + duplicates + skipped + conflict_count + applied.rejected_count();
    Read { from: from.to_owned(), lines, applied: taken, duplicates, conflicts: conflict_count, rejected }
}

//! `peers log` writes the log of the job; `peers healthfold` does the job. `cargo xtask bench --peers` calls both.

#![allow(clippy::print_stdout, reason = "a program says how long it took")]

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use healthfold::{Dedupe, Engine};
use healthfold_benches::peers::{
    Asked, Depth, LogSpec, Movements, ask, freshen, load, load_tables, watch, write_log,
};
use serde::Serialize;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Writes the log.
    Log {
        file: PathBuf,
        #[arg(long, default_value_t = 100_000)]
        clients: u32,
        #[arg(long, default_value_t = 10_000_000)]
        events: u64,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Of 100 usage events so many come in late.
        #[arg(long, default_value_t = 0)]
        late: u32,
    },
    /// Does the job.
    Healthfold {
        /// The folder of the log.
        #[arg(long)]
        data: PathBuf,
        /// The file of events, or the tables.
        #[arg(long, value_enum, default_value_t = Source::Ndjson)]
        source: Source,
        /// Of the tables, load only the days of usage that are asked about.
        #[arg(long)]
        days: bool,
        /// Who sees to it that no event comes in twice.
        #[arg(long, value_enum, default_value_t = Identities::Exact)]
        dedupe: Identities,
        /// As of 1 or 12 month ends.
        #[arg(long, default_value_t = 1)]
        instants: u32,
        /// How many threads it may use; more than one only with the feature `threads`.
        #[arg(long, default_value_t = 1)]
        threads: usize,
        /// The time from so many last lines of the log to fresh answers.
        #[arg(long, default_value_t = 0)]
        fresh: usize,
        /// Write the answers here, after the clock has stopped.
        #[arg(long)]
        answers: Option<PathBuf>,
        /// Get one answer wrong.
        #[arg(long)]
        plant: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Source {
    Ndjson,
    Parquet,
}

#[derive(Clone, Copy, ValueEnum)]
enum Identities {
    Exact,
    Upstream,
}

fn main() -> Result<()> {
    match Cli::parse().task {
        Task::Log { file, clients, events, seed, late } => {
            let mut out = BufWriter::with_capacity(1 << 20, File::create(file)?);
            let (events, usage) = write_log(LogSpec { clients, events, seed, late }, &mut out)?;
            out.flush()?;
            println!(
                r#"{{"clients":{clients},"events":{events},"usage":{usage},"late":{late},"seed":{seed}}}"#
            );
            Ok(())
        }
        Task::Healthfold { data, source, days, dedupe, instants, threads, fresh, answers, plant } => {
            let dedupe = match dedupe {
                Identities::Exact => Dedupe::Exact,
                Identities::Upstream => Dedupe::Upstream,
            };
            let asked = if instants == 1 { Asked::End } else { Asked::Months };
            let depth = if days { Depth::DaysAsked(asked) } else { Depth::Whole };
            let load = || match source {
                Source::Ndjson => load(BufReader::new(File::open(data.join("events.ndjson"))?), dedupe),
                Source::Parquet => load_tables(&data, dedupe, depth),
            };
            on_threads(threads, || {
                if fresh > 0 {
                    run_fresh(&data, dedupe, fresh, answers.as_deref(), plant)
                } else {
                    run(load, asked, answers.as_deref(), plant)
                }
            })?
        }
    }
}

#[cfg(feature = "threads")]
fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?.install(work))
}

#[cfg(not(feature = "threads"))]
fn on_threads<T>(threads: usize, work: impl FnOnce() -> T) -> Result<T> {
    anyhow::ensure!(threads == 1, "without the feature `threads` there is one thread");
    Ok(work())
}

#[allow(clippy::disallowed_methods, reason = "how long it takes is the question here")]
fn now() -> Instant {
    Instant::now()
}

/// Says how long it took, piece by piece.
fn tell(begun: Instant, loaded: Instant, done: Instant) {
    println!(
        r#"{{"version":"{}","load":{},"ask":{},"seconds":{}}}"#,
        env!("CARGO_PKG_VERSION"),
        (loaded - begun).as_secs_f64(),
        (done - loaded).as_secs_f64(),
        (done - begun).as_secs_f64(),
    );
}

fn run(
    load: impl FnOnce() -> Result<Engine>,
    asked: Asked,
    answers: Option<&Path>,
    plant: bool,
) -> Result<()> {
    let begun = now();
    let engine = load()?;
    let loaded = now();
    let given = ask(&engine, asked)?;
    tell(begun, loaded, now());
    let Some(file) = answers else { return Ok(()) };
    let mut standings: Vec<_> = given.standings().collect();
    if let Some(last) = standings.last_mut().filter(|_| plant) {
        last.score = Some(last.score.unwrap_or_default() + 1e-6);
    }
    write_answers(file, &standings, &given.months)
}

fn run_fresh(data: &Path, dedupe: Dedupe, lines: usize, answers: Option<&Path>, plant: bool) -> Result<()> {
    let log = std::fs::read(data.join("events.ndjson"))?;
    let mut ends = log.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let (head, tail) = log.split_at(ends.nth(lines).unwrap_or(0));
    let mut engine = load(head, dedupe)?;
    let mut watched = watch(&mut engine)?;
    let begun = now();
    let given = freshen(&mut engine, &mut watched, tail)?;
    tell(begun, begun, now());
    let Some(file) = answers else { return Ok(()) };
    let mut standings: Vec<_> = given.standings().collect();
    if let Some(last) = standings.last_mut().filter(|_| plant) {
        last.score = Some(last.score.unwrap_or_default() + 1e-6);
    }
    write_answers(file, &standings, std::slice::from_ref(&given.month))
}

fn write_answers(file: &Path, standings: &[impl Serialize], months: &[Movements]) -> Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(file)?);
    for standing in standings {
        serde_json::to_writer(&mut out, standing)?;
        out.write_all(b"\n")?;
    }
    for month in months {
        serde_json::to_writer(&mut out, month)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

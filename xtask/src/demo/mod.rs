//! `cargo xtask demo`: from a file of events to who needs help and how revenue went, on one page of a terminal.
//!
//! `log` reads, `report` asks the engine, `reasons` puts readings in words, `page` lays it out.

#![allow(clippy::print_stdout, reason = "a command talks to a terminal")]

mod log;
mod page;
mod reasons;
mod report;
mod table;

use anyhow::{Context, Result};
use clap::Args;
use healthfold::{Engine, Model};
use healthfold_testkit::book::BookSpec;
use std::io::IsTerminal;
use std::path::PathBuf;

pub use log::{Read, RejectedCode};
pub use page::page;
pub use reasons::Reason;
pub use report::{Band, Client, CurrencyReport, Month, Report, Value};

/// What the demo is asked for.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// NDJSON of events; without it, a book is made on the fly.
    #[arg(long)]
    pub events: Option<PathBuf>,
    /// A health model in JSON, TOML or YAML, told by the ending of the file; without it, the default model.
    #[arg(long)]
    pub model: Option<PathBuf>,
    /// An instant or a date; without it, the end of the last whole month of the log.
    #[arg(long)]
    pub as_of: Option<String>,
    /// The IANA time zone in which days and months are counted.
    #[arg(long, default_value = "UTC")]
    pub timezone: Option<String>,
    /// The report as JSON, with every figure exact.
    #[arg(long)]
    pub json: bool,
}

/// Reads, asks and prints.
///
/// # Errors
/// If a file cannot be read, the model has faults, or the instant or zone is none.
pub fn run(options: &Options) -> Result<()> {
    let report = report(options)?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    let text = page(&report);
    print!("{}", if std::io::stdout().is_terminal() { page::coloured(&text) } else { text });
    Ok(())
}

/// The report that the options ask for.
///
/// # Errors
/// If a file cannot be read, the model has faults, or the instant or zone is none.
pub fn report(options: &Options) -> Result<Report> {
    let model = match &options.model {
        None => Model::default(),
        Some(path) => {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            let model = match path.extension().and_then(|ending| ending.to_str()) {
                Some("toml") => Model::from_toml(&text),
                Some("yaml" | "yml") => Model::from_yaml(&text),
                _ => Model::from_json(&text),
            };
            model.with_context(|| format!("{} is no model", path.display()))?
        }
    };
    let (engine, read) = fold(options)?;
    report::ask(&engine, &model, read, options.as_of.as_deref())
}

fn fold(options: &Options) -> Result<(Engine, Read)> {
    let timezone = options.timezone.as_deref().unwrap_or("UTC");
    match &options.events {
        Some(path) => log::fold_file(path, timezone),
        None => log::fold_book(&BookSpec::default(), timezone),
    }
}

//! `lifetimes write` draws clients; `lifetimes fit` fits and asks models of them. `lifetime_peers.py` does the same by other
//! means,
//! and `cargo xtask bench --lifetimes` calls all of it.

#![allow(clippy::print_stdout, reason = "a program says how long it took")]

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use healthfold::lifetime::{BgNbd, Buying, Observation, Rfm, SurvivalBounds, SurvivalCurve};
use healthfold_benches::buyers;
use serde_json::json;
use std::fs::{File, read_to_string};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Instant;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Writes buyers.csv and spells.csv into a folder.
    Write {
        folder: PathBuf,
        #[arg(long, default_value_t = 1_000_000)]
        clients: u32,
    },
    /// Fits and asks the models, and says how long each took and what came out, a line of JSON each.
    Fit { folder: PathBuf },
}

fn main() -> Result<()> {
    match Cli::parse().task {
        Task::Write { folder, clients } => write(&folder, clients),
        Task::Fit { folder } => fit(&folder),
    }
}

fn write(folder: &Path, clients: u32) -> Result<()> {
    let mut out = BufWriter::new(File::create(folder.join("buyers.csv"))?);
    writeln!(out, "frequency,recency,age")?;
    for buyer in buyers::buyers(clients) {
        writeln!(out, "{},{},{}", buyer.frequency, buyer.recency, buyer.age)?;
    }
    out.flush()?;
    let mut out = BufWriter::new(File::create(folder.join("spells.csv"))?);
    writeln!(out, "days,ended")?;
    for spell in buyers::spells(clients) {
        writeln!(out, "{},{}", spell.time, u8::from(spell.ended))?;
    }
    Ok(out.flush()?)
}

fn fit(folder: &Path) -> Result<()> {
    let clients = rows(&folder.join("buyers.csv"), |mut cells| {
        Some(Rfm {
            frequency: cell(&mut cells)?,
            recency: cell(&mut cells)?,
            age: cell(&mut cells)?,
            value: None,
        })
    })?;
    let spells = rows(&folder.join("spells.csv"), |mut cells| {
        Some(Observation { entry: None, time: cell(&mut cells)?, ended: cell::<u8>(&mut cells)? == 1 })
    })?;
    let fit = timed(
        "fit of BG/NBD",
        || BgNbd::fit(&clients),
        |fit| {
            fit.as_ref()
                .map(|fit| {
                    json!([fit.parameters.r, fit.parameters.alpha, fit.parameters.a, fit.parameters.b])
                })
                .ok()
        },
    )?;
    let model = fit.parameters;
    timed(
        "purchases of a year, each client",
        || model.expected_of_all(&clients, 52.0).iter().sum::<f64>(),
        |sum| Some(json!([sum])),
    );
    timed(
        "P(alive), each client",
        || clients.iter().map(|client| model.p_alive(client)).sum::<f64>(),
        |sum| Some(json!([sum])),
    );
    timed(
        "Kaplan-Meier",
        || SurvivalCurve::of(&spells, SurvivalBounds::LogLog),
        |curve| Some(json!([curve.survival_at(90.0), curve.survival_at(365.0), curve.survival_at(1000.0)])),
    );
    Ok(())
}

/// Does something, and says how long it took and what came out.
fn timed<T>(name: &str, work: impl FnOnce() -> T, values: impl FnOnce(&T) -> Option<serde_json::Value>) -> T {
    #[allow(clippy::disallowed_methods, reason = "how long it takes is the question here")]
    let now = Instant::now;
    let begun = now();
    let done = work();
    let seconds = (now() - begun).as_secs_f64();
    println!("{}", json!({"name": name, "seconds": seconds, "values": values(&done)}));
    done
}

fn rows<T>(file: &Path, read: impl Fn(std::str::Split<'_, char>) -> Option<T>) -> Result<Vec<T>> {
    let text = read_to_string(file)?;
    let row = |line: &str| read(line.split(',')).with_context(|| format!("{}: `{line}`", file.display()));
    text.lines().skip(1).map(row).collect()
}

fn cell<T: FromStr>(cells: &mut std::str::Split<'_, char>) -> Option<T> {
    cells.next()?.parse().ok()
}

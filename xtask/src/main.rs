//! `cargo xtask`: the tasks of the workspace, without anything but a Rust toolchain.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to a terminal")]

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};
use healthfold_testkit::case::Case;
use healthfold_testkit::{case, codegen};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod fuzz;
mod growth;
mod mutants;
mod node;
mod peers;
mod python;
mod test;
mod trust;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The tasks of healthfold's workspace")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Folds a log of events and prints who needs help and how revenue went.
    Demo(xtask::demo::Options),
    /// Runs everything that must pass, and says what was skipped and why.
    Test {
        /// Only the step of this name, such as `python`.
        step: Option<String>,
    },
    /// Writes the generated files.
    Codegen {
        /// Only say which files are stale, and fail if there are any.
        #[arg(long)]
        check: bool,
    },
    /// Runs the conformance cases of a folder.
    Cases {
        /// The folder; that of the project unless said.
        folder: Option<PathBuf>,
        /// Instead: writes what Rust answers, a line of JSON for each case, for a binding to be held against.
        #[arg(long)]
        answers: Option<PathBuf>,
    },
    /// Runs the benchmarks, or one of those that are programs of their own.
    Bench {
        #[command(flatten)]
        what: What,
        #[command(flatten)]
        options: peers::Options,
    },
    /// Attacks the promises of the fold: simulated delivery, one book three ways, and with `--long` everything there is.
    Trust(trust::Options),
    /// Fuzzes: seeds from the cases, libFuzzer on nightly. What is found goes to `fuzz/regressions`.
    Fuzz {
        /// Only these targets.
        targets: Vec<String>,
        /// How long, for each target.
        #[arg(long, default_value_t = 20)]
        minutes: u64,
    },
    /// Plants bugs in a copy of the tree; the tests must catch every one.
    Mutants {
        /// Only those whose name holds this text.
        name: Option<String>,
    },
}

/// Which benchmarks.
#[derive(Args)]
#[group(multiple = false)]
struct What {
    /// Only those whose name holds this text.
    filter: Option<String>,
    /// The whole job, against what one would use otherwise.
    #[arg(long)]
    peers: bool,
    /// Calls from Python, and 10 million rows of a table beside the same in Rust.
    #[arg(long)]
    python: bool,
    /// Models of lifetimes on a million clients, against the Python packages lifetimes and lifelines.
    #[arg(long)]
    lifetimes: bool,
    /// How time and memory grow from 10 000 clients to this many, at 100 events each; 1000000 takes about 12 GB.
    #[arg(long, value_name = "CLIENTS")]
    growth: Option<u64>,
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Demo(options) => xtask::demo::run(&options),
        Task::Test { step } => test::run(step.as_deref()),
        Task::Codegen { check } => write_generated(check),
        Task::Cases { folder, answers } => {
            run_cases(&folder.unwrap_or_else(case::own_cases), answers.as_deref())
        }
        Task::Bench { what: What { peers: true, .. }, options } => peers::run(&options),
        Task::Bench { what: What { python: true, .. }, .. } => python::bench(),
        Task::Bench { what: What { lifetimes: true, .. }, .. } => peers::lifetimes(),
        Task::Bench { what: What { growth: Some(largest), .. }, .. } => growth::run(largest),
        Task::Bench { what: What { filter, .. }, .. } => bench(filter),
        Task::Trust(options) => trust::run(&options),
        Task::Fuzz { targets, minutes } => fuzz::run(minutes, &targets).map(drop),
        Task::Mutants { name } => mutants::run(name.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write_generated(check: bool) -> Result<()> {
    let stale = codegen::stale();
    if check {
        if !stale.is_empty() {
            bail!("stale: {}; run `cargo xtask codegen`", stale.join(", "));
        }
        println!("all generated files are fresh");
        return Ok(());
    }
    for file in codegen::generated().iter().filter(|file| stale.contains(&file.path)) {
        let path = case::workspace().join(file.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, &file.text)?;
        println!("wrote {}", file.path);
    }
    Ok(())
}

fn run_cases(folder: &Path, answers: Option<&Path>) -> Result<()> {
    let cases = Case::load_folder(folder)?;
    if cases.is_empty() {
        bail!("there is no case in {}", folder.display());
    }
    if let Some(file) = answers {
        return write_answers(&cases, file);
    }
    let mut failed = 0;
    for case in &cases {
        let faults = case.run();
        if !faults.is_empty() {
            failed += 1;
            println!("{}\n  why: {}", case.file, case.why);
            faults.iter().for_each(|fault| println!("  {fault}"));
        }
    }
    println!("{} passed, {failed} failed", cases.len() - failed);
    if failed > 0 {
        bail!("{failed} cases failed");
    }
    Ok(())
}

fn write_answers(cases: &[Case], file: &Path) -> Result<()> {
    let mut text = String::new();
    for case in cases {
        text.push_str(&case.answers()?.to_string());
        text.push('\n');
    }
    std::fs::write(file, text)?;
    Ok(())
}

fn bench(filter: Option<String>) -> Result<()> {
    let mut cargo = test::cargo();
    cargo
        .args(["bench", "--package", "healthfold-benches"])
        .args(filter.iter().flat_map(|name| ["--", name]));
    if !cargo.status()?.success() {
        bail!("the benchmarks failed");
    }
    Ok(())
}

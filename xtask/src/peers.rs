//! `cargo xtask bench --peers`: sets up what the contestants of benches/peers need, and sets them against each other.

use crate::test;
use anyhow::{Context, Result, bail};
use clap::Args;
use healthfold_testkit::case;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Args)]
#[command(next_help_heading = "With --peers")]
pub(crate) struct Options {
    /// How many clients the log has.
    #[arg(long, default_value_t = 100_000, requires = "peers")]
    clients: u32,
    /// How many events.
    #[arg(long, default_value_t = 10_000_000, requires = "peers")]
    events: u64,
    /// What the log is drawn by.
    #[arg(long, default_value_t = 1, requires = "peers")]
    seed: u64,
    /// Of 100 usage events so many come in late.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100), requires = "peers")]
    late: u32,
    /// How often each takes its turn.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..), requires = "peers")]
    rounds: u32,
    /// How many threads those may use that can.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=2), requires = "peers")]
    threads: u32,
    /// Let this contestant err; the run must fail.
    #[arg(long, value_name = "NAME", requires = "peers")]
    plant: Option<String>,
    /// Print JSON.
    #[arg(long, requires = "peers")]
    json: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let target = target()?;
    let folder = target.join("peers");
    let programs = case::workspace().join("benches/peers");
    let python = python(&folder.join("venv"), &programs.join("requirements.txt"))?;
    let binary = ["build", "--quiet", "--release", "--package", "healthfold-benches", "--bin", "peers"];
    let threads = (options.threads > 1).then_some(["--features", "threads"]);
    must(test::cargo().args(binary).args(threads.into_iter().flatten()).arg("--target-dir").arg(&target))?;

    let mut command = Command::new(python);
    command.arg(programs.join("run.py"));
    command.arg("--binary").arg(target.join("release/peers"));
    command.arg("--logs").arg(folder.join("logs"));
    for (name, value) in [
        ("--clients", u64::from(options.clients)),
        ("--events", options.events),
        ("--seed", options.seed),
        ("--late", u64::from(options.late)),
        ("--rounds", u64::from(options.rounds)),
        ("--threads", u64::from(options.threads)),
    ] {
        command.arg(name).arg(value.to_string());
    }
    command.args(options.json.then_some("--json"));
    command.args(options.plant.iter().flat_map(|name| ["--plant", name]));
    must(&mut command)
}

/// Sets the models of lifetimes against lifetimes and lifelines, which need packages of their own.
pub(crate) fn lifetimes() -> Result<()> {
    let target = target()?;
    let folder = target.join("peers");
    let programs = case::workspace().join("benches/peers");
    let python = python(&folder.join("lifetimes-venv"), &programs.join("lifetime_requirements.txt"))?;
    let binary = ["build", "--quiet", "--release", "--package", "healthfold-benches", "--bin", "lifetimes"];
    must(test::cargo().args(binary).arg("--target-dir").arg(&target))?;
    let mut command = Command::new(python);
    command.arg(programs.join("lifetime_peers.py"));
    command.arg("--binary").arg(target.join("release/lifetimes"));
    must(command.arg("--folder").arg(folder.join("lifetimes")))
}

/// The folder that cargo builds in: this program lies two levels below it.
pub(crate) fn target() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    own.ancestors().nth(2).map(Path::to_owned).context("this program is in no target folder")
}

/// A Python with the packages that a file asks for, in a virtual environment of its own.
fn python(environment: &Path, requirements: &Path) -> Result<PathBuf> {
    let python = environment.join("bin/python");
    let asked = std::fs::read(requirements)?;
    let installed = environment.join("requirements.txt");
    if std::fs::read(&installed).ok().as_ref() == Some(&asked) {
        return Ok(python);
    }
    eprintln!("installing the Python packages of the contestants");
    must(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    must(Command::new(&python).args(pip).arg(requirements))?;
    std::fs::write(installed, asked)?;
    Ok(python)
}

fn must(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let last = command.get_args().last().map(OsStr::to_string_lossy).unwrap_or_default().into_owned();
    if !command.status().with_context(|| format!("`{program}` does not start"))?.success() {
        bail!("`{program} ... {last}` failed");
    }
    Ok(())
}

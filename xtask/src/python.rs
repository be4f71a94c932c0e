//! The Python binding: a virtual environment under `target/`, the wheel built into it, and its tests.

use crate::peers;
use crate::test::{Outcome, cargo, count};
use anyhow::{Context, Result, bail};
use healthfold_testkit::case::{self, Case};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Python the wheel is for.
const OLDEST: (u32, u32) = (3, 11);

struct Places {
    binding: PathBuf,
    target: PathBuf,
    bin: PathBuf,
}

/// Where the bindings of all languages are built.
#[allow(clippy::disallowed_methods, reason = "where to build is said by the environment")]
pub(crate) fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    target.map_or_else(|| case::workspace().join("target"), PathBuf::from).join("python")
}

/// Whether the Rust of a binding is formatted, and without a lint; where both bindings are looked at, what they are made of is
/// compiled once.
pub(crate) fn sound(manifest: &Path) -> Result<bool> {
    let formatted = cargo().args(["fmt", "--check", "--manifest-path"]).arg(manifest).status()?;
    // As they are built: a second profile would compile everything again.
    let linted = cargo()
        .env("CARGO_TARGET_DIR", target().join("build"))
        .args(["clippy", "--release", "--locked", "--quiet", "--manifest-path"])
        .arg(manifest)
        .args(["--", "-D", "warnings"])
        .status()?;
    Ok(formatted.success() && linted.success())
}

impl Places {
    fn new() -> Self {
        let target = target();
        let bin = target.join("venv").join(if cfg!(windows) { "Scripts" } else { "bin" });
        Self { binding: case::workspace().join("bindings-python"), target, bin }
    }

    fn python(&self) -> Command {
        let mut python = Command::new(self.bin.join("python"));
        python
            .current_dir(&self.binding)
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .env("MYPY_CACHE_DIR", self.target.join("mypy"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("HYPOTHESIS_STORAGE_DIRECTORY", self.target.join("hypothesis"));
        python
    }
}

/// Builds the wheel, installs it, and runs pytest, mypy and stubtest.
pub(crate) fn run() -> Result<Outcome> {
    let places = Places::new();
    let Some(python) = interpreter() else {
        let reason = format!(
            "the Python binding: there is no `python3` of {}.{} or newer on the path; install one, or name it in HEALTHFOLD_PYTHON",
            OLDEST.0, OLDEST.1
        );
        println!("{reason}");
        return Ok(Outcome { skipped: vec![reason], ..Outcome::default() });
    };
    environment(&places, &python)?;
    let sound = sound(&places.binding.join("Cargo.toml"))?;
    let mut outcome = Outcome { failed: !sound, ..Outcome::default() };
    wheel(&places)?;
    let answers = places.target.join("answers.ndjson");
    crate::write_answers(&Case::load_folder(&case::own_cases())?, &answers)?;
    pytest(&places, &answers, &mut outcome)?;
    for (what, arguments) in [
        ("mypy", &["-m", "mypy", "--strict", "python/healthfold", "tests"][..]),
        ("stubtest", &["-m", "mypy.stubtest", "healthfold", "--ignore-missing-stub"]),
    ] {
        let mut check = places.python();
        // Not where the sources are: the stub is that of the installed package.
        if what == "stubtest" {
            check.current_dir(&places.target);
        }
        if check.args(arguments).status()?.success() {
            outcome.passed_tests += 1;
        } else {
            println!("{what} of the Python binding failed");
            outcome.failed_tests += 1;
            outcome.failed = true;
        }
    }
    Ok(outcome)
}

/// Times calls from Python, and rows of a table beside the same in Rust.
pub(crate) fn bench() -> Result<()> {
    let places = Places::new();
    let python = interpreter().context("there is no Python that is new enough")?;
    environment(&places, &python)?;
    wheel(&places)?;
    let target = peers::target()?;
    let program = ["build", "--quiet", "--release", "--package", "healthfold-benches", "--bin", "rows"];
    must(cargo().args(program).arg("--target-dir").arg(&target), "building the program of benches/rows.rs")?;
    must(
        places.python().args(["tests/bench.py", "10000000"]).arg(target.join("release/rows")),
        "timing calls from Python",
    )
}

/// A Python that is new enough.
#[allow(clippy::disallowed_methods, reason = "which Python to test with is said by the environment")]
fn interpreter() -> Option<String> {
    let named = std::env::var("HEALTHFOLD_PYTHON").ok();
    let newest = (OLDEST.1..=OLDEST.1 + 8).rev().map(|minor| format!("python3.{minor}"));
    let candidates = named.into_iter().chain(["python3".to_owned(), "python".to_owned()]).chain(newest);
    candidates.into_iter().find(|name| {
        let check = format!("import sys, venv; raise SystemExit(sys.version_info < {OLDEST:?})");
        Command::new(name).args(["-c", &check]).output().is_ok_and(|output| output.status.success())
    })
}

/// The virtual environment with what the tests need, made anew when the requirements change.
fn environment(places: &Places, python: &str) -> Result<()> {
    let requirements = places.binding.join("requirements.txt");
    let wanted = std::fs::read_to_string(&requirements)?;
    let installed = places.target.join("requirements.txt");
    if places.bin.exists() && std::fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(());
    }
    std::fs::create_dir_all(&places.target)?;
    must(
        Command::new(python).args(["-m", "venv", "--clear"]).arg(places.target.join("venv")),
        "making a virtual environment",
    )?;
    must(
        places.python().args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements),
        "installing what the Python tests need (is there a package index to reach?)",
    )?;
    std::fs::write(installed, wanted)?;
    Ok(())
}

fn must(command: &mut Command, what: &str) -> Result<()> {
    if !command.status().with_context(|| what.to_owned())?.success() {
        bail!("{what} failed");
    }
    Ok(())
}

/// Builds the wheel and installs it.
fn wheel(places: &Places) -> Result<()> {
    let wheels = places.target.join("wheels");
    let _ = std::fs::remove_dir_all(&wheels);
    must(
        places
            .python()
            .env("CARGO_TARGET_DIR", places.target.join("build"))
            .args(["-m", "maturin", "build", "--release", "--locked", "--quiet", "--out"])
            .arg(&wheels)
            .arg("--interpreter")
            .arg(places.bin.join("python")),
        "building the wheel",
    )?;
    let built = std::fs::read_dir(&wheels)?.flatten().map(|entry| entry.path());
    let wheel = built.into_iter().next().context("maturin made no wheel")?;
    let install = ["-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps"];
    must(places.python().args(install).arg(wheel), "installing the wheel")
}

fn pytest(places: &Places, answers: &Path, outcome: &mut Outcome) -> Result<()> {
    let output = places
        .python()
        .env("HEALTHFOLD_RUST_ANSWERS", answers)
        .args(["-m", "pytest", "-r", "s", "--no-header", "-p", "no:cacheprovider"])
        .output()
        .context("pytest does not start")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let summary = text.lines().rev().find(|line| line.contains(" passed") || line.contains(" failed"));
    let summary = summary.unwrap_or_default();
    outcome.passed_tests += count(summary, " passed");
    outcome.failed_tests += count(summary, " failed") + count(summary, " error");
    for line in text.lines().filter(|line| line.starts_with("SKIPPED")) {
        outcome.skipped.push(format!("Python: {line}"));
    }
    if !output.status.success() {
        println!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
        outcome.failed = true;
    }
    Ok(())
}

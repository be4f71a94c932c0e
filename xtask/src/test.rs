//! `cargo xtask test`: everything that must pass, one step after the other, and what became of each.

use crate::peers;
use anyhow::{Context, Result, bail};
use healthfold_testkit::{case, codegen};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The cargo that runs this.
#[allow(clippy::disallowed_methods, reason = "cargo says by the environment which one it is")]
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(case::workspace());
    // Set for this very program by the cargo that built it; the ones started here have their own opinion.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_MANIFEST_PATH"] {
        cargo.env_remove(name);
    }
    cargo
}

/// What a step came to.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) failed: bool,
    /// Tests of the step, where it has any.
    pub(crate) passed_tests: u64,
    pub(crate) failed_tests: u64,
    pub(crate) skipped: Vec<String>,
    pub(crate) took: Duration,
}

struct Step {
    name: &'static str,
    shows: &'static str,
    run: fn() -> Result<Outcome>,
}

const STEPS: &[Step] = &[
    Step { name: "format", shows: "cargo fmt --all --check", run: format },
    Step { name: "lints", shows: "cargo clippy --workspace --all-targets -- -D warnings", run: lints },
    Step { name: "generated files", shows: "cargo xtask codegen --check", run: generated },
    Step { name: "tests", shows: "cargo test --workspace --no-fail-fast, doc tests included", run: tests },
    Step {
        name: "threads",
        shows: "cargo test -p healthfold --features threads,parquet --lib --test threads --test side_by_side --test conformance",
        run: threads,
    },
    Step {
        name: "python",
        shows: "the wheel in a virtual environment: pytest with the shared cases, mypy --strict, stubtest",
        run: crate::python::run,
    },
    Step {
        name: "node",
        shows: "the addon and its package: node --test with the shared cases, tsc, publint",
        run: crate::node::run,
    },
    Step {
        name: "instructions",
        shows: "cargo bench -p healthfold-guards, where valgrind is installed",
        run: instructions,
    },
    Step { name: "docs", shows: "RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps", run: docs },
];

/// Runs every step, also after one that failed; or one alone.
pub(crate) fn run(only: Option<&str>) -> Result<()> {
    let mut outcomes = Vec::new();
    let wanted = |step: &&Step| only.is_none_or(|name| name == step.name);
    if !STEPS.iter().any(|step| wanted(&step)) {
        bail!("the steps are {}", STEPS.iter().map(|step| step.name).collect::<Vec<_>>().join(", "));
    }
    for step in STEPS.iter().filter(wanted) {
        println!("== {}: {}", step.name, step.shows);
        #[allow(clippy::disallowed_methods, reason = "how long a step took is no answer of the library")]
        let begun = std::time::Instant::now();
        let mut outcome = (step.run)().with_context(|| step.name)?;
        outcome.took = begun.elapsed();
        outcomes.push((step, outcome));
    }
    report(&outcomes)
}

fn report(outcomes: &[(&Step, Outcome)]) -> Result<()> {
    println!("\n{:<17}{:<9}{:>8}  tests", "step", "", "seconds");
    for (step, outcome) in outcomes {
        let word = if outcome.failed { "FAILED" } else { "passed" };
        let tests = match (outcome.passed_tests, outcome.failed_tests) {
            (0, 0) => String::new(),
            (passed, failed) => format!("{passed} passed, {failed} failed"),
        };
        println!("{:<17}{word:<9}{:>8.1}  {tests}", step.name, outcome.took.as_secs_f64());
    }
    let skipped: Vec<&String> = outcomes.iter().flat_map(|(_, outcome)| &outcome.skipped).collect();
    println!("\nskipped: {}", if skipped.is_empty() { "nothing" } else { "" });
    skipped.iter().for_each(|reason| println!("  {reason}"));
    println!(
        "  fuzz targets: not built here, they need nightly and cargo-fuzz; found inputs were replayed as tests"
    );

    // A step without tests of its own counts as one thing that must pass.
    let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(|(_, outcome)| of(outcome)).sum::<u64>();
    let passed =
        sum(|o| if o.passed_tests + o.failed_tests == 0 { u64::from(!o.failed) } else { o.passed_tests });
    let failed = sum(|o| o.failed_tests.max(u64::from(o.failed)));
    let steps: Vec<&str> = outcomes.iter().filter(|(_, o)| o.failed).map(|(step, _)| step.name).collect();
    if !steps.is_empty() {
        println!("\nfailed: {}", steps.join(", "));
    }
    println!("{passed} passed, {failed} failed");
    if failed > 0 { bail!("{} failed", steps.join(", ")) } else { Ok(()) }
}

fn plain(command: &mut Command) -> Result<Outcome> {
    let failed = !command.status().context("cargo does not start")?.success();
    Ok(Outcome { failed, ..Outcome::default() })
}

fn format() -> Result<Outcome> {
    plain(cargo().args(["fmt", "--all", "--check"]))
}

fn lints() -> Result<Outcome> {
    plain(cargo().args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn docs() -> Result<Outcome> {
    plain(cargo().env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--quiet", "--workspace", "--no-deps"]))
}

fn generated() -> Result<Outcome> {
    let stale = codegen::stale();
    stale.iter().for_each(|path| println!("stale: {path}"));
    Ok(Outcome { failed: !stale.is_empty(), ..Outcome::default() })
}

fn tests() -> Result<Outcome> {
    run_tests(&["test", "--workspace", "--no-fail-fast", "--", "--show-output"])
}

/// The answers of a book by several threads.
fn threads() -> Result<Outcome> {
    let features = ["test", "-p", "healthfold", "--features", "threads,parquet", "--lib"];
    let tests =
        ["--test", "threads", "--test", "side_by_side", "--test", "conformance", "--", "--show-output"];
    run_tests(&[&features[..], &tests].concat())
}

/// How many instructions the main paths take, against their limits.
fn instructions() -> Result<Outcome> {
    const RUNNER: &str = "0.20.0";
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        let reason = "instruction counts: valgrind is not installed".to_owned();
        return Ok(Outcome { skipped: vec![reason], ..Outcome::default() });
    }
    // The runner must be of the version that guards/Cargo.toml asks for.
    let tools = peers::target()?.join("tools").join(RUNNER);
    let runner = tools.join("bin/gungraun-runner");
    if !runner.exists() {
        let install = ["install", "--quiet", "--locked", "gungraun-runner", "--version", RUNNER, "--root"];
        let installed = plain(cargo().args(install).arg(&tools))?;
        if installed.failed {
            return Ok(installed);
        }
    }
    plain(cargo().env("GUNGRAUN_RUNNER", runner).args(["bench", "--quiet", "-p", "healthfold-guards"]))
}

fn run_tests(args: &[&str]) -> Result<Outcome> {
    let output = cargo().args(args).stderr(Stdio::inherit()).output().context("cargo does not start")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut outcome = read_tests(&text);
    outcome.failed = !output.status.success();
    if outcome.failed {
        println!("{text}");
    }
    Ok(outcome)
}

/// Counts tests and collects what was skipped from what `cargo test` prints.
fn read_tests(text: &str) -> Outcome {
    let mut outcome = Outcome::default();
    for line in text.lines() {
        if let Some(counts) = line.strip_prefix("test result: ") {
            outcome.passed_tests += count(counts, " passed");
            outcome.failed_tests += count(counts, " failed");
        } else if let Some(reason) = line.trim_start().strip_prefix("skipped: ") {
            outcome.skipped.push(reason.to_owned());
        } else if let Some((test, reason)) = line.split_once(" ... ignored") {
            let reason = reason.trim_start_matches(", ");
            let reason = if reason.is_empty() { "marked as ignored" } else { reason };
            outcome.skipped.push(format!("{}: {reason}", test.trim_start_matches("test ")));
        }
    }
    outcome.skipped.sort();
    outcome.skipped.dedup();
    outcome
}

pub(crate) fn count(counts: &str, what: &str) -> u64 {
    if !counts.contains(what) {
        return 0;
    }
    let before = counts.split(what).next().unwrap_or_default();
    before.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::read_tests;

    #[test]
    fn tests_are_counted_and_skips_collected() {
        let outcome = read_tests(
            "test a ... ok\ntest b ... ignored, needs nightly\n---- c stdout ----\nskipped: no data\n\
             test result: ok. 12 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
             test result: ok. 30 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n",
        );
        assert_eq!((outcome.passed_tests, outcome.failed_tests), (42, 1));
        assert_eq!(outcome.skipped, ["b: needs nightly", "no data"]);
    }
}

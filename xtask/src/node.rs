//! The Node binding: its packages, the native module, its types and its tests.

use crate::python;
use crate::test::{Outcome, cargo};
use anyhow::{Context, Result, bail};
use healthfold_testkit::case::{self, Case};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest Node the package is for.
const OLDEST: u32 = 20;

/// Builds the native module, and runs the tests, the compiler of TypeScript and the checks of the package.
pub(crate) fn run() -> Result<Outcome> {
    if let Some(reason) = missing() {
        println!("{reason}");
        return Ok(Outcome { skipped: vec![reason], ..Outcome::default() });
    }
    let binding = case::workspace().join("bindings-node");
    let manifest = binding.join("Cargo.toml");
    let mut outcome = Outcome { failed: !python::sound(&manifest)?, ..Outcome::default() };
    packages(&binding)?;
    build(&binding, &manifest)?;
    let answers = python::target().join("answers.ndjson");
    crate::write_answers(&Case::load_folder(&case::own_cases())?, &answers)?;
    tests(&binding, &answers, &mut outcome)?;
    for (what, arguments) in [
        ("the types", &["tsc", "--project", "tsconfig.json"][..]),
        ("the types of the JavaScript", &["tsc", "--project", "tsconfig.lib.json"]),
        ("publint", &["publint", "run", ".", "--strict"]),
        ("attw, whether the types are found", &["attw", "--pack", ".", "--format", "ascii", "--no-emoji"]),
    ] {
        if check(&binding, arguments)? {
            outcome.passed_tests += 1;
        } else {
            println!("{what} of the Node binding failed");
            outcome.failed_tests += 1;
            outcome.failed = true;
        }
    }
    Ok(outcome)
}

/// What is not there, if anything.
fn missing() -> Option<String> {
    let version = |program: &str| {
        let output = Command::new(program).arg("--version").output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let why =
        |what: String| Some(format!("the Node binding: {what}; install Node {OLDEST} or newer with npm"));
    let Some(node) = version("node") else { return why("there is no `node` on the path".to_owned()) };
    let major = node.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST) {
        return why(format!("`node` is {node}"));
    }
    match version("npm") {
        Some(_) => None,
        None => why("there is no `npm` on the path".to_owned()),
    }
}

/// What the tests need, as the lock file has it; anew when that changes.
fn packages(binding: &Path) -> Result<()> {
    let wanted = std::fs::read(binding.join("package-lock.json"))?;
    let installed = binding.join("node_modules/.healthfold-lock.json");
    if std::fs::read(&installed).is_ok_and(|lock| lock == wanted) {
        return Ok(());
    }
    let npm = Command::new("npm").args(["ci", "--loglevel=error"]).current_dir(binding).status();
    if !npm.context("npm does not start")?.success() {
        bail!("installing what the Node tests need failed (is there a package registry to reach?)");
    }
    Ok(std::fs::write(installed, wanted)?)
}

/// Builds where the Python binding is built: what both are made of is compiled once.
fn build(binding: &Path, manifest: &Path) -> Result<()> {
    let target = python::target().join("build");
    let built = cargo()
        .env("CARGO_TARGET_DIR", &target)
        .args(["build", "--release", "--locked", "--quiet", "--manifest-path"])
        .arg(manifest)
        .status()?;
    if !built.success() {
        bail!("building the native module failed");
    }
    let library = format!("{}healthfold_node{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let mut name = Command::new("node");
    name.args(["-p", "require('./lib/platform.js').platform()"]).current_dir(binding);
    let name = name.output().context("node does not start")?;
    let name = String::from_utf8_lossy(&name.stdout).trim().to_owned();
    // Not written over: a module that is in use may be mapped into memory.
    let module: PathBuf = binding.join(format!("healthfold.{name}.node"));
    let _ = std::fs::remove_file(&module);
    std::fs::copy(target.join("release").join(library), module)?;
    Ok(())
}

fn tests(binding: &Path, answers: &Path, outcome: &mut Outcome) -> Result<()> {
    // By name: what a folder stands for is not the same in every Node.
    let files = std::fs::read_dir(binding.join("test"))?.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.to_string_lossy().ends_with(".test.js")).collect();
    files.sort();
    let output = Command::new("node")
        .args(["--expose-gc", "--test", "--test-reporter=tap"])
        .args(files)
        .current_dir(binding)
        .env("HEALTHFOLD_RUST_ANSWERS", answers)
        .stderr(Stdio::inherit())
        .output()
        .context("node does not start")?;
    let text = String::from_utf8_lossy(&output.stdout);
    for line in text.lines() {
        if let Some(passed) = line.strip_prefix("# pass ") {
            outcome.passed_tests += passed.trim().parse::<u64>().unwrap_or_default();
        } else if let Some(failed) = line.strip_prefix("# fail ") {
            outcome.failed_tests += failed.trim().parse::<u64>().unwrap_or_default();
        } else if let Some((test, reason)) = line.split_once("# SKIP") {
            outcome.skipped.push(format!("Node: {} ({})", test.trim(), reason.trim()));
        } else if let Some(measured) = line.trim_start().strip_prefix("# measured: ") {
            println!("{measured}");
        }
    }
    if !output.status.success() {
        println!("{text}");
        outcome.failed = true;
    }
    Ok(())
}

fn check(binding: &Path, arguments: &[&str]) -> Result<bool> {
    let (program, arguments) = arguments.split_first().context("a check has a program")?;
    let program = binding.join("node_modules/.bin").join(program);
    Ok(Command::new(program).args(arguments).current_dir(binding).status()?.success())
}

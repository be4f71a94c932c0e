//! `cargo xtask fuzz --minutes N [TARGET...]`: seeds from the conformance cases, libFuzzer on nightly, what it came to.

use anyhow::{Context, Result, bail};
use healthfold_testkit::hostile::TARGETS;
use healthfold_testkit::{case, seeds};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run of one target came to.
pub(crate) struct Fuzzed {
    pub(crate) target: &'static str,
    pub(crate) executions: u64,
    /// Edges of the program that were reached.
    pub(crate) coverage: u64,
    pub(crate) found: Vec<PathBuf>,
}

/// Runs some targets, or all, one after the other, each for some minutes.
pub(crate) fn run(minutes: u64, only: &[String]) -> Result<Vec<Fuzzed>> {
    let wanted: Vec<_> =
        TARGETS.iter().filter(|(name, _)| only.is_empty() || only.iter().any(|only| only == name)).collect();
    if wanted.len() < only.len() || wanted.is_empty() {
        bail!("the targets are {}", TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "));
    }
    if !cargo_fuzz().arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status()?.success() {
        bail!("cargo-fuzz is not installed: `cargo install cargo-fuzz`, and a nightly toolchain");
    }
    let dictionary = case::workspace().join("fuzz/target/words.dict");
    write(&dictionary, seeds::dictionary()?.as_bytes())?;
    let mut results = Vec::new();
    for (target, _) in wanted {
        results.push(fuzz(target, minutes, &dictionary)?);
    }
    println!("\n{:<10}{:>14}{:>10}  found", "target", "executions", "coverage");
    for Fuzzed { target, executions, coverage, found } in &results {
        println!("{target:<10}{executions:>14}{coverage:>10}  {}", found.len());
    }
    let found: Vec<String> =
        results.iter().flat_map(|result| &result.found).map(|file| file.display().to_string()).collect();
    if !found.is_empty() {
        bail!("found:\n  {}\ngive each a name of what it broke, and mend it", found.join("\n  "));
    }
    Ok(results)
}

/// The cargo of rustup, which takes `+nightly`; the one that runs this is of one toolchain.
fn cargo_fuzz() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(case::workspace()).env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    command.args(["+nightly", "fuzz"]);
    command
}

fn fuzz(target: &'static str, minutes: u64, dictionary: &Path) -> Result<Fuzzed> {
    let fuzz = case::workspace().join("fuzz");
    let (corpus, artifacts) = (fuzz.join("corpus").join(target), fuzz.join("artifacts").join(target));
    let regressions = fuzz.join("regressions").join(target);
    for (name, bytes) in seeds::seeds(target)? {
        write(&corpus.join(name), &bytes)?;
    }
    std::fs::create_dir_all(&artifacts)?;
    let before = files(&artifacts)?;
    println!("== {target}: {minutes} minutes");
    let log = fuzz.join("target").join(format!("{target}.log"));
    let status = cargo_fuzz()
        .args(["run", target])
        .args([&corpus, &regressions])
        .arg("--")
        .arg(format!("-dict={}", dictionary.display()))
        .arg(format!("-max_total_time={}", minutes * 60))
        // An input may take this many seconds by the clock, also on a busy machine, and mebibytes, under the sanitizer.
        .args([
            "-timeout=120",
            "-report_slow_units=60",
            "-rss_limit_mb=2048",
            "-max_len=65536",
            "-print_final_stats=1",
        ])
        .stderr(std::fs::File::create(&log)?)
        .status()
        .context("cargo-fuzz does not start")?;
    let text = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    let mut found = Vec::new();
    for input in files(&artifacts)?.into_iter().filter(|input| !before.contains(input)) {
        let kept = regressions.join(input.file_name().unwrap_or_default());
        std::fs::copy(&input, &kept)?;
        found.push(kept);
    }
    if !status.success() && found.is_empty() {
        bail!("{target} does not run; see {}", log.display());
    }
    let (executions, coverage) = read_log(&text);
    Ok(Fuzzed { target, executions, coverage, found })
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(std::fs::write(path, bytes)?)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut files = entries.collect::<Result<Vec<PathBuf>>>()?;
    files.sort();
    Ok(files)
}

/// Executions and coverage from what libFuzzer prints: `#812 NEW cov: 4101 ft: ...` and `stat::number_of_executed_units: 812`.
fn read_log(text: &str) -> (u64, u64) {
    let after = |line: &str, word: &str| {
        line.split_once(word).and_then(|(_, rest)| rest.split_whitespace().next()?.parse::<u64>().ok())
    };
    let last = |word: &str| text.lines().rev().find_map(|line| after(line, word)).unwrap_or_default();
    let begun = text.lines().rev().find_map(|line| after(line.strip_prefix('#')?, "")).unwrap_or_default();
    (last("stat::number_of_executed_units:").max(begun), last(" cov: "))
}

#[cfg(test)]
mod tests {
    use super::read_log;

    #[test]
    fn executions_and_coverage_are_read() {
        let log =
            "INFO: seed\n#2 INITED cov: 10 ft: 11 corp: 1/1b\n#812\tNEW    cov: 4101 ft: 9000 corp: 8/1b\n";
        assert_eq!(read_log(log), (812, 4101));
        let log = format!("{log}Done 900 runs in 61 second(s)\nstat::number_of_executed_units: 900\n");
        assert_eq!(read_log(&log), (900, 4101));
        assert_eq!(read_log("error: no such target"), (0, 0));
    }
}

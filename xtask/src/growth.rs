//! `cargo xtask bench --growth`: what an event, a score and a year of revenue cost as the book grows, at 100 events a client.

use crate::{peers, test};
use anyhow::{Context, Result, bail};
use std::process::Command;

/// What one run of benches/growth.rs says.
struct Run {
    clients: f64,
    figures: serde_json::Value,
}

impl Run {
    fn seconds(&self) -> Result<f64> {
        self.figures
            .get("apply_seconds")
            .and_then(serde_json::Value::as_f64)
            .context("the program says how long it took")
    }
}

/// Runs 10 000 clients, ten times as many, and so on up to `largest`; each twice, the better of the two counts.
pub(crate) fn run(largest: u64) -> Result<()> {
    let target = peers::target()?;
    let build = ["build", "--quiet", "--release", "--package", "healthfold-benches", "--bin", "growth"];
    if !test::cargo().args(build).arg("--target-dir").arg(&target).status()?.success() {
        bail!("building the program of benches/growth.rs failed");
    }
    for dedupe in ["exact", "upstream"] {
        let mut runs: Vec<Run> = Vec::new();
        let mut clients = 10_000;
        while clients <= largest {
            let mut best = once(&target, clients, dedupe)?;
            let again = once(&target, clients, dedupe)?;
            if again.seconds()? < best.seconds()? {
                best = again;
            }
            println!("{dedupe}: {}", best.figures);
            if let Some(before) = runs.last() {
                let exponent =
                    (best.seconds()? / before.seconds()?).ln() / (best.clients / before.clients).ln();
                println!("{dedupe}: time to take events in grows by the power {exponent:.3} of the clients");
            }
            runs.push(best);
            clients *= 10;
        }
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "a number of clients is far below 2^53")]
fn once(target: &std::path::Path, clients: u64, dedupe: &str) -> Result<Run> {
    let program = target.join("release/growth");
    let ran = Command::new(program).args([&clients.to_string(), "100", dedupe]).output()?;
    if !ran.status.success() {
        bail!("{}", String::from_utf8_lossy(&ran.stderr));
    }
    Ok(Run { clients: clients as f64, figures: serde_json::from_slice(&ran.stdout)? })
}

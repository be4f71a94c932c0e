//! `cargo xtask mutants`: planted bugs, each of which the suite must catch.
//!
//! The bugs are texts to be replaced, in `xtask/data/mutants.json`: those that quietly break a promise, such as ties by order
//! of arrival, sums through floats, a day too many. A copy of the tree is broken by one after the other; the original is
//! left alone.

use crate::{peers, test};
use anyhow::{Context, Result, bail};
use healthfold_testkit::case;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One planted bug.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    /// What it does wrong.
    name: String,
    /// Where, from the root.
    file: String,
    /// What stands there, once.
    old: String,
    /// What stands there instead.
    new: String,
    /// The tests of the core that are to catch it, tried one after the other; `lib` are its unit tests.
    tests: Vec<String>,
}

impl Mutant {
    fn plant(&self, text: &str) -> Result<String> {
        let found = text.matches(&self.old).count();
        if found != 1 {
            bail!(
                "`{}`: {} has its old text {found} times; give it another in xtask/data/mutants.json",
                self.name,
                self.file
            );
        }
        Ok(text.replace(&self.old, &self.new))
    }
}

fn mutants() -> Result<Vec<Mutant>> {
    serde_json::from_str(include_str!("../data/mutants.json")).context("xtask/data/mutants.json")
}

/// Plants the bugs whose name holds a text, or all, and fails if one is not caught.
pub(crate) fn run(only: Option<&str>) -> Result<()> {
    let mutants: Vec<Mutant> =
        mutants()?.into_iter().filter(|mutant| only.is_none_or(|only| mutant.name.contains(only))).collect();
    if mutants.is_empty() {
        bail!("no mutant has this name");
    }
    let tree = copy_tree()?;
    println!("== {} planted bugs in {}", mutants.len(), tree.display());
    let mut tests: Vec<&String> = mutants.iter().flat_map(|mutant| &mutant.tests).collect();
    tests.sort_unstable();
    tests.dedup();
    for name in tests {
        if let Some(failed) = failure(&tree, name)? {
            bail!("{name} fails without a planted bug: {failed}");
        }
    }
    let mut survived = Vec::new();
    for mutant in &mutants {
        let path = tree.join(&mutant.file);
        let sound = std::fs::read_to_string(&path)?;
        std::fs::write(&path, mutant.plant(&sound)?)?;
        let caught = catcher(&tree, mutant);
        std::fs::write(&path, sound)?;
        match caught? {
            Some(test) => println!("caught    {:<48} {test}", mutant.name),
            None => {
                println!("SURVIVED  {}", mutant.name);
                survived.push(mutant.name.as_str());
            }
        }
    }
    println!("{} of {} planted bugs caught", mutants.len() - survived.len(), mutants.len());
    if survived.is_empty() { Ok(()) } else { bail!("not caught: {}", survived.join(", ")) }
}

/// The test that fails first, of those that are to catch a bug.
fn catcher(tree: &Path, mutant: &Mutant) -> Result<Option<String>> {
    for name in &mutant.tests {
        if let Some(failed) = failure(tree, name).with_context(|| format!("`{}`", mutant.name))? {
            return Ok(Some(format!("{name}: {failed}")));
        }
    }
    Ok(None)
}

/// The first test of a target that fails, if one does.
fn failure(tree: &Path, name: &str) -> Result<Option<String>> {
    let mut cargo = test::cargo();
    cargo.current_dir(tree).env("CARGO_TARGET_DIR", peers::target()?);
    // No failure of a planted bug is kept as a regression.
    cargo.env("PROPTEST_FAILURE_PERSISTENCE", "off").env_remove("HEALTHFOLD_SEED");
    cargo.args(["test", "--quiet", "--package", "healthfold"]);
    match name {
        "lib" => cargo.arg("--lib"),
        name => cargo.args(["--test", name]),
    };
    let output = cargo.output().context("cargo does not start")?;
    if output.status.success() {
        return Ok(None);
    }
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if errors.contains("could not compile") {
        bail!("it does not compile: {errors}");
    }
    let failed = text.lines().find_map(|line| line.strip_prefix("---- ")?.split(' ').next());
    Ok(Some(failed.unwrap_or("it does not end well").to_owned()))
}

/// A copy of what is tracked, or would be, beside the build.
fn copy_tree() -> Result<PathBuf> {
    let tree = peers::target()?.join("mutants");
    let listed = Command::new("git")
        .current_dir(case::workspace())
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("git does not start")?;
    for file in String::from_utf8_lossy(&listed.stdout).split('\0').filter(|file| !file.is_empty()) {
        let (from, to) = (case::workspace().join(file), tree.join(file));
        let Ok(bytes) = std::fs::read(&from) else { continue };
        // What is the same keeps its time, so that it is not built again.
        if std::fs::read(&to).is_ok_and(|known| known == bytes) {
            continue;
        }
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(to, bytes)?;
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::{case, mutants};

    #[test]
    fn every_planted_bug_has_its_place() {
        let mutants = mutants().unwrap();
        assert!(mutants.len() >= 25);
        for mutant in mutants {
            let sound = std::fs::read_to_string(case::workspace().join(&mutant.file)).unwrap();
            assert_ne!(mutant.plant(&sound).unwrap(), sound, "{}", mutant.name);
            assert!(!mutant.tests.is_empty());
        }
    }
}

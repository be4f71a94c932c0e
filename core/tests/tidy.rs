//! The rules of the house that a compiler does not know: a module only looks up, the core reads no clock, what is
//! generated is fresh, every kind has a case and an entry in the definitions.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by a panic and says what it skipped"
)]

use healthfold_testkit::case::{Case, own_cases, workspace};
use healthfold_testkit::codegen;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The most lines a file of the core may have before its unit tests.
const MOST_LINES: usize = 500;

/// Matches on event kinds that may have a wildcard, and why.
const MAY_HAVE_WILDCARD: &[(&str, &str)] = &[(
    "engine/mod.rs",
    "the day of an event is that of its time, whatever kind comes; a roll-up alone states another",
)];

struct Source {
    /// From `core/src`.
    path: String,
    /// Without comments and without unit tests, line by line.
    code: Vec<String>,
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    let skipped = [".git", "target", "corpus", "artifacts", "node_modules"];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !skipped.contains(&name.as_str()) {
                files(&path, into);
            }
        } else {
            into.push(path);
        }
    }
    into.sort();
}

fn core_sources() -> Vec<Source> {
    let root = workspace().join("core/src");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let mut sources = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        if path.ends_with("tests.rs") || path.contains("/tests/") {
            continue;
        }
        let code = text.lines().take_while(|line| !line.contains("#[cfg(test)]"));
        let code = code.map(|line| line.split("//").next().unwrap_or_default().to_owned()).collect();
        sources.push(Source { path, code });
    }
    assert!(sources.len() > 10, "the sources were not found");
    sources
}

/// Fails with all faults, one a line.
fn none(faults: Vec<String>, rule: &str) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}

fn module_order(sources: &[Source]) -> Vec<String> {
    let lib = sources.iter().find(|source| source.path == "lib.rs").unwrap();
    let module = |line: &String| {
        let rest = line.trim().trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        Some(rest.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
    };
    lib.code.iter().filter_map(module).collect()
}

/// The modules that a line names: `crate::a::`, `crate::{a::B, c::D}`.
fn named_modules(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    for rest in line.split("crate::").skip(1) {
        let ident =
            |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match rest.strip_prefix('{') {
            None => names.push(ident(rest)),
            Some(list) => names.extend(list.split(',').map(|item| ident(item.trim()))),
        }
    }
    names
}

#[test]
fn a_module_uses_only_modules_above_it() {
    let sources = core_sources();
    let order = module_order(&sources);
    assert!(order.len() > 10, "the modules of lib.rs were not found");
    let place = |module: &str| order.iter().position(|name| name == module);
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| source.path != "lib.rs") {
        let own = source.path.split('/').next().unwrap().trim_end_matches(".rs");
        let Some(own_place) = place(own) else {
            faults.push(format!("{} belongs to no module of lib.rs", source.path));
            continue;
        };
        for (number, line) in source.code.iter().enumerate() {
            for used in named_modules(line) {
                if place(&used).is_some_and(|used| used > own_place) {
                    faults.push(format!(
                        "{}:{}: `{own}` uses `{used}`, which is below it",
                        source.path,
                        number + 1
                    ));
                }
            }
        }
    }
    none(faults, "modules look up only, in the order of lib.rs");
}

#[test]
fn the_core_reads_no_clock_and_does_no_input_or_output() {
    let banned = [
        "std::time",
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::thread",
        "SystemTime",
        "::now()",
        "rand::",
        "getrandom",
        "RandomState",
        "pyo3",
        "napi",
    ];
    let mut faults = Vec::new();
    for source in core_sources() {
        for (number, line) in source.code.iter().enumerate() {
            for word in banned.iter().filter(|word| line.contains(**word)) {
                faults.push(format!("{}:{}: names `{word}`", source.path, number + 1));
            }
        }
    }
    let manifest = std::fs::read_to_string(workspace().join("core/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dev-dependencies]").next().unwrap();
    for word in ["pyo3", "napi", "rand.", "rand ", "tokio", "chrono"] {
        if dependencies.lines().any(|line| line.starts_with(word)) {
            faults.push(format!("core/Cargo.toml: depends on {word}"));
        }
    }
    none(faults, "the core knows nothing of the world around it");
}

#[test]
fn matches_on_event_kinds_have_no_wildcard() {
    let mut faults = Vec::new();
    for source in core_sources() {
        if MAY_HAVE_WILDCARD.iter().any(|(path, _)| *path == source.path) {
            continue;
        }
        let indent = |line: &str| line.len() - line.trim_start().len();
        for (number, line) in source.code.iter().enumerate() {
            let arm = line.trim_start();
            let is_arm = ["EventData::", "EventKind::"].iter().any(|kind| arm.starts_with(kind));
            if !is_arm || !(arm.contains("=>") || arm.ends_with('|')) {
                continue;
            }
            // The rest of this match: lines at least as deep as its arms.
            let rest = source
                .code
                .iter()
                .skip(number)
                .take_while(|l| l.trim().is_empty() || indent(l) >= indent(line));
            if rest.into_iter().any(|l| indent(l) == indent(line) && l.trim_start().starts_with("_ ")) {
                faults.push(format!("{}:{}", source.path, number + 1));
            }
        }
    }
    none(faults, "a new event kind must not compile before every match has said what it means there");
}

#[test]
fn files_are_short_enough_to_read() {
    let too_long = |source: &Source| source.code.len() > MOST_LINES;
    let fault = |source: &Source| format!("{}: {} lines", source.path, source.code.len());
    let sources = core_sources();
    none(
        sources.iter().filter(|source| too_long(source)).map(fault).collect(),
        "at most 500 lines before the tests",
    );
}

#[test]
fn generated_files_are_fresh() {
    let stale = codegen::stale();
    assert!(stale.is_empty(), "run `cargo xtask codegen`: {}", stale.join(", "));
}

#[test]
fn every_event_type_and_every_signal_is_in_some_case() {
    let cases = Case::load_folder(&own_cases()).unwrap();
    let types: BTreeSet<String> = cases.iter().flat_map(Case::event_types).collect();
    let kinds: BTreeSet<String> = cases.iter().flat_map(Case::signal_kinds).collect();
    let events =
        healthfold::EventKind::ALL.iter().map(|kind| kind.as_str()).filter(|kind| !types.contains(*kind));
    let docs = healthfold::signal_docs();
    let signals = docs.iter().map(|doc| doc.kind).filter(|kind| !kinds.contains(*kind));
    none(events.chain(signals).map(str::to_owned).collect(), "no conformance case has");
}

#[test]
fn every_signal_and_every_figure_is_defined() {
    let page = std::fs::read_to_string(workspace().join("docs/definitions.md")).unwrap();
    let defined = |name: &str| page.lines().any(|line| line.trim_end() == format!("### `{name}`"));
    let docs = healthfold::signal_docs();
    let mut names: Vec<String> = docs.iter().map(|doc| doc.kind.to_owned()).collect();
    names.extend(figures());
    names.extend(["score", "computed", "coverage", "low", "high", "contribution", "band"].map(str::to_owned));
    names.retain(|name| !defined(name));
    none(names, "docs/definitions.md has no entry for");
}

/// The members of a row of the revenue report.
fn figures() -> Vec<String> {
    let engine = healthfold::Engine::new(healthfold::Settings::default()).unwrap();
    let period = healthfold::Period::parse("2026-03", engine.zone()).unwrap();
    let report = engine.revenue(period, &Default::default()).unwrap();
    let report = serde_json::to_value(report).unwrap();
    let row = report["total"].as_object().expect("a report of nothing has a row of zeros");
    // What says which row it is, and not how much.
    row.keys().filter(|name| !matches!(name.as_str(), "key" | "currency")).cloned().collect()
}

#[test]
fn every_error_code_is_in_the_reference() {
    let page = std::fs::read_to_string(workspace().join("docs/reference/errors.md")).unwrap();
    let source = std::fs::read_to_string(workspace().join("core/src/error.rs")).unwrap();
    let code = |line: &str| Some(line.split_once("=> \"")?.1.split('"').next()?.to_owned());
    let codes: Vec<String> = source.lines().filter_map(code).collect();
    assert!(codes.len() > 10, "the codes of error.rs were not found");
    let missing = codes.into_iter().filter(|code| !page.contains(&format!("| `{code}` |")));
    none(missing.collect(), "docs/reference/errors.md does not tell");
}

#[test]
fn nothing_names_a_machine() {
    let own = Path::new("core/tests/tidy.rs");
    let root = workspace();
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let mut faults = Vec::new();
    for path in paths {
        let name = path.strip_prefix(&root).unwrap().to_path_buf();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for word in ["/home/", "/work/", "/root/", "/Users/", "/tmp/", "C:\\", "localhost", "127.0.0.1"] {
            // The backend that Node's example runs listens on loopback, which is the machine it runs on, whichever that is.
            let own_server = word == "127.0.0.1" && name.starts_with("bindings-node");
            if name != own && text.contains(word) && !own_server {
                faults.push(format!("{}: `{word}`", name.display()));
            }
        }
    }
    none(faults, "what is tracked must mean the same on every machine");
}

#[test]
fn only_bindings_and_counting_allocators_are_unsafe() {
    let root = workspace();
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let may = |name: &str| {
        name.starts_with("bindings-")
            || ["core/tests/memory.rs", "core/tests/hostile_table.rs", "core/tests/tidy.rs"].contains(&name)
    };
    let mut faults = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        let text = std::fs::read_to_string(path).unwrap();
        let is_unsafe = |line: &str| {
            let code = line.split("//").next().unwrap_or_default();
            ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe("]
                .iter()
                .any(|word| code.contains(word))
        };
        if !may(&name) && text.lines().any(is_unsafe) {
            faults.push(name);
        }
    }
    none(faults, "nothing but bindings, and tests that count memory, may be unsafe");
    let lib = std::fs::read_to_string(root.join("core/src/lib.rs")).unwrap();
    assert!(lib.contains("#![forbid(unsafe_code)]"));
}

#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    let root = workspace();
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let members =
        manifest.lines().find_map(|line| line.strip_prefix("members = [")).unwrap().trim_end_matches(']');
    let members: Vec<&str> = members.split(',').map(|member| member.trim().trim_matches('"')).collect();
    assert!(members.len() >= 4, "the members were not found");
    let mut faults = Vec::new();
    for member in members {
        let text = std::fs::read_to_string(root.join(member).join("Cargo.toml")).unwrap();
        for line in ["[lints]\nworkspace = true", "license.workspace = true", "description = "] {
            if !text.contains(line) {
                faults.push(format!("{member}/Cargo.toml: no `{}`", line.replace('\n', " ")));
            }
        }
    }
    assert!(manifest.contains("missing_docs = \"warn\""), "a public item without a sentence is not finished");
    none(faults, "crates are held to one standard");
}

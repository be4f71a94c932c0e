//! The runner of conformance cases: a log of events, questions, and the part of each answer a case is about.
//!
//! What a case holds and how values compare is told in `conformance/README.md`; this is the Rust reading of it. The
//! bindings have their own runners for the same files.
//!
//! | file | what it knows |
//! |---|---|
//! | `case` | reading files, applying, sealing, asking in turn |
//! | `question` | one call of the front door by name, JSON in and JSON out |
//! | `health` | the same, for the health of the book |
//! | `compare` | whether an answer agrees with what a case expects |

mod compare;
mod health;
mod question;

pub use compare::differences;
pub use question::{Refusal, ask};

use healthfold::{Dedupe, Engine, ReadOptions, Settings};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::io;
use std::path::{Path, PathBuf};

/// A conformance case, as its file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The name, without the number of the file.
    pub name: String,
    /// What it shows, with the sum by hand.
    pub why: String,
    engine: EngineSettings,
    /// What applying the events must report; null: not looked at.
    applied: Option<Value>,
    /// How far a binary number may be off.
    tolerance: f64,
    /// `seal(before)` is called after the events and before the questions.
    seal: Option<String>,
    /// As text, so that no number goes through a binary float on its way to the decoder.
    events: Vec<Box<RawValue>>,
    ask: Vec<Question>,
    /// The file, without its ending: `200-usage-sum-window-edges`. Shared cases have no number.
    #[serde(skip)]
    pub file: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EngineSettings {
    timezone: String,
    dedupe: Dedupe,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    call: String,
    args: Value,
    // A named `null` is an expectation, too.
    #[serde(default, deserialize_with = "present")]
    expect: Option<Value>,
    error: Option<String>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Case {
    /// Reads one file.
    ///
    /// # Errors
    /// If the file cannot be read or is no case.
    pub fn load(path: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let mut case: Self = serde_json::from_str(&text)
            .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        case.file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(case)
    }

    /// Reads all `.json` files of a folder, in order of their names.
    ///
    /// # Errors
    /// If the folder or one of its files cannot be read.
    pub fn load_folder(folder: &Path) -> io::Result<Vec<Self>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "json") {
                files.push(path);
            }
        }
        files.sort();
        files.iter().map(|file| Self::load(file)).collect()
    }

    /// The types of the events, for the test that every type is in some case.
    pub fn event_types(&self) -> impl Iterator<Item = String> {
        let of = |event: &RawValue| {
            let event: Value = serde_json::from_str(event.get()).ok()?;
            event.get("type")?.as_str().map(str::to_owned)
        };
        self.events.iter().filter_map(move |event| of(event))
    }

    /// The kinds of the signals that are asked for, alone or in a model.
    pub fn signal_kinds(&self) -> impl Iterator<Item = String> {
        let mut kinds = Vec::new();
        self.ask.iter().for_each(|question| collect_kinds(&question.args, &mut kinds));
        kinds.into_iter()
    }

    /// Runs the case and returns what is not as it should be; nothing if all is.
    pub fn run(&self) -> Vec<String> {
        let settings = Settings {
            timezone: self.engine.timezone.clone(),
            dedupe: self.engine.dedupe,
            ..Settings::default()
        };
        let mut engine = match Engine::new(settings) {
            Ok(engine) => engine,
            Err(error) => return vec![format!("engine: {error}")],
        };
        let mut faults = self.apply(&mut engine);
        if let Some(before) = &self.seal {
            let sealed = before
                .parse()
                .map_err(|error: healthfold::TimeError| error.to_string())
                .and_then(|before| engine.seal(before).map_err(|error| error.to_string()));
            faults.extend(sealed.err().map(|error| format!("seal: {error}")));
        }
        for (number, question) in self.ask.iter().enumerate() {
            let path = format!("ask[{number}] {}", question.call);
            faults.extend(question.put(&engine, self.tolerance, &path));
        }
        faults
    }

    /// Everything this library answers to the case: what applying reports, the fingerprint, and each answer whole, for a
    /// binding to be held against.
    ///
    /// # Errors
    /// If the engine cannot be made, or an answer is not JSON.
    pub fn answers(&self) -> io::Result<Value> {
        let (timezone, dedupe) = (self.engine.timezone.clone(), self.engine.dedupe);
        let settings = Settings { timezone, dedupe, ..Settings::default() };
        let mut engine = Engine::new(settings).map_err(io::Error::other)?;
        let applied = engine
            .apply_ndjson(self.lines().as_bytes(), &ReadOptions::default())
            .map_err(io::Error::other)?;
        if let Some(before) = &self.seal {
            let before = before.parse().map_err(io::Error::other)?;
            engine.seal(before).map_err(io::Error::other)?;
        }
        let answers = self.ask.iter().map(|question| match ask(&engine, &question.call, &question.args) {
            Ok(answer) => serde_json::json!({ "answer": answer }),
            Err(refusal) => serde_json::json!({ "error": refusal.code }),
        });
        let answers: Vec<Value> = answers.collect();
        let (applied, fingerprint) = (serde_json::to_value(&applied)?, engine.fingerprint());
        let snapshot: String = engine.snapshot().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(serde_json::json!({
            "file": self.file, "applied": applied, "fingerprint": fingerprint, "snapshot": snapshot, "answers": answers,
        }))
    }

    /// The questions as the fuzz target `ask` reads them: the call, and its arguments behind a space.
    pub(crate) fn questions(&self) -> Vec<String> {
        self.ask.iter().map(|question| format!("{} {}", question.call, question.args)).collect()
    }

    /// The models of the questions.
    pub(crate) fn models(&self) -> Vec<String> {
        self.ask.iter().filter_map(|question| question.args.get("model")).map(Value::to_string).collect()
    }

    /// A line of NDJSON each. No text of JSON holds a line end as it is, so those between members can go.
    pub(crate) fn lines(&self) -> String {
        let lines = self.events.iter().map(|event| event.get().replace(['\n', '\r'], " "));
        lines.collect::<Vec<String>>().join("\n")
    }

    fn apply(&self, engine: &mut Engine) -> Vec<String> {
        let applied = match engine.apply_ndjson(self.lines().as_bytes(), &ReadOptions::default()) {
            Ok(applied) => applied,
            Err(error) => return vec![format!("applied: {error}")],
        };
        let Some(expected) = &self.applied else { return Vec::new() };
        match serde_json::to_value(&applied) {
            Ok(found) => differences(expected, &found, self.tolerance, "applied"),
            Err(error) => vec![format!("applied: {error}")],
        }
    }
}

impl Question {
    fn put(&self, engine: &Engine, tolerance: f64, path: &str) -> Vec<String> {
        let answer = ask(engine, &self.call, &self.args);
        match (&self.expect, &self.error, answer) {
            (Some(expected), None, Ok(found)) => differences(expected, &found, tolerance, path),
            (None, Some(code), Err(refusal)) if *code == refusal.code => Vec::new(),
            (None, Some(code), Err(refusal)) => {
                vec![format!(
                    "{path}: expected error `{code}`, found `{}` ({})",
                    refusal.code, refusal.message
                )]
            }
            (None, Some(code), Ok(found)) => {
                vec![format!("{path}: expected error `{code}`, found {}", shortened(&found))]
            }
            (Some(_), None, Err(refusal)) => {
                vec![format!("{path}: failed with `{}` ({})", refusal.code, refusal.message)]
            }
            _ => vec![format!("{path}: a question has either `expect` or `error`")],
        }
    }
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(300).collect()
}

fn collect_kinds(args: &Value, kinds: &mut Vec<String>) {
    match args {
        Value::Object(members) => {
            if let Some(kind) = members.get("kind").and_then(Value::as_str) {
                kinds.push(kind.to_owned());
            }
            members.values().for_each(|member| collect_kinds(member, kinds));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_kinds(item, kinds)),
        _ => {}
    }
}

/// The folder of this project's cases.
#[must_use]
pub fn own_cases() -> PathBuf {
    workspace().join("conformance/cases")
}

/// The root of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    let testkit = Path::new(env!("CARGO_MANIFEST_DIR"));
    testkit.parent().unwrap_or(testkit).to_path_buf()
}

/// A file or folder of the shared data: below `HEALTHFOLD_TEST_DATA`, by default `../shared/data` beside the workspace.
///
/// `None` if it is not there; the reason is printed on a line of its own, which `cargo xtask test` collects. Where the
/// environment names a folder, its absence is no reason to skip.
///
/// # Panics
/// If `HEALTHFOLD_TEST_DATA` is set and the file is not there.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "where test data lies is part of no answer")]
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
pub fn shared_data(path: &str) -> Option<PathBuf> {
    let named = std::env::var("HEALTHFOLD_TEST_DATA").ok();
    let folder = workspace().join(named.as_deref().unwrap_or("../shared/data"));
    let file = folder.join(path);
    if file.exists() {
        return Some(file);
    }
    assert!(named.is_none(), "HEALTHFOLD_TEST_DATA is set, but {} is not there", file.display());
    println!("skipped: {path} of the shared data is not there; set HEALTHFOLD_TEST_DATA to its folder");
    None
}

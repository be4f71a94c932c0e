//! What fuzzers begin with: seeds made of the conformance cases, and the words that events, models and questions know.

use crate::case::{Case, own_cases};
use crate::logs::EVERY_KIND;
use healthfold::{Engine, EventKind, ReadOptions, Settings, signal_docs};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io;

/// The seeds of a fuzz target, each under a name: inputs that are good, so that what is tried is nearly good.
///
/// # Errors
/// If the conformance cases cannot be read.
pub fn seeds(target: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let cases = Case::load_folder(&own_cases())?;
    let mut seeds = Vec::new();
    for case in &cases {
        let many = |what: Vec<String>| {
            let name = |n: usize| format!("{}-{n}", case.file);
            what.into_iter()
                .enumerate()
                .map(move |(n, text)| (name(n), text.into_bytes()))
                .collect::<Vec<_>>()
        };
        match target {
            "decode" => seeds.extend(many(case.lines().lines().map(str::to_owned).collect())),
            "fold" => seeds.push((case.file.clone(), case.lines().into_bytes())),
            "model" | "formats" => seeds.extend(many(case.models())),
            "ask" => seeds.extend(many(case.questions())),
            "snapshot" => seeds.push((case.file.clone(), snapshot_of(&case.lines())?)),
            _ => return Err(io::Error::other(format!("there is no fuzz target `{target}`"))),
        }
    }
    match target {
        "fold" => seeds.push(("every-kind".to_owned(), EVERY_KIND.as_bytes().to_vec())),
        "snapshot" => seeds.push(("every-kind".to_owned(), snapshot_of(EVERY_KIND)?)),
        _ => {}
    }
    Ok(seeds)
}

fn snapshot_of(lines: &str) -> io::Result<Vec<u8>> {
    let mut engine = Engine::new(Settings::default()).map_err(io::Error::other)?;
    engine.apply_ndjson(lines.as_bytes(), &ReadOptions::default()).map_err(io::Error::other)?;
    Ok(engine.snapshot())
}

/// A dictionary in the form of libFuzzer: names of types, fields, signals and parameters, and every short text and name of
/// the cases.
///
/// # Errors
/// If the conformance cases cannot be read.
pub fn dictionary() -> io::Result<String> {
    let mut words: BTreeSet<String> = BTreeSet::new();
    for kind in EventKind::ALL {
        words.insert(kind.as_str().to_owned());
        words.extend(kind.fields().into_iter().map(|field| field.name.to_string()));
    }
    words.extend(signal_docs().iter().map(|doc| doc.kind.to_owned()));
    for case in &Case::load_folder(&own_cases())? {
        for text in case.models().into_iter().chain(case.lines().lines().map(str::to_owned)) {
            collect_words(&serde_json::from_str(&text).unwrap_or_default(), &mut words);
        }
    }
    let short =
        |word: &&String| (2..=24).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic());
    let quoted = |word: &String| format!("\"{}\"\n", word.replace('\\', "\\\\").replace('"', "\\\""));
    Ok(words.iter().filter(short).map(quoted).collect())
}

fn collect_words(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            words.extend(members.keys().cloned());
            members.values().for_each(|member| collect_words(member, words));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_words(item, words)),
        Value::String(text) => {
            words.insert(text.clone());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{dictionary, seeds};
    use crate::hostile::TARGETS;

    #[test]
    fn every_target_has_seeds_that_hold() {
        for (target, body) in TARGETS {
            let seeds = seeds(target).unwrap();
            assert!(seeds.len() > 20, "{target} has {} seeds", seeds.len());
            // One in five, and the last, which is the greatest.
            seeds.iter().step_by(5).chain(seeds.last()).for_each(|(_, bytes)| body(bytes));
        }
    }

    #[test]
    fn the_dictionary_has_the_words_of_the_contract() {
        let words = dictionary().unwrap();
        for word in ["\"usage.day_set\"\n", "\"cancel_at\"\n", "\"ticket_surge\"\n", "\"min_coverage\"\n"] {
            assert!(words.contains(word), "{word}");
        }
    }
}

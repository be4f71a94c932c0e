//! A model means the same in JSON, TOML and YAML.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by a panic, and looks at the clock to see that a text is read in time"
)]

use healthfold::Model;
use healthfold_testkit::case::workspace;
use healthfold_testkit::hostile;
use proptest::prelude::*;
use serde_json::Value;
use std::fmt::Write;

/// Every object anywhere in the cases that is read as a model or a set of models.
fn models() -> Vec<(String, Value)> {
    fn seek(file: &str, value: &Value, found: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(members) => {
                if members.contains_key("name") && Model::from_value(value).is_ok() {
                    found.push((file.to_owned(), value.clone()));
                }
                members.values().for_each(|member| seek(file, member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| seek(file, item, found)),
            _ => {}
        }
    }
    let mut found = vec![("default".to_owned(), Model::default().to_json().clone())];
    for entry in std::fs::read_dir(workspace().join("conformance/cases")).unwrap() {
        let path = entry.unwrap().path();
        let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        seek(&path.file_stem().unwrap().to_string_lossy(), &case, &mut found);
    }
    assert!(found.len() > 30, "the models were not found");
    found
}

/// YAML in blocks, with quotes only around what is text.
fn block_yaml(value: &Value, indent: usize, out: &mut String) {
    let margin = "  ".repeat(indent);
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                write!(out, "\n{margin}{}:", Value::from(name.as_str())).unwrap();
                block_yaml(member, indent + 1, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                write!(out, "\n{margin}-").unwrap();
                block_yaml(item, indent + 1, out);
            }
        }
        leaf => write!(out, " {leaf}").unwrap(),
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.values().any(has_null),
        Value::Array(items) => items.iter().any(has_null),
        _ => false,
    }
}

#[test]
fn every_model_of_the_cases_is_the_same_in_yaml_and_toml() {
    let mut in_toml = 0;
    for (file, document) in models() {
        let model = Model::from_value(&document).unwrap();
        assert_eq!(Model::from_json(&document.to_string()), Ok(model.clone()), "{file}");
        assert_eq!(Model::from_yaml(&document.to_string()), Ok(model.clone()), "{file}");
        let mut yaml = String::new();
        block_yaml(&document, 0, &mut yaml);
        assert_eq!(Model::from_yaml(&yaml), Ok(model.clone()), "{file}: {yaml}");
        if !has_null(&document) {
            let toml = toml::to_string(&document).unwrap();
            assert_eq!(Model::from_toml(&toml), Ok(model), "{file}: {toml}");
            in_toml += 1;
        }
    }
    assert!(in_toml > 30, "{in_toml}");
}

#[test]
fn faults_have_the_same_paths_in_all_three() {
    let json = r#"{"name": "", "signals": {"a": {"kind": "usage_sum", "days": 0}},
        "groups": [{"name": "g", "parts": [{"signal": "b", "curve": {"points": [[0, 0], [0, 200]]}, "wieght": 1}]}],
        "bands": [{"name": "red", "from": 1}]}"#;
    let document: Value = serde_json::from_str(json).unwrap();
    let faults = Model::from_json(json).unwrap_err();
    assert!(faults.issues.len() >= 7, "{faults:?}");
    assert_eq!(Model::from_yaml(json).unwrap_err(), faults);
    let mut yaml = String::new();
    block_yaml(&document, 0, &mut yaml);
    assert_eq!(Model::from_yaml(&yaml).unwrap_err(), faults);
    assert_eq!(Model::from_toml(&toml::to_string(&document).unwrap()).unwrap_err(), faults);
}

/// The default model in TOML and in YAML, which mutations begin with.
fn written() -> [String; 2] {
    let model = Model::default();
    let mut yaml = String::new();
    block_yaml(model.to_json(), 0, &mut yaml);
    [toml::to_string(model.to_json()).unwrap(), yaml]
}

/// A byte is replaced, taken out, put in, or a stretch of the text is repeated.
fn mutate(text: &str, changes: &[(u8, u32, u8)]) -> Vec<u8> {
    const SYNTAX: &[u8] = b"[]{}:,-?&*!|>'\"#%@`~ \n\t=.<0e";
    let mut bytes = text.as_bytes().to_vec();
    for (how, place, byte) in changes {
        let at = usize::try_from(*place).unwrap() % bytes.len().max(1);
        match how % 5 {
            0 => bytes[at] = *byte,
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, SYNTAX[usize::from(*byte) % SYNTAX.len()]),
            3 => bytes[at] = SYNTAX[usize::from(*byte) % SYNTAX.len()],
            _ => {
                let stretch: Vec<u8> = bytes.iter().skip(at).take(usize::from(*byte)).copied().collect();
                bytes.splice(at..at, stretch);
            }
        }
    }
    bytes
}

proptest! {
    #[test]
    fn no_mutated_model_panics(changes in prop::collection::vec(any::<(u8, u32, u8)>(), 1..12)) {
        for text in written() {
            hostile::formats(&mutate(&text, &changes));
        }
    }
}

#[test]
fn a_long_text_costs_what_its_length_does() {
    let many = 50_000;
    // Each far below a second where the cost is in proportion, and hours where it is the square.
    let texts = [
        "[[groups]]\n".repeat(many),
        (0..many).map(|i| format!("a{i} = 1\n")).collect(),
        (0..many).map(|i| format!("[a.b{i}]\n")).collect(),
        format!("a = [{}]", "1,".repeat(many)),
        "- a\n".repeat(many),
        (0..many).map(|i| format!("a{i}: 1\n")).collect(),
        format!("a: [{}]", "{b: 1},".repeat(many)),
        format!("a: {}", "x ".repeat(many)),
        format!("a: \"{}", "\\n".repeat(many)),
        format!("a: |\n{}", "  x\n".repeat(many)),
        " ".repeat(many),
        "# x\n".repeat(many),
        "&a ".repeat(many),
        "!a ".repeat(many),
        "--- \n".repeat(many),
        "a: 1\na: 1\n".repeat(many),
        "? a\n".repeat(many),
        "%TAG ! x\n".repeat(many),
    ];
    for text in texts {
        let started = std::time::Instant::now();
        hostile::formats(text.as_bytes());
        let took = started.elapsed();
        assert!(took.as_secs() < 20, "{took:?} for {}", &text[..40]);
    }
}

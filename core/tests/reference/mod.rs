//! The published tables and reference figures of `shared/data/lifetime`: each value of a case against what was computed,
//! within the tolerance the case gives it. A name that nothing was computed for fails.

use healthfold_testkit::case::shared_data;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One case: its folder, and what is expected of it.
pub(crate) struct Reference {
    pub(crate) folder: PathBuf,
    pub(crate) expected: Value,
}

/// What was computed, by the name of the value; a figure that is undefined is NaN, one that is never reached infinite.
pub(crate) type Computed = BTreeMap<String, Vec<f64>>;

fn number(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.parse().unwrap(),
        Value::Null => f64::NAN,
        other => other.as_f64().unwrap(),
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().map_or_else(|| vec![number(value)], |list| list.iter().map(number).collect())
}

impl Reference {
    /// A case of the shared data, if it is there.
    pub(crate) fn open(name: &str) -> Option<Self> {
        let path = shared_data(&format!("lifetime/{name}/expected.json"))?;
        // Python writes what is infinite as a bare word.
        let text = std::fs::read_to_string(&path).unwrap();
        let text =
            text.replace("-Infinity", "\"-inf\"").replace("Infinity", "\"inf\"").replace("NaN", "\"nan\"");
        let expected = serde_json::from_str(&text).unwrap();
        Some(Self { folder: path.parent().unwrap().to_path_buf(), expected })
    }

    /// The rows of a table of the case, each by column.
    pub(crate) fn rows(&self, file: &str) -> Vec<BTreeMap<String, String>> {
        let text = std::fs::read_to_string(self.folder.join(file)).unwrap();
        let mut lines = text.lines();
        let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
        let row = |line: &str| {
            columns.iter().copied().map(str::to_owned).zip(line.split(',').map(str::to_owned)).collect()
        };
        lines.map(row).collect()
    }

    /// A list of numbers among the inputs.
    pub(crate) fn input(&self, name: &str) -> Vec<f64> {
        numbers(&self.expected["inputs"][name])
    }

    /// Holds what was computed against every value of the case.
    pub(crate) fn check(&self, computed: &Computed) {
        let mut faults = Vec::new();
        let values = self.expected["values"].as_object().unwrap();
        assert!(!values.is_empty(), "the case expects nothing");
        for (name, value) in values {
            let Some(found) = computed.get(name) else {
                faults.push(format!("{name}: nothing was computed"));
                continue;
            };
            let expected = numbers(&value["value"]);
            let (rtol, atol) = (number(&value["rtol"]), number(&value["atol"]));
            let agrees = |found: f64, expected: f64| {
                if expected.is_finite() {
                    (found - expected).abs() <= atol + rtol * expected.abs()
                } else {
                    found == expected || (found.is_nan() && expected.is_nan())
                }
            };
            let same = found.len() == expected.len()
                && found.iter().zip(&expected).all(|(found, expected)| agrees(*found, *expected));
            if !same {
                faults.push(format!("{name}: {found:?} is not {expected:?}"));
            }
        }
        assert!(faults.is_empty(), "{} of {} values:\n{}", faults.len(), values.len(), faults.join("\n"));
    }
}

//! One folder of `shared/data/lifetime`: its rows, and a list of what must come out of them.

use healthfold_testkit::case::shared_data;
use serde_json::Value;
use std::collections::BTreeMap;

/// A folder with its figures, and what was found for each.
pub(crate) struct Table {
    name: String,
    /// The rows of `input.csv`, without the first, as numbers; not a number where a cell is none.
    pub(crate) rows: Vec<Vec<f64>>,
    expected: BTreeMap<String, Value>,
    found: BTreeMap<String, Vec<f64>>,
    /// The inputs told in `expected.json`.
    pub(crate) inputs: Value,
}

impl Table {
    /// The folder, or nothing where the shared data is not there.
    pub(crate) fn open(name: &str) -> Option<Self> {
        let path = shared_data(&format!("lifetime/{name}/input.csv"))?;
        let text = std::fs::read_to_string(&path).unwrap();
        let rows = text.lines().skip(1).map(|line| line.split(',').map(number).collect()).collect();
        let text = std::fs::read_to_string(path.with_file_name("expected.json")).unwrap();
        // Python writes an infinite number as JSON has none.
        let json: Value = serde_json::from_str(&text.replace(" Infinity", " \"inf\"")).unwrap();
        let values = json["values"].as_object().unwrap();
        let expected = values.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Some(Self {
            name: name.into(),
            rows,
            expected,
            found: BTreeMap::new(),
            inputs: json["inputs"].clone(),
        })
    }

    /// What was found for a figure.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Vec<f64>>) {
        self.found.insert(name.into(), value.into());
    }

    pub(crate) fn number(&mut self, name: &str, value: f64) {
        self.set(name, [value]);
    }

    /// Fails unless every figure was found, no other, and each is within its tolerance.
    pub(crate) fn check(self) {
        let names = |map: Vec<&String>| map.into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(
            names(self.found.keys().collect()),
            names(self.expected.keys().collect()),
            "{}: figures found and expected",
            self.name
        );
        let mut faults = Vec::new();
        for (name, expected) in &self.expected {
            let tolerance = |key: &str| expected[key].as_f64().unwrap();
            let wanted: Vec<f64> = match &expected["value"] {
                Value::Array(all) => all.iter().map(plain).collect(),
                one => vec![plain(one)],
            };
            let found = &self.found[name];
            assert_eq!(found.len(), wanted.len(), "{}: {name}", self.name);
            for (index, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
                let allowed = tolerance("atol") + tolerance("rtol") * wanted.abs();
                if found != wanted && ((found - wanted).abs() > allowed || found.is_nan()) {
                    faults.push(format!("{}: {name}[{index}] is {found:e}, expected {wanted:e}", self.name));
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

fn number(cell: &str) -> f64 {
    cell.parse().unwrap_or(f64::NAN)
}

fn plain(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::INFINITY)
}

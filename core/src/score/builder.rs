//! Models written in Rust.

use super::set::Model;
use crate::signal::params::ModelError;
use serde_json::{Map, Value, json};

/// Builds a model in Rust: the same document, the same checks.
///
/// ```
/// use healthfold::{GroupBuilder, Model};
/// use serde_json::json;
/// let model = Model::builder("mine")
///     .signal("wau", json!({"kind": "active_users", "days": 7}))
///     .group(GroupBuilder::new("usage").weight(2.0).part("wau", 1.0, json!({"points": [[0, 0], [5, 100]]})))
///     .band("red", 0.0)
///     .band("green", 60.0)
///     .build()?;
/// assert_eq!(model.bands().len(), 2);
/// # Ok::<(), healthfold::ModelError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ModelBuilder {
    document: Map<String, Value>,
}

impl Model {
    /// Begins a model.
    pub fn builder(name: &str) -> ModelBuilder {
        let mut document = Map::new();
        document.insert("name".to_owned(), name.into());
        document.insert("signals".to_owned(), Value::Object(Map::new()));
        ModelBuilder { document }
    }
}

fn push(document: &mut Map<String, Value>, list: &str, item: Value) {
    if let Value::Array(items) = document.entry(list).or_insert_with(|| Value::Array(Vec::new())) {
        items.push(item);
    }
}

impl ModelBuilder {
    /// The version.
    #[must_use]
    pub fn version(mut self, version: u64) -> Self {
        self.document.insert("version".to_owned(), version.into());
        self
    }

    /// A signal under a name.
    #[must_use]
    pub fn signal(mut self, name: &str, spec: Value) -> Self {
        if let Some(Value::Object(signals)) = self.document.get_mut("signals") {
            signals.insert(name.to_owned(), spec);
        }
        self
    }

    /// A group.
    #[must_use]
    pub fn group(mut self, group: GroupBuilder) -> Self {
        push(&mut self.document, "groups", Value::Object(group.document));
        self
    }

    /// Points added or taken away after combining.
    #[must_use]
    pub fn adjustment(mut self, name: &str, signal: &str, curve: Value) -> Self {
        push(&mut self.document, "adjustments", json!({"name": name, "signal": signal, "curve": curve}));
        self
    }

    /// A cap on the score while a condition holds.
    #[must_use]
    pub fn cap(mut self, name: &str, when: Value, cap: f64) -> Self {
        push(&mut self.document, "limits", json!({"name": name, "when": when, "cap": cap}));
        self
    }

    /// A floor under the score while a condition holds.
    #[must_use]
    pub fn floor(mut self, name: &str, when: Value, floor: f64) -> Self {
        push(&mut self.document, "limits", json!({"name": name, "when": when, "floor": floor}));
        self
    }

    /// A band, from the lowest up.
    #[must_use]
    pub fn band(mut self, name: &str, from: f64) -> Self {
        push(&mut self.document, "bands", json!({"name": name, "from": from}));
        self
    }

    /// The least coverage at which there is a score.
    #[must_use]
    pub fn min_coverage(mut self, share: f64) -> Self {
        self.document.insert("min_coverage".to_owned(), share.into());
        self
    }

    /// How many points the parts that people judge may move the score, all together.
    #[must_use]
    pub fn human_cap(mut self, points: f64) -> Self {
        self.document.insert("human_cap".to_owned(), points.into());
        self
    }

    /// Checks the model.
    ///
    /// # Errors
    /// Every fault at once, by path.
    pub fn build(self) -> Result<Model, ModelError> {
        Model::from_value(&Value::Object(self.document))
    }
}

/// Builds one group of a model.
#[derive(Clone, Debug)]
pub struct GroupBuilder {
    document: Map<String, Value>,
}

impl GroupBuilder {
    /// Begins a group.
    pub fn new(name: &str) -> Self {
        let mut document = Map::new();
        document.insert("name".to_owned(), name.into());
        Self { document }
    }

    /// Its weight among its siblings.
    #[must_use]
    pub fn weight(mut self, weight: f64) -> Self {
        self.document.insert("weight".to_owned(), weight.into());
        self
    }

    /// How it makes one number of its children: `mean`, `min` or `max`.
    #[must_use]
    pub fn combine(mut self, combine: &str) -> Self {
        self.document.insert("combine".to_owned(), combine.into());
        self
    }

    /// A signal, its weight and its curve.
    #[must_use]
    pub fn part(mut self, signal: &str, weight: f64, curve: Value) -> Self {
        push(&mut self.document, "parts", json!({"signal": signal, "weight": weight, "curve": curve}));
        self
    }

    /// As [`GroupBuilder::part`], with what the part does while its signal is missing.
    #[must_use]
    pub fn part_or(mut self, signal: &str, weight: f64, curve: Value, missing: Value) -> Self {
        let part = json!({"signal": signal, "weight": weight, "curve": curve, "missing": missing});
        push(&mut self.document, "parts", part);
        self
    }

    /// A group inside.
    #[must_use]
    pub fn group(mut self, group: Self) -> Self {
        push(&mut self.document, "groups", Value::Object(group.document));
        self
    }
}

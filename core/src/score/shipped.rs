//! The models that come with the library, each a start for one kind of business.
//!
//! Their documents are in `shipped/`, each weight with its reason in `docs/models.md`.

use super::set::Model;
use crate::signal::params::ModelError;
use serde_json::Value;

/// What stands for the metric of the caller in a document.
const PLACEHOLDER: &str = "usage";

const DEFAULT: &str = include_str!("shipped/default.json");
const USAGE_BASED: &str = include_str!("shipped/usage_based.json");
const HIGH_TOUCH: &str = include_str!("shipped/high_touch.json");

impl Default for Model {
    /// A model for a subscription business that knows nothing of your metrics: who is active and how that changes, how
    /// support goes, what is owed, and what people say. `docs/models.md` explains every line.
    fn default() -> Self {
        read(DEFAULT)
    }
}

impl Model {
    /// The names of the shipped models.
    pub const SHIPPED: &'static [&'static str] = &["default", "usage_based", "high_touch"];

    /// A shipped model by its name; `usage_based` for a metric of the name `usage`.
    ///
    /// ```
    /// use healthfold::Model;
    /// for name in Model::SHIPPED {
    ///     assert_eq!(Model::shipped(name).map(|model| model.name().to_owned()).as_deref(), Some(*name));
    /// }
    /// assert_eq!(Model::shipped("mine"), None);
    /// ```
    pub fn shipped(name: &str) -> Option<Self> {
        match name {
            "default" => Some(Self::default()),
            "usage_based" => Some(read(USAGE_BASED)),
            "high_touch" => Some(Self::high_touch()),
            _ => None,
        }
    }

    /// A model for a business that bills by use: volume against what it was, how regularly it comes, and a bill that
    /// surprises nobody.
    ///
    /// `metric` is what you bill by, as your `usage.counted` and `billing.quota_set` events name it.
    ///
    /// ```
    /// let model = healthfold::Model::usage_based("api_calls")?;
    /// assert_eq!(model.to_json()["signals"]["volume_trend"]["metric"], "api_calls");
    /// # Ok::<(), healthfold::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// If the metric has no name.
    pub fn usage_based(metric: &str) -> Result<Self, ModelError> {
        let mut document: Value = crate::document::json(USAGE_BASED)?;
        let signals = document.get_mut("signals").and_then(Value::as_object_mut);
        for signal in signals.into_iter().flat_map(|signals| signals.values_mut()) {
            if let Some(named) = signal.get_mut("metric").filter(|named| *named == PLACEHOLDER) {
                *named = metric.into();
            }
        }
        Self::from_value(&document)
    }

    /// A model for few, large clients, each looked after by a person: the relationship, the service level, and a contract
    /// that comes up for renewal. A client's own target for first responses is its attribute
    /// `first_response_target_hours`; without one it is 8 hours.
    pub fn high_touch() -> Self {
        read(HIGH_TOUCH)
    }
}

#[expect(clippy::panic, reason = "constants of the library, which a test reads")]
fn read(document: &str) -> Model {
    match Model::from_json(document) {
        Ok(model) => model,
        Err(faults) => panic!("a shipped model is faulty: {faults}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_shipped_model_has_a_fault() {
        for name in Model::SHIPPED {
            assert_eq!(Model::shipped(name).unwrap().name(), *name);
        }
    }

    #[test]
    fn the_metric_stands_wherever_the_placeholder_stood() {
        let model = Model::usage_based("api_calls").unwrap();
        let metrics = |model: &Model| model.to_json().to_string().matches("\"metric\":\"api_calls\"").count();
        assert_eq!(metrics(&model), 5);
        assert!(!model.to_json().to_string().contains("\"metric\":\"usage\""));
        assert_eq!(Model::usage_based("usage").unwrap(), Model::shipped("usage_based").unwrap());
        assert_eq!(Model::usage_based("").unwrap_err().issues.len(), 5);
    }
}

//! The model that comes with the library: a sensible start for a subscription business.

use super::set::Model;

/// The document of the default model, each weight with its reason beside it in `docs/models.md`.
const DOCUMENT: &str = include_str!("default.json");

impl Default for Model {
    /// A model for a subscription business that knows nothing of your metrics: who is active and how that changes, how
    /// support goes, what is owed, and what people say. `docs/models.md` explains every line.
    #[expect(clippy::panic, reason = "a constant of the library, which a test reads")]
    fn default() -> Self {
        match Self::from_json(DOCUMENT) {
            Ok(model) => model,
            Err(faults) => panic!("the default model is faulty: {faults}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_model_has_no_fault() {
        assert_eq!(Model::default().name(), "default");
    }
}

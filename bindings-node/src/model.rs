//! Models.

use crate::answer::json;
use crate::error::Fault;
use crate::run::{Held, entry};
use healthfold as core;
use napi_derive::napi;
use std::sync::Arc;

/// A model that was read once.
#[napi]
pub struct Model {
    pub(crate) inner: Held<Arc<core::Model>>,
}

fn made(model: Result<core::Model, core::ModelError>) -> Result<Model, Fault> {
    Ok(Model { inner: Held::new(Arc::new(model?)) })
}

#[napi]
impl Model {
    /// From text in a language: `json`, `toml`, `yaml`; or the name of one that comes with the library.
    #[napi]
    pub fn read(language: String, text: String) -> napi::Result<Self> {
        entry(|| match language.as_str() {
            "json" => made(core::Model::from_json(&text)),
            "toml" => made(core::Model::from_toml(&text)),
            "yaml" => made(core::Model::from_yaml(&text)),
            "usage_based" => made(core::Model::usage_based(&text)),
            _ => match core::Model::shipped(&text) {
                Some(model) => made(Ok(model)),
                None => {
                    let shipped = core::Model::SHIPPED.join(", ");
                    let shown: String = text.chars().take(60).collect();
                    Err(Fault::document(&format!("must be a document or one of {shipped}, found `{shown}`")))
                }
            },
        })
    }

    #[napi]
    pub fn shipped() -> napi::Result<Vec<String>> {
        entry(|| Ok(core::Model::SHIPPED.iter().map(|name| (*name).to_owned()).collect()))
    }

    /// Name, version and bands.
    #[napi]
    pub fn about(&self) -> napi::Result<String> {
        entry(|| {
            let model = &self.inner;
            json(
                &serde_json::json!({"name": model.name(), "version": model.version(), "bands": model.bands()}),
            )
        })
    }

    #[napi]
    pub fn document(&self) -> napi::Result<String> {
        entry(|| Ok(self.inner.to_json().to_string()))
    }

    #[napi]
    pub fn lint(&self) -> napi::Result<String> {
        entry(|| json(&self.inner.lint()))
    }
}

/// The JSON Schema of models, or of events.
#[napi]
pub fn schema(of: String) -> napi::Result<String> {
    entry(|| Ok(if of == "model" { core::model_schema() } else { core::Event::schema() }.to_string()))
}

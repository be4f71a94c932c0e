//! The health model as a question takes it: one model, or an ordered set of which the first that fits a client is used.
//!
//! Checked when it is made; never part of an engine's state, so that changing it rescores any past instant without reading
//! one event again.

use super::condition::Condition;
use super::curve::Curve;
use super::model::{Band, Single, Whole, read_sources};
use super::plan::Plan;
use super::tree::for_each_part;
use super::valuation::Valuation;
use crate::document;
use crate::signal::metric;
use crate::signal::named::{SignalNames, Signals, Use};
use crate::signal::params::{Faults, ModelError, Object};
use crate::signal::{SignalSpec, SourceRule};
use serde_json::Value;
use std::sync::Arc;

/// A model and whom it is for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    /// `None` for everybody.
    pub(crate) when: Option<Condition>,
    pub(crate) model: Single,
}

/// A named stretch of a client's life.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) when: Condition,
}

/// A health model, or an ordered set of models.
///
/// ```
/// use healthfold::Model;
/// let model = Model::from_json(r#"{"name": "tiny", "version": 1,
///     "signals": {"wau": {"kind": "active_users", "days": 7}},
///     "groups": [{"name": "usage", "parts": [{"signal": "wau", "curve": {"points": [[0, 0], [5, 100]]}}]}],
///     "bands": [{"name": "red", "from": 0}, {"name": "green", "from": 60}]}"#)?;
/// assert_eq!(model.name(), "tiny");
/// let faulty = Model::from_json(r#"{"name": "", "groups": []}"#).unwrap_err();
/// assert!(faulty.issues.len() >= 3, "all faults at once: {faulty}");
/// # Ok::<(), healthfold::ModelError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub(crate) name: String,
    version: u64,
    pub(crate) choices: Vec<Choice>,
    /// Seen by the conditions and stages of a set.
    pub(crate) signals: Vec<(String, SignalSpec)>,
    pub(crate) stages: Vec<Stage>,
    pub(crate) sources: Vec<SourceRule>,
    pub(crate) valuation: Option<Valuation>,
    bands: Vec<Band>,
    /// How many metrics its signals read, which are numbered throughout.
    pub(super) metrics: usize,
    /// What answers call its parts.
    pub(crate) plan: Arc<Plan>,
    document: Value,
}

impl Model {
    /// Reads a model, or a set of models, from JSON.
    ///
    /// # Errors
    /// Every fault at once, by path, with what is allowed.
    pub fn from_json(json: &str) -> Result<Self, ModelError> {
        Self::from_value(&document::json(json)?)
    }

    /// Reads a model, or a set of models, from TOML: the same tree as in JSON.
    ///
    /// ```
    /// use healthfold::Model;
    /// let model = Model::from_toml(r#"
    ///     name = "tiny"
    ///     bands = [{ name = "red", from = 0 }, { name = "green", from = 60 }]
    ///     [signals]
    ///     wau = { kind = "active_users", days = 7 }
    ///     [[groups]]
    ///     name = "usage"
    ///     parts = [{ signal = "wau", curve = { points = [[0, 0], [5, 100]] } }]
    /// "#)?;
    /// assert_eq!(model.to_json()["signals"]["wau"]["days"], 7);
    /// # Ok::<(), healthfold::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// What is no TOML, with line and column; dates outside of quotes and numbers that are not finite, by path; else as
    /// [`Model::from_json`].
    #[cfg(feature = "toml")]
    pub fn from_toml(toml: &str) -> Result<Self, ModelError> {
        Self::from_value(&document::toml(toml)?)
    }

    /// Reads a model, or a set of models, from YAML 1.2: the same tree as in JSON.
    ///
    /// Words without quotes are read as YAML 1.2 has them: `no` and `on` are text. Aliases, tags and merge keys are
    /// refused, so that a short text is a small model.
    ///
    /// ```
    /// use healthfold::Model;
    /// let model = Model::from_yaml("
    /// name: tiny
    /// signals:
    ///   wau: {kind: active_users, days: 7}
    /// groups:
    ///   - name: usage
    ///     parts: [{signal: wau, curve: {points: [[0, 0], [5, 100]]}}]
    /// bands: [{name: red, from: 0}, {name: green, from: 60}]
    /// ")?;
    /// assert_eq!(model.bands()[1].name, "green");
    /// # Ok::<(), healthfold::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// What is no YAML, with line and column; numbers that are not finite, by path; else as [`Model::from_json`].
    #[cfg(feature = "yaml")]
    pub fn from_yaml(yaml: &str) -> Result<Self, ModelError> {
        Self::from_value(&document::yaml(yaml)?)
    }

    /// Reads a model, or a set of models, from a JSON value.
    ///
    /// # Errors
    /// Every fault at once, by path, with what is allowed.
    pub fn from_value(document: &Value) -> Result<Self, ModelError> {
        if let Some(fault) = document::too_deep(document) {
            return Err(vec![fault].into());
        }
        let mut faults = Faults::default();
        let is_set = document.as_object().is_some_and(|members| members.contains_key("models"));
        let model = if is_set {
            Self::read_set(document, &mut faults)
        } else {
            Self::read_one(document, &mut faults)
        };
        faults.finish(model)
    }

    /// The document the model was made from.
    pub fn to_json(&self) -> &Value {
        &self.document
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version, of a model or of a set; 1 where none is stated.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The bands, from the lowest; of a set, those of all its models, each name once.
    pub fn bands(&self) -> &[Band] {
        &self.bands
    }

    /// The currency and the rates of the book's money: those of the set, or of the one model.
    pub(crate) fn valuation(&self) -> Option<&Valuation> {
        let only = self.choices.first().filter(|choice| self.choices.len() == 1 && choice.when.is_none());
        self.valuation.as_ref().or_else(|| only?.model.valuation.as_ref())
    }

    /// Whether a part of it compares a client with its peers: then any client can change the score of any other.
    pub(crate) fn compares_peers(&self) -> bool {
        let mut compares = false;
        for choice in &self.choices {
            for_each_part(&choice.model.root, &mut |part| {
                compares |= matches!(part.curve, Some(Curve::Percentile { .. }));
            });
        }
        compares
    }

    /// The sources that it names, of the set and of its models.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &str> {
        let of_models = self.choices.iter().flat_map(|choice| &choice.model.sources);
        self.sources.iter().chain(of_models).map(|rule| rule.source.as_str())
    }

    fn read_one(document: &Value, faults: &mut Faults) -> Option<Self> {
        let model = Single::read("", document, &[], faults)?;
        let (name, version, bands) = (model.name.clone(), model.version, model.bands.clone());
        let mut choices = vec![Choice { when: None, model }];
        let metrics = number_metrics(&mut choices, &mut []);
        let plan = Arc::new(Plan::new(&choices, &[], &bands));
        Some(Self {
            name,
            version,
            choices,
            signals: Vec::new(),
            stages: Vec::new(),
            sources: Vec::new(),
            valuation: None,
            bands,
            metrics,
            plan,
            document: document.clone(),
        })
    }

    fn read_set(document: &Value, faults: &mut Faults) -> Option<Self> {
        let mut object = Object::at("", document, faults)?;
        let name: Option<String> = object.required("name", faults);
        let version = object.optional::<Whole>("version", faults).map_or(1, |version| version.0);
        object.value("description");
        let stage_names = stage_names(document);
        let signals = match document.get("signals") {
            Some(_) => Signals::read(&mut object, &stage_names, faults),
            None => Signals::default(),
        };
        let sources = read_sources(&mut object, faults);
        let valuation = Valuation::read(&mut object, faults);
        let names = SignalNames::of(&signals, &stage_names);
        let staging = names.for_use(Use::Staging);
        let stages = object.list("stages", faults);
        let stages: Vec<Option<Stage>> =
            stages.into_iter().map(|(path, stage)| read_stage(&path, stage, &staging, faults)).collect();
        let models = object.list("models", faults);
        if models.is_empty() {
            faults.add(object.path("models"), "must be a list of at least one model");
        }
        let last = models.len().saturating_sub(1);
        let choices: Vec<Option<Choice>> = (models.into_iter().enumerate())
            .map(|(i, (path, choice))| read_choice(&path, choice, i == last, &names, &stage_names, faults))
            .collect();
        object.finish(faults);
        let mut choices = choices.into_iter().collect::<Option<Vec<Choice>>>()?;
        let stages = stages.into_iter().collect::<Option<Vec<Stage>>>()?;
        let mut bands: Vec<Band> = Vec::new();
        for band in choices.iter().flat_map(|choice| &choice.model.bands) {
            if bands.iter().all(|known| known.name != band.name) {
                bands.push(band.clone());
            }
        }
        bands.sort_by(|a, b| a.from.total_cmp(&b.from));
        let plan = Arc::new(Plan::new(&choices, &stages, &bands));
        let mut signals = signals.finish()?;
        let metrics = number_metrics(&mut choices, &mut signals);
        Some(Self {
            name: name?,
            version,
            choices,
            signals,
            stages,
            sources: sources?,
            valuation: valuation?,
            bands,
            metrics,
            plan,
            document: document.clone(),
        })
    }
}

/// Numbers the metrics of a set and of its models, so that what is known of a client's holds whichever of them asks; returns how
/// many there are.
fn number_metrics(choices: &mut [Choice], signals: &mut [(String, SignalSpec)]) -> usize {
    let of_models = choices.iter_mut().flat_map(|choice| &mut choice.model.signals);
    metric::number_all(of_models.chain(signals).map(|(_, spec)| spec))
}

/// The names of a set's stages, as far as they are names: its signals may speak of them.
fn stage_names(document: &Value) -> Vec<String> {
    let stages = document.get("stages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let name = |stage: &Value| stage.get("name").and_then(Value::as_str).map(str::to_owned);
    stages.iter().filter_map(name).collect()
}

fn read_stage(path: &str, value: &Value, signals: &SignalNames<'_>, faults: &mut Faults) -> Option<Stage> {
    let mut object = Object::at(path, value, faults)?;
    let name: Option<String> = object.required("name", faults);
    let when = read_when(&mut object, signals, faults);
    object.finish(faults);
    Some(Stage { name: name?, when: when? })
}

fn read_when(object: &mut Object<'_>, signals: &SignalNames<'_>, faults: &mut Faults) -> Option<Condition> {
    let path = object.path("when");
    match object.value("when") {
        Some(when) => Condition::read(&path, when, signals, faults),
        None => {
            faults.add(path, "is missing, it must be a condition");
            None
        }
    }
}

fn read_choice(
    path: &str,
    value: &Value,
    last: bool,
    signals: &SignalNames<'_>,
    stages: &[String],
    faults: &mut Faults,
) -> Option<Choice> {
    let mut object = Object::at(path, value, faults)?;
    // Only the last may be for everybody: behind it no other would ever be used.
    let for_everybody = value.get("when").is_none() && last;
    let when = if for_everybody { Some(None) } else { read_when(&mut object, signals, faults).map(Some) };
    let path = object.path("model");
    let model = match object.value("model") {
        Some(model) => Single::read(&path, model, stages, faults),
        None => {
            faults.add(path, "is missing, it must be a model");
            None
        }
    };
    object.finish(faults);
    Some(Choice { when: when?, model: model? })
}

//! `healthfold.Model`: how to get from signals to a score.

use crate::args;
use crate::error::{Fault, model_fault};
use crate::results::{plain, tuple_of};
use crate::run::{guarded, guarded_in};
use healthfold::{self as core, ModelError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How to get from signals to a health score: a model, or a set of models of which each client takes the first that fits.
///
/// Give a dict, JSON, TOML or YAML text, a path to a file of one of these (by its ending), or the name of a model that
/// comes with the library: `default`, `usage_based` or `high_touch`. All faults are reported at once, in `ModelError.issues`.
#[pyclass(frozen, module = "healthfold")]
#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) inner: Arc<core::Model>,
}

impl<'py> FromPyObject<'_, 'py> for Model {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        if let Ok(model) = object.cast::<Self>() {
            return Ok(model.get().clone());
        }
        guarded_in(py, || read(&object))
    }
}

/// The languages a model may be written in.
#[derive(Clone, Copy)]
enum Language {
    Json,
    Toml,
    Yaml,
}

impl Language {
    fn of_file(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "toml" => Some(Self::Toml),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }

    /// By the first line that says something.
    fn of_text(text: &str) -> Self {
        let says = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let first = text.trim_start_matches('\u{feff}').lines().map(str::trim).find(says).unwrap_or_default();
        let before = |mark: char| first.find(mark).unwrap_or(usize::MAX);
        if first.starts_with('{') {
            Self::Json
        } else if first.starts_with('[') || before('=') < before(':') {
            Self::Toml
        } else {
            Self::Yaml
        }
    }

    fn read(self, text: &str) -> Result<core::Model, ModelError> {
        match self {
            Self::Json => core::Model::from_json(text),
            Self::Toml => core::Model::from_toml(text),
            Self::Yaml => core::Model::from_yaml(text),
        }
    }
}

fn made(py: Python<'_>, model: Result<core::Model, ModelError>) -> PyResult<Model> {
    model.map(|model| Model { inner: Arc::new(model) }).map_err(|error| Fault::from(error).raise(py))
}

fn read(object: &Bound<'_, PyAny>) -> PyResult<Model> {
    let py = object.py();
    if let Ok(text) = object.cast::<PyString>() {
        return match text.to_str() {
            Ok(text) => read_text(py, text),
            Err(_) => Err(model_fault(py, "", "text that is no Unicode")),
        };
    }
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return match std::str::from_utf8(bytes.as_bytes()) {
            Ok(text) => made(py, Language::of_text(text).read(text)),
            Err(_) => Err(model_fault(py, "", "text that is no Unicode")),
        };
    }
    if object.hasattr("__fspath__").unwrap_or(false)
        && let Ok(path) = object.extract::<PathBuf>()
    {
        return read_file(py, &path);
    }
    let json = args::document(object)?;
    made(py, core::Model::from_json(&json))
}

fn read_text(py: Python<'_>, text: &str) -> PyResult<Model> {
    let trimmed = text.trim();
    if trimmed.contains(['\n', '{', '[', '=']) || trimmed.contains(": ") {
        return made(py, Language::of_text(text).read(text));
    }
    if let Some(model) = core::Model::shipped(trimmed) {
        return made(py, Ok(model));
    }
    if Language::of_file(Path::new(trimmed)).is_some() {
        return read_file(py, Path::new(trimmed));
    }
    let shipped = core::Model::SHIPPED.join(", ");
    let message = format!(
        "must be a document, a path that ends in .json, .toml, .yaml or .yml, or one of {shipped}, found `{}`",
        trimmed.chars().take(60).collect::<String>()
    );
    Err(model_fault(py, "", &message))
}

fn read_file(py: Python<'_>, path: &Path) -> PyResult<Model> {
    let Some(language) = Language::of_file(path) else {
        let message = format!("the file `{}` must end in .json, .toml, .yaml or .yml", path.display());
        return Err(model_fault(py, "", &message));
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    made(py, language.read(&text))
}

#[pymethods]
impl Model {
    #[new]
    #[pyo3(signature = (document: "ModelLike") -> "None")]
    fn new(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        document.extract()
    }

    /// The model for a subscription business that comes with the library and knows nothing of your metrics.
    #[staticmethod]
    #[pyo3(signature = () -> "Model")]
    fn default() -> Self {
        Self { inner: Arc::new(core::Model::default()) }
    }

    /// The model for few, large clients that comes with the library.
    #[staticmethod]
    #[pyo3(signature = () -> "Model")]
    fn high_touch() -> Self {
        Self { inner: Arc::new(core::Model::high_touch()) }
    }

    /// The model for a business that bills by use of `metric`.
    #[staticmethod]
    #[pyo3(signature = (metric: "str") -> "Model")]
    fn usage_based(py: Python<'_>, metric: &str) -> PyResult<Self> {
        made(py, core::Model::usage_based(metric))
    }

    /// The names of the models that come with the library.
    #[staticmethod]
    #[pyo3(signature = () -> "tuple[str, ...]")]
    fn shipped(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, core::Model::SHIPPED)
    }

    /// A model from JSON text.
    #[staticmethod]
    #[pyo3(signature = (text: "str") -> "Model")]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        guarded_in(py, || made(py, core::Model::from_json(text)))
    }

    /// A model from TOML text.
    #[staticmethod]
    #[pyo3(signature = (text: "str") -> "Model")]
    fn from_toml(py: Python<'_>, text: &str) -> PyResult<Self> {
        guarded_in(py, || made(py, core::Model::from_toml(text)))
    }

    /// A model from YAML text.
    #[staticmethod]
    #[pyo3(signature = (text: "str") -> "Model")]
    fn from_yaml(py: Python<'_>, text: &str) -> PyResult<Self> {
        guarded_in(py, || made(py, core::Model::from_yaml(text)))
    }

    /// The name.
    #[getter]
    fn name(&self) -> &str {
        self.inner.name()
    }

    /// The version; 1 where none is stated.
    #[getter]
    fn version(&self) -> u64 {
        self.inner.version()
    }

    /// The bands, from the lowest up; of a set those of its first model.
    #[getter]
    fn bands<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        tuple_of(py, "Band", self.inner.bands())
    }

    /// The document the model was made from.
    #[pyo3(signature = () -> "dict[str, Any]")]
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, self.inner.to_json())
    }

    /// The document as JSON text.
    #[pyo3(signature = () -> "str")]
    fn to_json(&self) -> String {
        self.inner.to_json().to_string()
    }

    /// Doubts about the model alone; `Engine.lint` also looks at a book.
    #[pyo3(signature = () -> "tuple[Finding, ...]")]
    fn lint<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let findings = py.detach(|| guarded(|| Ok(self.inner.lint()))).map_err(|fault| fault.raise(py))?;
        tuple_of(py, "Finding", &findings)
    }

    fn __repr__(&self) -> String {
        let bands = self.inner.bands().iter().map(|band| format!("{} from {}", band.name, band.from));
        let bands = bands.collect::<Vec<_>>().join(", ");
        format!("Model({:?}, version={}, bands={bands})", self.inner.name(), self.inner.version())
    }

    #[pyo3(signature = () -> "str | None")]
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("healthfold._html")?.call_method1("model", (slf,))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().inner.to_json() == self.inner.to_json())
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.inner.to_json().to_string().hash(&mut hasher);
        hasher.finish()
    }

    #[pyo3(signature = () -> "tuple[Any, ...]")]
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("from_json")?, (slf.get().to_json(),)))
    }
}

/// The JSON Schema of models and model sets.
#[pyfunction]
#[pyo3(signature = () -> "dict[str, Any]")]
pub(crate) fn model_schema(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    plain(py, &core::model_schema())
}

/// The JSON Schema of events.
#[pyfunction]
#[pyo3(signature = () -> "dict[str, Any]")]
pub(crate) fn event_schema(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    plain(py, &core::Event::schema())
}

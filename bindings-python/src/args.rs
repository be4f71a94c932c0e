//! How arguments are read: each is turned into the text or the type that the core's own readers take.

use crate::error::{Fault, query};
use crate::model::Model;
use crate::wire::{self, WireFault};
use healthfold::{
    self as core, AsOf, Instant, LifetimeOptions, LtvOptions, Period, RevenueOptions, SettingError,
    SignalSpec,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use serde::de::DeserializeOwned;

/// An argument that has no JSON form, as the fault of a question.
pub(crate) fn refused(name: &str, fault: WireFault) -> Fault {
    let field = if fault.path.is_empty() { name.to_owned() } else { format!("{name}.{}", fault.path) };
    let code = if fault.code == "bad_time" { "bad_time" } else { "bad_value" };
    Fault::Argument { code, message: format!("`{field}`: {}", fault.message), field }
}

/// The JSON of an argument.
pub(crate) fn json(py: Python<'_>, name: &str, object: &Bound<'_, PyAny>) -> PyResult<String> {
    wire::to_json(object).map_err(|fault| refused(name, fault).raise(py))
}

/// A member of a small set of words, or a list, as the core's own types read them from JSON.
pub(crate) fn read<T: DeserializeOwned>(
    py: Python<'_>,
    name: &str,
    object: &Bound<'_, PyAny>,
) -> PyResult<T> {
    let text = json(py, name, object)?;
    serde_json::from_str(&text)
        .map_err(|error| Fault::argument("bad_value", name, format!("`{name}`: {error}")).raise(py))
}

/// The same for an argument that may be left out.
pub(crate) fn read_or_default<T: DeserializeOwned + Default>(
    py: Python<'_>,
    name: &str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<T> {
    object.map_or_else(|| Ok(T::default()), |object| read(py, name, object))
}

/// Some arguments as one object of settings; those that are None are as they are by default.
pub(crate) fn options<T: DeserializeOwned>(
    py: Python<'_>,
    members: &[(&str, Option<&Bound<'_, PyAny>>)],
) -> PyResult<T> {
    let dict = PyDict::new(py);
    let mut name = "options";
    for (member, value) in members {
        if let Some(value) = value {
            dict.set_item(member, value)?;
            name = member;
        }
    }
    read(py, name, dict.as_any())
}

/// A whole number that a call takes, with its name.
fn whole<T: TryFrom<i128>>(name: &str, object: &Bound<'_, PyAny>) -> PyResult<T> {
    let number = object.extract::<i128>().ok().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| {
        let found = object.repr().map(|found| found.to_string()).unwrap_or_default();
        let found: String = found.chars().take(60).collect();
        let message = format!("`{name}` must be a whole number of at least 0, found `{found}`");
        Fault::argument("bad_value", name, message).raise(object.py())
    })
}

/// Declares how the whole numbers of these names are read.
macro_rules! whole_numbers {
    ($($name:ident: $type:ty),+ $(,)?) => {$(
        pub(crate) fn $name(object: &Bound<'_, PyAny>) -> PyResult<$type> {
            whole(stringify!($name), object)
        }
    )+};
}

whole_numbers!(days: u32, horizon_days: u32, months: u32, n: usize, within_days: u32);

/// An instant as it is asked for: text, an aware datetime, or a date that stands for its last microsecond.
pub(crate) struct When(String);

impl<'py> FromPyObject<'_, 'py> for When {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        match wire::moment(&object) {
            Ok(Some(text)) => Ok(Self(text)),
            Ok(None) => {
                let kind = object.get_type().name()?;
                let message = format!(
                    "an instant is an aware datetime, a date or text, not an object of type `{kind}`"
                );
                Err(Fault::argument("bad_time", "", message).raise(py))
            }
            Err(fault) => Err(Fault::argument(fault.code, "", fault.message).raise(py)),
        }
    }
}

impl When {
    /// The instant; of a date its end.
    pub(crate) fn as_of(&self, engine: &core::Engine) -> Result<Instant, Fault> {
        self.instant(engine, "as_of")
    }

    /// The same of an argument of another name.
    pub(crate) fn instant(&self, engine: &core::Engine, name: &'static str) -> Result<Instant, Fault> {
        engine.zone().as_of(&self.0).map_err(|error| query(error.of(name)))
    }

    /// The instant; of a date its beginning.
    pub(crate) fn beginning(&self, engine: &core::Engine, name: &'static str) -> Result<Instant, Fault> {
        engine.zone().beginning(&self.0).map_err(|error| query(error.of(name)))
    }

    pub(crate) fn moment(&self) -> Result<AsOf, Fault> {
        self.0.parse::<AsOf>().map_err(query)
    }
}

/// A period: text, or two ends.
pub(crate) enum Span {
    Named(String),
    Between(When, When),
}

impl<'py> FromPyObject<'_, 'py> for Span {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(Self::Named(text.to_string_lossy().into_owned()));
        }
        match object.extract::<Vec<Bound<'_, PyAny>>>().as_deref() {
            Ok([start, end]) => Ok(Self::Between(start.extract()?, end.extract()?)),
            _ => {
                let message = "a period is text such as \"2026-03\", \"2026-Q1\", \"2026\" or \"2026-W07\", or (start, end)";
                Err(Fault::argument("bad_period", "period", message).raise(py))
            }
        }
    }
}

impl Span {
    pub(crate) fn period(&self, engine: &core::Engine) -> Result<Period, Fault> {
        match self {
            Self::Named(text) => Period::parse(text, engine.zone()).map_err(query),
            Self::Between(start, end) => {
                let (start, end) = (start.beginning(engine, "period")?, end.beginning(engine, "period")?);
                Period::between(start, end).map_err(query)
            }
        }
    }
}

/// What a signal is: a dict or JSON text.
pub(crate) struct Spec(pub(crate) SignalSpec);

impl<'py> FromPyObject<'_, 'py> for Spec {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let json = document(&object)?;
        SignalSpec::from_json(&json).map(Self).map_err(|error| Fault::from(error).raise(object.py()))
    }
}

/// A document as JSON: text as it stands, anything else written out.
pub(crate) fn document(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = object.py();
    let text = match object.cast::<PyString>() {
        Ok(text) => text.to_str().map(str::to_owned).map_err(|_| WireFault {
            path: String::new(),
            code: "malformed_json",
            message: "text that is no Unicode".to_owned(),
        }),
        Err(_) => wire::to_json(object),
    };
    text.map_err(|fault| crate::error::model_fault(py, &fault.path, &fault.message))
}

/// Settings as the JSON that the readers of the core take.
fn settings_json(py: Python<'_>, settings: &Bound<'_, PyDict>) -> PyResult<String> {
    let asked = settings.copy()?;
    if let Some(model) = asked.get_item("model")?.filter(|model| !model.is_none()) {
        let model: Model = model.extract()?;
        asked.set_item("model", crate::results::plain(py, model.inner.to_json())?)?;
    }
    wire::to_json(asked.as_any()).map_err(|fault| {
        let code = if fault.code == "bad_time" { "bad_time" } else { "bad_value" };
        let name = fault.path.split(['.', '[']).next().unwrap_or_default().to_owned();
        Fault::argument(code, &name, format!("`{}`: {}", fault.path, fault.message)).raise(py)
    })
}

/// The settings of a question, by their names in the core and by its own reader; as they are by default without any.
fn read_settings<T: Default>(
    py: Python<'_>,
    settings: Option<&Bound<'_, PyDict>>,
    read: impl FnOnce(&str) -> Result<T, SettingError>,
) -> PyResult<T> {
    let Some(settings) = settings else { return Ok(T::default()) };
    read(&settings_json(py, settings)?).map_err(|error| query(error).raise(py))
}

/// The settings of a question about money.
pub(crate) fn settings(py: Python<'_>, settings: Option<&Bound<'_, PyDict>>) -> PyResult<RevenueOptions> {
    read_settings(py, settings, RevenueOptions::from_json)
}

/// The settings of a question about lifetimes.
pub(crate) fn lifetime_settings(
    py: Python<'_>,
    settings: Option<&Bound<'_, PyDict>>,
) -> PyResult<LifetimeOptions> {
    read_settings(py, settings, LifetimeOptions::from_json)
}

/// The settings of a question about lifetime value.
pub(crate) fn ltv_settings(py: Python<'_>, settings: &Bound<'_, PyDict>) -> PyResult<LtvOptions> {
    read_settings(py, Some(settings), LtvOptions::from_json)
}

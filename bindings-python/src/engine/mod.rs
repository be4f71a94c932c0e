//! `healthfold.Engine`: the front door. Each method converts, calls, converts.

mod ask;
mod book;
mod fold;
mod keep;
mod money;
mod lifetime;
mod table;
mod watch;

pub(crate) use watch::Watch;

use crate::args;
use crate::error::{Fault, query};
use crate::run::Shared;
use healthfold::{self as core, Limits, Settings};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::sync::Arc;

/// The folded state of all clients, and every question about them.
///
/// `timezone` (an IANA name or a `zoneinfo.ZoneInfo`) is where days and months are counted. `dedupe` is `exact`, which keeps
/// identities until they are sealed, or `upstream`, where the log guarantees each once. `erasure_key` (32 bytes) is the
/// secret under which ids of erased clients are made. `max_metrics` and `max_ids` limit what one client may have.
#[pyclass(frozen, module = "healthfold")]
pub(crate) struct Engine {
    pub(crate) shared: Arc<Shared>,
}

impl Engine {
    pub(crate) fn of(engine: core::Engine) -> Self {
        Self { shared: Shared::new(engine) }
    }
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (
        *, timezone: "str | ZoneInfo | None" = None, dedupe: "Literal['exact', 'upstream'] | None" = None,
        erasure_key: "bytes | None" = None, max_metrics: "int | None" = None, max_ids: "int | None" = None,
    ) -> "None")]
    fn new(
        py: Python<'_>,
        timezone: Option<&Bound<'_, PyAny>>,
        dedupe: Option<&Bound<'_, PyAny>>,
        erasure_key: Option<Vec<u8>>,
        max_metrics: Option<u32>,
        max_ids: Option<u32>,
    ) -> PyResult<Self> {
        let mut settings =
            Settings { dedupe: args::read_or_default(py, "dedupe", dedupe)?, ..Settings::default() };
        if let Some(zone) = timezone {
            let key = zone.getattr_opt("key")?.unwrap_or_else(|| zone.clone());
            settings.timezone = key.str()?.to_string_lossy().into_owned();
        }
        if let Some(key) = erasure_key {
            settings.erasure_key = <[u8; 32]>::try_from(key).map_err(|_| {
                Fault::argument("bad_value", "erasure_key", "`erasure_key` must be 32 bytes").raise(py)
            })?;
        }
        let Limits { metrics, ids } = settings.limits;
        settings.limits = Limits { metrics: max_metrics.unwrap_or(metrics), ids: max_ids.unwrap_or(ids) };
        core::Engine::new(settings).map(Self::of).map_err(|error| query(error).raise(py))
    }

    /// The time zone in which days and months are counted.
    #[getter]
    fn timezone(&self, py: Python<'_>) -> PyResult<String> {
        self.shared.ask(py, |engine| Ok(engine.zone().name().to_owned()))
    }

    /// How repeated events are told: `exact` or `upstream`.
    #[getter]
    fn dedupe(&self, py: Python<'_>) -> PyResult<&'static str> {
        self.shared.ask(py, |engine| {
            Ok(match engine.settings().dedupe {
                core::Dedupe::Exact => "exact",
                core::Dedupe::Upstream => "upstream",
            })
        })
    }

    /// The version of the time zone data by which the days of the engine were made, such as `2026c`.
    #[getter]
    fn zone_data(&self, py: Python<'_>) -> PyResult<String> {
        self.shared.ask(py, |engine| Ok(engine.zone_data().to_owned()))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        self.shared.ask(py, |engine| {
            let (clients, zone) = (engine.clients().count(), engine.zone().name());
            let span = engine.span().map_or_else(
                || "no events".to_owned(),
                |(first, last)| format!("events from {first} to {last}"),
            );
            Ok(format!("<healthfold.Engine: {clients} clients, {span}, days in {zone}>"))
        })
    }

    #[pyo3(signature = () -> "tuple[Any, ...]")]
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let bytes = slf.get().snapshot(slf.py())?;
        Ok((slf.get_type().getattr("restore")?, PyTuple::new(slf.py(), [bytes])?))
    }

    /// An engine of its own with the same state.
    #[pyo3(signature = () -> "Engine")]
    fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        self.shared.ask_long(py, |engine| Ok(engine.clone())).map(Self::of)
    }

    #[pyo3(signature = () -> "Engine")]
    fn __copy__(&self, py: Python<'_>) -> PyResult<Self> {
        self.copy(py)
    }

    #[pyo3(signature = (memo: "dict[int, Any]", /) -> "Engine")]
    fn __deepcopy__(&self, py: Python<'_>, memo: &Bound<'_, PyAny>) -> PyResult<Self> {
        let _ = memo;
        self.copy(py)
    }
}

//! A book that is kept fresh for the cost of the clients that changed.

use super::Engine;
use crate::args::{self, Span, When};
use crate::error::Fault;
use crate::model::Model;
use crate::results::{instant, object_of};
use crate::run::Shared;
use healthfold as core;
use healthfold::ClientId;
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyDict};
use std::sync::{Arc, Mutex, PoisonError};

/// The health of a book by one model, and the revenue of one period, kept fresh: made by `Engine.watch`.
#[pyclass(frozen, module = "healthfold")]
pub(crate) struct Watch {
    shared: Arc<Shared>,
    /// Taken only by whoever has the engine, and never while Python runs.
    inner: Arc<Mutex<core::Watch>>,
}

impl Watch {
    /// A question that the engine and the watch answer together.
    fn ask<T: Send + 'static>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(&core::Engine, &mut core::Watch) -> Result<T, Fault> + Send + 'static,
    ) -> PyResult<T> {
        let inner = Arc::clone(&self.inner);
        self.shared.ask_long(py, move |engine| {
            ask(engine, &mut inner.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }
}

#[pymethods]
impl Engine {
    /// Keeps the health of the book by one model fresh, and with `period` its revenue: a refresh after some events costs what
    /// the clients cost that changed. `settings` are those of `revenue`.
    #[pyo3(signature = (
        model: "ModelLike", *, as_of: "When", only: "Only" = None, period: "PeriodLike | None" = None,
        **settings: "Any",
    ) -> "Watch")]
    fn watch<'py>(
        &self,
        py: Python<'py>,
        model: Model,
        as_of: When,
        only: Option<&Bound<'py, PyAny>>,
        period: Option<Span>,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Watch> {
        let (of, options) = (args::read_or_default(py, "only", only)?, args::settings(py, settings)?);
        let watch = self.shared.change_long(py, move |engine, _| {
            let as_of = as_of.as_of(engine)?;
            let period = period.map(|period| period.period(engine)).transpose()?;
            Ok(engine.watch(&model.inner, as_of, of, period.map(|period| (period, options)))?)
        })?;
        Ok(Watch { shared: Arc::clone(&self.shared), inner: Arc::new(Mutex::new(watch)) })
    }
}

#[pymethods]
impl Watch {
    /// Takes in what happened since the last refresh, and answers as of an instant from then on.
    #[pyo3(signature = (*, as_of: "When") -> "Refreshed")]
    fn refresh<'py>(&self, py: Python<'py>, as_of: When) -> PyResult<Bound<'py, PyAny>> {
        let refreshed = self.ask(py, move |engine, watch| {
            let as_of = as_of.as_of(engine)?;
            Ok(watch.refresh(engine, as_of)?)
        })?;
        object_of(py, "Refreshed", &refreshed)
    }

    /// As of when it answers.
    #[getter]
    fn as_of<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDateTime>> {
        let as_of = self.ask(py, |_, watch| Ok(watch.as_of()))?;
        instant(py, &as_of.to_string())
    }

    /// How the book stands: as `Engine.book_health`.
    #[pyo3(signature = () -> "BookHealth")]
    fn health<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let health = self.ask(py, |_, watch| Ok(watch.health()))?;
        object_of(py, "BookHealth", &health)
    }

    /// The score and the band of a client; None of one that is not asked about.
    #[pyo3(signature = (client: "str") -> "tuple[float | None, str] | None")]
    fn score(&self, py: Python<'_>, client: &str) -> PyResult<Option<(Option<f64>, String)>> {
        let client = ClientId::new(client);
        self.ask(py, move |_, watch| {
            Ok(watch.score(&client).map(|(score, band)| (score, band.as_str().to_owned())))
        })
    }

    /// The revenue of the period that is watched, if one is: as `Engine.revenue`, without the intervals of money rates.
    #[pyo3(signature = () -> "RevenueReport | None")]
    fn revenue<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let report = self.ask(py, |engine, watch| Ok(watch.revenue(engine)?))?;
        report.map(|report| object_of(py, "RevenueReport", &report)).transpose()
    }
}

//! Keeping an engine: snapshots, merging, fingerprints.

use super::Engine;
use crate::results::instant;
use crate::run::{Shared, in_thread};
use healthfold as core;
use healthfold::ClientId;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDateTime};
use std::sync::Arc;

#[pymethods]
impl Engine {
    /// The whole engine as bytes: canonical, with a checked header.
    #[pyo3(signature = () -> "bytes")]
    pub(crate) fn snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.shared.ask_long(py, |engine| Ok(engine.snapshot()))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The engine of a snapshot.
    #[staticmethod]
    #[pyo3(signature = (snapshot: "bytes | bytearray") -> "Engine")]
    fn restore(py: Python<'_>, snapshot: PyBackedBytes) -> PyResult<Self> {
        in_thread(py, None, move |_| Ok(core::Engine::restore(&snapshot)?)).map(Self::of)
    }

    /// Takes in the events of another engine. Billing, support, client and `usage.day_set` events may be in both; counted
    /// and measured usage may not. Under `dedupe="upstream"` nobody can tell, so say `disjoint=True` where no event is in
    /// both. Ctrl-C leaves the call, not the change: once it has begun it is completed, and other calls wait for it.
    #[pyo3(signature = (other: "Engine", *, disjoint: "bool" = false) -> "None")]
    fn merge(&self, py: Python<'_>, other: &Bound<'_, Self>, disjoint: bool) -> PyResult<()> {
        // A copy, so that two engines that merge with each other do not wait for each other.
        let other: Arc<Shared> = Arc::clone(&other.get().shared);
        let other = other.ask_long(py, |engine| Ok(engine.clone()))?;
        self.shared.change_long(py, move |engine, _| {
            if disjoint {
                engine.merge_disjoint(&other)?
            } else {
                engine.merge(&other)?
            }
            Ok(())
        })
    }

    /// A hash of the canonical bytes, in hex: equal for engines that hold the same events, in every language.
    #[pyo3(signature = () -> "str")]
    fn fingerprint(&self, py: Python<'_>) -> PyResult<String> {
        self.shared.ask_long(py, |engine| Ok(engine.fingerprint()))
    }

    /// The instant before which detail was given up.
    #[getter]
    fn sealed_before<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDateTime>>> {
        let before = self.shared.ask(py, |engine| Ok(engine.sealed_before()))?;
        before.map(|before| instant(py, &before.to_string())).transpose()
    }

    /// The id under which an erased client's money and sums are kept.
    #[pyo3(signature = (client: "str") -> "str")]
    fn anonymous_id(&self, py: Python<'_>, client: &str) -> PyResult<String> {
        self.shared.ask(py, |engine| Ok(engine.anonymous_id(&ClientId::new(client)).to_string()))
    }
}

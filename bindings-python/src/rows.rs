//! A list of results whose rows are made when they are looked at: a book of a hundred thousand clients costs nothing until
//! somebody reads a client. `healthfold.Table` stands in front of it.

use crate::results::object_of;
use crate::run::guarded_in;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use serde::Serialize;

/// Rows of one class.
trait Held: Send + Sync {
    fn len(&self) -> usize;
    fn row<'py>(&self, py: Python<'py>, class: &str, at: usize) -> PyResult<Option<Bound<'py, PyAny>>>;
    fn json(&self) -> Result<String, serde_json::Error>;
}

impl<T: Serialize + Send + Sync> Held for Vec<T> {
    fn len(&self) -> usize {
        self.len()
    }

    fn row<'py>(&self, py: Python<'py>, class: &str, at: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.get(at).map(|row| object_of(py, class, row)).transpose()
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// Rows that the core holds.
#[pyclass(frozen, module = "healthfold._healthfold", name = "_Rows")]
pub(crate) struct Rows {
    class: &'static str,
    held: Box<dyn Held>,
}

impl Rows {
    /// As a `healthfold.Table`.
    pub(crate) fn table<'py, T: Serialize + Send + Sync + 'static>(
        py: Python<'py>,
        class: &'static str,
        rows: Vec<T>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let rows = Bound::new(py, Self { class, held: Box::new(rows) })?;
        py.import("healthfold._table")?.getattr("Table")?.call1((rows,))
    }
}

#[pymethods]
impl Rows {
    /// The name of the rows' class.
    #[getter]
    fn row_class(&self) -> &'static str {
        self.class
    }

    fn __len__(&self) -> usize {
        self.held.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, at: usize) -> PyResult<Bound<'py, PyAny>> {
        let row = guarded_in(py, || self.held.row(py, self.class, at))?;
        row.ok_or_else(|| PyIndexError::new_err("there is no such row"))
    }

    /// All rows as JSON text.
    #[pyo3(signature = () -> "str")]
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        guarded_in(py, || {
            self.held.json().map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
        })
    }
}

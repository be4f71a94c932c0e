//! A list of results whose rows are made when they are looked at: a book of a hundred thousand clients costs nothing until
//! somebody reads a client. `healthfold.Table` stands in front of it.

use crate::arrow::{batch, columns_of, stream};
use crate::results::object_of;
use crate::run::guarded_in;
use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, FieldRef, TimeUnit};
use healthfold::{Cohort, CohortCell, Currency, GroupKey, Instant, Month, RevenueReport, Row};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use serde::Serialize;
use std::sync::Arc;

/// Rows of one class.
pub(crate) trait Held: Send + Sync {
    /// How many.
    fn len(&self) -> usize;
    /// One of them, as an object of its class.
    fn row<'py>(&self, py: Python<'py>, class: &str, at: usize) -> PyResult<Option<Bound<'py, PyAny>>>;
    /// All as JSON.
    fn json(&self) -> Result<String, serde_json::Error>;
    /// All as a table.
    fn batch(&self, py: Python<'_>, class: &str) -> PyResult<RecordBatch>;
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

    fn batch(&self, py: Python<'_>, class: &str) -> PyResult<RecordBatch> {
        batch(&columns_of(py, class)?, self)
    }
}

/// Reports of periods: in a table a row for each period and currency, with the figures of its total.
pub(crate) struct Reports(pub(crate) Vec<RevenueReport>);

#[derive(Serialize)]
struct ReportLine<'r> {
    start: Instant,
    end: Instant,
    partial: bool,
    currency: Option<Currency>,
    #[serde(flatten)]
    row: &'r Row,
}

impl Held for Reports {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn row<'py>(&self, py: Python<'py>, class: &str, at: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.row(py, class, at)
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        self.0.json()
    }

    fn batch(&self, py: Python<'_>, _: &str) -> PyResult<RecordBatch> {
        let instant = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let mut fields = vec![
            column("start", instant()),
            column("end", instant()),
            column("partial", DataType::Boolean),
            column("currency", DataType::Utf8),
        ];
        fields.extend(columns_of(py, "Row")?);
        let mut lines = Vec::new();
        for report in &self.0 {
            let period = report.period;
            lines.extend(report.rows().map(|(currency, row)| ReportLine {
                start: period.start,
                end: period.end,
                partial: period.partial,
                currency,
                row,
            }));
        }
        batch(&fields, &lines)
    }
}

/// Cohorts: in a table a row for each month of each.
pub(crate) struct CohortRows(pub(crate) Vec<Cohort>);

#[derive(Serialize)]
struct CohortLine<'c> {
    cohort: Month,
    key: Option<&'c GroupKey>,
    currency: Currency,
    size: u64,
    #[serde(flatten)]
    cell: CohortCell,
}

impl Held for CohortRows {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn row<'py>(&self, py: Python<'py>, class: &str, at: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.row(py, class, at)
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        self.0.json()
    }

    fn batch(&self, py: Python<'_>, _: &str) -> PyResult<RecordBatch> {
        let mut fields = vec![
            column("cohort", DataType::Utf8),
            column("key", DataType::Utf8),
            column("currency", DataType::Utf8),
            column("size", DataType::Int64),
        ];
        fields.extend(columns_of(py, "CohortCell")?);
        let line = |of: &'_ Cohort, cell: &CohortCell| (of.cohort, of.currency, of.clients, *cell);
        let mut lines = Vec::new();
        for of in &self.0 {
            lines.extend(of.cells.iter().map(|cell| {
                let (cohort, currency, size, cell) = line(of, cell);
                CohortLine { cohort, key: of.key.as_ref(), currency, size, cell }
            }));
        }
        batch(&fields, &lines)
    }
}

fn column(name: &str, of: DataType) -> FieldRef {
    Arc::new(Field::new(name, of, true))
}

/// Rows that the core holds.
#[pyclass(frozen, module = "healthfold._healthfold", name = "_Rows")]
pub(crate) struct Rows {
    class: &'static str,
    held: Box<dyn Held>,
}

impl Rows {
    /// As a `healthfold.Table`.
    pub(crate) fn table<'py>(
        py: Python<'py>,
        class: &'static str,
        rows: impl Held + 'static,
    ) -> PyResult<Bound<'py, PyAny>> {
        let rows = Bound::new(py, Self { class, held: Box::new(rows) })?;
        py.import("healthfold._table")?.getattr("Table")?.call1((rows,))
    }

    /// Puts rows as a table into a result that was made without them.
    pub(crate) fn put<'py>(
        result: Bound<'py, PyAny>,
        member: &str,
        class: &'static str,
        rows: impl Held + 'static,
    ) -> PyResult<Bound<'py, PyAny>> {
        let table = Self::table(result.py(), class, rows)?;
        Self::set(result, member, table)
    }

    /// Keeps the columns of a result beside it, for whoever reads it as a table.
    pub(crate) fn beside<'py>(
        result: Bound<'py, PyAny>,
        rows: impl Held + 'static,
    ) -> PyResult<Bound<'py, PyAny>> {
        let rows = Bound::new(result.py(), Self { class: "", held: Box::new(rows) })?;
        Self::set(result, "_native", rows.into_any())
    }

    /// Results are frozen for everybody else.
    fn set<'py>(
        result: Bound<'py, PyAny>,
        member: &str,
        value: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let object = result.py().import("builtins")?.getattr("object")?;
        object.call_method1("__setattr__", (&result, member, value))?;
        Ok(result)
    }
}

#[pymethods]
impl Rows {
    /// The name of the rows' class.
    #[getter]
    fn row_class(&self) -> &'static str {
        self.class
    }

    /// What the core holds does not outlive the process: it comes back as None.
    #[pyo3(signature = () -> "tuple[Any, ...]")]
    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyAny>, Bound<'py, PyTuple>) {
        (py.None().into_bound(py).get_type().into_any(), PyTuple::empty(py))
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
        guarded_in(py, || self.held.json().map_err(|error| PyValueError::new_err(error.to_string())))
    }

    /// All rows as a table, by the Arrow PyCapsule interface.
    #[pyo3(signature = (requested_schema: "object | None" = None) -> "object")]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let batch = guarded_in(py, || self.held.batch(py, self.class))?;
        stream(py, batch, requested_schema)
    }
}

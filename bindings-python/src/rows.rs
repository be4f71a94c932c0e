//! A list of results whose rows are made when they are looked at: a book of a hundred thousand clients costs nothing until
//! somebody reads a client. `healthfold.Table` stands in front of it.

use crate::arrow::stream;
use crate::results::object_of;
use crate::run::guarded_in;
use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use healthfold::table::scores_to_arrow;
use healthfold::{
    Applied, ClientId, ClientLtv, ClientSpell, Cohort, Cohorts, HealthScore, Lifetime, ModelLtv, MovementRow,
    Movements, ObservedLtv, ObservedValue, Rejection, RevenueReport, RevenueSeries, RfmRow, RfmSummary,
    ScoreTable, SimpleLtv, Spells, SurvivalPoint,
};
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use serde::Serialize;

type Batch = Option<Result<RecordBatch, ArrowError>>;

/// An answer that has rows.
pub(crate) trait Whole: Send + Sync {
    /// What a row is.
    type Row: Serialize;
    /// The rows.
    fn rows(&self) -> &[Self::Row];
    /// All as a table of columns, where there is one.
    fn batch(&self) -> Batch;
    /// What keeps the score of a row from 100, the greatest cost first, where rows are scores.
    fn costs(&self, _at: usize) -> Vec<String> {
        Vec::new()
    }
}

/// The same, whatever its rows are.
trait Held: Send + Sync {
    fn len(&self) -> usize;
    fn row<'py>(&self, py: Python<'py>, class: &str, at: usize) -> PyResult<Option<Bound<'py, PyAny>>>;
    fn json(&self) -> Result<String, serde_json::Error>;
    fn table(&self) -> Batch;
    fn costs(&self, at: usize) -> Vec<String>;
}

impl<W: Whole> Held for W {
    fn len(&self) -> usize {
        self.rows().len()
    }

    fn row<'py>(&self, py: Python<'py>, class: &str, at: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.rows().get(at).map(|row| object_of(py, class, row)).transpose()
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self.rows())
    }

    fn table(&self) -> Batch {
        self.batch()
    }

    fn costs(&self, at: usize) -> Vec<String> {
        Whole::costs(self, at)
    }
}

/// A list that is no table of columns.
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T: Serialize + Send + Sync> Whole for List<T> {
    type Row = T;
    fn rows(&self) -> &[T] {
        &self.0
    }
    fn batch(&self) -> Batch {
        None
    }
}

/// Scores row by row.
pub(crate) struct Scores(pub(crate) Vec<HealthScore>);

impl Whole for Scores {
    type Row = HealthScore;
    fn rows(&self) -> &[HealthScore] {
        &self.0
    }
    fn batch(&self) -> Batch {
        Some(scores_to_arrow(&self.0))
    }
    fn costs(&self, at: usize) -> Vec<String> {
        let costs = self.0.get(at).map(HealthScore::costs).unwrap_or_default();
        costs.iter().map(|cost| cost.name().to_owned()).collect()
    }
}

/// Answers of which the core makes tables itself.
macro_rules! tables {
    ($($of:ident.$rows:ident: $row:ty),+ $(,)?) => {$(
        impl Whole for $of {
            type Row = $row;
            fn rows(&self) -> &[$row] {
                &self.$rows
            }
            fn batch(&self) -> Batch {
                Some(self.to_arrow())
            }
        }
    )+};
}

tables! {
    Movements.rows: MovementRow,
    RevenueSeries.rows: RevenueReport,
    Cohorts.cohorts: Cohort,
    Applied.rejected: Rejection,
    ScoreTable.client: ClientId,
    Spells.spells: ClientSpell,
    RfmSummary.clients: RfmRow,
    SimpleLtv.clients: ClientLtv,
    ObservedLtv.clients: ObservedValue,
    ModelLtv.clients: ClientLtv,
}

impl Whole for Lifetime {
    type Row = SurvivalPoint;
    fn rows(&self) -> &[SurvivalPoint] {
        &self.total.curve.points
    }
    fn batch(&self) -> Batch {
        Some(self.to_arrow())
    }
}

/// An answer whose rows stand in one of its members.
pub(crate) trait Apart: Whole + Serialize {
    /// The name of that member.
    const MEMBER: &'static str;
    /// The name of the rows' class.
    const CLASS: &'static str;
    fn rows_mut(&mut self) -> &mut Vec<Self::Row>;
}

macro_rules! apart {
    ($($of:ident.$rows:ident: $row:ident),+ $(,)?) => {$(
        impl Apart for $of {
            const MEMBER: &'static str = stringify!($rows);
            const CLASS: &'static str = stringify!($row);
            fn rows_mut(&mut self) -> &mut Vec<$row> {
                &mut self.$rows
            }
        }
    )+};
}

apart! {
    RevenueSeries.rows: RevenueReport,
    Movements.rows: MovementRow,
    Cohorts.cohorts: Cohort,
    Spells.spells: ClientSpell,
    RfmSummary.clients: RfmRow,
    SimpleLtv.clients: ClientLtv,
    ObservedLtv.clients: ObservedValue,
    ModelLtv.clients: ClientLtv,
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
        rows: impl Whole + 'static,
    ) -> PyResult<Bound<'py, PyAny>> {
        let rows = Bound::new(py, Self { class, held: Box::new(rows) })?;
        py.import("healthfold._table")?.getattr("Table")?.call1((rows,))
    }

    /// A result as an object of its class, its rows as a table in it.
    pub(crate) fn within<'py, W: Apart + 'static>(
        py: Python<'py>,
        class: &str,
        mut whole: W,
    ) -> PyResult<Bound<'py, PyAny>> {
        let rows = std::mem::take(whole.rows_mut());
        let told = object_of(py, class, &whole)?;
        *whole.rows_mut() = rows;
        let table = Self::table(py, W::CLASS, whole)?;
        Self::set(told, W::MEMBER, table)
    }

    /// Keeps the columns of a result beside it, for whoever reads it as a table.
    pub(crate) fn beside<'py>(
        result: Bound<'py, PyAny>,
        rows: impl Whole + 'static,
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

    /// The names of what keeps the score of a row from 100, the greatest cost first.
    #[pyo3(signature = (at: "int") -> "list[str]")]
    fn costs(&self, py: Python<'_>, at: usize) -> PyResult<Vec<String>> {
        guarded_in(py, || Ok(self.held.costs(at)))
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
        let batch = guarded_in(py, || match self.held.table() {
            Some(batch) => batch.map_err(|error| PyValueError::new_err(error.to_string())),
            None => Err(PyTypeError::new_err("these rows have no table of columns; see `to_dicts`")),
        })?;
        stream(py, batch, requested_schema)
    }
}

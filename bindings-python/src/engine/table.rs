//! Taking tables in: anything with `__arrow_c_stream__` or `__arrow_c_array__`, such as a frame of polars or pandas, a table
//! of pyarrow, a relation of duckdb; and Parquet files.

use super::Engine;
use super::fold::{progress, told};
use crate::args;
use crate::error::Fault;
use crate::run::{Home, guarded_in};
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use healthfold::table::{Bytes, Fill, TableOptions};
use healthfold::{Applied, EventKind, SourceId};
use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMapping};
use pyo3_arrow::input::AnyRecordBatch;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// So many rows are taken in between two looks at the interpreter.
const PIECE: usize = 64 * 1024;

/// What Python raised while a table was read, which an error of Arrow cannot carry.
type Raised = Arc<Mutex<Option<PyErr>>>;

/// A look at whoever waits, now and then: Ctrl-C is heard, progress is told.
#[derive(Clone)]
struct Look {
    home: Home,
    progress: Option<Arc<Py<PyAny>>>,
    raised: Raised,
}

impl Look {
    fn look(&self, done: u64, of: Option<u64>) -> Result<(), ArrowError> {
        let looked = self.home.look().and_then(|()| match self.progress.clone() {
            None => Ok(()),
            Some(progress) => self.home.run(move |py| progress.call1(py, (done, of)).map(drop)),
        });
        looked.map_err(|error| self.keep(error))
    }

    fn keep(&self, error: PyErr) -> ArrowError {
        *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        ArrowError::ExternalError("Python raised an exception".into())
    }
}

/// What a load came to, or what Python raised meanwhile.
fn ended<'py>(py: Python<'py>, applied: PyResult<Applied>, raised: &Raised) -> PyResult<Bound<'py, PyAny>> {
    match raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => Err(error),
        None => told(py, applied?),
    }
}

type Table = Box<dyn RecordBatchReader + Send>;

/// A table in pieces, with a look between them.
struct Pieces {
    schema: SchemaRef,
    /// Not there while it is read, at home: it may be a program in Python, which belongs to its thread.
    table: Option<Table>,
    rest: Option<RecordBatch>,
    done: u64,
    look: Look,
}

impl Iterator for Pieces {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.look.look(self.done, None) {
            return Some(Err(error));
        }
        let batch = match self.rest.take() {
            Some(batch) => batch,
            None => match self.fetch()? {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error)),
            },
        };
        let piece = batch.slice(0, batch.num_rows().min(PIECE));
        if batch.num_rows() > PIECE {
            self.rest = Some(batch.slice(PIECE, batch.num_rows() - PIECE));
        }
        self.done += piece.num_rows() as u64;
        Some(Ok(piece))
    }
}

impl RecordBatchReader for Pieces {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl Pieces {
    fn fetch(&mut self) -> Option<Result<RecordBatch, ArrowError>> {
        let mut table = self.table.take()?;
        let fetched = self.look.home.run(move |py| {
            Ok(py.detach(move || {
                let batch = table.next();
                (table, batch)
            }))
        });
        match fetched {
            Ok((table, batch)) => {
                self.table = Some(table);
                batch
            }
            Err(error) => Some(Err(self.look.keep(error))),
        }
    }
}

/// Any table of Python as a reader.
fn reader(table: &Bound<'_, PyAny>) -> PyResult<Table> {
    let py = table.py();
    let has = |name: &str| table.hasattr(name).unwrap_or(false);
    if !has("__arrow_c_stream__") && !has("__arrow_c_array__") {
        let kind = table.get_type().name()?;
        let message = format!(
            "`table` must offer the Arrow PyCapsule interface, as frames of polars and pandas, tables of pyarrow and \
             relations of duckdb do; an object of type `{kind}` does not"
        );
        return Err(Fault::argument("bad_value", "table", message).raise(py));
    }
    match table.extract::<AnyRecordBatch>() {
        Ok(any) => any.into_reader(),
        Err(error) if error.is_instance_of::<PyImportError>(py) => {
            let message =
                "pandas gives its frames away by pyarrow: install pyarrow, or hand over a frame of polars";
            Err(PyImportError::new_err(format!("{message} ({error})")))
        }
        Err(error) => {
            Err(Fault::argument("bad_value", "table", format!("`table` is no table of columns: {error}"))
                .raise(py))
        }
    }
}

fn kind(py: Python<'_>, name: &str) -> PyResult<EventKind> {
    EventKind::parse(name).ok_or_else(|| {
        let known = EventKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
        Fault::argument("bad_value", "type", format!("`type` must be one of {known}, found `{name}`"))
            .raise(py)
    })
}

/// How a table is read, from the keywords of a call.
struct Reading {
    options: TableOptions,
    progress: Option<Arc<Py<PyAny>>>,
}

fn fills(
    py: Python<'_>,
    columns: Option<&Bound<'_, PyMapping>>,
    constants: Option<&Bound<'_, PyMapping>>,
) -> PyResult<BTreeMap<String, Fill>> {
    let mut fills = BTreeMap::new();
    if let Some(columns) = columns {
        for pair in columns.items()?.iter() {
            let (field, column) = pair.extract::<(String, String)>()?;
            fills.insert(field, Fill::Column(column));
        }
    }
    if let Some(constants) = constants {
        for pair in constants.items()?.iter() {
            let (field, value) = pair.extract::<(String, Bound<'_, PyAny>)>()?;
            let value = args::read::<serde_json::Value>(py, &field, &value)?;
            if fills.insert(field.clone(), Fill::Constant(value)).is_some() {
                let message = format!("`{field}` is filled by a column and by a constant");
                return Err(Fault::argument("bad_value", &field, message).raise(py));
            }
        }
    }
    Ok(fills)
}

/// The keywords that both ways of taking tables in have.
const NAMES: [&str; 10] = [
    "columns",
    "constants",
    "source",
    "load",
    "timezone",
    "floats_as_money",
    "skip_without_time",
    "days",
    "strict",
    "progress",
];

impl Reading {
    fn of(py: Python<'_>, how: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let how = match how {
            Some(how) => how.clone(),
            None => PyDict::new(py),
        };
        for name in how.keys().iter() {
            let name = name.extract::<String>()?;
            if !NAMES.contains(&name.as_str()) {
                let message = format!("`{name}` is no setting of a table; those are {}", NAMES.join(", "));
                return Err(Fault::argument("bad_value", &name, message).raise(py));
            }
        }
        let given = |name: &str| Ok::<_, PyErr>(how.get_item(name)?.filter(|value| !value.is_none()));
        let mapping = |name: &str| {
            given(name)?.map(|value| value.cast_into::<PyMapping>().map_err(PyErr::from)).transpose()
        };
        let text = |name: &str| given(name)?.map(|value| value.extract::<String>()).transpose();
        let flag = |name: &str| given(name)?.map_or(Ok(false), |value| value.extract::<bool>());
        let zone = given("timezone")?
            .map(|zone| zone.getattr_opt("key").map(|key| key.unwrap_or(zone)))
            .transpose()?;
        let days = match given("days")? {
            Some(days) => {
                let (first, behind) = days.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
                let day = |day: Bound<'_, PyAny>| -> PyResult<_> {
                    day.str()?
                        .to_string_lossy()
                        .parse::<healthfold::Day>()
                        .map_err(|error| crate::error::query(error).raise(py))
                };
                Some((day(first)?, day(behind)?))
            }
            None => None,
        };
        let options = TableOptions {
            columns: fills(py, mapping("columns")?.as_ref(), mapping("constants")?.as_ref())?,
            source: text("source")?.map(SourceId::new),
            load: text("load")?.unwrap_or_default(),
            timezone: zone.map(|zone| zone.str().map(|zone| zone.to_string())).transpose()?,
            floats_as_money: flag("floats_as_money")?,
            skip_without_time: flag("skip_without_time")?,
            days,
            strict: flag("strict")?,
        };
        Ok(Self { options, progress: progress(py, given("progress")?.as_ref(), " rows")?.map(Arc::new) })
    }
}

#[pymethods]
impl Engine {
    /// Takes in a table: each row is one event of a type. Good rows are applied, each bad one is returned with its number, code,
    /// field and message.
    ///
    /// A column that is named like a field fills it (`subject`, `time`, `metric`, `attributes.plan`); `columns` names the column
    /// of others, `constants` what every row has. Times without a zone are of `timezone`, which must be stated then. Floats are
    /// refused for money unless `floats_as_money`. Rows without an id are known by their content within the load of a name
    /// (`load`), so that the same table taken in again changes nothing. `days` takes only rows from one day to before another.
    #[pyo3(signature = (r#type: "str", table: "ArrowTable", **how: "Unpack[TableSettings]") -> "Applied")]
    fn apply_table<'py>(
        &self,
        py: Python<'py>,
        r#type: &str,
        table: &Bound<'py, PyAny>,
        how: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let kind = kind(py, r#type)?;
        let Reading { options, progress } = Reading::of(py, how)?;
        let table = guarded_in(py, || reader(table))?;
        let raised = Raised::default();
        let kept = Arc::clone(&raised);
        let applied: PyResult<Applied> = self.shared.change_long(py, move |engine, home| {
            let look = Look { home: home.clone(), progress, raised: kept };
            let (schema, table) = (table.schema(), Some(table));
            let table = Pieces { schema, table, rest: None, done: 0, look };
            Ok(engine.apply_table(kind, table, &options)?)
        });
        ended(py, applied, &raised)
    }

    /// Takes in a Parquet file, by its path or its bytes, as `apply_table` takes in a table. Only the columns that fill a field are
    /// read, and with `days` only the parts that may hold a row of these days.
    #[pyo3(signature = (
        r#type: "str", file: "str | PathLike[str] | bytes | bytearray", **how: "Unpack[TableSettings]",
    ) -> "Applied")]
    fn apply_parquet<'py>(
        &self,
        py: Python<'py>,
        r#type: &str,
        file: &Bound<'py, PyAny>,
        how: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let kind = kind(py, r#type)?;
        let Reading { options, progress } = Reading::of(py, how)?;
        let raised = Raised::default();
        let kept = Arc::clone(&raised);
        let is_bytes = file.cast::<PyBytes>().is_ok() || file.cast::<PyByteArray>().is_ok();
        let bytes = is_bytes.then(|| file.extract::<Vec<u8>>()).transpose()?;
        let path: PathBuf = if is_bytes { PathBuf::new() } else { file.extract()? };
        let applied: PyResult<Applied> = self.shared.change_long(py, move |engine, home| {
            let look = Look { home: home.clone(), progress, raised: kept };
            let look = move |done, of| look.look(done, Some(of));
            if let Some(bytes) = bytes {
                return Ok(engine.apply_parquet_watched(kind, Bytes::from(bytes), &options, look)?);
            }
            let named = |error: std::io::Error| {
                Fault::Io(std::io::Error::new(error.kind(), format!("{}: {error}", path.display())))
            };
            let file = File::open(&path).map_err(named)?;
            Ok(engine.apply_parquet_watched(kind, file, &options, look)?)
        });
        ended(py, applied, &raised)
    }
}

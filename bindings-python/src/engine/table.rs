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
use healthfold::{self as core, Applied, EventKind, SourceId};
use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMapping, PyTuple};
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
fn ended<T>(applied: PyResult<T>, raised: &Raised) -> PyResult<T> {
    match raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) => Err(error),
        None => applied,
    }
}

/// A Parquet file, by its path or its bytes.
enum Parquet {
    Path(PathBuf),
    Bytes(Bytes),
}

impl Parquet {
    fn of(file: &Bound<'_, PyAny>) -> PyResult<Self> {
        let is_bytes = file.cast::<PyBytes>().is_ok() || file.cast::<PyByteArray>().is_ok();
        Ok(match is_bytes {
            true => Self::Bytes(Bytes::from(file.extract::<Vec<u8>>()?)),
            false => Self::Path(file.extract()?),
        })
    }

    fn apply(
        self,
        engine: &mut core::Engine,
        kinds: &[(EventKind, TableOptions)],
        look: &Look,
    ) -> Result<Vec<Applied>, Fault> {
        let look = |done, of| look.look(done, Some(of));
        match self {
            Self::Bytes(bytes) => Ok(engine.apply_parquet_each_watched(kinds, bytes, look)?),
            Self::Path(path) => {
                let named = |error: std::io::Error| {
                    Fault::Io(std::io::Error::new(error.kind(), format!("{}: {error}", path.display())))
                };
                let file = File::open(&path).map_err(named)?;
                Ok(engine.apply_parquet_each_watched(kinds, file, look)?)
            }
        }
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

/// A setting, where it is stated.
fn given<'py>(how: &Bound<'py, PyDict>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(how.get_item(name)?.filter(|value| !value.is_none()))
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

/// The settings of how the rows of a table are read.
const NAMES: [&str; 9] = [
    "columns",
    "constants",
    "source",
    "load",
    "timezone",
    "floats_as_money",
    "skip_without_time",
    "days",
    "strict",
];

/// How rows are read, from settings of which some others may be.
fn options(how: &Bound<'_, PyDict>, others: &[&str]) -> PyResult<TableOptions> {
    let py = how.py();
    let names = [&NAMES[..], others].concat();
    for name in how.keys().iter() {
        let name = name.extract::<String>()?;
        if !names.contains(&name.as_str()) {
            let message = format!("`{name}` is no setting of a table; those are {}", names.join(", "));
            return Err(Fault::argument("bad_value", &name, message).raise(py));
        }
    }
    let given = |name: &str| given(how, name);
    let mapping = |name: &str| {
        given(name)?.map(|value| value.cast_into::<PyMapping>().map_err(PyErr::from)).transpose()
    };
    let text = |name: &str| given(name)?.map(|value| value.extract::<String>()).transpose();
    let flag = |name: &str| given(name)?.map_or(Ok(false), |value| value.extract::<bool>());
    let zone =
        given("timezone")?.map(|zone| zone.getattr_opt("key").map(|key| key.unwrap_or(zone))).transpose()?;
    let days = match given("days")? {
        Some(days) => {
            let (first, behind) = days.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
            let day = |day: Bound<'_, PyAny>| -> PyResult<_> {
                day.str()?
                    .to_string_lossy()
                    .parse::<healthfold::Day>()
                    .map_err(|error| crate::error::query(error.of("days")).raise(py))
            };
            Some((day(first)?, day(behind)?))
        }
        None => None,
    };
    Ok(TableOptions {
        columns: fills(py, mapping("columns")?.as_ref(), mapping("constants")?.as_ref())?,
        source: text("source")?.map(SourceId::new),
        load: text("load")?.unwrap_or_default(),
        timezone: zone.map(|zone| zone.str().map(|zone| zone.to_string())).transpose()?,
        floats_as_money: flag("floats_as_money")?,
        skip_without_time: flag("skip_without_time")?,
        days,
        strict: flag("strict")?,
    })
}

/// Who is told how many rows were read.
fn of_rows(py: Python<'_>, asked: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Arc<Py<PyAny>>>> {
    Ok(progress(py, asked, " rows")?.map(Arc::new))
}

impl Reading {
    fn of(py: Python<'_>, how: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let how = match how {
            Some(how) => how.clone(),
            None => PyDict::new(py),
        };
        let options = options(&how, &["progress"])?;
        Ok(Self { options, progress: of_rows(py, given(&how, "progress")?.as_ref())? })
    }
}

/// A type of event and how it is read, from one dict.
fn kind_and_options(one: &Bound<'_, PyAny>) -> PyResult<(EventKind, TableOptions)> {
    let py = one.py();
    let Ok(mapping) = one.cast::<PyMapping>() else {
        let message = "`kinds` must be a list of dicts, each with `type` and the settings of a table";
        return Err(Fault::argument("bad_value", "kinds", message).raise(py));
    };
    let how = PyDict::new(py);
    how.update(mapping)?;
    let name = match given(&how, "type")? {
        Some(name) => name.extract::<String>()?,
        None => {
            return Err(Fault::argument("bad_value", "type", "each of `kinds` must have a `type`").raise(py));
        }
    };
    Ok((kind(py, &name)?, options(&how, &["type"])?))
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
        told(py, ended(applied, &raised)?)
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
        let applied = self.take_parquet(py, file, vec![(kind, options)], progress)?;
        told(py, applied.into_iter().next().unwrap_or_default())
    }

    /// Takes in a Parquet file whose rows tell of several things, such as invoices that were issued and paid: as if `apply_parquet`
    /// were called once for each of `kinds`, but the file is read once. Each of `kinds` is a dict with `type` and the settings that
    /// `apply_parquet` takes as keywords; what became of each comes in their order. Where one is `strict` all are.
    #[pyo3(signature = (
        file: "str | PathLike[str] | bytes | bytearray", kinds: "Sequence[TableKind]", *, progress: "Progress" = None,
    ) -> "tuple[Applied, ...]")]
    fn apply_parquet_each<'py>(
        &self,
        py: Python<'py>,
        file: &Bound<'py, PyAny>,
        kinds: Vec<Bound<'py, PyAny>>,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let kinds = kinds.iter().map(kind_and_options).collect::<PyResult<Vec<_>>>()?;
        let applied = self.take_parquet(py, file, kinds, of_rows(py, progress)?)?;
        PyTuple::new(py, applied.into_iter().map(|applied| told(py, applied)).collect::<PyResult<Vec<_>>>()?)
    }
}

impl Engine {
    fn take_parquet(
        &self,
        py: Python<'_>,
        file: &Bound<'_, PyAny>,
        kinds: Vec<(EventKind, TableOptions)>,
        progress: Option<Arc<Py<PyAny>>>,
    ) -> PyResult<Vec<Applied>> {
        let raised = Raised::default();
        let kept = Arc::clone(&raised);
        let file = Parquet::of(file)?;
        let applied = self.shared.change_long(py, move |engine, home| {
            file.apply(engine, &kinds, &Look { home: home.clone(), progress, raised: kept })
        });
        ended(applied, &raised)
    }
}

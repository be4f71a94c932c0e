//! How results become Arrow tables: a column for each field, read from the annotations of the class. A field that is itself
//! a result is a column for each of its fields, `opening_mrr`, so that a table stays flat; lists stay lists.

use crate::shape::{Class, Items, Members, Number, Shape, Text, class};
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, FieldRef, Schema, TimeUnit};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::PyTable;
use serde::Serialize;
use std::fmt::Display;
use std::sync::Arc;

/// Figures that have 12 digits behind the point; all others have 6.
const FINE: [&str; 2] = ["arr", "rate"];

fn fault(error: impl Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// The columns of a class; what has no form in a table has none.
pub(crate) fn columns(py: Python<'_>, class: &Class) -> PyResult<Vec<FieldRef>> {
    let mut columns = Vec::new();
    for field in class.fields(py)? {
        if let Some(of) = data_type(py, &field.name, &field.shape)? {
            columns.push(Arc::new(Field::new(&field.name, of, true)));
        }
    }
    Ok(columns)
}

/// The same by the name of the class.
pub(crate) fn columns_of(py: Python<'_>, name: &str) -> PyResult<Vec<FieldRef>> {
    columns(py, &*class(py, name)?)
}

fn data_type(py: Python<'_>, name: &str, shape: &Shape) -> PyResult<Option<DataType>> {
    let item = |shape: &Shape| -> PyResult<Option<FieldRef>> {
        Ok(data_type(py, name, shape)?.map(|of| Arc::new(Field::new("item", of, true))))
    };
    Ok(match (&shape.members, &shape.items, &shape.text, shape.number) {
        (Members::Class(class), ..) => Some(DataType::Struct(columns(py, class)?.into())),
        (Members::Of(values), ..) => data_type(py, name, values)?.map(|of| {
            let key = Arc::new(Field::new("key", DataType::Utf8, false));
            let entries = DataType::Struct(vec![key, Arc::new(Field::new("value", of, true))].into());
            DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
        }),
        (_, Items::Of(shape), ..) => item(shape)?.map(DataType::List),
        (_, Items::Each(_), ..) => None,
        (_, _, Text::Instant, _) => Some(DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
        (_, _, Text::Day, _) => Some(DataType::Date32),
        (_, _, Text::Decimal, _) => Some(DataType::Decimal128(38, if FINE.contains(&name) { 12 } else { 6 })),
        (_, _, Text::Plain | Text::Moment | Text::Member(_), _) => Some(DataType::Utf8),
        (_, _, Text::None, Number::Float) => Some(DataType::Float64),
        (_, _, Text::None, Number::Int) => Some(DataType::Int64),
        (_, _, Text::None, Number::Bool) => Some(DataType::Boolean),
        (_, _, Text::None, Number::None) => None,
    })
}

/// Rows as one batch.
pub(crate) fn batch<T: Serialize>(fields: &[FieldRef], rows: &[T]) -> PyResult<RecordBatch> {
    let columns = serde_arrow::to_arrow(fields, rows).map_err(fault)?;
    let mut flat = Vec::new();
    for (field, column) in fields.iter().zip(columns) {
        flatten(field.name(), field, column, &mut flat);
    }
    let (fields, columns): (Vec<FieldRef>, Vec<ArrayRef>) = flat.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(fault)
}

/// Columns by name as one batch.
pub(crate) fn flat(columns: Vec<(String, ArrayRef)>) -> PyResult<RecordBatch> {
    let fields = columns.iter().map(|(name, column)| Field::new(name, column.data_type().clone(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())
        .map_err(fault)
}

/// The leaves of a column of structs.
fn flatten(name: &str, field: &Field, column: ArrayRef, into: &mut Vec<(FieldRef, ArrayRef)>) {
    match column.as_struct_opt() {
        Some(of) => {
            for (child, column) in of.fields().iter().zip(of.columns()) {
                flatten(&format!("{name}_{}", child.name()), child, Arc::clone(column), into);
            }
        }
        None => into.push((Arc::new(Field::new(name, field.data_type().clone(), true)), column)),
    }
}

/// A batch by the Arrow PyCapsule interface.
pub(crate) fn stream<'py>(
    py: Python<'py>,
    batch: RecordBatch,
    requested_schema: Option<Bound<'py, PyCapsule>>,
) -> PyResult<Bound<'py, PyAny>> {
    let schema = batch.schema();
    let table = PyTable::try_new(vec![batch], schema)?;
    Bound::new(py, table)?.call_method1("__arrow_c_stream__", (requested_schema,))
}

/// Rows that Python holds, from their JSON: those that came back from a pickle.
#[pyfunction]
#[pyo3(name = "_table_of", signature = (class_name: "str", rows: "str", requested_schema: "object | None" = None) -> "object")]
pub(crate) fn table_of<'py>(
    py: Python<'py>,
    class_name: &str,
    rows: &str,
    requested_schema: Option<Bound<'py, PyCapsule>>,
) -> PyResult<Bound<'py, PyAny>> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(rows).map_err(fault)?;
    let batch = batch(&columns_of(py, class_name)?, &rows)?;
    stream(py, batch, requested_schema)
}

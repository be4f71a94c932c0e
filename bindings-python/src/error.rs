//! How a fault becomes a Python exception. The classes are defined in Python (`errors.py`); this is the one place that
//! raises them.

use crate::results;
use healthfold::{Error, Issue, ReadError, Rejection, TableError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use std::fmt::Display;

/// Why a call has no answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The core says so.
    Core(Error),
    /// With `strict`, the first bad event.
    Strict(Box<Rejection>),
    /// An argument is not what it may be.
    Argument { code: &'static str, field: String, message: String },
    /// A file cannot be read, or reading was interrupted from Python.
    Io(std::io::Error),
    /// The library is at fault.
    Internal(String),
    /// The engine cannot be used now: from its own callback, or in a process forked at a bad moment.
    Unusable { code: &'static str, message: &'static str },
}

impl<E: Into<Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Core(error.into())
    }
}

/// Faults whose types the core's own error does not hold.
pub(crate) fn query(error: impl Into<healthfold::QueryError>) -> Fault {
    Fault::Core(Error::Query(error.into()))
}

impl Fault {
    pub(crate) fn argument(code: &'static str, field: &str, message: impl Display) -> Self {
        Self::Argument { code, field: field.to_owned(), message: message.to_string() }
    }

    pub(crate) fn read(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => Self::Io(error),
            ReadError::Strict(rejection) => Self::Strict(rejection),
        }
    }

    /// The exception.
    pub(crate) fn raise(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Core(error) => of_core(py, &error),
            Self::Strict(rejection) => {
                let at = rejection.line.map_or_else(String::new, |line| format!(" at line {line}"));
                let message = format!("event {}{at}: {}", rejection.index, rejection.error);
                raise(py, "EventError", &message, rejection.error.code.as_str(), |more| {
                    more.set_item("field", &rejection.error.field)?;
                    more.set_item("index", rejection.index)?;
                    more.set_item("line", rejection.line)?;
                    more.set_item("offset", rejection.offset)
                })
            }
            Self::Argument { code, field, message } => {
                let field = Some(field).filter(|field| !field.is_empty());
                raise(py, "QueryError", &message, code, |more| more.set_item("field", field))
            }
            // What Python raised while the core was reading comes out as it went in.
            Self::Io(error) => error.into(),
            Self::Internal(message) => raise(py, "InternalError", &message, "internal", |_| Ok(())),
            Self::Unusable { code, message } => raise(py, "HealthfoldError", message, code, |_| Ok(())),
        }
    }
}

/// A model whose document cannot even be read: one issue.
pub(crate) fn model_fault(py: Python<'_>, path: &str, message: &str) -> PyErr {
    let issue = Issue { path: path.to_owned(), message: message.to_owned() };
    of_core(py, &Error::Model(healthfold::ModelError { issues: vec![issue] }))
}

fn of_core(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error {
        Error::Event(_) | Error::Table(TableError::Strict { .. }) => "EventError",
        Error::Table(_) => "TableError",
        Error::Model(_) => "ModelError",
        Error::Query(_) => "QueryError",
        // Merging, sealing, snapshots, and whatever the core learns to keep.
        _ => "StoreError",
    };
    raise(py, class, &error.to_string(), error.code(), |more| {
        more.set_item("field", error.field())?;
        more.set_item("details", results::plain(py, &error.details())?)?;
        match error {
            Error::Model(error) => more.set_item("issues", results::tuple_of(py, "Issue", &error.issues)?),
            Error::Table(TableError::Invalid { issues }) => {
                more.set_item("issues", results::tuple_of(py, "TableIssue", issues)?)
            }
            Error::Table(TableError::Strict { index, .. }) => more.set_item("index", index),
            _ => Ok(()),
        }
    })
}

fn raise(
    py: Python<'_>,
    class: &str,
    message: &str,
    code: &str,
    more: impl FnOnce(&Bound<'_, PyDict>) -> PyResult<()>,
) -> PyErr {
    static MODULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let made = || {
        let module = MODULE.get_or_try_init(py, || {
            py.import("healthfold.errors").map(|module| module.into_any().unbind())
        })?;
        let settings = PyDict::new(py);
        settings.set_item("code", code)?;
        more(&settings)?;
        module.bind(py).getattr(class)?.call((message,), Some(&settings))
    };
    match made() {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

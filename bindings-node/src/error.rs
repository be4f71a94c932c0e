//! How a fault becomes a JavaScript error. It crosses as JSON; `lib/error.js` makes a `HealthfoldError` of it.

use crate::camel;
use healthfold::{Error, Issue, ModelError, QueryError, ReadError, Rejection};
use serde_json::{Value, json};
use std::fmt::Display;

/// Why a call has no answer.
#[derive(Debug)]
pub enum Fault {
    /// The core says so.
    Core(Box<Error>),
    /// With `strict`, the first bad event.
    Strict(Box<Rejection>),
    /// An argument is not what it may be.
    Argument { code: &'static str, field: String, message: String },
    /// The library is at fault.
    Internal(String),
    /// The engine cannot be used now.
    Busy,
    /// Who asked has left.
    Aborted,
}

impl<E: Into<Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Core(Box::new(error.into()))
    }
}

/// Faults whose types the core's own error does not hold.
pub(crate) fn query(error: impl Into<QueryError>) -> Fault {
    Fault::from(error.into())
}

impl Fault {
    pub(crate) fn argument(code: &'static str, field: &str, message: impl Display) -> Self {
        Self::Argument { code, field: field.to_owned(), message: message.to_string() }
    }

    pub(crate) fn value(field: &str, message: impl Display) -> Self {
        Self::argument("bad_value", field, format!("`{}`: {message}", camel::name(field)))
    }

    /// A model whose document cannot even be read: one issue.
    pub(crate) fn document(message: &str) -> Self {
        let issue = Issue { path: String::new(), message: message.to_owned() };
        ModelError { issues: vec![issue] }.into()
    }

    pub(crate) fn read(error: ReadError) -> Self {
        match error {
            // Bytes in memory end early only when the caller wants them to.
            ReadError::Io(_) => Self::Aborted,
            ReadError::Strict(rejection) => Self::Strict(rejection),
        }
    }

    fn told(&self) -> Value {
        match self {
            Self::Core(error) => of_core(error),
            Self::Strict(rejection) => {
                let at = rejection.line.map_or_else(String::new, |line| format!(" at line {line}"));
                let message = format!("event {}{at}: {}", rejection.index, rejection.error);
                json!({
                    "code": rejection.error.code.as_str(), "message": message, "field": rejection.error.field,
                    "index": rejection.index, "line": rejection.line, "offset": rejection.offset,
                })
            }
            Self::Argument { code, field, message } => {
                json!({"code": code, "message": message, "field": camel::name(field)})
            }
            Self::Internal(message) => json!({"code": "internal", "message": message}),
            Self::Busy => json!({
                "code": "busy",
                "message": "the engine is at work for an asynchronous call; await that, or use the asynchronous twin",
            }),
            Self::Aborted => json!({"code": "aborted", "message": "the call was aborted"}),
        }
    }
}

impl From<Fault> for napi::Error {
    fn from(fault: Fault) -> Self {
        Self::from_reason(fault.told().to_string())
    }
}

fn of_core(error: &Error) -> Value {
    let details = error.details();
    // The fields of events are named as on the wire.
    let field = match error {
        Error::Query(_) => error.field().map(camel::name),
        _ => error.field().map(str::to_owned),
    };
    json!({
        "code": error.code(), "message": error.to_string(), "field": field,
        "issues": details.get("issues"), "index": details.get("index"), "details": details,
    })
}

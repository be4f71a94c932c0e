//! The Python binding: convert, call, convert. What the numbers mean is in the core; here is only how they cross.
//!
//! | file | what it knows |
//! |---|---|
//! | `error` | how a fault becomes a Python exception |
//! | `wire` | how a Python object becomes the JSON that the core reads |
//! | `shape`, `results` | how a result of the core becomes an object of its Python class |
//! | `args` | how arguments are read: instants, periods, settings |
//! | `run` | how a call leaves the interpreter: locks, panics, Ctrl-C |
//! | `reader` | how bytes, files and objects are read, with progress |
//! | `arrow` | how record batches reach Python |
//! | `rows` | a list of results whose rows are made when they are looked at |
//! | `model`, `engine` | the two classes |

mod error;
mod wire;
mod shape;
mod results;
mod args;
mod run;
mod reader;
mod arrow;
mod rows;
mod model;
mod engine;

use pyo3::prelude::*;

/// The native half of `healthfold`; use the package.
#[pymodule(gil_used = false)]
fn _healthfold(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<engine::Engine>()?;
    module.add_class::<engine::Watch>()?;
    module.add_class::<model::Model>()?;
    module.add_class::<rows::Rows>()?;
    module.add_function(wrap_pyfunction!(model::model_schema, module)?)?;
    module.add_function(wrap_pyfunction!(model::event_schema, module)?)?;
    module.add_function(wrap_pyfunction!(run::panic_on_purpose, module)?)?;
    module.add_function(wrap_pyfunction!(run::panic_after, module)?)?;
    Ok(())
}

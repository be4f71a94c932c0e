//! x
#![forbid(unsafe_code)]
mod id;
mod quantity;
mod money;
mod time;
pub mod event;
mod ndjson;
mod ledger;
mod timeline;
mod daily;
mod keyed;
mod state;
mod book;
mod score;
mod error;
mod snapshot;
mod engine;
pub use id::*;
pub use quantity::{Quantity, NumberError};
pub use money::*;
pub use time::*;
pub use event::*;
pub use ndjson::*;
pub use engine::*;
pub use error::*;
pub use state::limits::Limits;
pub use score::ModelError;

//! Event-sourced customer health: what happened to clients, read from CloudEvents.
#![forbid(unsafe_code)]

mod id;
mod money;
mod quantity;
mod time;

pub mod event;
mod ndjson;

pub use event::*;
pub use id::*;
pub use money::*;
pub use ndjson::*;
pub use quantity::{NumberError, Quantity};
pub use time::*;

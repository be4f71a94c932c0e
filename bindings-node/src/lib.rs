//! The Node binding: convert, call, convert. What the numbers mean is in the core; here is only how they cross.
//!
//! Everything crosses as JSON text, so that there is one decoder, in the core, and as bytes. The package's own JavaScript
//! (`lib/`) stands in front of this module and is the only one to call it.
//!
//! | file | what it knows |
//! |---|---|
//! | `error` | how a fault becomes a JavaScript error |
//! | `camel` | how the names of results are written as JavaScript writes them |
//! | `run` | how a call runs, at once or on the pool of threads: locks, panics, aborts |
//! | `answer` | what a call comes to: text, bytes, rows that are made when they are looked at |
//! | `args` | how arguments are read: instants, periods, settings |
//! | `model`, `engine`, `watch` | the classes |
//! | `calls/` | every question and change by its name, with its signature in TypeScript |

// Some names are only seen by the macros that export them.
#![allow(
    unreachable_pub,
    missing_docs,
    reason = "what is exported is called by the package's own JavaScript alone"
)]

mod error;
mod camel;
mod run;
mod answer;
mod model;
mod args;
mod engine;
mod watch;
mod calls;

//! The job that is done by healthfold and by what its users would take instead: the log, and healthfold's part. The others
//! are the programs beside this file; docs/performance.md says what the job is.

mod job;
mod log;
mod story;
#[cfg(test)]
mod tests;

pub use job::{
    Answers, Asked, Depth, Fresh, FreshStanding, Movements, Standing, ask, freshen, load, load_tables, model,
    watch,
};
pub use log::{LogSpec, write_log};

//! What an engine is made with.

use crate::state::limits::Limits;
use serde::{Deserialize, Serialize};

/// How repeated events are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dedupe {
    /// Identities are kept until they are sealed.
    #[default]
    Exact,
    /// The log that feeds the engine guarantees each identity once; no memory is spent.
    Upstream,
}

/// What an engine is made with. Engines merge only if theirs are equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The IANA time zone in which days and months are counted.
    pub timezone: String,
    /// How repeated events are told.
    pub dedupe: Dedupe,
    /// How many things a client may have.
    pub limits: Limits,
    /// The key under which ids of erased clients are made. Whoever has it can tell whether an anonymous id stands for an
    /// id they guess, so give a secret one; snapshots hold it.
    pub erasure_key: [u8; 32],
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timezone: "UTC".to_owned(),
            dedupe: Dedupe::Exact,
            limits: Limits::default(),
            erasure_key: [0; 32],
        }
    }
}

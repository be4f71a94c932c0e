//! What became of a batch of events.

use crate::event::EventError;
use crate::id::{EventId, EventRef, SourceId};
use crate::ledger::Admission;
use crate::ndjson::Place;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;

/// How a batch is read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// The `source` of events that state none.
    pub source: Option<SourceId>,
    /// Apply all or nothing: the first bad event stops the batch before anything of it is applied.
    pub strict: bool,
    /// Skip events of unknown types and count them, instead of rejecting them.
    pub skip_unknown: bool,
    /// Every line is an event of its own, such as of a part of a longer log: input that begins with `[` is no list of
    /// events then, its line is bad and costs no other.
    pub one_per_line: bool,
}

/// An event that was not taken, and where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Its number in the batch, from 0.
    pub index: u64,
    /// Its line, from 1; `None` for events that did not come as text.
    pub line: Option<u64>,
    /// The offset of its first byte; `None` for events that did not come as text.
    pub offset: Option<u64>,
    /// What is wrong.
    pub error: EventError,
}

impl Serialize for Rejection {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut row = serializer.serialize_struct("Rejection", 6)?;
        row.serialize_field("index", &self.index)?;
        row.serialize_field("line", &self.line)?;
        row.serialize_field("offset", &self.offset)?;
        row.serialize_field("code", self.error.code.as_str())?;
        row.serialize_field("message", &self.error.message)?;
        row.serialize_field("field", &self.error.field)?;
        row.end()
    }
}

/// An event whose identity is taken by another content; the first stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// Its number in the batch, from 0.
    pub index: u64,
    /// The source of both.
    pub source: SourceId,
    /// The id of both.
    pub id: EventId,
}

/// Where an event of a batch stood.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stood {
    /// In a text.
    In(Place),
    /// In a list, by its number.
    At(u64),
}

impl Stood {
    pub(super) fn index(self) -> u64 {
        match self {
            Self::In(place) => place.index,
            Self::At(index) => index,
        }
    }

    /// The same place where so many events of its text come before those that it was counted from.
    pub(super) fn behind(self, before: u64) -> Self {
        match self {
            Self::In(place) => Self::In(Place { index: place.index + before, ..place }),
            Self::At(index) => Self::At(index + before),
        }
    }

    pub(super) fn rejection(self, error: EventError) -> Rejection {
        match self {
            Self::In(Place { index, line, offset }) => {
                Rejection { index, line: Some(line), offset: Some(offset), error }
            }
            Self::At(index) => Rejection { index, line: None, offset: None, error },
        }
    }
}

/// What became of a batch. Only the first 1 000 rejections and conflicts are listed; all are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Events that are in now and were not before.
    pub applied: u64,
    /// Events that were in already.
    pub duplicates: u64,
    /// Events of unknown types that were skipped because the caller asked for it.
    pub skipped: u64,
    /// What was not taken.
    pub rejected: Vec<Rejection>,
    /// How much was not taken, by code.
    pub rejected_by_code: BTreeMap<&'static str, u64>,
    /// Identities with two contents.
    pub conflicts: Vec<Conflict>,
    /// How many of them.
    pub conflict_count: u64,
}

/// How many rejections and conflicts a batch lists.
const LISTED: usize = 1_000;

impl Applied {
    pub(super) fn reject(&mut self, stood: Stood, error: EventError) {
        *self.rejected_by_code.entry(error.code.as_str()).or_default() += 1;
        if self.rejected.len() < LISTED {
            self.rejected.push(stood.rejection(error));
        }
    }

    /// Notes what became of an event; its identity is looked at for a conflict.
    pub(super) fn note(&mut self, index: u64, admission: Admission, identity: impl FnOnce() -> EventRef) {
        match admission {
            Admission::New => self.applied += 1,
            Admission::Duplicate => self.duplicates += 1,
            Admission::Conflict => {
                self.conflict_count += 1;
                if self.conflicts.len() < LISTED {
                    let EventRef { source, id } = identity();
                    self.conflicts.push(Conflict { index, source, id });
                }
            }
        }
    }

    /// Puts together what became of two parts of a batch.
    #[cfg(all(feature = "arrow", feature = "threads"))]
    pub(super) fn join(mut self, other: Self) -> Self {
        let Self { applied, duplicates, skipped, rejected, rejected_by_code, conflicts, conflict_count } =
            other;
        self.applied += applied;
        self.duplicates += duplicates;
        self.skipped += skipped;
        self.rejected.extend(rejected);
        self.rejected.sort_by_key(|rejection| rejection.index);
        self.rejected.truncate(LISTED);
        for (code, count) in rejected_by_code {
            *self.rejected_by_code.entry(code).or_default() += count;
        }
        self.conflicts.extend(conflicts);
        self.conflicts.sort_by_key(|conflict| conflict.index);
        self.conflicts.truncate(LISTED);
        self.conflict_count += conflict_count;
        self
    }

    /// How many events were not taken.
    pub fn rejected_count(&self) -> u64 {
        self.rejected_by_code.values().sum()
    }
}

/// Why a batch ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The input itself failed; events before that are applied.
    #[error("reading failed: {0}")]
    Io(#[from] io::Error),
    /// In strict mode, the first bad event; nothing is applied.
    #[error("event {}{}: {}", .0.index, at(.0.line), .0.error)]
    Strict(Box<Rejection>),
}

fn at(line: Option<u64>) -> String {
    line.map_or_else(String::new, |line| format!(" at line {line}"))
}

//! Every error of the library under one roof: a type for the compiler, a slug for the program, a sentence for people.
//!
//! Slugs are the same in every language and are never renamed.

use crate::event::EventError;
use crate::id::{ClientId, EventRef};
use crate::money::Currency;
use crate::period::PeriodError;
use crate::signal::params::ModelError;
use crate::time::{Day, Instant, TimeError};
use serde::Serialize;
use serde_json::{Map, Value};

/// A question that has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(untagged)]
#[non_exhaustive]
pub enum QueryError {
    /// No event of this client is in.
    #[error("client `{client}` is unknown")]
    UnknownClient {
        /// Who was asked about.
        client: ClientId,
    },
    /// The client is part of another one.
    #[error("client `{client}` was merged into `{into}`, ask about that one")]
    Merged {
        /// Who was asked about.
        client: ClientId,
        /// Whom to ask about.
        into: ClientId,
    },
    /// Everything personal about the client is gone, and so are answers about it.
    #[error("client `{client}` was erased")]
    Erased {
        /// Who was asked about.
        client: ClientId,
    },
    /// The answer needs detail that a seal gave up.
    #[error("the answer needs detail from before the seal at {before}")]
    Sealed {
        /// The seal.
        before: Instant,
    },
    /// An amount cannot be valued in the reporting currency.
    #[error("there is no rate for {currency} at {date}")]
    MissingRate {
        /// The currency of the amount.
        currency: Currency,
        /// The day at which it was to be valued.
        date: Day,
    },
    /// Not a period.
    #[error(transparent)]
    BadPeriod(#[from] PeriodError),
    /// Not an instant, or not a zone.
    #[error("`{field}`: {0}", field = .0.field())]
    BadTime(#[from] TimeError),
    /// A setting of the question is not what it may be.
    #[error("`{setting}` must be {expected}, found `{found}`")]
    BadSetting {
        /// The setting.
        setting: String,
        /// What is allowed.
        expected: String,
        /// What was found.
        found: String,
    },
    /// Too little data to print a number.
    #[error("{what} needs at least {needed}, found {found}")]
    TooFew {
        /// What was asked for.
        what: &'static str,
        /// How many there must be.
        needed: u64,
        /// How many there are.
        found: u64,
    },
}

impl QueryError {
    /// The stable slug.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownClient { .. } => "unknown_client",
            Self::Merged { .. } => "merged",
            Self::Erased { .. } => "erased",
            Self::Sealed { .. } => "sealed",
            Self::MissingRate { .. } => "missing_rate",
            Self::BadPeriod(_) => "bad_period",
            Self::BadTime(_) => "bad_time",
            Self::BadSetting { .. } => "bad_value",
            Self::TooFew { .. } => "too_few",
        }
    }
}

/// Two engines that cannot become one; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(untagged)]
#[non_exhaustive]
pub enum MergeError {
    /// Their settings or seals differ.
    #[error("the engines differ in {what}")]
    SettingsDiffer {
        /// In which setting.
        what: &'static str,
    },
    /// One identity has two contents.
    #[error("{count} events are in both engines with other content, first {}", names(.events))]
    ConflictingEvent {
        /// How many.
        count: u64,
        /// Up to 20 of them.
        events: Vec<MergeClash>,
    },
    /// Counted or measured usage is in both; a sum cannot tell what both hold. Rebuild from the log.
    #[error("{count} usage events are in both engines, first {}; rebuild from the log", names(.events))]
    Overlapping {
        /// How many; 0 where identities are not kept.
        count: u64,
        /// Up to 20 of them.
        events: Vec<MergeClash>,
    },
    /// Under `upstream` nobody can tell what both hold, so the caller must say that nothing is.
    #[error("engines that keep no identities merge only when the caller says that their events are disjoint")]
    NotSaidDisjoint,
}

impl MergeError {
    /// The stable slug.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SettingsDiffer { .. } => "settings_differ",
            Self::ConflictingEvent { .. } => "conflicting_event",
            Self::Overlapping { .. } | Self::NotSaidDisjoint => "overlapping",
        }
    }
}

/// An identity that does not let two engines merge.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct MergeClash {
    /// The event, where its source and id are kept: usage events are known by their hash alone.
    pub event: Option<EventRef>,
    /// The hash of its identity.
    pub hash: String,
}

fn names(events: &[MergeClash]) -> String {
    let name = |clash: &MergeClash| match &clash.event {
        Some(event) => format!("`{}` of `{}`", event.id, event.source),
        None => format!("the one with identity hash {}", clash.hash),
    };
    events.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Bytes that are no snapshot this version can open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(untagged)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Cut short, altered, or never a snapshot.
    #[error("the snapshot is corrupt: {what}")]
    Corrupt {
        /// What gave it away.
        what: String,
    },
    /// Made by a newer version.
    #[error("the snapshot has format {found}, this version reads up to {newest}")]
    Newer {
        /// Its format.
        found: u16,
        /// The newest this version reads.
        newest: u16,
    },
    /// Made by a version so old that it is no longer read.
    #[error("the snapshot has format {found}, this version reads from {oldest} on")]
    Older {
        /// Its format.
        found: u16,
        /// The oldest this version reads.
        oldest: u16,
    },
}

impl SnapshotError {
    /// The stable slug.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Corrupt { .. } => "corrupt_snapshot",
            Self::Newer { .. } => "newer_snapshot",
            Self::Older { .. } => "older_snapshot",
        }
    }
}

/// A seal that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("the engine is sealed before {sealed}, a seal cannot move back to {asked}")]
pub struct SealError {
    /// Where the seal is.
    pub sealed: Instant,
    /// Where it was to go.
    pub asked: Instant,
}

/// What is wrong with the mapping of a table's columns to the fields of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TableFault {
    /// The events of this type have no such field.
    UnknownField,
    /// The table has no such column, or several of the name.
    UnknownColumn,
    /// A field that must be there has neither a column nor a constant.
    MissingColumn,
    /// The column holds what the field does not take.
    WrongColumn,
    /// The column holds binary floats and the field takes money.
    FloatMoney,
    /// The column holds times without a zone, and no zone is stated.
    NaiveTime,
    /// The stated zone is none.
    UnknownZone,
}

impl TableFault {
    /// The slug.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownField => "unknown_field",
            Self::UnknownColumn => "unknown_column",
            Self::MissingColumn => "missing_column",
            Self::WrongColumn => "wrong_column",
            Self::FloatMoney => "float_money",
            Self::NaiveTime => "naive_time",
            Self::UnknownZone => "unknown_zone",
        }
    }
}

/// One fault of the mapping of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableIssue {
    /// The stable slug.
    pub code: TableFault,
    /// The field or setting, such as `data.amount`.
    pub field: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl serde::Serialize for TableIssue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut issue = serializer.serialize_struct("TableIssue", 3)?;
        issue.serialize_field("code", self.code.as_str())?;
        issue.serialize_field("field", &self.field)?;
        issue.serialize_field("message", &self.message)?;
        issue.end()
    }
}

/// A table that was not taken in, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(untagged)]
#[non_exhaustive]
pub enum TableError {
    /// The columns do not make events of the type; nothing was applied.
    #[error("{}", issue_list(.issues))]
    Invalid {
        /// All faults.
        issues: Vec<TableIssue>,
    },
    /// The table itself failed; rows before that are applied, unless in strict mode.
    #[error("the table cannot be read: {what}")]
    Unreadable {
        /// What failed.
        what: String,
    },
    /// In strict mode, the first bad row; nothing is applied.
    #[error("row {index}: {error}")]
    Strict {
        /// The number of the row, from 0.
        index: u64,
        /// What is wrong.
        error: EventError,
    },
}

impl TableError {
    /// The stable slug.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid_table",
            Self::Unreadable { .. } => "unreadable_table",
            Self::Strict { error, .. } => error.code.as_str(),
        }
    }
}

fn issue_list(issues: &[TableIssue]) -> String {
    issues.iter().map(|issue| format!("`{}` {}", issue.field, issue.message)).collect::<Vec<_>>().join("; ")
}

/// Any error of the library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Error {
    /// An event that was not taken.
    #[error(transparent)]
    Event(#[from] EventError),
    /// A model with faults.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A question without an answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Engines that do not merge.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// A seal that cannot be.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Bytes that are no snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A table that was not taken in.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Error {
    /// The stable slug.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Event(error) => error.code.as_str(),
            Self::Model(_) => "invalid_model",
            Self::Query(error) => error.code(),
            Self::Merge(error) => error.code(),
            Self::Seal(_) => "seal_backwards",
            Self::Snapshot(error) => error.code(),
            Self::Table(error) => error.code(),
        }
    }

    /// The field, the setting or the argument that is meant, where one is.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Event(error) | Self::Table(TableError::Strict { error, .. }) => error.field.as_deref(),
            Self::Query(QueryError::BadSetting { setting, .. }) => Some(setting),
            Self::Query(QueryError::BadTime(error)) => Some(error.field()),
            Self::Query(QueryError::BadPeriod(_)) => Some("period"),
            _ => None,
        }
    }

    /// What the message is made of, by name, for programs: who was asked about, what was found and what is allowed. The
    /// members of each kind of error are the fields of its Rust type.
    ///
    /// ```
    /// use healthfold::{Engine, Error, Model, Settings};
    /// let engine = Engine::new(Settings::default())?;
    /// let nobody = engine.score(&"acme".into(), &Model::default(), "2026-01-31T00:00:00Z".parse()?).unwrap_err();
    /// assert_eq!(Error::from(nobody).details()["client"], "acme");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn details(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(details)) => details,
            // Nothing more than its code says.
            _ => Map::new(),
        }
    }
}

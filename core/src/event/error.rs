//! Why an event is not taken.

use std::fmt;

/// Why an event was not taken; the slug is stable and the same in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventCode {
    /// Not JSON, a name twice in an object, or text that is no Unicode.
    MalformedJson,
    /// A required field is not there.
    MissingField,
    /// Another JSON type than the field has.
    WrongType,
    /// A form or a member that the field does not allow.
    BadValue,
    /// Not a time with an offset, or outside 1970 to 2199.
    BadTime,
    /// A number beyond its limits or digits.
    OutOfRange,
    /// An id without a character.
    EmptyId,
    /// A line, an id or a text beyond its length.
    TooLong,
    /// A type that is not in the list.
    UnknownType,
    /// A retraction of something that cannot be taken back.
    NotRetractable,
    /// The identity is taken by an event with other content.
    ConflictingEvent,
    /// The event is from before the seal.
    BeforeSeal,
    /// Nested too deep, or one thing more than a client may have.
    LimitExceeded,
}

impl EventCode {
    /// Every code.
    pub const ALL: &'static [Self] = &[
        Self::MalformedJson,
        Self::MissingField,
        Self::WrongType,
        Self::BadValue,
        Self::BadTime,
        Self::OutOfRange,
        Self::EmptyId,
        Self::TooLong,
        Self::UnknownType,
        Self::NotRetractable,
        Self::ConflictingEvent,
        Self::BeforeSeal,
        Self::LimitExceeded,
    ];

    /// The slug.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::BadValue => "bad_value",
            Self::BadTime => "bad_time",
            Self::OutOfRange => "out_of_range",
            Self::EmptyId => "empty_id",
            Self::TooLong => "too_long",
            Self::UnknownType => "unknown_type",
            Self::NotRetractable => "not_retractable",
            Self::ConflictingEvent => "conflicting_event",
            Self::BeforeSeal => "before_seal",
            Self::LimitExceeded => "limit_exceeded",
        }
    }
}

impl fmt::Display for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for EventCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// An event that was not taken: what is wrong, in which field, what was found and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[error("{message}")]
pub struct EventError {
    /// The stable slug.
    pub code: EventCode,
    /// The field, such as `time` or `data.count`; `None` where the whole event is meant.
    pub field: Option<String>,
    /// For people.
    pub message: String,
}

impl EventError {
    pub(crate) fn new(code: EventCode, field: String, expected: &str, found: Option<&str>) -> Self {
        let message = match found {
            Some(found) => format!("`{field}` must be {expected}, found {}", quoted(found)),
            None => format!("`{field}` is missing, it must be {expected}"),
        };
        Self { code, field: Some(field), message }
    }

    pub(crate) fn whole(code: EventCode, message: impl Into<String>) -> Self {
        Self { code, field: None, message: message.into() }
    }
}

/// What was found, in backticks, short enough to read and on one line.
fn quoted(found: &str) -> String {
    const SHOWN: usize = 60;
    let shown: String =
        found.chars().take(SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let more = if found.chars().nth(SHOWN).is_some() { "…" } else { "" };
    format!("`{shown}{more}`")
}

//! One line of a log, decoded: usage, which most lines tell, as a view of the line; everything else as an event.

use super::usage::{Counted, Measured};
use super::{Event, EventData, EventError};
use crate::id::SourceId;
use crate::quantity::Quantity;
use crate::time::Instant;

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Decoded<'a> {
    Usage(UsageRef<'a>),
    Other(Box<Event>),
}

/// A usage event as its line has it: `usage.counted` or `usage.measured`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct UsageRef<'a> {
    pub(crate) id: &'a str,
    pub(crate) source: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) time: Instant,
    pub(crate) sequence: i64,
    pub(crate) recorded: Option<Instant>,
    pub(crate) kind: UsageKind,
    pub(crate) metric: &'a str,
    /// The count, or the sample.
    pub(crate) quantity: Quantity,
    pub(crate) user: Option<&'a str>,
}

/// What a [`UsageRef`] tells of its metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UsageKind {
    Counted,
    Measured,
}

impl Decoded<'_> {
    pub(crate) fn into_event(self) -> Event {
        match self {
            Self::Usage(usage) => usage.to_event(),
            Self::Other(event) => *event,
        }
    }
}

impl UsageRef<'_> {
    pub(crate) fn to_event(self) -> Event {
        let Self { id, source, subject, time, sequence, recorded, kind, metric, quantity, user } = self;
        let (metric, user) = (metric.into(), user.map(Into::into));
        let data = match kind {
            UsageKind::Counted => EventData::UsageCounted(Counted { metric, count: quantity, user }),
            UsageKind::Measured => EventData::UsageMeasured(Measured { metric, value: quantity, user }),
        };
        Event {
            id: id.into(),
            source: source.into(),
            subject: subject.into(),
            time,
            sequence,
            recorded,
            data,
        }
    }
}

/// Decodes a line: what [`Event::from_json_of`] gives, but usage stays a view of the line.
///
/// # Errors
/// Those of [`Event::from_json_of`].
pub(crate) fn decode_line<'a>(
    line: &'a [u8],
    source: Option<&'a SourceId>,
) -> Result<Decoded<'a>, EventError> {
    Event::from_json_of(line, source).map(|event| Decoded::Other(Box::new(event)))
}

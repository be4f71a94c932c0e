//! An event by reference: what takes events in reads them, and keeps little of them as it stands.

use super::{Event, EventData, EventKind};
use crate::id::{EventId, EventRef, SourceId};
use crate::time::Instant;

/// What counts of an [`Event`], of which nothing is owned: a row of a table names its client and its source without a copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BorrowedEvent<'a> {
    pub(crate) id: &'a str,
    pub(crate) source: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) time: Instant,
    pub(crate) sequence: i64,
    pub(crate) data: &'a EventData,
}

/// What an event says beside its `data`, as a row of a table has it.
#[cfg(feature = "arrow")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) id: &'a str,
    pub(crate) source: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) time: Instant,
    pub(crate) sequence: i64,
    pub(crate) recorded: Option<Instant>,
}

#[cfg(feature = "arrow")]
impl<'a> Envelope<'a> {
    /// The event with this `data`.
    pub(crate) fn with(self, data: &'a EventData) -> BorrowedEvent<'a> {
        let Self { id, source, subject, time, sequence, recorded: _ } = self;
        BorrowedEvent { id, source, subject, time, sequence, data }
    }

    /// The same, with names of its own.
    pub(crate) fn event(self, data: EventData) -> Event {
        let Self { id, source, subject, time, sequence, recorded } = self;
        let (id, source, subject) = (id.into(), source.into(), subject.into());
        Event { id, source, subject, time, sequence, recorded, data }
    }
}

/// Where an event stands. Who goes through many of them asks most for little, so that it is borrowed only when it is taken in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Standing<'a> {
    Whole(&'a Event),
    #[cfg(feature = "arrow")]
    InRow(&'a Envelope<'a>, &'a EventData),
}

impl<'a> Standing<'a> {
    #[inline]
    pub(crate) fn borrowed(self) -> BorrowedEvent<'a> {
        match self {
            Self::Whole(event) => event.borrowed(),
            #[cfg(feature = "arrow")]
            Self::InRow(envelope, data) => envelope.with(data),
        }
    }

    #[cfg(feature = "arrow")]
    pub(crate) fn to_event(self) -> Event {
        match self {
            Self::Whole(event) => event.clone(),
            Self::InRow(envelope, data) => envelope.event(data.clone()),
        }
    }

    pub(crate) fn data(self) -> &'a EventData {
        match self {
            Self::Whole(event) => &event.data,
            #[cfg(feature = "arrow")]
            Self::InRow(_, data) => data,
        }
    }

    pub(crate) fn subject(self) -> &'a str {
        match self {
            Self::Whole(event) => event.subject.as_str(),
            #[cfg(feature = "arrow")]
            Self::InRow(envelope, _) => envelope.subject,
        }
    }
}

impl BorrowedEvent<'_> {
    pub(crate) fn kind(&self) -> EventKind {
        self.data.kind()
    }

    pub(crate) fn identity(&self) -> EventRef {
        EventRef { source: SourceId::new(self.source), id: EventId::new(self.id) }
    }
}

impl Event {
    pub(crate) fn borrowed(&self) -> BorrowedEvent<'_> {
        let Self { id, source, subject, time, sequence, recorded: _, data } = self;
        BorrowedEvent {
            id: id.as_str(),
            source: source.as_str(),
            subject: subject.as_str(),
            time: *time,
            sequence: *sequence,
            data,
        }
    }
}

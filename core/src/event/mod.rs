//! What happened: events, the one list of their types, and how they are read.
//!
//! An [`Event`] is decoded once, at the door, by [`Event::from_json`]; behind the door nothing can be malformed any
//! more. The wire form is CloudEvents 1.0 JSON.

pub mod billing;
pub(crate) mod borrowed;
pub mod client;
#[cfg(feature = "arrow")]
pub(crate) mod counted;
mod error;
pub(crate) mod fields;
pub(crate) mod numbers;
mod unread;
pub(crate) mod line;
pub(crate) mod members;
mod scan;
mod schema;
#[cfg(feature = "arrow")]
pub(crate) mod span;
pub mod support;
pub mod usage;
pub(crate) mod values;
pub(crate) mod wire;

pub use error::{EventCode, EventError};
pub use fields::FieldSpec;
pub use numbers::{Count, Grade, Moment, Percent, Price};
pub use values::{Attribute, Named, Patch, Restated, SetOf};

use crate::id::{ClientId, EventId, EventRef, SourceId};
use crate::time::Instant;
use fields::{Field, Fields, ObjectWriter, Payload};
use members::Members;
use serde::{Deserialize, Serialize};
use std::fmt;
use wire::{Fault, FaultParts, Value};

/// The longest line or event, in bytes.
pub const MAX_LINE: usize = 1 << 20;
/// The deepest nesting of objects and lists in an event.
pub const MAX_DEPTH: usize = 64;

/// Declares the one list of event types.
macro_rules! event_kinds {
    ($($(#[doc = $doc:literal])* $variant:ident($payload:ty)),+ $(,)?) => {
        /// The type of an event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum EventKind { $($(#[doc = $doc])* $variant),+ }

        /// What an event says: its type and the members of its `data`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub enum EventData { $($(#[doc = $doc])* $variant($payload)),+ }

        impl EventKind {
            /// Every type, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name on the wire, such as `usage.counted`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => <$payload as Payload>::KIND),+ }
            }

            /// The type of a name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
            }

            /// The fields of `data`, for references and schemas.
            pub fn fields(self) -> Vec<FieldSpec> {
                match self { $(Self::$variant => <$payload as Payload>::specs()),+ }
            }

            pub(crate) fn decode(self, fields: &Fields<'_>) -> Result<EventData, EventError> {
                match self { $(Self::$variant => <$payload as Payload>::decode(fields).map(EventData::$variant)),+ }
            }

            /// Reads the `data` of these rows.
            #[cfg(feature = "arrow")]
            pub(crate) fn decode_span(
                self,
                fields: &dyn span::SpanFields,
                rows: &[usize],
                sink: &mut impl span::RowSink,
            ) {
                match self {
                    $(Self::$variant => <$payload as Payload>::decode_span(fields, rows, EventData::$variant, sink)),+
                }
            }
        }

        impl EventData {
            /// The type.
            pub fn kind(&self) -> EventKind {
                match self { $(Self::$variant(_) => EventKind::$variant),+ }
            }

            fn to_json(&self) -> serde_json::Value {
                match self { $(Self::$variant(payload) => payload.to_json()),+ }
            }

            pub(crate) fn write_json(&self, out: &mut String) {
                match self { $(Self::$variant(payload) => payload.write_json(out)),+ }
            }
        }

        $(impl From<$payload> for EventData {
            fn from(payload: $payload) -> Self {
                Self::$variant(payload)
            }
        })+
    };
}

event_kinds! {
    /// A metric was used.
    UsageCounted(usage::Counted),
    /// A gauge was read.
    UsageMeasured(usage::Measured),
    /// A roll-up of one day.
    UsageDaySet(usage::DaySet),
    /// A ticket was opened.
    TicketOpened(support::TicketOpened),
    /// Somebody replied in a ticket.
    TicketReplied(support::TicketReplied),
    /// A ticket's priority or topic changed.
    TicketUpdated(support::TicketUpdated),
    /// A ticket was resolved.
    TicketResolved(support::TicketResolved),
    /// A ticket was reopened.
    TicketReopened(support::TicketReopened),
    /// A ticket was rated.
    TicketRated(support::TicketRated),
    /// An incident began.
    IncidentStarted(support::IncidentStarted),
    /// An incident ended.
    IncidentEnded(support::IncidentEnded),
    /// The new state of a subscription.
    SubscriptionSet(billing::SubscriptionSet),
    /// An invoice was issued.
    InvoiceIssued(billing::InvoiceIssued),
    /// An invoice was paid.
    InvoicePaid(billing::InvoicePaid),
    /// An invoice was declared void.
    InvoiceVoided(billing::InvoiceVoided),
    /// A payment did not go through.
    PaymentFailed(billing::PaymentFailed),
    /// A one-off purchase.
    Charged(billing::Charged),
    /// Money was paid back.
    Refunded(billing::Refunded),
    /// How much of a metric a month includes.
    QuotaSet(billing::QuotaSet),
    /// Instalments were agreed.
    PaymentPlanSet(billing::PaymentPlanSet),
    /// What is stated about a client.
    ClientSet(client::Set),
    /// How the client feels.
    SentimentSet(client::SentimentSet),
    /// An answer to the NPS question.
    NpsAnswered(client::NpsAnswered),
    /// Somebody was contacted.
    Contacted(client::Contacted),
    /// A milestone was reached.
    MilestoneReached(client::MilestoneReached),
    /// What is stated about a contact person.
    ContactSet(client::ContactSet),
    /// The score is overridden.
    OverrideSet(client::OverrideSet),
    /// Why the client left.
    ChurnReasonSet(client::ChurnReasonSet),
    /// The client is part of another one.
    MergedInto(client::MergedInto),
    /// Everything personal goes.
    ClientErased(client::Erased),
    /// An event is taken back.
    Retracted(client::Retracted),
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that happened to one client.
///
/// ```
/// use healthfold::Event;
/// let event = Event::from_json(br#"{"id":"e-1","source":"app","type":"usage.counted","subject":"acme",
///     "time":"2026-01-05T10:00:00Z","data":{"metric":"reports","count":"0.1"}}"#)?;
/// assert_eq!(event.subject.as_str(), "acme");
/// assert_eq!(event.kind().as_str(), "usage.counted");
/// # Ok::<(), healthfold::EventError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The id within the source.
    pub id: EventId,
    /// The system that produced it.
    pub source: SourceId,
    /// The client.
    pub subject: ClientId,
    /// When it happened.
    pub time: Instant,
    /// Orders events of one instant; 0 where nothing is stated.
    pub sequence: i64,
    /// When the producer learnt of it, where that is stated.
    pub recorded: Option<Instant>,
    /// What happened.
    pub data: EventData,
}

impl Event {
    /// Reads one event in CloudEvents JSON.
    ///
    /// # Errors
    /// An [`EventError`] that names the field, what was found and what is allowed.
    pub fn from_json(json: &[u8]) -> Result<Self, EventError> {
        Self::from_json_of(json, None)
    }

    /// As [`Event::from_json`], with a `source` for events that state none.
    ///
    /// # Errors
    /// An [`EventError`] that names the field, what was found and what is allowed.
    pub fn from_json_of(json: &[u8], source: Option<&SourceId>) -> Result<Self, EventError> {
        if json.len() > MAX_LINE {
            return Err(too_long(json.len()));
        }
        let text = std::str::from_utf8(json).map_err(|error| {
            EventError::whole(EventCode::MalformedJson, format!("an event must be UTF-8: {error}"))
        })?;
        // An event without fault is read in one pass; the careful way alone says what is wrong with another.
        line::sound(text, source)
            .map_or_else(|| Self::read_carefully(text, source), |read| Ok(read.into_event()))
    }

    /// Reads one event of any JSON; what is wrong with it is said here.
    fn read_carefully(text: &str, source: Option<&SourceId>) -> Result<Self, EventError> {
        if text.len() > MAX_LINE {
            return Err(too_long(text.len()));
        }
        check_depth(text)?;
        let members = Members::parse(text).map_err(|fault| {
            let FaultParts { code, expected, inner, .. } = fault.parts();
            EventError { code, field: inner, message: format!("an event must be a JSON object: {expected}") }
        })?;
        let event = Self::from_members(Fields::new(members, ""), source)?;
        unread::look_over(text)?;
        Ok(event)
    }

    fn from_members(envelope: Fields<'_>, default_source: Option<&SourceId>) -> Result<Self, EventError> {
        let head = Head::read(&envelope, None, default_source)?;
        let data = match envelope.find("data") {
            Some(Value::Json(text)) => Members::parse(text),
            Some(_) => Err(Fault::new(EventCode::WrongType, "an object")),
            None if head.kind == EventKind::ClientErased => Ok(Members::with_room_for(0)),
            None => Err(Fault::new(EventCode::MissingField, "an object")),
        };
        let data = data.map_err(|fault| envelope.error("data", envelope.find("data"), fault))?;
        head.with(&Fields::of_data(data))
    }

    /// The event of a row: the members beside `type` and `data`, and the fields of `data`.
    #[cfg(feature = "arrow")]
    pub(crate) fn from_row(
        kind: EventKind,
        envelope: Members<'_>,
        data: &Fields<'_>,
    ) -> Result<Self, EventError> {
        Head::read(&Fields::new(envelope, ""), Some(kind), None)?.with(data)
    }

    /// The type.
    pub fn kind(&self) -> EventKind {
        self.data.kind()
    }

    /// The identity.
    pub fn identity(&self) -> EventRef {
        EventRef { source: self.source.clone(), id: self.id.clone() }
    }

    /// The event in CloudEvents JSON, for looking at and for tests. Attributes that are numbers of more than 15 digits
    /// come out as the nearest binary number, which is all that a [`serde_json::Value`] holds; [`Event::to_line`] is
    /// exact.
    pub fn to_json(&self) -> serde_json::Value {
        let members = self.envelope().into_iter().map(|(name, value)| (name.to_owned(), value));
        let mut event: serde_json::Map<_, _> = members.collect();
        event.insert("data".to_owned(), self.data.to_json());
        event.into()
    }

    /// The event as one line of NDJSON, without its end, that reads back as the same event.
    pub fn to_line(&self) -> String {
        let mut line = String::new();
        let mut members = ObjectWriter::new(&mut line);
        for (name, value) in self.envelope() {
            members.member(name, |out| out.push_str(&value.to_string()));
        }
        members.member("data", |out| self.data.write_json(out));
        members.end();
        line
    }

    /// The members beside `data`.
    fn envelope(&self) -> Vec<(&'static str, serde_json::Value)> {
        let mut members = vec![
            ("specversion", "1.0".into()),
            ("id", self.id.as_str().into()),
            ("source", self.source.as_str().into()),
            ("type", self.kind().as_str().into()),
            ("subject", self.subject.as_str().into()),
            ("time", self.time.to_string().into()),
        ];
        if self.sequence != 0 {
            members.push(("sequence", self.sequence.into()));
        }
        if let Some(recorded) = self.recorded {
            members.push(("recordedtime", recorded.to_string().into()));
        }
        members
    }
}

/// What an event says beside its `data`.
struct Head {
    id: EventId,
    source: SourceId,
    kind: EventKind,
    subject: ClientId,
    time: Instant,
    sequence: i64,
    recorded: Option<Instant>,
}

impl Head {
    /// `known` is the type where the envelope does not say it.
    fn read(
        envelope: &Fields<'_>,
        known: Option<EventKind>,
        default_source: Option<&SourceId>,
    ) -> Result<Self, EventError> {
        if let Some(version) = envelope.find("specversion") {
            let known = version.string("`1.0` as text").and_then(|text| {
                (text == "1.0").then_some(()).ok_or_else(|| Fault::new(EventCode::BadValue, "`1.0` as text"))
            });
            known.map_err(|fault| envelope.error("specversion", Some(version), fault))?;
        }
        let id = envelope.required("id")?;
        let source = match (envelope.find("source"), default_source) {
            (None, Some(source)) => {
                let given = Value::Text(source.as_str());
                SourceId::read(given).map_err(|fault| envelope.error("source", Some(given), fault))?
            }
            _ => envelope.required("source")?,
        };
        let kind = known.map_or_else(|| kind_of(envelope), Ok)?;
        let subject = envelope.required("subject")?;
        let time = envelope.required("time")?;
        let stated = |name| envelope.find(name).is_some_and(|value| !value.is_null());
        let sequence = if stated("sequence") { envelope.required("sequence")? } else { 0 };
        let recorded =
            if stated("recordedtime") { envelope.required("recordedtime").map(Some)? } else { None };
        Ok(Self { id, source, kind, subject, time, sequence, recorded })
    }

    fn with(self, data: &Fields<'_>) -> Result<Event, EventError> {
        let Self { id, source, kind, subject, time, sequence, recorded } = self;
        let data = kind.decode(data)?;
        Ok(Event { id, source, subject, time, sequence, recorded, data })
    }
}

fn kind_of(envelope: &Fields<'_>) -> Result<EventKind, EventError> {
    let name: crate::id::Text = envelope.required("type")?;
    EventKind::parse(name.as_str()).ok_or_else(|| {
        let nearest =
            nearest_kind(name.as_str()).map(|kind| format!("; did you mean `{kind}`?")).unwrap_or_default();
        let expected = format!("a known event type{nearest}");
        envelope.error("type", envelope.find("type"), Fault::new(EventCode::UnknownType, expected))
    })
}

/// A type that differs from the name only in its family or in case, for the hint.
fn nearest_kind(name: &str) -> Option<EventKind> {
    let lower = name.chars().take(64).collect::<String>().to_lowercase();
    let last = lower.rsplit(['.', '/']).next().unwrap_or_default();
    EventKind::ALL
        .iter()
        .copied()
        .find(|kind| kind.as_str() == lower || kind.as_str().rsplit('.').next() == Some(last))
}

fn too_long(bytes: usize) -> EventError {
    EventError::whole(EventCode::TooLong, format!("an event must be at most {MAX_LINE} bytes, found {bytes}"))
}

/// Refuses what is nested deeper than [`MAX_DEPTH`], before anything walks into it.
fn check_depth(text: &str) -> Result<(), EventError> {
    // Most lines hold fewer brackets than that in all, which a plain count shows at the speed of memory.
    if text.bytes().filter(|b| matches!(b, b'{' | b'[')).count() <= MAX_DEPTH {
        return Ok(());
    }
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > MAX_DEPTH {
                    let message = format!("an event must be nested at most {MAX_DEPTH} deep");
                    return Err(EventError::whole(EventCode::LimitExceeded, message));
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! One line of a log, decoded: usage, which most lines tell, as a view of the line; everything else as an event.

use super::borrowed::Standing;
use super::fields::{Fields, MAX_ID, MAX_TEXT};
use super::members::Members;
use super::scan::{Names, Scan};
use super::usage::{Counted, Measured};
use super::wire::Value;
use super::{Event, EventData, EventError, EventKind, MAX_LINE};
use crate::id::{EventRef, SourceId, UserId};
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

/// An event to look at: most are usage.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EventView<'a> {
    /// Usage that adds up, as a view of what it was read from.
    Usage(&'a UsageRef<'a>),
    /// Everything else.
    Other(Standing<'a>),
}

impl EventView<'_> {
    #[cfg(feature = "arrow")]
    pub(crate) fn to_event(self) -> Event {
        match self {
            Self::Usage(usage) => usage.to_event(),
            Self::Other(event) => event.to_event(),
        }
    }

    pub(crate) fn identity(self) -> EventRef {
        match self {
            Self::Usage(usage) => EventRef { source: usage.source.into(), id: usage.id.into() },
            Self::Other(event) => event.borrowed().identity(),
        }
    }
}

impl<'a> EventView<'a> {
    #[cfg(feature = "arrow")]
    pub(crate) fn source(self) -> &'a str {
        match self {
            Self::Usage(usage) => usage.source,
            Self::Other(event) => event.borrowed().source,
        }
    }
}

/// What a [`UsageRef`] tells of its metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UsageKind {
    Counted,
    Measured,
}

impl Decoded<'_> {
    fn of(event: Event) -> Self {
        Self::Other(Box::new(event))
    }

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

impl Event {
    /// The event by reference, if it is usage that adds up.
    pub(crate) fn usage(&self) -> Option<UsageRef<'_>> {
        let (kind, metric, quantity, user) = if let EventData::UsageCounted(data) = &self.data {
            (UsageKind::Counted, &data.metric, data.count, &data.user)
        } else if let EventData::UsageMeasured(data) = &self.data {
            (UsageKind::Measured, &data.metric, data.value, &data.user)
        } else {
            return None;
        };
        let (metric, user) = (metric.as_str(), user.as_ref().map(UserId::as_str));
        let Self { time, sequence, recorded, .. } = *self;
        let (id, source, subject) = (self.id.as_str(), self.source.as_str(), self.subject.as_str());
        Some(UsageRef { id, source, subject, time, sequence, recorded, kind, metric, quantity, user })
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
    match std::str::from_utf8(line) {
        Ok(text) => decode_text(text, source),
        Err(_) => Event::from_json_of(line, source).map(Decoded::of),
    }
}

/// As [`decode_line`], for a line that is known to be UTF-8.
///
/// # Errors
/// Those of [`Event::from_json_of`].
pub(crate) fn decode_text<'a>(
    line: &'a str,
    source: Option<&'a SourceId>,
) -> Result<Decoded<'a>, EventError> {
    sound(line, source).map_or_else(|| Event::read_carefully(line, source).map(Decoded::of), Ok)
}

/// The event that a line is, read in one pass; `None` where anything about it needs more care.
pub(super) fn sound<'a>(line: &'a str, given: Option<&'a SourceId>) -> Option<Decoded<'a>> {
    if line.len() > MAX_LINE {
        return None;
    }
    let mut scan = Scan::new(line);
    let (mut id, mut source, mut kind, mut subject, mut time) = (None, None, None, None, None);
    let (mut version, mut sequence, mut recorded, mut data) = (None, None, None, None);
    let mut unknown = Names::default();
    // A name with a blank or an escape behind it is not known here.
    scan.each_member(1, |scan| match scan.first() {
        b'i' if scan.pass(b"id\":") => once(&mut id, scan.id(MAX_ID)?),
        b's' if scan.pass(b"source\":") => once(&mut source, scan.id(MAX_ID)?),
        b't' if scan.pass(b"type\":") => once(&mut kind, EventKind::parse(scan.id(MAX_ID)?)?),
        b's' if scan.pass(b"subject\":") => once(&mut subject, scan.id(MAX_ID)?),
        b't' if scan.pass(b"time\":") => once(&mut time, scan.instant()?),
        b'd' if scan.pass(b"data\":") => once(&mut data, Data::scan(scan, kind)?),
        b's' if scan.pass(b"specversion\":") => once(&mut version, scan.id(MAX_ID).filter(|v| *v == "1.0")?),
        b's' if scan.pass(b"sequence\":") => once(&mut sequence, whole(scan.value(1)?)?),
        b'r' if scan.pass(b"recordedtime\":") => once(&mut recorded, scan.instant()?),
        _ => pass_over(&mut unknown, scan, 1, &ENVELOPE),
    })?;
    scan.end()?;
    let kind = kind?;
    let data = match data? {
        // What it says follows from its type, which came behind it.
        Data::Unread(mut scan) => Data::scan(&mut scan, Some(kind))?,
        read => read,
    };
    let (id, subject, time, sequence) = (id?, subject?, time?, sequence.unwrap_or(0));
    // One that is given for a whole call is held to the same limits.
    let fits = |source: &&str| (1..=MAX_ID).contains(&source.len()) && !source.as_bytes().contains(&0);
    let source = source.or(given.map(SourceId::as_str).filter(fits))?;
    match data {
        Data::Usage(UsageData { metric, count, value, user }) => {
            let (kind, quantity) = match usage_kind(kind)? {
                UsageKind::Counted => (UsageKind::Counted, count.unwrap_or(Quantity::ONE)),
                UsageKind::Measured => (UsageKind::Measured, value?),
            };
            let (metric, user) = (metric?, user.flatten());
            let usage =
                UsageRef { id, source, subject, time, sequence, recorded, kind, metric, quantity, user };
            Some(Decoded::Usage(usage))
        }
        Data::Other(members) => {
            let data = kind.decode(&Fields::of_data(members)).ok()?;
            let (id, source, subject) = (id.into(), source.into(), subject.into());
            Some(Decoded::of(Event { id, source, subject, time, sequence, recorded, data }))
        }
        Data::Unread(_) => None,
    }
}

/// The members beside `data` that are read.
const ENVELOPE: [&str; 9] =
    ["id", "source", "type", "subject", "time", "data", "specversion", "sequence", "recordedtime"];
const DATA: [&str; 4] = ["metric", "count", "value", "user"];

/// What an event says, as far as it is read.
enum Data<'a> {
    Usage(UsageData<'a>),
    Other(Members<'a>),
    /// It begins here.
    Unread(Scan<'a>),
}

impl<'a> Data<'a> {
    #[inline]
    fn scan(scan: &mut Scan<'a>, kind: Option<EventKind>) -> Option<Self> {
        match kind {
            Some(kind) if usage_kind(kind).is_some() => UsageData::scan(scan).map(Self::Usage),
            Some(_) => Members::scan_next(scan, 2).map(Self::Other),
            None => {
                let here = scan.clone();
                scan.value(1)?;
                Some(Self::Unread(here))
            }
        }
    }
}

fn usage_kind(kind: EventKind) -> Option<UsageKind> {
    if kind == EventKind::UsageCounted {
        Some(UsageKind::Counted)
    } else if kind == EventKind::UsageMeasured {
        Some(UsageKind::Measured)
    } else {
        None
    }
}

/// The members that the `data` of usage can have.
#[derive(Default)]
struct UsageData<'a> {
    metric: Option<&'a str>,
    count: Option<Quantity>,
    value: Option<Quantity>,
    user: Option<Option<&'a str>>,
}

impl<'a> UsageData<'a> {
    #[inline]
    fn scan(scan: &mut Scan<'a>) -> Option<Self> {
        let mut data = Self::default();
        let mut unknown = Names::default();
        scan.each_member(2, |scan| match scan.first() {
            b'm' if scan.pass(b"metric\":") => once(&mut data.metric, scan.id(MAX_TEXT)?),
            b'c' if scan.pass(b"count\":") => once(&mut data.count, scan.quantity()?),
            b'v' if scan.pass(b"value\":") => once(&mut data.value, scan.quantity()?),
            b'u' if scan.pass(b"user\":null") => once(&mut data.user, None),
            b'u' if scan.pass(b"user\":") => once(&mut data.user, Some(scan.id(MAX_TEXT)?)),
            _ => pass_over(&mut unknown, scan, 2, &DATA),
        })?;
        Some(data)
    }
}

/// Passes over a member that nobody reads: its name is not among those that are, and new.
fn pass_over<'a>(names: &mut Names<'a>, scan: &mut Scan<'a>, depth: u32, read: &[&str]) -> Option<()> {
    let name = scan.name()?;
    scan.value(depth)?;
    names.add(Some(name).filter(|name| !read.contains(name))?)
}

/// Takes a member that comes for the first time.
fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

/// A sequence; null is none.
fn whole(value: Value<'_>) -> Option<i64> {
    match value {
        Value::Null => Some(0),
        Value::Number(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

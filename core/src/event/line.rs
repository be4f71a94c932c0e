//! One line of a log, decoded: usage, which most lines tell, as a view of the line; everything else as an event.

use super::fields::{MAX_ID, MAX_TEXT, Payload as _};
use super::scan::Scan;
use super::usage::{Counted, Measured};
use super::wire::Value;
use super::{Event, EventData, EventError, MAX_LINE};
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
    match usage(line, source) {
        Some(usage) => Ok(Decoded::Usage(usage)),
        None => Event::from_json_of(line, source).map(|event| Decoded::Other(Box::new(event))),
    }
}

/// The usage event that a line is; `None` where it is another event, or anything about it needs more care.
fn usage<'a>(line: &'a [u8], given: Option<&'a SourceId>) -> Option<UsageRef<'a>> {
    if line.len() > MAX_LINE {
        return None;
    }
    let mut scan = Scan::new(std::str::from_utf8(line).ok()?);
    let (mut id, mut source, mut kind, mut subject, mut time) = (None, None, None, None, None);
    let (mut version, mut sequence, mut recorded, mut data) = (None, None, None, None);
    let mut unknown = Names::default();
    scan.each_member(1, |scan, name| {
        if name == "data" {
            return once(&mut data, UsageData::scan(scan)?);
        }
        let value = scan.value(1)?;
        match name {
            "id" => once(&mut id, text(value, MAX_ID)?),
            "source" => once(&mut source, text(value, MAX_ID)?),
            "type" => once(&mut kind, kind_of(value)?),
            "subject" => once(&mut subject, text(value, MAX_ID)?),
            "time" => once(&mut time, instant(value)?),
            "sequence" => once(&mut sequence, whole(value)?),
            "recordedtime" => once(&mut recorded, if value.is_null() { None } else { Some(instant(value)?) }),
            "specversion" => once(&mut version, (value == Value::Text("1.0")).then_some(())?),
            _ => unknown.add(name),
        }
    })?;
    scan.end()?;
    let (kind, data) = (kind?, data?);
    let quantity = match kind {
        UsageKind::Counted => data.count.map_or(Some(Quantity::ONE), quantity)?,
        UsageKind::Measured => quantity(data.value?)?,
    };
    let user = match data.user {
        None | Some(Value::Null) => None,
        Some(user) => Some(text(user, MAX_TEXT)?),
    };
    Some(UsageRef {
        id: id?,
        source: source.or(given.map(SourceId::as_str))?,
        subject: subject?,
        time: time?,
        sequence: sequence.unwrap_or(0),
        recorded: recorded.flatten(),
        kind,
        metric: text(data.metric?, MAX_TEXT)?,
        quantity,
        user,
    })
}

/// The members that the `data` of usage can have, unread.
#[derive(Default)]
struct UsageData<'a> {
    metric: Option<Value<'a>>,
    count: Option<Value<'a>>,
    value: Option<Value<'a>>,
    user: Option<Value<'a>>,
}

impl<'a> UsageData<'a> {
    fn scan(scan: &mut Scan<'a>) -> Option<Self> {
        let mut data = Self::default();
        let mut unknown = Names::default();
        scan.object(2, |name, value| match name {
            "metric" => once(&mut data.metric, value),
            "count" => once(&mut data.count, value),
            "value" => once(&mut data.value, value),
            "user" => once(&mut data.user, value),
            _ => unknown.add(name),
        })?;
        Some(data)
    }
}

/// The few names of members that nobody reads, kept to see that none comes twice.
#[derive(Default)]
struct Names<'a> {
    names: [&'a str; 6],
    count: usize,
}

impl<'a> Names<'a> {
    fn add(&mut self, name: &'a str) -> Option<()> {
        let (known, room) = self.names.split_at_mut_checked(self.count)?;
        let twice = known.contains(&name);
        *room.first_mut().filter(|_| !twice)? = name;
        self.count += 1;
        Some(())
    }
}

/// Takes a member that comes for the first time.
fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

fn kind_of(value: Value<'_>) -> Option<UsageKind> {
    match value {
        Value::Text(Counted::KIND) => Some(UsageKind::Counted),
        Value::Text(Measured::KIND) => Some(UsageKind::Measured),
        _ => None,
    }
}

/// Text that an id can have. Text that was scanned holds no NUL.
fn text(value: Value<'_>, longest: usize) -> Option<&str> {
    match value {
        Value::Text(text) if (1..=longest).contains(&text.len()) => Some(text),
        _ => None,
    }
}

fn instant(value: Value<'_>) -> Option<Instant> {
    match value {
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// A sequence; null is none.
fn whole(value: Value<'_>) -> Option<i64> {
    match value {
        Value::Null => Some(0),
        Value::Number(text) => text.parse().ok(),
        _ => None,
    }
}

fn quantity(value: Value<'_>) -> Option<Quantity> {
    match value {
        Value::Number(text) | Value::Text(text) => Quantity::parse(text).ok(),
        _ => None,
    }
}

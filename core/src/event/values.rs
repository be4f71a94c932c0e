//! The types that fields of events have: how each is read from its JSON text, and what it allows.

use super::EventCode;
use super::fields::{Fault, Field, MAX_ID, MAX_LIST, MAX_TEXT, Members, ObjectWriter, Raw, read_word};
use crate::id::Text;
use crate::money::{Amount, Currency, Interval, IntervalUnit};
use crate::quantity::{DecimalFault, Quantity};
use crate::time::{Day, Instant};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

const NUMBER_OR_TEXT: &str = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$";

fn decimal_schema() -> serde_json::Value {
    serde_json::json!({"anyOf": [{"type": "number"}, {"type": "string", "pattern": NUMBER_OR_TEXT}]})
}

macro_rules! id_fields {
    ($($name:ident: $limit:expr),+ $(,)?) => {$(
        impl Field for crate::id::$name {
            const EXPECTS: &'static str = "non-empty text";
            fn schema() -> serde_json::Value {
                serde_json::json!({"type": "string", "minLength": 1, "maxLength": $limit})
            }
            fn read(raw: Raw<'_>) -> Result<Self, Fault> {
                let text = raw.string(Self::EXPECTS)?;
                if text.is_empty() {
                    return Err(Fault::new(EventCode::EmptyId, Self::EXPECTS));
                }
                if text.len() > $limit {
                    return Err(Fault::new(EventCode::TooLong, format!("text of at most {} bytes of UTF-8", $limit)));
                }
                Ok(Self::new(text))
            }
        }
    )+};
}

id_fields! {
    ClientId: MAX_ID, EventId: MAX_ID, SourceId: MAX_ID,
    MetricName: MAX_TEXT, UserId: MAX_TEXT, TicketId: MAX_TEXT, IncidentId: MAX_TEXT, SubscriptionId: MAX_TEXT,
    InvoiceId: MAX_TEXT, ChargeId: MAX_TEXT, RefundId: MAX_TEXT, PaymentPlanId: MAX_TEXT, ContactId: MAX_TEXT,
    MilestoneName: MAX_TEXT,
}

/// Whether a type can be read from an empty text: free text can, where it means that nothing is stated.
fn cleared<T: 'static>(raw: Raw<'_>) -> bool {
    raw.0 == "\"\"" && std::any::TypeId::of::<T>() == std::any::TypeId::of::<Text>()
}

impl Field for Text {
    const EXPECTS: &'static str = "non-empty text";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "string", "maxLength": MAX_TEXT})
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTS)?;
        if text.is_empty() {
            return Err(Fault::new(EventCode::BadValue, Self::EXPECTS));
        }
        if text.len() > MAX_TEXT {
            return Err(Fault::new(EventCode::TooLong, format!("text of at most {MAX_TEXT} bytes of UTF-8")));
        }
        Ok(Self::new(text))
    }
}

fn decimal_fault(fault: DecimalFault, form: &'static str, range: &'static str) -> Fault {
    match fault {
        DecimalFault::Form => Fault::new(EventCode::BadValue, form),
        DecimalFault::Range => Fault::new(EventCode::OutOfRange, range),
    }
}

impl Field for Quantity {
    const EXPECTS: &'static str = "a number or a decimal in text";
    fn schema() -> serde_json::Value {
        decimal_schema()
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        Self::parse(&raw.number(Self::EXPECTS)?).map_err(|fault| {
            decimal_fault(
                fault,
                Self::EXPECTS,
                "a number of at most 6 fractional digits and a magnitude up to 10^12",
            )
        })
    }
}

/// A quantity that cannot be below 0, such as seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Quantity")]
pub struct Count(Quantity);

impl TryFrom<Quantity> for Count {
    type Error = &'static str;

    fn try_from(quantity: Quantity) -> Result<Self, Self::Error> {
        Self::new(quantity).ok_or("a count below 0")
    }
}

impl Count {
    /// The quantity.
    pub fn quantity(self) -> Quantity {
        self.0
    }

    /// `None` below 0.
    pub fn new(quantity: Quantity) -> Option<Self> {
        (quantity >= Quantity::ZERO).then_some(Self(quantity))
    }
}

impl Field for Count {
    const EXPECTS: &'static str = "a number of at least 0";
    fn schema() -> serde_json::Value {
        decimal_schema()
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        Self::new(Quantity::read(raw)?).ok_or_else(|| Fault::new(EventCode::OutOfRange, Self::EXPECTS))
    }
}

impl Field for Amount {
    const EXPECTS: &'static str = "an amount as a number or a decimal in text";
    fn schema() -> serde_json::Value {
        decimal_schema()
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        Self::parse(&raw.number(Self::EXPECTS)?).map_err(|fault| {
            decimal_fault(
                fault,
                Self::EXPECTS,
                "a number of at most 6 fractional digits and a magnitude up to 10^15",
            )
        })
    }
}

/// An amount that cannot be below 0: of a subscription, a charge, a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Amount")]
pub struct Price(Amount);

impl TryFrom<Amount> for Price {
    type Error = &'static str;

    fn try_from(amount: Amount) -> Result<Self, Self::Error> {
        Self::new(amount).ok_or("a price below 0")
    }
}

impl Price {
    /// The amount.
    pub fn amount(self) -> Amount {
        self.0
    }

    /// `None` below 0.
    pub fn new(amount: Amount) -> Option<Self> {
        (!amount.is_negative()).then_some(Self(amount))
    }
}

impl Field for Price {
    const EXPECTS: &'static str = "an amount of at least 0";
    fn schema() -> serde_json::Value {
        decimal_schema()
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        Self::new(Amount::read(raw)?).ok_or_else(|| Fault::new(EventCode::OutOfRange, Self::EXPECTS))
    }
}

/// A whole number from `LOW` to `HIGH`: a rating, an NPS answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Grade<const LOW: u8, const HIGH: u8>(u8);

impl<const LOW: u8, const HIGH: u8> Grade<LOW, HIGH> {
    /// The number.
    pub fn value(self) -> u8 {
        self.0
    }

    /// `None` outside the range.
    pub fn new(value: u8) -> Option<Self> {
        (LOW..=HIGH).contains(&value).then_some(Self(value))
    }
}

impl<const LOW: u8, const HIGH: u8> Field for Grade<LOW, HIGH> {
    const EXPECTS: &'static str = "a whole number inside its range";
    fn schema() -> serde_json::Value {
        serde_json::json!({"anyOf": [{"type": "integer", "minimum": LOW, "maximum": HIGH},
            {"type": "string", "pattern": NUMBER_OR_TEXT}]})
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let expected = || Fault::new(EventCode::OutOfRange, format!("a whole number from {LOW} to {HIGH}"));
        let quantity = Quantity::read(raw)?;
        let whole = quantity.micros() / 1_000_000;
        if quantity.micros() % 1_000_000 != 0 {
            return Err(Fault::new(EventCode::BadValue, format!("a whole number from {LOW} to {HIGH}")));
        }
        u8::try_from(whole).ok().and_then(Self::new).ok_or_else(expected)
    }
}

/// A number from 0 to 100 with up to 6 fractional digits: a sentiment, the value of an override.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Quantity")]
pub struct Percent(Quantity);

impl TryFrom<Quantity> for Percent {
    type Error = &'static str;

    fn try_from(quantity: Quantity) -> Result<Self, Self::Error> {
        let inside = (0..=100_000_000).contains(&quantity.micros());
        inside.then_some(Self(quantity)).ok_or("a number outside 0 to 100")
    }
}

impl Percent {
    /// The number.
    pub fn quantity(self) -> Quantity {
        self.0
    }
}

impl Field for Percent {
    const EXPECTS: &'static str = "a number from 0 to 100";
    fn schema() -> serde_json::Value {
        decimal_schema()
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        Self::try_from(Quantity::read(raw)?).map_err(|_| Fault::new(EventCode::OutOfRange, Self::EXPECTS))
    }
}

impl Field for bool {
    const EXPECTS: &'static str = "true or false";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "boolean"})
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        raw.bool()
    }
}

/// A whole number of 64 bits: `sequence`, an attempt.
impl Field for i64 {
    const EXPECTS: &'static str = "a whole number of 64 bits";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "integer"})
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        match raw.text().as_bytes().first() {
            Some(b'-' | b'0'..=b'9') => {}
            _ => return Err(Fault::new(EventCode::WrongType, Self::EXPECTS)),
        }
        raw.text().parse().map_err(|_| {
            let whole = !raw.text().contains(['.', 'e', 'E']);
            Fault::new(if whole { EventCode::OutOfRange } else { EventCode::BadValue }, Self::EXPECTS)
        })
    }
}

impl Field for Currency {
    const EXPECTS: &'static str = "a currency of three capital letters, such as USD";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "string", "pattern": "^[A-Z]{3}$"})
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTS)?;
        Self::parse(&text).ok_or_else(|| {
            let hint = Self::parse(&text.to_uppercase()).map_or(Self::EXPECTS.into(), |capitals| {
                Cow::Owned(format!("a currency of three capital letters: did you mean {capitals}?"))
            });
            Fault::new(EventCode::BadValue, hint)
        })
    }
}

impl Field for Instant {
    const EXPECTS: &'static str = "an RFC 3339 time with an offset";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "string", "format": "date-time"})
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTS)?;
        text.parse().map_err(|fault: crate::time::TimeError| Fault::new(EventCode::BadTime, fault.expected()))
    }
}

impl Field for Day {
    const EXPECTS: &'static str = "a date of the form 2026-01-05";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "string", "format": "date"})
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTS)?;
        text.parse().map_err(|fault: crate::time::TimeError| Fault::new(EventCode::BadTime, fault.expected()))
    }
}

/// A point in time that a contract names: an instant, or a date, which is the start of that day in the engine's zone.
/// Anything after 2199 means never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Moment {
    /// A calendar day in the engine's zone.
    On(Day),
    /// An instant.
    At(Instant),
    /// After 2199.
    Never,
}

impl Field for Moment {
    const EXPECTS: &'static str =
        "an RFC 3339 time with an offset, or a date of the form 2026-01-05, from 1970 on";
    fn schema() -> serde_json::Value {
        serde_json::json!({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]})
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTS)?;
        let fault = || Fault::new(EventCode::BadTime, Self::EXPECTS);
        // A year after 2199 is read by way of one inside the range with the same calendar, so that the form is checked.
        let year: i32 = text.get(..4).and_then(|year| year.parse().ok()).ok_or_else(fault)?;
        let (text, never) = if year >= 2200 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let stand_in = if leap { "2000" } else { "2001" };
            (Cow::Owned(format!("{stand_in}{}", text.get(4..).unwrap_or(""))), true)
        } else {
            (text, false)
        };
        // The turn of the year 2199 in another zone is after 2199 in UTC.
        let late = |text: &str| text.starts_with("2199-12-31");
        let moment = match (text.parse::<Day>(), text.parse::<Instant>()) {
            (Ok(day), _) => Self::On(day),
            (_, Ok(instant)) => Self::At(instant),
            _ if late(&text) && text.replacen("2199", "2198", 1).parse::<Instant>().is_ok() => Self::Never,
            _ => return Err(fault()),
        };
        Ok(if never { Self::Never } else { moment })
    }
    fn to_wire(&self) -> serde_json::Value {
        match self {
            Self::On(day) => day.to_string().into(),
            Self::At(instant) => instant.to_string().into(),
            Self::Never => "9999-12-31".into(),
        }
    }
}

impl Field for Interval {
    const EXPECTS: &'static str = "an object {unit: day, week, month or year; count}";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "object", "required": ["unit"], "properties": {
            "unit": {"enum": ["day", "week", "month", "year"]},
            "count": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]}}})
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let members = match raw.text().as_bytes().first() {
            Some(b'{') => Members::parse(raw.text())?,
            _ => return Err(Fault::new(EventCode::WrongType, Self::EXPECTS)),
        };
        let missing = || Fault::new(EventCode::MissingField, "day, week, month or year").inside("unit", None);
        let unit = members.find("unit").ok_or_else(missing)?;
        let unit = IntervalUnit::read(unit).map_err(|fault| fault.inside("unit", Some(unit)))?;
        let count = match members.find("count") {
            Some(count) => read_interval_count(count).map_err(|fault| fault.inside("count", Some(count)))?,
            None => 1,
        };
        Ok(Self { unit, count })
    }
}

fn read_interval_count(raw: Raw<'_>) -> Result<u32, Fault> {
    const EXPECTS: &str = "a whole number of at least 1";
    let quantity = Quantity::read(raw)?;
    if quantity.micros() % 1_000_000 != 0 || quantity.micros() == 0 {
        return Err(Fault::new(EventCode::BadValue, EXPECTS));
    }
    u32::try_from(quantity.micros() / 1_000_000).map_err(|_| Fault::new(EventCode::OutOfRange, EXPECTS))
}

impl<T: Field + 'static> Field for Option<T> {
    const EXPECTS: &'static str = T::EXPECTS;
    fn schema() -> serde_json::Value {
        serde_json::json!({"anyOf": [T::schema(), {"type": "null"}]})
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        if raw.is_null() || cleared::<T>(raw) { Ok(None) } else { T::read(raw).map(Some) }
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn is_absent(&self) -> bool {
        self.is_none()
    }
    fn to_wire(&self) -> serde_json::Value {
        self.as_ref().map_or(serde_json::Value::Null, Field::to_wire)
    }
    fn write_wire(&self, out: &mut String) {
        match self {
            Some(value) => value.write_wire(out),
            None => out.push_str("null"),
        }
    }
}

/// One field of a patch: absent leaves what stands, null (or empty text) clears it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Patch<T> {
    /// Leave what stands.
    Keep,
    /// Nothing is stated from now on.
    Clear,
    /// This from now on.
    Set(T),
}

impl<T: Field + 'static> Field for Patch<T> {
    const EXPECTS: &'static str = T::EXPECTS;
    fn schema() -> serde_json::Value {
        Option::<T>::schema()
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        if raw.is_null() || cleared::<T>(raw) { Ok(Self::Clear) } else { T::read(raw).map(Self::Set) }
    }
    fn absent() -> Option<Self> {
        Some(Self::Keep)
    }
    fn is_absent(&self) -> bool {
        matches!(self, Self::Keep)
    }
    fn to_wire(&self) -> serde_json::Value {
        match self {
            Self::Set(value) => value.to_wire(),
            Self::Keep | Self::Clear => serde_json::Value::Null,
        }
    }
    fn write_wire(&self, out: &mut String) {
        match self {
            Self::Set(value) => value.write_wire(out),
            Self::Keep | Self::Clear => out.push_str("null"),
        }
    }
}

impl<T> Patch<T> {
    /// What the patch states: `None` where it leaves what stands, `Some(None)` where it clears.
    pub(crate) fn stated(&self) -> Option<Option<&T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

/// A set given as a list: sorted, each element once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SetOf<T>(Vec<T>);

impl<T: Ord> SetOf<T> {
    /// The set of some elements.
    pub fn new(elements: impl IntoIterator<Item = T>) -> Self {
        let mut elements: Vec<T> = elements.into_iter().collect();
        elements.sort_unstable();
        elements.dedup();
        Self(elements)
    }

    /// The elements in order.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T: Field + Ord> Field for SetOf<T> {
    const EXPECTS: &'static str = "a list of texts";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "array", "items": T::schema(), "maxItems": MAX_LIST})
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        if !raw.text().starts_with('[') {
            return Err(Fault::new(EventCode::WrongType, Self::EXPECTS));
        }
        let elements: Vec<&RawValue> = serde_json::from_str(raw.text())
            .map_err(|error| Fault::new(EventCode::MalformedJson, format!("valid JSON: {error}")))?;
        if elements.len() > MAX_LIST {
            return Err(Fault::new(EventCode::TooLong, format!("a list of at most {MAX_LIST} elements")));
        }
        let element = |(i, raw): (usize, &&RawValue)| {
            let raw = Raw(raw.get());
            T::read(raw).map_err(|fault| fault.inside(format!("[{i}]"), Some(raw)))
        };
        Ok(Self::new(elements.iter().enumerate().map(element).collect::<Result<Vec<T>, Fault>>()?))
    }
}

/// Named values given as an object, in order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Named<T>(std::collections::BTreeMap<Text, T>);

impl<T> Named<T> {
    /// The values by name.
    pub fn new(values: impl IntoIterator<Item = (Text, T)>) -> Self {
        Self(values.into_iter().collect())
    }

    /// Name and value, in order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &T)> {
        self.0.iter()
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.values_mut()
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Field> Field for Named<T> {
    const EXPECTS: &'static str = "an object of named values";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "object", "additionalProperties": T::schema()})
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let members = match raw.text().as_bytes().first() {
            Some(b'{') => Members::parse(raw.text())?,
            _ => return Err(Fault::new(EventCode::WrongType, Self::EXPECTS)),
        };
        let mut values = std::collections::BTreeMap::new();
        for (name, raw) in members.iter() {
            let inner = |fault: Fault| fault.inside(name.chars().take(60).collect::<String>(), Some(raw));
            if name.is_empty() {
                return Err(inner(Fault::new(EventCode::EmptyId, "a non-empty name")));
            }
            if name.len() > MAX_TEXT {
                return Err(inner(Fault::new(
                    EventCode::TooLong,
                    format!("a name of at most {MAX_TEXT} bytes"),
                )));
            }
            values.insert(Text::new(name), T::read(raw).map_err(inner)?);
        }
        Ok(Self(values))
    }
    fn absent() -> Option<Self> {
        Some(Self(std::collections::BTreeMap::new()))
    }
    fn is_absent(&self) -> bool {
        self.0.is_empty()
    }
    fn to_wire(&self) -> serde_json::Value {
        self.0.iter().map(|(name, value)| (name.to_string(), value.to_wire())).collect()
    }
    fn write_wire(&self, out: &mut String) {
        let mut members = ObjectWriter::new(out);
        for (name, value) in &self.0 {
            members.member(name.as_str(), |out| value.write_wire(out));
        }
        members.end();
    }
}

/// The value of a client's attribute. The JSON type decides: text is no number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Attribute {
    /// Text.
    Text(Text),
    /// A number.
    Number(Quantity),
    /// True or false; read as 1 or 0 where a number is wanted.
    Flag(bool),
}

impl Field for Attribute {
    const EXPECTS: &'static str = "text, a number, true or false";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": ["string", "number", "boolean"]})
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        match raw.text().as_bytes().first() {
            Some(b'"') => Text::read(raw).map(Self::Text),
            Some(b't' | b'f') => raw.bool().map(Self::Flag),
            Some(b'-' | b'0'..=b'9') => Quantity::read(raw).map(Self::Number),
            _ => Err(Fault::new(EventCode::WrongType, Self::EXPECTS)),
        }
    }
    fn to_wire(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Flag(flag) => (*flag).into(),
            // Must stay a JSON number, since text would be another attribute. Beyond 15 digits a binary float may not
            // hold it: `write_wire` does.
            Self::Number(number) => {
                serde_json::from_str(&number.to_string()).unwrap_or(serde_json::Value::Null)
            }
        }
    }
    fn write_wire(&self, out: &mut String) {
        match self {
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Text(_) | Self::Flag(_) => out.push_str(&self.to_wire().to_string()),
        }
    }
}

impl Field for IntervalUnit {
    const EXPECTS: &'static str = "one of `day` `week` `month` `year`";
    fn schema() -> serde_json::Value {
        serde_json::json!({"enum": ["day", "week", "month", "year"]})
    }
    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let words = [("day", Self::Day), ("week", Self::Week), ("month", Self::Month), ("year", Self::Year)];
        read_word(raw, Self::EXPECTS, &words)
    }
}

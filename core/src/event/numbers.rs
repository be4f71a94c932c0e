//! Numbers, money and times as fields of events have them: exact, with the limits of each.

use super::EventCode;
use super::fields::{Field, read_word, write_text};
use super::members::Members;
use super::wire::{self, Fault, Value};
use crate::money::{Amount, Currency, Interval, IntervalUnit};
use crate::quantity::{DecimalFault, Quantity};
use crate::time::{Day, Instant};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

const NUMBER_OR_TEXT: &str = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$";

fn decimal_schema() -> serde_json::Value {
    serde_json::json!({"anyOf": [{"type": "number"}, {"type": "string", "pattern": NUMBER_OR_TEXT}]})
}

fn decimal_fault(fault: DecimalFault, form: &'static str, range: &'static str) -> Fault {
    match fault {
        DecimalFault::Form => Fault::new(EventCode::BadValue, form),
        DecimalFault::Range => Fault::new(EventCode::OutOfRange, range),
    }
}

fn write_quoted(out: &mut String, micros: i128) {
    out.push('"');
    // Most numbers are whole, and small enough for the processor to divide them itself.
    match i64::try_from(micros) {
        Ok(micros) if micros % 1_000_000 == 0 => wire::write_whole(out, micros / 1_000_000),
        Err(_) if micros % 1_000_000 == 0 => wire::write_decimal(out, micros / 1_000_000, 0),
        _ => wire::write_decimal(out, micros, 6),
    }
    out.push('"');
}

impl Field for Quantity {
    const EXPECTS: &'static str = "a number or a decimal in text";
    fn schema() -> serde_json::Value {
        decimal_schema()
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        if let Some(number) = value.micros().and_then(|micros| Self::from_micros(micros.try_into().ok()?)) {
            return Ok(number);
        }
        Self::parse(&value.number(Self::EXPECTS)?).map_err(|fault| {
            decimal_fault(
                fault,
                Self::EXPECTS,
                "a number of at most 6 fractional digits and a magnitude up to 10^12",
            )
        })
    }
    fn write_wire(&self, out: &mut String) {
        write_quoted(out, i128::from(self.micros()));
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
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        Self::new(Quantity::read(value)?).ok_or_else(|| Fault::new(EventCode::OutOfRange, Self::EXPECTS))
    }
    fn write_wire(&self, out: &mut String) {
        self.0.write_wire(out);
    }
}

impl Field for Amount {
    const EXPECTS: &'static str = "an amount as a number or a decimal in text";
    fn schema() -> serde_json::Value {
        decimal_schema()
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        if let Some(number) = value.micros().and_then(Self::from_micros) {
            return Ok(number);
        }
        Self::parse(&value.number(Self::EXPECTS)?).map_err(|fault| {
            decimal_fault(
                fault,
                Self::EXPECTS,
                "a number of at most 6 fractional digits and a magnitude up to 10^15",
            )
        })
    }
    fn write_wire(&self, out: &mut String) {
        write_quoted(out, self.micros());
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
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        Self::new(Amount::read(value)?).ok_or_else(|| Fault::new(EventCode::OutOfRange, Self::EXPECTS))
    }
    fn write_wire(&self, out: &mut String) {
        self.0.write_wire(out);
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
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        let expected = || Fault::new(EventCode::OutOfRange, format!("a whole number from {LOW} to {HIGH}"));
        let quantity = Quantity::read(value)?;
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
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        Self::try_from(Quantity::read(value)?).map_err(|_| Fault::new(EventCode::OutOfRange, Self::EXPECTS))
    }
    fn write_wire(&self, out: &mut String) {
        self.0.write_wire(out);
    }
}

impl Field for bool {
    const EXPECTS: &'static str = "true or false";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "boolean"})
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        value.bool()
    }
}

/// A whole number of 64 bits: `sequence`, an attempt.
impl Field for i64 {
    const EXPECTS: &'static str = "a whole number of 64 bits";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "integer"})
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        if let Value::Decimal { units, scale: 0 } = value {
            return Ok(units);
        }
        let Value::Number(text) = value else {
            return Err(Fault::new(EventCode::WrongType, Self::EXPECTS));
        };
        text.parse().map_err(|_| {
            let whole = !text.contains(['.', 'e', 'E']);
            Fault::new(if whole { EventCode::OutOfRange } else { EventCode::BadValue }, Self::EXPECTS)
        })
    }
}

impl Field for Currency {
    const EXPECTS: &'static str = "a currency of three capital letters, such as USD";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "string", "pattern": "^[A-Z]{3}$"})
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        if let Some(currency) = value.plain_text().and_then(Self::parse) {
            return Ok(currency);
        }
        let text = value.string(Self::EXPECTS)?;
        Self::parse(&text).ok_or_else(|| {
            let hint = Self::parse(&text.to_uppercase()).map_or(Self::EXPECTS.into(), |capitals| {
                Cow::Owned(format!("a currency of three capital letters: did you mean {capitals}?"))
            });
            Fault::new(EventCode::BadValue, hint)
        })
    }
    fn write_wire(&self, out: &mut String) {
        write_text(out, self.as_str());
    }
}

impl Field for Instant {
    const EXPECTS: &'static str = "an RFC 3339 time with an offset";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "string", "format": "date-time"})
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        // What is out of range is so by its text.
        if let Value::Instant(micros) = value
            && let Some(instant) = Self::from_micros(micros)
        {
            return Ok(instant);
        }
        let text = value.string(Self::EXPECTS)?;
        text.parse().map_err(|fault: crate::time::TimeError| Fault::new(EventCode::BadTime, fault.expected()))
    }
    fn write_wire(&self, out: &mut String) {
        out.push('"');
        wire::write_instant(out, self.micros());
        out.push('"');
    }
}

/// The day of a number that the date of a table has, if events can be of it.
fn day_of(number: i64) -> Option<Day> {
    /// The last day of 2199.
    const LAST: i32 = 84_005;
    let number = i32::try_from(number).ok().filter(|number| (0..=LAST).contains(number))?;
    Day::try_from(number).ok()
}

impl Field for Day {
    const EXPECTS: &'static str = "a date of the form 2026-01-05";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "string", "format": "date"})
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        if let Value::Day(number) = value
            && let Some(day) = day_of(number)
        {
            return Ok(day);
        }
        let text = value.string(Self::EXPECTS)?;
        text.parse().map_err(|fault: crate::time::TimeError| Fault::new(EventCode::BadTime, fault.expected()))
    }
    fn write_wire(&self, out: &mut String) {
        out.push('"');
        wire::write_day(out, self.number().into());
        out.push('"');
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

/// How the wire has [`Moment::Never`].
const NEVER: &str = "9999-12-31";

impl Field for Moment {
    const EXPECTS: &'static str =
        "an RFC 3339 time with an offset, or a date of the form 2026-01-05, from 1970 on";
    fn schema() -> serde_json::Value {
        serde_json::json!({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]})
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        let of_table = match value {
            Value::Day(number) => day_of(number).map(Self::On),
            Value::Instant(micros) => Instant::from_micros(micros).map(Self::At),
            _ => None,
        };
        if let Some(moment) = of_table {
            return Ok(moment);
        }
        let text = value.string(Self::EXPECTS)?;
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
        let day = text.parse::<Day>().map(Self::On);
        let moment = match day.or_else(|_| text.parse::<Instant>().map(Self::At)) {
            Ok(moment) => moment,
            Err(_) if late(&text) && text.replacen("2199", "2198", 1).parse::<Instant>().is_ok() => {
                Self::Never
            }
            Err(_) => return Err(fault()),
        };
        Ok(if never { Self::Never } else { moment })
    }
    fn to_wire(&self) -> serde_json::Value {
        match self {
            Self::On(day) => day.to_string().into(),
            Self::At(instant) => instant.to_string().into(),
            Self::Never => NEVER.into(),
        }
    }
    fn write_wire(&self, out: &mut String) {
        match self {
            Self::On(day) => day.write_wire(out),
            Self::At(instant) => instant.write_wire(out),
            Self::Never => write_text(out, NEVER),
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
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        if let Some(unit) = every_one(value) {
            return Ok(Self { unit, count: 1 });
        }
        let members =
            Members::of(value).unwrap_or_else(|| Err(Fault::new(EventCode::WrongType, Self::EXPECTS)))?;
        let missing = || Fault::new(EventCode::MissingField, "day, week, month or year").inside("unit", None);
        let unit = members.find("unit").ok_or_else(missing)?;
        let unit = IntervalUnit::read(unit).map_err(|fault| fault.inside("unit", Some(unit)))?;
        let count = match members.find("count") {
            Some(count) => read_interval_count(count).map_err(|fault| fault.inside("count", Some(count)))?,
            None => 1,
        };
        Ok(Self { unit, count })
    }
    fn write_wire(&self, out: &mut String) {
        out.push_str("{\"count\":");
        wire::write_whole(out, self.count.into());
        out.push_str(",\"unit\":");
        self.unit.write_wire(out);
        out.push('}');
    }
}

/// The unit of an interval of one, in the forms that most have.
fn every_one(value: Value<'_>) -> Option<IntervalUnit> {
    match value {
        Value::Object([("unit", unit)]) => IntervalUnit::read(*unit).ok(),
        Value::Json(text) => {
            let unit = text.strip_prefix(r#"{"unit":""#)?;
            let unit = unit.strip_suffix(r#"","count":1}"#).or_else(|| unit.strip_suffix(r#""}"#))?;
            IntervalUnit::read(Value::Text(unit)).ok()
        }
        _ => None,
    }
}

fn read_interval_count(value: Value<'_>) -> Result<u32, Fault> {
    const EXPECTS: &str = "a whole number of at least 1";
    let quantity = Quantity::read(value)?;
    if quantity.micros() % 1_000_000 != 0 || quantity.micros() == 0 {
        return Err(Fault::new(EventCode::BadValue, EXPECTS));
    }
    u32::try_from(quantity.micros() / 1_000_000).map_err(|_| Fault::new(EventCode::OutOfRange, EXPECTS))
}

impl Field for IntervalUnit {
    const EXPECTS: &'static str = "one of `day` `week` `month` `year`";
    fn schema() -> serde_json::Value {
        serde_json::json!({"enum": ["day", "week", "month", "year"]})
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        let words = [("day", Self::Day), ("week", Self::Week), ("month", Self::Month), ("year", Self::Year)];
        read_word(value, Self::EXPECTS, &words)
    }
}

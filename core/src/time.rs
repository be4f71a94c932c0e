//! Instants, calendar days and months in one time zone.
//!
//! An answer is as of an instant. Usage is kept by calendar day, so for usage an instant stands for a day, its *usage
//! day*: the day that holds it, or, at the first instant of a day, the day just ended.

use crate::calendar::{civil_day, civil_of, day_of_our_years, days_from_epoch};
use jiff::civil;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A moment, to the microsecond, from 1970 to 2199 in UTC.
///
/// ```
/// use healthfold::Instant;
/// let t: Instant = "2026-01-05T10:00:00.5+01:00".parse()?;
/// assert_eq!(t.to_string(), "2026-01-05T09:00:00.5Z");
/// assert!("2026-01-05T10:00:00".parse::<Instant>().is_err(), "a time without an offset is no instant");
/// # Ok::<(), healthfold::TimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "i64")]
pub struct Instant(i64);

impl TryFrom<i64> for Instant {
    type Error = &'static str;

    fn try_from(micros: i64) -> Result<Self, Self::Error> {
        Self::from_micros(micros).ok_or("an instant outside 1970 to 2199")
    }
}

impl Instant {
    /// 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// 2199-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(7_258_118_400 * MICROS_PER_SECOND - 1);

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// The instant that many microseconds after 1970-01-01T00:00:00Z, or `None` outside 1970 to 2199.
    pub fn from_micros(micros: i64) -> Option<Self> {
        let instant = Self(micros);
        (Self::MIN..=Self::MAX).contains(&instant).then_some(instant)
    }

    /// The microsecond before; a period that ends at `t` closes with the state as of `t.just_before()`.
    pub fn just_before(self) -> Self {
        Self(self.0 - 1)
    }

    pub(crate) fn just_after(self) -> Self {
        Self(self.0 + 1)
    }

    /// The nearest instant of 1970 to 2199, or the first one behind, where the last day ends.
    pub(crate) fn clamped(micros: i64) -> Self {
        Self(micros.clamp(Self::MIN.0, Self::MAX.0 + 1))
    }

    /// Hours from `earlier` to here.
    #[expect(clippy::cast_precision_loss, reason = "230 years of microseconds are below 2^53")]
    pub(crate) fn hours_since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 / 3_600_000_000.0
    }

    pub(crate) fn timestamp(self) -> jiff::Timestamp {
        // Every instant is far inside the range of jiff's.
        jiff::Timestamp::from_microsecond(self.0).unwrap_or_default()
    }
}

/// A text that is not the point in time it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("`{found}` is not {expected}")]
pub struct TimeError {
    field: Cow<'static, str>,
    expected: Cow<'static, str>,
    found: String,
}

impl TimeError {
    pub(crate) fn new(found: &str, expected: impl Into<Cow<'static, str>>) -> Self {
        let expected = expected.into();
        // The name of a zone is never an instant.
        let field = if expected == ZONE { "timezone" } else { "as_of" }.into();
        Self { field, expected, found: found.chars().take(60).collect() }
    }

    /// The same of an argument or a setting of this name, where it is not `as_of`.
    #[must_use]
    pub fn of(self, field: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), ..self }
    }

    pub(crate) fn expected(self) -> Cow<'static, str> {
        self.expected
    }

    /// The argument or the setting that is meant.
    pub fn field(&self) -> &str {
        &self.field
    }
}

/// What the name of a zone is.
pub(crate) const ZONE: &str = "an IANA time zone such as Europe/Berlin";

const RFC3339: &str = "an RFC 3339 time with an offset, such as 2026-01-05T10:00:00Z";
const YEARS: &str = "a time in the years 1970 to 2199";
const DATE: &str = "a date of the form 2026-01-05 in the years 1970 to 2199";
const MONTH: &str = "a month of the form 2026-01 in the years 1970 to 2199";

/// Reads `n` digits at `at`.
pub(crate) fn digits(bytes: &[u8], at: usize, n: usize) -> Option<i64> {
    let part = bytes.get(at..at + n)?;
    part.iter().try_fold(0i64, |value, b| b.is_ascii_digit().then(|| value * 10 + i64::from(b - b'0')))
}

/// The form of eight characters: a `0` stands for any digit, everything else for itself.
struct Form {
    zeros: u64,
    /// For each character, what can be added to how far it is from the form without setting the highest bit, where it is right.
    room: u64,
}

impl Form {
    const DATE: Self = Self::of(*b"0000-00-");
    const TO_MINUTES: Self = Self::of(*b"00T00:00");
    const CLOCK: Self = Self::of(*b"00:00:00");

    const fn of(form: [u8; 8]) -> Self {
        let (mut rest, mut room): (&[u8], u64) = (&form, 0);
        while let [others @ .., last] = rest {
            room = room << 8 | if *last == b'0' { 0x7f - 9 } else { 0x7f };
            rest = others;
        }
        Self { zeros: u64::from_le_bytes(form), room }
    }

    /// The number of the two digits from each place on; `None` where a character is another.
    #[inline]
    fn pairs(&self, characters: [u8; 8]) -> Option<[u8; 8]> {
        const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
        let digits = u64::from_le_bytes(characters) ^ self.zeros;
        // What a byte above 0x80 carries into the next no longer matters.
        if (digits | digits.wrapping_add(self.room)) & HIGH != 0 {
            return None;
        }
        // No number is above 99, so nothing is carried here.
        Some((digits * 10 + (digits >> 8)).to_le_bytes())
    }
}

impl Instant {
    /// The instant of text such as `2026-01-05T10:00:00`, in UTC; `None` where that takes a closer look.
    #[inline]
    pub(crate) fn of_utc_second(text: &[u8; 19]) -> Option<Self> {
        let read = |form: Form, from: usize| form.pairs(text.get(from..)?.first_chunk().copied()?);
        let [centuries, _, years, _, _, month, ..] = read(Form::DATE, 0)?;
        let [day, _, _, hour, _, _, minute, _] = read(Form::TO_MINUTES, 8)?;
        let [.., second, _] = read(Form::CLOCK, 11)?;
        let year = i64::from(centuries) * 100 + i64::from(years);
        let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(i64::from);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let day = day_of_our_years(year, month, day)?;
        Some(Self((day * 86_400 + hour * 3_600 + minute * 60 + second) * MICROS_PER_SECOND))
    }
}

impl std::str::FromStr for Instant {
    type Err = TimeError;

    /// Reads RFC 3339 with an offset: `t`, `z` and `-00:00` are accepted, a space is not; a second 60 is the second
    /// after; digits finer than a microsecond are cut off. The range is judged in UTC.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        match text.as_bytes().split_first_chunk() {
            Some((second, b"Z")) => Self::of_utc_second(second).map_or_else(|| Self::read(text), Ok),
            _ => Self::read(text),
        }
    }
}

impl Instant {
    /// Reads any form that is allowed, and says what is not.
    fn read(text: &str) -> Result<Self, TimeError> {
        let form = || TimeError::new(text, RFC3339);
        let b = text.as_bytes();
        let punctuation = [(4, b"-"), (7, b"-"), (13, b":"), (16, b":")];
        let shape = punctuation.iter().all(|(at, mark)| b.get(*at) == mark.first());
        if !shape || !matches!(b.get(10), Some(b'T' | b't')) {
            return Err(form());
        }
        let field = |at, n| digits(b, at, n).ok_or_else(form);
        let day = civil_day(field(0, 4)?, field(5, 2)?, field(8, 2)?).ok_or_else(form)?;
        let (hour, minute, second) = (field(11, 2)?, field(14, 2)?, field(17, 2)?);
        if hour > 23 || minute > 59 || second > 60 {
            return Err(form());
        }
        let mut at = 19;
        let mut micros = 0;
        if b.get(at) == Some(&b'.') {
            let start = at + 1;
            at = start;
            while let Some(digit) = b.get(at).filter(|d| d.is_ascii_digit()) {
                if at < start + 6 {
                    micros = micros * 10 + i64::from(digit - b'0');
                }
                at += 1;
            }
            if at == start {
                return Err(form());
            }
            for _ in (at - start)..6 {
                micros *= 10;
            }
        }
        let offset_minutes = match b.get(at..).unwrap_or_default() {
            [b'Z' | b'z'] => 0,
            [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
                let (hours, minutes) = (field(at + 1, 2)?, field(at + 4, 2)?);
                if hours > 23 || minutes > 59 {
                    return Err(form());
                }
                (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
            }
            _ => return Err(form()),
        };
        let seconds = day * 86_400 + hour * 3_600 + (minute - offset_minutes) * 60 + second;
        Self::from_micros(seconds * MICROS_PER_SECOND + micros).ok_or_else(|| TimeError::new(text, YEARS))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.timestamp().fmt(f)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

/// A calendar day: days since 1970-01-01 in the engine's time zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "i32")]
pub struct Day(i32);

impl TryFrom<i32> for Day {
    type Error = &'static str;

    /// The years 1970 to 2199, and the month before and behind, where other time zones have the ends of them.
    fn try_from(days: i32) -> Result<Self, Self::Error> {
        (-31..=84_036).contains(&days).then_some(Self(days)).ok_or("a day outside 1970 to 2199")
    }
}

impl Day {
    pub(crate) const fn from_epoch(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The day `n` days later (earlier if below 0).
    pub fn plus(self, n: i32) -> Self {
        Self(self.0.saturating_add(n))
    }

    /// Days from `earlier` to here.
    pub fn days_since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    /// The day so many months on; of a shorter month its last day.
    pub(crate) fn plus_months(self, n: i32) -> Self {
        let month = self.month().plus(n);
        let (first, day) = (month.first_day(), self.days_since(self.month().first_day()));
        first.plus(day.min(month.plus(1).first_day().days_since(first) - 1))
    }

    pub(crate) fn date(self) -> civil::Date {
        let epoch = civil::date(1970, 1, 1);
        epoch.checked_add(jiff::Span::new().try_days(self.0).unwrap_or_default()).unwrap_or(epoch)
    }

    /// The month the day is in.
    pub fn month(self) -> Month {
        let (year, month, _) = civil_of(self.0.into());
        i32::try_from(year * 12 + month - 1).map_or(Month(0), Month)
    }

    pub(crate) fn is_leap_day(self) -> bool {
        let date = self.date();
        date.month() == 2 && date.day() == 29
    }

    /// The same day a year before; 29 February counts as 28 February.
    pub(crate) fn a_year_before(self) -> Self {
        let date = self.date();
        let before = date.checked_sub(jiff::Span::new().years(1)).unwrap_or(date);
        Self(i32::try_from(days_from_epoch(before)).unwrap_or(self.0))
    }
}

impl std::str::FromStr for Day {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let fault = || TimeError::new(text, DATE);
        let b = text.as_bytes();
        if b.len() != 10 || b.get(4) != Some(&b'-') || b.get(7) != Some(&b'-') {
            return Err(fault());
        }
        let field = |at, n| digits(b, at, n).ok_or_else(fault);
        let (year, month, day) = (field(0, 4)?, field(5, 2)?, field(8, 2)?);
        if !(1970..=2199).contains(&year) {
            return Err(fault());
        }
        civil_day(year, month, day).and_then(|d| i32::try_from(d).ok()).map(Self).ok_or_else(fault)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

/// A calendar month, counted from year 0.
///
/// ```
/// use healthfold::Month;
/// let month: Month = "2026-03".parse()?;
/// assert_eq!(month.plus(10).to_string(), "2027-01");
/// # Ok::<(), healthfold::TimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl TryFrom<i32> for Month {
    type Error = &'static str;

    /// The years 1970 to 2199, and the month before and behind.
    fn try_from(months: i32) -> Result<Self, Self::Error> {
        let known = (1970 * 12 - 1..=2200 * 12).contains(&months);
        known.then_some(Self(months)).ok_or("a month outside 1970 to 2199")
    }
}

impl Month {
    /// The month of a year; `month` is 1 to 12.
    pub fn new(year: i32, month: u32) -> Option<Self> {
        let valid = (1970..=2199).contains(&year) && (1..=12).contains(&month);
        valid.then_some(Self(year * 12 + i32::try_from(month).ok()? - 1))
    }

    /// The month `n` months later.
    pub fn plus(self, n: i32) -> Self {
        Self(self.0 + n)
    }

    /// Months since year 0.
    pub(crate) fn number(self) -> i32 {
        self.0
    }

    /// Reads a month of the form `2026-03`, or a date, which stands for its month.
    ///
    /// # Errors
    /// If it is neither.
    pub fn holding(text: &str) -> Result<Self, TimeError> {
        text.parse().or_else(|error| text.parse::<Day>().map(Day::month).map_err(|_| error))
    }

    /// The first day of the month.
    pub fn first_day(self) -> Day {
        let day = civil_day(i64::from(self.0.div_euclid(12)), i64::from(self.0.rem_euclid(12)) + 1, 1);
        Day(day.and_then(|d| i32::try_from(d).ok()).unwrap_or_default())
    }
}

impl std::str::FromStr for Month {
    type Err = TimeError;

    /// Reads the form `2026-03`.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let b = text.as_bytes();
        let of = |at, n| digits(b, at, n).and_then(|digits| i32::try_from(digits).ok());
        let shape = b.len() == 7 && b.get(4) == Some(&b'-');
        let parts = of(0, 4).zip(of(5, 2)).filter(|_| shape);
        let month = parts.and_then(|(year, month)| Self::new(year, u32::try_from(month).ok()?));
        month.ok_or_else(|| TimeError::new(text, MONTH))
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
        } else {
            Self::try_from(i32::deserialize(deserializer)?).map_err(D::Error::custom)
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;

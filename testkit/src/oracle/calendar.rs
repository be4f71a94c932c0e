//! Instants, calendar days and periods.
//!
//! An instant is a count of microseconds since 1970 in UTC, a day a count of days since 1970-01-01 in the
//! book's zone. Both are plain integers, so that windows and ages are plain subtraction.

use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday, date};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};

/// Microseconds since 1970-01-01T00:00:00Z.
pub(crate) type Instant = i64;
/// Days since 1970-01-01 in the zone of the book.
pub(crate) type Day = i64;

/// An instant that never comes: what a time later than 2199 means (RULINGS 2).
pub(crate) const NEVER: Instant = i64::MAX;

const SECOND: i64 = 1_000_000;

/// A time zone and the questions that need one.
pub(crate) struct Calendar {
    zone: TimeZone,
}

impl Calendar {
    /// The calendar of an IANA zone. Panics if the name is unknown: it is the test's own mistake.
    pub(crate) fn new(zone: &str) -> Calendar {
        let zone = TimeZone::get(zone).unwrap_or_else(|e| panic!("time zone {zone}: {e}"));
        Calendar { zone }
    }

    /// The calendar day that holds the instant.
    pub(crate) fn day_of(&self, t: Instant) -> Day {
        let stamp = Timestamp::from_microsecond(t).expect("instants are between 1970 and 2199");
        day_number(stamp.to_zoned(self.zone.clone()).date())
    }

    /// The usage day of `t`: the calendar day that holds it, and at the first instant of a day the day just
    /// ended.
    pub(crate) fn usage_day(&self, t: Instant) -> Day {
        // One microsecond earlier is the same day, except at the first instant of a day.
        self.day_of(t - 1)
    }

    /// The first instant of a day, also where midnight does not exist.
    pub(crate) fn start_of(&self, day: Day) -> Instant {
        let zoned = date_of(day).to_zoned(self.zone.clone()).expect("days are between 1970 and 2199");
        let first = zoned.start_of_day().expect("every day has a first instant");
        first.timestamp().as_microsecond()
    }

    /// The last microsecond of a day.
    pub(crate) fn end_of(&self, day: Day) -> Instant {
        self.start_of(day + 1) - 1
    }

    /// A field such as `due` or `cancel_at`: an instant, or a date, which is the start of that day.
    pub(crate) fn instant_or_date(&self, text: &str) -> Option<Instant> {
        if text.get(..4)?.parse::<i64>().ok()? > 2199 {
            return Some(NEVER);
        }
        match parse_date(text) {
            Some(day) => Some(self.start_of(day)),
            None => parse_instant(text),
        }
    }

    /// The instant of a question: RFC 3339, or a date, which is its last microsecond.
    pub(crate) fn as_of(&self, text: &str) -> Result<Instant, String> {
        let instant = match parse_date(text) {
            Some(day) => Some(self.end_of(day)),
            None => parse_instant(text),
        };
        instant.ok_or_else(|| "bad_time".to_owned())
    }

    /// `[start, end)` of a period: `2026`, `2026-Q1`, `2026-03`, `2026-W07`, or `start/end` with dates or
    /// instants.
    pub(crate) fn period(&self, text: &str) -> Result<(Instant, Instant), String> {
        self.period_days(text)
            .map(|(first, after)| (self.start_of(first), self.start_of(after)))
            .or_else(|| {
                let (start, end) = text.split_once('/')?;
                Some((self.instant_or_date(start)?, self.instant_or_date(end)?))
            })
            .filter(|(start, end)| start < end)
            .ok_or_else(|| "bad_period".to_owned())
    }

    /// The first day of a named period and the first day after it.
    fn period_days(&self, text: &str) -> Option<(Day, Day)> {
        let (year, rest) = text.split_once('-').unwrap_or((text, ""));
        if year.len() != 4 {
            return None;
        }
        let year: i16 = year.parse().ok()?;
        let months = |first: i8, count: i8| {
            let start = Date::new(year, first, 1).ok()?;
            let after = start.checked_add(Span::new().months(count)).ok()?;
            Some((day_number(start), day_number(after)))
        };
        if rest.is_empty() {
            months(1, 12)
        } else if let Some(quarter) = rest.strip_prefix('Q') {
            let quarter: i8 = quarter.parse().ok().filter(|q| (1..=4).contains(q))?;
            months(quarter * 3 - 2, 3)
        } else if let Some(week) = rest.strip_prefix('W') {
            let monday = ISOWeekDate::new(year, week.parse().ok()?, Weekday::Monday).ok()?.date();
            Some((day_number(monday), day_number(monday) + 7))
        } else {
            months(rest.parse().ok()?, 1)
        }
    }
}

fn day_number(day: Date) -> Day {
    let span = date(1970, 1, 1).until(day).expect("days are within the range of dates");
    Day::from(span.get_days())
}

fn date_of(day: Day) -> Date {
    date(1970, 1, 1).checked_add(Span::new().days(day)).expect("days are within the range of dates")
}

/// A date `YYYY-MM-DD` as a day number; nothing for any other text.
pub(crate) fn parse_date(text: &str) -> Option<Day> {
    if text.len() != 10 || !text.is_ascii() {
        return None;
    }
    let day = Date::new(text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?).ok()?;
    Some(day_number(day))
}

/// RFC 3339 with offset, cut off to the microsecond; `:60` is the next second.
///
/// Taken apart by hand, because general parsers hold a leap second at `:59` and refuse more than nine digits.
pub(crate) fn parse_instant(text: &str) -> Option<Instant> {
    if !text.is_ascii() || text.len() < 20 {
        return None;
    }
    let day = parse_date(&text[..10])?;
    let (hour, minute) = (text[11..13].parse().ok()?, text[14..16].parse().ok()?);
    let second: i64 = text[17..19].parse().ok()?;
    let rest = &text[19..];
    let offset_at = rest.find(['Z', 'z', '+', '-'])?;
    let digits = rest[..offset_at].trim_start_matches('.');
    let micros: i64 = format!("{digits:0<6}")[..6].parse().ok()?;
    let clock = DateTime::from_parts(date_of(day), Time::new(hour, minute, 0, 0).ok()?);
    let at_utc = Offset::UTC.to_timestamp(clock).ok()?.as_microsecond();
    Some(at_utc + (second - offset_seconds(&rest[offset_at..])?) * SECOND + micros)
}

/// The seconds east of UTC in `Z` or `+hh:mm`.
fn offset_seconds(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let hours: i64 = text.get(1..3)?.parse().ok()?;
    let minutes: i64 = text.get(4..6)?.parse().ok()?;
    let sign = if text.starts_with('-') { -1 } else { 1 };
    Some(sign * (hours * 3600 + minutes * 60))
}

/// RFC 3339 text in UTC; empty for an instant that never comes.
pub(crate) fn text(t: Instant) -> String {
    Timestamp::from_microsecond(t).map(|stamp| stamp.to_string()).unwrap_or_default()
}

//! Days and instants of the book, counted from its first midnight (UTC), and their text.

use super::dice::Dice;
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Whole days since the first day of the book; negative before it.
pub(super) type Day = i64;

/// Milliseconds since the first midnight of the book (UTC); negative before it.
pub(super) type Moment = i64;

/// One second, minute, hour and day as a difference of moments.
pub(super) const SECOND: Moment = 1000;
pub(super) const MINUTE: Moment = 60 * SECOND;
pub(super) const HOUR: Moment = 60 * MINUTE;
pub(super) const DAY: Moment = 24 * HOUR;

/// The day that holds a moment.
pub(super) fn day_of(at: Moment) -> Day {
    at.div_euclid(DAY)
}

/// What the season and the week make of one day.
#[derive(Clone)]
pub(super) struct DayFacts {
    /// The date as YYYY-MM-DD.
    pub(super) text: String,
    /// 1 to 12.
    pub(super) month: i64,
    /// 1 to 31.
    pub(super) day_of_month: i64,
    /// 1 is Monday, 7 is Sunday.
    pub(super) weekday: i64,
}

/// The span of the book and the dates around it.
pub(super) struct Calendar {
    start: Date,
    days: Day,
    // Facts from `PAST` days before the start on: formatting dates anew for millions of events would dominate.
    table: Vec<DayFacts>,
}

const PAST: Day = 1500;
const FUTURE: Day = 800;

impl Calendar {
    /// The calendar of a book of `days` days from `start` on.
    pub(super) fn new(start: Date, days: u32) -> Self {
        let days = i64::from(days).clamp(1, 36_500);
        let table = (-PAST..days + FUTURE).map(|day| facts_of(start, day)).collect();
        Self { start, days, table }
    }

    /// How many days the book covers; the first day after it has this number.
    pub(super) fn days(&self) -> Day {
        self.days
    }

    /// The first moment after the book.
    pub(super) fn end(&self) -> Moment {
        self.days * DAY
    }

    /// What is known about a day.
    pub(super) fn facts(&self, day: Day) -> Cow<'_, DayFacts> {
        self.known(day).map_or_else(|| Cow::Owned(facts_of(self.start, day)), Cow::Borrowed)
    }

    /// The date of a day as YYYY-MM-DD.
    pub(super) fn date(&self, day: Day) -> String {
        self.facts(day).text.clone()
    }

    /// The day `months` months after `day`; the last of the month where the month is too short.
    pub(super) fn add_months(&self, day: Day, months: i64) -> Day {
        let date = date_of(self.start, day).saturating_add(months.months());
        date.duration_since(self.start).as_hours() / 24
    }

    /// A random day in the `slot`th twelfth of the book, away from its edges, so that in a calendar year slot 0 lies in
    /// January. Slots below 0 lie before the book.
    pub(super) fn in_slot(&self, slot: i64, dice: &mut Dice) -> Day {
        let length = self.days / 12;
        self.days * slot / 12 + dice.between(length * 2 / 30, length * 26 / 30)
    }

    /// The day that lies where day `of_year` lies in a book of 365 days.
    pub(super) fn scaled(&self, of_year: Day) -> Day {
        self.days * of_year / 365
    }

    /// RFC 3339 text of a moment, in UTC or at a fixed offset of whole hours.
    pub(super) fn write_instant(&self, out: &mut String, at: Moment, offset_hours: i64) {
        let local = at + offset_hours * HOUR;
        let day = day_of(local);
        out.push_str(&self.facts(day).text);
        let rest = local.rem_euclid(DAY);
        out.push('T');
        two_digits(out, rest / HOUR);
        out.push(':');
        two_digits(out, rest % HOUR / MINUTE);
        out.push(':');
        two_digits(out, rest % MINUTE / SECOND);
        let millis = rest % SECOND;
        if millis > 0 {
            // Writing into a String cannot fail.
            let _ = write!(out, ".{millis:03}");
        }
        if offset_hours == 0 {
            out.push('Z');
        } else {
            out.push(if offset_hours < 0 { '-' } else { '+' });
            two_digits(out, offset_hours.abs());
            out.push_str(":00");
        }
    }

    /// RFC 3339 text of a moment in UTC.
    pub(super) fn instant(&self, at: Moment) -> String {
        let mut text = String::new();
        self.write_instant(&mut text, at, 0);
        text
    }

    fn known(&self, day: Day) -> Option<&DayFacts> {
        self.table.get(usize::try_from(day + PAST).ok()?)
    }
}

fn date_of(start: Date, day: Day) -> Date {
    start.saturating_add(day.days())
}

fn facts_of(start: Date, day: Day) -> DayFacts {
    let date = date_of(start, day);
    DayFacts {
        text: date.to_string(),
        month: i64::from(date.month()),
        day_of_month: i64::from(date.day()),
        weekday: i64::from(date.weekday().to_monday_one_offset()),
    }
}

fn two_digits(out: &mut String, number: i64) {
    for digit in [number / 10 % 10, number % 10] {
        out.push(u32::try_from(digit).ok().and_then(|digit| char::from_digit(digit, 10)).unwrap_or('0'));
    }
}

//! Calendar periods one after another.

use super::policy::SettingError;
use crate::period::Period;
use crate::time::{Day, Instant, Month};
use crate::zone::Zone;
use serde::Serialize;

/// The calendar period that each row of a series is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodUnit {
    /// A day.
    Day,
    /// An ISO week.
    Week,
    /// A month.
    #[default]
    Month,
    /// A quarter of a year.
    Quarter,
    /// A year.
    Year,
}

impl std::str::FromStr for PeriodUnit {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        Ok(match text {
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "quarter" => Self::Quarter,
            "year" => Self::Year,
            _ => return Err(SettingError::new("every", "one of day, week, month, quarter, year", text)),
        })
    }
}

impl PeriodUnit {
    /// The first day of the period after the one that holds a day.
    fn next(self, day: Day) -> Day {
        let months = |count: i32| {
            let month = day.month();
            let from_january = month.number().rem_euclid(12);
            first_day(month, count - from_january.rem_euclid(count))
        };
        match self {
            Self::Day => day.plus(1),
            // 1970-01-01 was a Thursday: four days to its next Monday.
            Self::Week => day.plus((3 - day.number()).rem_euclid(7) + 1),
            Self::Month => months(1),
            Self::Quarter => months(3),
            Self::Year => months(12),
        }
    }
}

fn first_day(month: Month, later: i32) -> Day {
    month.plus(later).first_day()
}

/// The calendar periods between two instants; the first and the last are cut at them.
pub(crate) fn split(start: Instant, end: Instant, every: PeriodUnit, zone: &Zone) -> Vec<Period> {
    let mut periods = Vec::new();
    let (mut from, mut day) = (start, zone.day(start));
    while from < end {
        day = every.next(day);
        let until = zone.start_of(day).min(end);
        if from < until {
            periods.push(Period { start: from, end: until });
            from = until;
        }
    }
    periods
}

/// The so many months up to an instant; where the month has no such day, from its last one.
pub(crate) fn last_months(end: Instant, months: u32, zone: &Zone) -> Period {
    let day = zone.day(end);
    let month = day.month();
    let before = month.plus(-i32::try_from(months).unwrap_or(i32::MAX / 2));
    let last = before.plus(1).first_day().plus(-1);
    let start = before.first_day().plus(day.days_since(month.first_day())).min(last);
    // What is past midnight stays past midnight.
    let past = end.micros() - zone.start_of(day).micros();
    let start = zone.start_of(start);
    Period { start: Instant::from_micros(start.micros() + past).unwrap_or(start), end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_months_begin_on_the_same_day() {
        let utc = Zone::utc();
        let start = |end: &str, months| last_months(end.parse().unwrap(), months, &utc).start.to_string();
        assert_eq!(start("2026-04-01T00:00:00Z", 3), "2026-01-01T00:00:00Z");
        assert_eq!(start("2026-04-01T00:00:00Z", 12), "2025-04-01T00:00:00Z");
        assert_eq!(start("2026-03-31T12:00:00Z", 1), "2026-02-28T12:00:00Z");
    }

    #[test]
    fn periods_follow_the_calendar_of_the_zone() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let split = |from: &str, to: &str, every: &str| -> Vec<String> {
            let periods = split(from.parse().unwrap(), to.parse().unwrap(), every.parse().unwrap(), &berlin);
            assert!(periods.windows(2).all(|pair| pair[0].end == pair[1].start));
            periods.iter().map(|period| period.start.to_string()).collect()
        };
        let start = "2026-02-10T00:00:00Z";
        assert_eq!(
            split(start, "2026-05-01T00:00:00Z", "month"),
            [start, "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z"]
        );
        assert_eq!(split(start, "2026-04-30T22:00:00Z", "month").len(), 3);
        assert_eq!(split(start, "2026-12-31T23:00:00Z", "quarter").len(), 4);
        assert_eq!(split(start, "2028-01-01T00:00:00Z", "year").len(), 3);
        // 10 February 2026 is a Tuesday; the next Monday is the 16th.
        assert_eq!(split(start, "2026-02-16T00:00:00Z", "week"), [start, "2026-02-15T23:00:00Z"]);
        assert_eq!(split(start, "2026-02-12T00:00:00Z", "day").len(), 3);
    }
}

//! Periods: a month, a quarter, a year, an ISO week, or two instants.

use crate::calendar::days_from_epoch;
use crate::time::{Day, Instant, Month, digits};
use crate::zone::Zone;
use jiff::civil;
use serde::Serialize;

/// A stretch of time [start, end): it opens with the state just before `start` and closes with the state just before
/// `end`, so an event at exactly midnight on the 1st belongs to the new month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Period {
    /// The first instant inside.
    pub start: Instant,
    /// The first instant behind.
    pub end: Instant,
}

/// A text or a pair of instants that is not a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}", self.message())]
pub struct PeriodError {
    found: String,
    /// Of a period that has not begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<Instant>,
}

impl PeriodError {
    fn of(found: impl Into<String>) -> Self {
        Self { found: found.into(), as_of: None }
    }

    fn message(&self) -> String {
        let Self { found, as_of } = self;
        match as_of {
            Some(as_of) => format!("the period {found} has not begun as of {as_of}"),
            None => format!(
                "`{found}` is not a period such as 2026-03, 2026-Q1, 2026, 2026-W07, or two instants in order"
            ),
        }
    }
}

impl Period {
    /// From one instant to a later one.
    pub fn between(start: Instant, end: Instant) -> Result<Self, PeriodError> {
        if start < end { Ok(Self { start, end }) } else { Err(PeriodError::of(format!("{start} to {end}"))) }
    }

    /// Whether it has begun as of an instant.
    pub(crate) fn begun(self, as_of: Instant) -> Result<(), PeriodError> {
        let found = || format!("{} to {}", self.start, self.end);
        (self.start <= as_of).then_some(()).ok_or_else(|| PeriodError { found: found(), as_of: Some(as_of) })
    }

    /// A calendar month.
    pub fn month(month: Month, zone: &Zone) -> Self {
        Self::days(month.first_day(), month.plus(1).first_day(), zone)
    }

    fn days(first: Day, behind: Day, zone: &Zone) -> Self {
        Self { start: zone.start_of(first), end: zone.start_of(behind) }
    }

    /// Reads a month `2026-03`, a quarter `2026-Q1`, a year `2026` or an ISO week `2026-W07`, in a time zone.
    ///
    /// ```
    /// use healthfold::{Period, Zone};
    /// let q1 = Period::parse("2026-Q1", &Zone::utc())?;
    /// assert_eq!(q1.end.to_string(), "2026-04-01T00:00:00Z");
    /// # Ok::<(), healthfold::PeriodError>(())
    /// ```
    pub fn parse(text: &str, zone: &Zone) -> Result<Self, PeriodError> {
        Self::parse_days(text)
            .map(|(first, behind)| Self::days(first, behind, zone))
            .ok_or_else(|| PeriodError::of(text.chars().take(60).collect::<String>()))
    }

    fn parse_days(text: &str) -> Option<(Day, Day)> {
        let b = text.as_bytes();
        let year = i32::try_from(digits(b, 0, 4)?).ok()?;
        let months = |first: u32, count: i32| {
            let first = Month::new(year, first)?;
            Some((first.first_day(), first.plus(count).first_day()))
        };
        match b.get(4..)? {
            [] => months(1, 12),
            [b'-', b'Q', quarter @ b'1'..=b'4'] => months(u32::from(quarter - b'1') * 3 + 1, 3),
            [b'-', b'W', _, _] => {
                let week = i8::try_from(digits(b, 6, 2)?).ok()?;
                (1970..=2199).contains(&year).then_some(())?;
                let monday =
                    civil::ISOWeekDate::new(i16::try_from(year).ok()?, week, civil::Weekday::Monday).ok()?;
                let monday = Day::from_epoch(i32::try_from(days_from_epoch(monday.date())).ok()?);
                Some((monday, monday.plus(7)))
            }
            [b'-', _, _] => months(u32::try_from(digits(b, 5, 2)?).ok()?, 1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn periods() {
        let utc = Zone::utc();
        let ends =
            |text| Period::parse(text, &utc).map(|p| (p.start.to_string(), p.end.to_string())).unwrap();
        assert_eq!(ends("2026-03"), ("2026-03-01T00:00:00Z".into(), "2026-04-01T00:00:00Z".into()));
        assert_eq!(ends("2026-Q4"), ("2026-10-01T00:00:00Z".into(), "2027-01-01T00:00:00Z".into()));
        assert_eq!(ends("2026"), ("2026-01-01T00:00:00Z".into(), "2027-01-01T00:00:00Z".into()));
        // ISO 8601: week 1 of 2026 begins on Monday 29 December 2025; 2020 has a week 53.
        assert_eq!(ends("2026-W01"), ("2025-12-29T00:00:00Z".into(), "2026-01-05T00:00:00Z".into()));
        assert_eq!(ends("2020-W53"), ("2020-12-28T00:00:00Z".into(), "2021-01-04T00:00:00Z".into()));
        for text in [
            "2026-13",
            "2026-Q5",
            "2026-W54",
            "2026-W00",
            "26",
            "2026-3",
            "2026-03-01",
            "10000",
            "1969",
            "",
            "2026-é",
        ] {
            assert!(Period::parse(text, &utc).is_err(), "{text}");
        }
        assert!(Period::between(at("2026-01-02T00:00:00Z"), at("2026-01-02T00:00:00Z")).is_err());
    }
}

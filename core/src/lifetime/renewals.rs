//! Spells counted in renewals: what the contractual models are fitted to.
//!
//! A client that began on the 5th renews on the 5th of every month; where a month has no such day, on its last. A spell that
//! is over on such a day was not renewed then; one that is over between two of them is not renewed at the next. Who left
//! before a renewal that is yet to come says nothing of that renewal, for nobody else can have reached it: it counts as
//! seen up to the last renewal that all of its cohort could reach.

use super::input::CohortCounts;
use super::spells::ClientSpell;
use crate::time::{Day, Instant};
use crate::zone::Zone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How often contracts are renewed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RenewalInterval {
    /// Every seven days.
    Week,
    /// Every month.
    #[default]
    Month,
    /// Every three months.
    Quarter,
    /// Every twelve months.
    Year,
}

impl RenewalInterval {
    /// Its length in months; a week is 12/52 of one, as it is of a year's run-rate.
    pub fn months(self) -> f64 {
        match self {
            Self::Week => 12.0 / 52.0,
            Self::Month => 1.0,
            Self::Quarter => 3.0,
            Self::Year => 12.0,
        }
    }

    /// The day of the n-th renewal of a contract that began on a day.
    fn day(self, began: Day, n: u32) -> Day {
        let n = i32::try_from(n.min(100_000)).unwrap_or(i32::MAX);
        match self {
            Self::Week => began.plus(n * 7),
            Self::Month => began.plus_months(n),
            Self::Quarter => began.plus_months(n * 3),
            Self::Year => began.plus_months(n * 12),
        }
    }

    /// How many renewals there were from a day to another, that one included.
    pub(crate) fn made(self, began: Day, until: Day) -> u32 {
        let days = u32::try_from(until.days_since(began)).unwrap_or_default();
        // No month is longer than 31 days: never more than there were.
        let mut n = match self {
            Self::Week => days / 7,
            Self::Month => days / 31,
            Self::Quarter => days / 92,
            Self::Year => days / 366,
        };
        while self.day(began, n + 1) <= until {
            n += 1;
        }
        n
    }
}

/// One spell in renewals.
struct Counted {
    /// Renewals made before it came into sight.
    since: u32,
    /// Renewals that could have been seen by the instant of the question.
    could: u32,
    /// Renewals made; at most as many as could have been seen.
    made: u32,
}

fn counted(spell: &ClientSpell, as_of: Instant, every: RenewalInterval, zone: &Zone) -> Counted {
    let began = zone.day(spell.from);
    let entry = spell.entry_days.and_then(|days| i32::try_from(days).ok());
    let since = entry.map_or(0, |days| every.made(began, began.plus(days)));
    let could = every.made(began, zone.day(as_of));
    let made = match spell.until.map(|until| zone.day(until)) {
        None => could,
        Some(last) => {
            let full = every.made(began, last);
            // On the day of a renewal it was over: that one was not made.
            let on_the_day = full > 0 && every.day(began, full) == last;
            if on_the_day { full - 1 } else { full }
        }
    };
    Counted { since, could, made: made.min(could) }
}

/// The cohorts of some spells: those that came into sight after as many renewals and could have made as many.
pub(crate) fn cohorts<'s>(
    spells: impl Iterator<Item = &'s ClientSpell>,
    as_of: Instant,
    every: RenewalInterval,
    zone: &Zone,
) -> Vec<CohortCounts> {
    let mut cohorts: BTreeMap<(u32, u32), Vec<u64>> = BTreeMap::new();
    for spell in spells {
        let Counted { since, could, made } = counted(spell, as_of, every, zone);
        if made < since {
            continue;
        }
        let seen = usize::try_from(could - since).unwrap_or_default();
        let alive = cohorts.entry((since, could)).or_insert_with(|| vec![0; seen + 1]);
        let lasted = usize::try_from(made - since).unwrap_or_default();
        alive.iter_mut().take(lasted + 1).for_each(|count| *count += 1);
    }
    cohorts.into_iter().map(|((since, _), alive)| CohortCounts { since, alive }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn months_end_where_they_end() {
        let made = |began, until| RenewalInterval::Month.made(day(began), day(until));
        assert_eq!(made("2026-01-31", "2026-02-27"), 0);
        assert_eq!(made("2026-01-31", "2026-02-28"), 1, "February has no 31st");
        assert_eq!(made("2026-01-31", "2026-03-30"), 1);
        assert_eq!(made("2026-01-31", "2026-03-31"), 2);
        assert_eq!(RenewalInterval::Year.made(day("2024-02-29"), day("2026-02-28")), 2);
        assert_eq!(RenewalInterval::Quarter.made(day("2026-01-15"), day("2026-07-14")), 1);
        assert_eq!(RenewalInterval::Week.made(day("2026-01-01"), day("2026-01-15")), 2);
    }
}

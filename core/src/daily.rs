//! Usage by calendar day: exact sums and gauges, in a few bytes each.

mod cells;
mod days;
mod samples;
mod sum;

use crate::rare::Rare;
use crate::time::{Day, Month};
pub(crate) use cells::{Cell, Cells};
use days::Days;
pub(crate) use samples::Samples;
use serde::{Deserialize, Serialize};
use sum::Sum;

/// Sums by calendar day; after a seal, by month for what is before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DaySums {
    days: Days,
    #[serde(with = "crate::rare")]
    sealed: Rare<SealedSums>,
}

/// What is left of the days before a seal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct SealedSums {
    months: Cells<Month, Sum>,
    /// First and last day with usage before the seal.
    span: Option<(Day, Day)>,
}

impl DaySums {
    pub(crate) fn add(&mut self, day: Day, micros: i128) {
        self.days.add(day, micros);
    }

    pub(crate) fn warm(&self) -> u64 {
        self.days.warm()
    }

    /// Makes room for so many days more.
    pub(crate) fn reserve(&mut self, days: usize) {
        self.days.reserve(days);
    }

    /// The sum of some days, both ends included. Days before the seal count only as whole months: the caller has
    /// checked that.
    pub(crate) fn sum(&self, first: Day, last: Day) -> i128 {
        let days = self.days.sum(first, last);
        let Some(sealed) = &self.sealed else { return days };
        let whole = |month: Month| month.first_day() >= first && month.plus(1).first_day().plus(-1) <= last;
        let months = sealed.months.range(first.month(), last.month()).iter().filter(|cell| whole(cell.key));
        days + months.map(|cell| cell.value.micros()).sum::<i128>()
    }

    /// The days from one to another with a sum above 0.
    pub(crate) fn used(&self, first: Day, last: Day) -> impl Iterator<Item = Day> {
        self.days.used(first, last)
    }

    /// Whether one of the days from one to another has a sum above 0.
    pub(crate) fn is_used(&self, first: Day, last: Day) -> bool {
        self.days.is_used(first, last)
    }

    /// Day by day sums.
    pub(crate) fn days(&self, first: Day, last: Day) -> impl Iterator<Item = (Day, i128)> {
        self.days.range(first, last)
    }

    /// The last day with usage at or before a day. What is behind a seal is known by its first and last day only, so a
    /// day between them answers `Err`.
    pub(crate) fn last_used(&self, through: Day) -> Result<Option<Day>, Sealed> {
        let kept = self.days.newest_used(through);
        match (kept, self.sealed.as_ref().and_then(|sealed| sealed.span)) {
            (Some(day), _) => Ok(Some(day)),
            (None, Some((_, last))) if last <= through => Ok(Some(last)),
            (None, Some((first, _))) if first <= through => Err(Sealed),
            (None, _) => Ok(None),
        }
    }

    pub(crate) fn join(&mut self, other: Self) {
        for (day, micros) in other.days.iter() {
            self.add(day, micros);
        }
        let Some(theirs) = other.sealed else { return };
        let ours = self.sealed.get_or_insert_default();
        for cell in theirs.months.into_cells() {
            ours.months.merge(cell.key, cell.value, Sum::join);
        }
        ours.span = join_spans(ours.span, theirs.span);
    }

    /// Gives up the days before one, keeping sums by month.
    pub(crate) fn seal(&mut self, before: Day) {
        for (day, micros) in self.days.split_before(before) {
            let sealed = self.sealed.get_or_insert_default();
            sealed.months.merge(day.month(), Sum::of(micros), Sum::join);
            if micros > 0 {
                sealed.span = join_spans(sealed.span, Some((day, day)));
            }
        }
    }
}

fn join_spans(a: Option<(Day, Day)>, b: Option<(Day, Day)>) -> Option<(Day, Day)> {
    match (a, b) {
        (Some((a_first, a_last)), Some((b_first, b_last))) => {
            Some((a_first.min(b_first), a_last.max(b_last)))
        }
        (one, other) => one.or(other),
    }
}

/// The detail that a question needs is behind the seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sealed;

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i32) -> Day {
        Day::from_epoch(n)
    }

    #[test]
    fn days_are_kept_in_order_whatever_comes() {
        let mut sums = DaySums::default();
        for n in [5, 3, 9, 3, 7] {
            sums.add(day(n), 1_000_000);
        }
        sums.add(day(9), -1_000_000);
        assert_eq!(sums.sum(day(3), day(7)), 4_000_000);
        assert_eq!(sums.used(day(0), day(99)).collect::<Vec<_>>(), [day(3), day(5), day(7)]);
        assert_eq!(sums.last_used(day(99)), Ok(Some(day(7))), "a day that sums to 0 is no day with usage");
    }

    /// A sum beside the packed ones has no bits of its own, so its day is the least that can stand there.
    #[test]
    fn a_window_may_begin_and_end_with_a_great_sum() {
        let mut sums = DaySums::default();
        let great = 1_000_000_000_000_000_000;
        for (n, from_the_fourth) in [(3, 0), (5, great), (9, 2 * great)] {
            sums.add(day(n), great);
            let windows = [(n, n), (n, 99), (4, n)].map(|(first, last)| sums.sum(day(first), day(last)));
            assert_eq!(windows, [great, great, from_the_fourth], "{n}");
            assert_eq!(sums.last_used(day(n)), Ok(Some(day(n))));
            assert_eq!(sums.sum(day(n + 1), day(99)), 0);
        }
    }

    #[test]
    fn packed_sums_are_those_of_a_plain_map() {
        use std::collections::BTreeMap;
        const EDGE: i128 = 1 << 45;
        let greatest = 1_000_000_000_000_000_000i128;
        let mut sums = DaySums::default();
        let mut plain: BTreeMap<i32, i128> = BTreeMap::new();
        let steps = [EDGE - 1, 1, -1, -EDGE, -EDGE, 1, greatest, -greatest, 0, 5, -5, 1 - EDGE, -1];
        for (n, micros) in steps.iter().cycle().take(400).enumerate() {
            let number = [3, -1, 84_006, 0, 70, 3, 69][n % 7];
            sums.add(day(number), *micros);
            *plain.entry(number).or_default() += micros;
            let kept: Vec<(i32, i128)> =
                sums.days(day(i32::MIN), day(i32::MAX)).map(|(d, m)| (d.number(), m)).collect();
            assert_eq!(kept, plain.clone().into_iter().collect::<Vec<_>>());
            for (from, to) in [(-1, 0), (0, 69), (3, 3), (71, 84_006), (4, 2)] {
                let expected: i128 =
                    plain.iter().filter(|(d, _)| (from..=to).contains(*d)).map(|(_, m)| m).sum();
                assert_eq!(sums.sum(day(from), day(to)), expected);
            }
            let bytes = postcard::to_stdvec(&sums).unwrap();
            assert_eq!(
                postcard::from_bytes::<DaySums>(&bytes).unwrap(),
                sums,
                "wide exactly where it must be"
            );
        }
    }

    /// Few days are looked through and many are searched; both find what a plain list has.
    #[test]
    fn windows_of_few_days_and_of_many_are_those_of_a_plain_list() {
        let mut sums = DaySums::default();
        let mut plain: Vec<(i32, i128)> = Vec::new();
        for n in 0..40 {
            let micros = [0, -7, 1 << 50, 4_096_000_000, i128::from(n)][plain.len() % 5];
            sums.add(day(3 * n), micros);
            plain.push((3 * n, micros));
            for first in -1..=3 * n + 1 {
                for last in [first - 1, first, first + 4, first + 28, 200] {
                    let inside = plain.iter().filter(|(day, _)| (first..=last).contains(day));
                    let used: Vec<i32> =
                        inside.clone().filter(|(_, micros)| *micros > 0).map(|(day, _)| *day).collect();
                    let expected: i128 = inside.map(|(_, micros)| micros).sum();
                    assert_eq!(sums.sum(day(first), day(last)), expected, "{first} to {last} of {n}");
                    let found: Vec<i32> = sums.used(day(first), day(last)).map(Day::number).collect();
                    assert_eq!(
                        sums.is_used(day(first), day(last)),
                        !used.is_empty(),
                        "{first} to {last} of {n}"
                    );
                    assert_eq!(found, used, "{first} to {last} of {n}");
                }
                let last = plain.iter().rfind(|(day, micros)| *day <= first && *micros > 0);
                assert_eq!(sums.last_used(day(first)), Ok(last.map(|(number, _)| day(*number))));
            }
        }
    }

    #[test]
    fn a_window_is_found_whatever_the_newest_day_sums_up_to() {
        // What a sum has in its low bits must not be taken for a day: 0, and 4 096 = 2^12, of which 10^6 make 2^18 x 15 625.
        for newest in [0, 4_096_000_000, 7] {
            let mut sums = DaySums::default();
            for (n, micros) in [(3, 1), (5, 2), (8, 4), (9, newest)] {
                sums.add(day(n), micros);
            }
            assert_eq!((sums.sum(day(3), day(5)), sums.sum(day(4), day(8))), (1 + 2, 2 + 4), "{newest}");
            assert_eq!(sums.sum(day(8), day(9)), 4 + newest);
        }
    }

    #[test]
    fn a_seal_keeps_sums_by_month_and_the_last_day_of_use() {
        let mut sums = DaySums::default();
        for (text, n) in [("2026-01-05", 1), ("2026-01-30", 2), ("2026-02-02", 4), ("2026-03-01", 8)] {
            sums.add(text.parse().unwrap(), n);
        }
        sums.seal("2026-03-01".parse().unwrap());
        let (first, last) = ("2026-01-01".parse().unwrap(), "2026-03-31".parse().unwrap());
        assert_eq!(sums.sum(first, last), 15);
        assert_eq!(sums.last_used("2026-02-20".parse().unwrap()), Ok(Some("2026-02-02".parse().unwrap())));
        assert_eq!(sums.last_used("2026-01-20".parse().unwrap()), Err(Sealed));
        assert_eq!(sums.last_used("2026-01-04".parse().unwrap()), Ok(None));
    }

    #[test]
    fn a_seal_keeps_the_first_day_of_use_too() {
        let (mut sums, mut other) = (DaySums::default(), DaySums::default());
        // A day that sums to 0 is no day of use, here as behind the seal.
        for (n, micros) in [(10, 0), (12, 3), (20, 4), (25, 0)] {
            sums.add(day(n), micros);
        }
        other.add(day(5), 1);
        sums.seal(day(40));
        other.seal(day(40));
        assert_eq!(sums.last_used(day(11)), Ok(None));
        assert_eq!((sums.last_used(day(12)), sums.last_used(day(19))), (Err(Sealed), Err(Sealed)));
        assert_eq!(
            (sums.last_used(day(20)), sums.last_used(day(30))),
            (Ok(Some(day(20))), Ok(Some(day(20))))
        );
        // The other engine knows of an earlier day, so what was nothing is behind the seal now.
        sums.join(other);
        assert_eq!((sums.last_used(day(4)), sums.last_used(day(5))), (Ok(None), Err(Sealed)));
        assert_eq!(sums.last_used(day(20)), Ok(Some(day(20))));
        assert_eq!(sums.sum(day(0), day(30)), 8, "January 1970 as a whole: 3 + 4 + 1");
        assert_eq!(sums.sum(day(0), day(29)), 0, "the last day of January is its day 30");
        assert_eq!(sums.sum(day(1), day(30)), 0);
    }
}

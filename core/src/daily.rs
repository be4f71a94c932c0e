//! Usage by calendar day: exact sums, gauges and who was active, in a few bytes each.

use crate::quantity::Quantity;
use crate::rare::Rare;
use crate::sorted::{make_room, make_room_for};
use crate::time::{Day, Month};
use crate::timeline::Stamp;
use serde::{Deserialize, Deserializer, Serialize};

/// An exact sum of quantities in units of 10^-6. 96 bits hold 4 x 10^10 of the greatest quantities there are, more than
/// identities fit in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    high: i32,
    low: [u32; 2],
}

impl Sum {
    pub(crate) fn micros(self) -> i128 {
        let [low, middle] = self.low;
        (i128::from(self.high) << 64) | (i128::from(middle) << 32) | i128::from(low)
    }

    pub(crate) fn add(&mut self, micros: i128) {
        *self = Self::of(self.micros() + micros);
    }

    fn join(&mut self, other: Self) {
        self.add(other.micros());
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "takes the words of a number apart"
    )]
    fn of(micros: i128) -> Self {
        Self { high: (micros >> 64) as i32, low: [micros as u32, (micros >> 32) as u32] }
    }
}

impl Serialize for Sum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.micros().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let micros = i128::deserialize(deserializer)?;
        let sum = Self::of(micros);
        if sum.micros() == micros && micros.unsigned_abs() < 1 << 94 {
            Ok(sum)
        } else {
            Err(serde::de::Error::custom("a sum is beyond its range"))
        }
    }
}

/// One value for a calendar day or month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cell<K, T> {
    pub(crate) key: K,
    pub(crate) value: T,
}

/// Cells in order of day (or month), each at most once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Cells<K, T> {
    cells: Vec<Cell<K, T>>,
}

impl<K, T> Default for Cells<K, T> {
    fn default() -> Self {
        Self { cells: Vec::new() }
    }
}

impl<K: Ord + Copy, T> Cells<K, T> {
    /// Puts a value in its place; `join` says what becomes of it where there is one already.
    pub(crate) fn merge(&mut self, key: K, value: T, join: impl FnOnce(&mut T, T)) {
        // Events mostly come in the order of time, so the last cell is the likely one.
        let place = match self.cells.last() {
            Some(last) if last.key == key => Ok(self.cells.len() - 1),
            Some(last) if last.key > key => self.cells.binary_search_by_key(&key, |cell| cell.key),
            _ => Err(self.cells.len()),
        };
        match place {
            Ok(place) => {
                if let Some(cell) = self.cells.get_mut(place) {
                    join(&mut cell.value, value);
                }
            }
            Err(place) => {
                make_room(&mut self.cells);
                self.cells.insert(place, Cell { key, value });
            }
        }
    }

    fn remove(&mut self, key: K) {
        self.cells.retain(|cell| cell.key != key);
    }

    /// The cells from one key to another, both included.
    pub(crate) fn range(&self, first: K, last: K) -> &[Cell<K, T>] {
        let start = self.cells.partition_point(|cell| cell.key < first);
        let end = self.cells.partition_point(|cell| cell.key <= last);
        self.cells.get(start..end).unwrap_or_default()
    }

    /// The cells up to a key.
    pub(crate) fn up_to(&self, last: K) -> &[Cell<K, T>] {
        let end = self.cells.partition_point(|cell| cell.key <= last);
        self.cells.get(..end).unwrap_or_default()
    }

    /// Takes out the cells before a key.
    pub(crate) fn split_before(&mut self, key: K) -> Vec<Cell<K, T>> {
        let n = self.cells.partition_point(|cell| cell.key < key);
        let behind = self.cells.split_off(n);
        std::mem::replace(&mut self.cells, behind)
    }

    pub(crate) fn into_cells(self) -> Vec<Cell<K, T>> {
        self.cells
    }
}

impl<'de, K: Ord + Deserialize<'de>, T: Deserialize<'de>> Deserialize<'de> for Cells<K, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let cells = Vec::<Cell<K, T>>::deserialize(deserializer)?;
        if cells.is_sorted_by(|a, b| a.key < b.key) {
            Ok(Self { cells })
        } else {
            Err(serde::de::Error::custom("the cells of days are not in order"))
        }
    }
}

const SUM_BITS: u32 = 46;
const SUM_MASK: u64 = (1 << SUM_BITS) - 1;
/// What is added to a packed sum, so that it is above 0; 0 says that the sum stands beside.
const BIAS: i64 = 1 << (SUM_BITS - 1);
/// What is added to the number of a day, so that it is not below 0.
const DAY_BIAS: i32 = 64;

/// So many days are looked through one by one.
const FEW_DAYS: usize = 16;

/// Sums by day in 8 bytes each: 18 bits of the day and 46 of the sum, which are 35 million with six digits behind the
/// point. The rare sum beyond that stands in a list beside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Days {
    packed: Vec<u64>,
    wide: Option<Box<Cells<Day, Sum>>>,
}

/// The bits of a day, in their place. Days far outside of the years that are kept come before or behind all others.
fn day_bits(day: Day) -> u64 {
    let number = day.number().saturating_add(DAY_BIAS).clamp(0, (1 << (64 - SUM_BITS)) - 1);
    u64::from(number.unsigned_abs()) << SUM_BITS
}

/// The bits of the day behind one; no day that is kept has all bits.
fn bits_behind(day: Day) -> u64 {
    (day_bits(day) | SUM_MASK).saturating_add(1)
}

fn day_of(packed: u64) -> Day {
    Day::from_epoch(i32::try_from(packed >> SUM_BITS).unwrap_or(0) - DAY_BIAS)
}

/// The sum that stands in the bits.
fn sum_in(packed: u64) -> i64 {
    (packed & SUM_MASK).cast_signed() - BIAS
}

impl Days {
    fn sum_of(&self, packed: u64) -> i128 {
        match packed & SUM_MASK {
            0 => {
                let cells = self.wide.as_ref().map(|wide| wide.range(day_of(packed), day_of(packed)));
                cells.and_then(<[_]>::first).map_or(0, |cell| cell.value.micros())
            }
            _ => sum_in(packed).into(),
        }
    }

    /// Whether the sum of a day is above 0.
    fn is_used(&self, packed: u64) -> bool {
        match packed & SUM_MASK {
            0 => self.sum_of(packed) > 0,
            _ => sum_in(packed) > 0,
        }
    }

    fn add(&mut self, day: Day, micros: i128) {
        let bits = day_bits(day);
        // Events mostly come in the order of time, so the last day is the likely one.
        let place = match self.packed.last() {
            Some(last) if *last >= bits => match self.packed.len() - 1 {
                at if *last & !SUM_MASK == bits => at,
                _ => self.packed.partition_point(|packed| *packed < bits),
            },
            _ => self.packed.len(),
        };
        let before = self.packed.get(place).copied().filter(|packed| packed & !SUM_MASK == bits);
        let sum = before.map_or(0, |packed| self.sum_of(packed)) + micros;
        let was_wide = before.is_some_and(|packed| packed & SUM_MASK == 0);
        let fits = u64::try_from(sum + i128::from(BIAS)).ok().filter(|sum| (1..=SUM_MASK).contains(sum));
        match fits {
            Some(_) if was_wide => self.wide.as_mut().into_iter().for_each(|wide| wide.remove(day)),
            Some(_) => {}
            None => {
                let wide = self.wide.get_or_insert_default();
                wide.merge(day, Sum::of(sum), |known, new| *known = new);
            }
        }
        let packed = bits | fits.unwrap_or(0);
        match (before, self.packed.get_mut(place)) {
            (Some(_), Some(slot)) => *slot = packed,
            _ => {
                make_room(&mut self.packed);
                self.packed.insert(place, packed);
            }
        }
    }

    fn between(&self, first: Day, last: Day) -> &[u64] {
        let through = self.through(last);
        through.get(self.count_below(day_bits(first))..).unwrap_or_default()
    }

    fn through(&self, last: Day) -> &[u64] {
        self.packed.get(..self.count_below(bits_behind(last))).unwrap_or_default()
    }

    /// The last day through one with a sum above 0.
    fn newest_used(&self, through: Day) -> Option<u64> {
        let behind = bits_behind(through);
        let days = if self.packed.len() > FEW_DAYS { self.through(through) } else { &self.packed };
        days.iter().rev().copied().find(|packed| *packed < behind && self.is_used(*packed))
    }

    /// How many days and sums are below some bits.
    fn count_below(&self, bits: u64) -> usize {
        if self.packed.len() <= FEW_DAYS {
            let behind = self.packed.iter().rev().take_while(|packed| **packed >= bits).count();
            return self.packed.len() - behind;
        }
        let Some(newest) = self.packed.last().filter(|newest| **newest >= bits) else {
            return self.packed.len();
        };
        // A day stands here once, so as many days as are between one and the newest, so many can stand behind it: of a
        // window near the end nothing else is touched.
        let behind = usize::try_from((newest >> SUM_BITS) - (bits >> SUM_BITS)).unwrap_or(usize::MAX);
        let known = self.packed.len().saturating_sub(behind.saturating_add(1));
        let rest = self.packed.get(known..).unwrap_or_default();
        known + rest.partition_point(|packed| *packed < bits)
    }

    /// See [`ClientState::warm`](crate::state::ClientState::warm).
    fn warm(&self) -> u64 {
        self.packed.last().copied().unwrap_or(0)
    }

    /// The days from one to another, both included, and their sums.
    fn range(&self, first: Day, last: Day) -> impl DoubleEndedIterator<Item = (Day, i128)> {
        self.between(first, last).iter().map(|packed| (day_of(*packed), self.sum_of(*packed)))
    }

    /// What these days sum up to.
    fn sum(&self, first: Day, last: Day) -> i128 {
        if self.wide.is_some() {
            return self.range(first, last).map(|(_, sum)| sum).sum();
        }
        // As many days as there are fit 46 bits each in 64, sign and all.
        let add = |so_far: i64, packed: u64| so_far.wrapping_add(sum_in(packed));
        if self.packed.len() > FEW_DAYS {
            return self.between(first, last).iter().fold(0, |sum, packed| add(sum, *packed)).into();
        }
        // To look at every day is sooner done than to find where the first and the last of them stand.
        let (from, behind) = (day_bits(first), bits_behind(last));
        let inside = |packed: u64| from <= packed && packed < behind;
        self.packed.iter().fold(0, |sum, packed| if inside(*packed) { add(sum, *packed) } else { sum }).into()
    }

    fn iter(&self) -> impl ExactSizeIterator<Item = (Day, i128)> {
        self.packed.iter().map(|packed| (day_of(*packed), self.sum_of(*packed)))
    }

    /// Takes out the days before one.
    fn split_before(&mut self, day: Day) -> Vec<(Day, i128)> {
        let taken: Vec<(Day, i128)> = self.iter().take_while(|(taken, _)| *taken < day).collect();
        self.packed.drain(..taken.len());
        self.packed.shrink_to_fit();
        if let Some(wide) = &mut self.wide {
            wide.split_before(day);
        }
        taken
    }
}

impl Serialize for Days {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(|(key, micros)| Cell { key, value: Sum::of(micros) }))
    }
}

impl<'de> Deserialize<'de> for Days {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let cells = Cells::<Day, Sum>::deserialize(deserializer)?;
        let mut days = Self { packed: Vec::with_capacity(cells.cells.len()), wide: None };
        for cell in cells.into_cells() {
            days.add(cell.key, cell.value.micros());
        }
        Ok(days)
    }
}

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
        make_room_for(&mut self.days.packed, days);
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
        let days = self.days.between(first, last).iter();
        days.filter(|packed| self.days.is_used(**packed)).map(|packed| day_of(*packed))
    }

    /// Whether one of the days from one to another has a sum above 0.
    pub(crate) fn is_used(&self, first: Day, last: Day) -> bool {
        self.days.newest_used(last).is_some_and(|packed| packed >= day_bits(first))
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
            (Some(packed), _) => Ok(Some(day_of(packed))),
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

/// The samples of a gauge on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Samples {
    #[serde(deserialize_with = "read_sample_count")]
    pub(crate) count: u64,
    pub(crate) sum: Sum,
    pub(crate) least: Quantity,
    pub(crate) greatest: Quantity,
    pub(crate) last: Quantity,
    pub(crate) last_at: Stamp,
}

/// A count that can be divided by, and that adds up without an end in sight.
fn read_sample_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let count = u64::deserialize(deserializer)?;
    let known = (1..1 << 62).contains(&count);
    known.then_some(count).ok_or_else(|| serde::de::Error::custom("a number of samples beyond its range"))
}

impl Samples {
    pub(crate) fn one(value: Quantity, at: Stamp) -> Self {
        let mut sum = Sum::default();
        sum.add(i128::from(value.micros()));
        Self { count: 1, sum, least: value, greatest: value, last: value, last_at: at }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.count += other.count;
        self.sum.add(other.sum.micros());
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        if other.last_at > self.last_at {
            self.last = other.last;
            self.last_at = other.last_at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i32) -> Day {
        Day::from_epoch(n)
    }

    #[test]
    fn sums_hold_the_greatest_quantities() {
        let mut sum = Sum::default();
        let greatest = 1_000_000_000_000_000_000i128;
        for _ in 0..100 {
            sum.add(greatest);
        }
        assert_eq!(sum.micros(), greatest * 100);
        for _ in 0..300 {
            sum.add(-greatest);
        }
        assert_eq!(sum.micros(), greatest * -200);
        // More digits than a binary float has.
        sum.add(1);
        assert_eq!(sum.micros(), greatest * -200 + 1);
        let mut small = Sum::default();
        small.add(-1);
        assert_eq!(small.micros(), -1);
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
                    assert_eq!(sums.is_used(day(first), day(last)), !found.is_empty());
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
    fn saved_days_are_in_strict_order() {
        let read = |days: &[i32]| {
            let cells: Vec<Cell<Day, Sum>> =
                days.iter().map(|n| Cell { key: day(*n), value: Sum::of(5) }).collect();
            let bytes = postcard::to_stdvec(&cells).unwrap();
            let kept = postcard::from_bytes::<Cells<Day, Sum>>(&bytes).map(|cells| cells.cells.len());
            assert_eq!(kept.is_ok(), postcard::from_bytes::<Days>(&bytes).is_ok());
            kept
        };
        assert_eq!((read(&[]), read(&[3, 4])), (Ok(0), Ok(2)));
        assert!(read(&[4, 3]).is_err() && read(&[3, 3]).is_err());
    }

    #[test]
    fn saved_sums_and_counts_leave_room_to_add_up() {
        let sum = |micros: i128| {
            postcard::from_bytes::<Sum>(&postcard::to_stdvec(&micros).unwrap()).map(Sum::micros)
        };
        // 2^94 is a quarter of what 96 bits hold, so two that were read still add up.
        let most = (1 << 94) - 1;
        assert_eq!((sum(most), sum(-most), sum(0)), (Ok(most), Ok(-most), Ok(0)));
        assert!(sum(most + 1).is_err() && sum(-most - 1).is_err());
        // 2^100 + 5 has the same low 96 bits as 5.
        assert!(sum((1 << 100) + 5).is_err() && sum(i128::MIN).is_err());

        let stamp = Stamp::of(&crate::event::Event::from_json(
            br#"{"id":"1","source":"s","type":"client.set","subject":"a","time":"2026-01-05T10:00:00Z","data":{}}"#,
        ).unwrap());
        let samples = |count: u64| {
            let samples = Samples { count, ..Samples::one(Quantity::ONE, stamp.clone()) };
            postcard::from_bytes::<Samples>(&postcard::to_stdvec(&samples).unwrap()).map(|read| read.count)
        };
        let most = (1 << 62) - 1;
        assert_eq!((samples(1), samples(most)), (Ok(1), Ok(most)));
        assert!(samples(0).is_err() && samples(most + 1).is_err());
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

//! Sums by day, packed in 8 bytes each.

use super::{Cell, Cells, Sum};
use crate::sorted::{make_room, make_room_for};
use crate::time::Day;
use serde::{Deserialize, Deserializer, Serialize};

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
pub(super) struct Days {
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

/// The bits of a sum, if it has a place among them.
fn fitting(sum: i128) -> Option<u64> {
    u64::try_from(sum + i128::from(BIAS)).ok().filter(|sum| (1..=SUM_MASK).contains(sum))
}

/// The sum that stands in the bits.
fn sum_in(packed: u64) -> i64 {
    (packed & SUM_MASK).cast_signed() - BIAS
}

impl Days {
    /// Makes room for so many days more.
    pub(super) fn reserve(&mut self, days: usize) {
        make_room_for(&mut self.packed, days);
    }

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
    fn is_above_0(&self, packed: u64) -> bool {
        match packed & SUM_MASK {
            0 => self.sum_of(packed) > 0,
            _ => sum_in(packed) > 0,
        }
    }

    pub(super) fn add(&mut self, day: Day, micros: i128) {
        let bits = day_bits(day);
        // Most events are of a day behind all others, and most sums are no wide ones.
        if self.packed.last().is_none_or(|last| last | SUM_MASK < bits)
            && let Some(sum) = fitting(micros)
        {
            make_room(&mut self.packed);
            self.packed.push(bits | sum);
            return;
        }
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
        let fits = fitting(sum);
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

    /// The days from one to another, both included, with a sum above 0.
    pub(super) fn used(&self, first: Day, last: Day) -> impl Iterator<Item = Day> {
        let days = self.between(first, last).iter();
        days.filter(|packed| self.is_above_0(**packed)).map(|packed| day_of(*packed))
    }

    /// Whether one of the days from one to another has a sum above 0.
    pub(super) fn is_used(&self, first: Day, last: Day) -> bool {
        let from = day_bits(first);
        // Of a client that is there the newest days are days of use.
        self.newest_first(last).take_while(|packed| *packed >= from).any(|packed| self.is_above_0(packed))
    }

    /// The last day through one with a sum above 0.
    pub(super) fn newest_used(&self, through: Day) -> Option<Day> {
        self.newest_first(through).find(|packed| self.is_above_0(*packed)).map(day_of)
    }

    /// The days through one, the newest first. Of few days none is searched for.
    fn newest_first(&self, through: Day) -> impl Iterator<Item = u64> {
        let behind = bits_behind(through);
        let days = if self.packed.len() > FEW_DAYS { self.through(through) } else { &self.packed };
        days.iter().rev().copied().filter(move |packed| *packed < behind)
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
    pub(super) fn warm(&self) -> u64 {
        self.packed.last().copied().unwrap_or(0)
    }

    /// The days from one to another, both included, and their sums.
    pub(super) fn range(&self, first: Day, last: Day) -> impl DoubleEndedIterator<Item = (Day, i128)> {
        self.between(first, last).iter().map(|packed| (day_of(*packed), self.sum_of(*packed)))
    }

    /// What these days sum up to.
    pub(super) fn sum(&self, first: Day, last: Day) -> i128 {
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

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (Day, i128)> {
        self.packed.iter().map(|packed| (day_of(*packed), self.sum_of(*packed)))
    }

    /// Takes out the days before one.
    pub(super) fn split_before(&mut self, day: Day) -> Vec<(Day, i128)> {
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
        let cells = cells.into_cells();
        let mut days = Self { packed: Vec::with_capacity(cells.len()), wide: None };
        for cell in cells {
            days.add(cell.key, cell.value.micros());
        }
        Ok(days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_days_are_in_strict_order() {
        let read = |days: &[i32]| {
            let cells: Vec<Cell<Day, Sum>> =
                days.iter().map(|n| Cell { key: Day::from_epoch(*n), value: Sum::of(5) }).collect();
            let bytes = postcard::to_stdvec(&cells).unwrap();
            let kept = postcard::from_bytes::<Cells<Day, Sum>>(&bytes).map(|cells| cells.into_cells().len());
            assert_eq!(kept.is_ok(), postcard::from_bytes::<Days>(&bytes).is_ok());
            kept
        };
        assert_eq!((read(&[]), read(&[3, 4])), (Ok(0), Ok(2)));
        assert!(read(&[4, 3]).is_err() && read(&[3, 3]).is_err());
    }
}

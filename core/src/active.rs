//! Who was active on which day, in 4 bytes a user and day.

use crate::sorted::make_room;
use crate::time::Day;
use serde::{Deserialize, Deserializer, Serialize};

/// The number of a user within one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct UserNumber(pub(crate) u32);

const DAYS_IN_BLOCK: i32 = 64;
const USER_BITS: u32 = 26;
/// So many entries are passed by one by one.
const FEW_ENTRIES: usize = 32;
/// The greatest number of users a client can have.
pub(crate) const MAX_USERS: usize = 1 << USER_BITS;

/// Which users were active on which day: 4 bytes each.
///
/// Days are grouped by 64, so that an event that comes late moves the entries of one block and not of years.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct UserDays {
    /// Number of the block, and its entries in order: day within the block (6 bits), user (26 bits).
    blocks: Vec<(i32, Vec<u32>)>,
}

impl<'de> Deserialize<'de> for UserDays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let blocks = Vec::<(i32, Vec<u32>)>::deserialize(deserializer)?;
        let days =
            |block: &i32| block.checked_mul(DAYS_IN_BLOCK).is_some_and(|n| (-64..=84_096).contains(&n));
        let in_order = blocks.is_sorted_by(|a, b| a.0 < b.0)
            && blocks.iter().all(|(block, _)| days(block))
            && blocks.iter().all(|(_, entries)| !entries.is_empty() && entries.is_sorted_by(|a, b| a < b));
        if in_order {
            Ok(Self { blocks })
        } else {
            Err(serde::de::Error::custom("days of users are not in order"))
        }
    }
}

fn packed(day: Day, user: UserNumber) -> (i32, u32) {
    let block = day.number().div_euclid(DAYS_IN_BLOCK);
    let within = day.number().rem_euclid(DAYS_IN_BLOCK).unsigned_abs();
    (block, within << USER_BITS | user.0)
}

fn unpacked(block: i32, entry: u32) -> (Day, UserNumber) {
    let within = i32::try_from(entry >> USER_BITS).unwrap_or(0);
    (Day::from_epoch(block * DAYS_IN_BLOCK + within), UserNumber(entry & ((1 << USER_BITS) - 1)))
}

/// The entries through one.
fn through(entries: &[u32], to: u32) -> &[u32] {
    // Of many entries the last is searched; of few those behind it are passed by.
    let end = if entries.len() > FEW_ENTRIES {
        entries.partition_point(|entry| *entry <= to)
    } else {
        entries.iter().rposition(|entry| *entry <= to).map_or(0, |last| last + 1)
    };
    entries.get(..end).unwrap_or_default()
}

impl UserDays {
    pub(crate) fn insert(&mut self, day: Day, user: UserNumber) {
        let (block, entry) = packed(day, user);
        let place = match self.blocks.last() {
            Some((last, _)) if *last == block => Ok(self.blocks.len() - 1),
            _ => self.blocks.binary_search_by_key(&block, |(number, _)| *number),
        };
        let place = place.unwrap_or_else(|place| {
            make_room(&mut self.blocks);
            self.blocks.insert(place, (block, Vec::new()));
            place
        });
        #[expect(clippy::indexing_slicing, reason = "the place was just found or made")]
        let entries = &mut self.blocks[place].1;
        if entries.last().is_none_or(|last| *last < entry) {
            make_room(entries);
            entries.push(entry);
        } else if let Err(place) = entries.binary_search(&entry) {
            make_room(entries);
            entries.insert(place, entry);
        }
    }

    /// Shows who was active on the days from one to another, both included; a user once for each of its days.
    pub(crate) fn each_within(&self, first: Day, last: Day, mut see: impl FnMut(UserNumber)) {
        let ((first_block, from), (last_block, to)) =
            (packed(first, UserNumber(0)), packed(last, UserNumber((1 << USER_BITS) - 1)));
        // Most windows end in one of the last blocks.
        let blocks = self.blocks.iter().rev().skip_while(|(number, _)| *number > last_block);
        for (number, entries) in blocks.take_while(|(number, _)| *number >= first_block) {
            let from = if *number == first_block { from } else { 0 };
            let to = if *number == last_block { to } else { u32::MAX };
            for entry in through(entries, to).iter().rev().take_while(|entry| **entry >= from) {
                see(UserNumber(*entry & ((1 << USER_BITS) - 1)));
            }
        }
    }

    pub(crate) fn warm_lists(&self) -> u64 {
        self.blocks.last().map_or(0, |(_, entries)| entries.len() as u64)
    }

    pub(crate) fn warm(&self) -> u64 {
        let newest = self.blocks.iter().rev().take(2).filter_map(|(_, entries)| entries.last());
        newest.map(|entry| u64::from(*entry)).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Day, UserNumber)> {
        self.blocks
            .iter()
            .flat_map(|(number, entries)| entries.iter().map(move |entry| unpacked(*number, *entry)))
    }

    /// Gives up the days before one.
    pub(crate) fn seal(&mut self, before: Day) {
        let (block, from) = packed(before, UserNumber(0));
        self.blocks.retain_mut(|(number, entries)| {
            if *number == block {
                entries.retain(|entry| *entry >= from);
            }
            *number >= block && !entries.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i32) -> Day {
        Day::from_epoch(n)
    }

    #[test]
    fn user_days_across_blocks() {
        let mut active = UserDays::default();
        for (d, u) in [(-1, 0), (63, 1), (64, 0), (0, 5), (64, 0), (200, 2)] {
            active.insert(day(d), UserNumber(u));
        }
        let found = |first, last| {
            let mut found = Vec::new();
            active.each_within(day(first), day(last), |user| found.push(user.0));
            found.sort_unstable();
            found
        };
        assert_eq!((found(0, 64), found(-1, 0), found(1, 62)), (vec![0, 1, 5], vec![0, 5], vec![]));
        assert_eq!((found(63, 63), found(64, 199), found(200, 999)), (vec![1], vec![0], vec![2]));
        assert_eq!(active.iter().count(), 5);
        active.seal(day(64));
        assert_eq!(active.iter().map(|(d, _)| d.number()).collect::<Vec<_>>(), [64, 200]);
    }

    #[test]
    fn saved_days_of_users_are_in_strict_order_within_the_years_that_are_kept() {
        let read = |blocks: &[(i32, &[u32])]| {
            let bytes = postcard::to_stdvec(blocks).unwrap();
            postcard::from_bytes::<UserDays>(&bytes).map(|days| days.iter().count())
        };
        assert_eq!((read(&[]), read(&[(0, &[1, 2]), (1, &[1])])), (Ok(0), Ok(3)));
        for unordered in [[(1, &[1][..]), (0, &[1])], [(1, &[1]), (1, &[2])], [(0, &[2, 1]), (1, &[1])]] {
            assert!(read(&unordered).is_err(), "{unordered:?}");
        }
        assert!(read(&[(0, &[1, 1])]).is_err(), "a user stands once for each day");
        assert!(read(&[(0, &[])]).is_err(), "a block that holds nobody is not written");
        // Blocks of 64 days: the one before 1970, which zones reach, and the one of 84 096 = 1314 x 64, which begins
        // in March 2200.
        assert_eq!((read(&[(-1, &[1])]), read(&[(1314, &[1])])), (Ok(1), Ok(1)));
        assert!(read(&[(-2, &[1])]).is_err() && read(&[(1315, &[1])]).is_err());
        assert!(read(&[(i32::MAX, &[1])]).is_err() && read(&[(i32::MIN, &[1])]).is_err());
    }
}

//! A list in order that takes as little room as a plain one while it is short, and stays quick to fill in any order when it
//! is long.
//!
//! Most lists hold a handful of items and are one stretch of memory. A long one is cut into blocks, so that an item that
//! comes late moves those of its block and not all behind it. Where the blocks are cut shows nowhere but here.

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use std::cmp::Ordering;

/// Makes room for one more. Lists grow by a quarter, since doubling would leave a third of a book's memory empty; those
/// of small things by a few at once, since no allocator hands out less.
pub(crate) fn make_room<T>(list: &mut Vec<T>) {
    make_room_for(list, 1);
}

/// Makes room for so many more at once.
pub(crate) fn make_room_for<T>(list: &mut Vec<T>, more: usize) {
    const LEAST_BYTES: usize = 24;
    if list.capacity() - list.len() < more {
        let least = LEAST_BYTES / size_of::<T>().max(1);
        list.reserve_exact((list.len() / 4).max(least).max(more));
    }
}

/// Makes room for one more in a list of things with ids or instants: by a quarter, but at least by so many. A client has many
/// short ones, and each step takes longer than what else is done for an item.
pub(crate) fn make_room_by<T>(list: &mut Vec<T>, least: usize) {
    if list.len() < list.capacity() {
        return;
    }
    // An allocator finds a new place in fewer instructions than it makes an old one larger.
    let mut larger = Vec::with_capacity(list.len() + (list.len() / 4).max(least).max(1));
    larger.append(list);
    *list = larger;
}

/// The most items of one block: what one that comes late can have to move.
const BLOCK: usize = 64;

/// What a list grows by at least: an invoice is issued and paid, a ticket opened and answered.
const LEAST: usize = 2;

/// Items in an order that is the caller's, each at most once.
#[derive(Clone, Debug)]
pub(crate) struct Sorted<T>(Kept<T>);

#[derive(Clone, Debug)]
enum Kept<T> {
    /// At most a block of them.
    Short(Vec<T>),
    Long(Box<Blocks<T>>),
}

/// Two blocks or more, in order, none of them empty.
#[derive(Clone, Debug)]
struct Blocks<T> {
    blocks: Vec<Vec<T>>,
}

/// Puts an item in its place, if it is not there.
fn insert_into<T>(items: &mut Vec<T>, item: T, order: &impl Fn(&T, &T) -> Ordering) {
    let place = match items.last() {
        Some(last) if order(last, &item) != Ordering::Less => {
            items.binary_search_by(|known| order(known, &item))
        }
        // Events mostly come in the order of time.
        _ => Err(items.len()),
    };
    if let Err(place) = place {
        make_room_by(items, LEAST);
        items.insert(place, item);
    }
}

impl<T> Blocks<T> {
    fn insert(&mut self, item: T, order: &impl Fn(&T, &T) -> Ordering) {
        let standing = |known: &T| order(known, &item);
        let first = self.blocks.first().and_then(|block| block.first());
        let last = self.blocks.last().and_then(|block| block.last());
        let (mut place, cut) = if last.is_some_and(|last| standing(last) == Ordering::Less) {
            (self.blocks.len() - 1, BLOCK)
        } else if first.is_some_and(|first| standing(first) == Ordering::Greater) {
            (0, 0)
        } else {
            let begins_by =
                |block: &Vec<T>| block.first().is_some_and(|first| standing(first) != Ordering::Greater);
            (self.blocks.partition_point(begins_by).saturating_sub(1), BLOCK / 2)
        };
        // A full block is cut into halves, but at the ends of the list: who comes in order, or in the reverse of it,
        // leaves full blocks behind.
        if let Some(full) = self.blocks.get_mut(place).filter(|block| block.len() >= BLOCK) {
            let behind = full.split_off(cut);
            full.shrink_to_fit();
            let goes_before = behind.first().is_some_and(|first| standing(first) == Ordering::Greater);
            place += 1;
            make_room(&mut self.blocks);
            self.blocks.insert(place, behind);
            place -= usize::from(goes_before);
        }
        if let Some(block) = self.blocks.get_mut(place) {
            if block.len() == block.capacity() {
                // In few steps, since lists that grow in many leave holes that fit no other.
                block.reserve_exact(BLOCK / 4);
            }
            insert_into(block, item, order);
        }
    }
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<T> Sorted<T> {
    pub(crate) const EMPTY: Self = Self(Kept::Short(Vec::new()));

    /// The list of items that are in order already.
    pub(crate) fn of(items: Vec<T>) -> Self {
        if items.len() <= BLOCK {
            return Self(Kept::Short(items));
        }
        let mut items = items.into_iter();
        let mut next =
            || Some(items.by_ref().take(BLOCK).collect()).filter(|block: &Vec<T>| !block.is_empty());
        Self(Kept::Long(Box::new(Blocks { blocks: std::iter::from_fn(&mut next).collect() })))
    }

    /// Puts an item in its place, if it is not there; `order` is that of the list.
    pub(crate) fn insert(&mut self, item: T, order: impl Fn(&T, &T) -> Ordering) {
        match &mut self.0 {
            Kept::Short(items) if items.len() < BLOCK => insert_into(items, item, &order),
            Kept::Short(items) => {
                let mut long = Blocks { blocks: vec![std::mem::take(items)] };
                long.insert(item, &order);
                self.0 = Kept::Long(Box::new(long));
            }
            Kept::Long(long) => long.insert(item, &order),
        }
    }

    pub(crate) fn all(&self) -> Items<'_, T> {
        match &self.0 {
            Kept::Short(items) => Items { blocks: &[], last: items },
            Kept::Long(long) => Items::of(&long.blocks),
        }
    }

    /// The first items, as long as something holds of them; it holds of none behind one of which it does not.
    pub(crate) fn while_holds(&self, holds: impl Fn(&T) -> bool) -> Items<'_, T> {
        let front = |items: &'_ [T]| items.partition_point(&holds);
        match &self.0 {
            Kept::Short(items) => Items { blocks: &[], last: items.get(..front(items)).unwrap_or_default() },
            Kept::Long(long) => {
                let begun = long.blocks.partition_point(|block| block.first().is_some_and(&holds));
                let begun = Items::of(long.blocks.get(..begun).unwrap_or_default());
                Items { last: begun.last.get(..front(begun.last)).unwrap_or_default(), ..begun }
            }
        }
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        match &mut self.0 {
            Kept::Short(items) => items.retain(keep),
            Kept::Long(long) => {
                let mut keep = keep;
                long.blocks.iter_mut().for_each(|block| block.retain(&mut keep));
                long.blocks.retain(|block| !block.is_empty());
                if long.blocks.len() < 2 {
                    self.0 = Kept::Short(long.blocks.pop().unwrap_or_default());
                }
            }
        }
    }

    /// The items, to change what does not count for their order.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let blocks = match &mut self.0 {
            Kept::Short(items) => std::slice::from_mut(items),
            Kept::Long(long) => &mut long.blocks,
        };
        blocks.iter_mut().flatten()
    }

    pub(crate) fn into_items(self) -> impl Iterator<Item = T> {
        let blocks = match self.0 {
            Kept::Short(items) => vec![items],
            Kept::Long(long) => long.blocks,
        };
        blocks.into_iter().flatten()
    }
}

impl<T: PartialEq> PartialEq for Sorted<T> {
    fn eq(&self, other: &Self) -> bool {
        self.all().iter().eq(other.all())
    }
}

impl<T: Eq> Eq for Sorted<T> {}

impl<T: Serialize> Serialize for Sorted<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = serializer.serialize_seq(Some(self.all().len()))?;
        self.all().iter().try_for_each(|item| items.serialize_element(item))?;
        items.end()
    }
}

/// The items of a list, or the first of them.
#[derive(Debug)]
pub(crate) struct Items<'a, T> {
    /// Whole blocks, which come first.
    blocks: &'a [Vec<T>],
    /// What comes behind them; empty only where there is nothing at all.
    last: &'a [T],
}

impl<T> Clone for Items<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Items<'_, T> {}

impl<'a, T> Items<'a, T> {
    fn of(blocks: &'a [Vec<T>]) -> Self {
        match blocks.split_last() {
            Some((last, blocks)) => Self { blocks, last },
            None => Self { blocks: &[], last: &[] },
        }
    }

    pub(crate) fn len(self) -> usize {
        self.blocks.iter().map(Vec::len).sum::<usize>() + self.last.len()
    }

    pub(crate) fn is_empty(self) -> bool {
        self.last.is_empty()
    }

    pub(crate) fn first(self) -> Option<&'a T> {
        self.blocks.first().map_or(self.last, Vec::as_slice).first()
    }

    pub(crate) fn last(self) -> Option<&'a T> {
        self.last.last()
    }

    pub(crate) fn iter(self) -> Iter<'a, T> {
        let (front, back): (&[T], &[T]) =
            if self.blocks.is_empty() { (self.last, &[]) } else { (&[], self.last) };
        Iter { front: front.iter(), blocks: self.blocks.iter(), back: back.iter() }
    }
}

impl<'a, T> IntoIterator for Items<'a, T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Goes through items in order, from either end.
#[derive(Clone, Debug)]
pub(crate) struct Iter<'a, T> {
    front: std::slice::Iter<'a, T>,
    blocks: std::slice::Iter<'a, Vec<T>>,
    back: std::slice::Iter<'a, T>,
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        if let Some(item) = self.front.next() {
            return Some(item);
        }
        self.front = match self.blocks.next() {
            Some(block) => block.iter(),
            None => std::mem::take(&mut self.back),
        };
        self.front.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let known = self.front.len() + self.back.len();
        (known, Some(known + self.blocks.len() * BLOCK))
    }
}

impl<'a, T> DoubleEndedIterator for Iter<'a, T> {
    fn next_back(&mut self) -> Option<&'a T> {
        if let Some(item) = self.back.next_back() {
            return Some(item);
        }
        self.back = match self.blocks.next_back() {
            Some(block) => block.iter(),
            None => std::mem::take(&mut self.front),
        };
        self.back.next_back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::Cell;

    /// The number that counts for the order, and one that tells who came first.
    type Item = (u32, usize);

    fn by_number(a: &Item, b: &Item) -> Ordering {
        a.0.cmp(&b.0)
    }

    fn filled(numbers: &[u32]) -> (Sorted<Item>, Vec<Item>) {
        let (mut list, mut plain) = (Sorted::default(), Vec::<Item>::new());
        for (i, number) in numbers.iter().enumerate() {
            list.insert((*number, i), by_number);
            if !plain.iter().any(|(known, _)| known == number) {
                plain.push((*number, i));
            }
        }
        plain.sort_unstable();
        (list, plain)
    }

    fn blocks(list: &Sorted<Item>) -> &[Vec<Item>] {
        match &list.0 {
            Kept::Short(items) => std::slice::from_ref(items),
            Kept::Long(long) => &long.blocks,
        }
    }

    /// Numbers from few to several blocks, in runs that go up, down, stay near each other or repeat.
    fn numbers() -> impl Strategy<Value = Vec<u32>> {
        let run = (0..1_000u32, 0..300u32, 0..4u8).prop_map(|(from, n, kind)| -> Vec<u32> {
            match kind {
                0 => (from..from + n).collect(),
                1 => (from..from + n).rev().collect(),
                2 => (0..n).map(|i| (from + i * 619) % 1_300).collect(),
                _ => (0..n).map(|i| from + i % 3).collect(),
            }
        });
        proptest::collection::vec(run, 0..5).prop_map(|runs| runs.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_list_filled_in_any_order_is_a_plain_sorted_one(
            numbers in numbers(),
            cut in 0..1_400u32,
            kept in 1..400u32,
            ends in proptest::collection::vec(any::<bool>(), 700),
        ) {
            let (mut list, mut plain) = filled(&numbers);
            let all = list.all();
            prop_assert!(all.iter().eq(&plain) && all.iter().rev().eq(plain.iter().rev()));
            prop_assert_eq!((all.len(), all.is_empty()), (plain.len(), plain.is_empty()));
            prop_assert_eq!((all.first(), all.last()), (plain.first(), plain.last()));
            let (mut ours, mut theirs) = (all.iter(), plain.iter());
            for front in ends {
                let (least, most) = ours.size_hint();
                prop_assert!((least..=most.unwrap()).contains(&theirs.len()));
                if front {
                    prop_assert_eq!(ours.next(), theirs.next());
                } else {
                    prop_assert_eq!(ours.next_back(), theirs.next_back());
                }
            }
            let part = list.while_holds(|(number, _)| *number < cut);
            let n = plain.partition_point(|(number, _)| *number < cut);
            prop_assert!(part.iter().eq(&plain[..n]) && part.iter().rev().eq(plain[..n].iter().rev()));
            prop_assert_eq!((part.len(), part.is_empty()), (n, n == 0));
            prop_assert_eq!((part.first(), part.last()), (plain[..n].first(), plain[..n].last()));

            prop_assert_eq!(postcard::to_stdvec(&list).unwrap(), postcard::to_stdvec(&plain).unwrap());
            prop_assert_eq!(&list, &Sorted::of(plain.clone()), "where the blocks are cut does not show");
            prop_assert_eq!(list == Sorted::of(plain.iter().skip(1).copied().collect()), plain.is_empty());
            list.iter_mut().zip(&mut plain).for_each(|(ours, theirs)| {
                ours.1 += 7;
                theirs.1 += 7;
            });
            list.retain(|(number, _)| number % kept == 0);
            plain.retain(|(number, _)| number % kept == 0);
            prop_assert_eq!(&list, &Sorted::of(plain.clone()));
            prop_assert!(blocks(&list).len() == 1 || blocks(&list).iter().all(|block| !block.is_empty()));
            list.insert((kept, 0), by_number);
            if let Err(place) = plain.binary_search_by(|item| by_number(item, &(kept, 0))) {
                plain.insert(place, (kept, 0));
            }
            prop_assert!(list.into_items().eq(plain));
        }
    }

    /// However it is filled, an item moves at most a block of others, and the list of blocks only when one was filled.
    #[test]
    fn no_order_is_slow() {
        const N: u32 = 50_000;
        type Order = (&'static str, fn(u32) -> u32);
        let orders: [Order; 7] = [
            ("in order", |i| i),
            ("reversed", |i| N - i),
            ("mixed", |i| i.wrapping_mul(2_654_435_761)),
            ("to and fro", |i| if i % 2 == 0 { N + i } else { N - i }),
            ("up within one gap", |i| if i < N / 2 { i * 100_000 } else { N / 4 * 100_000 + i - N / 2 + 1 }),
            ("down within one gap", |i| if i < N / 2 { i * 100_000 } else { N / 4 * 100_000 + N - i }),
            ("two halves, each reversed", |i| if i < N / 2 { N / 2 - i } else { N + N / 2 - i }),
        ];
        for (name, number) in orders {
            let (mut list, comparisons) = (Sorted::default(), Cell::new(0u64));
            for i in 0..N {
                list.insert((number(i), 0), |a, b| {
                    comparisons.set(comparisons.get() + 1);
                    by_number(a, b)
                });
            }
            let (n, blocks) = (list.all().len(), blocks(&list));
            assert!(blocks.iter().all(|block| block.len() <= BLOCK), "{name}");
            assert!(blocks.len() <= n / (BLOCK / 2) + 2, "{name}: {} blocks of {n}", blocks.len());
            // log2 of 50 000 is below 16; beside the search the ends are looked at, and a block that is cut.
            assert!(comparisons.get() < 22 * u64::from(N), "{name}: {} comparisons", comparisons.get());
            let room: usize = blocks.iter().map(Vec::capacity).sum();
            assert!(room <= n + blocks.len() * BLOCK / 4, "{name}: room for {room}");
        }
    }

    #[test]
    fn a_list_takes_no_more_room_than_a_plain_one() {
        assert_eq!(size_of::<Sorted<Item>>(), size_of::<Vec<Item>>());
    }
}

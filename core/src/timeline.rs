//! Values that replace each other, kept with the instant each was stated.
//!
//! A timeline is a set of entries ordered by (time, sequence, source, id). Its state at an instant is the last entry at
//! or before it, so the order of arrival, repeats and merges cannot matter.

use crate::rare::Empty;
use crate::sorted::{Items, Sorted};
pub(crate) use crate::stamp::Stamp;
use crate::time::Instant;
use serde::{Deserialize, Deserializer, Serialize};
use std::cmp::Ordering;

/// One value and when it was stated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry<T> {
    pub(crate) stamp: Stamp,
    pub(crate) value: T,
}

impl<T> Entry<T> {
    pub(crate) fn at(&self) -> Instant {
        self.stamp.at()
    }

    fn order(&self, other: &Self) -> Ordering {
        self.stamp.cmp(&other.stamp)
    }
}

/// Entries in order of (time, sequence, source, id), each event at most once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Timeline<T> {
    entries: Sorted<Entry<T>>,
}

/// The entries of a timeline, or those up to an instant.
pub(crate) type Entries<'a, T> = Items<'a, Entry<T>>;

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self { entries: Sorted::default() }
    }
}

impl<T: 'static> Empty for Timeline<T> {
    fn empty() -> &'static Self {
        const { &Self { entries: Sorted::EMPTY } }
    }
}

impl<T> Timeline<T> {
    /// Puts an entry in its place. An event that is in already changes nothing.
    pub(crate) fn insert(&mut self, stamp: Stamp, value: T) {
        self.entries.insert(Entry { stamp, value }, Entry::order);
    }

    pub(crate) fn warm(&self) -> u64 {
        self.entries().last().map_or(0, |last| last.stamp.at().micros().cast_unsigned())
    }

    /// The entries at or before an instant.
    pub(crate) fn up_to(&self, at: Instant) -> Entries<'_, T> {
        let (all, holds) = (self.entries(), |entry: &Entry<T>| entry.stamp.at() <= at);
        // Who asks for now mostly means all of them.
        if all.last().is_none_or(holds) { all } else { self.entries.while_holds(holds) }
    }

    /// The entry that stands at an instant.
    pub(crate) fn at(&self, at: Instant) -> Option<&Entry<T>> {
        // Who asks for now mostly means the last one.
        let last = self.entries().last().filter(|last| last.stamp.at() <= at);
        last.or_else(|| self.up_to(at).last())
    }

    /// The value that stands at an instant.
    pub(crate) fn value_at(&self, at: Instant) -> Option<&T> {
        self.at(at).map(|entry| &entry.value)
    }

    pub(crate) fn entries(&self) -> Entries<'_, T> {
        self.entries.all()
    }

    pub(crate) fn first(&self) -> Option<&Entry<T>> {
        self.entries().first()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// The union with another timeline.
    pub(crate) fn join(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        for entry in other.entries.into_items() {
            self.entries.insert(entry, Entry::order);
        }
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Stamp) -> bool) {
        self.entries.retain(|entry| keep(&entry.stamp));
    }

    pub(crate) fn retain_entries(&mut self, keep: impl FnMut(&Entry<T>) -> bool) {
        self.entries.retain(keep);
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().map(|entry| &mut entry.value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Timeline<T> {
    /// Refuses entries that are not in strict order: everything else relies on it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<Entry<T>>::deserialize(deserializer)?;
        if entries.is_sorted_by(|a, b| a.stamp < b.stamp) {
            Ok(Self { entries: Sorted::of(entries) })
        } else {
            Err(serde::de::Error::custom("a timeline is not in order"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stamp(at: i64, sequence: i64, source: &str, id: &str) -> Stamp {
        Stamp::new(Instant::from_micros(at).unwrap(), sequence, source, id)
    }

    #[test]
    fn ties_go_to_sequence_then_source_then_id() {
        let in_order = [
            stamp(1, 9, "z", "z"),
            stamp(2, 0, "a", "9"),
            stamp(2, 0, "b", "1"),
            stamp(2, 0, "b", "10"),
            stamp(2, 0, "b", "2"),
            stamp(2, 1, "a", "0"),
        ];
        let mut timeline = Timeline::default();
        for (i, stamp) in in_order.iter().enumerate().rev() {
            timeline.insert(stamp.clone(), i);
            timeline.insert(stamp.clone(), 99);
        }
        assert_eq!(timeline.entries().iter().map(|e| e.value).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        assert_eq!(timeline.value_at(Instant::from_micros(1).unwrap()), Some(&0));
        assert_eq!(timeline.value_at(Instant::from_micros(2).unwrap()), Some(&5));
        assert_eq!(timeline.value_at(Instant::from_micros(0).unwrap()), None);
    }

    #[test]
    fn saved_entries_are_in_strict_order() {
        let read = |stamps: &[Stamp]| {
            let entries: Vec<Entry<u8>> =
                stamps.iter().map(|stamp| Entry { stamp: stamp.clone(), value: 7 }).collect();
            let bytes = postcard::to_stdvec(&entries).unwrap();
            postcard::from_bytes::<Timeline<u8>>(&bytes).map(|timeline| timeline.entries().len())
        };
        let (early, late) = (stamp(1, 0, "a", "1"), stamp(1, 0, "a", "2"));
        assert_eq!(read(&[early.clone(), late.clone()]), Ok(2));
        assert!(read(&[late, early.clone()]).is_err());
        // Twice the same event: nothing else would ever notice the second.
        assert!(read(&[early.clone(), early]).is_err());
    }

    type Part = Vec<(Stamp, usize)>;

    /// Entries of few instants and ids, so that ties and repeats are common, and of so many that blocks are cut.
    fn parts() -> impl Strategy<Value = (Part, Part)> {
        let one = (0..200i64, 0..2i64, 0..2usize, 0..9usize)
            .prop_map(|(at, sequence, source, id)| stamp(at, sequence, ["a", "b"][source], &id.to_string()));
        let part = |from: usize| {
            let entries = proptest::collection::vec(one.clone(), 0..500);
            entries.prop_map(move |stamps| stamps.into_iter().zip(from..).collect::<Part>())
        };
        (part(0), part(1_000))
    }

    fn of(part: &Part) -> Timeline<usize> {
        let mut timeline = Timeline::default();
        part.iter().for_each(|(stamp, value)| timeline.insert(stamp.clone(), *value));
        timeline
    }

    /// The same, one by one: the first of each event, in order.
    fn plain(entries: impl IntoIterator<Item = (Stamp, usize)>) -> Vec<Entry<usize>> {
        let mut list: Vec<Entry<usize>> = Vec::new();
        for (stamp, value) in entries {
            if !list.iter().any(|known| known.stamp == stamp) {
                list.push(Entry { stamp, value });
            }
        }
        list.sort_unstable_by(|a, b| a.stamp.cmp(&b.stamp));
        list
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_timeline_is_a_sorted_list((left, right) in parts(), from_the_end in any::<bool>()) {
            let mut left = left;
            if from_the_end {
                left.sort_by(|a, b| b.0.cmp(&a.0));
            }
            let (mut timeline, other) = (of(&left), of(&right));
            prop_assert!(timeline.entries().iter().eq(&plain(left.clone())));
            timeline.join(other);
            let list = plain(left.into_iter().chain(right));
            prop_assert!(timeline.entries().iter().eq(&list));
            prop_assert_eq!((timeline.first(), timeline.is_empty()), (list.first(), list.is_empty()));
            for at in (0..=200).step_by(3).map(|at| Instant::from_micros(at).unwrap()) {
                let known: Vec<&Entry<usize>> = list.iter().filter(|entry| entry.at() <= at).collect();
                prop_assert!(timeline.up_to(at).iter().eq(known.iter().copied()));
                prop_assert_eq!(timeline.at(at), known.last().copied());
                prop_assert_eq!(timeline.value_at(at), known.last().map(|entry| &entry.value));
            }
            let bytes = postcard::to_stdvec(&timeline).unwrap();
            prop_assert_eq!(&bytes, &postcard::to_stdvec(&list).unwrap());
            let back: Timeline<usize> = postcard::from_bytes(&bytes).unwrap();
            prop_assert_eq!(&back, &timeline);
            let odd = |stamp: &Stamp| stamp.at().micros() % 2 == 1;
            timeline.retain(odd);
            prop_assert!(timeline.entries().iter().eq(list.iter().filter(|entry| odd(&entry.stamp))));
        }
    }
}

//! Values that replace each other, kept with the instant each was stated.
//!
//! A timeline is a set of entries ordered by (time, sequence, source, id). Its state at an instant is the last entry at
//! or before it, so the order of arrival, repeats and merges cannot matter.

use crate::event::Event;
use crate::event::line::UsageRef;
use crate::id::{EventId, EventRef, SourceId};
use crate::time::Instant;
use serde::{Deserialize, Deserializer, Serialize};
use std::cmp::Ordering;
use std::sync::Arc;

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

/// What orders events of one instant, and names the event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Tag {
    sequence: i64,
    source: SourceId,
    id: EventId,
}

/// When an entry was stated, and by which event. All entries that one event makes share its tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    at: Instant,
    tag: Arc<Tag>,
}

impl Stamp {
    pub(crate) fn of(event: &Event) -> Self {
        let tag = Tag { sequence: event.sequence, source: event.source.clone(), id: event.id.clone() };
        Self { at: event.time, tag: Arc::new(tag) }
    }

    pub(crate) fn of_usage(event: &UsageRef<'_>) -> Self {
        let tag = Tag { sequence: event.sequence, source: event.source.into(), id: event.id.into() };
        Self { at: event.time, tag: Arc::new(tag) }
    }

    pub(crate) fn at(&self) -> Instant {
        self.at
    }

    pub(crate) fn event(&self) -> EventRef {
        EventRef { source: self.tag.source.clone(), id: self.tag.id.clone() }
    }

    pub(crate) fn source(&self) -> &SourceId {
        &self.tag.source
    }

    pub(crate) fn id(&self) -> &EventId {
        &self.tag.id
    }
}

impl Ord for Stamp {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at).then_with(|| {
            if Arc::ptr_eq(&self.tag, &other.tag) { Ordering::Equal } else { self.tag.cmp(&other.tag) }
        })
    }
}

impl PartialOrd for Stamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// One value and when it was stated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry<T> {
    pub(crate) stamp: Stamp,
    pub(crate) value: T,
}

impl<T> Entry<T> {
    pub(crate) fn at(&self) -> Instant {
        self.stamp.at
    }
}

/// Entries in order of (time, sequence, source, id), each event at most once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Timeline<T> {
    entries: Vec<Entry<T>>,
}

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<T> Timeline<T> {
    /// Puts an entry in its place. An event that is in already changes nothing.
    pub(crate) fn insert(&mut self, stamp: Stamp, value: T) {
        let in_order = self.entries.last().is_none_or(|last| last.stamp < stamp);
        if in_order {
            make_room(&mut self.entries);
            self.entries.push(Entry { stamp, value });
            return;
        }
        if let Err(place) = self.entries.binary_search_by(|entry| entry.stamp.cmp(&stamp)) {
            make_room(&mut self.entries);
            self.entries.insert(place, Entry { stamp, value });
        }
    }

    pub(crate) fn warm(&self) -> u64 {
        self.entries.last().map_or(0, |last| last.stamp.at.micros().cast_unsigned())
    }

    /// The entries at or before an instant.
    pub(crate) fn up_to(&self, at: Instant) -> &[Entry<T>] {
        let n = self.entries.partition_point(|entry| entry.stamp.at <= at);
        self.entries.get(..n).unwrap_or_default()
    }

    /// The entry that stands at an instant.
    pub(crate) fn at(&self, at: Instant) -> Option<&Entry<T>> {
        self.up_to(at).last()
    }

    /// The value that stands at an instant.
    pub(crate) fn value_at(&self, at: Instant) -> Option<&T> {
        self.at(at).map(|entry| &entry.value)
    }

    pub(crate) fn entries(&self) -> &[Entry<T>] {
        &self.entries
    }

    pub(crate) fn first(&self) -> Option<&Entry<T>> {
        self.entries.first()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The union with another timeline.
    pub(crate) fn join(&mut self, other: Self) {
        for entry in other.entries {
            self.insert(entry.stamp, entry.value);
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
            Ok(Self { entries })
        } else {
            Err(serde::de::Error::custom("a timeline is not in order"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(at: i64, sequence: i64, source: &str, id: &str) -> Stamp {
        let tag = Tag { sequence, source: source.into(), id: id.into() };
        Stamp { at: Instant::from_micros(at).unwrap(), tag: Arc::new(tag) }
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
}

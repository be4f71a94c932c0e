//! Which subjects changed since somebody looked: what makes fresh answers cost what happened, not how many clients there are.

use crate::merges::Slot;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells the journals of one process apart, so that nobody reads that of another book. No answer depends on it.
static JOURNALS: AtomicU64 = AtomicU64::new(0);

/// Where somebody stopped reading a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    journal: u64,
    next: u64,
}

/// What happened after a mark.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// Something that concerns anybody.
    Everything,
    /// Only these subjects changed, each named once or more.
    Subjects(Vec<Slot>),
}

/// The subjects that changed, in order. Nothing is written until somebody asks to watch.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    journal: Option<Journal>,
}

/// A book that is copied is another one, which nobody watches.
impl Clone for Changes {
    fn clone(&self) -> Self {
        Self::default()
    }
}

#[derive(Debug)]
struct Journal {
    id: u64,
    /// The number of the next change.
    next: u64,
    /// The number of the first change of which the subject is known.
    known_from: u64,
    notes: Vec<(u64, Slot)>,
    /// At how many notes the list is gone through, to keep the last of each subject.
    most: usize,
}

/// The fewest notes worth going through.
const LEAST: usize = 4_096;

impl Changes {
    /// Writes from now on; returns where that is.
    pub(crate) fn watch(&mut self) -> Mark {
        let new = || Journal {
            id: JOURNALS.fetch_add(1, Ordering::Relaxed),
            next: 0,
            known_from: 0,
            notes: Vec::new(),
            most: LEAST,
        };
        let journal = self.journal.get_or_insert_with(new);
        Mark { journal: journal.id, next: journal.next }
    }

    /// Whether anybody watches.
    #[cfg(all(feature = "arrow", feature = "threads"))]
    pub(crate) fn are_watched(&self) -> bool {
        self.journal.is_some()
    }

    /// A subject has one more event.
    #[inline]
    pub(crate) fn note(&mut self, slot: Slot) {
        if let Some(journal) = &mut self.journal {
            journal.note(slot);
        }
    }

    /// Something happened that can concern every client.
    pub(crate) fn note_all(&mut self) {
        if let Some(journal) = &mut self.journal {
            journal.next += 1;
            journal.known_from = journal.next;
            journal.notes.clear();
        }
    }

    /// What happened after a mark, and where the journal is now; without a journal there is no telling.
    pub(crate) fn since(&self, mark: Mark) -> (Since, Mark) {
        let Some(journal) = self.journal.as_ref().filter(|journal| journal.id == mark.journal) else {
            return (Since::Everything, mark);
        };
        let now = Mark { next: journal.next, ..mark };
        if mark.next < journal.known_from {
            return (Since::Everything, now);
        }
        let from = journal.notes.partition_point(|(number, _)| *number < mark.next);
        let mut slots: Vec<Slot> =
            journal.notes.get(from..).unwrap_or_default().iter().map(|(_, slot)| *slot).collect();
        slots.sort_unstable();
        slots.dedup();
        (Since::Subjects(slots), now)
    }
}

impl Journal {
    fn note(&mut self, slot: Slot) {
        let number = self.next;
        self.next += 1;
        match self.notes.last_mut() {
            // A client's events often come together; who has read the first of them reads the last.
            Some(last) if last.1 == slot => last.0 = number,
            _ => self.push(number, slot),
        }
    }

    fn push(&mut self, number: u64, slot: Slot) {
        if self.notes.len() >= self.most {
            let mut seen = BTreeSet::new();
            let mut last: Vec<(u64, Slot)> =
                self.notes.drain(..).rev().filter(|(_, slot)| seen.insert(*slot)).collect();
            last.reverse();
            self.most = (2 * last.len()).max(LEAST);
            self.notes = last;
        }
        self.notes.push((number, slot));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_reads_later_sees_each_change_after_its_mark() {
        let mut changes = Changes::default();
        changes.note(9);
        let first = changes.watch();
        for slot in [3, 3, 1, 3] {
            changes.note(slot);
        }
        let (since, second) = changes.since(first);
        assert_eq!(since, Since::Subjects(vec![1, 3]));
        assert_eq!(changes.since(second).0, Since::Subjects(vec![]));
        changes.note(3);
        assert_eq!(
            changes.since(second).0,
            Since::Subjects(vec![3]),
            "the note behind its own last one moves"
        );
        for n in 0..50_000 {
            changes.note(n % 7);
        }
        assert_eq!(changes.since(first).0, Since::Subjects((0..7).collect()));
        assert!(
            changes.journal.as_ref().unwrap().notes.len() <= LEAST,
            "the journal does not grow with events"
        );
        changes.note_all();
        changes.note(5);
        assert_eq!(changes.since(second).0, Since::Everything);
        assert_eq!(changes.clone().since(second).0, Since::Everything, "a copy is another book");
    }
}

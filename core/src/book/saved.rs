//! A book as a snapshot holds it.

use super::Book;
use crate::daily::Cells;
use crate::id::{ClientId, SourceId};
use crate::state::ClientState;
use crate::time::{Day, Instant};
use std::collections::BTreeMap;

/// What a snapshot holds of a book.
pub(crate) struct BookParts<'a> {
    pub(crate) subjects: Vec<(&'a ClientId, &'a ClientState)>,
    pub(crate) heard: &'a BTreeMap<SourceId, Cells<Day, Instant>>,
    pub(crate) span: Option<(Instant, Instant)>,
}

impl Book {
    /// The subjects in order of their ids, and what is kept beside them: what a snapshot holds.
    pub(crate) fn parts(&self) -> BookParts<'_> {
        let mut subjects: Vec<(&ClientId, &ClientState)> = self.subjects.iter().collect();
        subjects.sort_unstable_by_key(|(id, _)| *id);
        BookParts { subjects, heard: &self.heard, span: self.span }
    }

    /// The book of a snapshot's parts; `None` if the subjects are not in order.
    pub(crate) fn of_parts(
        subjects: Vec<(ClientId, ClientState)>,
        heard: BTreeMap<SourceId, Cells<Day, Instant>>,
        span: Option<(Instant, Instant)>,
    ) -> Option<Self> {
        if !subjects.is_sorted_by(|a, b| a.0 < b.0) {
            return None;
        }
        let erased = subjects.iter().filter(|(_, state)| state.erased).map(|(id, _)| id.clone()).collect();
        let mut book = Self { erased, heard, span, ..Self::default() };
        for (id, state) in subjects {
            let slot = book.subjects.push(id, state);
            book.note_size(slot);
        }
        Some(book)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_subjects_are_in_strict_order() {
        let read = |ids: &[&str]| {
            let subjects = ids.iter().map(|id| (ClientId::new(*id), ClientState::default())).collect();
            Book::of_parts(subjects, BTreeMap::new(), None).map(|book| book.subjects.len())
        };
        assert_eq!((read(&[]), read(&["a", "b"])), (Some(0), Some(2)));
        assert_eq!((read(&["b", "a"]), read(&["a", "a"])), (None, None));
    }
}

//! A book in parts: each client's events go to the part that has it, so that each part is folded by a thread of its own.

use super::Book;
use crate::facts::Facts;
use crate::merges::Merges;
use crate::share::Share;
use crate::subjects::Subjects;
use std::sync::OnceLock;

impl Book {
    /// Whether it makes no difference to anybody that clients are in different parts while so many rows are taken in: where nobody was
    /// erased and nothing was taken back. Who watches has to look at all clients then.
    pub(crate) fn may_be_shared_out(&self, rows: u64) -> bool {
        let may_be_looked_at = !self.changes.are_watched() || rows >= self.subjects.len() as u64;
        may_be_looked_at && self.erased.is_empty() && !self.merges().any_retraction
    }

    /// Takes out the clients of each share, as a book of its own.
    pub(crate) fn share_out(&mut self, shares: &[Share]) -> Vec<Self> {
        if self.subjects.len() == 0 {
            // Of a book that begins here the facts are known all along.
            self.facts = OnceLock::from(Facts::default());
        }
        let part = |share: &Share| {
            let mut subjects = Subjects::default();
            self.subjects.swap(&mut subjects, share.shards());
            // A part knows what it has seen itself, and that nothing is taken back.
            let (merges, facts) = (OnceLock::from(Merges::default()), OnceLock::from(Facts::default()));
            Self { subjects, most: self.most, merges, facts, ..Self::default() }
        };
        shares.iter().map(part).collect()
    }

    /// Takes the parts back, with what became of them.
    pub(crate) fn take_back(&mut self, parts: impl Iterator<Item = (Share, Self)>) {
        let mut strays = Vec::new();
        for (share, part) in parts {
            let Self { mut subjects, heard, span, most, facts, erased: _, changes: _, merges: _, roster: _ } =
                part;
            self.subjects.swap(&mut subjects, share.shards());
            strays.extend(subjects.into_pairs());
            self.join_seen(heard, span);
            self.most = (self.most.0.max(most.0), self.most.1.max(most.1));
            if let (Some(all), Some(seen)) = (self.facts.get_mut(), facts.get()) {
                all.join(seen);
            }
        }
        // Rows that name their client as few tables do were all taken in by one part.
        for (id, state) in strays {
            let slot = self.slot_or_new(&id);
            if let Some(ours) = self.subjects.state_mut(slot) {
                ours.join(state);
            }
            self.note_size(slot);
        }
        self.roster = OnceLock::new();
        self.changes.note_all();
        // Somebody may have been merged into a client who was not heard of before.
        if self.merges.get().is_some_and(|merges| !merges.members.is_empty()) {
            self.merges = OnceLock::new();
        }
    }
}

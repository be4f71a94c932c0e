//! Some clients of a book: those of a range of places, those who changed, the one that a subject is part of.

use super::{Book, Client};
use crate::changes::{Mark, Since};
use crate::daily::Cells;
use crate::id::ClientId;
use crate::merges::Slot;
use crate::time::{Day, Instant};
use std::ops::Range;

/// How many are waited for together.
const WARMED: usize = 16;

/// The same clients, or whatever else is gone through, of a few of which at a time the memory is waited for together: `warm` reads
/// what will be asked of one.
pub(crate) fn warmed<T>(mut each: impl Iterator<Item = T>, warm: impl Fn(&T)) -> impl Iterator<Item = T> {
    let next_few = move || {
        let few: Vec<T> = each.by_ref().take(WARMED).collect();
        few.iter().for_each(&warm);
        (!few.is_empty()).then_some(few)
    };
    std::iter::from_fn(next_few).flatten()
}

impl Book {
    /// How many clients there are at most: some may have no event that stands.
    pub(crate) fn places(&self) -> usize {
        self.roster().len()
    }

    /// How many subjects have a state. Unlike [`Book::places`] it is known without working out who is part of whom, which
    /// every event about a new client or a merge would make old again.
    pub(crate) fn subject_count(&self) -> usize {
        self.subjects.len()
    }

    /// The clients of some places, in order of their ids, erased ones among them under their anonymous ids.
    pub(crate) fn within(&self, places: Range<usize>) -> impl Iterator<Item = Client<'_>> {
        let members = self.roster().get(places).unwrap_or_default().iter();
        let clients =
            members.map(|member| Client { id: &member.id, state: self.standing(member.slots.as_slice()) });
        clients.filter(Client::has_events)
    }

    /// The clients of some places that can be asked about, in order of their ids.
    pub(crate) fn living_within(&self, places: Range<usize>) -> impl Iterator<Item = Client<'_>> {
        self.within(places).filter(|client| !self.erased.contains(client.id))
    }

    /// Tells from now on who changed.
    pub(crate) fn watch(&mut self) -> Mark {
        self.changes.watch()
    }

    /// Who changed after a mark, and where that is now.
    pub(crate) fn changed_since(&self, mark: Mark) -> (Since, Mark) {
        self.changes.since(mark)
    }

    /// The client that a subject is part of, and that client if anything of it stands.
    pub(crate) fn client_of(&self, slot: Slot) -> Option<(&ClientId, Option<Client<'_>>)> {
        let subject = self.subjects.id(slot)?;
        let merges = self.merges();
        let id = merges.into.get(subject).unwrap_or(subject);
        let client = match merges.members.get_key_value(id) {
            Some((id, slots)) => Client { id, state: self.standing(slots) },
            None => Client { id, state: self.standing(&[slot]) },
        };
        Some((id, Some(client).filter(Client::has_events)))
    }

    /// Whether a client was erased, so that nobody can ask about it.
    pub(crate) fn is_erased(&self, id: &ClientId) -> bool {
        self.erased.contains(id)
    }

    /// The days on which a source was heard of, and the first time of each.
    pub(crate) fn heard(&self, source: &str) -> Option<&Cells<Day, Instant>> {
        self.heard.get(source)
    }
}

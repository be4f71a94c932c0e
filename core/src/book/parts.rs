//! Some clients of a book: those of a range of places, those who changed, the one that a subject is part of.

use super::roster::Member;
use super::{Book, Client};
use crate::changes::{Mark, Since};
use crate::daily::Cells;
use crate::id::ClientId;
use crate::merges::Slot;
use crate::state::ClientState;
use crate::state::warm::Reach;
use crate::time::{Day, Instant};
use std::ops::Range;

/// How many are waited for together.
const WARMED: usize = 16;

/// The same clients, or whatever else is gone through, of a few of which at a time the memory is waited for together: `warm` reads
/// a number of what will be asked of one.
pub(crate) fn warmed<T>(
    mut each: impl Iterator<Item = T>,
    warm: impl Fn(&T, Reach) -> u64,
) -> impl Iterator<Item = T> {
    let next_few = move || {
        let few: Vec<T> = each.by_ref().take(WARMED).collect();
        for reach in Reach::ALL {
            read_ahead(few.iter().map(|one| warm(one, reach)));
        }
        (!few.is_empty()).then_some(few)
    };
    std::iter::from_fn(next_few).flatten()
}

/// Has numbers read of which nothing is made.
fn read_ahead(numbers: impl Iterator<Item = u64>) {
    std::hint::black_box(numbers.fold(0, u64::wrapping_add));
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

    /// The clients of some places, in order of their ids, erased ones among them under their anonymous ids. `warm` reads a number
    /// of what will be asked of one, so that the memory of a few at a time is waited for together.
    pub(crate) fn within(
        &self,
        places: Range<usize>,
        warm: impl Fn(&ClientState, Reach) -> u64,
    ) -> impl Iterator<Item = Client<'_>> {
        let few_at_a_time = self.roster().get(places).unwrap_or_default().chunks(WARMED);
        let members = few_at_a_time.flat_map(move |few| {
            for reach in Reach::ALL {
                // What is made of several subjects is made anew, and is near then.
                let states = few.iter().filter_map(|member| self.state(member.only()?));
                read_ahead(states.map(|state| warm(state, reach)));
            }
            few
        });
        let clients = members.filter_map(|member| {
            let id = match member {
                Member::One(slot) => self.subjects.id(*slot)?,
                Member::Several(of) => &of.0,
            };
            Some(Client { id, state: self.standing(member.slots()) })
        });
        clients.filter(Client::has_events)
    }

    /// The clients of some places that can be asked about, in order of their ids.
    pub(crate) fn living_within(
        &self,
        places: Range<usize>,
        warm: impl Fn(&ClientState, Reach) -> u64,
    ) -> impl Iterator<Item = Client<'_>> {
        self.within(places, warm).filter(|client| !self.erased.contains(client.id))
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

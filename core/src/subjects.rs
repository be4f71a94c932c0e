//! The states of all subjects, found by id. Where a state stands follows the order of arrival and never leaves the book.

use crate::batch::{ByClient, ByMetric, ClientRows, Crowd, Row, UsageBatch};
use crate::chunks::both;
use crate::id::ClientId;
use crate::index::{Hashed, Index, Sought};
use crate::merges::Slot;
use crate::same::same;
use crate::state::ClientState;
use crate::state::usage::{UsageState, least};
use crate::time::Day;
#[cfg(all(feature = "arrow", feature = "threads"))]
use std::ops::Range;

/// Subjects are dealt out to so many shards by their ids, so that several threads can each have some of them.
pub(crate) const SHARDS: usize = 8;
/// So many bits of a slot say which shard it is of.
const SHARD_BITS: u32 = SHARDS.ilog2();

/// The shard of a subject.
pub(crate) fn shard_of(subject: &str) -> usize {
    Hashed::of(subject).shard(SHARDS)
}

/// The shard of a slot, and the place in it.
#[inline]
fn place_of(slot: Slot) -> (usize, usize) {
    (slot as usize % SHARDS, (slot >> SHARD_BITS) as usize)
}

/// Subjects by slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subjects {
    shards: [Shard; SHARDS],
}

/// Some subjects. The ids stand close together, since looking one up compares ids, and apart from the wide states.
#[derive(Clone, Debug, Default)]
struct Shard {
    ids: Vec<ClientId>,
    states: Vec<ClientState>,
    index: Index,
}

impl Shard {
    #[inline]
    fn id(&self, place: u32) -> Option<&str> {
        self.ids.get(place as usize).map(ClientId::as_str)
    }

    fn push(&mut self, id: ClientId, state: ClientState) -> u32 {
        let place = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        self.ids.push(id);
        self.states.push(state);
        self.enter(place);
        place
    }

    /// The last one moves into the place of who is taken out.
    fn remove(&mut self, place: u32) -> Option<(ClientId, ClientState)> {
        self.id(place)?;
        let last = u32::try_from(self.ids.len().saturating_sub(1)).unwrap_or(u32::MAX);
        self.forget(place);
        if last != place {
            self.forget(last);
        }
        let id = self.ids.swap_remove(place as usize);
        let state = self.states.swap_remove(place as usize);
        if last != place {
            self.enter(place);
        }
        Some((id, state))
    }

    fn enter(&mut self, place: u32) {
        let ids = &self.ids;
        self.index.insert(place, |place| ids.get(place as usize).map(ClientId::as_str));
    }

    fn forget(&mut self, place: u32) {
        let ids = &self.ids;
        self.index.remove(place, |place| ids.get(place as usize).map(ClientId::as_str));
    }
}

/// Where a subject is looked for.
struct Looked<'s, 'a> {
    subject: &'s str,
    number: usize,
    shard: &'a Shard,
    sought: Sought,
}

impl Looked<'_, '_> {
    fn candidates(&self) -> impl Iterator<Item = u32> {
        self.shard.index.candidates(self.sought)
    }
}

impl Subjects {
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.ids.len()).sum()
    }

    pub(crate) fn slot(&self, subject: &str) -> Option<Slot> {
        let looked = self.look(subject);
        let place = looked.candidates().find(|place| looked.shard.id(*place) == Some(subject));
        place.map(|place| slot_of(looked.number, place))
    }

    /// The slots of some subjects. What is waited for is waited for together: first their places in the index, then their ids.
    pub(crate) fn slots<'s>(&self, subjects: impl Iterator<Item = &'s str>) -> Vec<Option<Slot>> {
        let sought: Vec<Looked<'s, '_>> = subjects.map(|subject| self.look(subject)).collect();
        let places = sought.iter().map(|looked| looked.shard.index.warm(looked.sought));
        std::hint::black_box(places.fold(0, u64::wrapping_add));
        let guesses: Vec<u32> =
            sought.iter().map(|looked| looked.shard.index.guess(looked.sought).unwrap_or(u32::MAX)).collect();
        let ids =
            sought.iter().zip(&guesses).map(|(looked, guess)| looked.shard.id(*guess).map_or(0, str::len));
        std::hint::black_box(ids.fold(0, usize::wrapping_add));
        let sure = |(looked, guess): (&Looked<'_, '_>, u32)| {
            let is_it = |place: &u32| looked.shard.id(*place).is_some_and(|id| same(id, looked.subject));
            let place = if is_it(&guess) { Some(guess) } else { looked.candidates().find(is_it) };
            place.map(|place| slot_of(looked.number, place))
        };
        sought.iter().zip(guesses).map(sure).collect()
    }

    /// Finds out where to look for a subject.
    #[inline]
    fn look<'s>(&self, subject: &'s str) -> Looked<'s, '_> {
        let hashed = Hashed::of(subject);
        let number = hashed.shard(SHARDS);
        // There is always a shard of that number.
        let [first, ..] = &self.shards;
        let shard = self.shards.get(number).unwrap_or(first);
        Looked { subject, number, shard, sought: shard.index.sought(hashed, subject) }
    }

    pub(crate) fn id(&self, slot: Slot) -> Option<&ClientId> {
        let (shard, place) = place_of(slot);
        self.shards.get(shard)?.ids.get(place)
    }

    pub(crate) fn state(&self, slot: Slot) -> Option<&ClientState> {
        let (shard, place) = place_of(slot);
        self.shards.get(shard)?.states.get(place)
    }

    pub(crate) fn state_mut(&mut self, slot: Slot) -> Option<&mut ClientState> {
        let (shard, place) = place_of(slot);
        self.shards.get_mut(shard)?.states.get_mut(place)
    }

    /// All subjects.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ClientId, &ClientState)> {
        self.shards.iter().flat_map(|shard| shard.ids.iter().zip(&shard.states))
    }

    /// The ids of all subjects, each with its slot.
    pub(crate) fn ids(&self) -> impl Iterator<Item = (Slot, &ClientId)> {
        self.shards.iter().enumerate().flat_map(|(number, shard)| {
            let slots = (0..).map(move |place| slot_of(number, place));
            slots.zip(&shard.ids)
        })
    }

    pub(crate) fn states_mut(&mut self) -> impl Iterator<Item = &mut ClientState> {
        self.shards.iter_mut().flat_map(|shard| &mut shard.states)
    }

    pub(crate) fn into_pairs(self) -> impl Iterator<Item = (ClientId, ClientState)> {
        self.shards.into_iter().flat_map(|shard| shard.ids.into_iter().zip(shard.states))
    }

    /// Puts a subject that is not there behind the others of its shard.
    pub(crate) fn push(&mut self, id: ClientId, state: ClientState) -> Slot {
        let number = shard_of(id.as_str());
        let place = self.shards.get_mut(number).map(|shard| shard.push(id, state));
        place.map_or(Slot::MAX, |place| slot_of(number, place))
    }

    /// Gives a subject another id, which no other one has; returns where it stands then, if there is such a subject. Others may stand
    /// elsewhere, too.
    pub(crate) fn rename(&mut self, slot: Slot, id: &ClientId) -> Option<Slot> {
        let state = self.remove(slot)?;
        Some(self.push(id.clone(), state))
    }

    /// Takes a subject out. Another one may move into its slot.
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<ClientState> {
        let (shard, _) = place_of(slot);
        let (_, state) = self.shards.get_mut(shard)?.remove(slot >> SHARD_BITS)?;
        Some(state)
    }

    /// Gives those of some shards for what others have there.
    #[cfg(all(feature = "arrow", feature = "threads"))]
    pub(crate) fn swap(&mut self, others: &mut Self, shards: Range<usize>) {
        let both = self.shards.iter_mut().zip(&mut others.shards);
        both.take(shards.end).skip(shards.start).for_each(|(ours, theirs)| std::mem::swap(ours, theirs));
    }

    /// Folds the rows of a batch, which has none then.
    pub(crate) fn fold(&mut self, batch: &mut UsageBatch) -> Folded {
        let mut all = Folded::default();
        for (first, slots, crowd) in batch.take_crowds() {
            let ByClient { order, clients } = crowd.by_client(first, slots);
            let rows = Rows { crowd: &crowd, batch, order: &order };
            all = all.join(rows.fold(&clients, &mut self.shards, 0, order.len()));
            all.slots.extend(clients.into_iter().map(|client| client.slot));
        }
        all
    }
}

#[inline]
fn slot_of(shard: usize, place: u32) -> Slot {
    // More subjects than there are slots for have no room in memory.
    (place << SHARD_BITS) | Slot::try_from(shard).unwrap_or(0)
}

/// So many clients are waited for together.
const WARMED: usize = 16;
/// So many rows are worth a thread of their own, where there are threads.
const ROWS_APART: usize = 4_096;

/// What the clients whose usage was folded come to.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    pub(crate) slots: Vec<Slot>,
    /// How many metrics and users the client with the most of them has.
    pub(crate) most: (usize, usize),
    pub(crate) first_day: Option<Day>,
    pub(crate) first_user: Option<Day>,
}

impl Folded {
    fn see(&mut self, usage: &UsageState) {
        let (metrics, users) = self.most;
        self.most = (metrics.max(usage.metric_count()), users.max(usage.users().len()));
        self.first_day = least(self.first_day, usage.first_day());
        self.first_user = least(self.first_user, usage.first_user());
    }

    fn join(self, other: Self) -> Self {
        let ((metrics, users), (more_metrics, more_users)) = (self.most, other.most);
        Self {
            most: (metrics.max(more_metrics), users.max(more_users)),
            first_day: least(self.first_day, other.first_day),
            first_user: least(self.first_user, other.first_user),
            ..self
        }
    }
}

/// The rows of a crowd of clients, and the order in which they are folded.
#[derive(Clone, Copy)]
struct Rows<'b> {
    crowd: &'b Crowd,
    batch: &'b UsageBatch,
    order: &'b [u32],
}

impl<'b> Rows<'b> {
    fn of(self, client: &ClientRows) -> impl Iterator<Item = &'b Row> + use<'b> {
        let numbers = self.order.get(client.rows.clone()).unwrap_or_default();
        numbers.iter().filter_map(move |number| self.crowd.rows().get(*number as usize))
    }

    /// Folds the rows of those clients that are of some shards, the first of which has this number: about so many rows.
    fn fold(self, clients: &[ClientRows], shards: &mut [Shard], number: usize, rows: usize) -> Folded {
        if cfg!(feature = "threads") && shards.len() > 1 && rows > ROWS_APART {
            // Clients are independent of each other.
            let half = shards.len() / 2;
            let (before, behind) = shards.split_at_mut(half);
            let (before, behind) = both(
                || self.fold(clients, before, number, rows / 2),
                || self.fold(clients, behind, number + half, rows / 2),
            );
            return before.join(behind);
        }
        let here = number..number + shards.len();
        let clients: Vec<&ClientRows> =
            clients.iter().filter(|client| here.contains(&place_of(client.slot).0)).collect();
        let place = |client: &ClientRows| {
            let (shard, place) = place_of(client.slot);
            (shard - number, place)
        };
        let (mut of_few, mut by_metric): (Vec<&Row>, _) = (Vec::new(), ByMetric::of(self.batch));
        let mut folded = Folded::default();
        for few in clients.chunks(WARMED) {
            of_few.clear();
            few.iter().for_each(|client| of_few.extend(self.of(client)));
            let of_states = few.iter().map(|client| place(client));
            let of_states = of_states.filter_map(|(shard, place)| shards.get(shard)?.states.get(place));
            let read = of_states.map(ClientState::warm_usage).chain(of_few.iter().map(|row| row.warm()));
            std::hint::black_box(read.fold(0, u64::wrapping_add));
            let users = of_few.iter().map(|row| self.crowd.warm_user(row));
            std::hint::black_box(users.fold(0, u64::wrapping_add));
            let mut rest = of_few.as_slice();
            for client in few {
                let (rows, others) = rest.split_at(client.rows.len().min(rest.len()));
                rest = others;
                let (shard, place) = place(client);
                let Some(state) = shards.get_mut(shard).and_then(|shard| shard.states.get_mut(place)) else {
                    continue;
                };
                let personal = !state.erased;
                // As they came, which is mostly in order of time: who was active is written behind what is there.
                state.usage.note_rows(rows, |row| self.crowd.user(row).filter(|_| personal));
                state.usage.fold_rows(by_metric.order(rows), self.batch);
                folded.see(&state.usage);
            }
        }
        folded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_after_others_moved() {
        let mut subjects = Subjects::default();
        // Some of one shard, and some of others.
        let ids: Vec<String> = (0..40).map(|n| format!("client-{n}")).collect();
        let slots: Vec<Slot> =
            ids.iter().map(|id| subjects.push(id.as_str().into(), ClientState::default())).collect();
        assert_eq!(
            subjects.slots(ids.iter().map(String::as_str)),
            slots.iter().copied().map(Some).collect::<Vec<_>>()
        );
        assert!(subjects.remove(slots[3]).is_some());
        let seventh = subjects.slot("client-7").unwrap();
        let renamed = subjects.rename(seventh, &"z".into()).unwrap();
        assert_eq!((subjects.slot("z"), subjects.len()), (Some(renamed), 39));
        assert_eq!(["client-3", "client-7"].map(|id| subjects.slot(id)), [None, None]);
        for (slot, id) in subjects.ids() {
            assert_eq!((subjects.slot(id.as_str()), subjects.id(slot)), (Some(slot), Some(id)));
        }
        assert_eq!((subjects.iter().count(), subjects.states_mut().count()), (39, 39));
        assert!(subjects.remove(renamed).is_some() && subjects.remove(Slot::MAX).is_none());
        assert_eq!((subjects.len(), subjects.slot("z")), (38, None));
    }
}

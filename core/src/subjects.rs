//! The states of all subjects, found by id. Where a state stands follows the order of arrival and never leaves the book.

use crate::batch::{Row, RowPlace, UsageBatch};
use crate::chunks::both;
use crate::id::ClientId;
use crate::index::{Index, Sought};
use crate::merges::Slot;
use crate::state::ClientState;

/// Subjects by slot. The ids stand close together, since looking one up compares ids, and apart from the wide states.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subjects {
    ids: Vec<ClientId>,
    states: Vec<ClientState>,
    index: Index,
}

impl Subjects {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn slot(&self, subject: &str) -> Option<Slot> {
        self.index.find(subject, |slot| self.ids.get(slot as usize).map(ClientId::as_str))
    }

    /// The slots of some subjects. What is waited for is waited for together: first their places in the index, then their ids.
    pub(crate) fn slots<'s>(&self, subjects: impl Iterator<Item = &'s str>) -> Vec<Option<Slot>> {
        let sought: Vec<(&str, Sought)> =
            subjects.map(|subject| (subject, self.index.sought(subject))).collect();
        let places = sought.iter().map(|(_, sought)| self.index.warm(*sought));
        std::hint::black_box(places.fold(0, u64::wrapping_add));
        let guesses: Vec<Option<Slot>> =
            sought.iter().map(|(_, sought)| self.index.candidates(*sought).next()).collect();
        let ids = guesses.iter().filter_map(|guess| self.id((*guess)?)).map(|id| id.as_str().len());
        std::hint::black_box(ids.fold(0, usize::wrapping_add));
        let sure = |((subject, sought), guess): (&(&str, Sought), Option<Slot>)| {
            let is_it = |slot: &Slot| self.id(*slot).is_some_and(|id| id.as_str() == *subject);
            guess.filter(is_it).or_else(|| self.index.candidates(*sought).find(is_it))
        };
        sought.iter().zip(guesses).map(sure).collect()
    }

    pub(crate) fn id(&self, slot: Slot) -> Option<&ClientId> {
        self.ids.get(slot as usize)
    }

    pub(crate) fn state(&self, slot: Slot) -> Option<&ClientState> {
        self.states.get(slot as usize)
    }

    pub(crate) fn state_mut(&mut self, slot: Slot) -> Option<&mut ClientState> {
        self.states.get_mut(slot as usize)
    }

    /// The subjects slot by slot.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&ClientId, &ClientState)> {
        self.ids.iter().zip(&self.states)
    }

    pub(crate) fn states_mut(&mut self) -> &mut [ClientState] {
        &mut self.states
    }

    pub(crate) fn into_pairs(self) -> impl Iterator<Item = (ClientId, ClientState)> {
        self.ids.into_iter().zip(self.states)
    }

    /// Puts a subject that is not there behind the others.
    pub(crate) fn push(&mut self, id: ClientId, state: ClientState) -> Slot {
        let slot = Slot::try_from(self.ids.len()).unwrap_or(Slot::MAX);
        self.ids.push(id);
        self.states.push(state);
        self.enter(slot);
        slot
    }

    /// Gives a subject another id, which no other one has; returns whether there is such a subject.
    pub(crate) fn rename(&mut self, slot: Slot, id: &ClientId) -> bool {
        self.forget(slot);
        let found = self.ids.get_mut(slot as usize).map(|own| *own = id.clone()).is_some();
        if found {
            self.enter(slot);
        }
        found
    }

    /// Takes a subject out. The last one moves into its slot.
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<ClientState> {
        self.id(slot)?;
        let last = Slot::try_from(self.ids.len().saturating_sub(1)).unwrap_or(Slot::MAX);
        self.forget(slot);
        if last != slot {
            self.forget(last);
        }
        self.ids.swap_remove(slot as usize);
        let state = self.states.swap_remove(slot as usize);
        if last != slot {
            self.enter(slot);
        }
        Some(state)
    }

    /// Folds the rows of a batch; returns the slots that had rows.
    pub(crate) fn fold(&mut self, batch: &UsageBatch) -> Vec<Slot> {
        let order = batch.by_slot(self.states.len());
        fold_clients(batch, &order, &mut self.states, 0)
    }

    fn enter(&mut self, slot: Slot) {
        let ids = &self.ids;
        self.index.insert(slot, |slot| ids.get(slot as usize).map(ClientId::as_str));
    }

    fn forget(&mut self, slot: Slot) {
        let ids = &self.ids;
        self.index.remove(slot, |slot| ids.get(slot as usize).map(ClientId::as_str));
    }
}

/// So many clients are waited for together.
const WARMED: usize = 16;
/// So many rows are worth a thread of their own, where there are threads.
const ROWS_APART: usize = 4_096;

/// Folds some rows, given in order of their slots, into the states from the slot `first` on; returns the slots that had rows.
fn fold_clients(batch: &UsageBatch, order: &[u32], states: &mut [ClientState], first: Slot) -> Vec<Slot> {
    let row = |number: &u32| batch.rows().get(*number as usize);
    let slot = |number: &u32| row(number).map(|row| row.slot);
    if cfg!(feature = "threads") && order.len() > ROWS_APART {
        // Clients are independent of each other: two halves, cut between two clients.
        let middle = order.get(order.len() / 2).and_then(slot).unwrap_or(first);
        let (rows_before, rows_behind) =
            order.split_at(order.partition_point(|number| slot(number) < Some(middle)));
        let (states_before, states_behind) = states.split_at_mut(states.len().min((middle - first) as usize));
        if !rows_before.is_empty() {
            let (mut before, behind) = both(
                || fold_clients(batch, rows_before, states_before, first),
                || fold_clients(batch, rows_behind, states_behind, middle),
            );
            before.extend(behind);
            return before;
        }
    }
    let (mut rows, mut touched) = (Vec::new(), Vec::new());
    let mut clients = order.chunk_by(|a, b| slot(a) == slot(b));
    loop {
        let few: Vec<(Slot, &[u32])> =
            clients.by_ref().take(WARMED).filter_map(|rows| Some((slot(rows.first()?)?, rows))).collect();
        if few.is_empty() {
            return touched;
        }
        let state = |slot: Slot| states.get((slot - first) as usize);
        let of_states = few.iter().filter_map(|(slot, _)| state(*slot)).map(ClientState::warm_usage);
        let rows_of_few = || few.iter().flat_map(|(_, rows)| *rows).filter_map(row);
        let numbers = of_states.chain(rows_of_few().map(Row::warm));
        std::hint::black_box(numbers.fold(0, u64::wrapping_add));
        std::hint::black_box(rows_of_few().map(|row| batch.warm_user(row)).fold(0, u64::wrapping_add));
        for (slot, of_client) in few {
            let Some(state) = states.get_mut((slot - first) as usize) else { continue };
            rows.clear();
            rows.extend(of_client.iter().filter_map(row).map(|row| (row.place(), row)));
            // As they came, which is mostly in order of time: who was active is written behind what is there.
            for (_, row) in &rows {
                state.usage.note_row(row, batch.user(row).filter(|_| !state.erased));
            }
            rows.sort_unstable_by_key(|(place, _): &(RowPlace, &Row)| *place);
            state.usage.fold_rows(&rows, batch);
            touched.push(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_after_others_moved() {
        let mut subjects = Subjects::default();
        for id in ["a", "b", "c", "d"] {
            subjects.push(id.into(), ClientState::default());
        }
        assert!(subjects.remove(1).is_some());
        assert!(subjects.rename(0, &"z".into()));
        assert_eq!(["z", "d", "c"].map(|id| subjects.slot(id)), [Some(0), Some(1), Some(2)]);
        assert_eq!(["a", "b"].map(|id| subjects.slot(id)), [None, None]);
        assert!(subjects.remove(2).is_some() && subjects.remove(2).is_none());
        assert_eq!((subjects.len(), subjects.slot("c"), subjects.slot("d")), (2, None, Some(1)));
    }
}

//! The states of all subjects, found by id. Where a state stands follows the order of arrival and never leaves the book.

use crate::batch::{ByClient, ByMetric, ClientRows, Crowd, Row, UsageBatch};
use crate::chunks::both;
use crate::id::ClientId;
use crate::index::{Index, Sought};
use crate::merges::Slot;
use crate::same::same;
use crate::state::ClientState;
use crate::state::usage::{UsageState, least};
use crate::time::Day;

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
            let is_it = |slot: &Slot| self.id(*slot).is_some_and(|id| same(id.as_str(), subject));
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

    /// Folds the rows of a batch, which has none then.
    pub(crate) fn fold(&mut self, batch: &mut UsageBatch) -> Folded {
        let mut all = Folded::default();
        for (first, slots, crowd) in batch.take_crowds() {
            let ByClient { order, clients } = crowd.by_client(first, slots);
            let states = self.states.get_mut(first as usize..).unwrap_or_default();
            all = all.join(Rows { crowd: &crowd, batch, order: &order }.fold(&clients, states, first));
            all.slots.extend(clients.into_iter().map(|client| client.slot));
        }
        all
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

    /// Folds the rows of some clients, given in order of their slots, into the states from the slot `first` on.
    fn fold(self, clients: &[ClientRows], states: &mut [ClientState], first: Slot) -> Folded {
        if let (true, [from, .., to]) = (cfg!(feature = "threads"), clients) {
            let (begin, end) = (from.rows.start, to.rows.end);
            // Clients are independent of each other: two halves, cut between two clients.
            let half = clients.partition_point(|client| client.rows.end <= begin.midpoint(end)).max(1);
            let middle = clients.get(half).filter(|_| end - begin > ROWS_APART).map(|client| client.slot);
            if let Some(middle) = middle {
                let (before, behind) = clients.split_at(half);
                let (states_before, states_behind) =
                    states.split_at_mut(states.len().min((middle - first) as usize));
                let (before, behind) = both(
                    || self.fold(before, states_before, first),
                    || self.fold(behind, states_behind, middle),
                );
                return before.join(behind);
            }
        }
        let (mut of_few, mut by_metric): (Vec<&Row>, _) = (Vec::new(), ByMetric::of(self.batch));
        let mut folded = Folded::default();
        for few in clients.chunks(WARMED) {
            of_few.clear();
            few.iter().for_each(|client| of_few.extend(self.of(client)));
            let of_states = few.iter().filter_map(|client| states.get((client.slot - first) as usize));
            let read = of_states.map(ClientState::warm_usage).chain(of_few.iter().map(|row| row.warm()));
            std::hint::black_box(read.fold(0, u64::wrapping_add));
            let users = of_few.iter().map(|row| self.crowd.warm_user(row));
            std::hint::black_box(users.fold(0, u64::wrapping_add));
            let mut rest = of_few.as_slice();
            for client in few {
                let (rows, others) = rest.split_at(client.rows.len().min(rest.len()));
                rest = others;
                let Some(state) = states.get_mut((client.slot - first) as usize) else { continue };
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

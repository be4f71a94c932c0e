//! All clients together: who is who, and what the book as a whole has seen.
//!
//! Events are kept under the subject they came with. Merges and retractions are looked at when a client is read, so
//! that they work the same whether they come before or after what they speak of.

mod erasure;
mod parts;
mod roster;
mod saved;
#[cfg(all(feature = "arrow", feature = "threads"))]
mod shared;

use crate::active::MAX_USERS;
use crate::batch::UsageBatch;
use crate::changes::Changes;
use crate::daily::Cells;
use crate::event::borrowed::BorrowedEvent;
use crate::event::client::Retractable;
use crate::event::{EventData, EventKind};
use crate::facts::Facts;
use crate::id::{ClientId, EventRef, SourceId};
use crate::merges::{Merges, Slot};
use crate::state::ClientState;
use crate::state::limits::Limits;
use crate::state::warm::Reach;
use crate::subjects::Subjects;
use crate::time::{Day, Instant};
use crate::zone::Zone;
pub(crate) use erasure::anonymous_id;
pub(crate) use parts::warmed;
use roster::Member;
pub(crate) use saved::BookParts;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// Why a client cannot be asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoClient {
    Unknown,
    Merged { into: ClientId },
    Erased,
}

/// The state that a client is read from.
#[derive(Clone, Debug)]
pub(crate) enum Standing<'a> {
    /// That of its only subject, of which nothing was taken back.
    InPlace(&'a ClientState),
    Made(Box<ClientState>),
}

impl std::ops::Deref for Standing<'_> {
    type Target = ClientState;

    fn deref(&self) -> &ClientState {
        match self {
            Self::InPlace(state) => state,
            Self::Made(state) => state,
        }
    }
}

/// A client as it is asked about: the union of its subjects, without what was taken back.
#[derive(Clone, Debug)]
pub(crate) struct Client<'a> {
    pub(crate) id: &'a ClientId,
    pub(crate) state: Standing<'a>,
}

impl Client<'_> {
    /// Whether anything of it stands: what was taken back, and taking back, make no client.
    fn has_events(&self) -> bool {
        // A state that is read in place has no retractions, so the event that made it stands.
        let in_place = matches!(self.state, Standing::InPlace(_));
        in_place || self.state.first_event().is_some() || self.state.usage.first_day().is_some()
    }
}

/// The states of all subjects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    subjects: Subjects,
    /// The anonymous ids of erased clients.
    erased: BTreeSet<ClientId>,
    /// For each source, the days on which it was heard of and the first time of each.
    heard: BTreeMap<SourceId, Cells<Day, Instant>>,
    /// The first and the last instant of any event.
    span: Option<(Instant, Instant)>,
    /// Who changed, for those who watch.
    changes: Changes,
    /// At least as many metrics and users as the client with the most of each has.
    most: (usize, usize),
    // What follows is worked out from the above when it is first asked for.
    merges: OnceLock<Merges>,
    roster: OnceLock<Vec<Member>>,
    facts: OnceLock<Facts>,
}

impl Book {
    pub(crate) fn span(&self) -> Option<(Instant, Instant)> {
        self.span
    }

    fn slot(&self, subject: &str) -> Option<Slot> {
        self.subjects.slot(subject)
    }

    fn state(&self, slot: Slot) -> Option<&ClientState> {
        self.subjects.state(slot)
    }

    /// The id under which a subject's events are kept: its own, or an anonymous one if it was erased.
    fn kept_as<'a>(&self, subject: &'a ClientId, key: &[u8; 32]) -> Cow<'a, ClientId> {
        // Who stands under a name was not erased, for that takes the name away; and to ask the names costs no hash.
        if self.erased.is_empty() || self.slot(subject.as_str()).is_some() {
            return Cow::Borrowed(subject);
        }
        let anonymous = anonymous_id(subject.as_str(), key);
        if self.erased.contains(&anonymous) { Cow::Owned(anonymous) } else { Cow::Borrowed(subject) }
    }

    /// The slot under which a subject's events are kept, if there are any.
    pub(crate) fn slot_of(&self, subject: &str, key: &[u8; 32]) -> Option<Slot> {
        let known = self.slot(subject);
        if known.is_some() || self.erased.is_empty() {
            return known;
        }
        self.slot(self.kept_as(&subject.into(), key).as_str())
    }

    /// The state in a slot, for limits.
    pub(crate) fn subject(&self, slot: Slot) -> Option<&ClientState> {
        self.state(slot)
    }

    /// A book without events that knows who is erased in this one: a place to try events out.
    pub(crate) fn rehearsal(&self) -> Self {
        Self { erased: self.erased.clone(), ..Self::default() }
    }

    /// Takes over another book's state of a subject, if it has one that this book has not.
    pub(crate) fn copy_subject(&mut self, other: &Self, subject: &ClientId, key: &[u8; 32]) {
        let kept_as = self.kept_as(subject, key).into_owned();
        if self.slot(kept_as.as_str()).is_some() {
            return;
        }
        if let Some(state) = other.slot(kept_as.as_str()).and_then(|slot| other.state(slot)).cloned() {
            let slot = self.slot_or_new(&kept_as);
            if let Some(ours) = self.subjects.state_mut(slot) {
                *ours = state;
            }
            self.facts = OnceLock::new();
        }
    }

    /// The events whose source and id are kept.
    pub(crate) fn event_refs(&self) -> Vec<EventRef> {
        let mut refs = Vec::new();
        for (_, state) in self.subjects.iter() {
            state.visit_stamps(&mut |stamp| refs.push(stamp.event()));
        }
        refs
    }

    fn slot_or_new(&mut self, id: &ClientId) -> Slot {
        if let Some(slot) = self.slot(id.as_str()) {
            return slot;
        }
        if self.subjects.len() == 0 {
            // Of a book that begins here the facts are known all along.
            self.facts = OnceLock::from(Facts::default());
        }
        let slot = self.subjects.push(id.clone(), ClientState::default());
        self.roster = OnceLock::new();
        // Who is who stays as it is, unless somebody was merged into this id before it was heard of.
        if self.merges.get().is_some_and(|merges| merges.members.contains_key(id)) {
            self.merges = OnceLock::new();
        }
        slot
    }

    /// Takes in one event, whose slot may be known.
    pub(crate) fn fold(
        &mut self,
        event: &BorrowedEvent<'_>,
        slot: Option<Slot>,
        zone: &Zone,
        key: &[u8; 32],
    ) {
        let (first, last) = self.span.unwrap_or((event.time, event.time));
        self.span = Some((first.min(event.time), last.max(event.time)));
        let slot = slot.unwrap_or_else(|| self.slot_for(event.subject, key));
        if let EventData::ClientErased(_) = event.data {
            self.erase(slot, key);
        } else if let EventData::MergedInto(data) = event.data {
            let into = self.kept_as(&data.into, key).into_owned();
            let data = crate::event::client::MergedInto { into }.into();
            self.fold_into(slot, &BorrowedEvent { data: &data, ..*event }, zone);
        } else {
            self.fold_into(slot, event, zone);
        }
        // Who is who, or what stands, may be another now.
        if let EventKind::MergedInto | EventKind::Retracted = event.kind() {
            self.merges = OnceLock::new();
            self.roster = OnceLock::new();
            self.facts = OnceLock::new();
            self.changes.note_all();
        } else {
            self.changes.note(slot);
        }
        if let EventKind::UsageCounted | EventKind::UsageMeasured | EventKind::UsageDaySet = event.kind() {
            self.hear(event.source, zone.day(event.time), event.time);
            self.note_size(slot);
        }
    }

    /// The slots of some subjects, of those that stand under their names.
    pub(crate) fn known_slots<'s>(&self, subjects: impl Iterator<Item = &'s str>) -> Vec<Option<Slot>> {
        self.subjects.slots(subjects)
    }

    /// Has the lists that some events go into waited for together.
    pub(crate) fn warm<'e>(&self, events: impl Iterator<Item = (Slot, &'e EventData)>) {
        let mut known: Vec<(&ClientState, &EventData)> =
            Vec::with_capacity(events.size_hint().1.unwrap_or(0));
        known.extend(events.filter_map(|(slot, data)| Some((self.state(slot)?, data))));
        for reach in Reach::ALL {
            let numbers = known.iter().map(|(state, data)| state.warm_for(data, reach));
            std::hint::black_box(numbers.fold(0, u64::wrapping_add));
        }
    }

    /// The slot of a subject's events, made if there is none.
    pub(crate) fn slot_for(&mut self, subject: &str, key: &[u8; 32]) -> Slot {
        self.slot(subject).unwrap_or_else(|| self.slot_or_new(&self.kept_as(&subject.into(), key)))
    }

    /// Takes in the usage of a batch, whose slots are still those of its rows.
    pub(crate) fn fold_usage(&mut self, mut batch: UsageBatch) {
        let folded = self.subjects.fold(&mut batch);
        folded.slots.iter().for_each(|slot| self.changes.note(*slot));
        let (metrics, users) = self.most;
        self.most = (metrics.max(folded.most.0), users.max(folded.most.1));
        if let Some(facts) = self.facts.get_mut() {
            facts.take_in_usage(folded.first_day, folded.first_user);
        }
        let spans = [self.span, batch.span()].into_iter().flatten();
        self.span = spans.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)));
        for (source, day, time) in batch.heard() {
            self.hear(source.as_str(), day, time);
        }
    }

    /// Keeps in mind how many metrics and users the client with the most of them has.
    fn note_size(&mut self, slot: Slot) {
        let Some(state) = self.subjects.state(slot) else { return };
        let (metrics, users) = self.most;
        self.most = (metrics.max(state.usage.metric_count()), users.max(state.usage.users().len()));
    }

    /// Whether so many metrics and users more are within the limits of every client.
    pub(crate) fn has_room(&self, metrics: usize, users: usize, limits: Limits) -> bool {
        let (most_metrics, most_users) = self.most;
        most_metrics + metrics <= limits.metrics as usize && most_users + users <= MAX_USERS
    }

    fn fold_into(&mut self, slot: Slot, event: &BorrowedEvent<'_>, zone: &Zone) {
        let taken_back = self.facts.get().is_some() && self.is_taken_back(slot, event);
        let Some(state) = self.subjects.state_mut(slot) else { return };
        state.fold(event, zone);
        let personal = !state.erased;
        if let Some(facts) = self.facts.get_mut().filter(|_| !taken_back) {
            facts.note(event, zone, personal);
        }
    }

    /// Whether an event that comes now was taken back before it came.
    fn is_taken_back(&self, slot: Slot, event: &BorrowedEvent<'_>) -> bool {
        // Most books know of no retraction, and most events are of usage and support, which nothing takes back.
        if self.merges.get().is_some_and(|merges| !merges.any_retraction)
            || Retractable::new(event.kind()).is_none()
        {
            return false;
        }
        let merges = self.merges();
        if !merges.any_retraction {
            return false;
        }
        let (Some(id), Some(state)) = (self.subjects.id(slot), self.subjects.state(slot)) else {
            return false;
        };
        let standing = merges.into.get(id).unwrap_or(id);
        let of_group =
            merges.members.get(standing).into_iter().flatten().filter_map(|slot| self.state(*slot));
        of_group.chain(std::iter::once(state)).any(|state| state.takes_back(event))
    }

    /// Notes when a source was heard of.
    fn hear(&mut self, source: &str, day: Day, time: Instant) {
        let earliest = |known: &mut Instant, new: Instant| *known = (*known).min(new);
        match self.heard.get_mut(source) {
            Some(days) => days.merge(day, time, earliest),
            None => self.heard.entry(SourceId::new(source)).or_default().merge(day, time, earliest),
        }
    }

    fn merges(&self) -> &Merges {
        self.merges.get_or_init(|| {
            let merged = self.subjects.iter().filter(|(_, state)| !state.merges.is_empty());
            let links = merged.filter_map(|(id, state)| state.merged_into(id).map(|into| (id, into)));
            let merges = Merges::of(links.collect(), |id| self.slot(id.as_str()));
            let any_retraction = self.subjects.iter().any(|(_, state)| !state.retractions.is_empty());
            Merges { any_retraction, ..merges }
        })
    }

    /// The state of a client made of some subjects.
    fn standing(&self, slots: &[Slot]) -> Standing<'_> {
        let mut states = slots.iter().filter_map(|slot| self.state(*slot));
        let Some(first) = states.next() else { return Standing::Made(Box::default()) };
        if slots.len() == 1 && first.retractions.is_empty() {
            return Standing::InPlace(first);
        }
        // A merge is taken back by its own subject, so before the subjects become one.
        let mut whole = first.clone();
        whole.retract_merges();
        for state in states {
            let mut state = state.clone();
            state.retract_merges();
            whole.absorb(state);
        }
        whole.apply_retractions();
        Standing::Made(Box::new(whole))
    }

    /// The client of an id.
    pub(crate) fn client(&self, id: &ClientId, key: &[u8; 32]) -> Result<Client<'_>, NoClient> {
        if self.erased.contains(id) || self.erased.contains(self.kept_as(id, key).as_ref()) {
            return Err(NoClient::Erased);
        }
        let merges = self.merges();
        if let Some(into) = merges.into.get(id) {
            return Err(NoClient::Merged { into: into.clone() });
        }
        if let Some((id, slots)) = merges.members.get_key_value(id) {
            return Ok(Client { id, state: self.standing(slots) });
        }
        let slot = self.slot(id.as_str()).ok_or(NoClient::Unknown)?;
        let id = self.subjects.id(slot).ok_or(NoClient::Unknown)?;
        Some(Client { id, state: self.standing(&[slot]) }).filter(Client::has_events).ok_or(NoClient::Unknown)
    }

    /// The client that an id stands for; an id nobody knows stands for itself.
    pub(crate) fn resolve(&self, id: &ClientId, key: &[u8; 32]) -> ClientId {
        match self.client(id, key) {
            Err(NoClient::Merged { into }) => into,
            Err(NoClient::Erased) => anonymous_id(id.as_str(), key),
            Ok(_) | Err(NoClient::Unknown) => id.clone(),
        }
    }

    /// The states of the subjects that are one client, with everything that was taken back still in them.
    pub(crate) fn subjects_of(&self, id: &ClientId) -> Vec<(&ClientId, &ClientState)> {
        let slots = self
            .merges()
            .members
            .get(id)
            .cloned()
            .unwrap_or_else(|| self.slot(id.as_str()).into_iter().collect());
        slots.iter().filter_map(|slot| self.subjects.id(*slot).zip(self.state(*slot))).collect()
    }

    fn roster(&self) -> &[Member] {
        self.roster.get_or_init(|| roster::of(&self.subjects, self.merges()))
    }

    /// Every client in order of its id, erased ones among them under their anonymous ids.
    pub(crate) fn all(&self) -> impl Iterator<Item = Client<'_>> {
        self.within(0..self.places(), |state, _| u64::from(state.erased))
    }

    /// Every client that can be asked about, in order of its id.
    pub(crate) fn living(&self) -> impl Iterator<Item = Client<'_>> {
        self.living_within(0..self.places(), |state, _| u64::from(state.erased))
    }

    /// What the book as a whole has seen.
    pub(crate) fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| {
            let mut facts = Facts::default();
            for client in self.within(0..self.places(), ClientState::warm) {
                facts.take_in(&client.state);
            }
            facts
        })
    }

    /// When a source was last heard of at or before an instant.
    pub(crate) fn last_heard(&self, source: &str, at: Instant, zone: &Zone) -> Option<Day> {
        let days = self.heard.get(source)?;
        days.up_to(zone.day(at)).iter().rev().find(|cell| cell.value <= at).map(|cell| cell.key)
    }

    /// Gives up detail before a day.
    pub(crate) fn seal(&mut self, before: Day) {
        self.changes.note_all();
        self.subjects.states_mut().for_each(|state| state.seal(before));
    }

    /// Takes in another engine's book.
    pub(crate) fn join(&mut self, other: Self, key: &[u8; 32]) {
        let Self { subjects, erased, heard, span, most: _, changes: _, merges: _, roster: _, facts: _ } =
            other;
        self.changes.note_all();
        for (id, state) in subjects.into_pairs() {
            let slot = self.slot_or_new(&id);
            if let Some(ours) = self.subjects.state_mut(slot) {
                ours.join(state);
            }
            self.note_size(slot);
        }
        self.join_seen(heard, span);
        // What one side erased, the other may still hold under its name.
        self.erased.extend(erased);
        if !self.erased.is_empty() {
            self.erase_named(key);
        }
        self.merges = OnceLock::new();
        self.roster = OnceLock::new();
        self.facts = OnceLock::new();
    }

    /// Takes in when sources were heard of and the first and last instant of other events.
    fn join_seen(
        &mut self,
        heard: BTreeMap<SourceId, Cells<Day, Instant>>,
        span: Option<(Instant, Instant)>,
    ) {
        for (source, days) in heard {
            let ours = self.heard.entry(source).or_default();
            for cell in days.into_cells() {
                ours.merge(cell.key, cell.value, |known, new| *known = (*known).min(new));
            }
        }
        self.span = match (self.span, span) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }
}

#[cfg(test)]
mod tests;

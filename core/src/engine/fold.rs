//! Events in: what is admitted, and in which order it is folded.

use super::Engine;
use super::applied::{Applied, ReadError, ReadOptions, Stood};
use crate::batch::UsageBatch;
use crate::chunks::in_order;
use crate::event::borrowed::{BorrowedEvent, Standing};
use crate::event::line::{Decoded, EventView, UsageRef, decode_line};
use crate::event::{Event, EventCode, EventData, EventError};
use crate::ledger::{Admission, Ledger, Ticket, Tickets};
use crate::merges::Slot;
use crate::ndjson::{Block, EventReader, Line, Place};
use crate::settings::Dedupe;
use crate::state::ClientState;
use crate::time::Day;
use crate::zone::DayClock;
use std::io::{self, BufRead};
use std::sync::LazyLock;

/// How many events are decoded by one thread and then looked up together: their places in memory are waited for at the same
/// time.
pub(super) const LOOKED_UP: usize = 256;
/// How many events of usage are folded together, of each client on the mean: the memory of a client is waited for once for all of
/// them. Within bounds, so that what waits takes little beside the book.
const FOLDED_OF_EACH: usize = 16;
const FOLDED: std::ops::RangeInclusive<usize> = 1 << 18..=1 << 22;

/// What is known of a client before its first event.
static NOBODY: LazyLock<ClientState> = LazyLock::new(ClientState::default);

/// An event on its way in: usage as a view of it, for most of a log is usage that adds up.
enum Incoming<'a> {
    Usage(UsageRef<'a>),
    /// One that the caller has.
    Had(&'a Event),
    /// One that was just decoded.
    Made(Box<Event>),
}

impl<'a> Incoming<'a> {
    fn of(event: &'a Event) -> Self {
        event.usage().map_or(Self::Had(event), Self::Usage)
    }

    fn view(&self) -> EventView<'_> {
        match self {
            Self::Usage(usage) => EventView::Usage(usage),
            Self::Had(event) => EventView::Other(Standing::Whole(event)),
            Self::Made(event) => EventView::Other(Standing::Whole(event)),
        }
    }
}

impl<'a> From<Decoded<'a>> for Incoming<'a> {
    fn from(decoded: Decoded<'a>) -> Self {
        match decoded {
            Decoded::Usage(usage) => Self::Usage(usage),
            Decoded::Other(event) => Self::Made(event),
        }
    }
}

/// Some events on their way in, in their order: each is looked at several times, and moved never.
pub(super) trait Arrivals {
    /// Of each where it stood, and the event or what is wrong with it.
    fn each(&self) -> impl Iterator<Item = (Stood, Result<EventView<'_>, &EventError>)>;
}

/// An event or what is wrong with it, and where it stood.
type Arrival<'a> = (Stood, Result<Incoming<'a>, EventError>);

impl Arrivals for Vec<Arrival<'_>> {
    fn each(&self) -> impl Iterator<Item = (Stood, Result<EventView<'_>, &EventError>)> {
        self.iter().map(|(stood, event)| (*stood, event.as_ref().map(Incoming::view)))
    }
}

/// Arrivals, and what those that are events are known by, where identities are kept.
struct Prepared<A> {
    arrivals: A,
    tickets: Vec<Ticket>,
}

/// A batch on its way in. However it ends, what was admitted is folded: an identity is never in without its event.
pub(super) struct Intake<'e> {
    pub(super) engine: &'e mut Engine,
    pub(super) applied: Applied,
    skip_unknown: bool,
    /// What is admitted and not yet folded.
    pub(super) usage: UsageBatch,
}

impl Drop for Intake<'_> {
    fn drop(&mut self) {
        self.fold_usage();
    }
}

impl Engine {
    // -- fold --

    /// Takes in one event. `Ok(false)` if it was in already.
    ///
    /// # Errors
    /// If it conflicts with one that is in, is from before the seal, or is one thing too many.
    pub fn apply(&mut self, event: &Event) -> Result<bool, EventError> {
        match self.admit(event)? {
            Admission::New => Ok(true),
            Admission::Duplicate => Ok(false),
            Admission::Conflict => Err(conflict(event)),
        }
    }

    /// Takes in some events: good ones are applied, each bad one is returned, nothing else is touched.
    pub fn apply_all<'e>(&mut self, events: impl IntoIterator<Item = &'e Event>) -> Applied {
        let mut intake = self.intake(false);
        let arrival = |(event, index): (&'e Event, u64)| (Stood::At(index), Ok(Incoming::of(event)));
        intake.take_in_all(events.into_iter().zip(0..), arrival);
        intake.end()
    }

    /// Reads events from NDJSON (or a JSON array of events) and takes them in.
    ///
    /// # Errors
    /// What the input reports, or in strict mode the first bad event.
    pub fn apply_ndjson(&mut self, input: impl BufRead, options: &ReadOptions) -> Result<Applied, ReadError> {
        let reader = EventReader::new(input, options.source.clone());
        let mut reader = reader.one_per_line(options.one_per_line);
        if options.strict {
            let mut next = || Ok(reader.next_event()?.map(|(place, event)| (Stood::In(place), event)));
            return self.apply_strictly(std::iter::from_fn(|| next().transpose()), options.skip_unknown);
        }
        let mut intake = self.intake(options.skip_unknown);
        while let Some(mut block) = reader.next_block()? {
            intake.take_in_block(&mut block);
        }
        Ok(intake.end())
    }

    /// Takes in events that came one by one, such as messages of a queue: of each its JSON text, or why it has none. They
    /// are numbered as they come; a text that is no event, such as a list or an empty one, costs no other.
    ///
    /// ```
    /// use healthfold::{Engine, ReadOptions, Settings};
    /// let mut engine = Engine::new(Settings::default())?;
    /// let event = br#"{"id":"1","source":"crm","type":"client.set","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"owner":"Ann"}}"#;
    /// let applied = engine.apply_texts([Ok(&b"[]"[..]), Ok(event), Ok(b"")], &ReadOptions::default())?;
    /// let rejected: Vec<u64> = applied.rejected.iter().map(|rejection| rejection.index).collect();
    /// assert_eq!((applied.applied, rejected), (1, vec![0, 2]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// In strict mode the first bad event.
    pub fn apply_texts<'t>(
        &mut self,
        texts: impl IntoIterator<Item = Result<&'t [u8], EventError>>,
        options: &ReadOptions,
    ) -> Result<Applied, ReadError> {
        let decode = |text: Result<&'t [u8], EventError>| decode_line(alone(text?)?, options.source.as_ref());
        let texts = (0..).zip(texts).map(|(index, text)| (Stood::At(index), text));
        if options.strict {
            let events = texts.map(|(stood, text)| Ok((stood, decode(text).map(Decoded::into_event))));
            return self.apply_strictly(events, options.skip_unknown);
        }
        let mut intake = self.intake(options.skip_unknown);
        intake.take_in_all(texts, |(stood, text)| (stood, decode(text).map(Incoming::from)));
        Ok(intake.end())
    }

    /// Begins a batch.
    pub(super) fn intake(&mut self, skip_unknown: bool) -> Intake<'_> {
        let (applied, usage) = (Applied::default(), UsageBatch::of_clients(self.book.subject_count()));
        Intake { engine: self, applied, skip_unknown, usage }
    }

    /// All or nothing: the batch is tried on copies of the clients it touches, and then applied.
    fn apply_strictly(
        &mut self,
        arrivals: impl Iterator<Item = io::Result<(Stood, Result<Event, EventError>)>>,
        skip_unknown: bool,
    ) -> Result<Applied, ReadError> {
        let mut rehearsal = self.rehearsal();
        let (mut events, mut skipped) = (Vec::new(), 0);
        for arrival in arrivals {
            let (stood, event) = arrival?;
            let tried = event.and_then(|event| {
                rehearsal.try_with(self, &event)?;
                Ok(event)
            });
            match tried {
                Ok(event) => events.push(event),
                Err(error) if skip_unknown && error.code == EventCode::UnknownType => skipped += 1,
                Err(error) => {
                    return Err(ReadError::Strict(Box::new(stood.rejection(error))));
                }
            }
        }
        Ok(Applied { skipped, ..self.apply_all(&events) })
    }

    /// An engine without events, to try a batch in.
    pub(super) fn rehearsal(&self) -> Self {
        let (settings, zone, zone_data) = (self.settings.clone(), self.zone.clone(), self.zone_data.clone());
        let book = self.book.rehearsal();
        Self { settings, zone, zone_data, sealed: self.sealed, ledger: Ledger::default(), book }
    }

    /// Takes an event in as `whole` would, with copies of the clients it touches.
    pub(super) fn try_with(&mut self, whole: &mut Self, event: &Event) -> Result<(), EventError> {
        whole.after_seal(|| whole.day_of(&event.borrowed()))?;
        if self.settings.dedupe == Dedupe::Exact {
            match whole.ledger.look(&Ticket::of(&event.borrowed())) {
                Admission::New => {}
                Admission::Duplicate => return Ok(()),
                Admission::Conflict => return Err(conflict(event)),
            }
        }
        self.book.copy_subject(&whole.book, &event.subject, &self.settings.erasure_key);
        self.apply(event).map(|_| ())
    }

    /// Has the places of some events in memory waited for together; returns the slots of their clients. A slot stands until
    /// a client is erased.
    #[inline]
    fn look_up(&mut self, prepared: &Prepared<impl Arrivals>) -> Vec<Option<Slot>> {
        let Prepared { arrivals, tickets } = prepared;
        if self.settings.dedupe == Dedupe::Exact {
            self.ledger.reserve(tickets.len());
            self.ledger.warm(tickets.iter());
        }
        let mut others = Vec::with_capacity(LOOKED_UP);
        let subjects = arrivals.each().zip(0..).map(|((_, event), number)| match event {
            Ok(EventView::Usage(usage)) => usage.subject,
            Ok(EventView::Other(event)) => {
                others.push((number, event.data()));
                event.subject()
            }
            // What is no event has no subject, and nobody asks for its slot.
            Err(_) => "",
        });
        let slots = self.book.known_slots(subjects);
        let slot = |number: usize| slots.get(number).copied().flatten();
        self.book.warm(others.into_iter().filter_map(|(number, data)| Some((slot(number)?, data))));
        slots
    }

    /// The day an event belongs to.
    fn day_of(&self, event: &BorrowedEvent<'_>) -> Day {
        // A roll-up belongs to its day, whenever it was stated.
        if let EventData::UsageDaySet(data) = event.data { data.day } else { self.zone.day(event.time) }
    }

    /// Whether detail before some day was given up.
    #[cfg(feature = "arrow")]
    pub(super) fn is_sealed(&self) -> bool {
        self.sealed.is_some()
    }

    /// Refuses what belongs to a day before the seal. Of which day it is nobody asks where there is no seal.
    fn after_seal(&self, day: impl FnOnce() -> Day) -> Result<(), EventError> {
        let Some(before) = self.sealed else { return Ok(()) };
        let day = day();
        if day < before {
            let message = format!("the event belongs to {day}, the engine is sealed before {before}");
            return Err(EventError::whole(EventCode::BeforeSeal, message));
        }
        Ok(())
    }

    fn admit(&mut self, event: &Event) -> Result<Admission, EventError> {
        let exact = self.settings.dedupe == Dedupe::Exact;
        let event = event.borrowed();
        let ticket = exact.then(|| Ticket::of(&event));
        self.admit_event(&event, ticket.as_ref(), None)
    }

    /// Admits and folds an event; its ticket says what it is known by where identities are kept. Its slot may be known.
    fn admit_event(
        &mut self,
        event: &BorrowedEvent<'_>,
        ticket: Option<&Ticket>,
        slot: Option<Slot>,
    ) -> Result<Admission, EventError> {
        self.after_seal(|| self.day_of(event))?;
        let known = ticket.map_or(Admission::New, |ticket| self.ledger.look(ticket));
        if known != Admission::New {
            return Ok(known);
        }
        let slot = slot.or_else(|| self.book.slot_of(event.subject, &self.settings.erasure_key));
        match slot.and_then(|slot| self.book.subject(slot)) {
            Some(state) => state.check_limits(event, self.settings.limits)?,
            None => NOBODY.check_limits(event, self.settings.limits)?,
        }
        if let Some(ticket) = ticket {
            let month = self.day_of(event).month();
            self.ledger.enter(ticket, month);
        }
        self.book.fold(event, slot, &self.zone, &self.settings.erasure_key);
        Ok(Admission::New)
    }
}

/// Finds out what some events are known by: all that needs nothing of the engine.
fn prepare<A: Arrivals>(arrivals: A, dedupe: Dedupe) -> Prepared<A> {
    if dedupe == Dedupe::Upstream {
        return Prepared { arrivals, tickets: Vec::new() };
    }
    let mut tickets = Tickets::with_room_for(arrivals.each().size_hint().1.unwrap_or(0));
    for (_, event) in arrivals.each() {
        match event {
            Ok(EventView::Usage(usage)) => tickets.add_usage(usage),
            Ok(EventView::Other(event)) => tickets.add(&event.borrowed()),
            Err(_) => {}
        }
    }
    let tickets = tickets.take();
    Prepared { arrivals, tickets }
}

impl Intake<'_> {
    /// Takes in events in their order, many at a time. While some are taken in, the next are decoded, where there are threads.
    fn take_in_all<'a, T: Send>(
        &mut self,
        pieces: impl IntoIterator<Item = T>,
        decode: impl Fn(T) -> Arrival<'a> + Sync,
    ) {
        let mut pieces = pieces.into_iter();
        let some =
            || Some(pieces.by_ref().take(LOOKED_UP).collect()).filter(|some: &Vec<T>| !some.is_empty());
        self.take_in_parts(std::iter::from_fn(some), |some| {
            some.into_iter().map(&decode).collect::<Vec<_>>()
        });
    }

    /// The same of events that stand together already, at most [`LOOKED_UP`] of them.
    pub(super) fn take_in_parts<T: Send, A: Arrivals + Send>(
        &mut self,
        parts: impl Iterator<Item = T>,
        decode: impl Fn(T) -> A + Sync,
    ) {
        let dedupe = self.engine.settings.dedupe;
        in_order(parts, |part| prepare(decode(part), dedupe), |ready| self.take_in(&ready, 0));
    }

    /// The same of events in a text, the lines of which are found by whoever decodes them.
    fn take_in_block(&mut self, block: &mut Block<'_>) {
        fn decode<'a>((place, line): (Place, Line<'a>)) -> Arrival<'a> {
            (Stood::In(place), line.decode().map(Incoming::from))
        }
        let dedupe = self.engine.settings.dedupe;
        let first = block.pass(0);
        let mut before = first;
        let spans = std::iter::from_fn(|| block.next_span(LOOKED_UP));
        in_order(
            spans,
            |span| prepare(span.lines().map(decode).collect::<Vec<_>>(), dedupe),
            |ready| {
                let events = ready.arrivals.len() as u64;
                self.take_in(&ready, before);
                before += events;
            },
        );
        block.pass(before - first);
    }

    /// Takes in some events, counted from the one that so many come before. They are admitted in the order they came, so that
    /// the first of an identity stays; usage that adds up is kept back until there is enough of it to fold client by client.
    #[inline]
    fn take_in(&mut self, prepared: &Prepared<impl Arrivals>, before: u64) {
        let zone = self.engine.zone.clone();
        let mut clock = DayClock::new(&zone);
        let slots = self.engine.look_up(prepared);
        let mut slots_stand = true;
        let mut tickets = prepared.tickets.iter();
        for ((stood, event), slot) in prepared.arrivals.each().zip(slots) {
            let stood = stood.behind(before);
            let event = match event {
                Ok(event) => event,
                Err(error) if self.skip_unknown && error.code == EventCode::UnknownType => {
                    self.applied.skipped += 1;
                    continue;
                }
                Err(error) => {
                    self.applied.reject(stood, error.clone());
                    continue;
                }
            };
            let (ticket, slot) = (tickets.next(), slot.filter(|_| slots_stand));
            let admission = match event {
                EventView::Usage(event) => self.admit_usage(event, ticket, slot, &mut clock),
                EventView::Other(event) => {
                    let event = event.borrowed();
                    if let EventData::ClientErased(_) = event.data {
                        // Slots change hands.
                        self.fold_usage();
                        slots_stand = false;
                    }
                    if let EventData::UsageDaySet(data) = event.data {
                        // Its metric and users count beside those that are kept back.
                        let users = data.users.as_ref().map_or(0, |users| users.as_slice().len());
                        if !self.has_room(1, users) {
                            self.fold_usage();
                        }
                    }
                    self.engine.admit_event(&event, ticket, slot)
                }
            };
            match admission {
                Ok(admission) => self.applied.note(stood.index(), admission, || event.identity()),
                Err(error) => self.applied.reject(stood, error),
            }
        }
        self.fold_if_enough();
    }

    pub(super) fn fold_if_enough(&mut self) {
        let enough = FOLDED_OF_EACH * self.engine.book.subject_count();
        if self.usage.len() >= enough.clamp(*FOLDED.start(), *FOLDED.end()) {
            self.fold_usage();
        }
    }

    /// Ends the batch; returns what became of it.
    pub(super) fn end(mut self) -> Applied {
        std::mem::take(&mut self.applied)
    }

    pub(super) fn fold_usage(&mut self) {
        let book = &mut self.engine.book;
        let clients = book.subject_count();
        book.fold_usage(std::mem::replace(&mut self.usage, UsageBatch::of_clients(clients)));
    }

    /// Admits an event of usage to the batch.
    pub(super) fn admit_usage(
        &mut self,
        event: &UsageRef<'_>,
        ticket: Option<&Ticket>,
        slot: Option<Slot>,
        clock: &mut DayClock<'_>,
    ) -> Result<Admission, EventError> {
        if !self.has_room(1, 1) || !self.usage.has_room_for(event.user) {
            // Somebody is near a limit: the events before this one first, and this one with all care.
            self.fold_usage();
            return self.engine.admit_event(&event.to_event().borrowed(), ticket, slot);
        }
        let day = clock.day(event.time);
        self.engine.after_seal(|| day)?;
        if let Some(ticket) = ticket {
            let admission = self.engine.ledger.enter(ticket, day.month());
            if admission != Admission::New {
                return Ok(admission);
            }
        }
        let Engine { book, settings, .. } = &mut *self.engine;
        let slot = slot.unwrap_or_else(|| book.slot_for(event.subject, &settings.erasure_key));
        self.usage.note(event, slot, day);
        Ok(Admission::New)
    }

    /// Whether no limit can be in the way of so many metrics and users more, beside those that are kept back.
    pub(super) fn has_room(&self, metrics: usize, users: usize) -> bool {
        // A name may be counted and measured, which makes two.
        let metrics = 2 * (self.usage.metrics().len() + metrics);
        let Engine { book, settings, .. } = &*self.engine;
        book.has_room(metrics, self.usage.len() + users, settings.limits)
    }
}

/// The text of one event, without what stands around it.
fn alone(text: &[u8]) -> Result<&[u8], EventError> {
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text).trim_ascii();
    if text.is_empty() {
        return Err(EventError::whole(EventCode::MalformedJson, "there is no event in this text"));
    }
    Ok(text)
}

fn conflict(event: &Event) -> EventError {
    let message = format!(
        "event `{}` of source `{}` is in already with other content, which stays",
        event.id, event.source
    );
    EventError::whole(EventCode::ConflictingEvent, message)
}

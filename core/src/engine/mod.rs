//! The front door: one short method for each thing a user does.

mod pass;
mod ask;
mod evidence;
mod health;
mod money;
mod watch;
#[cfg(feature = "arrow")]
mod table;

pub use ask::{Every, ScoresOf};
pub use evidence::Activation;
pub use watch::{Refreshed, Watch};

use crate::book::{Book, Client, NoClient, anonymous_id};
use crate::error::{MergeClash, MergeError, QueryError, SealError, SnapshotError};
use crate::event::{Event, EventCode, EventData, EventError};
use crate::id::{ClientId, EventRef, SourceId};
use crate::ledger::{Admission, Clash, Identity, Ledger};
use crate::ndjson::{EventReader, Place};
use crate::settings::{Dedupe, Settings};
use crate::snapshot;
use crate::state::ClientState;
use crate::time::{Day, Instant, TimeError};
use crate::zone::Zone;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, BufRead};

/// How a batch is read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// The `source` of events that state none.
    pub source: Option<SourceId>,
    /// Apply all or nothing: the first bad event stops the batch before anything of it is applied.
    pub strict: bool,
    /// Skip events of unknown types and count them, instead of rejecting them.
    pub skip_unknown: bool,
}

/// An event that was not taken, and where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Its number in the batch, from 0.
    pub index: u64,
    /// Its line, from 1; `None` for events that did not come as text.
    pub line: Option<u64>,
    /// The offset of its first byte; `None` for events that did not come as text.
    pub offset: Option<u64>,
    /// What is wrong.
    pub error: EventError,
}

impl Serialize for Rejection {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut row = serializer.serialize_struct("Rejection", 6)?;
        row.serialize_field("index", &self.index)?;
        row.serialize_field("line", &self.line)?;
        row.serialize_field("offset", &self.offset)?;
        row.serialize_field("code", self.error.code.as_str())?;
        row.serialize_field("message", &self.error.message)?;
        row.serialize_field("field", &self.error.field)?;
        row.end()
    }
}

/// An event whose identity is taken by another content; the first stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// Its number in the batch, from 0.
    pub index: u64,
    /// The source of both.
    pub source: SourceId,
    /// The id of both.
    pub id: crate::id::EventId,
}

/// What became of a batch. Only the first 1 000 rejections and conflicts are listed; all are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Events that are in now and were not before.
    pub applied: u64,
    /// Events that were in already.
    pub duplicates: u64,
    /// Events of unknown types that were skipped because the caller asked for it.
    pub skipped: u64,
    /// What was not taken.
    pub rejected: Vec<Rejection>,
    /// How much was not taken, by code.
    pub rejected_by_code: BTreeMap<&'static str, u64>,
    /// Identities with two contents.
    pub conflicts: Vec<Conflict>,
    /// How many of them.
    pub conflict_count: u64,
}

/// How many rejections and conflicts a batch lists.
const LISTED: usize = 1_000;

impl Applied {
    fn reject(&mut self, place: Place, by_text: bool, error: EventError) {
        *self.rejected_by_code.entry(error.code.as_str()).or_default() += 1;
        if self.rejected.len() < LISTED {
            let (line, offset) = if by_text { (Some(place.line), Some(place.offset)) } else { (None, None) };
            self.rejected.push(Rejection { index: place.index, line, offset, error });
        }
    }

    fn note(&mut self, index: u64, event: &Event, admission: Admission) {
        match admission {
            Admission::New => self.applied += 1,
            Admission::Duplicate => self.duplicates += 1,
            Admission::Conflict => {
                self.conflict_count += 1;
                if self.conflicts.len() < LISTED {
                    let EventRef { source, id } = event.identity();
                    self.conflicts.push(Conflict { index, source, id });
                }
            }
        }
    }

    /// How many events were not taken.
    pub fn rejected_count(&self) -> u64 {
        self.rejected_by_code.values().sum()
    }
}

/// Why a batch ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The input itself failed; events before that are applied.
    #[error("reading failed: {0}")]
    Io(#[from] io::Error),
    /// In strict mode, the first bad event; nothing is applied.
    #[error("event {} at line {}: {}", .0.index, .0.line.unwrap_or(0), .0.error)]
    Strict(Box<Rejection>),
}

/// The folded state of all clients, and every question about them.
///
/// ```
/// use healthfold::{Engine, Settings};
/// let mut engine = Engine::new(Settings::default())?;
/// let applied = engine.apply_ndjson(
///     &br#"{"id":"1","source":"app","type":"usage.counted","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"metric":"reports"}}
/// {"id":"2","source":"app","type":"usage.counted","subject":"acme","time":"yesterday","data":{"metric":"reports"}}"#[..],
///     &Default::default(),
/// )?;
/// assert_eq!((applied.applied, applied.rejected.len()), (1, 1));
/// assert_eq!(applied.rejected[0].error.code.as_str(), "bad_time");
/// assert_eq!(engine.clients().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    settings: Settings,
    zone: Zone,
    /// The version of the zone data when the first event came in.
    zone_data: String,
    sealed: Option<Day>,
    ledger: Ledger,
    book: Book,
}

impl Engine {
    /// An engine without events.
    ///
    /// # Errors
    /// If the time zone is unknown.
    pub fn new(settings: Settings) -> Result<Self, TimeError> {
        let zone = Zone::named(&settings.timezone)?;
        let settings = Settings { timezone: zone.name().to_owned(), ..settings };
        let zone_data = Zone::data_version().to_owned();
        Ok(Self { settings, zone, zone_data, sealed: None, ledger: Ledger::default(), book: Book::default() })
    }

    /// What the engine was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The time zone in which days and months are counted.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The version of the IANA zone data by which the days of the engine were made, such as `2026c`: for a restored one
    /// that of its snapshot. Where it is not [`Zone::data_version`] and the rules of the zone have changed between the
    /// two, days folded before and after may disagree: rebuild from the log.
    pub fn zone_data(&self) -> &str {
        &self.zone_data
    }

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
        let mut applied = Applied::default();
        for (event, index) in events.into_iter().zip(0..) {
            match self.admit(event) {
                Ok(admission) => applied.note(index, event, admission),
                Err(error) => applied.reject(Place { index, line: 0, offset: 0 }, false, error),
            }
        }
        applied
    }

    /// Reads events from NDJSON (or a JSON array of events) and takes them in.
    ///
    /// # Errors
    /// What the input reports, or in strict mode the first bad event.
    pub fn apply_ndjson(&mut self, input: impl BufRead, options: &ReadOptions) -> Result<Applied, ReadError> {
        let mut reader = EventReader::new(input, options.source.clone());
        if options.strict {
            return self.apply_strictly(reader, options.skip_unknown);
        }
        let mut applied = Applied::default();
        while let Some((place, event)) = reader.next_event()? {
            match event.and_then(|event| self.admit(&event).map(|admission| (event, admission))) {
                Ok((event, admission)) => applied.note(place.index, &event, admission),
                Err(error) if options.skip_unknown && error.code == EventCode::UnknownType => {
                    applied.skipped += 1
                }
                Err(error) => applied.reject(place, true, error),
            }
        }
        Ok(applied)
    }

    /// All or nothing: the batch is tried on copies of the clients it touches, and then applied.
    fn apply_strictly(
        &mut self,
        mut reader: EventReader<impl BufRead>,
        skip_unknown: bool,
    ) -> Result<Applied, ReadError> {
        let mut rehearsal = self.rehearsal();
        let (mut events, mut skipped) = (Vec::new(), 0);
        while let Some((place, event)) = reader.next_event()? {
            let tried = event.and_then(|event| {
                rehearsal.try_with(self, &event)?;
                Ok(event)
            });
            match tried {
                Ok(event) => events.push(event),
                Err(error) if skip_unknown && error.code == EventCode::UnknownType => skipped += 1,
                Err(error) => {
                    let (line, offset) = (Some(place.line), Some(place.offset));
                    return Err(ReadError::Strict(Box::new(Rejection {
                        index: place.index,
                        line,
                        offset,
                        error,
                    })));
                }
            }
        }
        Ok(Applied { skipped, ..self.apply_all(&events) })
    }

    /// An engine without events, to try a batch in.
    fn rehearsal(&self) -> Self {
        let (settings, zone, zone_data) = (self.settings.clone(), self.zone.clone(), self.zone_data.clone());
        let book = self.book.rehearsal();
        Self { settings, zone, zone_data, sealed: self.sealed, ledger: Ledger::default(), book }
    }

    /// Takes an event in as `whole` would, with copies of the clients it touches.
    fn try_with(&mut self, whole: &mut Self, event: &Event) -> Result<(), EventError> {
        whole.day_after_seal(event)?;
        if self.settings.dedupe == Dedupe::Exact {
            match whole.ledger.look(event).0 {
                Admission::New => {}
                Admission::Duplicate => return Ok(()),
                Admission::Conflict => return Err(conflict(event)),
            }
        }
        self.book.copy_subject(&whole.book, &event.subject, &self.settings.erasure_key);
        self.apply(event).map(|_| ())
    }

    /// The day an event belongs to, which must not be before the seal.
    fn day_after_seal(&self, event: &Event) -> Result<Day, EventError> {
        let day = match &event.data {
            EventData::UsageDaySet(data) => data.day,
            _ => self.zone.day(event.time),
        };
        match self.sealed {
            Some(before) if day < before => {
                let message = format!("the event belongs to {day}, the engine is sealed before {before}");
                Err(EventError::whole(EventCode::BeforeSeal, message))
            }
            _ => Ok(day),
        }
    }

    fn admit(&mut self, event: &Event) -> Result<Admission, EventError> {
        let day = self.day_after_seal(event)?;
        let ticket = match self.settings.dedupe {
            Dedupe::Upstream => None,
            Dedupe::Exact => match self.ledger.look(event) {
                (Admission::New, ticket) => Some(ticket),
                (known, _) => return Ok(known),
            },
        };
        match self.book.subject(&event.subject, &self.settings.erasure_key) {
            Some(state) => state.check_limits(event, self.settings.limits)?,
            None => ClientState::default().check_limits(event, self.settings.limits)?,
        }
        if let Some(ticket) = ticket {
            self.ledger.enter(ticket, day.month());
        }
        self.book.fold(event, &self.zone, &self.settings.erasure_key);
        Ok(Admission::New)
    }

    // -- look --

    /// The ids of all clients that can be asked about, in order.
    pub fn clients(&self) -> impl Iterator<Item = &ClientId> {
        self.book.living().map(|client| client.id)
    }

    /// The first and the last instant of any event.
    pub fn span(&self) -> Option<(Instant, Instant)> {
        self.book.span()
    }

    pub(crate) fn client(&self, id: &ClientId) -> Result<Client<'_>, QueryError> {
        self.book.client(id, &self.settings.erasure_key).map_err(|why| match why {
            NoClient::Unknown => QueryError::UnknownClient { client: id.clone() },
            NoClient::Merged { into } => QueryError::Merged { client: id.clone(), into },
            NoClient::Erased => QueryError::Erased { client: id.clone() },
        })
    }

    // -- keep --

    /// The whole engine as bytes: canonical, with a checked header.
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::write(&self.zone_data, &self.settings, self.sealed, &self.ledger, &self.book)
    }

    /// The engine of a snapshot.
    ///
    /// # Errors
    /// If the bytes are cut, altered or of a version that this one cannot read.
    pub fn restore(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let snapshot::Contents { zone_data, settings, sealed, ledger, book } = snapshot::read(bytes)?;
        let zone = Zone::named(&settings.timezone)
            .map_err(|error| SnapshotError::Corrupt { what: error.to_string() })?;
        Ok(Self { settings, zone, zone_data, sealed, ledger, book })
    }

    /// A hash of the canonical bytes, in hex: equal for engines that hold the same events.
    pub fn fingerprint(&self) -> String {
        snapshot::fingerprint(&self.settings, self.sealed, &self.ledger, &self.book)
    }

    /// Takes in the events of another engine. Billing, support, client and `usage.day_set` events may be in both;
    /// counted and measured usage may not. Merging engines of equal fingerprint changes nothing.
    ///
    /// # Errors
    /// If settings or seals differ, usage overlaps, or an identity has two contents; nothing is changed then.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        self.merge_with(other, false)
    }

    /// As [`Engine::merge`], for engines that keep no identities: the caller says that no event is in both. Identities
    /// that are kept are still compared.
    ///
    /// # Errors
    /// If settings or seals differ, or kept identities contradict the caller; nothing is changed then.
    pub fn merge_disjoint(&mut self, other: &Self) -> Result<(), MergeError> {
        self.merge_with(other, true)
    }

    fn merge_with(&mut self, other: &Self, disjoint: bool) -> Result<(), MergeError> {
        let differ = |what| Err(MergeError::SettingsDiffer { what });
        let (ours, theirs) = (&self.settings, &other.settings);
        if ours.timezone != theirs.timezone {
            return differ("time zone");
        }
        if ours.dedupe != theirs.dedupe {
            return differ("dedupe");
        }
        if ours.limits != theirs.limits {
            return differ("limits");
        }
        if ours.erasure_key != theirs.erasure_key {
            return differ("erasure key");
        }
        if self.sealed != other.sealed {
            return differ("seal");
        }
        // Where the caller says that all events differ, two equal states are two halves, such as one click each.
        if !disjoint && self.fingerprint() == other.fingerprint() {
            return Ok(());
        }
        if ours.dedupe == Dedupe::Upstream && !disjoint {
            return Err(MergeError::NotSaidDisjoint);
        }
        let clashes = self.ledger.clashes(&other.ledger);
        let content: Vec<Identity> = clashes
            .iter()
            .filter_map(|clash| matches!(clash, Clash::Content(_)).then_some(clash.identity()))
            .collect();
        if !content.is_empty() {
            let (count, events) = (content.len() as u64, self.name(&content));
            return Err(MergeError::ConflictingEvent { count, events });
        }
        if !clashes.is_empty() {
            let usage: Vec<Identity> = clashes.iter().map(Clash::identity).collect();
            let (count, events) = (usage.len() as u64, self.name(&usage));
            return Err(MergeError::Overlapping { count, events });
        }
        self.ledger.join(other.ledger.clone());
        self.book.join(other.book.clone(), &self.settings.erasure_key);
        Ok(())
    }

    /// Names up to 20 identities: by source and id where a timeline keeps them.
    fn name(&self, identities: &[Identity]) -> Vec<MergeClash> {
        const NAMED: usize = 20;
        let kept = self.book.event_refs();
        let found: BTreeMap<Identity, EventRef> = kept
            .into_iter()
            .map(|event| (Identity::of(event.source.as_str(), event.id.as_str()), event))
            .collect();
        let clash = |identity: &Identity| MergeClash {
            event: found.get(identity).cloned(),
            hash: identity.to_string(),
        };
        identities.iter().take(NAMED).map(clash).collect()
    }

    /// Gives up detail before an instant to bound memory: identities and who was active are dropped, sums are kept by
    /// month. The seal moves down to the start of its month. Events from before it are refused from then on.
    ///
    /// # Errors
    /// If the engine is sealed later already.
    pub fn seal(&mut self, before: Instant) -> Result<(), SealError> {
        let month = self.zone.day(before).month();
        let day = month.first_day();
        if let Some(sealed) = self.sealed.filter(|sealed| *sealed > day) {
            return Err(SealError { sealed: self.zone.start_of(sealed), asked: before });
        }
        self.sealed = Some(day);
        self.ledger.seal(month);
        self.book.seal(day);
        Ok(())
    }

    /// The instant before which detail was given up.
    pub fn sealed_before(&self) -> Option<Instant> {
        self.sealed.map(|day| self.zone.start_of(day))
    }

    /// The id under which an erased client's money and sums are kept.
    pub fn anonymous_id(&self, client: &ClientId) -> ClientId {
        anonymous_id(client.as_str(), &self.settings.erasure_key)
    }
}

fn conflict(event: &Event) -> EventError {
    let message = format!(
        "event `{}` of source `{}` is in already with other content, which stays",
        event.id, event.source
    );
    EventError::whole(EventCode::ConflictingEvent, message)
}

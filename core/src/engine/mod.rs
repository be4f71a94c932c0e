//! The front door: one short method for each thing a user does.

mod applied;
mod fold;
mod pass;
mod ask;
mod evidence;
mod health;
mod money;
mod lifetime;
mod watch;
#[cfg(all(feature = "arrow", feature = "threads"))]
mod side_by_side;
#[cfg(feature = "arrow")]
mod table;

pub use applied::{Applied, Conflict, ReadError, ReadOptions, Rejection};
pub use ask::{Every, ScoresOf};
pub use evidence::Activation;
pub use watch::{Refreshed, Watch};

use crate::book::{Book, Client, NoClient, anonymous_id};
use crate::error::{MergeClash, MergeError, QueryError, SealError, SnapshotError};
use crate::id::{ClientId, EventRef};
use crate::identities::Identity;
use crate::ledger::{Clash, Ledger};
use crate::settings::{Dedupe, Settings};
use crate::snapshot;
use crate::time::{Day, Instant, TimeError};
use crate::zone::Zone;
use std::collections::BTreeMap;

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

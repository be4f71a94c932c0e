//! Which identities are already in: what makes a repeated event harmless.
//!
//! An identity costs 24 bytes: a hash of (source, id) and one of the content. Neither text is kept.

use crate::event::{Event, EventKind};
use crate::time::Month;
use hashbrown::HashTable;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bits beside the hash in the second word: twelve of the month, one of "adds up".
const META_BITS: u32 = 13;
const META: u64 = (1 << META_BITS) - 1;
const ADDS_UP: u64 = 1 << 12;
const ENTRY_BYTES: usize = 24;
/// The month that is 0 in the twelve bits.
const FIRST_MONTH: i32 = 1969 * 12;

/// The name of one identity: 115 bits of a BLAKE3 hash, which two of 10^12 identities share with a chance below 10^-10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Identity {
    high: u64,
    low: u64,
}

impl Identity {
    pub(crate) fn of(source: &str, id: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(source.len() as u64).to_le_bytes());
        hasher.update(source.as_bytes());
        hasher.update(id.as_bytes());
        let hash = hasher.finalize();
        let mut words = hash.as_bytes().chunks_exact(8).map(word);
        Self { high: words.next().unwrap_or(0), low: words.next().unwrap_or(0) & !META }
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}{:013x}", self.high, self.low >> META_BITS)
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// One identity that is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    high: u64,
    low_and_meta: u64,
    content: u64,
}

impl Entry {
    fn identity(&self) -> Identity {
        Identity { high: self.high, low: self.low_and_meta & !META }
    }

    fn month(&self) -> i32 {
        // Twelve bits always fit.
        i32::try_from(self.low_and_meta & (ADDS_UP - 1)).unwrap_or(0) + FIRST_MONTH
    }
}

/// What the ledger says of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Not seen before.
    New,
    /// Seen, with the same content.
    Duplicate,
    /// Seen, with other content: the first stays.
    Conflict,
}

/// An identity in two ledgers that does not let them merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Clash {
    /// Its content differs.
    Content(Identity),
    /// It is counted or measured usage, whose sums cannot tell what both sides hold.
    Usage(Identity),
}

impl Clash {
    pub(crate) fn identity(&self) -> Identity {
        match self {
            Self::Content(identity) | Self::Usage(identity) => *identity,
        }
    }
}

/// The identities that are in and not yet sealed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    entries: HashTable<Entry>,
    scratch: Vec<u8>,
}

/// Collects the bytes that postcard writes.
pub(crate) struct Bytes<'a>(pub(crate) &'a mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Bytes<'_> {
    type Output = ();
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// The hash of what two events of one identity must share: type, subject, time, sequence and the known fields of
/// `data` by value. The bytes are those of postcard, which writes equal values equally.
fn content_of(event: &Event, scratch: &mut Vec<u8>) -> u64 {
    scratch.clear();
    let content = (event.subject.as_str(), event.time, event.sequence, &event.data);
    // Writing into a vector cannot fail.
    let _ = postcard::serialize_with_flavor(&content, Bytes(scratch));
    word(blake3::hash(scratch).as_bytes().get(..8).unwrap_or_default())
}

impl Ledger {
    /// Looks an event up and, where it is new, enters it under the month of its day.
    pub(crate) fn look(&mut self, event: &Event) -> (Admission, Ticket) {
        let identity = Identity::of(event.source.as_str(), event.id.as_str());
        let content = content_of(event, &mut self.scratch);
        let found = self.entries.find(identity.high, |entry| entry.identity() == identity);
        let admission = match found {
            None => Admission::New,
            Some(entry) if entry.content == content => Admission::Duplicate,
            Some(_) => Admission::Conflict,
        };
        (admission, Ticket { identity, content, adds_up: adds_up(event.kind()) })
    }

    /// Enters an identity that [`Ledger::look`] called new.
    pub(crate) fn enter(&mut self, ticket: Ticket, month: Month) {
        let month = u64::try_from(month.number() - FIRST_MONTH).unwrap_or(0).min(ADDS_UP - 1);
        let meta = month | if ticket.adds_up { ADDS_UP } else { 0 };
        let entry = Entry {
            high: ticket.identity.high,
            low_and_meta: ticket.identity.low | meta,
            content: ticket.content,
        };
        self.entries.insert_unique(entry.high, entry, |entry| entry.high);
    }

    /// Forgets the identities of months before one.
    pub(crate) fn seal(&mut self, before: Month) {
        self.entries.retain(|entry| entry.month() >= before.number());
        self.entries.shrink_to_fit(|entry| entry.high);
    }

    /// How many identities are in.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What keeps two ledgers from merging, in order of identity.
    pub(crate) fn clashes(&self, other: &Self) -> Vec<Clash> {
        let (small, large) = if self.len() <= other.len() { (self, other) } else { (other, self) };
        let clash = |entry: &Entry| {
            let identity = entry.identity();
            let twin = large.entries.find(identity.high, |twin| twin.identity() == identity)?;
            if twin.content != entry.content {
                Some(Clash::Content(identity))
            } else {
                (entry.low_and_meta & ADDS_UP != 0).then_some(Clash::Usage(identity))
            }
        };
        let mut clashes: Vec<Clash> = small.entries.iter().filter_map(clash).collect();
        clashes.sort_unstable();
        clashes
    }

    /// Takes in the identities of another ledger without clashes.
    pub(crate) fn join(&mut self, other: Self) {
        for entry in other.entries {
            let identity = entry.identity();
            if self.entries.find(identity.high, |twin| twin.identity() == identity).is_none() {
                self.entries.insert_unique(entry.high, entry, |entry| entry.high);
            }
        }
    }
}

/// The proof that an event was looked up; entering it needs one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    identity: Identity,
    content: u64,
    adds_up: bool,
}

/// Whether events of a kind add up, so that the state cannot tell whether it holds one already.
fn adds_up(kind: EventKind) -> bool {
    matches!(kind, EventKind::UsageCounted | EventKind::UsageMeasured)
}

impl Serialize for Ledger {
    /// The entries in order of identity, 24 bytes each, so that the bytes do not tell the order of arrival.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries: Vec<Entry> = self.entries.iter().copied().collect();
        entries.sort_unstable();
        let mut bytes = Vec::with_capacity(entries.len() * ENTRY_BYTES);
        for entry in entries {
            for word in [entry.high, entry.low_and_meta, entry.content] {
                bytes.extend_from_slice(&word.to_le_bytes());
            }
        }
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for Ledger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;
        impl<'de> Visitor<'de> for BytesVisitor {
            type Value = Ledger;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("entries of 24 bytes in order")
            }
            fn visit_borrowed_bytes<E: serde::de::Error>(self, bytes: &'de [u8]) -> Result<Ledger, E> {
                if !bytes.len().is_multiple_of(ENTRY_BYTES) {
                    return Err(E::custom("the ledger ends inside an entry"));
                }
                let mut ledger = Ledger::default();
                ledger.entries.reserve(bytes.len() / ENTRY_BYTES, |entry| entry.high);
                let mut last: Option<Entry> = None;
                for entry in bytes.chunks_exact(ENTRY_BYTES) {
                    let mut words = entry.chunks_exact(8).map(word);
                    let mut next = || words.next().unwrap_or(0);
                    let entry = Entry { high: next(), low_and_meta: next(), content: next() };
                    if last.is_some_and(|last| last.identity() >= entry.identity()) {
                        return Err(E::custom("the ledger is not in order"));
                    }
                    ledger.entries.insert_unique(entry.high, entry, |entry| entry.high);
                    last = Some(entry);
                }
                Ok(ledger)
            }
        }
        deserializer.deserialize_bytes(BytesVisitor).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, count: &str) -> Event {
        let json = format!(
            r#"{{"id":"{id}","source":"s","type":"usage.counted","subject":"a","time":"2026-01-05T10:00:00Z",
               "data":{{"metric":"m","count":{count},"unknown":"{id}"}}}}"#
        );
        Event::from_json(json.as_bytes()).unwrap()
    }

    fn month(n: u32) -> Month {
        Month::new(2026, n).unwrap()
    }

    #[test]
    fn content_is_compared_by_value() {
        let mut ledger = Ledger::default();
        let (admission, ticket) = ledger.look(&event("1", "1.50"));
        assert_eq!(admission, Admission::New);
        ledger.enter(ticket, month(1));
        assert_eq!(ledger.look(&event("1", "\"1.5\"")).0, Admission::Duplicate, "1.50 is 1.5");
        assert_eq!(ledger.look(&event("1", "1.6")).0, Admission::Conflict);
        assert_eq!(ledger.look(&event("2", "1.5")).0, Admission::New);
    }

    #[test]
    fn source_and_id_do_not_run_together() {
        assert_ne!(Identity::of("ab", "c"), Identity::of("a", "bc"));
    }

    #[test]
    fn a_seal_forgets_whole_months() {
        let mut ledger = Ledger::default();
        for (id, at) in [("1", 1), ("2", 2)] {
            let ticket = ledger.look(&event(id, "1")).1;
            ledger.enter(ticket, month(at));
        }
        ledger.seal(month(2));
        assert_eq!(ledger.len(), 1);
        assert_eq!(ledger.look(&event("2", "1")).0, Admission::Duplicate);
    }

    #[test]
    fn clashes_name_usage_and_other_content() {
        let (mut a, mut b) = (Ledger::default(), Ledger::default());
        let enter = |ledger: &mut Ledger, event: &Event| {
            let ticket = ledger.look(event).1;
            ledger.enter(ticket, month(1));
        };
        enter(&mut a, &event("1", "1"));
        enter(&mut b, &event("1", "1"));
        enter(&mut a, &event("2", "1"));
        enter(&mut b, &event("2", "2"));
        enter(&mut b, &event("3", "2"));
        let mut clashes = a.clashes(&b);
        clashes.sort_by_key(|clash| matches!(clash, Clash::Content(_)));
        assert_eq!(clashes, [Clash::Usage(Identity::of("s", "1")), Clash::Content(Identity::of("s", "2"))]);
    }

    #[test]
    fn bytes_do_not_tell_the_order_of_arrival() {
        let (mut a, mut b) = (Ledger::default(), Ledger::default());
        for id in ["1", "2", "3"] {
            let ticket = a.look(&event(id, "1")).1;
            a.enter(ticket, month(1));
        }
        for id in ["3", "1", "2"] {
            let ticket = b.look(&event(id, "1")).1;
            b.enter(ticket, month(1));
        }
        let bytes = postcard::to_stdvec(&a).unwrap();
        assert_eq!(bytes, postcard::to_stdvec(&b).unwrap());
        let back: Ledger = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(postcard::to_stdvec(&back).unwrap(), bytes);
    }
}

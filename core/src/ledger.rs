//! Which identities are already in: what makes a repeated event harmless.
//!
//! An identity costs 24 bytes: a hash of (source, id) and one of the content. Neither text is kept.

use crate::event::EventKind;
use crate::event::borrowed::BorrowedEvent;
use crate::event::line::{UsageKind, UsageRef};
use crate::hashing::{HalfHash, Messages};
use crate::identities::{Entry, Identities, Identity, word};
use crate::time::Month;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
    entries: Identities,
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

/// What an event is known by, to look it up and to enter it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    identity: Identity,
    content: u64,
    adds_up: bool,
}

/// Makes the tickets of events that come together; the space for the bytes that are hashed is used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tickets {
    /// Of each event its identity and its content.
    messages: Messages,
    adds_up: Vec<bool>,
}

impl Tickets {
    /// None yet, with room for those of so many events.
    pub(crate) fn with_room_for(events: usize) -> Self {
        Self { messages: Messages::with_room_for(2 * events), adds_up: Vec::with_capacity(events) }
    }

    pub(crate) fn add(&mut self, event: &BorrowedEvent<'_>) {
        self.messages.add(|bytes| Identity::write(event.source, event.id, bytes));
        self.messages.add(|bytes| write_content(event, bytes));
        self.adds_up.push(adds_up(event));
    }

    pub(crate) fn add_usage(&mut self, event: &UsageRef<'_>) {
        self.messages.add(|bytes| Identity::write(event.source, event.id, bytes));
        // What `write_content` writes of the event, without a detour: most events come by here.
        self.messages.add(|bytes| {
            put_text(bytes, event.subject);
            put_signed(bytes, event.time.micros());
            put_signed(bytes, event.sequence);
            let kind = match event.kind {
                UsageKind::Counted => EventKind::UsageCounted,
                UsageKind::Measured => EventKind::UsageMeasured,
            };
            put_number(bytes, kind as u64);
            put_text(bytes, event.metric);
            put_signed(bytes, event.quantity.micros());
            bytes.push(u8::from(event.user.is_some()));
            event.user.into_iter().for_each(|user| put_text(bytes, user));
        });
        self.adds_up.push(true);
    }

    /// The tickets of all that were added, in their order; then there is none left.
    pub(crate) fn take(&mut self) -> Vec<Ticket> {
        let hashes = self.messages.take_hashes(None);
        let ticket = |([identity, content], adds_up): (&[HalfHash; 2], bool)| Ticket {
            identity: Identity::of_hash(identity),
            content: content_of(content),
            adds_up,
        };
        hashes.as_chunks().0.iter().zip(self.adds_up.drain(..)).map(ticket).collect()
    }
}

/// Writes what two events of one identity must share: type, subject, time, sequence and the known fields of `data` by
/// value. The bytes are those of postcard, which writes equal values equally.
fn write_content(event: &BorrowedEvent<'_>, bytes: &mut Vec<u8>) {
    let content = (event.subject, event.time, event.sequence, event.data);
    // Writing into a vector cannot fail.
    let _ = postcard::serialize_with_flavor(&content, Bytes(bytes));
}

/// What is kept of the hash of a content.
fn content_of(hash: &[u8]) -> u64 {
    word(hash.get(..8).unwrap_or_default())
}

fn adds_up(event: &BorrowedEvent<'_>) -> bool {
    matches!(event.kind(), EventKind::UsageCounted | EventKind::UsageMeasured)
}

/// A number as postcard writes it: seven bits a byte, the least first.
fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(0x80 | (number & 0x7f).to_le_bytes()[0]);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// A number with a sign, its sign in the least bit.
fn put_signed(bytes: &mut Vec<u8>, number: i64) {
    put_number(bytes, (number << 1 ^ number >> 63).cast_unsigned());
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

impl Ticket {
    pub(crate) fn of(event: &BorrowedEvent<'_>) -> Self {
        let mut content = Vec::new();
        write_content(event, &mut content);
        Self {
            identity: Identity::of(event.source, event.id),
            content: content_of(blake3::hash(&content).as_bytes()),
            adds_up: adds_up(event),
        }
    }

    /// What an event is whose identity is in.
    fn again(&self, known: &Entry) -> Admission {
        if known.content() == self.content { Admission::Duplicate } else { Admission::Conflict }
    }
}

impl Ledger {
    /// Whether an event is in already.
    pub(crate) fn look(&self, ticket: &Ticket) -> Admission {
        self.entries.find(ticket.identity).map_or(Admission::New, |known| ticket.again(&known))
    }

    /// Has the places of some events waited for together.
    pub(crate) fn warm<'t>(&self, tickets: impl Iterator<Item = &'t Ticket>) {
        let numbers = tickets.map(|ticket| self.entries.warm(ticket.identity));
        std::hint::black_box(numbers.fold(0, u64::wrapping_add));
    }

    /// Makes room for so many identities more.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.entries.reserve(more);
    }

    /// Enters an identity under the month of its day, unless it is in.
    pub(crate) fn enter(&mut self, ticket: &Ticket, month: Month) -> Admission {
        let entry = Entry::new(ticket.identity, month, ticket.adds_up, ticket.content);
        self.entries.enter(entry).map_or(Admission::New, |known| ticket.again(&known))
    }

    /// Forgets the identities of months before one.
    pub(crate) fn seal(&mut self, before: Month) {
        let kept = |entry: &&Entry| entry.month() >= before.number();
        self.entries = Identities::of_ordered(&self.entries.iter().filter(kept).copied().collect::<Vec<_>>());
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
            let twin = large.entries.find(identity)?;
            if twin.content() != entry.content() {
                Some(Clash::Content(identity))
            } else {
                entry.adds_up().then_some(Clash::Usage(identity))
            }
        };
        let mut clashes: Vec<Clash> = small.entries.iter().filter_map(clash).collect();
        clashes.sort_unstable();
        clashes
    }

    /// Takes in the identities of another ledger without clashes.
    pub(crate) fn join(&mut self, other: Self) {
        for entry in other.entries.iter() {
            self.entries.enter(*entry);
        }
    }
}

impl Serialize for Ledger {
    /// The entries in order of identity, 24 bytes each, so that the bytes do not tell the order of arrival.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(self.len() * Entry::BYTES);
        for word in self.entries.iter().flat_map(Entry::words) {
            bytes.extend_from_slice(&word.to_le_bytes());
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
                if !bytes.len().is_multiple_of(Entry::BYTES) {
                    return Err(E::custom("the ledger ends inside an entry"));
                }
                let entry = |bytes: &[u8]| {
                    let mut words = bytes.chunks_exact(8).map(word);
                    Entry::of_words(std::array::from_fn(|_| words.next().unwrap_or(0)))
                };
                let entries: Vec<Entry> = bytes.chunks_exact(Entry::BYTES).map(entry).collect();
                if entries.is_sorted_by(|a, b| a.identity() < b.identity()) {
                    Ok(Ledger { entries: Identities::of_ordered(&entries) })
                } else {
                    Err(E::custom("the ledger is not in order"))
                }
            }
        }
        deserializer.deserialize_bytes(BytesVisitor).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    fn ticket(id: &str, count: &str) -> Ticket {
        let json = format!(
            r#"{{"id":"{id}","source":"s","type":"usage.counted","subject":"a","time":"2026-01-05T10:00:00Z",
               "data":{{"metric":"m","count":{count},"unknown":"{id}"}}}}"#
        );
        Ticket::of(&Event::from_json(json.as_bytes()).unwrap().borrowed())
    }

    #[test]
    fn together_and_by_reference_events_are_known_by_the_same_hashes() {
        let long = "é".repeat(120);
        let users = ["", r#","user":"u-1""#, &format!(r#","user":"{long}""#)];
        let (mut together, mut alone) = (Tickets::default(), Vec::new());
        for (kind, name) in [("counted", "count"), ("measured", "value")] {
            for (quantity, sequence) in
                [("-1.5", 0), ("0", 7), ("999999999999.999999", -3), ("0.000001", 1_i64 << 40)]
            {
                for user in users {
                    let json = format!(
                        r#"{{"id":"i{sequence}","source":"s{long}","type":"usage.{kind}","subject":"a","time":"2026-01-05T10:00:00Z",
                           "sequence":{sequence},"data":{{"metric":"m","{name}":{quantity}{user}}}}}"#
                    );
                    let event = Event::from_json(json.as_bytes()).unwrap();
                    together.add_usage(&event.usage().unwrap());
                    together.add(&event.borrowed());
                    alone.extend([Ticket::of(&event.borrowed()); 2]);
                }
            }
        }
        assert_eq!(together.take(), alone);
        assert_eq!(together.take(), []);
    }

    fn month(n: u32) -> Month {
        Month::new(2026, n).unwrap()
    }

    #[test]
    fn content_is_compared_by_value() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.look(&ticket("1", "1.50")), Admission::New);
        ledger.enter(&ticket("1", "1.50"), month(1));
        assert_eq!(ledger.look(&ticket("1", "\"1.5\"")), Admission::Duplicate, "1.50 is 1.5");
        assert_eq!(ledger.look(&ticket("1", "1.6")), Admission::Conflict);
        assert_eq!(ledger.look(&ticket("2", "1.5")), Admission::New);
    }

    #[test]
    fn source_and_id_do_not_run_together() {
        assert_ne!(Identity::of("ab", "c"), Identity::of("a", "bc"));
    }

    #[test]
    fn a_seal_forgets_whole_months() {
        let mut ledger = Ledger::default();
        for (id, at) in [("1", 1), ("2", 2)] {
            ledger.enter(&ticket(id, "1"), month(at));
        }
        ledger.seal(month(2));
        assert_eq!(ledger.len(), 1);
        assert_eq!(ledger.look(&ticket("2", "1")), Admission::Duplicate);
    }

    #[test]
    fn clashes_name_usage_and_other_content() {
        let (mut a, mut b) = (Ledger::default(), Ledger::default());
        a.enter(&ticket("1", "1"), month(1));
        b.enter(&ticket("1", "1"), month(1));
        a.enter(&ticket("2", "1"), month(1));
        b.enter(&ticket("2", "2"), month(1));
        b.enter(&ticket("3", "2"), month(1));
        let mut clashes = a.clashes(&b);
        clashes.sort_by_key(|clash| matches!(clash, Clash::Content(_)));
        assert_eq!(clashes, [Clash::Usage(Identity::of("s", "1")), Clash::Content(Identity::of("s", "2"))]);
    }

    #[test]
    fn bytes_do_not_tell_the_order_of_arrival() {
        let (mut a, mut b) = (Ledger::default(), Ledger::default());
        for id in ["1", "2", "3"] {
            a.enter(&ticket(id, "1"), month(1));
        }
        for id in ["3", "1", "2"] {
            b.enter(&ticket(id, "1"), month(1));
        }
        let bytes = postcard::to_stdvec(&a).unwrap();
        assert_eq!(bytes, postcard::to_stdvec(&b).unwrap());
        let back: Ledger = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(postcard::to_stdvec(&back).unwrap(), bytes);
    }

    #[test]
    fn clashes_come_in_order_of_identity_whichever_side_asks() {
        let (mut a, mut b) = (Ledger::default(), Ledger::default());
        // The even ones are the same, the odd ones differ; a holds some more that b has not.
        for n in 0..200 {
            a.enter(&ticket(&n.to_string(), "1"), month(1));
            if n < 100 {
                b.enter(&ticket(&n.to_string(), if n % 2 == 0 { "1" } else { "2" }), month(1));
            }
        }
        assert_eq!((a.len(), b.len(), Ledger::default().len()), (200, 100, 0));
        let identity = |n: u32| Identity::of("s", &n.to_string());
        let (mut differ, mut same): (Vec<Identity>, Vec<Identity>) =
            ((0..50).map(|n| identity(2 * n + 1)).collect(), (0..50).map(|n| identity(2 * n)).collect());
        differ.sort();
        same.sort();
        let expected: Vec<Clash> =
            differ.into_iter().map(Clash::Content).chain(same.into_iter().map(Clash::Usage)).collect();
        assert_eq!(a.clashes(&b), expected);
        assert_eq!(b.clashes(&a), expected);
    }

    #[test]
    fn saved_identities_are_in_strict_order() {
        let mut ledger = Ledger::default();
        for id in ["1", "2"] {
            ledger.enter(&ticket(id, "1"), month(1));
        }
        let saved = postcard::to_stdvec(&ledger).unwrap();
        // The length of 48 bytes, and two entries.
        let (first, second) = saved[1..].split_at(Entry::BYTES);
        let read = |entries: &[&[u8]]| {
            let entries = entries.concat();
            let length = u8::try_from(entries.len()).unwrap();
            postcard::from_bytes::<Ledger>(&[&[length], &entries[..]].concat()).map(|ledger| ledger.len())
        };
        assert_eq!(read(&[first, second]), Ok(2));
        assert!(read(&[second, first]).is_err() && read(&[first, first]).is_err());
        assert!(read(&[first, &second[1..]]).is_err(), "it ends inside an entry");
    }
}

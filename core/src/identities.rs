//! The identities that are in, in the order of their hashes, with gaps between them.
//!
//! An identity is a hash already, so its first word tells about where it stands among all others: at the same fraction of the
//! places as the word is of 2^64. To look one up is to wait for one place in memory, and to enter it is to write where
//! the look has just been; a general table keeps what it compares apart from what it holds, and waits twice. Since all
//! stand in order, growing is one walk over the memory, in place, and a snapshot need not sort.
//!
//! No identity stands behind its home, and between it and its home there is no gap.

use crate::time::Month;

/// Bits beside the hash in the second word: twelve of the month, one of "adds up".
const META_BITS: u32 = 13;
const META: u64 = (1 << META_BITS) - 1;
const ADDS_UP: u64 = 1 << 12;
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
        let mut bytes = Vec::new();
        Self::write(source, id, &mut bytes);
        let hash = blake3::hash(&bytes);
        hash.as_bytes().first_chunk().map_or(Self { high: 0, low: 0 }, Self::of_hash)
    }

    /// Writes what is hashed.
    pub(crate) fn write(source: &str, id: &str, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&(source.len() as u64).to_le_bytes());
        bytes.extend_from_slice(source.as_bytes());
        bytes.extend_from_slice(id.as_bytes());
    }

    /// Of the first half of a hash.
    pub(crate) fn of_hash(hash: &[u8; 16]) -> Self {
        let mut words = hash.chunks_exact(8).map(word);
        Self { high: words.next().unwrap_or(0), low: words.next().unwrap_or(0) & !META }
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}{:013x}", self.high, self.low >> META_BITS)
    }
}

/// Eight bytes as a number, the least first.
pub(crate) fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// One identity that is in: 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    high: u64,
    low_and_meta: u64,
    content: u64,
}

impl Entry {
    pub(crate) const BYTES: usize = 24;
    /// What stands in a place that nobody has: no hash is 0 in all its bits.
    const NOBODY: Self = Self { high: 0, low_and_meta: 0, content: 0 };

    /// An identity, the month of its event, whether that adds up to others, and a hash of what it says.
    pub(crate) fn new(identity: Identity, month: Month, adds_up: bool, content: u64) -> Self {
        let month = u64::try_from(month.number() - FIRST_MONTH).unwrap_or(0).min(ADDS_UP - 1);
        let meta = month | if adds_up { ADDS_UP } else { 0 };
        Self { high: identity.high, low_and_meta: identity.low | meta, content }
    }

    fn is_nobody(&self) -> bool {
        *self == Self::NOBODY
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity { high: self.high, low: self.low_and_meta & !META }
    }

    pub(crate) fn month(&self) -> i32 {
        // Twelve bits always fit.
        i32::try_from(self.low_and_meta & (ADDS_UP - 1)).unwrap_or(0) + FIRST_MONTH
    }

    pub(crate) fn adds_up(&self) -> bool {
        self.low_and_meta & ADDS_UP != 0
    }

    pub(crate) fn content(&self) -> u64 {
        self.content
    }

    /// As a snapshot has it.
    pub(crate) fn words(&self) -> [u64; 3] {
        [self.high, self.low_and_meta, self.content]
    }

    pub(crate) fn of_words([high, low_and_meta, content]: [u64; 3]) -> Self {
        Self { high, low_and_meta, content }
    }
}

/// Places in front of the homes at first: a crowd stretches forward from the home of its last.
const FRONT: usize = 32;

/// Entries in order of their identities, each identity once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identities {
    places: Vec<Entry>,
    taken: usize,
    /// How many places come before the first home.
    front: usize,
    /// How many places are homes: all behind the front.
    homes: usize,
}

/// Where an identity is or would stand.
enum Sought {
    /// It is at this place.
    Found(usize),
    /// At this place, which nobody has.
    Free(usize),
    /// At this place, if those who have it and the places before it move one forward.
    Crowded(usize),
    /// Before the first place.
    Before,
}

impl Identities {
    /// The table of some entries, which are in order: one walk, however crowded their hashes are.
    pub(crate) fn of_ordered(entries: &[Entry]) -> Self {
        let mut table = Self::default();
        table.reserve(entries.len());
        // As if there were room for all of them before the first home.
        table.front = entries.len();
        let mut first = table.front;
        table.place_each(entries, |place, _| first = first.min(place));
        let unused = first.saturating_sub(FRONT);
        table.front -= unused.min(table.front);
        let mut places = vec![Entry::NOBODY; table.front + table.homes];
        table.place_each(entries, |place, entry| {
            if let Some(place) = places.get_mut(place) {
                *place = *entry;
            }
        });
        Self { places, taken: entries.len(), ..table }
    }

    /// Shows the place of each of some entries, which are in order, from the last to the first.
    fn place_each(&self, entries: &[Entry], mut put: impl FnMut(usize, &Entry)) {
        let mut behind = self.front + self.homes;
        for entry in entries.iter().rev() {
            behind = self.home(entry.identity()).min(behind.saturating_sub(1));
            put(behind, entry);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.taken
    }

    /// The entries in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.places.iter().filter(|place| !place.is_nobody())
    }

    pub(crate) fn find(&self, identity: Identity) -> Option<Entry> {
        match self.seek(identity) {
            Sought::Found(place) => self.places.get(place).copied(),
            Sought::Free(_) | Sought::Crowded(_) | Sought::Before => None,
        }
    }

    /// Reads numbers at the home of an identity and at places before it, where it will stand if its home is taken: one of each
    /// line of memory. The caller makes nothing of them; for many identities, the waits overlap.
    pub(crate) fn warm(&self, identity: Identity) -> u64 {
        let home = self.home(identity);
        let high_of = |place: usize| self.places.get(place).map_or(0, |place| place.high);
        high_of(home) ^ high_of(home.wrapping_sub(3)) ^ high_of(home.wrapping_sub(6))
    }

    /// Enters an identity; returns the entry that it has already, which stays.
    pub(crate) fn enter(&mut self, entry: Entry) -> Option<Entry> {
        self.reserve(1);
        loop {
            let place = match self.seek(entry.identity()) {
                Sought::Found(place) => return self.places.get(place).copied(),
                Sought::Free(place) => place,
                Sought::Crowded(place) => {
                    let before = self.places.get(..place).unwrap_or_default();
                    let Some(gap) = before.iter().rposition(Entry::is_nobody) else {
                        self.widen();
                        continue;
                    };
                    self.places.copy_within(gap + 1..=place, gap);
                    place
                }
                Sought::Before => {
                    self.widen();
                    continue;
                }
            };
            if let Some(place) = self.places.get_mut(place) {
                *place = entry;
            }
            self.taken += 1;
            return None;
        }
    }

    /// Makes room for so many identities more. One place of six stays free, or crowds would grow long; and it grows by a
    /// quarter, since what stands in order grows in place, at little cost.
    pub(crate) fn reserve(&mut self, more: usize) {
        let wanted = self.taken + more;
        if wanted <= self.homes / 6 * 5 {
            return;
        }
        if self.places.is_empty() {
            self.front = FRONT;
        }
        self.homes = (self.homes + self.homes / 4).max((wanted / 5 + 1) * 6);
        let mut from = self.places.len();
        self.places.reserve_exact(self.front + self.homes - from);
        self.places.resize(self.front + self.homes, Entry::NOBODY);
        // The homes have moved back, of nobody forward: from the last one on, each finds its new place free.
        let mut behind = self.places.len();
        while from > 0 && behind > 0 {
            from -= 1;
            let Some(place) = self.places.get_mut(from).filter(|place| !place.is_nobody()) else { continue };
            let entry = std::mem::replace(place, Entry::NOBODY);
            behind = self.home(entry.identity()).min(behind - 1);
            if let Some(place) = self.places.get_mut(behind) {
                *place = entry;
            }
        }
    }

    /// Twice as many places before the first home.
    fn widen(&mut self) {
        let more = self.front.max(FRONT);
        self.places.splice(0..0, std::iter::repeat_n(Entry::NOBODY, more));
        self.front += more;
    }

    fn home(&self, identity: Identity) -> usize {
        let fraction = (u128::from(identity.high) * self.homes as u128) >> 64;
        // It is less than `homes`.
        self.front + usize::try_from(fraction).unwrap_or(0)
    }

    fn seek(&self, identity: Identity) -> Sought {
        let mut place = self.home(identity);
        loop {
            // Most are told by their first word. That of nobody is 0, behind which nothing is left to pass.
            while self.places.get(place).is_some_and(|entry| entry.high > identity.high) {
                let Some(before) = place.checked_sub(1) else { return Sought::Before };
                place = before;
            }
            let Some(entry) = self.places.get(place).filter(|entry| !entry.is_nobody()) else {
                return Sought::Free(place);
            };
            match entry.identity().cmp(&identity) {
                std::cmp::Ordering::Equal => return Sought::Found(place),
                std::cmp::Ordering::Less => return Sought::Crowded(place),
                std::cmp::Ordering::Greater => {}
            }
            let Some(before) = place.checked_sub(1) else { return Sought::Before };
            place = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn entry(high: u64, low: u64, content: u64) -> Entry {
        Entry { high, low_and_meta: low << META_BITS, content: content | 1 }
    }

    /// Identities anywhere, and crowds at the first, at the last and at one home.
    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let high =
            prop_oneof![any::<u64>(), 0..40_u64, (0..40_u64).prop_map(|n| u64::MAX - n), Just(1 << 40)];
        let entry =
            (high, 0..400_u64, any::<u64>()).prop_map(|(high, low, content)| entry(high, low, content));
        proptest::collection::vec(entry, 0..600)
    }

    /// No identity stands behind its home, there is no gap before its home, and all stand in order.
    fn is_sound(table: &Identities) -> bool {
        let sound = |(place, entry): (usize, &Entry)| {
            let home = table.home(entry.identity());
            entry.is_nobody() || place <= home && !table.places[place..=home].iter().any(Entry::is_nobody)
        };
        table.places.iter().enumerate().all(sound)
            && table.iter().collect::<Vec<_>>().is_sorted_by(|a, b| a.identity() < b.identity())
            && table.taken <= table.homes / 6 * 5
    }

    proptest! {
        #[test]
        fn it_is_a_map_in_order(entries in entries(), absent in entries(), room in 0..900_usize) {
            let (mut table, mut map) = (Identities::default(), BTreeMap::new());
            for (entry, number) in entries.iter().zip(0..) {
                if number == 50 {
                    table.reserve(room);
                }
                let known = map.get(&entry.identity()).copied();
                prop_assert_eq!(table.find(entry.identity()), known);
                prop_assert_eq!(table.enter(*entry), known);
                map.entry(entry.identity()).or_insert(*entry);
                prop_assert!(is_sound(&table));
            }
            prop_assert_eq!(table.len(), map.len());
            prop_assert!(table.iter().eq(map.values()));
            let in_order: Vec<Entry> = map.values().copied().collect();
            let at_once = Identities::of_ordered(&in_order);
            prop_assert!(is_sound(&at_once) && at_once.iter().eq(table.iter()) && at_once.len() == table.len());
            for entry in absent {
                prop_assert_eq!(table.find(entry.identity()), map.get(&entry.identity()).copied());
            }
        }
    }

    #[test]
    fn a_large_table_stays_tight_and_its_crowds_short() {
        let mut table = Identities::default();
        for n in 0..200_000_u64 {
            table.enter(Entry { content: 1, ..entry(0, 0, 0) }.with_hash(&n.to_le_bytes()));
        }
        // After it grew, four fifths of five sixths are taken.
        assert!(table.places.len() < 200_000 * 3 / 2 + 100, "{} places", table.places.len());
        assert_eq!(size_of::<Entry>(), Entry::BYTES);
        let longest = table.places.split(Entry::is_nobody).map(<[Entry]>::len).max();
        assert!(longest < Some(1_000), "{longest:?} without a gap");
        // Made at once it grew only once: 6/5 x 200 000 homes and one six more. In front of them are as many places as
        // are always free there, and those into which the first crowd stretches.
        let at_once = Identities::of_ordered(&table.iter().copied().collect::<Vec<_>>());
        assert!(at_once.places.len() <= 240_006 + 2 * FRONT, "{} places", at_once.places.len());
    }

    #[test]
    fn an_identity_is_written_as_its_115_bits_in_hex() {
        let identity = Identity { high: 0x0123_4567_89ab_cdef, low: 0xfed << META_BITS };
        assert_eq!(identity.to_string(), "0123456789abcdef0000000000fed");
        assert_eq!(Identity { high: 0, low: !META }.to_string(), "00000000000000007ffffffffffff");
    }

    impl Entry {
        fn with_hash(self, bytes: &[u8]) -> Self {
            let identity = Identity::of("", std::str::from_utf8(bytes).unwrap_or(&format!("{bytes:?}")));
            Self { high: identity.high, low_and_meta: identity.low, ..self }
        }
    }
}

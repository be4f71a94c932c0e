//! How often each hash came, of many of which nearly all come once.
//!
//! A hash is an even number already, so its first word tells where it stands: at the same fraction of the places as the word is
//! of 2^64, or behind that where others stand. To look one up is to wait for one place in memory, and of many the places are
//! waited for together.

use crate::hashing::HalfHash;
use crate::identities::word;
use hashbrown::HashMap;

/// A hash as two numbers.
type Words = [u64; 2];

/// What stands in a place that no hash has.
const FREE: Words = [0; 2];

#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    places: Vec<Words>,
    taken: usize,
    /// How often those came that came more than once, and the one that looks like a free place.
    again: HashMap<HalfHash, u64, foldhash::fast::FixedState>,
}

impl Tally {
    /// Makes room for some hashes, and reads ahead where they will stand.
    pub(super) fn make_ready(&mut self, hashes: &[HalfHash]) {
        self.reserve(hashes.len());
        let first_of = |hash| self.places.get(self.home(words(hash))).map_or(0, |place| place[0]);
        std::hint::black_box(hashes.iter().map(first_of).fold(0, u64::wrapping_add));
    }

    /// Counts a hash; returns how often it has come, this time included.
    pub(super) fn count(&mut self, hash: &HalfHash) -> u64 {
        let words = words(hash);
        let before = if words == FREE { 0 } else { u64::from(!self.enter(words)) };
        if before == 0 && words != FREE {
            return 1;
        }
        let times = self.again.entry(*hash).or_insert(before);
        *times += 1;
        *times
    }

    /// Enters a hash; returns whether it is new.
    fn enter(&mut self, words: Words) -> bool {
        self.reserve(1);
        let home = self.home(words).min(self.places.len());
        let (before, from_home) = self.places.split_at_mut(home);
        for place in from_home.iter_mut().chain(before) {
            if *place == words {
                return false;
            }
            if *place == FREE {
                *place = words;
                self.taken += 1;
                return true;
            }
        }
        // There is always a free place.
        false
    }

    /// Makes room for so many more. One place of five stays free, or the way to a free one would grow long.
    fn reserve(&mut self, more: usize) {
        if (self.taken + more) * 5 <= self.places.len() * 4 {
            return;
        }
        let places = (self.places.len() * 2).max((self.taken + more) * 2);
        let known = std::mem::replace(&mut self.places, vec![FREE; places]);
        self.taken = 0;
        // In the order in which they stand, so that memory is walked and not jumped about in.
        for words in known.into_iter().filter(|words| *words != FREE) {
            self.enter(words);
        }
    }

    fn home(&self, words: Words) -> usize {
        let fraction = (u128::from(words[0]) * self.places.len() as u128) >> 64;
        usize::try_from(fraction).unwrap_or(0)
    }
}

fn words(hash: &HalfHash) -> Words {
    let (first, second) = hash.split_at(8);
    [word(first), word(second)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Hashes anywhere and in crowds, at the first and the last place, too.
        #[test]
        fn it_counts_as_a_map_does(
            steps in proptest::collection::vec(
                (prop_oneof![any::<u64>(), 0..3_u64, Just(u64::MAX), Just(1 << 63)], 0..40_u64), 0..700),
            ahead in 0..50_usize,
        ) {
            let hash = |(first, second): (u64, u64)| -> HalfHash {
                let bytes: Vec<u8> = [first.to_le_bytes(), second.to_le_bytes()].concat();
                bytes.try_into().unwrap()
            };
            let (mut counted, mut map) = (Tally::default(), BTreeMap::<HalfHash, u64>::new());
            let hashes: Vec<HalfHash> = steps.into_iter().map(hash).collect();
            counted.make_ready(&hashes[..ahead.min(hashes.len())]);
            for hash in &hashes {
                let times = map.entry(*hash).or_default();
                *times += 1;
                prop_assert_eq!(counted.count(hash), *times);
            }
        }
    }

    #[test]
    fn a_hash_takes_16_bytes_and_a_free_place_beside_it_at_most_half_again() {
        let mut counted = Tally::default();
        for n in 0..100_000_u64 {
            let hash: HalfHash = blake3::hash(&n.to_le_bytes()).as_bytes()[..16].try_into().unwrap();
            assert_eq!(counted.count(&hash), 1);
        }
        assert!(
            size_of::<Words>() == 16 && counted.places.len() <= 250_000,
            "{} places",
            counted.places.len()
        );
        assert!(counted.again.is_empty());
        let longest = counted.places.split(|place| *place == FREE).map(<[Words]>::len).max();
        assert!(longest < Some(500), "{longest:?} without a free place");
    }
}

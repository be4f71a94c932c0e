//! Numbers found by name, also where somebody chose the names so that their hashes are equal.
//!
//! The quick hash is a fixed one, so that nothing depends on chance, and names with equal hashes can be made at will: a
//! table of them would take a walk past all others for each. A crowd at one hash cannot come about by itself. Where one
//! does, the table goes over to SipHash, for which such names have to be searched for by trying.

use hashbrown::HashTable;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

const QUICK: foldhash::fast::FixedState = foldhash::fast::FixedState::with_seed(0);

/// A hash with a fixed key that withstands names made to collide.
pub(crate) type Careful = BuildHasherDefault<DefaultHasher>;

/// How many names of one hash are believed to have come by chance: of a million names hardly two share all 64 bits, and
/// the few bits that a table compares first are shared by one in a hundred neighbours.
const CROWD: usize = 24;

/// Numbers by name. The names stand elsewhere, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    numbers: HashTable<u32>,
    careful: bool,
}

impl Index {
    fn hash(careful: bool, name: &str) -> u64 {
        if careful { Careful::default().hash_one(name) } else { QUICK.hash_one(name) }
    }

    /// The number of a name; `name_of` is asked for the names of few numbers.
    pub(crate) fn find<'n>(&self, name: &str, name_of: impl Fn(u32) -> Option<&'n str>) -> Option<u32> {
        let is_it = |number: &u32| name_of(*number) == Some(name);
        self.numbers.find(Self::hash(self.careful, name), is_it).copied()
    }

    /// The number that is likely to be that of a name, without a look at any name: for who asks for many, so as not to
    /// wait for the names one after the other.
    pub(crate) fn guess(&self, name: &str) -> Option<u32> {
        self.numbers.iter_hash(Self::hash(self.careful, name)).next().copied()
    }

    /// Enters a number that is not in, under its name.
    pub(crate) fn insert<'n>(&mut self, number: u32, name_of: impl Fn(u32) -> Option<&'n str>) {
        let hash_of =
            |careful: bool, number: u32| name_of(number).map_or(0, |name| Self::hash(careful, name));
        let hash = hash_of(self.careful, number);
        if !self.careful && self.numbers.iter_hash(hash).nth(CROWD).is_some() {
            self.careful = true;
            let numbers = std::mem::take(&mut self.numbers);
            self.numbers.reserve(numbers.len() + 1, |number| hash_of(true, *number));
            for known in numbers {
                self.numbers.insert_unique(hash_of(true, known), known, |number| hash_of(true, *number));
            }
        }
        let careful = self.careful;
        self.numbers.insert_unique(hash_of(careful, number), number, |number| hash_of(careful, *number));
    }

    /// Takes a number out, while its name still stands.
    pub(crate) fn remove<'n>(&mut self, number: u32, name_of: impl Fn(u32) -> Option<&'n str>) {
        let Some(name) = name_of(number) else { return };
        let hash = Self::hash(self.careful, name);
        if let Ok(found) = self.numbers.find_entry(hash, |other| *other == number) {
            found.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Names of one quick hash: bytes 8 to 16 cancel the seed that they meet, so what is multiplied with them, the last
    /// seven, no longer matters.
    fn colliding(n: u32) -> String {
        format!("aaaaaaaa\u{c}gW\u{1ce}r]qbbbbbbbbbbbbbbbb{n:07}")
    }

    #[test]
    fn a_crowd_at_one_hash_is_no_walk_past_all_of_them() {
        assert_eq!(QUICK.hash_one(colliding(1)), QUICK.hash_one(colliding(7_654_321)));
        let names: Vec<String> =
            (0..20_000).map(|n| if n % 10 == 0 { n.to_string() } else { colliding(n) }).collect();
        let looked_at = Cell::new(0u64);
        let name_of = |number: u32| {
            looked_at.set(looked_at.get() + 1);
            names.get(number as usize).map(String::as_str)
        };
        let mut index = Index::default();
        for (number, name) in (0..).zip(&names) {
            assert_eq!(index.find(name, name_of), None);
            index.insert(number, name_of);
        }
        assert!(index.careful);
        for (number, name) in (0..).zip(&names) {
            assert_eq!(index.find(name, name_of), Some(number));
        }
        // 20 000 x 20 000 / 2 without care.
        assert!(looked_at.get() < 500_000, "{} looks", looked_at.get());
        index.remove(7, name_of);
        assert_eq!((index.find(&names[7], name_of), index.find(&names[8], name_of)), (None, Some(8)));
    }

    #[test]
    fn a_million_names_of_no_one_s_choice_are_no_crowd() {
        let names: Vec<String> = (0..1_000_000).map(|n| format!("user-{n}@example.com")).collect();
        let name_of = |number: u32| names.get(number as usize).map(String::as_str);
        let mut index = Index::default();
        (0..1_000_000).for_each(|number| index.insert(number, name_of));
        assert!(!index.careful);
        assert_eq!(index.find("user-765432@example.com", name_of), Some(765_432));
    }
}

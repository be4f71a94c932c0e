//! Numbers found by name, also where somebody chose the names so that their hashes are equal.
//!
//! A table holds of each name its number and half of its hash, side by side: to look a name up is to wait for one place in
//! memory, and what else stands there is told apart without a look at any name.
//!
//! The quick hash is a fixed one, so that nothing depends on chance, and names with equal hashes can be made at will: a
//! table of them would take a walk past all others for each. A crowd at one hash cannot come about by itself. Where one
//! does, the table goes over to SipHash, for which such names have to be searched for by trying.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

const QUICK: foldhash::fast::FixedState = foldhash::fast::FixedState::with_seed(0);

/// A hash with a fixed key that withstands names made to collide.
pub(crate) type Careful = BuildHasherDefault<DefaultHasher>;

/// How many names of one half of a hash are believed to have come by chance: of a million names hardly three share 32 bits.
const CROWD: usize = 24;
/// How many places from its home a name is believed to stand by chance: of 10^8 names none stands 1 000 from it.
const FAR: usize = 1 << 12;

/// The quick hash of a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hashed(u64);

impl Hashed {
    #[inline]
    pub(crate) fn of(name: &str) -> Self {
        Self(QUICK.hash_one(name))
    }

    /// One of so many shards of all names: by the half of the hash that an index does not go by.
    #[inline]
    pub(crate) fn shard(self, shards: usize) -> usize {
        usize::try_from(self.0 & u64::from(u32::MAX)).unwrap_or(0) % shards
    }
}

/// Half of the hash of a name, by which it is sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sought(u32);

/// What a name is sought by where somebody made names to collide.
fn carefully(name: &str) -> Sought {
    Sought(u32::try_from(Careful::default().hash_one(name) >> 32).unwrap_or(0))
}

/// A place of the table: half of the hash of a name and its number. No number is that of [`Place::FREE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    half: u32,
    number: u32,
}

impl Place {
    const FREE: Self = Self { half: 0, number: u32::MAX };

    fn is_free(self) -> bool {
        self.number == u32::MAX
    }
}

/// Numbers by name. The names stand elsewhere, by number.
///
/// Each number stands at the home of its name or behind it, and no place between the two is free. Behind the last place
/// comes the first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    places: Vec<Place>,
    taken: usize,
    careful: bool,
}

impl Index {
    /// What a name is sought by.
    #[inline]
    pub(crate) fn sought(&self, hashed: Hashed, name: &str) -> Sought {
        // Half of it, whose first bits say where it stands.
        if self.careful { carefully(name) } else { Sought(u32::try_from(hashed.0 >> 32).unwrap_or(0)) }
    }

    fn sought_by_name(&self, name: &str) -> Sought {
        self.sought(Hashed::of(name), name)
    }

    /// The place at which a name stands if no other one does: at the same fraction of all places as its half of a hash is of
    /// 2^32.
    #[inline]
    fn home(&self, sought: Sought) -> usize {
        let fraction = (u128::from(sought.0) * self.places.len() as u128) >> 32;
        usize::try_from(fraction).unwrap_or(0)
    }

    fn behind(&self, place: usize) -> usize {
        if place + 1 < self.places.len() { place + 1 } else { 0 }
    }

    /// What stands at the home of a name and behind it, up to the first free place.
    fn walk(&self, sought: Sought) -> impl Iterator<Item = Place> {
        let (before, from_home) = self.places.split_at(self.home(sought).min(self.places.len()));
        from_home.iter().chain(before).copied().take_while(|place| !place.is_free())
    }

    /// The numbers that may be that of a name, and mostly is the first of them: for who asks for many names, so as not to wait
    /// for them one after the other.
    pub(crate) fn candidates(&self, sought: Sought) -> impl Iterator<Item = u32> {
        self.walk(sought).filter(move |place| place.half == sought.0).map(|place| place.number)
    }

    /// The first of the numbers that may be that of a name, which mostly stands at the home of the name.
    #[inline]
    pub(crate) fn guess(&self, sought: Sought) -> Option<u32> {
        match self.places.get(self.home(sought)) {
            Some(place) if place.half == sought.0 && !place.is_free() => Some(place.number),
            _ => self.candidates(sought).next(),
        }
    }

    /// A number of the home of a name, of which the caller makes nothing: for many names, the waits overlap.
    #[inline]
    pub(crate) fn warm(&self, sought: Sought) -> u64 {
        self.places.get(self.home(sought)).map_or(0, |place| u64::from(place.half))
    }

    /// The number of a name; `name_of` is asked for the names of few numbers.
    pub(crate) fn find<'n>(&self, name: &str, name_of: impl Fn(u32) -> Option<&'n str>) -> Option<u32> {
        self.candidates(self.sought_by_name(name)).find(|number| name_of(*number) == Some(name))
    }

    /// Enters a number that is not in, under its name.
    pub(crate) fn insert<'n>(&mut self, number: u32, name_of: impl Fn(u32) -> Option<&'n str>) {
        let Some(name) = name_of(number) else { return };
        self.make_room();
        let sought = self.sought_by_name(name);
        if !self.careful && self.is_crowded(sought) {
            self.careful = true;
            let places = self.places.len();
            let known = std::mem::replace(&mut self.places, vec![Place::FREE; places]);
            for Place { number, .. } in known.into_iter().filter(|place| !place.is_free()) {
                if let Some(name) = name_of(number) {
                    self.put(carefully(name), number);
                }
            }
        }
        self.put(self.sought_by_name(name), number);
        self.taken += 1;
    }

    fn is_crowded(&self, sought: Sought) -> bool {
        let mut of_one_hash = 0;
        let mut walk = self.walk(sought).zip(0..);
        walk.any(|(place, steps)| {
            of_one_hash += usize::from(place.half == sought.0);
            of_one_hash > CROWD || steps >= FAR
        })
    }

    /// One place of five stays free, or crowds would grow long.
    fn make_room(&mut self) {
        if (self.taken + 1) * 5 <= self.places.len() * 4 {
            return;
        }
        let places = (self.places.len() * 2).max(8);
        let known = std::mem::replace(&mut self.places, vec![Place::FREE; places]);
        for place in known.into_iter().filter(|place| !place.is_free()) {
            self.put(Sought(place.half), place.number);
        }
    }

    /// Puts a number into the first free place from the home of its name on, of which there is one.
    fn put(&mut self, sought: Sought, number: u32) {
        let mut place = self.home(sought);
        while self.places.get(place).is_some_and(|place| !place.is_free()) {
            place = self.behind(place);
        }
        if let Some(free) = self.places.get_mut(place) {
            *free = Place { half: sought.0, number };
        }
    }

    /// Takes a number out, while its name still stands.
    pub(crate) fn remove<'n>(&mut self, number: u32, name_of: impl Fn(u32) -> Option<&'n str>) {
        let Some(name) = name_of(number) else { return };
        let sought = self.sought_by_name(name);
        let Some(steps) = self.walk(sought).position(|place| place.number == number) else { return };
        let mut free = (self.home(sought) + steps) % self.places.len();
        self.taken -= 1;
        // Who stands behind it moves up, if that is not before its home.
        let mut next = self.behind(free);
        while let Some(place) = self.places.get(next).copied().filter(|place| !place.is_free()) {
            let home = self.home(Sought(place.half));
            let from_home = |place: usize| (place + self.places.len() - home) % self.places.len();
            if from_home(free) < from_home(next) {
                self.set(free, place);
                free = next;
            }
            next = self.behind(next);
        }
        self.set(free, Place::FREE);
    }

    fn set(&mut self, at: usize, to: Place) {
        if let Some(place) = self.places.get_mut(at) {
            *place = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::Cell;
    use std::collections::BTreeMap;

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
        assert!(index.places.len() <= 1_250_000 * 2 && size_of::<Place>() == 8);
        let longest = index.places.split(|place| place.is_free()).map(<[Place]>::len).max();
        assert!(longest < Some(1_000), "{longest:?} without a free place");
    }

    /// Each number stands where a walk from the home of its name comes by.
    fn is_sound(index: &Index) -> bool {
        let found = |place: &Place| index.walk(Sought(place.half)).any(|other| other.number == place.number);
        let known = index.places.iter().filter(|place| !place.is_free());
        known.clone().all(found) && known.count() == index.taken
    }

    proptest! {
        #[test]
        fn it_is_a_map_whatever_is_taken_out(steps in proptest::collection::vec((0..90_u32, any::<bool>()), 0..400)) {
            // Some of one hash, the others anywhere.
            let names: Vec<String> = (0..90).map(|n| if n < 12 { colliding(n) } else { n.to_string() }).collect();
            let name_of = |number: u32| names.get(number as usize).map(String::as_str);
            let (mut index, mut map) = (Index::default(), BTreeMap::new());
            for (number, enter) in steps {
                match (enter, map.remove(&number)) {
                    (true, None) => index.insert(number, name_of),
                    (false, Some(())) => index.remove(number, name_of),
                    (_, known) => map.extend(known.map(|()| (number, ()))),
                }
                if enter {
                    map.insert(number, ());
                }
                prop_assert!(is_sound(&index));
                for (number, name) in (0..).zip(&names) {
                    prop_assert_eq!(index.find(name, name_of), map.contains_key(&number).then_some(number));
                }
            }
        }
    }
}

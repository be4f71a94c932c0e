//! A small sorted map: what a client has several of, by id.
//!
//! Clients have a handful of subscriptions or metrics, so a sorted list takes a fraction of the memory of a tree. The
//! limits on ids per client bound what an insertion in the middle can cost.

use crate::rare::Empty;
use crate::sorted::{make_room_by, make_room_for};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Borrow;
use std::cmp::Ordering;

/// So many are looked through one by one: that two keys are not the same mostly shows in their lengths.
const FEW: usize = 12;

/// Pairs in order of their keys, each key once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Keyed<K, V> {
    pairs: Vec<(K, V)>,
}

impl<K, V> Default for Keyed<K, V> {
    fn default() -> Self {
        Self { pairs: Vec::new() }
    }
}

impl<K: 'static, V: 'static> Empty for Keyed<K, V> {
    fn empty() -> &'static Self {
        const { &Self { pairs: Vec::new() } }
    }
}

impl<K: Ord, V> Keyed<K, V> {
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.at(self.place(key)?)
    }

    /// The place of a key among all.
    pub(crate) fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
    {
        if self.pairs.len() <= FEW {
            return self.pairs.iter().position(|(k, _)| k.borrow() == key);
        }
        self.pairs.binary_search_by(|(k, _)| k.borrow().cmp(key)).ok()
    }

    /// The value of the key in a place.
    pub(crate) fn at(&self, place: usize) -> Option<&V> {
        self.pairs.get(place).map(|(_, value)| value)
    }

    /// The value of a key, made if it is not there.
    pub(crate) fn entry(&mut self, key: &K) -> &mut V
    where
        K: Clone,
        V: Default,
    {
        let place = self.pairs.split_last().map_or(Err(0), |((last, _), before)| match last.cmp(key) {
            // Mostly it is the newest, or one that is newer still.
            Ordering::Less => Err(self.pairs.len()),
            Ordering::Equal => Ok(before.len()),
            Ordering::Greater => before.binary_search_by(|(k, _)| k.cmp(key)),
        });
        let place = place.unwrap_or_else(|place| {
            make_room_by(&mut self.pairs, 2);
            self.pairs.insert(place, (key.clone(), V::default()));
            place
        });
        #[expect(clippy::indexing_slicing, reason = "the place was just found or made")]
        let pair = &mut self.pairs[place];
        &mut pair.1
    }

    /// Makes room for so many keys more.
    pub(crate) fn reserve(&mut self, more: usize) {
        make_room_for(&mut self.pairs, more);
    }

    /// The value of the last key.
    pub(crate) fn last(&self) -> Option<&V> {
        self.pairs.last().map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.pairs.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.pairs.iter().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.pairs.iter_mut().map(|(_, value)| value)
    }

    pub(crate) fn into_pairs(self) -> Vec<(K, V)> {
        self.pairs
    }

    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.pairs.retain_mut(|(key, value)| keep(key, value));
    }

    pub(crate) fn clear(&mut self) {
        self.pairs = Vec::new();
    }

    /// Takes in another map; `join` says what becomes of a key on both sides.
    pub(crate) fn join(&mut self, other: Self, mut join: impl FnMut(&mut V, V))
    where
        K: Clone,
        V: Default,
    {
        if self.pairs.is_empty() {
            *self = other;
            return;
        }
        for (key, value) in other.pairs {
            join(self.entry(&key), value);
        }
    }
}

impl<'de, K: Ord + Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Keyed<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = Vec::<(K, V)>::deserialize(deserializer)?;
        if pairs.is_sorted_by(|a, b| a.0 < b.0) {
            Ok(Self { pairs })
        } else {
            Err(serde::de::Error::custom("ids are not in order"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TicketId;

    #[test]
    fn each_key_is_found_or_made_in_whatever_order_they_come() {
        for order in [
            ["a", "b", "c"],
            ["a", "c", "b"],
            ["b", "a", "c"],
            ["b", "c", "a"],
            ["c", "a", "b"],
            ["c", "b", "a"],
        ] {
            let mut map: Keyed<TicketId, u32> = Keyed::default();
            for (made, key) in order.into_iter().enumerate() {
                *map.entry(&key.into()) += 1;
                // The last, one in the middle, the first: whoever is there is found again.
                order.iter().take(made + 1).for_each(|known| *map.entry(&(*known).into()) += 1);
                assert_eq!(map.len(), made + 1, "{order:?}");
            }
            // Once when it was made, and once in that round and in each behind it.
            let times = order.map(|key| map.get(key).copied());
            assert_eq!(times, [Some(4), Some(3), Some(2)], "{order:?}");
            assert!(map.iter().map(|(key, _)| key.as_str()).eq(["a", "b", "c"]));
        }
    }

    #[test]
    fn keys_stay_in_order() {
        let mut map: Keyed<TicketId, u32> = Keyed::default();
        for key in ["m", "z", "a", "m"] {
            *map.entry(&key.into()) += 1;
        }
        assert_eq!(
            map.iter().map(|(k, v)| (k.as_str(), *v)).collect::<Vec<_>>(),
            [("a", 1), ("m", 2), ("z", 1)]
        );
        assert_eq!(map.get("m"), Some(&2));
        assert_eq!(map.get("b"), None);
    }
}

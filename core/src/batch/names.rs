//! Names by number, within one batch.

use crate::index::Index;
use crate::same::same;
use std::borrow::Borrow;

/// The number of a name within one batch; it never leaves the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Number(pub(super) u32);

/// How many places there are for names that came a short while ago.
const RECENT: usize = 32;

/// The distinct names of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Names<N> {
    names: Vec<N>,
    index: Index,
    /// Most events have a name that came a short while ago: here by what is cheap to tell of it.
    recent: [Number; RECENT],
}

impl<N> Default for Names<N> {
    fn default() -> Self {
        Self { names: Vec::new(), index: Index::default(), recent: [Number(0); RECENT] }
    }
}

/// The place of a name among the recent ones: few names have length, first and last byte in common.
fn place_of(name: &str) -> usize {
    let byte = |byte: Option<&u8>| byte.copied().map_or(0, usize::from);
    (name.len() * 7 + byte(name.as_bytes().first()) * 5 + byte(name.as_bytes().last())) % RECENT
}

impl<N: Borrow<str> + for<'t> From<&'t str>> Names<N> {
    pub(super) fn number(&mut self, name: &str) -> Number {
        let place = place_of(name);
        let recent = self.recent.get(place).copied().unwrap_or(Number(0));
        let is_recent = self.name(recent).is_some_and(|known| same(known.borrow(), name));
        if is_recent { recent } else { self.number_of_all(name, place) }
    }

    /// The number of a name, given if it has none, which is the recent one of its place from now on.
    fn number_of_all(&mut self, name: &str, place: usize) -> Number {
        let names = &mut self.names;
        let known = self.index.find(name, |number| names.get(number as usize).map(Borrow::borrow));
        let number = known.unwrap_or_else(|| {
            let number = u32::try_from(names.len()).unwrap_or(u32::MAX);
            names.push(name.into());
            self.index.insert(number, |number| names.get(number as usize).map(Borrow::borrow));
            number
        });
        if let Some(recent) = self.recent.get_mut(place) {
            *recent = Number(number);
        }
        Number(number)
    }

    pub(crate) fn name(&self, number: Number) -> Option<&N> {
        self.names.get(number.0 as usize)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }
}

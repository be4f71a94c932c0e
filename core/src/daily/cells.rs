//! Values by calendar day or month, in order.

use crate::sorted::make_room;
use serde::{Deserialize, Deserializer, Serialize};

/// One value for a calendar day or month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cell<K, T> {
    pub(crate) key: K,
    pub(crate) value: T,
}

/// Cells in order of day (or month), each at most once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Cells<K, T> {
    cells: Vec<Cell<K, T>>,
}

impl<K, T> Default for Cells<K, T> {
    fn default() -> Self {
        Self { cells: Vec::new() }
    }
}

impl<K: Ord + Copy, T> Cells<K, T> {
    /// Puts a value in its place; `join` says what becomes of it where there is one already.
    pub(crate) fn merge(&mut self, key: K, value: T, join: impl FnOnce(&mut T, T)) {
        // Events mostly come in the order of time, so the last cell is the likely one.
        let place = match self.cells.last() {
            Some(last) if last.key == key => Ok(self.cells.len() - 1),
            Some(last) if last.key > key => self.cells.binary_search_by_key(&key, |cell| cell.key),
            _ => Err(self.cells.len()),
        };
        match place {
            Ok(place) => {
                if let Some(cell) = self.cells.get_mut(place) {
                    join(&mut cell.value, value);
                }
            }
            Err(place) => {
                make_room(&mut self.cells);
                self.cells.insert(place, Cell { key, value });
            }
        }
    }

    pub(super) fn remove(&mut self, key: K) {
        self.cells.retain(|cell| cell.key != key);
    }

    /// The cells from one key to another, both included.
    pub(crate) fn range(&self, first: K, last: K) -> &[Cell<K, T>] {
        let start = self.cells.partition_point(|cell| cell.key < first);
        let end = self.cells.partition_point(|cell| cell.key <= last);
        self.cells.get(start..end).unwrap_or_default()
    }

    /// The cells up to a key.
    pub(crate) fn up_to(&self, last: K) -> &[Cell<K, T>] {
        let end = self.cells.partition_point(|cell| cell.key <= last);
        self.cells.get(..end).unwrap_or_default()
    }

    /// Takes out the cells before a key.
    pub(crate) fn split_before(&mut self, key: K) -> Vec<Cell<K, T>> {
        let n = self.cells.partition_point(|cell| cell.key < key);
        let behind = self.cells.split_off(n);
        std::mem::replace(&mut self.cells, behind)
    }

    pub(crate) fn into_cells(self) -> Vec<Cell<K, T>> {
        self.cells
    }
}

impl<'de, K: Ord + Deserialize<'de>, T: Deserialize<'de>> Deserialize<'de> for Cells<K, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let cells = Vec::<Cell<K, T>>::deserialize(deserializer)?;
        if cells.is_sorted_by(|a, b| a.key < b.key) {
            Ok(Self { cells })
        } else {
            Err(serde::de::Error::custom("the cells of days are not in order"))
        }
    }
}

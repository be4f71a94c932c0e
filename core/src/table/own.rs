//! Rows of a batch by whose they are, for threads that each take in those of some clients.

#[cfg(feature = "threads")]
use super::{envelope::TextCells, reader::TableReader};
#[cfg(feature = "threads")]
use crate::event::fields::MAX_ID;
use crate::share::Share;
#[cfg(feature = "threads")]
use arrow_array::RecordBatch;
use std::ops::Range;

/// Of each row of a batch the shard of its client. A row that does not name one as rows do is of the first.
#[cfg(feature = "threads")]
#[derive(Clone, Debug)]
pub(crate) struct RowShards(Vec<u8>);

#[cfg(feature = "threads")]
impl RowShards {
    pub(crate) fn of(reader: &TableReader, batch: &RecordBatch) -> Self {
        let rows = batch.num_rows();
        let subjects = TextCells::of(&reader.mapping, "subject", MAX_ID, batch).flatten();
        let texts = subjects.as_ref().map(|subjects| subjects.texts(0..rows));
        let shard = |row| texts.as_ref().and_then(|texts| texts.stated(row)).map_or(0, Share::shard_of);
        Self((0..rows).map(shard).collect())
    }

    /// The rows that are of some clients, of so many rows from one on.
    pub(crate) fn own<'s>(&'s self, share: &'s Share, rows: Range<usize>) -> Own<'s> {
        Own { share, shards: self.0.get(rows).unwrap_or_default() }
    }
}

/// Which of some rows are to be taken in: those of a share of the clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own<'s> {
    share: &'s Share,
    shards: &'s [u8],
}

impl Own<'_> {
    /// Of so many rows some one is of these clients.
    pub(super) fn times(self) -> usize {
        self.share.times()
    }

    /// The same of some of the rows.
    pub(super) fn of(self, rows: Range<usize>) -> Self {
        Self { shards: self.shards.get(rows).unwrap_or_default(), ..self }
    }

    /// Leaves of the rows that are to be kept those of these clients. Returns how many rows nobody keeps, if this share is to count them.
    pub(super) fn keep(self, kept: &mut [bool]) -> usize {
        let unwanted = if self.share.is_first() { kept.iter().filter(|kept| !**kept).count() } else { 0 };
        for (kept, shard) in kept.iter_mut().zip(self.shards) {
            *kept &= self.share.has(*shard);
        }
        unwanted
    }
}

//! Tables in and out, with the cargo feature `arrow`: each row of an Arrow table is one event of one type.
//!
//! A column is mapped to a field of the envelope (`time`, `subject`, `id`, `source`, `sequence`, `recordedtime`) or of
//! `data` (`metric`, `amount`, `attributes.plan`); a column that is named like a field maps itself. Cells are read by the
//! same door as JSON, so that a row is refused for the same reasons in the same words. [`Engine::apply_table`] takes any
//! [`RecordBatchReader`](arrow_array::RecordBatchReader).
//!
//! Answers come out as tables by `to_arrow` of [`ScoreTable`], [`Movements`], [`RevenueSeries`], [`Cohorts`], [`Applied`],
//! [`Lifetime`], [`Spells`], [`RfmSummary`] and every [`Ltv`], and by [`scores_to_arrow`].
//!
//! [`ScoreTable`]: crate::ScoreTable
//! [`Movements`]: crate::Movements
//! [`RevenueSeries`]: crate::RevenueSeries
//! [`Cohorts`]: crate::Cohorts
//! [`Applied`]: crate::Applied
//! [`Lifetime`]: crate::Lifetime
//! [`Spells`]: crate::Spells
//! [`RfmSummary`]: crate::RfmSummary
//! [`Ltv`]: crate::Ltv
//! [`Engine::apply_table`]: crate::Engine::apply_table

mod column;
mod tally;
mod cell;
mod envelope;
mod read;
mod field;
mod map;
mod row;
mod quantities;
mod usage;
mod identity;
mod own;
mod reader;
#[cfg(feature = "parquet")]
mod parquet;
mod out;

/// What Parquet is read from: a file or its bytes.
#[cfg(feature = "parquet")]
pub use ::parquet::file::reader::ChunkReader;
pub use arrow_array;
pub use arrow_schema;
/// The bytes of a Parquet file that is in memory.
#[cfg(feature = "parquet")]
pub use bytes::Bytes;

pub use out::scores_to_arrow;

pub(crate) use out::Columns;
pub(crate) use own::Own;
#[cfg(feature = "threads")]
pub(crate) use own::RowShards;
#[cfg(feature = "parquet")]
pub(crate) use parquet::ParquetTable;
pub(crate) use read::{Read, ReadRows, RowPart};
pub(crate) use reader::TableReader;

use crate::id::SourceId;
use crate::time::Day;
use std::collections::BTreeMap;

/// What fills a field of every row.
#[derive(Clone, Debug, PartialEq)]
pub enum Fill {
    /// The column of this name.
    Column(String),
    /// The same value in every row, as JSON has it; null leaves the field out.
    Constant(serde_json::Value),
}

/// How a table is read.
///
/// | column | read as |
/// |---|---|
/// | `Utf8`, `LargeUtf8`, `Utf8View` | text; for a number its decimal text, for a time RFC 3339 |
/// | integers of any width | numbers; for ids and other text their digits |
/// | `Decimal32` to `Decimal256` | exact numbers |
/// | floats | the shortest decimal that is that float; for money only if `floats_as_money` |
/// | `Boolean` | true or false |
/// | `Timestamp` with a zone, of any unit | an instant; finer than a microsecond is cut off |
/// | `Timestamp` without a zone | the time on a clock in `timezone`, which must be stated |
/// | `Date32`, `Date64` | a date; where an instant is wanted, the start of that day in `timezone` |
/// | lists of text | a list, such as `users` or `tags` |
/// | `Struct` | an object: its children are `attributes`, `parts`, or `unit` and `count` of `interval` |
/// | dictionaries and runs of these | what they hold |
/// | null cells | the field is not there |
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableOptions {
    /// What fills which field: `time`, `metric`, `attributes.plan`. Fields that are not named here are filled by a column of
    /// their own name, if there is one. Where `data` has a field that the envelope has, too, `data.id` is the former.
    pub columns: BTreeMap<String, Fill>,
    /// The `source` of rows that state none.
    pub source: Option<SourceId>,
    /// The name of this load. Rows without an id are told apart by their content and, where several are equal, by their
    /// number among these within the load; so the same table loaded again under the same name and source changes nothing,
    /// and one that grew adds what is new. Tables that hold equal rows of different happenings need loads of other names.
    pub load: String,
    /// The zone of times that state none, such as `UTC` or `Europe/Berlin`. A time that the clocks of the zone skipped
    /// is moved on by what they skipped, of one that they showed twice the first is meant.
    pub timezone: Option<String>,
    /// Read money from binary floats by their shortest decimal.
    pub floats_as_money: bool,
    /// Skip and count rows whose `time` is null, of tables with a column for each thing that may have happened.
    pub skip_without_time: bool,
    /// Skip and count rows of days outside these, from the first to before the second: by their `time`, roll-ups by their
    /// `day`. Of a Parquet file the parts that cannot hold such a row are not read.
    pub days: Option<(Day, Day)>,
    /// Apply all or nothing: the first bad row stops the load before anything of it is applied.
    pub strict: bool,
}

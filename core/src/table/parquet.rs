//! Parquet files, with the cargo feature `parquet`: only the columns that fill a field are read, and only the row groups
//! that may hold a day that is wanted.

use super::TableOptions;
use super::column::{Column, Values};
use super::map::Mapping;
use super::reader::{TableReader, Wanted, When};
use crate::chunks::at_a_time;
use crate::error::{TableError, TableIssue};
use crate::event::EventKind;
use crate::settings::Dedupe;
use crate::zone::Zone;
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::reader::ChunkReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// So many rows come in one batch where one thread reads them and takes them in: their columns fit the nearer memory.
const FEW_ROWS: usize = 1 << 13;
/// So many of those that are gone through once for each type of event: their clients are still near.
const FEW_ROWS_AGAIN: usize = 1 << 11;
/// So many where each thread takes in those of its clients, while one reads the next.
const SHARED_ROWS: usize = 1 << 13;
/// And so many where threads share them, who wait for each other at the end of a batch.
const MANY_ROWS: usize = 1 << 16;

/// A file that is about to be read.
pub(crate) struct ParquetTable<R: ChunkReader> {
    /// For each type of event that the rows tell of.
    pub(crate) readers: Vec<TableReader>,
    /// How many rows there are to read.
    pub(crate) row_count: u64,
    rows: ParquetRecordBatchReaderBuilder<R>,
}

impl<R: ChunkReader + 'static> ParquetTable<R> {
    /// # Errors
    /// All faults of the mapping, or what is wrong with the file.
    pub(crate) fn open(
        file: R,
        kinds: &[(EventKind, TableOptions)],
        zone: &Zone,
        dedupe: Dedupe,
    ) -> Result<Self, TableError> {
        contained(|| {
            let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())?;
            let as_views = ArrowReaderOptions::new().with_schema(texts_as_views(metadata.schema()));
            let metadata = ArrowReaderMetadata::try_new(metadata.metadata().clone(), as_views)?;
            Ok((file, metadata))
        })
        .and_then(|(file, metadata)| Self::of(file, metadata, kinds, zone, dedupe))
    }

    fn of(
        file: R,
        metadata: ArrowReaderMetadata,
        kinds: &[(EventKind, TableOptions)],
        zone: &Zone,
        dedupe: Dedupe,
    ) -> Result<Self, TableError> {
        let schema = metadata.schema().clone();
        let mut readers = readers_of(kinds, &schema, zone, dedupe)?;
        let mut columns: Vec<usize> = readers.iter().flat_map(|reader| reader.mapping.columns()).collect();
        columns.sort_unstable();
        columns.dedup();
        readers.iter_mut().for_each(|reader| reader.mapping.project(&columns));
        contained(|| {
            let mut wanted = vec![false; metadata.metadata().num_row_groups()];
            for TableReader { wanted: days, mapping, .. } in &readers {
                let of_kind = row_groups(&metadata, &schema, days, mapping, &columns);
                wanted.iter_mut().zip(of_kind).for_each(|(wanted, of_kind)| *wanted |= of_kind);
            }
            let (mut parts, mut kept, mut first) = (Vec::new(), Vec::new(), 0);
            for ((group, wanted), index) in metadata.metadata().row_groups().iter().zip(wanted).zip(0..) {
                let rows = u64::try_from(group.num_rows()).unwrap_or(0);
                if wanted {
                    kept.push(index);
                    parts.push((first, rows));
                } else {
                    readers.iter_mut().for_each(|reader| reader.skipped += rows);
                }
                first += rows;
            }
            let row_count = parts.iter().map(|(_, rows)| rows).sum();
            readers.iter_mut().for_each(|reader| reader.read_parts(parts.clone()));
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
            let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
            let rows = builder.with_projection(mask).with_row_groups(kept);
            Ok(Self { readers, row_count, rows })
        })
    }

    /// The readers of the rows, and the batches they come in: of rows that threads share by clients, or take in together.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn batches(self, shared: bool) -> Result<(Vec<TableReader>, Batches), TableError> {
        let few = if self.readers.len() > 1 { FEW_ROWS_AGAIN } else { FEW_ROWS };
        let so_many = if shared { SHARED_ROWS } else { at_a_time(few, MANY_ROWS) };
        let rows = contained(|| self.rows.with_batch_size(so_many).build())?;
        Ok((self.readers, Batches { rows: Some(rows) }))
    }
}

/// A reader for each type of event, or the faults of all mappings: of several types each fault says which one it is of.
fn readers_of(
    kinds: &[(EventKind, TableOptions)],
    schema: &Schema,
    zone: &Zone,
    dedupe: Dedupe,
) -> Result<Vec<TableReader>, TableError> {
    let (mut readers, mut faults) = (Vec::new(), Vec::new());
    for (kind, options) in kinds {
        match TableReader::new(*kind, schema, options, zone, dedupe) {
            Ok(reader) => readers.push(reader),
            Err(TableError::Invalid { issues }) => faults.extend(issues.into_iter().map(|issue| {
                let message = format!("{kind}: {}", issue.message);
                if kinds.len() > 1 { TableIssue { message, ..issue } } else { issue }
            })),
            Err(error) => return Err(error),
        }
    }
    if faults.is_empty() { Ok(readers) } else { Err(TableError::Invalid { issues: faults }) }
}

/// Views of text need no copy of what a page holds.
fn texts_as_views(schema: &Schema) -> SchemaRef {
    let field = |field: &Arc<arrow_schema::Field>| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => {
            Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View))
        }
        _ => field.clone(),
    };
    Arc::new(Schema::new_with_metadata(
        schema.fields().iter().map(field).collect::<arrow_schema::Fields>(),
        schema.metadata().clone(),
    ))
}

/// Which row groups may hold a row that is wanted, by the least and the greatest time of each.
fn row_groups(
    metadata: &ArrowReaderMetadata,
    schema: &Schema,
    wanted: &Wanted,
    mapping: &Mapping,
    columns: &[usize],
) -> Vec<bool> {
    let groups = metadata.metadata().row_groups();
    let extremes = || {
        let column = *columns.get(wanted.days_column(mapping)?)?;
        let name = schema.fields().get(column)?.name();
        let statistics = StatisticsConverter::try_new(name, schema, metadata.parquet_schema()).ok()?;
        let zone = mapping.zone.as_ref();
        let least = Column::of(&statistics.row_group_mins(groups).ok()?, zone)?;
        let greatest = Column::of(&statistics.row_group_maxes(groups).ok()?, zone)?;
        Some((least, greatest))
    };
    let Some((least, greatest)) = extremes() else { return vec![true; groups.len()] };
    let may_hold = |group| match (number(&least, group), number(&greatest, group)) {
        (Some(least), Some(greatest)) => wanted.meets(least, greatest),
        // Without statistics anything may be there; so it may where a time is missing, which the door is to refuse.
        _ => true,
    };
    (0..groups.len()).map(may_hold).collect()
}

/// A time or a day among statistics. Those of text may be cut short and say nothing.
fn number(column: &Column, group: usize) -> Option<When> {
    let slot = column.slot(group)?;
    match &column.values {
        Values::Instants(instants) => Some(When::At(instants.value(slot))),
        Values::Days(days) => Some(When::On(days.value(slot))),
        _ => None,
    }
}

/// The batches of a file. One that is damaged ends in an error, whatever the decoder makes of it.
pub(crate) struct Batches {
    rows: Option<ParquetRecordBatchReader>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = self.rows.as_mut()?;
        let batch = contained(|| Ok(rows.next().transpose()?));
        if !matches!(batch, Ok(Some(_))) {
            self.rows = None;
        }
        batch.map_err(|error| ArrowError::ExternalError(Box::new(error))).transpose()
    }
}

/// What the decoder of Parquet gives. It has met damaged files with a panic before, which must not reach the caller.
fn contained<T>(read: impl FnOnce() -> Result<T, parquet::errors::ParquetError>) -> Result<T, TableError> {
    let unreadable = |what: String| TableError::Unreadable { what };
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| unreadable(error.to_string())),
        Err(_) => Err(unreadable("the Parquet file is damaged".to_owned())),
    }
}

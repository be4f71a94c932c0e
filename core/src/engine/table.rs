//! Tables, row by row through the door of events.

use super::applied::Stood;
use super::fold::{Arrivals, Intake, LOOKED_UP};
use super::{Applied, Engine};
use crate::batch::Number;
use crate::error::TableError;
use crate::event::counted::CountedRows;
use crate::event::line::EventView;
use crate::event::{Event, EventError, EventKind};
use crate::table::{Columns, Own, Read, ReadRows, RowPart, TableOptions, TableReader};
use crate::zone::DayClock;
use arrow_array::{RecordBatch, RecordBatchReader, UInt64Array};
use arrow_schema::ArrowError;

impl Engine {
    /// Takes in a table: each row is one event of the type. Good rows are applied, each bad one is returned with its
    /// number in the whole table, from 0.
    ///
    /// ```
    /// use healthfold::table::{Fill, TableOptions, arrow_array::*};
    /// use healthfold::{Engine, EventKind, Settings};
    /// use std::sync::Arc;
    ///
    /// let batch = RecordBatch::try_from_iter([
    ///     ("account", Arc::new(StringArray::from(vec!["acme", "acme"])) as ArrayRef),
    ///     ("time", Arc::new(TimestampMillisecondArray::from(vec![1_767_607_200_000, 1_767_693_600_000]).with_timezone("UTC"))),
    ///     ("count", Arc::new(Int32Array::from(vec![Some(3), None]))),
    /// ])?;
    /// let schema = batch.schema();
    /// let options = TableOptions {
    ///     columns: [
    ///         ("subject".to_owned(), Fill::Column("account".to_owned())),
    ///         ("metric".to_owned(), Fill::Constant("reports".into())),
    ///     ]
    ///     .into(),
    ///     source: Some("warehouse".into()),
    ///     ..TableOptions::default()
    /// };
    /// let mut engine = Engine::new(Settings::default())?;
    /// let table = || RecordBatchIterator::new([Ok(batch.clone())], schema.clone());
    /// assert_eq!(engine.apply_table(EventKind::UsageCounted, table(), &options)?.applied, 2);
    /// assert_eq!(engine.apply_table(EventKind::UsageCounted, table(), &options)?.duplicates, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// All faults of the mapping of columns to fields; what the table itself reports, with the rows before that applied; in
    /// strict mode the first bad row, with nothing applied.
    pub fn apply_table(
        &mut self,
        kind: EventKind,
        table: impl RecordBatchReader,
        options: &TableOptions,
    ) -> Result<Applied, TableError> {
        let reader = TableReader::new(kind, &table.schema(), options, &self.zone, self.settings.dedupe)?;
        self.apply_batches(reader, table, options.strict).map(only)
    }

    /// Takes in a Parquet file as [`Engine::apply_table`] takes in a table. Only the columns that fill a field are read, and
    /// with [`TableOptions::days`] only the row groups that may hold a row of these days.
    ///
    /// The file is a [`std::fs::File`] or its [`Bytes`](crate::table::Bytes).
    ///
    /// # Errors
    /// As [`Engine::apply_table`]; a damaged file is unreadable.
    #[cfg(feature = "parquet")]
    pub fn apply_parquet(
        &mut self,
        kind: EventKind,
        file: impl crate::table::ChunkReader + 'static,
        options: &TableOptions,
    ) -> Result<Applied, TableError> {
        self.apply_parquet_watched(kind, file, options, |_, _| Ok(()))
    }

    /// As [`Engine::apply_parquet`], with a look before each batch of rows and behind the last: `look` hears how many of how
    /// many rows were read, and its error ends the load, with the rows before it applied.
    ///
    /// # Errors
    /// As [`Engine::apply_table`]; a damaged file, and one that `look` wants no more of, is unreadable.
    #[cfg(feature = "parquet")]
    pub fn apply_parquet_watched(
        &mut self,
        kind: EventKind,
        file: impl crate::table::ChunkReader + 'static,
        options: &TableOptions,
        look: impl FnMut(u64, u64) -> Result<(), ArrowError>,
    ) -> Result<Applied, TableError> {
        self.apply_parquet_each_watched(&[(kind, options.clone())], file, look).map(only)
    }

    /// As [`Engine::apply_parquet`], of a file whose rows tell of several things, such as invoices that were issued and paid:
    /// as if it were applied once for each type of event, but read once, and some rows at a time taken in for one type after the
    /// other. What became of each type comes in their order.
    ///
    /// ```
    /// use healthfold::table::{Bytes, Fill, TableOptions, arrow_array::*};
    /// use healthfold::{Engine, EventKind, Settings};
    /// use parquet::arrow::ArrowWriter;
    /// use std::sync::Arc;
    ///
    /// // Two invoices, of which one was paid.
    /// let day = |day: i64| 1_767_225_600_000 + day * 86_400_000;
    /// let times = |times: Vec<Option<i64>>| -> ArrayRef {
    ///     Arc::new(TimestampMillisecondArray::from(times).with_timezone("UTC"))
    /// };
    /// let batch = RecordBatch::try_from_iter([
    ///     ("subject", Arc::new(StringArray::from(vec!["acme", "birch"])) as ArrayRef),
    ///     ("invoice", Arc::new(StringArray::from(vec!["i-1", "i-2"]))),
    ///     ("amount", Arc::new(Int32Array::from(vec![100, 50]))),
    ///     ("issued_at", times(vec![Some(day(0)), Some(day(1))])),
    ///     ("paid_at", times(vec![Some(day(9)), None])),
    /// ])?;
    /// let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None)?;
    /// writer.write(&batch)?;
    /// let file = Bytes::from(writer.into_inner()?);
    ///
    /// let constant = |field: &str, value: &str| (field.to_owned(), Fill::Constant(value.into()));
    /// let options = |time: &str, source: &str, constants: Vec<(String, Fill)>| TableOptions {
    ///     columns: [("time".to_owned(), Fill::Column(time.to_owned()))].into_iter().chain(constants).collect(),
    ///     source: Some(source.into()),
    ///     skip_without_time: true,
    ///     ..TableOptions::default()
    /// };
    /// let issued = options("issued_at", "issued", vec![constant("currency", "USD"), constant("due", "2026-02-01")]);
    /// let paid = options("paid_at", "paid", vec![]);
    /// let kinds = [(EventKind::InvoiceIssued, issued), (EventKind::InvoicePaid, paid)];
    /// let mut engine = Engine::new(Settings::default())?;
    /// let applied = engine.apply_parquet_each(&kinds, file)?;
    /// assert_eq!((applied[0].applied, applied[0].skipped), (2, 0));
    /// assert_eq!((applied[1].applied, applied[1].skipped), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Engine::apply_table`], the faults of all mappings at once, each with its type of event; a damaged file is unreadable.
    /// Where one type is strict all are.
    #[cfg(feature = "parquet")]
    pub fn apply_parquet_each(
        &mut self,
        kinds: &[(EventKind, TableOptions)],
        file: impl crate::table::ChunkReader + 'static,
    ) -> Result<Vec<Applied>, TableError> {
        self.apply_parquet_each_watched(kinds, file, |_, _| Ok(()))
    }

    /// As [`Engine::apply_parquet_each`], with the looks of [`Engine::apply_parquet_watched`].
    ///
    /// # Errors
    /// As [`Engine::apply_parquet_each`]; a file that `look` wants no more of is unreadable.
    #[cfg(feature = "parquet")]
    pub fn apply_parquet_each_watched(
        &mut self,
        kinds: &[(EventKind, TableOptions)],
        file: impl crate::table::ChunkReader + 'static,
        mut look: impl FnMut(u64, u64) -> Result<(), ArrowError>,
    ) -> Result<Vec<Applied>, TableError> {
        let table = crate::table::ParquetTable::open(file, kinds, &self.zone, self.settings.dedupe)?;
        let strict = kinds.iter().any(|(_, options)| options.strict);
        let row_count = table.row_count;
        let shared = !strict && self.may_take_side_by_side(&table.readers, row_count);
        let ((readers, mut batches), mut done) = (table.batches(shared)?, 0);
        let watched = std::iter::from_fn(|| {
            let next = look(done, row_count).map(|()| batches.next());
            let batch = next.unwrap_or_else(|error| Some(Err(error)))?;
            done += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
            Some(batch)
        });
        if shared {
            self.take_side_by_side(&readers, watched)
        } else {
            self.apply_rows(readers, watched, strict)
        }
    }

    /// Takes in a table that comes in batches of some size.
    fn apply_batches(
        &mut self,
        reader: TableReader,
        table: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
        strict: bool,
    ) -> Result<Vec<Applied>, TableError> {
        let mut table = table.peekable();
        let readers = vec![reader];
        // How many rows there are nobody says; of one that is in memory most stand in one batch, or in few.
        let rows = table.peek().and_then(|first| first.as_ref().ok()).map_or(0, RecordBatch::num_rows);
        if !strict && self.may_take_side_by_side(&readers, rows as u64) {
            return self.take_side_by_side(&readers, table);
        }
        self.apply_rows(readers, table, strict)
    }

    /// Takes in the rows of a table, of each batch those of one reader after the other; what became of those of each.
    fn apply_rows(
        &mut self,
        mut readers: Vec<TableReader>,
        table: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
        strict: bool,
    ) -> Result<Vec<Applied>, TableError> {
        let mut all = vec![Applied::default(); readers.len()];
        let mut intake = self.intake(false);
        if strict {
            let mut events = vec![Vec::new(); readers.len()];
            let mut rehearsal = intake.engine.rehearsal();
            for batch in table {
                let batch = batch.map_err(unreadable)?;
                for (reader, events) in readers.iter_mut().zip(&mut events) {
                    reader.read_events();
                    reader.read(&batch, None, |read| match read {
                        Read::Rows(rows) => rehearse(rows, &mut rehearsal, intake.engine, events),
                        Read::Counted(_) => Ok(()),
                    })?;
                }
            }
            all = events.iter().map(|events| intake.engine.apply_all(events)).collect();
        } else {
            for batch in table {
                intake.take_in_batch(&batch.map_err(unreadable)?, &mut readers, &mut all, |_| None)?;
            }
        }
        intake.end();
        let applied = readers.into_iter().zip(all);
        Ok(applied.map(|(reader, applied)| Applied { skipped: reader.skipped, ..applied }).collect())
    }
}

pub(super) fn unreadable(error: ArrowError) -> TableError {
    TableError::Unreadable { what: error.to_string() }
}

/// What became of the only type of event.
fn only(applied: Vec<Applied>) -> Applied {
    applied.into_iter().next().unwrap_or_default()
}

/// Tries rows out, and keeps them as events for the time when all are known to be good.
fn rehearse(
    rows: &ReadRows<'_>,
    rehearsal: &mut Engine,
    whole: &mut Engine,
    events: &mut Vec<Event>,
) -> Result<(), TableError> {
    for (index, event) in rows.iter() {
        let strict = |error| TableError::Strict { index, error };
        let event = event.map(EventView::to_event).map_err(|error| strict(error.clone()))?;
        rehearsal.try_with(whole, &event).map_err(strict)?;
        events.push(event);
    }
    Ok(())
}

impl Intake<'_> {
    /// Takes in the rows of a batch, of one reader after the other: all, or those that are own by the number of the reader.
    pub(super) fn take_in_batch<'s>(
        &mut self,
        batch: &RecordBatch,
        readers: &mut [TableReader],
        all: &mut [Applied],
        own: impl Fn(usize) -> Option<Own<'s>>,
    ) -> Result<(), TableError> {
        for ((reader, applied), number) in readers.iter_mut().zip(all).zip(0..) {
            let own = own(number);
            std::mem::swap(&mut self.applied, applied);
            let read = reader.read(batch, own, |read| {
                match read {
                    Read::Rows(rows) => {
                        // Of a share of the clients this thread takes all in, without help: as one part.
                        let so_many = if own.is_some() { rows.len().max(1) } else { LOOKED_UP };
                        self.take_in_parts(rows.parts(so_many), |part| part);
                    }
                    Read::Counted(counted) => self.take_in_counted(counted),
                }
                Ok(())
            });
            std::mem::swap(&mut self.applied, applied);
            read?;
        }
        Ok(())
    }

    /// Takes in counted usage of which nobody keeps the identities.
    fn take_in_counted(&mut self, counted: &CountedRows<'_>) {
        let zone = self.engine.zone.clone();
        let mut clock = DayClock::new(&zone);
        for rows in counted.rows.chunks(LOOKED_UP) {
            let slots = self.engine.book.known_slots(rows.iter().map(|row| row.subject));
            let has_room = self.has_room(counted.metrics.len(), rows.len());
            if self.engine.is_sealed() || !has_room || !self.usage.has_room_for_names(rows.len()) {
                // Each may be one thing too many, or too early.
                for (row, slot) in rows.iter().zip(slots) {
                    let event = counted.event(row);
                    match self.admit_usage(&event, None, slot, &mut clock) {
                        Ok(_) => self.applied.applied += 1,
                        Err(error) => self.applied.reject(Stood::At(row.number), error),
                    }
                }
            } else {
                let source = self.usage.number_of_source(counted.source);
                let metrics = counted.metrics.iter().map(|metric| self.usage.number_of_metric(metric));
                let metrics: Vec<Number> = metrics.collect();
                let Engine { book, settings, .. } = &mut *self.engine;
                for (row, slot) in rows.iter().zip(slots) {
                    let Some(metric) = metrics.get(row.metric as usize) else { continue };
                    let slot = slot.unwrap_or_else(|| book.slot_for(row.subject, &settings.erasure_key));
                    self.usage.note_counted(row, (source, *metric), slot, clock.day(row.time));
                }
                self.applied.applied += rows.len() as u64;
            }
            self.fold_if_enough();
        }
    }
}

impl Arrivals for RowPart<'_> {
    fn each(&self) -> impl Iterator<Item = (Stood, Result<EventView<'_>, &EventError>)> {
        self.iter().map(|(index, event)| (Stood::At(index), event))
    }
}

impl Applied {
    /// The rejections that are listed, as a table: `index`, `line`, `offset`, `code`, `message`, `field`.
    ///
    /// # Errors
    /// Never.
    pub fn to_arrow(&self) -> Result<RecordBatch, ArrowError> {
        let rows = || self.rejected.iter();
        let mut columns = Columns::default();
        columns.put("index", rows().map(|row| Some(row.index)).collect::<UInt64Array>());
        columns.put("line", rows().map(|row| row.line).collect::<UInt64Array>());
        columns.put("offset", rows().map(|row| row.offset).collect::<UInt64Array>());
        columns.texts("code", rows().map(|row| Some(row.error.code.as_str())));
        columns.texts("message", rows().map(|row| Some(&row.error.message)));
        columns.texts("field", rows().map(|row| row.error.field.as_ref()));
        columns.batch()
    }
}

#[cfg(not(feature = "threads"))]
impl Engine {
    /// One thread takes in all rows.
    fn may_take_side_by_side(&self, _readers: &[TableReader], _rows: u64) -> bool {
        false
    }

    fn take_side_by_side(
        &mut self,
        readers: &[TableReader],
        table: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    ) -> Result<Vec<Applied>, TableError> {
        self.apply_rows(readers.to_vec(), table, false)
    }
}

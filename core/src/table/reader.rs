//! The rows of a table in turn: which are skipped, which are events, which are neither.

use super::TableOptions;
use super::column::{Column, Values};
use super::identity::Identities;
use super::map::{Mapping, Origin};
use super::row::Rows;
use crate::error::TableError;
use crate::event::{Event, EventError, EventKind};
use crate::time::{Day, Instant};
use crate::zone::Zone;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::Schema;
use std::sync::Arc;

/// So many rows are unpacked at a time.
const ROWS: usize = 16_384;

/// What a row came to: an event or what is wrong with it, or nothing where the caller does not want it.
pub(crate) type RowFate = Option<Result<Event, EventError>>;

/// Reads the rows of a table as events of one type.
#[derive(Debug)]
pub(crate) struct TableReader {
    kind: EventKind,
    mapping: Mapping,
    wanted: Wanted,
    /// `None` where the rows state their ids.
    identities: Option<Identities>,
    /// The number of the next row.
    next: u64,
}

impl TableReader {
    /// # Errors
    /// All faults of the mapping.
    pub(crate) fn new(
        kind: EventKind,
        schema: &Schema,
        options: &TableOptions,
        zone: &Zone,
    ) -> Result<Self, TableError> {
        let mapping = Mapping::of(kind, schema, options).map_err(|issues| TableError::Invalid { issues })?;
        let identities = mapping.find("id").is_none().then(|| Identities::new(&options.load));
        let wanted = Wanted::new(kind, options, zone);
        Ok(Self { kind, mapping, wanted, identities, next: 0 })
    }

    /// Reads the rows of a batch and hands each on with its number.
    ///
    /// # Errors
    /// If the batch is not of the table.
    pub(crate) fn read(
        &mut self,
        batch: &RecordBatch,
        mut take: impl FnMut(u64, RowFate) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        let mut from = 0;
        while from < batch.num_rows() {
            let rows = batch.slice(from, ROWS.min(batch.num_rows() - from));
            from += rows.num_rows();
            self.read_rows(&rows, &mut take)?;
        }
        Ok(())
    }

    fn read_rows(
        &mut self,
        rows: &RecordBatch,
        take: &mut impl FnMut(u64, RowFate) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        let unreadable =
            || TableError::Unreadable { what: "a batch has other columns than the table".to_owned() };
        let when = self.wanted.column(&self.mapping, rows);
        let mut cells = Rows::of(&self.mapping, rows).ok_or_else(unreadable)?;
        for row in 0..rows.num_rows() {
            let index = self.next;
            self.next += 1;
            if when.as_ref().is_some_and(|when| !self.wanted.holds(when, row)) {
                take(index, None)?;
                continue;
            }
            let mut event = cells.event(self.kind, row);
            if let (Some(identities), Ok(event)) = (&mut self.identities, &mut event) {
                identities.name(event);
            }
            take(index, Some(event))?;
        }
        Ok(())
    }
}

/// Which rows the caller wants.
#[derive(Debug)]
struct Wanted {
    /// The field that says when the event was: `time`, of a roll-up its day.
    field: &'static str,
    /// From the first to before the second.
    instants: Option<(i64, i64)>,
    days: Option<(Day, Day)>,
    skip_without: bool,
}

impl Wanted {
    fn new(kind: EventKind, options: &TableOptions, zone: &Zone) -> Self {
        let of_day = kind == EventKind::UsageDaySet;
        let instants =
            options.days.map(|(from, to)| (zone.start_of(from).micros(), zone.start_of(to).micros()));
        Self {
            field: if of_day { "data.day" } else { "time" },
            instants,
            days: options.days,
            skip_without: options.skip_without_time,
        }
    }

    /// What tells when the events of some rows were; `None` where all rows are wanted.
    fn column(&self, mapping: &Mapping, rows: &RecordBatch) -> Option<Column> {
        if self.days.is_none() && !self.skip_without {
            return None;
        }
        match &mapping.find(self.field)?.origin {
            Origin::Column(index, None) => Column::of(rows.columns().get(*index)?, mapping.zone.as_ref()),
            Origin::Constant(value) => {
                let every_row = vec![value.as_str().unwrap_or_default(); rows.num_rows()];
                Column::of(&(Arc::new(StringArray::from(every_row)) as ArrayRef), None)
            }
            Origin::Column(_, Some(_)) => None,
        }
    }

    /// Whether a row is wanted. What cannot be read is: the door says why.
    fn holds(&self, when: &Column, row: usize) -> bool {
        let Some(slot) = when.slot(row) else { return !self.skip_without };
        let at = |micros: i64| self.instants.is_none_or(|(from, to)| (from..to).contains(&micros));
        let on = |day: i64| {
            self.days
                .is_none_or(|(from, to)| (i64::from(from.number())..i64::from(to.number())).contains(&day))
        };
        match &when.values {
            Values::Instants(instants) => at(instants.value(slot)),
            Values::Days(days) => on(days.value(slot)),
            Values::Texts(texts) => {
                let text = texts.get(slot);
                let instant = text.parse::<Instant>().map(|instant| at(instant.micros()));
                instant.or_else(|_| text.parse::<Day>().map(|day| on(day.number().into()))).unwrap_or(true)
            }
            _ => true,
        }
    }
}

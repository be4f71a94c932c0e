//! The rows of a table in turn: which are skipped, which are events, which are neither.

use super::TableOptions;
use super::column::{Column, Stuff, Values};
use super::envelope::{Envelope, Envelopes, RowEnvelopes};
use super::identity::Identities;
use super::map::{Mapping, Origin};
use super::own::Own;
use super::read::{Read, ReadRows};
use super::row::Rows;
use super::usage::{RowUsage, UsageRows};
use crate::chunks::{at_a_time, in_order, one_by_one};
use crate::error::TableError;
use crate::event::span::RowSink;
use crate::event::{Event, EventData, EventError, EventKind};
use crate::hashing::HalfHash;
use crate::settings::Dedupe;
use crate::time::{Day, Instant};
use crate::zone::Zone;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::Schema;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// The columns of so many rows are looked at together.
const ROWS: usize = 1 << 12;
/// Of so many rows the columns are held at the same time: a whole table may come as one batch.
const HELD: usize = 1 << 16;
/// So many rows are read and then taken in, while what they are is still near.
const SOME: usize = 1 << 8;

/// Reads the rows of a table as events of one type.
#[derive(Clone, Debug)]
pub(crate) struct TableReader {
    kind: EventKind,
    pub(super) mapping: Mapping,
    pub(super) wanted: Wanted,
    /// `None` where the rows state their ids.
    identities: Option<Identities>,
    /// Whether nobody keeps the identities of what is counted, or asks for the events.
    counted: bool,
    places: Places,
    /// How many rows were skipped.
    pub(crate) skipped: u64,
}

impl TableReader {
    /// # Errors
    /// All faults of the mapping.
    pub(crate) fn new(
        kind: EventKind,
        schema: &Schema,
        options: &TableOptions,
        zone: &Zone,
        dedupe: Dedupe,
    ) -> Result<Self, TableError> {
        let mapping = Mapping::of(kind, schema, options).map_err(|issues| TableError::Invalid { issues })?;
        // Where nobody keeps the identities of what is counted, nobody needs them.
        let unkept = dedupe == Dedupe::Upstream && kind == EventKind::UsageCounted;
        let unnamed = mapping.find("id").is_none() && !unkept;
        let identities = unnamed.then(|| Identities::new(&options.load, kind));
        let wanted = Wanted::new(kind, options, zone);
        Ok(Self { kind, mapping, wanted, identities, counted: unkept, places: Places::default(), skipped: 0 })
    }

    /// What type of event the rows are.
    #[cfg(feature = "threads")]
    pub(crate) fn kind(&self) -> EventKind {
        self.kind
    }

    /// Whether rows of both name their clients by the same column.
    #[cfg(feature = "threads")]
    pub(crate) fn names_client_as(&self, other: &Self) -> bool {
        let column = |reader: &Self| match reader.mapping.find("subject")?.origin {
            Origin::Column(index, None) => Some(index),
            Origin::Column(_, Some(_)) | Origin::Constant(_) => None,
        };
        column(self).is_some_and(|index| column(other) == Some(index))
    }

    /// Has all rows handed on as events.
    pub(crate) fn read_events(&mut self) {
        self.counted = false;
    }

    /// Says which parts of the table the batches hold: of each its first row and how many.
    #[cfg(feature = "parquet")]
    pub(super) fn read_parts(&mut self, parts: Vec<(u64, u64)>) {
        self.places = Places { next: 0, left: Some(0), parts: parts.into_iter() };
    }

    /// Reads the rows of a batch and hands them on, many at a time: those of a share of the clients by itself, all of them with the
    /// help of other threads.
    ///
    /// # Errors
    /// If the batch is not of the table, or what `take` reports.
    pub(crate) fn read(
        &mut self,
        batch: &RecordBatch,
        own: Option<Own<'_>>,
        mut take: impl FnMut(&Read<'_>) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        let Self { kind, mapping, wanted, identities, counted, places, skipped } = self;
        let (kind, mapping, wanted, counted) = (*kind, &*mapping, &*wanted, *counted);
        let contents = identities.as_ref().map(|identities| identities.contents.clone());
        let some = own.map_or_else(|| at_a_time(SOME, ROWS), |own| SOME * own.times());
        let mut result = Ok(());
        for held in (0..batch.num_rows()).step_by(HELD) {
            let behind = batch.num_rows().min(held + HELD);
            let piece = |from: usize| {
                let rows = from..behind.min(from + ROWS);
                let own = own.map(|own| own.of(rows.clone()));
                Piece::of(kind, mapping, wanted, batch.slice(from, rows.len()), own)
            };
            let pieces: Vec<Piece<'_>> = (held..behind).step_by(ROWS).map(piece).collect();
            let spans = pieces.iter().flat_map(|piece| {
                let rows = piece.rows.num_rows();
                (0..rows).step_by(some).map(move |from| (piece, from..rows.min(from + some)))
            });
            let make = |(piece, span)| {
                let (piece, span): (&Piece<'_>, Range<usize>) = (piece, span);
                let rows = span.len();
                let (read, unwanted) = piece.read(span, kind, mapping, wanted, counted)?;
                let hashes = match (&contents, &read) {
                    (Some(contents), Read::Rows(read)) => contents.hashes(read),
                    _ => Default::default(),
                };
                Some(Made { rows, unwanted, read, hashes })
            };
            let take = |made: Option<Made<'_>>| match made {
                _ if result.is_err() => {}
                None => {
                    let what = "a batch has other columns than the table".to_owned();
                    result = Err(TableError::Unreadable { what });
                }
                Some(Made { rows, unwanted, mut read, hashes }) => {
                    *skipped += unwanted as u64;
                    places.tell(rows, &mut read);
                    let mut ids = String::new();
                    if let (Some(identities), Read::Rows(read)) = (identities.as_mut(), &mut read) {
                        identities.name(read, &hashes, &mut ids);
                    }
                    result = take(&read);
                }
            };
            if own.is_some() {
                one_by_one(spans, make, take)
            } else {
                in_order(spans, make, take)
            }
            if result.is_err() {
                break;
            }
        }
        result
    }
}

/// What came of a span of rows.
struct Made<'r> {
    rows: usize,
    unwanted: usize,
    read: Read<'r>,
    /// What the rows say, where they are named by it.
    hashes: Vec<HalfHash>,
}

/// Some rows of a batch, and their columns.
struct Piece<'m> {
    rows: RecordBatch,
    /// `None` where a column of theirs is not of the usual kind.
    envelopes: Option<Envelopes>,
    /// `None` for other events, too.
    usage: Option<UsageRows>,
    /// The `data` of rows that are no usage, when it is first asked for, and the envelopes of those that need care.
    data: OnceLock<Option<Rows<'m>>>,
    with_care: OnceLock<Option<Rows<'m>>>,
    when: Times,
    /// Where not the rows of all clients are asked for, those that are.
    own: Option<Own<'m>>,
}

/// What tells when some rows were.
enum Times {
    /// The envelopes, which hold the same instants.
    OfEnvelopes,
    /// A column; none where all rows are wanted, or where it has a layout that no field is read from.
    Of(Option<Box<Column>>),
}

impl<'m> Piece<'m> {
    fn of(
        kind: EventKind,
        mapping: &Mapping,
        wanted: &Wanted,
        rows: RecordBatch,
        own: Option<Own<'m>>,
    ) -> Self {
        let (envelopes, usage) = (Envelopes::of(mapping, &rows), UsageRows::of(kind, mapping, &rows));
        // A date is of its day, in whatever zone the instant at which it begins is read.
        let told = envelopes.is_some() && wanted.by_instants(mapping, &rows);
        let when =
            if told { Times::OfEnvelopes } else { Times::Of(wanted.column(mapping, &rows).map(Box::new)) };
        Self { rows, envelopes, usage, data: OnceLock::new(), with_care: OnceLock::new(), when, own }
    }

    /// Those rows of a span that are wanted, each with its number in the span, and how many are not; `None` where a column has a
    /// layout that no field is read from. Of several shares one counts what nobody wants.
    fn read<'p>(
        &'p self,
        span: Range<usize>,
        kind: EventKind,
        mapping: &'m Mapping,
        wanted: &Wanted,
        counted: bool,
    ) -> Option<(Read<'p>, usize)> {
        let Self { envelopes, usage, when, .. } = self;
        let when = match when {
            Times::OfEnvelopes => envelopes.as_ref().map(Envelopes::time),
            Times::Of(column) => column.as_deref(),
        };
        let mut kept = wanted.rows(when, span.clone());
        let unwanted = match self.own {
            Some(own) => own.of(span.clone()).keep(&mut kept),
            None => kept.iter().filter(|kept| !**kept).count(),
        };
        // Of a table in order of time the rows of other days mostly stand together.
        if !kept.contains(&true) {
            return Some((Read::Rows(ReadRows::default()), unwanted));
        }
        let numbers = || (0..span.len()).zip(&kept).filter_map(|(number, kept)| kept.then_some(number));
        if counted
            && let (Some(usage), Some(envelopes)) = (usage, envelopes)
            && let Some(counted) = usage.counted(envelopes, span.start, numbers())
        {
            return Some((Read::Counted(counted), unwanted));
        }
        // Of a table of usage few rows are anything else, if any.
        let read = ReadRows::with_room_for(span.len(), usage.is_some());
        let envelopes = envelopes.as_ref().map(|envelopes| envelopes.looked_up(span.clone()));
        let first = span.start;
        let mut reading = Reading { piece: self, kind, mapping, first, envelopes, read, odd: false };
        match usage.as_ref().map(|usage| usage.looked_up(span.clone())) {
            Some(usage) => numbers().for_each(|number| reading.usage(&usage, number)),
            None => {
                let rows: Vec<usize> = numbers().map(|number| first + number).collect();
                reading.piece.data(mapping)?.read_data(kind, &rows, &mut reading);
            }
        }
        (!reading.odd).then_some((Read::Rows(reading.read), unwanted))
    }

    fn data(&self, mapping: &'m Mapping) -> Option<&Rows<'m>> {
        self.data.get_or_init(|| Rows::of(mapping, &self.rows, true)).as_ref()
    }

    fn with_care(&self, mapping: &'m Mapping) -> Option<&Rows<'m>> {
        self.with_care.get_or_init(|| Rows::of(mapping, &self.rows, false)).as_ref()
    }
}

/// Some rows while they are read.
struct Reading<'p, 'm> {
    piece: &'p Piece<'m>,
    kind: EventKind,
    mapping: &'m Mapping,
    /// The first of the span.
    first: usize,
    envelopes: Option<RowEnvelopes<'p>>,
    read: ReadRows<'p>,
    /// Whether a column has a layout that no field is read from.
    odd: bool,
}

impl<'p> Reading<'p, '_> {
    /// The envelope of the row of a number in the span, as the others here.
    #[inline(always)]
    fn envelope(&self, number: usize) -> Option<Envelope<'p>> {
        self.envelopes.as_ref()?.get(number)
    }

    #[inline]
    fn usage(&mut self, usage: &RowUsage<'p>, number: usize) {
        match self.envelope(number).and_then(|envelope| usage.get(number, envelope)) {
            Some(event) => self.read.add_usage(number as u64, event),
            None => self.read_alone(number),
        }
    }

    /// Reads a row through the door of events, by itself.
    #[cold]
    fn read_alone(&mut self, number: usize) {
        match self.alone(number) {
            Some(event) => self.read.add(number as u64, event),
            None => self.odd = true,
        }
    }

    /// `None` where a column has an odd layout.
    fn alone(&self, number: usize) -> Option<Result<Event, EventError>> {
        let (data, row) = (self.piece.data(self.mapping)?, self.first + number);
        Some(match self.envelope(number) {
            Some(envelope) => data.event(self.kind, row, envelope),
            None => data.event_with_care(self.kind, row, self.piece.with_care(self.mapping)?),
        })
    }
}

impl RowSink for Reading<'_, '_> {
    #[inline(always)]
    fn sound(&mut self, row: usize, data: impl FnOnce() -> EventData) {
        let number = row - self.first;
        match self.envelope(number) {
            Some(envelope) => self.read.add_other(number as u64, envelope, data()),
            None => self.read_alone(number),
        }
    }

    fn odd(&mut self, row: usize) {
        self.read_alone(row - self.first);
    }
}

/// The numbers of rows in the table.
#[derive(Clone, Debug, Default)]
struct Places {
    next: u64,
    /// How many rows are left of this part; `None` where the table comes whole.
    left: Option<u64>,
    parts: std::vec::IntoIter<(u64, u64)>,
}

impl Places {
    /// Turns the numbers of some rows, of which not all are wanted, into those in the table.
    fn tell(&mut self, rows: usize, read: &mut Read<'_>) {
        let rows = rows as u64;
        // Most rows are of one part with those before them.
        if self.left.is_none_or(|left| left >= rows) {
            read.each_number(|number| *number += self.next);
            self.next += rows;
            self.left = self.left.map(|left| left - rows);
            return;
        }
        let places: Vec<u64> = (0..rows).map(|_| self.next()).collect();
        let place = |number: u64| places.get(usize::try_from(number).ok()?).copied();
        read.each_number(|number| *number = place(*number).unwrap_or(*number));
    }

    fn next(&mut self) -> u64 {
        while self.left == Some(0) {
            (self.next, self.left) = match self.parts.next() {
                Some((first, rows)) => (first, Some(rows)),
                None => (self.next, None),
            };
        }
        let place = self.next;
        self.next += 1;
        self.left = self.left.map(|left| left - 1);
        place
    }
}

/// When a row was, as far as its column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// At microseconds since 1970-01-01T00:00:00Z.
    At(i64),
    /// On a day since 1970-01-01.
    On(i64),
}

/// Which rows the caller wants.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The field that says when the event was: `time`, of a roll-up its day.
    field: &'static str,
    /// The days from the first to before the second, and the instants at which they begin.
    days: Option<[When; 4]>,
    skip_without: bool,
}

impl Wanted {
    fn new(kind: EventKind, options: &TableOptions, zone: &Zone) -> Self {
        let of_day = kind == EventKind::UsageDaySet;
        let at = |day: Day| When::At(zone.start_of(day).micros());
        let on = |day: Day| When::On(day.number().into());
        Self {
            field: if of_day { "data.day" } else { "time" },
            days: options.days.map(|(from, to)| [at(from), at(to), on(from), on(to)]),
            skip_without: options.skip_without_time,
        }
    }

    /// The column that tells on which day a row was, where days are wanted.
    #[cfg(feature = "parquet")]
    pub(super) fn days_column(&self, mapping: &Mapping) -> Option<usize> {
        self.days?;
        match mapping.find(self.field)?.origin {
            Origin::Column(index, None) => Some(index),
            Origin::Column(_, Some(_)) | Origin::Constant(_) => None,
        }
    }

    /// Whether rows are told apart by a column of instants.
    fn by_instants(&self, mapping: &Mapping, rows: &RecordBatch) -> bool {
        let origin = mapping.find(self.field).map(|filled| &filled.origin);
        let Some(Origin::Column(index, None)) = origin else { return false };
        let stuff = rows.columns().get(*index).and_then(|column| Stuff::of(column.data_type()));
        self.field == "time" && matches!(stuff, Some(Stuff::Times { .. }))
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

    /// Which of the rows are wanted.
    fn rows(&self, when: Option<&Column>, rows: Range<usize>) -> Vec<bool> {
        let Some(when) = when.filter(|_| self.days.is_some() || self.skip_without) else {
            return vec![true; rows.len()];
        };
        if let Some(wanted) = self.all_or_none(when, rows.clone()) {
            return vec![wanted; rows.len()];
        }
        let held = match (&when.values, self.days) {
            (Values::Instants(instants), Some([When::At(from), When::At(to), ..])) => {
                when.each(rows, |slot| Some((from..to).contains(&instants.value(slot))))
            }
            (_, None) if when.every_row() => return vec![true; rows.len()],
            (_, None) => when.each(rows, |_| Some(true)),
            _ => when.each(rows, |slot| Some(self.holds(when, slot))),
        };
        held.into_iter().map(|held| held.unwrap_or(!self.skip_without)).collect()
    }

    /// Whether all of some rows are wanted, or none of them, as far as one look at their instants tells.
    fn all_or_none(&self, when: &Column, rows: Range<usize>) -> Option<bool> {
        let (Values::Instants(instants), Some([When::At(from), When::At(to), ..])) =
            (&when.values, self.days)
        else {
            return None;
        };
        let instants = instants.values().get(rows).filter(|_| when.every_row())?;
        match instants.iter().filter(|instant| (from..to).contains(instant)).count() {
            0 => Some(false),
            held => (held == instants.len()).then_some(true),
        }
    }

    /// Whether a row whose time stands in this slot is wanted. What cannot be read is: the door says why.
    fn holds(&self, when: &Column, slot: usize) -> bool {
        let when = match &when.values {
            Values::Instants(instants) => When::At(instants.value(slot)),
            Values::Days(days) => When::On(days.value(slot)),
            Values::Texts(texts) => {
                let text = texts.get(slot);
                let instant = text.parse::<Instant>().map(|instant| When::At(instant.micros()));
                match instant.or_else(|_| text.parse::<Day>().map(|day| When::On(day.number().into()))) {
                    Ok(when) => when,
                    Err(_) => return true,
                }
            }
            _ => return true,
        };
        self.meets(when, when)
    }

    /// Whether something between these two may be wanted.
    pub(super) fn meets(&self, least: When, greatest: When) -> bool {
        let Some([from_instant, to_instant, from_day, to_day]) = self.days else { return true };
        let outside = |from, to| match (least, greatest, from, to) {
            (When::At(least), When::At(greatest), When::At(from), When::At(to))
            | (When::On(least), When::On(greatest), When::On(from), When::On(to)) => {
                greatest < from || least >= to
            }
            _ => false,
        };
        !outside(from_instant, to_instant) && !outside(from_day, to_day)
    }
}

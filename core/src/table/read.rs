//! Rows that were read: events, and what is wrong with those that are none.

use crate::event::borrowed::{Envelope, Standing};
use crate::event::counted::CountedRows;
use crate::event::line::{EventView, UsageRef};
use crate::event::{Event, EventData, EventError};
use crate::id::EventId;

/// What became of some rows of a table.
#[derive(Clone, Debug)]
pub(crate) enum Read<'r> {
    /// Each is an event or has something wrong with it.
    Rows(ReadRows<'r>),
    /// All are sound counts of usage, of which nobody keeps the identities.
    Counted(CountedRows<'r>),
}

impl Read<'_> {
    /// Shows the number of each row.
    pub(super) fn each_number(&mut self, mut see: impl FnMut(&mut u64)) {
        match self {
            Self::Rows(rows) => rows.rows.iter_mut().for_each(|(number, _)| see(number)),
            Self::Counted(counted) => counted.rows.iter_mut().for_each(|row| see(&mut row.number)),
        }
    }
}

/// What a row is, and its place among those that are the same.
#[derive(Clone, Copy, Debug)]
enum Told {
    Usage(usize),
    Other(usize),
    /// Read by itself.
    Alone(usize),
    Wrong(usize),
}

/// A row with its number.
type Row = (u64, Told);

/// Some rows of a table, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadRows<'r> {
    rows: Vec<Row>,
    /// What the rows are stands apart, each in one piece of memory: it is wide, and to find room for each or to move it would cost
    /// as much as to read it.
    usage: Vec<UsageRef<'r>>,
    /// Of those that are no usage what stands beside their `data`, and that.
    envelopes: Vec<Envelope<'r>>,
    data: Vec<EventData>,
    alone: Vec<Event>,
    wrong: Vec<EventError>,
}

impl<'r> ReadRows<'r> {
    /// No rows yet, with room for so many, which are of usage or of other events.
    pub(super) fn with_room_for(rows: usize, of_usage: bool) -> Self {
        let (usage, others) = if of_usage { (rows, 0) } else { (0, rows) };
        Self {
            rows: Vec::with_capacity(rows),
            usage: Vec::with_capacity(usage),
            envelopes: Vec::with_capacity(others),
            data: Vec::with_capacity(others),
            alone: Vec::new(),
            wrong: Vec::new(),
        }
    }

    #[inline(always)]
    pub(super) fn add_usage(&mut self, number: u64, usage: UsageRef<'r>) {
        self.rows.push((number, Told::Usage(self.usage.len())));
        self.usage.push(usage);
    }

    /// Adds what was read by itself.
    pub(super) fn add(&mut self, number: u64, event: Result<Event, EventError>) {
        match event {
            Ok(event) => {
                self.rows.push((number, Told::Alone(self.alone.len())));
                self.alone.push(event);
            }
            Err(error) => {
                self.rows.push((number, Told::Wrong(self.wrong.len())));
                self.wrong.push(error);
            }
        }
    }

    #[inline(always)]
    pub(super) fn add_other(&mut self, number: u64, envelope: Envelope<'r>, data: EventData) {
        self.rows.push((number, Told::Other(self.data.len())));
        self.envelopes.push(envelope);
        self.data.push(data);
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Each row with its number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, Result<EventView<'_>, &EventError>)> {
        self.all().iter()
    }

    /// The rows in parts of at most so many.
    pub(crate) fn parts(&self, rows: usize) -> impl Iterator<Item = RowPart<'_>> {
        self.rows.chunks(rows).map(|rows| RowPart { rows, all: self })
    }

    fn all(&self) -> RowPart<'_> {
        RowPart { rows: &self.rows, all: self }
    }

    /// Gives each row its id; of one that is no event nobody asks for it.
    pub(super) fn name(&mut self, ids: impl Iterator<Item = &'r str>) {
        for ((_, told), id) in self.rows.iter().zip(ids) {
            match *told {
                Told::Usage(place) => self.usage.get_mut(place).into_iter().for_each(|usage| usage.id = id),
                Told::Other(place) => {
                    self.envelopes.get_mut(place).into_iter().for_each(|envelope| envelope.id = id);
                }
                Told::Alone(place) => {
                    self.alone.get_mut(place).into_iter().for_each(|event| event.id = EventId::new(id));
                }
                Told::Wrong(_) => {}
            }
        }
    }
}

/// Some of the rows that were read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowPart<'s> {
    rows: &'s [Row],
    all: &'s ReadRows<'s>,
}

impl<'s> RowPart<'s> {
    /// Each row with its number.
    pub(crate) fn iter(self) -> impl Iterator<Item = (u64, Result<EventView<'s>, &'s EventError>)> {
        let ReadRows { usage, envelopes, data, alone, wrong, .. } = self.all;
        self.rows.iter().filter_map(move |(number, told)| {
            let event = match *told {
                Told::Usage(place) => Ok(EventView::Usage(usage.get(place)?)),
                Told::Other(place) => {
                    Ok(EventView::Other(Standing::InRow(envelopes.get(place)?, data.get(place)?)))
                }
                Told::Alone(place) => Ok(EventView::Other(Standing::Whole(alone.get(place)?))),
                Told::Wrong(place) => Err(wrong.get(place)?),
            };
            Some((*number, event))
        })
    }
}

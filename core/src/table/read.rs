//! Rows that were read: events, and what is wrong with those that are none.

use crate::event::borrowed::{Envelope, Standing};
use crate::event::line::{EventView, UsageRef};
use crate::event::{Event, EventData, EventError};
use crate::id::EventId;

#[derive(Clone, Debug)]
enum Told<'r> {
    Usage(UsageRef<'r>),
    /// What stands beside its `data`, and the place of that among those of the others.
    Other(Envelope<'r>, usize),
    /// Read by itself.
    Alone(Box<Event>),
}

/// A row with its number.
type Row<'r> = (u64, Result<Told<'r>, EventError>);

/// Some rows of a table, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadRows<'r> {
    rows: Vec<Row<'r>>,
    /// The `data` of those that are no usage, in one piece of memory: it is wide, and to find room for each would cost as much
    /// as to read it.
    others: Vec<EventData>,
}

impl<'r> ReadRows<'r> {
    /// No rows yet, with room for so many, and for so many events that are no usage.
    pub(super) fn with_room_for(rows: usize, others: usize) -> Self {
        Self { rows: Vec::with_capacity(rows), others: Vec::with_capacity(others) }
    }

    pub(super) fn add_usage(&mut self, number: u64, usage: UsageRef<'r>) {
        self.rows.push((number, Ok(Told::Usage(usage))));
    }

    pub(super) fn add(&mut self, number: u64, event: Result<Event, EventError>) {
        self.rows.push((number, event.map(|event| Told::Alone(Box::new(event)))));
    }

    #[inline(always)]
    pub(super) fn add_other(&mut self, number: u64, envelope: Envelope<'r>, data: EventData) {
        self.rows.push((number, Ok(Told::Other(envelope, self.others.len()))));
        self.others.push(data);
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
        self.rows.chunks(rows).map(|rows| RowPart { rows, others: &self.others })
    }

    fn all(&self) -> RowPart<'_> {
        RowPart { rows: &self.rows, others: &self.others }
    }

    pub(super) fn numbers_mut(&mut self) -> impl Iterator<Item = &mut u64> {
        self.rows.iter_mut().map(|(number, _)| number)
    }

    /// Gives each row its id; of one that is no event nobody asks for it.
    pub(super) fn name(&mut self, ids: impl Iterator<Item = &'r str>) {
        for ((_, told), id) in self.rows.iter_mut().zip(ids) {
            match told {
                Ok(Told::Usage(usage)) => usage.id = id,
                Ok(Told::Other(envelope, _)) => envelope.id = id,
                Ok(Told::Alone(event)) => event.id = EventId::new(id),
                Err(_) => {}
            }
        }
    }
}

/// Some of the rows that were read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowPart<'s> {
    rows: &'s [Row<'s>],
    others: &'s [EventData],
}

impl<'s> RowPart<'s> {
    /// Each row with its number.
    pub(crate) fn iter(self) -> impl Iterator<Item = (u64, Result<EventView<'s>, &'s EventError>)> {
        self.rows.iter().filter_map(move |(number, told)| {
            let event = match told {
                Ok(Told::Usage(usage)) => Ok(EventView::Usage(usage)),
                Ok(Told::Other(envelope, place)) => {
                    Ok(EventView::Other(Standing::InRow(envelope, self.others.get(*place)?)))
                }
                Ok(Told::Alone(event)) => Ok(EventView::Other(Standing::Whole(event))),
                Err(error) => Err(error),
            };
            Some((*number, event))
        })
    }
}

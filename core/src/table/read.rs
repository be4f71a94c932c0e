//! Rows that were read: events, and what is wrong with those that are none.

use crate::event::line::{EventView, UsageRef};
use crate::event::{Event, EventError};
use crate::id::EventId;

#[derive(Clone, Debug)]
enum Told<'r> {
    Usage(UsageRef<'r>),
    /// Its place among the others.
    Other(usize),
}

/// A row with its number.
type Row<'r> = (u64, Result<Told<'r>, EventError>);

/// Some rows of a table, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadRows<'r> {
    rows: Vec<Row<'r>>,
    /// The events that are no usage, in one piece of memory: they are wide, and to find room for each would cost as much as to
    /// read it.
    others: Vec<Event>,
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
        match event {
            Ok(event) => self.add_event(number, event),
            Err(error) => self.rows.push((number, Err(error))),
        }
    }

    #[inline(always)]
    pub(super) fn add_event(&mut self, number: u64, event: Event) {
        self.rows.push((number, Ok(Told::Other(self.others.len()))));
        self.others.push(event);
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
                Ok(Told::Other(place)) => {
                    if let Some(event) = self.others.get_mut(*place) {
                        event.id = EventId::new(id);
                    }
                }
                Err(_) => {}
            }
        }
    }
}

/// Some of the rows that were read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowPart<'s> {
    rows: &'s [Row<'s>],
    others: &'s [Event],
}

impl<'s> RowPart<'s> {
    /// Each row with its number.
    pub(crate) fn iter(self) -> impl Iterator<Item = (u64, Result<EventView<'s>, &'s EventError>)> {
        self.rows.iter().filter_map(move |(number, told)| {
            let event = match told {
                Ok(Told::Usage(usage)) => Ok(EventView::Usage(usage)),
                Ok(Told::Other(place)) => Ok(EventView::Other(self.others.get(*place)?)),
                Err(error) => Err(error),
            };
            Some((*number, event))
        })
    }
}

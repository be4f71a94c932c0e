//! Rows that were read: events, and what is wrong with those that are none.

use crate::event::line::UsageRef;
use crate::event::{Event, EventError};
use crate::id::EventId;

/// An event that a row is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowEvent<'a> {
    /// Usage that adds up, as a view of its row.
    Usage(&'a UsageRef<'a>),
    /// Everything else.
    Other(&'a Event),
}

impl RowEvent<'_> {
    pub(crate) fn to_event(self) -> Event {
        match self {
            Self::Usage(usage) => usage.to_event(),
            Self::Other(event) => event.clone(),
        }
    }
}

#[derive(Clone, Debug)]
enum Told<'r> {
    Usage(UsageRef<'r>),
    /// Its place among the others.
    Other(usize),
}

/// Some rows of a table, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadRows<'r> {
    rows: Vec<(u64, Result<Told<'r>, EventError>)>,
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
        let told = event.map(|event| {
            self.others.push(event);
            Told::Other(self.others.len() - 1)
        });
        self.rows.push((number, told));
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Each row with its number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, Result<RowEvent<'_>, &EventError>)> {
        self.rows.iter().filter_map(|(number, told)| {
            let event = match told {
                Ok(Told::Usage(usage)) => Ok(RowEvent::Usage(usage)),
                Ok(Told::Other(place)) => Ok(RowEvent::Other(self.others.get(*place)?)),
                Err(error) => Err(error),
            };
            Some((*number, event))
        })
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

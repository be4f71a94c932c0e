//! Rows of any type of event: what `data` says is written as members, which the door of events reads.

use super::cell::{Wire, cell, write_value};
use super::column::{Column, Values};
use super::envelope::Envelope;
use super::field::Takes;
use super::map::{Filled, Mapped, Mapping, Origin};
use crate::event::fields::{Fields, Members};
use crate::event::wire::Value;
use crate::event::{Event, EventError, EventKind};
use crate::time::MICROS_PER_DAY;
use crate::zone::Zone;
use arrow_array::{Array as _, RecordBatch, StructArray};

/// Stands for the id of a row that states none until it gets one.
pub(super) const NO_ID: &str = "-";

/// The cells of a field or of a member of it.
#[derive(Debug)]
pub(super) enum Cells {
    Column(Box<Column>, Wire),
    Flag(bool),
    Number(String),
    Text(String),
    Json(String),
}

impl Cells {
    /// The cells of some rows; `None` for a layout that no field is read from.
    pub(super) fn of(filled: &Filled, rows: &RecordBatch, zone: Option<&Zone>) -> Option<Self> {
        let (index, child) = match &filled.origin {
            Origin::Column(index, child) => (*index, *child),
            Origin::Constant(value) => return Some(Self::constant(value)),
        };
        let column = rows.columns().get(index)?;
        let column = match child {
            None => Column::of(column, zone)?,
            Some(child) => Column::of_child(column.as_any().downcast_ref::<StructArray>()?, child, zone)?,
        };
        let column = if filled.takes == Takes::Instant { starts_of_days(column, zone) } else { column };
        let is_text = matches!(filled.takes, Takes::Text | Takes::Texts);
        Some(Self::Column(Box::new(column), if is_text { Wire::Text } else { Wire::AsItIs }))
    }

    fn constant(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Bool(flag) => Self::Flag(*flag),
            serde_json::Value::Number(number) => Self::Number(number.to_string()),
            serde_json::Value::String(text) => Self::Text(text.clone()),
            other => Self::Json(other.to_string()),
        }
    }

    fn get<'r>(&'r self, row: usize, scratch: &'r mut String) -> Option<Value<'r>> {
        match self {
            Self::Column(column, wire) => cell(column, row, *wire, scratch),
            Self::Flag(flag) => Some(Value::Bool(*flag)),
            Self::Number(text) => Some(Value::Number(text)),
            Self::Text(text) => Some(Value::Text(text)),
            Self::Json(text) => Some(Value::Json(text)),
        }
    }
}

/// Dates where instants are wanted.
fn starts_of_days(mut column: Column, zone: Option<&Zone>) -> Column {
    if let (Values::Days(days), Some(zone)) = (&column.values, zone) {
        let start = |day: i64| zone.instant_of_clock(day.saturating_mul(MICROS_PER_DAY));
        column.values = Values::Instants(days.unary(start));
    }
    column
}

/// One field of some rows.
#[derive(Debug)]
struct FieldCells<'m> {
    name: &'static str,
    /// Its place among the fields as they are declared.
    place: usize,
    /// An object has its members by name.
    cells: Vec<(Option<&'m str>, Cells)>,
}

/// What is written of a field of one row, and of a member of it. The space is used again for the next row.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    field: String,
    member: String,
}

impl FieldCells<'_> {
    fn get<'r>(&'r self, row: usize, Scratch { field, member }: &'r mut Scratch) -> Option<Value<'r>> {
        match self.cells.as_slice() {
            [(None, cells)] => cells.get(row, field),
            members => {
                field.clear();
                for (name, cells) in members {
                    let Some(value) = cells.get(row, member) else { continue };
                    field.push(if field.is_empty() { '{' } else { ',' });
                    write_value(field, Value::Text(name.unwrap_or_default()));
                    field.push(':');
                    write_value(field, value);
                }
                if field.is_empty() {
                    return None;
                }
                field.push('}');
                Some(Value::Json(field))
            }
        }
    }
}

/// What one row has for each field of its `data`.
type RowValues<'r> = [Option<Value<'r>>; EventKind::MOST_FIELDS];
const NO_VALUES: RowValues<'static> = [None; EventKind::MOST_FIELDS];

/// Some fields of some rows, as the members of events: those of the envelope, or those of `data`.
#[derive(Debug)]
pub(super) struct Rows<'m> {
    states_id: bool,
    fields: Vec<FieldCells<'m>>,
}

impl<'m> Rows<'m> {
    /// `None` where a column has a layout that no field is read from.
    pub(super) fn of(mapping: &'m Mapping, rows: &RecordBatch, in_data: bool) -> Option<Self> {
        let of_part = mapping.fields.iter().filter(|field| field.target.in_data == in_data);
        let filled = of_part.enumerate().filter(|(_, field)| !field.cells.is_empty());
        let field = |(place, Mapped { target, cells }): (usize, &'m Mapped)| {
            let of = |filled: &'m Filled| {
                let cells = Cells::of(filled, rows, mapping.zone.as_ref())?;
                Some((filled.member.as_deref(), cells))
            };
            let cells = cells.iter().map(of).collect::<Option<Vec<_>>>()?;
            Some(FieldCells { name: target.name, place, cells })
        };
        let fields = filled.map(field).collect::<Option<Vec<_>>>()?;
        Some(Self { states_id: mapping.find("id").is_some(), fields })
    }

    /// Room for what is written of one row.
    pub(super) fn scratch(&self) -> Vec<Scratch> {
        self.fields.iter().map(|_| Scratch::default()).collect()
    }

    /// The event of a row with this envelope, or why it is none; of the fields of `data`. It goes behind others at once, for
    /// it is wide, and each move costs.
    pub(super) fn push_event(
        &self,
        kind: EventKind,
        row: usize,
        envelope: Envelope<'_>,
        scratch: &mut [Scratch],
        events: &mut Vec<Event>,
    ) -> Result<(), EventError> {
        let Envelope { id, source, subject, time, sequence, recorded } = envelope;
        let mut values = NO_VALUES;
        let data = kind.decode(&self.fields(row, scratch, &mut values))?;
        let (id, source, subject) = (id.into(), source.into(), subject.into());
        events.push(Event { id, source, subject, time, sequence, recorded, data });
        Ok(())
    }

    /// The event of a row, whose envelope is read with care, too. Where no column has ids, its id is [`NO_ID`].
    pub(super) fn event_with_care(
        &self,
        kind: EventKind,
        row: usize,
        envelope: &Self,
        scratch: &mut [Scratch],
    ) -> Result<Event, EventError> {
        let (mut written, mut values) = (envelope.scratch(), NO_VALUES);
        let mut members = Members::with_room_for(envelope.fields.len());
        if !envelope.states_id {
            members.add("id", Value::Text(NO_ID));
        }
        for (field, scratch) in envelope.fields.iter().zip(&mut written) {
            if let Some(value) = field.get(row, scratch) {
                members.add(field.name, value);
            }
        }
        Event::from_row(kind, members, &self.fields(row, scratch, &mut values))
    }

    /// What a row has for the fields of `data`.
    fn fields<'r>(
        &'r self,
        row: usize,
        scratch: &'r mut [Scratch],
        values: &'r mut RowValues<'r>,
    ) -> Fields<'r> {
        for (field, scratch) in self.fields.iter().zip(scratch) {
            if let Some(value) = values.get_mut(field.place) {
                *value = field.get(row, scratch);
            }
        }
        Fields::of_row(values)
    }
}

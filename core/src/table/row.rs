//! Rows of any type of event: what their cells hold, field by field, as the door of events reads it.

use super::cell::{Wire, cell, is_plain, plain_cell};
use super::column::{Column, Texts, Values};
use super::envelope::Envelope;
use super::field::Takes;
use super::map::{Filled, Mapped, Mapping, Origin};
use crate::event::fields::Fields;
use crate::event::members::Members;
use crate::event::span::{FieldSpan, RowSink, SpanFields};
use crate::event::wire::Value;
use crate::event::{Event, EventError, EventKind};
use crate::time::MICROS_PER_DAY;
use crate::zone::Zone;
use arrow_array::{Array as _, RecordBatch, StructArray};
use std::cell::RefCell;

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

    /// What a row has; what has to be written for it stands in the scratch text.
    fn get<'r>(&'r self, row: usize, scratch: &'r mut String) -> Option<Value<'r>> {
        match self {
            Self::Column(column, wire) => cell(column, row, *wire, scratch),
            every_row => every_row.of_every_row(),
        }
    }

    /// What every row has, of a constant.
    fn of_every_row(&self) -> Option<Value<'_>> {
        match self {
            Self::Column(..) => None,
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

/// How one field of some rows is read.
#[derive(Debug)]
enum FieldCells {
    /// Nothing fills it.
    Unfilled,
    /// As it stands in a column.
    Plain(Box<Column>),
    /// All rows have the same.
    Same(Cells),
    /// Of each row it is put together first; its place among those of which that holds.
    Made(usize),
}

/// The cells of a field that has to be put together.
#[derive(Debug)]
enum MadeCells<'m> {
    Written(Cells),
    /// The members of an object, by name.
    Object(Vec<(&'m str, Cells)>),
}

/// What was put together for a field of one row.
enum Made<'r> {
    Written(Option<Value<'r>>),
    Object(Vec<(&'r str, Value<'r>)>),
}

/// Some fields of some rows: those of the envelope, or those of `data`.
#[derive(Debug)]
pub(super) struct Rows<'m> {
    states_id: bool,
    /// In the order in which they are declared, with their names.
    fields: Vec<(&'static str, FieldCells)>,
    made: Vec<MadeCells<'m>>,
}

/// One row of them.
struct Row<'r> {
    rows: &'r Rows<'r>,
    row: usize,
    made: Vec<Made<'r>>,
}

impl Row<'_> {
    fn value(&self, place: usize) -> Option<Value<'_>> {
        let (_, cells) = self.rows.fields.get(place)?;
        match cells {
            FieldCells::Unfilled => None,
            FieldCells::Plain(column) => plain_cell(column, self.row),
            FieldCells::Same(cells) => cells.of_every_row(),
            FieldCells::Made(place) => match self.made.get(*place)? {
                Made::Written(value) => *value,
                Made::Object(members) => Some(members).filter(|m| !m.is_empty()).map(|m| Value::Object(m)),
            },
        }
    }

    /// What it has, as the members of an object.
    fn members(&self) -> Members<'_> {
        let mut members = Members::with_room_for(self.rows.fields.len());
        for ((name, _), place) in self.rows.fields.iter().zip(0..) {
            if let Some(value) = self.value(place) {
                members.add(name, value);
            }
        }
        members
    }
}

/// Some of the rows.
struct Picked<'r> {
    rows: &'r Rows<'r>,
    picked: &'r [usize],
    /// Room for what is written of one row.
    texts: RefCell<Vec<String>>,
}

impl Picked<'_> {
    /// What they have in a column of which no cell has to be written.
    fn plain<'c>(&self, column: &'c Column) -> FieldSpan<'c> {
        let rows = || self.picked.iter().copied();
        match &column.values {
            Values::Nothing => FieldSpan::Unfilled,
            Values::Flags(flags) => FieldSpan::Flags(column.each(rows(), |slot| Some(flags.value(slot)))),
            Values::Texts(Texts::Short(texts)) => {
                FieldSpan::Texts(column.each(rows(), |slot| Some(texts.value(slot))))
            }
            Values::Texts(Texts::Large(texts)) => {
                FieldSpan::Texts(column.each(rows(), |slot| Some(texts.value(slot))))
            }
            Values::Texts(Texts::View(texts)) => {
                FieldSpan::Texts(column.each(rows(), |slot| Some(texts.value(slot))))
            }
            Values::Days(days) => FieldSpan::Days(column.each(rows(), |slot| Some(days.value(slot)))),
            Values::Instants(instants) => {
                FieldSpan::Instants(column.each(rows(), |slot| Some(instants.value(slot))))
            }
            Values::Whole(numbers) => {
                FieldSpan::Decimals(column.each(rows(), |slot| Some(numbers.value(slot))), 0)
            }
            Values::Scaled(units, scale) => {
                FieldSpan::Decimals(column.each(rows(), |slot| Some(units.value(slot))), *scale)
            }
            _ => FieldSpan::ByRow,
        }
    }

    fn cells<'c>(&self, cells: &'c Cells) -> FieldSpan<'c> {
        match cells {
            Cells::Column(column, wire) if is_plain(column, *wire) => self.plain(column),
            Cells::Column(..) => FieldSpan::ByRow,
            same => same.of_every_row().map_or(FieldSpan::Unfilled, FieldSpan::Same),
        }
    }
}

impl SpanFields for Picked<'_> {
    fn rows(&self) -> usize {
        self.picked.len()
    }

    fn span(&self, place: usize) -> FieldSpan<'_> {
        let made = match self.rows.fields.get(place) {
            Some((_, FieldCells::Plain(column))) => return self.plain(column),
            Some((_, FieldCells::Same(cells))) => return self.cells(cells),
            Some((_, FieldCells::Made(made))) => self.rows.made.get(*made),
            Some((_, FieldCells::Unfilled)) | None => return FieldSpan::Unfilled,
        };
        let Some(MadeCells::Object(members)) = made else { return FieldSpan::ByRow };
        let members: Vec<_> = members.iter().map(|(name, cells)| (*name, self.cells(cells))).collect();
        if members.iter().any(|(_, span)| matches!(span, FieldSpan::ByRow)) {
            return FieldSpan::ByRow;
        }
        FieldSpan::Members(members)
    }

    fn with_value(&self, row: usize, place: usize, see: &mut dyn FnMut(Option<Value<'_>>)) {
        let Some((_, FieldCells::Made(place))) = self.rows.fields.get(place) else { return };
        let Some(cells) = self.rows.made.get(*place) else { return };
        let mut texts = self.texts.borrow_mut();
        if texts.len() < cells.texts() {
            texts.resize_with(cells.texts(), String::new);
        }
        match cells.make(row, &mut texts) {
            Made::Written(value) => see(value),
            Made::Object(members) => {
                see(Some(members.as_slice()).filter(|m| !m.is_empty()).map(Value::Object))
            }
        }
    }
}

impl<'m> MadeCells<'m> {
    /// How many texts may have to be written for one row.
    fn texts(&self) -> usize {
        match self {
            Self::Written(_) => 1,
            Self::Object(members) => members.len(),
        }
    }

    fn make<'r>(&'r self, row: usize, texts: &'r mut [String]) -> Made<'r> {
        match self {
            Self::Written(cells) => Made::Written(texts.first_mut().and_then(|text| cells.get(row, text))),
            Self::Object(members) => {
                let there = |((name, cells), text): (&'r (&'m str, Cells), &'r mut String)| {
                    Some((*name, cells.get(row, text)?))
                };
                Made::Object(members.iter().zip(texts).filter_map(there).collect())
            }
        }
    }
}

impl<'m> Rows<'m> {
    /// `None` where a column has a layout that no field is read from.
    pub(super) fn of(mapping: &'m Mapping, rows: &RecordBatch, in_data: bool) -> Option<Self> {
        let of_part = mapping.fields.iter().filter(|field| field.target.in_data == in_data);
        let (mut fields, mut made) = (Vec::new(), Vec::new());
        for Mapped { target, cells } in of_part {
            let of = |filled: &Filled| Cells::of(filled, rows, mapping.zone.as_ref());
            let mut to_make = |cells| {
                made.push(cells);
                FieldCells::Made(made.len() - 1)
            };
            let cells = match cells.as_slice() {
                [] => FieldCells::Unfilled,
                [filled] if filled.member.is_none() => match of(filled)? {
                    Cells::Column(column, wire) if is_plain(&column, wire) => FieldCells::Plain(column),
                    column @ Cells::Column(..) => to_make(MadeCells::Written(column)),
                    same => FieldCells::Same(same),
                },
                members => {
                    let of_member = |filled: &'m Filled| {
                        Some((filled.member.as_deref().unwrap_or_default(), of(filled)?))
                    };
                    to_make(MadeCells::Object(members.iter().map(of_member).collect::<Option<_>>()?))
                }
            };
            fields.push((target.name, cells));
        }
        Some(Self { states_id: mapping.find("id").is_some(), fields, made })
    }

    /// Room for what is written of one row.
    fn scratch(&self) -> Vec<Vec<String>> {
        self.made.iter().map(|cells| vec![String::new(); cells.texts()]).collect()
    }

    /// A row, of which the fields are put together that have to be.
    fn row<'r>(&'r self, row: usize, texts: &'r mut [Vec<String>]) -> Row<'r> {
        let make = |(cells, texts): (&'r MadeCells<'m>, &'r mut Vec<String>)| cells.make(row, texts);
        Row { rows: self, row, made: self.made.iter().zip(texts).map(make).collect() }
    }

    /// Reads the `data` of some rows.
    pub(super) fn read_data(&self, kind: EventKind, rows: &[usize], sink: &mut impl RowSink) {
        kind.decode_span(&Picked { rows: self, picked: rows, texts: RefCell::default() }, rows, sink);
    }

    /// The event of a row with this envelope, or why it is none.
    pub(super) fn event(
        &self,
        kind: EventKind,
        row: usize,
        envelope: Envelope<'_>,
    ) -> Result<Event, EventError> {
        let data = kind.decode(&Fields::of_data(self.row(row, &mut self.scratch()).members()))?;
        Ok(envelope.event(data))
    }

    /// The event of a row, whose envelope is read with care, too. Where no column has ids, its id is [`NO_ID`].
    pub(super) fn event_with_care(
        &self,
        kind: EventKind,
        row: usize,
        envelope: &Self,
    ) -> Result<Event, EventError> {
        let mut written = envelope.scratch();
        let stated = envelope.row(row, &mut written);
        let mut members = stated.members();
        if !envelope.states_id {
            members.add("id", Value::Text(NO_ID));
        }
        let mut scratch = self.scratch();
        let data = self.row(row, &mut scratch);
        Event::from_row(kind, members, &Fields::of_data(data.members()))
    }
}

//! Rows of counted and measured usage, which are most of all rows: read straight from their columns. A row with anything
//! odd in it goes the way of all other events, which says what is wrong with it.

use super::column::{Column, Texts, Values};
use super::map::Mapping;
use super::quantities::Amount;
use super::row::{Cells, NO_ID};
use crate::event::EventKind;
use crate::event::fields::{MAX_ID, MAX_TEXT};
use crate::event::line::{UsageKind, UsageRef};
use crate::quantity::Quantity;
use crate::time::Instant;
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{PrimitiveArray, RecordBatch, StringArray};

/// What one row has in a column of text.
enum Got<'r> {
    Nothing,
    Text(&'r str),
    Odd,
}

/// A column of text, or the one text of every row.
enum TextCells {
    Column(Box<Column>, usize),
    Every(String),
}

impl TextCells {
    fn of(cells: Cells, limit: usize) -> Option<Self> {
        match cells {
            Cells::Text(text) if is_sound(&text, limit) => Some(Self::Every(text)),
            Cells::Column(mut column, _) => {
                column.values = match column.values {
                    Values::Whole(numbers) => digits(&numbers),
                    Values::Natural(numbers) => digits(&numbers),
                    other @ (Values::Texts(_) | Values::Nothing) => other,
                    _ => return None,
                };
                Some(Self::Column(column, limit))
            }
            _ => None,
        }
    }

    fn get(&self, row: usize) -> Got<'_> {
        match self {
            Self::Every(text) => Got::Text(text),
            Self::Column(column, limit) => match (column.slot(row), &column.values) {
                (Some(slot), Values::Texts(texts)) => match texts.get(slot) {
                    text if is_sound(text, *limit) => Got::Text(text),
                    _ => Got::Odd,
                },
                _ => Got::Nothing,
            },
        }
    }

    fn text(&self, row: usize) -> Option<&str> {
        match self.get(row) {
            Got::Text(text) => Some(text),
            Got::Nothing | Got::Odd => None,
        }
    }
}

fn is_sound(text: &str, limit: usize) -> bool {
    (1..=limit).contains(&text.len()) && memchr::memchr(0, text.as_bytes()).is_none()
}

/// Whole numbers as the texts of their digits.
fn digits<T: ArrowPrimitiveType<Native: ToString>>(numbers: &PrimitiveArray<T>) -> Values {
    let texts: StringArray = numbers.iter().map(|number| number.map(|number| number.to_string())).collect();
    Values::Texts(Texts::Short(texts))
}

/// The columns of some rows of usage.
pub(super) struct UsageRows {
    kind: UsageKind,
    id: Option<TextCells>,
    source: TextCells,
    subject: TextCells,
    metric: TextCells,
    user: Option<TextCells>,
    time: Box<Column>,
    sequence: Option<Box<Column>>,
    recorded: Option<Box<Column>>,
    quantity: Option<Box<Column>>,
}

impl UsageRows {
    /// `None` for other events, and where a column is not of the usual kind.
    pub(super) fn of(kind: EventKind, mapping: &Mapping, rows: &RecordBatch) -> Option<Self> {
        let kind = match kind {
            EventKind::UsageCounted => UsageKind::Counted,
            EventKind::UsageMeasured => UsageKind::Measured,
            _ => return None,
        };
        // The outer option says whether the field is there, the inner one whether its cells are usual.
        let cells =
            |path: &str| mapping.find(path).map(|filled| Cells::of(filled, rows, mapping.zone.as_ref()));
        let text = |path: &str, limit: usize| cells(path).map(|cells| TextCells::of(cells?, limit));
        let column = |path: &str| {
            cells(path).map(|cells| match cells? {
                Cells::Column(column, _) => Some(column),
                _ => None,
            })
        };
        let quantity = if kind == UsageKind::Counted { "data.count" } else { "data.value" };
        Some(Self {
            kind,
            id: match text("id", MAX_ID) {
                Some(id) => Some(id?),
                None => None,
            },
            source: text("source", MAX_ID)??,
            subject: text("subject", MAX_ID)??,
            metric: text("data.metric", MAX_TEXT)??,
            user: match text("data.user", MAX_TEXT) {
                Some(user) => Some(user?),
                None => None,
            },
            time: column("time")??,
            sequence: match column("sequence") {
                Some(sequence) => Some(sequence?),
                None => None,
            },
            recorded: match column("recordedtime") {
                Some(recorded) => Some(recorded?),
                None => None,
            },
            quantity: match column(quantity) {
                Some(quantity) => Some(quantity?),
                None => None,
            },
        })
    }

    /// The event of a row, whose id is [`NO_ID`] where no column has ids; `None` where it needs more care.
    pub(super) fn get(&self, row: usize) -> Option<UsageRef<'_>> {
        Some(UsageRef {
            id: match &self.id {
                Some(id) => id.text(row)?,
                None => NO_ID,
            },
            source: self.source.text(row)?,
            subject: self.subject.text(row)?,
            time: instant(&self.time, row)??,
            sequence: match &self.sequence {
                Some(column) => whole(column, row)?,
                None => 0,
            },
            recorded: match &self.recorded {
                Some(column) => instant(column, row)?,
                None => None,
            },
            kind: self.kind,
            metric: self.metric.text(row)?,
            quantity: match (self.quantity.as_ref().map(|column| column.quantity(row)), self.kind) {
                (Some(Amount::Is(quantity)), _) => quantity,
                (None | Some(Amount::Nothing), UsageKind::Counted) => Quantity::ONE,
                (None | Some(Amount::Nothing), UsageKind::Measured) | (Some(Amount::Odd), _) => return None,
            },
            user: match self.user.as_ref().map(|user| user.get(row)) {
                Some(Got::Text(user)) => Some(user),
                None | Some(Got::Nothing) => None,
                Some(Got::Odd) => return None,
            },
        })
    }
}

/// The instant of a row, if it has one; `None` where it is odd.
fn instant(column: &Column, row: usize) -> Option<Option<Instant>> {
    let Some(slot) = column.slot(row) else { return Some(None) };
    match &column.values {
        Values::Nothing => Some(None),
        Values::Instants(instants) => Instant::from_micros(instants.value(slot)).map(Some),
        Values::Texts(texts) => texts.get(slot).parse().ok().map(Some),
        _ => None,
    }
}

/// The sequence of a row, 0 where it has none; `None` where it is odd.
fn whole(column: &Column, row: usize) -> Option<i64> {
    let Some(slot) = column.slot(row) else { return Some(0) };
    match &column.values {
        Values::Nothing => Some(0),
        Values::Whole(numbers) => Some(numbers.value(slot)),
        _ => None,
    }
}

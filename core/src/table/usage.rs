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
use std::ops::Range;

/// So many rows are looked at together, column by column.
pub(super) const BLOCK: usize = 1_024;

/// What stands for a text that needs more care; no sound text is empty.
const ODD: &str = "";

/// A column of text, or the one text of every row.
enum TextCells {
    Column {
        column: Box<Column>,
        limit: usize,
        /// No text of the column holds a NUL.
        clean: bool,
    },
    Every(String),
}

impl TextCells {
    fn of(cells: Cells, limit: usize) -> Option<Self> {
        match cells {
            Cells::Text(text) if is_sound(&text, limit, false) => Some(Self::Every(text)),
            Cells::Column(mut column, _) => {
                column.values = match column.values {
                    Values::Whole(numbers) => digits(&numbers),
                    Values::Natural(numbers) => digits(&numbers),
                    other @ (Values::Texts(_) | Values::Nothing) => other,
                    _ => return None,
                };
                let clean = matches!(&column.values, Values::Texts(texts) if texts.are_clean());
                Some(Self::Column { column, limit, clean })
            }
            _ => None,
        }
    }

    /// The texts of some rows: none where a row has none, [`ODD`] where it needs more care.
    fn texts(&self, rows: Range<usize>) -> Vec<Option<&str>> {
        match self {
            Self::Every(text) => vec![Some(text); rows.len()],
            Self::Column { column, limit, clean } => match &column.values {
                Values::Texts(texts) => {
                    let checked = |text| if is_sound(text, *limit, *clean) { text } else { ODD };
                    match texts {
                        Texts::Short(array) => of_slots(column, rows, |slot| checked(array.value(slot))),
                        Texts::Large(array) => of_slots(column, rows, |slot| checked(array.value(slot))),
                        Texts::View(array) => of_slots(column, rows, |slot| checked(array.value(slot))),
                    }
                }
                _ => vec![None; rows.len()],
            },
        }
    }
}

fn of_slots<T>(column: &Column, rows: Range<usize>, value: impl Fn(usize) -> T) -> Vec<Option<T>> {
    rows.map(|row| column.slot(row).map(&value)).collect()
}

fn is_sound(text: &str, limit: usize, clean: bool) -> bool {
    // Most texts are shorter than it takes to search them with more than a loop.
    const SHORT: usize = 16;
    let has_nul = || match text.len() {
        ..=SHORT => text.bytes().any(|byte| byte == 0),
        _ => memchr::memchr(0, text.as_bytes()).is_some(),
    };
    (1..=limit).contains(&text.len()) && (clean || !has_nul())
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
        let kinds =
            [(EventKind::UsageCounted, UsageKind::Counted), (EventKind::UsageMeasured, UsageKind::Measured)];
        let (_, kind) = kinds.into_iter().find(|(of, _)| *of == kind)?;
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

    /// Some rows, column by column.
    pub(super) fn block(&self, rows: Range<usize>) -> Block<'_> {
        Block {
            rows: self,
            first: rows.start,
            id: self.id.as_ref().map(|cells| cells.texts(rows.clone())),
            source: self.source.texts(rows.clone()),
            subject: self.subject.texts(rows.clone()),
            metric: self.metric.texts(rows.clone()),
            user: self.user.as_ref().map(|cells| cells.texts(rows.clone())),
            time: instants(&self.time, rows.clone()),
        }
    }
}

/// Some rows of usage, of which the texts and times are looked up.
pub(super) struct Block<'r> {
    rows: &'r UsageRows,
    first: usize,
    id: Option<Vec<Option<&'r str>>>,
    source: Vec<Option<&'r str>>,
    subject: Vec<Option<&'r str>>,
    metric: Vec<Option<&'r str>>,
    user: Option<Vec<Option<&'r str>>>,
    time: Vec<Option<Instant>>,
}

impl<'r> Block<'r> {
    /// The event of a row, whose id is [`NO_ID`] where no column has ids; `None` where it needs more care.
    pub(super) fn get(&self, row: usize) -> Option<UsageRef<'r>> {
        let place = row.checked_sub(self.first)?;
        let stated =
            |texts: &[Option<&'r str>]| texts.get(place).copied().flatten().filter(|text| *text != ODD);
        let rows = self.rows;
        Some(UsageRef {
            id: match &self.id {
                Some(ids) => stated(ids)?,
                None => NO_ID,
            },
            source: stated(&self.source)?,
            subject: stated(&self.subject)?,
            time: self.time.get(place).copied().flatten()?,
            sequence: match &rows.sequence {
                Some(column) => whole(column, row)?,
                None => 0,
            },
            recorded: match &rows.recorded {
                Some(column) => instant(column, row)?,
                None => None,
            },
            kind: rows.kind,
            metric: stated(&self.metric)?,
            quantity: match (rows.quantity.as_ref().map(|column| column.quantity(row)), rows.kind) {
                (Some(Amount::Is(quantity)), _) => quantity,
                (None | Some(Amount::Nothing), UsageKind::Counted) => Quantity::ONE,
                (None | Some(Amount::Nothing), UsageKind::Measured) | (Some(Amount::Odd), _) => return None,
            },
            user: match self.user.as_ref().and_then(|users| users.get(place).copied().flatten()) {
                Some(ODD) => return None,
                user => user,
            },
        })
    }
}

/// The instants of some rows, none where a row has none or an odd one.
fn instants(column: &Column, rows: Range<usize>) -> Vec<Option<Instant>> {
    match &column.values {
        Values::Instants(instants) => rows
            .map(|row| column.slot(row).and_then(|slot| Instant::from_micros(instants.value(slot))))
            .collect(),
        _ => rows.map(|row| instant(column, row).flatten()).collect(),
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

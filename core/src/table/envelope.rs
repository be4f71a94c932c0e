//! What rows say beside their `data`, column by column: whose, when, from where. A row with anything odd in it is read with
//! more care, which says what is wrong with it.

use super::column::{Column, Texts, Values};
use super::map::Mapping;
use super::row::{Cells, NO_ID};
pub(super) use crate::event::borrowed::Envelope;
use crate::event::counted::CountedRow;
use crate::event::fields::MAX_ID;
use crate::event::wire::holds_nul;
use crate::time::Instant;
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{PrimitiveArray, RecordBatch, StringArray, StringViewArray};
use std::ops::Range;

/// What stands for a text that needs more care; no sound text is empty.
const ODD: &str = "";

/// A column of text, or the one text of every row.
pub(super) enum TextCells {
    Column {
        column: Box<Column>,
        limit: usize,
        /// No text of the column holds a NUL.
        clean: bool,
    },
    Every(String),
}

impl TextCells {
    /// The texts of a field, of at most so many bytes. The outer option says whether their layout is a usual one, the inner
    /// one whether the field is there.
    pub(super) fn of(
        mapping: &Mapping,
        path: &str,
        limit: usize,
        rows: &RecordBatch,
    ) -> Option<Option<Self>> {
        let Some(filled) = mapping.find(path) else { return Some(None) };
        match Cells::of(filled, rows, mapping.zone.as_ref())? {
            Cells::Text(text) if is_sound(&text, limit, false) => Some(Some(Self::Every(text))),
            Cells::Column(mut column, _) => {
                // A dictionary may hold far more than these rows name.
                let count = rows.num_rows();
                column.values = match column.values {
                    Values::Whole(numbers) if numbers.len() <= count => digits(&numbers),
                    Values::Natural(numbers) if numbers.len() <= count => digits(&numbers),
                    other @ (Values::Texts(_) | Values::Nothing) => other,
                    _ => return None,
                };
                let clean = matches!(&column.values, Values::Texts(texts) if texts.len() <= count && texts.are_clean());
                Some(Some(Self::Column { column, limit, clean }))
            }
            _ => None,
        }
    }

    /// The texts of some rows.
    pub(super) fn texts(&self, rows: Range<usize>) -> RowTexts<'_> {
        let texts = match self {
            Self::Every(text) => return RowTexts::Every(text),
            Self::Column { column, limit, clean } => match &column.values {
                Values::Texts(texts) => {
                    let checked = |text| Some(if is_sound(text, *limit, *clean) { text } else { ODD });
                    match texts {
                        Texts::Short(array) => column.each(rows, |slot| checked(array.value(slot))),
                        Texts::Large(array) => column.each(rows, |slot| checked(array.value(slot))),
                        Texts::View(array) => column.each(rows, |slot| checked(array.value(slot))),
                    }
                }
                _ => vec![None; rows.len()],
            },
        };
        RowTexts::Each(texts)
    }

    /// A text, if it is a sound one.
    pub(super) fn sound<'r>(&self, text: &'r str) -> Option<&'r str> {
        let sound = match self {
            Self::Every(_) => true,
            Self::Column { limit, clean, .. } => is_sound(text, *limit, *clean),
        };
        sound.then_some(text)
    }

    /// The column, where it holds views of texts.
    pub(super) fn views(&self) -> Option<(&Column, &StringViewArray)> {
        match self {
            Self::Column { column, .. } => match &column.values {
                Values::Texts(Texts::View(array)) => Some((column, array)),
                _ => None,
            },
            Self::Every(_) => None,
        }
    }

    /// Shows what each of some things has in the row that is its own; `None` as soon as one needs more care, or `put` wants no more.
    pub(super) fn fill<'r, T>(
        &'r self,
        things: &mut [T],
        row: impl Fn(&T) -> usize,
        mut put: impl FnMut(&mut T, Option<&'r str>) -> Option<()>,
    ) -> Option<()> {
        let (column, limit, clean) = match self {
            Self::Every(text) => return things.iter_mut().try_for_each(|thing| put(thing, Some(text))),
            Self::Column { column, limit, clean } => (column, *limit, *clean),
        };
        let sound = |text: &'r str| is_sound(text, limit, clean).then_some(Some(text));
        let Values::Texts(texts) = &column.values else {
            return things.iter_mut().try_for_each(|thing| put(thing, None));
        };
        // A loop of its own for each layout.
        match texts {
            Texts::Short(array) => column.fill(things, row, |thing, slot| {
                put(thing, slot.map_or(Some(None), |slot| sound(array.value(slot)))?)
            }),
            Texts::Large(array) => column.fill(things, row, |thing, slot| {
                put(thing, slot.map_or(Some(None), |slot| sound(array.value(slot)))?)
            }),
            Texts::View(array) => column.fill(things, row, |thing, slot| {
                put(thing, slot.map_or(Some(None), |slot| sound(array.value(slot)))?)
            }),
        }
    }
}

/// The texts of some rows.
pub(super) enum RowTexts<'r> {
    Every(&'r str),
    /// `None` where a row has none, [`ODD`] where it needs more care.
    Each(Vec<Option<&'r str>>),
}

impl<'r> RowTexts<'r> {
    /// The text of a row, counted from the first of them, if it has one; `None` where it needs more care.
    pub(super) fn get(&self, row: usize) -> Option<Option<&'r str>> {
        match self {
            Self::Every(text) => Some(Some(text)),
            Self::Each(texts) => match texts.get(row).copied().flatten() {
                Some(ODD) => None,
                text => Some(text),
            },
        }
    }

    /// The text of a row that must have one.
    pub(super) fn stated(&self, row: usize) -> Option<&'r str> {
        self.get(row)?
    }
}

fn is_sound(text: &str, limit: usize, clean: bool) -> bool {
    (1..=limit).contains(&text.len()) && (clean || !holds_nul(text))
}

/// Whole numbers as the texts of their digits.
fn digits<T: ArrowPrimitiveType<Native: ToString>>(numbers: &PrimitiveArray<T>) -> Values {
    let texts: StringArray = numbers.iter().map(|number| number.map(|number| number.to_string())).collect();
    Values::Texts(Texts::Short(texts))
}

/// The columns of the envelope of some rows.
pub(super) struct Envelopes {
    id: Option<TextCells>,
    source: TextCells,
    subject: TextCells,
    time: Box<Column>,
    sequence: Option<Box<Column>>,
    recorded: Option<Box<Column>>,
}

impl Envelopes {
    /// `None` where a column is not of the usual kind.
    pub(super) fn of(mapping: &Mapping, rows: &RecordBatch) -> Option<Self> {
        let text = |path: &str| TextCells::of(mapping, path, MAX_ID, rows);
        Some(Self {
            id: text("id")?,
            source: text("source")??,
            subject: text("subject")??,
            time: column(mapping, "time", rows)??,
            sequence: column(mapping, "sequence", rows)?,
            recorded: column(mapping, "recordedtime", rows)?,
        })
    }

    /// The column of their times.
    pub(super) fn time(&self) -> &Column {
        &self.time
    }

    /// Tells counted rows whose and when they are, each by its row; `None` where one needs more care, or where they are not all of
    /// one source. Returns that source.
    pub(super) fn fill<'r>(
        &'r self,
        rows: &mut [CountedRow<'r>],
        row: impl Fn(&CountedRow<'r>) -> usize + Copy,
    ) -> Option<&'r str> {
        let (TextCells::Every(source), Values::Instants(instants)) = (&self.source, &self.time.values) else {
            return None;
        };
        self.subject.fill(rows, row, |counted, subject| {
            counted.subject = subject?;
            Some(())
        })?;
        self.time.fill(rows, row, |counted, slot| {
            counted.time = Instant::from_micros(instants.value(slot?))?;
            Some(())
        })?;
        // What is not kept must be sound all the same.
        if let Some(ids) = &self.id {
            ids.fill(rows, row, |_, id| id.map(|_| ()))?;
        }
        let whole = |column: &Column| rows.iter().all(|counted| whole(column, row(counted)).is_some());
        let instant = |column: &Column| rows.iter().all(|counted| instant(column, row(counted)).is_some());
        let rest = self.sequence.as_deref().is_none_or(whole) && self.recorded.as_deref().is_none_or(instant);
        rest.then_some(source)
    }

    /// Looks up the texts and times of some rows, column by column.
    pub(super) fn looked_up(&self, rows: Range<usize>) -> RowEnvelopes<'_> {
        RowEnvelopes {
            envelopes: self,
            first: rows.start,
            id: self.id.as_ref().map(|cells| cells.texts(rows.clone())),
            source: self.source.texts(rows.clone()),
            subject: self.subject.texts(rows.clone()),
            time: instants(&self.time, rows),
        }
    }
}

/// The column of a field. The outer option says whether it is a column, the inner one whether the field is there.
pub(super) fn column(mapping: &Mapping, path: &str, rows: &RecordBatch) -> Option<Option<Box<Column>>> {
    let Some(filled) = mapping.find(path) else { return Some(None) };
    match Cells::of(filled, rows, mapping.zone.as_ref())? {
        Cells::Column(column, _) => Some(Some(column)),
        _ => None,
    }
}

/// The envelopes of some rows, of which the texts and times are looked up.
pub(super) struct RowEnvelopes<'r> {
    envelopes: &'r Envelopes,
    /// The row that the first of them is in its columns.
    first: usize,
    id: Option<RowTexts<'r>>,
    source: RowTexts<'r>,
    subject: RowTexts<'r>,
    time: Vec<Option<Instant>>,
}

impl<'r> RowEnvelopes<'r> {
    /// The envelope of a row, counted from the first of them; `None` where it needs more care.
    #[inline(always)]
    pub(super) fn get(&self, row: usize) -> Option<Envelope<'r>> {
        let Envelopes { sequence, recorded, .. } = self.envelopes;
        let in_columns = self.first + row;
        Some(Envelope {
            id: match &self.id {
                Some(ids) => ids.stated(row)?,
                None => NO_ID,
            },
            source: self.source.stated(row)?,
            subject: self.subject.stated(row)?,
            time: self.time.get(row).copied().flatten()?,
            sequence: match sequence {
                Some(column) => whole(column, in_columns)?,
                None => 0,
            },
            recorded: match recorded {
                Some(column) => instant(column, in_columns)?,
                None => None,
            },
        })
    }
}

/// The instants of some rows, none where a row has none or an odd one.
fn instants(column: &Column, rows: Range<usize>) -> Vec<Option<Instant>> {
    match &column.values {
        Values::Instants(instants) => column.each(rows, |slot| Instant::from_micros(instants.value(slot))),
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

//! The fields of many rows at once: what most rows have is read column by column, each as the type that its field has. A row
//! with anything odd in it is left to the door of events, which reads it alone and says what is wrong.

use super::EventData;
use super::fields::Field;
use super::wire::Value;
use std::vec::IntoIter;

/// What some rows have for one field, in their order; `None` where a row has nothing.
pub(crate) enum FieldSpan<'r> {
    /// No row has anything.
    Unfilled,
    /// All rows have the same.
    Same(Value<'r>),
    Flags(Vec<Option<bool>>),
    Texts(Vec<Option<&'r str>>),
    /// In units of 10^-`scale`.
    Decimals(Vec<Option<i64>>, u8),
    /// In microseconds since 1970-01-01T00:00:00Z.
    Instants(Vec<Option<i64>>),
    /// In days since 1970-01-01.
    Days(Vec<Option<i64>>),
    /// Members of an object by their names, where each stands in columns.
    Members(Vec<(&'r str, FieldSpan<'r>)>),
    /// Each has to be put together by itself.
    ByRow,
}

impl FieldSpan<'_> {
    /// What the row in a place among them has; not of members, nor of what is put together by row.
    fn value(&self, place: usize) -> Option<Value<'_>> {
        fn at<T: Copy>(cells: &[Option<T>], place: usize) -> Option<T> {
            cells.get(place).copied().flatten()
        }
        match self {
            Self::Same(value) => Some(*value),
            Self::Flags(flags) => at(flags, place).map(Value::Bool),
            Self::Texts(texts) => at(texts, place).map(Value::Text),
            Self::Decimals(units, scale) => {
                at(units, place).map(|units| Value::Decimal { units, scale: *scale })
            }
            Self::Instants(instants) => at(instants, place).map(Value::Instant),
            Self::Days(days) => at(days, place).map(Value::Day),
            Self::Unfilled | Self::Members(_) | Self::ByRow => None,
        }
    }
}

/// The fields of the `data` of some rows.
pub(crate) trait SpanFields {
    /// How many rows there are.
    fn rows(&self) -> usize;

    /// What the rows have for the field of this place among those that are declared.
    fn span(&self, place: usize) -> FieldSpan<'_>;

    /// Shows what a row has for a field that is put together by row.
    fn with_value(&self, row: usize, place: usize, see: &mut dyn FnMut(Option<Value<'_>>));
}

/// Takes what rows say, one after the other.
pub(crate) trait RowSink {
    /// The `data` of a row of which all is sound, which is made where it is kept: it is wide.
    fn sound(&mut self, row: usize, data: impl FnOnce() -> EventData);
    /// A row with something odd in it.
    fn odd(&mut self, row: usize);
}

/// A field of some rows, row after row.
pub(crate) struct SpanOf<T> {
    cells: Cells<T>,
    /// What a row without a value has; `None` where it must have one.
    absent: Option<T>,
}

enum Cells<T> {
    Same(Option<T>),
    /// `None` where a row has nothing that is sound.
    Each(IntoIter<Option<T>>),
    /// At this place.
    ByRow(usize),
}

impl<T: Field> SpanOf<T> {
    pub(crate) fn of(fields: &dyn SpanFields, place: usize, absent: Option<T>) -> Self {
        /// A loop of its own for each kind of cell: there the kind is known, and most of what a value may be falls away.
        fn each<V, T: Clone>(
            cells: Vec<Option<V>>,
            absent: &Option<T>,
            read: impl Fn(V) -> Option<T>,
        ) -> Cells<T> {
            let cell = |cell: Option<V>| cell.map_or_else(|| absent.clone(), &read);
            Cells::Each(cells.into_iter().map(cell).collect::<Vec<_>>().into_iter())
        }
        fn sound<T: Field>(value: Value<'_>) -> Option<T> {
            T::read(value).ok()
        }
        let cells = match fields.span(place) {
            FieldSpan::Unfilled => Cells::Same(absent.clone()),
            FieldSpan::Same(value) => Cells::Same(sound(value)),
            FieldSpan::Flags(cells) => each(cells, &absent, |flag| sound(Value::Bool(flag))),
            FieldSpan::Texts(cells) => each(cells, &absent, |text| sound(Value::Text(text))),
            FieldSpan::Decimals(cells, scale) => {
                each(cells, &absent, |units| sound(Value::Decimal { units, scale }))
            }
            FieldSpan::Instants(cells) => each(cells, &absent, |micros| sound(Value::Instant(micros))),
            FieldSpan::Days(cells) => each(cells, &absent, |day| sound(Value::Day(day))),
            FieldSpan::Members(members) => {
                let mut there: Vec<(&str, Value<'_>)> = Vec::with_capacity(members.len());
                let row = |place| {
                    there.clear();
                    for (name, span) in &members {
                        there.extend(span.value(place).map(|value| (*name, value)));
                    }
                    if there.is_empty() { absent.clone() } else { sound(Value::Object(&there)) }
                };
                Cells::Each((0..fields.rows()).map(row).collect::<Vec<_>>().into_iter())
            }
            FieldSpan::ByRow => Cells::ByRow(place),
        };
        Self { cells, absent }
    }

    /// What the next row, which is this one, has; `None` where that is nothing sound.
    #[inline]
    pub(crate) fn next(&mut self, row: usize, fields: &dyn SpanFields) -> Option<T> {
        match &mut self.cells {
            Cells::Same(value) => value.clone(),
            Cells::Each(values) => values.next().flatten(),
            Cells::ByRow(place) => {
                let mut read = None;
                fields.with_value(row, *place, &mut |value| {
                    read = value.map_or_else(|| self.absent.clone(), |value| T::read(value).ok());
                });
                read
            }
        }
    }
}

//! Answers as Arrow tables: a row for each thing told of, a column for each thing told.
//!
//! Money is decimal: MRR with 6 digits behind the point, annual amounts with 12, always exact, since rounding is for print.
//! Instants are timestamps in microseconds, UTC; names of a closed list are dictionaries of text; what is missing is null.

mod scores;
mod money;
mod lifetimes;

use crate::money::Currency;
use crate::recurring::{Annual, Recurring};
use crate::revenue::GroupKey;
use crate::time::Instant;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, Decimal128Array, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use std::sync::Arc;

pub use scores::scores_to_arrow;

/// A figure of a row, and its name.
type Figure<R, T> = (&'static str, fn(&R) -> T);

fn key_text(key: &GroupKey) -> Option<String> {
    match key {
        GroupKey::Flag(flag) => Some(flag.to_string()),
        GroupKey::Number(number) => Some(number.to_string()),
        GroupKey::Text(text) => Some(text.clone()),
        GroupKey::None => None,
    }
}

/// The columns of a table that is being made.
#[derive(Default)]
pub(crate) struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    /// Adds a column; all columns may have nulls, so that the schema does not hang on the rows.
    pub(crate) fn put(&mut self, name: impl Into<String>, array: impl Array + 'static) {
        self.fields.push(Field::new(name, array.data_type().clone(), true));
        self.arrays.push(Arc::new(array));
    }

    pub(crate) fn texts<T: AsRef<str>>(
        &mut self,
        name: impl Into<String>,
        texts: impl Iterator<Item = Option<T>>,
    ) {
        self.put(name, texts.collect::<StringArray>());
    }

    /// Texts of which the same come often.
    fn words<'w>(&mut self, name: impl Into<String>, words: impl Iterator<Item = Option<&'w str>>) {
        self.put(name, words.collect::<DictionaryArray<Int32Type>>());
    }

    /// Texts by their places in a list.
    fn picked<'w>(
        &mut self,
        name: impl Into<String>,
        places: impl Iterator<Item = Option<u32>>,
        list: impl Iterator<Item = &'w str>,
    ) -> Result<(), ArrowError> {
        let places = places.map(|place| place.and_then(|place| i32::try_from(place).ok()));
        let texts = Arc::new(StringArray::from_iter_values(list));
        self.put(name, DictionaryArray::<Int32Type>::try_new(places.collect::<Int32Array>(), texts)?);
        Ok(())
    }

    /// Numbers; NaN is none.
    fn numbers(&mut self, name: impl Into<String>, numbers: Vec<f64>) {
        let present = NullBuffer::from_iter(numbers.iter().map(|number| !number.is_nan()));
        let nulls = Some(present).filter(|nulls| nulls.null_count() > 0);
        // NaN stays behind nulls only: numbers that nobody reads, but an all-valid copy would show them.
        let numbers = numbers.into_iter().map(|number| if number.is_nan() { 0.0 } else { number });
        self.put(name, Float64Array::new(ScalarBuffer::from_iter(numbers), nulls));
    }

    fn optional_numbers(&mut self, name: impl Into<String>, numbers: impl Iterator<Item = Option<f64>>) {
        self.put(name, numbers.collect::<Float64Array>());
    }

    fn instants(&mut self, name: impl Into<String>, instants: impl Iterator<Item = Option<Instant>>) {
        let micros: TimestampMicrosecondArray = instants.map(|at| at.map(Instant::micros)).collect();
        self.put(name, micros.with_timezone("UTC"));
    }

    fn mrr(&mut self, name: impl Into<String>, amounts: impl Iterator<Item = Option<Annual>>) {
        let micros: Decimal128Array = amounts.map(|amount| amount.map(|a| a.mrr().micros())).collect();
        self.put(name, micros.with_data_type(DataType::Decimal128(38, 6)));
    }

    fn arr(&mut self, name: impl Into<String>, amounts: impl Iterator<Item = Option<Annual>>) {
        let picos: Decimal128Array = amounts.map(|amount| amount.map(Annual::picos)).collect();
        self.put(name, picos.with_data_type(DataType::Decimal128(38, 12)));
    }

    /// A line of a report: `NAME_mrr` and `NAME_arr`.
    fn recurring(&mut self, name: &str, lines: impl Iterator<Item = Option<Recurring>> + Clone) {
        self.mrr(format!("{name}_mrr"), lines.clone().map(|line| line.map(Recurring::arr)));
        self.arr(format!("{name}_arr"), lines.map(|line| line.map(Recurring::arr)));
    }

    fn currencies<'c>(&mut self, currencies: impl Iterator<Item = Option<&'c Currency>>) {
        self.words("currency", currencies.map(|currency| currency.map(Currency::as_str)));
    }

    /// A group by its text; none is null.
    fn keys<'k>(&mut self, keys: impl Iterator<Item = Option<&'k GroupKey>>) {
        self.texts("key", keys.map(|key| key.and_then(key_text)));
    }

    pub(crate) fn batch(self) -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays)
    }
}

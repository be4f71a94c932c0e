//! Lifetimes as tables: spells, curves, how clients buy, and what they are worth.

use super::{Columns, Figure};
use crate::lifetime::{
    ClientLtv, ClientSpell, Lifetime, ModelLtv, RfmRow, RfmSummary, SimpleLtv, Spells, SurvivalPoint,
};
use crate::revenue::{GroupKey, ObservedLtv, ObservedValue, TotalAmount};
use arrow_array::{BooleanArray, Date32Array, Decimal128Array, RecordBatch, UInt32Array, UInt64Array};
use arrow_schema::{ArrowError, DataType};

impl Columns {
    fn counts(&mut self, name: &str, counts: impl Iterator<Item = Option<u32>>) {
        self.put(name, counts.collect::<UInt32Array>());
    }

    fn flags(&mut self, name: &str, flags: impl Iterator<Item = bool>) {
        self.put(name, flags.map(Some).collect::<BooleanArray>());
    }
}

impl Spells {
    /// The spells as a table, a row for each: its columns are the members of [`ClientSpell`].
    ///
    /// # Errors
    /// Never, but for a table beyond the sizes of Arrow.
    pub fn to_arrow(&self) -> Result<RecordBatch, ArrowError> {
        let rows = || self.spells.iter();
        let mut columns = Columns::default();
        columns.texts("client", rows().map(|row| Some(row.client.as_str())));
        columns.keys(rows().map(|row| Some(&row.key)));
        columns.counts("number", rows().map(|row| Some(row.number)));
        columns.instants("from", rows().map(|row| Some(row.from)));
        columns.instants("until", rows().map(|row: &ClientSpell| row.until));
        columns.counts("entry_days", rows().map(|row| row.entry_days));
        columns.counts("days", rows().map(|row| Some(row.days)));
        columns.flags("ended", rows().map(|row| row.ended));
        columns.flags("unsettled", rows().map(|row| row.unsettled));
        columns.batch()
    }
}

impl Lifetime {
    /// The curves as a table, a row for each step of each: `is_group` and `key` say of whom, the others are the members of
    /// [`SurvivalPoint`].
    ///
    /// # Errors
    /// Never, but for a table beyond the sizes of Arrow.
    pub fn to_arrow(&self) -> Result<RecordBatch, ArrowError> {
        let groups = self.groups.iter().flatten().map(|group| (Some(&group.key), &group.row));
        let rows = std::iter::once((None, &self.total)).chain(groups);
        let steps: Vec<(Option<&GroupKey>, &SurvivalPoint)> =
            rows.flat_map(|(key, row)| row.curve.points.iter().map(move |point| (key, point))).collect();
        let steps = || steps.iter();
        let mut columns = Columns::default();
        columns.flags("is_group", steps().map(|(key, _)| key.is_some()));
        columns.keys(steps().map(|(key, _)| *key));
        let numbers: [Figure<SurvivalPoint, Option<f64>>; 9] = [
            ("time", |point| Some(point.time)),
            ("survival", |point| Some(point.survival)),
            ("standard_error", |point| Some(point.standard_error)),
            ("low", |point| point.low),
            ("high", |point| point.high),
            ("hazard", |point| Some(point.hazard)),
            ("cumulative_hazard", |point| Some(point.cumulative_hazard)),
            ("cumulative_hazard_se", |point| Some(point.cumulative_hazard_se)),
            ("cumulative_hazard_ties", |point| Some(point.cumulative_hazard_ties)),
        ];
        for (name, number) in numbers {
            columns.optional_numbers(name, steps().map(|(_, point)| number(point)));
        }
        let counts: [Figure<SurvivalPoint, u64>; 3] = [
            ("at_risk", |point| point.at_risk),
            ("ended", |point| point.ended),
            ("censored", |point| point.censored),
        ];
        for (name, count) in counts {
            columns.put(name, steps().map(|(_, point)| Some(count(point))).collect::<UInt64Array>());
        }
        columns.batch()
    }
}

impl RfmSummary {
    /// How clients buy as a table, a row for each: its columns are the members of [`RfmRow`].
    ///
    /// # Errors
    /// Never, but for a table beyond the sizes of Arrow.
    pub fn to_arrow(&self) -> Result<RecordBatch, ArrowError> {
        let rows = || self.clients.iter();
        let mut columns = Columns::default();
        columns.texts("client", rows().map(|row| Some(row.client.as_str())));
        columns.keys(rows().map(|row| Some(&row.key)));
        columns.counts("frequency", rows().map(|row| Some(row.frequency)));
        columns.counts("recency_days", rows().map(|row| Some(row.recency_days)));
        columns.counts("age_days", rows().map(|row| Some(row.age_days)));
        columns.optional_numbers("value", rows().map(|row: &RfmRow| row.value));
        columns.put("first", rows().map(|row| Some(row.first.number())).collect::<Date32Array>());
        columns.counts("holdout_frequency", rows().map(|row| row.holdout_frequency));
        columns.batch()
    }
}

impl SimpleLtv {
    /// The values of the clients as a table, a row for each client and currency: its columns are the members of [`ClientLtv`].
    ///
    /// # Errors
    /// Never, but for a table beyond the sizes of Arrow.
    pub fn to_arrow(&self) -> Result<RecordBatch, ArrowError> {
        values(&self.clients)
    }
}

impl ModelLtv {
    /// The values of the clients as a table, a row for each client and currency: its columns are the members of [`ClientLtv`].
    ///
    /// # Errors
    /// Never, but for a table beyond the sizes of Arrow.
    pub fn to_arrow(&self) -> Result<RecordBatch, ArrowError> {
        values(&self.clients)
    }
}

fn values(clients: &[ClientLtv]) -> Result<RecordBatch, ArrowError> {
    let rows = || clients.iter();
    let mut columns = Columns::default();
    columns.texts("client", rows().map(|row| Some(row.client.as_str())));
    columns.keys(rows().map(|row| Some(&row.key)));
    columns.words("method", rows().map(|row| Some(row.method.as_str())));
    columns.words("horizon", rows().map(|row| Some(row.horizon)));
    columns.counts("horizon_months", rows().map(|row| row.horizon_months));
    columns.currencies(rows().map(|row| row.currency.as_ref()));
    columns.optional_numbers("value", rows().map(|row| row.value));
    columns.words("why", rows().map(|row| row.why.map(|why| why.as_str())));
    columns.optional_numbers("mrr", rows().map(|row| row.mrr));
    columns.counts("renewals", rows().map(|row| row.renewals));
    columns.counts("frequency", rows().map(|row| row.frequency));
    let numbers: [Figure<ClientLtv, Option<f64>>; 6] = [
        ("recency_weeks", |row| row.recency_weeks),
        ("age_weeks", |row| row.age_weeks),
        ("p_alive", |row| row.p_alive),
        ("expected", |row| row.expected),
        ("discounted", |row| row.discounted),
        ("purchase_value", |row| row.purchase_value),
    ];
    for (name, number) in numbers {
        columns.optional_numbers(name, rows().map(number));
    }
    columns.batch()
}

impl ObservedLtv {
    /// What clients have paid as a table, a row for each client and currency: `client`, `method`, `horizon`, `currency`, `received`,
    /// `value`.
    ///
    /// # Errors
    /// Never, but for a table beyond the sizes of Arrow.
    pub fn to_arrow(&self) -> Result<RecordBatch, ArrowError> {
        let rows = || self.clients.iter();
        let mut columns = Columns::default();
        columns.texts("client", rows().map(|row| Some(row.client.as_str())));
        columns.words("method", rows().map(|row| Some(row.method)));
        columns.words("horizon", rows().map(|row| Some(row.horizon)));
        columns.currencies(rows().map(|row| Some(&row.currency)));
        let amounts: [Figure<ObservedValue, TotalAmount>; 2] =
            [("received", |row| row.received), ("value", |row| row.value)];
        for (name, amount) in amounts {
            let micros: Decimal128Array = rows().map(|row| Some(amount(row).micros())).collect();
            columns.put(name, micros.with_data_type(DataType::Decimal128(38, 6)));
        }
        columns.batch()
    }
}

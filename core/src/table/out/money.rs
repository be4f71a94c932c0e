//! Revenue as tables: movements, series of reports, cohorts.

use super::{Columns, Figure};
use crate::money::Currency;
use crate::rate::{HeadRate, MoneyRate};
use crate::recurring::Recurring;
use crate::revenue::{
    Cohort, CohortCell, Cohorts, GroupKey, MovementRow, Movements, RevenueReport, RevenueSeries, Row,
    Transferred,
};
use arrow_array::builder::{ListBuilder, StringBuilder, StructBuilder};
use arrow_array::{BooleanArray, Date32Array, Int32Array, RecordBatch, UInt32Array, UInt64Array};
use arrow_schema::{ArrowError, DataType, Field};

/// A rate of money.
type Rate = (&'static str, fn(&Row) -> &MoneyRate);
/// A rate of heads.
type Heads = (&'static str, fn(&Row) -> &HeadRate);

const LINES: &[Figure<Row, Recurring>] = &[
    ("opening", |row| row.opening),
    ("new", |row| row.new),
    ("reactivation", |row| row.reactivation),
    ("resumed", |row| row.resumed),
    ("expansion", |row| row.expansion),
    ("contraction", |row| row.contraction),
    ("paused", |row| row.paused),
    ("churn", |row| row.churn),
    ("fx", |row| row.fx),
    ("closing", |row| row.closing),
    ("joined_and_left", |row| row.joined_and_left),
    ("paused_lost", |row| row.paused_lost),
    ("after_cancellations", |row| row.after_cancellations),
];

const COUNTS: &[Figure<Row, u64>] = &[
    ("clients_opening", |row| row.clients.opening),
    ("clients_new", |row| row.clients.new),
    ("clients_reactivated", |row| row.clients.reactivated),
    ("clients_resumed", |row| row.clients.resumed),
    ("clients_paused", |row| row.clients.paused),
    ("clients_churned", |row| row.clients.churned),
    ("clients_closing", |row| row.clients.closing),
    ("clients_joined_and_left", |row| row.clients.joined_and_left),
    ("clients_paused_lost", |row| row.clients.paused_lost),
];

/// With attribution `interval`; null otherwise.
const TRANSFERS: &[Figure<Row, Option<Transferred>>] =
    &[("transferred_in", |row| row.transferred_in), ("transferred_out", |row| row.transferred_out)];

const MONEY_RATES: &[Rate] = &[
    ("nrr", |row| &row.nrr),
    ("grr", |row| &row.grr),
    ("gross_revenue_churn", |row| &row.gross_revenue_churn),
    ("churned_revenue", |row| &row.churned_revenue),
    ("net_revenue_churn", |row| &row.net_revenue_churn),
    ("expansion_rate", |row| &row.expansion_rate),
    ("from_existing", |row| &row.from_existing),
];

const HEAD_RATES: &[Heads] =
    &[("logo_churn", |row| &row.logo_churn), ("logo_retention", |row| &row.logo_retention)];

/// One row of the table of a series.
struct Told<'r> {
    report: &'r RevenueReport,
    /// Of a row of a group.
    key: Option<&'r GroupKey>,
    currency: Option<Currency>,
    row: &'r Row,
}

impl RevenueSeries {
    /// The series as a table: for each period a row for the whole book, or one for each currency, and then one for each group,
    /// which have `is_group` and their `key`. A line of the report is `NAME_mrr` and `NAME_arr`, a count of clients
    /// `clients_NAME`, a rate `NAME_part`, `NAME_whole`, `NAME`, `NAME_low` and `NAME_high`.
    ///
    /// # Errors
    /// Never, but for a table beyond the sizes of Arrow.
    pub fn to_arrow(&self) -> Result<RecordBatch, ArrowError> {
        let mut told = Vec::new();
        for report in &self.rows {
            let whole = report.rows().map(|(currency, row)| Told { report, key: None, currency, row });
            let groups = report.groups.iter().flatten().map(|group| Told {
                report,
                key: Some(&group.key),
                currency: Some(group.currency),
                row: &group.row,
            });
            told.extend(whole.chain(groups));
        }
        let mut columns = Columns::default();
        columns.instants("start", told.iter().map(|told| Some(told.report.period.start)));
        columns.instants("end", told.iter().map(|told| Some(told.report.period.end)));
        let partial = told.iter().map(|told| Some(told.report.period.partial));
        columns.put("partial", partial.collect::<BooleanArray>());
        columns.instants("as_of", told.iter().map(|told| Some(told.report.as_of)));
        let is_group = told.iter().map(|told| Some(told.key.is_some()));
        columns.put("is_group", is_group.collect::<BooleanArray>());
        columns.keys(told.iter().map(|told| told.key));
        columns.currencies(told.iter().map(|told| told.currency.as_ref()));
        for (name, count) in COUNTS {
            columns.put(*name, told.iter().map(|told| Some(count(told.row))).collect::<UInt64Array>());
        }
        for (name, transferred) in TRANSFERS {
            let heads = told.iter().map(|told| transferred(told.row).map(|moved| moved.heads));
            columns.put(format!("clients_{name}"), heads.collect::<UInt64Array>());
        }
        for (name, line) in LINES {
            columns.recurring(name, told.iter().map(|told| Some(line(told.row))));
        }
        for (name, transferred) in TRANSFERS {
            let lines = told.iter().map(|told| transferred(told.row).map(|moved| moved.recurring));
            columns.recurring(name, lines);
        }
        for (name, rate) in MONEY_RATES {
            columns.mrr(format!("{name}_part"), told.iter().map(|told| Some(rate(told.row).part)));
            columns.mrr(format!("{name}_whole"), told.iter().map(|told| Some(rate(told.row).whole)));
            columns.optional_numbers(*name, told.iter().map(|told| rate(told.row).value));
            columns.optional_numbers(format!("{name}_low"), told.iter().map(|told| rate(told.row).low));
            columns.optional_numbers(format!("{name}_high"), told.iter().map(|told| rate(told.row).high));
        }
        for (name, rate) in HEAD_RATES {
            let parts = told.iter().map(|told| Some(rate(told.row).part));
            columns.put(format!("{name}_part"), parts.collect::<UInt64Array>());
            let wholes = told.iter().map(|told| Some(rate(told.row).whole));
            columns.put(format!("{name}_whole"), wholes.collect::<UInt64Array>());
            columns.optional_numbers(*name, told.iter().map(|told| rate(told.row).value));
            columns.optional_numbers(format!("{name}_low"), told.iter().map(|told| rate(told.row).low));
            columns.optional_numbers(format!("{name}_high"), told.iter().map(|told| rate(told.row).high));
        }
        columns.mrr("quick_ratio_part", told.iter().map(|told| Some(told.row.quick_ratio.part)));
        columns.mrr("quick_ratio_whole", told.iter().map(|told| Some(told.row.quick_ratio.whole)));
        columns.optional_numbers("quick_ratio", told.iter().map(|told| told.row.quick_ratio.value));
        columns.mrr("arpa_part", told.iter().map(|told| Some(told.row.arpa.part)));
        let heads = told.iter().map(|told| Some(told.row.arpa.whole));
        columns.put("arpa_whole", heads.collect::<UInt64Array>());
        columns.optional_numbers("arpa", told.iter().map(|told| told.row.arpa.value));
        let divergence = |told: &Told<'_>| told.row.churn_divergence.map(|of| of.as_str());
        columns.words("churn_divergence", told.iter().map(divergence));
        columns.batch()
    }
}

impl Movements {
    /// The movements as a table, a row for each: `client`, `currency`, `key`, `within_start`, `within_end`, `kind`, `opening_mrr`
    /// and `opening_arr` and so on for `closing`, `amount` and `fx`, `gap_days`, `tags` (a list), `reason`, `events` (a list of
    /// `source` and `id`).
    ///
    /// # Errors
    /// Never, but for a table beyond the sizes of Arrow.
    pub fn to_arrow(&self) -> Result<RecordBatch, ArrowError> {
        let rows = || self.rows.iter();
        let mut columns = Columns::default();
        columns.texts("client", rows().map(|row| Some(row.client.as_str())));
        columns.currencies(rows().map(|row| Some(&row.currency)));
        columns.keys(rows().map(|row| row.key.as_ref()));
        columns.instants("within_start", rows().map(|row| row.within.map(|within| within.start)));
        columns.instants("within_end", rows().map(|row| row.within.map(|within| within.end)));
        columns.words("kind", rows().map(|row| Some(row.kind.as_str())));
        let lines: [Figure<MovementRow, Recurring>; 4] = [
            ("opening", |row| row.opening),
            ("closing", |row| row.closing),
            ("amount", |row| row.amount),
            ("fx", |row| row.fx),
        ];
        for (name, line) in lines {
            columns.recurring(name, rows().map(move |row| Some(line(row))));
        }
        columns.put("gap_days", rows().map(|row| row.gap_days).collect::<Int32Array>());
        let mut tags = ListBuilder::new(StringBuilder::new());
        for row in rows() {
            tags.append_value(row.tags.iter().map(|tag| Some(tag.as_str())));
        }
        columns.put("tags", tags.finish());
        columns.texts("reason", rows().map(|row| row.reason.as_deref()));
        columns.put("events", self.events());
        columns.batch()
    }

    fn events(&self) -> arrow_array::ListArray {
        let fields = ["source", "id"].map(|name| Field::new(name, DataType::Utf8, true));
        let texts = || Box::new(StringBuilder::new()) as Box<dyn arrow_array::builder::ArrayBuilder>;
        let mut events = ListBuilder::new(StructBuilder::new(fields.to_vec(), vec![texts(), texts()]));
        for row in &self.rows {
            for event in &row.events {
                let pair = events.values();
                for (place, text) in [event.source.as_str(), event.id.as_str()].into_iter().enumerate() {
                    if let Some(texts) = pair.field_builder::<StringBuilder>(place) {
                        texts.append_value(text);
                    }
                }
                pair.append(true);
            }
            events.append(true);
        }
        events.finish()
    }
}

impl Cohorts {
    /// The cohorts as a table, a row for each month of each cohort: `cohort` (its first day), `key`, `currency`, `size`, `months`,
    /// `clients`, `mrr`, `arr`, `clients_share`, `mrr_share`.
    ///
    /// # Errors
    /// Never, but for a table beyond the sizes of Arrow.
    pub fn to_arrow(&self) -> Result<RecordBatch, ArrowError> {
        let cells: Vec<(&Cohort, &CohortCell)> = self
            .cohorts
            .iter()
            .flat_map(|cohort| cohort.cells.iter().map(move |cell| (cohort, cell)))
            .collect();
        let cells = || cells.iter();
        let mut columns = Columns::default();
        let days = cells().map(|(cohort, _)| Some(cohort.cohort.first_day().number()));
        columns.put("cohort", days.collect::<Date32Array>());
        columns.keys(cells().map(|(cohort, _)| cohort.key.as_ref()));
        columns.currencies(cells().map(|(cohort, _)| Some(&cohort.currency)));
        columns.put("size", cells().map(|(cohort, _)| Some(cohort.clients)).collect::<UInt64Array>());
        columns.put("months", cells().map(|(_, cell)| Some(cell.months)).collect::<UInt32Array>());
        columns.put("clients", cells().map(|(_, cell)| Some(cell.clients)).collect::<UInt64Array>());
        columns.mrr("mrr", cells().map(|(_, cell)| Some(cell.recurring.arr())));
        columns.arr("arr", cells().map(|(_, cell)| Some(cell.recurring.arr())));
        columns.optional_numbers("clients_share", cells().map(|(_, cell)| cell.clients_share));
        columns.optional_numbers("mrr_share", cells().map(|(_, cell)| cell.mrr_share));
        columns.batch()
    }
}

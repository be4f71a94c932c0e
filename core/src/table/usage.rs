//! Rows of counted and measured usage, which are most of all rows: read straight from their columns. A row with anything
//! odd in it goes the way of all other events, which says what is wrong with it.

use super::column::Column;
use super::envelope::{Envelope, Envelopes, RowTexts, TextCells, column};
use super::map::Mapping;
use super::quantities::Amount;
use crate::event::EventKind;
use crate::event::counted::{CountedRow, CountedRows};
use crate::event::fields::MAX_TEXT;
use crate::event::line::{UsageKind, UsageRef};
use crate::quantity::Quantity;
use crate::time::Instant;
use arrow_array::RecordBatch;
use std::ops::Range;

/// The columns of the `data` of some rows of usage.
pub(super) struct UsageRows {
    kind: UsageKind,
    metric: TextCells,
    user: Option<TextCells>,
    quantity: Option<Box<Column>>,
}

impl UsageRows {
    /// `None` for other events, and where a column is not of the usual kind.
    pub(super) fn of(kind: EventKind, mapping: &Mapping, rows: &RecordBatch) -> Option<Self> {
        let kinds =
            [(EventKind::UsageCounted, UsageKind::Counted), (EventKind::UsageMeasured, UsageKind::Measured)];
        let (_, kind) = kinds.into_iter().find(|(of, _)| *of == kind)?;
        let text = |path: &str| TextCells::of(mapping, path, MAX_TEXT, rows);
        let quantity = if kind == UsageKind::Counted { "data.count" } else { "data.value" };
        Some(Self {
            kind,
            metric: text("data.metric")??,
            user: text("data.user")?,
            quantity: column(mapping, quantity, rows)?,
        })
    }

    /// The rows of these numbers, counted from `first`, if all of them are counts of which all is sound and which one source told
    /// of: all that who keeps no identities needs.
    pub(super) fn counted<'r>(
        &'r self,
        envelopes: &'r Envelopes,
        first: usize,
        numbers: impl Iterator<Item = usize>,
    ) -> Option<CountedRows<'r>> {
        if self.kind != UsageKind::Counted {
            return None;
        }
        let nothing_yet = |number: usize| CountedRow {
            number: number as u64,
            subject: "",
            time: Instant::MIN,
            metric: "",
            count: Quantity::ONE,
            user: None,
        };
        let mut rows: Vec<CountedRow<'r>> = numbers.map(nothing_yet).collect();
        let row = |counted: &CountedRow<'_>| first + counted.number as usize;
        let source = envelopes.fill(&mut rows, row)?;
        self.metric.fill(&mut rows, row, |counted, metric| {
            counted.metric = metric?;
            Some(())
        })?;
        if let Some(users) = &self.user {
            users.fill(&mut rows, row, |counted, user| {
                counted.user = user;
                Some(())
            })?;
        }
        if let Some(counts) = &self.quantity {
            for counted in &mut rows {
                match counts.quantity(row(counted)) {
                    Amount::Is(count) => counted.count = count,
                    Amount::Nothing => {}
                    Amount::Odd => return None,
                }
            }
        }
        Some(CountedRows { source, rows })
    }

    /// Looks up the texts of some rows, column by column.
    pub(super) fn looked_up(&self, rows: Range<usize>) -> RowUsage<'_> {
        RowUsage {
            rows: self,
            first: rows.start,
            metric: self.metric.texts(rows.clone()),
            user: self.user.as_ref().map(|cells| cells.texts(rows)),
        }
    }
}

/// Some rows of usage, of which the texts are looked up.
pub(super) struct RowUsage<'r> {
    rows: &'r UsageRows,
    /// The row that the first of them is in its columns.
    first: usize,
    metric: RowTexts<'r>,
    user: Option<RowTexts<'r>>,
}

impl<'r> RowUsage<'r> {
    /// The event of a row, counted from the first of them, with this envelope; `None` where it needs more care.
    #[inline(always)]
    pub(super) fn get(&self, row: usize, envelope: Envelope<'r>) -> Option<UsageRef<'r>> {
        let UsageRows { kind, quantity, .. } = self.rows;
        let Envelope { id, source, subject, time, sequence, recorded } = envelope;
        Some(UsageRef {
            id,
            source,
            subject,
            time,
            sequence,
            recorded,
            kind: *kind,
            metric: self.metric.stated(row)?,
            quantity: match (quantity.as_ref().map(|column| column.quantity(self.first + row)), kind) {
                (Some(Amount::Is(quantity)), _) => quantity,
                (None | Some(Amount::Nothing), UsageKind::Counted) => Quantity::ONE,
                (None | Some(Amount::Nothing), UsageKind::Measured) | (Some(Amount::Odd), _) => return None,
            },
            user: match &self.user {
                Some(users) => users.get(row)?,
                None => None,
            },
        })
    }
}

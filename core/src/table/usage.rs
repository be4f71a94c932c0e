//! Rows of counted and measured usage, which are most of all rows: read straight from their columns. A row with anything
//! odd in it goes the way of all other events, which says what is wrong with it.

use super::column::Column;
use super::envelope::{Envelope, RowTexts, TextCells, column};
use super::map::Mapping;
use super::quantities::Amount;
use crate::event::EventKind;
use crate::event::fields::MAX_TEXT;
use crate::event::line::{UsageKind, UsageRef};
use crate::quantity::Quantity;
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

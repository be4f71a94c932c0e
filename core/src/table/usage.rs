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
use crate::same::same;
use crate::time::Instant;
use arrow_array::RecordBatch;
use std::ops::Range;

/// Of so many metrics each is looked for among the others; rows of more are read as events.
const FEW_METRICS: u32 = 64;
/// How many places there are for metrics that came a short while ago.
const RECENT: usize = 64;

/// The place of a metric among the recent ones.
fn place_of(view: u128) -> usize {
    let half = |half: u128| u64::try_from(half & u128::from(u64::MAX)).unwrap_or(0);
    let (low, high) = (half(view), half(view >> 64));
    // The highest bits of a product depend on all bits.
    ((low ^ high).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as usize
}

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
            metric: 0,
            count: Quantity::ONE,
            user: None,
        };
        let mut rows: Vec<CountedRow<'r>> = numbers.map(nothing_yet).collect();
        let row =
            |counted: &CountedRow<'_>| first + usize::try_from(counted.number).unwrap_or(usize::MAX - first);
        let source = envelopes.fill(&mut rows, row)?;
        let metrics = self.number_metrics(&mut rows, row)?;
        if let Some(users) = &self.user {
            users.fill(&mut rows, row, |counted, user| {
                counted.user = user;
                Some(())
            })?;
        }
        if let Some(counts) = &self.quantity {
            counts.fill_quantities(&mut rows, row, |counted, count| counted.count = count)?;
        }
        Some(CountedRows { source, metrics, rows })
    }

    /// Tells counted rows the numbers of their metrics, each by its row; `None` where one needs more care, or there are many. Returns
    /// the metrics.
    fn number_metrics<'r>(
        &'r self,
        rows: &mut [CountedRow<'r>],
        row: impl Fn(&CountedRow<'r>) -> usize,
    ) -> Option<Vec<&'r str>> {
        let mut metrics: Vec<&'r str> = Vec::new();
        let mut number = |metric: &'r str| {
            let known = metrics.iter().position(|known| same(known, metric));
            if known.is_none() {
                metrics.push(metric);
            }
            let place = known.unwrap_or(metrics.len() - 1);
            u32::try_from(place).ok().filter(|place| *place < FEW_METRICS)
        };
        if let Some((column, array)) = self.metric.views() {
            // What is told of two texts by their views is the same only if they are: mostly a metric came a short while ago.
            let mut recent = [(u128::MAX, 0); RECENT];
            column.fill(rows, row, |counted, slot| {
                let slot = slot?;
                let view = *array.views().get(slot)?;
                let recent = recent.get_mut(place_of(view))?;
                if recent.0 != view {
                    *recent = (view, number(self.metric.sound(array.value(slot))?)?);
                }
                counted.metric = recent.1;
                Some(())
            })?;
        } else {
            self.metric.fill(rows, row, |counted, metric| {
                counted.metric = number(metric?)?;
                Some(())
            })?;
        }
        Some(metrics)
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

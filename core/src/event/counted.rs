//! Counted usage as many rows tell it, for who keeps no identities: what is folded of each, and no more.

use super::line::{UsageKind, UsageRef};
use crate::quantity::Quantity;
use crate::time::Instant;

/// A row of `usage.counted` of which all is sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CountedRow<'r> {
    /// Its number among those that were read with it.
    pub(crate) number: u64,
    pub(crate) subject: &'r str,
    pub(crate) time: Instant,
    /// The number of its metric among those of the rows.
    pub(crate) metric: u32,
    pub(crate) count: Quantity,
    pub(crate) user: Option<&'r str>,
}

/// Some rows of one source, in their order.
#[derive(Clone, Debug)]
pub(crate) struct CountedRows<'r> {
    pub(crate) source: &'r str,
    /// Each once.
    pub(crate) metrics: Vec<&'r str>,
    pub(crate) rows: Vec<CountedRow<'r>>,
}

impl<'r> CountedRows<'r> {
    /// The event that one of them tells of, but for what nobody asks for where no identities are kept.
    pub(crate) fn event(&self, row: &CountedRow<'r>) -> UsageRef<'r> {
        let CountedRow { number: _, subject, time, metric, count, user } = *row;
        let metric = self.metrics.get(metric as usize).copied().unwrap_or_default();
        UsageRef {
            id: "",
            source: self.source,
            subject,
            time,
            sequence: 0,
            recorded: None,
            kind: UsageKind::Counted,
            metric,
            quantity: count,
            user,
        }
    }
}

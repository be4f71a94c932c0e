//! What is known of one client whatever the instant, so that questions as of several instants work it out once.

use super::metric::KnownMetric;
use crate::time::Instant;
use std::cell::OnceCell;

/// What is known of one client, as far as somebody has asked.
pub(crate) struct Known {
    /// By their numbers in the model.
    pub(super) metrics: Vec<KnownMetric>,
    /// The first instant from which it ever pays.
    first_paying: OnceCell<Option<Instant>>,
}

impl Known {
    /// Room for so many metrics.
    pub(crate) fn new(metrics: usize) -> Self {
        let metrics = std::iter::repeat_with(KnownMetric::default).take(metrics).collect();
        Self { metrics, first_paying: OnceCell::new() }
    }

    /// Makes room for another client.
    pub(crate) fn forget(&mut self) {
        self.metrics.fill_with(KnownMetric::default);
        self.first_paying = OnceCell::new();
    }

    pub(super) fn first_paying(&self, find: impl FnOnce() -> Option<Instant>) -> Option<Instant> {
        *self.first_paying.get_or_init(find)
    }
}

//! Signals of usage against what is included: how much of its quota a client uses up.

use super::metric::Metric;
use super::params::Days;
use super::usage::over;
use super::{Measure, Missing, View, signal};
use crate::time::Day;

impl View<'_> {
    /// The days of this month through the usage day.
    pub(super) fn month_so_far(&self) -> (Day, Day) {
        (self.usage_day.month().first_day(), self.usage_day)
    }

    /// This month's sum through the usage day, and what the quota includes.
    fn month_against_quota(&self, metric: &Metric) -> Result<(f64, f64), Missing> {
        self.usage_heard(&[metric.name()])?;
        let quota =
            self.state.billing.more.quotas.get(metric.name()).and_then(|quota| quota.value_at(self.at));
        let included = quota.ok_or(Missing::NeverSeen)?.included.quantity().to_f64();
        Ok((self.sum(metric, self.month_so_far())?, included))
    }
}

signal! {
    /// This month's sum over what its quota includes.
    QuotaUse = "quota_use", "share", Either, instant {
        /// The metric that the quota is of.
        metric: Metric,
    }
}

impl Measure for QuotaUse {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let (sum, included) = view.month_against_quota(&self.metric)?;
        over(sum, included, 0.0)
    }
}

signal! {
    /// What the month will come to at the pace of the last days, over what its quota includes.
    ProjectedOverage = "projected_overage", "share", Down, instant {
        /// The metric that the quota is of.
        metric: Metric,
        /// The days whose mean is the pace.
        days: Days = Days(14),
    }
}

impl Measure for ProjectedOverage {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let (sum, included) = view.month_against_quota(&self.metric)?;
        let (first, last) = view.window(self.days.0)?;
        let first = view.first_day().map_or(first, |first_day| first.max(first_day));
        let pace_days = last.days_since(first) + 1;
        if pace_days <= 0 {
            return Err(Missing::TooLittle);
        }
        let pace = view.sum(&self.metric, (first, last))? / f64::from(pace_days);
        let days_left = view.usage_day.month().plus(1).first_day().days_since(view.usage_day) - 1;
        over(sum + pace * f64::from(days_left), included, 0.0)
    }
}

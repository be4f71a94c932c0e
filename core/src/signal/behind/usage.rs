//! What is behind a change of usage: the days that came into a window or left it.

use super::super::metric::Metric;
use super::super::quota::{ProjectedOverage, QuotaUse};
use super::super::usage::{
    ActiveDays, ActiveTrend, ActiveUsers, Breadth, DaysSinceUsage, Gauge, Ratio, SeatUse, Stickiness, Take,
    UsageSum, UsageTrend, UsageVsLastYear, UsageVsOwn,
};
use super::billing::moves_seats;
use super::{Behind, Between, HistoryRow, View, within};
use crate::time::Day;

/// The day of a row of counts, if it is one.
fn counts(row: &HistoryRow) -> Option<Day> {
    row.day.filter(|_| row.kind == "usage.counted")
}

/// The day of a row of a metric's counts, if it is one.
fn counts_of(row: &HistoryRow, metric: &Metric) -> Option<Day> {
    counts(row).filter(|_| row.about.as_deref() == Some(metric.name()))
}

/// The day of a row of usage, if users are known to have been there on it.
fn users_of(row: &HistoryRow, between: &Between<'_>) -> Option<Day> {
    row.day.filter(|day| between.to.state.usage.active_users(*day, *day) > 0)
}

/// Whether a day is in other ones of some windows at one end than at the other.
fn moves<const N: usize>(
    day: Option<Day>,
    between: &Between<'_>,
    windows: impl Fn(&View<'_>) -> [(Day, Day); N],
) -> bool {
    day.is_some_and(|day| between.differs(|view| windows(view).map(|window| within(window, day))))
}

impl Behind for UsageSum {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        moves(counts_of(row, &self.metric), between, |view| [view.days(self.days.0)])
    }
}

impl Behind for UsageTrend {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let days = self.days.0;
        moves(counts_of(row, &self.metric), between, |view| [view.days(days), view.days_before(days)])
    }
}

impl Behind for Gauge {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let measured = row.kind == "usage.measured" && row.about.as_deref() == Some(&self.metric);
        let Some(day) = row.day.filter(|_| measured) else { return false };
        match self.take {
            // Only the last day with a sample says anything.
            Take::Last => between.differs(|view| {
                let (first, last) = view.days(self.days.0);
                let gauge = view.state.usage.gauge(&self.metric);
                gauge.and_then(|gauge| gauge.range(first, last).last()).is_some_and(|cell| cell.key == day)
            }),
            Take::Mean | Take::Min | Take::Max => moves(Some(day), between, |view| [view.days(self.days.0)]),
        }
    }
}

impl Behind for Ratio {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let day = counts_of(row, &self.numerator).or_else(|| counts_of(row, &self.denominator));
        moves(day, between, |view| [view.days(self.days.0)])
    }
}

impl Behind for ActiveUsers {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        moves(users_of(row, between), between, |view| [view.days(self.days.0)])
    }
}

impl Behind for ActiveTrend {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let days = self.days.0;
        moves(users_of(row, between), between, |view| [view.days(days), view.days_before(days)])
    }
}

impl Behind for Stickiness {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let windows = |view: &View<'_>| [view.days(self.short.0), view.days(self.long.0)];
        moves(users_of(row, between), between, windows)
    }
}

impl Behind for SeatUse {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        moves(users_of(row, between), between, |view| [view.days(self.days.0)]) || moves_seats(row, between)
    }
}

impl Behind for Breadth {
    /// A metric that is used at both ends moves nothing.
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let Some(name) = row.about.as_ref().filter(|name| self.counts(name)) else { return false };
        let Some(metric) = between.to.state.usage.metric(name) else { return false };
        let used = |view: &View<'_>| {
            let (first, last) = view.days(self.days.0);
            metric.sums().is_used(first, last)
        };
        moves(counts(row), between, |view| [view.days(self.days.0)]) && between.differs(used)
    }
}

impl Behind for DaysSinceUsage {
    /// The last day alone says how long ago it is.
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let ours = row.about.as_ref().is_some_and(|metric| self.counts(metric));
        let last = |view: &View<'_>| self.last_day(view).ok().flatten();
        ours && counts(row).is_some_and(|day| last(&between.to) == Some(day)) && between.differs(last)
    }
}

impl Behind for ActiveDays {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        moves(counts(row), between, |view| [view.days(self.days.0)])
    }
}

impl Behind for UsageVsOwn {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let windows = |view: &View<'_>| {
            let (first, last) = view.days(self.days.0);
            [(first, last), (first.plus(-self.baseline_days.0), first.plus(-1))]
        };
        moves(counts_of(row, &self.metric), between, windows)
    }
}

impl Behind for UsageVsLastYear {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let windows = |view: &View<'_>| {
            let (first, last) = view.days(self.days.0);
            [(first, last), (first.a_year_before(), last.a_year_before())]
        };
        moves(counts_of(row, &self.metric), between, windows)
    }
}

/// Whether a row states a quota of a metric.
fn states_quota(row: &HistoryRow, between: &Between<'_>, metric: &str) -> bool {
    row.kind == "billing.quota_set" && row.about.as_deref() == Some(metric) && between.happened(row)
}

impl Behind for QuotaUse {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        moves(counts_of(row, &self.metric), between, |view| [view.month_so_far()])
            || states_quota(row, between, self.metric.name())
    }
}

impl Behind for ProjectedOverage {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let windows = |view: &View<'_>| [view.month_so_far(), view.days(self.days.0)];
        moves(counts_of(row, &self.metric), between, windows)
            || states_quota(row, between, self.metric.name())
    }
}

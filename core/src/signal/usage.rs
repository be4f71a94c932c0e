//! Signals of usage: what a client's users did, day by day.

use super::metric::Metric;
use super::params::{Days, Faults, Names, NotNegative, Object};
use super::statistics::mean_and_deviation;
use super::{Measure, Missing, View, signal};
use crate::daily::Sealed;
use crate::event::Moment;
use crate::quantity::quotient_to_f64;
use crate::time::Day;

/// A sum in units of 10^-6 as the nearest number.
pub(super) fn number(micros: i128) -> f64 {
    quotient_to_f64(micros, 1_000_000)
}

#[expect(clippy::cast_precision_loss, reason = "counts of users, days and metrics are far below 2^53")]
fn count(n: usize) -> f64 {
    n as f64
}

impl View<'_> {
    /// Usage says nothing while the book has none, or while every source that feeds these metrics is silent.
    #[inline]
    pub(super) fn usage_heard(&self, metrics: &[&str]) -> Result<(), Missing> {
        if self.facts.usage.is_none_or(|first| first > self.usage_day) {
            return Err(Missing::NeverSeen);
        }
        let silent = !self.sources.is_empty() && self.all_silent(metrics);
        if silent { Err(Missing::SourceSilent) } else { Ok(()) }
    }

    /// Whether every declared source, of which there are some, of one of the metrics (of any metric, if none is named) is
    /// silent.
    fn all_silent(&self, metrics: &[&str]) -> bool {
        let silent = |source: &super::SourceRule| self.silent(source);
        if metrics.is_empty() {
            return self.sources.iter().all(silent);
        }
        metrics.iter().all(|metric| {
            let feeds = |source: &&super::SourceRule| {
                source.metrics.as_ref().is_none_or(|metrics| metrics.iter().any(|name| name == metric))
            };
            let mut sources = self.sources.iter().filter(feeds).peekable();
            sources.peek().is_some() && sources.all(silent)
        })
    }

    fn silent(&self, rule: &super::SourceRule) -> bool {
        // Only who was heard of, or was to be heard of, can be silent.
        let heard = self.book.last_heard(&rule.source, self.at, self.zone);
        let since = heard.or(match rule.since {
            Some(Moment::On(day)) => Some(day).filter(|day| *day <= self.today),
            Some(Moment::At(since)) => Some(self.zone.day(since)).filter(|_| since <= self.at),
            Some(Moment::Never) | None => None,
        });
        since.is_some_and(|day| self.today.days_since(day) > rule.silent_after_days)
    }

    fn users_heard(&self) -> Result<(), Missing> {
        self.usage_heard(&[])?;
        if self.facts.user.is_some_and(|first| first <= self.usage_day) {
            Ok(())
        } else {
            Err(Missing::NoUsers)
        }
    }

    pub(super) fn sum(&self, metric: &Metric, days: (Day, Day)) -> Result<f64, Missing> {
        self.sums(days).map(|days| self.total(metric, days))
    }

    /// The window before the last `days` days.
    pub(super) fn days_before(&self, days: i32) -> (Day, Day) {
        let (first, _) = self.days(days);
        (first.plus(-days), first.plus(-1))
    }

    /// How many users were active in the last `days` days; the other signals around it may have counted them.
    fn active(&self, days: i32) -> Result<usize, Missing> {
        self.scope.map_or_else(|| self.count_active(days), |scope| scope.active_users(days))
    }

    pub(crate) fn count_active(&self, days: i32) -> Result<usize, Missing> {
        let (first, last) = self.window(days)?;
        Ok(self.state.usage.active_users(first, last))
    }

    /// The sums of one day after the other.
    fn daily(&self, metric: &Metric, first: Day, last: Day) -> Vec<f64> {
        let length = usize::try_from(last.days_since(first) + 1).unwrap_or(0);
        let mut days = vec![0.0; length];
        let cells = self.metric(metric).into_iter().flat_map(|metric| metric.sums().days(first, last));
        for (day, micros) in cells {
            let place = usize::try_from(day.days_since(first)).ok();
            if let Some(slot) = place.and_then(|place| days.get_mut(place)) {
                *slot = number(micros);
            }
        }
        days
    }

    /// The first day with any event of the client.
    pub(super) fn first_day(&self) -> Option<Day> {
        self.state.first_day(self.zone)
    }
}

/// `value / base`, or missing where the base is below its minimum or nothing.
pub(super) fn over(value: f64, base: f64, least: f64) -> Result<f64, Missing> {
    if base < least || base <= 0.0 { Err(Missing::TooLittle) } else { Ok(value / base) }
}

signal! {
    /// The sum of a metric's counts in the window.
    UsageSum = "usage_sum", "count", Up, window {
        /// The metric, as events name it.
        metric: Metric,
        /// The window: so many calendar days that end with the usage day.
        days: Days,
    }
}

impl Measure for UsageSum {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.usage_heard(&[self.metric.name()])?;
        view.sum(&self.metric, view.days(self.days.0))
    }
}

signal! {
    /// The sum in the window over the sum in the window before.
    UsageTrend = "usage_trend", "ratio", Up, window {
        /// The metric, as events name it.
        metric: Metric,
        /// The window: so many calendar days that end with the usage day.
        days: Days,
        /// Below this sum in the window before there is no trend.
        min_base: NotNegative = NotNegative(1.0),
    }
}

impl Measure for UsageTrend {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.usage_heard(&[self.metric.name()])?;
        let before = view.sum(&self.metric, view.days_before(self.days.0))?;
        let now = view.sum(&self.metric, view.days(self.days.0))?;
        over(now, before, self.min_base.0)
    }
}

/// Which of a gauge's samples to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    Last,
    Mean,
    Min,
    Max,
}
super::params::choice!(Take, "one of `last`, `mean`, `min`, `max`",
    "last" => Take::Last, "mean" => Take::Mean, "min" => Take::Min, "max" => Take::Max);

signal! {
    /// The last, mean, least or greatest sample of a gauge in the window.
    Gauge = "gauge", "as measured", Either, window {
        /// The metric, as events name it.
        metric: String,
        /// The window: so many calendar days that end with the usage day.
        days: Days,
        /// Which of the samples, or what of them.
        take: Take = Take::Last,
    }
}

impl Measure for Gauge {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.usage_heard(&[&self.metric])?;
        let (first, last) = view.window(self.days.0)?;
        let days =
            view.state.usage.gauge(&self.metric).map(|gauge| gauge.range(first, last)).unwrap_or_default();
        let mut samples = days.iter().map(|cell| &cell.value);
        let value = match self.take {
            Take::Last => samples.next_back().map(|samples| samples.last.to_f64()),
            Take::Min => samples.map(|samples| samples.least).min().map(crate::quantity::Quantity::to_f64),
            Take::Max => samples.map(|samples| samples.greatest).max().map(crate::quantity::Quantity::to_f64),
            Take::Mean => {
                let (sum, n) =
                    samples.fold((0, 0), |(sum, n), samples| (sum + samples.sum.micros(), n + samples.count));
                #[expect(clippy::cast_precision_loss, reason = "numbers of samples are far below 2^53")]
                (n > 0).then(|| number(sum) / n as f64)
            }
        };
        value.ok_or(Missing::TooLittle)
    }
}

signal! {
    /// The sum of one metric over the sum of another.
    Ratio = "ratio", "ratio", Either, window {
        /// The metric above the line.
        numerator: Metric,
        /// The metric below the line.
        denominator: Metric,
        /// The window: so many calendar days that end with the usage day.
        days: Days,
        /// Below this denominator there is no ratio; nothing is never a denominator.
        min_denominator: NotNegative = NotNegative(0.0),
    }
}

impl Measure for Ratio {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.usage_heard(&[self.numerator.name(), self.denominator.name()])?;
        let days = view.days(self.days.0);
        let part = view.sum(&self.numerator, days)?;
        let whole = view.sum(&self.denominator, days)?;
        over(part, whole, self.min_denominator.0)
    }
}

signal! {
    /// Distinct users in the window: DAU, WAU, MAU for 1, 7, 30 days.
    ActiveUsers = "active_users", "users", Up, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days,
    }
}

impl Measure for ActiveUsers {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.users_heard()?;
        view.active(self.days.0).map(count)
    }
}

signal! {
    /// Distinct users in the window over those in the window before.
    ActiveTrend = "active_trend", "ratio", Up, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days,
        /// Below this number of users in the window before there is no trend.
        min_base: NotNegative = NotNegative(1.0),
    }
}

impl Measure for ActiveTrend {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.users_heard()?;
        let (first, last) = view.unsealed(view.days_before(self.days.0))?;
        let before = count(view.state.usage.active_users(first, last));
        over(count(view.active(self.days.0)?), before, self.min_base.0)
    }
}

signal! {
    /// Distinct users of a short window over those of a long one.
    Stickiness = "stickiness", "share", Up, window {
        /// The short window.
        short: Days = Days(1),
        /// The long window.
        long: Days = Days(30),
    }
}

impl Stickiness {
    pub(crate) fn check(&self, object: &Object<'_>, faults: &mut Faults) {
        if self.short.0 > self.long.0 {
            faults.add(object.path("short"), format!("must be at most `long`, which is {}", self.long.0));
        }
    }
}

impl Measure for Stickiness {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.users_heard()?;
        let long = count(view.active(self.long.0)?);
        over(count(view.active(self.short.0)?), long, 0.0)
    }
}

signal! {
    /// Distinct users over the seats of paying subscriptions.
    SeatUse = "seat_use", "share", Up, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days = Days(30),
    }
}

impl Measure for SeatUse {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.users_heard()?;
        let seats = super::billing::paid_seats(view).ok_or(Missing::TooLittle)?;
        over(count(view.active(self.days.0)?), seats, 0.0)
    }
}

signal! {
    /// How many metrics were used, or which share of a list of metrics.
    Breadth = "breadth", "metrics or share", Up, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days,
        /// With a list, the share of it that was used.
        metrics: Option<Names>,
    }
}

impl Breadth {
    /// Whether a metric is one of those that are asked for.
    pub(super) fn counts(&self, metric: &str) -> bool {
        self.metrics.as_ref().is_none_or(|metrics| metrics.0.iter().any(|listed| listed == metric))
    }
}

impl Measure for Breadth {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let listed: Vec<&str> =
            self.metrics.iter().flat_map(|names| names.0.iter().map(String::as_str)).collect();
        view.usage_heard(&listed)?;
        let (first, last) = view.window(self.days.0)?;
        let used = |sums: &crate::daily::DaySums| sums.is_used(first, last);
        if listed.is_empty() {
            return Ok(count(view.state.usage.metrics().filter(|(_, metric)| used(metric.sums())).count()));
        }
        let metrics = listed.iter().filter_map(|name| view.state.usage.metric(name));
        Ok(count(metrics.filter(|metric| used(metric.sums())).count()) / count(listed.len()))
    }
}

signal! {
    /// Calendar days since the last day with usage, of one metric or of any.
    DaysSinceUsage = "days_since_usage", "days", Down, instant {
        /// Only of this metric; without it of any.
        metric: Option<String>,
    }
}

impl DaysSinceUsage {
    /// Whether a metric is the one that is asked for.
    pub(super) fn counts(&self, metric: &str) -> bool {
        self.metric.as_ref().is_none_or(|wanted| wanted == metric)
    }

    /// The last day with usage.
    pub(super) fn last_day(&self, view: &View<'_>) -> Result<Option<Day>, Missing> {
        let mut last = None;
        for (_, metric) in view.state.usage.metrics().filter(|(name, _)| self.counts(name.as_str())) {
            last = last.max(metric.sums().last_used(view.usage_day).map_err(|Sealed| Missing::Sealed)?);
        }
        Ok(last)
    }
}

impl Measure for DaysSinceUsage {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.usage_heard(self.metric.as_deref().as_slice())?;
        let last = self.last_day(view)?;
        last.map(|day| f64::from(view.today.days_since(day))).ok_or(Missing::NeverSeen)
    }
}

signal! {
    /// How many days of the window had any usage.
    ActiveDays = "active_days", "days", Up, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days,
    }
}

impl Measure for ActiveDays {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.usage_heard(&[])?;
        let (first, last) = view.window(self.days.0)?;
        let mut days: Vec<Day> =
            view.state.usage.metrics().flat_map(|(_, metric)| metric.sums().used(first, last)).collect();
        days.sort_unstable();
        days.dedup();
        Ok(count(days.len()))
    }
}

/// Fewer days than this are no baseline.
pub(crate) const LEAST_BASELINE: usize = 14;

/// How many days to take as a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BaselineDays(pub(crate) i32);

impl super::params::Param for BaselineDays {
    const EXPECTS: &'static str = "a whole number of days from 14 to 36500";
    fn read(value: &serde_json::Value) -> Option<Self> {
        Days::read(value).filter(|days| days.0 >= 14).map(|days| Self(days.0))
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "integer", "minimum": 14, "maximum": 36_500})
    }
}

signal! {
    /// The window's mean per day against the client's own baseline, in its standard deviations (n - 1).
    UsageVsOwn = "usage_vs_own", "standard deviations", Up, window {
        /// The metric, as events name it.
        metric: Metric,
        /// The window: so many calendar days that end with the usage day.
        days: Days,
        /// The days before the window that say what is usual.
        baseline_days: BaselineDays,
    }
}

impl Measure for UsageVsOwn {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.usage_heard(&[self.metric.name()])?;
        let (first, last) = view.window(self.days.0)?;
        let first_day = view.first_day().ok_or(Missing::NeverSeen)?;
        let (start, end) = (first.plus(-self.baseline_days.0).max(first_day), first.plus(-1));
        let baseline =
            view.unsealed((start, end)).map(|(start, end)| view.daily(&self.metric, start, end))?;
        if baseline.len() < LEAST_BASELINE {
            return Err(Missing::TooLittle);
        }
        let (mean, deviation) = mean_and_deviation(&baseline).ok_or(Missing::TooLittle)?;
        let window = view.sum(&self.metric, (first, last))? / f64::from(self.days.0);
        if deviation > 0.0 { Ok((window - mean) / deviation) } else { Err(Missing::TooLittle) }
    }
}

signal! {
    /// The sum in the window over the sum of the same calendar days a year before.
    UsageVsLastYear = "usage_vs_last_year", "ratio", Up, window {
        /// The metric, as events name it.
        metric: Metric,
        /// The window: so many calendar days that end with the usage day.
        days: Days,
    }
}

impl Measure for UsageVsLastYear {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.usage_heard(&[self.metric.name()])?;
        let (first, last) = view.days(self.days.0);
        let now = view.sum(&self.metric, (first, last))?;
        let before = (first.a_year_before(), last.a_year_before());
        view.sums(before)?;
        // Day by day, so that both sums have the same number of days: 28 February stands in for the 29th.
        let Some(metric) = view.metric(&self.metric) else { return Err(Missing::TooLittle) };
        let leap_days = |first: Day, last: Day| {
            (0..=last.days_since(first)).map(move |n| first.plus(n)).filter(|day| day.is_leap_day())
        };
        let mut sum = metric.sums().sum(before.0, before.1);
        for day in leap_days(first, last).filter(|day| *day > first).map(Day::a_year_before) {
            view.unsealed((day, day))?;
            sum += metric.sums().sum(day, day);
        }
        // The 29th of the year before is no day's day of the year before.
        for day in leap_days(before.0, before.1) {
            view.unsealed((day, day))?;
            sum -= metric.sums().sum(day, day);
        }
        over(now, number(sum), 0.0)
    }
}

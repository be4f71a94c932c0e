//! Questions about money: revenue, movements, cohorts, cash.

use super::Engine;
use crate::error::QueryError;
use crate::period::Period;
use crate::revenue::{
    self, AsOf, Benchmark, Benchmarks, Cash, ChurnReasons, Cohorts, Grain, GroupBy, Movements, PeriodUnit,
    Question, ReasonClasses, Refusal, RevenueOptions, RevenueReport, RevenueSeries, Scorecard,
    ScorecardReport, SettingError, Target, Targets, TopClients, Trials,
};
use crate::time::{Instant, Month, TimeError};

impl From<SettingError> for QueryError {
    fn from(error: SettingError) -> Self {
        let SettingError { setting, expected, found, is_time } = error;
        if is_time {
            return Self::BadTime(TimeError::new(found.trim_matches('"'), expected).of(setting));
        }
        Self::BadSetting { setting, expected, found }
    }
}

impl From<Refusal> for QueryError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Setting(error) => error.into(),
            Refusal::MissingRate { currency, date } => Self::MissingRate { currency, date },
            Refusal::Erased { client } => Self::Erased { client },
        }
    }
}

impl Engine {
    pub(super) fn question<'q>(
        &'q self,
        options: &'q RevenueOptions,
        start: Instant,
        end: Instant,
    ) -> Result<Question<'q>, QueryError> {
        let as_of = options.as_of.map_or(end, |as_of| as_of.instant(&self.zone));
        // A period that has not begun at the instant of the question has neither opening nor closing.
        Period { start, end }.begun(as_of)?;
        Ok(self.question_at(options, as_of))
    }

    pub(super) fn question_at<'q>(&'q self, options: &'q RevenueOptions, as_of: Instant) -> Question<'q> {
        let key = &self.settings.erasure_key;
        Question { book: &self.book, key, zone: &self.zone, sealed: self.sealed, options, as_of }
    }

    /// The recurring revenue of a period: opening, every movement, closing, and the rates that follow from them.
    ///
    /// ```
    /// use healthfold::{Engine, Event, Period, RevenueOptions, Settings};
    /// let mut engine = Engine::new(Settings::default())?;
    /// for (id, time, amount) in [("1", "2026-01-05T10:00:00Z", 100), ("2", "2026-03-05T10:00:00Z", 130)] {
    ///     engine.apply(&Event::from_json(format!(r#"{{"id":"{id}","source":"billing","type":"billing.subscription_set",
    ///         "subject":"acme","time":"{time}","data":{{"subscription":"s","status":"active","amount":{amount},
    ///         "currency":"USD","interval":{{"unit":"month"}}}}}}"#).as_bytes())?)?;
    /// }
    /// let march = Period::parse("2026-03", engine.zone())?;
    /// let total = engine.revenue(march, &RevenueOptions::default())?.total.unwrap();
    /// assert_eq!(total.expansion.mrr().to_string(), "30");
    /// assert_eq!(total.nrr.value, Some(1.3));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the period has not begun as of the question, or an amount cannot be valued in the reporting currency.
    pub fn revenue(&self, period: Period, options: &RevenueOptions) -> Result<RevenueReport, QueryError> {
        let question = self.question(options, period.start, period.end)?;
        let report = revenue::reports(&question, &[period])?.pop();
        // One period gives one report.
        report.ok_or_else(|| SettingError::new("period", "a period", "none").into())
    }

    /// The reports of consecutive periods from an instant to another, in one pass over the clients. Periods are calendar
    /// periods of the engine's zone, the first and the last cut at `start` and `end`; all are asked as of one instant, by
    /// default the end of the last. Periods that have not begun then are left out.
    ///
    /// # Errors
    /// As [`Engine::revenue`].
    pub fn revenue_series(
        &self,
        start: Instant,
        end: Instant,
        every: PeriodUnit,
        options: &RevenueOptions,
    ) -> Result<RevenueSeries, QueryError> {
        Period::between(start, end)?;
        let question = self.question(options, start, end)?;
        let mut periods = revenue::split(start, end, every, &self.zone);
        periods.retain(|period| period.start <= question.as_of);
        Ok(RevenueSeries { as_of: question.as_of, rows: revenue::reports(&question, &periods)? })
    }

    /// What each client did over a period, with the events behind it.
    ///
    /// # Errors
    /// As [`Engine::revenue`].
    pub fn movements(&self, period: Period, options: &RevenueOptions) -> Result<Movements, QueryError> {
        Ok(revenue::movements(&self.question(options, period.start, period.end)?, period)?)
    }

    /// Why clients left in a period: its churn by stated reason, by the action that a table of the caller's says it calls
    /// for, and by whether they wanted to leave. The lists add up to the churn of the revenue report; with grain `change`,
    /// too, the one net movement of a client is looked at.
    ///
    /// # Errors
    /// As [`Engine::movements`].
    pub fn churn_reasons(
        &self,
        period: Period,
        classes: &ReasonClasses,
        options: &RevenueOptions,
    ) -> Result<ChurnReasons, QueryError> {
        let options = RevenueOptions { grain: Grain::Net, ..options.clone() };
        Ok(revenue::churn_reasons(self.movements(period, &options)?, classes))
    }

    /// Clients by the month in which they began to pay, and what became of them month by month: of the cohorts from one
    /// month to another, both included, or of all; grouped by what each client was as it first paid. Cells of months that
    /// are not over are absent.
    ///
    /// # Errors
    /// If the last month is before the first, the settings group by cohort or by interval, or an amount cannot be valued.
    pub fn cohorts(
        &self,
        months: (Option<Month>, Option<Month>),
        as_of: impl Into<AsOf>,
        options: &RevenueOptions,
    ) -> Result<Cohorts, QueryError> {
        if let (Some(first), Some(last)) = months {
            Period::between(
                self.zone.start_of(first.first_day()),
                self.zone.start_of(last.plus(1).first_day()),
            )?;
        }
        let as_of = as_of.into().instant(&self.zone);
        Ok(revenue::cohorts(&self.question_at(options, as_of), months)?)
    }

    /// The trials that began and those that ended in a period, and how many of them pay.
    ///
    /// # Errors
    /// If the period has not begun as of the question.
    pub fn trials(&self, period: Period, options: &RevenueOptions) -> Result<Trials, QueryError> {
        Ok(revenue::trials(&self.question(options, period.start, period.end)?, period)?)
    }

    /// The `n` clients with the greatest MRR at an instant, in the reporting currency.
    ///
    /// ```
    /// # use healthfold::{Engine, Event, Period, RevenueOptions, Settings};
    /// # let mut engine = Engine::new(Settings::default())?;
    /// # for (client, amount) in [("acme", 100), ("birch", 300), ("cedar", 20)] {
    /// #     engine.apply(&Event::from_json(format!(r#"{{"id":"{client}","source":"billing","type":"billing.subscription_set",
    /// #         "subject":"{client}","time":"2025-12-05T10:00:00Z","data":{{"subscription":"s","status":"active",
    /// #         "amount":{amount},"currency":"USD","interval":{{"unit":"month"}}}}}}"#).as_bytes())?)?;
    /// # }
    /// // The top two as of 1 January, followed through March.
    /// let top = engine.top(2, engine.zone().as_of("2026-01-01")?, &RevenueOptions::default())?;
    /// let options = RevenueOptions { only_clients: Some(top.ids()), ..RevenueOptions::default() };
    /// let march = engine.revenue(Period::parse("2026-03", engine.zone())?, &options)?.total.unwrap();
    /// assert_eq!((march.clients.opening, march.opening.mrr().to_string().as_str()), (2, "400"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If they pay in several currencies and there are no rates, or an amount cannot be valued.
    pub fn top(
        &self,
        n: usize,
        as_of: impl Into<AsOf>,
        options: &RevenueOptions,
    ) -> Result<TopClients, QueryError> {
        let as_of = as_of.into().instant(&self.zone);
        Ok(revenue::top(&self.question_at(options, as_of), n)?)
    }

    /// Targets of owners, or of the whole book, beside what came of them in a period.
    ///
    /// # Errors
    /// As [`Engine::revenue`].
    pub fn targets(
        &self,
        period: Period,
        targets: &[Target],
        options: &RevenueOptions,
    ) -> Result<Targets, QueryError> {
        let options = RevenueOptions { group_by: Some(GroupBy::Owner), ..options.clone() };
        Ok(revenue::targets(&self.revenue(period, &options)?, targets))
    }

    /// Benchmarks of the caller's beside what came of them in a period, each with its source; with `group_by` for each
    /// group, too. A benchmark is held against the period as it is: one of a year is for a year.
    ///
    /// # Errors
    /// As [`Engine::revenue`].
    pub fn benchmarks(
        &self,
        period: Period,
        benchmarks: &[Benchmark],
        options: &RevenueOptions,
    ) -> Result<Benchmarks, QueryError> {
        Ok(revenue::benchmarks(&self.revenue(period, options)?, benchmarks))
    }

    /// A scorecard filled in for a period: its metrics and nothing else. Figures of revenue are those of the report; signals
    /// are read at the closing, over clients that are not erased. With `group_by` also for each group: of revenue as the
    /// report says, of signals by what stands at the closing.
    ///
    /// # Errors
    /// As [`Engine::revenue`]; with signals on the card also if `group_by` is not something stated about clients.
    pub fn scorecard(
        &self,
        card: &Scorecard,
        period: Period,
        options: &RevenueOptions,
    ) -> Result<ScorecardReport, QueryError> {
        let report = if card.has_revenue() { Some(self.revenue(period, options)?) } else { None };
        let question = self.question(options, period.start, period.end)?;
        Ok(revenue::scorecard(&question, card, period, report.as_ref())?)
    }

    /// Cash beside run-rate: what was invoiced, paid, charged and refunded in a period, and what is overdue at its end. As
    /// of the end of the period unless another instant is given.
    ///
    /// # Errors
    /// If the period has not begun as of the question.
    pub fn cash(&self, period: Period, as_of: Option<AsOf>) -> Result<Cash, QueryError> {
        let as_of = as_of.map_or(period.end, |as_of| as_of.instant(&self.zone));
        period.begun(as_of)?;
        Ok(revenue::cash(&self.book, period, as_of, &self.zone))
    }
}

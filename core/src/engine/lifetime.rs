//! Questions about how long clients stay and what they are worth.

use super::Engine;
use crate::error::QueryError;
use crate::lifetime::{
    self, Lifetime, LifetimeError, LifetimeOptions, Ltv, LtvMethod, LtvOptions, ModelLtv, RfmSummary,
    SimpleLtv, Spells, SpellsOf,
};
use crate::period::Period;
use crate::revenue::{self, AsOf, Margin, ObservedLtv, RevenueOptions};
use crate::time::Instant;

impl From<LifetimeError> for QueryError {
    fn from(error: LifetimeError) -> Self {
        match error {
            LifetimeError::TooFew { what, needed, found } => Self::TooFew { what, needed, found },
            LifetimeError::BadSetting { setting, expected, found } => {
                Self::BadSetting { setting: setting.to_owned(), expected: expected.to_owned(), found }
            }
            LifetimeError::Impossible { field, index, fault } => Self::BadSetting {
                setting: format!("{field}[{index}]"),
                expected: fault.to_owned(),
                found: String::new(),
            },
        }
    }
}

impl Engine {
    /// The unbroken paying times of all clients as of an instant, each with its age and whether it is over: what
    /// [`Engine::lifetime`] makes curves of, for a look at single clients or for tools of your own.
    ///
    /// # Errors
    /// If the settings attribute by interval, or an amount cannot be valued.
    pub fn spells(&self, as_of: impl Into<AsOf>, options: &LifetimeOptions) -> Result<Spells, QueryError> {
        let as_of = as_of.into().instant(&self.zone);
        let first = self.span().map(|(first, _)| first);
        Ok(lifetime::spells(&self.question_at(&options.revenue, as_of), options, first)?)
    }

    /// How long clients stay: Kaplan-Meier curves of their unbroken paying times with intervals, the median and the
    /// restricted mean; with `group_by` of each group, and whether the groups last alike.
    ///
    /// ```
    /// use healthfold::lifetime::LifetimeOptions;
    /// use healthfold::{Engine, Event, Settings};
    /// let mut engine = Engine::new(Settings::default())?;
    /// for (id, client, day, status) in [
    ///     ("1", "acme", "2026-01-01", "active"), ("2", "acme", "2026-01-31", "cancelled"),
    ///     ("3", "birch", "2026-01-01", "active"),
    /// ] {
    ///     engine.apply(&Event::from_json(format!(r#"{{"id":"{id}","source":"billing","type":"billing.subscription_set",
    ///         "subject":"{client}","time":"{day}T10:00:00Z","data":{{"subscription":"s","status":"{status}","amount":50,
    ///         "currency":"USD","interval":{{"unit":"month"}}}}}}"#).as_bytes())?)?;
    /// }
    /// let life = engine.lifetime(engine.zone().as_of("2026-03-31")?, &LifetimeOptions::default())?;
    /// assert_eq!(life.total.curve.survival_at(30.0), 0.5, "acme left after 30 days, birch is still there after 89");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Engine::spells`].
    pub fn lifetime(
        &self,
        as_of: impl Into<AsOf>,
        options: &LifetimeOptions,
    ) -> Result<Lifetime, QueryError> {
        Ok(Lifetime::of(self.spells(as_of, options)?))
    }

    /// How often, how lately and for how much clients buy without a contract, by their charges: what buy-till-you-die models
    /// are fitted to. With `calibration_end` also how often they bought after it.
    ///
    /// # Errors
    /// If clients buy in several currencies and none is chosen, an amount cannot be valued, or `group_by` is something that
    /// only contracts say.
    pub fn rfm(&self, as_of: impl Into<AsOf>, options: &LifetimeOptions) -> Result<RfmSummary, QueryError> {
        let as_of = as_of.into().instant(&self.zone);
        Ok(lifetime::rfm(&self.question_at(&options.revenue, as_of), options)?)
    }

    /// What clients are worth, by the method of the options: from the figures of one period, from what was paid, or from a
    /// model of how long clients stay or how often they come back. Each answer names its method and its horizon.
    ///
    /// ```
    /// use healthfold::lifetime::{Ltv, LtvOptions};
    /// use healthfold::{Engine, Event, Settings};
    /// let mut engine = Engine::new(Settings::default())?;
    /// for (id, client, day, status) in [
    ///     ("1", "acme", "2026-01-01", "active"), ("2", "acme", "2026-03-10", "cancelled"),
    ///     ("3", "birch", "2026-01-01", "active"),
    /// ] {
    ///     engine.apply(&Event::from_json(format!(r#"{{"id":"{id}","source":"billing","type":"billing.subscription_set",
    ///         "subject":"{client}","time":"{day}T10:00:00Z","data":{{"subscription":"s","status":"{status}","amount":60,
    ///         "currency":"USD","interval":{{"unit":"month"}}}}}}"#).as_bytes())?)?;
    /// }
    /// let options = LtvOptions::from_json(r#"{"method": "simple", "margin": "0.8"}"#)?;
    /// let Ltv::Simple(simple) = engine.ltv(engine.zone().as_of("2026-03-31")?, &options)? else { unreachable!() };
    /// assert_eq!(simple.values[0].value, Some(96.0), "in March 60 x 0.8 / (1 of 2)");
    /// let models = LtvOptions::from_json(r#"{"method": "sbg"}"#)?;
    /// assert_eq!(engine.ltv(engine.zone().as_of("2026-03-31")?, &models).unwrap_err().code(), "too_few");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `too_few` where a model has not enough clients; as [`Engine::spells`], [`Engine::rfm`] and [`Engine::revenue`].
    pub fn ltv(&self, as_of: impl Into<AsOf>, options: &LtvOptions) -> Result<Ltv, QueryError> {
        let as_of = as_of.into().instant(&self.zone);
        Ok(match options.method {
            LtvMethod::Simple => {
                let period = match &options.period {
                    Some(text) => Period::parse(text, &self.zone)?,
                    // The last calendar month that is over.
                    None => {
                        let behind = self.zone.day(as_of.just_after()).month();
                        Period::month(behind.plus(-1), &self.zone)
                    }
                };
                Ltv::Simple(Box::new(self.ltv_of_period(period, Some(as_of), options)?))
            }
            LtvMethod::Observed => Ltv::Observed(self.observed(as_of, options)?),
            LtvMethod::Sbg | LtvMethod::Bdw => Ltv::Model(Box::new(self.ltv_contract(as_of, options)?)),
            LtvMethod::BgNbd | LtvMethod::MbgNbd | LtvMethod::ParetoNbd => {
                let summary = self.rfm(as_of, &options.lifetime)?;
                Ltv::Model(Box::new(lifetime::purchases(summary, options)??))
            }
        })
    }

    /// Simple lifetime value: ARPA x margin / monthly logo churn of a period; undefined where nobody churned. For discounts,
    /// growth and horizons see [`Engine::ltv`].
    ///
    /// # Errors
    /// As [`Engine::revenue`].
    pub fn ltv_simple(
        &self,
        period: Period,
        margin: Margin,
        options: &RevenueOptions,
    ) -> Result<SimpleLtv, QueryError> {
        let lifetime = LifetimeOptions { revenue: options.clone(), ..LifetimeOptions::default() };
        self.simple(period, &LtvOptions { lifetime, margin, ..LtvOptions::default() })
    }

    /// Observed lifetime value: what each client has paid by an instant, less what was paid back. With a margin, in one
    /// currency or down to the events see [`Engine::ltv`].
    ///
    /// # Errors
    /// None at present: nothing is converted.
    pub fn ltv_observed(&self, as_of: Instant) -> Result<ObservedLtv, QueryError> {
        self.observed(as_of, &LtvOptions::default())
    }

    /// As [`Engine::ltv`] by the simple method, of the figures of a period; as of its end unless another instant is given.
    ///
    /// # Errors
    /// As [`Engine::revenue`].
    pub fn ltv_of_period(
        &self,
        period: Period,
        as_of: Option<Instant>,
        options: &LtvOptions,
    ) -> Result<SimpleLtv, QueryError> {
        let mut options = options.clone();
        options.lifetime.revenue.as_of = as_of.map(AsOf::At);
        self.simple(period, &options)
    }

    fn simple(&self, period: Period, options: &LtvOptions) -> Result<SimpleLtv, QueryError> {
        let revenue = &options.lifetime.revenue;
        let report = self.revenue(period, revenue)?;
        let question = self.question(revenue, period.start, period.end)?;
        Ok(lifetime::simple(&question, report, options)?)
    }

    fn observed(&self, as_of: Instant, options: &LtvOptions) -> Result<ObservedLtv, QueryError> {
        let question = self.question_at(&options.lifetime.revenue, as_of);
        Ok(revenue::observed(&question, options.margin, options.with_payments)?)
    }

    fn ltv_contract(&self, as_of: Instant, options: &LtvOptions) -> Result<ModelLtv, QueryError> {
        // Clients are valued by the spell that runs, also where the model is fitted to first ones only.
        let all = LifetimeOptions { spells: SpellsOf::Every, ..options.lifetime.clone() };
        let spells = self.spells(as_of, &all)?;
        let question = self.question_at(&options.lifetime.revenue, as_of);
        Ok(lifetime::contract(&question, &spells, options)??)
    }
}

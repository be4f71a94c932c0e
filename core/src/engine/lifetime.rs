//! Questions about how long clients stay and what they are worth.

use super::Engine;
use crate::error::QueryError;
use crate::lifetime::{self, Lifetime, LifetimeOptions, RfmSummary, Spells};
use crate::revenue::AsOf;

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
}

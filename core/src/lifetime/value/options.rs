//! The methods of lifetime value and their settings.

use crate::lifetime::options::{LifetimeOptions, member, members};
use crate::lifetime::renewals::RenewalInterval;
use crate::revenue::{Margin, SettingError};
use crate::time::Instant;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

/// How a lifetime value is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LtvMethod {
    /// The figures of one period for ever: ARPA x margin / churn.
    #[default]
    Simple,
    /// What was paid, less what was paid back.
    Observed,
    /// Shifted beta-geometric: contracts whose retention rises with age.
    Sbg,
    /// Beta discrete Weibull: contracts whose retention may also fall.
    Bdw,
    /// BG/NBD with Gamma-Gamma: purchases, clients may leave after each repeat.
    BgNbd,
    /// MBG/NBD with Gamma-Gamma: purchases, clients may also leave after the first.
    MbgNbd,
    /// Pareto/NBD with Gamma-Gamma: purchases, clients may leave at any time.
    ParetoNbd,
}

impl LtvMethod {
    const NAMES: &str = "one of simple, observed, sbg, bdw, bg_nbd, mbg_nbd, pareto_nbd";

    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Observed => "observed",
            Self::Sbg => "sbg",
            Self::Bdw => "bdw",
            Self::BgNbd => "bg_nbd",
            Self::MbgNbd => "mbg_nbd",
            Self::ParetoNbd => "pareto_nbd",
        }
    }
}

impl std::str::FromStr for LtvMethod {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let fault = |_| SettingError::new("method", Self::NAMES, text);
        serde_json::from_value(serde_json::Value::from(text)).map_err(fault)
    }
}

/// How far a lifetime value looks ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LtvHorizon {
    /// `simple`: unbounded; the models: 36 months.
    #[default]
    OfMethod,
    /// So many months.
    Months(u32),
    /// For as long as clients stay.
    Unbounded,
}

impl Serialize for LtvHorizon {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::OfMethod => serializer.serialize_none(),
            Self::Months(months) => serializer.serialize_u32(*months),
            Self::Unbounded => serializer.serialize_str("unbounded"),
        }
    }
}

/// When in a period a payment comes, for the simple method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payments {
    /// At its start: the first is paid now.
    #[default]
    Due,
    /// At its end, by those still there.
    Arrears,
}

/// The settings of a question about lifetime value. In JSON one object with members of these names, those of
/// [`LifetimeOptions`], and those of [`crate::RevenueOptions`].
///
/// ```
/// use healthfold::lifetime::{LtvMethod, LtvOptions};
/// let options = LtvOptions::from_json(r#"{"method": "sbg", "margin": "0.8", "annual_discount": 0.1, "horizon_months": 24}"#)?;
/// assert_eq!(options.method, LtvMethod::Sbg);
/// assert!(LtvOptions::from_json(r#"{"horizon_months": 0}"#).is_err());
/// # Ok::<(), healthfold::SettingError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LtvOptions {
    /// Which clients and spells, and by what they are grouped.
    #[serde(flatten)]
    pub lifetime: LifetimeOptions,
    /// How it is found.
    pub method: LtvMethod,
    /// The share of revenue that is left after the cost of serving; 1 unless said.
    pub margin: Margin,
    /// By how much money is worth less a year ahead: 0.1 for 10 %; 0 unless said.
    pub annual_discount: f64,
    /// With `simple`: by how much a client's payments grow a year; 0 unless said.
    pub annual_growth: f64,
    /// How far it looks ahead.
    pub horizon_months: LtvHorizon,
    /// With `simple`: when in a month a payment comes.
    pub payments: Payments,
    /// With `simple`: the period whose figures are taken, such as 2026-03; unless said the last calendar month that is over.
    pub period: Option<String>,
    /// With `observed`: each payment, too, with the events behind it.
    pub with_payments: bool,
    /// With `sbg` and `bdw`: how often contracts are renewed; every month unless said.
    pub renewal: RenewalInterval,
}

impl Default for LtvOptions {
    fn default() -> Self {
        Self {
            lifetime: LifetimeOptions::default(),
            method: LtvMethod::default(),
            margin: Margin::WHOLE,
            annual_discount: 0.0,
            annual_growth: 0.0,
            horizon_months: LtvHorizon::default(),
            payments: Payments::default(),
            period: None,
            with_payments: false,
            renewal: RenewalInterval::default(),
        }
    }
}

/// The months that the models look ahead unless said.
pub(super) const MONTHS: u32 = 36;

impl LtvOptions {
    /// Reads settings from a JSON object. A member that is null stands for its default.
    ///
    /// # Errors
    /// If a setting is unknown or not what it may be; the error names it.
    pub fn from_json(text: &str) -> Result<Self, SettingError> {
        let mut options = Self::default();
        for (name, raw) in members(text)? {
            options.set(&name, &raw)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, raw: &RawValue) -> Result<(), SettingError> {
        let fault = |expected: &str| SettingError::new(name, expected, raw.get());
        let text = raw.get();
        match name {
            "method" => self.method = member(name, raw, LtvMethod::NAMES)?,
            "margin" if text == "null" => self.margin = Margin::WHOLE,
            // A number, or the same in quotes.
            "margin" => self.margin = text.trim_matches('"').parse()?,
            "annual_discount" => self.annual_discount = share(name, raw, 0.0)?,
            "annual_growth" => self.annual_growth = share(name, raw, -0.99)?,
            "horizon_months" => {
                let months = text.parse::<u32>().ok().filter(|months| (1..=1_200).contains(months));
                self.horizon_months = match text {
                    "null" => LtvHorizon::OfMethod,
                    "\"unbounded\"" => LtvHorizon::Unbounded,
                    _ => LtvHorizon::Months(
                        months.ok_or_else(|| fault("a whole number from 1 to 1200, or unbounded"))?,
                    ),
                };
            }
            "payments" => self.payments = member(name, raw, "one of due, arrears")?,
            "period" => self.period = member(name, raw, "a period such as 2026-03")?,
            "with_payments" => self.with_payments = member(name, raw, "true or false")?,
            "renewal" => self.renewal = member(name, raw, "one of week, month, quarter, year")?,
            _ => return self.lifetime.set(name, raw),
        }
        Ok(())
    }

    /// The name of the horizon and its months.
    pub(super) fn horizon(&self) -> (&'static str, Option<u32>) {
        match (self.horizon_months, self.method) {
            (LtvHorizon::Months(months), _) => ("months", Some(months)),
            (LtvHorizon::Unbounded, _) | (LtvHorizon::OfMethod, LtvMethod::Simple) => ("unbounded", None),
            (LtvHorizon::OfMethod, _) => ("months", Some(MONTHS)),
        }
    }

    /// A rate a year as that of so many months.
    pub(super) fn over(rate: f64, months: f64) -> f64 {
        libm::pow(1.0 + rate, months / 12.0) - 1.0
    }

    /// `revenue`, or `margin`.
    pub(super) fn basis(&self) -> &'static str {
        if self.margin == Margin::WHOLE { "revenue" } else { "margin" }
    }

    /// With the instant they were resolved to.
    pub(super) fn resolved(&self, as_of: Instant) -> Self {
        Self { lifetime: self.lifetime.resolved(as_of), ..self.clone() }
    }
}

/// A number from a least one to 10.
fn share(name: &str, raw: &RawValue, least: f64) -> Result<f64, SettingError> {
    let expected = format!("a number from {least} to 10, such as 0.1 for 10 %");
    let number: f64 = member(name, raw, &expected)?;
    if (least..=10.0).contains(&number) {
        Ok(number)
    } else {
        Err(SettingError::new(name, expected, raw.get()))
    }
}

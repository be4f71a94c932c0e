//! The settings of questions about lifetimes: those of money, which say what paying is, and a few of their own.

use super::kaplan_meier::SurvivalBounds;
use super::log_rank::LogRankWeights;
use crate::event::wire::Value;
use crate::revenue::{AsOf, Refusal, RevenueOptions, SettingError, Stated};
use crate::time::Instant;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Which spells of a client are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpellsOf {
    /// Every unbroken paying time: who comes back begins again.
    #[default]
    Every,
    /// Only the first of each client.
    First,
}

/// The settings of a question about lifetimes. In JSON one object with members of these names and those of
/// [`RevenueOptions`]; of these `group_by`, `renewal_grace_days`, `paused`, `past_due_limit_days`, `only_currency` and
/// `only_clients` matter here.
///
/// ```
/// use healthfold::lifetime::{LifetimeOptions, SpellsOf};
/// let options = LifetimeOptions::from_json(r#"{"group_by": "segment", "renewal_grace_days": 10, "spells": "first"}"#)?;
/// assert_eq!(options.spells, SpellsOf::First);
/// assert_eq!(options.revenue.renewal_grace_days, 10);
/// # Ok::<(), healthfold::SettingError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LifetimeOptions {
    /// What paying is, and what clients are grouped by.
    #[serde(flatten)]
    pub revenue: RevenueOptions,
    /// From when on the log is complete; unless said from its first event on. A date is its first instant.
    pub data_start: Option<AsOf>,
    /// Of purchases: the end of the calibration, what comes after is held out; unless said the instant of the question. A
    /// date is its last microsecond.
    pub calibration_end: Option<AsOf>,
    /// The horizon of restricted means; unless said the last age that every group was seen at.
    pub horizon_days: Option<u32>,
    /// Which spells count.
    pub spells: SpellsOf,
    /// How the intervals of curves are made.
    pub bounds: SurvivalBounds,
    /// What counts more in the test between groups.
    pub weights: LogRankWeights,
}

const NAMES: &str = "data_start, calibration_end, horizon_days, spells, bounds, weights";

/// The members of a JSON object.
pub(super) fn members(text: &str) -> Result<BTreeMap<String, Box<RawValue>>, SettingError> {
    serde_json::from_str(text)
        .map_err(|_| SettingError::new("settings", "an object with settings by name", text))
}

/// A member as its type, or its default for null.
pub(super) fn member<T: DeserializeOwned + Default>(
    name: &str,
    raw: &RawValue,
    expected: &str,
) -> Result<T, SettingError> {
    let value = serde_json::from_str::<Option<T>>(raw.get());
    value.map(Option::unwrap_or_default).map_err(|_| SettingError::new(name, expected, raw.get()))
}

/// A whole number within a range; nothing for null.
pub(super) fn whole(
    name: &str,
    raw: &RawValue,
    allowed: std::ops::RangeInclusive<u32>,
) -> Result<Option<u32>, SettingError> {
    let expected = format!("a whole number from {} to {}", allowed.start(), allowed.end());
    let number: Option<u32> = member(name, raw, &expected)?;
    match number {
        Some(number) if !allowed.contains(&number) => Err(SettingError::new(name, expected, raw.get())),
        number => Ok(number),
    }
}

/// An instant or a date; nothing for null.
pub(super) fn instant(name: &str, raw: &RawValue) -> Result<Option<AsOf>, SettingError> {
    let expected = AsOf::EXPECTS;
    let text: Option<String> = member(name, raw, expected)?;
    let parsed = text.map(|text| text.parse::<AsOf>());
    parsed.transpose().map_err(|_| SettingError::of_time(name, expected, raw.get()))
}

impl LifetimeOptions {
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

    pub(super) fn set(&mut self, name: &str, raw: &RawValue) -> Result<(), SettingError> {
        match name {
            "data_start" => self.data_start = instant(name, raw)?,
            "calibration_end" => self.calibration_end = instant(name, raw)?,
            "horizon_days" => self.horizon_days = whole(name, raw, 0..=100_000)?,
            "spells" => self.spells = member(name, raw, "one of every, first")?,
            "bounds" => self.bounds = member(name, raw, "one of log_log, log, plain")?,
            "weights" => {
                let expected = "one of log_rank, wilcoxon, tarone_ware, peto, fleming_harrington";
                self.weights = member(name, raw, expected)?;
            }
            _ => return self.revenue.set_or(name, Value::of_json(raw.get()), NAMES),
        }
        Ok(())
    }

    /// What clients that buy without a contract are grouped by: only what is stated about them stands at a purchase.
    pub(super) fn purchase_group(&self) -> Result<Option<Stated<'_>>, Refusal> {
        let Some(by) = &self.revenue.group_by else { return Ok(None) };
        let expected =
            "owner, managed, segment, tag or attribute:KEY for clients that buy without a contract";
        let fault = || Refusal::Setting(SettingError::new("group_by", expected, &by.to_string()));
        Stated::of(by).map(Some).ok_or_else(fault)
    }

    /// With the instant they were resolved to.
    pub(super) fn resolved(&self, as_of: Instant) -> Self {
        let revenue = RevenueOptions { as_of: Some(AsOf::At(as_of)), ..self.revenue.clone() };
        Self { revenue, ..self.clone() }
    }
}

impl<'de> Deserialize<'de> for LifetimeOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = BTreeMap::<String, Box<RawValue>>::deserialize(deserializer)?;
        let mut options = Self::default();
        for (name, raw) in members {
            options.set(&name, &raw).map_err(D::Error::custom)?;
        }
        Ok(options)
    }
}

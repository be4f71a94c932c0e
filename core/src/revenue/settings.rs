//! The settings of a question about money. Every answer repeats those it used.

use super::group::Stated;
use super::policy::{AsOf, Attribution, Grain, GroupBy, IntervalMethod, LogoBase, PausedAs, SettingError};
use crate::event::wire::Value;
use crate::exchange::{self, ExchangeRate, Rate, RateFault};
use crate::id::ClientId;
use crate::money::Currency;
use crate::recurring::{Annual, Factor, Recurring, YearFactors};
use crate::score::Model;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The settings of a question about money. In JSON an object with members of these names; unknown ones are refused.
///
/// ```
/// use healthfold::{PausedAs, RevenueOptions};
/// let options = RevenueOptions { paused: PausedAs::Churn, ..RevenueOptions::default() };
/// assert_eq!(RevenueOptions::from_json(r#"{"paused": "churn"}"#)?, options);
/// let error = RevenueOptions::from_json(r#"{"paused": "maybe"}"#).unwrap_err();
/// assert_eq!(error.to_string(), "`paused` must be one of own, churn, keep, found `\"maybe\"`");
/// # Ok::<(), healthfold::SettingError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RevenueOptions {
    /// The instant of the question; without it the end of the period. Events after it are not seen.
    pub as_of: Option<AsOf>,
    /// The reporting currency; without it figures are per currency.
    pub currency: Option<Currency>,
    /// What a unit of other currencies is worth in the reporting currency, from when on.
    pub rates: Vec<Rate>,
    /// Only what is paid in this currency.
    pub only_currency: Option<Currency>,
    /// The book of the question is only these clients; ids that were merged stand for who they are part of now.
    pub only_clients: Option<BTreeSet<ClientId>>,
    /// A row for each value of this, too.
    pub group_by: Option<GroupBy>,
    /// With `group_by` band: the health model whose bands they are. In JSON its document.
    #[serde(serialize_with = "document")]
    pub model: Option<Arc<Model>>,
    /// What a pause is.
    pub paused: PausedAs,
    /// The base of logo churn.
    pub base: LogoBase,
    /// Whose a movement is when a client goes from one group to another.
    pub attribution: Attribution,
    /// Whether every change is counted, too.
    pub grain: Grain,
    /// How intervals of money rates are made.
    pub interval: IntervalMethod,
    /// With `bootstrap`: what the draws begin from; 0 unless said.
    pub seed: u64,
    /// With `bootstrap`: how many draws; 2 000 unless said.
    pub resamples: Option<u32>,
    /// Print all money in minor units of its currency, half to even, with a line `rounding` that makes the column foot.
    pub rounded: bool,
    /// In each report also the rates of the last so many months up to the period's end.
    pub trailing: Vec<u32>,
    /// A client that comes back after a longer gap is new; without it any gap is a reactivation.
    pub reactivation_within_days: Option<u32>,
    /// A gap in paying no longer than this many calendar days is no gap, once the renewal is known.
    pub renewal_grace_days: u32,
    /// How many days after its first day a past_due subscription still counts; without it until its status changes.
    pub past_due_limit_days: Option<u32>,
    /// Weeks and days in a year.
    #[serde(flatten)]
    pub factors: Factors,
}

/// Weeks and days in a year: 52 and 365 unless said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factors(pub YearFactors);

impl Serialize for Factors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut fields = serializer.serialize_struct("Factors", 2)?;
        fields.serialize_field("week_factor", &self.0.week.to_string())?;
        fields.serialize_field("day_factor", &self.0.day.to_string())?;
        fields.end()
    }
}

const NAMES: &str = "as_of, currency, rates, only_currency, only_clients, group_by, model, paused, base, attribution, grain, \
                     interval, seed, resamples, rounded, trailing, reactivation_within_days, renewal_grace_days, \
                     past_due_limit_days, week_factor, day_factor";

/// The first fault of the rates, as that of the setting.
fn rates_fault(faults: Vec<RateFault>) -> SettingError {
    let first = faults.into_iter().next();
    let (expected, found) = first.map_or(("", String::new()), |fault| (fault.expected, fault.found));
    SettingError::new("rates", expected, &found)
}

impl std::str::FromStr for ExchangeRate {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        Self::parse(text).ok_or_else(|| SettingError::new("rates", Self::EXPECTS, text))
    }
}

impl RevenueOptions {
    /// Reads settings from a JSON object. A member that is null stands for its default.
    ///
    /// # Errors
    /// If a setting is unknown or not what it may be; the error names it.
    pub fn from_json(text: &str) -> Result<Self, SettingError> {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(text)
            .map_err(|_| SettingError::new("settings", "an object with settings by name", text))?;
        let mut options = Self::default();
        for (name, value) in members {
            options.set(&name, Value::of_json(value.get()))?;
        }
        Ok(options)
    }

    /// An amount of a currency as the answer prints it.
    pub(super) fn line(&self, annual: Annual, currency: Currency) -> Recurring {
        let line = Recurring::from(annual);
        if self.rounded { line.rounded(currency) } else { line }
    }

    /// Whether the settings go together.
    pub(super) fn check(&self) -> Result<(), SettingError> {
        if self.currency.is_none() && !self.rates.is_empty() {
            let expected = "the reporting currency that the rates are for";
            return Err(SettingError::new("currency", expected, "null"));
        }
        let reporting = self.currency.and_then(|reporting| exchange::against_itself(reporting, &self.rates));
        if let Some((index, rate)) = reporting {
            let setting = format!("rates[{index}].rate");
            let expected = format!("1 for {}, which is the reporting currency", rate.currency);
            return Err(SettingError::new(&setting, expected, &rate.rate.to_string()));
        }
        let group_by = self.group_by.as_ref();
        if self.attribution == Attribution::Interval && group_by.and_then(Stated::of).is_none() {
            let expected = "`opening` unless `group_by` is owner, managed, segment, tag or attribute:KEY";
            return Err(SettingError::new("attribution", expected, "interval"));
        }
        match (&self.model, group_by == Some(&GroupBy::Band)) {
            (None, true) => {
                Err(SettingError::new("model", "the health model whose bands `group_by` is to take", "null"))
            }
            (Some(model), false) => {
                Err(SettingError::new("model", "absent unless `group_by` is band", model.name()))
            }
            (Some(_), true) | (None, false) => Ok(()),
        }
    }

    /// Sets one by its name; `more` are names that the caller knows beside these.
    pub(crate) fn set_or(&mut self, name: &str, raw: Value<'_>, more: &str) -> Result<(), SettingError> {
        self.set(name, raw).map_err(|fault| {
            let unknown = fault.setting == name && fault.expected == format!("one of {NAMES}");
            if unknown { SettingError::new(name, format!("one of {more}, {NAMES}"), name) } else { fault }
        })
    }

    fn set(&mut self, name: &str, raw: Value<'_>) -> Result<(), SettingError> {
        let default = Self::default();
        let null = raw.is_null();
        match name {
            "as_of" => self.as_of = as_of(name, raw)?,
            "currency" => self.currency = optional(name, raw, CURRENCY)?,
            "rates" if null => self.rates = default.rates,
            "rates" => self.rates = exchange::read(&raw.json()).map_err(rates_fault)?,
            "only_currency" => self.only_currency = optional(name, raw, CURRENCY)?,
            "only_clients" => self.only_clients = clients(name, raw)?,
            "group_by" => self.group_by = optional(name, raw, GroupBy::EXPECTED)?,
            "model" if null => self.model = default.model,
            "model" => self.model = Some(Arc::new(model(raw)?)),
            "paused" if null => self.paused = default.paused,
            "paused" => self.paused = PausedAs::read(name, raw)?,
            "base" if null => self.base = default.base,
            "base" => self.base = LogoBase::read(name, raw)?,
            "attribution" if null => self.attribution = default.attribution,
            "attribution" => self.attribution = Attribution::read(name, raw)?,
            "grain" if null => self.grain = default.grain,
            "grain" => self.grain = Grain::read(name, raw)?,
            "interval" if null => self.interval = default.interval,
            "interval" => self.interval = IntervalMethod::read(name, raw)?,
            "seed" => self.seed = seed(name, raw)?,
            "resamples" => self.resamples = whole(name, raw, 100..=100_000)?,
            "rounded" if null => self.rounded = default.rounded,
            "rounded" => {
                let fault = |_| SettingError::new(name, "true or false", &raw.json());
                self.rounded = raw.bool().map_err(fault)?;
            }
            "trailing" if null => self.trailing = default.trailing,
            "trailing" => self.trailing = months(name, raw)?,
            "reactivation_within_days" => self.reactivation_within_days = days(name, raw)?,
            "renewal_grace_days" => self.renewal_grace_days = days(name, raw)?.unwrap_or_default(),
            "past_due_limit_days" => self.past_due_limit_days = days(name, raw)?,
            "week_factor" => self.factors.0.week = factor(name, raw)?.unwrap_or(default.factors.0.week),
            "day_factor" => self.factors.0.day = factor(name, raw)?.unwrap_or(default.factors.0.day),
            _ => return Err(SettingError::new(name, format!("one of {NAMES}"), name)),
        }
        Ok(())
    }
}

fn model(raw: Value<'_>) -> Result<Model, SettingError> {
    let fault =
        |error| SettingError::new("model", format!("a health model without faults ({error})"), &raw.json());
    Model::from_json(&raw.json()).map_err(fault)
}

/// A model as the document it was made from.
fn document<S: Serializer>(model: &Option<Arc<Model>>, serializer: S) -> Result<S::Ok, S::Error> {
    model.as_ref().map(|model| model.to_json()).serialize(serializer)
}

const CURRENCY: &str = "a currency of three capital letters, such as USD";

/// A text that parses, or nothing for null.
fn optional<T: std::str::FromStr>(
    setting: &str,
    raw: Value<'_>,
    expected: &str,
) -> Result<Option<T>, SettingError> {
    if raw.is_null() {
        return Ok(None);
    }
    let text = raw.string("").ok().and_then(|text| text.parse().ok());
    text.map(Some).ok_or_else(|| SettingError::new(setting, expected, &raw.json()))
}

fn as_of(setting: &str, raw: Value<'_>) -> Result<Option<AsOf>, SettingError> {
    let fault = |_| SettingError::of_time(setting, AsOf::EXPECTS, &raw.json());
    optional(setting, raw, AsOf::EXPECTS).map_err(fault)
}

fn days(setting: &str, raw: Value<'_>) -> Result<Option<u32>, SettingError> {
    whole(setting, raw, 0..=100_000)
}

fn whole(
    setting: &str,
    raw: Value<'_>,
    allowed: std::ops::RangeInclusive<u32>,
) -> Result<Option<u32>, SettingError> {
    if raw.is_null() {
        return Ok(None);
    }
    let number = raw.json().parse::<u32>().ok().filter(|number| allowed.contains(number));
    let expected = || format!("a whole number from {} to {}", allowed.start(), allowed.end());
    number.map(Some).ok_or_else(|| SettingError::new(setting, expected(), &raw.json()))
}

fn seed(setting: &str, raw: Value<'_>) -> Result<u64, SettingError> {
    if raw.is_null() {
        return Ok(0);
    }
    let expected = "a whole number from 0 to 2^64 - 1";
    raw.json().parse().map_err(|_| SettingError::new(setting, expected, &raw.json()))
}

/// Numbers of months, such as [3, 12].
fn months(setting: &str, raw: Value<'_>) -> Result<Vec<u32>, SettingError> {
    let months = serde_json::from_str::<Vec<u32>>(&raw.json()).ok();
    let months = months.filter(|months| months.len() <= 12 && months.iter().all(|n| (1..=120).contains(n)));
    let expected = "a list of at most 12 numbers of months from 1 to 120";
    months.ok_or_else(|| SettingError::new(setting, expected, &raw.json()))
}

/// A list of client ids.
fn clients(setting: &str, raw: Value<'_>) -> Result<Option<BTreeSet<ClientId>>, SettingError> {
    let clients = serde_json::from_str::<Option<BTreeSet<ClientId>>>(&raw.json());
    clients.map_err(|_| SettingError::new(setting, "a list of client ids", &raw.json()))
}

fn factor(setting: &str, raw: Value<'_>) -> Result<Option<Factor>, SettingError> {
    if raw.is_null() {
        return Ok(None);
    }
    let factor = raw.number("").ok().and_then(|text| text.parse().ok());
    let expected = "a number above 0 and at most 1000 with at most 6 fractional digits";
    factor.map(Some).ok_or_else(|| SettingError::new(setting, expected, &raw.json()))
}

impl<'de> Deserialize<'de> for RevenueOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = BTreeMap::<String, Box<RawValue>>::deserialize(deserializer)?;
        let mut options = Self::default();
        for (name, value) in members {
            options.set(&name, Value::of_json(value.get())).map_err(D::Error::custom)?;
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_by_name_and_unknown_ones_are_refused() {
        let text = r#"{"as_of":"2026-03-31","group_by":"attribute:size","week_factor":52.177457,"base":null,
            "reactivation_within_days":90,"past_due_limit_days":null,"currency":"EUR"}"#;
        let options = RevenueOptions::from_json(text).unwrap();
        assert_eq!(options.as_of, Some(AsOf::On("2026-03-31".parse().unwrap())));
        assert_eq!(options.group_by, Some(GroupBy::Attribute("size".into())));
        assert_eq!(options.factors.0.week.to_string(), "52.177457");
        assert_eq!(options.reactivation_within_days, Some(90));
        let again = serde_json::to_string(&options).unwrap();
        assert_eq!(
            serde_json::from_str::<RevenueOptions>(&again).unwrap(),
            options,
            "settings can be asked again"
        );
        for (text, setting) in [
            (r#"{"puased":"own"}"#, "puased"),
            (r#"{"base":"all"}"#, "base"),
            (r#"{"group_by":"attribute:"}"#, "group_by"),
            (r#"{"model":{"name":"","groups":[]}}"#, "model"),
            (r#"{"model":"default"}"#, "model"),
            (r#"{"only_clients":"acme"}"#, "only_clients"),
            (r#"{"only_clients":[7]}"#, "only_clients"),
            (r#"{"renewal_grace_days":-1}"#, "renewal_grace_days"),
            (r#"{"renewal_grace_days":1.5}"#, "renewal_grace_days"),
            (r#"{"day_factor":0}"#, "day_factor"),
            (r#"{"as_of":"2026-03-31T00:00:00"}"#, "as_of"),
            (r#"{"currency":"usd"}"#, "currency"),
            (r#"{"grain":"fine"}"#, "grain"),
            (r#"{"trailing":[0]}"#, "trailing"),
            (r#"{"rounded":1}"#, "rounded"),
            (r#"{"resamples":1}"#, "resamples"),
            ("[]", "settings"),
        ] {
            assert_eq!(RevenueOptions::from_json(text).unwrap_err().setting, setting, "{text}");
        }
    }

    #[test]
    fn settings_that_do_not_go_together_are_refused() {
        let model = Model::default().to_json().to_string();
        let with_model = |by: &str| format!(r#"{{"group_by":{by},"model":{model}}}"#);
        let check = |text: &str| RevenueOptions::from_json(text).unwrap().check();
        for (text, setting) in [
            (r#"{"group_by":"band"}"#, "model"),
            (with_model("\"owner\"").as_str(), "model"),
            (with_model("null").as_str(), "model"),
            (r#"{"attribution":"interval"}"#, "attribution"),
            (r#"{"attribution":"interval","group_by":"plan"}"#, "attribution"),
            (r#"{"attribution":"interval","group_by":"top_parent"}"#, "attribution"),
        ] {
            assert_eq!(check(text).unwrap_err().setting, setting, "{text}");
        }
        let by_band = with_model("\"band\"");
        assert_eq!(check(&by_band), Ok(()));
        assert_eq!(check(r#"{"attribution":"interval","group_by":"attribute:size"}"#), Ok(()));
        let asked = RevenueOptions::from_json(&by_band).unwrap();
        let again = serde_json::to_string(&asked).unwrap();
        assert_eq!(RevenueOptions::from_json(&again).unwrap(), asked, "an answer repeats the whole model");
    }
}

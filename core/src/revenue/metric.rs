//! The figures of a row by their names, to be aimed at, held against benchmarks, or put on a scorecard.

use super::policy::SettingError;
use super::report::Row;
use crate::quantity::{MICRO, compare_quotients, parse_scaled, scaled_to_f64, write_scaled};
use crate::rate::{HeadRate, MoneyRate, MoneyRatio, PerHead, gap};
use crate::signal::params::Param;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::fmt;

/// A figure of a row of revenue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RevenueMetric {
    /// Net revenue retention, at least.
    Nrr,
    /// Gross revenue retention, at least.
    Grr,
    /// The share of clients that left, at most.
    LogoChurn,
    /// The share of clients that were kept, at least.
    LogoRetention,
    /// 1 - GRR, at most.
    GrossRevenueChurn,
    /// Churn per unit of opening, at most.
    ChurnedRevenue,
    /// 1 - NRR, at most.
    NetRevenueChurn,
    /// NRR - GRR, at least.
    ExpansionRate,
    /// The share of the closing from clients that already paid, at least.
    FromExisting,
    /// What came in per unit lost, at least.
    QuickRatio,
    /// MRR per paying client, at least.
    Arpa,
}

impl RevenueMetric {
    /// All of them, in the order of a row.
    pub const ALL: [Self; 11] = [
        Self::Nrr,
        Self::Grr,
        Self::LogoChurn,
        Self::LogoRetention,
        Self::GrossRevenueChurn,
        Self::ChurnedRevenue,
        Self::NetRevenueChurn,
        Self::ExpansionRate,
        Self::FromExisting,
        Self::QuickRatio,
        Self::Arpa,
    ];

    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nrr => "nrr",
            Self::Grr => "grr",
            Self::LogoChurn => "logo_churn",
            Self::LogoRetention => "logo_retention",
            Self::GrossRevenueChurn => "gross_revenue_churn",
            Self::ChurnedRevenue => "churned_revenue",
            Self::NetRevenueChurn => "net_revenue_churn",
            Self::ExpansionRate => "expansion_rate",
            Self::FromExisting => "from_existing",
            Self::QuickRatio => "quick_ratio",
            Self::Arpa => "arpa",
        }
    }

    /// Whether a target is met by being at most as great: so for churn.
    pub fn less_is_better(self) -> bool {
        match self {
            Self::LogoChurn | Self::GrossRevenueChurn | Self::ChurnedRevenue | Self::NetRevenueChurn => true,
            Self::Nrr
            | Self::Grr
            | Self::LogoRetention
            | Self::ExpansionRate
            | Self::FromExisting
            | Self::QuickRatio
            | Self::Arpa => false,
        }
    }

    /// The figure in a row.
    pub fn of(self, row: &Row) -> Figure {
        match self {
            Self::Nrr => Figure::Money(row.nrr),
            Self::Grr => Figure::Money(row.grr),
            Self::LogoChurn => Figure::Heads(row.logo_churn),
            Self::LogoRetention => Figure::Heads(row.logo_retention),
            Self::GrossRevenueChurn => Figure::Money(row.gross_revenue_churn),
            Self::ChurnedRevenue => Figure::Money(row.churned_revenue),
            Self::NetRevenueChurn => Figure::Money(row.net_revenue_churn),
            Self::ExpansionRate => Figure::Money(row.expansion_rate),
            Self::FromExisting => Figure::Money(row.from_existing),
            Self::QuickRatio => Figure::Ratio(row.quick_ratio),
            Self::Arpa => Figure::PerHead(row.arpa),
        }
    }
}

impl std::str::FromStr for RevenueMetric {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        let names = || Self::ALL.map(Self::as_str).join(", ");
        known.ok_or_else(|| SettingError::new("metric", format!("one of {}", names()), text))
    }
}

impl Serialize for RevenueMetric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Param for RevenueMetric {
    const EXPECTS: &'static str = "one of nrr, grr, logo_churn, logo_retention, gross_revenue_churn, churned_revenue, \
         net_revenue_churn, expansion_rate, from_existing, quick_ratio, arpa";
    fn read(value: &Value) -> Option<Self> {
        value.as_str()?.parse().ok()
    }
    fn schema() -> Value {
        json!({"enum": Self::ALL.map(Self::as_str)})
    }
}

/// A figure with its base, as its row has it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Figure {
    /// A share of heads.
    Heads(HeadRate),
    /// Money over money, with an interval.
    Money(MoneyRate),
    /// Money over money.
    Ratio(MoneyRatio),
    /// Money over heads.
    PerHead(PerHead),
}

impl Figure {
    /// part / whole; `None` over nothing.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Heads(rate) => rate.value,
            Self::Money(rate) => rate.value,
            Self::Ratio(ratio) => ratio.value,
            Self::PerHead(mean) => mean.value,
        }
    }

    /// The value as a quotient of whole numbers.
    fn quotient(self) -> (i128, i128) {
        match self {
            Self::Heads(rate) => (rate.part.into(), rate.whole.into()),
            Self::Money(rate) => (rate.part.picos(), rate.whole.picos()),
            Self::Ratio(ratio) => (ratio.part.picos(), ratio.whole.picos()),
            Self::PerHead(mean) => mean.quotient(),
        }
    }
}

/// What a figure is to be: a decimal of 6 fractional digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Aim(i128);

impl Aim {
    /// The greatest, in units of 10^-6.
    const LIMIT: i128 = 1_000_000_000_000_000_000;

    pub(super) fn parse(text: &str) -> Option<Self> {
        parse_scaled(text, 6, Self::LIMIT).ok().map(Self)
    }

    /// value - aim, and whether the figure is at least the aim, or at most where less is better: that exactly. `None` over
    /// nothing.
    pub(super) fn against(self, metric: RevenueMetric, figure: Figure) -> Option<(f64, bool)> {
        let value = figure.value()?;
        let order = compare_quotients(figure.quotient(), (self.0, MICRO));
        let met = if metric.less_is_better() { order.is_le() } else { order.is_ge() };
        Some((gap(value, scaled_to_f64(self.0, 6)), met))
    }
}

impl Param for Aim {
    const EXPECTS: &'static str = "a number with at most 6 fractional digits";
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
    fn schema() -> Value {
        json!({"type": ["number", "string"]})
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, 6)
    }
}

impl Serialize for Aim {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

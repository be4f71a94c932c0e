//! What was aimed at, beside what came of it.

use super::policy::SettingError;
use super::report::{ReportPeriod, RevenueReport, Row};
use super::settings::RevenueOptions;
use super::{AsOf, GroupKey};
use crate::money::Currency;
use crate::quantity::{parse_scaled, scaled_to_f64, write_scaled};
use crate::rate::gap;
use crate::time::Instant;
use serde::{Serialize, Serializer};
use std::fmt;

/// A figure that can be aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetMetric {
    /// Net revenue retention, at least.
    Nrr,
    /// Gross revenue retention, at least.
    Grr,
    /// The share of clients that left, at most.
    LogoChurn,
    /// 1 - GRR, at most.
    GrossRevenueChurn,
    /// Churn per unit of opening, at most.
    ChurnedRevenue,
    /// 1 - NRR, at most.
    NetRevenueChurn,
    /// What came in per unit lost, at least.
    QuickRatio,
    /// MRR per paying client, at least.
    Arpa,
}

impl TargetMetric {
    const ALL: [Self; 8] = [
        Self::Nrr,
        Self::Grr,
        Self::LogoChurn,
        Self::GrossRevenueChurn,
        Self::ChurnedRevenue,
        Self::NetRevenueChurn,
        Self::QuickRatio,
        Self::Arpa,
    ];

    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nrr => "nrr",
            Self::Grr => "grr",
            Self::LogoChurn => "logo_churn",
            Self::GrossRevenueChurn => "gross_revenue_churn",
            Self::ChurnedRevenue => "churned_revenue",
            Self::NetRevenueChurn => "net_revenue_churn",
            Self::QuickRatio => "quick_ratio",
            Self::Arpa => "arpa",
        }
    }

    fn less_is_better(self) -> bool {
        match self {
            Self::LogoChurn | Self::GrossRevenueChurn | Self::ChurnedRevenue | Self::NetRevenueChurn => true,
            Self::Nrr | Self::Grr | Self::QuickRatio | Self::Arpa => false,
        }
    }

    fn value(self, row: &Row) -> Option<f64> {
        match self {
            Self::Nrr => row.nrr.value,
            Self::Grr => row.grr.value,
            Self::LogoChurn => row.logo_churn.value,
            Self::GrossRevenueChurn => row.gross_revenue_churn.value,
            Self::ChurnedRevenue => row.churned_revenue.value,
            Self::NetRevenueChurn => row.net_revenue_churn.value,
            Self::QuickRatio => row.quick_ratio.value,
            Self::Arpa => row.arpa.value,
        }
    }
}

impl Serialize for TargetMetric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A figure, whose it is, and what it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    metric: TargetMetric,
    owner: Option<String>,
    target: i128,
}

/// The greatest target, in units of 10^-6.
const LIMIT: i128 = 1_000_000_000_000_000_000;

impl Target {
    /// A target for an owner's clients, or without one for the whole book.
    ///
    /// # Errors
    /// If the metric is unknown or the target is no decimal.
    pub fn new(metric: &str, owner: Option<&str>, target: &str) -> Result<Self, SettingError> {
        let known = TargetMetric::ALL.into_iter().find(|known| known.as_str() == metric);
        let names = || TargetMetric::ALL.map(TargetMetric::as_str).join(", ");
        let metric =
            known.ok_or_else(|| SettingError::new("metric", format!("one of {}", names()), metric))?;
        let expected = "a number with at most 6 fractional digits";
        let units = parse_scaled(target, 6, LIMIT);
        let units = units.map_err(|_| SettingError::new("target", expected, target))?;
        Ok(Self { metric, owner: owner.map(str::to_owned), target: units })
    }
}

struct Decimal(i128);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, 6)
    }
}

/// One target and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetRow {
    /// The figure.
    pub metric: TargetMetric,
    /// Whose clients; null for the whole book.
    pub owner: Option<String>,
    /// The currency of the clients' money; null where nothing is paid.
    pub currency: Option<Currency>,
    /// What it was to be.
    pub target: String,
    /// What it is; null over nothing.
    pub value: Option<f64>,
    /// value - target.
    pub gap: Option<f64>,
    /// At least the target, or for churn at most.
    pub met: Option<bool>,
}

/// Targets of a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Targets {
    /// The period.
    pub period: ReportPeriod,
    /// The instant of the question.
    pub as_of: Instant,
    /// The settings of the question.
    pub settings: RevenueOptions,
    /// A row for each target, and for each currency where there are several.
    pub rows: Vec<TargetRow>,
}

/// Holds a report grouped by owner against targets.
pub(crate) fn targets(report: &RevenueReport, targets: &[Target]) -> Targets {
    let mut rows = Vec::new();
    for target in targets {
        let found: Vec<(Option<Currency>, &Row)> = match &target.owner {
            None => report.rows().collect(),
            Some(owner) => {
                let groups = report.groups.iter().flatten();
                let of_owner = groups.filter(|group| group.key == GroupKey::Text(owner.clone()));
                of_owner.map(|group| (Some(group.currency), &group.row)).collect()
            }
        };
        rows.extend(found.iter().map(|(currency, row)| target.row(*currency, target.metric.value(row))));
        if found.is_empty() {
            rows.push(target.row(None, None));
        }
    }
    let settings = RevenueOptions { as_of: Some(AsOf::At(report.as_of)), ..report.settings.clone() };
    Targets { period: report.period, as_of: report.as_of, settings, rows }
}

impl Target {
    fn row(&self, currency: Option<Currency>, value: Option<f64>) -> TargetRow {
        let aim = scaled_to_f64(self.target, 6);
        let met = |value: f64| if self.metric.less_is_better() { value <= aim } else { value >= aim };
        TargetRow {
            metric: self.metric,
            owner: self.owner.clone(),
            currency,
            target: Decimal(self.target).to_string(),
            value,
            gap: value.map(|value| gap(value, aim)),
            met: value.map(met),
        }
    }
}

//! What was aimed at, beside what came of it.

use super::items::items;
use super::metric::{Aim, Figure, RevenueMetric};
use super::policy::SettingError;
use super::report::{ReportPeriod, RevenueReport, Row};
use super::settings::RevenueOptions;
use super::{AsOf, GroupKey};
use crate::money::Currency;
use crate::signal::params::Param;
use crate::time::Instant;
use serde::Serialize;

/// A figure, whose it is, and what it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    metric: RevenueMetric,
    owner: Option<String>,
    target: Aim,
}

impl Target {
    /// A target for an owner's clients, or without one for the whole book.
    ///
    /// # Errors
    /// If the metric is unknown or the target is no decimal.
    pub fn new(metric: &str, owner: Option<&str>, target: &str) -> Result<Self, SettingError> {
        let aim = Aim::parse(target).ok_or_else(|| SettingError::new("target", Aim::EXPECTS, target))?;
        Ok(Self { metric: metric.parse()?, owner: owner.map(str::to_owned), target: aim })
    }

    /// Reads a list of {metric, owner, target} from JSON; owner may be left out.
    ///
    /// # Errors
    /// If one of them is not what it may be; the error says which.
    pub fn list_from_json(json: &str) -> Result<Vec<Self>, SettingError> {
        items("targets", json, &["metric", "owner", "target"], |item| {
            let (metric, target) = (item.required("metric")?, item.required("target")?);
            Ok(Self { metric, owner: item.optional("owner")?, target })
        })
    }
}

/// One target and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetRow {
    /// The figure.
    pub metric: RevenueMetric,
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
        rows.extend(found.iter().map(|(currency, row)| target.row(*currency, Some(target.metric.of(row)))));
        if found.is_empty() {
            rows.push(target.row(None, None));
        }
    }
    let settings = RevenueOptions { as_of: Some(AsOf::At(report.as_of)), ..report.settings.clone() };
    Targets { period: report.period, as_of: report.as_of, settings, rows }
}

impl Target {
    fn row(&self, currency: Option<Currency>, figure: Option<Figure>) -> TargetRow {
        let (gap, met) = figure.and_then(|figure| self.target.against(self.metric, figure)).unzip();
        TargetRow {
            metric: self.metric,
            owner: self.owner.clone(),
            currency,
            target: self.target.to_string(),
            value: figure.and_then(Figure::value),
            gap,
            met,
        }
    }
}

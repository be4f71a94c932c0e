//! What others reach, beside what came of it here: data that says where and when it is from.

use super::group::GroupKey;
use super::items::items;
use super::metric::{Aim, RevenueMetric};
use super::policy::SettingError;
use super::report::{ReportPeriod, RevenueReport, Row};
use super::settings::RevenueOptions;
use crate::money::Currency;
use crate::time::Instant;
use serde::Serialize;

/// A figure that somebody published, and where and for when. Nothing is built in, and none is taken without its source
/// and its period.
///
/// ```
/// use healthfold::Benchmark;
/// let benchmarks = Benchmark::list_from_json(r#"[{"metric": "logo_retention", "value": "0.8",
///     "source": "a survey of subscription firms", "period": "2024, a year", "population": "100 firms"}]"#)?;
/// assert_eq!(benchmarks[0].source(), "a survey of subscription firms");
/// let nameless = Benchmark::list_from_json(r#"[{"metric": "logo_retention", "value": "0.8"}]"#).unwrap_err();
/// assert_eq!(nameless.to_string(), "`benchmarks[0].source` must be non-empty text, found `null`");
/// # Ok::<(), healthfold::SettingError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Benchmark {
    metric: RevenueMetric,
    value: Aim,
    source: String,
    period: String,
    population: Option<String>,
}

impl Benchmark {
    /// Reads a list of {metric, value, source, period, population} from JSON; population may be left out.
    ///
    /// # Errors
    /// If one of them is not what it may be, such as without a source or a period; the error says which.
    pub fn list_from_json(json: &str) -> Result<Vec<Self>, SettingError> {
        items("benchmarks", json, &["metric", "value", "source", "period", "population"], |item| {
            Ok(Self {
                metric: item.required("metric")?,
                value: item.required("value")?,
                source: item.required("source")?,
                period: item.required("period")?,
                population: item.optional("population")?,
            })
        })
    }

    /// The figure.
    pub fn metric(&self) -> RevenueMetric {
        self.metric
    }

    /// Who published it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// For when, and over what span.
    pub fn period(&self) -> &str {
        &self.period
    }

    fn row(&self, key: Option<GroupKey>, currency: Option<Currency>, row: &Row) -> BenchmarkRow {
        let figure = self.metric.of(row);
        let (gap, met) = self.value.against(self.metric, figure).unzip();
        BenchmarkRow { benchmark: self.clone(), key, currency, value: figure.value(), gap, met }
    }
}

/// One benchmark and what came of it here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchmarkRow {
    /// The benchmark, with its source and its period.
    pub benchmark: Benchmark,
    /// With `group_by` in rows of a group: which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<GroupKey>,
    /// The currency of the clients' money; null where nothing is paid.
    pub currency: Option<Currency>,
    /// What it is here; null over nothing.
    pub value: Option<f64>,
    /// value - benchmark.
    pub gap: Option<f64>,
    /// At least the benchmark, or for churn at most.
    pub met: Option<bool>,
}

/// Benchmarks beside a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Benchmarks {
    /// The period.
    pub period: ReportPeriod,
    /// The instant of the question.
    pub as_of: Instant,
    /// The settings of the question.
    pub settings: RevenueOptions,
    /// For each benchmark a row of the book, or one for each currency; with `group_by` then one for each group.
    pub rows: Vec<BenchmarkRow>,
}

/// Holds a report against benchmarks.
pub(crate) fn benchmarks(report: &RevenueReport, benchmarks: &[Benchmark]) -> Benchmarks {
    let mut rows = Vec::new();
    for benchmark in benchmarks {
        rows.extend(report.rows().map(|(currency, row)| benchmark.row(None, currency, row)));
        let groups = report.groups.iter().flatten();
        rows.extend(
            groups.map(|group| benchmark.row(Some(group.key.clone()), Some(group.currency), &group.row)),
        );
    }
    Benchmarks { period: report.period, as_of: report.as_of, settings: report.settings.clone(), rows }
}

//! What one team is measured by: a few named metrics, and none but these.

use super::group::{GroupKey, Stated};
use super::metric::{Figure, RevenueMetric};
use super::movement::Span;
use super::policy::SettingError;
use super::report::{ReportPeriod, RevenueReport, Row};
use super::settings::RevenueOptions;
use super::{Question, Refusal};
use crate::health::mean;
use crate::money::Currency;
use crate::period::Period;
use crate::rate::HeadRate;
use crate::score::condition::Bounds;
use crate::signal::named::Around;
use crate::signal::params::{Faults, ModelError, Object, choice};
use crate::signal::statistics::quantile;
use crate::signal::{Missing, SignalSpec, View};
use crate::time::Instant;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A named list of metrics: figures of revenue, and signals drawn together over clients.
///
/// ```
/// use healthfold::Scorecard;
/// let support = Scorecard::from_json(r#"{"name": "support", "metrics": [
///     {"name": "speed", "signal": {"kind": "first_response_hours", "days": 30}, "aggregate": "median"},
///     {"name": "unhappy", "signal": {"kind": "csat", "days": 30}, "aggregate": "share", "below": 3}]}"#)?;
/// assert_eq!(support.name(), "support");
/// let cs = Scorecard::from_json(r#"{"name": "cs", "metrics": [{"metric": "logo_churn"}, {"metric": "nrr"}]}"#)?;
/// let faulty = Scorecard::from_json(r#"{"metrics": [{"metric": "luck"}]}"#).unwrap_err();
/// assert_eq!(faulty.issues.len(), 2, "no name, and no such metric");
/// # Ok::<(), healthfold::ModelError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scorecard {
    name: String,
    only: Only,
    metrics: Vec<Metric>,
}

/// Whose signals are drawn together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Only {
    #[default]
    All,
    Paying,
}
choice!(Only, "`all` or `paying`", "all" => Self::All, "paying" => Self::Paying);

#[derive(Clone, Debug, PartialEq)]
struct Metric {
    name: String,
    of: Measured,
}

#[derive(Clone, Debug, PartialEq)]
enum Measured {
    Revenue(RevenueMetric),
    Signal(Box<SignalSpec>, Aggregate),
}

#[derive(Clone, Debug, PartialEq)]
enum Aggregate {
    Mean,
    Median,
    /// The share of clients whose value is within bounds.
    Share(Bounds),
}

#[derive(Clone, Copy)]
enum AggregateName {
    Mean,
    Median,
    Share,
}
choice!(AggregateName, "`mean`, `median` or `share`",
    "mean" => Self::Mean, "median" => Self::Median, "share" => Self::Share);

impl Scorecard {
    /// Reads {name, only, metrics}. A metric is {metric} with the name of a figure of revenue, or {signal, aggregate} with
    /// a signal and `mean`, `median` or `share`; a share also takes `above`, `at_least`, `below`, `at_most` or `equals`. It
    /// may have a name, by default that of the figure or the kind of signal. `only` is `all` unless it is `paying`.
    ///
    /// # Errors
    /// Every fault at once, by path.
    pub fn from_json(json: &str) -> Result<Self, ModelError> {
        let value = crate::document::json(json)?;
        let mut faults = Faults::default();
        let card = Object::at("", &value, &mut faults).and_then(|mut object| {
            let name = object.required("name", &mut faults);
            let only = object.optional("only", &mut faults).unwrap_or_default();
            let metrics = Self::metrics(&mut object, &mut faults);
            object.finish(&mut faults);
            Some(Self { name: name?, only, metrics })
        });
        faults.finish(card)
    }

    fn metrics(object: &mut Object<'_>, faults: &mut Faults) -> Vec<Metric> {
        let items = object.list("metrics", faults);
        if items.is_empty() {
            faults.add("metrics", "must be a list of at least one metric");
        }
        let mut metrics: Vec<Metric> = Vec::new();
        let mut names = BTreeSet::new();
        for (path, item) in items {
            let metric = Object::at(&path, item, faults).and_then(|mut item| {
                let metric = Metric::read(&mut item, faults);
                item.finish(faults);
                metric
            });
            let Some(metric) = metric else { continue };
            if !names.insert(metric.name.clone()) {
                faults
                    .add(format!("{path}.name"), format!("`{}` is the name of a metric above", metric.name));
            }
            metrics.push(metric);
        }
        metrics
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether any of it is about revenue.
    pub(crate) fn has_revenue(&self) -> bool {
        self.metrics.iter().any(|metric| matches!(metric.of, Measured::Revenue(_)))
    }
}

impl Metric {
    fn read(object: &mut Object<'_>, faults: &mut Faults) -> Option<Self> {
        let name: Option<String> = object.optional("name", faults);
        let revenue: Option<RevenueMetric> = object.optional("metric", faults);
        let is_revenue = object.value("metric").is_some();
        let signal = object.value("signal");
        let aggregate = object.value("aggregate").is_some();
        match (is_revenue, signal) {
            (true, None) => {
                if aggregate {
                    faults.add(object.path("aggregate"), "is for signals, a figure of revenue has none");
                }
                let revenue = revenue?;
                let name = name.unwrap_or_else(|| revenue.as_str().to_owned());
                Some(Self { name, of: Measured::Revenue(revenue) })
            }
            (false, Some(signal)) => {
                let spec = SignalSpec::from_value(&object.path("signal"), signal, Around::default(), faults);
                let aggregate = match object.required("aggregate", faults)? {
                    AggregateName::Mean => Aggregate::Mean,
                    AggregateName::Median => Aggregate::Median,
                    AggregateName::Share => Aggregate::Share(Bounds::read(object, faults)?),
                };
                let spec = spec?;
                let name = name.unwrap_or_else(|| spec.kind().to_owned());
                Some(Self { name, of: Measured::Signal(Box::new(spec), aggregate) })
            }
            (_, _) => {
                faults.add(object.path("metric"), "must be given, or `signal`, and not both");
                None
            }
        }
    }
}

/// One metric of a scorecard, of the whole book or of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScorecardRow {
    /// The metric's name on the card.
    pub name: String,
    /// With `group_by` in rows of a group: which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<GroupKey>,
    /// What it is.
    #[serde(flatten)]
    pub measure: Measure,
}

/// What a metric came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Measure {
    /// A figure of revenue.
    Revenue {
        /// Which.
        metric: RevenueMetric,
        /// The currency of its money; null where nothing is paid.
        currency: Option<Currency>,
        /// Its value with its base.
        #[serde(flatten)]
        figure: Figure,
    },
    /// A signal over clients.
    Signal {
        /// The kind of signal.
        signal: &'static str,
        /// `mean`, `median` or `share`.
        aggregate: &'static str,
        /// How many clients have a value.
        n: u64,
        /// How many have none, by reason.
        missing: BTreeMap<Missing, u64>,
        /// What their values come to.
        #[serde(flatten)]
        drawn: Drawn,
    },
}

/// The values of clients drawn together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Drawn {
    /// Their mean or median; null over nobody.
    Value {
        /// It.
        value: Option<f64>,
    },
    /// The share of those within bounds among those with a value.
    Share(HeadRate),
}

/// A scorecard filled in for a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScorecardReport {
    /// The name of the card.
    pub scorecard: String,
    /// The period.
    pub period: ReportPeriod,
    /// The instant of the question.
    pub as_of: Instant,
    /// The settings of the question.
    pub settings: RevenueOptions,
    /// The metrics of the card in its order: each of the book, then with `group_by` of each group, no value last.
    pub rows: Vec<ScorecardRow>,
}

/// The values of one signal over some clients.
#[derive(Clone, Debug, Default)]
struct Readings {
    values: Vec<f64>,
    missing: BTreeMap<Missing, u64>,
}

impl Readings {
    fn add(&mut self, read: Result<f64, Missing>) {
        match read {
            Ok(value) => self.values.push(value),
            Err(why) => *self.missing.entry(why).or_default() += 1,
        }
    }

    fn measure(&self, spec: &SignalSpec, aggregate: &Aggregate) -> Measure {
        let n = crate::health::heads(self.values.len());
        let (aggregate, drawn) = match aggregate {
            Aggregate::Mean => ("mean", Drawn::Value { value: mean(self.values.iter().copied()) }),
            Aggregate::Median => {
                let mut sorted = self.values.clone();
                sorted.sort_unstable_by(f64::total_cmp);
                ("median", Drawn::Value { value: quantile(&sorted, 0.5) })
            }
            Aggregate::Share(bounds) => {
                let within = self.values.iter().filter(|value| bounds.hold(**value)).count();
                ("share", Drawn::Share(HeadRate::new(crate::health::heads(within), n)))
            }
        };
        Measure::Signal { signal: spec.kind(), aggregate, n, missing: self.missing.clone(), drawn }
    }
}

/// Fills in a scorecard from a report, which must be there if the card has revenue on it, and from the signals of clients.
pub(crate) fn scorecard(
    question: &Question<'_>,
    card: &Scorecard,
    period: Period,
    report: Option<&RevenueReport>,
) -> Result<ScorecardReport, Refusal> {
    let span = Span::new(period, question.as_of);
    let mut signals = signals(question, card, span.closing)?.into_iter();
    let mut rows = Vec::new();
    for metric in &card.metrics {
        let mut push = |key: Option<GroupKey>, measure| {
            rows.push(ScorecardRow { name: metric.name.clone(), key, measure });
        };
        match &metric.of {
            Measured::Revenue(known) => {
                let measure = |currency: Option<Currency>, row: &Row| Measure::Revenue {
                    metric: *known,
                    currency,
                    figure: known.of(row),
                };
                for (currency, row) in report.into_iter().flat_map(RevenueReport::rows) {
                    push(None, measure(currency, row));
                }
                for group in report.into_iter().flat_map(|report| report.groups.iter().flatten()) {
                    push(Some(group.key.clone()), measure(Some(group.currency), &group.row));
                }
            }
            Measured::Signal(spec, aggregate) => {
                for (key, readings) in signals.next().into_iter().flatten() {
                    push(key, readings.measure(spec, aggregate));
                }
            }
        }
    }
    Ok(ScorecardReport {
        scorecard: card.name.clone(),
        period: question.period(&span),
        as_of: question.as_of,
        settings: question.settings(),
        rows,
    })
}

/// For each signal of a card, in its order, the values of all clients and of each group at an instant.
fn signals(
    question: &Question<'_>,
    card: &Scorecard,
    at: Instant,
) -> Result<Vec<BTreeMap<Option<GroupKey>, Readings>>, Refusal> {
    let specs: Vec<&SignalSpec> = card
        .metrics
        .iter()
        .filter_map(|metric| match &metric.of {
            Measured::Signal(spec, _) => Some(spec.as_ref()),
            Measured::Revenue(_) => None,
        })
        .collect();
    // No group sorts before all groups.
    let mut drawn = vec![BTreeMap::from([(None, Readings::default())]); specs.len()];
    if specs.is_empty() {
        return Ok(drawn);
    }
    let shared = question.shared()?;
    let cut = match &question.options.group_by {
        None => None,
        Some(by) => Some(Stated::of(by).ok_or_else(|| {
            let expected = "owner, managed, segment, tag or attribute:KEY for a scorecard with signals";
            Refusal::Setting(SettingError::new("group_by", expected, &by.to_string()))
        })?),
    };
    let wanted = |id| shared.only.as_ref().is_none_or(|only| only.contains(id));
    for client in question.book.living().filter(|client| wanted(client.id)) {
        let view = View::new(&client.state, at, question.zone, question.book, question.sealed);
        if !view.seen() || card.only == Only::Paying && !view.pays() {
            continue;
        }
        let key = cut.map(|cut| cut.key(&client.state.profile, at));
        for (spec, drawn) in specs.iter().zip(&mut drawn) {
            let reading = spec.read(&view);
            let read = reading.value().ok_or(reading.missing().unwrap_or(Missing::NeverSeen));
            drawn.entry(None).or_default().add(read);
            if key.is_some() {
                drawn.entry(key.clone()).or_default().add(read);
            }
        }
    }
    Ok(drawn)
}

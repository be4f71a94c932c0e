//! The metrics that signals read: those of a model are numbered, so that a client's are looked up by name once, however many
//! signals read them.

use super::View;
use super::params::Param;
use super::usage::number;
use crate::state::usage::MetricUse;
use crate::time::Day;
use serde_json::Value;
use std::cell::Cell;

/// A metric, as events name it.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    name: String,
    /// Its number among the metrics of the model around.
    number: Option<usize>,
}

/// The number says nothing that the name does not.
impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Metric {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Param for Metric {
    const EXPECTS: &'static str = String::EXPECTS;
    fn read(value: &Value) -> Option<Self> {
        String::read(value).map(|name| Self { name, number: None })
    }
    fn schema() -> Value {
        String::schema()
    }
}

/// Gives each metric of some signals a number, the same name the same one.
pub(super) fn number_all<'s>(signals: impl Iterator<Item = &'s mut super::SignalSpec>) {
    let mut names: Vec<String> = Vec::new();
    for signal in signals {
        signal.each_metric(&mut |metric| {
            let known = names.iter().position(|name| *name == metric.name);
            metric.number = known.or(Some(names.len()));
            if known.is_none() {
                names.push(metric.name.clone());
            }
        });
    }
}

/// So many metrics of a model are remembered; the others are looked up whenever they are read.
const REMEMBERED: usize = 8;

/// What is known of the metrics of a client, by their numbers in the model, as far as somebody has asked.
#[derive(Default)]
pub(crate) struct KnownMetrics([KnownMetric; REMEMBERED]);

#[derive(Default)]
struct KnownMetric {
    place: Cell<Place>,
    /// The last two windows that were summed up: a trend reads two, which other signals read, too.
    newer: Cell<Option<(Window, f64)>>,
    older: Cell<Option<(Window, f64)>>,
}

/// Where among the metrics of a client one stands.
#[derive(Clone, Copy, Default)]
enum Place {
    #[default]
    NotAsked,
    Nowhere,
    At(usize),
}

/// The first and the last day.
type Window = (Day, Day);

impl<'a> View<'a> {
    fn known(&self, metric: &Metric) -> Option<&'a KnownMetric> {
        let (metrics, number) = self.metrics.zip(metric.number)?;
        metrics.0.get(number)
    }

    /// How much the client used a metric; `None` if it never did.
    pub(super) fn metric(&self, metric: &Metric) -> Option<&'a MetricUse> {
        let usage = &self.state.usage;
        let Some(known) = self.known(metric) else { return usage.metric(&metric.name) };
        match known.place.get() {
            Place::At(place) => usage.metric_at(place),
            Place::Nowhere => None,
            Place::NotAsked => {
                let place = usage.place_of(&metric.name);
                known.place.set(place.map_or(Place::Nowhere, Place::At));
                usage.metric_at(place?)
            }
        }
    }

    /// What a metric sums up to over the days of a window.
    pub(super) fn total(&self, metric: &Metric, window: Window) -> f64 {
        let Some(KnownMetric { newer, older, .. }) = self.known(metric) else {
            return self.sum_up(metric, window);
        };
        match (newer.get(), older.get()) {
            (Some((of, total)), _) | (_, Some((of, total))) if of == window => total,
            (before, _) => {
                let total = self.sum_up(metric, window);
                older.set(before);
                newer.set(Some((window, total)));
                total
            }
        }
    }

    fn sum_up(&self, metric: &Metric, (first, last): Window) -> f64 {
        number(self.metric(metric).map_or(0, |metric| metric.sums().sum(first, last)))
    }
}

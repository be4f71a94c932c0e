//! The metrics that signals read: those of a model are numbered, so that a client's are looked up by name once, however many
//! signals read them, and as of however many instants.

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

/// Gives each metric of some signals a number, the same name the same one; returns how many there are.
pub(crate) fn number_all<'s>(signals: impl Iterator<Item = &'s mut super::SignalSpec>) -> usize {
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
    names.len()
}

/// What is known of a metric of one client, as far as somebody has asked.
#[derive(Default)]
pub(super) struct KnownMetric {
    place: Cell<Place>,
    /// The last two windows that were summed up: a trend reads two, which other signals read, too.
    newer: Cell<Summed>,
    older: Cell<Summed>,
}

/// What a window sums up to.
#[derive(Clone, Copy)]
struct Summed {
    window: Window,
    total: f64,
}

impl Default for Summed {
    fn default() -> Self {
        // No window that is asked for ends before it begins.
        Self { window: (Day::from_epoch(1), Day::from_epoch(0)), total: 0.0 }
    }
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
    fn known_metric(&self, metric: &Metric) -> Option<&'a KnownMetric> {
        let (known, number) = self.known.zip(metric.number)?;
        known.metrics.get(number)
    }

    /// How much the client used a metric; `None` if it never did.
    pub(super) fn metric(&self, metric: &Metric) -> Option<&'a MetricUse> {
        self.metric_of(self.known_metric(metric), metric)
    }

    fn metric_of(&self, known: Option<&KnownMetric>, metric: &Metric) -> Option<&'a MetricUse> {
        let usage = &self.state.usage;
        let Some(known) = known else { return usage.metric(&metric.name) };
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
        let known = self.known_metric(metric);
        if let Some(known) = known {
            let (newer, older) = (known.newer.get(), known.older.get());
            if newer.window == window {
                return newer.total;
            }
            if older.window == window {
                return older.total;
            }
        }
        let sums = self.metric_of(known, metric).map(MetricUse::sums);
        let total = number(sums.map_or(0, |sums| sums.sum(window.0, window.1)));
        if let Some(known) = known {
            known.older.set(known.newer.replace(Summed { window, total }));
        }
        total
    }
}

//! How often an outcome came about, by ranges of a reading before it: does the number tell of anything?

use super::outcome::{Outcome, Watched};
use crate::lifetime::RateDifference;
use crate::rate::HeadRate;
use crate::signal::SignalSpec;
use crate::time::Instant;
use serde::Serialize;

/// How often an outcome came about, by ranges of a reading.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lift {
    /// When was read.
    pub as_of: Instant,
    /// When was looked at what came of it.
    pub until: Instant,
    /// The book has seen nothing as late as that: who leaves in between still counts as there.
    pub partial: bool,
    /// What was looked for; of whom it was asked stands with the words.
    pub outcome: Outcome,
    /// Of all that were asked about, with or without a reading.
    pub all: HeadRate,
    /// For each range of the reading, in rising order; empty ranges are there, too.
    pub ranges: Vec<LiftRange>,
    /// Of those without a reading.
    pub missing: HeadRate,
    /// With a single edge: the range from it on less the range below, with interval and test.
    pub difference: Option<RateDifference>,
}

/// The clients whose reading lies in one range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LiftRange {
    /// From this reading on; `None` without a lower end.
    pub from: Option<f64>,
    /// Up to below this reading; `None` without an upper end.
    pub below: Option<f64>,
    /// How often the outcome came about.
    pub rate: HeadRate,
    /// That over how often it came about among all; undefined where either is.
    pub lift: Option<f64>,
}

/// Reads every client that is asked about, and counts by the edges, which rise.
pub(crate) fn lift(watched: &Watched<'_>, spec: &SignalSpec, edges: &[f64], outcome: Outcome) -> Lift {
    let mut ranges = vec![(0_u64, 0_u64); edges.len() + 1];
    let mut missing = (0, 0);
    for client in watched.book.living() {
        let Some(came) = watched.outcome(&client, outcome) else { continue };
        let slot = match spec.read(&watched.view(&client)).value() {
            Some(value) => ranges.get_mut(edges.partition_point(|edge| *edge <= value)),
            None => Some(&mut missing),
        };
        if let Some((part, whole)) = slot {
            *part += u64::from(came);
            *whole += 1;
        }
    }
    let rate = |(part, whole): (u64, u64)| HeadRate::new(part, whole);
    let sum = ranges.iter().fold(missing, |(part, whole), (p, w)| (part + p, whole + w));
    let all = rate(sum);
    let ends = |i: usize| (i.checked_sub(1).and_then(|i| edges.get(i)).copied(), edges.get(i).copied());
    let range = |(i, counts): (usize, &(u64, u64))| {
        let ((from, below), rate) = (ends(i), rate(*counts));
        let base = all.value.filter(|base| *base > 0.0);
        LiftRange { from, below, rate, lift: rate.value.zip(base).map(|(value, base)| value / base) }
    };
    let ranges: Vec<LiftRange> = ranges.iter().enumerate().map(range).collect();
    let difference = match ranges.as_slice() {
        [below, from] => Some(RateDifference::of(from.rate, below.rate)),
        _ => None,
    };
    Lift {
        as_of: watched.as_of,
        until: watched.until,
        partial: watched.is_partial(),
        outcome,
        all,
        ranges,
        missing: rate(missing),
        difference,
    }
}

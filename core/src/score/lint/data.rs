//! A model on a book: what only its clients can tell.

use super::parts::{graded, is_graded};
use super::{Checked, Finding, Findings, LintCode, Severity};
use crate::book::Client;
use crate::score::Scorer;
use crate::score::model::Single;
use crate::score::readings::Readings;
use crate::score::set::Model;
use crate::signal::statistics::mean_and_deviation;
use crate::signal::{Missing, Reading, View};
use std::collections::BTreeMap;

/// So many clients say something about a signal.
const LEAST: usize = 10;

/// So many clients say something about two signals.
const LEAST_PAIRS: usize = 20;

/// From this correlation on two parts say the same.
const COPY: f64 = 0.98;

/// What the clients of a book show of a model.
pub(crate) struct Seen {
    clients: usize,
    choices: Vec<SeenChoice>,
    /// How many clients are in each stage.
    stages: Vec<usize>,
    unmatched: usize,
}

/// What the clients that a model fits show of it.
struct SeenChoice {
    clients: usize,
    /// By signal.
    readings: Vec<Vec<Reading>>,
    /// By part.
    points: Vec<Vec<Option<f64>>>,
    /// By limit: for how many clients it holds, and for how many of them it decides.
    limits: Vec<(usize, usize)>,
    bands: BTreeMap<String, usize>,
}

impl SeenChoice {
    fn new(model: &Single) -> Self {
        Self {
            clients: 0,
            readings: vec![Vec::new(); model.signals.len()],
            points: vec![Vec::new(); model.part_count],
            limits: vec![(0, 0); model.limits.len()],
            bands: BTreeMap::new(),
        }
    }
}

impl Seen {
    pub(crate) fn new(model: &Model) -> Self {
        let choices = model.choices.iter().map(|choice| SeenChoice::new(&choice.model)).collect();
        Self { clients: 0, choices, stages: vec![0; model.stages.len()], unmatched: 0 }
    }

    pub(crate) fn take_in(&mut self, scorer: &Scorer<'_>, client: &Client<'_>) {
        self.clients += 1;
        let view = scorer.view(&client.state);
        let stage = scorer.stages().of(&view);
        for (count, known) in self.stages.iter_mut().zip(&scorer.model.stages) {
            *count += usize::from(stage == Some(known.name.as_str()));
        }
        let rule = scorer.choose(&view, stage);
        let choice = rule.and_then(|rule| scorer.model.choices.get(rule));
        let seen = rule.and_then(|rule| self.choices.get_mut(rule));
        let (Some(rule), Some(choice), Some(seen)) = (rule, choice, seen) else {
            self.unmatched += 1;
            return;
        };
        let model = &choice.model;
        seen.clients += 1;
        let rates = scorer.rates.get(rule).and_then(Option::as_ref);
        let seen_by = View { sources: &model.sources, rates, ..view };
        let readings = Readings::in_stage(seen_by, &model.signals, scorer.stages(), stage);
        for (signal, column) in seen.readings.iter_mut().enumerate() {
            column.push(readings.of(signal));
        }
        let mut sheet = scorer.sheet();
        scorer.fill_by(Some(rule), &view, stage, &mut sheet);
        let health = scorer.health(client.id, &sheet);
        for (part, column) in health.parts.iter().zip(&mut seen.points) {
            // What stands in for a missing value says nothing about the signal.
            column.push(part.points.filter(|_| part.missing.is_none()));
        }
        for ((limit, effect), (held, decided)) in
            model.limits.iter().zip(&health.limits).zip(&mut seen.limits)
        {
            *held += usize::from(readings.meet(&limit.when));
            *decided += usize::from(effect.effect != 0.0);
        }
        *seen.bands.entry(health.band.into()).or_default() += 1;
    }

    /// The doubts about a model: with and without data.
    pub(crate) fn findings(&self, model: &Model) -> Vec<Finding> {
        let mut findings = Findings::default();
        model.look(&mut findings);
        for (i, (choice, seen)) in model.choices.iter().zip(&self.choices).enumerate() {
            findings.prefix = model.prefix(i);
            findings.clients = Some(count(seen.clients));
            if seen.clients >= LEAST {
                seen.check(&Checked::new(&choice.model, model.document_of(i)), &mut findings);
            }
        }
        findings.prefix = String::new();
        findings.clients = Some(count(self.clients));
        if self.clients >= LEAST {
            self.never_chosen(model, &mut findings);
        }
        findings.in_order()
    }

    fn never_chosen(&self, model: &Model, findings: &mut Findings) {
        let matched: Vec<usize> = self.choices.iter().map(|seen| seen.clients).collect();
        let is_set = model.to_json().get("models").is_some();
        let lists = [("models", &matched, is_set), ("stages", &self.stages, true)];
        for (list, counts, _) in lists.into_iter().filter(|(_, _, told)| *told) {
            for (i, _) in counts.iter().enumerate().filter(|(_, clients)| **clients == 0) {
                let message = format!("none of {} clients is in it", self.clients);
                let advice = "look at its condition, and at those before it, which come first";
                findings.note(LintCode::NeverChosen, &format!("{list}[{i}]"), message, advice);
            }
        }
        if self.unmatched > 0 {
            let message = format!("{} of {} clients fit none of the models", self.unmatched, self.clients);
            let advice = "end the list with a model without a condition, unless they are to have no score";
            findings.note(LintCode::NoModelFits, "models", message, advice);
        }
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

impl SeenChoice {
    fn check(&self, checked: &Checked<'_>, findings: &mut Findings) {
        let mut in_parts = vec![false; self.readings.len()];
        for place in &checked.places {
            if let Some(slot) = in_parts.get_mut(place.part.signal) {
                *slot = true;
            }
        }
        for (signal, (readings, in_part)) in self.readings.iter().zip(in_parts).enumerate() {
            self.signal(checked, signal, readings, in_part, findings);
        }
        self.copies(checked, findings);
        for (i, (limit, (held, decided))) in checked.model.limits.iter().zip(&self.limits).enumerate() {
            let message = match (held, decided) {
                (0, _) => format!("`{}` holds for none of {} clients", limit.name, self.clients),
                (held, 0) => format!(
                    "`{}` holds for {held} of {} clients and changes no score",
                    limit.name, self.clients
                ),
                _ => continue,
            };
            let advice = "fine for what is rare; else look at its condition and its bound";
            findings.note(LintCode::LimitCannotFire, &format!("limits[{i}]"), message, advice);
        }
        for (i, band) in checked.model.bands.iter().enumerate() {
            if !self.bands.contains_key(&band.name) {
                let message = format!("none of {} clients is `{}`", self.clients, band.name);
                let advice = "a band nobody is in tells nobody apart: look at its edges";
                findings.note(LintCode::EmptyBand, &format!("bands[{i}]"), message, advice);
            }
        }
    }

    fn signal(
        &self,
        checked: &Checked<'_>,
        signal: usize,
        readings: &[Reading],
        in_part: bool,
        findings: &mut Findings,
    ) {
        let (name, path) = (checked.name(signal), format!("signals.{}", checked.name(signal)));
        let values: Vec<f64> = readings.iter().filter_map(|reading| reading.value()).collect();
        let Some(first) = values.first() else {
            return self.always_missing(checked, signal, readings, findings);
        };
        if values.len() < LEAST {
            return;
        }
        if in_part && values.iter().all(|value| value == first) {
            let message =
                format!("`{name}` reads {first} for each of {} clients that have a reading", values.len());
            let advice = "it tells nobody apart: look at its feed and its parameters, or take it out";
            findings.note(LintCode::SignalNeverVaries, &path, message, advice);
        }
        let known = checked.spec(signal).is_some_and(|spec| spec.doc().unit == "0 or 1");
        let yes_no = values.iter().all(|value| *value == 0.0 || *value == 1.0);
        if !known && yes_no && values.iter().any(|value| value != first) {
            let what = format!("is 0 or 1 for each of {} clients that have a reading", values.len());
            for place in checked.places.iter().filter(|place| place.part.signal == signal) {
                if place.part.curve.as_ref().is_some_and(is_graded) {
                    graded(name, &format!("{}.curve", place.path), &what, Severity::Note, findings);
                }
            }
        }
    }

    fn always_missing(
        &self,
        checked: &Checked<'_>,
        signal: usize,
        readings: &[Reading],
        findings: &mut Findings,
    ) {
        let mut reasons: BTreeMap<Missing, usize> = BTreeMap::new();
        for reason in readings.iter().filter_map(|reading| reading.missing()) {
            *reasons.entry(reason).or_default() += 1;
        }
        let Some((reason, _)) = reasons.iter().max_by_key(|(_, clients)| **clients) else { return };
        let (name, path) = (checked.name(signal), format!("signals.{}", checked.name(signal)));
        let kind = checked.spec(signal).map_or("", |spec| spec.kind());
        let divides = matches!(
            kind,
            "ratio"
                | "usage_trend"
                | "active_trend"
                | "stickiness"
                | "seat_use"
                | "usage_vs_own"
                | "usage_vs_last_year"
                | "quota_use"
                | "projected_overage"
                | "mrr_trend"
        );
        if divides && *reason == Missing::TooLittle {
            let message = format!("none of {} clients has enough for `{name}` to divide by", readings.len());
            let advice = "look at the feed of what it divides by, at the metric's name and at the least base";
            findings.warn(LintCode::DenominatorAlwaysZero, &path, message, advice);
            return;
        }
        let message = format!(
            "`{name}` is missing for each of {} clients, most often as `{}`",
            readings.len(),
            reason.as_str()
        );
        let advice = "connect its feed, or take it out: until then coverage is below 1 for everybody";
        findings.warn(LintCode::SignalAlwaysMissing, &path, message, advice);
    }

    /// Parts whose points go together for all clients.
    fn copies(&self, checked: &Checked<'_>, findings: &mut Findings) {
        let places = checked.places.iter().zip(&self.points).enumerate();
        for (i, (place, points)) in places {
            let before = checked.places.iter().zip(&self.points).take(i);
            for (other, others) in before {
                // Told already without data.
                if checked.spec(place.part.signal) == checked.spec(other.part.signal) {
                    continue;
                }
                let Some((r, n)) = correlation(points, others) else { continue };
                if r.abs() < COPY {
                    continue;
                }
                let (name, copied) = (checked.name(place.part.signal), checked.name(other.part.signal));
                let what = if r > 0.0 { "says the same as" } else { "says the opposite of" };
                let message = format!(
                    "`{name}` {what} `{copied}` in {}: their points correlate by {r:.3} over {n} clients",
                    other.path
                );
                let advice = if r > 0.0 {
                    "keep one of them, with the weight of both"
                } else {
                    "they cancel each other: look at the direction of both curves"
                };
                findings.warn(LintCode::NearCopies, &place.path, message, advice);
            }
        }
    }
}

/// Pearson's correlation over the clients that have both, and how many these are; `None` of too few, or where one of the
/// two never varies.
fn correlation(a: &[Option<f64>], b: &[Option<f64>]) -> Option<(f64, usize)> {
    let pairs: Vec<(f64, f64)> = a.iter().zip(b).filter_map(|(a, b)| a.zip(*b)).collect();
    if pairs.len() < LEAST_PAIRS {
        return None;
    }
    let (first, second): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
    let (mean_a, deviation_a) = mean_and_deviation(&first)?;
    let (mean_b, deviation_b) = mean_and_deviation(&second)?;
    // What is below is what arithmetic leaves of no variation.
    if deviation_a < 1e-9 || deviation_b < 1e-9 {
        return None;
    }
    let standard = |(a, b): (&f64, &f64)| (a - mean_a) / deviation_a * ((b - mean_b) / deviation_b);
    let products: f64 = first.iter().zip(&second).map(standard).sum();
    #[expect(clippy::cast_precision_loss, reason = "no book has 2^53 clients")]
    let r = products / (first.len() - 1) as f64;
    Some((r, first.len()))
}

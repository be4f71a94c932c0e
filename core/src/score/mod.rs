//! What we conclude about a client: the whole arithmetic of a score on one page.
//!
//! 1. Each part reads its signal; a curve makes points of the value. What is missing follows the part's policy.
//! 2. Groups combine what is present, up to the root: the raw score. Shares of the weight go back down.
//! 3. Adjustments add or take away; limits set, lift and cap; an override speaks last; the clamp keeps 0 to 100.
//!
//! All in IEEE binary64 in the order of the document, so the bits are the same everywhere.

mod builder;
pub(crate) mod change;
pub(crate) mod check;
pub(crate) mod condition;
pub(crate) mod curve;
mod model;
pub(crate) mod peers;
mod readings;
mod result;
mod set;
mod shipped;
mod schema;
mod settle;
mod tree;
mod valuation;
pub(crate) mod lint;

pub use builder::{GroupBuilder, ModelBuilder};
pub use change::{Cause, ChangePart, ScoreChange};
pub use check::DataFault;
pub use lint::{Finding, LintCode, Severity};
pub use model::Band;
pub use result::{Effect, HealthScore, Origin, OverrideEffect, PartScore};
pub use schema::model_schema;
pub use set::Model;

use crate::book::{Book, Client};
use crate::exchange::Rates;
use crate::signal::{Direction, Missing, Reading, View};
use crate::state::ClientState;
use crate::time::{Day, Instant};
use crate::zone::Zone;
use curve::Curve;
use model::{Part, Single, WhenMissing};
use peers::{Peer, Peers};
use readings::{Readings, Stages};
use settle::{Raw, settle};
use std::sync::OnceLock;
use tree::{combine, coverage, for_each_part, name_parts, share_out};
use valuation::Valuation;

/// How close to a band's edge or to the least coverage counts as there, in the client's favour.
const TOLERANCE: f64 = 1e-9;

/// Scores clients of one book by one model as of one instant.
pub(crate) struct Scorer<'a> {
    model: &'a Model,
    book: &'a Book,
    zone: &'a Zone,
    at: Instant,
    sealed: Option<Day>,
    /// The rates of the set and of each of its models.
    set_rates: Option<Rates>,
    rates: Vec<Option<Rates>>,
    /// For each model of the set and each of its signals the readings of all clients; made when first asked for.
    peers: Vec<Vec<OnceLock<Peers>>>,
}

/// A part with its signal read.
struct ReadPart {
    reading: Option<f64>,
    missing: Option<Missing>,
    /// `None` where the part is left out.
    points: Option<f64>,
    /// Whether it counts as covered.
    covered: bool,
}

impl<'a> Scorer<'a> {
    pub(crate) fn new(
        model: &'a Model,
        book: &'a Book,
        zone: &'a Zone,
        at: Instant,
        sealed: Option<Day>,
    ) -> Self {
        let peers = |choice: &set::Choice| choice.model.signals.iter().map(|_| OnceLock::new()).collect();
        let table = |valuation: &Option<Valuation>| valuation.as_ref().map(|v| v.table(zone));
        Self {
            model,
            book,
            zone,
            at,
            sealed,
            set_rates: table(&model.valuation),
            rates: model.choices.iter().map(|choice| table(&choice.model.valuation)).collect(),
            peers: model.choices.iter().map(peers).collect(),
        }
    }

    /// What a client is read from, before a model names its sources and rates.
    fn view<'v>(&'v self, state: &'v ClientState) -> View<'v> {
        View::new(state, self.at, self.zone, self.book, self.sealed)
    }

    fn stages(&self) -> Stages<'_> {
        Stages { set: self.model, rates: self.set_rates.as_ref() }
    }

    /// The score of a client, by the first model that fits it.
    pub(crate) fn score(&self, client: &Client<'_>) -> HealthScore {
        let view = self.view(&client.state);
        let stage = self.stages().of(view);
        let Some(rule) = self.choose(view, stage) else { return self.no_model(client, stage) };
        self.score_by(rule, client, view, stage)
    }

    /// The number of the model that fits a client.
    pub(crate) fn rule(&self, client: &Client<'_>) -> Option<usize> {
        let view = self.view(&client.state);
        self.choose(view, self.stages().of(view))
    }

    /// The score of a client by the model of a number, whether it fits or not.
    pub(crate) fn score_by_rule(&self, rule: Option<usize>, client: &Client<'_>) -> HealthScore {
        let view = self.view(&client.state);
        let stage = self.stages().of(view);
        match rule {
            Some(rule) => self.score_by(rule, client, view, stage),
            None => self.no_model(client, stage),
        }
    }

    /// The value of one signal of one model of the set.
    pub(crate) fn reading(&self, rule: usize, signal: usize, client: &Client<'_>) -> Reading {
        let Some(choice) = self.model.choices.get(rule) else {
            return Reading::of(Err(Missing::NeverSeen));
        };
        let rates = self.rates.get(rule).and_then(Option::as_ref);
        let view = View { sources: &choice.model.sources, rates, ..self.view(&client.state) };
        let stage = self.stages().of(view);
        Readings::in_stage(view, &choice.model.signals, self.stages(), stage).of(signal)
    }

    /// The number of the first model that fits.
    fn choose(&self, view: View<'_>, stage: Option<&str>) -> Option<usize> {
        let set = self.model;
        if set.choices.first().is_some_and(|choice| choice.when.is_none()) {
            return Some(0);
        }
        let view = View { sources: &set.sources, rates: self.set_rates.as_ref(), ..view };
        let readings = Readings::in_stage(view, &set.signals, self.stages(), stage);
        set.choices.iter().position(|choice| choice.when.as_ref().is_none_or(|when| readings.meet(when)))
    }

    /// No model of the set fits: no score, and nothing to explain it by.
    fn no_model(&self, client: &Client<'_>, stage: Option<&str>) -> HealthScore {
        HealthScore {
            client: client.id.clone(),
            as_of: self.at,
            model: None,
            version: None,
            rule: None,
            stage: stage.map(str::to_owned),
            score: None,
            computed: None,
            band: "unknown".to_owned(),
            coverage: 0.0,
            low: None,
            high: None,
            parts: Vec::new(),
            adjustments: Vec::new(),
            limits: Vec::new(),
            r#override: None,
            clamp: 0.0,
        }
    }

    /// The score of a client by one model of the set.
    fn score_by(&self, rule: usize, client: &Client<'_>, view: View<'_>, stage: Option<&str>) -> HealthScore {
        let Some(choice) = self.model.choices.get(rule) else { return self.no_model(client, stage) };
        let model = &choice.model;
        let rates = self.rates.get(rule).and_then(Option::as_ref);
        let view = View { sources: &model.sources, rates, ..view };
        let readings = Readings::in_stage(view, &model.signals, self.stages(), stage);
        let mut parts: Vec<ReadPart> = Vec::with_capacity(model.part_count);
        let mut required_missing = false;
        for_each_part(&model.root, &mut |part| {
            let read = self.read_part(part, rule, &readings);
            required_missing |= read.points.is_none() && part.missing == WhenMissing::Required;
            parts.push(read);
        });

        let points = |part: &Part| parts.get(part.number).and_then(|read| read.points);
        let without_human = |points: &dyn Fn(&Part) -> Option<f64>| {
            let computed = |part: &Part| points(part).filter(|_| !part.human);
            model.human_cap.and_then(|_| combine(&model.root, &computed))
        };
        let raw = Raw { all: combine(&model.root, &points), computed: without_human(&points) };
        let covered = |part: &Part| parts.get(part.number).is_some_and(|read| read.covered);
        let coverage = coverage(&model.root, &covered).unwrap_or(0.0);
        let shown = raw.all.is_some() && !required_missing && coverage + TOLERANCE >= model.min_coverage;
        let at_bound = |missing: f64| {
            let of = |part: &Part| {
                let read = parts.get(part.number).filter(|_| part.curve.is_some())?;
                Some(read.points.filter(|_| read.covered).unwrap_or(missing))
            };
            Raw { all: combine(&model.root, &of), computed: without_human(&of) }
        };

        let settled = settle(model, raw, shown, &readings);
        let bound = |missing| settle(model, at_bound(missing), true, &readings).score;
        let mut shares = vec![0.0; model.part_count];
        share_out(&model.root, 1.0, &points, &mut shares);
        HealthScore {
            client: client.id.clone(),
            as_of: self.at,
            model: Some(model.name.clone()),
            version: Some(model.version),
            rule: (self.model.choices.len() > 1 || choice.when.is_some()).then_some(rule),
            stage: stage.map(str::to_owned),
            score: settled.score,
            computed: settled.computed,
            band: settled.score.map_or("unknown", |score| band(model, score)).to_owned(),
            coverage,
            low: bound(0.0),
            high: bound(100.0),
            parts: list_parts(model, parts, &shares),
            adjustments: settled.adjustments,
            limits: settled.limits,
            r#override: settled.over,
            clamp: settled.clamp,
        }
    }

    fn read_part(&self, part: &Part, rule: usize, readings: &Readings<'_>) -> ReadPart {
        let mut reading = readings.of(part.signal);
        if let (None, WhenMissing::CarryDays(days)) = (reading.value(), part.missing) {
            reading = readings.carried(part.signal, days).unwrap_or(reading);
        }
        let Some(curve) = &part.curve else {
            let (value, missing) = (reading.value(), reading.missing());
            return ReadPart { reading: value, missing, points: None, covered: false };
        };
        let worth = reading
            .value()
            .ok_or(Missing::NeverSeen)
            .and_then(|x| self.points(curve, part.signal, rule, x, readings));
        match (worth, part.missing) {
            (Ok(points), _) => {
                ReadPart { reading: reading.value(), missing: None, points: Some(points), covered: true }
            }
            (Err(few_peers), policy) => {
                let points = match policy {
                    WhenMissing::Points(points) => Some(points),
                    WhenMissing::Redistribute | WhenMissing::CarryDays(_) | WhenMissing::Required => None,
                };
                let missing = reading.missing().or(Some(few_peers));
                ReadPart { reading: reading.value(), missing, points, covered: false }
            }
        }
    }

    fn points(
        &self,
        curve: &Curve,
        signal: usize,
        rule: usize,
        x: f64,
        readings: &Readings<'_>,
    ) -> Result<f64, Missing> {
        let Curve::Percentile { within, min_clients, invert } = *curve else {
            return curve.points(x).ok_or(Missing::TooLittle);
        };
        let choice = self.model.choices.get(rule).ok_or(Missing::TooLittle)?;
        let cell = self.peers.get(rule).and_then(|peers| peers.get(signal)).ok_or(Missing::TooLittle)?;
        let everybody = || {
            let (sources, rates) = (readings.view.sources, readings.view.rates);
            let read = |client: Client<'_>| {
                let view = View { sources, rates, ..self.view(&client.state) };
                Peer::read(signal, &Readings::new(view, &choice.model.signals, Some(self.stages())))
            };
            self.book.living().filter_map(read).collect()
        };
        let place = cell.get_or_init(everybody).place(x, within, &readings.view);
        let place = place.filter(|place| place.peers >= min_clients).ok_or(Missing::TooLittle)?;
        Ok(if invert { 100.0 - place.percentile } else { place.percentile })
    }
}

fn band(model: &Single, score: f64) -> &str {
    let reached = model.bands.iter().rev().find(|band| score + TOLERANCE >= band.from);
    reached.map_or("unknown", |band| &band.name)
}

/// Which way of a part's reading is better. What has no curve waits until somebody can say.
fn direction(model: &Single, part: &Part) -> Direction {
    let stated = model.signals.get(part.signal).map(|(_, spec)| spec.direction());
    stated.filter(|_| part.curve.is_some()).unwrap_or(Direction::Unknown)
}

fn list_parts(model: &Single, parts: Vec<ReadPart>, shares: &[f64]) -> Vec<PartScore> {
    let mut names: Vec<(Vec<String>, &Part)> = Vec::with_capacity(parts.len());
    name_parts(&model.root, &mut Vec::new(), &mut names);
    let part = |(((group, part), read), share): (((Vec<String>, &Part), ReadPart), &f64)| PartScore {
        group,
        signal: model.signals.get(part.signal).map(|(name, _)| name.clone()).unwrap_or_default(),
        origin: if part.human { Origin::Human } else { Origin::Computed },
        direction: direction(model, part),
        reading: read.reading,
        missing: read.missing,
        points: read.points,
        weight: *share,
        contribution: share * read.points.unwrap_or(0.0),
    };
    names.into_iter().zip(parts).zip(shares).map(part).collect()
}

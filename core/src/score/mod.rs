//! What we conclude about a client: the whole arithmetic of a score on one page.
//!
//! 1. Each part reads its signal; a curve makes points of the value. What is missing follows the part's policy.
//! 2. Groups combine what is present, up to the root: the raw score. Shares of the weight go back down.
//! 3. Adjustments add or take away; limits set, lift and cap; an override speaks last; the clamp keeps 0 to 100.
//!
//! All in IEEE binary64 in the order of the document, so the bits are the same everywhere.
//!
//! A client's numbers are worked out in a [`Sheet`], which is filled again for the next one. A [`HealthScore`] is a sheet
//! under its names; a [`ScoreTable`] has a row for each.

mod builder;
pub(crate) mod change;
pub(crate) mod check;
pub(crate) mod condition;
pub(crate) mod curve;
mod model;
mod name;
mod parts;
pub(crate) mod peers;
mod plan;
mod readings;
mod result;
mod costs;
mod set;
mod shipped;
mod schema;
mod settle;
mod tree;
mod sheet;
mod table;
mod valuation;
pub(crate) mod lint;

pub use builder::{GroupBuilder, ModelBuilder};
pub use change::{Cause, ChangePart, ScoreChange};
pub use check::DataFault;
pub use costs::{Cost, CostOf};
pub use lint::{Finding, LintCode, Severity};
pub use model::Band;
pub use name::Name;
pub use parts::{PartColumns, Parts};
pub use result::{Effect, HealthScore, Origin, OverrideEffect, PartName, PartScore};
pub use schema::model_schema;
pub use set::Model;
pub use table::{Column, GroupColumn, ScoreTable, StepColumns, StepKind};

use crate::book::{Book, Client};
use crate::exchange::Rates;
use crate::id::ClientId;
use crate::signal::{Known, Missing, MovedBack, Reading, Vantage, View};
use crate::state::ClientState;
use crate::time::{Day, Instant};
use crate::zone::Zone;
use curve::Curve;
use model::{Part, Single, WhenMissing};
use peers::{Peer, Peers};
use readings::{Readings, Stages};
pub(crate) use sheet::Sheet;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use tree::ReadPart;
use valuation::Valuation;

/// How close to a band's edge or to the least coverage counts as there, in the client's favour.
const TOLERANCE: f64 = 1e-9;

/// Scores clients of one book by one model as of one instant.
pub(crate) struct Scorer<'a> {
    model: &'a Model,
    book: &'a Book,
    at: Instant,
    from: Vantage<'a>,
    /// The rates of the set and of each of its models.
    set_rates: Option<Rates>,
    rates: Vec<Option<Rates>>,
    /// For each model of the set and each of its signals the readings of all clients; made when first asked for.
    peers: Vec<Vec<OnceLock<Peers>>>,
    /// Where windows are moved back to, each once.
    back: Vec<MovedBack>,
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
        let from = Vantage::new(at, zone, book, sealed);
        let signals = model.choices.iter().flat_map(|choice| &choice.model.signals);
        let offsets: BTreeSet<i32> =
            signals.map(|(_, spec)| spec.offset()).filter(|days| *days > 0).collect();
        Self {
            model,
            book,
            at,
            from,
            back: offsets.into_iter().map(|days| from.moved_back(days)).collect(),
            set_rates: table(&model.valuation),
            rates: model.choices.iter().map(|choice| table(&choice.model.valuation)).collect(),
            peers: model.choices.iter().map(peers).collect(),
        }
    }

    /// What a client is read from, before a model names its sources and rates.
    pub(crate) fn view<'v>(&'v self, state: &'v ClientState) -> View<'v> {
        self.from.view(state)
    }

    /// Room for what gets known of a client, whichever of the models asks.
    pub(crate) fn known(&self) -> Known {
        Known::new(self.model.metrics)
    }

    fn stages(&self) -> Stages<'_> {
        Stages { set: self.model, rates: self.set_rates.as_ref() }
    }

    /// The score of a client, by the first model that fits it.
    pub(crate) fn score(&self, client: &Client<'_>) -> HealthScore {
        let mut sheet = self.sheet();
        self.fill(self.view(&client.state), &mut sheet);
        self.health(client.id, &sheet)
    }

    /// Room for the numbers of one client after the other.
    pub(crate) fn sheet(&self) -> Sheet<'_> {
        Sheet::new(self.model.plan.clone())
    }

    /// As [`Scorer::sheet`], with names that no other sheet holds.
    pub(crate) fn sheet_apart(&self) -> Sheet<'_> {
        Sheet::new(Arc::new(self.model.plan.apart()))
    }

    /// The score in numbers, by the first model that fits.
    pub(crate) fn fill<'s>(&'s self, view: View<'_>, sheet: &mut Sheet<'s>) {
        let stage = self.stages().of(&view);
        self.fill_by(self.choose(&view, stage), &view, stage, sheet);
    }

    /// The numbers under their names.
    pub(crate) fn health(&self, client: &ClientId, sheet: &Sheet<'_>) -> HealthScore {
        let of_one = self.model.choices.len() == 1 && self.model.choices.iter().all(|one| one.when.is_none());
        sheet.health(client, self.at, !of_one)
    }

    /// The number of the model that fits a client.
    pub(crate) fn rule(&self, client: &Client<'_>) -> Option<usize> {
        let view = self.view(&client.state);
        self.choose(&view, self.stages().of(&view))
    }

    /// The score of a client by the model of a number, whether it fits or not.
    pub(crate) fn score_by_rule(&self, rule: Option<usize>, client: &Client<'_>) -> HealthScore {
        let view = self.view(&client.state);
        let mut sheet = self.sheet();
        self.fill_by(rule, &view, self.stages().of(&view), &mut sheet);
        self.health(client.id, &sheet)
    }

    /// The value of one signal of one model of the set.
    pub(crate) fn reading(&self, rule: usize, signal: usize, client: &Client<'_>) -> Reading {
        let Some(choice) = self.model.choices.get(rule) else {
            return Reading::of(Err(Missing::NeverSeen));
        };
        let rates = self.rates.get(rule).and_then(Option::as_ref);
        let view = View { sources: &choice.model.sources, rates, ..self.view(&client.state) };
        let stage = self.stages().of(&view);
        Readings::in_stage(view, &choice.model.signals, self.stages(), stage).of(signal)
    }

    /// The number of the first model that fits.
    fn choose(&self, view: &View<'_>, stage: Option<&str>) -> Option<usize> {
        let set = self.model;
        if set.choices.first().is_some_and(|choice| choice.when.is_none()) {
            return Some(0);
        }
        let view = View { sources: &set.sources, rates: self.set_rates.as_ref(), ..*view };
        let readings = Readings::in_stage(view, &set.signals, self.stages(), stage);
        set.choices.iter().position(|choice| choice.when.as_ref().is_none_or(|when| readings.meet(when)))
    }

    /// The numbers by one model of the set; without one there is no score, and nothing to explain it by.
    pub(crate) fn fill_by<'s>(
        &'s self,
        rule: Option<usize>,
        view: &View<'_>,
        stage: Option<&'s str>,
        sheet: &mut Sheet<'s>,
    ) {
        sheet.clear(stage);
        let choice = rule.and_then(|rule| Some((rule, self.model.choices.get(rule)?)));
        let Some((rule, choice)) = choice else {
            sheet.parts.clear();
            return;
        };
        sheet.rule = Some(rule);
        let model = &choice.model;
        let rates = self.rates.get(rule).and_then(Option::as_ref);
        let own;
        let known = match view.known {
            Some(known) => known,
            None => {
                own = self.known();
                &own
            }
        };
        let view = View { sources: &model.sources, rates, back: &self.back, known: Some(known), ..*view };
        let room = std::mem::take(&mut sheet.cells);
        let readings = Readings::in_room(room, view, &model.signals, self.stages(), stage);
        if let Some(of) = self.model.plan.choices.get(rule) {
            let parts = &of.tree.parts;
            let scoped = readings.scoped();
            let mut complete = true;
            sheet.parts.resize(parts.len(), ReadPart::default());
            for (part, read) in parts.iter().zip(&mut sheet.parts) {
                self.read_part(part, rule, &readings, &scoped, read);
                complete &= read.points.is_some() || part.missing != WhenMissing::Required;
            }
            sheet.conclude(model, &of.tree, &readings, complete);
        }
        sheet.cells = readings.into_room();
    }

    /// Reads a part into its place.
    fn read_part(
        &self,
        part: &Part,
        rule: usize,
        readings: &Readings<'_>,
        scoped: &View<'_>,
        read: &mut ReadPart,
    ) {
        let reading = readings.of_scoped(part.signal, scoped);
        // What most parts are: a value that a curve makes points of.
        if let (Some(x), Some(curve)) = (reading.value(), &part.curve)
            && let Some(points) = curve.points(x)
        {
            *read = ReadPart { reading: Some(x), missing: None, points: Some(points) };
        } else {
            *read = self.read_other_part(part, rule, readings, reading);
        }
    }

    /// A part without a value, without a curve, or whose points are its place among peers.
    #[inline(never)]
    fn read_other_part(
        &self,
        part: &Part,
        rule: usize,
        readings: &Readings<'_>,
        mut reading: Reading,
    ) -> ReadPart {
        if let (None, WhenMissing::CarryDays(days)) = (reading.value(), part.missing) {
            reading = readings.carried(part.signal, days).unwrap_or(reading);
        }
        let (value, missing) = (reading.value(), reading.missing());
        let Some(curve) = &part.curve else {
            return ReadPart { reading: value, missing, points: None };
        };
        let worth = match value {
            Some(x) => self.points(curve, part.signal, rule, x, readings),
            None => Err(missing.unwrap_or(Missing::NeverSeen)),
        };
        match worth {
            Ok(points) => ReadPart { reading: value, missing: None, points: Some(points) },
            Err(why) => {
                let points = match part.missing {
                    WhenMissing::Points(points) => Some(points),
                    WhenMissing::Redistribute | WhenMissing::CarryDays(_) | WhenMissing::Required => None,
                };
                ReadPart { reading: value, missing: Some(why), points }
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
        // What is carried is no reading of today, by which the others are compared.
        let counted = readings.value(signal).is_some();
        let place = cell.get_or_init(everybody).place(x, counted, within, &readings.view);
        let place = place.filter(|place| place.peers >= min_clients).ok_or(Missing::TooLittle)?;
        Ok(if invert { 100.0 - place.percentile } else { place.percentile })
    }
}

/// The number of the band of a score.
fn band(model: &Single, score: f64) -> Option<usize> {
    model.bands.iter().rposition(|band| score + TOLERANCE >= band.from)
}

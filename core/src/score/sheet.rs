//! One client's score in numbers, without a name: filled again for one client after the other, and turned into whatever the
//! question wants.

use super::model::Single;
use super::name::Name;
use super::plan::{Plan, PlanOfOne};
use super::readings::Readings;
use super::result::{Effect, HealthScore, OverrideEffect, PartName, PartScore};
use super::settle::{Forces, Raw, Step};
use super::tree::{ReadPart, Shares, Tree, Value};
use super::{TOLERANCE, band};
use crate::id::ClientId;
use crate::signal::Reading;
use crate::time::Instant;
use std::cell::Cell;
use std::sync::Arc;

/// The numbers of a score.
pub(crate) struct Sheet<'m> {
    plan: Arc<Plan>,
    /// The model that fits; `None` where none does.
    pub(super) rule: Option<usize>,
    pub(super) stage: Option<&'m str>,
    pub(crate) score: Option<f64>,
    pub(super) computed: Option<f64>,
    /// The number of its band; `None` without a score.
    pub(super) band: Option<usize>,
    pub(super) coverage: f64,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    pub(super) parts: Vec<ReadPart>,
    /// What each group comes to.
    pub(super) groups: Vec<Value>,
    /// Where the model has a cap on human parts, what it did comes first.
    pub(super) adjustments: Vec<Step>,
    pub(super) limits: Vec<Step>,
    pub(super) over: Option<OverrideEffect>,
    pub(super) clamp: f64,
    /// Room to work in.
    pub(super) cells: Vec<Cell<Option<Reading>>>,
    pub(super) steps: Vec<Step>,
    values: Vec<Value>,
}

impl<'m> Sheet<'m> {
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        Self {
            plan,
            rule: None,
            stage: None,
            score: None,
            computed: None,
            band: None,
            coverage: 0.0,
            low: None,
            high: None,
            parts: Vec::new(),
            groups: Vec::new(),
            adjustments: Vec::new(),
            limits: Vec::new(),
            over: None,
            clamp: 0.0,
            cells: Vec::new(),
            steps: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Nothing yet but for the parts, each of which is read anew into its place, in the room that is there.
    pub(super) fn clear(&mut self, stage: Option<&'m str>) {
        self.groups.clear();
        self.adjustments.clear();
        self.limits.clear();
        (self.rule, self.stage, self.band, self.over) = (None, stage, None, None);
        (self.score, self.computed, self.low, self.high) = (None, None, None, None);
        (self.coverage, self.clamp) = (0.0, 0.0);
    }

    /// Makes a score of the parts as they were read; `complete` unless one is missing without which there is none.
    pub(super) fn conclude(&mut self, model: &Single, tree: &Tree, readings: &Readings<'_>, complete: bool) {
        let forces = Forces::of(model, readings, std::mem::take(&mut self.steps));
        let all = tree.combine(&self.parts, true, &mut self.groups);
        // Without a cap nobody asks what human parts do.
        let computed = match model.human_cap {
            Some(_) => tree.combine(&self.parts, false, &mut self.values),
            None => Value::default(),
        };
        let settle = |all, computed, shown| forces.settle(model.human_cap, Raw { all, computed }, shown);
        self.coverage = all.coverage.unwrap_or(0.0);
        self.low = settle(all.low, computed.low, true).score;
        self.high = settle(all.high, computed.high, true).score;
        let shown = all.present.is_some() && complete && self.coverage + TOLERANCE >= model.min_coverage;
        let raw = Raw { all: all.present, computed: computed.present };
        self.settle(model, readings, forces, raw, shown);
    }

    fn settle(&mut self, model: &Single, readings: &Readings<'_>, forces: Forces, raw: Raw, shown: bool) {
        let settled = forces.settle(model.human_cap, raw, shown);
        self.score = settled.score;
        self.computed = settled.computed;
        self.band = settled.score.and_then(|score| band(model, score));
        self.clamp = settled.clamp;
        self.adjustments.extend(settled.capped);
        let there = |step: &Step| Step { effect: if raw.all.is_some() { step.effect } else { 0.0 }, ..*step };
        self.adjustments.extend(forces.adjustments.iter().map(there));
        self.limits.extend(model.limits.iter().map(|limit| {
            let reading = limit.signal.and_then(|signal| readings.value(signal));
            Step { reading, effect: 0.0 }
        }));
        for (i, effect) in settled.limits.into_iter().flatten() {
            if let Some(step) = self.limits.get_mut(i) {
                step.effect = effect;
            }
        }
        (self.steps, self.over) = forces.into_parts(settled.override_effect);
        self.steps.clear();
    }

    /// The share of each part in the score, for who shows them.
    pub(super) fn share_out<'s>(&self, shares: &'s mut Shares) -> &'s [f64] {
        let of = self.rule.and_then(|rule| self.plan.choices.get(rule));
        of.map_or(&[], |of| of.tree.share_out(&self.parts, &self.groups, shares))
    }

    /// The place of its band among all bands of the models; `None` without a score.
    pub(super) fn band_of_all(&self) -> Option<usize> {
        self.plan.place_of_band(self.rule, self.band)
    }

    pub(crate) fn band_name(&self) -> Name {
        self.plan.band(self.rule, self.band)
    }

    /// The numbers under their names; `of_set` tells which model it is.
    pub(super) fn health(&self, client: &ClientId, as_of: Instant, of_set: bool) -> HealthScore {
        let plan = &self.plan;
        let of = self.rule.and_then(|rule| plan.choices.get(rule));
        let stage = self.stage.and_then(|stage| plan.stage(stage));
        HealthScore {
            client: client.clone(),
            as_of,
            model: of.map(|of| of.model.clone()),
            version: of.map(|of| of.version),
            rule: self.rule.filter(|_| of_set),
            stage,
            score: self.score,
            computed: self.computed,
            band: self.band_name(),
            coverage: self.coverage,
            low: self.low,
            high: self.high,
            parts: of.map(|of| self.list_parts(of)).unwrap_or_default(),
            adjustments: of.map(|of| effects(&of.adjustments, &self.adjustments)).unwrap_or_default(),
            limits: of.map(|of| effects(&of.limits, &self.limits)).unwrap_or_default(),
            r#override: self.over.clone(),
            clamp: self.clamp,
        }
    }

    fn list_parts(&self, of: &PlanOfOne) -> Vec<PartScore> {
        let part = |((name, part), weight): ((&Arc<PartName>, &ReadPart), &f64)| PartScore {
            name: name.clone(),
            reading: part.reading,
            missing: part.missing,
            points: part.points,
            weight: *weight,
            contribution: weight * part.points.unwrap_or(0.0),
        };
        let mut shares = Shares::default();
        of.parts.iter().zip(&self.parts).zip(self.share_out(&mut shares)).map(part).collect()
    }
}

fn effects(names: &[Name], steps: &[Step]) -> Vec<Effect> {
    let effect = |(name, step): (&Name, &Step)| Effect {
        name: name.clone(),
        reading: step.reading,
        effect: step.effect,
    };
    names.iter().zip(steps).map(effect).collect()
}

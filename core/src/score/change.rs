//! Why a score changed between two (instant, model) pairs: parts that add up to the difference.
//!
//! The way from one score to the other is walked in steps: first the edit of the model, then the model of a set that
//! is used, then, by that one model, everything that happened in between. In the last step a part's contribution w p
//! becomes w' p'; the change splits exactly into (w + w')/2 x (p' - p), what the signal did, and
//! (p + p')/2 x (w' - w), what the shift of weights did.

use super::result::{HealthScore, PartScore};
use super::set::Model;
use super::settle::{HUMAN_CAP, standing_override};
use super::tree::for_each_part;
use crate::signal::behind::Between;
use crate::signal::{SignalSpec, named};
use crate::state::history::HistoryRow;
use serde::Serialize;

/// What moved a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The model was edited.
    Model,
    /// The client came into another lifecycle stage, or another entry of the model set fits it.
    Stage,
    /// A signal's value changed.
    Signal,
    /// Data went missing or came, which shifts weight between the parts.
    Missing,
    /// An adjustment.
    Adjustment,
    /// A limit.
    Limit,
    /// A person's override.
    Override,
    /// The ends of the scale.
    Clamp,
}

/// One part of a change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangePart {
    /// What kind of cause.
    pub cause: Cause,
    /// The signal, adjustment, limit, model or stage.
    pub name: String,
    /// The points it added or took away.
    pub points: f64,
    /// What can be behind it, newest first, at most five: usage by metric and day, all else by event. It came in between, or
    /// it counts at one end and not at the other, as what left a window.
    pub events: Vec<HistoryRow>,
}

/// Why a score changed. The points of the parts add up to `delta` within 1e-9.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreChange {
    /// The score before; `None` where there was none.
    pub from: Option<f64>,
    /// The score after.
    pub to: Option<f64>,
    /// The difference; `None` where one of the two is absent.
    pub delta: Option<f64>,
    /// What made it, the largest first. Where a score is absent, the parts explain the sum of what was seen.
    pub parts: Vec<ChangePart>,
}

/// How many rows a part names.
const NAMED: usize = 5;

/// What the parts, effects and clamp of a score add up to: the score, or what it would be were it shown.
fn total(health: &HealthScore) -> f64 {
    let parts: f64 = health.parts.iter().map(|part| part.contribution).sum();
    let effects: f64 = health.adjustments.iter().chain(&health.limits).map(|effect| effect.effect).sum();
    parts + effects + health.r#override.as_ref().map_or(0.0, |over| over.effect) + health.clamp
}

/// The scores on the way from one (instant, model) pair to the other.
pub(crate) struct Way {
    /// By the first model, at the first instant.
    pub(crate) start: HealthScore,
    /// By the second model, still at the first instant.
    pub(crate) edited: HealthScore,
    /// By the entry of the second model that fits at the second instant, still at the first.
    pub(crate) moved: HealthScore,
    /// By the second model, at the second instant.
    pub(crate) end: HealthScore,
}

impl Way {
    /// The parts of the whole change. `behind` tells whether a row of the history can be behind what a cause names.
    pub(crate) fn explain(
        &self,
        history: &[HistoryRow],
        behind: &dyn Fn(Cause, &str, &HistoryRow) -> bool,
    ) -> ScoreChange {
        let mut parts = Vec::new();
        let mut add = |cause, name: &str, points: f64| {
            if points != 0.0 {
                let rows = history.iter().rev().filter(|row| behind(cause, name, row));
                let events = rows.take(NAMED).cloned().collect();
                parts.push(ChangePart { cause, name: name.to_owned(), points, events });
            }
        };
        let name = |health: &HealthScore| health.model.clone().unwrap_or_else(|| "no model".into());
        add(Cause::Model, &name(&self.edited), total(&self.edited) - total(&self.start));
        let stage = self.end.stage.clone().unwrap_or_else(|| name(&self.moved));
        add(Cause::Stage, &stage, total(&self.moved) - total(&self.edited));

        let (before, after) = (&self.moved, &self.end);
        let presence_changed = before
            .parts
            .iter()
            .zip(&after.parts)
            .any(|(old, new)| old.points.is_some() != new.points.is_some());
        for (old, new) in before.parts.iter().zip(&after.parts) {
            let (moved, shifted) = split(old, new);
            let signal = if presence_changed { moved } else { moved + shifted };
            add(Cause::Signal, &new.signal, signal);
            if presence_changed {
                add(Cause::Missing, &new.signal, shifted);
            }
        }
        for (old, new) in before.adjustments.iter().zip(&after.adjustments) {
            add(Cause::Adjustment, &new.name, new.effect - old.effect);
        }
        for (old, new) in before.limits.iter().zip(&after.limits) {
            add(Cause::Limit, &new.name, new.effect - old.effect);
        }
        let over = |health: &HealthScore| health.r#override.as_ref().map_or(0.0, |over| over.effect);
        add(Cause::Override, "override", over(after) - over(before));
        add(Cause::Clamp, "clamp", after.clamp - before.clamp);
        parts.sort_by(|a, b| b.points.abs().total_cmp(&a.points.abs()));
        let (from, to) = (self.start.score, self.end.score);
        ScoreChange { from, to, delta: from.zip(to).map(|(from, to)| to - from), parts }
    }
}

/// What a part's signal did, and what the shift of weights did.
fn split(old: &PartScore, new: &PartScore) -> (f64, f64) {
    match (old.points, new.points) {
        (Some(p0), Some(p1)) => {
            ((old.weight + new.weight) / 2.0 * (p1 - p0), (p0 + p1) / 2.0 * (new.weight - old.weight))
        }
        (_, _) => (0.0, new.contribution - old.contribution),
    }
}

/// Whether a row of the history can be behind what a cause names, by the entry of a model set that was used at the end.
pub(crate) fn behind(
    model: &Model,
    rule: Option<usize>,
    cause: Cause,
    name: &str,
    row: &HistoryRow,
    between: &Between<'_>,
) -> bool {
    let Some(single) = model.choices.get(rule.unwrap_or(0)).map(|choice| &choice.model) else { return false };
    let signals = &single.signals;
    let by_stage = || model.stages.iter().any(|stage| stage.when.behind(row, between, &model.signals));
    let by_signal = |signal: usize| {
        named::behind(signals, signal, row, between)
            || named::any(signals, signal, SignalSpec::reads_stage) && by_stage()
    };
    match cause {
        Cause::Signal | Cause::Missing => {
            signals.iter().position(|(known, _)| known == name).is_some_and(by_signal)
        }
        Cause::Adjustment if name == HUMAN_CAP => {
            let mut judged = false;
            for_each_part(&single.root, &mut |part| judged |= part.human && by_signal(part.signal));
            judged
        }
        Cause::Adjustment => single.adjustments.iter().any(|one| one.name == name && by_signal(one.signal)),
        Cause::Limit => {
            single.limits.iter().any(|limit| limit.name == name && limit.when.behind(row, between, signals))
        }
        Cause::Stage => {
            let stages = model.stages.iter().map(|stage| &stage.when);
            let mut tests = stages.chain(model.choices.iter().filter_map(|choice| choice.when.as_ref()));
            tests.any(|when| when.behind(row, between, &model.signals))
        }
        Cause::Override => {
            let overrides = &between.earlier().state.profile.more.overrides;
            let stood = || overrides.at(between.earlier().at).is_some_and(|entry| row.is(&entry.stamp));
            let lapsed = || stood() && between.differs(|view| standing_override(view).is_some());
            row.kind == "client.override_set" && (between.happened(row) || lapsed())
        }
        Cause::Model | Cause::Clamp => false,
    }
}

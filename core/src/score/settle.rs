//! From the raw score to the one that counts: adjustments, limits, override, clamp.

use super::Readings;
use super::model::{Bound, Single};
use super::result::OverrideEffect;
use crate::event::client::OverrideKind;
use crate::signal::View;
use crate::state::billing::instant_of;

/// What the cap on human parts is called among the adjustments.
pub(super) const HUMAN_CAP: &str = "human_cap";

/// What an adjustment or a limit did, and on account of what reading.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Step {
    pub(super) reading: Option<f64>,
    pub(super) effect: f64,
}

/// A limit that decides: its number and its bound.
type Decides = Option<(usize, f64)>;

/// What can move a score apart from its parts, looked up once for a client.
pub(super) struct Forces {
    /// By adjustment: the reading, and the points it adds wherever there is a raw score.
    pub(super) adjustments: Vec<Step>,
    /// Of the limits that hold, the least `set`, the greatest floor and the least cap; the first on ties.
    set: Decides,
    floor: Decides,
    cap: Decides,
    standing: Option<OverrideEffect>,
}

/// What the tree of a model comes to.
#[derive(Clone, Copy)]
pub(super) struct Raw {
    /// With all parts that are there; `None` without any.
    pub(super) all: Option<f64>,
    /// Without the human ones; looked at only under a cap on them.
    pub(super) computed: Option<f64>,
}

/// What became of a raw score.
pub(super) struct Settled {
    pub(super) score: Option<f64>,
    pub(super) computed: Option<f64>,
    /// Where the model has a cap on human parts: how far they move the score, and what the cap took of it.
    pub(super) capped: Option<Step>,
    /// The limits that decided, and what they did.
    pub(super) limits: [Decides; 3],
    pub(super) override_effect: f64,
    pub(super) clamp: f64,
}

impl Forces {
    /// `adjustments` is an empty list, for its room.
    pub(super) fn of(model: &Single, readings: &Readings<'_>, mut adjustments: Vec<Step>) -> Self {
        adjustments.extend(model.adjustments.iter().map(|adjustment| {
            let reading = readings.value(adjustment.signal);
            let effect = reading.and_then(|x| adjustment.curve.points(x)).unwrap_or(0.0);
            Step { reading, effect }
        }));
        let mut forces = Self {
            adjustments,
            set: None,
            floor: None,
            cap: None,
            standing: standing_override(&readings.view),
        };
        for (i, limit) in model.limits.iter().enumerate() {
            if readings.meet(&limit.when) {
                forces.take_limit(i, limit.bound);
            }
        }
        forces
    }

    fn take_limit(&mut self, i: usize, bound: Bound) {
        let (place, at, stricter): (_, _, fn(f64, f64) -> bool) = match bound {
            Bound::Set(to) => (&mut self.set, to, |new, old| new < old),
            Bound::Floor(at) => (&mut self.floor, at, |new, old| new > old),
            Bound::Cap(at) => (&mut self.cap, at, |new, old| new < old),
        };
        if place.is_none_or(|(_, decides)| stricter(at, decides)) {
            *place = Some((i, at));
        }
    }

    /// The cap on what human parts do, adjustments, limits, override and clamp, as steps of one running value. No raw score
    /// goes through as none, which only a standing override of the score itself replaces.
    pub(super) fn settle(&self, human_cap: Option<f64>, raw: Raw, shown: bool) -> Settled {
        let Raw { all: raw, computed } = raw;
        let mut value = raw.unwrap_or(0.0);
        let capped = human_cap.map(|cap| {
            // Where nothing is computed there is nothing to hold the judgement against.
            let reading = raw.zip(computed).map(|(all, computed)| all - computed);
            let effect = reading.map_or(0.0, |influence| influence.clamp(-cap, cap) - influence);
            Step { reading, effect }
        });
        value += capped.map_or(0.0, |step| step.effect);
        let mut limits = [None; 3];
        if raw.is_some() {
            for step in &self.adjustments {
                value += step.effect;
            }
            let [set, floor, cap] = &mut limits;
            value = decide(self.set, value, set, |_, to| to);
            value = decide(self.floor, value, floor, f64::max);
            value = decide(self.cap, value, cap, f64::min);
        }
        let computed = raw.filter(|_| shown).map(|_| value.clamp(0.0, 100.0));
        let before = value;
        let mut score = computed;
        if let Some(standing) = &self.standing {
            let given = standing.value;
            match standing.kind {
                OverrideKind::Score => {
                    value = given;
                    score = Some(given);
                }
                OverrideKind::Cap => value = if raw.is_some() { value.min(given) } else { value },
                OverrideKind::Floor => value = if raw.is_some() { value.max(given) } else { value },
            }
            score = score.map(|_| value.clamp(0.0, 100.0));
        }
        let clamp = value.clamp(0.0, 100.0) - value;
        Settled { score, computed, capped, limits, override_effect: value - before, clamp }
    }

    /// The room of the adjustments again, and the override that stands with what it did.
    pub(super) fn into_parts(self, override_effect: f64) -> (Vec<Step>, Option<OverrideEffect>) {
        (
            self.adjustments,
            self.standing.map(|standing| OverrideEffect { effect: override_effect, ..standing }),
        )
    }
}

/// Lets a limit decide; leaves what it did.
fn decide(decides: Decides, value: f64, effect: &mut Decides, to: fn(f64, f64) -> f64) -> f64 {
    let Some((i, bound)) = decides else { return value };
    let next = to(value, bound);
    *effect = Some((i, next - value));
    next
}

/// The override that stands: the last entry decides, while the instant is before its end.
pub(super) fn standing_override(view: &View<'_>) -> Option<OverrideEffect> {
    let entry = &view.state.profile.more.overrides.at(view.at)?.value;
    let until = instant_of(entry.until, view.zone);
    let stands = until.is_none_or(|until| view.at < until);
    stands.then(|| OverrideEffect {
        kind: entry.kind,
        value: entry.value.quantity().to_f64(),
        by: entry.by.clone(),
        reason: entry.reason.clone(),
        until,
        effect: 0.0,
    })
}

//! From the raw score to the one that counts: adjustments, limits, override, clamp.

use super::Readings;
use super::model::{Bound, Single};
use super::result::{Effect, OverrideEffect};
use crate::event::client::OverrideKind;
use crate::signal::View;
use crate::state::billing::instant_of;

/// What the cap on human parts is called among the adjustments.
pub(super) const HUMAN_CAP: &str = "human_cap";

/// What became of the raw score.
pub(super) struct Settled {
    pub(super) score: Option<f64>,
    pub(super) computed: Option<f64>,
    pub(super) adjustments: Vec<Effect>,
    pub(super) limits: Vec<Effect>,
    pub(super) over: Option<OverrideEffect>,
    pub(super) clamp: f64,
}

/// What the tree of a model comes to.
#[derive(Clone, Copy)]
pub(super) struct Raw {
    /// With all parts that are there; `None` without any.
    pub(super) all: Option<f64>,
    /// Without the human ones; looked at only under a cap on them.
    pub(super) computed: Option<f64>,
}

/// The cap on what human parts do, adjustments, limits, override and clamp, as steps of one running value. `None` goes
/// through as no score, which only a standing override of the score itself replaces.
pub(super) fn settle(model: &Single, raw: Raw, shown: bool, readings: &Readings<'_>) -> Settled {
    let Raw { all: raw, computed } = raw;
    let mut value = raw.unwrap_or(0.0);
    let mut adjustments = Vec::with_capacity(model.adjustments.len() + 1);
    if let Some(cap) = model.human_cap {
        // Where nothing is computed there is nothing to hold the judgement against.
        let influence = raw.zip(computed).map(|(all, computed)| all - computed);
        let effect = influence.map_or(0.0, |influence| influence.clamp(-cap, cap) - influence);
        value += effect;
        adjustments.push(Effect { name: HUMAN_CAP.to_owned(), reading: influence, effect });
    }
    for adjustment in &model.adjustments {
        let reading = readings.value(adjustment.signal);
        let effect =
            reading.and_then(|x| adjustment.curve.points(x)).filter(|_| raw.is_some()).unwrap_or(0.0);
        value += effect;
        adjustments.push(Effect { name: adjustment.name.clone(), reading, effect });
    }
    let mut limits: Vec<Effect> = Vec::with_capacity(model.limits.len());
    for limit in &model.limits {
        let reading = limit.when.first_signal().and_then(|signal| readings.value(signal));
        limits.push(Effect { name: limit.name.clone(), reading, effect: 0.0 });
    }
    if raw.is_some() {
        value = limit(model, value, readings, &mut limits);
    }
    let clamped = value.clamp(0.0, 100.0);
    let computed = raw.filter(|_| shown).map(|_| clamped);

    let standing = standing_override(&readings.view);
    let before = value;
    let mut score = computed;
    if let Some(standing) = &standing {
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
    let over = standing.map(|standing| OverrideEffect { effect: value - before, ..standing });
    Settled { score, computed, adjustments, limits, over, clamp: value.clamp(0.0, 100.0) - value }
}

/// Of the limits that hold, the least `set`, then the greatest floor, then the least cap decide; the first on ties.
fn limit(model: &Single, mut value: f64, readings: &Readings<'_>, effects: &mut [Effect]) -> f64 {
    let holding: Vec<(usize, Bound)> = (model.limits.iter().enumerate())
        .filter(|(_, limit)| readings.meet(&limit.when))
        .map(|(i, limit)| (i, limit.bound))
        .collect();
    let least = |bounds: &mut dyn Iterator<Item = (usize, f64)>| {
        bounds.fold(None, |best: Option<(usize, f64)>, next| match best {
            Some(best) if best.1 <= next.1 => Some(best),
            _ => Some(next),
        })
    };
    let set = least(&mut holding.iter().filter_map(|(i, bound)| match bound {
        Bound::Set(to) => Some((*i, *to)),
        Bound::Floor(_) | Bound::Cap(_) => None,
    }));
    let floor = least(&mut holding.iter().filter_map(|(i, bound)| match bound {
        Bound::Floor(at) => Some((*i, -*at)),
        Bound::Set(_) | Bound::Cap(_) => None,
    }))
    .map(|(i, negated)| (i, -negated));
    let cap = least(&mut holding.iter().filter_map(|(i, bound)| match bound {
        Bound::Cap(at) => Some((*i, *at)),
        Bound::Set(_) | Bound::Floor(_) => None,
    }));
    let mut step = |decides: Option<(usize, f64)>, to: &dyn Fn(f64, f64) -> f64| {
        if let Some((i, bound)) = decides {
            let next = to(value, bound);
            if let Some(effect) = effects.get_mut(i) {
                effect.effect = next - value;
            }
            value = next;
        }
    };
    step(set, &|_, to| to);
    step(floor, &f64::max);
    step(cap, &f64::min);
    value
}

/// The override that stands: the last entry decides, while the instant is before its end.
fn standing_override(view: &View<'_>) -> Option<OverrideEffect> {
    let entry = &view.state.profile.overrides.at(view.at)?.value;
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

//! Limits, stages and choices of models: what can never hold, and what something before it always takes.

use super::domain::domain;
use super::range::before_limits;
use super::reach::Reach;
use super::{Checked, Findings, LintCode};
use crate::score::condition::{Bounds, Condition};
use crate::score::model::{Bound, Limit};
use crate::score::set::Model;

/// Steps that may be spent on comparing limits and conditions with each other, over the whole check: a thousand limits
/// are all compared, ten thousand would take minutes.
const STEPS: u32 = 2_000_000;

pub(super) fn check_limits(checked: &Checked<'_>, findings: &mut Findings) {
    let limits = &checked.model.limits;
    let ends = before_limits(checked).map(|values| ends(&values, limits));
    let mut steps = STEPS;
    for (i, limit) in limits.iter().enumerate() {
        let path = format!("limits[{i}]");
        if !possible(&limit.when, checked) {
            let message = format!("`{}` never holds: no reading meets its condition", limit.name);
            let advice = "compare with what the signal can read, or take the limit out";
            findings.warn(LintCode::LimitCannotFire, &format!("{path}.when"), message, advice);
        } else if ends.is_some_and(|ends| idle(limit.bound, ends)) {
            let message = format!("`{}` changes nothing: every score is within it already", limit.name);
            findings.note(
                LintCode::LimitCannotFire,
                &path,
                message,
                "set it to a bound that means something",
            );
        } else if let Some(stronger) = stronger(limits, i, &mut steps) {
            let message = format!(
                "`{}` never decides: whenever it holds, so does `{stronger}`, which says as much or more",
                limit.name
            );
            let advice = "take it out, or make its condition narrower and its bound stronger";
            findings.warn(LintCode::OverlappingConditions, &path, message, advice);
        }
    }
}

/// Where values end before caps, and before floors: with what other limits make of them.
fn ends(values: &Reach, limits: &[Limit]) -> (f64, f64) {
    limits.iter().fold((values.least(), values.greatest()), |(least, greatest), limit| match limit.bound {
        Bound::Set(to) => (least.min(to), greatest.max(to)),
        Bound::Floor(at) => (least, greatest.max(at)),
        Bound::Cap(_) => (least, greatest),
    })
}

/// Whether a bound is one that no value passes.
fn idle(bound: Bound, (least, greatest): (f64, f64)) -> bool {
    match bound {
        Bound::Set(_) => false,
        Bound::Cap(at) => greatest <= at,
        Bound::Floor(at) => least >= at,
    }
}

/// The name of a limit that decides wherever another one holds.
fn stronger<'m>(limits: &'m [Limit], weak: usize, steps: &mut u32) -> Option<&'m str> {
    let limit = limits.get(weak)?;
    let beats = |(i, other): &(usize, &Limit)| {
        // Of equal ones the first decides.
        let first = *i < weak;
        *i != weak
            && match (other.bound, limit.bound) {
                (Bound::Cap(a), Bound::Cap(b)) => a < b || a == b && first,
                (Bound::Floor(a), Bound::Floor(b)) => a > b || a == b && first,
                (Bound::Set(a), Bound::Set(b)) => a < b || a == b && first,
                (Bound::Cap(_) | Bound::Floor(_) | Bound::Set(_), _) => false,
            }
    };
    for pair in limits.iter().enumerate() {
        *steps = steps.checked_sub(1)?;
        if beats(&pair) && covers(&pair.1.when, &limit.when, steps) {
            return Some(&pair.1.name);
        }
    }
    None
}

pub(super) fn check_set(model: &Model, findings: &mut Findings) {
    let mut steps = STEPS;
    let choices: Vec<(usize, &Condition)> = (model.choices.iter().enumerate())
        .filter_map(|(i, choice)| choice.when.as_ref().map(|when| (i, when)))
        .collect();
    let stages: Vec<(usize, &Condition)> = model.stages.iter().map(|stage| &stage.when).enumerate().collect();
    for (list, conditions) in [("models", choices), ("stages", stages)] {
        for (n, (i, when)) in conditions.iter().enumerate() {
            let mut before = conditions.iter().take(n);
            let taken = before.find(|(_, earlier)| covers(earlier, when, &mut steps));
            if let Some((first, _)) = taken {
                let message =
                    format!("it is never reached: {list}[{first}] holds whenever it does, and comes first");
                let advice = "put the narrower condition first";
                findings.warn(LintCode::OverlappingConditions, &format!("{list}[{i}].when"), message, advice);
            }
        }
    }
}

/// From where to where numbers meet bounds, and whether the ends do.
#[derive(Clone, Copy)]
struct Range {
    low: f64,
    low_open: bool,
    high: f64,
    high_open: bool,
}

impl Range {
    fn of(bounds: &Bounds) -> Self {
        let mut range =
            Self { low: f64::NEG_INFINITY, low_open: false, high: f64::INFINITY, high_open: false };
        let at_least = [bounds.at_least, bounds.equals].into_iter().flatten();
        for (low, open) in at_least.map(|low| (low, false)).chain(bounds.above.map(|low| (low, true))) {
            if low > range.low || low == range.low && open {
                (range.low, range.low_open) = (low, open);
            }
        }
        let at_most = [bounds.at_most, bounds.equals].into_iter().flatten();
        for (high, open) in at_most.map(|high| (high, false)).chain(bounds.below.map(|high| (high, true))) {
            if high < range.high || high == range.high && open {
                (range.high, range.high_open) = (high, open);
            }
        }
        range
    }

    fn and(self, other: Self) -> Self {
        let (low, low_open) = match self.low.total_cmp(&other.low) {
            std::cmp::Ordering::Less => (other.low, other.low_open),
            std::cmp::Ordering::Equal => (self.low, self.low_open || other.low_open),
            std::cmp::Ordering::Greater => (self.low, self.low_open),
        };
        let (high, high_open) = match self.high.total_cmp(&other.high) {
            std::cmp::Ordering::Less => (self.high, self.high_open),
            std::cmp::Ordering::Equal => (self.high, self.high_open || other.high_open),
            std::cmp::Ordering::Greater => (other.high, other.high_open),
        };
        Self { low, low_open, high, high_open }
    }

    fn is_empty(self) -> bool {
        self.low > self.high || self.low == self.high && (self.low_open || self.high_open)
    }

    fn holds(self, other: Self) -> bool {
        let low = self.low < other.low || self.low == other.low && (!self.low_open || other.low_open);
        let high = self.high > other.high || self.high == other.high && (!self.high_open || other.high_open);
        low && high
    }

    fn meets(self, values: &Reach) -> bool {
        let span =
            |(low, high): &(f64, f64)| Self { low: *low, low_open: false, high: *high, high_open: false };
        values.spans().iter().any(|values| !self.and(span(values)).is_empty())
    }
}

/// Whether some client could meet a condition, as far as its numbers tell.
fn possible(condition: &Condition, checked: &Checked<'_>) -> bool {
    match condition {
        Condition::Signal { signal, bounds } => Range::of(bounds).meets(&domain(checked, *signal)),
        Condition::TenureDays(bounds) => Range::of(bounds).meets(&Reach::span(0.0, f64::INFINITY)),
        Condition::All(all) => {
            let numbers = all.iter().filter_map(number);
            let agree = |(of, range): (Option<usize>, Range)| {
                let same = all.iter().filter_map(number).filter(|(other, _)| *other == of);
                !same.fold(range, |range, (_, other)| range.and(other)).is_empty()
            };
            all.iter().all(|inner| possible(inner, checked)) && numbers.clone().all(agree)
        }
        Condition::Any(any) => any.iter().any(|inner| possible(inner, checked)),
        _ => true,
    }
}

/// What a condition says of one number: of a signal, or of tenure.
fn number(condition: &Condition) -> Option<(Option<usize>, Range)> {
    match condition {
        Condition::Signal { signal, bounds } => Some((Some(*signal), Range::of(bounds))),
        Condition::TenureDays(bounds) => Some((None, Range::of(bounds))),
        _ => None,
    }
}

/// Whether one condition holds whenever another does. `false` where that cannot be told.
fn covers(wide: &Condition, narrow: &Condition, steps: &mut u32) -> bool {
    let Some(left) = steps.checked_sub(1) else { return false };
    *steps = left;
    if wide == narrow {
        return true;
    }
    if let (Some((of, wide)), Some((other, narrow))) = (number(wide), number(narrow)) {
        return of == other && wide.holds(narrow);
    }
    match (wide, narrow) {
        (_, Condition::Any(any)) => any.iter().all(|narrow| covers(wide, narrow, steps)),
        (Condition::All(all), _) => all.iter().all(|wide| covers(wide, narrow, steps)),
        (Condition::Any(any), Condition::All(all)) => {
            any.iter().any(|wide| covers(wide, narrow, steps))
                || all.iter().any(|narrow| covers(wide, narrow, steps))
        }
        (Condition::Any(any), _) => any.iter().any(|wide| covers(wide, narrow, steps)),
        (_, Condition::All(all)) => all.iter().any(|narrow| covers(wide, narrow, steps)),
        // The other way round under not. A missing signal makes both missing.
        (Condition::Not(wide), Condition::Not(narrow)) => covers(narrow, wide, steps),
        _ => false,
    }
}

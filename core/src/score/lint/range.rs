//! Which scores can come out of a model: by every reading of every signal, with and without something missing.

use super::domain::{domain, points};
use super::reach::Reach;
use super::{Checked, Findings, LintCode, Place, short, weight};
use crate::score::TOLERANCE;
use crate::score::model::{Adjustment, Bound, Combine, Group, Limit, Part, WhenMissing};

/// Up to so many children that may be missing every combination is tried.
const MOST_TRIED: u32 = 6;

pub(super) fn check(checked: &Checked<'_>, findings: &mut Findings) {
    let root = &checked.model.root;
    let Some(known) = known(root, checked, &everything) else {
        // Nothing has weight, which is told where it is.
        return;
    };
    let known = held(known, self::known(root, checked, &computed), checked);
    let any = raw_with_missing(checked);
    let adjusted = adjusted(&known, checked, false);
    let known = limited(&adjusted, &checked.model.limits);
    let any = any.map(|any| limited(&self::adjusted(&any, checked, true), &checked.model.limits));
    bands(checked, &known, &any.unwrap_or_else(|| known.clone()), findings);
    crossing(checked, findings);
    adjustments(checked, findings);
    coverage(checked, findings);
}

/// The scores before limits that any reading can lead to, also with something missing; `None` where there is never one.
pub(super) fn before_limits(checked: &Checked<'_>) -> Option<Reach> {
    raw_with_missing(checked).map(|any| clamped(&adjusted(&any, checked, true)))
}

/// Which parts a walk sees.
type Sees<'s> = &'s dyn Fn(&Part) -> bool;

fn everything(_: &Part) -> bool {
    true
}

fn computed(part: &Part) -> bool {
    !part.human
}

/// What the groups can come to while something may be missing.
fn raw_with_missing(checked: &Checked<'_>) -> Option<Reach> {
    let (root, least) = (&checked.model.root, checked.model.min_coverage);
    let any = missing(root, least, checked, &everything)?.reach;
    // Without people's parts any coverage will do: it is counted with them.
    match missing(root, 0.0, checked, &computed) {
        // Where nothing is computed there is nothing to hold the judgement against.
        Some(alone) if alone.absent => Some(any.or(&held(any.clone(), Some(alone.reach), checked))),
        alone => Some(held(any, alone.map(|alone| alone.reach), checked)),
    }
}

/// What the cap on human parts leaves of the values of all parts, given those of the computed ones alone.
fn held(all: Reach, computed: Option<Reach>, checked: &Checked<'_>) -> Reach {
    let Some((cap, alone)) = checked.model.human_cap.zip(computed) else { return all };
    let (low, high) = (alone.plus(&Reach::only(-cap)), alone.plus(&Reach::only(cap)));
    let within = all.max(&Reach::only(low.least())).min(&Reach::only(high.greatest()));
    // Where it holds, the value is the computed one and the cap.
    within.or(&low).or(&high)
}

/// The points a part can give; `None` of one that is only tracked.
fn part_points(part: &Part, checked: &Checked<'_>) -> Option<Reach> {
    part.curve.as_ref().map(|curve| points(curve, &domain(checked, part.signal)))
}

/// The values of a group while everything is present; `None` where nothing in it has weight.
fn known(group: &Group, checked: &Checked<'_>, sees: Sees<'_>) -> Option<Reach> {
    let parts = group.parts.iter().filter(|part| sees(part));
    let parts = parts.map(|part| (part.weight, part_points(part, checked)));
    let groups = group.groups.iter().map(|inner| (inner.weight, known(inner, checked, sees)));
    let children: Vec<(f64, Reach)> =
        parts.chain(groups).filter_map(|(weight, reach)| reach.map(|reach| (weight, reach))).collect();
    let all: Vec<&(f64, Reach)> = children.iter().collect();
    combine(group.combine, &all)
}

fn combine(how: Combine, children: &[&(f64, Reach)]) -> Option<Reach> {
    match how {
        Combine::Mean => {
            let total: f64 = children.iter().map(|(weight, _)| weight).sum();
            let weighty = children.iter().filter(|(weight, _)| *weight > 0.0);
            weighty.map(|(weight, reach)| reach.times(weight / total)).reduce(|a, b| a.plus(&b))
        }
        Combine::Min => children.iter().map(|(_, reach)| reach.clone()).reduce(|a, b| a.min(&b)),
        Combine::Max => children.iter().map(|(_, reach)| reach.clone()).reduce(|a, b| a.max(&b)),
    }
}

/// The values of something of which a part may be missing.
struct Perhaps {
    reach: Reach,
    /// Whether there may be no value at all.
    absent: bool,
}

/// The values of a group of which at least a share must be covered.
fn missing(group: &Group, must: f64, checked: &Checked<'_>, sees: Sees<'_>) -> Option<Perhaps> {
    let total = weight(group);
    let mut children: Vec<(f64, Perhaps)> = Vec::new();
    // What a child must cover when all others are covered whole.
    let must_of = |weight: f64| {
        let share = if total > 0.0 { weight / total } else { 0.0 };
        if share > 0.0 { 1.0 - (1.0 - must) / share } else { 0.0 }
    };
    for part in group.parts.iter().filter(|part| sees(part)) {
        let spare = must_of(part.weight) <= TOLERANCE;
        let Some(present) = part_points(part, checked) else { continue };
        let perhaps = match part.missing {
            WhenMissing::Redistribute | WhenMissing::CarryDays(_) => {
                Perhaps { reach: present, absent: spare }
            }
            WhenMissing::Points(instead) if spare => {
                Perhaps { reach: present.or(&Reach::only(instead)), absent: false }
            }
            WhenMissing::Points(_) | WhenMissing::Required => Perhaps { reach: present, absent: false },
        };
        children.push((part.weight, perhaps));
    }
    for inner in &group.groups {
        let must = must_of(inner.weight);
        if let Some(perhaps) = missing(inner, must, checked, sees) {
            let absent = perhaps.absent && must <= TOLERANCE;
            children.push((inner.weight, Perhaps { absent, ..perhaps }));
        }
    }
    // What has no weight in a mean gives nothing, present or not.
    let gives = |weight: f64| group.combine != Combine::Mean || weight > 0.0;
    let absent = children.iter().filter(|(weight, _)| gives(*weight)).all(|(_, perhaps)| perhaps.absent);
    reach_of(group.combine, &children).map(|reach| Perhaps { reach, absent })
}

/// The values of children that may be absent one by one.
fn reach_of(how: Combine, children: &[(f64, Perhaps)]) -> Option<Reach> {
    let optional = children.iter().filter(|(_, perhaps)| perhaps.absent).count();
    let plain: Vec<(bool, (f64, Reach))> =
        children.iter().map(|(weight, perhaps)| (perhaps.absent, (*weight, perhaps.reach.clone()))).collect();
    let tried = u32::try_from(optional).unwrap_or(u32::MAX);
    if tried > MOST_TRIED {
        // No mean, least or greatest of values lies outside of them.
        let weighty = plain.iter().filter(|(_, (weight, _))| how != Combine::Mean || *weight > 0.0);
        return weighty.map(|(_, (_, reach))| reach.clone()).reduce(|a, b| a.or(&b)).map(|all| all.filled());
    }
    let mut reach: Option<Reach> = None;
    for present in 0..1u32 << tried {
        let mut number = 0;
        let mut kept = Vec::with_capacity(plain.len());
        for (absent, child) in &plain {
            if *absent {
                number += 1;
            }
            if !*absent || present & (1 << (number - 1)) != 0 {
                kept.push(child);
            }
        }
        if let Some(values) = combine(how, &kept) {
            reach = Some(reach.map_or_else(|| values.clone(), |before| before.or(&values)));
        }
    }
    reach
}

fn adjustment_points(adjustment: &Adjustment, checked: &Checked<'_>) -> Reach {
    points(&adjustment.curve, &domain(checked, adjustment.signal))
}

fn adjusted(reach: &Reach, checked: &Checked<'_>, missing: bool) -> Reach {
    checked.model.adjustments.iter().fold(reach.clone(), |reach, adjustment| {
        let by = adjustment_points(adjustment, checked);
        reach.plus(&if missing { by.or(&Reach::only(0.0)) } else { by })
    })
}

/// What limits can make of values, each holding or not.
fn limited(reach: &Reach, limits: &[Limit]) -> Reach {
    let bound = |which: fn(Bound) -> Option<f64>| limits.iter().filter_map(move |limit| which(limit.bound));
    let set = |bound| if let Bound::Set(to) = bound { Some(to) } else { None };
    let floor = |bound| if let Bound::Floor(at) = bound { Some(at) } else { None };
    let cap = |bound| if let Bound::Cap(at) = bound { Some(at) } else { None };
    let mut reach = bound(set).fold(reach.clone(), |reach, to| reach.or(&Reach::only(to)));
    reach = bound(floor).fold(reach.clone(), |all, at| all.or(&reach.max(&Reach::only(at))));
    reach = bound(cap).fold(reach.clone(), |all, at| all.or(&reach.min(&Reach::only(at))));
    clamped(&reach)
}

fn clamped(reach: &Reach) -> Reach {
    reach.max(&Reach::only(0.0)).min(&Reach::only(100.0))
}

/// Bands that cannot be reached, at all or by a client of whom everything is known.
fn bands(checked: &Checked<'_>, known: &Reach, any: &Reach, findings: &mut Findings) {
    let bands = &checked.model.bands;
    let scores = |reach: &Reach| format!("{} to {}", short(reach.least()), short(reach.greatest()));
    for (i, band) in bands.iter().enumerate() {
        let (to, path) = (bands.get(i + 1).map(|next| next.from), format!("bands[{i}]"));
        let ends = to.map_or_else(|| "100".to_owned(), short);
        let range = format!("`{}`, {} to {ends}", band.name, short(band.from));
        if !any.meets(band.from, to) {
            let message =
                format!("no reading leads to {range}: scores go from {}, not all between", scores(any));
            let advice = "move the edges of the bands, or let the curves reach what the band is for";
            findings.warn(LintCode::UnreachableBand, &path, message, advice);
        } else if !known.meets(band.from, to) && i > 0 {
            let message = format!(
                "only a client of whom something is missing comes to {range}: with everything known scores go from {}, not all between",
                scores(known)
            );
            let advice = "move the edges of the bands, or let the curves reach what the band is for";
            findings.note(LintCode::UnreachableBand, &path, message, advice);
        }
    }
    let Some(second) = bands.get(1).filter(|second| !known.meets(0.0, Some(second.from))) else { return };
    let lowest =
        |place: &Place<'_>| part_points(place.part, checked).map_or(0.0, |reach| place.share * reach.least());
    let holding = checked.places.iter().reduce(|a, b| if lowest(b) > lowest(a) { b } else { a });
    let Some(place) = holding else { return };
    let message = format!(
        "with everything known the score is never below {}, and the lowest band ends at {}; this part alone always brings at least {}",
        short(known.least()),
        short(second.from),
        short(lowest(place))
    );
    let advice = "let the curve go down to 0 where the signal is at its worst";
    findings.warn(LintCode::ScoreCannotBeLow, &format!("{}.curve", place.path), message, advice);
}

/// Parts that move a client across a band by themselves.
fn crossing(checked: &Checked<'_>, findings: &mut Findings) {
    let bands = &checked.model.bands;
    let ends = bands.iter().skip(1).map(|band| band.from).chain([100.0]);
    let widths = bands.iter().zip(ends).map(|(band, end)| (end - band.from, band.name.as_str()));
    let narrowest = widths.reduce(|a, b| if b.0 < a.0 { b } else { a });
    let Some((width, band)) = narrowest.filter(|_| bands.len() > 1 && checked.places.len() > 1) else {
        return;
    };
    for place in &checked.places {
        let Some(reach) = part_points(place.part, checked) else { continue };
        let swing = place.share * (reach.greatest() - reach.least());
        // What people judge moves the score no further than their cap, either way.
        let capped = checked.model.human_cap.filter(|_| place.part.human);
        let swing = capped.map_or(swing, |cap| swing.min(2.0 * cap));
        if swing + TOLERANCE >= width {
            let message = format!(
                "`{}` moves the score by up to {} points, with everything known; `{band}` is {} wide, so it alone takes a client across",
                checked.name(place.part.signal),
                short(swing),
                short(width)
            );
            let advice = "lower its weight or put more signals beside it; where it is to decide alone, make that a limit";
            findings.warn(LintCode::OnePartCrossesBand, &place.path, message, advice);
        }
    }
}

/// Adjustments that together leave nothing of the rest.
fn adjustments(checked: &Checked<'_>, findings: &mut Findings) {
    let sums = checked.model.adjustments.iter().map(|adjustment| adjustment_points(adjustment, checked));
    let (down, up) = sums.fold((0.0, 0.0), |(down, up), reach| {
        (down + reach.least().min(0.0), up + reach.greatest().max(0.0))
    });
    let mut tell = |sum: f64, from: &str, to: &str| {
        let message = format!(
            "adjustments together bring up to {} points: from {from} to {to} whatever the groups say",
            short(sum)
        );
        let advice = "keep adjustments small beside the score, and say what ends a contract by limits";
        findings.warn(LintCode::NoFloor, "adjustments", message, advice);
    };
    if down <= -100.0 {
        tell(down, "100", "0");
    }
    if up >= 100.0 {
        tell(up, "0", "100");
    }
}

/// Whether a score can be made of one part out of many.
fn coverage(checked: &Checked<'_>, findings: &mut Findings) {
    let required = |place: &&Place<'_>| place.part.missing == WhenMissing::Required;
    let weighty = checked.places.iter().filter(|place| place.cover > 0.0);
    let heaviest = weighty.clone().reduce(|a, b| if b.cover > a.cover { b } else { a });
    let Some(place) = heaviest.filter(|_| weighty.count() > 2) else { return };
    let others_required = checked.places.iter().filter(required).any(|other| other.path != place.path);
    let (least, cover) = (checked.model.min_coverage, place.cover);
    if others_required || cover + TOLERANCE < least {
        return;
    }
    let message = format!(
        "`{}` covers {} of the model and `min_coverage` is {}: it alone makes a score, with all the weight",
        checked.name(place.part.signal),
        short(cover),
        short(least)
    );
    let advice = "set `min_coverage` to what you would defend in a meeting; below it the band is `unknown`";
    findings.note(LintCode::OnePartMakesScore, "min_coverage", message, advice);
}

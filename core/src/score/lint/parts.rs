//! Weights, curves and signals, each by itself.

use super::domain::{Trend, trend};
use super::{Checked, Findings, LintCode, Severity, short, weight};
use crate::score::curve::Curve;
use crate::score::model::{Band, Combine, Group, Single};
use crate::score::set::Model;
use crate::score::tree::for_each_part;
use crate::signal::{Direction, SignalSpec};
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) fn check(checked: &Checked<'_>, findings: &mut Findings) {
    weights(&checked.model.root, "", findings);
    for (signal, curve, path) in curves(checked) {
        if let Some(spec) = checked.spec(signal) {
            yes_no(checked.name(signal), spec, curve, &path, findings);
            direction(checked, signal, curve, &path, findings);
        }
    }
    for signal in 0..checked.model.signals.len() {
        small_base(checked, signal, findings);
    }
    copies(checked, findings);
    unused(checked.model, findings);
}

/// Every curve of a model with its signal and its path.
fn curves<'m>(checked: &'m Checked<'m>) -> impl Iterator<Item = (usize, &'m Curve, String)> {
    let parts = checked.places.iter().filter_map(|place| {
        place.part.curve.as_ref().map(|curve| (place.part.signal, curve, place.path.clone()))
    });
    let adjustments = checked.model.adjustments.iter().enumerate();
    let adjustments = adjustments
        .map(|(i, adjustment)| (adjustment.signal, &adjustment.curve, format!("adjustments[{i}]")));
    parts.chain(adjustments).map(|(signal, curve, path)| (signal, curve, format!("{path}.curve")))
}

/// Weights that were to be shares of a hundred, and groups in which nothing weighs.
fn weights(group: &Group, path: &str, findings: &mut Findings) {
    let own = path.trim_end_matches('.');
    let own = if own.is_empty() { "groups" } else { own };
    let each = || {
        let parts = group.parts.iter().map(|part| part.weight);
        parts.chain(group.groups.iter().map(|inner| inner.weight))
    };
    let (sum, least) = (weight(group), each().fold(f64::INFINITY, f64::min));
    let off = |whole: f64| (sum - whole).abs() <= whole / 10.0 && (sum - whole).abs() > 1e-9 * whole;
    let percent = least >= 1.0 && off(100.0);
    let shares = each().all(|weight| weight < 1.0) && off(1.0);
    if group.combine == Combine::Mean && each().count() > 1 && (percent || shares) {
        let whole = if percent { "100" } else { "1" };
        let message = format!(
            "weights add up to {}, not to {whole}; they are relative, so each counts as its share of {}",
            short(sum),
            short(sum)
        );
        findings.note(
            LintCode::WeightsNot100,
            own,
            message,
            "look for a weight that was forgotten or changed alone",
        );
    }
    let judged = group.parts.iter().any(|part| part.curve.is_some()) || !group.groups.is_empty();
    if group.combine == Combine::Mean && sum == 0.0 && judged {
        let message = "nothing in it has weight, so it is never part of a score".to_owned();
        findings.warn(LintCode::NoWeight, own, message, "give something a weight, or take the group out");
    }
    for (i, inner) in group.groups.iter().enumerate() {
        weights(inner, &format!("{path}groups[{i}]."), findings);
    }
}

/// A signal that is 0 or 1 under a curve that says more than two things.
fn yes_no(name: &str, spec: &SignalSpec, curve: &Curve, path: &str, findings: &mut Findings) {
    if spec.doc().unit == "0 or 1" && is_graded(curve) {
        graded(name, path, "is only ever 0 or 1", Severity::Warning, findings);
    }
}

pub(super) fn graded(name: &str, path: &str, what: &str, severity: Severity, findings: &mut Findings) {
    let message = format!("`{name}` {what}, and the curve has points that it can never reach");
    let advice = "use two steps, as in {\"steps\": [[0, a], [1, b]]}, or a signal that has degrees";
    findings.add(LintCode::YesNoUnderGradedCurve, severity, path, message, advice);
}

/// Whether a curve has points that neither 0 nor 1 reaches.
pub(super) fn is_graded(curve: &Curve) -> bool {
    match curve {
        Curve::Points(points) => points.iter().any(|(x, _)| *x != 0.0 && *x != 1.0),
        Curve::Steps(steps) => {
            let step = |x: f64| steps.iter().rposition(|(from, _)| *from <= x);
            steps.iter().enumerate().any(|(i, _)| step(0.0) != Some(i) && step(1.0) != Some(i))
        }
        Curve::Logistic { .. } | Curve::Peak { .. } | Curve::Percentile { .. } => true,
    }
}

/// A curve that falls where more is better, or rises where less is. Of an adjustment it is the same.
fn direction(checked: &Checked<'_>, signal: usize, curve: &Curve, path: &str, findings: &mut Findings) {
    let Some(spec) = checked.spec(signal) else { return };
    let (doc, stated) = (spec.doc(), spec.stated_direction());
    let (better, goes) = match (stated.unwrap_or(doc.direction), trend(curve)) {
        (Direction::Up, Trend::Falls) => ("more", "falls"),
        (Direction::Down, Trend::Rises) => ("less", "rises"),
        _ => return,
    };
    let message =
        format!("of `{}` ({}) {better} is better, and the curve {goes}", checked.name(signal), doc.kind);
    // What a metric counts is known to its owner alone.
    let by_metric = ["metric", "metrics"].iter().any(|name| checked.parameter(signal, name).is_some());
    if by_metric && stated.is_none() {
        let advice = "if the metric counts something bad, state its `direction`; else turn the curve round";
        findings.note(LintCode::DirectionAgainstCurve, path, message, advice);
    } else {
        findings.warn(LintCode::DirectionAgainstCurve, path, message, "turn the curve round");
    }
}

/// Ratios and trends that one event can make.
fn small_base(checked: &Checked<'_>, signal: usize, findings: &mut Findings) {
    let Some(kind) = checked.spec(signal).map(SignalSpec::kind) else { return };
    let stated = |name: &str| checked.parameter(signal, name).and_then(Value::as_f64);
    let (name, base) = match kind {
        "usage_trend" | "active_trend" => ("min_base", stated("min_base").unwrap_or(1.0)),
        "ratio" => ("min_denominator", stated("min_denominator").unwrap_or(0.0)),
        _ => return,
    };
    if base >= 1.0 {
        return;
    }
    let path = format!("signals.{}.{name}", checked.name(signal));
    let message = format!(
        "`{kind}` divides by anything above {}: one event more or less makes the figure",
        short(base)
    );
    let advice = "set it to the least base at which the figure means something, such as 20 calls or 3 users";
    findings.note(LintCode::SmallBase, &path, message, advice);
}

/// Parts whose signals are the same by all their parameters.
fn copies(checked: &Checked<'_>, findings: &mut Findings) {
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    for place in checked.places.iter().filter(|place| place.part.curve.is_some()) {
        let Some(spec) = checked.spec(place.part.signal) else { continue };
        // With its defaults filled in, which the document may have left out.
        match first.get(&format!("{spec:?}")) {
            Some(other) => {
                let name = checked.name(place.part.signal);
                let message = format!("`{name}` measures exactly what `{other}` measures");
                let advice = "keep one of them, with the weight of both";
                findings.warn(LintCode::NearCopies, &place.path, message, advice);
            }
            None => {
                first.insert(format!("{spec:?}"), &place.path);
            }
        }
    }
}

/// Signals that nothing in the model asks for.
fn unused(model: &Single, findings: &mut Findings) {
    let mut used = in_formulas(&model.signals);
    let mut mark = |signal: usize| {
        if let Some(slot) = used.get_mut(signal) {
            *slot = true;
        }
    };
    for_each_part(&model.root, &mut |part| mark(part.signal));
    model.adjustments.iter().for_each(|adjustment| mark(adjustment.signal));
    model.limits.iter().for_each(|limit| limit.when.for_each_signal(&mut mark));
    tell_unused(&model.signals, &used, findings);
}

/// Which signals some formula names.
fn in_formulas(signals: &[(String, SignalSpec)]) -> Vec<bool> {
    let mut named = vec![false; signals.len()];
    for signal in signals.iter().flat_map(|(_, spec)| spec.named()) {
        if let Some(slot) = named.get_mut(*signal) {
            *slot = true;
        }
    }
    named
}

fn tell_unused(signals: &[(String, SignalSpec)], used: &[bool], findings: &mut Findings) {
    for ((name, _), _) in signals.iter().zip(used).filter(|(_, used)| !**used) {
        let message = format!("nothing uses `{name}`");
        let path = format!("signals.{name}");
        findings.note(LintCode::UnusedSignal, &path, message, "put it in a part, or take it out");
    }
}

/// What the models of a set say differently under one name.
pub(super) fn check_set(model: &Model, findings: &mut Findings) {
    let mut used = in_formulas(&model.signals);
    let mut mark = |signal: usize| {
        if let Some(slot) = used.get_mut(signal) {
            *slot = true;
        }
    };
    model.stages.iter().for_each(|stage| stage.when.for_each_signal(&mut mark));
    model
        .choices
        .iter()
        .filter_map(|choice| choice.when.as_ref())
        .for_each(|when| when.for_each_signal(&mut mark));
    tell_unused(&model.signals, &used, findings);

    let mut bands: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    let mut signals: BTreeMap<&str, (usize, &SignalSpec)> = BTreeMap::new();
    for (i, choice) in model.choices.iter().enumerate() {
        for (n, Band { name, from }) in choice.model.bands.iter().enumerate() {
            let (first, other) = *bands.entry(name).or_insert((i, *from));
            if other != *from {
                let message = format!(
                    "`{name}` begins at {} here and at {} in models[{first}]",
                    short(*from),
                    short(other)
                );
                let advice =
                    "give a band the same edges everywhere, or another name: the book counts them together";
                findings.warn(
                    LintCode::OneNameTwoValues,
                    &format!("models[{i}].model.bands[{n}]"),
                    message,
                    advice,
                );
            }
        }
        for (name, spec) in &choice.model.signals {
            let (first, other) = *signals.entry(name).or_insert((i, spec));
            if other != spec {
                let message = format!("`{name}` is measured otherwise here than in models[{first}]");
                let advice = "give it a name of its own, so that a change of model cannot be read as a change of the client";
                findings.note(
                    LintCode::OneNameTwoValues,
                    &format!("models[{i}].model.signals.{name}"),
                    message,
                    advice,
                );
            }
        }
    }
}

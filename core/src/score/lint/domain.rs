//! What a signal can read, and what a curve makes of it.

use super::Checked;
use super::reach::Reach;
use crate::score::curve::Curve;
use serde_json::Value;

/// Every number.
fn anything() -> Reach {
    Reach::span(f64::NEG_INFINITY, f64::INFINITY)
}

/// What a signal can read, as far as its kind tells.
pub(super) fn domain(checked: &Checked<'_>, signal: usize) -> Reach {
    let Some(spec) = checked.spec(signal) else { return anything() };
    let days = || checked.parameter(signal, "days").and_then(Value::as_f64).unwrap_or(f64::INFINITY);
    let doc = spec.doc();
    match (doc.kind, doc.unit) {
        (_, "0 or 1") => Reach::of([(0.0, 0.0), (1.0, 1.0)]),
        (_, "0 to 100") => Reach::span(0.0, 100.0),
        (_, "-100 to 100") => Reach::span(-100.0, 100.0),
        (_, "1 to 5") => Reach::span(1.0, 5.0),
        ("stickiness" | "contact_validity" | "first_response_within", _) => Reach::span(0.0, 1.0),
        ("breadth", _) if checked.parameter(signal, "metrics").is_some_and(|list| !list.is_null()) => {
            Reach::span(0.0, 1.0)
        }
        ("active_days", _) => Reach::span(0.0, days()),
        ("incident_hours", _) => Reach::span(0.0, 24.0 * days()),
        // Corrections may bring sums of usage below 0, and so what is divided by them anywhere.
        ("seat_use" | "active_trend" | "breadth" | "mrr_trend", _) => Reach::span(0.0, f64::INFINITY),
        (
            _,
            "days" | "users" | "tickets" | "payments" | "hours" | "money a month" | "orders of magnitude",
        ) => Reach::span(0.0, f64::INFINITY),
        _ => anything(),
    }
}

/// The points a curve can give for readings of a domain.
pub(super) fn points(curve: &Curve, domain: &Reach) -> Reach {
    let at = |x: f64| curve.points(x).unwrap_or(0.0);
    // Between its bends a curve goes straight or at least one way.
    let bent = |bends: &[f64]| {
        Reach::of(domain.spans().iter().map(|(low, high)| {
            let inside = bends.iter().copied().filter(|x| (*low..=*high).contains(x));
            let ends = inside.chain([*low, *high]).map(at);
            ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), y| (least.min(y), most.max(y)))
        }))
    };
    match curve {
        Curve::Points(points) => bent(&points.iter().map(|(x, _)| *x).collect::<Vec<f64>>()),
        Curve::Peak { ideal, low, high } => bent(&[*low, *ideal, *high]),
        Curve::Logistic { slope, .. } if *slope == 0.0 => Reach::only(50.0),
        Curve::Logistic { .. } => bent(&[]),
        Curve::Steps(steps) => {
            let starts = std::iter::once((f64::NEG_INFINITY, 0.0)).chain(steps.iter().copied());
            let ends = steps.iter().map(|(from, _)| *from).chain([f64::INFINITY]);
            let met = |(from, to): (f64, f64)| {
                let spans = domain.spans();
                spans.iter().any(|(low, high)| *high >= from && (*low < to || to == f64::INFINITY))
            };
            let reached = starts.zip(ends).filter(|((from, _), to)| met((*from, *to)));
            Reach::of(reached.map(|((_, points), _)| (points, points)))
        }
        Curve::Percentile { .. } => Reach::span(0.0, 100.0),
    }
}

/// Which way a curve goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trend {
    Rises,
    Falls,
    /// Both, or none.
    Neither,
}

/// Which way a curve goes, as a whole.
pub(super) fn trend(curve: &Curve) -> Trend {
    let of = |points: &mut dyn Iterator<Item = f64>| {
        let points: Vec<f64> = points.collect();
        let steps = || points.iter().zip(points.iter().skip(1));
        match (steps().any(|(a, b)| b > a), steps().any(|(a, b)| b < a)) {
            (true, false) => Trend::Rises,
            (false, true) => Trend::Falls,
            (true, true) | (false, false) => Trend::Neither,
        }
    };
    match curve {
        Curve::Points(points) => of(&mut points.iter().map(|(_, y)| *y)),
        // What is below the first step is 0 and belongs to no reading that was thought of.
        Curve::Steps(steps) => of(&mut steps.iter().map(|(_, y)| *y)),
        Curve::Logistic { slope, .. } if *slope > 0.0 => Trend::Rises,
        Curve::Logistic { slope, .. } if *slope < 0.0 => Trend::Falls,
        Curve::Logistic { .. } | Curve::Peak { .. } => Trend::Neither,
        Curve::Percentile { invert: false, .. } => Trend::Rises,
        Curve::Percentile { invert: true, .. } => Trend::Falls,
    }
}

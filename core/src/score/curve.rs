//! Curves: how a signal's value becomes points.

use crate::signal::params::{Faults, Object, Param, Share, found, whole};
use serde_json::{Value, json};

/// Turns a value into points.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Curve {
    /// Straight between the points, constant outside.
    Points(Vec<(f64, f64)>),
    /// A value belongs to the last step whose start it reaches; below the first, 0.
    Steps(Vec<(f64, f64)>),
    /// 100 / (1 + exp(-slope (x - mid))).
    Logistic { mid: f64, slope: f64 },
    /// 0 at low, 100 at ideal, 0 at high, straight between, 0 outside.
    Peak { low: f64, ideal: f64, high: f64 },
    /// The share of the peers whose value is below this one, ties half, x 100.
    Percentile { within: Within, min_clients: usize, invert: bool },
}

/// Whom a client is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Within {
    /// Clients of its segment; none is a segment.
    Segment,
    /// All clients.
    All,
}
crate::signal::params::choice!(Within, "one of `segment`, `all`", "segment" => Within::Segment, "all" => Within::All);

/// A number of clients.
pub(super) struct Clients(usize);

impl Param for Clients {
    const EXPECTS: &'static str = "a whole number of at least 1";
    fn read(value: &Value) -> Option<Self> {
        whole(value).and_then(|n| usize::try_from(n).ok()).filter(|n| *n >= 1).map(Self)
    }
    fn schema() -> Value {
        json!({"type": "integer", "minimum": 1})
    }
}

/// A number that a reading is held against. Within bounds, so that no step on the way to points leaves the range of a float.
pub(super) struct Level(f64);

impl Level {
    const MOST: f64 = 1e18;
}

impl Param for Level {
    const EXPECTS: &'static str = "a number from -10^18 to 10^18";
    fn read(value: &Value) -> Option<Self> {
        f64::read(value).filter(|level| level.abs() <= Self::MOST).map(Self)
    }
    fn schema() -> Value {
        json!({"type": "number", "minimum": -Self::MOST, "maximum": Self::MOST})
    }
}

/// The most points that an adjustment adds or takes: far beyond the range of scores, and what a score shows still adds up.
pub(super) const ADJUSTED: (f64, f64) = (-1_000_000.0, 1_000_000.0);

const KINDS: &str = "one of `points`, `steps`, `logistic`, `peak`, `percentile`";

impl Curve {
    /// Reads a curve; `range` bounds its points where it is given.
    pub(crate) fn read(
        path: &str,
        value: &Value,
        range: Option<(f64, f64)>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let mut object = Object::at(path, value, faults)?;
        let before = faults.count();
        let points =
            object.value("points").map(|v| pairs(&object.path("points"), v, range, faults).map(Self::Points));
        let steps =
            object.value("steps").map(|v| pairs(&object.path("steps"), v, range, faults).map(Self::Steps));
        let logistic = object.value("logistic").map(|v| logistic(&object.path("logistic"), v, faults));
        let peak = object.value("peak").map(|v| peak(&object.path("peak"), v, faults));
        let percentile =
            object.value("percentile").map(|v| percentile(&object.path("percentile"), v, faults));
        object.finish(faults);
        let mut given = [points, steps, logistic, peak, percentile].into_iter().flatten();
        let (first, second) = (given.next(), given.next());
        if first.is_none() || second.is_some() {
            faults.add(path, format!("must be {KINDS}, found {}", found(value)));
        }
        first.flatten().filter(|_| faults.count() == before)
    }

    /// The points of a value; a percentile is worked out among peers by the caller.
    #[inline]
    pub(crate) fn points(&self, x: f64) -> Option<f64> {
        match self {
            // What most curves are.
            Self::Points(points) => Some(piecewise(points, x)),
            Self::Steps(_) | Self::Logistic { .. } | Self::Peak { .. } | Self::Percentile { .. } => {
                self.other_points(x)
            }
        }
    }

    #[inline(never)]
    fn other_points(&self, x: f64) -> Option<f64> {
        match self {
            Self::Steps(steps) => {
                Some(steps.iter().rev().find(|(from, _)| x >= *from).map_or(0.0, |(_, points)| *points))
            }
            Self::Logistic { mid, slope } => Some(100.0 / (1.0 + libm::exp(-slope * (x - mid)))),
            Self::Peak { low, ideal, high } => Some(peak_points(x, *low, *ideal, *high)),
            Self::Points(_) | Self::Percentile { .. } => None,
        }
    }
}

#[inline]
fn piecewise(points: &[(f64, f64)], x: f64) -> f64 {
    // A curve has a few points, which are looked through sooner than halved.
    let mut before = None;
    for (x1, y1) in points {
        if *x1 > x {
            return before.map_or(*y1, |(x0, y0)| y0 + (x - x0) * (y1 - y0) / (x1 - x0));
        }
        before = Some((x1, y1));
    }
    before.map_or(0.0, |(_, y)| *y)
}

fn peak_points(x: f64, low: f64, ideal: f64, high: f64) -> f64 {
    if x == ideal {
        100.0
    } else if x <= low || x >= high {
        0.0
    } else if x < ideal {
        100.0 * (x - low) / (ideal - low)
    } else {
        100.0 * (high - x) / (high - ideal)
    }
}

/// A list of pairs with strictly rising first numbers.
fn pairs(
    path: &str,
    value: &Value,
    range: Option<(f64, f64)>,
    faults: &mut Faults,
) -> Option<Vec<(f64, f64)>> {
    let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
        faults.add(path, format!("must be a list of at least one pair of numbers, found {}", found(value)));
        return None;
    };
    let mut read: Vec<(f64, f64)> = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        let path = format!("{path}[{i}]");
        let pair = match item.as_array().map(Vec::as_slice) {
            Some([x, y]) => f64::read(x).zip(f64::read(y)),
            _ => None,
        };
        let Some((x, y)) = pair else {
            faults.add(path, format!("must be a pair of numbers, found {}", found(item)));
            continue;
        };
        if x.abs() > Level::MOST {
            faults.add(path, format!("must begin with {}, found {x:e}", Level::EXPECTS));
            continue;
        }
        if let Some((last, _)) = read.last().filter(|(last, _)| *last >= x) {
            faults.add(
                path.clone(),
                format!("must begin with a number above {last}, the one before it, found {x}"),
            );
        }
        if let Some((low, high)) = range.filter(|(low, high)| !(*low..=*high).contains(&y)) {
            faults.add(path, format!("must give points from {low} to {high}, found {y}"));
        }
        read.push((x, y));
    }
    (read.len() == items.len()).then_some(read)
}

fn logistic(path: &str, value: &Value, faults: &mut Faults) -> Option<Curve> {
    let mut object = Object::at(path, value, faults)?;
    let mid: Option<Level> = object.required("mid", faults);
    let slope: Option<Level> = object.required("slope", faults);
    object.finish(faults);
    let (Level(mid), Level(slope)) = (mid?, slope?);
    Some(Curve::Logistic { mid, slope })
}

fn peak(path: &str, value: &Value, faults: &mut Faults) -> Option<Curve> {
    let mut object = Object::at(path, value, faults)?;
    let low: Option<Level> = object.required("low", faults);
    let ideal: Option<Level> = object.required("ideal", faults);
    let high: Option<Level> = object.required("high", faults);
    object.finish(faults);
    let (Level(low), Level(ideal), Level(high)) = (low?, ideal?, high?);
    if low > ideal || ideal > high || low == high {
        faults.add(
            path,
            format!("must have low <= ideal <= high and low < high, found {low}, {ideal}, {high}"),
        );
        return None;
    }
    Some(Curve::Peak { low, ideal, high })
}

fn percentile(path: &str, value: &Value, faults: &mut Faults) -> Option<Curve> {
    let mut object = Object::at(path, value, faults)?;
    let within = object.required("within", faults);
    let min_clients: Option<Clients> = object.optional("min_clients", faults);
    let invert: Option<bool> = object.optional("invert", faults);
    object.finish(faults);
    let min_clients = min_clients.map_or(1, |Clients(n)| n);
    Some(Curve::Percentile { within: within?, min_clients, invert: invert.unwrap_or(false) })
}

/// A weight: 1 unless said.
pub(crate) fn weight(object: &mut Object<'_>, faults: &mut Faults) -> f64 {
    object.optional::<crate::signal::params::Weight>("weight", faults).map_or(1.0, |weight| weight.0)
}

/// A share of a whole.
pub(crate) fn share(object: &mut Object<'_>, name: &'static str, faults: &mut Faults) -> Option<f64> {
    object.optional::<Share>(name, faults).map(|share| share.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_straight_between_and_constant_outside() {
        let curve = Curve::Points(vec![(0.0, 0.0), (5.0, 60.0), (20.0, 100.0)]);
        for (x, points) in [(-1.0, 0.0), (2.5, 30.0), (5.0, 60.0), (12.5, 80.0), (20.0, 100.0), (99.0, 100.0)]
        {
            assert_eq!(curve.points(x), Some(points), "{x}");
        }
        assert_eq!(Curve::Points(vec![(3.0, 7.0)]).points(9.0), Some(7.0));
    }

    /// Beyond 10^18 a step on the way to points could leave the range of a float, and a score would be no number.
    #[test]
    fn levels_are_within_the_range_of_what_can_be_worked_out() {
        let read = |curve: &Value| {
            let mut faults = Faults::default();
            let curve = Curve::read("curve", curve, Some(ADJUSTED), &mut faults);
            (curve, faults.count())
        };
        for beyond in [
            json!({"points": [[-9e307, 0], [9e307, 100]]}),
            json!({"steps": [[0, 0], [1.1e18, 100]]}),
            json!({"points": [[0, 1e308]]}),
            json!({"logistic": {"mid": 1e300, "slope": 1}}),
            json!({"peak": {"low": -1e308, "ideal": 0, "high": 1}}),
        ] {
            let (curve, faults) = read(&beyond);
            assert!(curve.is_none() && faults > 0, "{beyond}: {curve:?}, {faults} faults");
        }
        let (widest, _) = read(&json!({"points": [[-1e18, -1e6], [1e18, 1e6]]}));
        assert_eq!(widest.and_then(|curve| curve.points(0.0)), Some(0.0));
        let (narrow, _) = read(&json!({"peak": {"low": -1e18, "ideal": -5e17, "high": 1e18}}));
        assert_eq!(narrow.and_then(|curve| curve.points(2.5e17)), Some(50.0));
    }

    #[test]
    fn steps_belong_to_the_last_one_reached() {
        let curve = Curve::Steps(vec![(1.0, 40.0), (3.0, 90.0)]);
        assert_eq!(
            [0.9, 1.0, 2.9, 3.0].map(|x| curve.points(x)),
            [Some(0.0), Some(40.0), Some(40.0), Some(90.0)]
        );
    }

    #[test]
    fn peak_and_logistic() {
        let peak = Curve::Peak { low: 0.0, ideal: 2.0, high: 10.0 };
        assert_eq!(
            [0.0, 1.0, 2.0, 6.0, 10.0, 11.0].map(|x| peak.points(x).unwrap()),
            [0.0, 50.0, 100.0, 50.0, 0.0, 0.0]
        );
        let logistic = Curve::Logistic { mid: 3.0, slope: 2.0 };
        assert_eq!(logistic.points(3.0), Some(50.0));
        assert!((logistic.points(4.0).unwrap() - 88.079_707_797_788_24).abs() < 1e-12, "100 / (1 + e^-2)");
    }
}

//! Curves: a number in, points out.

use serde_json::Value;

use super::exact;

/// The points of a reading on a curve of a model.
pub(crate) fn points(curve: &Value, x: f64) -> Result<f64, String> {
    let parameter = |shape: &Value, name: &str| float(&shape[name]);
    if let Some(list) = curve["points"].as_array() {
        Ok(piecewise(&pairs(list), x))
    } else if let Some(list) = curve["steps"].as_array() {
        // A value belongs to the last step whose start it reaches; below the first there are no points.
        Ok(pairs(list).iter().rev().find(|(from, _)| *from <= x).map_or(0.0, |(_, points)| *points))
    } else if let Some(shape) = curve.get("logistic") {
        Ok(100.0 / (1.0 + (-parameter(shape, "slope") * (x - parameter(shape, "mid"))).exp()))
    } else if let Some(shape) = curve.get("peak") {
        let (low, ideal, high) =
            (parameter(shape, "low"), parameter(shape, "ideal"), parameter(shape, "high"));
        Ok(piecewise_or_zero(&[(low, 0.0), (ideal, 100.0), (high, 0.0)], x))
    } else {
        Err(format!("not_covered: curve {curve}"))
    }
}

/// A number of a model as binary64.
pub(crate) fn float(value: &Value) -> f64 {
    exact::read(value).map_or(f64::NAN, |x| exact::float(&x))
}

fn pairs(list: &[Value]) -> Vec<(f64, f64)> {
    list.iter().map(|pair| (float(&pair[0]), float(&pair[1]))).collect()
}

/// Straight lines between the points, constant outside.
fn piecewise(points: &[(f64, f64)], x: f64) -> f64 {
    let Some(next) = points.iter().position(|(at, _)| *at >= x) else {
        return points.last().map_or(f64::NAN, |(_, y)| *y);
    };
    let (x1, y1) = points[next];
    if next == 0 {
        return y1;
    }
    let (x0, y0) = points[next - 1];
    y0 + (x - x0) * (y1 - y0) / (x1 - x0)
}

/// The same, but 0 outside.
fn piecewise_or_zero(points: &[(f64, f64)], x: f64) -> f64 {
    let inside = points.iter().any(|(at, _)| *at <= x) && points.iter().any(|(at, _)| *at >= x);
    if inside { piecewise(points, x) } else { 0.0 }
}

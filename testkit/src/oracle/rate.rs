//! Rates: part, whole, value and a 95 % interval.

use num_traits::Zero;
use serde_json::{Value, json};

use super::exact::{self, Exact, mrr_text, quotient};

/// The 97.5 % point of the normal distribution.
const Z: f64 = 1.959963984540054;

/// A share of clients, with Wilson's interval; undefined over nobody.
pub(crate) fn of_heads(part: usize, whole: usize) -> Value {
    if whole == 0 {
        return json!({ "part": part, "whole": whole, "value": null, "low": null, "high": null });
    }
    let n = whole as f64;
    let p = part as f64 / n;
    let scale = 1.0 + Z * Z / n;
    let centre = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    let (low, high) = ((centre - half).max(0.0), (centre + half).min(1.0));
    json!({ "part": part, "whole": whole, "value": p, "low": low, "high": high })
}

/// A ratio of money: the sum of `parts` over the sum of `wholes`, one pair for each client, with the
/// linearised interval over clients. One client alone has no interval.
pub(crate) fn of_money(pairs: &[(Exact, Exact)]) -> Value {
    let part: Exact = pairs.iter().map(|(part, _)| part).sum();
    let whole: Exact = pairs.iter().map(|(_, whole)| whole).sum();
    let mut rate = over(&part, &whole);
    let half = standard_error(pairs, &part, &whole).map(|error| Z * error);
    let value = quotient(&part, &whole);
    rate["low"] = json!(value.zip(half).map(|(value, half)| value - half));
    rate["high"] = json!(value.zip(half).map(|(value, half)| value + half));
    rate
}

/// Money over money, as MRR text, without an interval.
pub(crate) fn over(part: &Exact, whole: &Exact) -> Value {
    json!({ "part": mrr_text(part), "whole": mrr_text(whole), "value": quotient(part, whole) })
}

/// Money over heads.
pub(crate) fn per_head(part: &Exact, heads: usize) -> Value {
    let twelve_times = exact::whole(heads as i64 * 12);
    json!({ "part": mrr_text(part), "whole": heads, "value": quotient(part, &twelve_times) })
}

/// sqrt(n / (n - 1) x sum (part - ratio x whole)^2) / sum of wholes.
fn standard_error(pairs: &[(Exact, Exact)], part: &Exact, whole: &Exact) -> Option<f64> {
    let n = pairs.len() as f64;
    if pairs.len() < 2 || whole.is_zero() {
        return None;
    }
    let ratio = part / whole;
    let squares: Exact = pairs
        .iter()
        .map(|(part, whole)| {
            let off = part - &ratio * whole;
            &off * &off
        })
        .sum();
    let relative = exact::float(&(squares / (whole * whole)));
    Some((n / (n - 1.0) * relative).sqrt())
}

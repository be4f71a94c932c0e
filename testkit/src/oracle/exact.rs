//! Exact numbers: a fraction of two big integers, read from decimal text and printed as decimal text.
//!
//! Nothing here rounds except [`half_even`], so a sum of fractions is the sum.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use serde_json::Value;

/// A number without rounding.
pub(crate) type Exact = BigRational;

/// Digits behind the point of a printed MRR.
const MRR_DIGITS: u32 = 6;

/// A whole number.
pub(crate) fn whole(n: i64) -> Exact {
    Exact::from_integer(BigInt::from(n))
}

/// Ten to the power of `digits`.
fn power_of_ten(digits: u32) -> Exact {
    Exact::from_integer(BigInt::from(10).pow(digits))
}

/// Reads decimal text such as `-12.50` or `1e-6`; nothing if it is not a number.
pub(crate) fn parse(text: &str) -> Option<Exact> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: BigInt = format!("{before}{after}").parse().ok()?;
    let shift = exponent - i32::try_from(after.len()).ok()?;
    let scale = power_of_ten(shift.unsigned_abs());
    let value = Exact::from_integer(digits);
    Some(if shift < 0 { value / scale } else { value * scale })
}

/// Reads a JSON number or a decimal string. A JSON number is read by its shortest text, not by its binary
/// value.
pub(crate) fn read(value: &Value) -> Option<Exact> {
    match value {
        Value::Number(number) => parse(&number.to_string()),
        Value::String(text) => parse(text),
        _ => None,
    }
}

/// The nearest multiple of 10^-digits; halfway cases go to the even neighbour.
pub(crate) fn half_even(value: &Exact, digits: u32) -> Exact {
    let scale = power_of_ten(digits);
    let scaled = value * &scale;
    let below = scaled.floor();
    let rest = &scaled - &below;
    let half = Exact::new(BigInt::one(), BigInt::from(2));
    let below_is_even = (below.to_integer() % BigInt::from(2)).is_zero();
    let up = rest > half || (rest == half && !below_is_even);
    let rounded = if up { below + Exact::one() } else { below };
    rounded / scale
}

/// Plain decimal text without trailing zeros. The value must be a decimal of at most 30 fractional digits.
pub(crate) fn text(value: &Exact) -> String {
    const DIGITS: usize = 30;
    let scaled = (value * power_of_ten(DIGITS as u32)).to_integer();
    let sign = if scaled.is_negative() { "-" } else { "" };
    let digits = format!("{:0>width$}", scaled.abs().to_string(), width = DIGITS + 1);
    let (before, after) = digits.split_at(digits.len() - DIGITS);
    let after = after.trim_end_matches('0');
    let point = if after.is_empty() { "" } else { "." };
    format!("{sign}{before}{point}{after}")
}

/// The nearest binary64.
pub(crate) fn float(value: &Exact) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

/// The MRR text of an annual amount: a twelfth, six digits, half-even.
pub(crate) fn mrr_text(annual: &Exact) -> String {
    text(&half_even(&(annual / whole(12)), MRR_DIGITS))
}

/// `part / whole` as a float, or nothing over nothing.
pub(crate) fn quotient(part: &Exact, whole: &Exact) -> Option<f64> {
    (!whole.is_zero()).then(|| float(&(part / whole)))
}

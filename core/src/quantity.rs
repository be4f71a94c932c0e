//! Exact decimals: quantities of 6 fractional digits, read from their text and never through binary floating point.

use serde::{Deserialize, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;

/// Units of 10^-6 in one: the scale of [`Quantity`] and [`crate::Amount`].
pub(crate) const MICRO: i128 = 1_000_000;

/// Why a text is not an exact decimal of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecimalFault {
    /// Not a number by the grammar of JSON.
    Form,
    /// More fractional digits than are kept, or a magnitude beyond the limit.
    Range,
}

/// Reads a decimal by the JSON number grammar into units of 10^-6.
///
/// Digits are counted after trailing zeros are dropped, so `1.0000000` is fine; `-0` is 0. `limit` is inclusive.
pub(crate) fn parse_micro(text: &str, limit: i128) -> Result<i128, DecimalFault> {
    parse_scaled(text, 6, limit)
}

/// As [`parse_micro`], with `scale` fractional digits.
pub(crate) fn parse_scaled(text: &str, scale: i64, limit: i128) -> Result<i128, DecimalFault> {
    match plain_units(text, scale).filter(|units| units.abs() <= limit) {
        Some(units) => Ok(units),
        None => parse_any(text, scale, limit),
    }
}

/// As [`parse_scaled`], for every form that a number can have.
fn parse_any(text: &str, scale: i64, limit: i128) -> Result<i128, DecimalFault> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (rest.get(..at).unwrap_or(""), rest.get(at + 1..).unwrap_or("")),
        None => (rest, "0"),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return Err(DecimalFault::Form),
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let digits_only = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if whole.is_empty() || leading_zero || !digits_only(whole) || !digits_only(fraction) {
        return Err(DecimalFault::Form);
    }
    let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if exponent_digits.is_empty() || !digits_only(exponent_digits) {
        return Err(DecimalFault::Form);
    }

    // The value is 0.D1D2D3... x 10^point, with D1 and the last digit not 0.
    let first = whole.bytes().chain(fraction.bytes()).position(|b| b != b'0');
    let Some(first) = first else { return Ok(0) };
    let length = whole.len() + fraction.len();
    let zeros_behind = fraction.bytes().rev().chain(whole.bytes().rev()).take_while(|b| *b == b'0').count();
    let significant = length - first - zeros_behind;
    // An exponent too long for 64 bits is out of any range, whatever its sign.
    let exponent: i64 = exponent.parse().map_err(|_| DecimalFault::Range)?;
    let whole_digits = i64::try_from(whole.len()).map_err(|_| DecimalFault::Range)?;
    let first_at = i64::try_from(first).map_err(|_| DecimalFault::Range)?;
    let significant_count = i64::try_from(significant).map_err(|_| DecimalFault::Range)?;
    let point = (whole_digits - first_at).checked_add(exponent).ok_or(DecimalFault::Range)?;
    // Zeros to put behind the significant digits to come to units of 10^-scale.
    let shift =
        point.checked_sub(significant_count).and_then(|s| s.checked_add(scale)).ok_or(DecimalFault::Range)?;
    if !(0..=38).contains(&shift) || significant > 38 {
        return Err(DecimalFault::Range);
    }
    let mut units: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).skip(first).take(significant) {
        units = units
            .checked_mul(10)
            .and_then(|u| u.checked_add(i128::from(digit - b'0')))
            .ok_or(DecimalFault::Range)?;
    }
    for _ in 0..shift {
        units = units.checked_mul(10).ok_or(DecimalFault::Range)?;
    }
    if units > limit {
        return Err(DecimalFault::Range);
    }
    Ok(if negative { -units } else { units })
}

/// Units of 10^-`scale` of a number such as `3` or `-12.50`; `None` where it is not that short and plain.
#[inline]
fn plain_units(text: &str, scale: i64) -> Option<i128> {
    const LONGEST: usize = 16;
    let (negative, rest) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (mut units, mut fraction) = (0i64, None);
    if rest.len() > LONGEST || matches!(rest, [] | [b'0', b'0'..=b'9', ..] | [b'.', ..] | [.., b'.']) {
        return None;
    }
    for byte in rest {
        match byte {
            b'0'..=b'9' => units = units * 10 + i64::from(byte - b'0'),
            b'.' if fraction.is_none() => {
                fraction = Some(0);
                continue;
            }
            _ => return None,
        }
        fraction = fraction.map(|digits| digits + 1);
    }
    let missing = u32::try_from(scale - fraction.unwrap_or(0)).ok()?;
    let units = i128::from(units) * i128::from(10i64.checked_pow(missing)?);
    Some(if negative { -units } else { units })
}

/// Writes units of 10^-`scale` as the shortest decimal text: `1.5`, `120`, `-0.000001`.
pub(crate) fn write_scaled(f: &mut fmt::Formatter<'_>, units: i128, scale: u32) -> fmt::Result {
    let sign = if units < 0 { "-" } else { "" };
    // What fits 64 bits is divided much faster, and nearly everything does.
    if let (Ok(magnitude), Some(one)) = (u64::try_from(units.unsigned_abs()), 10u64.checked_pow(scale)) {
        return match magnitude % one {
            0 => write!(f, "{sign}{}", magnitude / one),
            mut fraction => {
                let mut digits = scale as usize;
                while fraction % 10 == 0 {
                    fraction /= 10;
                    digits -= 1;
                }
                write!(f, "{sign}{}.{fraction:0digits$}", magnitude / one)
            }
        };
    }
    let one = 10u128.pow(scale);
    let magnitude = units.unsigned_abs();
    let (whole, fraction) = (magnitude / one, magnitude % one);
    if fraction == 0 {
        return write!(f, "{sign}{whole}");
    }
    let digits = format!("{fraction:0width$}", width = scale as usize);
    write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
}

/// The nearest `f64` to units of 10^-`scale`, correctly rounded, so that every platform gives the same bits.
#[inline]
pub(crate) fn scaled_to_f64(units: i128, scale: u32) -> f64 {
    quotient_to_f64(units, 10i128.pow(scale))
}

/// The nearest `f64` to `numerator / denominator`, correctly rounded. `denominator` must be above 0.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "exact below 2^53, and one rounding to the nearest above; the shift is at most 64"
)]
pub(crate) fn quotient_to_f64(numerator: i128, denominator: i128) -> f64 {
    const EXACT: u128 = 1 << 53;
    let (n, d) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    let magnitude = if n <= EXACT && d <= EXACT {
        // Both operands are exact, so the one division rounds correctly.
        n as i64 as f64 / d as i64 as f64
    } else {
        // Long division until there are more digits than a float has. Whatever is left over then only says on which side
        // of a half the quotient is, as a last digit does.
        let (mut quotient, mut rest, mut exponent) = (n / d, n % d, 0);
        while quotient < 1 << 63 && (quotient | rest) != 0 {
            // A rest is below 2^127, so that there is a bit to shift by.
            let bits = rest.leading_zeros().min(64);
            let digits = rest << bits;
            quotient = (quotient << bits) | (digits / d);
            rest = digits % d;
            exponent -= bits as i32;
        }
        libm::scalbn((quotient | u128::from(rest != 0)) as f64, exponent)
    };
    if numerator < 0 { -magnitude } else { magnitude }
}

/// How `a / b` compares to `c / d`, exactly. `b` and `d` must be above 0.
pub(crate) fn compare_quotients((a, b): (i128, i128), (c, d): (i128, i128)) -> Ordering {
    let wholes = a.div_euclid(b).cmp(&c.div_euclid(d));
    wholes.then_with(|| match (a.rem_euclid(b), c.rem_euclid(d)) {
        (0, 0) => Ordering::Equal,
        (0, _) => Ordering::Less,
        (_, 0) => Ordering::Greater,
        // What is left over of each is below 1, and the greater has the lesser inverse.
        (left, right) => compare_quotients((d, right), (b, left)),
    })
}

/// `numerator / denominator` rounded half to even. `denominator` must be above 0.
pub(crate) fn div_half_even(numerator: i128, denominator: i128) -> i128 {
    let quotient = numerator.div_euclid(denominator);
    let twice = numerator.rem_euclid(denominator) * 2;
    let up = twice > denominator || (twice == denominator && quotient % 2 != 0);
    if up { quotient + 1 } else { quotient }
}

/// A usage count, a gauge sample, a number of seats: an exact decimal with at most 6 fractional digits and a
/// magnitude up to 10^12.
///
/// ```
/// use healthfold::Quantity;
/// let tenth: Quantity = "0.1".parse()?;
/// assert_eq!(tenth.to_string(), "0.1");
/// assert!("0.1234567".parse::<Quantity>().is_err(), "a seventh digit is refused, never rounded");
/// # Ok::<(), healthfold::NumberError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "i64")]
pub struct Quantity(i64);

impl TryFrom<i64> for Quantity {
    type Error = &'static str;

    fn try_from(units: i64) -> Result<Self, Self::Error> {
        Self::from_micros(units).ok_or("a quantity beyond 10^12")
    }
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One: what a counted event counts when it does not say.
    pub const ONE: Self = Self(1_000_000);
    /// The greatest magnitude, 10^12, in units of 10^-6.
    pub(crate) const LIMIT: i128 = 1_000_000_000_000 * MICRO;

    pub(crate) fn parse(text: &str) -> Result<Self, DecimalFault> {
        let units = parse_micro(text, Self::LIMIT)?;
        i64::try_from(units).map(Self).map_err(|_| DecimalFault::Range)
    }

    /// The value in units of 10^-6.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// The quantity of that many units of 10^-6, or `None` beyond 10^12.
    pub fn from_micros(units: i64) -> Option<Self> {
        (i128::from(units).abs() <= Self::LIMIT).then_some(Self(units))
    }

    /// The nearest binary floating point number.
    pub fn to_f64(self) -> f64 {
        scaled_to_f64(i128::from(self.0), 6)
    }
}

/// A text that is not an exact decimal of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {expected}")]
pub struct NumberError {
    pub(crate) found: String,
    pub(crate) expected: &'static str,
}

impl std::str::FromStr for Quantity {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        Self::parse(text).map_err(|_| NumberError {
            found: text.chars().take(60).collect(),
            expected: "a decimal with at most 6 fractional digits and a magnitude up to 10^12",
        })
    }
}

impl From<u32> for Quantity {
    fn from(whole: u32) -> Self {
        Self(i64::from(whole) * 1_000_000)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, i128::from(self.0), 6)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micro(text: &str) -> Result<i128, DecimalFault> {
        parse_micro(text, Quantity::LIMIT)
    }

    #[test]
    fn reads_by_the_json_grammar() {
        for (text, units) in [
            ("0", 0),
            ("-0", 0),
            ("0.000", 0),
            ("0e99999999999999999999", 0),
            ("1", 1_000_000),
            ("-1.5", -1_500_000),
            ("0.000001", 1),
            ("1.0000000", 1_000_000),
            ("1e3", 1_000_000_000),
            ("12.5E-1", 1_250_000),
            ("1000000000000", 1_000_000_000_000_000_000),
            ("0.0000010000e+6", 1_000_000),
            ("100e-2", 1_000_000),
        ] {
            assert_eq!(micro(text), Ok(units), "{text}");
        }
        for text in [
            "", "-", "+1", "01", "1.", ".5", "1e", "1e+", "NaN", "Infinity", "0x1", "1_000", " 1", "1 ",
            "--1",
        ] {
            assert_eq!(micro(text), Err(DecimalFault::Form), "{text}");
        }
        for text in
            ["0.0000001", "1e400", "1e-400", "1000000000000.000001", "9e999999999999999999999", "1e-7"]
        {
            assert_eq!(micro(text), Err(DecimalFault::Range), "{text}");
        }
    }

    #[test]
    fn plain_numbers_are_read_as_any_other() {
        let (mut plain, mut all) = (0, 0);
        // Every text of up to six of these characters: 7 + 7^2 + ... + 7^6.
        let mut texts = vec![String::new()];
        for _ in 0..6 {
            texts =
                texts.iter().flat_map(|text| "0189.-e".chars().map(move |c| format!("{text}{c}"))).collect();
            for text in &texts {
                for scale in [0, 2, 6] {
                    let any = parse_any(text, scale, Quantity::LIMIT);
                    assert_eq!(parse_scaled(text, scale, Quantity::LIMIT), any, "{text} by {scale}");
                    plain += u32::from(plain_units(text, scale).is_some());
                    all += u32::from(any.is_ok());
                }
            }
        }
        assert!(plain > 9_000 && all > plain, "{plain} of {all}");
        for text in [
            "999999999999.999999",
            "1000000000000",
            "1000000000000.1",
            "9999999999999999",
            "99999999999999999",
        ] {
            for text in [text.to_owned(), format!("-{text}")] {
                assert_eq!(micro(&text), parse_any(&text, 6, Quantity::LIMIT), "{text}");
            }
        }
    }

    #[test]
    fn writes_the_shortest_text() {
        for text in ["0", "1", "-1.5", "0.000001", "1000000000000", "120.01"] {
            assert_eq!(text.parse::<Quantity>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        // 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, and the same below zero.
        assert_eq!([1, 3, 5, 7].map(|n| div_half_even(n, 2)), [0, 2, 2, 4]);
        assert_eq!([-1, -3, -5].map(|n| div_half_even(n, 2)), [0, -2, -2]);
        assert_eq!(div_half_even(10, 3), 3);
        assert_eq!(div_half_even(-11, 3), -4);
    }

    #[test]
    fn floats_are_the_nearest() {
        assert_eq!(scaled_to_f64(100_000, 6).to_bits(), 0.1f64.to_bits());
        assert_eq!(
            scaled_to_f64(9_007_199_254_740_993_000_001, 6).to_bits(),
            9_007_199_254_740_993.000_001_f64.to_bits()
        );
    }

    #[test]
    fn floats_beyond_the_exact_integers_are_the_nearest_too() {
        // 2^53 is 9 007 199 254 740 992. From there on an integer has no float of its own, and dividing the rounded one gives
        // 9007199254.740995 here.
        assert_eq!(scaled_to_f64(9_007_199_254_740_997, 6).to_bits(), 9_007_199_254.740_997_f64.to_bits());
        assert_eq!(
            scaled_to_f64(-9_007_199_254_740_997, 6).to_bits(),
            (-9_007_199_254.740_997_f64).to_bits()
        );
    }

    #[test]
    fn quotients_are_the_nearest() {
        // A factor that goes out, beyond what a float holds: 9 x f / (10 x f) is 9 / 10.
        let factor = 100_000_000_000_000_000_039;
        for (n, d) in [(9i32, 10i32), (1, 3), (2, 3), (7, 1), (0, 5), (-1, 7), (123_457, 1000), (1, 999_983)]
        {
            let nearest = f64::from(n) / f64::from(d);
            let quotient = quotient_to_f64(i128::from(n) * factor, i128::from(d) * factor);
            assert_eq!(quotient.to_bits(), nearest.to_bits(), "{n} / {d}");
        }
        // Between 2^53 and 2^53 + 2 lies 2^53 + 1: a tie goes to the even 2^53, and any more than a tie up.
        let two53 = 1i128 << 53;
        assert_eq!(quotient_to_f64((two53 + 1) * 7, 7), 9_007_199_254_740_992.0);
        assert_eq!(quotient_to_f64((two53 + 1) * 7 + 1, 7), 9_007_199_254_740_994.0);
        assert_eq!(quotient_to_f64((two53 + 3) * 7 - 1, 7), 9_007_199_254_740_994.0);
        assert_eq!(quotient_to_f64(i128::MAX, 1), 2f64.powi(127));
        assert_eq!(quotient_to_f64(1, i128::MAX), 2f64.powi(-127));
        assert_eq!(quotient_to_f64(i128::MAX, i128::MAX), 1.0);
        assert_eq!(quotient_to_f64(i128::MAX - 1, i128::MAX), 1.0);
    }

    #[test]
    fn quotients_compare_exactly() {
        use Ordering::{Equal, Greater, Less};
        let big = i128::MAX / 10 * 9;
        for (left, right, order) in [
            ((9, 10), (900, 1000), Equal),
            ((big, i128::MAX / 10 * 10), (9, 10), Equal),
            ((big - 1, i128::MAX / 10 * 10), (9, 10), Less),
            ((big + 1, i128::MAX / 10 * 10), (9, 10), Greater),
            ((-1, 3), (-1, 2), Greater),
            ((-3, 2), (-6, 4), Equal),
            ((0, 3), (0, 7), Equal),
            ((5, 2), (2, 1), Greater),
            // 355/113 = 3.14159292, 22/7 = 3.142857.
            ((355, 113), (22, 7), Less),
        ] {
            assert_eq!(compare_quotients(left, right), order, "{left:?} {right:?}");
            assert_eq!(compare_quotients(right, left), order.reverse(), "{right:?} {left:?}");
        }
    }

    #[test]
    fn quantities_end_at_ten_to_the_twelfth() {
        // 10^12 in units of 10^-6.
        let most = 1_000_000_000_000_000_000;
        assert_eq!(Quantity::from_micros(most).unwrap().to_string(), "1000000000000");
        assert_eq!(Quantity::from_micros(-most).unwrap().to_string(), "-1000000000000");
        for beyond in [most + 1, -most - 1, i64::MAX, i64::MIN] {
            assert_eq!(Quantity::from_micros(beyond), None);
            assert!(postcard::from_bytes::<Quantity>(&postcard::to_stdvec(&beyond).unwrap()).is_err());
        }
        assert_eq!(postcard::from_bytes(&postcard::to_stdvec(&most).unwrap()), Ok(Quantity(most)));
        assert_eq!(Quantity::from(7).micros(), 7_000_000);
    }
}

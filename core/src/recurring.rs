//! Recurring revenue: the exact annual run-rate everything about revenue is summed in, and MRR, its twelfth.
//!
//! What one billing interval costs is an amount of 6 fractional digits; what that is in a year is an [`Annual`] of 12. MRR
//! is a twelfth of it and is rounded only when printed.

use crate::money::{Amount, Currency, Interval, IntervalUnit};
use crate::quantity::{MICRO, NumberError, div_half_even, parse_scaled, scaled_to_f64, write_scaled};
use serde::{Serialize, Serializer};
use std::fmt;

/// Weeks and days in a year, on which the field disagrees: a setting of the question, never of the fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YearFactors {
    /// Weeks in a year: 52 unless said, up to 12 fractional digits.
    pub week: Factor,
    /// Days in a year: 365 unless said.
    pub day: Factor,
}

impl Default for YearFactors {
    fn default() -> Self {
        Self { week: Factor::whole(52), day: Factor::whole(365) }
    }
}

/// A positive exact number with up to 6 fractional digits, at most 1 000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Factor(i128);

impl Factor {
    const LIMIT: i128 = 1_000 * MICRO;

    const fn whole(n: i128) -> Self {
        Self(n * MICRO)
    }
}

impl std::str::FromStr for Factor {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        match parse_scaled(text, 6, Self::LIMIT) {
            Ok(units) if units > 0 => Ok(Self(units)),
            _ => Err(NumberError {
                found: text.chars().take(60).collect(),
                expected: "a number above 0 and at most 1000 with at most 6 fractional digits",
            }),
        }
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, 6)
    }
}

/// An exact annual run-rate in units of 10^-12 of a currency: what revenue is summed in.
///
/// A whole book fits: the greatest annual amount of one subscription is below 10^30 units, and 128 bits hold 10^8 of
/// them. Sums check for overflow in every build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Annual(i128);

/// How many units of an [`Annual`] make one a month.
pub(crate) const PICOS_OF_A_MONTH: i128 = 12 * MICRO * MICRO;

impl Annual {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// What `amount` per `interval` is in a year: x 12/count for months, 1/count for years, and the year factors for
    /// weeks and days. A division that does not come out is rounded half to even to 12 digits, once.
    pub fn of(amount: Amount, interval: Interval, factors: YearFactors) -> Self {
        // 10^-6 (amount) x 10^-6 (factor) = 10^-12: the product is in our unit already.
        let per_year = match interval.unit {
            IntervalUnit::Day => factors.day,
            IntervalUnit::Week => factors.week,
            IntervalUnit::Month => Factor::whole(12),
            IntervalUnit::Year => Factor::whole(1),
        };
        let annual = amount.micros() * per_year.0;
        // Dividing 128 bits takes longer than all the rest, and most intervals count one.
        if interval.count <= 1 {
            Self(annual)
        } else {
            Self(div_half_even(annual, i128::from(interval.count)))
        }
    }

    /// The value in units of 10^-12.
    pub fn picos(self) -> i128 {
        self.0
    }

    pub(crate) fn from_picos(units: i128) -> Self {
        Self(units)
    }

    /// A twelfth, rounded half to even to 6 digits: monthly recurring revenue as it is printed.
    pub fn mrr(self) -> Mrr {
        Mrr(div_half_even(self.0, 12 * MICRO))
    }

    /// Any exact amount in this unit, such as a sum of one-off payments.
    pub(crate) fn of_amount(amount: Amount) -> Self {
        Self(amount.micros() * MICRO)
    }

    /// The nearest binary floating point number: for models, never for sums.
    pub(crate) fn to_f64(self) -> f64 {
        scaled_to_f64(self.0, 12)
    }

    /// MRR as it prints: with 6 digits, or in minor units of a currency, each rounded half to even once.
    pub(crate) fn mrr_text(self, minor: Option<Currency>) -> String {
        match minor {
            Some(currency) => minor_text(Recurring::from(self).minor_units(currency).0, currency),
            None => self.mrr().to_string(),
        }
    }

    /// Whether there is anything.
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether it is exactly nothing.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// A twelfth as the nearest binary floating point number: for signals and shares, never for sums.
    pub fn mrr_f64(self) -> f64 {
        // Division by 12 comes last, so a round monthly price reads as itself.
        // The processor divides 64 bits; 128 take a call.
        let twelfth = match i64::try_from(self.0) {
            Ok(picos) => (picos % 12 == 0).then(|| i128::from(picos / 12)),
            Err(_) => (self.0 % 12 == 0).then_some(self.0 / 12),
        };
        twelfth.map_or_else(|| scaled_to_f64(self.0, 12) / 12.0, |twelfth| scaled_to_f64(twelfth, 12))
    }
}

impl std::ops::Add for Annual {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl std::ops::AddAssign for Annual {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl std::ops::Sub for Annual {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl std::ops::Neg for Annual {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl std::iter::Sum for Annual {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, |a, b| a + b)
    }
}

impl fmt::Display for Annual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, 12)
    }
}

/// Monthly recurring revenue as printed: 6 fractional digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mrr(i128);

impl Mrr {
    /// The value in units of 10^-6.
    pub fn micros(self) -> i128 {
        self.0
    }

    /// Rounded half to even to the minor unit of a currency, as text with all its digits: `12.30`.
    pub fn to_minor_units(self, currency: Currency) -> String {
        let digits = currency.minor_digits().min(6);
        minor_text(div_half_even(self.0, 10i128.pow(6 - digits)), currency)
    }
}

impl fmt::Display for Mrr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, 6)
    }
}

impl Serialize for Mrr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One line of a revenue report: the exact annual figure, and a twelfth of it rounded for print.
///
/// In JSON `{"mrr": "8.333333", "arr": "100"}`, both decimal texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recurring {
    /// The exact annual figure; identities between lines hold exactly here.
    pub annual: Annual,
    /// Prints minor units of this currency instead of all digits.
    minor: Option<Currency>,
}

impl Recurring {
    /// Monthly recurring revenue, 6 digits.
    pub fn mrr(self) -> Mrr {
        self.annual.mrr()
    }

    /// Annual recurring revenue, exact.
    pub fn arr(self) -> Annual {
        self.annual
    }

    /// The same figure, printed in minor units of a currency.
    pub(crate) fn rounded(self, currency: Currency) -> Self {
        Self { minor: Some(currency), ..self }
    }

    /// MRR as it prints.
    pub(crate) fn mrr_text(self) -> String {
        self.annual.mrr_text(self.minor)
    }

    /// ARR as it prints.
    pub(crate) fn arr_text(self) -> String {
        match self.minor {
            Some(currency) => minor_text(self.minor_units(currency).1, currency),
            None => self.annual.to_string(),
        }
    }

    /// MRR and ARR in minor units of a currency, each rounded half to even once.
    pub(crate) fn minor_units(self, currency: Currency) -> (i128, i128) {
        let unit = 10i128.pow(12 - currency.minor_digits().min(6));
        (div_half_even(self.annual.0, 12 * unit), div_half_even(self.annual.0, unit))
    }
}

/// Minor units of a currency as text with all its digits: `12.30`.
pub(crate) fn minor_text(units: i128, currency: Currency) -> String {
    let digits = currency.minor_digits().min(6);
    let one = 10u128.pow(digits);
    let sign = if units < 0 { "-" } else { "" };
    let (whole, rest) = (units.unsigned_abs() / one, units.unsigned_abs() % one);
    if digits == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{rest:0w$}", w = digits as usize)
    }
}

impl From<Annual> for Recurring {
    fn from(annual: Annual) -> Self {
        Self { annual, minor: None }
    }
}

impl Serialize for Recurring {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut both = serializer.serialize_struct("Recurring", 2)?;
        both.serialize_field("mrr", &self.mrr_text())?;
        both.serialize_field("arr", &self.arr_text())?;
        both.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annual(amount: &str, unit: IntervalUnit, count: u32) -> String {
        Annual::of(amount.parse().unwrap(), Interval { unit, count }, YearFactors::default()).to_string()
    }

    #[test]
    fn a_year_of_each_interval() {
        use IntervalUnit::{Day, Month, Week, Year};
        assert_eq!(annual("10", Month, 1), "120");
        assert_eq!(annual("100", Year, 1), "100");
        // 1200 / 7 = 171.428571428571|428...
        assert_eq!(annual("100", Month, 7), "171.428571428571");
        assert_eq!(annual("5", Week, 2), "130");
        assert_eq!(annual("60", Day, 30), "730");
    }

    #[test]
    fn mrr_rounds_half_to_even_when_printed() {
        assert_eq!(
            Annual::of(
                "0.000006".parse().unwrap(),
                Interval { unit: IntervalUnit::Year, count: 1 },
                YearFactors::default()
            )
            .mrr()
            .to_string(),
            "0"
        );
        assert_eq!(
            Annual::of(
                "0.000018".parse().unwrap(),
                Interval { unit: IntervalUnit::Year, count: 1 },
                YearFactors::default()
            )
            .mrr()
            .to_string(),
            "0.000002"
        );
    }

    #[test]
    fn the_greatest_amount_has_an_annual_figure() {
        assert_eq!(annual("1000000000000000", IntervalUnit::Day, 1), "365000000000000000");
    }

    #[test]
    fn minor_units() {
        let mrr = Mrr(12_345_000);
        assert_eq!(mrr.to_minor_units("USD".parse().unwrap()), "12.34");
        assert_eq!(mrr.to_minor_units("JPY".parse().unwrap()), "12");
    }
}

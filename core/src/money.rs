//! Money: exact amounts, currencies and billing intervals. No binary floating point comes near an amount.

use crate::quantity::{DecimalFault, MICRO, NumberError, parse_micro, write_scaled};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// An ISO 4217 currency code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "[u8; 3]")]
pub struct Currency([u8; 3]);

impl TryFrom<[u8; 3]> for Currency {
    type Error = &'static str;

    fn try_from(code: [u8; 3]) -> Result<Self, Self::Error> {
        code.iter()
            .all(u8::is_ascii_uppercase)
            .then_some(Self(code))
            .ok_or("a currency that is not three capitals")
    }
}

impl Currency {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let code: [u8; 3] = text.as_bytes().try_into().ok()?;
        Self::try_from(code).ok()
    }

    /// The three letters.
    pub fn as_str(&self) -> &str {
        // Only capitals of ASCII get in.
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Fractional digits of the minor unit by ISO 4217: 2 for USD, 0 for JPY; 2 for codes the standard does not list.
    pub fn minor_digits(&self) -> u32 {
        let digits = iso_currency::Currency::from_code(self.as_str()).and_then(|c| c.exponent());
        digits.map_or(2, u32::from)
    }
}

impl std::str::FromStr for Currency {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        Self::parse(text).ok_or_else(|| NumberError {
            found: text.chars().take(60).collect(),
            expected: "a currency of three capital letters, such as USD",
        })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

/// An amount of money as it stands on a contract or an invoice: at most 6 fractional digits, magnitude up to 10^15.
///
/// ```
/// use healthfold::Amount;
/// let price: Amount = "99.90".parse()?;
/// assert_eq!(price.to_string(), "99.9");
/// assert_eq!(price.to_decimal(), rust_decimal::Decimal::new(999, 1));
/// # Ok::<(), healthfold::NumberError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "i128")]
// A number of 128 bits would begin at every 16th byte only, and leave holes in whatever has an amount.
#[repr(Rust, packed(8))]
pub struct Amount(i128);

impl TryFrom<i128> for Amount {
    type Error = &'static str;

    fn try_from(units: i128) -> Result<Self, Self::Error> {
        Self::from_micros(units).ok_or("an amount beyond 10^15")
    }
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    const LIMIT: i128 = 1_000_000_000_000_000 * MICRO;

    pub(crate) fn parse(text: &str) -> Result<Self, DecimalFault> {
        parse_micro(text, Self::LIMIT).map(Self)
    }

    /// The value in units of 10^-6.
    pub fn micros(self) -> i128 {
        self.0
    }

    /// The amount of that many units of 10^-6, or `None` beyond 10^15.
    pub fn from_micros(units: i128) -> Option<Self> {
        (units.unsigned_abs() <= Self::LIMIT.unsigned_abs()).then_some(Self(units))
    }

    /// The same value as a `rust_decimal` number; every amount fits.
    pub fn to_decimal(self) -> Decimal {
        Decimal::try_from_i128_with_scale(self.0, 6).unwrap_or_default().normalize()
    }

    /// Whether the amount is below zero, as on a credit note.
    pub fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl TryFrom<Decimal> for Amount {
    type Error = NumberError;

    fn try_from(decimal: Decimal) -> Result<Self, NumberError> {
        decimal.normalize().to_string().parse()
    }
}

impl std::str::FromStr for Amount {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        Self::parse(text).map_err(|_| NumberError {
            found: text.chars().take(60).collect(),
            expected: "an amount with at most 6 fractional digits and a magnitude up to 10^15",
        })
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, 6)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.micros().serialize(serializer)
        }
    }
}

/// The unit of a billing interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalUnit {
    /// Calendar days.
    Day,
    /// Weeks.
    Week,
    /// Months.
    Month,
    /// Years.
    Year,
}

/// How often a subscription is billed: every `count` units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "IntervalParts")]
pub struct Interval {
    /// The unit.
    pub unit: IntervalUnit,
    /// How many units; at least 1.
    pub count: u32,
}

#[derive(Deserialize)]
struct IntervalParts {
    unit: IntervalUnit,
    count: u32,
}

impl TryFrom<IntervalParts> for Interval {
    type Error = &'static str;

    fn try_from(IntervalParts { unit, count }: IntervalParts) -> Result<Self, Self::Error> {
        if count == 0 { Err("an interval of no length") } else { Ok(Self { unit, count }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_three_capitals() {
        assert!("usd".parse::<Currency>().is_err() && "USDX".parse::<Currency>().is_err());
        let digits = ["USD", "JPY", "KWD"].map(|code| code.parse::<Currency>().unwrap().minor_digits());
        assert_eq!(digits, [2, 0, 3]);
    }

    #[test]
    fn amounts_end_at_ten_to_the_fifteenth() {
        // 10^15 in units of 10^-6.
        let most = 1_000_000_000_000_000_000_000;
        assert_eq!(Amount::from_micros(most).unwrap().to_string(), "1000000000000000");
        assert_eq!(Amount::from_micros(-most).unwrap().to_string(), "-1000000000000000");
        for beyond in [most + 1, -most - 1, i128::MAX, i128::MIN] {
            assert_eq!(Amount::from_micros(beyond), None);
        }
        for (text, units) in [
            ("1000000000000000", Some(most)),
            ("-1000000000000000", Some(-most)),
            ("1e15", Some(most)),
            ("0.000001", Some(1)),
            ("1000000000000000.000001", None),
            ("-1000000000000000.000001", None),
            ("1.0000001", None),
        ] {
            assert_eq!(text.parse().ok().map(Amount::micros), units, "{text}");
        }
        let negative = [-1, 0, 1].map(|units| Amount::from_micros(units).unwrap().is_negative());
        assert_eq!(negative, [true, false, false]);
    }

    #[test]
    fn amounts_are_decimals_and_back() {
        for (text, decimal) in [("99.9", Decimal::new(999, 1)), ("-0.000001", Decimal::new(-1, 6))] {
            let amount: Amount = text.parse().unwrap();
            assert_eq!((amount.to_decimal(), Amount::try_from(decimal)), (decimal, Ok(amount)));
        }
        // Zeros behind the point do not count as digits: 1.50000000 is 1.5, and 10^-7 is too fine.
        let (zeros, fine) = (Decimal::new(150_000_000, 8), Decimal::new(1, 7));
        assert_eq!(Amount::try_from(zeros).unwrap().micros(), 1_500_000);
        let error = Amount::try_from(fine).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`0.0000001` is not an amount with at most 6 fractional digits and a magnitude up to 10^15"
        );
    }

    #[test]
    fn what_is_saved_is_checked_as_it_is_read() {
        let most: i128 = 1_000_000_000_000_000_000_000;
        let amount = |units: i128| postcard::from_bytes::<Amount>(&postcard::to_stdvec(&units).unwrap());
        assert_eq!(amount(-most), Ok(Amount(-most)));
        assert!(amount(most + 1).is_err());
        let currency = |code: &[u8; 3]| postcard::from_bytes::<Currency>(code);
        assert_eq!(currency(b"USD").unwrap().as_str(), "USD");
        assert!(currency(b"uSD").is_err() && currency(b"US1").is_err());
        let interval = |count: u32| {
            let bytes = postcard::to_stdvec(&(IntervalUnit::Month, count)).unwrap();
            postcard::from_bytes::<Interval>(&bytes).map(|interval| interval.count)
        };
        assert_eq!((interval(1), interval(0).is_err()), (Ok(1), true));
    }
}

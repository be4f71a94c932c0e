//! Exchange rates: what an amount is worth in a reporting currency, for the book and for models alike.
//!
//! A product of an annual amount and a rate needs up to 256 bits before it is rounded back to 12 digits; it is made in
//! two halves of 128 bits, so that nothing is cut on the way.
#![deny(clippy::float_arithmetic)]

use crate::money::Currency;
use crate::quantity::{parse_scaled, write_scaled};
use crate::recurring::Annual;
use crate::time::{Day, Instant};
use crate::zone::Zone;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// Units of a rate in one.
const ONE: u64 = 1_000_000_000_000;
/// The greatest rate.
const LIMIT: i128 = 1_000_000_000 * ONE as i128;
/// The greatest annual amount after conversion, in units of 10^-12: what 10^8 clients may have together in 128 bits.
const GREATEST: i128 = 1_000_000_000_000_000_000_000_000_000_000;

/// How many units of the reporting currency a unit of a currency is worth from the start of a day on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// The currency that is worth so much.
    pub currency: Currency,
    /// From the start of this day in the engine's zone.
    pub from: Day,
    /// How much.
    pub rate: ExchangeRate,
}

/// A positive exact number with at most 12 fractional digits, at most 10^9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExchangeRate(i128);

impl ExchangeRate {
    pub(crate) const EXPECTS: &'static str =
        "a rate above 0 and at most 10^9 with at most 12 fractional digits";

    /// Reads decimal text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        parse_scaled(text, 12, LIMIT).ok().filter(|units| *units > 0).map(Self)
    }
}

impl fmt::Display for ExchangeRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, 12)
    }
}

impl Serialize for ExchangeRate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A fault in a list of rates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RateFault {
    /// Where, from the list: nothing, `[2]` or `[2].rate`.
    pub(crate) path: String,
    /// What is allowed there.
    pub(crate) expected: &'static str,
    /// What was found, as JSON.
    pub(crate) found: String,
}

const LIST: &str = "a list of {currency, from, rate}";

/// Reads rates from JSON text, with every fault. A rate is read from its text, so that no digit is lost.
pub(crate) fn read(text: &str) -> Result<Vec<Rate>, Vec<RateFault>> {
    let fault = |found: &str| RateFault { path: String::new(), expected: LIST, found: found.to_owned() };
    let rows: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| vec![fault(text)])?;
    let mut faults = Vec::new();
    let read = |(i, row): (usize, &&RawValue)| read_one(&format!("[{i}]"), row.get(), &mut faults);
    let rates: Vec<Option<Rate>> = rows.iter().enumerate().map(read).collect();
    let rates: Option<Vec<Rate>> = rates.into_iter().collect();
    match rates.filter(|_| faults.is_empty()) {
        Some(rates) => one_a_day(&rates).map_or(Ok(rates), |fault| Err(vec![fault])),
        None => Err(faults),
    }
}

/// A rate of the reporting currency itself that is not 1, and its number in the list.
pub(crate) fn against_itself(reporting: Currency, rates: &[Rate]) -> Option<(usize, &Rate)> {
    let odd = |rate: &Rate| rate.currency == reporting && rate.rate.0 != i128::from(ONE);
    rates.iter().enumerate().find(|(_, rate)| odd(rate))
}

/// Two rates of one currency from one day that differ.
fn one_a_day(rates: &[Rate]) -> Option<RateFault> {
    let mut known = BTreeMap::new();
    let clash = rates.iter().position(|rate| {
        let first = known.entry((rate.currency, rate.from)).or_insert(rate.rate);
        *first != rate.rate
    })?;
    let expected = "a day from which this currency has one rate";
    let found = format!("\"{}\"", rates.get(clash)?.from);
    Some(RateFault { path: format!("[{clash}].from"), expected, found })
}

fn read_one(path: &str, text: &str, faults: &mut Vec<RateFault>) -> Option<Rate> {
    let mut add = |path: String, expected, found: &str| {
        faults.push(RateFault { path, expected, found: found.to_owned() });
    };
    let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) else {
        add(path.to_owned(), "an object {currency, from, rate}", text);
        return None;
    };
    for (name, value) in &members {
        if !matches!(name.as_str(), "currency" | "from" | "rate") {
            add(format!("{path}.{name}"), "left out: a rate has currency, from and rate", value.get());
        }
    }
    let words = |raw: &str| serde_json::from_str::<String>(raw).ok();
    let number = |raw: &str| {
        let bare = raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        if bare { Some(raw.to_owned()) } else { words(raw) }
    };
    let raw = |name: &str| members.get(name).map_or("null", |raw| raw.get());
    let currency = words(raw("currency")).and_then(|text| Currency::parse(&text));
    let from = words(raw("from")).and_then(|text| text.parse::<Day>().ok());
    let rate = number(raw("rate")).and_then(|text| ExchangeRate::parse(&text));
    let mut wanted = |there: bool, name: &str, expected| {
        if !there {
            add(format!("{path}.{name}"), expected, raw(name));
        }
    };
    wanted(currency.is_some(), "currency", "a currency such as USD");
    wanted(from.is_some(), "from", "a date such as 2026-01-05");
    wanted(rate.is_some(), "rate", ExchangeRate::EXPECTS);
    Some(Rate { currency: currency?, from: from?, rate: rate? })
}

/// Why an amount cannot be valued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoValue {
    /// No rate is in force.
    MissingRate { currency: Currency, date: Day },
    /// The value is beyond 10^18 a year: what was multiplied.
    TooMuch(String),
}

/// The rates of a question in order, to be asked for an instant.
#[derive(Clone, Debug)]
pub(crate) struct Rates {
    reporting: Currency,
    /// By currency, in order of the instant from which they are in force.
    table: BTreeMap<Currency, Vec<(Instant, Rate)>>,
}

impl Rates {
    /// Of two rates from one day the last given stands; documents cannot hold such.
    pub(crate) fn new(reporting: Currency, rates: &[Rate], zone: &Zone) -> Self {
        let mut table: BTreeMap<Currency, Vec<(Instant, Rate)>> = BTreeMap::new();
        for rate in rates {
            table.entry(rate.currency).or_default().push((zone.start_of(rate.from), *rate));
        }
        for rates in table.values_mut() {
            rates.sort_by_key(|(from, _)| *from);
        }
        Self { reporting, table }
    }

    pub(crate) fn reporting(&self) -> Currency {
        self.reporting
    }

    /// The rate in force at an instant.
    fn at(&self, currency: Currency, at: Instant) -> Option<Rate> {
        let rates = self.table.get(&currency)?;
        let n = rates.partition_point(|(from, _)| *from <= at);
        rates.get(n.checked_sub(1)?).map(|(_, rate)| *rate)
    }

    /// The first rate after an instant, up to another.
    fn first_inside(&self, currency: Currency, after: Instant, until: Instant) -> Option<Rate> {
        let rates = self.table.get(&currency)?;
        rates.iter().find(|(from, _)| *from > after && *from <= until).map(|(_, rate)| *rate)
    }

    /// What an annual amount is worth at an instant.
    pub(crate) fn value(
        &self,
        annual: Annual,
        currency: Currency,
        at: Instant,
        zone: &Zone,
    ) -> Result<Annual, NoValue> {
        if currency == self.reporting || annual.is_zero() {
            return Ok(annual);
        }
        let rate = self.at(currency, at);
        let rate = rate.ok_or_else(|| NoValue::MissingRate { currency, date: zone.day(at) })?;
        convert(annual, rate)
    }

    /// What an amount that was not paid at opening is worth at the rate of the opening: without one, at the first rate
    /// inside the period, which goes only as long as nothing in that currency had to be valued at the opening itself.
    pub(crate) fn value_inside(
        &self,
        annual: Annual,
        currency: Currency,
        (opening, closing): (Instant, Instant),
        zone: &Zone,
    ) -> Result<Annual, NoValue> {
        if currency == self.reporting || annual.is_zero() {
            return Ok(annual);
        }
        let rate = self.at(currency, opening).or_else(|| self.first_inside(currency, opening, closing));
        let rate = rate.ok_or_else(|| NoValue::MissingRate { currency, date: zone.day(opening) })?;
        convert(annual, rate)
    }

    /// The rates of a period: for each currency with one, that of the opening (or the first inside) and that of the
    /// closing.
    pub(crate) fn used(&self, opening: Instant, closing: Instant) -> Vec<RateUsed> {
        let used = |currency: &Currency| {
            let at_opening = self.at(*currency, opening);
            let inside = self.first_inside(*currency, opening, closing);
            Some(RateUsed {
                currency: *currency,
                opening: at_opening.or(inside)?.rate,
                closing: self.at(*currency, closing)?.rate,
                first_inside: at_opening.is_none(),
            })
        };
        self.table.keys().filter(|currency| **currency != self.reporting).filter_map(used).collect()
    }
}

/// The rates at which a report values a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RateUsed {
    /// The currency.
    pub currency: Currency,
    /// The rate of the opening, at which movements are valued.
    pub opening: ExchangeRate,
    /// The rate of the closing.
    pub closing: ExchangeRate,
    /// Nothing was paid in it at opening and no rate was in force: the opening's is the first rate inside the period.
    pub first_inside: bool,
}

fn convert(annual: Annual, rate: Rate) -> Result<Annual, NoValue> {
    let value = mul_div_half_even(annual.picos(), rate.rate.0, ONE).filter(|units| units.abs() <= GREATEST);
    value
        .map(Annual::from_picos)
        .ok_or_else(|| NoValue::TooMuch(format!("{} for {annual} {}", rate.rate, rate.currency)))
}

/// `a x b / d`, rounded half to even, without a limit on the product; `None` if the result needs more than 128 bits.
/// `d` must be above 0.
fn mul_div_half_even(a: i128, b: i128, d: u64) -> Option<i128> {
    let negative = (a < 0) != (b < 0);
    let (a, b, d) = (a.unsigned_abs(), b.unsigned_abs(), u128::from(d));
    const LOW: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & LOW, b >> 64, b & LOW);
    // The product in four digits of 64 bits, least first.
    let low = a0 * b0;
    let (cross1, cross2) = (a1 * b0, a0 * b1);
    let second = (low >> 64) + (cross1 & LOW) + (cross2 & LOW);
    let third = (second >> 64) + (cross1 >> 64) + (cross2 >> 64) + ((a1 * b1) & LOW);
    let fourth = (third >> 64) + ((a1 * b1) >> 64);
    // Long division by one digit, greatest first.
    let mut rest = 0u128;
    let mut digits = [0u128; 4];
    for (digit, quotient) in [fourth, third, second, low].into_iter().zip(&mut digits) {
        let part = (rest << 64) | (digit & LOW);
        *quotient = part / d;
        rest = part % d;
    }
    let [fourth, third, second, low] = digits;
    if fourth != 0 || third != 0 {
        return None;
    }
    let quotient = (second << 64) | low;
    let up = rest * 2 > d || (rest * 2 == d && quotient % 2 == 1);
    let magnitude = i128::try_from(quotient.checked_add(u128::from(up))?).ok()?;
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_beyond_128_bits() {
        // 10^30 x 10^21 / 10^12 = 10^39 needs more; 10^29 x 10^20 / 10^12 = 10^37 does not, though 10^49 did.
        let ten = |n| 10i128.pow(n);
        assert_eq!(mul_div_half_even(ten(30), ten(21), ONE), None);
        assert_eq!(mul_div_half_even(ten(29), ten(20), ONE), Some(ten(37)));
        assert_eq!(mul_div_half_even(-ten(29), ten(20), ONE), Some(-ten(37)));
        // Halves to even: 0.5, 1.5, 2.5 units.
        assert_eq!([1, 3, 5, -1, -3].map(|n| mul_div_half_even(n, 1, 2)), [0, 2, 2, 0, -2].map(Some));
        assert_eq!(mul_div_half_even(i128::MAX, i128::MAX, u64::MAX), None);
        assert_eq!(mul_div_half_even(i128::MAX, 7, 7), Some(i128::MAX));
        assert_eq!(mul_div_half_even(10, 10, 3), Some(33));
    }

    #[test]
    fn rates_say_what_is_wrong_with_them() {
        for (text, path) in [
            (r#"{}"#, ""),
            (r#"[{"currency":"EUR","from":"2026-01-01"}]"#, "[0].rate"),
            (r#"[{"currency":"EUR","from":"2026-01-01","rate":0}]"#, "[0].rate"),
            (r#"[{"currency":"EUR","from":"2026-01-01","rate":"1.0000000000001"}]"#, "[0].rate"),
            (r#"[{"currency":"eur","from":"2026-01-01","rate":"1"}]"#, "[0].currency"),
            (r#"[{"currency":"EUR","from":"January","rate":"1"}]"#, "[0].from"),
            (r#"[{"currency":"EUR","from":"2026-01-01","rate":1,"to":"USD"}]"#, "[0].to"),
            (r#"[{"currency":"EUR","from":"2026-01-01","rate":1}, 7]"#, "[1]"),
            (
                r#"[{"currency":"EUR","from":"2026-01-01","rate":1},{"currency":"USD","from":"2026-01-01","rate":2},
                    {"currency":"EUR","from":"2026-01-01","rate":"1.0"},{"currency":"EUR","from":"2026-01-01","rate":2}]"#,
                "[3].from",
            ),
        ] {
            let paths: Vec<String> = read(text).unwrap_err().into_iter().map(|fault| fault.path).collect();
            assert_eq!(paths, [path], "{text}");
        }
        assert_eq!(read(r#"[{}, {"rate": null}]"#).unwrap_err().len(), 6, "all of them at once");
        let exact =
            read(r#"[{"currency":"EUR","from":"2026-01-01","rate":999999999.123456789012}]"#).unwrap();
        assert_eq!(exact[0].rate.to_string(), "999999999.123456789012", "more digits than a float has");
    }
}

//! Rates that never travel without their base: part, whole, a quotient that may be undefined, and a 95 % interval.
//!
//! The only place where money meets binary floating point, and only to divide: parts and wholes stay exact.

mod samples;

use crate::money::Currency;
use crate::quantity::quotient_to_f64;
use crate::recurring::{Annual, PICOS_OF_A_MONTH};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
pub(crate) use samples::{Part, Sample, Samples, StillPaid};
use serde::{Serialize, Serializer, ser::SerializeStruct};

/// The 97.5 % point of the standard normal distribution.
pub(crate) const Z: f64 = 1.959963984540054;

/// A share of heads, with Wilson's score interval (Wilson 1927). Undefined over nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct HeadRate {
    /// How many.
    pub part: u64,
    /// Of how many.
    pub whole: u64,
    /// part / whole; `None` over nobody.
    pub value: Option<f64>,
    /// The lower end of the 95 % interval.
    pub low: Option<f64>,
    /// The upper end of the 95 % interval.
    pub high: Option<f64>,
}

impl HeadRate {
    /// The rate of a part of a whole.
    ///
    /// ```
    /// let rate = healthfold::HeadRate::new(1, 5);
    /// assert_eq!(rate.value, Some(0.2));
    /// assert!((rate.low.unwrap() - 0.036224).abs() < 1e-6);
    /// assert!((rate.high.unwrap() - 0.624465).abs() < 1e-6);
    /// assert_eq!(healthfold::HeadRate::new(0, 0).value, None, "over nobody it is undefined, not 0");
    /// ```
    pub fn new(part: u64, whole: u64) -> Self {
        if whole == 0 {
            return Self { part, whole, ..Self::default() };
        }
        let (x, n) = (heads(part), heads(whole));
        let p = x / n;
        let scale = 1.0 + Z * Z / n;
        let centre = (p + Z * Z / (2.0 * n)) / scale;
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
        // At the ends the formula gives the end itself but for rounding.
        let low = if part == 0 { 0.0 } else { (centre - half).clamp(0.0, 1.0) };
        let high = if part == whole { 1.0 } else { (centre + half).clamp(0.0, 1.0) };
        Self { part, whole, value: Some(p), low: Some(low), high: Some(high) }
    }

    /// The share that is not this one; its interval is this one turned round, for Wilson treats both alike.
    pub(crate) fn complement(self) -> Self {
        Self::new(self.whole.saturating_sub(self.part), self.whole)
    }

    /// The rate as a span of other length would have it; see [`rescaled`].
    pub fn rescaled(self, days: f64, target_days: f64) -> Self {
        let to = |rate: Option<f64>| rate.and_then(|rate| rescaled(rate, days, target_days));
        Self { value: to(self.value), low: to(self.low), high: to(self.high), ..self }
    }
}

/// A rate of losing `rate` in `days` days, brought to another span: 1 - (1 - rate)^(target_days / days). `None` where a
/// rate above 1 leaves nothing to lose.
///
/// ```
/// let month = 365.0 / 12.0;
/// let year = healthfold::rescaled(0.04, month, 365.0).unwrap();
/// assert!((year - 0.387_290).abs() < 1e-6, "4 % a month is 38.7 % a year, not 48 %");
/// ```
pub fn rescaled(rate: f64, days: f64, target_days: f64) -> Option<f64> {
    if days <= 0.0 || rate > 1.0 {
        return None;
    }
    let kept = libm::pow(1.0 - rate, target_days / days);
    kept.is_finite().then_some(1.0 - kept)
}

/// A ratio of money to money. Parts and wholes are annual figures; they print as MRR.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MoneyRate {
    /// How much, a year.
    pub part: Annual,
    /// Of how much, a year.
    pub whole: Annual,
    /// part / whole; `None` over nothing.
    pub value: Option<f64>,
    /// The lower end of the 95 % interval; not cut off at 0 or 1.
    pub low: Option<f64>,
    /// The upper end of the 95 % interval; not cut off at 0 or 1.
    pub high: Option<f64>,
    /// Prints money in minor units of this currency instead of all digits.
    minor: Option<Currency>,
}

impl Serialize for MoneyRate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("MoneyRate", 5)?;
        fields.serialize_field("part", &self.part.mrr_text(self.minor))?;
        fields.serialize_field("whole", &self.whole.mrr_text(self.minor))?;
        fields.serialize_field("value", &self.value)?;
        fields.serialize_field("low", &self.low)?;
        fields.serialize_field("high", &self.high)?;
        fields.end()
    }
}

impl MoneyRate {
    /// The same, with its money printed in minor units of a currency.
    pub(crate) fn rounded(self, currency: Currency) -> Self {
        Self { minor: Some(currency), ..self }
    }

    /// The same rate with another interval.
    pub(crate) fn with_interval(self, interval: Option<(f64, f64)>) -> Self {
        Self { low: interval.map(|(low, _)| low), high: interval.map(|(_, high)| high), ..self }
    }

    /// The share that is not this one: 1 - the rate, with the interval turned round.
    pub(crate) fn complement(self) -> Self {
        let other = |rate: Option<f64>| rate.map(|rate| 1.0 - rate);
        let part = self.whole - self.part;
        // The value is taken from the parts, so that a part of nothing is 0 and not a last digit beside it.
        Self { part, value: divide(part, self.whole), low: other(self.high), high: other(self.low), ..self }
    }
}

/// Money over money without an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MoneyRatio {
    /// The numerator, a year.
    pub part: Annual,
    /// The denominator, a year.
    pub whole: Annual,
    /// part / whole; `None` over nothing.
    pub value: Option<f64>,
    /// Prints money in minor units of this currency instead of all digits.
    minor: Option<Currency>,
}

impl MoneyRatio {
    /// The same, with its money printed in minor units of a currency.
    pub(crate) fn rounded(self, currency: Currency) -> Self {
        Self { minor: Some(currency), ..self }
    }

    pub(crate) fn new(part: Annual, whole: Annual) -> Self {
        Self { part, whole, value: divide(part, whole), minor: None }
    }
}

impl Serialize for MoneyRatio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("MoneyRatio", 3)?;
        fields.serialize_field("part", &self.part.mrr_text(self.minor))?;
        fields.serialize_field("whole", &self.whole.mrr_text(self.minor))?;
        fields.serialize_field("value", &self.value)?;
        fields.end()
    }
}

/// MRR per head.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PerHead {
    /// How much, a year.
    pub part: Annual,
    /// Over how many heads.
    pub whole: u64,
    /// A month's part / whole; `None` over nobody.
    pub value: Option<f64>,
    /// Prints money in minor units of this currency instead of all digits.
    minor: Option<Currency>,
}

impl PerHead {
    /// The same, with its money printed in minor units of a currency.
    pub(crate) fn rounded(self, currency: Currency) -> Self {
        Self { minor: Some(currency), ..self }
    }

    pub(crate) fn new(part: Annual, whole: u64) -> Self {
        let mean = Self { part, whole, value: None, minor: None };
        let (units, of) = mean.quotient();
        Self { value: (whole > 0).then(|| quotient_to_f64(units, of)), ..mean }
    }

    /// The value as a quotient of whole numbers.
    pub(crate) fn quotient(self) -> (i128, i128) {
        (self.part.picos(), PICOS_OF_A_MONTH * i128::from(self.whole))
    }
}

impl Serialize for PerHead {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("PerHead", 3)?;
        fields.serialize_field("part", &self.part.mrr_text(self.minor))?;
        fields.serialize_field("whole", &self.whole)?;
        fields.serialize_field("value", &self.value)?;
        fields.end()
    }
}

#[expect(clippy::cast_precision_loss, reason = "no book has 2^53 clients")]
fn heads(n: u64) -> f64 {
    n as f64
}

/// An annual figure as the nearest float of its unit; for ratios, in which the unit goes out.
#[expect(clippy::cast_precision_loss, reason = "the cast rounds to the nearest, which is what a ratio needs")]
fn float(annual: Annual) -> f64 {
    // Apart, or both ways become the one that takes the most.
    #[cold]
    #[inline(never)]
    fn of_wide(picos: i128) -> f64 {
        picos as f64
    }
    // The processor converts 64 bits; 128 take a hundred instructions.
    match i64::try_from(annual.picos()) {
        Ok(picos) => picos as f64,
        Err(_) => of_wide(annual.picos()),
    }
}

fn divide(part: Annual, whole: Annual) -> Option<f64> {
    (!whole.is_zero()).then(|| quotient_to_f64(part.picos(), whole.picos()))
}

/// A share of one amount in another, such as the MRR of a cohort in that of its first month.
pub(crate) fn share(part: Annual, whole: Annual) -> Option<f64> {
    divide(part, whole)
}

/// A share of heads without an interval.
pub(crate) fn share_of_heads(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| heads(part) / heads(whole))
}

/// How far a value is above what it was to be.
pub(crate) fn gap(value: f64, target: f64) -> f64 {
    value - target
}

/// The rates of exact sums, with the linearised interval over the clients behind them: R -+ z s with
/// s = sqrt(n / (n - 1) x sum (e - R o)^2) / sum o, in the order the clients are given. No interval for fewer than two.
pub(crate) fn linearised<const N: usize>(
    parts: [(Annual, Part); N],
    whole: Annual,
    samples: impl IntoIterator<Item = Sample>,
) -> [MoneyRate; N] {
    let rates =
        parts.map(|(part, _)| MoneyRate { part, whole, value: divide(part, whole), ..MoneyRate::default() });
    // One whole is under all of them, so that all are defined or none.
    let ratios = rates.map(|rate| rate.value);
    if ratios.contains(&None) {
        return rates;
    }
    let ratios = ratios.map(Option::unwrap_or_default);
    let (mut count, mut squares) = (0, [0.0; N]);
    for sample in samples {
        for ((squares, ratio), (_, what)) in squares.iter_mut().zip(ratios).zip(parts) {
            let off = sample.part(what) - ratio * sample.opening;
            *squares += off * off;
        }
        count += 1;
    }
    if count < 2 {
        return rates;
    }
    let n = heads(count);
    let mut squares = squares.into_iter();
    rates.map(|rate| {
        let (ratio, squares) = (rate.value.unwrap_or_default(), squares.next().unwrap_or_default());
        let half = Z * (n / (n - 1.0) * squares).sqrt() / float(whole);
        MoneyRate { low: Some(ratio - half), high: Some(ratio + half), ..rate }
    })
}

/// The 95 % intervals of the rates of some parts, from drawing as many clients as there are, with replacement, again and
/// again (Efron's percentile bootstrap). The draws come from ChaCha8 begun from the seed; a draw of one of n clients is the
/// upper half of its next 64 bits times n. The ends are the quantiles at 2.5 % and 97.5 %, linear between order
/// statistics with h = (n - 1) q. `None` for fewer than two clients.
pub(crate) fn bootstrap<const N: usize>(
    parts: [Part; N],
    samples: &[Sample],
    seed: u64,
    resamples: u32,
) -> [Option<(f64, f64)>; N] {
    if samples.len() < 2 {
        return [None; N];
    }
    let mut draws = ChaCha8Rng::seed_from_u64(seed);
    let mut rates: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(resamples as usize));
    for _ in 0..resamples {
        let mut whole = 0.0;
        let mut sums = [0.0; N];
        for _ in 0..samples.len() {
            let Some(sample) = drawn(&mut draws, samples) else { continue };
            whole += sample.opening;
            for (sum, part) in sums.iter_mut().zip(parts) {
                *sum += sample.part(part);
            }
        }
        for (rates, sum) in rates.iter_mut().zip(sums) {
            rates.push(sum / whole);
        }
    }
    rates.map(|mut rates| {
        rates.sort_unstable_by(f64::total_cmp);
        Some((quantile(&rates, 0.025)?, quantile(&rates, 0.975)?))
    })
}

/// One of n, drawn by the upper half of the next 64 bits times n.
pub(crate) fn drawn<'s, T>(draws: &mut ChaCha8Rng, from: &'s [T]) -> Option<&'s T> {
    let place = (u128::from(draws.next_u64()) * from.len() as u128) >> 64;
    usize::try_from(place).ok().and_then(|place| from.get(place))
}

/// The quantile of sorted numbers, linear between order statistics.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "h is within the slice")]
pub(crate) fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let h = heads(sorted.len().checked_sub(1)? as u64) * q;
    let (below, above) = (sorted.get(h.floor() as usize)?, sorted.get(h.ceil() as usize)?);
    Some(below + (h - h.floor()) * (above - below))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annual(mrr: i128) -> Annual {
        Annual::from_picos(mrr * 12 * 1_000_000_000_000)
    }

    /// A client that was never anybody else's.
    fn sample(opening: i128, closing: i128) -> Sample {
        let churned = if closing == 0 { opening } else { 0 };
        Sample::new(annual(opening), annual(closing), annual(churned), annual(closing))
    }

    fn close(a: Option<f64>, b: f64) {
        assert!((a.unwrap() - b).abs() < 1e-9, "{a:?} is not {b}");
    }

    #[test]
    fn wilson_by_hand() {
        // z^2 = 3.841458820694124. 0 of 5: high = z^2 / (5 + z^2); 5 of 5: low = 5 / (5 + z^2).
        close(HeadRate::new(0, 5).high, 3.841458820694124 / 8.841458820694124);
        close(HeadRate::new(5, 5).low, 5.0 / 8.841458820694124);
        assert_eq!((HeadRate::new(0, 5).low, HeadRate::new(5, 5).high), (Some(0.0), Some(1.0)));
        let rate = HeadRate::new(10, 50);
        close(rate.low, 0.112_437_500_157_761_1);
        close(rate.high, 0.330_371_059_322_254_2);
    }

    #[test]
    fn linearised_by_hand() {
        // 100, 200, 50, 150 -> 120, 200, 0, 100: R = 0.84, residuals 36, 32, -42, -26, squares 4760.
        let clients = [(100, 120), (200, 200), (50, 0), (150, 100)];
        let samples = clients.map(|(o, c)| sample(o, c));
        let [nrr] = linearised([(annual(420), Part::Net)], annual(500), samples);
        close(nrr.value, 0.84);
        close(nrr.low, 0.527_715_138_703_958);
        close(nrr.complement().value, 0.16);
        close(nrr.complement().high, 1.0 - 0.527_715_138_703_958);
        let [grr] = linearised([(annual(400), Part::Gross)], annual(500), samples);
        close(grr.low, 0.513_728_937_005_254_9);
        // Churned 50 / 500; residuals -10, -20, 45, -15: squares 2750.
        let [churned] = linearised([(annual(50), Part::Churned)], annual(500), samples);
        close(churned.high, 0.1 + Z * (4.0 / 3.0 * 2750.0f64).sqrt() / 500.0);
        let together = [(annual(420), Part::Net), (annual(400), Part::Gross), (annual(50), Part::Churned)];
        assert_eq!(linearised(together, annual(500), samples), [nrr, grr, churned]);
        let [one] = linearised([(annual(4), Part::Net)], annual(5), samples.into_iter().take(1));
        assert_eq!((one.value, one.low), (Some(0.8), None));
        let [none] = linearised([(annual(0), Part::Net)], annual(0), []);
        assert_eq!(none.value, None);
    }

    #[test]
    fn the_bootstrap_draws_the_same_again() {
        let samples = [(100, 120), (200, 200), (50, 0), (150, 100)].map(|(o, c)| sample(o, c));
        let parts = [Part::Net, Part::Gross, Part::Churned];
        let intervals = bootstrap(parts, &samples, 0, 2_000);
        assert_eq!(intervals, bootstrap(parts, &samples, 0, 2_000));
        let [Some(net), Some(gross), Some(churned)] = intervals else { panic!("{intervals:?}") };
        // The rates are 0.84, 0.8 and 0.1; no draw can leave the least and the greatest of a client.
        assert!(net.0 >= 0.0 && net.0 < 0.84 && 0.84 < net.1 && net.1 <= 1.2, "{net:?}");
        assert!(gross.0 < 0.8 && 0.8 < gross.1 && gross.1 <= 1.0, "{gross:?}");
        assert!(churned.0 >= 0.0 && churned.1 > 0.1, "{churned:?}");
        assert_eq!(bootstrap(parts, &samples[..1], 0, 2_000), [None; 3]);
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
    }

    #[test]
    fn rates_of_other_spans() {
        close(rescaled(0.5, 1.0, 2.0), 0.75);
        close(rescaled(-0.1, 1.0, 2.0), 1.0 - 1.21);
        assert_eq!(rescaled(1.5, 1.0, 2.0), None);
        assert_eq!(rescaled(0.5, 0.0, 2.0), None);
    }
}

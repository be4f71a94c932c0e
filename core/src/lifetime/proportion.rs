//! Intervals of a share of heads, and of the difference of two shares.
//!
//! The product's own rates carry Wilson's interval ([`crate::HeadRate`]); the others are here to be compared with.
//!
//! | method | formula |
//! |---|---|
//! | `wilson` | Wilson (1927): where the test of the share at z would not refuse |
//! | `wilson_corrected` | the same with a correction for continuity: Newcombe (1998), method 4 |
//! | `wald` | p -+ z sqrt(p (1 - p) / n), cut off at 0 and 1; collapses where nobody or everybody did |
//! | `agresti_coull` | Wald about (x + z^2/2) / (n + z^2), cut off at 0 and 1 |
//! | `clopper_pearson` | exact and wide: quantiles of beta(x, n - x + 1) and beta(x + 1, n - x) |
//! | `jeffreys` | quantiles of beta(x + 1/2, n - x + 1/2) |
//!
//! Differences: Newcombe (1998), method 10, takes from each share's Wilson interval the distances of its ends; method 11
//! takes those with the correction. The ratio of two shares has Katz's interval (1978), log-normal.

use super::log_rank::chi_square_upper;
use super::special::{beta_quantile, norm_quantile};
use crate::rate::HeadRate;
use serde::Serialize;

/// How the interval of a share is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareInterval {
    /// Wilson's score interval.
    #[default]
    Wilson,
    /// With a correction for continuity.
    WilsonCorrected,
    /// The plain normal one.
    Wald,
    /// The normal one about a share pulled to the middle.
    AgrestiCoull,
    /// The exact one.
    ClopperPearson,
    /// From the posterior under Jeffreys' prior.
    Jeffreys,
}

impl ShareInterval {
    /// The interval at a level such as 0.95 of a share of `part` in `whole`; `None` over nobody, of a part above the whole, or
    /// at a level that is not between 0 and 1.
    ///
    /// ```
    /// use healthfold::lifetime::ShareInterval;
    /// let (low, high) = ShareInterval::Wilson.of(29, 29, 0.95).unwrap();
    /// assert!((low - 0.883_030).abs() < 1e-6 && high == 1.0);
    /// assert_eq!(ShareInterval::Wald.of(29, 29, 0.95), Some((1.0, 1.0)), "no interval at all: why Wilson is the default");
    /// ```
    pub fn of(self, part: u64, whole: u64, level: f64) -> Option<(f64, f64)> {
        if whole == 0 || part > whole || !(level > 0.0 && level < 1.0) {
            return None;
        }
        let (x, n) = (float(part), float(whole));
        let p = x / n;
        let tail = (1.0 - level) / 2.0;
        let z = norm_quantile(1.0 - tail);
        let cut = |(low, high): (f64, f64)| (low.clamp(0.0, 1.0), high.clamp(0.0, 1.0));
        // At the ends these formulas give the end itself but for rounding.
        let to_ends = |(low, high): (f64, f64)| {
            (if part == 0 { 0.0 } else { low }, if part == whole { 1.0 } else { high })
        };
        Some(match self {
            Self::Wilson => {
                let scale = 1.0 + z * z / n;
                let centre = (p + z * z / (2.0 * n)) / scale;
                let half = z * libm::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n)) / scale;
                to_ends(cut((centre - half, centre + half)))
            }
            Self::WilsonCorrected => {
                let (q, scale) = (1.0 - p, 2.0 * (n + z * z));
                let middle = 2.0 * n * p + z * z;
                let below = z * libm::sqrt(z * z - 2.0 - 1.0 / n + 4.0 * p * (n * q + 1.0));
                let above = z * libm::sqrt(z * z + 2.0 - 1.0 / n + 4.0 * p * (n * q - 1.0));
                let low = (middle - 1.0 - below) / scale;
                let high = (middle + 1.0 + above) / scale;
                to_ends(cut((low, high)))
            }
            Self::Wald => {
                let half = z * libm::sqrt(p * (1.0 - p) / n);
                cut((p - half, p + half))
            }
            Self::AgrestiCoull => {
                let n = n + z * z;
                let p = (x + z * z / 2.0) / n;
                let half = z * libm::sqrt(p * (1.0 - p) / n);
                cut((p - half, p + half))
            }
            Self::ClopperPearson => {
                let low = if part == 0 { 0.0 } else { beta_quantile(tail, x, n - x + 1.0) };
                let high = if part == whole { 1.0 } else { beta_quantile(1.0 - tail, x + 1.0, n - x) };
                (low, high)
            }
            Self::Jeffreys => {
                let (a, b) = (x + 0.5, n - x + 0.5);
                (beta_quantile(tail, a, b), beta_quantile(1.0 - tail, a, b))
            }
        })
    }
}

/// How the interval of a difference of two shares is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceInterval {
    /// Newcombe's method 10.
    #[default]
    Newcombe,
    /// Newcombe's method 11, with a correction for continuity.
    NewcombeCorrected,
    /// The plain normal one.
    Wald,
}

/// Two shares beside each other: the first less the second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RateDifference {
    /// The first share less the second; `None` where one of them is over nobody.
    pub value: Option<f64>,
    /// The lower end of its 95 % interval.
    pub low: Option<f64>,
    /// The upper end of its 95 % interval.
    pub high: Option<f64>,
    /// The first share over the second; undefined where the second is 0.
    pub ratio: Option<f64>,
    /// The lower end of its 95 % interval (Katz); undefined where either share is 0.
    pub ratio_low: Option<f64>,
    /// The upper end of its 95 % interval.
    pub ratio_high: Option<f64>,
    /// Pearson's chi-square with one degree of freedom, without a correction; undefined where everybody or nobody did.
    pub chi_square: Option<f64>,
    /// How likely so great a difference is if both are samples of one share.
    pub p_value: Option<f64>,
}

impl DifferenceInterval {
    /// The 95 % interval of one share less another; `None` where one of them is over nobody.
    pub fn of(self, a: HeadRate, b: HeadRate) -> Option<(f64, f64)> {
        let (p, q) = (a.value?, b.value?);
        let d = p - q;
        let ends = |method: ShareInterval| {
            let (low, high) = method.of(a.part, a.whole, LEVEL)?;
            let (other_low, other_high) = method.of(b.part, b.whole, LEVEL)?;
            let down = libm::sqrt((p - low) * (p - low) + (other_high - q) * (other_high - q));
            let up = libm::sqrt((high - p) * (high - p) + (q - other_low) * (q - other_low));
            Some(((d - down).max(-1.0), (d + up).min(1.0)))
        };
        match self {
            Self::Newcombe => ends(ShareInterval::Wilson),
            Self::NewcombeCorrected => ends(ShareInterval::WilsonCorrected),
            Self::Wald => {
                let spread = p * (1.0 - p) / float(a.whole) + q * (1.0 - q) / float(b.whole);
                let half = crate::rate::Z * libm::sqrt(spread);
                Some(((d - half).max(-1.0), (d + half).min(1.0)))
            }
        }
    }
}

const LEVEL: f64 = 0.95;

impl RateDifference {
    /// One share less another, with Newcombe's interval (method 10).
    ///
    /// ```
    /// use healthfold::{HeadRate, lifetime::RateDifference};
    /// // 56 of 70 against 48 of 80: Newcombe's first example.
    /// let found = RateDifference::of(HeadRate::new(56, 70), HeadRate::new(48, 80));
    /// assert!((found.value.unwrap() - 0.2).abs() < 1e-12);
    /// assert!((found.low.unwrap() - 0.0524).abs() < 1e-4 && (found.high.unwrap() - 0.3339).abs() < 1e-4);
    /// ```
    pub fn of(a: HeadRate, b: HeadRate) -> Self {
        let interval = DifferenceInterval::Newcombe.of(a, b);
        let both = a.value.zip(b.value);
        let ratio = both.filter(|(_, q)| *q > 0.0).map(|(p, q)| p / q);
        let error = || {
            let of = |rate: HeadRate| 1.0 / float(rate.part) - 1.0 / float(rate.whole);
            libm::sqrt(of(a) + of(b))
        };
        let end = |sign: f64| {
            let ratio = ratio.filter(|ratio| *ratio > 0.0)?;
            Some(ratio * libm::exp(sign * crate::rate::Z * error()))
        };
        let chi_square = both.and_then(|(p, q)| {
            let (m, n) = (float(a.whole), float(b.whole));
            let pooled = (float(a.part) + float(b.part)) / (m + n);
            let spread = pooled * (1.0 - pooled) * (1.0 / m + 1.0 / n);
            (spread > 0.0).then(|| (p - q) * (p - q) / spread)
        });
        Self {
            value: both.map(|(p, q)| p - q),
            low: interval.map(|(low, _)| low),
            high: interval.map(|(_, high)| high),
            ratio,
            ratio_low: end(-1.0),
            ratio_high: end(1.0),
            chi_square,
            p_value: chi_square.map(|chi_square| chi_square_upper(chi_square, 1)),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of clients are far below 2^53")]
fn float(n: u64) -> f64 {
    n as f64
}

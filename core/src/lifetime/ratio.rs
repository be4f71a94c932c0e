//! The interval of a ratio of sums over clients, such as NRR, by every method of the field.
//!
//! The product's reports carry the linearised interval, or the percentile bootstrap on request; the others are here to be
//! compared with. All resample or vary *clients*: one client that carries half the money makes every interval wide.
//!
//! | method | formula |
//! |---|---|
//! | linearised | sqrt(n / (n - 1) x sum (e - R s)^2) / sum s (Cochran 1977), with z or with t of n - 1 degrees |
//! | jackknife | sqrt((n - 1) / n x sum (R without i - their mean)^2) |
//! | bootstrap | standard deviation and percentiles of the ratio over drawn clients (Efron 1979) |
//! | BCa | the percentiles moved for bias and for acceleration, which the jackknife tells (Efron 1987) |

use super::special::{norm_cdf, norm_quantile, t_quantile};
use crate::rate::{Z, drawn, quantile};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::Serialize;

/// A ratio of sums over clients with its intervals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RatioEstimate {
    /// Clients.
    pub n: u64,
    /// The sum of what came of them over the sum of what they began with.
    pub value: f64,
    /// The linearised standard error.
    pub linearised_se: f64,
    /// The linearised 95 % interval with z.
    pub linearised_z: (f64, f64),
    /// The linearised 95 % interval with Student's t, fairer to few clients.
    pub linearised_t: (f64, f64),
    /// The jackknife's standard error.
    pub jackknife_se: f64,
    /// The acceleration that the jackknife tells.
    pub acceleration: f64,
    /// The bootstrap's standard error.
    pub bootstrap_se: f64,
    /// The 95 % interval between the bootstrap's percentiles.
    pub bootstrap_percentile: (f64, f64),
    /// The 95 % interval of the bootstrap, corrected for bias and acceleration.
    pub bootstrap_bca: (f64, f64),
}

impl RatioEstimate {
    /// The ratio of sums of (what it began with, what came of it), one pair a client. `None` for fewer than two clients or
    /// where they began with nothing. The draws are those of the reports: ChaCha8 from the seed.
    ///
    /// ```
    /// use healthfold::lifetime::RatioEstimate;
    /// let nrr = RatioEstimate::of(&[(100.0, 120.0), (200.0, 200.0), (50.0, 0.0), (150.0, 100.0)], 0, 2_000).unwrap();
    /// assert_eq!(nrr.value, 0.84);
    /// assert!((nrr.linearised_z.0 - 0.527_715_138_703_958).abs() < 1e-12);
    /// ```
    pub fn of(clients: &[(f64, f64)], seed: u64, resamples: u32) -> Option<Self> {
        let n = float(clients.len());
        let sums = clients.iter().fold((0.0, 0.0), |(s, e), (start, end)| (s + start, e + end));
        let (whole, part) = sums;
        if clients.len() < 2 || !(whole > 0.0 && whole.is_finite() && part.is_finite()) {
            return None;
        }
        let value = part / whole;
        let squares: f64 = clients.iter().map(|(s, e)| (e - value * s) * (e - value * s)).sum();
        let linearised_se = libm::sqrt(n / (n - 1.0) * squares) / whole;
        let about = |width: f64| (value - width * linearised_se, value + width * linearised_se);
        let without: Vec<f64> = clients.iter().map(|(s, e)| (part - e) / (whole - s)).collect();
        let mean = without.iter().sum::<f64>() / n;
        let power = |k: i32| without.iter().map(|ratio| powi(mean - ratio, k)).sum::<f64>();
        let jackknife_se = libm::sqrt((n - 1.0) / n * power(2));
        let spread = power(2);
        let acceleration = if spread > 0.0 { power(3) / (6.0 * spread * libm::sqrt(spread)) } else { 0.0 };
        let drawn = drawn_ratios(clients, seed, resamples);
        let ends = |low: f64, high: f64| Some((quantile(&drawn, low)?, quantile(&drawn, high)?));
        let below = float(drawn.iter().filter(|ratio| **ratio < value).count());
        let equal = float(drawn.iter().filter(|ratio| **ratio == value).count());
        let share = (below + equal / 2.0) / float(drawn.len());
        let bias = norm_quantile(share.clamp(1e-9, 1.0 - 1e-9));
        let moved = |z: f64| norm_cdf(bias + (bias + z) / (1.0 - acceleration * (bias + z)));
        let drawn_mean = drawn.iter().sum::<f64>() / float(drawn.len());
        let drawn_squares: f64 = drawn.iter().map(|ratio| (ratio - drawn_mean) * (ratio - drawn_mean)).sum();
        Some(Self {
            n: clients.len() as u64,
            value,
            linearised_se,
            linearised_z: about(Z),
            linearised_t: about(t_quantile(0.975, n - 1.0)),
            jackknife_se,
            acceleration,
            bootstrap_se: libm::sqrt(drawn_squares / (float(drawn.len()) - 1.0)),
            bootstrap_percentile: ends(0.025, 0.975)?,
            bootstrap_bca: ends(moved(-Z), moved(Z))?,
        })
    }
}

/// The ratios of so many books of drawn clients, in rising order.
fn drawn_ratios(clients: &[(f64, f64)], seed: u64, resamples: u32) -> Vec<f64> {
    let mut draws = ChaCha8Rng::seed_from_u64(seed);
    let ratio = |_| {
        let (mut whole, mut part) = (0.0, 0.0);
        for _ in clients {
            let Some((start, end)) = drawn(&mut draws, clients) else { continue };
            whole += start;
            part += end;
        }
        part / whole
    };
    let mut ratios: Vec<f64> = (0..resamples).map(ratio).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    ratios
}

fn powi(base: f64, exponent: i32) -> f64 {
    (0..exponent).fold(1.0, |power, _| power * base)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of clients are far below 2^53")]
fn float(n: usize) -> f64 {
    n as f64
}

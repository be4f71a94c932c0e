//! Whether the metric that a model calls its north star holds: how well it ranks the clients that stay above those that go.
//!
//! Spearman's rank correlation (1904) of the reading with staying (1) or leaving (0), ties by their mean rank. Its 95 %
//! interval is by Fisher's transformation with the standard error of Bonett and Wright (2000), sqrt((1 + r^2/2) / (n - 3)).

use super::outcome::{Outcome, Watched};
use crate::rate::Z;
use crate::score::{Model, Scorer};
use crate::time::Instant;
use serde::Serialize;

/// The least number of clients of which a correlation is told.
const ENOUGH: usize = 10;

/// How well a model's north star ranks the clients that stay.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NorthStar {
    /// The model that names it; of a set, one of its models, over the clients it fits.
    pub model: String,
    /// The signal's name there.
    pub signal: String,
    /// When was read.
    pub as_of: Instant,
    /// When was looked at who stayed.
    pub until: Instant,
    /// The book has seen nothing as late as that: who leaves in between still counts as there.
    pub partial: bool,
    /// Clients that paid and had a reading.
    pub n: u64,
    /// Of them, those that still paid.
    pub retained: u64,
    /// Clients that paid without a reading; in no figure.
    pub missing: u64,
    /// Spearman's rank correlation, -1 to 1; undefined below ten clients, where all stayed or left, or where all readings are
    /// the same.
    pub correlation: Option<f64>,
    /// The lower end of its 95 % interval.
    pub low: Option<f64>,
    /// The upper end of its 95 % interval.
    pub high: Option<f64>,
}

/// For each model that names a north star: how it did.
pub(crate) fn north_stars(watched: &Watched<'_>, model: &Model, scorer: &Scorer<'_>) -> Vec<NorthStar> {
    let mut read: Vec<(Vec<(f64, bool)>, u64)> = model.choices.iter().map(|_| (Vec::new(), 0)).collect();
    for client in watched.book.living() {
        let Some(stayed) = watched.outcome(&client, Outcome::Retained) else { continue };
        let Some(rule) = scorer.rule(&client) else { continue };
        let star = model.choices.get(rule).and_then(|choice| choice.model.north_star);
        let (Some(signal), Some((pairs, missing))) = (star, read.get_mut(rule)) else { continue };
        match scorer.reading(rule, signal, &client).value() {
            Some(value) => pairs.push((value, stayed)),
            None => *missing += 1,
        }
    }
    let stars = model.choices.iter().zip(read).filter_map(|(choice, (pairs, missing))| {
        let (signal, _) = choice.model.signals.get(choice.model.north_star?)?;
        let correlation = rank_correlation(&pairs);
        let ends = correlation.map(|r| interval(r, pairs.len()));
        Some(NorthStar {
            model: choice.model.name.clone(),
            signal: signal.clone(),
            as_of: watched.as_of,
            until: watched.until,
            partial: watched.is_partial(),
            n: count(pairs.len()),
            retained: count(pairs.iter().filter(|(_, stayed)| *stayed).count()),
            missing,
            correlation,
            low: ends.map(|(low, _)| low),
            high: ends.map(|(_, high)| high),
        })
    });
    stars.collect()
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Mean ranks from 1.
#[expect(clippy::cast_precision_loss, reason = "numbers of clients are far below 2^53")]
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    let value = |i: &usize| values.get(*i).copied().unwrap_or_default();
    order.sort_by(|a, b| value(a).total_cmp(&value(b)));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|a, b| value(a) == value(b)) {
        let mean = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        before += tied.len();
        for i in tied {
            if let Some(rank) = ranks.get_mut(*i) {
                *rank = mean;
            }
        }
    }
    ranks
}

fn rank_correlation(pairs: &[(f64, bool)]) -> Option<f64> {
    if pairs.len() < ENOUGH {
        return None;
    }
    let x = ranks(&pairs.iter().map(|(value, _)| *value).collect::<Vec<f64>>());
    let y = ranks(&pairs.iter().map(|(_, stayed)| f64::from(u8::from(*stayed))).collect::<Vec<f64>>());
    #[expect(clippy::cast_precision_loss, reason = "numbers of clients are far below 2^53")]
    let mean = (pairs.len() as f64 + 1.0) / 2.0;
    let products = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    let (xx, yy) = (products(&x, &x), products(&y, &y));
    (xx > 0.0 && yy > 0.0).then(|| (products(&x, &y) / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0))
}

#[expect(clippy::cast_precision_loss, reason = "numbers of clients are far below 2^53")]
fn interval(r: f64, n: usize) -> (f64, f64) {
    if r.abs() >= 1.0 {
        return (r, r);
    }
    let error = ((1.0 + r * r / 2.0) / (n as f64 - 3.0)).sqrt();
    let z = libm::atanh(r);
    (libm::tanh(z - Z * error), libm::tanh(z + Z * error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: x 1..10, the five least left: ranks of y are 3 (x5) and 8 (x5). Sum of (x - 5.5)(y - 5.5) is
    /// 2.5 x (4.5 + 3.5 + 2.5 + 1.5 + 0.5) x 2 = 62.5; of squares 82.5 and 62.5: r = 62.5 / sqrt(82.5 x 62.5) = 0.870388.
    #[test]
    fn ranks_with_ties_by_hand() {
        let pairs: Vec<(f64, bool)> = (1..=10).map(|i| (f64::from(i), i > 5)).collect();
        let r = rank_correlation(&pairs).unwrap();
        assert!((r - 0.870_388_279_778_489).abs() < 1e-12, "{r}");
        assert_eq!(ranks(&[2.0, 1.0, 2.0, 2.0]), [3.0, 1.0, 3.0, 3.0]);
        // atanh r = 1.334678, error sqrt((1 + 0.378788) / 7) = 0.443812: 0.464822 to 2.204533.
        let (low, high) = interval(r, 10);
        assert!((low - 0.434006).abs() < 1e-6 && (high - 0.975960).abs() < 1e-6, "{low} {high}");
        assert_eq!(rank_correlation(&pairs[..9]), None);
        assert_eq!(rank_correlation(&[(1.0, true); 12]), None);
    }
}

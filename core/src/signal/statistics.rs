//! The little statistics that signals need, each with its convention.

/// The quantile of sorted values by linear interpolation between order statistics, h = (n - 1) q. `None` of nothing.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 <= h < n"
)]
pub(crate) fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let h = last as f64 * q;
    let below = h.floor() as usize;
    let low = *sorted.get(below.min(last))?;
    let high = *sorted.get((below + 1).min(last))?;
    Some(low + (h - h.floor()) * (high - low))
}

/// The mean and the sample standard deviation (n - 1) of at least two values.
#[expect(clippy::cast_precision_loss, reason = "a window has far fewer than 2^53 days")]
pub(crate) fn mean_and_deviation(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    Some((mean, libm::sqrt(squares / (n - 1.0))))
}

/// -log10 of P(X >= n) for a Poisson variable of the given mean (above 0). Computed in logarithms: the tail is summed
/// from its first term, so that neither a tiny tail nor a huge count leaves the finite numbers. Never -0.
#[expect(clippy::cast_precision_loss, reason = "counts of tickets are far below 2^53")]
pub(crate) fn poisson_surprise(n: u64, mean: f64) -> f64 {
    if n == 0 {
        return 0.0;
    }
    let count = n as f64;
    let log_term = |k: f64| k * libm::log(mean) - mean - libm::lgamma(k + 1.0);
    let log_tail = if count > mean {
        // The terms fall from here on: sum them relative to the first.
        let (mut term, mut sum, mut k) = (1.0, 1.0, count);
        while term > sum * 1e-17 {
            k += 1.0;
            term *= mean / k;
            sum += term;
        }
        log_term(count) + libm::log(sum)
    } else {
        // The tail is the larger part: take the terms below it from 1.
        let mut below = 0.0;
        let mut k = count - 1.0;
        while k >= 0.0 {
            let term = libm::exp(log_term(k));
            below += term;
            if term < below * 1e-17 {
                break;
            }
            k -= 1.0;
        }
        libm::log1p(-below.min(1.0 - 1e-16))
    };
    (-log_tail / std::f64::consts::LN_10).max(0.0) + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.5), Some(2.0));
        assert_eq!(quantile(&[1.0, 2.0], 0.5), Some(1.5));
        assert!((quantile(&[1.0, 2.0, 4.0, 8.0], 0.9).unwrap() - 6.8).abs() < 1e-12, "4 + 0.7 x 4");
        assert_eq!(quantile(&[5.0], 1.0), Some(5.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn surprise_matches_closed_forms() {
        // P(X >= 1) = 1 - e^-mean, P(X >= 2) = 1 - e^-mean (1 + mean).
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        close(poisson_surprise(1, 0.5), -(1.0 - (-0.5f64).exp()).log10());
        close(poisson_surprise(2, 3.0), -(1.0 - (-3.0f64).exp() * 4.0).log10());
        close(
            poisson_surprise(8, 2.0),
            -(1.0
                - (-2.0f64).exp()
                    * (0..8).map(|k| 2f64.powi(k) / (1..=k).map(f64::from).product::<f64>()).sum::<f64>())
            .log10(),
        );
        assert_eq!(poisson_surprise(0, 2.0).to_bits(), 0f64.to_bits());
        assert!(poisson_surprise(1_000_000, 0.5).is_finite());
    }
}

//! Gauss's and Tricomi's hypergeometric functions.

use super::gamma::{away_from_zero, ln_gamma};
use super::quadrature::ln_half_line;

/// The most terms of a series or a continued fraction. They are reached only within 1e-9 of z = 1.
const MOST_TERMS: u32 = 2_000_000;

/// 2F1(a, b; c; z) where the value fits a double; see [`ln_hyp2f1`].
pub(crate) fn hyp2f1(a: f64, b: f64, c: f64, z: f64) -> f64 {
    libm::exp(ln_hyp2f1(a, b, c, z))
}

/// ln 2F1(a, b; c; z) for a, b, c > 0 and z < 1; for z < 0 with c >= a or c >= b, where the function is positive, too.
///
/// Below 0 by Pfaff's transformation; 2F1(1, b; c; z) by Gauss's continued fraction, which converges near z = 1, too; else by
/// the power series, after Euler's transformation where that makes it converge faster and does not make its signs mix. Sums
/// are scaled, so that values far beyond the range of a double have their logarithm.
pub(crate) fn ln_hyp2f1(a: f64, b: f64, c: f64, z: f64) -> f64 {
    if !(a > 0.0 && b > 0.0 && c > 0.0 && z < 1.0) {
        return f64::NAN;
    }
    if z < 0.0 {
        let (kept, turned) = if c >= a { (b, c - a) } else { (a, c - b) };
        let front = -kept * libm::log1p(-z);
        return if turned > 0.0 { front + ln_hyp2f1(kept, turned, c, z / (z - 1.0)) } else { front };
    }
    let (small, other) = if a < b { (a, b) } else { (b, a) };
    if small == 1.0 && other < c {
        return -libm::log(gauss_fraction(other, c, z));
    }
    if other == 1.0 && small < c {
        return -libm::log(gauss_fraction(small, c, z));
    }
    // Euler: (1 - z)^(c - a - b) 2F1(c - a, c - b; c; z). One factor just below 0 costs no digits, a long run of them would.
    if c < a + b && (c - a).min(c - b) > -1.0 {
        (c - a - b) * libm::log1p(-z) + ln_series(c - a, c - b, c, z)
    } else {
        ln_series(a, b, c, z)
    }
}

/// 1 / 2F1(1, b; c; z) for 0 <= z < 1 and 0 < b < c, by Gauss's continued fraction (Lentz's evaluation).
fn gauss_fraction(b: f64, c: f64, z: f64) -> f64 {
    let (mut numerator, mut denominator, mut value) = (1.0, 0.0, 1.0);
    for n in 0..MOST_TERMS {
        let k = f64::from(n / 2);
        let term = if n == 0 {
            b / c
        } else if n % 2 == 0 {
            (b + k) * (c + k - 1.0) / ((c + 2.0 * k - 1.0) * (c + 2.0 * k))
        } else {
            (k + 1.0) * (c - b + k) / ((c + 2.0 * k) * (c + 2.0 * k + 1.0))
        };
        denominator = 1.0 / away_from_zero(1.0 - term * z * denominator);
        numerator = away_from_zero(1.0 - term * z / numerator);
        let step = numerator * denominator;
        value *= step;
        if libm::fabs(step - 1.0) < f64::EPSILON * 0.5 {
            break;
        }
    }
    value
}

/// ln of the power series, scaled on the way.
fn ln_series(a: f64, b: f64, c: f64, z: f64) -> f64 {
    const BIG: f64 = 1e200;
    let (mut term, mut sum, mut scale) = (1.0, 1.0, 0.0);
    for n in 0..MOST_TERMS {
        let n = f64::from(n);
        let ratio = (a + n) * (b + n) / ((c + n) * (n + 1.0)) * z;
        term *= ratio;
        sum += term;
        // The rest is at most a geometric series of the greater of this ratio and the last one, z.
        let steepest = libm::fabs(ratio).max(z);
        if libm::fabs(term) <= f64::EPSILON * 0.1 * libm::fabs(sum) * (1.0 - steepest) {
            break;
        }
        if libm::fabs(sum) > BIG {
            term /= BIG;
            sum /= BIG;
            scale += libm::log(BIG);
        }
    }
    scale + libm::log(sum)
}

/// ln U(a, b, z), Tricomi's confluent function, for a, z > 0: z^-a / Γ(a) times the integral of
/// e^-t t^(a-1) (1 + t/z)^(b-a-1) over t from 0 to infinity.
pub(crate) fn ln_tricomi_u(a: f64, b: f64, z: f64) -> f64 {
    if !(a > 0.0 && z > 0.0) {
        return f64::NAN;
    }
    ln_half_line(a, |t| (b - a - 1.0) * libm::log1p(t / z)) - a * libm::log(z) - ln_gamma(a)
}

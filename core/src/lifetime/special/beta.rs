//! The incomplete beta function and its inverse, Student's quantiles.

use super::gamma::{away_from_zero, ln_beta};

/// The most steps of the continued fraction; it takes about the root of the larger parameter.
const MOST_STEPS: u32 = 100_000;

/// The most steps to an inverse: enough to halve the unit interval down to nothing.
const MOST_HALVINGS: u32 = 400;

/// I_x(a, b) for a, b > 0 and x in 0..=1: the chance that a beta variable is at most x.
pub(crate) fn reg_inc_beta(a: f64, b: f64, x: f64) -> f64 {
    if !(a > 0.0 && b > 0.0 && (0.0..=1.0).contains(&x)) {
        return f64::NAN;
    }
    if x == 0.0 || x == 1.0 {
        return x;
    }
    let front = libm::exp(a * libm::log(x) + b * libm::log1p(-x) - ln_beta(a, b));
    // On the other side of the mean the fraction converges for the complement.
    if x <= (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x) / b
    }
}

/// The continued fraction of the incomplete beta function, by Lentz.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..MOST_STEPS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for term in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            step = d * c;
            value *= step;
        }
        if libm::fabs(step - 1.0) < f64::EPSILON {
            break;
        }
    }
    value
}

/// The x at which I_x(a, b) = p: Newton's steps, kept inside the bracket that the signs so far leave.
pub(crate) fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if !(a > 0.0 && b > 0.0 && (0.0..=1.0).contains(&p)) {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return p;
    }
    let (mut low, mut high) = (0.0, 1.0);
    let mut x = a / (a + b);
    for _ in 0..MOST_HALVINGS {
        let miss = reg_inc_beta(a, b, x) - p;
        if miss < 0.0 {
            low = x
        } else {
            high = x
        }
        let density = libm::exp((a - 1.0) * libm::log(x) + (b - 1.0) * libm::log1p(-x) - ln_beta(a, b));
        let newton = x - miss / density;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if libm::fabs(next - x) <= f64::EPSILON * x {
            return next;
        }
        x = next;
    }
    x
}

/// Student's t with `df` degrees of freedom that is exceeded with chance 1 - p; `df` need not be whole.
pub(crate) fn t_quantile(p: f64, df: f64) -> f64 {
    if !(df > 0.0 && p > 0.0 && p < 1.0) {
        return f64::NAN;
    }
    // t^2 / (df + t^2) follows a beta distribution; both tails are alike.
    let side = if p < 0.5 { -1.0 } else { 1.0 };
    let x = beta_quantile(libm::fabs(2.0 * p - 1.0), 0.5, df / 2.0);
    side * libm::sqrt(df * x / (1.0 - x))
}

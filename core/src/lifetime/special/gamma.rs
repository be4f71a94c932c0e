//! Gamma and beta functions, the incomplete gamma function.

/// From here on Stirling's series is exact to the last digits.
const LARGE: f64 = 12.0;

/// The most steps of a series or a continued fraction.
const MOST_STEPS: u32 = 100_000;

/// ln Γ(x) for x > 0.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    if x > 0.0 { libm::lgamma(x) } else { f64::NAN }
}

/// ψ(x) = d ln Γ(x) / dx for x > 0: recurrence up to where the asymptotic series holds.
pub(crate) fn digamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    let mut shift = 0.0;
    let mut x = x;
    while x < LARGE {
        shift -= 1.0 / x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = y
        * (1.0 / 12.0
            - y * (1.0 / 120.0
                - y * (1.0 / 252.0 - y * (1.0 / 240.0 - y * (1.0 / 132.0 - y * 691.0 / 32760.0)))));
    shift + libm::log(x) - 0.5 / x - series
}

/// What Stirling's (x - 1/2) ln x - x + ln(2 pi)/2 leaves of ln Γ(x), for large x.
fn stirling_rest(x: f64) -> f64 {
    let y = 1.0 / (x * x);
    (1.0 / 12.0
        - y * (1.0 / 360.0
            - y * (1.0 / 1260.0 - y * (1.0 / 1680.0 - y * (1.0 / 1188.0 - y * 691.0 / 360360.0)))))
        / x
}

/// ln(Γ(x) / Γ(x + by)) for x > 0 and by >= 0, without taking two huge numbers from each other.
fn ln_gamma_fall(x: f64, by: f64) -> f64 {
    if x < LARGE {
        return ln_gamma(x) - ln_gamma(x + by);
    }
    let sum = x + by;
    by - (sum - 0.5) * libm::log1p(by / x) - by * libm::log(x) + stirling_rest(x) - stirling_rest(sum)
}

/// ln B(a, b) for a, b > 0, also where one of them is huge.
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() || a <= 0.0 || b <= 0.0 {
        return f64::NAN;
    }
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    ln_gamma(small) + ln_gamma_fall(large, small)
}

/// Q(a, x) = Γ(a, x) / Γ(a) for a > 0, x >= 0: the chance that a gamma variable of shape a is above x; for chi-square with
/// k degrees of freedom Q(k/2, x/2).
pub(crate) fn reg_gamma_q(a: f64, x: f64) -> f64 {
    if a.is_nan() || x.is_nan() || a <= 0.0 || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    let front = libm::exp(a * libm::log(x) - x - ln_gamma(a));
    if x < a + 1.0 { 1.0 - front * lower_series(a, x) } else { front * upper_fraction(a, x) }
}

/// P(a, x) x e^x Γ(a) / x^a as a series.
fn lower_series(a: f64, x: f64) -> f64 {
    let mut term = 1.0 / a;
    let mut sum = term;
    let mut n = a;
    for _ in 0..MOST_STEPS {
        n += 1.0;
        term *= x / n;
        sum += term;
        if term < sum * f64::EPSILON * 0.25 {
            break;
        }
    }
    sum
}

/// Γ(a, x) e^x / x^a by Lentz's continued fraction.
fn upper_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / f64::MIN_POSITIVE;
    let mut d = 1.0 / b;
    let mut value = d;
    for i in 1..MOST_STEPS {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / away_from_zero(an * d + b);
        c = away_from_zero(b + an / c);
        let step = d * c;
        value *= step;
        if libm::fabs(step - 1.0) < f64::EPSILON {
            break;
        }
    }
    value
}

/// Lentz's rule for a denominator that vanishes.
pub(super) fn away_from_zero(x: f64) -> f64 {
    if libm::fabs(x) < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { x }
}

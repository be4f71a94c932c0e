//! Integrals of smooth functions: over a stretch (Gauss), over the half line and over a beta distribution (the double
//! exponential rule of Takahasi and Mori 1974: after a change of variable the plain sum converges geometrically, whatever
//! the function does at the ends).

use super::gamma::ln_beta;

/// Gauss-Legendre on -1..1 with 12 nodes: (node, weight) of the positive half; the other half mirrors it.
pub(crate) const LEGENDRE: [(f64, f64); 6] = [
    (0.125_233_408_511_468_9, 0.249_147_045_813_402_77),
    (0.367_831_498_998_180_2, 0.233_492_536_538_354_8),
    (0.587_317_954_286_617_4, 0.203_167_426_723_065_92),
    (0.769_902_674_194_304_7, 0.160_078_328_543_346_22),
    (0.904_117_256_370_474_9, 0.106_939_325_995_318_43),
    (0.981_560_634_246_719_2, 0.047_175_336_386_511_83),
];

/// The logarithm of the integral over t from 0 to infinity of exp(-t + (a - 1) ln t + f(t)), for a > 0 and f smooth and of
/// slow growth.
pub(super) fn ln_half_line(a: f64, f: impl Fn(f64) -> f64) -> f64 {
    // t = exp(w - exp(-w)): the left end decays like exp(-a exp(-w)), the right one like exp(-exp(w)).
    // Beyond these ends nothing is left of the integrand: t^a is below e^-60, or t far above its peak. A large a has its peak
    // at ln t = ln a with width 1/sqrt(a).
    let width = 1.0 / libm::sqrt(a);
    let (first, last) = if a < 100.0 {
        (-libm::log1p(60.0 / a) - 2.0, libm::log(a + 40.0 / width + 800.0) + 1.0)
    } else {
        let peak = libm::log(a);
        (peak - 16.0 * width, peak + 16.0 * width + 2.0 / a)
    };
    let step = 1.0 / (32.0 + 2.0 / width);
    let at = |w: f64| {
        let back = libm::exp(-w);
        let ln_t = w - back;
        let t = libm::exp(ln_t);
        a * ln_t - t + f(t) + libm::log1p(back)
    };
    let (mut sum, mut top) = (0.0, f64::NEG_INFINITY);
    let mut w = first;
    while w < last {
        add_exp(&mut sum, &mut top, at(w));
        w += step;
    }
    top + libm::log(sum * step)
}

/// Adds exp(term) to a sum that is kept as sum x exp(top).
fn add_exp(sum: &mut f64, top: &mut f64, term: f64) {
    if term > *top {
        *sum = *sum * libm::exp(*top - term) + 1.0;
        *top = term;
    } else if term > f64::NEG_INFINITY {
        *sum += libm::exp(term - *top);
    }
}

/// The mean of f(p) where p follows Beta(a, b), for a bounded f; f may be asked at 0 and 1.
pub(crate) fn mean_over_beta(a: f64, b: f64, f: impl Fn(f64) -> f64) -> f64 {
    // In logits the density is smooth with exponential tails; sinh makes them double exponential.
    const PER_UNIT: i32 = 24;
    let centre = libm::log(a / b);
    let width = libm::sqrt(1.0 / a + 1.0 / b).min(1.0);
    let norm = ln_beta(a, b);
    // Where p^a or (1 - p)^b has come down to nothing, as a distance from the centre.
    let end = |rate: f64, centre: f64| {
        let depth = (60.0 + libm::fabs(norm)) / rate;
        let logit = if depth > 30.0 { depth } else { libm::log(libm::expm1(depth)) };
        libm::asinh(((logit - centre) / width).max(0.0))
    };
    let step = 1.0 / f64::from(PER_UNIT);
    let mut w = -end(a, -centre);
    let (last, mut sum, mut all) = (end(b, centre), 0.0, 0.0);
    while w <= last {
        let logit = centre + width * libm::sinh(w);
        let (ln_p, ln_rest) = (-softplus(-logit), -softplus(logit));
        let weight = libm::exp(a * ln_p + b * ln_rest - norm) * width * libm::cosh(w);
        if weight > 0.0 {
            sum += weight * f(libm::exp(ln_p));
            all += weight;
        }
        w += step;
    }
    // The weights add up to 1; where parameters are huge their common factor is known to fewer digits than their shares.
    sum / all
}

/// ln(1 + e^x) without overflow.
fn softplus(x: f64) -> f64 {
    if x > 0.0 { x + libm::log1p(libm::exp(-x)) } else { libm::log1p(libm::exp(x)) }
}

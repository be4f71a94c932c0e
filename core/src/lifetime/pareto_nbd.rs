//! Pareto/NBD: buyers without a contract, who may leave at any moment.

use super::buying::Buying;
use super::climb::{Slope, climb};
use super::crowd::{Crowd, at};
use super::fit::{Fit, Parameters};
use super::input::{LifetimeError, Rfm, check_all, need};
use super::special::{LEGENDRE, digamma, ln_gamma, ln_tricomi_u};
use serde::{Deserialize, Serialize};

/// Fewer clients that bought again tell nothing of four parameters.
const FEWEST_REPEATERS: u64 = 10;

/// What is e^-45 of the beginning of an integral is nothing beside it.
const NOTHING: f64 = -45.0;

/// The most stretches an integral is cut into; those of a history need far fewer.
const MOST_STRETCHES: u32 = 4_000;

/// The parameters of Pareto/NBD (Schmittlein, Morrison & Colombo 1987, "Counting Your Customers", Management Science 33(1); in
/// the form of Fader & Hardie 2005, "A Note on Deriving the Pareto/NBD Model", note 9).
///
/// While a client is there it buys at random at its own rate (gamma distributed: r, alpha); how long it is there is exponential
/// with its own rate (gamma distributed: s, beta).
///
/// ```
/// use healthfold::lifetime::{Buying, ParetoNbd, Rfm};
///
/// // The published parameters for the CDNOW data, in weeks.
/// let model = ParetoNbd { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 };
/// let once = Rfm { frequency: 0, recency: 0.0, age: 38.86, value: None };
/// assert!(model.p_alive(&once) < 0.5, "also who never came back may have gone");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParetoNbd {
    /// Shape of the rates of buying: the less, the more clients differ.
    pub r: f64,
    /// Scale of the rates of buying, a time: the mean rate is r / alpha.
    pub alpha: f64,
    /// Shape of the rates of leaving.
    pub s: f64,
    /// Scale of the rates of leaving, a time: the mean rate is s / beta.
    pub beta: f64,
}

/// The two ways a history comes about, and what their derivatives need. Everything in units of
/// (alpha + t_x)^-(r + x) (beta + t_x)^-s.
#[derive(Clone, Copy, Default)]
struct Ways {
    /// Still there at T: (alpha + T)^-(r + x) (beta + T)^-s.
    there: f64,
    /// Gone at some y between t_x and T: s times the integral of (alpha + y)^-(r + x) (beta + y)^-(s + 1).
    gone: f64,
    /// `gone` with ln(alpha + y), ln(beta + y), 1 / (alpha + y), 1 / (beta + y) under the integral.
    ln_alpha: f64,
    ln_beta: f64,
    by_alpha: f64,
    by_beta: f64,
}

impl ParetoNbd {
    /// Fits the model to clients by maximum likelihood.
    ///
    /// # Errors
    /// `too_few` with fewer than 10 clients that bought again; a client that cannot be.
    pub fn fit(clients: &[Rfm]) -> Result<Fit<Self>, LifetimeError> {
        check_all("clients", clients, Rfm::check)?;
        let repeaters = clients.iter().filter(|client| client.frequency > 0).count();
        let repeaters = u64::try_from(repeaters).unwrap_or(u64::MAX);
        let what = "Pareto/NBD over clients that bought again";
        need(what, FEWEST_REPEATERS, repeaters)?;
        let crowd = Crowd::of(clients);
        let age = crowd.mean_age();
        let surface = |&[r, alpha, s, beta]: &[f64; 4]| Self { r, alpha, s, beta }.slope(&crowd);
        let starts =
            [[1.0, age, 1.0, age], [0.2, 0.2 * age, 0.3, 0.2 * age], [4.0, 10.0 * age, 4.0, 30.0 * age]];
        let found = climb(surface, crowd.n, &starts);
        let summit =
            found.ok_or(LifetimeError::TooFew { what, needed: FEWEST_REPEATERS, found: repeaters })?;
        let n = u64::try_from(clients.len()).unwrap_or(u64::MAX);
        Ok(Fit::of(summit, n, |[r, alpha, s, beta]| Self { r, alpha, s, beta }))
    }

    /// The log-likelihood of clients at these parameters.
    ///
    /// # Errors
    /// A client that cannot be.
    pub fn log_likelihood(&self, clients: &[Rfm]) -> Result<f64, LifetimeError> {
        check_all("clients", clients, Rfm::check)?;
        Ok(self.slope(&Crowd::of(clients)).value)
    }

    /// Discounted expected residual transactions (DERT): expected purchases of a client without end, discounted continuously
    /// at `rate` per unit of time (Fader, Hardie & Lee 2005, "RFM and CLV", eq. 2). At a rate of 0 infinite for s up to 1.
    ///
    /// ```
    /// use healthfold::lifetime::{ParetoNbd, Rfm};
    ///
    /// // Rates of leaving with s = 2, undiscounted: (r + x) / (alpha + T) x (beta + T) / (s - 1) = 3 / 20 x 30 / 1, if still there.
    /// let model = ParetoNbd { r: 1.0, alpha: 10.0, s: 2.0, beta: 20.0 };
    /// let client = Rfm { frequency: 2, recency: 10.0, age: 10.0, value: None };
    /// assert!((model.discounted_residual(&client, 0.0) - 4.5).abs() < 1e-12);
    /// assert!(model.discounted_residual(&client, 0.01) < 4.5);
    /// ```
    pub fn discounted_residual(&self, client: &Rfm, rate: f64) -> f64 {
        self.p_alive(client) * self.endless_if_alive(client.frequency, client.age, rate)
    }

    /// Both ways for one history, by Gauss's rule on stretches of the logarithm of the time, where the integrand is smooth
    /// whichever of alpha and beta is the greater. (The closed form takes two Gauss functions from each other, and needs one
    /// form for either case.)
    fn ways(&self, x: f64, recency: f64, age: f64) -> Ways {
        let Self { r, alpha, s, beta } = *self;
        let e = r + x;
        let wait = age - recency;
        let (rise_alpha, rise_beta) =
            (libm::log1p(wait / (alpha + recency)), libm::log1p(wait / (beta + recency)));
        let mut ways = Ways { there: libm::exp(-e * rise_alpha - s * rise_beta), ..Ways::default() };
        let (ln_alpha, ln_beta) = (libm::log(alpha + recency), libm::log(beta + recency));
        let (base, width) = (alpha.min(beta) + recency, rise_alpha.max(rise_beta));
        if width == 0.0 {
            return ways;
        }
        // How fast the integrand falls at a place, in logarithms: ever faster.
        let fall = |place: f64| {
            let reach = base * libm::exp(place);
            let step = base * libm::expm1(place);
            reach * (e / (alpha + recency + step) + (s + 1.0) / (beta + recency + step))
        };
        let mut from = 0.0;
        for _ in 0..MOST_STRETCHES {
            // So long that it falls by no more than e^-6.
            let length = (6.0 / fall(from)).min(1.5).min(width - from);
            let length = (6.0 / fall(from + length)).min(length);
            let (centre, half) = (from + 0.5 * length, 0.5 * length);
            let mut least = f64::NEG_INFINITY;
            for (node, weight) in
                LEGENDRE.into_iter().flat_map(|(node, weight)| [(-node, weight), (node, weight)])
            {
                // y - t_x, so that nothing is lost for a client that bought a moment ago.
                let step = base * libm::expm1(centre + half * node);
                let (by_alpha, by_beta) = (1.0 / (alpha + recency + step), 1.0 / (beta + recency + step));
                let (up_alpha, up_beta) =
                    (libm::log1p(step / (alpha + recency)), libm::log1p(step / (beta + recency)));
                let height = -e * up_alpha - s * up_beta;
                let part = s * libm::exp(height) * (base + step) * by_beta * weight * half;
                least = least.max(height);
                ways.gone += part;
                ways.ln_alpha += part * (ln_alpha + up_alpha);
                ways.ln_beta += part * (ln_beta + up_beta);
                ways.by_alpha += part * by_alpha;
                ways.by_beta += part * by_beta;
            }
            from += length;
            if least < NOTHING || from >= width || length <= 0.0 {
                break;
            }
        }
        ways
    }

    /// The log-likelihood of all, and its derivatives by the logarithms of the parameters.
    fn slope(&self, crowd: &Crowd) -> Slope<4> {
        let Self { r, alpha, s, beta } = *self;
        let (ln_alpha, ln_beta) = (libm::log(alpha), libm::log(beta));
        let mut value = 0.0;
        let (mut by_r, mut by_alpha, mut by_s, mut by_beta) = (0.0, 0.0, 0.0, 0.0);
        for group in &crowd.groups {
            let x = group.frequency;
            let e = r + x;
            let same = ln_gamma(e) - ln_gamma(r) + r * ln_alpha + s * ln_beta;
            let more = digamma(e) - digamma(r) + ln_alpha;
            for row in &group.rows {
                let (recency, age) = (at(&crowd.times, row.recency), at(&crowd.times, row.age));
                let ways = self.ways(x, recency, age);
                let both = ways.there + ways.gone;
                let unit = -e * libm::log(alpha + recency) - s * libm::log(beta + recency);
                let (at_alpha, at_beta) = (alpha + age, beta + age);
                value += row.count * (same + unit + libm::log(both));
                let each = row.count / both;
                by_r += row.count * more - each * (ways.there * libm::log(at_alpha) + ways.ln_alpha);
                by_alpha += row.count * r / alpha - each * e * (ways.there / at_alpha + ways.by_alpha);
                by_s += row.count * ln_beta
                    - each * (ways.there * libm::log(at_beta) + ways.ln_beta - ways.gone / s);
                by_beta +=
                    row.count * s / beta - each * (s * ways.there / at_beta + (s + 1.0) * ways.by_beta);
            }
        }
        Slope { value, gradient: [by_r * r, by_alpha * alpha, by_s * s, by_beta * beta] }
    }

    /// How long a client that is there with leaving rates (s, from) stays within the next `time`, in the mean:
    /// from / (s - 1) (1 - (from / (from + time))^(s - 1)), and its limit where s is 1.
    fn stay(&self, from: f64, time: f64) -> f64 {
        let ln = libm::log1p(time / from);
        let power = (1.0 - self.s) * ln;
        // (e^p - 1) / p, 1 at p = 0.
        let growth = if power == 0.0 { 1.0 } else { libm::expm1(power) / power };
        from * ln * growth
    }
}

impl Buying for ParetoNbd {
    fn p_alive(&self, client: &Rfm) -> f64 {
        let ways = self.ways(f64::from(client.frequency), client.recency, client.age);
        ways.there / (ways.there + ways.gone)
    }

    fn purchases_if_alive(&self, frequency: u32, age: f64, time: f64) -> f64 {
        (self.r + f64::from(frequency)) / (self.alpha + age) * self.stay(self.beta + age, time)
    }

    fn expected_of_new(&self, time: f64) -> f64 {
        self.r / self.alpha * self.stay(self.beta, time)
    }

    fn endless_if_alive(&self, frequency: u32, age: f64, rate: f64) -> f64 {
        let from = self.beta + age;
        // The integral of e^(-rate u) (from / (from + u))^s over u is from U(1, 2 - s, rate from).
        let ahead = if rate > 0.0 {
            from * libm::exp(ln_tricomi_u(1.0, 2.0 - self.s, rate * from))
        } else if rate < 0.0 {
            f64::NAN
        } else if self.s > 1.0 {
            from / (self.s - 1.0)
        } else {
            f64::INFINITY
        };
        (self.r + f64::from(frequency)) / (self.alpha + age) * ahead
    }

    fn probability(&self, count: u32, time: f64) -> f64 {
        let Self { r, alpha, s, beta } = *self;
        if !(r > 0.0 && alpha > 0.0 && s > 0.0 && beta > 0.0 && time >= 0.0 && time.is_finite()) {
            return f64::NAN;
        }
        let x = f64::from(count);
        let ways = ln_gamma(r + x) - ln_gamma(r) - ln_gamma(x + 1.0);
        // ln of the chance of x purchases by y of a client that is there all the time, and of being there at y.
        let bought = |y: f64| {
            let some = if count == 0 { 0.0 } else { x * (libm::log(y) - libm::log(alpha + y)) };
            ways + some - r * libm::log1p(y / alpha)
        };
        let there = |y: f64| -s * libm::log1p(y / beta);
        // Still there, or gone at some y with x purchases before.
        let mut chance = if time > 0.0 || count == 0 { libm::exp(bought(time) + there(time)) } else { 0.0 };
        let base = alpha.min(beta);
        let width = libm::log1p(time / base);
        let stretches =
            libm::ceil((width / 0.5).max((x + r + s) * width / 6.0)).clamp(1.0, f64::from(MOST_STRETCHES));
        let half = 0.5 * width / stretches;
        let mut centre = half;
        while centre < width {
            for (node, weight) in
                LEGENDRE.into_iter().flat_map(|(node, weight)| [(-node, weight), (node, weight)])
            {
                let y = base * libm::expm1(centre + half * node);
                chance += libm::exp(bought(y) + there(y)) * s / (beta + y) * (base + y) * weight * half;
            }
            centre += 2.0 * half;
        }
        chance.min(1.0)
    }
}

impl Parameters for ParetoNbd {
    const MODEL: &'static str = "pareto_nbd";
    const NAMES: &'static [&'static str] = &["r", "alpha", "s", "beta"];

    fn values(&self) -> Vec<f64> {
        vec![self.r, self.alpha, self.s, self.beta]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifetime::climb::slope_of;
    use crate::lifetime::special::hyp2f1;

    fn near(found: f64, wanted: f64, rtol: f64) {
        assert!((found - wanted).abs() <= rtol * wanted.abs(), "{found:e}, expected {wanted:e}");
    }

    fn client(frequency: u32, recency: f64, age: f64) -> Rfm {
        Rfm { frequency, recency, age, value: None }
    }

    /// A_0 of note 9, eq. 11 and 12, with Gauss's functions: the integral of (alpha + y)^-(r + x) (beta + y)^-(s + 1) times
    /// r + s + x.
    fn gauss(model: &ParetoNbd, x: f64, recency: f64, age: f64) -> f64 {
        let ParetoNbd { r, alpha, s, beta } = *model;
        let sum = r + s + x;
        let (more, less, third) = if alpha > beta { (alpha, beta, s + 1.0) } else { (beta, alpha, r + x) };
        let at = |y: f64| hyp2f1(sum, third, sum + 1.0, (more - less) / (more + y)) / (more + y).powf(sum);
        at(recency) - at(age)
    }

    #[test]
    fn the_integral_is_the_closed_form() {
        for (alpha, beta) in [(10.578, 11.669), (11.669, 10.578), (0.5, 80.0), (80.0, 0.5), (5.0, 5.0)] {
            let model = ParetoNbd { r: 0.553, alpha, s: 0.606, beta };
            for (x, recency, age) in [(0, 0.0, 38.9), (2, 30.43, 38.86), (12, 3.0, 39.0), (26, 30.86, 31.0)] {
                let closed = gauss(&model, f64::from(x), recency, age);
                let e = model.r + f64::from(x);
                let unit = (alpha + recency).powf(-e) * (beta + recency).powf(-model.s);
                let ways = model.ways(f64::from(x), recency, age);
                near(ways.gone * unit, closed * model.s / (e + model.s), 1e-8);
                near(ways.there * unit, (alpha + age).powf(-e) * (beta + age).powf(-model.s), 1e-12);
            }
        }
    }

    #[test]
    fn the_slope_is_the_slope() {
        let clients =
            [client(0, 0.0, 39.0), client(2, 30.43, 38.86), client(12, 34.0, 34.0), client(900, 2.0, 39.0)];
        let at = [0.6, 10.0, 0.5, 12.0];
        let model = |&[r, alpha, s, beta]: &[f64; 4]| ParetoNbd { r, alpha, s, beta };
        let exact = model(&at).slope(&Crowd::of(&clients));
        let differences = slope_of(|at| model(at).log_likelihood(&clients).unwrap(), &at);
        for (exact, difference) in exact.gradient.iter().zip(differences.gradient) {
            near(*exact, difference, 1e-7);
        }
    }

    #[test]
    fn probabilities_add_up() {
        let model = ParetoNbd { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 };
        let all: f64 = (0..800).map(|count| model.probability(count, 39.0)).sum();
        let mean: f64 = (0..800).map(|count| f64::from(count) * model.probability(count, 39.0)).sum();
        near(all, 1.0, 1e-10);
        near(mean, model.expected_of_new(39.0), 1e-9);
        near(model.probability(0, 0.0), 1.0, 1e-15);
        // A rate of leaving with s = 1 is the limit of its neighbours.
        let at = |s: f64| ParetoNbd { s, ..model }.expected_of_new(39.0);
        near(at(1.0), 0.5 * (at(1.0 - 1e-5) + at(1.0 + 1e-5)), 1e-9);
    }

    #[test]
    fn discounting_without_end_is_the_sum_of_discounted_moments() {
        let model = ParetoNbd { r: 0.553, alpha: 10.578, s: 0.606, beta: 11.669 };
        let (known, rate) = (client(2, 30.43, 38.86), 0.01);
        // Purchases of each moment, discounted, in steps of a tenth of a week for 3000 weeks.
        let (mut sum, mut before) = (0.0, 0.0);
        for step in 1..=30_000 {
            let now = f64::from(step) * 0.1;
            let so_far = model.expected_purchases(&known, now);
            sum += (so_far - before) * libm::exp(-rate * (now - 0.05));
            before = so_far;
        }
        near(model.discounted_residual(&known, rate), sum, 1e-6);
    }
}

//! What BG/NBD and MBG/NBD have in common: a Poisson buyer who may leave right after a purchase, and nowhere else.
//!
//! The rate of buying is gamma distributed (shape r, rate alpha), the chance of leaving after a purchase is beta distributed
//! (a, b). The two models differ in one point only: whether a client may leave after its very first purchase. With k chances
//! to leave survived (k = x in BG/NBD, x + 1 in MBG/NBD), the likelihood of a client is
//!
//! Γ(r+x) α^r / Γ(r) × B(a, b+k) / B(a, b) × { (α+T)^-(r+x) + [k > 0] a/(b+k-1) (α+t_x)^-(r+x) }
//!
//! (Fader, Hardie & Lee 2005, eq. 6; Batislam, Denizel & Filiztekin 2007).

use super::climb::{Slope, Summit, climb};
use super::crowd::{Crowd, SameFrequency, at};
use super::input::{LifetimeError, Rfm, check_all, need};
use super::special::{digamma, ln_beta, ln_gamma, mean_over_beta, reg_inc_beta};

/// Fewer clients that bought again tell nothing of four parameters.
const FEWEST_REPEATERS: u64 = 10;

/// Longer sums give way to an integral.
const LONGEST_SUM: f64 = 20_000.0;

/// Either model at given parameters.
#[derive(Clone, Copy)]
pub(super) struct Dropout {
    pub(super) r: f64,
    pub(super) alpha: f64,
    pub(super) a: f64,
    pub(super) b: f64,
    /// Chances to leave before any repeat purchase: 0 in BG/NBD, 1 in MBG/NBD.
    pub(super) at_first: f64,
}

/// Finds the parameters r, alpha, a, b by maximum likelihood.
pub(super) fn fit(clients: &[Rfm], at_first: f64, what: &'static str) -> Result<Summit<4>, LifetimeError> {
    check_all("clients", clients, Rfm::check)?;
    let repeaters = clients.iter().filter(|client| client.frequency > 0).count();
    need(what, FEWEST_REPEATERS, u64::try_from(repeaters).unwrap_or(u64::MAX))?;
    let crowd = Crowd::of(clients);
    let age = crowd.mean_age();
    let surface = |&[r, alpha, a, b]: &[f64; 4]| Dropout { r, alpha, a, b, at_first }.slope(&crowd);
    // A plain start, then two that think of clients as more and as less alike.
    let starts = [[1.0, age, 1.0, 2.0], [0.2, 0.2 * age, 0.5, 2.0], [4.0, 10.0 * age, 2.0, 10.0]];
    climb(surface, crowd.n, &starts).ok_or(LifetimeError::TooFew { what, needed: FEWEST_REPEATERS, found: 0 })
}

/// The log-likelihood of clients at given parameters.
pub(super) fn log_likelihood(model: &Dropout, clients: &[Rfm]) -> Result<f64, LifetimeError> {
    check_all("clients", clients, Rfm::check)?;
    Ok(model.slope(&Crowd::of(clients)).value)
}

impl Dropout {
    /// The log-likelihood of all, and its derivatives by the logarithms of r, alpha, a and b.
    pub(super) fn slope(&self, crowd: &Crowd) -> Slope<4> {
        // ln(alpha + time) and its derivative, once for each time that occurs.
        let table: Vec<(f64, f64)> = crowd
            .times
            .iter()
            .map(|time| (libm::log(self.alpha + time), 1.0 / (self.alpha + time)))
            .collect();
        let mut slope = Slope { value: 0.0, gradient: [0.0; 4] };
        for group in &crowd.groups {
            self.add(group, &table, &mut slope);
        }
        let Slope { value, gradient: [r, alpha, a, b] } = slope;
        Slope { value, gradient: [r * self.r, alpha * self.alpha, a * self.a, b * self.b] }
    }

    /// Adds clients of one frequency: most of their likelihood is the same for all of them.
    fn add(&self, group: &SameFrequency, table: &[(f64, f64)], slope: &mut Slope<4>) {
        let Self { r, alpha, a, b, .. } = *self;
        let k = group.frequency + self.at_first;
        let e = r + group.frequency;
        // ln of the chance to have left after the last purchase, against that to have stayed; nobody leaves before k = 1.
        let left = if k > 0.0 { libm::log(a / (b + k - 1.0)) } else { f64::NEG_INFINITY };
        let (mut all, mut gone, mut logs, mut rates, mut value) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for row in &group.rows {
            let ((ln_age, by_age), (ln_recency, by_recency)) = (at(table, row.age), at(table, row.recency));
            // Odds of having left: the two terms of the braces against each other.
            let odds = libm::exp(left + e * (ln_age - ln_recency));
            let (stayed, dead) =
                if odds.is_finite() { (1.0 / (1.0 + odds), odds / (1.0 + odds)) } else { (0.0, 1.0) };
            let braces = if stayed > 0.5 {
                libm::log1p(odds)
            } else {
                left + e * (ln_age - ln_recency) + ln_more(odds)
            };
            value += row.count * (braces - e * ln_age);
            all += row.count;
            gone += row.count * dead;
            logs += row.count * (stayed * ln_age + dead * ln_recency);
            rates += row.count * (stayed * by_age + dead * by_recency);
        }
        let ln_alpha = libm::log(alpha);
        let same = ln_gamma(e) - ln_gamma(r) + r * ln_alpha + ln_beta(a, b + k) - ln_beta(a, b);
        let fall = digamma(a + b) - digamma(a + b + k);
        let gone_if_any = if k > 0.0 { gone } else { 0.0 };
        slope.value += value + all * same;
        let [by_r, by_alpha, by_a, by_b] = &mut slope.gradient;
        *by_r += all * (digamma(e) - digamma(r) + ln_alpha) - logs;
        *by_alpha += all * r / alpha - e * rates;
        *by_a += all * fall + gone_if_any / a;
        *by_b +=
            all * (fall + digamma(b + k) - digamma(b)) - if k > 0.0 { gone / (b + k - 1.0) } else { 0.0 };
    }

    pub(super) fn p_alive(&self, client: &Rfm) -> f64 {
        let k = f64::from(client.frequency) + self.at_first;
        if k == 0.0 {
            return 1.0;
        }
        let e = self.r + f64::from(client.frequency);
        // ln((alpha + T) / (alpha + t_x)), without loss where the two are close.
        let wait = libm::log1p((client.age - client.recency) / (self.alpha + client.recency));
        1.0 / (1.0 + libm::exp(libm::log(self.a / (self.b + k - 1.0)) + e * wait))
    }

    pub(super) fn purchases_if_alive(&self, frequency: u32, age: f64, time: f64) -> f64 {
        let x = f64::from(frequency);
        while_there(self.r + x, self.alpha + age, self.a, self.b + x + self.at_first, time)
    }

    pub(super) fn expected_of_new(&self, time: f64) -> f64 {
        let stays = if self.at_first > 0.0 { self.b / (self.a + self.b) } else { 1.0 };
        stays * while_there(self.r, self.alpha, self.a, self.b + self.at_first, time)
    }

    pub(super) fn probability(&self, count: u32, time: f64) -> f64 {
        let Self { r, alpha, a, b, .. } = *self;
        let (x, z) = (f64::from(count), time / (alpha + time));
        let k = x + self.at_first;
        // Still there with x purchases in the time (Poisson mixed over rates is negative binomial) ...
        let nbd = ln_gamma(r + x) - ln_gamma(r) - ln_gamma(x + 1.0) - r * libm::log1p(time / alpha);
        let nbd = if x > 0.0 { nbd + x * libm::log(z) } else { nbd };
        let stayed = libm::exp(nbd + ln_beta(a, b + k) - ln_beta(a, b));
        // ... or gone after the x-th, which came within the time.
        let came = if x > 0.0 { reg_inc_beta(x, r, z) } else { 1.0 };
        let left = if k > 0.0 { libm::exp(ln_beta(a + 1.0, b + k - 1.0) - ln_beta(a, b)) } else { 0.0 };
        stayed + left * came
    }
}

/// ln((1 + odds) / odds).
fn ln_more(odds: f64) -> f64 {
    libm::log1p(1.0 / odds)
}

/// Expected purchases in the next `time` of a client that is there now, with rates of buying gamma distributed (r, alpha) and
/// chances of leaving after a purchase beta distributed (a, b).
///
/// It is the sum over n of P(N = n) g(n), where N counts what a client that never leaves would buy (negative binomial) and
/// g(n) = Σ_{j<n} B(a, b+j) / B(a, b) those of them before it leaves. Eq. 9 and 10 of the paper are the same in closed form, with
/// Gauss's function; but that form loses all digits where a is near 1, and this one has no subtraction. Where the sum would be
/// long, the mean over p of (1 - (1 + p time / alpha)^-r) / p.
fn while_there(r: f64, alpha: f64, a: f64, b: f64, time: f64) -> f64 {
    if !(r > 0.0 && alpha > 0.0 && a > 0.0 && b > 0.0 && time >= 0.0 && time.is_finite()) {
        return f64::NAN;
    }
    let ahead = time / alpha;
    if ahead == 0.0 {
        return 0.0;
    }
    if (r + 40.0) * (1.0 + ahead) > LONGEST_SUM {
        return mean_over_beta(a, b, |p| match p * ahead {
            reach if p > 1e-300 => -libm::expm1(-r * libm::log1p(reach)) / p,
            _ => r * ahead,
        });
    }
    const BIG: f64 = 1e250;
    let z = ahead / (1.0 + ahead);
    // Terms start from 1 instead of P(N = 0), which may be too small for a double; the sum of all takes its place.
    let (mut chance, mut bought, mut stays) = (1.0, 0.0, 1.0);
    let (mut sum, mut all) = (0.0, 1.0);
    let mut n = 0.0;
    while n < 4.0 * LONGEST_SUM {
        let ratio = z * (r + n) / (n + 1.0);
        chance *= ratio;
        bought += stays;
        stays *= (b + n) / (a + b + n);
        sum += chance * bought;
        all += chance;
        n += 1.0;
        // What is left is at most a geometric series; g grows by no more than 1 a term.
        let room = 1.0 - ratio.max(z);
        if room > 0.0 && chance * (bought * room + 1.0) < 1e-16 * sum * room * room {
            break;
        }
        if all > BIG {
            chance /= BIG;
            sum /= BIG;
            all /= BIG;
        }
    }
    sum / all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifetime::climb::slope_of;
    use crate::lifetime::special::hyp2f1;

    fn near(found: f64, wanted: f64, rtol: f64) {
        assert!((found - wanted).abs() <= rtol * wanted.abs(), "{found:e}, expected {wanted:e}");
    }

    #[test]
    fn the_sum_the_integral_and_the_closed_form_agree() {
        for (r, alpha, a, b) in [(0.243, 4.414, 0.793, 2.426), (26.2, 35.4, 0.79, 28.4), (0.5, 6.0, 3.0, 1.6)]
        {
            for time in [0.01, 1.0, 39.0, 400.0] {
                let z = time / (alpha + time);
                let gauss = f64::powf(alpha / (alpha + time), r) * hyp2f1(r, b, a + b - 1.0, z);
                let closed = (a + b - 1.0) / (a - 1.0) * (1.0 - gauss);
                near(while_there(r, alpha, a, b, time), closed, 1e-8);
                let integral = mean_over_beta(a, b, |p| -(-r * (p * time / alpha).ln_1p()).exp_m1() / p);
                near(while_there(r, alpha, a, b, time), integral, 1e-12);
            }
        }
        // At a = 1 the closed form is 0 / 0. With b = 1 too, p is uniform: r = 1, alpha = time gives the integral over p of
        // 1 / (1 + p), ln 2.
        near(while_there(1.0, 5.0, 1.0, 1.0, 5.0), std::f64::consts::LN_2, 1e-14);
        // A client that never leaves buys at its rate; a huge buyer with a far horizon still has a number.
        near(while_there(3.0, 2.0, 1e-12, 1e6, 10.0), 15.0, 1e-9);
        near(while_there(5000.0, 40.0, 1e-12, 1e6, 39.0), 5000.0 * 39.0 / 40.0, 1e-6);
        assert!(while_there(0.2, 1e-6, 0.8, 2.4, 1e9).is_finite());
    }

    #[test]
    fn the_slope_is_the_slope() {
        let client = |frequency, recency, age| Rfm { frequency, recency, age, value: None };
        let clients =
            [client(0, 0.0, 39.0), client(2, 30.43, 38.86), client(12, 34.0, 34.0), client(900, 2.0, 39.0)];
        let crowd = Crowd::of(&clients);
        for at_first in [0.0, 1.0] {
            let model = |&[r, alpha, a, b]: &[f64; 4]| Dropout { r, alpha, a, b, at_first };
            let at = [0.3, 5.0, 0.8, 2.5];
            let exact = model(&at).slope(&crowd);
            let differences = slope_of(|at| log_likelihood(&model(at), &clients).unwrap(), &at);
            for (exact, difference) in exact.gradient.iter().zip(differences.gradient) {
                near(*exact, difference, 1e-7);
            }
        }
    }

    #[test]
    fn probabilities_add_up() {
        for at_first in [0.0, 1.0] {
            let model = Dropout { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426, at_first };
            let all: f64 = (0..2000).map(|count| model.probability(count, 39.0)).sum();
            let mean: f64 = (0..2000).map(|count| f64::from(count) * model.probability(count, 39.0)).sum();
            near(all, 1.0, 1e-10);
            near(mean, model.expected_of_new(39.0), 1e-8);
        }
    }
}

//! Gamma-Gamma: what a purchase of a client is worth, from the few it has made.

use super::climb::{Slope, climb};
use super::crowd::whole;
use super::fit::{Fit, FitWarning, Parameters};
use super::input::{LifetimeError, Rfm, check_all, need};
use super::special::{digamma, ln_gamma};
use serde::{Deserialize, Serialize};

/// Fewer clients with a value tell nothing of three parameters.
const FEWEST: u64 = 10;

/// From this correlation on, how often and how much are not taken as independent: the rule of thumb of the field.
const TOGETHER: f64 = 0.3;

/// The parameters of Gamma-Gamma (Fader & Hardie 2013, "The Gamma-Gamma Model of Monetary Value", note 25).
///
/// The value of a purchase is gamma distributed (shape p) about the client's own mean; the scales of clients are gamma
/// distributed (q, gamma). Clients with few purchases are drawn to the mean of all. It takes how often a client buys as
/// independent of how much it pays; a fit warns where that is plainly not so.
///
/// ```
/// use healthfold::lifetime::GammaGamma;
///
/// // The published parameters for the CDNOW data, in dollars.
/// let model = GammaGamma { p: 6.25, q: 3.74, gamma: 15.44 };
/// assert!((model.expected_value(2, 22.35).unwrap() - 24.66).abs() < 0.01, "drawn up to the mean of all");
/// assert!((model.expected_value(0, 0.0).unwrap() - 35.22).abs() < 0.01, "the mean of all");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GammaGamma {
    /// Shape of the values of one client's purchases: the more, the more alike.
    pub p: f64,
    /// Shape of the clients' scales: the more, the more alike are clients.
    pub q: f64,
    /// Scale of the clients' scales, in money (`v` in lifetimes).
    pub gamma: f64,
}

/// Clients with the same frequency and mean value.
struct Alike {
    x: f64,
    value: f64,
    count: f64,
}

impl GammaGamma {
    /// Fits the model by maximum likelihood (eq. 1a) to the clients that bought again for a value above 0; others tell nothing
    /// of values, and `n` does not count them.
    ///
    /// # Errors
    /// `too_few` with fewer than 10 such clients; a client that cannot be.
    pub fn fit(clients: &[Rfm]) -> Result<Fit<Self>, LifetimeError> {
        check_all("clients", clients, Rfm::check)?;
        let spenders: Vec<(u32, f64)> = clients.iter().filter_map(spender).collect();
        let found = u64::try_from(spenders.len()).unwrap_or(u64::MAX);
        let what = "Gamma-Gamma over clients that bought again for a value above 0";
        need(what, FEWEST, found)?;
        let n = whole(spenders.len());
        let rows = alike(spenders);
        let mean = rows.iter().map(|row| row.count * row.value / n).sum::<f64>();
        let surface = |&[p, q, gamma]: &[f64; 3]| Self { p, q, gamma }.slope(&rows);
        let starts = [[2.0, 3.0, mean], [8.0, 4.0, 0.5 * mean], [1.0, 10.0, 8.0 * mean]];
        let summit =
            climb(surface, n, &starts).ok_or(LifetimeError::TooFew { what, needed: FEWEST, found })?;
        let mut fit = Fit::of(summit, found, |[p, q, gamma]| Self { p, q, gamma });
        let together = frequency_value_correlation(clients).filter(|r| libm::fabs(*r) >= TOGETHER);
        fit.warnings
            .extend(together.map(|correlation| FitWarning::FrequencyAndValueGoTogether { correlation }));
        Ok(fit)
    }

    /// The log-likelihood of clients at these parameters.
    ///
    /// # Errors
    /// A client that cannot be.
    pub fn log_likelihood(&self, clients: &[Rfm]) -> Result<f64, LifetimeError> {
        check_all("clients", clients, Rfm::check)?;
        Ok(self.slope(&alike(clients.iter().filter_map(spender).collect())).value)
    }

    /// The value to expect of a purchase of a client that made `frequency` repeat purchases of `mean` in the mean (eq. 5); with
    /// none the mean of all. `None` where there is no such mean (with `q` up to 1 values have too long a tail).
    pub fn expected_value(&self, frequency: u32, mean: f64) -> Option<f64> {
        let x = f64::from(frequency);
        let spent = if frequency == 0 { 0.0 } else { x * mean };
        let under = self.p * x + self.q - 1.0;
        let value = self.p * (self.gamma + spent) / under;
        (under > 0.0 && value.is_finite()).then_some(value)
    }

    /// The value to expect of a purchase of this client; one whose repeat purchases came to nothing counts as one without.
    pub fn expected_value_of(&self, client: &Rfm) -> Option<f64> {
        let (frequency, mean) = spender(client).unwrap_or_default();
        self.expected_value(frequency, mean)
    }

    /// The log-likelihood and its derivatives by the logarithms of the parameters.
    fn slope(&self, rows: &[Alike]) -> Slope<3> {
        let Self { p, q, gamma } = *self;
        let (mut value, mut by_p, mut by_q, mut by_gamma) = (0.0, 0.0, 0.0, 0.0);
        for group in rows.chunk_by(|one, other| one.x == other.x) {
            let Some(Alike { x, .. }) = group.first() else { continue };
            let shape = p * x;
            let (mut all, mut over_q, mut over_shape, mut scales) = (0.0, 0.0, 0.0, 0.0);
            for row in group {
                let spent = x * row.value;
                // ln(gamma / (gamma + spent)) and ln(spent / (gamma + spent)).
                let kept = -libm::log1p(spent / gamma);
                let taken = -libm::log1p(gamma / spent);
                all += row.count;
                over_q += row.count * kept;
                over_shape += row.count * taken;
                value -= row.count * libm::log(row.value);
                scales += row.count * (q / gamma - (shape + q) / (gamma + spent));
            }
            value +=
                all * (ln_gamma(shape + q) - ln_gamma(shape) - ln_gamma(q)) + q * over_q + shape * over_shape;
            let both = digamma(shape + q);
            by_p += x * (all * (both - digamma(shape)) + over_shape);
            by_q += all * (both - digamma(q)) + over_q;
            by_gamma += scales;
        }
        Slope { value, gradient: [by_p * p, by_q * q, by_gamma * gamma] }
    }
}

impl Parameters for GammaGamma {
    const MODEL: &'static str = "gamma_gamma";
    const NAMES: &'static [&'static str] = &["p", "q", "gamma"];

    fn values(&self) -> Vec<f64> {
        vec![self.p, self.q, self.gamma]
    }
}

/// How often and for how much, of a client that tells of values.
fn spender(client: &Rfm) -> Option<(u32, f64)> {
    let value = client.value.filter(|value| *value > 0.0 && client.frequency > 0)?;
    Some((client.frequency, value))
}

/// Sorted, so that the order of clients changes no bit, and each once.
fn alike(mut spenders: Vec<(u32, f64)>) -> Vec<Alike> {
    spenders.sort_unstable_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let groups = spenders.chunk_by(|one, other| one == other);
    let row = |group: &[(u32, f64)]| {
        group.first().map(|(x, value)| Alike { x: f64::from(*x), value: *value, count: whole(group.len()) })
    };
    groups.filter_map(row).collect()
}

/// Pearson's correlation of frequency and value over clients that bought again for a value above 0, which Gamma-Gamma takes to
/// be 0. `None` where all are alike in one of them.
pub fn frequency_value_correlation(clients: &[Rfm]) -> Option<f64> {
    let mut spenders: Vec<(u32, f64)> = clients.iter().filter_map(spender).collect();
    spenders.sort_unstable_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let n = whole(spenders.len());
    let pairs = || spenders.iter().map(|(x, value)| (f64::from(*x), *value));
    let (mean_x, mean_value) = pairs().fold((0.0, 0.0), |(a, b), (x, value)| (a + x / n, b + value / n));
    let (mut xx, mut xv, mut vv) = (0.0, 0.0, 0.0);
    for (x, value) in pairs() {
        xx += (x - mean_x) * (x - mean_x);
        xv += (x - mean_x) * (value - mean_value);
        vv += (value - mean_value) * (value - mean_value);
    }
    let r = xv / libm::sqrt(xx * vv);
    r.is_finite().then_some(r.clamp(-1.0, 1.0))
}

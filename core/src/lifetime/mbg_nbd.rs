//! MBG/NBD: buyers without a contract, who may leave after any purchase, the first one too.

use super::buying::Buying;
use super::dropout::{self, Dropout};
use super::fit::{Fit, Parameters};
use super::input::{LifetimeError, Rfm};
use serde::{Deserialize, Serialize};

/// The parameters of MBG/NBD (Batislam, Denizel & Filiztekin 2007, "Empirical validation and comparison of models for customer
/// base analysis", International Journal of Research in Marketing 24(3)).
///
/// As [`BgNbd`](super::BgNbd), but a client may leave right after its first purchase, so that who bought once long ago does
/// not count as there for certain.
///
/// ```
/// use healthfold::lifetime::{Buying, MbgNbd, Rfm};
///
/// let model = MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 };
/// let once = Rfm { frequency: 0, recency: 0.0, age: 38.86, value: None };
/// assert!((model.p_alive(&once) - 0.3897).abs() < 1e-4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MbgNbd {
    /// Shape of the rates of buying: the less, the more clients differ.
    pub r: f64,
    /// Scale of the rates of buying, a time: the mean rate is r / alpha.
    pub alpha: f64,
    /// With `b`, the chances of leaving after a purchase: the mean is a / (a + b).
    pub a: f64,
    /// See `a`.
    pub b: f64,
}

impl MbgNbd {
    /// Fits the model to clients by maximum likelihood.
    ///
    /// # Errors
    /// `too_few` with fewer than 10 clients that bought again; a client that cannot be.
    pub fn fit(clients: &[Rfm]) -> Result<Fit<Self>, LifetimeError> {
        let summit = dropout::fit(clients, 1.0, "MBG/NBD over clients that bought again")?;
        let n = u64::try_from(clients.len()).unwrap_or(u64::MAX);
        Ok(Fit::of(summit, n, |[r, alpha, a, b]| Self { r, alpha, a, b }))
    }

    /// The log-likelihood of clients at these parameters.
    ///
    /// # Errors
    /// A client that cannot be.
    pub fn log_likelihood(&self, clients: &[Rfm]) -> Result<f64, LifetimeError> {
        dropout::log_likelihood(&self.inner(), clients)
    }

    fn inner(&self) -> Dropout {
        Dropout { r: self.r, alpha: self.alpha, a: self.a, b: self.b, at_first: 1.0 }
    }
}

impl Parameters for MbgNbd {
    const MODEL: &'static str = "mbg_nbd";
    const NAMES: &'static [&'static str] = &["r", "alpha", "a", "b"];

    fn values(&self) -> Vec<f64> {
        vec![self.r, self.alpha, self.a, self.b]
    }
}

impl Buying for MbgNbd {
    fn p_alive(&self, client: &Rfm) -> f64 {
        self.inner().p_alive(client)
    }

    fn purchases_if_alive(&self, frequency: u32, age: f64, time: f64) -> f64 {
        self.inner().purchases_if_alive(frequency, age, time)
    }

    fn expected_of_new(&self, time: f64) -> f64 {
        self.inner().expected_of_new(time)
    }

    fn probability(&self, count: u32, time: f64) -> f64 {
        self.inner().probability(count, time)
    }
}

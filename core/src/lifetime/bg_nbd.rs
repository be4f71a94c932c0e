//! BG/NBD: buyers without a contract, who may leave after any repeat purchase.

use super::buying::Buying;
use super::dropout::{self, Dropout};
use super::fit::{Fit, Parameters};
use super::input::{LifetimeError, Rfm};
use serde::{Deserialize, Serialize};

/// The parameters of BG/NBD (Fader, Hardie & Lee 2005, "Counting Your Customers the Easy Way", Marketing Science 24(2)).
///
/// While a client is there it buys at random at its own rate; rates are gamma distributed. After each repeat purchase it
/// leaves with its own chance; chances are beta distributed. Who never came back counts as still there for certain.
///
/// ```
/// use healthfold::lifetime::{BgNbd, Buying, Rfm};
///
/// // The published parameters for the CDNOW data, in weeks.
/// let model = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
/// let client = Rfm { frequency: 2, recency: 30.43, age: 38.86, value: None };
/// assert!((model.p_alive(&client) - 0.7266).abs() < 1e-4);
/// assert!((model.expected_purchases(&client, 39.0) - 1.226).abs() < 1e-3, "as the paper's spreadsheet has it");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BgNbd {
    /// Shape of the rates of buying: the less, the more clients differ.
    pub r: f64,
    /// Scale of the rates of buying, a time: the mean rate is r / alpha.
    pub alpha: f64,
    /// With `b`, the chances of leaving after a purchase: the mean is a / (a + b).
    pub a: f64,
    /// See `a`.
    pub b: f64,
}

impl BgNbd {
    /// Fits the model to clients by maximum likelihood (eq. 6).
    ///
    /// # Errors
    /// `too_few` with fewer than 10 clients that bought again; a client that cannot be.
    pub fn fit(clients: &[Rfm]) -> Result<Fit<Self>, LifetimeError> {
        let summit = dropout::fit(clients, 0.0, "BG/NBD over clients that bought again")?;
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
        Dropout { r: self.r, alpha: self.alpha, a: self.a, b: self.b, at_first: 0.0 }
    }
}

impl Parameters for BgNbd {
    const MODEL: &'static str = "bg_nbd";
    const NAMES: &'static [&'static str] = &["r", "alpha", "a", "b"];

    fn values(&self) -> Vec<f64> {
        vec![self.r, self.alpha, self.a, self.b]
    }
}

impl Buying for BgNbd {
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

//! BdW, the beta discrete Weibull: as sBG, but a client's own chance to leave may grow or fall with its age.

use super::climb::{climb, slope_of};
use super::fit::{Fit, Parameters};
use super::input::{CohortCounts, LifetimeError};
use super::renewing::{Renewals, Renewing, heads};
use super::special::ln_beta;
use serde::{Deserialize, Serialize};

/// The parameters of BdW (Fader, Hardie, Liu, Davin & Steenburgh 2018, "How to Project Customer Retention Revisited: The Role
/// of Duration Dependence", Journal of Interactive Marketing 43).
///
/// S(t) = B(alpha, beta + t^c) / B(alpha, beta). With c = 1 it is [`Sbg`](super::Sbg); with c above 1 each client is the likelier
/// to leave the longer it stays, and retention may fall before it rises.
///
/// ```
/// use healthfold::lifetime::{Bdw, Renewing};
///
/// let falls = Bdw { alpha: 2.0, beta: 20.0, c: 2.0 };
/// assert!(falls.retention(3) < falls.retention(1), "sBG could not");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bdw {
    /// With `beta`, the chances of leaving at the first renewal: the mean is alpha / (alpha + beta).
    pub alpha: f64,
    /// See `alpha`.
    pub beta: f64,
    /// How age acts on each client: above 1 it leaves ever more likely, below 1 ever less.
    pub c: f64,
}

impl Bdw {
    /// Fits the model to one or several cohorts by maximum likelihood, as [`Sbg::fit`](super::Sbg::fit).
    ///
    /// # Errors
    /// `too_few` with fewer than 10 clients, fewer than 3 renewals or nobody who left; a cohort that cannot be.
    pub fn fit(cohorts: &[CohortCounts]) -> Result<Fit<Self>, LifetimeError> {
        let what = ["BdW over clients", "BdW over renewals seen", "BdW over clients that left"];
        let renewals = Renewals::of(cohorts, 3, what)?;
        let value = |&[alpha, beta, c]: &[f64; 3]| Self { alpha, beta, c }.value(&renewals);
        let starts = [[1.0, 1.0, 1.0], [0.5, 4.0, 1.5], [10.0, 100.0, 0.7], [0.2, 20.0, 2.5]];
        let found = climb(|at| slope_of(value, at), heads(renewals.n), &starts);
        let summit = found.ok_or(LifetimeError::TooFew { what: "BdW", needed: 1, found: 0 })?;
        Ok(Fit::of(summit, renewals.n, |[alpha, beta, c]| Self { alpha, beta, c }))
    }

    /// The log-likelihood of cohorts at these parameters.
    ///
    /// # Errors
    /// Too little to have one; a cohort that cannot be.
    pub fn log_likelihood(&self, cohorts: &[CohortCounts]) -> Result<f64, LifetimeError> {
        let what = ["BdW over clients", "BdW over renewals seen", "BdW over clients that left"];
        Ok(self.value(&Renewals::of(cohorts, 1, what)?))
    }

    fn value(&self, renewals: &Renewals) -> f64 {
        let mut value = 0.0;
        let mut known = (0, 0.0);
        for row in &renewals.rows {
            let before = row.number.saturating_sub(1);
            let from = if known.0 == before { known.1 } else { self.ln_survival(before) };
            let to = self.ln_survival(row.number);
            // ln of staying, and ln of leaving: 1 - S(t) / S(t - 1).
            let stayed = to - from;
            let left = libm::log(-libm::expm1(stayed));
            value += row.stayed * stayed + if row.left > 0.0 { row.left * left } else { 0.0 };
            known = (row.number, to);
        }
        value
    }
}

impl Renewing for Bdw {
    fn ln_survival(&self, renewals: u32) -> f64 {
        if renewals == 0 {
            return 0.0;
        }
        let age = libm::pow(f64::from(renewals), self.c);
        ln_beta(self.alpha, self.beta + age) - ln_beta(self.alpha, self.beta)
    }
}

impl Parameters for Bdw {
    const MODEL: &'static str = "bdw";
    const NAMES: &'static [&'static str] = &["alpha", "beta", "c"];

    fn values(&self) -> Vec<f64> {
        vec![self.alpha, self.beta, self.c]
    }
}

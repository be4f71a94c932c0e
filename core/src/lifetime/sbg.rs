//! sBG, the shifted beta-geometric: clients renew or leave, each with its own fixed chance.

use super::climb::{Slope, climb};
use super::fit::{Fit, Parameters};
use super::input::{CohortCounts, LifetimeError};
use super::renewing::{Renewals, Renewing, heads};
use super::special::{hyp2f1, ln_beta};
use serde::{Deserialize, Serialize};

/// The parameters of sBG (Fader & Hardie 2007, "How to Project Customer Retention", Journal of Interactive Marketing 21(1)).
///
/// At each renewal a client leaves with its own chance, which never changes; chances are beta distributed (alpha, beta).
/// Retention of a cohort rises because those who are likely to leave go first.
///
/// ```
/// use healthfold::lifetime::{CohortCounts, Renewing, Sbg};
///
/// // The "Regular" clients of the paper, seven renewals.
/// let seen = CohortCounts::new(vec![1000, 631, 468, 382, 326, 289, 262, 241]);
/// let fit = Sbg::fit(&[seen])?;
/// assert!((fit.parameters.alpha - 0.704).abs() < 5e-4 && (fit.parameters.beta - 1.182).abs() < 5e-4);
/// assert!((fit.parameters.survival(12) - 0.170).abs() < 5e-4, "12 renewals; 173 of 1000 did");
/// # Ok::<(), healthfold::lifetime::LifetimeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sbg {
    /// With `beta`, the chances of leaving at a renewal: the mean is alpha / (alpha + beta).
    pub alpha: f64,
    /// See `alpha`.
    pub beta: f64,
}

impl Sbg {
    /// Fits the model to one or several cohorts by maximum likelihood. Each renewal of each cohort counts once, so cohorts of
    /// different length, and such as were first seen later in life, go together.
    ///
    /// # Errors
    /// `too_few` with fewer than 10 clients, fewer than 2 renewals or nobody who left; a cohort that cannot be.
    pub fn fit(cohorts: &[CohortCounts]) -> Result<Fit<Self>, LifetimeError> {
        let what = ["sBG over clients", "sBG over renewals seen", "sBG over clients that left"];
        let renewals = Renewals::of(cohorts, 2, what)?;
        let surface = |&[alpha, beta]: &[f64; 2]| Self { alpha, beta }.slope(&renewals);
        let starts = [[1.0, 1.0], [0.5, 4.0], [10.0, 100.0]];
        let found = climb(surface, heads(renewals.n), &starts);
        let summit = found.ok_or(LifetimeError::TooFew { what: "sBG", needed: 1, found: 0 })?;
        let mut fit = Fit::of(summit, renewals.n, |[alpha, beta]| Self { alpha, beta });
        fit.warnings.extend(renewals.fall());
        Ok(fit)
    }

    /// The log-likelihood of cohorts at these parameters.
    ///
    /// # Errors
    /// Too little to have one; a cohort that cannot be.
    pub fn log_likelihood(&self, cohorts: &[CohortCounts]) -> Result<f64, LifetimeError> {
        let what = ["sBG over clients", "sBG over renewals seen", "sBG over clients that left"];
        Ok(self.slope(&Renewals::of(cohorts, 1, what)?).value)
    }

    /// The mean chance of leaving at the first renewal: alpha / (alpha + beta).
    pub fn mean_churn(&self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }

    /// How much clients differ, from 0 (all alike) to 1 (some always leave at once, others never): 1 / (alpha + beta + 1).
    pub fn polarization(&self) -> f64 {
        1.0 / (self.alpha + self.beta + 1.0)
    }

    /// Periods to expect of a new client, undiscounted: (alpha + beta - 1) / (alpha - 1). Infinite for alpha up to 1.
    pub fn expected_lifetime(&self) -> f64 {
        if self.alpha > 1.0 { (self.alpha + self.beta - 1.0) / (self.alpha - 1.0) } else { f64::INFINITY }
    }

    /// Discounted expected lifetime (DEL): periods of a new client without end, the first one now, each discounted by
    /// `discount` a period: 2F1(1, beta; alpha + beta; 1 / (1 + discount)).
    pub fn discounted_lifetime(&self, discount: f64) -> f64 {
        self.discounted_from(0, discount)
    }

    /// Discounted expected residual lifetime (DERL; Fader & Hardie 2010, "Customer-Base Valuation in a Contractual Setting",
    /// Marketing Science 29(1)) just before the renewal with this number, from 1 on: the renewal itself counts, undiscounted,
    /// if it is made.
    pub fn residual_before(&self, renewal: u32, discount: f64) -> f64 {
        self.retention(renewal) * self.discounted_from(renewal, discount)
    }

    /// DERL just after the renewal with this number was paid (0: after the start): the next one is a period away.
    pub fn residual_after(&self, renewal: u32, discount: f64) -> f64 {
        let next = renewal.saturating_add(1);
        self.retention(next) * self.discounted_from(next, discount) / (1.0 + discount)
    }

    /// The sum over t of S(renewals + t) / S(renewals) / (1 + discount)^t: after some renewals a cohort is sBG again, with beta
    /// grown by as many.
    fn discounted_from(&self, renewals: u32, discount: f64) -> f64 {
        let beta = self.beta + f64::from(renewals);
        if discount > 0.0 {
            hyp2f1(1.0, beta, self.alpha + beta, 1.0 / (1.0 + discount))
        } else if discount == 0.0 {
            Self { beta, ..*self }.expected_lifetime()
        } else {
            f64::NAN
        }
    }

    /// The log-likelihood as a product over renewals (its form as P(T = t) is the same, multiplied out), and its derivatives by
    /// the logarithms of the parameters.
    fn slope(&self, renewals: &Renewals) -> Slope<2> {
        let Self { alpha, beta } = *self;
        let (mut value, mut by_alpha, mut by_beta) = (0.0, 0.0, 0.0);
        for row in &renewals.rows {
            let kept = beta + f64::from(row.number) - 1.0;
            let all = alpha + kept;
            value -= row.stayed * libm::log1p(alpha / kept) + row.left * libm::log1p(kept / alpha);
            by_alpha += row.left / alpha - (row.stayed + row.left) / all;
            by_beta += row.stayed / kept - (row.stayed + row.left) / all;
        }
        Slope { value, gradient: [by_alpha * alpha, by_beta * beta] }
    }
}

impl Renewing for Sbg {
    fn ln_survival(&self, renewals: u32) -> f64 {
        if renewals == 0 {
            return 0.0;
        }
        ln_beta(self.alpha, self.beta + f64::from(renewals)) - ln_beta(self.alpha, self.beta)
    }

    fn retention(&self, renewal: u32) -> f64 {
        let kept = self.beta + f64::from(renewal) - 1.0;
        if renewal == 0 { 1.0 } else { kept / (self.alpha + kept) }
    }
}

impl Parameters for Sbg {
    const MODEL: &'static str = "sbg";
    const NAMES: &'static [&'static str] = &["alpha", "beta"];

    fn values(&self) -> Vec<f64> {
        vec![self.alpha, self.beta]
    }
}

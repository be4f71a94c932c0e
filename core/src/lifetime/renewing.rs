//! What the contractual models have in common: at each renewal a client stays or leaves, and the chance depends on how many
//! renewals it has made.

use super::crowd::whole;
use super::fit::FitWarning;
use super::input::{CohortCounts, LifetimeError, check_all, need};
use super::special::norm_cdf;

/// Fewer clients tell nothing of a distribution.
const FEWEST_CLIENTS: u64 = 10;

/// More periods are not added up one by one.
const MOST_PERIODS: u32 = 100_000;

/// A fall of retention that chance makes this rarely is told.
const RARE: f64 = 0.01;

/// A model of clients that renew period after period.
///
/// Survival counts from the beginning: S(0) = 1, S(t) the share that made the t-th renewal. A model whose parameters are not
/// above 0 answers NaN.
pub trait Renewing {
    /// ln of the share of a cohort that made its `renewals`-th renewal.
    fn ln_survival(&self, renewals: u32) -> f64;

    /// The share of a cohort that made its `renewals`-th renewal: S(t).
    fn survival(&self, renewals: u32) -> f64 {
        libm::exp(self.ln_survival(renewals))
    }

    /// Of those that made one renewal fewer, the share that makes this one, from 1 on: S(t) / S(t - 1).
    fn retention(&self, renewal: u32) -> f64 {
        libm::exp(self.ln_survival(renewal) - self.ln_survival(renewal.saturating_sub(1)))
    }

    /// The share of a cohort that leaves at this renewal, from 1 on: S(t - 1) - S(t).
    fn leaves_at(&self, renewal: u32) -> f64 {
        let (before, after) = (self.ln_survival(renewal.saturating_sub(1)), self.ln_survival(renewal));
        -libm::exp(before) * libm::expm1(after - before)
    }

    /// Periods to expect of a client that has made `renewals` renewals, over the next `periods`, each discounted to now:
    /// the sum over t from 0 to periods - 1 of S(renewals + t) / S(renewals) / (1 + discount)^t. The first is now and certain.
    /// Times the margin of a period it is the client's residual value. NaN for more than 100 000 periods.
    fn discounted_periods(&self, renewals: u32, periods: u32, discount: f64) -> f64 {
        if periods > MOST_PERIODS {
            return f64::NAN;
        }
        let from = self.ln_survival(renewals);
        let (mut sum, mut worth) = (0.0, 1.0);
        for ahead in 0..periods {
            sum += libm::exp(self.ln_survival(renewals.saturating_add(ahead)) - from) * worth;
            worth /= 1.0 + discount;
        }
        sum
    }
}

/// All cohorts taken together: at each renewal, how many stayed and how many left.
pub(super) struct Renewals {
    /// From the first renewal on: (renewal from 1, stayed, left); only where there was anybody.
    pub(super) rows: Vec<Renewal>,
    /// Clients of all cohorts.
    pub(super) n: u64,
}

#[derive(Clone, Copy)]
pub(super) struct Renewal {
    pub(super) number: u32,
    pub(super) stayed: f64,
    pub(super) left: f64,
}

impl Renewals {
    /// Counts what the cohorts saw; refuses too little: fewer than ten clients, fewer renewals than `needed`, nobody who left.
    pub(super) fn of(
        cohorts: &[CohortCounts],
        needed: u64,
        what: [&'static str; 3],
    ) -> Result<Self, LifetimeError> {
        check_all("cohorts", cohorts, CohortCounts::check)?;
        let mut counts = std::collections::BTreeMap::<u32, (u64, u64)>::new();
        let mut n = 0_u64;
        for cohort in cohorts {
            n = n.saturating_add(cohort.alive.first().copied().unwrap_or_default());
            let pairs = cohort.alive.iter().zip(cohort.alive.iter().skip(1));
            for (number, (before, after)) in (cohort.since.saturating_add(1)..).zip(pairs) {
                if *before > 0 {
                    let (stayed, left) = counts.entry(number).or_default();
                    *stayed = stayed.saturating_add(*after);
                    *left = left.saturating_add(before.saturating_sub(*after));
                }
            }
        }
        let [clients, renewals, leavers] = what;
        need(clients, FEWEST_CLIENTS, n)?;
        need(renewals, needed, u64::try_from(counts.len()).unwrap_or(u64::MAX))?;
        let all_left = counts.values().fold(0_u64, |sum, (_, left)| sum.saturating_add(*left));
        need(leavers, 1, all_left)?;
        let row = |(number, (stayed, left))| Renewal { number, stayed: heads(stayed), left: heads(left) };
        Ok(Self { rows: counts.into_iter().map(row).collect(), n })
    }

    /// The renewal at which fewer stayed than at all before it by most more than chance: two shares compared by the normal
    /// approximation, times the number of comparisons (Bonferroni).
    pub(super) fn fall(&self) -> Option<FitWarning> {
        let (mut stayed, mut left) = (0.0, 0.0);
        let mut worst: Option<(u32, f64)> = None;
        for row in &self.rows {
            let (before, now) = (stayed + left, row.stayed + row.left);
            if before > 0.0 && now > 0.0 {
                let pooled = (stayed + row.stayed) / (before + now);
                let error = libm::sqrt(pooled * (1.0 - pooled) * (1.0 / before + 1.0 / now));
                let chance = norm_cdf((row.stayed / now - stayed / before) / error);
                if worst.is_none_or(|(_, least)| chance < least) {
                    worst = Some((row.number, chance));
                }
            }
            stayed += row.stayed;
            left += row.left;
        }
        let comparisons = whole(self.rows.len().saturating_sub(1));
        let (renewal, chance) = worst?;
        let p_value = (chance * comparisons).min(1.0);
        (p_value < RARE).then_some(FitWarning::RetentionFalls { renewal, p_value })
    }
}

/// A count of clients as a double.
#[expect(clippy::cast_precision_loss, reason = "no book has 2^53 clients")]
pub(super) fn heads(count: u64) -> f64 {
    count as f64
}

//! What the models are fitted to, as plain data, and why they may refuse.

use serde::{Deserialize, Serialize};

/// What the buy-till-you-die models know of one client that buys without a contract (Fader, Hardie & Lee 2005): how often
/// it came back, when last, and how long it has been known. Times are in one unit of the caller's choice (days, weeks),
/// the same for all clients; fitted rates and horizons are in that unit, too.
///
/// ```
/// use healthfold::lifetime::Rfm;
///
/// // First bought 39 weeks ago, came back twice, the last time in week 30; the two came to 22.35 each in the mean.
/// let client = Rfm { frequency: 2, recency: 30.43, age: 38.86, value: Some(22.35) };
/// assert!(client.check().is_ok());
/// assert!(Rfm { recency: 40.0, ..client }.check().is_err(), "after the end");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rfm {
    /// Repeat purchases: days with a purchase after the first such day (x).
    pub frequency: u32,
    /// From the first purchase to the last; 0 without a repeat purchase (t_x).
    pub recency: f64,
    /// From the first purchase to the end of what was observed (T).
    pub age: f64,
    /// Mean value of the repeat purchases, the first one left out; none without a repeat purchase. Only the model of values
    /// looks at it.
    pub value: Option<f64>,
}

impl Rfm {
    /// Whether there can be such a client.
    ///
    /// # Errors
    /// Why not: times out of order or not finite, a last repeat purchase without a repeat purchase, a value that is not finite.
    pub fn check(&self) -> Result<(), &'static str> {
        let times = self.recency.is_finite() && self.age.is_finite() && self.recency >= 0.0;
        if !times || self.recency > self.age {
            return Err("0 <= `recency` <= `age` must hold");
        }
        if self.frequency == 0 && self.recency > 0.0 {
            return Err("`recency` must be 0 where `frequency` is 0");
        }
        if self.value.is_some_and(|value| !value.is_finite()) {
            return Err("`value` must be finite");
        }
        Ok(())
    }
}

/// Clients that began together, counted at each renewal: what the contractual models are fitted to.
///
/// ```
/// use healthfold::lifetime::CohortCounts;
///
/// // 1000 began, 869 renewed once, 743 twice.
/// let cohort = CohortCounts::new(vec![1000, 869, 743]);
/// assert!(cohort.check().is_ok());
/// assert!(CohortCounts::new(vec![1000, 1001]).check().is_err(), "nobody joins later");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CohortCounts {
    /// Renewals made before the cohort was first seen; 0 where it was seen from its beginning. Clients that left before are
    /// unknown, and the fit allows for that (left truncation).
    #[serde(default)]
    pub since: u32,
    /// How many are there at first, after the next renewal, after the one after it. It never rises.
    pub alive: Vec<u64>,
}

impl CohortCounts {
    /// A cohort seen from its beginning.
    pub fn new(alive: Vec<u64>) -> Self {
        Self { since: 0, alive }
    }

    /// Whether there can be such a cohort.
    ///
    /// # Errors
    /// Why not: the counts rise.
    pub fn check(&self) -> Result<(), &'static str> {
        let rises = self.alive.iter().zip(self.alive.iter().skip(1)).any(|(before, after)| after > before);
        if rises { Err("`alive` must never rise") } else { Ok(()) }
    }
}

/// Why a model gives no number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LifetimeError {
    /// Too little data to print a number.
    #[error("{what} needs at least {needed}, found {found}")]
    TooFew {
        /// What was asked for, and of what it needs more.
        what: &'static str,
        /// How many there must be.
        needed: u64,
        /// How many there are.
        found: u64,
    },
    /// Data that cannot be.
    #[error("`{field}[{index}]`: {fault}")]
    Impossible {
        /// Of which list: `clients`, `cohorts`.
        field: &'static str,
        /// Which one, from 0.
        index: usize,
        /// What must hold.
        fault: &'static str,
    },
    /// A parameter or a horizon that cannot be.
    #[error("`{setting}` must be {expected}, found {found}")]
    BadSetting {
        /// Which.
        setting: &'static str,
        /// What is allowed.
        expected: &'static str,
        /// What was given.
        found: String,
    },
}

impl LifetimeError {
    /// The stable slug.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooFew { .. } => "too_few",
            Self::Impossible { .. } | Self::BadSetting { .. } => "bad_value",
        }
    }
}

/// Refuses a list in which something cannot be, naming the first.
pub(super) fn check_all<T>(
    field: &'static str,
    items: &[T],
    check: impl Fn(&T) -> Result<(), &'static str>,
) -> Result<(), LifetimeError> {
    for (index, item) in items.iter().enumerate() {
        check(item).map_err(|fault| LifetimeError::Impossible { field, index, fault })?;
    }
    Ok(())
}

/// Refuses too little.
pub(super) fn need(what: &'static str, needed: u64, found: u64) -> Result<(), LifetimeError> {
    if found < needed { Err(LifetimeError::TooFew { what, needed, found }) } else { Ok(()) }
}

//! How long clients stay and what they are worth: the models of the field, as pure functions over plain data.
//!
//! | file | what it knows |
//! |---|---|
//! | `special` | the special functions that the models need, with the same bits on every platform |
//! | `input` | what a model is fitted to: summaries of buyers, counts of cohorts; why it may refuse |
//! | `fit` | what every fit reports, and the climb to the greatest likelihood |
//! | `kaplan_meier` | survival curves of what has not all ended yet |
//! | `log_rank` | whether some groups last alike |
//! | `options` | the settings of questions about lifetimes |
//! | `spells` | how long each client paid without a break |
//! | `survival` | how long clients stay, all together and by group |
//!
//! Elementary functions come from `libm`, never from the platform, so that a fit has the same bits everywhere. Money enters
//! a model as a double, on the caller's word; what was really paid stays exact elsewhere.

pub(crate) mod special;
mod input;
mod fit;
mod kaplan_meier;
mod log_rank;
mod options;
mod spells;
mod survival;

pub use fit::{Estimate, Fit, FitReport, FitWarning, Parameters};
pub use input::{CohortCounts, LifetimeError, Rfm};
pub use kaplan_meier::{
    Observation, RestrictedMean, SurvivalBounds, SurvivalCurve, SurvivalPoint, SurvivalQuantile,
};
pub use log_rank::{LogRank, LogRankGroup, LogRankWeights};
pub use options::{LifetimeOptions, SpellsOf};
pub use spells::{ClientSpell, Spells};
pub use survival::{Lifetime, LifetimeGroup, LifetimeRow};

pub(crate) use spells::spells;

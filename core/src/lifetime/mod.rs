//! How long clients stay and what they are worth: the models of the field, as pure functions over plain data.
//!
//! | file | what it knows |
//! |---|---|
//! | `special` | the special functions that the models need, with the same bits on every platform |
//! | `input` | what a model is fitted to: summaries of buyers, counts of cohorts; why it may refuse |
//! | `climb` | the way to the greatest likelihood |
//! | `fit` | what every fit reports |
//! | `crowd` | clients alike, taken together |
//! | `renewing` | what contractual models have in common |
//! | `sbg`, `bdw` | clients that renew or leave |
//! | `buying` | what models of buyers without a contract answer |
//! | `dropout` | what BG/NBD and MBG/NBD have in common |
//! | `bg_nbd`, `mbg_nbd` | buyers who may leave after a purchase |
//! | `pareto_nbd` | buyers who may leave at any moment |
//! | `gamma_gamma` | what their purchases are worth |
//! | `kaplan_meier` | survival curves of what has not all ended yet |
//! | `log_rank` | whether some groups last alike |
//! | `proportion` | intervals of a share of heads, and of the difference of two |
//! | `ratio` | intervals of a ratio of sums over clients |
//! | `options` | the settings of questions about lifetimes |
//! | `spells` | how long each client paid without a break |
//! | `rfm` | how often, how lately and for how much clients buy without a contract |
//! | `simple` | what a client is worth if one period's figures held for ever |
//! | `renewals` | spells counted in renewals |
//! | `value` | what clients are worth, by every method |
//! | `survival` | how long clients stay, all together and by group |
//!
//! Elementary functions come from `libm`, never from the platform, so that a fit has the same bits everywhere. Money enters
//! a model as a double, on the caller's word; what was really paid stays exact elsewhere.

pub(crate) mod special;
mod input;
mod climb;
mod fit;
mod crowd;
mod renewing;
mod sbg;
mod bdw;
mod buying;
mod dropout;
mod bg_nbd;
mod mbg_nbd;
mod pareto_nbd;
mod gamma_gamma;
mod kaplan_meier;
mod log_rank;
mod proportion;
mod ratio;
mod options;
mod spells;
mod rfm;
mod simple;
mod survival;
mod renewals;
mod value;

pub use bdw::Bdw;
pub use bg_nbd::BgNbd;
pub use buying::{Buying, Horizon};
pub use fit::{Estimate, Fit, FitReport, FitWarning, Parameters};
pub use gamma_gamma::{GammaGamma, frequency_value_correlation};
pub use input::{CohortCounts, LifetimeError, Rfm};
pub use kaplan_meier::{
    Observation, RestrictedMean, SurvivalBounds, SurvivalCurve, SurvivalPoint, SurvivalQuantile,
};
pub use log_rank::{LogRank, LogRankGroup, LogRankWeights};
pub use mbg_nbd::MbgNbd;
pub use options::{LifetimeOptions, SpellsOf};
pub use pareto_nbd::ParetoNbd;
pub use proportion::{DifferenceInterval, RateDifference, ShareInterval};
pub use ratio::RatioEstimate;
pub use renewals::RenewalInterval;
pub use renewing::Renewing;
pub use rfm::{RfmRow, RfmSummary};
pub use sbg::Sbg;
pub use simple::{NoLtv, SimpleTerms};
pub use spells::{ClientSpell, Spells};
pub use survival::{Lifetime, LifetimeGroup, LifetimeRow};
pub use value::{
    AliveMatrix, ClientLtv, Ltv, LtvGroup, LtvHorizon, LtvMethod, LtvModel, LtvOptions, LtvValue, ModelLtv,
    NewBuyer, Payments, RetentionPoint, SimpleGroup, SimpleLtv, SimpleValue,
};

pub(crate) use rfm::rfm;
pub(crate) use spells::spells;
pub(crate) use value::{contract, purchases, simple};

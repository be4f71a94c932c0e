//! How long clients stay and what they are worth: the models of the field, as pure functions over plain data.
//!
//! | file | what it knows |
//! |---|---|
//! | `special` | the special functions that the models need, with the same bits on every platform |
//! | `input` | what a model is fitted to: summaries of buyers, counts of cohorts; why it may refuse |
//! | `fit` | what every fit reports, and the climb to the greatest likelihood |
//!
//! Elementary functions come from `libm`, never from the platform, so that a fit has the same bits everywhere. Money enters
//! a model as a double, on the caller's word; what was really paid stays exact elsewhere.

pub(crate) mod special;
mod input;
mod fit;

pub use fit::{Estimate, Fit, FitReport, FitWarning, Parameters};
pub use input::{CohortCounts, LifetimeError, Rfm};

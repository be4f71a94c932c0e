//! Whether what we measure tells of what comes after: readings at a past instant against what became of the clients.
//!
//! | file | what it knows |
//! |---|---|
//! | `outcome` | what may come of a client, and of whom it is asked |
//! | `compare` | two groups of trials beside each other, and how far they differ by chance |
//! | `lift` | how often it came, by ranges of a reading |
//! | `north_star` | how well a reading ranks the clients that stay |

mod compare;
mod lift;
mod north_star;
mod outcome;

pub use compare::{ComparedRate, TrialComparison, TrialSplit};
pub use lift::{Lift, LiftRange};
pub use north_star::NorthStar;
pub use outcome::Outcome;

pub(crate) use compare::compare_trials;
pub(crate) use lift::lift;
pub(crate) use north_star::north_stars;
pub(crate) use outcome::Watched;

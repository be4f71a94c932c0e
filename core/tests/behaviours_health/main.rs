//! What was asked of health scores, one test for each behaviour, named by its number. Every figure is worked out by hand.
//!
//! Where `docs/recipes.md` has a recipe for a behaviour, the test reads the model from that page, so that the page is true.
//! S05, S20, S46, S47, S58, S62 and S93 also have tests in `health_laws.rs` and `model_signals.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic in a test is a failed test"
)]

mod book;
mod clock;
mod evidence;
mod judgement;
mod money;
mod stages;
mod support;
mod usage;

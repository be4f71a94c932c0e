//! What was asked of revenue, one test for each behaviour, named by its number. Every figure is worked out by hand.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic in a test is a failed test"
)]

mod book;
mod churn;
mod lifetime;
mod retention;
mod teams;

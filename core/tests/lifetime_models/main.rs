//! The models of lifetimes against published figures: every value of the tables under `shared/data/lifetime`, each within its
//! own tolerance, and others from the literature.
//!
//! The values were worked out with 30 digits by another hand; what each means is told beside them in `expected.json`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic in a test is a failed test"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tables hold small whole counts, read as numbers"
)]

mod buyers;
mod renewals;
mod table;

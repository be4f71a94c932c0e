//! What `cargo xtask` is made of beside its commands, so that tests can call it.

pub mod demo;

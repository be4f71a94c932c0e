//! The laws of the fold under simulated delivery: two thousand seeded journeys of random logs to up to sixteen engines.
//!
//! `HEALTHFOLD_SEED=n cargo test -p healthfold --test simulator` runs one seed. The long form is `cargo xtask trust --long`.

#![allow(clippy::disallowed_methods, reason = "which seed to run is part of no answer")]

use healthfold_testkit::simulator::{Corners, simulate, simulate_all};

const CASES: u64 = 2_000;

#[test]
fn every_journey_ends_in_the_same_state() {
    if let Ok(seed) = std::env::var("HEALTHFOLD_SEED") {
        let seed = seed.parse().expect("HEALTHFOLD_SEED is a whole number");
        simulate(seed, &mut Corners::default()).unwrap();
        return;
    }
    let corners = simulate_all(0..CASES).unwrap();
    for (corner, times) in corners.counts() {
        println!("{times:>8} {corner}");
    }
    println!("{} cases, {} deliveries", corners.cases, corners.deliveries);
    assert_eq!(corners.missed(), [""; 0], "a corner that is not reached is not tested");
}

#[test]
fn a_seed_is_the_same_journey_every_time() {
    assert_eq!(simulate_all(7..17), simulate_all(7..17));
}

//! Rates that never travel without their base.

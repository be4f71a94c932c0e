//! The special functions that the models need.

//! See `healthfold_testkit::hostile::formats` for what must hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| healthfold_testkit::hostile::formats(bytes));

//! See `healthfold_testkit::hostile::ask` for what must hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| healthfold_testkit::hostile::ask(bytes));

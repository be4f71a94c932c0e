//! Inputs that broke something once, or look as if they could, replayed as ordinary tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by a panic and says what it skipped"
)]

use healthfold_testkit::case::workspace;
use healthfold_testkit::hostile::TARGETS;

#[test]
fn regressions_stay_fixed() {
    for (target, body) in TARGETS {
        let folder = workspace().join("fuzz/regressions").join(target);
        let mut inputs: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "there is nothing to replay for {target}");
        for input in inputs {
            println!("{}", input.display());
            body(&std::fs::read(&input).unwrap());
        }
    }
}

#[test]
fn a_line_of_two_mebibytes_costs_only_itself() {
    let good = br#"{"id":"1","source":"s","type":"usage.counted","subject":"a","time":"2026-01-05T10:00:00Z","data":{"metric":"m"}}"#;
    let mut log = vec![b'x'; 2 << 20];
    log.push(b'\n');
    log.extend_from_slice(good);
    let mut engine = healthfold::Engine::new(Default::default()).unwrap();
    let applied = engine.apply_ndjson(log.as_slice(), &Default::default()).unwrap();
    assert_eq!((applied.applied, applied.rejected_by_code.get("too_long")), (1, Some(&1)));
}

//! The shipped models tell clients apart on a believable book.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by a panic"
)]

use healthfold::{Engine, HealthScore, Model, Name, ReadOptions, ScoresOf, Settings};
use healthfold_testkit::book::{BookSpec, write_book};
use std::collections::BTreeMap;
use std::sync::OnceLock;

fn book() -> &'static Engine {
    static BOOK: OnceLock<Engine> = OnceLock::new();
    BOOK.get_or_init(|| {
        let mut lines = Vec::new();
        write_book(&BookSpec::default(), &mut lines).unwrap();
        let mut engine = Engine::new(Settings::default()).unwrap();
        engine.apply_ndjson(lines.as_slice(), &ReadOptions::default()).unwrap();
        engine
    })
}

fn scores(model: &Model, as_of: &str) -> Vec<HealthScore> {
    let engine = book();
    engine.scores(model, engine.zone().as_of(as_of).unwrap(), ScoresOf::Paying)
}

/// How many paying clients are in each band, and the quartiles of their scores.
fn spread(scores: &[HealthScore]) -> (BTreeMap<Name, usize>, [f64; 3]) {
    let mut bands = BTreeMap::new();
    scores.iter().for_each(|score| *bands.entry(score.band.clone()).or_default() += 1);
    let mut points: Vec<f64> = scores.iter().filter_map(|score| score.score).collect();
    points.sort_by(f64::total_cmp);
    (bands, [1, 2, 3].map(|quarter| points[points.len() * quarter / 4]))
}

#[test]
fn every_shipped_model_tells_clients_apart() {
    for model in [Model::default(), Model::usage_based("calls").unwrap(), Model::high_touch()] {
        let scores = scores(&model, "2025-12-31");
        let (bands, [low, middle, high]) = spread(&scores);
        let shown = format!("{}: {bands:?}, quartiles {low:.0} {middle:.0} {high:.0}", model.name());
        println!("{shown}");
        let share = |band: &str| bands.get(band).copied().unwrap_or(0) * 100 / scores.len();
        // A healthy book with some clients in need: most are green, not all, and few are red.
        assert!((40..=95).contains(&share("green")), "{shown}");
        assert!((5..=50).contains(&share("yellow")), "{shown}");
        assert!((1..=15).contains(&share("red")), "{shown}");
        assert!(share("unknown") <= 5, "{shown}");
        assert!(high - low >= 10.0, "{shown}");
        // Each part sees somebody, but for what needs a year more than the book has.
        for signal in scores[0].parts.iter().map(|part| part.signal.as_str()) {
            let seen = scores
                .iter()
                .any(|score| score.parts.iter().any(|part| part.signal == signal && part.points.is_some()));
            assert!(seen || signal == "volume_against_last_year", "{}: {signal}", model.name());
        }
    }
}

#[test]
fn who_asked_to_leave_is_red_in_every_shipped_model() {
    for model in [Model::default(), Model::usage_based("calls").unwrap(), Model::high_touch()] {
        let asked = |score: &HealthScore| {
            score.limits.iter().any(|limit| limit.name == "asked to cancel" && limit.reading > Some(0.0))
        };
        // In autumn, when the book says that most leave.
        let scores = scores(&model, "2025-10-15");
        let red = scores.iter().filter(|score| asked(score) && score.r#override.is_none());
        assert!(red.clone().count() > 0, "{}: nobody asked", model.name());
        assert!(red.clone().all(|score| score.band == "red"), "{}", model.name());
    }
}

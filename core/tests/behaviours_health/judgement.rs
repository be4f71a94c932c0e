//! What people judge, and how far it may move a score; what bounds every score.

use crate::book::{Book, document, effect, near, recipe};
use healthfold::{Engine, Missing, Model, Origin, ScoresOf, Settings};
use healthfold_testkit::logs;
use proptest::prelude::*;
use serde_json::{Value, json};

proptest! {
    #[test]
    fn s01_a_score_is_absent_or_from_0_to_100(log in logs::logs(0..80), end in prop::sample::select(vec!["2026-02-14", "2026-03-29", "2026-04-30", "2199-12-31"])) {
        let mut engine = Engine::new(Settings::default()).unwrap();
        engine.apply_all(&log);
        let as_of = engine.zone().as_of(end).unwrap();
        for model in [Model::default(), Model::usage_based("calls").unwrap(), Model::high_touch()] {
            for health in engine.scores(&model, as_of, ScoresOf::All) {
                for number in [health.score, health.computed, health.low, health.high] {
                    prop_assert!(number.is_none_or(|number| (0.0..=100.0).contains(&number)), "{health:?}");
                }
                prop_assert!((0.0..=1.0).contains(&health.coverage), "{health:?}");
                prop_assert_eq!(health.score.is_none(), health.band == "unknown", "{:?}", health);
                for part in &health.parts {
                    let numbers = [part.reading, part.points, Some(part.weight), Some(part.contribution)];
                    prop_assert!(numbers.iter().flatten().all(|number| number.is_finite()), "{part:?}");
                }
            }
        }
    }
}

/// A judgement of acme in parts.
fn judged(talks: f64, uses: f64, renews: f64) -> Value {
    json!({"value": talks, "by": "ann", "parts": {"talks": talks, "uses": uses, "renews": renews}})
}

#[test]
fn s02_a_judgement_between_the_steps_is_refused_by_name() {
    let mut book = Book::new();
    book.event("client.sentiment_set", "acme", "2026-03-01", judged(80.0, 55.0, 20.0));
    let model = recipe("A judgement in parts");
    let health = book.score("acme", &model, "2026-03-02");
    let part = |name: &str| health.parts.iter().find(|part| part.signal == name).unwrap();
    assert_eq!((part("talks").reading, part("talks").missing), (Some(80.0), None));
    assert_eq!((part("uses").reading, part("uses").missing), (None, Some(Missing::OffScale)));
    let faults = book.engine.check_data(&model, book.as_of("2026-03-02"));
    let [fault] = faults.as_slice() else { panic!("one fault: {faults:?}") };
    assert_eq!(fault.to_string(), "`uses` of client `acme` must be one of 20, 40, 60, 80, 100, found `55`");
    assert_eq!(
        (fault.allowed.as_slice(), fault.event.id.as_str()),
        (&[20.0, 40.0, 60.0, 80.0, 100.0][..], "e1")
    );
    // The scale is the model's own.
    let mut other = document("A judgement in parts");
    other["signals"]["uses"]["steps"] = json!([0, 55, 100]);
    let faults = book.engine.check_data(&Model::from_value(&other).unwrap(), book.as_of("2026-03-02"));
    assert_eq!(faults, []);
}

#[test]
fn s03_a_judgement_has_three_named_parts_with_weights() {
    let mut book = Book::new();
    book.event("client.sentiment_set", "acme", "2026-03-01", judged(80.0, 60.0, 20.0));
    // Nothing is computed: no usage was ever seen, so no cap applies. (80 + 2 x 60 + 3 x 20) / 6 = 260 / 6.
    let health = book.score("acme", &recipe("A judgement in parts"), "2026-03-02");
    near(health.score.unwrap(), 260.0 / 6.0);
    let listed = [("talks", 80.0 / 6.0), ("uses", 120.0 / 6.0), ("renews", 60.0 / 6.0)];
    for (part, (name, contribution)) in health.parts.iter().zip(listed) {
        assert_eq!((part.signal.as_str(), part.origin), (name, Origin::Human));
        near(part.contribution, contribution);
    }
}

#[test]
fn s04_computed_and_human_parts_stand_in_one_score_each_with_its_origin() {
    let mut book = Book::new();
    book.event("client.sentiment_set", "acme", "2026-03-01", judged(100.0, 100.0, 100.0));
    let users = json!({"metric": "logins", "day": "2026-03-01", "count": 2, "users": ["u-1", "u-2"]});
    book.event("usage.day_set", "acme", "2026-03-01", users);
    let mut document = document("A judgement in parts");
    let health = book.score("acme", &Model::from_value(&document).unwrap(), "2026-03-02");
    let origins: Vec<_> = health.parts.iter().map(|part| (part.signal.as_str(), part.origin)).collect();
    let by_hand = [
        ("talks", Origin::Human),
        ("uses", Origin::Human),
        ("renews", Origin::Human),
        ("users", Origin::Computed),
    ];
    assert_eq!(origins, by_hand);
    // Two of ten users are 20 points, the judgement 100: (20 + 100) / 2 = 60, that is 40 above what is computed. 20 may stay.
    near(effect(&health, "human_cap"), -20.0);
    near(health.score.unwrap(), 40.0);
    // Without the cap: 60. A part may be told to be human: then all of them are, and nothing holds them.
    document["human_cap"] = Value::Null;
    near(book.points("acme", &Model::from_value(&document).unwrap(), "2026-03-02"), 60.0);
    document["groups"][1]["parts"][0]["human"] = json!(true);
    let health = book.score("acme", &Model::from_value(&document).unwrap(), "2026-03-02");
    assert!(health.parts.iter().all(|part| part.origin == Origin::Human));
}

#[test]
fn s05_bands_are_free_in_number_edges_and_names() {
    let mut document = document("A cancel request");
    document["bands"] = json!([{"name": "lost", "from": 0}, {"name": "poor", "from": 12.5}, {"name": "fair", "from": 50},
        {"name": "good", "from": 80}, {"name": "shut only with their business", "from": 100}]);
    let model = Model::from_value(&document).unwrap();
    let mut book = Book::new();
    // Each edge belongs to the band above it.
    let by_hand = [
        (0.0, "lost"),
        (12.4, "lost"),
        (12.5, "poor"),
        (49.9, "poor"),
        (50.0, "fair"),
        (80.0, "good"),
        (99.9, "good"),
        (100.0, "shut only with their business"),
    ];
    for (i, (points, band)) in by_hand.iter().enumerate() {
        let client = format!("c{i}");
        book.is(&client, "2026-01-01", json!({"attributes": {"base": points}}));
        assert_eq!(book.score(&client, &model, "2026-01-02").band, *band, "{points}");
    }
    document["bands"] =
        json!([{"name": "red", "from": 10}, {"name": "green", "from": 60}, {"name": "green", "from": 60}]);
    let issues = Model::from_value(&document).unwrap_err().issues;
    let told: Vec<&str> = issues.iter().map(|issue| issue.message.as_str()).collect();
    let by_hand = [
        "must start at 0, so that every score has a band",
        "must have rising `from`",
        "must have each name once",
    ];
    assert_eq!(told, by_hand);
}

//! What money has to do with a score, and what not.

use crate::book::{Book, effect, near, recipe};
use healthfold::{Engine, Model, RankOptions, ReadOptions, ScoresOf, Settings};
use healthfold_testkit::book::{BookSpec, book_lines};
use serde_json::{Value, json};

#[test]
fn s27_a_surprise_bill_hurts_and_fades_day_by_day() {
    let model = recipe("A surprise bill");
    let mut book = Book::new();
    book.stands_at("acme", 80);
    for (n, (day, amount)) in
        [("2026-01-01", 100), ("2026-02-01", 90), ("2026-03-01", 120), ("2026-04-10", 500)].iter().enumerate()
    {
        let invoice =
            json!({"invoice": format!("I-{n}"), "amount": amount, "currency": "USD", "due": "2026-12-31"});
        book.event("billing.invoice_issued", "acme", day, invoice);
    }
    near(book.points("acme", &model, "2026-04-09"), 80.0);
    // The median of 100, 90 and 120 is 100: a shock of 5, after 14 and 28 days 3 and 2; 10 points for each above 1.5.
    for (as_of, effect_by_hand) in
        [("2026-04-10", -35.0), ("2026-04-24", -15.0), ("2026-05-08", -5.0), ("2026-05-23", 0.0)]
    {
        let health = book.score("acme", &model, as_of);
        near(effect(&health, "a surprise bill"), effect_by_hand);
        near(health.score.unwrap(), 80.0 + effect_by_hand);
    }
    // Each day a little less, though nothing happens.
    let (start, end) = (book.as_of("2026-04-10"), book.as_of("2026-05-20"));
    let days = book.engine.score_history(&"acme".into(), &model, start, end, healthfold::Every::Day).unwrap();
    assert!(days.len() == 41 && days.is_sorted_by(|one, next| one.score < next.score));
}

/// A book of twelve weeks, with every amount so many times as high.
fn book_at(factor: f64) -> Engine {
    let spec =
        BookSpec { clients: 40, days: 84, usage_percent: 20, with_bad_lines: false, ..BookSpec::default() };
    let scaled = |line: String| {
        let mut event: Value = serde_json::from_str(&line).unwrap();
        let amount = match &event["data"]["amount"] {
            Value::String(text) => text.parse::<f64>().unwrap(),
            Value::Number(number) => number.as_f64().unwrap(),
            _ => return line,
        };
        event["data"]["amount"] = json!(format!("{:.2}", amount * factor));
        event.to_string()
    };
    let lines: Vec<String> = book_lines(&spec).into_iter().map(scaled).collect();
    let mut engine = Engine::new(Settings::default()).unwrap();
    let applied = engine.apply_ndjson(lines.join("\n").as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!(applied.rejected_count(), 0);
    engine
}

#[test]
fn s53_a_score_does_not_know_how_much_a_client_pays() {
    let (usual, dear) = (book_at(1.0), book_at(7.0));
    let as_of = usual.zone().as_of("2025-03-20").unwrap();
    for model in [Model::default(), Model::usage_based("calls").unwrap(), Model::high_touch()] {
        let scores = usual.scores(&model, as_of, ScoresOf::All);
        assert!(scores.iter().filter(|health| health.score.is_some()).count() > 20, "{}", model.name());
        assert_eq!(scores, dear.scores(&model, as_of, ScoresOf::All), "{}", model.name());
    }
    // A ranking may know, and so may a model that says so.
    let mrr = crate::book::spec(json!({"kind": "mrr", "currency": "USD"}));
    let first = |engine: &Engine| {
        engine.rank(&mrr, as_of, ScoresOf::Paying, RankOptions::default())[0].value.unwrap()
    };
    near(first(&dear), 7.0 * first(&usual));
}

#[test]
fn s53_unless_the_model_reads_it() {
    let model = Model::from_value(
        &json!({"name": "money", "bands": crate::book::bands(), "signals": {"mrr": {"kind": "mrr"}},
        "groups": [{"name": "g", "parts": [{"signal": "mrr", "curve": {"points": [[0, 0], [100, 100]]}}]}]}),
    )
    .unwrap();
    let mut book = Book::new();
    book.pays("acme", "2026-01-01");
    near(book.points("acme", &model, "2026-01-02"), 10.0);
    book.subscribes("acme", "2026-02-01", "active", json!({"amount": "70"}));
    near(book.points("acme", &model, "2026-02-02"), 70.0);
}

//! Whether a number tells of what comes after it, before and after anybody gives it a weight.

use crate::book::{Book, bands, document, near, recipe, spec};
use healthfold::{HeadRate, Model, Outcome};
use serde_json::json;

#[test]
fn s10_whether_the_north_star_holds() {
    let mut book = Book::new();
    for x in 1..=12_u32 {
        let client = format!("c{x:02}");
        book.pays(&client, "2026-01-01").is(&client, "2026-01-01", json!({"attributes": {"calls": x}}));
        if [1, 2, 3, 5].contains(&x) {
            book.leaves(&client, "2026-02-10");
        }
    }
    book.pays("last", "2026-04-01");
    let model = Model::from_value(&json!({"name": "m", "north_star": "calls", "bands": bands(),
        "signals": {"calls": {"kind": "attribute", "key": "calls"}},
        "groups": [{"name": "g", "parts": [{"signal": "calls", "curve": {"points": [[0, 0], [12, 100]]}}]}]}))
    .unwrap();
    let stars = book.engine.north_star(&model, book.as_of("2026-01-31"), 28).unwrap();
    let [star] = stars.as_slice() else { panic!("one star: {stars:?}") };
    assert_eq!((star.signal.as_str(), star.n, star.retained, star.partial), ("calls", 12, 8, false));
    // Ranks of the four that left 2.5, of the eight that stayed 8.5: products 6 x (67 - 8 x 6.5) = 90, squares 143 and 96.
    let r = 90.0 / (143.0_f64 * 96.0).sqrt();
    near(star.correlation.unwrap(), r);
    // Fisher's z with error sqrt((1 + r^2 / 2) / 9).
    let half = 1.959_963_984_540_054 * ((1.0 + r * r / 2.0) / 9.0).sqrt();
    near(star.low.unwrap(), (r.atanh() - half).tanh());
    near(star.high.unwrap(), (r.atanh() + half).tanh());
    assert!(star.low.unwrap() > 0.0, "it holds");
}

#[test]
fn s20_what_is_only_tracked_is_put_to_the_test_and_moves_no_score() {
    let mut book = Book::new();
    // Quiet clients stay, those that write much leave; of four and four.
    for n in 0..8 {
        let client = format!("c{n}");
        book.pays(&client, "2026-01-01").uses(&client, "2026-02-28", "logins", 1);
        for _ in 0..if n < 4 { 0 } else { 5 } {
            book.asks(&client, "2026-02-15", "");
        }
        if n >= 5 {
            book.leaves(&client, "2026-03-10");
        }
    }
    book.pays("last", "2026-05-01");
    let heading = "A number nobody can judge yet";
    let model = recipe(heading);
    let (quiet, loud) = (book.score("c0", &model, "2026-02-28"), book.score("c7", &model, "2026-02-28"));
    assert_eq!((quiet.score, loud.score), (Some(100.0), Some(100.0)));
    let tracked = &loud.parts[1];
    assert_eq!((tracked.reading, tracked.weight, tracked.contribution), (Some(5.0), 0.0, 0.0));
    // Given a weight without a decision on its direction, the model is refused.
    let mut early = document(heading);
    early["groups"][0]["parts"][1] =
        json!({"signal": "tickets", "weight": 1, "curve": {"points": [[0, 100], [5, 0]]}});
    assert_eq!(Model::from_value(&early).unwrap_err().issues[0].path, "groups[0].parts[1].weight");
    // The very signal as it stands in the model goes into the test: 4 of 4 without tickets stay, 1 of 4 with five.
    let tickets = spec(early["signals"]["tickets"].clone());
    let lift = book.engine.lift(&tickets, &[1.0], Outcome::Retained, book.as_of("2026-02-28"), 31).unwrap();
    let rates: Vec<HeadRate> = lift.ranges.iter().map(|range| range.rate).collect();
    assert_eq!(rates, [HeadRate::new(4, 4), HeadRate::new(1, 4)]);
    assert!(!lift.partial);
    // Somebody decides, and from then on it counts: (100 + 0) / 2.
    early["signals"]["tickets"]["direction"] = json!("down");
    let decided = Model::from_value(&early).unwrap();
    near(book.points("c7", &decided, "2026-02-28"), 50.0);
}

#[test]
fn s21_clients_that_write_stay_longer_and_the_curve_can_say_so() {
    let mut book = Book::new();
    // Ten never wrote, of whom four stay; ten wrote twice, of whom nine stay.
    for n in 0..20 {
        let client = format!("c{n:02}");
        book.pays(&client, "2026-01-01");
        if n >= 10 {
            book.asks(&client, "2026-02-01", "question").asks(&client, "2026-02-10", "question");
        }
        if (4..10).contains(&n) || n == 19 {
            book.leaves(&client, "2026-03-20");
        }
    }
    book.pays("last", "2026-06-01");
    let heading = "Some contact is good";
    let tickets = spec(document(heading)["signals"]["tickets"].clone());
    let lift = book.engine.lift(&tickets, &[1.0], Outcome::Retained, book.as_of("2026-02-28"), 60).unwrap();
    assert_eq!((lift.all, lift.partial), (HeadRate::new(13, 20), false));
    let [silent, writing] = lift.ranges.as_slice() else { panic!("two ranges") };
    assert_eq!((silent.rate, writing.rate), (HeadRate::new(4, 10), HeadRate::new(9, 10)));
    // 0.4 / 0.65 and 0.9 / 0.65.
    near(silent.lift.unwrap(), 8.0 / 13.0);
    near(writing.lift.unwrap(), 18.0 / 13.0);
    // So some is better than none, and too much is not: 0, 2 and 8 tickets.
    let model = recipe(heading);
    for _ in 0..8 {
        book.asks("c00", "2026-02-01", "fault");
    }
    near(book.points("c01", &model, "2026-02-28"), 40.0);
    near(book.points("c10", &model, "2026-02-28"), 80.0);
    near(book.points("c00", &model, "2026-02-28"), 50.0);
    // A peak says the same of a scale that ends on both sides.
    let mut peak = document(heading);
    peak["groups"][0]["parts"][0]["curve"] = json!({"peak": {"low": 0, "ideal": 2, "high": 12}});
    let peak = Model::from_value(&peak).unwrap();
    near(book.points("c01", &peak, "2026-02-28"), 0.0);
    near(book.points("c10", &peak, "2026-02-28"), 100.0);
    near(book.points("c00", &peak, "2026-02-28"), 40.0);
}

#[test]
fn s22_conversion_by_tickets_in_the_trial_with_its_counts() {
    let mut book = Book::new();
    // Tickets in the trial, and whether it pays in the end.
    let trials = [(0, true), (0, false), (0, false), (0, false), (1, true), (2, false), (3, true), (4, true)];
    for (n, (tickets, pays)) in trials.into_iter().enumerate() {
        let client = format!("t{n}");
        book.subscribes(&client, "2026-03-01", "trialing", json!({"trial_end": "2026-03-15"}));
        for _ in 0..tickets {
            book.asks(&client, "2026-03-04", "question");
        }
        book.subscribes(&client, "2026-03-15", if pays { "active" } else { "cancelled" }, json!({}));
    }
    // Who pays already is not asked about.
    book.pays("old", "2025-01-01").asks("old", "2026-03-04", "question").pays("last", "2026-05-01");
    let set = document("A trial in which nobody asks");
    let tickets = spec(set["models"][0]["model"]["signals"]["tickets"].clone());
    let as_of = book.as_of("2026-03-14");
    let lift = book.engine.lift(&tickets, &[1.0, 3.0], Outcome::Converted, as_of, 30).unwrap();
    let rates: Vec<HeadRate> = lift.ranges.iter().map(|range| range.rate).collect();
    assert_eq!(rates, [HeadRate::new(1, 4), HeadRate::new(1, 2), HeadRate::new(2, 2)]);
    assert_eq!(lift.all, HeadRate::new(4, 8));
    // The measure is part of the trial's score alone.
    let model = Model::from_value(&set).unwrap();
    let during = book.score("t4", &model, "2026-03-05");
    assert_eq!((during.stage.as_deref(), during.parts[0].signal.as_str()), (Some("trial"), "tickets"));
    // One of two tickets: half of the way from 60 to 100.
    near(during.score.unwrap(), 80.0);
    let after = book.score("t4", &model, "2026-03-16");
    assert_eq!((after.stage, after.parts.len(), after.parts[0].signal.as_str()), (None, 1, "quiet"));
}

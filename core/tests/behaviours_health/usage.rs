//! Use of the product: against the client's own habit, its season, and a feed that may be broken.

use crate::book::{Book, day, document, effect, near, recipe};
use healthfold::{Missing, Model, RankOptions, RankWithin, ScoresOf};
use serde_json::json;

const LOST: &str = "many missed calls";
const FEWER: &str = "fewer calls than usual";

#[test]
fn s41_missed_calls_take_points_away() {
    let model = recipe("Fewer calls, many missed");
    let mut book = Book::new();
    for (client, calls, missed) in [("acme", 100, 26), ("few", 10, 10), ("none", 0, 0)] {
        book.stands_at(client, 80).uses(client, "2026-03-05", "calls", calls).uses(
            client,
            "2026-03-05",
            "missed",
            missed,
        );
    }
    // 26 of 100: (0.26 - 0.2) / 0.3 x -20 = -4.
    let health = book.score("acme", &model, "2026-03-10");
    near(effect(&health, LOST), -4.0);
    near(health.score.unwrap(), 76.0);
    // All of 10 calls are too few to say; of no calls nothing is missed, and nothing is known.
    let share = &document("Fewer calls, many missed")["signals"]["missed_share"];
    for client in ["few", "none"] {
        near(book.points(client, &model, "2026-03-10"), 80.0);
        let reading = book.signal(client, share.clone(), "2026-03-10");
        assert_eq!((reading.value(), reading.missing()), (None, Some(Missing::TooLittle)), "{client}");
    }
}

#[test]
fn s42_a_fall_and_a_large_share_are_two_effects_each_once() {
    let model = recipe("Fewer calls, many missed");
    let mut book = Book::new();
    book.stands_at("acme", 80);
    // 56 days from 5 January on: 8 and 12 by turns; then four a day for ten days, from 2 March on.
    for n in 0..66 {
        let calls = if n >= 56 { 4 } else { 8 + 4 * (n % 2) };
        book.uses("acme", &day("2026-01-05", n), "calls", u32::try_from(calls).unwrap());
    }
    // As of 8 March: 23 days before 2 March, 12 of them at 12: 144 + 88 = 232, and 28: 260. 91 missed: 0.35, -10.
    book.uses("acme", "2026-03-02", "missed", 91);
    let health = book.score("acme", &model, "2026-03-08");
    near(effect(&health, LOST), -10.0);
    // Mean 10, deviation sqrt(56 x 4 / 55); (4 - 10) / that, and 7.5 points for each beyond -1.
    let fall = -6.0 / (56.0_f64 * 4.0 / 55.0).sqrt();
    near(effect(&health, FEWER), (fall + 1.0) * 7.5);
    near(health.score.unwrap(), 80.0 - 10.0 + (fall + 1.0) * 7.5);
    assert_eq!(health.adjustments.len(), 2);
    // On each further day of the same episode they stand there once, and do not pile up.
    for as_of in ["2026-03-09", "2026-03-10", "2026-03-11"] {
        let health = book.score("acme", &model, as_of);
        assert_eq!(health.adjustments.len(), 2);
        near(health.score.unwrap(), 80.0 + effect(&health, LOST) + effect(&health, FEWER));
        assert!(health.score.unwrap() >= 80.0 - 20.0 - 15.0);
    }
    // One without the other: a client that calls as ever and misses many.
    book.stands_at("elm", 80);
    for n in 0..63 {
        book.uses("elm", &day("2026-01-05", n), "calls", u32::try_from(8 + 4 * (n % 2)).unwrap());
    }
    book.uses("elm", "2026-03-02", "missed", 100);
    let health = book.score("elm", &model, "2026-03-08");
    near(effect(&health, FEWER), 0.0);
    // 30 days: 15 x 20 = 300 calls, a third missed.
    near(effect(&health, LOST), (1.0 / 3.0 - 0.2) / 0.3 * -20.0);
}

#[test]
fn s50_a_dead_season_is_no_trouble_and_the_same_fall_at_the_peak_is() {
    let model = recipe("A seasonal business");
    let mut book = Book::new();
    book.stands_at("hotel", 80);
    // Ten a day in the 28 days before, two in the 28 days to 31 January; in July ten, but two in 2026.
    for (year, summer) in [("2025", 10), ("2026", 2)] {
        for n in 0..28 {
            book.uses("hotel", &day(&format!("{year}-01-31"), -n), "bookings", 2);
            book.uses("hotel", &day(&format!("{year}-01-31"), -28 - n), "bookings", 10);
            book.uses("hotel", &day(&format!("{year}-07-31"), -n), "bookings", summer);
            book.uses("hotel", &day(&format!("{year}-07-31"), -28 - n), "bookings", 10);
        }
    }
    let trend = json!({"kind": "usage_trend", "metric": "bookings", "days": 28});
    for as_of in ["2026-01-31", "2026-07-31"] {
        assert_eq!(book.signal("hotel", trend.clone(), as_of).value(), Some(0.2), "the same fall");
    }
    // 56 / 56 in winter, 56 / 280 in summer: below 0.5, so all of the 20 points.
    near(book.points("hotel", &model, "2026-01-31"), 80.0);
    near(book.points("hotel", &model, "2026-07-31"), 60.0);
    // There was no summer before 2025: nothing to hold it against.
    near(book.points("hotel", &model, "2025-07-31"), 80.0);
}

#[test]
fn s51_a_silent_feed_is_no_fall_in_usage() {
    let model = recipe("A feed that breaks");
    let mut book = Book::new();
    for n in 0..10 {
        book.uses("acme", &day("2026-03-01", n), "calls", 5);
    }
    book.uses("elm", "2026-03-01", "calls", 5);
    // The last that was heard is of 10 March. On the 12th that is two days ago: 5 x 5 calls, of 50.
    near(book.points("acme", &model, "2026-03-12"), 50.0);
    // Elm is quiet while acme is heard of: that is its own doing.
    near(book.points("elm", &model, "2026-03-12"), 0.0);
    for client in ["acme", "elm"] {
        let health = book.score(client, &model, "2026-03-13");
        assert_eq!((health.score, health.band.as_str(), health.coverage), (None, "unknown", 0.0));
        assert_eq!(health.parts[0].missing, Some(Missing::SourceSilent));
    }
    // It is mended, and what was missed comes in.
    book.uses("acme", "2026-03-13", "calls", 5);
    near(book.points("acme", &model, "2026-03-13"), 50.0);
}

#[test]
fn s49_depth_is_the_share_of_integrations_that_live() {
    let model = recipe("Features that stick");
    let mut book = Book::new();
    book.uses("acme", "2026-03-02", "crm_sync", 3).uses("acme", "2026-03-05", "webhooks", 1);
    book.uses("acme", "2026-03-05", "logins", 50);
    book.uses("elm", "2026-03-05", "logins", 50);
    // Two of four, and none of four.
    near(book.points("acme", &model, "2026-03-10"), 80.0);
    near(book.points("elm", &model, "2026-03-10"), 20.0);
}

#[test]
fn s58_weekly_users_within_a_segment_and_as_a_share_of_seats() {
    let mut book = Book::new();
    for (client, segment, users, seats) in
        [("a", "smb", 2, 4), ("b", "smb", 6, 6), ("c", "smb", 2, 10), ("d", "large", 30, 100)]
    {
        let users: Vec<String> = (0..users).map(|n| format!("u{n}")).collect();
        book.is(client, "2026-03-01", json!({"segment": segment, "owner": "ann"}));
        book.subscribes(client, "2026-03-01", "active", json!({"seats": seats}));
        let data = json!({"metric": "logins", "day": "2026-03-05", "count": users.len(), "users": users});
        book.event("usage.day_set", client, "2026-03-05T23:00:00Z", data);
    }
    let ranked = |signal, within| {
        let options = RankOptions { within, ..RankOptions::default() };
        let by = crate::book::spec(signal);
        let rows = book.engine.rank(&by, book.as_of("2026-03-06"), ScoresOf::All, options);
        let row = |row: healthfold::RankRow| (row.client.to_string(), row.value, row.place, row.percentile);
        rows.into_iter().map(row).collect::<Vec<_>>()
    };
    let row = |client: &str, value, place, percentile| {
        (client.to_owned(), Some(value), Some(place), Some(percentile))
    };
    // Of three in smb: b above two and half itself, a and c above nobody, half of the two of them. d is alone.
    let wau = ranked(json!({"kind": "active_users", "days": 7}), RankWithin::Segment);
    let of = |client: &str| wau.iter().find(|row| row.0 == client).cloned().unwrap();
    assert_eq!(of("b"), row("b", 6.0, 1, (2.0 + 0.5) / 3.0 * 100.0));
    assert_eq!(of("a"), row("a", 2.0, 2, 1.0 / 3.0 * 100.0));
    assert_eq!(of("c"), row("c", 2.0, 2, 1.0 / 3.0 * 100.0));
    assert_eq!(of("d"), row("d", 30.0, 1, 50.0));
    // Of their seats: 6/6, 2/4, 30/100, 2/10.
    let seats = ranked(json!({"kind": "seat_use", "days": 7}), RankWithin::All);
    let shares: Vec<(&str, f64)> = seats.iter().map(|row| (row.0.as_str(), row.1.unwrap())).collect();
    assert_eq!(shares, [("b", 1.0), ("a", 0.5), ("d", 0.3), ("c", 0.2)]);
}

#[test]
fn s40_a_score_is_made_of_the_users_own_measures_and_weights() {
    let mut book = Book::new();
    book.uses("acme", "2026-03-05", "loaves", 80).uses("acme", "2026-03-05", "complaints", 3);
    let score = |loaves: f64, complaints: f64| {
        let model = json!({"name": "bakery", "bands": crate::book::bands(),
            "signals": {"loaves": {"kind": "usage_sum", "metric": "loaves", "days": 7}, "complaints": {"kind": "usage_sum", "metric": "complaints", "days": 7, "direction": "down"}},
            "groups": [{"name": "all", "parts": [
                {"signal": "loaves", "weight": loaves, "curve": {"points": [[0, 0], [100, 100]]}},
                {"signal": "complaints", "weight": complaints, "curve": {"points": [[0, 100], [5, 0]]}}]}]});
        book.points("acme", &Model::from_value(&model).unwrap(), "2026-03-06")
    };
    // 80 and 40 points: (3 x 80 + 40) / 4 and (80 + 3 x 40) / 4; only the proportion of weights counts.
    near(score(3.0, 1.0), 70.0);
    near(score(1.0, 3.0), 50.0);
    near(score(75.0, 25.0), 70.0);
    near(score(1.0, 0.0), 80.0);
}

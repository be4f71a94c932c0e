//! What is due by a day, and what is agreed upon.

use crate::book::{Book, effect, near, recipe};
use healthfold::Missing;
use serde_json::json;

#[test]
fn s48_an_overdue_review_lowers_engagement() {
    let model = recipe("A review that is overdue");
    let mut book = Book::new();
    for client in ["kept", "missed"] {
        book.pays(client, "2026-01-01");
    }
    book.reaches("kept", "2026-02-20", "audit").reaches("kept", "2026-03-20", "results_review");
    // 60 days after 1 January are 2 March, 90 are 1 April; what is due is late from the next day on.
    for (as_of, missed) in
        [("2026-03-02", 100.0), ("2026-03-03", 40.0), ("2026-04-01", 40.0), ("2026-04-02", 0.0)]
    {
        near(book.points("kept", &model, as_of), 100.0);
        near(book.points("missed", &model, as_of), missed);
    }
    // Better late than never: one of two is still open.
    book.reaches("missed", "2026-04-10", "audit");
    near(book.points("missed", &model, "2026-04-10"), 40.0);
    // Who does not pay yet owes no review.
    book.subscribes("trial", "2026-01-01", "trialing", json!({}));
    assert_eq!(book.score("trial", &model, "2026-04-10").parts[0].missing, Some(Missing::NeverSeen));
}

#[test]
fn s56_the_share_of_goals_met_is_a_measure() {
    let model = recipe("Goals met");
    let mut book = Book::new();
    let goals = |set: u32, met: u32| json!({"attributes": {"goals_set": set, "goals_met": met}});
    book.is("acme", "2026-01-01", goals(4, 0)).is("acme", "2026-02-01", goals(4, 1)).is(
        "acme",
        "2026-03-01",
        goals(4, 2),
    );
    // One is dropped: of the three that are left two are met.
    book.is("acme", "2026-04-01", json!({"attributes": {"goals_set": 3}}));
    let by_hand =
        [("2026-01-15", 0.0), ("2026-02-15", 25.0), ("2026-03-15", 50.0), ("2026-04-15", 200.0 / 3.0)];
    for (as_of, points) in by_hand {
        near(book.points("acme", &model, as_of), points);
    }
    // All of them dropped is no 0 %, and neither is no goal at all.
    book.is("acme", "2026-05-01", goals(0, 0)).is("elm", "2026-01-01", json!({"segment": "smb"}));
    let missing = |client: &str| book.score(client, &model, "2026-05-02").parts[0].missing;
    assert_eq!((missing("acme"), missing("elm")), (Some(Missing::TooLittle), Some(Missing::NeverSeen)));
}

#[test]
fn s62_the_same_client_is_more_urgent_near_its_renewal() {
    let model = recipe("The months before a renewal");
    let mut book = Book::new();
    for (client, mood) in [("low", 30), ("fine", 80)] {
        book.stands_at(client, 70).subscribes(
            client,
            "2026-01-01",
            "active",
            json!({"term_end": "2026-12-31"}),
        );
        for time in ["2026-06-01", "2026-10-01"] {
            book.event("client.sentiment_set", client, time, json!({"value": mood}));
        }
    }
    // 91 days before 31 December is 1 October.
    near(book.points("low", &model, "2026-10-01"), 70.0);
    let near_end = book.score("low", &model, "2026-10-02");
    assert_eq!((near_end.score, near_end.band.as_str()), (Some(39.0), "red"));
    near(effect(&near_end, "renews soon, in low spirits"), -31.0);
    near(book.points("fine", &model, "2026-10-02"), 70.0);
}

#[test]
fn s90_instalments_suspend_what_is_overdue_and_a_broken_plan_restores_it() {
    let model = recipe("A client who owes");
    let mut book = Book::new();
    for client in ["kept", "broken", "lapsed", "none"] {
        book.stands_at(client, 80);
        let invoice = json!({"invoice": client, "amount": "300", "currency": "USD", "due": "2026-01-01"});
        book.event("billing.invoice_issued", client, "2025-12-01", invoice);
    }
    let plan = |until: &str| json!({"plan_id": "P", "until": until});
    for client in ["kept", "broken", "lapsed"] {
        book.event("billing.payment_plan_set", client, "2026-02-20T12:00:00Z", plan("2026-04-01"));
    }
    book.event("billing.payment_plan_set", "broken", "2026-03-05T12:00:00Z", plan("2026-03-05"));
    book.event("billing.invoice_paid", "kept", "2026-03-30", json!({"invoice": "kept"}));
    // 1 January to 19 February are 49 days: -15, and the cap of 39.
    for client in ["kept", "broken", "lapsed", "none"] {
        let health = book.score(client, &model, "2026-02-19");
        near(effect(&health, "late"), -15.0);
        near(health.score.unwrap(), 39.0);
    }
    // While the plan runs nothing is overdue.
    for client in ["kept", "broken", "lapsed"] {
        near(book.points(client, &model, "2026-03-01"), 80.0);
    }
    near(book.points("none", &model, "2026-03-01"), 39.0);
    // Broken on 5 March: 63 days are back at once, not counted anew.
    let overdue =
        |client: &str, as_of: &str| book.signal(client, json!({"kind": "overdue_days"}), as_of).value();
    near(book.points("broken", &model, "2026-03-05T11:00:00Z"), 80.0);
    near(book.points("broken", &model, "2026-03-05T13:00:00Z"), 39.0);
    assert_eq!(overdue("broken", "2026-03-05"), Some(63.0));
    // Who paid is free for good; whose plan ran out unpaid is not, and no event had to come.
    assert_eq!((overdue("kept", "2026-04-02"), overdue("lapsed", "2026-03-31")), (Some(0.0), Some(0.0)));
    assert_eq!(overdue("lapsed", "2026-04-01"), Some(90.0));
    near(book.points("lapsed", &model, "2026-04-01"), 39.0);
}

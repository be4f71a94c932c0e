//! Tickets: what they are about, how many, how soon they are answered.

use crate::book::{Book, day, effect, near, recipe};
use healthfold::{Model, NetPromoters, ScoresOf};
use serde_json::{Value, json};

#[test]
fn s71_a_cancel_request_caps_the_score_at_once() {
    let model = recipe("A cancel request");
    let mut book = Book::new();
    book.stands_at("acme", 90).stands_at("elm", 90);
    book.asks("acme", "2026-03-10T10:00:00Z", "cancel_request");
    // At elm it was first taken for a question of billing.
    book.event(
        "support.ticket_opened",
        "elm",
        "2026-03-10T10:00:00Z",
        json!({"ticket": "E", "topic": "billing"}),
    );
    book.event(
        "support.ticket_updated",
        "elm",
        "2026-03-10T12:00:00Z",
        json!({"ticket": "E", "topic": "cancel_request"}),
    );
    near(book.points("acme", &model, "2026-03-10T09:59:59Z"), 90.0);
    let asked = book.score("acme", &model, "2026-03-10T10:00:00Z");
    assert_eq!((asked.score, asked.band.as_str()), (Some(35.0), "red"));
    near(effect(&asked, "asked to cancel"), -55.0);
    near(book.points("elm", &model, "2026-03-10T11:00:00Z"), 90.0);
    near(book.points("elm", &model, "2026-03-10T12:00:00Z"), 35.0);
    // 10 March to 8 April are 30 days.
    near(book.points("acme", &model, "2026-04-08"), 35.0);
    near(book.points("acme", &model, "2026-04-09"), 90.0);
    // And in every shipped model.
    for model in [Model::default(), Model::usage_based("calls").unwrap(), Model::high_touch()] {
        let limit = model.to_json()["limits"]
            .as_array()
            .unwrap()
            .iter()
            .find(|limit| limit["name"] == "asked to cancel");
        assert_eq!(limit.unwrap()["cap"], 35, "{}", model.name());
    }
}

#[test]
fn s70_topics_weigh_differently() {
    let model = recipe("Topics that weigh differently");
    let mut book = Book::new();
    book.stands_at("acme", 60);
    for topic in ["fault", "fault", "question", "payment", ""] {
        book.asks("acme", "2026-03-02T10:00:00Z", topic);
    }
    // Faults 2 x -3, questions 1 x 2, the payment and the one without a topic nothing: 60 - 6 + 2.
    let health = book.score("acme", &model, "2026-03-02");
    near(effect(&health, "faults"), -6.0);
    near(effect(&health, "questions"), 2.0);
    near(health.score.unwrap(), 56.0);
    book.asks("acme", "2026-03-03T10:00:00Z", "cancel_request");
    near(book.points("acme", &model, "2026-03-03"), 16.0);
}

/// So many tickets in each week of 1 January to 25 March, which are 84 days, and in the seven days to 1 April.
fn tickets(book: &mut Book, client: &str, weekly: i32, last: i32) {
    book.stands_at(client, 80);
    for week in 0..13 {
        for n in 0..if week < 12 { weekly } else { last } {
            book.asks(client, &day("2026-01-01", week * 7 + n % 7), "");
        }
    }
}

#[test]
fn s60_a_wave_is_one_against_the_clients_own_rate() {
    let model = recipe("A wave of tickets");
    let mut book = Book::new();
    tickets(&mut book, "small", 2, 8);
    tickets(&mut book, "large", 40, 46);
    let surge =
        |client: &str| book.signal(client, json!({"kind": "ticket_surge"}), "2026-04-01").value().unwrap();
    // P(X >= 8 | 2) = 1 - e^-2 (1 + 2 + 2 + 4/3 + 2/3 + 4/15 + 4/45 + 8/315) = 0.0010967; P(X >= 46 | 40) = 0.19035.
    near(surge("small"), 2.959_904_645_300_910_4);
    near(surge("large"), 0.720_447_320_618_357_7);
    let health = book.score("small", &model, "2026-04-01");
    near(effect(&health, "a wave of tickets"), -15.0 * 0.959_904_645_300_910_4);
    let health = book.score("large", &model, "2026-04-01");
    near(effect(&health, "a wave of tickets"), 0.0);
    near(health.score.unwrap(), 80.0);
}

#[test]
fn s32_answers_are_judged_by_rating_and_first_response_alone() {
    let default = Model::default();
    let signals = default.to_json()["signals"].as_object().unwrap();
    let kinds: Vec<&str> = signals.values().map(|signal| signal["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"csat") && kinds.contains(&"first_response_hours"));
    assert!(!kinds.contains(&"resolution_hours"), "on offer, and off");
    // Answered after 1, 2 and 30 hours: the median is 2, where a mean would say 11.
    let mut book = Book::new();
    for (ticket, replied) in [("a", "02T11"), ("b", "02T12"), ("c", "03T16")] {
        book.event("support.ticket_opened", "acme", "2026-03-02T10:00:00Z", json!({"ticket": ticket}));
        let reply = json!({"ticket": ticket, "by": "agent"});
        book.event("support.ticket_replied", "acme", &format!("2026-03-{replied}:00:00Z"), reply);
    }
    let part = |health: healthfold::HealthScore| {
        health.parts.into_iter().find(|part| part.signal == "first_response_hours").unwrap().reading
    };
    assert_eq!(part(book.score("acme", &default, "2026-03-05")), Some(2.0));
    let hours = |more: Value| {
        let mut signal = json!({"kind": "first_response_hours", "days": 30});
        signal["quantile"] = more;
        book.signal("acme", signal, "2026-03-05").value().unwrap()
    };
    // h = 2 x 0.9 = 1.8: 2 + 0.8 x 28.
    near(hours(json!(0.9)), 24.4);
    let refused = json!({"kind": "first_response_hours", "days": 30, "take": "mean"}).to_string();
    assert!(healthfold::SignalSpec::from_json(&refused).is_err(), "no mean is on offer");
}

#[test]
fn s93_breach_is_measured_against_the_clients_own_sla() {
    let model = recipe("An SLA of its own");
    let mut book = Book::new();
    book.is("strict", "2026-01-01", json!({"attributes": {"sla_hours": 2}}));
    for client in ["strict", "usual"] {
        // Five tickets: four answered after 1 hour, one after 3.
        for n in 0..5 {
            let (ticket, hour) = (format!("{client}-{n}"), if n == 0 { 13 } else { 11 });
            book.event("support.ticket_opened", client, "2026-03-02T10:00:00Z", json!({"ticket": ticket}));
            let reply = json!({"ticket": ticket, "by": "agent"});
            book.event("support.ticket_replied", client, &format!("2026-03-02T{hour}:00:00Z"), reply);
        }
    }
    // Of its own 2 hours 4 of 5 are kept, worth 40; of the 8 of everybody else all.
    near(book.points("strict", &model, "2026-03-03"), 40.0);
    near(book.points("usual", &model, "2026-03-03"), 100.0);
}

#[test]
fn s55_nps_per_client_and_segment_with_its_answers_and_old_ones_age_out() {
    let mut book = Book::new();
    for (client, segment) in [("acme", "smb"), ("elm", "smb"), ("oak", "large")] {
        book.is(client, "2025-01-01", json!({"segment": segment}));
    }
    let mut answer = |client: &str, day: &str, user: &str, score: u32| {
        book.event("client.nps_answered", client, day, json!({"score": score, "user": user}));
    };
    answer("acme", "2026-01-01", "u-1", 3);
    answer("acme", "2026-03-01", "u-1", 10);
    answer("acme", "2026-01-10", "u-2", 2);
    answer("elm", "2026-03-01", "u-1", 7);
    let nps = |client: &str, as_of: &str| book.signal(client, json!({"kind": "nps", "days": 90}), as_of);
    // Latest of each user: 10 and 2: (1/2 - 1/2) x 100; 7 is passive.
    assert_eq!((nps("acme", "2026-03-31").value(), nps("elm", "2026-03-31").value()), (Some(0.0), Some(0.0)));
    // 10 January to 9 April are 90 days; a day later only the 10 of u-1 is left.
    assert_eq!(nps("acme", "2026-04-09").value(), Some(0.0));
    assert_eq!(nps("acme", "2026-04-10").value(), Some(100.0));
    assert_eq!(nps("acme", "2026-06-01").missing().map(|missing| missing.as_str()), Some("too_little"));
    // By client, segment and all together, with how many answers there are: 10, 2 and 7, and then 10 and 7.
    let of_book = |as_of: &str| book.engine.book_nps(book.as_of(as_of), 90, ScoresOf::All).unwrap();
    let counts = |of: &NetPromoters| (of.answers, of.nps);
    let march = of_book("2026-03-31");
    let by_client: Vec<_> =
        march.by_client.iter().map(|row| (row.client.as_str(), counts(&row.answered))).collect();
    assert_eq!(by_client, [("acme", (2, Some(0.0))), ("elm", (1, Some(0.0)))]);
    let by_segment: Vec<_> = (march.by_segment.iter())
        .map(|row| {
            (
                row.segment.as_ref().unwrap().as_str(),
                row.clients.part,
                row.clients.whole,
                counts(&row.answered),
            )
        })
        .collect();
    assert_eq!(by_segment, [("large", 0, 1, (0, None)), ("smb", 2, 2, (3, Some(0.0)))]);
    assert_eq!(counts(&of_book("2026-04-10").total), (2, Some(50.0)));
}

//! Whose doing it is: owners, who is looked after, and what a team is measured by.

use crate::book::{BEFORE, Book, at, near, options, row};
use healthfold::{Scorecard, Target};
use serde_json::{Value, json, to_value};

fn targets(book: &Book, period: &str, targets: Value) -> Value {
    let targets = Target::list_from_json(&targets.to_string()).unwrap();
    let answer = book.engine.targets(book.period(period), &targets, &options(json!({})));
    to_value(answer.unwrap()).unwrap()["rows"].clone()
}

#[test]
fn s13_targets_belong_to_owners() {
    let mut book = Book::new();
    for (client, owner, after) in [("a", "ann", 120), ("b", "ann", 100), ("c", "bob", 70)] {
        book.pays(client, BEFORE, 100).pays(client, "2026-03-10", after).is(
            client,
            BEFORE,
            json!({"owner": owner}),
        );
    }
    let wanted = |owner: &str| {
        [
            json!({"metric": "nrr", "owner": owner, "target": "1.1"}),
            json!({"metric": "grr", "owner": owner, "target": "0.8"}),
        ]
    };
    let rows = targets(&book, "2026-03", json!([wanted("ann"), wanted("bob")].concat()));
    // Ann: 220 / 200 and 200 / 200. Bob: 70 / 100 both.
    for (i, (value, gap, met)) in
        [(1.1, 0.0, true), (1.0, 0.2, true), (0.7, -0.4, false), (0.7, -0.1, false)].into_iter().enumerate()
    {
        near(&rows[i]["value"], value);
        near(&rows[i]["gap"], gap);
        assert_eq!(rows[i]["met"], met, "row {i}");
    }
}

#[test]
fn s14_who_owned_the_client_then_answers_for_it() {
    let mut book = Book::new();
    for client in ["early", "late", "stays"] {
        book.pays(client, BEFORE, 100).is(client, BEFORE, json!({"owner": "ann"}));
        book.is(client, "2026-03-10", json!({"owner": "bob"}));
    }
    book.leaves("early", "2026-03-08").leaves("late", "2026-03-20");
    let settings = json!({"group_by": "owner", "attribution": "interval"});
    let march = book.revenue("2026-03", settings);
    // Bob owns all of them today; the one that left before the 10th was lost by ann.
    let churn = |owner: &str| at(row(&march["groups"], "key", owner), "churn.mrr").clone();
    assert_eq!((churn("ann"), churn("bob")), (json!("100"), json!("100")));
    assert_eq!(at(row(&march["groups"], "key", "bob"), "transferred_in.mrr"), "200");
}

#[test]
fn s18_managed_and_unmanaged_are_cut_by_intervals() {
    let mut book = Book::new();
    for client in ["kpi", "team", "moves"] {
        book.pays(client, BEFORE, 100);
    }
    book.is("kpi", BEFORE, json!({"owner": "ann"})).is("moves", "2026-03-15", json!({"owner": "ann"}));
    book.pays("moves", "2026-03-20", 150).leaves("team", "2026-03-05");
    let managed = |attribution: &str, managed: bool, path: &str| {
        let march = book.revenue("2026-03", json!({"group_by": "managed", "attribution": attribution}));
        at(row(&march["groups"], "key", managed), path).clone()
    };
    // At opening one is managed and two are not. What moves did on the 20th it did while ann looked after it.
    assert_eq!(managed("opening", true, "opening.mrr"), "100");
    assert_eq!(managed("opening", false, "expansion.mrr"), "50");
    assert_eq!(managed("interval", true, "expansion.mrr"), "50");
    assert_eq!(managed("interval", false, "expansion.mrr"), "0");
    assert_eq!(managed("interval", false, "churn.mrr"), "100");
    near(&managed("opening", false, "logo_churn.value"), 0.5);
}

#[test]
fn s64_arrivals_do_not_help() {
    let mut book = Book::new();
    for i in 0..10 {
        book.pays(&format!("old{i}"), BEFORE, 10).is(&format!("old{i}"), BEFORE, json!({"owner": "ann"}));
    }
    book.leaves("old0", "2026-03-10").leaves("old1", "2026-03-11");
    for i in 0..5 {
        book.pays(&format!("new{i}"), "2026-03-05", 10).is(
            &format!("new{i}"),
            "2026-03-05",
            json!({"owner": "ann"}),
        );
    }
    // One of bob's comes over: not of ann's opening book either.
    book.pays("bobs", BEFORE, 10).is("bobs", BEFORE, json!({"owner": "bob"}));
    book.is("bobs", "2026-03-02", json!({"owner": "ann"}));
    let march = book.revenue("2026-03", json!({"group_by": "owner"}));
    let ann = row(&march["groups"], "key", "ann");
    assert_eq!((at(ann, "logo_retention.part"), at(ann, "logo_retention.whole")), (&json!(8), &json!(10)));
    let rows =
        targets(&book, "2026-03", json!([{"metric": "logo_retention", "owner": "ann", "target": "0.9"}]));
    near(&rows[0]["gap"], -0.1);
    assert_eq!(rows[0]["met"], false);
}

#[test]
fn s84_two_scorecards_from_one_log() {
    let mut book = Book::new();
    for (client, amount) in [("a", 100), ("b", 50)] {
        book.pays(client, BEFORE, amount);
    }
    book.leaves("b", "2026-03-20");
    for (client, hours, rating) in [("a", "10", 5), ("b", "14", 2)] {
        book.event("support.ticket_opened", client, "2026-03-05T08:00:00Z", json!({"ticket": client}));
        let reply = format!("2026-03-05T{hours}:00:00Z");
        book.event("support.ticket_replied", client, &reply, json!({"ticket": client, "by": "agent"}));
        book.event("support.ticket_rated", client, "2026-03-06", json!({"ticket": client, "rating": rating}));
    }
    let fill = |card: Value| {
        let card = Scorecard::from_json(&card.to_string()).unwrap();
        let answer = book.engine.scorecard(&card, book.period("2026-03"), &options(json!({}))).unwrap();
        to_value(answer).unwrap()["rows"].clone()
    };
    let support = fill(json!({"name": "support", "metrics": [
        {"signal": {"kind": "first_response_hours", "days": 30}, "aggregate": "mean"},
        {"signal": {"kind": "csat", "days": 30}, "aggregate": "mean"}]}));
    let cs = fill(json!({"name": "cs", "metrics": [{"metric": "logo_churn"}, {"metric": "nrr"}]}));
    let names = |rows: &Value| -> Vec<Value> {
        rows.as_array().unwrap().iter().map(|row| row["name"].clone()).collect()
    };
    assert_eq!(names(&support), ["first_response_hours", "csat"]);
    assert_eq!(names(&cs), ["logo_churn", "nrr"]);
    // (2 + 6) / 2 hours, (5 + 2) / 2; 1 of 2 left with 50 of 150.
    near(&support[0]["value"], 4.0);
    near(&support[1]["value"], 3.5);
    near(&cs[0]["value"], 0.5);
    near(&cs[1]["value"], 100.0 / 150.0);
}

#[test]
fn s92_served_clients_grow() {
    let mut book = Book::new();
    for (client, owner, segment, before, after) in [
        ("a", Some("ann"), "smb", 100, 120),
        ("b", None, "smb", 100, 105),
        ("c", Some("ann"), "large", 1000, 1500),
    ] {
        book.pays(client, BEFORE, before).pays(client, "2026-03-10", after);
        book.is(client, BEFORE, json!({"owner": owner, "segment": segment}));
    }
    let rate = |managed: bool, settings: Value| {
        let march = book.revenue("2026-03", settings);
        at(row(&march["groups"], "key", managed), "expansion_rate.value").clone()
    };
    // Served 520 / 1100 against 5 / 100; among clients of one segment 20 / 100 against 5 / 100.
    near(&rate(true, json!({"group_by": "managed"})), 520.0 / 1100.0);
    near(&rate(false, json!({"group_by": "managed"})), 0.05);
    let matched = json!({"group_by": "managed", "only_clients": ["a", "b"]});
    near(&rate(true, matched.clone()), 0.2);
    near(&rate(false, matched), 0.05);
}

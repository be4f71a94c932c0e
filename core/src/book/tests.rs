//! The order of clients, and what counts as a fact.

use super::*;
use crate::event::Event;

#[test]
fn clients_are_in_the_order_of_their_ids() {
    let in_order = [
        "a",
        "a\0",
        "a\0b",
        "a-client-of-15-c",
        "a-client-of-15-c\0",
        "a-client-of-15-chars",
        "a-client-of-15-d",
        "b",
        "\u{e9}",
    ];
    let mut book = Book::default();
    for place in [3, 8, 1, 5, 0, 7, 4, 2, 6] {
        book.slot_or_new(&ClientId::from(in_order[place]));
    }
    assert!(book.all().map(|client| client.id.as_str()).eq(in_order));
}

/// All of them begin alike, and one is made of two subjects, under an id that is no subject.
#[test]
fn clients_of_several_subjects_stand_among_the_others() {
    let (zone, key) = (Zone::utc(), [0; 32]);
    let mut book = Book::default();
    let into = r#"{"into":"client-3"}"#;
    for (id, subject, kind, data) in [
        ("1", "client-4", "client.merged_into", into),
        ("2", "client-2", "client.merged_into", into),
        ("3", "client-4", "client.sentiment_set", r#"{"value":50}"#),
    ] {
        let json = format!(
            r#"{{"id":"{id}","source":"s","type":"{kind}","subject":"{subject}","time":"2026-01-05T10:00:00Z","data":{data}}}"#
        );
        book.fold(&Event::from_json(json.as_bytes()).unwrap().borrowed(), None, &zone, &key);
    }
    for subject in ["client-5", "client-10", "client-1", "client-31"] {
        book.slot_or_new(&ClientId::from(subject));
    }
    let in_order = ["client-1", "client-10", "client-3", "client-31", "client-5"];
    assert_eq!(book.all().map(|client| client.id.as_str()).collect::<Vec<_>>(), in_order);
}

#[test]
fn what_was_taken_back_before_it_came_is_no_fact() {
    let (zone, key) = (Zone::utc(), [0; 32]);
    let mut book = Book::default();
    let mut payments = |id: &str, kind: &str, subject: &str, data: &str| {
        let json = format!(
            r#"{{"id":"{id}","source":"s","type":"{kind}","subject":"{subject}","time":"2026-01-05T10:00:00Z","data":{data}}}"#
        );
        book.fold(&Event::from_json(json.as_bytes()).unwrap().borrowed(), None, &zone, &key);
        // Worked out once, and kept fresh from here to the next retraction.
        book.facts().payments.is_some()
    };
    let retraction = |id: &str, kind: &str| format!(r#"{{"source":"s","id":"{id}","type":"{kind}"}}"#);
    assert!(!payments("1", "client.merged_into", "b", r#"{"into":"a"}"#));
    assert!(!payments("2", "event.retracted", "a", &retraction("p1", "billing.payment_failed")));
    assert!(!payments("3", "event.retracted", "a", &retraction("p2", "billing.invoice_paid")));
    assert!(!payments("p1", "billing.payment_failed", "a", "{}"), "its own subject took it back");
    assert!(!payments("p1", "billing.payment_failed", "b", "{}"), "one client with a");
    assert!(payments("p2", "billing.payment_failed", "b", "{}"), "a retraction of another type");
}

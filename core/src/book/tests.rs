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
    assert!(book.roster().iter().map(|member| member.id.as_str()).eq(in_order));
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

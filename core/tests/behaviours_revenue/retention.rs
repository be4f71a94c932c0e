//! Movements and what stays.

use crate::book::{BEFORE, Book, at, near, options, row};
use healthfold::PeriodUnit;
use serde_json::{json, to_value};

#[test]
fn s11_four_movements_sum_exactly() {
    let mut book = Book::new();
    book.pays("up", BEFORE, 100).pays("up", "2026-03-05", 130);
    book.pays_with("cross", BEFORE, 50, json!({"product": "crm"}));
    book.pays_with("cross", "2026-03-06", 40, json!({"subscription": "s2", "product": "desk"}));
    book.pays("down", BEFORE, 80).pays("down", "2026-03-07", 60);
    book.pays("gone", BEFORE, 50).leaves("gone", "2026-03-08");
    book.pays("back", BEFORE, 25).leaves("back", "2026-02-10").pays("back", "2026-03-09", 25);
    book.pays("fresh", "2026-03-10", 70);
    book.pays_with("yearly", BEFORE, 100, json!({"interval": {"unit": "year"}}));
    let march = book.revenue("2026-03", json!({}));
    // A year: opening 1200 + 600 + 960 + 600 + 100 (whose twelfth does not come out) = 3460.
    // 3460 + 840 new + 300 reactivation + (360 + 480) expansion - 240 contraction - 600 churn = 4600.
    for (line, arr) in [
        ("opening", "3460"),
        ("new", "840"),
        ("reactivation", "300"),
        ("expansion", "840"),
        ("contraction", "240"),
        ("churn", "600"),
        ("closing", "4600"),
    ] {
        assert_eq!(march["total"][line]["arr"], arr, "{line}");
    }
    let movements = book.movements("2026-03");
    let rows = &movements["rows"];
    assert_eq!(row(rows, "client", "cross")["tags"], json!(["cross_sell"]));
    assert_eq!(row(rows, "client", "up")["tags"], json!(["price"]));
    assert_eq!(rows.as_array().unwrap().len(), 6, "who pays the same has no movement");
}

#[test]
fn s12_nrr_and_grr_are_over_the_opening_clients_in_every_segment() {
    let mut book = Book::new();
    for (client, segment, before, after) in
        [("a", "smb", 100, 200), ("b", "smb", 100, 50), ("c", "large", 300, 300)]
    {
        book.pays(client, BEFORE, before).pays(client, "2026-03-10", after);
        book.is(client, BEFORE, json!({"segment": segment}));
    }
    book.pays("fresh", "2026-03-02", 1000).is("fresh", BEFORE, json!({"segment": "large"}));
    let march = book.revenue("2026-03", json!({"group_by": "segment"}));
    // (200 + 50 + 300) / 500 and (100 + 50 + 300) / 500; the 1000 that came is in neither.
    near(at(&march, "total.nrr.value"), 1.1);
    near(at(&march, "total.grr.value"), 0.9);
    assert_eq!(at(&march, "total.nrr.whole"), "500");
    let smb = row(&march["groups"], "key", "smb");
    near(at(smb, "nrr.value"), 1.25);
    near(at(smb, "grr.value"), 0.75);
    let large = row(&march["groups"], "key", "large");
    assert_eq!((at(large, "nrr.value"), at(large, "grr.value")), (&json!(1.0), &json!(1.0)));
}

#[test]
fn s16_money_is_counted_beside_logos() {
    let mut book = Book::new();
    for i in 0..10 {
        book.pays(&format!("small{i}"), BEFORE, 1_000).leaves(&format!("small{i}"), "2026-03-10");
    }
    book.pays("large", BEFORE, 1_000_000).leaves("large", "2026-04-10").pays("stays", "2026-03-01", 1_000);
    let march = book.revenue("2026-03", json!({}));
    // Ten of eleven leave with 10 000 of 1 010 000.
    assert_eq!(
        (at(&march, "total.logo_churn.part"), at(&march, "total.logo_churn.whole")),
        (&json!(10), &json!(11))
    );
    near(at(&march, "total.churned_revenue.value"), 10_000.0 / 1_010_000.0);
    assert_eq!(at(&march, "total.churn_divergence"), "heads");
    let april = book.revenue("2026-04", json!({}));
    // One of two leaves with 1 000 000 of 1 001 000.
    near(at(&april, "total.logo_churn.value"), 0.5);
    near(at(&april, "total.churned_revenue.value"), 1_000_000.0 / 1_001_000.0);
    assert_eq!(at(&april, "total.churn_divergence"), "money");
}

#[test]
fn s17_both_churns_stand_side_by_side_over_time() {
    let mut book = Book::new();
    book.pays("large", BEFORE, 960);
    for (i, month) in [(0, "02"), (1, "03"), (2, "03"), (3, "09")] {
        book.pays(&format!("small{i}"), BEFORE, 10).leaves(&format!("small{i}"), &format!("2026-{month}-10"));
    }
    let (start, end) = (book.period("2026-02").start, book.period("2026-05").start);
    let series = book.engine.revenue_series(start, end, PeriodUnit::Month, &options(json!({}))).unwrap();
    let rows = to_value(series).unwrap()["rows"].clone();
    // February 1 of 5 and 10 of 1000; March 2 of 4 and 20 of 990; April nobody of 2.
    for (i, (logo, money, sign)) in
        [(1.0 / 5.0, 10.0 / 1000.0, "heads"), (2.0 / 4.0, 20.0 / 990.0, "heads"), (0.0, 0.0, "even")]
            .into_iter()
            .enumerate()
    {
        near(at(&rows[i], "total.logo_churn.value"), logo);
        near(at(&rows[i], "total.churned_revenue.value"), money);
        assert_eq!(at(&rows[i], "total.churn_divergence"), sign);
    }
}

#[test]
fn s54_ltv_says_what_it_is_on() {
    let mut book = Book::new();
    book.pays("a", BEFORE, 60).pays("b", BEFORE, 20).leaves("b", "2026-03-10");
    let ltv = |margin: &str| {
        let march = book.period("2026-03");
        to_value(book.engine.ltv_simple(march, margin.parse().unwrap(), &options(json!({}))).unwrap())
            .unwrap()
    };
    // ARPA 60, half of the clients lost in a month: 60 x 0.8 / 0.5.
    let on_margin = ltv("0.8");
    near(at(&on_margin, "values.0.value"), 96.0);
    let flags =
        |ltv: &serde_json::Value| [ltv["method"].clone(), ltv["horizon"].clone(), ltv["basis"].clone()];
    assert_eq!(flags(&on_margin), ["simple", "unbounded", "margin"]);
    assert_eq!(flags(&ltv("1")), ["simple", "unbounded", "revenue"]);
}

#[test]
fn s68_repeat_business_as_a_share_of_revenue_year_by_year() {
    let mut book = Book::new();
    book.pays("a", "2024-03-01", 100).pays("b", "2025-02-01", 60).pays("a", "2025-06-01", 140);
    book.pays("c", "2026-02-01", 40);
    let (start, end) = (book.period("2024").start, book.period("2026").end);
    let series = book.engine.revenue_series(start, end, PeriodUnit::Year, &options(json!({}))).unwrap();
    let rows = to_value(series).unwrap()["rows"].clone();
    // 2024: 0 of 100. 2025: a's 140 of 200. 2026: 200 of 240.
    for (i, (part, whole)) in [(0.0, 100.0), (140.0, 200.0), (200.0, 240.0)].into_iter().enumerate() {
        near(at(&rows[i], "total.from_existing.value"), part / whole);
    }
}

#[test]
fn s81_the_top_clients_are_frozen_at_a_date() {
    let mut book = Book::new();
    for (client, amount) in [("a", 300), ("b", 200), ("c", 100), ("d", 10)] {
        book.pays(client, BEFORE, amount);
    }
    book.pays("d", "2026-02-10", 900).leaves("b", "2026-03-10").pays("a", "2026-03-11", 330);
    let top = |day: &str| {
        let as_of = book.engine.zone().as_of(day).unwrap();
        book.engine.top(2, as_of, &options(json!({}))).unwrap()
    };
    let ids = |top: &healthfold::TopClients| -> Vec<String> {
        top.clients.iter().map(|row| row.client.as_str().to_owned()).collect()
    };
    let frozen = top("2026-01-31");
    assert_eq!(ids(&frozen), ["a", "b"]);
    assert_eq!(ids(&top("2026-03-31")), ["d", "a"]);
    let march = book.revenue("2026-03", json!({"only_clients": ids(&frozen)}));
    // Of 300 + 200 the 200 leaves and 30 is added, whoever is at the top by then.
    assert_eq!(
        (at(&march, "total.opening.mrr"), at(&march, "total.closing.mrr")),
        (&json!("500"), &json!("330"))
    );
    near(at(&march, "total.nrr.value"), 0.66);
}

//! What was asked of lifetimes and trials.

use crate::book::{Book, near, options};
use healthfold::lifetime::{Ltv, LtvOptions};
use healthfold::{HeadRate, TrialSplit};
use serde_json::{from_value, json, to_value};

/// A trial from 1 January that ends on the 15th, and so many months of paying after it.
fn trial(book: &mut Book, client: &str, onboarded: bool, months: u32) {
    let state = |status: &str| json!({"subscription": "s", "status": status, "amount": 20, "currency": "USD", "interval": {"unit": "month"}});
    book.event("billing.subscription_set", client, "2026-01-01", state("trialing"));
    if onboarded {
        book.event("client.milestone_reached", client, "2026-01-04", json!({"milestone": "onboarded"}));
    }
    let paid = if months == 0 { "cancelled" } else { "active" };
    book.event("billing.subscription_set", client, "2026-01-15", state(paid));
    if months == 1 {
        book.event("billing.subscription_set", client, "2026-02-15", state("cancelled"));
    }
}

#[test]
fn s45_onboarding_lifts_conversion_and_the_gain_fades() {
    let mut book = Book::new();
    // Of 100 each: without onboarding 55 pay and 48 pay a second month, with it 66 and 50.
    for (onboarded, pay, pay_on) in [(false, 55, 48), (true, 66, 50)] {
        for i in 0..100 {
            let months = if i < pay_on { 2 } else { u32::from(i < pay) };
            trial(&mut book, &format!("{onboarded}{i}"), onboarded, months);
        }
    }
    let split: TrialSplit = from_value(json!({"by": "milestone", "milestone": "onboarded"})).unwrap();
    let settings = options(json!({"as_of": "2026-03-31"}));
    let found = book.engine.compare_trials(book.period("2026-01"), &split, 1, &settings).unwrap();
    assert_eq!(
        (found.converted.base, found.kept.base, found.kept_of_converted.base),
        ("trials", "trials", "converted")
    );
    assert_eq!(
        (found.converted.with, found.converted.without),
        (HeadRate::new(66, 100), HeadRate::new(55, 100))
    );
    assert_eq!((found.kept.with, found.kept.without), (HeadRate::new(50, 100), HeadRate::new(48, 100)));
    // 75.8 % against 87.3 %: whom onboarding won did not stay as the others did.
    let conditional = &found.kept_of_converted;
    assert_eq!((conditional.with, conditional.without), (HeadRate::new(50, 66), HeadRate::new(48, 55)));
    let found = to_value(found).unwrap();
    near(&found["converted"]["difference"]["value"], 0.11);
    // Newcombe's ends from Wilson's 0.5628..0.7454 and 0.4525..0.6439: 0.11 - sqrt(0.0972^2 + 0.0939^2) and
    // 0.11 + sqrt(0.0854^2 + 0.0975^2).
    let end = |name: &str| found["converted"]["difference"][name].as_f64().unwrap();
    assert!((end("low") + 0.0252).abs() < 2e-4 && (end("high") - 0.2396).abs() < 2e-4, "it may be chance");
    // Pooled share 0.605: 0.0121 / (0.605 x 0.395 x 0.02) = 2.5317.
    assert!((end("chi_square") - 2.531_645_6).abs() < 1e-3 && end("p_value") > 0.05);
    assert!(found["kept_of_converted"]["difference"]["value"].as_f64().unwrap() < -0.11);
}

#[test]
fn s54_every_client_s_value_names_its_method_and_horizon() {
    let mut book = Book::new();
    for i in 0..20 {
        let client = format!("c{i:02}");
        book.pays(&client, "2026-01-05", 50);
        if i % 3 == 0 {
            book.leaves(&client, if i % 2 == 0 { "2026-02-05" } else { "2026-04-05" });
        }
    }
    for (method, horizon, months) in
        [("simple", "unbounded", json!(null)), ("sbg", "months", json!(36)), ("bdw", "months", json!(36))]
    {
        let asked = LtvOptions::from_json(&json!({"method": method, "margin": "0.8"}).to_string()).unwrap();
        let ltv: Ltv = book.engine.ltv(book.engine.zone().as_of("2026-05-20").unwrap(), &asked).unwrap();
        let ltv = to_value(ltv).unwrap();
        let clients = ltv["clients"].as_array().unwrap();
        assert_eq!(clients.len(), 13);
        for flags in clients.iter().chain([&ltv]) {
            assert_eq!(
                (&flags["method"], &flags["horizon"], &flags["horizon_months"]),
                (&json!(method), &json!(horizon), &months)
            );
        }
        assert_eq!(ltv["basis"], "margin");
    }
}

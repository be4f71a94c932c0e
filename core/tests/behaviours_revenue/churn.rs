//! Who leaves, how fast, and why.

use crate::book::{BEFORE, Book, at, near, options, row};
use healthfold::{Benchmark, ClientId, Engine, ReasonClasses, SignalSpec, rescaled};
use serde_json::{Value, json, to_value};

fn reasons(book: &Book, period: &str, classes: Value) -> Value {
    let classes = ReasonClasses::from_json(&classes.to_string()).unwrap();
    let answer = book.engine.churn_reasons(book.period(period), &classes, &options(json!({})));
    to_value(answer.unwrap()).unwrap()
}

#[test]
fn s15_four_percent_a_month_is_38_7_a_year() {
    let mut book = Book::new();
    for i in 0..25 {
        book.pays(&format!("c{i:02}"), BEFORE, 10);
    }
    book.leaves("c07", "2026-03-10");
    let march = book.revenue("2026-03", json!({}));
    near(at(&march, "total.logo_churn.value"), 0.04);
    // 0.96^12 = 0.612710: not 12 x 4 % = 48 %.
    let year = rescaled(0.04, 365.0 / 12.0, 365.0).unwrap();
    assert!((year - 0.387_290).abs() < 1e-6, "{year}");
    assert!((rescaled(year, 365.0, 365.0 / 12.0).unwrap() - 0.04).abs() < 1e-12, "and back");
}

#[test]
fn s24_forgotten_payments_are_involuntary_and_apart() {
    let mut book = Book::new();
    for (client, amount) in [("forgot", 10), ("late", 20), ("wanted", 40), ("silent", 80)] {
        book.pays(client, BEFORE, amount);
    }
    book.said("forgot", "2026-03-09", "forgot_payment", false).leaves("forgot", "2026-03-10");
    book.pays_with("late", "2026-03-01", 20, json!({"status": "past_due"})).leaves("late", "2026-03-15");
    book.said("wanted", "2026-03-09", "price", true).leaves("wanted", "2026-03-10");
    book.leaves("silent", "2026-03-10");
    let answer = reasons(&book, "2026-03", json!({}));
    let total = &answer["totals"][0];
    let heads_and_mrr = |kind: &str| (total[kind]["heads"].clone(), total[kind]["mrr"].clone());
    assert_eq!(heads_and_mrr("involuntary"), (json!(2), json!("30")));
    assert_eq!(heads_and_mrr("voluntary"), (json!(1), json!("40")));
    assert_eq!(heads_and_mrr("unstated"), (json!(1), json!("80")));
    // 30 + 40 + 80: what the report says.
    let march = book.revenue("2026-03", json!({}));
    assert_eq!(at(&march, "total.churn.mrr"), "150");
    assert_eq!((&total["mrr"], &total["heads"]), (&json!("150"), &json!(4)));
    assert_eq!(row(&answer["rows"], "reason", "forgot_payment")["kind"], "involuntary");
}

fn users(engine: &Engine, days: u32, as_of: &str) -> Option<f64> {
    let spec = SignalSpec::from_json(&json!({"kind": "active_users", "days": days}).to_string()).unwrap();
    let as_of = engine.zone().as_of(as_of).unwrap();
    engine.signal(&ClientId::new("acme"), &spec, as_of).unwrap().value()
}

#[test]
fn s59_windows_are_exact_and_users_unique() {
    let mut book = Book::in_zone("Europe/Berlin");
    // Berlin is an hour ahead of UTC here. The week is Monday 2 March to Sunday 8 March.
    for (user, metric, time) in [
        ("sunday", "reports", "2026-03-01T22:59:59.999999Z"),
        ("monday", "reports", "2026-03-01T23:00:00Z"),
        ("monday", "exports", "2026-03-05T12:00:00Z"),
        ("last", "reports", "2026-03-08T22:59:59.999999Z"),
        ("late", "reports", "2026-03-08T23:00:00Z"),
    ] {
        book.event("usage.counted", "acme", time, json!({"metric": metric, "user": user}));
    }
    // In the week monday, twice but one user, and last; in the 30 days sunday, too; late is in the next week.
    assert_eq!(users(&book.engine, 7, "2026-03-08"), Some(2.0));
    assert_eq!(users(&book.engine, 30, "2026-03-08"), Some(3.0));
    assert_eq!(users(&book.engine, 7, "2026-03-09"), Some(3.0), "Tuesday to Monday: monday, last and late");
    assert_eq!(users(&book.engine, 1, "2026-03-09"), Some(1.0));
    // Midnight of 1 April in Berlin is 22:00 of 31 March in UTC, in summer time.
    for client in ["x", "y", "z"] {
        book.pays(client, BEFORE, 10);
    }
    book.leaves("x", "2026-03-31T21:59:59.999999Z").leaves("y", "2026-03-31T22:00:00Z");
    let (march, april) = (book.revenue("2026-03", json!({})), book.revenue("2026-04", json!({})));
    near(at(&march, "total.logo_churn.value"), 1.0 / 3.0);
    near(at(&march, "total.logo_retention.value"), 2.0 / 3.0);
    near(at(&april, "total.logo_churn.value"), 0.5);
    near(at(&april, "total.logo_retention.value"), 0.5);
}

#[test]
fn s63_benchmarks_name_their_source() {
    let mut book = Book::new();
    for i in 0..4 {
        book.pays(&format!("c{i}"), BEFORE, 10);
    }
    book.leaves("c0", "2026-06-10");
    let stated = json!({"metric": "logo_retention", "value": "0.8", "source": "a talk", "period": "2023"});
    let benchmarks = Benchmark::list_from_json(&json!([stated]).to_string()).unwrap();
    let year =
        healthfold::Period::between(book.period("2026-02").start, book.period("2027-02").start).unwrap();
    let answer = to_value(book.engine.benchmarks(year, &benchmarks, &options(json!({}))).unwrap()).unwrap();
    let row = &answer["rows"][0];
    assert_eq!(
        (&row["benchmark"]["source"], &row["benchmark"]["period"]),
        (&json!("a talk"), &json!("2023"))
    );
    near(&row["value"], 0.75);
    near(&row["gap"], -0.05);
    assert_eq!(row["met"], false);
    for gone in ["source", "period"] {
        let mut nameless = stated.clone();
        nameless.as_object_mut().unwrap().remove(gone);
        let error = Benchmark::list_from_json(&json!([nameless]).to_string()).unwrap_err();
        assert_eq!(error.setting, format!("benchmarks[0].{gone}"));
    }
}

#[test]
fn s65_reasons_call_for_actions() {
    let mut book = Book::new();
    for (client, reason) in
        [("a", "did_not_understand"), ("b", "promised_otherwise"), ("c", "did_not_understand")]
    {
        book.pays(client, BEFORE, 10).said(client, "2026-03-09", reason, true).leaves(client, "2026-03-10");
    }
    book.pays("d", BEFORE, 30).said("d", "2026-04-09", "closed_shop", true).leaves("d", "2026-04-10");
    let classes = json!({"did_not_understand": "train", "promised_otherwise": "fix_sales"});
    let march = reasons(&book, "2026-03", classes.clone());
    // 2 of 3 are to be trained, of 1 the sale is to be mended.
    let train = row(&march["by_class"], "class", "train");
    assert_eq!((&train["heads"], &train["mrr"]), (&json!(2), &json!("20")));
    near(&train["heads_share"], 2.0 / 3.0);
    assert_eq!(row(&march["by_class"], "class", "fix_sales")["heads"], 1);
    let april = reasons(&book, "2026-04", classes);
    assert_eq!(april["rows"][0]["reason"], "closed_shop");
    assert_eq!(april["rows"][0]["class"], Value::Null, "no class is built in");
}

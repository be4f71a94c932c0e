//! Settings of revenue questions, each on a book small enough to add up on paper.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic in a test is a failed test")]

use healthfold::{Engine, Event, Period, RevenueOptions, Settings, Target};
use serde_json::{Value, json, to_value};

/// (client, subscription, day, status, amount, more)
type State = (&'static str, &'static str, &'static str, &'static str, u32, Value);

fn engine(states: &[State], profile: &[(&str, &str, Value)]) -> Engine {
    let mut engine = Engine::new(Settings::default()).unwrap();
    let mut n = 0;
    let mut apply = |kind: &str, client: &str, day: &str, data: Value| {
        n += 1;
        let event = json!({"id": format!("e{n}"), "source": "t", "type": kind, "subject": client,
            "time": format!("{day}T00:00:00Z"), "data": data});
        engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap()).unwrap();
    };
    for (client, subscription, day, status, amount, more) in states {
        let mut data = json!({"subscription": subscription, "status": status, "amount": amount,
            "currency": "USD", "interval": {"unit": "month"}});
        for (name, value) in more.as_object().into_iter().flatten() {
            data[name] = value.clone();
        }
        apply("billing.subscription_set", client, day, data);
    }
    for (client, day, data) in profile {
        apply("client.set", client, day, data.clone());
    }
    engine
}

fn report(engine: &Engine, period: &str, settings: Value) -> Value {
    let options = RevenueOptions::from_json(&settings.to_string()).unwrap();
    to_value(engine.revenue(Period::parse(period, engine.zone()).unwrap(), &options).unwrap()).unwrap()
}

fn none() -> Value {
    json!({})
}

#[test]
fn an_owner_answers_for_what_happened_while_the_client_was_theirs() {
    // a: ann's at 100, to 120 on the 5th; bob's from the 10th; down to 90 on the 15th. b: ann's, leaves on the 8th, bob's
    // from the 10th. c: new on the 3rd with 30, ann's; nobody's from the 20th.
    let engine = engine(
        &[
            ("a", "s", "2026-01-01", "active", 100, none()),
            ("a", "s", "2026-03-05", "active", 120, none()),
            ("a", "s", "2026-03-15", "active", 90, none()),
            ("b", "s", "2026-01-01", "active", 40, none()),
            ("b", "s", "2026-03-08", "cancelled", 40, none()),
            ("c", "s", "2026-03-03", "active", 30, none()),
        ],
        &[
            ("a", "2026-01-01", json!({"owner": "ann"})),
            ("b", "2026-01-01", json!({"owner": "ann"})),
            ("c", "2026-01-01", json!({"owner": "ann"})),
            ("a", "2026-03-10", json!({"owner": "bob"})),
            ("b", "2026-03-10", json!({"owner": "bob"})),
            ("c", "2026-03-20", json!({"owner": null})),
        ],
    );
    let report = report(&engine, "2026-03", json!({"group_by": "owner", "attribution": "interval"}));
    let [ann, bob, nobody] = [0, 1, 2].map(|i| report["groups"][i].clone());
    let mrr = |row: &Value, line: &str| row[line]["mrr"].as_str().unwrap().to_owned();
    assert_eq!((&ann["key"], &bob["key"], &nobody["key"]), (&json!("ann"), &json!("bob"), &Value::Null));
    // ann: 140 + 30 new + 20 expansion - 40 churn - (120 + 30) handed on = 0.
    assert_eq!(
        ["opening", "new", "expansion", "churn", "transferred_out", "transferred_in", "closing"]
            .map(|line| mrr(&ann, line)),
        ["140", "30", "20", "40", "150", "0", "0"]
    );
    // Of the opening 140: 120 + 0 kept, at most 100 of a's; one of two clients left.
    assert_eq!((ann["nrr"]["part"].as_str(), ann["grr"]["part"].as_str()), (Some("120"), Some("100")));
    assert_eq!(ann["logo_churn"]["part"], 1);
    assert_eq!(ann["transferred_out"]["heads"], 2);
    // bob: 120 came, 30 contraction, 90; nothing of the opening is his.
    assert_eq!(
        ["opening", "transferred_in", "contraction", "closing"].map(|line| mrr(&bob, line)),
        ["0", "120", "30", "90"]
    );
    assert_eq!(bob["nrr"]["value"], Value::Null);
    assert_eq!(["transferred_in", "closing"].map(|line| mrr(&nobody, line)), ["30", "30"]);
    // The whole book is as ever: a is one contraction of 10.
    assert_eq!(mrr(&report["total"], "contraction"), "10");
    let refused = RevenueOptions::from_json(r#"{"attribution": "interval"}"#).unwrap();
    let error = engine.revenue(Period::parse("2026-03", engine.zone()).unwrap(), &refused).unwrap_err();
    assert_eq!(error.code(), "bad_value");
}

#[test]
fn gross_flows_stand_beside_the_net_movement_and_reconcile() {
    // a: 10 -> 40 -> pause -> 12: raised 30, suspended 40, unpaused 12; net expansion 2. b: 20 -> 0 -> 20.
    let engine = engine(
        &[
            ("a", "s", "2026-01-01", "active", 10, none()),
            ("a", "s", "2026-03-05", "active", 40, none()),
            ("a", "s", "2026-03-10", "paused", 40, none()),
            ("a", "s", "2026-03-20", "active", 12, none()),
            ("b", "s", "2026-01-01", "active", 20, none()),
            ("b", "s", "2026-03-02", "cancelled", 20, none()),
            ("b", "s", "2026-03-25", "active", 20, none()),
            ("c", "s", "2026-03-25", "active", 5, none()),
        ],
        &[],
    );
    let total = report(&engine, "2026-03", json!({"grain": "change"}))["total"].clone();
    let flow = |name: &str| (total["flows"][name]["changes"].clone(), total["flows"][name]["mrr"].clone());
    assert_eq!(flow("raised"), (json!(1), json!("30")));
    assert_eq!(flow("suspended"), (json!(1), json!("40")));
    assert_eq!(flow("unpaused"), (json!(1), json!("12")));
    assert_eq!(flow("ended"), (json!(1), json!("20")));
    assert_eq!(flow("returned"), (json!(1), json!("20")));
    assert_eq!(flow("began"), (json!(1), json!("5")));
    assert_eq!(flow("lowered"), (json!(0), json!("0")));
    // 30 + 5 + 20 + 12 + 30 - 40 - 20 = 37 = closing.
    assert_eq!(
        (total["closing"]["mrr"].clone(), total["expansion"]["mrr"].clone()),
        (json!("37"), json!("2"))
    );
    let net = report(&engine, "2026-03", json!({}))["total"].clone();
    assert_eq!((net["closing"].clone(), net.get("flows")), (total["closing"].clone(), None));
}

#[test]
fn rounded_lines_foot_with_a_line_of_their_own() {
    // Three clients at 100 a year each are 8.333333 a month; 16.67 + 8.33 = 25.00 with nothing to round, but at one
    // cent: opening 2 x 8.335 ..., so take 1.01 a year: 0.084166.. a month.
    let yearly = || json!({"interval": {"unit": "year"}, "amount": "1.01"});
    let engine = engine(
        &[
            ("a", "s", "2026-01-01", "active", 1, yearly()),
            ("b", "s", "2026-03-05", "active", 1, yearly()),
            ("c", "s", "2026-01-01", "active", 1, yearly()),
        ],
        &[],
    );
    let total = report(&engine, "2026-03", json!({"rounded": true}))["total"].clone();
    // Opening 2.02 / 12 = 0.168 -> 0.17, new 0.084 -> 0.08, closing 3.03 / 12 = 0.2525 -> 0.25: rounding 0.00.
    assert_eq!(total["opening"], json!({"mrr": "0.17", "arr": "2.02"}));
    assert_eq!(total["new"]["mrr"], "0.08");
    assert_eq!(total["closing"], json!({"mrr": "0.25", "arr": "3.03"}));
    assert_eq!(total["rounding"], json!({"mrr": "0.00", "arr": "0.00"}));
    let april = report(&engine, "2026-Q1", json!({"rounded": true}))["total"].clone();
    // All three are new in the quarter: 0.25 = 0.25.
    assert_eq!(april["rounding"]["mrr"], "0.00");
}

#[test]
fn trailing_months_are_point_to_point() {
    let engine = engine(
        &[
            ("a", "s", "2025-01-01", "active", 100, none()),
            ("b", "s", "2025-01-01", "active", 100, none()),
            ("b", "s", "2026-01-15", "cancelled", 100, none()),
            ("a", "s", "2025-06-01", "active", 150, none()),
        ],
        &[],
    );
    let report = report(&engine, "2026-03", json!({"trailing": [3, 12]}));
    assert_eq!(report["total"]["logo_churn"]["part"], 0);
    let [three, twelve] = [0, 1].map(|i| report["trailing"][i].clone());
    assert_eq!((&three["months"], &three["period"]["start"]), (&json!(3), &json!("2026-01-01T00:00:00Z")));
    // Three months: 250 -> 150; twelve: 200 -> 150.
    assert_eq!(three["total"]["nrr"]["value"], 0.6);
    assert_eq!(twelve["total"]["nrr"]["value"], 0.75);
    assert_eq!(twelve["total"]["grr"]["value"], 0.5);
}

#[test]
fn the_bootstrap_is_repeatable_and_leaves_the_value() {
    let states: Vec<State> = vec![
        ("a", "s", "2026-01-01", "active", 100, none()),
        ("a", "s", "2026-03-05", "active", 120, none()),
        ("b", "s", "2026-01-01", "active", 200, none()),
        ("c", "s", "2026-01-01", "active", 50, none()),
        ("c", "s", "2026-03-05", "cancelled", 50, none()),
    ];
    let engine = engine(&states, &[]);
    let asked = |settings: Value| report(&engine, "2026-03", settings)["total"].clone();
    let drawn = asked(json!({"interval": "bootstrap", "seed": 7, "resamples": 500}));
    assert_eq!(drawn, asked(json!({"interval": "bootstrap", "seed": 7, "resamples": 500})));
    let plain = asked(json!({}));
    assert_eq!(drawn["nrr"]["value"], plain["nrr"]["value"]);
    assert_ne!(drawn["nrr"]["low"], plain["nrr"]["low"]);
    let (low, high) = (drawn["grr"]["low"].as_f64().unwrap(), drawn["grr"]["high"].as_f64().unwrap());
    assert!(low >= 0.0 && low <= high && high <= 1.0);
}

#[test]
fn trials_that_began_and_trials_that_ended() {
    // a: trial from 1 March, pays from the 15th. b: trial from the 5th, runs, its stated end has passed. c: trial from
    // February, ended by its cancel_at on 10 March. d: trial from the 2nd on s1, pays on another one from the 9th.
    // e: pays since January, tries a second one from the 3rd and gives it up on the 9th: not converted.
    let engine = engine(
        &[
            ("a", "s", "2026-03-01", "trialing", 10, json!({"trial_end": "2026-03-15"})),
            ("a", "s", "2026-03-15", "active", 10, none()),
            ("b", "s", "2026-03-05", "trialing", 10, json!({"trial_end": "2026-03-20"})),
            ("c", "s", "2026-02-10", "trialing", 10, json!({"cancel_at": "2026-03-10"})),
            ("d", "s1", "2026-03-02", "trialing", 10, none()),
            ("d", "s2", "2026-03-09", "active", 30, none()),
            ("e", "s1", "2026-01-01", "active", 10, none()),
            ("e", "s2", "2026-03-03", "trialing", 20, none()),
            ("e", "s2", "2026-03-09", "cancelled", 20, none()),
        ],
        &[],
    );
    let march = Period::parse("2026-03", engine.zone()).unwrap();
    let trials = to_value(engine.trials(march, &RevenueOptions::default()).unwrap()).unwrap();
    let started = |name: &str| trials["started"][name].as_u64().unwrap();
    assert_eq!(["trials", "converted", "not_converted", "running", "overdue"].map(started), [4, 2, 1, 1, 1]);
    let ended = |name: &str| trials["ended"][name].as_u64().unwrap();
    // a and e and c left trialing; d's first one still runs, though d pays.
    assert_eq!(["trials", "converted", "not_converted"].map(ended), [3, 1, 2]);
    assert_eq!(trials["ended"]["rate"]["part"], 1);
}

#[test]
fn a_longer_term_at_a_lower_price_is_tagged() {
    let engine = engine(
        &[
            ("a", "s", "2026-01-01", "active", 10, none()),
            ("a", "s", "2026-03-05", "active", 96, json!({"interval": {"unit": "year"}})),
            ("b", "s1", "2026-01-01", "active", 10, none()),
            ("b", "s1", "2026-03-05", "cancelled", 10, none()),
            ("b", "s2", "2026-03-05", "active", 96, json!({"interval": {"unit": "month", "count": 12}})),
            ("c", "s", "2026-01-01", "active", 10, none()),
            ("c", "s", "2026-03-05", "active", 8, none()),
        ],
        &[],
    );
    let march = Period::parse("2026-03", engine.zone()).unwrap();
    let rows =
        to_value(engine.movements(march, &RevenueOptions::default()).unwrap()).unwrap()["rows"].clone();
    let tags = [0, 1, 2].map(|i| (rows[i]["kind"].clone(), rows[i]["tags"].clone()));
    let contraction = |tags: Value| (json!("contraction"), tags);
    assert_eq!(
        tags,
        [
            contraction(json!(["term_extended"])),
            contraction(json!(["term_extended"])),
            contraction(json!([]))
        ]
    );
}

#[test]
fn parents_take_in_their_children_and_themselves_once() {
    let engine = engine(
        &[
            ("holding", "s", "2026-01-01", "active", 5, none()),
            ("north", "s", "2026-01-01", "active", 10, none()),
            ("south", "s", "2026-01-01", "active", 20, none()),
            ("alone", "s", "2026-01-01", "active", 40, none()),
        ],
        &[
            ("north", "2026-01-01", json!({"parent": "holding"})),
            ("south", "2026-01-01", json!({"parent": "holding"})),
        ],
    );
    let groups = report(&engine, "2026-03", json!({"group_by": "parent"}))["groups"].clone();
    let row = |i: usize| (groups[i]["key"].clone(), groups[i]["closing"]["mrr"].clone());
    assert_eq!((row(0), row(1)), ((json!("holding"), json!("35")), (Value::Null, json!("40"))));
    // A group's total opens down to its movements.
    let january = Period::parse("2026-01", engine.zone()).unwrap();
    let options = RevenueOptions::from_json(r#"{"group_by": "parent"}"#).unwrap();
    let rows = to_value(engine.movements(january, &options).unwrap()).unwrap()["rows"].clone();
    assert_eq!(
        [0, 1, 2, 3].map(|i| rows[i]["key"].clone()),
        [json!(null), json!("holding"), json!("holding"), json!("holding")]
    );
}

#[test]
fn lifetime_value_simple_and_observed() {
    let mut engine = engine(
        &[
            ("a", "s", "2026-01-01", "active", 60, none()),
            ("b", "s", "2026-01-01", "active", 40, none()),
            ("b", "s", "2026-03-10", "cancelled", 40, none()),
        ],
        &[],
    );
    let month = |text: &str| Period::parse(text, &healthfold::Zone::utc()).unwrap();
    let ltv = |engine: &Engine, text: &str| {
        let margin = "0.8".parse().unwrap();
        to_value(engine.ltv_simple(month(text), margin, &RevenueOptions::default()).unwrap()).unwrap()
    };
    // March: ARPA 60, churn 1 of 2: 60 x 0.8 / 0.5 = 96. February: nobody churned.
    let march = ltv(&engine, "2026-03");
    assert_eq!(
        (march["method"].clone(), march["values"][0]["value"].clone()),
        (json!("simple"), json!(96.0))
    );
    assert_eq!(ltv(&engine, "2026-02")["values"][0]["value"], Value::Null);
    for (id, kind, data) in [
        (
            "1",
            "billing.invoice_issued",
            json!({"invoice": "i1", "amount": 100, "currency": "USD", "due": "2026-03-01"}),
        ),
        ("2", "billing.invoice_paid", json!({"invoice": "i1"})),
        (
            "3",
            "billing.invoice_issued",
            json!({"invoice": "i2", "amount": 7, "currency": "USD", "due": "2026-03-01"}),
        ),
        ("4", "billing.charged", json!({"charge": "c1", "amount": 30, "currency": "USD"})),
        ("5", "billing.refunded", json!({"refund": "r1", "amount": 50, "currency": "USD", "invoice": "i1"})),
    ] {
        let event = json!({"id": format!("m{id}"), "source": "t", "type": kind, "subject": "a",
            "time": "2026-03-02T00:00:00Z", "data": data});
        engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap()).unwrap();
    }
    let observed = engine.ltv_observed(engine.zone().as_of("2026-03-31").unwrap()).unwrap();
    assert_eq!(observed.clients.len(), 1);
    assert_eq!(observed.clients[0].value.to_string(), "80");
}

#[test]
fn targets_say_value_gap_and_whether_they_are_met() {
    let engine = engine(
        &[
            ("a", "s", "2026-01-01", "active", 100, none()),
            ("a", "s", "2026-03-05", "active", 120, none()),
            ("b", "s", "2026-01-01", "active", 100, none()),
            ("b", "s", "2026-03-05", "cancelled", 100, none()),
        ],
        &[("a", "2026-01-01", json!({"owner": "ann"})), ("b", "2026-01-01", json!({"owner": "bob"}))],
    );
    let targets = [
        Target::new("nrr", Some("ann"), "1.1").unwrap(),
        Target::new("logo_churn", None, "0.04").unwrap(),
        Target::new("nrr", Some("eve"), "1.1").unwrap(),
    ];
    let march = Period::parse("2026-03", engine.zone()).unwrap();
    let rows = to_value(engine.targets(march, &targets, &RevenueOptions::default()).unwrap()).unwrap();
    let row = |i: usize| rows["rows"][i].clone();
    assert_eq!((row(0)["value"].clone(), row(0)["met"].clone()), (json!(1.2), json!(true)));
    assert!((row(0)["gap"].as_f64().unwrap() - 0.1).abs() < 1e-12);
    assert_eq!((row(1)["value"].clone(), row(1)["met"].clone()), (json!(0.5), json!(false)));
    assert_eq!((row(2)["value"].clone(), row(2)["met"].clone()), (Value::Null, Value::Null));
    assert!(Target::new("happiness", None, "1").is_err());
}

#[test]
fn cash_stands_beside_run_rate() {
    let mut engine = Engine::new(Settings::default()).unwrap();
    let invoice = |id: &str, amount: i32, due: &str| {
        ("billing.invoice_issued", json!({"invoice": id, "amount": amount, "currency": "USD", "due": due}))
    };
    let paid = |id: &str| ("billing.invoice_paid", json!({"invoice": id}));
    let log = [
        ("2026-01-05", invoice("old", 10, "2026-01-20")),
        ("2026-02-05", invoice("late", 20, "2026-02-28")),
        ("2026-03-02", invoice("a", 100, "2026-03-31")),
        ("2026-03-03", invoice("b", 30, "2026-03-30")),
        ("2026-03-04", invoice("void", 7, "2026-03-30")),
        ("2026-03-05", ("billing.invoice_voided", json!({"invoice": "void"}))),
        ("2026-03-06", ("billing.payment_failed", json!({"invoice": "late"}))),
        ("2026-03-07", ("billing.payment_failed", json!({"invoice": "old"}))),
        ("2026-03-20", paid("late")),
        ("2026-03-21", ("billing.refunded", json!({"refund": "r", "amount": 5, "currency": "USD"}))),
        ("2026-03-22", ("billing.charged", json!({"charge": "c", "amount": 3, "currency": "USD"}))),
        ("2026-04-02", paid("a")),
    ];
    for (i, (day, (kind, data))) in log.into_iter().enumerate() {
        let event = json!({"id": format!("e{i}"), "source": "t", "type": kind, "subject": "x",
            "time": format!("{day}T10:00:00Z"), "data": data});
        engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap()).unwrap();
    }
    let cash =
        to_value(engine.cash(Period::parse("2026-03", engine.zone()).unwrap(), None).unwrap()).unwrap();
    // Invoiced 100 + 30; paid 20; at the end of 31 March a (due that day) is current, b is 1 day late, old 70 days.
    let expected = json!({
        "invoiced": "130", "paid": "20", "charged": "3", "refunded": "5", "overdue": "40",
        "ageing": {"current": "100", "days_1_30": "30", "days_31_60": "0", "days_61_90": "10", "over_90": "0"},
    });
    assert_eq!(cash["total"]["USD"], expected);
    assert_eq!(cash["clients"][0]["client"], "x");
    assert_eq!(cash["clients"][0]["overdue"], "40");
    assert_eq!((&cash["recovery"]["failed"], &cash["recovery"]["recovered"]), (&json!(2), &json!(1)));
}

#[test]
fn the_first_rate_inside_is_used_only_while_nothing_had_to_be_valued_before() {
    let euro = || json!({"currency": "EUR"});
    let asked = json!({"currency": "USD", "rates": [{"currency": "EUR", "from": "2026-03-10", "rate": "1.1"},
        {"currency": "EUR", "from": "2026-03-20", "rate": "1.2"}]});
    let mut states =
        vec![("a", "s", "2026-01-01", "active", 10, none()), ("b", "s", "2026-03-05", "active", 100, euro())];
    let report_of = |states: &[State]| report(&engine(states, &[]), "2026-03", asked.clone());
    let march = report_of(&states);
    // New 100 x 1.1, closing 100 x 1.2 + 10: fx 10. The report says that there was no rate at opening.
    let total = &march["total"];
    assert_eq!(
        (&total["new"]["mrr"], &total["fx"]["mrr"], &total["closing"]["mrr"]),
        (&json!("110"), &json!("10"), &json!("130"))
    );
    assert_eq!(
        march["rates"][0],
        json!({"currency": "EUR", "opening": "1.1", "closing": "1.2", "first_inside": true})
    );
    // Another client paid in it at opening: 1 would be a lie, and so would a later rate.
    states.push(("c", "s", "2026-02-01", "active", 1, euro()));
    let options = RevenueOptions::from_json(&asked.to_string()).unwrap();
    let engine = engine(&states, &[]);
    let error = engine.revenue(Period::parse("2026-03", engine.zone()).unwrap(), &options).unwrap_err();
    assert_eq!(error.to_string(), "there is no rate for EUR at 2026-02-28");
    assert_eq!(error.code(), "missing_rate");
}

#[test]
fn a_switch_of_currency_is_one_net_movement_in_a_converted_report() {
    let engine = engine(
        &[
            ("a", "s", "2026-01-01", "active", 100, none()),
            ("a", "s", "2026-03-05", "active", 100, json!({"currency": "EUR"})),
        ],
        &[],
    );
    let rates =
        json!({"currency": "USD", "rates": [{"currency": "EUR", "from": "2026-01-01", "rate": "1.1"}]});
    let march = report(&engine, "2026-03", rates);
    assert_eq!(march["total"]["expansion"]["mrr"], "10");
    assert_eq!((&march["clients"]["churned"], &march["clients"]["new"]), (&json!(0), &json!(0)));
    let options = RevenueOptions::from_json(r#"{"only_currency": "USD"}"#).unwrap();
    let rows = engine.movements(Period::parse("2026-03", engine.zone()).unwrap(), &options).unwrap().rows;
    assert_eq!((rows.len(), rows[0].kind.as_str()), (1, "churn"));
}

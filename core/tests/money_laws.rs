//! Laws of revenue on random logs, and agreement with the naive oracle.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a panic in a test is a failed test"
)]
use healthfold::{
    Annual, Attribution, Currency, Engine, Event, Grain, GroupBy, Heads, LogoBase, Model, PausedAs, Period,
    RevenueOptions, RevenueReport, Row, Settings, Zone,
};
use healthfold_testkit::oracle::Oracle;
use proptest::prelude::*;
use serde_json::{Value, json, to_value};
use std::sync::Arc;

const PERIODS: [&str; 6] = ["2026-02", "2026-03", "2026-Q1", "2026-W10", "2026", "2026-05"];

/// What is stated about clients over time, by which they can be cut inside a period.
const CUTS: [&str; 5] = ["owner", "managed", "segment", "tag", "attribute:size"];

/// One state of one subscription, drawn small so that things meet.
#[derive(Clone, Debug)]
struct Drawn {
    client: u8,
    subscription: u8,
    day: u16,
    status: usize,
    amount: u32,
    currency: bool,
    interval: usize,
    plan: usize,
    product: usize,
    seats: u8,
    cancel_in: Option<u16>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let what = (0..6u8, 0..2u8, 0..150u16, 0..8usize, 0..5u32, prop::bool::weighted(0.2));
    let terms = (0..5usize, 0..3usize, 0..3usize, 0..3u8, prop::option::weighted(0.2, 0..60u16));
    (what, terms).prop_map(|(what, terms)| {
        let (client, subscription, day, status, amount, currency) = what;
        let (interval, plan, product, seats, cancel_in) = terms;
        Drawn {
            client,
            subscription,
            day,
            status,
            amount,
            currency,
            interval,
            plan,
            product,
            seats,
            cancel_in,
        }
    })
}

/// A day of 2026 as text, `day` days after 1 January.
fn date(day: u16) -> String {
    let mut rest = day;
    for (month, length) in (1..).zip([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
        if rest < length {
            return format!("2026-{month:02}-{:02}", rest + 1);
        }
        rest -= length;
    }
    "2027-01-01".to_owned()
}

fn event(i: usize, drawn: &Drawn, factor: u32, several: bool) -> Value {
    // Active twice as often as the rest, so that books grow.
    let status = ["active", "active", "active", "active", "past_due", "paused", "cancelled", "trialing"];
    let (unit, count) = [("month", 1), ("year", 1), ("month", 7), ("week", 2), ("day", 30)][drawn.interval];
    let mut data = json!({
        "subscription": format!("s{}", drawn.subscription),
        "status": status[drawn.status],
        "amount": (drawn.amount * 10 * factor).to_string(),
        "currency": if drawn.currency && several { "EUR" } else { "USD" },
        "interval": {"unit": unit, "count": count},
        "seats": drawn.seats,
    });
    if drawn.plan > 0 {
        data["plan"] = json!(["", "basic", "pro"][drawn.plan]);
    }
    if drawn.product > 0 {
        data["product"] = json!(["", "crm", "chat"][drawn.product]);
    }
    if let Some(days) = drawn.cancel_in {
        data["cancel_at"] = json!(date(drawn.day + days));
    }
    json!({
        "id": format!("e{i}"), "source": "t", "type": "billing.subscription_set",
        "subject": format!("c{}", drawn.client), "time": format!("{}T00:00:00Z", date(drawn.day)), "data": data,
    })
}

fn profile(client: u8, day: u16, owner: usize, segment: usize) -> Value {
    let owners = [Value::Null, "ann".into(), "bob".into()];
    let (segment_name, tag) = (["smb", "ent"][segment], ["a", "b", "a"][owner]);
    // Chains, cycles and clients that are their own parent.
    let parent = [Value::Null, "c0".into(), format!("c{}", (client + 1) % 6).into()][owner].clone();
    json!({
        "id": format!("p{client}-{day}"), "source": "t", "type": "client.set", "subject": format!("c{client}"),
        "time": format!("{}T00:00:00Z", date(day)),
        "data": {"owner": owners[owner].clone(), "segment": segment_name, "tags": [tag, "x"],
            "attributes": {"size": segment}, "parent": parent},
    })
}

fn log(several: bool) -> impl Strategy<Value = Vec<Value>> {
    let profiles = prop::collection::vec((0..6u8, 0..150u16, 0..3usize, 0..2usize), 0..8);
    (prop::collection::vec(drawn(), 0..40), profiles).prop_map(move |(states, profiles)| {
        let states = states.iter().enumerate().map(|(i, drawn)| event(i, drawn, 1, several));
        let profiles = profiles.into_iter().map(|(c, day, owner, segment)| profile(c, day, owner, segment));
        states.chain(profiles).collect()
    })
}

fn engine(events: &[Value]) -> Engine {
    let mut engine = Engine::new(Settings::default()).unwrap();
    for event in events {
        // Two profiles of one client and day are one identity with two contents; the first stays, as in the oracle.
        let _ = engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap());
    }
    engine
}

fn period(text: &str) -> Period {
    Period::parse(text, &Zone::utc()).unwrap()
}

fn rows(report: &RevenueReport) -> Vec<(Currency, &Row)> {
    report.rows().filter_map(|(currency, row)| Some((currency?, row))).collect()
}

fn check_identity(row: &Row) {
    let arr = |line: healthfold::Recurring| line.arr().picos();
    let won = arr(row.new) + arr(row.reactivation) + arr(row.resumed) + arr(row.expansion);
    let lost = arr(row.contraction) + arr(row.paused) + arr(row.churn);
    assert_eq!(arr(row.opening) + won - lost + arr(row.fx), arr(row.closing));
    check_heads(&row.clients);
    let (nrr, grr) = (row.nrr.value, row.grr.value);
    assert_eq!(nrr.is_some(), row.clients.opening > 0);
    if let (Some(nrr), Some(grr)) = (nrr, grr) {
        assert!((0.0..=1.0).contains(&grr) && grr <= nrr);
        let gross = row.gross_revenue_churn.value.unwrap();
        assert!((1.0 - grr - gross).abs() < 1e-12);
        assert_eq!(row.gross_revenue_churn.part, row.gross_revenue_churn.whole - row.grr.part);
        assert_eq!(row.gross_revenue_churn.part.picos(), lost);
        assert!((1.0 - nrr - row.net_revenue_churn.value.unwrap()).abs() < 1e-12);
        assert_eq!(row.expansion_rate.part, row.nrr.part - row.grr.part);
        assert_eq!(row.logo_retention.part + row.logo_churn.part, row.logo_churn.whole);
    }
    assert_eq!(row.churn_divergence.is_some(), row.clients.opening > 0);
    assert_eq!(row.from_existing.value.is_some(), row.clients.closing > 0);
    assert!(row.from_existing.part <= row.from_existing.whole);
    assert_eq!(row.from_existing.whole, row.closing.arr() - row.fx.arr());
}

fn check_heads(heads: &Heads) {
    let joined = heads.new + heads.reactivated + heads.resumed;
    assert_eq!(heads.opening + joined, heads.closing + heads.paused + heads.churned);
}

/// Settings with every grouping there is, each with what it needs.
fn grouped(options: &RevenueOptions) -> Vec<RevenueOptions> {
    let names = [
        "owner",
        "managed",
        "segment",
        "plan",
        "product",
        "currency",
        "tag",
        "parent",
        "top_parent",
        "band",
        "cohort",
        "attribute:size",
    ];
    let young_and_old = Model::from_json(
        r#"{"name": "age", "version": 1, "signals": {"age": {"kind": "tenure_days"}},
            "groups": [{"name": "age", "parts": [{"signal": "age", "curve": {"points": [[0, 0], [40, 100]]}}]}],
            "bands": [{"name": "young", "from": 0}, {"name": "old", "from": 60}]}"#,
    );
    let model = Some(Arc::new(young_and_old.unwrap()));
    let of = |name: &str| {
        let by: GroupBy = name.parse().unwrap();
        let model = model.clone().filter(|_| by == GroupBy::Band);
        RevenueOptions { group_by: Some(by), model, ..options.clone() }
    };
    names.map(of).to_vec()
}

fn settings() -> impl Strategy<Value = RevenueOptions> {
    let paused = prop::sample::select(vec![PausedAs::Own, PausedAs::Churn, PausedAs::Keep]);
    let base = prop::sample::select(vec![LogoBase::Opening, LogoBase::OpeningPlusNew]);
    let days = || prop::option::of(0..40u32);
    (paused, base, days(), prop::sample::select(vec![0, 1, 10, 40u32]), days()).prop_map(
        |(paused, base, reactivation_within_days, renewal_grace_days, past_due_limit_days)| RevenueOptions {
            paused,
            base,
            reactivation_within_days,
            renewal_grace_days,
            past_due_limit_days,
            ..RevenueOptions::default()
        },
    )
}

/// Compares what both know; binary numbers within a tolerance, all else exactly.
fn same(ours: &Value, theirs: &Value, place: &str) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (name, theirs) in theirs.iter().filter(|(name, _)| *name != "settings") {
                let ours = ours.get(name).unwrap_or(&Value::Null);
                same(ours, theirs, &format!("{place}.{name}"));
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len(), "{place}: {ours:?}\n{theirs:?}");
            for (i, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                same(ours, theirs, &format!("{place}[{i}]"));
            }
        }
        (Value::Number(ours), Value::Number(theirs)) => {
            let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
            assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0), "{place}: {ours} {theirs}");
        }
        _ => assert_eq!(ours, theirs, "{place}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_identity_holds_in_money_and_heads_for_every_grouping_and_groups_add_up(
        events in log(true), options in settings(), period_of in 0..PERIODS.len(),
    ) {
        let engine = engine(&events);
        for options in grouped(&options) {
            let report = engine.revenue(period(PERIODS[period_of]), &options).unwrap();
            check_heads(&report.clients);
            for (currency, row) in rows(&report) {
                check_identity(row);
                let groups = || {
                    report.groups.iter().flatten().filter(move |group| group.currency == currency)
                };
                groups().for_each(|group| check_identity(&group.row));
                let sum = |line: fn(&Row) -> Annual| groups().map(|group| line(&group.row)).sum::<Annual>();
                let lines: [fn(&Row) -> Annual; 14] = [
                    |row: &Row| row.opening.arr(), |row: &Row| row.closing.arr(), |row: &Row| row.new.arr(),
                    |row: &Row| row.reactivation.arr(), |row: &Row| row.resumed.arr(), |row: &Row| row.expansion.arr(),
                    |row: &Row| row.contraction.arr(), |row: &Row| row.paused.arr(), |row: &Row| row.churn.arr(),
                    |row: &Row| row.joined_and_left.arr(), |row: &Row| row.paused_lost.arr(),
                    |row: &Row| row.after_cancellations.arr(), |row: &Row| row.nrr.part, |row: &Row| row.grr.part,
                ];
                for line in lines {
                    prop_assert_eq!(sum(line), line(row));
                }
                let heads = |count: fn(&Heads) -> u64| -> u64 {
                    groups().map(|group| count(&group.row.clients)).sum()
                };
                prop_assert_eq!(heads(|heads| heads.opening), row.clients.opening);
                prop_assert_eq!(heads(|heads| heads.joined_and_left), row.clients.joined_and_left);
                prop_assert_eq!(heads(|heads| heads.churned), row.clients.churned);
                // NRR of the book is the mean of the groups' by their opening.
                if let Some(nrr) = row.nrr.value {
                    let weighted: f64 = groups()
                        .filter_map(|group| Some(group.row.nrr.value? * group.row.opening.arr().mrr_f64()))
                        .sum();
                    prop_assert!((weighted / row.opening.arr().mrr_f64() - nrr).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn movements_add_up_to_the_report(events in log(true), options in settings(), at in 0..PERIODS.len()) {
        let engine = engine(&events);
        let report = engine.revenue(period(PERIODS[at]), &options).unwrap();
        let movements = engine.movements(period(PERIODS[at]), &options).unwrap();
        for (currency, row) in rows(&report) {
            let of = |name: &str| -> Annual {
                let rows = movements.rows.iter().filter(|row| row.currency == currency);
                rows.filter(|row| row.kind.as_str() == name).map(|row| row.amount.arr()).sum()
            };
            prop_assert_eq!(of("new"), row.new.arr());
            prop_assert_eq!(of("expansion"), row.expansion.arr());
            prop_assert_eq!(of("contraction"), row.contraction.arr());
            prop_assert_eq!(of("churn"), row.churn.arr());
            prop_assert_eq!(of("paused"), row.paused.arr());
            prop_assert_eq!(of("joined_and_left"), row.joined_and_left.arr());
            prop_assert_eq!(of("paused_lost"), row.paused_lost.arr());
        }
        for row in &movements.rows {
            prop_assert!(!row.events.is_empty(), "{row:?} names no event");
        }
    }

    #[test]
    fn a_converted_book_closes_with_its_fx_line(
        events in log(true), options in settings(), at in 0..PERIODS.len(), before in 1..300u32, after in 1..300u32,
    ) {
        let engine = engine(&events);
        let rates = [("2025-01-01", before), ("2026-03-10", after)].map(|(from, hundredths)| {
            json!({"currency": "EUR", "from": from, "rate": format!("{}.{:02}7", hundredths / 100, hundredths % 100)})
        });
        let asked = RevenueOptions::from_json(&json!({"currency": "USD", "rates": rates}).to_string()).unwrap();
        let options = RevenueOptions { currency: asked.currency, rates: asked.rates.clone(), ..options };
        for options in grouped(&options) {
            let report = engine.revenue(period(PERIODS[at]), &options).unwrap();
            let total = report.total.unwrap();
            check_identity(&total);
            // Converted, a client is one: its heads are those of the book.
            prop_assert_eq!(total.clients, report.clients);
            let groups = report.groups.unwrap();
            groups.iter().for_each(|group| check_identity(&group.row));
            let closing: Annual = groups.iter().map(|group| group.row.closing.arr()).sum();
            let fx: Annual = groups.iter().map(|group| group.row.fx.arr()).sum();
            prop_assert_eq!((closing, fx), (total.closing.arr(), total.fx.arr()));
        }
    }

    #[test]
    fn what_changes_hands_adds_up_over_groups(
        events in log(true), at in 0..PERIODS.len(), paused in 0..3usize, by in 0..CUTS.len(),
    ) {
        let engine = engine(&events);
        let options = RevenueOptions {
            group_by: Some(CUTS[by].parse().unwrap()),
            attribution: Attribution::Interval,
            paused: [PausedAs::Own, PausedAs::Churn, PausedAs::Keep][paused],
            ..RevenueOptions::default()
        };
        let report = engine.revenue(period(PERIODS[at]), &options).unwrap();
        for (currency, row) in rows(&report) {
            let groups: Vec<&Row> = report.groups.iter().flatten()
                .filter(|group| group.currency == currency).map(|group| &group.row).collect();
            let arr = |line: healthfold::Recurring| line.arr().picos();
            let sum = |line: fn(&Row) -> healthfold::Recurring| -> i128 {
                groups.iter().map(|row| arr(line(row))).sum()
            };
            prop_assert_eq!(sum(|row| row.opening), arr(row.opening));
            prop_assert_eq!(sum(|row| row.closing), arr(row.closing));
            prop_assert_eq!(
                sum(|row| row.transferred_in.unwrap().recurring), sum(|row| row.transferred_out.unwrap().recurring)
            );
            for row in &groups {
                let won = arr(row.new) + arr(row.reactivation) + arr(row.resumed) + arr(row.expansion);
                let lost = arr(row.contraction) + arr(row.paused) + arr(row.churn);
                let (came, went) = (row.transferred_in.unwrap(), row.transferred_out.unwrap());
                prop_assert_eq!(
                    arr(row.opening) + arr(came.recurring) + won - lost - arr(went.recurring), arr(row.closing)
                );
                let heads = row.clients;
                prop_assert_eq!(
                    heads.opening + came.heads + heads.new + heads.reactivated + heads.resumed,
                    heads.closing + went.heads + heads.paused + heads.churned
                );
            }
        }
    }

    #[test]
    fn gross_flows_reconcile_with_the_net_view(events in log(true), options in settings(), at in 0..PERIODS.len()) {
        let engine = engine(&events);
        let options = RevenueOptions { grain: Grain::Change, ..options };
        let report = engine.revenue(period(PERIODS[at]), &options).unwrap();
        for (_, row) in rows(&report) {
            let flows = row.flows.unwrap();
            let sum = |flows: &[healthfold::Flow]| -> Annual { flows.iter().map(|flow| flow.recurring.arr()).sum() };
            let came = sum(&[flows.began, flows.returned, flows.unpaused, flows.raised]);
            let went = sum(&[flows.lowered, flows.suspended, flows.ended]);
            prop_assert_eq!(row.opening.arr() + came - went, row.closing.arr());
            // Net movements are never more than what moved.
            prop_assert!(row.expansion.arr() + row.new.arr() <= came && row.churn.arr() <= went);
        }
    }

    #[test]
    fn rounded_columns_foot(events in log(true), at in 0..PERIODS.len()) {
        let engine = engine(&events);
        let options = RevenueOptions { rounded: true, ..RevenueOptions::default() };
        let report = to_value(engine.revenue(period(PERIODS[at]), &options).unwrap()).unwrap();
        let totals = report["by_currency"].as_object().map(|rows| rows.values().cloned().collect::<Vec<_>>());
        for row in totals.unwrap_or_else(|| vec![report["total"].clone()]) {
            if report["currency"].is_null() && report["by_currency"].is_null() {
                continue;
            }
            let cents = |line: &Value, column: &str| -> i64 {
                line[column].as_str().unwrap().replace('.', "").parse().unwrap()
            };
            for column in ["mrr", "arr"] {
                let sum = |lines: &[&str]| -> i64 { lines.iter().map(|line| cents(&row[*line], column)).sum() };
                let came = sum(&["opening", "new", "reactivation", "resumed", "expansion", "fx", "rounding"]);
                let went = sum(&["contraction", "paused", "churn"]);
                prop_assert_eq!(came - went, sum(&["closing"]));
            }
        }
    }

    #[test]
    fn splitting_a_period_nets_to_the_whole(events in log(false), options in settings(), cut in 1..58u16) {
        let engine = engine(&events);
        let zone = Zone::utc();
        let at = |day: u16| zone.start_of(date(day).parse().unwrap());
        let as_of = Some(at(59).into());
        let options = RevenueOptions { as_of, ..options };
        let report = |from, to| engine.revenue(Period::between(from, to).unwrap(), &options).unwrap();
        let whole = report(at(0), at(59)).total.unwrap();
        let (first, second) = (report(at(0), at(cut)).total.unwrap(), report(at(cut), at(59)).total.unwrap());
        prop_assert_eq!(first.opening, whole.opening);
        prop_assert_eq!(first.closing, second.opening);
        prop_assert_eq!(second.closing, whole.closing);
        prop_assert_eq!(first.clients.closing, second.clients.opening);
    }

    #[test]
    fn a_series_is_its_periods(events in log(true), options in settings()) {
        let engine = engine(&events);
        let zone = Zone::utc();
        let at = |day: &str| zone.start_of(day.parse().unwrap());
        let options = RevenueOptions { as_of: Some(at("2026-07-01").into()), ..options };
        let series = engine.revenue_series(at("2026-01-01"), at("2026-07-01"), Default::default(), &options);
        let series = series.unwrap();
        prop_assert_eq!(series.rows.len(), 6);
        for (report, month) in series.rows.iter().zip(["2026-01", "2026-02", "2026-03", "2026-04", "2026-05"]) {
            prop_assert_eq!(report, &engine.revenue(period(month), &options).unwrap());
        }
        for pair in series.rows.windows(2) {
            let one = |report: &RevenueReport| report.clients;
            prop_assert_eq!(one(&pair[0]).closing, one(&pair[1]).opening);
        }
    }

    #[test]
    fn scaling_amounts_scales_money_and_leaves_ratios(states in prop::collection::vec(drawn(), 0..30)) {
        let scaled = |factor| -> Vec<Value> {
            states.iter().enumerate().map(|(i, drawn)| event(i, drawn, factor, false)).collect()
        };
        let report = |events: &[Value]| {
            engine(events).revenue(period("2026-Q1"), &RevenueOptions::default()).unwrap().total.unwrap()
        };
        let (one, seven) = (report(&scaled(1)), report(&scaled(7)));
        prop_assert_eq!(one.clients, seven.clients);
        // A division that does not come out is rounded by itself, so seven times may be off by a few last digits.
        let off = (one.closing.arr().picos() * 7 - seven.closing.arr().picos()).abs();
        prop_assert!(off < 1_000);
        for (one, seven) in [(one.nrr.value, seven.nrr.value), (one.grr.low, seven.grr.low)] {
            prop_assert_eq!(one.is_some(), seven.is_some());
            if let (Some(one), Some(seven)) = (one, seven) {
                prop_assert!((one - seven).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_new_client_changes_neither_retention_nor_logo_churn(events in log(false), day in 59..89u16) {
        let report = |events: &[Value]| {
            engine(events).revenue(period("2026-03"), &RevenueOptions::default()).unwrap().total.unwrap()
        };
        let before = report(&events);
        let mut more = events.clone();
        more.push(json!({
            "id": "n", "source": "t", "type": "billing.subscription_set", "subject": "newcomer",
            "time": format!("{}T00:00:00Z", date(day)), "data": {"subscription": "s", "status": "active",
            "amount": 77, "currency": "USD", "interval": {"unit": "month"}},
        }));
        let after = report(&more);
        prop_assert_eq!(after.clients.new, before.clients.new + 1);
        prop_assert_eq!((before.nrr, before.grr, before.logo_churn), (after.nrr, after.grr, after.logo_churn));
    }

    #[test]
    fn the_order_of_arrival_does_not_matter(events in log(true).prop_shuffle(), options in settings()) {
        let mut turned = events.clone();
        turned.reverse();
        let unique = |events: &[Value]| {
            let mut ids: Vec<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
            ids.sort_unstable();
            ids.windows(2).all(|pair| pair[0] != pair[1])
        };
        prop_assume!(unique(&events));
        let answer = |events: &[Value]| engine(events).revenue(period("2026-Q1"), &options).unwrap();
        prop_assert_eq!(answer(&events), answer(&turned));
    }

    #[test]
    fn the_oracle_agrees(
        events in log(true), at in 0..PERIODS.len(), past_due in prop::option::of(0..40u32),
        reactivation in prop::option::of(0..60u32), base in 0..2usize, by in 0..5usize, as_of in 0..3usize,
    ) {
        let groupings = [Value::Null, "owner".into(), "segment".into(), "plan".into(), "product".into()];
        let (group_by, base) = (groupings[by].clone(), ["opening", "opening_plus_new"][base]);
        let mut options = json!({
            "past_due_limit_days": past_due,
            "reactivation_within_days": reactivation,
            "base": base,
            "group_by": group_by,
        });
        // In the middle of every period asked; as of its end; long after.
        let as_of = [Value::Null, "2026-12-31".into(), json!(date(140))][as_of].clone();
        if PERIODS[at] != "2026-05" || as_of != json!(date(140)) {
            options["as_of"] = as_of;
        }
        let engine = engine(&events);
        let oracle = Oracle::new(&events, "UTC");
        let ours = RevenueOptions::from_json(&options.to_string()).unwrap();
        let report = engine.revenue(period(PERIODS[at]), &ours).unwrap();
        let theirs = oracle.revenue(PERIODS[at], &options).unwrap();
        same(&serde_json::to_value(&report).unwrap(), &theirs, "revenue");
        let movements = engine.movements(period(PERIODS[at]), &ours).unwrap();
        let mut theirs = oracle.movements(PERIODS[at], &options).unwrap();
        // Where both ends are nothing the oracle names no event; the engine does.
        let mut ours = serde_json::to_value(&movements).unwrap();
        for (ours, theirs) in ours["rows"].as_array_mut().unwrap().iter_mut().zip(theirs["rows"].as_array_mut().unwrap()) {
            if matches!(theirs["kind"].as_str(), Some("joined_and_left" | "paused_lost")) {
                ours.as_object_mut().unwrap().remove("events");
                theirs.as_object_mut().unwrap().remove("events");
            }
        }
        same(&ours, &theirs, "movements");
    }
}

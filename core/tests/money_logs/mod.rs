//! Random logs of money and what holds for every row of a report, for the laws of revenue.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic in a test is a failed test")]
#![allow(dead_code, reason = "each test takes what it needs")]

use healthfold::{
    Currency, Engine, Event, GroupBy, Heads, LogoBase, Model, PausedAs, Period, RevenueOptions,
    RevenueReport, Row, Settings, Zone,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) const PERIODS: [&str; 6] = ["2026-02", "2026-03", "2026-Q1", "2026-W10", "2026", "2026-05"];

/// What is stated about clients over time, by which they can be cut inside a period.
pub(crate) const CUTS: [&str; 5] = ["owner", "managed", "segment", "tag", "attribute:size"];

/// One state of one subscription, drawn small so that things meet.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
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

pub(crate) fn drawn() -> impl Strategy<Value = Drawn> {
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
pub(crate) fn date(day: u16) -> String {
    let mut rest = day;
    for (month, length) in (1..).zip([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
        if rest < length {
            return format!("2026-{month:02}-{:02}", rest + 1);
        }
        rest -= length;
    }
    "2027-01-01".to_owned()
}

pub(crate) fn event(i: usize, drawn: &Drawn, factor: u32, several: bool) -> Value {
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

pub(crate) fn profile(client: u8, day: u16, owner: usize, segment: usize) -> Value {
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

pub(crate) fn log(several: bool) -> impl Strategy<Value = Vec<Value>> {
    let profiles = prop::collection::vec((0..6u8, 0..150u16, 0..3usize, 0..2usize), 0..8);
    (prop::collection::vec(drawn(), 0..40), profiles).prop_map(move |(states, profiles)| {
        let states = states.iter().enumerate().map(|(i, drawn)| event(i, drawn, 1, several));
        let profiles = profiles.into_iter().map(|(c, day, owner, segment)| profile(c, day, owner, segment));
        states.chain(profiles).collect()
    })
}

pub(crate) fn engine(events: &[Value]) -> Engine {
    let mut engine = Engine::new(Settings::default()).unwrap();
    for event in events {
        // Two profiles of one client and day are one identity with two contents; the first stays, as in the oracle.
        let _ = engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap());
    }
    engine
}

pub(crate) fn period(text: &str) -> Period {
    Period::parse(text, &Zone::utc()).unwrap()
}

pub(crate) fn rows(report: &RevenueReport) -> Vec<(Currency, &Row)> {
    report.rows().filter_map(|(currency, row)| Some((currency?, row))).collect()
}

pub(crate) fn check_identity(row: &Row) {
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

pub(crate) fn check_heads(heads: &Heads) {
    let joined = heads.new + heads.reactivated + heads.resumed;
    assert_eq!(heads.opening + joined, heads.closing + heads.paused + heads.churned);
}

/// Settings with every grouping there is, each with what it needs.
pub(crate) fn grouped(options: &RevenueOptions) -> Vec<RevenueOptions> {
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

pub(crate) fn settings() -> impl Strategy<Value = RevenueOptions> {
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

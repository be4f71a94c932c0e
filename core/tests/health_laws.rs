//! Laws of the book's health on random logs: bands share out clients and money without rest, a model differs in nothing
//! from itself, means lie between the worst and the best.

use healthfold::{
    Annual, Depth, Engine, Event, Every, Model, Period, RankOptions, RankOrder, RankWithin, RollUpOptions,
    ScoresOf, Settings, SignalSpec,
};
use healthfold_testkit::logs;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A model that sees most of what the logs have, with a little of everything.
#[expect(clippy::unwrap_used, reason = "the document is written here")]
fn model(version: u64, bands: &Value) -> Model {
    Model::from_value(&json!({"name": "m", "version": version,
        "signals": {"users": {"kind": "active_users", "days": 30}, "mood": {"kind": "sentiment"},
            "mrr": {"kind": "mrr"}, "open": {"kind": "tickets_open"}},
        "groups": [{"name": "g", "parts": [
            {"signal": "users", "curve": {"points": [[0, 0], [2 + version, 100]]}},
            {"signal": "open", "curve": {"steps": [[0, 100], [1, 40]]}, "missing": {"points": 30}},
            {"signal": "mood", "weight": version, "curve": {"points": [[0, 0], [100, 100]]}}]}],
        "limits": [{"name": "poor", "when": {"signal": "mrr", "below": 50}, "cap": 65}],
        "bands": bands, "min_coverage": 0.3}))
    .unwrap()
}

fn bands() -> Value {
    json!([{"name": "red", "from": 0}, {"name": "yellow", "from": 40}, {"name": "green", "from": 70}])
}

#[expect(clippy::unwrap_used, reason = "the settings are valid")]
fn engine(log: &[Event]) -> Engine {
    let mut engine = Engine::new(Settings::default()).unwrap();
    engine.apply_all(log);
    engine
}

fn ends() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["2026-01-31", "2026-02-14", "2026-03-29", "2026-04-30"])
}

fn of() -> impl Strategy<Value = ScoresOf> {
    prop::sample::select(vec![ScoresOf::All, ScoresOf::Paying])
}

proptest! {
    #[test]
    fn bands_share_out_clients_and_money(log in logs::logs(0..40), end in ends(), of in of()) {
        let engine = engine(&log);
        let as_of = engine.zone().as_of(end).unwrap();
        let model = model(1, &bands());
        let book = engine.book_health(&model, as_of, of).unwrap();
        prop_assert_eq!(book.bands.iter().map(|row| row.clients.part).sum::<u64>(), book.clients);
        if book.clients > 0 {
            let shares: f64 = book.bands.iter().filter_map(|row| row.clients.value).sum();
            prop_assert!((shares - 1.0).abs() < 1e-12, "{shares}");
        }
        for (currency, whole) in &book.mrr {
            let parts: Annual = book.bands.iter().map(|row| row.mrr[currency].part).sum();
            prop_assert_eq!(parts, whole.annual);
            prop_assert!(book.bands.iter().all(|row| row.mrr[currency].whole == whole.annual));
        }
        // The rows are those of the scores, one by one.
        let scores = engine.scores(&model, as_of, of);
        for row in &book.bands {
            prop_assert_eq!(row.clients.part, scores.iter().filter(|health| health.band == row.band).count() as u64);
        }
        let history = engine.book_history(&model, as_of, as_of, Every::Day, of).unwrap();
        prop_assert_eq!(&history, &vec![book]);
    }

    #[test]
    fn s05_every_score_has_exactly_one_band(log in logs::logs(0..40), froms in prop::collection::btree_set(1u32..100, 0..6)) {
        let edges: Vec<f64> = std::iter::once(0).chain(froms).map(f64::from).collect();
        let bands: Value = edges.iter().map(|from| json!({"name": format!("from {from}"), "from": from})).collect();
        let engine = engine(&log);
        let model = model(1, &bands);
        for health in engine.scores(&model, engine.zone().as_of("2026-04-30").unwrap(), ScoresOf::All) {
            match health.score {
                Some(score) => {
                    // Below its `from` no score, at the next one none any more.
                    let reached = |from: &f64| score + 1e-9 >= *from;
                    let fits: Vec<String> = (edges.iter().enumerate())
                        .filter(|(i, from)| reached(from) && !edges.get(i + 1).is_some_and(reached))
                        .map(|(_, from)| format!("from {from}"))
                        .collect();
                    prop_assert_eq!(fits, vec![health.band]);
                }
                None => prop_assert_eq!(health.band, "unknown"),
            }
        }
    }

    #[test]
    fn a_model_differs_in_nothing_from_itself(log in logs::logs(0..40), end in ends(), of in of()) {
        let engine = engine(&log);
        let as_of = engine.zone().as_of(end).unwrap();
        let (first, second) = (model(1, &bands()), model(2, &bands()));
        let same = engine.diff(&first, &first, as_of, of).unwrap();
        prop_assert!(same.changed.is_empty() && same.moved.is_empty());
        prop_assert_eq!(same.shifts.len(), 1);
        prop_assert_eq!((same.shifts[0].from, same.shifts[0].to, same.shifts[0].clients), (0, 0, same.scored.both));
        // And one way is the other way round.
        let (there, back) = (engine.diff(&first, &second, as_of, of).unwrap(), engine.diff(&second, &first, as_of, of).unwrap());
        prop_assert_eq!(there.changed.len(), back.changed.len());
        for (one, other) in there.changed.iter().zip(&back.changed) {
            prop_assert_eq!((&one.client, &one.band_a, &one.mrr), (&other.client, &other.band_b, &other.mrr));
            prop_assert_eq!(one.delta, other.delta.map(|delta| -delta));
        }
        let turned: Vec<(i32, i32, u64)> = back.shifts.iter().rev().map(|bin| (-bin.to, -bin.from, bin.clients)).collect();
        let straight: Vec<(i32, i32, u64)> = there.shifts.iter().map(|bin| (bin.from, bin.to, bin.clients)).collect();
        prop_assert_eq!(straight, turned);
        let counted: u64 = there.shifts.iter().map(|bin| bin.clients).sum();
        prop_assert_eq!(counted, there.scored.both);
        let moved: u64 = there.moved.iter().map(|pair| pair.clients).sum();
        prop_assert_eq!(moved, there.changed.len() as u64);
    }

    #[test]
    fn means_lie_between_the_worst_and_the_best(
        log in logs::logs(10..60), end in ends(), of in of(), all in any::<bool>(), with_parent in any::<bool>(),
    ) {
        let engine = engine(&log);
        let (as_of, model) = (engine.zone().as_of(end).unwrap(), model(1, &bands()));
        let options = RollUpOptions { depth: if all { Depth::All } else { Depth::Direct }, with_parent };
        for family in engine.roll_ups(&model, as_of, of, options).unwrap() {
            if let (Some(worst), Some(mean), Some(best)) = (&family.worst, family.mean, &family.best) {
                prop_assert!(worst.score <= mean + 1e-9 && mean <= best.score + 1e-9);
                let weighted = family.weighted.value;
                prop_assert!(weighted.is_none_or(|mean| worst.score <= mean + 1e-9 && mean <= best.score + 1e-9));
            } else {
                prop_assert_eq!((family.scored.part, family.weighted.value), (0, None));
            }
            prop_assert_eq!(family.weighted.value.is_none(), family.weighted.missing.is_some());
            prop_assert_eq!(family.bands.iter().map(|row| row.clients.part).sum::<u64>(), family.scored.whole);
            let one = engine.roll_up(&family.parent, &model, as_of, of, options).unwrap();
            prop_assert_eq!(one, family);
        }
    }

    #[test]
    fn ranks_have_no_gap_that_no_tie_explains(log in logs::logs(0..40), end in ends(), of in of(), segment in any::<bool>(), lowest in any::<bool>()) {
        let engine = engine(&log);
        let as_of = engine.zone().as_of(end).unwrap();
        let by = SignalSpec::from_json(r#"{"kind": "active_users", "days": 30}"#).unwrap();
        let within = if segment { RankWithin::Segment } else { RankWithin::All };
        let order = if lowest { RankOrder::Lowest } else { RankOrder::Highest };
        let rows = engine.rank(&by, as_of, of, RankOptions { within, order });
        for (i, row) in rows.iter().enumerate() {
            let same = |other: &&healthfold::RankRow| !segment || other.segment == row.segment;
            let before = rows.iter().filter(same).filter(|other| match (other.value, row.value) {
                (Some(other), Some(own)) => if lowest { other < own } else { other > own },
                _ => false,
            });
            prop_assert_eq!(row.place, row.value.map(|_| before.count() as u64 + 1));
            if let Some(next) = rows.get(i + 1).filter(|next| next.value == row.value) {
                prop_assert!(row.client < next.client, "ties stand in order of ids");
            }
            prop_assert!(row.percentile.is_none_or(|p| p > 0.0 && p < 100.0), "a client is one of its own peers");
        }
    }

    #[test]
    fn net_promoters_add_up_and_are_those_of_the_signal(log in logs::logs(0..60), end in ends(), of in of(), days in 1u32..200) {
        let engine = engine(&log);
        let as_of = engine.zone().as_of(end).unwrap();
        let book = engine.book_nps(as_of, days, of).unwrap();
        let signal = SignalSpec::from_json(&json!({"kind": "nps", "days": days}).to_string()).unwrap();
        prop_assert_eq!(book.by_client.iter().map(|row| row.answered.answers).sum::<u64>(), book.total.answers);
        prop_assert_eq!(book.by_segment.iter().map(|row| row.answered.promoters).sum::<u64>(), book.total.promoters);
        prop_assert_eq!(book.by_segment.iter().map(|row| row.clients.whole).sum::<u64>(), book.clients.whole);
        for row in &book.by_client {
            prop_assert_eq!(row.answered.nps, engine.signal(&row.client, &signal, as_of).unwrap().value());
        }
        let all = book.by_client.iter().map(|row| row.answered);
        for counted in all.chain(book.by_segment.iter().map(|row| row.answered)).chain([book.total]) {
            prop_assert_eq!(counted.promoters + counted.passives + counted.detractors, counted.answers);
            if let (Some(low), Some(nps), Some(high)) = (counted.low, counted.nps, counted.high) {
                prop_assert!((-100.0..=100.0).contains(&nps) && low < high, "{counted:?}");
            } else {
                prop_assert_eq!(counted.answers, 0);
            }
        }
    }
}

#[expect(clippy::unwrap_used, reason = "events are written here")]
fn event(id: &str, kind: &str, client: &str, data: &Value) -> Event {
    let event = json!({"id": id, "source": "t", "type": kind, "subject": client, "time": "2026-03-05T10:00:00Z", "data": data});
    Event::from_json(event.to_string().as_bytes()).unwrap()
}

#[test]
fn s58_the_book_sorted_by_weekly_users_with_stable_ties() {
    let mut log = Vec::new();
    for (client, users) in [("d", 2), ("b", 7), ("a", 2), ("c", 0)] {
        let users: Vec<String> = (0..users).map(|n| format!("u{n}")).collect();
        let data = json!({"metric": "logins", "day": "2026-03-05", "count": users.len(), "users": users});
        log.push(event(&format!("use of {client}"), "usage.day_set", client, &data));
    }
    let wau = SignalSpec::from_json(r#"{"kind": "active_users", "days": 7}"#).unwrap();
    let ranked = |log: &[Event]| {
        let engine = engine(log);
        let as_of = engine.zone().as_of("2026-03-06").unwrap();
        let rows = engine.rank(&wau, as_of, ScoresOf::All, RankOptions::default());
        let row = |row: &healthfold::RankRow| (row.client.to_string(), row.place, row.percentile);
        rows.iter().map(row).collect::<Vec<_>>()
    };
    let row = |client: &str, place, percentile| (client.to_owned(), Some(place), Some(percentile));
    // Of 4: three below b and b itself half; c below a and d, which tie; c alone.
    let by_hand = vec![row("b", 1, 87.5), row("a", 2, 50.0), row("d", 2, 50.0), row("c", 4, 12.5)];
    assert_eq!(ranked(&log), by_hand);
    log.reverse();
    assert_eq!(ranked(&log), by_hand, "whatever came first");
}

#[test]
fn s62_ends_of_contracts_in_order_with_how_the_client_is() {
    let subscription = |amount: u32, end: &str| json!({"subscription": "s", "status": "active", "amount": amount, "currency": "USD", "interval": {"unit": "month"}, "term_end": end});
    let log = [
        event("1", "billing.subscription_set", "late", &subscription(10, "2026-04-20")),
        event("2", "billing.subscription_set", "soon", &subscription(20, "2026-04-02")),
        event("3", "billing.subscription_set", "past the month", &subscription(30, "2026-05-01")),
        event("4", "client.sentiment_set", "soon", &json!({"value": 20})),
    ];
    let engine = engine(&log);
    let april = Period::parse("2026-04", engine.zone()).unwrap();
    let mood = Model::from_value(&json!({"name": "mood", "signals": {"mood": {"kind": "sentiment"}},
        "groups": [{"name": "g", "parts": [{"signal": "mood", "curve": {"points": [[0, 0], [100, 100]]}}]}],
        "bands": bands()}))
    .unwrap();
    let renewals = engine.renewals(april, engine.zone().as_of("2026-03-31").unwrap(), Some(&mood));
    let row = |row: &healthfold::Renewal| {
        (row.client.to_string(), row.days, row.mrr.mrr().to_string(), row.band.clone().unwrap_or_default())
    };
    let rows: Vec<_> = renewals.rows.iter().map(row).collect();
    let by_hand = |client: &str, days, mrr: &str, band: &str| {
        (client.to_owned(), days, mrr.to_owned(), band.to_owned())
    };
    assert_eq!(rows, [by_hand("soon", 2, "20", "red"), by_hand("late", 20, "10", "unknown")]);
}

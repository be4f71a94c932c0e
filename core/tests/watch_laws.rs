//! The law of watching: whatever happens, in whatever order, the watched figures are those of the whole book asked anew, to
//! the last bit.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by a panic")]

use healthfold::{
    AsOf, Engine, Event, Instant, Model, Period, QueryError, RevenueOptions, ScoresOf, Settings, Watch,
};
use healthfold_testkit::logs;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Models that see different things: the shipped one; stages, sources and a currency; peers.
fn models() -> [Model; 3] {
    let curve = json!({"points": [[0, 0], [100, 100]]});
    let part = |signal: &str, curve: &Value| json!({"signal": signal, "curve": curve});
    let one = |name: &str, parts: Vec<Value>| {
        json!({"name": name, "signals": {"calls": {"kind": "usage_sum", "metric": "reports", "days": 30},
            "mood": {"kind": "sentiment"}, "mrr": {"kind": "mrr"}, "nps": {"kind": "nps"}},
            "groups": [{"name": "g", "parts": parts}],
            "sources": {"app": {"silent_after_days": 3}},
            "bands": [{"name": "red", "from": 0}, {"name": "green", "from": 40}]})
    };
    let set = json!({"name": "set", "currency": "USD",
        "rates": [{"currency": "EUR", "from": "2020-01-01", "rate": "1.1"}],
        "stages": [{"name": "trial", "when": {"trial": true}}, {"name": "active", "when": {"paying": true}}],
        "models": [
            {"when": {"stage": "active"}, "model": one("active", vec![part("calls", &curve), part("mrr", &curve)])},
            {"model": one("rest", vec![part("mood", &curve), part("nps", &curve)])}]});
    let ranked = json!({"percentile": {"within": "segment"}});
    let peers = one("peers", vec![part("calls", &ranked), part("mood", &curve)]);
    [Model::default(), Model::from_value(&set).unwrap(), Model::from_value(&peers).unwrap()]
}

fn options() -> Vec<RevenueOptions> {
    [
        json!({}),
        json!({"paused": "own", "reactivation_within_days": 20, "base": "opening_plus_new"}),
        json!({"only_currency": "USD", "paused": "keep", "past_due_limit_days": 5, "rounded": true}),
        json!({"currency": "USD", "rates": [{"currency": "EUR", "from": "2020-01-01", "rate": "1.1"},
            {"currency": "EUR", "from": "2026-02-10", "rate": "1.2"}]}),
    ]
    .iter()
    .map(|options| RevenueOptions::from_json(&options.to_string()).unwrap())
    .collect()
}

/// A report without the intervals of its money rates.
fn figures(mut report: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    let is_head_rate = ["logo_churn", "logo_retention"].contains(&name.as_str());
                    if let Some(rate) = member.as_object_mut().filter(|_| !is_head_rate)
                        && rate.contains_key("low")
                    {
                        rate.insert("low".to_owned(), Value::Null);
                        rate.insert("high".to_owned(), Value::Null);
                    }
                    strip(member);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut report);
    report
}

/// Checks that a watch says what the engine says.
fn check(
    watch: &Watch,
    engine: &Engine,
    model: &Model,
    of: ScoresOf,
    period: Period,
    options: &RevenueOptions,
) {
    let as_of = watch.as_of();
    assert_eq!(watch.health(), engine.book_health(model, as_of, of).unwrap());
    let scores = engine.scores(model, as_of, of);
    for health in &scores {
        let (score, band) = watch.score(&health.client).unwrap();
        assert_eq!((score.map(f64::to_bits), band), (health.score.map(f64::to_bits), &health.band));
    }
    let asked = |id| scores.iter().any(|health| health.client == id);
    for id in ["a", "b", "c", "acme", "birch"].map(Into::into) {
        assert_eq!(watch.score(&id).is_some(), asked(id));
    }
    let report = serde_json::to_value(engine.revenue(period, &at(options, as_of, period)).unwrap()).unwrap();
    let watched = serde_json::to_value(watch.revenue(engine).unwrap().unwrap()).unwrap();
    assert_eq!(watched, figures(report));
}

/// The options of the same question as of an instant, or of the period's end where that is past.
fn at(options: &RevenueOptions, as_of: Instant, period: Period) -> RevenueOptions {
    let as_of = options.as_of.unwrap_or(AsOf::At(as_of.min(period.end)));
    RevenueOptions { as_of: Some(as_of), ..options.clone() }
}

/// Whether a refused question is refused by both.
fn refused<T>(
    watched: &Result<T, QueryError>,
    engine: &Engine,
    model: &Model,
    as_of: Instant,
    period: Period,
    options: &RevenueOptions,
) -> bool {
    let by_engine = engine.book_health(model, as_of, ScoresOf::All).is_err()
        || engine.revenue(period, &at(options, as_of, period)).is_err();
    assert_eq!(watched.is_err(), by_engine);
    by_engine
}

proptest! {
    #[test]
    fn what_is_watched_is_what_the_book_says(
        log in logs::logs(1..50),
        which in 0..3usize,
        money in 0..4usize,
        paying in any::<bool>(),
        steps in prop::collection::vec((1..5usize, 0..8u8), 1..20),
    ) {
        let (model, options) = (&models()[which], &options()[money]);
        let of = if paying { ScoresOf::Paying } else { ScoresOf::All };
        let mut engine = Engine::new(Settings::default()).unwrap();
        let days = ["2026-02-14", "2026-02-15", "2026-03-29"].map(|day| engine.zone().as_of(day).unwrap());
        let mut day = 0;
        let period = Period::parse("2026-Q1", engine.zone()).unwrap();
        let mut watch = engine.watch(model, days[0], of, Some((period, options.clone()))).unwrap();
        let mut events = log.iter();
        for (count, turn) in steps.into_iter().cycle() {
            let some: Vec<&Event> = events.by_ref().take(count).collect();
            if some.is_empty() {
                break;
            }
            engine.apply_all(some);
            // Now and then it is another day, and now and then the engine is sealed or joins an empty one.
            match turn {
                0 => day = (day + 1) % days.len(),
                1 => engine.merge(&Engine::new(Settings::default()).unwrap()).unwrap(),
                _ => {}
            }
            let refreshed = watch.refresh(&engine, days[day]);
            if refused(&refreshed.map(drop), &engine, model, days[day], period, options) {
                continue;
            }
            check(&watch, &engine, model, of, period, options);
        }
    }
}

fn subscription(id: &str, client: &str, time: &str, amount: u32) -> Event {
    let event = json!({"id": id, "source": "billing", "type": "billing.subscription_set", "subject": client,
        "time": format!("{time}T10:00:00Z"), "data": {"subscription": "s", "status": "active", "amount": amount,
        "currency": "USD", "interval": {"unit": "month"}}});
    Event::from_json(event.to_string().as_bytes()).unwrap()
}

/// Two clients at 10 in January; one goes to 40 on 15 March, the other ends on 20 March.
#[test]
fn revenue_is_as_of_the_watch() {
    let mut engine = Engine::new(Settings::default()).unwrap();
    let mut ends = serde_json::to_value(subscription("1", "acme", "2026-01-05", 10).to_json()).unwrap();
    ends["data"]["cancel_at"] = "2026-03-20".into();
    let ends = Event::from_json(ends.to_string().as_bytes()).unwrap();
    engine.apply_all(&[
        ends,
        subscription("2", "birch", "2026-01-05", 10),
        subscription("3", "birch", "2026-03-15", 40),
    ]);
    let day = |day: &str| Engine::new(Settings::default()).unwrap().zone().as_of(day).unwrap();
    let march = Period::parse("2026-03", engine.zone()).unwrap();
    let (model, options) = (&models()[0], RevenueOptions::default());
    let mut watch =
        engine.watch(model, day("2026-03-10"), ScoresOf::All, Some((march, options.clone()))).unwrap();
    let figures = |watch: &Watch, engine: &Engine| {
        let report = watch.revenue(engine).unwrap().unwrap();
        let total = report.total.unwrap();
        let lines = [total.opening, total.expansion, total.churn, total.closing];
        (lines.map(|line| line.mrr().to_string()), report.period.partial)
    };
    // Neither has happened yet.
    assert_eq!(figures(&watch, &engine), (["20", "0", "0", "20"].map(str::to_owned), true));
    watch.refresh(&engine, day("2026-03-16")).unwrap();
    assert_eq!(figures(&watch, &engine), (["20", "30", "0", "50"].map(str::to_owned), true));
    // Behind its end the period is as it ended.
    watch.refresh(&engine, day("2026-05-01")).unwrap();
    assert_eq!(figures(&watch, &engine), (["20", "30", "10", "40"].map(str::to_owned), false));
    let error = watch.refresh(&engine, day("2026-02-27")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the period 2026-03-01T00:00:00Z to 2026-04-01T00:00:00Z has not begun as of 2026-02-27T23:59:59.999999Z"
    );
}

#[test]
fn only_who_changed_is_looked_at() {
    let mut engine = Engine::new(Settings::default()).unwrap();
    for n in 0..20 {
        engine.apply(&subscription(&format!("{n}"), &format!("c-{n}"), "2026-01-05", 100)).unwrap();
    }
    let as_of = engine.zone().as_of("2026-03-31").unwrap();
    let march = Period::parse("2026-03", engine.zone()).unwrap();
    let model = Model::default();
    let money = Some((march, RevenueOptions::default()));
    let mut watch = engine.watch(&model, as_of, ScoresOf::All, money).unwrap();
    let mut refresh = |engine: &Engine, as_of| {
        let refreshed = watch.refresh(engine, as_of).unwrap();
        check(&watch, engine, &model, ScoresOf::All, march, &RevenueOptions::default());
        (refreshed.clients, refreshed.whole)
    };
    assert_eq!(refresh(&engine, as_of), (0, false), "nothing happened");
    engine.apply(&subscription("up", "c-3", "2026-03-10", 130)).unwrap();
    engine.apply(&subscription("down", "c-4", "2026-03-10", 80)).unwrap();
    engine.apply(&subscription("again", "c-3", "2026-03-12", 140)).unwrap();
    assert_eq!(refresh(&engine, as_of), (2, false));
    engine.apply(&subscription("new", "c-20", "2026-03-10", 50)).unwrap();
    assert_eq!(refresh(&engine, as_of), (1, false));
    assert_eq!(refresh(&engine.clone(), as_of), (21, true), "a copy is another engine");
    assert_eq!(refresh(&engine, as_of), (0, false));
    let next_day = engine.zone().as_of("2026-04-01").unwrap();
    assert_eq!(refresh(&engine, next_day), (21, true), "time alone moves scores");
    let merge = json!({"id": "m", "source": "crm", "type": "client.merged_into", "subject": "c-1",
        "time": "2026-03-20T00:00:00Z", "data": {"into": "c-2"}});
    engine.apply(&Event::from_json(merge.to_string().as_bytes()).unwrap()).unwrap();
    assert_eq!(refresh(&engine, next_day), (20, true));
    engine.apply(&subscription("of c-1", "c-1", "2026-03-25", 10)).unwrap();
    assert_eq!(refresh(&engine, next_day), (1, false), "c-1 is part of c-2 now");
}

#[test]
fn what_cannot_be_watched_is_refused_by_name() {
    let mut engine = Engine::new(Settings::default()).unwrap();
    let as_of = engine.zone().as_of("2026-03-31").unwrap();
    let march = Period::parse("2026-03", engine.zone()).unwrap();
    for (options, setting) in [
        (json!({"group_by": "plan"}), "group_by"),
        (json!({"grain": "change"}), "grain"),
        (json!({"trailing": [3]}), "trailing"),
        (json!({"interval": "bootstrap"}), "interval"),
        (json!({"renewal_grace_days": 5}), "renewal_grace_days"),
    ] {
        let options = RevenueOptions::from_json(&options.to_string()).unwrap();
        let error =
            engine.watch(&Model::default(), as_of, ScoresOf::All, Some((march, options))).unwrap_err();
        assert!(error.to_string().contains(setting), "{error}");
    }
}

//! With the feature `threads`: however many threads answer, the bits are the same, and they are those of clients asked
//! one by one.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use healthfold::{
    ClientId, Engine, Event, Model, Period, PeriodUnit, ReadOptions, RevenueOptions, ScoresOf, Settings,
};
use serde_json::{Value, json};

/// Enough for three chunks, the last of them short.
const CLIENTS: u32 = 2_300;

fn take(engine: &mut Engine, id: &str, client: &str, time: &str, kind: &str, data: &Value) {
    let event = json!({"id": id, "source": "t", "type": kind, "subject": client,
        "time": format!("{time}T10:00:00Z"), "data": data});
    engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap()).unwrap();
}

/// Clients who use, pay in two currencies, leave and come back; some are one, some are erased.
fn book() -> Engine {
    let mut engine = Engine::new(Settings::default()).unwrap();
    for n in 0..CLIENTS {
        let client = format!("c-{n}");
        let mut tell = |id: &str, time: &str, kind: &str, data: Value| {
            take(&mut engine, &format!("{client}-{id}"), &client, time, kind, &data);
        };
        let currency = if n % 7 == 0 { "EUR" } else { "USD" };
        let contract = |status: &str, amount: u32| {
            json!({"subscription": "s", "status": status, "amount": amount, "currency": currency,
                "interval": {"unit": "month"}, "plan": format!("plan-{}", n % 3)})
        };
        tell("1", "2025-11-03", "billing.subscription_set", contract("active", 10 + n % 97));
        match n % 5 {
            0 => tell("2", "2026-01-12", "billing.subscription_set", contract("active", 20 + n % 89)),
            1 => tell("2", "2026-01-12", "billing.subscription_set", contract("cancelled", 1)),
            2 => tell("2", "2026-02-12", "billing.subscription_set", contract("paused", 1)),
            _ => tell("2", "2026-02-01", "client.sentiment_set", json!({"value": n % 101})),
        }
        for use_of in 0..n % 4 {
            tell(
                &format!("u{use_of}"),
                "2026-02-20",
                "usage.counted",
                json!({"metric": "calls", "user": format!("u-{use_of}")}),
            );
        }
        match n % 211 {
            0 => tell(
                "m",
                "2026-02-01",
                "client.merged_into",
                json!({"into": format!("c-{}", (n + 1) % CLIENTS)}),
            ),
            1 => tell("e", "2026-02-01", "client.erased", json!({})),
            _ => {}
        }
    }
    engine
}

fn peers() -> Model {
    Model::from_value(&json!({"name": "peers",
        "signals": {"calls": {"kind": "usage_sum", "metric": "calls", "days": 28}, "mood": {"kind": "sentiment"}},
        "groups": [{"name": "g", "parts": [
            {"signal": "calls", "curve": {"percentile": {"within": "all"}}},
            {"signal": "mood", "curve": {"points": [[0, 0], [100, 100]]}}]}],
        "bands": [{"name": "red", "from": 0}, {"name": "green", "from": 60}]}))
    .unwrap()
}

/// Everything that is asked of a whole book, as text.
fn answers(engine: &Engine) -> Vec<String> {
    let as_of = engine.zone().as_of("2026-02-28").unwrap();
    let quarter = Period::parse("2026-Q1", engine.zone()).unwrap();
    let mut answers = Vec::new();
    for model in [&Model::default(), &peers()] {
        for of in [ScoresOf::All, ScoresOf::Paying] {
            answers.push(serde_json::to_string(&engine.scores(model, as_of, of)).unwrap());
            let ends = [as_of, engine.zone().as_of("2026-01-31").unwrap()];
            answers.push(serde_json::to_string(&engine.score_tables(model, &ends, of)).unwrap());
            answers.push(serde_json::to_string(&engine.book_health(model, as_of, of).unwrap()).unwrap());
        }
    }
    for options in [
        json!({}),
        json!({"group_by": "plan", "grain": "change"}),
        json!({"paused": "own", "renewal_grace_days": 40, "trailing": [3]}),
        json!({"currency": "USD", "rates": [{"currency": "EUR", "from": "2025-01-01", "rate": "1.1"}]}),
        json!({"interval": "bootstrap", "resamples": 100, "only_currency": "USD"}),
    ] {
        let options = RevenueOptions::from_json(&options.to_string()).unwrap();
        let (start, end) = (quarter.start, quarter.end);
        let series = engine.revenue_series(start, end, PeriodUnit::Month, &options).unwrap();
        answers.push(serde_json::to_string(&series).unwrap());
        answers.push(serde_json::to_string(&engine.movements(quarter, &options).unwrap()).unwrap());
        answers.push(serde_json::to_string(&engine.cohorts((None, None), as_of, &options).unwrap()).unwrap());
    }
    answers
}

#[test]
fn however_many_threads_answer_the_bits_are_the_same() {
    let engine = book();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| answers(&engine))
    };
    let one = with(1);
    assert_eq!(one.len(), 27);
    for threads in [2, 7] {
        for (alone, together) in one.iter().zip(with(threads)) {
            assert!(*alone == together, "{threads} threads: {}", &alone[..200.min(alone.len())]);
        }
    }
}

/// Lines enough for many pieces: usage of many clients, with other events, repeats, conflicts and nonsense between them.
fn log() -> String {
    let mut log = String::new();
    for n in 0..24_000u32 {
        let (client, day) = (n * 7_919 % 701, 1 + n / 1_000);
        let (id, kind, data) = match n {
            _ if n % 1_009 == 5 => (n - 3, "usage.counted", json!({"metric": "calls", "count": 99})),
            _ if n % 997 == 4 => (n, "usage.counted", json!({"count": 1})),
            _ if n % 2_003 == 9 => (n, "client.erased", json!({})),
            _ if n % 13 == 0 => (n, "support.ticket_opened", json!({"ticket": format!("t-{n}")})),
            _ if n % 11 == 0 => (
                n,
                "usage.measured",
                json!({"metric": "seats", "value": n % 37, "user": format!("u-{}", n % 5)}),
            ),
            _ => (
                n - n % 500 / 499,
                "usage.counted",
                json!({"metric": format!("m-{}", n % 9), "user": format!("u-{}", n % 17)}),
            ),
        };
        let event = json!({"id": format!("e-{id}"), "source": "t", "type": kind, "subject": format!("c-{client}"),
            "time": format!("2026-01-{day:02}T10:00:00Z"), "data": data});
        log.push_str(&event.to_string());
        log.push('\n');
    }
    log
}

#[test]
fn however_many_threads_take_events_in_the_state_is_the_same() {
    let log = log();
    let events: Vec<_> = log.lines().map(|line| Event::from_json(line.as_bytes())).collect();
    let mut one_by_one = Engine::new(Settings::default()).unwrap();
    let taken = events.iter().flatten().filter(|event| one_by_one.apply(event) == Ok(true)).count();
    let conflicts = events.iter().flatten().filter(|event| one_by_one.apply(event).is_err()).count();
    assert!(taken > 23_000 && conflicts > 20, "{taken} {conflicts}");
    let good: Vec<&Event> = events.iter().flatten().collect();
    for threads in [1, 2, 7] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let loaded = || {
            let mut engine = Engine::new(Settings::default()).unwrap();
            let applied = engine.apply_ndjson(log.as_bytes(), &ReadOptions::default()).unwrap();
            (engine, applied)
        };
        // In a pool, and beside it.
        for (engine, applied) in [pool.install(loaded), loaded()] {
            assert_eq!(applied.applied, taken as u64);
            assert_eq!(usize::try_from(applied.conflict_count), Ok(conflicts));
            assert_eq!(usize::try_from(applied.rejected_count()), Ok(events.len() - good.len()));
            assert!(applied.rejected.windows(2).all(|pair| pair[0].index < pair[1].index));
            assert_eq!(engine.fingerprint(), one_by_one.fingerprint());
        }
        let mut engine = Engine::new(Settings::default()).unwrap();
        pool.install(|| engine.apply_all(good.iter().copied()));
        assert_eq!(engine.fingerprint(), one_by_one.fingerprint());
    }
}

/// Rows without ids, some of them equal, some of them bad, some of them on days that nobody asked for.
#[cfg(feature = "arrow")]
#[test]
fn however_many_threads_take_a_table_in_the_state_is_the_same() {
    use healthfold::table::arrow_array::{
        ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, StringArray, TimestampMicrosecondArray,
    };
    use healthfold::table::{Fill, TableOptions};
    use healthfold::{Applied, EventKind};
    use std::sync::Arc;

    const DAY: i64 = 86_400_000_000;
    let batch = |from: i64| {
        let rows = || from..from + 15_000;
        let texts = |text: fn(i64) -> Option<String>| -> ArrayRef {
            Arc::new(rows().map(text).collect::<StringArray>())
        };
        let times = rows().map(|n| 1_767_225_600_000_000 + n % 40 * DAY);
        RecordBatch::try_from_iter([
            ("subject", texts(|n| Some(format!("c-{}", n * 7_919 % 701)))),
            ("metric", texts(|n| (n % 977 != 3).then(|| format!("m-{}", n % 5)))),
            ("user", texts(|n| (n % 3 > 0).then(|| format!("u-{}", n % 17)))),
            ("count", Arc::new(rows().map(|n| n % 11).collect::<Int64Array>())),
            ("time", Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))),
        ])
        .unwrap()
    };
    let (one, two) = (batch(0), batch(14_000));
    let day = |day: &str| day.parse().unwrap();
    let load = |threads: usize| -> (String, Applied) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut engine = Engine::new(Settings::default()).unwrap();
            let batches = RecordBatchIterator::new([Ok(one.clone()), Ok(two.clone())], one.schema());
            let options = TableOptions {
                columns: [("sequence".to_owned(), Fill::Constant(0.into()))].into(),
                source: Some("warehouse".into()),
                days: Some((day("2026-01-05"), day("2026-02-05"))),
                ..TableOptions::default()
            };
            let applied = engine.apply_table(EventKind::UsageCounted, batches, &options).unwrap();
            (engine.fingerprint().to_string(), applied)
        })
    };
    let (fingerprint, applied) = load(1);
    // Of every 40 rows the first 4 and the last 5 are of other days; every 977th has no metric.
    let bad: Vec<u64> = (0..15_000)
        .map(|n| (n, n))
        .chain((0..15_000).map(|n| (n + 15_000, n + 14_000)))
        .filter(|(_, n)| n % 977 == 3 && (4..35).contains(&(n % 40)))
        .map(|(row, _)| row)
        .collect();
    assert_eq!(applied.rejected.iter().map(|row| row.index).collect::<Vec<_>>(), bad);
    let wanted = |from: u64| (from..from + 15_000).filter(|n| (4..35).contains(&(n % 40))).count() as u64;
    assert_eq!(
        applied.applied,
        wanted(0) + wanted(14_000) - bad.len() as u64,
        "equal rows are rows of their own"
    );
    assert_eq!(applied.skipped, 30_000 - wanted(0) - wanted(14_000));
    for threads in [2, 7] {
        assert_eq!(load(threads), (fingerprint.clone(), applied.clone()), "{threads} threads");
    }
}

#[test]
fn chunks_are_put_together_in_the_order_of_clients() {
    let engine = book();
    let as_of = engine.zone().as_of("2026-02-28").unwrap();
    let model = Model::default();
    let ids: Vec<ClientId> = engine.clients().cloned().collect();
    let one_by_one: Vec<_> = ids.iter().map(|id| engine.score(id, &model, as_of).unwrap()).collect();
    assert!(engine.scores(&model, as_of, ScoresOf::All) == one_by_one);

    let quarter = Period::parse("2026-Q1", engine.zone()).unwrap();
    let asked = |only: Option<Vec<ClientId>>| {
        let options = RevenueOptions {
            only_clients: only.map(|ids| ids.into_iter().collect()),
            only_currency: Some("USD".parse().unwrap()),
            ..RevenueOptions::default()
        };
        engine.revenue(quarter, &options).unwrap().total.unwrap()
    };
    // 17 parts of the book that have nothing to do with chunks; erased clients are in the whole only by their new ids.
    let erased = |n: u32| engine.anonymous_id(&format!("c-{n}").as_str().into());
    let all: Vec<ClientId> = ids.iter().cloned().chain((1..CLIENTS).step_by(211).map(erased)).collect();
    let parts: Vec<_> =
        (0..17).map(|n| asked(Some(all.iter().skip(n).step_by(17).cloned().collect()))).collect();
    let whole = asked(None);
    let sum = |figure: fn(&healthfold::Row) -> healthfold::Recurring| -> i128 {
        parts.iter().map(|row| figure(row).annual.picos()).sum()
    };
    assert_eq!(sum(|row| row.opening), whole.opening.annual.picos());
    assert_eq!(sum(|row| row.expansion), whole.expansion.annual.picos());
    assert_eq!(sum(|row| row.churn), whole.churn.annual.picos());
    assert_eq!(sum(|row| row.closing), whole.closing.annual.picos());
    assert_eq!(parts.iter().map(|row| row.clients.opening).sum::<u64>(), whole.clients.opening);
}

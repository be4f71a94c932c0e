//! How fast the bands of a book and the revenue of a month are fresh again after events: after one event, for books of a
//! thousand to a million clients, and after a thousand events.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start should stop")]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use healthfold::{Engine, Event, Model, Period, RevenueOptions, ScoresOf, Watch};
use healthfold_benches::{contracts, lives};
use std::hint::black_box;

/// A user of a client does something; every other event is a contract that is raised.
fn event(number: u64, clients: u64) -> Event {
    let client = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % clients;
    let (kind, data) = if number.is_multiple_of(2) {
        ("usage.counted", r#"{"metric":"calls","user":"u-1"}"#.to_owned())
    } else {
        let amount = 100 + number % 400;
        let data = format!(
            r#"{{"subscription":"s0","status":"active","amount":{amount},"currency":"USD","interval":{{"unit":"month"}}}}"#
        );
        ("billing.subscription_set", data)
    };
    let json = format!(
        r#"{{"id":"bench-{number}","source":"bench","type":"{kind}","subject":"client-{client}","time":"2025-12-30T10:00:00Z","data":{data}}}"#
    );
    Event::from_json(json.as_bytes()).unwrap()
}

fn watched(engine: &mut Engine) -> Watch {
    let as_of = engine.zone().as_of("2025-12-31").unwrap();
    let december = Period::parse("2025-12", engine.zone()).unwrap();
    let money = Some((december, RevenueOptions::default()));
    engine.watch(&Model::default(), as_of, ScoresOf::All, money).unwrap()
}

/// Takes in some events, and says how the book stands then.
fn fresh(engine: &mut Engine, watch: &mut Watch, events: &[Event]) {
    engine.apply_all(events);
    let refreshed = watch.refresh(engine, watch.as_of()).unwrap();
    assert!(!refreshed.whole);
    black_box((watch.health(), watch.revenue(engine).unwrap()));
}

fn one_event(c: &mut Criterion) {
    let mut group = c.benchmark_group("fresh_after_one_event");
    group.throughput(Throughput::Elements(1));
    for clients in [1_000, 10_000, 100_000, 1_000_000] {
        let mut engine = contracts(clients).unwrap();
        // The book has heard of use, so that the next event of it is nothing new.
        engine.apply(&event(0, clients)).unwrap();
        let mut watch = watched(&mut engine);
        let mut number = 0;
        let mut next = || {
            number += 1;
            [event(number, clients)]
        };
        group.bench_function(BenchmarkId::from_parameter(clients), |b| {
            b.iter_batched(
                &mut next,
                |events| fresh(&mut engine, &mut watch, &events),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn a_thousand_events(c: &mut Criterion) {
    const CLIENTS: u64 = 100_000;
    let mut engine = lives(CLIENTS).unwrap();
    let mut watch = watched(&mut engine);
    let mut number = 0;
    let mut next = || -> Vec<Event> {
        number += 1_000;
        (number..number + 1_000).map(|number| event(number, CLIENTS)).collect()
    };
    let mut group = c.benchmark_group("fresh_after_1_000_events");
    group.sample_size(20).throughput(Throughput::Elements(1_000));
    group.bench_function(BenchmarkId::from_parameter(CLIENTS), |b| {
        b.iter_batched(&mut next, |events| fresh(&mut engine, &mut watch, &events), BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, one_event, a_thousand_events);
criterion_main!(benches);

//! How fast questions are answered from resident state: scores, revenue, and a score after one more event.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start should stop")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use healthfold::{Event, Model, Period, PeriodUnit, RevenueOptions, ScoresOf};
use healthfold_benches::engine;
use std::hint::black_box;

fn score(c: &mut Criterion) {
    let engine = engine().unwrap();
    let model = Model::default();
    let as_of = engine.zone().as_of("2025-11-30").unwrap();
    let mut group = c.benchmark_group("score");
    group.throughput(Throughput::Elements(engine.clients().count() as u64));
    group.bench_function("all_clients", |b| {
        b.iter(|| black_box(engine.scores(&model, as_of, ScoresOf::All)));
    });
    group.finish();
}

fn revenue(c: &mut Criterion) {
    let engine = engine().unwrap();
    let options = RevenueOptions::default();
    let month = Period::parse("2025-11", engine.zone()).unwrap();
    let year = Period::parse("2025", engine.zone()).unwrap();
    let mut group = c.benchmark_group("revenue");
    group.throughput(Throughput::Elements(engine.clients().count() as u64));
    group.bench_function("one_month", |b| b.iter(|| black_box(engine.revenue(month, &options).unwrap())));
    group.bench_function("twelve_months", |b| {
        b.iter(|| {
            black_box(engine.revenue_series(year.start, year.end, PeriodUnit::Month, &options).unwrap())
        });
    });
    group.finish();
}

fn apply_one_and_rescore(c: &mut Criterion) {
    let mut engine = engine().unwrap();
    let model = Model::default();
    let as_of = engine.zone().as_of("2025-11-30").unwrap();
    let client = engine.clients().next().unwrap().clone();
    let event = |number: u64| {
        let json = format!(
            r#"{{"id":"bench-{number}","source":"bench","type":"usage.counted","subject":"{client}","time":"2025-11-30T10:00:00Z","data":{{"metric":"calls","user":"u-1"}}}}"#
        );
        Event::from_json(json.as_bytes()).unwrap()
    };
    let mut next = 0;
    c.bench_function("apply_one_event_and_rescore", |b| {
        b.iter_batched(
            || {
                next += 1;
                event(next)
            },
            |event| {
                engine.apply(&event).unwrap();
                black_box(engine.score(&client, &model, as_of).unwrap())
            },
            criterion::BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, score, revenue, apply_one_and_rescore);
criterion_main!(benches);

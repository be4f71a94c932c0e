//! How fast events go in: from NDJSON, and typed in time order and shuffled.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start should stop")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use healthfold::{Dedupe, Engine, ReadOptions, Settings};
use healthfold_benches::{events, ndjson};
use healthfold_testkit::book::Order;
use std::hint::black_box;

fn engine(dedupe: Dedupe) -> Engine {
    Engine::new(Settings { dedupe, ..Settings::default() }).unwrap()
}

fn decode_and_fold(c: &mut Criterion) {
    let log = ndjson(Order::Time);
    let lines = log.split(|byte| *byte == b'\n').count();
    let mut group = c.benchmark_group("ndjson");
    group.sample_size(10).throughput(Throughput::Elements(lines as u64));
    group.bench_function("decode_and_fold", |b| {
        b.iter(|| {
            let mut engine = engine(Dedupe::Exact);
            black_box(engine.apply_ndjson(log.as_slice(), &ReadOptions::default()).unwrap().applied)
        });
    });
    group.finish();
}

fn fold(c: &mut Criterion) {
    let mut group = c.benchmark_group("typed");
    group.sample_size(10);
    for (name, order) in [("time_order", Order::Time), ("shuffled", Order::Shuffled)] {
        let events = events(order).unwrap();
        group.throughput(Throughput::Elements(events.len() as u64));
        for (how, dedupe) in [("exact", Dedupe::Exact), ("upstream", Dedupe::Upstream)] {
            group.bench_function(format!("{name}/{how}"), |b| {
                b.iter_batched(
                    || engine(dedupe),
                    |mut engine| {
                        black_box(engine.apply_all(&events).applied);
                        engine
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, decode_and_fold, fold);
criterion_main!(benches);

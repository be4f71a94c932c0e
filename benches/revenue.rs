//! How fast the revenue of 100 000 clients is answered: a month, twelve months in one call, and twelve months by plan.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start should stop")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use healthfold::{Period, PeriodUnit, RevenueOptions};
use healthfold_benches::contracts;
use std::hint::black_box;

const CLIENTS: u64 = 100_000;

fn revenue(c: &mut Criterion) {
    let engine = contracts(CLIENTS).unwrap();
    let month = Period::parse("2025-11", engine.zone()).unwrap();
    let year = Period::parse("2025", engine.zone()).unwrap();
    let plain = RevenueOptions::default();
    let by_plan = RevenueOptions { group_by: Some("plan".parse().unwrap()), ..RevenueOptions::default() };
    let series = |options: &RevenueOptions| {
        engine.revenue_series(year.start, year.end, PeriodUnit::Month, options).unwrap()
    };
    let mut group = c.benchmark_group("revenue_of_100_000");
    group.sample_size(10).throughput(Throughput::Elements(CLIENTS));
    group.bench_function("one_month", |b| b.iter(|| black_box(engine.revenue(month, &plain).unwrap())));
    group.bench_function("twelve_months", |b| b.iter(|| black_box(series(&plain))));
    group.bench_function("twelve_months_by_plan", |b| b.iter(|| black_box(series(&by_plan))));
    group.bench_function("movements", |b| b.iter(|| black_box(engine.movements(month, &plain).unwrap())));
    group.finish();
}

criterion_group!(benches, revenue);
criterion_main!(benches);

//! How fast models of lifetimes are fitted and asked: the CDNOW sample of the literature, where the shared data is there, and a
//! million generated clients.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start should stop")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use healthfold::lifetime::{
    BgNbd, Buying, CohortCounts, GammaGamma, MbgNbd, ParetoNbd, Rfm, Sbg, SurvivalBounds, SurvivalCurve,
};
use healthfold_benches::buyers::{buyers, spells};
use healthfold_testkit::case::shared_data;
use std::hint::black_box;

const MILLION: u32 = 1_000_000;

/// The 2357 clients of the sample; rows of customer, x, t_x, T.
fn cdnow() -> Option<Vec<Rfm>> {
    let text = std::fs::read_to_string(shared_data("lifetime/bgnbd_cdnow/input.csv")?).unwrap();
    let row = |line: &str| {
        let mut cells = line.split(',').skip(1).map(|cell| cell.parse::<f64>().unwrap());
        let mut next = || cells.next().unwrap();
        let (frequency, recency, age) = (next(), next(), next());
        let frequency = (0..=10_000).find(|whole| f64::from(*whole) == frequency).unwrap();
        Rfm { frequency, recency, age, value: None }
    };
    Some(text.lines().skip(1).map(row).collect())
}

fn small(c: &mut Criterion) {
    let mut group = c.benchmark_group("lifetime_small");
    let cohort = [CohortCounts::new(vec![1000, 631, 468, 382, 326, 289, 262, 241])];
    group.bench_function("sbg_one_cohort", |b| b.iter(|| black_box(Sbg::fit(&cohort).unwrap())));
    if let Some(clients) = cdnow() {
        group.throughput(Throughput::Elements(2357));
        group.bench_function("bg_nbd_cdnow", |b| b.iter(|| black_box(BgNbd::fit(&clients).unwrap())));
        group.bench_function("mbg_nbd_cdnow", |b| b.iter(|| black_box(MbgNbd::fit(&clients).unwrap())));
        group.bench_function("pareto_nbd_cdnow", |b| b.iter(|| black_box(ParetoNbd::fit(&clients).unwrap())));
    }
    group.finish();
}

fn million(c: &mut Criterion) {
    let clients = buyers(MILLION);
    let spells = spells(MILLION);
    let model = BgNbd::fit(&clients).unwrap().parameters;
    let mut group = c.benchmark_group("lifetime_of_a_million");
    group.sample_size(10).throughput(Throughput::Elements(u64::from(MILLION)));
    group.bench_function("fit_bg_nbd", |b| b.iter(|| black_box(BgNbd::fit(&clients).unwrap())));
    group.bench_function("fit_gamma_gamma", |b| b.iter(|| black_box(GammaGamma::fit(&clients).unwrap())));
    group.bench_function("p_alive", |b| {
        b.iter(|| black_box(clients.iter().map(|client| model.p_alive(client)).sum::<f64>()))
    });
    group.bench_function("purchases_of_a_year", |b| {
        b.iter(|| black_box(model.expected_of_all(&clients, 52.0)))
    });
    group.bench_function("kaplan_meier", |b| {
        b.iter(|| black_box(SurvivalCurve::of(&spells, SurvivalBounds::LogLog)))
    });
    group.finish();
}

criterion_group!(benches, small, million);
criterion_main!(benches);

//! How fast scores are answered: 100 000 clients at once, a year of one client by day, a year of a book by month, and the
//! models of a set whose stages have clocks.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start should stop")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use healthfold::{Every, Model, ScoresOf};
use healthfold_benches::lives;
use serde_json::{Value, json};
use std::hint::black_box;

fn whole_book(c: &mut Criterion) {
    const CLIENTS: u64 = 100_000;
    let engine = lives(CLIENTS).unwrap();
    let model = Model::default();
    let as_of = engine.zone().as_of("2025-12-31").unwrap();
    let mut group = c.benchmark_group("score_of_100_000");
    group.sample_size(10).throughput(Throughput::Elements(CLIENTS));
    group.bench_function("default", |b| b.iter(|| black_box(engine.scores(&model, as_of, ScoresOf::All))));
    group.bench_function("table", |b| b.iter(|| black_box(engine.score_table(&model, as_of, ScoresOf::All))));
    group.finish();
}

/// Two models by stage; the days in the stage are a part of the score where there is a `clock`.
fn stages(clock: bool, live: &Value) -> Model {
    let part = json!({"signal": "d", "curve": {"points": [[0, 0], [30, 100]]}});
    let signal = if clock { json!({"kind": "stage_days"}) } else { json!({"kind": "tenure_days"}) };
    let model = json!({"name": "m", "signals": {"d": signal, "users": {"kind": "active_users", "days": 30}},
        "groups": [{"name": "g", "parts": [part, {"signal": "users", "curve": {"points": [[0, 0], [5, 100]]}}]}],
        "bands": [{"name": "red", "from": 0}, {"name": "green", "from": 60}]});
    Model::from_value(&json!({"name": "set",
        "signals": {"idle": {"kind": "days_since_usage"}},
        "stages": [{"name": "trial", "when": {"trial": true}},
            {"name": "onboarding", "when": {"all": [{"paying": true}, {"not": live}]}},
            {"name": "active", "when": {"paying": true}}],
        "models": [{"when": {"stage": "trial"}, "model": model}, {"model": model}]}))
    .unwrap()
}

fn smaller_book(c: &mut Criterion) {
    const CLIENTS: u64 = 10_000;
    let engine = lives(CLIENTS).unwrap();
    let model = Model::default();
    let instant = |day: &str| engine.zone().as_of(day).unwrap();
    let (start, end) = (instant("2025-01-01"), instant("2025-12-31"));
    let client = engine.clients().next().unwrap().clone();
    c.bench_function("score_history/one_client_365_days", |b| {
        b.iter(|| black_box(engine.score_history(&client, &model, start, end, Every::Day).unwrap()));
    });

    let mut group = c.benchmark_group("score_of_10_000");
    group.sample_size(10).throughput(Throughput::Elements(CLIENTS));
    group.bench_function("book_history_12_months", |b| {
        b.iter(|| black_box(engine.book_history(&model, start, end, Every::Month, ScoresOf::All).unwrap()));
    });
    let milestone = json!({"milestone": "live"});
    let signal = json!({"signal": "idle", "at_most": 7});
    for (name, model) in [
        ("stages_without_a_clock", stages(false, &milestone)),
        ("stages_of_the_contract", stages(true, &milestone)),
        ("stages_by_a_signal", stages(true, &signal)),
    ] {
        group.bench_function(name, |b| b.iter(|| black_box(engine.scores(&model, end, ScoresOf::All))));
    }
    group.finish();
}

criterion_group!(benches, whole_book, smaller_book);
criterion_main!(benches);

//! How many instructions the main paths take, counted by callgrind and held to limits: `cargo xtask test` fails where a
//! change makes one of them take a tenth more. Unlike times, the counts are the same on a busy machine.
//!
//! Whoever makes a path cheaper lowers its limit; whoever must raise one says why in the commit.

#![allow(missing_docs, reason = "gungraun's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start should stop")]

use gungraun::prelude::*;
use gungraun::{Callgrind, EventKind as Counted, LibraryBenchmarkConfig};
use healthfold::{
    Dedupe, Engine, Event, Model, PeriodUnit, ReadOptions, RevenueOptions, ScoresOf, Settings, Watch,
};
use healthfold_guards::{engine, events, last_first, log};
use std::hint::black_box;

/// At most so many instructions.
fn most(instructions: u64) -> LibraryBenchmarkConfig {
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(Callgrind::default().hard_limits([(Counted::Ir, instructions)]));
    config
}

fn empty(dedupe: Dedupe) -> Engine {
    Engine::new(Settings { dedupe, ..Settings::default() }).unwrap()
}

fn lines(dedupe: Dedupe) -> (Engine, String) {
    (empty(dedupe), log())
}

fn typed(dedupe: Dedupe) -> (Engine, Vec<Event>) {
    (empty(dedupe), events())
}

#[library_benchmark]
#[bench::exact(args = (Dedupe::Exact), setup = lines, config = most(41_000_000))]
#[bench::upstream(args = (Dedupe::Upstream), setup = lines, config = most(29_200_000))]
fn from_lines((mut engine, log): (Engine, String)) -> Engine {
    black_box(engine.apply_ndjson(log.as_bytes(), &ReadOptions::default()).unwrap());
    engine
}

fn reversed(dedupe: Dedupe) -> (Engine, Vec<Event>) {
    (empty(dedupe), last_first())
}

// The last of them holds the line against work that grows faster than the log: moving all that is known for each event
// that comes late would take six times as much.
#[library_benchmark]
#[bench::exact(args = (Dedupe::Exact), setup = typed, config = most(21_700_000))]
#[bench::upstream(args = (Dedupe::Upstream), setup = typed, config = most(10_400_000))]
#[bench::reversed(args = (Dedupe::Upstream), setup = reversed, config = most(12_200_000))]
fn from_events((mut engine, events): (Engine, Vec<Event>)) -> (Engine, Vec<Event>) {
    black_box(engine.apply_all(&events));
    (engine, events)
}

fn asked() -> (Engine, Model) {
    let engine = engine();
    let at = engine.zone().as_of("2026-03-31").unwrap();
    // What is worked out when it is first asked for is there.
    black_box(engine.score_table(&Model::default(), at, ScoresOf::All));
    (engine, Model::default())
}

#[library_benchmark]
#[bench::book(setup = asked, config = most(1_250_000))]
fn scores((engine, model): (Engine, Model)) -> Engine {
    let at = engine.zone().as_of("2026-03-31").unwrap();
    black_box(engine.score_table(&model, at, ScoresOf::All));
    engine
}

#[library_benchmark]
#[bench::months(setup = asked, config = most(765_000))]
fn revenue((engine, _): (Engine, Model)) -> Engine {
    let (start, end) = ("2026-01-01T00:00:00Z".parse().unwrap(), "2026-04-01T00:00:00Z".parse().unwrap());
    black_box(engine.revenue_series(start, end, PeriodUnit::Month, &RevenueOptions::default()).unwrap());
    engine
}

fn watched() -> (Engine, Watch, Event) {
    let (mut engine, model) = asked();
    let at = engine.zone().as_of("2026-03-31").unwrap();
    let watch = engine.watch(&model, at, ScoresOf::All, None).unwrap();
    let line = br#"{"id":"last","source":"app","type":"usage.counted","subject":"client-7","time":"2026-03-28T10:00:00Z","data":{"metric":"metric-1","user":"user-1"}}"#;
    (engine, watch, Event::from_json(line).unwrap())
}

#[library_benchmark]
#[bench::one_event(setup = watched, config = most(33_400))]
fn fresh_book((mut engine, mut watch, event): (Engine, Watch, Event)) -> (Engine, Watch) {
    let at = engine.zone().as_of("2026-03-31").unwrap();
    engine.apply(&event).unwrap();
    assert!(!watch.refresh(&engine, at).unwrap().whole);
    black_box(watch.health());
    (engine, watch)
}

library_benchmark_group!(name = fold, benchmarks = [from_lines, from_events]);
library_benchmark_group!(name = ask, benchmarks = [scores, revenue, fresh_book]);
main!(library_benchmark_groups = [fold, ask]);

//! How fast rows of tables go in, beside the same events that are typed already: usage with ids and without, and tickets.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start should stop")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use healthfold::table::TableOptions;
use healthfold::table::arrow_array::types::Int32Type;
use healthfold::table::arrow_array::{
    ArrayRef, Decimal128Array, DictionaryArray, RecordBatch, RecordBatchIterator, StringArray,
    TimestampMicrosecondArray,
};
use healthfold::{Dedupe, Engine, Event, EventData, EventKind, Settings};
use healthfold_benches::events;
use healthfold_testkit::book::Order;
use std::hint::black_box;
use std::sync::Arc;

fn engine(dedupe: Dedupe) -> Engine {
    Engine::new(Settings { dedupe, ..Settings::default() }).unwrap()
}

fn of_kind(kind: EventKind) -> Vec<Event> {
    events(Order::Time).unwrap().into_iter().filter(|event| event.kind() == kind).collect()
}

/// What all events have, as a warehouse would hold it.
fn envelope(events: &[Event]) -> Vec<(&'static str, ArrayRef)> {
    let texts = |of: fn(&Event) -> &str| Arc::new(StringArray::from_iter_values(events.iter().map(of)));
    let times = TimestampMicrosecondArray::from_iter_values(events.iter().map(|event| event.time.micros()));
    let sources = events.iter().map(|event| event.source.as_str());
    vec![
        ("id", texts(|event| event.id.as_str())),
        ("source", Arc::new(sources.collect::<DictionaryArray<Int32Type>>())),
        ("subject", texts(|event| event.subject.as_str())),
        ("time", Arc::new(times.with_timezone("UTC"))),
    ]
}

fn usage(events: &[Event]) -> RecordBatch {
    let mut columns = envelope(events);
    let data = |event: &Event| match &event.data {
        EventData::UsageCounted(data) => Some(data.clone()),
        _ => None,
    };
    let data: Vec<_> = events.iter().filter_map(data).collect();
    let metrics = data.iter().map(|data| data.metric.as_str());
    columns.push(("metric", Arc::new(metrics.collect::<DictionaryArray<Int32Type>>())));
    let counts = Decimal128Array::from_iter_values(data.iter().map(|data| data.count.micros().into()));
    columns.push(("count", Arc::new(counts.with_precision_and_scale(38, 6).unwrap())));
    let users = data.iter().map(|data| data.user.as_ref().map(|user| user.as_str()));
    columns.push(("user", Arc::new(users.collect::<StringArray>())));
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn tickets(events: &[Event]) -> RecordBatch {
    let mut columns = envelope(events);
    let ticket = |event: &Event| match &event.data {
        EventData::TicketResolved(data) => Some(data.ticket.clone()),
        _ => None,
    };
    let tickets: Vec<_> = events.iter().filter_map(ticket).collect();
    let tickets = StringArray::from_iter_values(tickets.iter().map(|ticket| ticket.as_str()));
    columns.push(("ticket", Arc::new(tickets)));
    RecordBatch::try_from_iter(columns).unwrap()
}

fn apply(engine: &mut Engine, kind: EventKind, table: &RecordBatch) -> u64 {
    let rows = RecordBatchIterator::new([Ok(table.clone())], table.schema());
    let options = TableOptions { source: Some("app".into()), ..TableOptions::default() };
    engine.apply_table(kind, rows, &options).unwrap().applied
}

fn tables(c: &mut Criterion) {
    let mut group = c.benchmark_group("tables");
    group.sample_size(10);
    let counted = of_kind(EventKind::UsageCounted);
    let resolved = of_kind(EventKind::TicketResolved);
    let with_ids = usage(&counted);
    let without_ids = with_ids.project(&[1, 2, 3, 4, 5, 6]).unwrap();
    group.throughput(Throughput::Elements(counted.len() as u64));
    for (how, dedupe) in [("exact", Dedupe::Exact), ("upstream", Dedupe::Upstream)] {
        group.bench_function(format!("usage/typed/{how}"), |b| {
            b.iter_batched_ref(
                || engine(dedupe),
                |engine| black_box(engine.apply_all(&counted).applied),
                BatchSize::PerIteration,
            );
        });
        for (name, table) in [("with_ids", &with_ids), ("without_ids", &without_ids)] {
            group.bench_function(format!("usage/{name}/{how}"), |b| {
                b.iter_batched_ref(
                    || engine(dedupe),
                    |engine| black_box(apply(engine, EventKind::UsageCounted, table)),
                    BatchSize::PerIteration,
                );
            });
        }
    }
    let table = tickets(&resolved);
    group.throughput(Throughput::Elements(resolved.len() as u64));
    group.bench_function("tickets/typed", |b| {
        b.iter_batched_ref(
            || engine(Dedupe::Upstream),
            |engine| black_box(engine.apply_all(&resolved).applied),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("tickets/with_ids", |b| {
        b.iter_batched_ref(
            || engine(Dedupe::Upstream),
            |engine| black_box(apply(engine, EventKind::TicketResolved, &table)),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, tables);
criterion_main!(benches);

//! How fast a line becomes an event, next to what public JSON libraries take for a struct of borrowed texts: these check
//! no limit, no time and no decimal, and know one event type.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start should stop")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use healthfold::EventReader;
use healthfold_benches::peers::{LogSpec, write_log};
use serde::Deserialize;
use std::borrow::Cow;
use std::hint::black_box;

/// A usage line as a library reads it.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    metric: Cow<'a, str>,
    count: f64,
    #[serde(borrow)]
    user: Option<Cow<'a, str>>,
}

impl Line<'_> {
    fn size(&self) -> usize {
        let Self { id, source, kind, subject, time, data } = self;
        let user = data.user.as_ref().map_or(0, |user| user.len());
        let texts = id.len() + source.len() + kind.len() + subject.len() + time.len();
        texts + data.metric.len() + user + usize::from(data.count > 0.0)
    }
}

fn lines(log: &[u8]) -> impl Iterator<Item = &[u8]> {
    log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn decode(log: &[u8]) -> usize {
    let mut reader = EventReader::new(log, None);
    let mut sound = 0;
    while let Some((_, event)) = reader.next_event().unwrap() {
        sound += usize::from(event.is_ok());
    }
    sound
}

fn benchmark(c: &mut Criterion) {
    let mut log = Vec::new();
    write_log(LogSpec { clients: 1_000, events: 100_000, seed: 1, late: 0 }, &mut log).unwrap();
    let of_usage = |line: &&[u8]| line.windows(15).any(|part| part == b"\"usage.counted\"");
    let (usage, other): (Vec<&[u8]>, Vec<&[u8]>) = lines(&log).partition(of_usage);
    for (name, log) in [("usage", usage.join(&b'\n')), ("other", other.join(&b'\n'))] {
        let count = lines(&log).count();
        assert_eq!(decode(&log), count);
        let mut group = c.benchmark_group(name);
        group.sample_size(20).throughput(Throughput::Elements(count as u64));
        group.bench_function("healthfold", |b| b.iter(|| black_box(decode(&log))));
        if name == "usage" {
            group.bench_function("serde_json", |b| {
                b.iter(|| {
                    lines(&log)
                        .map(|line| serde_json::from_slice::<Line<'_>>(line).unwrap().size())
                        .sum::<usize>()
                });
            });
            group.bench_function("sonic_rs", |b| {
                b.iter(|| {
                    lines(&log)
                        .map(|line| sonic_rs::from_slice::<Line<'_>>(line).unwrap().size())
                        .sum::<usize>()
                });
            });
            group.bench_function("simd_json", |b| {
                let (mut line, mut buffers) = (Vec::new(), simd_json::Buffers::default());
                b.iter(|| {
                    let mut size = 0;
                    for text in lines(&log) {
                        // It writes into what it reads.
                        line.clear();
                        line.extend_from_slice(text);
                        let read: Line<'_> =
                            simd_json::serde::from_slice_with_buffers(&mut line, &mut buffers).unwrap();
                        size += read.size();
                    }
                    size
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, benchmark);
criterion_main!(benches);

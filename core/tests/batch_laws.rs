//! The law of batches: taking events in together is taking them in one by one, whatever stands in the batch.

#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside of test functions")]

use healthfold::{
    Applied, Dedupe, Engine, Event, EventCode, EventData, Limits, Model, Quantity, ReadOptions, ScoresOf,
    Settings,
};
use healthfold_testkit::logs;
use proptest::prelude::*;

/// What became of events that were applied one by one.
fn one_by_one(engine: &mut Engine, events: &[Event]) -> (u64, u64, Vec<(u64, EventCode)>) {
    let (mut applied, mut duplicates, mut refused) = (0, 0, Vec::new());
    for (event, index) in events.iter().zip(0..) {
        match engine.apply(event) {
            Ok(true) => applied += 1,
            Ok(false) => duplicates += 1,
            Err(error) => refused.push((index, error.code)),
        }
    }
    (applied, duplicates, refused)
}

/// The same of a batch, conflicts among what was refused.
fn of_batch(applied: &Applied) -> (u64, u64, Vec<(u64, EventCode)>) {
    let rejected = applied.rejected.iter().map(|rejection| (rejection.index, rejection.error.code));
    let conflicts = applied.conflicts.iter().map(|conflict| (conflict.index, EventCode::ConflictingEvent));
    let mut refused: Vec<(u64, EventCode)> = rejected.chain(conflicts).collect();
    refused.sort_unstable();
    (applied.applied, applied.duplicates, refused)
}

/// All scores at two instants.
fn scores(engine: &Engine) -> String {
    let at = |text: &str| engine.scores(&Model::default(), text.parse().unwrap(), ScoresOf::All);
    serde_json::to_string(&[at("2026-02-15T00:00:00Z"), at("2026-04-30T12:00:00Z")]).unwrap()
}

/// The event with another content.
fn altered(event: &Event) -> Event {
    let mut event = event.clone();
    match &mut event.data {
        EventData::UsageCounted(data) => data.count = "7.5".parse::<Quantity>().unwrap(),
        _ => event.sequence += 1,
    }
    event
}

/// A log in which some events come again and some with another content, mostly usage.
fn with_copies() -> impl Strategy<Value = Vec<Event>> {
    let copies = prop::collection::vec(
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<bool>()),
        0..30,
    );
    (logs::logs(1..80), copies).prop_map(|(mut log, copies)| {
        for (from, to, alter) in copies {
            let event = from.get(&log);
            let copy = if alter { altered(event) } else { event.clone() };
            log.insert(to.index(log.len()), copy);
        }
        log
    })
}

proptest! {
    #![proptest_config(logs::config())]

    #[test]
    fn a_batch_is_its_events_one_by_one(
        log in with_copies(),
        seal in prop::option::of(prop::sample::select(vec!["2026-02-10T00:00:00Z", "2026-04-01T00:00:00Z"])),
        metrics in prop::sample::select(vec![1u32, 2, 3, 10_000]),
        ids in prop::sample::select(vec![1u32, 65_535]),
        zone in prop::sample::select(vec!["UTC", "America/New_York"]),
        dedupe in prop::sample::select(vec![Dedupe::Exact, Dedupe::Upstream]),
        cut in any::<prop::sample::Index>(),
    ) {
        let settings = Settings {
            timezone: zone.to_owned(), dedupe, limits: Limits { metrics, ids }, ..Settings::default()
        };
        let mut single = Engine::new(settings).unwrap();
        if let Some(seal) = seal {
            single.seal(seal.parse().unwrap()).unwrap();
        }
        let (mut batch, mut text) = (single.clone(), single.clone());
        // Something is in already, so that a batch finds slots, roll-ups and identities.
        let (before, log) = log.split_at(cut.index(log.len()));
        let of_single = [before, log].map(|events| one_by_one(&mut single, events));
        let of_batches = [before, log].map(|events| {
            let applied = of_batch(&batch.apply_all(events));
            // What the book has seen is kept fresh from now on.
            scores(&batch);
            applied
        });
        prop_assert_eq!(&of_single, &of_batches);
        let of_texts = [before, log].map(|events| {
            let lines: String = events.iter().map(|event| event.to_line() + "\n").collect();
            of_batch(&text.apply_ndjson(lines.as_bytes(), &ReadOptions::default()).unwrap())
        });
        prop_assert_eq!(&of_single, &of_texts);
        prop_assert!(single.snapshot() == batch.snapshot() && single.snapshot() == text.snapshot());
        prop_assert_eq!(single.clients().collect::<Vec<_>>(), batch.clients().collect::<Vec<_>>());
        prop_assert_eq!(single.span(), batch.span());
        prop_assert_eq!(scores(&Engine::restore(&single.snapshot()).unwrap()), scores(&batch));
    }
}

/// A batch with more events than are folded at once, of more clients and users than are looked through one by one.
#[test]
fn long_batches_are_folded_in_parts() {
    let lines = |part: u64, of: u64| -> String {
        let numbers = (0..300_000u64).filter(|n| n % of == part);
        let line = |n: u64| {
            let (client, day, metric, user) = (n * 7 % 1_009, n % 27 + 1, n % 3, n % 41);
            format!(
                r#"{{"id":"{n}","source":"s","type":"usage.counted","subject":"c{client}","time":"2026-01-{day:02}T10:00:00Z","data":{{"metric":"m{metric}","user":"u{user}"}}}}"#
            ) + "\n"
        };
        numbers.map(line).collect()
    };
    let mut whole = Engine::new(Settings::default()).unwrap();
    let applied = whole.apply_ndjson(lines(0, 1).as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!((applied.applied, applied.rejected_count()), (300_000, 0));
    let mut parts = Engine::new(Settings::default()).unwrap();
    for part in [2, 0, 1] {
        parts.apply_ndjson(lines(part, 3).as_bytes(), &ReadOptions::default()).unwrap();
    }
    assert_eq!(whole.fingerprint(), parts.fingerprint());
    let sum = healthfold::SignalSpec::from_json(r#"{"kind":"usage_sum","metric":"m0","days":31}"#).unwrap();
    let at = whole.zone().as_of("2026-01-31").unwrap();
    let total: f64 =
        whole.clients().filter_map(|client| whole.signal(client, &sum, at).unwrap().value()).sum();
    assert_eq!(total, 100_000.0, "a third of the events count m0");
}

/// Whoever gives the events may fail half way, and the engine is asked on.
#[test]
fn a_batch_that_breaks_off_holds_what_it_admitted() {
    let line = |n: u64| {
        format!(
            r#"{{"id":"{n}","source":"s","type":"usage.counted","subject":"c{}","time":"2026-01-05T10:00:00Z","data":{{"metric":"m"}}}}"#,
            n % 7
        )
    };
    // More than is under way at a time, also with threads.
    let lines: Vec<String> = (0..60_000).map(line).collect();
    let events: Vec<Event> = lines.iter().map(|line| Event::from_json(line.as_bytes()).unwrap()).collect();
    let mut whole = Engine::new(Settings::default()).unwrap();
    assert_eq!(whole.apply_all(&events).applied, 60_000);

    let mut broken = Engine::new(Settings::default()).unwrap();
    let failing =
        events.iter().enumerate().map(|(n, event)| if n == 59_650 { panic!("on purpose") } else { event });
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| broken.apply_all(failing)));
    assert!(caught.is_err());
    assert!(broken.clients().count() > 0, "some were in before");
    broken.apply_all(&events);
    assert_eq!(broken.fingerprint(), whole.fingerprint());

    struct Failing(std::io::Cursor<Vec<u8>>);
    impl std::io::Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(into)? {
                0 => Err(std::io::Error::other("the line is down")),
                n => Ok(n),
            }
        }
    }
    let mut broken = Engine::new(Settings::default()).unwrap();
    let input = std::io::BufReader::new(Failing(std::io::Cursor::new(lines.join("\n").into_bytes())));
    assert!(broken.apply_ndjson(input, &ReadOptions::default()).is_err());
    assert!(broken.clients().count() > 0, "some were in before");
    broken.apply_all(&events);
    assert_eq!(broken.fingerprint(), whole.fingerprint());
}

//! What bad input gets: a clear typed error, and everything else still there.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside of test functions"
)]

mod engines;
mod events;
mod streams;

use healthfold::{
    Applied, Dedupe, Engine, Error, Event, EventCode, EventError, GroupBy, Instant, Limits, Model, Period,
    QueryError, ReadError, ReadOptions, Rejection, RevenueOptions, Settings,
};
use healthfold_testkit::logs;
use proptest::prelude::*;
use serde_json::{Value, json};

const GOOD: &str = r#"{"id":"good-1","source":"app","type":"usage.counted","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"metric":"reports"}}"#;
const ALSO_GOOD: &str = r#"{"id":"good-2","source":"app","type":"client.set","subject":"birch","time":"2026-01-06T10:00:00Z","data":{"owner":"ann"}}"#;

fn engine() -> Engine {
    Engine::new(Settings::default()).unwrap()
}

fn limited(metrics: u32, ids: u32) -> Engine {
    Engine::new(Settings { limits: Limits { metrics, ids }, ..Settings::default() }).unwrap()
}

fn read(engine: &mut Engine, input: &[u8]) -> Applied {
    engine.apply_ndjson(input, &ReadOptions::default()).unwrap()
}

fn strict(engine: &mut Engine, input: &[u8]) -> Result<Applied, ReadError> {
    engine.apply_ndjson(input, &ReadOptions { strict: true, ..ReadOptions::default() })
}

fn event(json: &str) -> Event {
    Event::from_json(json.as_bytes()).unwrap()
}

/// A good event with one member of the envelope, or of `data` (`data.NAME`), replaced; null takes it out.
fn with(path: &str, value: Value) -> String {
    let mut event: Value = serde_json::from_str(GOOD).unwrap();
    *event.get_mut("id").unwrap() = "bad".into();
    let (target, name) = match path.strip_prefix("data.") {
        Some(name) => (event.get_mut("data").unwrap(), name),
        None => (&mut event, path),
    };
    let members = target.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    event.to_string()
}

/// Between two good events, a bad line costs nothing but itself.
#[track_caller]
fn refused(bad: &[u8]) -> EventError {
    let mut whole = engine();
    let input = [GOOD.as_bytes(), b"\n", bad, b"\n", ALSO_GOOD.as_bytes(), b"\n"].concat();
    let applied = read(&mut whole, &input);
    assert_eq!((applied.applied, applied.duplicates, applied.conflict_count), (2, 0, 0));
    assert_eq!(applied.rejected_count(), 1);
    let rejection = applied.rejected.first().unwrap();
    assert_eq!((rejection.index, rejection.line), (1, Some(2)));
    assert_eq!(rejection.offset, Some(GOOD.len() as u64 + 1));
    assert_eq!(applied.rejected_by_code.keys().collect::<Vec<_>>(), [&rejection.error.code.as_str()]);
    let mut good = engine();
    good.apply_all(&[event(GOOD), event(ALSO_GOOD)]);
    assert_eq!(whole.fingerprint(), good.fingerprint(), "nothing of the bad event is in");

    let mut atomic = engine();
    let before = atomic.fingerprint();
    let error = strict(&mut atomic, &input).unwrap_err();
    assert_eq!(atomic.fingerprint(), before, "strict: all or nothing");
    let ReadError::Strict(first) = error else { panic!("not a bad event: {error}") };
    assert_eq!(*first, *rejection);
    rejection.error.clone()
}

/// A refusal with its code and field; the message names the field and what was found.
#[track_caller]
fn refused_as(bad: &str, code: &str, field: &str) -> EventError {
    let error = refused(bad.as_bytes());
    assert_eq!((error.code.as_str(), error.field.as_deref()), (code, Some(field)), "{bad}: {error}");
    assert!(error.message.contains(&format!("`{field}`")), "{error}");
    error
}

//! What must hold for any bytes whatever: the bodies of the fuzz targets, and of the tests that replay what was found.
//!
//! No input may panic, abort, hang or take memory out of proportion; and what is taken must mean one thing.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic is how a fuzz target reports"
)]

use crate::case;
use crate::logs::{EVERY_KIND, adds_up};
use healthfold::{
    Engine, Event, EventReader, HealthScore, MAX_LINE, Model, Period, ReadOptions, ScoresOf, Settings,
    SignalSpec,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// What is done with some bytes; it panics if something does not hold.
pub type Target = fn(&[u8]);

/// The bodies by the name of their target.
pub const TARGETS: &[(&str, Target)] = &[
    ("decode", decode),
    ("fold", fold),
    ("model", model),
    ("formats", formats),
    ("snapshot", snapshot),
    ("ask", ask),
];

fn engine() -> Engine {
    Engine::new(Settings::default()).expect("UTC is known")
}

fn read(log: &[u8]) -> Engine {
    let mut engine = engine();
    engine.apply_ndjson(log, &ReadOptions::default()).expect("bytes are read");
    engine
}

/// An event that is taken, written and read again is the same event; a line of a log is what it is alone.
pub fn decode(bytes: &[u8]) {
    let line = bytes.trim_ascii();
    // What begins like a list or a byte order mark is another form of input.
    if !bytes.contains(&b'\n') && bytes.len() <= MAX_LINE && !matches!(line, [] | [b'[' | 0xef, ..]) {
        let mut reader = EventReader::new(bytes, None);
        let read = reader.next_event().expect("bytes are read").map(|(_, event)| event);
        assert_eq!(read, Some(Event::from_json(line)));
    }
    if let Ok(event) = Event::from_json(bytes) {
        let written = event.to_line();
        let again = Event::from_json(written.as_bytes());
        assert_eq!(again.as_ref(), Ok(&event), "written as {written}");
    }
}

/// The laws of the fold hold for whatever was accepted, and every question has an answer or an error.
pub fn fold(bytes: &[u8]) {
    let mut engine = engine();
    let first = engine.apply_ndjson(bytes, &ReadOptions::default()).expect("bytes are read");
    let fingerprint = engine.fingerprint();
    let second = engine.apply_ndjson(bytes, &ReadOptions::default()).expect("bytes are read twice alike");
    assert_eq!((second.applied, engine.fingerprint()), (0, fingerprint.clone()), "first {first:?}");
    let restored = Engine::restore(&engine.snapshot()).expect("its own snapshot opens");
    assert_eq!(restored.fingerprint(), fingerprint);
    if !first.rejected_by_code.contains_key("limit_exceeded") {
        laws(&accepted(bytes), &fingerprint);
    }
    ask_everything(&engine);
    if let Some((_, last)) = engine.span() {
        engine.seal(last).expect("it was not sealed before");
        ask_everything(&engine);
        let restored = Engine::restore(&engine.snapshot()).expect("its own snapshot opens");
        assert_eq!(restored.fingerprint(), engine.fingerprint());
    }
}

/// The good events of an input; of two with one identity the first.
fn accepted(bytes: &[u8]) -> Vec<Event> {
    let mut reader = EventReader::new(bytes, None);
    let (mut events, mut known) = (Vec::new(), BTreeSet::new());
    while let Some((_, event)) = reader.next_event().expect("bytes are read") {
        if let Ok(event) = event
            && known.insert((event.source.clone(), event.id.clone()))
        {
            events.push(event);
        }
    }
    events
}

/// Backwards, in two engines that are merged, and over a snapshot: one state.
fn laws(events: &[Event], fingerprint: &str) {
    let mut backwards = engine();
    backwards.apply_all(events.iter().rev());
    assert_eq!(backwards.fingerprint(), fingerprint, "backwards");
    let (mut one, mut two) = (engine(), engine());
    for (number, event) in events.iter().enumerate() {
        let first = number % 3 != 0;
        if first || !adds_up(event) {
            one.apply(event).expect("it was taken before");
        }
        if !first || number % 2 == 0 && !adds_up(event) {
            two.apply(event).expect("it was taken before");
        }
    }
    two.merge(&one).expect("no use is in both");
    assert_eq!(two.fingerprint(), fingerprint, "merged");
    let (head, tail) = events.split_at(events.len() / 2);
    let mut early = engine();
    early.apply_all(head);
    let mut late = Engine::restore(&early.snapshot()).expect("its own snapshot opens");
    late.apply_all(tail);
    assert_eq!(late.fingerprint(), fingerprint, "snapshot and tail");
}

fn ask_everything(engine: &Engine) {
    let Some((first, last)) = engine.span() else { return };
    engine.scores(&Model::default(), last, ScoresOf::All).iter().for_each(in_range);
    for client in engine.clients() {
        let _ = (engine.anomalies(client), engine.timeline(client, first, last));
    }
    if let Ok(period) = Period::between(first, last) {
        // A report may be refused, but never by a panic.
        let _ = engine.revenue(period, &Default::default());
        let _ = engine.movements(period, &Default::default());
        let _ = engine.trials(period, &Default::default());
    }
}

/// Scores, shares and bounds are where they belong, and no score is without a reason.
fn in_range(score: &HealthScore) {
    let points = [score.score, score.computed, score.low, score.high];
    assert!(points.into_iter().flatten().all(|points| (0.0..=100.0).contains(&points)), "{score:?}");
    assert!((0.0..=1.0).contains(&score.coverage), "{score:?}");
    if let (Some(low), Some(high)) = (score.low, score.high) {
        assert!(
            low <= high + 1e-9 || score.adjustments.iter().chain(&score.limits).next().is_some(),
            "{score:?}"
        );
    }
}

/// A model that is accepted scores any client between 0 and 100, and is the same after a way through text.
pub fn model(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = SignalSpec::from_json(text);
    let Ok(model) = Model::from_json(text) else { return };
    let json = model.to_json().to_string();
    assert_eq!(Model::from_json(&json).as_ref(), Ok(&model), "{json}");
    for as_of in ["2026-02-08", "2026-03-10"] {
        let as_of = BOOK.zone().as_of(as_of).expect("a date");
        let scores = BOOK.scores(&model, as_of, ScoresOf::All);
        scores.iter().for_each(in_range);
        assert_eq!(format!("{scores:?}"), format!("{:?}", BOOK.scores(&model, as_of, ScoresOf::All)));
    }
}

/// What is accepted in TOML or YAML is the same model in JSON.
pub fn formats(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for model in [Model::from_toml(text), Model::from_yaml(text)].into_iter().flatten() {
        let json = model.to_json().to_string();
        assert_eq!(Model::from_json(&json).as_ref(), Ok(&model), "{text}");
        assert_eq!(Model::from_yaml(&json), Ok(model), "JSON is YAML: {text}");
    }
}

/// Any bytes are refused or are the snapshot of an equal engine, also when their checksum was forged.
pub fn snapshot(bytes: &[u8]) {
    for bytes in [bytes.to_vec(), forged(bytes)] {
        if let Ok(engine) = Engine::restore(&bytes) {
            assert_eq!(engine.snapshot(), bytes, "a snapshot is canonical");
            ask_everything(&engine);
            let mut ours = BOOK.clone();
            let _ = ours.merge(&engine);
            ask_everything(&ours);
        }
    }
    // A good snapshot with some bytes of it changed: place and value come from the input.
    let good = BOOK.snapshot();
    let mut changed = good.clone();
    for change in bytes.chunks_exact(3) {
        if let [high, low, value] = *change {
            let place = usize::from(u16::from_be_bytes([high, low])) % changed.len();
            if let Some(byte) = changed.get_mut(place) {
                *byte ^= value;
            }
        }
    }
    if changed != good {
        assert!(Engine::restore(&changed).is_err(), "a changed snapshot must not open");
    }
}

/// Where the length and the checksum stand in the header of a snapshot, and where its body begins.
const LENGTH: usize = 12;
const CHECKSUM: usize = 20;
const BODY: usize = 52;

/// The bytes with a length and a checksum that fit: what somebody would forge.
#[must_use]
pub fn forged(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.len() >= BODY {
        let length = (bytes.len() - BODY) as u64;
        bytes[LENGTH..CHECKSUM].copy_from_slice(&length.to_le_bytes());
        let mut hasher = blake3::Hasher::new();
        hasher.update(&bytes[..CHECKSUM]).update(&bytes[BODY..]);
        bytes[CHECKSUM..BODY].copy_from_slice(hasher.finalize().as_bytes());
    }
    bytes
}

/// Any question, a line with the call and the arguments behind it, has an answer or an error, twice the same.
pub fn ask(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((call, args)) = text.split_once(' ') else { return };
    let Ok(args) = serde_json::from_str::<Value>(args) else { return };
    let answer = case::ask(&BOOK, call, &args);
    assert_eq!(answer, case::ask(&BOOK, call, &args), "{text}");
}

/// Every type of event, and clients of the names that conformance cases ask about.
static BOOK: LazyLock<Engine> = LazyLock::new(|| read(&[EVERY_KIND, SMALL_LOG].concat().into_bytes()));

const SMALL_LOG: &str = r#"{"id":"1","source":"s","type":"usage.counted","subject":"a","time":"2026-03-05T10:00:00Z","data":{"metric":"calls","count":3,"user":"u"}}
{"id":"2","source":"s","type":"usage.measured","subject":"a","time":"2026-03-06T10:00:00Z","data":{"metric":"load","value":"0.5"}}
{"id":"3","source":"s","type":"support.ticket_opened","subject":"a","time":"2026-03-07T10:00:00Z","data":{"ticket":"t"}}
{"id":"4","source":"s","type":"billing.subscription_set","subject":"a","time":"2026-01-05T00:00:00Z","data":{"subscription":"s","status":"active","amount":10,"currency":"USD","interval":{"unit":"month"},"seats":3}}
{"id":"5","source":"s","type":"client.set","subject":"b","time":"2026-02-05T00:00:00Z","data":{"segment":"small","attributes":{"x":5,"y":true}}}
{"id":"6","source":"s","type":"billing.subscription_set","subject":"b","time":"2025-11-05T00:00:00Z","data":{"subscription":"s","status":"trialing","amount":"33.33","currency":"EUR","interval":{"unit":"week"},"trial_end":"2025-12-01"}}
{"id":"7","source":"s","type":"billing.subscription_set","subject":"b","time":"2025-12-05T00:00:00Z","data":{"subscription":"s","status":"active","amount":"33.33","currency":"EUR","interval":{"unit":"week"},"cancel_at":"2026-03-01"}}
"#;

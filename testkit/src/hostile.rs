//! What must hold for any bytes whatever: the bodies of the fuzz targets, and of the tests that replay what was found.
//!
//! No input may panic, abort, hang or take memory out of proportion; and what is taken must mean one thing.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic is how a fuzz target reports"
)]

use healthfold::{
    Engine, Event, EventReader, MAX_LINE, Model, Period, ReadOptions, ScoresOf, Settings, SignalSpec,
};

/// What is done with some bytes; it panics if something does not hold.
pub type Target = fn(&[u8]);

/// The bodies by the name of their target.
pub const TARGETS: &[(&str, Target)] =
    &[("decode", decode), ("fold", fold), ("model", model), ("formats", formats), ("snapshot", snapshot)];

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

/// Folding twice changes nothing, a snapshot opens to the same engine, and every question has an answer or an error.
pub fn fold(bytes: &[u8]) {
    let mut engine = Engine::new(Settings::default()).expect("UTC is known");
    let Ok(first) = engine.apply_ndjson(bytes, &ReadOptions::default()) else { return };
    let fingerprint = engine.fingerprint();
    let second = engine.apply_ndjson(bytes, &ReadOptions::default()).expect("bytes are read twice alike");
    assert_eq!((second.applied, engine.fingerprint()), (0, fingerprint.clone()), "first {first:?}");
    let restored = Engine::restore(&engine.snapshot()).expect("its own snapshot opens");
    assert_eq!(restored.fingerprint(), fingerprint);
    ask_everything(&engine);
}

fn ask_everything(engine: &Engine) {
    let Some((first, last)) = engine.span() else { return };
    for score in engine.scores(&Model::default(), last, ScoresOf::All) {
        let score = serde_json::to_value(score).expect("a score is JSON");
        if let Some(points) = score["score"].as_f64() {
            assert!((0.0..=100.0).contains(&points), "{score}");
        }
    }
    if let Ok(period) = Period::between(first, last) {
        // A report may be refused, but never by a panic.
        let _ = engine.revenue(period, &Default::default());
        let _ = engine.movements(period, &Default::default());
    }
}

/// A model that is accepted scores any client between 0 and 100.
pub fn model(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = SignalSpec::from_json(text);
    let Ok(model) = Model::from_json(text) else { return };
    let mut engine = Engine::new(Settings::default()).expect("UTC is known");
    engine.apply_ndjson(SMALL_LOG.as_bytes(), &ReadOptions::default()).expect("the log is read");
    let as_of = engine.zone().as_of("2026-03-10").expect("a date");
    for score in engine.scores(&model, as_of, ScoresOf::All) {
        let score = serde_json::to_value(score).expect("a score is JSON");
        if let Some(points) = score["score"].as_f64() {
            assert!((0.0..=100.0).contains(&points), "{score}");
        }
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

/// No bytes open to anything but what they were made from.
pub fn snapshot(bytes: &[u8]) {
    if let Ok(engine) = Engine::restore(bytes) {
        assert_eq!(engine.snapshot(), bytes, "a snapshot is canonical");
    }
    // A good snapshot with some bytes of it changed: place and value come from the input.
    let mut engine = Engine::new(Settings::default()).expect("UTC is known");
    engine.apply_ndjson(SMALL_LOG.as_bytes(), &ReadOptions::default()).expect("the log is read");
    let good = engine.snapshot();
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

const SMALL_LOG: &str = r#"{"id":"1","source":"app","type":"usage.counted","subject":"a","time":"2026-03-05T10:00:00Z","data":{"metric":"calls","count":3,"user":"u"}}
{"id":"2","source":"app","type":"usage.measured","subject":"a","time":"2026-03-06T10:00:00Z","data":{"metric":"load","value":"0.5"}}
{"id":"3","source":"desk","type":"support.ticket_opened","subject":"a","time":"2026-03-07T10:00:00Z","data":{"ticket":"t"}}
{"id":"4","source":"bill","type":"billing.subscription_set","subject":"a","time":"2026-01-05T00:00:00Z","data":{"subscription":"s","status":"active","amount":10,"currency":"USD","interval":{"unit":"month"},"seats":3}}
{"id":"5","source":"crm","type":"client.set","subject":"b","time":"2026-02-05T00:00:00Z","data":{"segment":"small","attributes":{"x":5,"y":true}}}
"#;

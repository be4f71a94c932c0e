//! Snapshots: canonical, checked before anything is believed, and readable for ever.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside of test functions"
)]

use healthfold::{Dedupe, Engine, Event, EventKind, Model, ReadOptions, ScoresOf, Settings, SignalSpec};
use healthfold_testkit::logs::{self, EVERY_KIND};
use proptest::prelude::*;

fn sample() -> Engine {
    let settings =
        Settings { timezone: "Europe/Berlin".to_owned(), erasure_key: [7; 32], ..Settings::default() };
    let mut engine = Engine::new(settings).unwrap();
    let applied = engine.apply_ndjson(EVERY_KIND.as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!((applied.applied, applied.rejected_count()), (35, 0));
    engine.seal("2026-02-10T00:00:00Z".parse().unwrap()).unwrap();
    engine
}

fn code_of(bytes: &[u8]) -> &'static str {
    Engine::restore(bytes).map_or_else(|error| error.code(), |_| "opened")
}

/// The bytes with a checksum that fits: what somebody would forge.
fn forged(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..20]).update(&bytes[52..]);
    bytes[20..52].copy_from_slice(hasher.finalize().as_bytes());
    bytes
}

/// Asks much of what can be asked; no answer is looked at, but none may panic.
fn ask(engine: &Engine) {
    let _ = (engine.fingerprint(), engine.span(), engine.sealed_before());
    for text in ["1970-01-01T00:00:00Z", "2026-02-10T00:00:00Z", "2199-12-31T23:59:59.999999Z"] {
        let as_of = text.parse().unwrap();
        let scores = engine.scores(&Model::default(), as_of, ScoresOf::All);
        drop(scores);
        for client in engine.clients() {
            for spec in [
                r#"{"kind":"usage_sum","metric":"reports","days":28}"#,
                r#"{"kind":"gauge","metric":"storage","days":28,"take":"mean"}"#,
                r#"{"kind":"active_users","days":30}"#,
                r#"{"kind":"mrr"}"#,
                r#"{"kind":"overdue_days"}"#,
            ] {
                let _ = engine.signal(client, &SignalSpec::from_json(spec).unwrap(), as_of);
            }
            let _ = engine.anomalies(client);
            let _ = engine.timeline(client, "1970-01-01T00:00:00Z".parse().unwrap(), as_of);
        }
    }
}

#[test]
fn a_seal_takes_detail_out_of_the_snapshot() {
    let counted = |id: u32, day: &str, user: &str| {
        let json = format!(
            r#"{{"id":"{id}","source":"s","type":"usage.counted","subject":"a","time":"{day}T10:00:00Z","data":{{"metric":"m","user":"{user}"}}}}"#
        );
        Event::from_json(json.as_bytes()).unwrap()
    };
    let mut engine = Engine::new(Settings::default()).unwrap();
    engine.apply_all(&[counted(1, "2026-01-05", "user-early"), counted(2, "2026-02-05", "user-late")]);
    let holds = |engine: &Engine, name: &str| {
        engine.snapshot().windows(name.len()).any(|window| window == name.as_bytes())
    };
    assert!(holds(&engine, "user-early") && holds(&engine, "user-late"));
    engine.seal("2026-02-01T00:00:00Z".parse().unwrap()).unwrap();
    assert!(!holds(&engine, "user-early") && holds(&engine, "user-late"));
}

#[test]
fn the_sample_has_every_type() {
    let mut kinds: Vec<EventKind> = EVERY_KIND
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| Event::from_json(line.as_bytes()).unwrap().kind())
        .collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, EventKind::ALL);
}

#[test]
fn a_snapshot_that_is_cut_anywhere_is_refused() {
    let bytes = sample().snapshot();
    for length in 0..bytes.len() {
        assert_eq!(code_of(&bytes[..length]), "corrupt_snapshot", "cut after {length} bytes");
    }
    assert_eq!(code_of(&[&bytes[..], b"x"].concat()), "corrupt_snapshot", "a byte behind the end");
    assert_eq!(code_of(&[&bytes[..], &bytes].concat()), "corrupt_snapshot");
    assert_eq!(
        code_of(b"PK\x03\x04 something else altogether, long enough to hold a header of fifty-two bytes"),
        "corrupt_snapshot"
    );
}

#[test]
fn a_snapshot_with_any_bit_flipped_is_refused() {
    let bytes = sample().snapshot();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            // The format is 1: any other bit of it makes it a greater number; 0 is no format, so nothing fits.
            let expected = if (8..10).contains(&at) && !(at == 8 && bit == 0) {
                "newer_snapshot"
            } else {
                "corrupt_snapshot"
            };
            assert_eq!(code_of(&flipped), expected, "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn other_versions_are_named() {
    let bytes = sample().snapshot();
    let with = |at: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = value;
        bytes
    };
    // A newer format may keep its checksum elsewhere, so the number alone decides; a newer fold is believed when it fits.
    for newer in [with(8, 2), forged(with(8, 2)), forged(with(10, 2))] {
        let error = Engine::restore(&newer).unwrap_err();
        assert_eq!(error.code(), "newer_snapshot");
        assert_eq!(error.to_string(), "the snapshot has format 2, this version reads up to 1");
    }
    let error = Engine::restore(&forged(with(8, 0))).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("older_snapshot", "the snapshot has format 0, this version reads from 1 on")
    );
}

#[test]
fn what_no_event_can_say_is_refused_or_harmless() {
    let bytes = sample().snapshot();
    let mut opened = 0;
    for at in 52..bytes.len() {
        for value in [0, 0xff, bytes[at] ^ 1, bytes[at] ^ 0x80] {
            let mut other = bytes.clone();
            other[at] = value;
            match Engine::restore(&forged(other.clone())) {
                Ok(engine) => {
                    assert!(engine.snapshot() == forged(other), "byte {at}: what is opened is written alike");
                    opened += 1;
                    ask(&engine);
                }
                Err(error) => assert_eq!(error.code(), "corrupt_snapshot", "byte {at}"),
            }
        }
    }
    // Texts and numbers can be other ones; most of the bytes cannot.
    assert!(opened > 500, "{opened}");
}

proptest! {
    #![proptest_config(logs::config())]

    #[test]
    fn no_forged_bytes_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..8)) {
        let mut bytes = sample().snapshot();
        for (at, value, insert) in changes {
            let at = 52 + at.index(bytes.len() - 52);
            if insert { bytes.insert(at, value) } else { bytes[at] = value }
        }
        let length = (bytes.len() - 52) as u64;
        bytes[12..20].copy_from_slice(&length.to_le_bytes());
        if let Ok(engine) = Engine::restore(&forged(bytes)) {
            ask(&engine);
            let mut ours = sample();
            let _ = ours.merge(&engine);
            ask(&ours);
            let mut engine = engine;
            let _ = engine.apply_ndjson(EVERY_KIND.as_bytes(), &ReadOptions::default());
            let _ = engine.seal("2026-04-10T00:00:00Z".parse().unwrap());
            ask(&engine);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(code_of(&bytes), "corrupt_snapshot");
    }
}

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/snapshot-v1.bin");
const SAMPLE_FINGERPRINT: &str = "f2ae65f3487127df4e2797e7089b21956b14920dd19e7b82a5d5bb0846214557";

/// A file that a version of format 1 wrote. It is never made anew: a change that cannot read it needs a new format, and code
/// that reads the old one.
#[test]
fn the_snapshot_of_format_1_opens_for_ever() {
    let bytes = match std::fs::read(SAMPLE) {
        Ok(bytes) => bytes,
        Err(_) => {
            std::fs::write(SAMPLE, sample().snapshot()).unwrap();
            panic!("{SAMPLE} was not there and is made now, for the first time: {}", sample().fingerprint());
        }
    };
    let engine = Engine::restore(&bytes).unwrap();
    assert_eq!(engine.fingerprint(), SAMPLE_FINGERPRINT);
    assert_eq!(engine.fingerprint(), sample().fingerprint(), "the same events still make the same state");
    assert_eq!(engine.clients().map(|id| id.as_str()).collect::<Vec<_>>(), ["acme", "birch", "cedar"]);
    let span = engine.span().map(|(first, last)| (first.to_string(), last.to_string()));
    assert_eq!(span, Some(("2026-01-02T00:00:00Z".to_owned(), "2026-02-09T08:00:00Z".to_owned())));
    // Berlin is an hour ahead.
    assert_eq!(engine.sealed_before().map(|at| at.to_string()).as_deref(), Some("2026-01-31T23:00:00Z"));
    assert!(!engine.zone_data().is_empty());

    let as_of = "2026-02-10T12:00:00Z".parse().unwrap();
    let read = |spec: &str| {
        let spec = SignalSpec::from_json(spec).unwrap();
        engine.signal(&"acme".into(), &spec, as_of).unwrap().value()
    };
    // 4 + 1, and 8 of the client that was merged into this one.
    assert_eq!(read(r#"{"kind":"usage_sum","metric":"reports","days":10}"#), Some(13.0));
    assert_eq!(read(r#"{"kind":"gauge","metric":"storage","days":10,"take":"last"}"#), Some(0.75));
    // u-1 and u-2 by counting, u-1 and u-3 by the roll-up.
    assert_eq!(read(r#"{"kind":"active_users","days":10}"#), Some(3.0));
    // 1 200 a year.
    assert_eq!(read(r#"{"kind":"mrr"}"#), Some(100.0));
    assert_eq!(read(r#"{"kind":"sentiment"}"#), Some(72.5));
    assert_eq!(read(r#"{"kind":"attribute","key":"headcount"}"#), Some(250.0));
    assert_eq!(read(r#"{"kind":"tickets_open"}"#), Some(1.0), "it was reopened");
    let error = engine.signal(&"dune".into(), &SignalSpec::from_json(r#"{"kind":"mrr"}"#).unwrap(), as_of);
    assert_eq!(error.unwrap_err().code(), "erased");
}

/// A snapshot in the tree: its name, its fingerprint, and how it was made for the first time.
struct Stored(&'static str, &'static str, fn() -> Engine);

fn made(zone: &str, dedupe: Dedupe, log: &[Event]) -> Engine {
    let settings = Settings { timezone: zone.to_owned(), dedupe, ..Settings::default() };
    let mut engine = Engine::new(settings).unwrap();
    assert_eq!(engine.apply_all(log).applied, log.len() as u64);
    engine
}

fn every_kind() -> Vec<Event> {
    EVERY_KIND.lines().map(|line| Event::from_json(line.as_bytes()).unwrap()).collect()
}

fn sealed(mut engine: Engine, before: &str) -> Engine {
    engine.seal(before.parse().unwrap()).unwrap();
    engine
}

/// Every type of event in every form that a state takes: open and sealed, with identities and without, logs in which events
/// collide, merge, retract and erase each other.
const STORE: [Stored; 6] = [
    Stored("every-kind", "0e6e9953e4a16f166951dc9cb389c1cdaea068d254354eae99a207494802b5cb", || {
        made("UTC", Dedupe::Exact, &every_kind())
    }),
    Stored("every-kind-upstream", "7a7515260bf73979c75c57f22c20355ccb82968cf737c5359227ff8842bcbc31", || {
        made("Asia/Tokyo", Dedupe::Upstream, &every_kind())
    }),
    Stored("every-kind-sealed", "3494023bb7309cbbb53d0f1f264af8b278b560d42b6cb5b2c29187c7a2c16922", || {
        sealed(made("UTC", Dedupe::Exact, &every_kind()), "2026-03-15T00:00:00Z")
    }),
    Stored("collisions", "f0db0ede4c1d4ff84f4f65ffdda8b9900f6f1f0e4c7c2cfb689eb1cac6d0da03", || {
        made("America/New_York", Dedupe::Exact, &logs::drawn(1, 400..500))
    }),
    Stored("collisions-sealed", "5ec6953f208e72a5da6ebf5062eecaa019e1105eef79ddf480767560333b9a41", || {
        sealed(made("UTC", Dedupe::Exact, &logs::drawn(2, 400..500)), "2026-03-15T00:00:00Z")
    }),
    Stored("empty", "a1ecf2b1647ea11279d62a61f86d97372024ea17b74d5c0e9281e700f2a9810b", || {
        made("UTC", Dedupe::Exact, &[])
    }),
];

/// Files that versions of format 1 wrote, which every later version opens to the very state. None is ever made anew.
#[test]
fn the_store_of_snapshots_opens_for_ever() {
    let mut faults = Vec::new();
    for Stored(name, fingerprint, make) in STORE {
        let path = format!("{}/tests/data/snapshots/v1-{name}.bin", env!("CARGO_MANIFEST_DIR"));
        let Ok(bytes) = std::fs::read(&path) else {
            let engine = make();
            std::fs::create_dir_all(std::path::Path::new(&path).parent().unwrap()).unwrap();
            std::fs::write(&path, engine.snapshot()).unwrap();
            faults.push(format!(
                "{path} was not there and is made now, for the first time: {}",
                engine.fingerprint()
            ));
            continue;
        };
        let engine = Engine::restore(&bytes).unwrap();
        if engine.fingerprint() != fingerprint {
            faults.push(format!("{name} opens to {}", engine.fingerprint()));
        }
        ask(&engine);
        // A newer format is refused by its number, and the bytes are as they were.
        let mut newer = bytes.clone();
        newer[8] = 2;
        let kept = newer.clone();
        assert_eq!(code_of(&newer), "newer_snapshot");
        assert!(newer == kept);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

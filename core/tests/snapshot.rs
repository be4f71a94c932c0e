//! Snapshots: canonical, checked before anything is believed, and readable for ever.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside of test functions"
)]

use healthfold::{Engine, Event, EventKind, Model, ReadOptions, ScoresOf, Settings, SignalSpec};
use healthfold_testkit::logs;
use proptest::prelude::*;

/// Every type of event once or more: three clients and an erased one, a merge, a retraction, a seal.
const EVENTS: &str = r#"
{"id":"1","source":"app","type":"usage.counted","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"metric":"reports","count":"2.5","user":"u-2"}}
{"id":"2","source":"app","type":"usage.counted","subject":"acme","time":"2026-02-05T10:00:00Z","data":{"metric":"reports","count":4,"user":"u-2"}}
{"id":"3","source":"app","type":"usage.counted","subject":"acme","time":"2026-02-06T10:00:00Z","data":{"metric":"reports","count":1,"user":"u-1"}}
{"id":"4","source":"app","type":"usage.measured","subject":"acme","time":"2026-02-06T11:00:00Z","data":{"metric":"storage","value":"0.75"}}
{"id":"5","source":"warehouse","type":"usage.day_set","subject":"acme","time":"2026-02-07T03:00:00Z","data":{"metric":"logins","day":"2026-02-06","count":7,"users":["u-3","u-1"]}}
{"id":"6","source":"desk","type":"support.ticket_opened","subject":"acme","time":"2026-02-03T09:00:00Z","data":{"ticket":"T-1","priority":"high","topic":"fault"}}
{"id":"7","source":"desk","type":"support.ticket_replied","subject":"acme","time":"2026-02-03T11:00:00Z","data":{"ticket":"T-1","by":"agent"}}
{"id":"8","source":"desk","type":"support.ticket_updated","subject":"acme","time":"2026-02-03T12:00:00Z","data":{"ticket":"T-1","priority":"urgent"}}
{"id":"9","source":"desk","type":"support.ticket_resolved","subject":"acme","time":"2026-02-03T13:00:00Z","data":{"ticket":"T-1"}}
{"id":"10","source":"desk","type":"support.ticket_reopened","subject":"acme","time":"2026-02-04T13:00:00Z","data":{"ticket":"T-1"}}
{"id":"11","source":"desk","type":"support.ticket_rated","subject":"acme","time":"2026-02-05T13:00:00Z","data":{"ticket":"T-1","rating":4}}
{"id":"12","source":"status","type":"support.incident_started","subject":"acme","time":"2026-02-08T10:00:00Z","data":{"incident":"I-1","severity":"major","component":"phones"}}
{"id":"13","source":"status","type":"support.incident_ended","subject":"acme","time":"2026-02-08T11:30:00Z","data":{"incident":"I-1"}}
{"id":"14","source":"billing","type":"billing.subscription_set","subject":"acme","time":"2026-01-02T00:00:00Z","data":{"subscription":"S-1","status":"active","amount":"1200","currency":"USD","interval":{"unit":"year"},"seats":5,"plan":"team","product":"chat","term_end":"2027-01-02","reason":"signed"}}
{"id":"15","source":"billing","type":"billing.invoice_issued","subject":"acme","time":"2026-01-02T00:00:00Z","data":{"invoice":"INV-1","amount":"1200","currency":"USD","due":"2026-02-01"}}
{"id":"16","source":"billing","type":"billing.invoice_paid","subject":"acme","time":"2026-02-02T00:00:00Z","data":{"invoice":"INV-1"}}
{"id":"17","source":"billing","type":"billing.invoice_voided","subject":"birch","time":"2026-02-02T00:00:00Z","data":{"invoice":"INV-2"}}
{"id":"18","source":"billing","type":"billing.payment_failed","subject":"acme","time":"2026-02-01T06:00:00Z","data":{"invoice":"INV-1","attempt":1,"reason":"card expired"}}
{"id":"19","source":"billing","type":"billing.charged","subject":"acme","time":"2026-02-03T00:00:00Z","data":{"charge":"C-1","amount":30,"currency":"USD"}}
{"id":"20","source":"billing","type":"billing.refunded","subject":"acme","time":"2026-02-04T00:00:00Z","data":{"refund":"R-1","amount":30,"currency":"USD","charge":"C-1"}}
{"id":"21","source":"billing","type":"billing.quota_set","subject":"acme","time":"2026-01-02T00:00:00Z","data":{"metric":"reports","included":10,"overage_price":"0.5","currency":"USD"}}
{"id":"22","source":"billing","type":"billing.payment_plan_set","subject":"acme","time":"2026-02-04T00:00:00Z","data":{"plan_id":"P-1","until":"2026-06-01T00:00:00Z"}}
{"id":"23","source":"crm","type":"client.set","subject":"acme","time":"2026-01-02T00:00:00Z","data":{"name":"Acme Ltd","owner":"ann","segment":"smb","tags":["eu","partner"],"parent":"birch","attributes":{"headcount":250,"managed":true,"region":"north","old":null}}}
{"id":"24","source":"crm","type":"client.sentiment_set","subject":"acme","time":"2026-02-09T00:00:00Z","data":{"value":"72.5","by":"ann","parts":{"talks":80}}}
{"id":"25","source":"survey","type":"client.nps_answered","subject":"acme","time":"2026-02-09T01:00:00Z","data":{"score":9,"user":"u-1"}}
{"id":"26","source":"crm","type":"client.contacted","subject":"acme","time":"2026-02-09T02:00:00Z","data":{"channel":"call","by":"us","user":"u-1","outcome":"reached"}}
{"id":"27","source":"app","type":"client.milestone_reached","subject":"acme","time":"2026-02-09T03:00:00Z","data":{"milestone":"live"}}
{"id":"28","source":"crm","type":"client.contact_set","subject":"acme","time":"2026-02-09T04:00:00Z","data":{"contact":"p-1","role":"boss","key":true,"status":"active"}}
{"id":"29","source":"crm","type":"client.override_set","subject":"acme","time":"2026-02-09T05:00:00Z","data":{"kind":"cap","value":60,"reason":"talks","by":"ann","until":"2300-01-01"}}
{"id":"30","source":"crm","type":"client.churn_reason_set","subject":"cedar","time":"2026-02-09T06:00:00Z","data":{"reason":"outgrew","voluntary":true}}
{"id":"31","source":"crm","type":"client.merged_into","subject":"acme-old","time":"2026-02-09T07:00:00Z","data":{"into":"acme"}}
{"id":"32","source":"app","type":"usage.counted","subject":"acme-old","time":"2026-02-06T10:00:00Z","data":{"metric":"reports","count":8}}
{"id":"33","source":"crm","type":"client.erased","subject":"dune","time":"2026-02-09T08:00:00Z"}
{"id":"34","source":"app","type":"usage.counted","subject":"dune","time":"2026-02-06T10:00:00Z","data":{"metric":"reports","count":16,"user":"u-9"}}
{"id":"35","source":"billing","type":"event.retracted","subject":"acme","time":"2026-02-05T00:00:00Z","data":{"source":"billing","id":"20","type":"billing.refunded"}}
"#;

fn sample() -> Engine {
    let settings =
        Settings { timezone: "Europe/Berlin".to_owned(), erasure_key: [7; 32], ..Settings::default() };
    let mut engine = Engine::new(settings).unwrap();
    let applied = engine.apply_ndjson(EVENTS.as_bytes(), &ReadOptions::default()).unwrap();
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
fn the_sample_has_every_type() {
    let mut kinds: Vec<EventKind> = EVENTS
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
            let _ = engine.apply_ndjson(EVENTS.as_bytes(), &ReadOptions::default());
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

//! What the worst inputs cost: time, and memory counted at the allocator. `docs/security.md` has the table.
//!
//! A bound that holds on a busy machine in a debug build is no measurement; it is there to catch what grows out of
//! proportion. `cargo test --release -p healthfold --test hostile_table -- --nocapture` prints the table.

#![allow(clippy::disallowed_methods, reason = "how long an input takes is what is measured")]
#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside of test functions")]

use healthfold::{Engine, Model, ReadOptions, ScoresOf, Settings};
use healthfold_testkit::case;
use healthfold_testkit::hostile::forged;
use healthfold_testkit::logs::EVERY_KIND;
use serde_json::{Value, json};
use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// Only an allocator sees the most that was taken at any moment.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: passed on as it came.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: passed on as it came.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// In a debug build on a busy machine; a release build takes a small part of it.
const MOST_TIME: Duration = Duration::from_secs(60);
/// What an input may take: so many times its size, and what an engine takes anyhow.
const MOST_TIMES: usize = 40;
const ANYHOW: usize = 48 << 20;
/// What an answer of up to 84 000 rows takes as a tree of JSON, however short its question.
const ANSWER: usize = 512 << 20;

fn engine() -> Engine {
    Engine::new(Settings::default()).unwrap()
}

fn event(id: &str, kind: &str, subject: &str, time: &str, data: &str) -> String {
    format!(
        r#"{{"id":"{id}","source":"s","type":"{kind}","subject":{subject},"time":"{time}","data":{data}}}"#
    ) + "\n"
}

fn usage(id: u32, subject: &str, data: &str) -> String {
    event(&id.to_string(), "usage.counted", subject, "2026-01-05T10:00:00Z", data)
}

fn text(of: &str) -> String {
    Value::from(of).to_string()
}

/// Folds a log; the codes of what was refused, or how many events went in.
fn fold(log: &str) -> (Engine, String) {
    let mut engine = engine();
    let applied = engine.apply_ndjson(log.as_bytes(), &ReadOptions::default()).unwrap();
    let mut codes: Vec<&str> = applied.rejected_by_code.keys().copied().collect();
    if applied.applied > 0 || codes.is_empty() {
        codes.insert(0, "applied");
    }
    (engine, codes.join(", "))
}

fn folded(log: &str) -> String {
    let (engine, codes) = fold(log);
    // Whoever opens or asks it must not pay either; what an answer about each of many clients takes is its own size.
    if let Some((_, last)) = engine.span() {
        if engine.clients().count() < 1_000 {
            engine.scores(&Model::default(), last, ScoresOf::All);
        }
        Engine::restore(&engine.snapshot()).unwrap();
    }
    codes
}

fn model(text: &str) -> String {
    let as_json = text.trim_start().starts_with('{');
    let model = if as_json { Model::from_json(text) } else { Model::from_yaml(text) };
    match model {
        Err(_) => "invalid_model".to_owned(),
        Ok(model) => {
            let (engine, _) = fold(EVERY_KIND);
            engine.scores(&model, "2026-02-09T12:00:00Z".parse().unwrap(), ScoresOf::All);
            "scored".to_owned()
        }
    }
}

fn asked(question: &str) -> String {
    let (call, args) = question.split_once(' ').unwrap();
    let (engine, _) = fold(EVERY_KIND);
    let args: Value = serde_json::from_str(args).unwrap();
    case::ask(&engine, call, &args).map_or_else(|refusal| refusal.code, |_| "answered".to_owned())
}

fn opened(bytes: &[u8]) -> String {
    Engine::restore(bytes).map_or_else(|error| error.code().to_owned(), |_| "opened".to_owned())
}

/// Ids whose quick hash is equal (`core/src/index.rs`): bytes 8 to 16 cancel the seed that they meet.
fn colliding(n: u32) -> String {
    text(&format!("aaaaaaaa\u{c}gW\u{1ce}r]qbbbbbbbbbbbbbbbb{n:07}"))
}

fn one_part(signals: Value) -> String {
    json!({"name": "m", "version": 1, "signals": signals,
        "groups": [{"name": "g", "parts": [{"signal": "s0", "curve": {"points": [[0, 0], [100, 100]]}}]}],
        "bands": [{"name": "red", "from": 0}], "min_coverage": 0})
    .to_string()
}

fn nested_group(depth: usize) -> String {
    let head = r#"{"name":"m","version":1,"signals":{},"bands":[{"name":"red","from":0}],"groups":[{"name":"g","groups":["#;
    head.to_owned() + &r#"{"name":"g","groups":["#.repeat(depth) + &"]}".repeat(depth) + "]}]}"
}

/// Sixteen formulas, each of which names the one before as often as it may.
fn formulas_of_formulas() -> String {
    let mut signals = serde_json::Map::new();
    for level in 0..16 {
        let before = vec![Value::from(format!("s{}", level + 1)); 250];
        signals.insert(format!("s{level}"), json!({"kind": "formula", "expr": {"+": before}}));
    }
    signals.insert("s16".to_owned(), json!({"kind": "sentiment"}));
    one_part(signals.into())
}

fn deep_formula(depth: usize) -> String {
    let expr = "{\"+\":[1,".repeat(depth) + "1" + &"]}".repeat(depth);
    one_part(json!({"s0": {"kind": "formula", "expr": "HERE"}})).replace("\"HERE\"", &expr)
}

type Row = (&'static str, fn() -> Vec<u8>, fn(&[u8]) -> String, &'static str);

fn lines(bytes: &[u8]) -> String {
    folded(std::str::from_utf8(bytes).unwrap())
}

fn document(bytes: &[u8]) -> String {
    model(std::str::from_utf8(bytes).unwrap())
}

fn question(bytes: &[u8]) -> String {
    asked(std::str::from_utf8(bytes).unwrap())
}

fn many(count: u32, line: impl Fn(u32) -> String) -> Vec<u8> {
    (0..count).map(line).collect::<String>().into_bytes()
}

fn history(call: &str) -> Vec<u8> {
    let model = one_part(json!({"s0": {"kind": "sentiment"}}));
    format!(
        r#"{call} {{"client":"acme","model":{model},"start":"1970-01-01","end":"2199-12-31","every":"day"}}"#
    )
    .into_bytes()
}

const ROWS: &[Row] = &[
    (
        "500 000 brackets in one another",
        || format!("{{\"id\":{}", "[".repeat(500_000)).into_bytes(),
        lines,
        "limit_exceeded",
    ),
    (
        "500 000 objects in one another, in data",
        || usage(1, "\"a\"", &"{\"x\":".repeat(150_000)).into_bytes(),
        lines,
        "limit_exceeded",
    ),
    ("a line of 64 MiB", || vec![b'x'; 64 << 20], lines, "too_long"),
    (
        "a line of 64 MiB inside one text",
        || usage(1, "\"a\"", &text(&"x".repeat(64 << 20))).into_bytes(),
        lines,
        "too_long",
    ),
    (
        "1 000 000 members in one object",
        || {
            let members = (0..1_000_000).fold(String::new(), |mut all, n| {
                let _ = write!(all, "\"k{n}\":1,");
                all
            });
            usage(1, "\"a\"", &format!("{{{members}\"metric\":\"m\"}}")).into_bytes()
        },
        lines,
        "too_long",
    ),
    (
        "80 000 members in data, all unknown",
        || {
            let members = (0..80_000).fold(String::new(), |mut all, n| {
                let _ = write!(all, "\"k{n}\":1,");
                all
            });
            usage(1, "\"a\"", &format!("{{{members}\"metric\":\"m\"}}")).into_bytes()
        },
        lines,
        "applied",
    ),
    (
        "one member 100 000 times",
        || usage(1, "\"a\"", &format!("{{{}\"metric\":\"m\"}}", "\"k\":1,".repeat(100_000))).into_bytes(),
        lines,
        "malformed_json",
    ),
    (
        "a text of 5 000 bytes",
        || usage(1, "\"a\"", &format!("{{\"metric\":\"{}\"}}", "m".repeat(5_000))).into_bytes(),
        lines,
        "too_long",
    ),
    (
        "a number of 900 000 digits",
        || {
            usage(1, "\"a\"", &format!("{{\"metric\":\"m\",\"count\":1{}}}", "0".repeat(900_000)))
                .into_bytes()
        },
        lines,
        "out_of_range",
    ),
    (
        "an exponent of 10^18",
        || usage(1, "\"a\"", "{\"metric\":\"m\",\"count\":1e1000000000000000000}").into_bytes(),
        lines,
        "out_of_range",
    ),
    (
        "1 000 000 lines that are no events",
        || "nonsense\n".repeat(1_000_000).into_bytes(),
        lines,
        "malformed_json",
    ),
    (
        "ids that look alike, or run from right to left",
        || {
            ["acme", "аcme", "acme\u{200b}", "\u{202e}acme", "ＡＣＭＥ", "acme\u{301}", "שלום", "\u{0}"]
                .iter()
                .zip(0..)
                .map(|(id, n)| usage(n, &text(id), "{\"metric\":\"m\"}"))
                .collect::<String>()
                .into_bytes()
        },
        |bytes| {
            let (engine, codes) = fold(std::str::from_utf8(bytes).unwrap());
            format!("{codes}, {} clients", engine.clients().count())
        },
        "applied, bad_value, 7 clients",
    ),
    (
        "100 000 client ids of one hash",
        || many(100_000, |n| usage(n, &colliding(n), "{\"metric\":\"m\"}")),
        lines,
        "applied",
    ),
    (
        "100 000 user ids of one hash",
        || many(100_000, |n| usage(n, "\"a\"", &format!("{{\"metric\":\"m\",\"user\":{}}}", colliding(n)))),
        lines,
        "applied",
    ),
    (
        "100 000 clients",
        || many(100_000, |n| usage(n, &format!("\"{n}\""), "{\"metric\":\"m\"}")),
        lines,
        "applied",
    ),
    (
        "20 000 metrics of one client",
        || many(20_000, |n| usage(n, "\"a\"", &format!("{{\"metric\":\"{n}\"}}"))),
        lines,
        "applied, limit_exceeded",
    ),
    (
        "70 000 tickets of one client",
        || {
            many(70_000, |n| {
                event(
                    &n.to_string(),
                    "support.ticket_opened",
                    "\"a\"",
                    "2026-01-05T10:00:00Z",
                    &format!("{{\"ticket\":\"{n}\"}}"),
                )
            })
        },
        lines,
        "applied, limit_exceeded",
    ),
    (
        "50 000 states of one subscription, the last first",
        || {
            many(50_000, |n| {
                let time = healthfold::Instant::from_micros(1_800_000_000_000_000 - i64::from(n) * 1_000_000)
                    .unwrap();
                event(
                    &n.to_string(),
                    "billing.subscription_set",
                    "\"a\"",
                    &time.to_string(),
                    "{\"subscription\":\"s\",\"status\":\"active\",\"amount\":1,\"currency\":\"USD\",\"interval\":{\"unit\":\"month\"}}",
                )
            })
        },
        lines,
        "applied",
    ),
    (
        "a chain of 50 000 merges",
        || {
            many(50_000, |n| {
                event(
                    &n.to_string(),
                    "client.merged_into",
                    &format!("\"{n}\""),
                    "2026-01-05T10:00:00Z",
                    &format!("{{\"into\":\"{}\"}}", n + 1),
                )
            })
        },
        lines,
        "applied",
    ),
    (
        "50 000 retractions of one event",
        || {
            many(50_000, |n| {
                event(
                    &n.to_string(),
                    "event.retracted",
                    "\"a\"",
                    "2026-01-05T10:00:00Z",
                    "{\"source\":\"s\",\"id\":\"x\",\"type\":\"client.set\"}",
                )
            })
        },
        lines,
        "applied",
    ),
    ("a model 10 000 deep", || nested_group(10_000).into_bytes(), document, "invalid_model"),
    (
        "a model of 2 000 groups side by side",
        || {
            let part = r#"{"name":"g","parts":[{"signal":"s0","curve":{"points":[[0,0],[1,1]]}}]}"#;
            one_part(json!({"s0": {"kind": "sentiment"}}))
                .replace(r#""groups":["#, &format!(r#""groups":[{}"#, format!("{part},").repeat(2_000)))
                .into_bytes()
        },
        |bytes| {
            document(bytes);
            "answered".to_owned()
        },
        "answered",
    ),
    ("a model in YAML, 10 000 deep", || "- ".repeat(10_000).into_bytes(), document, "invalid_model"),
    (
        "a model in YAML of a billion laughs",
        || {
            let mut yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
            for n in 1..12 {
                let _ = writeln!(yaml, "a{n}: &a{n} [{}]", vec![format!("*a{}", n - 1); 9].join(", "));
            }
            yaml.into_bytes()
        },
        document,
        "invalid_model",
    ),
    ("a formula 10 000 deep", || deep_formula(10_000).into_bytes(), document, "invalid_model"),
    (
        "16 formulas, each naming the next 250 times",
        || formulas_of_formulas().into_bytes(),
        document,
        "scored",
    ),
    (
        "a window of 10^9 days",
        || one_part(json!({"s0": {"kind": "usage_sum", "metric": "m", "days": 1_000_000_000}})).into_bytes(),
        document,
        "invalid_model",
    ),
    (
        "a period of 10 000 years",
        || br#"revenue {"period":["0000-01-01","9999-12-31"]}"#.to_vec(),
        question,
        "bad_time",
    ),
    (
        "a series of the weeks of 230 years",
        || br#"revenue_series {"start":"1970-01-01","end":"2199-12-31","every":"week"}"#.to_vec(),
        question,
        "answered",
    ),
    ("the score of every day of 230 years", || history("score_history"), question, "answered"),
    (
        "a snapshot that says it has 2^60 clients",
        || {
            let good = engine().snapshot();
            let at = good.len() - 2;
            assert_eq!(good.get(at..), Some(&[0, 0][..]), "no clients, no identities");
            forged(
                &[good.get(..at).unwrap(), &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0][..]]
                    .concat(),
            )
        },
        opened,
        "corrupt_snapshot",
    ),
    (
        "a snapshot that says it has 2^60 identities",
        || {
            let good = engine().snapshot();
            forged(
                &[
                    good.get(..good.len() - 1).unwrap(),
                    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f][..],
                ]
                .concat(),
            )
        },
        opened,
        "corrupt_snapshot",
    ),
];

#[test]
fn no_input_takes_time_or_memory_out_of_proportion() {
    println!("| input | bytes | ms | peak KiB | outcome |\n|---|---:|---:|---:|---|");
    let mut faults = Vec::new();
    for (name, make, take, expected) in ROWS {
        let input = make();
        let before = LIVE.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        let begun = Instant::now();
        let outcome = take(&input);
        let (took, peak) = (begun.elapsed(), PEAK.load(Ordering::Relaxed) - before);
        println!("| {name} | {} | {} | {} | {outcome} |", input.len(), took.as_millis(), peak >> 10);
        if outcome != *expected {
            faults.push(format!("{name}: {outcome}, not {expected}"));
        }
        let most = if outcome == "answered" { ANSWER } else { ANYHOW + MOST_TIMES * input.len() };
        if took > MOST_TIME || peak > most {
            faults.push(format!("{name}: {took:?}, {peak} bytes for {}", input.len()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

//! What a client costs in memory, counted at the allocator.
//!
//! The client: 2 000 events over 400 days, 60 users, 12 metrics; use comes in sessions and is skewed, as in real books.

#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside of test functions")]

use healthfold::{Dedupe, Engine, Event, Settings};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that are allocated and not given back.
static LIVE: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// Only an allocator sees what is really taken, the room that lists keep for growth included.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
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

const CLIENTS: usize = 215;
const EVENTS: usize = 2_000;
const DAYS: u64 = 400;

/// Numbers that look random and are the same everywhere (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    /// Small numbers more often: the product of two even picks.
    fn skewed(&mut self, n: u64) -> u64 {
        let (a, b) = (self.below(1_000), self.below(1_000));
        a * b * n / 1_000_000
    }
}

/// The events of one client in order of time: on 8 working days of 11 some sessions, each of them one user at one metric for
/// a few clicks; 1 in 100 events is something else.
fn client(number: usize) -> Vec<Event> {
    let mut dice = Dice(number as u64);
    let mut events: Vec<Event> = Vec::with_capacity(EVENTS);
    while events.len() < EVENTS {
        let day = dice.below(DAYS / 7) * 7 + dice.below(5);
        if day % 11 > 7 {
            continue;
        }
        let user = match dice.below(10) {
            0..7 => format!(r#","user":"user-{}@example.com""#, dice.skewed(60)),
            _ => String::new(),
        };
        let metric = dice.skewed(12);
        let start = 1_735_516_800 + day * 86_400 + 28_800 + dice.below(36_000);
        for click in 0..dice.below(5) + 1 {
            let n = events.len();
            let (kind, data) = match n % 300 {
                99 => ("support.ticket_opened", format!(r#"{{"ticket":"T-{n}","topic":"fault"}}"#)),
                199 => ("billing.invoice_paid", format!(r#"{{"invoice":"INV-{n}"}}"#)),
                299 => ("client.sentiment_set", r#"{"value":70}"#.to_owned()),
                _ => {
                    let count = dice.below(9) + 1;
                    ("usage.counted", format!(r#"{{"metric":"metric-{metric}","count":{count}{user}}}"#))
                }
            };
            let micros = i64::try_from((start + click) * 1_000_000).unwrap();
            let time = healthfold::Instant::from_micros(micros).unwrap();
            let json = format!(
                r#"{{"id":"{number}-{n}","source":"app","type":"{kind}","subject":"client-{number}","time":"{time}","data":{data}}}"#
            );
            events.push(Event::from_json(json.as_bytes()).unwrap());
        }
    }
    events.truncate(EVENTS);
    events.sort_by_key(|event| event.time);
    events
}

fn folded(dedupe: Dedupe) -> (usize, Engine) {
    let before = LIVE.load(Ordering::Relaxed);
    let mut engine = Engine::new(Settings { dedupe, ..Settings::default() }).unwrap();
    for number in 0..CLIENTS {
        for event in client(number) {
            assert_eq!(engine.apply(&event), Ok(true));
        }
    }
    (LIVE.load(Ordering::Relaxed) - before, engine)
}

#[test]
fn a_client_of_two_thousand_events_takes_about_sixteen_kibibytes() {
    // The zone data and other things that are made once.
    folded(Dedupe::Exact);
    let (without, _bare) = folded(Dedupe::Upstream);
    let (with, engine) = folded(Dedupe::Exact);
    let client = without / CLIENTS;
    let identity = (with - without) as f64 / (CLIENTS * EVENTS) as f64;
    let snapshot = engine.snapshot().len() / CLIENTS - 24 * EVENTS;
    println!("a client takes {client} bytes, an identity {identity:.1}; in a snapshot {snapshot} and 24");
    assert!(client < 20 * 1024, "{client} bytes a client");
    assert!(identity <= 32.0, "{identity} bytes an identity");
}

//! `growth CLIENTS [EVENTS_EACH] [exact|upstream]`: what a log costs as the book grows. NDJSON is taken in, and made as it is read,
//! which is not counted; then all clients are scored, and a year of months of revenue is asked. Times are those of the
//! processor in this thread, memory is the most that was resident. `cargo xtask bench --growth` runs it for several sizes.

#![allow(clippy::print_stdout, reason = "a program says how long it took")]

use anyhow::{Context, Result, bail};
use healthfold::{Day, Dedupe, Engine, Model, PeriodUnit, ReadOptions, RevenueOptions, ScoresOf, Settings};
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{self, BufReader, Read};

const DAYS: u64 = 450;

/// Draws numbers; the same each time.
struct Draw(u64);

impl Draw {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        u64::try_from((u128::from(self.word()) * u128::from(limit)) >> 64).unwrap_or(0)
    }
}

/// The log, made as it is read.
struct Log {
    clients: u64,
    events: u64,
    next: u64,
    draw: Draw,
    made: String,
    /// How much of what was made is read.
    read: usize,
    /// Seconds of the processor that it took to make.
    making: f64,
}

impl Read for Log {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let begun = processor().map_err(io::Error::other)?;
        if self.read == self.made.len() {
            self.made.clear();
            self.read = 0;
            while self.next < self.events && self.made.len() < room.len() {
                self.line().map_err(io::Error::other)?;
            }
        }
        let rest = self.made.as_bytes().get(self.read..).unwrap_or_default();
        let length = rest.len().min(room.len());
        for (to, from) in room.iter_mut().zip(rest) {
            *to = *from;
        }
        self.read += length;
        self.making += processor().map_err(io::Error::other)? - begun;
        Ok(length)
    }
}

impl Log {
    /// Makes the next line, in order of time: each client pays, nine in ten lines are usage, a few clients have most of it.
    fn line(&mut self) -> Result<()> {
        let Self { clients, events, next: n, draw, made: out, .. } = self;
        let (n, clients) = (*n, *clients);
        let second = n * DAYS * 86_400 / *events;
        let (day, clock) = (second / 86_400, second % 86_400);
        let date = "2025-01-01".parse::<Day>()?.plus(i32::try_from(day)?);
        let (first, other) = (draw.below(clients), draw.below(clients));
        // The lesser of two draws comes twice as often; the first line of each client is its contract.
        let client = if n < clients { n } else { first.min(other) };
        write!(
            out,
            r#"{{"specversion":"1.0","id":"e-{n}","source":"app","subject":"client-{client}","time":"{date}T{:02}:{:02}:{:02}Z","#,
            clock / 3_600,
            clock / 60 % 60,
            clock % 60
        )?;
        match draw.below(100) {
            _ if n < clients => write!(
                out,
                r#""type":"billing.subscription_set","data":{{"subscription":"s","status":"active","amount":"{}","currency":"USD","interval":{{"unit":"month"}}}}}}"#,
                10 + draw.below(990)
            )?,
            0..90 => write!(
                out,
                r#""type":"usage.counted","data":{{"metric":"metric-{}","count":{},"user":"u-{}"}}}}"#,
                draw.below(10),
                1 + draw.below(5),
                draw.below(12)
            )?,
            90..95 => {
                write!(
                    out,
                    r#""type":"support.ticket_opened","data":{{"ticket":"t-{n}","priority":"normal"}}}}"#
                )?;
            }
            _ => write!(out, r#""type":"client.sentiment_set","data":{{"value":{}}}}}"#, draw.below(101))?,
        }
        out.push('\n');
        self.next += 1;
        Ok(())
    }
}

/// Seconds that the processor spent in this thread.
fn processor() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").context("this needs Linux")?;
    Ok(text.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e9)
}

/// What the kernel says of this process, in MiB.
fn memory(what: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(what)).context("no such line")?;
    let kib = line.split_whitespace().nth(1).unwrap_or_default();
    Ok(kib.parse::<u64>()? / 1_024)
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let clients: u64 = args.next().context("how many clients?")?.parse()?;
    let each: u64 = args.next().map_or(Ok(100), |each| each.parse())?;
    let dedupe = match args.next().as_deref() {
        None | Some("exact") => Dedupe::Exact,
        Some("upstream") => Dedupe::Upstream,
        Some(other) => bail!("`exact` or `upstream`, found `{other}`"),
    };
    let events = clients * each;
    let mut engine = Engine::new(Settings { dedupe, ..Settings::default() })?;
    let making = 0.0;
    let mut log = Log { clients, events, next: 0, draw: Draw(1), made: String::new(), read: 0, making };
    let begun = processor()?;
    let applied = engine.apply_ndjson(BufReader::new(&mut log), &ReadOptions::default())?.applied;
    let taken = processor()? - begun - log.making;
    if applied != events {
        bail!("{applied} of {events} events were applied");
    }
    let resident = memory("VmRSS")?;
    let as_of = engine.zone().as_of("2026-03-26")?;
    let begun = processor()?;
    black_box(engine.score_table(&Model::default(), as_of, ScoresOf::All));
    let scored = processor()? - begun;
    let begun = processor()?;
    let (from, to) =
        (engine.zone().start_of("2025-03-01".parse()?), engine.zone().start_of("2026-03-01".parse()?));
    black_box(engine.revenue_series(from, to, PeriodUnit::Month, &RevenueOptions::default())?);
    let revenue = processor()? - begun;
    let ns = |seconds: f64, of: u64| seconds * 1e9 / of as f64;
    println!(
        r#"{{"clients":{clients},"events":{events},"apply_seconds":{taken:.3},"ns_an_event":{:.0},"ns_a_score":{:.0},"ns_a_client_of_twelve_months":{:.0},"resident_mib":{resident},"most_mib":{}}}"#,
        ns(taken, events),
        ns(scored, clients),
        ns(revenue, clients),
        memory("VmHWM")?
    );
    Ok(())
}

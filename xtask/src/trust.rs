//! `cargo xtask trust`: the laws at scale. The long form is the whole attack by one command.

use crate::{fuzz, mutants};
use anyhow::{Result, anyhow, bail};
use clap::Args;
use healthfold::{Engine, Event, Model, ReadOptions, ScoresOf, Settings};
use healthfold_testkit::book::{BookSpec, Order, book_lines};
use healthfold_testkit::logs::adds_up;
use healthfold_testkit::simulator::{Corners, simulate, simulate_all};

#[derive(Args)]
pub(crate) struct Options {
    /// How many journeys to simulate: 2 000, or 100 000 in the long form.
    #[arg(long)]
    cases: Option<u64>,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Only the journey of this seed.
    #[arg(long, conflicts_with_all = ["cases", "first", "long"])]
    seed: Option<u64>,
    /// A book of this many events or more, live, rebuilt and merged from 16 parts: 100 000, or 1 000 000 in the long form.
    #[arg(long)]
    events: Option<u64>,
    /// Everything: 100 000 journeys, 1 000 000 events, the planted bugs, and each fuzz target.
    #[arg(long)]
    long: bool,
    /// Minutes for each fuzz target in the long form.
    #[arg(long, default_value_t = 20, requires = "long")]
    minutes: u64,
}

/// The events of the demo's 320 clients, and a little less than they are.
const OF_THE_DEMO: u64 = 100_000;
const CLIENTS_OF_THE_DEMO: u32 = 320;
const PARTS: usize = 16;

pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(seed) = options.seed {
        return simulate(seed, &mut Corners::default()).map_err(|fault| anyhow!(fault));
    }
    journeys(options.first, options.cases.unwrap_or(if options.long { 100_000 } else { 2_000 }))?;
    one_book(options.events.unwrap_or(if options.long { 1_000_000 } else { 100_000 }))?;
    if options.long {
        mutants::run(None)?;
        fuzz::run(options.minutes, &[])?;
    }
    Ok(())
}

/// Simulated journeys of small logs, half of them in a thread of their own.
fn journeys(first: u64, cases: u64) -> Result<()> {
    println!("== {cases} journeys from seed {first}");
    let (middle, end) = (first + cases / 2, first + cases);
    let other = std::thread::spawn(move || simulate_all(middle..end));
    let mut corners = simulate_all(first..middle).map_err(|fault| anyhow!(fault))?;
    let other = other.join().map_err(|_| anyhow!("a journey panicked; its seed is from {middle} on"))?;
    corners.add(&other.map_err(|fault| anyhow!(fault))?);
    for (corner, times) in corners.counts() {
        println!("{times:>10} {corner}");
    }
    println!("{} journeys, {} deliveries, no fault", corners.cases, corners.deliveries);
    let missed = corners.missed();
    if !missed.is_empty() {
        bail!("never met: {}", missed.join(", "));
    }
    Ok(())
}

/// A believable book three ways: live, event by event with questions in between; rebuilt from its log in one batch; in 16
/// parts, merged.
fn one_book(events: u64) -> Result<()> {
    let times = u32::try_from(events.div_ceil(OF_THE_DEMO))?;
    let spec = BookSpec { clients: CLIENTS_OF_THE_DEMO * times, order: Order::Time, ..BookSpec::default() };
    let lines = book_lines(&spec);
    println!("== a book of {} clients, {} lines", spec.clients, lines.len());
    let log = lines.join("\n");
    let mut rebuilt = Engine::new(Settings::default())?;
    let applied = rebuilt.apply_ndjson(log.as_bytes(), &ReadOptions::default())?;
    if applied.applied < events {
        bail!("only {} events", applied.applied);
    }

    let mut live = Engine::new(Settings::default())?;
    let mut parts = (0..PARTS).map(|_| Engine::new(Settings::default())).collect::<Result<Vec<_>, _>>()?;
    for (number, line) in lines.iter().enumerate() {
        let Ok(event) = Event::from_json(line.as_bytes()) else { continue };
        live.apply(&event)?;
        if number % (lines.len() / 20).max(1) == 0 {
            live.scores(&Model::default(), event.time, ScoresOf::All);
            live = Engine::restore(&live.snapshot())?;
        }
        // An event that is delivered again goes where it went before; every fifth that may be is in two parts.
        let home = spread(event.id.as_str()) % PARTS;
        for part in [home, (home + 5) % PARTS] {
            if (part == home || (!adds_up(&event) && spread(event.id.as_str()).is_multiple_of(5)))
                && let Some(engine) = parts.get_mut(part)
            {
                engine.apply(&event)?;
            }
        }
    }
    while parts.len() > 1 {
        let half = parts.split_off(parts.len() / 2);
        for (engine, other) in parts.iter_mut().zip(&half) {
            engine.merge(other)?;
        }
    }
    let merged = parts.pop().ok_or_else(|| anyhow!("no part is left"))?;
    let fingerprints = [live.fingerprint(), rebuilt.fingerprint(), merged.fingerprint()];
    println!(
        "{} events: live {}, rebuilt {}, merged {}",
        applied.applied, fingerprints[0], fingerprints[1], fingerprints[2]
    );
    if fingerprints.iter().any(|fingerprint| *fingerprint != fingerprints[0]) {
        bail!("live, rebuilt and merged are not one state");
    }
    Ok(())
}

/// A number that is the same for the same text everywhere (FNV-1a).
fn spread(text: &str) -> usize {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    usize::try_from(hash >> 16 & 0xffff).unwrap_or_default()
}

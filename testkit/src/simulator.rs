//! A seeded simulator of delivery: a log on its way to up to sixteen engines, as networks, queues and restarts treat it.
//!
//! Clocks of sources are off. Events come late, again, in another order, to several engines, in batches of any form. Engines
//! are restored from old snapshots, asked between events, merged into each other, sealed. In the end all that are left are
//! merged in a random tree, and the whole must be what one engine makes of the accepted events in the order of the log:
//! the same bytes, the same answers. Every batch must report what a plain list of what went in before says.
//!
//! A seed is a case: it makes the same log and the same journey on every machine, so a failing seed is the report of a bug.

#![expect(clippy::indexing_slicing, reason = "a test tool; what is indexed was counted")]

mod corners;

pub use corners::{CORNERS, Corners};

use crate::book::dice::Dice;
use crate::logs::{self, adds_up};
use healthfold::{
    Applied, Dedupe, Engine, Event, EventCode, EventData, EventKind, Instant, Model, Period, Quantity,
    ReadError, ReadOptions, ScoresOf, Settings,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Runs the cases of some seeds.
///
/// # Errors
/// The first seed that failed, and how.
pub fn simulate_all(seeds: Range<u64>) -> Result<Corners, String> {
    let mut corners = Corners::default();
    seeds.into_iter().try_for_each(|seed| simulate(seed, &mut corners))?;
    Ok(corners)
}

/// Runs the case of one seed.
///
/// # Errors
/// What did not hold, with the seed.
pub fn simulate(seed: u64, corners: &mut Corners) -> Result<(), String> {
    corners.cases += 1;
    World::new(seed, corners)
        .and_then(|mut world| world.run())
        .map_err(|fault| format!("seed {seed}: {fault}; again by HEALTHFOLD_SEED={seed}"))
}

const ZONES: [&str; 4] = ["UTC", "America/New_York", "Europe/Berlin", "Pacific/Kiritimati"];
const HOUR: i64 = 3_600_000_000;
const MOST_ENGINES: i64 = 16;
const SEALS: [&str; 3] = ["2026-02-01T12:00:00Z", "2026-03-01T12:00:00Z", "2026-04-02T00:00:00Z"];

/// An engine, what is known to be in it, and what it would be restored from.
struct Node {
    engine: Engine,
    /// The events whose identities it keeps, by their number in the log.
    holds: BTreeSet<usize>,
    kept: Kept,
}

/// The last snapshot on disk, and what came after it.
struct Kept {
    snapshot: Vec<u8>,
    holds: BTreeSet<usize>,
    since: Vec<usize>,
}

impl Node {
    fn new(engine: Engine) -> Self {
        let kept = Kept { snapshot: engine.snapshot(), holds: BTreeSet::new(), since: Vec::new() };
        Self { engine, holds: BTreeSet::new(), kept }
    }

    fn keep(&mut self) {
        self.kept = Kept { snapshot: self.engine.snapshot(), holds: self.holds.clone(), since: Vec::new() };
    }
}

struct World<'c> {
    corners: &'c mut Corners,
    dice: Dice,
    settings: Settings,
    log: Vec<Event>,
    nodes: Vec<Node>,
    /// What is still on its way: when it comes, to which engine at the beginning, which event. Last comes first.
    on_the_way: Vec<(i64, usize, usize)>,
    /// Where the events of an engine go that was merged into another.
    forward: Vec<usize>,
    /// Seals to come, the first one last.
    seals: Vec<Instant>,
    sealed: Option<Instant>,
    accepted: BTreeSet<usize>,
}

impl<'c> World<'c> {
    fn new(seed: u64, corners: &'c mut Corners) -> Result<Self, String> {
        let mut dice = Dice::new(seed, 1_000);
        let mut log = logs::drawn(seed, 10..70);
        skew(&mut log, &mut dice, corners);
        corners.look_at(&log);

        let dedupe = if dice.chance(150) { Dedupe::Upstream } else { Dedupe::Exact };
        if dedupe == Dedupe::Upstream {
            corners.meet("identities kept upstream");
        }
        let settings = Settings { timezone: dice.pick(&ZONES).to_owned(), dedupe, ..Settings::default() };
        let seals = match dice.below(4) {
            0 => vec![dice.pick(&SEALS)],
            1 => vec![SEALS[2], SEALS[usize::from(dice.chance(500))]],
            _ => Vec::new(),
        };
        let seals = seals.iter().map(|seal| seal.parse().map_err(|_| format!("no instant: {seal}")));
        let seals: Vec<Instant> = seals.collect::<Result<_, _>>()?;

        let count = number(match dice.below(6) {
            0 => 1,
            1 => MOST_ENGINES,
            _ => dice.between(2, MOST_ENGINES),
        });
        match count {
            1 => corners.meet("one engine"),
            16 => corners.meet("sixteen engines"),
            _ => {}
        }
        let engine = Engine::new(settings.clone()).map_err(|error| error.to_string())?;
        let nodes = (0..count).map(|_| Node::new(engine.clone())).collect();
        let mut world = Self {
            corners,
            dice,
            settings,
            log,
            nodes,
            on_the_way: Vec::new(),
            forward: (0..count).collect(),
            seals,
            sealed: None,
            accepted: BTreeSet::new(),
        };
        world.send_all(count);
        Ok(world)
    }

    /// Puts every event on its way to one engine or several, once or several times.
    fn send_all(&mut self, engines: usize) {
        // Behind a seal nobody can tell any more what two engines both held, so use of a client goes to one engine.
        let mut homes: BTreeMap<String, usize> = BTreeMap::new();
        let will_seal = !self.seals.is_empty();
        let (calm, exact) = (self.dice.chance(250), self.settings.dedupe == Dedupe::Exact);
        for number_of in 0..self.log.len() {
            let event = &self.log[number_of];
            let is_usage = adds_up(event) || event.kind() == EventKind::UsageDaySet;
            let any = self.index(engines);
            let home = match (will_seal && is_usage, &self.log[number_of].subject) {
                (true, subject) => *homes.entry(subject.as_str().to_owned()).or_insert(any),
                (false, _) => any,
            };
            self.send(number_of, home, calm);
            let may_be_copied = exact && !adds_up(&self.log[number_of]) && !(will_seal && is_usage);
            while may_be_copied && engines > 1 && self.dice.chance(300) {
                self.corners.meet("an event at two engines");
                let other = self.index(engines);
                self.send(number_of, other, calm);
            }
            while exact && self.dice.chance(200) {
                self.send(number_of, home, calm);
            }
        }
        self.on_the_way.sort_unstable_by(|a, b| b.cmp(a));
    }

    fn send(&mut self, event: usize, engine: usize, calm: bool) {
        let delay = match self.dice.below(10) {
            _ if calm => 0,
            0..5 => self.dice.below(HOUR / 1_000) * 1_000,
            5..8 => self.dice.below(72) * HOUR,
            _ => self.dice.below(2_400) * HOUR,
        };
        self.on_the_way.push((self.log[event].time.micros() + delay, engine, event));
    }

    fn index(&mut self, below: usize) -> usize {
        number(self.dice.below(i64::try_from(below).unwrap_or(i64::MAX)))
    }

    fn run(&mut self) -> Result<(), String> {
        let all = self.on_the_way.len();
        let seal_when = [all / 4 + self.index(all / 4 + 1), self.index(all / 4 + 1)];
        while !self.on_the_way.is_empty() {
            let left = self.on_the_way.len();
            if self.seals.last().is_some()
                && seal_when.get(self.seals.len() - 1).is_some_and(|when| left <= *when)
            {
                self.seal()?;
            }
            let count = (1 + self.index(9)).min(left);
            let mut batches: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for (_, engine, event) in self.on_the_way.split_off(left - count).into_iter().rev() {
                batches.entry(self.forward[engine]).or_default().push(event);
            }
            for (node, events) in batches {
                self.deliver(node, &events)?;
                self.nodes[node].kept.since.extend(&events);
            }
            let node = self.index(self.forward.len());
            let node = self.forward[node];
            match self.dice.below(20) {
                0 => self.open_in_place(node)?,
                1 => self.nodes[node].keep(),
                2 => self.crash(node)?,
                3 => self.ask(node),
                4 => self.merge_on_the_way(node)?,
                5 | 6 => self.deliver_another_content(node)?,
                _ => {}
            }
        }
        while self.seals.last().is_some() {
            self.seal()?;
        }
        self.finish()
    }

    /// Whether an event is from before the seal, told from its own fields.
    fn is_sealed(&self, event: &Event) -> bool {
        let Some(sealed) = self.sealed else { return false };
        let zone = self.nodes[self.forward[0]].engine.zone().clone();
        let day = match &event.data {
            EventData::UsageDaySet(_) => {
                event.to_json()["data"]["day"].as_str().unwrap_or_default().to_owned()
            }
            _ => zone.day(event.time).to_string(),
        };
        // YYYY-MM-DD: the first seven say the month.
        day[..7] < zone.day(sealed).to_string()[..7]
    }

    fn deliver(&mut self, node: usize, events: &[usize]) -> Result<(), String> {
        self.corners.deliveries += events.len() as u64;
        let (mut new, mut again, mut late) = (0, 0, Vec::new());
        let mut holds = self.nodes[node].holds.clone();
        for (place, event) in events.iter().enumerate() {
            if self.is_sealed(&self.log[*event]) {
                late.push(place as u64);
                continue;
            }
            if holds.insert(*event) || self.settings.dedupe == Dedupe::Upstream {
                new += 1;
            } else {
                again += 1;
            }
            self.accepted.insert(*event);
            self.meet_retractions(node, *event);
        }
        self.corners.meet_often("an event from before the seal", late.len() as u64);
        self.corners.meet_often("an event again", again);
        let applied = self.give(node, events, !late.is_empty())?;
        self.nodes[node].holds = holds;
        let refused: Vec<u64> = applied.rejected.iter().map(|rejection| rejection.index).collect();
        let only_late =
            applied.rejected.iter().all(|rejection| rejection.error.code == EventCode::BeforeSeal);
        if (applied.applied, applied.duplicates, applied.conflict_count) != (new, again, 0)
            || refused != late
            || !only_late
        {
            return Err(format!(
                "a batch of {events:?} should be {new} new, {again} again, {late:?} late: {applied:?}"
            ));
        }
        Ok(())
    }

    fn meet_retractions(&mut self, node: usize, event: usize) {
        let event = &self.log[event];
        let holds = |other: &Event| {
            self.nodes[node]
                .holds
                .iter()
                .any(|held| self.log[*held].id == other.id && self.log[*held].source == other.source)
        };
        if event.kind() == EventKind::Retracted {
            let json = event.to_json();
            let named = |other: &&Event| {
                Some(other.id.as_str()) == json["data"]["id"].as_str()
                    && Some(other.source.as_str()) == json["data"]["source"].as_str()
            };
            if let Some(target) = self.log.iter().find(named) {
                let after = holds(target);
                self.corners.meet(if after {
                    "a retraction after its target"
                } else {
                    "a retraction before its target"
                });
            }
        }
        let erased =
            |other: &&Event| other.kind() == EventKind::ClientErased && other.subject == event.subject;
        if let Some(erasure) = self.log.iter().find(erased).filter(|erasure| erasure.id != event.id) {
            let after = holds(erasure);
            self.corners.meet(if after {
                "an event of an erased client, after"
            } else {
                "an event of an erased client, before"
            });
        }
    }

    /// Gives events to an engine in one of the forms that a batch may have.
    fn give(&mut self, node: usize, events: &[usize], some_are_late: bool) -> Result<Applied, String> {
        let form = self.dice.below(5);
        let events: Vec<&Event> = events.iter().map(|event| &self.log[*event]).collect();
        let engine = &mut self.nodes[node].engine;
        let lines: Vec<String> = events.iter().map(|event| event.to_line()).collect();
        let options = ReadOptions { strict: form == 3 && !some_are_late, ..ReadOptions::default() };
        let read = match form {
            0 => return one_by_one(engine, &events),
            1 => return Ok(engine.apply_all(events)),
            2 => engine.apply_ndjson(format!("[{}]", lines.join(",\n")).as_bytes(), &options),
            3 if some_are_late => {
                self.corners.meet("a batch that must be whole");
                let before = engine.fingerprint();
                let strict = ReadOptions { strict: true, ..options.clone() };
                let refused = engine.apply_ndjson(lines.join("\n").as_bytes(), &strict);
                if !matches!(&refused, Err(ReadError::Strict(bad)) if bad.error.code == EventCode::BeforeSeal)
                    || engine.fingerprint() != before
                {
                    return Err(format!("a strict batch with a late event: {refused:?}"));
                }
                engine.apply_ndjson(lines.join("\n").as_bytes(), &options)
            }
            _ => engine.apply_ndjson(lines.join("\n").as_bytes(), &options),
        };
        read.map_err(|error| format!("a batch was refused as a whole: {error}"))
    }

    /// The identity of an event that is in, with another content: reported, and nothing else.
    fn deliver_another_content(&mut self, node: usize) -> Result<(), String> {
        if self.settings.dedupe == Dedupe::Upstream {
            return Ok(());
        }
        let known: Vec<usize> = self.nodes[node]
            .holds
            .iter()
            .copied()
            .filter(|event| !self.is_sealed(&self.log[*event]))
            .collect();
        if known.is_empty() {
            return Ok(());
        }
        let at = self.index(known.len());
        let mut other = self.log[known[at]].clone();
        match &mut other.data {
            EventData::UsageCounted(data) => {
                data.count = "7.5".parse::<Quantity>().map_err(|e| e.to_string())?
            }
            _ => other.sequence += 7,
        }
        self.corners.meet("another content");
        let engine = &mut self.nodes[node].engine;
        let before = engine.fingerprint();
        let applied = engine.apply_all([&other]);
        if (applied.applied, applied.duplicates, applied.conflict_count) != (0, 0, 1)
            || engine.fingerprint() != before
        {
            return Err(format!("another content of event {} was not reported alone: {applied:?}", other.id));
        }
        Ok(())
    }

    fn open_in_place(&mut self, node: usize) -> Result<(), String> {
        self.corners.meet("a snapshot opened in place");
        let node = &mut self.nodes[node];
        let restored = Engine::restore(&node.engine.snapshot()).map_err(|error| error.to_string())?;
        if restored.fingerprint() != node.engine.fingerprint() {
            return Err("a snapshot opens to another state".to_owned());
        }
        node.engine = restored;
        Ok(())
    }

    /// Back to what is on disk; what came since comes again, in another order.
    fn crash(&mut self, node: usize) -> Result<(), String> {
        self.corners.meet("a crash back to an old snapshot");
        let before = self.nodes[node].engine.fingerprint();
        let kept = &mut self.nodes[node].kept;
        let (engine, mut since) = (Engine::restore(&kept.snapshot), kept.since.clone());
        self.nodes[node].holds = self.nodes[node].kept.holds.clone();
        self.nodes[node].engine = engine.map_err(|error| error.to_string())?;
        self.dice.shuffle(&mut since);
        self.deliver(node, &since)?;
        if self.nodes[node].engine.fingerprint() != before {
            return Err("a snapshot and its tail are another state than before the crash".to_owned());
        }
        Ok(())
    }

    /// An engine that was asked keeps what it found out.
    fn ask(&mut self, node: usize) {
        self.corners.meet("a question between events");
        let engine = &self.nodes[node].engine;
        if let Some((_, last)) = engine.span() {
            engine.scores(&Model::default(), last, ScoresOf::All);
        }
    }

    fn living(&self) -> Vec<usize> {
        self.forward.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn merge_on_the_way(&mut self, into: usize) -> Result<(), String> {
        let living = self.living();
        let from = living[self.index(living.len())];
        if from == into {
            return Ok(());
        }
        self.corners.meet("a merge of engines on the way");
        self.merge(into, from)?;
        self.nodes[into].keep();
        self.forward.iter_mut().filter(|to| **to == from).for_each(|to| *to = into);
        Ok(())
    }

    fn merge(&mut self, into: usize, from: usize) -> Result<(), String> {
        let (other, holds) = (self.nodes[from].engine.clone(), self.nodes[from].holds.clone());
        let into = &mut self.nodes[into];
        let merged = match self.settings.dedupe {
            Dedupe::Exact => into.engine.merge(&other),
            Dedupe::Upstream => into.engine.merge_disjoint(&other),
        };
        into.holds.extend(holds);
        merged.map_err(|error| format!("engines do not merge: {error}"))
    }

    /// All engines at once: those that merge have one seal.
    fn seal(&mut self) -> Result<(), String> {
        let Some(before) = self.seals.pop() else { return Ok(()) };
        self.corners.meet(if self.sealed.is_some() { "a second seal" } else { "a seal" });
        self.sealed = Some(before);
        for node in self.living() {
            let node = &mut self.nodes[node];
            node.engine.seal(before).map_err(|error| error.to_string())?;
            node.keep();
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), String> {
        let mut living = self.living();
        while living.len() > 1 {
            let from = living.remove(self.index(living.len()));
            let into = living[self.index(living.len())];
            self.merge(into, from)?;
        }
        let merged = &self.nodes[living[0]].engine;
        let mut whole = Engine::new(self.settings.clone()).map_err(|error| error.to_string())?;
        let applied = whole.apply_all(self.accepted.iter().map(|event| &self.log[*event]));
        if applied.applied != self.accepted.len() as u64 {
            return Err(format!("one engine refuses what another accepted: {applied:?}"));
        }
        if let Some(before) = self.sealed {
            whole.seal(before).map_err(|error| error.to_string())?;
        }
        if whole.snapshot() != merged.snapshot() {
            return Err(
                "the merged engines are another state than one that took the events in order".to_owned()
            );
        }
        if whole.fingerprint() != merged.fingerprint() {
            return Err("equal bytes have two fingerprints".to_owned());
        }
        if answers(&whole)? != answers(merged)? {
            return Err("equal states give other answers".to_owned());
        }
        Ok(())
    }
}

/// The clock of each source is off by up to three days; that of some runs is right.
fn skew(log: &mut [Event], dice: &mut Dice, corners: &mut Corners) {
    if dice.chance(500) {
        return;
    }
    let mut clocks: BTreeMap<String, i64> = BTreeMap::new();
    for event in log {
        let off = clocks.entry(event.source.as_str().to_owned());
        let off = *off.or_insert_with(|| dice.between(-72, 72) * HOUR + dice.between(-2, 2));
        if let Some(time) = Instant::from_micros(event.time.micros() + off) {
            event.time = time;
            corners.meet("a skewed clock");
        }
    }
}

fn number(drawn: i64) -> usize {
    usize::try_from(drawn).unwrap_or_default()
}

fn one_by_one(engine: &mut Engine, events: &[&Event]) -> Result<Applied, String> {
    let mut all = Applied::default();
    for (index, event) in (0..).zip(events) {
        match engine.apply(event) {
            Ok(true) => all.applied += 1,
            Ok(false) => all.duplicates += 1,
            Err(error) if error.code == EventCode::BeforeSeal => {
                all.rejected.push(healthfold::Rejection { index, line: None, offset: None, error });
            }
            Err(error) => return Err(format!("event {} was refused: {error}", event.id)),
        }
    }
    Ok(all)
}

/// Scores and revenue as text, to the last bit.
fn answers(engine: &Engine) -> Result<String, String> {
    let at: Instant = "2026-04-30T12:00:00Z".parse().map_err(|_| "no instant")?;
    let period = Period::parse("2026-Q1", engine.zone()).map_err(|error| error.to_string())?;
    let scores = engine.scores(&Model::default(), at, ScoresOf::All);
    Ok(format!("{scores:?} {:?}", engine.revenue(period, &Default::default())))
}

//! Which corners a simulation reached: a generator that misses one proves nothing about it.

#![expect(clippy::indexing_slicing, reason = "a member of JSON that is not there is null")]

use healthfold::{Event, EventKind};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What must happen at least once in a run of some thousand cases, besides every type of event.
pub const CORNERS: [&str; 38] = [
    "two entries of one instant",
    "one instant, two sequences",
    "one instant and sequence, two sources",
    "a count below 0",
    "a roll-up that replaces another",
    "a roll-up of a coming day",
    "an amount at the limit",
    "a trial",
    "a trial that becomes a subscription",
    "a pause",
    "an end announced ahead",
    "a contract without end",
    "two currencies of one client",
    "a chain of merges",
    "a cycle of merges",
    "a merge with itself",
    "two merges of one client",
    "a merge that is taken back",
    "a retraction before its target",
    "a retraction after its target",
    "a retraction of another client",
    "an event of an erased client, before",
    "an event of an erased client, after",
    "a skewed clock",
    "an event again",
    "an event at two engines",
    "another content",
    "an event from before the seal",
    "a seal",
    "a second seal",
    "a snapshot opened in place",
    "a crash back to an old snapshot",
    "a question between events",
    "a merge of engines on the way",
    "one engine",
    "sixteen engines",
    "identities kept upstream",
    "a batch that must be whole",
];

/// How often each type of event and each corner was met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Corners {
    met: BTreeMap<&'static str, u64>,
    /// Simulations that were run.
    pub cases: u64,
    /// Events that were delivered, repeats included.
    pub deliveries: u64,
}

impl Corners {
    pub(super) fn meet(&mut self, corner: &'static str) {
        self.meet_often(corner, 1);
    }

    pub(super) fn meet_often(&mut self, corner: &'static str, times: u64) {
        debug_assert!(CORNERS.contains(&corner) || EventKind::parse(corner).is_some(), "{corner}");
        if times > 0 {
            *self.met.entry(corner).or_default() += times;
        }
    }

    /// How often each was met, in order of the names.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.met.iter().map(|(corner, times)| (*corner, *times))
    }

    /// The corners and types of events that were never met.
    #[must_use]
    pub fn missed(&self) -> Vec<&'static str> {
        let kinds = EventKind::ALL.iter().map(|kind| kind.as_str());
        kinds.chain(CORNERS).filter(|corner| !self.met.contains_key(corner)).collect()
    }

    /// Adds what another run met.
    pub fn add(&mut self, other: &Self) {
        other.counts().for_each(|(corner, times)| *self.met.entry(corner).or_default() += times);
        self.cases += other.cases;
        self.deliveries += other.deliveries;
    }

    /// What a log holds, whatever order it comes in.
    pub(super) fn look_at(&mut self, log: &[Event]) {
        let mut places: BTreeMap<(&str, EventKind, i64), Vec<&Event>> = BTreeMap::new();
        let mut merges: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut trials: BTreeSet<(&str, String)> = BTreeSet::new();
        let mut currencies: BTreeSet<(&str, String)> = BTreeSet::new();
        let mut days: BTreeSet<String> = BTreeSet::new();
        let kinds: BTreeMap<(&str, &str), (EventKind, &str)> = log
            .iter()
            .map(|e| ((e.source.as_str(), e.id.as_str()), (e.kind(), e.subject.as_str())))
            .collect();
        for event in log {
            self.meet(event.kind().as_str());
            let subject = event.subject.as_str();
            places.entry((subject, event.kind(), event.time.micros())).or_default().push(event);
            let json = event.to_json();
            let text = |name: &str| match &json["data"][name] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            match event.kind() {
                EventKind::UsageCounted if text("count").starts_with('-') => self.meet("a count below 0"),
                EventKind::UsageDaySet => {
                    if !days.insert(format!("{subject} {} {} {}", event.source, text("metric"), text("day")))
                    {
                        self.meet("a roll-up that replaces another");
                    }
                    if text("day") > event.time.to_string() {
                        self.meet("a roll-up of a coming day");
                    }
                }
                EventKind::SubscriptionSet => self.subscription(subject, &json, &mut trials, &mut currencies),
                EventKind::MergedInto => merges.entry(subject).or_default().push(text("into")),
                EventKind::Retracted => {
                    let target = (json["data"]["source"].as_str(), json["data"]["id"].as_str());
                    if let (Some(source), Some(id)) = target
                        && let Some((kind, of)) = kinds.get(&(source, id))
                    {
                        if *of != subject {
                            self.meet("a retraction of another client");
                        } else if *kind == EventKind::MergedInto && text("type") == kind.as_str() {
                            self.meet("a merge that is taken back");
                        }
                    }
                }
                _ => {}
            }
            if json["data"].as_object().is_some_and(|data| data.values().any(is_greatest)) {
                self.meet("an amount at the limit");
            }
        }
        self.meet_often(
            "two currencies of one client",
            twice(currencies.iter().map(|(subject, _)| *subject)),
        );
        self.ties(&places);
        self.merges(&merges);
    }

    fn subscription<'l>(
        &mut self,
        subject: &'l str,
        json: &Value,
        trials: &mut BTreeSet<(&'l str, String)>,
        currencies: &mut BTreeSet<(&'l str, String)>,
    ) {
        let data = &json["data"];
        let subscription = (subject, data["subscription"].as_str().unwrap_or_default().to_owned());
        match data["status"].as_str() {
            Some("trialing") => {
                self.meet("a trial");
                trials.insert(subscription);
            }
            Some("active") if trials.contains(&subscription) => {
                self.meet("a trial that becomes a subscription")
            }
            Some("paused") => self.meet("a pause"),
            _ => {}
        }
        if let Some(currency) = data["currency"].as_str() {
            currencies.insert((subject, currency.to_owned()));
        }
        if let Some(end) = data["cancel_at"].as_str() {
            self.meet(if end.starts_with("2199") {
                "a contract without end"
            } else {
                "an end announced ahead"
            });
        }
    }

    fn ties(&mut self, places: &BTreeMap<(&str, EventKind, i64), Vec<&Event>>) {
        for events in places.values().filter(|events| events.len() > 1) {
            self.meet("two entries of one instant");
            let sequences: BTreeSet<i64> = events.iter().map(|event| event.sequence).collect();
            if sequences.len() > 1 {
                self.meet("one instant, two sequences");
            }
            let sources: BTreeSet<&str> = events.iter().map(|event| event.source.as_str()).collect();
            if sources.len() > sequences.len() {
                self.meet("one instant and sequence, two sources");
            }
        }
    }

    fn merges(&mut self, merges: &BTreeMap<&str, Vec<String>>) {
        for (from, into) in merges {
            if into.len() > 1 {
                self.meet("two merges of one client");
            }
            for next in into {
                if next == from {
                    self.meet("a merge with itself");
                } else if let Some(further) = merges.get(next.as_str()) {
                    let back = further.iter().any(|further| further == from);
                    self.meet(if back { "a cycle of merges" } else { "a chain of merges" });
                }
            }
        }
    }
}

/// How many names come twice or more.
fn twice<'n>(names: impl Iterator<Item = &'n str>) -> u64 {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts.values().filter(|count| **count > 1).count() as u64
}

fn is_greatest(value: &Value) -> bool {
    matches!(value.to_string().trim_matches('"'), "1000000000000" | "1e12" | "1000000000000.0")
}

//! The book at no particular instant: which events count, and whose they are.
//!
//! Retractions, erasures and merges say how things always were, so they act whatever the instant of a
//! question is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::calendar::{Calendar, Instant};
use super::event::Event;

/// The events that count, each with the client it belongs to.
pub(crate) struct Book<'a> {
    pub calendar: &'a Calendar,
    /// (id of the resolved client, event)
    pub events: Vec<(String, Event)>,
    /// Where each merged id leads: id -> last `into`.
    merges: BTreeMap<String, String>,
    erased: BTreeSet<String>,
}

impl<'a> Book<'a> {
    /// Applies retractions, merges and erasures to the raw list.
    pub(crate) fn new(all: &[Event], calendar: &'a Calendar) -> Book<'a> {
        let merges = merges(all);
        let erased: BTreeSet<String> =
            all.iter().filter(|e| e.kind == "client.erased").map(|e| e.subject.clone()).collect();
        let mut book = Book { calendar, events: Vec::new(), merges, erased };
        for event in all {
            if event.kind == "event.retracted" || book.is_retracted(event, all) {
                continue;
            }
            let event = match book.erased.contains(&event.subject) {
                true => without_personal_data(event),
                false => Some(event.clone()),
            };
            if let Some(event) = event {
                book.events.push((book.resolve(&event.subject), event));
            }
        }
        book
    }

    /// The id at the end of the chain of merges; of a cycle the least id in it.
    pub(crate) fn resolve(&self, id: &str) -> String {
        let mut path = vec![id.to_owned()];
        while let Some(into) = self.merges.get(&path[path.len() - 1]) {
            if let Some(start) = path.iter().position(|seen| seen == into) {
                return path[start..].iter().min().expect("a cycle is not empty").clone();
            }
            path.push(into.clone());
        }
        path[path.len() - 1].clone()
    }

    /// True if some retraction takes this event back.
    fn is_retracted(&self, event: &Event, all: &[Event]) -> bool {
        let by_own_subject = event.kind == "client.merged_into";
        all.iter().filter(|r| names(r, event)).any(|r| match by_own_subject {
            true => r.subject == event.subject,
            false => self.resolve(&r.subject) == self.resolve(&event.subject),
        })
    }

    /// The events of a live client, or why the id has no answer.
    pub(crate) fn client(&self, id: &str) -> Result<Vec<&Event>, String> {
        if self.erased.contains(id) {
            return Err("erased".to_owned());
        }
        if self.resolve(id) != id {
            return Err("merged".to_owned());
        }
        match self.events_of(id) {
            events if events.is_empty() => Err("unknown_client".to_owned()),
            events => Ok(events),
        }
    }

    /// All events of a resolved client, those of the ids merged into it included.
    pub(crate) fn events_of(&self, id: &str) -> Vec<&Event> {
        self.events.iter().filter(|(client, _)| client == id).map(|(_, event)| event).collect()
    }

    /// Every resolved id with an event, erased ones too, in byte order.
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        self.events.iter().map(|(client, _)| client.clone()).collect()
    }

    pub(crate) fn is_erased(&self, id: &str) -> bool {
        self.erased.contains(id)
    }

    /// True if the client has an event at or before `t`, or usage on a day at or before the day of `t`.
    pub(crate) fn is_seen(&self, client: &[&Event], t: Instant) -> bool {
        let today = self.calendar.day_of(t);
        client.iter().any(|e| match e.is_usage() {
            true => e.day(self.calendar) <= today,
            false => e.time <= t,
        })
    }
}

/// True if the retraction names exactly this event, and the event may be taken back at all.
fn names(retraction: &Event, event: &Event) -> bool {
    let family = event.kind.starts_with("billing.") || event.kind.starts_with("client.");
    retraction.kind == "event.retracted"
        && family
        && event.kind != "client.erased"
        && retraction.text("source") == Some(&event.source)
        && retraction.text("id") == Some(&event.id)
        && retraction.text("type") == Some(&event.kind)
}

/// The last standing merge of each id. A merge is taken back by its own subject only, and a self-merge is
/// none.
fn merges(all: &[Event]) -> BTreeMap<String, String> {
    let mut standing: Vec<&Event> = all
        .iter()
        .filter(|e| e.kind == "client.merged_into" && e.text("into") != Some(&e.subject))
        .filter(|e| !all.iter().any(|r| names(r, e) && r.subject == e.subject))
        .collect();
    standing.sort_by(|a, b| a.order().cmp(&b.order()));
    // A later entry replaces an earlier one under the same key.
    standing.iter().filter_map(|e| Some((e.subject.clone(), e.text("into")?.to_owned()))).collect()
}

/// What stays of an event of an erased subject: money, sums and business data; nothing at all of a contact.
fn without_personal_data(event: &Event) -> Option<Event> {
    if event.kind == "client.contact_set" {
        return None;
    }
    let mut kept = event.clone();
    if let Value::Object(data) = &mut kept.data {
        for field in ["user", "users", "name", "topic", "reason"] {
            data.remove(field);
        }
        if let Some(Value::Object(attributes)) = data.get_mut("attributes") {
            attributes.retain(|_, value| !value.is_string());
        }
    }
    Some(kept)
}

//! One event, taken out of its JSON once, with the few look-ups that every reader needs.

use serde_json::Value;

use super::calendar::{Calendar, Day, Instant, parse_date, parse_instant};
use super::exact::{self, Exact};

/// One accepted event.
#[derive(Clone)]
pub(crate) struct Event {
    pub id: String,
    pub source: String,
    pub kind: String,
    /// The client id the event was sent with, before any merge.
    pub subject: String,
    pub time: Instant,
    pub sequence: i64,
    pub data: Value,
}

impl Event {
    /// Reads one CloudEvent. Panics if it is not one: only accepted events belong here.
    pub(crate) fn from_json(json: &Value) -> Event {
        let attribute = |name: &str| match json[name].as_str() {
            Some(text) => text.to_owned(),
            None => panic!("the oracle reads accepted events, this one has no `{name}`: {json}"),
        };
        let time = attribute("time");
        Event {
            id: attribute("id"),
            source: attribute("source"),
            kind: attribute("type"),
            subject: attribute("subject"),
            time: parse_instant(&time).unwrap_or_else(|| panic!("not an instant: {time}")),
            sequence: json["sequence"].as_i64().unwrap_or(0),
            data: json["data"].clone(),
        }
    }

    /// What timelines sort by: time, then sequence, source and id.
    pub(crate) fn order(&self) -> (Instant, i64, &str, &str) {
        (self.time, self.sequence, &self.source, &self.id)
    }

    /// A text field; absent, null and empty are the same.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.data[field].as_str().filter(|text| !text.is_empty())
    }

    /// A number given as a JSON number or as decimal text.
    pub(crate) fn number(&self, field: &str) -> Option<Exact> {
        exact::read(&self.data[field])
    }

    /// A field that holds an instant or a date.
    pub(crate) fn instant(&self, field: &str, calendar: &Calendar) -> Option<Instant> {
        calendar.instant_or_date(self.text(field)?)
    }

    /// True for the three usage types, which are kept by day and not by instant.
    pub(crate) fn is_usage(&self) -> bool {
        self.kind.starts_with("usage.")
    }

    /// The calendar day the event belongs to: of a day_set its `day`, of any other event the day of its time.
    pub(crate) fn day(&self, calendar: &Calendar) -> Day {
        match self.kind.as_str() {
            "usage.day_set" => self.text("day").and_then(parse_date).expect("a day_set has a day"),
            _ => calendar.day_of(self.time),
        }
    }
}

/// The events of one kind at or before `t`, in the order of timelines.
pub(crate) fn timeline<'a>(events: &[&'a Event], kind: &str, t: Instant) -> Vec<&'a Event> {
    let mut entries: Vec<&Event> = events.iter().copied().filter(|e| e.kind == kind && e.time <= t).collect();
    entries.sort_by(|a, b| a.order().cmp(&b.order()));
    entries
}

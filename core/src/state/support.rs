//! What we know of a client's tickets and incidents: each is a small log of its own, read as of an instant.

use crate::event::support::{Priority, ReplyBy, Severity};
use crate::id::{IncidentId, Text, TicketId};
use crate::keyed::Keyed;
use crate::rare::Apart;
use crate::time::Instant;
use crate::timeline::{Entry, Timeline};
use serde::{Deserialize, Serialize};

/// What happened to a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TicketChange {
    Opened {
        priority: Option<Priority>,
        topic: Option<Box<Text>>,
    },
    Replied(ReplyBy),
    /// An empty topic takes back the one before.
    Updated {
        priority: Option<Priority>,
        topic: Option<Box<Text>>,
    },
    Resolved,
    Reopened,
    Rated(u8),
}

impl TicketChange {
    pub(crate) fn strip(&mut self) {
        match self {
            Self::Opened { topic, .. } | Self::Updated { topic, .. } => *topic = None,
            Self::Replied(_) | Self::Resolved | Self::Reopened | Self::Rated(_) => {}
        }
    }
}

/// What happened to an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IncidentChange {
    pub(crate) running: bool,
    pub(crate) severity: Option<Severity>,
    pub(crate) component: Option<Text>,
    pub(crate) planned: Option<bool>,
}

/// A client's tickets and incidents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SupportState {
    pub(crate) tickets: Keyed<TicketId, Timeline<TicketChange>>,
    pub(crate) incidents: Apart<Keyed<IncidentId, Timeline<IncidentChange>>>,
}

impl SupportState {
    pub(crate) fn first_ticket(&self) -> Option<Instant> {
        self.tickets.values().filter_map(Timeline::first).map(Entry::at).min()
    }

    pub(crate) fn first_incident(&self) -> Option<Instant> {
        self.incidents.values().filter_map(Timeline::first).map(Entry::at).min()
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.tickets.join(other.tickets, Timeline::join);
        self.incidents.join(other.incidents, |ours, theirs| ours.join(theirs, Timeline::join));
    }

    pub(crate) fn erase(&mut self) {
        for change in self.tickets.values_mut().flat_map(Timeline::values_mut) {
            change.strip();
        }
    }
}

/// A ticket as of an instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TicketAt<'a> {
    /// The opening: the least time of its opened events. It comes before anything else of its instant.
    pub(crate) opened: Instant,
    pub(crate) open: bool,
    pub(crate) priority: Priority,
    pub(crate) topic: Option<&'a Text>,
    /// The earliest reply of an agent.
    pub(crate) first_reply: Option<Instant>,
    /// The last time it was resolved, if it is resolved.
    pub(crate) resolved: Option<Instant>,
    /// The last rating and its time.
    pub(crate) rating: Option<(Instant, u8)>,
}

impl<'a> TicketAt<'a> {
    /// The ticket as of an instant; `None` if it was not opened by then.
    pub(crate) fn of(ticket: &'a Timeline<TicketChange>, at: Instant) -> Option<Self> {
        let changes = ticket.up_to(at);
        let opening = changes.iter().find(|entry| matches!(entry.value, TicketChange::Opened { .. }))?;
        let mut known = Self {
            opened: opening.at(),
            open: true,
            priority: Priority::Normal,
            topic: None,
            first_reply: None,
            resolved: None,
            rating: None,
        };
        // The opening comes before anything else of its instant, and after what was stated about the ticket before it.
        let mut opened = false;
        for entry in changes.iter() {
            if !opened && entry.at() >= opening.at() {
                known.take(opening, opened);
                opened = true;
            }
            if !std::ptr::eq(entry, opening) {
                known.take(entry, opened);
            }
        }
        if known.open {
            known.resolved = None;
        }
        Some(known)
    }

    fn take(&mut self, entry: &'a Entry<TicketChange>, opened: bool) {
        match &entry.value {
            TicketChange::Opened { priority, topic } => {
                self.open = true;
                self.state(*priority, topic.as_deref());
            }
            TicketChange::Updated { priority, topic } => self.state(*priority, topic.as_deref()),
            TicketChange::Reopened => self.open = true,
            // Resolved before it was opened it cannot have been.
            TicketChange::Resolved if opened => {
                self.open = false;
                self.resolved = Some(entry.at());
            }
            TicketChange::Replied(ReplyBy::Agent) => {
                self.first_reply = self.first_reply.or(Some(entry.at()));
            }
            TicketChange::Rated(rating) => self.rating = Some((entry.at(), *rating)),
            TicketChange::Resolved | TicketChange::Replied(ReplyBy::Client) => {}
        }
    }

    fn state(&mut self, priority: Option<Priority>, topic: Option<&'a Text>) {
        self.priority = priority.unwrap_or(self.priority);
        // Empty text takes back what was stated.
        self.topic = topic.or(self.topic).filter(|topic| !topic.as_str().is_empty());
    }
}

/// The stretches of time in which an incident ran up to an instant, with its severity and whether it was planned as
/// last stated by then.
pub(crate) fn incident_runs(
    incident: &Timeline<IncidentChange>,
    at: Instant,
) -> (Vec<(Instant, Instant)>, Severity, bool) {
    let changes = incident.up_to(at);
    let (mut severity, mut planned) = (Severity::Minor, false);
    let (mut runs, mut since) = (Vec::new(), None);
    // The first start comes before anything else of its instant.
    let start = changes.iter().find(|entry| entry.value.running);
    let before = changes.iter().take_while(|entry| start.is_none_or(|start| entry.at() < start.at()));
    let earlier = before.clone().count();
    let behind =
        changes.iter().skip(earlier).filter(|entry| start.is_none_or(|start| entry.stamp != start.stamp));
    for entry in before.chain(start).chain(behind) {
        severity = entry.value.severity.unwrap_or(severity);
        planned = entry.value.planned.unwrap_or(planned);
        if entry.value.running {
            since = since.or(Some(entry.at()));
        } else if let Some(from) = since.take() {
            runs.push((from, entry.at()));
        }
    }
    if let Some(from) = since {
        runs.push((from, at));
    }
    (runs, severity, planned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::state::ClientState;
    use crate::zone::Zone;

    fn state(events: &[(&str, &str, &str, &str)]) -> ClientState {
        let mut state = ClientState::default();
        for (id, time, kind, data) in events {
            let json = format!(
                r#"{{"id":"{id}","source":"s","type":"support.{kind}","subject":"a","time":"{time}","data":{data}}}"#
            );
            state.fold(&Event::from_json(json.as_bytes()).unwrap().borrowed(), &Zone::utc());
        }
        state
    }

    #[test]
    fn the_first_start_of_an_incident_comes_before_its_end_of_the_same_instant() {
        // Sorted by id the end stands first; it ends what started at that instant all the same.
        let state = state(&[
            ("a", "2026-01-05T10:00:00Z", "incident_ended", r#"{"incident":"i"}"#),
            ("b", "2026-01-05T10:00:00Z", "incident_started", r#"{"incident":"i","severity":"major"}"#),
            ("c", "2026-01-05T12:00:00Z", "incident_started", r#"{"incident":"i"}"#),
        ]);
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let incident = state.support.incidents.get("i").unwrap();
        let (runs, severity, planned) = incident_runs(incident, at("2026-01-05T13:00:00Z"));
        let hours: Vec<f64> = runs.iter().map(|(from, to)| to.hours_since(*from)).collect();
        assert_eq!((hours, severity, planned), (vec![0.0, 1.0], Severity::Major, false));
        assert!(incident_runs(incident, at("2026-01-05T09:00:00Z")).0.is_empty());
    }

    #[test]
    fn a_ticket_opens_before_anything_else_of_its_instant() {
        let state = state(&[
            ("a", "2026-01-05T10:00:00Z", "ticket_resolved", r#"{"ticket":"t"}"#),
            ("b", "2026-01-05T10:00:00Z", "ticket_opened", r#"{"ticket":"t","priority":"low"}"#),
            ("c", "2026-01-05T09:00:00Z", "ticket_updated", r#"{"ticket":"t","priority":"urgent"}"#),
            ("d", "2026-01-05T09:30:00Z", "ticket_replied", r#"{"ticket":"t","by":"agent"}"#),
            ("e", "2026-01-06T10:00:00Z", "ticket_opened", r#"{"ticket":"t"}"#),
        ]);
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let ticket = state.support.tickets.get("t").unwrap();
        assert!(TicketAt::of(ticket, at("2026-01-05T09:59:59Z")).is_none(), "not opened yet");
        let resolved = TicketAt::of(ticket, at("2026-01-05T10:00:00Z")).unwrap();
        assert!(!resolved.open && resolved.priority == Priority::Low);
        assert_eq!(resolved.first_reply, Some(at("2026-01-05T09:30:00Z")));
        let unstated = state_of_update_before_opening();
        let updated =
            TicketAt::of(unstated.support.tickets.get("t").unwrap(), at("2026-01-06T10:00:00Z")).unwrap();
        assert_eq!(updated.priority, Priority::Urgent, "stated before, and the opening states none");
        assert!(TicketAt::of(ticket, at("2026-01-06T10:00:00Z")).unwrap().open, "a later opening reopens");
    }

    fn state_of_update_before_opening() -> ClientState {
        state(&[
            ("a", "2026-01-05T09:00:00Z", "ticket_updated", r#"{"ticket":"t","priority":"urgent"}"#),
            ("b", "2026-01-05T10:00:00Z", "ticket_opened", r#"{"ticket":"t"}"#),
        ])
    }

    #[test]
    fn an_end_before_the_first_start_ends_nothing() {
        let state = state(&[
            ("a", "2026-01-05T09:00:00Z", "incident_ended", r#"{"incident":"i","planned":true}"#),
            ("b", "2026-01-05T10:00:00Z", "incident_started", r#"{"incident":"i"}"#),
            ("c", "2026-01-05T12:00:00Z", "incident_ended", r#"{"incident":"i"}"#),
        ]);
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let incident = state.support.incidents.get("i").unwrap();
        let (runs, _, planned) = incident_runs(incident, at("2026-01-05T13:00:00Z"));
        assert_eq!(runs, [(at("2026-01-05T10:00:00Z"), at("2026-01-05T12:00:00Z"))]);
        assert!(planned, "what it states besides stands");
    }
}

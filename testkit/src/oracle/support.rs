//! Tickets as they stand at an instant.

use std::collections::BTreeSet;

use super::calendar::Instant;
use super::event::Event;
use super::exact;
use super::signal::{Missing, Reading, Spec, View};

const MICROS_PER_HOUR: f64 = 3_600_000_000.0;
/// Priorities from least to greatest; a ticket without one is normal.
const PRIORITIES: [&str; 4] = ["low", "normal", "high", "urgent"];

/// One ticket that was opened at or before the instant.
struct Ticket {
    /// The least time of its opened events.
    opened: Instant,
    is_open: bool,
    priority: String,
    topic: Option<String>,
    first_agent_reply: Option<Instant>,
    last_resolved: Option<Instant>,
    /// The last rating and its time.
    rating: Option<(Instant, f64)>,
}

/// The tickets of the client as of the instant. A ticket that was never opened is none.
fn tickets(view: &View<'_>) -> Vec<Ticket> {
    let of_tickets = |e: &&Event| e.kind.starts_with("support.ticket_") && e.time <= view.t;
    let events: Vec<&Event> = view.events.iter().copied().filter(of_tickets).collect();
    let ids: BTreeSet<&str> = events.iter().filter_map(|e| e.text("ticket")).collect();
    ids.into_iter()
        .filter_map(|id| ticket(events.iter().copied().filter(|e| e.text("ticket") == Some(id)).collect()))
        .collect()
}

/// Walks the events of one ticket in order.
fn ticket(mut events: Vec<&Event>) -> Option<Ticket> {
    let first = events
        .iter()
        .filter(|e| e.kind == "support.ticket_opened")
        .min_by(|a, b| a.order().cmp(&b.order()))
        .copied()?;
    // The first opening comes before anything else of the same instant, whatever its id.
    let key = |e: &Event| (e.time, !std::ptr::eq(e, first));
    events.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.order().cmp(&b.order())));

    let mut ticket = Ticket {
        opened: first.time,
        is_open: true,
        priority: "normal".to_owned(),
        topic: None,
        first_agent_reply: None,
        last_resolved: None,
        rating: None,
    };
    for event in events {
        match event.kind.as_str() {
            // A later opening reopens.
            "support.ticket_opened" | "support.ticket_reopened" => ticket.is_open = true,
            "support.ticket_resolved" => {
                ticket.is_open = false;
                ticket.last_resolved = Some(event.time);
            }
            "support.ticket_replied" if event.text("by") == Some("agent") => {
                ticket.first_agent_reply.get_or_insert(event.time);
            }
            "support.ticket_rated" => {
                ticket.rating = event.number("rating").map(|rating| (event.time, exact::float(&rating)));
            }
            _ => {}
        }
        if matches!(event.kind.as_str(), "support.ticket_opened" | "support.ticket_updated") {
            if let Some(priority) = event.text("priority") {
                ticket.priority = priority.to_owned();
            }
            // An empty topic clears it; one that is not named stays.
            if let Some(topic) = event.data["topic"].as_str() {
                ticket.topic = Some(topic.to_owned()).filter(|topic| !topic.is_empty());
            }
        }
    }
    Some(ticket)
}

pub(crate) fn opened(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let counted = |ticket: &Ticket| {
        view.in_window(ticket.opened, spec.days(30))
            && spec.text("topic").is_none_or(|topic| ticket.topic.as_deref() == Some(topic))
            && spec.text("priority").is_none_or(|priority| ticket.priority == priority)
    };
    Ok(tickets(view).iter().filter(|ticket| counted(ticket)).count() as f64)
}

pub(crate) fn open(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let rank = |priority: &str| PRIORITIES.iter().position(|p| *p == priority);
    let counted = |ticket: &Ticket| {
        ticket.is_open
            && spec.text("min_priority").is_none_or(|least| rank(&ticket.priority) >= rank(least))
            && spec.count("older_than_days").is_none_or(|days| view.age(ticket.opened) > days)
    };
    Ok(tickets(view).iter().filter(|ticket| counted(ticket)).count() as f64)
}

pub(crate) fn first_response_hours(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    hours_until(view, spec, |ticket| ticket.first_agent_reply)
}

pub(crate) fn resolution_hours(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    hours_until(view, spec, |ticket| ticket.last_resolved.filter(|_| !ticket.is_open))
}

/// The quantile of the hours from opening to some later point, over the tickets opened in the window that
/// have it.
fn hours_until(view: &View<'_>, spec: &Spec<'_>, point: impl Fn(&Ticket) -> Option<Instant>) -> Reading {
    let hours: Vec<f64> = tickets(view)
        .iter()
        .filter(|ticket| view.in_window(ticket.opened, spec.days(30)))
        .filter_map(|ticket| Some((point(ticket)? - ticket.opened).max(0) as f64 / MICROS_PER_HOUR))
        .collect();
    quantile(hours, spec.float("quantile").unwrap_or(0.5)).ok_or(Missing::TooLittle)
}

/// Linear interpolation between order statistics at h = (n - 1) q; nothing of nothing.
fn quantile(mut values: Vec<f64>, q: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let h = (values.len().checked_sub(1)?) as f64 * q;
    let below = values.get(h.floor() as usize)?;
    let above = values.get(h.ceil() as usize)?;
    Some(below + (above - below) * (h - h.floor()))
}

/// The mean of the last rating of each ticket, if that was given in the window.
pub(crate) fn csat(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let ratings: Vec<f64> = tickets(view)
        .iter()
        .filter_map(|ticket| ticket.rating)
        .filter(|(time, _)| view.in_window(*time, spec.days(30)))
        .map(|(_, rating)| rating)
        .collect();
    if ratings.is_empty() {
        return Err(Missing::TooLittle);
    }
    Ok(ratings.iter().sum::<f64>() / ratings.len() as f64)
}

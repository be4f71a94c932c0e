//! Support events: tickets and incidents.

use super::fields::{payload, words};
use super::numbers::Grade;
use super::values::Restated;
use crate::id::{IncidentId, Text, TicketId, UserId};

words! {
    /// How pressing a ticket is, from least to most.
    Priority { /// Can wait.
        Low = "low", /// Where nothing is stated.
        Normal = "normal", /// Soon.
        High = "high", /// Now.
        Urgent = "urgent" }
}

words! {
    /// How bad an incident is, from least to most.
    Severity { /// Where nothing is stated.
        Minor = "minor", /// Felt by many.
        Major = "major", /// The service is down.
        Critical = "critical" }
}

words! {
    /// Who wrote a reply.
    ReplyBy { /// Our side.
        Agent = "agent", /// The client.
        Client = "client" }
}

payload! {
    /// A ticket was opened. The least time counts as its opening; a later one reopens it.
    TicketOpened = "support.ticket_opened" {
        /// The ticket.
        ticket: TicketId,
        /// How pressing; normal where nothing is stated.
        priority: Option<Priority>,
        /// What it is about.
        topic: Option<Text>,
        /// How it came in.
        channel: Option<Text>,
        /// Who wrote.
        user: Option<UserId>,
    }
}

payload! {
    /// Somebody replied in a ticket.
    TicketReplied = "support.ticket_replied" {
        /// The ticket.
        ticket: TicketId,
        /// Who replied.
        by: ReplyBy,
    }
}

payload! {
    /// A ticket's priority or topic changed.
    TicketUpdated = "support.ticket_updated" {
        /// The ticket.
        ticket: TicketId,
        /// The new priority.
        priority: Option<Priority>,
        /// The new topic; empty text takes it back.
        topic: Restated,
    }
}

payload! {
    /// A ticket was resolved.
    TicketResolved = "support.ticket_resolved" {
        /// The ticket.
        ticket: TicketId,
    }
}

payload! {
    /// A resolved ticket was opened again.
    TicketReopened = "support.ticket_reopened" {
        /// The ticket.
        ticket: TicketId,
    }
}

payload! {
    /// The client rated a ticket (CSAT). The last rating of a ticket counts.
    TicketRated = "support.ticket_rated" {
        /// The ticket.
        ticket: TicketId,
        /// From 1 to 5.
        rating: Grade<1, 5>,
    }
}

payload! {
    /// An incident began, as this client felt it.
    IncidentStarted = "support.incident_started" {
        /// The incident.
        incident: IncidentId,
        /// How bad; minor where nothing is stated.
        severity: Option<Severity>,
        /// The part of the service it was in.
        component: Option<Text>,
        /// Announced work.
        planned: Option<bool>,
    }
}

payload! {
    /// An incident ended.
    IncidentEnded = "support.incident_ended" {
        /// The incident.
        incident: IncidentId,
        /// How bad it was.
        severity: Option<Severity>,
        /// The part of the service it was in.
        component: Option<Text>,
        /// Announced work.
        planned: Option<bool>,
    }
}

//! What is behind a change of support: tickets and incidents that came in, left the window or were judged anew.

use super::super::support::{
    Csat, FirstResponseHours, FirstResponseWithin, IncidentHours, ResolutionHours, TicketSurge, TicketsOpen,
    TicketsOpened,
};
use super::{Behind, Between, HistoryRow, View, within};
use crate::state::support::{TicketAt, TicketChange, incident_runs};
use crate::time::Instant;
use crate::timeline::Timeline;

/// What happened to the ticket of a row.
fn changes_of<'v>(row: &HistoryRow, between: &Between<'v>) -> Option<&'v Timeline<TicketChange>> {
    between.to.state.support.tickets.get(row.about.as_deref()?)
}

/// The ticket of a row as it stands at the later end.
fn standing<'v>(row: &HistoryRow, between: &Between<'v>) -> Option<TicketAt<'v>> {
    TicketAt::of(changes_of(row, between)?, between.to.at)
}

/// Whether a row is behind what its ticket gives to a reading. A ticket gives what it says while it is inside: it comes in
/// and leaves by its opening, and says something else by rows of the kinds in `says_by`.
fn ticket<T: PartialEq>(
    row: &HistoryRow,
    between: &Between<'_>,
    says_by: &[&str],
    inside: impl Fn(&View<'_>, &TicketAt<'_>) -> bool,
    says: impl Fn(&View<'_>, &TicketAt<'_>) -> Option<T>,
) -> bool {
    let opens = row.kind == "support.ticket_opened";
    if !opens && !says_by.contains(&row.kind) {
        return false;
    }
    let Some(changes) = changes_of(row, between) else { return false };
    let at = |view: &View<'_>| TicketAt::of(changes, view.at);
    let inside = |view: &View<'_>| at(view).is_some_and(|ticket| inside(view, &ticket));
    let says = |view: &View<'_>| at(view).and_then(|ticket| says(view, &ticket));
    if !between.differs(|view| says(view).filter(|_| inside(view))) {
        return false;
    }
    if opens && standing(row, between).is_some_and(|ticket| ticket.opened == row.at) {
        // Where nothing happened to the ticket, the clock did, which counts from its opening.
        let untouched = !changes.entries().iter().any(|entry| between.holds(entry.at()));
        return untouched || between.differs(inside);
    }
    between.happened(row) && between.differs(says)
}

/// Whether a ticket was opened on a day of the window.
fn opened_within(days: i32) -> impl Fn(&View<'_>, &TicketAt<'_>) -> bool {
    move |view, ticket| within(view.days(days), view.zone.day(ticket.opened))
}

/// What states the topic and the priority of a ticket.
const STATED_BY: &[&str] = &["support.ticket_opened", "support.ticket_updated"];

impl Behind for TicketsOpened {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let filters = self.topic.is_some() || self.priority.is_some();
        let says_by = if filters { STATED_BY } else { &[] };
        ticket(row, between, says_by, opened_within(self.days.0), |_, ticket| {
            self.asks_for(ticket).then_some(())
        })
    }
}

impl Behind for TicketsOpen {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let filters = row.kind == "support.ticket_updated" && self.min_priority.is_none();
        let says_by = ["opened", "updated", "resolved", "reopened"];
        let moves = row.kind.strip_prefix("support.ticket_").is_some_and(|what| says_by.contains(&what));
        let inside = |view: &View<'_>, ticket: &TicketAt<'_>| self.is_old(view, ticket);
        let says = |_: &View<'_>, ticket: &TicketAt<'_>| self.asks_for(ticket).then_some(());
        moves && !filters && ticket(row, between, &[row.kind], inside, says)
    }
}

impl Behind for TicketSurge {
    /// A ticket goes from the window into the days that say what is usual, and leaves them.
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let opened = row.kind == "support.ticket_opened"
            && standing(row, between).is_some_and(|ticket| ticket.opened == row.at);
        let windows = |view: &View<'_>| {
            let (first, last) = view.days(self.days.0);
            let usual = (first.plus(-self.baseline_days.0), first.plus(-1));
            let day = view.zone.day(row.at);
            [(first, last), usual].map(|window| row.at <= view.at && within(window, day))
        };
        opened && between.differs(windows)
    }
}

impl Behind for FirstResponseHours {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        ticket(row, between, REPLIED_BY, opened_within(self.days.0), |_, ticket| ticket.first_reply)
            && is_first_reply(row, between)
    }
}

impl Behind for FirstResponseWithin {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let met = |view: &View<'_>, ticket: &TicketAt<'_>| self.met(view, ticket);
        let target = self.target_attribute.as_ref().is_some_and(|key| between.states_attribute(row, key));
        target
            || ticket(row, between, REPLIED_BY, opened_within(self.days.0), met)
                && is_first_reply(row, between)
    }
}

/// What makes the first response.
const REPLIED_BY: &[&str] = &["support.ticket_replied"];

/// Whether a row, if it is a reply, is the first one of an agent.
fn is_first_reply(row: &HistoryRow, between: &Between<'_>) -> bool {
    let is_first = |ticket: TicketAt<'_>| ticket.first_reply == Some(row.at);
    row.kind != "support.ticket_replied" || standing(row, between).is_some_and(is_first)
}

impl Behind for ResolutionHours {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let says_by = ["support.ticket_opened", "support.ticket_resolved", "support.ticket_reopened"];
        ticket(row, between, &says_by, opened_within(self.days.0), |_, ticket| ticket.resolved)
    }
}

impl Behind for Csat {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let rated = changes_of(row, between).filter(|_| row.kind == "support.ticket_rated");
        let Some(changes) = rated else { return false };
        between.differs(|view| {
            let rating = TicketAt::of(changes, view.at).and_then(|ticket| ticket.rating);
            let counts = |at: Instant| at == row.at && within(view.days(self.days.0), view.zone.day(at));
            rating.is_some_and(|(at, _)| counts(at))
        })
    }
}

impl Behind for IncidentHours {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let known =
            row.about.as_deref().and_then(|incident| between.to.state.support.incidents.get(incident));
        let Some(changes) = known.filter(|_| row.kind.starts_with("support.incident_")) else { return false };
        // The rows of a run are those of its beginning and its end; what kind of incident it is, any row may say.
        let (runs, _, _) = incident_runs(changes, between.to.at);
        let of_run = runs.into_iter().filter(|(from, to)| [*from, *to].contains(&row.at));
        let inside = |view: &View<'_>, (from, to): (Instant, Instant)| -> i64 {
            let runs = self.runs(view, changes).into_iter().filter(|run| from <= run.0 && run.1 <= to);
            runs.map(|(from, to)| to.micros() - from.micros()).sum()
        };
        let asked = |view: &View<'_>| self.asks_for(view, changes);
        of_run.into_iter().any(|run| between.differs(|view| inside(view, run)))
            || between.happened(row)
                && between.differs(asked)
                && between.differs(|view| self.runs(view, changes))
    }
}

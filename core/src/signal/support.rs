//! Signals of support: tickets and incidents.

use super::client::numeric_attribute;
use super::params::{Age, Days, Positive, Share};
use super::statistics::{poisson_surprise, quantile};
use super::usage::{BaselineDays, LEAST_BASELINE};
use super::{Measure, Missing, View, signal};
use crate::event::support::{Priority, Severity};
use crate::state::support::{IncidentChange, TicketAt, incident_runs};
use crate::time::{Day, Instant};
use crate::timeline::Timeline;
use std::borrow::Cow;

super::params::choice!(Priority, "one of `low`, `normal`, `high`, `urgent`",
    "low" => Priority::Low, "normal" => Priority::Normal, "high" => Priority::High, "urgent" => Priority::Urgent);
super::params::choice!(Severity, "one of `minor`, `major`, `critical`",
    "minor" => Severity::Minor, "major" => Severity::Major, "critical" => Severity::Critical);

#[expect(clippy::cast_precision_loss, reason = "counts of tickets are far below 2^53")]
fn count(n: usize) -> f64 {
    n as f64
}

/// Tickets as they stand, for one signal or for all around it.
type Tickets<'a> = Cow<'a, [TicketAt<'a>]>;

impl<'a> View<'a> {
    /// Every ticket that was opened by now, as it stands now; the other signals around this one may have gone through them.
    fn tickets(&self) -> Result<Tickets<'a>, Missing> {
        self.heard(self.facts.tickets)?;
        Ok(match self.scope {
            Some(scope) => Cow::Borrowed(scope.tickets()),
            None => Cow::Owned(self.tickets_at().collect()),
        })
    }

    pub(crate) fn tickets_at(&self) -> impl Iterator<Item = TicketAt<'a>> + use<'a> {
        let at = self.at;
        self.state.support.tickets.values().filter_map(move |ticket| TicketAt::of(ticket, at))
    }

    /// Whether an instant is on one of the days of a window.
    fn within(&self, instant: Instant, (first, last): (Day, Day)) -> bool {
        (first..=last).contains(&self.zone.day(instant))
    }
}

signal! {
    /// Tickets opened in the window.
    TicketsOpened = "tickets_opened", "tickets", Either, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days,
        /// Only those of this topic, as it stands.
        topic: Option<String>,
        /// Only those of this priority, as it stands.
        priority: Option<Priority>,
    }
}

impl TicketsOpened {
    /// Whether a ticket has the topic and the priority that are asked for.
    pub(super) fn asks_for(&self, ticket: &TicketAt<'_>) -> bool {
        self.topic.as_ref().is_none_or(|topic| ticket.topic.is_some_and(|of| of.as_str() == topic))
            && self.priority.is_none_or(|priority| ticket.priority == priority)
    }
}

impl Measure for TicketsOpened {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let days = view.days(self.days.0);
        let matches = |ticket: &TicketAt<'_>| self.asks_for(ticket) && view.within(ticket.opened, days);
        Ok(count(view.tickets()?.iter().filter(|ticket| matches(ticket)).count()))
    }
}

signal! {
    /// Tickets open as of the instant.
    TicketsOpen = "tickets_open", "tickets", Down, instant {
        /// Only those of this priority or above.
        min_priority: Option<Priority>,
        /// Only those first opened more than so many days ago.
        older_than_days: Option<Age>,
    }
}

impl TicketsOpen {
    /// Whether a ticket is open, with the priority that is asked for.
    pub(super) fn asks_for(&self, ticket: &TicketAt<'_>) -> bool {
        ticket.open && self.min_priority.is_none_or(|least| ticket.priority >= least)
    }

    /// Whether a ticket is as old as is asked for.
    pub(super) fn is_old(&self, view: &View<'_>, ticket: &TicketAt<'_>) -> bool {
        let age = view.today.days_since(view.zone.day(ticket.opened));
        self.older_than_days.is_none_or(|days| age > days.0)
    }
}

impl Measure for TicketsOpen {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let matches = |ticket: &TicketAt<'_>| self.asks_for(ticket) && self.is_old(view, ticket);
        Ok(count(view.tickets()?.iter().filter(|ticket| matches(ticket)).count()))
    }
}

signal! {
    /// How surprising the number of tickets in the window is for this client: -log10 of the Poisson upper tail.
    TicketSurge = "ticket_surge", "orders of magnitude", Down, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days = Days(7),
        /// The days before the window that say what is usual.
        baseline_days: BaselineDays = BaselineDays(84),
    }
}

impl Measure for TicketSurge {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let opened: Vec<Day> = view.tickets()?.iter().map(|ticket| view.zone.day(ticket.opened)).collect();
        let (first, last) = view.days(self.days.0);
        let first_day = view.state.first_day(view.zone).ok_or(Missing::NeverSeen)?;
        let (start, end) = (first.plus(-self.baseline_days.0).max(first_day), first.plus(-1));
        let baseline_days = end.days_since(start) + 1;
        if usize::try_from(baseline_days).unwrap_or(0) < LEAST_BASELINE {
            return Err(Missing::TooLittle);
        }
        let between =
            |first: Day, last: Day| opened.iter().filter(|day| (first..=last).contains(*day)).count();
        let rate = count(between(start, end)) / f64::from(baseline_days);
        let mean = (rate * f64::from(self.days.0)).max(0.5);
        Ok(poisson_surprise(between(first, last) as u64, mean))
    }
}

/// A quantile of some hours per ticket.
fn hours(mut values: Vec<f64>, q: f64) -> Result<f64, Missing> {
    values.sort_unstable_by(f64::total_cmp);
    quantile(&values, q).ok_or(Missing::TooLittle)
}

signal! {
    /// Hours from the opening to the first reply of an agent: a quantile over the tickets opened in the window that have one.
    FirstResponseHours = "first_response_hours", "hours", Down, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days,
        /// Which quantile; 0.5 is the median.
        quantile: Share = Share(0.5),
    }
}

impl Measure for FirstResponseHours {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let days = view.days(self.days.0);
        let tickets = view.tickets()?;
        let opened = tickets.iter().filter(|ticket| view.within(ticket.opened, days));
        let waited = opened
            .filter_map(|ticket| ticket.first_reply.map(|reply| reply.hours_since(ticket.opened).max(0.0)));
        hours(waited.collect(), self.quantile.0)
    }
}

signal! {
    /// The share of tickets opened in the window that an agent answered within the client's own target, as that stood when
    /// the ticket was opened.
    FirstResponseWithin = "first_response_within", "share", Up, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days,
        /// The attribute that holds the client's target in hours.
        target_attribute: Option<String>,
        /// The target of clients without one.
        target_hours: Option<Positive>,
    }
}

impl FirstResponseWithin {
    /// The client's own target at an instant, where it states one above 0; else that of the model.
    fn target(&self, view: &View<'_>, at: Instant) -> Option<f64> {
        let own = self.target_attribute.as_ref().and_then(|key| numeric_attribute(view, key, at));
        own.filter(|hours| *hours > 0.0).or(self.target_hours.map(|hours| hours.0))
    }

    /// Whether a ticket was answered in time; `None` where it has no target, and while it still has time.
    pub(super) fn met(&self, view: &View<'_>, ticket: &TicketAt<'_>) -> Option<bool> {
        // A later contract does not judge an earlier answer.
        let target = self.target(view, ticket.opened)?;
        match ticket.first_reply {
            Some(reply) => Some(reply.hours_since(ticket.opened).max(0.0) <= target),
            None => (view.at.hours_since(ticket.opened) > target).then_some(false),
        }
    }
}

impl Measure for FirstResponseWithin {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let days = view.days(self.days.0);
        let tickets = view.tickets()?;
        let inside = tickets.iter().filter(|ticket| view.within(ticket.opened, days));
        let decided = inside.filter_map(|ticket| self.met(view, ticket));
        let (kept, all) = decided.fold((0, 0), |(kept, all), met| (kept + usize::from(met), all + 1));
        if all == 0 { Err(Missing::TooLittle) } else { Ok(count(kept) / count(all)) }
    }
}

signal! {
    /// Hours from the opening to the last resolution: a quantile over the tickets opened in the window that are resolved.
    ResolutionHours = "resolution_hours", "hours", Down, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days,
        /// Which quantile; 0.5 is the median.
        quantile: Share = Share(0.5),
    }
}

impl Measure for ResolutionHours {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let days = view.days(self.days.0);
        let tickets = view.tickets()?;
        let opened = tickets.iter().filter(|ticket| view.within(ticket.opened, days));
        let took = opened.filter_map(|ticket| ticket.resolved.map(|end| end.hours_since(ticket.opened)));
        hours(took.collect(), self.quantile.0)
    }
}

signal! {
    /// The mean rating of tickets, by the time of rating; the last rating of each ticket counts.
    Csat = "csat", "1 to 5", Up, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days,
    }
}

impl Measure for Csat {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let days = view.days(self.days.0);
        let tickets = view.tickets()?;
        let ratings = tickets.iter().filter_map(|ticket| ticket.rating);
        let inside = ratings.filter(|(at, _)| view.within(*at, days));
        let (sum, n) = inside.fold((0.0, 0), |(sum, n), (_, rating)| (sum + f64::from(rating), n + 1));
        if n == 0 { Err(Missing::TooLittle) } else { Ok(sum / count(n)) }
    }
}

signal! {
    /// Hours of unplanned incidents inside the window; overlaps count once.
    IncidentHours = "incident_hours", "hours", Down, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days,
        /// Only those of this severity or above.
        min_severity: Option<Severity>,
    }
}

impl IncidentHours {
    /// Whether an incident is unplanned and as severe as is asked for.
    pub(super) fn asks_for(&self, view: &View<'_>, incident: &Timeline<IncidentChange>) -> bool {
        let (_, severity, planned) = incident_runs(incident, view.at);
        !planned && self.min_severity.is_none_or(|least| severity >= least)
    }

    /// What of an incident is in the window, in stretches of time: nothing, if it is none that is asked for.
    pub(super) fn runs(
        &self,
        view: &View<'_>,
        incident: &Timeline<IncidentChange>,
    ) -> Vec<(Instant, Instant)> {
        if !self.asks_for(view, incident) {
            return Vec::new();
        }
        let (runs, _, _) = incident_runs(incident, view.at);
        let (first, last) = view.days(self.days.0);
        let (start, end) = (view.zone.start_of(first), view.zone.start_of(last.plus(1)).min(view.at));
        let inside = runs.into_iter().map(|(from, to)| (from.max(start), to.min(end)));
        inside.filter(|(from, to)| from < to).collect()
    }
}

impl Measure for IncidentHours {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.heard(view.facts.incidents)?;
        let incidents = view.state.support.incidents.values();
        let mut runs: Vec<(Instant, Instant)> =
            incidents.flat_map(|incident| self.runs(view, incident)).collect();
        runs.sort_unstable();
        let mut micros = 0;
        let mut covered = Instant::MIN;
        for (from, to) in runs {
            let from = from.max(covered);
            if to > from {
                micros += to.micros() - from.micros();
                covered = to;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a window of microseconds is below 2^53")]
        let hours = micros as f64 / 3_600_000_000.0;
        Ok(hours)
    }
}

//! What the book as a whole has seen: since when each kind of event comes in.

use crate::event::{Event, EventData, EventKind};
use crate::state::ClientState;
use crate::time::{Day, Instant};
use crate::zone::Zone;

/// What kind of events the book has seen, from when on. A feed that was never connected is not perfect health.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) usage: Option<Day>,
    pub(crate) user: Option<Day>,
    pub(crate) tickets: Option<Instant>,
    pub(crate) incidents: Option<Instant>,
    pub(crate) invoices: Option<Instant>,
    pub(crate) payments: Option<Instant>,
    pub(crate) contacts: Option<Instant>,
}

impl Facts {
    pub(crate) fn take_in(&mut self, state: &ClientState) {
        fn earlier<T: Ord + Copy>(slot: &mut Option<T>, found: Option<T>) {
            *slot = [*slot, found].into_iter().flatten().min();
        }
        earlier(&mut self.usage, state.usage.first_day());
        earlier(&mut self.user, state.usage.first_user());
        earlier(&mut self.tickets, state.support.first_ticket());
        earlier(&mut self.incidents, state.support.first_incident());
        earlier(&mut self.invoices, state.billing.first_invoice());
        earlier(&mut self.payments, state.billing.first_payment());
        earlier(&mut self.contacts, state.profile.first_contact());
    }

    /// Keeps the facts fresh for one more event, without a look at the rest of the book.
    pub(crate) fn note(&mut self, event: &Event, zone: &Zone, personal: bool) {
        let mut usage = |day: Day, with_user: bool| {
            self.usage = Some(self.usage.map_or(day, |first| first.min(day)));
            if with_user && personal {
                self.user = Some(self.user.map_or(day, |first| first.min(day)));
            }
        };
        match &event.data {
            EventData::UsageCounted(data) => return usage(zone.day(event.time), data.user.is_some()),
            EventData::UsageMeasured(data) => return usage(zone.day(event.time), data.user.is_some()),
            EventData::UsageDaySet(data) => {
                return usage(
                    data.day,
                    data.users.as_ref().is_some_and(|users| !users.as_slice().is_empty()),
                );
            }
            _ => {}
        }
        let mut feeds: [Option<&mut Option<Instant>>; 2] = [None, None];
        match event.kind() {
            EventKind::TicketOpened
            | EventKind::TicketReplied
            | EventKind::TicketUpdated
            | EventKind::TicketResolved
            | EventKind::TicketReopened
            | EventKind::TicketRated => feeds = [Some(&mut self.tickets), None],
            EventKind::IncidentStarted | EventKind::IncidentEnded => {
                feeds = [Some(&mut self.incidents), None]
            }
            EventKind::InvoiceIssued | EventKind::InvoiceVoided => feeds = [Some(&mut self.invoices), None],
            EventKind::InvoicePaid => feeds = [Some(&mut self.invoices), Some(&mut self.payments)],
            EventKind::PaymentFailed => feeds = [Some(&mut self.payments), None],
            EventKind::Contacted => feeds = [Some(&mut self.contacts), None],
            EventKind::ContactSet if personal => feeds = [Some(&mut self.contacts), None],
            EventKind::ContactSet
            | EventKind::UsageCounted
            | EventKind::UsageMeasured
            | EventKind::UsageDaySet
            | EventKind::SubscriptionSet
            | EventKind::Charged
            | EventKind::Refunded
            | EventKind::QuotaSet
            | EventKind::PaymentPlanSet
            | EventKind::ClientSet
            | EventKind::SentimentSet
            | EventKind::NpsAnswered
            | EventKind::MilestoneReached
            | EventKind::OverrideSet
            | EventKind::ChurnReasonSet
            | EventKind::MergedInto
            | EventKind::ClientErased
            | EventKind::Retracted => {}
        }
        for feed in feeds.into_iter().flatten() {
            *feed = Some(feed.map_or(event.time, |first| first.min(event.time)));
        }
    }
}

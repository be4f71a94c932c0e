//! What the book as a whole has seen: since when each kind of event comes in.

use crate::event::EventData;
use crate::event::borrowed::BorrowedEvent;
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
        self.join(&Self {
            usage: state.usage.first_day(),
            user: state.usage.first_user(),
            tickets: state.support.first_ticket(),
            incidents: state.support.first_incident(),
            invoices: state.billing.first_invoice(),
            payments: state.billing.first_payment(),
            contacts: state.profile.first_contact(),
        });
    }

    /// Takes in what another part of the book has seen.
    pub(crate) fn join(&mut self, other: &Self) {
        fn earlier<T: Ord + Copy>(slot: &mut Option<T>, found: Option<T>) {
            *slot = [*slot, found].into_iter().flatten().min();
        }
        let Self { usage, user, tickets, incidents, invoices, payments, contacts } = other;
        earlier(&mut self.usage, *usage);
        earlier(&mut self.user, *user);
        earlier(&mut self.tickets, *tickets);
        earlier(&mut self.incidents, *incidents);
        earlier(&mut self.invoices, *invoices);
        earlier(&mut self.payments, *payments);
        earlier(&mut self.contacts, *contacts);
    }

    /// Keeps the facts fresh after more use of clients, whose first day and first day with a user these are.
    pub(crate) fn take_in_usage(&mut self, first_day: Option<Day>, first_user: Option<Day>) {
        self.usage = [self.usage, first_day].into_iter().flatten().min();
        self.user = [self.user, first_user].into_iter().flatten().min();
    }

    /// Keeps the facts fresh for one more event, without a look at the rest of the book.
    pub(crate) fn note(&mut self, event: &BorrowedEvent<'_>, zone: &Zone, personal: bool) {
        fn seen<T: Ord + Copy>(slot: &mut Option<T>, at: T) {
            *slot = Some(slot.map_or(at, |first| first.min(at)));
        }
        let at = event.time;
        let mut usage = |day: Day, with_user: bool| {
            seen(&mut self.usage, day);
            if with_user && personal {
                seen(&mut self.user, day);
            }
        };
        match event.data {
            EventData::UsageCounted(data) => usage(zone.day(at), data.user.is_some()),
            EventData::UsageMeasured(data) => usage(zone.day(at), data.user.is_some()),
            EventData::UsageDaySet(data) => {
                usage(data.day, data.users.as_ref().is_some_and(|users| !users.as_slice().is_empty()));
            }
            EventData::TicketOpened(_)
            | EventData::TicketReplied(_)
            | EventData::TicketUpdated(_)
            | EventData::TicketResolved(_)
            | EventData::TicketReopened(_)
            | EventData::TicketRated(_) => seen(&mut self.tickets, at),
            EventData::IncidentStarted(_) | EventData::IncidentEnded(_) => seen(&mut self.incidents, at),
            EventData::InvoiceIssued(_) | EventData::InvoiceVoided(_) => seen(&mut self.invoices, at),
            EventData::InvoicePaid(_) => {
                seen(&mut self.invoices, at);
                seen(&mut self.payments, at);
            }
            EventData::PaymentFailed(_) => seen(&mut self.payments, at),
            EventData::Contacted(_) => seen(&mut self.contacts, at),
            EventData::ContactSet(_) => {
                if personal {
                    seen(&mut self.contacts, at);
                }
            }
            EventData::SubscriptionSet(_)
            | EventData::Charged(_)
            | EventData::Refunded(_)
            | EventData::QuotaSet(_)
            | EventData::PaymentPlanSet(_)
            | EventData::ClientSet(_)
            | EventData::SentimentSet(_)
            | EventData::NpsAnswered(_)
            | EventData::MilestoneReached(_)
            | EventData::OverrideSet(_)
            | EventData::ChurnReasonSet(_)
            | EventData::MergedInto(_)
            | EventData::ClientErased(_)
            | EventData::Retracted(_) => {}
        }
    }
}

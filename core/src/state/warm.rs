//! Reading ahead: so that the waits for the memory of several clients overlap. No answer depends on it.

use super::ClientState;
use crate::event::EventData;
use crate::keyed::Keyed;
use crate::timeline::Timeline;

/// How far into a state somebody reads ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    State,
    List,
    Entries,
}

impl ClientState {
    /// Reads a number of each list that a score reads, and makes nothing of it: so the processor waits for all these places
    /// in memory at the same time, where it would wait for one after the other.
    pub(crate) fn warm(&self) {
        fn of<K: Ord, T>(lists: &Keyed<K, Timeline<T>>) -> u64 {
            lists.values().map(Timeline::warm).fold(0, u64::wrapping_add)
        }
        let Self { usage, support, billing, profile, retractions, .. } = self;
        let lists = [
            usage.warm(),
            of(&support.tickets),
            of(&billing.subscriptions),
            of(&billing.invoices),
            profile.sentiment.warm(),
            u64::from(retractions.is_empty()),
        ];
        std::hint::black_box(lists);
    }

    /// The same of the lists that a question about revenue reads.
    pub(crate) fn warm_contracts(&self) {
        let contracts = self.billing.subscriptions.values().map(Timeline::warm);
        std::hint::black_box(contracts.fold(u64::from(self.retractions.is_empty()), u64::wrapping_add));
    }

    /// The same of what a batch of usage is folded into, for the caller to make nothing of.
    pub(crate) fn warm_usage(&self) -> u64 {
        self.usage.warm().wrapping_add(u64::from(self.erased))
    }

    /// A number of the place that an event goes to, of which the caller makes nothing: of many events first a number of each
    /// state, then of each of its lists, then of what the list holds, so that the waits for them overlap. Rare kinds are not
    /// worth it.
    pub(crate) fn warm_for(&self, data: &EventData, reach: Reach) -> u64 {
        fn of<K: Ord, T>(lists: &Keyed<K, Timeline<T>>, key: &K, reach: Reach) -> u64 {
            match reach {
                Reach::State => lists.len() as u64,
                Reach::List => lists.last().map_or(0, |last| u64::from(last.is_empty())),
                Reach::Entries => lists.get(key).map_or(0, Timeline::warm),
            }
        }
        /// What mostly is new in its list has nothing there to wait for.
        fn of_new<K: Ord, T>(lists: &Keyed<K, Timeline<T>>, reach: Reach) -> u64 {
            match reach {
                Reach::State => lists.len() as u64,
                Reach::List | Reach::Entries => lists.last().map_or(0, |last| u64::from(last.is_empty())),
            }
        }
        let Self { support, billing, .. } = self;
        let list = match data {
            EventData::TicketOpened(_) => of_new(&support.tickets, reach),
            EventData::TicketReplied(data) => of(&support.tickets, &data.ticket, reach),
            EventData::TicketUpdated(data) => of(&support.tickets, &data.ticket, reach),
            EventData::TicketResolved(data) => of(&support.tickets, &data.ticket, reach),
            EventData::TicketReopened(data) => of(&support.tickets, &data.ticket, reach),
            EventData::TicketRated(data) => of(&support.tickets, &data.ticket, reach),
            EventData::SubscriptionSet(data) => of(&billing.subscriptions, &data.subscription, reach),
            EventData::InvoiceIssued(_) => of_new(&billing.invoices, reach),
            EventData::InvoicePaid(data) => of(&billing.invoices, &data.invoice, reach),
            EventData::SentimentSet(_) => match reach {
                Reach::State => u64::from(self.profile.sentiment.is_empty()),
                Reach::List | Reach::Entries => self.profile.sentiment.warm(),
            },
            EventData::UsageCounted(_)
            | EventData::UsageMeasured(_)
            | EventData::UsageDaySet(_)
            | EventData::IncidentStarted(_)
            | EventData::IncidentEnded(_)
            | EventData::InvoiceVoided(_)
            | EventData::PaymentFailed(_)
            | EventData::Charged(_)
            | EventData::Refunded(_)
            | EventData::QuotaSet(_)
            | EventData::PaymentPlanSet(_)
            | EventData::ClientSet(_)
            | EventData::NpsAnswered(_)
            | EventData::Contacted(_)
            | EventData::MilestoneReached(_)
            | EventData::ContactSet(_)
            | EventData::OverrideSet(_)
            | EventData::ChurnReasonSet(_)
            | EventData::MergedInto(_)
            | EventData::ClientErased(_)
            | EventData::Retracted(_) => 0,
        };
        // Every event asks whether its client is erased, which stands apart from the lists.
        list.wrapping_add(u64::from(self.erased))
    }
}

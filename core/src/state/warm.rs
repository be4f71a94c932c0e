//! Reading ahead: so that the waits for the memory of several clients overlap. No answer depends on it.

use super::ClientState;
use super::billing::InvoiceChange;
use super::support::TicketChange;
use crate::event::EventData;
use crate::event::billing::Status;
use crate::keyed::Keyed;
use crate::timeline::Timeline;

/// How far into a state somebody reads ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    State,
    List,
    Entries,
}

impl Reach {
    /// One after the other.
    pub(crate) const ALL: [Self; 3] = [Self::State, Self::List, Self::Entries];
}

/// A number of the first and of the last entry, and of their values, which may stand in other lines of memory: most lists have
/// few between them.
fn of_entries<T>(entries: &Timeline<T>, value: impl Fn(&T) -> u64) -> u64 {
    let ends = [entries.first(), entries.entries().last()];
    let numbers = ends.into_iter().flatten().map(|entry| {
        let at = entry.at().micros().cast_unsigned();
        at.wrapping_add(value(&entry.value))
    });
    numbers.fold(0, u64::wrapping_add)
}

fn of_lists<K: Ord, T>(lists: &Keyed<K, Timeline<T>>, reach: Reach, value: impl Fn(&T) -> u64) -> u64 {
    match reach {
        Reach::State => lists.len() as u64,
        Reach::List => lists.values().map(|list| u64::from(list.is_empty())).sum(),
        Reach::Entries => lists.values().fold(0, |sum, list| sum.wrapping_add(of_entries(list, &value))),
    }
}

impl ClientState {
    /// A number of each place that a score reads, of which the caller makes nothing: of several clients first those of their
    /// states, then of their lists, then of what the lists hold. So the processor waits for the places of all of them at the
    /// same time, where it would wait for one after the other.
    pub(crate) fn warm(&self, reach: Reach) -> u64 {
        let Self { usage, support, billing, profile, retractions, erased, .. } = self;
        let of_usage = match reach {
            Reach::State => usage.first_day().map_or(0, |first| u64::from(first.number().unsigned_abs())),
            Reach::List => usage.warm_lists(),
            Reach::Entries => usage.warm(),
        };
        let of_sentiment = match reach {
            Reach::State => u64::from(profile.sentiment.is_empty() || retractions.is_empty())
                .wrapping_add(u64::from(*erased)),
            Reach::List => 0,
            Reach::Entries => {
                of_entries(&profile.sentiment, |judged| judged.value.quantity().micros().cast_unsigned())
            }
        };
        let tickets =
            of_lists(&support.tickets, reach, |change| u64::from(*change == TicketChange::Resolved));
        let invoices = of_lists(&billing.invoices, reach, |change| u64::from(*change == InvoiceChange::Paid));
        let lists = [of_usage, of_sentiment, tickets, self.warm_contracts(reach), invoices];
        lists.into_iter().fold(0, u64::wrapping_add)
    }

    /// The same of what a question about revenue reads.
    pub(crate) fn warm_contracts(&self, reach: Reach) -> u64 {
        of_lists(&self.billing.subscriptions, reach, |state| u64::from(state.status == Status::Active))
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
                Reach::List => lists.last().map_or(0, |last| u64::from(last.is_empty())),
                Reach::Entries => 0,
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

//! How many things a client may have.

use super::ClientState;
use crate::active::MAX_USERS;
use crate::event::borrowed::BorrowedEvent;
use crate::event::{EventCode, EventData, EventError};
use crate::id::UserId;
use crate::keyed::Keyed;
use serde::{Deserialize, Serialize};

/// How many distinct things a client may have: the one refusal, beside conflicts and seals, that depends on what came
/// first. Counted over all time, so that the answer does not depend on when one asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Metrics and gauges together.
    pub metrics: u32,
    /// Of each kind of thing with an id: subscriptions, tickets, invoices, and everything else a client has several of.
    pub ids: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { metrics: 10_000, ids: 65_535 }
    }
}

/// What an event would be one too many of.
struct TooMany {
    what: &'static str,
    limit: usize,
}

impl ClientState {
    /// Whether an event would be one thing too many.
    pub(crate) fn check_limits(&self, event: &BorrowedEvent<'_>, limits: Limits) -> Result<(), EventError> {
        self.room_for(event, limits).map_err(|TooMany { what, limit }| {
            let message =
                format!("client `{}` has {limit} {what}, which is the most it may have", event.subject);
            EventError::whole(EventCode::LimitExceeded, message)
        })
    }

    fn room_for(&self, event: &BorrowedEvent<'_>, limits: Limits) -> Result<(), TooMany> {
        let (billing, support, profile) = (&self.billing, &self.support, &self.profile);
        let ids = limits.ids as usize;
        match event.data {
            EventData::UsageCounted(data) => {
                let known = self.usage.metric(data.metric.as_str()).is_some();
                self.room_for_usage(known, data.user.as_slice(), limits)
            }
            EventData::UsageMeasured(data) => {
                let known = self.usage.gauge(data.metric.as_str()).is_some();
                self.room_for_usage(known, data.user.as_slice(), limits)
            }
            EventData::UsageDaySet(data) => {
                let known = self.usage.metric(data.metric.as_str()).is_some();
                let users = data.users.as_ref().map(|users| users.as_slice()).unwrap_or_default();
                self.room_for_usage(known, users, limits)
            }
            EventData::TicketOpened(data) => one_more("tickets", &support.tickets, &data.ticket, ids),
            EventData::TicketReplied(data) => one_more("tickets", &support.tickets, &data.ticket, ids),
            EventData::TicketUpdated(data) => one_more("tickets", &support.tickets, &data.ticket, ids),
            EventData::TicketResolved(data) => one_more("tickets", &support.tickets, &data.ticket, ids),
            EventData::TicketReopened(data) => one_more("tickets", &support.tickets, &data.ticket, ids),
            EventData::TicketRated(data) => one_more("tickets", &support.tickets, &data.ticket, ids),
            EventData::IncidentStarted(data) => {
                one_more("incidents", &support.incidents, &data.incident, ids)
            }
            EventData::IncidentEnded(data) => one_more("incidents", &support.incidents, &data.incident, ids),
            EventData::SubscriptionSet(data) => {
                one_more("subscriptions", &billing.subscriptions, &data.subscription, ids)
            }
            EventData::InvoiceIssued(data) => one_more("invoices", &billing.invoices, &data.invoice, ids),
            EventData::InvoicePaid(data) => one_more("invoices", &billing.invoices, &data.invoice, ids),
            EventData::InvoiceVoided(data) => one_more("invoices", &billing.invoices, &data.invoice, ids),
            EventData::Charged(data) => one_more("charges", &billing.more.charges, &data.charge, ids),
            EventData::Refunded(data) => one_more("refunds", &billing.more.refunds, &data.refund, ids),
            EventData::QuotaSet(data) => one_more("quotas", &billing.more.quotas, &data.metric, ids),
            EventData::PaymentPlanSet(data) => {
                one_more("payment plans", &billing.more.payment_plans, &data.plan_id, ids)
            }
            EventData::MilestoneReached(data) => {
                one_more("milestones", &profile.more.milestones, &data.milestone, ids)
            }
            EventData::ContactSet(data) => one_more("contacts", &profile.more.contacts, &data.contact, ids),
            EventData::ClientSet(data) => {
                let new = data
                    .attributes
                    .iter()
                    .filter(|(key, _)| profile.stated.attributes.get(*key).is_none())
                    .count();
                at_most("attributes", profile.stated.attributes.len(), new, ids)
            }
            EventData::PaymentFailed(_)
            | EventData::SentimentSet(_)
            | EventData::NpsAnswered(_)
            | EventData::Contacted(_)
            | EventData::OverrideSet(_)
            | EventData::ChurnReasonSet(_)
            | EventData::MergedInto(_)
            | EventData::ClientErased(_)
            | EventData::Retracted(_) => Ok(()),
        }
    }

    fn room_for_usage(&self, metric_known: bool, users: &[UserId], limits: Limits) -> Result<(), TooMany> {
        if !metric_known {
            at_most("metrics", self.usage.metric_count(), 1, limits.metrics as usize)?;
        }
        // Far from the limit nobody counts who is new.
        if self.usage.users().len() + users.len() > MAX_USERS {
            let new = users.iter().filter(|user| self.usage.users().find(user.as_str()).is_none()).count();
            at_most("users", self.usage.users().len(), new, MAX_USERS)?;
        }
        Ok(())
    }
}

fn at_most(what: &'static str, have: usize, new: usize, limit: usize) -> Result<(), TooMany> {
    if new > 0 && have + new > limit { Err(TooMany { what, limit }) } else { Ok(()) }
}

fn one_more<K: Ord, V>(
    what: &'static str,
    keyed: &Keyed<K, V>,
    key: &K,
    limit: usize,
) -> Result<(), TooMany> {
    // The common path: far from the limit there is nothing to look up.
    if keyed.len() < limit {
        Ok(())
    } else {
        at_most(what, keyed.len(), usize::from(keyed.get(key).is_none()), limit)
    }
}

//! What we know about a client: the fold of its events.
//!
//! State is a function of the *set* of events. Everything is kept in one of two shapes, timelines and calendar-day cells, in
//! which the order of arrival cannot show. Folding never fails: what is odd is kept as it is.
//!
//! `docs/decisions/0001-state.md` says why the shapes are as they are.

pub(crate) mod anomaly;
pub(crate) mod billing;
pub(crate) mod client;
pub(crate) mod history;
pub(crate) mod limits;
pub(crate) mod run_rate;
pub(crate) mod support;
pub(crate) mod usage;
pub(crate) mod users;
pub(crate) mod warm;

use crate::event::borrowed::BorrowedEvent;
use crate::event::{EventData, EventKind};
use crate::id::{ClientId, EventRef};
use crate::rare::Apart;
use crate::time::{Day, Instant};
use crate::timeline::{Entry, Stamp, Timeline};
use crate::zone::Zone;
use billing::{BillingState, FailedPayment, InvoiceChange, Payment, Quota, Refund, Subscription};
use client::Profile;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use support::{IncidentChange, SupportState, TicketChange};
use usage::UsageState;

/// An event taken back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Retraction {
    pub(crate) target: EventRef,
    pub(crate) kind: EventKind,
}

/// Everything known from the events of one subject, before merges and retractions are looked at.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ClientState {
    pub(crate) usage: UsageState,
    pub(crate) support: SupportState,
    pub(crate) billing: BillingState,
    pub(crate) profile: Profile,
    /// The clients this one was said to be part of.
    pub(crate) merges: Apart<Timeline<ClientId>>,
    pub(crate) retractions: Apart<Timeline<Retraction>>,
    /// Nothing personal is kept, whenever it came.
    pub(crate) erased: bool,
}

impl ClientState {
    /// Takes in one event of this client.
    pub(crate) fn fold(&mut self, event: &BorrowedEvent<'_>, zone: &Zone) {
        let personal = !self.erased;
        let stamp = || Stamp::of(event);
        let ticket = |mut change: TicketChange| {
            if !personal {
                change.strip();
            }
            change
        };
        match event.data {
            EventData::UsageCounted(data) => self.usage.counted(event, data, personal, zone),
            EventData::UsageMeasured(data) => self.usage.measured(event, data, personal, zone),
            EventData::UsageDaySet(data) => self.usage.day_set(event, data, personal),
            EventData::TicketOpened(data) => {
                let change =
                    TicketChange::Opened { priority: data.priority, topic: data.topic.clone().map(Box::new) };
                self.support.tickets.entry(&data.ticket).insert(stamp(), ticket(change));
            }
            EventData::TicketReplied(data) => {
                self.support.tickets.entry(&data.ticket).insert(stamp(), TicketChange::Replied(data.by));
            }
            EventData::TicketUpdated(data) => {
                let change = TicketChange::Updated {
                    priority: data.priority,
                    topic: data.topic.0.clone().map(Box::new),
                };
                self.support.tickets.entry(&data.ticket).insert(stamp(), ticket(change));
            }
            EventData::TicketResolved(data) => {
                self.support.tickets.entry(&data.ticket).insert(stamp(), TicketChange::Resolved);
            }
            EventData::TicketReopened(data) => {
                self.support.tickets.entry(&data.ticket).insert(stamp(), TicketChange::Reopened);
            }
            EventData::TicketRated(data) => {
                let change = TicketChange::Rated(data.rating.value());
                self.support.tickets.entry(&data.ticket).insert(stamp(), change);
            }
            EventData::IncidentStarted(data) => {
                let (severity, component, planned) = (data.severity, data.component.clone(), data.planned);
                let change = IncidentChange { running: true, severity, component, planned };
                self.support.incidents.make().entry(&data.incident).insert(stamp(), change);
            }
            EventData::IncidentEnded(data) => {
                let (severity, component, planned) = (data.severity, data.component.clone(), data.planned);
                let change = IncidentChange { running: false, severity, component, planned };
                self.support.incidents.make().entry(&data.incident).insert(stamp(), change);
            }
            EventData::SubscriptionSet(data) => {
                let state = Subscription::of(data, personal);
                self.billing.subscriptions.entry(&data.subscription).insert(stamp(), state);
            }
            EventData::InvoiceIssued(data) => {
                self.billing.invoices.entry(&data.invoice).insert(stamp(), InvoiceChange::issued(data));
            }
            EventData::InvoicePaid(data) => {
                self.billing.invoices.entry(&data.invoice).insert(stamp(), InvoiceChange::Paid);
            }
            EventData::InvoiceVoided(data) => {
                self.billing.invoices.entry(&data.invoice).insert(stamp(), InvoiceChange::Voided);
            }
            EventData::PaymentFailed(data) => {
                self.billing.more.make().failed.insert(stamp(), FailedPayment::of(data, personal))
            }
            EventData::Charged(data) => {
                self.billing.more.make().charges.entry(&data.charge).insert(stamp(), Payment::charged(data));
            }
            EventData::Refunded(data) => {
                self.billing.more.make().refunds.entry(&data.refund).insert(stamp(), Refund::of(data));
            }
            EventData::QuotaSet(data) => {
                self.billing.more.make().quotas.entry(&data.metric).insert(stamp(), Quota::of(data))
            }
            EventData::PaymentPlanSet(data) => {
                self.billing.more.make().payment_plans.entry(&data.plan_id).insert(stamp(), data.until);
            }
            EventData::ClientSet(data) => self.profile.stated.make().set(&stamp(), data, personal),
            EventData::SentimentSet(data) => self.profile.sentiment(stamp(), data, personal),
            EventData::NpsAnswered(data) => self.profile.nps(stamp(), data, personal),
            EventData::Contacted(data) => self.profile.contacted(stamp(), data, personal),
            EventData::MilestoneReached(data) => {
                self.profile.more.make().milestones.entry(&data.milestone).insert(stamp(), ());
            }
            EventData::ContactSet(data) => {
                if personal {
                    self.profile.contact(stamp(), data);
                }
            }
            EventData::OverrideSet(data) => self.profile.overridden(stamp(), data, personal),
            EventData::ChurnReasonSet(data) => self.profile.churn_reason(stamp(), data, personal),
            EventData::MergedInto(data) => self.merges.make().insert(stamp(), data.into.clone()),
            EventData::ClientErased(_) => self.erase(),
            EventData::Retracted(data) => {
                let target = EventRef { source: data.source.clone(), id: data.id.clone() };
                self.retractions.make().insert(stamp(), Retraction { target, kind: data.r#type.kind() });
            }
        }
    }

    /// Drops everything personal, and keeps it out from now on.
    pub(crate) fn erase(&mut self) {
        self.erased = true;
        self.usage.erase();
        self.support.erase();
        self.billing.erase();
        self.profile.erase();
    }

    /// Takes in what another engine holds of the same subject.
    pub(crate) fn join(&mut self, other: Self) {
        let Self { usage, support, billing, profile, merges, retractions, erased } = other;
        self.usage.join(usage);
        self.support.join(support);
        self.billing.join(billing);
        self.profile.join(profile);
        self.merges.join(merges, Timeline::join);
        self.retractions.join(retractions, Timeline::join);
        if erased || self.erased {
            self.erase();
        }
    }

    /// Takes in what is known of a subject that was merged into this one; for reading.
    pub(crate) fn absorb(&mut self, other: Self) {
        let Self { usage, support, billing, profile, merges, retractions, erased: _ } = other;
        self.usage.absorb(usage);
        self.support.join(support);
        self.billing.join(billing);
        self.profile.join(profile);
        self.merges.join(merges, Timeline::join);
        self.retractions.join(retractions, Timeline::join);
    }

    /// The clients this one was said to be part of, to name them anew.
    pub(crate) fn merges_mut(&mut self) -> impl Iterator<Item = &mut ClientId> {
        self.merges.made().into_iter().flat_map(Timeline::values_mut)
    }

    /// Leaves out the merges that were taken back: by this subject only, so before it becomes one with others.
    pub(crate) fn retract_merges(&mut self) {
        let Self { merges, retractions, .. } = self;
        let taken = merges_taken_back(retractions);
        merges.made().into_iter().for_each(|merges| merges.retain(|stamp| !taken.contains(&stamp.names())));
    }

    /// Leaves out what was taken back, except merges: see [`ClientState::retract_merges`].
    pub(crate) fn apply_retractions(&mut self) {
        if self.retractions.is_empty() {
            return;
        }
        let mut taken: Vec<Retraction> =
            self.retractions.entries().iter().map(|entry| entry.value.clone()).collect();
        taken.sort_unstable();
        let stands = |stamp: &Stamp, kind: EventKind| {
            let (source, id) = stamp.names();
            let key = |Retraction { target, kind: of_kind }: &Retraction| {
                (target.source.as_str(), target.id.as_str(), *of_kind).cmp(&(source, id, kind))
            };
            taken.binary_search_by(key).is_err()
        };
        self.billing.retain(&stands);
        self.profile.retain(&stands);
    }

    /// Whether a retraction of this subject speaks of an event.
    pub(crate) fn takes_back(&self, event: &BorrowedEvent<'_>) -> bool {
        self.retractions.entries().iter().any(|retraction| {
            let Retraction { target, kind } = &retraction.value;
            *kind == event.kind() && target.id.as_str() == event.id && target.source.as_str() == event.source
        })
    }

    /// The client this one was last said to be part of, if that was not taken back.
    pub(crate) fn merged_into(&self, own: &ClientId) -> Option<&ClientId> {
        // A merge into itself has no effect: it is not the last that counts either.
        let taken = merges_taken_back(&self.retractions);
        let stands = |entry: &&Entry<ClientId>| entry.value != *own && !taken.contains(&entry.stamp.names());
        self.merges.entries().iter().rev().find(stands).map(|entry| &entry.value)
    }

    /// Shows the stamp of every entry, family by family.
    pub(crate) fn visit_stamps(&self, see: &mut dyn FnMut(&Stamp)) {
        fn timeline<T>(timeline: &Timeline<T>, see: &mut dyn FnMut(&Stamp)) {
            timeline.entries().iter().for_each(|entry| see(&entry.stamp));
        }
        fn keyed<K: Ord, T>(keyed: &crate::keyed::Keyed<K, Timeline<T>>, see: &mut dyn FnMut(&Stamp)) {
            keyed.values().for_each(|entries| timeline(entries, see));
        }
        self.usage.visit_stamps(see);
        keyed(&self.support.tickets, see);
        keyed(&self.support.incidents, see);
        keyed(&self.billing.subscriptions, see);
        keyed(&self.billing.invoices, see);
        timeline(&self.billing.more.failed, see);
        keyed(&self.billing.more.charges, see);
        keyed(&self.billing.more.refunds, see);
        keyed(&self.billing.more.quotas, see);
        keyed(&self.billing.more.payment_plans, see);
        timeline(&self.profile.stated.sets, see);
        timeline(&self.profile.sentiment, see);
        timeline(&self.profile.more.nps, see);
        timeline(&self.profile.more.contacted, see);
        keyed(&self.profile.more.milestones, see);
        keyed(&self.profile.more.contacts, see);
        timeline(&self.profile.more.overrides, see);
        timeline(&self.profile.more.churn_reasons, see);
        timeline(&self.merges, see);
        timeline(&self.retractions, see);
    }

    /// The first event, usage aside by its time and not its day.
    pub(crate) fn first_event(&self) -> Option<Instant> {
        let firsts = [
            self.usage.first_time(),
            self.support.first_ticket(),
            self.support.first_incident(),
            self.billing.first_event(),
            self.profile.first_event(),
            self.merges.first().map(Entry::at),
        ];
        firsts.into_iter().flatten().min()
    }

    /// The first day with any event.
    pub(crate) fn first_day(&self, zone: &Zone) -> Option<Day> {
        let event = self.first_event().map(|instant| zone.day(instant));
        [event, self.usage.first_day()].into_iter().flatten().min()
    }

    /// Gives up detail before a day.
    pub(crate) fn seal(&mut self, before: Day) {
        self.usage.seal(before);
    }
}

/// The merges that some retraction takes back.
fn merges_taken_back(retractions: &Timeline<Retraction>) -> BTreeSet<(&str, &str)> {
    let retractions = retractions.entries().iter().map(|entry| &entry.value);
    let of_merges = retractions.filter(|retraction| retraction.kind == EventKind::MergedInto);
    of_merges.map(|Retraction { target, .. }| (target.source.as_str(), target.id.as_str())).collect()
}

//! Oddities: events that were taken as they are, but do not fit the others. Worked out from the state when asked for, so
//! the order of arrival does not show here either.

use super::ClientState;
use super::billing::InvoiceChange;
use super::support::TicketChange;
use crate::event::EventKind;
use crate::event::billing::Status;
use crate::id::{ClientId, EventRef};
use crate::timeline::{Stamp, Timeline};
use crate::zone::Zone;
use serde::Serialize;
use std::collections::BTreeMap;

/// One oddity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Anomaly {
    /// A stable slug.
    pub kind: &'static str,
    /// What it is about.
    pub about: String,
    /// What does not fit.
    pub message: String,
    /// The event.
    pub event: Option<EventRef>,
}

fn anomaly(kind: &'static str, about: &str, message: impl Into<String>, stamp: Option<&Stamp>) -> Anomaly {
    Anomaly { kind, about: about.to_owned(), message: message.into(), event: stamp.map(Stamp::event) }
}

/// The oddities of one client, made of the states of its subjects with everything that was taken back still in them.
pub(crate) fn anomalies(id: &ClientId, subjects: &[(&ClientId, &ClientState)], zone: &Zone) -> Vec<Anomaly> {
    let (mut found, mut whole) = (Vec::new(), ClientState::default());
    for (subject, state) in subjects {
        // Roll-ups are told apart only within their own subject, and so is who was merged into whom.
        state.roll_up_anomalies(&mut found, zone);
        state.merge_anomalies(&mut found, subject, id);
        whole.absorb((*state).clone());
    }
    whole.support_anomalies(&mut found);
    whole.billing_anomalies(&mut found, zone);
    whole.retraction_anomalies(&mut found);
    for (contact, changes) in whole.profile.more.contacts.iter() {
        if let Some(first) = changes.first().filter(|first| first.value.status.stated().is_none()) {
            let message = "the first that is stated about this contact leaves out its status";
            found.push(anomaly("contact_without_status", contact.as_str(), message, Some(&first.stamp)));
        }
    }
    found.sort_unstable();
    found
}

impl ClientState {
    fn roll_up_anomalies(&self, found: &mut Vec<Anomaly>, zone: &Zone) {
        for (metric, day, stamp) in self.usage.roll_ups() {
            if day > zone.day(stamp.at()) {
                let message = format!("a roll-up states {day} before that day has come");
                found.push(anomaly("day_set_in_the_future", metric.as_str(), message, Some(stamp)));
            }
        }
    }

    /// Merges of a subject that lead back to itself. Of a circle that is the merge of the id that stands all the same.
    fn merge_anomalies(&self, found: &mut Vec<Anomaly>, own: &ClientId, standing: &ClientId) {
        let circle = self.merged_into(own).filter(|_| own == standing);
        for merge in self.merges.entries().iter() {
            if merge.value == *own || circle == Some(&merge.value) {
                let message = "this client takes part in a merge into itself, directly or by a cycle";
                found.push(anomaly("merged_into_itself", own.as_str(), message, Some(&merge.stamp)));
            }
        }
    }

    fn support_anomalies(&self, found: &mut Vec<Anomaly>) {
        for (ticket, changes) in self.support.tickets.iter() {
            let opened =
                changes.entries().iter().any(|entry| matches!(entry.value, TicketChange::Opened { .. }));
            if let Some(first) = changes.first().filter(|_| !opened) {
                let message = "this ticket was never opened, so it counts nowhere";
                found.push(anomaly("ticket_never_opened", ticket.as_str(), message, Some(&first.stamp)));
            }
        }
        for (incident, changes) in self.support.incidents.iter() {
            let start = changes.entries().iter().find(|entry| entry.value.running).map(|entry| entry.at());
            let early = |at| start.is_none_or(|start| at < start);
            for entry in changes.entries().iter().filter(|entry| !entry.value.running && early(entry.at())) {
                let message = "this incident ended before it started";
                found.push(anomaly(
                    "incident_end_without_start",
                    incident.as_str(),
                    message,
                    Some(&entry.stamp),
                ));
            }
        }
    }

    fn billing_anomalies(&self, found: &mut Vec<Anomaly>, zone: &Zone) {
        for (invoice, changes) in self.billing.invoices.iter() {
            let issued =
                changes.entries().iter().any(|entry| matches!(entry.value, InvoiceChange::Issued { .. }));
            if let Some(first) = changes.first().filter(|_| !issued) {
                let message = "this invoice was never issued";
                found.push(anomaly("invoice_never_issued", invoice.as_str(), message, Some(&first.stamp)));
            }
        }
        for (subscription, states) in self.billing.subscriptions.iter() {
            for (before, after) in states.entries().iter().zip(states.entries().iter().skip(1)) {
                let over = before.value.ends_at(zone).is_some_and(|end| end <= after.at());
                if over && after.value.status != Status::Cancelled {
                    let message =
                        "a state came after the subscription had ended by its `cancel_at`, and revives it";
                    found.push(anomaly(
                        "revived_after_cancel_at",
                        subscription.as_str(),
                        message,
                        Some(&after.stamp),
                    ));
                }
            }
        }
    }

    /// Retractions that take nothing back, and why.
    fn retraction_anomalies(&self, found: &mut Vec<Anomaly>) {
        if self.retractions.is_empty() {
            return;
        }
        let mut kinds: BTreeMap<EventRef, EventKind> = BTreeMap::new();
        self.visit_retractable(&mut |stamp, kind| {
            kinds.insert(stamp.event(), kind);
        });
        for retraction in self.retractions.entries() {
            let (target, kind) = (&retraction.value.target, retraction.value.kind);
            let message = match kinds.get(target) {
                Some(of) if *of == kind => continue,
                Some(of) => format!("nothing is taken back: the event is a {of}, not a {kind}"),
                None => "nothing is taken back: this client has no such event".to_owned(),
            };
            found.push(anomaly(
                "retraction_without_effect",
                target.id.as_str(),
                message,
                Some(&retraction.stamp),
            ));
        }
    }

    /// Shows every entry that can be taken back, with the type of its event.
    fn visit_retractable(&self, see: &mut dyn FnMut(&Stamp, EventKind)) {
        fn each<T>(timeline: &Timeline<T>, kind: EventKind, see: &mut dyn FnMut(&Stamp, EventKind)) {
            timeline.entries().iter().for_each(|entry| see(&entry.stamp, kind));
        }
        let (billing, profile) = (&self.billing, &self.profile);
        billing.subscriptions.values().for_each(|t| each(t, EventKind::SubscriptionSet, see));
        for entry in billing.invoices.values().flat_map(Timeline::entries) {
            see(&entry.stamp, entry.value.kind());
        }
        each(&billing.more.failed, EventKind::PaymentFailed, see);
        billing.more.charges.values().for_each(|t| each(t, EventKind::Charged, see));
        billing.more.refunds.values().for_each(|t| each(t, EventKind::Refunded, see));
        billing.more.quotas.values().for_each(|t| each(t, EventKind::QuotaSet, see));
        billing.more.payment_plans.values().for_each(|t| each(t, EventKind::PaymentPlanSet, see));
        each(&profile.stated.sets, EventKind::ClientSet, see);
        each(&profile.sentiment, EventKind::SentimentSet, see);
        each(&profile.more.nps, EventKind::NpsAnswered, see);
        each(&profile.more.contacted, EventKind::Contacted, see);
        profile.more.milestones.values().for_each(|t| each(t, EventKind::MilestoneReached, see));
        profile.more.contacts.values().for_each(|t| each(t, EventKind::ContactSet, see));
        each(&profile.more.overrides, EventKind::OverrideSet, see);
        each(&profile.more.churn_reasons, EventKind::ChurnReasonSet, see);
        each(&self.merges, EventKind::MergedInto, see);
    }
}

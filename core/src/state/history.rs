//! What happened to a client, as the state still knows it: a row for every event that is kept, and one for each day and
//! metric of usage, which is not kept event by event.

use super::ClientState;
use super::billing::InvoiceChange;
use super::support::TicketChange;
use crate::event::support::ReplyBy;
use crate::event::{Attribute, EventKind};
use crate::id::EventRef;
use crate::quantity::Quantity;
use crate::time::{Day, Instant};
use crate::timeline::{Entry, Stamp, Timeline};
use crate::zone::Zone;
use serde::Serialize;
use std::collections::BTreeMap;

/// One thing that happened to a client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct HistoryRow {
    /// When; for usage the first instant of its day.
    pub at: Instant,
    /// The type of the event; for usage `usage.counted` or `usage.measured`.
    pub kind: &'static str,
    /// What it is about: a subscription, a ticket, a metric.
    pub about: Option<String>,
    /// What was stated, in a few words.
    pub what: String,
    /// The calendar day of usage.
    pub day: Option<Day>,
    /// The event, where it is kept by itself.
    pub event: Option<EventRef>,
}

/// Collects the rows of a stretch of time.
struct Rows {
    start: Instant,
    end: Instant,
    rows: Vec<HistoryRow>,
}

impl Rows {
    fn add(&mut self, stamp: &Stamp, kind: EventKind, about: Option<&str>, what: String) {
        if self.start <= stamp.at() && stamp.at() < self.end {
            let (at, kind, about) = (stamp.at(), kind.as_str(), about.map(str::to_owned));
            self.rows.push(HistoryRow { at, kind, about, what, day: None, event: Some(stamp.event()) });
        }
    }

    fn each<T>(
        &mut self,
        of: &Timeline<T>,
        kind: EventKind,
        about: Option<&str>,
        what: impl Fn(&T) -> String,
    ) {
        for entry in of.entries() {
            self.add(&entry.stamp, kind, about, what(&entry.value));
        }
    }
}

fn join(words: &[Option<String>]) -> String {
    words.iter().flatten().cloned().collect::<Vec<_>>().join(" ")
}

fn text<T: std::fmt::Display>(value: Option<&T>) -> Option<String> {
    value.map(ToString::to_string).filter(|text| !text.is_empty())
}

impl ClientState {
    /// The rows of [start, end), in order of time.
    pub(crate) fn history(&self, start: Instant, end: Instant, zone: &Zone) -> Vec<HistoryRow> {
        let mut rows = Rows { start, end, rows: Vec::new() };
        self.usage_rows(&mut rows, zone);
        self.support_rows(&mut rows);
        self.billing_rows(&mut rows);
        self.profile_rows(&mut rows);
        rows.each(&self.merges, EventKind::MergedInto, None, |into| format!("part of {into}"));
        rows.each(&self.retractions, EventKind::Retracted, None, |retraction| {
            let target = &retraction.target;
            format!("takes back {} `{}` of `{}`", retraction.kind, target.id, target.source)
        });
        let mut rows = rows.rows;
        rows.sort_unstable();
        rows
    }

    fn usage_rows(&self, rows: &mut Rows, zone: &Zone) {
        let (first, last) = (zone.day(rows.start), zone.day(rows.end.just_before()));
        let mut row = |kind: EventKind, metric: &str, day: Day, what: String| {
            let (at, kind, about) = (zone.start_of(day), kind.as_str(), Some(metric.to_owned()));
            rows.rows.push(HistoryRow { at, kind, about, what, day: Some(day), event: None });
        };
        for (metric, used) in self.usage.metrics() {
            for (day, micros) in used.sums().days(first, last) {
                let amount = i64::try_from(micros).ok().and_then(Quantity::from_micros);
                let amount =
                    amount.map_or_else(|| format!("{micros} millionths"), |amount| amount.to_string());
                row(EventKind::UsageCounted, metric.as_str(), day, amount);
            }
        }
        for (metric, days) in self.usage.gauges() {
            for cell in days.range(first, last) {
                let what = format!("{} samples, last {}", cell.value.count, cell.value.last);
                row(EventKind::UsageMeasured, metric.as_str(), cell.key, what);
            }
        }
    }

    fn support_rows(&self, rows: &mut Rows) {
        for (ticket, changes) in self.support.tickets.iter() {
            for entry in changes.entries() {
                let (kind, what) = match &entry.value {
                    TicketChange::Opened { priority, topic } => {
                        let priority = priority.map(|priority| priority.as_str().to_owned());
                        (EventKind::TicketOpened, join(&[priority, text(topic.as_deref())]))
                    }
                    TicketChange::Updated { priority, topic } => {
                        let priority = priority.map(|priority| priority.as_str().to_owned());
                        (EventKind::TicketUpdated, join(&[priority, text(topic.as_deref())]))
                    }
                    TicketChange::Replied(ReplyBy::Agent) => {
                        (EventKind::TicketReplied, "by an agent".to_owned())
                    }
                    TicketChange::Replied(ReplyBy::Client) => {
                        (EventKind::TicketReplied, "by the client".to_owned())
                    }
                    TicketChange::Resolved => (EventKind::TicketResolved, String::new()),
                    TicketChange::Reopened => (EventKind::TicketReopened, String::new()),
                    TicketChange::Rated(rating) => (EventKind::TicketRated, rating.to_string()),
                };
                rows.add(&entry.stamp, kind, Some(ticket.as_str()), what);
            }
        }
        for (incident, changes) in self.support.incidents.iter() {
            for entry in changes.entries() {
                let kind =
                    if entry.value.running { EventKind::IncidentStarted } else { EventKind::IncidentEnded };
                let severity = entry.value.severity.map(|severity| severity.as_str().to_owned());
                let planned = entry.value.planned.unwrap_or(false).then(|| "planned".to_owned());
                let what = join(&[severity, text(entry.value.component.as_ref()), planned]);
                rows.add(&entry.stamp, kind, Some(incident.as_str()), what);
            }
        }
    }

    fn billing_rows(&self, rows: &mut Rows) {
        let billing = &self.billing;
        for (subscription, states) in billing.subscriptions.iter() {
            rows.each(states, EventKind::SubscriptionSet, Some(subscription.as_str()), |state| {
                let terms = state.terms.map(|terms| format!("{} {}", terms.amount, terms.currency));
                join(&[Some(state.status.as_str().to_owned()), terms, text(state.more.plan.as_ref())])
            });
        }
        for (invoice, changes) in billing.invoices.iter() {
            for entry in changes.entries() {
                let what = match &entry.value {
                    InvoiceChange::Issued { amount, currency, .. } => format!("{amount} {currency}"),
                    InvoiceChange::Paid | InvoiceChange::Voided => String::new(),
                };
                rows.add(&entry.stamp, entry.value.kind(), Some(invoice.as_str()), what);
            }
        }
        rows.each(&billing.more.failed, EventKind::PaymentFailed, None, |failed| {
            join(&[text(failed.invoice.as_ref()), text(failed.reason.as_ref())])
        });
        for (charge, paid) in billing.more.charges.iter() {
            rows.each(paid, EventKind::Charged, Some(charge.as_str()), |p| {
                format!("{} {}", p.amount, p.currency)
            });
        }
        for (refund, paid) in billing.more.refunds.iter() {
            rows.each(paid, EventKind::Refunded, Some(refund.as_str()), |p| {
                format!("{} {}", p.amount, p.currency)
            });
        }
        for (metric, quotas) in billing.more.quotas.iter() {
            rows.each(quotas, EventKind::QuotaSet, Some(metric.as_str()), |q| {
                q.included.quantity().to_string()
            });
        }
        for (plan, untils) in billing.more.payment_plans.iter() {
            rows.each(untils, EventKind::PaymentPlanSet, Some(plan.as_str()), |_| String::new());
        }
    }

    fn profile_rows(&self, rows: &mut Rows) {
        let profile = &self.profile;
        let stated = self.stated_fields();
        for entry in profile.stated.sets.entries() {
            let what = stated.get(&entry.stamp.event()).map(|fields| fields.join(", ")).unwrap_or_default();
            rows.add(&entry.stamp, EventKind::ClientSet, None, what);
        }
        rows.each(&profile.sentiment, EventKind::SentimentSet, None, |said| {
            said.value.quantity().to_string()
        });
        rows.each(&profile.more.nps, EventKind::NpsAnswered, None, |answer| answer.score.to_string());
        rows.each(&profile.more.contacted, EventKind::Contacted, None, |contact| {
            let outcome = contact.outcome.map(|outcome| outcome.as_str().to_owned());
            join(&[Some(format!("by {}", contact.by.as_str())), outcome])
        });
        for (milestone, reached) in profile.more.milestones.iter() {
            rows.each(reached, EventKind::MilestoneReached, Some(milestone.as_str()), |()| String::new());
        }
        for (contact, changes) in profile.more.contacts.iter() {
            rows.each(changes, EventKind::ContactSet, Some(contact.as_str()), |change| {
                change.status.stated().flatten().map(|status| status.as_str().to_owned()).unwrap_or_default()
            });
        }
        rows.each(&profile.more.overrides, EventKind::OverrideSet, None, |standing| {
            format!("{} {}", standing.kind.as_str(), standing.value.quantity())
        });
        rows.each(&profile.more.churn_reasons, EventKind::ChurnReasonSet, None, |reason| {
            text(reason.reason.as_ref()).unwrap_or_default()
        });
    }

    /// What each `client.set` stated.
    fn stated_fields(&self) -> BTreeMap<EventRef, Vec<String>> {
        fn add<T>(
            all: &mut BTreeMap<EventRef, Vec<String>>,
            name: &str,
            field: &Timeline<Option<T>>,
            show: impl Fn(&T) -> String,
        ) {
            for Entry { stamp, value } in field.entries() {
                let value = value.as_ref().map_or_else(|| "nothing".to_owned(), &show);
                all.entry(stamp.event()).or_default().push(format!("{name} {value}"));
            }
        }
        let (mut all, profile) = (BTreeMap::new(), &self.profile);
        add(&mut all, "name", &profile.stated.name, ToString::to_string);
        add(&mut all, "owner", &profile.stated.owner, ToString::to_string);
        add(&mut all, "segment", &profile.stated.segment, ToString::to_string);
        add(&mut all, "tags", &profile.stated.tags, |tags| {
            tags.as_slice().iter().map(ToString::to_string).collect::<Vec<_>>().join("+")
        });
        add(&mut all, "parent", &profile.stated.parent, ToString::to_string);
        for (key, values) in profile.stated.attributes.iter() {
            add(&mut all, key.as_str(), values, |value| match value {
                Attribute::Text(text) => text.to_string(),
                Attribute::Number(number) => number.to_string(),
                Attribute::Flag(flag) => flag.to_string(),
            });
        }
        all
    }
}

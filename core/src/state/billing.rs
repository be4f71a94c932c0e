//! What we know of a client's money: what its contracts say at each instant, its invoices and purchases.

use crate::event::billing::{
    Charged, InvoiceIssued, PaymentFailed, QuotaSet, Refunded, Status, SubscriptionSet,
};
use crate::event::{Count, EventKind, Moment, Price};
use crate::id::{ChargeId, InvoiceId, MetricName, PaymentPlanId, RefundId, SubscriptionId, Text};
use crate::keyed::Keyed;
use crate::money::{Amount, Currency, Interval};
use crate::rare::{Apart, Empty};
use crate::time::{Day, Instant};
use crate::timeline::{Entry, Stamp, Timeline};
use crate::zone::Zone;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// What a subscription costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms {
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
    pub(crate) interval: Interval,
}

/// The whole state of a subscription from one instant on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) status: Status,
    /// Absent only where a cancelled state left it out.
    pub(crate) terms: Option<Terms>,
    pub(crate) quantity: Option<Count>,
    pub(crate) seats: Option<Count>,
    pub(crate) more: Apart<MoreTerms>,
}

/// What many states of subscriptions leave out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MoreTerms {
    pub(crate) plan: Option<Text>,
    pub(crate) product: Option<Text>,
    pub(crate) term_end: Option<Moment>,
    pub(crate) trial_end: Option<Moment>,
    pub(crate) cancel_at: Option<Moment>,
    pub(crate) reason: Option<Text>,
}

impl Empty for MoreTerms {
    fn empty() -> &'static Self {
        static EMPTY: MoreTerms = MoreTerms {
            plan: None,
            product: None,
            term_end: None,
            trial_end: None,
            cancel_at: None,
            reason: None,
        };
        &EMPTY
    }
}

impl Subscription {
    pub(crate) fn of(data: &SubscriptionSet, personal: bool) -> Self {
        let terms = match (data.amount, data.currency, data.interval) {
            (Some(amount), Some(currency), Some(interval)) => {
                Some(Terms { amount: amount.amount(), currency, interval })
            }
            _ => None,
        };
        let more = MoreTerms {
            plan: data.plan.clone(),
            product: data.product.clone(),
            term_end: data.term_end,
            trial_end: data.trial_end,
            cancel_at: data.cancel_at,
            reason: data.reason.clone().filter(|_| personal),
        };
        let (quantity, seats) = (data.quantity, data.seats);
        Self { status: data.status, terms, quantity, seats, more: Apart::of(more) }
    }

    /// The instant at which it ends by the clock alone, if its state says so and nothing comes after.
    pub(crate) fn ends_at(&self, zone: &Zone) -> Option<Instant> {
        self.more.cancel_at.and_then(|moment| instant_of(moment, zone))
    }
}

/// The instant a moment stands for: the start of its day for a date. `None` for never.
pub(crate) fn instant_of(moment: Moment, zone: &Zone) -> Option<Instant> {
    match moment {
        Moment::On(day) => Some(zone.start_of(day)),
        Moment::At(instant) => Some(instant),
        Moment::Never => None,
    }
}

/// When an invoice is due, in 8 bytes: there are as many of them as invoices. It is saved as the moment it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Moment", into = "Moment")]
pub(crate) struct DueAt(i64);

impl DueAt {
    const NEVER: i64 = i64::MAX;
    /// Days stand far below all instants: the one in the middle of all days is here.
    const DAY_0: i64 = i64::MIN - i32::MIN as i64;
}

impl From<Moment> for DueAt {
    fn from(moment: Moment) -> Self {
        Self(match moment {
            Moment::On(day) => Self::DAY_0 + i64::from(day.number()),
            Moment::At(instant) => instant.micros(),
            Moment::Never => Self::NEVER,
        })
    }
}

impl From<DueAt> for Moment {
    fn from(DueAt(number): DueAt) -> Self {
        if number == DueAt::NEVER {
            return Self::Never;
        }
        let day = number.checked_sub(DueAt::DAY_0).and_then(|day| i32::try_from(day).ok());
        day.map_or_else(|| Self::At(Instant::clamped(number)), |day| Self::On(Day::from_epoch(day)))
    }
}

/// What happened to an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum InvoiceChange {
    Issued { amount: Amount, currency: Currency, due: DueAt },
    Paid,
    Voided,
}

impl InvoiceChange {
    pub(crate) fn issued(data: &InvoiceIssued) -> Self {
        Self::Issued { amount: data.amount, currency: data.currency, due: data.due.into() }
    }

    pub(crate) fn kind(&self) -> EventKind {
        match self {
            Self::Issued { .. } => EventKind::InvoiceIssued,
            Self::Paid => EventKind::InvoicePaid,
            Self::Voided => EventKind::InvoiceVoided,
        }
    }
}

/// An invoice as of an instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InvoiceAt {
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
    pub(crate) due: Moment,
    pub(crate) paid: bool,
    pub(crate) voided: bool,
}

impl InvoiceAt {
    /// The invoice as last issued by then; `None` if it was not.
    pub(crate) fn of(invoice: &Timeline<InvoiceChange>, at: Instant) -> Option<Self> {
        let mut known: Option<Self> = None;
        let (mut paid, mut voided) = (false, false);
        for entry in invoice.up_to(at) {
            match entry.value {
                InvoiceChange::Issued { amount, currency, due } => {
                    known = Some(Self { amount, currency, due: due.into(), paid: false, voided: false });
                }
                InvoiceChange::Paid => paid = true,
                InvoiceChange::Voided => voided = true,
            }
        }
        known.map(|invoice| Self { paid, voided, ..invoice })
    }
}

/// A payment that did not go through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailedPayment {
    pub(crate) invoice: Option<InvoiceId>,
    pub(crate) attempt: Option<i64>,
    pub(crate) reason: Option<Text>,
}

impl FailedPayment {
    pub(crate) fn of(data: &PaymentFailed, personal: bool) -> Self {
        let reason = data.reason.clone().filter(|_| personal);
        Self { invoice: data.invoice.clone(), attempt: data.attempt, reason }
    }
}

/// Money that changed hands outside subscriptions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payment {
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
}

impl Payment {
    pub(crate) fn charged(data: &Charged) -> Self {
        Self { amount: data.amount.amount(), currency: data.currency }
    }
}

/// Money paid back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
    pub(crate) invoice: Option<InvoiceId>,
    pub(crate) charge: Option<ChargeId>,
}

impl Refund {
    pub(crate) fn of(data: &Refunded) -> Self {
        let (invoice, charge) = (data.invoice.clone(), data.charge.clone());
        Self { amount: data.amount.amount(), currency: data.currency, invoice, charge }
    }
}

/// How much of a metric a month includes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Quota {
    pub(crate) included: Count,
    pub(crate) overage_price: Option<Price>,
    pub(crate) currency: Option<Currency>,
}

impl Quota {
    pub(crate) fn of(data: &QuotaSet) -> Self {
        Self { included: data.included, overage_price: data.overage_price, currency: data.currency }
    }
}

/// A client's contracts and payments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BillingState {
    pub(crate) subscriptions: Keyed<SubscriptionId, Timeline<Subscription>>,
    pub(crate) invoices: Keyed<InvoiceId, Timeline<InvoiceChange>>,
    pub(crate) more: Apart<MoreBilling>,
}

/// What many clients have none of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MoreBilling {
    pub(crate) failed: Timeline<FailedPayment>,
    pub(crate) charges: Keyed<ChargeId, Timeline<Payment>>,
    pub(crate) refunds: Keyed<RefundId, Timeline<Refund>>,
    pub(crate) quotas: Keyed<MetricName, Timeline<Quota>>,
    pub(crate) payment_plans: Keyed<PaymentPlanId, Timeline<Moment>>,
}

impl Empty for MoreBilling {
    fn empty() -> &'static Self {
        static EMPTY: LazyLock<MoreBilling> = LazyLock::new(MoreBilling::default);
        &EMPTY
    }
}

fn first<K: Ord, T>(keyed: &Keyed<K, Timeline<T>>) -> Option<Instant> {
    keyed.values().filter_map(Timeline::first).map(Entry::at).min()
}

impl BillingState {
    pub(crate) fn first_invoice(&self) -> Option<Instant> {
        first(&self.invoices)
    }

    /// The first payment that went through or failed.
    pub(crate) fn first_payment(&self) -> Option<Instant> {
        let changes = self.invoices.values().flat_map(Timeline::entries);
        let paid = changes.filter(|entry| entry.value == InvoiceChange::Paid).map(Entry::at).min();
        [self.more.failed.first().map(Entry::at), paid].into_iter().flatten().min()
    }

    pub(crate) fn first_event(&self) -> Option<Instant> {
        let Self { subscriptions, invoices, more } = self;
        let MoreBilling { failed, charges, refunds, quotas, payment_plans } = &**more;
        let firsts = [
            first(subscriptions),
            first(invoices),
            failed.first().map(Entry::at),
            first(charges),
            first(refunds),
            first(quotas),
            first(payment_plans),
        ];
        firsts.into_iter().flatten().min()
    }

    pub(crate) fn join(&mut self, other: Self) {
        let Self { subscriptions, invoices, more } = other;
        self.subscriptions.join(subscriptions, Timeline::join);
        self.invoices.join(invoices, Timeline::join);
        self.more.join(more, MoreBilling::join);
    }

    /// Keeps the entries that were not taken back.
    pub(crate) fn retain(&mut self, keep: &impl Fn(&Stamp, EventKind) -> bool) {
        let Self { subscriptions, invoices, more } = self;
        retain(subscriptions, |stamp| keep(stamp, EventKind::SubscriptionSet));
        for invoice in invoices.values_mut() {
            invoice.retain_entries(|entry| keep(&entry.stamp, entry.value.kind()));
        }
        invoices.retain(|_, invoice| !invoice.is_empty());
        if let Some(more) = more.made() {
            more.retain(keep);
        }
    }

    pub(crate) fn erase(&mut self) {
        for state in self.subscriptions.values_mut().flat_map(Timeline::values_mut) {
            if let Some(more) = state.more.made() {
                more.reason = None;
            }
        }
        for failed in self.more.made().into_iter().flat_map(|more| more.failed.values_mut()) {
            failed.reason = None;
        }
    }
}

impl MoreBilling {
    fn join(&mut self, other: Self) {
        let Self { failed, charges, refunds, quotas, payment_plans } = other;
        self.failed.join(failed);
        self.charges.join(charges, Timeline::join);
        self.refunds.join(refunds, Timeline::join);
        self.quotas.join(quotas, Timeline::join);
        self.payment_plans.join(payment_plans, Timeline::join);
    }

    fn retain(&mut self, keep: &impl Fn(&Stamp, EventKind) -> bool) {
        let Self { failed, charges, refunds, quotas, payment_plans } = self;
        failed.retain(|stamp| keep(stamp, EventKind::PaymentFailed));
        retain(charges, |stamp| keep(stamp, EventKind::Charged));
        retain(refunds, |stamp| keep(stamp, EventKind::Refunded));
        retain(quotas, |stamp| keep(stamp, EventKind::QuotaSet));
        retain(payment_plans, |stamp| keep(stamp, EventKind::PaymentPlanSet));
    }
}

/// Keeps some entries of each timeline, and the timelines that still have one.
pub(crate) fn retain<K: Ord, T>(keyed: &mut Keyed<K, Timeline<T>>, keep: impl Fn(&Stamp) -> bool) {
    keyed.retain(|_, timeline| {
        timeline.retain(&keep);
        !timeline.is_empty()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_kept_and_saved_as_the_moment_it_is() {
        let day = |number: i32| Moment::On(Day::from_epoch(number));
        let days = [i32::MIN, -1, 0, 1, 84_000, i32::MAX].map(day);
        let instants = [Instant::MIN, Instant::MAX, Instant::MIN.just_after()].map(Moment::At);
        for moment in days.into_iter().chain(instants).chain([Moment::Never]) {
            let due = DueAt::from(moment);
            assert_eq!(Moment::from(due), moment);
            assert_eq!(postcard::to_stdvec(&due).unwrap(), postcard::to_stdvec(&moment).unwrap());
        }
        for moment in instants.into_iter().chain([day(20_000), Moment::Never]) {
            let bytes = postcard::to_stdvec(&moment).unwrap();
            assert_eq!(postcard::from_bytes::<DueAt>(&bytes), Ok(DueAt::from(moment)));
        }
        assert!(size_of::<Entry<InvoiceChange>>() <= 72, "there are two of each invoice");
        assert!(size_of::<Entry<Subscription>>() <= 120);
    }

    #[test]
    fn the_first_payment_is_no_invoice_and_may_have_failed() {
        let mut state = crate::state::ClientState::default();
        let mut fold = |id: &str, kind: &str, day: &str, data: &str| {
            let json = format!(
                r#"{{"id":"{id}","source":"s","type":"billing.{kind}","subject":"a","time":"{day}T10:00:00Z","data":{data}}}"#
            );
            state.fold(&crate::event::Event::from_json(json.as_bytes()).unwrap().borrowed(), &Zone::utc());
            let day = |at: Option<Instant>| at.map(|at| Zone::utc().day(at).to_string());
            (day(state.billing.first_invoice()), day(state.billing.first_payment()))
        };
        let days =
            |invoice: &str, payment: Option<&str>| (Some(invoice.to_owned()), payment.map(str::to_owned));
        let issued = r#"{"invoice":"i","amount":1,"currency":"USD","due":"2026-02-01"}"#;
        assert_eq!(fold("1", "invoice_issued", "2026-01-05", issued), days("2026-01-05", None));
        let invoice = r#"{"invoice":"i"}"#;
        assert_eq!(fold("2", "invoice_voided", "2026-01-20", invoice), days("2026-01-05", None));
        assert_eq!(fold("3", "invoice_paid", "2026-01-09", invoice), days("2026-01-05", Some("2026-01-09")));
        assert_eq!(fold("4", "payment_failed", "2026-01-08", "{}"), days("2026-01-05", Some("2026-01-08")));
    }
}

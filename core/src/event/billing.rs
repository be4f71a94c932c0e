//! Billing events: subscriptions, invoices, payments, quotas.

use super::fields::{Fields, payload, words};
use super::numbers::{Count, Moment, Price};
use super::wire::Fault;
use super::{EventCode, EventError};
use crate::id::{ChargeId, InvoiceId, MetricName, PaymentPlanId, RefundId, SubscriptionId, Text};
use crate::money::{Amount, Currency, Interval};

words! {
    /// The state a subscription is in.
    Status { /// On trial: no run-rate.
        Trialing = "trialing", /// Paid for.
        Active = "active", /// Payment is late; still counts.
        PastDue = "past_due", /// Suspended: no run-rate.
        Paused = "paused", /// Over.
        Cancelled = "cancelled" }
}

words! {
    /// The period of a quota.
    QuotaPeriod { /// A calendar month.
        Month = "month" }
}

payload! {
    /// The whole new state of one subscription from this time on; it is not a difference.
    SubscriptionSet = "billing.subscription_set" {
        /// The subscription.
        subscription: SubscriptionId,
        /// The state it is in.
        status: Status,
        /// What one interval costs after recurring discounts, tax excluded, for all of `quantity` together.
        amount: Option<Price>,
        /// The currency of the amount.
        currency: Option<Currency>,
        /// How often it is billed.
        interval: Option<Interval>,
        /// How many units are bought.
        quantity: Option<Count>,
        /// How many users may use it.
        seats: Option<Count>,
        /// The plan.
        plan: Option<Text>,
        /// The product.
        product: Option<Text>,
        /// When the current term ends.
        term_end: Option<Moment>,
        /// When the trial is to end.
        trial_end: Option<Moment>,
        /// When it ends even if no later event says so.
        cancel_at: Option<Moment>,
        /// Why it is in this state.
        reason: Option<Text>,
    }
    check SubscriptionSet::complete
}

impl SubscriptionSet {
    /// Only a cancelled state may leave out amount, currency and interval.
    fn complete(&self, fields: &Fields<'_>) -> Result<(), EventError> {
        if self.status == Status::Cancelled {
            return Ok(());
        }
        let missing = [
            ("amount", self.amount.is_none()),
            ("currency", self.currency.is_none()),
            ("interval", self.interval.is_none()),
        ];
        match missing.iter().find(|(_, missing)| *missing) {
            Some((name, _)) => {
                let expected = format!("a value, since the status is {}", self.status.as_str());
                Err(fields.error(name, None, Fault::new(EventCode::MissingField, expected)))
            }
            None => Ok(()),
        }
    }
}

payload! {
    /// An invoice was issued. Below 0 it is a credit note.
    InvoiceIssued = "billing.invoice_issued" {
        /// The invoice.
        invoice: InvoiceId,
        /// What is to be paid.
        amount: Amount,
        /// In which currency.
        currency: Currency,
        /// By when; a date is payable throughout its day.
        due: Moment,
    }
}

payload! {
    /// An invoice was paid.
    InvoicePaid = "billing.invoice_paid" {
        /// The invoice.
        invoice: InvoiceId,
    }
}

payload! {
    /// An invoice was declared void.
    InvoiceVoided = "billing.invoice_voided" {
        /// The invoice.
        invoice: InvoiceId,
    }
}

payload! {
    /// A payment did not go through.
    PaymentFailed = "billing.payment_failed" {
        /// The invoice it was for.
        invoice: Option<InvoiceId>,
        /// Which attempt it was.
        attempt: Option<i64>,
        /// Why it failed.
        reason: Option<Text>,
    }
}

payload! {
    /// A one-off purchase; never MRR.
    Charged = "billing.charged" {
        /// The purchase.
        charge: ChargeId,
        /// What was paid.
        amount: Price,
        /// In which currency.
        currency: Currency,
    }
}

payload! {
    /// Money was paid back.
    Refunded = "billing.refunded" {
        /// The refund.
        refund: RefundId,
        /// What was paid back.
        amount: Price,
        /// In which currency.
        currency: Currency,
        /// The invoice it belongs to.
        invoice: Option<InvoiceId>,
        /// The charge it belongs to.
        charge: Option<ChargeId>,
    }
}

payload! {
    /// How much of a metric a month includes.
    QuotaSet = "billing.quota_set" {
        /// The metric.
        metric: MetricName,
        /// How much is included.
        included: Count,
        /// Per calendar month.
        period: QuotaPeriod = QuotaPeriod::Month,
        /// What a unit beyond costs.
        overage_price: Option<Price>,
        /// In which currency.
        currency: Option<Currency>,
    }
}

payload! {
    /// Instalments were agreed; a later one with `until` in the past ends the plan.
    PaymentPlanSet = "billing.payment_plan_set" {
        /// The plan.
        plan_id: PaymentPlanId,
        /// Until when it runs.
        until: Moment,
    }
}

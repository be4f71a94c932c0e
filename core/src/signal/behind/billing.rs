//! What is behind a change of money: what was stated about subscriptions, and invoices.

use super::super::billing::{
    BillShock, DaysToRenewal, DaysToTrialEnd, FailedPayments, Mrr, MrrTrend, OverdueDays, TenureDays,
    on_trial,
};
use super::{Behind, Between, HistoryRow, View};
use crate::money::Currency;
use crate::state::billing::{Subscription, instant_of};

/// Whether a row states a subscription that such a state is known of, and came in, or its end did.
fn subscription(row: &HistoryRow, between: &Between<'_>, such: impl Fn(&Subscription) -> bool) -> bool {
    let known = row.about.as_deref().and_then(|name| between.to.state.billing.subscriptions.get(name));
    let Some(states) = known.filter(|_| row.kind == "billing.subscription_set") else { return false };
    let ends = || {
        let standing = states.at(between.from.at).filter(|entry| row.is(&entry.stamp));
        let end = standing.and_then(|entry| entry.value.ends_at(between.to.zone));
        end.is_some_and(|end| between.holds(end))
    };
    (between.happened(row) || ends()) && states.entries().iter().any(|entry| such(&entry.value))
}

/// Whether a row is behind a change of the seats that are paid for.
pub(super) fn moves_seats(row: &HistoryRow, between: &Between<'_>) -> bool {
    subscription(row, between, |state| state.seats.is_some())
}

/// Whether a row is behind the client's beginning or ceasing to pay.
pub(crate) fn moves_paying(row: &HistoryRow, between: &Between<'_>) -> bool {
    subscription(row, between, |_| true) && between.differs(View::pays)
}

/// Whether a row is behind the beginning or the end of a trial.
pub(crate) fn moves_trial(row: &HistoryRow, between: &Between<'_>) -> bool {
    subscription(row, between, |_| true) && between.differs(on_trial)
}

/// Whether a row is behind another first paying day.
pub(crate) fn moves_tenure(row: &HistoryRow, between: &Between<'_>) -> bool {
    let first_day = |view: &View<'_>| view.tenure_days().map(|days| view.today.plus(-days));
    subscription(row, between, |_| true) && between.differs(first_day)
}

/// Whether a subscription is one in the currency that is asked for, if any is.
fn is_in(state: &Subscription, asked: Option<Currency>) -> bool {
    asked.is_none_or(|asked| state.terms.is_some_and(|terms| terms.currency == asked))
}

impl Behind for Mrr {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        subscription(row, between, |state| is_in(state, self.currency))
    }
}

impl Behind for MrrTrend {
    /// Now, or in what it is compared with.
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        [*between, between.moved_back(self.days.0)]
            .iter()
            .any(|between| subscription(row, between, |state| is_in(state, self.currency)))
    }
}

impl Behind for OverdueDays {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let Some(name) = row.about.as_deref() else { return false };
        if row.kind == "billing.payment_plan_set" {
            let plan = between.to.state.billing.more.payment_plans.get(name);
            let standing =
                plan.and_then(|plan| plan.at(between.from.at)).filter(|entry| row.is(&entry.stamp));
            let runs = |view: &View<'_>| {
                let until = standing.and_then(|entry| instant_of(entry.value, view.zone));
                until.is_none_or(|until| view.at < until)
            };
            return between.happened(row) || standing.is_some() && between.differs(runs);
        }
        let Some(invoice) = between.to.state.billing.invoices.get(name) else { return false };
        let is_oldest = |view: &View<'_>| {
            let age = OverdueDays::age(view, invoice);
            age > 0 && age == OverdueDays::greatest_age(view)
        };
        // Where nothing happened to the invoice it grew old, from its issue on.
        let untouched = !invoice.entries().iter().any(|entry| between.holds(entry.at()));
        row.kind.starts_with("billing.invoice_")
            && (between.happened(row) || untouched && row.at <= between.from.at)
            && between.differs(|view| OverdueDays::age(view, invoice))
            && [&between.from, &between.to].into_iter().any(is_oldest)
    }
}

impl Behind for FailedPayments {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        row.kind == "billing.payment_failed" && between.crosses(row, self.days.0)
    }
}

impl Behind for DaysToRenewal {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        subscription(row, between, |state| state.more.term_end.is_some())
    }
}

impl Behind for TenureDays {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        moves_tenure(row, between)
    }
}

impl Behind for DaysToTrialEnd {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        subscription(row, between, |state| state.more.trial_end.is_some())
    }
}

impl Behind for BillShock {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        match row.kind {
            "billing.invoice_issued" => between.crosses(row, self.days.0),
            "billing.invoice_voided" => between.happened(row),
            _ => false,
        }
    }
}

//! Signals of billing: run-rate, invoices, renewals.

use std::collections::BTreeSet;

use super::calendar::{Instant, NEVER};
use super::event::timeline;
use super::exact::{self, Exact, quotient};
use super::signal::{Missing, Reading, Spec, View};
use super::subscription::{RunRate, Subscriptions};

/// Calls `read` with the client's subscriptions under the settings of a signal, which are the defaults.
fn with_subscriptions<T>(view: &View<'_>, read: impl FnOnce(&Subscriptions<'_>) -> T) -> T {
    read(&Subscriptions::new(view.events, view.book.calendar, &RunRate::default(), view.t))
}

/// The seats of the paying subscriptions; nothing if none of them states seats.
pub(crate) fn seats(view: &View<'_>) -> Option<Exact> {
    with_subscriptions(view, |subscriptions| {
        let paying = subscriptions.paying(view.t, None);
        let stated: Vec<Exact> = paying
            .iter()
            .filter_map(|s| s.state_at(view.t))
            .filter_map(|state| state.number("seats"))
            .collect();
        (!stated.is_empty()).then(|| stated.iter().sum())
    })
}

/// A twelfth of the annual amount, not rounded: only printing rounds.
pub(crate) fn mrr(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    with_subscriptions(view, |subscriptions| {
        let currency = one_currency(subscriptions, spec, &[view.t])?;
        Ok(exact::float(&(subscriptions.arr(view.t, currency.as_deref()) / exact::whole(12))))
    })
}

/// Against the end of the day `days` days ago.
pub(crate) fn mrr_trend(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let then = view.book.calendar.end_of(view.today() - spec.days(30));
    with_subscriptions(view, |subscriptions| {
        let currency = one_currency(subscriptions, spec, &[view.t, then])?;
        let arr = |t: Instant| subscriptions.arr(t, currency.as_deref());
        quotient(&arr(view.t), &arr(then)).ok_or(Missing::TooLittle)
    })
}

/// The currency to sum in: the one asked for, or the only one the client pays in at these instants.
fn one_currency(
    subscriptions: &Subscriptions<'_>,
    spec: &Spec<'_>,
    at: &[Instant],
) -> Result<Option<String>, Missing> {
    if let Some(currency) = spec.text("currency") {
        return Ok(Some(currency.to_owned()));
    }
    let paid: BTreeSet<&str> = at.iter().flat_map(|t| subscriptions.currencies(*t)).collect();
    match paid.len() {
        0 | 1 => Ok(paid.first().map(|currency| (*currency).to_owned())),
        _ => Err(Missing::SeveralCurrencies),
    }
}

/// The greatest age past due of an unpaid invoice; a payment plan that runs suspends all of them.
pub(crate) fn overdue_days(view: &View<'_>) -> Reading {
    let calendar = view.book.calendar;
    let plans = timeline(view.events, "billing.payment_plan_set", view.t);
    let plan_ids: BTreeSet<&str> = plans.iter().filter_map(|e| e.text("plan_id")).collect();
    for id in plan_ids {
        let last = plans.iter().rev().find(|e| e.text("plan_id") == Some(id));
        if last.and_then(|e| e.instant("until", calendar)).is_some_and(|until| view.t < until) {
            return Ok(0.0);
        }
    }
    let settled: BTreeSet<&str> = ["billing.invoice_paid", "billing.invoice_voided"]
        .into_iter()
        .flat_map(|kind| timeline(view.events, kind, view.t))
        .filter_map(|e| e.text("invoice"))
        .collect();
    let issued = timeline(view.events, "billing.invoice_issued", view.t);
    let ids: BTreeSet<&str> = issued.iter().filter_map(|e| e.text("invoice")).collect();
    let mut greatest = 0;
    for id in ids.difference(&settled) {
        let Some(invoice) = issued.iter().rev().find(|e| e.text("invoice") == Some(id)) else { continue };
        let owed = invoice.number("amount").is_some_and(|amount| amount > exact::whole(0));
        match invoice.instant("due", calendar) {
            // A due date is payable throughout its day: on that day its age is 0.
            Some(due) if owed && due < NEVER => greatest = greatest.max(view.age(due)),
            _ => {}
        }
    }
    Ok(greatest as f64)
}

pub(crate) fn failed_payments(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let failed = timeline(view.events, "billing.payment_failed", view.t);
    Ok(failed.iter().filter(|e| view.in_window(e.time, spec.days(30))).count() as f64)
}

/// To the nearest term_end ahead; later today is 0, at the instant itself is past.
pub(crate) fn days_to_renewal(view: &View<'_>) -> Reading {
    let calendar = view.book.calendar;
    with_subscriptions(view, |subscriptions| {
        let paying = subscriptions.paying(view.t, None);
        let ends = paying.iter().filter_map(|s| s.state_at(view.t)?.instant("term_end", calendar));
        let nearest = ends.filter(|end| *end > view.t && *end < NEVER).min();
        nearest.map(|end| (calendar.day_of(end) - view.today()) as f64).ok_or(Missing::NeverSeen)
    })
}

/// Since the first paying day, in any currency.
pub(crate) fn tenure_days(view: &View<'_>) -> Reading {
    with_subscriptions(view, |subscriptions| {
        // The first instant there can be is the first change; before it nothing pays.
        let changes = subscriptions.changes();
        let from = *changes.first().ok_or(Missing::NeverSeen)?;
        let first = subscriptions.first_paying(from, view.t, None);
        first.map(|first| view.age(first) as f64).ok_or(Missing::NeverSeen)
    })
}

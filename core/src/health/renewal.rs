//! The renewal calendar: whose contract ends when, what it is worth, and how the client is.

use crate::event::Moment;
use crate::id::{ClientId, SubscriptionId, Text};
use crate::money::Currency;
use crate::period::Period;
use crate::recurring::{Annual, Recurring};
use crate::score::HealthScore;
use crate::signal::View;
use crate::state::billing::instant_of;
use crate::state::run_rate::{RunRateRules, paying};
use crate::time::Instant;
use serde::Serialize;
use std::collections::BTreeMap;

/// What happens to a subscription at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RenewalKind {
    /// Its term ends, and nothing says that it will not be renewed.
    TermEnd,
    /// It ends by a cancellation that is known already.
    Cancellation,
}

/// A subscription that pays and whose term, or whose self, ends in the period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Renewal {
    /// When.
    pub at: Instant,
    /// What.
    pub kind: RenewalKind,
    /// Calendar days from the instant of the question; negative for a term that ended and was not followed by another.
    pub days: i32,
    /// Whose.
    pub client: ClientId,
    /// Which.
    pub subscription: SubscriptionId,
    /// The client's owner at the instant of the question.
    pub owner: Option<Text>,
    /// What it pays in.
    pub currency: Option<Currency>,
    /// What it pays at the instant of the question.
    pub mrr: Recurring,
    /// The client's score, where a model was given and has one.
    pub score: Option<f64>,
    /// The client's band, where a model was given.
    pub band: Option<String>,
}

/// The renewals of a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Renewals {
    /// From when on, included.
    pub start: Instant,
    /// Until when, not included.
    pub end: Instant,
    /// As of when: what is known of contracts, money and health.
    pub as_of: Instant,
    /// In order of time, then of client and subscription.
    pub rows: Vec<Renewal>,
    /// What the rows of that kind pay together, by currency.
    pub term_end: BTreeMap<Currency, Recurring>,
    /// What the rows of that kind pay together, by currency: what is known to end.
    pub cancellation: BTreeMap<Currency, Recurring>,
}

/// The renewals of one client, in no order. `health` is asked for only if there is one.
pub(crate) fn of_client(
    client: &ClientId,
    view: &View<'_>,
    period: Period,
    health: &dyn Fn() -> Option<HealthScore>,
) -> Vec<Renewal> {
    let mut rows = Vec::new();
    for (subscription, step) in paying(&view.state.billing, view.at, &RunRateRules::default(), view.zone) {
        let state = step.state();
        let instant = |moment: Option<Moment>| moment.and_then(|moment| instant_of(moment, view.zone));
        let cancelled = instant(state.more.cancel_at);
        // A term that ends when the subscription does is nothing to renew.
        let term = instant(state.more.term_end).filter(|term| cancelled.is_none_or(|end| *term < end));
        for (at, kind) in [(term, RenewalKind::TermEnd), (cancelled, RenewalKind::Cancellation)] {
            let Some(at) = at.filter(|at| (period.start..period.end).contains(at)) else { continue };
            rows.push(Renewal {
                at,
                kind,
                days: view.zone.day(at).days_since(view.today),
                client: client.clone(),
                subscription: subscription.clone(),
                owner: view.state.profile.stated.owner.value_at(view.at).cloned().flatten(),
                currency: step.currency(),
                mrr: step.annual.into(),
                score: None,
                band: None,
            });
        }
    }
    if let Some(health) = Some(&rows).filter(|rows| !rows.is_empty()).and_then(|_| health()) {
        for row in &mut rows {
            (row.score, row.band) = (health.score, Some(health.band.to_string()));
        }
    }
    rows
}

impl Renewals {
    pub(crate) fn new(period: Period, as_of: Instant, mut rows: Vec<Renewal>) -> Self {
        rows.sort_by(|a, b| {
            (a.at, &a.client, &a.subscription, a.kind).cmp(&(b.at, &b.client, &b.subscription, b.kind))
        });
        let sum = |kind: RenewalKind| {
            let mut sums: BTreeMap<Currency, Annual> = BTreeMap::new();
            for row in rows.iter().filter(|row| row.kind == kind) {
                if let Some(currency) = row.currency {
                    *sums.entry(currency).or_default() += row.mrr.annual;
                }
            }
            super::printed(sums)
        };
        let (term_end, cancellation) = (sum(RenewalKind::TermEnd), sum(RenewalKind::Cancellation));
        Self { start: period.start, end: period.end, as_of, rows, term_end, cancellation }
    }
}

//! What one client did over one period, in one currency.

use num_traits::{Signed, Zero};
use serde_json::{Value, json};

use super::calendar::{Calendar, Instant};
use super::event::Event;
use super::exact::{self, Exact};
use super::settings::Question;
use super::subscription::Subscriptions;

/// The net movement of one client. Amounts are annual.
pub(crate) struct Movement {
    pub client: String,
    /// The currency looked at; none when only heads are asked for, over all of them.
    pub currency: Option<String>,
    /// One of the names of the contract; none if the client pays the same at both ends.
    pub kind: Option<&'static str>,
    pub opening: Exact,
    pub closing: Exact,
    pub amount: Exact,
    /// Closing without the subscriptions that are already known to end.
    pub after_cancellations: Exact,
    pub gap_days: Option<i64>,
    /// The instant whose fields decide the client's group.
    pub grouped_at: Instant,
    /// (source, id) of the states that made the difference.
    pub causes: Vec<(String, String)>,
}

/// The movement of a client, or none if it neither paid in the period nor was lost from a pause.
pub(crate) fn movement(
    client: &str,
    subscriptions: &Subscriptions<'_>,
    currency: Option<&str>,
    question: &Question,
    calendar: &Calendar,
) -> Option<Movement> {
    let look = Look { subscriptions, currency, question, calendar };
    let opening = subscriptions.arr(question.opening(), currency);
    let closing = subscriptions.arr(question.closing(), currency);
    let first_inside = subscriptions.first_paying(question.start, question.closing(), currency);
    let last_end = subscriptions.last_paying_end(question.start, currency);

    let (kind, amount) = match (opening.is_positive(), closing.is_positive()) {
        (false, false) if first_inside.is_some() => (Some("joined_and_left"), look.greatest_inside()),
        (false, false) => match last_end.filter(|end| look.is_lost_from_pause(*end)) {
            Some(end) => (Some("paused_lost"), subscriptions.arr(end - 1, currency)),
            None => return None,
        },
        (false, true) => (Some(look.arrival(last_end, first_inside)), closing.clone()),
        (true, false) => (Some(look.departure()), opening.clone()),
        (true, true) if closing > opening => (Some("expansion"), &closing - &opening),
        (true, true) if closing < opening => (Some("contraction"), &opening - &closing),
        (true, true) => (None, Exact::zero()),
    };
    let is_arrival = matches!(kind, Some("new" | "reactivation" | "resumed"));
    Some(Movement {
        client: client.to_owned(),
        currency: currency.map(str::to_owned),
        kind,
        amount,
        after_cancellations: look.after_cancellations(),
        gap_days: last_end
            .zip(first_inside)
            .filter(|_| is_arrival)
            .map(|(end, first)| look.days_between(end, first)),
        grouped_at: match (opening.is_positive(), first_inside, last_end) {
            (true, _, _) => question.opening(),
            (_, Some(first), _) => first,
            // Lost from a pause: the last instant at which it paid.
            (_, _, Some(end)) => end - 1,
            (_, _, None) => question.opening(),
        },
        causes: look.causes(),
        opening,
        closing,
    })
}

/// What every step of the classification looks at.
struct Look<'a> {
    subscriptions: &'a Subscriptions<'a>,
    currency: Option<&'a str>,
    question: &'a Question,
    calendar: &'a Calendar,
}

impl Look<'_> {
    fn days_between(&self, from: Instant, to: Instant) -> i64 {
        self.calendar.day_of(to) - self.calendar.day_of(from)
    }

    /// True if every subscription that paid at `paid_at` stands paused at `t`.
    fn all_paused(&self, paid_at: Instant, t: Instant) -> bool {
        let paid = self.subscriptions.paying(paid_at, self.currency);
        paid.iter().all(|s| self.subscriptions.is_paused(s, t))
    }

    /// From nothing to something: never paid before, back from a pause, or back after an end.
    fn arrival(&self, last_end: Option<Instant>, first_inside: Option<Instant>) -> &'static str {
        let (Some(end), Some(first)) = (last_end, first_inside) else { return "new" };
        if self.all_paused(end - 1, first - 1) {
            return "resumed";
        }
        match self.question.reactivation_within_days {
            Some(days) if self.days_between(end, first) > days => "new",
            _ => "reactivation",
        }
    }

    /// From something to nothing.
    fn departure(&self) -> &'static str {
        match self.all_paused(self.question.opening(), self.question.closing()) {
            true => "paused",
            false => "churn",
        }
    }

    /// A pause that stood at the opening and became an end by the closing.
    fn is_lost_from_pause(&self, end: Instant) -> bool {
        self.all_paused(end - 1, self.question.opening())
            && !self.all_paused(end - 1, self.question.closing())
    }

    /// The greatest amount at any instant of the period.
    fn greatest_inside(&self) -> Exact {
        let inside = self.question.start..=self.question.closing();
        let changes = self.subscriptions.changes();
        let instants = std::iter::once(self.question.start).chain(changes).filter(|t| inside.contains(t));
        instants.map(|t| self.subscriptions.arr(t, self.currency)).max().unwrap_or_else(Exact::zero)
    }

    fn after_cancellations(&self) -> Exact {
        let t = self.question.closing();
        let stays = |state: &Event| self.subscriptions.cancel_at(state).is_none();
        let paying = self.subscriptions.paying(t, self.currency);
        paying
            .iter()
            .filter(|s| s.state_at(t).is_some_and(stays))
            .map(|s| self.subscriptions.annual(s, t))
            .sum()
    }

    /// Of each subscription whose amount differs: the state at opening and the one at closing.
    fn causes(&self) -> Vec<(String, String)> {
        let (opening, closing) = (self.question.opening(), self.question.closing());
        let mut states: Vec<&Event> = Vec::new();
        for subscription in &self.subscriptions.all {
            let amount = |t: Instant| match self.currency {
                Some(currency) if subscription.currency_at(t) != Some(currency) => Exact::zero(),
                _ => self.subscriptions.annual(subscription, t),
            };
            if amount(opening) != amount(closing) {
                states.extend(subscription.state_at(opening));
                states.extend(subscription.state_at(closing));
            }
        }
        states.sort_by(|a, b| a.order().cmp(&b.order()));
        states.dedup_by(|a, b| a.order() == b.order());
        states.iter().map(|e| (e.source.clone(), e.id.clone())).collect()
    }
}

impl Movement {
    pub(crate) fn to_json(&self) -> Value {
        let causes: Vec<Value> =
            self.causes.iter().map(|(source, id)| json!({ "source": source, "id": id })).collect();
        json!({
            "client": self.client,
            "currency": self.currency,
            "kind": self.kind,
            "opening": money(&self.opening),
            "closing": money(&self.closing),
            "amount": money(&self.amount),
            "fx": money(&Exact::zero()),
            "gap_days": self.gap_days,
            "events": causes,
        })
    }
}

/// `{mrr, arr}` of an annual amount.
pub(crate) fn money(annual: &Exact) -> Value {
    json!({ "mrr": exact::mrr_text(annual), "arr": exact::text(annual) })
}

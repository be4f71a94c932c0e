//! Subscriptions: what each one costs a year at an instant.

use std::collections::BTreeSet;

use num_traits::{Signed, Zero};

use super::calendar::{Calendar, Instant, NEVER};
use super::event::{Event, timeline};
use super::exact::{self, Exact, half_even};

/// Digits behind the point of an annual amount.
const ANNUAL_DIGITS: u32 = 12;

/// The settings of a question that move a run-rate.
#[derive(Clone)]
pub(crate) struct RunRate {
    pub weeks: Exact,
    pub days: Exact,
    /// A past_due run counts while it is no older than this many days.
    pub past_due_limit_days: Option<i64>,
}

impl Default for RunRate {
    fn default() -> RunRate {
        RunRate { weeks: exact::whole(52), days: exact::whole(365), past_due_limit_days: None }
    }
}

/// All subscriptions of one client.
pub(crate) struct Subscriptions<'a> {
    pub all: Vec<Subscription<'a>>,
    calendar: &'a Calendar,
    rate: &'a RunRate,
}

/// One subscription: its states that ever stood, in order of time.
pub(crate) struct Subscription<'a> {
    pub states: Vec<&'a Event>,
}

impl<'a> Subscriptions<'a> {
    /// The subscriptions in a client's events; what comes after `as_of` is not seen.
    pub(crate) fn new(
        events: &[&'a Event],
        calendar: &'a Calendar,
        rate: &'a RunRate,
        as_of: Instant,
    ) -> Subscriptions<'a> {
        let sets = timeline(events, "billing.subscription_set", as_of);
        let ids: BTreeSet<&str> = sets.iter().filter_map(|e| e.text("subscription")).collect();
        let one = |id: &str| {
            let of_id: Vec<&Event> =
                sets.iter().copied().filter(|e| e.text("subscription") == Some(id)).collect();
            // Of several states of one instant only the last in order ever stands.
            let stands =
                |e: &&Event| !of_id.iter().any(|other| other.time == e.time && other.order() > e.order());
            Subscription { states: of_id.iter().copied().filter(stands).collect() }
        };
        Subscriptions { all: ids.into_iter().map(one).collect(), calendar, rate }
    }

    /// The annual amount of one subscription at `t`: 0 unless it counts.
    pub(crate) fn annual(&self, subscription: &Subscription<'_>, t: Instant) -> Exact {
        match subscription.state_at(t) {
            Some(state) if self.counts(subscription, state, t) => self.annual_of(state),
            _ => Exact::zero(),
        }
    }

    /// Active or past_due, not beyond its cancel_at, and not past_due for longer than the limit.
    fn counts(&self, subscription: &Subscription<'_>, state: &Event, t: Instant) -> bool {
        match state.text("status") {
            _ if self.has_ended(state, t) => false,
            Some("active") => true,
            Some("past_due") => match self.rate.past_due_limit_days {
                None => true,
                Some(limit) => {
                    let since = self
                        .calendar
                        .day_of(subscription.past_due_since(t, |state, t| self.has_ended(state, t)));
                    self.calendar.day_of(t) - since <= limit
                }
            },
            _ => false,
        }
    }

    /// The amount as if one interval after another were paid for a year, rounded once if it does not come
    /// out.
    fn annual_of(&self, state: &Event) -> Exact {
        let amount = state.number("amount").unwrap_or_else(Exact::zero);
        let interval = &state.data["interval"];
        let count = exact::read(&interval["count"]).unwrap_or_else(|| exact::whole(1));
        let per_year = match interval["unit"].as_str() {
            Some("month") => exact::whole(12),
            Some("week") => self.rate.weeks.clone(),
            Some("day") => self.rate.days.clone(),
            _ => exact::whole(1),
        };
        half_even(&(amount * per_year / count), ANNUAL_DIGITS)
    }

    /// When the state ends by itself, if that is ever.
    pub(crate) fn cancel_at(&self, state: &Event) -> Option<Instant> {
        state.instant("cancel_at", self.calendar).filter(|end| *end < NEVER)
    }

    /// True at the cancel_at itself and from then on.
    fn has_ended(&self, state: &Event, t: Instant) -> bool {
        self.cancel_at(state).is_some_and(|end| end <= t)
    }

    /// True if the subscription stands paused at `t`: one that ended while paused does not.
    pub(crate) fn is_paused(&self, subscription: &Subscription<'_>, t: Instant) -> bool {
        let state = subscription.state_at(t);
        state.is_some_and(|state| state.text("status") == Some("paused") && !self.has_ended(state, t))
    }

    /// The subscriptions with a run-rate above 0 at `t`, in one currency or in any.
    pub(crate) fn paying(&self, t: Instant, currency: Option<&str>) -> Vec<&Subscription<'a>> {
        self.all
            .iter()
            .filter(|s| currency.is_none() || s.currency_at(t) == currency)
            .filter(|s| self.annual(s, t).is_positive())
            .collect()
    }

    /// ARR at `t`. Without a currency it is a bare sum, good only to ask whether the client pays at all.
    pub(crate) fn arr(&self, t: Instant, currency: Option<&str>) -> Exact {
        self.paying(t, currency).iter().map(|s| self.annual(s, t)).sum()
    }

    /// The currencies in which the client pays at `t`.
    pub(crate) fn currencies(&self, t: Instant) -> BTreeSet<&'a str> {
        self.paying(t, None).iter().filter_map(|s| s.currency_at(t)).collect()
    }

    /// Every instant at which some amount may change, in order: a new state, a cancel_at, a past_due that is
    /// too old.
    pub(crate) fn changes(&self) -> BTreeSet<Instant> {
        let mut instants = BTreeSet::new();
        for state in self.all.iter().flat_map(|s| &s.states) {
            instants.insert(state.time);
            instants.extend(self.cancel_at(state));
            if let (Some("past_due"), Some(limit)) = (state.text("status"), self.rate.past_due_limit_days) {
                instants.insert(self.calendar.start_of(self.calendar.day_of(state.time) + limit + 1));
            }
        }
        instants
    }

    /// The first instant in `from..=to` at which the client pays.
    pub(crate) fn first_paying(&self, from: Instant, to: Instant, currency: Option<&str>) -> Option<Instant> {
        let candidates = std::iter::once(from).chain(self.changes()).filter(|t| (from..=to).contains(t));
        candidates.filter(|t| !self.paying(*t, currency).is_empty()).min()
    }

    /// The end of the last paying time before `start`: the instant from which the client paid no more.
    pub(crate) fn last_paying_end(&self, start: Instant, currency: Option<&str>) -> Option<Instant> {
        let pays = |t: Instant| !self.paying(t, currency).is_empty();
        self.changes().into_iter().filter(|t| *t < start && !pays(*t) && pays(*t - 1)).max()
    }
}

impl<'a> Subscription<'a> {
    /// The state that stands at `t`.
    pub(crate) fn state_at(&self, t: Instant) -> Option<&'a Event> {
        self.states.iter().copied().filter(|e| e.time <= t).max_by_key(|e| e.time)
    }

    pub(crate) fn currency_at(&self, t: Instant) -> Option<&'a str> {
        self.state_at(t)?.text("currency")
    }

    /// The beginning of the unbroken run of past_due states that stands at `t`; one that ended before the next
    /// state breaks it.
    fn past_due_since(&self, t: Instant, has_ended: impl Fn(&Event, Instant) -> bool) -> Instant {
        let mut since = t;
        for state in self.states.iter().rev().skip_while(|e| e.time > t) {
            if state.text("status") != Some("past_due") || has_ended(state, since - 1) {
                break;
            }
            since = state.time;
        }
        since
    }
}

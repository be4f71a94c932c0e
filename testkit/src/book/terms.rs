//! The terms of a subscription, what they cost, and how acts change them in the course of time.

use super::calendar::{Calendar, Day};

/// What is sold, cheapest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Plan {
    Free,
    Starter,
    Team,
    Business,
    Enterprise,
}

impl Plan {
    /// The name of the plan in events.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Starter => "starter",
            Self::Team => "team",
            Self::Business => "business",
            Self::Enterprise => "enterprise",
        }
    }

    /// Price of a seat a month in hundredths, the same number in each currency.
    pub(super) fn seat_price(self) -> i64 {
        match self {
            Self::Free => 0,
            Self::Starter => 1500,
            Self::Team => 2400,
            Self::Business => 3600,
            Self::Enterprise => 4800,
        }
    }

    /// The next plan up; the dearest stays.
    pub(super) fn above(self) -> Self {
        match self {
            Self::Free => Self::Starter,
            Self::Starter => Self::Team,
            Self::Team => Self::Business,
            Self::Business | Self::Enterprise => Self::Enterprise,
        }
    }

    /// The next plan down that is paid; the cheapest stays.
    pub(super) fn below(self) -> Self {
        match self {
            Self::Free | Self::Starter | Self::Team => Self::Starter,
            Self::Business => Self::Team,
            Self::Enterprise => Self::Business,
        }
    }
}

/// How often is paid.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Interval {
    Month,
    Year,
}

impl Interval {
    /// The name of the unit in events.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Its length in months.
    pub(super) fn months(self) -> i64 {
        match self {
            Self::Month => 1,
            Self::Year => 12,
        }
    }
}

/// Status of a subscription, as in events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Trialing,
    Active,
    PastDue,
    Paused,
    Cancelled,
}

impl Status {
    /// The name of the status in events.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The whole state of one subscription.
#[derive(Clone)]
pub(super) struct Terms {
    pub(super) status: Status,
    pub(super) plan: Plan,
    pub(super) seats: i64,
    /// Price agreed, in thousandths of the list price.
    pub(super) price: i64,
    pub(super) interval: Interval,
    pub(super) term_end: Option<Day>,
    pub(super) trial_end: Option<Day>,
    pub(super) cancel_at: Option<Day>,
    pub(super) reason: Option<&'static str>,
    /// The day from which intervals are counted.
    pub(super) anchor: Day,
}

impl Terms {
    /// Terms of a subscription that runs from `anchor` on, at list price.
    pub(super) fn active(plan: Plan, seats: i64, interval: Interval, anchor: Day) -> Self {
        Self {
            status: Status::Active,
            plan,
            seats,
            price: 1000,
            interval,
            term_end: None,
            trial_end: None,
            cancel_at: None,
            reason: None,
            anchor,
        }
    }

    /// What one interval costs, in hundredths; whole units, and a year at the price of ten months and a fifth.
    pub(super) fn amount(&self) -> i64 {
        let tenths_of_months = match self.interval {
            Interval::Month => 10,
            Interval::Year => 102,
        };
        let cents = self.plan.seat_price() * self.seats * tenths_of_months * self.price / 10_000;
        (cents + 50) / 100 * 100
    }

    /// Whether the product can be used on `day` under these terms.
    pub(super) fn open_on(&self, day: Day) -> bool {
        matches!(self.status, Status::Trialing | Status::Active | Status::PastDue)
            && self.cancel_at.is_none_or(|end| day < end)
    }

    /// Whether money is due for `day` under these terms.
    pub(super) fn paid_on(&self, day: Day) -> bool {
        self.status != Status::Trialing && self.open_on(day) && self.amount() > 0
    }
}

/// Something that changes a subscription.
#[derive(Clone, Copy)]
pub(super) enum Act {
    /// Seats change by this many percent, at least by one.
    Seats(i64),
    /// Another plan.
    Plan(Plan),
    /// Another price, in thousandths of the list price.
    Price(i64),
    Pause,
    Resume,
    PastDue,
    /// An active subscription after a trial or a departure, counted from the day of the act.
    Begin,
    Cancel(&'static str),
    /// An end known in advance.
    CancelAt(Day, &'static str),
    Free,
    /// Another interval, counted from the day of the act.
    Switch(Interval),
}

impl Act {
    /// Whether the act concerns all products of the client, not only the one it is about.
    pub(super) fn concerns_all(self) -> bool {
        matches!(
            self,
            Self::Pause | Self::Resume | Self::PastDue | Self::Begin | Self::Cancel(_) | Self::CancelAt(..)
        )
    }

    /// Whether use begins anew with the act.
    pub(super) fn is_comeback(self) -> bool {
        matches!(self, Self::Resume | Self::Begin)
    }

    fn apply(self, terms: &mut Terms, day: Day) {
        match self {
            Self::Seats(percent) => {
                let changed = terms.seats * percent / 100;
                let changed = if changed == 0 { percent.signum() } else { changed };
                terms.seats = (terms.seats + changed).max(1);
            }
            Self::Plan(plan) => terms.plan = plan,
            Self::Price(price) => terms.price = price,
            Self::Pause => terms.status = Status::Paused,
            Self::PastDue => terms.status = Status::PastDue,
            Self::Resume | Self::Begin => {
                terms.status = Status::Active;
                terms.anchor = day;
                terms.cancel_at = None;
                terms.trial_end = None;
                terms.reason = None;
            }
            Self::Cancel(reason) => {
                terms.status = Status::Cancelled;
                terms.reason = Some(reason);
            }
            Self::CancelAt(end, reason) => {
                terms.cancel_at = Some(end);
                terms.reason = Some(reason);
            }
            Self::Free => {
                terms.plan = Plan::Free;
                terms.interval = Interval::Month;
                terms.term_end = None;
            }
            Self::Switch(interval) => {
                terms.interval = interval;
                terms.anchor = day;
                terms.term_end = None;
            }
        }
    }
}

/// One product bought by one client, with its terms from each day on, in order.
pub(super) struct Contract {
    /// "core" or "analytics".
    pub(super) product: &'static str,
    /// The terms and the day they begin.
    pub(super) terms: Vec<(Day, Terms)>,
}

impl Contract {
    /// The contract that begins with `first` and is changed by `acts` (in order of day), with its yearly renewals.
    pub(super) fn unfold(
        product: &'static str,
        since: Day,
        first: Terms,
        acts: &[(Day, Act)],
        calendar: &Calendar,
    ) -> Self {
        let mut now = first;
        with_term_end(&mut now, since, calendar);
        let mut terms = vec![(since, now.clone())];
        for &(day, act) in acts {
            renew_before(day, &mut now, &mut terms, calendar);
            act.apply(&mut now, day);
            with_term_end(&mut now, day, calendar);
            terms.push((day, now.clone()));
        }
        renew_before(calendar.days(), &mut now, &mut terms, calendar);
        Self { product, terms }
    }

    /// The terms that stand on a day; none before the contract began.
    pub(super) fn on(&self, day: Day) -> Option<&Terms> {
        self.terms.iter().rev().find(|(since, _)| *since <= day).map(|(_, terms)| terms)
    }
}

// A yearly subscription says when its year ends; a monthly one runs on.
fn with_term_end(terms: &mut Terms, day: Day, calendar: &Calendar) {
    let yearly = terms.interval == Interval::Year && matches!(terms.status, Status::Active | Status::PastDue);
    if yearly && terms.term_end.is_none_or(|end| end <= day || terms.anchor == day) {
        terms.term_end = Some(calendar.add_months(day, 12));
    }
}

fn renew_before(day: Day, now: &mut Terms, terms: &mut Vec<(Day, Terms)>, calendar: &Calendar) {
    while let Some(end) = now.term_end
        && end < day
        && now.paid_on(end)
    {
        now.term_end = Some(calendar.add_months(end, 12));
        terms.push((end, now.clone()));
    }
}

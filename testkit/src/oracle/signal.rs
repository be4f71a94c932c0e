//! Signals: what is read, and why a reading may be missing.

use serde_json::{Value, json};

use super::book::Book;
use super::calendar::{Day, Instant};
use super::event::Event;
use super::exact::{self, Exact};
use super::{client, money_signal, support, usage};

/// Why a reading is missing. The contract names the words, not always which of them a kind uses, so that
/// choice is made here, once, by what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The client is not yet seen, the feed is not connected, or the thing never happened.
    NeverSeen,
    /// No usage event of the book has carried a user.
    NoUsers,
    /// Nothing in the window, or a base below its minimum.
    TooLittle,
    /// Past its greatest age.
    Expired,
    /// One number was asked for and there are several currencies.
    SeveralCurrencies,
}

impl Missing {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Missing::NeverSeen => "never_seen",
            Missing::NoUsers => "no_users",
            Missing::TooLittle => "too_little",
            Missing::Expired => "expired",
            Missing::SeveralCurrencies => "several_currencies",
        }
    }
}

/// A number, or why there is none.
pub(crate) type Reading = Result<f64, Missing>;

/// One client of the book at one instant: what every signal looks at.
pub(crate) struct View<'a> {
    pub book: &'a Book<'a>,
    /// All events of the client, later ones too: each signal leaves those out by its own rule (by instant or
    /// by day).
    pub events: &'a [&'a Event],
    pub t: Instant,
}

impl<'a> View<'a> {
    /// The calendar day of the instant.
    pub(crate) fn today(&self) -> Day {
        self.book.calendar.day_of(self.t)
    }

    /// Whole calendar days since an instant.
    pub(crate) fn age(&self, then: Instant) -> i64 {
        self.today() - self.book.calendar.day_of(then)
    }

    /// The window of `days` days that ends with the usage day, as (first, last) day.
    pub(crate) fn window(&self, days: i64) -> (Day, Day) {
        let last = self.book.calendar.usage_day(self.t);
        (last - days + 1, last)
    }

    /// True if the event happened at or before the instant and on a day of the window.
    pub(crate) fn in_window(&self, then: Instant, days: i64) -> bool {
        let (first, last) = self.window(days);
        then <= self.t && (first..=last).contains(&self.book.calendar.day_of(then))
    }

    /// Missing while the book has seen no event of these types at or before the instant.
    fn require(&self, kinds: &[&str]) -> Result<(), Missing> {
        let last = self.book.calendar.usage_day(self.t);
        let seen = self.book.events.iter().any(|(_, e)| {
            let of_kind = kinds.iter().any(|kind| e.kind.starts_with(kind));
            of_kind && if e.is_usage() { e.day(self.book.calendar) <= last } else { e.time <= self.t }
        });
        if seen { Ok(()) } else { Err(Missing::NeverSeen) }
    }
}

/// The parameters of a signal.
pub(crate) struct Spec<'a>(pub &'a Value);

impl<'a> Spec<'a> {
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.0[name].as_str()
    }

    pub(crate) fn count(&self, name: &str) -> Option<i64> {
        self.0[name].as_i64()
    }

    pub(crate) fn exact(&self, name: &str) -> Option<Exact> {
        exact::read(&self.0[name])
    }

    pub(crate) fn float(&self, name: &str) -> Option<f64> {
        self.exact(name).map(|x| exact::float(&x))
    }

    /// The length of the window; every kind that needs one has it, or a default of the contract.
    pub(crate) fn days(&self, default: i64) -> i64 {
        self.count("days").unwrap_or(default)
    }
}

/// Reads one signal of one client as of `t`. An unknown kind is `not_covered`, so that no test passes by
/// accident.
pub(crate) fn read(book: &Book<'_>, events: &[&Event], spec: &Value, t: Instant) -> Result<Reading, String> {
    let spec = Spec(spec);
    let yesterday = spec.text("through") == Some("yesterday");
    let offset = spec.count("offset").unwrap_or(i64::from(yesterday));
    let t = match offset {
        0 => t,
        days => book.calendar.end_of(book.calendar.day_of(t) - days),
    };
    let view = View { book, events, t };
    let kind = spec.text("kind").unwrap_or_default();
    if !COVERED.iter().any(|family| family.1.contains(&kind)) {
        return Err(format!("not_covered: signal kind `{kind}`"));
    }
    Ok(read_kind(&view, kind, &spec))
}

/// The kinds, by the events that the book must have seen before a reading of nothing can be a number.
const COVERED: [(&[&str], &[&str]); 5] = [
    (
        &["usage."],
        &[
            "usage_sum",
            "usage_trend",
            "gauge",
            "ratio",
            "active_users",
            "active_trend",
            "stickiness",
            "seat_use",
            "breadth",
            "days_since_usage",
            "active_days",
        ],
    ),
    (
        &["support.ticket_"],
        &["tickets_opened", "tickets_open", "first_response_hours", "resolution_hours", "csat"],
    ),
    (&["billing.invoice_"], &["overdue_days"]),
    (&["billing.payment_failed", "billing.invoice_paid"], &["failed_payments"]),
    (
        &[],
        &[
            "nps",
            "mrr",
            "mrr_trend",
            "days_to_renewal",
            "tenure_days",
            "sentiment",
            "days_since_contact",
            "milestone",
            "attribute",
        ],
    ),
];

fn read_kind(view: &View<'_>, kind: &str, spec: &Spec<'_>) -> Reading {
    if !view.book.is_seen(view.events, view.t) {
        return Err(Missing::NeverSeen);
    }
    for (needed, kinds) in COVERED {
        if kinds.contains(&kind) && !needed.is_empty() {
            view.require(needed)?;
        }
    }
    match kind {
        "usage_sum" => usage::sum(view, spec),
        "usage_trend" => usage::trend(view, spec),
        "gauge" => usage::gauge(view, spec),
        "ratio" => usage::ratio(view, spec),
        "active_users" => usage::active_users(view, spec),
        "active_trend" => usage::active_trend(view, spec),
        "stickiness" => usage::stickiness(view, spec),
        "seat_use" => usage::seat_use(view, spec),
        "breadth" => usage::breadth(view, spec),
        "days_since_usage" => usage::days_since(view, spec),
        "active_days" => usage::active_days(view, spec),
        "tickets_opened" => support::opened(view, spec),
        "tickets_open" => support::open(view, spec),
        "first_response_hours" => support::first_response_hours(view, spec),
        "resolution_hours" => support::resolution_hours(view, spec),
        "csat" => support::csat(view, spec),
        "mrr" => money_signal::mrr(view, spec),
        "mrr_trend" => money_signal::mrr_trend(view, spec),
        "overdue_days" => money_signal::overdue_days(view),
        "failed_payments" => money_signal::failed_payments(view, spec),
        "days_to_renewal" => money_signal::days_to_renewal(view),
        "tenure_days" => money_signal::tenure_days(view),
        "nps" => client::nps(view, spec),
        "sentiment" => client::sentiment(view, spec),
        "days_since_contact" => client::days_since_contact(view, spec),
        "milestone" => client::milestone(view, spec),
        "attribute" => client::attribute(view, spec),
        _ => Err(Missing::NeverSeen),
    }
}

/// `{reading, missing}`.
pub(crate) fn to_json(reading: Reading) -> Value {
    match reading {
        Ok(value) => json!({ "reading": value, "missing": null }),
        Err(why) => json!({ "reading": null, "missing": why.code() }),
    }
}

//! Strategies for random event logs, for laws: few clients, few names, colliding instants, every type of event.
//!
//! A log has no conflicting identities. What is personal begins with [`PERSONAL`], so that a law can look for it in bytes
//! from which it should be gone.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test tool; a panic in it is a failed test"
)]

use healthfold::{Event, EventKind};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What every personal text begins with.
pub const PERSONAL: &str = "pii-";

/// Every type of event once or more: four clients of whom one is erased and one merged, a retraction, a roll-up.
pub const EVERY_KIND: &str = include_str!("every_kind.ndjson");

/// How laws are tried: the seeds of failures are kept beside the file of the law.
#[must_use]
pub fn config() -> ProptestConfig {
    let persistence = proptest::test_runner::FileFailurePersistence::WithSource("regressions");
    ProptestConfig { failure_persistence: Some(Box::new(persistence)), ..ProptestConfig::default() }
}

/// The clients of a log.
pub const CLIENTS: [&str; 5] = ["acme", "birch", "cedar", "dune", "elm"];

const SOURCES: [&str; 3] = ["app", "billing", "crm"];

/// Few enough to collide, over four months, with the edges of months and the turns of daylight saving time.
const TIMES: [&str; 16] = [
    "2026-01-01T00:00:00Z",
    "2026-01-05T10:00:00Z",
    "2026-01-05T10:00:00.000001Z",
    "2026-01-31T23:59:59.999999Z",
    "2026-02-01T00:00:00Z",
    "2026-02-14T12:00:00+01:00",
    "2026-02-28T23:30:00-05:00",
    "2026-03-01T00:00:00+01:00",
    "2026-03-08T10:30:00Z",
    "2026-03-29T00:59:59Z",
    "2026-03-29T01:00:00Z",
    "2026-03-31T22:00:00Z",
    "2026-04-01T00:00:00Z",
    "2026-04-02T08:00:00Z",
    "2026-04-02T09:00:00Z",
    "2026-04-30T12:00:00Z",
];

const DAYS: [&str; 6] = ["2026-01-05", "2026-01-31", "2026-02-14", "2026-03-01", "2026-03-29", "2026-04-02"];

/// An event before it has an identity: small numbers, so that a failing log shrinks to a readable one.
#[derive(Clone, Debug)]
struct Draft {
    kind: EventKind,
    subject: usize,
    time: usize,
    sequence: i64,
    /// What the fields of `data` are picked by.
    picks: [u8; 8],
}

fn kinds() -> impl Strategy<Value = EventKind> {
    let often = [
        EventKind::UsageCounted,
        EventKind::UsageMeasured,
        EventKind::UsageDaySet,
        EventKind::UsageDaySet,
        EventKind::SubscriptionSet,
        EventKind::ClientSet,
        EventKind::MergedInto,
        EventKind::MergedInto,
        EventKind::Retracted,
        EventKind::Retracted,
        EventKind::Retracted,
    ];
    let all: Vec<EventKind> = EventKind::ALL.iter().copied().chain(often).collect();
    proptest::sample::select(all)
}

fn draft() -> impl Strategy<Value = Draft> {
    let sequence = prop_oneof![6 => Just(0), 1 => -1i64..3];
    (kinds(), 0..CLIENTS.len(), 0..TIMES.len(), sequence, any::<[u8; 8]>())
        .prop_map(|(kind, subject, time, sequence, picks)| Draft { kind, subject, time, sequence, picks })
}

/// One of some values.
fn pick<'v, T: ?Sized>(values: &[&'v T], by: u8) -> &'v T {
    values[usize::from(by) % values.len()]
}

fn user(by: u8) -> String {
    format!("{PERSONAL}user-{}", by % 4)
}

/// `None` for a quarter of the picks.
fn maybe<T>(by: u8, value: T) -> Option<T> {
    (!by.is_multiple_of(4)).then_some(value)
}

/// A decimal with up to 6 digits behind the point, negative ones among them.
fn count(by: u8) -> String {
    pick(&["1", "2", "0.5", "-1", "0", "-0.000001", "3", "1000000000000", "12.345678"], by).to_owned()
}

fn price(by: u8) -> &'static str {
    pick(&["100", "0", "49.90", "1200", "33.333333"], by)
}

fn currency(by: u8) -> &'static str {
    pick(&["USD", "USD", "EUR"], by)
}

/// `data` without the members that are null: absent is what a null there would say.
fn without_nulls(mut data: Value) -> Value {
    if let Value::Object(members) = &mut data {
        members.retain(|_, value| !value.is_null());
    }
    data
}

impl Draft {
    fn identity(index: usize) -> (&'static str, String) {
        // The sources and ids of events that stand side by side sort in another order than the events.
        (SOURCES[index % 3], format!("e-{}", (index * 7) % 1_000))
    }

    fn event(&self, index: usize, all: &[Draft]) -> Event {
        let (source, id) = Self::identity(index);
        let mut event = json!({
            "id": id, "source": source, "type": self.kind.as_str(), "subject": CLIENTS[self.subject],
            "time": TIMES[self.time], "data": self.data(all),
        });
        if self.sequence != 0 {
            event["sequence"] = self.sequence.into();
        }
        Event::from_json(event.to_string().as_bytes()).expect("a draft makes a good event")
    }

    fn data(&self, all: &[Draft]) -> Value {
        let [a, b, c, d, e, f, g, h] = self.picks;
        let ticket = pick(&["T-1", "T-2"], a);
        let incident = pick(&["I-1", "I-2"], a);
        let invoice = pick(&["INV-1", "INV-2"], a);
        let metric = pick(&["reports", "calls", "logins"], a);
        let moment =
            pick(&["2026-03-01", "2026-02-14T11:00:00Z", "2199-12-31", "2300-01-01", "1970-01-01"], h);
        let severity = maybe(b, pick(&["minor", "major", "critical"], b / 4));
        let priority = maybe(b, pick(&["low", "normal", "high", "urgent"], b / 4));
        let topic = maybe(c, format!("{PERSONAL}topic-{}", c % 3));
        let person = maybe(d, user(d));
        without_nulls(match self.kind {
            EventKind::UsageCounted => json!({"metric": metric, "count": count(b), "user": person}),
            EventKind::UsageMeasured => json!({"metric": metric, "value": count(b), "user": person}),
            EventKind::UsageDaySet => {
                let users = maybe(d, (0..d / 4 % 4).map(|n| user(d.wrapping_add(n))).collect::<Vec<_>>());
                json!({"metric": metric, "day": pick(&DAYS, c), "count": count(b), "users": users})
            }
            EventKind::TicketOpened => {
                json!({"ticket": ticket, "priority": priority, "topic": topic, "channel": "mail", "user": person})
            }
            EventKind::TicketReplied => json!({"ticket": ticket, "by": pick(&["agent", "client"], b)}),
            EventKind::TicketUpdated => json!({"ticket": ticket, "priority": priority, "topic": topic}),
            EventKind::TicketResolved | EventKind::TicketReopened => json!({"ticket": ticket}),
            EventKind::TicketRated => json!({"ticket": ticket, "rating": b % 5 + 1}),
            EventKind::IncidentStarted | EventKind::IncidentEnded => {
                let planned = maybe(c, c % 3 == 0);
                json!({"incident": incident, "severity": severity, "component": "phones", "planned": planned})
            }
            EventKind::SubscriptionSet => json!({
                "subscription": pick(&["S-1", "S-2"], a),
                "status": pick(&["active", "trialing", "past_due", "paused", "cancelled"], b),
                "amount": price(c), "currency": currency(d),
                "interval": {"unit": pick(&["month", "year", "week", "day"], e), "count": e % 3 + 1},
                "quantity": maybe(f, f % 7), "seats": maybe(f / 4, f % 5), "plan": maybe(g, "team"),
                "product": maybe(g / 4, "chat"), "term_end": maybe(h, moment), "trial_end": maybe(h / 4, moment),
                "cancel_at": maybe(h / 16, moment), "reason": maybe(g, format!("{PERSONAL}reason")),
            }),
            EventKind::InvoiceIssued => {
                json!({"invoice": invoice, "amount": pick(&["100", "-20.5"], b), "currency": currency(c), "due": moment})
            }
            EventKind::InvoicePaid | EventKind::InvoiceVoided => json!({"invoice": invoice}),
            EventKind::PaymentFailed => json!({"invoice": maybe(b, invoice), "attempt": maybe(c, c % 3),
                "reason": maybe(d, format!("{PERSONAL}reason"))}),
            EventKind::Charged => {
                json!({"charge": pick(&["C-1", "C-2"], a), "amount": price(b), "currency": currency(c)})
            }
            EventKind::Refunded => json!({"refund": pick(&["R-1", "R-2"], a), "amount": price(b),
                "currency": currency(c), "invoice": maybe(d, invoice), "charge": maybe(e, "C-1")}),
            EventKind::QuotaSet => json!({"metric": metric, "included": b % 50, "period": maybe(c, "month"),
                "overage_price": maybe(d, price(d)), "currency": maybe(d, currency(d))}),
            EventKind::PaymentPlanSet => json!({"plan_id": pick(&["P-1", "P-2"], a), "until": moment}),
            EventKind::ClientSet => return Self::profile(self.picks),
            EventKind::SentimentSet => json!({"value": b % 101, "by": maybe(c, format!("{PERSONAL}by")),
                "parts": {"talks": d % 101, "uses": "33.3"}}),
            EventKind::NpsAnswered => json!({"score": b % 11, "user": person}),
            EventKind::Contacted => {
                json!({"channel": "call", "by": pick(&["us", "client"], b), "user": person,
                "outcome": maybe(c, pick(&["reached", "no_answer", "bounced"], c / 4))})
            }
            EventKind::MilestoneReached => json!({"milestone": pick(&["onboarded", "live"], a)}),
            EventKind::ContactSet => return Self::contact(self.picks),
            EventKind::OverrideSet => json!({"kind": pick(&["score", "cap", "floor"], a), "value": b % 101,
                "reason": format!("{PERSONAL}reason"), "by": format!("{PERSONAL}by"), "until": moment}),
            EventKind::ChurnReasonSet => {
                json!({"reason": format!("{PERSONAL}reason"), "voluntary": b % 2 == 0})
            }
            EventKind::MergedInto => json!({"into": pick(&CLIENTS, a)}),
            EventKind::ClientErased => json!({}),
            EventKind::Retracted => self.retraction(all),
        })
    }

    /// A patch: null clears.
    fn profile([a, b, c, d, e, f, g, h]: [u8; 8]) -> Value {
        let mut data = serde_json::Map::new();
        let mut patch = |by: u8, name: &str, value: Value| {
            match by % 4 {
                0 => None,
                1 => data.insert(name.to_owned(), Value::Null),
                _ => data.insert(name.to_owned(), value),
            };
        };
        patch(a, "name", format!("{PERSONAL}name-{}", a % 3).into());
        patch(b, "owner", pick(&["ann", "bob"], b / 4).into());
        patch(c, "segment", pick(&["smb", "large"], c / 4).into());
        patch(d, "tags", json!(&["eu", "partner", "beta"][..usize::from(d / 4 % 4)]));
        patch(e, "parent", pick(&CLIENTS, e / 4).into());
        let value = match g % 5 {
            0 => Value::Null,
            1 => format!("{PERSONAL}text").into(),
            2 => json!(g % 2 == 0),
            3 => json!(250),
            _ => json!(0.5),
        };
        if f % 4 != 0 {
            data.insert("attributes".to_owned(), json!({pick(&["size", "region"], h): value}));
        }
        data.into()
    }

    fn contact([a, b, c, d, ..]: [u8; 8]) -> Value {
        let mut data = json!({"contact": format!("{PERSONAL}contact-{}", a % 2)});
        match b % 4 {
            0 => {}
            1 => data["role"] = Value::Null,
            _ => data["role"] = format!("{PERSONAL}role-{}", b % 3).into(),
        }
        match c % 3 {
            0 => {}
            1 => data["key"] = true.into(),
            _ => data["key"] = false.into(),
        }
        match d % 4 {
            0 => {}
            n => data["status"] = ["active", "left", "unreachable"][usize::from(n) - 1].into(),
        }
        data
    }

    /// Takes back an event of the log, earlier or later; with a wrong type where that cannot be taken back, and sometimes
    /// anyhow. The subject is that of the draft, so it is often a wrong one.
    fn retraction(&self, all: &[Draft]) -> Value {
        let [a, b, c, ..] = self.picks;
        let target = usize::from(a) % all.len();
        let (source, id) = Self::identity(target);
        let kind = all[target].kind.as_str();
        let family = kind.split('.').next();
        let retractable = matches!(family, Some("billing" | "client")) && kind != "client.erased";
        let kind =
            if retractable && b % 4 != 0 { kind } else { pick(&["client.set", "client.merged_into"], c) };
        json!({"source": source, "id": id, "type": kind})
    }
}

/// Gives the retractions of a log mostly the subject of their target, so that they have an effect.
fn aim(drafts: &mut [Draft]) {
    let subjects: Vec<usize> = drafts.iter().map(|draft| draft.subject).collect();
    for draft in
        drafts.iter_mut().filter(|draft| draft.kind == EventKind::Retracted && draft.picks[3] % 4 != 0)
    {
        draft.subject = subjects[usize::from(draft.picks[0]) % subjects.len()];
    }
}

/// A log of some events, in no particular order of time.
pub fn logs(events: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec(draft(), events).prop_map(|mut drafts| {
        aim(&mut drafts);
        drafts.iter().enumerate().map(|(index, draft)| draft.event(index, &drafts)).collect()
    })
}

/// The log of a seed, the same on every machine: see [`logs`].
///
/// # Panics
/// Never: the strategy filters nothing out.
#[must_use]
pub fn drawn(seed: u64, events: impl Into<proptest::collection::SizeRange>) -> Vec<Event> {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
    let mut key = [0; 32];
    key.iter_mut().zip(seed.to_le_bytes()).for_each(|(slot, byte)| *slot = byte);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &key);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    logs(events).new_tree(&mut runner).expect("nothing is filtered out").current()
}

/// One event of any type.
pub fn event() -> impl Strategy<Value = Event> {
    draft().prop_map(|draft| draft.event(0, std::slice::from_ref(&draft)))
}

/// A log and the same events in another order.
pub fn shuffled(
    events: impl Into<proptest::collection::SizeRange>,
) -> impl Strategy<Value = (Vec<Event>, Vec<Event>)> {
    logs(events).prop_flat_map(|log| (Just(log.clone()), Just(log).prop_shuffle()))
}

/// A log and the same events in another order, some of them several times.
pub fn duplicated(
    events: impl Into<proptest::collection::SizeRange>,
) -> impl Strategy<Value = (Vec<Event>, Vec<Event>)> {
    let copies = proptest::collection::vec(any::<proptest::sample::Index>(), 0..20);
    (logs(events), copies).prop_flat_map(|(log, copies)| {
        let mut more = log.clone();
        if !log.is_empty() {
            more.extend(copies.iter().map(|copy| copy.get(&log).clone()));
        }
        (Just(log), Just(more).prop_shuffle())
    })
}

/// A log and its events spread over some engines: counted and measured usage in one part each, as a merge asks for,
/// anything else in one part or several.
pub fn split(
    events: impl Into<proptest::collection::SizeRange>,
    parts: usize,
) -> impl Strategy<Value = (Vec<Event>, Vec<Vec<Event>>)> {
    logs(events).prop_flat_map(move |log| {
        let places = proptest::collection::vec(1u32..(1 << parts), log.len());
        places.prop_map(move |places| {
            let mut split = vec![Vec::new(); parts];
            for (event, places) in log.iter().zip(places) {
                let places = if adds_up(event) { 1 << places.trailing_zeros() } else { places };
                for (part, events) in split.iter_mut().enumerate() {
                    if places & (1 << part) != 0 {
                        events.push(event.clone());
                    }
                }
            }
            (log.clone(), split)
        })
    })
}

/// Whether an event adds up, so that no two engines that are to merge may both hold it.
pub fn adds_up(event: &Event) -> bool {
    matches!(event.kind(), EventKind::UsageCounted | EventKind::UsageMeasured)
}

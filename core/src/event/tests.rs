//! Decoding of every type by hand-checked values, every code, and the texts of errors.

use super::*;
use crate::event::billing::{QuotaPeriod, Status};
use crate::event::client::{ContactStatus, ContactedBy, Outcome, OverrideKind};
use crate::event::support::{Priority, ReplyBy, Severity};
use crate::money::IntervalUnit;
use crate::time::Day;

/// An event of a type with some `data`, at one instant.
fn event_json(kind: &str, data: &str) -> String {
    format!(
        r#"{{"id":"e-1","source":"s","type":"{kind}","subject":"acme","time":"2026-01-05T10:00:00Z","data":{data}}}"#
    )
}

fn decode(kind: &str, data: &str) -> EventData {
    let read = Event::from_json(event_json(kind, data).as_bytes()).unwrap().data;
    #[cfg(feature = "arrow")]
    assert_eq!(read, decode_row(kind, data), "{kind} {data}");
    read
}

/// The same of rows that have these members, which are read by their places, many at once.
#[cfg(feature = "arrow")]
fn decode_row(kind: &str, data: &str) -> EventData {
    let (kind, members) = (EventKind::parse(kind).unwrap(), Members::parse(data).ok().unwrap());
    let values = kind.fields().iter().map(|field| members.find(field.name)).collect();
    let mut rows = Rows(Vec::new());
    kind.decode_span(&InPlace(values), &[3, 7], &mut rows);
    let [(3, Some(read)), (7, Some(again))] = rows.0.as_slice() else {
        panic!("{kind} {data}: {:?}", rows.0)
    };
    assert_eq!(read, again, "{kind} {data}");
    read.clone()
}

#[cfg(feature = "arrow")]
struct Rows(Vec<(usize, Option<EventData>)>);

#[cfg(feature = "arrow")]
impl span::RowSink for Rows {
    fn sound(&mut self, row: usize, data: impl FnOnce() -> EventData) {
        self.0.push((row, Some(data())));
    }

    fn odd(&mut self, row: usize) {
        self.0.push((row, None));
    }
}

#[cfg(feature = "arrow")]
struct InPlace<'a>(Vec<Option<Value<'a>>>);

#[cfg(feature = "arrow")]
impl span::SpanFields for InPlace<'_> {
    fn rows(&self) -> usize {
        2
    }

    fn span(&self, place: usize) -> span::FieldSpan<'_> {
        use span::FieldSpan;
        match self.0[place] {
            None => FieldSpan::Unfilled,
            Some(Value::Text(text)) => FieldSpan::Texts(vec![Some(text); 2]),
            Some(Value::Bool(flag)) => FieldSpan::Flags(vec![Some(flag); 2]),
            Some(Value::Number(number)) => match number.parse() {
                Ok(units) => FieldSpan::Decimals(vec![Some(units); 2], 0),
                Err(_) => FieldSpan::Same(Value::Number(number)),
            },
            Some(_) => FieldSpan::ByRow,
        }
    }

    fn with_value(&self, _row: usize, place: usize, see: &mut dyn FnMut(Option<Value<'_>>)) {
        see(self.0[place]);
    }
}

fn error(json: &str) -> EventError {
    Event::from_json(json.as_bytes()).unwrap_err()
}

/// The message of what is wrong with `data`.
fn message(kind: &str, data: &str) -> String {
    error(&event_json(kind, data)).to_string()
}

macro_rules! payload_of {
    ($variant:ident, $kind:literal, $data:expr) => {
        match decode($kind, $data) {
            EventData::$variant(payload) => payload,
            other => panic!("{other:?}"),
        }
    };
}

fn text(text: &str) -> Option<crate::id::Text> {
    Some(text.into())
}

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

#[test]
fn the_list_has_31_types_of_five_families() {
    assert_eq!(EventKind::ALL.len(), 31);
    for kind in EventKind::ALL {
        assert_eq!(EventKind::parse(kind.as_str()), Some(*kind));
        let family = kind.as_str().split_once('.').map(|(family, _)| family);
        assert!(matches!(family, Some("usage" | "support" | "billing" | "client" | "event")), "{kind}");
    }
    assert_eq!(EventKind::parse("usage"), None);
}

#[test]
fn the_envelope() {
    let event = Event::from_json(
        br#" {"specversion":"1.0","id":"e-1","source":"app","type":"client.erased","subject":"ac\u006de","sequence":-7,
            "time":"2026-01-05T12:00:00.1234567+01:00","recordedtime":"2026-01-06T00:00:00Z","data":{"any":{"thing":[1]}},
            "traceparent":{"not":"ours"}} "#,
    )
    .unwrap();
    assert_eq!((event.id.as_str(), event.source.as_str(), event.subject.as_str()), ("e-1", "app", "acme"));
    assert_eq!(event.time.to_string(), "2026-01-05T11:00:00.123456Z", "in UTC, finer digits cut off");
    assert_eq!(event.sequence, -7);
    assert_eq!(event.recorded, Some(instant("2026-01-06T00:00:00Z")));
    assert_eq!(event.kind(), EventKind::ClientErased);
    assert_eq!(event.identity(), EventRef { source: "app".into(), id: "e-1".into() });
    // `data` may be left out where there is nothing to say, and `source` where the call says it.
    let bare = r#"{"id":"e","type":"client.erased","subject":"a","time":"1970-01-01T00:00:00Z"}"#;
    let event = Event::from_json_of(bare.as_bytes(), Some(&"given".into())).unwrap();
    assert_eq!((event.source.as_str(), event.sequence, event.recorded), ("given", 0, None));
    assert_eq!(event.time.micros(), 0);
    let own = bare.replace("\"id\"", "\"source\":\"own\",\"id\"");
    let event = Event::from_json_of(own.as_bytes(), Some(&"given".into())).unwrap();
    assert_eq!(event.source.as_str(), "own", "what the event says goes before what the call says");
}

#[test]
fn usage() {
    let counted = payload_of!(UsageCounted, "usage.counted", r#"{"metric":"reports"}"#);
    assert_eq!((counted.metric.as_str(), counted.count.micros(), counted.user), ("reports", 1_000_000, None));
    let counted =
        payload_of!(UsageCounted, "usage.counted", r#"{"metric":"m","count":"-0.25","user":"u-7"}"#);
    assert_eq!((counted.count.micros(), counted.user), (-250_000, Some("u-7".into())));
    let measured =
        payload_of!(UsageMeasured, "usage.measured", r#"{"metric":"share","value":6.2e-1,"user":null}"#);
    assert_eq!((measured.value.micros(), measured.user), (620_000, None));
    let data = r#"{"metric":"m","day":"2024-02-29","count":0,"users":["b","a","b"]}"#;
    let set = payload_of!(UsageDaySet, "usage.day_set", data);
    assert_eq!((set.day, set.count.micros()), (day("2024-02-29"), 0));
    assert_eq!(set.users.unwrap().as_slice(), ["a".into(), "b".into()], "a set: sorted, each once");
    assert_eq!(
        payload_of!(UsageDaySet, "usage.day_set", r#"{"metric":"m","day":"1970-01-01","count":1}"#).users,
        None
    );
}

#[test]
fn support() {
    let data = r#"{"ticket":"T","priority":"high","topic":"fault","channel":"","user":"u"}"#;
    let opened = payload_of!(TicketOpened, "support.ticket_opened", data);
    assert_eq!(
        (opened.priority, opened.topic, opened.user),
        (Some(Priority::High), text("fault"), Some("u".into()))
    );
    assert_eq!(opened.channel, None, "empty free text says that nothing is stated");
    let replied = payload_of!(TicketReplied, "support.ticket_replied", r#"{"ticket":"T","by":"agent"}"#);
    assert_eq!((replied.ticket.as_str(), replied.by), ("T", ReplyBy::Agent));
    let updated = payload_of!(TicketUpdated, "support.ticket_updated", r#"{"ticket":"T","priority":"low"}"#);
    assert_eq!((updated.priority, updated.topic.0), (Some(Priority::Low), None));
    assert_eq!(
        payload_of!(TicketResolved, "support.ticket_resolved", r#"{"ticket":"T"}"#).ticket.as_str(),
        "T"
    );
    assert_eq!(
        payload_of!(TicketReopened, "support.ticket_reopened", r#"{"ticket":"T"}"#).ticket.as_str(),
        "T"
    );
    for (rating, value) in [("1", 1), ("\"5\"", 5), ("5.0", 5), ("50e-1", 5)] {
        let rated = payload_of!(
            TicketRated,
            "support.ticket_rated",
            &format!(r#"{{"ticket":"T","rating":{rating}}}"#)
        );
        assert_eq!(rated.rating.value(), value);
    }
    let data = r#"{"incident":"I","severity":"critical","component":"phones","planned":true}"#;
    let started = payload_of!(IncidentStarted, "support.incident_started", data);
    assert_eq!(
        (started.severity, started.component, started.planned),
        (Some(Severity::Critical), text("phones"), Some(true))
    );
    let ended = payload_of!(IncidentEnded, "support.incident_ended", r#"{"incident":"I"}"#);
    assert_eq!(
        (ended.incident.as_str(), ended.severity, ended.component, ended.planned),
        ("I", None, None, None)
    );
}

#[test]
fn subscriptions() {
    let data = r#"{"subscription":"S","status":"past_due","amount":"99.90","currency":"EUR","interval":{"unit":"month","count":"3"},
        "quantity":2,"seats":"2.5","plan":"team","product":"chat","term_end":"2027-01-05","trial_end":"2026-01-05T00:00:00+01:00",
        "cancel_at":"2200-01-01","reason":"late"}"#;
    let set = payload_of!(SubscriptionSet, "billing.subscription_set", &data.replace('\n', " "));
    assert_eq!(set.status, Status::PastDue);
    assert_eq!(set.amount.map(|price| price.amount().micros()), Some(99_900_000));
    assert_eq!(set.currency.map(|currency| currency.to_string()).as_deref(), Some("EUR"));
    assert_eq!(set.interval.map(|interval| (interval.unit, interval.count)), Some((IntervalUnit::Month, 3)));
    assert_eq!(set.quantity.map(|count| count.quantity().micros()), Some(2_000_000));
    assert_eq!(set.seats.map(|count| count.quantity().micros()), Some(2_500_000));
    assert_eq!((set.plan, set.product, set.reason), (text("team"), text("chat"), text("late")));
    assert_eq!(set.term_end, Some(Moment::On(day("2027-01-05"))));
    assert_eq!(set.trial_end, Some(Moment::At(instant("2026-01-04T23:00:00Z"))));
    assert_eq!(set.cancel_at, Some(Moment::Never), "later than 2199 means never");
    let data = r#"{"subscription":"S","status":"cancelled"}"#;
    let cancelled = payload_of!(SubscriptionSet, "billing.subscription_set", data);
    assert_eq!((cancelled.amount, cancelled.currency, cancelled.interval), (None, None, None));
    let data =
        r#"{"subscription":"S","status":"trialing","amount":0,"currency":"USD","interval":{"unit":"year"}}"#;
    let trial = payload_of!(SubscriptionSet, "billing.subscription_set", data);
    assert_eq!(trial.interval.map(|interval| interval.count), Some(1), "one, where nothing is stated");
}

#[test]
fn billing() {
    let data = r#"{"invoice":"I","amount":"-20.5","currency":"USD","due":"2026-02-01"}"#;
    let issued = payload_of!(InvoiceIssued, "billing.invoice_issued", data);
    assert_eq!(
        (issued.amount.micros(), issued.due),
        (-20_500_000, Moment::On(day("2026-02-01"))),
        "a credit note"
    );
    assert_eq!(payload_of!(InvoicePaid, "billing.invoice_paid", r#"{"invoice":"I"}"#).invoice.as_str(), "I");
    assert_eq!(
        payload_of!(InvoiceVoided, "billing.invoice_voided", r#"{"invoice":"I"}"#).invoice.as_str(),
        "I"
    );
    let failed = payload_of!(PaymentFailed, "billing.payment_failed", "{}");
    assert_eq!((failed.invoice, failed.attempt, failed.reason), (None, None, None));
    let failed = payload_of!(
        PaymentFailed,
        "billing.payment_failed",
        r#"{"invoice":"I","attempt":2,"reason":"card"}"#
    );
    assert_eq!((failed.invoice, failed.attempt, failed.reason), (Some("I".into()), Some(2), text("card")));
    let data = r#"{"charge":"C","amount":1000000000000000,"currency":"JPY"}"#;
    let charged = payload_of!(Charged, "billing.charged", data);
    assert_eq!(charged.amount.amount().micros(), 1_000_000_000_000_000_000_000, "10^15, the greatest amount");
    let data = r#"{"refund":"R","amount":30,"currency":"USD","charge":"C"}"#;
    let refunded = payload_of!(Refunded, "billing.refunded", data);
    assert_eq!((refunded.refund.as_str(), refunded.invoice, refunded.charge), ("R", None, Some("C".into())));
    let quota = payload_of!(QuotaSet, "billing.quota_set", r#"{"metric":"m","included":10}"#);
    assert_eq!((quota.included.quantity().micros(), quota.period), (10_000_000, QuotaPeriod::Month));
    assert_eq!((quota.overage_price, quota.currency), (None, None));
    let plan =
        payload_of!(PaymentPlanSet, "billing.payment_plan_set", r#"{"plan_id":"P","until":"1970-01-01"}"#);
    assert_eq!((plan.plan_id.as_str(), plan.until), ("P", Moment::On(day("1970-01-01"))));
}

#[test]
fn the_profile_is_a_patch() {
    let data = r#"{"name":null,"owner":"","segment":"smb","tags":["eu","eu","a"],
        "attributes":{"n":250,"t":"250","b":false,"gone":null}}"#;
    let set = payload_of!(ClientSet, "client.set", &data.replace('\n', " "));
    assert_eq!((set.name, set.owner), (Patch::Clear, Patch::Clear), "null and empty text clear");
    assert_eq!(set.segment, Patch::Set("smb".into()));
    assert_eq!(set.tags, Patch::Set(SetOf::new(["a".into(), "eu".into()])));
    assert_eq!(set.parent, Patch::Keep, "what is absent stays");
    let attributes: Vec<_> =
        set.attributes.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    let number = "250".parse().unwrap();
    assert_eq!(
        attributes,
        [
            ("b", Patch::Set(Attribute::Flag(false))),
            ("gone", Patch::Clear),
            ("n", Patch::Set(Attribute::Number(number))),
            ("t", Patch::Set(Attribute::Text("250".into()))),
        ]
    );
    let contact =
        payload_of!(ContactSet, "client.contact_set", r#"{"contact":"p","key":true,"status":"left"}"#);
    assert_eq!((contact.role, contact.key), (Patch::Keep, Patch::Set(true)));
    assert_eq!(contact.status, Patch::Set(ContactStatus::Left));
}

#[test]
fn client() {
    let sentiment =
        payload_of!(SentimentSet, "client.sentiment_set", r#"{"value":"72.5","parts":{"talks":100}}"#);
    assert_eq!((sentiment.value.quantity().micros(), sentiment.by), (72_500_000, None));
    assert_eq!(sentiment.parts.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["talks"]);
    let nps = payload_of!(NpsAnswered, "client.nps_answered", r#"{"score":10,"user":"u"}"#);
    assert_eq!((nps.score.value(), nps.user), (10, Some("u".into())));
    let data = r#"{"channel":"call","by":"client","outcome":"no_answer"}"#;
    let contacted = payload_of!(Contacted, "client.contacted", data);
    assert_eq!(
        (contacted.channel.as_str(), contacted.by, contacted.outcome),
        ("call", ContactedBy::Client, Some(Outcome::NoAnswer))
    );
    let data = r#"{"milestone":"live"}"#;
    assert_eq!(payload_of!(MilestoneReached, "client.milestone_reached", data).milestone.as_str(), "live");
    let data = r#"{"kind":"floor","value":40,"reason":"r","by":"ann","until":"2026-04-01"}"#;
    let standing = payload_of!(OverrideSet, "client.override_set", data);
    assert_eq!((standing.kind, standing.value.quantity().micros()), (OverrideKind::Floor, 40_000_000));
    assert_eq!(standing.until, Moment::On(day("2026-04-01")));
    let data = r#"{"reason":"price","voluntary":false}"#;
    let churn = payload_of!(ChurnReasonSet, "client.churn_reason_set", data);
    assert_eq!((churn.reason.as_str(), churn.voluntary), ("price", false));
    assert_eq!(payload_of!(MergedInto, "client.merged_into", r#"{"into":"birch"}"#).into.as_str(), "birch");
    let _: client::Erased = payload_of!(ClientErased, "client.erased", "{}");
    let data = r#"{"source":"b","id":"e","type":"client.merged_into"}"#;
    let retracted = payload_of!(Retracted, "event.retracted", data);
    assert_eq!((retracted.source.as_str(), retracted.id.as_str()), ("b", "e"));
    assert_eq!(retracted.r#type.kind(), EventKind::MergedInto);
}

#[test]
fn every_code_that_decoding_has() {
    let long = "x".repeat(257);
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(64), "]".repeat(64));
    for (json, code) in [
        ("{".to_owned(), EventCode::MalformedJson),
        ("{}".to_owned(), EventCode::MissingField),
        ("[]".to_owned(), EventCode::WrongType),
        (event_json("support.ticket_replied", r#"{"ticket":"T","by":"bot"}"#), EventCode::BadValue),
        (event_json("usage.day_set", r#"{"metric":"m","day":"2026-02-30","count":1}"#), EventCode::BadTime),
        (event_json("support.ticket_rated", r#"{"ticket":"T","rating":6}"#), EventCode::OutOfRange),
        (event_json("usage.counted", r#"{"metric":""}"#), EventCode::EmptyId),
        (event_json("client.merged_into", &format!(r#"{{"into":"{long}"}}"#)), EventCode::TooLong),
        (event_json("usage.clicked", "{}"), EventCode::UnknownType),
        (
            event_json("event.retracted", r#"{"source":"s","id":"e","type":"usage.counted"}"#),
            EventCode::NotRetractable,
        ),
        (deep, EventCode::LimitExceeded),
    ] {
        assert_eq!(error(&json).code, code, "{json}");
    }
    // The other two need an engine; no code is without a slug of its own.
    let mut slugs: Vec<&str> = EventCode::ALL.iter().map(|code| code.as_str()).collect();
    slugs.sort_unstable();
    slugs.dedup();
    assert_eq!(slugs.len(), 13);
}

#[test]
fn inner_fields_are_named() {
    for (kind, data, field) in [
        ("usage.day_set", r#"{"metric":"m","day":"2026-01-05","count":1,"users":["a",""]}"#, "data.users[1]"),
        ("client.set", r#"{"tags":["a",7]}"#, "data.tags[1]"),
        ("client.set", r#"{"attributes":{"a":1,"k":[1]}}"#, "data.attributes.k"),
        ("client.set", r#"{"attributes":{"k":1,"k":2}}"#, "data.attributes.k"),
        ("client.sentiment_set", r#"{"value":1,"parts":{"talks":101}}"#, "data.parts.talks"),
        ("client.set", r#"{"parent":""}"#, "data.parent"),
    ] {
        assert_eq!(error(&event_json(kind, data)).field.as_deref(), Some(field));
    }
}

#[test]
fn lists_have_an_end() {
    let users = |n: usize| format!("[{}]", vec!["\"u\""; n].join(","));
    let data = |n: usize| format!(r#"{{"metric":"m","day":"2026-01-05","count":1,"users":{}}}"#, users(n));
    assert!(Event::from_json(event_json("usage.day_set", &data(65_535)).as_bytes()).is_ok());
    let error = error(&event_json("usage.day_set", &data(65_536)));
    assert_eq!((error.code, error.field.as_deref()), (EventCode::TooLong, Some("data.users")));
}

#[test]
fn texts_of_errors() {
    insta::assert_snapshot!(error("{\"id\":"), @"an event must be a JSON object: valid JSON: EOF while parsing a value at line 1 column 6");
    insta::assert_snapshot!(error("{}"), @"`id` is missing, it must be non-empty text");
    insta::assert_snapshot!(error(r#"{"id":"a","id":"b"}"#), @"an event must be a JSON object: each name once in an object");
    insta::assert_snapshot!(message("usage.counted", "{}"), @"`data.metric` is missing, it must be non-empty text");
    insta::assert_snapshot!(message("usage.counted", r#"{"metric":7}"#), @"`data.metric` must be non-empty text, found `7`");
    insta::assert_snapshot!(message("usage.counted", r#"{"metric":""}"#), @r#"`data.metric` must be non-empty text, found `""`"#);
    insta::assert_snapshot!(message("usage.counted", r#"{"metric":"m","count":"0.0000001"}"#), @r#"`data.count` must be a number of at most 6 fractional digits and a magnitude up to 10^12, found `"0.0000001"`"#);
    insta::assert_snapshot!(message("usage.counted", r#"{"metric":"m","count":"many"}"#), @r#"`data.count` must be a number or a decimal in text, found `"many"`"#);
    insta::assert_snapshot!(message("usage.day_set", r#"{"metric":"m","day":"5.1.2026","count":1}"#), @r#"`data.day` must be a date of the form 2026-01-05 in the years 1970 to 2199, found `"5.1.2026"`"#);
    insta::assert_snapshot!(message("support.ticket_opened", r#"{"ticket":"T","priority":"P1"}"#), @r#"`data.priority` must be one of `low` `normal` `high` `urgent`, found `"P1"`"#);
    insta::assert_snapshot!(message("support.ticket_rated", r#"{"ticket":"T","rating":0}"#), @"`data.rating` must be a whole number from 1 to 5, found `0`");
    insta::assert_snapshot!(message("billing.charged", r#"{"charge":"C","amount":-1,"currency":"USD"}"#), @"`data.amount` must be an amount of at least 0, found `-1`");
    insta::assert_snapshot!(message("billing.charged", r#"{"charge":"C","amount":1,"currency":"usd"}"#), @r#"`data.currency` must be a currency of three capital letters: did you mean USD?, found `"usd"`"#);
    insta::assert_snapshot!(message("billing.subscription_set", r#"{"subscription":"S","status":"active"}"#), @"`data.amount` is missing, it must be a value, since the status is active");
    insta::assert_snapshot!(message("billing.payment_plan_set", r#"{"plan_id":"P","until":"next month"}"#), @r#"`data.until` must be an RFC 3339 time with an offset, or a date of the form 2026-01-05, from 1970 on, found `"next month"`"#);
    insta::assert_snapshot!(message("client.set", r#"{"attributes":{"k":{}}}"#), @r#"`data.attributes.k` must be text, a number, true or false, found `{}`"#);
    insta::assert_snapshot!(message("event.retracted", r#"{"source":"s","id":"e","type":"usage.counted"}"#), @r#"`data.type` must be a billing or client event type other than `client.erased`; for counted usage send a negative count, for a roll-up a new `usage.day_set`, found `"usage.counted"`"#);
    insta::assert_snapshot!(message("counted", "{}"), @r#"`type` must be a known event type; did you mean `usage.counted`?, found `"counted"`"#);
    insta::assert_snapshot!(message("usage.counted", &format!(r#"{{"metric":"{}"}}"#, "x\\n".repeat(2_049))), @r#"`data.metric` must be text of at most 4096 bytes of UTF-8, found `"x\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\…`"#);
}

mod edges;

//! The engine against the naive oracle: the same questions about the same logs, one answer.
//!
//! The oracle answers from the raw list of events, from the start, in code of its own. Logs are random ones, small and full
//! of corners, and a small edition of the demo's book.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by a panic and says what it skipped"
)]

use healthfold::{Engine, Event, Model, ReadOptions, Settings};
use healthfold_testkit::book::{BookSpec, book_lines};
use healthfold_testkit::case::{Refusal, ask, differences};
use healthfold_testkit::oracle::Oracle;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const TOLERANCE: f64 = 1e-9;
/// How many clients of a book are asked about, about.
const SAMPLE: usize = 8;

/// One log, twice.
struct Both {
    engine: Engine,
    oracle: Oracle,
    events: Vec<Value>,
    faults: Vec<String>,
    asked: usize,
}

impl Both {
    fn of(lines: &[String], zone: &str) -> Self {
        let mut engine = Engine::new(Settings { timezone: zone.to_owned(), ..Settings::default() }).unwrap();
        let log = lines.join("\n");
        engine.apply_ndjson(log.as_bytes(), &ReadOptions::default()).unwrap();
        let good = lines.iter().filter(|line| Event::from_json(line.as_bytes()).is_ok());
        let events: Vec<Value> = good.map(|line| serde_json::from_str(line).unwrap()).collect();
        let oracle = Oracle::new(&events, zone);
        Self { engine, oracle, events, faults: Vec::new(), asked: 0 }
    }

    /// All ids that were ever named, so that unknown, merged and erased ones are asked about, too.
    fn ids(&self) -> BTreeSet<String> {
        let ids: BTreeSet<String> =
            self.events.iter().map(|event| event["subject"].as_str().unwrap().to_owned()).collect();
        // The oracle is slow on purpose: of a large book some clients must do.
        let step = (ids.len() / SAMPLE).max(1);
        let mut ids: BTreeSet<String> = ids.into_iter().step_by(step).collect();
        ids.insert("nobody".to_owned());
        ids
    }

    fn compare(&mut self, expected: Result<Value, String>, call: &str, args: &Value, free: &[&str]) {
        let found = ask(&self.engine, call, args);
        self.asked += 1;
        let path = format!("{call} {args}");
        match (expected, found) {
            (Ok(mut expected), Ok(found)) => {
                for member in free {
                    expected.as_object_mut().unwrap().remove(*member);
                }
                self.faults.extend(differences(&expected, &found, TOLERANCE, &path));
            }
            (Err(expected), Err(Refusal { code, .. })) if expected == code => {}
            (expected, found) => self.faults.push(format!("{path}: oracle {expected:?}, engine {found:?}")),
        }
    }

    fn signals(&mut self, specs: &[Value], instants: &[&str]) {
        for client in self.ids() {
            for as_of in instants {
                for spec in specs {
                    let expected = self.oracle.signal(&client, spec, as_of);
                    self.compare(
                        expected,
                        "signal",
                        &json!({"client": client, "spec": spec, "as_of": as_of}),
                        &[],
                    );
                }
            }
        }
    }

    fn scores(&mut self, models: &[Value], instants: &[&str]) {
        for client in self.ids() {
            for as_of in instants {
                for model in models {
                    let expected = self.oracle.score(&client, model, as_of);
                    self.compare(
                        expected,
                        "score",
                        &json!({"client": client, "model": model, "as_of": as_of}),
                        &[],
                    );
                }
            }
        }
    }

    fn revenue(&mut self, periods: &[&str], settings: &[Value]) {
        for period in periods {
            for setting in settings {
                let mut args = setting.clone();
                args["period"] = json!(period);
                // Settings are named alike, but each side lists those it knows.
                let expected = self.oracle.revenue(period, setting);
                self.compare(expected, "revenue", &args, &["settings"]);
            }
            let expected =
                self.oracle.movements(period, &json!({})).map(|table| json!({"rows": named(&table["rows"])}));
            // The id of an erased client is known to the engine alone.
            let found = ask(&self.engine, "movements", &json!({"period": period}));
            let found = found.map(|table| json!({"rows": named(&table["rows"])}));
            match (expected, found) {
                (Ok(expected), Ok(found)) => {
                    self.faults.extend(differences(
                        &expected,
                        &found,
                        TOLERANCE,
                        &format!("movements {period}"),
                    ));
                }
                (expected, found) => self.faults.push(format!("movements {period}: {expected:?}, {found:?}")),
            }
        }
    }

    fn agrees(self, log: &str) -> usize {
        let shown: Vec<&String> = self.faults.iter().take(12).collect();
        assert!(self.faults.is_empty(), "{log}: {} faults, first {shown:#?}", self.faults.len());
        self.asked
    }
}

/// Rows without those of erased clients. Of rows whose opening and closing are alike, the contract leaves open which events
/// stand behind them.
fn named(rows: &Value) -> Value {
    let erased = |row: &Value| row["client"].as_str().is_some_and(|client| client.starts_with("erased-"));
    let settled = |row: &Value| {
        let mut row = row.clone();
        if matches!(row["kind"].as_str(), Some("joined_and_left" | "paused_lost")) {
            row["events"] = Value::Null;
        }
        row
    };
    rows.as_array().unwrap().iter().filter(|row| !erased(row)).map(settled).collect()
}

/// Every kind that the oracle knows.
fn signals(counted: &str, other: &str, gauge: &str) -> Vec<Value> {
    vec![
        json!({"kind": "usage_sum", "metric": counted, "days": 7}),
        json!({"kind": "usage_sum", "metric": counted, "days": 30, "offset": 5}),
        json!({"kind": "usage_trend", "metric": counted, "days": 14}),
        json!({"kind": "usage_trend", "metric": counted, "days": 7, "min_base": 5, "through": "yesterday"}),
        json!({"kind": "gauge", "metric": gauge, "days": 14, "take": "last"}),
        json!({"kind": "gauge", "metric": gauge, "days": 30, "take": "mean"}),
        json!({"kind": "gauge", "metric": gauge, "days": 30, "take": "min"}),
        json!({"kind": "gauge", "metric": gauge, "days": 30, "take": "max"}),
        json!({"kind": "ratio", "numerator": other, "denominator": counted, "days": 30}),
        json!({"kind": "ratio", "numerator": other, "denominator": counted, "days": 14, "min_denominator": 5}),
        json!({"kind": "active_users", "days": 1}),
        json!({"kind": "active_users", "days": 7}),
        json!({"kind": "active_users", "days": 30}),
        json!({"kind": "active_trend", "days": 14}),
        json!({"kind": "stickiness", "short": 1, "long": 30}),
        json!({"kind": "seat_use", "days": 30}),
        json!({"kind": "breadth", "days": 14}),
        json!({"kind": "breadth", "days": 14, "metrics": [counted, other, "nothing"]}),
        json!({"kind": "days_since_usage"}),
        json!({"kind": "days_since_usage", "metric": other}),
        json!({"kind": "active_days", "days": 28}),
        json!({"kind": "tickets_opened", "days": 30}),
        json!({"kind": "tickets_opened", "days": 60, "topic": "bug"}),
        json!({"kind": "tickets_opened", "days": 60, "priority": "high"}),
        json!({"kind": "tickets_open"}),
        json!({"kind": "tickets_open", "min_priority": "high", "older_than_days": 3}),
        json!({"kind": "first_response_hours", "days": 60}),
        json!({"kind": "first_response_hours", "days": 60, "quantile": 0.9}),
        json!({"kind": "resolution_hours", "days": 60}),
        json!({"kind": "csat", "days": 60}),
        json!({"kind": "nps", "days": 180}),
        json!({"kind": "mrr"}),
        json!({"kind": "mrr", "currency": "EUR"}),
        json!({"kind": "mrr_trend", "days": 30}),
        json!({"kind": "overdue_days"}),
        json!({"kind": "failed_payments", "days": 30}),
        json!({"kind": "days_to_renewal"}),
        json!({"kind": "tenure_days"}),
        json!({"kind": "sentiment"}),
        json!({"kind": "sentiment", "half_life_days": 30, "max_age_days": 40}),
        json!({"kind": "days_since_contact"}),
        json!({"kind": "days_since_contact", "by": "us", "outcome": "reached"}),
        json!({"kind": "milestone", "milestone": "onboarded"}),
        json!({"kind": "attribute", "key": "size"}),
        json!({"kind": "attribute", "key": "vip"}),
    ]
}

fn models(counted: &str, other: &str) -> Vec<Value> {
    let curve = |points: Value| json!({"points": points});
    let deep = json!({
        "name": "deep", "version": 2, "min_coverage": 0.3, "combine": "mean",
        "signals": {
            "sum": {"kind": "usage_sum", "metric": counted, "days": 14},
            "missed": {"kind": "ratio", "numerator": other, "denominator": counted, "days": 30},
            "wau": {"kind": "active_users", "days": 7},
            "open": {"kind": "tickets_open"},
            "csat": {"kind": "csat", "days": 60},
            "owed": {"kind": "overdue_days"},
            "mood": {"kind": "sentiment", "half_life_days": 30},
            "mrr": {"kind": "mrr", "currency": "USD"},
        },
        "groups": [
            {"name": "use", "weight": 3, "parts": [
                {"signal": "sum", "weight": 2, "curve": curve(json!([[0, 0], [10, 60], [40, 100]]))},
                {"signal": "wau", "curve": {"steps": [[0, 10], [1, 50], [3, 100]]}},
            ], "groups": [
                {"name": "worst", "weight": 0.5, "combine": "min", "parts": [
                    {"signal": "missed", "curve": curve(json!([[0, 100], [1, 0]]))},
                    {"signal": "open", "curve": curve(json!([[0, 100], [4, 0]])), "missing": {"points": 40}},
                ]},
            ]},
            {"name": "best", "weight": 1, "combine": "max", "parts": [
                {"signal": "csat", "curve": curve(json!([[1, 0], [5, 100]]))},
                {"signal": "mood", "curve": curve(json!([[0, 0], [100, 100]]))},
            ]},
            {"name": "nothing", "weight": 0, "parts": [{"signal": "mrr", "curve": curve(json!([[0, 0], [100, 100]]))}]},
        ],
        "adjustments": [
            {"name": "pays much", "signal": "mrr", "curve": curve(json!([[0, 0], [500, 15]]))},
            {"name": "misses", "signal": "missed", "curve": curve(json!([[0.2, 0], [0.5, -60]]))},
        ],
        "limits": [
            {"name": "owes", "when": {"signal": "owed", "above": 20}, "cap": 35},
            {"name": "loved", "when": {"signal": "mood", "at_least": 80}, "floor": 60},
            {"name": "swamped", "when": {"signal": "open", "at_least": 5}, "set": 20},
        ],
        "bands": [{"name": "red", "from": 0}, {"name": "yellow", "from": 40}, {"name": "green", "from": 70}],
    });
    vec![Model::default().to_json().clone(), deep]
}

fn settings() -> Vec<Value> {
    vec![
        json!({}),
        json!({"group_by": "owner"}),
        json!({"group_by": "segment"}),
        json!({"group_by": "plan"}),
        json!({"base": "opening_plus_new"}),
        json!({"only_currency": "USD"}),
        json!({"reactivation_within_days": 10}),
        json!({"past_due_limit_days": 5}),
        json!({"week_factor": "52.142857", "day_factor": "365.25"}),
    ]
}

#[test]
fn agree_on_random_logs() {
    // Where summer time begins and ends inside the log, too.
    let zones = ["UTC", "America/New_York", "Europe/Berlin"];
    let instants = ["2026-02-10", "2026-03-01T00:00:00Z", "2026-03-29T12:34:56.789Z", "2026-05-01T04:00:00Z"];
    let mut asked = 0;
    for seed in 0..24u64 {
        let zone = zones[usize::try_from(seed).unwrap() % zones.len()];
        let lines = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1).log(150);
        let mut both = Both::of(&lines, zone);
        both.signals(&signals("m", "n", "g"), &instants);
        both.scores(&models("m", "n"), &instants);
        both.revenue(&["2026-02", "2026-03", "2026-Q1", "2026-W10"], &settings());
        asked += both.agrees(&format!("seed {seed}, {zone}"));
    }
    println!("{asked} questions, one answer");
}

#[test]
fn a_merge_into_itself_has_no_effect() {
    // Not even that of taking an earlier merge back.
    let merge = |id: &str, into: &str, day: u32| {
        let time = format!("2026-03-{day:02}T10:00:00Z");
        let data = json!({"into": into});
        json!({"id": id, "source": "crm", "type": "client.merged_into", "subject": "c", "time": time, "data": data}).to_string()
    };
    let sentiment = r#"{"id":"3","source":"crm","type":"client.sentiment_set","subject":"d","time":"2026-03-01T10:00:00Z","data":{"value":50}}"#;
    let (away, itself, other) = (
        merge("1", "d", 10),
        merge("2", "c", 11),
        merge("4", "c", 9).replace("\"subject\":\"c\"", "\"subject\":\"a\""),
    );
    let sentiment = sentiment.to_owned();
    for log in
        [[other.clone(), away.clone(), itself.clone(), sentiment.clone()], [sentiment, other, itself, away]]
    {
        let mut both = Both::of(&log, "UTC");
        both.signals(&[json!({"kind": "sentiment"})], &["2026-03-20"]);
        both.agrees("a merge into itself");
    }
}

#[test]
fn agree_on_the_demo_book() {
    let spec = BookSpec { clients: 48, usage_percent: 4, days: 180, ..BookSpec::default() };
    let mut both = Both::of(&book_lines(&spec), "Europe/Berlin");
    let instants = ["2025-03-31", "2025-06-30"];
    both.signals(&signals("calls", "calls_missed", "missed_call_share"), &instants[1..]);
    both.scores(&models("calls", "calls_missed"), &instants);
    both.revenue(&["2025-03", "2025-Q2", "2025"], &settings()[..5]);
    println!("{} questions, one answer", both.agrees("the demo's book"));
}

/// A generator of small logs: xorshift, so that a seed means the same log for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[usize::try_from(self.roll(from.len() as u64)).unwrap()]
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    /// Some instant of January to April, often one that something else happens at, too.
    fn time(&mut self) -> String {
        let (month, day) = (1 + self.roll(4), 1 + self.roll(28));
        match self.roll(5) {
            0 => format!("2026-{month:02}-{day:02}T00:00:00Z"),
            1 => format!("2026-{month:02}-01T00:00:00+01:00"),
            2 => format!("2026-{month:02}-{day:02}T23:59:59.999999-05:00"),
            _ => format!("2026-{month:02}-{day:02}T{:02}:{:02}:00Z", self.roll(24), self.roll(60)),
        }
    }

    fn date(&mut self) -> String {
        format!("2026-{:02}-{:02}", 1 + self.roll(5), 1 + self.roll(28))
    }

    fn count(&mut self) -> Value {
        match self.roll(6) {
            0 => json!(format!("-{}.5", self.roll(4))),
            1 => json!("0.000001"),
            _ => json!(self.roll(9)),
        }
    }

    fn log(&mut self, events: usize) -> Vec<String> {
        let mut lines: Vec<Value> = Vec::new();
        for number in 0..events {
            let earlier = lines.clone();
            let (kind, data) = self.event(&earlier);
            let mut event = json!({
                "id": format!("e{number}"), "source": self.pick(&["app", "desk"]), "type": kind,
                "subject": self.pick(&["a", "b", "c", "d", "e"]), "time": self.time(), "data": data,
            });
            // What a change of a ticket before its opening means is left open by the contract.
            match kind {
                "support.ticket_opened" => {
                    event["time"] = json!(event["time"].as_str().unwrap().replace("-04-", "-03-"))
                }
                // Has a test of its own.
                "client.merged_into" if event["subject"] == data["into"] => event["subject"] = json!("e"),
                "support.ticket_updated" => {
                    event["time"] = json!(format!("2026-04-{:02}T12:00:00Z", 1 + self.roll(28)))
                }
                _ => {}
            }
            if self.chance(10) {
                event["sequence"] = json!(self.roll(3));
            }
            let target = earlier.iter().find(|e| e["id"] == data["id"]);
            if let Some(target) = target.filter(|_| self.chance(85)) {
                event["subject"] = target["subject"].clone();
            }
            lines.push(event);
        }
        lines.iter().map(Value::to_string).collect()
    }

    fn event(&mut self, earlier: &[Value]) -> (&'static str, Value) {
        let ticket = self.pick(&["t1", "t2", "t3", "t4"]);
        let user = self.pick(&["u1", "u2", "u3", "u4"]);
        match self.roll(60) {
            0..=8 => {
                let mut data = json!({"metric": self.pick(&["m", "n", "o"]), "count": self.count()});
                if self.chance(60) {
                    data["user"] = json!(user);
                }
                ("usage.counted", data)
            }
            9..=11 => ("usage.measured", json!({"metric": self.pick(&["g", "m"]), "value": self.count()})),
            12..=14 => {
                let metric = self.pick(&["m", "n"]);
                (
                    "usage.day_set",
                    json!({"metric": metric, "day": self.date(), "count": self.roll(9), "users": [user]}),
                )
            }
            15..=18 => {
                let mut data = json!({"ticket": ticket});
                if self.chance(50) {
                    data["priority"] = json!(self.pick(&["low", "normal", "high", "urgent"]));
                }
                if self.chance(50) {
                    data["topic"] = json!(self.pick(&["bug", "billing", "cancel_request"]));
                }
                ("support.ticket_opened", data)
            }
            19..=20 => {
                ("support.ticket_replied", json!({"ticket": ticket, "by": self.pick(&["agent", "client"])}))
            }
            21 => (
                "support.ticket_updated",
                json!({"ticket": ticket, "priority": self.pick(&["low", "urgent"])}),
            ),
            22..=23 => ("support.ticket_resolved", json!({"ticket": ticket})),
            24 => ("support.ticket_reopened", json!({"ticket": ticket})),
            25..=26 => ("support.ticket_rated", json!({"ticket": ticket, "rating": 1 + self.roll(5)})),
            27..=38 => self.subscription(),
            39..=40 => {
                let (invoice, due) = (self.pick(&["i1", "i2", "i3"]), self.date());
                let amount = self.pick(&["100", "0", "-5", "12.34"]);
                (
                    "billing.invoice_issued",
                    json!({"invoice": invoice, "amount": amount, "currency": "USD", "due": due}),
                )
            }
            41 => ("billing.invoice_paid", json!({"invoice": self.pick(&["i1", "i2", "i3"])})),
            42 => ("billing.invoice_voided", json!({"invoice": self.pick(&["i1", "i2", "i3"])})),
            43 => ("billing.payment_failed", json!({})),
            44 => (
                "billing.payment_plan_set",
                json!({"plan_id": self.pick(&["p1", "p2"]), "until": self.date()}),
            ),
            45..=47 => self.profile(),
            48..=49 => ("client.sentiment_set", json!({"value": self.roll(101)})),
            50 => ("client.nps_answered", json!({"score": self.roll(11), "user": user})),
            51 => ("client.nps_answered", json!({"score": self.roll(11)})),
            52 => {
                let (by, outcome) = (self.pick(&["us", "client"]), self.pick(&["reached", "no_answer"]));
                ("client.contacted", json!({"channel": "call", "by": by, "outcome": outcome}))
            }
            53 => ("client.milestone_reached", json!({"milestone": self.pick(&["onboarded", "live"])})),
            54 => {
                let kind = self.pick(&["score", "cap", "floor"]);
                let (value, until) = (self.roll(101), self.date());
                (
                    "client.override_set",
                    json!({"kind": kind, "value": value, "reason": "r", "by": "ann", "until": until}),
                )
            }
            55 => ("client.churn_reason_set", json!({"reason": "price", "voluntary": self.chance(50)})),
            56 if self.chance(50) => {
                ("client.merged_into", json!({"into": self.pick(&["a", "b", "c", "d"])}))
            }
            57 if self.chance(15) => ("client.erased", json!({})),
            _ => self.retraction(earlier),
        }
    }

    fn subscription(&mut self) -> (&'static str, Value) {
        let (unit, count) =
            (self.pick(&["month", "month", "month", "year", "week", "day"]), 1 + self.roll(3));
        let mut data = json!({
            "subscription": self.pick(&["s1", "s1", "s2"]),
            "status": self.pick(&["active", "active", "active", "trialing", "past_due", "paused", "cancelled"]),
            "amount": self.pick(&["10", "10", "25", "99.99", "0", "7.000001"]),
            "currency": self.pick(&["USD", "USD", "USD", "EUR"]),
            "interval": {"unit": unit, "count": count},
        });
        if self.chance(40) {
            data["plan"] = json!(self.pick(&["basic", "pro"]));
        }
        if self.chance(30) {
            data["seats"] = json!(self.roll(5));
        }
        if self.chance(20) {
            data["cancel_at"] = json!(self.date());
        }
        if self.chance(20) {
            data["term_end"] = json!(self.date());
        }
        ("billing.subscription_set", data)
    }

    fn profile(&mut self) -> (&'static str, Value) {
        let mut data = json!({});
        if self.chance(50) {
            data["owner"] = json!(self.pick(&["ann", "bob", ""]));
        }
        if self.chance(50) {
            data["segment"] = json!(self.pick(&["small", "large"]));
        }
        if self.chance(50) {
            data["attributes"] = json!({"size": self.roll(50), "vip": self.chance(50)});
        }
        ("client.set", data)
    }

    fn retraction(&mut self, earlier: &[Value]) -> (&'static str, Value) {
        let can_go = |event: &&Value| {
            let kind = event["type"].as_str().unwrap_or_default();
            (kind.starts_with("billing.") || kind.starts_with("client.")) && kind != "client.erased"
        };
        let targets: Vec<&Value> = earlier.iter().filter(can_go).collect();
        if targets.is_empty() {
            return ("client.sentiment_set", json!({"value": 50}));
        }
        let target = targets[usize::try_from(self.roll(targets.len() as u64)).unwrap()];
        ("event.retracted", json!({"source": target["source"], "id": target["id"], "type": target["type"]}))
    }
}

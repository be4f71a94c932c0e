//! A book small enough to add up on paper, and what it answers, as JSON.

use healthfold::{Engine, Event, Period, RevenueOptions, Settings};
use serde_json::{Value, json, to_value};

/// The day from which clients pay unless another is given: before every period that is asked about.
pub(crate) const BEFORE: &str = "2026-01-05";

pub(crate) struct Book {
    pub(crate) engine: Engine,
    events: u32,
}

impl Book {
    pub(crate) fn new() -> Self {
        Self::in_zone("UTC")
    }

    pub(crate) fn in_zone(timezone: &str) -> Self {
        let settings = Settings { timezone: timezone.into(), ..Settings::default() };
        Self { engine: Engine::new(settings).unwrap(), events: 0 }
    }

    /// An event at an instant, or at the first instant of a day in UTC.
    pub(crate) fn event(&mut self, kind: &str, client: &str, time: &str, data: Value) -> &mut Self {
        self.events += 1;
        let time = if time.contains('T') { time.to_owned() } else { format!("{time}T00:00:00Z") };
        let event = json!({"id": format!("e{}", self.events), "source": "test", "type": kind, "subject": client,
            "time": time, "data": data});
        assert!(self.engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap()).unwrap());
        self
    }

    /// From an instant on a client pays so much a month.
    pub(crate) fn pays(&mut self, client: &str, time: &str, amount: u32) -> &mut Self {
        self.pays_with(client, time, amount, json!({}))
    }

    /// The same, with more about the subscription.
    pub(crate) fn pays_with(&mut self, client: &str, time: &str, amount: u32, more: Value) -> &mut Self {
        let mut data = json!({"subscription": "s", "status": "active", "amount": amount, "currency": "USD",
            "interval": {"unit": "month"}});
        for (name, value) in more.as_object().unwrap() {
            data[name] = value.clone();
        }
        self.event("billing.subscription_set", client, time, data)
    }

    pub(crate) fn leaves(&mut self, client: &str, time: &str) -> &mut Self {
        self.event(
            "billing.subscription_set",
            client,
            time,
            json!({"subscription": "s", "status": "cancelled"}),
        )
    }

    pub(crate) fn is(&mut self, client: &str, time: &str, data: Value) -> &mut Self {
        self.event("client.set", client, time, data)
    }

    pub(crate) fn said(&mut self, client: &str, time: &str, reason: &str, voluntary: bool) -> &mut Self {
        self.event("client.churn_reason_set", client, time, json!({"reason": reason, "voluntary": voluntary}))
    }

    pub(crate) fn period(&self, text: &str) -> Period {
        Period::parse(text, self.engine.zone()).unwrap()
    }

    pub(crate) fn revenue(&self, period: &str, settings: Value) -> Value {
        to_value(self.engine.revenue(self.period(period), &options(settings)).unwrap()).unwrap()
    }

    pub(crate) fn movements(&self, period: &str) -> Value {
        to_value(self.engine.movements(self.period(period), &options(json!({}))).unwrap()).unwrap()
    }
}

pub(crate) fn options(settings: Value) -> RevenueOptions {
    RevenueOptions::from_json(&settings.to_string()).unwrap()
}

/// The member at a path such as `total.nrr.value`.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    value.pointer(&format!("/{}", path.replace('.', "/"))).unwrap_or_else(|| panic!("no {path} in {value}"))
}

/// The row of a list whose member is a value.
pub(crate) fn row<'v>(rows: &'v Value, member: &str, wanted: impl Into<Value>) -> &'v Value {
    let wanted = wanted.into();
    let found = rows.as_array().unwrap().iter().find(|row| row[member] == wanted);
    found.unwrap_or_else(|| panic!("no row with {member} {wanted} in {rows}"))
}

/// Binary numbers agree to the last digits that a division leaves.
pub(crate) fn near(value: &Value, expected: f64) {
    let found = value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

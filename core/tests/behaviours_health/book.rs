//! A book small enough to add up on paper, and the recipes of the page.

use healthfold::{
    ClientId, Day, Engine, Event, Finding, HealthScore, Instant, LintCode, Model, Reading, Settings,
    Severity, SignalSpec,
};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../docs/recipes.md");

pub(crate) struct Book {
    pub(crate) engine: Engine,
    events: u32,
}

impl Book {
    pub(crate) fn new() -> Self {
        Self { engine: Engine::new(Settings::default()).unwrap(), events: 0 }
    }

    /// An event at an instant, or at the first instant of a day in UTC.
    pub(crate) fn event(&mut self, kind: &str, client: &str, time: &str, data: Value) -> &mut Self {
        self.events += 1;
        let time = if time.contains('T') { time.to_owned() } else { format!("{time}T00:00:00Z") };
        let event = json!({"id": format!("e{}", self.events), "source": "app", "type": kind, "subject": client,
            "time": time, "data": data});
        assert!(self.engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap()).unwrap());
        self
    }

    /// What the base group of a recipe without groups reads: the score before anything else.
    pub(crate) fn stands_at(&mut self, client: &str, points: u32) -> &mut Self {
        self.is(client, "2024-01-01", json!({"attributes": {"base": points}}))
    }

    pub(crate) fn is(&mut self, client: &str, time: &str, data: Value) -> &mut Self {
        self.event("client.set", client, time, data)
    }

    pub(crate) fn reaches(&mut self, client: &str, time: &str, milestone: &str) -> &mut Self {
        self.event("client.milestone_reached", client, time, json!({"milestone": milestone}))
    }

    /// A ticket of a topic, or of none where it is empty. Its id is new.
    pub(crate) fn asks(&mut self, client: &str, time: &str, topic: &str) -> &mut Self {
        let topic = if topic.is_empty() { Value::Null } else { json!(topic) };
        let ticket = format!("T-{}", self.events);
        self.event("support.ticket_opened", client, time, json!({"ticket": ticket, "topic": topic}))
    }

    pub(crate) fn uses(&mut self, client: &str, day: &str, metric: &str, count: u32) -> &mut Self {
        let data = json!({"metric": metric, "day": day, "count": count});
        self.event("usage.day_set", client, &format!("{day}T23:00:00Z"), data)
    }

    /// Its one subscription from an instant on, at 10 USD a month, with more about it.
    pub(crate) fn subscribes(&mut self, client: &str, time: &str, status: &str, more: Value) -> &mut Self {
        let mut data = json!({"subscription": "s", "status": status, "amount": "10", "currency": "USD",
            "interval": {"unit": "month"}});
        for (name, value) in more.as_object().unwrap() {
            data[name] = value.clone();
        }
        self.event("billing.subscription_set", client, time, data)
    }

    pub(crate) fn pays(&mut self, client: &str, time: &str) -> &mut Self {
        self.subscribes(client, time, "active", json!({}))
    }

    pub(crate) fn leaves(&mut self, client: &str, time: &str) -> &mut Self {
        self.subscribes(client, time, "cancelled", json!({}))
    }

    pub(crate) fn as_of(&self, text: &str) -> Instant {
        self.engine.zone().as_of(text).unwrap()
    }

    pub(crate) fn score(&self, client: &str, model: &Model, as_of: &str) -> HealthScore {
        self.engine.score(&ClientId::new(client), model, self.as_of(as_of)).unwrap()
    }

    /// The score as a number, which must be there.
    pub(crate) fn points(&self, client: &str, model: &Model, as_of: &str) -> f64 {
        self.score(client, model, as_of).score.unwrap()
    }

    pub(crate) fn signal(&self, client: &str, signal: Value, as_of: &str) -> Reading {
        self.engine.signal(&ClientId::new(client), &spec(signal), self.as_of(as_of)).unwrap()
    }
}

pub(crate) fn spec(signal: Value) -> SignalSpec {
    SignalSpec::from_json(&signal.to_string()).unwrap()
}

/// The day so many days later.
pub(crate) fn day(text: &str, plus: i32) -> String {
    text.parse::<Day>().unwrap().plus(plus).to_string()
}

pub(crate) fn bands() -> Value {
    json!([{"name": "red", "from": 0}, {"name": "yellow", "from": 40}, {"name": "green", "from": 70}])
}

/// The block of the page under a heading.
fn block(heading: &str) -> Value {
    let behind =
        PAGE.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no recipe {heading}")).1;
    let block = behind.split_once("```json\n").unwrap().1.split_once("```").unwrap().0;
    serde_json::from_str(block).unwrap_or_else(|error| panic!("{heading}: {error}"))
}

/// The document of a recipe: a whole model set as it stands; a piece with a name, bands and, where it has no groups, a group
/// of one part that reads the attribute `base`.
pub(crate) fn document(heading: &str) -> Value {
    let mut document = block(heading);
    if document.get("models").is_none() {
        document["name"] = json!(heading);
        document["bands"] = bands();
        if document.get("groups").is_none() {
            document["signals"]["base"] = json!({"kind": "attribute", "key": "base"});
            document["groups"] = json!([{"name": "base", "parts": [{"signal": "base", "curve": {"points": [[0, 0], [100, 100]]}}]}]);
        }
    }
    document
}

pub(crate) fn recipe(heading: &str) -> Model {
    Model::from_value(&document(heading)).unwrap_or_else(|error| panic!("{heading}: {error}"))
}

/// The points that an adjustment or limit added.
pub(crate) fn effect(health: &HealthScore, name: &str) -> f64 {
    let mut named = health.adjustments.iter().chain(&health.limits).filter(|effect| effect.name == name);
    let effect = named.next().unwrap_or_else(|| panic!("no effect {name} in {health:?}")).effect;
    assert!(named.next().is_none(), "{name} stands twice");
    effect
}

/// Binary numbers agree to the last digits that arithmetic leaves.
pub(crate) fn near(found: f64, by_hand: f64) {
    assert!((found - by_hand).abs() < 1e-9, "{found} is not {by_hand}");
}

#[test]
fn every_recipe_of_the_page_is_a_model_without_warnings() {
    let headings: Vec<&str> = PAGE.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(headings.len(), PAGE.matches("```json").count(), "one block for each heading");
    for heading in headings {
        let anchor = heading.to_lowercase().replace(',', "").replace(' ', "-");
        assert!(PAGE.contains(&format!("](#{anchor})")), "{heading} is in the table");
        let model = recipe(heading);
        // A piece by itself is small, so that one part of it may well decide.
        let warns = |finding: &Finding| {
            finding.severity == Severity::Warning && finding.code != LintCode::OnePartCrossesBand
        };
        let warnings: Vec<Finding> = model.lint().into_iter().filter(warns).collect();
        assert!(warnings.is_empty(), "{heading}: {warnings:?}");
    }
}

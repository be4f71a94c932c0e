//! Conditions: one grammar for the limits of a model and for choosing one.

use crate::event::Attribute;
use crate::signal::behind::{Between, moves_paying, moves_tenure, moves_trial};
use crate::signal::named::{self, SignalNames};
use crate::signal::params::{Faults, Object, Param, found};
use crate::signal::{SignalSpec, View};
use crate::state::history::HistoryRow;
use crate::time::{Day, Instant};
use crate::timeline::Timeline;
use serde_json::{Value, json};

/// Bounds on a number; all of them must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Bounds {
    pub(super) above: Option<f64>,
    pub(super) at_least: Option<f64>,
    pub(super) below: Option<f64>,
    pub(super) at_most: Option<f64>,
    pub(super) equals: Option<f64>,
}

impl Bounds {
    pub(crate) fn read(object: &mut Object<'_>, faults: &mut Faults) -> Option<Self> {
        let before = faults.count();
        let bounds = Self {
            above: object.optional("above", faults),
            at_least: object.optional("at_least", faults),
            below: object.optional("below", faults),
            at_most: object.optional("at_most", faults),
            equals: object.optional("equals", faults),
        };
        if bounds == Self::default() && faults.count() == before {
            let path = object.path("above");
            faults.add(path, "must be given, or one of `at_least`, `below`, `at_most`, `equals`");
        }
        (faults.count() == before).then_some(bounds)
    }

    /// The whole numbers from 1 up to a greatest one that do not answer as the one before them does.
    fn turns(&self, greatest: i32) -> impl Iterator<Item = i32> {
        let turns = |n: &i32| self.hold(f64::from(*n)) != self.hold(f64::from(*n - 1));
        (1..=greatest).filter(turns)
    }

    pub(crate) fn hold(&self, x: f64) -> bool {
        self.above.is_none_or(|bound| x > bound)
            && self.at_least.is_none_or(|bound| x >= bound)
            && self.below.is_none_or(|bound| x < bound)
            && self.at_most.is_none_or(|bound| x <= bound)
            && self.equals.is_none_or(|bound| x == bound)
    }
}

/// The value an attribute is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wanted {
    Text(String),
    Number(f64),
    Flag(bool),
}

impl Param for Wanted {
    const EXPECTS: &'static str = "text, a number, true or false";
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Bool(flag) => Some(Self::Flag(*flag)),
            Value::Number(_) => f64::read(value).map(Self::Number),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
    fn schema() -> Value {
        json!({"type": ["string", "number", "boolean"]})
    }
}

/// What a condition is tested on.
pub(crate) struct Tested<'t> {
    pub(crate) view: &'t View<'t>,
    /// The values of the signals that the condition may name.
    pub(crate) reading: &'t dyn Fn(usize) -> Option<f64>,
    /// The client's lifecycle stage, where the model set names stages and one of them holds.
    pub(crate) stage: Option<&'t str>,
}

/// A test of a client at an instant. What is missing makes it neither true nor false.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Signal { signal: usize, bounds: Bounds },
    Segment(String),
    Tag(String),
    Attribute { key: String, equals: Wanted },
    Paying(bool),
    Trial(bool),
    TenureDays(Bounds),
    Milestone(String),
    Stage(String),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

const KINDS: &str = "one of `signal`, `segment`, `tag`, `attribute`, `paying`, `trial`, `tenure_days`, `milestone`, `stage`, `all`, `any`, `not`";

impl Condition {
    pub(crate) fn read(
        path: &str,
        value: &Value,
        signals: &SignalNames<'_>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let mut object = Object::at(path, value, faults)?;
        let before = faults.count();
        let condition = Self::read_kind(path, value, &mut object, signals, faults);
        if condition.is_some() {
            object.finish(faults);
        }
        condition.filter(|_| faults.count() == before)
    }

    fn read_kind(
        path: &str,
        value: &Value,
        object: &mut Object<'_>,
        signals: &SignalNames<'_>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let members = value.as_object()?;
        let has = |name: &str| members.contains_key(name);
        if has("signal") {
            let signal = signals.required(object, faults);
            let bounds = Bounds::read(object, faults);
            return Some(Self::Signal { signal: signal?, bounds: bounds? });
        }
        if has("attribute") {
            let (key, equals) = (object.required("attribute", faults), object.required("equals", faults));
            return Some(Self::Attribute { key: key?, equals: equals? });
        }
        if has("tenure_days") {
            let inner = some(object, "tenure_days", "an object of bounds", faults)?;
            let mut bounds = Object::at(&object.path("tenure_days"), inner, faults)?;
            let read = Bounds::read(&mut bounds, faults);
            bounds.finish(faults);
            return read.map(Self::TenureDays);
        }
        if has("not") {
            let inner = some(object, "not", "a condition", faults)?;
            return Self::read(&object.path("not"), inner, signals, faults)
                .map(|inner| Self::Not(Box::new(inner)));
        }
        for (name, make) in [("all", Self::All as fn(Vec<Self>) -> Self), ("any", Self::Any)] {
            if has(name) {
                let items = object.list(name, faults);
                if items.is_empty() {
                    faults.add(object.path(name), "must be a list of at least one condition");
                }
                let read: Vec<Option<Self>> =
                    items.into_iter().map(|(path, item)| Self::read(&path, item, signals, faults)).collect();
                return read.into_iter().collect::<Option<Vec<Self>>>().map(make);
            }
        }
        if has("segment") {
            return object.required("segment", faults).map(Self::Segment);
        }
        if has("tag") {
            return object.required("tag", faults).map(Self::Tag);
        }
        if has("paying") {
            return object.required("paying", faults).map(Self::Paying);
        }
        if has("trial") {
            return object.required("trial", faults).map(Self::Trial);
        }
        if has("milestone") {
            return object.required("milestone", faults).map(Self::Milestone);
        }
        if has("stage") {
            return signals.stage(object, faults).map(Self::Stage);
        }
        faults.add(path, format!("must be {KINDS}, found {}", found(value)));
        None
    }

    /// Whether the condition holds; what is missing at the end is false.
    pub(crate) fn holds(&self, of: &Tested<'_>) -> bool {
        self.test(of).unwrap_or(false)
    }

    /// True, false or missing: true or missing is true, false and missing is false.
    fn test(&self, of: &Tested<'_>) -> Option<bool> {
        let view = of.view;
        let profile = &view.state.profile;
        match self {
            Self::Signal { signal, bounds } => (of.reading)(*signal).map(|x| bounds.hold(x)),
            Self::Segment(segment) => {
                let stated = profile.stated.segment.value_at(view.at).and_then(Option::as_ref);
                Some(stated.is_some_and(|stated| stated.as_str() == segment))
            }
            Self::Tag(tag) => {
                let stated = profile.stated.tags.value_at(view.at).and_then(Option::as_ref);
                Some(stated.is_some_and(|tags| tags.as_slice().iter().any(|stated| stated.as_str() == tag)))
            }
            Self::Attribute { key, equals } => {
                let stated =
                    profile.stated.attributes.get(key.as_str()).and_then(|values| values.value_at(view.at));
                stated.and_then(Option::as_ref).map(|stated| match (stated, equals) {
                    (Attribute::Text(text), Wanted::Text(wanted)) => text.as_str() == wanted,
                    (Attribute::Number(number), Wanted::Number(wanted)) => number.to_f64() == *wanted,
                    (Attribute::Flag(flag), Wanted::Flag(wanted)) => flag == wanted,
                    (Attribute::Text(_) | Attribute::Number(_) | Attribute::Flag(_), _) => false,
                })
            }
            Self::Paying(wanted) => Some(view.pays() == *wanted),
            Self::Trial(wanted) => Some(crate::signal::billing::on_trial(view) == *wanted),
            Self::TenureDays(bounds) => view.tenure_days().map(|days| bounds.hold(f64::from(days))),
            Self::Milestone(milestone) => Some(view.reached(milestone).is_some()),
            // Where no stage holds the client is surely not in this one.
            Self::Stage(stage) => Some(of.stage == Some(stage)),
            Self::All(inner) => all(inner.iter().map(|condition| condition.test(of))),
            // Any is not all-not.
            Self::Any(inner) => {
                all(inner.iter().map(|condition| condition.test(of).map(|holds| !holds))).map(|none| !none)
            }
            Self::Not(inner) => inner.test(of).map(|holds| !holds),
        }
    }

    /// Adds the days on which the answer for a client can become another one; false if it can be any day.
    pub(crate) fn turning_days(&self, view: &View<'_>, days: &mut Vec<Day>) -> bool {
        let profile = &view.state.profile;
        let day = |at: Instant| view.zone.day(at);
        match self {
            Self::Signal { .. } => return false,
            Self::Segment(_) => {
                days.extend(profile.stated.segment.entries().iter().map(|entry| day(entry.at())))
            }
            Self::Tag(_) => days.extend(profile.stated.tags.entries().iter().map(|entry| day(entry.at()))),
            Self::Attribute { key, .. } => {
                let stated = profile.stated.attributes.get(key.as_str()).map(Timeline::entries);
                days.extend(stated.into_iter().flatten().map(|entry| day(entry.at())));
            }
            Self::Paying(_) | Self::Trial(_) => {
                for entry in view.state.billing.subscriptions.values().flat_map(Timeline::entries) {
                    days.push(day(entry.at()));
                    days.extend(entry.value.ends_at(view.zone).map(day));
                }
            }
            Self::TenureDays(bounds) => {
                let Some(tenure) = view.tenure_days() else { return true };
                let began = view.today.plus(-tenure);
                days.push(began);
                for days_from in bounds.turns(tenure) {
                    days.push(began.plus(days_from));
                }
            }
            Self::Milestone(milestone) => days.extend(view.reached(milestone).map(day)),
            // A stage is not told by a stage.
            Self::Stage(_) => {}
            Self::All(inner) | Self::Any(inner) => {
                return inner.iter().all(|inner| inner.turning_days(view, days));
            }
            Self::Not(inner) => return inner.turning_days(view, days),
        }
        true
    }

    /// Whether a row of a client's history can have changed the answer.
    pub(crate) fn behind(
        &self,
        row: &HistoryRow,
        between: &Between<'_>,
        signals: &[(String, SignalSpec)],
    ) -> bool {
        let profile = &between.later().state.profile;
        match self {
            Self::Signal { signal, .. } => named::behind(signals, *signal, row, between),
            Self::Segment(_) => between.states(row, Some(&profile.stated.segment)),
            Self::Tag(_) => between.states(row, Some(&profile.stated.tags)),
            Self::Attribute { key, .. } => between.states_attribute(row, key),
            Self::Paying(_) => moves_paying(row, between),
            Self::Trial(_) => moves_trial(row, between),
            Self::TenureDays(_) => moves_tenure(row, between),
            Self::Milestone(milestone) => between.reaches(row, milestone),
            // What made the stage is told with the stage.
            Self::Stage(_) => false,
            Self::All(inner) | Self::Any(inner) => {
                inner.iter().any(|inner| inner.behind(row, between, signals))
            }
            Self::Not(inner) => inner.behind(row, between, signals),
        }
    }

    /// Shows every signal the condition speaks of.
    pub(crate) fn for_each_signal(&self, see: &mut dyn FnMut(usize)) {
        match self {
            Self::Signal { signal, .. } => see(*signal),
            Self::All(inner) | Self::Any(inner) => inner.iter().for_each(|inner| inner.for_each_signal(see)),
            Self::Not(inner) => inner.for_each_signal(see),
            Self::Segment(_)
            | Self::Tag(_)
            | Self::Attribute { .. }
            | Self::Paying(_)
            | Self::Trial(_)
            | Self::TenureDays(_)
            | Self::Milestone(_)
            | Self::Stage(_) => {}
        }
    }

    /// The first signal the condition speaks of.
    pub(crate) fn first_signal(&self) -> Option<usize> {
        let mut first = None;
        self.for_each_signal(&mut |signal| first = first.or(Some(signal)));
        first
    }
}

/// A member that is there but may be null, which it must not be.
fn some<'v>(
    object: &mut Object<'v>,
    name: &'static str,
    allowed: &str,
    faults: &mut Faults,
) -> Option<&'v Value> {
    let value = object.value(name);
    if value.is_none() {
        faults.add(object.path(name), format!("must be {allowed}, found `null`"));
    }
    value
}

/// False if one is false, else missing if one is missing, else true.
fn all(tests: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut so_far = Some(true);
    for test in tests {
        match test {
            Some(false) => return Some(false),
            Some(true) => {}
            None => so_far = None,
        }
    }
    so_far
}

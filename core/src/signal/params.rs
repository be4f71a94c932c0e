//! Reading the parameters of signals and models from JSON, with every fault reported at once and by path.

use crate::document;
use serde_json::{Map, Value, json};

/// One fault of a document: where, and what is allowed there.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Issue {
    /// The path, such as `groups[0].parts[1].curve`.
    pub path: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

/// A model or a signal with faults: all of them, in the order of the document.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[error("{}", summary(.issues))]
pub struct ModelError {
    /// The faults.
    pub issues: Vec<Issue>,
}

impl From<Vec<document::Fault>> for ModelError {
    fn from(faults: Vec<document::Fault>) -> Self {
        let issue = |document::Fault { path, message }| Issue { path, message };
        Self { issues: faults.into_iter().map(issue).collect() }
    }
}

fn summary(issues: &[Issue]) -> String {
    let shown: Vec<String> =
        issues.iter().take(3).map(|issue| format!("`{}`: {}", issue.path, issue.message)).collect();
    match issues.len() {
        0 => "the model has no faults".to_owned(),
        n if n > shown.len() => format!("{} (and {} more)", shown.join("; "), n - shown.len()),
        _ => shown.join("; "),
    }
}

/// The faults found so far.
#[derive(Default)]
pub(crate) struct Faults {
    issues: Vec<Issue>,
}

impl Faults {
    pub(crate) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.issues.push(Issue { path: path.into(), message: message.into() });
    }

    pub(crate) fn count(&self) -> usize {
        self.issues.len()
    }

    /// The value if there was no fault.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, ModelError> {
        match value {
            Some(value) if self.issues.is_empty() => Ok(value),
            _ => Err(ModelError { issues: self.issues }),
        }
    }
}

/// How a fault names what was found.
pub(crate) fn found(value: &Value) -> String {
    let text = value.to_string();
    let shown: String = text.chars().take(40).collect();
    format!("`{shown}{}`", if text.chars().nth(40).is_some() { "…" } else { "" })
}

/// A type that a parameter can have.
pub(crate) trait Param: Sized {
    /// What is allowed, for messages and the reference.
    const EXPECTS: &'static str;
    fn read(value: &Value) -> Option<Self>;
    /// The JSON Schema of the value.
    fn schema() -> Value;
    /// The value of a parameter that is left out; `None` makes the parameter required.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Param> Param for Option<T> {
    const EXPECTS: &'static str = T::EXPECTS;
    fn read(value: &Value) -> Option<Self> {
        T::read(value).map(Some)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn schema() -> Value {
        T::schema()
    }
}

impl Param for f64 {
    const EXPECTS: &'static str = "a number";
    fn read(value: &Value) -> Option<Self> {
        value.as_f64().filter(|number| number.is_finite())
    }
    fn schema() -> Value {
        json!({"type": "number"})
    }
}

/// The greatest whole number up to which a float has every one: 2^53.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// A whole number of at least 0. With a fraction of nothing it is one, too: `7.0` is `7`, as JSON Schema has it.
pub(crate) fn whole(value: &Value) -> Option<u64> {
    let of_float = |number: f64| {
        let exact = (0.0..=MOST_EXACT).contains(&number) && number.fract() == 0.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, from 0 to 2^53")]
        exact.then_some(number as u64)
    };
    value.as_u64().or_else(|| value.as_f64().and_then(of_float))
}

impl Param for String {
    const EXPECTS: &'static str = "non-empty text";
    fn read(value: &Value) -> Option<Self> {
        value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }
    fn schema() -> Value {
        json!({"type": "string", "minLength": 1})
    }
}

impl Param for bool {
    const EXPECTS: &'static str = "true or false";
    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }
    fn schema() -> Value {
        json!({"type": "boolean"})
    }
}

/// A number of calendar days of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Days(pub(crate) i32);

impl Param for Days {
    const EXPECTS: &'static str = "a whole number of days from 1 to 36500";
    fn read(value: &Value) -> Option<Self> {
        let days = whole(value).and_then(|days| i32::try_from(days).ok());
        days.filter(|days| (1..=36_500).contains(days)).map(Self)
    }
    fn schema() -> Value {
        json!({"type": "integer", "minimum": 1, "maximum": 36_500})
    }
}

/// How many of something there must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AtLeast(pub(crate) usize);

impl Param for AtLeast {
    const EXPECTS: &'static str = "a whole number from 1 to 1000";
    fn read(value: &Value) -> Option<Self> {
        let number = whole(value).and_then(|number| usize::try_from(number).ok());
        number.filter(|number| (1..=1000).contains(number)).map(Self)
    }

    fn schema() -> Value {
        json!({"type": "integer", "minimum": 1, "maximum": 1000})
    }
}

/// A number of days that may be 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Age(pub(crate) i32);

impl Param for Age {
    const EXPECTS: &'static str = "a whole number of days from 0 to 36500";
    fn read(value: &Value) -> Option<Self> {
        let days = whole(value).and_then(|days| i32::try_from(days).ok());
        days.filter(|days| (0..=36_500).contains(days)).map(Self)
    }
    fn schema() -> Value {
        json!({"type": "integer", "minimum": 0, "maximum": 36_500})
    }
}

/// A number above 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Positive(pub(crate) f64);

impl Param for Positive {
    const EXPECTS: &'static str = "a number above 0";
    fn read(value: &Value) -> Option<Self> {
        f64::read(value).filter(|number| *number > 0.0).map(Self)
    }
    fn schema() -> Value {
        json!({"type": "number", "exclusiveMinimum": 0})
    }
}

/// A number of at least 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NotNegative(pub(crate) f64);

impl Param for NotNegative {
    const EXPECTS: &'static str = "a number of at least 0";
    fn read(value: &Value) -> Option<Self> {
        f64::read(value).filter(|number| *number >= 0.0).map(Self)
    }
    fn schema() -> Value {
        json!({"type": "number", "minimum": 0})
    }
}

/// A weight. Beyond these bounds sums of weights overflow, or points times weight lose their digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Weight(pub(crate) f64);

impl Param for Weight {
    const EXPECTS: &'static str = "0, or a number from 1e-9 to 1e9";
    fn read(value: &Value) -> Option<Self> {
        let known = |weight: &f64| *weight == 0.0 || (1e-9..=1e9).contains(weight);
        f64::read(value).filter(known).map(Self)
    }
    fn schema() -> Value {
        let tiny = json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e-9});
        json!({"type": "number", "minimum": 0, "maximum": 1e9, "not": tiny})
    }
}

/// A share from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share(pub(crate) f64);

impl Param for Share {
    const EXPECTS: &'static str = "a number from 0 to 1";
    fn read(value: &Value) -> Option<Self> {
        f64::read(value).filter(|number| (0.0..=1.0).contains(number)).map(Self)
    }
    fn schema() -> Value {
        json!({"type": "number", "minimum": 0, "maximum": 1})
    }
}

/// A list of names, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names(pub(crate) Vec<String>);

impl Param for Names {
    const EXPECTS: &'static str = "a list of at least one name, each once";
    fn read(value: &Value) -> Option<Self> {
        let names: Vec<String> = value.as_array()?.iter().map(String::read).collect::<Option<_>>()?;
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        (!names.is_empty() && sorted.len() == names.len()).then_some(Self(names))
    }
    fn schema() -> Value {
        json!({"type": "array", "items": String::schema(), "minItems": 1, "uniqueItems": true})
    }
}

/// The values a judgement may have, rising.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Steps(pub(crate) Vec<f64>);

impl Param for Steps {
    const EXPECTS: &'static str = "a list of rising numbers from 0 to 100, at least two";
    fn read(value: &Value) -> Option<Self> {
        let steps: Vec<f64> = value.as_array()?.iter().map(f64::read).collect::<Option<_>>()?;
        let inside = steps.iter().all(|step| (0.0..=100.0).contains(step));
        (steps.len() >= 2 && inside && steps.is_sorted_by(|a, b| a < b)).then_some(Self(steps))
    }
    fn schema() -> Value {
        json!({"type": "array", "minItems": 2, "items": {"type": "number", "minimum": 0, "maximum": 100}})
    }
}

impl Param for crate::money::Currency {
    const EXPECTS: &'static str = "a currency of three capital letters";
    fn read(value: &Value) -> Option<Self> {
        value.as_str().and_then(Self::parse)
    }
    fn schema() -> Value {
        json!({"type": "string", "pattern": "^[A-Z]{3}$"})
    }
}

/// A closed set of words.
macro_rules! choice {
    ($type:ty, $expects:literal, $($word:literal => $value:expr),+ $(,)?) => {
        impl $crate::signal::params::Param for $type {
            const EXPECTS: &'static str = $expects;
            fn read(value: &serde_json::Value) -> Option<Self> {
                match value.as_str()? {
                    $($word => Some($value),)+
                    _ => None,
                }
            }
            fn schema() -> serde_json::Value {
                serde_json::json!({"enum": [$($word),+]})
            }
        }
    };
}
pub(crate) use choice;

/// One object of a document: takes its members by name and knows which were not asked for.
pub(crate) struct Object<'v> {
    path: String,
    members: &'v Map<String, Value>,
    known: Vec<&'static str>,
}

impl<'v> Object<'v> {
    /// The object at a path, or a fault.
    pub(crate) fn at(path: &str, value: &'v Value, faults: &mut Faults) -> Option<Self> {
        match value {
            Value::Object(members) => Some(Self { path: path.to_owned(), members, known: Vec::new() }),
            other => {
                faults.add(path, format!("must be an object, found {}", found(other)));
                None
            }
        }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Whether a member is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// A member as it is.
    pub(crate) fn value(&mut self, name: &'static str) -> Option<&'v Value> {
        self.known.push(name);
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A member that may be left out.
    pub(crate) fn optional<T: Param>(&mut self, name: &'static str, faults: &mut Faults) -> Option<T> {
        let value = self.value(name)?;
        let read = T::read(value);
        if read.is_none() {
            faults.add(self.path(name), format!("must be {}, found {}", T::EXPECTS, found(value)));
        }
        read
    }

    /// A member that must be there.
    pub(crate) fn required<T: Param>(&mut self, name: &'static str, faults: &mut Faults) -> Option<T> {
        if self.members.get(name).is_none_or(Value::is_null) {
            self.known.push(name);
            if T::absent().is_none() {
                faults.add(self.path(name), format!("is missing, it must be {}", T::EXPECTS));
            }
            return T::absent();
        }
        self.optional(name, faults)
    }

    /// A list of members; a fault where it is something else.
    pub(crate) fn list(&mut self, name: &'static str, faults: &mut Faults) -> Vec<(String, &'v Value)> {
        let path = self.path(name);
        match self.value(name) {
            None => Vec::new(),
            Some(Value::Array(items)) => {
                items.iter().enumerate().map(|(i, item)| (format!("{path}[{i}]"), item)).collect()
            }
            Some(other) => {
                faults.add(path, format!("must be a list, found {}", found(other)));
                Vec::new()
            }
        }
    }

    /// Reports the members that nobody asked for.
    pub(crate) fn finish(self, faults: &mut Faults) {
        for name in self.members.keys() {
            if !self.known.contains(&name.as_str()) {
                let allowed = self.known.join(", ");
                faults.add(self.path(name), format!("is not known here; known are {allowed}"));
            }
        }
    }
}

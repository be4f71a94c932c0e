//! Text, lists and patches as fields of events have them: how each is read, and what it allows.

use super::EventCode;
use super::fields::{Field, MAX_ID, MAX_LIST, MAX_TEXT, ObjectWriter, write_text};
use super::members::Members;
use super::wire::{Fault, Value};
use crate::id::Text;
use crate::quantity::Quantity;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

macro_rules! id_fields {
    ($($name:ident: $limit:expr),+ $(,)?) => {$(
        impl Field for crate::id::$name {
            const EXPECTS: &'static str = "non-empty text";
            const EMPTY_IS_NOTHING: bool = false;
            fn schema() -> serde_json::Value {
                serde_json::json!({"type": "string", "minLength": 1, "maxLength": $limit})
            }
            fn read(value: Value<'_>) -> Result<Self, Fault> {
                if let Some(text) = value.plain_text().filter(|text| (1..=$limit).contains(&text.len())) {
                    return Ok(Self::new(text));
                }
                let text = value.string(Self::EXPECTS)?;
                if text.is_empty() {
                    return Err(Fault::new(EventCode::EmptyId, Self::EXPECTS));
                }
                if text.len() > $limit {
                    return Err(Fault::new(EventCode::TooLong, format!("text of at most {} bytes of UTF-8", $limit)));
                }
                Ok(Self::new(text))
            }
            fn write_wire(&self, out: &mut String) {
                write_text(out, self.as_str());
            }
        }
    )+};
}

id_fields! {
    ClientId: MAX_ID, EventId: MAX_ID, SourceId: MAX_ID,
    MetricName: MAX_TEXT, UserId: MAX_TEXT, TicketId: MAX_TEXT, IncidentId: MAX_TEXT, SubscriptionId: MAX_TEXT,
    InvoiceId: MAX_TEXT, ChargeId: MAX_TEXT, RefundId: MAX_TEXT, PaymentPlanId: MAX_TEXT, ContactId: MAX_TEXT,
    MilestoneName: MAX_TEXT,
}

/// Whether an optional field says that nothing is stated: by empty text, as forms and columns have it, unless it is an id.
fn cleared<T: Field>(value: Value<'_>) -> bool {
    matches!(value, Value::Text("")) && T::EMPTY_IS_NOTHING
}

impl Field for Text {
    const EXPECTS: &'static str = "non-empty text";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "string", "maxLength": MAX_TEXT})
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        if let Some(text) = value.plain_text().filter(|text| (1..=MAX_TEXT).contains(&text.len())) {
            return Ok(Self::new(text));
        }
        let text = value.string(Self::EXPECTS)?;
        if text.is_empty() {
            return Err(Fault::new(EventCode::BadValue, Self::EXPECTS));
        }
        if text.len() > MAX_TEXT {
            return Err(Fault::new(EventCode::TooLong, format!("text of at most {MAX_TEXT} bytes of UTF-8")));
        }
        Ok(Self::new(text))
    }
    fn write_wire(&self, out: &mut String) {
        write_text(out, self.as_str());
    }
}

impl<T: Field> Field for Option<T> {
    const EXPECTS: &'static str = T::EXPECTS;
    fn schema() -> serde_json::Value {
        // Free text may be empty by its own schema.
        if T::EMPTY_IS_NOTHING && T::EXPECTS != <Text as Field>::EXPECTS {
            return serde_json::json!({"anyOf": [T::schema(), {"enum": [null, ""]}]});
        }
        serde_json::json!({"anyOf": [T::schema(), {"type": "null"}]})
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        if value.is_null() || cleared::<T>(value) { Ok(None) } else { T::read(value).map(Some) }
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn is_absent(&self) -> bool {
        self.is_none()
    }
    fn to_wire(&self) -> serde_json::Value {
        self.as_ref().map_or(serde_json::Value::Null, Field::to_wire)
    }
    fn write_wire(&self, out: &mut String) {
        match self {
            Some(value) => value.write_wire(out),
            None => out.push_str("null"),
        }
    }
}

/// Text that may be stated anew: empty text takes back what was stated (it is kept as empty text), null and absence leave it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Restated(pub Option<Text>);

impl Field for Restated {
    const EXPECTS: &'static str = <Text as Field>::EXPECTS;
    fn schema() -> serde_json::Value {
        <Option<Text> as Field>::schema()
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        if matches!(value, Value::Text("")) {
            return Ok(Self(Some(Text::new(""))));
        }
        Option::read(value).map(Self)
    }
    fn absent() -> Option<Self> {
        Some(Self(None))
    }
    fn is_absent(&self) -> bool {
        self.0.is_none()
    }
    fn write_wire(&self, out: &mut String) {
        self.0.write_wire(out);
    }
}

/// One field of a patch: absent leaves what stands, null (or empty text) clears it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Patch<T> {
    /// Leave what stands.
    Keep,
    /// Nothing is stated from now on.
    Clear,
    /// This from now on.
    Set(T),
}

impl<T: Field> Field for Patch<T> {
    const EXPECTS: &'static str = T::EXPECTS;
    fn schema() -> serde_json::Value {
        Option::<T>::schema()
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        if value.is_null() || cleared::<T>(value) { Ok(Self::Clear) } else { T::read(value).map(Self::Set) }
    }
    fn absent() -> Option<Self> {
        Some(Self::Keep)
    }
    fn is_absent(&self) -> bool {
        matches!(self, Self::Keep)
    }
    fn to_wire(&self) -> serde_json::Value {
        match self {
            Self::Set(value) => value.to_wire(),
            Self::Keep | Self::Clear => serde_json::Value::Null,
        }
    }
    fn write_wire(&self, out: &mut String) {
        match self {
            Self::Set(value) => value.write_wire(out),
            Self::Keep | Self::Clear => out.push_str("null"),
        }
    }
}

impl<T> Patch<T> {
    /// What the patch states: `None` where it leaves what stands, `Some(None)` where it clears.
    pub(crate) fn stated(&self) -> Option<Option<&T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

/// A set given as a list: sorted, each element once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SetOf<T>(Vec<T>);

impl<T: Ord> SetOf<T> {
    /// The set of some elements.
    pub fn new(elements: impl IntoIterator<Item = T>) -> Self {
        let mut elements: Vec<T> = elements.into_iter().collect();
        elements.sort_unstable();
        elements.dedup();
        Self(elements)
    }

    /// The elements in order.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }
}

impl<T: Field + Ord> Field for SetOf<T> {
    const EXPECTS: &'static str = "a list of texts";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "array", "items": T::schema(), "maxItems": MAX_LIST})
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        let list = match value {
            Value::Json(text) if text.starts_with('[') => text,
            _ => return Err(Fault::new(EventCode::WrongType, Self::EXPECTS)),
        };
        let elements: Vec<&RawValue> = serde_json::from_str(list)
            .map_err(|error| Fault::new(EventCode::MalformedJson, format!("valid JSON: {error}")))?;
        if elements.len() > MAX_LIST {
            return Err(Fault::new(EventCode::TooLong, format!("a list of at most {MAX_LIST} elements")));
        }
        let element = |(i, raw): (usize, &&RawValue)| {
            let value = Value::of_json(raw.get());
            T::read(value).map_err(|fault| fault.inside(format!("[{i}]"), Some(value)))
        };
        Ok(Self::new(elements.iter().enumerate().map(element).collect::<Result<Vec<T>, Fault>>()?))
    }
}

/// Named values given as an object, in order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Named<T>(std::collections::BTreeMap<Text, T>);

impl<T> Named<T> {
    /// The values by name.
    pub fn new(values: impl IntoIterator<Item = (Text, T)>) -> Self {
        Self(values.into_iter().collect())
    }

    /// Name and value, in order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &T)> {
        self.0.iter()
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Field> Field for Named<T> {
    const EXPECTS: &'static str = "an object of named values";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": ["object", "null"], "additionalProperties": T::schema()})
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        if value.is_null() || cleared::<Self>(value) {
            return Ok(Self(std::collections::BTreeMap::new()));
        }
        let members =
            Members::of(value).unwrap_or_else(|| Err(Fault::new(EventCode::WrongType, Self::EXPECTS)))?;
        let mut values = std::collections::BTreeMap::new();
        for (name, value) in members.iter() {
            let inner = |fault: Fault| fault.inside(name.chars().take(60).collect::<String>(), Some(value));
            if name.is_empty() {
                return Err(inner(Fault::new(EventCode::EmptyId, "a non-empty name")));
            }
            if name.len() > MAX_TEXT {
                return Err(inner(Fault::new(
                    EventCode::TooLong,
                    format!("a name of at most {MAX_TEXT} bytes"),
                )));
            }
            values.insert(Text::new(name), T::read(value).map_err(inner)?);
        }
        Ok(Self(values))
    }
    fn absent() -> Option<Self> {
        Some(Self(std::collections::BTreeMap::new()))
    }
    fn is_absent(&self) -> bool {
        self.0.is_empty()
    }
    fn to_wire(&self) -> serde_json::Value {
        self.0.iter().map(|(name, value)| (name.to_string(), value.to_wire())).collect()
    }
    fn write_wire(&self, out: &mut String) {
        let mut members = ObjectWriter::new(out);
        for (name, value) in &self.0 {
            members.member(name.as_str(), |out| value.write_wire(out));
        }
        members.end();
    }
}

/// The value of a client's attribute. The JSON type decides: text is no number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Attribute {
    /// Text.
    Text(Text),
    /// A number.
    Number(Quantity),
    /// True or false; read as 1 or 0 where a number is wanted.
    Flag(bool),
}

impl Field for Attribute {
    const EXPECTS: &'static str = "text, a number, true or false";
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": ["string", "number", "boolean"]})
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        match value {
            Value::Text(_) | Value::Escaped(_) | Value::Instant(_) | Value::Day(_) => {
                Text::read(value).map(Self::Text)
            }
            Value::Bool(flag) => Ok(Self::Flag(flag)),
            Value::Number(_) | Value::Decimal { .. } => Quantity::read(value).map(Self::Number),
            Value::Null | Value::Json(_) | Value::Object(_) => {
                Err(Fault::new(EventCode::WrongType, Self::EXPECTS))
            }
        }
    }
    fn to_wire(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Flag(flag) => (*flag).into(),
            // Must stay a JSON number, since text would be another attribute. Beyond 15 digits a binary float may not
            // hold it: `write_wire` does.
            Self::Number(number) => {
                serde_json::from_str(&number.to_string()).unwrap_or(serde_json::Value::Null)
            }
        }
    }
    fn write_wire(&self, out: &mut String) {
        match self {
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Text(text) => text.write_wire(out),
            Self::Flag(flag) => flag.write_wire(out),
        }
    }
}

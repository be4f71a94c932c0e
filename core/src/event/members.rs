//! The members of one JSON object, in the order they came, their values unread.

use super::EventCode;
use super::scan::Scan;
use super::wire::{Fault, Value};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A key, borrowed from the line where it holds no escape.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// The members of one JSON object, in the order they came.
pub(crate) struct Members<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Members<'a> {
    /// No members yet, with room for so many.
    pub(crate) fn with_room_for(members: usize) -> Self {
        Self(Vec::with_capacity(members))
    }

    /// Adds a member of another name than those that are there.
    #[cfg(feature = "arrow")]
    pub(crate) fn add(&mut self, name: &'a str, value: Value<'a>) {
        self.0.push((Cow::Borrowed(name), value));
    }

    /// The members of an object; `None` of what is none.
    pub(crate) fn of(value: Value<'a>) -> Option<Result<Self, Fault>> {
        match value {
            Value::Json(text) if text.starts_with('{') => Some(Self::parse(text)),
            Value::Object(members) => {
                let borrowed = |(name, value): &(&'a str, Value<'a>)| (Cow::Borrowed(*name), *value);
                Some(Ok(Self(members.iter().map(borrowed).collect())))
            }
            _ => None,
        }
    }

    /// Reads an object; the values stay unread. Two members of one name are refused.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Fault> {
        let members = Self::scan(text).map_or_else(|| Self::parse_carefully(text), Ok)?;
        members.each_name_once()
    }

    /// Reads an object that is plain JSON, nested no deeper than an event may be.
    fn scan(text: &'a str) -> Option<Self> {
        let mut scan = Scan::new(text);
        let members = Self::scan_members(&mut scan, 1)?;
        scan.end()?;
        Some(members)
    }

    fn scan_members(scan: &mut Scan<'a>, depth: u32) -> Option<Self> {
        let mut members = Vec::with_capacity(8);
        scan.each_member(depth, |scan| {
            let name = scan.name()?;
            members.push((Cow::Borrowed(name), scan.value(depth)?));
            Some(())
        })?;
        Some(Self(members))
    }

    /// Reads the object that comes next, at a depth, if it is plain JSON and names nothing twice.
    pub(super) fn scan_next(scan: &mut Scan<'a>, depth: u32) -> Option<Self> {
        Self::scan_members(scan, depth)?.each_name_once().ok()
    }

    /// Reads any JSON, and says what is none.
    pub(super) fn parse_carefully(text: &'a str) -> Result<Self, Fault> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
                    members.push((key, Value::of_json(map.next_value::<&'de RawValue>()?.get())));
                }
                Ok(Members(members))
            }
        }
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let members =
            deserializer.deserialize_map(MembersVisitor).and_then(|m| deserializer.end().map(|()| m));
        members.map_err(|error| match text.trim_start().as_bytes().first() {
            Some(b'{') | None => Fault::new(EventCode::MalformedJson, format!("valid JSON: {error}")),
            _ if serde_json::from_str::<&RawValue>(text).is_ok() => {
                Fault::new(EventCode::WrongType, "an object")
            }
            _ => Fault::new(EventCode::MalformedJson, format!("valid JSON: {error}")),
        })
    }

    /// Refuses two members of one name.
    pub(super) fn each_name_once(self) -> Result<Self, Fault> {
        let twice = |name: &str| {
            let fault = Fault::new(EventCode::MalformedJson, "each name once in an object");
            fault.inside(name.chars().take(60).collect::<String>(), None)
        };
        // Real events have a handful of members; a sorted list keeps a hostile one from costing the square.
        if self.0.len() <= 16 {
            for (i, (name, _)) in self.0.iter().enumerate() {
                if self.0.iter().skip(i + 1).any(|(other, _)| other == name) {
                    return Err(twice(name));
                }
            }
            return Ok(self);
        }
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| matches!(pair, [a, b] if a == b)) {
            Some(pair) => Err(twice(pair.first().copied().unwrap_or_default())),
            None => Ok(self),
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<Value<'a>> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Value<'a>)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), *value))
    }
}

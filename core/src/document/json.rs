//! JSON, in which a name stands once in an object.

use super::{Fault, member};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// Reads JSON.
pub(crate) fn json(text: &str) -> Result<Value, Vec<Fault>> {
    let value =
        serde_json::from_str(text).map_err(|error| vec![Fault::new("", format!("must be JSON: {error}"))])?;
    // The tree keeps the last of two members of one name, so they are looked for in the text.
    let mut faults = Vec::new();
    let seek = Repeated { path: "", faults: &mut faults };
    if let Err(error) = seek.deserialize(&mut serde_json::Deserializer::from_str(text)) {
        faults.push(Fault::new("", format!("must be JSON: {error}")));
    }
    if faults.is_empty() { Ok(value) } else { Err(faults) }
}

/// Walks a document and notes the names that stand twice in an object.
struct Repeated<'f> {
    path: &'f str,
    faults: &'f mut Vec<Fault>,
}

impl<'de> DeserializeSeed<'de> for Repeated<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Repeated<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let path = member(self.path, &name);
            if names.contains(&name) {
                self.faults.push(Fault::new(path, "must stand once, found twice"));
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value_seed(Repeated { path: &path, faults: &mut *self.faults })?;
                names.insert(name);
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut i = 0_usize;
        loop {
            let path = format!("{}[{i}]", self.path);
            if items.next_element_seed(Repeated { path: &path, faults: &mut *self.faults })?.is_none() {
                return Ok(());
            }
            i += 1;
        }
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

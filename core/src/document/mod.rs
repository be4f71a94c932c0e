//! Documents that people write, such as models: JSON, TOML and YAML, read to one tree.
//!
//! What the three can say differently is refused, so that a document means the same in each: a name stands once in an
//! object, a number is finite, nothing stands for something else.

mod json;
#[cfg(feature = "toml")]
mod toml;
#[cfg(feature = "yaml")]
mod yaml;

pub(crate) use json::json;
#[cfg(feature = "toml")]
pub(crate) use toml::toml;
#[cfg(feature = "yaml")]
pub(crate) use yaml::yaml;

use serde_json::Value;

/// The deepest nesting of objects and lists in a document.
pub(crate) const MAX_DEPTH: usize = 64;

/// What is wrong with a document, and where: a path such as `groups[0].parts[1]`, empty for the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) path: String,
    pub(crate) message: String,
}

impl Fault {
    fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    fn too_deep(path: impl Into<String>) -> Self {
        Self::new(path, format!("must be nested at most {MAX_DEPTH} deep"))
    }
}

/// The path of a member of an object.
fn member(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The first place of a tree that is nested too deep.
pub(crate) fn too_deep(value: &Value) -> Option<Fault> {
    fn deeper(path: &str, value: &Value, left: usize) -> Option<String> {
        let Some(left) = left.checked_sub(1) else {
            return (value.is_array() || value.is_object()).then(|| path.to_owned());
        };
        match value {
            Value::Array(items) => {
                items.iter().enumerate().find_map(|(i, item)| deeper(&format!("{path}[{i}]"), item, left))
            }
            Value::Object(members) => {
                members.iter().find_map(|(name, item)| deeper(&member(path, name), item, left))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
    }
    deeper("", value, MAX_DEPTH).map(Fault::too_deep)
}

#[cfg(test)]
mod tests;

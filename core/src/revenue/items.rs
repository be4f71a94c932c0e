//! Lists of objects that come with a question, such as targets and benchmarks.

use super::policy::SettingError;
use crate::signal::params::Param;
use serde_json::{Map, Value};

/// One object of a list.
pub(super) struct Item {
    /// Such as `targets[0]`.
    path: String,
    members: Map<String, Value>,
}

impl Item {
    fn fault(&self, name: &str, expected: &str) -> SettingError {
        let found = self.members.get(name).unwrap_or(&Value::Null).to_string();
        SettingError::new(&format!("{}.{name}", self.path), expected, &found)
    }

    /// A member that must be there.
    pub(super) fn required<T: Param>(&self, name: &str) -> Result<T, SettingError> {
        self.optional(name)?.ok_or_else(|| self.fault(name, T::EXPECTS))
    }

    /// A member that may be left out, or null.
    pub(super) fn optional<T: Param>(&self, name: &str) -> Result<Option<T>, SettingError> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => T::read(value).map(Some).ok_or_else(|| self.fault(name, T::EXPECTS)),
        }
    }
}

/// Reads a list of objects with members of these names.
pub(super) fn items<T>(
    setting: &str,
    json: &str,
    names: &[&str],
    read: impl Fn(&Item) -> Result<T, SettingError>,
) -> Result<Vec<T>, SettingError> {
    let object = format!("an object {{{}}}", names.join(", "));
    let items: Vec<Value> = serde_json::from_str(json)
        .map_err(|_| SettingError::new(setting, format!("a list, each of it {object}"), json))?;
    let one = |(i, item): (usize, Value)| {
        let path = format!("{setting}[{i}]");
        let Value::Object(members) = item else {
            return Err(SettingError::new(&path, object.as_str(), &item.to_string()));
        };
        let item = Item { path, members };
        match item.members.keys().find(|name| !names.contains(&name.as_str())) {
            Some(unknown) => Err(item.fault(unknown, &format!("left out: known are {}", names.join(", ")))),
            None => read(&item),
        }
    };
    items.into_iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_which_item_it_is_in() {
        let read = |json: &str| {
            let fault = items("aims", json, &["name", "note"], |item| {
                Ok((item.required::<String>("name")?, item.optional::<String>("note")?))
            });
            fault.map_err(|error| error.to_string())
        };
        assert_eq!(read(r#"[{"name": "a", "note": null}]"#), Ok(vec![("a".to_owned(), None)]));
        for (json, message) in [
            ("{}", "`aims` must be a list, each of it an object {name, note}, found `{}`"),
            (r#"[{"name":"a"},7]"#, "`aims[1]` must be an object {name, note}, found `7`"),
            ("[{}]", "`aims[0].name` must be non-empty text, found `null`"),
            (
                r#"[{"name":"a","nota":1}]"#,
                "`aims[0].nota` must be left out: known are name, note, found `1`",
            ),
        ] {
            assert_eq!(read(json), Err(message.to_owned()));
        }
    }
}

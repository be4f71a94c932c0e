//! What of an event nobody reads is held to one rule all the same: each name once in an object. Its texts are as long as the
//! line lets them be, for an event must not be lost over what is ignored.

use super::EventError;
use super::members::Members;
use super::wire::Value;
use serde_json::value::RawValue;

/// Looks over an event that is sound as far as it is read.
///
/// # Errors
/// The first name that an object has twice, by its path.
pub(super) fn look_over(event: &str) -> Result<(), EventError> {
    look_into(Value::of_json(event.trim_ascii()), "")
}

/// Events are no deeper than the door lets in.
fn look_into(value: Value<'_>, path: &str) -> Result<(), EventError> {
    match value {
        Value::Json(text) if text.starts_with('{') => {
            let members =
                Members::parse_carefully(text).and_then(Members::each_name_once).map_err(|fault| {
                    let fault = fault.parts();
                    let field =
                        fault.inner.as_deref().map_or_else(|| path.to_owned(), |name| inside(path, name));
                    EventError::new(fault.code, field, &fault.expected, None)
                })?;
            members.iter().try_for_each(|(name, value)| look_into(value, &inside(path, name)))
        }
        Value::Json(text) => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            let mut elements = elements.iter().enumerate();
            elements.try_for_each(|(i, element)| {
                look_into(Value::of_json(element.get()), &format!("{path}[{i}]"))
            })
        }
        _ => Ok(()),
    }
}

fn inside(path: &str, name: &str) -> String {
    let name: String = name.chars().take(60).collect();
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use crate::event::{Event, EventCode};

    fn refused(members: &str) -> Option<(EventCode, Option<String>)> {
        let json = format!(
            r#"{{"id":"1","source":"s","type":"usage.counted","subject":"a","time":"2026-01-05T10:00:00Z",{members}}}"#
        );
        Event::from_json(json.as_bytes()).err().map(|error| (error.code, error.field))
    }

    #[test]
    fn no_object_has_a_name_twice_however_deep() {
        let twice = |field: &str| Some((EventCode::MalformedJson, Some(field.to_owned())));
        assert_eq!(refused(r#""data":{"metric":"m","z":{"q":1,"q":2}}"#), twice("data.z.q"));
        assert_eq!(
            refused(r#""data":{"metric":"m","z":[0,{"q":{"r":1,"\u0072":2}}]}"#),
            twice("data.z[1].q.r")
        );
        assert_eq!(refused(r#""data":{"metric":"m"},"x":{"q":1,"q":2}"#), twice("x.q"));
        assert_eq!(refused(r#""data":{"metric":"m","z":{"q":1},"y":{"q":2}}"#), None);
        let many: Vec<String> = (0..40).map(|n| format!(r#""n{}":0"#, n % 39)).collect();
        assert_eq!(
            refused(&format!(r#""data":{{"metric":"m","z":{{{}}}}}"#, many.join(","))),
            twice("data.z.n0")
        );
        assert_eq!(refused(&format!(r#""data":{{"metric":"m","z":{{{}}}}}"#, many[1..].join(","))), None);
    }
}

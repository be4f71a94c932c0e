//! TOML: what it has and JSON has not, dates and numbers that are none, is refused by path.

use super::{Fault, MAX_DEPTH, member};
use serde_json::{Map, Number, Value};

/// Reads TOML.
pub(crate) fn toml(text: &str) -> Result<Value, Vec<Fault>> {
    let table: ::toml::Table = text.parse().map_err(|error| vec![syntax(text, &error)])?;
    let mut faults = Vec::new();
    let value = tree("", ::toml::Value::Table(table), 0, &mut faults);
    if faults.is_empty() { Ok(value) } else { Err(faults) }
}

fn syntax(text: &str, error: &::toml::de::Error) -> Fault {
    let place = error.span().and_then(|span| text.get(..span.start)).map(|before| {
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!(" at line {line} column {column}")
    });
    // One line, whatever the parser has to say.
    let message: Vec<&str> = error.message().lines().collect();
    Fault::new("", format!("must be TOML: {}{}", message.join(", "), place.unwrap_or_default()))
}

fn tree(path: &str, value: ::toml::Value, depth: usize, faults: &mut Vec<Fault>) -> Value {
    match value {
        ::toml::Value::String(text) => Value::String(text),
        ::toml::Value::Integer(number) => number.into(),
        ::toml::Value::Boolean(flag) => flag.into(),
        ::toml::Value::Float(number) => match Number::from_f64(number) {
            Some(number) => Value::Number(number),
            None => {
                faults.push(Fault::new(path, format!("must be a finite number, found `{number}`")));
                Value::Null
            }
        },
        ::toml::Value::Datetime(date) => {
            let advice = format!("must be text in quotes, found the date or time `{date}`");
            faults.push(Fault::new(path, advice));
            Value::Null
        }
        ::toml::Value::Array(_) | ::toml::Value::Table(_) if depth >= MAX_DEPTH => {
            faults.push(Fault::too_deep(path));
            Value::Null
        }
        ::toml::Value::Array(items) => {
            let items = items.into_iter().enumerate();
            items.map(|(i, item)| tree(&format!("{path}[{i}]"), item, depth + 1, faults)).collect()
        }
        ::toml::Value::Table(members) => {
            let read = |(name, item): (String, ::toml::Value)| {
                let value = tree(&member(path, &name), item, depth + 1, faults);
                (name, value)
            };
            Value::Object(members.into_iter().map(read).collect::<Map<_, _>>())
        }
    }
}

//! A log as tables, type by type, gives the state that it gives as events.

use super::{batch, engine, load};
use healthfold::table::TableOptions;
use healthfold::table::arrow_array::builder::{ListBuilder, StringBuilder};
use healthfold::table::arrow_array::*;
use healthfold::{Event, EventKind};
use healthfold_testkit::logs;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The cells of a row by the names of their columns.
type Row = BTreeMap<String, Value>;

/// The members of an event as columns have them; `None` where a null says more than that nothing is there.
fn cells(event: &Event) -> Option<Row> {
    let json = event.to_json();
    let mut cells = Row::new();
    let mut objects = vec![(String::new(), json)];
    while let Some((path, object)) = objects.pop() {
        for (name, value) in object.as_object().unwrap() {
            let path = match path.as_str() {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            match value {
                Value::Object(_) => objects.push((path, value.clone())),
                Value::Null if matches!(name.as_str(), "name" | "owner" | "segment" | "role") => {
                    cells.insert(path, "".into());
                }
                Value::Null => return None,
                _ => {
                    cells.insert(path, value.clone());
                }
            }
        }
    }
    cells.remove("specversion");
    cells.remove("type");
    Some(cells)
}

/// One column of values of one JSON type; every other table has its instants typed.
fn column(path: &str, values: &[&Value], typed: bool) -> ArrayRef {
    let text = |value: &&Value| value.as_str().unwrap().to_owned();
    match values[0] {
        Value::String(_) if path == "time" && typed => {
            let micros = values.iter().map(|value| value.as_str().unwrap().parse().unwrap());
            let micros = micros.map(|instant: healthfold::Instant| instant.micros());
            Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC"))
        }
        Value::String(_) if typed => Arc::new(StringViewArray::from_iter_values(values.iter().map(text))),
        Value::String(_) => Arc::new(StringArray::from_iter_values(values.iter().map(text))),
        Value::Bool(_) => Arc::new(values.iter().map(|value| value.as_bool()).collect::<BooleanArray>()),
        Value::Number(_) if values.iter().all(|value| value.is_i64()) => {
            Arc::new(values.iter().map(|value| value.as_i64()).collect::<Int64Array>())
        }
        Value::Number(_) => Arc::new(values.iter().map(|value| value.as_f64()).collect::<Float64Array>()),
        Value::Array(_) => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for value in values {
                lists.append_value(value.as_array().unwrap().iter().map(|value| value.as_str()));
            }
            Arc::new(lists.finish())
        }
        other => panic!("{other}"),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Number(_) => "number",
        Value::Bool(_) => "flag",
        _ => "text",
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_log_as_tables_is_the_log(log in logs::logs(1..120)) {
        let (mut tables, mut expected) = (engine(), engine());
        expected.apply_all(&log);
        // A table holds events of one type that state the same things.
        let mut alike: BTreeMap<(EventKind, Vec<String>), Vec<Row>> = BTreeMap::new();
        let mut others = Vec::new();
        for event in &log {
            match cells(event) {
                Some(cells) => {
                    let names = cells.iter().map(|(name, value)| format!("{name} {}", type_of(value)));
                    alike.entry((event.kind(), names.collect())).or_default().push(cells);
                }
                None => others.push(event),
            }
        }
        for (number, ((kind, _), rows)) in alike.iter().enumerate() {
            let names: Vec<&String> = rows[0].keys().collect();
            let of = |name: &String| rows.iter().map(|row| &row[name]).collect::<Vec<_>>();
            let table = batch(names.iter().map(|name| (name.as_str(), column(name, &of(name), number % 2 == 0))));
            let options = TableOptions::default();
            let applied = load(&mut tables, *kind, &[table], &options).unwrap();
            prop_assert_eq!(applied.rejected, vec![]);
            prop_assert_eq!(applied.applied + applied.duplicates, rows.len() as u64);
        }
        tables.apply_all(others);
        prop_assert_eq!(tables.fingerprint(), expected.fingerprint());
    }
}

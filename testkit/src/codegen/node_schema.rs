//! The JSON Schemas of events and models in TypeScript: what a schema can say that a type can, too.

use super::node::{comment, pascal};
use healthfold::{Event, model_schema};
use serde_json::Value;
use std::fmt::Write;

/// The types of events: an interface for the data of each, told apart by `type`.
pub(super) fn events() -> String {
    let schema = Event::schema();
    let mut text = String::new();
    let mut kinds = String::new();
    for branch in list(&schema, "allOf") {
        let name = branch.pointer("/if/properties/type/const").and_then(Value::as_str).unwrap_or_default();
        let then = branch.get("then").unwrap_or(&Value::Null);
        let data = then.pointer("/properties/data").unwrap_or(&Value::Null);
        let interface = format!("{}Data", pascal(name));
        let _ = write!(
            text,
            "\n/** The data of `{name}`. */\nexport interface {interface} {}\n",
            object(data, 0)
        );
        let _ = writeln!(kinds, "  \"{name}\": {interface};");
    }
    let mut envelope = schema.clone();
    if let Some(members) = envelope.get_mut("properties").and_then(Value::as_object_mut) {
        members.remove("type");
        members.remove("data");
    }
    if let Some(required) = envelope.get_mut("required").and_then(Value::as_array_mut) {
        // A source may be said once for a whole call.
        required.retain(|name| !["type", "data", "source"].iter().any(|own| name == own));
    }
    let _ = write!(
        text,
        "\n/** What every event has beside its type and its data. */\nexport interface Envelope {}\n\n/** The data of each type of \
         event. */\nexport interface EventTypes {{\n{kinds}}}\n\nexport type EventType = keyof EventTypes;\n\n/** An event of \
         one type. */\nexport type EventOf<T extends EventType> = T extends \"client.erased\"\n  ? Envelope & {{ type: T; data?: EventTypes[T] \
         }}\n  : Envelope & {{ type: T; data: EventTypes[T] }};\n\n/** An event of any type, told apart by `type`. */\nexport type Event = {{ [T \
         in EventType]: EventOf<T> }}[EventType];\n",
        object(&envelope, 0)
    );
    text
}

/// The types of models and their parts.
pub(super) fn models() -> String {
    let schema = model_schema();
    let mut text = String::new();
    for (name, part) in schema.get("$defs").and_then(Value::as_object).into_iter().flatten() {
        let doc = comment(part.get("description").and_then(Value::as_str).unwrap_or_default(), 0);
        let of = of(part, 0);
        let _ = match of.starts_with('{') && is_plain(&of) {
            true => write!(text, "\n{doc}export interface {} {of}\n", named(name)),
            false => write!(text, "\n{doc}export type {} = {of};\n", named(name)),
        };
    }
    text.push_str("\n/** A model, or a set of models of which each client takes the first that fits. */\nexport type ModelDocument = ModelDefinition | ModelSetDefinition;\n");
    text
}

/// One pair of braces and nothing behind it.
fn is_plain(of: &str) -> bool {
    let mut depth = 0_i32;
    let ends = of.char_indices().find(|(_, letter)| {
        depth += i32::from(*letter == '{') - i32::from(*letter == '}');
        depth == 0
    });
    ends.is_some_and(|(at, _)| at + 1 == of.len())
}

/// The name of a part of a model.
fn named(name: &str) -> String {
    match name {
        "model" => "ModelDefinition".to_owned(),
        "model_set" => "ModelSetDefinition".to_owned(),
        name if name.starts_with("signal") => pascal(name),
        name => format!("Model{}", pascal(name)),
    }
}

fn list<'v>(schema: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    schema.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Alternatives that say something of their own, not only which members of an object go together.
fn alternatives(schema: &Value) -> Vec<&Value> {
    let tells = |of: &&Value| ["type", "$ref", "const", "enum"].iter().any(|name| of.get(name).is_some());
    let found: Vec<&Value> = list(schema, "anyOf").chain(list(schema, "oneOf")).filter(tells).collect();
    found
}

fn of(schema: &Value, indent: usize) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        return named(name.rsplit('/').next().unwrap_or_default());
    }
    if let Some(word) = schema.get("const") {
        return word.to_string();
    }
    let choices = list(schema, "enum").map(Value::to_string).collect::<Vec<_>>();
    if !choices.is_empty() {
        return choices.join(" | ");
    }
    let alternatives = alternatives(schema);
    if !alternatives.is_empty() {
        return union(alternatives.into_iter().map(|schema| of_text(schema, indent)).collect());
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => return "unknown".to_owned(),
    };
    union(types.into_iter().map(|name| of_type(name, schema, indent)).collect())
}

fn of_text(schema: &Value, indent: usize) -> String {
    let is_text = schema.get("type").is_some_and(|name| name == "string");
    // Text of digits stands for a decimal, which may come in other ways.
    let is_decimal =
        is_text && schema.get("pattern").and_then(Value::as_str).is_some_and(|p| p.contains("[eE]"));
    if is_decimal { "DecimalLike".to_owned() } else { of(schema, indent) }
}

fn of_type(name: &str, schema: &Value, indent: usize) -> String {
    match name {
        "integer" | "number" => "number".to_owned(),
        "boolean" => "boolean".to_owned(),
        "null" => "null".to_owned(),
        "string" if schema.get("format").is_some_and(|format| format == "date-time") => "When".to_owned(),
        "string" => "string".to_owned(),
        "array" => {
            let pair: Vec<String> = list(schema, "prefixItems").map(|item| of(item, indent)).collect();
            if !pair.is_empty() {
                return format!("[{}]", pair.join(", "));
            }
            match schema.get("items") {
                Some(items) => {
                    let items = of(items, indent);
                    if items.contains('|') {
                        format!("readonly ({items})[]")
                    } else {
                        format!("readonly {items}[]")
                    }
                }
                None => "readonly unknown[]".to_owned(),
            }
        }
        _ => object(schema, indent),
    }
}

fn union(members: Vec<String>) -> String {
    let mut told: Vec<String> = Vec::new();
    for member in members.iter().flat_map(|member| {
        if member.contains('{') { vec![member.as_str()] } else { member.split(" | ").collect() }
    }) {
        // A decimal may be a number.
        let covered = member == "number" && members.iter().any(|other| other == "DecimalLike");
        if !covered && !told.iter().any(|known| known == member) {
            told.push(member.to_owned());
        }
    }
    told.join(" | ")
}

fn object(schema: &Value, indent: usize) -> String {
    let space = " ".repeat(indent + 2);
    let required: Vec<&str> = list(schema, "required").filter_map(Value::as_str).collect();
    let Some(members) = schema.get("properties").and_then(Value::as_object).filter(|of| !of.is_empty())
    else {
        return match schema.get("additionalProperties") {
            Some(Value::Bool(false)) | None => "{}".to_owned(),
            Some(of_each) => format!("{{ readonly [name: string]: {} }}", of(of_each, indent)),
        };
    };
    let mut text = "{\n".to_owned();
    for (name, member) in members {
        let doc = comment(member.get("description").and_then(Value::as_str).unwrap_or_default(), indent + 2);
        let mark = if required.contains(&name.as_str()) { "" } else { "?" };
        let is_word = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        let name = if is_word { name.clone() } else { format!("\"{name}\"") };
        let _ = writeln!(text, "{doc}{space}{name}{mark}: {};", of(member, indent + 2));
    }
    let _ = write!(text, "{}}}", " ".repeat(indent));
    text
}

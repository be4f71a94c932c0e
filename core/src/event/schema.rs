//! The JSON Schema of events, from the one list of their types.

use super::fields::{Field, FieldSpec, MAX_ID};
use super::{Event, EventKind};
use crate::time::Instant;
use serde_json::{Map, Value, json};

impl Event {
    /// The JSON Schema (draft 2020-12) of an event, as `schema/event.schema.json` has it.
    ///
    /// ```
    /// let schema = healthfold::Event::schema();
    /// assert_eq!(schema["properties"]["specversion"]["const"], "1.0");
    /// ```
    pub fn schema() -> Value {
        let text = |description: &str| json!({"type": "string", "minLength": 1, "maxLength": MAX_ID, "description": description});
        let kinds: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let branches: Vec<Value> = EventKind::ALL.iter().map(|kind| branch(*kind)).collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": "event.schema.json",
            "title": "healthfold event",
            "description": "One event in CloudEvents 1.0 JSON. Fields that are not named are ignored.",
            "type": "object",
            "required": ["id", "source", "type", "subject", "time"],
            "properties": {
                "specversion": {"const": "1.0"},
                "id": text("with `source` the identity of the event; at most 256 bytes"),
                "source": text("the system that says so; at most 256 bytes; may be given once for a whole call"),
                "type": {"enum": kinds},
                "subject": text("the client's id, at most 256 bytes, compared byte for byte"),
                "time": described(Instant::schema(), "when it happened: RFC 3339 with an offset, years 1970 to 2199"),
                "sequence": described(Option::<i64>::schema(), "orders events of one instant; 0 without it"),
                "recordedtime": described(Option::<Instant>::schema(), "when the producer learnt of it; without it, `time`"),
                "data": {"type": "object"},
            },
            "allOf": branches,
        })
    }
}

fn described(mut schema: Value, text: &str) -> Value {
    if let Some(members) = schema.as_object_mut() {
        members.entry("description").or_insert_with(|| text.into());
    }
    schema
}

/// What `data` holds where the event is of a type.
fn branch(kind: EventKind) -> Value {
    let fields = kind.fields();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let property = |FieldSpec { name, doc, schema, .. }: &FieldSpec| {
        ((*name).to_owned(), described(schema.clone(), doc))
    };
    let properties: Map<String, Value> = fields.iter().map(property).collect();
    let mut then = json!({"properties": {"data": {"required": required, "properties": properties}}});
    if let Some(members) = then.as_object_mut().filter(|_| kind != EventKind::ClientErased) {
        members.insert("required".to_owned(), json!(["data"]));
    }
    // Without a type the branch is none of its business.
    json!({"if": {"required": ["type"], "properties": {"type": {"const": kind.as_str()}}}, "then": then})
}

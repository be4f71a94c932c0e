//! The JSON Schema of models, for editors that complete and check while a model is written.
//!
//! Signals and the types of all parameters are described by what reads them; the objects around them are described here,
//! and a test holds them against their readers. What a schema cannot say, such as that a name is one of the model's
//! signals, is left to [`Model::from_json`](super::Model::from_json).

use super::curve::{ADJUSTED, Clients, Level, Within};
use super::model::{Combine, DATE, Points, Whole};
use crate::event::Moment;
use crate::money::Currency;
use crate::signal::doc::Through;
use crate::signal::formula;
use crate::signal::params::{Age, Days, Names, Param, Share, Weight};
use crate::signal::{Direction, ParamDoc, SignalDoc, signal_docs};
use serde_json::{Map, Value, json};

/// What a rate looks like in decimal text.
const RATE: &str = r"^(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$";

/// The JSON Schema (draft 2020-12) of a model or a set of models, as `schema/model.schema.json` has it.
///
/// It refuses what has a form that no model has; what passes may still be refused by [`Model::from_json`](super::Model::from_json).
///
/// ```
/// let schema = healthfold::model_schema();
/// assert_eq!(schema["$defs"]["signal_csat"]["properties"]["kind"]["const"], "csat");
/// ```
pub fn model_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "model.schema.json",
        "title": "healthfold model",
        "description": "How signals become a score from 0 to 100, or an ordered set of models of which the first that fits a client is used.",
        "type": "object",
        "if": {"required": ["models"]},
        "then": refer("model_set"),
        "else": refer("model"),
        "$defs": definitions(),
    })
}

fn definitions() -> Map<String, Value> {
    let mut all = Map::new();
    let mut define = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    define("model", model());
    define("model_set", model_set());
    define("choice", choice());
    define("stage", stage());
    define("signals", signals());
    define("formula", formula::schema());
    define("group", group());
    define("part", part());
    define("missing", missing());
    define("curve", curve("How a signal's value becomes points from 0 to 100.", &Points::schema(), true));
    define("adjustment", adjustment());
    define(
        "adjustment_curve",
        curve(
            "How a signal's value becomes points to add.",
            &json!({"type": "number", "minimum": ADJUSTED.0, "maximum": ADJUSTED.1}),
            false,
        ),
    );
    define("limit", limit());
    define("condition", condition());
    define("bounds", bounds());
    define("band", band());
    define("source", source());
    define("rate", rate());
    let docs = signal_docs();
    let kinds: Vec<Value> = docs.iter().map(|doc| refer(&definition_of(doc))).collect();
    define("signal", json!({"description": "One number about a client at one instant.", "oneOf": kinds}));
    for doc in &docs {
        define(&definition_of(doc), signal(doc));
    }
    all
}

fn definition_of(doc: &SignalDoc) -> String {
    format!("signal_{}", doc.kind)
}

fn refer(definition: &str) -> Value {
    json!({"$ref": format!("#/$defs/{definition}")})
}

/// The schema with a description of its own.
fn said(text: &str, schema: Value) -> Value {
    with(schema, "description", text.into())
}

/// A member that may be left out may be null, too.
fn or_null(mut schema: Value) -> Value {
    if let Some(types) = schema.get_mut("type") {
        *types = match types.take() {
            Value::Array(types) => types.into_iter().chain(["null".into()]).collect(),
            one => json!([one, "null"]),
        };
        return schema;
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.push(Value::Null);
        return schema;
    }
    let description = schema.as_object_mut().and_then(|members| members.remove("description"));
    let nullable = match &schema {
        // Without a rule anything goes.
        Value::Object(members) if members.is_empty() => schema,
        _ => json!({"anyOf": [schema, {"type": "null"}]}),
    };
    match description {
        Some(description) => with(nullable, "description", description),
        None => nullable,
    }
}

/// An object of these members and no others.
fn object(text: &str, required: Value, optional: Value) -> Value {
    let members = |value| if let Value::Object(members) = value { members } else { Map::new() };
    let mut properties = members(required);
    let required: Vec<String> = properties.keys().cloned().collect();
    properties.extend(members(optional).into_iter().map(|(name, schema)| (name, or_null(schema))));
    let mut schema = json!({"type": "object", "description": text, "properties": properties, "additionalProperties": false});
    if let Some(members) = schema.as_object_mut().filter(|_| !required.is_empty()) {
        members.insert("required".to_owned(), required.into());
    }
    schema
}

fn with(mut schema: Value, keyword: &str, value: Value) -> Value {
    if let Some(members) = schema.as_object_mut() {
        members.insert(keyword.to_owned(), value);
    }
    schema
}

/// The member is there and not null.
fn given(name: &str) -> Value {
    json!({"required": [name], "properties": {name: {"not": {"type": "null"}}}})
}

fn given_each(names: &[&str]) -> Value {
    names.iter().map(|name| given(name)).collect()
}

fn list(of: Value, least: u32) -> Value {
    json!({"type": "array", "items": of, "minItems": least})
}

fn name(of: &str) -> Value {
    said(of, String::schema())
}

/// `rates` are of use with a `currency` only.
fn with_rates(schema: Value) -> Value {
    with(with(schema, "if", given("rates")), "then", given("currency"))
}

fn money() -> [(&'static str, Value); 2] {
    let currency = said("The currency in which this model's money signals are read.", Currency::schema());
    let rates = said("What other currencies are worth in it.", list(refer("rate"), 0));
    [("currency", currency), ("rates", rates)]
}

fn join(members: Value, more: [(&'static str, Value); 2]) -> Value {
    more.into_iter().fold(members, |members, (name, schema)| with(members, name, schema))
}

fn model() -> Value {
    let required = json!({
        "name": name("Shown in every score."),
        "signals": refer("signals"),
        "groups": said("The tree of what counts, and how much.", list(refer("group"), 1)),
        "bands": said("Names for ranges of the score, rising; the first starts at 0.", list(refer("band"), 1)),
    });
    let optional = json!({
        "version": version(),
        "description": {"description": "For people."},
        "combine": said("How the top groups are joined; `mean` without it.", Combine::schema()),
        "adjustments": said("Points added or taken away after combining.", list(refer("adjustment"), 0)),
        "limits": said("Hard rules: no more than, no less than, exactly.", list(refer("limit"), 0)),
        "min_coverage": said("The share of the weight that must have data before there is a score; 0 without it.", Share::schema()),
        "human_cap": said("How many points the parts that people judge may move the score, all together; without it any.", Points::schema()),
        "north_star": name("The name of the signal that is held to stand for the client's success."),
        "sources": sources(),
    });
    with_rates(object("One health model.", required, join(optional, money())))
}

fn version() -> Value {
    said("Raised with every change, so that scores say which rules made them; 1 without it.", Whole::schema())
}

fn sources() -> Value {
    let schema = json!({"type": "object", "additionalProperties": refer("source")});
    said("What to expect of the feeds, by their names.", schema)
}

fn model_set() -> Value {
    let required = json!({
        "name": name("Shown in every score."),
        "models": said("The first whose condition holds is used; only the last may do without one.", list(refer("choice"), 1)),
    });
    let optional = json!({
        "version": version(),
        "description": {"description": "For people."},
        "stages": said("The lifecycle: a client is in the first stage that holds.", list(refer("stage"), 0)),
        "sources": sources(),
    });
    let set = object("An ordered set of models.", required, join(optional, money()));
    let mut set = with_rates(set);
    if let Some(properties) = set.get_mut("properties").and_then(Value::as_object_mut) {
        // Left out or an object, but not null.
        properties.insert("signals".to_owned(), refer("signals"));
    }
    set
}

fn choice() -> Value {
    let required = json!({"model": refer("model")});
    let mut choice = object("A model and whom it is for.", required, json!({}));
    if let Some(properties) = choice.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("when".to_owned(), refer("condition"));
    }
    choice
}

fn stage() -> Value {
    let required = json!({"name": name("Shown in every score."), "when": refer("condition")});
    object("A named stretch of a client's life.", required, json!({}))
}

fn signals() -> Value {
    let text = "Signals by a name of your own; parts, adjustments and limits name them.";
    json!({"type": "object", "description": text, "additionalProperties": refer("signal")})
}

fn signal(doc: &SignalDoc) -> Value {
    let mut required = json!({"kind": {"const": doc.kind}});
    let direction = said(
        "Which way is better, where the kind does not say; `unknown` tracks it at weight 0.",
        Direction::schema(),
    );
    let mut optional = json!({"direction": direction});
    for ParamDoc { name, doc, expects, default, schema } in &doc.parameters {
        let text = if doc.is_empty() { expects } else { doc };
        let members = if default.is_none() { &mut required } else { &mut optional };
        *members = with(members.take(), name, said(text, schema.clone()));
    }
    if !doc.windowed {
        return object(doc.doc, required, optional);
    }
    let offset = said("Reads the window as of the end of the day so many days ago.", Age::schema());
    let through = said("The same as `offset` 1.", Through::schema());
    let optional = with(with(optional, "offset", offset), "through", through);
    let both = json!({"allOf": given_each(&["offset", "through"])});
    with(object(doc.doc, required, optional), "not", both)
}

fn weight() -> Value {
    said("Relative to its siblings; 1 without it.", Weight::schema())
}

fn group() -> Value {
    let required = json!({"name": name("Shown with every part.")});
    let optional = json!({
        "weight": weight(),
        "combine": said("How its children become one number; `mean` without it.", Combine::schema()),
        "parts": list(refer("part"), 0),
        "groups": list(refer("group"), 0),
    });
    let filled =
        |name: &str| json!({"required": [name], "properties": {name: {"type": "array", "minItems": 1}}});
    let group = object("Parts and groups that make one number together.", required, optional);
    with(group, "anyOf", json!([filled("parts"), filled("groups")]))
}

fn part() -> Value {
    let required = json!({"signal": name("The name of a signal.")});
    let human =
        said("Whether a person of ours judges it; a `sentiment` is judged, all else is not.", bool::schema());
    let optional =
        json!({"weight": weight(), "curve": refer("curve"), "missing": refer("missing"), "human": human});
    let tracked = json!({"required": ["weight"], "properties": {"weight": {"const": 0}}});
    let part = object("One signal in a group.", required, optional);
    with(part, "anyOf", json!([given("curve"), tracked]))
}

fn missing() -> Value {
    let stated = object(
        "It stands at these points, and does not count as covered.",
        json!({"points": Points::schema()}),
        json!({}),
    );
    let carried = object(
        "The newest reading of the last days is taken.",
        json!({"carry_days": Days::schema()}),
        json!({}),
    );
    let words = json!({"enum": ["redistribute", "required"]});
    json!({"description": "What the part does while its signal is missing; `redistribute` without it.", "anyOf": [words, stated, carried]})
}

fn curve(text: &str, points: &Value, of_a_part: bool) -> Value {
    let pair =
        json!({"type": "array", "prefixItems": [Level::schema(), points], "minItems": 2, "maxItems": 2});
    let number = Level::schema;
    let logistic = json!({"mid": number(), "slope": number()});
    let peak = json!({"low": number(), "ideal": number(), "high": number()});
    let mut kinds = json!({
        "points": said("Straight between the points, flat outside; the first numbers rise.", list(pair.clone(), 1)),
        "steps": said("A value belongs to the last step whose first number it reaches; below the first it is 0.", list(pair, 1)),
        "logistic": object("100 / (1 + exp(-slope (x - mid))).", logistic, json!({})),
        "peak": object("0 at low, 100 at ideal, 0 at high, straight between, 0 outside.", peak, json!({})),
    });
    if of_a_part {
        let required = json!({"within": said("Whom it is compared with.", Within::schema())});
        let optional = json!({
            "min_clients": said("Fewer peers than this is missing; 1 without it.", Clients::schema()),
            "invert": said("100 less that: fewer is better.", bool::schema()),
        });
        let percentile = object(
            "The share of the peers whose value is below this one, ties half, x 100.",
            required,
            optional,
        );
        kinds = with(kinds, "percentile", percentile);
    }
    let names: Vec<String> =
        kinds.as_object().map(|kinds| kinds.keys().cloned().collect()).unwrap_or_default();
    let one: Value = names.iter().map(|name| given(name)).collect();
    with(object(text, json!({}), kinds), "oneOf", one)
}

fn adjustment() -> Value {
    let required = json!({
        "name": name("Shown in every score."),
        "signal": name("The name of a signal."),
        "curve": refer("adjustment_curve"),
    });
    object("Points added or taken away after combining.", required, json!({}))
}

fn limit() -> Value {
    let required = json!({"name": name("Shown in every score."), "when": refer("condition")});
    let optional = json!({
        "set": said("Exactly this.", Points::schema()),
        "floor": said("No less than this.", Points::schema()),
        "cap": said("No more than this.", Points::schema()),
    });
    let limit = object("A bound on the score while a condition holds.", required, optional);
    with(limit, "oneOf", given_each(&["set", "floor", "cap"]))
}

const BOUNDS: [&str; 5] = ["above", "at_least", "below", "at_most", "equals"];

fn bound_members() -> Value {
    BOUNDS.iter().fold(json!({}), |members, bound| with(members, bound, f64::schema()))
}

fn bounds() -> Value {
    let bounds = object("Bounds on a number; all of them must hold.", json!({}), bound_members());
    with(bounds, "anyOf", given_each(&BOUNDS))
}

fn condition() -> Value {
    let of_signal = object(
        "The reading of a signal compares so.",
        json!({"signal": name("The name of a signal.")}),
        bound_members(),
    );
    let mut kinds = vec![with(of_signal, "anyOf", given_each(&BOUNDS))];
    let mut kind = |text: &str, members: Value| kinds.push(object(text, members, json!({})));
    kind("The client is of this segment.", json!({"segment": String::schema()}));
    kind("The client has this tag.", json!({"tag": String::schema()}));
    let equals = super::condition::Wanted::schema();
    kind(
        "The attribute has this value, of the same type.",
        json!({"attribute": String::schema(), "equals": equals}),
    );
    kind("Whether the client pays.", json!({"paying": bool::schema()}));
    kind("Whether a subscription is on trial.", json!({"trial": bool::schema()}));
    kind("The days since the first paying day compare so.", json!({"tenure_days": refer("bounds")}));
    kind("The milestone was reached.", json!({"milestone": String::schema()}));
    kind("This is the lifecycle stage.", json!({"stage": String::schema()}));
    kind("All of them hold.", json!({"all": list(refer("condition"), 1)}));
    kind("One of them holds.", json!({"any": list(refer("condition"), 1)}));
    kind("It does not hold, and is not missing.", json!({"not": refer("condition")}));
    json!({"description": "A test of a client at an instant; what is missing never makes it hold.", "oneOf": kinds})
}

fn band() -> Value {
    let named = json!({"type": "string", "minLength": 1, "not": {"const": "unknown"}});
    let required = json!({
        "name": said("Any but `unknown`, which is for no score.", named),
        "from": said("The least score that belongs to it.", Points::schema()),
    });
    object("A named range of scores, up to the next band.", required, json!({}))
}

fn source() -> Value {
    let required = json!({
        "silent_after_days": said("Quiet for more than so many days, its usage signals are missing and not 0.", Age::schema()),
    });
    let optional = json!({
        "metrics": said("The metrics it feeds; all without it.", Names::schema()),
        "since": said("From when on it was to be heard of.", Moment::schema()),
    });
    object("A feed whose silence is told from the silence of its clients.", required, optional)
}

fn rate() -> Value {
    let required = json!({
        "currency": Currency::schema(),
        "from": said("In force from the start of this day.", json!({"type": "string", "format": "date", "pattern": DATE})),
        "rate": {"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 1e9}, {"type": "string", "pattern": RATE}],
            "description": "Units of the model's currency for one of this, as a number or decimal text."},
    });
    object("What one unit of a currency is worth in the model's.", required, json!({}))
}

//! The schemas agree with the readers: what is read is valid, and what has a form that is never read is not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

use healthfold::{Event, Model, model_schema, signal_docs};
use healthfold_testkit::case::workspace;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

fn validator(schema: &Value) -> Validator {
    jsonschema::meta::validate(schema).expect("the schema is one");
    jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(schema).expect("the schema is one")
}

fn faults(validator: &Validator, instance: &Value) -> Vec<String> {
    validator.iter_errors(instance).map(|error| format!("{} at {}", error, error.instance_path())).collect()
}

/// Every value of the conformance cases, in the order of the files.
fn cases() -> Vec<(String, Value)> {
    let mut paths: Vec<_> = std::fs::read_dir(workspace().join("conformance/cases"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    let read =
        |path: &std::path::PathBuf| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    paths.iter().map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), read(path))).collect()
}

/// The objects under a name, anywhere in a value.
fn named<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get(name));
            members.values().for_each(|member| named(member, name, found));
        }
        Value::Array(items) => items.iter().for_each(|item| named(item, name, found)),
        _ => {}
    }
}

/// What stands in the fenced blocks of JSON on a page.
fn blocks(page: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(workspace().join(page)).unwrap();
    let blocks = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.filter_map(|block| serde_json::from_str(&block).ok()).collect()
}

#[test]
fn what_is_read_as_a_model_is_valid() {
    let validator = validator(&model_schema());
    let (mut taken, mut refused) = (0, Vec::new());
    let mut models = vec![("default".to_owned(), Model::default().to_json().clone())];
    for (file, case) in cases() {
        let mut found = Vec::new();
        named(&case, "model", &mut found);
        models.extend(found.into_iter().map(|model| (file.clone(), model.clone())));
    }
    models.extend(blocks("docs/models.md").into_iter().map(|model| ("docs/models.md".to_owned(), model)));
    for (file, model) in &models {
        if Model::from_value(model).is_ok() {
            let wrong = faults(&validator, model);
            assert!(wrong.is_empty(), "{file}: {wrong:?}\n{model}");
            taken += 1;
        } else if model.is_object() && !file.starts_with("docs") {
            refused.push(file);
        }
    }
    assert!(taken > 40, "{taken} taken, refused {refused:?}");
}

#[test]
fn what_is_read_as_an_event_is_valid() {
    let validator = validator(&Event::schema());
    let mut taken = 0;
    for (file, case) in cases() {
        for event in case["events"].as_array().unwrap() {
            if Event::from_json(event.to_string().as_bytes()).is_ok() {
                let wrong = faults(&validator, event);
                assert!(wrong.is_empty(), "{file}: {wrong:?}\n{event}");
                taken += 1;
            }
        }
    }
    assert!(taken > 500, "{taken}");
}

#[test]
fn events_of_a_form_that_is_never_read_are_not_valid() {
    let validator = validator(&Event::schema());
    let good = json!({"id": "1", "source": "s", "type": "usage.counted", "subject": "a",
        "time": "2026-01-05T10:00:00Z", "data": {"metric": "m", "count": 1}});
    assert!(validator.is_valid(&good));
    // Only to erase a client, no more need be said.
    let mut without = good.clone();
    without.as_object_mut().unwrap().remove("data");
    assert!(!validator.is_valid(&without));
    without["type"] = json!("client.erased");
    assert!(validator.is_valid(&without));
    let faulty = [
        ("/id", json!("")),
        ("/id", json!(5)),
        ("/type", json!("usage.count")),
        ("/specversion", json!("0.3")),
        ("/sequence", json!("1")),
        ("/data", json!(null)),
        ("/data", json!({})),
        ("/data/metric", json!(5)),
        ("/data/metric", json!("")),
        ("/data/count", json!("many")),
        ("/data/count", json!(true)),
        ("/data/user", json!(7)),
    ];
    for (path, value) in faulty {
        let mut event = good.clone();
        match event.pointer_mut(path) {
            Some(place) => *place = value,
            None => {
                let (parent, name) = path.rsplit_once('/').unwrap();
                event.pointer_mut(parent).unwrap()[name] = value;
            }
        }
        assert!(Event::from_json(event.to_string().as_bytes()).is_err(), "{event}");
        assert!(!validator.is_valid(&event), "{event}");
    }
}

/// A model with one of everything.
fn rich() -> Value {
    json!({
        "name": "rich", "version": 2, "description": "all of it", "combine": "mean", "min_coverage": 0.5, "human_cap": 20,
        "currency": "USD", "rates": [{"currency": "EUR", "from": "2026-01-01", "rate": "1.1"}],
        "signals": {"wau": {"kind": "active_users", "days": 7, "offset": 1}, "mood": {"kind": "sentiment", "part": "use", "steps": [20, 60, 100]},
            "sum": {"kind": "formula", "expr": {"+": ["wau", 2, {"kind": "mrr"}]}}},
        "groups": [{"name": "g", "weight": 2, "combine": "min",
            "parts": [{"signal": "wau", "weight": 1, "curve": {"points": [[0, 0], [5, 100]]}, "missing": {"points": 50}},
                {"signal": "mood", "human": true, "curve": {"percentile": {"within": "all", "min_clients": 2, "invert": true}}, "missing": {"carry_days": 3}},
                {"signal": "wau", "curve": {"logistic": {"mid": 3, "slope": 1}}},
                {"signal": "wau", "curve": {"peak": {"low": 0, "ideal": 1, "high": 2}}}],
            "groups": [{"name": "h", "parts": [{"signal": "sum", "curve": {"steps": [[0, 0]]}, "missing": "required"}]}]}],
        "adjustments": [{"name": "a", "signal": "wau", "curve": {"points": [[0, -20], [50, 0]]}}],
        "limits": [{"name": "l", "when": {"all": [{"signal": "wau", "below": 1}, {"not": {"any": [{"tag": "t"}, {"tenure_days": {"above": 3}}]}}]}, "cap": 40}],
        "bands": [{"name": "red", "from": 0}, {"name": "green", "from": 60}],
        "sources": {"app": {"silent_after_days": 2, "metrics": ["m"], "since": "2026-01-01"}}
    })
}

fn rich_set() -> Value {
    json!({"name": "set", "version": 1, "description": "d", "signals": {"logins": {"kind": "usage_sum", "metric": "m", "days": 28}},
        "stages": [{"name": "new", "when": {"tenure_days": {"below": 90}}}],
        "sources": {"app": {"silent_after_days": 2}},
        "models": [{"when": {"stage": "new"}, "model": rich()}, {"model": rich()}]})
}

/// The document with another value at a pointer; `null` takes the member out.
fn changed(document: &Value, path: &str, value: &Value) -> Value {
    let mut document = document.clone();
    let (parent, name) = path.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap_or_else(|| panic!("{path}")) {
        Value::Object(members) if value.is_null() => drop(members.remove(name)),
        Value::Object(members) => drop(members.insert(name.to_owned(), value.clone())),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value.clone(),
        other => panic!("{path} is in {other}"),
    }
    document
}

#[test]
fn models_of_a_form_that_is_never_read_are_not_valid() {
    let validator = validator(&model_schema());
    assert_eq!(faults(&validator, &rich()), Vec::<String>::new());
    Model::from_value(&rich()).unwrap();
    let part = "/groups/0/parts/0";
    let faulty = [
        // A key that is not there.
        ("/name", json!(null)),
        ("/signals", json!(null)),
        ("/groups", json!(null)),
        ("/bands", json!(null)),
        ("/currency", json!(null)),
        ("/groups/0/name", json!(null)),
        ("/groups/0/parts/0/signal", json!(null)),
        ("/groups/0/parts/0/curve", json!(null)),
        ("/signals/wau/days", json!(null)),
        ("/signals/wau/kind", json!(null)),
        ("/adjustments/0/curve", json!(null)),
        ("/limits/0/when", json!(null)),
        ("/limits/0/cap", json!(null)),
        ("/bands/0/from", json!(null)),
        ("/sources/app/silent_after_days", json!(null)),
        ("/rates/0/rate", json!(null)),
        // A key that nobody knows.
        ("/wieghts", json!(1)),
        ("/signals/wau/dayz", json!(1)),
        ("/signals/mood/offset", json!(1)),
        ("/groups/0/parts/0/wieght", json!(1)),
        ("/groups/0/parts/0/curve/pionts", json!([[0, 0]])),
        ("/limits/0/when/all/0/over", json!(1)),
        ("/sources/app/silent", json!(1)),
        // Another type.
        ("/name", json!(5)),
        ("/version", json!("2")),
        ("/version", json!(-1)),
        ("/signals", json!([])),
        ("/signals/wau", json!("active_users")),
        ("/signals/wau/days", json!("7")),
        ("/groups", json!({})),
        ("/groups/0/parts/0/weight", json!("1")),
        ("/groups/0/parts/0/curve", json!([[0, 0], [1, 1]])),
        ("/limits/0/when/all/0/below", json!("1")),
        ("/bands/0/from", json!("0")),
        ("/rates/0/rate", json!(true)),
        ("/human_cap", json!("20")),
        ("/groups/0/parts/1/human", json!("yes")),
        ("/signals/mood/steps", json!(20)),
        ("/signals/mood/part", json!(1)),
        // A word or a number that is not allowed.
        ("/human_cap", json!(101)),
        ("/signals/mood/steps", json!([20])),
        ("/name", json!("")),
        ("/combine", json!("sum")),
        ("/min_coverage", json!(1.5)),
        ("/currency", json!("usd")),
        ("/signals/wau/kind", json!("active_user")),
        ("/signals/wau/days", json!(0)),
        ("/signals/wau/days", json!(7.5)),
        ("/signals/wau/direction", json!("sideways")),
        ("/signals/sum/expr", json!({"plus": [1, 2]})),
        ("/signals/sum/expr", json!({"-": [1, 2, 3]})),
        ("/signals/sum/expr", json!({"-": [1, 2], "+": [1, 2]})),
        ("/signals/sum/expr", json!([1, 2])),
        ("/groups/0/parts/0/weight", json!(-1)),
        ("/groups/0/parts/0/weight", json!(1e10)),
        ("/groups/0/parts/0/weight", json!(9e-10)),
        ("/groups/0/parts/0/missing", json!("skip")),
        ("/groups/0/parts/0/missing", json!({"points": 101})),
        ("/groups/0/parts/0/missing", json!({"carry_days": 0})),
        ("/groups/0/parts/0/missing", json!({"carry_days": null})),
        ("/groups/0/parts/0/missing", json!({"points": 1, "carry_days": 1})),
        ("/groups/0/parts/0/curve", json!({})),
        ("/groups/0/parts/0/curve", json!({"points": [[0, 0]], "steps": [[0, 0]]})),
        ("/groups/0/parts/0/curve", json!({"points": []})),
        ("/groups/0/parts/0/curve", json!({"points": [[0]]})),
        ("/groups/0/parts/0/curve", json!({"points": [[0, 0, 0]]})),
        ("/groups/0/parts/0/curve", json!({"points": [[0, 101]]})),
        ("/groups/0/parts/0/curve", json!({"logistic": {"mid": 3}})),
        ("/groups/0/parts/0/curve", json!({"peak": {"low": 0, "high": 2}})),
        ("/groups/0/parts/0/curve", json!({"percentile": {"within": "plan"}})),
        ("/adjustments/0/curve", json!({"percentile": {"within": "all"}})),
        ("/limits/0/floor", json!(10)),
        ("/limits/0/when", json!({})),
        ("/limits/0/when", json!({"signal": "wau"})),
        ("/limits/0/when", json!({"attribute": "a"})),
        ("/limits/0/when", json!({"tenure_days": {}})),
        ("/limits/0/when", json!({"tenure_days": null})),
        ("/limits/0/when", json!({"not": null})),
        ("/limits/0/when", json!({"all": []})),
        ("/limits/0/when", json!({"segment": "a", "tag": "b"})),
        ("/limits/0/when", json!({"paying": "yes"})),
        ("/bands", json!([])),
        ("/bands/0/name", json!("unknown")),
        ("/sources/app/silent_after_days", json!(-1)),
        ("/sources/app/since", json!("2026-13-01")),
        ("/sources/app/since", json!("2026-01-05T24:00:00Z")),
        ("/sources/app/since", json!("2026-01-05T10:00:00")),
        ("/rates/0/from", json!("2026-01-32")),
        ("/rates/0/rate", json!("abc")),
        ("/rates/0/rate", json!("")),
        ("/rates/0/rate", json!("-1")),
        ("/rates/0/rate", json!(2e9)),
        ("/sources/app/metrics", json!([])),
        ("/sources/app/metrics", json!(["m", "m"])),
        ("/groups/0", json!({"name": "empty"})),
        ("/groups/0", json!({"name": "empty", "parts": []})),
    ];
    assert!(rich().pointer(part).is_some());
    for (path, value) in faulty {
        let model = changed(&rich(), path, &value);
        let refused = Model::from_value(&model).err().unwrap_or_else(|| panic!("{path}: {value} is read"));
        assert!(!refused.issues.is_empty(), "{path}: {value} has no fault");
        assert!(!validator.is_valid(&model), "{path}: {value} is valid");
    }
}

#[test]
fn a_whole_number_may_have_a_fraction_of_nothing() {
    let validator = validator(&model_schema());
    let whole = [
        ("/version", json!(2.0)),
        ("/signals/wau/days", json!(7.0)),
        ("/signals/wau/offset", json!(0.0)),
        ("/sources/app/silent_after_days", json!(2.0)),
        ("/sources/app/since", json!("2026-01-05t10:00:60.5+01:00")),
        ("/groups/0/parts/0/missing", json!({"carry_days": 3.0})),
        ("/groups/0/parts/0/curve", json!({"percentile": {"within": "all", "min_clients": 3.0}})),
        ("/rates/0/rate", json!("1.5e-3")),
    ];
    for (path, value) in whole {
        let model = changed(&rich(), path, &value);
        Model::from_value(&model).unwrap_or_else(|faults| panic!("{path}: {faults}"));
        assert_eq!(faults(&validator, &model), Vec::<String>::new(), "{path}");
    }
    for value in [json!(7.5), json!(-7.0), json!(1e300)] {
        let model = changed(&rich(), "/signals/wau/days", &value);
        assert!(Model::from_value(&model).is_err() && !validator.is_valid(&model), "{value}");
    }
}

#[test]
fn what_may_be_left_out_may_be_null() {
    let validator = validator(&model_schema());
    let members = [
        "human_cap",
        "version",
        "description",
        "combine",
        "min_coverage",
        "adjustments",
        "limits",
        "sources",
        "rates",
    ];
    for name in members {
        let mut model = rich();
        model[name] = Value::Null;
        Model::from_value(&model).unwrap_or_else(|faults| panic!("{name}: {faults}"));
        assert_eq!(faults(&validator, &model), Vec::<String>::new(), "{name}");
    }
    let mut model = rich();
    model["limits"][0]["floor"] = Value::Null;
    model["groups"][0]["parts"][0]["missing"] = Value::Null;
    model["signals"]["wau"]["through"] = Value::Null;
    Model::from_value(&model).unwrap();
    assert_eq!(faults(&validator, &model), Vec::<String>::new());
}

/// The members that the reader of an object says it knows, told when it meets another one.
fn known(document: &Value, path: &str) -> Vec<String> {
    let faulty = changed(document, &format!("{path}/zzz"), &json!(1));
    let issues = Model::from_value(&faulty).unwrap_err().issues;
    let said = issues
        .iter()
        .find(|issue| issue.path.ends_with("zzz"))
        .unwrap_or_else(|| panic!("{path}: {issues:?}"));
    let list = said.message.split("known are ").nth(1).unwrap();
    let mut names: Vec<String> = list.split(", ").map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

fn properties(schema: &Value) -> Vec<String> {
    let properties: &Map<String, Value> = schema["properties"].as_object().unwrap();
    let mut names: Vec<String> = properties.keys().cloned().collect();
    names.sort();
    names
}

#[test]
fn the_schema_knows_the_members_that_the_readers_know() {
    let schema = model_schema();
    let definition = |name: &str| &schema["$defs"][name];
    let objects = [
        ("", "model"),
        ("/groups/0", "group"),
        ("/groups/0/parts/0", "part"),
        ("/groups/0/parts/0/curve", "curve"),
        ("/adjustments/0", "adjustment"),
        ("/limits/0", "limit"),
        ("/bands/0", "band"),
        ("/sources/app", "source"),
        ("/signals/mood", "signal_sentiment"),
        ("/signals/wau", "signal_active_users"),
        ("/signals/sum", "signal_formula"),
    ];
    for (path, name) in objects {
        let mut known = known(&rich(), path);
        // Read of every signal, so that the fault can say that it has no window.
        if name.starts_with("signal_") && name != "signal_active_users" {
            known.retain(|name| !["offset", "through"].contains(&name.as_str()));
        }
        assert_eq!(properties(definition(name)), known, "{name}");
    }
    for (path, name) in [("", "model_set"), ("/stages/0", "stage"), ("/models/0", "choice")] {
        assert_eq!(properties(definition(name)), known(&rich_set(), path), "{name}");
    }
    assert_eq!(faults(&validator(&schema), &rich_set()), Vec::<String>::new());
    Model::from_value(&rich_set()).unwrap();
    for doc in signal_docs() {
        assert!(definition(&format!("signal_{}", doc.kind)).is_object(), "{}", doc.kind);
        let undocumented = doc.parameters.iter().filter(|parameter| parameter.doc.is_empty());
        assert_eq!(undocumented.map(|parameter| parameter.name).collect::<Vec<_>>(), [""; 0], "{}", doc.kind);
    }
}

//! Signals made of others.

use super::*;

/// `leaf` under so many additions.
fn nested(levels: usize, leaf: Value) -> Value {
    (0..levels).fold(leaf, |inner, _| json!({"+": [inner]}))
}

#[test]
fn every_fault_of_a_formula_has_its_path() {
    let x = json!({"kind": "attribute", "key": "x"});
    let deep = "+[0].".repeat(16);
    let cases = [
        (json!({"/": [1, {"+": ["nobody"]}]}), "/[1].+[0]"),
        (json!({"/": [1, 2, 3]}), "/"),
        (json!({"if": [1, 2]}), "if"),
        (json!({"min": []}), "min"),
        (json!({"max": 7}), "max"),
        (json!({"max": [true]}), "max[0]"),
        (json!({"+": [null]}), "+[0]"),
        (json!({"+": [1], "-": [1, 2]}), ""),
        (json!({"+": [1], "note": "mine"}), "note"),
        (json!({"%": [1, 2]}), ""),
        (json!([1, 2]), ""),
        (json!({}), ""),
        (json!(null), ""),
        (json!({"+": [{"kind": "usage_sum", "days": 7}]}), "+[0].metric"),
        (json!({"+": [{"kind": "attribute", "key": "x", "direction": "up"}]}), "+[0].direction"),
        (json!({"+": [{"kind": "formula", "expr": 1}]}), "+[0].kind"),
        (json!({"+": [{"kind": "stage_days"}]}), "+[0].kind"),
        (json!({"*": vec![json!(1); 256]}), ""),
        (nested(16, json!(1)), deep.trim_end_matches('.')),
    ];
    for (expr, path) in cases {
        let faulty = model(json!({"x": x, "f": formula(expr.clone())}), &["f"]);
        let dot = if path.is_empty() { "" } else { "." };
        assert_eq!(paths(&faulty), [format!("signals.f.expr{dot}{path}")], "{expr}");
    }
    let all = model(json!({"f": formula(json!({"+": ["no", {"-": [1]}, {"min": []}, "such"]}))}), &["f"]);
    assert_eq!(paths(&all).len(), 4, "all at once");
    let fits = model(
        json!({"f": formula(json!({"*": vec![json!(1); 255]})), "g": formula(nested(15, json!(1)))}),
        &["f", "g"],
    );
    assert!(Model::from_value(&fits).is_ok(), "256 nodes, and 16 levels");
    for (member, value) in [("offset", json!(1)), ("through", json!("yesterday"))] {
        let mut moved = formula(json!(1));
        moved[member] = value;
        assert_eq!(paths(&model(json!({"f": moved}), &["f"])), [format!("signals.f.{member}")]);
    }
}

#[test]
fn formulas_do_not_stand_on_themselves() {
    let own = model(json!({"a": formula(json!("a"))}), &["a"]);
    assert_eq!(faults(&own), [("signals.a.expr".into(), "must not stand on itself: a -> a".into())]);
    // Two circles through a: each of them is told.
    let two = json!({"a": formula(json!({"+": ["b", "c"]})), "b": formula(json!("a")), "c": formula(json!({"+": ["d", "a"]})),
        "d": formula(json!("x")), "x": {"kind": "attribute", "key": "x"}});
    let told = faults(&model(two, &["x"]));
    assert_eq!(
        told,
        [
            ("signals.b.expr".to_owned(), "must not stand on itself: a -> b -> a".to_owned()),
            ("signals.c.expr".to_owned(), "must not stand on itself: a -> c -> a".to_owned()),
        ]
    );
    // A faulty formula is no circle, whoever names it.
    let faulty =
        json!({"a": formula(json!({"+": ["b", "no"]})), "b": formula(json!("a")), "c": formula(json!("a"))});
    assert_eq!(paths(&model(faulty, &["b"])), ["signals.a.expr.+[1]"]);
}

/// `f0`, and so many formulas each of which names the one before twice.
fn tower(storeys: usize) -> Value {
    let mut signals = serde_json::Map::new();
    signals.insert("f0".to_owned(), json!({"kind": "attribute", "key": "x"}));
    for n in 1..=storeys {
        let below = format!("f{}", n - 1);
        signals.insert(format!("f{n}"), formula(json!({"+": [below, below]})));
    }
    Value::Object(signals)
}

#[test]
fn a_tower_of_formulas_reads_each_of_them_once_and_is_not_too_high() {
    let engine =
        engine(&[("client.set", "acme", "2026-01-01T00:00:00Z", json!({"attributes": {"x": 0.0001}}))]);
    // 2^16 x 0.0001 = 6.5536.
    let health = score(&engine, &model(tower(16), &["f16"]), "2026-01-02");
    assert!((health.score.unwrap() - 6.5536).abs() < 1e-9);
    assert_eq!(paths(&model(tower(40), &["f40"])), ["signals.f17.expr"]);
    // No fault of a long chain may end in a stack that is too small.
    assert_eq!(paths(&model(tower(20_000), &["f0"])), ["signals.f17.expr"]);
}

#[test]
fn a_formula_is_moved_by_what_its_inputs_are_made_of() {
    let engine = engine(&[
        ("client.set", "acme", "2026-01-01T09:00:00Z", json!({"attributes": {"seats": 10}})),
        ("usage.counted", "acme", "2026-01-02T09:00:00Z", json!({"metric": "logins", "count": 5})),
        ("client.set", "acme", "2026-01-05T09:00:00Z", json!({"attributes": {"seats": 5}})),
        ("client.set", "acme", "2026-01-05T10:00:00Z", json!({"attributes": {"other": 5}})),
    ]);
    let signals = json!({"seats": {"kind": "attribute", "key": "seats"},
        "fill": formula(json!({"/": [{"kind": "usage_sum", "metric": "logins", "days": 7}, "seats"]})),
        "share": formula(json!({"*": ["fill", 100]}))});
    let model = Model::from_value(&model(signals, &["share"])).unwrap();
    let as_of = |text: &str| engine.zone().as_of(text).unwrap();
    let change = engine
        .explain_change(&"acme".into(), &model, as_of("2026-01-03"), as_of("2026-01-06"), None)
        .unwrap();
    // 5 / 10 to 5 / 5: by the seats alone.
    assert_eq!((change.from, change.to), (Some(50.0), Some(100.0)));
    let [part] = change.parts.as_slice() else { panic!("one part: {change:?}") };
    assert_eq!((part.name.as_str(), part.events.len()), ("share", 1));
    assert_eq!(part.events[0].kind, "client.set");
}

const KEYS: [&str; 3] = ["a", "b", "c"];

/// Any tree over three attributes and small whole numbers, zeros among them.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        (-2i32..3).prop_map(|n| json!(n)),
        prop::sample::select(&KEYS[..]).prop_map(|key| json!(key)),
        prop::sample::select(&KEYS[..]).prop_map(|key| json!({"kind": "attribute", "key": key})),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let two = ["-", "/", ">", ">=", "<", "<=", "=="];
        prop_oneof![
            (prop::sample::select(&["+", "*", "min", "max"][..]), prop::collection::vec(inner.clone(), 1..4))
                .prop_map(|(name, items)| json!({name: items})),
            (prop::sample::select(two.to_vec()), prop::collection::vec(inner.clone(), 2))
                .prop_map(|(name, items)| json!({name: items})),
            prop::collection::vec(inner, 3).prop_map(|items| json!({"if": items})),
        ]
    })
}

/// What a tree comes to, written as the definition says it.
fn worth(tree: &Value, of: &dyn Fn(&str) -> Option<f64>) -> Result<f64, &'static str> {
    if let Some(number) = tree.as_f64() {
        return Ok(number);
    }
    if let Some(name) = tree.as_str().or_else(|| tree["key"].as_str()) {
        return of(name).ok_or("never_seen");
    }
    let (name, items) = tree.as_object().unwrap().iter().next().unwrap();
    let items = items.as_array().unwrap();
    if name == "if" {
        let taken = if worth(&items[0], of)? != 0.0 { 1 } else { 2 };
        return worth(&items[taken], of);
    }
    let values = items.iter().map(|item| worth(item, of)).collect::<Result<Vec<f64>, _>>()?;
    let flag = |holds: bool| if holds { 1.0 } else { 0.0 };
    let value = match name.as_str() {
        "+" => values.iter().skip(1).fold(values[0], |sum, value| sum + value),
        "*" => values.iter().skip(1).fold(values[0], |product, value| product * value),
        "min" => values.iter().copied().fold(f64::INFINITY, f64::min),
        "max" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "-" => values[0] - values[1],
        "/" if values[1] == 0.0 => return Err("too_little"),
        "/" => values[0] / values[1],
        ">" => flag(values[0] > values[1]),
        ">=" => flag(values[0] >= values[1]),
        "<" => flag(values[0] < values[1]),
        "<=" => flag(values[0] <= values[1]),
        "==" => flag(values[0] == values[1]),
        other => panic!("{other}"),
    };
    if value.is_finite() { Ok(value) } else { Err("too_little") }
}

/// The same tree without names.
fn written_out(tree: &Value) -> Value {
    match tree {
        Value::String(key) => json!({"kind": "attribute", "key": key}),
        Value::Object(members) if !members.contains_key("kind") => {
            let items = |items: &Value| items.as_array().unwrap().iter().map(written_out).collect::<Value>();
            members.iter().map(|(name, operands)| (name.clone(), items(operands))).collect()
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn a_formula_is_worth_what_its_definition_says(tree in tree(), values in prop::collection::vec(prop::option::of(-3i32..4), 3)) {
        let attributes: Value =
            KEYS.iter().zip(&values).filter_map(|(key, value)| value.map(|value| (*key, json!(value)))).collect();
        let engine = engine(&[("client.set", "acme", "2026-01-01T00:00:00Z", json!({"attributes": attributes, "name": "Acme"}))]);
        let of = |key: &str| KEYS.iter().position(|known| *known == key).and_then(|i| values[i]).map(f64::from);
        let expected = worth(&tree, &of);
        let mut signals: Value = KEYS.iter().map(|key| (*key, json!({"kind": "attribute", "key": key}))).collect();
        signals["f"] = formula(tree.clone());
        let health = score(&engine, &model(signals, &["f"]), "2026-01-02");
        let part = &health.parts[0];
        prop_assert_eq!(part.reading, expected.ok().map(|value| value + 0.0));
        prop_assert_eq!(part.missing.map(|missing| missing.as_str()), expected.err());
        // With every name written out it needs no model.
        let spec = SignalSpec::from_json(&formula(written_out(&tree)).to_string()).unwrap();
        let reading: Reading = engine.signal(&"acme".into(), &spec, engine.zone().as_of("2026-01-02").unwrap()).unwrap();
        prop_assert_eq!(reading.value(), part.reading);
    }
}

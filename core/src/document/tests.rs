use super::*;
use serde_json::json as tree;

type Read = fn(&str) -> Result<Value, Vec<Fault>>;

fn path_of(read: Read, text: &str) -> (String, String) {
    let fault = read(text).expect_err(text).remove(0);
    (fault.path, fault.message)
}

#[test]
fn one_tree_in_three_languages() {
    let expected = tree!({"a": {"b": [1, 2.5, -3], "c": true}, "d": [{"e": "x"}, {"e": "y: z"}]});
    assert_eq!(json(&expected.to_string()), Ok(expected.clone()));
    let text = "[a]\nb = [1, 2.5, -3]\nc = true\n[[d]]\ne = 'x'\n[[d]]\ne = \"y: z\"\n";
    assert_eq!(toml(text), Ok(expected.clone()));
    let text = "# a comment\na:\n  b: [1, 2.5, -3]\n  c: true\nd:\n- e: x\n- e: 'y: z'\n";
    assert_eq!(yaml(text), Ok(expected.clone()));
    assert_eq!(yaml(&expected.to_string()), Ok(expected), "JSON is YAML");
}

#[test]
fn a_name_stands_once() {
    let (path, message) = path_of(json, r#"{"a": [{"b": 1, "b": 2}]}"#);
    assert_eq!((path.as_str(), message.as_str()), ("a[0].b", "must stand once, found twice"));
    let (path, message) = path_of(yaml, "a:\n- b: 1\n  b: 2\n");
    assert_eq!(
        (path.as_str(), message.as_str()),
        ("a[0].b", "must be named once, found the name again at line 3 column 3")
    );
    let (path, message) = path_of(toml, "a = 1\nb = 2\na = 3\n");
    assert_eq!((path.as_str(), message.as_str()), ("", "must be TOML: duplicate key at line 3 column 1"));
}

#[test]
fn what_is_no_document_says_where() {
    assert_eq!(path_of(json, "{\n  x}").1, "must be JSON: key must be a string at line 2 column 3");
    assert!(
        path_of(toml, "a = 1\nb = = 2\n").1.ends_with("at line 2 column 5"),
        "{:?}",
        toml("a = 1\nb = = 2\n")
    );
    assert!(path_of(yaml, "a: 1\nb: [1, 2\nc: 3\n").1.starts_with("must be YAML: "));
    assert!(path_of(yaml, "a: 1\nb: ]\n").1.contains(" at line 2 column 4"), "{:?}", yaml("a: 1\nb: ]\n"));
    assert_eq!(path_of(yaml, "# nothing\n").1, "must be YAML, found nothing");
}

#[test]
fn numbers_are_finite() {
    for number in [".inf", "-.inf", "+.INF", ".nan", "1e400"] {
        let (path, message) = path_of(yaml, &format!("a: {{b: [0, {number}]}}"));
        assert_eq!(path, "a.b[1]", "{number}");
        assert!(message.starts_with("must be a finite number, found `"), "{message}");
    }
    for number in ["inf", "-inf", "nan"] {
        let (path, message) = path_of(toml, &format!("a.b = [0, {number}]"));
        assert_eq!(path, "a.b[1]", "{number}");
        assert!(message.starts_with("must be a finite number, found `"), "{message}");
    }
}

#[test]
fn dates_of_toml_are_refused_by_path() {
    let (path, message) = path_of(toml, "[sources.app]\nsince = 2026-01-01\n");
    assert_eq!(path, "sources.app.since");
    assert_eq!(message, "must be text in quotes, found the date or time `2026-01-01`");
    assert_eq!(toml("a = 10:00:00").map_err(|faults| faults.len()), Err(1));
}

#[test]
fn words_of_old_yaml_are_text() {
    let words = [
        "no",
        "on",
        "y",
        "Off",
        "YES",
        "1_000",
        "1:30",
        "2026-01-01",
        "0b1",
        "-",
        "1e",
        "+",
        ".",
        "-.x",
        "0x",
        "nullx",
    ];
    for word in words.iter().filter(|word| **word != "-") {
        assert_eq!(yaml(&format!("a: {word}")), Ok(tree!({"a": word})), "{word}");
    }
    assert_eq!(yaml("no: 1"), Ok(tree!({"no": 1})));
}

#[test]
fn plain_words_follow_the_core_schema() {
    let cases = [
        ("~", tree!(null)),
        ("null", tree!(null)),
        ("", tree!(null)),
        ("True", tree!(true)),
        ("FALSE", tree!(false)),
        ("0x1F", tree!(31)),
        ("0o17", tree!(15)),
        ("+12", tree!(12)),
        ("-0", tree!(0)),
        (".5", tree!(0.5)),
        ("5.", tree!(5.0)),
        ("-2.5e-3", tree!(-0.0025)),
        ("18446744073709551615", tree!(u64::MAX)),
        ("\"5\"", tree!("5")),
        ("'true'", tree!("true")),
    ];
    for (text, value) in cases {
        assert_eq!(yaml(&format!("a: {text}")), Ok(tree!({"a": value})), "{text}");
    }
    for text in ["010", "-00.5", "007"] {
        let (path, message) = path_of(yaml, &format!("a: {text}"));
        assert_eq!(path, "a");
        assert!(message.starts_with("must be a number without leading zeros"), "{message}");
    }
}

#[test]
fn nothing_stands_for_something_else() {
    let laughs = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
    assert_eq!(
        path_of(yaml, laughs),
        ("b[0]".to_owned(), "must be written out, found an alias at line 2 column 8".to_owned())
    );
    assert_eq!(path_of(yaml, "a: {b: 1}\nc:\n  <<: {d: 2}\n").0, "c.<<");
    assert!(path_of(yaml, "a: !!str 5").1.starts_with("must be without tags, found a tag"));
    assert!(path_of(yaml, "a: 1\n---\nb: 2\n").1.starts_with("must be one document, found another"));
    assert!(path_of(yaml, "? [a, b]\n: 1\n").1.starts_with("must be an object whose names are text"));
    assert_eq!(yaml("a: &unused 1"), Ok(tree!({"a": 1})));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{{\"a\": {}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    for read in [json as Read, yaml] {
        assert_eq!(read(&nested(MAX_DEPTH)).map(|value| too_deep(&value)), Ok(None));
    }
    let deeper = nested(MAX_DEPTH + 1);
    let fault = json(&deeper).map(|value| too_deep(&value)).unwrap().unwrap();
    assert_eq!(yaml(&deeper), Err(vec![fault.clone()]));
    let in_toml = deeper.replace("{\"a\": ", "a = ").replace('}', "");
    assert_eq!(toml(&in_toml), Err(vec![fault]));
    assert_eq!(
        toml(&in_toml.replacen('[', "", 1).replacen(']', "", 1)).map(|value| too_deep(&value)),
        Ok(None)
    );
    for deep in ["[".repeat(100_000), "- ".repeat(100_000), "a: {".repeat(50_000), "? ".repeat(50_000)] {
        assert!(yaml(&deep).is_err());
    }
    for deep in [
        format!("a = {}", "[".repeat(100_000)),
        format!("{}a = 1", "a.".repeat(100_000)),
        format!("[{}a]", "a.".repeat(100_000)),
        format!("a = {}", "{ a = ".repeat(100_000)),
    ] {
        assert!(toml(&deep).is_err());
    }
}

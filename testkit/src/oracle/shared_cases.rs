//! The shared worked examples, asked of the oracle.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Oracle;

/// The folder of the shared cases: HEALTHFOLD_TEST_DATA, by default `../shared/data` beside the workspace.
#[allow(clippy::disallowed_methods, reason = "the place of test data is not part of any answer")]
fn cases() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let data = std::env::var("HEALTHFOLD_TEST_DATA").unwrap_or_else(|_| "../shared/data".to_owned());
    workspace.join(data).join("cases")
}

#[test]
fn agrees_with_the_shared_cases() {
    let Ok(folder) = std::fs::read_dir(cases()) else {
        println!("skipped: no shared cases in {}", cases().display());
        return;
    };
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut asked, mut faults) = (0, Vec::new());
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "json")) {
        let case: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let oracle =
            Oracle::new(case["events"].as_array().unwrap(), case["engine"]["timezone"].as_str().unwrap());
        let name = case["name"].as_str().unwrap();
        for ask in case["ask"].as_array().unwrap() {
            match answer(&oracle, ask) {
                Err(why) if why.starts_with("not_covered") => println!("skipped: {name}: {why}"),
                Err(why) => faults.push(format!("{name}: {why}")),
                Ok(answer) => {
                    asked += 1;
                    compare(&ask["expect"], &answer, name, &mut faults);
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(asked > 0, "no case was asked");
    println!("{asked} questions of the shared cases answered");
}

fn answer(oracle: &Oracle, ask: &Value) -> Result<Value, String> {
    let args = &ask["args"];
    let text = |name: &str| args[name].as_str().unwrap_or_default();
    match ask["call"].as_str().unwrap() {
        "signal" => oracle.signal(text("client"), &args["spec"], text("as_of")),
        "score" => oracle.score(text("client"), &args["model"], text("as_of")),
        "revenue" => oracle.revenue(text("period"), args),
        "movements" => oracle.movements(text("period"), args),
        call => Err(format!("not_covered: call `{call}`")),
    }
}

/// Fields that are not named are free; decimals compare by value; rows are matched by what names them.
fn compare(expected: &Value, actual: &Value, path: &str, faults: &mut Vec<String>) {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    match (expected, actual) {
        (Value::Object(fields), _) => {
            for (name, value) in fields {
                compare(value, &actual[name], &format!("{path}.{name}"), faults);
            }
        }
        (Value::Array(rows), Value::Array(found)) if rows.len() == found.len() => {
            for (i, row) in rows.iter().enumerate() {
                let name = ["client", "key"].into_iter().find(|name| row.get(name).is_some());
                let named = name.and_then(|name| found.iter().find(|candidate| candidate[name] == row[name]));
                compare(row, named.unwrap_or(&found[i]), &format!("{path}[{i}]"), faults);
            }
        }
        _ => {
            let same = match (number(expected), number(actual)) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-9,
                _ => expected == actual,
            };
            if !same {
                faults.push(format!("{path}: expected {expected}, found {actual}"));
            }
        }
    }
}

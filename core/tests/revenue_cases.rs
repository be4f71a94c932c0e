//! The worked cases about money, asked of the engine in Rust and compared as `conformance/README.md` says.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a panic in a test is a failed test"
)]
#![allow(clippy::disallowed_methods, reason = "where the data is, the environment says (RULINGS 74)")]

use healthfold::{
    AsOf, Engine, Event, Instant, Month, Period, QueryError, RevenueOptions, SettingError, Settings, Zone,
};
use serde_json::{Map, Value, to_value};
use std::path::{Path, PathBuf};

fn shared_data() -> PathBuf {
    std::env::var_os("HEALTHFOLD_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from)
}

fn cases(folder: &Path) -> Vec<(PathBuf, Value)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    let read = |path: &PathBuf| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    files.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

fn instant(value: &Value, zone: &Zone) -> Result<Instant, QueryError> {
    let text = value.as_str().unwrap();
    Ok(match text.parse() {
        Ok(day) => zone.start_of(day),
        Err(_) => text.parse()?,
    })
}

fn period(value: &Value, zone: &Zone) -> Result<Period, QueryError> {
    match value.as_array() {
        Some(ends) => Ok(Period::between(instant(&ends[0], zone)?, instant(&ends[1], zone)?)?),
        None => Ok(Period::parse(value.as_str().unwrap(), zone)?),
    }
}

fn options(settings: &Map<String, Value>) -> Result<RevenueOptions, SettingError> {
    RevenueOptions::from_json(&serde_json::to_string(settings).unwrap())
}

fn revenue(engine: &Engine, mut args: Map<String, Value>) -> Result<Value, QueryError> {
    let period = period(&args.remove("period").unwrap(), engine.zone())?;
    Ok(to_value(engine.revenue(period, &options(&args)?)?).unwrap())
}

fn movements(engine: &Engine, mut args: Map<String, Value>) -> Result<Value, QueryError> {
    let period = period(&args.remove("period").unwrap(), engine.zone())?;
    Ok(to_value(engine.movements(period, &options(&args)?)?).unwrap())
}

fn revenue_series(engine: &Engine, mut args: Map<String, Value>) -> Result<Value, QueryError> {
    let start = instant(&args.remove("start").unwrap(), engine.zone())?;
    let end = instant(&args.remove("end").unwrap(), engine.zone())?;
    let every = args.remove("every").unwrap_or("month".into()).as_str().unwrap().parse()?;
    Ok(to_value(engine.revenue_series(start, end, every, &options(&args)?)?).unwrap())
}

fn month(value: Option<Value>, zone: &Zone) -> Result<Option<Month>, QueryError> {
    let text = value.filter(|value| !value.is_null());
    text.map(|text| Ok(zone.day(period(&text, zone)?.start).month())).transpose()
}

fn cohorts(engine: &Engine, mut args: Map<String, Value>) -> Result<Value, QueryError> {
    let as_of: AsOf = args.remove("as_of").unwrap().as_str().unwrap().parse()?;
    let months = (month(args.remove("start"), engine.zone())?, month(args.remove("end"), engine.zone())?);
    Ok(to_value(engine.cohorts(months, as_of, &options(&args)?)?).unwrap())
}

fn trials(engine: &Engine, mut args: Map<String, Value>) -> Result<Value, QueryError> {
    let period = period(&args.remove("period").unwrap(), engine.zone())?;
    Ok(to_value(engine.trials(period, &options(&args)?)?).unwrap())
}

/// The answer to a question about money; `None` for questions about other things.
fn answer(engine: &Engine, call: &str, args: &Value) -> Option<Result<Value, QueryError>> {
    let args = args.as_object().unwrap().clone();
    Some(match call {
        "revenue" => revenue(engine, args),
        "movements" => movements(engine, args),
        "revenue_series" => revenue_series(engine, args),
        "cohorts" => cohorts(engine, args),
        "trials" => trials(engine, args),
        _ => return None,
    })
}

/// Digits without leading and trailing zeros, and the sign, where a text is a decimal.
fn decimal(text: &str) -> Option<(bool, String, String)> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let ok = !whole.is_empty() && all_digits(whole) && all_digits(fraction);
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let zero = whole.is_empty() && fraction.is_empty();
    ok.then(|| (negative && !zero, whole.to_owned(), fraction.to_owned()))
}

fn compare(expected: &Value, found: &Value, tolerance: f64, place: &str, faults: &mut Vec<String>) {
    let agrees = match (expected, found) {
        (Value::Object(members), Value::Object(_)) => {
            for (name, member) in members {
                let missing = Value::String("(missing)".to_owned());
                let found = found.get(name).unwrap_or(&missing);
                compare(member, found, tolerance, &format!("{place}.{name}"), faults);
            }
            true
        }
        (Value::Array(rows), Value::Array(found_rows)) if rows.len() == found_rows.len() => {
            for (i, row) in rows.iter().enumerate() {
                let place = format!("{place}[{i}]");
                let name = ["client", "key", "cohort"].into_iter().find(|name| row.get(name).is_some());
                let found = name.map_or(found_rows.get(i), |name| {
                    found_rows.iter().find(|found| found.get(name) == row.get(name))
                });
                match found {
                    Some(found) => compare(row, found, tolerance, &place, faults),
                    None => faults.push(format!("{place}: no such row as {row}")),
                }
            }
            true
        }
        (Value::Number(number), Value::Number(found)) => {
            let (number, found) = (number.as_f64().unwrap(), found.as_f64().unwrap());
            (number - found).abs() <= tolerance * number.abs().max(1.0)
        }
        (Value::String(text), Value::String(found)) => {
            text == found || decimal(text).is_some_and(|text| decimal(found) == Some(text))
        }
        (expected, found) => expected == found,
    };
    if !agrees {
        faults.push(format!("{place}: expected {expected}, found {found}"));
    }
}

fn run(folder: &Path) -> usize {
    let mut asked = 0;
    let mut faults = Vec::new();
    for (path, case) in cases(folder) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let timezone = case["engine"]["timezone"].as_str().unwrap().to_owned();
        let mut engine = Engine::new(Settings { timezone, ..Settings::default() }).unwrap();
        for event in case["events"].as_array().unwrap() {
            if let Ok(event) = Event::from_json(event.to_string().as_bytes()) {
                let _ = engine.apply(&event);
            }
        }
        if let Some(seal) = case["seal"].as_str() {
            engine.seal(seal.parse().unwrap()).unwrap();
        }
        let tolerance = case["tolerance"].as_f64().unwrap();
        for (i, question) in case["ask"].as_array().unwrap().iter().enumerate() {
            let call = question["call"].as_str().unwrap();
            let Some(answer) = answer(&engine, call, &question["args"]) else { continue };
            asked += 1;
            let place = format!("{name} {i} {call} {}", question["args"]);
            match (answer, question.get("error")) {
                (Ok(found), None) => compare(&question["expect"], &found, tolerance, &place, &mut faults),
                (Err(error), Some(code)) if error.code() == code => {}
                (Ok(_), Some(code)) => faults.push(format!("{place}: answered, expected {code}")),
                (Err(error), _) => faults.push(format!("{place}: {} ({error})", error.code())),
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
    asked
}

#[test]
fn conformance_cases_about_money() {
    let asked = run(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/cases"));
    assert!(asked > 50, "only {asked} questions were found");
}

#[test]
fn shared_cases_about_money() {
    let folder = shared_data().join("cases");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    assert!(run(&folder) > 10);
}

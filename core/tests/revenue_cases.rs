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
use healthfold_testkit::case::differences;
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
                (Ok(found), None) => {
                    faults.extend(differences(&question["expect"], &found, tolerance, &place))
                }
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

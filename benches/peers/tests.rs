//! The job's own ground: the log is what it says, and healthfold's answers are those of the naive oracle.

use super::{Asked, LogSpec, ask, freshen, load, watch, write_log};
use healthfold::{Dedupe, Model, ScoresOf};
use healthfold_testkit::oracle::Oracle;
use serde_json::{Value, json};

const SMALL: LogSpec = LogSpec { clients: 30, events: 1_200, seed: 7, late: 0 };

fn log(spec: LogSpec) -> Vec<u8> {
    let mut log = Vec::new();
    let (events, _) = write_log(spec, &mut log).unwrap();
    assert_eq!(log.iter().filter(|byte| **byte == b'\n').count() as u64, events);
    assert_eq!(events, spec.events);
    log
}

fn in_order(log: &[u8]) -> bool {
    let time =
        |line: &[u8]| serde_json::from_slice::<Value>(line).unwrap()["time"].as_str().unwrap().to_owned();
    log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(time).is_sorted()
}

#[test]
fn a_seed_gives_the_same_log_and_late_events_the_same_answers() {
    let (first, late) = (log(SMALL), log(LogSpec { late: 30, ..SMALL }));
    assert_eq!(first, log(SMALL));
    assert_ne!(first, log(LogSpec { seed: 8, ..SMALL }));
    assert!(in_order(&first));
    assert!(!in_order(&late));
    // What comes late also moves the draws behind it, so only what arrives is compared with itself.
    let mut lines: Vec<&[u8]> = late.split(|byte| *byte == b'\n').collect();
    lines.reverse();
    let backwards = lines.join(&b"\n"[..]);
    let fingerprint = |log: &[u8]| load(log, Dedupe::Exact).unwrap().fingerprint();
    assert_eq!(fingerprint(&late), fingerprint(&backwards));
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(1.0),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// The oracle knows no formulas, so it is asked with days since usage as they are; the job's own formula is to say the same
/// up to 55 days, and nothing beyond.
#[test]
fn the_client_table_is_that_of_the_oracle() {
    let log = log(SMALL);
    let lines = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let events: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
    let oracle = Oracle::new(&events, "UTC");
    let mut plain: Value = serde_json::from_str(include_str!("model.json")).unwrap();
    plain["signals"]["days_since_use"] = json!({"kind": "days_since_usage"});
    let plain_model = Model::from_json(&plain.to_string()).unwrap();
    let engine = load(&log[..], Dedupe::Upstream).unwrap();
    let answers = ask(&engine, Asked::Months).unwrap();
    let (mut compared, mut scored, mut long_ago) = (0, 0, 0);
    for (as_of, table) in answers.scores.iter().step_by(11) {
        let of_plain = engine.scores(&plain_model, engine.zone().as_of(as_of).unwrap(), ScoresOf::All);
        assert_eq!(table.client.len(), of_plain.len());
        for (row, of_plain) in of_plain.iter().enumerate() {
            let client = &table.client[row];
            let expected = oracle.score(client.as_str(), &plain, as_of).unwrap();
            assert!(close(of_plain.score, expected["score"].as_f64()), "{of_plain:?}\n{expected}");
            assert_eq!(of_plain.band, expected["band"].as_str().unwrap());
            for ((part, of_plain), expected) in
                table.parts.iter().zip(&of_plain.parts).zip(expected["parts"].as_array().unwrap())
            {
                let (reading, expected) = (part.readings.get(row), expected["reading"].as_f64());
                assert!(close(of_plain.reading, expected), "{as_of} {client}: {of_plain:?}");
                let far = part.name.signal == "days_since_use" && expected.is_some_and(|days| days > 55.0);
                assert!(close(reading, expected.filter(|_| !far)), "{as_of} {client}: {reading:?}");
                long_ago += usize::from(far);
            }
            compared += 1;
            scored += usize::from(table.score.get(row).is_some());
        }
    }
    assert!(long_ago > 0 && scored > 20 && scored < compared, "{scored} of {compared}, {long_ago} unused");
}

#[test]
fn the_months_foot_and_every_line_occurs() {
    let log = log(LogSpec { clients: 400, events: 6_000, ..SMALL });
    let months = ask(&load(&log[..], Dedupe::Exact).unwrap(), Asked::End).unwrap().months;
    assert_eq!(months.len(), 12);
    for month in &months {
        let won = month.new + month.reactivation + month.expansion;
        let lost = month.contraction + month.churn;
        assert_eq!(month.opening + won - lost, month.closing, "{}", month.month);
        let heads = month.opening_clients + month.new_clients + month.reactivated_clients;
        assert_eq!(heads - month.churned_clients, month.closing_clients);
    }
    let all = |line: fn(&super::Movements) -> i128| months.iter().map(line).sum::<i128>();
    let lines = [
        all(|m| m.new),
        all(|m| m.reactivation),
        all(|m| m.expansion),
        all(|m| m.contraction),
        all(|m| m.churn),
    ];
    assert!(lines.iter().all(|line| *line > 0), "{lines:?}");
}

#[test]
fn what_is_fresh_is_what_the_whole_log_says() {
    let log = log(LogSpec { clients: 200, events: 8_000, ..SMALL });
    let ends: Vec<usize> =
        log.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    let (head, tail) = log.split_at(ends[ends.len() - 501]);
    let mut engine = load(head, Dedupe::Exact).unwrap();
    let mut watched = watch(&mut engine).unwrap();
    let fresh = freshen(&mut engine, &mut watched, tail).unwrap();
    let whole = ask(&load(&log[..], Dedupe::Exact).unwrap(), Asked::End).unwrap();
    let (_, table) = whole.scores.last().unwrap();
    assert!(fresh.clients.len() > 50, "{}", fresh.clients.len());
    for (client, score, band) in &fresh.clients {
        let row = table.row(client).unwrap();
        assert_eq!((*score, band.as_str()), (table.score.get(row), &**table.band_of(row).unwrap()));
    }
    assert_eq!(Some(&fresh.month), whole.months.last());
}

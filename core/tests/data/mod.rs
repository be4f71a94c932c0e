//! What the tests on shared tables have in common: reading a table, a line of it as events, and the yearly figures of
//! `retention.py` beside the engine's.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic in a test is a failed test")]
#![allow(dead_code, reason = "each test takes what it needs")]

use healthfold::{Annual, Engine, Event, Period, PeriodUnit, Recurring, RevenueOptions, Row};
use healthfold_testkit::case::shared_data;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Period, clients and MRR of the opening, what those pay at closing and at most what they paid, clients lost, new, back,
/// joined and left, closing MRR. A line as `retention.py` prints it.
pub(crate) type Figures =
    (&'static str, u64, &'static str, &'static str, &'static str, u64, u64, u64, u64, &'static str);

/// The rows of a table by the names of its columns; none of the shared tables quotes anything.
pub(crate) fn rows(path: &str) -> Option<Vec<HashMap<String, String>>> {
    let text = std::fs::read_to_string(shared_data(path)?).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        names.iter().map(|name| (*name).to_owned()).zip(line.split(',').map(str::to_owned)).collect()
    };
    Some(lines.map(row).collect())
}

/// Applies one event of the day's first instant.
pub(crate) fn apply(engine: &mut Engine, id: &str, kind: &str, client: &str, day: &str, data: &Value) {
    let event = json!({"id": id, "source": "table", "type": kind, "subject": client,
        "time": format!("{day}T00:00:00Z"), "data": data});
    assert!(engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap()).unwrap(), "{event}");
}

fn check_identity(row: &Row, place: &str) {
    let arr = |line: Recurring| line.arr().picos();
    let won = arr(row.new) + arr(row.reactivation) + arr(row.resumed) + arr(row.expansion);
    let lost = arr(row.contraction) + arr(row.paused) + arr(row.churn);
    assert_eq!(arr(row.opening) + won - lost + arr(row.fx), arr(row.closing), "{place}");
    let heads = row.clients;
    let joined = heads.new + heads.reactivated + heads.resumed;
    assert_eq!(heads.opening + joined, heads.closing + heads.paused + heads.churned, "{place}");
    let rates = (row.nrr.value, row.grr.value);
    assert!(
        rates.0.zip(rates.1).is_none_or(|(nrr, grr)| (0.0..=1.0).contains(&grr) && grr <= nrr),
        "{place}"
    );
}

/// Every period's movements close, groups add up, and each period opens where the one before closed.
pub(crate) fn check_movements(
    engine: &Engine,
    (start, end): (&str, &str),
    every: PeriodUnit,
    group_by: Option<&str>,
) {
    let at = |day: &str| engine.zone().start_of(day.parse().unwrap());
    let group_by = group_by.map(|by| by.parse().unwrap());
    let options = RevenueOptions { group_by, ..RevenueOptions::default() };
    let series = engine.revenue_series(at(start), at(end), every, &options).unwrap();
    let mut before: Option<(Annual, u64)> = None;
    for report in &series.rows {
        let (row, place) = (report.total.as_ref().unwrap(), report.period.start.to_string());
        check_identity(row, &place);
        assert!(before.is_none_or(|closed| closed == (row.opening.arr(), row.clients.opening)), "{place}");
        before = Some((row.closing.arr(), row.clients.closing));
        if let Some(groups) = &report.groups {
            groups.iter().for_each(|group| check_identity(&group.row, &place));
            let closing: Annual = groups.iter().map(|group| group.row.closing.arr()).sum();
            assert_eq!(closing, row.closing.arr(), "{place}");
        }
    }
}

/// The engine's figures of some periods are those worked out from the table.
pub(crate) fn check_figures(engine: &Engine, currency: &str, figures: &[Figures]) {
    for (label, opening, mrr, net, gross, lost, new, back, passing, closing) in figures {
        let report = engine.revenue(Period::parse(label, engine.zone()).unwrap(), &RevenueOptions::default());
        let report = report.unwrap();
        let row = report.total.unwrap();
        assert!(report.currency.is_none_or(|found| found.as_str() == currency), "{label}");
        check_row(&row, label, (*opening, mrr), (net, gross), (*lost, *new, *back, *passing), closing);
    }
}

/// One row beside its figures.
pub(crate) fn check_row(
    row: &Row,
    label: &str,
    (opening, mrr): (u64, &str),
    (net, gross): (&str, &str),
    (lost, new, back, passing): (u64, u64, u64, u64),
    closing: &str,
) {
    let text = |annual: Annual| annual.mrr().to_string();
    assert_eq!((row.clients.opening, text(row.opening.arr())), (opening, plain(mrr)), "{label}");
    assert_eq!((text(row.nrr.part), text(row.grr.part)), (plain(net), plain(gross)), "{label}");
    assert_eq!((row.logo_churn.part, row.logo_churn.whole), (lost, opening), "{label}");
    let heads = row.clients;
    assert_eq!((heads.new, heads.reactivated, heads.joined_and_left), (new, back, passing), "{label}");
    assert_eq!(text(row.closing.arr()), plain(closing), "{label}");
    let number = |text: &str| text.parse::<f64>().unwrap();
    for (rate, part) in [(row.nrr.value, net), (row.grr.value, gross)] {
        assert_eq!(rate.is_some(), opening > 0, "{label}");
        assert!(rate.is_none_or(|rate| (rate - number(part) / number(mrr)).abs() < 1e-12), "{label}");
    }
}

/// A decimal as the engine prints it, without zeros at its end.
fn plain(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

//! The demo's page, on the made book and on a real one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic"
)]

use healthfold_testkit::case::shared_data;
use xtask::demo::{Options, page, report};

fn fits(page: &str) {
    for line in page.lines() {
        assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
        assert_eq!(line.trim_end(), line, "nothing hangs over");
    }
}

#[test]
fn the_page_of_the_made_book() {
    let report = report(&Options::default()).unwrap();
    let page = page(&report);
    fits(&page);
    insta::assert_snapshot!("demo", page);
}

#[test]
fn the_page_of_real_billing() {
    let Some(events) = shared_data("invoice-lines/events.ndjson") else { return };
    let options =
        Options { events: Some(events), as_of: Some("2016-03-31".to_owned()), ..Options::default() };
    let report = report(&options).unwrap();
    assert_eq!((report.read.applied, report.read.rejected.len(), report.clients), (4740, 0, 618));
    assert_eq!(report.currencies.len(), 1, "all of it is in AUD");
    let aud = &report.currencies[0];
    assert_eq!((aud.currency.as_str(), aud.months.len()), ("AUD", 12));
    for month in aud.months.iter().chain([&aud.whole]) {
        let row = &month.row;
        let gained = row.new.annual + row.reactivation.annual + row.resumed.annual + row.expansion.annual;
        let lost = row.contraction.annual + row.paused.annual + row.churn.annual;
        assert_eq!(row.opening.annual + gained - lost, row.closing.annual, "{} closes exactly", month.name);
    }
    for (month, next) in aud.months.iter().zip(&aud.months[1..]) {
        assert_eq!(month.row.closing, next.row.opening, "{} opens as {} closed", next.name, month.name);
    }
    // Nothing but billing is known: no health is made up.
    assert!(aud.scored.is_empty() && !aud.unknown.is_empty());
    fits(&page(&report));
}

#[test]
fn without_an_instant_it_is_the_end_of_the_last_whole_month() {
    let Some(events) = shared_data("invoice-lines/events.ndjson") else { return };
    let report = report(&Options { events: Some(events), ..Options::default() }).unwrap();
    // The last event is of 12 September 2017.
    assert_eq!(report.as_of.to_string(), "2017-08-31T23:59:59.999999Z");
    fits(&page(&report));
}

#[test]
fn what_cannot_be_read_is_said() {
    let missing = Options { events: Some("no-such-file.ndjson".into()), ..Options::default() };
    assert!(report(&missing).unwrap_err().to_string().contains("no-such-file.ndjson"));
    let zone = Options { timezone: Some("Mars/Olympus".to_owned()), ..Options::default() };
    assert!(report(&zone).unwrap_err().to_string().contains("Mars/Olympus"));
}

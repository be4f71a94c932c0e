//! The real, anonymised billing of `shared/data/invoice-lines`: yearly retention against a recomputation by other means.
//!
//! The expected figures come from `data/retention.py`, a short script over `subscriptions.csv`, not from the events and not
//! from this library: a line counts at the opening of year Y if `start_date < Y-01-01 <= end_date` (its end is exclusive, so
//! one that ends on 1 January still stood just before it); a client's MRR is the sum of `mrr_aud` of its lines, in exact
//! decimals. The table ends inside 2016, so lines that were renewed later look lost there.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]

mod data;

use data::Figures;
use healthfold::{Engine, PeriodUnit, ReadOptions, Settings};
use healthfold_testkit::case::shared_data;
use std::fs::File;
use std::io::BufReader;

const YEARS: [Figures; 9] = [
    ("2008", 0, "0", "0", "0", 0, 11, 0, 0, "2966.98"),
    ("2009", 11, "2966.98", "4048.51", "2966.98", 0, 45, 0, 0, "19656.62"),
    ("2010", 56, "19656.62", "24204.80", "17476.92", 9, 46, 0, 0, "37594.39"),
    ("2011", 93, "37594.39", "41551.64", "32002.04", 13, 62, 2, 0, "58055.99"),
    ("2012", 144, "58055.99", "55396.88", "49835.39", 19, 67, 1, 0, "74084.11"),
    ("2013", 193, "74084.11", "72564.88", "61593.33", 29, 91, 3, 0, "99856.79"),
    ("2014", 258, "99856.79", "117856.84", "85645.25", 43, 101, 3, 0, "148608.81"),
    ("2015", 319, "148608.81", "143763.13", "124399.82", 47, 134, 6, 0, "209634.42"),
    ("2016", 412, "209634.42", "77656.36", "69885.30", 273, 61, 9, 0, "102423.12"),
];

#[test]
fn years_of_real_billing() {
    let Some(path) = shared_data("invoice-lines/events.ndjson") else { return };
    let mut engine = Engine::new(Settings::default()).unwrap();
    let applied =
        engine.apply_ndjson(BufReader::new(File::open(path).unwrap()), &ReadOptions::default()).unwrap();
    assert_eq!((applied.applied, applied.rejected_count()), (4740, 0));
    data::check_figures(&engine, "AUD", &YEARS);
    for every in [PeriodUnit::Year, PeriodUnit::Month] {
        data::check_movements(&engine, ("2008-01-01", "2017-01-01"), every, None);
    }
}

//! The real, anonymised billing of `shared/data/invoice-lines`: yearly retention against a recomputation by other means.
//!
//! The expected figures were made outside the repository by a short Python script from `subscriptions.csv`, not from the
//! events and not with this library: a line counts at the opening of year Y if `start_date < Y-01-01 <= end_date` (its end
//! is exclusive, so one that ends on 1 January still stood just before it); a client's MRR is the sum of `mrr_aud` of its
//! lines, in exact fractions; with o the opening and c the next year's opening, NRR = sum c / sum o and GRR = sum min(c, o)
//! / sum o over clients with o > 0, logo churn = clients with o > 0 and c = 0 / clients with o > 0.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a panic in a test is a failed test")]
#![allow(clippy::disallowed_methods, reason = "where the data is, the environment says (RULINGS 74)")]

use healthfold::{Engine, Period, ReadOptions, RevenueOptions, Settings};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Year, opening clients and MRR, sum of c and of min(c, o), clients lost, new, back, closing MRR.
type Year = (&'static str, u64, &'static str, &'static str, &'static str, u64, u64, u64, &'static str);

const YEARS: [Year; 7] = [
    ("2009", 11, "2966.98", "4048.51", "2966.98", 0, 45, 0, "19656.62"),
    ("2010", 56, "19656.62", "24204.8", "17476.92", 9, 46, 0, "37594.39"),
    ("2011", 93, "37594.39", "41551.64", "32002.04", 13, 62, 2, "58055.99"),
    ("2012", 144, "58055.99", "55396.88", "49835.39", 19, 67, 1, "74084.11"),
    ("2013", 193, "74084.11", "72564.88", "61593.33", 29, 91, 3, "99856.79"),
    ("2014", 258, "99856.79", "117856.84", "85645.25", 43, 101, 3, "148608.81"),
    ("2015", 319, "148608.81", "143763.13", "124399.82", 47, 134, 6, "209634.42"),
];

#[test]
fn years_of_real_billing() {
    let folder = std::env::var_os("HEALTHFOLD_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let path = folder.join("invoice-lines/events.ndjson");
    let Ok(file) = File::open(&path) else {
        println!("skipped: {} is not there", path.display());
        return;
    };
    let mut engine = Engine::new(Settings::default()).unwrap();
    let applied = engine.apply_ndjson(BufReader::new(file), &ReadOptions::default()).unwrap();
    assert_eq!((applied.applied, applied.rejected_count()), (4740, 0));
    let options = RevenueOptions::default();
    for (year, opening, mrr, net, gross, lost, new, back, closing) in YEARS {
        let report = engine.revenue(Period::parse(year, engine.zone()).unwrap(), &options).unwrap();
        let row = report.total.unwrap();
        assert_eq!(report.currency.unwrap().as_str(), "AUD", "{year}");
        assert_eq!((row.clients.opening, row.opening.mrr().to_string()), (opening, mrr.to_owned()), "{year}");
        assert_eq!(row.nrr.part.mrr().to_string(), net, "{year}");
        assert_eq!(row.grr.part.mrr().to_string(), gross, "{year}");
        assert_eq!((row.logo_churn.part, row.logo_churn.whole), (lost, opening), "{year}");
        assert_eq!((row.clients.new, row.clients.reactivated), (new, back), "{year}");
        assert_eq!(row.closing.mrr().to_string(), closing, "{year}");
        let decimal = |text: &str| text.parse::<f64>().unwrap();
        assert!((row.nrr.value.unwrap() - decimal(net) / decimal(mrr)).abs() < 1e-12, "{year}");
        assert!((row.grr.value.unwrap() - decimal(gross) / decimal(mrr)).abs() < 1e-12, "{year}");
    }
}

//! The 121 subscription periods of `shared/data/subscription-periods`, by year and by month, against `data/retention.py`.
//!
//! The table ends in February 2020, and half of its periods at the turn of the year: that is its end, not a catastrophe.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic in a test is a failed test")]

mod data;

use data::Figures;
use healthfold::{Engine, PeriodUnit, Settings};
use serde_json::json;

const YEARS: [Figures; 4] = [
    ("2017", 0, "0", "0", "0", 0, 0, 0, 3, "0"),
    ("2018", 0, "0", "0", "0", 0, 12, 0, 0, "585"),
    ("2019", 12, "585", "410", "340", 5, 21, 0, 15, "1255"),
    ("2020", 28, "1255", "0", "0", 28, 0, 0, 4, "0"),
];

const MONTHS: [Figures; 30] = [
    ("2017-09", 0, "0", "0", "0", 0, 2, 0, 0, "75"),
    ("2017-10", 2, "75", "25", "25", 1, 1, 0, 0, "50"),
    ("2017-11", 2, "50", "0", "0", 2, 0, 0, 0, "0"),
    ("2017-12", 0, "0", "0", "0", 0, 0, 0, 0, "0"),
    ("2018-01", 0, "0", "0", "0", 0, 1, 0, 0, "55"),
    ("2018-02", 1, "55", "70", "55", 0, 0, 0, 0, "70"),
    ("2018-03", 1, "70", "70", "70", 0, 0, 0, 0, "70"),
    ("2018-04", 1, "70", "70", "70", 0, 1, 0, 0, "150"),
    ("2018-05", 2, "150", "70", "70", 1, 2, 0, 0, "190"),
    ("2018-06", 3, "190", "210", "180", 0, 1, 0, 0, "235"),
    ("2018-07", 4, "235", "260", "235", 0, 0, 0, 0, "260"),
    ("2018-08", 4, "260", "260", "260", 0, 0, 0, 0, "260"),
    ("2018-09", 4, "260", "260", "260", 0, 1, 1, 0, "340"),
    ("2018-10", 6, "340", "335", "315", 0, 0, 0, 0, "335"),
    ("2018-11", 6, "335", "335", "335", 0, 5, 0, 0, "575"),
    ("2018-12", 11, "575", "560", "510", 0, 1, 0, 0, "585"),
    ("2019-01", 12, "585", "595", "585", 0, 1, 0, 0, "620"),
    ("2019-02", 13, "620", "595", "570", 1, 1, 0, 0, "625"),
    ("2019-03", 13, "625", "600", "600", 1, 2, 0, 0, "660"),
    ("2019-04", 14, "660", "725", "660", 0, 2, 1, 0, "895"),
    ("2019-05", 17, "895", "810", "810", 0, 4, 0, 0, "965"),
    ("2019-06", 21, "965", "1085", "935", 0, 1, 0, 0, "1135"),
    ("2019-07", 22, "1135", "1095", "1095", 0, 3, 1, 0, "1350"),
    ("2019-08", 26, "1350", "1135", "1135", 3, 3, 0, 0, "1240"),
    ("2019-09", 26, "1240", "1290", "1210", 0, 5, 0, 0, "1455"),
    ("2019-10", 31, "1455", "1460", "1380", 0, 5, 0, 0, "1680"),
    ("2019-11", 36, "1680", "1630", "1570", 0, 6, 0, 0, "1840"),
    ("2019-12", 42, "1840", "1155", "1105", 17, 3, 0, 0, "1255"),
    ("2020-01", 28, "1255", "0", "0", 28, 4, 0, 0, "175"),
    ("2020-02", 4, "175", "0", "0", 4, 0, 0, 0, "0"),
];

fn engine() -> Option<Engine> {
    let mut engine = Engine::new(Settings::default()).unwrap();
    for row in data::rows("subscription-periods/subscription_periods.csv")? {
        let (client, id) = (&row["customer_id"], &row["subscription_id"]);
        for (day, status) in [(&row["start_date"], "active"), (&row["end_date"], "cancelled")] {
            let state = json!({"subscription": id, "status": status, "amount": row["monthly_amount"],
                "currency": "USD", "interval": {"unit": "month"}});
            data::apply(
                &mut engine,
                &format!("{id}-{status}"),
                "billing.subscription_set",
                client,
                day,
                &state,
            );
        }
    }
    Some(engine)
}

#[test]
fn years_and_months_of_subscription_periods() {
    let Some(engine) = engine() else { return };
    assert_eq!(engine.clients().count(), 55);
    data::check_figures(&engine, "USD", &YEARS);
    data::check_figures(&engine, "USD", &MONTHS);
    for every in [PeriodUnit::Year, PeriodUnit::Month, PeriodUnit::Week] {
        data::check_movements(&engine, ("2017-01-01", "2021-01-01"), every, Some("cohort"));
    }
}

//! The 7 043 clients of `shared/data/telco` against `data/retention.py`.
//!
//! The table has no dates. Its month is taken as December 2019: a client of tenure t > 0 pays since the first day of the
//! month t months earlier, one of tenure 0 joined inside the month, and who churned in it left on the 15th. Only clients of
//! that month are in the table, so no earlier year can lose anybody: 2019 loses those of December alone.
//!
//! The published churn of this table is 1 869 / 7 043 = 26.5 %: over all clients, the 11 of tenure 0 among them. That is base
//! `opening_plus_new`; over the opening it is 1 869 / 7 032.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic in a test is a failed test")]

mod data;

use data::Figures;
use healthfold::{Engine, LogoBase, Period, PeriodUnit, RevenueOptions, Settings};
use serde_json::{json, to_value};

const PERIODS: [Figures; 3] = [
    ("2019-12", 7032, "455661.00", "316530.15", "316530.15", 1869, 11, 0, 0, "316985.75"),
    ("2018", 3927, "276423.30", "276423.30", "276423.30", 0, 1047, 0, 0, "340136.70"),
    ("2019", 4974, "340136.70", "267028.15", "267028.15", 870, 1070, 0, 999, "316985.75"),
];

/// December by contract, and its rows.
const CONTRACTS: [(&str, Figures); 3] = [
    ("Month-to-month", ("2019-12", 3875, "257294.15", "136447.05", "136447.05", 1655, 0, 0, 0, "136447.05")),
    ("One year", ("2019-12", 1472, "95796.90", "81678.45", "81678.45", 166, 1, 0, 0, "81698.15")),
    ("Two year", ("2019-12", 1685, "102569.95", "98404.65", "98404.65", 48, 10, 0, 0, "98840.55")),
];

fn engine() -> Option<Engine> {
    let mut engine = Engine::new(Settings::default()).unwrap();
    for row in data::rows("telco/customers.csv")? {
        let client = &row["customer_id"];
        let tenure: i32 = row["tenure_months"].parse().unwrap();
        let months = 2019 * 12 + 11 - tenure;
        let day = if tenure == 0 { 10 } else { 1 };
        let start = format!("{}-{:02}-{day:02}", months / 12, months % 12 + 1);
        let state = |status: &str| {
            json!({"subscription": "line", "status": status, "amount": row["monthly_charges"], "currency": "USD",
                "interval": {"unit": "month"}, "plan": row["contract"]})
        };
        let kind = "billing.subscription_set";
        data::apply(&mut engine, &format!("{client}-on"), kind, client, &start, &state("active"));
        if row["churned_in_month"] == "yes" {
            data::apply(
                &mut engine,
                &format!("{client}-off"),
                kind,
                client,
                "2019-12-15",
                &state("cancelled"),
            );
        }
    }
    Some(engine)
}

#[test]
fn a_month_and_two_years_of_a_telephone_company() {
    let Some(engine) = engine() else { return };
    assert_eq!(engine.clients().count(), 7_043);
    data::check_figures(&engine, "USD", &PERIODS);
    let december = Period::parse("2019-12", engine.zone()).unwrap();
    let options = RevenueOptions {
        base: LogoBase::OpeningPlusNew,
        group_by: Some("plan".parse().unwrap()),
        ..RevenueOptions::default()
    };
    let report = engine.revenue(december, &options).unwrap();
    let all = report.total.unwrap().logo_churn;
    assert_eq!((all.part, all.whole), (1_869, 7_043));
    let groups = report.groups.unwrap();
    assert_eq!(groups.len(), CONTRACTS.len());
    for (group, (contract, figures)) in groups.iter().zip(CONTRACTS) {
        let (label, opening, mrr, net, gross, lost, new, back, passing, closing) = figures;
        assert_eq!((to_value(&group.key).unwrap(), label), (json!(contract), "2019-12"));
        let mut row = group.row.clone();
        // The base of this question is another; here the part of the opening is compared.
        row.logo_churn.whole = row.clients.opening;
        data::check_row(&row, contract, (opening, mrr), (net, gross), (lost, new, back, passing), closing);
    }
    for every in [PeriodUnit::Year, PeriodUnit::Month] {
        data::check_movements(&engine, ("2013-01-01", "2020-02-01"), every, Some("plan"));
    }
}

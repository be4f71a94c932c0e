//! Which column fills which field, and all that may be wrong with it.

use super::{batch, column, engine, load, options, texts};
use healthfold::table::arrow_array::*;
use healthfold::table::{Fill, TableOptions};
use healthfold::{EventKind, TableError, TableFault};
use std::sync::Arc;

fn issues(error: TableError) -> Vec<(TableFault, String)> {
    assert_eq!(error.code(), "invalid_table");
    match error {
        TableError::Invalid { issues } => issues.into_iter().map(|issue| (issue.code, issue.field)).collect(),
        other => panic!("{other}"),
    }
}

#[test]
fn all_faults_at_once() {
    let table = batch([
        ("subject", texts(["acme"])),
        ("when", Arc::new(TimestampSecondArray::from(vec![0])) as ArrayRef),
        ("price", Arc::new(Float64Array::from(vec![1.5]))),
        ("status", Arc::new(BooleanArray::from(vec![true]))),
        ("interval.unit", texts(["month"])),
    ]);
    let columns = [
        ("time", "when"),
        ("amount", "price"),
        ("plan", "plan_name"),
        ("colour", "price"),
        ("interval.size", "price"),
    ];
    let columns = columns.map(|(field, name)| (field.to_owned(), column(name)));
    let options = TableOptions { columns: columns.into(), ..TableOptions::default() };
    let before = engine().fingerprint();
    let mut engine = engine();
    let error = load(&mut engine, EventKind::SubscriptionSet, &[table], &options).unwrap_err();
    insta::assert_snapshot!(error.to_string().replace("; ", "\n"), @r"
    `data.amount` is money, column `price` holds binary floats, which are not exact: use decimals, or allow floats for money
    `colour` is no field of these events, which have `id`, `source`, `subject`, `time`, `sequence`, `recordedtime`, `subscription`, `status`, `amount`, `currency`, `interval`, `quantity`, `seats`, `plan`, `product`, `term_end`, `trial_end`, `cancel_at`, `reason`
    `interval.size` is no field of these events, which have `id`, `source`, `subject`, `time`, `sequence`, `recordedtime`, `subscription`, `status`, `amount`, `currency`, `interval`, `quantity`, `seats`, `plan`, `product`, `term_end`, `trial_end`, `cancel_at`, `reason`
    `data.plan` is mapped to column `plan_name`, the table has `subject`, `when`, `price`, `status`, `interval.unit`
    `time` is an instant, column `when` holds timestamps without a zone and no time zone is stated
    `data.status` takes text or whole numbers, column `status` holds true and false
    `source` must be there, but no column or constant fills it, and no `source` is given for all rows
    `data.subscription` must be there, but no column or constant fills it
    ");
    let expected = [
        (TableFault::FloatMoney, "data.amount"),
        (TableFault::UnknownField, "colour"),
        (TableFault::UnknownField, "interval.size"),
        (TableFault::UnknownColumn, "data.plan"),
        (TableFault::NaiveTime, "time"),
        (TableFault::WrongColumn, "data.status"),
        (TableFault::MissingColumn, "source"),
        (TableFault::MissingColumn, "data.subscription"),
    ];
    assert_eq!(issues(error), expected.map(|(code, field)| (code, field.to_owned())));
    assert_eq!(engine.fingerprint(), before);
}

#[test]
fn floats_for_money_only_where_the_caller_says_so() {
    let table = batch([
        ("id", texts(["1"])),
        ("subject", texts(["acme"])),
        ("time", texts(["2026-01-05T10:00:00Z"])),
        ("charge", texts(["c"])),
        ("amount", Arc::new(Float64Array::from(vec![49.9])) as ArrayRef),
        ("currency", texts(["USD"])),
    ]);
    let error =
        load(&mut engine(), EventKind::Charged, std::slice::from_ref(&table), &options()).unwrap_err();
    assert_eq!(issues(error), [(TableFault::FloatMoney, "data.amount".to_owned())]);
    let mut engine = engine();
    let allowed = TableOptions { floats_as_money: true, ..options() };
    assert_eq!(load(&mut engine, EventKind::Charged, &[table], &allowed).unwrap().applied, 1);
    let line = r#"{"id":"1","source":"app","type":"billing.charged","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"charge":"c","amount":49.9,"currency":"USD"}}"#;
    assert_eq!(engine.fingerprint(), super::of_lines(super::engine(), &[line.to_owned()]));
}

#[test]
fn a_retraction_tells_its_own_id_from_that_of_its_target() {
    let table = batch([
        ("id", texts(["2"])),
        ("subject", texts(["acme"])),
        ("time", texts(["2026-01-05T10:00:00Z"])),
        ("data.id", texts(["1"])),
        ("data.source", texts(["crm"])),
        ("type", texts(["client.set"])),
    ]);
    let mut engine = engine();
    assert_eq!(load(&mut engine, EventKind::Retracted, &[table], &options()).unwrap().applied, 1);
    let line = r#"{"id":"2","source":"app","type":"event.retracted","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"id":"1","source":"crm","type":"client.set"}}"#;
    assert_eq!(engine.fingerprint(), super::of_lines(super::engine(), &[line.to_owned()]));
}

#[test]
fn what_is_stated_stands_over_names() {
    // `count` is the name of a column, and something else is meant; `user` is left out.
    let table = batch([
        ("id", texts(["1"])),
        ("subject", texts(["acme"])),
        ("time", texts(["2026-01-05T10:00:00Z"])),
        ("metric", texts(["m"])),
        ("count", texts(["no number"])),
        ("n", Arc::new(Int32Array::from(vec![5])) as ArrayRef),
        ("user", texts(["somebody"])),
    ]);
    let columns = [
        ("data.count".to_owned(), column("n")),
        ("user".to_owned(), Fill::Constant(serde_json::Value::Null)),
    ];
    let options = TableOptions { columns: columns.into(), ..options() };
    let mut engine = engine();
    assert_eq!(load(&mut engine, EventKind::UsageCounted, &[table], &options).unwrap().applied, 1);
    let line = r#"{"id":"1","source":"app","type":"usage.counted","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"metric":"m","count":5}}"#;
    assert_eq!(engine.fingerprint(), super::of_lines(super::engine(), &[line.to_owned()]));
}

#[test]
fn a_zone_that_is_none_and_a_column_that_is_there_twice() {
    let columns = [
        ("subject", texts(["acme"])),
        ("time", texts(["2026-01-05T10:00:00Z"])),
        ("metric", texts(["m"])),
        ("metric", texts(["n"])),
    ];
    let options = TableOptions { timezone: Some("Mars/Olympus".to_owned()), ..options() };
    let error = load(&mut engine(), EventKind::UsageCounted, &[batch(columns)], &options).unwrap_err();
    let mut found = issues(error);
    found.dedup();
    let expected = [(TableFault::UnknownZone, "timezone"), (TableFault::UnknownColumn, "data.metric")];
    assert_eq!(found, expected.map(|(code, field)| (code, field.to_owned())));
}

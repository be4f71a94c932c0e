//! Answers as tables hold what the answers hold.

use super::{batch, engine, load, options, texts};
use healthfold::table::arrow_array::cast::AsArray;
use healthfold::table::arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, TimestampMicrosecondType, UInt32Type, UInt64Type,
};
use healthfold::table::arrow_array::{Array, RecordBatch};
use healthfold::table::{TableOptions, scores_to_arrow};
use healthfold::{
    Engine, EventKind, Every, GroupBuilder, LifetimeOptions, Ltv, LtvOptions, Model, Period, PeriodUnit,
    ReadOptions, RevenueOptions, ScoresOf,
};
use serde_json::json;

/// acme pays 120 a year from January on and 240 from March on; birch pays 30 a month in February and leaves in March; cedar
/// is only spoken of.
fn book() -> Engine {
    let mut engine = engine();
    let paid = |id: u8, client: &str, time: &str, status: &str, amount: &str, unit: &str| {
        format!(
            r#"{{"id":"{id}","source":"b","type":"billing.subscription_set","subject":"{client}","time":"{time}T00:00:00Z","data":{{"subscription":"s","status":"{status}","amount":{amount},"currency":"USD","interval":{{"unit":"{unit}"}},"seats":3}}}}"#
        )
    };
    let lines = [
        paid(1, "acme", "2026-01-10", "active", "100", "year"),
        paid(2, "acme", "2026-03-10", "active", "240", "year"),
        paid(3, "birch", "2026-02-10", "active", "30", "month"),
        paid(4, "birch", "2026-03-10", "cancelled", "30", "month"),
        r#"{"id":"5","source":"b","type":"client.churn_reason_set","subject":"birch","time":"2026-03-10T00:00:00Z","data":{"reason":"price","voluntary":true}}"#.to_owned(),
        r#"{"id":"6","source":"c","type":"client.sentiment_set","subject":"acme","time":"2026-03-01T00:00:00Z","data":{"value":80}}"#.to_owned(),
        r#"{"id":"7","source":"c","type":"client.set","subject":"cedar","time":"2026-03-01T00:00:00Z","data":{"name":"Cedar"}}"#.to_owned(),
    ];
    let applied = engine.apply_ndjson(lines.join("\n").as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!(applied.rejected, []);
    engine
}

fn text<'b>(table: &'b RecordBatch, column: &str, row: usize) -> Option<&'b str> {
    let array = table.column_by_name(column).unwrap();
    if array.is_null(row) {
        return None;
    }
    Some(match array.as_any_dictionary_opt() {
        Some(words) => words.values().as_string::<i32>().value(words.normalized_keys()[row]),
        None => array.as_string::<i32>().value(row),
    })
}

fn number(table: &RecordBatch, column: &str, row: usize) -> Option<f64> {
    let array = table.column_by_name(column).unwrap().as_primitive::<Float64Type>();
    array.is_valid(row).then(|| array.value(row))
}

/// A decimal as text, with all its digits.
fn decimal(table: &RecordBatch, column: &str, row: usize) -> String {
    table.column_by_name(column).unwrap().as_primitive::<Decimal128Type>().value_as_string(row)
}

fn instant(table: &RecordBatch, column: &str, row: usize) -> i64 {
    let array = table.column_by_name(column).unwrap().as_primitive::<TimestampMicrosecondType>();
    assert_eq!(array.timezone(), Some("UTC"));
    array.value(row)
}

fn model() -> Model {
    let part =
        |name: &str| GroupBuilder::new(name).part("mood", 1.0, json!({"points": [[0, 0], [100, 100]]}));
    Model::builder("mood")
        .signal("mood", json!({"kind": "sentiment"}))
        .signal("mrr", json!({"kind": "mrr"}))
        .group(part("voice").part("mrr", 1.0, json!({"points": [[0, 0], [40, 100]]})))
        .band("red", 0.0)
        .band("green", 60.0)
        .build()
        .unwrap()
}

#[test]
fn scores_are_columns() {
    let (engine, model) = (book(), model());
    let as_of = engine.zone().as_of("2026-03-31").unwrap();
    let table = engine.score_table(&model, as_of, ScoresOf::All).to_arrow().unwrap();
    assert_eq!(table.num_rows(), 3);
    // acme: mood 80 -> 80 points; 240 a year are 20 a month -> 50 points; (80 + 50) / 2 = 65.
    assert_eq!((text(&table, "client", 0), number(&table, "score", 0)), (Some("acme"), Some(65.0)));
    assert_eq!(text(&table, "band", 0), Some("green"));
    assert_eq!(text(&table, "model", 0), Some("mood"));
    assert_eq!(
        (number(&table, "reading.mood", 0), number(&table, "points.mrr", 0)),
        (Some(80.0), Some(50.0))
    );
    assert_eq!((number(&table, "weight.mood", 0), number(&table, "group.voice", 0)), (Some(0.5), Some(65.0)));
    assert_eq!(instant(&table, "as_of", 0), as_of.micros());
    // Nobody spoke of birch: that part is missing, which is null and never NaN.
    assert_eq!(text(&table, "client", 1), Some("birch"));
    assert_eq!(
        (number(&table, "reading.mood", 1), text(&table, "missing.mood", 1)),
        (None, Some("never_seen"))
    );
    assert_eq!(text(&table, "missing.mood", 0), None);
    for (field, array) in table.schema().fields().iter().zip(table.columns()) {
        let numbers = array.as_primitive_opt::<Float64Type>();
        let has_nan = numbers.is_some_and(|numbers| numbers.values().iter().any(|number| number.is_nan()));
        assert!(!has_nan, "{}", field.name());
    }
    // The same by the rows of the scores.
    let by_row = scores_to_arrow(&engine.scores(&model, as_of, ScoresOf::All)).unwrap();
    for row in 0..3 {
        for name in
            ["score", "computed", "coverage", "low", "high", "reading.mood", "points.mrr", "weight.mrr"]
        {
            assert_eq!(number(&by_row, name, row), number(&table, name, row), "{name} {row}");
        }
        for name in ["client", "band", "model", "missing.mood", "missing.mrr"] {
            assert_eq!(text(&by_row, name, row), text(&table, name, row), "{name} {row}");
        }
    }
}

#[test]
fn a_history_is_a_row_for_each_day() {
    let (engine, model) = (book(), model());
    let day = |text: &str| engine.zone().as_of(text).unwrap();
    let acme = "acme".into();
    let history =
        engine.score_history(&acme, &model, day("2026-03-08"), day("2026-03-10"), Every::Day).unwrap();
    let table = scores_to_arrow(&history).unwrap();
    // Until the 9th 100 a year, 8.333333... a month: 20.83 points; from the 10th on 20 a month: 50.
    assert_eq!(table.num_rows(), 3);
    assert_eq!(
        (instant(&table, "as_of", 2), number(&table, "points.mrr", 2)),
        (day("2026-03-10").micros(), Some(50.0))
    );
    assert!((number(&table, "points.mrr", 1).unwrap() - 100.0 / 12.0 / 40.0 * 100.0).abs() < 1e-9);
}

#[test]
fn movements_are_exact_decimals_with_their_events() {
    let engine = book();
    let march = Period::parse("2026-03", engine.zone()).unwrap();
    let table = engine.movements(march, &RevenueOptions::default()).unwrap().to_arrow().unwrap();
    assert_eq!(table.num_rows(), 2);
    assert_eq!((text(&table, "client", 0), text(&table, "kind", 0)), (Some("acme"), Some("expansion")));
    // 100 / 12 is rounded to 6 digits; 240 - 100 = 140 a year, 11.666667 a month.
    assert_eq!(decimal(&table, "opening_mrr", 0), "8.333333");
    assert_eq!(decimal(&table, "opening_arr", 0), "100.000000000000");
    assert_eq!(decimal(&table, "amount_mrr", 0), "11.666667");
    assert_eq!((text(&table, "client", 1), text(&table, "kind", 1)), (Some("birch"), Some("churn")));
    assert_eq!(
        (decimal(&table, "amount_mrr", 1).as_str(), text(&table, "reason", 1)),
        ("30.000000", Some("price"))
    );
    let tags = table.column_by_name("tags").unwrap().as_list::<i32>();
    let tags_of_birch = tags.value(1);
    let tags_of_birch: Vec<Option<&str>> = tags_of_birch.as_string::<i32>().iter().collect();
    assert_eq!(tags_of_birch, [Some("voluntary")]);
    let events = table.column_by_name("events").unwrap().as_list::<i32>().value(0);
    let ids: Vec<Option<&str>> = events.as_struct().column(1).as_string::<i32>().iter().collect();
    assert_eq!(ids, [Some("1"), Some("2")]);
    assert!(table.column_by_name("gap_days").unwrap().is_null(0));
}

#[test]
fn a_series_has_a_row_for_each_period_and_group() {
    let engine = book();
    let (first, last) = (Period::parse("2026-01", engine.zone()), Period::parse("2026-03", engine.zone()));
    let (start, end) = (first.unwrap().start, last.unwrap().end);
    let series = engine.revenue_series(start, end, PeriodUnit::Month, &RevenueOptions::default()).unwrap();
    let table = series.to_arrow().unwrap();
    assert_eq!(table.num_rows(), 3);
    // March opens with 100 / 12 + 30 = 38.333333 and closes with 20; the clients of the opening keep 20 of it: 20 / 38.33.
    assert_eq!(instant(&table, "start", 2), last_start(&engine));
    assert_eq!(decimal(&table, "opening_mrr", 2), "38.333333");
    assert_eq!(decimal(&table, "closing_mrr", 2), "20.000000");
    assert!((number(&table, "nrr", 2).unwrap() - 20.0 / (100.0 / 12.0 + 30.0)).abs() < 1e-12);
    assert_eq!(decimal(&table, "nrr_whole", 2), "38.333333");
    assert_eq!(number(&table, "nrr", 0), None, "over nothing it is undefined");
    let heads = table.column_by_name("clients_churned").unwrap().as_primitive::<UInt64Type>();
    assert_eq!(heads.values(), &[0, 0, 1]);
    assert_eq!(number(&table, "logo_churn", 2), Some(0.5));
    let by_plan = RevenueOptions::from_json(r#"{"group_by": "owner"}"#).unwrap();
    let grouped = engine.revenue_series(start, end, PeriodUnit::Month, &by_plan).unwrap().to_arrow().unwrap();
    assert_eq!(grouped.schema(), table.schema());
    let of_groups = grouped.column_by_name("is_group").unwrap().as_boolean();
    assert!(of_groups.true_count() > 0 && of_groups.false_count() == 3);
}

#[test]
fn a_series_of_clients_that_change_hands_foots() {
    let mut engine = book();
    let owned = |id: u8, day: &str, owner: &str| {
        format!(
            r#"{{"id":"{id}","source":"c","type":"client.set","subject":"acme","time":"{day}T00:00:00Z","data":{{"owner":"{owner}"}}}}"#
        )
    };
    let lines = [owned(8, "2026-01-01", "ann"), owned(9, "2026-03-05", "bob")].join("\n");
    engine.apply_ndjson(lines.as_bytes(), &ReadOptions::default()).unwrap();
    let march = Period::parse("2026-03", engine.zone()).unwrap();
    let table = |settings: &str| {
        let options = RevenueOptions::from_json(settings).unwrap();
        let series = engine.revenue_series(march.start, march.end, PeriodUnit::Month, &options).unwrap();
        series.to_arrow().unwrap()
    };
    let by_owner = r#"{"group_by": "owner", "attribution": "interval", "rounded": true}"#;
    let held = table(by_owner);
    // The book, ann, bob, and birch of nobody. acme's 100 a year go to bob on the 5th and are 240 from the 10th on.
    assert_eq!(
        (0..4).map(|row| text(&held, "key", row)).collect::<Vec<_>>(),
        [None, Some("ann"), Some("bob"), None]
    );
    let cells = |column: &str| (0..4).map(|row| decimal(&held, column, row)).collect::<Vec<_>>();
    let zero = "0.000000000000";
    assert_eq!(cells("transferred_out_arr"), [zero, "100.000000000000", zero, zero]);
    assert_eq!(cells("transferred_in_arr"), [zero, zero, "100.000000000000", zero]);
    assert_eq!(decimal(&held, "transferred_in_mrr", 2), "8.333333");
    let heads = |table: &RecordBatch, column: &str| {
        let heads = table.column_by_name(column).unwrap().as_primitive::<UInt64Type>();
        heads.iter().collect::<Vec<_>>()
    };
    assert_eq!(heads(&held, "clients_transferred_out"), [0, 1, 0, 0].map(Some));
    assert_eq!(heads(&held, "clients_transferred_in"), [0, 0, 1, 0].map(Some));
    // Exact also with `rounded`: every row foots without a line for rounding.
    for row in 0..4 {
        let picos = |line: &str| {
            let line = held.column_by_name(&format!("{line}_arr")).unwrap();
            line.as_primitive::<Decimal128Type>().value(row)
        };
        let came: i128 = ["opening", "new", "reactivation", "resumed", "expansion", "fx", "transferred_in"]
            .map(picos)
            .iter()
            .sum();
        let went: i128 =
            ["contraction", "paused", "churn", "transferred_out", "closing"].map(picos).iter().sum();
        assert_eq!(came, went, "row {row}");
    }
    let plain = table("{}");
    assert_eq!(plain.schema(), held.schema());
    assert_eq!(heads(&plain, "clients_transferred_in"), [None]);
    assert!(plain.column_by_name("transferred_out_mrr").unwrap().is_null(0));
}

fn last_start(engine: &Engine) -> i64 {
    engine.zone().start_of("2026-03-01".parse().unwrap()).micros()
}

#[test]
fn cohorts_have_a_row_for_each_month() {
    let engine = book();
    let as_of = engine.zone().as_of("2026-04-01").unwrap();
    let table = engine.cohorts((None, None), as_of, &RevenueOptions::default()).unwrap().to_arrow().unwrap();
    // A month is a cell once it is over. January's cohort has January to March, February's has February and March.
    let months = table.column_by_name("months").unwrap().as_primitive::<UInt32Type>();
    assert_eq!(months.values(), &[0, 1, 2, 0, 1]);
    let cohorts = table.column_by_name("cohort").unwrap().as_primitive::<Date32Type>();
    assert_eq!(cohorts.value(3), "2026-02-01".parse::<healthfold::Day>().unwrap().number());
    assert_eq!(
        (decimal(&table, "mrr", 2).as_str(), decimal(&table, "mrr", 4).as_str()),
        ("20.000000", "0.000000")
    );
    assert_eq!((number(&table, "clients_share", 4), number(&table, "mrr_share", 2)), (Some(0.0), Some(2.4)));
}

#[test]
fn rejections_are_a_table() {
    let table = batch([
        ("subject", texts(["acme", ""])),
        ("time", texts(["2026-01-05T10:00:00Z", "2026-01-05T10:00:00Z"])),
        ("metric", texts(["m", "m"])),
    ]);
    let applied =
        load(&mut engine(), EventKind::UsageCounted, &[table], &TableOptions { ..options() }).unwrap();
    let rejected = applied.to_arrow().unwrap();
    assert_eq!(rejected.num_rows(), 1);
    assert_eq!(
        (text(&rejected, "code", 0), text(&rejected, "field", 0)),
        (Some("empty_id"), Some("subject"))
    );
    assert_eq!(rejected.column_by_name("index").unwrap().as_primitive::<UInt64Type>().value(0), 1);
    assert!(rejected.column_by_name("line").unwrap().is_null(0));
}

#[test]
fn lifetimes_are_tables() {
    let mut engine = book();
    for (id, day, amount) in [("c1", "2026-03-01", 5), ("c2", "2026-03-11", 20)] {
        let line = format!(
            r#"{{"id":"{id}","source":"shop","type":"billing.charged","subject":"cedar","time":"{day}T00:00:00Z","data":{{"charge":"{id}","amount":{amount},"currency":"USD"}}}}"#
        );
        engine.apply_ndjson(line.as_bytes(), &ReadOptions::default()).unwrap();
    }
    let as_of = engine.zone().as_of("2026-03-31").unwrap();
    let options = LifetimeOptions::from_json(r#"{"group_by": "plan"}"#).unwrap();
    // birch paid from 10 February for 28 days; acme pays since 10 January, 80 days.
    let spells = engine.spells(as_of, &options).unwrap().to_arrow().unwrap();
    assert_eq!((text(&spells, "client", 0), text(&spells, "client", 1)), (Some("acme"), Some("birch")));
    let days = spells.column_by_name("days").unwrap().as_primitive::<UInt32Type>();
    assert_eq!(days.values(), &[80, 28]);
    assert_eq!(
        instant(&spells, "until", 1),
        as_of.micros() / 86_400_000_000 * 86_400_000_000 - 21 * 86_400_000_000
    );
    assert!(spells.column_by_name("until").unwrap().is_null(0));
    // Of two one leaves at 28; the same steps again for the group of no plan.
    let curves = engine.lifetime(as_of, &options).unwrap().to_arrow().unwrap();
    assert_eq!((number(&curves, "time", 0), number(&curves, "survival", 0)), (Some(28.0), Some(0.5)));
    let of_groups = curves.column_by_name("is_group").unwrap().as_boolean();
    assert_eq!(of_groups.iter().flatten().collect::<Vec<_>>(), [false, false, true, true]);
    // cedar came back after 10 days, 20 days ago.
    let rfm = engine.rfm(as_of, &LifetimeOptions::default()).unwrap().to_arrow().unwrap();
    let count = |column: &str| rfm.column_by_name(column).unwrap().as_primitive::<UInt32Type>().value(0);
    assert_eq!((count("frequency"), count("recency_days"), count("age_days")), (1, 10, 30));
    assert_eq!(number(&rfm, "value", 0), Some(20.0));
    let ltv = |method: &str| {
        let options = LtvOptions::from_json(&json!({"method": method, "margin": "0.5"}).to_string()).unwrap();
        engine.ltv(as_of, &options).unwrap()
    };
    // In March one of two left: acme's 20 a month x 0.5 / (1/2).
    let Ltv::Simple(simple) = ltv("simple") else { panic!("another method") };
    let simple = simple.to_arrow().unwrap();
    assert_eq!((text(&simple, "why", 0), number(&simple, "value", 0)), (None, Some(20.0)));
    let Ltv::Observed(observed) = ltv("observed") else { panic!("another method") };
    let observed = observed.to_arrow().unwrap();
    assert_eq!(text(&observed, "client", 0), Some("cedar"));
    assert_eq!(
        (decimal(&observed, "received", 0).as_str(), decimal(&observed, "value", 0).as_str()),
        ("25.000000", "12.500000")
    );
}

#[test]
fn answers_about_nothing_have_the_same_columns() {
    let (empty, full, model) = (engine(), book(), model());
    let as_of = full.zone().as_of("2026-03-31").unwrap();
    let tables = |engine: &Engine| {
        let march = Period::parse("2026-03", engine.zone()).unwrap();
        let options = RevenueOptions::default();
        [
            engine.score_table(&model, as_of, ScoresOf::All).to_arrow().unwrap().schema(),
            engine.movements(march, &options).unwrap().to_arrow().unwrap().schema(),
            engine.cohorts((None, None), as_of, &options).unwrap().to_arrow().unwrap().schema(),
            engine
                .revenue_series(march.start, march.end, PeriodUnit::Month, &options)
                .unwrap()
                .to_arrow()
                .unwrap()
                .schema(),
            engine.lifetime(as_of, &LifetimeOptions::default()).unwrap().to_arrow().unwrap().schema(),
            engine.spells(as_of, &LifetimeOptions::default()).unwrap().to_arrow().unwrap().schema(),
            engine.rfm(as_of, &LifetimeOptions::default()).unwrap().to_arrow().unwrap().schema(),
        ]
    };
    assert_eq!(tables(&empty), tables(&full));
}

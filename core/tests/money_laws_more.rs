//! More laws of revenue on random logs: over every grouping, grain and currency mode, over cuts of a period, and what
//! leaves retention as it is.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic in a test is a failed test")]

mod money_logs;

use healthfold::{
    Annual, Attribution, ChangeRow, Currency, FlowKind, Grain, GroupBy, GroupKey, GroupRow, Heads, LogoBase,
    MovementKind, MovementRow, Period, Recurring, RevenueOptions, RevenueReport, Row, TransferRow, Zone,
};
use money_logs::{
    CUTS, PERIODS, check_heads, check_identity, date, drawn, engine, event, grouped, log, period, rows,
    settings,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Line = (&'static str, fn(&Row) -> Annual);

/// The lines of a row that add up, by name.
const LINES: [Line; 17] = [
    ("opening", |row| row.opening.arr()),
    ("new", |row| row.new.arr()),
    ("reactivation", |row| row.reactivation.arr()),
    ("resumed", |row| row.resumed.arr()),
    ("expansion", |row| row.expansion.arr()),
    ("contraction", |row| row.contraction.arr()),
    ("paused", |row| row.paused.arr()),
    ("churn", |row| row.churn.arr()),
    ("fx", |row| row.fx.arr()),
    ("closing", |row| row.closing.arr()),
    ("joined_and_left", |row| row.joined_and_left.arr()),
    ("paused_lost", |row| row.paused_lost.arr()),
    ("after_cancellations", |row| row.after_cancellations.arr()),
    ("nrr", |row| row.nrr.part),
    ("grr", |row| row.grr.part),
    ("churned_revenue", |row| row.churned_revenue.part),
    ("quick_ratio", |row| row.quick_ratio.part),
];

const HEADS: [fn(&Heads) -> u64; 9] = [
    |heads| heads.opening,
    |heads| heads.new,
    |heads| heads.reactivated,
    |heads| heads.resumed,
    |heads| heads.paused,
    |heads| heads.churned,
    |heads| heads.closing,
    |heads| heads.joined_and_left,
    |heads| heads.paused_lost,
];

/// Figures per currency, one currency alone, and converted into either.
fn currency_modes() -> Vec<RevenueOptions> {
    let rates = |other: &str| {
        json!([{"currency": other, "from": "2025-01-01", "rate": "1.3"}, {"currency": other, "from": "2026-02-17", "rate": "0.7"},
            {"currency": other, "from": "2026-03-08", "rate": "1.123456789012"}])
    };
    let modes = [
        json!({}),
        json!({"only_currency": "USD"}),
        json!({"only_currency": "EUR"}),
        json!({"currency": "USD", "rates": rates("EUR")}),
        json!({"currency": "EUR", "rates": rates("USD")}),
    ];
    modes.map(|mode| RevenueOptions::from_json(&mode.to_string()).unwrap()).to_vec()
}

/// The settings of one question with the currency mode of another.
fn with_mode(options: &RevenueOptions, mode: &RevenueOptions) -> RevenueOptions {
    RevenueOptions {
        currency: mode.currency,
        rates: mode.rates.clone(),
        only_currency: mode.only_currency,
        ..options.clone()
    }
}

fn check_flows(row: &Row) {
    let Some(flows) = row.flows else { return };
    let sum = |flows: &[healthfold::Flow]| -> Annual { flows.iter().map(|flow| flow.recurring.arr()).sum() };
    let came = sum(&[flows.began, flows.returned, flows.unpaused, flows.raised]);
    let went = sum(&[flows.lowered, flows.suspended, flows.ended]);
    assert_eq!(row.opening.arr() + came - went, row.closing.arr() - row.fx.arr());
}

fn check_groups(row: &Row, groups: &[&GroupRow]) {
    for (name, line) in LINES {
        assert_eq!(groups.iter().map(|group| line(&group.row)).sum::<Annual>(), line(row), "{name}");
    }
    for count in HEADS {
        assert_eq!(groups.iter().map(|group| count(&group.row.clients)).sum::<u64>(), count(&row.clients));
    }
    let weighted = |rate: fn(&Row) -> Option<f64>, weight: fn(&Row) -> f64| {
        let sum: f64 = groups.iter().filter_map(|group| Some(rate(&group.row)? * weight(&group.row))).sum();
        let whole = rate(row);
        assert!(whole.is_none_or(|whole| (sum / weight(row) - whole).abs() < 1e-9 * whole.max(1.0)));
    };
    let opening = |row: &Row| row.opening.arr().mrr_f64();
    weighted(|row| row.nrr.value, opening);
    weighted(|row| row.grr.value, opening);
    weighted(|row| row.churned_revenue.value, opening);
    weighted(|row| row.logo_churn.value, |row| row.logo_churn.whole as f64);
}

fn check_report(report: &RevenueReport) {
    check_heads(&report.clients);
    for (currency, row) in rows(report) {
        check_identity(row);
        check_flows(row);
        let of_it = report.groups.iter().flatten().filter(|group| group.currency == currency);
        let groups: Vec<&GroupRow> = of_it.collect();
        for group in &groups {
            check_identity(&group.row);
            check_flows(&group.row);
        }
        if report.groups.is_some() {
            check_groups(row, &groups);
        }
    }
}

/// The lines of a row that are made of movements.
fn kinds(row: &Row) -> [(MovementKind, Recurring); 9] {
    [
        (MovementKind::New, row.new),
        (MovementKind::Reactivation, row.reactivation),
        (MovementKind::Resumed, row.resumed),
        (MovementKind::Expansion, row.expansion),
        (MovementKind::Contraction, row.contraction),
        (MovementKind::Paused, row.paused),
        (MovementKind::Churn, row.churn),
        (MovementKind::JoinedAndLeft, row.joined_and_left),
        (MovementKind::PausedLost, row.paused_lost),
    ]
}

/// The changes of a row are its flows, in number and in amount, and each names its events.
fn check_changes(row: &Row, changes: Vec<&ChangeRow>) {
    let kinds = [
        FlowKind::Began,
        FlowKind::Returned,
        FlowKind::Unpaused,
        FlowKind::Raised,
        FlowKind::Lowered,
        FlowKind::Suspended,
        FlowKind::Ended,
    ];
    for kind in kinds {
        let of: Vec<Annual> =
            changes.iter().filter(|change| change.kind == kind).map(|change| change.amount.arr()).collect();
        let flow = row.flows.unwrap().of(kind);
        assert_eq!((of.len() as u64, of.into_iter().sum()), (flow.changes, flow.recurring.arr()), "{kind:?}");
    }
    for change in changes {
        let (before, after) = (change.opening.arr().picos(), change.closing.arr().picos());
        assert_eq!((after - before).abs(), change.amount.arr().picos());
        assert!(before != after && !change.events.is_empty(), "{change:?}");
    }
}

/// What a movement did to the MRR, the work of rates included.
fn signed(row: &MovementRow) -> i128 {
    let amount = row.amount.arr().picos();
    let net = match row.kind {
        MovementKind::New | MovementKind::Reactivation | MovementKind::Resumed | MovementKind::Expansion => {
            amount
        }
        MovementKind::Contraction | MovementKind::Paused | MovementKind::Churn => -amount,
        MovementKind::JoinedAndLeft | MovementKind::PausedLost => 0,
    };
    net + row.fx.arr().picos()
}

/// Net movement by client and currency, without those of nothing.
fn nets(movements: &[MovementRow]) -> BTreeMap<(String, Currency), i128> {
    let mut nets = BTreeMap::new();
    for row in movements {
        *nets.entry((row.client.as_str().to_owned(), row.currency)).or_insert(0) += signed(row);
    }
    nets.retain(|_, net| *net != 0);
    nets
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_close_and_groups_add_up_in_every_grouping_grain_and_currency_mode(
        events in log(true), options in settings(), at in 0..PERIODS.len(), as_of in prop::option::of(100..200u16),
    ) {
        let engine = engine(&events);
        let as_of = as_of.map(|day| date(day).parse::<healthfold::AsOf>().unwrap()).filter(|_| PERIODS[at] != "2026-05");
        for mode in currency_modes() {
            for grain in [Grain::Net, Grain::Change] {
                let options = RevenueOptions { grain, as_of, ..with_mode(&options, &mode) };
                for options in grouped(&options).into_iter().chain([options]) {
                    check_report(&engine.revenue(period(PERIODS[at]), &options).unwrap());
                }
            }
        }
    }

    #[test]
    fn the_total_of_a_group_opens_down_to_its_movements(
        events in log(true), options in settings(), at in 0..PERIODS.len(),
    ) {
        let engine = engine(&events);
        for mode in currency_modes() {
            for options in grouped(&with_mode(&options, &mode)) {
                let report = engine.revenue(period(PERIODS[at]), &options).unwrap();
                let movements = engine.movements(period(PERIODS[at]), &options).unwrap();
                for group in report.groups.iter().flatten() {
                    let of = |kind: MovementKind| -> Annual {
                        let rows = movements.rows.iter().filter(|row| {
                            row.kind == kind && row.key.as_ref() == Some(&group.key) && row.currency == group.currency
                        });
                        rows.map(|row| row.amount.arr()).sum()
                    };
                    for (kind, line) in kinds(&group.row) {
                        prop_assert_eq!(of(kind), line.arr(), "{:?}", kind);
                    }
                }
            }
        }
    }

    #[test]
    fn every_flow_opens_down_to_its_changes(events in log(true), options in settings(), at in 0..PERIODS.len()) {
        let engine = engine(&events);
        for mode in currency_modes() {
            let options = RevenueOptions { grain: Grain::Change, ..with_mode(&options, &mode) };
            for options in grouped(&options) {
                let report = engine.revenue(period(PERIODS[at]), &options).unwrap();
                let movements = engine.movements(period(PERIODS[at]), &options).unwrap();
                prop_assert!(movements.transfers.is_none());
                let changes = movements.changes.unwrap();
                for (currency, row) in rows(&report) {
                    check_changes(row, changes.iter().filter(|change| change.currency == currency).collect());
                }
                for group in report.groups.iter().flatten() {
                    let of = changes.iter().filter(|change| {
                        change.key.as_ref() == Some(&group.key) && change.currency == group.currency
                    });
                    check_changes(&group.row, of.collect());
                }
            }
        }
    }

    #[test]
    fn every_line_of_an_interval_opens_down_to_its_rows(
        events in log(true), options in settings(), at in 0..PERIODS.len(), by in 0..CUTS.len(),
    ) {
        let engine = engine(&events);
        for mode in currency_modes() {
            let options = RevenueOptions {
                grain: Grain::Change,
                group_by: Some(CUTS[by].parse().unwrap()),
                attribution: Attribution::Interval,
                ..with_mode(&options, &mode)
            };
            let report = engine.revenue(period(PERIODS[at]), &options).unwrap();
            let movements = engine.movements(period(PERIODS[at]), &options).unwrap();
            let (changes, transfers) = (movements.changes.unwrap(), movements.transfers.unwrap());
            for group in report.groups.iter().flatten() {
                let is_of = |key: &GroupKey, currency: Currency| *key == group.key && currency == group.currency;
                let of = |kind: MovementKind| -> Annual {
                    let rows = movements.rows.iter().filter(|row| is_of(row.key.as_ref().unwrap(), row.currency));
                    rows.filter(|row| row.kind == kind).map(|row| row.amount.arr()).sum()
                };
                for (kind, line) in kinds(&group.row) {
                    prop_assert_eq!(of(kind), line.arr(), "{:?}", kind);
                }
                let of = changes.iter().filter(|change| is_of(change.key.as_ref().unwrap(), change.currency));
                check_changes(&group.row, of.collect());
                let sum = |side: fn(&TransferRow) -> &GroupKey| {
                    let rows = transfers.iter().filter(|row| is_of(side(row), row.currency));
                    let amounts: Vec<Annual> = rows.map(|row| row.amount.arr()).collect();
                    (amounts.len() as u64, amounts.into_iter().sum::<Annual>())
                };
                let (came, went) = (group.row.transferred_in.unwrap(), group.row.transferred_out.unwrap());
                prop_assert_eq!(sum(|row| &row.to), (came.heads, came.recurring.arr()));
                prop_assert_eq!(sum(|row| &row.from), (went.heads, went.recurring.arr()));
            }
            prop_assert!(transfers.iter().all(|row| row.from != row.to && row.events.len() == 1));
        }
    }

    #[test]
    fn the_groups_of_a_cohort_add_up_to_it(events in log(true), options in settings(), day in 100..170u16) {
        let engine = engine(&events);
        let as_of = date(day).parse::<healthfold::AsOf>().unwrap();
        for mode in currency_modes() {
            let options = with_mode(&options, &mode);
            let whole = engine.cohorts((None, None), as_of, &options).unwrap().cohorts;
            for options in grouped(&options).iter().filter(|options| options.group_by != Some(GroupBy::Cohort)) {
                let groups = engine.cohorts((None, None), as_of, options).unwrap().cohorts;
                for cohort in &whole {
                    let of = || groups.iter().filter(|group| {
                        (group.cohort, group.currency) == (cohort.cohort, cohort.currency)
                    });
                    prop_assert_eq!(of().map(|group| group.clients).sum::<u64>(), cohort.clients);
                    for (i, cell) in cohort.cells.iter().enumerate() {
                        let cells = || of().map(|group| group.cells[i]);
                        prop_assert_eq!(cells().map(|cell| cell.clients).sum::<u64>(), cell.clients);
                        prop_assert_eq!(cells().map(|cell| cell.recurring.arr()).sum::<Annual>(), cell.recurring.arr());
                    }
                }
            }
        }
    }

    #[test]
    fn the_movements_of_two_parts_net_to_those_of_the_whole(
        events in log(true), options in settings(), from in 0..60u16, first in 1..60u16, second in 1..60u16,
    ) {
        let engine = engine(&events);
        let zone = Zone::utc();
        let at = |day: u16| zone.start_of(date(day).parse().unwrap());
        let (cut, end) = (from + first, from + first + second);
        for mode in currency_modes() {
            let options = RevenueOptions { as_of: Some(at(end).into()), ..with_mode(&options, &mode) };
            let between = |start, end| {
                engine.movements(Period::between(at(start), at(end)).unwrap(), &options).unwrap().rows
            };
            let mut parts = between(from, cut);
            parts.extend(between(cut, end));
            let whole = between(from, end);
            if mode.currency.is_none() {
                prop_assert_eq!(nets(&parts), nets(&whole));
                continue;
            }
            // Where rates alone move a client there is no row of a movement: there only the ends of the report tell.
            let report = |start, end| {
                let period = Period::between(at(start), at(end)).unwrap();
                engine.revenue(period, &options).unwrap().total.unwrap()
            };
            let (one, two, whole) = (report(from, cut), report(cut, end), report(from, end));
            let net = |row: &Row| row.closing.arr().picos() - row.opening.arr().picos();
            prop_assert_eq!(net(&one) + net(&two), net(&whole));
        }
    }

    #[test]
    fn scaling_scales_every_line_and_leaves_every_ratio(
        states in prop::collection::vec(drawn(), 0..30), options in settings(), at in 0..PERIODS.len(),
    ) {
        let scaled = |factor| -> Vec<Value> {
            states.iter().enumerate().map(|(i, drawn)| event(i, drawn, factor, true)).collect()
        };
        let report = |events: &[Value]| engine(events).revenue(period(PERIODS[at]), &options).unwrap();
        let (one, seven) = (report(&scaled(1)), report(&scaled(7)));
        prop_assert_eq!(one.clients, seven.clients);
        for ((_, one), (_, seven)) in rows(&one).into_iter().zip(rows(&seven)) {
            prop_assert_eq!(one.clients, seven.clients);
            for (name, line) in LINES {
                // A division that does not come out is rounded by itself, so the last digits may be off.
                let off = (line(one).picos() * 7 - line(seven).picos()).abs();
                prop_assert!(off < 1_000, "{} {}", name, off);
            }
            let ratios = |row: &Row| {
                [row.nrr.value, row.nrr.low, row.grr.value, row.grr.high, row.churned_revenue.value,
                    row.logo_churn.value, row.logo_churn.low]
            };
            for (one, seven) in ratios(one).into_iter().zip(ratios(seven)) {
                prop_assert_eq!(one.is_some(), seven.is_some());
                prop_assert!(one.zip(seven).is_none_or(|(one, seven)| (one - seven).abs() < 1e-9));
            }
        }
    }

    #[test]
    fn newcomers_leave_retention_as_it_is_under_every_setting(
        events in log(true), options in settings(), day in 59..89u16, euro in any::<bool>(), left in prop::option::of(1..20u16),
    ) {
        let mut more = events.clone();
        let mut state = |day: u16, status: &str| {
            more.push(json!({
                "id": format!("n-{status}"), "source": "t", "type": "billing.subscription_set", "subject": "newcomer",
                "time": format!("{}T00:00:00Z", date(day)), "data": {"subscription": "s", "status": status,
                "amount": 77, "currency": if euro { "EUR" } else { "USD" }, "interval": {"unit": "month"}},
            }));
        };
        state(day, "active");
        if let Some(days) = left {
            state(day + days, "cancelled");
        }
        for mode in currency_modes() {
            // The base opening_plus_new is the one in which arrivals count; it says so.
            let options = RevenueOptions { base: LogoBase::Opening, ..with_mode(&options, &mode) };
            let report = |events: &[Value]| engine(events).revenue(period("2026-03"), &options).unwrap();
            let (before, after) = (report(&events), report(&more));
            let after: BTreeMap<Currency, &Row> = rows(&after).into_iter().collect();
            for (currency, row) in rows(&before) {
                let with = after[&currency];
                prop_assert_eq!((row.nrr, row.grr, row.logo_churn), (with.nrr, with.grr, with.logo_churn));
                prop_assert_eq!((row.churned_revenue, row.opening), (with.churned_revenue, with.opening));
            }
        }
    }

    #[test]
    fn the_groups_of_an_interval_hold_the_whole_book_in_every_currency_mode(
        events in log(true), options in settings(), at in 0..PERIODS.len(), by in 0..CUTS.len(),
    ) {
        let engine = engine(&events);
        for mode in currency_modes() {
            let group_by = Some(CUTS[by].parse().unwrap());
            let options =
                RevenueOptions { group_by, attribution: Attribution::Interval, ..with_mode(&options, &mode) };
            let report = engine.revenue(period(PERIODS[at]), &options).unwrap();
            for (currency, row) in rows(&report) {
                let groups = || report.groups.iter().flatten().filter(move |group| group.currency == currency);
                let sum = |line: fn(&Row) -> Annual| groups().map(|group| line(&group.row)).sum::<Annual>();
                prop_assert_eq!(sum(|row| row.opening.arr()), row.opening.arr());
                prop_assert_eq!(sum(|row| row.closing.arr()), row.closing.arr());
                for group in groups() {
                    let row = &group.row;
                    let arr = |line: healthfold::Recurring| line.arr();
                    let came = arr(row.transferred_in.unwrap().recurring) + arr(row.new) + arr(row.reactivation)
                        + arr(row.resumed) + arr(row.expansion) + arr(row.fx);
                    let went = arr(row.transferred_out.unwrap().recurring) + arr(row.contraction) + arr(row.paused)
                        + arr(row.churn);
                    prop_assert_eq!(arr(row.opening) + came - went, arr(row.closing));
                    let rates = (row.nrr.value, row.grr.value);
                    prop_assert!(rates.0.zip(rates.1).is_none_or(|(nrr, grr)| grr <= nrr && (0.0..=1.0).contains(&grr)));
                }
            }
        }
    }
}

//! Use of the product: single uses by people and machines, daily roll-ups, gauges.

use super::calendar::{DAY, Day, DayFacts, HOUR, MINUTE, Moment, SECOND};
use super::client::Client;
use super::deck::Story;
use super::dice::Dice;
use super::sheet::{Fields, Sheet, Source};
use super::terms::Plan;

struct Metric {
    name: &'static str,
    weight: i64,
    /// Least and greatest count of one event.
    counts: (i64, i64),
    /// Whether a person does it; else a machine.
    by_person: bool,
    /// Whether the analytics add-on makes it more frequent.
    analytic: bool,
}

const fn metric(
    name: &'static str,
    weight: i64,
    counts: (i64, i64),
    by_person: bool,
    analytic: bool,
) -> Metric {
    Metric { name, weight, counts, by_person, analytic }
}

// In order of how basic they are: a small plan has the first of them, a declining client loses the last ones first.
static METRICS: [Metric; 8] = [
    metric("calls", 30, (20, 110), true, false),
    metric("messages_sent", 20, (2, 40), true, false),
    metric("calls_missed", 10, (4, 20), true, false),
    metric("dashboards_viewed", 12, (1, 9), true, true),
    metric("reports_run", 9, (1, 4), true, true),
    metric("automations_run", 7, (5, 60), false, false),
    metric("exports", 5, (1, 3), true, true),
    metric("api_requests", 7, (50, 900), false, false),
];

/// Writes the use of one client over the whole book, `percent` of the usual number of events.
pub(super) fn write_usage(client: &Client, percent: i64, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let reports_gauges = dice.chance(450);
    for day in client.plot.since.max(0)..sheet.calendar.days() {
        let vigour = client.vigour(day, sheet.calendar);
        if vigour == 0 {
            continue;
        }
        let facts = sheet.calendar.facts(day);
        let tempo = vigour * tempo(client, &facts) / 1000;
        let users = pool(client, day, tempo);
        let metrics = offered(client, day);
        for _ in 0..dice.around(client.activity * tempo / 1000 * percent / 100) {
            write_use(client, day, users, &metrics, sheet, dice);
        }
        if client.rolled_up && dice.chance(percent * 10) && (facts.weekday < 6 || client.sector.weekend > 50)
        {
            write_roll_ups(client, day, tempo, users, sheet, dice);
        }
        if reports_gauges && facts.weekday == 1 && dice.chance(percent * 10) {
            write_gauges(client, day, sheet, dice);
        }
    }
}

/// Share of an ordinary working day that week and season leave, in thousandths.
fn tempo(client: &Client, facts: &DayFacts) -> i64 {
    let month = usize::try_from(facts.month - 1).ok().and_then(|month| client.sector.months.get(month));
    let of_week = if facts.weekday < 6 { 100 } else { client.sector.weekend };
    let at_rest = client.sector.rests_at_christmas
        && ((facts.month == 12 && facts.day_of_month >= 24) || (facts.month == 1 && facts.day_of_month == 1));
    let of_feast = if at_rest { 75 } else { 100 };
    month.copied().unwrap_or(100) * of_week * of_feast / 1000
}

/// How many people use the product on a day.
fn pool(client: &Client, day: Day, tempo: i64) -> i64 {
    let seats = client.terms(day).map_or(3, |terms| terms.seats);
    let staying = 1000 - client.decline(day) * 75 / 100;
    (seats * client.adoption / 100 * staying / 1000 * tempo.clamp(300, 1000) / 1000).max(1)
}

/// The metrics a client uses on a day, with their weights.
fn offered(client: &Client, day: Day) -> Vec<(&'static Metric, i64)> {
    let plan = client.terms(day).map_or(Plan::Starter, |terms| terms.plan);
    let broad = match plan {
        Plan::Free | Plan::Starter => 5,
        Plan::Team => 6,
        Plan::Business => 7,
        Plan::Enterprise => 8,
    };
    let broad = (broad - client.decline(day) * 3 / 1000).max(2);
    let has_analytics = client
        .contracts
        .iter()
        .skip(1)
        .any(|contract| contract.on(day).is_some_and(|terms| terms.open_on(day)));
    METRICS
        .iter()
        .zip(0..broad)
        .map(|(metric, _)| metric)
        .filter(|metric| !(client.rolled_up && is_rolled_up(metric)))
        .map(|metric| {
            (metric, if has_analytics && metric.analytic { metric.weight * 5 / 2 } else { metric.weight })
        })
        .collect()
}

fn is_rolled_up(metric: &Metric) -> bool {
    matches!(metric.name, "calls" | "calls_missed")
}

fn user_id(client: &Client, user: i64) -> String {
    format!("u-{:03}-{:02}", client.number, user + 1)
}

/// A random moment in the working hours of a day, most of them around the middle.
pub(super) fn working_moment(client: &Client, day: Day, dice: &mut Dice) -> Moment {
    let millis = i64::midpoint(dice.below(9 * HOUR), dice.below(9 * HOUR));
    day * DAY + client.opens_at * HOUR + millis
}

fn write_use(
    client: &Client,
    day: Day,
    users: i64,
    metrics: &[(&'static Metric, i64)],
    sheet: &mut Sheet<'_>,
    dice: &mut Dice,
) {
    let metric = dice.weighted(metrics);
    let (low, high) = metric.counts;
    let count = dice.between(low, high);
    // Troubled clients miss more calls.
    let count =
        if metric.name == "calls_missed" { count * (1000 + 2 * client.decline(day)) / 1000 } else { count };
    let fields = Fields::new().text("metric", metric.name);
    let fields = if count == 1 { fields } else { fields.plain("count", count) };
    let fields = if metric.by_person {
        // The lesser of two: some people use it much more than others.
        let user = dice.below(users).min(dice.below(users));
        fields.text("user", &user_id(client, user))
    } else {
        fields
    };
    sheet.write(Source::App, "usage.counted", working_moment(client, day, dice), &fields);
}

fn write_roll_ups(client: &Client, day: Day, tempo: i64, users: i64, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let present: Vec<String> =
        (0..users.min(40)).filter(|_| dice.chance(640)).map(|user| user_id(client, user)).collect();
    let calls = users * dice.between(24, 56) * tempo.clamp(100, 2000) / 10_000;
    let missed = calls * dice.between(30, 90) * (1000 + 2 * client.decline(day)) / 1_000_000;
    let built = day * DAY + 23 * HOUR + dice.between(20 * 60, 55 * 60) * SECOND;
    // A roll-up of the evening misses the last calls; some are corrected the next morning.
    let corrected = dice.chance(30);
    for (at, percent) in [(built, if corrected { 93 } else { 100 }), (built + 6 * HOUR, 100)] {
        if at > built && !corrected {
            break;
        }
        let fields = Fields::new()
            .text("metric", "calls")
            .text("day", &sheet.date(day))
            .plain("count", calls * percent / 100)
            .texts("users", &present);
        sheet.write(Source::Warehouse, "usage.day_set", at, &fields);
    }
    let fields =
        Fields::new().text("metric", "calls_missed").text("day", &sheet.date(day)).plain("count", missed);
    sheet.write(Source::Warehouse, "usage.day_set", built + 40 * SECOND, &fields);
}

fn write_gauges(client: &Client, day: Day, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let at = day * DAY + 6 * HOUR + dice.between(0, 30) * MINUTE;
    // In thousandths of all calls.
    let missed = dice.between(25, 90) * (1000 + 2 * client.decline(day)) / 1000;
    let fields = Fields::new().text("metric", "missed_call_share").decimal("value", missed, 3);
    sheet.write(Source::App, "usage.measured", at, &fields);
    if client.card.story != Story::Duplicate && dice.chance(300) {
        let seats = client.terms(day).map_or(1, |terms| terms.seats);
        // In tenths of a gigabyte; grows with the age of the client.
        let stored = seats * (6 + (day - client.plot.since) / 40) + dice.between(0, 9);
        let fields = Fields::new().text("metric", "storage_gb").decimal("value", stored, 1);
        sheet.write(Source::App, "usage.measured", at + 2 * MINUTE, &fields);
    }
}

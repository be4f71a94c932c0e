//! Usage, kept by calendar day: sums, users, gauges.

use std::collections::BTreeSet;

use num_traits::{Signed, Zero};

use super::book::Book;
use super::calendar::Day;
use super::event::Event;
use super::exact::{self, Exact, quotient};
use super::money_signal;
use super::signal::{Missing, Reading, Spec, View};

/// True if another version of the same roll-up replaces this one. Both have one raw subject, source, metric
/// and day.
fn is_replaced(event: &Event, all: &[&Event]) -> bool {
    event.kind == "usage.day_set"
        && all.iter().any(|other| {
            other.kind == event.kind
                && other.subject == event.subject
                && other.source == event.source
                && other.text("metric") == event.text("metric")
                && other.text("day") == event.text("day")
                && other.order() > event.order()
        })
}

/// The usage events of the list on the days `first..=last`, replaced roll-ups left out.
///
/// A roll-up belongs to its day: the version that stands is the last one of all, also if it was sent after
/// the instant of the question.
fn on_days<'a>(view: &View<'_>, events: &[&'a Event], (first, last): (Day, Day)) -> Vec<&'a Event> {
    let of_day = |e: &&Event| (first..=last).contains(&e.day(view.book.calendar));
    events.iter().copied().filter(|e| e.is_usage() && of_day(e) && !is_replaced(e, events)).collect()
}

/// Everything up to the usage day.
fn so_far(view: &View<'_>) -> (Day, Day) {
    (Day::MIN, view.window(1).1)
}

/// The window before a window of `days` days.
fn window_before(view: &View<'_>, days: i64) -> (Day, Day) {
    let (first, _) = view.window(days);
    (first - days, first - 1)
}

/// The count of one event: of a measured one none.
fn count(event: &Event) -> Exact {
    match event.kind.as_str() {
        "usage.measured" => Exact::zero(),
        _ => event.number("count").unwrap_or_else(|| exact::whole(1)),
    }
}

/// The sum of counts of one metric on some days.
fn sum_on(view: &View<'_>, metric: Option<&str>, days: (Day, Day)) -> Exact {
    let events = on_days(view, view.events, days);
    events.iter().filter(|e| e.text("metric") == metric).map(|e| count(e)).sum()
}

/// The days on which some metric (or the given one) has a sum above 0, in order.
fn used_days(view: &View<'_>, metric: Option<&str>, days: (Day, Day)) -> BTreeSet<Day> {
    let events = on_days(view, view.events, days);
    let mut used = BTreeSet::new();
    for event in &events {
        let (day, name) = (event.day(view.book.calendar), event.text("metric"));
        if (metric.is_none() || name == metric) && sum_on(view, name, (day, day)).is_positive() {
            used.insert(day);
        }
    }
    used
}

/// The users that one event makes active.
fn users_of(event: &Event) -> Vec<String> {
    let listed = event.data["users"].as_array().into_iter().flatten().filter_map(|user| user.as_str());
    match event.kind.as_str() {
        "usage.day_set" => listed.map(str::to_owned).collect(),
        _ => event.text("user").map(str::to_owned).into_iter().collect(),
    }
}

/// The number of distinct users on some days; missing while no usage of the whole book has carried a user.
fn users_on(view: &View<'_>, days: (Day, Day)) -> Result<usize, Missing> {
    if !book_has_users(view, view.book) {
        return Err(Missing::NoUsers);
    }
    let events = on_days(view, view.events, days);
    let users: BTreeSet<String> = events.iter().flat_map(|e| users_of(e)).collect();
    Ok(users.len())
}

fn book_has_users(view: &View<'_>, book: &Book<'_>) -> bool {
    let all: Vec<&Event> = book.events.iter().map(|(_, event)| event).collect();
    on_days(view, &all, so_far(view)).iter().any(|e| !users_of(e).is_empty())
}

pub(crate) fn sum(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    Ok(exact::float(&sum_on(view, spec.text("metric"), view.window(spec.days(30)))))
}

pub(crate) fn trend(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let (metric, days) = (spec.text("metric"), spec.days(30));
    let now = sum_on(view, metric, view.window(days));
    let base = sum_on(view, metric, window_before(view, days));
    share(&now, &base, spec.exact("min_base").unwrap_or_else(|| exact::whole(1)))
}

pub(crate) fn ratio(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let window = view.window(spec.days(30));
    let numerator = sum_on(view, spec.text("numerator"), window);
    let denominator = sum_on(view, spec.text("denominator"), window);
    match spec.exact("min_denominator") {
        Some(least) => share(&numerator, &denominator, least),
        // The default is "greater than 0", which no least value can say.
        None if denominator.is_positive() => share(&numerator, &denominator, Exact::zero()),
        None => Err(Missing::TooLittle),
    }
}

/// `part / base`, missing if the base is below its least value or nothing.
fn share(part: &Exact, base: &Exact, least: Exact) -> Reading {
    match quotient(part, base) {
        Some(value) if *base >= least => Ok(value),
        _ => Err(Missing::TooLittle),
    }
}

/// Over all samples of the window's days; the last one is the last by (time, sequence, source, id).
pub(crate) fn gauge(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let mut samples = on_days(view, view.events, view.window(spec.days(30)));
    samples.retain(|e| e.kind == "usage.measured" && e.text("metric") == spec.text("metric"));
    samples.sort_by(|a, b| a.order().cmp(&b.order()));
    let values: Vec<Exact> = samples.iter().filter_map(|e| e.number("value")).collect();
    let taken = match spec.text("take").unwrap_or("last") {
        "min" => values.iter().min().cloned(),
        "max" => values.iter().max().cloned(),
        "mean" if !values.is_empty() => {
            Some(values.iter().sum::<Exact>() / exact::whole(values.len() as i64))
        }
        _ => values.last().cloned(),
    };
    taken.map(|value| exact::float(&value)).ok_or(Missing::TooLittle)
}

pub(crate) fn active_users(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    Ok(users_on(view, view.window(spec.days(30)))? as f64)
}

pub(crate) fn active_trend(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let days = spec.days(30);
    let now = users_on(view, view.window(days))?;
    let base = users_on(view, window_before(view, days))?;
    let least = spec.exact("min_base").unwrap_or_else(|| exact::whole(1));
    share(&exact::whole(now as i64), &exact::whole(base as i64), least)
}

pub(crate) fn stickiness(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let short = users_on(view, view.window(spec.count("short").unwrap_or(1)))?;
    let long = users_on(view, view.window(spec.count("long").unwrap_or(30)))?;
    share(&exact::whole(short as i64), &exact::whole(long as i64), Exact::zero())
}

pub(crate) fn seat_use(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let users = users_on(view, view.window(spec.days(30)))?;
    let seats = money_signal::seats(view).ok_or(Missing::TooLittle)?;
    share(&exact::whole(users as i64), &seats, Exact::zero())
}

pub(crate) fn breadth(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let window = view.window(spec.days(30));
    let seen: BTreeSet<String> = on_days(view, view.events, window)
        .iter()
        .filter_map(|e| e.text("metric").map(str::to_owned))
        .filter(|metric| !used_days(view, Some(metric), window).is_empty())
        .collect();
    match spec.0["metrics"].as_array() {
        None => Ok(seen.len() as f64),
        Some(list) => {
            let used = list.iter().filter(|metric| metric.as_str().is_some_and(|m| seen.contains(m))).count();
            Ok(used as f64 / list.len() as f64)
        }
    }
}

pub(crate) fn days_since(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let used = used_days(view, spec.text("metric"), so_far(view));
    used.last().map(|day| (view.today() - day) as f64).ok_or(Missing::NeverSeen)
}

pub(crate) fn active_days(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    Ok(used_days(view, None, view.window(spec.days(30))).len() as f64)
}

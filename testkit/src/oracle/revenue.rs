//! The revenue report: movements of all clients, summed in one row or in several.

use std::collections::{BTreeMap, BTreeSet};

use num_traits::Signed;
use serde_json::{Map, Value, json};

use super::book::Book;
use super::client;
use super::event::Event;
use super::exact::Exact;
use super::movement::{Movement, money, movement};
use super::rate;
use super::settings::Question;
use super::subscription::Subscriptions;

/// The movement lines of a row, as (line of money, count of clients).
const LINES: [(&str, Option<&str>); 9] = [
    ("new", Some("new")),
    ("reactivation", Some("reactivated")),
    ("resumed", Some("resumed")),
    ("expansion", None),
    ("contraction", None),
    ("paused", Some("paused")),
    ("churn", Some("churned")),
    ("joined_and_left", Some("joined_and_left")),
    ("paused_lost", Some("paused_lost")),
];

/// The report of a period.
pub(crate) fn report(book: &Book<'_>, question: &Question) -> Result<Value, String> {
    let currencies = currencies(book, question)?;
    let all: Vec<Movement> = currencies.iter().flat_map(|c| movements_in(book, question, Some(c))).collect();
    let in_currency = |currency: &str| -> Vec<&Movement> {
        all.iter().filter(|m| m.currency.as_deref() == Some(currency)).collect()
    };
    let mut report = json!({
        "period": question.period_json(),
        "settings": question.settings_json(),
        "currency": question.currency,
        "groups": groups(book, question, &all)?,
    });
    if currencies.len() > 1 {
        let rows: Map<String, Value> =
            currencies.iter().map(|c| (c.clone(), row(&in_currency(c), question))).collect();
        // Heads of the whole book: a client counts once, whatever it pays in.
        let heads = movements_in(book, question, None);
        report["total"] = Value::Null;
        report["by_currency"] = Value::Object(rows);
        report["clients"] = clients(&heads.iter().collect::<Vec<_>>());
    } else {
        report["total"] = row(&all.iter().collect::<Vec<_>>(), question);
        if let Some(currency) = currencies.first() {
            report["currency"] = json!(currency);
        }
    }
    Ok(report)
}

/// One row for each client and currency that moved.
pub(crate) fn movements(book: &Book<'_>, question: &Question) -> Result<Value, String> {
    let mut all: Vec<Movement> =
        currencies(book, question)?.iter().flat_map(|c| movements_in(book, question, Some(c))).collect();
    all.retain(|m| m.kind.is_some());
    all.sort_by(|a, b| (&a.client, &a.currency).cmp(&(&b.client, &b.currency)));
    Ok(json!({
        "period": question.period_json(),
        "settings": question.settings_json(),
        "rows": all.iter().map(Movement::to_json).collect::<Vec<_>>(),
    }))
}

/// The movements of all clients in one currency, or, for heads, over all of them.
fn movements_in(book: &Book<'_>, question: &Question, currency: Option<&str>) -> Vec<Movement> {
    let mut movements = Vec::new();
    for client in book.ids() {
        let events = book.events_of(&client);
        let subscriptions = Subscriptions::new(&events, book.calendar, &question.run_rate, question.as_of);
        movements.extend(movement(
            &shown_id(book, &client),
            &subscriptions,
            currency,
            question,
            book.calendar,
        ));
    }
    movements
}

/// The id in rows. The engine hides an erased id behind a keyed hash that the oracle cannot know: it keeps
/// the id readable, and comparisons leave such names out.
fn shown_id(book: &Book<'_>, client: &str) -> String {
    match book.is_erased(client) {
        true => format!("erased-{client}"),
        false => client.to_owned(),
    }
}

/// The currencies in which anything paid at opening, at closing or inside, or was lost from a pause.
fn currencies(book: &Book<'_>, question: &Question) -> Result<BTreeSet<String>, String> {
    let stated: BTreeSet<String> = book
        .events
        .iter()
        .filter(|(_, e)| e.kind == "billing.subscription_set")
        .filter_map(|(_, e)| e.text("currency").map(str::to_owned))
        .filter(|currency| question.only_currency.as_ref().is_none_or(|only| only == currency))
        .collect();
    let moved: BTreeSet<String> =
        stated.into_iter().filter(|c| !movements_in(book, question, Some(c)).is_empty()).collect();
    let reports_in = question.currency.as_ref();
    if reports_in.is_some_and(|wanted| moved.iter().any(|other| other != wanted)) {
        return Err("missing_rate".to_owned());
    }
    Ok(moved)
}

/// The sum of the amounts of one kind of movement.
fn line(movements: &[&Movement], kind: &str) -> Exact {
    movements.iter().filter(|m| m.kind == Some(kind)).map(|m| &m.amount).sum()
}

fn heads(movements: &[&Movement], kind: &str) -> usize {
    movements.iter().filter(|m| m.kind == Some(kind)).count()
}

fn clients(movements: &[&Movement]) -> Value {
    let mut counts = Map::new();
    counts.insert("opening".to_owned(), json!(movements.iter().filter(|m| m.opening.is_positive()).count()));
    for (kind, name) in LINES {
        if let Some(name) = name {
            counts.insert(name.to_owned(), json!(heads(movements, kind)));
        }
    }
    counts.insert("closing".to_owned(), json!(movements.iter().filter(|m| m.closing.is_positive()).count()));
    Value::Object(counts)
}

/// All figures of some clients in one currency.
fn row(movements: &[&Movement], question: &Question) -> Value {
    let sum = |amount: fn(&Movement) -> &Exact| -> Exact { movements.iter().map(|m| amount(m)).sum() };
    let closing = sum(|m| &m.closing);
    let mut row = json!({
        "clients": clients(movements),
        "opening": money(&sum(|m| &m.opening)),
        "closing": money(&closing),
        "after_cancellations": money(&sum(|m| &m.after_cancellations)),
        "fx": money(&Exact::from_integer(0.into())),
    });
    for (kind, _) in LINES {
        row[kind] = money(&line(movements, kind));
    }

    // Retention is over the clients that paid at opening.
    let opened: Vec<&Movement> = movements.iter().copied().filter(|m| m.opening.is_positive()).collect();
    let of_opening = |part: fn(&Movement) -> Exact| -> Value {
        rate::of_money(&opened.iter().map(|m| (part(m), m.opening.clone())).collect::<Vec<_>>())
    };
    row["nrr"] = of_opening(|m| m.closing.clone());
    row["net_revenue_churn"] = of_opening(|m| &m.opening - &m.closing);
    row["grr"] = of_opening(|m| m.closing.clone().min(m.opening.clone()));
    row["gross_revenue_churn"] = of_opening(|m| &m.opening - m.closing.clone().min(m.opening.clone()));
    row["churned_revenue"] = of_opening(|m| match m.kind {
        Some("churn") => m.amount.clone(),
        _ => Exact::from_integer(0.into()),
    });

    let (churned, came_and_went) = (heads(movements, "churn"), heads(movements, "joined_and_left"));
    let (left, of) = match question.base.as_str() {
        "opening_plus_new" => {
            let joined: usize =
                ["new", "reactivation", "resumed"].iter().map(|kind| heads(movements, kind)).sum();
            (churned + came_and_went, opened.len() + joined + came_and_went)
        }
        _ => (churned, opened.len()),
    };
    row["logo_churn"] = rate::of_heads(left, of);
    row["logo_retention"] = rate::of_heads(of - left, of);

    let paid: Exact = opened.iter().map(|m| m.opening.clone()).sum();
    let share = |part: usize, whole: usize| Exact::new(part.into(), whole.into());
    row["churn_divergence"] = if opened.is_empty() {
        Value::Null
    } else {
        match share(churned, opened.len()).cmp(&(line(movements, "churn") / paid)) {
            std::cmp::Ordering::Greater => json!("heads"),
            std::cmp::Ordering::Equal => json!("even"),
            std::cmp::Ordering::Less => json!("money"),
        }
    };
    let zero = || Exact::from_integer(0.into());
    row["expansion_rate"] = of_opening(|m| match m.kind {
        Some("expansion") => m.amount.clone(),
        _ => Exact::from_integer(0.into()),
    });
    let closed = movements.iter().filter(|m| m.closing.is_positive());
    let existing =
        closed.map(|m| (if m.opening.is_positive() { m.closing.clone() } else { zero() }, m.closing.clone()));
    row["from_existing"] = rate::of_money(&existing.collect::<Vec<_>>());

    let total = |kinds: &[&str]| -> Exact { kinds.iter().map(|kind| line(movements, kind)).sum() };
    let gained = total(&["new", "reactivation", "resumed", "expansion"]);
    row["quick_ratio"] = rate::over(&gained, &total(&["contraction", "paused", "churn"]));
    row["arpa"] = rate::per_head(&closing, movements.iter().filter(|m| m.closing.is_positive()).count());
    row
}

/// A row for each value of the grouping and each currency, in order of both, those without a value last.
fn groups(book: &Book<'_>, question: &Question, all: &[Movement]) -> Result<Value, String> {
    let Some(by) = question.group_by.as_deref() else { return Ok(Value::Null) };
    if !["owner", "segment", "plan", "product"].contains(&by) {
        return Err(format!("not_covered: group_by `{by}`"));
    }
    let mut groups: BTreeMap<(bool, String, String), Vec<&Movement>> = BTreeMap::new();
    for client in book.ids() {
        let events = book.events_of(&client);
        for movement in all.iter().filter(|m| m.client == shown_id(book, &client)) {
            let value = group_of(book, question, &events, movement, by);
            let key =
                (value.is_none(), value.unwrap_or_default(), movement.currency.clone().unwrap_or_default());
            groups.entry(key).or_default().push(movement);
        }
    }
    let rows = groups.into_iter().map(|((has_none, value, currency), movements)| {
        let mut row = row(&movements, question);
        row["key"] = if has_none { Value::Null } else { json!(value) };
        row["currency"] = json!(currency);
        row
    });
    Ok(rows.collect())
}

/// The value a client is grouped by: at opening, at its first paying instant inside, or at its last one
/// before.
fn group_of(
    book: &Book<'_>,
    question: &Question,
    events: &[&Event],
    movement: &Movement,
    by: &str,
) -> Option<String> {
    let t = movement.grouped_at;
    if by == "owner" || by == "segment" {
        return client::field(events, by, t).map(str::to_owned);
    }
    let subscriptions = Subscriptions::new(events, book.calendar, &question.run_rate, question.as_of);
    let mut amounts: BTreeMap<(bool, &str), Exact> = BTreeMap::new();
    for subscription in subscriptions.paying(t, movement.currency.as_deref()) {
        let value = subscription.state_at(t).and_then(|state| state.text(by));
        *amounts.entry((value.is_none(), value.unwrap_or_default())).or_default() +=
            subscriptions.annual(subscription, t);
    }
    // The greatest amount; of equal ones the least by bytes, which comes first and none last.
    let greatest = amounts.values().max().cloned();
    let ((is_none, value), _) = amounts.into_iter().find(|(_, amount)| Some(amount) == greatest.as_ref())?;
    (!is_none).then(|| value.to_owned())
}

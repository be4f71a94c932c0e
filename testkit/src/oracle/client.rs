//! What is said about a client, and what it says itself: fields, sentiment, NPS, contacts, milestones.

use std::collections::BTreeMap;

use serde_json::Value;

use super::calendar::Instant;
use super::event::{Event, timeline};
use super::exact;
use super::signal::{Missing, Reading, Spec, View};

/// The value of a text field of client.set at `t`. Each set is a patch: an absent field stays, null or empty
/// clears.
pub(crate) fn field<'a>(events: &[&'a Event], name: &str, t: Instant) -> Option<&'a str> {
    let patches = timeline(events, "client.set", t);
    let last = patches.iter().rev().find(|e| e.data.get(name).is_some())?;
    last.text(name)
}

/// The last value of one attribute at `t`; each key is a timeline by itself.
fn attribute_value<'a>(events: &[&'a Event], key: &str, t: Instant) -> Option<&'a Value> {
    timeline(events, "client.set", t).into_iter().rev().find_map(|e| e.data["attributes"].get(key))
}

/// A number is itself, a bool is 1 or 0; null was cleared and text is no number.
pub(crate) fn attribute(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    match attribute_value(view.events, spec.text("key").unwrap_or_default(), view.t) {
        Some(Value::Bool(yes)) => Ok(f64::from(u8::from(*yes))),
        Some(number @ Value::Number(_)) => {
            exact::read(number).map(|value| exact::float(&value)).ok_or(Missing::NeverSeen)
        }
        _ => Err(Missing::NeverSeen),
    }
}

pub(crate) fn sentiment(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let entries = timeline(view.events, "client.sentiment_set", view.t);
    let last = entries.last().ok_or(Missing::NeverSeen)?;
    let value = exact::float(&last.number("value").ok_or(Missing::NeverSeen)?);
    let age = view.age(last.time);
    if spec.count("max_age_days").is_some_and(|most| age > most) {
        return Err(Missing::Expired);
    }
    Ok(match spec.float("half_life_days") {
        Some(half_life) => 50.0 + (value - 50.0) * (-(age as f64) / half_life).exp2(),
        None => value,
    })
}

/// The latest answer of each user in the window; answers without a user count one each.
pub(crate) fn nps(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let mut of_users: BTreeMap<&str, f64> = BTreeMap::new();
    let mut answers: Vec<f64> = Vec::new();
    for event in timeline(view.events, "client.nps_answered", view.t) {
        let Some(score) = event.number("score").map(|score| exact::float(&score)) else { continue };
        if !view.in_window(event.time, spec.days(180)) {
            continue;
        }
        match event.text("user") {
            Some(user) => drop(of_users.insert(user, score)),
            None => answers.push(score),
        }
    }
    answers.extend(of_users.values());
    if answers.is_empty() {
        return Err(Missing::TooLittle);
    }
    let promoters = answers.iter().filter(|score| **score >= 9.0).count() as f64;
    let detractors = answers.iter().filter(|score| **score <= 6.0).count() as f64;
    Ok((promoters - detractors) / answers.len() as f64 * 100.0)
}

pub(crate) fn days_since_contact(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let contacts = timeline(view.events, "client.contacted", view.t);
    let fits = |e: &Event, name: &str| spec.text(name).is_none_or(|wanted| e.text(name) == Some(wanted));
    let last = contacts.iter().rev().find(|e| fits(e, "by") && fits(e, "outcome"));
    last.map(|e| view.age(e.time) as f64).ok_or(Missing::NeverSeen)
}

pub(crate) fn milestone(view: &View<'_>, spec: &Spec<'_>) -> Reading {
    let reached = timeline(view.events, "client.milestone_reached", view.t);
    Ok(f64::from(u8::from(reached.iter().any(|e| e.text("milestone") == spec.text("milestone")))))
}

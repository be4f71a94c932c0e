//! Why a score is what it is, in words that somebody who talks to clients would use.

use healthfold::{CostOf, HealthScore};
use serde::Serialize;
use serde_json::Value;

/// One thing that costs a client points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// In words.
    pub text: String,
    /// What it costs, in points of the score.
    pub costs: f64,
}

/// What is not worth a line.
const LEAST_COST: f64 = 0.5;

/// The largest costs of a score, greatest first.
pub(crate) fn reasons(score: &HealthScore, model: &Value, most: usize) -> Vec<Reason> {
    let costs = score.costs().into_iter().filter(|cost| cost.points >= LEAST_COST);
    let told = costs.filter_map(|cost| {
        let text = match cost.of {
            CostOf::Part(part) => {
                words(&part.signal, model.get("signals")?.get(&part.signal)?, part.reading?)
            }
            CostOf::Effect(effect) => effect.name.to_string(),
            CostOf::Override(by_hand) => {
                let who = by_hand.by.as_ref().map_or("somebody", |by| by.as_str());
                let why = by_hand.reason.as_ref().map_or("no reason given", |reason| reason.as_str());
                format!("set by hand by {who}: {why}")
            }
        };
        Some(Reason { text, costs: cost.points })
    });
    told.take(most).collect()
}

/// A reading in words; a kind without words of its own is named and given as a number.
fn words(name: &str, spec: &Value, reading: f64) -> String {
    let text = |parameter: &str| spec.get(parameter).and_then(Value::as_str);
    let number = |parameter: &str| spec.get(parameter).and_then(Value::as_f64);
    let metric = text("metric").unwrap_or("usage");
    let days = number("days").unwrap_or_default();
    let n = short(reading);
    let percent = format!("{:.0} %", reading * 100.0);
    match spec.get("kind").and_then(Value::as_str).unwrap_or_default() {
        "usage_sum" => format!("{metric}: {n} in {days} days"),
        "usage_trend" => format!("{metric} at {percent} of {days} days before"),
        "gauge" => format!("{metric} at {n}"),
        "ratio" => format!(
            "{} are {percent} of {}",
            text("numerator").unwrap_or_default(),
            text("denominator").unwrap_or_default()
        ),
        "active_users" => format!("{n} active users in {days} days"),
        "active_trend" => format!("active users at {percent} of {days} days before"),
        "stickiness" => format!(
            "{percent} of the users of {} days come in {}",
            number("long").unwrap_or(30.0),
            number("short").unwrap_or(1.0)
        ),
        "seat_use" => format!("{percent} of the seats in use"),
        "breadth" if spec.get("metrics").is_some() => format!("{percent} of the features in use"),
        "breadth" => format!("{n} {} in use", plural(reading, "feature", "features")),
        "days_since_usage" => match reading {
            0.0 => "last used today".to_owned(),
            1.0 => "last used yesterday".to_owned(),
            _ => format!("not used for {n} days"),
        },
        "active_days" => format!("used on {n} of {days} days"),
        "usage_vs_own" => format!("{metric} {n} deviations from its own usual"),
        "usage_vs_last_year" => format!("{metric} at {percent} of last year"),
        "quota_use" => format!("{percent} of the included {metric} used"),
        "projected_overage" => format!("{metric} heading for {percent} of what is included"),
        "tickets_opened" => {
            let topic = text("topic").map(|topic| format!(" about {topic}")).unwrap_or_default();
            format!("{n} {}{topic} in {days} days", plural(reading, "ticket", "tickets"))
        }
        "tickets_open" => {
            let priority =
                text("min_priority").map(|least| format!(", {least} or above")).unwrap_or_default();
            let age = number("older_than_days").map(|days| format!(", over {days} days")).unwrap_or_default();
            format!("{n} open {}{priority}{age}", plural(reading, "ticket", "tickets"))
        }
        "ticket_surge" => "far more tickets than usual".to_owned(),
        "first_response_hours" => format!("first replies take {n} hours"),
        "first_response_within" => format!("{percent} of first replies in time"),
        "resolution_hours" => format!("tickets take {n} hours to resolve"),
        "csat" => format!("support rated {n} of 5"),
        "nps" => format!("NPS {n}"),
        "incident_hours" => format!("{n} hours of incidents in {days} days"),
        "mrr_trend" => format!("MRR at {percent} of {days} days ago"),
        "overdue_days" => format!("an invoice is {n} {} overdue", plural(reading, "day", "days")),
        "failed_payments" => format!("{n} failed {} in {days} days", plural(reading, "payment", "payments")),
        "days_to_renewal" => format!("{n} {} to renewal", plural(reading, "day", "days")),
        "tenure_days" => format!("a client for {n} days"),
        "sentiment" => format!("sentiment {reading:.0} of 100"),
        "days_since_contact" => format!("no contact for {n} days"),
        "milestone" if reading == 0.0 => format!("has not reached {}", text("milestone").unwrap_or_default()),
        "contact_validity" => format!("{percent} of the contacts are good"),
        "key_contact_lost" if reading > 0.0 => "a key contact was lost".to_owned(),
        _ => format!("{} is {n}", name.replace('_', " ")),
    }
}

fn plural(n: f64, one: &'static str, many: &'static str) -> &'static str {
    if (n - 1.0).abs() < f64::EPSILON { one } else { many }
}

/// A number with at most two digits behind the point.
fn short(n: f64) -> String {
    let text = format!("{n:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::words;
    use serde_json::json;

    #[test]
    fn readings_are_put_in_words() {
        let say = |spec, reading| words("x_y", &spec, reading);
        assert_eq!(say(json!({"kind": "days_since_usage"}), 23.0), "not used for 23 days");
        assert_eq!(
            say(json!({"kind": "tickets_open", "min_priority": "high", "older_than_days": 2}), 1.0),
            "1 open ticket, high or above, over 2 days"
        );
        assert_eq!(
            say(json!({"kind": "active_trend", "days": 28}), 0.416),
            "active users at 42 % of 28 days before"
        );
        assert_eq!(say(json!({"kind": "attribute", "key": "k"}), 1.5), "x y is 1.5");
    }

    #[test]
    fn every_kind_of_signal_reads_without_its_slug() {
        for doc in healthfold::signal_docs() {
            let said = words("some_name", &json!({"kind": doc.kind}), 2.0);
            assert!(!said.contains('_'), "{}: {said}", doc.kind);
        }
    }
}

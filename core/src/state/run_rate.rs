//! What a client's contracts bring in a year: at one instant, and as steps over all time.
//!
//! Signals and revenue both read it here, so the MRR of a signal and of a report can never differ. State comes first:
//! invoices, refunds, charges and payments do not move it.

#![deny(clippy::float_arithmetic)]

use super::billing::{BillingState, Subscription};
use crate::event::billing::Status;
use crate::id::SubscriptionId;
use crate::money::Currency;
use crate::recurring::{Annual, YearFactors};
use crate::time::{Day, Instant};
use crate::timeline::{Entries, Entry, Timeline};
use crate::zone::Zone;
use std::collections::BTreeMap;

/// The settings of a question that move a run-rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunRateRules {
    pub(crate) factors: YearFactors,
    /// A past_due subscription counts for so many days after the day the run began; without it until its status changes.
    pub(crate) past_due_limit_days: Option<u32>,
}

/// What a subscription brings from an instant on, until the next step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'s> {
    pub(crate) from: Instant,
    /// The exact annual amount; 0 unless it counts.
    pub(crate) annual: Annual,
    /// What was stated last.
    pub(crate) entry: &'s Entry<Subscription>,
    /// Over by its `cancel_at`: the clock alone ended it.
    pub(crate) ended: bool,
}

impl<'s> Step<'s> {
    pub(crate) fn state(&self) -> &'s Subscription {
        &self.entry.value
    }

    pub(crate) fn is_paying(&self) -> bool {
        self.annual.is_positive()
    }

    pub(crate) fn currency(&self) -> Option<Currency> {
        self.state().terms.map(|terms| terms.currency)
    }
}

/// What a state brings in a year while it lasts.
fn annual_of(state: &Subscription, factors: YearFactors) -> Annual {
    match state.status {
        Status::Active | Status::PastDue => {
            state.terms.map_or(Annual::ZERO, |terms| Annual::of(terms.amount, terms.interval, factors))
        }
        Status::Trialing | Status::Paused | Status::Cancelled => Annual::ZERO,
    }
}

/// The first instant at which a run of past_due states that began on a day counts no more.
fn limit_of(since: Option<Day>, rules: &RunRateRules, zone: &Zone) -> Option<Instant> {
    let (since, days) = since.zip(rules.past_due_limit_days)?;
    // More days than the calendar has are no limit.
    let days = i32::try_from(days).ok().filter(|days| *days < 100_000)?;
    Some(zone.start_of(since.plus(days + 1)))
}

/// All steps of one subscription, in order of time.
#[cfg(test)]
fn steps<'s>(subscription: &'s Timeline<Subscription>, rules: &RunRateRules, zone: &Zone) -> Vec<Step<'s>> {
    let mut steps = Vec::with_capacity(subscription.entries().len());
    let _: Option<()> = find_step(subscription, rules, zone, |step| {
        steps.push(step);
        None
    });
    steps
}

/// Shows the steps of one subscription, in order of time, until something is made of one. Of several states of one instant
/// only the last ever stands.
pub(crate) fn find_step<'s, T>(
    subscription: &'s Timeline<Subscription>,
    rules: &RunRateRules,
    zone: &Zone,
    mut see: impl FnMut(Step<'s>) -> Option<T>,
) -> Option<T> {
    let mut entries = subscription.entries().iter().peekable();
    let mut past_due_since: Option<Day> = None;
    while let Some(entry) = entries.next() {
        let next = entries.peek().map(|next| next.at());
        let from = entry.at();
        if next == Some(from) {
            continue;
        }
        past_due_since = match entry.value.status {
            Status::PastDue => Some(past_due_since.unwrap_or_else(|| zone.day(from))),
            Status::Trialing | Status::Active | Status::Paused | Status::Cancelled => None,
        };
        let inside = |instant: &Instant| next.is_none_or(|next| *instant < next);
        let end = entry.value.ends_at(zone).map(|end| end.max(from)).filter(inside);
        let limit = limit_of(past_due_since, rules, zone).map(|limit| limit.max(from)).filter(inside);
        let annual = annual_of(&entry.value, rules.factors);
        if end != Some(from) {
            let annual = if limit == Some(from) { Annual::ZERO } else { annual };
            let found = see(Step { from, annual, entry, ended: false });
            if found.is_some() {
                return found;
            }
            if let Some(limit) = limit.filter(|limit| *limit > from && end.is_none_or(|end| *limit < end)) {
                let found = see(Step { from: limit, annual: Annual::ZERO, entry, ended: false });
                if found.is_some() {
                    return found;
                }
            }
        }
        if let Some(end) = end {
            let found = see(Step { from: end, annual: Annual::ZERO, entry, ended: true });
            if found.is_some() {
                return found;
            }
            // What is over is late no more: a later state begins a run of its own.
            past_due_since = None;
        }
    }
    None
}

/// The step of a subscription that stands at an instant.
pub(crate) fn step_at<'s>(
    subscription: &'s Timeline<Subscription>,
    at: Instant,
    rules: &RunRateRules,
    zone: &Zone,
) -> Option<Step<'s>> {
    let entry = subscription.at(at)?;
    let from = entry.at();
    let stands = Step { from, annual: annual_of(&entry.value, rules.factors), entry, ended: false };
    if let Some(end) = entry.value.ends_at(zone).map(|end| end.max(from)).filter(|end| *end <= at) {
        return Some(Step { from: end, annual: Annual::ZERO, ended: true, ..stands });
    }
    if rules.past_due_limit_days.is_some() && entry.value.status == Status::PastDue {
        let since = past_due_since(subscription.up_to(at), zone).map(|since| zone.day(since));
        let limit = limit_of(since, rules, zone).map(|limit| limit.max(from));
        if let Some(limit) = limit.filter(|limit| *limit <= at) {
            return Some(Step { from: limit, annual: Annual::ZERO, ..stands });
        }
    }
    Some(stands)
}

/// When the unbroken run of past_due states began that the last of the entries belongs to.
fn past_due_since(entries: Entries<'_, Subscription>, zone: &Zone) -> Option<Instant> {
    let mut since = None;
    for entry in entries.iter().rev() {
        // A state replaced at its own instant never stood.
        if since == Some(entry.at()) {
            continue;
        }
        let end = entry.value.ends_at(zone).map(|end| end.max(entry.at()));
        if since.zip(end).is_some_and(|(since, end)| end < since) {
            break;
        }
        match entry.value.status {
            Status::PastDue => since = Some(entry.at()),
            Status::Trialing | Status::Active | Status::Paused | Status::Cancelled => break,
        }
    }
    since
}

/// The subscriptions that pay at an instant.
pub(crate) fn paying<'s>(
    billing: &'s BillingState,
    at: Instant,
    rules: &RunRateRules,
    zone: &Zone,
) -> impl Iterator<Item = (&'s SubscriptionId, Step<'s>)> {
    let steps = billing.subscriptions.iter().map(move |(id, states)| (id, step_at(states, at, rules, zone)));
    steps.filter_map(|(id, step)| step.filter(Step::is_paying).map(|step| (id, step)))
}

/// Whether a client pays at an instant, in any currency.
pub(crate) fn is_paying(billing: &BillingState, at: Instant, rules: &RunRateRules, zone: &Zone) -> bool {
    paying(billing, at, rules, zone).next().is_some()
}

/// What a client pays a year at an instant, by currency; only currencies it pays in.
pub(crate) fn annual_at(
    billing: &BillingState,
    at: Instant,
    rules: &RunRateRules,
    zone: &Zone,
) -> BTreeMap<Currency, Annual> {
    let mut sums = BTreeMap::new();
    for (_, step) in paying(billing, at, rules, zone) {
        if let Some(currency) = step.currency() {
            *sums.entry(currency).or_default() += step.annual;
        }
    }
    sums
}

/// The same where all of it is in one currency, with that currency if there is any; `None` where it is in several.
pub(crate) fn annual_in_one(
    billing: &BillingState,
    at: Instant,
    rules: &RunRateRules,
    zone: &Zone,
) -> Option<(Option<Currency>, Annual)> {
    let (mut one, mut sum) = (None, Annual::ZERO);
    for (_, step) in paying(billing, at, rules, zone) {
        if let Some(currency) = step.currency() {
            if *one.get_or_insert(currency) != currency {
                return None;
            }
            sum += step.annual;
        }
    }
    Some((one, sum))
}

/// The first instant at or before `at` from which a client paid, in any currency.
pub(crate) fn first_paying(
    billing: &BillingState,
    at: Instant,
    rules: &RunRateRules,
    zone: &Zone,
) -> Option<Instant> {
    let first = |states| find_step(states, rules, zone, |step| step.is_paying().then_some(step.from));
    billing.subscriptions.values().filter_map(first).min().filter(|first| *first <= at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::state::ClientState;

    const UTC: fn() -> Zone = Zone::utc;

    fn billing(states: &[(&str, &str)]) -> BillingState {
        let mut state = ClientState::default();
        for (i, (time, data)) in states.iter().enumerate() {
            let text = format!(
                r#"{{"id":"{i}","source":"t","type":"billing.subscription_set","subject":"a","time":"{time}T00:00:00Z",
                "data":{{"subscription":"s","interval":{{"unit":"month"}},"currency":"USD",{data}}}}}"#
            );
            state.fold(&Event::from_json(text.as_bytes()).unwrap().borrowed(), &UTC());
        }
        state.billing
    }

    fn at(day: &str) -> Instant {
        format!("{day}T12:00:00Z").parse().unwrap()
    }

    /// Checks that both ways to read agree, and gives the annual amounts at noon of some days.
    fn annual(billing: &BillingState, rules: &RunRateRules, days: &[&str]) -> Vec<String> {
        let states = billing.subscriptions.values().next().unwrap();
        let all = steps(states, rules, &UTC());
        assert!(all.is_sorted_by(|a, b| a.from < b.from));
        let read = |day: &&str| {
            let one = step_at(states, at(day), rules, &UTC());
            let step = all.iter().rev().find(|step| step.from <= at(day));
            assert_eq!(one.map(|s| (s.from, s.annual, s.ended)), step.map(|s| (s.from, s.annual, s.ended)));
            step.map_or("none".to_owned(), |step| step.annual.to_string())
        };
        days.iter().map(read).collect()
    }

    #[test]
    fn the_clock_alone_ends_a_subscription() {
        let billing = billing(&[("2026-01-05", r#""status":"active","amount":10,"cancel_at":"2026-03-10""#)]);
        let days = ["2026-01-04", "2026-01-05", "2026-03-09", "2026-03-10"];
        assert_eq!(annual(&billing, &RunRateRules::default(), &days), ["none", "120", "120", "0"]);
        let exactly: Instant = "2026-03-10T00:00:00Z".parse().unwrap();
        assert!(is_paying(&billing, exactly.just_before(), &RunRateRules::default(), &UTC()));
        assert!(!is_paying(&billing, exactly, &RunRateRules::default(), &UTC()));
    }

    #[test]
    fn a_cancel_at_before_its_own_state_ends_at_once_and_a_later_state_takes_it_back() {
        let billing = billing(&[
            ("2026-01-05", r#""status":"active","amount":10,"cancel_at":"2026-01-01""#),
            ("2026-02-05", r#""status":"active","amount":10"#),
        ]);
        let days = ["2026-01-05", "2026-02-05"];
        assert_eq!(annual(&billing, &RunRateRules::default(), &days), ["0", "120"]);
        let first = first_paying(&billing, at("2026-03-01"), &RunRateRules::default(), &UTC());
        assert_eq!(first, Some("2026-02-05T00:00:00Z".parse().unwrap()));
        assert_eq!(first_paying(&billing, at("2026-02-04"), &RunRateRules::default(), &UTC()), None);
    }

    #[test]
    fn past_due_counts_through_its_limit_from_the_first_of_the_run() {
        let billing = billing(&[
            ("2026-01-01", r#""status":"active","amount":10"#),
            ("2026-01-10", r#""status":"past_due","amount":10"#),
            ("2026-01-12", r#""status":"past_due","amount":20"#),
            ("2026-01-30", r#""status":"active","amount":20"#),
        ]);
        let days = ["2026-01-10", "2026-01-12", "2026-01-15", "2026-01-16", "2026-01-30"];
        let limit = RunRateRules { past_due_limit_days: Some(5), ..RunRateRules::default() };
        assert_eq!(annual(&billing, &limit, &days), ["120", "240", "240", "0", "240"]);
        let short = RunRateRules { past_due_limit_days: Some(1), ..RunRateRules::default() };
        assert_eq!(annual(&billing, &short, &days), ["120", "0", "0", "0", "240"]);
        assert_eq!(annual(&billing, &RunRateRules::default(), &days), ["120", "240", "240", "240", "240"]);
    }

    #[test]
    fn only_the_last_state_of_an_instant_stands() {
        let billing = billing(&[
            ("2026-01-01", r#""status":"active","amount":10"#),
            ("2026-01-01", r#""status":"trialing","amount":10"#),
        ]);
        assert_eq!(annual(&billing, &RunRateRules::default(), &["2026-01-01"]), ["0"]);
        assert_eq!(first_paying(&billing, at("2026-02-01"), &RunRateRules::default(), &UTC()), None);
    }

    #[test]
    fn a_limit_and_an_end_come_in_their_order_and_each_once() {
        // Past due from the 10th with a limit of 5 days: nothing from the 16th on, as 10 + 5 is the last day that counts.
        let limit = RunRateRules { past_due_limit_days: Some(5), ..RunRateRules::default() };
        let steps_with = |cancel_at: &str| {
            let due = format!(r#""status":"past_due","amount":10,"cancel_at":"{cancel_at}""#);
            let billing = billing(&[("2026-01-10", &due)]);
            let days = ["2026-01-15", "2026-01-16", "2026-01-17", "2026-01-20"];
            let annual = annual(&billing, &limit, &days);
            let states = billing.subscriptions.values().next().unwrap();
            let steps = steps(states, &limit, &UTC());
            let from = |step: &Step<'_>| (step.from.to_string()[8..10].to_owned(), step.ended);
            (
                annual.join(" "),
                steps.iter().map(from).map(|(day, ended)| format!("{day} {ended}")).collect::<Vec<_>>(),
            )
        };
        let before = steps_with("2026-01-14");
        assert_eq!((before.0.as_str(), before.1.join(", ").as_str()), ("0 0 0 0", "10 false, 14 true"));
        let at_once = steps_with("2026-01-16");
        assert_eq!((at_once.0.as_str(), at_once.1.join(", ").as_str()), ("120 0 0 0", "10 false, 16 true"));
        let behind = steps_with("2026-01-20");
        assert_eq!(
            (behind.0.as_str(), behind.1.join(", ").as_str()),
            ("120 0 0 0", "10 false, 16 false, 20 true")
        );
    }

    #[test]
    fn a_state_of_the_instant_of_the_end_takes_the_end_back() {
        let billing = billing(&[
            ("2026-01-05", r#""status":"active","amount":10,"cancel_at":"2026-02-05""#),
            ("2026-02-05", r#""status":"active","amount":20"#),
        ]);
        let states = billing.subscriptions.values().next().unwrap();
        // Two steps and no third that ends it between them.
        let all = steps(states, &RunRateRules::default(), &UTC());
        assert_eq!(all.iter().map(|step| step.ended).collect::<Vec<_>>(), [false, false]);
        let days = ["2026-02-04", "2026-02-05"];
        assert_eq!(annual(&billing, &RunRateRules::default(), &days), ["120", "240"]);
        // The same with the limit of a past_due state: the run ends as the new state begins.
        let limit = RunRateRules { past_due_limit_days: Some(5), ..RunRateRules::default() };
        let billing = self::billing(&[
            ("2026-01-10", r#""status":"past_due","amount":10"#),
            ("2026-01-16", r#""status":"active","amount":20"#),
        ]);
        let states = billing.subscriptions.values().next().unwrap();
        assert_eq!(steps(states, &limit, &UTC()).len(), 2);
        assert_eq!(annual(&billing, &limit, &["2026-01-15", "2026-01-16"]), ["120", "240"]);
    }

    #[test]
    fn a_run_of_past_due_states_begins_with_the_first_that_stood() {
        let limit = RunRateRules { past_due_limit_days: Some(5), ..RunRateRules::default() };
        // The first past_due state was replaced at its own instant by an active one, so the run begins on the 12th, and
        // its last day is the 17th.
        let billing = billing(&[
            ("2026-01-10", r#""status":"past_due","amount":10"#),
            ("2026-01-10", r#""status":"active","amount":10"#),
            ("2026-01-12", r#""status":"past_due","amount":10"#),
            ("2026-01-12", r#""status":"past_due","amount":20"#),
        ]);
        let days = ["2026-01-10", "2026-01-12", "2026-01-17", "2026-01-18"];
        assert_eq!(annual(&billing, &limit, &days), ["120", "240", "240", "0"]);
        // An active state replaced by a past_due one at its own instant does not break the run.
        let billing = self::billing(&[
            ("2026-01-10", r#""status":"past_due","amount":10"#),
            ("2026-01-12", r#""status":"active","amount":10"#),
            ("2026-01-12", r#""status":"past_due","amount":20"#),
        ]);
        let days = ["2026-01-12", "2026-01-15", "2026-01-16"];
        assert_eq!(annual(&billing, &limit, &days), ["240", "240", "0"]);
    }

    #[test]
    fn an_end_breaks_a_run_of_past_due_states() {
        let limit = RunRateRules { past_due_limit_days: Some(25), ..RunRateRules::default() };
        let run = |cancel_at: &str| {
            let due = format!(r#""status":"past_due","amount":10,"cancel_at":"{cancel_at}""#);
            let billing =
                billing(&[("2026-02-20", &due), ("2026-03-10", r#""status":"past_due","amount":20"#)]);
            annual(&billing, &limit, &["2026-02-24", "2026-03-09", "2026-03-10", "2026-03-17", "2026-03-18"])
                .join(" ")
                + " "
                + &annual(&billing, &limit, &["2026-04-04", "2026-04-05"]).join(" ")
        };
        // Over on 25 February, so the run begins anew on 10 March: + 25 days is 4 April.
        assert_eq!(run("2026-02-25"), "120 0 240 240 240 240 0");
        assert_eq!(run("2026-02-01"), "0 0 240 240 240 240 0", "over as it was stated");
        // An end that a state of its own instant, or an earlier one, took back: 20 February + 25 days is 17 March.
        assert_eq!(run("2026-03-10"), "120 120 240 240 0 0 0");
        assert_eq!(run("2026-05-01"), "120 120 240 240 0 0 0");
    }
}

//! Trials: how many began, how many ended, and how many became paying.
//!
//! A trial is an unbroken time in which one subscription is trialing. A payment, the instant at which a subscription
//! begins to pay, converts the latest trial of that subscription that began by then; where it never had one, the latest
//! of the client, if the subscription itself did not begin before it. A trial is never new and never churn.

use super::movement::Span;
use super::report::ReportPeriod;
use super::run_rate::{Contract, Contracts, Stretch};
use super::settings::RevenueOptions;
use super::{Question, Refusal, SettingError};
use crate::book::Client;
use crate::event::billing::Status;
use crate::period::Period;
use crate::rate::HeadRate;
use crate::state::billing::instant_of;
use crate::time::Instant;
use crate::zone::Zone;
use serde::Serialize;

/// The trials of a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trials {
    /// The period.
    pub period: ReportPeriod,
    /// The instant of the question.
    pub as_of: Instant,
    /// The settings of the question.
    pub settings: RevenueOptions,
    /// Trials that began in the period, and what they are as of the question.
    pub started: StartedTrials,
    /// Trials that ended in the period, and what they are as of the question.
    pub ended: EndedTrials,
}

/// Trials that began in a period. converted + not_converted + running = trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StartedTrials {
    /// How many.
    pub trials: u64,
    /// Became paying, during the trial or after.
    pub converted: u64,
    /// Ended without.
    pub not_converted: u64,
    /// Still trialing, and not paying.
    pub running: u64,
    /// The part of `running` whose stated end has passed.
    pub overdue: u64,
    /// converted / trials.
    pub rate: HeadRate,
}

/// Trials that ended in a period. converted + not_converted = trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct EndedTrials {
    /// How many.
    pub trials: u64,
    /// Became paying.
    pub converted: u64,
    /// Did not.
    pub not_converted: u64,
    /// converted / trials.
    pub rate: HeadRate,
}

/// One trial as of an instant.
pub(crate) struct Trial {
    /// Which of the client's subscriptions.
    contract: usize,
    pub(crate) start: Instant,
    /// When it left trialing, if it did.
    pub(crate) end: Option<Instant>,
    /// The end that was stated last.
    stated_end: Option<Instant>,
    /// The first payment that converted it.
    pub(crate) paid: Option<Instant>,
}

/// The trials of a period.
pub(crate) fn trials(question: &Question<'_>, period: Period) -> Result<Trials, Refusal> {
    if let Some(by) = &question.options.group_by {
        let expected = "null: trials are counted over the book, `compare_trials` splits them";
        return Err(Refusal::Setting(SettingError::new("group_by", expected, &by.to_string())));
    }
    let span = Span::new(period, question.as_of);
    let inside = |at: Instant| period.start <= at && at <= span.closing;
    let (mut started, mut ended) = (StartedTrials::default(), EndedTrials::default());
    each_trial(question, |_, trial| {
        if inside(trial.start) {
            started.trials += 1;
            if trial.paid.is_some() {
                started.converted += 1;
            } else if trial.end.is_some() {
                started.not_converted += 1;
            } else {
                started.running += 1;
                started.overdue += u64::from(trial.stated_end.is_some_and(|end| end <= question.as_of));
            }
        }
        if trial.end.is_some_and(inside) {
            ended.trials += 1;
            ended.converted += u64::from(trial.paid.is_some());
            ended.not_converted += u64::from(trial.paid.is_none());
        }
    })?;
    started.rate = HeadRate::new(started.converted, started.trials);
    ended.rate = HeadRate::new(ended.converted, ended.trials);
    let (as_of, settings) = (question.as_of, question.settings());
    Ok(Trials { period: question.period(&span), as_of, settings, started, ended })
}

/// Shows the trials of each client as of the question, in order of ids.
pub(crate) fn each_trial(
    question: &Question<'_>,
    mut see: impl FnMut(&Client<'_>, &Trial),
) -> Result<(), Refusal> {
    let shared = question.shared()?;
    for client in question.clients(&shared) {
        let contracts = Contracts::of(&client.state.billing, &shared.rules, question.zone);
        for trial in trials_of(&contracts, question) {
            see(&client, &trial);
        }
    }
    Ok(())
}

/// The trials of a client as of the question.
fn trials_of(contracts: &Contracts<'_>, question: &Question<'_>) -> Vec<Trial> {
    let mut trials: Vec<Trial> = Vec::new();
    for (i, contract) in contracts.iter().enumerate() {
        trials.extend(trials_in(i, contract, question.as_of, question.zone));
    }
    if trials.is_empty() {
        return trials;
    }
    if let Some(only) = question.options.only_currency {
        let stated = |trial: &Trial| {
            let contract = contracts.iter().nth(trial.contract);
            contract.and_then(|contract| contract.at(trial.start)).and_then(|here| here.currency)
                == Some(only)
        };
        trials.retain(stated);
    }
    for (i, contract) in contracts.iter().enumerate() {
        for payment in payments(contract, question.as_of) {
            let own = trials.iter().any(|trial| trial.contract == i && trial.start <= payment);
            let begun = contract.stretches().first().map(|first| first.from);
            let of_it = |trial: &&mut Trial| {
                let other = begun.is_some_and(|begun| begun >= trial.start);
                trial.start <= payment && if own { trial.contract == i } else { other }
            };
            if let Some(trial) = trials.iter_mut().filter(of_it).max_by_key(|trial| trial.start) {
                trial.paid = Some(trial.paid.map_or(payment, |paid| paid.min(payment)));
            }
        }
    }
    trials
}

fn is_trialing(here: &Stretch<'_>) -> bool {
    !here.ended && here.state().status == Status::Trialing
}

/// The trials of one subscription.
fn trials_in(i: usize, contract: &Contract<'_>, as_of: Instant, zone: &Zone) -> Vec<Trial> {
    let mut trials: Vec<Trial> = Vec::new();
    for here in contract.stretches().iter().take_while(|here| here.from <= as_of) {
        let running = trials.last_mut().filter(|trial| trial.end.is_none());
        let stated_end = here.state().more.trial_end.and_then(|end| instant_of(end, zone));
        match (running, is_trialing(here)) {
            (Some(trial), true) => trial.stated_end = stated_end,
            (Some(trial), false) => trial.end = Some(here.from),
            (None, true) => {
                trials.push(Trial { contract: i, start: here.from, end: None, stated_end, paid: None });
            }
            (None, false) => {}
        }
    }
    trials
}

/// The instants at which a subscription begins to pay.
fn payments(contract: &Contract<'_>, as_of: Instant) -> Vec<Instant> {
    let mut payments = Vec::new();
    let mut paid = false;
    for here in contract.stretches().iter().take_while(|here| here.from <= as_of) {
        if here.is_paying() && !paid {
            payments.push(here.from);
        }
        paid = here.is_paying();
    }
    payments
}

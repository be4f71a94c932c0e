//! Two groups of trials beside each other: onboarded or not, wrote to support or not. How many convert, how many still pay
//! some months on, of all and of those that converted, and how far that is chance.
//!
//! A trial is looked at once it is decided: it converted, or it ended without. Shares some months on are of the trials that
//! were decided so long ago, whether they converted or not, so that both groups had their time. What splits them is read as
//! of the trial's end (its first payment, if that came sooner). A group is not a cause: who is well may be who gets onboarded.

use crate::book::Client;
use crate::event::Attribute;
use crate::lifetime::RateDifference;
use crate::rate::HeadRate;
use crate::revenue::{Question, Refusal, ReportPeriod, RevenueOptions, Span, each_trial};
use crate::state::run_rate::{RunRateRules, is_paying};
use crate::state::support::TicketAt;
use crate::time::{Day, Instant};
use crate::zone::Zone;
use serde::{Deserialize, Serialize};

/// What splits trials in two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum TrialSplit {
    /// The client reached a milestone by the end of the trial.
    Milestone {
        /// Which.
        milestone: String,
    },
    /// The client opened a ticket during the trial.
    WroteToSupport,
    /// The client is in a segment.
    Segment {
        /// Which.
        segment: String,
    },
    /// The client has a tag.
    Tag {
        /// Which.
        tag: String,
    },
    /// An attribute of the client has a value.
    Attribute {
        /// Which.
        key: String,
        /// Text, a number or true or false; numbers by value, else the same type.
        equals: serde_json::Value,
    },
}

/// A rate in two groups of trials.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedRate {
    /// What it is a share of: `trials` that are decided, or only `converted` ones.
    pub base: &'static str,
    /// Where the split holds.
    pub with: HeadRate,
    /// Where it does not.
    pub without: HeadRate,
    /// `with` less `without`.
    pub difference: RateDifference,
}

/// The trials of a period, split in two.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrialComparison {
    /// The period in which the trials began.
    pub period: ReportPeriod,
    /// The instant of the question.
    pub as_of: Instant,
    /// What splits them.
    pub split: TrialSplit,
    /// How many calendar months after the decision is looked again.
    pub months: u32,
    /// The settings of the question.
    pub settings: RevenueOptions,
    /// Trials that still run and where the split holds so far; in no rate.
    pub running_with: u64,
    /// Trials that still run and where it does not; in no rate.
    pub running_without: u64,
    /// Of the trials decided: became paying.
    pub converted: ComparedRate,
    /// Of the trials decided so many months ago: converted and paying that much later.
    pub kept: ComparedRate,
    /// Of the converted among them: paying that much later. Where groups differ in `converted` only, they are alike here.
    pub kept_of_converted: ComparedRate,
}

/// Counts of one rate: where the split holds, and where not.
#[derive(Clone, Copy, Default)]
struct Counts {
    part: (u64, u64),
    whole: (u64, u64),
}

impl Counts {
    fn add(&mut self, with: bool, came: bool) {
        let side = |pair: &mut (u64, u64), by: u64| *(if with { &mut pair.0 } else { &mut pair.1 }) += by;
        side(&mut self.whole, 1);
        side(&mut self.part, u64::from(came));
    }

    fn rate(self, base: &'static str) -> ComparedRate {
        let (with, without) =
            (HeadRate::new(self.part.0, self.whole.0), HeadRate::new(self.part.1, self.whole.1));
        ComparedRate { base, with, without, difference: RateDifference::of(with, without) }
    }
}

impl TrialSplit {
    /// Whether it holds of a client whose trial ran from one instant to another.
    fn holds(&self, client: &Client<'_>, start: Instant, until: Instant) -> bool {
        let profile = &client.state.profile;
        match self {
            Self::Milestone { milestone } => {
                let reached =
                    profile.more.milestones.get(milestone.as_str()).and_then(|reached| reached.first());
                reached.is_some_and(|reached| reached.at() <= until)
            }
            Self::WroteToSupport => {
                let tickets = client.state.support.tickets.values();
                tickets.filter_map(|ticket| TicketAt::of(ticket, until)).any(|ticket| ticket.opened >= start)
            }
            Self::Segment { segment } => {
                let known = profile.stated.segment.value_at(until).and_then(Option::as_ref);
                known.is_some_and(|known| known.as_str() == segment)
            }
            Self::Tag { tag } => {
                let known = profile.stated.tags.value_at(until).and_then(Option::as_ref);
                known.is_some_and(|tags| tags.as_slice().iter().any(|known| known.as_str() == tag))
            }
            Self::Attribute { key, equals } => {
                let known =
                    profile.stated.attributes.get(key.as_str()).and_then(|values| values.value_at(until));
                match (known.and_then(Option::as_ref), equals) {
                    (Some(Attribute::Text(known)), serde_json::Value::String(text)) => known.as_str() == text,
                    (Some(Attribute::Number(known)), serde_json::Value::Number(number)) => {
                        number.as_f64() == Some(known.to_f64())
                    }
                    (Some(Attribute::Flag(known)), serde_json::Value::Bool(flag)) => known == flag,
                    _ => false,
                }
            }
        }
    }
}

/// The last microsecond of the day so many months after that of an instant; of a shorter month its last day.
fn months_after(at: Instant, months: u32, zone: &Zone) -> Instant {
    let day: Day = zone.day(at);
    zone.end_of(day.plus_months(i32::try_from(months).unwrap_or(i32::MAX)))
}

/// The trials that began in a period, split in two, and what came of them.
pub(crate) fn compare_trials(
    question: &Question<'_>,
    span: &Span,
    split: &TrialSplit,
    months: u32,
) -> Result<TrialComparison, Refusal> {
    let (as_of, zone) = (question.as_of, question.zone);
    let rules = RunRateRules {
        factors: question.options.factors.0,
        past_due_limit_days: question.options.past_due_limit_days,
    };
    let (mut converted, mut kept, mut kept_of_converted) =
        (Counts::default(), Counts::default(), Counts::default());
    let mut running = (0, 0);
    each_trial(question, |client, trial| {
        if trial.start < span.period.start || trial.start > span.closing {
            return;
        }
        let decided = trial.paid.into_iter().chain(trial.end).min();
        let until = decided.unwrap_or(as_of);
        let with = split.holds(client, trial.start, until);
        // Running and not paying: nobody knows yet.
        let Some(decided) = trial.paid.or(trial.end) else {
            *(if with { &mut running.0 } else { &mut running.1 }) += 1;
            return;
        };
        converted.add(with, trial.paid.is_some());
        let then = months_after(decided, months, zone);
        if then > as_of {
            return;
        }
        let pays = trial.paid.is_some() && is_paying(&client.state.billing, then, &rules, zone);
        kept.add(with, pays);
        if trial.paid.is_some() {
            kept_of_converted.add(with, pays);
        }
    })?;
    Ok(TrialComparison {
        period: question.period(span),
        as_of,
        split: split.clone(),
        months,
        settings: question.settings(),
        running_with: running.0,
        running_without: running.1,
        converted: converted.rate("trials"),
        kept: kept.rate("trials"),
        kept_of_converted: kept_of_converted.rate("converted"),
    })
}

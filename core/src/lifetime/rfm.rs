//! How often, how lately and for how much clients buy without a contract: the summaries that buy-till-you-die models are
//! fitted to, folded from `billing.charged`.
//!
//! Purchases of one client on one calendar day of the engine's zone are one. The first day is where a client begins and no
//! repeat. Frequency counts the later days up to the end of the calibration, recency is the days from the first to the last
//! of them, age those from the first to the calibration's end. Value is the mean of the repeat days; refunds take nothing
//! off it, for a purchase that was paid back was still made. Clients that ever paid by subscription are left out: they leave
//! by ending it, not by silence.

use super::input::Rfm;
use super::options::LifetimeOptions;
use crate::id::ClientId;
use crate::money::Currency;
use crate::recurring::Annual;
use crate::revenue::{GroupKey, Question, Refusal, SettingError};
use crate::state::run_rate::{RunRateRules, first_paying};
use crate::time::{Day, Instant};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How one client buys.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RfmRow {
    /// The client.
    pub client: ClientId,
    /// Its group at its first purchase; null without `group_by`.
    pub key: GroupKey,
    /// Days with a purchase after the first such day: x.
    pub frequency: u32,
    /// Days from the first purchase to the last; 0 without a repeat: t_x.
    pub recency_days: u32,
    /// Days from the first purchase to the end of the calibration: T.
    pub age_days: u32,
    /// The mean value of a repeat day; null without one.
    pub value: Option<f64>,
    /// The day of the first purchase.
    pub first: Day,
    /// Days with a purchase after the calibration, up to the instant of the question; null where the calibration ends there.
    pub holdout_frequency: Option<u32>,
}

impl RfmRow {
    /// The row as the models take it, in weeks.
    pub fn in_weeks(&self) -> Rfm {
        Rfm {
            frequency: self.frequency,
            recency: f64::from(self.recency_days) / 7.0,
            age: f64::from(self.age_days) / 7.0,
            value: self.value,
        }
    }
}

/// How the clients of a book buy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RfmSummary {
    /// The instant of the question.
    pub as_of: Instant,
    /// The end of the calibration.
    pub calibration_end: Instant,
    /// The currency of all values; null where nothing was bought.
    pub currency: Option<Currency>,
    /// The settings of the question.
    pub settings: LifetimeOptions,
    /// Clients with a purchase that also pay, or paid, by subscription; in no figure.
    pub left_out: u64,
    /// Each client with a purchase by the end of the calibration, in order of ids.
    pub clients: Vec<RfmRow>,
}

/// The purchases of one client.
#[derive(Default)]
struct Purchases {
    /// What was bought on each day, in units of 10^-12.
    days: BTreeMap<Day, i128>,
    first: Option<Instant>,
}

/// The summaries of the clients of a question.
pub(crate) fn rfm(question: &Question<'_>, options: &LifetimeOptions) -> Result<RfmSummary, Refusal> {
    let (zone, as_of) = (question.zone, question.as_of);
    let calibration_end = options.calibration_end.map_or(as_of, |end| end.instant(zone)).min(as_of);
    let last_day = zone.day(calibration_end);
    let shared = question.shared()?;
    let stated = options.purchase_group()?;
    let mut currencies = BTreeSet::new();
    let (mut left_out, mut clients) = (0, Vec::new());
    for client in question.clients(&shared) {
        let billing = &client.state.billing;
        let mut purchases = Purchases::default();
        for entry in billing.more.charges.values().filter_map(|charges| charges.at(as_of)) {
            let (at, payment) = (entry.at(), &entry.value);
            if options.revenue.only_currency.is_some_and(|only| only != payment.currency) {
                continue;
            }
            let (currency, amount) =
                question.valued(&shared, Annual::of_amount(payment.amount), payment.currency, at)?;
            currencies.insert(currency);
            *purchases.days.entry(zone.day(at)).or_default() += amount.picos();
            purchases.first = purchases.first.into_iter().chain([at]).min();
        }
        let Some((first, first_at)) = purchases.days.keys().next().copied().zip(purchases.first) else {
            continue;
        };
        if first > last_day {
            continue;
        }
        if first_paying(billing, as_of, &RunRateRules::default(), zone).is_some() {
            left_out += 1;
            continue;
        }
        let key = stated.map_or(GroupKey::None, |stated| stated.key(&client.state.profile, first_at));
        let holdout =
            (calibration_end < as_of).then(|| count(purchases.days.range(last_day.plus(1)..).count()));
        let repeats = purchases.days.range(first..=last_day).skip(1);
        let (frequency, sum, last) =
            repeats.fold((0_u32, 0_i128, first), |(n, sum, _), (day, amount)| (n + 1, sum + amount, *day));
        clients.push(RfmRow {
            client: client.id.clone(),
            key,
            frequency,
            recency_days: days(first, last),
            age_days: days(first, last_day),
            value: (frequency > 0).then(|| Annual::from_picos(sum).to_f64() / f64::from(frequency)),
            first,
            holdout_frequency: holdout,
        });
    }
    if currencies.len() > 1 {
        let found = currencies.iter().map(Currency::to_string).collect::<Vec<_>>().join(", ");
        let expected = "a reporting currency with rates, or `only_currency`, where clients buy in several";
        return Err(Refusal::Setting(SettingError::new("currency", expected, &found)));
    }
    let currency = currencies.first().copied();
    Ok(RfmSummary { as_of, calibration_end, currency, settings: options.resolved(as_of), left_out, clients })
}

fn days(from: Day, to: Day) -> u32 {
    u32::try_from(to.days_since(from)).unwrap_or_default()
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

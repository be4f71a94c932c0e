//! What clients are worth, by every method of the field, in one shape: per client, per group and for the book.
//!
//! | file | what it knows |
//! |---|---|
//! | `options` | the methods and their settings |
//! | `simple` | the figures of one period, as if they held for ever |
//! | `contract` | shifted beta-geometric and beta discrete Weibull: renewals still to come of clients under contract |
//! | `purchases` | buy-till-you-die models with Gamma-Gamma: purchases still to come of clients without a contract |
//!
//! What was really paid is exact and stands in `revenue`: nothing here is more than an expectation.

mod options;
mod simple;
mod contract;
mod purchases;

pub use options::{LtvHorizon, LtvMethod, LtvOptions, Payments};
pub use simple::{SimpleGroup, SimpleLtv, SimpleValue};

pub(crate) use contract::contract;
pub(crate) use purchases::purchases;
pub(crate) use simple::simple;

use super::fit::FitReport;
use super::simple::NoLtv;
use crate::id::ClientId;
use crate::money::Currency;
use crate::revenue::{GroupKey, Margin, ObservedLtv};
use crate::time::Instant;
use serde::Serialize;
use std::collections::BTreeMap;

/// What clients are worth, by one of the methods.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Ltv {
    /// From the figures of one period.
    Simple(Box<SimpleLtv>),
    /// From what was paid.
    Observed(ObservedLtv),
    /// From a fitted model.
    Model(Box<ModelLtv>),
}

/// What clients are expected to be worth from an instant on, by a fitted model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelLtv {
    /// The model.
    pub method: LtvMethod,
    /// `months`, or `unbounded`: for as long as clients stay.
    pub horizon: &'static str,
    /// How many months; null where it is unbounded.
    pub horizon_months: Option<u32>,
    /// `margin`: what is left after the cost of serving. `revenue` where the margin is 1: all that is paid.
    pub basis: &'static str,
    /// The share of revenue that counts.
    pub margin: Margin,
    /// By how much money is worth less a year ahead.
    pub annual_discount: f64,
    /// The instant of the question: what was paid before counts for nothing here.
    pub as_of: Instant,
    /// The settings of the question.
    pub settings: LtvOptions,
    /// The fitted models: one of behaviour, and of purchases one of values; with `group_by` for each group that has enough.
    pub models: Vec<LtvModel>,
    /// The book, a row for each currency.
    pub values: Vec<LtvValue>,
    /// With `group_by`: each group, in order of keys, null last, and currencies.
    pub groups: Option<Vec<LtvGroup>>,
    /// Purchases, without `group_by`: the chance that a client is still there, over what there could be of histories.
    pub alive: Option<AliveMatrix>,
    /// Clients that the method is not for, in no figure: of purchases those with a contract.
    pub left_out: u64,
    /// Each client that may still bring something, in order of ids and currencies.
    pub clients: Vec<ClientLtv>,
}

/// The chance that a client is still there by how often and how lately it bought, for clients known as long as the oldest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AliveMatrix {
    /// Weeks since the first purchase of all of them.
    pub age_weeks: f64,
    /// Weeks from the first purchase to the last, rising: the columns.
    pub recency_weeks: Vec<f64>,
    /// Repeat purchases, rising: the rows.
    pub frequency: Vec<u32>,
    /// A row for each frequency; null where there is no such history: no repeat, and yet a later purchase, or the other way.
    pub p_alive: Vec<Vec<Option<f64>>>,
}

/// A fitted model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LtvModel {
    /// The group it was fitted to; null without `group_by`, and for the group of no value.
    pub key: GroupKey,
    /// The unit of time of its parameters: `week`, or the interval of renewals.
    pub unit: &'static str,
    /// What was found.
    #[serde(flatten)]
    pub fit: FitReport,
    /// Under contract: how many stay, renewal by renewal, up to the horizon and at least as far as any was seen and 12; at most
    /// 120.
    pub curve: Option<Vec<RetentionPoint>>,
    /// Purchases: what to expect of a client that buys for the first time now.
    pub new_client: Option<NewBuyer>,
}

/// Clients under contract that have made so many renewals: what was seen of them, and what the model says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RetentionPoint {
    /// Renewals made; 0 as a contract begins.
    pub renewals: u32,
    /// Clients that were seen to make the last of these renewals or not; 0 where none was seen.
    pub due: u64,
    /// Of them, those that made it.
    pub renewed: u64,
    /// The share of those that begin that gets here: S.
    pub survival: f64,
    /// Of those with one renewal fewer, the share that makes this one; null at 0.
    pub retention: Option<f64>,
    /// Renewals to expect from here within the horizon, the last payment just made; null where there is no end to them.
    pub expected: Option<f64>,
    /// The same, each discounted to now: discounted expected residual lifetime (DERL), in renewals.
    pub discounted: Option<f64>,
}

/// What a model of purchases says of a client that buys for the first time now and of whom nothing is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewBuyer {
    /// How many months it looks ahead.
    pub months: u32,
    /// Repeat purchases to expect by the end of each of these months, from the first month on.
    pub expected: Vec<f64>,
    /// The chances of 0, 1, 2 and so on up to 20 repeat purchases by the end of the last.
    pub chances: Vec<f64>,
}

/// What some clients are worth in one currency.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LtvValue {
    /// The currency; null where nothing is paid.
    pub currency: Option<Currency>,
    /// Clients with a value.
    pub clients: u64,
    /// The mean value of a client.
    pub value: Option<f64>,
    /// Their values together.
    pub total: Option<f64>,
    /// What a client that begins now is worth, its first payment included: what may be spent on winning it is below this.
    pub value_of_new: Option<f64>,
    /// Why there is no value.
    pub why: Option<NoLtv>,
}

/// The clients of one group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LtvGroup {
    /// The group; null for none.
    pub key: GroupKey,
    /// The figures.
    #[serde(flatten)]
    pub value: LtvValue,
}

/// What one client is worth in one currency.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClientLtv {
    /// The client.
    pub client: ClientId,
    /// Its group; null without `group_by`.
    pub key: GroupKey,
    /// By which method.
    pub method: LtvMethod,
    /// Over which time: `months`, `unbounded`.
    pub horizon: &'static str,
    /// How many months.
    pub horizon_months: Option<u32>,
    /// The currency; null where no purchase says one.
    pub currency: Option<Currency>,
    /// The value; null where there is none.
    pub value: Option<f64>,
    /// Why there is none.
    pub why: Option<NoLtv>,
    /// Under contract: what it pays a month now.
    pub mrr: Option<f64>,
    /// Under contract: renewals it has made.
    pub renewals: Option<u32>,
    /// Purchases: repeats so far.
    pub frequency: Option<u32>,
    /// Purchases: weeks from its first to its last.
    pub recency_weeks: Option<f64>,
    /// Purchases: weeks since its first.
    pub age_weeks: Option<f64>,
    /// Purchases: the chance that it is still there.
    pub p_alive: Option<f64>,
    /// Renewals or purchases to expect within the horizon, not discounted; null where there is no end to them.
    pub expected: Option<f64>,
    /// The same, each discounted to now (of contracts DERL, discounted expected residual lifetime in renewals; of purchases DERT,
    /// discounted expected residual transactions); null where there is no end to them.
    pub discounted: Option<f64>,
    /// Purchases: what the next one is expected to bring.
    pub purchase_value: Option<f64>,
}

impl ClientLtv {
    /// A row without figures.
    fn new(client: &ClientId, key: &GroupKey, settings: &LtvOptions, currency: Option<Currency>) -> Self {
        let (horizon, horizon_months) = settings.horizon();
        Self {
            client: client.clone(),
            key: key.clone(),
            method: settings.method,
            horizon,
            horizon_months,
            currency,
            value: None,
            why: None,
            mrr: None,
            renewals: None,
            frequency: None,
            recency_weeks: None,
            age_weeks: None,
            p_alive: None,
            expected: None,
            discounted: None,
            purchase_value: None,
        }
    }
}

/// Sums over clients, and what a new one is worth.
#[derive(Default)]
struct Tally {
    clients: u64,
    total: f64,
    why: Option<NoLtv>,
}

impl Tally {
    fn add(&mut self, row: &ClientLtv) {
        match row.value {
            Some(value) => {
                self.clients += 1;
                self.total += value;
            }
            None => self.why = self.why.or(row.why),
        }
    }

    fn value(&self, currency: Option<Currency>, value_of_new: Option<f64>) -> LtvValue {
        let any = self.clients > 0;
        LtvValue {
            currency,
            clients: self.clients,
            value: any.then(|| self.total / count(self.clients)),
            total: any.then_some(self.total),
            value_of_new,
            why: if any { None } else { self.why.or(Some(NoLtv::NobodyPays)) },
        }
    }
}

/// What new clients are worth, by group and currency.
type New = BTreeMap<(GroupKey, Option<Currency>), f64>;

/// The rows of the book and of its groups from those of its clients.
fn sum_up(clients: &[ClientLtv], new: &New, grouped: bool) -> (Vec<LtvValue>, Option<Vec<LtvGroup>>) {
    let mut book: BTreeMap<Option<Currency>, Tally> = BTreeMap::new();
    let mut groups: BTreeMap<(&GroupKey, Option<Currency>), Tally> = BTreeMap::new();
    for row in clients {
        book.entry(row.currency).or_default().add(row);
        groups.entry((&row.key, row.currency)).or_default().add(row);
    }
    let of_new = |key: &GroupKey, currency| new.get(&(key.clone(), currency)).copied();
    // A new client belongs to some group: of a grouped book there is none of no group.
    let values = book.iter().map(|(currency, tally)| {
        tally.value(*currency, of_new(&GroupKey::None, *currency).filter(|_| !grouped))
    });
    let rows = groups.iter().map(|((key, currency), tally)| LtvGroup {
        key: (*key).clone(),
        value: tally.value(*currency, of_new(key, *currency)),
    });
    (values.collect(), grouped.then(|| rows.collect()))
}

#[expect(clippy::cast_precision_loss, reason = "numbers of clients are far below 2^53")]
fn count(n: u64) -> f64 {
    n as f64
}

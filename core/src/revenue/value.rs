//! Observed lifetime value: what clients really paid, less what was paid back, down to the events.

use super::group::{GroupKey, Stated};
use super::{Question, Refusal, SettingError};
use crate::id::{ClientId, EventRef};
use crate::money::{Amount, Currency};
use crate::quantity::{MICRO, div_half_even, parse_scaled, scaled_to_f64, write_scaled};
use crate::recurring::Annual;
use crate::state::billing::{BillingState, InvoiceAt, InvoiceChange};
use crate::time::Instant;
use crate::timeline::Stamp;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// The share of revenue that is left after the cost of serving it: 0.8 for 80 %. It may be below 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Margin(i128);

impl Margin {
    /// All of it.
    pub const WHOLE: Self = Self(MICRO);

    pub(crate) fn to_f64(self) -> f64 {
        scaled_to_f64(self.0, 6)
    }

    /// The share of a sum.
    fn of(self, sum: Annual) -> TotalAmount {
        TotalAmount(div_half_even(sum.picos() * self.0, MICRO * MICRO))
    }
}

impl std::str::FromStr for Margin {
    type Err = super::SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "a share from -1 to 1 with at most 6 fractional digits";
        let units = parse_scaled(text, 6, MICRO).ok().filter(|units| units.abs() <= MICRO);
        units.map(Self).ok_or_else(|| super::SettingError::new("margin", expected, text))
    }
}

impl fmt::Display for Margin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, 6)
    }
}

impl Serialize for Margin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A sum of amounts of one currency: exact, 6 fractional digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TotalAmount(i128);

impl TotalAmount {
    /// The value in units of 10^-6.
    pub fn micros(self) -> i128 {
        self.0
    }

    /// An exact sum, rounded half to even to 6 digits: it has more only where it was converted.
    fn of(sum: Annual) -> Self {
        Self(div_half_even(sum.picos(), MICRO))
    }

    pub(super) fn add(&mut self, amount: Amount) {
        self.0 += amount.micros();
    }
}

impl std::ops::AddAssign for TotalAmount {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl fmt::Display for TotalAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, 6)
    }
}

impl Serialize for TotalAmount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What was really paid, less what was paid back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObservedLtv {
    /// `observed`.
    pub method: &'static str,
    /// `to_date`: it looks back and promises nothing.
    pub horizon: &'static str,
    /// `margin`: what was left after the cost of serving. `revenue` where the margin is 1: all that was paid.
    pub basis: &'static str,
    /// The share of revenue that counts.
    pub margin: Margin,
    /// The instant of the question.
    pub as_of: Instant,
    /// The whole book, by currency.
    pub total: BTreeMap<Currency, TotalAmount>,
    /// With `group_by` (owner, managed, segment, tag, attribute:KEY): each group as of the instant, in order of keys, null last,
    /// and currencies.
    pub groups: Option<Vec<ObservedGroup>>,
    /// Each client that ever paid or was paid back, in order of ids and currencies.
    pub clients: Vec<ObservedValue>,
}

/// What the clients of one group have paid in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObservedGroup {
    /// The group; null for none.
    pub key: GroupKey,
    /// The currency.
    pub currency: Currency,
    /// Clients that ever paid or were paid back.
    pub clients: u64,
    /// Their value together.
    pub value: TotalAmount,
}

/// What one client has paid in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObservedValue {
    /// The client.
    pub client: ClientId,
    /// By which method: `observed`.
    pub method: &'static str,
    /// Over which time: `to_date`.
    pub horizon: &'static str,
    /// The currency.
    pub currency: Currency,
    /// Paid invoices + charges - refunds.
    pub received: TotalAmount,
    /// The same times the margin, rounded half to even to 6 digits.
    pub value: TotalAmount,
    /// On request: each payment, in order of time.
    pub payments: Option<Vec<Payment>>,
}

/// What a payment was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PaidBy {
    /// An invoice that was paid.
    Invoice,
    /// A one-off purchase.
    Charge,
    /// Money paid back.
    Refund,
}

/// One payment, with the events behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Payment {
    /// When it was made.
    pub at: Instant,
    /// What it was for.
    pub kind: PaidBy,
    /// The id of the invoice, charge or refund.
    pub id: String,
    /// The amount; below 0 for a refund.
    pub amount: TotalAmount,
    /// The events that say so.
    pub events: Vec<EventRef>,
}

/// What every client of a question has paid by its instant: in the reporting currency each payment at the rate of its own
/// time.
pub(crate) fn observed(
    question: &Question<'_>,
    margin: Margin,
    with_payments: bool,
) -> Result<ObservedLtv, Refusal> {
    let shared = question.shared()?;
    let as_of = question.as_of;
    let mut total: BTreeMap<Currency, TotalAmount> = BTreeMap::new();
    let stated = match &question.options.group_by {
        None => None,
        Some(by) => {
            let expected = "owner, managed, segment, tag or attribute:KEY for what was paid";
            let fault = || Refusal::Setting(SettingError::new("group_by", expected, &by.to_string()));
            Some(Stated::of(by).ok_or_else(fault)?)
        }
    };
    let mut groups: BTreeMap<(GroupKey, Currency), (u64, TotalAmount)> = BTreeMap::new();
    let mut clients = Vec::new();
    for client in question.clients(&shared) {
        let key = stated.map(|stated| stated.key(&client.state.profile, as_of));
        let mut sums: BTreeMap<Currency, (Annual, Vec<Payment>)> = BTreeMap::new();
        for paid in paid(&client.state.billing, as_of) {
            if question.options.only_currency.is_some_and(|only| only != paid.currency) {
                continue;
            }
            let amount = Annual::of_amount(paid.amount);
            let amount = if paid.kind == PaidBy::Refund { -amount } else { amount };
            let (currency, amount) = question.valued(&shared, amount, paid.currency, paid.at)?;
            let (sum, payments) = sums.entry(currency).or_default();
            *sum += amount;
            if with_payments {
                payments.push(paid.shown(amount));
            }
        }
        for (currency, (sum, mut payments)) in sums {
            payments.sort_unstable();
            let value = margin.of(sum);
            *total.entry(currency).or_default() += value;
            if let Some(key) = &key {
                let (heads, sum) = groups.entry((key.clone(), currency)).or_default();
                *heads += 1;
                *sum += value;
            }
            clients.push(ObservedValue {
                client: client.id.clone(),
                method: "observed",
                horizon: "to_date",
                currency,
                received: TotalAmount::of(sum),
                value,
                payments: with_payments.then_some(payments),
            });
        }
    }
    let basis = if margin == Margin::WHOLE { "revenue" } else { "margin" };
    let group = |((key, currency), (clients, value))| ObservedGroup { key, currency, clients, value };
    let groups = stated.is_some().then(|| groups.into_iter().map(group).collect());
    Ok(ObservedLtv { method: "observed", horizon: "to_date", basis, margin, as_of, total, groups, clients })
}

/// One payment as the state holds it.
struct Paid<'s> {
    at: Instant,
    kind: PaidBy,
    id: &'s str,
    amount: Amount,
    currency: Currency,
    stamps: Vec<&'s Stamp>,
}

impl Paid<'_> {
    fn shown(&self, amount: Annual) -> Payment {
        Payment {
            at: self.at,
            kind: self.kind,
            id: self.id.to_owned(),
            amount: TotalAmount::of(amount),
            events: self.stamps.iter().map(|stamp| stamp.event()).collect(),
        }
    }
}

/// Paid invoices that were not voided, charges and refunds.
fn paid(billing: &BillingState, as_of: Instant) -> impl Iterator<Item = Paid<'_>> {
    let invoices = billing.invoices.iter().filter_map(move |(id, changes)| {
        let invoice = InvoiceAt::of(changes, as_of).filter(|invoice| invoice.paid && !invoice.voided)?;
        let entries = changes.up_to(as_of);
        let first = entries.iter().find(|entry| entry.value == InvoiceChange::Paid)?;
        let issued = entries.iter().rfind(|entry| matches!(entry.value, InvoiceChange::Issued { .. }))?;
        Some(Paid {
            at: first.at(),
            kind: PaidBy::Invoice,
            id: id.as_str(),
            amount: invoice.amount,
            currency: invoice.currency,
            stamps: vec![&issued.stamp, &first.stamp],
        })
    });
    let charges = billing.more.charges.iter().filter_map(move |(id, entries)| {
        let entry = entries.at(as_of)?;
        let (amount, currency) = (entry.value.amount, entry.value.currency);
        let (at, stamps) = (entry.at(), vec![&entry.stamp]);
        Some(Paid { at, kind: PaidBy::Charge, id: id.as_str(), amount, currency, stamps })
    });
    let refunds = billing.more.refunds.iter().filter_map(move |(id, entries)| {
        let entry = entries.at(as_of)?;
        let (amount, currency) = (entry.value.amount, entry.value.currency);
        let (at, stamps) = (entry.at(), vec![&entry.stamp]);
        Some(Paid { at, kind: PaidBy::Refund, id: id.as_str(), amount, currency, stamps })
    });
    invoices.chain(charges).chain(refunds)
}

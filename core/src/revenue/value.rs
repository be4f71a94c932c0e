//! Lifetime value in its two plain forms: what this month's figures would be worth for ever, and what was really paid.

use super::report::RevenueReport;
use crate::book::Book;
use crate::id::ClientId;
use crate::money::{Amount, Currency};
use crate::period::Period;
use crate::quantity::{MICRO, parse_scaled, scaled_to_f64, write_scaled};
use crate::rate::{HeadRate, PerHead};
use crate::state::billing::{BillingState, InvoiceAt};
use crate::time::Instant;
use crate::zone::Zone;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// The share of revenue that is left after the cost of serving it: 0.8 for 80 %. It may be below 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Margin(i128);

impl Margin {
    /// All of it.
    pub const WHOLE: Self = Self(MICRO);
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

/// The simple lifetime value of the book: ARPA x margin / monthly logo churn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimpleLtv {
    /// `simple`.
    pub method: &'static str,
    /// `unbounded`: as if the period's figures held for ever.
    pub horizon: &'static str,
    /// `margin`: what is left after the cost of serving, fit to be set against the cost of winning a client. `revenue`
    /// where the margin is 1: all that is paid.
    pub basis: &'static str,
    /// The share of revenue that counts.
    pub margin: Margin,
    /// The period the figures are from.
    pub period: super::ReportPeriod,
    /// The settings of the question; `base` says what churn is a share of.
    pub settings: super::RevenueOptions,
    /// One for each currency, or the reporting one.
    pub values: Vec<SimpleValue>,
}

/// The simple lifetime value in one currency.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimpleValue {
    /// The currency; null where nothing is paid.
    pub currency: Option<Currency>,
    /// MRR per paying client at closing.
    pub arpa: PerHead,
    /// The share of clients that left in the period.
    pub logo_churn: HeadRate,
    /// The same a month: as it is for a calendar month, else rescaled by the days of the period.
    pub monthly_churn: Option<f64>,
    /// What a client is worth; null where nobody churned, for a quiet month makes nobody immortal.
    pub value: Option<f64>,
}

/// The simple value from a report of a period.
pub(crate) fn simple(report: RevenueReport, margin: Margin, zone: &Zone) -> SimpleLtv {
    let (start, end) = (report.period.start, report.period.end);
    let first = zone.day(start);
    let is_month = Period::month(first.month(), zone) == Period { start, end };
    let days = f64::from(zone.day(end).days_since(first));
    let values = report
        .rows()
        .map(|(currency, row)| {
            let churn = row.logo_churn;
            let monthly = if is_month { churn } else { churn.rescaled(days, DAYS_IN_A_MONTH) };
            let lost = monthly.value.filter(|_| churn.part > 0);
            let value = row.arpa.worth(scaled_to_f64(margin.0, 6), lost);
            SimpleValue { currency, arpa: row.arpa, logo_churn: churn, monthly_churn: monthly.value, value }
        })
        .collect();
    SimpleLtv {
        method: "simple",
        horizon: "unbounded",
        basis: if margin == Margin::WHOLE { "revenue" } else { "margin" },
        margin,
        period: report.period,
        settings: report.settings,
        values,
    }
}

/// 365 / 12.
const DAYS_IN_A_MONTH: f64 = 30.416_666_666_666_668;

/// A sum of amounts of one currency: exact, 6 fractional digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TotalAmount(i128);

impl TotalAmount {
    /// The value in units of 10^-6.
    pub fn micros(self) -> i128 {
        self.0
    }

    pub(super) fn add(&mut self, amount: Amount) {
        self.0 += amount.micros();
    }

    fn subtract(&mut self, amount: Amount) {
        self.0 -= amount.micros();
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
    /// `revenue`: no margin is taken off.
    pub basis: &'static str,
    /// The instant of the question.
    pub as_of: Instant,
    /// The whole book, by currency.
    pub total: BTreeMap<Currency, TotalAmount>,
    /// Each client that ever paid or was paid back, in order of ids and currencies.
    pub clients: Vec<ObservedValue>,
}

/// What one client has paid in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObservedValue {
    /// The client.
    pub client: ClientId,
    /// The currency.
    pub currency: Currency,
    /// Paid invoices + charges - refunds.
    pub value: TotalAmount,
}

/// What every client of a book has paid by an instant.
pub(crate) fn observed(book: &Book, as_of: Instant) -> ObservedLtv {
    let mut total: BTreeMap<Currency, TotalAmount> = BTreeMap::new();
    let mut clients = Vec::new();
    for client in book.all() {
        for (currency, value) in paid(&client.state.billing, as_of) {
            *total.entry(currency).or_default() += value;
            clients.push(ObservedValue { client: client.id.clone(), currency, value });
        }
    }
    ObservedLtv { method: "observed", horizon: "to_date", basis: "revenue", as_of, total, clients }
}

/// Paid invoices that were not voided, and charges, less refunds.
fn paid(billing: &BillingState, as_of: Instant) -> BTreeMap<Currency, TotalAmount> {
    let mut sums: BTreeMap<Currency, TotalAmount> = BTreeMap::new();
    for invoice in billing.invoices.values().filter_map(|changes| InvoiceAt::of(changes, as_of)) {
        if invoice.paid && !invoice.voided {
            sums.entry(invoice.currency).or_default().add(invoice.amount);
        }
    }
    for charge in billing.charges.values().filter_map(|entries| entries.value_at(as_of)) {
        sums.entry(charge.currency).or_default().add(charge.amount);
    }
    for refund in billing.refunds.values().filter_map(|entries| entries.value_at(as_of)) {
        sums.entry(refund.currency).or_default().subtract(refund.amount);
    }
    sums
}

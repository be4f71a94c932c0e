//! Cash beside run-rate: what was invoiced, paid, refunded and is overdue. Never mixed into MRR.

use super::movement::Span;
use super::report::ReportPeriod;
use super::value::TotalAmount;
use crate::book::Book;
use crate::event::Moment;
use crate::id::{ClientId, InvoiceId};
use crate::money::Currency;
use crate::period::Period;
use crate::rate::HeadRate;
use crate::state::billing::{BillingState, InvoiceAt, InvoiceChange};
use crate::time::Instant;
use crate::timeline::{Entry, Timeline};
use crate::zone::Zone;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Invoices that are not paid at the end of a period, by how many days they are past due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ageing {
    /// Not yet due: a due date is payable throughout its day.
    pub current: TotalAmount,
    /// 1 to 30 days past due.
    pub days_1_30: TotalAmount,
    /// 31 to 60 days.
    pub days_31_60: TotalAmount,
    /// 61 to 90 days.
    pub days_61_90: TotalAmount,
    /// More than 90 days.
    pub over_90: TotalAmount,
}

/// The cash of one client, or of the book, in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CashLines {
    /// Invoices first issued in the period and not voided, as they stand at its end; credit notes count below 0.
    pub invoiced: TotalAmount,
    /// Invoices first paid in the period and not voided.
    pub paid: TotalAmount,
    /// One-off purchases of the period.
    pub charged: TotalAmount,
    /// Paid back in the period.
    pub refunded: TotalAmount,
    /// Unpaid and past due at the end of the period.
    pub overdue: TotalAmount,
    /// All that is unpaid at the end of the period, by age.
    pub ageing: Ageing,
}

/// The cash of one client in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CashRow {
    /// The client.
    pub client: ClientId,
    /// The currency.
    pub currency: Currency,
    /// The figures.
    #[serde(flatten)]
    pub lines: CashLines,
}

/// What became of invoices with a failed payment in the period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Recovery {
    /// Invoices with a failed payment.
    pub failed: u64,
    /// Of them, paid by the end of the period.
    pub recovered: u64,
    /// recovered / failed.
    pub rate: HeadRate,
}

/// Cash of a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cash {
    /// The period.
    pub period: ReportPeriod,
    /// The instant of the question.
    pub as_of: Instant,
    /// The whole book, by currency.
    pub total: BTreeMap<Currency, CashLines>,
    /// Recovery of failed payments, by invoice.
    pub recovery: Recovery,
    /// A row for each client and currency with anything to tell, in order of both.
    pub clients: Vec<CashRow>,
}

/// The cash of a period as of an instant.
pub(crate) fn cash(book: &Book, period: Period, as_of: Instant, zone: &Zone) -> Cash {
    let span = Span::new(period, as_of);
    let mut answer = Cash {
        period: ReportPeriod { start: period.start, end: period.end, partial: span.is_partial() },
        as_of,
        total: BTreeMap::new(),
        recovery: Recovery::default(),
        clients: Vec::new(),
    };
    for client in book.all() {
        let billing = &client.state.billing;
        for (currency, lines) in lines(billing, &span, as_of, zone) {
            answer.total.entry(currency).or_default().add(&lines);
            if lines != CashLines::default() {
                answer.clients.push(CashRow { client: client.id.clone(), currency, lines });
            }
        }
        let (failed, recovered) = recovery(billing, &span);
        answer.recovery.failed += failed;
        answer.recovery.recovered += recovered;
    }
    answer.recovery.rate = HeadRate::new(answer.recovery.recovered, answer.recovery.failed);
    answer
}

/// What is known as of the question is in one period each: a charge or refund that was stated again in that of its last word, and
/// a payment in that of its own instant, also where its invoice came behind it.
fn lines(billing: &BillingState, span: &Span, as_of: Instant, zone: &Zone) -> BTreeMap<Currency, CashLines> {
    let inside = |at: Instant| span.period.start <= at && at <= span.closing;
    let mut sums: BTreeMap<Currency, CashLines> = BTreeMap::new();
    for changes in billing.invoices.values() {
        let is_paid_inside =
            first(changes, |change| matches!(change, InvoiceChange::Paid)).is_some_and(inside);
        let Some(invoice) = InvoiceAt::of(changes, span.closing) else {
            let later = InvoiceAt::of(changes, as_of).filter(|invoice| is_paid_inside && !invoice.voided);
            if let Some(invoice) = later {
                sums.entry(invoice.currency).or_default().paid.add(invoice.amount);
            }
            continue;
        };
        if invoice.voided {
            continue;
        }
        let lines = sums.entry(invoice.currency).or_default();
        let issued = first(changes, |change| matches!(change, InvoiceChange::Issued { .. }));
        if issued.is_some_and(inside) {
            lines.invoiced.add(invoice.amount);
        }
        if is_paid_inside {
            lines.paid.add(invoice.amount);
        }
        if !invoice.paid && !invoice.amount.is_negative() {
            let late = days_late(invoice.due, span.closing, zone);
            let ageing = &mut lines.ageing;
            let bucket = match late {
                ..=0 => &mut ageing.current,
                1..=30 => &mut ageing.days_1_30,
                31..=60 => &mut ageing.days_31_60,
                61..=90 => &mut ageing.days_61_90,
                91.. => &mut ageing.over_90,
            };
            bucket.add(invoice.amount);
            if late > 0 {
                lines.overdue.add(invoice.amount);
            }
        }
    }
    for charge in billing.more.charges.values().filter_map(|entries| entries.at(as_of)) {
        if inside(charge.at()) {
            sums.entry(charge.value.currency).or_default().charged.add(charge.value.amount);
        }
    }
    for refund in billing.more.refunds.values().filter_map(|entries| entries.at(as_of)) {
        if inside(refund.at()) {
            sums.entry(refund.value.currency).or_default().refunded.add(refund.value.amount);
        }
    }
    sums
}

fn first(changes: &Timeline<InvoiceChange>, of: impl Fn(&InvoiceChange) -> bool) -> Option<Instant> {
    changes.entries().iter().find(|entry| of(&entry.value)).map(Entry::at)
}

fn days_late(due: Moment, at: Instant, zone: &Zone) -> i32 {
    match due {
        Moment::On(day) => zone.day(at).days_since(day),
        Moment::At(instant) => zone.day(at).days_since(zone.day(instant)),
        Moment::Never => 0,
    }
}

/// How many invoices had a failed payment inside, and how many of them are paid at its end and not voided.
fn recovery(billing: &BillingState, span: &Span) -> (u64, u64) {
    let failures = billing.more.failed.up_to(span.closing).iter();
    let inside = failures.filter(|entry| entry.at() >= span.period.start);
    let invoices: BTreeSet<&InvoiceId> = inside.filter_map(|entry| entry.value.invoice.as_ref()).collect();
    let is_paid = |id: &&&InvoiceId| {
        let invoice = billing.invoices.get(id.as_str());
        let invoice = invoice.and_then(|changes| InvoiceAt::of(changes, span.closing));
        invoice.is_some_and(|invoice| invoice.paid && !invoice.voided)
    };
    (invoices.len() as u64, invoices.iter().filter(is_paid).count() as u64)
}

impl CashLines {
    fn add(&mut self, other: &Self) {
        let Self { invoiced, paid, charged, refunded, overdue, ageing } = other;
        let Ageing { current, days_1_30, days_31_60, days_61_90, over_90 } = ageing;
        for (ours, theirs) in [
            (&mut self.invoiced, invoiced),
            (&mut self.paid, paid),
            (&mut self.charged, charged),
            (&mut self.refunded, refunded),
            (&mut self.overdue, overdue),
            (&mut self.ageing.current, current),
            (&mut self.ageing.days_1_30, days_1_30),
            (&mut self.ageing.days_31_60, days_31_60),
            (&mut self.ageing.days_61_90, days_61_90),
            (&mut self.ageing.over_90, over_90),
        ] {
            *ours += *theirs;
        }
    }
}

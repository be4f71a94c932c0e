//! Invoices and how they are paid: in time, late, after a failed card, by instalments, or never.

use super::calendar::{DAY, Day, HOUR, MINUTE, Moment};
use super::client::{Client, Habit};
use super::deck::{Segment, Story};
use super::dice::Dice;
use super::plot::UNPAID_BEFORE_END;
use super::sheet::{Fields, Sheet, Source};
use super::terms::{Contract, Interval, Terms};

/// Invoices older than this many days before the book are left out.
const HISTORY: Day = 45;

const CARD_FAILURES: [&str; 3] = ["card_declined", "insufficient_funds", "expired_card"];

struct Invoice {
    id: String,
    cents: i64,
    issued: Moment,
    due: Day,
}

/// Writes the invoices of all contracts and their payments.
pub(super) fn write_invoices(client: &Client, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let mut count = 0;
    for contract in &client.contracts {
        for (day, terms) in invoice_days(contract, sheet) {
            count += 1;
            let mut invoice = Invoice {
                id: format!("inv-{:03}-{count:02}", client.number),
                cents: terms.amount(),
                // The evening run bills what was agreed that day.
                issued: day * DAY + dice.between(19 * 60, 20 * 60) * MINUTE,
                due: day + days_to_pay(client),
            };
            issue(client, &invoice, sheet);
            if dice.chance(6) {
                // Issued with a wrong address: voided and issued again.
                sheet.write(
                    Source::Billing,
                    "billing.invoice_voided",
                    invoice.issued + 26 * HOUR,
                    &named(&invoice),
                );
                count += 1;
                invoice.id = format!("inv-{:03}-{count:02}", client.number);
                invoice.issued += 27 * HOUR;
                issue(client, &invoice, sheet);
            }
            settle(client, &invoice, (day, &terms), sheet, dice);
        }
    }
}

/// The days on which a contract is invoiced, with the terms that stand then.
fn invoice_days(contract: &Contract, sheet: &Sheet<'_>) -> Vec<(Day, Terms)> {
    let mut days: Vec<(Day, Terms)> = Vec::new();
    let mut anchor = None;
    for (_, terms) in &contract.terms {
        if anchor == Some(terms.anchor) {
            continue;
        }
        anchor = Some(terms.anchor);
        for period in 0..1200 {
            let day = sheet.calendar.add_months(terms.anchor, period * terms.interval.months());
            let Some(now) = contract.on(day).filter(|now| now.anchor == terms.anchor) else {
                break;
            };
            if day >= sheet.calendar.days() {
                break;
            }
            if day >= -HISTORY && now.paid_on(day) {
                days.push((day, now.clone()));
            }
        }
    }
    days
}

fn days_to_pay(client: &Client) -> i64 {
    match (client.habit, client.card.segment) {
        (Habit::Card, _) => 7,
        (_, Segment::Enterprise) => 30,
        _ => 14,
    }
}

fn issue(client: &Client, invoice: &Invoice, sheet: &mut Sheet<'_>) {
    let fields = Fields::new()
        .text("invoice", &invoice.id)
        .money("amount", invoice.cents)
        .text("currency", client.currency)
        .text("due", &sheet.date(invoice.due));
    sheet.write(Source::Billing, "billing.invoice_issued", invoice.issued, &fields);
}

fn named(invoice: &Invoice) -> Fields {
    Fields::new().text("invoice", &invoice.id)
}

fn settle(
    client: &Client,
    invoice: &Invoice,
    (day, terms): (Day, &Terms),
    sheet: &mut Sheet<'_>,
    dice: &mut Dice,
) {
    if is_never_paid(client, day, sheet) {
        fail(invoice, &[1, 4, 8, 15], sheet, dice);
        return;
    }
    let is_yearly = terms.interval == Interval::Year && (0..sheet.calendar.days()).contains(&day);
    if is_yearly && client.card.story == Story::Instalments {
        agree_instalments(client, invoice, sheet, dice);
        return;
    }
    let paid = match client.habit {
        Habit::Card if dice.chance(40) => {
            let attempts: &[Day] = if dice.chance(600) { &[0] } else { &[0, 3] };
            fail(invoice, attempts, sheet, dice);
            invoice.issued + dice.between(4 * 24 * 60, 9 * 24 * 60) * MINUTE
        }
        Habit::Card => invoice.issued + dice.between(2, 110) * MINUTE,
        Habit::Transfer => transfer(invoice, 100, 18, dice),
        Habit::Slow => transfer(invoice, 450, 32, dice),
    };
    sheet.write(Source::Billing, "billing.invoice_paid", paid, &named(invoice));
    let wants_money_back = client.plot.leaves.is_some_and(|leaves| (day..day + 45).contains(&leaves));
    if dice.chance(if wants_money_back { 220 } else { 8 }) {
        let share = dice.pick(&[20, 25, 50, 100]);
        let fields = Fields::new()
            .text("refund", &format!("re-{}", invoice.id))
            .money("amount", invoice.cents * share / 100)
            .text("currency", client.currency)
            .text("invoice", &invoice.id);
        sheet.write(Source::Billing, "billing.refunded", paid + dice.between(1, 20) * DAY, &fields);
    }
}

// Paid after it is due in `late_permille` of 1000 cases, by up to `most_days`; else before.
fn transfer(invoice: &Invoice, late_permille: i64, most_days: i64, dice: &mut Dice) -> Moment {
    let day = if dice.chance(late_permille) {
        invoice.due + dice.between(1, most_days)
    } else {
        let term = invoice.due - invoice.issued.div_euclid(DAY);
        invoice.due - dice.between(0, term * 2 / 3)
    };
    // The bank's file comes at noon.
    day * DAY + 12 * HOUR + dice.between(0, 30) * MINUTE
}

fn is_never_paid(client: &Client, day: Day, sheet: &Sheet<'_>) -> bool {
    match client.card.story {
        Story::Forgot => client.plot.leaves.is_some_and(|leaves| day >= leaves - UNPAID_BEFORE_END - 2),
        story if story.needs_help() => client.card.turn % 4 != 3 && day >= sheet.calendar.days() - 60,
        _ => false,
    }
}

fn fail(invoice: &Invoice, after_days: &[Day], sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let reason = dice.pick(&CARD_FAILURES);
    for (attempt, days) in (1..).zip(after_days) {
        let at = invoice.issued + days * DAY + dice.between(1, 50) * MINUTE;
        let fields = named(invoice).plain("attempt", attempt).text("reason", reason);
        sheet.write(Source::Billing, "billing.payment_failed", at, &fields);
    }
}

fn agree_instalments(client: &Client, invoice: &Invoice, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let agreed = (invoice.due + dice.between(9, 16)) * DAY + dice.between(9 * 60, 17 * 60) * MINUTE;
    let until = invoice.due + 150;
    let fields = Fields::new()
        .text("plan_id", &format!("instalments-{:03}", client.number))
        .text("until", &sheet.calendar.instant(until * DAY));
    sheet.write(Source::Billing, "billing.payment_plan_set", agreed, &fields);
    sheet.write(Source::Billing, "billing.invoice_paid", (until - 4) * DAY + 13 * HOUR, &named(invoice));
}

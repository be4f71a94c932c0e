//! Subscriptions as billing reports them, and the agreements around them. Invoices have their own file.

use super::calendar::{DAY, Day, HOUR, MINUTE, Moment};
use super::client::Client;
use super::deck::{Segment, Story};
use super::dice::Dice;
use super::sheet::{Fields, Sheet, Source};
use super::terms::{Contract, Plan, Status, Terms};

const SUBSCRIPTION_SET: &str = "billing.subscription_set";

/// Writes every state of every subscription of the client, from its first day on.
pub(super) fn write_subscriptions(client: &Client, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    for contract in &client.contracts {
        let mut last = Moment::MIN;
        for (day, terms) in &contract.terms {
            // Two changes of one day keep their order.
            let at = (day * DAY + dice.between(9 * 60, 18 * 60) * MINUTE).max(last.saturating_add(MINUTE));
            last = at;
            sheet.write(Source::Billing, SUBSCRIPTION_SET, at, &state(client, contract, terms, sheet));
        }
    }
    if client.card.story == Story::Steady && client.card.turn == RETRACTING_TURN {
        write_retracted(client, sheet, dice);
    }
}

/// The id of the subscription to a product.
pub(super) fn subscription_id(client: &Client, product: &str) -> String {
    format!("sub-{:03}-{product}", client.number)
}

fn state(client: &Client, contract: &Contract, terms: &Terms, sheet: &Sheet<'_>) -> Fields {
    let date = |day: Option<Day>| day.map(|day| sheet.date(day));
    let fields = Fields::new()
        .text("subscription", &subscription_id(client, contract.product))
        .text("status", terms.status.name());
    // A cancelled state may leave out what it cost.
    let fields = if terms.status == Status::Cancelled {
        fields
    } else {
        fields
            .money("amount", terms.amount())
            .text("currency", client.currency)
            .object("interval", &Fields::new().text("unit", terms.interval.name()).plain("count", 1))
            .plain("quantity", terms.seats)
            .plain("seats", terms.seats)
    };
    fields
        .text("plan", terms.plan.name())
        .text("product", contract.product)
        .maybe("term_end", date(terms.term_end).as_deref())
        .maybe("trial_end", date(terms.trial_end).as_deref())
        .maybe("cancel_at", terms.cancel_at.map(|day| sheet.calendar.instant(day * DAY)).as_deref())
        .maybe("reason", terms.reason)
}

const RETRACTING_TURN: i64 = 5;

// Somebody typed one nought too many; the state is taken back two days later.
fn write_retracted(client: &Client, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let at = sheet.calendar.scaled(132) * DAY + dice.between(9 * 60, 16 * 60) * MINUTE;
    let standing = client.contracts.first().and_then(|core| Some((core, core.on(at / DAY)?)));
    let Some((core, terms)) = standing else { return };
    let wrong = Terms { seats: terms.seats * 10, ..terms.clone() };
    let Some(id) = sheet.write(Source::Billing, SUBSCRIPTION_SET, at, &state(client, core, &wrong, sheet))
    else {
        return;
    };
    let retraction =
        Fields::new().text("source", Source::Billing.name()).text("id", &id).text("type", SUBSCRIPTION_SET);
    sheet.write(Source::Billing, "event.retracted", at + 2 * DAY + HOUR, &retraction);
}

/// Writes what is included in the plan, for most clients.
pub(super) fn write_quota(client: &Client, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let Some(terms) = client.terms(client.plot.since).filter(|_| dice.chance(650)) else {
        return;
    };
    let (each, overage) = match terms.plan {
        Plan::Free | Plan::Starter => (40, "0.05"),
        Plan::Team => (50, "0.04"),
        Plan::Business => (60, "0.03"),
        Plan::Enterprise => (70, "0.02"),
    };
    let fields = Fields::new()
        .text("metric", "calls")
        .plain("included", each * terms.seats)
        .text("period", "month")
        .text("overage_price", overage)
        .text("currency", client.currency);
    sheet.write(Source::Billing, "billing.quota_set", client.plot.since * DAY + 21 * HOUR, &fields);
}

/// Writes one-off purchases: workshops, message packs, a number ported.
pub(super) fn write_charges(client: &Client, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    const THINGS: [(&str, i64); 4] = [
        ("onboarding-workshop", 45_000),
        ("message-pack", 9_900),
        ("number-porting", 4_900),
        ("training-day", 82_000),
    ];
    let permille_a_day = match client.card.segment {
        Segment::Smb => 1,
        Segment::Mid => 2,
        Segment::Enterprise => 5,
    };
    let mut count = 0;
    for day in 0..sheet.calendar.days() {
        let pays = client.terms(day).is_some_and(|terms| terms.paid_on(day));
        if !pays || !dice.chance(permille_a_day) || !dice.chance(600) {
            continue;
        }
        count += 1;
        let (thing, cents) = dice.pick(&THINGS);
        let charge = format!("ch-{:03}-{count}-{thing}", client.number);
        let at = day * DAY + dice.between(8 * 60, 18 * 60) * MINUTE;
        let bought =
            Fields::new().text("charge", &charge).money("amount", cents).text("currency", client.currency);
        sheet.write(Source::Billing, "billing.charged", at, &bought);
        if dice.chance(60) {
            let back = Fields::new()
                .text("refund", &format!("re-{:03}-{count}-{thing}", client.number))
                .money("amount", cents)
                .text("currency", client.currency)
                .text("charge", &charge);
            sheet.write(Source::Billing, "billing.refunded", at + dice.between(2, 15) * DAY, &back);
        }
    }
}

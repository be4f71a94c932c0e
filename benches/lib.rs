//! The book that the benchmarks fold and ask.

use healthfold::{Day, Dedupe, Engine, Event, EventReader, ReadOptions, Settings};
use healthfold_testkit::book::{BookSpec, Order, book_lines};

pub mod buyers;
pub mod peers;

/// Three decks of clients over a year: about 330 000 events.
#[must_use]
pub fn spec(order: Order) -> BookSpec {
    BookSpec { clients: 960, order, with_bad_lines: false, ..BookSpec::default() }
}

/// The book as NDJSON.
#[must_use]
pub fn ndjson(order: Order) -> Vec<u8> {
    book_lines(&spec(order)).join("\n").into_bytes()
}

/// The book as events that are decoded already.
///
/// # Errors
/// Never, since the lines are in memory.
pub fn events(order: Order) -> std::io::Result<Vec<Event>> {
    let lines = ndjson(order);
    let mut reader = EventReader::new(lines.as_slice(), None);
    let mut events = Vec::new();
    while let Some((_, event)) = reader.next_event()? {
        events.extend(event.ok());
    }
    Ok(events)
}

/// The book, folded.
///
/// # Errors
/// Never, since the zone is known and the lines are in memory.
pub fn engine() -> Result<Engine, Box<dyn std::error::Error>> {
    let mut engine = Engine::new(Settings::default())?;
    engine.apply_ndjson(ndjson(Order::Client).as_slice(), &ReadOptions::default())?;
    Ok(engine)
}

/// Whole numbers that follow from a client's own: splitmix64 (Steele, Lea and Flood 2014).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `count` - 1.
    fn below(&mut self, count: u32) -> u32 {
        u32::try_from((u128::from(self.next()) * u128::from(count)) >> 64).unwrap_or_default()
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        let drawn = self.below(u32::try_from(from.len()).unwrap_or_default());
        from.get(drawn as usize).copied().unwrap_or_default()
    }
}

/// The days of the three years of [`contracts`].
const DAYS: u32 = 1_096;

/// Contracts alone, folded: clients that come over 2023 to 2025, raise, lower, pause, leave and come back; one in four with
/// a second subscription, some of these in another currency. About six states a client.
///
/// # Errors
/// Never, since the zone is known and the events are sound.
pub fn contracts(clients: u64) -> Result<Engine, Box<dyn std::error::Error>> {
    let mut engine = Engine::new(Settings { dedupe: Dedupe::Upstream, ..Settings::default() })?;
    let first: Day = "2023-01-01".parse()?;
    for client in 0..clients {
        let mut dice = Dice(client);
        let subscriptions = if dice.below(4) == 0 { 2 } else { 1 };
        for subscription in 0..subscriptions {
            let currency = if subscription == 1 && dice.below(8) == 0 { "EUR" } else { "USD" };
            let unit = dice.pick(&["month", "month", "month", "year"]);
            let plan = dice.pick(&["basic", "pro", "max"]);
            let (mut day, mut number) = (dice.below(1_000), 0);
            while day < DAYS {
                let drawn =
                    dice.pick(&["cancelled", "paused", "past_due", "active", "active", "active", "active"]);
                let status = if number == 0 { "active" } else { drawn };
                let time = engine.zone().start_of(first.plus(i32::try_from(day)?));
                let amount = 10 + dice.below(200);
                let json = format!(
                    r#"{{"id":"{client}-{subscription}-{number}","source":"billing","type":"billing.subscription_set","subject":"client-{client}","time":"{time}","data":{{"subscription":"s{subscription}","status":"{status}","amount":{amount},"currency":"{currency}","interval":{{"unit":"{unit}"}},"plan":"{plan}"}}}}"#
                );
                engine.apply(&Event::from_json(json.as_bytes())?)?;
                number += 1;
                day += 20 + dice.below(180);
                if status == "cancelled" && dice.below(2) == 0 {
                    break;
                }
            }
        }
    }
    Ok(engine)
}

/// A year of lives, folded: a trial that becomes a contract, use by up to five users in four metrics, thickest at the end,
/// tickets, invoices, what is said, milestones. About fifty events a client over 2025.
///
/// # Errors
/// Never, since the zone is known and the events are sound.
pub fn lives(clients: u64) -> Result<Engine, Box<dyn std::error::Error>> {
    let mut engine = Engine::new(Settings { dedupe: Dedupe::Upstream, ..Settings::default() })?;
    let first: Day = "2025-01-01".parse()?;
    for client in 0..clients {
        let (mut dice, mut number) = (Dice(client), 0);
        let mut tell = |day: u32, kind: &str, data: &str| -> Result<(), Box<dyn std::error::Error>> {
            number += 1;
            let date = first.plus(i32::try_from(day)?);
            let json = format!(
                r#"{{"id":"{client}-{number}","source":"app","type":"{kind}","subject":"client-{client}","time":"{date}T{:02}:00:00Z","data":{data}}}"#,
                8 + number % 10
            );
            engine.apply(&Event::from_json(json.as_bytes())?)?;
            Ok(())
        };
        let began = dice.below(250);
        let segment = dice.pick(&["smb", "mid", "ent"]);
        tell(
            began,
            "client.set",
            &format!(r#"{{"segment":"{segment}","attributes":{{"size":{}}}}}"#, dice.below(500)),
        )?;
        let contract = |status: &str, amount: u32| {
            format!(
                r#"{{"subscription":"s","status":"{status}","amount":{amount},"currency":"USD","interval":{{"unit":"month"}},"seats":{}}}"#,
                2 + amount % 6
            )
        };
        let amount = 10 + dice.below(200);
        tell(began, "billing.subscription_set", &contract("trialing", amount))?;
        if dice.below(10) > 0 {
            tell(began + 14, "billing.subscription_set", &contract("active", amount))?;
        }
        for milestone in ["onboarded", "live"] {
            if dice.below(3) > 0 {
                tell(
                    began + dice.below(60),
                    "client.milestone_reached",
                    &format!(r#"{{"milestone":"{milestone}"}}"#),
                )?;
            }
        }
        for use_of in 0..30 {
            let day = if use_of < 18 { 290 + dice.below(75) } else { began + dice.below(365 - began) };
            let (metric, user) = (dice.pick(&["calls", "reports", "exports", "forms"]), dice.below(5));
            tell(
                day,
                "usage.counted",
                &format!(r#"{{"metric":"{metric}","count":{},"user":"u-{user}"}}"#, 1 + dice.below(9)),
            )?;
        }
        for ticket in 0..dice.below(3) {
            let (day, id) = (300 + dice.below(60), format!(r#""ticket":"t-{client}-{ticket}""#));
            let priority = dice.pick(&["normal", "high", "urgent"]);
            tell(day, "support.ticket_opened", &format!(r#"{{{id},"priority":"{priority}"}}"#))?;
            tell(day + 1, "support.ticket_replied", &format!(r#"{{{id},"by":"agent"}}"#))?;
            if dice.below(2) == 0 {
                tell(day + 2, "support.ticket_resolved", &format!("{{{id}}}"))?;
                tell(
                    day + 3,
                    "support.ticket_rated",
                    &format!(r#"{{{id},"rating":{}}}"#, 1 + dice.below(5)),
                )?;
            }
        }
        for invoice in 0..2 {
            let (day, id) = (280 + 30 * invoice, format!(r#""invoice":"i-{client}-{invoice}""#));
            let due = first.plus(i32::try_from(day + 14)?);
            tell(
                day,
                "billing.invoice_issued",
                &format!(r#"{{{id},"amount":{amount},"currency":"USD","due":"{due}"}}"#),
            )?;
            if dice.below(8) > 0 {
                tell(day + 10, "billing.invoice_paid", &format!("{{{id}}}"))?;
            }
        }
        if dice.below(2) == 0 {
            tell(
                250 + dice.below(100),
                "client.sentiment_set",
                &format!(r#"{{"value":{}}}"#, dice.below(101)),
            )?;
            tell(
                250 + dice.below(100),
                "client.nps_answered",
                &format!(r#"{{"score":{},"user":"u-1"}}"#, dice.below(11)),
            )?;
        }
    }
    Ok(engine)
}

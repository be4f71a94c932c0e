//! The book that the benchmarks fold and ask.

use healthfold::{Day, Dedupe, Engine, Event, EventReader, ReadOptions, Settings};
use healthfold_testkit::book::{BookSpec, Order, book_lines};

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

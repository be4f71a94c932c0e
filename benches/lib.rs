//! The book that the benchmarks fold and ask.

use healthfold::{Engine, Event, EventReader, ReadOptions, Settings};
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

//! A believable book, made from a seed: one year of a small software company's clients as lines of NDJSON.
//!
//! The company sells a telephony product ("core") by the seat and an add-on ("analytics"). Its clients use it, open
//! tickets, pay or forget to pay, grow, shrink, pause, leave, come back; six owners look after most of them. What becomes
//! of each client is dealt from a deck of 320 fates (see `deck`), so that each seed gives other clients but the same
//! year: about 210 paying clients, 4 to 7 departures a month (most in autumn, after a rise in prices), an outage
//! in June, a summer dip, a travel trade with its peak in July, and ten clients in obvious need of help at the end.
//!
//! Nothing here knows the library under test: lines are plain text. The same spec gives the same bytes on every
//! platform, and one spec in another [`Order`] gives the same lines in another order.

mod billing;
mod calendar;
mod client;
mod deck;
pub(crate) mod dice;
mod faults;
mod invoices;
mod names;
mod plot;
mod relations;
mod sheet;
mod support;
mod terms;
#[cfg(test)]
mod tests;
mod usage;

pub use faults::BAD_LINE_CODES;

use calendar::{Calendar, Moment};
use client::Client;
use deck::{DECK, Deck, Story};
use dice::Dice;
use jiff::civil::{Date, date};
use sheet::{Line, Post, Sheet};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, Write};

/// In which order the lines of a book come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As a log would hold them: by the instant they were recorded, so that late ones stand among later ones. Holds all
    /// lines in memory.
    #[default]
    Time,
    /// Client after client, each in order of recording. Streams: memory does not grow with the book.
    Client,
    /// In no order at all. Holds all lines in memory.
    Shuffled,
}

/// What book to write. The default is the demo: seed 7, 320 clients, the year 2025, more than 100 000 events.
#[derive(Clone, Debug)]
pub struct BookSpec {
    /// Another seed gives another book of the same kind.
    pub seed: u64,
    /// Clients, duplicates and trials that never pay included. Multiples of 320 hold all stories.
    pub clients: u32,
    /// The first day (UTC). Subscriptions that began earlier are dated before it. Meant for years 1975 to 2180.
    pub start: Date,
    /// Days covered, from 1 to 36 500; beyond, the nearest is taken. The story of the year is stretched or squeezed to fit. Nothing is dated after them.
    pub days: u32,
    /// Usage events in percent of the demo's, which has about 335 a client and year.
    pub usage_percent: u32,
    /// The order of lines.
    pub order: Order,
    /// Events recorded late (hours to weeks, with `recordedtime`), per thousand.
    pub late_permille: u32,
    /// Events delivered twice, byte for byte, per thousand.
    pub redelivered_permille: u32,
    /// Whether to mix in twelve lines that must be rejected, with the codes of [`BAD_LINE_CODES`].
    pub with_bad_lines: bool,
}

impl Default for BookSpec {
    fn default() -> Self {
        Self {
            seed: 7,
            clients: 320,
            start: date(2025, 1, 1),
            days: 365,
            usage_percent: 100,
            order: Order::Time,
            late_permille: 10,
            redelivered_permille: 2,
            with_bad_lines: true,
        }
    }
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookSummary {
    /// Distinct client ids.
    pub clients: u64,
    /// Distinct good events.
    pub events: u64,
    /// Lines: events, those delivered again, and bad lines.
    pub lines: u64,
    /// Lines that repeat an event.
    pub duplicates: u64,
    /// Events recorded later than they happened.
    pub late: u64,
    /// Lines that must be rejected.
    pub bad_lines: u64,
    /// Distinct good events by type.
    pub by_type: BTreeMap<&'static str, u64>,
    /// Distinct good events by source; also the last number used in ids of that source.
    pub by_source: BTreeMap<&'static str, u64>,
}

impl BookSummary {
    fn count(&mut self, kind: &'static str) {
        self.events += 1;
        *self.by_type.entry(kind).or_default() += 1;
    }

    // The number of the next event of a source.
    fn numbered(&mut self, source: &'static str) -> u64 {
        let number = self.by_source.entry(source).or_default();
        *number += 1;
        *number
    }
}

/// Writes a book as NDJSON, one event a line.
///
/// # Errors
///
/// Only what `out` reports.
///
/// # Examples
///
/// ```no_run
/// # use healthfold_testkit::book::{BookSpec, write_book};
/// let mut file = std::io::BufWriter::new(std::fs::File::create("book.ndjson")?);
/// let summary = write_book(&BookSpec::default(), &mut file)?;
/// assert!(summary.events >= 100_000);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_book(spec: &BookSpec, out: &mut dyn Write) -> io::Result<BookSummary> {
    each_line(spec, &mut |line| {
        out.write_all(line.as_bytes())?;
        out.write_all(b"\n")
    })
}

/// The lines of a book, without line ends.
#[must_use]
pub fn book_lines(spec: &BookSpec) -> Vec<String> {
    let mut lines = Vec::new();
    let Ok(_) = each_line::<Infallible>(spec, &mut |line| {
        lines.push(line.to_owned());
        Ok(())
    });
    lines
}

// What a client's dice are thrown for. Each has its own stream, so that a change to one leaves the others as they are.
#[derive(Clone, Copy)]
enum Topic {
    Profile,
    Post,
    Billing,
    Invoices,
    Usage,
    Support,
    Relations,
}

const TOPICS: u64 = 8;

fn each_line<E>(spec: &BookSpec, sink: &mut dyn FnMut(&str) -> Result<(), E>) -> Result<BookSummary, E> {
    let calendar = Calendar::new(spec.start, spec.days);
    let mut summary = BookSummary::default();
    let mut faults = if spec.with_bad_lines {
        faults::bad_lines(i64::from(spec.clients), &calendar, &mut Dice::new(spec.seed, TOPICS - 1))
    } else {
        Vec::new()
    };

    let mut heap = Heap::default();
    let mut deck = Deck::deal(spec.seed, 0);
    for number in 1..=i64::from(spec.clients) {
        let place = (number - 1) % DECK;
        if place == 0 && number > 1 {
            deck = Deck::deal(spec.seed, ((number - 1) / DECK).unsigned_abs());
        }
        let mut lines = client_lines(spec, number, &deck, &calendar, &mut summary);
        for (_, bad_line) in faults.extract_if(.., |(with, _)| *with == number) {
            lines.push(bad_line);
            summary.bad_lines += 1;
        }
        lines.sort_by_key(|line| line.arrival);
        summary.clients += 1;
        summary.lines += lines.len() as u64;
        match spec.order {
            Order::Client => lines.iter().try_for_each(|line| sink(&line.text))?,
            Order::Time | Order::Shuffled => heap.take(&lines),
        }
    }
    match spec.order {
        Order::Client => {}
        Order::Time => heap.places.sort_by_key(|place| place.arrival),
        Order::Shuffled => Dice::new(spec.seed, TOPICS - 2).shuffle(&mut heap.places),
    }
    heap.pour(sink)?;
    Ok(summary)
}

fn client_lines(
    spec: &BookSpec,
    number: i64,
    deck: &Deck,
    calendar: &Calendar,
    summary: &mut BookSummary,
) -> Vec<Line> {
    let place = (number - 1) % DECK;
    let Some(card) = usize::try_from(place).ok().and_then(|place| deck.cards.get(place)) else {
        return Vec::new();
    };
    let dice = |topic: Topic| Dice::new(spec.seed, number.unsigned_abs() * TOPICS + topic as u64);
    let original = number - place + deck.original();
    // A second record bears the name of the first.
    let stem = names::stem(if card.story == Story::Duplicate { original } else { number });
    let client = Client::draw(number, stem, *card, calendar, &mut dice(Topic::Profile));
    let original = (original <= i64::from(spec.clients)).then(|| names::client_id(original));
    let is_daughter = card.story == Story::Steady && (7..9).contains(&card.turn);

    let post = Post {
        late_permille: i64::from(spec.late_permille),
        repeated_permille: i64::from(spec.redelivered_permille),
    };
    let mut sheet = Sheet {
        calendar,
        subject: client.id.clone(),
        lines: Vec::new(),
        summary,
        post: &post,
        dice: dice(Topic::Post),
    };
    let sheet = &mut sheet;
    let parent = original.as_deref().filter(|_| is_daughter);
    let mut relating = dice(Topic::Relations);
    relations::write_identity(&client, parent, sheet, &mut relating);
    relations::write_contacts(&client, sheet, &mut relating);
    relations::write_milestones(&client, sheet, &mut relating);
    let mut billing = dice(Topic::Billing);
    billing::write_subscriptions(&client, sheet, &mut billing);
    billing::write_quota(&client, sheet, &mut billing);
    billing::write_charges(&client, sheet, &mut billing);
    invoices::write_invoices(&client, sheet, &mut dice(Topic::Invoices));
    usage::write_usage(&client, i64::from(spec.usage_percent), sheet, &mut dice(Topic::Usage));
    support::write_tickets(&client, sheet, &mut dice(Topic::Support));
    relations::write_talks(&client, sheet, &mut relating);
    relations::write_nps(&client, sheet, &mut relating);
    relations::write_overrides(&client, sheet);
    relations::write_churn_reason(&client, sheet, &mut relating);
    relations::write_end_of_record(&client, original.as_deref(), calendar, sheet);
    std::mem::take(&mut sheet.lines)
}

// All lines of a book in one buffer, with their places, so that no line is allocated by itself.
#[derive(Default)]
struct Heap {
    text: String,
    places: Vec<Place>,
}

struct Place {
    arrival: Moment,
    from: usize,
    to: usize,
}

impl Heap {
    fn take(&mut self, lines: &[Line]) {
        for line in lines {
            let from = self.text.len();
            self.text.push_str(&line.text);
            self.places.push(Place { arrival: line.arrival, from, to: self.text.len() });
        }
    }

    fn pour<E>(&self, sink: &mut dyn FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        self.places.iter().filter_map(|place| self.text.get(place.from..place.to)).try_for_each(sink)
    }
}

//! The log of the job, by a seed: 15 months of a book, written as it is drawn.

use super::story::{DAY, DAYS, Life, Told, second, tell};
use crate::Dice;
use healthfold::{Day, Month};
use std::io::{self, Write};

/// Which log.
#[derive(Clone, Copy, Debug)]
pub struct LogSpec {
    /// How many clients.
    pub clients: u32,
    /// How many events; what is not told of contracts, tickets, invoices and judgements is usage. With 100 a client
    /// that is about 84 %.
    pub events: u64,
    /// What is drawn.
    pub seed: u64,
    /// How many of 100 usage events come in 1 to 14 days late: they stand behind later ones.
    pub late: u32,
}

const METRICS: [&str; 10] = [
    "reports",
    "exports",
    "calls",
    "logins",
    "imports",
    "searches",
    "invites",
    "comments",
    "dashboards",
    "alerts",
];
/// How late an event may come.
const LATEST: u32 = 14;

/// One line to be.
#[derive(Clone, Copy)]
struct Row {
    second: u32,
    client: u32,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Used { metric: &'static str, count: u32, user: u32 },
    Told(Told),
}

/// Writes the log as NDJSON: each day's events in order of their time of day, late ones among those of the day they come in.
/// Returns how many events, and how many of them are usage.
///
/// # Errors
/// What the output reports.
pub fn write_log(spec: LogSpec, out: &mut impl Write) -> io::Result<(u64, u64)> {
    let (lives, told) = stories(spec);
    let usage = spec.events.saturating_sub(told.len() as u64);
    let calendar: Vec<String> =
        (0..DAYS + 60).map(|day| start().plus(day.cast_signed()).to_string()).collect();
    let mut lines = Lines { calendar, number: 0 };
    let mut told = told.into_iter().peekable();
    let mut late: Vec<Vec<Row>> = vec![Vec::new(); LATEST as usize + 1];
    let mut dice = Dice(spec.seed ^ 0x75_7361_6765);

    let weights: Vec<u64> =
        (0..DAYS).map(|day| day_share(day) * lives.iter().map(|l| l.weight(day)).sum::<u64>()).collect();
    let total: u128 = weights.iter().map(|w| u128::from(*w)).sum::<u128>().max(1);
    let (mut drawn, mut before) = (0u64, 0u128);
    for (day, weight) in (0..DAYS).zip(weights) {
        let mut rows = late.remove(0);
        late.push(Vec::new());
        while let Some(row) = told.next_if(|row| row.second / DAY <= day) {
            rows.push(row);
        }
        before += u128::from(weight);
        let until = u64::try_from(u128::from(usage) * before / total).unwrap_or(usage);
        let mut ends = 0;
        let ends: Vec<u64> = lives
            .iter()
            .map(|life| {
                ends += life.weight(day);
                ends
            })
            .collect();
        while drawn < until {
            drawn += 1;
            let row = use_of(day, &lives, &ends, &mut dice);
            let days_late = if dice.below(100) < spec.late { 1 + dice.below(LATEST) as usize } else { 0 };
            match days_late.checked_sub(1).and_then(|place| late.get_mut(place)) {
                Some(later) => later.push(row),
                None => rows.push(row),
            }
        }
        rows.sort_by_key(|row| row.second % DAY);
        rows.iter().try_for_each(|row| lines.write(row, out))?;
    }
    late.iter().flatten().try_for_each(|row| lines.write(row, out))?;
    Ok((lines.number, drawn))
}

#[expect(clippy::expect_used, reason = "it is a month")]
fn start() -> Day {
    Month::new(2025, 1).expect("January").first_day()
}

/// Less is done on Saturdays and Sundays. 2025-01-01 was a Wednesday.
fn day_share(day: u32) -> u64 {
    if (day + 2) % 7 >= 5 { 1 } else { 5 }
}

/// All clients, and what is told of them in order of time.
fn stories(spec: LogSpec) -> (Vec<Life>, Vec<Row>) {
    let (mut lives, mut rows, mut of_one) = (Vec::new(), Vec::new(), Vec::new());
    for client in 0..spec.clients {
        let dice = Dice((spec.seed << 32) ^ u64::from(client));
        lives.push(tell(dice, &mut of_one));
        rows.extend(of_one.drain(..).map(|(second, told)| Row { second, client, what: What::Told(told) }));
    }
    rows.sort_by_key(|row| (row.second, row.client));
    (lives, rows)
}

/// One use on a day, by a client as likely as its activity. `ends` are the running sums of these.
fn use_of(day: u32, lives: &[Life], ends: &[u64], dice: &mut Dice) -> Row {
    let total = ends.last().copied().unwrap_or(0);
    let place = u64::try_from((u128::from(dice.next()) * u128::from(total)) >> 64).unwrap_or(0);
    let index = ends.partition_point(|end| *end <= place);
    let users = lives.get(index).map_or(1, |life| life.users);
    let user = if dice.below(10) < 7 { 1 + dice.below(users).min(dice.below(users)) } else { 0 };
    // The first metrics are used more than the last.
    let rank = dice.below(10).min(dice.below(10)) as usize;
    let metric = METRICS.get(rank).copied().unwrap_or_default();
    let count = if dice.below(4) == 0 { 2 + dice.below(8) } else { 1 };
    let client = u32::try_from(index).unwrap_or_default();
    Row { second: second(day, dice), client, what: What::Used { metric, count, user } }
}

struct Lines {
    /// The dates of the log, and of what falls due behind it.
    calendar: Vec<String>,
    number: u64,
}

impl Lines {
    fn date(&self, day: u32) -> &str {
        self.calendar.get(day as usize).map_or("", String::as_str)
    }

    fn write(&mut self, row: &Row, out: &mut impl Write) -> io::Result<()> {
        self.number += 1;
        let Row { second, client, what } = row;
        let (family, kind) = what.kind();
        let source = if family == "usage" { "app" } else { family };
        let (hour, minute, rest) = (second % DAY / 3_600, second % 3_600 / 60, second % 60);
        write!(
            out,
            r#"{{"specversion":"1.0","id":"e-{}","source":"{source}","type":"{family}.{kind}","subject":"c-{client:07}","time":"{}T{hour:02}:{minute:02}:{rest:02}Z","data":{{"#,
            self.number,
            self.date(second / DAY),
        )?;
        match what {
            What::Used { metric, count, user: 0 } => write!(out, r#""metric":"{metric}","count":{count}"#),
            What::Used { metric, count, user } => {
                write!(out, r#""metric":"{metric}","count":{count},"user":"u-{user}""#)
            }
            What::Told(told) => self.write_told(*client, told, out),
        }?;
        out.write_all(b"}}\n")
    }

    fn write_told(&self, client: u32, told: &Told, out: &mut impl Write) -> io::Result<()> {
        match told {
            Told::Contract { number, status, cents, yearly, seats } => {
                let unit = if *yearly { "year" } else { "month" };
                let amount = Cents(*cents);
                write!(
                    out,
                    r#""subscription":"s-{client}-{number}","status":"{status}","amount":"{amount}","currency":"USD","interval":{{"unit":"{unit}","count":1}}"#
                )?;
                seats.map_or(Ok(()), |seats| write!(out, r#","seats":{seats}"#))
            }
            Told::Opened { ticket } | Told::Resolved { ticket } => {
                write!(out, r#""ticket":"t-{client}-{ticket}""#)
            }
            Told::Replied { ticket } => write!(out, r#""ticket":"t-{client}-{ticket}","by":"agent""#),
            Told::Rated { ticket, rating } => {
                write!(out, r#""ticket":"t-{client}-{ticket}","rating":{rating}"#)
            }
            Told::Issued { invoice, cents, due } => {
                let (amount, due) = (Cents(*cents), self.date(*due));
                write!(
                    out,
                    r#""invoice":"i-{client}-{invoice}","amount":"{amount}","currency":"USD","due":"{due}""#
                )
            }
            Told::Paid { invoice } => write!(out, r#""invoice":"i-{client}-{invoice}""#),
            Told::Sentiment { value } => write!(out, r#""value":{value}"#),
        }
    }
}

impl What {
    /// The family of the event type and the rest of its name.
    fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Used { .. } => ("usage", "counted"),
            Self::Told(told) => match told {
                Told::Contract { .. } => ("billing", "subscription_set"),
                Told::Opened { .. } => ("support", "ticket_opened"),
                Told::Replied { .. } => ("support", "ticket_replied"),
                Told::Resolved { .. } => ("support", "ticket_resolved"),
                Told::Rated { .. } => ("support", "ticket_rated"),
                Told::Issued { .. } => ("billing", "invoice_issued"),
                Told::Paid { .. } => ("billing", "invoice_paid"),
                Told::Sentiment { .. } => ("client", "sentiment_set"),
            },
        }
    }
}

/// An amount as its decimal text.
struct Cents(u32);

impl std::fmt::Display for Cents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

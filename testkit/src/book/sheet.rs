//! Writing events as lines: ids, envelope, `data`, late arrival and repeated delivery.

use super::BookSummary;
use super::calendar::{Calendar, DAY, Day, HOUR, MINUTE, Moment, SECOND};
use super::dice::Dice;
use std::fmt::{Display, Write as _};

/// Who reports an event.
#[derive(Clone, Copy)]
pub(super) enum Source {
    App,
    Warehouse,
    Desk,
    Billing,
    Crm,
    Survey,
    Status,
}

impl Source {
    /// How the source is called in events, and what its ids begin with.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Warehouse => "warehouse",
            Self::Desk => "desk",
            Self::Billing => "billing",
            Self::Crm => "crm",
            Self::Survey => "survey",
            Self::Status => "status",
        }
    }

    /// The offset from UTC, in hours, that the source writes its times with.
    fn offset_hours(self) -> i64 {
        match self {
            // Written by people in one office, whose tool stamps local time.
            Self::Crm => 1,
            _ => 0,
        }
    }
}

/// The members of one `data` object, as JSON text.
#[derive(Default)]
pub(super) struct Fields(String);

impl Fields {
    /// No member yet.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a text.
    pub(super) fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        quote(&mut self.0, value);
        self
    }

    /// Adds a text if there is one.
    pub(super) fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Adds a number or a bool.
    pub(super) fn plain(mut self, name: &str, value: impl Display) -> Self {
        self.name(name);
        // Writing into a String cannot fail.
        let _ = write!(self.0, "{value}");
        self
    }

    /// Adds `value` / 10^`digits` as a decimal number.
    pub(super) fn decimal(self, name: &str, value: i64, digits: u32) -> Self {
        let unit = 10_i64.pow(digits);
        let width = usize::try_from(digits).unwrap_or(0);
        let sign = if value < 0 { "-" } else { "" };
        self.plain(name, format_args!("{sign}{}.{:0width$}", value.abs() / unit, value.abs() % unit))
    }

    /// Adds an amount of money as decimal text, given in hundredths.
    pub(super) fn money(self, name: &str, cents: i64) -> Self {
        self.text(name, &format!("{}.{:02}", cents / 100, cents % 100))
    }

    /// Adds an object.
    pub(super) fn object(self, name: &str, inner: &Self) -> Self {
        self.plain(name, format_args!("{{{}}}", inner.0))
    }

    /// Adds a list of texts.
    pub(super) fn texts(mut self, name: &str, values: &[String]) -> Self {
        self.name(name);
        self.0.push('[');
        for (place, value) in values.iter().enumerate() {
            if place > 0 {
                self.0.push(',');
            }
            quote(&mut self.0, value);
        }
        self.0.push(']');
        self
    }

    fn name(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        quote(&mut self.0, name);
        self.0.push(':');
    }
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// A line of the log and when it arrives.
pub(super) struct Line {
    /// The moment it is recorded: its place in the log when the log is in order of time.
    pub(super) arrival: Moment,
    /// The JSON text, without a line end.
    pub(super) text: String,
}

/// How the post treats events on their way.
pub(super) struct Post {
    /// How many of 1000 events are recorded late.
    pub(super) late_permille: i64,
    /// How many of 1000 events are delivered twice.
    pub(super) repeated_permille: i64,
}

/// The lines of one client while they are written.
pub(super) struct Sheet<'a> {
    /// The days of the book.
    pub(super) calendar: &'a Calendar,
    /// The client the lines are about.
    pub(super) subject: String,
    /// What was written so far, in order of writing.
    pub(super) lines: Vec<Line>,
    /// Counts over the whole book, from which ids are numbered.
    pub(super) summary: &'a mut BookSummary,
    /// How lines travel.
    pub(super) post: &'a Post,
    /// The luck of the post.
    pub(super) dice: Dice,
}

impl Sheet<'_> {
    /// Writes an event and answers its id; nothing is written at or after the end of the book.
    pub(super) fn write(
        &mut self,
        source: Source,
        kind: &'static str,
        at: Moment,
        data: &Fields,
    ) -> Option<String> {
        if at >= self.calendar.end() {
            return None;
        }
        let number = self.summary.numbered(source.name());
        let id = format!("{}-{number:06}", source.name());
        let recorded =
            self.lateness().map(|late| at + late).filter(|&recorded| recorded < self.calendar.end());

        let mut text = String::with_capacity(220 + data.0.len());
        text.push_str("{\"specversion\":\"1.0\",\"id\":\"");
        text.push_str(&id);
        text.push_str("\",\"source\":\"");
        text.push_str(source.name());
        text.push_str("\",\"type\":\"");
        text.push_str(kind);
        text.push_str("\",\"subject\":");
        quote(&mut text, &self.subject);
        text.push_str(",\"time\":\"");
        self.calendar.write_instant(&mut text, at, source.offset_hours());
        text.push('"');
        if let Some(recorded) = recorded {
            text.push_str(",\"recordedtime\":\"");
            self.calendar.write_instant(&mut text, recorded, 0);
            text.push('"');
            self.summary.late += 1;
        }
        text.push_str(",\"data\":{");
        text.push_str(&data.0);
        text.push_str("}}");

        self.summary.count(kind);
        let arrival = recorded.unwrap_or(at);
        if self.dice.chance(self.post.repeated_permille) {
            let again = arrival + self.dice.between(2 * MINUTE / SECOND, 20 * HOUR / SECOND) * SECOND;
            if again < self.calendar.end() {
                self.lines.push(Line { arrival: again, text: text.clone() });
                self.summary.duplicates += 1;
            }
        }
        self.lines.push(Line { arrival, text });
        Some(id)
    }

    /// The date of a day as text.
    pub(super) fn date(&self, day: Day) -> String {
        self.calendar.date(day)
    }

    // Most late events wait hours in a queue, some days in a phone without network, a few weeks in an import.
    fn lateness(&mut self) -> Option<Moment> {
        if !self.dice.chance(self.post.late_permille) {
            return None;
        }
        let (low, high) =
            self.dice.weighted(&[((HOUR, 12 * HOUR), 60), ((DAY, 6 * DAY), 32), ((7 * DAY, 24 * DAY), 8)]);
        Some(self.dice.between(low / SECOND, high / SECOND) * SECOND)
    }
}

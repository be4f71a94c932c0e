//! The naive oracle: a second implementation of the contract, to hold the engine against.
//!
//! It keeps the raw list of events and answers each question from the start: filter the list, sort, loop.
//! Nothing is cached and nothing is shared with the core, so a mistake would have to be made twice, in two
//! ways, to go unseen. It is slow on purpose; give it hundreds of events, not millions.
//!
//! Answers have the JSON shapes of the contract. Whatever the oracle does not know (fx, cohorts, percentile
//! curves, settings beyond those in `settings`) is an error that begins with `not_covered`, so that no
//! comparison passes by accident.
//!
//! | file | what it knows |
//! |---|---|
//! | `exact`, `calendar` | exact fractions; instants, days, periods |
//! | `event`, `book` | one event; which events count and whose they are |
//! | `signal` | the table of kinds, windows, why a reading is missing |
//! | `usage`, `support`, `client`, `money_signal` | the kinds |
//! | `subscription` | run-rate at an instant |
//! | `curve`, `tree`, `score` | the health score |
//! | `settings`, `movement`, `rate`, `revenue` | the revenue report |

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "a test tool reads best without error handling, and a panic in it is a failed test"
)]

mod book;
mod calendar;
mod client;
mod curve;
mod event;
mod exact;
mod money_signal;
mod movement;
mod rate;
mod revenue;
mod score;
mod settings;
#[cfg(test)]
mod shared_cases;
mod signal;
mod subscription;
mod support;
#[cfg(test)]
mod tests;
mod tree;
mod usage;

use std::collections::HashSet;

use serde_json::Value;

use book::Book;
use calendar::Calendar;
use event::Event;
use settings::Question;

/// All events of a book and the zone of its calendar.
pub struct Oracle {
    events: Vec<Event>,
    calendar: Calendar,
}

impl Oracle {
    /// Takes accepted events in any order; of two with one (source, id) the first stays.
    ///
    /// Panics on an event that an engine would have rejected, and on an unknown zone.
    pub fn new(events: &[Value], zone: &str) -> Oracle {
        let mut seen = HashSet::new();
        let events =
            events.iter().map(Event::from_json).filter(|e| seen.insert((e.source.clone(), e.id.clone())));
        Oracle { events: events.collect(), calendar: Calendar::new(zone) }
    }

    /// `{reading, missing}` of one signal. The error is a code: `unknown_client`, `merged`, `erased`,
    /// `bad_time`.
    pub fn signal(&self, client: &str, spec: &Value, as_of: &str) -> Result<Value, String> {
        let book = self.book();
        let reading = signal::read(&book, &book.client(client)?, spec, self.calendar.as_of(as_of)?)?;
        Ok(signal::to_json(reading))
    }

    /// The HealthScore of one client under a model.
    pub fn score(&self, client: &str, model: &Value, as_of: &str) -> Result<Value, String> {
        let book = self.book();
        score::score(&book, client, &book.client(client)?, model, self.calendar.as_of(as_of)?)
    }

    /// The RevenueReport of a period. `options` is an object of settings, or null for the defaults.
    pub fn revenue(&self, period: &str, options: &Value) -> Result<Value, String> {
        revenue::report(&self.book(), &Question::new(period, options, &self.calendar)?)
    }

    /// `{rows}`: a row for each client (and currency) that moved in the period.
    pub fn movements(&self, period: &str, options: &Value) -> Result<Value, String> {
        revenue::movements(&self.book(), &Question::new(period, options, &self.calendar)?)
    }

    /// The live ids seen at the instant, in byte order: merged and erased ones left out. Panics on a bad
    /// instant.
    pub fn clients(&self, as_of: &str) -> Vec<String> {
        let book = self.book();
        let t = self.calendar.as_of(as_of).unwrap_or_else(|code| panic!("{code}: {as_of}"));
        let is_shown = |id: &String| !book.is_erased(id) && book.is_seen(&book.events_of(id), t);
        book.ids().into_iter().filter(is_shown).collect()
    }

    /// The book is put together anew for each question.
    fn book(&self) -> Book<'_> {
        Book::new(&self.events, &self.calendar)
    }
}

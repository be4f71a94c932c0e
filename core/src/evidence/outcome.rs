//! What may come of a client some days after a reading, and of whom it is asked.

use crate::book::{Book, Client};
use crate::signal::View;
use crate::signal::billing::on_trial;
use crate::time::{Day, Instant};
use crate::zone::Zone;
use serde::{Deserialize, Serialize};

/// What may come of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It pays at the end; asked of those who pay at the instant.
    Retained,
    /// It pays at the end; asked of those who are on trial at the instant and do not pay.
    Converted,
}

/// A stretch of time at whose beginning is read, and at whose end is looked at what came of it.
#[derive(Clone, Copy)]
pub(crate) struct Watched<'w> {
    pub(crate) book: &'w Book,
    pub(crate) zone: &'w Zone,
    pub(crate) sealed: Option<Day>,
    pub(crate) as_of: Instant,
    /// The last microsecond of the day so many days later.
    pub(crate) until: Instant,
    /// The last instant seen in the book.
    pub(crate) last_seen: Option<Instant>,
}

impl Watched<'_> {
    /// Whether the book has seen nothing as late as the end, so that who leaves later still counts as there.
    pub(crate) fn is_partial(&self) -> bool {
        self.last_seen.is_none_or(|last| last < self.until)
    }

    pub(crate) fn view<'v>(&'v self, client: &'v Client<'_>) -> View<'v> {
        View::new(&client.state, self.as_of, self.zone, self.book, self.sealed)
    }

    /// What came of a client; `None` of one that is not asked about.
    pub(crate) fn outcome(&self, client: &Client<'_>, outcome: Outcome) -> Option<bool> {
        let view = self.view(client);
        let asked = match outcome {
            Outcome::Retained => view.pays(),
            Outcome::Converted => !view.pays() && on_trial(&view),
        };
        asked.then(|| view.moved_to(self.until).pays())
    }
}

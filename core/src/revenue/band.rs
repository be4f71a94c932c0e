//! The bands of clients by a health model: what the book earns by how its clients fare.

use crate::book::{Book, Client};
use crate::score::{Model, Scorer};
use crate::time::{Day, Instant};
use crate::zone::Zone;

/// Who says which band a client is in.
pub(crate) struct Bands<'q> {
    model: &'q Model,
    book: &'q Book,
    zone: &'q Zone,
    sealed: Option<Day>,
    /// Most clients are looked at as of the opening; what their peers have is read once for all of them.
    opening: (Instant, Scorer<'q>),
}

impl<'q> Bands<'q> {
    /// By a model, for a period that opens at an instant.
    pub(crate) fn new(
        model: &'q Model,
        book: &'q Book,
        zone: &'q Zone,
        sealed: Option<Day>,
        opening: Instant,
    ) -> Self {
        let scorer = Scorer::new(model, book, zone, opening, sealed);
        Self { model, book, zone, sealed, opening: (opening, scorer) }
    }

    /// The band of a client, also of one that cannot be asked about by its id: its money counts, and so does its band.
    pub(crate) fn of(&self, client: &Client<'_>, at: Instant) -> String {
        let (opening, scorer) = &self.opening;
        if at == *opening {
            return scorer.score(client).band.into();
        }
        Scorer::new(self.model, self.book, self.zone, at, self.sealed).score(client).band.into()
    }
}

//! One pass over the clients that a question of the book is about.

use super::{Engine, ScoresOf};
use crate::book::Client;
use crate::chunks::in_chunks;
use crate::score::{Scorer, Sheet};
use crate::signal::{Known, Vantage, View};
use crate::state::ClientState;
use crate::time::Instant;
use std::ops::Range;

impl Engine {
    /// What the views of all clients at an instant share.
    pub(super) fn vantage(&self, as_of: Instant) -> Vantage<'_> {
        Vantage::new(as_of, &self.zone, &self.book, self.sealed)
    }

    /// Whether a question about the book is about a client.
    pub(super) fn is_asked(&self, view: &View<'_>, of: ScoresOf) -> bool {
        let wanted = match of {
            ScoresOf::All => true,
            ScoresOf::Paying => view.pays(),
        };
        wanted && view.seen()
    }

    /// What a question makes of each client that it is about, in order of their ids.
    pub(super) fn of_scored<T: Send>(
        &self,
        scorer: &Scorer<'_>,
        of: ScoresOf,
        answer: impl Fn(&Client<'_>, &View<'_>, &Sheet<'_>) -> T + Sync,
    ) -> Vec<T> {
        let chunks = in_chunks(self.book.places(), |places| {
            let mut answers = Vec::new();
            self.each_scored(scorer, of, places, |client, view, sheet| {
                answers.push(answer(client, view, sheet));
            });
            answers
        });
        let mut chunks = chunks.into_iter();
        let mut answers = chunks.next().unwrap_or_default();
        chunks.for_each(|mut chunk| answers.append(&mut chunk));
        answers
    }

    /// Shows each client of some places that a question is about, with its numbers, in order of their ids.
    pub(super) fn each_scored(
        &self,
        scorer: &Scorer<'_>,
        of: ScoresOf,
        places: Range<usize>,
        mut see: impl FnMut(&Client<'_>, &View<'_>, &Sheet<'_>),
    ) {
        let scorer = std::slice::from_ref(scorer);
        self.each_scored_by(scorer, of, places, |_, client, view, sheet| see(client, view, sheet));
    }

    /// The same by several scorers of one model, told apart by their numbers: a client by all of them before the next one, so
    /// that its memory is waited for once, and what holds at all instants is worked out once.
    pub(super) fn each_scored_by(
        &self,
        scorers: &[Scorer<'_>],
        of: ScoresOf,
        places: Range<usize>,
        mut see: impl FnMut(usize, &Client<'_>, &View<'_>, &Sheet<'_>),
    ) {
        let mut sheets: Vec<(&Scorer<'_>, Sheet<'_>)> =
            scorers.iter().map(|scorer| (scorer, scorer.sheet_apart())).collect();
        let mut known = scorers.first().map(Scorer::known);
        for client in self.book.living_within(places, ClientState::warm) {
            known.iter_mut().for_each(Known::forget);
            for (number, (scorer, sheet)) in sheets.iter_mut().enumerate() {
                let view = scorer.view(&client.state);
                if self.is_asked(&view, of) {
                    scorer.fill(View { known: known.as_ref(), ..view }, sheet);
                    see(number, &client, &view, sheet);
                }
            }
        }
    }
}

//! Questions about one client: signals, scores and the reasons for them.

use super::Engine;
use crate::error::QueryError;
use crate::id::ClientId;
use crate::score::{HealthScore, Model, Scorer};
use crate::signal::{Reading, SignalSpec, View};
use crate::time::Instant;

/// Which clients a question about the book is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoresOf {
    /// Every client with an event at or before the instant.
    #[default]
    All,
    /// Those who pay at the instant.
    Paying,
}

impl Engine {
    /// One number about a client as of an instant, or why there is none.
    ///
    /// ```
    /// use healthfold::{Engine, Event, Settings, SignalSpec};
    /// let mut engine = Engine::new(Settings::default())?;
    /// engine.apply(&Event::from_json(br#"{"id":"1","source":"app","type":"usage.counted","subject":"acme",
    ///     "time":"2026-01-05T10:00:00Z","data":{"metric":"reports","count":3}}"#)?)?;
    /// let reports = SignalSpec::from_json(r#"{"kind":"usage_sum","metric":"reports","days":7}"#)?;
    /// let as_of = engine.zone().as_of("2026-01-06")?;
    /// assert_eq!(engine.signal(&"acme".into(), &reports, as_of)?.value(), Some(3.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the client is unknown, merged or erased.
    pub fn signal(
        &self,
        client: &ClientId,
        spec: &SignalSpec,
        as_of: Instant,
    ) -> Result<Reading, QueryError> {
        let client = self.client(client)?;
        Ok(spec.read(&View::new(&client.state, as_of, &self.zone, &self.book, self.sealed)))
    }

    /// A client's health by a model as of an instant, with every part of it.
    ///
    /// # Errors
    /// If the client is unknown, merged or erased.
    pub fn score(&self, client: &ClientId, model: &Model, as_of: Instant) -> Result<HealthScore, QueryError> {
        let client = self.client(client)?;
        Ok(self.scorer(model, as_of).score(&client))
    }

    /// The health of all clients, in order of their ids.
    pub fn scores(&self, model: &Model, as_of: Instant, of: ScoresOf) -> Vec<HealthScore> {
        let scorer = self.scorer(model, as_of);
        let mut scores = Vec::new();
        for client in self.book.living() {
            let view = scorer.view(&client.state);
            let wanted = match of {
                ScoresOf::All => true,
                ScoresOf::Paying => view.pays(),
            };
            if wanted && view.seen() {
                scores.push(scorer.score(&client));
            }
        }
        scores
    }

    fn scorer<'a>(&'a self, model: &'a Model, as_of: Instant) -> Scorer<'a> {
        Scorer::new(model, &self.book, &self.zone, as_of, self.sealed)
    }
}

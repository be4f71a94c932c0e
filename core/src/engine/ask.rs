//! Questions about one client: signals, scores and the reasons for them.

use super::Engine;
use crate::chunks::in_chunks;
use crate::error::QueryError;
use crate::id::ClientId;
use crate::score::change::{Way, behind};
use crate::score::check::check;
use crate::score::{DataFault, HealthScore, Model, ScoreChange, ScoreTable, Scorer};
use crate::signal::behind::Between;
use crate::signal::{Reading, SignalSpec, View};
use crate::state::anomaly::{Anomaly, anomalies};
use crate::state::history::HistoryRow;
use crate::time::{Day, Instant};
use crate::zone::Zone;

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

/// How far the points of a series are apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// Calendar days.
    #[default]
    Day,
    /// ISO weeks, which end on Sunday.
    Week,
    /// Calendar months.
    Month,
}

impl Every {
    /// The last day of the period that holds a day.
    fn last_day(self, day: Day) -> Day {
        match self {
            Self::Day => day,
            // 1970-01-01 was a Thursday: three days to its Sunday.
            Self::Week => day.plus((3 - day.number()).rem_euclid(7)),
            Self::Month => day.month().plus(1).first_day().plus(-1),
        }
    }

    /// The last instants of the periods, from the one that holds `start` to the last that is over by the end of the day of
    /// `end`. A day that a zone left out ends with the day before it, and makes no end of its own.
    pub(super) fn ends(self, start: Instant, end: Instant, zone: &Zone) -> Vec<Instant> {
        let last = zone.day(end);
        let mut ends = Vec::new();
        let mut day = self.last_day(zone.day(start));
        while day <= last {
            ends.push(zone.end_of(day));
            day = self.last_day(day.plus(1));
        }
        ends.dedup();
        ends
    }
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
        self.of_scored(&scorer, of, |client, _, sheet| scorer.health(client.id, sheet))
    }

    pub(super) fn scorer<'a>(&'a self, model: &'a Model, as_of: Instant) -> Scorer<'a> {
        Scorer::new(model, &self.book, &self.zone, as_of, self.sealed)
    }

    /// The scores of all clients as columns, in order of their ids: the numbers of [`Engine::scores`] for a fraction of the
    /// time and memory, each name once. What stands behind a row is told by [`Engine::score`].
    ///
    /// ```
    /// use healthfold::{Engine, Event, Model, ScoresOf, Settings};
    /// let mut engine = Engine::new(Settings::default())?;
    /// for (client, mood) in [("acme", 80), ("birch", 20)] {
    ///     engine.apply(&Event::from_json(format!(r#"{{"id":"{client}","source":"crm","type":"client.sentiment_set",
    ///         "subject":"{client}","time":"2026-01-05T10:00:00Z","data":{{"value":{mood}}}}}"#).as_bytes())?)?;
    /// }
    /// let model = Model::builder("mood")
    ///     .signal("mood", serde_json::json!({"kind": "sentiment"}))
    ///     .group(healthfold::GroupBuilder::new("voice").part("mood", 1.0, serde_json::json!({"points": [[0, 0], [100, 100]]})))
    ///     .band("red", 0.0)
    ///     .band("green", 60.0)
    ///     .build()?;
    /// let table = engine.score_table(&model, engine.zone().as_of("2026-01-06")?, ScoresOf::All);
    /// assert_eq!(table.score.values(), [80.0, 20.0]);
    /// assert_eq!(table.parts[0].name.signal, "mood");
    /// let row = table.row(&"birch".into()).unwrap();
    /// assert_eq!(table.band_of(row).unwrap(), &"red");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn score_table(&self, model: &Model, as_of: Instant, of: ScoresOf) -> ScoreTable {
        let tables = self.score_tables(model, &[as_of], of);
        tables.into_iter().next().unwrap_or_else(|| ScoreTable::new(model, as_of, 0))
    }

    /// As [`Engine::score_table`] as of several instants, such as the ends of twelve months: a table for each, in the order
    /// given. What is kept of a client is gone through once for all of them, which takes half of the time of asking one
    /// after the other.
    pub fn score_tables(&self, model: &Model, as_of: &[Instant], of: ScoresOf) -> Vec<ScoreTable> {
        let scorers: Vec<Scorer<'_>> = as_of.iter().map(|as_of| self.scorer(model, *as_of)).collect();
        let empty = |rows| as_of.iter().map(|as_of| ScoreTable::new(model, *as_of, rows)).collect::<Vec<_>>();
        let chunks = in_chunks(self.book.places(), |places| {
            let mut tables = empty(places.len());
            self.each_scored_by(&scorers, of, places, |number, client, _, sheet| {
                if let Some(table) = tables.get_mut(number) {
                    table.push(client.id, sheet);
                }
            });
            tables.into_iter().map(ScoreTable::closed).collect::<Vec<_>>()
        });
        let rows = chunks.iter().skip(1).filter_map(|tables| tables.first()).map(ScoreTable::len).sum();
        let mut chunks = chunks.into_iter();
        let mut whole = chunks.next().unwrap_or_else(|| empty(0));
        whole.iter_mut().for_each(|table| table.reserve(rows));
        for chunk in chunks {
            whole.iter_mut().zip(chunk).for_each(|(table, chunk)| table.append(chunk));
        }
        whole
    }

    /// A client's health day by day (or week by week, month by month): as of the last microsecond of each period's last
    /// day, from the period that holds `start` to the last that is over by the end of the day of `end`.
    ///
    /// # Errors
    /// If the client is unknown, merged or erased.
    pub fn score_history(
        &self,
        client: &ClientId,
        model: &Model,
        start: Instant,
        end: Instant,
        every: Every,
    ) -> Result<Vec<HealthScore>, QueryError> {
        let client = self.client(client)?;
        let ends = every.ends(start, end, &self.zone);
        Ok(ends.into_iter().map(|as_of| self.scorer(model, as_of).score(&client)).collect())
    }

    /// What was stated up to an instant against what the model declares: judgements that are not one of its steps. In order
    /// of client, model, signal and time; empty where all is well.
    pub fn check_data(&self, model: &Model, as_of: Instant) -> Vec<DataFault> {
        self.book.living().flat_map(|client| check(model, &client, as_of)).collect()
    }

    /// Why a client's score changed between two (instant, model) pairs. The model may be another one at the end.
    ///
    /// # Errors
    /// If the client is unknown, merged or erased.
    pub fn explain_change(
        &self,
        client: &ClientId,
        model: &Model,
        start: Instant,
        end: Instant,
        end_model: Option<&Model>,
    ) -> Result<ScoreChange, QueryError> {
        let client = self.client(client)?;
        let last = end_model.unwrap_or(model);
        let (before, edited, after) =
            (self.scorer(model, start), self.scorer(last, start), self.scorer(last, end));
        let way = Way {
            start: before.score(&client),
            edited: edited.score(&client),
            moved: edited.score_by_rule(after.rule(&client), &client),
            end: after.score(&client),
        };
        let view = |at| View::new(&client.state, at, &self.zone, &self.book, self.sealed);
        let between = Between::new(view(start), view(end));
        // What leaves a window came long before.
        let history = client.state.history(Instant::MIN, start.max(end).just_after(), &self.zone);
        let rule = after.rule(&client);
        Ok(way.explain(&history, &|cause, name, row| behind(last, rule, cause, name, row, &between)))
    }

    /// What happened to a client in [start, end), in order of time: every event that is kept by itself, and usage by day. A
    /// day of usage that `start` or `end` falls into is told whole, as of its first instant.
    ///
    /// # Errors
    /// If the client is unknown, merged or erased, or if `start` is before the seal.
    pub fn timeline(
        &self,
        client: &ClientId,
        start: Instant,
        end: Instant,
    ) -> Result<Vec<HistoryRow>, QueryError> {
        let client = self.client(client)?;
        match self.sealed_before() {
            Some(before) if start < before => Err(QueryError::Sealed { before }),
            _ => Ok(client.state.history(start, end, &self.zone)),
        }
    }

    /// What does not fit together in a client's events: a reply to a ticket never opened, a retraction of nothing. A retraction
    /// alone makes no client, but what is odd about it is told under the subject it came with.
    ///
    /// # Errors
    /// If the client is unknown, merged or erased.
    pub fn anomalies(&self, client: &ClientId) -> Result<Vec<Anomaly>, QueryError> {
        let of = |id: &ClientId| anomalies(id, &self.book.subjects_of(id), &self.zone);
        match self.client(client) {
            Ok(client) => Ok(of(client.id)),
            Err(QueryError::UnknownClient { .. }) if !of(client).is_empty() => Ok(of(client)),
            Err(error) => Err(error),
        }
    }
}

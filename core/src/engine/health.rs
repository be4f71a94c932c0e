//! Questions about the health of the book.

use super::evidence::window;
use super::{Engine, Every, ScoresOf};
use crate::error::QueryError;
use crate::exchange::{NoValue, Rates};
use crate::health::Standing;
use crate::health::bands::BookHealth;
use crate::health::diff::ModelDiff;
use crate::health::nps::BookNps;
use crate::health::rank::{RankOptions, RankRow, Ranked, rank};
use crate::health::renewal::{Renewals, of_client};
use crate::health::rollup::{Families, RollUp, RollUpOptions};
use crate::id::ClientId;
use crate::period::Period;
use crate::revenue::Refusal;
use crate::score::lint::data::Seen;
use crate::score::{Finding, Model};
use crate::signal::{Missing, SignalSpec, View};
use crate::time::Instant;
use std::collections::BTreeMap;

impl From<NoValue> for QueryError {
    fn from(fault: NoValue) -> Self {
        Refusal::from(fault).into()
    }
}

impl Engine {
    /// How the book stands at an instant by a model: clients and MRR in each band.
    ///
    /// ```
    /// use healthfold::{Engine, Event, Model, ScoresOf, Settings};
    /// let mut engine = Engine::new(Settings::default())?;
    /// for (client, mood) in [("acme", 80), ("birch", 20), ("cedar", 90), ("dune", 65)] {
    ///     engine.apply(&Event::from_json(format!(r#"{{"id":"{client}","source":"crm","type":"client.sentiment_set",
    ///         "subject":"{client}","time":"2026-01-05T10:00:00Z","data":{{"value":{mood}}}}}"#).as_bytes())?)?;
    /// }
    /// let model = Model::builder("mood")
    ///     .signal("mood", serde_json::json!({"kind": "sentiment"}))
    ///     .group(healthfold::GroupBuilder::new("voice").part("mood", 1.0, serde_json::json!({"points": [[0, 0], [100, 100]]})))
    ///     .band("red", 0.0)
    ///     .band("green", 60.0)
    ///     .build()?;
    /// let book = engine.book_health(&model, engine.zone().as_of("2026-01-06")?, ScoresOf::All)?;
    /// let bands: Vec<_> = book.bands.iter().map(|row| (row.band.as_str(), row.clients.part)).collect();
    /// assert_eq!(bands, [("red", 1), ("green", 3), ("unknown", 0)]);
    /// assert_eq!(book.bands[1].clients.value, Some(0.75));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the model has a currency, and an amount that is paid cannot be valued in it.
    pub fn book_health(&self, model: &Model, as_of: Instant, of: ScoresOf) -> Result<BookHealth, QueryError> {
        let standings = self.standings(model, as_of, of)?;
        Ok(BookHealth::new(model, as_of, &standings.iter().collect()))
    }

    /// How the book stood day by day (or week by week, month by month): as of the last microsecond of each period's last
    /// day, from the period that holds `start` to the last that is over by the end of the day of `end`. Read from the
    /// state; no event is read again.
    ///
    /// # Errors
    /// As [`Engine::book_health`].
    pub fn book_history(
        &self,
        model: &Model,
        start: Instant,
        end: Instant,
        every: Every,
        of: ScoresOf,
    ) -> Result<Vec<BookHealth>, QueryError> {
        let ends = every.ends(start, end, &self.zone);
        ends.into_iter().map(|as_of| self.book_health(model, as_of, of)).collect()
    }

    /// What one model says otherwise than another of the same clients at the same instant, so that an edit can be tried
    /// on the whole book before it is published. Money is valued as the first model does, or else as the second.
    ///
    /// ```
    /// use healthfold::{Engine, Event, Model, ScoresOf, Settings};
    /// use serde_json::json;
    /// let mut engine = Engine::new(Settings::default())?;
    /// engine.apply(&Event::from_json(br#"{"id":"1","source":"crm","type":"client.sentiment_set","subject":"acme",
    ///     "time":"2026-01-05T10:00:00Z","data":{"value":62}}"#)?)?;
    /// let model = |green: f64| Model::builder("mood")
    ///     .signal("mood", json!({"kind": "sentiment"}))
    ///     .group(healthfold::GroupBuilder::new("voice").part("mood", 1.0, json!({"points": [[0, 0], [100, 100]]})))
    ///     .band("red", 0.0)
    ///     .band("green", green)
    ///     .build();
    /// let diff = engine.diff(&model(60.0)?, &model(65.0)?, engine.zone().as_of("2026-01-06")?, ScoresOf::All)?;
    /// assert_eq!((diff.changed[0].band_a.as_str(), diff.changed[0].band_b.as_str()), ("green", "red"));
    /// assert_eq!(diff.shifts.len(), 1, "no score shifts, only the edge did");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If one of the models has a currency, and an amount that is paid cannot be valued in it.
    pub fn diff(
        &self,
        model_a: &Model,
        model_b: &Model,
        as_of: Instant,
        of: ScoresOf,
    ) -> Result<ModelDiff, QueryError> {
        let rates = self.rates_of(model_a).or_else(|| self.rates_of(model_b));
        let one = self.standings_in(model_a, as_of, of, rates.as_ref())?;
        let other = self.standings_in(model_b, as_of, of, rates.as_ref())?;
        let standings: Vec<(Standing, Standing)> = one.into_iter().zip(other).collect();
        Ok(ModelDiff::new(model_a, model_b, as_of, &standings))
    }

    /// The health of a parent, seen through its children: the clients whose `parent` stands for it as of the instant.
    ///
    /// # Errors
    /// If nobody names the parent, and it is unknown, merged or erased. If the model has a currency, and an amount that is
    /// paid cannot be valued in it.
    pub fn roll_up(
        &self,
        parent: &ClientId,
        model: &Model,
        as_of: Instant,
        of: ScoresOf,
        options: RollUpOptions,
    ) -> Result<RollUp, QueryError> {
        let families = self.families(as_of);
        if !families.is_parent(parent) {
            self.client(parent)?;
        }
        let members = families.members(parent, options);
        let (scorer, rates) = (self.scorer(model, as_of), self.rates_of(model));
        let mut standings = Vec::with_capacity(members.len());
        let mut sheet = scorer.sheet();
        for id in members {
            // A parent that is only named by its children is no client, and has no score.
            let Ok(client) = self.client(id) else { continue };
            let view = scorer.view(&client.state);
            if self.is_asked(&view, of) {
                scorer.fill(view, &mut sheet);
                standings.push(Standing::new(client.id, &view, &sheet, rates.as_ref())?);
            }
        }
        Ok(RollUp::new(parent, model, as_of, &standings.iter().collect()))
    }

    /// The health of every parent, in order of their ids.
    ///
    /// # Errors
    /// As [`Engine::book_health`].
    pub fn roll_ups(
        &self,
        model: &Model,
        as_of: Instant,
        of: ScoresOf,
        options: RollUpOptions,
    ) -> Result<Vec<RollUp>, QueryError> {
        let families = self.families(as_of);
        let standings = self.standings(model, as_of, of)?;
        let by_client: BTreeMap<&ClientId, &Standing> =
            standings.iter().map(|standing| (&standing.client, standing)).collect();
        let mut rows = BTreeMap::new();
        families.gathered(&by_client, options, |parent, gathered| {
            rows.insert(parent, RollUp::new(parent, model, as_of, &gathered));
        });
        Ok(rows.into_values().collect())
    }

    /// Clients in order of a signal, those without a value last.
    ///
    /// ```
    /// use healthfold::{Engine, Event, RankOptions, ScoresOf, Settings, SignalSpec};
    /// let mut engine = Engine::new(Settings::default())?;
    /// for (client, count) in [("acme", 5), ("birch", 9), ("cedar", 5)] {
    ///     engine.apply(&Event::from_json(format!(r#"{{"id":"{client}","source":"app","type":"usage.counted",
    ///         "subject":"{client}","time":"2026-01-05T10:00:00Z","data":{{"metric":"reports","count":{count}}}}}"#).as_bytes())?)?;
    /// }
    /// let reports = SignalSpec::from_json(r#"{"kind": "usage_sum", "metric": "reports", "days": 7}"#)?;
    /// let rows = engine.rank(&reports, engine.zone().as_of("2026-01-06")?, ScoresOf::All, RankOptions::default());
    /// let places: Vec<_> = rows.iter().map(|row| (row.client.as_str(), row.place)).collect();
    /// assert_eq!(places, [("birch", Some(1)), ("acme", Some(2)), ("cedar", Some(2))]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rank(&self, by: &SignalSpec, as_of: Instant, of: ScoresOf, options: RankOptions) -> Vec<RankRow> {
        self.ranked(as_of, of, options, &|_, view| {
            let reading = by.read(view);
            reading.value().ok_or(reading.missing().unwrap_or(Missing::NeverSeen))
        })
    }

    /// Clients in order of their score by a model, those without one last.
    pub fn rank_by_score(
        &self,
        model: &Model,
        as_of: Instant,
        of: ScoresOf,
        options: RankOptions,
    ) -> Vec<RankRow> {
        let scorer = self.scorer(model, as_of);
        let mut scores: BTreeMap<ClientId, f64> = BTreeMap::new();
        let mut sheet = scorer.sheet();
        for client in self.book.living() {
            scorer.fill(scorer.view(&client.state), &mut sheet);
            if let Some(score) = sheet.score {
                scores.insert(client.id.clone(), score + 0.0);
            }
        }
        self.ranked(as_of, of, options, &|id, _| scores.get(id).copied().ok_or(Missing::TooLittle))
    }

    fn ranked(
        &self,
        as_of: Instant,
        of: ScoresOf,
        options: RankOptions,
        value: &dyn Fn(&ClientId, &View<'_>) -> Result<f64, Missing>,
    ) -> Vec<RankRow> {
        let clients: Vec<_> = self.book.living().collect();
        let vantage = self.vantage(as_of);
        let views = clients.iter().map(|client| (client.id, vantage.view(&client.state)));
        let seen = views.filter(|(_, view)| view.seen());
        let ranked: Vec<Ranked<'_>> = seen
            .map(|(client, view)| {
                let (value, listed) = (value(client, &view), self.is_asked(&view, of));
                Ranked { client, view, value, listed }
            })
            .collect();
        rank(&ranked, options)
    }

    /// Subscriptions that pay as of an instant and whose term, or whose self by a known cancellation, ends in a period, in
    /// order of time; with a model also how their clients are.
    ///
    /// ```
    /// use healthfold::{Engine, Event, Period, Settings};
    /// let mut engine = Engine::new(Settings::default())?;
    /// engine.apply(&Event::from_json(br#"{"id":"1","source":"billing","type":"billing.subscription_set","subject":"acme",
    ///     "time":"2026-01-05T10:00:00Z","data":{"subscription":"s","status":"active","amount":100,"currency":"USD",
    ///     "interval":{"unit":"month"},"term_end":"2026-03-10"}}"#)?)?;
    /// let march = Period::parse("2026-03", engine.zone())?;
    /// let renewals = engine.renewals(march, engine.zone().as_of("2026-02-28")?, None);
    /// assert_eq!((renewals.rows[0].days, renewals.rows[0].mrr.mrr().to_string()), (10, "100".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn renewals(&self, period: Period, as_of: Instant, model: Option<&Model>) -> Renewals {
        let scorer = model.map(|model| self.scorer(model, as_of));
        let vantage = self.vantage(as_of);
        let mut rows = Vec::new();
        for client in self.book.living() {
            let view = vantage.view(&client.state);
            let health = || scorer.as_ref().map(|scorer| scorer.score(&client));
            rows.extend(of_client(client.id, &view, period, &health));
        }
        Renewals::new(period, as_of, rows)
    }

    /// Would users recommend us: the answers of the last `days` calendar days by client, by segment and all together, with
    /// the net promoter score of each.
    ///
    /// ```
    /// use healthfold::{Engine, Event, ScoresOf, Settings};
    /// let mut engine = Engine::new(Settings::default())?;
    /// for (user, score) in [("u-1", 10), ("u-2", 9), ("u-3", 7), ("u-4", 2)] {
    ///     engine.apply(&Event::from_json(format!(r#"{{"id":"{user}","source":"survey","type":"client.nps_answered",
    ///         "subject":"acme","time":"2026-01-05T10:00:00Z","data":{{"score":{score},"user":"{user}"}}}}"#).as_bytes())?)?;
    /// }
    /// let nps = engine.book_nps(engine.zone().as_of("2026-01-31")?, 90, ScoresOf::All)?;
    /// assert_eq!((nps.total.answers, nps.total.nps), (4, Some(25.0)), "(2 - 1) / 4 x 100");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If `days` is not from 1 to 36500.
    pub fn book_nps(&self, as_of: Instant, days: u32, of: ScoresOf) -> Result<BookNps, QueryError> {
        let window = window("days", days)?;
        let clients: Vec<_> = self.book.living().collect();
        let vantage = self.vantage(as_of);
        let views = clients.iter().map(|client| (client.id, vantage.view(&client.state)));
        Ok(BookNps::new(as_of, window, views.filter(|(_, view)| self.is_asked(view, of))))
    }

    /// Doubts about a model: those of [`Model::lint`], and what shows only on a book, such as a signal that reads the same
    /// for everybody. Each choice of a model set is judged by the clients it fits, from ten of them on.
    pub fn lint(&self, model: &Model, as_of: Instant, of: ScoresOf) -> Vec<Finding> {
        let scorer = self.scorer(model, as_of);
        let mut seen = Seen::new(model);
        for client in self.book.living() {
            if self.is_asked(&scorer.view(&client.state), of) {
                seen.take_in(&scorer, &client);
            }
        }
        seen.findings(model)
    }

    /// Every client that is asked about, with its score and what it pays, in order of ids.
    fn standings(&self, model: &Model, as_of: Instant, of: ScoresOf) -> Result<Vec<Standing>, NoValue> {
        self.standings_in(model, as_of, of, self.rates_of(model).as_ref())
    }

    /// As [`Engine::standings`], with what they pay at some rates.
    fn standings_in(
        &self,
        model: &Model,
        as_of: Instant,
        of: ScoresOf,
        rates: Option<&Rates>,
    ) -> Result<Vec<Standing>, NoValue> {
        let scorer = self.scorer(model, as_of);
        let standings =
            self.of_scored(&scorer, of, |client, view, sheet| Standing::new(client.id, view, sheet, rates));
        standings.into_iter().collect()
    }

    /// The rates by which a model values the money of the book.
    pub(super) fn rates_of(&self, model: &Model) -> Option<Rates> {
        model.valuation().map(|valuation| valuation.table(&self.zone))
    }

    /// Who is whose child at an instant.
    fn families(&self, as_of: Instant) -> Families {
        let mut families = Families::default();
        let vantage = self.vantage(as_of);
        for client in self.book.living() {
            let parent = client.state.profile.stated.parent.value_at(as_of).and_then(Option::as_ref);
            let Some(parent) = parent else { continue };
            if vantage.view(&client.state).seen() {
                families.note(self.book.resolve(parent, &self.settings.erasure_key), client.id);
            }
        }
        families
    }
}

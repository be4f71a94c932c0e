//! Answers about the whole book that are kept fresh while events come, for what the clients cost that changed.

use super::{Engine, ScoresOf};
use crate::book::{Client, warmed};
use crate::changes::{Mark, Since};
use crate::daily::Cells;
use crate::error::QueryError;
use crate::exchange::Rates;
use crate::facts::Facts;
use crate::health::Standing;
use crate::health::bands::BookHealth;
use crate::health::tally::Tally;
use crate::id::ClientId;
use crate::index::Careful;
use crate::period::Period;
use crate::revenue::{Asking, LiveRevenue, Part, Question, RevenueOptions, RevenueReport};
use crate::score::{Model, Name, Scorer, Sheet};
use crate::state::ClientState;
use crate::time::{Day, Instant};
use serde::Serialize;
use std::collections::HashMap;

/// What a refresh did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Refreshed {
    /// How many clients were looked at again.
    pub clients: u64,
    /// Whether these were all: see [`Watch::refresh`].
    pub whole: bool,
}

/// What is known of a client.
#[derive(Clone, Debug)]
struct Known {
    standing: Option<Standing>,
    part: Option<Part>,
}

/// What the scores of all clients rest on, beside the clients themselves.
#[derive(Clone, Debug, PartialEq)]
struct Basis {
    facts: Facts,
    /// When the sources that the model names were heard of.
    heard: Vec<Option<Cells<Day, Instant>>>,
}

/// A fixed hash: its order is never looked at.
type ByClient<T> = HashMap<ClientId, T, Careful>;

/// The health of a book by one model, and the revenue of one period, kept fresh: made by [`Engine::watch`].
///
/// It holds a few numbers of every client, and answers as [`Engine::book_health`] and [`Engine::revenue`] do, to the last
/// bit, but for the intervals of money rates, which need all clients again.
#[derive(Clone, Debug)]
pub struct Watch {
    model: Model,
    of: ScoresOf,
    money: Option<(Period, RevenueOptions)>,
    as_of: Instant,
    mark: Mark,
    /// `None` until a refresh came to its end.
    basis: Option<Basis>,
    known: ByClient<Known>,
    tally: Tally,
    revenue: LiveRevenue,
}

impl Engine {
    /// Watches the health of the book by a model, and the revenue of a period if one is given: from then on
    /// [`Watch::refresh`] costs what the clients cost that changed, however many there are.
    ///
    /// ```
    /// use healthfold::{Engine, Event, Model, ScoresOf, Settings};
    /// let mut engine = Engine::new(Settings::default())?;
    /// let mood = |id: &str, client: &str, mood: u8| Event::from_json(format!(r#"{{"id":"{id}","source":"crm",
    ///     "type":"client.sentiment_set","subject":"{client}","time":"2026-01-05T10:00:00Z","data":{{"value":{mood}}}}}"#).as_bytes());
    /// engine.apply(&mood("1", "acme", 80)?)?;
    /// engine.apply(&mood("2", "birch", 20)?)?;
    /// let model = Model::builder("mood")
    ///     .signal("mood", serde_json::json!({"kind": "sentiment"}))
    ///     .group(healthfold::GroupBuilder::new("voice").part("mood", 1.0, serde_json::json!({"points": [[0, 0], [100, 100]]})))
    ///     .band("red", 0.0)
    ///     .band("green", 60.0)
    ///     .build()?;
    /// let as_of = engine.zone().as_of("2026-01-06")?;
    /// let mut watch = engine.watch(&model, as_of, ScoresOf::All, None)?;
    /// assert_eq!(watch.health().mean, Some(50.0));
    /// engine.apply(&mood("3", "birch", 70)?)?;
    /// let refreshed = watch.refresh(&engine, as_of)?;
    /// assert_eq!((refreshed.clients, refreshed.whole), (1, false));
    /// assert_eq!(watch.health(), engine.book_health(&model, as_of, ScoresOf::All)?);
    /// assert_eq!(watch.score(&"birch".into()).unwrap().1, &"green");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Engine::book_health`] and [`Engine::revenue`]; if the options group, count flows, look at trailing months or open
    /// renewals, or draw intervals.
    pub fn watch(
        &mut self,
        model: &Model,
        as_of: Instant,
        of: ScoresOf,
        money: Option<(Period, RevenueOptions)>,
    ) -> Result<Watch, QueryError> {
        let mut watch = Watch {
            model: model.clone(),
            of,
            money,
            as_of,
            mark: self.book.watch(),
            basis: None,
            known: ByClient::default(),
            tally: Tally::default(),
            revenue: LiveRevenue::default(),
        };
        watch.refresh(self, as_of)?;
        Ok(watch)
    }

    /// The question about a period that is watched.
    fn question_watched<'q>(
        &'q self,
        options: &'q RevenueOptions,
        period: Period,
        as_of: Instant,
    ) -> Result<Question<'q>, QueryError> {
        let as_of = options.as_of.map_or(as_of.min(period.end), |stated| stated.instant(&self.zone));
        period.begun(as_of)?;
        Ok(self.question_at(options, as_of))
    }
}

impl Watch {
    /// Takes in what happened since the last refresh, and answers as of an instant from then on.
    ///
    /// Only clients that changed are looked at again. All of them are where everything may be different: at another instant
    /// (watch as of the end of a day, and it is another one once a day), after a merge, an erasure, a retraction, a seal or
    /// [`Engine::merge`], when the book hears of a kind of event for the first time or on an earlier day than before, or of a
    /// source the model names on a new day; by a model that compares clients with their peers, after every change; and for
    /// another engine than the one that is watched, such as a clone of it.
    ///
    /// # Errors
    /// As [`Engine::watch`]; the next refresh looks at all clients then.
    pub fn refresh(&mut self, engine: &Engine, as_of: Instant) -> Result<Refreshed, QueryError> {
        let (since, mark) = engine.book.changed_since(self.mark);
        let basis = self.basis_in(engine);
        let same = as_of == self.as_of && self.basis.as_ref() == Some(&basis);
        let changed = match since {
            Since::Subjects(slots) if same && (slots.is_empty() || !self.model.compares_peers()) => {
                Some(slots)
            }
            Since::Subjects(_) | Since::Everything => None,
        };
        // Should it fail half way, nothing that is kept counts.
        (self.basis, self.mark, self.as_of) = (None, mark, as_of);
        let clients = self.look(engine, changed.as_deref())?;
        self.basis = Some(basis);
        Ok(Refreshed { clients, whole: changed.is_none() })
    }

    fn look(&mut self, engine: &Engine, changed: Option<&[u32]>) -> Result<u64, QueryError> {
        let Self { model, of, money, as_of, known, tally, revenue, .. } = self;
        let question = match money {
            Some((period, options)) => Some((engine.question_watched(options, *period, *as_of)?, *period)),
            None => None,
        };
        let asking = match &question {
            Some((question, period)) => Some(Asking::new(question, *period)?),
            None => None,
        };
        let scorer = engine.scorer(model, *as_of);
        let mut looking = Looking {
            engine,
            sheet: scorer.sheet(),
            scorer: &scorer,
            of: *of,
            asking,
            rates: engine.rates_of(model),
        };
        let mut clients = 0;
        let Some(changed) = changed else {
            known.clear();
            (*tally, *revenue) = (Tally::default(), LiveRevenue::default());
            for client in engine.book.within(0..engine.book.places(), ClientState::warm) {
                let now = looking.at(&client)?;
                enter(tally, revenue, &now);
                known.insert(client.id.clone(), now);
                clients += 1;
            }
            return Ok(clients);
        };
        let changed = changed.iter().filter_map(|slot| engine.book.client_of(*slot));
        let warm = |(_, client): &(&ClientId, Option<Client<'_>>), reach| {
            client.as_ref().map_or(0, |client| client.state.warm(reach))
        };
        for (id, client) in warmed(changed, warm) {
            let now = client.map(|client| looking.at(&client)).transpose()?;
            let before = known.get_mut(id);
            before.iter().for_each(|before| leave(tally, revenue, before));
            now.iter().for_each(|now| enter(tally, revenue, now));
            match (before, now) {
                (Some(known), Some(now)) => *known = now,
                (None, Some(now)) => drop(known.insert(id.clone(), now)),
                (_, None) => drop(known.remove(id)),
            }
            clients += 1;
        }
        Ok(clients)
    }

    fn basis_in(&self, engine: &Engine) -> Basis {
        let heard = self.model.sources().map(|source| engine.book.heard(source).cloned());
        Basis { facts: engine.book.facts().clone(), heard: heard.collect() }
    }

    /// As of when it answers.
    pub fn as_of(&self) -> Instant {
        self.as_of
    }

    /// How the book stands: as [`Engine::book_health`].
    pub fn health(&self) -> BookHealth {
        BookHealth::new(&self.model, self.as_of, &self.tally)
    }

    /// The score and the band of a client that is asked about.
    pub fn score(&self, client: &ClientId) -> Option<(Option<f64>, &Name)> {
        let standing = self.known.get(client)?.standing.as_ref()?;
        Some((standing.score, &standing.band))
    }

    /// The revenue of the period that is watched, if one is: as [`Engine::revenue`] as of the watch's instant (or of the one
    /// that the options state, or of the period's end where that is past), without the intervals of money rates.
    ///
    /// # Errors
    /// As [`Engine::revenue`].
    pub fn revenue(&self, engine: &Engine) -> Result<Option<RevenueReport>, QueryError> {
        let Some((period, options)) = &self.money else { return Ok(None) };
        let question = engine.question_watched(options, *period, self.as_of)?;
        Ok(Some(Asking::new(&question, *period)?.report(&self.revenue)))
    }
}

fn enter(tally: &mut Tally, revenue: &mut LiveRevenue, now: &Known) {
    now.standing.iter().for_each(|standing| tally.add(standing));
    now.part.iter().for_each(|part| revenue.add(part));
}

fn leave(tally: &mut Tally, revenue: &mut LiveRevenue, before: &Known) {
    before.standing.iter().for_each(|standing| tally.remove(standing));
    before.part.iter().for_each(|part| revenue.remove(part));
}

/// What looking at a client takes.
struct Looking<'l> {
    engine: &'l Engine,
    scorer: &'l Scorer<'l>,
    sheet: Sheet<'l>,
    of: ScoresOf,
    rates: Option<Rates>,
    asking: Option<Asking<'l>>,
}

impl Looking<'_> {
    fn at(&mut self, client: &Client<'_>) -> Result<Known, QueryError> {
        let view = self.scorer.view(&client.state);
        let asked = !self.engine.book.is_erased(client.id) && self.engine.is_asked(&view, self.of);
        let standing = if asked {
            self.scorer.fill(view, &mut self.sheet);
            Some(Standing::new(client.id, &view, &self.sheet, self.rates.as_ref())?)
        } else {
            None
        };
        let part = match &self.asking {
            Some(asking) => asking.part(client)?,
            None => None,
        };
        Ok(Known { standing, part })
    }
}

//! Questions about what came after: does a number tell of anything, and how far is a client with becoming active.

use super::Engine;
use crate::error::QueryError;
use crate::evidence::{
    Lift, NorthStar, Outcome, TrialComparison, TrialSplit, Watched, compare_trials, lift, north_stars,
};
use crate::id::ClientId;
use crate::period::Period;
use crate::revenue::{RevenueOptions, Span};
use crate::score::Model;
use crate::signal::params::{Days, Param};
use crate::signal::{SignalSpec, View};
use crate::time::{Day, Instant};
use serde::Serialize;

/// How far a client is with a set of milestones that it should have reached by a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Activation {
    /// The instant the last of them was reached; `None` while one is open.
    pub activated_at: Option<Instant>,
    /// The last day on which that is in time.
    pub due: Day,
    /// The day from which on it is late, where it is late and not activated.
    pub stalled_since: Option<Day>,
    /// Those reached, with the instant, in the order asked for.
    pub reached: Vec<(String, Instant)>,
    /// Those still open.
    pub open: Vec<String>,
}

/// A number of days to look over, as the windows of signals have it.
pub(super) fn window(setting: &str, days: u32) -> Result<i32, QueryError> {
    let window = Days::read(&days.into()).map(|Days(days)| days);
    window.ok_or_else(|| QueryError::BadSetting {
        setting: setting.to_owned(),
        expected: Days::EXPECTS.to_owned(),
        found: days.to_string(),
    })
}

impl Engine {
    fn watched(&self, as_of: Instant, horizon_days: u32) -> Result<Watched<'_>, QueryError> {
        let days = window("horizon_days", horizon_days)?;
        let until = self.zone.end_of(self.zone.day(as_of).plus(days));
        let last_seen = self.span().map(|(_, last)| last);
        Ok(Watched { book: &self.book, zone: &self.zone, sealed: self.sealed, as_of, until, last_seen })
    }

    /// How often an outcome came about in the `horizon_days` calendar days after an instant, by ranges of a signal then. The
    /// ranges are cut at `edges`: below the first, from each up to below the next, and from the last on.
    ///
    /// # Errors
    /// If the edges do not rise, or are not finite; if `horizon_days` is not from 1 to 36500.
    pub fn lift(
        &self,
        spec: &SignalSpec,
        edges: &[f64],
        outcome: Outcome,
        as_of: Instant,
        horizon_days: u32,
    ) -> Result<Lift, QueryError> {
        let rise = edges.is_sorted_by(|a, b| a < b) && edges.iter().all(|edge| edge.is_finite());
        if !rise {
            let expected = "a list of finite numbers that rise".to_owned();
            let (setting, found) = ("edges".to_owned(), format!("{edges:?}"));
            return Err(QueryError::BadSetting { setting, expected, found });
        }
        Ok(lift(&self.watched(as_of, horizon_days)?, spec, edges, outcome))
    }

    /// The trials that began in a period, split in two by a milestone, by whether the client wrote to support meanwhile, or by
    /// what it is: how many converted, and how many still pay `months` calendar months on, of all and of the converted.
    ///
    /// # Errors
    /// If the period has not begun as of the question.
    pub fn compare_trials(
        &self,
        period: Period,
        split: &TrialSplit,
        months: u32,
        options: &RevenueOptions,
    ) -> Result<TrialComparison, QueryError> {
        let question = self.question(options, period.start, period.end)?;
        let span = Span::new(period, question.as_of);
        Ok(compare_trials(&question, &span, split, months.min(1_200))?)
    }

    /// Whether the signals that a model calls its north star hold: for each, the rank correlation with staying for
    /// `horizon_days` calendar days, with its interval. Empty where the model names none.
    ///
    /// # Errors
    /// If `horizon_days` is not from 1 to 36500.
    pub fn north_star(
        &self,
        model: &Model,
        as_of: Instant,
        horizon_days: u32,
    ) -> Result<Vec<NorthStar>, QueryError> {
        Ok(north_stars(&self.watched(as_of, horizon_days)?, model, &self.scorer(model, as_of)))
    }

    /// How far a client is with a set of milestones, due `within_days` calendar days after its first event.
    ///
    /// # Errors
    /// If the client is unknown, merged or erased, or had no event by then; if no milestone is named, or one twice; if
    /// `within_days` is not from 1 to 36500.
    pub fn activation(
        &self,
        client: &ClientId,
        milestones: &[String],
        within_days: u32,
        as_of: Instant,
    ) -> Result<Activation, QueryError> {
        let client = self.client(client)?;
        let view = View::new(&client.state, as_of, &self.zone, &self.book, self.sealed);
        let days = window("within_days", within_days)?;
        let mut names: Vec<&String> = milestones.iter().collect();
        names.sort_unstable();
        if names.is_empty() || names.iter().zip(names.iter().skip(1)).any(|(a, b)| a == b) {
            let (setting, found) = ("milestones".to_owned(), format!("{milestones:?}"));
            let expected = "a list of at least one milestone, each named once".to_owned();
            return Err(QueryError::BadSetting { setting, expected, found });
        }
        let state = view.activating(milestones, days).filter(|_| view.seen()).ok_or(QueryError::TooFew {
            what: "activation, in events of the client by then,",
            needed: 1,
            found: 0,
        })?;
        let activated_at = state.activated_at();
        let late = activated_at.is_none() && view.today > state.due;
        let reached = state.milestones.iter().filter_map(|(name, at)| at.map(|at| (name.clone(), at)));
        let open = state.milestones.iter().filter(|(_, at)| at.is_none()).map(|(name, _)| name.clone());
        Ok(Activation {
            activated_at,
            due: state.due,
            stalled_since: late.then(|| state.due.plus(1)),
            reached: reached.collect(),
            open: open.collect(),
        })
    }
}

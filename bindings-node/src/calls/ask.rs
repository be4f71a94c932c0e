//! Questions about one client.

use super::Told;
use crate::answer::Answer;
use crate::args::Args;
use healthfold::{Engine, Every};

/// The ids of all clients that can be asked about, in order.
///
/// TypeScript: `clients(): string[]`
pub(super) fn clients(engine: &Engine, args: Args) -> Told {
    args.end()?;
    Answer::of(&engine.clients().collect::<Vec<_>>())
}

/// The first and the last instant of any event.
///
/// TypeScript: `span(): [first: string, last: string] | null`
pub(super) fn span(engine: &Engine, args: Args) -> Told {
    args.end()?;
    Answer::of(&engine.span())
}

/// One number about a client as of an instant, or why there is none.
///
/// TypeScript: `signal(client: string, spec: SpecLike, options: { asOf: When }): Reading`
pub(super) fn signal(engine: &Engine, mut args: Args) -> Told {
    let (client, spec, as_of) = (args.client()?, args.spec("spec")?, args.as_of(engine)?);
    args.end()?;
    Answer::of(&engine.signal(&client, &spec, as_of)?)
}

/// A client's health by a model as of an instant, with every part of it.
///
/// TypeScript: `score(client: string, model: ModelLike, options: { asOf: When }): HealthScore`
pub(super) fn score(engine: &Engine, mut args: Args) -> Told {
    let (client, model, as_of) = (args.client()?, args.model("model")?, args.as_of(engine)?);
    args.end()?;
    Answer::of(&engine.score(&client, &model, as_of)?)
}

/// A client's health day by day, week by week or month by month: as of the last microsecond of each period's last day.
///
/// TypeScript: `scoreHistory(client: string, model: ModelLike, options: { start: When; end: When; every?: Every | null }): Table<HealthScore>`
pub(super) fn score_history(engine: &Engine, mut args: Args) -> Told {
    let (client, model) = (args.client()?, args.model("model")?);
    let (start, end) = (args.instant(engine, "start")?, args.instant(engine, "end")?);
    let every: Every = args.read_or_default("every")?;
    args.end()?;
    Answer::scores(engine.score_history(&client, &model, start, end, every)?)
}

/// Why a client's score changed from `start` to `end`. The model may be another one at the end.
///
/// TypeScript: `explainChange(client: string, model: ModelLike, options: { start: When; end: When; endModel?: ModelLike | null }): ScoreChange`
pub(super) fn explain_change(engine: &Engine, mut args: Args) -> Told {
    let (client, model, last) = (args.client()?, args.model("model")?, args.model_or_none("end_model"));
    let (start, end) = (args.instant(engine, "start")?, args.instant(engine, "end")?);
    args.end()?;
    Answer::of(&engine.explain_change(&client, &model, start, end, last.as_deref())?)
}

/// What happened to a client in [start, end), in order of time: every event that is kept by itself, and usage by day.
///
/// TypeScript: `timeline(client: string, options: { start: When; end: When }): Table<HistoryRow>`
pub(super) fn timeline(engine: &Engine, mut args: Args) -> Told {
    let (client, start, end) = (args.client()?, args.instant(engine, "start")?, args.instant(engine, "end")?);
    args.end()?;
    Answer::list(engine.timeline(&client, start, end)?)
}

/// What does not fit together in a client's events: a reply to a ticket never opened, a retraction of nothing.
///
/// TypeScript: `anomalies(client: string): Table<Anomaly>`
pub(super) fn anomalies(engine: &Engine, mut args: Args) -> Told {
    let client = args.client()?;
    args.end()?;
    Answer::list(engine.anomalies(&client)?)
}

/// How far a client is with a set of milestones, due `withinDays` calendar days after its first event.
///
/// TypeScript: `activation(client: string, milestones: readonly string[], options: { withinDays: number; asOf: When }): Activation`
pub(super) fn activation(engine: &Engine, mut args: Args) -> Told {
    let (client, milestones) = (args.client()?, args.read::<Vec<String>>("milestones")?);
    let (days, as_of) = (args.whole("within_days")?, args.as_of(engine)?);
    args.end()?;
    Answer::of(&engine.activation(&client, &milestones, days, as_of)?)
}

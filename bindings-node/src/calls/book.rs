//! Questions about the health of the book, and whether a number tells of anything.

use super::Told;
use crate::answer::Answer;
use crate::args::Args;
use crate::error::Fault;
use healthfold::{ClientId, Engine, Every, Outcome, RankOptions, RollUpOptions, ScoresOf};

/// The health of all clients, in order of their ids.
///
/// TypeScript: `scores(model: ModelLike, options: { asOf: When; only?: Only }): Table<HealthScore>`
pub(super) fn scores(engine: &Engine, mut args: Args) -> Told {
    let (model, as_of) = (args.model("model")?, args.as_of(engine)?);
    let of: ScoresOf = args.read_or_default("only")?;
    args.end()?;
    Answer::scores(engine.scores(&model, as_of, of))
}

/// The scores of all clients as columns, in order of their ids: the numbers of `scores` for a fraction of the time and memory,
/// each name once.
///
/// TypeScript: `scoreTable(model: ModelLike, options: { asOf: When; only?: Only }): ScoreTable`
pub(super) fn score_table(engine: &Engine, mut args: Args) -> Told {
    let (model, as_of) = (args.model("model")?, args.as_of(engine)?);
    let of: ScoresOf = args.read_or_default("only")?;
    args.end()?;
    Answer::beside(engine.score_table(&model, as_of, of))
}

/// As `scoreTable` as of several instants, such as the ends of twelve months: a table for each, in the order given, in half
/// of the time of asking one after the other.
///
/// TypeScript: `scoreTables(model: ModelLike, options: { asOf: readonly When[]; only?: Only }): ScoreTable[]`
pub(super) fn score_tables(engine: &Engine, mut args: Args) -> Told {
    let (model, as_of) = (args.model("model")?, args.as_of_each(engine)?);
    let of: ScoresOf = args.read_or_default("only")?;
    args.end()?;
    Answer::several(engine.score_tables(&model, &as_of, of))
}

/// What was stated against what the model declares: judgements that are not one of its steps. Empty where all is well.
///
/// TypeScript: `checkData(model: ModelLike, options: { asOf: When }): Table<DataFault>`
pub(super) fn check_data(engine: &Engine, mut args: Args) -> Told {
    let (model, as_of) = (args.model("model")?, args.as_of(engine)?);
    args.end()?;
    Answer::list(engine.check_data(&model, as_of))
}

/// How the book stands: clients and MRR by band.
///
/// TypeScript: `bookHealth(model: ModelLike, options: { asOf: When; only?: Only }): BookHealth`
pub(super) fn book_health(engine: &Engine, mut args: Args) -> Told {
    let (model, as_of) = (args.model("model")?, args.as_of(engine)?);
    let of: ScoresOf = args.read_or_default("only")?;
    args.end()?;
    Answer::of(&engine.book_health(&model, as_of, of)?)
}

/// How the book stood day by day, week by week or month by month.
///
/// TypeScript: `bookHistory(model: ModelLike, options: { start: When; end: When; every?: Every | null; only?: Only }): Table<BookHealth>`
pub(super) fn book_history(engine: &Engine, mut args: Args) -> Told {
    let model = args.model("model")?;
    let (start, end) = (args.instant(engine, "start")?, args.instant(engine, "end")?);
    let (every, of): (Every, ScoresOf) = (args.read_or_default("every")?, args.read_or_default("only")?);
    args.end()?;
    Answer::list(engine.book_history(&model, start, end, every, of)?)
}

/// What two models say of the same book: who changes band, and the MRR that moved.
///
/// TypeScript: `diff(modelA: ModelLike, modelB: ModelLike, options: { asOf: When; only?: Only }): ModelDiff`
pub(super) fn diff(engine: &Engine, mut args: Args) -> Told {
    let (a, b, as_of) = (args.model("model_a")?, args.model("model_b")?, args.as_of(engine)?);
    let of: ScoresOf = args.read_or_default("only")?;
    args.end()?;
    Answer::of(&engine.diff(&a, &b, as_of, of)?)
}

const HOW: [&str; 2] = ["depth", "with_parent"];

/// The health of a parent and those below it: `depth` is `direct` or `all`, `withParent` counts the parent itself.
///
/// TypeScript: `rollUp(parent: string, model: ModelLike, options: { asOf: When; only?: Only; depth?: Depth | null; withParent?: boolean | null }): RollUp`
pub(super) fn roll_up(engine: &Engine, mut args: Args) -> Told {
    let parent = ClientId::new(args.text("parent")?);
    let (model, as_of) = (args.model("model")?, args.as_of(engine)?);
    let (of, how): (ScoresOf, RollUpOptions) = (args.read_or_default("only")?, args.options(&HOW)?);
    args.end()?;
    Answer::of(&engine.roll_up(&parent, &model, as_of, of, how)?)
}

/// The same for every parent.
///
/// TypeScript: `rollUps(model: ModelLike, options: { asOf: When; only?: Only; depth?: Depth | null; withParent?: boolean | null }): Table<RollUp>`
pub(super) fn roll_ups(engine: &Engine, mut args: Args) -> Told {
    let (model, as_of) = (args.model("model")?, args.as_of(engine)?);
    let (of, how): (ScoresOf, RollUpOptions) = (args.read_or_default("only")?, args.options(&HOW)?);
    args.end()?;
    Answer::list(engine.roll_ups(&model, as_of, of, how)?)
}

/// Clients in order of a signal (`by`), or of their score (`model`); those without one last.
///
/// TypeScript: `rank(options: { by?: SpecLike | null; model?: ModelLike | null; asOf: When; only?: Only; within?: RankWithin | null; order?: RankOrder | null }): Table<RankRow>`
pub(super) fn rank(engine: &Engine, mut args: Args) -> Told {
    let how: RankOptions = args.options(&["within", "order"])?;
    let (as_of, of): (_, ScoresOf) = (args.as_of(engine)?, args.read_or_default("only")?);
    let by = if args.has("by") { Some(args.spec("by")?) } else { None };
    let model = args.model_or_none("model");
    args.end()?;
    match (by, model) {
        (Some(by), None) => Answer::list(engine.rank(&by, as_of, of, how)),
        (None, Some(model)) => Answer::list(engine.rank_by_score(&model, as_of, of, how)),
        _ => Err(Fault::value("by", "a rank takes a signal `by` or a `model`, and not both")),
    }
}

/// Subscriptions whose term, or whose self by a known cancellation, ends in a period; with a model also how their clients are.
///
/// TypeScript: `renewals(period: PeriodLike, options: { asOf: When; model?: ModelLike | null }): Renewals`
pub(super) fn renewals(engine: &Engine, mut args: Args) -> Told {
    let (period, as_of, model) = (args.period(engine)?, args.as_of(engine)?, args.model_or_none("model"));
    args.end()?;
    Answer::of(&engine.renewals(period, as_of, model.as_deref()))
}

/// Would users recommend us: the answers of the last `days` calendar days (180 unless said) by client, by segment and all
/// together.
///
/// TypeScript: `bookNps(options: { asOf: When; days?: number | null; only?: Only }): BookNps`
pub(super) fn book_nps(engine: &Engine, mut args: Args) -> Told {
    let (as_of, of): (_, ScoresOf) = (args.as_of(engine)?, args.read_or_default("only")?);
    let days = args.whole_or("days", 180)?;
    args.end()?;
    Answer::of(&engine.book_nps(as_of, days, of)?)
}

/// Doubts about a model: those of `Model.lint`, and what shows only on a book, such as a signal that never varies.
///
/// TypeScript: `lint(model: ModelLike, options: { asOf: When; only?: Only }): Finding[]`
pub(super) fn lint(engine: &Engine, mut args: Args) -> Told {
    let (model, as_of) = (args.model("model")?, args.as_of(engine)?);
    let of: ScoresOf = args.read_or_default("only")?;
    args.end()?;
    Answer::of(&engine.lint(&model, as_of, of))
}

/// How often an outcome came about in the `horizonDays` calendar days after an instant, by ranges of a signal then, cut at
/// `edges`.
///
/// TypeScript: `lift(spec: SpecLike, options: { edges: readonly number[]; outcome: Outcome; asOf: When; horizonDays: number }): Lift`
pub(super) fn lift(engine: &Engine, mut args: Args) -> Told {
    let (spec, edges) = (args.spec("spec")?, args.read::<Vec<f64>>("edges")?);
    let (outcome, days): (Outcome, u32) = (args.read("outcome")?, args.whole("horizon_days")?);
    let as_of = args.as_of(engine)?;
    args.end()?;
    Answer::of(&engine.lift(&spec, &edges, outcome, as_of, days)?)
}

/// Whether the signals that a model calls its north star went with staying, `horizonDays` after an instant.
///
/// TypeScript: `northStar(model: ModelLike, options: { asOf: When; horizonDays: number }): Table<NorthStar>`
pub(super) fn north_star(engine: &Engine, mut args: Args) -> Told {
    let (model, as_of) = (args.model("model")?, args.as_of(engine)?);
    let days = args.whole("horizon_days")?;
    args.end()?;
    Answer::list(engine.north_star(&model, as_of, days)?)
}

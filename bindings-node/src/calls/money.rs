//! Questions about money.

use super::Told;
use crate::answer::{Answer, Opened};
use crate::args::Args;
use crate::error::query;
use healthfold::{AsOf, Benchmark, Engine, PeriodUnit, ReasonClasses, Scorecard, Target};

/// The recurring revenue of a period: opening, every movement, closing, and the rates that follow from them.
///
/// TypeScript: `revenue(period: PeriodLike, options?: RevenueSettings): RevenueReport`
pub(super) fn revenue(engine: &Engine, mut args: Args) -> Told {
    let period = args.period(engine)?;
    Answer::of(&engine.revenue(period, &args.settings()?)?)
}

/// The reports of consecutive periods, by month unless said, in one pass over the clients, all asked as of one instant.
///
/// TypeScript: `revenueSeries(options: { start: When; end: When; every?: PeriodUnit | null } & RevenueSettings): RevenueSeries`
pub(super) fn revenue_series(engine: &Engine, mut args: Args) -> Told {
    let (start, end) = (args.beginning(engine, "start")?, args.beginning(engine, "end")?);
    let every = match args.read_or_default::<Option<String>>("every")? {
        Some(every) => every.parse().map_err(query)?,
        None => PeriodUnit::Month,
    };
    Opened::from(engine.revenue_series(start, end, every, &args.settings()?)?).try_into()
}

/// What each client did over a period, with the events behind it.
///
/// TypeScript: `movements(period: PeriodLike, options?: RevenueSettings): Movements`
pub(super) fn movements(engine: &Engine, mut args: Args) -> Told {
    let period = args.period(engine)?;
    Opened::from(engine.movements(period, &args.settings()?)?).try_into()
}

/// Why clients left in a period, by stated reason and by the action that `classes`, an object of reasons, calls for.
///
/// TypeScript: `churnReasons(period: PeriodLike, options?: { classes?: Readonly<Record<string, string>> | null } & RevenueSettings): ChurnReasons`
pub(super) fn churn_reasons(engine: &Engine, mut args: Args) -> Told {
    let (period, classes) = (args.period(engine)?, args.take("classes"));
    let classes =
        classes.map(|classes| ReasonClasses::from_json(classes.get()).map_err(query)).transpose()?;
    Answer::of(&engine.churn_reasons(period, &classes.unwrap_or_default(), &args.settings()?)?)
}

/// Clients by the month in which they began to pay, and what became of them month by month. `start` and `end` are months such
/// as "2026-01", or dates, which stand for their month; both are included.
///
/// TypeScript: `cohorts(options: { asOf: When; start?: string | null; end?: string | null } & MoneySettings): Cohorts`
pub(super) fn cohorts(engine: &Engine, mut args: Args) -> Told {
    let (months, as_of) = ((args.month("start")?, args.month("end")?), args.as_of(engine)?);
    Opened::from(engine.cohorts(months, AsOf::At(as_of), &args.settings()?)?).try_into()
}

/// The trials that began and those that ended in a period, and how many of them pay.
///
/// TypeScript: `trials(period: PeriodLike, options?: RevenueSettings): Trials`
pub(super) fn trials(engine: &Engine, mut args: Args) -> Told {
    let period = args.period(engine)?;
    Answer::of(&engine.trials(period, &args.settings()?)?)
}

/// The `n` clients with the greatest MRR at an instant.
///
/// TypeScript: `top(n: number, options: { asOf: When } & MoneySettings): TopClients`
pub(super) fn top(engine: &Engine, mut args: Args) -> Told {
    let (n, as_of) = (args.whole("n")?, args.as_of(engine)?);
    // Node runs where 32 bits fit a usize.
    Answer::of(&engine.top(n as usize, AsOf::At(as_of), &args.settings()?)?)
}

/// Targets of owners, or of the whole book, beside what came of them.
///
/// TypeScript: `targets(period: PeriodLike, targets: readonly TargetLike[], options?: RevenueSettings): Targets`
pub(super) fn targets(engine: &Engine, mut args: Args) -> Told {
    let (period, targets) = (args.period(engine)?, args.json("targets")?);
    let targets = Target::list_from_json(&targets).map_err(query)?;
    Answer::of(&engine.targets(period, &targets, &args.settings()?)?)
}

/// Benchmarks of yours beside what came of them.
///
/// TypeScript: `benchmarks(period: PeriodLike, benchmarks: readonly BenchmarkLike[], options?: RevenueSettings): Benchmarks`
pub(super) fn benchmarks(engine: &Engine, mut args: Args) -> Told {
    let (period, benchmarks) = (args.period(engine)?, args.json("benchmarks")?);
    let benchmarks = Benchmark::list_from_json(&benchmarks).map_err(query)?;
    Answer::of(&engine.benchmarks(period, &benchmarks, &args.settings()?)?)
}

/// A scorecard filled in for a period: its metrics and nothing else.
///
/// TypeScript: `scorecard(scorecard: SpecLike, period: PeriodLike, options?: RevenueSettings): ScorecardReport`
pub(super) fn scorecard(engine: &Engine, mut args: Args) -> Told {
    let (card, period) = (Scorecard::from_json(&args.document("scorecard")?)?, args.period(engine)?);
    Answer::of(&engine.scorecard(&card, period, &args.settings()?)?)
}

/// Cash beside run-rate: what was invoiced, paid, charged and refunded in a period, and what is overdue at its end.
///
/// TypeScript: `cash(period: PeriodLike, options?: { asOf?: When | null }): Cash`
pub(super) fn cash(engine: &Engine, mut args: Args) -> Told {
    let (period, as_of) = (args.period(engine)?, args.as_of_or_none()?);
    args.end()?;
    Answer::of(&engine.cash(period, as_of)?)
}

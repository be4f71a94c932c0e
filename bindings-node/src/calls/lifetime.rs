//! Questions about how long clients stay and what they are worth.

use super::Told;
use crate::answer::{Answer, Opened};
use crate::args::Args;
use crate::error::{Fault, query};
use healthfold::{Engine, LifetimeOptions, Ltv, LtvMethod, LtvOptions, TrialSplit};

/// How long clients stay: Kaplan-Meier curves of their unbroken paying times, the median and the restricted mean; with `groupBy`
/// of each group, and whether the groups last alike.
///
/// TypeScript: `lifetime(options: { asOf: When } & LifetimeSettings): Lifetime`
pub(super) fn lifetime(engine: &Engine, mut args: Args) -> Told {
    let as_of = args.as_of(engine)?;
    Answer::beside(engine.lifetime(as_of, &settings(args)?)?)
}

/// The unbroken paying times behind `lifetime`, one by one.
///
/// TypeScript: `spells(options: { asOf: When } & LifetimeSettings): Spells`
pub(super) fn spells(engine: &Engine, mut args: Args) -> Told {
    let as_of = args.as_of(engine)?;
    Opened::from(engine.spells(as_of, &settings(args)?)?).try_into()
}

/// How often, how lately and for how much clients buy without a contract, by their charges.
///
/// TypeScript: `rfm(options: { asOf: When } & LifetimeSettings): RfmSummary`
pub(super) fn rfm(engine: &Engine, mut args: Args) -> Told {
    let as_of = args.as_of(engine)?;
    Opened::from(engine.rfm(as_of, &settings(args)?)?).try_into()
}

fn settings(args: Args) -> Result<LifetimeOptions, Fault> {
    LifetimeOptions::from_json(&args.rest()?).map_err(query)
}

/// What clients are worth, by a method. `simple`: ARPA x `margin` / monthly logo churn of a `period`, or of the last month that is
/// over `asOf` an instant. `observed`: what each client has paid. `sbg`, `bdw`: renewals still to come. `bg_nbd`, `mbg_nbd`,
/// `pareto_nbd`: purchases still to come. Every answer names its method and horizon.
///
/// TypeScript: `ltv(options: { method: "simple"; period: PeriodLike; asOf?: When | null } & LtvSettings): SimpleLtv`
/// TypeScript: `ltv(options: { method: "simple"; asOf: When } & LtvSettings): SimpleLtv`
/// TypeScript: `ltv(options: { method: "observed"; asOf: When } & LtvSettings): ObservedLtv`
/// TypeScript: `ltv(options: { method: Exclude<LtvMethod, "simple" | "observed">; asOf: When } & LtvSettings): ModelLtv`
pub(super) fn ltv(engine: &Engine, mut args: Args) -> Told {
    let period = args.period_or_none(engine)?;
    let as_of = if args.has("as_of") { Some(args.as_of(engine)?) } else { None };
    let options = LtvOptions::from_json(&args.rest()?).map_err(query)?;
    if let Some(period) = period.filter(|_| options.method == LtvMethod::Simple) {
        return Opened::from(engine.ltv_of_period(period, as_of, &options)?).try_into();
    }
    let as_of = as_of.ok_or_else(|| Fault::value("as_of", "is missing, this method needs it"))?;
    match engine.ltv(as_of, &options)? {
        Ltv::Simple(value) => Opened::from(*value).try_into(),
        Ltv::Observed(value) => Opened::from(value).try_into(),
        Ltv::Model(value) => Opened::from(*value).try_into(),
    }
}

/// The trials that began in a period, split in two by a milestone, by whether the client wrote to support meanwhile, or by what it
/// is: how many converted, and how many still pay some months on (1 unless said), of all and of the converted.
///
/// TypeScript: `compareTrials(period: PeriodLike, options: { split: TrialSplit; months?: number | null } & RevenueSettings): TrialComparison`
pub(super) fn compare_trials(engine: &Engine, mut args: Args) -> Told {
    let (period, split) = (args.period(engine)?, args.read::<TrialSplit>("split")?);
    let months = args.whole_or("months", 1)?;
    Answer::of(&engine.compare_trials(period, &split, months, &args.settings()?)?)
}

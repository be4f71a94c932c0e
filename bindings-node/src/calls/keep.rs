//! Keeping an engine: snapshots, merging, fingerprints.

use super::Told;
use crate::answer::Answer;
use crate::args::Args;
use crate::error::Fault;
use crate::run::{Shared, Wanted};
use healthfold::{Dedupe, Engine};
use serde_json::json;
use std::sync::{Arc, Mutex};

/// The whole engine as bytes: canonical, with a checked header. They can be transferred to a worker.
///
/// TypeScript: `snapshot(): Uint8Array`
pub(super) fn snapshot(engine: &Engine, args: Args) -> Told {
    args.end()?;
    Ok(Answer::Bytes(engine.snapshot()))
}

/// A hash of the canonical bytes, in hex: equal for engines that hold the same events, in every language.
///
/// TypeScript: `fingerprint(): string`
pub(super) fn fingerprint(engine: &Engine, args: Args) -> Told {
    args.end()?;
    Answer::of(&engine.fingerprint())
}

/// An engine of its own with the same state.
///
/// TypeScript: `copy(): Engine`
pub(super) fn copy(engine: &Engine, args: Args) -> Told {
    args.end()?;
    Ok(Answer::Engine(Shared::new(engine.clone())))
}

/// The settings of an engine, for its getters.
pub(super) fn about(engine: &Engine, args: Args) -> Told {
    args.end()?;
    let dedupe = match engine.settings().dedupe {
        Dedupe::Exact => "exact",
        Dedupe::Upstream => "upstream",
    };
    Answer::of(&json!({
        "timezone": engine.zone().name(), "dedupe": dedupe, "zone_data": engine.zone_data(),
        "sealed_before": engine.sealed_before(),
    }))
}

/// The id under which an erased client's money and sums are kept.
///
/// TypeScript: `anonymousId(client: string): string`
pub(super) fn anonymous_id(engine: &Engine, mut args: Args) -> Told {
    let client = args.client()?;
    args.end()?;
    Answer::of(&engine.anonymous_id(&client))
}

/// Takes in the events of another engine. Billing, support, client and `usage.day_set` events may be in both; counted and
/// measured usage may not. Under `dedupe: "upstream"` nobody can tell, so say `disjoint: true` where no event is in both.
///
/// TypeScript: `merge(other: Engine, options?: { disjoint?: boolean }): void`
pub(super) fn merge(shared: &Arc<Shared>, mut args: Args, wanted: &Wanted) -> Told {
    let disjoint: bool = args.read_or_default("disjoint")?;
    args.end()?;
    let other = args.other.ok_or_else(|| Fault::value("other", "is missing"))?;
    // A copy, so that an engine can merge with itself.
    let other = other.ask(|engine| Ok(engine.clone()))?;
    wanted.check()?;
    shared.change(|engine| {
        if disjoint {
            engine.merge_disjoint(&other)?;
        } else {
            engine.merge(&other)?;
        }
        Ok(Answer::Nothing)
    })
}

/// Keeps the health of the book by one model fresh, and with `period` its revenue: a refresh after some events costs what the
/// clients cost that changed.
///
/// TypeScript: `watch(model: ModelLike, options: { asOf: When; only?: Only; period?: PeriodLike | null } & MoneySettings): Watch`
pub(super) fn watch(shared: &Arc<Shared>, mut args: Args, _: &Wanted) -> Told {
    let watch = shared.change(|engine| {
        let (model, as_of) = (args.model("model")?, args.as_of(engine)?);
        let (of, period) = (args.read_or_default("only")?, args.period_or_none(engine)?);
        let options = args.settings()?;
        Ok(engine.watch(&model, as_of, of, period.map(|period| (period, options)))?)
    })?;
    Ok(Answer::Watch(Arc::clone(shared), Arc::new(Mutex::new(watch))))
}

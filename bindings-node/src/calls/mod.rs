//! Every question and change by its name. The line `TypeScript:` of each is its signature there; `cargo xtask codegen` makes
//! the package's declarations of these lines and of the docs above them.

mod ask;
mod book;
mod fold;
mod keep;
mod lifetime;
mod money;
mod table;

use crate::answer::Answer;
use crate::args::Args;
use crate::error::Fault;
use crate::run::{Shared, Wanted};
use healthfold::Engine;
use std::sync::Arc;

type Told = Result<Answer, Fault>;

/// A function for each name, in the module that has it.
macro_rules! calls {
    ($call:ident, $given:tt; $($module:ident: $($name:ident),+;)+) => {
        match $call {
            $($(stringify!($name) => $module::$name $given,)+)+
            _ => Err(Fault::Internal(format!("there is no call `{}`", $call))),
        }
    };
}

/// A question.
pub(crate) fn ask(engine: &Engine, call: &str, args: Args) -> Told {
    calls! { call, (engine, args);
        ask: clients, span, signal, score, score_history, explain_change, timeline, anomalies, activation;
        book: scores, score_table, score_tables, check_data, book_health, book_history, diff, roll_up, roll_ups, rank, renewals, book_nps,
            lint, lift, north_star;
        money: revenue, revenue_series, movements, churn_reasons, cohorts, trials, top, targets, benchmarks, scorecard, cash;
        lifetime: lifetime, spells, rfm, ltv, compare_trials;
        keep: snapshot, fingerprint, copy, about, anonymous_id;
    }
}

/// A change.
pub(crate) fn change(shared: &Arc<Shared>, call: &str, args: Args, wanted: &Wanted) -> Told {
    calls! { call, (shared, args, wanted);
        fold: apply_ndjson, apply_texts, seal;
        table: apply_table, apply_parquet, apply_parquet_each;
        keep: merge, watch;
    }
}

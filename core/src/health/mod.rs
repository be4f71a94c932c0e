//! The health of the book: scores and recurring revenue of many clients, looked at together.
//!
//! | file | question |
//! |---|---|
//! | `tally` | what clients add up to |
//! | `bands` | how many clients, and how much MRR, are in each band |
//! | `diff` | what would another model say of the same clients |
//! | `rollup` | how is a parent, seen through its children |
//! | `rank` | who is first and who is last by a signal or a score |
//! | `renewal` | whose contract ends when, and how are they |
//! | `nps` | would users recommend us, by client and by segment |
//!
//! Money is what clients pay at the instant, exact, with the default settings of the run-rate: apart by currency, or in the
//! currency of the model at the rates in force then. Of erased clients there is neither score nor money here.

pub(crate) mod tally;
pub(crate) mod bands;
pub(crate) mod diff;
pub(crate) mod nps;
pub(crate) mod rank;
pub(crate) mod renewal;
pub(crate) mod rollup;

use crate::exchange::{NoValue, Rates};
use crate::id::ClientId;
use crate::money::Currency;
use crate::rate::share_of_heads;
use crate::recurring::{Annual, Recurring};
use crate::score::{Name, Sheet};
use crate::signal::View;
use crate::state::run_rate::{RunRateRules, annual_at};
use serde::Serialize;
use std::collections::BTreeMap;

/// A share of a whole book or family: no sample, so without an interval. Undefined over nobody.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HeadShare {
    /// How many.
    pub part: u64,
    /// Of how many.
    pub whole: u64,
    /// part / whole; `None` over nobody.
    pub value: Option<f64>,
}

impl HeadShare {
    pub(crate) fn new(part: u64, whole: u64) -> Self {
        Self { part, whole, value: share_of_heads(part, whole) }
    }
}

/// A client as the book sees it: its score by one model and what it pays.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) client: ClientId,
    pub(crate) score: Option<f64>,
    pub(crate) band: Name,
    /// A year, by currency; only currencies it pays in.
    pub(crate) annual: BTreeMap<Currency, Annual>,
}

impl Standing {
    pub(crate) fn new(
        client: &ClientId,
        view: &View<'_>,
        sheet: &Sheet<'_>,
        rates: Option<&Rates>,
    ) -> Result<Self, NoValue> {
        let annual = annual_of(view, rates)?;
        Ok(Self { client: client.clone(), score: sheet.score, band: sheet.band_name(), annual })
    }
}

/// What a client pays a year at the view's instant: by currency, or in that of the rates.
fn annual_of(view: &View<'_>, rates: Option<&Rates>) -> Result<BTreeMap<Currency, Annual>, NoValue> {
    let paid = annual_at(&view.state.billing, view.at, &RunRateRules::default(), view.zone);
    let Some(rates) = rates else { return Ok(paid) };
    let mut sum: BTreeMap<Currency, Annual> = BTreeMap::new();
    for (currency, annual) in paid {
        *sum.entry(rates.reporting()).or_default() += rates.value(annual, currency, view.at, view.zone)?;
    }
    Ok(sum)
}

/// As it is printed.
pub(crate) fn printed(sums: BTreeMap<Currency, Annual>) -> BTreeMap<Currency, Recurring> {
    sums.into_iter().map(|(currency, annual)| (currency, annual.into())).collect()
}

/// A number of things as the count in answers.
pub(crate) fn heads(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The mean of some numbers, in their order; `None` of none.
pub(crate) fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = numbers.fold((0.0, 0.0), |(sum, n), number| (sum + number, n + 1.0));
    (n > 0.0).then(|| sum / n)
}

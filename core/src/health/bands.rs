//! Clients and MRR by band.

use super::HeadShare;
use super::tally::{Money, Tally};
use crate::money::Currency;
use crate::rate::MoneyRatio;
use crate::recurring::Recurring;
use crate::score::{Band, Model};
use crate::time::Instant;
use serde::Serialize;
use std::collections::BTreeMap;

/// How a book stands at an instant, by one model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BookHealth {
    /// As of when.
    pub as_of: Instant,
    /// The name of the model, or of the set of models.
    pub model: String,
    /// Its version.
    pub version: u64,
    /// How many clients.
    pub clients: u64,
    /// How many of them have a score.
    pub scored: HeadShare,
    /// The mean score of those who have one (`scored.part` clients); `None` if nobody has.
    pub mean: Option<f64>,
    /// What all of them pay, by currency.
    pub mrr: BTreeMap<Currency, Recurring>,
    /// Every band of the model, from the lowest, and `unknown` last; also those without clients.
    pub bands: Vec<BandRow>,
}

/// One band of a book.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BandRow {
    /// The band, or `unknown`.
    pub band: String,
    /// Its clients, of all clients.
    pub clients: HeadShare,
    /// What they pay, of what all pay; for every currency that somebody pays in. Parts and wholes print as MRR.
    pub mrr: BTreeMap<Currency, MoneyRatio>,
}

/// The band of clients without a score.
pub(crate) const UNKNOWN: &str = "unknown";

/// The names of a model's bands, from the lowest, and `unknown`.
pub(crate) fn names(bands: &[Band]) -> impl Iterator<Item = &str> {
    bands.iter().map(|band| band.name.as_str()).chain([UNKNOWN])
}

/// Every band with its clients and their money.
pub(crate) fn rows(bands: &[Band], tally: &Tally) -> Vec<BandRow> {
    let nothing = <(u64, Money)>::default();
    let row = |band: &str| {
        let (clients, money) = tally.bands.get(band).unwrap_or(&nothing);
        let ratio = |(currency, all)| (currency, MoneyRatio::new(money.get(currency), all));
        BandRow {
            band: band.to_owned(),
            clients: HeadShare::new(*clients, tally.clients),
            mrr: tally.money.iter().map(ratio).collect(),
        }
    };
    names(bands).map(row).collect()
}

impl BookHealth {
    pub(crate) fn new(model: &Model, as_of: Instant, tally: &Tally) -> Self {
        Self {
            as_of,
            model: model.name().to_owned(),
            version: model.version(),
            clients: tally.clients,
            scored: HeadShare::new(tally.scores.count(), tally.clients),
            mean: tally.scores.mean(),
            mrr: tally.money.iter().map(|(currency, annual)| (currency, annual.into())).collect(),
            bands: rows(model.bands(), tally),
        }
    }
}

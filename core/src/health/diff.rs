//! Two models on the same clients at the same instant: who changes band, how much money moves, by how much scores shift.

use super::bands::names;
use super::{Standing, heads, printed};
use crate::id::ClientId;
use crate::money::Currency;
use crate::recurring::{Annual, Recurring};
use crate::score::{Band, Model};
use crate::time::Instant;
use serde::Serialize;
use std::collections::BTreeMap;

/// A model as a diff names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelName {
    /// The name.
    pub model: String,
    /// The version.
    pub version: u64,
}

impl ModelName {
    fn of(model: &Model) -> Self {
        Self { model: model.name().to_owned(), version: model.version() }
    }
}

/// What one model says otherwise than another, of the same clients at one instant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelDiff {
    /// As of when.
    pub as_of: Instant,
    /// The one model.
    pub a: ModelName,
    /// The other model.
    pub b: ModelName,
    /// How many clients were scored by both.
    pub clients: u64,
    /// How many of them have a score by which model.
    pub scored: ScoredBy,
    /// Who is in another band, `unknown` among them, in order of client ids. Bands are compared by name.
    pub changed: Vec<BandChange>,
    /// The same by pairs of bands, in the order of `a`'s bands and then of `b`'s.
    pub moved: Vec<BandMove>,
    /// How far scores shift, from a to b, over the clients scored by both: bins of 5 points and one for no shift, from
    /// the lowest to the highest that has a client, empty ones in between and the one for no shift among them.
    pub shifts: Vec<ShiftBin>,
}

/// How many clients have a score by which of two models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ScoredBy {
    /// By both.
    pub both: u64,
    /// By the first alone.
    pub only_a: u64,
    /// By the second alone.
    pub only_b: u64,
    /// By none.
    pub neither: u64,
}

/// A client that is in another band by another model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BandChange {
    /// The client.
    pub client: ClientId,
    /// The score by the first model.
    pub score_a: Option<f64>,
    /// The score by the second.
    pub score_b: Option<f64>,
    /// The band by the first model.
    pub band_a: String,
    /// The band by the second.
    pub band_b: String,
    /// The second score less the first; `None` where one of them is absent.
    pub delta: Option<f64>,
    /// What the client pays, by currency.
    pub mrr: BTreeMap<Currency, Recurring>,
}

/// Clients and MRR that go from one band to another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BandMove {
    /// The band by the first model.
    pub from: String,
    /// The band by the second.
    pub to: String,
    /// How many clients.
    pub clients: u64,
    /// What they pay, by currency.
    pub mrr: BTreeMap<Currency, Recurring>,
}

/// How many scores shift by so much. A rise r is in the bin with `from` < r <= `to`, a fall f in the one with
/// `from` <= f < `to`, and no shift in the one from 0 to 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ShiftBin {
    /// The end that is nearer to -100.
    pub from: i32,
    /// The end that is nearer to 100.
    pub to: i32,
    /// How many clients.
    pub clients: u64,
}

/// Points in a bin.
const WIDTH: i32 = 5;

/// What counts as no shift, and as not past the end of a bin.
const TOLERANCE: f64 = 1e-9;

impl ShiftBin {
    /// The number of a shift's bin: 0 for none, 1 for a rise of up to 5, -1 for a fall of up to 5.
    fn number(shift: f64) -> i32 {
        let bins = (1..=100 / WIDTH).take_while(|n| shift.abs() > f64::from((n - 1) * WIDTH) + TOLERANCE);
        let number = bins.last().unwrap_or(0);
        if shift < 0.0 { -number } else { number }
    }

    fn new(number: i32, clients: u64) -> Self {
        let (far, near) = (number * WIDTH, (number - number.signum()) * WIDTH);
        Self { from: far.min(near), to: far.max(near), clients }
    }
}

impl ModelDiff {
    /// `standings` are those of the same clients by both models, in order of their ids.
    pub(crate) fn new(a: &Model, b: &Model, as_of: Instant, standings: &[(Standing, Standing)]) -> Self {
        let mut scored = ScoredBy::default();
        let mut shifts: BTreeMap<i32, u64> = BTreeMap::from([(0, 0)]);
        let mut changed = Vec::new();
        let mut moved: BTreeMap<(usize, usize), (u64, BTreeMap<Currency, Annual>)> = BTreeMap::new();
        for (one, other) in standings {
            let delta = one.score.zip(other.score).map(|(from, to)| to - from);
            match (one.score, other.score) {
                (Some(_), Some(_)) => scored.both += 1,
                (Some(_), None) => scored.only_a += 1,
                (None, Some(_)) => scored.only_b += 1,
                (None, None) => scored.neither += 1,
            }
            if let Some(shift) = delta {
                *shifts.entry(ShiftBin::number(shift)).or_default() += 1;
            }
            if one.band == other.band {
                continue;
            }
            let pair = (place(a.bands(), &one.band), place(b.bands(), &other.band));
            let (clients, sums) = moved.entry(pair).or_default();
            *clients += 1;
            for (currency, annual) in &one.annual {
                *sums.entry(*currency).or_default() += *annual;
            }
            changed.push(BandChange {
                client: one.client.clone(),
                score_a: one.score,
                score_b: other.score,
                band_a: one.band.to_string(),
                band_b: other.band.to_string(),
                delta,
                mrr: printed(one.annual.clone()),
            });
        }
        let name = |bands, place| names(bands).nth(place).unwrap_or_default().to_owned();
        let moves = moved.into_iter().map(|((from, to), (clients, sums))| BandMove {
            from: name(a.bands(), from),
            to: name(b.bands(), to),
            clients,
            mrr: printed(sums),
        });
        let ends = shifts.keys().next().copied().zip(shifts.keys().next_back().copied()).unwrap_or_default();
        let bin = |number| ShiftBin::new(number, shifts.get(&number).copied().unwrap_or(0));
        Self {
            as_of,
            a: ModelName::of(a),
            b: ModelName::of(b),
            clients: heads(standings.len()),
            scored,
            changed,
            moved: moves.collect(),
            shifts: (ends.0..=ends.1).map(bin).collect(),
        }
    }
}

/// The place of a band among those of its model, `unknown` last.
fn place(bands: &[Band], band: &str) -> usize {
    bands.iter().position(|known| known.name == band).unwrap_or(bands.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_is_in_one_bin() {
        let bin = |shift| {
            let ShiftBin { from, to, .. } = ShiftBin::new(ShiftBin::number(shift), 0);
            (from, to)
        };
        assert_eq!(bin(0.0), (0, 0));
        assert_eq!((bin(1e-10), bin(-1e-10)), ((0, 0), (0, 0)), "what arithmetic leaves is no shift");
        assert_eq!((bin(0.1), bin(5.0), bin(5.1)), ((0, 5), (0, 5), (5, 10)));
        assert_eq!((bin(-0.1), bin(-5.0), bin(-5.1)), ((-5, 0), (-5, 0), (-10, -5)));
        assert_eq!((bin(100.0), bin(-100.0)), ((95, 100), (-100, -95)));
    }
}

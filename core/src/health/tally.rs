//! What a book adds up to: heads, money and scores by band, to which clients are added and from which they are taken
//! away. All sums are whole numbers, so that it does not matter in which order, and what was taken away leaves no trace.

use super::Standing;
use crate::money::Currency;
use crate::recurring::Annual;
use crate::score::Name;
use std::collections::BTreeMap;

/// Units of a score in one point: 2^80. Every score from 10^-8 on is a whole number of them; what is below has its last
/// digits cut.
const UNITS: f64 = (1u128 << 80) as f64;

/// A sum of scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scores {
    sum: i128,
    count: u64,
}

impl Scores {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a score is at most 100, and a hundred units are below 2^87"
    )]
    fn units(score: f64) -> i128 {
        (score * UNITS) as i128
    }

    pub(crate) fn add(&mut self, score: f64) {
        self.sum += Self::units(score);
        self.count += 1;
    }

    fn remove(&mut self, score: f64) {
        self.sum -= Self::units(score);
        self.count = self.count.saturating_sub(1);
    }

    pub(crate) fn count(self) -> u64 {
        self.count
    }

    /// The mean; `None` of none.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the casts round to the nearest, and no book has 2^53 clients"
    )]
    pub(crate) fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / UNITS / self.count as f64)
    }
}

/// What some clients pay, by currency, and how many of them pay in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Money(BTreeMap<Currency, (u64, Annual)>);

impl Money {
    fn add(&mut self, annual: &BTreeMap<Currency, Annual>) {
        for (currency, annual) in annual {
            let (heads, sum) = self.0.entry(*currency).or_default();
            *heads += 1;
            *sum += *annual;
        }
    }

    fn remove(&mut self, annual: &BTreeMap<Currency, Annual>) {
        for (currency, annual) in annual {
            if let Some((heads, sum)) = self.0.get_mut(currency) {
                *heads = heads.saturating_sub(1);
                *sum += -*annual;
            }
        }
        self.0.retain(|_, (heads, _)| *heads > 0);
    }

    pub(crate) fn get(&self, currency: Currency) -> Annual {
        self.0.get(&currency).map_or(Annual::ZERO, |(_, annual)| *annual)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Currency, Annual)> {
        self.0.iter().map(|(currency, (_, annual))| (*currency, *annual))
    }
}

/// The clients of a book, by band.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) clients: u64,
    pub(crate) scores: Scores,
    pub(crate) money: Money,
    pub(crate) bands: BTreeMap<Name, (u64, Money)>,
}

impl Tally {
    pub(crate) fn add(&mut self, standing: &Standing) {
        self.clients += 1;
        if let Some(score) = standing.score {
            self.scores.add(score);
        }
        self.money.add(&standing.annual);
        let (clients, money) = match self.bands.get_mut(&*standing.band) {
            Some(band) => band,
            None => self.bands.entry(standing.band.clone()).or_default(),
        };
        *clients += 1;
        money.add(&standing.annual);
    }

    pub(crate) fn remove(&mut self, standing: &Standing) {
        self.clients = self.clients.saturating_sub(1);
        if let Some(score) = standing.score {
            self.scores.remove(score);
        }
        self.money.remove(&standing.annual);
        if let Some((clients, money)) = self.bands.get_mut(&*standing.band) {
            *clients = clients.saturating_sub(1);
            money.remove(&standing.annual);
        }
    }
}

impl<'s> FromIterator<&'s Standing> for Tally {
    fn from_iter<I: IntoIterator<Item = &'s Standing>>(standings: I) -> Self {
        let mut tally = Self::default();
        standings.into_iter().for_each(|standing| tally.add(standing));
        tally
    }
}

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

    fn join(&mut self, other: Self) {
        self.sum += other.sum;
        self.count += other.count;
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
    pub(crate) fn add(&mut self, annual: &BTreeMap<Currency, Annual>) {
        for (currency, annual) in annual {
            let (heads, sum) = self.0.entry(*currency).or_default();
            *heads += 1;
            *sum += *annual;
        }
    }

    pub(crate) fn join(&mut self, other: &Self) {
        for (currency, (heads, annual)) in &other.0 {
            let (own_heads, sum) = self.0.entry(*currency).or_default();
            *own_heads += heads;
            *sum += *annual;
        }
    }

    pub(crate) fn remove(&mut self, annual: &BTreeMap<Currency, Annual>) {
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

/// A sum of scores times what is paid, exact: amounts are taken apart into 64 and twice 32 bits, so that no part of the
/// sum overflows before the sum of the amounts does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Product {
    high: i128,
    middle: i128,
    low: i128,
}

impl Product {
    /// Units of a score in one point: 2^50, which leaves a score 13 digits.
    const UNITS: f64 = (1u64 << 50) as f64;

    /// Adds a score times an amount; with `-1` takes it away.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a score is at most 100, and a hundred units are below 2^57"
    )]
    pub(crate) fn add(&mut self, score: f64, annual: Annual, sign: i128) {
        const LOW: i128 = u32::MAX as i128;
        let (units, picos) = (sign * (score * Self::UNITS).round() as i128, annual.picos());
        self.high += units * (picos >> 64);
        self.middle += units * ((picos >> 32) & LOW);
        self.low += units * (picos & LOW);
    }

    fn join(&mut self, other: Self) {
        self.high += other.high;
        self.middle += other.middle;
        self.low += other.low;
    }

    /// The sum over what was paid in all; `None` if that is nothing.
    #[expect(clippy::cast_precision_loss, reason = "the casts round to the nearest")]
    pub(crate) fn over(self, whole: Annual) -> Option<f64> {
        const STEP: f64 = (1u64 << 32) as f64;
        let sum = (self.high as f64 * STEP + self.middle as f64) * STEP + self.low as f64;
        (!whole.is_zero()).then(|| sum / Self::UNITS / whole.picos() as f64)
    }
}

/// Products by currency.
#[derive(Clone, Debug, Default)]
pub(crate) struct Products(BTreeMap<Currency, Product>);

impl Products {
    pub(crate) fn add(&mut self, score: f64, annual: &BTreeMap<Currency, Annual>, sign: i128) {
        for (currency, annual) in annual {
            self.0.entry(*currency).or_default().add(score, *annual, sign);
        }
    }

    pub(crate) fn join(&mut self, other: &Self) {
        for (currency, product) in &other.0 {
            self.0.entry(*currency).or_default().join(*product);
        }
    }

    pub(crate) fn get(&self, currency: Currency) -> Product {
        self.0.get(&currency).copied().unwrap_or_default()
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

    pub(crate) fn join(&mut self, other: &Self) {
        self.clients += other.clients;
        self.scores.join(other.scores);
        self.money.join(&other.money);
        for (band, (clients, money)) in &other.bands {
            let (own_clients, own_money) = self.bands.entry(band.clone()).or_default();
            *own_clients += clients;
            own_money.join(money);
        }
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

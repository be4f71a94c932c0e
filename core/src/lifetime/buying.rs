//! What every buy-till-you-die model answers about one client, and the discounted value that follows from it.

use super::input::{LifetimeError, Rfm};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far to look ahead, and what a later purchase is worth less.
///
/// ```
/// use healthfold::lifetime::Horizon;
///
/// // A year of months, where the model counts in weeks, at 1 % a month.
/// let year = Horizon { periods: 12, length: 365.0 / 7.0 / 12.0, discount: 0.01 };
/// assert!(year.check().is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Horizon {
    /// How many periods.
    pub periods: u32,
    /// The length of one, in the unit of time of the model.
    pub length: f64,
    /// The discount rate of one; 0 for none. Purchases of a period count as at its end.
    pub discount: f64,
}

impl Horizon {
    /// Whether there can be such a horizon.
    ///
    /// # Errors
    /// Which setting is not what it may be.
    pub fn check(&self) -> Result<(), LifetimeError> {
        let bad =
            |setting, expected, found: String| Err(LifetimeError::BadSetting { setting, expected, found });
        if !(1..=10_000).contains(&self.periods) {
            return bad("periods", "1 to 10000", self.periods.to_string());
        }
        if !(self.length.is_finite() && self.length > 0.0) {
            return bad("length", "above 0", self.length.to_string());
        }
        if !(self.discount.is_finite() && self.discount >= 0.0) {
            return bad("discount", "at least 0", self.discount.to_string());
        }
        Ok(())
    }

    /// The sum over its periods of what each adds to `so_far`, discounted from the period's end.
    fn discounted(&self, so_far: impl Fn(f64) -> f64) -> f64 {
        let (mut sum, mut before, mut worth) = (0.0, 0.0, 1.0);
        for period in 1..=self.periods {
            worth /= 1.0 + self.discount;
            let by_then = so_far(f64::from(period) * self.length);
            // Rounding may not make a period cost money.
            sum += (by_then - before).max(0.0) * worth;
            before = by_then;
        }
        sum
    }
}

/// A model of clients that buy at random while they are there, and leave without a word.
///
/// Times are in the unit of the data the model was fitted to. A model whose parameters are not above 0 answers NaN.
pub trait Buying {
    /// The chance that a client with this history is still there.
    fn p_alive(&self, client: &Rfm) -> f64;

    /// How many purchases to expect in the next `time` of a client that came back `frequency` times in `age` and is still there;
    /// when it came last then no longer matters.
    fn purchases_if_alive(&self, frequency: u32, age: f64, time: f64) -> f64;

    /// How many repeat purchases to expect in the first `time` of a new client of whom nothing is known.
    fn expected_of_new(&self, time: f64) -> f64;

    /// The chance that a new client makes `count` repeat purchases in its first `time`.
    fn probability(&self, count: u32, time: f64) -> f64;

    /// How many purchases to expect in the next `time` of a client with this history, over both chances.
    fn expected_purchases(&self, client: &Rfm, time: f64) -> f64 {
        self.p_alive(client) * self.purchases_if_alive(client.frequency, client.age, time)
    }

    /// The same of many clients, in their order: what does not depend on the last purchase is worked out once for all that came
    /// back equally often in the same age.
    fn expected_of_all(&self, clients: &[Rfm], time: f64) -> Vec<f64> {
        let mut known: BTreeMap<(u32, u64), f64> = BTreeMap::new();
        let of = |client: &Rfm| {
            let alike = (client.frequency, client.age.to_bits());
            let if_alive = known
                .entry(alike)
                .or_insert_with(|| self.purchases_if_alive(client.frequency, client.age, time));
            self.p_alive(client) * *if_alive
        };
        clients.iter().map(of).collect()
    }

    /// Purchases to expect over a horizon of a client that is still there, each discounted to now: the sum over periods
    /// i = 1, 2, ... of the purchases expected in period i / (1 + discount)^i.
    fn discounted_if_alive(&self, frequency: u32, age: f64, horizon: &Horizon) -> f64 {
        horizon.discounted(|time| self.purchases_if_alive(frequency, age, time))
    }

    /// The same over both chances. Times the expected value of a purchase it is the client's lifetime value (CLV; Fader, Hardie &
    /// Lee 2005, "RFM and CLV", taken over whole periods).
    fn discounted_purchases(&self, client: &Rfm, horizon: &Horizon) -> f64 {
        self.p_alive(client) * self.discounted_if_alive(client.frequency, client.age, horizon)
    }

    /// Purchases to expect without end of a client that is still there, discounted continuously at `rate` per unit of time; with
    /// no history (0 in an age of 0) the repeat purchases of a new client. Infinite where they have no end at a rate of 0,
    /// NaN for a model whose sum has no closed form: all but Pareto/NBD.
    fn endless_if_alive(&self, _frequency: u32, _age: f64, _rate: f64) -> f64 {
        f64::NAN
    }

    /// The same as `discounted_purchases` for the repeat purchases of a new client of whom nothing is known.
    fn discounted_of_new(&self, horizon: &Horizon) -> f64 {
        horizon.discounted(|time| self.expected_of_new(time))
    }
}

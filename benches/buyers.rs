//! Buyers without a contract and clients with one, drawn from models whose parameters are known.

use super::Dice;
use healthfold::lifetime::{Observation, Rfm};

/// What the buyers are drawn from: BG/NBD near the published fit of the CDNOW data, in weeks.
pub const TRUTH: [f64; 4] = [0.25, 4.5, 0.8, 2.5];

impl Dice {
    /// A number above 0 and up to 1.
    fn share(&mut self) -> f64 {
        (f64::from(u32::try_from(self.next() >> 32).unwrap_or_default()) + 1.0) / 4_294_967_296.0
    }

    fn exponential(&mut self) -> f64 {
        -self.share().ln()
    }

    /// A beta variable of small parameters (Johnk 1964).
    fn beta(&mut self, a: f64, b: f64) -> f64 {
        loop {
            let (x, y) = (self.share().powf(1.0 / a), self.share().powf(1.0 / b));
            if x + y > 0.0 && x + y <= 1.0 {
                return x / (x + y);
            }
        }
    }
}

/// So many buyers, known for 27 to 39 weeks; purchases fall on whole days, as books have them.
#[must_use]
pub fn buyers(count: u32) -> Vec<Rfm> {
    (0..count).map(|number| buyer(&mut Dice(u64::from(number)))).collect()
}

fn buyer(dice: &mut Dice) -> Rfm {
    let [r, alpha, a, b] = TRUTH;
    // A gamma variable of shape r below 1 is a beta (r, 1 - r) times an exponential one.
    let rate = dice.beta(r, 1.0 - r) * dice.exponential() / alpha;
    let leaves = dice.beta(a, b);
    let days = 189 + dice.below(85);
    let age = f64::from(days) / 7.0;
    let (mut frequency, mut recency, mut now) = (0, 0.0, 0.0);
    loop {
        now += dice.exponential() / rate;
        // Two purchases of a day are one.
        let day = (now * 7.0).ceil() / 7.0;
        if day > age {
            break;
        }
        if day > recency {
            frequency += 1;
            recency = day;
        }
        if dice.share() < leaves {
            break;
        }
    }
    let value = (frequency > 0).then(|| 20.0 + 20.0 * dice.share());
    Rfm { frequency, recency, age, value }
}

/// So many spells of paying, watched for up to three years, in whole days: each client leaves with a chance of its own a month.
#[must_use]
pub fn spells(count: u32) -> Vec<Observation> {
    (0..count).map(|number| spell(&mut Dice(u64::from(number)))).collect()
}

fn spell(dice: &mut Dice) -> Observation {
    let monthly = dice.beta(0.7, 1.2).clamp(1e-6, 1.0 - 1e-6);
    let watched = f64::from(1 + dice.below(1_095));
    let stays = (dice.exponential() / -(1.0 - monthly).ln() * 365.0 / 12.0).ceil();
    Observation { entry: None, time: stays.min(watched), ended: stays <= watched }
}

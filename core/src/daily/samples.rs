//! What a gauge showed on one day.

use super::Sum;
use crate::quantity::Quantity;
use crate::timeline::Stamp;
use serde::{Deserialize, Deserializer, Serialize};

/// The samples of a gauge on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Samples {
    #[serde(deserialize_with = "read_sample_count")]
    pub(crate) count: u64,
    pub(crate) sum: Sum,
    pub(crate) least: Quantity,
    pub(crate) greatest: Quantity,
    pub(crate) last: Quantity,
    pub(crate) last_at: Stamp,
}

/// A count that can be divided by, and that adds up without an end in sight.
fn read_sample_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let count = u64::deserialize(deserializer)?;
    let known = (1..1 << 62).contains(&count);
    known.then_some(count).ok_or_else(|| serde::de::Error::custom("a number of samples beyond its range"))
}

impl Samples {
    pub(crate) fn one(value: Quantity, at: Stamp) -> Self {
        let mut sum = Sum::default();
        sum.add(i128::from(value.micros()));
        Self { count: 1, sum, least: value, greatest: value, last: value, last_at: at }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.count += other.count;
        self.sum.add(other.sum.micros());
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        if other.last_at > self.last_at {
            self.last = other.last;
            self.last_at = other.last_at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_counts_leave_room_to_add_up() {
        let stamp = Stamp::of(&crate::event::Event::from_json(
            br#"{"id":"1","source":"s","type":"client.set","subject":"a","time":"2026-01-05T10:00:00Z","data":{}}"#,
        ).unwrap().borrowed());
        let samples = |count: u64| {
            let samples = Samples { count, ..Samples::one(Quantity::ONE, stamp.clone()) };
            postcard::from_bytes::<Samples>(&postcard::to_stdvec(&samples).unwrap()).map(|read| read.count)
        };
        let most = (1 << 62) - 1;
        assert_eq!((samples(1), samples(most)), (Ok(1), Ok(most)));
        assert!(samples(0).is_err() && samples(most + 1).is_err());
    }
}

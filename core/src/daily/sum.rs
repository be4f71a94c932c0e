//! An exact sum of quantities in 12 bytes.

use serde::{Deserialize, Deserializer, Serialize};

/// An exact sum of quantities in units of 10^-6. 96 bits hold 4 x 10^10 of the greatest quantities there are, more than
/// identities fit in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    high: i32,
    low: [u32; 2],
}

impl Sum {
    pub(crate) fn micros(self) -> i128 {
        let [low, middle] = self.low;
        (i128::from(self.high) << 64) | (i128::from(middle) << 32) | i128::from(low)
    }

    pub(crate) fn add(&mut self, micros: i128) {
        *self = Self::of(self.micros() + micros);
    }

    pub(super) fn join(&mut self, other: Self) {
        self.add(other.micros());
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "takes the words of a number apart"
    )]
    pub(super) fn of(micros: i128) -> Self {
        Self { high: (micros >> 64) as i32, low: [micros as u32, (micros >> 32) as u32] }
    }
}

impl Serialize for Sum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.micros().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let micros = i128::deserialize(deserializer)?;
        let sum = Self::of(micros);
        if sum.micros() == micros && micros.unsigned_abs() < 1 << 94 {
            Ok(sum)
        } else {
            Err(serde::de::Error::custom("a sum is beyond its range"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_hold_the_greatest_quantities() {
        let mut sum = Sum::default();
        let greatest = 1_000_000_000_000_000_000i128;
        for _ in 0..100 {
            sum.add(greatest);
        }
        assert_eq!(sum.micros(), greatest * 100);
        for _ in 0..300 {
            sum.add(-greatest);
        }
        assert_eq!(sum.micros(), greatest * -200);
        // More digits than a binary float has.
        sum.add(1);
        assert_eq!(sum.micros(), greatest * -200 + 1);
        let mut small = Sum::default();
        small.add(-1);
        assert_eq!(small.micros(), -1);
    }

    #[test]
    fn saved_sums_leave_room_to_add_up() {
        let sum = |micros: i128| {
            postcard::from_bytes::<Sum>(&postcard::to_stdvec(&micros).unwrap()).map(Sum::micros)
        };
        // 2^94 is a quarter of what 96 bits hold, so two that were read still add up.
        let most = (1 << 94) - 1;
        assert_eq!((sum(most), sum(-most), sum(0)), (Ok(most), Ok(-most), Ok(0)));
        assert!(sum(most + 1).is_err() && sum(-most - 1).is_err());
        // 2^100 + 5 has the same low 96 bits as 5.
        assert!(sum((1 << 100) + 5).is_err() && sum(i128::MIN).is_err());
    }
}

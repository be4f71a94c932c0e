//! Whether more of the clients or more of their money left, exactly.

use crate::recurring::Annual;
use serde::{Serialize, Serializer};
use std::cmp::Ordering;

/// Of which a greater share left: of the clients that paid at opening, or of what they paid. Both shares are of the same
/// clients, those of the opening, whatever `base` logo churn is printed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Divergence {
    /// A greater share of heads: those who left were small. The sign of logo churn - churned revenue is +1.
    Heads,
    /// Equal shares, such as nothing of either. The sign is 0.
    Even,
    /// A greater share of money: those who left were large. The sign is -1.
    Money,
}

impl Divergence {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Heads => "heads",
            Self::Even => "even",
            Self::Money => "money",
        }
    }

    /// The sign of logo churn - churned revenue: 1, 0 or -1.
    pub fn sign(self) -> i8 {
        match self {
            Self::Heads => 1,
            Self::Even => 0,
            Self::Money => -1,
        }
    }

    /// Compares two shares, each a part and its whole; `None` where one is over nothing.
    pub(crate) fn of(heads: (u64, u64), money: (Annual, Annual)) -> Option<Self> {
        let units = |annual: Annual| u128::try_from(annual.picos()).ok();
        let (left, paid) = (units(money.0)?, units(money.1)?);
        if heads.1 == 0 || paid == 0 {
            return None;
        }
        // heads.0 / heads.1 against left / paid, multiplied out.
        Some(match times(paid, heads.0).cmp(&times(left, heads.1)) {
            Ordering::Greater => Self::Heads,
            Ordering::Equal => Self::Even,
            Ordering::Less => Self::Money,
        })
    }
}

impl Serialize for Divergence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A product that may need 192 bits: its upper 128 and its lower 64. The greatest book times its clients leaves 128.
fn times(x: u128, n: u64) -> (u128, u64) {
    const LOWER: u128 = u64::MAX as u128;
    let n = u128::from(n);
    let lower = (x & LOWER) * n;
    let upper = (x >> 64) * n + (lower >> 64);
    (upper, u64::try_from(lower & LOWER).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(heads: (u64, u64), money: (i128, i128)) -> Option<Divergence> {
        Divergence::of(heads, (Annual::from_picos(money.0), Annual::from_picos(money.1)))
    }

    #[test]
    fn shares_are_compared_exactly() {
        // 1/3 of the heads against 1/3 of the money, and one unit of 10^-12 to either side.
        let third = 333_333_333_333_333_333_333_333_333;
        assert_eq!(of((1, 3), (third, 3 * third)), Some(Divergence::Even));
        assert_eq!(of((1, 3), (third - 1, 3 * third)), Some(Divergence::Heads));
        assert_eq!(of((1, 3), (third + 1, 3 * third)), Some(Divergence::Money));
        assert_eq!(of((0, 3), (0, 3)), Some(Divergence::Even));
        assert_eq!(of((0, 0), (0, 0)), None);
        assert_eq!(
            [Divergence::Heads, Divergence::Even, Divergence::Money].map(Divergence::sign),
            [1, 0, -1]
        );
    }

    #[test]
    fn the_greatest_book_is_compared_too() {
        assert_eq!(of((u64::MAX, u64::MAX), (i128::MAX, i128::MAX)), Some(Divergence::Even));
        assert_eq!(of((u64::MAX - 1, u64::MAX), (i128::MAX, i128::MAX)), Some(Divergence::Money));
        assert_eq!(of((u64::MAX, u64::MAX), (i128::MAX - 1, i128::MAX)), Some(Divergence::Heads));
    }
}

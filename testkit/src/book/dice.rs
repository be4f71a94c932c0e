//! Randomness of the book: whole numbers only, from `ChaCha8`, so that a seed gives the same book on every platform.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A seeded source of whole numbers. Two dice of one seed and different streams are independent.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// Dice for `stream` of the book made from `seed`.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        // The key is spelt out instead of `seed_from_u64`, whose expansion is the library's own affair.
        let mut key = *b"........healthfold believable bk";
        for (slot, byte) in key.iter_mut().zip(seed.to_le_bytes()) {
            *slot = byte;
        }
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number from 0 to `count` - 1; 0 when `count` is 0 or less. `count` up to 2^31.
    pub(crate) fn below(&mut self, count: i64) -> i64 {
        (i64::from(self.0.next_u32()) * count.max(1)) >> 32
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high - low + 1)
    }

    /// True in `permille` of 1000 cases.
    pub(crate) fn chance(&mut self, permille: i64) -> bool {
        self.below(1000) < permille
    }

    /// A count whose mean is `thousandths` / 1000, spread in a triangle from 0 to twice the mean.
    pub(crate) fn around(&mut self, thousandths: i64) -> i64 {
        let spread = i64::midpoint(self.below(2001), self.below(2001));
        let drawn = thousandths * spread / 1000;
        drawn / 1000 + i64::from(self.below(1000) < drawn % 1000)
    }

    /// One of `from`, each as likely. `from` must not be empty.
    #[expect(clippy::indexing_slicing, reason = "an index drawn is below the length")]
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.index(from.len())]
    }

    /// One of `from`, as likely as its weight. `from` must not be empty.
    #[expect(clippy::indexing_slicing, reason = "documented: there is a first one")]
    pub(crate) fn weighted<T: Copy>(&mut self, from: &[(T, i64)]) -> T {
        let mut left = self.below(from.iter().map(|(_, weight)| weight).sum());
        for (value, weight) in from {
            if left < *weight {
                return *value;
            }
            left -= weight;
        }
        from[0].0
    }

    /// Puts `items` in random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }

    fn index(&mut self, len: usize) -> usize {
        i64::try_from(len).ok().and_then(|len| usize::try_from(self.below(len)).ok()).unwrap_or(0)
    }
}

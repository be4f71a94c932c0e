//! Clients shared out among threads, each client to one of them.

use crate::subjects::SHARDS;
#[cfg(feature = "threads")]
use crate::subjects::shard_of;
use std::ops::Range;

/// Some of all clients: those of these shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Share(Range<usize>);

impl Share {
    /// At most so many shares, which have every client once.
    #[cfg(feature = "threads")]
    pub(crate) fn of_all(shares: usize) -> Vec<Self> {
        let shares = shares.clamp(1, SHARDS);
        (0..shares).map(|share| Self(SHARDS * share / shares..SHARDS * (share + 1) / shares)).collect()
    }

    /// The shards of these clients.
    #[cfg(feature = "threads")]
    pub(crate) fn shards(&self) -> Range<usize> {
        self.0.clone()
    }

    /// How many times as many clients there are in all, about.
    pub(crate) fn times(&self) -> usize {
        SHARDS / self.0.len().max(1)
    }

    /// The shard of a client.
    #[cfg(feature = "threads")]
    pub(crate) fn shard_of(client: &str) -> u8 {
        const { assert!(SHARDS <= 1 << u8::BITS, "a byte says which one") };
        u8::try_from(shard_of(client)).unwrap_or(u8::MAX)
    }

    /// Whether the clients of a shard are some of these.
    pub(crate) fn has(&self, shard: u8) -> bool {
        self.0.contains(&usize::from(shard))
    }

    /// Whether this is the first of all shares.
    pub(crate) fn is_first(&self) -> bool {
        self.has(0)
    }
}

#[cfg(all(test, feature = "threads"))]
mod tests {
    use super::*;

    #[test]
    fn every_client_is_of_one_share() {
        for shares in [1, 2, 3, 5, 8, 64] {
            let all = Share::of_all(shares);
            assert_eq!(all.len(), shares.min(8));
            let mut counts = vec![0; all.len()];
            for n in 0..20_000 {
                let client = format!("client-{n}");
                let holders: Vec<usize> =
                    (0..all.len()).filter(|at| all[*at].has(Share::shard_of(&client))).collect();
                assert_eq!(holders.len(), 1, "{client} of {shares}");
                counts[holders[0]] += 1;
            }
            // Each shard has an eighth of them, or little more or less.
            for (share, count) in all.iter().zip(counts) {
                assert!(
                    2_500usize.saturating_mul(share.shards().len()).abs_diff(count) < 400,
                    "{share:?}: {count}"
                );
            }
        }
    }
}

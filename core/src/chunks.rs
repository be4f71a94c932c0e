//! Work in chunks: one after the other, or with the feature `threads` by the threads of the pool that the caller is in,
//! rayon's own unless it says otherwise.
//!
//! What comes of the chunks is put together in the order of the clients, and what is summed over them is whole numbers. So
//! no bit of an answer depends on how many threads there are, or on the feature.

use std::ops::Range;

/// How many clients a thread takes at a time: enough that taking them costs nothing, few enough that no thread is left
/// with many at the end.
#[cfg(feature = "threads")]
const CHUNK: usize = 1_024;

/// What comes of each chunk of so many places, in their order.
#[cfg(feature = "threads")]
pub(crate) fn in_chunks<T: Send>(places: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    use rayon::iter::{IntoParallelIterator, ParallelIterator};
    let chunk = |n: usize| work(n * CHUNK..places.min((n + 1) * CHUNK));
    (0..places.div_ceil(CHUNK)).into_par_iter().map(chunk).collect()
}

/// What comes of all places, which are one chunk.
#[cfg(not(feature = "threads"))]
pub(crate) fn in_chunks<T>(places: usize, work: impl Fn(Range<usize>) -> T) -> Vec<T> {
    vec![work(0..places)]
}

/// Does two things at the same time.
#[cfg(feature = "threads")]
pub(crate) fn both<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    rayon::join(a, b)
}

/// Does two things, one after the other.
#[cfg(not(feature = "threads"))]
pub(crate) fn both<A, B>(a: impl FnOnce() -> A, b: impl FnOnce() -> B) -> (A, B) {
    (a(), b())
}

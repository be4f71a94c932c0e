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

/// Makes something of each piece, several at a time, and takes what comes of them in the order of the pieces. Who takes
/// makes, too, instead of waiting.
#[cfg(feature = "threads")]
pub(crate) fn in_order<T: Send, M: Send>(
    mut pieces: impl Iterator<Item = T>,
    make: impl Fn(T) -> M + Sync,
    mut take: impl FnMut(M),
) {
    use std::collections::VecDeque;
    use std::sync::mpsc::{self, Receiver};
    /// So many pieces a thread are under way, so that none has nothing to do while others are taken.
    const AHEAD: usize = 16;

    let threads = rayon::current_num_threads();
    if threads == 1 {
        return pieces.for_each(|piece| take(make(piece)));
    }
    let (first, second) = (pieces.next(), pieces.next());
    // Few events, of which nobody has to be woken.
    if second.is_none() {
        return first.into_iter().for_each(|piece| take(make(piece)));
    }
    let mut pieces = first.into_iter().chain(second).chain(pieces);
    rayon::in_place_scope_fifo(|scope| {
        let mut under_way: VecDeque<Receiver<M>> = VecDeque::new();
        loop {
            for piece in pieces.by_ref().take(AHEAD * threads - under_way.len()) {
                let (made, receiver) = mpsc::sync_channel(1);
                let make = &make;
                // Nobody waits for it where taking has failed.
                scope.spawn_fifo(move |_| drop(made.send(make(piece))));
                under_way.push_back(receiver);
            }
            match under_way.pop_front().map(wait) {
                Some(Some(made)) => take(made),
                // All is taken, or making failed, which the scope passes on.
                Some(None) | None => return,
            }
        }
    });

    /// `None` where nothing comes any more.
    fn wait<M>(receiver: Receiver<M>) -> Option<M> {
        use mpsc::TryRecvError::{Disconnected, Empty};
        loop {
            match receiver.try_recv() {
                Ok(made) => return Some(made),
                Err(Disconnected) => return None,
                Err(Empty) => match rayon::yield_now() {
                    Some(rayon::Yield::Executed) => {}
                    // Another thread is at it; and who is none of the pool leaves the work to it.
                    Some(rayon::Yield::Idle) | None => return receiver.recv().ok(),
                },
            }
        }
    }
}

/// Makes something of each piece and takes it.
#[cfg(not(feature = "threads"))]
pub(crate) use one_by_one as in_order;

/// Makes something of each piece and takes it.
#[cfg(any(feature = "arrow", not(feature = "threads")))]
pub(crate) fn one_by_one<T, M>(
    pieces: impl Iterator<Item = T>,
    make: impl Fn(T) -> M,
    mut take: impl FnMut(M),
) {
    pieces.for_each(|piece| take(make(piece)));
}

/// How many of something to do at a time: few where one thread does all of it, since what it has just made is still near, and
/// many where threads share them, since each handing over costs.
#[cfg(all(feature = "arrow", feature = "threads"))]
pub(crate) fn at_a_time(few: usize, many: usize) -> usize {
    if rayon::current_num_threads() == 1 { few } else { many }
}

/// How many of something to do at a time.
#[cfg(all(feature = "arrow", not(feature = "threads")))]
pub(crate) fn at_a_time(few: usize, _many: usize) -> usize {
    few
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

/// How many threads share work.
#[cfg(all(feature = "arrow", feature = "threads"))]
pub(crate) fn threads() -> usize {
    rayon::current_num_threads()
}

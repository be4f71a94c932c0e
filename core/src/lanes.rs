//! Things that come one after the other and are shown to each of some parts, by as many threads as there are.
//!
//! Each part has a lane in which things wait for it. A part sees them in their order, one at a time; which thread shows them does not
//! matter. Whoever makes the things is some ahead of the slowest part, and helps where nothing more is to be made.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// So many things wait for the slowest part at most.
const AHEAD: usize = 4;

struct Lane<'p, T, P> {
    /// The part, unless it is with somebody.
    part: Option<&'p mut P>,
    waiting: VecDeque<Arc<T>>,
}

struct Lanes<'p, T, P> {
    lanes: Vec<Lane<'p, T, P>>,
    /// Showing something to a part failed.
    failed: bool,
}

impl<'p, T, P> Lanes<'p, T, P> {
    /// A part that something waits for, the part for which most waits, and that thing.
    fn next(&mut self) -> Option<(usize, &'p mut P, Arc<T>)> {
        if self.failed {
            return None;
        }
        let free = self.lanes.iter().enumerate().filter(|(_, lane)| lane.part.is_some());
        let (number, _) = free.max_by_key(|(_, lane)| lane.waiting.len())?;
        let lane = self.lanes.get_mut(number)?;
        let thing = lane.waiting.pop_front()?;
        Some((number, lane.part.take()?, thing))
    }

    fn is_full(&self) -> bool {
        !self.failed && self.lanes.iter().any(|lane| lane.waiting.len() >= AHEAD)
    }
}

/// The lanes, and whoever waits for something to be done.
struct Shared<'p, T, P> {
    lanes: Mutex<Lanes<'p, T, P>>,
    done: Condvar,
}

impl<'p, T, P> Shared<'p, T, P> {
    fn lock(&self) -> MutexGuard<'_, Lanes<'p, T, P>> {
        // Nobody panics while they hold it.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows one part one thing; returns whether there was one to show.
    fn step(&self, show: &impl Fn(&mut P, &T)) -> bool {
        let Some((number, part, thing)) = self.lock().next() else { return false };
        // If it fails all ends, and nobody waits for ever.
        let mut ends = EndsAll { shared: self, armed: true };
        show(part, &thing);
        ends.armed = false;
        drop(thing);
        if let Some(lane) = self.lock().lanes.get_mut(number) {
            lane.part = Some(part);
        }
        self.done.notify_all();
        true
    }
}

struct EndsAll<'s, 'p, T, P> {
    shared: &'s Shared<'p, T, P>,
    armed: bool,
}

impl<T, P> Drop for EndsAll<'_, '_, T, P> {
    fn drop(&mut self) {
        if self.armed {
            self.shared.lock().failed = true;
            self.shared.done.notify_all();
        }
    }
}

/// Shows things to each part, in their order.
pub(crate) fn show_each<T: Send + Sync, P: Send>(
    things: impl Iterator<Item = T>,
    parts: &mut [P],
    show: impl Fn(&mut P, &T) + Sync,
) {
    let lanes: Vec<Lane<'_, T, P>> =
        parts.iter_mut().map(|part| Lane { part: Some(part), waiting: VecDeque::new() }).collect();
    let shared = Shared { lanes: Mutex::new(Lanes { lanes, failed: false }), done: Condvar::new() };
    rayon::in_place_scope_fifo(|scope| {
        let (shared, show) = (&shared, &show);
        for thing in things {
            let thing = Arc::new(thing);
            let mut lanes = shared.lock();
            lanes.lanes.iter_mut().for_each(|lane| lane.waiting.push_back(thing.clone()));
            let count = lanes.lanes.len();
            drop((lanes, thing));
            // One step for each that waits: whoever comes too late finds that it was done.
            (0..count).for_each(|_| scope.spawn_fifo(move |_| while shared.step(show) {}));
            loop {
                if !shared.lock().is_full() {
                    break;
                }
                if !shared.step(show) {
                    let lanes = shared.lock();
                    if lanes.is_full()
                        && lanes.lanes.iter().all(|lane| lane.part.is_none() || lane.waiting.is_empty())
                    {
                        drop(shared.done.wait(lanes));
                    }
                }
            }
            if shared.lock().failed {
                break;
            }
        }
        while shared.step(show) {}
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn with_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
    }

    #[test]
    fn each_part_sees_everything_in_order() {
        for (threads, parts) in [(1, 3), (2, 1), (2, 4), (3, 8)] {
            let mut seen: Vec<Vec<u32>> = vec![Vec::new(); parts];
            let show = |part: &mut Vec<u32>, thing: &u32| part.push(*thing);
            with_threads(threads, || show_each(0..500, &mut seen, show));
            assert!(seen.iter().all(|seen| seen.iter().copied().eq(0..500)), "{threads} threads");
            // Also by who is none of the pool.
            show_each(500..600, &mut seen, show);
            assert!(seen.iter().all(|seen| seen.iter().copied().eq(0..600)), "{threads} threads");
        }
    }

    #[test]
    fn nothing_is_made_far_ahead_and_a_failure_is_passed_on() {
        let mut seen = vec![0u32; 3];
        let behind = Mutex::new(0u32);
        let things = (0..1_000u32).inspect(|thing| {
            let behind = *behind.lock().unwrap();
            assert!(*thing <= behind + 10, "{thing} is made when {behind} were seen");
        });
        show_each(things, &mut seen, |part, thing| {
            *part += 1;
            let mut behind = behind.lock().unwrap();
            *behind = (*behind).max(*thing);
        });
        assert_eq!(seen, [1_000; 3]);
        let fails = |part: &mut u32, thing: &u32| {
            *part += 1;
            assert!(*thing < 30, "as it should");
        };
        let made = std::cell::Cell::new(0);
        let things = (0..10_000).inspect(|_| made.set(made.get() + 1));
        assert!(catch_unwind(AssertUnwindSafe(|| show_each(things, &mut seen, fails))).is_err());
        assert!(made.get() < 100, "{} were made", made.get());
    }
}

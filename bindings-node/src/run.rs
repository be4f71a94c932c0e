//! How a call runs: at once on the thread that asks, or on libuv's pool. Every way in and out catches panics, which would
//! end the process otherwise.

use crate::answer::Answer;
use crate::error::Fault;
use healthfold::Engine;
use napi::bindgen_prelude::{AsyncTask, Env, Task};
use napi_derive::napi;
use std::any::Any;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock, TryLockError};

/// An engine. Whose turn it is is decided in JavaScript, where nobody may wait; the lock is there to be sure.
pub struct Shared(RwLock<Engine>);

impl Shared {
    pub(crate) fn new(engine: Engine) -> Arc<Self> {
        Arc::new(Self(RwLock::new(engine)))
    }

    pub(crate) fn ask<T>(&self, ask: impl FnOnce(&Engine) -> Result<T, Fault>) -> Result<T, Fault> {
        match self.0.try_read() {
            Ok(engine) => {
                step();
                ask(&engine)
            }
            Err(TryLockError::WouldBlock) => Err(Fault::Busy),
            Err(TryLockError::Poisoned(_)) => Err(broken()),
        }
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Engine) -> Result<T, Fault>) -> Result<T, Fault> {
        match self.0.try_write() {
            Ok(mut engine) => {
                step();
                change(&mut engine)
            }
            Err(TryLockError::WouldBlock) => Err(Fault::Busy),
            Err(TryLockError::Poisoned(_)) => Err(broken()),
        }
    }
}

fn broken() -> Fault {
    Fault::Internal(
        "an earlier fault left the engine in the middle of a change; restore a snapshot".to_owned(),
    )
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("healthfold is at fault: {}", text.unwrap_or_else(|| "no message".to_owned()))
}

/// Runs something; a panic is a fault.
pub(crate) fn guarded<T>(run: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    let run = || {
        step();
        run()
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(Fault::Internal(said(&*panic))))
}

/// The same for what Node calls.
pub(crate) fn entry<T>(run: impl FnOnce() -> Result<T, Fault>) -> napi::Result<T> {
    guarded(run).map_err(napi::Error::from)
}

/// Something that Node's garbage collector drops: no panic leaves the finalizer.
pub(crate) struct Held<T>(ManuallyDrop<T>);

impl<T> Held<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(ManuallyDrop::new(value))
    }
}

impl<T> std::ops::Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        // SAFETY: it is dropped here and nowhere else, and not looked at again.
        let drop = || unsafe { ManuallyDrop::drop(&mut self.0) };
        // Whatever it said, there is nobody left to hear it.
        let _ = catch_unwind(AssertUnwindSafe(drop));
    }
}

/// Whether who asked still wants an answer.
#[derive(Clone, Default)]
pub(crate) struct Wanted(Arc<AtomicBool>);

impl Wanted {
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if self.0.load(Ordering::Relaxed) { Err(Fault::Aborted) } else { Ok(()) }
    }
}

type Run = Box<dyn FnOnce(&Wanted) -> Result<Answer, Fault> + Send>;

/// A call whose arguments are read and which has not run yet.
#[napi]
pub struct Job {
    run: Held<std::sync::Mutex<Option<Run>>>,
    wanted: Wanted,
}

impl Job {
    pub(crate) fn new(run: impl FnOnce(&Wanted) -> Result<Answer, Fault> + Send + 'static) -> Self {
        let run: Run = Box::new(run);
        Self { run: Held::new(std::sync::Mutex::new(Some(run))), wanted: Wanted::default() }
    }

    fn take(&self) -> Result<Run, Fault> {
        let run = self.run.lock().unwrap_or_else(PoisonError::into_inner).take();
        run.ok_or_else(|| Fault::Internal("a call ran twice".to_owned()))
    }
}

#[napi]
impl Job {
    /// Runs it at once.
    #[napi]
    pub fn now(&self) -> napi::Result<crate::answer::Told> {
        entry(|| self.take()?(&self.wanted).map(Answer::told))
    }

    /// Runs it on the pool.
    #[napi(ts_return_type = "Promise<Told>")]
    pub fn later(&self) -> napi::Result<AsyncTask<Work>> {
        let run = entry(|| self.take())?;
        Ok(AsyncTask::new(Work { run: Some(run), wanted: self.wanted.clone(), panic_after: false }))
    }

    /// Nobody waits for it any more: it ends where it can.
    #[napi]
    pub fn abort(&self) {
        self.wanted.0.store(true, Ordering::Relaxed);
    }
}

/// A call on the pool.
pub struct Work {
    run: Option<Run>,
    wanted: Wanted,
    /// For the test of what comes after.
    panic_after: bool,
}

impl Task for Work {
    type Output = Answer;
    type JsValue = crate::answer::Told;

    fn compute(&mut self) -> napi::Result<Answer> {
        let run = self.run.take();
        let (wanted, run) = (&self.wanted, run.ok_or_else(|| napi::Error::from_reason("{}"))?);
        entry(|| {
            wanted.check()?;
            run(wanted)
        })
    }

    #[expect(clippy::panic, reason = "it is what is tested")]
    fn resolve(&mut self, _: Env, answer: Answer) -> napi::Result<crate::answer::Told> {
        let panic_after = self.panic_after;
        entry(|| {
            if panic_after {
                panic!("on purpose");
            }
            Ok(answer.told())
        })
    }
}

/// How many guarded steps there are to the one that panics on purpose; 0 is none.
static STEPS: AtomicU32 = AtomicU32::new(0);

/// A place where the tests may have a panic: on the way in, and with the engine in hand.
#[expect(clippy::panic, reason = "it is what is tested")]
fn step() {
    let last = STEPS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    if last == Ok(1) {
        panic!("on purpose");
    }
}

/// For the tests that no panic ends the process: so many guarded steps from here one panics, with 0 none. Tells how many were
/// still to come.
#[napi]
pub fn panic_after(steps: u32) -> u32 {
    STEPS.swap(steps, Ordering::Relaxed)
}

/// For the tests that no panic ends the process: `now`, `compute`, `resolve`, or `finalize`, which comes with the garbage
/// collector.
#[napi]
#[allow(clippy::panic, reason = "it is what is tested; what the macro makes of it has no panic")]
pub fn panic_in(place: String) -> napi::Result<Panicking> {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    if place == "now" {
        return entry(|| panic!("on purpose"));
    }
    let bomb = (place == "finalize").then(|| Held::new(Bomb));
    Ok(Panicking { place, _bomb: bomb.map(|bomb| Box::new(bomb) as Box<dyn Send>) })
}

/// For the same tests.
#[napi]
pub struct Panicking {
    place: String,
    _bomb: Option<Box<dyn Send>>,
}

#[napi]
impl Panicking {
    #[napi(ts_return_type = "Promise<Told>")]
    #[allow(clippy::panic, reason = "it is what is tested; what the macro makes of it has no panic")]
    pub fn later(&self) -> AsyncTask<Work> {
        let panics = self.place == "compute";
        let run: Run = Box::new(move |_| if panics { panic!("on purpose") } else { Ok(Answer::Nothing) });
        AsyncTask::new(Work {
            run: Some(run),
            wanted: Wanted::default(),
            panic_after: self.place == "resolve",
        })
    }
}

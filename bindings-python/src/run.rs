//! How a call leaves the interpreter, and comes back: locks are taken only outside of it, a panic becomes an exception,
//! what takes long goes on in a thread of its own so that Ctrl-C is heard.

use crate::error::Fault;
use healthfold::Engine;
use parking_lot::RwLock;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// An engine that many threads may ask, and one at a time may change.
pub(crate) struct Shared {
    engine: RwLock<Engine>,
    /// Set while it is being changed: a change that ended by a panic leaves it.
    broken: AtomicBool,
    /// The thread that changes it, or 0.
    writer: AtomicU64,
    /// The thread on which a change calls Python, or 0.
    called: AtomicU64,
    /// The process it was made in.
    process: AtomicU64,
}

/// How often a waiting call looks for Ctrl-C.
const PAUSE: Duration = Duration::from_millis(25);
/// How long a call that Ctrl-C ends waits for what it began to come to rest.
const GRACE: Duration = Duration::from_millis(200);

const BUSY: Fault = Fault::Unusable {
    code: "busy",
    message: "the engine is taking in events; it cannot be used from within that call, such as from its progress callback",
};
const FORKED: Fault = Fault::Unusable {
    code: "forked",
    message: "this process was forked while another thread changed the engine; make the engine in the process that uses it",
};

/// A number for the thread that asks.
fn thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static OWN: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    OWN.with(|own| *own)
}

impl Shared {
    pub(crate) fn new(engine: Engine) -> Arc<Self> {
        let (broken, process) = (AtomicBool::new(false), AtomicU64::new(u64::from(std::process::id())));
        let (writer, called) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { engine: RwLock::new(engine), broken, writer, called, process })
    }

    /// Refuses what would wait for ever.
    fn usable(&self) -> Result<(), Fault> {
        if [&self.writer, &self.called].iter().any(|of| of.load(Ordering::Acquire) == thread()) {
            return Err(BUSY);
        }
        let process = u64::from(std::process::id());
        if self.process.load(Ordering::Relaxed) != process {
            // Nobody is left in this process to give back a lock that was taken as it was forked.
            if self.engine.try_write().is_none() {
                return Err(FORKED);
            }
            self.process.store(process, Ordering::Relaxed);
        }
        Ok(())
    }

    fn whole(&self) -> Result<(), Fault> {
        if self.broken.load(Ordering::Relaxed) { Err(broken()) } else { Ok(()) }
    }

    /// Asks as soon as nobody changes the engine; gives the question back if that takes longer than a pause.
    fn try_read<T, A: FnOnce(&Engine) -> Result<T, Fault>>(&self, ask: A) -> Result<Result<T, Fault>, A> {
        let Some(engine) = self.engine.try_read_for(PAUSE) else { return Err(ask) };
        Ok(guarded(|| {
            self.whole()?;
            step();
            ask(&engine)
        }))
    }

    /// The same for a change, as soon as nobody uses the engine.
    fn try_write<T, C>(&self, change: C) -> Result<Result<T, Fault>, C>
    where
        C: FnOnce(&mut Engine) -> Result<T, Fault>,
    {
        let Some(mut engine) = self.engine.try_write_for(PAUSE) else { return Err(change) };
        Ok(guarded(|| {
            self.whole()?;
            let _here = Here::of(&self.writer);
            self.broken.store(true, Ordering::Relaxed);
            step();
            let changed = change(&mut engine);
            self.broken.store(false, Ordering::Relaxed);
            changed
        }))
    }

    /// A question that is soon answered.
    pub(crate) fn ask<T: Send>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(&Engine) -> Result<T, Fault> + Send,
    ) -> PyResult<T> {
        self.usable().map_err(|fault| fault.raise(py))?;
        when_free(py, ask, |ask| self.try_read(ask))
    }

    /// A change that is soon done.
    pub(crate) fn change<T: Send>(
        &self,
        py: Python<'_>,
        change: impl FnOnce(&mut Engine) -> Result<T, Fault> + Send,
    ) -> PyResult<T> {
        self.usable().map_err(|fault| fault.raise(py))?;
        when_free(py, change, |change| self.try_write(change))
    }

    /// A question about the whole book. Ctrl-C leaves it: the answer is then dropped when it is there.
    pub(crate) fn ask_long<T: Send + 'static>(
        self: &Arc<Self>,
        py: Python<'_>,
        ask: impl FnOnce(&Engine) -> Result<T, Fault> + Send + 'static,
    ) -> PyResult<T> {
        self.usable().map_err(|fault| fault.raise(py))?;
        let shared = Arc::clone(self);
        in_thread(py, None, move |home| home.when_free(ask, |ask| shared.try_read(ask)))
    }

    /// A change that takes long. Ctrl-C leaves it: one that reads ends at the next look, any other is completed, and whoever uses
    /// the engine meanwhile waits.
    pub(crate) fn change_long<T: Send + 'static>(
        self: &Arc<Self>,
        py: Python<'_>,
        change: impl FnOnce(&mut Engine, &Home) -> Result<T, Fault> + Send + 'static,
    ) -> PyResult<T> {
        self.usable().map_err(|fault| fault.raise(py))?;
        let shared = Arc::clone(self);
        in_thread(py, Some(self), move |home| {
            home.when_free(|engine: &mut Engine| change(engine, home), |change| shared.try_write(change))
        })
    }
}

/// Tries until the engine is free, and looks for Ctrl-C meanwhile.
fn when_free<T: Send, F: Send>(
    py: Python<'_>,
    mut run: F,
    attempt: impl Fn(F) -> Result<Result<T, Fault>, F> + Send + Sync,
) -> PyResult<T> {
    loop {
        match py.detach(|| attempt(run)) {
            Ok(answer) => return answer.map_err(|fault| fault.raise(py)),
            Err(again) => run = again,
        }
        py.check_signals()?;
    }
}

/// Says where something runs, until it has run, also where it ends by a panic.
struct Here<'w>(&'w AtomicU64);

impl<'w> Here<'w> {
    fn of(place: &'w AtomicU64) -> Self {
        place.store(thread(), Ordering::Release);
        Self(place)
    }
}

impl Drop for Here<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Release);
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

/// Runs something of the core; a panic is a fault.
pub(crate) fn guarded<T>(run: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    let run = || {
        step();
        run()
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(Fault::Internal(said(&*panic))))
}

/// Runs something with the interpreter; a panic is an exception that `except Exception` catches.
pub(crate) fn guarded_in<T>(py: Python<'_>, run: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let run = || {
        step();
        run()
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(Fault::Internal(said(&*panic)).raise(py)))
}

type Errand = Box<dyn FnOnce(Python<'_>) + Send>;

/// The thread that asked, which waits: what runs for it calls Python there, where files, bars and signals belong.
#[derive(Clone)]
pub(crate) struct Home {
    errands: Sender<Errand>,
    left: Arc<AtomicBool>,
}

impl Home {
    /// Has something run at home.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        errand: impl FnOnce(Python<'_>) -> PyResult<T> + Send + 'static,
    ) -> PyResult<T> {
        let (sender, receiver) = channel();
        let errand: Errand = Box::new(move |py| {
            let _ = sender.send(guarded_in(py, || errand(py)));
        });
        let _ = self.errands.send(errand);
        receiver.recv().unwrap_or_else(|_| Err(left()))
    }

    /// An error if nobody waits there any more.
    pub(crate) fn look(&self) -> PyResult<()> {
        if self.left.load(Ordering::Relaxed) { Err(left()) } else { Ok(()) }
    }

    /// Tries until the engine is free, as long as somebody waits for it.
    fn when_free<T, F>(
        &self,
        mut run: F,
        attempt: impl Fn(F) -> Result<Result<T, Fault>, F>,
    ) -> Result<T, Fault> {
        loop {
            match attempt(run) {
                Ok(answer) => return answer,
                Err(again) => run = again,
            }
            self.look().map_err(|error| Fault::Io(std::io::Error::other(error)))?;
        }
    }
}

/// Nobody hears this one.
fn left() -> PyErr {
    PyKeyboardInterrupt::new_err(())
}

/// Runs something in a thread of its own, and meanwhile looks for Ctrl-C and does at home what it asks for.
pub(crate) fn in_thread<T: Send + 'static>(
    py: Python<'_>,
    changes: Option<&Shared>,
    run: impl FnOnce(&Home) -> Result<T, Fault> + Send + 'static,
) -> PyResult<T> {
    let (sender, answer) = channel();
    let (errands, mut asked) = channel();
    let home = Home { errands, left: Arc::default() };
    let leaving = Arc::clone(&home.left);
    let work = move || {
        // Whoever asked may have left. That there is nothing to do at home any more says that the answer is there.
        let _ = sender.send(guarded(|| run(&home)));
        drop(home);
    };
    let named = std::thread::Builder::new().name("healthfold".to_owned());
    named.spawn(work).map_err(|error| Fault::Io(error).raise(py))?;
    loop {
        let waiting = &mut asked;
        match py.detach(move || waiting.recv_timeout(PAUSE)) {
            Ok(errand) => {
                let _here = changes.map(|engine| Here::of(&engine.called));
                errand(py);
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Err(interrupted) = py.check_signals() {
                    leaving.store(true, Ordering::Relaxed);
                    drop(asked);
                    let _ = py.detach(move || answer.recv_timeout(GRACE));
                    return Err(interrupted);
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                let fault = || Err(Fault::Internal("a call ended without an answer".to_owned()));
                return answer.try_recv().unwrap_or_else(|_| fault()).map_err(|fault| fault.raise(py));
            }
        }
    }
}

/// For the test that no panic ends the interpreter.
#[pyfunction]
#[pyo3(name = "_panic", signature = (message: "str") -> "None")]
#[expect(clippy::panic, reason = "it is what is tested")]
pub(crate) fn panic_on_purpose(py: Python<'_>, message: String) -> PyResult<()> {
    in_thread(py, None, move |_| panic!("{message}"))
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

/// For the tests that no panic ends the interpreter: so many guarded steps from here one panics, with 0 none. Tells how many
/// were still to come.
#[pyfunction]
#[pyo3(name = "_panic_after", signature = (steps: "int") -> "int")]
pub(crate) fn panic_after(steps: u32) -> u32 {
    STEPS.swap(steps, Ordering::Relaxed)
}

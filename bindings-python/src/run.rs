//! How a call leaves the interpreter, and comes back: locks are taken only outside of it, a panic becomes an exception,
//! a long question goes on in a thread of its own so that Ctrl-C is heard.

use crate::error::Fault;
use healthfold::Engine;
use pyo3::prelude::*;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, RwLock, TryLockError};
use std::time::Duration;

/// An engine that many threads may ask, and one at a time may change.
pub(crate) struct Shared {
    engine: RwLock<Engine>,
    /// The thread that changes it, or 0.
    writer: AtomicU64,
    /// The process it was made in.
    process: AtomicU64,
}

/// How often a waiting call looks for Ctrl-C.
const PAUSE: Duration = Duration::from_millis(25);

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
        let process = AtomicU64::new(u64::from(std::process::id()));
        Arc::new(Self { engine: RwLock::new(engine), writer: AtomicU64::new(0), process })
    }

    /// Refuses what would wait for ever.
    fn usable(&self) -> Result<(), Fault> {
        if self.writer.load(Ordering::Acquire) == thread() {
            return Err(BUSY);
        }
        let process = u64::from(std::process::id());
        if self.process.load(Ordering::Relaxed) != process {
            // Nobody is left in this process to give back a lock that was taken as it was forked.
            if let Err(TryLockError::WouldBlock) = self.engine.try_write() {
                return Err(FORKED);
            }
            self.process.store(process, Ordering::Relaxed);
        }
        Ok(())
    }

    fn read<T>(&self, ask: impl FnOnce(&Engine) -> Result<T, Fault>) -> Result<T, Fault> {
        match self.engine.read() {
            Ok(engine) => ask(&engine),
            Err(_) => Err(broken()),
        }
    }

    fn write<T>(&self, change: impl FnOnce(&mut Engine) -> Result<T, Fault>) -> Result<T, Fault> {
        let Ok(mut engine) = self.engine.write() else { return Err(broken()) };
        self.writer.store(thread(), Ordering::Release);
        let _cleared = Cleared(&self.writer);
        change(&mut engine)
    }

    /// A question that is soon answered.
    pub(crate) fn ask<T: Send>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(&Engine) -> Result<T, Fault> + Send,
    ) -> PyResult<T> {
        let answer = py.detach(|| {
            self.usable()?;
            guarded(|| self.read(ask))
        });
        answer.map_err(|fault| fault.raise(py))
    }

    /// A question about the whole book. Ctrl-C leaves it: the answer is then dropped when it is there.
    pub(crate) fn ask_long<T: Send + 'static>(
        self: &Arc<Self>,
        py: Python<'_>,
        ask: impl FnOnce(&Engine) -> Result<T, Fault> + Send + 'static,
    ) -> PyResult<T> {
        py.detach(|| self.usable()).map_err(|fault| fault.raise(py))?;
        let shared = Arc::clone(self);
        in_thread(py, move || shared.read(ask))
    }

    /// A change.
    pub(crate) fn change<T: Send>(
        &self,
        py: Python<'_>,
        change: impl FnOnce(&mut Engine) -> Result<T, Fault> + Send,
    ) -> PyResult<T> {
        let answer = py.detach(|| {
            self.usable()?;
            guarded(|| self.write(change))
        });
        answer.map_err(|fault| fault.raise(py))
    }
}

/// Forgets the writer, also where it ended by a panic.
struct Cleared<'w>(&'w AtomicU64);

impl Drop for Cleared<'_> {
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
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(Fault::Internal(said(&*panic))))
}

/// Runs something with the interpreter; a panic is an exception that `except Exception` catches.
pub(crate) fn guarded_in<T>(py: Python<'_>, run: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(Fault::Internal(said(&*panic)).raise(py)))
}

/// Runs something in a thread of its own, and looks for Ctrl-C meanwhile.
pub(crate) fn in_thread<T: Send + 'static>(
    py: Python<'_>,
    run: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> PyResult<T> {
    let (sender, mut receiver) = channel();
    let work = move || {
        // Whoever asked may have left.
        let _ = sender.send(guarded(run));
    };
    let named = std::thread::Builder::new().name("healthfold".to_owned());
    named.spawn(work).map_err(|error| Fault::Io(error).raise(py))?;
    loop {
        let waiting = &mut receiver;
        match py.detach(move || waiting.recv_timeout(PAUSE)) {
            Ok(answer) => return answer.map_err(|fault| fault.raise(py)),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Fault::Internal("a question ended without an answer".to_owned()).raise(py));
            }
        }
    }
}

/// For the test that no panic ends the interpreter.
#[pyfunction]
#[pyo3(name = "_panic", signature = (message: "str") -> "None")]
#[expect(clippy::panic, reason = "it is what is tested")]
pub(crate) fn panic_on_purpose(py: Python<'_>, message: String) -> PyResult<()> {
    in_thread(py, move || panic!("{message}"))
}

//! Taking events in.

use super::Engine;
use crate::args;
use crate::error::Fault;
use crate::reader::{Objects, Source};
use crate::results::object_of;
use crate::rows::Rows;
use crate::run::guarded_in;
use healthfold::{Applied, ReadOptions, SourceId};
use pyo3::prelude::*;

/// How a batch is read, from the arguments of a call.
fn options(source: Option<&str>, strict: bool, skip_unknown: bool) -> ReadOptions {
    ReadOptions { source: source.map(SourceId::new), strict, skip_unknown }
}

/// The callable that is told how far reading is.
pub(super) fn progress(
    py: Python<'_>,
    asked: Option<&Bound<'_, PyAny>>,
    unit: &str,
) -> PyResult<Option<Py<PyAny>>> {
    match asked {
        Some(asked) => {
            let made = py.import("healthfold._progress")?.call_method1("reporter", (asked, unit))?;
            Ok((!made.is_none()).then(|| made.unbind()))
        }
        None => Ok(None),
    }
}

/// What became of a batch; its rejections are a table, too.
pub(super) fn told(py: Python<'_>, applied: Applied) -> PyResult<Bound<'_, PyAny>> {
    Rows::beside(object_of(py, "Applied", &applied)?, applied)
}

impl Engine {
    fn take_in(&self, py: Python<'_>, source: Source, how: &ReadOptions) -> PyResult<(Applied, Source)> {
        self.shared.change(py, move |engine| {
            let mut source = source;
            let applied = engine.apply_ndjson(&mut source, how).map_err(Fault::read)?;
            Ok((applied, source))
        })
    }
}

/// How many rejections a batch lists, as in the core.
const LISTED: usize = 1_000;

#[pymethods]
impl Engine {
    /// Takes in one event or many: a dict, JSON text, or an iterable of these. Good events are applied, each bad one is
    /// returned with its code, field and message; nothing else is touched.
    ///
    /// `source` is for events that state none. With `strict` the first bad event stops the batch before anything of it is
    /// applied, and raises `EventError`. With `skip_unknown` events of unknown types are skipped and counted.
    #[pyo3(signature = (
        events: "EventLike | Sequence[EventLike] | Iterator[EventLike]", *, source: "str | None" = None, strict: "bool" = false,
        skip_unknown: "bool" = false, progress: "Progress" = None,
    ) -> "Applied")]
    fn apply<'py>(
        &self,
        py: Python<'py>,
        events: &Bound<'py, PyAny>,
        source: Option<&str>,
        strict: bool,
        skip_unknown: bool,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Objects { source: read, numbers, refused } = guarded_in(py, || Objects::of(events))?;
        let how = options(source, strict, skip_unknown);
        let number = |index: u64| {
            let at = usize::try_from(index).ok();
            at.and_then(|at| numbers.get(at)).copied().unwrap_or(index)
        };
        if strict && let Some(first) = refused.first() {
            return Err(Fault::Strict(Box::new(first.clone())).raise(py));
        }
        let read = read.with_progress(self::progress(py, progress, "B")?);
        let (mut applied, read) = self.take_in(py, read, &how)?;
        read.finish(py)?;
        for rejection in &mut applied.rejected {
            rejection.index = number(rejection.index);
            // The text was ours.
            (rejection.line, rejection.offset) = (None, None);
        }
        for conflict in &mut applied.conflicts {
            conflict.index = number(conflict.index);
        }
        for rejection in refused {
            *applied.rejected_by_code.entry(rejection.error.code.as_str()).or_default() += 1;
            applied.rejected.push(rejection);
        }
        applied.rejected.sort_by_key(|rejection| rejection.index);
        applied.rejected.truncate(LISTED);
        told(py, applied)
    }

    /// Takes in events from NDJSON, one on a line, or from a JSON array: bytes, text, a path, or an open file. As `apply`,
    /// and rejections name their line and byte offset.
    ///
    /// `progress=True` shows a bar (by tqdm where it is installed); a callable is called with (bytes read, bytes in all or
    /// None) now and then. Ctrl-C ends the call; events before that are applied, and applying the same again is harmless.
    #[pyo3(signature = (
        data: "bytes | bytearray | memoryview | str | PathLike[str] | IO[bytes] | IO[str]", *, source: "str | None" = None,
        strict: "bool" = false, skip_unknown: "bool" = false, progress: "Progress" = None,
    ) -> "Applied")]
    fn apply_ndjson<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
        source: Option<&str>,
        strict: bool,
        skip_unknown: bool,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let read = guarded_in(py, || Source::of(data))?.with_progress(self::progress(py, progress, "B")?);
        let (applied, read) = self.take_in(py, read, &options(source, strict, skip_unknown))?;
        read.finish(py)?;
        told(py, applied)
    }

    /// Gives up detail before an instant to bound memory. The seal moves down to the start of its month; events from before
    /// it are refused from then on.
    #[pyo3(signature = (before: "When") -> "None")]
    fn seal(&self, py: Python<'_>, before: args::When) -> PyResult<()> {
        self.shared.change(py, |engine| {
            let before = before.beginning(engine)?;
            Ok(engine.seal(before)?)
        })
    }
}

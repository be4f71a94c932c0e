//! Taking events in.

use super::Engine;
use crate::args;
use crate::error::Fault;
use crate::reader::{Objects, Source};
use crate::results::object_of;
use crate::rows::Rows;
use crate::run::guarded_in;
use healthfold::{self as core, Applied, ReadOptions, SourceId};
use pyo3::prelude::*;
use std::sync::Arc;

/// How a batch is read, from the arguments of a call.
fn options(source: Option<&str>, strict: bool, skip_unknown: bool) -> ReadOptions {
    ReadOptions { source: source.map(SourceId::new), strict, skip_unknown, ..ReadOptions::default() }
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

#[pymethods]
impl Engine {
    /// Takes in one event or many: a dict, JSON text, or an iterable of these. Good events are applied, each bad one is
    /// returned with its code, field and message; nothing else is touched.
    ///
    /// `source` is for events that state none. With `strict` the first bad event stops the batch before anything of it is
    /// applied, and raises `EventError`. With `skip_unknown` events of unknown types are skipped and counted. `progress` is as
    /// for `apply_ndjson`, in events. Ctrl-C before all are read leaves the engine as it was.
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
        let how = options(source, strict, skip_unknown);
        let progress = self::progress(py, progress, " events")?;
        let events = guarded_in(py, || Objects::of(events, progress.as_ref()))?;
        let few = events.are_few();
        let take_in =
            move |engine: &mut core::Engine| engine.apply_texts(events.texts(), &how).map_err(Fault::read);
        let applied = match few {
            true => self.shared.change(py, take_in)?,
            false => self.shared.change_long(py, move |engine, _| take_in(engine))?,
        };
        told(py, applied)
    }

    /// Takes in events from NDJSON, one on a line, or from a JSON array: bytes, text, a path, or an open file. As `apply`,
    /// and rejections name their line and byte offset.
    ///
    /// With `one_per_line` input that begins like an array is no array but a bad line, as in a part of a longer log.
    /// `progress=True` shows a bar (by tqdm where it is installed); a callable is called with (bytes read, bytes in all or
    /// None) now and then. Ctrl-C ends the call; events before that are applied, and applying the same again is harmless.
    /// With `strict` either all of it is applied or nothing.
    #[pyo3(signature = (
        data: "bytes | bytearray | memoryview | str | PathLike[str] | IO[bytes] | IO[str]", *, source: "str | None" = None,
        strict: "bool" = false, skip_unknown: "bool" = false, one_per_line: "bool" = false, progress: "Progress" = None,
    ) -> "Applied")]
    fn apply_ndjson<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
        source: Option<&str>,
        strict: bool,
        skip_unknown: bool,
        one_per_line: bool,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let how = ReadOptions { one_per_line, ..options(source, strict, skip_unknown) };
        let progress = self::progress(py, progress, "B")?.map(Arc::new);
        let told_of = progress.clone();
        let read = guarded_in(py, || Source::of(data))?;
        let at_once = read.is_small() && progress.is_none();
        let take_in = move |engine: &mut core::Engine, mut source: Source| {
            let applied = engine.apply_ndjson(&mut source, &how).map_err(Fault::read)?;
            Ok((applied, source.done, source.total))
        };
        let (applied, done, total) = if at_once {
            self.shared.change(py, move |engine| take_in(engine, read))?
        } else {
            self.shared
                .change_long(py, move |engine, home| take_in(engine, read.watched(home.clone(), progress)))?
        };
        if let Some(progress) = told_of {
            progress.call1(py, (done, total))?;
        }
        told(py, applied)
    }

    /// Gives up detail before an instant to bound memory. The seal moves down to the start of its month; events from before
    /// it are refused from then on. Ctrl-C leaves the call, not the change: once it has begun it is completed, and other calls
    /// wait for it.
    #[pyo3(signature = (before: "When") -> "None")]
    fn seal(&self, py: Python<'_>, before: args::When) -> PyResult<()> {
        self.shared.change_long(py, move |engine, _| {
            let before = before.beginning(engine, "before")?;
            Ok(engine.seal(before)?)
        })
    }
}

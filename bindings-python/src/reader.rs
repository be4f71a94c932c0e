//! What is read: bytes, text, a file by its path, an open file, or objects. Every quarter of a megabyte reading looks whether
//! anybody still waits for it, and tells how far it is.

use crate::error::Fault;
use crate::run::Home;
use crate::wire;
use healthfold::{EventCode, EventError, Rejection};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList, PyString};
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// How much is read between two looks.
const PIECE: usize = 256 * 1024;

enum Origin {
    Bytes(PyBackedBytes),
    Text(PyBackedStr),
    File(File, Vec<u8>),
    Object(Arc<Py<PyAny>>, Vec<u8>),
}

/// Bytes to read events from.
pub(crate) struct Source {
    from: Origin,
    /// Where the next byte lies in what is there.
    at: usize,
    /// How much was read in all, and how much there is, where it is known.
    pub(crate) done: u64,
    pub(crate) total: Option<u64>,
    /// Who waits for it, and what is called there with (done, total) now and then.
    watched: Option<(Home, Option<Arc<Py<PyAny>>>)>,
    /// When to look next.
    next_look: u64,
}

impl Source {
    fn new(from: Origin, total: Option<u64>) -> Self {
        Self { from, at: 0, done: 0, total, watched: None, next_look: 0 }
    }

    /// Bytes, a path, or an open file. Text that begins like JSON is read itself, other text is a path.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let sized = |len: usize| Some(len as u64);
        if object.cast::<PyBytes>().is_ok() || object.cast::<PyByteArray>().is_ok() {
            let bytes: PyBackedBytes = object.extract()?;
            let total = sized(bytes.len());
            return Ok(Self::new(Origin::Bytes(bytes), total));
        }
        if let Ok(text) = object.cast::<PyString>() {
            let begin = text.to_string_lossy();
            let begin = begin.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
            if begin.is_empty() || begin.starts_with(['{', '[']) {
                return Self::of_text(text);
            }
        }
        if object.hasattr("read")? {
            return Ok(Self::new(Origin::Object(Arc::new(object.clone().unbind()), Vec::new()), None));
        }
        if let Ok(buffer) = object.py().import("builtins")?.call_method1("memoryview", (object,)) {
            return Self::of(&buffer.call_method0("tobytes")?);
        }
        let path: PathBuf = object.extract()?;
        let file = File::open(&path)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        let total = file.metadata().ok().map(|data| data.len()).filter(|len| *len > 0);
        Ok(Self::new(Origin::File(file, Vec::new()), total))
    }

    fn of_text(text: &Bound<'_, PyString>) -> PyResult<Self> {
        match PyBackedStr::try_from(text.clone()) {
            Ok(text) => {
                let total = Some(text.len() as u64);
                Ok(Self::new(Origin::Text(text), total))
            }
            Err(_) => {
                let message = "text that is no Unicode".to_owned();
                let error = EventError { code: EventCode::MalformedJson, field: None, message };
                let rejection = Rejection { index: 0, line: None, offset: None, error };
                Err(Fault::Strict(Box::new(rejection)).raise(text.py()))
            }
        }
    }

    /// Whether it is read in no time.
    pub(crate) fn is_small(&self) -> bool {
        matches!(self.from, Origin::Bytes(_) | Origin::Text(_)) && self.total.is_some_and(is_small)
    }

    pub(crate) fn watched(self, home: Home, progress: Option<Arc<Py<PyAny>>>) -> Self {
        Self { watched: Some((home, progress)), ..self }
    }

    fn look(&mut self) -> io::Result<()> {
        let Some((home, progress)) = &self.watched else { return Ok(()) };
        if self.done < self.next_look {
            return Ok(());
        }
        self.next_look = self.done + PIECE as u64;
        let looked = home.look().and_then(|()| match progress {
            None => Ok(()),
            Some(progress) => {
                let (progress, so_far) = (Arc::clone(progress), (self.done, self.total));
                home.run(move |py| progress.call1(py, so_far).map(drop))
            }
        });
        looked.map_err(io::Error::other)
    }
}

/// Whether so many bytes are taken in in no time.
pub(crate) fn is_small(bytes: u64) -> bool {
    bytes <= PIECE as u64
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let there = self.fill_buf()?;
        let mut there = there;
        let n = there.read(into)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.look()?;
        let at = self.at;
        match &mut self.from {
            Origin::File(file, piece) if at >= piece.len() => {
                piece.resize(PIECE, 0);
                let n = file.read(piece)?;
                piece.truncate(n);
                self.at = 0;
            }
            Origin::Object(file, piece) if at >= piece.len() => {
                // Only what is in memory is read unwatched.
                let Some((home, _)) = &self.watched else { return Ok(&[]) };
                let file = Arc::clone(file);
                *piece = home.run(move |py| more(file.bind(py))).map_err(io::Error::other)?;
                self.at = 0;
            }
            _ => {}
        }
        let there: &[u8] = match &self.from {
            Origin::Bytes(bytes) => bytes,
            Origin::Text(text) => text.as_bytes(),
            Origin::File(_, piece) | Origin::Object(_, piece) => piece,
        };
        let rest = there.get(self.at..).unwrap_or_default();
        Ok(rest.get(..PIECE).unwrap_or(rest))
    }

    fn consume(&mut self, n: usize) {
        self.at += n;
        self.done += n as u64;
    }
}

/// The next bytes of an open file, binary or text.
fn more(file: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let piece = file.call_method1("read", (PIECE,))?;
    match piece.cast::<PyString>() {
        Ok(text) => Ok(text.to_str()?.as_bytes().to_vec()),
        Err(_) => piece.extract(),
    }
}

/// Events that came as objects: the texts of those that have one, and why the others have none.
#[derive(Default)]
pub(crate) struct Objects {
    bytes: Vec<u8>,
    /// How long each text is.
    events: Vec<Result<usize, EventError>>,
}

impl Objects {
    /// One event or many: a dict, JSON text of one event, or an iterable of these. `progress` is called with (done, total).
    pub(crate) fn of(events: &Bound<'_, PyAny>, progress: Option<&Py<PyAny>>) -> PyResult<Self> {
        let mut objects = Self::default();
        let is_one = events.cast::<PyDict>().is_ok() || events.hasattr("keys")? || is_text(events);
        let total = events.len().ok().filter(|_| !is_one);
        let tell = |done: usize| match progress {
            Some(progress) => progress.call1(events.py(), (done, total)).map(drop),
            None => Ok(()),
        };
        if is_one {
            objects.add(events);
        } else if let Ok(list) = events.cast::<PyList>() {
            for event in list.iter() {
                objects.look(events.py(), &tell)?;
                objects.add(&event);
            }
        } else if let Ok(items) = events.try_iter() {
            for event in items {
                objects.look(events.py(), &tell)?;
                objects.add(&event?);
            }
        } else {
            objects.add(events);
        }
        tell(objects.events.len())?;
        Ok(objects)
    }

    /// Whether they are taken in in no time.
    pub(crate) fn are_few(&self) -> bool {
        is_small(self.bytes.len() as u64)
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = Result<&[u8], EventError>> {
        let mut rest = self.bytes.as_slice();
        self.events.iter().map(move |event| {
            let (text, behind) =
                event.clone().map(|length| rest.split_at_checked(length).unwrap_or_default())?;
            rest = behind;
            Ok(text)
        })
    }

    /// Looks at the interpreter now and then.
    fn look(&self, py: Python<'_>, tell: &impl Fn(usize) -> PyResult<()>) -> PyResult<()> {
        if self.events.len() % 1024 == 1023 {
            py.check_signals()?;
            tell(self.events.len())?;
        }
        Ok(())
    }

    fn add(&mut self, event: &Bound<'_, PyAny>) {
        let text = if is_text(event) { text(event) } else { wire::to_json(event) };
        let event = text.map_err(|fault| {
            let code = EventCode::ALL.iter().find(|code| code.as_str() == fault.code);
            let code = code.copied().unwrap_or(EventCode::BadValue);
            let field = Some(fault.path).filter(|path| !path.is_empty());
            let message = match &field {
                Some(field) => format!("`{field}`: {}", fault.message),
                None => fault.message,
            };
            EventError { code, field, message }
        });
        self.events.push(event.map(|text| {
            self.bytes.extend_from_slice(text.as_bytes());
            text.len()
        }));
    }
}

fn is_text(event: &Bound<'_, PyAny>) -> bool {
    event.cast::<PyString>().is_ok() || event.cast::<PyBytes>().is_ok() || event.cast::<PyByteArray>().is_ok()
}

/// The JSON text of one event.
fn text(event: &Bound<'_, PyAny>) -> Result<String, wire::WireFault> {
    let fault = |message: &str| wire::WireFault {
        path: String::new(),
        code: "malformed_json",
        message: message.to_owned(),
    };
    match event.cast::<PyString>() {
        Ok(text) => text.to_str().map(str::to_owned).map_err(|_| fault("text that is no Unicode")),
        Err(_) => {
            let bytes: Vec<u8> = event.extract().map_err(|_| fault("bytes that cannot be read"))?;
            String::from_utf8(bytes).map_err(|_| fault("text that is no Unicode"))
        }
    }
}

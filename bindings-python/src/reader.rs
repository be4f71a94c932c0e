//! What is read: bytes, text, a file by its path, an open file, or objects. Reading comes back to the interpreter every
//! quarter of a megabyte, for Ctrl-C and progress.

use crate::error::Fault;
use crate::wire;
use healthfold::{Event, EventCode, EventError, Rejection};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList, PyString};
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::PathBuf;

/// How much is read before the interpreter is asked again.
const PIECE: usize = 256 * 1024;

enum Origin {
    Bytes(PyBackedBytes),
    Text(PyBackedStr),
    Made(Vec<u8>),
    File(File, Vec<u8>),
    Object(Py<PyAny>, Vec<u8>),
}

/// Bytes to read events from.
pub(crate) struct Source {
    from: Origin,
    /// Where the next byte lies in what is there.
    at: usize,
    /// How much was read in all, and how much there is, where it is known.
    done: u64,
    pub(crate) total: Option<u64>,
    /// Called with (done, total) now and then.
    progress: Option<Py<PyAny>>,
    /// When the interpreter is asked next.
    next_look: u64,
}

impl Source {
    fn new(from: Origin, total: Option<u64>) -> Self {
        Self { from, at: 0, done: 0, total, progress: None, next_look: 0 }
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
            return Ok(Self::new(Origin::Object(object.clone().unbind(), Vec::new()), None));
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
                let message = "text that is no Unicode";
                Err(Fault::Strict(Box::new(rejection(0, EventCode::MalformedJson, None, message)))
                    .raise(text.py()))
            }
        }
    }

    pub(crate) fn with_progress(self, progress: Option<Py<PyAny>>) -> Self {
        Self { progress, ..self }
    }

    /// Says that all was read.
    pub(crate) fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.tell(py)
    }

    fn tell(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(progress) = &self.progress {
            progress.call1(py, (self.done, self.total))?;
        }
        Ok(())
    }

    /// Asks the interpreter whether to go on.
    fn look(&mut self) -> io::Result<()> {
        if self.done < self.next_look {
            return Ok(());
        }
        self.next_look = self.done + PIECE as u64;
        Python::attach(|py| {
            py.check_signals()?;
            self.tell(py)
        })
        .map_err(io::Error::other)
    }
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
                *piece = Python::attach(|py| more(file.bind(py))).map_err(io::Error::other)?;
                self.at = 0;
            }
            _ => {}
        }
        let there: &[u8] = match &self.from {
            Origin::Bytes(bytes) => bytes,
            Origin::Text(text) => text.as_bytes(),
            Origin::Made(bytes) => bytes,
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

/// Events that came as objects: the text of those that have one, and the others with their faults.
pub(crate) struct Objects {
    pub(crate) source: Source,
    /// The number of each event that has a text.
    pub(crate) numbers: Vec<u64>,
    pub(crate) refused: Vec<Rejection>,
}

fn rejection(index: u64, code: EventCode, field: Option<String>, message: &str) -> Rejection {
    Rejection {
        index,
        line: None,
        offset: None,
        error: EventError { code, field, message: message.to_owned() },
    }
}

impl Objects {
    /// One event or many: a dict, JSON text of one event, or an iterable of these.
    pub(crate) fn of(events: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut objects = Self {
            source: Source::new(Origin::Made(Vec::new()), None),
            numbers: Vec::new(),
            refused: Vec::new(),
        };
        let mut bytes = Vec::new();
        let is_one = events.cast::<PyDict>().is_ok() || events.hasattr("keys")? || is_text(events);
        if is_one {
            objects.add(&mut bytes, 0, events)?;
        } else if let Ok(list) = events.cast::<PyList>() {
            for (event, index) in list.iter().zip(0..) {
                objects.add_one_of_many(&mut bytes, index, &event)?;
            }
        } else if let Ok(items) = events.try_iter() {
            for (event, index) in items.zip(0..) {
                objects.add_one_of_many(&mut bytes, index, &event?)?;
            }
        } else {
            objects.add(&mut bytes, 0, events)?;
        }
        objects.source.total = Some(bytes.len() as u64);
        objects.source.from = Origin::Made(bytes);
        Ok(objects)
    }

    /// A list among events is no event. It must not come first in a text, which would then be read as a list of events.
    fn add_one_of_many(&mut self, bytes: &mut Vec<u8>, index: u64, event: &Bound<'_, PyAny>) -> PyResult<()> {
        let before = bytes.len();
        self.add(bytes, index, event)?;
        let added = bytes.get(before..).unwrap_or_default().trim_ascii();
        let behind_mark = added.strip_prefix(b"\xef\xbb\xbf").unwrap_or(added);
        if behind_mark.trim_ascii_start().starts_with(b"[")
            && let Err(error) = Event::from_json(added)
        {
            bytes.truncate(before);
            self.numbers.pop();
            self.refused.push(Rejection { index, line: None, offset: None, error });
        }
        Ok(())
    }

    fn add(&mut self, bytes: &mut Vec<u8>, index: u64, event: &Bound<'_, PyAny>) -> PyResult<()> {
        if index % 1024 == 1023 {
            event.py().check_signals()?;
        }
        let text = if is_text(event) { line(event) } else { wire::to_json(event) };
        match text {
            Ok(text) => {
                bytes.extend_from_slice(text.as_bytes());
                bytes.push(b'\n');
                self.numbers.push(index);
            }
            Err(fault) => {
                let code = EventCode::ALL.iter().find(|code| code.as_str() == fault.code);
                let code = code.copied().unwrap_or(EventCode::BadValue);
                let field = Some(fault.path).filter(|path| !path.is_empty());
                let message = field
                    .as_ref()
                    .map_or_else(|| fault.message.clone(), |field| format!("`{field}`: {}", fault.message));
                self.refused.push(rejection(index, code, field, &message));
            }
        }
        Ok(())
    }
}

fn is_text(event: &Bound<'_, PyAny>) -> bool {
    event.cast::<PyString>().is_ok() || event.cast::<PyBytes>().is_ok() || event.cast::<PyByteArray>().is_ok()
}

/// The JSON text of one event on one line. No text of JSON holds a line end as it is, so those between members can go.
fn line(event: &Bound<'_, PyAny>) -> Result<String, wire::WireFault> {
    let fault = |message: &str| wire::WireFault {
        path: String::new(),
        code: "malformed_json",
        message: message.to_owned(),
    };
    let text = match event.cast::<PyString>() {
        Ok(text) => text.to_str().map(str::to_owned).map_err(|_| fault("text that is no Unicode"))?,
        Err(_) => {
            let bytes: Vec<u8> = event.extract().map_err(|_| fault("bytes that cannot be read"))?;
            String::from_utf8(bytes).map_err(|_| fault("text that is no Unicode"))?
        }
    };
    let text = text.replace(['\n', '\r'], " ");
    if text.trim().is_empty() { Err(fault("there is no event in this text")) } else { Ok(text) }
}

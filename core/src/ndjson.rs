//! Lines in, events and rejections out. One bad line never costs another.
//!
//! `\r\n`, blank lines and a byte order mark are accepted. Input whose first character is `[` is read as a JSON array
//! of events (batch mode) instead, unless whoever reads knows that it is lines.

mod span;

pub(crate) use span::{Block, Line};

use crate::event::line::Decoded;
use crate::event::{Event, EventCode, EventError, MAX_LINE};
use crate::id::SourceId;
use std::io::{self, Read};

/// As much of the input is asked for at once, once it turns out to be long.
const BLOCK: usize = if cfg!(feature = "threads") { 8 << 20 } else { 256 << 10 };
const FIRST_BLOCK: usize = 8 << 10;
/// One byte more than a line and its end may have is enough to know that the line is too long.
const MOST_KEPT: usize = MAX_LINE + 2;

/// Where an event stood in its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number among the events of the input, from 0; blank lines do not count.
    pub index: u64,
    /// Its line, from 1.
    pub line: u64,
    /// The offset of its first byte.
    pub offset: u64,
}

/// Reads events from a stream of bytes, one at a time, with bounded memory for NDJSON.
///
/// ```
/// use healthfold::EventReader;
/// let input = b"\xef\xbb\xbf\r\n{\"id\":\"1\"}\r\nnot json\n";
/// let mut reader = EventReader::new(&input[..], None);
/// let (place, event) = reader.next_event()?.unwrap();
/// assert_eq!((place.line, place.offset), (2, 5));
/// assert_eq!(event.unwrap_err().code.as_str(), "missing_field");
/// let (place, event) = reader.next_event()?.unwrap();
/// assert_eq!((place.index, event.unwrap_err().code.as_str()), (1, "malformed_json"));
/// assert!(reader.next_event()?.is_none());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct EventReader<R> {
    input: Blocks<R>,
    source: Option<SourceId>,
    /// The bytes of the element of an array that is being read, reused.
    element: Vec<u8>,
    next: Place,
    form: Form,
    one_per_line: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Unknown,
    Lines,
    Array,
    /// Behind the `]` of an array.
    Behind,
    Ended,
}

impl<R: Read> EventReader<R> {
    /// Reads from `input`, in big pieces; `source` is taken for events that state none.
    pub fn new(input: R, source: Option<SourceId>) -> Self {
        let next = Place { index: 0, line: 1, offset: 0 };
        let (input, form) = (Blocks::new(input), Form::Unknown);
        Self { input, source, element: Vec::new(), next, form, one_per_line: false }
    }

    /// The same for input of which every line is an event of its own, also where the first begins with `[`.
    #[must_use]
    pub fn one_per_line(self, one_per_line: bool) -> Self {
        Self { one_per_line, ..self }
    }

    /// The bytes of the events read so far, and of what stands between them.
    pub fn offset(&self) -> u64 {
        self.next.offset
    }

    /// The next event or what is wrong with it, and where it stood; `None` at the end.
    ///
    /// # Errors
    /// Only what the input itself reports.
    pub fn next_event(&mut self) -> io::Result<Option<(Place, Result<Event, EventError>)>> {
        while let Some(mut block) = self.next_block()? {
            while let Some(span) = block.next_span(1) {
                if let Some((place, line)) = span.lines().next() {
                    let place = Place { index: block.pass(1), ..place };
                    return Ok(Some((place, line.decode().map(Decoded::into_event))));
                }
            }
        }
        Ok(None)
    }

    /// The next events that lie in memory together; `None` at the end. A block may turn out to hold none; what is left
    /// of it when it is dropped comes again with the next.
    ///
    /// # Errors
    /// Only what the input itself reports.
    pub(crate) fn next_block(&mut self) -> io::Result<Option<Block<'_>>> {
        if self.form == Form::Unknown {
            self.form = self.find_form()?;
        }
        match self.form {
            Form::Lines => self.lines(),
            Form::Array => self.next_element().map(Some),
            Form::Behind => self.refuse_rest(),
            Form::Unknown | Form::Ended => Ok(None),
        }
    }

    /// Skips a byte order mark and blanks, and looks at the first byte that says something.
    fn find_form(&mut self) -> io::Result<Form> {
        // A mark may be split over reads. Anything else that begins like one is no JSON, and the start of a bad line.
        const MARK: &[u8] = b"\xef\xbb\xbf";
        while self.input.kept().len() < MARK.len() && MARK.starts_with(self.input.kept()) {
            if self.input.fill()? == 0 {
                break;
            }
        }
        if self.input.kept().starts_with(MARK) {
            self.input.start += MARK.len();
            self.next.offset += MARK.len() as u64;
        }
        loop {
            match self.input.peek()? {
                Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) => self.pass(byte),
                Some(b'[') if !self.one_per_line => {
                    self.pass(b'[');
                    return Ok(Form::Array);
                }
                _ => return Ok(Form::Lines),
            }
        }
    }

    /// Passes over the byte that was looked at.
    fn pass(&mut self, byte: u8) {
        self.input.start += 1;
        self.next.offset += 1;
        if byte == b'\n' {
            self.next.line += 1;
        }
    }

    /// The whole lines at hand, or the one that is too long.
    fn lines(&mut self) -> io::Result<Option<Block<'_>>> {
        loop {
            if self.input.start < self.input.whole {
                break;
            }
            if self.input.kept().len() >= MOST_KEPT {
                return self.skip_line().map(Some);
            }
            if self.input.fill()? == 0 {
                // The last line may lack its end.
                self.input.whole = self.input.end;
                if self.input.kept().is_empty() {
                    self.form = Form::Ended;
                    return Ok(None);
                }
            }
        }
        let bytes = self.input.buffer.get(..self.input.whole).unwrap_or_default();
        let source = self.source.as_ref();
        Ok(Some(Block::of_lines(bytes, &mut self.input.start, &mut self.next, source)))
    }

    /// Passes over a line that is too long to keep.
    fn skip_line(&mut self) -> io::Result<Block<'_>> {
        let kept = self.input.kept();
        let text = kept.trim_ascii_start().len();
        let lead = if text == 0 { 0 } else { kept.len() - text };
        let place = Place { offset: self.next.offset + lead as u64, ..self.next };
        loop {
            let kept = self.input.kept();
            let newline = memchr::memchr(b'\n', kept);
            let passed = newline.map_or(kept.len(), |at| at + 1);
            self.input.start += passed;
            self.next.offset += passed as u64;
            if newline.is_some() || self.input.fill()? == 0 {
                break;
            }
        }
        self.next.line += 1;
        Ok(Block::of_one(place, Line::Fault(too_long_event()), &mut self.next))
    }

    /// Nothing but blanks may come behind the `]` of an array.
    fn refuse_rest(&mut self) -> io::Result<Option<Block<'_>>> {
        self.form = Form::Ended;
        while let Some(byte) = self.input.peek()? {
            if !byte.is_ascii_whitespace() {
                let message = "nothing may come behind the `]` of a list of events";
                let error = EventError::whole(EventCode::MalformedJson, message);
                return Ok(Some(Block::of_one(self.next, Line::Fault(error), &mut self.next)));
            }
            self.pass(byte);
        }
        Ok(None)
    }

    /// The next element of an array: the bytes up to the comma or bracket that ends it, whatever they are.
    fn next_element(&mut self) -> io::Result<Block<'_>> {
        self.element.clear();
        let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
        let mut start: Option<Place> = None;
        let mut too_long = false;
        loop {
            let Some(byte) = self.input.peek()? else {
                self.form = Form::Ended;
                let place = start.unwrap_or(self.next);
                let error =
                    EventError::whole(EventCode::MalformedJson, "the list of events must end with `]`");
                return Ok(Block::of_one(place, Line::Fault(error), &mut self.next));
            };
            let here = self.next;
            self.pass(byte);
            let ends = !in_string && depth == 0 && matches!(byte, b',' | b']');
            if ends {
                if byte == b']' {
                    self.form = Form::Behind;
                    // An array may be empty, but a comma announces an element.
                    if start.is_none() && self.next.index == 0 {
                        return Ok(Block::of_none(&mut self.next));
                    }
                }
                let place = start.unwrap_or(here);
                let line = if too_long {
                    Line::Fault(too_long_event())
                } else {
                    Line::Bytes(self.element.trim_ascii(), self.source.as_ref())
                };
                return Ok(Block::of_one(place, line, &mut self.next));
            }
            if start.is_none() && !byte.is_ascii_whitespace() {
                start = Some(here);
            }
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
                _ => {}
            }
            if start.is_some() {
                if self.element.len() <= MAX_LINE {
                    self.element.push(byte);
                } else {
                    too_long = true;
                }
            }
        }
    }
}

/// The bytes of the input, in pieces of a size that stays in a cache, with the end of one piece kept for the next.
struct Blocks<R> {
    input: R,
    buffer: Vec<u8>,
    /// What is not yet read of the buffer begins here,
    start: usize,
    /// its whole lines end here,
    whole: usize,
    /// and it ends here.
    end: usize,
}

impl<R: Read> Blocks<R> {
    fn new(input: R) -> Self {
        Self { input, buffer: vec![0; FIRST_BLOCK], start: 0, whole: 0, end: 0 }
    }

    /// What is in memory and not yet read.
    fn kept(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.start == self.end && self.fill()? == 0 {
            return Ok(None);
        }
        Ok(self.buffer.get(self.start).copied())
    }

    /// Adds bytes to those that are kept; returns how many, 0 at the end of the input.
    fn fill(&mut self) -> io::Result<usize> {
        if self.end == self.buffer.len() {
            // What came last filled all the room, so there is more.
            let kept = self.end - self.start;
            let most = BLOCK.max(MOST_KEPT).max(kept + 1);
            let wanted = (self.buffer.len() * 4).min(BLOCK).max(kept * 2).min(most);
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.whole, self.end) = (0, self.whole.saturating_sub(self.start), kept);
            self.buffer.resize(wanted.max(self.buffer.len()), 0);
        } else if self.start == self.end {
            (self.start, self.whole, self.end) = (0, 0, 0);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = loop {
            match self.input.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        if let Some(at) = room.get(..read).and_then(|new| memchr::memrchr(b'\n', new)) {
            self.whole = self.end + at + 1;
        }
        self.end += read;
        Ok(read)
    }
}

fn too_long_event() -> EventError {
    EventError::whole(EventCode::TooLong, format!("an event must be at most {MAX_LINE} bytes"))
}

#[cfg(test)]
mod tests;

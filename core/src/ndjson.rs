//! Lines in, events and rejections out. One bad line never costs another.
//!
//! `\r\n`, blank lines and a byte order mark are accepted. Input whose first character is `[` is read as a JSON array
//! of events (batch mode) instead.

use crate::event::{Event, EventCode, EventError, MAX_LINE};
use crate::id::SourceId;
use std::io::{self, BufRead, Read as _};

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
    input: R,
    source: Option<SourceId>,
    /// The bytes of the event being read, reused.
    buffer: Vec<u8>,
    next: Place,
    form: Form,
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

impl<R: BufRead> EventReader<R> {
    /// Reads from `input`; `source` is taken for events that state none.
    pub fn new(input: R, source: Option<SourceId>) -> Self {
        let next = Place { index: 0, line: 1, offset: 0 };
        Self { input, source, buffer: Vec::new(), next, form: Form::Unknown }
    }

    /// The bytes read so far.
    pub fn offset(&self) -> u64 {
        self.next.offset
    }

    /// The next event or what is wrong with it, and where it stood; `None` at the end.
    ///
    /// # Errors
    /// Only what the input itself reports.
    pub fn next_event(&mut self) -> io::Result<Option<(Place, Result<Event, EventError>)>> {
        if self.form == Form::Unknown {
            self.form = self.find_form()?;
        }
        match self.form {
            Form::Lines => self.next_line(),
            Form::Array => self.next_element(),
            Form::Behind => self.refuse_rest(),
            Form::Unknown | Form::Ended => Ok(None),
        }
    }

    /// Skips a byte order mark and blanks, and looks at the first byte that says something.
    fn find_form(&mut self) -> io::Result<Form> {
        // A mark may be split over reads. Anything else that begins like one is no JSON, and the start of a bad line.
        for expected in [0xef, 0xbb, 0xbf] {
            if self.input.fill_buf()?.first() == Some(&expected) {
                self.input.consume(1);
                self.buffer.push(expected);
            } else if !self.buffer.is_empty() {
                return Ok(Form::Lines);
            }
        }
        self.next.offset += self.buffer.len() as u64;
        self.buffer.clear();
        loop {
            match self.input.fill_buf()?.first().copied() {
                Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) => {
                    self.input.consume(1);
                    self.pass(byte);
                }
                Some(b'[') => {
                    self.input.consume(1);
                    self.pass(b'[');
                    return Ok(Form::Array);
                }
                _ => return Ok(Form::Lines),
            }
        }
    }

    fn pass(&mut self, byte: u8) {
        self.next.offset += 1;
        if byte == b'\n' {
            self.next.line += 1;
        }
    }

    fn next_line(&mut self) -> io::Result<Option<(Place, Result<Event, EventError>)>> {
        loop {
            // One byte more than is allowed is enough to know that a line is too long.
            let room = (MAX_LINE + 2).saturating_sub(self.buffer.len()) as u64;
            (&mut self.input).take(room).read_until(b'\n', &mut self.buffer)?;
            if self.buffer.is_empty() {
                self.form = Form::Ended;
                return Ok(None);
            }
            let mut length = self.buffer.len() as u64;
            let ended = self.buffer.last() == Some(&b'\n');
            let too_long = !ended && self.buffer.len() >= MAX_LINE + 2;
            if too_long {
                length += skip_line(&mut self.input)?;
            }
            let place = self.next;
            self.next.offset += length;
            self.next.line += 1;
            let line = self.buffer.trim_ascii();
            if line.is_empty() && !too_long {
                self.buffer.clear();
                continue;
            }
            self.next.index += 1;
            let start = self.buffer.trim_ascii_start().len();
            let lead = if start == 0 { 0 } else { self.buffer.len() - start };
            // What was kept of a line that is too long may look whole.
            let event = if too_long {
                Err(too_long_event())
            } else {
                Event::from_json_of(line, self.source.as_ref())
            };
            self.buffer.clear();
            return Ok(Some((Place { offset: place.offset + lead as u64, ..place }, event)));
        }
    }

    /// Nothing but blanks may come behind the `]` of an array.
    fn refuse_rest(&mut self) -> io::Result<Option<(Place, Result<Event, EventError>)>> {
        self.form = Form::Ended;
        while let Some(byte) = self.input.fill_buf()?.first().copied() {
            if !byte.is_ascii_whitespace() {
                let message = "nothing may come behind the `]` of a list of events";
                let place = self.next;
                self.next.index += 1;
                return Ok(Some((place, Err(EventError::whole(EventCode::MalformedJson, message)))));
            }
            self.input.consume(1);
            self.pass(byte);
        }
        Ok(None)
    }

    /// The next element of an array: the bytes up to the comma or bracket that ends it, whatever they are.
    fn next_element(&mut self) -> io::Result<Option<(Place, Result<Event, EventError>)>> {
        let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
        let mut start: Option<Place> = None;
        let mut too_long = false;
        loop {
            let byte = match self.input.fill_buf()?.first().copied() {
                Some(byte) => byte,
                None => {
                    self.form = Form::Ended;
                    let place = start.unwrap_or(self.next);
                    let error =
                        EventError::whole(EventCode::MalformedJson, "the list of events must end with `]`");
                    self.buffer.clear();
                    return Ok(Some((place, Err(error))));
                }
            };
            self.input.consume(1);
            let here = self.next;
            self.pass(byte);
            let ends = !in_string && depth == 0 && matches!(byte, b',' | b']');
            if ends {
                if byte == b']' {
                    self.form = Form::Behind;
                    // An array may be empty, but a comma announces an element.
                    if start.is_none() && self.next.index == 0 {
                        return self.refuse_rest();
                    }
                }
                let place = start.unwrap_or(here);
                self.next.index += 1;
                let event = if too_long {
                    Err(too_long_event())
                } else {
                    Event::from_json_of(self.buffer.trim_ascii(), self.source.as_ref())
                };
                self.buffer.clear();
                return Ok(Some((place, event)));
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
                if self.buffer.len() <= MAX_LINE {
                    self.buffer.push(byte);
                } else {
                    too_long = true;
                }
            }
        }
    }
}

fn too_long_event() -> EventError {
    EventError::whole(EventCode::TooLong, format!("an event must be at most {MAX_LINE} bytes"))
}

/// Passes over the rest of a line that is too long to keep; returns how many bytes it had.
fn skip_line(input: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let available = input.fill_buf()?;
        if available.is_empty() {
            return Ok(skipped);
        }
        let newline = available.iter().position(|b| *b == b'\n');
        let n = newline.map_or(available.len(), |at| at + 1);
        input.consume(n);
        skipped += n as u64;
        if newline.is_some() {
            return Ok(skipped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8]) -> Vec<(u64, u64, u64, &'static str)> {
        // A tiny buffer, so that every boundary falls between two reads.
        let mut reader = EventReader::new(io::BufReader::with_capacity(3, input), Some("s".into()));
        let mut seen = Vec::new();
        while let Some((place, event)) = reader.next_event().unwrap() {
            let code = event.map_or_else(|e| e.code.as_str(), |_| "ok");
            seen.push((place.index, place.line, place.offset, code));
        }
        seen
    }

    const GOOD: &str = r#"{"id":"1","type":"client.erased","subject":"a","time":"2026-01-01T00:00:00Z","data":{"n":"a,]}\"["}}"#;

    #[test]
    fn lines_with_mark_blanks_and_carriage_returns() {
        let input = format!("\u{feff}{GOOD}\r\n\r\n  \n {GOOD}\nnonsense\n{GOOD}");
        let g = GOOD.len() as u64;
        assert_eq!(
            read(input.as_bytes()),
            [
                (0, 1, 3, "ok"),
                (1, 4, 3 + g + 2 + 2 + 3 + 1, "ok"),
                (2, 5, 3 + g + 2 + 2 + 3 + 1 + g + 1, "malformed_json"),
                (3, 6, 3 + g + 2 + 2 + 3 + 1 + g + 1 + 9, "ok"),
            ]
        );
    }

    #[test]
    fn a_line_of_two_mebibytes_costs_only_itself() {
        let long = format!("{{\"id\":\"{}\"}}", "x".repeat(2 << 20));
        let input = format!("{GOOD}\n{long}\n{GOOD}\n");
        let codes: Vec<_> =
            read(input.as_bytes()).into_iter().map(|(_, line, _, code)| (line, code)).collect();
        assert_eq!(codes, [(1, "ok"), (2, "too_long"), (3, "ok")]);
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_read() {
        let pad = MAX_LINE - GOOD.len();
        let input = format!(
            "{}{}\n{GOOD}\n",
            GOOD.replace("}}", &format!(",\"p\":\"{}\"}}}}", "x".repeat(pad - 7))),
            ""
        );
        assert_eq!(input.lines().next().unwrap().len(), MAX_LINE);
        assert_eq!(read(input.as_bytes()).iter().map(|r| r.3).collect::<Vec<_>>(), ["ok", "ok"]);
    }

    #[test]
    fn a_list_of_events() {
        let input = format!(" [ {GOOD} ,\n{GOOD},5, {{]");
        let codes: Vec<_> =
            read(input.as_bytes()).into_iter().map(|(i, line, _, code)| (i, line, code)).collect();
        assert_eq!(codes, [(0, 1, "ok"), (1, 2, "ok"), (2, 2, "wrong_type"), (3, 2, "malformed_json")]);
        assert_eq!(read(b"[]"), []);
        assert_eq!(read(b"[").len(), 1, "a list that does not end is said");
        assert_eq!(read(b""), []);
    }

    #[test]
    fn bytes_that_are_no_text_are_a_bad_line() {
        assert_eq!(
            read(b"\xef\xbb\n\xff\xfe\n").iter().map(|r| r.3).collect::<Vec<_>>(),
            ["malformed_json"; 2]
        );
    }
}

//! What lies in memory together, in spans of whole lines: each can be split and decoded by itself, also by another thread.

use super::Place;
use crate::event::EventError;
use crate::event::line::{Decoded, decode_line, decode_text};
use crate::id::SourceId;

/// Events that lie in memory together.
pub(crate) struct Block<'a> {
    /// What of the lines is not yet handed on,
    bytes: &'a [u8],
    /// how much of the buffer is,
    start: Option<&'a mut usize>,
    /// and where in the input the next line begins.
    next: &'a mut Place,
    source: Option<&'a SourceId>,
    /// What comes alone.
    one: Option<(Place, Line<'a>)>,
}

impl<'a> Block<'a> {
    /// Whole lines: those of a buffer behind `start`.
    pub(super) fn of_lines(
        buffer: &'a [u8],
        start: &'a mut usize,
        next: &'a mut Place,
        source: Option<&'a SourceId>,
    ) -> Self {
        let bytes = buffer.get(*start..).unwrap_or_default();
        Self { bytes, start: Some(start), next, source, one: None }
    }

    /// One event, which the place is already behind.
    pub(super) fn of_one(place: Place, line: Line<'a>, next: &'a mut Place) -> Self {
        Self { one: Some((place, line)), ..Self::of_none(next) }
    }

    /// No event at all.
    pub(super) fn of_none(next: &'a mut Place) -> Self {
        Self { bytes: &[], start: None, next, source: None, one: None }
    }

    /// The next lines, so many at most.
    pub(crate) fn next_span(&mut self, most: usize) -> Option<Span<'a>> {
        let Self { bytes, start, next, source, one } = self;
        if let Some(one) = one.take() {
            return Some(Span { bytes: &[], next: one.0, source: None, one: Some(one) });
        }
        let (mut lines, mut length) = (0, 0);
        for at in memchr::memchr_iter(b'\n', bytes).take(most) {
            (lines, length) = (lines + 1, at + 1);
        }
        if lines < most as u64 && length < bytes.len() {
            // The last line may lack its end.
            (lines, length) = (lines + 1, bytes.len());
        }
        let (these, rest) = bytes.split_at_checked(length).filter(|(these, _)| !these.is_empty())?;
        *bytes = rest;
        if let Some(start) = start {
            **start += length;
        }
        let span = Span { bytes: these, next: **next, source: *source, one: None };
        next.line += lines;
        next.offset += length as u64;
        Some(span)
    }

    /// Says how many events the spans held; returns the number of the first of them in the input.
    pub(crate) fn pass(&mut self, events: u64) -> u64 {
        let first = self.next.index;
        self.next.index += events;
        first
    }
}

/// Some whole lines.
pub(crate) struct Span<'a> {
    bytes: &'a [u8],
    next: Place,
    source: Option<&'a SourceId>,
    one: Option<(Place, Line<'a>)>,
}

impl<'a> Span<'a> {
    /// The lines that are not blank, each with its place; their numbers are counted from the first of the span.
    pub(crate) fn lines(self) -> Lines<'a> {
        // At once this costs half of what it costs line by line.
        let text = sound_text(self.bytes);
        Lines { text, start: 0, index: 0, span: self }
    }
}

/// The lines of a span in turn.
pub(crate) struct Lines<'a> {
    span: Span<'a>,
    /// As much from the beginning of the bytes as is known to be UTF-8.
    text: &'a str,
    start: usize,
    index: u64,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (Place, Line<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let Self { span: Span { bytes, next, source, one }, text, start, index } = self;
        if let Some((place, line)) = one.take() {
            return Some((Place { index: 0, ..place }, line));
        }
        loop {
            let rest = bytes.get(*start..).filter(|rest| !rest.is_empty())?;
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let line = rest.get(..length).unwrap_or_default();
            let bytes = line.trim_ascii_start();
            let lead = length - bytes.len();
            let start_of_text = *start + lead;
            let place = Place { index: *index, line: next.line, offset: next.offset + lead as u64 };
            *start += length;
            next.offset += length as u64;
            next.line += 1;
            if !bytes.is_empty() {
                *index += 1;
                let bytes = bytes.trim_ascii_end();
                let line = match text.get(start_of_text..start_of_text + bytes.len()) {
                    Some(text) => Line::Text(text, *source),
                    None => Line::Bytes(bytes, *source),
                };
                return Some((place, line));
            }
        }
    }
}

/// The text of an event, not yet decoded, or why there is none.
pub(crate) enum Line<'a> {
    /// With the source of events that state none.
    Text(&'a str, Option<&'a SourceId>),
    /// The same, where nobody has seen yet whether it is UTF-8.
    Bytes(&'a [u8], Option<&'a SourceId>),
    Fault(EventError),
}

impl<'a> Line<'a> {
    pub(crate) fn decode(self) -> Result<Decoded<'a>, EventError> {
        match self {
            Self::Text(text, source) => decode_text(text, source),
            Self::Bytes(bytes, source) => decode_line(bytes, source),
            Self::Fault(error) => Err(error),
        }
    }
}

/// The bytes as text, up to the first that is no UTF-8.
fn sound_text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_else(|error| {
        bytes.get(..error.valid_up_to()).and_then(|sound| std::str::from_utf8(sound).ok()).unwrap_or_default()
    })
}

//! Taking events in.

use super::Told;
use crate::answer::Answer;
use crate::args::Args;
use crate::error::Fault;
use crate::run::{Shared, Wanted};
use healthfold::{Applied, Event, EventCode, EventError, ReadOptions, Rejection, SourceId};
use serde::Deserialize;
use std::io::{self, BufRead, Read};
use std::sync::Arc;

/// So many bytes are read between two looks at whether anybody still wants it.
const PIECE: usize = 256 * 1024;

/// Bytes that end when nobody wants them any more.
struct Source<'b> {
    rest: &'b [u8],
    wanted: &'b Wanted,
}

impl Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(into)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.wanted.check().map_err(|_| io::Error::other("aborted"))?;
        Ok(self.rest.get(..PIECE).unwrap_or(self.rest))
    }

    fn consume(&mut self, n: usize) {
        self.rest = self.rest.get(n..).unwrap_or_default();
    }
}

fn options(args: &mut Args) -> Result<ReadOptions, Fault> {
    Ok(ReadOptions {
        source: args.read_or_default::<Option<String>>("source")?.map(SourceId::new),
        strict: args.read_or_default("strict")?,
        skip_unknown: args.read_or_default("skip_unknown")?,
    })
}

/// Takes in events from NDJSON, one on a line, or from a JSON array: bytes or text. Good events are applied, each bad one is
/// returned with its code, field, message, line and byte offset; nothing else is touched.
///
/// `source` is for events that state none. With `strict` the first bad event stops the batch before anything of it is applied,
/// and throws. With `skipUnknown` events of unknown types are skipped and counted.
///
/// TypeScript: `applyNdjson(data: string | Uint8Array, options?: ReadSettings): Applied`
pub(super) fn apply_ndjson(shared: &Arc<Shared>, mut args: Args, wanted: &Wanted) -> Told {
    let options = options(&mut args)?;
    args.end()?;
    let source = Source { rest: &args.bytes, wanted };
    let applied = shared.change(|engine| engine.apply_ndjson(source, &options).map_err(Fault::read))?;
    Answer::beside(applied)
}

/// An event that has no JSON form.
#[derive(Deserialize)]
struct Refused {
    index: u64,
    code: String,
    field: Option<String>,
    message: String,
}

impl From<Refused> for Rejection {
    fn from(Refused { index, code, field, message }: Refused) -> Self {
        let code = EventCode::ALL.iter().find(|known| known.as_str() == code);
        let error = EventError { code: code.copied().unwrap_or(EventCode::BadValue), field, message };
        Self { index, line: None, offset: None, error }
    }
}

/// How many rejections a batch lists, as in the core.
const LISTED: usize = 1_000;

/// Takes in events that came as objects, each on its line. `refused` are those without a line; then `numbers` are those of the
/// lines. With `placed` it is a part of a longer text, and lines and offsets are told.
pub(super) fn apply_lines(shared: &Arc<Shared>, mut args: Args, wanted: &Wanted) -> Told {
    let options = options(&mut args)?;
    let numbers: Option<Vec<u64>> = args.read_or_default("numbers")?;
    let refused: Vec<Refused> = args.read_or_default("refused")?;
    let placed: bool = args.read_or_default("placed")?;
    args.end()?;
    let mut refused: Vec<Rejection> = refused.into_iter().map(Rejection::from).collect();
    let (first, rest) = behind_lists(&args.bytes);
    let number = |index: u64| {
        let at = usize::try_from(index).ok();
        numbers.as_ref().and_then(|numbers| numbers.get(at?)).copied().unwrap_or(index)
    };
    let begun = first.len() as u64;
    let before = args.bytes.get(..args.bytes.len() - rest.len()).unwrap_or_default();
    let (skipped, lines) = (before.len() as u64, lines_in(before));
    let at_place = |rejection: Rejection| Rejection {
        index: number(rejection.index + begun),
        // The text is ours where it is not a part of a longer one.
        line: rejection.line.filter(|_| placed).map(|line| line + lines),
        offset: rejection.offset.filter(|_| placed).map(|offset| offset + skipped),
        ..rejection
    };
    for (index, List { line, offset, error }) in (0..).zip(first) {
        let (line, offset) = (placed.then_some(line), placed.then_some(offset));
        refused.push(Rejection { index: number(index), line, offset, error });
    }
    refused.sort_by_key(|rejection| rejection.index);
    if let Some(first) = refused.first().filter(|_| options.strict) {
        return Err(Fault::Strict(Box::new(first.clone())));
    }
    let mut applied: Applied = shared.change(|engine| {
        let source = Source { rest, wanted };
        engine.apply_ndjson(source, &options).map_err(|error| match Fault::read(error) {
            Fault::Strict(rejection) => Fault::Strict(Box::new(at_place(*rejection))),
            fault => fault,
        })
    })?;
    let rejected = std::mem::take(&mut applied.rejected);
    applied.rejected = rejected.into_iter().map(at_place).collect();
    for conflict in &mut applied.conflicts {
        conflict.index = number(conflict.index + begun);
    }
    for rejection in refused {
        *applied.rejected_by_code.entry(rejection.error.code.as_str()).or_default() += 1;
        applied.rejected.push(rejection);
    }
    applied.rejected.sort_by_key(|rejection| rejection.index);
    applied.rejected.truncate(LISTED);
    Answer::beside(applied)
}

/// A line that is a list, where it stands, and what is wrong with that.
struct List {
    line: u64,
    offset: u64,
    error: EventError,
}

/// Lines at the beginning that the core would take for the beginning of one list of events: each is a line, and a bad one.
fn behind_lists(bytes: &[u8]) -> (Vec<List>, &[u8]) {
    let (mut lists, mut at) = (Vec::new(), 0);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let text = rest.strip_prefix("\u{feff}".as_bytes()).unwrap_or(rest).trim_ascii_start();
        if !text.starts_with(b"[") {
            return (lists, rest);
        }
        let begin = bytes.len() - text.len();
        let end = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| at + 1);
        let line = text.get(..end).unwrap_or_default();
        let error = Event::from_json(line).err();
        let placed = |error| List {
            line: lines_in(bytes.get(..begin).unwrap_or_default()) + 1,
            offset: begin as u64,
            error,
        };
        // No list is an event.
        lists.extend(error.map(placed));
        at = begin + end;
    }
}

fn lines_in(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Gives up detail before an instant to bound memory. The seal moves down to the start of its month; events from before it are
/// refused from then on.
///
/// TypeScript: `seal(before: When): void`
pub(super) fn seal(shared: &Arc<Shared>, mut args: Args, _: &Wanted) -> Told {
    shared.change(|engine| {
        let before = args.beginning(engine, "before")?;
        args.end()?;
        engine.seal(before)?;
        Ok(Answer::Nothing)
    })
}

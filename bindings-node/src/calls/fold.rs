//! Taking events in.

use super::Told;
use crate::answer::Answer;
use crate::args::Args;
use crate::error::Fault;
use crate::run::{Shared, Wanted};
use healthfold::{EventCode, EventError, ReadOptions, SourceId};
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
        ..ReadOptions::default()
    })
}

/// Takes in events from NDJSON, one on a line, or from a JSON array: bytes or text. Good events are applied, each bad one is
/// returned with its code, field, message, line and byte offset; nothing else is touched.
///
/// `source` is for events that state none. With `strict` the first bad event stops the batch before anything of it is applied,
/// and throws. With `skipUnknown` events of unknown types are skipped and counted. With `onePerLine` input that begins like
/// an array is none but a bad line, as in a part of a longer log.
///
/// TypeScript: `applyNdjson(data: string | Uint8Array, options?: ReadSettings & { onePerLine?: boolean | null }): Applied`
pub(super) fn apply_ndjson(shared: &Arc<Shared>, mut args: Args, wanted: &Wanted) -> Told {
    let one_per_line = args.read_or_default("one_per_line")?;
    let options = ReadOptions { one_per_line, ..options(&mut args)? };
    args.end()?;
    let source = Source { rest: &args.bytes, wanted };
    let applied = shared.change(|engine| engine.apply_ndjson(source, &options).map_err(Fault::read))?;
    Answer::beside(applied)
}

/// An event that came as an object: how long its text is, or why it has none.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Text(usize),
    Refused { code: String, field: Option<String>, message: String },
}

/// Takes in events that came as objects.
pub(super) fn apply_texts(shared: &Arc<Shared>, mut args: Args, wanted: &Wanted) -> Told {
    let options = options(&mut args)?;
    let events: Vec<Given> = args.read_or_default("events")?;
    args.end()?;
    let mut rest = args.bytes.as_slice();
    let texts = events.into_iter().map(|event| match event {
        Given::Text(length) => {
            let (text, behind) = rest.split_at_checked(length).unwrap_or_default();
            rest = behind;
            Ok(text)
        }
        Given::Refused { code, field, message } => {
            let code = EventCode::ALL.iter().find(|known| known.as_str() == code);
            Err(EventError { code: code.copied().unwrap_or(EventCode::BadValue), field, message })
        }
    });
    // All or nothing is not ended in the middle.
    let texts = texts.take_while(|_| options.strict || wanted.check().is_ok());
    let applied = shared.change(|engine| engine.apply_texts(texts, &options).map_err(Fault::read))?;
    wanted.check()?;
    Answer::beside(applied)
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

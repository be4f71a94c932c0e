//! Taking tables in: Arrow IPC and Parquet, as bytes.

use super::Told;
use crate::answer::Answer;
use crate::args::Args;
use crate::error::{Fault, query};
use crate::run::{Shared, Wanted};
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::{ArrowError, SchemaRef};
use healthfold::table::{Bytes, Fill, TableOptions};
use healthfold::{Day, EventKind, SourceId, TableError};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a file of Arrow IPC begins and ends; between is a stream, and a footer with its length.
const FILE: &[u8] = b"ARROW1";

/// A table in Arrow IPC, batch by batch, which ends when nobody wants it any more. Nothing is set aside for a length that the
/// bytes only claim.
struct Batches {
    decoder: StreamDecoder,
    rest: Buffer,
    /// What came with the schema.
    first: Option<RecordBatch>,
    schema: SchemaRef,
    wanted: Wanted,
}

impl Batches {
    fn new(bytes: Vec<u8>, wanted: &Wanted) -> Result<Self, ArrowError> {
        let bytes = Buffer::from(bytes);
        let mut rest = if bytes.starts_with(FILE) { stream_in(&bytes)? } else { bytes };
        let mut decoder = StreamDecoder::new();
        let first = decoder.decode(&mut rest)?;
        let schema = decoder.schema().ok_or_else(|| cut("the bytes hold no schema of Arrow IPC"))?;
        Ok(Self { decoder, rest, first, schema, wanted: wanted.clone() })
    }
}

fn cut(what: &str) -> ArrowError {
    ArrowError::IpcError(what.to_owned())
}

/// The stream in a file.
fn stream_in(file: &Buffer) -> Result<Buffer, ArrowError> {
    let footer = || {
        let inside = file.strip_suffix(FILE)?;
        let (_, length) = inside.split_last_chunk::<4>()?;
        let length = usize::try_from(i32::from_le_bytes(*length)).ok()?;
        // The mark at the beginning is filled up to eight bytes.
        inside.len().checked_sub(4 + 8)?.checked_sub(length)
    };
    let length = footer().ok_or_else(|| cut("the file of Arrow IPC has no footer"))?;
    Ok(file.slice_with_length(8, length))
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.wanted.check().is_err() {
            return Some(Err(ArrowError::ExternalError("aborted".into())));
        }
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        match self.decoder.decode(&mut self.rest) {
            Ok(None) => self.decoder.finish().err().map(Err),
            batch => batch.transpose(),
        }
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

fn kind(args: &mut Args) -> Result<EventKind, Fault> {
    let name = args.text("type")?;
    EventKind::parse(&name).ok_or_else(|| {
        let known = EventKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
        Fault::value("type", format!("must be one of {known}, found `{name}`"))
    })
}

fn options(args: &mut Args) -> Result<TableOptions, Fault> {
    let columns: BTreeMap<String, String> = args.read_or_default("columns")?;
    let mut columns: BTreeMap<String, Fill> =
        columns.into_iter().map(|(field, column)| (field, Fill::Column(column))).collect();
    for (field, value) in args.read_or_default::<BTreeMap<String, Value>>("constants")? {
        if columns.insert(field.clone(), Fill::Constant(value)).is_some() {
            return Err(Fault::value(&field, "is filled by a column and by a constant"));
        }
    }
    let day = |day: &str| day.parse::<Day>().map_err(query);
    let days = match args.read_or_default::<Option<(String, String)>>("days")? {
        Some((first, behind)) => Some((day(&first)?, day(&behind)?)),
        None => None,
    };
    let options = TableOptions {
        columns,
        source: args.read_or_default::<Option<String>>("source")?.map(SourceId::new),
        load: args.read_or_default("load")?,
        timezone: args.read_or_default("timezone")?,
        floats_as_money: args.read_or_default("floats_as_money")?,
        skip_without_time: args.read_or_default("skip_without_time")?,
        days,
        strict: args.read_or_default("strict")?,
    };
    args.end()?;
    Ok(options)
}

/// Takes in a table, as the bytes of an Arrow IPC stream or file: each row is one event of a type. Good rows are applied, each
/// bad one is returned with its number, code, field and message.
///
/// A column that is named like a field fills it (`subject`, `time`, `metric`, `attributes.plan`); `columns` names the column of
/// others, `constants` what every row has. Times without a zone are of `timezone`, which must be stated then. Floats are refused
/// for money unless `floatsAsMoney`. Rows without an id are known by their content within the load of a name (`load`), so that
/// the same table taken in again changes nothing. `days` takes only rows from one day to before another.
///
/// TypeScript: `applyTable(type: EventType, table: Uint8Array, options?: TableSettings): Applied`
pub(super) fn apply_table(shared: &Arc<Shared>, mut args: Args, wanted: &Wanted) -> Told {
    let (kind, options) = (kind(&mut args)?, options(&mut args)?);
    let table = Batches::new(args.bytes, wanted);
    let table = table.map_err(|error| TableError::Unreadable { what: error.to_string() })?;
    let applied = shared.change(|engine| Ok(engine.apply_table(kind, table, &options)?));
    Answer::beside(asked(applied, wanted)?)
}

/// Takes in a Parquet file, by its bytes, as `applyTable` takes in a table. Only the columns that fill a field are read, and with
/// `days` only the parts that may hold a row of these days.
///
/// TypeScript: `applyParquet(type: EventType, file: Uint8Array, options?: TableSettings): Applied`
pub(super) fn apply_parquet(shared: &Arc<Shared>, mut args: Args, wanted: &Wanted) -> Told {
    let (kind, options) = (kind(&mut args)?, options(&mut args)?);
    let bytes = Bytes::from(args.bytes);
    let look = |_, _| wanted.check().map_err(|_| ArrowError::ExternalError("aborted".into()));
    let applied = shared.change(|engine| Ok(engine.apply_parquet_watched(kind, bytes, &options, look)?));
    Answer::beside(asked(applied, wanted)?)
}

/// A table that was left unread is no fault of the table.
fn asked<T>(applied: Result<T, Fault>, wanted: &Wanted) -> Result<T, Fault> {
    applied.map_err(|fault| wanted.check().err().unwrap_or(fault))
}

//! Taking tables in: Arrow IPC and Parquet, as bytes.

use super::Told;
use crate::answer::Answer;
use crate::args::Args;
use crate::error::{Fault, query};
use crate::run::{Shared, Wanted};
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_buffer::Buffer;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{FileDecoder, StreamDecoder};
use arrow_ipc::{Block, root_as_footer};
use arrow_schema::{ArrowError, SchemaRef};
use healthfold::table::{Bytes, Fill, TableOptions};
use healthfold::{Day, EventKind, SourceId, TableError};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a file of Arrow IPC begins and ends.
const MARK: &[u8] = b"ARROW1";

type Batch = Result<RecordBatch, ArrowError>;

/// A table in Arrow IPC, batch by batch, which ends when nobody wants it any more. Nothing is set aside for a length that the
/// bytes only claim.
struct Batches {
    schema: SchemaRef,
    batches: Box<dyn Iterator<Item = Batch>>,
    wanted: Wanted,
}

impl Batches {
    fn new(bytes: Vec<u8>, wanted: &Wanted) -> Result<Self, ArrowError> {
        let bytes = Buffer::from(bytes);
        let (schema, batches) = if bytes.starts_with(MARK) { of_file(bytes)? } else { of_stream(bytes)? };
        Ok(Self { schema, batches, wanted: wanted.clone() })
    }
}

impl Iterator for Batches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        match self.wanted.check() {
            Ok(()) => self.batches.next(),
            Err(_) => Some(Err(ArrowError::ExternalError("aborted".into()))),
        }
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

fn cut(what: &str) -> ArrowError {
    ArrowError::IpcError(what.to_owned())
}

type Table = (SchemaRef, Box<dyn Iterator<Item = Batch>>);

fn of_stream(mut bytes: Buffer) -> Result<Table, ArrowError> {
    let mut decoder = StreamDecoder::new();
    let mut first = decoder.decode(&mut bytes)?;
    let schema = decoder.schema().ok_or_else(|| cut("the bytes hold no schema of Arrow IPC"))?;
    let batches = std::iter::from_fn(move || match first.take() {
        Some(first) => Some(Ok(first)),
        None => match decoder.decode(&mut bytes) {
            Ok(None) => decoder.finish().err().map(Err),
            batch => batch.transpose(),
        },
    });
    Ok((schema, Box::new(batches)))
}

/// The footer of a file says where its batches are.
fn of_file(file: Buffer) -> Result<Table, ArrowError> {
    let no_footer = || cut("the file of Arrow IPC has no footer");
    let inside = file.strip_suffix(MARK).ok_or_else(no_footer)?;
    let (inside, length) = inside.split_last_chunk::<4>().ok_or_else(no_footer)?;
    let begin =
        usize::try_from(i32::from_le_bytes(*length)).ok().and_then(|length| inside.len().checked_sub(length));
    let footer = begin.and_then(|begin| inside.get(begin..)).ok_or_else(no_footer)?;
    let footer = root_as_footer(footer).map_err(|error| cut(&error.to_string()))?;
    let schema =
        Arc::new(fb_to_schema(footer.schema().ok_or_else(|| cut("the file of Arrow IPC has no schema"))?));
    let mut decoder = FileDecoder::new(Arc::clone(&schema), footer.version());
    for block in footer.dictionaries().iter().flatten() {
        decoder.read_dictionary(block, &bytes_of(&file, block)?)?;
    }
    let blocks: Vec<Block> = footer.recordBatches().iter().flatten().copied().collect();
    let batches = blocks.into_iter().filter_map(move |block| {
        let batch = bytes_of(&file, &block).and_then(|bytes| decoder.read_record_batch(&block, &bytes));
        batch.transpose()
    });
    Ok((schema, Box::new(batches)))
}

fn bytes_of(file: &Buffer, block: &Block) -> Result<Buffer, ArrowError> {
    let place = || {
        let begin = usize::try_from(block.offset()).ok()?;
        let head = usize::try_from(block.metaDataLength()).ok()?;
        let length = usize::try_from(block.bodyLength()).ok()?.checked_add(head)?;
        (begin.checked_add(length)? <= file.len()).then_some((begin, length))
    };
    let (begin, length) = place().ok_or_else(|| cut("a batch lies outside of the file of Arrow IPC"))?;
    Ok(file.slice_with_length(begin, length))
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
    let day = |day: &str| day.parse::<Day>().map_err(|error| query(error.of("days")));
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
    let applied =
        shared.change(|engine| Ok(engine.apply_parquet_watched(kind, bytes, &options, look(wanted))?));
    Answer::beside(asked(applied, wanted)?)
}

/// Takes in a Parquet file whose rows tell of several things, such as invoices that were issued and paid: as if `applyParquet`
/// were called once for each of `kinds`, but the file is read once. Each of `kinds` has a `type` and the options that
/// `applyParquet` takes; what became of each comes in their order. Where one is `strict` all are.
///
/// TypeScript: `applyParquetEach(file: Uint8Array, kinds: readonly TableKind[]): Applied[]`
pub(super) fn apply_parquet_each(shared: &Arc<Shared>, mut args: Args, wanted: &Wanted) -> Told {
    let kinds = args.each("kinds")?.into_iter().map(|mut one| Ok((kind(&mut one)?, options(&mut one)?)));
    let kinds = kinds.collect::<Result<Vec<_>, Fault>>()?;
    args.end()?;
    let bytes = Bytes::from(args.bytes);
    let applied =
        shared.change(|engine| Ok(engine.apply_parquet_each_watched(&kinds, bytes, look(wanted))?));
    Answer::several(asked(applied, wanted)?)
}

/// Looks between rows whether who asked still wants an answer.
fn look(wanted: &Wanted) -> impl FnMut(u64, u64) -> Result<(), ArrowError> {
    move |_, _| wanted.check().map_err(|_| ArrowError::ExternalError("aborted".into()))
}

/// A table that was left unread is no fault of the table.
fn asked<T>(applied: Result<T, Fault>, wanted: &Wanted) -> Result<T, Fault> {
    applied.map_err(|fault| wanted.check().err().unwrap_or(fault))
}

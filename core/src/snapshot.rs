//! The canonical bytes of an engine, to keep and to compare.
//!
//! A header that says what the bytes are is checked before anything is decoded: magic, format, version of the fold,
//! length, checksum. The body is the state in canonical form, so that the same set of events always gives the same bytes;
//! the fingerprint is a hash of them.
//!
//! Decoding trusts nothing: what was decoded must encode to the very bytes it came from, or the snapshot is corrupt.

use crate::book::{Book, BookParts};
use crate::daily::Cells;
use crate::error::SnapshotError;
use crate::id::{ClientId, SourceId};
use crate::ledger::{Bytes, Ledger};
use crate::settings::Settings;
use crate::state::ClientState;
use crate::time::{Day, Instant};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

const MAGIC: [u8; 8] = *b"hfold\x1a\r\n";
/// The layout of the bytes. Raised with every change of a type that is kept; the formats before stay readable.
const FORMAT: u16 = 1;
const OLDEST_FORMAT: u16 = 1;
/// The rules by which events become state. Raised when the same events would give another state.
const FOLD: u16 = 1;
/// Magic, format, fold, length of the body, checksum.
const HEADER: usize = 8 + 2 + 2 + 8 + 32;

/// What a snapshot holds.
pub(crate) struct Contents {
    /// The version of the zone data by which its days were made.
    pub(crate) zone_data: String,
    pub(crate) settings: Settings,
    pub(crate) sealed: Option<Day>,
    pub(crate) ledger: Ledger,
    pub(crate) book: Book,
}

/// Puts the bytes of a value behind others.
fn put<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) {
    // Writing into a vector cannot fail, and no type of the state refuses to be written.
    let _ = postcard::serialize_with_flavor(value, Bytes(bytes));
}

/// The state in canonical form.
fn body(settings: &Settings, sealed: Option<Day>, ledger: &Ledger, book: &Book) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, settings);
    put(&mut bytes, &sealed);
    let BookParts { subjects, heard, span } = book.parts();
    put(&mut bytes, &span);
    put(&mut bytes, heard);
    put(&mut bytes, &(subjects.len() as u64));
    for (id, state) in subjects {
        put(&mut bytes, id);
        match state.usage.compacted() {
            Some(usage) => put(&mut bytes, &ClientState { usage, ..state.clone() }),
            None => put(&mut bytes, state),
        }
    }
    put(&mut bytes, ledger);
    bytes
}

/// A hash of the canonical bytes, in hex.
pub(crate) fn fingerprint(settings: &Settings, sealed: Option<Day>, ledger: &Ledger, book: &Book) -> String {
    blake3::hash(&body(settings, sealed, ledger, book)).to_hex().to_string()
}

/// The bytes to keep: header, version of the zone data, state.
pub(crate) fn write(
    zone_data: &str,
    settings: &Settings,
    sealed: Option<Day>,
    ledger: &Ledger,
    book: &Book,
) -> Vec<u8> {
    let mut tagged = Vec::new();
    put(&mut tagged, zone_data);
    tagged.extend(body(settings, sealed, ledger, book));
    let body = tagged;
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&FOLD.to_le_bytes());
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(checksum(&bytes, &body).as_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

fn checksum(head: &[u8], body: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(head).update(body);
    hasher.finalize()
}

fn corrupt(what: impl Into<String>) -> SnapshotError {
    SnapshotError::Corrupt { what: what.into() }
}

/// Reads the parts of the body one after the other.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn take<T: serde::Deserialize<'a>>(&mut self, what: &str) -> Result<T, SnapshotError> {
        let (value, rest) =
            postcard::take_from_bytes(self.0).map_err(|error| corrupt(format!("{what}: {error}")))?;
        self.0 = rest;
        Ok(value)
    }

    fn take_owned<T: DeserializeOwned>(&mut self, what: &str) -> Result<T, SnapshotError> {
        self.take(what)
    }
}

/// Opens a snapshot.
pub(crate) fn read(bytes: &[u8]) -> Result<Contents, SnapshotError> {
    let field =
        |at: usize, n: usize| bytes.get(at..at + n).ok_or_else(|| corrupt("it ends inside its header"));
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    if field(0, 8)? != MAGIC {
        return Err(corrupt("it does not begin like a snapshot"));
    }
    // Two bytes always fit.
    let format = u16::try_from(number(field(8, 2)?)).unwrap_or(u16::MAX);
    let fold = u16::try_from(number(field(10, 2)?)).unwrap_or(u16::MAX);
    let length = number(field(12, 8)?);
    let sum = field(20, 32)?;
    let body = bytes.get(HEADER..).unwrap_or_default();
    let whole = body.len() as u64 == length && *checksum(field(0, 20)?, body).as_bytes() == *sum;
    // A newer format may put its checksum elsewhere, so its number is all that can be believed.
    if format > FORMAT || (whole && fold > FOLD) {
        return Err(SnapshotError::Newer { found: format.max(fold), newest: FORMAT });
    }
    if !whole {
        return Err(corrupt("its length or its checksum is not what the header says"));
    }
    if format < OLDEST_FORMAT {
        return Err(SnapshotError::Older { found: format, oldest: OLDEST_FORMAT });
    }
    let contents = read_body(body)?;
    let Contents { zone_data, settings, sealed, ledger, book } = &contents;
    if self::write(zone_data, settings, *sealed, ledger, book) != bytes {
        return Err(corrupt("its content is not in canonical form"));
    }
    Ok(contents)
}

fn read_body(body: &[u8]) -> Result<Contents, SnapshotError> {
    let mut parts = Parts(body);
    let zone_data: String = parts.take_owned("version of the zone data")?;
    let settings: Settings = parts.take_owned("settings")?;
    let sealed: Option<Day> = parts.take_owned("seal")?;
    let span: Option<(Instant, Instant)> = parts.take_owned("span")?;
    let heard: BTreeMap<SourceId, Cells<Day, Instant>> = parts.take_owned("sources")?;
    let count: u64 = parts.take_owned("number of clients")?;
    let mut subjects = Vec::new();
    for _ in 0..count {
        // Each client takes bytes, so a count that lies runs into the end of them.
        let id: ClientId = parts.take_owned("client id")?;
        let state: ClientState = parts.take_owned("client")?;
        if !state.usage.names_all_users() {
            return Err(corrupt("it tells of a user whom it does not name"));
        }
        subjects.push((id, state));
    }
    let ledger: Ledger = parts.take("identities")?;
    if !parts.0.is_empty() {
        return Err(corrupt("there are bytes behind its end"));
    }
    let book = Book::of_parts(subjects, heard, span).ok_or_else(|| corrupt("clients are not in order"))?;
    Ok(Contents { zone_data, settings, sealed, ledger, book })
}

//! Identities of rows that state none: what a row says, and which of its equals within the load it is.
//!
//! The content of a row is its subject, its time, its sequence and its `data` as the wire has it: what two events of one
//! identity must share. It is hashed with BLAKE3 under a key of the load, the source and the type.

use super::read::ReadRows;
use super::tally::Tally;
use crate::event::EventKind;
use crate::event::borrowed::BorrowedEvent;
use crate::event::fields::{Field as _, write_text};
use crate::event::line::{EventView, UsageKind, UsageRef};
use crate::event::wire::{write_decimal, write_whole};
use crate::hashing::{HalfHash, Messages};
use crate::time::Instant;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How many rows are hashed together: what they say stands in memory at the same time.
const HASHED: usize = 256;

/// Gives rows their identities.
#[derive(Clone, Debug)]
pub(super) struct Identities {
    pub(super) contents: Contents,
    /// How many rows of each content came.
    tally: Tally,
}

impl Identities {
    pub(super) fn new(load: &str, kind: EventKind) -> Self {
        Self { contents: Contents { load: load.to_owned(), kind }, tally: Tally::default() }
    }

    /// Names all events, of which these are the hashes; the ids stand in `ids`.
    pub(super) fn name<'r>(&mut self, rows: &mut ReadRows<'r>, hashes: &[HalfHash], ids: &'r mut String) {
        let letters = Letters::of(hashes);
        let mut ends = Vec::with_capacity(rows.len());
        ids.reserve((Letters::OF_HASH + 2) * rows.len());
        self.tally.make_ready(hashes);
        for (((_, event), hash), at) in rows.iter().zip(hashes).zip(0..) {
            if event.is_ok() {
                write_id(letters.get(at), self.tally.count(hash), ids);
            }
            ends.push(ids.len());
        }
        let (ids, mut start): (&'r str, usize) = (ids, 0);
        rows.name(ends.into_iter().map(|end| {
            let id = ids.get(start..end).unwrap_or_default();
            start = end;
            id
        }));
    }
}

/// Writes the identity of a row: the letters of its hash, and which of its content it is.
fn write_id(letters: &str, number: u64, out: &mut String) {
    out.push_str(letters);
    out.push('-');
    write_decimal(out, number.into(), 0);
}

/// Hashes in base64url, so that with a number of one digit an id takes no memory of its own.
struct Letters(String);

impl Letters {
    /// Of a hash of 16 bytes.
    const OF_HASH: usize = 22;
    /// Letters stand for three bytes at a time, so each hash is filled up with zeroes to 18, and its last two letters are of
    /// these alone: many hashes are written as one text, in a fraction of the time.
    const FILLED: usize = 18;
    const APART: usize = 24;

    fn of(hashes: &[HalfHash]) -> Self {
        let mut bytes = Vec::with_capacity(Self::FILLED * hashes.len());
        for hash in hashes {
            bytes.extend_from_slice(hash);
            bytes.extend_from_slice(&[0; Self::FILLED - 16]);
        }
        Self(URL_SAFE_NO_PAD.encode(&bytes))
    }

    fn get(&self, hash: usize) -> &str {
        let start = hash * Self::APART;
        self.0.get(start..start + Self::OF_HASH).unwrap_or_default()
    }
}

/// What the contents of the rows of a load are hashed with.
#[derive(Clone, Debug)]
pub(super) struct Contents {
    load: String,
    kind: EventKind,
}

impl Contents {
    /// The hashes of what some rows say; of one that is no event nobody asks for it.
    pub(super) fn hashes(&self, rows: &ReadRows<'_>) -> Vec<HalfHash> {
        let mut hashes = Vec::with_capacity(rows.len());
        let mut messages = Messages::with_room_for(HASHED.min(rows.len()));
        let (mut content, mut source) = (String::new(), "");
        for (at, (_, event)) in rows.iter().enumerate() {
            let event = event.ok();
            // Each source has a key of its own. What is no event goes with those before it.
            let own = event.map_or(source, EventView::source);
            if own != source || at % HASHED == 0 {
                hashes.extend(messages.take_hashes(Some(&self.key(source))));
                source = own;
            }
            content.clear();
            match event {
                Some(EventView::Usage(usage)) => write_usage(usage, &mut content),
                Some(EventView::Other(event)) => write_event(&event.borrowed(), &mut content),
                None => {}
            }
            messages.add(|bytes| bytes.extend_from_slice(content.as_bytes()));
        }
        hashes.extend(messages.take_hashes(Some(&self.key(source))));
        hashes
    }

    fn key(&self, source: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for part in [self.load.as_str(), source, self.kind.as_str()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

fn write_event(event: &BorrowedEvent<'_>, out: &mut String) {
    begin_content(event.subject, event.time, event.sequence, out);
    event.data.write_json(out);
}

/// The same for usage that is still a view of its row.
fn write_usage(usage: &UsageRef<'_>, out: &mut String) {
    begin_content(usage.subject, usage.time, usage.sequence, out);
    out.push_str(r#"{"metric":"#);
    write_text(out, usage.metric);
    out.push_str(match usage.kind {
        UsageKind::Counted => r#","count":"#,
        UsageKind::Measured => r#","value":"#,
    });
    usage.quantity.write_wire(out);
    if let Some(user) = usage.user {
        out.push_str(r#","user":"#);
        write_text(out, user);
    }
    out.push('}');
}

fn begin_content(subject: &str, time: Instant, sequence: i64, out: &mut String) {
    write_text(out, subject);
    write_whole(out, time.micros());
    out.push(',');
    write_whole(out, sequence);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    /// The second row of a content is another event of the same name; the digits are those of Python's `base64` module.
    #[test]
    fn an_id_is_the_hash_in_base64url_and_a_number() {
        let mut identities = Identities::new("load", EventKind::UsageCounted);
        let mut messages = Messages::default();
        messages.add(|bytes| bytes.extend_from_slice(b"row"));
        let hash = messages.take_hashes(Some(&identities.contents.key("s")))[0];
        let json = br#"{"id":"-","source":"s","type":"usage.counted","subject":"a","time":"2026-01-05T10:00:00Z","data":{"metric":"m"}}"#;
        let mut rows = ReadRows::default();
        rows.add(0, Event::from_json(b"{}"));
        (1..4).for_each(|n| rows.add(n, Event::from_json(json)));
        let mut ids = String::new();
        // The first is no event, and counts for none; the third has another content.
        identities.name(&mut rows, &[hash, hash, [0; 16], hash], &mut ids);
        let ids: Vec<String> = rows
            .iter()
            .filter_map(|(_, event)| Some(event.ok()?.identity().id.as_str().to_owned()))
            .collect();
        // 85bfaed5f16414d7b07c14215185c4f4: the first half of the keyed hash. Must never change: loads come again.
        assert_eq!(ids, ["hb-u1fFkFNewfBQhUYXE9A-1", "AAAAAAAAAAAAAAAAAAAAAA-1", "hb-u1fFkFNewfBQhUYXE9A-2"]);
    }

    #[test]
    fn a_row_is_known_by_the_same_hash_beside_any_others() {
        let add = |rows: &mut ReadRows<'_>, n: usize| {
            let (source, count) = (["s", "t"][n / 3 % 2], n % 7);
            let json = format!(
                r#"{{"id":"i","source":"{source}","type":"usage.counted","subject":"a","time":"2026-01-05T10:00:00Z",
                   "data":{{"metric":"m","count":{count}}}}}"#
            );
            // Every eleventh is no event.
            let json = if n % 11 == 10 { "{}" } else { &json };
            rows.add(n as u64, Event::from_json(json.as_bytes()));
        };
        let contents = Contents { load: "load".to_owned(), kind: EventKind::UsageCounted };
        let mut rows = ReadRows::default();
        (0..2 * HASHED + 5).for_each(|n| add(&mut rows, n));
        let together = contents.hashes(&rows);
        assert_eq!(together.len(), rows.len());
        for (n, hash) in together.into_iter().enumerate() {
            let mut alone = ReadRows::default();
            add(&mut alone, n);
            assert!(n % 11 == 10 || contents.hashes(&alone) == [hash], "row {n}");
        }
    }

    #[test]
    fn a_view_of_usage_has_the_content_of_its_event() {
        for (kind, data) in [
            ("usage.counted", r#"{"metric":"a \"b\"","count":3,"user":"é\n"}"#),
            ("usage.counted", r#"{"metric":"m","count":-0.000001}"#),
            ("usage.measured", r#"{"metric":"m","value":"1000000000000","user":"u"}"#),
        ] {
            let json = format!(
                r#"{{"id":"i","source":"s","type":"{kind}","subject":"a","time":"2026-01-05T10:00:00Z","sequence":-7,"data":{data}}}"#
            );
            let event = Event::from_json(json.as_bytes()).unwrap();
            let (mut whole, mut view) = (String::new(), String::new());
            write_event(&event.borrowed(), &mut whole);
            write_usage(&event.usage().unwrap(), &mut view);
            assert_eq!(view, whole);
        }
    }
}

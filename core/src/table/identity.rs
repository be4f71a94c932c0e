//! Identities of rows that state none: what a row says, and which of its equals within the load it is.
//!
//! The content of a row is its subject, its time, its sequence and its `data` as the wire has it: what two events of one
//! identity must share. It is hashed with BLAKE3 under a key of the load, the source and the type.

use super::row::Row;
use crate::event::fields::{Field as _, write_text};
use crate::event::line::{Decoded, UsageKind, UsageRef};
use crate::event::wire::{write_decimal, write_whole};
use crate::event::{Event, EventKind};
use crate::id::{EventId, SourceId};
use crate::identities::Tally;
use crate::time::Instant;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Gives rows their identities.
#[derive(Debug)]
pub(super) struct Identities {
    pub(super) contents: Contents,
    /// How many rows of each content came.
    counted: Tally,
}

impl Identities {
    pub(super) fn new(load: &str, kind: EventKind) -> Self {
        Self { contents: Contents { load: load.to_owned(), kind }, counted: Tally::default() }
    }

    /// Names all events, of which these are the hashes; the ids stand in `ids`.
    pub(super) fn name<'r>(&mut self, events: &mut [Row<'r>], hashes: &[[u8; 16]], ids: &'r mut String) {
        self.counted.warm(hashes.iter());
        let mut ends = Vec::with_capacity(events.len());
        ids.reserve(24 * events.len());
        for ((_, event), hash) in events.iter().zip(hashes) {
            if event.is_ok() {
                self.write_id(hash, ids);
            }
            ends.push(ids.len());
        }
        let ids: &'r str = ids;
        let mut start = 0;
        for ((_, event), end) in events.iter_mut().zip(ends) {
            let id = ids.get(start..end).unwrap_or_default();
            match event {
                Ok(Decoded::Usage(usage)) => usage.id = id,
                Ok(Decoded::Other(event)) => event.id = EventId::new(id),
                Err(_) => {}
            }
            start = end;
        }
    }

    /// Writes the identity of the next row of a content.
    fn write_id(&mut self, hash: &[u8; 16], out: &mut String) {
        let number = self.counted.count(hash);
        // In base64url, so that with a number of one digit an id takes no memory of its own.
        let mut letters = [0; 22];
        let written = URL_SAFE_NO_PAD.encode_slice(hash, &mut letters);
        debug_assert_eq!(written, Ok(letters.len()));
        out.push_str(std::str::from_utf8(&letters).unwrap_or_default());
        out.push('-');
        write_decimal(out, number.into(), 0);
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
    pub(super) fn hashes(&self, rows: &[Row<'_>]) -> Vec<[u8; 16]> {
        let mut hashing = Hashing { of: self, key: None, content: String::new() };
        rows.iter().map(|(_, event)| event.as_ref().map_or([0; 16], |event| hashing.hash(event))).collect()
    }
}

struct Hashing<'c> {
    of: &'c Contents,
    /// The key of the source of the last row.
    key: Option<(SourceId, [u8; 32])>,
    content: String,
}

impl Hashing<'_> {
    fn hash(&mut self, event: &Decoded<'_>) -> [u8; 16] {
        match event {
            Decoded::Usage(usage) => {
                self.usage_content(usage);
                self.content_hash(usage.source)
            }
            Decoded::Other(event) => {
                self.event_content(event);
                self.content_hash(event.source.as_str())
            }
        }
    }

    fn event_content(&mut self, event: &Event) {
        self.begin_content(event.subject.as_str(), event.time, event.sequence);
        event.data.write_json(&mut self.content);
    }

    /// The same for usage that is still a view of its row.
    fn usage_content(&mut self, usage: &UsageRef<'_>) {
        self.begin_content(usage.subject, usage.time, usage.sequence);
        let out = &mut self.content;
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

    fn begin_content(&mut self, subject: &str, time: Instant, sequence: i64) {
        self.content.clear();
        write_text(&mut self.content, subject);
        write_whole(&mut self.content, time.micros());
        self.content.push(',');
        write_whole(&mut self.content, sequence);
    }

    /// The hash of the present content.
    fn content_hash(&mut self, source: &str) -> [u8; 16] {
        let hash = blake3::keyed_hash(&self.key(source), self.content.as_bytes());
        hash.as_bytes().first_chunk().copied().unwrap_or_default()
    }

    fn key(&mut self, source: &str) -> [u8; 32] {
        match &self.key {
            Some((of, key)) if of.as_str() == source => *key,
            _ => {
                let mut hasher = blake3::Hasher::new();
                for part in [self.of.load.as_str(), source, self.of.kind.as_str()] {
                    hasher.update(&(part.len() as u64).to_le_bytes());
                    hasher.update(part.as_bytes());
                }
                let key = *hasher.finalize().as_bytes();
                self.key = Some((SourceId::new(source), key));
                key
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second row of a content is another event of the same name; the digits are those of Python's `base64` module.
    #[test]
    fn an_id_is_the_hash_in_base64url_and_a_number() {
        let mut identities = Identities::new("load", EventKind::UsageCounted);
        let contents = identities.contents.clone();
        let mut ids = String::new();
        for _ in 0..2 {
            let mut hashing = Hashing { of: &contents, key: None, content: "row".to_owned() };
            let hash = hashing.content_hash("s");
            identities.write_id(&hash, &mut ids);
            ids.push(' ');
        }
        // 85bfaed5f16414d7b07c14215185c4f4: the first half of the keyed hash. Must never change: loads come again.
        assert_eq!(ids, "hb-u1fFkFNewfBQhUYXE9A-1 hb-u1fFkFNewfBQhUYXE9A-2 ");
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
            let contents = Contents { load: String::new(), kind: event.kind() };
            let mut hashing = Hashing { of: &contents, key: None, content: String::new() };
            hashing.event_content(&event);
            let expected = hashing.content.clone();
            hashing.usage_content(&event.usage().unwrap());
            assert_eq!(hashing.content, expected);
        }
    }
}

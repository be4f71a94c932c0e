//! When something was stated, and by which event.

use crate::event::borrowed::BorrowedEvent;
use crate::event::line::UsageRef;
use crate::id::{EventId, EventRef, SourceId};
use crate::time::Instant;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::cmp::Ordering;

/// So many bytes of source and id together are short.
const SHORT: usize = 29;

/// What orders events of one instant, and names the event. A book holds one for everything that was ever stated, so the names
/// stand close together: first the source, of which the length is known, and behind it the id. Equal ones are kept in one form.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tag {
    /// Without a sequence, which is 0, and with short names.
    Short {
        source: u8,
        id: u8,
        names: [u8; SHORT],
    },
    Long {
        source: u32,
        sequence: i64,
        names: Box<str>,
    },
}

impl Tag {
    fn new(sequence: i64, source: &str, id: &str) -> Self {
        let short = if sequence == 0 { Self::short(source.as_bytes(), id.as_bytes()) } else { None };
        short.unwrap_or_else(|| {
            let length = u32::try_from(source.len()).unwrap_or(u32::MAX);
            Self::Long { source: length, sequence, names: [source, id].concat().into() }
        })
    }

    fn short(source: &[u8], id: &[u8]) -> Option<Self> {
        let mut names = [0; SHORT];
        let (first, rest) = names.split_at_mut_checked(source.len())?;
        let second = rest.get_mut(..id.len())?;
        first.copy_from_slice(source);
        second.copy_from_slice(id);
        let length = |name: &[u8]| u8::try_from(name.len()).ok();
        Some(Self::Short { source: length(source)?, id: length(id)?, names })
    }

    /// Sequence, source and id: in order of these.
    fn parts(&self) -> (i64, &str, &str) {
        let (sequence, source, names) = match self {
            Self::Short { source, id, names } => {
                let source = usize::from(*source);
                let names = names.get(..source + usize::from(*id)).unwrap_or_default();
                // They were text when they came.
                (0, source, std::str::from_utf8(names).unwrap_or_default())
            }
            Self::Long { source, sequence, names } => (*sequence, *source as usize, &**names),
        };
        let (source, id) = names.split_at_checked(source).unwrap_or((names, ""));
        (sequence, source, id)
    }
}

/// When an entry was stated, and by which event. In order of (time, sequence, source, id).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    at: Instant,
    tag: Tag,
}

impl Stamp {
    pub(crate) fn new(at: Instant, sequence: i64, source: &str, id: &str) -> Self {
        Self { at, tag: Tag::new(sequence, source, id) }
    }

    pub(crate) fn of(event: &BorrowedEvent<'_>) -> Self {
        Self::new(event.time, event.sequence, event.source, event.id)
    }

    pub(crate) fn of_usage(event: &UsageRef<'_>) -> Self {
        Self::new(event.time, event.sequence, event.source, event.id)
    }

    pub(crate) fn at(&self) -> Instant {
        self.at
    }

    /// The source and the id of the event.
    pub(crate) fn names(&self) -> (&str, &str) {
        let (_, source, id) = self.tag.parts();
        (source, id)
    }

    pub(crate) fn event(&self) -> EventRef {
        let (source, id) = self.names();
        EventRef { source: SourceId::new(source), id: EventId::new(id) }
    }
}

impl Ord for Stamp {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at).then_with(|| self.tag.parts().cmp(&other.tag.parts()))
    }
}

impl PartialOrd for Stamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How a stamp is saved.
#[derive(Serialize, Deserialize)]
struct Saved<'a> {
    at: Instant,
    sequence: i64,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (sequence, source, id) = self.tag.parts();
        Saved { at: self.at, sequence, source: source.into(), id: id.into() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Saved { at, sequence, source, id } = Saved::deserialize(deserializer)?;
        Ok(Self::new(at, sequence, &source, &id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_reads_orders_and_is_saved_alike_in_either_form() {
        let at = Instant::from_micros(7).unwrap();
        let long = "x".repeat(300);
        let names = ["", "a", "ab", "\u{e9}", "a-source-of-19-bytes", "an-id-of-29-bytes-aaaaaaaaaaa", &long];
        let mut stamps = Vec::new();
        for sequence in [-1, 0, 1] {
            for source in names {
                for id in names {
                    let stamp = Stamp::new(at, sequence, source, id);
                    assert_eq!((stamp.at(), stamp.tag.parts()), (at, (sequence, source, id)));
                    assert_eq!((stamp.event().source.as_str(), stamp.event().id.as_str()), (source, id));
                    // One after the other, as a plain record of them.
                    let bytes = postcard::to_stdvec(&stamp).unwrap();
                    assert_eq!(bytes, postcard::to_stdvec(&(at, (sequence, source, id))).unwrap());
                    assert_eq!(postcard::from_bytes::<Stamp>(&bytes).unwrap(), stamp);
                    stamps.push(((sequence, source, id), stamp));
                }
            }
        }
        for (a, a_stamp) in &stamps {
            for (b, b_stamp) in &stamps {
                assert_eq!(a.cmp(b), a_stamp.cmp(b_stamp), "{a:?} {b:?}");
                assert_eq!(a == b, a_stamp == b_stamp, "{a:?} {b:?}");
            }
        }
        assert!(size_of::<Stamp>() <= 40, "there is one for each event");
    }
}

//! Identities of rows that state none: what a row says, and which of its equals within the load it is.

use crate::event::Event;
use crate::id::EventId;
use hashbrown::HashMap;

/// Hashes decide, and nothing of the order of the map shows.
type Counted = HashMap<u128, u64, foldhash::fast::FixedState>;

/// Gives rows their identities.
#[derive(Debug)]
pub(super) struct Identities {
    load: String,
    /// How many rows of each content came.
    counted: Counted,
    content: String,
}

impl Identities {
    pub(super) fn new(load: &str) -> Self {
        let counted = Counted::with_hasher(foldhash::fast::FixedState::with_seed(0));
        Self { load: load.to_owned(), counted, content: String::new() }
    }

    /// Names an event by its content: its line without an id and without what says when it was recorded.
    pub(super) fn name(&mut self, event: &mut Event) {
        let recorded = event.recorded.take();
        event.id = EventId::new("");
        self.content = event.to_line();
        event.recorded = recorded;
        event.id = self.next_id();
    }

    /// The identity of a row of the present content.
    fn next_id(&mut self) -> EventId {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(self.load.len() as u64).to_le_bytes());
        hasher.update(self.load.as_bytes());
        hasher.update(self.content.as_bytes());
        let bytes = hasher.finalize();
        let hash = bytes.as_bytes().iter().take(16).fold(0u128, |hash, byte| hash << 8 | u128::from(*byte));
        let number = self.counted.entry(hash).or_default();
        *number += 1;
        EventId::new(format!("row-{hash:032x}-{number}"))
    }
}

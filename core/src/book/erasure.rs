//! Clients that were erased: their money and sums stay, under ids that tell nothing.

use super::Book;
use crate::id::ClientId;
use crate::merges::Slot;
use crate::state::ClientState;
use std::sync::OnceLock;

/// Makes the id under which an erased client's money and sums are kept: the same for one id and key, and telling nothing
/// to who has not the key. An id that is anonymous already stays: events sent under it are about the same client.
pub(crate) fn anonymous_id(client: &str, key: &[u8; 32]) -> ClientId {
    if is_anonymous(client) {
        return ClientId::new(client);
    }
    let hash = blake3::keyed_hash(key, client.as_bytes()).to_hex();
    ClientId::new(format!("erased-{}", hash.get(..12).unwrap_or_default()))
}

fn is_anonymous(client: &str) -> bool {
    let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    client.strip_prefix("erased-").is_some_and(|digits| digits.len() == 12 && digits.bytes().all(hex))
}

impl Book {
    /// Moves a subject under its anonymous id, without anything personal.
    pub(super) fn erase(&mut self, slot: Slot, key: &[u8; 32]) {
        let Some(id) = self.subjects.id(slot).cloned() else { return };
        if self.erased.contains(&id) {
            return;
        }
        let anonymous = anonymous_id(id.as_str(), key);
        self.erased.insert(anonymous.clone());
        match self.slot(anonymous.as_str()).filter(|other| *other != slot) {
            // Somebody sent events under the anonymous id: they are about the same client.
            Some(_) => {
                let theirs = self.subjects.remove(slot);
                let other = self.slot(anonymous.as_str()).and_then(|slot| self.subjects.state_mut(slot));
                if let (Some(ours), Some(theirs)) = (other, theirs) {
                    ours.join(theirs);
                    ours.erase();
                }
            }
            None => {
                let slot = self.subjects.rename(slot, &anonymous);
                slot.and_then(|slot| self.subjects.state_mut(slot)).into_iter().for_each(ClientState::erase);
            }
        }
        self.slot(anonymous.as_str()).into_iter().for_each(|slot| self.note_size(slot));
        for merge in self.subjects.states_mut().flat_map(ClientState::merges_mut) {
            if *merge == id {
                *merge = anonymous.clone();
            }
        }
        self.merges = OnceLock::new();
        self.roster = OnceLock::new();
        self.facts = OnceLock::new();
        self.changes.note_all();
        if id == anonymous {
            self.erase_named(key);
        }
    }

    /// Erases the subjects whose anonymous id is erased and that are still here, or in merges, under their names.
    pub(super) fn erase_named(&mut self, key: &[u8; 32]) {
        for into in self.subjects.states_mut().flat_map(ClientState::merges_mut) {
            let anonymous = anonymous_id(into.as_str(), key);
            if self.erased.contains(&anonymous) {
                *into = anonymous;
            }
        }
        let gone = |id: &ClientId| {
            let anonymous = anonymous_id(id.as_str(), key);
            anonymous != *id && self.erased.contains(&anonymous)
        };
        let named: Vec<ClientId> =
            self.subjects.iter().map(|(id, _)| id).filter(|id| gone(id)).cloned().collect();
        for id in named {
            if let Some(slot) = self.slot(id.as_str()) {
                self.erase(slot, key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::zone::Zone;

    #[test]
    fn only_the_form_of_an_anonymous_id_stays_as_it_is() {
        let key = [7; 32];
        let anonymous = anonymous_id("acme", &key);
        assert!(is_anonymous(anonymous.as_str()) && anonymous.as_str().len() == 19, "{anonymous}");
        assert_eq!(anonymous_id(anonymous.as_str(), &key), anonymous);
        assert_ne!(anonymous_id("acme", &[8; 32]), anonymous);
        // Too short, too long, no digits of 16, capitals: names that a client may have of itself.
        for name in [
            "erased-abc",
            "erased-0123456789abc",
            "erased-0123456789xy",
            "erased-0123456789AB",
            "0123456789ab",
        ] {
            let anonymous = anonymous_id(name, &key);
            assert!(anonymous.as_str() != name && is_anonymous(anonymous.as_str()), "{name}");
        }
    }

    #[test]
    fn events_of_who_was_erased_go_under_the_anonymous_id_and_those_of_others_stay() {
        let (zone, key) = (Zone::utc(), [7; 32]);
        let mut book = Book::default();
        let mut fold = |kind: &str, subject: &str| {
            let json = format!(
                r#"{{"id":"1","source":"s","type":"{kind}","subject":"{subject}","time":"2026-01-05T10:00:00Z","data":{{}}}}"#
            );
            book.fold(&Event::from_json(json.as_bytes()).unwrap().borrowed(), None, &zone, &key);
            let names = ["a", "b", "c"].map(|name| {
                // By the hash alone, without a look at who stands under a name.
                let anonymous = anonymous_id(name, &key);
                let kept_as = if book.erased.contains(&anonymous) { anonymous } else { name.into() };
                assert_eq!(*book.kept_as(&name.into(), &key), kept_as, "{name} after {kind} of {subject}");
                assert_eq!(book.known_slots([name].into_iter()), [book.slot(name)]);
                book.slot(name).is_some()
            });
            (names, book.subjects.len())
        };
        let set = "client.set";
        assert_eq!((fold(set, "a"), fold(set, "b")), (([true, false, false], 1), ([true, true, false], 2)));
        assert_eq!(fold("client.erased", "a"), ([false, true, false], 2));
        assert_eq!((fold(set, "a"), fold(set, "b")), (([false, true, false], 2), ([false, true, false], 2)));
        // Erased under the anonymous id, by who knows no other; and somebody who never was here.
        assert_eq!(fold("client.erased", anonymous_id("b", &key).as_str()), ([false; 3], 2));
        assert_eq!((fold("client.erased", "c"), fold(set, "c")), (([false; 3], 3), ([false; 3], 3)));
    }
}

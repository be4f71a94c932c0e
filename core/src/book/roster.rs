//! Who the clients of a book are, in order of their ids.

use crate::id::ClientId;
use crate::merges::{Merges, Slot};
use crate::subjects::Subjects;

/// Who is a client: mostly one subject. In a box what few are, so that all of them stand close together.
#[derive(Clone, Debug)]
pub(super) enum Member {
    One(Slot),
    /// The id that stands, and the subjects behind it.
    Several(Box<(ClientId, Vec<Slot>)>),
}

impl Member {
    /// Its only subject.
    pub(super) fn only(&self) -> Option<Slot> {
        match self {
            Self::One(slot) => Some(*slot),
            Self::Several(_) => None,
        }
    }

    pub(super) fn slots(&self) -> &[Slot] {
        match self {
            Self::One(slot) => std::slice::from_ref(slot),
            Self::Several(of) => &of.1,
        }
    }
}

/// All clients in order of their ids.
pub(super) fn of(subjects: &Subjects, merges: &Merges) -> Vec<Member> {
    let mut several = merges.members.iter().peekable();
    let member =
        |(id, slots): (&ClientId, &Vec<Slot>)| Member::Several(Box::new((id.clone(), slots.clone())));
    let mut roster = Vec::with_capacity(subjects.len());
    for slot in alone(subjects, merges) {
        while let Some(first) = several.next_if(|(id, _)| Some(*id) < subjects.id(slot)) {
            roster.push(member(first));
        }
        roster.push(Member::One(slot));
    }
    roster.extend(several.map(member));
    roster
}

/// The slots of the subjects that are clients by themselves, in order of their ids.
fn alone(subjects: &Subjects, merges: &Merges) -> Vec<Slot> {
    let shared = shared_bytes(subjects.ids().map(|(_, id)| id.as_str().as_bytes()));
    // Some bytes of an id and its slot in one number: mostly no id has to be looked at to sort them.
    let mut order: Vec<u128> = Vec::with_capacity(subjects.len());
    for (slot, id) in subjects.ids() {
        if !merges.into.contains_key(id) && !merges.members.contains_key(id) {
            order.push(bytes_behind(shared, id) | u128::from(slot));
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "the slot is what stands in the last bits")]
    let slot = |number: u128| number as Slot;
    order.sort_unstable();
    // Only where these bytes are the same the ids have more to say.
    for same in order.chunk_by_mut(|a, b| a >> Slot::BITS == b >> Slot::BITS) {
        if same.len() > 1 {
            same.sort_unstable_by_key(|number| subjects.id(slot(*number)));
        }
    }
    order.into_iter().map(slot).collect()
}

/// How many first bytes are the same in all of some texts.
fn shared_bytes<'t>(mut texts: impl Iterator<Item = &'t [u8]>) -> usize {
    let Some(first) = texts.next() else { return 0 };
    texts.fold(first.len(), |shared, text| {
        let same = first.iter().zip(text).take(shared).take_while(|(a, b)| a == b);
        same.count()
    })
}

/// The 12 bytes behind so many of an id, in front of 4 bytes of nothing, as one number: where two of them differ, they are in the
/// order of the ids.
fn bytes_behind(shared: usize, id: &ClientId) -> u128 {
    let mut next = [0; 16];
    let behind = id.as_str().as_bytes().get(shared..).unwrap_or_default();
    next.iter_mut().zip(behind.iter().take(12)).for_each(|(slot, byte)| *slot = *byte);
    u128::from_be_bytes(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::ClientState;

    #[test]
    fn ids_that_agree_in_many_bytes_are_in_order_too() {
        let long = "a".repeat(40);
        let ids = ["b", "", "a", &long, "ab", "aaaaaaaaaaaab", "aaaaaaaaaaaaa", "aaaaaaaaaaaa", "\u{e9}"];
        // With and without bytes that all share.
        for prefix in ["", "client-", &long] {
            let mut subjects = Subjects::default();
            let ids: Vec<String> = ids.iter().map(|id| format!("{prefix}{id}")).collect();
            for id in &ids {
                subjects.push(id.as_str().into(), ClientState::default());
            }
            let found = alone(&subjects, &Merges::default());
            let found: Vec<&str> =
                found.iter().filter_map(|slot| Some(subjects.id(*slot)?.as_str())).collect();
            let mut sorted: Vec<&str> = ids.iter().map(String::as_str).collect();
            sorted.sort_unstable();
            assert_eq!(found, sorted, "{prefix}");
        }
    }
}

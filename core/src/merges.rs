//! Who is part of whom: merges of clients, resolved to the end of every chain.

use crate::id::ClientId;
use std::collections::BTreeMap;

/// Where the state of one subject is.
pub(crate) type Slot = u32;

/// Who was merged into whom, and whether anything was taken back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Merges {
    /// From the id that was merged to the id that stands.
    pub(crate) into: BTreeMap<ClientId, ClientId>,
    /// From the id that stands to the subjects behind it, where these are more than itself.
    pub(crate) members: BTreeMap<ClientId, Vec<Slot>>,
    /// Whether some subject has a retraction.
    pub(crate) any_retraction: bool,
}

impl Merges {
    /// Resolves what each subject was last said to be part of.
    pub(crate) fn of(
        links: BTreeMap<&ClientId, &ClientId>,
        slot: impl Fn(&ClientId) -> Option<Slot>,
    ) -> Self {
        let mut merges = Self::default();
        for (id, end) in ends(&links) {
            if id != end {
                merges.into.insert(id.clone(), end.clone());
            }
        }
        for (id, into) in &merges.into {
            let members =
                merges.members.entry(into.clone()).or_insert_with(|| slot(into).into_iter().collect());
            members.extend(slot(id));
        }
        merges
    }
}

/// The end of the chain that starts at each id; whoever leads into a cycle ends at the least id of the cycle. Every id is
/// walked over once, however long the chains are.
pub(crate) fn ends<'a>(links: &BTreeMap<&'a ClientId, &'a ClientId>) -> BTreeMap<&'a ClientId, &'a ClientId> {
    let mut ends: BTreeMap<&ClientId, &ClientId> = BTreeMap::new();
    for start in links.keys() {
        // The ids of this walk and their place in it, to tell when it comes back to itself.
        let (mut walk, mut places) = (Vec::new(), BTreeMap::new());
        let mut here = *start;
        let end = loop {
            if let Some(end) = ends.get(here) {
                break *end;
            }
            if let Some(place) = places.insert(here, walk.len()) {
                let cycle = walk.iter().skip(place).copied();
                break cycle.min().unwrap_or(here);
            }
            walk.push(here);
            match links.get(here) {
                Some(next) => here = next,
                None => break here,
            }
        };
        ends.extend(walk.into_iter().map(|id| (id, end)));
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(links: &[(&str, &str)]) -> Vec<(String, String)> {
        let links: Vec<(ClientId, ClientId)> =
            links.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
        let merges = Merges::of(links.iter().map(|(a, b)| (a, b)).collect(), |_| None);
        merges.into.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect()
    }

    fn pairs(links: &[(&str, &str)]) -> Vec<(String, String)> {
        links.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn chains_end_and_cycles_resolve_to_their_least() {
        assert_eq!(resolved(&[("c", "b"), ("b", "a")]), pairs(&[("b", "a"), ("c", "a")]));
        assert_eq!(resolved(&[("x", "y"), ("y", "x")]), pairs(&[("y", "x")]));
        // d leads into the cycle b -> c -> b, and a, which is less, is not in it.
        assert_eq!(
            resolved(&[("a", "c"), ("b", "c"), ("c", "b"), ("d", "a")]),
            pairs(&[("a", "b"), ("c", "b"), ("d", "b")])
        );
        assert_eq!(resolved(&[("s", "s")]), pairs(&[]));
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_is_walked_once() {
        let ids: Vec<ClientId> = (0..100_000).map(|i| ClientId::new(format!("{i:06}"))).collect();
        let links = ids.iter().skip(1).zip(&ids).collect();
        let merges = Merges::of(links, |_| None);
        assert!(merges.into.values().all(|end| *end == ids[0]));
    }
}

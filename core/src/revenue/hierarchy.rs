//! Who belongs to whom: the parents of clients over time, up to the root.

use crate::id::ClientId;
use crate::merges::ends;
use crate::state::ClientState;
use crate::time::Instant;
use std::collections::BTreeMap;

/// The parents of clients over time. Ids are those that stand: for a merged or erased client that of who it is now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hierarchy {
    /// By client: from when on it has which parent, in order of time.
    parents: BTreeMap<ClientId, Vec<(Instant, Option<ClientId>)>>,
    /// By parent: from when it has some child, and until when if that ended.
    children: BTreeMap<ClientId, Vec<(Instant, Option<Instant>)>>,
}

impl Hierarchy {
    /// Notes the parents a client has had; `resolve` gives the client that an id stands for.
    pub(crate) fn note(
        &mut self,
        client: &ClientId,
        state: &ClientState,
        resolve: &dyn Fn(&ClientId) -> ClientId,
    ) {
        let mut entries = state.profile.stated.parent.entries().iter().peekable();
        while let Some(entry) = entries.next() {
            let parent = entry.value.as_ref().map(resolve);
            if let Some(parent) = &parent {
                let until = entries.peek().map(|next| next.at());
                self.children.entry(parent.clone()).or_default().push((entry.at(), until));
            }
            self.parents.entry(client.clone()).or_default().push((entry.at(), parent));
        }
    }

    /// The parent that was stated for a client.
    fn stated(&self, client: &ClientId, at: Instant) -> Option<&ClientId> {
        let parents = self.parents.get(client)?;
        let n = parents.partition_point(|(from, _)| *from <= at);
        parents.get(n.checked_sub(1)?)?.1.as_ref()
    }

    fn is_parent(&self, client: &ClientId, at: Instant) -> bool {
        let names =
            |(from, until): &(Instant, Option<Instant>)| *from <= at && until.is_none_or(|end| at < end);
        self.children.get(client).is_some_and(|times| times.iter().any(names))
    }

    /// The parent of a client; of somebody's parent that has none itself; `None` of who stands alone.
    pub(crate) fn parent<'h>(&'h self, client: &'h ClientId, at: Instant) -> Option<&'h ClientId> {
        self.stated(client, at).or_else(|| self.is_parent(client, at).then_some(client))
    }

    /// The root above a client, or the least id of the cycle that its chain leads into; of somebody's parent that has
    /// none itself; `None` of who stands alone.
    pub(crate) fn top<'h>(&'h self, client: &'h ClientId, at: Instant) -> Option<&'h ClientId> {
        let mut links = BTreeMap::new();
        let mut here = client;
        while let Some(parent) = self.stated(here, at) {
            if links.insert(here, parent).is_some() {
                break;
            }
            here = parent;
        }
        ends(&links).get(client).copied().or_else(|| self.is_parent(client, at).then_some(client))
    }

    /// The root above every client that has a parent, walking over each once however long the chains are.
    pub(crate) fn tops(&self, at: Instant) -> BTreeMap<&ClientId, &ClientId> {
        let links = self.parents.keys().filter_map(|client| Some((client, self.stated(client, at)?)));
        ends(&links.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::zone::Zone;

    fn hierarchy(links: &[(&str, &str, Option<&str>)]) -> Hierarchy {
        let mut states: BTreeMap<ClientId, ClientState> = BTreeMap::new();
        for (i, (client, day, parent)) in links.iter().enumerate() {
            let event = serde_json::json!({"id": i.to_string(), "source": "t", "type": "client.set",
                "subject": client, "time": format!("2026-01-{day}T00:00:00Z"), "data": {"parent": parent}});
            let event = Event::from_json(event.to_string().as_bytes()).unwrap();
            states.entry(event.subject.clone()).or_default().fold(&event.borrowed(), &Zone::utc());
        }
        let mut hierarchy = Hierarchy::default();
        // `old` was merged into `b`.
        let resolve = |id: &ClientId| if id.as_str() == "old" { ClientId::new("b") } else { id.clone() };
        for (client, state) in &states {
            hierarchy.note(client, state, &resolve);
        }
        hierarchy
    }

    fn top(hierarchy: &Hierarchy, client: &str, day: &str) -> Option<String> {
        let client = ClientId::new(client);
        let at: Instant = format!("2026-01-{day}T12:00:00Z").parse().unwrap();
        let top = hierarchy.top(&client, at).map(ToString::to_string);
        if let Some(known) = hierarchy.tops(at).get(&client) {
            assert_eq!(top.as_deref(), Some(known.as_str()), "one walk or all at once");
        }
        top
    }

    #[test]
    fn a_chain_is_walked_to_its_root_at_the_instant() {
        let links =
            [("d", "01", Some("c")), ("c", "01", Some("old")), ("b", "01", Some("a")), ("b", "10", None)];
        let hierarchy = hierarchy(&links);
        let of = |day: &str| ["a", "b", "c", "d", "e"].map(|id| top(&hierarchy, id, day).unwrap_or_default());
        assert_eq!(of("05"), ["a", "a", "a", "a", ""]);
        assert_eq!(of("10"), ["", "b", "b", "b", ""], "a is nobody's parent any more");
        let at = "2026-01-05T00:00:00Z".parse().unwrap();
        assert_eq!(hierarchy.parent(&"d".into(), at).map(ClientId::as_str), Some("c"));
    }

    #[test]
    fn a_cycle_stands_for_its_least_id() {
        // a leads into b -> c -> b and is not in it; s is its own parent.
        let links =
            [("a", "01", Some("c")), ("c", "01", Some("b")), ("b", "01", Some("c")), ("s", "01", Some("s"))];
        let hierarchy = hierarchy(&links);
        let of = ["a", "b", "c", "s"].map(|id| top(&hierarchy, id, "05").unwrap());
        assert_eq!(of, ["b", "b", "b", "s"]);
    }
}

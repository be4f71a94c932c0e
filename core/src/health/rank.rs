//! Clients in order of a signal or a score.

use super::heads;
use crate::id::{ClientId, Text};
use crate::score::curve::Within;
use crate::score::peers::{Peer, Peers, segment};
use crate::signal::{Missing, View};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Among whom a place is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RankWithin {
    /// All clients.
    #[default]
    All,
    /// Clients of the same segment; none is a segment.
    Segment,
}

/// Which end comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RankOrder {
    /// The greatest value.
    #[default]
    Highest,
    /// The least value.
    Lowest,
}

/// How clients are ranked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", default)]
pub struct RankOptions {
    /// Among whom places and percentiles are counted.
    pub within: RankWithin,
    /// Which end comes first.
    pub order: RankOrder,
}

/// A client and its place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankRow {
    /// The client.
    pub client: ClientId,
    /// Its segment.
    pub segment: Option<Text>,
    /// The signal's value, or the score.
    pub value: Option<f64>,
    /// Why there is none; of a score always `too_little`.
    pub missing: Option<Missing>,
    /// 1 for the first among those listed, or among those listed of its segment. Equal values have the same place, and
    /// the next one is as far down as there are clients before it.
    pub place: Option<u64>,
    /// The share of its peers with a lower value, ties half, x 100, whichever end comes first. Peers are all clients
    /// with a value (of the same segment, where that is asked for) that pay if this one does, this one among them.
    pub percentile: Option<f64>,
    /// How many peers that are.
    pub peers: u64,
}

/// A client's value before it is ranked.
pub(crate) struct Ranked<'v> {
    pub(crate) client: &'v ClientId,
    pub(crate) view: View<'v>,
    pub(crate) value: Result<f64, Missing>,
    /// Whether it is listed, or only somebody to be compared with.
    pub(crate) listed: bool,
}

/// Ranks clients that come in order of their ids: by value, then by id, those without a value last.
pub(crate) fn rank(clients: &[Ranked<'_>], options: RankOptions) -> Vec<RankRow> {
    let peer = |ranked: &Ranked<'_>| ranked.value.ok().map(|value| Peer::new(&ranked.view, value));
    let peers: Peers = clients.iter().filter_map(peer).collect();
    let within = match options.within {
        RankWithin::All => Within::All,
        RankWithin::Segment => Within::Segment,
    };
    let row = |ranked: &Ranked<'_>| {
        let place = ranked.value.ok().and_then(|value| peers.place(value, true, within, &ranked.view));
        RankRow {
            client: ranked.client.clone(),
            segment: segment(&ranked.view),
            value: ranked.value.ok(),
            missing: ranked.value.err(),
            place: None,
            percentile: place.map(|place| place.percentile),
            peers: place.map_or(0, |place| heads(place.peers)),
        }
    };
    let mut rows: Vec<RankRow> = clients.iter().filter(|ranked| ranked.listed).map(row).collect();
    // Those without a value come last, whichever end is first; the sort is stable, so equal ones stay in order of ids.
    rows.sort_by(|a, b| match (a.value, b.value) {
        (Some(a), Some(b)) if options.order == RankOrder::Lowest => a.total_cmp(&b),
        (Some(a), Some(b)) => b.total_cmp(&a),
        (a, b) => a.is_none().cmp(&b.is_none()),
    });
    let mut counts: BTreeMap<Option<Text>, (u64, u64, f64)> = BTreeMap::new();
    for row in &mut rows {
        let Some(value) = row.value else { continue };
        let set = row.segment.clone().filter(|_| options.within == RankWithin::Segment);
        let (seen, place, last) = counts.entry(set).or_insert((0, 0, f64::NAN));
        *seen += 1;
        if value != *last {
            (*place, *last) = (*seen, value);
        }
        row.place = Some(*place);
    }
    rows
}

//! Peers: whom a client is compared with, for curves and ranks that give the share of clients below it.

use super::curve::Within;
use super::readings::Readings;
use crate::id::Text;
use crate::signal::View;
use std::collections::BTreeMap;

/// Somebody to be compared with: a living client with a reading.
pub(crate) struct Peer {
    segment: Option<Text>,
    paying: bool,
    reading: f64,
}

impl Peer {
    pub(crate) fn new(view: &View<'_>, reading: f64) -> Self {
        Self { segment: segment(view), paying: view.pays(), reading }
    }

    pub(super) fn read(signal: usize, readings: &Readings<'_>) -> Option<Self> {
        let reading = readings.value(signal).filter(|_| readings.view.seen())?;
        Some(Self::new(&readings.view, reading))
    }
}

/// Readings in order, of everybody and of those who pay.
#[derive(Default)]
struct Sorted {
    everybody: Vec<f64>,
    paying: Vec<f64>,
}

impl Sorted {
    fn push(&mut self, peer: &Peer) {
        self.everybody.push(peer.reading);
        if peer.paying {
            self.paying.push(peer.reading);
        }
    }

    fn sort(&mut self) {
        self.everybody.sort_unstable_by(f64::total_cmp);
        self.paying.sort_unstable_by(f64::total_cmp);
    }
}

/// The peers of a book: sorted once, so that each client finds its place by halving.
#[derive(Default)]
pub(crate) struct Peers {
    all: Sorted,
    segments: BTreeMap<Option<Text>, Sorted>,
}

/// A client's place among its peers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    /// How many peers there are, this client among them.
    pub(crate) peers: usize,
    /// The share of them below this one, ties half, x 100.
    pub(crate) percentile: f64,
}

impl FromIterator<Peer> for Peers {
    fn from_iter<I: IntoIterator<Item = Peer>>(items: I) -> Self {
        let mut peers = Self::default();
        for peer in items {
            peers.all.push(&peer);
            peers.segments.entry(peer.segment.clone()).or_default().push(&peer);
        }
        peers.all.sort();
        peers.segments.values_mut().for_each(Sorted::sort);
        peers
    }
}

impl Peers {
    /// The place of a value. Peers are of the same segment where that is asked for, and pay if this client does; this
    /// client is one of them, also by a reading that is carried from an earlier day and so not `counted`. `None` without
    /// peers.
    pub(crate) fn place(&self, x: f64, counted: bool, within: Within, view: &View<'_>) -> Option<Place> {
        let sorted = match within {
            Within::All => Some(&self.all),
            Within::Segment => self.segments.get(&segment(view)),
        };
        let readings = sorted.map_or(&[][..], |of| if view.pays() { &of.paying } else { &of.everybody });
        let below = readings.partition_point(|reading| *reading < x);
        let own = usize::from(!counted);
        let ties = readings.partition_point(|reading| *reading <= x) - below + own;
        let peers = readings.len() + own;
        if peers == 0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "no book has 2^53 clients")]
        let percentile = (below as f64 + 0.5 * ties as f64) / peers as f64 * 100.0;
        Some(Place { peers, percentile })
    }
}

pub(crate) fn segment(view: &View<'_>) -> Option<Text> {
    view.state.profile.stated.segment.value_at(view.at).cloned().flatten()
}

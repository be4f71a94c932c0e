//! Peers: whom a client is compared with, for curves that give the share of clients below it.

use super::curve::Within;
use crate::id::Text;
use crate::signal::{Missing, SignalSpec, View};

/// What a peer set is made of: a living client with a reading.
pub(crate) struct Peer {
    segment: Option<Text>,
    paying: bool,
    reading: f64,
}

impl Peer {
    pub(crate) fn read(spec: &SignalSpec, view: &View<'_>) -> Option<Self> {
        let reading = spec.read(view).value().filter(|_| view.seen())?;
        Some(Self { segment: segment(view), paying: view.pays(), reading })
    }
}

/// The share of the peers below a value, ties half, x 100. Peers are of the same segment where that is asked for, and
/// pay if this client does; this client is one of them.
pub(crate) fn percentile(
    peers: &[Peer],
    x: f64,
    within: Within,
    least: usize,
    view: &View<'_>,
) -> Result<f64, Missing> {
    let (segment, paying) = (segment(view), view.pays());
    let (mut all, mut below, mut ties) = (0u32, 0u32, 0u32);
    for peer in peers {
        let same = within == Within::All || peer.segment == segment;
        if same && (peer.paying || !paying) {
            all += 1;
            below += u32::from(peer.reading < x);
            ties += u32::from(peer.reading == x);
        }
    }
    if all == 0 || (all as usize) < least {
        return Err(Missing::TooLittle);
    }
    Ok((f64::from(below) + 0.5 * f64::from(ties)) / f64::from(all) * 100.0)
}

fn segment(view: &View<'_>) -> Option<Text> {
    view.state.profile.segment.value_at(view.at).cloned().flatten()
}

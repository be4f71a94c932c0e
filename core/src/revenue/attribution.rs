//! Whose a movement is when clients go from one group to another inside a period (`attribution: "interval"`).
//!
//! A client is cut where its owner (or whatever else is stated about it and grouped by) changes, and each piece is looked
//! at as if it were a period of its own: what happened while a group had the client is the group's. At a change the MRR
//! just before it goes out of one row and into the other as a transfer, which is no movement. A group that gets a client
//! back has it in two pieces.

use super::Refusal;
use super::group::{GroupKey, Stated};
use super::movement::{Ground, Moved, Span, moved};
use super::run_rate::View;
use crate::period::Period;
use crate::state::client::Profile;
use crate::time::Instant;

/// What a client did while it was in one group.
pub(crate) struct Piece {
    pub(crate) key: GroupKey,
    pub(crate) moved: Moved,
    pub(crate) span: Span,
    /// It came from another group inside the period.
    pub(crate) came: bool,
    /// It went to another group inside the period.
    pub(crate) went: bool,
}

/// The pieces of a client's period, in order of time.
pub(crate) fn pieces(
    view: &View<'_, '_>,
    profile: &Profile,
    stated: Stated<'_>,
    span: &Span,
    ground: &Ground<'_>,
) -> Result<Vec<Piece>, Refusal> {
    let mut starts: Vec<(Instant, GroupKey)> = vec![(span.period.start, stated.key(profile, span.opening))];
    for stamp in stated.stamps(profile, span.closing) {
        let at = stamp.at();
        let key = stated.key(profile, at);
        let changed = starts.last().is_some_and(|(_, last)| *last != key);
        if at >= span.period.start && changed {
            starts.push((at, key));
        }
    }
    let mut pieces = Vec::with_capacity(starts.len());
    for (i, (start, key)) in starts.iter().enumerate() {
        let next = starts.get(i + 1).map(|(at, _)| *at);
        let (came, went) = (i > 0, next.is_some());
        let piece = Span {
            period: Period { start: *start, end: next.unwrap_or(span.period.end) },
            opening: start.just_before(),
            closing: next.map_or(span.closing, Instant::just_before),
            ..*span
        };
        if let Some(moved) = moved(view, &piece, ground)? {
            pieces.push(Piece { key: key.clone(), moved, span: piece, came, went });
        }
    }
    Ok(pieces)
}

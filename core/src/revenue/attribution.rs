//! Whose a movement is when clients go from one group to another inside a period (`attribution: "interval"`).
//!
//! A client is cut where its owner (or whatever else is stated about it and grouped by) changes, and each piece is looked
//! at as if it were a period of its own: what happened while a group had the client is the group's. At a change the MRR
//! just before it goes out of one row and into the other as a transfer, which is no movement. A group that gets a client
//! back has it in two pieces, and its rates are over what the client did in both ([`Held`]).

use super::Refusal;
use super::group::{GroupKey, Stated};
use super::movement::{Ground, Moved, MovementKind, Span, moved};
use super::run_rate::View;
use crate::period::Period;
use crate::recurring::Annual;
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

/// What a client did all the time that one group had it: what rates are made of. One that changed no group is held for the
/// whole period.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// What was paid at the opening of the period, if the group had the client then.
    pub(crate) opening: Annual,
    /// The opening with what the client changed while the group had it, and never below nothing: what others won or lost
    /// in between is theirs.
    pub(crate) retained: Annual,
    /// What is paid at the closing of the period, if the group has the client then.
    pub(crate) closing: Annual,
    /// It began to pay while the group had it.
    pub(crate) joined: bool,
    /// It left while the group had it, and did not come back while the group had it.
    pub(crate) left: bool,
    /// With how much it left.
    gone: Annual,
}

impl Held {
    /// Adds what the client did in one piece, in order of time.
    pub(crate) fn add(&mut self, moved: &Moved, came: bool, went: bool) {
        if came {
            self.retained = (self.retained + moved.closing - moved.opening).max(Annual::ZERO);
        } else {
            (self.opening, self.retained) = (moved.opening, moved.closing);
        }
        if !went {
            self.closing = moved.closing;
        }
        match moved.kind {
            Some(MovementKind::New | MovementKind::Reactivation | MovementKind::Resumed) => {
                (self.joined, self.left) = (true, false);
            }
            Some(MovementKind::JoinedAndLeft) => {
                (self.joined, self.left, self.gone) = (true, true, moved.amount);
            }
            Some(MovementKind::Churn | MovementKind::PausedLost) => {
                (self.left, self.gone) = (true, moved.amount);
            }
            Some(MovementKind::Expansion | MovementKind::Contraction | MovementKind::Paused) | None => {}
        }
    }

    /// What is retained, and the client counts for no more than at opening.
    pub(crate) fn kept(&self) -> Annual {
        self.retained.min(self.opening)
    }

    /// What left of the opening with the client: no more than was lost of it in all.
    pub(crate) fn churned(&self) -> Annual {
        if self.left { self.gone.min(self.opening - self.kept()) } else { Annual::ZERO }
    }
}

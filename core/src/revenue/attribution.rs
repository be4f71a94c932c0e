//! Who is answerable for a movement when clients change hands inside a period (`attribution: "interval"`).
//!
//! A client is cut where its owner changes, and each piece is looked at as if it were a period of its own: what happened
//! while somebody owned the client is theirs. At a change of owner the MRR just before it goes out of one row and into
//! the other as a transfer, which is no movement. An owner who gets a client back has it in two pieces.

use super::Refusal;
use super::group::GroupKey;
use super::movement::{Ground, Moved, Span, moved};
use super::run_rate::View;
use crate::id::Text;
use crate::period::Period;
use crate::state::client::Profile;
use crate::time::Instant;

/// What a client did while one owner had it.
pub(crate) struct Piece {
    pub(crate) owner: GroupKey,
    pub(crate) moved: Moved,
    pub(crate) span: Span,
    /// It came from another owner inside the period.
    pub(crate) came: bool,
    /// It went to another owner inside the period.
    pub(crate) went: bool,
}

/// The pieces of a client's period, in order of time.
pub(crate) fn pieces(
    view: &View<'_, '_>,
    profile: &Profile,
    span: &Span,
    ground: &Ground<'_>,
) -> Result<Vec<Piece>, Refusal> {
    let owner_at = |at: Instant| profile.owner.value_at(at).and_then(Option::as_ref);
    let mut starts: Vec<(Instant, Option<&Text>)> = vec![(span.period.start, owner_at(span.opening))];
    for entry in profile.owner.up_to(span.closing) {
        let at = entry.at();
        let changed = starts.last().is_some_and(|(_, last)| *last != owner_at(at));
        if at >= span.period.start && changed {
            starts.push((at, owner_at(at)));
        }
    }
    let mut pieces = Vec::with_capacity(starts.len());
    for (i, (start, owner)) in starts.iter().enumerate() {
        let next = starts.get(i + 1).map(|(at, _)| *at);
        let (came, went) = (i > 0, next.is_some());
        let piece = Span {
            period: Period { start: *start, end: next.unwrap_or(span.period.end) },
            opening: start.just_before(),
            closing: next.map_or(span.closing, Instant::just_before),
            ..*span
        };
        if let Some(moved) = moved(view, &piece, ground)? {
            let owner = owner.map_or(GroupKey::None, |owner| GroupKey::Text(owner.as_str().to_owned()));
            pieces.push(Piece { owner, moved, span: piece, came, went });
        }
    }
    Ok(pieces)
}

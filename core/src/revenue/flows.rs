//! Gross flows (`grain: "change"`): every change inside a period at its own instant, under names of its own, so that
//! nobody takes them for the net movements. What came in less what went out is closing less opening, exactly.

use super::Refusal;
use super::movement::{Ground, Span, opening_at, paid_at};
use super::policy::PausedAs;
use super::run_rate::View;
use crate::money::Currency;
use crate::recurring::{Annual, Recurring};
use crate::time::Instant;
use serde::{Serialize, Serializer};
use std::cmp::Ordering;
use std::ops::AddAssign;

/// What a change of a client's MRR is. The names are none of a movement's, so that nobody adds the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlowKind {
    /// From nothing, for the first time.
    Began,
    /// From nothing, after an end.
    Returned,
    /// From nothing, after a pause.
    Unpaused,
    /// From something to more.
    Raised,
    /// From something to less.
    Lowered,
    /// To nothing: everything that paid is paused.
    Suspended,
    /// To nothing.
    Ended,
}

impl FlowKind {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Returned => "returned",
            Self::Unpaused => "unpaused",
            Self::Raised => "raised",
            Self::Lowered => "lowered",
            Self::Suspended => "suspended",
            Self::Ended => "ended",
        }
    }
}

impl Serialize for FlowKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Changes of one kind: how many, and how much they come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// How many changes.
    pub changes: u64,
    /// What they come to, at the rates of the opening.
    #[serde(flatten)]
    pub recurring: Recurring,
}

impl Flow {
    fn note(&mut self, annual: Annual) {
        self.changes += 1;
        self.recurring = (self.recurring.annual + annual).into();
    }
}

impl AddAssign for Flow {
    fn add_assign(&mut self, other: Self) {
        self.changes += other.changes;
        self.recurring = (self.recurring.annual + other.recurring.annual).into();
    }
}

/// Every change of the clients' MRR inside a period.
///
/// began + returned + unpaused + raised - lowered - suspended - ended = closing - fx - opening.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Flows {
    /// From nothing, for the first time.
    pub began: Flow,
    /// From nothing, after an end.
    pub returned: Flow,
    /// From nothing, after a pause.
    pub unpaused: Flow,
    /// From something to more.
    pub raised: Flow,
    /// From something to less.
    pub lowered: Flow,
    /// To nothing: everything that paid is paused.
    pub suspended: Flow,
    /// To nothing.
    pub ended: Flow,
}

impl Flows {
    fn line(&mut self, kind: FlowKind) -> &mut Flow {
        match kind {
            FlowKind::Began => &mut self.began,
            FlowKind::Returned => &mut self.returned,
            FlowKind::Unpaused => &mut self.unpaused,
            FlowKind::Raised => &mut self.raised,
            FlowKind::Lowered => &mut self.lowered,
            FlowKind::Suspended => &mut self.suspended,
            FlowKind::Ended => &mut self.ended,
        }
    }

    /// The changes of one kind.
    pub fn of(&self, kind: FlowKind) -> Flow {
        let mut flows = *self;
        *flows.line(kind)
    }

    /// The same, printed in minor units of a currency.
    pub(crate) fn rounded(self, currency: Currency) -> Self {
        let line = |flow: Flow| Flow { recurring: flow.recurring.rounded(currency), ..flow };
        let Self { began, returned, unpaused, raised, lowered, suspended, ended } = self;
        Self {
            began: line(began),
            returned: line(returned),
            unpaused: line(unpaused),
            raised: line(raised),
            lowered: line(lowered),
            suspended: line(suspended),
            ended: line(ended),
        }
    }
}

impl AddAssign for Flows {
    fn add_assign(&mut self, other: Self) {
        let Self { began, returned, unpaused, raised, lowered, suspended, ended } = other;
        self.began += began;
        self.returned += returned;
        self.unpaused += unpaused;
        self.raised += raised;
        self.lowered += lowered;
        self.suspended += suspended;
        self.ended += ended;
    }
}

/// One change of a client's MRR.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) at: Instant,
    pub(crate) kind: FlowKind,
    pub(crate) before: Annual,
    pub(crate) after: Annual,
}

impl Change {
    /// Its size, never below 0.
    pub(crate) fn amount(&self) -> Annual {
        self.before.max(self.after) - self.before.min(self.after)
    }

    /// Where what stood just before and what stands then are to be found.
    pub(crate) fn ends(&self, view: &View<'_, '_>) -> (Instant, Instant) {
        (view.look(self.at.just_before()), view.look(self.at))
    }
}

/// The changes of one client, in order of time.
pub(crate) fn changes(view: &View<'_, '_>, span: &Span, ground: &Ground<'_>) -> Result<Vec<Change>, Refusal> {
    let mut changes = Vec::new();
    let mut before = if view.spell_at(span.opening).is_some() {
        opening_at(view, span, ground, view.look(span.opening))?
    } else {
        Annual::ZERO
    };
    let own = ground.rules.paused == PausedAs::Own;
    for at in view.changes(span.period.start, span.closing) {
        let after = paid_at(view, span, ground, view.look(at))?;
        let all_paused = |paid_at| own && view.contracts.all_paused(view.currency, paid_at, at);
        let from_pause = |until: Instant| {
            own && view.contracts.all_paused(view.currency, until.just_before(), at.just_before())
        };
        let kind = match (before.is_positive(), after.is_positive(), after.cmp(&before)) {
            (false, true, _) => match view.over_by(at) {
                None => FlowKind::Began,
                Some((until, _)) if from_pause(until) => FlowKind::Unpaused,
                Some(_) => FlowKind::Returned,
            },
            (true, false, _) if all_paused(at.just_before()) => FlowKind::Suspended,
            (true, false, _) => FlowKind::Ended,
            (_, _, Ordering::Greater) => FlowKind::Raised,
            (_, _, Ordering::Less) => FlowKind::Lowered,
            (_, _, Ordering::Equal) => continue,
        };
        changes.push(Change { at, kind, before, after });
        before = after;
    }
    Ok(changes)
}

/// What the changes of one client come to.
pub(crate) fn flows(view: &View<'_, '_>, span: &Span, ground: &Ground<'_>) -> Result<Flows, Refusal> {
    let mut flows = Flows::default();
    for change in changes(view, span, ground)? {
        flows.line(change.kind).note(change.amount());
    }
    Ok(flows)
}

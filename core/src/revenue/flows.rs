//! Gross flows (`grain: "change"`): every change inside a period at its own instant, under names of its own, so that
//! nobody takes them for the net movements. What came in less what went out is closing less opening, exactly.

use super::Refusal;
use super::movement::{Ground, Span, opening_at, paid_at};
use super::policy::PausedAs;
use super::run_rate::View;
use crate::money::Currency;
use crate::recurring::{Annual, Recurring};
use serde::Serialize;
use std::ops::AddAssign;

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

/// The changes of one client.
pub(crate) fn flows(view: &View<'_, '_>, span: &Span, ground: &Ground<'_>) -> Result<Flows, Refusal> {
    let mut flows = Flows::default();
    let mut before = if view.spell_at(span.opening).is_some() {
        opening_at(view, span, ground, view.look(span.opening))?
    } else {
        Annual::ZERO
    };
    let own = ground.rules.paused == PausedAs::Own;
    for at in view.changes(span.period.start, span.closing) {
        let now = paid_at(view, span, ground, view.look(at))?;
        let paused = |paid_at| own && view.contracts.all_paused(view.currency, paid_at, at);
        if before.is_zero() && now.is_positive() {
            match view.over_by(at) {
                None => flows.began.note(now),
                Some((until, _)) => {
                    let from_pause = own
                        && view.contracts.all_paused(view.currency, until.just_before(), at.just_before());
                    if from_pause { flows.unpaused.note(now) } else { flows.returned.note(now) }
                }
            }
        } else if now.is_zero() && before.is_positive() {
            let flow = if paused(at.just_before()) { &mut flows.suspended } else { &mut flows.ended };
            flow.note(before);
        } else if now > before {
            flows.raised.note(now - before);
        } else if now < before {
            flows.lowered.note(before - now);
        }
        before = now;
    }
    Ok(flows)
}

//! Why a client moved: a set of tags for each movement, from the subscriptions that moved with the net.

use super::Refusal;
use super::flows::FlowKind;
use super::movement::{Ground, MovementKind, Span};
use super::run_rate::{Contract, Stretch, View};
use crate::event::billing::Status;
use crate::money::{Interval, IntervalUnit};
use crate::recurring::Annual;
use crate::state::ClientState;
use crate::state::client::ChurnReason;
use crate::time::Instant;
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;

/// A reason for a movement. One movement may have several; the money stands once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tag {
    /// Expansion: a product that was not paid for at opening.
    CrossSell,
    /// Churn: the last payment was late, or the stated reason says so.
    Involuntary,
    /// Contraction: one of several subscriptions is paused.
    Paused,
    /// Expansion: a subscription that paid at both ends has another plan.
    Plan,
    /// Expansion: the same plan, seats and quantity at another price.
    Price,
    /// Expansion: the same plan with other seats or quantity.
    Seats,
    /// Contraction: a longer interval began at the same instant.
    TermExtended,
    /// Churn: still active at amount 0.
    ToFree,
    /// Churn: the stated reason says so.
    Voluntary,
}

impl Tag {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CrossSell => "cross_sell",
            Self::Involuntary => "involuntary",
            Self::Paused => "paused",
            Self::Plan => "plan",
            Self::Price => "price",
            Self::Seats => "seats",
            Self::TermExtended => "term_extended",
            Self::ToFree => "to_free",
            Self::Voluntary => "voluntary",
        }
    }
}

impl Serialize for Tag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Where a client went, as far as there is a reason to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// From something to more.
    More,
    /// From something to less.
    Less,
    /// From something to nothing, and it is no pause.
    Out,
}

impl Course {
    pub(crate) fn of(kind: MovementKind) -> Option<Self> {
        match kind {
            MovementKind::Expansion => Some(Self::More),
            MovementKind::Contraction => Some(Self::Less),
            MovementKind::Churn => Some(Self::Out),
            MovementKind::New
            | MovementKind::Reactivation
            | MovementKind::Resumed
            | MovementKind::Paused
            | MovementKind::JoinedAndLeft
            | MovementKind::PausedLost => None,
        }
    }

    pub(crate) fn of_flow(kind: FlowKind) -> Option<Self> {
        match kind {
            FlowKind::Raised => Some(Self::More),
            FlowKind::Lowered => Some(Self::Less),
            FlowKind::Ended => Some(Self::Out),
            FlowKind::Began | FlowKind::Returned | FlowKind::Unpaused | FlowKind::Suspended => None,
        }
    }
}

/// The tags of a movement between two instants.
pub(crate) fn tags(
    view: &View<'_, '_>,
    course: Option<Course>,
    ends: (Instant, Instant),
    state: &ClientState,
    span: &Span,
    ground: &Ground<'_>,
) -> Result<BTreeSet<Tag>, Refusal> {
    let look = Look { view, ends, span, ground };
    match course {
        Some(Course::More) => look.expansion(),
        Some(Course::Less) => look.contraction(),
        Some(Course::Out) => Ok(look.churn(state)),
        None => Ok(BTreeSet::new()),
    }
}

struct Look<'l, 'c, 's> {
    view: &'l View<'c, 's>,
    /// Where what stood before and what stands after are to be found.
    ends: (Instant, Instant),
    span: &'l Span,
    ground: &'l Ground<'l>,
}

/// What one subscription was at opening and is at closing, where it paid in the view.
struct Ends<'e, 's> {
    opening: Option<&'e Stretch<'s>>,
    closing: Option<&'e Stretch<'s>>,
}

impl<'c, 's> Look<'_, 'c, 's> {
    fn ends(&self, contract: &'c Contract<'s>) -> Ends<'c, 's> {
        let pays = |here: &&'c Stretch<'s>| {
            here.is_paying() && (self.view.currency.is_none() || here.currency == self.view.currency)
        };
        Ends {
            opening: contract.at(self.ends.0).filter(pays),
            closing: contract.at(self.ends.1).filter(pays),
        }
    }

    /// Amounts of two currencies compare only by what they are worth.
    fn worth(&self, here: &Stretch<'_>) -> Result<Annual, Refusal> {
        self.ground.worth(here, self.span)
    }

    fn expansion(&self) -> Result<BTreeSet<Tag>, Refusal> {
        let before: BTreeSet<&str> = self
            .view
            .contracts
            .paying(self.view.currency, self.ends.0)
            .filter_map(|(_, here)| here.state().more.product.as_ref().map(|product| product.as_str()))
            .collect();
        let mut tags = BTreeSet::new();
        for contract in self.view.contracts.iter() {
            let Ends { opening, closing: Some(closing) } = self.ends(contract) else { continue };
            if let Some(opening) = opening
                && self.worth(opening)? >= self.worth(closing)?
            {
                continue;
            }
            let product = closing.state().more.product.as_ref();
            if product.is_some_and(|product| !before.contains(product.as_str())) {
                tags.insert(Tag::CrossSell);
            }
            if let Some(opening) = opening {
                tags.insert(change(opening, closing));
            }
        }
        Ok(tags)
    }

    fn contraction(&self) -> Result<BTreeSet<Tag>, Refusal> {
        let mut tags = BTreeSet::new();
        for contract in self.view.contracts.iter() {
            let Ends { opening: Some(opening), closing } = self.ends(contract) else { continue };
            match closing {
                Some(closing) if self.worth(closing)? >= self.worth(opening)? => {}
                Some(closing) => {
                    if is_longer(closing, opening) {
                        tags.insert(Tag::TermExtended);
                    }
                }
                None => {
                    if let Some(here) = contract.at(self.ends.1) {
                        if here.is_paused() {
                            tags.insert(Tag::Paused);
                        }
                        if self.longer_began(opening, here.from) {
                            tags.insert(Tag::TermExtended);
                        }
                    }
                }
            }
        }
        Ok(tags)
    }

    /// Whether another subscription began to pay at an instant, for a longer interval than one that ended there.
    fn longer_began(&self, ended: &Stretch<'_>, at: Instant) -> bool {
        self.view.contracts.iter().any(|contract| {
            let Ends { opening: None, closing: Some(closing) } = self.ends(contract) else { return false };
            let began = contract.at(at).filter(|here| here.from == at && here.is_paying());
            began.is_some() && is_longer(closing, ended)
        })
    }

    fn churn(&self, state: &ClientState) -> BTreeSet<Tag> {
        let mut tags = BTreeSet::new();
        // Active in another currency is no free plan: the stated amount decides, not what this view sees of it.
        let is_free = |here: &Stretch<'_>| {
            let amount = here.state().terms.map(|terms| terms.amount);
            !here.ended
                && here.state().status == Status::Active
                && amount.is_none_or(|amount| amount.micros() == 0)
        };
        let to_free = |contract: &'c Contract<'s>| {
            self.ends(contract).opening.is_some() && contract.at(self.ends.1).is_some_and(is_free)
        };
        if self.view.contracts.iter().any(to_free) {
            tags.insert(Tag::ToFree);
        }
        match stated(self.view, self.ends.1, state, self.ground.rules.as_of).map(|reason| reason.voluntary) {
            Some(true) => drop(tags.insert(Tag::Voluntary)),
            Some(false) => drop(tags.insert(Tag::Involuntary)),
            None => {
                if self.was_past_due() {
                    tags.insert(Tag::Involuntary);
                }
            }
        }
        tags
    }

    /// Whether everything that was paid just before the end was late.
    fn was_past_due(&self) -> bool {
        let Some((until, _)) = self.view.over_by(self.ends.1) else { return false };
        let mut last = self.view.contracts.paying(self.view.currency, until.just_before());
        last.all(|(_, here)| here.state().status == Status::PastDue)
    }
}

/// The reason that was stated for a churn.
pub(crate) fn reason(
    view: &View<'_, '_>,
    course: Option<Course>,
    ends: (Instant, Instant),
    state: &ClientState,
    as_of: Instant,
) -> Option<String> {
    let left = course == Some(Course::Out);
    let stated = left.then(|| stated(view, ends.1, state, as_of))??;
    stated.reason.as_ref().map(|reason| reason.as_str().to_owned())
}

/// What was stated last about the end of the spell that stood at opening: after it began, and before another.
fn stated<'s>(
    view: &View<'_, '_>,
    left_by: Instant,
    state: &'s ClientState,
    as_of: Instant,
) -> Option<&'s ChurnReason> {
    let (_, spell) = view.over_by(left_by)?;
    let next = view.spells.iter().map(|other| other.from).find(|from| *from > spell.from);
    let reasons = state.profile.more.churn_reasons.up_to(as_of).iter();
    let of_spell = |at: Instant| at >= spell.from && next.is_none_or(|next| at < next);
    reasons.rev().find(|entry| of_spell(entry.at())).map(|entry| &entry.value)
}

/// What changed about a subscription that pays more.
fn change(opening: &Stretch<'_>, closing: &Stretch<'_>) -> Tag {
    let (before, after) = (opening.state(), closing.state());
    if before.more.plan != after.more.plan {
        Tag::Plan
    } else if (before.seats, before.quantity) != (after.seats, after.quantity) {
        Tag::Seats
    } else {
        Tag::Price
    }
}

/// Whether one is billed for a longer interval than another.
fn is_longer(closing: &Stretch<'_>, opening: &Stretch<'_>) -> bool {
    let length = |stretch: &Stretch<'_>| stretch.state().terms.map(|terms| days(terms.interval));
    length(closing) > length(opening)
}

/// The length of an interval in hundredths of a day, a month being 30.44 days: for comparing only.
fn days(interval: Interval) -> u64 {
    let unit = match interval.unit {
        IntervalUnit::Day => 100,
        IntervalUnit::Week => 700,
        IntervalUnit::Month => 3_044,
        IntervalUnit::Year => 36_528,
    };
    unit * u64::from(interval.count)
}

//! What one client did over one period: opening, closing, and the one net movement between them.

use super::Refusal;
use super::policy::PausedAs;
use super::retention::Still;
use super::run_rate::{PayingRules, Stretch, View};
use crate::exchange::{NoValue, Rates};
use crate::id::EventRef;
use crate::period::Period;
use crate::recurring::Annual;
use crate::time::Instant;
use crate::timeline::Stamp;
use crate::zone::Zone;
use serde::{Serialize, Serializer};

/// What a client did over a period, net.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MovementKind {
    /// It pays, and never did before.
    New,
    /// It pays again.
    Reactivation,
    /// It pays again after a pause.
    Resumed,
    /// It pays more.
    Expansion,
    /// It pays less.
    Contraction,
    /// All that paid at opening is paused.
    Paused,
    /// It left.
    Churn,
    /// It came and went inside the period.
    JoinedAndLeft,
    /// Its pause became an end.
    PausedLost,
}

impl MovementKind {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reactivation => "reactivation",
            Self::Resumed => "resumed",
            Self::Expansion => "expansion",
            Self::Contraction => "contraction",
            Self::Paused => "paused",
            Self::Churn => "churn",
            Self::JoinedAndLeft => "joined_and_left",
            Self::PausedLost => "paused_lost",
        }
    }
}

impl Serialize for MovementKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A period as a question sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) period: Period,
    /// Just before the period.
    pub(crate) opening: Instant,
    /// Just before its end, or the instant of the question if that is earlier.
    pub(crate) closing: Instant,
    /// The instants whose rates value it: opening and closing, also for a part of a period.
    pub(crate) rates_at: (Instant, Instant),
}

impl Span {
    pub(crate) fn new(period: Period, as_of: Instant) -> Self {
        let (opening, closing) = (period.start.just_before(), period.end.just_before().min(as_of));
        Self { period, opening, closing, rates_at: (opening, closing) }
    }

    pub(crate) fn is_partial(&self) -> bool {
        self.closing < self.period.end.just_before()
    }
}

/// What all questions about clients need.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'q> {
    pub(crate) zone: &'q Zone,
    pub(crate) rules: &'q PayingRules,
    /// A longer gap makes a client new.
    pub(crate) reactivation_within_days: Option<u32>,
    /// With a reporting currency.
    pub(crate) rates: Option<&'q Rates>,
}

impl Ground<'_> {
    /// What a subscription is worth, at the rate of the opening where there are rates.
    pub(crate) fn worth(&self, here: &Stretch<'_>, span: &Span) -> Result<Annual, Refusal> {
        Ok(match (self.rates, here.currency) {
            (Some(rates), Some(currency)) => {
                rates.value_inside(here.annual, currency, span.rates_at, self.zone)?
            }
            _ => here.annual,
        })
    }
}

/// What a client did, in one currency or converted.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    /// `None` if it pays the same at both ends.
    pub(crate) kind: Option<MovementKind>,
    pub(crate) opening: Annual,
    /// At the rates of the opening.
    pub(crate) closing: Annual,
    /// At the rates of the opening.
    pub(crate) amount: Annual,
    /// What rates alone did to the closing.
    pub(crate) fx: Annual,
    /// The closing of what is not known to end, at the rates of the closing.
    pub(crate) after_cancellations: Annual,
    pub(crate) gap_days: Option<i32>,
    /// The instant at which the client's group is read.
    pub(crate) grouped_at: Instant,
    /// Where what stands at opening and at closing is to be found.
    pub(crate) ends: (Instant, Instant),
}

/// What a view did over a span; `None` if it neither paid nor was lost from a pause.
pub(crate) fn moved(view: &View<'_, '_>, span: &Span, ground: &Ground<'_>) -> Result<Option<Moved>, Refusal> {
    let money = Money { view, span, ground };
    let pays_at_opening = view.spell_at(span.opening).is_some();
    let pays_at_closing = view.spell_at(span.closing).is_some();
    let ends = (view.look(span.opening), view.look(span.closing));
    let first_inside = view.first_paying(span.period.start, span.closing);
    let mut gap_days = None;
    let mut grouped_at = span.opening;
    let opening = if pays_at_opening { money.at_opening(ends.0)? } else { Annual::ZERO };
    let closing = if pays_at_closing { money.inside(ends.1)? } else { Annual::ZERO };
    let (kind, amount) = match (pays_at_opening, pays_at_closing) {
        (true, true) => match closing.cmp(&opening) {
            std::cmp::Ordering::Greater => (Some(MovementKind::Expansion), closing - opening),
            std::cmp::Ordering::Less => (Some(MovementKind::Contraction), opening - closing),
            std::cmp::Ordering::Equal => (None, Annual::ZERO),
        },
        (true, false) => (Some(money.departure(ends.0)), opening),
        (false, true) => {
            grouped_at = first_inside.unwrap_or(ends.1);
            let (kind, gap) = money.arrival(grouped_at);
            gap_days = gap;
            (Some(kind), closing)
        }
        (false, false) => match (first_inside, money.lost_from_pause()) {
            (Some(first), _) => {
                grouped_at = first;
                (Some(MovementKind::JoinedAndLeft), money.greatest()?.0)
            }
            (None, Some(paid_at)) => {
                grouped_at = paid_at;
                (Some(MovementKind::PausedLost), money.inside(paid_at)?)
            }
            (None, None) => return Ok(None),
        },
    };
    let closes = span.closing == span.rates_at.1;
    let (fx, after_cancellations) = if pays_at_closing && closes {
        (money.at_closing(ends.1)? - closing, money.after_cancellations(ends.1)?)
    } else {
        (Annual::ZERO, Annual::ZERO)
    };
    Ok(Some(Moved { kind, opening, closing, amount, fx, after_cancellations, gap_days, grouped_at, ends }))
}

/// What a client did over a period.
#[derive(Clone, Debug)]
pub(crate) enum Did {
    /// Nothing that is counted: it neither paid nor was lost from a pause.
    Nothing,
    /// It paid, and nothing of it changed.
    Still(Still),
    /// Something may have changed.
    Moved(Box<Moved>),
}

/// What one view did over one period after the other. Most clients do nothing in most periods: what they pay between two
/// changes is looked up once.
pub(crate) struct Walk<'v, 'c, 's> {
    view: &'v View<'c, 's>,
    ground: Ground<'v>,
    did: Did,
    /// Of a period in which nothing changed: from when on nothing did, and until when.
    still_within: Option<(Instant, Option<Instant>)>,
}

impl<'v, 'c, 's> Walk<'v, 'c, 's> {
    pub(crate) fn new(view: &'v View<'c, 's>, ground: Ground<'v>) -> Self {
        Self { view, ground, did: Did::Nothing, still_within: None }
    }

    #[inline]
    pub(crate) fn over(&mut self, span: &Span) -> Result<&Did, Refusal> {
        let holds = |(from, until): (Instant, Option<Instant>)| {
            from <= span.opening && until.is_none_or(|until| span.closing < until)
        };
        if !self.still_within.is_some_and(holds) {
            self.go_over(span)?;
        }
        Ok(&self.did)
    }

    #[inline(never)]
    fn go_over(&mut self, span: &Span) -> Result<(), Refusal> {
        // Rates move what nothing else moves.
        let still_within = match self.ground.rates {
            Some(_) => None,
            None => Some(self.view.contracts.unchanged_around(span.opening)),
        };
        let still_within = still_within.filter(|(_, until)| until.is_none_or(|until| span.closing < until));
        self.did = if still_within.is_some() {
            self.still(span)?.map_or(Did::Nothing, Did::Still)
        } else {
            let moved = moved(self.view, span, &self.ground)?;
            moved.map_or(Did::Nothing, |moved| Did::Moved(Box::new(moved)))
        };
        self.still_within = still_within;
        Ok(())
    }

    /// What is paid all over a span in which nothing changes.
    fn still(&self, span: &Span) -> Result<Option<Still>, Refusal> {
        let Self { view, ground, .. } = self;
        if view.spell_at(span.opening).is_none() {
            return Ok(None);
        }
        let (at, money) = (view.look(span.opening), Money { view, span, ground });
        Ok(Some(Still::new(money.at_opening(at)?, money.after_cancellations(at)?)))
    }
}

/// The amounts of one view over one span.
struct Money<'m, 'c, 's> {
    view: &'m View<'c, 's>,
    span: &'m Span,
    ground: &'m Ground<'m>,
}

impl Money<'_, '_, '_> {
    /// What was paid at opening, at the rate of the opening.
    fn at_opening(&self, at: Instant) -> Result<Annual, Refusal> {
        if self.span.opening != self.span.rates_at.0 {
            return self.inside(at);
        }
        self.sum(at, |rates, annual, currency| {
            rates.value(annual, currency, self.span.rates_at.0, self.ground.zone)
        })
    }

    /// What was paid at an instant inside, at the rate of the opening, or the first inside.
    fn inside(&self, at: Instant) -> Result<Annual, Refusal> {
        let ends = self.span.rates_at;
        self.sum(at, |rates, annual, currency| rates.value_inside(annual, currency, ends, self.ground.zone))
    }

    /// What was paid at closing, at the rate of the closing.
    fn at_closing(&self, at: Instant) -> Result<Annual, Refusal> {
        self.sum(at, |rates, annual, currency| {
            rates.value(annual, currency, self.span.closing, self.ground.zone)
        })
    }

    fn sum(
        &self,
        at: Instant,
        value: impl Fn(&Rates, Annual, crate::money::Currency) -> Result<Annual, NoValue>,
    ) -> Result<Annual, Refusal> {
        let mut sum = Annual::ZERO;
        for line in self.view.lines {
            let annual = line.at(at);
            sum += match self.ground.rates {
                Some(rates) => value(rates, annual, line.currency)?,
                None => annual,
            };
        }
        Ok(sum)
    }

    fn days(&self, from: Instant, to: Instant) -> i32 {
        self.ground.zone.day(to).days_since(self.ground.zone.day(from))
    }

    /// From nothing to something: never paid before, back from a pause, or back after an end.
    fn arrival(&self, first: Instant) -> (MovementKind, Option<i32>) {
        let Some((until, _)) = self.view.over_by(self.span.opening) else {
            return (MovementKind::New, None);
        };
        let gap = self.days(until, first);
        let from_pause = self.ground.rules.paused == PausedAs::Own
            && self.all_paused(until.just_before(), first.just_before());
        let too_long =
            self.ground.reactivation_within_days.is_some_and(|days| i64::from(gap) > i64::from(days));
        let kind = match (from_pause, too_long) {
            (true, _) => MovementKind::Resumed,
            (false, true) => MovementKind::New,
            (false, false) => MovementKind::Reactivation,
        };
        (kind, Some(gap))
    }

    /// From something to nothing.
    fn departure(&self, paid_at: Instant) -> MovementKind {
        let paused = self.ground.rules.paused == PausedAs::Own && self.all_paused(paid_at, self.span.closing);
        if paused { MovementKind::Paused } else { MovementKind::Churn }
    }

    /// The last paying instant of a client whose pause stood at opening and is over at closing.
    fn lost_from_pause(&self) -> Option<Instant> {
        let (until, _) = self.view.over_by(self.span.opening)?;
        let paid_at = until.just_before();
        let lost = self.ground.rules.paused == PausedAs::Own
            && self.all_paused(paid_at, self.span.opening)
            && !self.all_paused(paid_at, self.span.closing);
        lost.then_some(paid_at)
    }

    fn all_paused(&self, paid_at: Instant, at: Instant) -> bool {
        self.view.contracts.all_paused(self.view.currency, paid_at, at)
    }

    /// The greatest amount at any instant inside, and the first instant of it.
    fn greatest(&self) -> Result<(Annual, Instant), Refusal> {
        let mut greatest = (Annual::ZERO, self.span.period.start);
        for at in self.view.changes(self.span.period.start, self.span.closing) {
            let amount = self.inside(at)?;
            if amount > greatest.0 {
                greatest = (amount, at);
            }
        }
        Ok(greatest)
    }

    fn after_cancellations(&self, at: Instant) -> Result<Annual, Refusal> {
        let mut sum = Annual::ZERO;
        for (_, here) in self.view.contracts.paying(self.view.currency, at) {
            if here.state().ends_at(self.ground.zone).is_some() {
                continue;
            }
            sum += match (self.ground.rates, here.currency) {
                (Some(rates), Some(currency)) => {
                    rates.value(here.annual, currency, self.span.closing, self.ground.zone)?
                }
                _ => here.annual,
            };
        }
        Ok(sum)
    }
}

/// What a view paid at an instant, at the rates of a span's opening.
pub(crate) fn paid_at(
    view: &View<'_, '_>,
    span: &Span,
    ground: &Ground<'_>,
    at: Instant,
) -> Result<Annual, Refusal> {
    Money { view, span, ground }.inside(at)
}

/// What of a view is not known to end at an instant, at the rates of a span's closing.
pub(crate) fn standing_at(
    view: &View<'_, '_>,
    span: &Span,
    ground: &Ground<'_>,
    at: Instant,
) -> Result<Annual, Refusal> {
    Money { view, span, ground }.after_cancellations(at)
}

/// What a view paid at the opening of a span.
pub(crate) fn opening_at(
    view: &View<'_, '_>,
    span: &Span,
    ground: &Ground<'_>,
    at: Instant,
) -> Result<Annual, Refusal> {
    Money { view, span, ground }.at_opening(at)
}

/// The events behind a movement: of each subscription whose amount differs what stands at opening and at closing; where
/// both ends are nothing, of each that paid in between what stood at the greatest amount or before the pause.
pub(crate) fn events(
    view: &View<'_, '_>,
    moved: &Moved,
    span: &Span,
    ground: &Ground<'_>,
) -> Result<Vec<EventRef>, Refusal> {
    let ends = match moved.kind {
        Some(MovementKind::JoinedAndLeft) => {
            (view.look(Money { view, span, ground }.greatest()?.1), moved.ends.1)
        }
        Some(MovementKind::PausedLost) => (moved.grouped_at, moved.ends.1),
        Some(_) | None => moved.ends,
    };
    let at_opening = if moved.kind == Some(MovementKind::PausedLost) { moved.ends.0 } else { ends.0 };
    Ok(standing(view, ends, at_opening))
}

/// The events that stand at two instants, of each subscription whose amount differs between them; `at_opening` says where
/// to look for the first of them.
pub(crate) fn standing(view: &View<'_, '_>, ends: (Instant, Instant), at_opening: Instant) -> Vec<EventRef> {
    let mut stamps: Vec<&Stamp> = Vec::new();
    for contract in view.contracts.iter() {
        let amount = |at| contract.annual_in(view.currency, at);
        let currency = |at| contract.at(at).filter(|here| here.is_paying()).map(|here| here.currency);
        let switched = view.currency.is_none() && currency(ends.0) != currency(ends.1);
        if switched || amount(ends.0) != amount(ends.1) {
            let standing = [contract.at(at_opening), contract.at(ends.1)];
            stamps.extend(standing.into_iter().flatten().map(|here: &Stretch<'_>| &here.entry.stamp));
        }
    }
    stamps.sort_unstable();
    stamps.dedup();
    stamps.into_iter().map(Stamp::event).collect()
}

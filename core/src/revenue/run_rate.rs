//! What a client pays over time, built once and asked for any number of periods.
//!
//! A client's subscriptions become steps ([`Contracts`]); what it pays in one currency, or in all, is a [`View`] of them:
//! lines of exact annual amounts, and the spells in which it pays at all.

use super::policy::PausedAs;
use crate::event::billing::Status;
use crate::money::Currency;
use crate::recurring::Annual;
use crate::state::billing::{BillingState, Subscription};
use crate::state::run_rate::{RunRateRules, Step, find_step};
use crate::time::Instant;
use crate::timeline::{Entry, Timeline};
use crate::zone::Zone;

/// The settings that say what a client pays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PayingRules {
    pub(crate) run_rate: RunRateRules,
    pub(crate) paused: PausedAs,
    pub(crate) only_currency: Option<Currency>,
    pub(crate) grace_days: u32,
    /// A renewal after this instant is not known.
    pub(crate) as_of: Instant,
}

/// What one subscription brings from an instant on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch<'s> {
    pub(crate) from: Instant,
    /// The exact annual amount; 0 unless it counts.
    pub(crate) annual: Annual,
    /// The currency of the amount.
    pub(crate) currency: Option<Currency>,
    /// What was stated last.
    pub(crate) entry: &'s Entry<Subscription>,
    /// Over by its `cancel_at`.
    pub(crate) ended: bool,
}

impl<'s> Stretch<'s> {
    pub(crate) fn state(&self) -> &'s Subscription {
        &self.entry.value
    }

    pub(crate) fn is_paying(&self) -> bool {
        self.annual.is_positive()
    }

    pub(crate) fn is_paused(&self) -> bool {
        !self.ended && self.state().status == Status::Paused
    }
}

/// One subscription over all time.
#[derive(Clone, Debug)]
pub(crate) struct Contract<'s> {
    stretches: Vec<Stretch<'s>>,
}

impl<'s> Contract<'s> {
    pub(crate) fn at(&self, at: Instant) -> Option<&Stretch<'s>> {
        let n = self.stretches.partition_point(|stretch| stretch.from <= at);
        self.stretches.get(n.checked_sub(1)?)
    }

    pub(crate) fn stretches(&self) -> &[Stretch<'s>] {
        &self.stretches
    }

    /// The amount in a currency, or in any.
    pub(crate) fn annual_in(&self, currency: Option<Currency>, at: Instant) -> Annual {
        let here = self.at(at).filter(|here| currency.is_none() || here.currency == currency);
        here.map_or(Annual::ZERO, |here| here.annual)
    }
}

impl Contract<'_> {
    /// Puts the line of what is paid over time into an empty list, if it is all in one currency; no line if nothing ever is.
    /// `points` is an empty list, for its room. Whether it is in one currency.
    fn line_of_one_currency(&self, mut points: Points, lines: &mut Vec<Line>) -> bool {
        let mut only = None;
        for stretch in &self.stretches {
            let paid = stretch.currency.filter(|_| stretch.is_paying());
            if only.is_none() && paid.is_none() {
                continue;
            }
            if paid.is_some_and(|currency| *only.get_or_insert(currency) != currency) {
                return false;
            }
            let now = if paid.is_some() { stretch.annual } else { Annual::ZERO };
            if points.last().is_none_or(|(_, before)| *before != now) {
                points.push((stretch.from, now));
            }
        }
        lines.extend(only.map(|currency| Line { currency, points }));
        true
    }
}

/// All subscriptions of one client.
#[derive(Clone, Debug)]
pub(crate) struct Contracts<'s> {
    contracts: Few<'s>,
}

/// The subscriptions of a client, most of which have one.
#[derive(Clone, Debug)]
enum Few<'s> {
    One([Contract<'s>; 1]),
    Several(Vec<Contract<'s>>),
}

impl<'s> Few<'s> {
    fn as_slice(&self) -> &[Contract<'s>] {
        match self {
            Self::One(one) => one,
            Self::Several(several) => several,
        }
    }
}

impl<'s> Contracts<'s> {
    pub(crate) fn of(billing: &'s BillingState, rules: &PayingRules, zone: &Zone) -> Self {
        let contract = |states: &'s Timeline<Subscription>| {
            let mut stretches: Vec<Stretch<'s>> = Vec::with_capacity(states.entries().len());
            let _: Option<()> = find_step(states, &rules.run_rate, zone, |step| {
                let (currency, Step { from, annual, entry, ended }) = (step.currency(), step);
                stretches.push(Stretch { from, annual, currency, entry, ended });
                None
            });
            if rules.paused == PausedAs::Keep {
                keep_paused(&mut stretches);
            }
            if let Some(only) = rules.only_currency {
                for stretch in stretches.iter_mut().filter(|stretch| stretch.currency != Some(only)) {
                    stretch.annual = Annual::ZERO;
                }
            }
            Contract { stretches }
        };
        let mut states = billing.subscriptions.values();
        let contracts = match (states.next(), billing.subscriptions.len()) {
            (Some(one), 1) => Few::One([contract(one)]),
            (first, _) => Few::Several(first.into_iter().chain(states).map(contract).collect()),
        };
        Self { contracts }
    }

    /// The time around an instant in which nothing changes: the last change by then, the least instant there is before
    /// the first of them, and the next change, if there is one.
    pub(crate) fn unchanged_around(&self, at: Instant) -> (Instant, Option<Instant>) {
        let (mut from, mut until) = (Instant::MIN, None::<Instant>);
        for contract in self.iter() {
            let next = contract.stretches.iter().find(|stretch| {
                if stretch.from <= at {
                    from = from.max(stretch.from);
                }
                stretch.from > at
            });
            until = match (until, next.map(|next| next.from)) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        (from, until)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Contract<'s>> {
        self.contracts.as_slice().iter()
    }

    /// The subscriptions that pay at an instant, with what stands there, in a currency or in any.
    pub(crate) fn paying(
        &self,
        currency: Option<Currency>,
        at: Instant,
    ) -> impl Iterator<Item = (&Contract<'s>, &Stretch<'s>)> {
        let here = self.iter().filter_map(move |contract| Some((contract, contract.at(at)?)));
        here.filter(move |(_, here)| here.is_paying() && (currency.is_none() || here.currency == currency))
    }

    /// Whether every subscription that paid at one instant stands paused at another.
    pub(crate) fn all_paused(&self, currency: Option<Currency>, paid_at: Instant, at: Instant) -> bool {
        self.paying(currency, paid_at).all(|(contract, _)| contract.at(at).is_some_and(Stretch::is_paused))
    }

    /// What is paid over time, a line for each currency that is ever paid in, in order of currency. `lines` are those of
    /// another client, for their room.
    pub(crate) fn lines(&self, mut lines: Vec<Line>) -> Vec<Line> {
        let mut points = lines.pop().map(|line| line.points).unwrap_or_default();
        points.clear();
        lines.clear();
        // Most clients have one subscription and one currency: its steps are the line.
        if let [contract] = self.contracts.as_slice()
            && contract.line_of_one_currency(points, &mut lines)
        {
            return lines;
        }
        let mut changes: Vec<(Currency, Instant, Annual)> = Vec::new();
        for contract in self.iter() {
            let mut before: Option<(Currency, Annual)> = None;
            for stretch in &contract.stretches {
                let now = stretch.currency.filter(|_| stretch.is_paying()).map(|c| (c, stretch.annual));
                if now != before {
                    changes.extend(before.map(|(currency, annual)| (currency, stretch.from, -annual)));
                    changes.extend(now.map(|(currency, annual)| (currency, stretch.from, annual)));
                    before = now;
                }
            }
        }
        changes.sort_unstable_by_key(|(currency, from, _)| (*currency, *from));
        for (currency, from, change) in changes {
            match lines.last_mut().filter(|line| line.currency == currency) {
                Some(line) => line.change(from, change),
                None => lines.push(Line { currency, points: vec![(from, change)] }),
            }
        }
        lines
    }
}

/// Gives paused stretches the amount of the paying state right before the pause.
fn keep_paused(stretches: &mut [Stretch<'_>]) {
    let mut kept: Option<(Annual, Option<Currency>)> = None;
    for stretch in stretches {
        if stretch.is_paused() {
            if let Some((annual, currency)) = kept {
                stretch.annual = annual;
                stretch.currency = currency;
            }
        } else {
            kept = stretch.is_paying().then_some((stretch.annual, stretch.currency));
        }
    }
}

/// Annual amounts from instants on.
type Points = Vec<(Instant, Annual)>;

/// What is paid in one currency from each instant on.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) currency: Currency,
    /// In order of time, each instant once.
    points: Points,
}

impl Line {
    fn change(&mut self, from: Instant, change: Annual) {
        let Some((last, amount)) = self.points.last_mut() else { return };
        if *last == from {
            *amount += change;
        } else {
            let amount = *amount + change;
            self.points.push((from, amount));
        }
    }

    pub(crate) fn at(&self, at: Instant) -> Annual {
        let n = self.points.partition_point(|(from, _)| *from <= at);
        n.checked_sub(1).and_then(|i| self.points.get(i)).map_or(Annual::ZERO, |(_, annual)| *annual)
    }

    /// The instants inside at which the amount may change.
    pub(crate) fn changes(&self, first: Instant, last: Instant) -> impl Iterator<Item = Instant> {
        let inside = self.points.iter().map(|(from, _)| *from).skip_while(move |from| *from < first);
        inside.take_while(move |from| *from <= last)
    }
}

/// An unbroken time of paying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spell {
    pub(crate) from: Instant,
    /// The first instant at which nothing is paid any more; `None` while it runs.
    pub(crate) until: Option<Instant>,
}

/// What a client pays in one currency, or in all of them.
#[derive(Clone, Debug)]
pub(crate) struct View<'c, 's> {
    pub(crate) contracts: &'c Contracts<'s>,
    /// `None` for all.
    pub(crate) currency: Option<Currency>,
    pub(crate) lines: &'c [Line],
    pub(crate) spells: Vec<Spell>,
    /// Gaps that are none, since the client came back within the grace.
    bridges: Vec<(Instant, Instant)>,
}

impl<'c, 's> View<'c, 's> {
    /// `lines` are those of one currency, or all of them; `room` is an empty list, for its room.
    pub(crate) fn new(
        contracts: &'c Contracts<'s>,
        currency: Option<Currency>,
        lines: &'c [Line],
        (rules, zone): (&PayingRules, &Zone),
        room: Vec<Spell>,
    ) -> Self {
        let mut view = Self { contracts, currency, lines, spells: spells(lines, room), bridges: Vec::new() };
        view.bridge(rules, zone);
        view
    }

    /// The room of its spells.
    pub(crate) fn into_room(mut self) -> Vec<Spell> {
        self.spells.clear();
        self.spells
    }

    fn bridge(&mut self, rules: &PayingRules, zone: &Zone) {
        let bridges = &mut self.bridges;
        self.spells.dedup_by(|spell, last| {
            let Some(until) = last.until else { return false };
            let gap = zone.day(spell.from).days_since(zone.day(until));
            let is_none = spell.from <= rules.as_of && i64::from(gap) <= i64::from(rules.grace_days);
            if is_none {
                bridges.push((until, spell.from));
                last.until = spell.until;
            }
            is_none
        });
    }

    /// Where to look for what holds at an instant: inside a bridged gap it is what held just before.
    pub(crate) fn look(&self, at: Instant) -> Instant {
        let n = self.bridges.partition_point(|(until, _)| *until <= at);
        match n.checked_sub(1).and_then(|i| self.bridges.get(i)) {
            Some((until, from)) if at < *from => until.just_before(),
            Some(_) | None => at,
        }
    }

    /// The spell that holds an instant.
    pub(crate) fn spell_at(&self, at: Instant) -> Option<&Spell> {
        let n = self.spells.partition_point(|spell| spell.from <= at);
        let spell = self.spells.get(n.checked_sub(1)?)?;
        spell.until.is_none_or(|until| at < until).then_some(spell)
    }

    /// The last spell that was over at an instant.
    pub(crate) fn over_by(&self, at: Instant) -> Option<(Instant, &Spell)> {
        let ended = |spell: &'_ &Spell| spell.until.is_some_and(|until| until <= at);
        let spell = self.spells.iter().rev().find(ended)?;
        Some((spell.until?, spell))
    }

    /// The first instant of paying between two instants, both included.
    pub(crate) fn first_paying(&self, first: Instant, last: Instant) -> Option<Instant> {
        if first > last {
            return None;
        }
        if self.spell_at(first).is_some() {
            return Some(first);
        }
        let n = self.spells.partition_point(|spell| spell.from < first);
        self.spells.get(n).map(|spell| spell.from).filter(|from| *from <= last)
    }

    /// The instants between two, both included, at which an amount may change, and the first of them all.
    pub(crate) fn changes(&self, first: Instant, last: Instant) -> Vec<Instant> {
        let inside = self.lines.iter().flat_map(|line| line.changes(first, last));
        let mut instants: Vec<Instant> = std::iter::once(first).chain(inside).collect();
        instants.sort_unstable();
        instants.dedup();
        instants
    }
}

/// The times in which any of some lines is above 0, put into an empty list.
fn spells(lines: &[Line], mut spells: Vec<Spell>) -> Vec<Spell> {
    let mut note = |from: Instant, pays: bool| {
        let running = spells.last_mut().filter(|spell| spell.until.is_none());
        match (running, pays) {
            (Some(spell), false) => spell.until = Some(from),
            (None, true) => spells.push(Spell { from, until: None }),
            (Some(_), true) | (None, false) => {}
        }
    };
    if let [line] = lines {
        line.points.iter().for_each(|(from, annual)| note(*from, annual.is_positive()));
        return spells;
    }
    let mut points: Vec<(Instant, usize, bool)> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        points.extend(line.points.iter().map(|(from, annual)| (*from, i, annual.is_positive())));
    }
    points.sort_unstable();
    let mut pays = vec![false; lines.len()];
    let mut points = points.into_iter().peekable();
    while let Some((from, line, positive)) = points.next() {
        if let Some(slot) = pays.get_mut(line) {
            *slot = positive;
        }
        // All lines that change at one instant change together.
        if points.peek().is_some_and(|(next, _, _)| *next == from) {
            continue;
        }
        note(from, pays.contains(&true));
    }
    spells
}

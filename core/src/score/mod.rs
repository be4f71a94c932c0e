//! What we conclude about a client: the whole arithmetic of a score on one page.
//!
//! 1. Each part reads its signal; a curve makes points of the value. What is missing follows the part's policy.
//! 2. Groups combine what is present, up to the root: the raw score. Shares of the weight go back down.
//! 3. Adjustments add or take away; limits set, lift and cap; an override speaks last; the clamp keeps 0 to 100.
//!
//! All in IEEE binary64 in the order of the document, so the bits are the same everywhere.

mod builder;
mod condition;
mod curve;
mod default;
mod model;
mod result;

pub use crate::signal::params::{Issue, ModelError};
pub use builder::{GroupBuilder, ModelBuilder};
pub use model::{Band, Model};
pub use result::{Effect, HealthScore, OverrideEffect, PartScore};

use crate::book::{Book, Client};
use crate::event::client::OverrideKind;
use crate::id::Text;
use crate::signal::{Missing, Reading, View};
use crate::state::ClientState;
use crate::state::billing::instant_of;
use crate::time::{Day, Instant, Zone};
use curve::{Curve, Within};
use model::{Bound, Combine, Group, Part, WhenMissing};
use std::cell::OnceCell;
use std::sync::OnceLock;

/// How close to a band's edge or to the least coverage counts as there, in the client's favour.
const TOLERANCE: f64 = 1e-9;

/// Scores clients of one book by one model as of one instant.
pub(crate) struct Scorer<'a> {
    model: &'a Model,
    book: &'a Book,
    zone: &'a Zone,
    at: Instant,
    sealed: Option<Day>,
    /// The readings of all clients for each signal that is compared among peers; made when first asked for.
    peers: Vec<OnceLock<Vec<Peer>>>,
}

/// What a peer set is made of.
struct Peer {
    segment: Option<Text>,
    paying: bool,
    reading: f64,
}

/// A part with its signal read.
struct ReadPart {
    reading: Option<f64>,
    missing: Option<Missing>,
    /// `None` where the part is left out.
    points: Option<f64>,
    /// Whether it counts as covered.
    covered: bool,
}

/// The readings of a client's signals, each read once.
struct Readings<'v> {
    view: View<'v>,
    model: &'v Model,
    cells: Vec<OnceCell<Reading>>,
}

impl Readings<'_> {
    fn of(&self, signal: usize) -> Reading {
        let (Some(cell), Some((_, spec))) = (self.cells.get(signal), self.model.signals.get(signal)) else {
            return Reading::of(Err(Missing::NeverSeen));
        };
        *cell.get_or_init(|| spec.read(&self.view))
    }

    fn value(&self, signal: usize) -> Option<f64> {
        self.of(signal).value()
    }
}

impl<'a> Scorer<'a> {
    pub(crate) fn new(
        model: &'a Model,
        book: &'a Book,
        zone: &'a Zone,
        at: Instant,
        sealed: Option<Day>,
    ) -> Self {
        let peers = model.signals.iter().map(|_| OnceLock::new()).collect();
        Self { model, book, zone, at, sealed, peers }
    }

    pub(crate) fn view(&self, state: &'a ClientState) -> View<'a> {
        View { sources: &self.model.sources, ..View::new(state, self.at, self.zone, self.book, self.sealed) }
    }

    /// The score of a client.
    pub(crate) fn score(&self, client: &'a Client<'_>) -> HealthScore {
        let model = self.model;
        let view = self.view(&client.state);
        let readings = Readings { view, model, cells: vec![OnceCell::new(); model.signals.len()] };
        let mut parts: Vec<ReadPart> = Vec::with_capacity(model.part_count);
        let mut required_missing = false;
        for_each_part(&model.root, &mut |part| {
            let read = self.read_part(part, &readings);
            required_missing |= read.points.is_none() && part.missing == WhenMissing::Required;
            parts.push(read);
        });

        let points = |part: &Part| parts.get(part.number).and_then(|read| read.points);
        let raw = combine(&model.root, &points);
        let coverage = coverage(&model.root, &|part| parts.get(part.number).is_some_and(|read| read.covered));
        let shown = raw.filter(|_| !required_missing && coverage + TOLERANCE >= model.min_coverage);
        let at_bound = |missing: f64| {
            let of = |part: &Part| {
                parts.get(part.number).map(|read| read.points.filter(|_| read.covered).unwrap_or(missing))
            };
            combine(&model.root, &of)
        };

        let settled = self.settle(raw, shown.is_some(), &readings);
        let bound = |missing| self.settle(at_bound(missing), true, &readings).score;
        let mut shares = vec![0.0; model.part_count];
        share_out(&model.root, 1.0, &points, &mut shares);
        HealthScore {
            client: client.id.clone(),
            as_of: self.at,
            model: model.name.clone(),
            version: model.version,
            score: settled.score,
            computed: settled.computed,
            band: settled.score.map_or("unknown", |score| self.band(score)).to_owned(),
            coverage,
            low: bound(0.0),
            high: bound(100.0),
            parts: self.list_parts(parts, &shares),
            adjustments: settled.adjustments,
            limits: settled.limits,
            r#override: settled.over,
            clamp: settled.clamp,
        }
    }

    fn read_part(&self, part: &Part, readings: &Readings<'_>) -> ReadPart {
        let mut reading = readings.of(part.signal);
        if let (None, WhenMissing::CarryDays(days)) = (reading.value(), part.missing) {
            reading = self.carried(part.signal, days, &readings.view).unwrap_or(reading);
        }
        let worth =
            reading.value().ok_or(Missing::NeverSeen).and_then(|x| self.points(part, x, &readings.view));
        match (worth, part.missing) {
            (Ok(points), _) => {
                ReadPart { reading: reading.value(), missing: None, points: Some(points), covered: true }
            }
            (Err(few_peers), policy) => {
                let points = match policy {
                    WhenMissing::Points(points) => Some(points),
                    WhenMissing::Redistribute | WhenMissing::CarryDays(_) | WhenMissing::Required => None,
                };
                let missing = reading.missing().or(Some(few_peers));
                ReadPart { reading: reading.value(), missing, points, covered: false }
            }
        }
    }

    /// The newest value of the last days, looked for at the ends of earlier days.
    fn carried(&self, signal: usize, days: i32, view: &View<'_>) -> Option<Reading> {
        let (_, spec) = self.model.signals.get(signal)?;
        let ends = (1..=days).map(|n| view.zone.end_of(view.today.plus(-n)));
        ends.map(|end| spec.read(&view.moved_to(end))).find(|reading| reading.value().is_some())
    }

    fn points(&self, part: &Part, x: f64, view: &View<'_>) -> Result<f64, Missing> {
        match &part.curve {
            Curve::Percentile { within, min_clients, invert } => self
                .percentile(part.signal, x, *within, *min_clients, view)
                .map(|points| if *invert { 100.0 - points } else { points }),
            curve => curve.points(x).ok_or(Missing::TooLittle),
        }
    }

    fn percentile(
        &self,
        signal: usize,
        x: f64,
        within: Within,
        least: usize,
        view: &View<'_>,
    ) -> Result<f64, Missing> {
        let peers = self
            .peers
            .get(signal)
            .map(|peers| peers.get_or_init(|| self.all_peers(signal)))
            .ok_or(Missing::TooLittle)?;
        let (segment, paying) = (segment(view), view.pays());
        let mut count = (0u32, 0u32, 0u32);
        for peer in peers {
            let same = within == Within::All || peer.segment == segment;
            if same && (peer.paying || !paying) {
                count.0 += 1;
                count.1 += u32::from(peer.reading < x);
                count.2 += u32::from(peer.reading == x);
            }
        }
        let (all, below, ties) = count;
        if all == 0 || (all as usize) < least {
            return Err(Missing::TooLittle);
        }
        Ok((f64::from(below) + 0.5 * f64::from(ties)) / f64::from(all) * 100.0)
    }

    fn all_peers(&self, signal: usize) -> Vec<Peer> {
        let Some((_, spec)) = self.model.signals.get(signal) else { return Vec::new() };
        let peer = |client: Client<'_>| {
            let view = View {
                sources: &self.model.sources,
                ..View::new(&client.state, self.at, self.zone, self.book, self.sealed)
            };
            let reading = spec.read(&view).value().filter(|_| view.seen())?;
            Some(Peer { segment: segment(&view), paying: view.pays(), reading })
        };
        self.book.living().filter_map(peer).collect()
    }

    /// Adjustments, limits, override and clamp, as steps of one running value. `None` goes through as no score, which only
    /// a standing override of the score itself replaces.
    fn settle(&self, raw: Option<f64>, shown: bool, readings: &Readings<'_>) -> Settled {
        let model = self.model;
        let start = raw.unwrap_or(0.0);
        let mut value = start;
        let mut adjustments = Vec::with_capacity(model.adjustments.len());
        for adjustment in &model.adjustments {
            let reading = readings.value(adjustment.signal);
            let effect =
                reading.and_then(|x| adjustment.curve.points(x)).filter(|_| raw.is_some()).unwrap_or(0.0);
            value += effect;
            adjustments.push(Effect { name: adjustment.name.clone(), reading, effect });
        }
        let mut limits: Vec<Effect> = Vec::with_capacity(model.limits.len());
        for limit in &model.limits {
            let reading = limit.when.first_signal().and_then(|signal| readings.value(signal));
            limits.push(Effect { name: limit.name.clone(), reading, effect: 0.0 });
        }
        if raw.is_some() {
            value = self.limit(value, readings, &mut limits);
        }
        let clamped = value.clamp(0.0, 100.0);
        let computed = raw.filter(|_| shown).map(|_| clamped);

        let standing = self.standing_override(&readings.view);
        let before = value;
        let mut score = computed;
        if let Some(standing) = &standing {
            let given = standing.value;
            match standing.kind {
                OverrideKind::Score => {
                    value = given;
                    score = Some(given);
                }
                OverrideKind::Cap => value = if raw.is_some() { value.min(given) } else { value },
                OverrideKind::Floor => value = if raw.is_some() { value.max(given) } else { value },
            }
            score = score.map(|_| value.clamp(0.0, 100.0));
        }
        let over = standing.map(|standing| OverrideEffect { effect: value - before, ..standing });
        Settled { score, computed, adjustments, limits, over, clamp: value.clamp(0.0, 100.0) - value }
    }

    /// Of the limits that hold, the least `set`, then the greatest floor, then the least cap decide; the first on ties.
    fn limit(&self, mut value: f64, readings: &Readings<'_>, effects: &mut [Effect]) -> f64 {
        let reading = |signal| readings.value(signal);
        let holding: Vec<(usize, Bound)> = (self.model.limits.iter().enumerate())
            .filter(|(_, limit)| limit.when.holds(&readings.view, &reading))
            .map(|(i, limit)| (i, limit.bound))
            .collect();
        let least = |bounds: &mut dyn Iterator<Item = (usize, f64)>| {
            bounds.fold(None, |best: Option<(usize, f64)>, next| match best {
                Some(best) if best.1 <= next.1 => Some(best),
                _ => Some(next),
            })
        };
        let set = least(&mut holding.iter().filter_map(|(i, bound)| match bound {
            Bound::Set(to) => Some((*i, *to)),
            Bound::Floor(_) | Bound::Cap(_) => None,
        }));
        let floor = least(&mut holding.iter().filter_map(|(i, bound)| match bound {
            Bound::Floor(at) => Some((*i, -*at)),
            Bound::Set(_) | Bound::Cap(_) => None,
        }))
        .map(|(i, negated)| (i, -negated));
        let cap = least(&mut holding.iter().filter_map(|(i, bound)| match bound {
            Bound::Cap(at) => Some((*i, *at)),
            Bound::Set(_) | Bound::Floor(_) => None,
        }));
        let mut step = |decides: Option<(usize, f64)>, to: &dyn Fn(f64, f64) -> f64| {
            if let Some((i, bound)) = decides {
                let next = to(value, bound);
                if let Some(effect) = effects.get_mut(i) {
                    effect.effect = next - value;
                }
                value = next;
            }
        };
        step(set, &|_, to| to);
        step(floor, &f64::max);
        step(cap, &f64::min);
        value
    }

    /// The override that stands: the last entry decides, while the instant is before its end.
    fn standing_override(&self, view: &View<'_>) -> Option<OverrideEffect> {
        let entry = &view.state.profile.overrides.at(view.at)?.value;
        let until = instant_of(entry.until, view.zone);
        let stands = until.is_none_or(|until| view.at < until);
        stands.then(|| OverrideEffect {
            kind: entry.kind,
            value: entry.value.quantity().to_f64(),
            by: entry.by.clone(),
            reason: entry.reason.clone(),
            until,
            effect: 0.0,
        })
    }

    fn band(&self, score: f64) -> &str {
        let reached = self.model.bands.iter().rev().find(|band| score + TOLERANCE >= band.from);
        reached.map_or("unknown", |band| &band.name)
    }

    fn list_parts(&self, parts: Vec<ReadPart>, shares: &[f64]) -> Vec<PartScore> {
        let mut names: Vec<(Vec<String>, usize)> = Vec::with_capacity(parts.len());
        name_parts(&self.model.root, &mut Vec::new(), &mut names);
        let part = |(((group, signal), read), share): (((Vec<String>, usize), ReadPart), &f64)| PartScore {
            group,
            signal: self.model.signals.get(signal).map(|(name, _)| name.clone()).unwrap_or_default(),
            reading: read.reading,
            missing: read.missing,
            points: read.points,
            weight: *share,
            contribution: share * read.points.unwrap_or(0.0),
        };
        names.into_iter().zip(parts).zip(shares).map(part).collect()
    }
}

/// What became of the raw score.
struct Settled {
    score: Option<f64>,
    computed: Option<f64>,
    adjustments: Vec<Effect>,
    limits: Vec<Effect>,
    over: Option<OverrideEffect>,
    clamp: f64,
}

fn segment(view: &View<'_>) -> Option<Text> {
    view.state.profile.segment.value_at(view.at).cloned().flatten()
}

/// Shows the parts in the order of their numbers.
fn for_each_part<'m>(group: &'m Group, see: &mut dyn FnMut(&'m Part)) {
    group.parts.iter().for_each(&mut *see);
    for inner in &group.groups {
        for_each_part(inner, see);
    }
}

fn name_parts(group: &Group, path: &mut Vec<String>, names: &mut Vec<(Vec<String>, usize)>) {
    names.extend(group.parts.iter().map(|part| (path.clone(), part.signal)));
    for inner in &group.groups {
        path.push(inner.name.clone());
        name_parts(inner, path, names);
        path.pop();
    }
}

/// The children of a group that are present, with weight and value, parts first.
fn present<'m>(
    group: &'m Group,
    points: &'m dyn Fn(&Part) -> Option<f64>,
) -> impl Iterator<Item = (Child<'m>, f64, f64)> {
    let parts =
        group.parts.iter().filter_map(move |part| points(part).map(|p| (Child::Part(part), part.weight, p)));
    let groups = group
        .groups
        .iter()
        .filter_map(move |inner| combine(inner, points).map(|p| (Child::Group(inner), inner.weight, p)));
    parts.chain(groups)
}

enum Child<'m> {
    Part(&'m Part),
    Group(&'m Group),
}

/// One number of what is present in a group; `None` if nothing is, or nothing that has weight.
fn combine(group: &Group, points: &dyn Fn(&Part) -> Option<f64>) -> Option<f64> {
    let children = present(group, points);
    match group.combine {
        Combine::Mean => {
            let (sum, weight) = children.fold((0.0, 0.0), |(sum, total), (_, w, p)| (sum + w * p, total + w));
            (weight > 0.0).then(|| sum / weight)
        }
        Combine::Min => children.map(|(_, _, p)| p).reduce(f64::min),
        Combine::Max => children.map(|(_, _, p)| p).reduce(f64::max),
    }
}

/// Gives a group's share of the score to its parts; the child that decides a minimum or maximum takes all of it.
fn share_out(group: &Group, share: f64, points: &dyn Fn(&Part) -> Option<f64>, shares: &mut [f64]) {
    let value = combine(group, points);
    let total: f64 = present(group, points).map(|(_, weight, _)| weight).sum();
    let mut decided = false;
    for (child, weight, p) in present(group, points) {
        let of_child = match group.combine {
            Combine::Mean if total > 0.0 => share * (weight / total),
            Combine::Mean => 0.0,
            Combine::Min | Combine::Max if !decided && Some(p) == value => {
                decided = true;
                share
            }
            Combine::Min | Combine::Max => 0.0,
        };
        match child {
            Child::Part(part) => {
                if let Some(slot) = shares.get_mut(part.number) {
                    *slot = of_child;
                }
            }
            Child::Group(inner) => share_out(inner, of_child, points, shares),
        }
    }
}

/// The share of the weight that was seen, through the tree.
fn coverage(group: &Group, covered: &dyn Fn(&Part) -> bool) -> f64 {
    let parts = group.parts.iter().map(|part| (part.weight, if covered(part) { 1.0 } else { 0.0 }));
    let groups = group.groups.iter().map(|inner| (inner.weight, coverage(inner, covered)));
    let (sum, total) = parts.chain(groups).fold((0.0, 0.0), |(sum, total), (w, c)| (sum + w * c, total + w));
    if total > 0.0 { sum / total } else { 0.0 }
}

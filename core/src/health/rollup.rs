//! The health of a parent, seen through its children.

use super::bands::{BandRow, rows};
use super::tally::Tally;
use super::{HeadShare, Standing, total};
use crate::id::ClientId;
use crate::rate;
use crate::score::Model;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How far down a family goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// Children.
    #[default]
    Direct,
    /// Children, their children, and so on.
    All,
}

/// Who counts in a roll-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", default)]
pub struct RollUpOptions {
    /// How far down the family goes.
    pub depth: Depth,
    /// Whether the parent's own score is one of them.
    pub with_parent: bool,
}

/// The health of a parent through its children.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RollUp {
    /// The parent. It need not be a client itself: a holding that is only named by its children is one, too.
    pub parent: ClientId,
    /// As of when.
    pub as_of: Instant,
    /// The name of the model, or of the set of models.
    pub model: String,
    /// Its version.
    pub version: u64,
    /// How many of those who count have a score; the others are in no mean.
    pub scored: HeadShare,
    /// The mean of their scores; `None` if nobody has one.
    pub mean: Option<f64>,
    /// The mean weighted by MRR.
    pub weighted: WeightedMean,
    /// The lowest score; of equal ones the first client by id.
    pub worst: Option<Extreme>,
    /// The highest score; of equal ones the first client by id.
    pub best: Option<Extreme>,
    /// Every band of the model, from the lowest, and `unknown` last.
    pub bands: Vec<BandRow>,
}

/// A mean of scores weighted by MRR. Who has no score is left out, who pays nothing weighs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WeightedMean {
    /// The mean, 0 to 100.
    pub value: Option<f64>,
    /// Why there is none.
    pub missing: Option<NoWeight>,
}

/// Why scores cannot be weighted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoWeight {
    /// Nobody has a score.
    NoScore,
    /// Nobody with a score pays.
    NoRevenue,
    /// Those with a score pay in several currencies, which do not add.
    SeveralCurrencies,
}

/// A client at the end of a scale.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Extreme {
    /// Who.
    pub client: ClientId,
    /// Its score.
    pub score: f64,
    /// Its band.
    pub band: String,
}

/// Who is whose child at an instant.
#[derive(Debug, Default)]
pub(crate) struct Families {
    children: BTreeMap<ClientId, Vec<ClientId>>,
}

impl Families {
    /// Notes a child; nobody is a child of itself. Children come in order of their ids.
    pub(crate) fn note(&mut self, parent: ClientId, child: &ClientId) {
        if parent != *child {
            self.children.entry(parent).or_default().push(child.clone());
        }
    }

    pub(crate) fn parents(&self) -> impl Iterator<Item = &ClientId> {
        self.children.keys()
    }

    pub(crate) fn is_parent(&self, client: &ClientId) -> bool {
        self.children.contains_key(client)
    }

    /// Who counts for a parent. Each counts once, and parents in a circle do not turn for ever.
    pub(crate) fn members(&self, parent: &ClientId, options: RollUpOptions) -> BTreeSet<&ClientId> {
        let children = |of: &ClientId| self.children.get(of).into_iter().flatten();
        let mut members: BTreeSet<&ClientId> = children(parent).collect();
        if options.depth == Depth::All {
            let mut next: Vec<&ClientId> = members.iter().copied().collect();
            while let Some(client) = next.pop() {
                next.extend(children(client).filter(|child| members.insert(*child)));
            }
        }
        if let Some((parent, _)) = self.children.get_key_value(parent) {
            if options.with_parent {
                members.insert(parent);
            } else {
                members.remove(parent);
            }
        }
        members
    }
}

impl RollUp {
    /// `standings` are those of who counts, in order of their ids.
    pub(crate) fn new(parent: &ClientId, model: &Model, as_of: Instant, standings: &[&Standing]) -> Self {
        let tally: Tally = standings.iter().copied().collect();
        let scored: Vec<(f64, &Standing)> =
            standings.iter().filter_map(|standing| standing.score.map(|score| (score, *standing))).collect();
        let extreme = |(score, standing): &(f64, &Standing)| Extreme {
            client: standing.client.clone(),
            score: *score,
            band: standing.band.to_string(),
        };
        let first = |better: fn(f64, f64) -> bool| {
            scored.iter().reduce(|best, next| if better(next.0, best.0) { next } else { best }).map(extreme)
        };
        Self {
            parent: parent.clone(),
            as_of,
            model: model.name().to_owned(),
            version: model.version(),
            scored: HeadShare::new(tally.scores.count(), tally.clients),
            mean: tally.scores.mean(),
            weighted: weighted(&scored),
            worst: first(|next, worst| next < worst),
            best: first(|next, best| next > best),
            bands: rows(model.bands(), &tally),
        }
    }
}

fn weighted(scored: &[(f64, &Standing)]) -> WeightedMean {
    let none = |why| WeightedMean { value: None, missing: Some(why) };
    if scored.is_empty() {
        return none(NoWeight::NoScore);
    }
    let mut sums = total(scored.iter().map(|(_, standing)| *standing)).into_iter();
    let (currency, whole) = match (sums.next(), sums.next()) {
        (None, _) => return none(NoWeight::NoRevenue),
        (Some(_), Some(_)) => return none(NoWeight::SeveralCurrencies),
        (Some(sum), None) => sum,
    };
    let weight = |standing: &Standing| {
        let annual = standing.annual.get(&currency).copied().unwrap_or_default();
        rate::share(annual, whole).unwrap_or(0.0)
    };
    let value = scored.iter().map(|(score, standing)| score * weight(standing)).sum();
    WeightedMean { value: Some(value), missing: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(links: &[(&str, &str)]) -> Families {
        let mut families = Families::default();
        for (parent, child) in links {
            families.note((*parent).into(), &(*child).into());
        }
        families
    }

    fn members(families: &Families, of: &str, depth: Depth, with_parent: bool) -> Vec<String> {
        let members = families.members(&of.into(), RollUpOptions { depth, with_parent });
        members.into_iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_family_is_direct_or_whole() {
        let tree = family(&[("a", "b"), ("a", "c"), ("b", "d")]);
        assert_eq!(members(&tree, "a", Depth::Direct, false), ["b", "c"]);
        assert_eq!(members(&tree, "a", Depth::Direct, true), ["a", "b", "c"]);
        assert_eq!(members(&tree, "a", Depth::All, false), ["b", "c", "d"]);
        assert!(members(&tree, "d", Depth::All, true).is_empty(), "who has no children is no parent");
    }

    #[test]
    fn parents_in_a_circle_end() {
        let circle = family(&[("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")]);
        assert_eq!(members(&circle, "a", Depth::Direct, false), ["b"]);
        assert_eq!(members(&circle, "a", Depth::All, false), ["b", "c"]);
        assert_eq!(members(&circle, "a", Depth::All, true), ["a", "b", "c"]);
    }
}

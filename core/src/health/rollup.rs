//! The health of a parent, seen through its children.

use super::bands::{BandRow, rows};
use super::tally::{Money, Products, Tally};
use super::{HeadShare, Standing};
use crate::id::ClientId;
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

/// Some clients together. All sums are exact, so that it does not matter in which order they came together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathered<'s> {
    tally: Tally,
    /// What those with a score pay, and that times their scores.
    paid: Money,
    products: Products,
    /// The two lowest scores and the two highest, the first first: one of the two may be taken out.
    worst: Vec<(f64, &'s Standing)>,
    best: Vec<(f64, &'s Standing)>,
}

impl<'s> Gathered<'s> {
    pub(crate) fn add(&mut self, standing: &'s Standing) {
        self.tally.add(standing);
        if let Some(score) = standing.score {
            self.paid.add(&standing.annual);
            self.products.add(score, &standing.annual, 1);
            self.worst.push((score, standing));
            self.best.push((score, standing));
            self.keep_two();
        }
    }

    fn join(&mut self, other: &Self) {
        self.tally.join(&other.tally);
        self.paid.join(&other.paid);
        self.products.join(&other.products);
        self.worst.extend(&other.worst);
        self.best.extend(&other.best);
        self.keep_two();
    }

    /// Takes out one client; then only one more extreme is known.
    fn remove(&mut self, standing: &Standing) {
        self.tally.remove(standing);
        if let Some(score) = standing.score {
            self.paid.remove(&standing.annual);
            self.products.add(score, &standing.annual, -1);
            self.worst.retain(|(_, other)| other.client != standing.client);
            self.best.retain(|(_, other)| other.client != standing.client);
        }
    }

    fn keep_two(&mut self) {
        let id = |(_, standing): &(f64, &'s Standing)| &standing.client;
        self.worst.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| id(a).cmp(id(b))));
        self.best.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| id(a).cmp(id(b))));
        self.worst.truncate(2);
        self.best.truncate(2);
    }

    fn weighted(&self) -> WeightedMean {
        let none = |why| WeightedMean { value: None, missing: Some(why) };
        if self.worst.is_empty() {
            return none(NoWeight::NoScore);
        }
        let mut sums = self.paid.iter();
        match (sums.next(), sums.next()) {
            (None, _) => none(NoWeight::NoRevenue),
            (Some(_), Some(_)) => none(NoWeight::SeveralCurrencies),
            (Some((currency, whole)), None) => WeightedMean {
                value: Some(self.products.get(currency).over(whole).unwrap_or(0.0)),
                missing: None,
            },
        }
    }
}

impl<'s> FromIterator<&'s Standing> for Gathered<'s> {
    fn from_iter<I: IntoIterator<Item = &'s Standing>>(standings: I) -> Self {
        let mut gathered = Self::default();
        standings.into_iter().for_each(|standing| gathered.add(standing));
        gathered
    }
}

impl Families {
    /// What the members of every family come to, by parent. Each client is walked over once, however long the chains are:
    /// what is below a parent is joined to what is below the parent's own.
    pub(crate) fn gathered<'s>(
        &'s self,
        standings: &BTreeMap<&ClientId, &'s Standing>,
        options: RollUpOptions,
        mut see: impl FnMut(&'s ClientId, Gathered<'s>),
    ) {
        let own = |client: &ClientId| standings.get(client).copied();
        let mut above: BTreeMap<&ClientId, &ClientId> = BTreeMap::new();
        let mut below: BTreeMap<&ClientId, Gathered<'s>> = BTreeMap::new();
        // How many children of a parent are parents whose own families are not known yet.
        let mut open: BTreeMap<&ClientId, usize> = BTreeMap::new();
        for (parent, children) in &self.children {
            above.extend(children.iter().map(|child| (child, parent)));
            below.insert(parent, children.iter().filter_map(own).collect());
            let parents =
                children.iter().filter(|child| options.depth == Depth::All && self.is_parent(child));
            open.insert(parent, parents.count());
        }
        let mut tell = |parent: &'s ClientId, mut gathered: Gathered<'s>| {
            if let Some(standing) = own(parent).filter(|_| options.with_parent) {
                gathered.add(standing);
            }
            see(parent, gathered);
        };
        let mut ready: Vec<&ClientId> =
            open.iter().filter(|(_, open)| **open == 0).map(|(id, _)| *id).collect();
        while let Some(parent) = ready.pop() {
            let Some(gathered) = below.remove(parent) else { continue };
            if options.depth == Depth::All
                && let Some(up) = above.get(parent)
                && let (Some(over), Some(left)) = (below.get_mut(up), open.get_mut(up))
            {
                over.join(&gathered);
                *left -= 1;
                if *left == 0 {
                    ready.push(up);
                }
            }
            tell(parent, gathered);
        }
        // What is left are parents in a circle: each has all of the others below it, and what is below them.
        while let Some((start, _)) = below.first_key_value() {
            let mut circle = vec![*start];
            while let Some(next) =
                circle.last().and_then(|last| above.get(last)).filter(|next| *next != start)
            {
                circle.push(next);
            }
            let mut whole = Gathered::default();
            circle
                .iter()
                .filter_map(|parent| below.remove(*parent))
                .for_each(|gathered| whole.join(&gathered));
            for parent in circle {
                let mut gathered = whole.clone();
                if let Some(standing) = own(parent) {
                    gathered.remove(standing);
                }
                tell(parent, gathered);
            }
        }
    }
}

impl RollUp {
    pub(crate) fn new(parent: &ClientId, model: &Model, as_of: Instant, gathered: &Gathered<'_>) -> Self {
        let extreme = |of: &[(f64, &Standing)]| {
            of.first().map(|(score, standing)| Extreme {
                client: standing.client.clone(),
                score: *score,
                band: standing.band.to_string(),
            })
        };
        Self {
            parent: parent.clone(),
            as_of,
            model: model.name().to_owned(),
            version: model.version(),
            scored: HeadShare::new(gathered.tally.scores.count(), gathered.tally.clients),
            mean: gathered.tally.scores.mean(),
            weighted: gathered.weighted(),
            worst: extreme(&gathered.worst),
            best: extreme(&gathered.best),
            bands: rows(model.bands(), &gathered.tally),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recurring::Annual;

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

    fn standing(client: &str, score: Option<f64>, pays: i128) -> Standing {
        let annual = [(crate::money::Currency::parse("USD").unwrap(), Annual::from_picos(pays))];
        let annual = annual.into_iter().filter(|(_, annual)| !annual.is_zero()).collect();
        Standing { client: client.into(), score, band: "red".into(), annual }
    }

    /// What a family comes to, as the rows say it.
    fn told(gathered: &Gathered<'_>) -> String {
        let model = Model::default();
        format!("{:?}", RollUp::new(&"p".into(), &model, Instant::from_micros(0).unwrap(), gathered))
    }

    /// Chains, circles and trees that hang on circles: every client has one of the others as its parent, or none.
    #[test]
    fn all_families_at_once_are_each_by_itself() {
        let mut seed = 7u64;
        let mut draw = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for round in 0..300 {
            let ids: Vec<String> = (0..2 + draw(9)).map(|n| format!("c{n}")).collect();
            let mut families = Families::default();
            let mut standings = Vec::new();
            for id in &ids {
                if draw(5) > 0 {
                    let parent = &ids[usize::try_from(draw(ids.len() as u64)).unwrap()];
                    families.note(parent.as_str().into(), &id.as_str().into());
                }
                let score = (draw(4) > 0).then(|| f64::from(u32::try_from(draw(100_000)).unwrap()) / 1_000.0);
                standings.push(standing(id, score, i128::from(draw(3)) << (20 + draw(80))));
            }
            // A parent that is no client has no standing.
            let by_client: BTreeMap<_, _> = standings.iter().skip(1).map(|s| (&s.client, s)).collect();
            for (depth, with_parent) in
                [(Depth::All, false), (Depth::All, true), (Depth::Direct, false), (Depth::Direct, true)]
            {
                let options = RollUpOptions { depth, with_parent };
                let mut seen = 0;
                families.gathered(&by_client, options, |parent, gathered| {
                    let members = families.members(parent, options);
                    let alone = members.into_iter().filter_map(|id| by_client.get(id).copied()).collect();
                    assert_eq!(told(&gathered), told(&alone), "{parent} of round {round}, {options:?}");
                    seen += 1;
                });
                assert_eq!(seen, families.children.len());
            }
        }
    }

    #[test]
    fn a_chain_of_fifty_thousand_is_walked_once() {
        let ids: Vec<ClientId> = (0..50_000).map(|n| ClientId::new(format!("{n:06}"))).collect();
        for circle in [false, true] {
            let mut families = Families::default();
            ids.iter()
                .zip(ids.iter().skip(1))
                .for_each(|(parent, child)| families.note(parent.clone(), child));
            if circle {
                families.note(ids.last().unwrap().clone(), &ids[0]);
            }
            let standings: Vec<Standing> =
                ids.iter().map(|id| standing(id.as_str(), Some(50.0), 1)).collect();
            let by_client: BTreeMap<_, _> = standings.iter().map(|s| (&s.client, s)).collect();
            let options = RollUpOptions { depth: Depth::All, with_parent: false };
            let mut most = 0;
            families.gathered(&by_client, options, |_, gathered| most = most.max(gathered.tally.clients));
            assert_eq!(most, 49_999);
        }
    }

    #[test]
    fn parents_in_a_circle_end() {
        let circle = family(&[("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")]);
        assert_eq!(members(&circle, "a", Depth::Direct, false), ["b"]);
        assert_eq!(members(&circle, "a", Depth::All, false), ["b", "c"]);
        assert_eq!(members(&circle, "a", Depth::All, true), ["a", "b", "c"]);
    }
}

//! The tree of a model: what is present is combined on the way up, and shares of the weight go back down.

use super::model::{Combine, Group, Part};
use crate::signal::Missing;
use std::ops::Range;

/// Shows the parts in the order of their numbers.
pub(super) fn for_each_part<'m>(group: &'m Group, see: &mut dyn FnMut(&'m Part)) {
    group.parts.iter().for_each(&mut *see);
    for inner in &group.groups {
        for_each_part(inner, see);
    }
}

/// A part with its signal read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReadPart {
    pub(super) reading: Option<f64>,
    pub(super) missing: Option<Missing>,
    /// `None` where the part is left out.
    pub(super) points: Option<f64>,
    /// Whether it counts as covered.
    pub(super) covered: bool,
}

/// A part as its group sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Leaf {
    weight: f64,
    /// Whether points are made of it: what is only tracked does nothing.
    judged: bool,
    human: bool,
}

/// A group as a list has it.
#[derive(Clone, Debug, PartialEq)]
struct Node {
    combine: Combine,
    weight: f64,
    parts: Range<usize>,
    /// The numbers of the groups inside, which are all greater than its own.
    groups: Vec<usize>,
}

/// A tree as lists, so that every client is scored without walking from place to place. Groups and parts are in the order
/// of the document, a group before those inside it and its own parts before theirs: numbers are places.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tree {
    leaves: Vec<Leaf>,
    nodes: Vec<Node>,
    /// The names of each group, from the root down to itself.
    pub(super) paths: Vec<Vec<String>>,
}

impl Tree {
    pub(super) fn new(root: &Group) -> Self {
        let mut tree = Self::default();
        tree.enter(root, &mut Vec::new());
        tree
    }

    /// Enters a group and all that is in it; returns its number.
    fn enter(&mut self, group: &Group, path: &mut Vec<String>) -> usize {
        let (number, first) = (self.nodes.len(), self.leaves.len());
        let leaf =
            |part: &Part| Leaf { weight: part.weight, judged: part.curve.is_some(), human: part.human };
        self.leaves.extend(group.parts.iter().map(leaf));
        let parts = first..self.leaves.len();
        self.nodes.push(Node { combine: group.combine, weight: group.weight, parts, groups: Vec::new() });
        self.paths.push(path.clone());
        for inner in &group.groups {
            path.push(inner.name.clone());
            let inner = self.enter(inner, path);
            path.pop();
            if let Some(node) = self.nodes.get_mut(number) {
                node.groups.push(inner);
            }
        }
        number
    }

    /// The names of the groups of each part, from the root.
    pub(super) fn paths_of_parts(&self) -> impl Iterator<Item = &[String]> {
        let groups = self.nodes.iter().zip(&self.paths);
        groups.flat_map(|(node, path)| std::iter::repeat_n(path.as_slice(), node.parts.len()))
    }

    /// What the whole comes to. What each group comes to is left in `values`. `human` tells whether parts that people judge
    /// are looked at.
    pub(super) fn combine(&self, parts: &[ReadPart], human: bool, values: &mut Vec<Value>) -> Value {
        values.clear();
        values.resize(self.nodes.len(), Value::default());
        // From the last to the first, so that what is inside comes before what it is in.
        for (number, node) in self.nodes.iter().enumerate().rev() {
            let sum = Sum { how: node.combine, sum: 0.0, weight: 0.0, decides: None };
            let (mut present, mut low, mut high) = (sum, sum, sum);
            let (mut seen, mut weight, mut judged) = (0.0, 0.0, false);
            for (leaf, part) in self.leaves_of(node, parts).filter(|(leaf, _)| human || !leaf.human) {
                if let Some(points) = part.points {
                    present.take(leaf.weight, points);
                }
                if leaf.judged {
                    let known = part.points.filter(|_| part.covered);
                    low.take(leaf.weight, known.unwrap_or(0.0));
                    high.take(leaf.weight, known.unwrap_or(100.0));
                    seen += leaf.weight * if part.covered { 1.0 } else { 0.0 };
                    weight += leaf.weight;
                    judged = true;
                }
            }
            for inner in &node.groups {
                let (Some(value), Some(inner)) = (values.get(*inner), self.nodes.get(*inner)) else {
                    continue;
                };
                present.take_if(inner.weight, value.present);
                low.take_if(inner.weight, value.low);
                high.take_if(inner.weight, value.high);
                if let Some(share) = value.coverage {
                    seen += inner.weight * share;
                    weight += inner.weight;
                    judged = true;
                }
            }
            let coverage = judged.then(|| if weight > 0.0 { seen / weight } else { 0.0 });
            let value = Value { present: present.value(), low: low.value(), high: high.value(), coverage };
            values.get_mut(number).into_iter().for_each(|slot| *slot = value);
        }
        values.first().copied().unwrap_or_default()
    }

    /// Gives the parts their shares of the score; the child that decides a minimum or maximum takes all of its group's.
    /// `values` are those of [`Tree::combine`]; `of_groups` is room.
    pub(super) fn share_out(
        &self,
        parts: &[ReadPart],
        values: &[Value],
        of_groups: &mut Vec<f64>,
        shares: &mut Vec<f64>,
    ) {
        shares.clear();
        of_groups.clear();
        of_groups.resize(self.nodes.len(), 0.0);
        of_groups.first_mut().into_iter().for_each(|root| *root = 1.0);
        for (number, node) in self.nodes.iter().enumerate() {
            let value = values.get(number).and_then(|value| value.present);
            let share = of_groups.get(number).copied().unwrap_or(0.0);
            let inside = |inner: &usize| {
                let points = values.get(*inner)?.present?;
                Some((*inner, self.nodes.get(*inner)?.weight, points))
            };
            let total: f64 = (self.leaves_of(node, parts).filter(|(_, part)| part.points.is_some()))
                .map(|(leaf, _)| leaf.weight)
                .chain(node.groups.iter().filter_map(inside).map(|(_, weight, _)| weight))
                .sum();
            let mut decided = false;
            let mut of_child = |weight: f64, points: f64| match node.combine {
                Combine::Mean if total > 0.0 => share * (weight / total),
                Combine::Mean => 0.0,
                Combine::Min | Combine::Max if !decided && Some(points) == value => {
                    decided = true;
                    share
                }
                Combine::Min | Combine::Max => 0.0,
            };
            for (leaf, part) in self.leaves_of(node, parts) {
                shares.push(part.points.map_or(0.0, |points| of_child(leaf.weight, points)));
            }
            for (inner, weight, points) in node.groups.iter().filter_map(inside) {
                let share = of_child(weight, points);
                of_groups.get_mut(inner).into_iter().for_each(|slot| *slot = share);
            }
        }
    }

    fn leaves_of<'t>(
        &'t self,
        node: &Node,
        parts: &'t [ReadPart],
    ) -> impl Iterator<Item = (&'t Leaf, &'t ReadPart)> {
        let leaves = self.leaves.get(node.parts.clone()).unwrap_or_default();
        leaves.iter().zip(parts.get(node.parts.clone()).unwrap_or_default())
    }
}

/// What a group comes to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Value {
    /// Of what is present; `None` if nothing is, or nothing that has weight.
    pub(super) present: Option<f64>,
    /// Were all that is missing 0.
    pub(super) low: Option<f64>,
    /// Were all that is missing 100.
    pub(super) high: Option<f64>,
    /// The share of the weight that was seen; `None` where all is only tracked.
    pub(super) coverage: Option<f64>,
}

/// What the children of a group add up to, or the one of them that decides.
#[derive(Clone, Copy)]
struct Sum {
    how: Combine,
    sum: f64,
    weight: f64,
    decides: Option<f64>,
}

impl Sum {
    fn take(&mut self, weight: f64, points: f64) {
        match self.how {
            Combine::Mean => {
                self.sum += weight * points;
                self.weight += weight;
            }
            Combine::Min => self.decides = Some(self.decides.map_or(points, |least| least.min(points))),
            Combine::Max => self.decides = Some(self.decides.map_or(points, |greatest| greatest.max(points))),
        }
    }

    fn take_if(&mut self, weight: f64, points: Option<f64>) {
        if let Some(points) = points {
            self.take(weight, points);
        }
    }

    fn value(&self) -> Option<f64> {
        match self.how {
            Combine::Mean => (self.weight > 0.0).then(|| self.sum / self.weight),
            Combine::Min | Combine::Max => self.decides,
        }
    }
}

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
    /// Why it does not count as covered.
    pub(super) missing: Option<Missing>,
    /// `None` where the part is left out, and where it is only tracked.
    pub(super) points: Option<f64>,
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
    pub(super) parts: Vec<Part>,
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
        let (number, first) = (self.nodes.len(), self.parts.len());
        self.parts.extend_from_slice(&group.parts);
        let parts = first..self.parts.len();
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
    pub(super) fn combine(&self, read: &[ReadPart], human: bool, values: &mut Vec<Value>) -> Value {
        values.clear();
        values.resize(self.nodes.len(), Value::default());
        // From the last to the first, so that what is inside comes before what it is in.
        for (number, node) in self.nodes.iter().enumerate().rev() {
            let value = match node.combine {
                Combine::Mean => self.combine_node::<Mean>(node, read, human, values),
                Combine::Min => self.combine_node::<Least>(node, read, human, values),
                Combine::Max => self.combine_node::<Greatest>(node, read, human, values),
            };
            values.get_mut(number).into_iter().for_each(|slot| *slot = value);
        }
        values.first().copied().unwrap_or_default()
    }

    fn combine_node<C: Combined>(
        &self,
        node: &Node,
        read: &[ReadPart],
        human: bool,
        values: &[Value],
    ) -> Value {
        let (mut present, mut low, mut high) = (C::default(), C::default(), C::default());
        let (mut present_weight, mut weight) = (0.0, 0.0);
        let (mut seen, mut judged) = (0.0, false);
        for (part, read) in self.parts_of(node, read) {
            // What is only tracked does nothing.
            if part.curve.is_none() || part.human && !human {
                continue;
            }
            let own = part.weight;
            weight += own;
            judged = true;
            let (mut least, mut most) = (0.0, 100.0);
            if let Some(points) = read.points {
                present.take(own, points);
                present_weight += own;
                if read.missing.is_none() {
                    (least, most) = (points, points);
                    seen += own;
                }
            }
            low.take(own, least);
            high.take(own, most);
        }
        let mut bound_weight = weight;
        for inner in &node.groups {
            let (Some(value), Some(inner)) = (values.get(*inner), self.nodes.get(*inner)) else { continue };
            if let Some(points) = value.present {
                present.take(inner.weight, points);
                present_weight += inner.weight;
            }
            // Where one of them is, the other is.
            if let Some((least, most)) = value.low.zip(value.high) {
                low.take(inner.weight, least);
                high.take(inner.weight, most);
                bound_weight += inner.weight;
            }
            if let Some(share) = value.coverage {
                seen += inner.weight * share;
                weight += inner.weight;
                judged = true;
            }
        }
        Value {
            present: present.value(present_weight),
            present_weight,
            low: low.value(bound_weight),
            high: high.value(bound_weight),
            coverage: judged.then(|| if weight > 0.0 { seen / weight } else { 0.0 }),
        }
    }

    /// Gives the parts their shares of the score; the child that decides a minimum or maximum takes all of its group's.
    /// `values` are those of [`Tree::combine`].
    pub(super) fn share_out<'s>(
        &self,
        read: &[ReadPart],
        values: &[Value],
        Shares { of_groups, of_parts: shares }: &'s mut Shares,
    ) -> &'s [f64] {
        shares.clear();
        shares.resize(read.len(), 0.0);
        of_groups.clear();
        of_groups.resize(self.nodes.len(), 0.0);
        of_groups.first_mut().into_iter().for_each(|root| *root = 1.0);
        for (number, (node, value)) in self.nodes.iter().zip(values).enumerate() {
            let share = of_groups.get(number).copied().unwrap_or(0.0);
            let shares = shares.get_mut(node.parts.clone()).unwrap_or_default();
            let (total, mut decided) = (value.present_weight, false);
            match node.combine {
                Combine::Mean if total > 0.0 => {
                    let of_child = |weight: f64, _| share * (weight / total);
                    self.share_out_node(node, read, values, of_child, (shares, of_groups.as_mut_slice()));
                }
                // What weighs nothing has no share, as it stands there.
                Combine::Mean => {}
                Combine::Min | Combine::Max => {
                    let of_child = |_, points: f64| {
                        let decides = !decided && Some(points) == value.present;
                        decided |= decides;
                        if decides { share } else { 0.0 }
                    };
                    self.share_out_node(node, read, values, of_child, (shares, of_groups.as_mut_slice()));
                }
            }
        }
        shares
    }

    /// Gives the children of a group that are there what `of_child` makes of their weight and points: apart for each way to
    /// combine, so that not every child asks which it is.
    fn share_out_node(
        &self,
        node: &Node,
        read: &[ReadPart],
        values: &[Value],
        mut of_child: impl FnMut(f64, f64) -> f64,
        (shares, of_groups): (&mut [f64], &mut [f64]),
    ) {
        for ((part, read), share) in self.parts_of(node, read).zip(shares) {
            if let Some(points) = read.points {
                *share = of_child(part.weight, points);
            }
        }
        for inner in &node.groups {
            let points = values.get(*inner).and_then(|value| value.present);
            if let (Some(points), Some(node)) = (points, self.nodes.get(*inner)) {
                let share = of_child(node.weight, points);
                of_groups.get_mut(*inner).into_iter().for_each(|slot| *slot = share);
            }
        }
    }

    fn parts_of<'t>(
        &'t self,
        node: &Node,
        read: &'t [ReadPart],
    ) -> impl Iterator<Item = (&'t Part, &'t ReadPart)> {
        let parts = self.parts.get(node.parts.clone()).unwrap_or_default();
        parts.iter().zip(read.get(node.parts.clone()).unwrap_or_default())
    }
}

/// Room for the shares of groups and parts in a score.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    of_groups: Vec<f64>,
    of_parts: Vec<f64>,
}

/// What a group comes to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Value {
    /// Of what is present; `None` if nothing is, or nothing that has weight.
    pub(super) present: Option<f64>,
    /// What the weights of what is present add up to.
    present_weight: f64,
    /// Were all that is missing 0.
    pub(super) low: Option<f64>,
    /// Were all that is missing 100.
    pub(super) high: Option<f64>,
    /// The share of the weight that was seen; `None` where all is only tracked.
    pub(super) coverage: Option<f64>,
}

/// What the children of a group add up to, or the one of them that decides.
trait Combined: Default {
    fn take(&mut self, weight: f64, points: f64);

    /// What it comes to; `weight` is that of all that was taken.
    fn value(self, weight: f64) -> Option<f64>;
}

#[derive(Default)]
struct Mean(f64);

impl Combined for Mean {
    fn take(&mut self, weight: f64, points: f64) {
        self.0 += weight * points;
    }

    fn value(self, weight: f64) -> Option<f64> {
        (weight > 0.0).then(|| self.0 / weight)
    }
}

#[derive(Default)]
struct Least(Option<f64>);

impl Combined for Least {
    fn take(&mut self, _: f64, points: f64) {
        self.0 = Some(self.0.map_or(points, |least| least.min(points)));
    }

    fn value(self, _: f64) -> Option<f64> {
        self.0
    }
}

#[derive(Default)]
struct Greatest(Option<f64>);

impl Combined for Greatest {
    fn take(&mut self, _: f64, points: f64) {
        self.0 = Some(self.0.map_or(points, |greatest| greatest.max(points)));
    }

    fn value(self, _: f64) -> Option<f64> {
        self.0
    }
}

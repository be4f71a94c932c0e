//! The tree of a model: what is present is combined on the way up, and shares of the weight go back down.

use super::model::{Combine, Group, Part};

/// Shows the parts in the order of their numbers.
pub(super) fn for_each_part<'m>(group: &'m Group, see: &mut dyn FnMut(&'m Part)) {
    group.parts.iter().for_each(&mut *see);
    for inner in &group.groups {
        for_each_part(inner, see);
    }
}

pub(super) fn name_parts<'m>(
    group: &'m Group,
    path: &mut Vec<String>,
    names: &mut Vec<(Vec<String>, &'m Part)>,
) {
    names.extend(group.parts.iter().map(|part| (path.clone(), part)));
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
pub(super) fn combine(group: &Group, points: &dyn Fn(&Part) -> Option<f64>) -> Option<f64> {
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
pub(super) fn share_out(
    group: &Group,
    share: f64,
    points: &dyn Fn(&Part) -> Option<f64>,
    shares: &mut [f64],
) {
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

/// The share of the weight that was seen, through the tree; `None` of a group in which all is only tracked.
pub(super) fn coverage(group: &Group, covered: &dyn Fn(&Part) -> bool) -> Option<f64> {
    let judged = group.parts.iter().filter(|part| part.curve.is_some());
    let parts = judged.map(|part| (part.weight, if covered(part) { 1.0 } else { 0.0 }));
    let inside = group.groups.iter();
    let groups = inside.filter_map(|inner| coverage(inner, covered).map(|share| (inner.weight, share)));
    let children: Vec<(f64, f64)> = parts.chain(groups).collect();
    let (sum, total) = children
        .iter()
        .fold((0.0, 0.0), |(sum, total), (weight, share)| (sum + weight * share, total + weight));
    let share = if total > 0.0 { sum / total } else { 0.0 };
    Some(share).filter(|_| !children.is_empty())
}

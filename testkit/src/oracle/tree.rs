//! The tree of groups over the parts of a model: points up, coverage up, weight down.

/// A group with its children, or a leaf that names a part by its place in the list of parts.
pub(crate) struct Node {
    weight: f64,
    combine: String,
    children: Vec<Node>,
    leaf: Option<usize>,
}

impl Node {
    pub(crate) fn leaf(weight: f64, part: usize) -> Node {
        Node { weight, combine: String::new(), children: Vec::new(), leaf: Some(part) }
    }

    pub(crate) fn group(weight: f64, combine: &str, children: Vec<Node>) -> Node {
        Node { weight, combine: combine.to_owned(), children, leaf: None }
    }

    /// The points of the node over what is present below it; nothing over nothing, or over weights of 0 only.
    pub(crate) fn points(&self, parts: &[Option<f64>]) -> Option<f64> {
        if let Some(part) = self.leaf {
            return parts[part];
        }
        let present: Vec<(f64, f64)> =
            self.children.iter().filter_map(|child| Some((child.weight, child.points(parts)?))).collect();
        let all_points = present.iter().map(|(_, points)| *points);
        match self.combine.as_str() {
            "min" => all_points.reduce(f64::min),
            "max" => all_points.reduce(f64::max),
            _ => {
                let weights: f64 = present.iter().map(|(weight, _)| weight).sum();
                let weighted: f64 = present.iter().map(|(weight, points)| weight * points).sum();
                (weights > 0.0).then(|| weighted / weights)
            }
        }
    }

    /// Weight of what was present / weight of all, through the tree. How a group combines does not matter
    /// here.
    pub(crate) fn coverage(&self, present: &[bool]) -> f64 {
        if let Some(part) = self.leaf {
            return f64::from(u8::from(present[part]));
        }
        let all: f64 = self.children.iter().map(|child| child.weight).sum();
        let covered: f64 = self.children.iter().map(|child| child.weight * child.coverage(present)).sum();
        if all > 0.0 { covered / all } else { 0.0 }
    }

    /// Hands the share of this node down to the parts that decide it; the rest keep 0.
    pub(crate) fn share_out(&self, share: f64, parts: &[Option<f64>], weights: &mut [f64]) {
        if let Some(part) = self.leaf {
            weights[part] = share;
            return;
        }
        let Some(own) = self.points(parts) else { return };
        let present = self.children.iter().filter(|child| child.points(parts).is_some());
        if self.combine == "min" || self.combine == "max" {
            // The deciding child, the first on ties, carries the whole weight.
            if let Some(deciding) = present.clone().find(|child| child.points(parts) == Some(own)) {
                deciding.share_out(share, parts, weights);
            }
            return;
        }
        let all: f64 = present.clone().map(|child| child.weight).sum();
        for child in present {
            child.share_out(share * child.weight / all, parts, weights);
        }
    }
}

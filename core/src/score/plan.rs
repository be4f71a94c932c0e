//! What the answers by a model say of it, made once when it is read: names and places that all clients share.

use super::model::{Band, Part, Single};
use super::name::Name;
use super::result::{Origin, PartName};
use super::set::{Choice, Stage};
use super::settle::HUMAN_CAP;
use super::tree::{Tree, for_each_part};
use crate::signal::Direction;
use std::sync::Arc;

const UNKNOWN: &str = "unknown";

/// The names in the answers of a model, or of a set of models.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(super) stages: Vec<Name>,
    pub(super) choices: Vec<PlanOfOne>,
    /// All bands, each name once, from the lowest.
    pub(super) bands: Vec<Name>,
    /// What stands for a band where there is no score.
    pub(super) unknown: Name,
}

/// The names in the answers of one model.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PlanOfOne {
    pub(super) model: Name,
    pub(super) version: u64,
    /// By the number of the part.
    pub(super) parts: Vec<Arc<PartName>>,
    /// With the entry for the cap on human parts, where the model has one.
    pub(super) adjustments: Vec<Name>,
    pub(super) limits: Vec<Name>,
    /// The places of its bands among all.
    bands: Vec<usize>,
    pub(super) tree: Tree,
}

impl Plan {
    /// `bands` are all bands of the models, each name once.
    pub(super) fn new(choices: &[Choice], stages: &[Stage], bands: &[Band]) -> Self {
        Self {
            stages: stages.iter().map(|stage| stage.name.as_str().into()).collect(),
            choices: choices.iter().map(|choice| PlanOfOne::new(&choice.model, bands)).collect(),
            bands: bands.iter().map(|band| band.name.as_str().into()).collect(),
            unknown: UNKNOWN.into(),
        }
    }

    /// The same, sharing nothing with this one: threads that count who holds one name would wait for each other.
    pub(super) fn apart(&self) -> Self {
        let names = |names: &[Name]| names.iter().map(Name::apart).collect();
        let choice = |of: &PlanOfOne| PlanOfOne {
            model: of.model.apart(),
            version: of.version,
            parts: of.parts.iter().map(|part| Arc::new(PartName::clone(part))).collect(),
            adjustments: names(&of.adjustments),
            limits: names(&of.limits),
            bands: of.bands.clone(),
            tree: of.tree.clone(),
        };
        Self {
            stages: names(&self.stages),
            choices: self.choices.iter().map(choice).collect(),
            bands: names(&self.bands),
            unknown: self.unknown.apart(),
        }
    }

    pub(super) fn stage(&self, name: &str) -> Option<Name> {
        self.stages.iter().find(|stage| **stage == name).cloned()
    }

    /// The place among all bands of a band of one of the models.
    pub(super) fn place_of_band(&self, rule: Option<usize>, band: Option<usize>) -> Option<usize> {
        self.choices.get(rule?)?.bands.get(band?).copied()
    }

    /// The name of a band of one of the models.
    pub(super) fn band(&self, rule: Option<usize>, band: Option<usize>) -> Name {
        let place = self.place_of_band(rule, band);
        place.and_then(|place| self.bands.get(place)).unwrap_or(&self.unknown).clone()
    }
}

impl PlanOfOne {
    fn new(model: &Single, all: &[Band]) -> Self {
        let tree = Tree::new(&model.root);
        let mut paths = tree.paths_of_parts();
        let mut parts = Vec::with_capacity(model.part_count);
        for_each_part(&model.root, &mut |part| {
            parts.push(Arc::new(name(model, part, paths.next().unwrap_or_default())));
        });
        drop(paths);
        let cap = model.human_cap.map(|_| HUMAN_CAP);
        let adjustments = model.adjustments.iter().map(|adjustment| adjustment.name.as_str());
        Self {
            model: model.name.as_str().into(),
            version: model.version,
            parts,
            adjustments: cap.into_iter().chain(adjustments).map(Name::from).collect(),
            limits: model.limits.iter().map(|limit| limit.name.as_str().into()).collect(),
            bands: (model.bands.iter())
                .filter_map(|band| all.iter().position(|known| known.name == band.name))
                .collect(),
            tree,
        }
    }
}

fn name(model: &Single, part: &Part, group: &[String]) -> PartName {
    let signal = model.signals.get(part.signal);
    // What has no curve waits until somebody can say which way is better.
    let stated = signal.map(|(_, spec)| spec.direction()).filter(|_| part.curve.is_some());
    PartName {
        group: group.to_vec(),
        signal: signal.map(|(name, _)| name.clone()).unwrap_or_default(),
        origin: if part.human { Origin::Human } else { Origin::Computed },
        direction: stated.unwrap_or(Direction::Unknown),
    }
}

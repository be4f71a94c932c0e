//! What a score says: the number, how much of the model it saw, and every part of it.

use super::name::Name;
use crate::event::client::OverrideKind;
use crate::id::{ClientId, Text};
use crate::signal::{Direction, Missing};
use crate::time::Instant;
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// A client's health as of an instant, by one model.
///
/// The contributions of the parts, the effects of adjustments, limits and override, and the clamp add up to the score within
/// 1e-9.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthScore {
    /// The client.
    pub client: ClientId,
    /// As of when.
    pub as_of: Instant,
    /// The model's name; `None` where no model of a set fits.
    pub model: Option<Name>,
    /// The model's version.
    pub version: Option<u64>,
    /// Of a set, the number of the entry that fits, from 0.
    pub rule: Option<usize>,
    /// The client's lifecycle stage, where the model set names stages and one of them holds.
    pub stage: Option<Name>,
    /// From 0 to 100; `None` where too little was seen.
    pub score: Option<f64>,
    /// What it would be without an override.
    pub computed: Option<f64>,
    /// The band, or `unknown`.
    pub band: Name,
    /// The share of the model's weight that was seen, 0 to 1.
    pub coverage: f64,
    /// The score had all missing parts been 0.
    pub low: Option<f64>,
    /// The score had all missing parts been 100.
    pub high: Option<f64>,
    /// Every part, a group's parts before its groups.
    pub parts: Vec<PartScore>,
    /// Every adjustment; before them, in a model with `human_cap`, the entry of that name: how far the human parts move the
    /// score, and what the cap took of it.
    pub adjustments: Vec<Effect>,
    /// Every limit.
    pub limits: Vec<Effect>,
    /// The standing override.
    pub r#override: Option<OverrideEffect>,
    /// What keeping the score inside 0 to 100 did.
    pub clamp: f64,
}

/// Where a part's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// From what the client did.
    Computed,
    /// From the judgement of a person of ours.
    Human,
}

/// What a part is, the same for all clients.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartName {
    /// The names of its groups, from the root.
    pub group: Vec<String>,
    /// The signal's name in the model.
    pub signal: String,
    /// Computed, or judged by a person.
    pub origin: Origin,
    /// Which way of the reading is better; `unknown` is tracked and moves nothing.
    pub direction: Direction,
}

/// One part of a score. What is the same for all clients is read through it: `part.signal`, `part.group`.
#[derive(Clone, PartialEq)]
pub struct PartScore {
    /// What it is; answers share it.
    pub name: Arc<PartName>,
    /// The signal's value.
    pub reading: Option<f64>,
    /// Why there is none.
    pub missing: Option<Missing>,
    /// What the value is worth, 0 to 100.
    pub points: Option<f64>,
    /// Its effective share of the score; the shares of the parts that are present add up to 1.
    pub weight: f64,
    /// Points x share.
    pub contribution: f64,
}

impl std::ops::Deref for PartScore {
    type Target = PartName;

    fn deref(&self) -> &PartName {
        &self.name
    }
}

impl std::fmt::Debug for PartScore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartScore")
            .field("group", &self.group)
            .field("signal", &self.signal)
            .field("origin", &self.origin)
            .field("direction", &self.direction)
            .field("reading", &self.reading)
            .field("missing", &self.missing)
            .field("points", &self.points)
            .field("weight", &self.weight)
            .field("contribution", &self.contribution)
            .finish()
    }
}

impl Serialize for PartScore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut part = serializer.serialize_struct("PartScore", 9)?;
        part.serialize_field("group", &self.group)?;
        part.serialize_field("signal", &self.signal)?;
        part.serialize_field("origin", &self.origin)?;
        part.serialize_field("direction", &self.direction)?;
        part.serialize_field("reading", &self.reading)?;
        part.serialize_field("missing", &self.missing)?;
        part.serialize_field("points", &self.points)?;
        part.serialize_field("weight", &self.weight)?;
        part.serialize_field("contribution", &self.contribution)?;
        part.end()
    }
}

/// What an adjustment or a limit did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// Its name.
    pub name: Name,
    /// The value of its signal; of a limit, of the first signal its condition names.
    pub reading: Option<f64>,
    /// The points it added or took away.
    pub effect: f64,
}

/// What a person's override did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OverrideEffect {
    /// Replaces the score, or bounds it.
    pub kind: OverrideKind,
    /// To what.
    pub value: f64,
    /// Who.
    pub by: Option<Text>,
    /// Why.
    pub reason: Option<Text>,
    /// Until when; `None` for ever.
    pub until: Option<Instant>,
    /// The points it added or took away.
    pub effect: f64,
}

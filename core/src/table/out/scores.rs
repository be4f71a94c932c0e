//! Scores as tables: of all clients at one instant, and of a client over time.

use super::Columns;
use crate::id::ClientId;
use crate::score::{HealthScore, PartName, PartScore, ScoreTable, StepColumns};
use crate::signal::Missing;
use arrow_array::{RecordBatch, UInt64Array};
use arrow_schema::ArrowError;

/// The end of the names of the columns of a part: its signal, behind its groups where several parts have that signal.
fn part_name<'n>(part: &PartName, all: impl Iterator<Item = &'n PartName>) -> String {
    let mut others = all.filter(|other| other.signal == part.signal && other.group != part.group);
    match others.next() {
        Some(_) => format!("{}.{}", part.group.join("."), part.signal),
        None => part.signal.clone(),
    }
}

fn words(missing: Option<Missing>) -> Option<&'static str> {
    missing.map(Missing::as_str)
}

/// Fills the gaps of a column with the numbers of another, whose rows are those of other clients.
fn fill(into: &mut [f64], from: &[f64]) {
    for (number, other) in into.iter_mut().zip(from).filter(|(number, _)| number.is_nan()) {
        *number = *other;
    }
}

impl ScoreTable {
    /// The table in Arrow's layout, a row for each client: `client`, `as_of`, `model`, `version`, `stage`, `score`, `computed`,
    /// `band`, `coverage`, `low`, `high`, `override_effect`, `clamp`; for each group `group.NAME`, for each part
    /// `reading.SIGNAL`, `missing.SIGNAL`, `points.SIGNAL`, `weight.SIGNAL` (behind the names of its groups where several parts
    /// have the signal), for each adjustment and limit `effect.NAME`.
    ///
    /// # Errors
    /// Never, but for a table beyond the sizes of Arrow.
    pub fn to_arrow(&self) -> Result<RecordBatch, ArrowError> {
        let rows = self.len();
        let mut columns = Columns::default();
        columns.texts("client", self.client.iter().map(|client| Some(client.as_str())));
        columns.instants("as_of", std::iter::repeat_n(Some(self.as_of), rows));
        columns.picked("model", self.rule.iter().copied(), self.models.iter().map(|name| name.as_str()))?;
        columns.put("version", UInt64Array::from_value(self.version, rows));
        columns.picked("stage", self.stage.iter().copied(), self.stages.iter().map(|name| name.as_str()))?;
        columns.numbers("score", self.score.values().to_vec());
        columns.numbers("computed", self.computed.values().to_vec());
        let bands = self.bands.iter().map(|name| name.as_str());
        columns.picked("band", self.band.iter().copied().map(Some), bands)?;
        for (name, numbers) in [
            ("coverage", &self.coverage),
            ("low", &self.low),
            ("high", &self.high),
            ("override_effect", &self.override_effect),
            ("clamp", &self.clamp),
        ] {
            columns.numbers(name, numbers.values().to_vec());
        }
        self.put_groups(&mut columns);
        self.put_parts(&mut columns);
        self.put_steps(&mut columns);
        columns.batch()
    }

    /// Groups of one name in several models of a set are one column.
    fn put_groups(&self, columns: &mut Columns) {
        for (place, group) in self.groups.iter().enumerate() {
            let is_same = |other: &&crate::score::GroupColumn| other.group == group.group;
            if self.groups.iter().take(place).any(|other| is_same(&other)) {
                continue;
            }
            let mut points = group.points.values().to_vec();
            for other in self.groups.iter().skip(place + 1).filter(is_same) {
                fill(&mut points, other.points.values());
            }
            columns.numbers(format!("group.{}", group.group.join(".")), points);
        }
    }

    fn put_parts(&self, columns: &mut Columns) {
        let same = |a: &PartName, b: &PartName| (&a.group, &a.signal) == (&b.group, &b.signal);
        let shares = self.parts.weights();
        for (place, (part, weights)) in self.parts.iter().zip(shares).enumerate() {
            // A group has a signal several times only by mistake; then its columns are told apart by nothing but order.
            let is_same = |other: &&crate::score::PartColumns| {
                other.model != part.model && same(&other.name, &part.name)
            };
            if self.parts.iter().take(place).any(|other| is_same(&other)) {
                continue;
            }
            let mut readings = part.readings.values().to_vec();
            let mut points = part.points.values().to_vec();
            let mut weights = weights.values().to_vec();
            let mut missing = part.missing.clone();
            let others = self.parts.iter().zip(shares).skip(place + 1);
            for (other, shares) in others.filter(|(other, _)| is_same(other)) {
                fill(&mut readings, other.readings.values());
                fill(&mut points, other.points.values());
                fill(&mut weights, shares.values());
                for (why, other) in missing.iter_mut().zip(&other.missing) {
                    *why = why.or(*other);
                }
            }
            let name = part_name(&part.name, self.parts.iter().map(|part| part.name.as_ref()));
            columns.numbers(format!("reading.{name}"), readings);
            columns.words(format!("missing.{name}"), missing.into_iter().map(words));
            columns.numbers(format!("points.{name}"), points);
            columns.numbers(format!("weight.{name}"), weights);
        }
    }

    fn put_steps(&self, columns: &mut Columns) {
        for (place, step) in self.steps.iter().enumerate() {
            let is_same = |other: &&StepColumns| other.model != step.model && other.name == step.name;
            if self.steps.iter().take(place).any(|other| is_same(&other)) {
                continue;
            }
            let mut effects = step.effects.values().to_vec();
            for other in self.steps.iter().skip(place + 1).filter(is_same) {
                fill(&mut effects, other.effects.values());
            }
            columns.numbers(format!("effect.{}", step.name.as_str()), effects);
        }
    }
}

/// Some scores as a table, such as those of a client over time: a row for each, with the columns of
/// [`ScoreTable::to_arrow`] but for groups and steps.
///
/// # Errors
/// Never, but for a table beyond the sizes of Arrow.
pub fn scores_to_arrow(scores: &[HealthScore]) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    columns.texts("client", scores.iter().map(|score| Some(ClientId::as_str(&score.client))));
    columns.instants("as_of", scores.iter().map(|score| Some(score.as_of)));
    columns.words("model", scores.iter().map(|score| score.model.as_ref().map(|name| name.as_str())));
    columns.put("version", scores.iter().map(|score| score.version).collect::<UInt64Array>());
    columns.words("stage", scores.iter().map(|score| score.stage.as_ref().map(|name| name.as_str())));
    columns.optional_numbers("score", scores.iter().map(|score| score.score));
    columns.optional_numbers("computed", scores.iter().map(|score| score.computed));
    columns.words("band", scores.iter().map(|score| Some(score.band.as_str())));
    columns.optional_numbers("coverage", scores.iter().map(|score| Some(score.coverage)));
    columns.optional_numbers("low", scores.iter().map(|score| score.low));
    columns.optional_numbers("high", scores.iter().map(|score| score.high));
    let effect = |score: &HealthScore| score.r#override.as_ref().map(|over| over.effect);
    columns.optional_numbers("override_effect", scores.iter().map(effect));
    columns.optional_numbers("clamp", scores.iter().map(|score| Some(score.clamp)));
    // In the order in which they first occur.
    let mut parts: Vec<&PartName> = Vec::new();
    for part in scores.iter().flat_map(|score| &score.parts) {
        let known = |name: &&PartName| (&name.group, &name.signal) == (&part.name.group, &part.name.signal);
        if !parts.iter().any(known) {
            parts.push(&part.name);
        }
    }
    for part in &parts {
        let name = part_name(part, parts.iter().copied());
        let of = |score: &HealthScore| -> Option<PartScore> {
            let is_it =
                |other: &&PartScore| (&other.name.group, &other.name.signal) == (&part.group, &part.signal);
            score.parts.iter().find(is_it).cloned()
        };
        let found: Vec<Option<PartScore>> = scores.iter().map(of).collect();
        let number =
            |of: fn(&PartScore) -> Option<f64>| found.iter().map(move |part| part.as_ref().and_then(of));
        columns.optional_numbers(format!("reading.{name}"), number(|part| part.reading));
        let missing = found.iter().map(|part| words(part.as_ref().and_then(|part| part.missing)));
        columns.words(format!("missing.{name}"), missing);
        columns.optional_numbers(format!("points.{name}"), number(|part| part.points));
        columns.optional_numbers(format!("weight.{name}"), number(|part| Some(part.weight)));
    }
    columns.batch()
}

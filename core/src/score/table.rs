//! The scores of a whole book as columns: one list of numbers for each thing that is said of a client.

use super::name::Name;
use super::parts::Parts;
use super::plan::PlanOfOne;
use super::set::Model;
use super::sheet::Sheet;
use crate::id::ClientId;
use crate::time::Instant;
use serde::{Serialize, Serializer};

/// Numbers by client; where there is none it holds NaN, which no answer is. In JSON a list of numbers and `null`.
#[derive(Clone, Debug, Default)]
pub struct Column(Vec<f64>);

impl Column {
    /// The number in a row.
    pub fn get(&self, row: usize) -> Option<f64> {
        self.0.get(row).copied().filter(|number| !number.is_nan())
    }

    /// All rows; NaN where there is no number.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    pub(super) fn with_room(rows: usize) -> Self {
        Self(Vec::with_capacity(rows))
    }

    /// So many rows without a number.
    pub(super) fn empty(rows: usize) -> Self {
        Self(vec![f64::NAN; rows])
    }

    #[inline]
    pub(super) fn set(&mut self, row: usize, number: Option<f64>) {
        if let (Some(slot), Some(number)) = (self.0.get_mut(row), number) {
            *slot = number;
        }
    }
}

/// Two columns are equal where the same rows have the same numbers, and the others none.
impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&f64, &f64)| a == b || a.is_nan() && b.is_nan();
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((0..self.0.len()).map(|row| self.get(row)))
    }
}

/// What a group comes to, over all clients.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupColumn {
    /// The number of its model in the set; 0 without a set.
    pub model: u32,
    /// Its names, from the root.
    pub group: Vec<String>,
    /// What its parts and groups combine to, 0 to 100.
    pub points: Column,
}

/// What kind of step changes a score beside the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// An adjustment, or the cap on human parts.
    Adjustment,
    /// A limit.
    Limit,
}

/// What an adjustment or a limit did, over all clients.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepColumns {
    /// The number of its model in the set; 0 without a set.
    pub model: u32,
    /// An adjustment or a limit.
    pub kind: StepKind,
    /// Its name.
    pub name: Name,
    /// The values of its signal.
    pub readings: Column,
    /// The points it added or took away.
    pub effects: Column,
}

/// The scores of a book as columns, a row for each client, in order of their ids: the numbers of
/// [`HealthScore`](crate::HealthScore), each name once. A row is explained by asking [`Engine::score`](crate::Engine::score)
/// for its client.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreTable {
    /// As of when.
    pub as_of: Instant,
    /// The name of the model, or of the set of models.
    pub model: String,
    /// Its version.
    pub version: u64,
    /// The names of the models of the set, or of the one model.
    pub models: Vec<Name>,
    /// The names of the lifecycle stages.
    pub stages: Vec<Name>,
    /// The names of the bands, from the lowest, and `unknown` last.
    pub bands: Vec<Name>,
    /// The clients.
    pub client: Vec<ClientId>,
    /// The place in `models` of the model that fits; `None` where none does.
    pub rule: Vec<Option<u32>>,
    /// The place in `stages` of the lifecycle stage.
    pub stage: Vec<Option<u32>>,
    /// The place in `bands` of the band.
    pub band: Vec<u32>,
    /// From 0 to 100; none where too little was seen.
    pub score: Column,
    /// What it would be without an override.
    pub computed: Column,
    /// The share of the model's weight that was seen, 0 to 1.
    pub coverage: Column,
    /// The score had all missing parts been 0.
    pub low: Column,
    /// The score had all missing parts been 100.
    pub high: Column,
    /// What the standing override did; none where none stands.
    pub override_effect: Column,
    /// What keeping the score inside 0 to 100 did.
    pub clamp: Column,
    /// What every group comes to, in the order of the document.
    pub groups: Vec<GroupColumn>,
    /// Every part, in the order of the document, a group's parts before its groups.
    pub parts: Parts,
    /// Every adjustment and every limit.
    pub steps: Vec<StepColumns>,
}

/// So many rows are made at once: a page of memory of each column.
const ROWS_MADE: usize = 512;

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl ScoreTable {
    /// A table with room for so many clients, to be [closed](Self::closed) behind the last.
    pub(crate) fn new(model: &Model, as_of: Instant, rows: usize) -> Self {
        let plan = &model.plan;
        let column = || Column::with_room(rows);
        let mut table = Self {
            as_of,
            model: model.name().to_owned(),
            version: model.version(),
            models: plan.choices.iter().map(|of| of.model.clone()).collect(),
            stages: plan.stages.clone(),
            bands: plan.bands.iter().chain([&plan.unknown]).cloned().collect(),
            client: Vec::with_capacity(rows),
            rule: Vec::with_capacity(rows),
            stage: Vec::with_capacity(rows),
            band: Vec::with_capacity(rows),
            score: column(),
            computed: column(),
            coverage: column(),
            low: column(),
            high: column(),
            override_effect: column(),
            clamp: column(),
            groups: Vec::new(),
            parts: Parts::new(plan, rows),
            steps: Vec::new(),
        };
        for (of, rule) in plan.choices.iter().zip(0..) {
            table.enter(of, rule, rows);
        }
        table
    }

    fn enter(&mut self, of: &PlanOfOne, model: u32, rows: usize) {
        let empty = || Column::with_room(rows);
        // The root has no name.
        let groups = of.tree.paths.iter().skip(1);
        self.groups.extend(groups.map(|path| GroupColumn { model, group: path.clone(), points: empty() }));
        let adjustments = of.adjustments.iter().map(|name| (StepKind::Adjustment, name));
        let limits = of.limits.iter().map(|name| (StepKind::Limit, name));
        self.steps.extend(adjustments.chain(limits).map(|(kind, name)| StepColumns {
            model,
            kind,
            name: name.clone(),
            readings: empty(),
            effects: empty(),
        }));
    }

    /// Makes rows without numbers behind those that there are.
    fn make_rows(&mut self) {
        let (made, room) = (self.score.0.len(), self.score.0.capacity());
        // A few at a time, so that they are still at hand when their numbers come; no more than there is room for.
        let rows = if made < room { room.min(made + ROWS_MADE) } else { made + ROWS_MADE };
        self.columns().for_each(|column| column.0.resize(rows, f64::NAN));
        self.parts.iter_mut().for_each(|part| part.missing.resize(rows, None));
    }

    /// Adds a client.
    pub(crate) fn push(&mut self, client: &ClientId, sheet: &Sheet<'_>) {
        let row = self.client.len();
        if row == self.score.0.len() {
            self.make_rows();
        }
        self.client.push(client.clone());
        let rule = sheet.rule.map(number);
        self.rule.push(rule);
        let stage = sheet.stage.and_then(|stage| self.stages.iter().position(|known| *known == stage));
        self.stage.push(stage.map(number));
        let unknown = self.bands.len().saturating_sub(1);
        self.band.push(number(sheet.band_of_all().unwrap_or(unknown)));
        self.score.set(row, sheet.score);
        self.computed.set(row, sheet.computed);
        self.coverage.set(row, Some(sheet.coverage));
        self.low.set(row, sheet.low);
        self.high.set(row, sheet.high);
        self.override_effect.set(row, sheet.over.as_ref().map(|over| over.effect));
        self.clamp.set(row, Some(sheet.clamp));
        // The rows of other models stay empty.
        let groups = self.groups.iter_mut().filter(|group| rule == Some(group.model));
        for (group, value) in groups.zip(sheet.groups.iter().skip(1)) {
            group.points.set(row, value.present);
        }
        let parts = self.parts.iter_mut().filter(|part| rule == Some(part.model));
        for (column, read) in parts.zip(&sheet.parts) {
            column.set(row, read);
        }
        let steps = self.steps.iter_mut().filter(|step| rule == Some(step.model));
        for (column, step) in steps.zip(sheet.adjustments.iter().chain(&sheet.limits)) {
            column.readings.set(row, step.reading);
            column.effects.set(row, Some(step.effect));
        }
    }

    /// All columns of numbers, in an order that follows from the model.
    fn columns(&mut self) -> impl Iterator<Item = &mut Column> {
        let Self {
            score, computed, coverage, low, high, override_effect, clamp, groups, parts, steps, ..
        } = self;
        let of_all = [score, computed, coverage, low, high, override_effect, clamp].into_iter();
        let of_groups = groups.iter_mut().map(|group| &mut group.points);
        let of_parts = parts.iter_mut().flat_map(|part| [&mut part.readings, &mut part.points]);
        let of_steps = steps.iter_mut().flat_map(|step| [&mut step.readings, &mut step.effects]);
        of_all.chain(of_groups).chain(of_parts).chain(of_steps)
    }

    /// The table without the rows and the room that are left.
    pub(crate) fn closed(mut self) -> Self {
        fn close<T>(column: &mut Vec<T>, rows: usize) {
            column.truncate(rows);
            column.shrink_to_fit();
        }
        let rows = self.client.len();
        self.columns().for_each(|column| close(&mut column.0, rows));
        self.parts.iter_mut().for_each(|part| close(&mut part.missing, rows));
        close(&mut self.client, rows);
        close(&mut self.rule, rows);
        close(&mut self.stage, rows);
        close(&mut self.band, rows);
        self
    }

    /// Makes room for so many rows more.
    pub(crate) fn reserve(&mut self, rows: usize) {
        self.columns().for_each(|column| column.0.reserve_exact(rows));
        self.parts.iter_mut().for_each(|part| part.missing.reserve_exact(rows));
        self.client.reserve_exact(rows);
        self.rule.reserve_exact(rows);
        self.stage.reserve_exact(rows);
        self.band.reserve_exact(rows);
    }

    /// Adds the rows of a table of the same model behind its own.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.columns().zip(other.columns()).for_each(|(ours, theirs)| ours.0.append(&mut theirs.0));
        for (ours, theirs) in self.parts.iter_mut().zip(other.parts.iter_mut()) {
            ours.missing.append(&mut theirs.missing);
        }
        self.client.append(&mut other.client);
        self.rule.append(&mut other.rule);
        self.stage.append(&mut other.stage);
        self.band.append(&mut other.band);
    }

    /// How many clients it has.
    pub fn len(&self) -> usize {
        self.client.len()
    }

    /// Whether it has no client.
    pub fn is_empty(&self) -> bool {
        self.client.is_empty()
    }

    /// The row of a client.
    pub fn row(&self, client: &ClientId) -> Option<usize> {
        self.client.binary_search(client).ok()
    }

    /// The band in a row.
    pub fn band_of(&self, row: usize) -> Option<&Name> {
        self.bands.get(usize::try_from(*self.band.get(row)?).ok()?)
    }
}

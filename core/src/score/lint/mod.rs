//! Doubts about a model: what it allows, and will hardly have been meant.
//!
//! A faulty model is refused when it is read. What is found here is well-formed and does something else than its author
//! thinks. `docs/models.md` tells the reason of every code.
//!
//! | file | what it looks at |
//! |---|---|
//! | `reach` | sets of values a number can take |
//! | `domain` | what a signal can read, and what a curve makes of it |
//! | `range` | which scores can come out: bands, parts that are too strong, adjustments, coverage |
//! | `parts` | weights, curves, signals |
//! | `conditions` | limits, stages and choices that cannot come into effect |
//! | `data` | the same model on a book |

mod conditions;
pub(crate) mod data;
mod domain;
mod parts;
mod range;
mod reach;

use super::model::{Combine, Group, Part, Single};
use super::set::Model;
use crate::signal::SignalSpec;
use serde::Serialize;
use serde_json::Value;

/// Declares the codes with their slugs.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $slug:literal),+ $(,)?) => {
        /// What is doubtful. The slugs are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum LintCode { $($(#[doc = $doc])+ $name),+ }

        impl LintCode {
            /// All codes, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable slug.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $slug),+ }
            }
        }
    };
}

codes! {
    /// No reading of the signals can lead to this band.
    UnreachableBand = "unreachable_band",
    /// With everything known, the score never gets down to the lowest band.
    ScoreCannotBeLow = "score_cannot_be_low",
    /// The full swing of one part is as wide as a band.
    OnePartCrossesBand = "one_part_crosses_band",
    /// Adjustments alone can take a perfect score to 0, or the worst one to 100.
    NoFloor = "no_floor",
    /// One part alone is enough for a score.
    OnePartMakesScore = "one_part_makes_score",
    /// Weights that look like percentages and do not add up to 100.
    WeightsNot100 = "weights_not_100",
    /// A group of which nothing has weight.
    NoWeight = "no_weight",
    /// A signal that is only ever 0 or 1 under a curve with points between.
    YesNoUnderGradedCurve = "yes_no_under_graded_curve",
    /// More is better by the signal and worse by the curve, or the other way round.
    DirectionAgainstCurve = "direction_against_curve",
    /// A trend or ratio over a base so small that one event makes it.
    SmallBase = "small_base",
    /// Two parts that say the same.
    NearCopies = "near_copies",
    /// A signal that nothing uses.
    UnusedSignal = "unused_signal",
    /// A condition behind another one that takes everything it could take.
    OverlappingConditions = "overlapping_conditions",
    /// A limit that cannot hold, or cannot change a score.
    LimitCannotFire = "limit_cannot_fire",
    /// One name with two meanings in the models of a set.
    OneNameTwoValues = "one_name_two_values",
    /// The same reading for everybody.
    SignalNeverVaries = "signal_never_varies",
    /// No reading for anybody.
    SignalAlwaysMissing = "signal_always_missing",
    /// Nobody has enough to divide by.
    DenominatorAlwaysZero = "denominator_always_zero",
    /// A choice or stage that nobody is in.
    NeverChosen = "never_chosen",
    /// Clients that no model of the set fits.
    NoModelFits = "no_model_fits",
    /// A band that nobody is in.
    EmptyBand = "empty_band",
}

impl std::fmt::Display for LintCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for LintCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How sure it is that something is not as it was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Some rule of the model does not do what it says.
    Warning,
    /// It may be right: look at it.
    Note,
}

/// One doubt about a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What kind of doubt.
    pub code: LintCode,
    /// How sure.
    pub severity: Severity,
    /// Where in the document, such as `groups[0].parts[1].curve`.
    pub path: String,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub advice: String,
    /// How many clients were looked at; `None` where the model alone tells.
    pub clients: Option<u64>,
}

/// What was found so far.
#[derive(Default)]
struct Findings {
    found: Vec<Finding>,
    /// Before every path.
    prefix: String,
    clients: Option<u64>,
}

impl Findings {
    fn add(&mut self, code: LintCode, severity: Severity, path: &str, message: String, advice: &str) {
        let path = format!("{}{path}", self.prefix);
        self.found.push(Finding {
            code,
            severity,
            path,
            message,
            advice: advice.to_owned(),
            clients: self.clients,
        });
    }

    fn warn(&mut self, code: LintCode, path: &str, message: String, advice: &str) {
        self.add(code, Severity::Warning, path, message, advice);
    }

    fn note(&mut self, code: LintCode, path: &str, message: String, advice: &str) {
        self.add(code, Severity::Note, path, message, advice);
    }

    /// Warnings first, each kind together, in the order in which they were found.
    fn in_order(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|finding| (finding.severity, finding.code));
        self.found
    }
}

impl Model {
    /// Doubts about the model that need no data: what no input can reach, what cannot fire, what weighs too much.
    ///
    /// ```
    /// use healthfold::{LintCode, Model};
    /// let model = Model::from_json(r#"{"name": "m",
    ///     "signals": {"done": {"kind": "milestone", "milestone": "onboarded"}},
    ///     "groups": [{"name": "g", "parts": [{"signal": "done", "curve": {"points": [[0, 50], [1, 100]]}}]}],
    ///     "bands": [{"name": "red", "from": 0}, {"name": "green", "from": 50}]}"#)?;
    /// let found = model.lint();
    /// assert!(found.iter().any(|finding| finding.code == LintCode::UnreachableBand && finding.path == "bands[0]"));
    /// # Ok::<(), healthfold::ModelError>(())
    /// ```
    pub fn lint(&self) -> Vec<Finding> {
        let mut findings = Findings::default();
        self.look(&mut findings);
        findings.in_order()
    }

    fn look(&self, findings: &mut Findings) {
        for (i, choice) in self.choices.iter().enumerate() {
            findings.prefix = self.prefix(i);
            let checked = Checked::new(&choice.model, self.document_of(i));
            parts::check(&checked, findings);
            range::check(&checked, findings);
            conditions::check_limits(&checked, findings);
        }
        findings.prefix = String::new();
        conditions::check_set(self, findings);
        parts::check_set(self, findings);
    }

    /// What stands before the paths of a model.
    fn prefix(&self, choice: usize) -> String {
        if self.to_json().get("models").is_some() {
            format!("models[{choice}].model.")
        } else {
            String::new()
        }
    }

    fn document_of(&self, choice: usize) -> &Value {
        let document = self.to_json();
        match document.get("models") {
            Some(models) => models.get(choice).and_then(|entry| entry.get("model")).unwrap_or(document),
            None => document,
        }
    }
}

/// A model with what every check asks of it.
struct Checked<'m> {
    model: &'m Single,
    /// Its document, for parameters as they were stated.
    document: &'m Value,
    /// Every part, in the order of their numbers.
    places: Vec<Place<'m>>,
}

/// A part and where it stands.
struct Place<'m> {
    part: &'m Part,
    /// Such as `groups[0].parts[1]`.
    path: String,
    /// Its share of the score while everything is present; in a `min` or `max` that of its group, which it may decide.
    share: f64,
    /// Its share of the coverage.
    cover: f64,
}

impl<'m> Checked<'m> {
    fn new(model: &'m Single, document: &'m Value) -> Self {
        let mut places = Vec::with_capacity(model.part_count);
        collect(&model.root, "", (1.0, 1.0), &mut places);
        Self { model, document, places }
    }

    fn name(&self, signal: usize) -> &'m str {
        self.model.signals.get(signal).map_or("", |(name, _)| name)
    }

    fn spec(&self, signal: usize) -> Option<&'m SignalSpec> {
        self.model.signals.get(signal).map(|(_, spec)| spec)
    }

    /// A signal's parameter as it was stated.
    fn parameter(&self, signal: usize, name: &str) -> Option<&'m Value> {
        self.document.get("signals")?.get(self.name(signal))?.get(name)
    }
}

fn collect<'m>(group: &'m Group, path: &str, (share, cover): (f64, f64), places: &mut Vec<Place<'m>>) {
    let total = weight(group);
    let of = |weight: f64| if total > 0.0 { weight / total } else { 0.0 };
    let inner = |weight: f64| {
        let share = if group.combine == Combine::Mean { share * of(weight) } else { share };
        (share, cover * of(weight))
    };
    for (i, part) in group.parts.iter().enumerate() {
        let (share, cover) = inner(part.weight);
        places.push(Place { part, path: format!("{path}parts[{i}]"), share, cover });
    }
    for (i, child) in group.groups.iter().enumerate() {
        collect(child, &format!("{path}groups[{i}]."), inner(child.weight), places);
    }
}

/// The weight of all children together.
fn weight(group: &Group) -> f64 {
    let parts = group.parts.iter().map(|part| part.weight);
    parts.chain(group.groups.iter().map(|inner| inner.weight)).sum()
}

/// A number as people write it: at most two digits behind the point.
fn short(x: f64) -> String {
    let text = format!("{x:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;

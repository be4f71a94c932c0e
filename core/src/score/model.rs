//! One health model: how signals become a score, and how that is read from JSON with every fault at once.

use super::condition::Condition;
use super::curve::{ADJUSTED, Curve, share, weight};
use super::valuation::Valuation;
use crate::event::Moment;
use crate::signal::named::{SignalNames, Signals, Use};
use crate::signal::params::{Days, Faults, Object, Param, found, whole};
use crate::signal::{SignalSpec, SourceRule};
use crate::time::{Day, Instant};
use serde_json::{Value, json};

/// How a group makes one number of its children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Combine {
    #[default]
    Mean,
    Min,
    Max,
}
crate::signal::params::choice!(Combine, "one of `mean`, `min`, `max`",
    "mean" => Combine::Mean, "min" => Combine::Min, "max" => Combine::Max);

/// What a part does while its signal is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum WhenMissing {
    /// It is left out, and the others take its weight.
    #[default]
    Redistribute,
    /// It stands at these points, without counting as covered.
    Points(f64),
    /// The newest value of the last days is taken.
    CarryDays(i32),
    /// There is no score without it.
    Required,
}

/// One signal in a group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) signal: usize,
    pub(crate) weight: f64,
    /// `None` while nobody can say which way of the signal is better: it is read and listed, and does nothing else.
    pub(crate) curve: Option<Curve>,
    pub(crate) missing: WhenMissing,
    /// Whether a person of ours judges it.
    pub(crate) human: bool,
    /// Its number among all parts, in the order of the document: a group's parts before its groups.
    pub(crate) number: usize,
}

/// Parts and groups that make one number together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) weight: f64,
    pub(crate) combine: Combine,
    pub(crate) parts: Vec<Part>,
    pub(crate) groups: Vec<Group>,
}

/// Points added or taken away after combining.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Adjustment {
    pub(crate) name: String,
    pub(crate) signal: usize,
    pub(crate) curve: Curve,
}

/// What a limit does to the score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    Set(f64),
    Floor(f64),
    Cap(f64),
}

/// A bound on the score while a condition holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limit {
    pub(crate) name: String,
    pub(crate) when: Condition,
    /// The first signal that the condition speaks of.
    pub(crate) signal: Option<usize>,
    pub(crate) bound: Bound,
}

/// A named range of scores, from a value up to the next band.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Band {
    /// The name.
    pub name: String,
    /// The least score that belongs to it.
    pub from: f64,
}

/// One model, as a set of models chooses it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Single {
    pub(crate) name: String,
    pub(crate) version: u64,
    pub(crate) signals: Vec<(String, SignalSpec)>,
    pub(crate) root: Group,
    pub(crate) part_count: usize,
    pub(crate) adjustments: Vec<Adjustment>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) bands: Vec<Band>,
    pub(crate) min_coverage: f64,
    /// How many points the human parts together may move the score.
    pub(crate) human_cap: Option<f64>,
    /// The signal that is held to stand for the client's success.
    pub(crate) north_star: Option<usize>,
    pub(crate) sources: Vec<SourceRule>,
    pub(crate) valuation: Option<Valuation>,
}

/// A whole number of at least 0.
pub(crate) struct Whole(pub(crate) u64);

impl Param for Whole {
    const EXPECTS: &'static str = "a whole number of at least 0";
    fn read(value: &Value) -> Option<Self> {
        whole(value).map(Self)
    }
    fn schema() -> Value {
        json!({"type": "integer", "minimum": 0})
    }
}

/// Points from 0 to 100.
pub(super) struct Points(f64);

impl Param for Points {
    const EXPECTS: &'static str = "a number from 0 to 100";
    fn read(value: &Value) -> Option<Self> {
        f64::read(value).filter(|points| (0.0..=100.0).contains(points)).map(Self)
    }
    fn schema() -> Value {
        json!({"type": "number", "minimum": 0, "maximum": 100})
    }
}

/// What a date looks like, for editors that pass over formats.
pub(super) const DATE: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";
/// What a time with an offset looks like.
const TIME: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)\
                    (\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$";

impl Param for Moment {
    const EXPECTS: &'static str = "a date of the form 2026-01-05, or an RFC 3339 time with an offset";
    fn read(value: &Value) -> Option<Self> {
        let text = value.as_str()?;
        let day = text.parse::<Day>().map(Self::On);
        day.or_else(|_| text.parse::<Instant>().map(Self::At)).ok()
    }
    fn schema() -> Value {
        let time = json!({"type": "string", "format": "date-time", "pattern": TIME});
        json!({"anyOf": [{"type": "string", "format": "date", "pattern": DATE}, time]})
    }
}

impl Single {
    /// Reads the model at a path.
    pub(crate) fn read(path: &str, document: &Value, stages: &[String], faults: &mut Faults) -> Option<Self> {
        let mut object = Object::at(path, document, faults)?;
        let name: Option<String> = object.required("name", faults);
        let version = object.optional::<Whole>("version", faults).map_or(1, |version| version.0);
        object.value("description");
        let signals = Signals::read(&mut object, stages, faults);
        let names = SignalNames::of(&signals, stages);
        let judging = names.for_use(Use::Judging);
        let mut part_count = 0;
        let combine = object.optional("combine", faults).unwrap_or_default();
        let groups = object.list("groups", faults);
        if groups.is_empty() {
            faults.add(object.path("groups"), "must be a list of at least one group");
        }
        let groups =
            groups.into_iter().map(|(path, group)| read_group(&path, group, &names, &mut part_count, faults));
        // Every group is read, so that the faults of all of them are found.
        let groups: Vec<Option<Group>> = groups.collect();
        let adjustments = read_all(&mut object, "adjustments", faults, |object, faults| {
            read_adjustment(object, &judging, faults)
        });
        let limits =
            read_all(&mut object, "limits", faults, |object, faults| read_limit(object, &judging, faults));
        let bands = read_bands(&mut object, faults);
        let min_coverage = share(&mut object, "min_coverage", faults).unwrap_or(0.0);
        let human_cap = object.optional::<Points>("human_cap", faults).map(|points| points.0);
        if human_cap.is_some() {
            refuse_judged_adjustments(&object, adjustments.as_deref(), &names, faults);
        }
        let north_star = read_north_star(&mut object, &names, faults);
        let sources = read_sources(&mut object, faults);
        let valuation = Valuation::read(&mut object, faults);
        object.finish(faults);
        let groups: Vec<Group> = groups.into_iter().collect::<Option<_>>()?;
        let root = Group { name: String::new(), weight: 1.0, combine, parts: Vec::new(), groups };
        Some(Self {
            name: name?,
            version,
            signals: signals.finish()?,
            root,
            part_count,
            adjustments: adjustments?,
            limits: limits?,
            bands: bands?,
            min_coverage,
            human_cap,
            north_star,
            sources: sources?,
            valuation: valuation?,
        })
    }
}

fn read_north_star(object: &mut Object<'_>, signals: &SignalNames<'_>, faults: &mut Faults) -> Option<usize> {
    let name: String = object.optional("north_star", faults)?;
    signals.find(&object.path("north_star"), &name, faults)
}

/// A cap on what people's judgement does would mean little if adjustments went around it.
fn refuse_judged_adjustments(
    object: &Object<'_>,
    adjustments: Option<&[Adjustment]>,
    signals: &SignalNames<'_>,
    faults: &mut Faults,
) {
    for (i, adjustment) in adjustments.unwrap_or_default().iter().enumerate() {
        if signals.is_judged(adjustment.signal) {
            let path = object.path(&format!("adjustments[{i}].signal"));
            faults.add(path, "must not be a judged signal in a model with `human_cap`: make it a part");
        }
    }
}

/// Reads a list of objects; `None` if one of them has a fault.
fn read_all<T>(
    object: &mut Object<'_>,
    name: &'static str,
    faults: &mut Faults,
    mut read: impl FnMut(&mut Object<'_>, &mut Faults) -> Option<T>,
) -> Option<Vec<T>> {
    let items = object.list(name, faults);
    let read: Vec<Option<T>> = items
        .into_iter()
        .map(|(path, item)| {
            let mut object = Object::at(&path, item, faults)?;
            let value = read(&mut object, faults);
            object.finish(faults);
            value
        })
        .collect();
    read.into_iter().collect()
}

fn read_group(
    path: &str,
    value: &Value,
    signals: &SignalNames<'_>,
    part_count: &mut usize,
    faults: &mut Faults,
) -> Option<Group> {
    let mut object = Object::at(path, value, faults)?;
    let name: Option<String> = object.required("name", faults);
    let weight = weight(&mut object, faults);
    let combine = object.optional("combine", faults).unwrap_or_default();
    let parts = read_all(&mut object, "parts", faults, |object, faults| {
        read_part(object, signals, part_count, faults)
    });
    let groups: Vec<Option<Group>> = object
        .list("groups", faults)
        .into_iter()
        .map(|(path, group)| read_group(&path, group, signals, part_count, faults))
        .collect();
    let empty = parts.as_ref().is_some_and(Vec::is_empty) && groups.is_empty();
    if empty {
        faults.add(path, "must have at least one of `parts` and `groups`");
    }
    object.finish(faults);
    let groups = groups.into_iter().collect::<Option<Vec<Group>>>();
    Some(Group { name: name?, weight, combine, parts: parts?, groups: groups? })
}

fn read_part(
    object: &mut Object<'_>,
    signals: &SignalNames<'_>,
    part_count: &mut usize,
    faults: &mut Faults,
) -> Option<Part> {
    let signal = signals.required(object, faults);
    let tracked = signal.is_some_and(|signal| signals.is_unknown(signal));
    let weight = if tracked { read_no_weight(object, faults) } else { weight(object, faults) };
    // What is tracked may have a curve for the day when its direction is known.
    let curve = if tracked && !object.has("curve") {
        object.value("curve");
        Some(None)
    } else {
        read_curve(object, Some((0.0, 100.0)), faults).map(Some)
    };
    let missing = read_missing(object, faults);
    let human = object.optional("human", faults);
    let number = *part_count;
    *part_count += 1;
    let human = human.unwrap_or_else(|| signal.is_some_and(|signal| signals.is_judged(signal)));
    let (curve, missing) = (curve?.filter(|_| !tracked), missing?);
    let missing = if tracked { WhenMissing::Redistribute } else { missing };
    Some(Part { signal: signal?, weight, curve, missing, human, number })
}

/// The weight of a part whose signal nobody can judge yet: none.
fn read_no_weight(object: &mut Object<'_>, faults: &mut Faults) -> f64 {
    let given = object.value("weight");
    if given.and_then(Value::as_f64) != Some(0.0) {
        let found = given.map_or("nothing, which is 1".to_owned(), found);
        let message = format!("must be 0 as long as the direction of its signal is unknown, found {found}");
        faults.add(object.path("weight"), message);
    }
    0.0
}

fn read_curve(object: &mut Object<'_>, range: Option<(f64, f64)>, faults: &mut Faults) -> Option<Curve> {
    let path = object.path("curve");
    match object.value("curve") {
        Some(curve) => Curve::read(&path, curve, range, faults),
        None => {
            faults.add(path, "is missing, it must say how the signal becomes points");
            None
        }
    }
}

fn read_missing(object: &mut Object<'_>, faults: &mut Faults) -> Option<WhenMissing> {
    let path = object.path("missing");
    let Some(value) = object.value("missing") else { return Some(WhenMissing::default()) };
    match value.as_str() {
        Some("redistribute") => return Some(WhenMissing::Redistribute),
        Some("required") => return Some(WhenMissing::Required),
        _ => {}
    }
    let allowed = "must be `redistribute`, `required`, {\"points\": p} or {\"carry_days\": n}";
    let Value::Object(members) = value else {
        faults.add(path, format!("{allowed}, found {}", found(value)));
        return None;
    };
    let mut inner = Object::at(&path, value, faults)?;
    let read = if members.contains_key("points") {
        inner.required::<Points>("points", faults).map(|points| WhenMissing::Points(points.0))
    } else if members.contains_key("carry_days") {
        inner.required::<Days>("carry_days", faults).map(|days| WhenMissing::CarryDays(days.0))
    } else {
        faults.add(path, format!("{allowed}, found {}", found(value)));
        return None;
    };
    inner.finish(faults);
    read
}

fn read_adjustment(
    object: &mut Object<'_>,
    signals: &SignalNames<'_>,
    faults: &mut Faults,
) -> Option<Adjustment> {
    let name: Option<String> = object.required("name", faults);
    let signal = signals.required(object, faults);
    let curve = read_curve(object, Some(ADJUSTED), faults);
    if let Some(Curve::Percentile { .. }) = curve {
        faults.add(
            object.path("curve"),
            "must be of another kind: `percentile` is for parts, not for adjustments",
        );
        return None;
    }
    Some(Adjustment { name: name?, signal: signal?, curve: curve? })
}

fn read_limit(object: &mut Object<'_>, signals: &SignalNames<'_>, faults: &mut Faults) -> Option<Limit> {
    let name: Option<String> = object.required("name", faults);
    let path = object.path("when");
    let when = match object.value("when") {
        Some(when) => Condition::read(&path, when, signals, faults),
        None => {
            faults.add(path, "is missing, it must be a condition");
            None
        }
    };
    let set = object.optional::<Points>("set", faults).map(|points| Bound::Set(points.0));
    let floor = object.optional::<Points>("floor", faults).map(|points| Bound::Floor(points.0));
    let cap = object.optional::<Points>("cap", faults).map(|points| Bound::Cap(points.0));
    let mut given = [set, floor, cap].into_iter().flatten();
    let (first, second) = (given.next(), given.next());
    if first.is_none() || second.is_some() {
        faults.add(object.path("cap"), "must be given, or one of `floor`, `set`, and only one of them");
        return None;
    }
    let when = when?;
    Some(Limit { name: name?, signal: when.first_signal(), when, bound: first? })
}

fn read_bands(object: &mut Object<'_>, faults: &mut Faults) -> Option<Vec<Band>> {
    let path = object.path("bands");
    let bands = read_all(object, "bands", faults, |object, faults| {
        let name: Option<String> = object.required("name", faults);
        let from: Option<Points> = object.required("from", faults);
        Some(Band { name: name?, from: from?.0 })
    })?;
    let mut check = |holds: bool, message: &str| {
        if !holds {
            faults.add(path.clone(), message);
        }
    };
    check(!bands.is_empty(), "must be a list of at least one band");
    check(
        bands.first().is_none_or(|band| band.from == 0.0),
        "must start at 0, so that every score has a band",
    );
    check(bands.is_sorted_by(|a, b| a.from < b.from), "must have rising `from`");
    check(
        bands.iter().all(|band| band.name != "unknown"),
        "must not use the name `unknown`, which is for no score",
    );
    let mut names: Vec<&str> = bands.iter().map(|band| band.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    check(names.len() == bands.len(), "must have each name once");
    Some(bands)
}

pub(crate) fn read_sources(object: &mut Object<'_>, faults: &mut Faults) -> Option<Vec<SourceRule>> {
    let path = object.path("sources");
    let Some(value) = object.value("sources") else { return Some(Vec::new()) };
    let Value::Object(members) = value else {
        faults.add(path, format!("must be an object of sources, found {}", found(value)));
        return None;
    };
    let read = |(source, rule): (&String, &Value)| {
        let mut object = Object::at(&format!("{path}.{source}"), rule, faults)?;
        let days = object.required::<crate::signal::params::Age>("silent_after_days", faults);
        let metrics = object.optional::<crate::signal::params::Names>("metrics", faults);
        let since = object.optional::<Moment>("since", faults);
        object.finish(faults);
        let metrics = metrics.map(|names| names.0);
        Some(SourceRule { source: source.clone(), silent_after_days: days?.0, metrics, since })
    };
    let rules: Vec<Option<SourceRule>> = members.iter().map(read).collect();
    rules.into_iter().collect()
}

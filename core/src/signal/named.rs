//! The signals of a model by name: how they are read, how one names another, and what each of them may be used for.

use super::behind::Between;
use super::params::{Faults, Object, found};
use super::{Direction, SignalSpec};
use crate::state::history::HistoryRow;
use serde_json::Value;
use std::collections::BTreeMap;

/// The most formulas that may stand one on another.
const MOST_STOREYS: usize = 16;
/// The most names in a message.
const SHOWN: usize = 20;

/// The model around a signal that is read.
#[derive(Clone, Copy, Default)]
pub(crate) struct Around<'m> {
    /// The signals that it may name; `None` outside a model.
    pub(crate) names: Option<&'m SignalNames<'m>>,
    /// The lifecycle stages of the model's set; `None` outside a model.
    pub(crate) stages: Option<&'m [String]>,
}

/// The signals of a model as they were read; a faulty one keeps its name, so that what uses it is not called unknown.
#[derive(Default)]
pub(crate) struct Signals {
    specs: Vec<(String, Option<SignalSpec>)>,
    marks: Vec<Marks>,
}

/// What a signal has from what it is made of.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    /// How many formulas stand one on another.
    storeys: usize,
    /// Nobody can say which way is better.
    unknown: bool,
    reads_stage: bool,
    /// A person of ours judges it.
    judged: bool,
}

/// What is made of a signal where it is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Use {
    /// A part, a formula, the choice of a model.
    #[default]
    Any,
    /// It moves the score by itself: an adjustment, a limit.
    Judging,
    /// It says which lifecycle stage a client is in.
    Staging,
}

/// The names of a model's signals, to find them by.
pub(crate) struct SignalNames<'m> {
    places: BTreeMap<&'m str, usize>,
    shown: String,
    marks: &'m [Marks],
    stages: &'m [String],
    purpose: Use,
}

impl<'m> SignalNames<'m> {
    pub(crate) fn of(signals: &'m Signals, stages: &'m [String]) -> Self {
        Self::new(signals.specs.iter().map(|(name, _)| name.as_str()), &signals.marks, stages)
    }

    fn new(names: impl Iterator<Item = &'m str>, marks: &'m [Marks], stages: &'m [String]) -> Self {
        let names: Vec<&str> = names.collect();
        let shown: Vec<&str> = names.iter().take(SHOWN).copied().collect();
        let shown = if shown.is_empty() { "none".to_owned() } else { shown.join(", ") };
        let places = names.into_iter().enumerate().map(|(place, name)| (name, place)).collect();
        Self { places, shown, marks, stages, purpose: Use::Any }
    }

    /// The same names, for another use.
    pub(crate) fn for_use(&self, purpose: Use) -> Self {
        let (places, shown) = (self.places.clone(), self.shown.clone());
        Self { places, shown, marks: self.marks, stages: self.stages, purpose }
    }

    /// The lifecycle stage that the member `stage` of a condition names, or a fault.
    pub(crate) fn stage(&self, object: &mut Object<'_>, faults: &mut Faults) -> Option<String> {
        let name: String = object.required("stage", faults)?;
        let path = object.path("stage");
        if self.purpose == Use::Staging {
            faults.add(path, "must not stand in the condition of a stage, which is what tells the stage");
        } else if self.stages.is_empty() {
            faults.add(path, "is for a set of models that names `stages`, which this does not");
        } else if !self.stages.contains(&name) {
            let known = self.stages.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
            faults.add(path, format!("must be one of the stages ({known}), found `{name}`"));
        }
        Some(name)
    }

    /// The signal of a name, or a fault at the path.
    pub(crate) fn find(&self, path: &str, name: &str, faults: &mut Faults) -> Option<usize> {
        let place = self.places.get(name).copied();
        if place.is_none() {
            faults.add(path, format!("must be one of the model's signals ({}), found `{name}`", self.shown));
        }
        let marks = place.and_then(|place| self.marks.get(place)).copied().unwrap_or_default();
        if self.purpose == Use::Judging && marks.unknown {
            faults.add(path, format!("must not be `{name}`, as long as its direction is unknown"));
        }
        if self.purpose == Use::Staging && marks.reads_stage {
            faults.add(path, format!("must not be `{name}`, which is read from the stage itself"));
        }
        place
    }

    /// The signal that the member `signal` names, or a fault.
    pub(crate) fn required(&self, object: &mut Object<'_>, faults: &mut Faults) -> Option<usize> {
        let name: String = object.required("signal", faults)?;
        self.find(&object.path("signal"), &name, faults)
    }

    /// Whether nobody can say yet which way of a signal is better.
    pub(crate) fn is_unknown(&self, signal: usize) -> bool {
        self.marks.get(signal).is_some_and(|marks| marks.unknown)
    }

    /// Whether a person of ours judges a signal, or something it is made of.
    pub(crate) fn is_judged(&self, signal: usize) -> bool {
        self.marks.get(signal).is_some_and(|marks| marks.judged)
    }
}

impl Signals {
    /// The signals of a model, with every fault of them.
    pub(crate) fn read(object: &mut Object<'_>, stages: &[String], faults: &mut Faults) -> Self {
        let path = object.path("signals");
        let members = match object.value("signals") {
            Some(Value::Object(members)) => members,
            Some(other) => {
                faults.add(path, format!("must be an object of signals, found {}", found(other)));
                return Self::default();
            }
            None => {
                faults.add(path, "is missing, it must be an object of signals");
                return Self::default();
            }
        };
        let names = SignalNames::new(members.keys().map(String::as_str), &[], stages);
        let around = Around { names: Some(&names), stages: Some(stages) };
        let read = |(name, spec): (&String, &Value)| {
            (name.clone(), SignalSpec::from_value(&format!("{path}.{name}"), spec, around, faults))
        };
        let specs: Vec<(String, Option<SignalSpec>)> = members.iter().map(read).collect();
        let marks = marks(&path, &specs, faults);
        Self { specs, marks }
    }

    /// The signals, if none of them has a fault.
    pub(crate) fn finish(self) -> Option<Vec<(String, SignalSpec)>> {
        let named = self.specs.into_iter().map(|(name, spec)| spec.map(|spec| (name, spec)));
        named.collect()
    }
}

/// How far a signal is worked through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    New,
    /// On the way to it, so many below.
    Open(usize),
    Done,
}

/// Walks from every formula to what it names, without recursion: finds the formulas that stand on themselves, and gives
/// every signal what it has from what it is made of. Every cycle holds a step back, and each step back is a fault.
fn marks(path: &str, specs: &[(String, Option<SignalSpec>)], faults: &mut Faults) -> Vec<Marks> {
    let mut marks = vec![Marks::default(); specs.len()];
    let mut progress = vec![Progress::New; specs.len()];
    let spec = |place: usize| specs.get(place).and_then(|(_, spec)| spec.as_ref());
    let name = |place: usize| specs.get(place).map_or("", |(name, _)| name.as_str());
    for root in 0..specs.len() {
        let mut way: Vec<(usize, usize)> = Vec::new();
        let mut next = Some(root).filter(|root| progress.get(*root) == Some(&Progress::New));
        loop {
            if let Some(enter) = next.take() {
                if let Some(state) = progress.get_mut(enter) {
                    *state = Progress::Open(way.len());
                }
                way.push((enter, 0));
            }
            let Some((place, step)) = way.last_mut() else { break };
            let (place, inputs) = (*place, spec(*place).map(SignalSpec::named).unwrap_or_default());
            if let Some(input) = inputs.get(*step).copied() {
                *step += 1;
                match progress.get(input) {
                    Some(Progress::New) => next = Some(input),
                    Some(Progress::Open(below)) => {
                        let cycle = way.iter().skip(*below).map(|(place, _)| name(*place));
                        let shown: Vec<&str> = cycle.take(SHOWN).collect();
                        let more = if way.len() - below > SHOWN { "... -> " } else { "" };
                        let cycle = format!("{} -> {more}{}", shown.join(" -> "), name(input));
                        let at = format!("{path}.{}.expr", name(place));
                        faults.add(at, format!("must not stand on itself: {cycle}"));
                    }
                    Some(Progress::Done) | None => {}
                }
                continue;
            }
            way.pop();
            if let Some(state) = progress.get_mut(place) {
                *state = Progress::Done;
            }
            if let Some(spec) = spec(place) {
                let of = |input: &usize| marks.get(*input).copied().unwrap_or_default();
                let own = mark(spec, inputs.iter().map(of));
                // Told once, where it begins.
                if own.storeys == MOST_STOREYS + 1 {
                    let message =
                        format!("must stand on fewer formulas: at most {MOST_STOREYS}, one on another");
                    faults.add(format!("{path}.{}.expr", name(place)), message);
                }
                if let Some(mark) = marks.get_mut(place) {
                    *mark = own;
                }
            }
        }
    }
    marks
}

fn mark(spec: &SignalSpec, inputs: impl Iterator<Item = Marks>) -> Marks {
    let is_formula = spec.kind() == super::formula::Formula::KIND;
    let (reads_stage, judged) = (spec.reads_stage(), !spec.judgements().is_empty());
    let own = Marks { storeys: usize::from(is_formula), unknown: false, reads_stage, judged };
    let made = inputs.fold(own, |sum, input| Marks {
        storeys: sum.storeys.max(input.storeys + 1),
        unknown: sum.unknown || input.unknown,
        reads_stage: sum.reads_stage || input.reads_stage,
        judged: sum.judged || input.judged,
    });
    // Who states a direction has decided.
    let unknown = spec.stated_direction().map_or(made.unknown, |stated| stated == Direction::Unknown);
    Marks { unknown, ..made }
}

/// Whether a row of a client's history can be behind a change of a signal, by itself or by what it names.
pub(crate) fn behind(
    signals: &[(String, SignalSpec)],
    signal: usize,
    row: &HistoryRow,
    between: &Between<'_>,
) -> bool {
    any(signals, signal, |spec| spec.behind(row, between))
}

/// Whether a signal, or something it names, is so.
pub(crate) fn any(
    signals: &[(String, SignalSpec)],
    signal: usize,
    test: impl Fn(&SignalSpec) -> bool,
) -> bool {
    let mut seen = vec![false; signals.len()];
    let mut open = vec![signal];
    while let Some(place) = open.pop() {
        let (Some((_, spec)), Some(seen)) = (signals.get(place), seen.get_mut(place)) else { continue };
        if !std::mem::replace(seen, true) {
            if test(spec) {
                return true;
            }
            open.extend(spec.named());
        }
    }
    false
}

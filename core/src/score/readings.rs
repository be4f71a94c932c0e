//! The readings of one client at one instant, each made once, and the lifecycle stage that it is in.

use super::condition::{Condition, Tested};
use super::set::Model;
use crate::exchange::Rates;
use crate::signal::{Missing, Reading, Scope, SignalSpec, View};
use crate::state::support::TicketAt;
use crate::time::Day;
use std::cell::{Cell, OnceCell};

/// The signals of a model or of a set, by name.
type Named = [(String, SignalSpec)];

/// The readings of a client's signals, each read once.
pub(super) struct Readings<'v> {
    pub(super) view: View<'v>,
    pub(super) signals: &'v Named,
    cells: Vec<Cell<Option<Reading>>>,
    /// The stages of the set; `None` while they are worked out.
    stages: Option<Stages<'v>>,
    stage: OnceCell<Option<&'v str>>,
    /// The longest window in which users were counted, in days, and how many they were: several signals ask for the same.
    active: Cell<Option<(i32, usize)>>,
    /// Made when the first signal asks for it.
    tickets: OnceCell<Vec<TicketAt<'v>>>,
}

impl<'v> Readings<'v> {
    pub(super) fn new(view: View<'v>, signals: &'v Named, stages: Option<Stages<'v>>) -> Self {
        Self {
            view,
            signals,
            cells: vec![Cell::new(None); signals.len()],
            stages,
            stage: OnceCell::new(),
            active: Cell::new(None),
            tickets: OnceCell::new(),
        }
    }

    /// As [`Readings::new`], where the stage is known.
    pub(super) fn in_stage(
        view: View<'v>,
        signals: &'v Named,
        stages: Stages<'v>,
        stage: Option<&'v str>,
    ) -> Self {
        Self::in_room(Vec::new(), view, signals, stages, stage)
    }

    /// As [`Readings::in_stage`], in the room of earlier readings.
    pub(super) fn in_room(
        mut cells: Vec<Cell<Option<Reading>>>,
        view: View<'v>,
        signals: &'v Named,
        stages: Stages<'v>,
        stage: Option<&'v str>,
    ) -> Self {
        cells.clear();
        cells.resize(signals.len(), Cell::new(None));
        Self {
            view,
            signals,
            cells,
            stages: Some(stages),
            stage: OnceCell::from(stage),
            active: Cell::new(None),
            tickets: OnceCell::new(),
        }
    }

    /// The room, to be used again.
    pub(super) fn into_room(self) -> Vec<Cell<Option<Reading>>> {
        self.cells
    }

    /// The same signals at another instant.
    fn moved_to(&self, view: View<'v>) -> Self {
        Self::new(view, self.signals, self.stages)
    }

    /// Whether a condition holds for these readings.
    pub(super) fn meet(&self, condition: &Condition) -> bool {
        let reading = |signal| self.value(signal);
        condition.holds(&Tested { view: &self.view, reading: &reading, stage: self.own_stage() })
    }

    /// What signals are read from: the view, and the other readings around it.
    pub(super) fn scoped(&self) -> View<'_> {
        View { scope: Some(self), ..self.view }
    }

    pub(super) fn of(&self, signal: usize) -> Reading {
        self.known(signal).unwrap_or_else(|| self.of_scoped(signal, &self.scoped()))
    }

    fn known(&self, signal: usize) -> Option<Reading> {
        self.cells.get(signal)?.get()
    }

    /// As [`Readings::of`], for one who has [`Readings::scoped`] at hand.
    pub(super) fn of_scoped(&self, signal: usize, scoped: &View<'_>) -> Reading {
        let (Some(cell), Some((_, spec))) = (self.cells.get(signal), self.signals.get(signal)) else {
            return Reading::of(Err(Missing::NeverSeen));
        };
        cell.get().unwrap_or_else(|| {
            let reading = spec.read(scoped);
            cell.set(Some(reading));
            reading
        })
    }

    pub(super) fn value(&self, signal: usize) -> Option<f64> {
        self.of(signal).value()
    }

    /// The newest value of the last days, looked for at the ends of earlier days.
    pub(super) fn carried(&self, signal: usize, days: i32) -> Option<Reading> {
        let view = self.view;
        let ends = (1..=days).map(|n| view.zone.end_of(view.today.plus(-n)));
        let mut readings = ends.map(|end| self.moved_to(view.moved_to(end)).of(signal));
        readings.find(|reading| reading.value().is_some())
    }

    fn own_stage(&self) -> Option<&'v str> {
        *self.stage.get_or_init(|| self.stages.and_then(|stages| stages.find(&stages.readings(self.view))))
    }

    /// Whether an answer that was needed lies behind the seal.
    fn met_seal(&self) -> bool {
        self.cells.iter().filter_map(Cell::get).any(|reading| reading.missing() == Some(Missing::Sealed))
    }
}

impl Scope for Readings<'_> {
    fn reading(&self, signal: usize) -> Reading {
        self.of(signal)
    }

    fn stage(&self, view: &View<'_>) -> Result<Option<&str>, Missing> {
        let Some(stages) = self.stages else { return Ok(None) };
        let readings = stages.readings(*view);
        let stage = stages.find(&readings);
        if readings.met_seal() { Err(Missing::Sealed) } else { Ok(stage) }
    }

    fn active_users(&self, days: i32) -> Result<usize, Missing> {
        let longest = self.active.get();
        if let Some((_, users)) = longest.filter(|(counted, _)| *counted == days) {
            return Ok(users);
        }
        let users = self.view.count_active(days)?;
        if longest.is_none_or(|(counted, _)| counted < days) {
            self.active.set(Some((days, users)));
        }
        Ok(users)
    }

    fn tickets(&self) -> &[TicketAt<'_>] {
        self.tickets.get_or_init(|| self.view.tickets_at().collect())
    }

    fn turning_days(&self, view: &View<'_>) -> Option<Vec<Day>> {
        let mut days = Vec::new();
        let mut stages = self.stages.iter().flat_map(|stages| &stages.set.stages);
        let told = stages.all(|stage| stage.when.turning_days(view, &mut days));
        told.then_some(days)
    }
}

/// The lifecycle stages of a set, which see its own signals, sources and rates.
#[derive(Clone, Copy)]
pub(super) struct Stages<'a> {
    pub(super) set: &'a Model,
    pub(super) rates: Option<&'a Rates>,
}

impl<'a> Stages<'a> {
    /// The readings of the set's own signals, by which stages are told.
    fn readings<'v>(self, view: View<'v>) -> Readings<'v>
    where
        'a: 'v,
    {
        let view = View { sources: &self.set.sources, rates: self.rates, scope: None, ..view };
        Readings::new(view, &self.set.signals, None)
    }

    /// The first stage whose condition holds.
    fn find(self, readings: &Readings<'_>) -> Option<&'a str> {
        self.set.stages.iter().find(|stage| readings.meet(&stage.when)).map(|stage| stage.name.as_str())
    }

    /// The stage that a client is in.
    pub(super) fn of(self, view: &View<'_>) -> Option<&'a str> {
        if self.set.stages.is_empty() { None } else { self.find(&self.readings(*view)) }
    }
}

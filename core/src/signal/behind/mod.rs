//! Which events can be behind the change of a signal's reading: every kind says what of a client's history moves it.

mod billing;
mod client;
mod support;
mod usage;

use super::View;
use super::formula::Formula;
use super::stage::StageDays;
use crate::state::history::HistoryRow;
use crate::time::{Day, Instant};
use crate::timeline::{Stamp, Timeline};
pub(crate) use billing::{moves_paying, moves_tenure, moves_trial};

/// What a kind of signal says of the events that move it.
pub(crate) trait Behind {
    /// Whether a row of the history can be behind a change of the reading: it came in, or it counts at one end and not at
    /// the other. What passes the signal by is behind nothing.
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool;
}

/// One client at the two ends of a stretch of time.
#[derive(Clone, Copy)]
pub(crate) struct Between<'v> {
    /// The earlier end.
    pub(super) from: View<'v>,
    /// The later end.
    pub(super) to: View<'v>,
}

impl<'v> Between<'v> {
    /// Of two views of one client, in any order.
    pub(crate) fn new(a: View<'v>, b: View<'v>) -> Self {
        if a.at <= b.at { Self { from: a, to: b } } else { Self { from: b, to: a } }
    }

    pub(crate) fn earlier(&self) -> &View<'v> {
        &self.from
    }

    pub(crate) fn later(&self) -> &View<'v> {
        &self.to
    }

    /// Both ends so many days earlier.
    pub(super) fn moved_back(&self, days: i32) -> Self {
        Self { from: self.from.moved_back(days), to: self.to.moved_back(days) }
    }

    /// Whether a row came in after the one end and by the other.
    pub(crate) fn happened(&self, row: &HistoryRow) -> bool {
        self.holds(row.at)
    }

    /// Whether an instant is after the one end and by the other.
    fn holds(&self, at: Instant) -> bool {
        self.from.at < at && at <= self.to.at
    }

    /// Whether the answer of one end is not that of the other.
    pub(crate) fn differs<T: PartialEq>(&self, answer: impl Fn(&View<'v>) -> T) -> bool {
        answer(&self.from) != answer(&self.to)
    }

    /// Whether a row is on a day of the window at one end, and at the other not yet or no longer.
    fn crosses(&self, row: &HistoryRow, days: i32) -> bool {
        self.differs(|view| row.at <= view.at && within(view.days(days), view.zone.day(row.at)))
    }

    /// Whether a row came in that states a field of the client.
    pub(crate) fn states<T>(&self, row: &HistoryRow, field: Option<&Timeline<T>>) -> bool {
        let states = |field: &Timeline<T>| field.entries().iter().any(|entry| row.is(&entry.stamp));
        row.kind == "client.set" && self.happened(row) && field.is_some_and(states)
    }

    /// Whether a row came in that states an attribute.
    pub(crate) fn states_attribute(&self, row: &HistoryRow, key: &str) -> bool {
        self.states(row, self.to.state.profile.stated.attributes.get(key))
    }

    /// Whether a row is the first time that the client reached a milestone.
    pub(crate) fn reaches(&self, row: &HistoryRow, milestone: &str) -> bool {
        row.kind == "client.milestone_reached"
            && row.about.as_deref() == Some(milestone)
            && self.happened(row)
            && self.to.reached(milestone) == Some(row.at)
    }
}

fn within((first, last): (Day, Day), day: Day) -> bool {
    (first..=last).contains(&day)
}

impl HistoryRow {
    /// Whether it is the row of an event.
    pub(crate) fn is(&self, stamp: &Stamp) -> bool {
        let same = self.event.as_ref().map(|event| (event.source.as_str(), event.id.as_str()));
        self.at == stamp.at() && same == Some(stamp.names())
    }
}

impl Behind for StageDays {
    /// What moved the client into its stage is told by the conditions of the stages, and the clock does the rest.
    fn behind(&self, _row: &HistoryRow, _between: &Between<'_>) -> bool {
        false
    }
}

impl Behind for Formula {
    /// By the signals inside it. What it names is asked by itself.
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        self.inline.iter().any(|signal| signal.behind(row, between))
    }
}

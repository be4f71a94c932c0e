//! The lifecycle as a signal: for how long a client is in the stage that it is in.

use super::named::Around;
use super::params::{Faults, Object};
use super::{Measure, Missing, View, signal};
use crate::time::Day;

/// How far back the beginning of a stage is looked for, in days.
const MOST_DAYS: i32 = 3660;

signal! {
    /// Calendar days since the client came into the lifecycle stage that it is in.
    StageDays = "stage_days", "days", Either, instant {
        /// Only while it is in this stage.
        stage: Option<String>,
    }
}

impl StageDays {
    /// Only a set with stages can tell.
    pub(super) fn check(&self, object: &Object<'_>, around: Around<'_>, faults: &mut Faults) {
        let Some(stages) = around.stages else { return };
        if stages.is_empty() {
            faults
                .add(object.path("kind"), "is for models of a set that names `stages`, which this does not");
        } else if let Some(stage) = self.stage.as_ref().filter(|stage| !stages.contains(stage)) {
            let known = stages.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
            faults.add(object.path("stage"), format!("must be one of the stages ({known}), found `{stage}`"));
        }
    }
}

impl Measure for StageDays {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let scope = view.scope.ok_or(Missing::NeverSeen)?;
        let stage = scope.stage(view)?.ok_or(Missing::NeverSeen)?;
        if self.stage.as_ref().is_some_and(|wanted| wanted != stage) {
            return Err(Missing::NeverSeen);
        }
        let came_in = |days: i32| -> Result<bool, Missing> {
            let before = view.moved_to(view.zone.end_of(view.today.plus(-days - 1)));
            Ok(!before.seen() || scope.stage(&before)? != Some(stage))
        };
        let ages = scope.turning_days(view).map(|turns| ages(turns, view));
        // Where every day can be the one, one after the other is asked.
        for days in ages.into_iter().flatten().chain(0..MOST_DAYS) {
            if came_in(days)? {
                return Ok(f64::from(days));
            }
        }
        Ok(f64::from(MOST_DAYS))
    }
}

/// How many days ago the stage can have become what it is, the newest first.
fn ages(turns: Vec<Day>, view: &View<'_>) -> Vec<i32> {
    let seen = view.state.first_event().map(|first| view.zone.day(first));
    let days = turns.into_iter().chain(seen).chain(view.state.usage.first_day());
    let mut ages: Vec<i32> = days.map(|day| view.today.days_since(day)).collect();
    ages.retain(|age| (0..MOST_DAYS).contains(age));
    ages.sort_unstable();
    ages.dedup();
    ages
}

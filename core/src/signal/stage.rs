//! The lifecycle as a signal: for how long a client is in the stage that it is in.

use super::named::Around;
use super::params::{Faults, Object};
use super::{Measure, Missing, View, signal};

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
        for days in 0..MOST_DAYS {
            let before = view.moved_to(view.zone.end_of(view.today.plus(-days - 1)));
            if !before.seen() || scope.stage(&before)? != Some(stage) {
                return Ok(f64::from(days));
            }
        }
        Ok(f64::from(MOST_DAYS))
    }
}

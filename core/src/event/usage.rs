//! Usage events: what a client's users did.

use super::fields::payload;
use super::values::SetOf;
use crate::id::{MetricName, UserId};
use crate::quantity::Quantity;
use crate::time::Day;

payload! {
    /// A metric was used. Counts of a day add up; a negative count takes an earlier one back.
    Counted = "usage.counted" {
        /// What was used.
        metric: MetricName,
        /// How much.
        count: Quantity = Quantity::ONE,
        /// Who used it.
        user: Option<UserId>,
    }
}

payload! {
    /// A gauge was read: a share of missed calls, storage used, a north-star value.
    Measured = "usage.measured" {
        /// What was measured.
        metric: MetricName,
        /// The sample.
        value: Quantity,
        /// Who was measured.
        user: Option<UserId>,
    }
}

payload! {
    /// A roll-up: all of this source's use of the metric on one day, as known at the event's time. A later one replaces it.
    DaySet = "usage.day_set" {
        /// What was used.
        metric: MetricName,
        /// The calendar day the use belongs to.
        day: Day,
        /// How much.
        count: Quantity,
        /// Who used it that day.
        users: Option<SetOf<UserId>>,
    }
}

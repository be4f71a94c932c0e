//! What we know of a client's use: exact sums and gauges by day, and who was active.

use super::users::Users;
use crate::active::{UserDays, UserNumber};
use crate::batch::{Row, UsageBatch};
use crate::daily::{Cells, DaySums, Samples};
use crate::event::borrowed::BorrowedEvent;
use crate::event::usage::{Counted, DaySet, Measured};
use crate::id::{MetricName, SourceId, UserId};
use crate::keyed::Keyed;
use crate::quantity::Quantity;
use crate::rare::{Apart, Rare};
use crate::time::{Day, Instant};
use crate::timeline::Stamp;
use crate::zone::Zone;
use serde::{Deserialize, Serialize};

/// The standing roll-up of one source for one metric and day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RollUp {
    /// When it was stated; a later one replaces it.
    stamp: Stamp,
    count: Quantity,
    users: Vec<u32>,
}

/// The day and the source of a roll-up.
type RollUpKey = (Day, SourceId);

/// How much one metric was used.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct MetricUse {
    /// Counted events and standing roll-ups together.
    sums: DaySums,
    /// `None` in a slot that is about to be filled.
    #[serde(with = "crate::rare")]
    roll_ups: Rare<Keyed<RollUpKey, Option<RollUp>>>,
}

impl MetricUse {
    pub(crate) fn sums(&self) -> &DaySums {
        &self.sums
    }

    /// Puts a roll-up in its place if it is later than what stands, and keeps the sum in step.
    fn set(&mut self, key: &RollUpKey, new: RollUp) {
        let slot = self.roll_ups.get_or_insert_default().entry(key);
        if slot.as_ref().is_some_and(|standing| standing.stamp >= new.stamp) {
            return;
        }
        let before = slot.as_ref().map_or(0, |standing| standing.count.micros());
        let change = i128::from(new.count.micros()) - i128::from(before);
        *slot = Some(new);
        self.sums.add(key.0, change);
    }

    fn standing(&self) -> impl Iterator<Item = (&RollUpKey, &RollUp)> {
        let roll_ups = self.roll_ups.iter().flat_map(|roll_ups| roll_ups.iter());
        roll_ups.filter_map(|(key, slot)| slot.as_ref().map(|roll_up| (key, roll_up)))
    }

    fn standing_mut(&mut self) -> impl Iterator<Item = &mut RollUp> {
        self.roll_ups.iter_mut().flat_map(|roll_ups| roll_ups.values_mut()).flatten()
    }
}

/// A client's use of the product.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct UsageState {
    counted: Keyed<MetricName, MetricUse>,
    gauges: Apart<Keyed<MetricName, Cells<Day, Samples>>>,
    users: Users,
    active: UserDays,
    /// The least time of a counted or measured event.
    first_time: Option<Instant>,
    /// The least day of use, whatever was counted.
    first_day: Option<Day>,
    /// The least day of a usage event that named a user.
    first_user: Option<Day>,
}

/// The lesser of two, as far as they are known.
pub(crate) fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl UsageState {
    pub(crate) fn counted(&mut self, event: &BorrowedEvent<'_>, data: &Counted, personal: bool, zone: &Zone) {
        let day = zone.day(event.time);
        self.counted.entry(&data.metric).sums.add(day, i128::from(data.count.micros()));
        self.note(event.time, day);
        self.note_user(day, data.user.as_ref().map(UserId::as_str).filter(|_| personal));
    }

    pub(crate) fn measured(
        &mut self,
        event: &BorrowedEvent<'_>,
        data: &Measured,
        personal: bool,
        zone: &Zone,
    ) {
        let day = zone.day(event.time);
        let sample = Samples::one(data.value, Stamp::of(event));
        self.gauges.make().entry(&data.metric).merge(day, sample, Samples::join);
        self.note(event.time, day);
        self.note_user(day, data.user.as_ref().map(UserId::as_str).filter(|_| personal));
    }

    pub(crate) fn day_set(&mut self, event: &BorrowedEvent<'_>, data: &DaySet, personal: bool) {
        let users =
            data.users.as_ref().filter(|_| personal).map(|users| users.as_slice()).unwrap_or_default();
        let mut numbers: Vec<u32> = users.iter().map(|user| self.users.number(user.as_str()).0).collect();
        numbers.sort_unstable();
        let roll_up = RollUp { stamp: Stamp::of(event), count: data.count, users: numbers };
        // A day whose roll-up is 0 still has a cell: the state must not tell in which order versions came.
        let metric = self.counted.entry(&data.metric);
        metric.sums.add(data.day, 0);
        metric.set(&(data.day, SourceId::new(event.source)), roll_up);
        // A roll-up belongs to its day, whenever it was stated.
        self.first_day = least(self.first_day, Some(data.day));
        if !users.is_empty() {
            self.first_user = least(self.first_user, Some(data.day));
        }
    }

    /// Takes in the rows of one batch that are this client's, metric by metric, those of a metric in the order they came.
    pub(crate) fn fold_rows(&mut self, rows: &[&Row], batch: &UsageBatch) {
        let by_metric = || rows.chunk_by(|a, b| a.same_metric(b));
        if self.counted.len() == 0 {
            self.counted.reserve(by_metric().count());
        }
        for of_metric in by_metric() {
            let first = of_metric.first().and_then(|row| Some((row, batch.metric(row)?)));
            let Some((first, name)) = first else { continue };
            if batch.sample(first).is_some() {
                let gauge = self.gauges.make().entry(name);
                for row in of_metric {
                    let sample = batch.sample(row).map(|(value, stamp)| Samples::one(*value, stamp.clone()));
                    sample.into_iter().for_each(|sample| gauge.merge(row.day, sample, Samples::join));
                }
            } else {
                let sums = &mut self.counted.entry(name).sums;
                // Mostly in order of time, so that the rows of a day stand together.
                let by_day = || of_metric.chunk_by(|a, b| a.day == b.day);
                sums.reserve(by_day().count());
                for of_day in by_day() {
                    let sum = of_day.iter().map(|row| i128::from(row.micros())).sum();
                    of_day.first().into_iter().for_each(|row| sums.add(row.day, sum));
                }
            }
        }
    }

    /// Notes when the rows of a batch were, and who they were about, as far as that is to be kept.
    pub(crate) fn note_rows<'u>(&mut self, rows: &[&Row], user: impl Fn(&Row) -> Option<&'u str>) {
        self.first_time = least(self.first_time, rows.iter().map(|row| row.time).min());
        self.first_day = least(self.first_day, rows.iter().map(|row| row.day).min());
        rows.iter().for_each(|row| self.note_user(row.day, user(row)));
    }

    fn note(&mut self, time: Instant, day: Day) {
        self.first_time = least(self.first_time, Some(time));
        self.first_day = least(self.first_day, Some(day));
    }

    fn note_user(&mut self, day: Day, user: Option<&str>) {
        let Some(user) = user else { return };
        let number = self.users.number(user);
        self.active.insert(day, number);
        self.first_user = least(self.first_user, Some(day));
    }

    /// A number of each list itself, as [`UsageState::warm`] has one of what the lists hold.
    pub(crate) fn warm_lists(&self) -> u64 {
        let names = self.counted.iter().map(|(name, _)| name.as_str().len() as u64);
        names.fold(self.active.warm_lists(), u64::wrapping_add)
    }

    pub(crate) fn warm(&self) -> u64 {
        let sums = self.counted.values().map(|metric| metric.sums.warm());
        sums.fold(self.active.warm(), u64::wrapping_add)
    }

    pub(crate) fn metric(&self, metric: &str) -> Option<&MetricUse> {
        self.counted.get(metric)
    }

    /// The place of a metric among all of the client.
    pub(crate) fn place_of(&self, metric: &str) -> Option<usize> {
        self.counted.place(metric)
    }

    pub(crate) fn metric_at(&self, place: usize) -> Option<&MetricUse> {
        self.counted.at(place)
    }

    pub(crate) fn metrics(&self) -> impl Iterator<Item = (&MetricName, &MetricUse)> {
        self.counted.iter()
    }

    pub(crate) fn gauge(&self, metric: &str) -> Option<&Cells<Day, Samples>> {
        self.gauges.get(metric)
    }

    pub(crate) fn gauges(&self) -> impl Iterator<Item = (&MetricName, &Cells<Day, Samples>)> {
        self.gauges.iter()
    }

    pub(crate) fn users(&self) -> &Users {
        &self.users
    }

    pub(crate) fn first_time(&self) -> Option<Instant> {
        self.first_time
    }

    pub(crate) fn first_day(&self) -> Option<Day> {
        self.first_day
    }

    pub(crate) fn first_user(&self) -> Option<Day> {
        self.first_user
    }

    /// The standing roll-ups: metric, day, and when it was stated.
    pub(crate) fn roll_ups(&self) -> impl Iterator<Item = (&MetricName, Day, &Stamp)> {
        self.counted.iter().flat_map(|(name, metric)| {
            metric.standing().map(move |((day, _), roll_up)| (name, *day, &roll_up.stamp))
        })
    }

    /// Shows the stamps of the standing roll-ups.
    pub(crate) fn visit_stamps(&self, see: &mut dyn FnMut(&Stamp)) {
        self.counted.values().flat_map(MetricUse::standing).for_each(|(_, roll_up)| see(&roll_up.stamp));
    }

    /// How many metrics and gauges there are.
    pub(crate) fn metric_count(&self) -> usize {
        self.counted.len() + self.gauges.len()
    }

    /// How many users were active on the days from one to another, both included.
    pub(crate) fn active_users(&self, first: Day, last: Day) -> usize {
        if self.users.len() <= 64 {
            // One bit a user, which fit one word for most clients.
            let mut seen = 0_u64;
            self.each_active(first, last, |number| seen |= 1_u64.checked_shl(number).unwrap_or(0));
            return seen.count_ones() as usize;
        }
        let mut seen = vec![0_u64; self.users.len().div_ceil(64)];
        self.each_active(first, last, |number| {
            if let Some(word) = seen.get_mut(number as usize / 64) {
                *word |= 1 << (number % 64);
            }
        });
        seen.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Shows the numbers of the users who were active on some days, each at least once.
    fn each_active(&self, first: Day, last: Day, mut see: impl FnMut(u32)) {
        self.active.each_within(first, last, |user| see(user.0));
        let rolled_up = self.counted.values().filter(|metric| metric.roll_ups.is_some());
        let standing = rolled_up.flat_map(MetricUse::standing);
        let rolled = standing.filter(|((day, _), _)| (first..=last).contains(day));
        rolled.for_each(|(_, roll_up)| roll_up.users.iter().for_each(|number| see(*number)));
    }

    /// Takes in what another engine holds of the same client.
    pub(crate) fn join(&mut self, other: Self) {
        let numbers = self.take_users(&other);
        self.first_time = least(self.first_time, other.first_time);
        self.first_day = least(self.first_day, other.first_day);
        self.first_user = least(self.first_user, other.first_user);
        self.gauges.join(other.gauges, |ours, theirs| ours.join(theirs, join_gauges));
        for (metric, mut theirs) in other.counted.into_pairs() {
            let ours = self.counted.entry(&metric);
            // Roll-ups are keyed and may overlap; only what is counted adds up.
            for (key, slot) in theirs.roll_ups.take().into_iter().flat_map(|roll_ups| roll_ups.into_pairs()) {
                let Some(mut roll_up) = slot else { continue };
                theirs.sums.add(key.0, -i128::from(roll_up.count.micros()));
                renumber(&mut roll_up.users, &numbers);
                ours.set(&key, roll_up);
            }
            ours.sums.join(theirs.sums);
        }
    }

    /// Takes in the use of a client that was merged into this one. Its roll-ups stand beside ours, so they are no
    /// longer told apart: this is for reading, not for keeping.
    pub(crate) fn absorb(&mut self, other: Self) {
        let numbers = self.take_users(&other);
        self.first_time = least(self.first_time, other.first_time);
        self.first_day = least(self.first_day, other.first_day);
        self.first_user = least(self.first_user, other.first_user);
        self.gauges.join(other.gauges, |ours, theirs| ours.join(theirs, join_gauges));
        for (metric, theirs) in other.counted.into_pairs() {
            let ours = self.counted.entry(&metric);
            for ((day, _), roll_up) in theirs.standing() {
                for user in &roll_up.users {
                    let user = numbers.get(*user as usize).copied().unwrap_or(UserNumber(*user));
                    self.active.insert(*day, user);
                }
            }
            ours.sums.join(theirs.sums);
        }
    }

    /// Takes in the users of another state and who was active there; returns our numbers of theirs.
    fn take_users(&mut self, other: &Self) -> Vec<UserNumber> {
        let numbers: Vec<UserNumber> =
            other.users.names().iter().map(|name| self.users.number(name.as_str())).collect();
        for (day, user) in other.active.iter() {
            if let Some(user) = numbers.get(user.0 as usize) {
                self.active.insert(day, *user);
            }
        }
        numbers
    }

    /// Drops who used it, keeps how much.
    pub(crate) fn erase(&mut self) {
        self.users = Users::default();
        self.active = UserDays::default();
        self.first_user = None;
        for roll_up in self.counted.values_mut().flat_map(MetricUse::standing_mut) {
            roll_up.users = Vec::new();
        }
    }

    /// Gives up the detail before a day.
    pub(crate) fn seal(&mut self, before: Day) {
        for metric in self.counted.values_mut() {
            metric.sums.seal(before);
            if let Some(roll_ups) = &mut metric.roll_ups {
                roll_ups.retain(|(day, _), _| *day >= before);
            }
            metric.roll_ups.take_if(|roll_ups| roll_ups.len() == 0);
        }
        for gauge in self.gauges.made().into_iter().flat_map(Keyed::values_mut) {
            gauge.split_before(before);
        }
        self.active.seal(before);
        if let Some(compacted) = self.compacted() {
            *self = compacted;
        }
    }

    /// The number of everybody who is known to have been there, some more than once.
    fn user_numbers(&self) -> impl Iterator<Item = u32> {
        let rolled =
            self.counted.values().flat_map(MetricUse::standing).flat_map(|(_, r)| r.users.iter().copied());
        self.active.iter().map(|(_, user)| user.0).chain(rolled)
    }

    /// Whether each of these numbers is that of a user. It is of whatever was folded; what was saved may be forged.
    pub(crate) fn names_all_users(&self) -> bool {
        self.user_numbers().all(|number| (number as usize) < self.users.len())
    }

    /// The same use with the users numbered in order of their names and only those who are needed: the form that is
    /// saved and compared. `None` if it has that form already.
    pub(crate) fn compacted(&self) -> Option<Self> {
        let mut needed = vec![false; self.users.len()];
        for number in self.user_numbers() {
            if let Some(needed) = needed.get_mut(number as usize) {
                *needed = true;
            }
        }
        if needed.iter().all(|needed| *needed) && self.users.names().is_sorted() {
            return None;
        }
        let mut kept: Vec<u32> =
            (0u32..).zip(&needed).filter(|(_, needed)| **needed).map(|(n, _)| n).collect();
        kept.sort_unstable_by_key(|number| self.users.name(UserNumber(*number)));
        let mut users = Users::default();
        let mut numbers = vec![UserNumber(0); self.users.len()];
        for old in kept {
            if let (Some(name), Some(slot)) =
                (self.users.name(UserNumber(old)), numbers.get_mut(old as usize))
            {
                *slot = users.number(name.as_str());
            }
        }
        let mut compacted = Self { users, active: UserDays::default(), ..self.clone() };
        for (day, user) in self.active.iter() {
            if let Some(user) = numbers.get(user.0 as usize) {
                compacted.active.insert(day, *user);
            }
        }
        for roll_up in compacted.counted.values_mut().flat_map(MetricUse::standing_mut) {
            renumber(&mut roll_up.users, &numbers);
        }
        Some(compacted)
    }
}

fn join_gauges(ours: &mut Cells<Day, Samples>, theirs: Cells<Day, Samples>) {
    for cell in theirs.into_cells() {
        ours.merge(cell.key, cell.value, Samples::join);
    }
}

fn renumber(users: &mut [u32], numbers: &[UserNumber]) {
    for user in users.iter_mut() {
        if let Some(number) = numbers.get(*user as usize) {
            *user = number.0;
        }
    }
    users.sort_unstable();
}

#[cfg(test)]
mod tests;

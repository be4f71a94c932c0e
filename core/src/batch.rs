//! Usage in batches: noted as it is admitted, then folded client by client.
//!
//! Most of a log is usage, and most of what an event of usage costs is waiting for the memory of its client. Counts of a
//! day add up, so a batch may be folded in any order: all rows of a client together, its metrics one after the other. The
//! state cannot tell, and the memory of a client is waited for once a batch.

mod crowd;
mod names;

#[cfg(feature = "arrow")]
use crate::event::counted::CountedRow;
#[cfg(feature = "arrow")]
use crate::event::fields::MAX_TEXT;
use crate::event::line::{UsageKind, UsageRef};
use crate::id::{MetricName, SourceId};
use crate::merges::Slot;
use crate::quantity::Quantity;
use crate::time::{Day, Instant};
use crate::timeline::Stamp;
pub(crate) use crowd::{ByClient, ByMetric, ClientRows, Crowd, Row};
use crowd::{MEASURED, NONE, length_of};
use hashbrown::HashMap;
use names::Names;
pub(crate) use names::Number;

/// Usage that was admitted and is not yet folded.
#[derive(Debug)]
pub(crate) struct UsageBatch {
    /// Of each so many clients the rows, in order of the slots.
    crowds: Vec<Crowd>,
    /// A crowd has 2^`bits` slots.
    bits: u32,
    rows: usize,
    /// How many bytes the names of users take.
    users: usize,
    /// What was measured; the last sample of a day is told by its stamp.
    samples: Vec<(Quantity, Stamp)>,
    metrics: Names<MetricName>,
    sources: Names<SourceId>,
    /// The least time of each source and day.
    heard: HashMap<(Number, Day), Instant, foldhash::fast::FixedState>,
    /// The same of the events just before: most events share source and day with them.
    hearing: Option<((Number, Day), Instant)>,
    span: Option<(Instant, Instant)>,
}

/// A crowd has at least 2^10 slots, and there are at first at most 2^7 crowds: so few that a small batch makes few of them, and so
/// many that all that is folded of one stays near.
const BITS: u32 = 10;
const CROWD_BITS: u32 = 7;

impl UsageBatch {
    /// No usage yet, of a book with so many clients.
    pub(crate) fn of_clients(clients: usize) -> Self {
        // So many bits tell all clients apart.
        let bits = usize::BITS - clients.leading_zeros();
        Self {
            crowds: Vec::new(),
            bits: bits.saturating_sub(CROWD_BITS).clamp(BITS, Slot::BITS - 1),
            rows: 0,
            users: 0,
            samples: Vec::new(),
            metrics: Names::default(),
            sources: Names::default(),
            heard: HashMap::default(),
            hearing: None,
            span: None,
        }
    }

    /// Whether the name of one user more, if there is any, still has a place that can be told.
    pub(crate) fn has_room_for(&self, user: Option<&str>) -> bool {
        user.is_none_or(|user| length_of(user).is_some() && self.users + user.len() < NONE as usize / 2)
    }

    /// Whether the names of so many users more, each of a length that a field may have, still have places that can be told.
    #[cfg(feature = "arrow")]
    pub(crate) fn has_room_for_names(&self, users: usize) -> bool {
        const { assert!(MAX_TEXT < 0xD800, "so many bytes can be told") };
        self.users.saturating_add(users.saturating_mul(MAX_TEXT)) < NONE as usize / 2
    }

    /// Notes an event of usage that was admitted, of whose user there is room for the name.
    pub(crate) fn note(&mut self, event: &UsageRef<'_>, slot: Slot, day: Day) {
        let (Number(mut metric), source) =
            (self.metrics.number(event.metric), self.sources.number(event.source));
        self.hear(source, day, event.time);
        let mut amount = event.quantity.micros();
        if event.kind == UsageKind::Measured {
            metric |= MEASURED;
            amount = i64::try_from(self.samples.len()).unwrap_or(i64::MAX);
            self.samples.push((event.quantity, Stamp::of_usage(event)));
        }
        self.put(Row { time: event.time, amount, slot, metric, day, user: NONE }, event.user);
    }

    /// The number that a metric has in this batch.
    #[cfg(feature = "arrow")]
    pub(crate) fn number_of_metric(&mut self, metric: &str) -> Number {
        self.metrics.number(metric)
    }

    /// The number that a source has in this batch.
    #[cfg(feature = "arrow")]
    pub(crate) fn number_of_source(&mut self, source: &str) -> Number {
        self.sources.number(source)
    }

    /// Notes a row of counted usage that was admitted, as [`UsageBatch::note`] does.
    #[cfg(feature = "arrow")]
    pub(crate) fn note_counted(
        &mut self,
        row: &CountedRow<'_>,
        (source, Number(metric)): (Number, Number),
        slot: Slot,
        day: Day,
    ) {
        let (time, amount) = (row.time, row.count.micros());
        self.hear(source, day, time);
        self.put(Row { time, amount, slot, metric, day, user: NONE }, row.user);
    }

    /// Notes that a source was heard of.
    #[inline]
    fn hear(&mut self, source: Number, day: Day, time: Instant) {
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
        match &mut self.hearing {
            Some((of, least)) if *of == (source, day) => *least = time.min(*least),
            hearing => {
                if let Some((of, least)) = hearing.replace(((source, day), time)) {
                    self.heard.entry(of).and_modify(|known| *known = least.min(*known)).or_insert(least);
                }
            }
        }
    }

    /// Puts a row among those of its crowd, and the name of its user.
    #[inline]
    fn put(&mut self, row: Row, user: Option<&str>) {
        let crowd = (row.slot >> self.bits) as usize;
        if crowd >= self.crowds.len() {
            self.crowds.resize_with(crowd + 1, Crowd::default);
        }
        if let Some(crowd) = self.crowds.get_mut(crowd) {
            let user = user.map_or(NONE, |user| crowd.name(user));
            crowd.push(Row { user, ..row });
        }
        self.rows += 1;
        self.users += user.map_or(0, str::len);
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Takes out the rows, crowd by crowd, each with the first of its slots and how many it has.
    pub(crate) fn take_crowds(&mut self) -> impl Iterator<Item = (Slot, Slot, Crowd)> + use<> {
        let bits = self.bits;
        (0..)
            .zip(std::mem::take(&mut self.crowds))
            .map(move |(number, crowd): (Slot, Crowd)| (number << bits, 1 << bits, crowd))
    }

    /// The sample of a row of what was measured.
    pub(crate) fn sample(&self, row: &Row) -> Option<&(Quantity, Stamp)> {
        let number = Some(row.amount).filter(|_| row.is_measured());
        self.samples.get(usize::try_from(number?).ok()?)
    }

    /// The name of the metric of a row.
    pub(crate) fn metric(&self, row: &Row) -> Option<&MetricName> {
        self.metrics.name(Number(row.metric & !MEASURED))
    }

    /// The metrics of the rows.
    pub(crate) fn metrics(&self) -> &Names<MetricName> {
        &self.metrics
    }

    /// The first and the last instant of the rows.
    pub(crate) fn span(&self) -> Option<(Instant, Instant)> {
        self.span
    }

    /// When each source was first heard of on each day, source by source in order of days; a day may come twice.
    pub(crate) fn heard(&self) -> impl Iterator<Item = (&SourceId, Day, Instant)> {
        let noted = self.heard.iter().map(|(of, time)| (*of, *time)).chain(self.hearing);
        let mut noted: Vec<((Number, Day), Instant)> = noted.collect();
        // So that of many days most are put behind those that are known, and move nothing.
        noted.sort_unstable();
        noted.into_iter().filter_map(|((source, day), time)| Some((self.sources.name(source)?, day, time)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_together_by_metric_in_the_order_they_came() {
        let mut batch = UsageBatch::of_clients(0);
        let events = [
            ("a", 9, false),
            ("b", 1, false),
            ("a", 3, true),
            ("a", -4, false),
            ("b", 1, true),
            ("a", 9, false),
        ];
        for (metric, day, measured) in events {
            let kind = if measured { UsageKind::Measured } else { UsageKind::Counted };
            batch.note(&UsageRef { metric, kind, ..usage("i") }, 0, Day::from_epoch(day));
        }
        let crowd = crowd(&mut batch);
        let rows: Vec<&Row> = crowd.rows().iter().collect();
        let mut by_metric = ByMetric::of(&batch);
        for _ in 0..2 {
            let told = by_metric
                .order(&rows)
                .iter()
                .map(|row| (batch.metric(row).unwrap().as_str(), row.day.number(), row.is_measured()));
            let expected = [
                ("a", 9, false),
                ("a", -4, false),
                ("a", 9, false),
                ("b", 1, false),
                ("a", 3, true),
                ("b", 1, true),
            ];
            assert_eq!(told.collect::<Vec<_>>(), expected, "and nothing is left over for the next client");
            assert_eq!(by_metric.order(&rows[1..2]).len(), 1);
        }
        assert!(
            rows[0].same_metric(rows[3]) && !rows[0].same_metric(rows[2]) && !rows[0].same_metric(rows[1])
        );
    }

    fn usage(id: &str) -> UsageRef<'_> {
        UsageRef {
            id,
            source: "s",
            subject: "c",
            time: Instant::MIN,
            sequence: 0,
            recorded: None,
            kind: UsageKind::Counted,
            metric: "m",
            quantity: Quantity::ONE,
            user: None,
        }
    }

    /// The one crowd of a small batch.
    fn crowd(batch: &mut UsageBatch) -> Crowd {
        let mut crowds: Vec<(Slot, Slot, Crowd)> = batch.take_crowds().collect();
        assert_eq!((crowds.len(), crowds[0].0, crowds[0].1), (1, 0, 1 << BITS));
        crowds.remove(0).2
    }

    #[test]
    fn each_row_has_its_user_and_its_stamp() {
        let mut batch = UsageBatch::of_clients(3);
        let users = [Some("ann"), None, Some(""), Some("bo"), None];
        for user in users {
            let kind = if user.is_some() { UsageKind::Counted } else { UsageKind::Measured };
            batch.note(&UsageRef { user, kind, ..usage("i") }, 0, Day::from_epoch(0));
        }
        let crowd = crowd(&mut batch);
        let rows = || crowd.rows().iter();
        assert!(rows().map(|row| crowd.user(row)).eq(users));
        assert!(rows().map(|row| batch.sample(row).is_some()).eq(users.map(|user| user.is_none())));
        assert!(rows().all(|row| row.is_measured() == (row.micros() == 0)));
        assert!(rows().all(|row| batch.metric(row).is_some_and(|name| name.as_str() == "m")));
        assert!(size_of::<Row>() <= 32, "a batch has many");
    }

    #[test]
    fn names_of_users_of_any_length_are_told_apart() {
        let names: Vec<String> = [1, 127, 128, 255, 256, 3_000].map(|length| "\u{e9}z".repeat(length)).into();
        let mut batch = UsageBatch::of_clients(0);
        for name in &names {
            assert!(batch.has_room_for(Some(name)));
            batch.note(&UsageRef { user: Some(name), ..usage("i") }, 0, Day::from_epoch(0));
        }
        // No character has a number like this one.
        assert!(!batch.has_room_for(Some(&"z".repeat(0xD800))) && batch.has_room_for(None));
        let crowd = crowd(&mut batch);
        let users = crowd.rows().iter().map(|row| crowd.user(row));
        assert!(users.eq(names.iter().map(|name| Some(name.as_str()))));
    }

    #[test]
    fn rows_are_ordered_by_slot_however_many_slots_there_are() {
        let mut batch = UsageBatch::of_clients(0);
        for slot in [3, 0, 2, 3, 0] {
            batch.note(&usage("i"), slot, Day::from_epoch(0));
        }
        let crowd = crowd(&mut batch);
        let counted = crowd.by_client(0, 4);
        assert_eq!(counted.order, [1, 4, 2, 0, 3]);
        let client = |slot: Slot, rows: std::ops::Range<usize>| ClientRows { slot, rows };
        assert_eq!(counted.clients, [client(0, 0..2), client(2, 2..3), client(3, 3..5)]);
        let sorted = crowd.by_client(0, 1_000);
        assert_eq!((sorted.order, sorted.clients), (counted.order, counted.clients));
        assert_eq!((batch.len(), batch.metrics().len(), batch.heard().count()), (5, 1, 1));
    }

    #[test]
    fn clients_that_stand_far_from_each_other_are_of_different_crowds() {
        let (far, last) = ((5 << BITS) + 7, 9 << BITS);
        let mut batch = UsageBatch::of_clients(0);
        for slot in [far, 0, last, far] {
            batch.note(&usage("i"), slot, Day::from_epoch(0));
        }
        let rows = batch.take_crowds().flat_map(|(first, slots, crowd)| {
            let clients = crowd.by_client(first, slots).clients.into_iter();
            clients.map(|client| (client.slot, client.rows.len()))
        });
        assert_eq!(rows.collect::<Vec<_>>(), [(0, 1), (far, 2), (last, 1)]);
        assert_eq!(batch.take_crowds().count(), 0);
        // Of a large book a crowd has more of the clients: 2^20 takes 21 bits.
        assert_eq!(UsageBatch::of_clients(1 << 20).bits, 14);
    }
}

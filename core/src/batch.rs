//! Usage in batches: noted as it is admitted, then folded client by client.
//!
//! Most of a log is usage, and most of what an event of usage costs is waiting for the memory of its client. Counts of a
//! day add up, so a batch may be folded in any order: all rows of a client together, its metrics one after the other and
//! the days of each in order. The state cannot tell, and the memory of a client is waited for once a batch.

use crate::event::line::{UsageKind, UsageRef};
use crate::id::{MetricName, SourceId};
use crate::index::Index;
use crate::merges::Slot;
use crate::quantity::Quantity;
use crate::time::{Day, Instant};
use crate::timeline::Stamp;
use hashbrown::HashMap;
use std::borrow::Borrow;

/// The number of a name within one batch; it never leaves the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Number(u32);

/// How many places there are for names that came a short while ago.
const RECENT: usize = 32;

/// The distinct names of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Names<N> {
    names: Vec<N>,
    index: Index,
    /// The last that was asked for.
    last: Number,
    /// Most events have a name that came a short while ago: here by what is cheap to tell of it.
    recent: [Number; RECENT],
}

impl<N> Default for Names<N> {
    fn default() -> Self {
        Self { names: Vec::new(), index: Index::default(), last: Number(0), recent: [Number(0); RECENT] }
    }
}

/// The place of a name among the recent ones: few names have length, first and last byte in common.
fn place_of(name: &str) -> usize {
    let byte = |byte: Option<&u8>| byte.copied().map_or(0, usize::from);
    (name.len() * 7 + byte(name.as_bytes().first()) * 5 + byte(name.as_bytes().last())) % RECENT
}

impl<N: Borrow<str> + for<'t> From<&'t str>> Names<N> {
    fn number(&mut self, name: &str) -> Number {
        if self.is(self.last, name) {
            return self.last;
        }
        let place = place_of(name);
        let recent = self.recent.get(place).copied().unwrap_or(Number(0));
        self.last = if self.is(recent, name) { recent } else { self.number_of_all(name, place) };
        self.last
    }

    fn is(&self, number: Number, name: &str) -> bool {
        self.name(number).is_some_and(|known| known.borrow() == name)
    }

    /// The number of a name, given if it has none, which is the recent one of its place from now on.
    fn number_of_all(&mut self, name: &str, place: usize) -> Number {
        let names = &mut self.names;
        let known = self.index.find(name, |number| names.get(number as usize).map(Borrow::borrow));
        let number = known.unwrap_or_else(|| {
            let number = u32::try_from(names.len()).unwrap_or(u32::MAX);
            names.push(name.into());
            self.index.insert(number, |number| names.get(number as usize).map(Borrow::borrow));
            number
        });
        if let Some(recent) = self.recent.get_mut(place) {
            *recent = Number(number);
        }
        Number(number)
    }

    pub(crate) fn name(&self, number: Number) -> Option<&N> {
        self.names.get(number.0 as usize)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }
}

/// One event of usage that was admitted: what the fold of its client needs, close together.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Row {
    pub(crate) time: Instant,
    /// Of what was counted the millionths, of what was measured the number of its sample.
    amount: i64,
    slot: Slot,
    /// The number of the metric, and [`MEASURED`] where it was measured.
    metric: u32,
    pub(crate) day: Day,
    /// Where its user stands among those of the batch: [`NONE`] if none is named.
    user: u32,
}

/// A place behind all there are.
const NONE: u32 = u32::MAX;
/// Beside the number of a metric, of which there are far fewer in a batch.
const MEASURED: u32 = 1 << 31;

impl Row {
    /// A number of each of its ends, of which the caller makes nothing: of many rows, so that the waits for them overlap.
    pub(crate) fn warm(&self) -> u64 {
        self.time.micros().cast_unsigned() ^ u64::from(self.user)
    }

    /// Whether two rows are of one metric, counted or measured.
    pub(crate) fn same_metric(&self, other: &Self) -> bool {
        self.metric == other.metric
    }

    /// A number of its metric, counted or measured: fewer than twice as many as the batch has metrics.
    fn family(&self) -> usize {
        2 * (self.metric & !MEASURED) as usize + usize::from(self.is_measured())
    }

    fn is_measured(&self) -> bool {
        self.metric & MEASURED != 0
    }

    /// What was counted, in millionths.
    pub(crate) fn micros(&self) -> i64 {
        if self.is_measured() { 0 } else { self.amount }
    }
}

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

    /// Notes an event of usage that was admitted, of whose user there is room for the name.
    pub(crate) fn note(&mut self, event: &UsageRef<'_>, slot: Slot, day: Day) {
        let (metric, source) = (self.metrics.number(event.metric), self.sources.number(event.source));
        match &mut self.hearing {
            Some((of, least)) if *of == (source, day) => *least = event.time.min(*least),
            hearing => {
                if let Some((of, least)) = hearing.replace(((source, day), event.time)) {
                    self.heard.entry(of).and_modify(|known| *known = least.min(*known)).or_insert(least);
                }
            }
        }
        let (first, last) = self.span.unwrap_or((event.time, event.time));
        self.span = Some((first.min(event.time), last.max(event.time)));
        let Number(mut metric) = metric;
        let mut amount = event.quantity.micros();
        if event.kind == UsageKind::Measured {
            metric |= MEASURED;
            amount = i64::try_from(self.samples.len()).unwrap_or(i64::MAX);
            self.samples.push((event.quantity, Stamp::of_usage(event)));
        }
        let crowd = (slot >> self.bits) as usize;
        if crowd >= self.crowds.len() {
            self.crowds.resize_with(crowd + 1, Crowd::default);
        }
        if let Some(crowd) = self.crowds.get_mut(crowd) {
            let user = event.user.map_or(NONE, |user| crowd.name(user));
            crowd.rows.push(Row { time: event.time, amount, slot, metric, day, user });
        }
        self.rows += 1;
        self.users += event.user.map_or(0, str::len);
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

/// The rows of clients that stand beside each other, in the order they were noted.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    rows: Vec<Row>,
    /// The names of the users of the rows, one behind the other, each behind a character that is as many as its bytes: most are
    /// short, and each row has its own.
    users: String,
}

impl Crowd {
    /// Notes the name of a user; returns where it stands.
    fn name(&mut self, user: &str) -> u32 {
        let (Some(length), Ok(place)) = (length_of(user), u32::try_from(self.users.len())) else {
            return NONE;
        };
        self.users.push(length);
        self.users.push_str(user);
        place
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The user that a row names.
    pub(crate) fn user(&self, row: &Row) -> Option<&str> {
        let mut name = self.users.get(row.user as usize..)?.chars();
        let length = name.next().map(u32::from)?;
        name.as_str().get(..length as usize)
    }

    /// A number of the name of the user of a row, of which the caller makes nothing: names stand in the order they came in.
    pub(crate) fn warm_user(&self, row: &Row) -> u64 {
        self.users.as_bytes().get(row.user as usize).map_or(0, |byte| u64::from(*byte))
    }

    /// The rows client by client, in order of their slots: so many from the first one on.
    pub(crate) fn by_client(&self, first: Slot, slots: Slot) -> ByClient {
        let numbered = (0u32..).zip(&self.rows).map(|(number, row)| (number, row.slot));
        // Rows are counted by slot, unless there are so many more slots than rows that this would cost more than sorting.
        if self.rows.len().saturating_mul(8) < slots as usize {
            let mut of: Vec<(u32, Slot)> = numbered.collect();
            of.sort_unstable_by_key(|(number, slot)| (*slot, *number));
            let mut behind = 0;
            let client = |rows: &[(u32, Slot)]| {
                let first = behind;
                behind += rows.len();
                Some(ClientRows { slot: rows.first()?.1, rows: first..behind })
            };
            let clients = of.chunk_by(|a, b| a.1 == b.1).filter_map(client).collect();
            return ByClient { order: of.into_iter().map(|(number, _)| number).collect(), clients };
        }
        let mut places = vec![0u32; slots as usize];
        for row in &self.rows {
            if let Some(count) = places.get_mut((row.slot - first) as usize) {
                *count += 1;
            }
        }
        let mut behind = 0;
        let mut clients = Vec::with_capacity(places.len());
        for (slot, place) in (first..).zip(&mut places) {
            let from = behind;
            behind += std::mem::replace(place, from);
            if from < behind {
                clients.push(ClientRows { slot, rows: from as usize..behind as usize });
            }
        }
        let mut order = vec![0u32; self.rows.len()];
        for (number, slot) in numbered {
            if let Some(place) = places.get_mut((slot - first) as usize) {
                if let Some(entry) = order.get_mut(*place as usize) {
                    *entry = number;
                }
                *place += 1;
            }
        }
        ByClient { order, clients }
    }
}

/// Puts rows of one client after another together metric by metric, counted and measured apart, each in the order they came: they
/// are counted, since to compare and sort them is a good part of what a fold costs.
#[derive(Debug)]
pub(crate) struct ByMetric<'b> {
    /// Of each metric how many rows there are, and then where the next of them goes; 0 between two clients.
    places: Vec<u32>,
    families: Vec<usize>,
    rows: Vec<&'b Row>,
}

impl<'b> ByMetric<'b> {
    pub(crate) fn of(batch: &UsageBatch) -> Self {
        Self { places: vec![0; 2 * batch.metrics.len()], families: Vec::new(), rows: Vec::new() }
    }

    /// The rows of a client of the batch.
    pub(crate) fn order(&mut self, rows: &[&'b Row]) -> &[&'b Row] {
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        self.families.clear();
        for row in rows {
            let Some(count) = self.places.get_mut(row.family()) else { continue };
            if *count == 0 {
                self.families.push(row.family());
            }
            *count += 1;
        }
        // Of one metric they stand already as they should.
        if self.families.len() > 1 {
            let mut behind = 0;
            for family in &self.families {
                if let Some(place) = self.places.get_mut(*family) {
                    behind += std::mem::replace(place, behind);
                }
            }
            for row in rows {
                let Some(place) = self.places.get_mut(row.family()) else { continue };
                if let Some(slot) = self.rows.get_mut(*place as usize) {
                    *slot = row;
                }
                *place += 1;
            }
        }
        for family in &self.families {
            if let Some(place) = self.places.get_mut(*family) {
                *place = 0;
            }
        }
        &self.rows
    }
}

/// The length of a name as a character, for a name of a usual length.
fn length_of(name: &str) -> Option<char> {
    char::from_u32(u32::try_from(name.len()).ok()?)
}

/// The rows of a batch client by client.
#[derive(Debug)]
pub(crate) struct ByClient {
    /// The numbers of the rows, those of one client in the order they were noted.
    pub(crate) order: Vec<u32>,
    pub(crate) clients: Vec<ClientRows>,
}

/// The rows of one client: these places of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientRows {
    pub(crate) slot: Slot,
    pub(crate) rows: std::ops::Range<usize>,
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

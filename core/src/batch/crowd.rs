//! The rows of a batch of usage, crowd by crowd: those of clients that stand beside each other, which are put in order of their
//! clients and metrics in the near memory.

use super::UsageBatch;
use crate::merges::Slot;
use crate::time::{Day, Instant};

/// One event of usage that was admitted: what the fold of its client needs, close together.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Row {
    pub(crate) time: Instant,
    /// Of what was counted the millionths, of what was measured the number of its sample.
    pub(super) amount: i64,
    pub(super) slot: Slot,
    /// The number of the metric, and [`MEASURED`] where it was measured.
    pub(super) metric: u32,
    pub(crate) day: Day,
    /// Where its user stands among those of the crowd: [`NONE`] if none is named.
    pub(super) user: u32,
}

/// A place behind all there are.
pub(super) const NONE: u32 = u32::MAX;
/// Beside the number of a metric, of which there are far fewer in a batch.
pub(super) const MEASURED: u32 = 1 << 31;

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

    pub(super) fn is_measured(&self) -> bool {
        self.metric & MEASURED != 0
    }

    /// What was counted, in millionths.
    pub(crate) fn micros(&self) -> i64 {
        if self.is_measured() { 0 } else { self.amount }
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
    pub(super) fn name(&mut self, user: &str) -> u32 {
        let (Some(length), Ok(place)) = (length_of(user), u32::try_from(self.users.len())) else {
            return NONE;
        };
        self.users.push(length);
        self.users.push_str(user);
        place
    }

    pub(super) fn push(&mut self, row: Row) {
        self.rows.push(row);
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
pub(super) fn length_of(name: &str) -> Option<char> {
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

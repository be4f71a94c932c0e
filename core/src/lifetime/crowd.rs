//! Clients alike, taken together: what makes a fit independent of their order, and quick for a million of them.

use super::input::Rfm;

/// The rows of a fit: distinct clients with how many there are of each, by frequency, and every time that occurs once.
pub(super) struct Crowd {
    /// By frequency, from the least.
    pub(super) groups: Vec<SameFrequency>,
    /// All recencies and ages, each once, from the least.
    pub(super) times: Vec<f64>,
    /// How many clients there are.
    pub(super) n: f64,
}

/// Clients that came back equally often.
pub(super) struct SameFrequency {
    pub(super) frequency: f64,
    pub(super) rows: Vec<Alike>,
}

/// Clients with the same frequency, recency and age; times are places in the list of times.
#[derive(Clone, Copy)]
pub(super) struct Alike {
    pub(super) recency: u32,
    pub(super) age: u32,
    pub(super) count: f64,
}

impl Crowd {
    pub(super) fn of(clients: &[Rfm]) -> Self {
        let mut times: Vec<f64> =
            clients.iter().flat_map(|client| [client.recency, client.age]).map(plain).collect();
        times.sort_unstable_by(f64::total_cmp);
        times.dedup();
        // Every time is in the list, and a list of more than 2^32 times does not fit a memory.
        let place = |time: f64| {
            let place = times.binary_search_by(|known| known.total_cmp(&plain(time))).unwrap_or_default();
            u32::try_from(place).unwrap_or(u32::MAX)
        };
        let mut rows: Vec<(u32, u32, u32)> = clients
            .iter()
            .map(|client| (client.frequency, place(client.recency), place(client.age)))
            .collect();
        rows.sort_unstable();
        let mut groups: Vec<SameFrequency> = Vec::new();
        for alike in rows.chunk_by(|one, other| one == other) {
            let Some(&(frequency, recency, age)) = alike.first() else { continue };
            let frequency = f64::from(frequency);
            let row = Alike { recency, age, count: whole(alike.len()) };
            match groups.last_mut().filter(|group| group.frequency == frequency) {
                Some(group) => group.rows.push(row),
                None => groups.push(SameFrequency { frequency, rows: vec![row] }),
            }
        }
        Self { groups, times, n: whole(clients.len()) }
    }

    /// The mean age: the scale on which fits look for their rates.
    pub(super) fn mean_age(&self) -> f64 {
        let rows = self.groups.iter().flat_map(|group| &group.rows);
        let sum: f64 = rows.map(|row| row.count * at(&self.times, row.age)).sum();
        (sum / self.n).max(f64::MIN_POSITIVE)
    }
}

/// The time, or what was worked out for it, at a place of the list.
pub(super) fn at<T: Copy + Default>(table: &[T], place: u32) -> T {
    table.get(place as usize).copied().unwrap_or_default()
}

/// -0 is 0.
fn plain(time: f64) -> f64 {
    time + 0.0
}

/// A count as a double: exact up to 2^53, and no list is longer.
#[expect(clippy::cast_precision_loss, reason = "no list has 2^53 members")]
pub(super) fn whole(count: usize) -> f64 {
    count as f64
}

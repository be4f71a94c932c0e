//! Sets of values that a number can take.

/// Closed intervals in order, apart from each other. Where they become too many, the narrowest gaps are filled: the set
/// may then hold more than can be reached, never less.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reach(Vec<(f64, f64)>);

/// The most intervals a set keeps.
const MOST: usize = 24;

/// How close two values are the same.
const TOLERANCE: f64 = 1e-9;

impl Reach {
    pub(super) fn span(low: f64, high: f64) -> Self {
        Self(vec![(low, high)])
    }

    pub(super) fn only(x: f64) -> Self {
        Self::span(x, x)
    }

    pub(super) fn of(spans: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut spans: Vec<(f64, f64)> = spans.into_iter().collect();
        spans.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut merged: Vec<(f64, f64)> = Vec::with_capacity(spans.len());
        for (low, high) in spans {
            match merged.last_mut() {
                Some(last) if low <= last.1 + TOLERANCE => last.1 = last.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        Self(merged).thinned()
    }

    /// With the narrowest gaps filled, so that at most [`MOST`] intervals are left.
    fn thinned(self) -> Self {
        if self.0.len() <= MOST {
            return self;
        }
        let mut gaps: Vec<f64> = self.0.iter().zip(self.0.iter().skip(1)).map(|(a, b)| b.0 - a.1).collect();
        gaps.sort_unstable_by(|a, b| b.total_cmp(a));
        let least = gaps.get(MOST - 1).copied().unwrap_or(0.0);
        let mut kept: Vec<(f64, f64)> = Vec::with_capacity(MOST);
        for (low, high) in self.0 {
            match kept.last_mut() {
                Some(last) if low - last.1 <= least => last.1 = high,
                _ => kept.push((low, high)),
            }
        }
        Self(kept)
    }

    pub(super) fn spans(&self) -> &[(f64, f64)] {
        &self.0
    }

    pub(super) fn least(&self) -> f64 {
        self.0.first().map_or(0.0, |span| span.0)
    }

    pub(super) fn greatest(&self) -> f64 {
        self.0.last().map_or(0.0, |span| span.1)
    }

    pub(super) fn or(&self, other: &Self) -> Self {
        Self::of(self.0.iter().chain(&other.0).copied())
    }

    /// From the least to the greatest.
    pub(super) fn filled(&self) -> Self {
        Self::span(self.least(), self.greatest())
    }

    fn each_pair(&self, other: &Self, make: impl Fn(f64, f64) -> f64) -> Self {
        let pairs = self.0.iter().flat_map(|a| other.0.iter().map(move |b| (a, b)));
        Self::of(pairs.map(|(a, b)| (make(a.0, b.0), make(a.1, b.1))))
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        self.each_pair(other, |a, b| a + b)
    }

    pub(super) fn min(&self, other: &Self) -> Self {
        self.each_pair(other, f64::min)
    }

    pub(super) fn max(&self, other: &Self) -> Self {
        self.each_pair(other, f64::max)
    }

    /// Every value times a number that is not negative.
    pub(super) fn times(&self, by: f64) -> Self {
        Self::of(self.0.iter().map(|(low, high)| (low * by, high * by)))
    }

    /// Whether some value is at least `from` and below `to`.
    pub(super) fn meets(&self, from: f64, to: Option<f64>) -> bool {
        let below = |low: f64| to.is_none_or(|to| low + TOLERANCE < to);
        self.0.iter().any(|(low, high)| high + TOLERANCE >= from && below(*low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_add_and_stay_apart() {
        let yes_no = Reach::of([(0.0, 0.0), (100.0, 100.0)]);
        let half = yes_no.times(0.5);
        assert_eq!(half.plus(&half).spans(), [(0.0, 0.0), (50.0, 50.0), (100.0, 100.0)]);
        assert!(!yes_no.meets(40.0, Some(70.0)), "nothing is between");
        assert!(yes_no.meets(100.0, None) && !yes_no.meets(1.0, Some(100.0)));
        assert_eq!(yes_no.min(&Reach::span(20.0, 60.0)).spans(), [(0.0, 0.0), (20.0, 60.0)]);
        assert_eq!(yes_no.max(&Reach::span(20.0, 60.0)).spans(), [(20.0, 60.0), (100.0, 100.0)]);
    }

    #[test]
    fn too_many_become_fewer_and_never_lose_a_value() {
        let many = Reach::of((0..100).map(|n| (f64::from(n * n), f64::from(n * n))));
        assert!(many.spans().len() <= MOST, "{}", many.spans().len());
        assert!((0..100).all(|n| many.meets(f64::from(n * n), Some(f64::from(n * n) + 0.5))));
        assert!(!many.meets(97.0 * 97.0 + 1.0, Some(98.0 * 98.0)), "the widest gaps stay");
    }
}

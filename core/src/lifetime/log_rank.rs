//! Whether some groups last as long as each other: the log-rank test of Mantel (1966) and its weighted forms.
//!
//! At each time at which anything ended, `d` of all `n` at risk, a group with `n_g` at risk is expected to have lost
//! `d n_g / n`. The weighted sums of observed less expected, U, have the covariance sum w^2 d (n - d) / (n - 1) x
//! (n_g / n) (1[g = h] - n_h / n); chi-square = U' V^- U with as many degrees of freedom as V has rank.

use super::kaplan_meier::Observation;
use super::special::reg_gamma_q;
use serde::{Deserialize, Serialize};

/// What counts more in a log-rank test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogRankWeights {
    /// All times alike: best where one group's hazard is a multiple of the other's.
    #[default]
    LogRank,
    /// By the number at risk, early times more: Gehan (1965), Breslow (1970).
    Wilcoxon,
    /// By the root of the number at risk: Tarone and Ware (1977).
    TaroneWare,
    /// By the running product of 1 - d / (n + 1): Peto and Peto (1972), as modified by Andersen.
    Peto,
    /// By the survival of all just before: Fleming and Harrington (1981) with rho 1, gamma 0.
    FlemingHarrington,
}

/// The test of some groups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogRank {
    /// What counted more.
    pub weights: LogRankWeights,
    /// The groups in the order they were given.
    pub groups: Vec<LogRankGroup>,
    /// The covariance of observed less expected between the groups, weighted.
    pub covariance: Vec<Vec<f64>>,
    /// The statistic.
    pub chi_square: f64,
    /// The number of groups that can differ freely: one less than there are, unless some cannot lose anybody.
    pub degrees_of_freedom: u32,
    /// How likely so great a difference is if all groups last alike; `None` where nothing can differ.
    pub p_value: Option<f64>,
}

/// One group of a log-rank test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LogRankGroup {
    /// How many were watched.
    pub n: u64,
    /// How many ended.
    pub observed: f64,
    /// How many would have if all groups lasted alike.
    pub expected: f64,
    /// Observed less expected, weighted.
    pub score: f64,
}

/// The most groups that are compared.
pub(crate) const MOST_GROUPS: usize = 64;

/// The ages of one group in order, and how far they were read.
struct Walked {
    exits: Vec<(f64, bool)>,
    entries: Vec<f64>,
    gone: usize,
    came: usize,
}

impl Walked {
    fn new(group: &[Observation]) -> Self {
        let watched = || group.iter().filter(|seen| seen.is_watched());
        let mut exits: Vec<(f64, bool)> = watched().map(|seen| (seen.time, seen.ended)).collect();
        exits.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut entries: Vec<f64> = watched().filter_map(|seen| seen.entry).collect();
        entries.sort_unstable_by(f64::total_cmp);
        Self { exits, entries, gone: 0, came: 0 }
    }

    /// How many are at risk just before a time, and how many end at it; times come in rising order.
    fn at(&mut self, time: f64) -> (f64, f64) {
        let rest = |from: usize| self.exits.get(from..).unwrap_or_default();
        self.gone += rest(self.gone).iter().take_while(|(exit, _)| *exit < time).count();
        let late = self.entries.get(self.came..).unwrap_or_default();
        self.came += late.iter().take_while(|entry| **entry < time).count();
        let at_risk = self.exits.len() - self.entries.len() + self.came - self.gone;
        let here = self.exits.get(self.gone..).unwrap_or_default();
        let here = here.iter().take_while(|(exit, _)| *exit == time);
        (float(at_risk), float(here.filter(|(_, ended)| *ended).count()))
    }
}

impl LogRank {
    /// The test of some groups; `None` for fewer than two or more than 64.
    ///
    /// ```
    /// use healthfold::lifetime::{LogRank, LogRankWeights, Observation};
    /// let group = |times: &[f64]| times.iter().map(|time| Observation { entry: None, time: *time, ended: true }).collect();
    /// let groups: [Vec<Observation>; 2] = [group(&[1.0, 3.0]), group(&[2.0, 4.0])];
    /// let test = LogRank::of(&groups.each_ref().map(Vec::as_slice), LogRankWeights::LogRank).unwrap();
    /// // Expected of the first: 2/4 at 1, 1/3 at 2, 1/2 at 3, none at 4.
    /// assert!((test.groups[0].expected - (0.5 + 1.0 / 3.0 + 0.5)).abs() < 1e-12);
    /// ```
    pub fn of(groups: &[&[Observation]], weights: LogRankWeights) -> Option<Self> {
        if !(2..=MOST_GROUPS).contains(&groups.len()) {
            return None;
        }
        let mut walked: Vec<Walked> = groups.iter().map(|group| Walked::new(group)).collect();
        let ended = |walked: &Walked| {
            walked.exits.iter().filter(|(_, ended)| *ended).map(|(time, _)| *time).collect()
        };
        let mut times: Vec<f64> = walked.iter().flat_map(|group| -> Vec<f64> { ended(group) }).collect();
        times.sort_unstable_by(f64::total_cmp);
        times.dedup();
        let k = groups.len();
        let mut sums: Vec<LogRankGroup> = walked
            .iter()
            .map(|group| LogRankGroup { n: group.exits.len() as u64, ..Default::default() })
            .collect();
        let mut covariance = vec![vec![0.0; k]; k];
        let (mut survival, mut peto) = (1.0, 1.0);
        for time in times {
            let here: Vec<(f64, f64)> = walked.iter_mut().map(|group| group.at(time)).collect();
            let (n, d) = here.iter().fold((0.0, 0.0), |(n, d), (at_risk, ended)| (n + at_risk, d + ended));
            peto *= 1.0 - d / (n + 1.0);
            let weight = match weights {
                LogRankWeights::LogRank => 1.0,
                LogRankWeights::Wilcoxon => n,
                LogRankWeights::TaroneWare => libm::sqrt(n),
                LogRankWeights::Peto => peto,
                LogRankWeights::FlemingHarrington => survival,
            };
            survival *= (n - d) / n;
            for (sum, (at_risk, ended)) in sums.iter_mut().zip(&here) {
                let expected = d * at_risk / n;
                sum.observed += ended;
                sum.expected += expected;
                sum.score += weight * (ended - expected);
            }
            if n > 1.0 {
                let spread = weight * weight * d * (n - d) / (n - 1.0);
                for ((g, row), (of_g, _)) in covariance.iter_mut().enumerate().zip(&here) {
                    for ((h, cell), (of_h, _)) in row.iter_mut().enumerate().zip(&here) {
                        let own = if g == h { 1.0 } else { 0.0 };
                        *cell += spread * of_g / n * (own - of_h / n);
                    }
                }
            }
        }
        let scores: Vec<f64> = sums.iter().map(|sum| sum.score).collect();
        let (chi_square, degrees_of_freedom) = quadratic_form(covariance.clone(), scores);
        let p_value = (degrees_of_freedom > 0).then(|| chi_square_upper(chi_square, degrees_of_freedom));
        Some(Self { weights, groups: sums, covariance, chi_square, degrees_of_freedom, p_value })
    }
}

/// u' V^- u and the rank of V, by elimination with the greatest remaining diagonal as pivot.
fn quadratic_form(mut v: Vec<Vec<f64>>, mut u: Vec<f64>) -> (f64, u32) {
    let diagonal =
        |v: &[Vec<f64>], i: usize| v.get(i).and_then(|row| row.get(i)).copied().unwrap_or_default();
    let greatest = (0..u.len()).map(|i| diagonal(&v, i)).fold(0.0, f64::max);
    let mut open: Vec<usize> = (0..u.len()).collect();
    let (mut sum, mut rank) = (0.0, 0);
    while let Some(place) = (0..open.len()).max_by(|a, b| {
        let of = |place: &usize| open.get(*place).map_or(0.0, |i| diagonal(&v, *i));
        of(a).total_cmp(&of(b)).then(b.cmp(a))
    }) {
        let pivot_at = open.remove(place);
        let pivot = diagonal(&v, pivot_at);
        // What is left below this is rounding: the rows add up to 0.
        if pivot <= 1e-10 * greatest {
            break;
        }
        let row = v.get(pivot_at).cloned().unwrap_or_default();
        let of_pivot = u.get(pivot_at).copied().unwrap_or_default();
        sum += of_pivot * of_pivot / pivot;
        rank += 1;
        for i in &open {
            let factor = row.get(*i).copied().unwrap_or_default() / pivot;
            if let Some(value) = u.get_mut(*i) {
                *value -= factor * of_pivot;
            }
            for (cell, of_row) in v.get_mut(*i).into_iter().flatten().zip(&row) {
                *cell -= factor * of_row;
            }
        }
    }
    (sum, rank)
}

/// How likely chi-square of so many degrees of freedom is at least x.
pub(super) fn chi_square_upper(x: f64, degrees: u32) -> f64 {
    if x > 0.0 { reg_gamma_q(f64::from(degrees) / 2.0, x / 2.0) } else { 1.0 }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of clients are far below 2^53")]
fn float(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the usual table: 3.841459, 5.991465, 7.814728 and 18.307038 leave 5 % with 1, 2, 3 and 10 degrees.
    #[test]
    fn tails_of_chi_square() {
        for (x, degrees) in
            [(3.841458820694124, 1), (5.991464547107979, 2), (7.814727903251179, 3), (18.307038053275146, 10)]
        {
            let tail = chi_square_upper(x, degrees);
            assert!((tail - 0.05).abs() < 1e-14, "{degrees}: {tail}");
        }
        assert_eq!(chi_square_upper(0.0, 3), 1.0);
        assert!(chi_square_upper(1e9, 5) < 1e-300);
    }

    #[test]
    fn a_group_that_cannot_lose_takes_no_degree_of_freedom() {
        let seen = |time, ended| Observation { entry: None, time, ended };
        let groups = [
            vec![seen(1.0, true), seen(4.0, true), seen(6.0, true)],
            vec![seen(2.0, true), seen(5.0, false)],
            vec![seen(0.5, false)],
        ];
        let slices: Vec<&[Observation]> = groups.iter().map(Vec::as_slice).collect();
        let with = LogRank::of(&slices, LogRankWeights::LogRank).unwrap();
        let without = LogRank::of(&slices[..2], LogRankWeights::LogRank).unwrap();
        assert_eq!((with.degrees_of_freedom, without.degrees_of_freedom), (1, 1));
        assert!((with.chi_square - without.chi_square).abs() < 1e-12);
        assert!(LogRank::of(&slices[..1], LogRankWeights::LogRank).is_none());
    }
}

//! How long things last when not all of them have ended yet: survival by Kaplan and Meier (1958), the cumulative hazard by
//! Nelson (1969) and Aalen (1978).
//!
//! At each time at which something ended, `d` of the `n` that were then at risk: S falls by the factor 1 - d/n. What was
//! lost from sight at a time (censored) is still at risk then, for ends come first. What came into sight late, at an age
//! above 0 (left truncation), is at risk only after that age: it can tell nothing of those that ended before.
//!
//! | figure | formula |
//! |---|---|
//! | standard error of S | Greenwood (1926): S sqrt(sum d / (n (n - d))) |
//! | interval `log_log` | S^exp(-+ z s / abs(ln S)) with s that root: Kalbfleisch and Prentice (1980) |
//! | interval `log` | S exp(-+ z s), at most 1 |
//! | interval `plain` | S -+ z S s, within 0 and 1 |
//! | cumulative hazard | sum d / n, variance sum d / n^2 |
//! | the same with ties taken apart | sum 1/n + 1/(n - 1) + ... over the d that ended together: Fleming and Harrington (1984) |
//! | quantile | the least t with S(t) <= 1 - q; its interval is where the ends of the interval of S first are that low |
//! | restricted mean | the area under S up to a horizon; variance sum (area from t to the horizon)^2 d / (n (n - d)) |

use crate::rate::Z;
use serde::{Deserialize, Serialize};

/// One thing that was watched until it ended or was lost from sight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// The age at which it came into sight, if that was late; `None` where it was watched from its beginning.
    pub entry: Option<f64>,
    /// The age at which it ended or was last seen.
    pub time: f64,
    /// Whether it ended then; otherwise it is censored.
    pub ended: bool,
}

impl Observation {
    /// Whether it was ever at risk: ages are finite and from 0 on, and it was seen after it came into sight.
    pub(super) fn is_watched(&self) -> bool {
        let time = self.time.is_finite() && self.time >= 0.0;
        time && self.entry.is_none_or(|entry| entry < self.time)
    }
}

/// How the interval of a survival curve is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurvivalBounds {
    /// On the scale of log(-log S): never outside 0 and 1, fair in the tails. lifelines' default.
    #[default]
    LogLog,
    /// On the scale of log S. R's default.
    Log,
    /// On the scale of S, cut off at 0 and 1.
    Plain,
}

/// A survival curve: steps at the ages at which anything ended or was lost from sight.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SurvivalCurve {
    /// How many were watched.
    pub n: u64,
    /// Of them, ended.
    pub ended: u64,
    /// Of them, censored.
    pub censored: u64,
    /// Of them, come into sight late.
    pub late: u64,
    /// In order of time. Before the first S is 1; each holds up to the next.
    pub points: Vec<SurvivalPoint>,
}

/// One step of a survival curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SurvivalPoint {
    /// The age.
    pub time: f64,
    /// How many were at risk just before.
    pub at_risk: u64,
    /// How many ended.
    pub ended: u64,
    /// How many were lost from sight.
    pub censored: u64,
    /// The share that lasts longer than this.
    pub survival: f64,
    /// Greenwood's standard error; 0 where nothing is left.
    pub standard_error: f64,
    /// The lower end of the 95 % interval; undefined where nothing is left.
    pub low: Option<f64>,
    /// The upper end of the 95 % interval; undefined where nothing is left.
    pub high: Option<f64>,
    /// The share of those at risk that ended: d / n.
    pub hazard: f64,
    /// Nelson-Aalen: the sum of the hazards so far.
    pub cumulative_hazard: f64,
    /// Its standard error.
    pub cumulative_hazard_se: f64,
    /// The cumulative hazard as if those that ended together had ended one after the other.
    pub cumulative_hazard_ties: f64,
}

/// An age by which a share has ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SurvivalQuantile {
    /// The share that has ended: 0.5 for the median.
    pub share: f64,
    /// The age; `None` while fewer than that have ended.
    pub value: Option<f64>,
    /// The lower end of the 95 % interval.
    pub low: Option<f64>,
    /// The upper end of the 95 % interval; `None` where the curve's interval never falls that low.
    pub high: Option<f64>,
}

/// The mean age up to a horizon: what lasts longer counts with the horizon.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RestrictedMean {
    /// The horizon.
    pub horizon: f64,
    /// The area under the curve up to it.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The lower end of the 95 % interval.
    pub low: f64,
    /// The upper end of the 95 % interval.
    pub high: f64,
}

/// A share that should be reached is reached also where products of fractions miss it by a last digit.
const TOUCH: f64 = 1e-12;

impl SurvivalCurve {
    /// The curve of what was watched. What was never at risk (seen no longer than it came into sight, or of an age that
    /// is none) is left out.
    ///
    /// ```
    /// use healthfold::lifetime::{Observation, SurvivalBounds, SurvivalCurve};
    /// let seen = |time, ended| Observation { entry: None, time, ended };
    /// // Four clients: one left after 2 months, one after 3, two are still there after 3 and 5.
    /// let curve = SurvivalCurve::of(
    ///     &[seen(2.0, true), seen(3.0, true), seen(3.0, false), seen(5.0, false)], SurvivalBounds::LogLog);
    /// assert_eq!(curve.survival_at(2.9), 0.75, "1 - 1/4");
    /// assert_eq!(curve.survival_at(3.0), 0.5, "0.75 x (1 - 1/3)");
    /// assert_eq!(curve.quantile(0.5).value, Some(3.0));
    /// assert_eq!(curve.restricted_mean(4.0).unwrap().value, 2.0 + 0.75 + 0.5);
    /// ```
    pub fn of(observations: &[Observation], bounds: SurvivalBounds) -> Self {
        let watched = || observations.iter().filter(|seen| seen.is_watched());
        let mut exits: Vec<(f64, bool)> = watched().map(|seen| (seen.time, seen.ended)).collect();
        exits.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut entries: Vec<f64> = watched().filter_map(|seen| seen.entry).collect();
        entries.sort_unstable_by(f64::total_cmp);
        let ended = count(exits.iter().filter(|(_, ended)| *ended).count());
        let n = count(exits.len());
        let mut curve =
            Self { n, ended, censored: n - ended, late: count(entries.len()), points: Vec::new() };
        let mut sums = Sums::default();
        let (mut gone, mut came) = (0, 0);
        for together in exits.chunk_by(|a, b| a.0 == b.0) {
            let Some((time, _)) = together.first().copied() else { continue };
            came += entries.iter().skip(came).take_while(|entry| **entry < time).count();
            let at_risk = exits.len() - entries.len() + came - gone;
            let ended = together.iter().filter(|(_, ended)| *ended).count();
            gone += together.len();
            sums.step(at_risk, ended);
            curve.points.push(sums.point(time, (at_risk, ended, together.len() - ended), bounds));
        }
        curve
    }

    /// The step that holds at an age; `None` before the first.
    pub fn at(&self, time: f64) -> Option<&SurvivalPoint> {
        let n = self.points.partition_point(|point| point.time <= time);
        self.points.get(n.checked_sub(1)?)
    }

    /// The share that lasts longer than an age. Past the last step it stays what it was there, which is a guess.
    pub fn survival_at(&self, time: f64) -> f64 {
        self.at(time).map_or(1.0, |point| point.survival)
    }

    /// The last age at which anything was seen.
    pub fn follow_up(&self) -> Option<f64> {
        self.points.last().map(|point| point.time)
    }

    /// Whether nobody was left at risk at some age and others came into sight later: then S is 0 from there on, whatever
    /// came after.
    pub fn ran_empty(&self) -> bool {
        let empty = self.points.iter().position(|point| point.survival == 0.0);
        empty.is_some_and(|at| at + 1 < self.points.len())
    }

    /// The age by which a share has ended: 0.5 for the median.
    pub fn quantile(&self, share: f64) -> SurvivalQuantile {
        let left = 1.0 - share + TOUCH;
        let first = |value: &dyn Fn(&SurvivalPoint) -> Option<f64>| {
            let reached = |point: &&SurvivalPoint| value(point).is_some_and(|value| value <= left);
            self.points.iter().find(reached).map(|point| point.time)
        };
        let value = first(&|point| Some(point.survival));
        SurvivalQuantile { share, value, low: first(&|point| point.low), high: first(&|point| point.high) }
    }

    /// The mean age up to a horizon; `None` past the last age seen, unless everything has ended by then.
    pub fn restricted_mean(&self, horizon: f64) -> Option<RestrictedMean> {
        let last = self.points.last()?;
        if !(horizon >= 0.0 && (horizon <= last.time || last.survival == 0.0)) {
            return None;
        }
        let inside: Vec<&SurvivalPoint> =
            self.points.iter().take_while(|point| point.time <= horizon).collect();
        // From the horizon back, so that the area behind each step is at hand.
        let (mut area, mut variance, mut until) = (0.0, 0.0, horizon);
        for point in inside.iter().rev() {
            area += point.survival * (until - point.time);
            until = point.time;
            let (n, d) = (float(point.at_risk), float(point.ended));
            if d > 0.0 && n > d {
                variance += area * area * d / (n * (n - d));
            }
        }
        area += until;
        let standard_error = libm::sqrt(variance);
        let (low, high) = (area - Z * standard_error, area + Z * standard_error);
        Some(RestrictedMean { horizon, value: area, standard_error, low, high })
    }
}

/// What adds up along a curve.
struct Sums {
    survival: f64,
    /// Greenwood's sum; infinite where nothing is left.
    greenwood: f64,
    hazard: f64,
    hazard_variance: f64,
    hazard_ties: f64,
}

impl Default for Sums {
    fn default() -> Self {
        Self { survival: 1.0, greenwood: 0.0, hazard: 0.0, hazard_variance: 0.0, hazard_ties: 0.0 }
    }
}

impl Sums {
    fn step(&mut self, at_risk: usize, ended: usize) {
        let (n, d) = (float(count(at_risk)), float(count(ended)));
        if ended == 0 {
            return;
        }
        self.survival *= (n - d) / n;
        self.greenwood += d / (n * (n - d));
        self.hazard += d / n;
        self.hazard_variance += d / (n * n);
        self.hazard_ties += (0..ended).map(|k| 1.0 / float(count(at_risk - k))).sum::<f64>();
    }

    fn point(
        &self,
        time: f64,
        (at_risk, ended, censored): (usize, usize, usize),
        bounds: SurvivalBounds,
    ) -> SurvivalPoint {
        let (at_risk, ended, censored) = (count(at_risk), count(ended), count(censored));
        let interval = self.interval(bounds);
        let standard_error =
            if self.survival > 0.0 { self.survival * libm::sqrt(self.greenwood) } else { 0.0 };
        SurvivalPoint {
            time,
            at_risk,
            ended,
            censored,
            survival: self.survival,
            standard_error,
            low: interval.map(|(low, _)| low),
            high: interval.map(|(_, high)| high),
            hazard: float(ended) / float(at_risk),
            cumulative_hazard: self.hazard,
            cumulative_hazard_se: libm::sqrt(self.hazard_variance),
            cumulative_hazard_ties: self.hazard_ties,
        }
    }

    fn interval(&self, bounds: SurvivalBounds) -> Option<(f64, f64)> {
        let survival = self.survival;
        if survival <= 0.0 {
            return None;
        }
        if self.greenwood == 0.0 {
            return Some((survival, survival));
        }
        let off = Z * libm::sqrt(self.greenwood);
        Some(match bounds {
            SurvivalBounds::LogLog => {
                let log = libm::log(survival);
                let end = |sign: f64| libm::exp(log * libm::exp(sign * off / -log));
                (end(1.0), end(-1.0))
            }
            SurvivalBounds::Log => (survival * libm::exp(-off), (survival * libm::exp(off)).min(1.0)),
            SurvivalBounds::Plain => {
                ((survival - survival * off).max(0.0), (survival + survival * off).min(1.0))
            }
        })
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of clients are far below 2^53")]
fn float(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late(entry: f64, time: f64, ended: bool) -> Observation {
        Observation { entry: Some(entry), time, ended }
    }

    fn seen(time: f64, ended: bool) -> Observation {
        Observation { entry: None, time, ended }
    }

    /// By hand: at 2 only a and b are at risk (c comes into sight at 2, d at 4): 1 - 1/2. At 5 b, c and d: 1/2 x 2/3. At 6
    /// c and d, of which c is censored after d ended: 1/3 x 1/2.
    #[test]
    fn what_comes_into_sight_late_is_at_risk_only_after() {
        let watched = [
            seen(2.0, true),
            seen(5.0, true),
            late(2.0, 6.0, false),
            late(4.0, 6.0, true),
            late(7.0, 7.0, true),
        ];
        let curve = SurvivalCurve::of(&watched, SurvivalBounds::LogLog);
        let steps: Vec<_> = curve.points.iter().map(|p| (p.time, p.at_risk, p.ended, p.censored)).collect();
        assert_eq!(steps, [(2.0, 2, 1, 0), (5.0, 3, 1, 0), (6.0, 2, 1, 1)]);
        assert!((curve.survival_at(6.0) - 1.0 / 6.0).abs() < 1e-15);
        assert_eq!((curve.n, curve.ended, curve.censored, curve.late), (4, 3, 1, 2));
    }

    #[test]
    fn nothing_has_no_figures() {
        let curve = SurvivalCurve::of(&[seen(f64::NAN, true), seen(-1.0, true)], SurvivalBounds::Log);
        assert_eq!((curve.n, curve.survival_at(3.0), curve.quantile(0.5).value), (0, 1.0, None));
        assert_eq!(curve.restricted_mean(1.0), None);
    }

    #[test]
    fn a_mean_past_what_was_seen_is_refused() {
        let curve = SurvivalCurve::of(&[seen(2.0, true), seen(4.0, false)], SurvivalBounds::Log);
        assert_eq!(curve.restricted_mean(4.5), None);
        let all_ended = SurvivalCurve::of(&[seen(2.0, true), seen(4.0, true)], SurvivalBounds::Log);
        assert_eq!(all_ended.restricted_mean(10.0).map(|mean| mean.value), Some(3.0));
    }

    #[test]
    fn a_risk_set_that_runs_empty_is_told() {
        let curve = SurvivalCurve::of(&[seen(1.0, true), late(2.0, 9.0, false)], SurvivalBounds::Log);
        assert!(curve.ran_empty());
        assert_eq!(curve.survival_at(9.0), 0.0);
    }
}

//! The climb to the greatest likelihood: quasi-Newton steps over the logarithms of the parameters, then Newton's own.
//!
//! It needs the slope at every place, never more than a few hundred places, and says whether it reached the top. The
//! surfaces are smooth with two to four parameters, so the curvature at the end is differences of slopes, exact to about
//! eight digits; it gives the last step, the proof that this is a top, and the standard errors.

#![allow(clippy::indexing_slicing, reason = "indices run below N, the length of every array here")]

/// The most steps of one climb.
const MOST_STEPS: u32 = 200;

/// The most tries of one step's length.
const MOST_TRIES: u32 = 40;

/// The most steps of Newton's method at the end.
const MOST_POLISHES: u32 = 12;

/// How far from its start a logarithm may go: beyond a factor of nine million a parameter is infinite or nothing.
const FARTHEST: f64 = 16.0;

/// From this far on a climb that found no top is said to run over the edge: a factor of 400.
const FAR: f64 = 6.0;

/// The last Newton step may change no logarithm by more; what it leaves is about its square.
const SETTLED: f64 = 1e-6;

/// The width of the differences that give the curvature.
const DIFFERENCE: f64 = 1e-4;

/// A log-likelihood at a place, and its derivatives by the logarithms of the parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slope<const N: usize> {
    pub(super) value: f64,
    pub(super) gradient: [f64; N],
}

/// Where a climb ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Summit<const N: usize> {
    /// The parameters.
    pub(super) at: [f64; N],
    /// The log-likelihood.
    pub(super) value: f64,
    /// Standard errors of the parameters.
    pub(super) errors: Option<[f64; N]>,
    pub(super) converged: bool,
    pub(super) iterations: u32,
    /// The parameter that went farthest, where the climb ran over the edge.
    pub(super) edge: Option<usize>,
}

/// Climbs from the first start; from the others, too, if that led to no top, and then takes the highest end.
///
/// `surface` takes parameters (all above 0) and gives the log-likelihood and its derivatives by their logarithms; `weight`
/// is the number of clients, the scale of the log-likelihood.
pub(super) fn climb<const N: usize>(
    surface: impl Fn(&[f64; N]) -> Slope<N>,
    weight: f64,
    starts: &[[f64; N]],
) -> Option<Summit<N>> {
    let mut best: Option<Summit<N>> = None;
    let mut iterations = 0;
    for start in starts {
        let mut summit = Climber::new(&surface, weight, start).run();
        iterations += summit.iterations;
        summit.iterations = iterations;
        let higher =
            best.is_none_or(|best| !best.value.is_finite() || summit.value > best.value + 1e-9 * weight);
        if higher || summit.converged && best.is_some_and(|best| summit.value > best.value - 1e-9 * weight) {
            best = Some(summit);
        }
        if summit.converged {
            break;
        }
    }
    best.map(|best| Summit { iterations, ..best })
}

struct Climber<'a, const N: usize, F> {
    surface: &'a F,
    weight: f64,
    start: [f64; N],
    iterations: u32,
}

impl<'a, const N: usize, F: Fn(&[f64; N]) -> Slope<N>> Climber<'a, N, F> {
    fn new(surface: &'a F, weight: f64, start: &[f64; N]) -> Self {
        Self { surface, weight, start: start.map(libm::log), iterations: 0 }
    }

    /// The mean log-likelihood of a client at a place given by logarithms; minus infinity where nothing is defined.
    fn look(&self, at: &[f64; N]) -> Slope<N> {
        let nowhere = Slope { value: f64::NEG_INFINITY, gradient: [0.0; N] };
        if (0..N).any(|i| libm::fabs(at[i] - self.start[i]) > FARTHEST) {
            return nowhere;
        }
        let Slope { value, gradient } = (self.surface)(&at.map(libm::exp));
        if !value.is_finite() || gradient.iter().any(|slope| !slope.is_finite()) {
            return nowhere;
        }
        Slope { value: value / self.weight, gradient: gradient.map(|slope| slope / self.weight) }
    }

    fn run(mut self) -> Summit<N> {
        let start = self.start;
        let (at, slope) = self.approach(start);
        self.polish(at, slope)
    }

    /// BFGS with a step length by the weak Wolfe conditions, until the slope is small or no step goes up.
    fn approach(&mut self, mut at: [f64; N]) -> ([f64; N], Slope<N>) {
        const FLAT: f64 = 1e-7;
        let mut slope = self.look(&at);
        let mut inverse = identity::<N>();
        while self.iterations < MOST_STEPS && largest(&slope.gradient) > FLAT {
            self.iterations += 1;
            let mut direction = times(&inverse, &slope.gradient);
            if dot(&direction, &slope.gradient) <= 0.0 {
                inverse = identity();
                direction = slope.gradient;
            }
            let stride = largest(&direction);
            if stride > 2.0 {
                direction = direction.map(|part| part * 2.0 / stride);
            }
            let Some((next, there)) = self.step(&at, &slope, &direction) else { break };
            update(&mut inverse, &minus(&next, &at), &minus(&slope.gradient, &there.gradient));
            (at, slope) = (next, there);
        }
        (at, slope)
    }

    /// A place in a direction that is enough higher and enough flatter.
    fn step(&self, at: &[f64; N], slope: &Slope<N>, direction: &[f64; N]) -> Option<([f64; N], Slope<N>)> {
        let rise = dot(direction, &slope.gradient);
        let (mut short, mut long, mut length) = (0.0, f64::INFINITY, 1.0);
        let mut higher = None;
        for _ in 0..MOST_TRIES {
            let next = plus(at, direction, length);
            let there = self.look(&next);
            if there.value < slope.value + 1e-4 * length * rise || there.value <= slope.value {
                long = length;
            } else {
                higher = Some((next, there));
                if dot(direction, &there.gradient) <= 0.9 * rise {
                    return higher;
                }
                short = length;
            }
            length = if long.is_finite() { 0.5 * (short + long) } else { 2.0 * length };
        }
        higher
    }

    /// Newton's steps from near the top; the curvature there proves it and gives the errors.
    fn polish(&self, mut at: [f64; N], mut slope: Slope<N>) -> Summit<N> {
        let mut errors = None;
        let mut converged = false;
        for _ in 0..MOST_POLISHES {
            let Some(root) = self.information(&at).and_then(|information| cholesky(&information)) else {
                break;
            };
            let step = solve(&root, &slope.gradient);
            let stride = largest(&step);
            let next = plus(&at, &step, (1.0 / stride).min(1.0));
            let there = self.look(&next);
            if stride > SETTLED && there.value < slope.value {
                break;
            }
            if there.value.is_finite() {
                (at, slope) = (next, there);
            }
            if stride <= SETTLED {
                converged = true;
                errors = Some(self.errors(&root, &at));
                break;
            }
        }
        let travelled: [f64; N] = std::array::from_fn(|i| libm::fabs(at[i] - self.start[i]));
        let farthest = (0..N).max_by(|i, j| travelled[*i].total_cmp(&travelled[*j]));
        let edge = farthest.filter(|i| !converged && travelled[*i] > FAR);
        let value = slope.value * self.weight;
        Summit { at: at.map(libm::exp), value, errors, converged, iterations: self.iterations, edge }
    }

    /// Minus the second derivatives of the mean log-likelihood, from differences of slopes on both sides.
    fn information(&self, at: &[f64; N]) -> Option<[[f64; N]; N]> {
        let mut rows = [[0.0; N]; N];
        for i in 0..N {
            let side = |by: f64| {
                let mut moved = *at;
                moved[i] += by;
                Some(self.look(&moved)).filter(|there| there.value.is_finite())
            };
            let (below, above) = (side(-DIFFERENCE)?, side(DIFFERENCE)?);
            rows[i] = minus(&below.gradient, &above.gradient).map(|fall| fall / (2.0 * DIFFERENCE));
        }
        Some(std::array::from_fn(|i| std::array::from_fn(|j| 0.5 * (rows[i][j] + rows[j][i]))))
    }

    /// Standard errors of the parameters: at a top, errors of logarithms times the parameters.
    fn errors(&self, root: &[[f64; N]; N], at: &[f64; N]) -> [f64; N] {
        std::array::from_fn(|i| {
            let mut unit = [0.0; N];
            unit[i] = 1.0;
            libm::exp(at[i]) * libm::sqrt(solve(root, &unit)[i] / self.weight)
        })
    }
}

/// Derivatives of a log-likelihood by the logarithms of its parameters, from differences of fourth order.
pub(super) fn slope_of<const N: usize>(value: impl Fn(&[f64; N]) -> f64, at: &[f64; N]) -> Slope<N> {
    const WIDTH: f64 = 1e-3;
    let gradient = std::array::from_fn(|i| {
        let side = |by: f64| {
            let mut moved = *at;
            moved[i] *= libm::exp(by);
            value(&moved)
        };
        (8.0 * (side(WIDTH) - side(-WIDTH)) - (side(2.0 * WIDTH) - side(-2.0 * WIDTH))) / (12.0 * WIDTH)
    });
    Slope { value: value(at), gradient }
}

fn identity<const N: usize>() -> [[f64; N]; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| if i == j { 1.0 } else { 0.0 }))
}

fn dot<const N: usize>(a: &[f64; N], b: &[f64; N]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn plus<const N: usize>(a: &[f64; N], b: &[f64; N], times: f64) -> [f64; N] {
    std::array::from_fn(|i| a[i] + times * b[i])
}

fn minus<const N: usize>(a: &[f64; N], b: &[f64; N]) -> [f64; N] {
    plus(a, b, -1.0)
}

fn times<const N: usize>(matrix: &[[f64; N]; N], vector: &[f64; N]) -> [f64; N] {
    std::array::from_fn(|i| dot(&matrix[i], vector))
}

fn largest<const N: usize>(vector: &[f64; N]) -> f64 {
    vector.iter().fold(0.0, |most, part| libm::fabs(*part).max(most))
}

/// The BFGS update of an inverse curvature by a step and the fall of the slope along it.
fn update<const N: usize>(inverse: &mut [[f64; N]; N], step: &[f64; N], fall: &[f64; N]) {
    let bend = dot(step, fall);
    if bend <= 1e-14 * libm::sqrt(dot(step, step) * dot(fall, fall)) {
        return;
    }
    let moved = times(inverse, fall);
    let scale = (1.0 + dot(fall, &moved) / bend) / bend;
    for i in 0..N {
        for j in 0..N {
            inverse[i][j] += scale * step[i] * step[j] - (moved[i] * step[j] + step[i] * moved[j]) / bend;
        }
    }
}

/// The lower root of a matrix that is positive in every direction; none of another.
fn cholesky<const N: usize>(matrix: &[[f64; N]; N]) -> Option<[[f64; N]; N]> {
    let mut root = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..=i {
            let rest = matrix[i][j] - (0..j).map(|k| root[i][k] * root[j][k]).sum::<f64>();
            if i == j {
                // What rounding alone leaves is no curvature.
                if rest.is_nan() || rest <= 1e-11 * matrix[i][i] || rest <= 0.0 {
                    return None;
                }
                root[i][i] = libm::sqrt(rest);
            } else {
                root[i][j] = rest / root[j][j];
            }
        }
    }
    Some(root)
}

/// Solves root rootᵀ x = right.
fn solve<const N: usize>(root: &[[f64; N]; N], right: &[f64; N]) -> [f64; N] {
    let mut x = *right;
    for i in 0..N {
        x[i] = (x[i] - (0..i).map(|k| root[i][k] * x[k]).sum::<f64>()) / root[i][i];
    }
    for i in (0..N).rev() {
        x[i] = (x[i] - (i + 1..N).map(|k| root[k][i] * x[k]).sum::<f64>()) / root[i][i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    /// -(ln x - 1)^2 - 2 (ln y + 3)^2 - (ln x - 1)(ln y + 3), times 100 clients: top at (e, e^-3).
    fn hill(at: &[f64; 2]) -> Slope<2> {
        let (u, v) = (at[0].ln() - 1.0, at[1].ln() + 3.0);
        let value = -u * u - 2.0 * v * v - u * v;
        Slope { value: 100.0 * value, gradient: [100.0 * (-2.0 * u - v), 100.0 * (-4.0 * v - u)] }
    }

    #[test]
    fn a_hill_is_climbed_and_measured() {
        let top = climb(hill, 100.0, &[[1.0, 1.0]]).unwrap();
        assert!(top.converged && top.value.abs() < 1e-12, "{top:?}");
        assert!((top.at[0] - 1f64.exp()).abs() < 1e-9 && (top.at[1] - (-3f64).exp()).abs() < 1e-9);
        // Information 100 x [[2, 1], [1, 4]], inverse [[4, -1], [-1, 2]] / 700; errors of logs times the parameters.
        let errors = top.errors.unwrap();
        assert!((errors[0] - 1f64.exp() * (4f64 / 700.0).sqrt()).abs() < 1e-7);
        assert!((errors[1] - (-3f64).exp() * (2f64 / 700.0).sqrt()).abs() < 1e-7);
        let slopes = slope_of(|at| hill(at).value, &[2.0, 0.5]);
        for (found, exact) in slopes.gradient.iter().zip(hill(&[2.0, 0.5]).gradient) {
            assert!((found - exact).abs() < 1e-7 * exact.abs());
        }
    }

    #[test]
    fn a_slope_without_top_ends_at_the_edge() {
        let ramp = |at: &[f64; 2]| Slope {
            value: -1.0 / at[0] - (at[1].ln()).powi(2),
            gradient: [1.0 / at[0], -2.0 * at[1].ln()],
        };
        let end = climb(ramp, 1.0, &[[1.0, 3.0]]).unwrap();
        assert_eq!((end.converged, end.edge, end.errors), (false, Some(0), None), "{end:?}");
        let nowhere = |_: &[f64; 2]| Slope { value: f64::NAN, gradient: [f64::NAN; 2] };
        assert!(!climb(nowhere, 1.0, &[[1.0, 1.0], [2.0, 2.0]]).unwrap().converged);
    }
}

//! What every fit reports.

use super::climb::Summit;
use serde::Serialize;

/// The parameters of a model, by name.
pub trait Parameters: Copy {
    /// The model: `bg_nbd`.
    const MODEL: &'static str;
    /// The names, in the order of the literature.
    const NAMES: &'static [&'static str];
    /// The values, in the order of the names.
    fn values(&self) -> Vec<f64>;
}

/// A model fitted by maximum likelihood: its parameters and how far they can be trusted.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit<P> {
    /// Where the likelihood is greatest.
    pub parameters: P,
    /// Standard errors of the parameters, from the observed information at the maximum; none where it has no inverse.
    pub standard_errors: Option<P>,
    /// The logarithm of the likelihood there.
    pub log_likelihood: f64,
    /// Whether this is a maximum: the slope is 0 within rounding and the surface bends down in every direction.
    pub converged: bool,
    /// Steps of the climb.
    pub iterations: u32,
    /// Clients it was fitted to.
    pub n: u64,
    /// Where the data contradict the model.
    pub warnings: Vec<FitWarning>,
}

impl<P: Parameters> Fit<P> {
    /// The same as plain rows, whatever the model.
    pub fn report(&self) -> FitReport {
        let errors = self.standard_errors.map(|errors| errors.values()).unwrap_or_default();
        let errors = errors.into_iter().map(Some).chain(std::iter::repeat(None));
        let named = P::NAMES.iter().zip(self.parameters.values()).zip(errors);
        let estimate = |((name, value), standard_error): ((&&'static str, f64), _)| Estimate {
            name: (*name).into(),
            value,
            standard_error,
        };
        FitReport {
            model: P::MODEL.into(),
            parameters: named.map(estimate).collect(),
            log_likelihood: self.log_likelihood,
            converged: self.converged,
            iterations: self.iterations,
            n: self.n,
            warnings: self.warnings.clone(),
        }
    }
}

impl<P: Parameters> Fit<P> {
    /// What a climb found.
    pub(super) fn of<const N: usize>(summit: Summit<N>, n: u64, parameters: impl Fn([f64; N]) -> P) -> Self {
        let edge = summit.edge.and_then(|index| P::NAMES.get(index));
        let warning = match edge {
            Some(name) => Some(FitWarning::AtTheEdge { parameter: (*name).into() }),
            None => (!summit.converged).then_some(FitWarning::NotConverged),
        };
        Self {
            parameters: parameters(summit.at),
            standard_errors: summit.errors.map(&parameters),
            log_likelihood: summit.value,
            converged: summit.converged,
            iterations: summit.iterations,
            n,
            warnings: warning.into_iter().collect(),
        }
    }
}

/// What a fit reports, whatever the model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FitReport {
    /// Which model: `sbg`, `bdw`, `bg_nbd`, `mbg_nbd`, `pareto_nbd`, `gamma_gamma`.
    pub model: String,
    /// Its parameters, in the order of the literature.
    pub parameters: Vec<Estimate>,
    /// The logarithm of the greatest likelihood.
    pub log_likelihood: f64,
    /// Whether the maximum was found. If not, take neither parameters nor what follows from them at their word.
    pub converged: bool,
    /// Steps of the climb.
    pub iterations: u32,
    /// Clients it was fitted to.
    pub n: u64,
    /// Where the data contradict the model.
    pub warnings: Vec<FitWarning>,
}

/// A fitted parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Its name in the literature: `alpha`.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its standard error, from the observed information; none where that has no inverse.
    pub standard_error: Option<f64>,
}

/// Where the data contradict a model, or leave it undecided.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FitWarning {
    /// The likelihood still rises at the edge of what parameters may be: clients are too much alike, or too few of them
    /// left or came back, for the model to tell them apart. Curves near the data still hold, parameters mean nothing.
    AtTheEdge {
        /// The parameter that runs away.
        parameter: String,
    },
    /// The climb stopped before it found the top.
    NotConverged,
    /// Retention falls from a renewal to a later one by more than chance, and this model can only rise.
    RetentionFalls {
        /// The renewal, from 1.
        renewal: u32,
        /// The chance of such a fall if retention did not fall, for the worst of them.
        p_value: f64,
    },
    /// How often clients buy and how much they pay go together, and the model takes them as independent: the values of
    /// frequent buyers are off.
    FrequencyAndValueGoTogether {
        /// Pearson's correlation over clients with a repeat purchase.
        correlation: f64,
    },
}

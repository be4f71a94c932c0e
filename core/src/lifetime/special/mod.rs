//! The special functions that the models need, with the same bits on every platform.
//!
//! They are written here on `libm` because the crates at hand call the platform's logarithm or break at corners that real
//! data reach: differences of log-gammas with one huge argument, Gauss functions near 1 or beyond the range of a double.
//! Outside its domain a function is NaN, never a panic; every loop is bounded.
//!
//! | file | what it knows |
//! |---|---|
//! | `gamma` | gamma and beta functions, the incomplete gamma function |
//! | `beta` | the incomplete beta function and its inverse, Student's quantiles |
//! | `normal` | the normal distribution |
//! | `quadrature` | integrals over a stretch, over the half line, over a beta distribution |
//! | `hyper` | Gauss's and Tricomi's hypergeometric functions |

mod gamma;
mod beta;
mod normal;
mod quadrature;
mod hyper;

pub(crate) use beta::{beta_quantile, reg_inc_beta, t_quantile};
pub(crate) use gamma::{digamma, ln_beta, ln_gamma, reg_gamma_q};
#[cfg(test)]
pub(crate) use hyper::ln_hyp2f1;
pub(crate) use hyper::{hyp2f1, ln_tricomi_u};
pub(crate) use normal::{norm_cdf, norm_quantile};
pub(crate) use quadrature::{LEGENDRE, mean_over_beta};

#[cfg(test)]
mod tests;

//! Clients that renew: the data of Fader & Hardie (2007), yearly renewals of two segments of 1000 clients.

use crate::table::Table;
use healthfold::lifetime::{Bdw, CohortCounts, FitWarning, LifetimeError, Parameters, Renewing, Sbg};

/// Table 1 of the paper, percent surviving x 1000 clients.
const HIGH_END: [u64; 13] = [1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394];
const REGULAR: [u64; 13] = [1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173];

fn cohort(alive: &[u64]) -> CohortCounts {
    CohortCounts::new(alive.to_vec())
}

fn near(found: f64, wanted: f64, atol: f64) {
    assert!((found - wanted).abs() <= atol, "{found}, expected {wanted}");
}

fn list<T>(range: std::ops::RangeInclusive<u32>, f: impl Fn(u32) -> T) -> Vec<T> {
    range.map(f).collect()
}

#[test]
fn sbg_on_the_regular_segment() {
    let Some(mut table) = Table::open("sbg_regular") else { return };
    let alive: Vec<u64> = table.rows.iter().take(8).map(|row| row[1] as u64).collect();
    assert_eq!(alive, REGULAR[..8]);
    let seen = [cohort(&alive)];
    let fit = Sbg::fit(&seen).unwrap();
    assert!(fit.converged && fit.warnings.is_empty() && fit.n == 1000, "{:?}", fit.report());
    let (model, errors) = (fit.parameters, fit.standard_errors.unwrap());
    table.number("alpha", model.alpha);
    table.number("beta", model.beta);
    table.number("log_likelihood", fit.log_likelihood);
    table.number("se_alpha", errors.alpha);
    table.number("se_beta", errors.beta);
    table.set("survival_0_12", list(0..=12, |t| model.survival(t)));
    table.set("retention_1_12", list(1..=12, |t| model.retention(t)));
    table.set("churn_pmf_1_12", list(1..=12, |t| model.leaves_at(t)));
    table.number("mean_theta", model.mean_churn());
    table.number("polarization", model.polarization());
    table.number("expected_lifetime_undiscounted", model.expected_lifetime());
    table.number("DEL_d10", model.discounted_lifetime(0.1));
    table.set("DERL_before_n1_8_d10", list(1..=8, |n| model.residual_before(n, 0.1)));
    table.set("DERL_after_n0_7_d10", list(0..=7, |n| model.residual_after(n, 0.1)));
    let given = Sbg { alpha: 0.704, beta: 1.182 };
    table.number("given.log_likelihood", given.log_likelihood(&seen).unwrap());
    table.set("given.survival_0_12", list(0..=12, |t| given.survival(t)));
    table.number("given.DEL_d10", given.discounted_lifetime(0.1));
    table.number("given.DEL_d1pct", given.discounted_lifetime(0.01));
    table.set("given.DERL_before_n1_8_d10", list(1..=8, |n| given.residual_before(n, 0.1)));
    table.set("given.DERL_after_n0_7_d10", list(0..=7, |n| given.residual_after(n, 0.1)));
    table.check();
}

#[test]
fn sbg_on_the_high_end_segment() {
    // Fader & Hardie (2007): alpha 0.668, beta 3.806, LL -1611.2 over seven renewals.
    let fit = Sbg::fit(&[cohort(&HIGH_END[..8])]).unwrap();
    near(fit.parameters.alpha, 0.668, 6e-4);
    near(fit.parameters.beta, 3.806, 6e-4);
    near(fit.log_likelihood, -1611.2, 0.06);
    // Their projection to year 12 is near what came: 39.4 %.
    near(fit.parameters.survival(12), 0.394, 0.02);
}

#[test]
fn several_cohorts_are_one_likelihood() {
    // A cohort cut into two that were followed for different times, one of them from its third renewal on.
    let whole = Sbg::fit(&[cohort(&HIGH_END[..8])]).unwrap();
    let parts = [cohort(&HIGH_END[..4]), CohortCounts { since: 3, alive: HIGH_END[3..8].to_vec() }];
    let apart = Sbg::fit(&parts).unwrap();
    near(apart.parameters.alpha, whole.parameters.alpha, 1e-9);
    near(apart.parameters.beta, whole.parameters.beta, 1e-9);
    near(apart.log_likelihood, whole.log_likelihood, 1e-9);
    // The same cohort twice: the same top, twice the likelihood, errors down by the root of 2.
    let twice = Sbg::fit(&[cohort(&HIGH_END[..8]), cohort(&HIGH_END[..8])]).unwrap();
    near(twice.parameters.alpha, whole.parameters.alpha, 1e-7);
    near(twice.log_likelihood, 2.0 * whole.log_likelihood, 1e-6);
    let (one, two) = (whole.standard_errors.unwrap(), twice.standard_errors.unwrap());
    near(two.alpha * 2f64.sqrt(), one.alpha, 1e-6);
}

#[test]
fn sbg_on_several_cohorts_of_the_literature() {
    // Fader & Hardie (2007, "Fitting the sBG Model to Multi-Cohort Data"; again 2010, "Customer-Base Valuation"): a cohort of
    // 10 000 each year, followed to the same day; alpha 3.80, beta 15.2.
    let alive = [10_000, 8_000, 6_480, 5_307, 4_391];
    let cohorts: Vec<CohortCounts> = (2..=5).map(|seen| cohort(&alive[..seen])).collect();
    let fit = Sbg::fit(&cohorts).unwrap();
    assert!(fit.converged && fit.n == 40_000);
    near(fit.parameters.alpha, 3.80, 0.005);
    near(fit.parameters.beta, 15.2, 0.05);
}

#[test]
fn bdw_says_more_than_sbg() {
    for alive in [&HIGH_END[..8], &REGULAR[..8]] {
        let (sbg, bdw) = (Sbg::fit(&[cohort(alive)]).unwrap(), Bdw::fit(&[cohort(alive)]).unwrap());
        assert!(bdw.converged, "{:?}", bdw.report());
        assert!(bdw.log_likelihood >= sbg.log_likelihood - 1e-9);
        let Sbg { alpha, beta } = sbg.parameters;
        let same = Bdw { alpha, beta, c: 1.0 };
        near(same.log_likelihood(&[cohort(alive)]).unwrap(), sbg.log_likelihood, 1e-8);
        for t in 0..=12 {
            near(same.survival(t), sbg.parameters.survival(t), 1e-12);
        }
    }
}

#[test]
fn bdw_finds_the_parameters_of_a_cohort_made_by_it() {
    let truth = Bdw { alpha: 1.5, beta: 12.0, c: 1.6 };
    let alive: Vec<u64> = (0..=24).map(|t| (truth.survival(t) * 1e9).round() as u64).collect();
    let fit = Bdw::fit(&[cohort(&alive)]).unwrap();
    assert!(fit.converged);
    for (found, true_value) in fit.parameters.values().iter().zip(truth.values()) {
        near(*found, true_value, 1e-4 * true_value);
    }
    // sBG cannot follow a retention that falls, and says so.
    let sbg = Sbg::fit(&[cohort(&alive)]).unwrap();
    let falls = |warning: &FitWarning| matches!(warning, FitWarning::RetentionFalls { .. });
    assert!(sbg.warnings.iter().any(falls), "{:?}", sbg.warnings);
    assert!(!Sbg::fit(&[cohort(&HIGH_END)]).unwrap().warnings.iter().any(falls));
}

#[test]
fn discounted_sums_by_hand() {
    // Uniform chances (alpha = beta = 1): S(t) = 1 / (t + 1), retention t / (t + 1).
    let model = Sbg { alpha: 1.0, beta: 1.0 };
    near(model.survival(3), 0.25, 1e-15);
    near(model.retention(3), 0.75, 1e-15);
    near(model.leaves_at(3), 1.0 / 3.0 - 0.25, 1e-15);
    // Without end at 25 %: the sum of 0.8^t / (t + 1) is -ln(0.2) / 0.8.
    near(model.discounted_lifetime(0.25), -(0.2f64.ln()) / 0.8, 1e-12);
    // Three periods at 25 %: 1 + 0.8 / 2 + 0.64 / 3.
    near(model.discounted_periods(0, 3, 0.25), 1.0 + 0.4 + 0.64 / 3.0, 1e-14);
    // After one renewal S(1 + t) / S(1) = 2 / (t + 2): 1 + 2/3 + 2/4 undiscounted.
    near(model.discounted_periods(1, 3, 0.0), 1.0 + 2.0 / 3.0 + 0.5, 1e-14);
    // alpha 3, beta 2: (3 + 2 - 1) / (3 - 1) = 2 periods without discount.
    near(Sbg { alpha: 3.0, beta: 2.0 }.discounted_lifetime(0.0), 2.0, 1e-15);
    near(Sbg { alpha: 3.0, beta: 2.0 }.discounted_lifetime(1e-9), 2.0, 1e-7);
}

#[test]
fn too_little_is_refused_and_no_spread_is_said() {
    let refused = |alive: &[u64]| match Sbg::fit(&[cohort(alive)]) {
        Err(LifetimeError::TooFew { needed, found, .. }) => (needed, found),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&[9, 5, 3]), (10, 9), "clients");
    assert_eq!(refused(&[]), (10, 0), "no client at all");
    assert_eq!(refused(&[100, 90]), (2, 1), "renewals");
    assert_eq!(refused(&[100, 100, 100]), (1, 0), "who left");
    assert_eq!(Sbg::fit(&[cohort(&[10, 11])]).unwrap_err().code(), "bad_value");
    // All clients alike: retention 1/2 at every renewal. Parameters run away, the curve holds.
    let fit = Sbg::fit(&[cohort(&[64_000, 32_000, 16_000, 8_000, 4_000])]).unwrap();
    assert!(!fit.converged && fit.standard_errors.is_none());
    assert!(matches!(fit.warnings[..], [FitWarning::AtTheEdge { .. }]), "{:?}", fit.warnings);
    near(fit.parameters.survival(4), 1.0 / 16.0, 1e-4);
}

#[test]
fn bdw_on_four_renewals() {
    // Fader, Hardie, Liu, Davin & Steenburgh (2018), the high-end segment calibrated on four renewals: alpha 0.259, beta 1.722,
    // c 1.584, where sBG misses the later years.
    let seen = [cohort(&HIGH_END[..5])];
    let fit = Bdw::fit(&seen).unwrap();
    for (found, published) in fit.parameters.values().into_iter().zip([0.259, 1.722, 1.584]) {
        near(found, published, 1e-3);
    }
    near(fit.parameters.survival(12), 0.394, 0.02);
    assert!((Sbg::fit(&seen).unwrap().parameters.survival(12) - 0.394).abs() > 0.05);
}

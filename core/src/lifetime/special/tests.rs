//! Every value of `shared/data/lifetime/special_functions`, each with its own tolerance, and the corners beside them.

use super::*;
use healthfold_testkit::case::shared_data;
use serde_json::Value;

/// One row of the table: the arguments that its function takes.
fn evaluate(function: &str, [a, b, c, z]: [f64; 4]) -> f64 {
    match function {
        "ln_gamma" => ln_gamma(a),
        "digamma" => digamma(a),
        "ln_beta" => ln_beta(a, b),
        "reg_inc_beta" => reg_inc_beta(a, b, c),
        "reg_gamma_q" => reg_gamma_q(a, b),
        "norm_quantile" => norm_quantile(a),
        "t_quantile_975" => t_quantile(0.975, a),
        "hyp2f1" => hyp2f1(a, b, c, z),
        "ln_hyp2f1" => ln_hyp2f1(a, b, c, z),
        "hyperu" => libm::exp(ln_tricomi_u(a, b, c)),
        other => panic!("the table has {other}, and nothing here computes it"),
    }
}

#[test]
fn every_value_of_the_table() {
    let Some(path) = shared_data("lifetime/special_functions/input.csv") else { return };
    let rows = std::fs::read_to_string(&path).unwrap();
    let expected = std::fs::read_to_string(path.with_file_name("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected.replace("-Infinity", "\"-inf\"")).unwrap();
    let expected = expected["values"].as_object().unwrap();
    let mut found: std::collections::BTreeMap<&str, Vec<f64>> = Default::default();
    for row in rows.lines().skip(1) {
        let mut cells = row.split(',');
        let function = cells.next().unwrap();
        let mut arguments = [f64::NAN; 4];
        for (argument, cell) in arguments.iter_mut().zip(cells) {
            *argument = cell.parse().unwrap_or(f64::NAN);
        }
        found.entry(function).or_default().push(evaluate(function, arguments));
    }
    assert!(
        expected.keys().map(String::as_str).eq(found.keys().copied().collect::<Vec<_>>()) || {
            let mut names: Vec<&str> = expected.keys().map(String::as_str).collect();
            names.sort_unstable();
            names == found.keys().copied().collect::<Vec<_>>()
        }
    );
    let mut faults = Vec::new();
    for (name, values) in found {
        let (rtol, atol) =
            (expected[name]["rtol"].as_f64().unwrap(), expected[name]["atol"].as_f64().unwrap());
        let wanted = expected[name]["value"].as_array().unwrap();
        assert_eq!(values.len(), wanted.len(), "{name}");
        for (row, (value, wanted)) in values.iter().zip(wanted).enumerate() {
            let wanted = wanted.as_f64().unwrap_or(f64::NEG_INFINITY);
            let near = *value == wanted || (value - wanted).abs() <= atol + rtol * wanted.abs();
            if !near {
                faults.push(format!("{name}[{row}]: {value:e}, expected {wanted:e}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn near(value: f64, wanted: f64, rtol: f64) {
    assert!((value - wanted).abs() <= rtol * wanted.abs(), "{value:e}, expected {wanted:e}");
}

#[test]
fn closed_forms() {
    // 2F1(1, 1; 2; z) = -ln(1 - z) / z; 2F1(a, b; b; z) = (1 - z)^-a; both near the edge, too.
    for z in [0.5, 0.9, 0.999, 1.0 - 1e-5] {
        near(hyp2f1(1.0, 1.0, 2.0, z), -(1.0 - z).ln() / z, 1e-11);
        near(hyp2f1(2.5, 3.5, 3.5, z), (1.0 - z).powf(-2.5), 1e-12);
    }
    // Rounding grows towards 1, like 1e-17 / (1 - z).
    near(hyp2f1(1.0, 1.0, 2.0, 1.0 - 1e-7), -1e-7f64.ln() / (1.0 - 1e-7), 1e-9);
    // Gauss at 1 minus nothing: 2F1(1, b; c; 1) = (c - 1) / (c - b - 1).
    near(hyp2f1(1.0, 2.0, 6.0, 1.0 - 1e-12), 5.0 / 3.0, 1e-9);
    // U(1, 1, z) = e^z E1(z): E1(1) = 0.219383934395520 (Abramowitz & Stegun, table 5.1).
    near(libm::exp(ln_tricomi_u(1.0, 1.0, 1.0)), 1f64.exp() * 0.219_383_934_395_520, 1e-13);
    // U(a, a + 1, z) = z^-a, whatever the scale.
    for (a, z) in [(0.01, 1e-6), (0.5, 0.1), (3.0, 40.0), (1e4, 2.0)] {
        near(ln_tricomi_u(a, a + 1.0, z), -a * f64::ln(z), 1e-10);
    }
    near(norm_cdf(norm_quantile(0.2)), 0.2, 1e-15);
    near(norm_cdf(norm_quantile(1e-200)), 1e-200, 1e-12);
}

#[test]
fn inverses() {
    for (a, b) in [(0.5, 0.5), (1.0, 20.0), (81.5, 182.5), (1000.0, 50.0), (3.0, 1e6)] {
        for p in [1e-6, 0.025, 0.5, 0.975] {
            near(reg_inc_beta(a, b, beta_quantile(p, a, b)), p, 1e-9);
        }
    }
    // One degree of freedom is Cauchy's distribution: tan(pi (p - 1/2)).
    near(t_quantile(0.9, 1.0), (std::f64::consts::PI * 0.4).tan(), 1e-12);
    near(t_quantile(0.1, 1.0), -(std::f64::consts::PI * 0.4).tan(), 1e-12);
}

#[test]
fn means_over_a_beta_distribution() {
    for (a, b) in [(0.01, 3.0), (0.5, 0.5), (0.793, 28.4), (2.0, 1e5), (1e6, 1e6)] {
        near(mean_over_beta(a, b, |_| 1.0), 1.0, 1e-12);
        near(mean_over_beta(a, b, |p| p), a / (a + b), 1e-12);
        near(mean_over_beta(a, b, |p| p * p), a * (a + 1.0) / ((a + b) * (a + b + 1.0)), 1e-12);
    }
}

#[test]
fn outside_its_domain_a_function_is_nan() {
    for bad in [f64::NAN, -1.0] {
        assert!(ln_gamma(bad).is_nan() && digamma(bad).is_nan() && ln_beta(bad, 1.0).is_nan());
        assert!(reg_gamma_q(bad, 1.0).is_nan() && reg_inc_beta(1.0, bad, 0.5).is_nan());
        assert!(
            norm_quantile(bad).is_nan()
                && t_quantile(0.9, bad).is_nan()
                && beta_quantile(bad, 1.0, 1.0).is_nan()
        );
        assert!(hyp2f1(bad, 1.0, 2.0, 0.5).is_nan() && ln_tricomi_u(bad, 1.0, 1.0).is_nan());
    }
    assert!(hyp2f1(1.0, 1.0, 2.0, 1.0).is_nan());
}

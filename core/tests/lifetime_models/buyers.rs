//! Buyers without a contract: the CDNOW data in weeks.

use crate::table::Table;
use healthfold::lifetime::{
    Bdw, BgNbd, Buying, Fit, GammaGamma, MbgNbd, Parameters, ParetoNbd, Renewing, Rfm, Sbg,
};

/// Rows of customer, x, t_x, T.
fn clients(table: &Table) -> Vec<Rfm> {
    table.rows.iter().map(|row| client(row[1], row[2], row[3])).collect()
}

fn client(frequency: f64, recency: f64, age: f64) -> Rfm {
    Rfm { frequency: frequency as u32, recency, age, value: None }
}

/// The clients that the figures name one by one.
fn named(table: &Table) -> Vec<Rfm> {
    let list = |key: &str| -> Vec<f64> {
        table.inputs[key].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let (x, t_x, age) = (list("customers_x"), list("customers_t_x"), list("customers_T"));
    (0..x.len()).map(|i| client(x[i], t_x[i], age[i])).collect()
}

fn fitted<P: Parameters>(table: &mut Table, fit: &Fit<P>) {
    assert!(fit.converged && fit.warnings.is_empty() && fit.n == 2357, "{:?}", fit.report());
    assert!(fit.iterations < 60, "{}", fit.iterations);
    for (name, value) in P::NAMES.iter().zip(fit.parameters.values()) {
        table.number(name, value);
    }
    // lifetimes' own stop is told within 2 % only.
    table.set("reference_library.params", fit.parameters.values());
    table.number("log_likelihood", fit.log_likelihood);
    table.set("standard_errors", fit.standard_errors.unwrap().values());
}

/// What both models say of the named clients and of all, at some parameters.
fn answers(table: &mut Table, prefix: &str, model: &impl Buying) {
    let (all, named) = (clients(table), named(table));
    let each = |f: &dyn Fn(&Rfm) -> f64| named.iter().map(f).collect::<Vec<_>>();
    table.set(&format!("{prefix}.p_alive"), each(&|client| model.p_alive(client)));
    table.set(&format!("{prefix}.cond_exp_39"), each(&|client| model.expected_purchases(client, 39.0)));
    table.set(
        &format!("{prefix}.expected_1_39_78"),
        [1.0, 39.0, 78.0].map(|time| model.expected_of_new(time)),
    );
    let sum = all.iter().map(|client| model.expected_purchases(client, 39.0)).sum();
    table.number(&format!("{prefix}.sum_cond_exp_39"), sum);
}

/// What only the BG/NBD table asks.
fn more(table: &mut Table, prefix: &str, model: &BgNbd) {
    let four = named(table).iter().map(|client| model.expected_purchases(client, 4.0)).collect::<Vec<_>>();
    table.set(&format!("{prefix}.cond_exp_4"), four);
    let counts: Vec<f64> = (0..8).map(|count| model.probability(count, 39.0)).collect();
    table.set(&format!("{prefix}.pmf_39_n0_7"), counts);
}

#[test]
fn bg_nbd_on_cdnow() {
    let Some(mut table) = Table::open("bgnbd_cdnow") else { return };
    let clients = clients(&table);
    let fit = BgNbd::fit(&clients).unwrap();
    fitted(&mut table, &fit);
    answers(&mut table, "fit", &fit.parameters);
    more(&mut table, "fit", &fit.parameters);
    let given = BgNbd { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };
    table.number("given.log_likelihood", given.log_likelihood(&clients).unwrap());
    answers(&mut table, "given", &given);
    more(&mut table, "given", &given);
    table.check();
}

#[test]
fn mbg_nbd_on_cdnow() {
    let Some(mut table) = Table::open("mbgnbd_cdnow") else { return };
    let clients = clients(&table);
    let fit = MbgNbd::fit(&clients).unwrap();
    fitted(&mut table, &fit);
    answers(&mut table, "fit", &fit.parameters);
    let given = MbgNbd { r: 0.525, alpha: 6.183, a: 0.891, b: 1.614 };
    table.number("given.log_likelihood", given.log_likelihood(&clients).unwrap());
    answers(&mut table, "given", &given);
    table.check();
}

#[test]
fn gamma_gamma_on_cdnow() {
    let Some(mut table) = Table::open("gammagamma_cdnow") else { return };
    let spender = |row: &Vec<f64>| Rfm {
        frequency: row[1] as u32,
        recency: 0.0,
        age: 39.0,
        value: (row[1] > 0.0).then_some(row[2]),
    };
    let clients: Vec<Rfm> = table.rows.iter().map(spender).collect();
    let fit = GammaGamma::fit(&clients).unwrap();
    assert!(fit.converged && fit.warnings.is_empty() && fit.n == 946, "{:?}", fit.report());
    let GammaGamma { p, q, gamma } = fit.parameters;
    for (name, value) in [("p", p), ("q", q), ("gamma", gamma), ("log_likelihood", fit.log_likelihood)] {
        table.number(name, value);
    }
    table.set("standard_errors", fit.standard_errors.unwrap().values());
    let given = GammaGamma { p: 6.25, q: 3.74, gamma: 15.44 };
    let named = || {
        let first = clients[..10].iter().map(|client| (client.frequency, client.value.unwrap_or_default()));
        first.chain([(1, 10.0), (50, 10.0), (50, 400.0)])
    };
    let values = |model: &GammaGamma| {
        named().map(|(x, mean)| model.expected_value(x, mean).unwrap()).collect::<Vec<_>>()
    };
    table.set("fit.expected_spend", values(&fit.parameters));
    table.set("given.expected_spend", values(&given));
    table.number("given.population_mean", given.expected_value(0, 0.0).unwrap());
    table.number("given.log_likelihood", given.log_likelihood(&clients).unwrap());
    table.check();
}

#[test]
fn pareto_nbd_on_cdnow() {
    // The same clients as the BG/NBD table. Fader, Hardie & Lee (2005, "Counting Your Customers the Easy Way", table 2): r 0.553,
    // alpha 10.578, s 0.606, beta 11.669, LL -9595.0.
    let Some(table) = Table::open("bgnbd_cdnow") else { return };
    let clients = clients(&table);
    let fit = ParetoNbd::fit(&clients).unwrap();
    assert!(fit.converged && fit.warnings.is_empty() && fit.n == 2357, "{:?}", fit.report());
    for (found, published) in fit.parameters.values().into_iter().zip([0.553, 10.578, 0.606, 11.669]) {
        assert!((found - published).abs() < 6e-4 * published.max(1.0), "{found}, published {published}");
    }
    assert!((fit.log_likelihood + 9595.0).abs() < 0.05, "{}", fit.log_likelihood);
}

#[test]
fn pareto_nbd_as_btyd_has_it() {
    // The vignette of the R package BTYD, at its own estimates for the same data.
    let model = ParetoNbd { r: 0.5533971, alpha: 10.5801985, s: 0.6060625, beta: 11.6562237 };
    let best = client(26.0, 30.86, 31.0);
    for (found, published) in [
        (model.expected_of_new(52.0), 1.473),
        (model.expected_purchases(&best, 52.0), 25.46),
        (model.p_alive(&best), 0.998),
    ] {
        assert!((found - published).abs() < 5e-4 * published, "{found}, published {published}");
    }
}

#[test]
fn the_examples_of_the_definitions() {
    let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-14, "{found}, by hand {wanted}");
    let (back, never) = (client(1.0, 5.0, 15.0), client(0.0, 0.0, 15.0));
    // (20 / 10)^2 = 4 against 1; halved by one more chance survived; 20 / 5 = 4 against 1.
    let bg = BgNbd { r: 1.0, alpha: 5.0, a: 1.0, b: 1.0 };
    near(bg.p_alive(&back), 1.0 / 5.0);
    near(bg.p_alive(&never), 1.0);
    let mbg = MbgNbd { r: 1.0, alpha: 5.0, a: 1.0, b: 1.0 };
    near(mbg.p_alive(&back), 1.0 / 3.0);
    near(mbg.p_alive(&never), 1.0 / 5.0);
    near(ParetoNbd { r: 1.0, alpha: 5.0, s: 1.0, beta: 5.0 }.p_alive(&never), 2.0 / 17.0);
    let values = GammaGamma { p: 6.0, q: 4.0, gamma: 15.0 };
    near(values.expected_value(2, 20.0).unwrap(), 22.0);
    near(values.expected_value(0, 0.0).unwrap(), 30.0);
    assert_eq!(GammaGamma { q: 1.0, ..values }.expected_value(0, 0.0), None, "no mean");
    let sbg = Sbg { alpha: 1.0, beta: 1.0 };
    near(sbg.survival(1), 1.0 / 2.0);
    near(sbg.survival(2), 1.0 / 3.0);
    near(sbg.retention(3), 3.0 / 4.0);
    let bdw = Bdw { alpha: 1.0, beta: 1.0, c: 2.0 };
    for (renewal, survival, retention) in [(1, 0.5, 0.5), (2, 0.2, 0.4), (3, 0.1, 0.5)] {
        near(bdw.survival(renewal), survival);
        near(bdw.retention(renewal), retention);
    }
}

//! Laws of the models of lifetimes: chances stay chances, survival never rises, value scales with money, a fit does not know
//! the order of clients, and nothing panics or hangs whatever the data.

#![allow(clippy::unwrap_used, reason = "a panic in a test is a failed test")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "cohorts are drawn as shares of small whole counts"
)]

use healthfold::lifetime::{
    Bdw, BgNbd, Buying, CohortCounts, GammaGamma, Horizon, LifetimeError, MbgNbd, ParetoNbd, Renewing, Rfm,
    Sbg,
};
use proptest::prelude::*;

/// A number of any size from 10^-4 to 10^4.
fn size() -> impl Strategy<Value = f64> {
    (-4.0..4.0).prop_map(|exponent: f64| 10f64.powf(exponent))
}

fn parameters() -> impl Strategy<Value = [f64; 4]> {
    [size(), size(), size(), size()]
}

/// A client of any kind: known for a moment or for ages, silent, lately back, buying all the time.
fn any_client() -> impl Strategy<Value = Rfm> {
    let frequency = prop_oneof![Just(0), 1..5_u32, 5..200_u32, Just(10_000), Just(u32::MAX)];
    let age = prop_oneof![Just(0.0), size(), Just(1e9)];
    let share = prop_oneof![Just(0.0), 0.0..1.0_f64, Just(1.0)];
    let value =
        prop_oneof![Just(None), size().prop_map(Some), Just(Some(0.0)), Just(Some(-5.0)), Just(Some(1e300))];
    (frequency, age, share, value).prop_map(|(frequency, age, share, value)| {
        let recency = if frequency == 0 { 0.0 } else { age * share };
        Rfm { frequency, recency, age, value }
    })
}

/// A client as a book may have it.
fn plain_client() -> impl Strategy<Value = Rfm> {
    (0..9_u32, 5..300_u32, 0.0..1.0_f64, 100..9_000_u32).prop_map(|(frequency, age, share, cents)| {
        let recency = if frequency == 0 { 0.0 } else { (f64::from(age) * share).round() };
        let value = (frequency > 0).then_some(f64::from(cents) / 100.0);
        Rfm { frequency, recency, age: f64::from(age), value }
    })
}

fn cohorts() -> impl Strategy<Value = Vec<CohortCounts>> {
    let cohort =
        (0..4_u32, prop_oneof![0..50_u64, 1_000..1_000_000_u64], prop::collection::vec(0.0..1.0_f64, 0..12));
    let counts = cohort.prop_map(|(since, first, kept)| {
        let mut alive = vec![first];
        for share in kept {
            alive.push((*alive.last().unwrap() as f64 * share) as u64);
        }
        CohortCounts { since, alive }
    });
    prop::collection::vec(counts, 0..4)
}

fn answers_hold(model: &impl Buying, client: &Rfm, times: [f64; 2]) -> Result<(), TestCaseError> {
    let alive = model.p_alive(client);
    prop_assert!((0.0..=1.0).contains(&alive), "p_alive {alive}");
    let [soon, late] = if times[0] < times[1] { times } else { [times[1], times[0]] };
    let (first, all) = (model.expected_purchases(client, soon), model.expected_purchases(client, late));
    prop_assert!(
        first >= 0.0 && all.is_finite() && first <= all * (1.0 + 1e-9) + 1e-300,
        "{first} by {soon}, {all} by {late}"
    );
    prop_assert!(model.expected_purchases(client, 0.0) == 0.0);
    let (first, all) = (model.expected_of_new(soon), model.expected_of_new(late));
    prop_assert!(
        first >= 0.0 && all.is_finite() && first <= all * (1.0 + 1e-9),
        "{first} by {soon}, {all} by {late}"
    );
    for count in [0, 1, 7] {
        let chance = model.probability(count, soon);
        prop_assert!((0.0..=1.0 + 1e-9).contains(&chance), "{count} by {soon}: {chance}");
    }
    let plain = Horizon { periods: 3, length: soon / 3.0, discount: 0.0 };
    let undiscounted = model.discounted_purchases(client, &plain);
    prop_assert!(
        (undiscounted - model.expected_purchases(client, soon)).abs() <= 1e-9 * undiscounted + 1e-12
    );
    let discounted = model.discounted_purchases(client, &Horizon { discount: 0.1, ..plain });
    prop_assert!(discounted >= 0.0 && discounted <= undiscounted);
    // What has no closed form is NaN; without end there is never less than within a time, discounted as much.
    let endless = model.endless_if_alive(client.frequency, client.age, 0.01);
    let within = model.purchases_if_alive(client.frequency, client.age, soon) * f64::exp(-0.01 * soon);
    prop_assert!(
        endless.is_nan() || endless >= within * (1.0 - 1e-9),
        "{endless} without end, {within} by {soon}"
    );
    let each = model.expected_purchases(client, soon);
    prop_assert_eq!(model.expected_of_all(&[*client, *client], soon), vec![each, each]);
    Ok(())
}

fn curve_holds(model: &impl Renewing) -> Result<(), TestCaseError> {
    prop_assert!(model.survival(0) == 1.0);
    let mut last = 1.0;
    for renewal in 1..40 {
        let (survival, retention) = (model.survival(renewal), model.retention(renewal));
        prop_assert!((0.0..=last + 1e-9).contains(&survival), "{survival} after {last}");
        prop_assert!((0.0..=1.0 + 1e-9).contains(&retention), "{retention}");
        prop_assert!(model.leaves_at(renewal) >= -1e-9);
        last = survival;
    }
    let plain = model.discounted_periods(2, 12, 0.0);
    prop_assert!((1.0..=12.0 + 1e-9).contains(&plain) && model.discounted_periods(2, 12, 0.1) <= plain);
    Ok(())
}

/// What a fit says, to the last bit; or why it refuses.
fn bits<P: healthfold::lifetime::Parameters>(
    fit: Result<healthfold::lifetime::Fit<P>, LifetimeError>,
) -> Result<String, LifetimeError> {
    fit.map(|fit| serde_json::to_string(&fit.report()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chances_are_chances(at in parameters(), client in any_client(), times in [size(), size()]) {
        let [one, two, three, four] = at;
        answers_hold(&BgNbd { r: one, alpha: two, a: three, b: four }, &client, times)?;
        answers_hold(&MbgNbd { r: one, alpha: two, a: three, b: four }, &client, times)?;
        answers_hold(&ParetoNbd { r: one, alpha: two, s: three, beta: four }, &client, times)?;
    }

    #[test]
    fn survival_never_rises(alpha in size(), beta in size(), c in 0.1..3.0_f64) {
        let sbg = Sbg { alpha, beta };
        curve_holds(&sbg)?;
        curve_holds(&Bdw { alpha, beta, c })?;
        // The endless sum is the limit of the finite ones.
        let (endless, long) = (sbg.discounted_lifetime(0.5), sbg.discounted_periods(0, 100, 0.5));
        prop_assert!((endless - long).abs() < 1e-9 * endless, "{endless} {long}");
    }

    #[test]
    fn value_scales_with_money(clients in prop::collection::vec(plain_client(), 60..90), scale in 0.001..1000.0_f64) {
        let dearer: Vec<Rfm> =
            clients.iter().map(|client| Rfm { value: client.value.map(|value| value * scale), ..*client }).collect();
        let (fit, scaled) = (GammaGamma::fit(&clients).unwrap(), GammaGamma::fit(&dearer).unwrap());
        let one = fit.parameters;
        let exact = GammaGamma { gamma: one.gamma * scale, ..one };
        for (client, dear) in clients.iter().zip(&dearer) {
            let (value, moved) = (one.expected_value_of(client), exact.expected_value_of(dear));
            prop_assert_eq!(value.is_some(), moved.is_some());
            if let (Some(value), Some(moved)) = (value, moved) {
                prop_assert!((value * scale - moved).abs() <= 1e-12 * moved);
                if fit.converged && scaled.converged {
                    let found = scaled.parameters.expected_value_of(dear).unwrap();
                    prop_assert!((found - moved).abs() <= 1e-4 * moved, "{} {}", found, moved);
                }
            }
        }
    }

    #[test]
    fn a_fit_does_not_know_the_order(
        (clients, shuffled) in prop::collection::vec(plain_client(), 5..60)
            .prop_flat_map(|clients| (Just(clients.clone()), Just(clients).prop_shuffle())),
    ) {
        prop_assert_eq!(bits(BgNbd::fit(&clients)), bits(BgNbd::fit(&shuffled)));
        prop_assert_eq!(bits(MbgNbd::fit(&clients)), bits(MbgNbd::fit(&shuffled)));
        prop_assert_eq!(bits(GammaGamma::fit(&clients)), bits(GammaGamma::fit(&shuffled)));
    }

    #[test]
    fn cohorts_in_any_order_and_cut_in_two_are_one_fit(cohorts in cohorts()) {
        let turned: Vec<CohortCounts> = cohorts.iter().rev().cloned().collect();
        prop_assert_eq!(bits(Sbg::fit(&cohorts)), bits(Sbg::fit(&turned)));
        prop_assert_eq!(bits(Bdw::fit(&cohorts)), bits(Bdw::fit(&turned)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_fit_of_pareto_nbd_does_not_know_the_order(
        (clients, shuffled) in prop::collection::vec(plain_client(), 15..40)
            .prop_flat_map(|clients| (Just(clients.clone()), Just(clients).prop_shuffle())),
    ) {
        prop_assert_eq!(bits(ParetoNbd::fit(&clients)), bits(ParetoNbd::fit(&shuffled)));
    }

    #[test]
    fn no_data_panics_or_hangs(clients in prop::collection::vec(any_client(), 0..30)) {
        for result in [
            bits(BgNbd::fit(&clients)),
            bits(MbgNbd::fit(&clients)),
            bits(ParetoNbd::fit(&clients)),
            bits(GammaGamma::fit(&clients)),
        ] {
            match result {
                Ok(report) => prop_assert!(!report.contains("\"value\":null"), "{}", report),
                Err(error) => prop_assert_eq!(error.code(), "too_few"),
            }
        }
    }
}

#[test]
fn what_cannot_be_is_refused_by_place() {
    let client = |frequency, recency, age| Rfm { frequency, recency, age, value: None };
    let fault = |bad: Rfm| BgNbd::fit(&[client(1, 2.0, 3.0), bad]).unwrap_err().to_string();
    assert_eq!(fault(client(1, 4.0, 3.0)), "`clients[1]`: 0 <= `recency` <= `age` must hold");
    assert_eq!(fault(client(1, f64::NAN, 3.0)), "`clients[1]`: 0 <= `recency` <= `age` must hold");
    assert_eq!(fault(client(0, 1.0, 3.0)), "`clients[1]`: `recency` must be 0 where `frequency` is 0");
    let few = BgNbd::fit(&[client(1, 2.0, 3.0)]).unwrap_err();
    assert_eq!(
        (few.code(), few.to_string().as_str()),
        ("too_few", "BG/NBD over clients that bought again needs at least 10, found 1")
    );
    let bad = Horizon { periods: 0, length: 1.0, discount: 0.0 }.check().unwrap_err();
    assert_eq!(bad.to_string(), "`periods` must be 1 to 10000, found 0");
}

//! Laws of the score, on random models and random clients: it is in its range or absent, every part adds up, what is
//! missing can only lower coverage, and the truth lies between low and high.

use healthfold::{Engine, Event, HealthScore, LintCode, Model, Settings, Severity};
use proptest::prelude::*;
use serde_json::{Value, json};

const KEYS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// A curve with rising first numbers; points from `low` to 100.
fn curve(low: f64) -> impl Strategy<Value = Value> {
    let pairs = prop::collection::vec((0.01f64..40.0, low..=100.0), 1..5).prop_map(|steps| {
        let mut x = -20.0;
        let rising = |(step, y): (f64, f64)| {
            x += step;
            json!([x, y])
        };
        steps.into_iter().map(rising).collect::<Vec<Value>>()
    });
    (pairs, any::<bool>())
        .prop_map(|(pairs, steps)| if steps { json!({"steps": pairs}) } else { json!({"points": pairs}) })
}

fn part() -> impl Strategy<Value = Value> {
    let missing = prop_oneof![
        6 => Just(json!("redistribute")),
        2 => (0.0f64..=100.0).prop_map(|points| json!({"points": points})),
        1 => Just(json!("required")),
        1 => (1i32..5).prop_map(|days| json!({"carry_days": days})),
    ];
    let weight = prop_oneof![1 => Just(0.0), 8 => 0.01f64..10.0];
    let human = prop::bool::weighted(0.3);
    (prop::sample::select(&KEYS[..]), weight, curve(0.0), missing, human).prop_map(
        |(signal, weight, curve, missing, human)| {
            json!({"signal": signal, "weight": weight, "curve": curve, "missing": missing, "human": human})
        },
    )
}

fn group() -> impl Strategy<Value = Value> {
    let combine = || prop::sample::select(&["mean", "mean", "min", "max"][..]);
    let leaf = (prop::collection::vec(part(), 1..4), 0.0f64..5.0, combine())
        .prop_map(|(parts, weight, combine)| json!({"name": "leaf", "weight": weight, "combine": combine, "parts": parts}));
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let (groups, parts) = (prop::collection::vec(inner, 1..3), prop::collection::vec(part(), 0..3));
        (groups, parts, 0.0f64..5.0, combine()).prop_map(|(groups, parts, weight, combine)| {
            json!({"name": "knot", "weight": weight, "combine": combine, "parts": parts, "groups": groups})
        })
    })
}

fn model() -> impl Strategy<Value = Value> {
    let adjustment = (prop::sample::select(&KEYS[..]), curve(-60.0))
        .prop_map(|(signal, curve)| json!({"name": "more or less", "signal": signal, "curve": curve}));
    let limit = (prop::sample::select(&KEYS[..]), -20.0f64..100.0, 0.0f64..=100.0, prop::sample::select(&["cap", "floor", "set"][..]))
        .prop_map(|(signal, above, at, bound)| json!({"name": "bound", "when": {"signal": signal, "above": above}, bound: at}));
    (
        prop::collection::vec(group(), 1..4),
        prop::collection::vec(adjustment, 0..3),
        prop::collection::vec(limit, 0..4),
        prop_oneof![Just(0.0), 0.0f64..=1.0],
        prop::sample::select(&["mean", "min", "max"][..]),
        prop::option::of(0.0f64..=40.0),
    )
        .prop_map(|(groups, adjustments, limits, min_coverage, combine, human_cap)| {
            let signals: Value = KEYS.iter().map(|key| (*key, json!({"kind": "attribute", "key": key}))).collect();
            json!({"name": "random", "version": 1, "signals": signals, "combine": combine, "groups": groups,
                "adjustments": adjustments, "limits": limits, "min_coverage": min_coverage, "human_cap": human_cap,
                "bands": [{"name": "red", "from": 0}, {"name": "yellow", "from": 40}, {"name": "green", "from": 70}]})
        })
}

/// The attributes of a client, some of them missing, and an override perhaps.
fn client() -> impl Strategy<Value = (Vec<Option<f64>>, Option<(&'static str, f64)>)> {
    let value = prop_oneof![1 => Just(None), 3 => (-20.0f64..100.0).prop_map(|x| Some((x * 1000.0).round() / 1000.0))];
    let kind = prop::sample::select(&["score", "cap", "floor"][..]);
    (prop::collection::vec(value, 6), prop::option::weighted(0.3, (kind, 0.0f64..=100.0)))
}

#[expect(clippy::unwrap_used, reason = "what the strategies make is valid")]
fn score(model: &Value, values: &[Option<f64>], over: Option<(&str, f64)>) -> HealthScore {
    let mut engine = Engine::new(Settings::default()).unwrap();
    let mut apply = |id: &str, kind: &str, data: Value| {
        let event = json!({"id": id, "source": "t", "type": kind, "subject": "c", "time": "2026-01-05T10:00:00Z", "data": data});
        engine.apply(&Event::from_json(event.to_string().as_bytes()).unwrap()).unwrap();
    };
    let attributes: Value =
        KEYS.iter().zip(values).filter_map(|(key, value)| value.map(|value| (*key, json!(value)))).collect();
    apply("1", "client.set", json!({"attributes": attributes}));
    if let Some((kind, value)) = over {
        let value = (value * 1000.0).round() / 1000.0;
        apply(
            "2",
            "client.override_set",
            json!({"kind": kind, "value": value, "reason": "r", "by": "b", "until": "2027-01-01"}),
        );
    }
    let model = Model::from_value(model).unwrap();
    engine.score(&"c".into(), &model, "2026-01-06T12:00:00Z".parse().unwrap()).unwrap()
}

proptest! {
    #[test]
    fn no_band_that_somebody_is_in_is_called_unreachable(model in model(), (values, _) in client()) {
        let health = score(&model, &values, None);
        let checked = Model::from_value(&model).unwrap();
        for finding in checked.lint() {
            let sure = finding.code == LintCode::UnreachableBand && finding.severity == Severity::Warning;
            let band = checked.bands().iter().position(|band| band.name == health.band);
            let here = band.map(|place| format!("bands[{place}]"));
            prop_assert!(!sure || Some(&finding.path) != here.as_ref(), "{} for {:?}", finding.message, health.score);
        }
    }

    #[test]
    fn a_score_is_in_its_range_and_adds_up(model in model(), (values, over) in client()) {
        let health = score(&model, &values, over);
        let parts: f64 = health.parts.iter().map(|part| part.contribution).sum();
        let effects: f64 = health.adjustments.iter().chain(&health.limits).map(|effect| effect.effect).sum();
        let over_effect = health.r#override.as_ref().map_or(0.0, |over| over.effect);
        if let Some(score) = health.score {
            prop_assert!((0.0..=100.0).contains(&score), "{score}");
            let sum = parts + effects + over_effect + health.clamp;
            prop_assert!((sum - score).abs() < 1e-9, "{sum} is not {score}");
            prop_assert!(health.band != "unknown");
            let (low, high) = (health.low.unwrap_or(0.0), health.high.unwrap_or(100.0));
            prop_assert!(low <= score + 1e-9 && score <= high + 1e-9, "{low} {score} {high}");
        } else {
            prop_assert_eq!(health.band.as_str(), "unknown");
        }
        prop_assert!((0.0..=1.0 + 1e-12).contains(&health.coverage));
        let weights: f64 = health.parts.iter().map(|part| part.weight).sum();
        prop_assert!(weights == 0.0 || (weights - 1.0).abs() < 1e-9, "shares add up to 1: {weights}");
        for part in &health.parts {
            prop_assert!(part.points.is_none_or(|points| (0.0..=100.0).contains(&points)));
            prop_assert_eq!(part.reading.is_none(), part.missing.is_some());
        }
    }

    #[test]
    fn knowing_less_never_raises_coverage(model in model(), (values, over) in client(), forget in 0usize..6) {
        let before = score(&model, &values, over);
        let mut less = values.clone();
        less[forget] = None;
        let after = score(&model, &less, over);
        prop_assert!(after.coverage <= before.coverage + 1e-12);
    }

    #[test]
    fn a_model_reads_back_as_itself(model in model()) {
        let read = Model::from_value(&model).unwrap();
        prop_assert_eq!(&Model::from_value(read.to_json()).unwrap(), &read);
    }

    #[test]
    fn what_is_only_tracked_moves_nothing(model in model(), (values, over) in client(), key in prop::sample::select(&KEYS[..])) {
        let mut tracked = model.clone();
        tracked["signals"]["t"] = json!({"kind": "attribute", "key": key, "direction": "unknown"});
        let part = json!({"signal": "t", "weight": 0});
        let whole = json!({"signal": "t", "weight": 0, "curve": {"points": [[0, 7]]}, "missing": "required"});
        if let Some(parts) = tracked["groups"][0]["parts"].as_array_mut() {
            parts.push(part.clone());
        }
        if let Some(groups) = tracked["groups"].as_array_mut() {
            groups.push(json!({"name": "watched", "weight": 3, "parts": [part, whole]}));
        }
        let (plain, tracked) = (score(&model, &values, over), score(&tracked, &values, over));
        prop_assert_eq!(
            (plain.score, plain.computed, plain.coverage, plain.low, plain.high, &plain.band),
            (tracked.score, tracked.computed, tracked.coverage, tracked.low, tracked.high, &tracked.band)
        );
        let listed = tracked.parts.iter().filter(|part| part.signal == "t").collect::<Vec<_>>();
        prop_assert_eq!(listed.len(), 3);
        prop_assert!(listed.iter().all(|part| part.points.is_none() && part.weight == 0.0 && part.contribution == 0.0));
    }
}

#[test]
fn every_fault_of_a_model_is_reported_at_once_by_path() {
    let faulty = json!({
        "name": "", "version": -1, "extra": 1,
        "signals": {"x": {"kind": "usage_sum", "days": 0}, "y": {"kind": "nonsense"}, "z": {"kind": "sentiment", "offset": 1},
            "s": {"kind": "stickiness", "short": 9, "long": 3}, "b": {"kind": "breadth", "days": 7, "metrics": []}},
        "groups": [{"name": "g", "weight": -1, "parts": [
            {"signal": "unknown", "curve": {"points": [[0, 0], [0, 101]]}},
            {"signal": "x"},
            {"signal": "x", "curve": {"points": [[0, 0]], "steps": [[0, 0]]}, "missing": "sometimes"}]},
            {"name": "empty"}],
        "limits": [{"name": "l", "when": {"signal": "x"}, "cap": 10, "floor": 5}, {"name": "m", "when": {"what": 1}, "cap": 400}],
        "bands": [{"name": "red", "from": 5}, {"name": "red", "from": 5}],
        "min_coverage": 2,
    });
    let issues = Model::from_value(&faulty).unwrap_err().issues;
    let paths: Vec<&str> = issues.iter().map(|issue| issue.path.as_str()).collect();
    for path in [
        "name",
        "version",
        "extra",
        "signals.x.metric",
        "signals.x.days",
        "signals.y.kind",
        "signals.z.offset",
        "signals.s.short",
        "signals.b.metrics",
        "groups[0].weight",
        "groups[0].parts[0].signal",
        "groups[0].parts[0].curve.points[1]",
        "groups[0].parts[1].curve",
        "groups[0].parts[2].curve",
        "groups[0].parts[2].missing",
        "groups[1]",
        "limits[0].when.above",
        "limits[0].cap",
        "limits[1].when",
        "limits[1].cap",
        "bands",
        "min_coverage",
    ] {
        assert!(paths.contains(&path), "{path} is not among {paths:?}");
    }
    assert!(issues.iter().all(|issue| !issue.message.is_empty()));
}

#[test]
fn a_model_of_ten_thousand_faults_and_one_that_nests_without_end_answer() {
    let parts: Vec<Value> = (0..10_000).map(|_| json!({"signal": "no", "curve": 1})).collect();
    let many = json!({"name": "m", "signals": {}, "groups": [{"name": "g", "parts": parts}], "bands": [{"name": "b", "from": 0}]});
    assert_eq!(Model::from_value(&many).unwrap_err().issues.len(), 20_000);
    let deep = format!("{}{}", "{\"groups\":[".repeat(10_000), "]}".repeat(10_000));
    assert_eq!(Model::from_json(&deep).unwrap_err().issues.len(), 1);
}

#[test]
fn a_percentile_is_refused_where_it_would_do_nothing() {
    let model = json!({"name": "m", "signals": {"x": {"kind": "attribute", "key": "a"}},
        "groups": [{"name": "g", "parts": [{"signal": "x", "curve": {"points": [[0, 0]]}}]}],
        "adjustments": [{"name": "n", "signal": "x", "curve": {"percentile": {"within": "all"}}}],
        "bands": [{"name": "b", "from": 0}]});
    let issues = Model::from_value(&model).unwrap_err().issues;
    assert_eq!(issues.iter().map(|issue| issue.path.as_str()).collect::<Vec<_>>(), ["adjustments[0].curve"]);
}

//! One model made by hand for each code, and the shipped models, about which there is nothing to say.

use super::{Finding, LintCode, Severity};
use crate::score::Model;
use serde_json::{Value, json};

/// A model over some signals with its groups and whatever else is given.
fn model(signals: &Value, groups: &Value, more: &Value) -> Model {
    let mut document = json!({"name": "m", "signals": signals, "groups": groups,
        "bands": [{"name": "red", "from": 0}, {"name": "yellow", "from": 40}, {"name": "green", "from": 70}]});
    for (name, value) in more.as_object().unwrap() {
        document[name] = value.clone();
    }
    Model::from_value(&document).unwrap()
}

/// Attributes under their names: numbers of which nothing is known.
fn attributes(names: &[&str]) -> Value {
    names.iter().map(|name| (*name, json!({"kind": "attribute", "key": name}))).collect()
}

/// A part whose points are the reading.
fn part(signal: &str) -> Value {
    json!({"signal": signal, "curve": {"points": [[0, 0], [100, 100]]}})
}

/// One group of ten parts, of which none is strong.
fn ten() -> (Value, Value) {
    let names: Vec<String> = (0..10).map(|n| format!("s{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let parts: Value = names.iter().map(|name| part(name)).collect();
    (attributes(&names), json!([{"name": "g", "parts": parts}]))
}

/// The findings of a code: paths and what they say.
fn of(model: &Model, code: LintCode) -> Vec<Finding> {
    model.lint().into_iter().filter(|finding| finding.code == code).collect()
}

fn paths(model: &Model, code: LintCode) -> Vec<String> {
    of(model, code).into_iter().map(|finding| finding.path).collect()
}

#[test]
fn the_shipped_models_have_nothing_to_look_at() {
    for model in [Model::default(), Model::usage_based("calls").unwrap(), Model::high_touch()] {
        assert_eq!(model.lint(), [], "{}", model.name());
    }
}

#[test]
fn ten_plain_parts_have_nothing_but_their_coverage_to_look_at() {
    let (signals, groups) = ten();
    let plain = model(&signals, &groups, &json!({}));
    let found: Vec<LintCode> = plain.lint().into_iter().map(|finding| finding.code).collect();
    assert_eq!(found, [LintCode::OnePartMakesScore]);
    assert_eq!(model(&signals, &groups, &json!({"min_coverage": 0.5})).lint(), []);
}

#[test]
fn unreachable_band_and_score_cannot_be_low() {
    // A milestone gives 50 or 100, an attribute 0 to 100, half and half: 25 to 100 with both. The milestone alone gives
    // 50 or 100, the attribute alone 0 to 100.
    let signals =
        json!({"done": {"kind": "milestone", "milestone": "live"}, "x": {"kind": "attribute", "key": "x"}});
    let groups = |missing: &str| {
        json!([{"name": "g", "parts": [
            {"signal": "done", "curve": {"steps": [[0, 50], [1, 100]]}, "missing": missing},
            {"signal": "x", "curve": {"points": [[0, 0], [100, 100]]}, "missing": missing}]}])
    };
    let bands =
        json!([{"name": "red", "from": 0}, {"name": "yellow", "from": 25}, {"name": "green", "from": 70}]);
    let lenient = model(&signals, &groups("redistribute"), &json!({"bands": bands}));
    assert!(of(&lenient, LintCode::UnreachableBand).is_empty(), "x alone can be 0");
    assert_eq!(paths(&lenient, LintCode::ScoreCannotBeLow), ["groups[0].parts[0].curve"]);
    let strict = model(&signals, &groups("required"), &json!({"bands": bands}));
    assert_eq!(paths(&strict, LintCode::UnreachableBand), ["bands[0]"]);
    let covered = model(&signals, &groups("redistribute"), &json!({"bands": bands, "min_coverage": 0.6}));
    assert_eq!(paths(&covered, LintCode::UnreachableBand), ["bands[0]"], "with 0.6 nothing of two may miss");
    // A limit leads there all the same.
    let limit = json!({"bands": bands, "limits": [{"name": "left", "when": {"paying": false}, "cap": 10}]});
    let limited = model(&signals, &groups("required"), &limit);
    assert!(
        of(&limited, LintCode::UnreachableBand).is_empty()
            && of(&limited, LintCode::ScoreCannotBeLow).is_empty()
    );
}

#[test]
fn unreachable_band_between_two_steps() {
    // One signal of yes or no: 0 or 100, and nothing between.
    let signals = json!({"lost": {"kind": "key_contact_lost", "days": 30}});
    let groups =
        json!([{"name": "g", "parts": [{"signal": "lost", "curve": {"steps": [[0, 100], [1, 0]]}}]}]);
    assert_eq!(paths(&model(&signals, &groups, &json!({})), LintCode::UnreachableBand), ["bands[1]"]);
    // A squashing curve over what is never below 0: 100 / (1 + e^0) = 50 at the least.
    let signals = json!({"tickets": {"kind": "tickets_opened", "days": 30}});
    let groups = json!([{"name": "g", "parts": [{"signal": "tickets", "curve": {"logistic": {"mid": 0, "slope": 1}}}]}]);
    let squashed = model(&signals, &groups, &json!({}));
    assert_eq!(paths(&squashed, LintCode::UnreachableBand), ["bands[0]"]);
    assert_eq!(paths(&squashed, LintCode::ScoreCannotBeLow), ["groups[0].parts[0].curve"]);
    // Only something missing leads to 100 where one part never gives it.
    let groups =
        json!([{"name": "g", "parts": [part("a"), {"signal": "b", "curve": {"points": [[0, 0], [1, 20]]}}]}]);
    let top = model(&attributes(&["a", "b"]), &groups, &json!({}));
    let found = of(&top, LintCode::UnreachableBand);
    assert_eq!((found.len(), found[0].path.as_str(), found[0].severity), (1, "bands[2]", Severity::Note));
}

#[test]
fn one_part_crosses_band() {
    // Weights 3, 6 and 1 of 10: 30, 60 and 10 points; yellow is 30 wide.
    let groups = json!([{"name": "g", "parts": [
        {"signal": "a", "weight": 3, "curve": {"points": [[0, 0], [1, 100]]}},
        {"signal": "b", "weight": 6, "curve": {"points": [[0, 20], [1, 60]]}},
        {"signal": "c", "weight": 1, "curve": {"points": [[0, 0], [1, 100]]}}]}]);
    let strong = model(&attributes(&["a", "b", "c"]), &groups, &json!({}));
    // b swings by 0.6 x 40 = 24 only.
    assert_eq!(paths(&strong, LintCode::OnePartCrossesBand), ["groups[0].parts[0]"]);
    // In a minimum each may decide for the whole group.
    let groups = json!([{"name": "g", "combine": "min", "parts": [part("a"), part("b")]}]);
    let least = model(&attributes(&["a", "b"]), &groups, &json!({}));
    assert_eq!(paths(&least, LintCode::OnePartCrossesBand).len(), 2);
}

#[test]
fn human_parts_reach_as_far_as_their_cap() {
    // A milestone computes 60 or 80; people say 0 to 100 at the same weight: 30 to 90, and with a cap of 15 from 45 to 90
    // (80 + 15 is more than (80 + 100) / 2).
    let signals = json!({"done": {"kind": "milestone", "milestone": "live"}, "mood": {"kind": "attribute", "key": "mood"}});
    let groups = json!([{"name": "g", "parts": [
        {"signal": "done", "curve": {"steps": [[0, 60], [1, 80]]}, "missing": "required"},
        {"signal": "mood", "human": true, "curve": {"points": [[0, 0], [100, 100]]}, "missing": "required"}]}]);
    let with = |more: Value| model(&signals, &groups, &more);
    assert!(of(&with(json!({})), LintCode::UnreachableBand).is_empty());
    assert_eq!(paths(&with(json!({"human_cap": 15})), LintCode::UnreachableBand), ["bands[0]"]);
    // Half of 100 points is more than the 30 of yellow; a cap of 14 leaves 28.
    assert_eq!(paths(&with(json!({"human_cap": 15})), LintCode::OnePartCrossesBand), ["groups[0].parts[1]"]);
    assert!(of(&with(json!({"human_cap": 14})), LintCode::OnePartCrossesBand).is_empty());
}

#[test]
fn no_floor() {
    let (signals, groups) = ten();
    let fall = |by: i32| json!({"name": "fall", "signal": "s0", "curve": {"points": [[0, 0], [1, -by]]}});
    let rise = json!({"name": "rise", "signal": "s1", "curve": {"points": [[0, 0], [1, 30]]}});
    let with = |list: Value| model(&signals, &groups, &json!({"adjustments": list}));
    assert!(of(&with(json!([fall(60), fall(39), rise])), LintCode::NoFloor).is_empty());
    assert_eq!(paths(&with(json!([fall(60), fall(40), rise])), LintCode::NoFloor), ["adjustments"]);
}

#[test]
fn one_part_makes_score() {
    let groups = |missing: &str| {
        json!([{"name": "g", "parts": [{"signal": "a", "weight": 2, "missing": missing, "curve": {"points": [[0, 0], [1, 100]]}},
            {"signal": "b", "weight": 3, "curve": {"points": [[0, 0], [1, 100]]}}, part("c")]}])
    };
    // b covers 3 of 6.
    let names = attributes(&["a", "b", "c"]);
    let with = |missing: &str, least: f64| model(&names, &groups(missing), &json!({"min_coverage": least}));
    assert_eq!(paths(&with("redistribute", 0.5), LintCode::OnePartMakesScore), ["min_coverage"]);
    assert!(of(&with("redistribute", 0.51), LintCode::OnePartMakesScore).is_empty());
    assert!(of(&with("required", 0.5), LintCode::OnePartMakesScore).is_empty(), "b is not enough without a");
}

#[test]
fn weights_not_100_and_no_weight() {
    let group = |weights: &[f64]| {
        let parts: Value = ["a", "b", "c"]
            .iter()
            .zip(weights)
            .map(|(name, weight)| json!({"signal": name, "weight": weight, "curve": {"points": [[0, 0], [1, 100]]}}))
            .collect();
        model(&attributes(&["a", "b", "c"]), &json!([{"name": "g", "parts": parts}]), &json!({}))
    };
    assert_eq!(paths(&group(&[50.0, 30.0, 15.0]), LintCode::WeightsNot100), ["groups[0]"]);
    assert_eq!(paths(&group(&[0.5, 0.3, 0.15]), LintCode::WeightsNot100), ["groups[0]"]);
    for fine in [[50.0, 30.0, 20.0], [3.0, 2.0, 1.0], [0.5, 0.3, 0.2], [0.1, 0.2, 0.3]] {
        assert!(of(&group(&fine), LintCode::WeightsNot100).is_empty(), "{fine:?}");
    }
    assert_eq!(paths(&group(&[0.0, 0.0, 0.0]), LintCode::NoWeight), ["groups[0]"]);
}

#[test]
fn yes_no_under_graded_curve() {
    let signals = json!({"done": {"kind": "milestone", "milestone": "live"}});
    let with = |curve: Value| {
        model(&signals, &json!([{"name": "g", "parts": [{"signal": "done", "curve": curve}]}]), &json!({}))
    };
    for graded in [
        json!({"points": [[0, 0], [0.5, 30], [1, 100]]}),
        json!({"points": [[0, 0], [5, 100]]}),
        json!({"steps": [[0, 0], [1, 50], [2, 100]]}),
        json!({"logistic": {"mid": 0.5, "slope": 10}}),
    ] {
        let found = of(&with(graded.clone()), LintCode::YesNoUnderGradedCurve);
        assert_eq!(found.len(), 1, "{graded}");
        assert_eq!(found[0].path, "groups[0].parts[0].curve");
    }
    for plain in [
        json!({"steps": [[0, 20], [1, 100]]}),
        json!({"steps": [[0.5, 100]]}),
        json!({"points": [[0, 0], [1, 100]]}),
    ] {
        assert!(of(&with(plain.clone()), LintCode::YesNoUnderGradedCurve).is_empty(), "{plain}");
    }
}

#[test]
fn direction_against_curve() {
    let signals = json!({"csat": {"kind": "csat", "days": 30}, "quiet": {"kind": "days_since_usage"},
        "errors": {"kind": "usage_sum", "metric": "errors", "days": 7}, "nps": {"kind": "nps"}});
    let falls = json!({"points": [[0, 100], [5, 0]]});
    let rises = json!({"steps": [[0, 0], [5, 100]]});
    let groups = json!([{"name": "g", "parts": [{"signal": "csat", "curve": falls}, {"signal": "quiet", "curve": rises},
        {"signal": "errors", "curve": falls}, {"signal": "nps", "curve": {"peak": {"low": -100, "ideal": 0, "high": 100}}}]}]);
    let adjustments =
        json!({"adjustments": [{"name": "good", "signal": "csat", "curve": {"points": [[1, -5], [5, 5]]}}]});
    let turned = model(&signals, &groups, &adjustments);
    let found: Vec<(String, Severity)> =
        of(&turned, LintCode::DirectionAgainstCurve).into_iter().map(|f| (f.path, f.severity)).collect();
    let at = |n: usize| format!("groups[0].parts[{n}].curve");
    assert_eq!(found, [(at(0), Severity::Warning), (at(1), Severity::Warning), (at(2), Severity::Note)]);
}

#[test]
fn small_base_near_copies_and_unused_signal() {
    let signals = json!({
        "missed": {"kind": "ratio", "numerator": "missed", "denominator": "calls", "days": 7},
        "late": {"kind": "ratio", "numerator": "late", "denominator": "calls", "days": 7, "min_denominator": 20},
        "trend": {"kind": "usage_trend", "metric": "calls", "days": 7, "min_base": 0.1},
        "again": {"kind": "usage_trend", "metric": "calls", "days": 7, "min_base": 0.1, "offset": 0},
        "idle": {"kind": "csat", "days": 30}});
    let groups = json!([{"name": "g", "parts": [part("missed"), part("late"), part("trend"), part("again"), part("late")]}]);
    let model = model(&signals, &groups, &json!({}));
    let mut bases = paths(&model, LintCode::SmallBase);
    bases.sort();
    assert_eq!(bases, ["signals.again.min_base", "signals.missed.min_denominator", "signals.trend.min_base"]);
    assert_eq!(paths(&model, LintCode::NearCopies), ["groups[0].parts[3]", "groups[0].parts[4]"]);
    assert_eq!(paths(&model, LintCode::UnusedSignal), ["signals.idle"]);
}

#[test]
fn overlapping_conditions() {
    let (signals, groups) = ten();
    let above = |x: f64| json!({"signal": "s0", "above": x});
    let cap = |name: &str, when: Value, at: f64| json!({"name": name, "when": when, "cap": at});
    let limits = |list: Value| model(&signals, &groups, &json!({"limits": list}));
    // Whenever s0 is above 30 it is above 10, and 40 cuts deeper than 50.
    let weak = limits(json!([cap("weak", above(30.0), 50.0), cap("strong", above(10.0), 40.0)]));
    assert_eq!(paths(&weak, LintCode::OverlappingConditions), ["limits[0]"]);
    let stairs = limits(json!([cap("some", above(10.0), 50.0), cap("more", above(30.0), 40.0)]));
    assert!(of(&stairs, LintCode::OverlappingConditions).is_empty());
    let twice = limits(json!([cap("one", above(10.0), 40.0), cap("two", above(10.0), 40.0)]));
    assert_eq!(
        paths(&twice, LintCode::OverlappingConditions),
        ["limits[1]"],
        "of equal ones the first decides"
    );
    let both = json!({"all": [above(30.0), {"paying": true}]});
    let inside = limits(json!([
        cap("inside", both, 50.0),
        cap("strong", json!({"any": [above(10.0), {"tag": "x"}]}), 40.0)
    ]));
    assert_eq!(paths(&inside, LintCode::OverlappingConditions), ["limits[0]"]);

    let single = json!({"name": "m", "signals": attributes(&["a"]), "groups": [{"name": "g", "parts": [part("a")]}], "bands": [{"name": "red", "from": 0}]});
    let young = |days: f64| json!({"tenure_days": {"below": days}});
    let set = Model::from_value(&json!({"name": "set",
        "stages": [{"name": "new", "when": young(90.0)}, {"name": "newest", "when": young(30.0)}],
        "models": [{"when": {"segment": "smb"}, "model": single}, {"when": {"all": [{"segment": "smb"}, {"paying": true}]}, "model": single}, {"model": single}]}))
    .unwrap();
    assert_eq!(paths(&set, LintCode::OverlappingConditions), ["models[1].when", "stages[1].when"]);
}

#[test]
fn limit_cannot_fire() {
    let (mut signals, groups) = ten();
    signals["csat"] = json!({"kind": "csat", "days": 30});
    let limits = |list: Value| model(&signals, &groups, &json!({"limits": list}));
    let never = |when: Value| limits(json!([{"name": "never", "when": when, "cap": 10}]));
    for impossible in [
        json!({"signal": "csat", "above": 5}),
        json!({"signal": "csat", "below": 1}),
        json!({"signal": "s0", "above": 5, "below": 4}),
        json!({"all": [{"signal": "s0", "above": 5}, {"signal": "s0", "at_most": 5}]}),
        json!({"tenure_days": {"below": 0}}),
        json!({"any": [{"signal": "csat", "equals": 7}, {"signal": "csat", "above": 9}]}),
    ] {
        assert_eq!(
            paths(&never(impossible.clone()), LintCode::LimitCannotFire),
            ["limits[0].when"],
            "{impossible}"
        );
    }
    assert!(of(&never(json!({"signal": "csat", "at_least": 5})), LintCode::LimitCannotFire).is_empty());
    let idle = limits(
        json!([{"name": "top", "when": {"paying": true}, "cap": 100}, {"name": "ground", "when": {"paying": true}, "floor": 0}]),
    );
    assert_eq!(paths(&idle, LintCode::LimitCannotFire), ["limits[0]", "limits[1]"]);
}

#[test]
fn a_group_with_nothing_of_weight_in_it_gives_nothing() {
    // The greater of x and z, which gives 60 to 70. Without z its group has only a part of no weight, and x alone is the score.
    let signals = attributes(&["x", "z", "h"]);
    let late = json!([{"name": "late", "when": {"paying": true}, "floor": 20}]);
    for missing in [json!("required"), json!({"points": 50}), json!({"carry_days": 3}), json!("redistribute")]
    {
        let groups = json!([{"name": "a", "parts": [part("x")]}, {"name": "b", "parts": [
            {"signal": "z", "curve": {"points": [[0, 60], [1, 70]]}},
            {"signal": "h", "weight": 0, "curve": {"points": [[0, 0], [100, 100]]}, "missing": missing}]}]);
        let model = model(&signals, &groups, &json!({"combine": "max", "limits": late}));
        assert!(of(&model, LintCode::LimitCannotFire).is_empty(), "{missing}: at 10 it lifts to 20");
        let bands = of(&model, LintCode::UnreachableBand);
        let warned = bands.iter().filter(|finding| finding.severity == Severity::Warning);
        assert_eq!(warned.count(), 0, "{missing}: {bands:?}");
    }
    // The least of a group takes every part, of whatever weight: with z missing h gives 80 and the greater is never below.
    let groups = json!([{"name": "a", "parts": [part("x")]}, {"name": "b", "combine": "min", "parts": [
        {"signal": "z", "curve": {"points": [[0, 60], [1, 70]]}},
        {"signal": "h", "weight": 0, "curve": {"points": [[0, 80]]}, "missing": {"points": 80}}]}]);
    let held = model(&signals, &groups, &json!({"combine": "max", "limits": late}));
    assert_eq!(paths(&held, LintCode::UnreachableBand), ["bands[0]"]);
    assert_eq!(paths(&held, LintCode::LimitCannotFire), ["limits[0]"]);
}

#[test]
fn one_name_two_values() {
    let single = |poor: u32, days: u32| {
        json!({"name": "m", "signals": {"users": {"kind": "active_users", "days": days}},
            "groups": [{"name": "g", "parts": [{"signal": "users", "curve": {"points": [[0, 0], [9, 100]]}}]}],
            "bands": [{"name": "bad", "from": 0}, {"name": "poor", "from": poor}]})
    };
    let set = |second: Value| {
        Model::from_value(&json!({"name": "set", "models": [{"when": {"paying": true}, "model": single(40, 7)}, {"model": second}]})).unwrap()
    };
    assert_eq!(set(single(40, 7)).lint(), []);
    assert_eq!(paths(&set(single(50, 7)), LintCode::OneNameTwoValues), ["models[1].model.bands[1]"]);
    assert_eq!(paths(&set(single(40, 30)), LintCode::OneNameTwoValues), ["models[1].model.signals.users"]);
}

#[test]
fn a_model_of_ten_thousand_parts_and_limits_is_looked_at_in_no_time() {
    let names: Vec<String> = (0..10_000).map(|n| format!("s{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let parts: Value = names.iter().map(|name| part(name)).collect();
    let limits: Value = (0..10_000)
        .map(|n| json!({"name": format!("l{n}"), "when": {"any": [{"signal": "s0", "above": n}, {"tag": "x"}]}, "cap": n % 100}))
        .collect();
    let large = model(
        &attributes(&names),
        &json!([{"name": "g", "parts": parts}]),
        &json!({"limits": limits, "min_coverage": 0.5}),
    );
    assert!(!large.lint().is_empty());
}

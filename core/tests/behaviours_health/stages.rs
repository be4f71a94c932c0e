//! Lifecycle stages, their clocks, and which model a client is judged by.

use crate::book::{Book, bands, near, recipe};
use healthfold::{Cause, ClientId, Model};
use serde_json::{Value, json};

#[test]
fn s23_a_trial_without_a_ticket_is_told_by_the_clock_alone() {
    let model = recipe("A trial in which nobody asks");
    let mut book = Book::new();
    // The desk is connected: somebody else once wrote.
    book.asks("old", "2026-02-01", "");
    for client in ["silent", "asking"] {
        book.subscribes(client, "2026-03-01T09:00:00Z", "trialing", json!({"trial_end": "2026-03-15"}));
    }
    book.asks("asking", "2026-03-03", "question");
    // Nothing is heard of either from then on. Day 4, and day 5.
    near(book.points("silent", &model, "2026-03-05"), 60.0);
    near(book.points("silent", &model, "2026-03-06"), 50.0);
    let silent = book.score("silent", &model, "2026-03-06");
    near(crate::book::effect(&silent, "invite to chat"), -10.0);
    near(book.points("asking", &model, "2026-03-06"), 80.0);
    // A late question lifts it at once.
    book.asks("silent", "2026-03-08T10:00:00Z", "question");
    near(book.points("silent", &model, "2026-03-08T09:00:00Z"), 50.0);
    near(book.points("silent", &model, "2026-03-08T10:00:00Z"), 80.0);
}

#[test]
fn s23_an_unconnected_desk_is_no_silence() {
    let mut book = Book::new();
    book.subscribes("silent", "2026-03-01", "trialing", json!({}));
    let health = book.score("silent", &recipe("A trial in which nobody asks"), "2026-03-10");
    assert_eq!((health.score, crate::book::effect(&health, "invite to chat")), (None, 0.0));
}

#[test]
fn s46_the_end_of_a_trial_comes_near_by_the_clock() {
    let model = recipe("A trial in which nobody asks");
    let mut book = Book::new();
    book.subscribes("acme", "2026-03-01", "trialing", json!({"trial_end": "2026-03-15"}));
    for _ in 0..2 {
        book.asks("acme", "2026-03-09", "question");
    }
    // Two tickets are 100. On 11 March four days are left, on the 12th three.
    near(book.points("acme", &model, "2026-03-11"), 100.0);
    near(book.points("acme", &model, "2026-03-12"), 69.0);
}

#[test]
fn s47_a_change_of_stage_is_told_as_one() {
    let inner = |name: &str, points: u32| {
        json!({"name": name, "bands": bands(), "signals": {"quiet": {"kind": "days_since_usage"}},
            "groups": [{"name": "g", "parts": [{"signal": "quiet", "curve": {"points": [[0, points]]}}]}]})
    };
    let set = json!({"name": "by stage",
        "signals": {"features": {"kind": "breadth", "days": 28}},
        "stages": [{"name": "onboarding", "when": {"not": {"milestone": "live"}}},
            {"name": "active", "when": {"signal": "features", "below": 2}},
            {"name": "advanced", "when": {"signal": "features", "at_least": 2}}],
        "models": [{"when": {"stage": "onboarding"}, "model": inner("first steps", 50)},
            {"when": {"stage": "active"}, "model": inner("daily work", 70)}, {"model": inner("all of it", 90)}]});
    let model = Model::from_value(&set).unwrap();
    let mut book = Book::new();
    book.uses("acme", "2026-03-01", "calls", 1).reaches("acme", "2026-03-05", "live");
    book.uses("acme", "2026-03-09", "crm_sync", 1);
    let by_hand = [
        ("2026-03-04", "onboarding", 50.0),
        ("2026-03-06", "active", 70.0),
        ("2026-03-10", "advanced", 90.0),
    ];
    for (as_of, stage, score) in by_hand {
        let health = book.score("acme", &model, as_of);
        assert_eq!((health.stage.as_deref(), health.score), (Some(stage), Some(score)));
    }
    let acme = ClientId::new("acme");
    let (start, end) = (book.as_of("2026-03-04"), book.as_of("2026-03-06"));
    let change = book.engine.explain_change(&acme, &model, start, end, None).unwrap();
    let stages: Vec<_> = change.parts.iter().filter(|part| part.cause == Cause::Stage).collect();
    let [stage] = stages.as_slice() else { panic!("one change of stage: {change:?}") };
    near(stage.points, 20.0);
}

#[test]
fn s52_questions_early_on_count_for_the_client_and_later_do_not() {
    let model = recipe("Questions early on");
    let mut book = Book::new();
    for client in ["asks", "silent"] {
        book.uses(client, "2026-03-01", "logins", 1);
    }
    book.asks("asks", "2026-03-02", "question").asks("asks", "2026-03-03", "question").asks(
        "asks",
        "2026-03-04",
        "fault",
    );
    // Two questions of three: 40 + 2 x 20. Faults are another topic.
    near(book.points("asks", &model, "2026-03-05"), 80.0);
    near(book.points("silent", &model, "2026-03-05"), 40.0);
    for client in ["asks", "silent"] {
        book.reaches(client, "2026-03-10", "live").uses(client, "2026-03-10", "logins", 1);
        let health = book.score(client, &model, "2026-03-11");
        assert_eq!((health.stage.as_deref(), health.score), (Some("active"), Some(100.0)), "{client}");
    }
    assert_eq!(book.score("asks", &model, "2026-03-11").parts[1].reading, Some(2.0), "still tracked");
}

#[test]
fn s66_activation_says_when_or_since_when_not() {
    let model = recipe("Activation");
    let mut book = Book::new();
    for client in ["quick", "late", "never"] {
        book.is(client, "2026-03-01", json!({"attributes": {"base": 80}}));
    }
    book.reaches("quick", "2026-03-03T10:00:00Z", "first_call").reaches(
        "quick",
        "2026-03-04T11:00:00Z",
        "first_report",
    );
    book.reaches("late", "2026-03-03T10:00:00Z", "first_call").reaches(
        "late",
        "2026-03-20T12:00:00Z",
        "first_report",
    );
    let wanted = ["first_call".to_owned(), "first_report".to_owned()];
    let activation = |client: &str, as_of: &str| {
        book.engine.activation(&ClientId::new(client), &wanted, 10, book.as_of(as_of)).unwrap()
    };
    // 1 March + 10: due on the 11th.
    let quick = activation("quick", "2026-03-31");
    assert_eq!(quick.activated_at, Some("2026-03-04T11:00:00Z".parse().unwrap()));
    assert_eq!((quick.due.to_string(), quick.stalled_since), ("2026-03-11".to_owned(), None));
    let late = activation("late", "2026-03-15");
    assert_eq!(
        (late.activated_at, late.stalled_since.map(|day| day.to_string())),
        (None, Some("2026-03-12".to_owned()))
    );
    assert_eq!((late.reached.len(), late.open.as_slice()), (1, &["first_report".to_owned()][..]));
    assert_eq!(activation("late", "2026-03-31").stalled_since, None);
    // Through the 11th there is time, from the 12th on the score is capped, until it is done.
    for (client, on_the_11th, on_the_12th, on_the_21st) in
        [("quick", 80.0, 80.0, 80.0), ("late", 80.0, 50.0, 80.0), ("never", 80.0, 50.0, 50.0)]
    {
        near(book.points(client, &model, "2026-03-11"), on_the_11th);
        near(book.points(client, &model, "2026-03-12"), on_the_12th);
        near(book.points(client, &model, "2026-03-21"), on_the_21st);
    }
}

#[test]
fn s83_of_several_tags_the_first_rule_decides_and_is_named() {
    let inner = |name: &str| {
        json!({"name": name, "bands": bands(), "signals": {"base": {"kind": "attribute", "key": "base"}},
            "groups": [{"name": "g", "parts": [{"signal": "base", "curve": {"points": [[0, 0], [100, 100]]}}]}]})
    };
    let rule = |when: Value, name: &str| json!({"when": when, "model": inner(name)});
    let large = rule(json!({"any": [{"segment": "large"}, {"tag": "complex"}]}), "large or complex");
    let startup = rule(json!({"all": [{"tag": "startup"}, {"not": {"tag": "partner"}}]}), "startup");
    let (partner, brand) =
        (rule(json!({"tag": "partner"}), "partner"), rule(json!({"tag": "brand"}), "brand"));
    let rest = json!({"model": inner("everybody")});
    let set = |rules: [&Value; 5]| Model::from_value(&json!({"name": "kinds", "models": rules})).unwrap();
    let mut book = Book::new();
    for (client, segment, tags) in [
        ("a", "smb", json!(["brand", "partner"])),
        ("b", "large", json!(["brand"])),
        ("c", "smb", json!(["startup", "partner"])),
        ("d", "smb", json!(["startup", "eu"])),
        ("e", "smb", json!([])),
    ] {
        book.is(client, "2026-01-01", json!({"segment": segment, "tags": tags, "attributes": {"base": 50}}));
    }
    let chosen = |model: &Model, client: &str| {
        let health = book.score(client, model, "2026-01-02");
        (health.rule.unwrap(), health.model.unwrap().to_string())
    };
    let by_hand = |rule: usize, name: &str| (rule, name.to_owned());
    let model = set([&large, &startup, &partner, &brand, &rest]);
    assert_eq!(chosen(&model, "a"), by_hand(2, "partner"));
    assert_eq!(chosen(&model, "b"), by_hand(0, "large or complex"));
    assert_eq!(chosen(&model, "c"), by_hand(2, "partner"), "the rule for start-ups leaves partners out");
    assert_eq!(chosen(&model, "d"), by_hand(1, "startup"));
    assert_eq!(chosen(&model, "e"), by_hand(4, "everybody"));
    // The order decides, not the order of tags.
    let model = set([&brand, &large, &startup, &partner, &rest]);
    assert_eq!(chosen(&model, "a"), by_hand(0, "brand"));
    assert_eq!(chosen(&model, "b"), by_hand(0, "brand"));
    // A tag that is taken away changes the rule from then on.
    book.is("a", "2026-02-01", json!({"tags": ["partner"]}));
    assert_eq!(book.score("a", &model, "2026-02-02").model.as_deref(), Some("partner"));
    assert_eq!(book.score("a", &model, "2026-01-31").model.as_deref(), Some("brand"));
}

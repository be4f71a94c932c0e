//! Events and engines that do not fit what is in.

use super::*;

#[test]
fn the_same_id_with_other_content() {
    let mut engine = engine();
    read(&mut engine, GOOD.as_bytes());
    let before = engine.fingerprint();
    for other in [
        GOOD.replace("acme", "birch"),
        GOOD.replace("reports", "calls"),
        GOOD.replace("10:00:00Z", "10:00:01Z"),
        GOOD.replace("\"data\"", "\"sequence\":1,\"data\""),
        GOOD.replace("\"reports\"", "\"reports\",\"count\":2"),
        ALSO_GOOD.replace("good-2", "good-1"),
    ] {
        let error = engine.apply(&event(&other)).unwrap_err();
        assert_eq!((error.code, error.field), (EventCode::ConflictingEvent, None));
        assert_eq!(
            error.message,
            "event `good-1` of source `app` is in already with other content, which stays"
        );
        let applied = read(&mut engine, other.as_bytes());
        assert_eq!((applied.applied, applied.duplicates, applied.rejected_count()), (0, 0, 0));
        assert_eq!(applied.conflict_count, 1);
        let conflict = applied.conflicts.first().unwrap();
        assert_eq!((conflict.index, conflict.source.as_str(), conflict.id.as_str()), (0, "app", "good-1"));
        assert!(matches!(strict(&mut engine, other.as_bytes()), Err(ReadError::Strict(bad))
            if bad.error.code == EventCode::ConflictingEvent));
        assert_eq!(engine.fingerprint(), before);
    }
    // Other forms of the same content are the same event.
    for same in [
        GOOD.replace("\"reports\"", "\"reports\",\"count\":1.0"),
        GOOD.replace("\"reports\"", "\"reports\",\"count\":\"1\",\"user\":null,\"unknown\":[1]"),
        GOOD.replace("10:00:00Z", "11:00:00.0000009+01:00"),
        GOOD.replace(
            "\"data\"",
            "\"sequence\":0,\"recordedtime\":\"2026-02-01T00:00:00Z\",\"trace\":\"x\",\"data\"",
        ),
    ] {
        assert_eq!(engine.apply(&event(&same)), Ok(false), "{same}");
    }
    assert_eq!(engine.fingerprint(), before);
    // A refused event does not claim its identity.
    assert_eq!(refused(with("time", json!("soon")).as_bytes()).code.as_str(), "bad_time");
    read(&mut engine, with("time", json!("soon")).as_bytes());
    assert_eq!(read(&mut engine, with("data.count", json!(5)).as_bytes()).applied, 1);
}

#[test]
fn overlapping_usage_does_not_merge() {
    let mut one = engine();
    one.apply_all(&[event(GOOD), event(ALSO_GOOD)]);
    let mut two = engine();
    let more = GOOD.replace("good-1", "good-3");
    two.apply_all(&[event(GOOD), event(ALSO_GOOD), event(&more)]);
    let (before, other) = (one.snapshot(), two.snapshot());
    let error = one.merge(&two).unwrap_err();
    assert_eq!(error.code(), "overlapping");
    let healthfold::MergeError::Overlapping { count, events } = error else { panic!("{error}") };
    assert_eq!((count, events.len()), (1, 1), "the overlap of client.set does no harm");
    assert!(one.snapshot() == before && two.snapshot() == other, "nothing changed");

    // With an identity of two contents besides, that is what is said.
    let mut three = engine();
    three.apply_all(&[event(GOOD), event(&ALSO_GOOD.replace("ann", "bob"))]);
    let error = one.merge(&three).unwrap_err();
    assert_eq!(error.code(), "conflicting_event");
    let healthfold::MergeError::ConflictingEvent { count, events } = error else { panic!("{error}") };
    let named = events.first().and_then(|clash| clash.event.clone()).unwrap();
    assert_eq!((count, named.source.as_str(), named.id.as_str()), (1, "app", "good-2"));
    assert!(one.snapshot() == before);
    // A hundred of them: twenty are named.
    let usage: Vec<Event> = (0..100).map(|n| event(&GOOD.replace("good-1", &format!("many-{n}")))).collect();
    one.apply_all(&usage);
    let mut four = engine();
    four.apply_all(&usage);
    match one.merge(&four) {
        Err(healthfold::MergeError::Overlapping { count, events }) => {
            assert_eq!((count, events.len()), (100, 20))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_merge_with_itself_has_no_effect() {
    let mut one = engine();
    one.apply_all(&[event(GOOD), event(ALSO_GOOD)]);
    let before = one.snapshot();
    one.merge(&one.clone()).unwrap();
    one.merge(&Engine::restore(&before).unwrap()).unwrap();
    assert!(one.snapshot() == before);
    // Nor has a client that is merged into itself.
    let merge = r#"{"id":"m","source":"crm","type":"client.merged_into","subject":"acme","time":"2026-01-07T00:00:00Z","data":{"into":"acme"}}"#;
    assert_eq!(one.apply(&event(merge)), Ok(true));
    assert_eq!(one.clients().map(|id| id.as_str()).collect::<Vec<_>>(), ["acme", "birch"]);
}

#[test]
fn engines_that_differ_do_not_merge() {
    let of = |settings: Settings| Engine::new(settings).unwrap();
    let mut sealed = engine();
    sealed.seal("2026-01-01T00:00:00Z".parse().unwrap()).unwrap();
    let mut one = engine();
    one.apply(&event(GOOD)).unwrap();
    let before = one.snapshot();
    for (other, what) in [
        (of(Settings { timezone: "Europe/Berlin".to_owned(), ..Settings::default() }), "time zone"),
        (of(Settings { dedupe: Dedupe::Upstream, ..Settings::default() }), "dedupe"),
        (limited(1, 1), "limits"),
        (of(Settings { erasure_key: [1; 32], ..Settings::default() }), "erasure key"),
        (sealed, "seal"),
    ] {
        let error = one.merge(&other).unwrap_err();
        assert_eq!(
            (error.code(), error.to_string()),
            ("settings_differ", format!("the engines differ in {what}"))
        );
        assert!(one.snapshot() == before);
    }
    assert!(Engine::new(Settings { timezone: "Mars/Olympus".to_owned(), ..Settings::default() }).is_err());
}

#[test]
fn a_seal_does_not_move_backwards() {
    let mut engine = engine();
    let at = |text: &str| text.parse::<Instant>().unwrap();
    read(&mut engine, format!("{GOOD}\n{ALSO_GOOD}").as_bytes());
    engine.seal(at("2026-03-20T10:00:00Z")).unwrap();
    assert_eq!(engine.sealed_before(), Some(at("2026-03-01T00:00:00Z")), "down to the start of its month");
    let before = engine.snapshot();
    let error = engine.seal(at("2026-02-28T23:59:59Z")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the engine is sealed before 2026-03-01T00:00:00Z, a seal cannot move back to 2026-02-28T23:59:59Z"
    );
    assert_eq!(healthfold::Error::from(error).code(), "seal_backwards");
    assert!(engine.snapshot() == before);
    engine.seal(at("2026-03-01T00:00:00Z")).unwrap();
    assert!(engine.snapshot() == before, "the same month is no move");

    // From before the seal nothing comes in any more, not even what was in.
    for (early, id) in [(GOOD.to_owned(), 0), (with("time", json!("2026-02-28T23:59:59.999999Z")), 1)] {
        let applied =
            read(&mut engine, format!("{early}\n{}", with("time", json!("2026-03-01T00:00:00Z"))).as_bytes());
        assert_eq!(applied.rejected_by_code.get("before_seal"), Some(&1), "{id}");
        assert_eq!(applied.rejected.first().unwrap().index, 0);
    }
    // A roll-up belongs to its day, whatever its time.
    let day = |day: &str| {
        json!({"id": day, "source": "w", "type": "usage.day_set", "subject": "acme",
        "time": "2026-03-05T00:00:00Z", "data": {"metric": "m", "day": day, "count": 1}})
        .to_string()
    };
    assert_eq!(read(&mut engine, day("2026-02-28").as_bytes()).rejected_by_code.get("before_seal"), Some(&1));
    assert_eq!(read(&mut engine, day("2026-03-01").as_bytes()).applied, 1);
}

#[test]
fn more_than_a_client_may_have() {
    let usage = |id: &str, metric: &str| GOOD.replace("good-1", id).replace("reports", metric);
    let ticket = |id: &str, ticket: &str| {
        json!({"id": id, "source": "h", "type": "support.ticket_opened",
        "subject": "acme", "time": "2026-01-05T10:00:00Z", "data": {"ticket": ticket}})
        .to_string()
    };
    let mut engine = limited(2, 2);
    let lines = [
        usage("1", "a"),
        usage("2", "b"),
        usage("3", "c"),
        usage("4", "a"),
        ticket("5", "T1"),
        ticket("6", "T2"),
        ticket("7", "T3"),
        ticket("8", "T1"),
        ALSO_GOOD.to_owned(),
    ];
    let applied = read(&mut engine, lines.join("\n").as_bytes());
    assert_eq!((applied.applied, applied.rejected_by_code.get("limit_exceeded")), (7, Some(&2)));
    let rejected: Vec<_> = applied.rejected.iter().map(|r| (r.index, r.error.message.as_str())).collect();
    assert_eq!(
        rejected,
        [
            (2, "client `acme` has 2 metrics, which is the most it may have"),
            (6, "client `acme` has 2 tickets, which is the most it may have"),
        ]
    );
    // Another client has room, a gauge of a known name is one more, and the identity was not claimed.
    assert_eq!(read(&mut engine, usage("3", "c").replace("acme", "cedar").as_bytes()).applied, 1);
    let gauge = usage("9", "a").replace("counted", "measured").replace("\"a\"", "\"a\",\"value\":1");
    assert_eq!(read(&mut engine, gauge.as_bytes()).rejected_count(), 1);
    // The first event of a client is held to the limits as well.
    let attributes = ALSO_GOOD
        .replace("\"owner\":\"ann\"", r#""attributes":{"a":1,"b":2,"c":3}"#)
        .replace("birch", "dune");
    let mut fresh = limited(2, 2);
    assert_eq!(read(&mut fresh, attributes.as_bytes()).rejected_by_code.get("limit_exceeded"), Some(&1));
    assert_eq!(fresh.fingerprint(), limited(2, 2).fingerprint());
    // In strict mode a batch that would exceed them within itself is refused as a whole.
    let mut atomic = limited(2, 2);
    let before = atomic.fingerprint();
    let error =
        strict(&mut atomic, [usage("1", "a"), usage("2", "b"), usage("3", "c")].join("\n").as_bytes());
    assert!(matches!(error, Err(ReadError::Strict(bad)) if bad.index == 2 && bad.line == Some(3)));
    assert_eq!(atomic.fingerprint(), before);
}

/// Usage of a batch waits to be folded client by client, and counts for the limits all the same.
#[test]
fn usage_that_waits_counts_for_the_limits() {
    let usage = |id: u32, kind: &str, metric: &str, value: Value| {
        let mut data = json!({"metric": metric});
        data.as_object_mut().unwrap().extend(value.as_object().cloned().unwrap());
        json!({"id": id.to_string(), "source": "app", "type": kind, "subject": "acme",
            "time": "2026-01-05T10:00:00Z", "data": data})
        .to_string()
    };
    let counted = |id, metric| usage(id, "usage.counted", metric, json!({}));
    let measured = |id, metric| usage(id, "usage.measured", metric, json!({"value": 1}));
    let day_set = |id, metric| usage(id, "usage.day_set", metric, json!({"day": "2026-01-05", "count": 1}));
    let refused = |limit: u32, lines: &[String]| {
        let applied = read(&mut limited(limit, 9), lines.join("\n").as_bytes());
        assert_eq!(applied.applied + applied.rejected_count(), lines.len() as u64);
        applied.rejected.iter().map(|rejection| rejection.index).collect::<Vec<_>>()
    };
    // A name that is counted and measured is two: 2 + 2 + 2 and d as a count are seven, and d as a gauge is one too many.
    let both: Vec<String> = (0..)
        .zip(["a", "b", "c", "d"])
        .flat_map(|(n, m)| [counted(2 * n, m), measured(2 * n + 1, m)])
        .collect();
    assert_eq!(refused(7, &both), [7]);
    assert_eq!(refused(8, &both), [0_u64; 0]);
    // a waits when the roll-ups come, and is one of the three beside b and c.
    let roll_ups = [counted(0, "a"), day_set(1, "b"), day_set(2, "c"), day_set(3, "d")];
    assert_eq!(refused(3, &roll_ups), [3]);
    assert_eq!(refused(4, &roll_ups), [0_u64; 0]);
}

#[test]
fn a_strict_batch_knows_who_is_erased() {
    let ticket = |id: &str| {
        json!({"id": id, "source": "h", "type": "support.ticket_opened",
        "subject": "acme", "time": "2026-01-05T10:00:00Z", "data": {"ticket": format!("T{id}")}})
        .to_string()
    };
    let mut engine = limited(2, 2);
    let erased = json!({"id": "e", "source": "h", "type": "client.erased", "subject": "acme",
        "time": "2026-01-06T10:00:00Z", "data": {}});
    let applied = read(&mut engine, [ticket("1"), ticket("2"), erased.to_string()].join("\n").as_bytes());
    assert_eq!(applied.applied, 3);
    // The two tickets stand under the anonymous id, and a third of the old id would stand there as well.
    let before = engine.fingerprint();
    let error = strict(&mut engine, [ALSO_GOOD.to_owned(), ticket("3")].join("\n").as_bytes());
    assert!(matches!(error, Err(ReadError::Strict(bad)) if bad.error.code.as_str() == "limit_exceeded"));
    assert_eq!(engine.fingerprint(), before);
}

#[test]
fn a_conflict_of_whatever_is_kept_is_named() {
    let ticket = |priority: &str| {
        json!({"id": "of-ticket", "source": "h", "type": "support.ticket_opened", "subject": "acme",
        "time": "2026-01-05T10:00:00Z", "data": {"ticket": "T", "priority": priority}})
    };
    let day_set = |count: u32| {
        json!({"id": "of-day", "source": "h", "type": "usage.day_set", "subject": "acme",
        "time": "2026-01-06T10:00:00Z", "data": {"metric": "m", "day": "2026-01-05", "count": count}})
    };
    let of = |events: [Value; 2]| {
        let mut engine = engine();
        engine.apply_all(&events.map(|json| event(&json.to_string())));
        engine
    };
    let error = of([ticket("low"), day_set(1)]).merge(&of([ticket("high"), day_set(2)])).unwrap_err();
    let healthfold::MergeError::ConflictingEvent { count, events } = error else { panic!("{error}") };
    let mut named: Vec<String> =
        events.into_iter().map(|clash| clash.event.unwrap().id.as_str().to_owned()).collect();
    named.sort();
    assert_eq!((count, named.join(" ")), (2, "of-day of-ticket".to_owned()));
}

#[test]
fn a_merge_may_bring_more_than_the_limit_and_nothing_is_added_to_that() {
    let ticket = |id: &str| {
        event(
            &json!({"id": id, "source": "h", "type": "support.ticket_opened",
            "subject": "acme", "time": "2026-01-05T10:00:00Z", "data": {"ticket": format!("T{id}")}})
            .to_string(),
        )
    };
    let (mut one, mut two) = (limited(2, 2), limited(2, 2));
    one.apply_all(&[ticket("1"), ticket("2")]);
    two.apply_all(&[ticket("3"), ticket("4")]);
    one.merge(&two).unwrap();
    // Four tickets are in where two are the most.
    assert_eq!(one.apply(&ticket("5")).unwrap_err().code.as_str(), "limit_exceeded");
    let known = ticket("6").to_json().to_string().replace("T6", "T4");
    assert_eq!(one.apply(&event(&known)), Ok(true));
}

#[test]
fn a_strict_batch_is_one_thing_too_many_beside_what_is_in() {
    // Two tickets are in, and two are the most: the third, of another batch, refuses that batch as a whole.
    let ticket = |id: &str, ticket: &str, subject: &str| {
        json!({"id": id, "source": "h", "type": "support.ticket_opened",
        "subject": subject, "time": "2026-01-05T10:00:00Z", "data": {"ticket": ticket}})
        .to_string()
    };
    let mut engine = limited(2, 2);
    read(&mut engine, [ticket("1", "T1", "acme"), ticket("2", "T2", "acme")].join("\n").as_bytes());
    let before = engine.fingerprint();
    // The client's own second ticket again, and one of another client, are none too many.
    let good = [ticket("3", "T2", "acme"), ticket("4", "T3", "birch")];
    let bad = [good[0].clone(), good[1].clone(), ticket("5", "T3", "acme")];
    let error = strict(&mut engine, bad.join("\n").as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "event 2 at line 3: client `acme` has 2 tickets, which is the most it may have"
    );
    assert_eq!(engine.fingerprint(), before);
    assert_eq!(strict(&mut engine, good.join("\n").as_bytes()).unwrap().applied, 2);
}

#[test]
fn a_strict_batch_conflicts_within_itself() {
    let mut engine = engine();
    read(&mut engine, GOOD.as_bytes());
    let before = engine.snapshot();
    let input = format!("{GOOD}\n\n{ALSO_GOOD}\n{}\n", ALSO_GOOD.replace("ann", "bob"));
    let error = strict(&mut engine, input.as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "event 2 at line 4: event `good-2` of source `app` is in already with other content, which stays"
    );
    assert!(engine.snapshot() == before);
    let applied = strict(&mut engine, format!("{GOOD}\n{ALSO_GOOD}\n{ALSO_GOOD}\n").as_bytes()).unwrap();
    assert_eq!((applied.applied, applied.duplicates), (1, 2));
}

#[test]
fn many_rejections_are_counted_and_the_first_thousand_listed() {
    let mut input = "nonsense\n".repeat(1_500);
    input.push_str(GOOD);
    let mut engine = engine();
    let applied = read(&mut engine, input.as_bytes());
    assert_eq!((applied.applied, applied.rejected.len(), applied.rejected_count()), (1, 1_000, 1_500));
    assert_eq!(applied.rejected_by_code.get("malformed_json"), Some(&1_500));
    assert_eq!(applied.rejected.last().map(|last| last.line), Some(Some(1_000)));
    let row = serde_json::to_value(applied.rejected.first()).unwrap();
    let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["code", "field", "index", "line", "message", "offset"]);
}

#[test]
fn cohorts_from_a_later_month_to_an_earlier_one() {
    let month = |text: &str| Some(text.parse::<healthfold::Month>().unwrap());
    let options = healthfold::RevenueOptions::default();
    let as_of = engine().zone().as_of("2026-06-01").unwrap();
    let ask =
        |first, last| engine().cohorts((month(first), month(last)), healthfold::AsOf::At(as_of), &options);
    assert_eq!(ask("2026-05", "2026-01").unwrap_err().code(), "bad_period");
    assert!(ask("2026-05", "2026-05").is_ok());
}

/// What programs read instead of messages: the members that the reference promises of each code, and no other.
#[test]
fn errors_have_the_details_of_the_reference() {
    let page = include_str!("../../../docs/reference/errors.md");
    let (events, others) = page.split_once("## Questions").unwrap();
    assert!(events.contains("{index, line, offset, code, message, field}"));
    let promised = |code: &str| -> Vec<String> {
        let row = others.lines().find(|line| line.starts_with(&format!("| `{code}` |"))).unwrap();
        let names = row.rsplit_once(" | ").unwrap().1.trim_end_matches(" |").replace('`', "");
        let mut names: Vec<String> = names.split(", ").map(str::to_owned).collect();
        names.sort();
        names
    };

    let at = |text: &str| engine().zone().beginning(text).unwrap();
    let mut book = engine();
    book.apply_all(&[event(GOOD), event(ALSO_GOOD)]);
    for (number, (who, kind, data)) in [
        ("old", "client.merged_into", json!({"into": "new"})),
        ("gone", "client.erased", json!({})),
        (
            "payer",
            "billing.subscription_set",
            json!({"subscription": "s", "status": "active", "plan": "p",
            "amount": "10", "currency": "USD", "interval": {"unit": "month"}}),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let stated = json!({"id": number.to_string(), "source": "crm", "type": kind, "subject": who,
            "time": "2026-01-07T00:00:00Z", "data": data});
        assert_eq!(book.apply(&event(&stated.to_string())), Ok(true));
    }
    let score = |client: &str| book.score(&client.into(), &Model::default(), at("2026-02-01")).unwrap_err();
    let month = |text: &str| Period::parse(text, book.zone());
    let euros = RevenueOptions { currency: "EUR".parse().ok(), ..RevenueOptions::default() };
    let band = RevenueOptions { group_by: Some(GroupBy::Band), ..RevenueOptions::default() };
    let mut sealed = engine();
    sealed.apply(&event(GOOD)).unwrap();
    sealed.seal(at("2026-03-01")).unwrap();
    let mut other = engine();
    other.apply(&event(&ALSO_GOOD.replace("ann", "bob"))).unwrap();
    let mut usage = engine();
    usage.apply_all(&[event(GOOD), event(&GOOD.replace("good-1", "good-3"))]);
    let elsewhere =
        Engine::new(Settings { timezone: "Europe/Berlin".to_owned(), ..Settings::default() }).unwrap();
    let mut newer = book.snapshot();
    newer[8..10].copy_from_slice(&[96, 234]);

    let january = month("2026-01").unwrap();
    let errors: Vec<(Error, &str, Value)> = vec![
        (score("nobody").into(), "unknown_client", json!({"client": "nobody"})),
        (score("old").into(), "merged", json!({"client": "old", "into": "new"})),
        (score("gone").into(), "erased", json!({"client": "gone"})),
        (
            sealed.timeline(&"acme".into(), at("2026-01-01"), at("2026-03-31")).unwrap_err().into(),
            "sealed",
            json!({"before": "2026-03-01T00:00:00Z"}),
        ),
        (
            book.revenue(month("2026-02").unwrap(), &euros).unwrap_err().into(),
            "missing_rate",
            json!({"currency": "USD", "date": "2026-01-31"}),
        ),
        (QueryError::from(month("spring").unwrap_err()).into(), "bad_period", json!({"found": "spring"})),
        (
            QueryError::from(book.zone().as_of("noon").unwrap_err().of("start")).into(),
            "bad_time",
            json!({"field": "start", "found": "noon",
                "expected": "an RFC 3339 time with an offset, such as 2026-01-05T10:00:00Z"}),
        ),
        (
            QueryError::from(RevenueOptions::from_json(r#"{"as_of":"noon"}"#).unwrap_err()).into(),
            "bad_time",
            json!({"field": "as_of", "found": "noon", "expected": "an RFC 3339 time with an offset, or a date"}),
        ),
        (
            book.revenue(january, &band).unwrap_err().into(),
            "bad_value",
            json!({"setting": "model", "found": "null",
                "expected": "the health model whose bands `group_by` is to take"}),
        ),
        (book.clone().merge(&elsewhere).unwrap_err().into(), "settings_differ", json!({"what": "time zone"})),
        (
            sealed.seal(at("2026-01-01")).unwrap_err().into(),
            "seal_backwards",
            json!({"sealed": "2026-03-01T00:00:00Z", "asked": "2026-01-01T00:00:00Z"}),
        ),
        (
            Engine::restore(&newer).unwrap_err().into(),
            "newer_snapshot",
            json!({"found": 60_000, "newest": 1}),
        ),
        (
            Model::from_json("[]").unwrap_err().into(),
            "invalid_model",
            json!({"issues": [{"path": "", "message": "must be an object, found `[]`"}]}),
        ),
    ];
    for (error, code, details) in errors {
        assert_eq!((error.code(), Value::from(error.details())), (code, details));
        assert_eq!(error.details().keys().cloned().collect::<Vec<_>>(), promised(code), "{code}");
    }
    // Those of which a hash is part.
    for (error, code, event) in [
        (book.merge(&other).unwrap_err(), "conflicting_event", json!({"source": "app", "id": "good-2"})),
        (book.merge(&usage).unwrap_err(), "overlapping", Value::Null),
    ] {
        let details = Error::from(error).details();
        assert_eq!((details["count"].clone(), details["events"][0]["event"].clone()), (json!(1), event));
        assert_eq!(details.keys().cloned().collect::<Vec<_>>(), promised(code), "{code}");
    }
    let refused = Event::from_json(with("time", json!("soon")).as_bytes()).unwrap_err();
    let refused = Error::from(refused);
    assert_eq!(refused.field(), Some("time"));
    assert_eq!(refused.details()["code"], "bad_time");
}

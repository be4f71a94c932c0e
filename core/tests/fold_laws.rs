//! The laws of the fold: state is a function of the set of accepted events.
//!
//! Any order, any repetition, any split over engines, any snapshot and tail give the same canonical bytes. Random logs hold
//! every type of event (`testkit::logs`); a dozen chosen ones are tried in every order of every subset of up to six.

#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside of test functions")]

use healthfold::{
    Dedupe, Engine, Event, EventCode, EventKind, Instant, Missing, Model, ReadOptions, ScoresOf, Settings,
    SignalSpec,
};
use healthfold_testkit::logs::{self, PERSONAL};
use proptest::prelude::*;

const ZONES: [&str; 2] = ["UTC", "America/New_York"];

fn engine(zone: &str) -> Engine {
    Engine::new(Settings { timezone: zone.to_owned(), ..Settings::default() }).unwrap()
}

fn upstream() -> Engine {
    Engine::new(Settings { dedupe: Dedupe::Upstream, ..Settings::default() }).unwrap()
}

/// An engine that took some events, none of which it may refuse.
fn folded(mut engine: Engine, events: &[Event]) -> Engine {
    let applied = engine.apply_all(events);
    assert_eq!((applied.rejected, applied.conflict_count), (Vec::new(), 0));
    engine
}

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

/// Equal in every way that can be seen from outside: canonical bytes, fingerprint, what is listed.
#[track_caller]
fn assert_same(a: &Engine, b: &Engine) {
    assert_eq!(a.fingerprint(), b.fingerprint());
    assert!(a.snapshot() == b.snapshot(), "equal fingerprints, other bytes");
    assert_eq!(a.clients().collect::<Vec<_>>(), b.clients().collect::<Vec<_>>());
    assert_eq!(a.span(), b.span());
    assert_eq!(a.sealed_before(), b.sealed_before());
}

/// What is asked of every client: signals of every feed, so that it shows what the book has seen of each.
const ASKED: [&str; 12] = [
    r#"{"kind":"usage_sum","metric":"reports","days":28}"#,
    r#"{"kind":"gauge","metric":"calls","days":28,"take":"last"}"#,
    r#"{"kind":"active_users","days":30}"#,
    r#"{"kind":"days_since_usage"}"#,
    r#"{"kind":"tickets_open"}"#,
    r#"{"kind":"csat","days":90}"#,
    r#"{"kind":"incident_hours","days":90}"#,
    r#"{"kind":"overdue_days"}"#,
    r#"{"kind":"failed_payments","days":90}"#,
    r#"{"kind":"contact_validity"}"#,
    r#"{"kind":"days_since_contact"}"#,
    r#"{"kind":"mrr","currency":"USD"}"#,
];

/// Signals that look far back, or at the first of something.
const ASKED_OF_USE: [&str; 12] = [
    r#"{"kind":"usage_sum","metric":"reports","days":200}"#,
    r#"{"kind":"usage_sum","metric":"calls","days":1}"#,
    r#"{"kind":"usage_trend","metric":"calls","days":28}"#,
    r#"{"kind":"days_since_usage","metric":"logins"}"#,
    r#"{"kind":"active_days","days":30}"#,
    r#"{"kind":"breadth","days":60}"#,
    r#"{"kind":"stickiness","short":1,"long":30}"#,
    r#"{"kind":"usage_vs_own","metric":"reports","days":7,"baseline_days":60}"#,
    r#"{"kind":"projected_overage","metric":"reports","days":14}"#,
    r#"{"kind":"quota_use","metric":"reports"}"#,
    r#"{"kind":"ticket_surge","days":7,"baseline_days":84}"#,
    r#"{"kind":"tenure_days"}"#,
];

/// Every answer about every client at some instants, oddities counted, in words.
fn answers(engine: &Engine) -> Vec<String> {
    let mut answers = Vec::new();
    for as_of in ["2026-01-05T10:00:00Z", "2026-02-28T12:00:00Z", "2026-05-01T00:00:00Z"].map(instant) {
        for client in engine.clients() {
            for spec in ASKED {
                let reading = engine.signal(client, &SignalSpec::from_json(spec).unwrap(), as_of).unwrap();
                answers.push(format!(
                    "{as_of} {client} {spec} {:?} {:?}",
                    reading.value(),
                    reading.missing()
                ));
            }
            answers.push(format!("{client} {:?}", engine.anomalies(client)));
        }
        for score in engine.scores(&Model::default(), as_of, ScoresOf::All) {
            answers.push(serde_json::to_string(&score).unwrap());
        }
    }
    answers
}

fn as_lines(events: &[Event]) -> String {
    events.iter().map(|event| event.to_json().to_string() + "\n").collect()
}

/// Merges engines in the order of a tree: each pick takes two of those that are left and puts one in their place.
fn merged_by(
    mut engines: Vec<Engine>,
    tree: &[prop::sample::Index],
    merge: fn(&mut Engine, &Engine),
) -> Engine {
    let mut picks = tree.iter().cycle();
    while engines.len() > 1 {
        let other = engines.remove(picks.next().map_or(0, |pick| pick.index(engines.len())));
        let into = picks.next().map_or(0, |pick| pick.index(engines.len()));
        merge(engines.get_mut(into).unwrap(), &other);
    }
    engines.pop().unwrap()
}

proptest! {
    #![proptest_config(logs::config())]

    #[test]
    fn any_order_gives_the_same_state((log, other) in logs::shuffled(0..60), zone in prop::sample::select(&ZONES[..])) {
        let (one, two) = (folded(engine(zone), &log), folded(engine(zone), &other));
        assert_same(&one, &two);
        prop_assert_eq!(answers(&one), answers(&two));
    }

    /// What the book has seen is kept fresh event by event, once it was asked for: it must be what a look at everything says.
    #[test]
    fn what_is_kept_fresh_is_what_is_worked_out_anew(
        log in logs::logs(0..40),
        asked in prop::collection::vec(any::<bool>(), 40),
    ) {
        let mut warm = engine("UTC");
        for (event, asked) in log.iter().zip(asked) {
            if asked {
                answers(&warm);
            }
            prop_assert_eq!(warm.apply(event), Ok(true));
        }
        let cold = Engine::restore(&warm.snapshot()).unwrap();
        prop_assert_eq!(answers(&warm), answers(&cold));
    }

    #[test]
    fn any_repetition_gives_the_same_state((log, other) in logs::duplicated(0..40)) {
        let once = folded(engine("UTC"), &log);
        let mut often = engine("UTC");
        let applied = often.apply_all(&other);
        prop_assert_eq!(applied.applied, log.len() as u64);
        prop_assert_eq!(applied.duplicates, (other.len() - log.len()) as u64);
        assert_same(&once, &often);
        // The whole log once more, and once more as text.
        prop_assert_eq!(often.apply_all(&log).duplicates, log.len() as u64);
        let again = often.apply_ndjson(as_lines(&log).as_bytes(), &ReadOptions::default()).unwrap();
        prop_assert_eq!(again.duplicates, log.len() as u64);
        assert_same(&once, &often);
    }

    #[test]
    fn any_split_and_any_tree_of_merges_give_the_same_state(
        (log, parts) in logs::split(0..50, 4),
        tree in prop::collection::vec(any::<prop::sample::Index>(), 6),
        zone in prop::sample::select(&ZONES[..]),
    ) {
        let whole = folded(engine(zone), &log);
        let parts = parts.iter().map(|part| folded(engine(zone), part)).collect();
        let merged = merged_by(parts, &tree, |a, b| {
            // An engine that was asked before has caches to drop.
            a.scores(&Model::default(), instant("2026-03-01T00:00:00Z"), ScoresOf::All);
            a.merge(b).unwrap();
        });
        assert_same(&whole, &merged);
        prop_assert_eq!(answers(&whole), answers(&merged));
    }

    #[test]
    fn engines_without_identities_split_and_merge_alike(
        (log, parts) in logs::split(0..50, 4),
        tree in prop::collection::vec(any::<prop::sample::Index>(), 6),
    ) {
        let whole = folded(upstream(), &log);
        let parts = parts.iter().map(|part| folded(upstream(), part)).collect();
        assert_same(&whole, &merged_by(parts, &tree, |a, b| a.merge_disjoint(b).unwrap()));
    }

    #[test]
    fn a_snapshot_and_a_tail_at_any_point(log in logs::logs(0..50), cut in any::<prop::sample::Index>()) {
        let (head, tail) = log.split_at(cut.index(log.len() + 1));
        let before = folded(engine("Europe/Berlin"), head);
        let restored = Engine::restore(&before.snapshot()).unwrap();
        assert_same(&before, &restored);
        prop_assert_eq!(before.settings(), restored.settings());
        let restored = folded(restored, tail);
        assert_same(&restored, &folded(engine("Europe/Berlin"), &log));
        // What was in before the snapshot is still known to be in.
        let mut restored = restored;
        prop_assert_eq!(restored.apply_all(&log).duplicates, log.len() as u64);
    }

    #[test]
    fn merging_equals_changes_nothing((log, other) in logs::shuffled(0..40)) {
        let mut one = folded(engine("UTC"), &log);
        let before = one.clone();
        one.merge(&before).unwrap();
        assert_same(&one, &before);
        one.merge(&folded(engine("UTC"), &other)).unwrap();
        assert_same(&one, &before);
        one.merge(&engine("UTC")).unwrap();
        assert_same(&one, &before);
        let mut empty = engine("UTC");
        empty.merge(&before).unwrap();
        assert_same(&empty, &before);
    }

    #[test]
    fn a_seal_at_any_point(
        log in logs::logs(0..50),
        cut in any::<prop::sample::Index>(),
        zone in prop::sample::select(&ZONES[..]),
        (first, second) in prop::sample::select(&[
            ("2026-02-01T00:00:00Z", "2026-03-01T12:00:00Z"),
            ("2026-03-31T22:30:00Z", "2026-03-31T23:00:00Z"),
            ("2026-02-20T00:00:00Z", "2026-06-01T00:00:00Z"),
        ][..]),
    ) {
        let (head, tail) = log.split_at(cut.index(log.len() + 1));
        let mut early = folded(engine(zone), head);
        early.seal(instant(first)).unwrap();
        let mut accepted = head.to_vec();
        for event in tail {
            match early.apply(event) {
                Ok(new) => { prop_assert!(new); accepted.push(event.clone()); }
                Err(error) => prop_assert_eq!(error.code, EventCode::BeforeSeal),
            }
        }
        // Seal then tail is tail then seal.
        let mut late = folded(engine(zone), &accepted);
        late.seal(instant(first)).unwrap();
        assert_same(&early, &late);
        // Twice is once, and through a snapshot, too.
        let sealed = early.clone();
        early.seal(instant(first)).unwrap();
        assert_same(&early, &sealed);
        assert_same(&sealed, &Engine::restore(&sealed.snapshot()).unwrap());
        // In two steps or in one.
        early.seal(instant(second)).unwrap();
        let mut at_once = folded(engine(zone), &accepted);
        at_once.seal(instant(second)).unwrap();
        assert_same(&early, &at_once);
    }

    /// A seal withholds answers and changes none: what can still be answered is what was answered before. But for one corner:
    /// where one client's use is another one's correction of that day, and both are merged, the seal took both apart.
    #[test]
    fn a_seal_changes_no_answer(
        log in logs::logs(0..50),
        before in prop::sample::select(&["2026-02-01T00:00:00Z", "2026-03-15T00:00:00Z", "2026-06-01T00:00:00Z"][..]),
        zone in prop::sample::select(&ZONES[..]),
    ) {
        let alone: Vec<Event> = log.into_iter().filter(|event| event.kind() != EventKind::MergedInto).collect();
        let open = folded(engine(zone), &alone);
        let mut sealed = open.clone();
        answers(&sealed);
        sealed.seal(instant(before)).unwrap();
        for spec in ASKED.iter().chain(&ASKED_OF_USE) {
            let spec = SignalSpec::from_json(spec).unwrap();
            for as_of in ["2026-01-05T10:00:00Z", "2026-02-28T12:00:00Z", "2026-04-02T08:30:00Z", "2026-07-01T00:00:00Z"] {
                for client in open.clients() {
                    let was = open.signal(client, &spec, instant(as_of));
                    match sealed.signal(client, &spec, instant(as_of)) {
                        Err(error) => prop_assert_eq!(error.code(), "sealed"),
                        Ok(reading) if reading.missing() == Some(Missing::Sealed) => {}
                        answer => prop_assert_eq!(answer, was, "{:?} of {} at {}", spec, client, as_of),
                    }
                }
            }
        }
        prop_assert_eq!(answers(&sealed), answers(&Engine::restore(&sealed.snapshot()).unwrap()));
    }

    #[test]
    fn shards_by_client_seal_and_merge_in_any_order(log in logs::logs(0..50)) {
        let before = instant("2026-03-15T00:00:00Z");
        let mut whole = folded(engine("UTC"), &log);
        whole.seal(before).unwrap();
        let (left, right): (Vec<Event>, Vec<Event>) =
            log.into_iter().partition(|event| event.subject.as_str() < "cedar");
        let (mut left, mut right) = (folded(engine("UTC"), &left), folded(engine("UTC"), &right));
        left.seal(before).unwrap();
        right.seal(before).unwrap();
        left.merge(&right).unwrap();
        assert_same(&whole, &left);
    }

    #[test]
    fn an_erasure_anywhere_leaves_nothing_personal(
        log in logs::logs(0..50),
        places in prop::collection::vec(any::<prop::sample::Index>(), logs::CLIENTS.len()),
    ) {
        let erasure = |client: &str| {
            let json = format!(
                r#"{{"id":"erase-{client}","source":"privacy","type":"client.erased","subject":"{client}","time":"2026-04-03T00:00:00Z"}}"#
            );
            Event::from_json(json.as_bytes()).unwrap()
        };
        let mut with = log.clone();
        for (client, place) in logs::CLIENTS.iter().zip(&places) {
            with.insert(place.index(with.len() + 1), erasure(client));
        }
        let erased = folded(engine("UTC"), &with);
        let last: Vec<Event> = log.iter().cloned().chain(logs::CLIENTS.map(erasure)).collect();
        assert_same(&erased, &folded(engine("UTC"), &last));
        prop_assert_eq!(erased.clients().count(), 0);
        let bytes = erased.snapshot();
        prop_assert!(!bytes.windows(PERSONAL.len()).any(|window| window == PERSONAL.as_bytes()));
        // Events that come after a restart are filtered as well.
        let (head, tail) = with.split_at(places.first().map_or(0, |place| place.index(with.len() + 1)));
        let restored = Engine::restore(&folded(engine("UTC"), head).snapshot()).unwrap();
        assert_same(&erased, &folded(restored, tail));
    }

    #[test]
    fn strict_and_text_make_no_difference_to_good_events(log in logs::logs(0..40), cut in any::<prop::sample::Index>()) {
        let typed = folded(engine("UTC"), &log);
        let mut strict = engine("UTC");
        let options = ReadOptions { strict: true, ..ReadOptions::default() };
        let (head, tail) = log.split_at(cut.index(log.len() + 1));
        for part in [head, tail, &log[..]] {
            strict.apply_ndjson(as_lines(part).as_bytes(), &options).unwrap();
        }
        assert_same(&typed, &strict);
        let mut array = engine("UTC");
        let list = serde_json::Value::from(log.iter().map(Event::to_json).collect::<Vec<_>>()).to_string();
        array.apply_ndjson(list.as_bytes(), &ReadOptions::default()).unwrap();
        assert_same(&typed, &array);
    }
}

/// A dozen events in which the order of arrival could show: ties of a subscription, versions of a roll-up, a negative
/// count, a retraction that may come before its target, a merge, an erasure, a ticket opened and resolved at one instant, two
/// patches of a profile and a text attribute that replaces a number.
const DOZEN: [&str; 12] = [
    r#"{"id":"1","source":"b","type":"billing.subscription_set","subject":"a","time":"2026-01-05T10:00:00Z","data":{"subscription":"S","status":"active","amount":"100","currency":"USD","interval":{"unit":"month"},"reason":"pii-1"}}"#,
    r#"{"id":"2","source":"a","type":"billing.subscription_set","subject":"a","time":"2026-01-05T11:00:00+01:00","sequence":1,"data":{"subscription":"S","status":"cancelled"}}"#,
    r#"{"id":"3","source":"w","type":"usage.day_set","subject":"a","time":"2026-01-06T01:00:00Z","data":{"metric":"m","day":"2026-01-05","count":5,"users":["pii-z","pii-b"]}}"#,
    r#"{"id":"4","source":"w","type":"usage.day_set","subject":"a","time":"2026-01-06T02:00:00Z","data":{"metric":"m","day":"2026-01-05","count":0,"users":["pii-b"]}}"#,
    r#"{"id":"5","source":"app","type":"usage.counted","subject":"a","time":"2026-01-05T23:00:00Z","data":{"metric":"m","count":-2,"user":"pii-c"}}"#,
    r#"{"id":"6","source":"b","type":"event.retracted","subject":"b","time":"2026-01-04T00:00:00Z","data":{"source":"b","id":"1","type":"billing.subscription_set"}}"#,
    r#"{"id":"7","source":"c","type":"client.merged_into","subject":"b","time":"2026-01-07T00:00:00Z","data":{"into":"a"}}"#,
    r#"{"id":"8","source":"c","type":"client.erased","subject":"a","time":"2026-01-02T00:00:00Z"}"#,
    r#"{"id":"9","source":"h","type":"support.ticket_resolved","subject":"a","time":"2026-01-05T09:00:00Z","data":{"ticket":"T"}}"#,
    r#"{"id":"9b","source":"h","type":"support.ticket_opened","subject":"a","time":"2026-01-05T09:00:00Z","data":{"ticket":"T","topic":"pii-t"}}"#,
    r#"{"id":"10","source":"c","type":"client.set","subject":"a","time":"2026-01-05T00:00:00Z","data":{"name":"pii-n","owner":"ann","tags":["x"],"attributes":{"k":1}}}"#,
    r#"{"id":"11","source":"c","type":"client.set","subject":"a","time":"2026-01-05T00:00:00Z","data":{"owner":null,"attributes":{"k":"pii-k"}}}"#,
];

#[test]
fn every_order_of_every_subset_of_up_to_six() {
    const MOST: u32 = 6;
    let events: Vec<Event> = DOZEN.iter().map(|json| Event::from_json(json.as_bytes()).unwrap()).collect();
    // By set of events, the state that its first order gave.
    let mut states: Vec<Option<String>> = vec![None; 1 << events.len()];
    let mut orders = 0u64;
    let mut todo = vec![(0usize, engine("UTC"))];
    while let Some((set, engine)) = todo.pop() {
        let state = engine.fingerprint();
        orders += 1;
        match states.get_mut(set).unwrap() {
            Some(known) => assert_eq!(*known, state, "the events {set:012b} have two states"),
            slot => *slot = Some(state),
        }
        if set.count_ones() < MOST {
            for (n, event) in events.iter().enumerate().filter(|(n, _)| set & (1 << n) == 0) {
                let mut next = engine.clone();
                assert_eq!(next.apply(event), Ok(true));
                todo.push((set | 1 << n, next));
            }
        }
    }
    // 1 + 12 + 12 x 11 + ... + 12 x 11 x 10 x 9 x 8 x 7 orders; 1 + 12 + 66 + 220 + 495 + 792 + 924 sets.
    assert_eq!(orders, 1 + 12 + 132 + 1_320 + 11_880 + 95_040 + 665_280);
    let mut known: Vec<&String> = states.iter().flatten().collect();
    assert_eq!(known.len(), 2_510);
    // No event is without a trace: other sets are other states.
    known.sort_unstable();
    known.dedup();
    assert_eq!(known.len(), 2_510);
}

fn event(id: &str, kind: &str, subject: &str, data: &str) -> Event {
    let json = format!(
        r#"{{"id":"{id}","source":"s","type":"{kind}","subject":"{subject}","time":"2026-01-05T10:00:00Z","data":{data}}}"#
    );
    Event::from_json(json.as_bytes()).unwrap()
}

fn ids(engine: &Engine) -> Vec<&str> {
    engine.clients().map(|client| client.as_str()).collect()
}

#[test]
fn events_under_an_anonymous_id_are_about_the_erased_client() {
    let anonymous = engine("UTC").anonymous_id(&"acme".into());
    let events = [
        event("1", "usage.counted", "acme", r#"{"metric":"m","user":"u"}"#),
        event("2", "client.erased", "acme", "{}"),
        event("3", "usage.counted", anonymous.as_str(), r#"{"metric":"m","user":"v"}"#),
        event("4", "client.erased", anonymous.as_str(), "{}"),
        event("5", "client.merged_into", "birch", r#"{"into":"acme"}"#),
    ];
    // Every order of the five, by Heap's algorithm, and every order without the erasure under the name.
    for chosen in [&[0, 1, 2, 3, 4][..], &[0, 2, 3, 4]] {
        let mut orders = vec![Vec::new()];
        for _ in chosen {
            let longer = |order: &Vec<usize>| {
                let free = chosen.iter().filter(|n| !order.contains(n));
                free.map(|n| [&order[..], &[*n]].concat()).collect::<Vec<_>>()
            };
            orders = orders.iter().flat_map(longer).collect();
        }
        let fold = |order: &Vec<usize>| {
            folded(engine("UTC"), &order.iter().map(|n| events[*n].clone()).collect::<Vec<_>>())
        };
        let first = fold(&orders[0]);
        assert_eq!(first.clients().count(), 0, "acme is erased, birch merged into it");
        for order in &orders {
            assert_same(&first, &fold(order));
            assert_same(&first, &Engine::restore(&fold(order).snapshot()).unwrap());
        }
    }
}

#[test]
fn what_was_taken_back_makes_no_client() {
    let set = event("1", "client.set", "acme", r#"{"owner":"ann"}"#);
    let back = event("2", "event.retracted", "acme", r#"{"source":"s","id":"1","type":"client.set"}"#);
    let merge = event("3", "client.merged_into", "birch", r#"{"into":"cedar"}"#);
    let unmerge =
        event("4", "event.retracted", "birch", r#"{"source":"s","id":"3","type":"client.merged_into"}"#);
    let mut engine = engine("UTC");
    assert_eq!(engine.apply(&set), Ok(true));
    assert_eq!(engine.apply(&merge), Ok(true));
    assert_eq!(ids(&engine), ["acme", "cedar"]);
    assert_eq!(engine.apply(&back), Ok(true));
    assert_eq!(ids(&engine), ["cedar"]);
    assert_eq!(engine.apply(&unmerge), Ok(true));
    assert_eq!(ids(&engine), [""; 0]);
    assert_eq!(engine.apply(&event("5", "usage.counted", "birch", r#"{"metric":"m"}"#)), Ok(true));
    assert_eq!(ids(&engine), ["birch"]);
}

#[test]
fn chains_and_cycles_of_merges_name_one_client() {
    let merge = |id: &str, from: &str, into: &str| {
        event(id, "client.merged_into", from, &format!(r#"{{"into":"{into}"}}"#))
    };
    // c -> b -> a; e -> d -> f -> d: d and f are a cycle, whose least id is d.
    let log = [
        merge("1", "c", "b"),
        merge("2", "b", "a"),
        merge("3", "e", "d"),
        merge("4", "d", "f"),
        merge("5", "f", "d"),
        merge("6", "g", "g"),
    ];
    assert_eq!(ids(&folded(engine("UTC"), &log)), ["a", "d", "g"]);
    // Of two merges of one id the last by (time, sequence, source, id) counts, whichever came first.
    let log = [merge("9", "x", "z"), merge("8", "x", "y")];
    assert_eq!(ids(&folded(engine("UTC"), &log)), ["z"]);
}

#[test]
fn equal_halves_without_identities_add_up_when_the_caller_says_so() {
    let click = |id: &str| event(id, "usage.counted", "acme", r#"{"metric":"m"}"#);
    let (mut one, two) = (folded(upstream(), &[click("1")]), folded(upstream(), &[click("2")]));
    assert_eq!(one.fingerprint(), two.fingerprint(), "without identities two clicks look alike");
    assert_eq!(one.merge(&two), Ok(()), "equal engines merge into themselves");
    assert_eq!(one.fingerprint(), two.fingerprint());
    one.merge_disjoint(&two).unwrap();
    assert_same(&one, &folded(upstream(), &[click("1"), click("2")]));
    let other = folded(upstream(), &[click("1"), click("2"), click("3")]);
    let code = one.merge(&other).map_err(|error| error.code());
    assert_eq!(code, Err("overlapping"), "nobody said that the events differ");
}

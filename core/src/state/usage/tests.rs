//! Numbers of users, and what a seal leaves of use.

use super::*;
use crate::event::Event;

fn used_by(users: impl IntoIterator<Item = usize>) -> UsageState {
    let mut state = UsageState::default();
    for (n, user) in users.into_iter().enumerate() {
        let json = format!(
            r#"{{"id":"{n}","source":"s","type":"usage.counted","subject":"a","time":"2026-01-05T10:00:00Z",
            "data":{{"metric":"m","user":"u{user:03}"}}}}"#
        );
        let event = Event::from_json(json.as_bytes()).unwrap();
        let crate::event::EventData::UsageCounted(data) = &event.data else { panic!("{json}") };
        state.counted(&event.borrowed(), data, true, &Zone::utc());
    }
    state
}

#[test]
fn a_number_without_a_name_is_told() {
    let mut counted = used_by([1, 2]);
    assert!(counted.names_all_users() && UsageState::default().names_all_users());
    counted.active.insert("2026-01-05".parse().unwrap(), UserNumber(2));
    assert!(!counted.names_all_users(), "there are the users 0 and 1");

    let json = r#"{"id":"1","source":"s","type":"usage.day_set","subject":"a","time":"2026-01-06T10:00:00Z",
        "data":{"metric":"m","day":"2026-01-05","count":1,"users":["u"]}}"#;
    let event = Event::from_json(json.as_bytes()).unwrap();
    let crate::event::EventData::UsageDaySet(data) = &event.data else { panic!("{json}") };
    let mut rolled_up = UsageState::default();
    rolled_up.day_set(&event.borrowed(), data, true);
    assert!(rolled_up.names_all_users());
    rolled_up.users = Users::default();
    assert!(!rolled_up.names_all_users());
}

#[test]
fn many_users_keep_their_numbers() {
    let day: Day = "2026-01-05".parse().unwrap();
    for users in [15, 16, 17, 18, 40, 256, 257, 600] {
        // Everybody twice, the second time the other way round.
        let state = used_by((0..users).chain((0..users).rev()));
        assert_eq!((state.users().len(), state.active_users(day, day)), (users, users));
    }
}

#[test]
fn saved_users_are_in_strict_order() {
    let read = |names: &[&str]| {
        postcard::from_bytes::<Users>(&postcard::to_stdvec(names).unwrap()).map(|users| users.len())
    };
    assert_eq!((read(&[]), read(&["ann", "bob"])), (Ok(0), Ok(2)));
    assert!(read(&["bob", "ann"]).is_err() && read(&["ann", "ann"]).is_err());
    assert_eq!(format!("{:?}", used_by([1]).users()), r#"["u001"]"#);
}

#[test]
fn a_seal_gives_up_who_and_when_and_keeps_how_much() {
    let mut state = crate::state::ClientState::default();
    for (id, kind, time, data) in [
        ("1", "counted", "2026-01-05", r#"{"metric":"m","count":2,"user":"early"}"#),
        ("2", "counted", "2026-02-01", r#"{"metric":"m","count":3,"user":"late"}"#),
        ("3", "measured", "2026-01-31", r#"{"metric":"g","value":5}"#),
        ("4", "measured", "2026-02-01", r#"{"metric":"g","value":6}"#),
        ("5", "day_set", "2026-02-01", r#"{"metric":"r","day":"2026-01-31","count":7,"users":["rolled"]}"#),
        ("6", "day_set", "2026-02-02", r#"{"metric":"r","day":"2026-02-01","count":8,"users":["late"]}"#),
    ] {
        let json = format!(
            r#"{{"id":"{id}","source":"s","type":"usage.{kind}","subject":"a","time":"{time}T10:00:00Z","data":{data}}}"#
        );
        state.fold(&Event::from_json(json.as_bytes()).unwrap().borrowed(), &Zone::utc());
    }
    let (first, cut, last): (Day, Day, Day) =
        ("2026-01-01".parse().unwrap(), "2026-02-01".parse().unwrap(), "2026-02-28".parse().unwrap());
    assert_eq!((state.usage.users().len(), state.usage.active_users(first, last)), (3, 3));
    state.seal(cut);
    let usage = &state.usage;
    assert_eq!(format!("{:?}", usage.users()), r#"["late"]"#);
    assert_eq!((usage.active_users(first, last), usage.active_users(cut, last)), (1, 1));
    let days: Vec<Day> = usage.roll_ups().map(|(_, day, _)| day).collect();
    assert_eq!(days, [cut]);
    let samples = usage.gauge("g").unwrap().range(first, last);
    assert_eq!(samples.iter().map(|cell| cell.key).collect::<Vec<_>>(), [cut]);
    // The sums of January stay as that of a month: 2 and 7 whole ones, in millionths.
    let sum = |metric: &str| usage.metric(metric).unwrap().sums().sum(first, cut.plus(-1));
    assert_eq!((sum("m"), sum("r")), (2_000_000, 7_000_000));
    assert_eq!(usage.metric("m").unwrap().sums().days(first, last).count(), 1);
}

use super::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn small() -> BookSpec {
    BookSpec { clients: 40, usage_percent: 20, ..BookSpec::default() }
}

fn is_bad(line: &str) -> bool {
    line.contains("-bad-") || line.contains(r#""id":"""#)
}

fn good_events(lines: &[String]) -> Vec<Value> {
    lines.iter().filter(|line| !is_bad(line)).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(event: &'a Value, name: &str) -> &'a str {
    event[name].as_str().unwrap_or_default()
}

#[test]
fn the_same_spec_gives_the_same_lines_and_another_seed_others() {
    assert_eq!(book_lines(&small()), book_lines(&small()));
    assert_ne!(book_lines(&small()), book_lines(&BookSpec { seed: 8, ..small() }));
}

// FNV-1a: enough to see that bytes differ.
fn hash(lines: &[String]) -> u64 {
    let bytes = lines.iter().flat_map(|line| line.bytes().chain([b'\n']));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn the_demo_is_the_same_everywhere() {
    // Another number on another platform is a fault. After a change to the generator, put the new one here.
    assert_eq!(format!("{:016x}", hash(&book_lines(&BookSpec::default()))), "551b0357659926e3");
}

#[test]
fn write_book_and_book_lines_agree() {
    let mut bytes = Vec::new();
    let summary = write_book(&small(), &mut bytes).unwrap();
    let lines = book_lines(&small());
    assert_eq!(String::from_utf8(bytes).unwrap(), lines.join("\n") + "\n");
    assert_eq!(summary.lines, lines.len() as u64);
    assert_eq!(summary.lines, summary.events + summary.duplicates + summary.bad_lines);
    assert_eq!(summary.events, summary.by_type.values().sum::<u64>());
    assert_eq!(summary.events, summary.by_source.values().sum::<u64>());
}

#[test]
fn orders_hold_the_same_lines() {
    let sorted = |order: Order| {
        let mut lines = book_lines(&BookSpec { order, ..small() });
        lines.sort();
        lines
    };
    assert_eq!(sorted(Order::Time), sorted(Order::Client));
    assert_eq!(sorted(Order::Time), sorted(Order::Shuffled));
    assert_ne!(book_lines(&small()), book_lines(&BookSpec { order: Order::Shuffled, ..small() }));
}

#[test]
fn the_demo_has_its_size_and_sound_envelopes() {
    let lines = book_lines(&BookSpec::default());
    assert_eq!(lines.iter().filter(|line| is_bad(line)).count(), BAD_LINE_CODES.len());

    let mut seen: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut clients = BTreeSet::new();
    let mut repeated = 0;
    for line in lines.iter().filter(|line| !is_bad(line)) {
        let event: Value = serde_json::from_str(line).unwrap();
        for name in ["id", "source", "type", "subject", "time"] {
            assert!(!text(&event, name).is_empty(), "no {name} in {line}");
        }
        assert_eq!(text(&event, "specversion"), "1.0");
        assert!(event["data"].is_object(), "no data in {line}");
        let at: jiff::Timestamp = text(&event, "time").parse().unwrap();
        assert!(at < "2026-01-01T00:00:00Z".parse().unwrap(), "after the book: {line}");
        clients.insert(text(&event, "subject").to_owned());
        let identity = (text(&event, "source").to_owned(), text(&event, "id").to_owned());
        if let Some(first) = seen.insert(identity, line.clone()) {
            assert_eq!(first, *line, "one identity, two contents");
            repeated += 1;
        }
    }
    assert!(seen.len() >= 100_000, "only {} events", seen.len());
    assert!(clients.len() >= 300, "only {} clients", clients.len());
    assert!(repeated > 0);
}

#[test]
fn the_demo_tells_every_kind_of_event() {
    let summary = write_book(&BookSpec::default(), &mut io::sink()).unwrap();
    // All types of the wire format.
    assert_eq!(summary.by_type.len(), 31, "{:?}", summary.by_type.keys());
    for rare in ["client.merged_into", "client.erased", "event.retracted"] {
        assert_eq!(summary.by_type.get(rare), Some(&1), "{rare}");
    }
    assert_eq!(summary.by_type.get("billing.payment_plan_set"), Some(&2));
    let permille_late = summary.late * 1000 / summary.events;
    assert!((7..=13).contains(&permille_late), "{permille_late} of 1000 late");
}

#[test]
fn lines_come_in_order_of_recording() {
    let lines = book_lines(&BookSpec { with_bad_lines: false, redelivered_permille: 0, ..small() });
    let recorded: Vec<jiff::Timestamp> = good_events(&lines)
        .iter()
        .map(|event| {
            let name = if event["recordedtime"].is_null() { "time" } else { "recordedtime" };
            text(event, name).parse().unwrap()
        })
        .collect();
    assert!(recorded.is_sorted());
}

// What each subscription says of itself just before an instant: MRR by client, valued without regard to currency.
fn mrr_by_client(events: &[Value], at: &str) -> BTreeMap<String, f64> {
    let at: jiff::Timestamp = at.parse().unwrap();
    let mut standing: BTreeMap<(&str, &str), (jiff::Timestamp, &Value)> = BTreeMap::new();
    let retracted: Vec<&str> = events
        .iter()
        .filter(|event| text(event, "type") == "event.retracted")
        .map(|event| text(&event["data"], "id"))
        .collect();
    for event in events.iter().filter(|event| text(event, "type") == "billing.subscription_set") {
        let time: jiff::Timestamp = text(event, "time").parse().unwrap();
        let key = (text(event, "subject"), text(&event["data"], "subscription"));
        let is_newer = standing.get(&key).is_none_or(|(other, _)| *other <= time);
        if time < at && is_newer && !retracted.contains(&text(event, "id")) {
            standing.insert(key, (time, &event["data"]));
        }
    }
    let mut mrr = BTreeMap::new();
    for ((client, _), (_, data)) in standing {
        let is_over =
            data["cancel_at"].as_str().is_some_and(|end| end.parse::<jiff::Timestamp>().unwrap() < at);
        if matches!(text(data, "status"), "active" | "past_due") && !is_over {
            let months = if text(&data["interval"], "unit") == "year" { 12.0 } else { 1.0 };
            *mrr.entry(client.to_owned()).or_default() +=
                text(data, "amount").parse::<f64>().unwrap() / months;
        }
    }
    mrr.retain(|_, mrr| *mrr > 0.0);
    mrr
}

#[test]
fn the_year_is_believable_in_money_and_heads() {
    let events = good_events(&book_lines(&BookSpec { usage_percent: 0, ..BookSpec::default() }));
    let months: Vec<BTreeMap<String, f64>> = (1..=13)
        .map(|month| {
            mrr_by_client(&events, &format!("{}-{:02}-01T00:00:00Z", 2025 + month / 13, (month - 1) % 12 + 1))
        })
        .collect();
    for (month, pair) in (1..).zip(months.windows(2)) {
        let lost = pair[0].keys().filter(|client| !pair[1].contains_key(*client)).count();
        let permille = lost * 1000 / pair[0].len();
        assert!((13..40).contains(&permille), "month {month} lost {lost} of {}", pair[0].len());
    }
    let opening: f64 = months[0].values().sum();
    let kept: f64 = months[0].keys().filter_map(|client| months[12].get(client)).sum();
    assert!(months[0].len() >= 200);
    assert!((0.98..1.08).contains(&(kept / opening)), "NRR {}", kept / opening);
}

#[test]
fn odd_spans_and_sizes_do_not_break_it() {
    for (clients, days, start) in
        [(0, 365, 2025), (1, 1, 2025), (330, 1, 2024), (325, 30, 1980), (25, 900, 2025)]
    {
        let spec =
            BookSpec { clients, days, start: date(start, 3, 31), usage_percent: 10, ..BookSpec::default() };
        let lines = book_lines(&spec);
        assert_eq!(good_events(&lines).is_empty(), clients == 0);
    }
}

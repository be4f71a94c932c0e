//! A small book whose every event follows from its number, for [`instructions`](../instructions.rs) to count on.

use healthfold::{Engine, Event, EventReader, ReadOptions, Settings};

/// How many clients there are.
pub const CLIENTS: u32 = 100;

/// A hundred clients over ninety days of 2026: 4 500 events of usage in three metrics by five users, contracts, invoices,
/// tickets and what is said; 5 500 in all, in order of time.
#[must_use]
pub fn log() -> String {
    let mut lines = Vec::new();
    for day in 0..90u32 {
        let date = format!("2026-{:02}-{:02}", day / 30 + 1, day % 28 + 1);
        for client in 0..CLIENTS {
            let mut tell = |what: &str, hour: u32, data: String| {
                lines.push(format!(
                    r#"{{"specversion":"1.0","id":"{what}-{client}-{day}","source":"app","type":"{what}","subject":"client-{client}","time":"{date}T{hour:02}:15:00Z","data":{data}}}"#
                ));
            };
            let turn = client * 7 + day;
            if turn.is_multiple_of(2) {
                let (metric, count, user) = (turn % 3, turn % 9 + 1, turn % 5);
                tell(
                    "usage.counted",
                    9,
                    format!(r#"{{"metric":"metric-{metric}","count":{count},"user":"user-{user}"}}"#),
                );
            }
            if turn.is_multiple_of(30) {
                let (amount, invoice) = (50 + turn % 40, format!("{client}-{day}"));
                tell(
                    "billing.subscription_set",
                    8,
                    format!(
                        r#"{{"subscription":"s","status":"active","amount":{amount},"currency":"USD","interval":{{"unit":"month"}},"seats":5}}"#
                    ),
                );
                tell(
                    "billing.invoice_issued",
                    10,
                    format!(
                        r#"{{"invoice":"{invoice}","amount":{amount},"currency":"USD","due":"2026-04-30"}}"#
                    ),
                );
            }
            if turn % 45 == 1 {
                tell("support.ticket_opened", 11, format!(r#"{{"ticket":"{day}","priority":"high"}}"#));
                tell("client.sentiment_set", 12, format!(r#"{{"value":{}}}"#, turn % 101));
            }
        }
    }
    lines.join("\n")
}

/// The log as events.
#[must_use]
pub fn events() -> Vec<Event> {
    let log = log();
    let mut reader = EventReader::new(log.as_bytes(), None);
    let mut events = Vec::new();
    while let Ok(Some((_, event))) = reader.next_event() {
        events.extend(event.ok());
    }
    events
}

/// Five thousand states of one subscription, the last first.
#[must_use]
pub fn last_first() -> Vec<Event> {
    let line = |second: u32| {
        let time = format!("2026-01-05T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60);
        let data = r#"{"subscription":"s","status":"active","amount":1,"currency":"USD","interval":{"unit":"month"}}"#;
        format!(
            r#"{{"id":"{second}","source":"app","type":"billing.subscription_set","subject":"a","time":"{time}","data":{data}}}"#
        )
    };
    (0..5_000).rev().filter_map(|second| Event::from_json(line(second).as_bytes()).ok()).collect()
}

/// The log, folded.
///
/// # Panics
/// Never, since the zone is known and the log is in memory.
#[must_use]
#[expect(clippy::expect_used, reason = "a benchmark that cannot start should stop")]
pub fn engine() -> Engine {
    let mut engine = Engine::new(Settings::default()).expect("the zone is known");
    engine.apply_ndjson(log().as_bytes(), &ReadOptions::default()).expect("the log is in memory");
    engine
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_line_of_the_log_is_taken_in() {
        let lines = super::log().lines().count();
        assert_eq!((super::events().len(), super::last_first().len()), (lines, 5_000));
        assert!(lines > 5_000, "{lines}");
        assert_eq!(super::engine().clients().count(), super::CLIENTS as usize);
    }
}

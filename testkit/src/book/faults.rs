//! Lines that a reader must refuse, each for its own reason.

use super::calendar::{Calendar, DAY, MINUTE};
use super::dice::Dice;
use super::names::client_id;
use super::sheet::Line;

/// The code under which each bad line must be rejected; in a book in order of time, the lines come in this order.
pub const BAD_LINE_CODES: [&str; 12] = [
    "bad_time",
    "missing_field",
    "out_of_range",
    "unknown_type",
    "malformed_json",
    "wrong_type",
    "bad_time",
    "empty_id",
    "bad_value",
    "out_of_range",
    "not_retractable",
    "too_long",
];

/// The bad lines of a book of `clients` clients, each with the number of a client it travels with.
pub(super) fn bad_lines(clients: i64, calendar: &Calendar, dice: &mut Dice) -> Vec<(i64, Line)> {
    let mut lines = Vec::new();
    for place in 0..12 {
        let number = 1 + place * (clients - 1).max(0) / 12;
        let at = calendar.days() * (place * 2 + 1) / 24 * DAY + dice.between(8 * 60, 17 * 60) * MINUTE;
        let text = bad_line(place, &client_id(number), &calendar.instant(at));
        lines.push((number, Line { arrival: at, text }));
    }
    lines
}

fn bad_line(place: i64, subject: &str, time: &str) -> String {
    let event = |source: &str, kind: &str, subject: &str, time: &str, data: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"{source}-bad-{place}","source":"{source}","type":"{kind}","subject":"{subject}","time":"{time}","data":{data}}}"#
        )
    };
    let counted = "usage.counted";
    let calls = r#"{"metric":"calls","count":4}"#;
    match place {
        // A time without an offset.
        0 => event("app", counted, subject, time.trim_end_matches('Z'), calls),
        // No metric.
        1 => event("app", counted, subject, time, r#"{"count":4}"#),
        // Seven digits after the point.
        2 => event("app", counted, subject, time, r#"{"metric":"calls","count":1.0000001}"#),
        // A slip in the type.
        3 => event("app", "usage.countd", subject, time, calls),
        // Cut off on the way.
        4 => {
            let mut text = event("desk", "support.ticket_opened", subject, time, r#"{"ticket":"t-bad"}"#);
            text.truncate(text.len() - 14);
            text
        }
        // A list where a name belongs.
        5 => event("app", counted, subject, time, r#"{"metric":["calls"],"count":4}"#),
        // A clock that was never set.
        6 => event("app", counted, subject, "1969-12-31T23:59:59Z", calls),
        // No id.
        7 => event("app", counted, subject, time, calls).replace("app-bad-7", ""),
        // A currency in small letters.
        8 => event(
            "billing",
            "billing.charged",
            subject,
            time,
            r#"{"charge":"ch-bad","amount":"49.00","currency":"usd"}"#,
        ),
        // More than ten of ten.
        9 => event("survey", "client.nps_answered", subject, time, r#"{"score":11}"#),
        // Counted usage is corrected by a negative count, not taken back.
        10 => event(
            "crm",
            "event.retracted",
            subject,
            time,
            r#"{"source":"app","id":"app-000001","type":"usage.counted"}"#,
        ),
        // A client id of 300 bytes.
        _ => event("app", counted, &"x".repeat(300), time, calls),
    }
}

//! Tickets: topics, answers, resolutions and ratings; and the incidents behind some of them.

use super::calendar::{Calendar, DAY, Day, HOUR, MINUTE, Moment};
use super::client::Client;
use super::deck::{Segment, Story};
use super::dice::Dice;
use super::sheet::{Fields, Sheet, Source};
use super::usage::working_moment;

const TOPICS: [(&str, i64); 6] = [
    ("how_to", 40),
    ("bug", 22),
    ("billing", 12),
    ("integration", 11),
    ("feature_request", 9),
    ("account", 6),
];
const CHANNELS: [(&str, i64); 3] = [("chat", 55), ("email", 35), ("phone", 10)];

/// A ticket to be written, and how it fares.
struct Ticket {
    topic: &'static str,
    priority: &'static str,
    opened: Moment,
    /// Whether somebody resolves it.
    is_resolved: bool,
}

/// Writes the tickets of one client, numbered in order of opening.
pub(super) fn write_tickets(client: &Client, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let mut tickets = Vec::new();
    for day in client.plot.since.max(0)..sheet.calendar.days() {
        if client.is_open(day) && dice.below(10_000) < rate(client, day, sheet.calendar) {
            tickets.push(everyday_ticket(client, day, dice));
        }
    }
    if let Some(leaves) = client.plot.leaves.filter(|_| client.plot.decline.is_some() && dice.chance(420)) {
        tickets.push(Ticket {
            topic: "cancel_request",
            priority: "normal",
            opened: working_moment(client, leaves - dice.between(4, 25), dice),
            is_resolved: true,
        });
    }
    if client.card.story.needs_help() && client.card.turn % 4 != 2 {
        for _ in 0..dice.between(1, 3) {
            tickets.push(Ticket {
                topic: dice.pick(&["bug", "integration", "billing"]),
                priority: dice.pick(&["urgent", "urgent", "high"]),
                opened: working_moment(client, sheet.calendar.days() - dice.between(4, 24), dice),
                is_resolved: false,
            });
        }
    }
    if is_hit(client, outage_day(sheet.calendar), dice) {
        let begun = write_outage(sheet, dice);
        if dice.chance(380) {
            let opened = begun + dice.between(4, 190) * MINUTE;
            tickets.push(Ticket { topic: "outage", priority: "high", opened, is_resolved: true });
        }
    }
    write_lesser_incidents(client, sheet, dice);

    tickets.retain(|ticket| ticket.opened >= 0);
    tickets.sort_by_key(|ticket| ticket.opened);
    for (count, ticket) in (1..).zip(&tickets) {
        let id = format!("t-{:03}-{count}", client.number);
        write_ticket(client, &id, ticket, sheet, dice);
    }
}

// Tickets a day in ten-thousandths.
fn rate(client: &Client, day: Day, calendar: &Calendar) -> i64 {
    let usual = match client.card.segment {
        Segment::Smb => 105,
        Segment::Mid => 230,
        Segment::Enterprise => 620,
    };
    let weekend = calendar.facts(day).weekday >= 6;
    // Those who are new ask most; those who ask in a trial are those who stay.
    let fresh = if day - client.plot.since < 40 { 28 } else { 10 };
    let trying = match client.card.story {
        Story::TrialQuiet => 0,
        Story::TrialTried | Story::TrialStopped => 4,
        _ => 10,
    };
    let unhappy = 60 + (100 - client.mood(day));
    usual * fresh * trying / 100 * unhappy / 90 / if weekend { 6 } else { 1 }
}

fn everyday_ticket(client: &Client, day: Day, dice: &mut Dice) -> Ticket {
    let topic = dice.weighted(&TOPICS);
    let priority = match topic {
        "bug" => dice.weighted(&[("normal", 45), ("high", 40), ("urgent", 10), ("low", 5)]),
        "feature_request" => dice.weighted(&[("low", 70), ("normal", 30)]),
        _ => dice.weighted(&[("normal", 70), ("low", 18), ("high", 11), ("urgent", 1)]),
    };
    Ticket { topic, priority, opened: working_moment(client, day, dice), is_resolved: dice.chance(985) }
}

fn write_ticket(client: &Client, id: &str, ticket: &Ticket, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let user = format!("u-{:03}-{:02}", client.number, dice.between(1, 4));
    let opening = Fields::new().text("ticket", id);
    // Desks leave the ordinary priority out.
    let opening =
        if ticket.priority == "normal" { opening } else { opening.text("priority", ticket.priority) };
    let opening = opening
        .text("topic", ticket.topic)
        .text("channel", dice.weighted(&CHANNELS))
        .maybe("user", dice.chance(850).then_some(&user));
    sheet.write(Source::Desk, "support.ticket_opened", ticket.opened, &opening);

    let reply = |by: &str| Fields::new().text("ticket", id).text("by", by);
    let pace = match ticket.priority {
        "urgent" => (4, 60),
        "high" => (8, 180),
        "low" => (30, 1500),
        _ => (10, 600),
    };
    if !ticket.is_resolved {
        // Half of those left lying had a first answer, and no more.
        if dice.chance(500) {
            let answered = ticket.opened + dice.between(10, 40) * HOUR;
            sheet.write(Source::Desk, "support.ticket_replied", answered, &reply("agent"));
            sheet.write(
                Source::Desk,
                "support.ticket_replied",
                answered + dice.between(1, 30) * HOUR,
                &reply("client"),
            );
        }
        return;
    }
    // The product of two draws: most answers are quick, a few take long.
    let waited = pace.0 + (pace.1 - pace.0) * dice.below(1000) / 1000 * dice.below(1000) / 1000;
    let mut now = ticket.opened + waited * MINUTE;
    sheet.write(Source::Desk, "support.ticket_replied", now, &reply("agent"));
    for _ in 0..dice.weighted(&[(0, 55), (1, 30), (2, 15)]) {
        now += dice.between(15, 1300) * MINUTE;
        sheet.write(Source::Desk, "support.ticket_replied", now, &reply("client"));
        now += dice.between(10, 500) * MINUTE;
        sheet.write(Source::Desk, "support.ticket_replied", now, &reply("agent"));
    }
    if dice.chance(50) {
        let update = Fields::new().text("ticket", id).text("priority", dice.pick(&["high", "urgent", "low"]));
        sheet.write(Source::Desk, "support.ticket_updated", now + 3 * MINUTE, &update);
    }
    let named = Fields::new().text("ticket", id);
    now += dice.between(10, 2200) * MINUTE * if ticket.topic == "bug" { 2 } else { 1 };
    sheet.write(Source::Desk, "support.ticket_resolved", now, &named);
    let reopened = dice.chance(70);
    if reopened {
        now += dice.between(2, 70) * HOUR;
        sheet.write(Source::Desk, "support.ticket_reopened", now, &named);
        now += dice.between(2, 50) * HOUR;
        sheet.write(Source::Desk, "support.ticket_resolved", now, &named);
    }
    if dice.chance(360) {
        let rating = rating(client.mood(ticket.opened.div_euclid(DAY)) - if reopened { 25 } else { 0 }, dice);
        let rated = Fields::new().text("ticket", id).plain("rating", rating);
        sheet.write(Source::Desk, "support.ticket_rated", now + dice.between(5, 2000) * MINUTE, &rated);
    }
}

fn rating(mood: i64, dice: &mut Dice) -> i64 {
    if dice.between(0, 110) < mood {
        dice.weighted(&[(5, 72), (4, 22), (3, 6)])
    } else {
        dice.weighted(&[(1, 24), (2, 24), (3, 28), (4, 16), (5, 8)])
    }
}

/// The day of the outage that many clients feel.
fn outage_day(calendar: &Calendar) -> Day {
    calendar.scaled(167)
}

fn is_hit(client: &Client, day: Day, dice: &mut Dice) -> bool {
    client.is_open(day) && dice.chance(720)
}

// Answers when the outage began.
fn write_outage(sheet: &mut Sheet<'_>, dice: &mut Dice) -> Moment {
    let day = outage_day(sheet.calendar);
    let incident = format!("inc-{}-telephony", sheet.date(day));
    let begun = day * DAY + 13 * HOUR + 12 * MINUTE;
    // It came back client by client.
    let ended = begun + 3 * HOUR + dice.between(5, 100) * MINUTE;
    write_incident(&incident, "critical", "telephony", false, (begun, ended), sheet);
    begun
}

fn write_lesser_incidents(client: &Client, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let upkeep = sheet.calendar.scaled(75);
    if client.is_open(upkeep) && (client.card.segment == Segment::Enterprise || dice.chance(300)) {
        let begun = upkeep * DAY + 2 * HOUR;
        let incident = format!("inc-{}-upkeep", sheet.date(upkeep));
        write_incident(&incident, "minor", "database", true, (begun, begun + 2 * HOUR), sheet);
    }
    if dice.chance(60) {
        let day = dice.between(5, sheet.calendar.days().max(6));
        if client.is_open(day) {
            let incident = format!("inc-{}-{:03}", sheet.date(day), client.number);
            let begun = working_moment(client, day, dice);
            let (severity, component) =
                (dice.pick(&["minor", "minor", "major"]), dice.pick(&["crm_sync", "telephony", "reports"]));
            let ended = begun + dice.between(20, 300) * MINUTE;
            write_incident(&incident, severity, component, false, (begun, ended), sheet);
        }
    }
}

fn write_incident(
    incident: &str,
    severity: &str,
    component: &str,
    planned: bool,
    (begun, ended): (Moment, Moment),
    sheet: &mut Sheet<'_>,
) {
    let start =
        Fields::new().text("incident", incident).text("severity", severity).text("component", component);
    let start = if planned { start.plain("planned", true) } else { start };
    sheet.write(Source::Status, "support.incident_started", begun, &start);
    sheet.write(Source::Status, "support.incident_ended", ended, &Fields::new().text("incident", incident));
}

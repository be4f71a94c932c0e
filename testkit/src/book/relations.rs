//! What people know and do: who the client is, contacts, talks, sentiment, NPS, milestones, and marks set by hand.

use super::calendar::{Calendar, DAY, Day, HOUR, MINUTE, Moment};
use super::client::{Client, handover, is_handed_over};
use super::deck::{Segment, Story};
use super::dice::Dice;
use super::names;
use super::sheet::{Fields, Sheet, Source};

/// Writes who the client is, and what of that changes.
pub(super) fn write_identity(client: &Client, parent: Option<&str>, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let met = client.plot.since * DAY + 8 * HOUR + dice.between(5, 40) * MINUTE;
    let word = if client.card.story == Story::Duplicate { "Inc." } else { client.sector.word };
    let name = names::company(&client.stem, word);
    let mut tags = Vec::new();
    for (tag, permille) in [("partner", 60), ("brand", 40), ("startup", 110), ("beta", 80)] {
        if dice.chance(permille) {
            tags.push(tag.to_owned());
        }
    }
    let seats = client.terms(client.plot.since).map_or(5, |terms| terms.seats);
    let attributes = Fields::new()
        .text("sector", client.sector.name)
        .plain("employees", seats * dice.between(2, 9))
        .text("region", if client.opens_at < 10 { "europe" } else { "americas" })
        .plain("managed", client.owner.is_some());
    let fields = Fields::new()
        .text("name", &name)
        .maybe("owner", client.owner_on(client.plot.since, sheet.calendar))
        .text("segment", client.card.segment.name());
    let fields = if tags.is_empty() { fields } else { fields.texts("tags", &tags) };
    let fields = fields.maybe("parent", parent).object("attributes", &attributes);
    sheet.write(Source::Crm, "client.set", met, &fields);

    let moved = handover(sheet.calendar);
    if is_handed_over(client) && client.plot.since < moved {
        let fields = Fields::new().maybe("owner", client.owner_on(moved, sheet.calendar));
        sheet.write(
            Source::Crm,
            "client.set",
            moved * DAY + 8 * HOUR + dice.between(0, 90) * MINUTE,
            &fields,
        );
    }
    if client.card.story == Story::Grow && client.card.segment == Segment::Smb && client.card.turn % 9 == 4 {
        // Grown out of its segment.
        let day = sheet.calendar.days() * dice.between(55, 90) / 100;
        sheet.write(Source::Crm, "client.set", day * DAY + 10 * HOUR, &Fields::new().text("segment", "mid"));
    }
}

/// Writes the people known at a client; some of them leave.
pub(super) fn write_contacts(client: &Client, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    const CONTACT_SET: &str = "client.contact_set";
    let people = match client.card.segment {
        Segment::Smb => dice.between(1, 2),
        Segment::Mid => dice.between(2, 3),
        Segment::Enterprise => dice.between(3, 5),
    };
    let met = client.plot.since * DAY + 10 * HOUR;
    for place in 0..people {
        let contact = names::person(&client.stem, dice);
        let is_key = place == 0;
        let role =
            if is_key { "decision_maker" } else { dice.pick(&["user", "admin", "billing", "champion"]) };
        let fields = Fields::new().text("contact", &contact).text("role", role);
        let fields = if is_key { fields.plain("key", true) } else { fields }.text("status", "active");
        sheet.write(Source::Crm, CONTACT_SET, met + place * 7 * MINUTE, &fields);

        let troubled = client.plot.decline.filter(|_| is_key && client.card.story != Story::Downgrade);
        let goes = match troubled {
            Some((from, to)) => dice.chance(450).then(|| from + (to - from) * dice.between(10, 80) / 100),
            None => dice.chance(90).then(|| dice.between(10, sheet.calendar.days().max(11))),
        };
        let Some(day) = goes.filter(|day| (client.plot.since.max(0)..).contains(day) && client.is_open(*day))
        else {
            continue;
        };
        let status = dice.weighted(&[("left", 70), ("unreachable", 30)]);
        let at = day * DAY + dice.between(9 * 60, 17 * 60) * MINUTE;
        sheet.write(
            Source::Crm,
            CONTACT_SET,
            at,
            &Fields::new().text("contact", &contact).text("status", status),
        );
        if troubled.is_none() && dice.chance(700) {
            let successor = names::person(&client.stem, dice);
            let fields = Fields::new().text("contact", &successor).text("role", role).plain("key", is_key);
            let at = at + dice.between(4, 40) * DAY;
            sheet.write(Source::Crm, CONTACT_SET, at, &fields.text("status", "active"));
        }
    }
}

/// Writes talks with the client, and how owners judge it.
pub(super) fn write_talks(client: &Client, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let every = match (client.owner, client.card.segment) {
        (None, _) => 160,
        (_, Segment::Smb) => 55,
        (_, Segment::Mid) => 34,
        (_, Segment::Enterprise) => 20,
    };
    let mut day = client.plot.since.max(-20) + dice.between(2, every);
    while day < sheet.calendar.days() {
        if client.is_open(day) && day >= 0 {
            write_talk(client, day, sheet, dice);
            let judges = dice.chance(if client.card.segment == Segment::Smb { 900 } else { 600 });
            if let Some(owner) = client.owner_on(day, sheet.calendar).filter(|_| judges) {
                write_sentiment(client, day, owner, sheet, dice);
            }
        }
        day += dice.between(every * 6 / 10, every * 14 / 10);
    }
    // An owner looks once more at those who worry everybody.
    let last_look = sheet.calendar.days() - 12;
    if let Some(owner) = client.owner_on(last_look, sheet.calendar).filter(|_| client.card.story.needs_help())
    {
        write_sentiment(client, last_look, owner, sheet, dice);
    }
}

fn write_talk(client: &Client, day: Day, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let at = day * DAY + dice.between(8 * 60, 17 * 60) * MINUTE;
    let channel = dice.weighted(&[("call", 40), ("email", 35), ("meeting", 17), ("sms", 8)]);
    let content = client.mood(day) * 6;
    let by_client = dice.chance(120);
    let fields = Fields::new().text("channel", channel).text("by", if by_client { "client" } else { "us" });
    let outcome = if by_client || dice.chance(350 + content) {
        "reached"
    } else {
        dice.weighted(&[("no_answer", 80), ("bounced", 20)])
    };
    sheet.write(Source::Crm, "client.contacted", at, &fields.text("outcome", outcome));
}

fn write_sentiment(client: &Client, day: Day, owner: &str, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    // Owners notice late: they judge what they saw a fortnight ago, and not quite right.
    let seen = client.mood(day - 14) + dice.between(-13, 13);
    let value = ((seen + 10) / 20 * 20).clamp(20, 100);
    let fields = Fields::new().plain("value", value).text("by", owner);
    let fields = if dice.chance(250) {
        let mut part = || (value + 20 * dice.between(-1, 1)).clamp(20, 100);
        let parts = Fields::new().plain("answers", part()).plain("use", part()).plain("renewal", part());
        fields.object("parts", &parts)
    } else {
        fields
    };
    sheet.write(
        Source::Crm,
        "client.sentiment_set",
        day * DAY + 18 * HOUR + dice.between(0, 50) * MINUTE,
        &fields,
    );
}

/// Writes answers to the two NPS rounds of the year.
pub(super) fn write_nps(client: &Client, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let asked = match client.card.segment {
        Segment::Smb => 2,
        Segment::Mid => 3,
        Segment::Enterprise => 7,
    };
    for round in [sheet.calendar.scaled(78), sheet.calendar.scaled(261)] {
        for user in 1..=asked {
            let day = round + dice.between(0, 10);
            if !client.is_open(day) || !dice.chance(360) {
                continue;
            }
            let score = (client.mood(day) / 10 + dice.between(-2, 3)).clamp(0, 10);
            let user = format!("u-{:03}-{user:02}", client.number);
            let fields = Fields::new().plain("score", score).maybe("user", dice.chance(900).then_some(&user));
            sheet.write(
                Source::Survey,
                "client.nps_answered",
                day * DAY + dice.between(7 * 60, 21 * 60) * MINUTE,
                &fields,
            );
        }
    }
}

/// Writes the first steps in the product.
pub(super) fn write_milestones(client: &Client, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    // The step, how many of 100 clients take it, and between which days after the beginning.
    const STEPS: [(&str, i64, i64, i64); 6] = [
        ("workspace_created", 100, 0, 0),
        ("first_call", 96, 0, 3),
        ("team_invited", 90, 1, 6),
        ("first_report", 82, 2, 12),
        ("integration_live", 66, 5, 30),
        ("onboarded", 80, 20, 45),
    ];
    let taken = match client.card.story {
        Story::Duplicate => return,
        Story::TrialQuiet => 1,
        Story::TrialTried | Story::TrialStopped | Story::TrialOverdue => 3,
        _ => STEPS.len(),
    };
    for (hours, (step, percent, low, high)) in (9..).zip(STEPS).take(taken) {
        let day = client.plot.since + dice.between(low, high);
        if dice.below(100) < percent && client.is_open(day) {
            let at = day * DAY + hours * HOUR + dice.between(0, 50) * MINUTE;
            sheet.write(Source::App, "client.milestone_reached", at, &Fields::new().text("milestone", step));
        }
    }
}

/// Writes the reason of a departure, where somebody wrote it down.
pub(super) fn write_churn_reason(client: &Client, sheet: &mut Sheet<'_>, dice: &mut Dice) {
    let Some(leaves) = client.plot.leaves.filter(|_| client.card.story != Story::Duplicate) else {
        return;
    };
    let stated = client.terms(leaves).and_then(|terms| terms.reason);
    let (reason, voluntary) = match (client.card.story, stated) {
        (Story::Forgot, _) => ("forgot_payment", false),
        (_, Some(stated)) if dice.chance(860) => (stated, true),
        _ => return,
    };
    let at = leaves * DAY + 23 * HOUR + dice.between(60, 3 * 24 * 60) * MINUTE;
    let fields = Fields::new().text("reason", reason).plain("voluntary", voluntary);
    sheet.write(Source::Crm, "client.churn_reason_set", at, &fields);
}

/// Writes the few marks that somebody set by hand over the computed score.
pub(super) fn write_overrides(client: &Client, sheet: &mut Sheet<'_>) {
    let calendar = sheet.calendar;
    let set: (Day, &str, i64, &str, Day) = match (client.card.story, client.card.turn) {
        (Story::AtRisk, 0) => {
            (calendar.days() - 20, "cap", 35, "sponsor left, budget frozen", calendar.days() + 60)
        }
        (Story::Grow, 20) => (calendar.scaled(100), "floor", 70, "strategic partner", calendar.scaled(300)),
        (Story::Steady, 3) => {
            (calendar.scaled(210), "score", 85, "works through the partner portal", calendar.days() + 90)
        }
        (Story::Downgrade, 1) => (calendar.scaled(60), "cap", 55, "reorganisation", calendar.scaled(240)),
        _ => return,
    };
    let (day, kind, value, reason, until) = set;
    let by = client.owner_on(day, calendar).unwrap_or("chen");
    let at = day * DAY + 15 * HOUR;
    write_override((kind, value, reason, by), at, until * DAY, sheet);
    if client.card.story == Story::Downgrade {
        // Taken back: an end that is not ahead withdraws.
        let withdrawn = calendar.scaled(150) * DAY + 9 * HOUR;
        write_override((kind, value, "settled", by), withdrawn, withdrawn, sheet);
    }
}

fn write_override(
    (kind, value, reason, by): (&str, i64, &str, &str),
    at: Moment,
    until: Moment,
    sheet: &mut Sheet<'_>,
) {
    let fields = Fields::new()
        .text("kind", kind)
        .plain("value", value)
        .text("reason", reason)
        .text("by", by)
        .text("until", &sheet.calendar.instant(until));
    sheet.write(Source::Crm, "client.override_set", at, &fields);
}

/// Writes that the client is another one, or that it must be forgotten.
pub(super) fn write_end_of_record(
    client: &Client,
    original: Option<&str>,
    calendar: &Calendar,
    sheet: &mut Sheet<'_>,
) {
    let Some(leaves) = client.plot.leaves else { return };
    match (client.card.story, original) {
        (Story::Duplicate, Some(original)) => {
            let fields = Fields::new().text("into", original);
            sheet.write(Source::Crm, "client.merged_into", leaves * DAY + 10 * HOUR, &fields);
        }
        (Story::Erased, _) => {
            let at = (leaves + calendar.scaled(45)) * DAY + 11 * HOUR;
            sheet.write(Source::Crm, "client.erased", at, &Fields::new());
        }
        _ => {}
    }
}

//! How long clients paid: one spell for each unbroken paying time, as of an instant.
//!
//! A spell runs from the first instant of paying to the first at which nothing is paid any more, in any currency; a gap
//! within the renewal grace is none once the renewal is known. One that still runs at the instant is *censored*: it lasts at
//! least as long. A client that came back has several, and so has one that was paused, unless `paused` is keep. Merged
//! clients are one. Ages are whole calendar days in the engine's zone.
//!
//! `data_start` says from when on the log is complete. A spell that began earlier and runs then came into sight *late*, at
//! the age it had: others like it that ended before are not in the log, so it must not speak for them. Spells that were over
//! by then are left out for the same reason. Unless said, the log is complete from its first event.

use super::kaplan_meier::Observation;
use super::options::{LifetimeOptions, SpellsOf};
use crate::book::Client;
use crate::id::ClientId;
use crate::period::Period;
use crate::revenue::{Attribution, GroupKey, Question, Refusal, SettingError, Span, View};
use crate::time::Instant;
use serde::Serialize;

/// One unbroken paying time of one client.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClientSpell {
    /// The client.
    pub client: ClientId,
    /// Its group when the spell began; null without `group_by`.
    pub key: GroupKey,
    /// Which of its spells, from 1.
    pub number: u32,
    /// When it began.
    pub from: Instant,
    /// The first instant at which nothing is paid; null where it runs at the instant of the question.
    pub until: Option<Instant>,
    /// The age in days at which it came into sight, where it began before the start of the data.
    pub entry_days: Option<u32>,
    /// Its age in days at its end, or at the instant of the question.
    pub days: u32,
    /// Whether it is over.
    pub ended: bool,
    /// Over, but so lately that a renewal within the grace would bridge it.
    pub unsettled: bool,
}

impl ClientSpell {
    /// The spell as a survival curve sees it.
    pub fn observation(&self) -> Observation {
        Observation { entry: self.entry_days.map(f64::from), time: f64::from(self.days), ended: self.ended }
    }
}

/// All spells of a book.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spells {
    /// The instant of the question.
    pub as_of: Instant,
    /// From when on the log is complete; null in a book without events.
    pub data_start: Option<Instant>,
    /// The settings of the question.
    pub settings: LifetimeOptions,
    /// Spells that were over before the start of the data; in no figure.
    pub left_out: u64,
    /// In order of clients and of time.
    pub spells: Vec<ClientSpell>,
}

/// The spells of the clients of a question.
pub(crate) fn spells(
    question: &Question<'_>,
    options: &LifetimeOptions,
    first_event: Option<Instant>,
) -> Result<Spells, Refusal> {
    let (zone, as_of) = (question.zone, question.as_of);
    if options.revenue.attribution == Attribution::Interval {
        let expected = "opening: a spell stays in the group it began in";
        return Err(Refusal::Setting(SettingError::new("attribution", expected, "interval")));
    }
    let stated = options.data_start.map(|start| start.beginning(zone));
    let data_start = stated.or(first_event);
    let shared = question.shared()?;
    let grouping = question.grouping(&shared, as_of);
    let grace = i64::from(options.revenue.renewal_grace_days);
    let days = |from: Instant, to: Instant| {
        u32::try_from(zone.day(to).days_since(zone.day(from))).unwrap_or_default()
    };
    let see = |(left_out, spells): &mut (u64, Vec<ClientSpell>), client: &Client<'_>, view: &View<'_, '_>| {
        let begun = view.spells.iter().take_while(|spell| spell.from <= as_of);
        for (number, spell) in (1..).zip(begun) {
            if options.spells == SpellsOf::First && number > 1 {
                break;
            }
            let until = spell.until.filter(|until| *until <= as_of);
            if until.zip(stated).is_some_and(|(until, start)| until <= start) {
                *left_out += 1;
                continue;
            }
            let at = Period { start: spell.from, end: spell.from.just_after() };
            let span = Span::new(at, as_of);
            let span = Span { rates_at: (spell.from, spell.from), ..span };
            let key = grouping.as_ref().map(|by| by.key(client, view, spell.from, &span)).transpose()?;
            let late = stated.filter(|start| spell.from < *start);
            spells.push(ClientSpell {
                client: client.id.clone(),
                key: key.unwrap_or(GroupKey::None),
                number,
                from: spell.from,
                until,
                entry_days: late.map(|start| days(spell.from, start)),
                days: days(spell.from, until.unwrap_or(as_of)),
                ended: until.is_some(),
                unsettled: until.is_some_and(|until| {
                    let runs = view.spells.iter().all(|other| other.from <= until || other.from > as_of);
                    grace > 0 && runs && i64::from(days(until, as_of)) <= grace
                }),
            });
        }
        Ok(())
    };
    let join = |(before, spells): &mut (u64, Vec<ClientSpell>), (after, more): (u64, Vec<ClientSpell>)| {
        *before += after;
        spells.extend(more);
    };
    let (left_out, spells) = question.gather(
        &shared,
        Default::default,
        |gathered, client, _, whole| see(gathered, client, whole),
        join,
    )?;
    Ok(Spells { as_of, data_start, settings: options.resolved(as_of), left_out, spells })
}

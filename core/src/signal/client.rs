//! Signals of what people said and did: sentiment, NPS, contacts, milestones, attributes.

use super::params::{Age, Days, Names, Positive, Steps};
use super::{Measure, Missing, View, signal};
use crate::event::client::{ContactStatus, ContactedBy, Outcome};
use crate::event::{Attribute as AttributeValue, Patch};
use crate::id::UserId;
use crate::state::client::{Contact, ContactChange, NpsAnswer, Sentiment as SentimentEntry};
use crate::time::{Day, Instant};
use crate::timeline::{Entries, Entry, Timeline};
use std::collections::BTreeMap;

super::params::choice!(ContactedBy, "one of `us`, `client`", "us" => ContactedBy::Us, "client" => ContactedBy::Client);
super::params::choice!(Outcome, "one of `reached`, `no_answer`, `bounced`",
    "reached" => Outcome::Reached, "no_answer" => Outcome::NoAnswer, "bounced" => Outcome::Bounced);

signal! {
    /// Net promoter score over the latest answer of each user in the window; answers without a user count one each.
    Nps = "nps", "-100 to 100", Up, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days = Days(180),
    }
}

impl View<'_> {
    /// The latest answer of each user in a window, and those without a user: would they recommend, 0 to 10.
    pub(crate) fn nps_answers(&self, days: i32) -> Vec<u8> {
        self.nps_entries(days).into_iter().map(|entry| entry.value.score).collect()
    }

    pub(super) fn nps_entries(&self, days: i32) -> Vec<&Entry<NpsAnswer>> {
        let (first, last) = self.days(days);
        let answers = self.state.profile.more.nps.up_to(self.at).iter();
        let inside = answers.filter(|entry| (first..=last).contains(&self.zone.day(entry.at())));
        let mut by_user: BTreeMap<&UserId, &Entry<NpsAnswer>> = BTreeMap::new();
        let mut answers = Vec::new();
        for entry in inside {
            match &entry.value.user {
                // In order of time, so the last one stays.
                Some(user) => drop(by_user.insert(user, entry)),
                None => answers.push(entry),
            }
        }
        answers.extend(by_user.into_values());
        answers
    }
}

impl Measure for Nps {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let answers = view.nps_answers(self.days.0);
        if answers.is_empty() {
            return Err(Missing::TooLittle);
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of answers are far below 2^53")]
        let share = |test: fn(u8) -> bool| {
            answers.iter().filter(|answer| test(**answer)).count() as f64 / answers.len() as f64
        };
        Ok((share(promotes) - share(detracts)) * 100.0)
    }
}

/// Whether an answer is that of a promoter: 9 and 10.
pub(crate) fn promotes(answer: u8) -> bool {
    answer >= 9
}

/// Whether an answer is that of a detractor: 0 to 6.
pub(crate) fn detracts(answer: u8) -> bool {
    answer <= 6
}

signal! {
    /// The latest judgement of how the client feels, or one named part of it; with a half-life it is pulled toward 50 as
    /// it ages, with steps a value between them counts as missing.
    Sentiment = "sentiment", "0 to 100", Up, instant {
        /// In so many days it comes half of its way to 50.
        half_life_days: Option<Positive>,
        /// Older than this it is missing.
        max_age_days: Option<Age>,
        /// A named part of the judgement instead of the whole.
        part: Option<String>,
        /// The only values that count; another is missing.
        steps: Option<Steps>,
    }
}

impl Sentiment {
    /// What an entry says of the part that is asked for, or of the whole.
    pub(crate) fn stated(&self, entry: &Entry<SentimentEntry>) -> Option<f64> {
        let judged = &entry.value;
        let value = match &self.part {
            None => Some(&judged.value),
            Some(part) => {
                judged.more.parts.iter().find(|(name, _)| name.as_str() == part).map(|(_, value)| value)
            }
        };
        value.map(|value| value.quantity().to_f64())
    }

    /// The latest judgement that says it. A later one without the part does not take back what was said of it.
    pub(super) fn latest<'v>(&self, view: &View<'v>) -> Option<(&'v Entry<SentimentEntry>, f64)> {
        let mut entries = view.state.profile.sentiment.up_to(view.at).iter().rev();
        entries.find_map(|entry| self.stated(entry).map(|value| (entry, value)))
    }

    /// Whether a judgement is too old to count.
    pub(super) fn expired(&self, view: &View<'_>, entry: &Entry<SentimentEntry>) -> bool {
        let age = view.today.days_since(view.zone.day(entry.at()));
        self.max_age_days.is_some_and(|most| age > most.0)
    }

    /// The steps a value must be one of, if there are any.
    pub(crate) fn allowed(&self) -> Option<&[f64]> {
        self.steps.as_ref().map(|steps| steps.0.as_slice())
    }
}

impl Measure for Sentiment {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let (entry, value) = self.latest(view).ok_or(Missing::NeverSeen)?;
        let age = view.today.days_since(view.zone.day(entry.at()));
        if self.expired(view, entry) {
            return Err(Missing::Expired);
        }
        if self.allowed().is_some_and(|steps| !steps.contains(&value)) {
            return Err(Missing::OffScale);
        }
        Ok(match self.half_life_days {
            Some(half_life) => 50.0 + (value - 50.0) * libm::exp2(-f64::from(age) / half_life.0),
            None => value,
        })
    }
}

signal! {
    /// Days since the last contact.
    DaysSinceContact = "days_since_contact", "days", Down, instant {
        /// Only those begun by us, or by the client.
        by: Option<ContactedBy>,
        /// Only those with this outcome.
        outcome: Option<Outcome>,
    }
}

impl DaysSinceContact {
    /// The last contact of those that are asked for.
    pub(super) fn last<'v>(&self, view: &View<'v>) -> Option<&'v Entry<Contact>> {
        let mut contacts = view.state.profile.more.contacted.up_to(view.at).iter().rev();
        contacts.find(|entry| {
            self.by.is_none_or(|by| entry.value.by == by)
                && self.outcome.is_none_or(|outcome| entry.value.outcome == Some(outcome))
        })
    }
}

impl Measure for DaysSinceContact {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let last = self.last(view);
        last.map(|entry| f64::from(view.today.days_since(view.zone.day(entry.at()))))
            .ok_or(Missing::NeverSeen)
    }
}

impl View<'_> {
    /// When a milestone was first reached, if it was by now.
    pub(crate) fn reached(&self, milestone: &str) -> Option<Instant> {
        let reached = self.state.profile.more.milestones.get(milestone)?;
        reached.first().map(|entry| entry.at()).filter(|at| *at <= self.at)
    }
}

signal! {
    /// 1 if a milestone is reached, else 0.
    Milestone = "milestone", "0 or 1", Up, instant {
        /// The milestone, as events name it.
        milestone: String,
    }
}

impl Measure for Milestone {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        Ok(if view.reached(&self.milestone).is_some() { 1.0 } else { 0.0 })
    }
}

signal! {
    /// Days from the first event, or from another milestone, to a milestone.
    MilestoneDays = "milestone_days", "days", Down, instant {
        /// The milestone, as events name it.
        milestone: String,
        /// Another milestone to count from; without it the first event.
        from: Option<String>,
    }
}

impl Measure for MilestoneDays {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let reached = view.zone.day(view.reached(&self.milestone).ok_or(Missing::NeverSeen)?);
        let start = match &self.from {
            Some(from) => view.zone.day(view.reached(from).ok_or(Missing::NeverSeen)?),
            None => view.state.first_day(view.zone).ok_or(Missing::NeverSeen)?,
        };
        Ok(f64::from(reached.days_since(start)))
    }
}

/// How far a client is with the things that it should have done by a day.
pub(crate) struct Activating {
    /// Each milestone with the instant it was first reached, if it was by now.
    pub(crate) milestones: Vec<(String, Option<Instant>)>,
    /// The last day on which it is in time.
    pub(crate) due: Day,
}

impl Activating {
    /// The instant the last of them was reached; `None` while one is open.
    pub(crate) fn activated_at(&self) -> Option<Instant> {
        let reached: Option<Vec<Instant>> = self.milestones.iter().map(|(_, at)| *at).collect();
        reached?.into_iter().max()
    }
}

impl View<'_> {
    /// How far the client is with a set of milestones, due so many days after its first event.
    pub(crate) fn activating(&self, milestones: &[String], days: i32) -> Option<Activating> {
        let first = self.state.first_day(self.zone)?;
        let milestones = milestones.iter().map(|name| (name.clone(), self.reached(name))).collect();
        Some(Activating { milestones, due: first.plus(days) })
    }
}

signal! {
    /// 1 once all of a set of milestones are reached, 0 if they are not when their time is over; missing in between.
    Activation = "activation", "0 or 1", Up, instant {
        /// What belongs to being activated.
        milestones: Names,
        /// How many days after the client's first event there are for it.
        within_days: Days,
    }
}

impl Measure for Activation {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let state = view.activating(&self.milestones.0, self.within_days.0).ok_or(Missing::NeverSeen)?;
        match state.activated_at() {
            Some(_) => Ok(1.0),
            None if view.today > state.due => Ok(0.0),
            None => Err(Missing::TooLittle),
        }
    }
}

/// A contact person as stated so far.
#[derive(Clone, Copy, Debug, Default)]
struct ContactAt {
    /// Whether they decide.
    key: bool,
    /// Whether they can be reached, if that is known.
    status: Option<ContactStatus>,
}

impl ContactAt {
    fn after(self, change: &ContactChange) -> Self {
        let key = match change.key {
            Patch::Set(stated) => stated,
            Patch::Clear => false,
            Patch::Keep => self.key,
        };
        let status = match change.status {
            Patch::Set(stated) => Some(stated),
            Patch::Clear => None,
            Patch::Keep => self.status,
        };
        Self { key, status }
    }
}

signal! {
    /// The share of contact persons who can be reached.
    ContactValidity = "contact_validity", "share", Up, instant {}
}

/// Whether a contact person can be reached, as stated so far.
fn status(entries: &Entries<'_, ContactChange>) -> Option<ContactStatus> {
    entries.iter().fold(ContactAt::default(), |contact, entry| contact.after(&entry.value)).status
}

/// Whether a contact person can be reached at an instant; `None` before anything is stated about them.
pub(super) fn reachable(contact: &Timeline<ContactChange>, at: Instant) -> Option<bool> {
    let known = contact.up_to(at);
    (!known.is_empty()).then(|| status(&known) == Some(ContactStatus::Active))
}

impl Measure for ContactValidity {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let known = view.state.profile.more.contacts.values().map(|contact| contact.up_to(view.at));
        let known: Vec<_> = known.filter(|entries| !entries.is_empty()).collect();
        if known.is_empty() {
            return Err(Missing::TooLittle);
        }
        let active = known.iter().filter(|entries| status(entries) == Some(ContactStatus::Active)).count();
        #[expect(clippy::cast_precision_loss, reason = "counts of contacts are far below 2^53")]
        Ok(active as f64 / known.len() as f64)
    }
}

signal! {
    /// 1 if a contact who decides became one who left or cannot be reached in the window, else 0.
    KeyContactLost = "key_contact_lost", "0 or 1", Down, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days,
    }
}

impl KeyContactLost {
    /// What made a contact who decides one who left or cannot be reached, in the window.
    pub(super) fn losses<'v>(
        &self,
        view: &View<'v>,
        contact: &'v Timeline<ContactChange>,
    ) -> impl Iterator<Item = &'v Entry<ContactChange>> {
        let (days, zone) = (view.days(self.days.0), view.zone);
        let gone = |status: Option<ContactStatus>| {
            matches!(status, Some(ContactStatus::Left | ContactStatus::Unreachable))
        };
        let mut known = ContactAt::default();
        contact.up_to(view.at).into_iter().filter(move |entry| {
            let before = known;
            known = known.after(&entry.value);
            let inside = || (days.0..=days.1).contains(&zone.day(entry.at()));
            known.key && gone(known.status) && !gone(before.status) && inside()
        })
    }
}

impl Measure for KeyContactLost {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.heard(view.facts.contacts)?;
        let lost = |contact| self.losses(view, contact).next().is_some();
        Ok(if view.state.profile.more.contacts.values().any(lost) { 1.0 } else { 0.0 })
    }
}

signal! {
    /// A numeric attribute; true and false read as 1 and 0, text is no number.
    Attribute = "attribute", "as stated", Either, instant {
        /// The key of the attribute.
        key: String,
    }
}

/// An attribute as stated at an instant, if it is a number; true and false read as 1 and 0.
pub(super) fn numeric_attribute(view: &View<'_>, key: &str, at: Instant) -> Option<f64> {
    match view.state.profile.stated.attributes.get(key).and_then(|values| values.value_at(at))? {
        Some(AttributeValue::Number(number)) => Some(number.to_f64()),
        Some(AttributeValue::Flag(flag)) => Some(if *flag { 1.0 } else { 0.0 }),
        Some(AttributeValue::Text(_)) | None => None,
    }
}

impl Measure for Attribute {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        numeric_attribute(view, &self.key, view.at).ok_or(Missing::NeverSeen)
    }
}

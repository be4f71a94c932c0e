//! What we know about a client itself: who it is, what people think of it, and what was decided.

use super::billing::retain;
use crate::event::client::{
    ChurnReasonSet, ContactSet, ContactStatus, Contacted, ContactedBy, NpsAnswered, Outcome, OverrideKind,
    OverrideSet, SentimentSet, Set,
};
use crate::event::{Attribute, EventKind, Moment, Named, Patch, Percent, SetOf};
use crate::id::{ClientId, ContactId, MilestoneName, Text, UserId};
use crate::keyed::Keyed;
use crate::rare::{Apart, Empty};
use crate::time::Instant;
use crate::timeline::{Entry, Stamp, Timeline};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// One field of the profile over time; `None` where it was cleared.
pub(crate) type Stated<T> = Timeline<Option<T>>;

/// How a client feels, as somebody judged it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sentiment {
    pub(crate) value: Percent,
    pub(crate) more: Apart<MoreSentiment>,
}

/// What many judgements leave out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MoreSentiment {
    pub(crate) by: Option<Text>,
    pub(crate) parts: Named<Percent>,
}

impl Default for MoreSentiment {
    fn default() -> Self {
        Self { by: None, parts: Named::new([]) }
    }
}

impl Empty for MoreSentiment {
    fn empty() -> &'static Self {
        static EMPTY: LazyLock<MoreSentiment> = LazyLock::new(MoreSentiment::default);
        &EMPTY
    }
}

/// An answer to the NPS question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NpsAnswer {
    pub(crate) score: u8,
    pub(crate) user: Option<UserId>,
}

/// A contact that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contact {
    pub(crate) by: ContactedBy,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) user: Option<UserId>,
}

/// What was stated about a contact person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContactChange {
    pub(crate) role: Patch<Text>,
    pub(crate) key: Patch<bool>,
    pub(crate) status: Patch<ContactStatus>,
}

/// A person's word on the score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScoreOverride {
    pub(crate) kind: OverrideKind,
    pub(crate) value: Percent,
    /// Absent where it was erased.
    pub(crate) reason: Option<Text>,
    pub(crate) by: Option<Text>,
    pub(crate) until: Moment,
}

/// Why a client left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChurnReason {
    /// Absent where it was erased.
    pub(crate) reason: Option<Text>,
    pub(crate) voluntary: bool,
}

/// What is known about a client itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) stated: Apart<StatedFields>,
    pub(crate) sentiment: Timeline<Sentiment>,
    pub(crate) more: Apart<MoreProfile>,
}

/// What `client.set` states.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatedFields {
    /// Every `client.set`, also one that states nothing we know.
    pub(crate) sets: Timeline<()>,
    pub(crate) name: Stated<Text>,
    pub(crate) owner: Stated<Text>,
    pub(crate) segment: Stated<Text>,
    pub(crate) tags: Stated<SetOf<Text>>,
    pub(crate) parent: Stated<ClientId>,
    pub(crate) attributes: Keyed<Text, Stated<Attribute>>,
}

/// What many clients have none of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MoreProfile {
    pub(crate) nps: Timeline<NpsAnswer>,
    pub(crate) contacted: Timeline<Contact>,
    pub(crate) milestones: Keyed<MilestoneName, Timeline<()>>,
    pub(crate) contacts: Keyed<ContactId, Timeline<ContactChange>>,
    pub(crate) overrides: Timeline<ScoreOverride>,
    pub(crate) churn_reasons: Timeline<ChurnReason>,
}

fn patch<T: Clone>(timeline: &mut Stated<T>, stamp: &Stamp, patch: &Patch<T>) {
    if let Some(value) = patch.stated() {
        timeline.insert(stamp.clone(), value.cloned());
    }
}

impl Profile {
    pub(crate) fn sentiment(&mut self, stamp: Stamp, data: &SentimentSet, personal: bool) {
        let by = data.by.clone().filter(|_| personal);
        let more = Apart::of(MoreSentiment { by, parts: data.parts.clone() });
        self.sentiment.insert(stamp, Sentiment { value: data.value, more });
    }

    pub(crate) fn nps(&mut self, stamp: Stamp, data: &NpsAnswered, personal: bool) {
        let user = data.user.clone().filter(|_| personal);
        self.more.make().nps.insert(stamp, NpsAnswer { score: data.score.value(), user });
    }

    pub(crate) fn contacted(&mut self, stamp: Stamp, data: &Contacted, personal: bool) {
        let user = data.user.clone().filter(|_| personal);
        self.more.make().contacted.insert(stamp, Contact { by: data.by, outcome: data.outcome, user });
    }

    pub(crate) fn contact(&mut self, stamp: Stamp, data: &ContactSet) {
        let change =
            ContactChange { role: data.role.clone(), key: data.key.clone(), status: data.status.clone() };
        self.more.make().contacts.entry(&data.contact).insert(stamp, change);
    }

    pub(crate) fn overridden(&mut self, stamp: Stamp, data: &OverrideSet, personal: bool) {
        let text = |text: &Text| personal.then(|| text.clone());
        let (reason, by) = (text(&data.reason), text(&data.by));
        self.more.make().overrides.insert(
            stamp,
            ScoreOverride { kind: data.kind, value: data.value, reason, by, until: data.until },
        );
    }

    pub(crate) fn churn_reason(&mut self, stamp: Stamp, data: &ChurnReasonSet, personal: bool) {
        let reason = personal.then(|| data.reason.clone());
        self.more.make().churn_reasons.insert(stamp, ChurnReason { reason, voluntary: data.voluntary });
    }

    /// The first contact event.
    pub(crate) fn first_contact(&self) -> Option<Instant> {
        let persons = self.more.contacts.values().filter_map(Timeline::first).map(Entry::at).min();
        [self.more.contacted.first().map(Entry::at), persons].into_iter().flatten().min()
    }

    pub(crate) fn first_event(&self) -> Option<Instant> {
        // The fields of the profile are stated by the `sets`.
        let firsts = [
            self.stated.sets.first().map(Entry::at),
            self.sentiment.first().map(Entry::at),
            self.more.nps.first().map(Entry::at),
            self.first_contact(),
            self.more.milestones.values().filter_map(Timeline::first).map(Entry::at).min(),
            self.more.overrides.first().map(Entry::at),
            self.more.churn_reasons.first().map(Entry::at),
        ];
        firsts.into_iter().flatten().min()
    }

    pub(crate) fn join(&mut self, other: Self) {
        let Self { stated, sentiment, more } = other;
        self.stated.join(stated, StatedFields::join);
        self.sentiment.join(sentiment);
        self.more.join(more, MoreProfile::join);
    }

    /// Keeps the entries that were not taken back.
    pub(crate) fn retain(&mut self, keep: &impl Fn(&Stamp, EventKind) -> bool) {
        let Self { stated, sentiment, more } = self;
        if let Some(stated) = stated.made() {
            stated.retain(|stamp| keep(stamp, EventKind::ClientSet));
        }
        sentiment.retain(|stamp| keep(stamp, EventKind::SentimentSet));
        if let Some(more) = more.made() {
            more.retain(keep);
        }
    }

    /// Drops what is personal; the same that the methods above leave out where `personal` is false.
    pub(crate) fn erase(&mut self) {
        if let Some(stated) = self.stated.made() {
            stated.erase();
        }
        for sentiment in self.sentiment.values_mut() {
            if let Some(more) = sentiment.more.made() {
                more.by = None;
            }
        }
        if let Some(more) = self.more.made() {
            more.erase();
        }
    }
}

impl StatedFields {
    pub(crate) fn set(&mut self, stamp: &Stamp, data: &Set, personal: bool) {
        self.sets.insert(stamp.clone(), ());
        if personal {
            patch(&mut self.name, stamp, &data.name);
        }
        patch(&mut self.owner, stamp, &data.owner);
        patch(&mut self.segment, stamp, &data.segment);
        patch(&mut self.tags, stamp, &data.tags);
        patch(&mut self.parent, stamp, &data.parent);
        for (key, value) in data.attributes.iter() {
            if let Some(value) = value.stated() {
                // Text goes, but that the key was stated anew stays, so that an earlier number does not come back.
                let value = value.filter(|value| personal || !is_text(value)).cloned();
                self.attributes.entry(key).insert(stamp.clone(), value);
            }
        }
    }

    fn join(&mut self, other: Self) {
        let Self { sets, name, owner, segment, tags, parent, attributes } = other;
        self.sets.join(sets);
        self.name.join(name);
        self.owner.join(owner);
        self.segment.join(segment);
        self.tags.join(tags);
        self.parent.join(parent);
        self.attributes.join(attributes, Timeline::join);
    }

    fn retain(&mut self, keep: impl Fn(&Stamp) -> bool) {
        let Self { sets, name, owner, segment, tags, parent, attributes } = self;
        sets.retain(&keep);
        name.retain(&keep);
        owner.retain(&keep);
        segment.retain(&keep);
        tags.retain(&keep);
        parent.retain(&keep);
        retain(attributes, &keep);
    }

    fn erase(&mut self) {
        self.name = Timeline::default();
        for value in self.attributes.values_mut().flat_map(Timeline::values_mut) {
            value.take_if(|value| is_text(value));
        }
    }
}

impl Empty for StatedFields {
    fn empty() -> &'static Self {
        static EMPTY: LazyLock<StatedFields> = LazyLock::new(StatedFields::default);
        &EMPTY
    }
}

impl MoreProfile {
    fn join(&mut self, other: Self) {
        let Self { nps, contacted, milestones, contacts, overrides, churn_reasons } = other;
        self.nps.join(nps);
        self.contacted.join(contacted);
        self.milestones.join(milestones, Timeline::join);
        self.contacts.join(contacts, Timeline::join);
        self.overrides.join(overrides);
        self.churn_reasons.join(churn_reasons);
    }

    fn retain(&mut self, keep: &impl Fn(&Stamp, EventKind) -> bool) {
        let Self { nps, contacted, milestones, contacts, overrides, churn_reasons } = self;
        nps.retain(|stamp| keep(stamp, EventKind::NpsAnswered));
        contacted.retain(|stamp| keep(stamp, EventKind::Contacted));
        retain(milestones, |stamp| keep(stamp, EventKind::MilestoneReached));
        retain(contacts, |stamp| keep(stamp, EventKind::ContactSet));
        overrides.retain(|stamp| keep(stamp, EventKind::OverrideSet));
        churn_reasons.retain(|stamp| keep(stamp, EventKind::ChurnReasonSet));
    }

    fn erase(&mut self) {
        self.contacts.clear();
        for answer in self.nps.values_mut() {
            answer.user = None;
        }
        for contact in self.contacted.values_mut() {
            contact.user = None;
        }
        for standing in self.overrides.values_mut() {
            standing.reason = None;
            standing.by = None;
        }
        for reason in self.churn_reasons.values_mut() {
            reason.reason = None;
        }
    }
}

impl Empty for MoreProfile {
    fn empty() -> &'static Self {
        static EMPTY: LazyLock<MoreProfile> = LazyLock::new(MoreProfile::default);
        &EMPTY
    }
}

fn is_text(attribute: &Attribute) -> bool {
    matches!(attribute, Attribute::Text(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erasure_takes_texts_and_leaves_numbers_and_flags() {
        let json =
            br#"{"id":"1","source":"s","type":"client.set","subject":"a","time":"2026-01-05T10:00:00Z",
            "data":{"name":"Acme","owner":"ann","attributes":{"note":"hi","seats":5,"vip":true}}}"#;
        let event = crate::event::Event::from_json(json).unwrap();
        let crate::event::EventData::ClientSet(data) = &event.data else { panic!("{event:?}") };
        let (stamp, mut before, mut behind) =
            (Stamp::of(&event.borrowed()), Profile::default(), Profile::default());
        before.stated.make().set(&stamp, data, true);
        before.erase();
        behind.stated.make().set(&stamp, data, false);
        assert_eq!(before, behind, "whether it came before the erasure or behind it");
        let value = |key: &str| {
            before.stated.attributes.get(key).and_then(|of| of.value_at(stamp.at()).cloned().flatten())
        };
        assert_eq!(value("note"), None);
        assert!(matches!(value("seats"), Some(Attribute::Number(_))), "{:?}", value("seats"));
        assert_eq!(value("vip"), Some(Attribute::Flag(true)));
        assert!(before.stated.name.is_empty() && !before.stated.owner.is_empty());
    }
}

//! Client events: who the client is, what people think and decide, and what is taken back.

use super::fields::{Field, payload, words, write_text};
use super::numbers::{Grade, Moment, Percent};
use super::values::{Attribute, Named, Patch, SetOf};
use super::wire::{Fault, Value};
use super::{EventCode, EventKind};
use crate::id::{ClientId, ContactId, EventId, MilestoneName, SourceId, Text, UserId};

words! {
    /// Who made contact.
    ContactedBy { /// We did.
        Us = "us", /// The client did.
        Client = "client" }
}

words! {
    /// What came of a contact.
    Outcome { /// We spoke.
        Reached = "reached", /// Nobody answered.
        NoAnswer = "no_answer", /// The address is wrong.
        Bounced = "bounced" }
}

words! {
    /// Whether a contact person can be reached.
    ContactStatus { /// Yes.
        Active = "active", /// No longer at the client.
        Left = "left", /// Does not answer.
        Unreachable = "unreachable" }
}

words! {
    /// What an override does to a score.
    OverrideKind { /// Replaces it.
        Score = "score", /// Is its upper end.
        Cap = "cap", /// Is its lower end.
        Floor = "floor" }
}

payload! {
    /// What is stated about a client from now on. A patch: absent leaves, null clears.
    Set = "client.set" {
        /// Its name.
        name: Patch<Text>,
        /// Who looks after it.
        owner: Patch<Text>,
        /// Its segment.
        segment: Patch<Text>,
        /// Its tags, as a whole.
        tags: Patch<SetOf<Text>>,
        /// The client it belongs to.
        parent: Patch<ClientId>,
        /// Anything else, key by key.
        attributes: Named<Patch<Attribute>>,
    }
}

payload! {
    /// Somebody judged how the client feels.
    SentimentSet = "client.sentiment_set" {
        /// From 0 (about to go) to 100.
        value: Percent,
        /// Who judged.
        by: Option<Text>,
        /// The judgement in parts.
        parts: Named<Percent>,
    }
}

payload! {
    /// An answer to the NPS question.
    NpsAnswered = "client.nps_answered" {
        /// From 0 to 10.
        score: Grade<0, 10>,
        /// Who answered.
        user: Option<UserId>,
    }
}

payload! {
    /// Somebody was contacted.
    Contacted = "client.contacted" {
        /// How: call, e-mail, visit.
        channel: Text,
        /// By whom.
        by: ContactedBy,
        /// With whom.
        user: Option<UserId>,
        /// What came of it.
        outcome: Option<Outcome>,
    }
}

payload! {
    /// The client reached a milestone; the first time counts.
    MilestoneReached = "client.milestone_reached" {
        /// Which one.
        milestone: MilestoneName,
    }
}

payload! {
    /// What is stated about a contact person. A patch, like `client.set`.
    ContactSet = "client.contact_set" {
        /// The person.
        contact: ContactId,
        /// What they do there.
        role: Patch<Text>,
        /// Whether they decide.
        key: Patch<bool>,
        /// Whether they can be reached.
        status: Patch<ContactStatus>,
    }
}

payload! {
    /// Somebody overrides the score until an instant; one with `until` in the past withdraws.
    OverrideSet = "client.override_set" {
        /// What it does.
        kind: OverrideKind,
        /// From 0 to 100.
        value: Percent,
        /// Why.
        reason: Text,
        /// Who.
        by: Text,
        /// Until when.
        until: Moment,
    }
}

payload! {
    /// Why a client left.
    ChurnReasonSet = "client.churn_reason_set" {
        /// The reason.
        reason: Text,
        /// Whether the client wanted to.
        voluntary: bool,
    }
}

payload! {
    /// This client was always part of another one.
    MergedInto = "client.merged_into" {
        /// The other one.
        into: ClientId,
    }
}

payload! {
    /// Everything personal about this client goes, from all its events, earlier and later.
    Erased = "client.erased" {}
}

payload! {
    /// Takes one earlier (or later arriving) billing or client event back, as if it had never been.
    Retracted = "event.retracted" {
        /// The source of the event taken back.
        source: SourceId,
        /// Its id.
        id: EventId,
        /// Its type.
        r#type: Retractable,
    }
}

/// The type of an event that can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Retractable(EventKind);

impl Retractable {
    /// The type.
    pub fn kind(self) -> EventKind {
        self.0
    }

    /// `None` for types that cannot be taken back: usage, support, erasure and retractions.
    pub fn new(kind: EventKind) -> Option<Self> {
        let name = kind.as_str();
        let of_family = name.starts_with("billing.") || name.starts_with("client.");
        let retractable = of_family && kind != EventKind::ClientErased;
        retractable.then_some(Self(kind))
    }
}

impl Field for Retractable {
    const EXPECTS: &'static str = "a billing or client event type other than `client.erased`; \
        for counted usage send a negative count, for a roll-up a new `usage.day_set`";
    fn schema() -> serde_json::Value {
        let kinds: Vec<&str> =
            EventKind::ALL.iter().filter_map(|kind| Self::new(*kind)).map(|kind| kind.0.as_str()).collect();
        serde_json::json!({ "enum": kinds })
    }
    fn read(value: Value<'_>) -> Result<Self, Fault> {
        let text = Text::read(value)?;
        let kind = EventKind::parse(text.as_str()).and_then(Self::new);
        kind.ok_or_else(|| Fault::new(EventCode::NotRetractable, Self::EXPECTS))
    }
    fn to_wire(&self) -> serde_json::Value {
        self.0.as_str().into()
    }
    fn write_wire(&self, out: &mut String) {
        write_text(out, self.0.as_str());
    }
}

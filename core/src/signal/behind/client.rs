//! What is behind a change of what people said and did.

use super::super::client::{
    Activation, Attribute, ContactValidity, DaysSinceContact, KeyContactLost, Milestone, MilestoneDays, Nps,
    Sentiment, reachable,
};
use super::{Behind, Between, HistoryRow, View};

impl Behind for Nps {
    /// An answer that its user replaced is told by the one that did.
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let counts = |view: &View<'_>| view.nps_entries(self.days.0).iter().any(|entry| row.is(&entry.stamp));
        row.kind == "client.nps_answered" && between.crosses(row, self.days.0) && between.differs(counts)
    }
}

impl Behind for Sentiment {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        if row.kind != "client.sentiment_set" {
            return false;
        }
        let said = between.to.state.profile.sentiment.entries().iter().find(|entry| row.is(&entry.stamp));
        let Some(said) = said.filter(|entry| self.stated(entry).is_some()) else { return false };
        let stands =
            |view: &View<'_>| self.latest(view).is_some_and(|(latest, _)| latest.stamp == said.stamp);
        let expired = |view: &View<'_>| self.expired(view, said);
        between.happened(row) || stands(&between.from) && stands(&between.to) && between.differs(expired)
    }
}

impl Behind for DaysSinceContact {
    /// The last contact alone says how long ago it is.
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        row.kind == "client.contacted"
            && between.happened(row)
            && self.last(&between.to).is_some_and(|last| row.is(&last.stamp))
    }
}

impl Behind for Milestone {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        between.reaches(row, &self.milestone)
    }
}

impl Behind for MilestoneDays {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        between.reaches(row, &self.milestone)
            || self.from.as_ref().is_some_and(|from| between.reaches(row, from))
    }
}

impl Behind for Activation {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        self.milestones.0.iter().any(|milestone| between.reaches(row, milestone))
    }
}

impl Behind for ContactValidity {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let known =
            row.about.as_deref().and_then(|contact| between.to.state.profile.more.contacts.get(contact));
        let Some(contact) = known.filter(|_| row.kind == "client.contact_set") else { return false };
        between.happened(row) && between.differs(|view| reachable(contact, view.at))
    }
}

impl Behind for KeyContactLost {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let known =
            row.about.as_deref().and_then(|contact| between.to.state.profile.more.contacts.get(contact));
        let Some(contact) = known.filter(|_| row.kind == "client.contact_set") else { return false };
        between.differs(|view| self.losses(view, contact).any(|entry| row.is(&entry.stamp)))
    }
}

impl Behind for Attribute {
    fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        between.states_attribute(row, &self.key)
    }
}

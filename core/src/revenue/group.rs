//! What a client is grouped by: its value at the period's opening, or at its first paying instant inside.

use super::Refusal;
use super::band::Bands;
use super::hierarchy::Hierarchy;
use super::movement::{Ground, Span};
use super::policy::GroupBy;
use super::run_rate::View;
use crate::book::Client;
use crate::event::Attribute;
use crate::id::{ClientId, Text};
use crate::quantity::Quantity;
use crate::recurring::Annual;
use crate::state::client::{Profile, Stated as Entries};
use crate::time::Instant;
use crate::timeline::Stamp;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The value a group stands for. Sorted as flags, numbers, texts by their bytes, and no value last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    /// What is true or false: whether the client is managed, or an attribute.
    Flag(bool),
    /// A numeric attribute.
    Number(Quantity),
    /// A text.
    Text(String),
    /// No value: null.
    None,
}

impl GroupKey {
    fn of_text(text: Option<&Text>) -> Self {
        text.map_or(Self::None, |text| Self::Text(text.as_str().to_owned()))
    }
}

impl Serialize for GroupKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) if number.micros() % 1_000_000 == 0 => {
                serializer.serialize_i64(number.micros() / 1_000_000)
            }
            Self::Number(number) => serializer.serialize_f64(number.to_f64()),
            Self::Text(text) => serializer.serialize_str(text),
            Self::None => serializer.serialize_none(),
        }
    }
}

/// What is stated about a client over time and can change inside a period: by these a client can be cut.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stated<'b> {
    Owner,
    Managed,
    Segment,
    Tags,
    Attribute(&'b str),
}

impl<'b> Stated<'b> {
    /// What a grouping reads, if it is of this kind.
    pub(crate) fn of(by: &'b GroupBy) -> Option<Self> {
        match by {
            GroupBy::Owner => Some(Self::Owner),
            GroupBy::Managed => Some(Self::Managed),
            GroupBy::Segment => Some(Self::Segment),
            GroupBy::Tag => Some(Self::Tags),
            GroupBy::Attribute(key) => Some(Self::Attribute(key)),
            GroupBy::Plan
            | GroupBy::Product
            | GroupBy::Currency
            | GroupBy::Parent
            | GroupBy::TopParent
            | GroupBy::Band
            | GroupBy::Cohort => None,
        }
    }

    /// The value at an instant.
    pub(crate) fn key(self, profile: &Profile, at: Instant) -> GroupKey {
        let text = |values: &Entries<Text>| GroupKey::of_text(values.value_at(at).and_then(Option::as_ref));
        match self {
            Self::Owner => text(&profile.stated.owner),
            Self::Managed => GroupKey::Flag(profile.stated.owner.value_at(at).is_some_and(Option::is_some)),
            Self::Segment => text(&profile.stated.segment),
            Self::Tags => {
                let tags = profile.stated.tags.value_at(at).and_then(Option::as_ref);
                let tags: Vec<&str> = tags.iter().flat_map(|t| t.as_slice()).map(Text::as_str).collect();
                if tags.is_empty() { GroupKey::None } else { GroupKey::Text(tags.join("+")) }
            }
            Self::Attribute(key) => {
                let value = profile.stated.attributes.get(key).and_then(|values| values.value_at(at));
                match value.and_then(Option::as_ref) {
                    Some(Attribute::Text(text)) => GroupKey::of_text(Some(text)),
                    Some(Attribute::Number(number)) => GroupKey::Number(*number),
                    Some(Attribute::Flag(flag)) => GroupKey::Flag(*flag),
                    None => GroupKey::None,
                }
            }
        }
    }

    /// What stated it, up to an instant, in order of time.
    pub(crate) fn stamps(self, profile: &Profile, until: Instant) -> Vec<&Stamp> {
        fn stamps<T>(values: &Entries<T>, until: Instant) -> Vec<&Stamp> {
            values.up_to(until).iter().map(|entry| &entry.stamp).collect()
        }
        match self {
            Self::Owner | Self::Managed => stamps(&profile.stated.owner, until),
            Self::Segment => stamps(&profile.stated.segment, until),
            Self::Tags => stamps(&profile.stated.tags, until),
            Self::Attribute(key) => {
                profile.stated.attributes.get(key).map_or_else(Vec::new, |values| stamps(values, until))
            }
        }
    }
}

/// Reads the groups of clients.
pub(crate) struct Grouping<'q> {
    pub(crate) by: &'q GroupBy,
    pub(crate) hierarchy: &'q Hierarchy,
    /// With `top_parent`: an instant at which many clients are looked at, and the roots of the hierarchy then.
    pub(crate) tops: Option<(Instant, BTreeMap<&'q ClientId, &'q ClientId>)>,
    /// With `band`: who says which.
    pub(crate) bands: Option<Bands<'q>>,
    pub(crate) ground: Ground<'q>,
}

impl Grouping<'_> {
    fn top<'t>(&'t self, client: &'t ClientId, at: Instant) -> Option<&'t ClientId> {
        let known = self.tops.as_ref().filter(|(known_at, _)| *known_at == at);
        let top = known.and_then(|(_, tops)| tops.get(client).copied());
        // Who has no parent is not among them.
        top.or_else(|| self.hierarchy.top(client, at))
    }

    /// The group of a client at an instant; `span` says at which rates amounts are compared.
    pub(crate) fn key(
        &self,
        client: &Client<'_>,
        view: &View<'_, '_>,
        at: Instant,
        span: &Span,
    ) -> Result<GroupKey, Refusal> {
        if let Some(stated) = Stated::of(self.by) {
            return Ok(stated.key(&client.state.profile, at));
        }
        let of_id = |id: Option<&ClientId>| id.map_or(GroupKey::None, |id| GroupKey::Text(id.to_string()));
        Ok(match self.by {
            GroupBy::Parent => of_id(self.hierarchy.parent(client.id, at)),
            GroupBy::TopParent => of_id(self.top(client.id, at)),
            GroupBy::Band => {
                self.bands.as_ref().map_or(GroupKey::None, |bands| GroupKey::Text(bands.of(client, at)))
            }
            GroupBy::Cohort => view.spells.first().map_or(GroupKey::None, |first| {
                GroupKey::Text(self.ground.zone.day(first.from).month().to_string())
            }),
            _ => self.greatest(view, at, span)?,
        })
    }

    /// The plan, product or currency with the greatest annual amount at an instant; of equal ones the least by bytes.
    fn greatest(&self, view: &View<'_, '_>, at: Instant, span: &Span) -> Result<GroupKey, Refusal> {
        let mut amounts: BTreeMap<GroupKey, Annual> = BTreeMap::new();
        for (_, here) in view.contracts.paying(view.currency, view.look(at)) {
            let value = match self.by {
                GroupBy::Plan => GroupKey::of_text(here.state().more.plan.as_ref()),
                GroupBy::Currency => {
                    here.currency.map_or(GroupKey::None, |currency| GroupKey::Text(currency.to_string()))
                }
                _ => GroupKey::of_text(here.state().more.product.as_ref()),
            };
            *amounts.entry(value).or_default() += self.ground.worth(here, span)?;
        }
        let greatest = amounts.values().max().copied();
        let key = amounts.into_iter().find(|(_, annual)| Some(*annual) == greatest).map(|(key, _)| key);
        Ok(key.unwrap_or(GroupKey::None))
    }
}

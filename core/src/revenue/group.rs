//! What a client is grouped by: its value at the period's opening, or at its first paying instant inside.

use super::Refusal;
use super::movement::{Ground, Moved, Span};
use super::policy::GroupBy;
use super::run_rate::View;
use crate::event::Attribute;
use crate::id::{ClientId, Text};
use crate::quantity::Quantity;
use crate::recurring::Annual;
use crate::state::ClientState;
use crate::time::Instant;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The value a group stands for. Sorted as flags, numbers, texts by their bytes, and no value last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKey {
    /// An attribute that is true or false.
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

/// Who is whose parent, and when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parents {
    /// By parent: from when, and until when if it ended.
    children: BTreeMap<ClientId, Vec<(Instant, Option<Instant>)>>,
}

impl Parents {
    /// Notes the parents a client has had; `resolve` gives the client that an id stands for.
    pub(crate) fn note(&mut self, state: &ClientState, resolve: &dyn Fn(&ClientId) -> ClientId) {
        let entries = state.profile.parent.entries();
        for (i, entry) in entries.iter().enumerate() {
            if let Some(parent) = &entry.value {
                let until = entries.get(i + 1).map(|next| next.at());
                self.children.entry(resolve(parent)).or_default().push((entry.at(), until));
            }
        }
    }

    fn is_parent(&self, client: &ClientId, at: Instant) -> bool {
        let names =
            |(from, until): &(Instant, Option<Instant>)| *from <= at && until.is_none_or(|end| at < end);
        self.children.get(client).is_some_and(|times| times.iter().any(names))
    }
}

/// Reads the groups of clients.
pub(crate) struct Grouping<'q> {
    pub(crate) by: &'q GroupBy,
    pub(crate) parents: &'q Parents,
    pub(crate) resolve: &'q dyn Fn(&ClientId) -> ClientId,
    pub(crate) ground: Ground<'q>,
}

impl Grouping<'_> {
    /// The group of a client that moved, or paid the same.
    pub(crate) fn key(
        &self,
        client: &ClientId,
        state: &ClientState,
        view: &View<'_, '_>,
        moved: &Moved,
        span: &Span,
    ) -> Result<GroupKey, Refusal> {
        let at = moved.grouped_at;
        let profile = &state.profile;
        Ok(match self.by {
            GroupBy::Owner => GroupKey::of_text(profile.owner.value_at(at).and_then(Option::as_ref)),
            GroupBy::Segment => GroupKey::of_text(profile.segment.value_at(at).and_then(Option::as_ref)),
            GroupBy::Tag => {
                let tags = profile.tags.value_at(at).and_then(Option::as_ref);
                let tags: Vec<&str> = tags.iter().flat_map(|t| t.as_slice()).map(Text::as_str).collect();
                if tags.is_empty() { GroupKey::None } else { GroupKey::Text(tags.join("+")) }
            }
            GroupBy::Attribute(key) => {
                let value = profile.attributes.get(key.as_str()).and_then(|values| values.value_at(at));
                match value.and_then(Option::as_ref) {
                    Some(Attribute::Text(text)) => GroupKey::of_text(Some(text)),
                    Some(Attribute::Number(number)) => GroupKey::Number(*number),
                    Some(Attribute::Flag(flag)) => GroupKey::Flag(*flag),
                    None => GroupKey::None,
                }
            }
            GroupBy::Parent => match profile.parent.value_at(at).and_then(Option::as_ref) {
                Some(parent) => GroupKey::Text((self.resolve)(parent).as_str().to_owned()),
                None if self.parents.is_parent(client, at) => GroupKey::Text(client.as_str().to_owned()),
                None => GroupKey::None,
            },
            GroupBy::Cohort => view.spells.first().map_or(GroupKey::None, |first| {
                GroupKey::Text(self.ground.zone.day(first.from).month().to_string())
            }),
            GroupBy::Plan | GroupBy::Product | GroupBy::Currency => self.greatest(view, at, span)?,
        })
    }

    /// The plan, product or currency with the greatest annual amount at an instant; of equal ones the least by bytes.
    fn greatest(&self, view: &View<'_, '_>, at: Instant, span: &Span) -> Result<GroupKey, Refusal> {
        let mut amounts: BTreeMap<GroupKey, Annual> = BTreeMap::new();
        for (_, here) in view.contracts.paying(view.currency, view.look(at)) {
            let value = match self.by {
                GroupBy::Plan => GroupKey::of_text(here.state().plan.as_ref()),
                GroupBy::Currency => {
                    here.currency.map_or(GroupKey::None, |currency| GroupKey::Text(currency.to_string()))
                }
                _ => GroupKey::of_text(here.state().product.as_ref()),
            };
            let annual = match (self.ground.rates, here.currency) {
                (Some(rates), Some(currency)) => {
                    let ends = span.rates_at;
                    rates.value_inside(here.annual, currency, ends, self.ground.zone)?
                }
                _ => here.annual,
            };
            *amounts.entry(value).or_default() += annual;
        }
        let greatest = amounts.values().max().copied();
        let key = amounts.into_iter().find(|(_, annual)| Some(*annual) == greatest).map(|(key, _)| key);
        Ok(key.unwrap_or(GroupKey::None))
    }
}

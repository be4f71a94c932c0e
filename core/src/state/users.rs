//! The users of one client.

use crate::active::UserNumber;
use crate::id::UserId;
use crate::index::Index;
use crate::rare::Rare;
use crate::same::same;
use crate::sorted::make_room;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The users of one client, numbered as they came. The numbers never leave the state: see [`UsageState::compacted`].
#[derive(Clone, Default)]
pub(crate) struct Users {
    names: Vec<UserId>,
    /// Where there are so many that looking through them takes longer.
    index: Rare<Index>,
}

/// How many users are looked through one by one.
const FEW_USERS: usize = 16;

impl Users {
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Their names, in the order of their numbers.
    pub(super) fn names(&self) -> &[UserId] {
        &self.names
    }

    pub(super) fn name(&self, number: UserNumber) -> Option<&UserId> {
        self.names.get(number.0 as usize)
    }

    pub(crate) fn find(&self, user: &str) -> Option<UserNumber> {
        let number = match &self.index {
            None => self
                .names
                .iter()
                .position(|name| same(name.as_str(), user))
                .and_then(|at| u32::try_from(at).ok()),
            Some(index) => index.find(user, |number| self.names.get(number as usize).map(UserId::as_str)),
        };
        number.map(UserNumber)
    }

    /// The number of a user, given if it has none. The door refuses users beyond [`MAX_USERS`].
    pub(super) fn number(&mut self, user: &str) -> UserNumber {
        if let Some(number) = self.find(user) {
            return number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        make_room(&mut self.names);
        self.names.push(UserId::new(user));
        let names = &self.names;
        if names.len() > FEW_USERS {
            let name_of = |number: u32| names.get(number as usize).map(UserId::as_str);
            let known = if self.index.is_none() { 0..=number } else { number..=number };
            let index = self.index.get_or_insert_default();
            known.for_each(|number| index.insert(number, name_of));
        }
        UserNumber(number)
    }
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.names.fmt(f)
    }
}

impl Serialize for Users {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.names.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Users {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<UserId>::deserialize(deserializer)?;
        if !names.is_sorted_by(|a, b| a < b) {
            return Err(serde::de::Error::custom("users are not in order"));
        }
        let mut users = Self::default();
        for name in &names {
            users.number(name.as_str());
        }
        Ok(users)
    }
}

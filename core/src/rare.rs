//! What few clients have, kept out of the way of what all have.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that is mostly its default, in the space of a pointer. It is saved as the value itself.
pub(crate) type Rare<T> = Option<Box<T>>;

pub(crate) fn serialize<T: Serialize + Default, S: Serializer>(
    value: &Rare<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => value.serialize(serializer),
        None => T::default().serialize(serializer),
    }
}

pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<Rare<T>, D::Error>
where
    T: Deserialize<'de> + Default + PartialEq,
    D: Deserializer<'de>,
{
    let value = T::deserialize(deserializer)?;
    Ok((value != T::default()).then(|| Box::new(value)))
}

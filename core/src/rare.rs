//! What few clients have, kept out of the way of what all have.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::Deref;

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

/// What can stand empty for all who have none of it.
pub(crate) trait Empty: Default + 'static {
    fn empty() -> &'static Self;
}

/// Families of things that many clients have none of, in the space of a pointer: read as the empty ones until something is
/// written. They are saved as themselves, so that where they stand shows nowhere but here.
#[derive(Clone, Debug)]
pub(crate) struct Apart<T>(Rare<T>);

impl<T> Default for Apart<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Empty> Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::empty())
    }
}

impl<T: Empty> Apart<T> {
    /// A value, in no place of its own if it is the empty one.
    pub(crate) fn of(value: T) -> Self
    where
        T: PartialEq,
    {
        Self((value != *T::empty()).then(|| Box::new(value)))
    }

    /// To write to, made if there is none.
    pub(crate) fn make(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }

    /// To change what there is.
    pub(crate) fn made(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// Takes in another; `join` says what becomes of what is on both sides.
    pub(crate) fn join(&mut self, other: Self, join: impl FnOnce(&mut T, T)) {
        match (&mut self.0, other.0) {
            (Some(ours), Some(theirs)) => join(ours, *theirs),
            (ours @ None, theirs) => *ours = theirs,
            (Some(_), None) => {}
        }
    }
}

impl<T: Empty + PartialEq> PartialEq for Apart<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Empty + Eq> Eq for Apart<T> {}

impl<T: Serialize + Default> Serialize for Apart<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl<'de, T: Deserialize<'de> + Default + PartialEq> Deserialize<'de> for Apart<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    impl Empty for Vec<u8> {
        fn empty() -> &'static Self {
            static EMPTY: LazyLock<Vec<u8>> = LazyLock::new(Vec::new);
            &EMPTY
        }
    }

    #[test]
    fn what_stands_apart_reads_and_is_saved_as_if_it_stood_here() {
        let none = Apart::<Vec<u8>>::default();
        let mut emptied = none.clone();
        emptied.make().push(7);
        assert_eq!((none.len(), emptied.as_slice()), (0, &[7][..]));
        assert_ne!(none, emptied);
        emptied.made().unwrap().clear();
        assert_eq!(none, emptied, "that something was there once does not show");
        // A length, and so many bytes.
        assert_eq!(postcard::to_stdvec(&none).unwrap(), [0]);
        assert_eq!(postcard::to_stdvec(&emptied).unwrap(), [0]);
        let read = |bytes: &[u8]| postcard::from_bytes::<Apart<Vec<u8>>>(bytes).unwrap();
        assert!(read(&[0]).made().is_none());
        assert_eq!(read(&[2, 5, 6]).as_slice(), [5, 6]);
    }

    #[test]
    fn what_stands_apart_on_both_sides_is_joined() {
        let of = |bytes: &[u8]| Apart((!bytes.is_empty()).then(|| Box::new(bytes.to_vec())));
        for (ours, theirs) in [(&b""[..], &b""[..]), (b"ab", b""), (b"", b"c"), (b"ab", b"c")] {
            let mut joined = of(ours);
            joined.join(of(theirs), |ours, theirs| ours.extend(theirs));
            assert_eq!(*joined, [ours, theirs].concat());
        }
    }
}

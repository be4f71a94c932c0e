//! What a signal says: a value, always finite, or the reason why there is none.

use serde::{Serialize, Serializer};

/// Why a signal has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// The client, the feed or the thing itself was never heard of.
    NeverSeen,
    /// No usage event of the book has carried a user.
    NoUsers,
    /// Too little to make a number of: nothing in the window, or a base below its minimum.
    TooLittle,
    /// The source has gone quiet, so that its silence says nothing about the client.
    SourceSilent,
    /// The newest value is too old.
    Expired,
    /// The answer needs detail from before the seal.
    Sealed,
    /// The client pays in several currencies and none was named.
    SeveralCurrencies,
    /// An amount cannot be valued.
    MissingRate,
    /// The newest judgement is not one of the steps that the model declares.
    OffScale,
}

impl Missing {
    /// The slug.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NeverSeen => "never_seen",
            Self::NoUsers => "no_users",
            Self::TooLittle => "too_little",
            Self::SourceSilent => "source_silent",
            Self::Expired => "expired",
            Self::Sealed => "sealed",
            Self::SeveralCurrencies => "several_currencies",
            Self::MissingRate => "missing_rate",
            Self::OffScale => "off_scale",
        }
    }
}

impl Serialize for Missing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The value of a signal, always finite, or why there is none. In JSON `{"reading": 3.0, "missing": null}`.
// Side by side and not one or the other, since two numbers are handed on in registers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// 0 where there is none.
    value: f64,
    missing: Option<Missing>,
}

impl Reading {
    /// The value.
    pub fn value(self) -> Option<f64> {
        self.result().ok()
    }

    /// Why there is none.
    pub fn missing(self) -> Option<Missing> {
        self.missing
    }

    /// The value, or why there is none.
    pub(crate) fn result(self) -> Result<f64, Missing> {
        self.missing.map_or(Ok(self.value), Err)
    }

    pub(crate) fn of(read: Result<f64, Missing>) -> Self {
        match read {
            // -0 is 0, and what left the finite numbers has nothing to say.
            Ok(value) if value.is_finite() => Self { value: value + 0.0, missing: None },
            Ok(_) => Self::none(Missing::TooLittle),
            Err(why) => Self::none(why),
        }
    }

    fn none(why: Missing) -> Self {
        Self { value: 0.0, missing: Some(why) }
    }
}

impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut both = serializer.serialize_struct("Reading", 2)?;
        both.serialize_field("reading", &self.value())?;
        both.serialize_field("missing", &self.missing())?;
        both.end()
    }
}

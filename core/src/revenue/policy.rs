//! The policies on which the field disagrees, one by one: each a closed choice with a name in JSON and a default.

use crate::event::wire::Value;
use crate::time::{Day, Instant, TimeError};
use crate::zone::Zone;
use serde::{Serialize, Serializer};

/// A setting that is not what it may be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` must be {expected}, found `{found}`")]
pub struct SettingError {
    /// The setting.
    pub setting: String,
    /// What is allowed.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// Whether it is to be an instant or a date.
    pub(crate) is_time: bool,
}

impl SettingError {
    pub(crate) fn new(setting: &str, expected: impl Into<String>, found: &str) -> Self {
        let found = found.chars().take(60).collect();
        Self { setting: setting.to_owned(), expected: expected.into(), found, is_time: false }
    }

    /// That a setting is no point in time.
    pub(crate) fn of_time(setting: &str, expected: &str, found: &str) -> Self {
        Self { is_time: true, ..Self::new(setting, expected, found) }
    }
}

/// An instant that a question is asked as of, or a day, which means its last microsecond in the engine's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// An instant.
    At(Instant),
    /// The end of a day.
    On(Day),
}

impl AsOf {
    pub(crate) const EXPECTS: &'static str = "an RFC 3339 time with an offset, or a date";

    /// The instant in a zone.
    pub fn instant(self, zone: &Zone) -> Instant {
        match self {
            Self::At(instant) => instant,
            Self::On(day) => zone.end_of(day),
        }
    }

    /// Where something that is stated so begins: a day at its first instant.
    pub(crate) fn beginning(self, zone: &Zone) -> Instant {
        match self {
            Self::At(instant) => instant,
            Self::On(day) => zone.start_of(day),
        }
    }
}

impl From<Instant> for AsOf {
    fn from(instant: Instant) -> Self {
        Self::At(instant)
    }
}

impl From<Day> for AsOf {
    fn from(day: Day) -> Self {
        Self::On(day)
    }
}

impl std::str::FromStr for AsOf {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        text.parse().map(Self::On).or_else(|_| text.parse().map(Self::At))
    }
}

impl Serialize for AsOf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::At(instant) => serializer.collect_str(instant),
            Self::On(day) => serializer.collect_str(day),
        }
    }
}

/// An enum whose members have names in JSON, with the list of them for errors.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            pub(super) fn read(setting: &str, raw: Value<'_>) -> Result<Self, SettingError> {
                let names = Self::ALL.iter().map(|choice| choice.as_str()).collect::<Vec<_>>().join(", ");
                let fault = || SettingError::new(setting, format!("one of {names}"), &raw.json());
                let text = raw.string("").map_err(|_| fault())?;
                Self::ALL.iter().copied().find(|choice| choice.as_str() == text).ok_or_else(fault)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

choice! {
    /// What becomes of a client all of whose subscriptions are paused.
    PausedAs {
        /// A class of its own: a loss while it lasts, but nobody left.
        #[default]
        Own = "own",
        /// It counts as churn.
        Churn = "churn",
        /// It keeps the run-rate of its last paying state.
        Keep = "keep",
    }
}

choice! {
    /// The clients that logo churn is a share of.
    LogoBase {
        /// Those that paid at opening.
        #[default]
        Opening = "opening",
        /// Also those that began inside; those that came and went count as churned, too.
        OpeningPlusNew = "opening_plus_new",
    }
}

choice! {
    /// Whose a movement is when a client goes from one group to another inside the period.
    Attribution {
        /// The group's at opening, or at the first paying instant.
        #[default]
        Opening = "opening",
        /// The group's that the client was in when it happened; with `group_by` owner, managed, segment, tag and
        /// attribute:KEY.
        Interval = "interval",
    }
}

choice! {
    /// What is counted as a movement.
    Grain {
        /// One net movement of a client in a period.
        #[default]
        Net = "net",
        /// Beside it every change inside, as gross flows.
        Change = "change",
    }
}

choice! {
    /// How intervals of money rates are made.
    IntervalMethod {
        /// From the linearised variance over clients.
        #[default]
        Linearised = "linearised",
        /// From drawing clients again and again, with a given seed.
        Bootstrap = "bootstrap",
    }
}

/// What the rows of a report stand for: the client's value at the period's opening, or at its first paying instant inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// Who looks after the client.
    Owner,
    /// Whether anybody does: true or false.
    Managed,
    /// The client's segment.
    Segment,
    /// The plan with the greatest annual amount.
    Plan,
    /// The product with the greatest annual amount.
    Product,
    /// The currency with the greatest annual amount.
    Currency,
    /// The set of the client's tags.
    Tag,
    /// The client's parent; a client that is somebody's parent and has none is in its own group.
    Parent,
    /// The root of the client's hierarchy: its parent's parent and so on. A cycle stands for its least id. As under
    /// `Parent` every client counts once, and a root with subscriptions of its own is in its own group.
    TopParent,
    /// The client's band by the question's `model`, or `unknown`.
    Band,
    /// The month of the first paying instant.
    Cohort,
    /// An attribute of the client.
    Attribute(String),
}

impl GroupBy {
    pub(super) const EXPECTED: &str = "one of owner, managed, segment, plan, product, currency, tag, parent, top_parent, band, cohort, or attribute:KEY";
}

impl std::str::FromStr for GroupBy {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        Ok(match text {
            "owner" => Self::Owner,
            "managed" => Self::Managed,
            "segment" => Self::Segment,
            "plan" => Self::Plan,
            "product" => Self::Product,
            "currency" => Self::Currency,
            "tag" => Self::Tag,
            "parent" => Self::Parent,
            "top_parent" => Self::TopParent,
            "band" => Self::Band,
            "cohort" => Self::Cohort,
            _ => match text.strip_prefix("attribute:").filter(|key| !key.is_empty()) {
                Some(key) => Self::Attribute(key.to_owned()),
                None => return Err(SettingError::new("group_by", Self::EXPECTED, text)),
            },
        })
    }
}

impl std::fmt::Display for GroupBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Owner => f.write_str("owner"),
            Self::Managed => f.write_str("managed"),
            Self::Segment => f.write_str("segment"),
            Self::Plan => f.write_str("plan"),
            Self::Product => f.write_str("product"),
            Self::Currency => f.write_str("currency"),
            Self::Tag => f.write_str("tag"),
            Self::Parent => f.write_str("parent"),
            Self::TopParent => f.write_str("top_parent"),
            Self::Band => f.write_str("band"),
            Self::Cohort => f.write_str("cohort"),
            Self::Attribute(key) => write!(f, "attribute:{key}"),
        }
    }
}

impl Serialize for GroupBy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

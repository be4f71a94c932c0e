//! Why clients left: the churn of a period by stated reason, and by what is to be done about it.

use super::group::GroupKey;
use super::movement::MovementKind;
use super::policy::SettingError;
use super::report::{MovementRow, Movements, ReportPeriod};
use super::settings::RevenueOptions;
use super::tags::Tag;
use crate::money::Currency;
use crate::rate::{share, share_of_heads};
use crate::recurring::{Annual, Recurring};
use crate::time::Instant;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Which stated reasons call for which action, such as `did_not_understand` for `train`. Nothing is built in.
///
/// ```
/// use healthfold::ReasonClasses;
/// let classes = ReasonClasses::from_json(r#"{"did_not_understand": "train", "promised_otherwise": "fix_sales"}"#)?;
/// assert_eq!(classes.of("did_not_understand"), Some("train"));
/// assert_eq!(classes.of("price"), None);
/// let error = ReasonClasses::from_json(r#"{"price": 7}"#).unwrap_err();
/// assert_eq!(error.to_string(), "`classes.price` must be the name of a class, not empty, found `7`");
/// # Ok::<(), healthfold::SettingError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ReasonClasses(BTreeMap<String, String>);

impl ReasonClasses {
    /// Reads an object of reasons and their classes.
    ///
    /// # Errors
    /// If it is no object, or a class is no text or empty; the error names its reason.
    pub fn from_json(text: &str) -> Result<Self, SettingError> {
        let members: BTreeMap<String, serde_json::Value> = serde_json::from_str(text)
            .map_err(|_| SettingError::new("classes", "an object with a class for each reason", text))?;
        let class = |(reason, class): (String, serde_json::Value)| match class {
            serde_json::Value::String(class) if !class.is_empty() => Ok((reason, class)),
            other => {
                let expected = "the name of a class, not empty";
                Err(SettingError::new(&format!("classes.{reason}"), expected, &other.to_string()))
            }
        };
        members.into_iter().map(class).collect::<Result<_, _>>().map(Self)
    }

    /// The class of a reason.
    pub fn of(&self, reason: &str) -> Option<&str> {
        self.0.get(reason).map(String::as_str)
    }
}

/// Whether a client wanted to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChurnKind {
    /// It did: the stated reason says so.
    Voluntary,
    /// It did not: the stated reason says so, or without one everything it paid was past due just before the end.
    Involuntary,
    /// Neither is known.
    Unstated,
}

impl ChurnKind {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Voluntary => "voluntary",
            Self::Involuntary => "involuntary",
            Self::Unstated => "unstated",
        }
    }

    fn of(row: &MovementRow) -> Self {
        if row.tags.contains(&Tag::Voluntary) {
            Self::Voluntary
        } else if row.tags.contains(&Tag::Involuntary) {
            Self::Involuntary
        } else {
            Self::Unstated
        }
    }
}

impl Serialize for ChurnKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Clients that left, and what they paid at opening.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Leavers {
    /// How many.
    pub heads: u64,
    /// What they paid.
    #[serde(flatten)]
    pub recurring: Recurring,
}

/// A sum on its way.
#[derive(Clone, Copy, Default)]
struct Sum {
    heads: u64,
    annual: Annual,
}

impl Sum {
    fn add(&mut self, annual: Annual) {
        self.heads += 1;
        self.annual += annual;
    }
}

/// The churn of one reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReasonRow {
    /// With `group_by`: the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<GroupKey>,
    /// The currency of the amounts.
    pub currency: Currency,
    /// What was stated; null where nothing was, and for erased clients.
    pub reason: Option<String>,
    /// What is to be done about it; null where the caller's table does not say.
    pub class: Option<String>,
    /// Whether the clients wanted to leave.
    pub kind: ChurnKind,
    /// Who left, and with how much.
    #[serde(flatten)]
    pub leavers: Leavers,
    /// The share of those who left, in heads of the group and currency.
    pub heads_share: Option<f64>,
    /// The share of what they paid.
    pub mrr_share: Option<f64>,
}

/// The churn that calls for one action.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassRow {
    /// With `group_by`: the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<GroupKey>,
    /// The currency of the amounts.
    pub currency: Currency,
    /// What is to be done; null where the caller's table does not say.
    pub class: Option<String>,
    /// Who left, and with how much.
    #[serde(flatten)]
    pub leavers: Leavers,
    /// The share of those who left, in heads of the group and currency.
    pub heads_share: Option<f64>,
    /// The share of what they paid.
    pub mrr_share: Option<f64>,
}

/// All churn of a group and currency: what the revenue report says, taken apart by will.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChurnTotal {
    /// All of it.
    #[serde(flatten)]
    pub leavers: Leavers,
    /// Who wanted to leave.
    pub voluntary: Leavers,
    /// Who did not, such as after a failed payment.
    pub involuntary: Leavers,
    /// Of whom neither is known.
    pub unstated: Leavers,
}

/// The total of one group and currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChurnTotalRow {
    /// With `group_by`: the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<GroupKey>,
    /// The currency of the amounts.
    pub currency: Currency,
    /// The figures.
    #[serde(flatten)]
    pub total: ChurnTotal,
}

/// Why clients left in a period. Every list adds up to the churn of the revenue report, in heads and in money.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChurnReasons {
    /// The period.
    pub period: ReportPeriod,
    /// The instant of the question.
    pub as_of: Instant,
    /// The settings of the question.
    pub settings: RevenueOptions,
    /// The caller's table of reasons and their classes.
    pub classes: ReasonClasses,
    /// For each group and currency in which somebody left.
    pub totals: Vec<ChurnTotalRow>,
    /// For each reason and will of them, in order of reasons, none last.
    pub rows: Vec<ReasonRow>,
    /// For each class of them, in order of classes, none last.
    pub by_class: Vec<ClassRow>,
}

/// Texts in order of their bytes, none last.
type Last = (bool, Option<String>);
/// What is added up by itself.
type Group = (Option<GroupKey>, Currency);

/// The churn among the movements of a period by reason and class.
pub(crate) fn churn_reasons(movements: Movements, classes: &ReasonClasses) -> ChurnReasons {
    let Movements { period, as_of, settings, rows, changes: _, transfers: _, rates: _ } = movements;
    let mut by_will: BTreeMap<Group, BTreeMap<ChurnKind, Sum>> = BTreeMap::new();
    let mut by_reason: BTreeMap<(Group, Last, ChurnKind), Sum> = BTreeMap::new();
    let mut by_class: BTreeMap<(Group, Last), Sum> = BTreeMap::new();
    let last = |text: Option<String>| (text.is_none(), text);
    let class = |reason: Option<&String>| reason.and_then(|reason| classes.of(reason)).map(str::to_owned);
    for row in rows.into_iter().filter(|row| row.kind == MovementKind::Churn) {
        let (kind, paid) = (ChurnKind::of(&row), row.amount.annual);
        let group = (row.key, row.currency);
        by_will.entry(group.clone()).or_default().entry(kind).or_default().add(paid);
        by_class.entry((group.clone(), last(class(row.reason.as_ref())))).or_default().add(paid);
        by_reason.entry((group, last(row.reason), kind)).or_default().add(paid);
    }
    let all = |kinds: &BTreeMap<ChurnKind, Sum>| Sum {
        heads: kinds.values().map(|sum| sum.heads).sum(),
        annual: kinds.values().map(|sum| sum.annual).sum(),
    };
    let leavers = |sum: Sum, currency: Currency| Leavers {
        heads: sum.heads,
        recurring: settings.line(sum.annual, currency),
    };
    let shares = |sum: Sum, group: &Group| {
        let all = by_will.get(group).map(all).unwrap_or_default();
        (share_of_heads(sum.heads, all.heads), share(sum.annual, all.annual))
    };
    let total = |((key, currency), kinds): (&Group, &BTreeMap<ChurnKind, Sum>)| {
        let of = |kind| leavers(kinds.get(&kind).copied().unwrap_or_default(), *currency);
        let total = ChurnTotal {
            leavers: leavers(all(kinds), *currency),
            voluntary: of(ChurnKind::Voluntary),
            involuntary: of(ChurnKind::Involuntary),
            unstated: of(ChurnKind::Unstated),
        };
        ChurnTotalRow { key: key.clone(), currency: *currency, total }
    };
    let reason_row = |((group, (_, reason), kind), sum): ((Group, Last, ChurnKind), Sum)| {
        let (heads_share, mrr_share) = shares(sum, &group);
        let ((key, currency), class) = (group, class(reason.as_ref()));
        ReasonRow {
            key,
            currency,
            reason,
            class,
            kind,
            leavers: leavers(sum, currency),
            heads_share,
            mrr_share,
        }
    };
    let class_row = |((group, (_, class)), sum): ((Group, Last), Sum)| {
        let (heads_share, mrr_share) = shares(sum, &group);
        let (key, currency) = group;
        ClassRow { key, currency, class, leavers: leavers(sum, currency), heads_share, mrr_share }
    };
    let totals = by_will.iter().map(total).collect();
    let rows = by_reason.into_iter().map(reason_row).collect();
    let by_class = by_class.into_iter().map(class_row).collect();
    ChurnReasons { period, as_of, settings, classes: classes.clone(), totals, rows, by_class }
}

//! What we measure: a signal is one number about a client at one instant, or the reason why there is none.
//!
//! Every kind of signal is one struct with its parameters and one function, in the file of its family. The one list of
//! kinds is at the end of this page.

pub(crate) mod behind;
pub(crate) mod billing;
pub(crate) mod client;
pub(crate) mod doc;
pub(crate) mod formula;
mod known;
pub(crate) mod metric;
pub(crate) mod named;
pub(crate) mod params;
pub(crate) mod quota;
mod reading;
pub(crate) mod stage;
pub(crate) mod statistics;
pub(crate) mod support;
pub(crate) mod usage;
pub(crate) mod view;

use crate::state::history::HistoryRow;
use behind::{Behind, Between};
use doc::Through;
pub(crate) use doc::signal;
pub use doc::{Direction, ParamDoc, SignalDoc};
pub(crate) use known::Known;
use named::Around;
use params::{Age, Faults, ModelError, Object};
pub use reading::{Missing, Reading};
use serde_json::Value;
pub(crate) use view::{MovedBack, Scope, SourceRule, Vantage, View};

/// What a kind of signal can do.
pub(crate) trait Measure {
    /// The value as of the view, for a client that was seen.
    fn read(&self, view: &View<'_>) -> Result<f64, Missing>;
}

/// Declares the one list of kinds.
macro_rules! signal_kinds {
    ($($variant:ident($type:ty)),+ $(,)?) => {
        /// A kind of signal with its parameters.
        #[derive(Clone, Debug, PartialEq)]
        enum Kind { $($variant($type)),+ }

        impl Kind {
            const NAMES: &'static [&'static str] = &[$(<$type>::KIND),+];

            fn from_object(
                kind: &str,
                object: &mut Object<'_>,
                around: Around<'_>,
                faults: &mut Faults,
            ) -> Option<Self> {
                match kind {
                    $(<$type>::KIND => <$type>::from_object(object, around, faults).map(Self::$variant),)+
                    _ => {
                        let known = Self::NAMES.join(", ");
                        faults.add(object.path("kind"), format!("must be one of {known}, found `{kind}`"));
                        None
                    }
                }
            }

            // Called for every signal of every client, in one place.
            #[inline(always)]
            fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
                match self { $(Self::$variant(signal) => signal.read(view)),+ }
            }

            fn as_behind(&self) -> &dyn Behind {
                match self { $(Self::$variant(signal) => signal),+ }
            }

            fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => <$type>::KIND),+ }
            }

            fn direction(&self) -> Direction {
                match self { $(Self::$variant(_) => <$type>::DIRECTION),+ }
            }

            fn doc(&self) -> SignalDoc {
                match self { $(Self::$variant(_) => <$type>::doc()),+ }
            }
        }

        /// What the reference says of every kind of signal.
        pub fn signal_docs() -> Vec<SignalDoc> {
            vec![$(<$type>::doc()),+]
        }
    };
}

signal_kinds! {
    UsageSum(usage::UsageSum),
    UsageTrend(usage::UsageTrend),
    Gauge(usage::Gauge),
    Ratio(usage::Ratio),
    ActiveUsers(usage::ActiveUsers),
    ActiveTrend(usage::ActiveTrend),
    Stickiness(usage::Stickiness),
    SeatUse(usage::SeatUse),
    Breadth(usage::Breadth),
    DaysSinceUsage(usage::DaysSinceUsage),
    ActiveDays(usage::ActiveDays),
    UsageVsOwn(usage::UsageVsOwn),
    UsageVsLastYear(usage::UsageVsLastYear),
    QuotaUse(quota::QuotaUse),
    ProjectedOverage(quota::ProjectedOverage),
    TicketsOpened(support::TicketsOpened),
    TicketsOpen(support::TicketsOpen),
    TicketSurge(support::TicketSurge),
    FirstResponseHours(support::FirstResponseHours),
    FirstResponseWithin(support::FirstResponseWithin),
    ResolutionHours(support::ResolutionHours),
    Csat(support::Csat),
    IncidentHours(support::IncidentHours),
    Mrr(billing::Mrr),
    MrrTrend(billing::MrrTrend),
    OverdueDays(billing::OverdueDays),
    FailedPayments(billing::FailedPayments),
    DaysToRenewal(billing::DaysToRenewal),
    TenureDays(billing::TenureDays),
    DaysToTrialEnd(billing::DaysToTrialEnd),
    BillShock(billing::BillShock),
    Nps(client::Nps),
    Sentiment(client::Sentiment),
    DaysSinceContact(client::DaysSinceContact),
    Milestone(client::Milestone),
    MilestoneDays(client::MilestoneDays),
    Activation(client::Activation),
    ContactValidity(client::ContactValidity),
    KeyContactLost(client::KeyContactLost),
    Attribute(client::Attribute),
    StageDays(stage::StageDays),
    Formula(formula::Formula),
}

/// What to measure: a kind of signal, its parameters, and how far back its window is moved.
///
/// ```
/// use healthfold::SignalSpec;
/// let wau = SignalSpec::from_json(r#"{"kind": "active_users", "days": 7}"#)?;
/// let faulty = SignalSpec::from_json(r#"{"kind": "usage_sum", "days": 0}"#).unwrap_err();
/// assert_eq!(faulty.issues.len(), 2, "the days and the missing metric, both at once");
/// # Ok::<(), healthfold::ModelError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SignalSpec {
    kind: Kind,
    offset: i32,
    /// Where the model states which way is better.
    direction: Option<Direction>,
}

impl SignalSpec {
    /// Reads a signal from JSON.
    ///
    /// # Errors
    /// Every fault at once, by path.
    pub fn from_json(json: &str) -> Result<Self, ModelError> {
        let value = crate::document::json(json)?;
        let mut faults = Faults::default();
        let spec = Self::from_value("", &value, Around::default(), &mut faults);
        faults.finish(spec)
    }

    pub(crate) fn from_value(
        path: &str,
        value: &Value,
        around: Around<'_>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let mut object = Object::at(path, value, faults)?;
        let before = faults.count();
        let kind: String = object.required("kind", faults)?;
        let offset: Option<Age> = object.optional("offset", faults);
        let through: Option<Through> = object.optional("through", faults);
        let direction: Option<Direction> = object.optional("direction", faults);
        let kind = Kind::from_object(&kind, &mut object, around, faults);
        if let Some(kind) = &kind {
            if (offset.is_some() || through.is_some()) && !kind.doc().windowed {
                let name = object.path(if offset.is_some() { "offset" } else { "through" });
                faults.add(name, format!("is for signals with a window, which {} has not", kind.doc().kind));
            }
            match kind {
                Kind::Stickiness(stickiness) => stickiness.check(&object, faults),
                Kind::StageDays(days) => days.check(&object, around, faults),
                _ => {}
            }
        }
        if offset.is_some() && through.is_some() {
            faults.add(object.path("through"), "says the same as `offset` 1, give one of them");
        }
        if kind.is_some() {
            object.finish(faults);
        }
        let offset = offset.map(|Age(days)| days).or(through.map(|Through::Yesterday| 1)).unwrap_or(0);
        let kind = kind.filter(|_| faults.count() == before)?;
        Some(Self { kind, offset, direction })
    }

    /// The name of the kind.
    pub fn kind(&self) -> &'static str {
        self.kind.name()
    }

    /// What the reference says of its kind.
    pub(crate) fn doc(&self) -> SignalDoc {
        self.kind.doc()
    }

    /// Which way is better, where that is stated; the kind says it where it is not.
    pub(crate) fn stated_direction(&self) -> Option<Direction> {
        self.direction
    }

    /// Which way is better.
    pub(crate) fn direction(&self) -> Direction {
        self.direction.unwrap_or(self.kind.direction())
    }

    /// How many days its window is moved back.
    pub(crate) fn offset(&self) -> i32 {
        self.offset
    }

    /// The signals of the model that a formula names, each once.
    pub(crate) fn named(&self) -> &[usize] {
        match &self.kind {
            Kind::Formula(formula) => &formula.named,
            _ => &[],
        }
    }

    /// The signals that stand inside a formula.
    fn inline(&self) -> &[Self] {
        match &self.kind {
            Kind::Formula(formula) => &formula.inline,
            _ => &[],
        }
    }

    /// Shows the metrics that it sums up, by itself or by signals inside.
    fn each_metric(&mut self, see: &mut dyn FnMut(&mut metric::Metric)) {
        match &mut self.kind {
            Kind::UsageSum(signal) => see(&mut signal.metric),
            Kind::UsageTrend(signal) => see(&mut signal.metric),
            Kind::Ratio(signal) => {
                see(&mut signal.numerator);
                see(&mut signal.denominator);
            }
            Kind::UsageVsOwn(signal) => see(&mut signal.metric),
            Kind::UsageVsLastYear(signal) => see(&mut signal.metric),
            Kind::QuotaUse(signal) => see(&mut signal.metric),
            Kind::ProjectedOverage(signal) => see(&mut signal.metric),
            Kind::Formula(formula) => formula.inline.iter_mut().for_each(|signal| signal.each_metric(see)),
            _ => {}
        }
    }

    /// Whether it reads the lifecycle stage, by itself or by a signal inside.
    pub(crate) fn reads_stage(&self) -> bool {
        matches!(self.kind, Kind::StageDays(_)) || self.inline().iter().any(Self::reads_stage)
    }

    /// The judgements of people that it reads, by itself or by signals inside.
    pub(crate) fn judgements(&self) -> Vec<&client::Sentiment> {
        match &self.kind {
            Kind::Sentiment(sentiment) => vec![sentiment],
            _ => self.inline().iter().flat_map(Self::judgements).collect(),
        }
    }

    /// Whether a row of a client's history can be behind a change of the reading. What a formula names is asked by itself.
    pub(crate) fn behind(&self, row: &HistoryRow, between: &Between<'_>) -> bool {
        let behind = self.kind.as_behind();
        if self.offset == 0 {
            behind.behind(row, between)
        } else {
            behind.behind(row, &between.moved_back(self.offset))
        }
    }

    pub(crate) fn read(&self, view: &View<'_>) -> Reading {
        if self.offset == 0 { self.read_at(view) } else { self.read_at(&view.moved_back(self.offset)) }
    }

    fn read_at(&self, view: &View<'_>) -> Reading {
        if !view.seen() {
            return Reading::of(Err(Missing::NeverSeen));
        }
        Reading::of(self.kind.read(view))
    }
}

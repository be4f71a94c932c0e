//! Event-sourced customer health: fold what a client's users, its support desk and its billing did, and ask for health
//! scores and revenue as of any instant, explained.
//!
//! An event walks forward through the modules, which are declared in reading order; a module uses only modules above it.
//!
//! 1. [`Event::from_json`] reads it; what is malformed stops there.
//! 2. [`Engine::apply`] asks the ledger whether it was seen, and folds it into the state of its client. State is a function
//!    of the *set* of events: order, repeats and splits do not matter.
//! 3. [`Engine::signal`] measures one client at one instant; [`Engine::score`] concludes by a [`Model`];
//!    the revenue report shows what the book does.
//!
//! ```
//! use healthfold::{Engine, Model, Settings};
//!
//! let mut engine = Engine::new(Settings::default())?;
//! let events = br#"{"id":"1","source":"app","type":"usage.counted","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"metric":"reports","user":"u-7"}}
//! {"id":"2","source":"desk","type":"client.sentiment_set","subject":"acme","time":"2026-01-05T12:00:00Z","data":{"value":80}}"#;
//! engine.apply_ndjson(&events[..], &Default::default())?;
//! let model = Model::builder("mood")
//!     .signal("sentiment", serde_json::json!({"kind": "sentiment"}))
//!     .group(healthfold::GroupBuilder::new("voice").part("sentiment", 1.0, serde_json::json!({"points": [[0, 0], [100, 100]]})))
//!     .band("red", 0.0)
//!     .band("green", 60.0)
//!     .build()?;
//! let health = engine.score(&"acme".into(), &model, engine.zone().as_of("2026-01-06")?)?;
//! assert_eq!((health.score, health.band.as_str()), (Some(80.0), "green"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

// words
mod id;
mod quantity;
mod money;
mod recurring;
mod calendar;
mod time;
mod zone;
mod period;
mod rate;
mod exchange;
mod chunks;
#[cfg(all(feature = "arrow", feature = "threads"))]
mod lanes;

// 1 what happened
pub mod event;
mod ndjson;
mod hashing;
mod identities;
mod ledger;

// 2 what we know about a client
mod sorted;
mod stamp;
mod rare;
mod timeline;
mod index;
mod same;
mod daily;
mod active;
mod keyed;
mod merges;
mod batch;
mod state;
mod settings;
mod facts;
mod changes;
mod subjects;
#[cfg(feature = "arrow")]
mod share;
mod book;

// 3 what we measure
mod document;
mod signal;

// 4 what we conclude about a client
mod score;

// 5 what the book shows
mod health;
mod revenue;
pub mod lifetime;

// 6 whether it was right
mod evidence;

// the front door
mod error;
mod snapshot;
#[cfg(feature = "arrow")]
pub mod table;
mod engine;

pub use engine::{
    Activation, Applied, Conflict, Engine, Every, ReadError, ReadOptions, Refreshed, Rejection, ScoresOf,
    Watch,
};
pub use error::{
    Error, MergeClash, MergeError, QueryError, SealError, SnapshotError, TableError, TableFault, TableIssue,
};
pub use event::{
    Attribute, Count, Event, EventCode, EventData, EventError, EventKind, FieldSpec, Grade, MAX_DEPTH,
    MAX_LINE, Moment, Named, Patch, Percent, Price, Restated, SetOf,
};
pub use evidence::{ComparedRate, Lift, LiftRange, NorthStar, Outcome, TrialComparison, TrialSplit};
pub use exchange::{ExchangeRate, Rate, RateUsed};
pub use health::HeadShare;
pub use health::bands::{BandRow, BookHealth};
pub use health::diff::{BandChange, BandMove, ModelDiff, ModelName, ScoredBy, ShiftBin};
pub use health::nps::{BookNps, ClientNps, NetPromoters, SegmentNps};
pub use health::rank::{RankOptions, RankOrder, RankRow, RankWithin};
pub use health::renewal::{Renewal, RenewalKind, Renewals};
pub use health::rollup::{Depth, Extreme, NoWeight, RollUp, RollUpOptions, WeightedMean};
pub use id::{
    ChargeId, ClientId, ContactId, EventId, EventRef, IncidentId, InvoiceId, MetricName, MilestoneName,
    PaymentPlanId, RefundId, SourceId, SubscriptionId, Text, TicketId, UserId,
};
pub use lifetime::{
    AliveMatrix, ClientLtv, ClientSpell, Estimate, FitReport, Lifetime, LifetimeGroup, LifetimeOptions,
    LifetimeRow, LogRank, LogRankGroup, LogRankWeights, Ltv, LtvGroup, LtvMethod, LtvModel, LtvOptions,
    LtvValue, ModelLtv, NewBuyer, NoLtv, Payments, RateDifference, RenewalInterval, RestrictedMean,
    RetentionPoint, RfmRow, RfmSummary, SimpleGroup, SimpleLtv, SimpleValue, Spells, SpellsOf,
    SurvivalBounds, SurvivalCurve, SurvivalPoint, SurvivalQuantile,
};
pub use money::{Amount, Currency, Interval, IntervalUnit};
pub use ndjson::{EventReader, Place};
pub use period::{Period, PeriodError};
pub use quantity::{NumberError, Quantity};
pub use rate::{HeadRate, MoneyRate, MoneyRatio, PerHead, rescaled};
pub use recurring::{Annual, Factor, Mrr, Recurring, YearFactors};
pub use revenue::{
    Ageing, AsOf, Attribution, Benchmark, BenchmarkRow, Benchmarks, Cash, CashLines, CashRow, ChangeRow,
    ChurnKind, ChurnReasons, ChurnTotal, ChurnTotalRow, ClassRow, Cohort, CohortCell, Cohorts, Divergence,
    Drawn, EndedTrials, Factors, Figure, Flow, FlowKind, Flows, Grain, GroupBy, GroupKey, GroupRow, Heads,
    IntervalMethod, Leavers, LogoBase, Margin, Measure, MovementKind, MovementRow, Movements, ObservedGroup,
    ObservedLtv, ObservedValue, PaidBy, PausedAs, Payment, PeriodUnit, ReasonClasses, ReasonRow, Recovery,
    ReportPeriod, RevenueMetric, RevenueOptions, RevenueReport, RevenueSeries, Rounding, Row, Scorecard,
    ScorecardReport, ScorecardRow, SettingError, StartedTrials, Tag, Target, TargetRow, Targets, TopClient,
    TopClients, TotalAmount, Trailing, TransferRow, Transferred, Trials, Unsettled,
};
pub use score::{
    Band, Cause, ChangePart, Column, Cost, CostOf, DataFault, Effect, Finding, GroupBuilder, GroupColumn,
    HealthScore, LintCode, Model, ModelBuilder, Name, Origin, OverrideEffect, PartColumns, PartName,
    PartScore, Parts, ScoreChange, ScoreTable, Severity, StepColumns, StepKind, model_schema,
};
pub use settings::{Dedupe, Settings};
pub use signal::params::{Issue, ModelError};
pub use signal::{Direction, Missing, ParamDoc, Reading, SignalDoc, SignalSpec, signal_docs};
pub use state::anomaly::Anomaly;
pub use state::history::HistoryRow;
pub use state::limits::Limits;
pub use time::{Day, Instant, Month, TimeError};
pub use zone::Zone;

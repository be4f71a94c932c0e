//! What the book shows: recurring revenue, who moved it, and what stayed.
//!
//! A question is answered in one pass over the clients, however many periods it has: a client's contracts become a line of
//! exact annual amounts once, and every period reads its opening and its closing from it. Nothing here adds in binary
//! floating point; ratios are made in `rate`.
//!
//! | file | what it knows |
//! |---|---|
//! | `policy`, `settings` | what the field disagrees on, and how a question says it |
//! | `run_rate` | what a client pays over time |
//! | `movement` | the one net movement of a client over a period, and the events behind it |
//! | `tags` | why it moved |
//! | `flows` | every change inside a period, gross |
//! | `attribution` | whose a movement is when clients go from group to group |
//! | `hierarchy`, `band` | whose child a client is, and how it fares |
//! | `group` | what clients are grouped by |
//! | `divergence` | whether heads or money leave faster |
//! | `retention` | sums over clients, and their rates |
//! | `reasons` | why clients left, and what is to be done about it |
//! | `items` | lists of objects that come with a question |
//! | `metric` | the figures of a row by their names |
//! | `target` | what was aimed at, beside what came of it |
//! | `benchmark` | what others reach, with its source |
//! | `scorecard` | what one team is measured by, and nothing else |
//! | `cash` | invoices, payments and refunds, beside run-rate |
//! | `top` | the clients with the greatest MRR |
//! | `value` | observed lifetime value: what was really paid |
//! | `cohort` | clients by the month they began to pay, month by month |
//! | `trial` | trials, and which became paying |
//! | `pass` | the sums of some periods, of all clients |
//! | `live` | the sums of one period while clients change |
//! | `listing` | the movements, changes and transfers behind a report, client by client |
//! | `series` | calendar periods one after another |
//! | `report` | the shapes of the answers |

#![deny(clippy::float_arithmetic)]

mod attribution;
mod band;
mod benchmark;
mod cash;
mod cohort;
mod divergence;
mod flows;
mod group;
mod hierarchy;
mod items;
mod listing;
mod live;
mod metric;
mod movement;
mod pass;
mod policy;
mod reasons;
mod report;
mod retention;
mod run_rate;
mod scorecard;
mod series;
mod settings;
mod tags;
mod target;
mod top;
mod trial;
mod value;

pub use benchmark::{Benchmark, BenchmarkRow, Benchmarks};
pub use cash::{Ageing, Cash, CashLines, CashRow, Recovery};
pub use cohort::{Cohort, CohortCell, Cohorts};
pub use divergence::Divergence;
pub use flows::{Flow, FlowKind, Flows};
pub use group::GroupKey;
pub use metric::{Figure, RevenueMetric};
pub use movement::MovementKind;
pub use policy::{AsOf, Attribution, Grain, GroupBy, IntervalMethod, LogoBase, PausedAs, SettingError};
pub use reasons::{
    ChurnKind, ChurnReasons, ChurnTotal, ChurnTotalRow, ClassRow, Leavers, ReasonClasses, ReasonRow,
};
pub use report::{
    ChangeRow, GroupRow, Heads, MovementRow, Movements, ReportPeriod, RevenueReport, RevenueSeries, Rounding,
    Row, Trailing, TransferRow, Transferred, Unsettled,
};
pub use scorecard::{Drawn, Measure, Scorecard, ScorecardReport, ScorecardRow};
pub use series::PeriodUnit;
pub use settings::{Factors, RevenueOptions};
pub use tags::Tag;
pub use target::{Target, TargetRow, Targets};
pub use top::{TopClient, TopClients};
pub use trial::{EndedTrials, StartedTrials, Trials};
pub use value::{Margin, ObservedGroup, ObservedLtv, ObservedValue, PaidBy, Payment, TotalAmount};

pub(crate) use benchmark::benchmarks;
pub(crate) use cash::cash;
pub(crate) use cohort::cohorts;
pub(crate) use group::Stated;
pub(crate) use listing::movements;
pub(crate) use live::{Asking, LiveRevenue, Part};
pub(crate) use movement::{Span, paid_at, standing_at};
pub(crate) use pass::reports;
pub(crate) use reasons::churn_reasons;
pub(crate) use run_rate::View;
pub(crate) use scorecard::scorecard;
pub(crate) use series::split;
pub(crate) use target::targets;
pub(crate) use top::top;
pub(crate) use trial::{each_trial, trials};
pub(crate) use value::observed;

use crate::book::{Book, Client, NoClient};
use crate::chunks::in_chunks;
use crate::exchange::{NoValue, Rates};
use crate::id::ClientId;
use crate::money::Currency;
use crate::recurring::Annual;
use crate::score::Model;
use crate::state::ClientState;
use crate::state::run_rate::RunRateRules;
use crate::time::{Day, Instant};
use crate::zone::Zone;
use band::Bands;
use group::Grouping;
use hierarchy::Hierarchy;
use movement::Ground;
use run_rate::{Contracts, Line, PayingRules, Spell};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Why a question about money has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A setting is not what it may be.
    Setting(SettingError),
    /// An amount cannot be valued.
    MissingRate { currency: Currency, date: Day },
    /// A client that is asked about was erased.
    Erased { client: ClientId },
}

impl From<NoValue> for Refusal {
    fn from(fault: NoValue) -> Self {
        match fault {
            NoValue::MissingRate { currency, date } => Self::MissingRate { currency, date },
            NoValue::TooMuch(found) => {
                let expected = "rates under which a client pays at most 10^18 a year";
                Self::Setting(SettingError::new("rates", expected, &found))
            }
        }
    }
}

/// A question about the money of a book.
pub(crate) struct Question<'q> {
    pub(crate) book: &'q Book,
    pub(crate) key: &'q [u8; 32],
    pub(crate) zone: &'q Zone,
    pub(crate) sealed: Option<Day>,
    pub(crate) options: &'q RevenueOptions,
    pub(crate) as_of: Instant,
}

/// What all clients of a question share.
pub(crate) struct Shared {
    rules: PayingRules,
    rates: Option<Rates>,
    hierarchy: Hierarchy,
    /// The clients of the question; `None` for all of the book.
    only: Option<BTreeSet<ClientId>>,
}

impl Shared {
    fn is_about(&self, client: &ClientId) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(client))
    }
}

/// Room to work out what one client after the other pays.
#[derive(Default)]
struct Room {
    lines: Vec<Line>,
    spells: Vec<Spell>,
}

impl Question<'_> {
    pub(crate) fn shared(&self) -> Result<Shared, Refusal> {
        let options = self.options;
        options.check().map_err(Refusal::Setting)?;
        let run_rate =
            RunRateRules { factors: options.factors.0, past_due_limit_days: options.past_due_limit_days };
        let rules = PayingRules {
            run_rate,
            paused: options.paused,
            only_currency: options.only_currency,
            grace_days: options.renewal_grace_days,
            as_of: self.as_of,
        };
        let rates = options.currency.map(|currency| Rates::new(currency, &options.rates, self.zone));
        let mut hierarchy = Hierarchy::default();
        if matches!(options.group_by, Some(GroupBy::Parent | GroupBy::TopParent)) {
            for client in self.book.all() {
                hierarchy.note(client.id, &client.state, &|id| self.resolve(id));
            }
        }
        Ok(Shared { rules, rates, hierarchy, only: self.only()? })
    }

    /// The clients that `only_clients` stands for.
    fn only(&self) -> Result<Option<BTreeSet<ClientId>>, Refusal> {
        let Some(ids) = &self.options.only_clients else { return Ok(None) };
        let known = |id: &ClientId| match self.book.client(id, self.key) {
            Err(NoClient::Unknown) => {
                let expected = "ids of clients that are known";
                Err(Refusal::Setting(SettingError::new("only_clients", expected, id.as_str())))
            }
            Err(NoClient::Merged { .. } | NoClient::Erased) | Ok(_) => {
                let known = self.resolve(id);
                // Its money is told under its anonymous id only: nobody is to learn which that is.
                if known != *id && self.book.is_erased(&known) {
                    return Err(Refusal::Erased { client: id.clone() });
                }
                Ok(known)
            }
        };
        ids.iter().map(known).collect::<Result<_, _>>().map(Some)
    }

    /// The clients of the question, in order of their ids.
    pub(crate) fn clients<'c>(&'c self, shared: &'c Shared) -> impl Iterator<Item = Client<'c>> {
        self.book.all().filter(|client| shared.is_about(client.id))
    }

    /// The client that an id stands for.
    fn resolve(&self, id: &ClientId) -> ClientId {
        self.book.resolve(id, self.key)
    }

    /// What an amount of an instant is worth: in the reporting currency at its rate then, or as it is.
    pub(crate) fn valued(
        &self,
        shared: &Shared,
        amount: Annual,
        currency: Currency,
        at: Instant,
    ) -> Result<(Currency, Annual), Refusal> {
        Ok(match &shared.rates {
            Some(rates) => (rates.reporting(), rates.value(amount, currency, at, self.zone)?),
            None => (currency, amount),
        })
    }

    pub(crate) fn ground<'g>(&'g self, shared: &'g Shared) -> Ground<'g> {
        Ground {
            zone: self.zone,
            rules: &shared.rules,
            reactivation_within_days: self.options.reactivation_within_days,
            rates: shared.rates.as_ref(),
        }
    }

    /// What clients are grouped by in a period; `None` where they are not, or each at its own instants.
    pub(crate) fn grouping<'g>(&'g self, shared: &'g Shared, opening: Instant) -> Option<Grouping<'g>> {
        let options = self.options;
        let by = options.group_by.as_ref().filter(|_| options.attribution == Attribution::Opening)?;
        let bands = |model: &'g Arc<Model>| Bands::new(model, self.book, self.zone, self.sealed, opening);
        Some(Grouping {
            by,
            hierarchy: &shared.hierarchy,
            tops: (*by == GroupBy::TopParent).then(|| (opening, shared.hierarchy.tops(opening))),
            bands: options.model.as_ref().map(bands),
            ground: self.ground(shared),
        })
    }

    /// What clients are cut by, where a movement belongs to the group that had the client when it happened.
    fn cut(&self) -> Option<Stated<'_>> {
        let by_interval = self.options.attribution == Attribution::Interval;
        self.options.group_by.as_ref().filter(|_| by_interval).and_then(Stated::of)
    }

    /// What is gathered of every client that ever pays: `see` is shown them in order of ids, with what each pays by currency
    /// (or converted) and over all, and `join` puts what comes after behind what came before.
    pub(crate) fn gather<A: Send>(
        &self,
        shared: &Shared,
        nothing: impl Fn() -> A + Sync,
        see: impl Fn(&mut A, &Client<'_>, &[(Currency, View<'_, '_>)], &View<'_, '_>) -> Result<(), Refusal>
        + Sync,
        join: impl Fn(&mut A, A),
    ) -> Result<A, Refusal> {
        let chunks = in_chunks(self.book.places(), |places| {
            let (mut gathered, mut room) = (nothing(), Room::default());
            for client in self.book.within(places, ClientState::warm_contracts) {
                if shared.is_about(client.id) {
                    self.show(shared, &client, &mut room, |views, whole| {
                        see(&mut gathered, &client, views, whole)
                    })?;
                }
            }
            Ok::<A, Refusal>(gathered)
        });
        let mut chunks = chunks.into_iter();
        let mut gathered = chunks.next().unwrap_or_else(|| Ok(nothing()))?;
        for chunk in chunks {
            join(&mut gathered, chunk?);
        }
        Ok(gathered)
    }

    /// Shows what a client pays, if it ever does.
    fn show(
        &self,
        shared: &Shared,
        client: &Client<'_>,
        room: &mut Room,
        see: impl FnOnce(&[(Currency, View<'_, '_>)], &View<'_, '_>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let contracts = Contracts::of(&client.state.billing, &shared.rules, self.zone);
        room.lines = contracts.lines(std::mem::take(&mut room.lines));
        let (lines, ground) = (room.lines.as_slice(), (&shared.rules, self.zone));
        if lines.is_empty() {
            return Ok(());
        }
        let of_one = match (&shared.rates, lines) {
            (Some(rates), _) => Some((rates.reporting(), None)),
            (None, [line]) => Some((line.currency, Some(line.currency))),
            (None, _) => None,
        };
        if let Some((currency, only)) = of_one {
            // One view is all there is to see; of several the whole is apart.
            let spells = std::mem::take(&mut room.spells);
            let views = [(currency, View::new(&contracts, only, lines, ground, spells))];
            let [(_, whole)] = &views;
            see(&views, whole)?;
            let [(_, whole)] = views;
            room.spells = whole.into_room();
            return Ok(());
        }
        let view = |currency, lines| View::new(&contracts, currency, lines, ground, Vec::new());
        let each = lines.iter().map(std::slice::from_ref).zip(lines);
        let each = each.map(|(lines, line)| (line.currency, view(Some(line.currency), lines)));
        see(&each.collect::<Vec<_>>(), &view(None, lines))
    }

    pub(crate) fn period(&self, span: &Span) -> ReportPeriod {
        ReportPeriod { start: span.period.start, end: span.period.end, partial: span.is_partial() }
    }

    /// The settings with the instant they were resolved to.
    pub(crate) fn settings(&self) -> RevenueOptions {
        let drawn = self.options.interval == IntervalMethod::Bootstrap;
        let resamples = self.options.resamples.or(drawn.then_some(retention::RESAMPLES));
        RevenueOptions { as_of: Some(AsOf::At(self.as_of)), resamples, ..self.options.clone() }
    }
}

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
//! | `value` | simple and observed lifetime value |
//! | `cohort` | clients by the month they began to pay, month by month |
//! | `trial` | trials, and which became paying |
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
mod metric;
mod movement;
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
pub use value::{Margin, ObservedLtv, ObservedValue, SimpleLtv, SimpleValue, TotalAmount};

pub(crate) use benchmark::benchmarks;
pub(crate) use cash::cash;
pub(crate) use cohort::cohorts;
pub(crate) use listing::movements;
pub(crate) use reasons::churn_reasons;
pub(crate) use scorecard::scorecard;
pub(crate) use series::split;
pub(crate) use target::targets;
pub(crate) use top::top;
pub(crate) use trial::trials;
pub(crate) use value::{observed, simple};

use crate::book::{Book, Client, NoClient};
use crate::chunks::in_chunks;
use crate::exchange::{NoValue, Rates};
use crate::id::ClientId;
use crate::money::Currency;
use crate::period::Period;
use crate::recurring::{Annual, Recurring};
use crate::score::Model;
use crate::state::run_rate::RunRateRules;
use crate::time::{Day, Instant};
use crate::zone::Zone;
use attribution::pieces;
use band::Bands;
use group::{Grouping, Stated};
use hierarchy::Hierarchy;
use movement::{Did, Ground, Span, Walk};
use retention::Sums;
use run_rate::{Contracts, PayingRules, View};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Why a question about money has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A setting is not what it may be.
    Setting(SettingError),
    /// An amount cannot be valued.
    MissingRate { currency: Currency, date: Day },
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
struct Shared {
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

impl Question<'_> {
    fn shared(&self) -> Result<Shared, Refusal> {
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
            Err(NoClient::Merged { .. } | NoClient::Erased) | Ok(_) => Ok(self.resolve(id)),
        };
        ids.iter().map(known).collect::<Result<_, _>>().map(Some)
    }

    /// The clients of the question, in order of their ids.
    fn clients<'c>(&'c self, shared: &'c Shared) -> impl Iterator<Item = Client<'c>> {
        self.book.all().filter(|client| shared.is_about(client.id))
    }

    /// The client that an id stands for.
    fn resolve(&self, id: &ClientId) -> ClientId {
        self.book.resolve(id, self.key)
    }

    fn ground<'g>(&'g self, shared: &'g Shared) -> Ground<'g> {
        Ground {
            zone: self.zone,
            rules: &shared.rules,
            reactivation_within_days: self.options.reactivation_within_days,
            rates: shared.rates.as_ref(),
        }
    }

    /// What clients are grouped by in a period; `None` where they are not, or each at its own instants.
    fn grouping<'g>(&'g self, shared: &'g Shared, opening: Instant) -> Option<Grouping<'g>> {
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
    fn gather<A: Send>(
        &self,
        shared: &Shared,
        nothing: impl Fn() -> A + Sync,
        see: impl Fn(&mut A, &Client<'_>, &[(Currency, View<'_, '_>)], &View<'_, '_>) -> Result<(), Refusal>
        + Sync,
        join: impl Fn(&mut A, A),
    ) -> Result<A, Refusal> {
        let chunks = in_chunks(self.book.places(), |places| {
            let mut gathered = nothing();
            for client in self.book.within(places) {
                if shared.is_about(client.id) {
                    self.show(shared, &client, |views, whole| see(&mut gathered, &client, views, whole))?;
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
        see: impl FnOnce(&[(Currency, View<'_, '_>)], &View<'_, '_>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let contracts = Contracts::of(&client.state.billing, &shared.rules, self.zone);
        let lines = contracts.lines();
        if lines.is_empty() {
            return Ok(());
        }
        let view = |currency, lines| View::new(&contracts, currency, lines, &shared.rules, self.zone);
        let one = match (&shared.rates, lines.as_slice()) {
            (Some(rates), _) => Some((rates.reporting(), view(None, &lines))),
            (None, [line]) => Some((line.currency, view(Some(line.currency), &lines))),
            (None, _) => None,
        };
        match one {
            // One view is all there is to see; of several the whole is apart.
            Some(one) => {
                let views = [one];
                let [(_, whole)] = &views;
                see(&views, whole)
            }
            None => {
                let each = lines.iter().map(std::slice::from_ref).zip(&lines);
                let each = each.map(|(lines, line)| (line.currency, view(Some(line.currency), lines)));
                see(&each.collect::<Vec<_>>(), &view(None, &lines))
            }
        }
    }

    fn period(&self, span: &Span) -> ReportPeriod {
        ReportPeriod { start: span.period.start, end: span.period.end, partial: span.is_partial() }
    }

    /// The settings with the instant they were resolved to.
    fn settings(&self) -> RevenueOptions {
        let drawn = self.options.interval == IntervalMethod::Bootstrap;
        let resamples = self.options.resamples.or(drawn.then_some(retention::RESAMPLES));
        RevenueOptions { as_of: Some(AsOf::At(self.as_of)), resamples, ..self.options.clone() }
    }
}

/// A period that a pass is about.
struct Asked<'q> {
    span: Span,
    grouping: Option<Grouping<'q>>,
}

/// What a pass gathers for one period.
#[derive(Default)]
struct Gathered {
    heads: Heads,
    by_currency: BTreeMap<Currency, Sums>,
    groups: BTreeMap<(GroupKey, Currency), Sums>,
    unsettled_heads: u64,
    unsettled: BTreeMap<Currency, Annual>,
}

/// The reports of some periods, with those of the trailing months, in one pass over the clients.
pub(crate) fn reports(question: &Question<'_>, periods: &[Period]) -> Result<Vec<RevenueReport>, Refusal> {
    let trailing = |period: &Period| {
        let months = question.options.trailing.iter().copied();
        let spans = months.map(|months| (months, series::last_months(period.end, months, question.zone)));
        spans.filter(|(_, period)| period.start <= question.as_of).collect::<Vec<_>>()
    };
    let behind: Vec<Vec<(u32, Period)>> = periods.iter().map(trailing).collect();
    let all: Vec<Period> =
        periods.iter().copied().chain(behind.iter().flatten().map(|(_, period)| *period)).collect();
    let mut answers = pass(question, &all)?.into_iter();
    let mut reports: Vec<RevenueReport> = answers.by_ref().take(periods.len()).collect();
    if !question.options.trailing.is_empty() {
        for (report, behind) in reports.iter_mut().zip(&behind) {
            let rows = behind.iter().zip(answers.by_ref()).map(|((months, _), answer)| Trailing {
                months: *months,
                period: answer.period,
                currency: answer.currency,
                total: answer.total,
                by_currency: answer.by_currency,
            });
            report.trailing = Some(rows.collect());
        }
    }
    Ok(reports)
}

fn pass(question: &Question<'_>, periods: &[Period]) -> Result<Vec<RevenueReport>, Refusal> {
    let shared = question.shared()?;
    let ground = question.ground(&shared);
    let by_all_heads = Ground { rates: None, ..ground };
    let cut = question.cut();
    let gross = |view: &View<'_, '_>, span: &Span| match question.options.grain {
        Grain::Change => flows::flows(view, span, &ground).map(Some),
        Grain::Net => Ok(None),
    };
    let asked = |period: &Period| {
        let span = Span::new(*period, question.as_of);
        Asked { span, grouping: question.grouping(&shared, span.opening) }
    };
    let asked: Vec<Asked<'_>> = periods.iter().map(asked).collect();
    let nothing = || periods.iter().map(|_| Gathered::default()).collect::<Vec<_>>();
    let see = |gathered: &mut Vec<Gathered>,
               client: &Client<'_>,
               views: &[(Currency, View<'_, '_>)],
               whole: &View<'_, '_>| {
        for (currency, view) in views {
            let mut walk = Walk::new(view, ground);
            for (period, Asked { span, grouping }) in gathered.iter_mut().zip(&asked) {
                if let Some(stated) = cut {
                    for piece in pieces(view, &client.state.profile, stated, span, &ground)? {
                        let group = period.groups.entry((piece.key.clone(), *currency)).or_default();
                        group.add_piece(&piece);
                        group.add_flows(gross(view, &piece.span)?);
                    }
                }
                let did = walk.over(span)?;
                if let [_] = views {
                    period.heads.add(&did);
                }
                let at = match &did {
                    Did::Nothing => continue,
                    Did::Still(_) => span.opening,
                    Did::Moved(moved) => moved.grouped_at,
                };
                let flows = gross(view, span)?;
                let total = period.by_currency.entry(*currency).or_default();
                total.add(&did);
                total.add_flows(flows);
                if let Some(grouping) = grouping {
                    let key = grouping.key(client, view, at, span)?;
                    let group = period.groups.entry((key, *currency)).or_default();
                    group.add(&did);
                    group.add_flows(flows);
                }
            }
        }
        if views.len() > 1 {
            // Amounts of several currencies do not add up; only whether there are any is looked at.
            let mut walk = Walk::new(whole, by_all_heads);
            for (period, asked) in gathered.iter_mut().zip(&asked) {
                period.heads.add(&walk.over(&asked.span)?);
            }
        }
        if ground.rules.grace_days > 0 {
            for (period, asked) in gathered.iter_mut().zip(&asked) {
                period.note_unsettled(views, whole, &asked.span, &ground)?;
            }
        }
        Ok(())
    };
    let join = |before: &mut Vec<Gathered>, after: Vec<Gathered>| {
        before.iter_mut().zip(after).for_each(|(before, after)| before.append(after));
    };
    let gathered = question.gather(&shared, nothing, see, join)?;
    let reports = gathered.into_iter().zip(&asked);
    Ok(reports.map(|(period, asked)| period.report(question, &asked.span, shared.rates.as_ref())).collect())
}

impl Gathered {
    /// Adds what was gathered of the clients behind these.
    fn append(&mut self, after: Self) {
        let Self { heads, by_currency, groups, unsettled_heads, unsettled } = after;
        self.heads += heads;
        for (currency, sums) in by_currency {
            self.by_currency.entry(currency).or_default().append(sums);
        }
        for (group, sums) in groups {
            self.groups.entry(group).or_default().append(sums);
        }
        self.unsettled_heads += unsettled_heads;
        for (currency, annual) in unsettled {
            *self.unsettled.entry(currency).or_default() += annual;
        }
    }

    /// Notes a client whose gap began before the end of the period and runs as of the question.
    fn note_unsettled(
        &mut self,
        views: &[(Currency, View<'_, '_>)],
        whole: &View<'_, '_>,
        span: &Span,
        ground: &Ground<'_>,
    ) -> Result<(), Refusal> {
        let as_of = ground.rules.as_of;
        let gap = |view: &View<'_, '_>| {
            let (until, _) = view.over_by(as_of).filter(|_| view.spell_at(as_of).is_none())?;
            let days = ground.zone.day(as_of).days_since(ground.zone.day(until));
            let open = until < span.period.end && i64::from(days) <= i64::from(ground.rules.grace_days);
            open.then_some(until)
        };
        self.unsettled_heads += u64::from(gap(whole).is_some());
        for (currency, view) in views {
            if let Some(until) = gap(view) {
                let amount = movement::paid_at(view, span, ground, until.just_before())?;
                *self.unsettled.entry(*currency).or_default() += amount;
            }
        }
        Ok(())
    }

    fn report(self, question: &Question<'_>, span: &Span, rates: Option<&Rates>) -> RevenueReport {
        let options = question.options;
        let several = self.by_currency.len() > 1;
        let only = self.by_currency.keys().next().copied().filter(|_| !several);
        let currency = options.currency.or(only);
        let row = |sums: &Sums, currency: Option<Currency>| {
            let row = sums.row(options);
            match currency.filter(|_| options.rounded) {
                Some(currency) => row.rounded(currency),
                None => row,
            }
        };
        let nothing = Sums::default();
        let total = (!several).then(|| row(self.by_currency.values().next().unwrap_or(&nothing), currency));
        let by_currency = several.then(|| {
            self.by_currency.iter().map(|(currency, sums)| (*currency, row(sums, Some(*currency)))).collect()
        });
        let groups = options.group_by.is_some().then(|| {
            let group = |((key, currency), sums): (&(GroupKey, Currency), &Sums)| GroupRow {
                key: key.clone(),
                currency: *currency,
                row: row(sums, Some(*currency)),
            };
            self.groups.iter().map(group).collect()
        });
        let unsettled = (options.renewal_grace_days > 0).then(|| {
            let of = |currency: Currency| {
                options.line(self.unsettled.get(&currency).copied().unwrap_or_default(), currency)
            };
            let currencies: BTreeSet<Currency> = self
                .by_currency
                .keys()
                .chain(self.unsettled.keys())
                .copied()
                .chain(options.currency)
                .collect();
            // An amount stands without its currency only where the report has no other.
            let only = currencies.first().copied().filter(|_| currencies.len() == 1);
            let several = currencies.len() > 1;
            Unsettled {
                heads: self.unsettled_heads,
                by_currency: several
                    .then(|| currencies.iter().map(|currency| (*currency, of(*currency))).collect()),
                recurring: (!several).then(|| only.map_or_else(Recurring::default, of)),
            }
        });
        let rates = rates.map(|rates| rates.used(span.opening, span.closing));
        RevenueReport {
            period: question.period(span),
            as_of: question.as_of,
            currency,
            settings: question.settings(),
            total,
            clients: self.heads,
            by_currency,
            groups,
            unsettled,
            rates,
            trailing: None,
        }
    }
}

//! The reports of some periods: the sums over all clients, gathered in one pass for all periods.

use super::attribution::pieces;
use super::flows;
use super::group::{GroupKey, Grouping};
use super::movement::{self, Did, Ground, Span, Walk};
use super::policy::Grain;
use super::report::{GroupRow, Heads, RevenueReport, Trailing, Unsettled};
use super::retention::Sums;
use super::run_rate::View;
use super::{Question, Refusal, series};
use crate::book::Client;
use crate::exchange::Rates;
use crate::money::Currency;
use crate::period::Period;
use crate::recurring::{Annual, Recurring};
use std::collections::{BTreeMap, BTreeSet};

/// A period that a pass is about.
struct Asked<'q> {
    span: Span,
    grouping: Option<Grouping<'q>>,
}

/// What a pass gathers for one period.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    pub(super) heads: Heads,
    pub(super) by_currency: BTreeMap<Currency, Sums>,
    groups: BTreeMap<(GroupKey, Currency), Sums>,
    unsettled_heads: u64,
    unsettled: BTreeMap<Currency, Annual>,
}

/// What a pass gathers: for each period, and for each currency the sums of each period that has any, so that a currency is
/// looked up once a client.
struct Pass {
    periods: Vec<Gathered>,
    by_currency: BTreeMap<Currency, Vec<Option<Sums>>>,
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
                rates: answer.rates,
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
    // In a box, since it is wide, and mostly not asked for.
    let by_change = question.options.grain == Grain::Change;
    let gross = |view: &View<'_, '_>, span: &Span| flows::flows(view, span, &ground).map(Box::new);
    let asked = |period: &Period| {
        let span = Span::new(*period, question.as_of);
        Asked { span, grouping: question.grouping(&shared, span.opening) }
    };
    let asked: Vec<Asked<'_>> = periods.iter().map(asked).collect();
    let nothing = || Pass {
        periods: periods.iter().map(|_| Gathered::default()).collect(),
        by_currency: BTreeMap::new(),
    };
    let see = |Pass { periods: gathered, by_currency }: &mut Pass,
               client: &Client<'_>,
               views: &[(Currency, View<'_, '_>)],
               whole: &View<'_, '_>| {
        for (currency, view) in views {
            let mut walk = Walk::new(view, ground);
            let totals = by_currency.entry(*currency).or_insert_with(|| vec![None; asked.len()]);
            for ((period, total), Asked { span, grouping }) in gathered.iter_mut().zip(totals).zip(&asked) {
                if let Some(stated) = cut {
                    let mut pieces = pieces(view, &client.state.profile, stated, span, &ground)?;
                    pieces.sort_by(|a, b| a.key.cmp(&b.key));
                    for held in pieces.chunk_by(|a, b| a.key == b.key) {
                        let [first, ..] = held else { continue };
                        let group = period.groups.entry((first.key.clone(), *currency)).or_default();
                        group.add_pieces(held);
                        for piece in held {
                            if by_change {
                                group.add_flows(&*gross(view, &piece.span)?);
                            }
                        }
                    }
                }
                let did = walk.over(span)?;
                if let [_] = views {
                    period.heads.add(did);
                }
                let at = match did {
                    Did::Nothing => continue,
                    Did::Still(_) => span.opening,
                    Did::Moved(moved) => moved.grouped_at,
                };
                let total = total.get_or_insert_default();
                total.add(did);
                let flows = if by_change { Some(gross(view, span)?) } else { None };
                flows.iter().for_each(|flows| total.add_flows(flows));
                if let Some(grouping) = grouping {
                    let key = grouping.key(client, view, at, span)?;
                    let group = period.groups.entry((key, *currency)).or_default();
                    group.add(did);
                    flows.iter().for_each(|flows| group.add_flows(flows));
                }
            }
        }
        if views.len() > 1 {
            // Amounts of several currencies do not add up; only whether there are any is looked at.
            let mut walk = Walk::new(whole, by_all_heads);
            for (period, asked) in gathered.iter_mut().zip(&asked) {
                period.heads.add(walk.over(&asked.span)?);
            }
        }
        if ground.rules.grace_days > 0 {
            for (period, asked) in gathered.iter_mut().zip(&asked) {
                period.note_unsettled(views, whole, &asked.span, &ground)?;
            }
        }
        Ok(())
    };
    let gathered = question.gather(&shared, nothing, see, Pass::append)?;
    let reports = gathered.into_periods().into_iter().zip(&asked);
    Ok(reports.map(|(period, asked)| period.report(question, &asked.span, shared.rates.as_ref())).collect())
}

impl Pass {
    /// Adds what was gathered of the clients behind these.
    fn append(&mut self, after: Self) {
        self.periods.iter_mut().zip(after.periods).for_each(|(before, after)| before.append(after));
        for (currency, totals) in after.by_currency {
            let ours = self.by_currency.entry(currency).or_insert_with(|| vec![None; totals.len()]);
            for (before, after) in ours.iter_mut().zip(totals) {
                if let Some(after) = after {
                    before.get_or_insert_default().append(after);
                }
            }
        }
    }

    /// What was gathered for each period, with its currencies.
    fn into_periods(self) -> Vec<Gathered> {
        let Self { mut periods, by_currency } = self;
        for (currency, totals) in by_currency {
            for (period, total) in periods.iter_mut().zip(totals) {
                period.by_currency.extend(total.map(|total| (currency, total)));
            }
        }
        periods
    }
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

    pub(super) fn report(
        &self,
        question: &Question<'_>,
        span: &Span,
        rates: Option<&Rates>,
    ) -> RevenueReport {
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

//! Clients under contract: the renewals to come of each, by how many it has made.
//!
//! A model of retention is fitted to the spells of the book, counted in renewals. A client that pays now and has made r
//! renewals makes the t-th from here with chance S(r + t) / S(r); each brings what it pays a period, times the margin, and is
//! a whole period further away. What is paid already counts for nothing, and so does what is known to end by its
//! `cancel_at`.

use super::options::{LtvHorizon, LtvMethod, LtvOptions};
use super::{ClientLtv, LtvModel, ModelLtv, New, RetentionPoint, sum_up};
use crate::book::Client;
use crate::id::ClientId;
use crate::lifetime::bdw::Bdw;
use crate::lifetime::fit::FitReport;
use crate::lifetime::input::{CohortCounts, LifetimeError};
use crate::lifetime::options::SpellsOf;
use crate::lifetime::renewals::{RenewalInterval, cohorts};
use crate::lifetime::renewing::Renewing;
use crate::lifetime::sbg::Sbg;
use crate::lifetime::simple::NoLtv;
use crate::lifetime::spells::{ClientSpell, Spells};
use crate::money::Currency;
use crate::period::Period;
use crate::revenue::{GroupKey, Question, Refusal, SettingError, Span, View, standing_at};
use std::collections::BTreeMap;

/// The most renewals that a curve goes on for, and how far it goes where nobody asks for more.
const LONGEST_CURVE: u32 = 120;
const SHORTEST_CURVE: u32 = 12;

/// A fitted model of retention.
enum Fitted {
    Sbg(Sbg),
    Bdw(Bdw),
}

impl Fitted {
    fn of(method: LtvMethod, cohorts: &[CohortCounts]) -> Result<(Self, FitReport), LifetimeError> {
        if method == LtvMethod::Bdw {
            let fit = Bdw::fit(cohorts)?;
            return Ok((Self::Bdw(fit.parameters), fit.report()));
        }
        let fit = Sbg::fit(cohorts)?;
        Ok((Self::Sbg(fit.parameters), fit.report()))
    }

    /// Periods to come of a client that has made so many renewals, the one that runs left out.
    fn ahead(&self, renewals: u32, periods: Option<u32>, discount: f64) -> f64 {
        match (self, periods) {
            (Self::Sbg(model), Some(periods)) => {
                model.discounted_periods(renewals, periods + 1, discount) - 1.0
            }
            (Self::Sbg(model), None) => model.residual_after(renewals, discount),
            (Self::Bdw(model), Some(periods)) => {
                model.discounted_periods(renewals, periods + 1, discount) - 1.0
            }
            (Self::Bdw(_), None) => f64::INFINITY,
        }
    }

    fn survival(&self, renewals: u32) -> f64 {
        match self {
            Self::Sbg(model) => model.survival(renewals),
            Self::Bdw(model) => model.survival(renewals),
        }
    }

    fn retention(&self, renewal: u32) -> f64 {
        match self {
            Self::Sbg(model) => model.retention(renewal),
            Self::Bdw(model) => model.retention(renewal),
        }
    }

    /// How many stay, beside how many did.
    fn curve(&self, cohorts: &[CohortCounts], periods: Option<u32>, discount: f64) -> Vec<RetentionPoint> {
        let mut seen: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
        for cohort in cohorts {
            let pairs = cohort.alive.iter().zip(cohort.alive.iter().skip(1));
            for (renewal, (before, after)) in (cohort.since.saturating_add(1)..).zip(pairs) {
                let (due, renewed) = seen.entry(renewal).or_default();
                (*due, *renewed) = (*due + before, *renewed + after);
            }
        }
        let any = seen.iter().filter(|(_, (due, _))| *due > 0).map(|(renewal, _)| *renewal);
        let last = any.max().max(periods).unwrap_or_default().clamp(SHORTEST_CURVE, LONGEST_CURVE);
        let finite = |n: f64| Some(n).filter(|n| n.is_finite());
        let point = |renewals: u32| {
            let (due, renewed) = seen.get(&renewals).copied().unwrap_or_default();
            RetentionPoint {
                renewals,
                due,
                renewed,
                survival: self.survival(renewals),
                retention: (renewals > 0).then(|| self.retention(renewals)),
                expected: finite(self.ahead(renewals, periods, 0.0)),
                discounted: finite(self.ahead(renewals, periods, discount)),
            }
        };
        (0..=last).map(point).collect()
    }

    /// Periods of a client that begins now, the first included.
    fn of_new(&self, periods: Option<u32>, discount: f64) -> f64 {
        match (self, periods) {
            (Self::Sbg(model), Some(periods)) => model.discounted_periods(0, periods, discount),
            (Self::Sbg(model), None) => model.discounted_lifetime(discount),
            (Self::Bdw(model), Some(periods)) => model.discounted_periods(0, periods, discount),
            (Self::Bdw(_), None) => f64::INFINITY,
        }
    }
}

/// A client that pays now: its group, how many renewals it made, and what it pays a month in each currency.
struct Paying<'s> {
    spell: &'s ClientSpell,
    renewals: u32,
    mrr: Vec<(Currency, f64)>,
}

/// The values of the clients under contract, from all their spells.
///
/// # Errors
/// Without groups: too few clients for the model.
pub(crate) fn contract(
    question: &Question<'_>,
    spells: &Spells,
    options: &LtvOptions,
) -> Result<Result<ModelLtv, LifetimeError>, Refusal> {
    let every = options.renewal;
    let (horizon, horizon_months) = options.horizon();
    let periods = periods(options, every, horizon_months)?;
    let discount = LtvOptions::over(options.annual_discount, every.months());
    let worth = every.months() * options.margin.to_f64();
    let grouped = options.lifetime.revenue.group_by.is_some();
    let first_only = options.lifetime.spells == SpellsOf::First;
    let mut groups: BTreeMap<&GroupKey, Vec<&ClientSpell>> = BTreeMap::new();
    for spell in &spells.spells {
        groups.entry(&spell.key).or_default().push(spell);
    }
    let mut paying: BTreeMap<&GroupKey, Vec<Paying<'_>>> = BTreeMap::new();
    for client in paying_now(question, spells, every)? {
        paying.entry(&client.spell.key).or_default().push(client);
    }
    if !grouped && groups.is_empty() {
        groups.insert(&GroupKey::None, Vec::new());
    }
    let (mut models, mut new, mut clients) = (Vec::new(), New::new(), Vec::new());
    for (key, spells_of) in groups {
        let fitted_to = spells_of.into_iter().filter(|spell| !first_only || spell.number == 1);
        let counted = cohorts(fitted_to, spells.as_of, every, question.zone);
        let fitted = match Fitted::of(options.method, &counted) {
            Ok((model, fit)) => {
                let curve = Some(model.curve(&counted, periods, discount));
                models.push(LtvModel { key: key.clone(), unit: unit(every), fit, curve, new_client: None });
                Some(model)
            }
            Err(fault) if !grouped => return Ok(Err(fault)),
            Err(_) => None,
        };
        // Clients of one age have the same ahead of them.
        let mut ahead: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
        let mut sums: BTreeMap<Currency, (f64, f64)> = BTreeMap::new();
        for client in paying.remove(key).unwrap_or_default() {
            let figures = fitted.as_ref().map(|model| {
                *ahead.entry(client.renewals).or_insert_with(|| {
                    let of = |discount| model.ahead(client.renewals, periods, discount);
                    (of(discount), of(0.0))
                })
            });
            for (currency, mrr) in client.mrr {
                let mut row = ClientLtv::new(&client.spell.client, key, options, Some(currency));
                (row.mrr, row.renewals) = (Some(mrr), Some(client.renewals));
                row.expected = figures.map(|(_, expected)| expected).filter(|expected| expected.is_finite());
                row.discounted = figures.map(|(discounted, _)| discounted).filter(|n| n.is_finite());
                let value = figures.map(|(discounted, _)| mrr * worth * discounted);
                row.value = value.filter(|value| value.is_finite());
                row.why = match (value, row.value) {
                    (_, Some(_)) => None,
                    (Some(_), None) => Some(NoLtv::Unbounded),
                    (None, None) => Some(NoLtv::TooFew),
                };
                let (sum, n) = sums.entry(currency).or_default();
                (*sum, *n) = (*sum + mrr, *n + 1.0);
                clients.push(row);
            }
        }
        let lifetime = fitted.map(|model| model.of_new(periods, discount)).filter(|n| n.is_finite());
        for (currency, (sum, n)) in sums {
            if let Some(lifetime) = lifetime {
                new.insert((key.clone(), Some(currency)), sum / n * worth * lifetime);
            }
        }
    }
    clients.sort_by(|a, b| a.client.cmp(&b.client).then(a.currency.cmp(&b.currency)));
    let (values, groups) = sum_up(&clients, &new, grouped);
    Ok(Ok(ModelLtv {
        method: options.method,
        horizon,
        horizon_months,
        basis: options.basis(),
        margin: options.margin,
        annual_discount: options.annual_discount,
        as_of: spells.as_of,
        settings: options.resolved(spells.as_of),
        models,
        values,
        groups,
        alive: None,
        left_out: 0,
        clients,
    }))
}

/// How many renewals lie within the horizon; `None` for all.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 1200 months of weeks")]
fn periods(
    options: &LtvOptions,
    every: RenewalInterval,
    months: Option<u32>,
) -> Result<Option<u32>, Refusal> {
    let refused = |expected: &str, found: &str| {
        Err(Refusal::Setting(SettingError::new("horizon_months", expected, found)))
    };
    match months {
        None if options.method == LtvMethod::Bdw && options.horizon_months == LtvHorizon::Unbounded => {
            refused("a number of months for bdw, whose sum has no closed form", "unbounded")
        }
        None => Ok(None),
        Some(months) => {
            let periods = (f64::from(months) / every.months() + 1e-9) as u32;
            if periods == 0 {
                return refused("at least as long as one renewal", &months.to_string());
            }
            Ok(Some(periods))
        }
    }
}

fn unit(every: RenewalInterval) -> &'static str {
    match every {
        RenewalInterval::Week => "week",
        RenewalInterval::Month => "month",
        RenewalInterval::Quarter => "quarter",
        RenewalInterval::Year => "year",
    }
}

/// The clients whose spell runs, with what they pay and goes on.
fn paying_now<'s>(
    question: &Question<'_>,
    spells: &'s Spells,
    every: RenewalInterval,
) -> Result<Vec<Paying<'s>>, Refusal> {
    let (zone, as_of) = (question.zone, question.as_of);
    let running: BTreeMap<&ClientId, &ClientSpell> =
        spells.spells.iter().filter(|spell| !spell.ended).map(|spell| (&spell.client, spell)).collect();
    let shared = question.shared()?;
    let ground = question.ground(&shared);
    let now = Span::new(Period { start: as_of, end: as_of.just_after() }, as_of);
    let now = Span { rates_at: (as_of, as_of), ..now };
    let see = |found: &mut Vec<Paying<'s>>,
               client: &Client<'_>,
               views: &[(Currency, View<'_, '_>)],
               _: &View<'_, '_>| {
        let Some(spell) = running.get(client.id).copied() else { return Ok(()) };
        let mut mrr = Vec::new();
        for (currency, view) in views.iter().filter(|(_, view)| view.spell_at(as_of).is_some()) {
            mrr.push((*currency, standing_at(view, &now, &ground, view.look(as_of))?.mrr_f64()));
        }
        let renewals = every.made(zone.day(spell.from), zone.day(as_of));
        found.push(Paying { spell, renewals, mrr });
        Ok(())
    };
    question.gather(&shared, Vec::new, see, |before, after| before.extend(after))
}

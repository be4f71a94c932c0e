//! Simple lifetime value: the figures of one period as if they held for ever, for the book, its groups and each client.

use super::ClientLtv;
use super::options::{LtvMethod, LtvOptions, Payments};
use crate::book::Client;
use crate::lifetime::simple::{NoLtv, SimpleTerms};
use crate::money::Currency;
use crate::period::Period;
use crate::rate::{HeadRate, PerHead};
use crate::revenue::{
    Attribution, GroupKey, Margin, Question, Refusal, ReportPeriod, RevenueOptions, RevenueReport, Row, Span,
    View, paid_at,
};
use crate::zone::Zone;
use serde::Serialize;
use std::collections::BTreeMap;

/// The simple lifetime value of the book: ARPA x margin / monthly logo churn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimpleLtv {
    /// `simple`.
    pub method: &'static str,
    /// `unbounded`: as if the period's figures held for ever. `months`: for so many.
    pub horizon: &'static str,
    /// How many months; null where it is unbounded.
    pub horizon_months: Option<u32>,
    /// `margin`: what is left after the cost of serving, fit to be set against the cost of winning a client. `revenue`
    /// where the margin is 1: all that is paid.
    pub basis: &'static str,
    /// The share of revenue that counts.
    pub margin: Margin,
    /// By how much money is worth less a year ahead.
    pub annual_discount: f64,
    /// By how much a client's payments grow a year.
    pub annual_growth: f64,
    /// When in a month a payment comes; it matters only with a discount, growth or a horizon.
    pub payments: Payments,
    /// The period the figures are from.
    pub period: ReportPeriod,
    /// The settings of the question; `base` says what churn is a share of.
    pub settings: RevenueOptions,
    /// One for each currency, or the reporting one.
    pub values: Vec<SimpleValue>,
    /// With `group_by`: each group, in order of keys, null last, and currencies.
    pub groups: Option<Vec<SimpleGroup>>,
    /// Each client that pays at closing, by the churn of the book, or of its group.
    pub clients: Vec<ClientLtv>,
}

/// The simple lifetime value in one currency.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimpleValue {
    /// The currency; null where nothing is paid.
    pub currency: Option<Currency>,
    /// MRR per paying client at closing.
    pub arpa: PerHead,
    /// The share of clients that left in the period.
    pub logo_churn: HeadRate,
    /// The same a month: as it is for a calendar month, else rescaled by the days of the period.
    pub monthly_churn: Option<f64>,
    /// Expected months until a client leaves; null where nobody left.
    pub lifetime_months: Option<f64>,
    /// What a client is worth; null where nobody churned, for a quiet month makes nobody immortal.
    pub value: Option<f64>,
    /// Why there is no value.
    pub why: Option<NoLtv>,
}

/// The simple lifetime value of one group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimpleGroup {
    /// The group; null for none.
    pub key: GroupKey,
    /// The figures.
    #[serde(flatten)]
    pub value: SimpleValue,
}

/// What a unit of MRR is worth by the churn of some row: the same for each of its clients.
type Multiple = Result<f64, NoLtv>;

/// What one row of a report says, and how its churn values MRR.
fn value_of(
    row: &Row,
    currency: Option<Currency>,
    (days, is_month): (f64, bool),
    options: &LtvOptions,
) -> (SimpleValue, Multiple) {
    let churn = row.logo_churn;
    let monthly = if is_month { churn } else { churn.rescaled(days, DAYS_IN_A_MONTH) };
    let terms = monthly.value.map(|churn| SimpleTerms {
        margin: options.margin.to_f64(),
        churn,
        discount: LtvOptions::over(options.annual_discount, 1.0),
        growth: LtvOptions::over(options.annual_growth, 1.0),
    });
    let multiple = terms.ok_or(NoLtv::NobodyPays).and_then(|terms| worth(&terms, options));
    let value =
        multiple.and_then(|multiple| row.arpa.value.map(|arpa| arpa * multiple).ok_or(NoLtv::NobodyPays));
    let shown = SimpleValue {
        currency,
        arpa: row.arpa,
        logo_churn: churn,
        monthly_churn: monthly.value,
        lifetime_months: terms.and_then(|terms| terms.lifetime().ok()),
        value: value.ok(),
        why: value.err(),
    };
    (shown, multiple)
}

fn worth(terms: &SimpleTerms, options: &LtvOptions) -> Multiple {
    let plain = options.annual_discount == 0.0 && options.annual_growth == 0.0;
    match (options.horizon().1, options.payments) {
        (None, Payments::Due) if plain => terms.plain(),
        (None, Payments::Due) => terms.due(),
        (None, Payments::Arrears) => terms.arrears(),
        (Some(months), Payments::Due) => Ok(terms.due_within(months)),
        (Some(months), Payments::Arrears) => Ok(terms.arrears_within(months)),
    }
}

/// 365 / 12.
const DAYS_IN_A_MONTH: f64 = 30.416_666_666_666_668;

/// The simple values from a report of a period.
pub(crate) fn simple(
    question: &Question<'_>,
    report: RevenueReport,
    options: &LtvOptions,
) -> Result<SimpleLtv, Refusal> {
    let period = Period { start: report.period.start, end: report.period.end };
    let span = length(period, question.zone);
    let mut multiples: BTreeMap<(GroupKey, Option<Currency>), Multiple> = BTreeMap::new();
    // Attributed by interval, a client belongs to several groups: it is valued by the churn of the book.
    let grouped = report.groups.is_some() && options.lifetime.revenue.attribution == Attribution::Opening;
    let mut values = Vec::new();
    for (currency, row) in report.rows() {
        let (value, multiple) = value_of(row, currency, span, options);
        values.push(value);
        if !grouped {
            multiples.insert((GroupKey::None, currency), multiple);
        }
    }
    let group = |row: &crate::revenue::GroupRow| {
        let (value, multiple) = value_of(&row.row, Some(row.currency), span, options);
        if grouped {
            multiples.insert((row.key.clone(), Some(row.currency)), multiple);
        }
        SimpleGroup { key: row.key.clone(), value }
    };
    let groups = report.groups.as_ref().map(|groups| groups.iter().map(group).collect());
    let (horizon, horizon_months) = options.horizon();
    Ok(SimpleLtv {
        method: LtvMethod::Simple.as_str(),
        horizon,
        horizon_months,
        basis: options.basis(),
        margin: options.margin,
        annual_discount: options.annual_discount,
        annual_growth: options.annual_growth,
        payments: options.payments,
        period: report.period,
        settings: report.settings,
        values,
        groups,
        clients: clients(question, period, options, &multiples)?,
    })
}

/// The days of a period, and whether it is a calendar month.
fn length(period: Period, zone: &Zone) -> (f64, bool) {
    let first = zone.day(period.start);
    let days = f64::from(zone.day(period.end).days_since(first));
    (days, Period::month(first.month(), zone) == period)
}

/// Every client that pays at closing.
fn clients(
    question: &Question<'_>,
    period: Period,
    options: &LtvOptions,
    multiples: &BTreeMap<(GroupKey, Option<Currency>), Multiple>,
) -> Result<Vec<ClientLtv>, Refusal> {
    let options = LtvOptions { method: LtvMethod::Simple, ..options.clone() };
    let shared = question.shared()?;
    let ground = question.ground(&shared);
    let span = Span::new(period, question.as_of);
    let grouping = question.grouping(&shared, span.opening);
    let at_closing = Span { rates_at: (span.closing, span.closing), ..span };
    let see = |rows: &mut Vec<ClientLtv>,
               client: &Client<'_>,
               views: &[(Currency, View<'_, '_>)],
               _: &View<'_, '_>| {
        for (currency, view) in views.iter().filter(|(_, view)| view.spell_at(span.closing).is_some()) {
            // As the report groups: by the opening, or the first paying instant inside.
            let at = match view.spell_at(span.opening) {
                Some(_) => span.opening,
                None => view.first_paying(span.period.start, span.closing).unwrap_or(span.closing),
            };
            let key = grouping.as_ref().map(|by| by.key(client, view, at, &span)).transpose()?;
            let key = key.unwrap_or(GroupKey::None);
            let mrr = paid_at(view, &at_closing, &ground, view.look(span.closing))?.mrr_f64();
            let mut row = ClientLtv::new(client.id, &key, &options, Some(*currency));
            let multiple = multiples.get(&(key, Some(*currency))).copied();
            let value = multiple.unwrap_or(Err(NoLtv::NobodyPays)).map(|multiple| mrr * multiple);
            (row.mrr, row.value, row.why) = (Some(mrr), value.ok(), value.err());
            rows.push(row);
        }
        Ok(())
    };
    question.gather(&shared, Vec::new, see, |before, after| before.extend(after))
}

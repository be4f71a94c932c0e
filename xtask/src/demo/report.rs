//! What the demo asks the engine.

use super::log::Read;
use super::reasons::{Reason, reasons};
use anyhow::{Context, Result, anyhow};
use healthfold::{
    AsOf, Currency, Engine, HealthScore, Instant, Margin, Model, Period, PeriodUnit, RevenueOptions,
    RevenueReport, Row, ScoresOf, SignalSpec, SimpleValue, TotalAmount,
};
use serde::Serialize;
use serde_json::json;

/// How many reasons a client is shown with.
const REASONS: usize = 3;
/// How many months are looked back at.
const MONTHS: i32 = 12;
/// The gross margin that simple LTV is reckoned with.
const MARGIN: &str = "0.8";

/// Everything on the page.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was read.
    pub read: Read,
    /// Clients that can be asked about.
    pub clients: usize,
    /// The first and the last instant of any event.
    pub span: Option<(Instant, Instant)>,
    /// The time zone in which days and months are counted.
    pub timezone: String,
    /// As of when.
    pub as_of: Instant,
    /// The model's name.
    pub model: String,
    /// The model's version.
    pub version: u64,
    /// What is paid in each currency.
    pub currencies: Vec<CurrencyReport>,
}

/// What is paid in one currency, and by whom.
#[derive(Clone, Debug, Serialize)]
pub struct CurrencyReport {
    /// The currency.
    pub currency: Currency,
    /// Paying clients with a score, the lowest first.
    pub scored: Vec<Client>,
    /// Paying clients of whom too little is known.
    pub unknown: Vec<Client>,
    /// Paying clients and their MRR by band, the lowest first, the unknown last.
    pub bands: Vec<Band>,
    /// Month by month, oldest first.
    pub months: Vec<Month>,
    /// The months as one period, from point to point.
    pub whole: Month,
    /// ARPA and lifetime value.
    pub value: Value,
}

/// A paying client.
#[derive(Clone, Debug, Serialize)]
pub struct Client {
    /// The client.
    pub client: String,
    /// The band.
    pub band: String,
    /// The score.
    pub score: Option<f64>,
    /// The share of the model's weight that was seen.
    pub coverage: f64,
    /// MRR in this currency.
    pub mrr: f64,
    /// The largest costs.
    pub reasons: Vec<Reason>,
}

/// The clients of a band.
#[derive(Clone, Debug, Serialize)]
pub struct Band {
    /// Its name.
    pub band: String,
    /// How many.
    pub clients: usize,
    /// What they pay.
    pub mrr: f64,
}

/// One period's row of the revenue report.
#[derive(Clone, Debug, Serialize)]
pub struct Month {
    /// `2026-03`, or the first and the last month.
    pub name: String,
    /// Not over at the instant.
    pub partial: bool,
    /// The row as the library answers it.
    pub row: Row,
}

/// What a client is worth.
#[derive(Clone, Debug, Serialize)]
pub struct Value {
    /// The margin that simple LTV was reckoned with.
    pub margin: Margin,
    /// ARPA, monthly logo churn over all months, and what follows from them.
    pub simple: SimpleValue,
    /// What all clients have paid so far, less what was paid back.
    pub observed: TotalAmount,
    /// How many clients have paid anything.
    pub payers: usize,
}

/// Asks everything that the page shows.
pub(crate) fn ask(engine: &Engine, model: &Model, read: Read, as_of: Option<&str>) -> Result<Report> {
    let span = engine.span();
    let (first, last) = span.ok_or_else(|| anyhow!("no event of {} was accepted", read.from))?;
    let zone = engine.zone();
    let as_of = match as_of {
        Some(text) => zone.as_of(text)?,
        None => last_whole_month(engine, last),
    };
    let scores = engine.scores(model, as_of, ScoresOf::Paying);
    let closing = zone.day(as_of).month();
    let opening = closing.plus(1 - MONTHS).max(zone.day(first).month());
    let start = Period::month(opening, zone).start;
    let whole = Period::between(start, Period::month(closing, zone).end)?;
    let currencies = currencies(engine, whole, as_of)?.into_iter();
    let mut currencies = currencies
        .map(|currency| in_currency(engine, model, &scores, whole, as_of, currency))
        .collect::<Result<Vec<_>>>()?;
    // The currency that most clients pay in comes first.
    currencies.sort_by_key(|of| std::cmp::Reverse(of.scored.len() + of.unknown.len()));
    Ok(Report {
        clients: engine.clients().count(),
        timezone: zone.name().to_owned(),
        model: model.name().to_owned(),
        version: model.version(),
        read,
        span,
        as_of,
        currencies,
    })
}

/// The last microsecond of the last month that the log covers to its last day.
fn last_whole_month(engine: &Engine, last: Instant) -> Instant {
    let zone = engine.zone();
    let day = zone.day(last);
    let month = if day.plus(1).month() == day.month() { day.month().plus(-1) } else { day.month() };
    Period::month(month, zone).end.just_before()
}

fn options(as_of: Instant, currency: Option<Currency>) -> RevenueOptions {
    RevenueOptions { as_of: Some(AsOf::At(as_of)), only_currency: currency, ..RevenueOptions::default() }
}

/// The currencies in which anything was paid, in order of their names.
fn currencies(engine: &Engine, whole: Period, as_of: Instant) -> Result<Vec<Currency>> {
    let report = engine.revenue(whole, &options(as_of, None))?;
    Ok(match &report.by_currency {
        Some(rows) => rows.keys().copied().collect(),
        None => report.currency.into_iter().collect(),
    })
}

fn in_currency(
    engine: &Engine,
    model: &Model,
    scores: &[HealthScore],
    whole: Period,
    as_of: Instant,
    currency: Currency,
) -> Result<CurrencyReport> {
    let mrr = SignalSpec::from_json(&json!({ "kind": "mrr", "currency": currency }).to_string())?;
    let mut clients = Vec::new();
    for score in scores {
        let mrr = engine.signal(&score.client, &mrr, as_of)?.value().unwrap_or_default();
        if mrr > 0.0 {
            clients.push(client(score, model, mrr));
        }
    }
    let bands = bands(&clients, model);
    let (mut scored, mut unknown): (Vec<_>, Vec<_>) =
        clients.into_iter().partition(|client| client.score.is_some());
    // The lowest score first, and of equal ones whoever pays more.
    scored.sort_by(|a, b| {
        let by_score = a.score.unwrap_or_default().total_cmp(&b.score.unwrap_or_default());
        by_score.then_with(|| b.mrr.total_cmp(&a.mrr)).then_with(|| a.client.cmp(&b.client))
    });
    unknown.sort_by(|a, b| b.mrr.total_cmp(&a.mrr).then_with(|| a.client.cmp(&b.client)));
    let asked = options(as_of, Some(currency));
    let series = engine.revenue_series(whole.start, whole.end, PeriodUnit::Month, &asked)?;
    let months = series.rows.iter().filter_map(|report| month(engine, report)).collect();
    let value = value(engine, whole, as_of, currency)?;
    let whole =
        month(engine, &engine.revenue(whole, &asked)?).context("the report of one currency has a row")?;
    Ok(CurrencyReport { currency, scored, unknown, bands, months, whole, value })
}

fn client(score: &HealthScore, model: &Model, mrr: f64) -> Client {
    Client {
        client: score.client.to_string(),
        band: score.band.to_string(),
        score: score.score,
        coverage: score.coverage,
        mrr,
        reasons: reasons(score, model.to_json(), REASONS),
    }
}

fn bands(clients: &[Client], model: &Model) -> Vec<Band> {
    let names = model.bands().iter().map(|band| band.name.clone()).chain(["unknown".to_owned()]);
    names
        .map(|band| {
            let inside = || clients.iter().filter(|client| client.band == band);
            Band { clients: inside().count(), mrr: inside().map(|client| client.mrr).sum(), band }
        })
        .filter(|band| band.band != "unknown" || band.clients > 0)
        .collect()
}

/// One report of one currency.
fn month(engine: &Engine, report: &RevenueReport) -> Option<Month> {
    let name = |instant: Instant| engine.zone().day(instant).month().to_string();
    let (first, last) = (name(report.period.start), name(report.period.end.just_before()));
    let name = if first == last { first } else { format!("{first} to {last}") };
    Some(Month { name, partial: report.period.partial, row: report.total.clone()? })
}

fn value(engine: &Engine, whole: Period, as_of: Instant, currency: Currency) -> Result<Value> {
    let margin: Margin = MARGIN.parse()?;
    let simple = engine.ltv_simple(whole, margin, &options(as_of, Some(currency)))?;
    let simple = simple.values.into_iter().next().context("one currency has one value")?;
    let observed = engine.ltv_observed(as_of)?;
    let payers = observed.clients.iter().filter(|paid| paid.currency == currency).count();
    Ok(Value { margin, simple, observed: observed.total.get(&currency).copied().unwrap_or_default(), payers })
}

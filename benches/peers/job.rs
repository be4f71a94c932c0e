//! The job as healthfold does it: the client table and the twelve months.

use anyhow::{Context, Result, bail};
use healthfold::table::{Fill, TableOptions};
use healthfold::{
    Annual, ClientId, Day, Dedupe, Engine, EventKind, EventReader, Model, Month, Period, PeriodUnit,
    ReadOptions, RevenueOptions, Row, ScoreTable, ScoresOf, Settings, Watch,
};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufRead;
use std::path::Path;

/// How many months, and how many month ends.
const MONTHS: i32 = 12;
/// The last month of the log.
const LAST_MONTH: (i32, u32) = (2026, 3);

/// The score of the job.
///
/// # Errors
/// If the file beside this one is not a model.
pub fn model() -> Result<Model> {
    Ok(Model::from_json(include_str!("model.json"))?)
}

/// How many of the month ends are asked about: the last, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The end of the log.
    End,
    /// Twelve month ends; the last is the end of the log.
    Months,
}

/// The last days of the months that are asked about.
#[must_use]
fn month_ends(asked: Asked) -> Vec<String> {
    let Ok(last) = last_month() else { return Vec::new() };
    let first = if asked == Asked::End { 0 } else { 1 - MONTHS };
    (first..=0).map(|month| last.plus(month + 1).first_day().plus(-1).to_string()).collect()
}

/// One client as of one day, as all contestants write it.
#[derive(Debug, Serialize)]
pub struct Standing<'a> {
    as_of: &'a str,
    client: &'a str,
    /// In the order of the model's parts.
    readings: Vec<Option<f64>>,
    /// From 0 to 100; none where too little was seen.
    pub score: Option<f64>,
    band: &'a str,
}

/// One month, as all contestants write it. Money is annual, in cents.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Movements {
    pub(super) month: String,
    pub(super) opening: i128,
    pub(super) new: i128,
    pub(super) reactivation: i128,
    pub(super) expansion: i128,
    pub(super) contraction: i128,
    pub(super) churn: i128,
    pub(super) closing: i128,
    pub(super) opening_clients: u64,
    pub(super) new_clients: u64,
    pub(super) reactivated_clients: u64,
    pub(super) churned_clients: u64,
    pub(super) closing_clients: u64,
    pub(super) nrr: Option<f64>,
    pub(super) grr: Option<f64>,
    pub(super) logo_churn: Option<f64>,
}

/// All that is asked.
#[derive(Debug)]
pub struct Answers {
    /// The client table by instant.
    pub scores: Vec<(String, ScoreTable)>,
    /// The twelve months.
    pub months: Vec<Movements>,
}

impl Answers {
    /// The rows of the client tables.
    pub fn standings(&self) -> impl Iterator<Item = Standing<'_>> {
        self.scores.iter().flat_map(|(as_of, table)| {
            table.client.iter().enumerate().map(move |(row, client)| Standing {
                as_of,
                client: client.as_str(),
                readings: table.parts.iter().map(|part| part.readings.get(row)).collect(),
                score: table.score.get(row),
                band: table.band_of(row).map_or("", |band| band),
            })
        })
    }
}

/// Fresh answers after the last events of the log.
#[derive(Debug)]
pub struct Fresh {
    /// As of when.
    pub as_of: String,
    /// The clients that the events are about, with score and band.
    pub clients: Vec<(ClientId, Option<f64>, String)>,
    /// The last month.
    pub month: Movements,
}

/// One client of these, as all contestants write it.
#[derive(Debug, Serialize)]
pub struct FreshStanding<'a> {
    as_of: &'a str,
    client: &'a str,
    /// From 0 to 100; none where too little was seen.
    pub score: Option<f64>,
    band: &'a str,
}

impl Fresh {
    /// The clients in order of their ids.
    pub fn standings(&self) -> impl Iterator<Item = FreshStanding<'_>> {
        self.clients.iter().map(|(client, score, band)| FreshStanding {
            as_of: &self.as_of,
            client: client.as_str(),
            score: *score,
            band,
        })
    }
}

/// Watches a book as of the end of the log, and its last month.
///
/// # Errors
/// If the question is refused.
pub fn watch(engine: &mut Engine) -> Result<Watch> {
    let days = month_ends(Asked::End);
    let as_of = engine.zone().as_of(days.first().context("some day")?)?;
    let month = Period::month(last_month()?, engine.zone());
    Ok(engine.watch(&model()?, as_of, ScoresOf::All, Some((month, options()?)))?)
}

/// Takes in the last lines of the log; what became of the clients that they are about, and of the last month.
///
/// # Errors
/// If a line is refused.
pub fn freshen(engine: &mut Engine, watch: &mut Watch, lines: &[u8]) -> Result<Fresh> {
    let mut reader = EventReader::new(lines, None);
    let mut events = Vec::new();
    while let Some((_, event)) = reader.next_event()? {
        events.push(event?);
    }
    engine.apply_all(&events);
    watch.refresh(engine, watch.as_of())?;
    let clients: BTreeSet<&ClientId> = events.iter().map(|event| &event.subject).collect();
    let standing = |client: &ClientId| {
        watch.score(client).map(|(score, band)| (client.clone(), score, band.to_string()))
    };
    let clients = clients.into_iter().filter_map(standing).collect();
    let report = watch.revenue(engine)?.context("a month is watched")?;
    let row = report.total.as_ref().context("a log in one currency")?;
    let as_of = month_ends(Asked::End).pop().context("some day")?;
    Ok(Fresh { as_of, clients, month: movements(last_month()?.to_string(), row) })
}

fn last_month() -> Result<Month> {
    Month::new(LAST_MONTH.0, LAST_MONTH.1).context("the last month")
}

/// A pause counts as an end, so that the months have the lines that every contestant tells apart.
fn options() -> Result<RevenueOptions> {
    Ok(RevenueOptions::from_json(r#"{"paused": "churn"}"#)?)
}

/// An engine with the whole log in it.
///
/// # Errors
/// If reading fails or an event is refused.
pub fn load(log: impl BufRead, dedupe: Dedupe) -> Result<Engine> {
    let mut engine = Engine::new(Settings { dedupe, ..Settings::default() })?;
    let applied = engine.apply_ndjson(log, &ReadOptions::default())?;
    if let Some(first) = applied.rejected.first() {
        bail!("{} events were refused, first {}", applied.rejected_count(), first.error);
    }
    Ok(engine)
}

/// A table of the log: its file, the type of event that its rows are, and what fills which field.
type Table = (&'static str, EventKind, &'static [(&'static str, &'static str)]);

/// The tables of the log by type of event. What stands in quotes is the same in every row. Where a table has a key, each event
/// that its rows tell of has this for its id, under a source of its own.
const TABLES: &[Table] = &[
    ("subscriptions", EventKind::SubscriptionSet, &[("interval.unit", "unit"), ("currency", "'USD'")]),
    (
        "invoices",
        EventKind::InvoiceIssued,
        &[("id", "invoice"), ("source", "'invoices/issued'"), ("time", "issued_at"), ("currency", "'USD'")],
    ),
    (
        "invoices",
        EventKind::InvoicePaid,
        &[("id", "invoice"), ("source", "'invoices/paid'"), ("time", "paid_at")],
    ),
    (
        "tickets",
        EventKind::TicketOpened,
        &[("id", "ticket"), ("source", "'tickets/opened'"), ("time", "opened_at")],
    ),
    (
        "tickets",
        EventKind::TicketReplied,
        &[("id", "ticket"), ("source", "'tickets/replied'"), ("time", "first_reply_at"), ("by", "'agent'")],
    ),
    (
        "tickets",
        EventKind::TicketResolved,
        &[("id", "ticket"), ("source", "'tickets/resolved'"), ("time", "resolved_at")],
    ),
    (
        "tickets",
        EventKind::TicketRated,
        &[("id", "ticket"), ("source", "'tickets/rated'"), ("time", "rated_at")],
    ),
    ("sentiment", EventKind::SentimentSet, &[]),
    ("usage", EventKind::UsageCounted, &[]),
];

/// How much of the log is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Everything.
    Whole,
    /// Of usage the days that the question reads and no more, as the peers do it.
    DaysAsked(Asked),
}

impl Depth {
    /// The days of usage, from the first to before the second.
    fn days(self) -> Result<Option<(Day, Day)>> {
        let Self::DaysAsked(asked) = self else { return Ok(None) };
        let ends = month_ends(asked);
        let (first, last) = ends.first().zip(ends.last()).context("some day")?;
        Ok(Some((first.parse::<Day>()?.plus(-55), last.parse::<Day>()?.plus(1))))
    }
}

/// An engine with the tables of the log in it: of each file only the columns that fill a field are read.
///
/// # Errors
/// If reading fails or a row is refused.
pub fn load_tables(folder: &Path, dedupe: Dedupe, depth: Depth) -> Result<Engine> {
    let mut engine = Engine::new(Settings { dedupe, ..Settings::default() })?;
    let options = |kind: EventKind, columns: &[(&str, &str)]| {
        let fill = |(field, from): &(&str, &str)| {
            let constant = from.strip_prefix('\'').and_then(|from| from.strip_suffix('\''));
            let fill = constant.map_or(Fill::Column((*from).to_owned()), |text| Fill::Constant(text.into()));
            ((*field).to_owned(), fill)
        };
        let client = [("subject", "client")];
        Ok::<_, anyhow::Error>(TableOptions {
            columns: columns.iter().chain(&client).map(fill).collect(),
            source: Some("warehouse".into()),
            timezone: Some("UTC".to_owned()),
            skip_without_time: true,
            days: if kind == EventKind::UsageCounted { depth.days()? } else { None },
            ..TableOptions::default()
        })
    };
    for kinds in TABLES.chunk_by(|(file, ..), (next, ..)| file == next) {
        let (file, ..) = kinds.first().context("some type of event")?;
        let kinds = kinds.iter().map(|(_, kind, columns)| Ok((*kind, options(*kind, columns)?)));
        let kinds = kinds.collect::<Result<Vec<_>>>()?;
        let file = File::open(folder.join(format!("{file}.parquet")))?;
        for (applied, (kind, _)) in engine.apply_parquet_each(&kinds, file)?.iter().zip(&kinds) {
            if let Some(first) = applied.rejected.first() {
                bail!("{} rows of {kind} were refused, first {}", applied.rejected_count(), first.error);
            }
        }
    }
    Ok(engine)
}

/// Asks for the client table at one or twelve instants, and for the twelve months.
///
/// # Errors
/// If a question is refused.
pub fn ask(engine: &Engine, asked: Asked) -> Result<Answers> {
    let (model, zone) = (model()?, engine.zone());
    let days = month_ends(asked);
    let ends = days.iter().map(|day| zone.as_of(day)).collect::<Result<Vec<_>, _>>()?;
    let tables = engine.score_tables(&model, &ends, ScoresOf::All);
    let scores = days.into_iter().zip(tables).collect();
    let last = last_month()?;
    let first = Period::month(last.plus(1 - MONTHS), zone);
    let series =
        engine.revenue_series(first.start, Period::month(last, zone).end, PeriodUnit::Month, &options()?)?;
    let months = series.rows.iter().zip(1 - MONTHS..).map(|(report, month)| {
        let row = report.total.as_ref().context("a log in one currency")?;
        Ok(movements(last.plus(month).to_string(), row))
    });
    Ok(Answers { scores, months: months.collect::<Result<_>>()? })
}

fn movements(month: String, row: &Row) -> Movements {
    // Annual amounts are kept in units of 10^-12.
    let cents = |line: Annual| line.picos() / 10_i128.pow(10);
    Movements {
        month,
        opening: cents(row.opening.arr()),
        new: cents(row.new.arr()),
        reactivation: cents(row.reactivation.arr()),
        expansion: cents(row.expansion.arr()),
        contraction: cents(row.contraction.arr()),
        churn: cents(row.churn.arr()),
        closing: cents(row.closing.arr()),
        opening_clients: row.clients.opening,
        new_clients: row.clients.new,
        reactivated_clients: row.clients.reactivated,
        churned_clients: row.clients.churned,
        closing_clients: row.clients.closing,
        nrr: row.nrr.value,
        grr: row.grr.value,
        logo_churn: row.logo_churn.value,
    }
}

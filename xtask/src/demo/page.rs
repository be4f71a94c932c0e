//! The page: 100 columns of plain text.

use super::report::{Client, CurrencyReport, Month, Report};
use super::table::{Table, cell, grouped, percent, whole_units};
use healthfold::{HeadRate, MoneyRate, Recurring};
use std::fmt::Write;

/// How many clients are shown.
const SHOWN: usize = 10;
/// The width of the page.
const WIDTH: usize = 100;

/// The report as text of at most 100 columns.
#[must_use]
pub fn page(report: &Report) -> String {
    let mut page = String::new();
    read(report, &mut page);
    if report.currencies.is_empty() {
        page.push_str("\nNobody pays\n  No subscription has brought anything in the last twelve months.\n");
    }
    for currency in &report.currencies {
        need(currency, &mut page);
    }
    for currency in &report.currencies {
        bands(currency, &mut page);
    }
    for currency in &report.currencies {
        revenue(currency, &mut page);
        retention(currency, &mut page);
        value(currency, &mut page);
    }
    page
}

/// The page with headings in bold and bands in their colours, for a terminal.
pub(crate) fn coloured(page: &str) -> String {
    const COLOURS: [(&str, &str); 3] = [("red", "31"), ("yellow", "33"), ("green", "32")];
    let mut out = String::new();
    for line in page.lines() {
        if !line.starts_with(' ') && !line.is_empty() {
            let _ = writeln!(out, "\u{1b}[1m{line}\u{1b}[0m");
            continue;
        }
        let mut line = line.to_owned();
        for (band, colour) in COLOURS {
            line = line.replacen(&format!("  {band} "), &format!("  \u{1b}[{colour}m{band}\u{1b}[0m "), 1);
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}

fn heading(page: &mut String, title: &str) {
    let _ = write!(page, "\n{title}\n");
}

fn lines(page: &mut String, lines: impl IntoIterator<Item = String>) {
    for line in lines {
        page.push_str(&line);
        page.push('\n');
    }
}

/// Words in lines of the page's width, indented by two.
fn paragraph(page: &mut String, text: &str) {
    let mut line = " ".to_owned();
    for word in text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(page, "{line}");
            line = " ".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    let _ = writeln!(page, "{line}");
}

fn date(instant: healthfold::Instant) -> String {
    instant.to_string().chars().take(10).collect()
}

fn read(report: &Report, page: &mut String) {
    let read = &report.read;
    page.push_str("What was read\n");
    paragraph(page, &format!("From {}.", read.from));
    let span =
        report.span.map(|(first, last)| format!(", {} to {}", date(first), date(last))).unwrap_or_default();
    let n = |n: u64| grouped(&n.to_string());
    let mut said = format!(
        "{} lines: {} events of {} clients{span}.",
        n(read.lines),
        n(read.applied),
        grouped(&report.clients.to_string()),
    );
    if read.duplicates > 0 {
        let _ = write!(said, " {} were there twice and count once.", n(read.duplicates));
    }
    if read.conflicts > 0 {
        let _ = write!(said, " {} came again with other content; the first stays.", n(read.conflicts));
    }
    paragraph(page, &said);
    let rejected: u64 = read.rejected.iter().map(|rejected| rejected.count).sum();
    if rejected == 0 {
        paragraph(page, "Nothing was rejected.");
    } else {
        paragraph(page, &format!("{} rejected, and nothing else touched:", n(rejected)));
        let mut table = Table::new(&["n", "<why", "line", "<the first of them"]);
        for r in &read.rejected {
            let line = r.line.map(n).unwrap_or_default();
            table.row([n(r.count), r.code.clone(), line, cell(&r.message, 62)]);
        }
        lines(page, table.lines());
    }
    paragraph(
        page,
        &format!(
            "Everything below is as of {} ({}), by the model `{}`, version {}.",
            report.as_of, report.timezone, report.model, report.version
        ),
    );
}

fn title(what: &str, currency: &CurrencyReport) -> String {
    format!("{what}: {}", currency.currency)
}

fn score_text(client: &Client) -> String {
    client.score.map_or_else(|| "-".to_owned(), |score| format!("{score:.0}"))
}

fn need(currency: &CurrencyReport, page: &mut String) {
    heading(page, &title("Who needs help", currency));
    let (shown, paying) = (SHOWN.min(currency.scored.len()), currency.scored.len() + currency.unknown.len());
    let said = match shown {
        0 => format!("None of the {paying} clients who pay in {} has a score.", currency.currency),
        _ => format!(
            "The {shown} lowest scores of {paying} clients who pay in {}, each with what costs it most, in points.",
            currency.currency
        ),
    };
    paragraph(page, &said);
    let mut table = Table::new(&["<client", "<band", "score", "MRR", "coverage", "costs", "<because"]);
    for client in currency.scored.iter().take(SHOWN) {
        rows(client, &mut table);
    }
    if shown > 0 {
        lines(page, table.lines());
    }
    if !currency.unknown.is_empty() {
        let mrr: f64 = currency.unknown.iter().map(|client| client.mrr).sum();
        paragraph(
            page,
            &format!(
                "Of {} who pay {} a month too little is known for a score{}.",
                currency.unknown.len(),
                money(mrr),
                named(&currency.unknown),
            ),
        );
    }
}

fn named(clients: &[Client]) -> String {
    const NAMED: usize = 5;
    let names: Vec<String> = clients.iter().take(NAMED).map(|client| cell(&client.client, 24)).collect();
    let more = if clients.len() > NAMED { "…" } else { "" };
    format!(": {}{more}", names.join(", "))
}

fn rows(client: &Client, table: &mut Table) {
    let first = [
        cell(&client.client, 18),
        cell(&client.band, 10),
        score_text(client),
        money(client.mrr),
        format!("{:.0} %", client.coverage * 100.0),
    ];
    let reason = |at: usize| {
        client.reasons.get(at).map(|reason| (format!("-{:.0}", reason.costs), cell(&reason.text, 41)))
    };
    let (costs, because) = reason(0).unwrap_or_default();
    table.row(first.into_iter().chain([costs, because]));
    for at in 1..client.reasons.len() {
        let (costs, because) = reason(at).unwrap_or_default();
        table.row(std::iter::repeat_n(String::new(), 5).chain([costs, because]));
    }
}

/// A float of money for people: whole units. Exact figures come from the report's decimals.
fn money(amount: f64) -> String {
    whole_units(&format!("{amount:.6}"))
}

fn bands(currency: &CurrencyReport, page: &mut String) {
    heading(page, &title("Bands", currency));
    let clients: usize = currency.bands.iter().map(|band| band.clients).sum();
    let mrr: f64 = currency.bands.iter().map(|band| band.mrr).sum();
    let mut table = Table::new(&["<band", "clients", "of all", "MRR", "of all"]);
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 clients")]
    let share =
        |part: usize| if clients == 0 { "-".to_owned() } else { percent(part as f64 / clients as f64) };
    let share_of_mrr = |part: f64| if mrr > 0.0 { percent(part / mrr) } else { "-".to_owned() };
    for band in &currency.bands {
        let cells = [cell(&band.band, 10), band.clients.to_string(), share(band.clients)];
        table.row(cells.into_iter().chain([money(band.mrr), share_of_mrr(band.mrr)]));
    }
    table.row(["all".to_owned(), clients.to_string(), share(clients), money(mrr), share_of_mrr(mrr)]);
    lines(page, table.lines());
}

/// A line of the month's table in whole units.
fn line(recurring: Recurring) -> String {
    whole_units(&recurring.mrr().to_string())
}

/// A line that took something away, as a negative number.
fn taken(recurring: Recurring) -> String {
    let text = line(recurring);
    if text == "0" { text } else { format!("-{text}") }
}

fn name(month: &Month) -> String {
    if month.partial { format!("{}*", month.name) } else { month.name.clone() }
}

fn revenue(currency: &CurrencyReport, page: &mut String) {
    heading(page, &title("Revenue month by month", currency));
    paragraph(
        page,
        "MRR in whole units, each figure rounded by itself; --json has them exact. Back: reactivated and resumed. The last row is all months from point to point, net for each client, and no sum of months.",
    );
    let mut table = Table::new(&[
        "<month",
        "opening",
        "new",
        "back",
        "expansion",
        "contraction",
        "paused",
        "churn",
        "closing",
    ]);
    for month in currency.months.iter().chain([&currency.whole]) {
        let label = if std::ptr::eq(month, &currency.whole) { "all net".to_owned() } else { name(month) };
        let row = &month.row;
        table.row([
            label,
            line(row.opening),
            line(row.new),
            line(Recurring::from(row.reactivation.annual + row.resumed.annual)),
            line(row.expansion),
            taken(row.contraction),
            taken(row.paused),
            taken(row.churn),
            line(row.closing),
        ]);
    }
    lines(page, table.lines());
    if currency.months.iter().any(|month| month.partial) {
        paragraph(page, "* not over at the instant");
    }
}

fn retention(currency: &CurrencyReport, page: &mut String) {
    heading(page, &title("Retention month by month", currency));
    paragraph(
        page,
        "Of the clients who paid at opening: NRR net and GRR gross revenue retention, of opening MRR; logo churn, left of \
         paying. In brackets 95 % intervals.",
    );
    let mut table = Table::new(&["<month", "NRR %", "<", "GRR %", "<", "left", "of", "churn %", "<"]);
    for month in currency.months.iter().chain([&currency.whole]) {
        let label = if std::ptr::eq(month, &currency.whole) { "all".to_owned() } else { name(month) };
        let row = &month.row;
        let ([nrr, nrr_ends], [grr, grr_ends]) = (of_money(&row.nrr), of_money(&row.grr));
        let HeadRate { part, whole, value, low, high } = row.logo_churn;
        let [churn, churn_ends] = rate(value, low, high);
        table.row([
            label,
            nrr,
            nrr_ends,
            grr,
            grr_ends,
            part.to_string(),
            whole.to_string(),
            churn,
            churn_ends,
        ]);
    }
    lines(page, table.lines());
    paragraph(page, "The last row is from point to point, too: who came and left inside counts in neither.");
}

fn of_money(rate_of: &MoneyRate) -> [String; 2] {
    rate(rate_of.value, rate_of.low, rate_of.high)
}

/// A rate and the ends of its interval.
fn rate(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> [String; 2] {
    let ends = low.zip(high).map(|(low, high)| format!("({:.1} to {:.1})", low * 100.0, high * 100.0));
    [
        value.map_or_else(|| "-".to_owned(), |value| format!("{:.1}", value * 100.0 + 0.0)),
        ends.unwrap_or_default(),
    ]
}

fn value(currency: &CurrencyReport, page: &mut String) {
    heading(page, &title("ARPA and LTV", currency));
    let value = &currency.value;
    let or_none = |amount: Option<f64>| amount.map_or_else(|| "undefined".to_owned(), money);
    let row = &currency.whole.row;
    let mut table = Table::new(&["<figure", "value", "<how"]);
    let mut add = |figure: &str, value: String, how: String| table.row([figure.to_owned(), value, how]);
    let how = format!("closing MRR {} / {} paying clients", line(row.closing), row.clients.closing);
    add("ARPA", or_none(value.simple.arpa.value), how);
    let churn = value
        .simple
        .monthly_churn
        .map_or_else(|| "undefined".to_owned(), |churn| format!("{:.2} %", churn * 100.0));
    let HeadRate { part, whole, .. } = value.simple.logo_churn;
    add(
        "monthly logo churn",
        churn,
        format!("{part} of {whole} left in {}, compounded to a month", currency.whole.name),
    );
    let how = format!("ARPA x margin of {} / monthly logo churn, unbounded", value.margin);
    add("simple LTV", or_none(value.simple.value), how);
    let how = format!("paid so far by {} clients: invoices and charges less refunds", value.payers);
    add("observed LTV, sum", whole_units(&value.observed.to_string()), how);
    lines(page, table.lines());
}

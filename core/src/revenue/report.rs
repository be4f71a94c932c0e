//! The shapes of the answers about revenue.

use super::divergence::Divergence;
use super::flows::{FlowKind, Flows};
use super::group::GroupKey;
use super::movement::MovementKind;
use super::settings::RevenueOptions;
use super::tags::Tag;
use crate::exchange::RateUsed;
use crate::id::{ClientId, EventRef};
use crate::money::Currency;
use crate::period::Period;
use crate::rate::{HeadRate, MoneyRate, MoneyRatio, PerHead};
use crate::recurring::minor_text;
use crate::recurring::{Annual, Recurring};
use crate::time::Instant;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A period, and whether it is over at the instant of the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ReportPeriod {
    /// The first instant inside.
    pub start: Instant,
    /// The first instant behind.
    pub end: Instant,
    /// The question's instant is before the last microsecond: the closing is the state as of that instant.
    pub partial: bool,
}

/// Clients by what they did. opening + new + reactivated + resumed - paused - churned = closing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Heads {
    /// Paid just before the period.
    pub opening: u64,
    /// Pay, and never did before.
    pub new: u64,
    /// Pay again.
    pub reactivated: u64,
    /// Pay again after a pause.
    pub resumed: u64,
    /// Stopped for a while.
    pub paused: u64,
    /// Left.
    pub churned: u64,
    /// Pay at closing.
    pub closing: u64,
    /// Came and went inside; in no other count.
    pub joined_and_left: u64,
    /// Their pause became an end; in no other count.
    pub paused_lost: u64,
}

/// The revenue of some clients over a period, in one currency.
///
/// opening + new + reactivation + resumed + expansion - contraction - paused - churn + fx = closing, exactly in `arr`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The same story in heads.
    pub clients: Heads,
    /// Just before the period.
    pub opening: Recurring,
    /// From clients that never paid before.
    pub new: Recurring,
    /// From clients that had left and came back.
    pub reactivation: Recurring,
    /// From clients that came back from a pause.
    pub resumed: Recurring,
    /// More from clients that already paid.
    pub expansion: Recurring,
    /// Less from clients that still pay.
    pub contraction: Recurring,
    /// From clients that paused.
    pub paused: Recurring,
    /// From clients that left.
    pub churn: Recurring,
    /// What exchange rates alone did to the closing.
    pub fx: Recurring,
    /// Just before the end of the period, or as of the instant of the question.
    pub closing: Recurring,
    /// From clients that came and went, each at its greatest; in no sum.
    pub joined_and_left: Recurring,
    /// From clients whose pause became an end, at the pause; in no sum.
    pub paused_lost: Recurring,
    /// The closing without subscriptions already known to end.
    pub after_cancellations: Recurring,
    /// Net revenue retention: what the clients of the opening pay at closing, per unit they paid at opening.
    pub nrr: MoneyRate,
    /// Gross revenue retention: the same, and nobody counts for more than at opening.
    pub grr: MoneyRate,
    /// The share of clients that left.
    pub logo_churn: HeadRate,
    /// 1 - logo churn: the share of clients that were kept.
    pub logo_retention: HeadRate,
    /// 1 - GRR.
    pub gross_revenue_churn: MoneyRate,
    /// Churn per unit of opening.
    pub churned_revenue: MoneyRate,
    /// 1 - NRR.
    pub net_revenue_churn: MoneyRate,
    /// Of which more left, of the opening's clients or of their money; null over nobody.
    pub churn_divergence: Option<Divergence>,
    /// What the clients of the opening pay more, per unit they paid at opening: NRR - GRR.
    pub expansion_rate: MoneyRate,
    /// The share of the closing that is paid by clients that paid at opening, all at the rates of the opening.
    pub from_existing: MoneyRate,
    /// What came in per unit lost.
    pub quick_ratio: MoneyRatio,
    /// The closing per client that pays at closing.
    pub arpa: PerHead,
    /// With grain `change`: every change inside, gross.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flows: Option<Flows>,
    /// With attribution `interval`: what came from other groups, at the MRR just before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transferred_in: Option<Transferred>,
    /// With attribution `interval`: what went to other groups, at the MRR just before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transferred_out: Option<Transferred>,
    /// With `rounded`: what the printed lines miss to the printed closing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Rounding>,
}

/// Clients that went from one group to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Transferred {
    /// How many times a paying client did.
    pub heads: u64,
    /// What they paid.
    #[serde(flatten)]
    pub recurring: Recurring,
}

impl From<(u64, Annual)> for Transferred {
    fn from((heads, annual): (u64, Annual)) -> Self {
        Self { heads, recurring: annual.into() }
    }
}

/// What rounded lines miss to the rounded closing, in units of the currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rounding {
    /// In the column of MRR.
    pub mrr: String,
    /// In the column of ARR.
    pub arr: String,
}

impl Row {
    /// The row as it prints in minor units of a currency, with the line that makes its columns foot.
    pub(crate) fn rounded(mut self, currency: Currency) -> Self {
        let lines = [
            (&mut self.opening, 1),
            (&mut self.new, 1),
            (&mut self.reactivation, 1),
            (&mut self.resumed, 1),
            (&mut self.expansion, 1),
            (&mut self.contraction, -1),
            (&mut self.paused, -1),
            (&mut self.churn, -1),
            (&mut self.fx, 1),
            (&mut self.closing, -1),
        ];
        let (mut mrr, mut arr) = (0, 0);
        for (line, sign) in lines {
            let (line_mrr, line_arr) = line.minor_units(currency);
            mrr -= sign * line_mrr;
            arr -= sign * line_arr;
            *line = line.rounded(currency);
        }
        for (transferred, sign) in [(&mut self.transferred_in, 1), (&mut self.transferred_out, -1)] {
            if let Some(Transferred { recurring, .. }) = transferred {
                let (line_mrr, line_arr) = recurring.minor_units(currency);
                mrr -= sign * line_mrr;
                arr -= sign * line_arr;
                *recurring = recurring.rounded(currency);
            }
        }
        for line in [&mut self.joined_and_left, &mut self.paused_lost, &mut self.after_cancellations] {
            *line = line.rounded(currency);
        }
        for rate in [
            &mut self.nrr,
            &mut self.grr,
            &mut self.gross_revenue_churn,
            &mut self.churned_revenue,
            &mut self.net_revenue_churn,
            &mut self.expansion_rate,
            &mut self.from_existing,
        ] {
            *rate = rate.rounded(currency);
        }
        self.quick_ratio = self.quick_ratio.rounded(currency);
        self.arpa = self.arpa.rounded(currency);
        self.flows = self.flows.map(|flows| flows.rounded(currency));
        let text = |units| minor_text(units, currency);
        self.rounding = Some(Rounding { mrr: text(mrr), arr: text(arr) });
        self
    }
}

/// The rates of the months up to the end of a period, point to point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trailing {
    /// How many months.
    pub months: u32,
    /// From when to when.
    pub period: ReportPeriod,
    /// The currency of `total`, as in the report.
    pub currency: Option<Currency>,
    /// The whole book; null with several currencies and no rates.
    pub total: Option<Row>,
    /// A row for each currency, where there are several and no rates.
    pub by_currency: Option<BTreeMap<Currency, Row>>,
    /// With a reporting currency: the rates that were used for these months.
    pub rates: Option<Vec<RateUsed>>,
}

/// The row of one group, in one currency.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupRow {
    /// What the clients have in common; null for those without a value.
    pub key: GroupKey,
    /// The currency of the figures.
    pub currency: Currency,
    /// The figures.
    #[serde(flatten)]
    pub row: Row,
}

/// Clients whose gap runs as of the question and may yet be bridged by a renewal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unsettled {
    /// How many.
    pub heads: u64,
    /// What they paid just before the gap, in the report's currency; null with several currencies.
    #[serde(flatten)]
    pub recurring: Option<Recurring>,
    /// The same by currency, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_currency: Option<BTreeMap<Currency, Recurring>>,
}

/// The revenue of the book over a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RevenueReport {
    /// The period.
    pub period: ReportPeriod,
    /// The instant of the question.
    pub as_of: Instant,
    /// The currency of `total`: the reporting currency, or the only one there is.
    pub currency: Option<Currency>,
    /// The settings of the question.
    pub settings: RevenueOptions,
    /// The whole book; null with several currencies and no rates.
    pub total: Option<Row>,
    /// Heads over all currencies.
    pub clients: Heads,
    /// A row for each currency, where there are several and no rates. Heads of these rows must not be added.
    pub by_currency: Option<BTreeMap<Currency, Row>>,
    /// With `group_by` a row for each value and currency, in order of both, no value last.
    pub groups: Option<Vec<GroupRow>>,
    /// With `renewal_grace_days`: who may yet come back in time.
    pub unsettled: Option<Unsettled>,
    /// With a reporting currency: the rates that were used.
    pub rates: Option<Vec<RateUsed>>,
    /// With `trailing`: the same over the months up to the period's end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trailing: Option<Vec<Trailing>>,
}

impl RevenueReport {
    /// The rows of the whole book: the total, or one for each currency.
    pub fn rows(&self) -> impl Iterator<Item = (Option<Currency>, &Row)> {
        let by_currency = self.by_currency.iter().flatten().map(|(currency, row)| (Some(*currency), row));
        self.total.iter().map(|row| (self.currency, row)).chain(by_currency)
    }
}

/// Reports of consecutive periods, asked as of one instant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RevenueSeries {
    /// The instant of the question.
    pub as_of: Instant,
    /// A report for each period; quiet ones are there, too.
    pub rows: Vec<RevenueReport>,
}

/// What one client did over a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MovementRow {
    /// The client.
    pub client: ClientId,
    /// The currency of the amounts.
    pub currency: Currency,
    /// With `group_by`: the group whose total it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<GroupKey>,
    /// With attribution `interval`: from when until when the client was in the group; the row is about this time alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<Period>,
    /// What it did.
    pub kind: MovementKind,
    /// What it paid just before the period.
    pub opening: Recurring,
    /// What it pays at closing, at the rates of the closing.
    pub closing: Recurring,
    /// The size of the movement, at the rates of the opening; never below 0.
    pub amount: Recurring,
    /// What exchange rates alone did to the closing.
    pub fx: Recurring,
    /// For a client that pays again: calendar days from the end of its last paying time to the first paying instant.
    pub gap_days: Option<i32>,
    /// Why it moved.
    pub tags: BTreeSet<Tag>,
    /// Churn: the reason that was stated; null where none was, and for erased clients.
    pub reason: Option<String>,
    /// The events behind it.
    pub events: Vec<EventRef>,
}

/// One change of what a client pays, inside a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeRow {
    /// The client.
    pub client: ClientId,
    /// The currency of the amounts.
    pub currency: Currency,
    /// With `group_by`: the group to whose flows it belongs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<GroupKey>,
    /// When.
    pub at: Instant,
    /// What changed.
    pub kind: FlowKind,
    /// What it paid just before, at the rates of the period's opening.
    pub opening: Recurring,
    /// What it pays then, at the rates of the period's opening.
    pub closing: Recurring,
    /// The size of the change; never below 0.
    pub amount: Recurring,
    /// Why: of what was raised, lowered or ended.
    pub tags: BTreeSet<Tag>,
    /// Of what ended: the reason that was stated; null where none was, and for erased clients.
    pub reason: Option<String>,
    /// The events behind it.
    pub events: Vec<EventRef>,
}

/// A client that pays went from one group to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransferRow {
    /// The client.
    pub client: ClientId,
    /// The currency of the amount.
    pub currency: Currency,
    /// When.
    pub at: Instant,
    /// Out of which group: part of its `transferred_out`.
    pub from: GroupKey,
    /// Into which group: part of its `transferred_in`.
    pub to: GroupKey,
    /// What it paid just before, at the rates of the period's opening.
    pub amount: Recurring,
    /// The event that stated the new group.
    pub events: Vec<EventRef>,
}

/// The movements of a period: what the lines of its report are made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Movements {
    /// The period.
    pub period: ReportPeriod,
    /// The instant of the question.
    pub as_of: Instant,
    /// The settings of the question.
    pub settings: RevenueOptions,
    /// A row for each client and currency that moved, in order of both; with attribution `interval` for each time it was
    /// in one group.
    pub rows: Vec<MovementRow>,
    /// With grain `change`: a row for each change, in order of client, currency and time. They add up to the flows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<ChangeRow>>,
    /// With attribution `interval`: a row for each time a paying client went from group to group, in the same order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfers: Option<Vec<TransferRow>>,
    /// With a reporting currency: the rates that were used.
    pub rates: Option<Vec<RateUsed>>,
}

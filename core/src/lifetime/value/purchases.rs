//! Clients that buy without a contract: how likely each is still there, how often it will buy, and what that brings.
//!
//! A model of behaviour says how many purchases to expect within the horizon, month by month, each month discounted; the
//! Gamma-Gamma model says what a purchase of the client is worth. Their product times the margin is its value. Purchases are
//! taken to be worth as much later as they were.

use super::options::{LtvHorizon, LtvMethod, LtvOptions, MONTHS};
use super::{AliveMatrix, ClientLtv, LtvModel, ModelLtv, New, NewBuyer, sum_up};
use crate::lifetime::bg_nbd::BgNbd;
use crate::lifetime::buying::{Buying, Horizon};
use crate::lifetime::fit::FitReport;
use crate::lifetime::gamma_gamma::GammaGamma;
use crate::lifetime::input::{LifetimeError, Rfm};
use crate::lifetime::mbg_nbd::MbgNbd;
use crate::lifetime::pareto_nbd::ParetoNbd;
use crate::lifetime::rfm::{RfmRow, RfmSummary};
use crate::lifetime::simple::NoLtv;
use crate::revenue::{GroupKey, Refusal, SettingError};
use std::collections::BTreeMap;

/// Weeks in a month of 365/12 days.
const WEEKS_IN_A_MONTH: f64 = 365.0 / 12.0 / 7.0;

/// A fitted model of behaviour, and its report.
fn fitted(method: LtvMethod, clients: &[Rfm]) -> Result<(Box<dyn Buying>, FitReport), LifetimeError> {
    Ok(match method {
        LtvMethod::MbgNbd => {
            let fit = MbgNbd::fit(clients)?;
            (Box::new(fit.parameters), fit.report())
        }
        LtvMethod::ParetoNbd => {
            let fit = ParetoNbd::fit(clients)?;
            (Box::new(fit.parameters), fit.report())
        }
        LtvMethod::BgNbd | LtvMethod::Simple | LtvMethod::Observed | LtvMethod::Sbg | LtvMethod::Bdw => {
            let fit = BgNbd::fit(clients)?;
            (Box::new(fit.parameters), fit.report())
        }
    })
}

/// How far to look ahead.
enum Outlook {
    /// So many months, each discounted from its end.
    Within(Horizon),
    /// Without end, discounted continuously, at a rate a week.
    Endless { rate: f64 },
}

impl Outlook {
    fn of_new(&self, model: &dyn Buying) -> f64 {
        match self {
            Self::Within(horizon) => model.discounted_of_new(horizon),
            Self::Endless { rate } => model.endless_if_alive(0, 0.0, *rate),
        }
    }
}

/// What a client that is still there has ahead of it: purchases, and the same discounted; when it came last no longer matters.
#[derive(Clone, Copy)]
struct IfAlive {
    purchases: f64,
    discounted: f64,
}

impl IfAlive {
    fn of(model: &dyn Buying, Rfm { frequency, age, .. }: &Rfm, outlook: &Outlook) -> Self {
        match outlook {
            Outlook::Within(horizon) => {
                let time = f64::from(horizon.periods) * horizon.length;
                let purchases = model.purchases_if_alive(*frequency, *age, time);
                let plain = horizon.discount == 0.0;
                let discount = || model.discounted_if_alive(*frequency, *age, horizon);
                Self { purchases, discounted: if plain { purchases } else { discount() } }
            }
            Outlook::Endless { rate } => {
                let at = |rate| model.endless_if_alive(*frequency, *age, rate);
                Self { purchases: at(0.0), discounted: at(*rate) }
            }
        }
    }
}

/// What a history has ahead of it; `None` where the model's parameters give no number.
struct Ahead {
    p_alive: Option<f64>,
    purchases: Option<f64>,
    discounted: Option<f64>,
}

impl Ahead {
    fn of(p_alive: f64, ahead: IfAlive) -> Self {
        let finite = |value: f64| Some(value).filter(|value| value.is_finite());
        let IfAlive { purchases, discounted } = ahead;
        Self {
            p_alive: finite(p_alive),
            purchases: finite(p_alive * purchases),
            discounted: finite(p_alive * discounted),
        }
    }
}

/// The greatest number of repeat purchases of which a chance is told.
const MOST_TOLD: u32 = 20;

/// The most rows of a matrix of histories, and how many columns it has beside that of recency 0.
const STEPS: u32 = 24;

/// The chances of all histories as old as the oldest, up to the frequency of the most frequent.
fn matrix(model: &dyn Buying, clients: &[Rfm]) -> Option<AliveMatrix> {
    let age = clients.iter().map(|client| client.age).max_by(f64::total_cmp).filter(|age| *age > 0.0)?;
    let most = clients.iter().map(|client| client.frequency).max()?;
    let step = most.div_ceil(STEPS).max(1) as usize;
    let rows: Vec<u32> = std::iter::once(0).chain((1..=most).step_by(step)).collect();
    let columns: Vec<f64> = (0..=STEPS).map(|step| age * f64::from(step) / f64::from(STEPS)).collect();
    let cell = |frequency: u32, recency: f64| {
        let there_is = (frequency == 0) == (recency == 0.0);
        let client = Rfm { frequency, recency, age, value: None };
        Some(model.p_alive(&client)).filter(|chance| there_is && chance.is_finite())
    };
    let row = |frequency: &u32| columns.iter().map(|recency| cell(*frequency, *recency)).collect();
    let p_alive = rows.iter().map(row).collect();
    Some(AliveMatrix { age_weeks: age, recency_weeks: columns, frequency: rows, p_alive })
}

/// What to expect of a client that is new.
fn new_buyer(model: &dyn Buying, months: u32) -> NewBuyer {
    let by = |month: u32| f64::from(month) * WEEKS_IN_A_MONTH;
    NewBuyer {
        months,
        expected: (1..=months).map(|month| model.expected_of_new(by(month))).collect(),
        chances: (0..=MOST_TOLD).map(|count| model.probability(count, by(months))).collect(),
    }
}

/// The values of clients by their purchases.
///
/// # Errors
/// Without groups: too few clients for the models.
pub(crate) fn purchases(
    summary: RfmSummary,
    options: &LtvOptions,
) -> Result<Result<ModelLtv, LifetimeError>, Refusal> {
    let endless = options.horizon_months == LtvHorizon::Unbounded;
    if endless && options.method != LtvMethod::ParetoNbd {
        let expected = "a number of months, unless by pareto_nbd, whose endless sum has a closed form";
        return Err(Refusal::Setting(SettingError::new("horizon_months", expected, "unbounded")));
    }
    let (horizon_name, horizon_months) = options.horizon();
    let months = horizon_months.unwrap_or(MONTHS);
    let outlook = if endless {
        Outlook::Endless { rate: libm::log1p(options.annual_discount) / (12.0 * WEEKS_IN_A_MONTH) }
    } else {
        let discount = LtvOptions::over(options.annual_discount, 1.0);
        Outlook::Within(Horizon { periods: months, length: WEEKS_IN_A_MONTH, discount })
    };
    let grouped = options.lifetime.revenue.group_by.is_some();
    let mut groups: BTreeMap<&GroupKey, Vec<&RfmRow>> = BTreeMap::new();
    for row in &summary.clients {
        groups.entry(&row.key).or_default().push(row);
    }
    if !grouped && groups.is_empty() {
        groups.insert(&GroupKey::None, Vec::new());
    }
    let (mut models, mut new, mut clients) = (Vec::new(), New::new(), Vec::new());
    let mut alive = None;
    for (key, rows) in groups {
        let data: Vec<Rfm> = rows.iter().map(|row| row.in_weeks()).collect();
        let behaviour = match fitted(options.method, &data) {
            Ok(behaviour) => Some(behaviour),
            Err(fault) if !grouped => return Ok(Err(fault)),
            Err(_) => None,
        };
        // Of many clients whose purchases all come to the same, what the next one brings needs no model.
        let values = GammaGamma::fit(&data).ok();
        if let Some((model, _)) = behaviour.as_ref().filter(|_| !grouped) {
            alive = matrix(model.as_ref(), &data);
        }
        let mut push = |fit, new_client| {
            models.push(LtvModel { key: key.clone(), unit: "week", fit, curve: None, new_client });
        };
        let told = behaviour.iter().map(|(model, report)| (report, new_buyer(model.as_ref(), months)));
        told.for_each(|(report, new_client)| push(report.clone(), Some(new_client)));
        values.iter().for_each(|fit| push(fit.report(), None));
        let margin = options.margin.to_f64();
        if let (Some((model, _)), Some(values)) = (&behaviour, &values) {
            let spending = values.parameters.expected_value(0, 0.0);
            // The first purchase is there with the client.
            let later = outlook.of_new(model.as_ref());
            if let Some(spending) = spending.filter(|_| later.is_finite()) {
                new.insert((key.clone(), summary.currency), (1.0 + later) * spending * margin);
            }
        }
        // Many clients came back equally often in the same age.
        let mut known: BTreeMap<(u32, u32), IfAlive> = BTreeMap::new();
        for (row, client) in rows.iter().zip(&data) {
            let mut shown = ClientLtv::new(&row.client, key, options, summary.currency);
            shown.frequency = Some(client.frequency);
            shown.recency_weeks = Some(client.recency);
            shown.age_weeks = Some(client.age);
            let ahead = behaviour.as_ref().map(|(model, _)| {
                let alike = (row.frequency, row.age_days);
                let if_alive =
                    known.entry(alike).or_insert_with(|| IfAlive::of(model.as_ref(), client, &outlook));
                Ahead::of(model.p_alive(client), *if_alive)
            });
            shown.p_alive = ahead.as_ref().and_then(|ahead| ahead.p_alive);
            shown.expected = ahead.as_ref().and_then(|ahead| ahead.purchases);
            shown.discounted = ahead.as_ref().and_then(|ahead| ahead.discounted);
            if let Some(values) = &values {
                shown.purchase_value = values.parameters.expected_value_of(client);
            }
            shown.value =
                shown.discounted.zip(shown.purchase_value).map(|(purchases, each)| purchases * each * margin);
            shown.why = match (&behaviour, shown.value) {
                (_, Some(_)) => None,
                (None, None) => Some(NoLtv::TooFew),
                (Some(_), None) if endless && shown.discounted.is_none() => Some(NoLtv::Unbounded),
                (Some(_), None) => Some(NoLtv::NoRepeatValue),
            };
            clients.push(shown);
        }
    }
    clients.sort_by(|a, b| a.client.cmp(&b.client));
    let (values, groups) = sum_up(&clients, &new, grouped);
    Ok(Ok(ModelLtv {
        method: options.method,
        horizon: horizon_name,
        horizon_months,
        basis: options.basis(),
        margin: options.margin,
        annual_discount: options.annual_discount,
        as_of: summary.as_of,
        settings: options.resolved(summary.as_of),
        models,
        values,
        groups,
        alive,
        left_out: summary.left_out,
        clients,
    }))
}

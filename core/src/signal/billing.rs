//! Signals of money: what a client pays, owes and is bound to. The run-rate is that of the revenue report.

use super::params::{AtLeast, Days, Positive};
use super::{Measure, Missing, View, signal};
use crate::event::Moment;
use crate::event::billing::Status;
use crate::exchange::NoValue;
use crate::money::Currency;
use crate::quantity::scaled_to_f64;
use crate::recurring::Annual;
use crate::state::billing::{InvoiceAt, InvoiceChange, Subscription, instant_of};
use crate::state::run_rate::{RunRateRules, annual_at, annual_in_one, first_paying, is_paying, paying};
use crate::time::{Day, Instant};
use crate::timeline::Timeline;

/// The seats of the subscriptions that pay; `None` where none of them states any.
pub(crate) fn paid_seats(view: &View<'_>) -> Option<f64> {
    let rules = RunRateRules::default();
    let stated =
        paying(&view.state.billing, view.at, &rules, view.zone).filter_map(|(_, step)| step.state().seats);
    let micros = stated.map(|seats| i128::from(seats.quantity().micros())).reduce(|a, b| a + b)?;
    Some(scaled_to_f64(micros, 6))
}

impl View<'_> {
    /// Whether the client pays, in any currency.
    pub(crate) fn pays(&self) -> bool {
        is_paying(&self.state.billing, self.at, &RunRateRules::default(), self.zone)
    }

    /// Days since the first paying day.
    pub(crate) fn tenure_days(&self) -> Option<i32> {
        let ever = || first_paying(&self.state.billing, Instant::MAX, &RunRateRules::default(), self.zone);
        let first = self.known.map_or_else(ever, |known| known.first_paying(ever));
        let first = first.filter(|first| *first <= self.at)?;
        Some(self.today.days_since(self.zone.day(first)))
    }

    /// What the client pays a year at an instant, in one currency: the named one, that of the model at the rates of
    /// another instant, or the only one there is.
    fn annual(
        &self,
        at: Instant,
        currency: Option<Currency>,
        rates_at: Instant,
    ) -> Result<(Option<Currency>, Annual), Missing> {
        let (billing, rules, zone) = (&self.state.billing, RunRateRules::default(), self.zone);
        if let Some(currency) = currency {
            let steps = paying(billing, at, &rules, zone).map(|(_, step)| step);
            let sum = steps.filter(|step| step.currency() == Some(currency)).map(|step| step.annual).sum();
            return Ok((Some(currency), sum));
        }
        if let Some(rates) = self.rates {
            let sums = annual_at(billing, at, &rules, zone);
            let values =
                sums.into_iter().map(|(currency, annual)| rates.value(annual, currency, rates_at, self.zone));
            let sum = values.sum::<Result<Annual, NoValue>>().map_err(|_| Missing::MissingRate)?;
            return Ok((Some(rates.reporting()), sum));
        }
        annual_in_one(billing, at, &rules, zone).ok_or(Missing::SeveralCurrencies)
    }
}

signal! {
    /// Monthly recurring revenue, as the revenue report has it.
    Mrr = "mrr", "money a month", Up, instant {
        /// Only subscriptions in this currency.
        currency: Option<Currency>,
    }
}

impl Measure for Mrr {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.annual(view.at, self.currency, view.at).map(|(_, annual)| annual.mrr_f64())
    }
}

signal! {
    /// Monthly recurring revenue now over that of some days ago.
    MrrTrend = "mrr_trend", "ratio", Up, window {
        /// How many days ago it is compared with.
        days: Days,
        /// Only subscriptions in this currency.
        currency: Option<Currency>,
    }
}

impl Measure for MrrTrend {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let then = view.zone.end_of(view.today.plus(-self.days.0));
        // Both ends at the earlier rate, so that rates alone move nothing.
        let (before_in, before) = view.annual(then, self.currency, then)?;
        let (now_in, now) = view.annual(view.at, self.currency, then)?;
        if before_in.is_some() && now_in.is_some() && before_in != now_in {
            return Err(Missing::SeveralCurrencies);
        }
        if before.is_zero() { Err(Missing::TooLittle) } else { Ok(now.mrr_f64() / before.mrr_f64()) }
    }
}

signal! {
    /// The greatest age in days past due of an unpaid invoice; 0 without one, and while a payment plan runs.
    OverdueDays = "overdue_days", "days", Down, instant {}
}

impl OverdueDays {
    /// How many days an invoice is past due; 0 where nothing is owed.
    pub(super) fn age(view: &View<'_>, invoice: &Timeline<InvoiceChange>) -> i32 {
        // Most are paid and done with, which their last entry tells.
        if matches!(invoice.value_at(view.at), None | Some(InvoiceChange::Paid | InvoiceChange::Voided)) {
            return 0;
        }
        let stands = InvoiceAt::of(invoice, view.at);
        let owed = stands.filter(|invoice| !invoice.paid && !invoice.voided && invoice.amount.micros() > 0);
        // A due date is payable throughout its day; a due instant until it has passed.
        let age = match owed.map(|invoice| invoice.due) {
            Some(Moment::On(day)) => view.today.days_since(day),
            Some(Moment::At(due)) if due < view.at => view.today.days_since(view.zone.day(due)),
            Some(Moment::At(_) | Moment::Never) | None => 0,
        };
        age.max(0)
    }

    /// The age of the invoice that is longest past due.
    pub(super) fn greatest_age(view: &View<'_>) -> i32 {
        view.state.billing.invoices.values().map(|invoice| Self::age(view, invoice)).max().unwrap_or(0)
    }
}

impl Measure for OverdueDays {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.heard(view.facts.invoices)?;
        let runs = |until: &Moment| instant_of(*until, view.zone).is_none_or(|until| view.at < until);
        let mut plans =
            view.state.billing.more.payment_plans.values().filter_map(|plan| plan.value_at(view.at));
        if plans.any(runs) {
            return Ok(0.0);
        }
        Ok(f64::from(Self::greatest_age(view)))
    }
}

signal! {
    /// Payments that did not go through in the window.
    FailedPayments = "failed_payments", "payments", Down, window {
        /// The window: so many calendar days that end with the usage day.
        days: Days,
    }
}

impl Measure for FailedPayments {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.heard(view.facts.payments)?;
        let (first, last) = view.days(self.days.0);
        let failed = view.state.billing.more.failed.up_to(view.at).iter();
        let inside = failed.filter(|entry| (first..=last).contains(&view.zone.day(entry.at())));
        #[expect(clippy::cast_precision_loss, reason = "counts of payments are far below 2^53")]
        Ok(inside.count() as f64)
    }
}

signal! {
    /// Days to the nearest coming end of term of a paying subscription.
    DaysToRenewal = "days_to_renewal", "days", Either, instant {}
}

impl Measure for DaysToRenewal {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let rules = RunRateRules::default();
        let ends = paying(&view.state.billing, view.at, &rules, view.zone)
            .filter_map(|(_, step)| step.state().more.term_end);
        let coming = ends.filter_map(|end| instant_of(end, view.zone)).filter(|end| *end > view.at).min();
        coming.map(|end| f64::from(view.zone.day(end).days_since(view.today))).ok_or(Missing::NeverSeen)
    }
}

signal! {
    /// Days since the first paying day.
    TenureDays = "tenure_days", "days", Up, instant {}
}

impl Measure for TenureDays {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.tenure_days().map(f64::from).ok_or(Missing::NeverSeen)
    }
}

signal! {
    /// Days to the nearest coming end of a running trial.
    DaysToTrialEnd = "days_to_trial_end", "days", Either, instant {}
}

impl Measure for DaysToTrialEnd {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let ends = trials(view).filter_map(|state| instant_of(state.more.trial_end?, view.zone));
        let coming = ends.filter(|end| *end > view.at).min();
        coming.map(|end| f64::from(view.zone.day(end).days_since(view.today))).ok_or(Missing::NeverSeen)
    }
}

signal! {
    /// How far a bill of the window stands above what this client is used to: the greatest of invoice / median of the
    /// invoices before it. With a half-life it is pulled toward 1 as it ages.
    BillShock = "bill_shock", "ratio", Down, window {
        /// How long a bill is felt.
        days: Days = Days(90),
        /// How far back earlier invoices count.
        baseline_days: Days = Days(365),
        /// The fewest earlier invoices that say what is usual.
        min_invoices: AtLeast = AtLeast(3),
        /// After how many days half of the shock is forgotten; without it none is.
        half_life_days: Option<Positive>,
    }
}

impl Measure for BillShock {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        view.heard(view.facts.invoices)?;
        let invoices = view.state.billing.invoices.values();
        let standing = invoices.filter_map(|invoice| {
            let first = invoice.entries().iter().find(|e| matches!(e.value, InvoiceChange::Issued { .. }))?;
            InvoiceAt::of(invoice, view.at).map(|stands| (view.zone.day(first.at()), stands))
        });
        let mut bills: Vec<(Day, InvoiceAt)> =
            standing.filter(|(_, bill)| !bill.voided && bill.amount.micros() > 0).collect();
        bills.sort_by_key(|(day, bill)| (*day, bill.currency, bill.amount.micros()));
        let (first, last) = view.days(self.days.0);
        let felt = bills.iter().filter(|(day, _)| (first..=last).contains(day));
        let shocks = felt.filter_map(|(day, bill)| {
            let base = day.plus(-self.baseline_days.0);
            let earlier = bills
                .iter()
                .filter(|(before, other)| (base..*day).contains(before) && other.currency == bill.currency);
            let mut amounts: Vec<f64> = earlier.map(|(_, other)| money(other)).collect();
            amounts.sort_by(f64::total_cmp);
            let enough = amounts.len() >= self.min_invoices.0;
            let usual = super::statistics::quantile(&amounts, 0.5).filter(|_| enough)?;
            let shock = money(bill) / usual;
            let age = f64::from(view.today.days_since(*day));
            let fades = self.half_life_days.map_or(1.0, |half_life| libm::exp2(-age / half_life.0));
            Some(1.0 + (shock - 1.0) * fades)
        });
        shocks.reduce(f64::max).ok_or(Missing::TooLittle)
    }
}

/// An invoice's amount.
fn money(invoice: &InvoiceAt) -> f64 {
    scaled_to_f64(invoice.amount.micros(), 6)
}

/// The subscriptions on trial at the view's instant.
fn trials<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Subscription> {
    let standing = view.state.billing.subscriptions.values().filter_map(|states| states.value_at(view.at));
    let trials = standing.filter(|state| state.status == Status::Trialing);
    trials.filter(|state| state.ends_at(view.zone).is_none_or(|end| end > view.at))
}

/// Whether a subscription is on trial at the view's instant.
pub(crate) fn on_trial(view: &View<'_>) -> bool {
    trials(view).next().is_some()
}

//! The revenue of one period while events come: what each client adds to it is known, so that what a client that changed
//! added can be taken away, and what it adds now be added. The sums are those of a report, bit for bit.

use super::movement::{Did, Ground, Span, Walk};
use super::pass::Gathered;
use super::policy::{Grain, IntervalMethod, SettingError};
use super::report::RevenueReport;
use super::{Question, Refusal, Room, Shared};
use crate::book::Client;
use crate::money::Currency;
use crate::period::Period;
use std::collections::BTreeMap;

/// A question about one period, of one client after the other.
pub(crate) struct Asking<'q> {
    question: &'q Question<'q>,
    shared: Shared,
    span: Span,
}

/// What one client adds.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    by_currency: Vec<(Currency, Did)>,
    /// What it did over all currencies, where there are several.
    whole: Option<Did>,
}

/// What all clients add up to.
#[derive(Clone, Debug, Default)]
pub(crate) struct LiveRevenue {
    gathered: Gathered,
    /// How many clients add something in each currency.
    heads: BTreeMap<Currency, u64>,
}

impl<'q> Asking<'q> {
    /// # Errors
    /// For what needs more than sums that go up and down.
    pub(crate) fn new(question: &'q Question<'q>, period: Period) -> Result<Self, Refusal> {
        let options = question.options;
        let refused = [
            (
                options.group_by.as_ref().map(ToString::to_string),
                "group_by",
                "null: a watched period has no groups",
            ),
            (
                (options.grain == Grain::Change).then(|| Grain::Change.as_str().to_owned()),
                "grain",
                "net: a watched period has no flows",
            ),
            (
                (!options.trailing.is_empty()).then(|| format!("{:?}", options.trailing)),
                "trailing",
                "empty: watch those months by themselves",
            ),
            (
                (options.interval == IntervalMethod::Bootstrap)
                    .then(|| IntervalMethod::Bootstrap.as_str().to_owned()),
                "interval",
                "linearised: a watched period has no intervals",
            ),
            (
                (options.renewal_grace_days > 0).then(|| options.renewal_grace_days.to_string()),
                "renewal_grace_days",
                "0: a watched period has no open renewals",
            ),
        ];
        if let Some((Some(found), setting, expected)) =
            refused.into_iter().find(|(found, ..)| found.is_some())
        {
            return Err(Refusal::Setting(SettingError::new(setting, expected, &found)));
        }
        Ok(Self { question, shared: question.shared()?, span: Span::new(period, question.as_of) })
    }

    /// What a client adds; `None` if it never pays, or is not asked about.
    pub(crate) fn part(&self, client: &Client<'_>) -> Result<Option<Part>, Refusal> {
        if !self.shared.is_about(client.id) {
            return Ok(None);
        }
        let ground = self.question.ground(&self.shared);
        let mut part = None;
        self.question.show(&self.shared, client, &mut Room::default(), |views, whole| {
            let did = |view, ground| Walk::new(view, ground).over(&self.span).cloned();
            let each = views.iter().map(|(currency, view)| Ok((*currency, did(view, ground)?)));
            let by_currency = each.collect::<Result<Vec<_>, Refusal>>()?;
            let by_all_heads = Ground { rates: None, ..ground };
            let whole = if views.len() > 1 { Some(did(whole, by_all_heads)?) } else { None };
            part = Some(Part { by_currency, whole });
            Ok(())
        })?;
        Ok(part)
    }

    /// The report of what all clients add up to: without intervals, which need all clients again.
    pub(crate) fn report(&self, live: &LiveRevenue) -> RevenueReport {
        live.gathered.report(self.question, &self.span, self.shared.rates.as_ref())
    }
}

impl LiveRevenue {
    pub(crate) fn add(&mut self, part: &Part) {
        for (currency, did) in part.counted() {
            *self.heads.entry(*currency).or_default() += 1;
            self.gathered.by_currency.entry(*currency).or_default().add_figures(did);
        }
        self.gathered.heads += part.heads();
    }

    pub(crate) fn remove(&mut self, part: &Part) {
        for (currency, did) in part.counted() {
            if let Some(sums) = self.gathered.by_currency.get_mut(currency) {
                sums.remove_figures(did);
            }
            // A currency that nobody adds anything in is not told.
            if let Some(heads) = self.heads.get_mut(currency) {
                *heads = heads.saturating_sub(1);
                if *heads == 0 {
                    self.heads.remove(currency);
                    self.gathered.by_currency.remove(currency);
                }
            }
        }
        self.gathered.heads -= part.heads();
    }
}

impl Part {
    fn counted(&self) -> impl Iterator<Item = &(Currency, Did)> {
        self.by_currency.iter().filter(|(_, did)| !matches!(did, Did::Nothing))
    }

    fn heads(&self) -> super::report::Heads {
        let mut heads = super::report::Heads::default();
        match (&self.whole, self.by_currency.as_slice()) {
            (Some(did), _) | (None, [(_, did)]) => heads.add(did),
            (None, _) => {}
        }
        heads
    }
}

//! Cohorts: the clients that began to pay in one month, and what became of them month by month.

use super::group::GroupKey;
use super::movement::{Span, paid_at};
use super::policy::{Attribution, GroupBy};
use super::run_rate::View;
use super::settings::RevenueOptions;
use super::{Question, Refusal, SettingError};
use crate::book::Client;
use crate::money::Currency;
use crate::period::Period;
use crate::rate::{share, share_of_heads};
use crate::recurring::{Annual, Recurring};
use crate::time::{Instant, Month};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use std::collections::BTreeMap;

/// The cohorts of a book.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cohorts {
    /// The instant of the question.
    pub as_of: Instant,
    /// The settings of the question.
    pub settings: RevenueOptions,
    /// One for each month in which somebody began to pay, with `group_by` for each value, in order of month, key and
    /// currency.
    pub cohorts: Vec<Cohort>,
}

/// The clients whose first paying instant lies in one month.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cohort {
    /// The month.
    pub cohort: Month,
    /// With `group_by`: what its clients have in common at their first paying instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<GroupKey>,
    /// The currency of the amounts; clients are judged by it alone.
    pub currency: Currency,
    /// How many clients.
    pub clients: u64,
    /// One for each month that is over, from the first on.
    pub cells: Vec<CohortCell>,
}

/// A cohort at the end of a month.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CohortCell {
    /// How many months after the cohort's own; 0 is that month itself.
    pub months: u32,
    /// How many clients pay.
    pub clients: u64,
    /// What they pay, at the rates of the end of the cohort's own month.
    pub recurring: Recurring,
    /// The share of the cohort's clients; below 1 in month 0 already if somebody came and went.
    pub clients_share: Option<f64>,
    /// What they pay as a share of the MRR at the end of month 0.
    pub mrr_share: Option<f64>,
}

impl Serialize for CohortCell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("CohortCell", 6)?;
        fields.serialize_field("months", &self.months)?;
        fields.serialize_field("clients", &self.clients)?;
        fields.serialize_field("mrr", &self.recurring.mrr_text())?;
        fields.serialize_field("arr", &self.recurring.arr_text())?;
        fields.serialize_field("clients_share", &self.clients_share)?;
        fields.serialize_field("mrr_share", &self.mrr_share)?;
        fields.end()
    }
}

/// What a pass gathers for one cohort.
#[derive(Default)]
struct Gathered {
    clients: u64,
    cells: Vec<(u64, Annual)>,
}

/// When months end, as far as was asked.
type Ends = BTreeMap<Month, Instant>;
/// What is gathered for each cohort.
type ByCohort = BTreeMap<(Month, Option<GroupKey>, Currency), Gathered>;

/// The cohorts whose month lies in a range, both ends included.
pub(crate) fn cohorts(
    question: &Question<'_>,
    (first, last): (Option<Month>, Option<Month>),
) -> Result<Cohorts, Refusal> {
    let refused = |setting, expected: &str, found: &str| {
        Err(Refusal::Setting(SettingError::new(setting, expected, found)))
    };
    if question.options.group_by == Some(GroupBy::Cohort) {
        return refused("group_by", "another than cohort, for these are cohorts", "cohort");
    }
    if question.options.attribution == Attribution::Interval {
        let expected = "opening: a client stays in the group of its first paying instant";
        return refused("attribution", expected, "interval");
    }
    let shared = question.shared()?;
    let ground = question.ground(&shared);
    let grouping = question.grouping(&shared, question.as_of);
    let zone = question.zone;
    let see = |(ends, gathered): &mut (Ends, ByCohort),
               client: &Client<'_>,
               views: &[(Currency, View<'_, '_>)],
               _: &View<'_, '_>| {
        for (currency, view) in views {
            let began = view.spells.first().map(|spell| spell.from).filter(|from| *from <= question.as_of);
            let Some(began) = began else { continue };
            let month = zone.day(began).month();
            if first.is_some_and(|first| month < first) || last.is_some_and(|last| month > last) {
                continue;
            }
            // Everything is valued at the end of the first month, so that shares hold no rate.
            let span = Span::new(Period::month(month, zone), question.as_of);
            let span = Span { rates_at: (span.closing, span.closing), ..span };
            let key = grouping.as_ref().map(|by| by.key(client, view, began, &span)).transpose()?;
            let cohort = gathered.entry((month, key, *currency)).or_default();
            cohort.clients += 1;
            for months in 0.. {
                let cell_month = month.plus(months);
                let end = *ends.entry(cell_month).or_insert_with(|| Period::month(cell_month, zone).end);
                if end > question.as_of {
                    break;
                }
                let slot = usize::try_from(months).unwrap_or_default();
                if cohort.cells.len() <= slot {
                    cohort.cells.resize(slot + 1, (0, Annual::ZERO));
                }
                let at = end.just_before();
                if view.spell_at(at).is_some() {
                    let amount = paid_at(view, &span, &ground, view.look(at))?;
                    if let Some((clients, sum)) = cohort.cells.get_mut(slot) {
                        *clients += 1;
                        *sum += amount;
                    }
                }
            }
        }
        Ok(())
    };
    let join = |(_, before): &mut (Ends, ByCohort), (_, after): (Ends, ByCohort)| {
        for (cohort, gathered) in after {
            before.entry(cohort).or_default().append(gathered);
        }
    };
    let (_, gathered) = question.gather(&shared, Default::default, see, join)?;
    let cohorts = gathered.into_iter().map(|((cohort, key, currency), gathered)| Cohort {
        cohort,
        key,
        currency,
        clients: gathered.clients,
        cells: gathered.cells(currency, question.options),
    });
    Ok(Cohorts { as_of: question.as_of, settings: question.settings(), cohorts: cohorts.collect() })
}

impl Gathered {
    /// Adds what was gathered of other clients of the cohort.
    fn append(&mut self, other: Self) {
        self.clients += other.clients;
        let longest = self.cells.len().max(other.cells.len());
        self.cells.resize(longest, (0, Annual::ZERO));
        for ((clients, sum), (more, annual)) in self.cells.iter_mut().zip(other.cells) {
            *clients += more;
            *sum += annual;
        }
    }

    fn cells(&self, currency: Currency, options: &RevenueOptions) -> Vec<CohortCell> {
        let first = self.cells.first().map_or(Annual::ZERO, |(_, annual)| *annual);
        let cell = |(months, (clients, annual)): (u32, &(u64, Annual))| CohortCell {
            months,
            clients: *clients,
            recurring: options.line(*annual, currency),
            clients_share: share_of_heads(*clients, self.clients),
            mrr_share: share(*annual, first),
        };
        (0..).zip(&self.cells).map(cell).collect()
    }
}

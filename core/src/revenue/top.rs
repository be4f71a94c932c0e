//! The clients with the greatest MRR at an instant. Frozen as `only_clients`, they can be followed through other reports.

use super::movement::{Span, paid_at};
use super::run_rate::View;
use super::settings::RevenueOptions;
use super::{Question, Refusal};
use crate::book::Client;
use crate::id::ClientId;
use crate::money::Currency;
use crate::period::Period;
use crate::recurring::{Annual, Recurring};
use crate::time::Instant;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The clients with the greatest MRR at an instant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TopClients {
    /// The instant of the question.
    pub as_of: Instant,
    /// The currency of the amounts; null where nobody pays.
    pub currency: Option<Currency>,
    /// The settings of the question.
    pub settings: RevenueOptions,
    /// From the greatest MRR down, equal ones in order of their ids.
    pub clients: Vec<TopClient>,
}

/// A client and what it pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TopClient {
    /// The client.
    pub client: ClientId,
    /// What it pays at the instant.
    #[serde(flatten)]
    pub recurring: Recurring,
}

impl TopClients {
    /// Who they are, as [`RevenueOptions::only_clients`] takes them.
    pub fn ids(&self) -> BTreeSet<ClientId> {
        self.clients.iter().map(|row| row.client.clone()).collect()
    }
}

/// What each client pays, by currency.
type Paid = BTreeMap<Currency, Vec<(Annual, ClientId)>>;

/// The `n` clients that pay most as of the question.
pub(crate) fn top(question: &Question<'_>, n: usize) -> Result<TopClients, Refusal> {
    let shared = question.shared()?;
    let ground = question.ground(&shared);
    let as_of = question.as_of;
    let instant = Period { start: as_of, end: as_of.just_after() };
    let span = Span { rates_at: (as_of, as_of), ..Span::new(instant, as_of) };
    let see = |paid: &mut Paid, client: &Client<'_>, views: &[(Currency, View<'_, '_>)], _: &View<'_, '_>| {
        for (currency, view) in views.iter().filter(|(_, view)| view.spell_at(as_of).is_some()) {
            let annual = paid_at(view, &span, &ground, view.look(as_of))?;
            paid.entry(*currency).or_default().push((annual, client.id.clone()));
        }
        Ok(())
    };
    let join = |before: &mut Paid, after: Paid| {
        for (currency, mut clients) in after {
            before.entry(currency).or_default().append(&mut clients);
        }
    };
    let mut paid = question.gather(&shared, Paid::new, see, join)?.into_iter();
    let (first, second) = (paid.next(), paid.next());
    if let Some((currency, _)) = second {
        // Amounts of two currencies have no order without a rate between them.
        return Err(Refusal::MissingRate { currency, date: question.zone.day(as_of) });
    }
    let (currency, mut clients) = first.unzip();
    let clients = clients.get_or_insert_default();
    clients.sort_by(|(a, a_id), (b, b_id)| b.cmp(a).then_with(|| a_id.cmp(b_id)));
    let row = |(annual, client): &(Annual, ClientId)| TopClient {
        client: client.clone(),
        recurring: currency.map_or((*annual).into(), |currency| question.options.line(*annual, currency)),
    };
    let clients = clients.iter().take(n).map(row).collect();
    let currency = currency.or(question.options.currency);
    Ok(TopClients { as_of, currency, settings: question.settings(), clients })
}

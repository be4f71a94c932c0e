//! What a signal is read from: one client, one instant, what the book knows, and the model around it.

use super::{Known, Missing, Reading};
use crate::book::Book;
use crate::event::Moment;
use crate::exchange::Rates;
use crate::facts::Facts;
use crate::state::ClientState;
use crate::state::support::TicketAt;
use crate::time::{Day, Instant};
use crate::timeline::Timeline;
use crate::zone::Zone;

/// A source whose silence is told from the silence of its clients.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SourceRule {
    pub(crate) source: String,
    pub(crate) silent_after_days: i32,
    pub(crate) metrics: Option<Vec<String>>,
    /// From when on it was to be heard of, where that is stated.
    pub(crate) since: Option<Moment>,
}

/// What a signal may ask of the model around it.
pub(crate) trait Scope {
    /// Another signal of the model, at the instant of the view.
    fn reading(&self, signal: usize) -> Reading;

    /// The client's lifecycle stage at the instant of a view of it; `None` in none of them.
    ///
    /// # Errors
    /// If the answer needs detail from before the seal.
    fn stage(&self, view: &View<'_>) -> Result<Option<&str>, Missing>;

    /// How many users were active in a window of so many days that ends with the usage day of the view.
    ///
    /// # Errors
    /// If the window begins before the seal.
    fn active_users(&self, days: i32) -> Result<usize, Missing>;

    /// Every ticket of the client that was opened by the instant of the view, as it stands then.
    fn tickets(&self) -> &[TicketAt<'_>];

    /// The days on which that stage can become another one, in any order and more than once; `None` if it can be any day.
    fn turning_days(&self, view: &View<'_>) -> Option<Vec<Day>>;
}

/// What a signal is read from: one resolved client at one instant, and what the book knows.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) state: &'a ClientState,
    pub(crate) at: Instant,
    /// The calendar day that holds the instant: what ages are counted from.
    pub(crate) today: Day,
    /// The day through which usage counts.
    pub(crate) usage_day: Day,
    pub(crate) zone: &'a Zone,
    pub(crate) book: &'a Book,
    pub(crate) facts: &'a Facts,
    pub(crate) sealed: Option<Day>,
    pub(crate) sources: &'a [SourceRule],
    /// The model's reporting currency and rates, if it has them.
    pub(crate) rates: Option<&'a Rates>,
    /// The model around the signal, if there is one.
    pub(crate) scope: Option<&'a dyn Scope>,
    /// What is known of the client whatever the instant, if a model is around the signal; it numbers the metrics.
    pub(crate) known: Option<&'a Known>,
    /// Whether the client has an event at or before the instant, or usage on a day at or before its day.
    pub(crate) seen: bool,
    /// Where the windows of the model's signals are moved back to, as far as that is known.
    pub(crate) back: &'a [MovedBack],
}

/// The end of the day so many days before an instant, which is the same for all clients.
#[derive(Clone, Copy)]
pub(crate) struct MovedBack {
    days: i32,
    at: Instant,
    today: Day,
    usage_day: Day,
}

/// What the views of all clients share, worked out once a question.
#[derive(Clone, Copy)]
pub(crate) struct Vantage<'a> {
    at: Instant,
    today: Day,
    usage_day: Day,
    zone: &'a Zone,
    book: &'a Book,
    facts: &'a Facts,
    sealed: Option<Day>,
}

impl<'a> Vantage<'a> {
    pub(crate) fn new(at: Instant, zone: &'a Zone, book: &'a Book, sealed: Option<Day>) -> Self {
        let (today, usage_day) = (zone.day(at), zone.usage_day(at));
        Self { at, today, usage_day, zone, book, facts: book.facts(), sealed }
    }

    pub(crate) fn view(&self, state: &'a ClientState) -> View<'a> {
        let Self { at, today, usage_day, zone, book, facts, sealed } = *self;
        View {
            state,
            at,
            today,
            usage_day,
            zone,
            book,
            facts,
            sealed,
            sources: &[],
            rates: None,
            scope: None,
            known: None,
            seen: seen(state, at, today),
            back: &[],
        }
    }

    /// The end of the day so many days before the instant.
    pub(crate) fn moved_back(&self, days: i32) -> MovedBack {
        let at = self.zone.end_of(self.today.plus(-days));
        MovedBack { days, at, today: self.zone.day(at), usage_day: self.zone.usage_day(at) }
    }
}

/// Whether a client has an event by an instant. Most have used something by then or have a contract, so these are asked
/// first.
fn seen(state: &ClientState, at: Instant, today: Day) -> bool {
    let mut contracts = state.billing.subscriptions.values().filter_map(Timeline::first);
    state.usage.first_time().is_some_and(|first| first <= at)
        || state.usage.first_day().is_some_and(|first| first <= today)
        || contracts.any(|stated| stated.at() <= at)
        || state.first_event().is_some_and(|first| first <= at)
}

impl<'a> View<'a> {
    pub(crate) fn new(
        state: &'a ClientState,
        at: Instant,
        zone: &'a Zone,
        book: &'a Book,
        sealed: Option<Day>,
    ) -> Self {
        Vantage::new(at, zone, book, sealed).view(state)
    }

    /// The same client at another instant, where the readings of this one say nothing.
    pub(crate) fn moved_to(self, at: Instant) -> Self {
        let (today, usage_day) = (self.zone.day(at), self.zone.usage_day(at));
        Self { at, today, usage_day, scope: None, seen: seen(self.state, at, today), back: &[], ..self }
    }

    /// The same client at the end of the day so many days ago.
    pub(super) fn moved_back(self, days: i32) -> Self {
        let Some(known) = self.back.iter().find(|back| back.days == days) else {
            return self.moved_to(self.zone.end_of(self.today.plus(-days)));
        };
        let MovedBack { at, today, usage_day, .. } = *known;
        Self { at, today, usage_day, scope: None, seen: seen(self.state, at, today), back: &[], ..self }
    }

    pub(crate) fn seen(&self) -> bool {
        self.seen
    }

    /// A count of nothing is 0 only once the book has seen such an event.
    pub(super) fn heard(&self, first: Option<Instant>) -> Result<(), Missing> {
        if first.is_some_and(|first| first <= self.at) { Ok(()) } else { Err(Missing::NeverSeen) }
    }

    /// The days of a window that ends with the usage day.
    pub(super) fn days(&self, days: i32) -> (Day, Day) {
        (self.usage_day.plus(1 - days), self.usage_day)
    }

    /// The days of a window of which every day is needed by itself.
    pub(super) fn window(&self, days: i32) -> Result<(Day, Day), Missing> {
        self.unsealed(self.days(days))
    }

    pub(super) fn unsealed(&self, (first, last): (Day, Day)) -> Result<(Day, Day), Missing> {
        if self.sealed.is_some_and(|sealed| first < sealed) {
            Err(Missing::Sealed)
        } else {
            Ok((first, last))
        }
    }

    /// Days of which only the sum is needed: whole months are still there behind a seal.
    #[inline]
    pub(super) fn sums(&self, (first, last): (Day, Day)) -> Result<(Day, Day), Missing> {
        // Where nothing is sealed nobody needs to know whether the months are whole.
        self.unsealed((first, last)).or_else(|sealed| {
            let whole_months =
                first == first.month().first_day() && last.plus(1) == last.plus(1).month().first_day();
            if whole_months { Ok((first, last)) } else { Err(sealed) }
        })
    }
}

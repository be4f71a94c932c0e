//! One client: who it is, what it bought, and how it fares on a day.

use super::calendar::{Calendar, Day};
use super::deck::{Card, Segment, Story};
use super::dice::Dice;
use super::names::{self, OWNERS, SECTORS, Sector};
use super::plot::{Plot, plot};
use super::terms::{Act, Contract, Interval, Plan, Terms};

/// How a client pays its invoices.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// By card on the day of the invoice; sometimes the card fails.
    Card,
    /// By transfer, mostly before the invoice is due.
    Transfer,
    /// By transfer, often too late.
    Slow,
}

/// One client of the book.
pub(super) struct Client {
    /// Counted from 1.
    pub(super) number: i64,
    pub(super) id: String,
    pub(super) stem: String,
    pub(super) card: Card,
    pub(super) sector: &'static Sector,
    pub(super) currency: &'static str,
    /// The hour (UTC) at which its people begin to work.
    pub(super) opens_at: i64,
    /// Its place among the owners, if somebody looks after it.
    pub(super) owner: Option<usize>,
    pub(super) plot: Plot,
    /// What it bought: the core product first.
    pub(super) contracts: Vec<Contract>,
    pub(super) habit: Habit,
    /// Usage events on an ordinary working day, in thousandths.
    pub(super) activity: i64,
    /// Share of seats that somebody uses, in percent.
    pub(super) adoption: i64,
    /// Whether its calls come as daily roll-ups from the warehouse.
    pub(super) rolled_up: bool,
    /// How content it is in ordinary times, 0 to 100.
    pub(super) contentment: i64,
    /// Growth of use over the whole book without any act, in percent.
    pub(super) drift: i64,
    /// A few weak weeks that mean nothing: first and last day.
    pub(super) lull: Option<(Day, Day)>,
}

impl Client {
    /// Draws the client with this number and stem from its card.
    pub(super) fn draw(number: i64, stem: String, card: Card, calendar: &Calendar, dice: &mut Dice) -> Self {
        let sector = draw_sector(card.segment, dice);
        let european = dice.chance(250);
        let plot = plot(&card, calendar, dice);
        let seats = draw_seats(card, dice);
        let contracts = draw_contracts(&card, &plot, seats, calendar, dice);
        let skew = dice.weighted(&[(50, 20), (80, 30), (100, 28), (165, 15), (300, 7)]);
        let activity = ((480 + seats * 38) * skew / 100).min(6000);
        let lull_at = dice.between(20, calendar.days().max(21));
        Self {
            number,
            id: names::id_of(&stem, number),
            sector,
            currency: if european { "EUR" } else { "USD" },
            opens_at: if european { 7 } else { 14 },
            owner: draw_owner(card.segment, dice),
            habit: match card.segment {
                Segment::Smb => dice.weighted(&[(Habit::Card, 80), (Habit::Transfer, 12), (Habit::Slow, 8)]),
                _ => dice.weighted(&[(Habit::Card, 15), (Habit::Transfer, 65), (Habit::Slow, 20)]),
            },
            activity: if card.story == Story::Duplicate { 300 } else { activity },
            adoption: dice.between(45, 95),
            rolled_up: match card.segment {
                Segment::Smb => false,
                Segment::Mid => dice.chance(300),
                Segment::Enterprise => true,
            },
            contentment: dice.between(58, 94),
            drift: dice.between(-8, 16),
            lull: dice.chance(150).then(|| (lull_at, lull_at + dice.between(10, 24))),
            stem,
            card,
            plot,
            contracts,
        }
    }

    /// The terms of the core product on a day.
    pub(super) fn terms(&self, day: Day) -> Option<&Terms> {
        self.contracts.first().and_then(|core| core.on(day))
    }

    /// Whether its people can use the product on a day.
    pub(super) fn is_open(&self, day: Day) -> bool {
        match self.contracts.first() {
            Some(core) => core.on(day).is_some_and(|terms| terms.open_on(day)),
            // A second record has no contract of its own; it is used until it is merged.
            None => self.plot.leaves.is_none_or(|leaves| (self.plot.since..leaves).contains(&day)),
        }
    }

    /// Who looks after it on a day: in the middle of the book one owner leaves and another takes over.
    pub(super) fn owner_on(&self, day: Day, calendar: &Calendar) -> Option<&'static str> {
        let handed_over = self.owner == Some(OWNER_WHO_LEAVES) && day >= handover(calendar);
        let place = if handed_over { OWNERS.len() - 1 } else { self.owner? };
        OWNERS.get(place).copied()
    }

    /// How much it uses on a day beside its ordinary use, in thousandths, before season and week.
    pub(super) fn vigour(&self, day: Day, calendar: &Calendar) -> i64 {
        if !self.is_open(day) {
            return 0;
        }
        let starting = match self.card.story {
            Story::TrialQuiet => return 0,
            Story::TrialTried | Story::TrialStopped | Story::TrialOverdue => 420,
            _ => 1000,
        };
        let settling = (280 + (day - self.begins_again(day)) * 16).min(1000);
        let grown = match (self.terms(day), self.contracts.first().and_then(|core| core.terms.first())) {
            (Some(now), Some((_, first))) => 1000 * now.seats / first.seats.max(1),
            _ => 1000,
        };
        let drifted = 1000 + self.drift * 10 * day / calendar.days();
        let lulled = if self.lull.is_some_and(|(from, to)| (from..=to).contains(&day)) { 480 } else { 1000 };
        [settling, grown, drifted, lulled, 1000 - self.decline(day) * 9 / 10]
            .into_iter()
            .fold(starting, |product, factor| product * factor / 1000)
    }

    /// How content it is on a day, 0 to 100.
    pub(super) fn mood(&self, day: Day) -> i64 {
        (self.contentment - self.decline(day) * 62 / 1000).clamp(3, 100)
    }

    /// How far it has gone down on a day, in thousandths of its decline; a downgrade is half a decline and passes.
    pub(super) fn decline(&self, day: Day) -> i64 {
        let Some((from, to)) = self.plot.decline.filter(|(from, _)| day > *from) else {
            return 0;
        };
        let gone = (day - from) * 1000 / (to - from).max(1);
        match self.card.story {
            Story::Downgrade => (gone.min(2000 - gone).max(0)) / 2,
            Story::Return if day > to => 0,
            _ => gone.min(1000),
        }
    }

    // The first day of the run in which it is a client on `day`: after a pause or a departure people start anew.
    fn begins_again(&self, day: Day) -> Day {
        self.terms(day).map_or(self.plot.since, |terms| {
            // In a trial people have settled before they begin to pay.
            let came_back = self.plot.trial_days == 0
                && self.plot.acts.iter().any(|(at, act)| *at == terms.anchor && act.is_comeback());
            if came_back { terms.anchor } else { self.plot.since }
        })
    }
}

const OWNER_WHO_LEAVES: usize = 1;

/// The day on which one owner's clients go to another.
pub(super) fn handover(calendar: &Calendar) -> Day {
    calendar.scaled(195)
}

/// Whether the client is handed over in the middle of the book.
pub(super) fn is_handed_over(client: &Client) -> bool {
    client.owner == Some(OWNER_WHO_LEAVES)
}

fn draw_sector(segment: Segment, dice: &mut Dice) -> &'static Sector {
    let mut left = dice.below(100);
    // A large client in a seasonal trade would make the season of the whole book.
    let found = SECTORS.iter().find(|(_, share)| {
        left -= share;
        left < 0
    });
    match found {
        Some((sector, _)) if segment != Segment::Enterprise || sector.rests_at_christmas => sector,
        _ => &SECTORS[0].0,
    }
}

fn draw_owner(segment: Segment, dice: &mut Dice) -> Option<usize> {
    let managed = segment != Segment::Smb || dice.chance(380);
    let place = usize::try_from(dice.below(6)).ok();
    place.filter(|_| managed)
}

fn draw_seats(card: Card, dice: &mut Dice) -> i64 {
    match card.segment {
        Segment::Smb => dice.between(3, 8) + dice.between(0, 6) * i64::from(dice.chance(400)),
        Segment::Mid => dice.between(14, 30) + dice.between(0, 34) * i64::from(dice.chance(500)),
        // A small one leaves: one departure must not be the story of the year.
        Segment::Enterprise if card.story == Story::Fade => dice.between(60, 75),
        Segment::Enterprise => dice.between(70, 120) + dice.between(0, 70) * i64::from(dice.chance(400)),
    }
}

fn draw_contracts(
    card: &Card,
    plot: &Plot,
    seats: i64,
    calendar: &Calendar,
    dice: &mut Dice,
) -> Vec<Contract> {
    if card.story == Story::Duplicate {
        return Vec::new();
    }
    let mut first = Terms::active(plot.plan, seats, plot.interval, plot.since);
    first.price = match card.story {
        Story::PriceRise => 920,
        _ => dice.weighted(&[(1000, 60), (950, 18), (900, 14), (850, 8)]),
    };
    if plot.trial_days > 0 {
        first.status = super::terms::Status::Trialing;
        first.trial_end = Some(plot.since + plot.trial_days);
    }
    let core = Contract::unfold("core", plot.since, first, &plot.acts, calendar);
    let Some(from) = plot.analytics_from else {
        return vec![core];
    };
    // The add-on is paid monthly for all seats at 35 percent of the plan's price, and shares the fate of the core.
    let mut first = Terms::active(plot.plan.max(Plan::Starter), seats, Interval::Month, from);
    first.price = 350;
    let shared: Vec<(Day, Act)> =
        plot.acts.iter().copied().filter(|(day, act)| *day > from && act.concerns_all()).collect();
    let analytics = Contract::unfold("analytics", from, first, &shared, calendar);
    vec![core, analytics]
}

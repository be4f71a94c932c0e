//! What one client does beside using the product: contracts, tickets, invoices, judgements.

use crate::Dice;

/// The days of the log.
pub(super) const DAYS: u32 = 455;
/// The seconds of a day.
pub(super) const DAY: u32 = 86_400;
/// For so many days a client fades before it leaves.
const FADING: u32 = 60;

/// One event that is no usage.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    Contract { number: u32, status: &'static str, cents: u32, yearly: bool, seats: Option<u32> },
    Opened { ticket: u32 },
    Replied { ticket: u32 },
    Resolved { ticket: u32 },
    Rated { ticket: u32, rating: u32 },
    Issued { invoice: u32, cents: u32, due: u32 },
    Paid { invoice: u32 },
    Sentiment { value: u32 },
}

/// When a client is there, and how much it does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    start: u32,
    leave: u32,
    back: u32,
    /// What it uses on a usual day, against others.
    pub(super) activity: u32,
    pub(super) users: u32,
}

impl Life {
    fn draw(dice: &mut Dice) -> Self {
        let start = if dice.below(10) < 6 { dice.below(28) } else { dice.below(DAYS - 30) };
        let leaves_in = (1..16).find(|_| dice.below(1_000) < 20);
        let leave = leaves_in.map_or(DAYS, |month| (start + month * 30 + dice.below(30)).min(DAYS));
        let back = if dice.below(5) == 0 { leave + 20 + dice.below(100) } else { DAYS };
        // One in a thousand does as much as the least five hundred together.
        let activity = 1_000_000 / (2_000 + 1_000 * dice.below(1_000));
        let users = 1 + dice.below(1 + activity / 6 + 4);
        Self { start, leave, back: back.min(DAYS), activity, users }
    }

    fn is_here(&self, day: u32) -> bool {
        (self.start..self.leave).contains(&day) || day >= self.back
    }

    /// What it uses on a day, against others.
    pub(super) fn weight(&self, day: u32) -> u64 {
        let to_leave = self.leave.saturating_sub(day);
        let share = match (self.is_here(day), self.leave < DAYS && day < self.leave && to_leave < FADING) {
            (false, _) => 0,
            (true, false) => 100,
            (true, true) => 5 + 95 * to_leave / FADING,
        };
        u64::from(self.activity) * u64::from(share)
    }
}

/// The life of a client, and into `told` what is told of it, each with its second of the log.
pub(super) fn tell(mut dice: Dice, told: &mut Vec<(u32, Told)>) -> Life {
    let dice = &mut dice;
    let life = Life::draw(dice);
    let price = contracts(&life, dice, told);
    invoices(&life, price, dice, told);
    tickets(&life, dice, told);
    let mut day = life.start + dice.below(120);
    while day < DAYS {
        if life.is_here(day) {
            told.push((second(day, dice), Told::Sentiment { value: dice.below(101) }));
        }
        day += 60 + dice.below(240);
    }
    life
}

/// A second of the working hours of a day.
pub(super) fn second(day: u32, dice: &mut Dice) -> u32 {
    day * DAY + 6 * 3_600 + dice.below(16 * 3_600)
}

/// The states of a client's one or two subscriptions; the first comes before anything else of the client. Returns the first
/// price of a month.
fn contracts(life: &Life, dice: &mut Dice, told: &mut Vec<(u32, Told)>) -> u32 {
    let mut seats = life.users + dice.below(life.users + 3);
    let per_seat = 900 + 100 * dice.below(60);
    let yearly = dice.below(4) == 0;
    let mut state = |at: u32, number: u32, status: &'static str, seats: u32| {
        let cents = seats * per_seat * if yearly { 10 } else { 1 };
        told.push((at, Told::Contract { number, status, cents, yearly, seats: Some(seats) }));
    };
    let mut day = life.start;
    if dice.below(4) == 0 {
        state(day * DAY, 1, "trialing", seats);
        day += 14;
    }
    if day < DAYS && day < life.leave {
        state(day * DAY + 1, 1, "active", seats);
    }
    loop {
        day += 60 + dice.below(500);
        let is_back = day >= life.leave && day >= life.back;
        if day + 40 >= if is_back { DAYS } else { life.leave } {
            break;
        }
        match dice.below(10) {
            status @ 0..2 => {
                state(second(day, dice), 1, if status == 0 { "paused" } else { "past_due" }, seats);
                day += 10 + dice.below(25);
            }
            2..5 => seats = (seats * 3 / 4).max(1),
            _ => seats += 1 + seats / 4,
        }
        state(second(day, dice), 1, "active", seats);
    }
    if life.leave < DAYS {
        state(second(life.leave, dice), 1, "cancelled", seats);
    }
    if life.back < DAYS {
        state(second(life.back, dice), 1, "active", seats);
    }
    let second_one = life.start + 30 + dice.below(300);
    if dice.below(6) == 0 && second_one < life.leave {
        let (cents, yearly) = (5_000 + 500 * dice.below(80), false);
        let mut addition = |day, status| {
            told.push((second(day, dice), Told::Contract { number: 2, status, cents, yearly, seats: None }));
        };
        addition(second_one, "active");
        if life.leave < DAYS {
            addition(life.leave, "cancelled");
        }
    }
    seats * per_seat
}

/// An invoice every quarter; most are paid in time, a few late, a few never.
fn invoices(life: &Life, price: u32, dice: &mut Dice, told: &mut Vec<(u32, Told)>) {
    for (day, invoice) in (life.start..DAYS).step_by(90).filter(|day| life.is_here(*day)).zip(1..) {
        let due = day + if dice.below(2) == 0 { 14 } else { 30 };
        told.push((day * DAY + 9 * 3_600, Told::Issued { invoice, cents: 3 * price, due }));
        let paid = match dice.below(100) {
            0..90 => due - 10 + dice.below(15),
            90..97 => due + 5 + dice.below(60),
            _ => DAYS,
        };
        if paid < DAYS {
            told.push((second(paid, dice), Told::Paid { invoice }));
        }
    }
}

fn tickets(life: &Life, dice: &mut Dice, told: &mut Vec<(u32, Told)>) {
    let count = dice.below(3) + u32::from(life.activity > 100) * dice.below(12);
    for ticket in 1..=count {
        let day = life.start + 1 + dice.below(DAYS);
        if !life.is_here(day) || day >= DAYS {
            continue;
        }
        // Most wait for hours, some for days.
        let quick = 1 + dice.below(30);
        let opened = second(day, dice);
        let replied = opened + quick * quick * 300 + dice.below(600);
        let resolved = replied + 600 + dice.below(8 * DAY);
        let rated = resolved + dice.below(2 * DAY);
        let mut add = |at: u32, what: Told| {
            if at < DAYS * DAY {
                told.push((at, what));
            }
        };
        add(opened, Told::Opened { ticket });
        if dice.below(10) > 0 {
            add(replied, Told::Replied { ticket });
        }
        if dice.below(12) > 0 {
            add(resolved, Told::Resolved { ticket });
            if dice.below(2) == 0 {
                add(rated, Told::Rated { ticket, rating: 5 - dice.below(5) * dice.below(5) / 4 });
            }
        }
    }
}

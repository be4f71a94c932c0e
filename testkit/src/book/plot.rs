//! From the fate on a card to days and acts: when a client begins, what changes, when its use fades.

use super::calendar::{Calendar, Day};
use super::deck::{Card, Segment, Story};
use super::dice::Dice;
use super::terms::{Act, Interval, Plan};

/// What happens to a client's subscription, and the decline that can be seen in its use.
pub(super) struct Plot {
    /// The day the first contract or trial begins.
    pub(super) since: Day,
    /// The length of the trial it begins with, in days; 0 without one.
    pub(super) trial_days: i64,
    pub(super) interval: Interval,
    pub(super) plan: Plan,
    /// Changes of the core product in order of day.
    pub(super) acts: Vec<(Day, Act)>,
    /// The day the client leaves, where it does within the story.
    pub(super) leaves: Option<Day>,
    /// First and last day of a decline in use and mood.
    pub(super) decline: Option<(Day, Day)>,
    /// The day the analytics add-on is bought, where it is.
    pub(super) analytics_from: Option<Day>,
}

/// Why clients leave of their own will, as often as the weight.
const REASONS: [(&str, i64); 6] = [
    ("too_expensive", 26),
    ("missing_feature", 22),
    ("low_usage", 20),
    ("competitor", 18),
    ("poor_support", 8),
    ("champion_left", 6),
];
const SUDDEN_REASONS: [&str; 5] = ["goal_reached", "outgrew", "oversold", "closed_business", "acquired"];

/// Draws the story of one client.
pub(super) fn plot(card: &Card, calendar: &Calendar, dice: &mut Dice) -> Plot {
    let mut plot = Plot {
        since: -(dice.between(60, 1100) + dice.between(0, 300)) / 2 - 40,
        trial_days: 0,
        interval: draw_interval(card.segment, dice),
        plan: draw_plan(card.segment, dice),
        acts: Vec::new(),
        leaves: None,
        decline: None,
        analytics_from: None,
    };
    let day = calendar.in_slot(card.slot, dice);
    if card.story.begins_with_trial() {
        begin_with_trial(&mut plot, card, day, calendar, dice);
    }
    match card.story {
        Story::Grow => grow(&mut plot, card, 0, calendar, dice),
        Story::Upgrade => upgrade(&mut plot, day, dice),
        Story::CrossSell => plot.analytics_from = Some(day),
        Story::Downgrade => downgrade(&mut plot, card, day, dice),
        Story::PriceRise => plot.acts.push((calendar.scaled(243) + card.turn, Act::Price(1000))),
        Story::Fade | Story::Erased => fade(&mut plot, card, day, calendar, dice),
        Story::Forgot => forgot(&mut plot, day, calendar, dice),
        Story::Abrupt => leave_suddenly(&mut plot, day, calendar, dice),
        Story::Pause => {
            plot.acts.extend([(day, Act::Pause), (day + dice.between(45, 80), Act::Resume)]);
        }
        Story::PauseLost => {
            plot.acts
                .extend([(day, Act::Pause), (day + dice.between(60, 90), Act::Cancel("did_not_resume"))]);
        }
        Story::Return => {
            fade(&mut plot, card, day, calendar, dice);
            plot.acts.push((day + dice.between(60, 110), Act::Begin));
        }
        Story::WinBack => {
            plot.since = -dice.between(500, 900);
            plot.interval = Interval::Month;
            plot.acts.extend([(-dice.between(120, 200), Act::Cancel("too_expensive")), (day, Act::Begin)]);
        }
        Story::TermSwitch => switch_term(&mut plot, card, day, calendar, dice),
        Story::AtRisk => fail_at_the_end(&mut plot, card, calendar, dice),
        Story::Leaving => {
            let (end, reason) = (calendar.days() + dice.between(25, 60), dice.weighted(&REASONS));
            plot.interval = Interval::Month;
            plot.acts.push((calendar.days() - dice.between(6, 24), Act::CancelAt(end, reason)));
            plot.decline = Some((calendar.days() - 50, end));
        }
        Story::Instalments => {
            plot.interval = Interval::Year;
            plot.since = anchored(day, Interval::Year, calendar, dice);
        }
        Story::ToFree => {
            plot.interval = Interval::Month;
            plot.acts.push((day, Act::Free));
            plot.decline = Some((day - 60, day + 30));
        }
        Story::Duplicate => {
            plot.since = calendar.scaled(12);
            plot.leaves = Some(calendar.scaled(118));
        }
        _ => {}
    }
    let usual = if card.segment == Segment::Smb { 90 } else { 260 };
    if plot.trial_days == 0
        && plot.analytics_from.is_none()
        && card.story != Story::ToFree
        && dice.chance(usual)
    {
        plot.analytics_from = Some(plot.since + dice.between(0, 30));
    }
    plot.acts.sort_by_key(|(day, _)| *day);
    plot
}

fn draw_interval(segment: Segment, dice: &mut Dice) -> Interval {
    let yearly = match segment {
        Segment::Smb => 250,
        Segment::Mid => 450,
        Segment::Enterprise => 800,
    };
    if dice.chance(yearly) { Interval::Year } else { Interval::Month }
}

fn draw_plan(segment: Segment, dice: &mut Dice) -> Plan {
    match segment {
        Segment::Smb => dice.weighted(&[(Plan::Starter, 50), (Plan::Team, 45), (Plan::Business, 5)]),
        Segment::Mid => dice.weighted(&[(Plan::Team, 35), (Plan::Business, 65)]),
        Segment::Enterprise => dice.weighted(&[(Plan::Business, 30), (Plan::Enterprise, 70)]),
    }
}

// A first day before the book from which whole intervals lead to `target`, so that a term ends on that day.
fn anchored(target: Day, interval: Interval, calendar: &Calendar, dice: &mut Dice) -> Day {
    let mut periods = match interval {
        Interval::Month => dice.between(4, 30),
        Interval::Year => dice.between(1, 2),
    };
    loop {
        let since = calendar.add_months(target, -periods * interval.months());
        if since < -30 || periods > 600 {
            return since;
        }
        periods += 1;
    }
}

fn begin_with_trial(plot: &mut Plot, card: &Card, day: Day, calendar: &Calendar, dice: &mut Dice) {
    plot.trial_days = if card.segment == Segment::Smb { 14 } else { 30 };
    let leaves = calendar.in_slot(card.leaves_in, dice);
    plot.since = match card.story {
        Story::TrialLeaves => {
            // Four months are paid; it leaves at the end of the last.
            plot.interval = Interval::Month;
            calendar.add_months(leaves, -4) - plot.trial_days
        }
        Story::TrialRunning => calendar.days() - dice.between(2, 11),
        Story::TrialOverdue => calendar.days() - plot.trial_days - dice.between(8, 12),
        _ => day,
    };
    let trial_end = plot.since + plot.trial_days;
    if card.story.converts() {
        let early = if card.story == Story::TrialLeaves { 0 } else { dice.between(0, 3) };
        let paid_from = trial_end - early;
        plot.acts.push((paid_from, Act::Begin));
        match card.story {
            Story::TrialGrow => grow(plot, card, paid_from + 30, calendar, dice),
            Story::TrialLeaves => {
                leave_by_fading(plot, leaves, dice);
            }
            Story::TrialRisk => fail_at_the_end(plot, card, calendar, dice),
            _ => {}
        }
    } else {
        match card.story {
            Story::TrialQuiet | Story::TrialTried => {
                plot.acts.push((trial_end, Act::Cancel("trial_expired")));
            }
            Story::TrialStopped => {
                plot.acts.push((plot.since + dice.between(3, 9), Act::Cancel("not_a_fit")));
            }
            _ => {}
        }
    }
}

fn grow(plot: &mut Plot, card: &Card, from: Day, calendar: &Calendar, dice: &mut Dice) {
    let steps = if card.segment == Segment::Smb { dice.between(1, 3) } else { dice.between(1, 2) };
    let width = (calendar.days() - from) / steps;
    for step in 0..steps {
        let day = from + width * step + dice.between(4, (width - 4).max(4));
        if day < calendar.days() {
            plot.acts.push((day, Act::Seats(dice.between(12, 32))));
        }
    }
}

fn upgrade(plot: &mut Plot, day: Day, dice: &mut Dice) {
    if plot.plan == Plan::Enterprise {
        plot.acts.push((day, Act::Seats(dice.between(15, 30))));
    } else {
        plot.acts.push((day, Act::Plan(plot.plan.above())));
    }
}

fn downgrade(plot: &mut Plot, card: &Card, day: Day, dice: &mut Dice) {
    if card.turn % 3 == 0 && plot.plan > Plan::Starter {
        plot.acts.push((day, Act::Plan(plot.plan.below())));
    } else {
        plot.acts.push((day, Act::Seats(-dice.between(18, 40))));
    }
    plot.decline = Some((day - 45, day + 45));
}

fn fade(plot: &mut Plot, card: &Card, leaves: Day, calendar: &Calendar, dice: &mut Dice) {
    plot.since = anchored(leaves, plot.interval, calendar, dice);
    // Every fourth says so ahead: the end comes by the clock, without an event of its own.
    if card.turn % 4 == 0 && card.story == Story::Fade {
        let notice = leaves - dice.between(12, 30);
        plot.acts.push((notice, Act::CancelAt(leaves, dice.weighted(&REASONS))));
        plot.leaves = Some(leaves);
        plot.decline = Some((leaves - dice.between(42, 70), leaves));
    } else {
        leave_by_fading(plot, leaves, dice);
    }
}

fn leave_by_fading(plot: &mut Plot, leaves: Day, dice: &mut Dice) {
    plot.acts.push((leaves, Act::Cancel(dice.weighted(&REASONS))));
    plot.leaves = Some(leaves);
    plot.decline = Some((leaves - dice.between(42, 70), leaves));
}

fn forgot(plot: &mut Plot, leaves: Day, calendar: &Calendar, dice: &mut Dice) {
    let unpaid = leaves - UNPAID_BEFORE_END;
    plot.since = anchored(unpaid, plot.interval, calendar, dice);
    plot.acts.extend([(unpaid + 4, Act::PastDue), (leaves, Act::Cancel("payment_failed"))]);
    plot.leaves = Some(leaves);
}

/// Days from an invoice that is never paid to the end of its subscription.
pub(super) const UNPAID_BEFORE_END: i64 = 31;

fn leave_suddenly(plot: &mut Plot, leaves: Day, calendar: &Calendar, dice: &mut Dice) {
    plot.since = anchored(leaves, plot.interval, calendar, dice);
    plot.acts.push((leaves, Act::Cancel(dice.pick(&SUDDEN_REASONS))));
    plot.leaves = Some(leaves);
}

fn switch_term(plot: &mut Plot, card: &Card, day: Day, calendar: &Calendar, dice: &mut Dice) {
    let (before, after) = if card.turn % 2 == 0 {
        (Interval::Month, Interval::Year)
    } else {
        (Interval::Year, Interval::Month)
    };
    plot.interval = before;
    plot.since = anchored(day, before, calendar, dice);
    plot.acts.push((day, Act::Switch(after)));
}

fn fail_at_the_end(plot: &mut Plot, card: &Card, calendar: &Calendar, dice: &mut Dice) {
    let unpaid = calendar.days() - dice.between(50, 58);
    plot.decline = Some((calendar.days() - dice.between(60, 85), calendar.days() - 6));
    if card.story == Story::TrialRisk {
        plot.interval = Interval::Month;
    } else {
        plot.since = anchored(unpaid, plot.interval, calendar, dice);
    }
    if card.turn % 4 == 1 {
        plot.acts.push((unpaid + 20, Act::PastDue));
    }
}

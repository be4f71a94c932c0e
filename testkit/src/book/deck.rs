//! What becomes of each client: a deck of 320 fates, dealt out in random order, so that the year tells the same story
//! for every seed. Larger books are dealt from several decks.

use super::dice::Dice;

/// Clients in one deck.
pub(super) const DECK: i64 = 320;

/// How large a client is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment {
    Smb,
    Mid,
    Enterprise,
}

impl Segment {
    /// The name of the segment in events.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Smb => "smb",
            Self::Mid => "mid",
            Self::Enterprise => "enterprise",
        }
    }
}

/// What happens to a client in the course of the book.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Story {
    /// Pays before the start and stays as it is.
    Steady,
    /// Adds seats.
    Grow,
    /// Moves to the next plan.
    Upgrade,
    /// Buys the analytics add-on.
    CrossSell,
    /// Gives back seats or moves to a lower plan.
    Downgrade,
    /// Is moved from an old price list to the new one.
    PriceRise,
    /// Uses the product less and less for weeks, then cancels.
    Fade,
    /// Does not pay an invoice and is cancelled.
    Forgot,
    /// Leaves without a sign in its use.
    Abrupt,
    /// Pauses and comes back.
    Pause,
    /// Pauses and then cancels.
    PauseLost,
    /// Leaves early in the book and comes back months later.
    Return,
    /// Left before the book began and comes back.
    WinBack,
    /// Changes between monthly and yearly payment.
    TermSwitch,
    /// Pays still at the end, but is obviously in need of help.
    AtRisk,
    /// Has announced that it leaves soon after the end.
    Leaving,
    /// Cannot pay its yearly invoice at once and pays by instalments.
    Instalments,
    /// Goes down to a plan without a price.
    ToFree,
    /// Leaves and asks for its data to be erased.
    Erased,
    /// A second record of another client, merged into it.
    Duplicate,
    /// Starts with a trial, pays and stays.
    TrialSteady,
    /// Starts with a trial, pays and adds seats.
    TrialGrow,
    /// Starts with a trial, pays for some months and leaves.
    TrialLeaves,
    /// Starts with a trial, pays, and is in need of help at the end.
    TrialRisk,
    /// A trial in which nobody logs in.
    TrialQuiet,
    /// A trial with some use that does not convert.
    TrialTried,
    /// A trial cancelled before its end.
    TrialStopped,
    /// A trial that runs at the end.
    TrialRunning,
    /// A trial past its end of which nothing more was heard.
    TrialOverdue,
}

impl Story {
    /// Whether the client is first met in a trial.
    pub(super) fn begins_with_trial(self) -> bool {
        matches!(
            self,
            Self::TrialSteady
                | Self::TrialGrow
                | Self::TrialLeaves
                | Self::TrialRisk
                | Self::TrialQuiet
                | Self::TrialTried
                | Self::TrialStopped
                | Self::TrialRunning
                | Self::TrialOverdue
        )
    }

    /// Whether the client is in need of help at the end.
    pub(super) fn needs_help(self) -> bool {
        matches!(self, Self::AtRisk | Self::TrialRisk)
    }

    /// Whether a trial of this story becomes paid.
    pub(super) fn converts(self) -> bool {
        matches!(self, Self::TrialSteady | Self::TrialGrow | Self::TrialLeaves | Self::TrialRisk)
    }
}

/// One fate.
#[derive(Clone, Copy)]
pub(super) struct Card {
    /// What happens.
    pub(super) story: Story,
    /// The size of the client it happens to.
    pub(super) segment: Segment,
    /// Which card of this story it is, from 0.
    pub(super) turn: i64,
    /// The twelfth of the book in which the main thing happens: a departure, or the start of a trial. From -1 to 11.
    pub(super) slot: i64,
    /// For a client that joins and leaves: the twelfth in which it leaves.
    pub(super) leaves_in: i64,
}

// Cards per story: smb, mid, enterprise. 320 in all, of which about 210 pay when the book opens.
const CARDS: [(Story, [i64; 3]); 29] = [
    (Story::Steady, [38, 14, 4]),
    (Story::Grow, [18, 14, 6]),
    (Story::Upgrade, [8, 4, 1]),
    (Story::CrossSell, [6, 5, 2]),
    (Story::Downgrade, [7, 4, 1]),
    (Story::PriceRise, [4, 2, 0]),
    (Story::Fade, [18, 5, 1]),
    (Story::Forgot, [7, 1, 0]),
    (Story::Abrupt, [3, 2, 0]),
    (Story::Pause, [4, 1, 0]),
    (Story::PauseLost, [2, 0, 0]),
    (Story::Return, [4, 1, 0]),
    (Story::WinBack, [3, 0, 0]),
    (Story::TermSwitch, [3, 2, 0]),
    (Story::AtRisk, [3, 3, 2]),
    (Story::Leaving, [2, 1, 0]),
    (Story::Instalments, [1, 1, 0]),
    (Story::ToFree, [1, 0, 0]),
    (Story::Erased, [1, 0, 0]),
    (Story::Duplicate, [1, 0, 0]),
    (Story::TrialSteady, [28, 7, 1]),
    (Story::TrialGrow, [8, 3, 1]),
    (Story::TrialLeaves, [10, 2, 0]),
    (Story::TrialRisk, [1, 1, 0]),
    (Story::TrialQuiet, [16, 2, 0]),
    (Story::TrialTried, [13, 3, 0]),
    (Story::TrialStopped, [4, 0, 0]),
    (Story::TrialRunning, [5, 2, 0]),
    (Story::TrialOverdue, [1, 0, 0]),
];

// Departures of Fade, Forgot and Abrupt by twelfth. With those of Return, ToFree, Erased and TrialLeaves a month loses 4
// to 7 of about 210 clients; most after the prices rose in autumn.
const DEPARTURES: [i64; 12] = [3, 2, 3, 3, 3, 4, 3, 3, 4, 4, 3, 2];
const TRIAL_DEPARTURES: [i64; 12] = [5, 6, 6, 7, 8, 8, 9, 9, 10, 10, 11, 11];

/// The fates of 320 clients in the order of their numbers.
pub(super) struct Deck {
    /// The cards as dealt.
    pub(super) cards: Vec<Card>,
}

impl Deck {
    /// The `number`th deck of the book.
    pub(super) fn deal(seed: u64, number: u64) -> Self {
        let mut dice = Dice::new(seed, u64::MAX - number);
        let mut departures = departures();
        dice.shuffle(&mut departures);
        let mut departures = departures.into_iter();

        let mut cards = Vec::new();
        for (story, counts) in CARDS {
            let total: i64 = counts.iter().sum();
            let mut turn = 0;
            for (segment, count) in [Segment::Smb, Segment::Mid, Segment::Enterprise].into_iter().zip(counts)
            {
                for _ in 0..count {
                    let (slot, leaves_in) = match story {
                        Story::Fade | Story::Forgot | Story::Abrupt => (departures.next().unwrap_or(0), 12),
                        Story::TrialLeaves => trial_departure(turn),
                        story => (slot_of(story, turn, total), 12),
                    };
                    cards.push(Card { story, segment, turn, slot, leaves_in });
                    turn += 1;
                }
            }
        }
        dice.shuffle(&mut cards);
        Self { cards }
    }

    /// The place in the deck, from 0, of the client that a duplicate is merged into.
    pub(super) fn original(&self) -> i64 {
        let found =
            self.cards.iter().position(|card| card.story == Story::Grow && card.segment == Segment::Mid);
        found.and_then(|place| i64::try_from(place).ok()).unwrap_or(0)
    }
}

fn departures() -> Vec<i64> {
    (0..).zip(DEPARTURES).flat_map(|(slot, count)| (0..count).map(move |_| slot)).collect()
}

fn trial_departure(turn: i64) -> (i64, i64) {
    let leaves_in =
        usize::try_from(turn).ok().and_then(|turn| TRIAL_DEPARTURES.get(turn).copied()).unwrap_or(11);
    (leaves_in - 4, leaves_in)
}

fn slot_of(story: Story, turn: i64, total: i64) -> i64 {
    match story {
        Story::Return => turn,
        Story::Erased => 1,
        Story::ToFree => 8,
        Story::Pause | Story::TrialRisk => 2 + turn,
        Story::PauseLost => 3 + 2 * turn,
        Story::WinBack => 2 + 3 * turn,
        Story::Instalments => 3 + 4 * turn,
        Story::TrialSteady | Story::TrialGrow => turn * 12 / total - 1,
        Story::TrialQuiet | Story::TrialTried | Story::TrialStopped => turn * 11 / total,
        Story::TrialRunning | Story::TrialOverdue => 11,
        _ => (turn * 5 + 3) % 12,
    }
}

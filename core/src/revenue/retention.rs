//! Sums over clients, and the rates that follow from them: what stayed, what left, and of how much.

use super::attribution::{Held, Piece};
use super::divergence::Divergence;
use super::flows::Flows;
use super::movement::{Did, Moved, MovementKind};
use super::policy::{Attribution, Grain, IntervalMethod, LogoBase};
use super::report::{Heads, Row};
use super::settings::RevenueOptions;
use crate::rate::{HeadRate, MoneyRatio, Part, PerHead, Sample, Samples, StillPaid, bootstrap, linearised};
use crate::recurring::Annual;

/// The sums behind one row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    /// Of the clients that paid the same all over the period, which most do; what follows is of the others.
    still: StillSums,
    heads: Heads,
    opening: Annual,
    new: Annual,
    reactivation: Annual,
    resumed: Annual,
    expansion: Annual,
    contraction: Annual,
    paused: Annual,
    churn: Annual,
    fx: Annual,
    closing: Annual,
    joined_and_left: Annual,
    paused_lost: Annual,
    after_cancellations: Annual,
    /// What the clients of the opening pay at closing, at the rates of the opening.
    retained: Annual,
    /// The same, and nobody counts for more than at opening.
    kept: Annual,
    /// What clients that pay at closing pay then, at the rates of the opening, and what of it those of the opening pay.
    closing_valued: Annual,
    from_existing: Annual,
    /// Who paid at one of the ends or at both, in order of their ids.
    samples: Samples,
    /// Of the clients of the opening, who left and with how much: all of `churn` unless clients changed hands.
    churned_of_opening: (u64, Annual),
    /// How many began to pay inside, and how many of them left.
    joined: u64,
    left_of_joined: u64,
    flows: Flows,
    transferred_in: (u64, Annual),
    transferred_out: (u64, Annual),
}

/// What clients add up to that paid the same all over a period: their opening is their closing, and all of it stayed.
#[derive(Clone, Copy, Debug, Default)]
struct StillSums {
    heads: u64,
    annual: Annual,
    after_cancellations: Annual,
}

/// A client that paid the same all over a period.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Still {
    annual: Annual,
    /// What of it is not known to end.
    after_cancellations: Annual,
    paid: StillPaid,
}

impl Still {
    pub(crate) fn new(annual: Annual, after_cancellations: Annual) -> Self {
        Self { annual, after_cancellations, paid: StillPaid::new(annual) }
    }
}

/// The sums to which clients add that paid the same all over a period.
struct Figures {
    heads: Heads,
    opening: Annual,
    closing: Annual,
    after_cancellations: Annual,
    retained: Annual,
    kept: Annual,
    closing_valued: Annual,
    from_existing: Annual,
}

impl Heads {
    fn counts(&mut self) -> [&mut u64; 9] {
        let Self {
            opening,
            new,
            reactivated,
            resumed,
            paused,
            churned,
            closing,
            joined_and_left,
            paused_lost,
        } = self;
        [opening, new, reactivated, resumed, paused, churned, closing, joined_and_left, paused_lost]
    }
}

impl std::ops::AddAssign for Heads {
    fn add_assign(&mut self, mut other: Self) {
        for (ours, theirs) in self.counts().into_iter().zip(other.counts()) {
            *ours += *theirs;
        }
    }
}

impl std::ops::SubAssign for Heads {
    fn sub_assign(&mut self, mut other: Self) {
        for (ours, theirs) in self.counts().into_iter().zip(other.counts()) {
            *ours -= *theirs;
        }
    }
}

impl Heads {
    #[inline]
    pub(crate) fn add(&mut self, did: &Did) {
        match did {
            Did::Nothing => {}
            Did::Still(_) => self.count_still(1),
            Did::Moved(moved) => self.count(moved),
        }
    }

    /// Counts clients that pay from the opening to the closing.
    fn count_still(&mut self, clients: u64) {
        self.opening += clients;
        self.closing += clients;
    }

    fn count(&mut self, moved: &Moved) {
        self.opening += u64::from(moved.opening.is_positive());
        self.closing += u64::from(moved.closing.is_positive());
        if let Some(kind) = moved.kind {
            self.note(kind);
        }
    }

    fn note(&mut self, kind: MovementKind) {
        match kind {
            MovementKind::New => self.new += 1,
            MovementKind::Reactivation => self.reactivated += 1,
            MovementKind::Resumed => self.resumed += 1,
            MovementKind::Paused => self.paused += 1,
            MovementKind::Churn => self.churned += 1,
            MovementKind::JoinedAndLeft => self.joined_and_left += 1,
            MovementKind::PausedLost => self.paused_lost += 1,
            MovementKind::Expansion | MovementKind::Contraction => {}
        }
    }
}

impl Sums {
    /// Adds the changes of a client inside.
    pub(crate) fn add_flows(&mut self, flows: &Flows) {
        self.flows += *flows;
    }

    /// Adds what a client did all the time that one group had it: what came from and went to others is neither opening nor
    /// closing.
    pub(crate) fn add_pieces(&mut self, pieces: &[Piece]) {
        let mut held = Held::default();
        for piece in pieces {
            let Piece { moved, came, went, key: _, span: _ } = piece;
            held.add(moved, *came, *went);
            self.add_movement(moved);
            if *came {
                self.transferred_in.0 += u64::from(moved.opening.is_positive());
                self.transferred_in.1 += moved.opening;
            }
            if *went {
                self.transferred_out.0 += u64::from(moved.closing.is_positive());
                self.transferred_out.1 += moved.closing;
            } else {
                self.close(moved);
            }
        }
        self.add_held(&held);
    }

    #[inline]
    pub(crate) fn add(&mut self, did: &Did) {
        match did {
            Did::Nothing => {}
            Did::Still(still) => self.add_still(still),
            Did::Moved(moved) => self.add_moved(moved),
        }
    }

    #[inline(never)]
    fn add_moved(&mut self, moved: &Moved) {
        let mut held = Held::default();
        held.add(moved, false, false);
        self.add_movement(moved);
        self.close(moved);
        self.add_held(&held);
    }

    /// Every sum of money.
    fn annuals(&mut self) -> [&mut Annual; 22] {
        [
            &mut self.still.annual,
            &mut self.still.after_cancellations,
            &mut self.opening,
            &mut self.new,
            &mut self.reactivation,
            &mut self.resumed,
            &mut self.expansion,
            &mut self.contraction,
            &mut self.paused,
            &mut self.churn,
            &mut self.fx,
            &mut self.closing,
            &mut self.joined_and_left,
            &mut self.paused_lost,
            &mut self.after_cancellations,
            &mut self.retained,
            &mut self.kept,
            &mut self.closing_valued,
            &mut self.from_existing,
            &mut self.churned_of_opening.1,
            &mut self.transferred_in.1,
            &mut self.transferred_out.1,
        ]
    }

    /// Adds the sums over clients behind these.
    pub(crate) fn append(&mut self, mut after: Self) {
        self.samples.append(&mut after.samples);
        self.still.heads += after.still.heads;
        self.flows += after.flows;
        self.heads += after.heads;
        self.churned_of_opening.0 += after.churned_of_opening.0;
        self.joined += after.joined;
        self.left_of_joined += after.left_of_joined;
        self.transferred_in.0 += after.transferred_in.0;
        self.transferred_out.0 += after.transferred_out.0;
        for (ours, theirs) in self.annuals().into_iter().zip(after.annuals()) {
            *ours += *theirs;
        }
    }

    /// As [`Sums::add`], without what intervals are made of: that is as long as there are clients.
    pub(crate) fn add_figures(&mut self, did: &Did) {
        self.add(did);
        self.samples.clear();
    }

    /// Takes away what [`Sums::add_figures`] added.
    pub(crate) fn remove_figures(&mut self, did: &Did) {
        let mut gone = Self::default();
        gone.add(did);
        self.still.heads -= gone.still.heads;
        self.heads -= gone.heads;
        self.churned_of_opening.0 -= gone.churned_of_opening.0;
        self.joined -= gone.joined;
        self.left_of_joined -= gone.left_of_joined;
        for (ours, theirs) in self.annuals().into_iter().zip(gone.annuals()) {
            *ours += -*theirs;
        }
    }

    /// The same for a client that pays, and nothing of it changes.
    fn add_still(&mut self, still: &Still) {
        self.still.heads += 1;
        self.still.annual += still.annual;
        self.still.after_cancellations += still.after_cancellations;
        self.samples.push_still(still.paid);
    }

    /// The sums over all clients: those that stand apart where they are gathered are added.
    fn whole(&self) -> Figures {
        let StillSums { heads: still_heads, annual, after_cancellations } = self.still;
        let mut heads = self.heads;
        heads.count_still(still_heads);
        Figures {
            heads,
            opening: self.opening + annual,
            closing: self.closing + annual,
            after_cancellations: self.after_cancellations + after_cancellations,
            retained: self.retained + annual,
            kept: self.kept + annual,
            closing_valued: self.closing_valued + annual,
            from_existing: self.from_existing + annual,
        }
    }

    fn add_held(&mut self, held: &Held) {
        let (kept, churned) = (held.kept(), held.churned());
        if held.opening.is_positive() {
            self.heads.opening += 1;
            self.opening += held.opening;
            self.retained += held.retained;
            self.kept += kept;
            self.churned_of_opening.0 += u64::from(held.left);
            self.churned_of_opening.1 += churned;
        } else if held.joined {
            self.joined += 1;
            self.left_of_joined += u64::from(held.left);
        }
        if held.closing.is_positive() {
            let of_existing = if held.opening.is_positive() { held.closing } else { Annual::ZERO };
            self.heads.closing += 1;
            self.closing_valued += held.closing;
            self.from_existing += of_existing;
        }
        if held.opening.is_positive() || held.closing.is_positive() {
            self.samples.push(Sample::new(held.opening, held.retained, churned, held.closing));
        }
    }

    fn close(&mut self, moved: &Moved) {
        self.closing += moved.closing + moved.fx;
        self.fx += moved.fx;
        self.after_cancellations += moved.after_cancellations;
    }

    fn add_movement(&mut self, moved: &Moved) {
        let Some(kind) = moved.kind else { return };
        self.heads.note(kind);
        let line = match kind {
            MovementKind::New => &mut self.new,
            MovementKind::Reactivation => &mut self.reactivation,
            MovementKind::Resumed => &mut self.resumed,
            MovementKind::Expansion => &mut self.expansion,
            MovementKind::Contraction => &mut self.contraction,
            MovementKind::Paused => &mut self.paused,
            MovementKind::Churn => &mut self.churn,
            MovementKind::JoinedAndLeft => &mut self.joined_and_left,
            MovementKind::PausedLost => &mut self.paused_lost,
        };
        *line += moved.amount;
    }

    /// The clients of the opening, in order of their ids.
    fn openers(&self) -> impl Iterator<Item = Sample> {
        self.samples.iter().filter(Sample::opens)
    }

    /// The clients of the closing, in order of their ids.
    fn closers(&self) -> impl Iterator<Item = Sample> {
        self.samples.iter().filter(|sample| sample.closes()).map(|sample| sample.of_closing())
    }

    /// The row with all its rates.
    pub(crate) fn row(&self, options: &RevenueOptions) -> Row {
        let Figures {
            heads,
            opening,
            closing,
            after_cancellations,
            retained,
            kept,
            closing_valued,
            from_existing,
        } = self.whole();
        let by_interval = options.attribution == Attribution::Interval;
        let parts = [Part::Net, Part::Gross, Part::Churned, Part::Grown];
        let sums = parts.map(|part| {
            let sum = match part {
                Part::Net => retained,
                Part::Gross => kept,
                Part::Churned => self.churned_of_opening.1,
                Part::Grown => retained - kept,
            };
            (sum, part)
        });
        let mut rates = linearised(sums, opening, self.openers());
        let [mut from_existing] = linearised([(from_existing, Part::Net)], closing_valued, self.closers());
        if options.interval == IntervalMethod::Bootstrap {
            let resamples = options.resamples.unwrap_or(RESAMPLES);
            let samples: Vec<Sample> = self.openers().collect();
            let intervals = bootstrap(parts, &samples, options.seed, resamples);
            for (rate, interval) in rates.iter_mut().zip(intervals) {
                *rate = rate.with_interval(interval);
            }
            let samples: Vec<Sample> = self.closers().collect();
            let [interval] = bootstrap([Part::Net], &samples, options.seed, resamples);
            from_existing = from_existing.with_interval(interval);
        }
        let [nrr, grr, churned_revenue, expansion_rate] = rates;
        let logo_churn = self.logo_churn(heads, options);
        let won = self.new + self.reactivation + self.resumed + self.expansion;
        let lost = self.contraction + self.paused + self.churn;
        Row {
            clients: heads,
            opening: opening.into(),
            new: self.new.into(),
            reactivation: self.reactivation.into(),
            resumed: self.resumed.into(),
            expansion: self.expansion.into(),
            contraction: self.contraction.into(),
            paused: self.paused.into(),
            churn: self.churn.into(),
            fx: self.fx.into(),
            closing: closing.into(),
            joined_and_left: self.joined_and_left.into(),
            paused_lost: self.paused_lost.into(),
            after_cancellations: after_cancellations.into(),
            nrr,
            grr,
            logo_churn,
            logo_retention: logo_churn.complement(),
            gross_revenue_churn: grr.complement(),
            churned_revenue,
            net_revenue_churn: nrr.complement(),
            churn_divergence: Divergence::of(
                (self.churned_of_opening.0, heads.opening),
                (self.churned_of_opening.1, opening),
            ),
            expansion_rate,
            from_existing,
            quick_ratio: MoneyRatio::new(won, lost),
            arpa: PerHead::new(closing, heads.closing),
            flows: (options.grain == Grain::Change).then_some(self.flows),
            transferred_in: by_interval.then(|| self.transferred_in.into()),
            transferred_out: by_interval.then(|| self.transferred_out.into()),
            rounding: None,
        }
    }

    fn logo_churn(&self, heads: Heads, options: &RevenueOptions) -> HeadRate {
        match options.base {
            LogoBase::Opening => HeadRate::new(self.churned_of_opening.0, heads.opening),
            LogoBase::OpeningPlusNew => {
                let churned = self.churned_of_opening.0 + self.left_of_joined;
                HeadRate::new(churned, heads.opening + self.joined)
            }
        }
    }
}

/// How often the bootstrap draws unless said.
pub(crate) const RESAMPLES: u32 = 2_000;

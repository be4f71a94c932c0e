//! Sums over clients, and the rates that follow from them: what stayed, what left, and of how much.

use super::attribution::Piece;
use super::divergence::Divergence;
use super::flows::Flows;
use super::movement::{Moved, MovementKind};
use super::policy::{Attribution, Grain, IntervalMethod, LogoBase};
use super::report::{Heads, Row};
use super::settings::RevenueOptions;
use crate::rate::{HeadRate, MoneyRatio, Part, PerHead, Sample, bootstrap, linearised};
use crate::recurring::Annual;

/// The sums behind one row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
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
    /// The clients of the opening, in order of their ids.
    samples: Vec<Sample>,
    /// What clients that pay at closing pay then, at the rates of the opening, and what of it those of the opening pay.
    closing_valued: Annual,
    from_existing: Annual,
    /// The clients of the closing, in order of their ids.
    closing_samples: Vec<Sample>,
    /// Of them, who left and with how much: all of `churn` unless clients changed hands.
    churned_of_opening: (u64, Annual),
    flows: Flows,
    transferred_in: (u64, Annual),
    transferred_out: (u64, Annual),
}

impl Heads {
    pub(crate) fn count(&mut self, moved: &Moved) {
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
    /// Adds the changes of a client inside, where they are asked for.
    pub(crate) fn add_flows(&mut self, flows: Option<Flows>) {
        if let Some(flows) = flows {
            self.flows += flows;
        }
    }

    /// Adds what a client did while one group had it: what came from and went to others is neither opening nor closing.
    pub(crate) fn add_piece(&mut self, piece: &Piece) {
        let Piece { moved, came, went, key: _, span: _ } = piece;
        let (opening, closing) = (moved.opening, moved.closing);
        self.add_movement(moved);
        if *came {
            self.transferred_in.0 += u64::from(opening.is_positive());
            self.transferred_in.1 += opening;
        } else {
            self.open(moved);
        }
        if *went {
            self.transferred_out.0 += u64::from(closing.is_positive());
            self.transferred_out.1 += closing;
        } else {
            self.close(moved, !came && opening.is_positive());
        }
    }

    pub(crate) fn add(&mut self, moved: &Moved) {
        self.open(moved);
        self.add_movement(moved);
        self.close(moved, moved.opening.is_positive());
    }

    fn open(&mut self, moved: &Moved) {
        self.opening += moved.opening;
        if moved.opening.is_positive() {
            self.heads.opening += 1;
            self.retained += moved.closing;
            self.kept += moved.closing.min(moved.opening);
            let churned = moved.kind == Some(MovementKind::Churn);
            if churned {
                self.churned_of_opening.0 += 1;
                self.churned_of_opening.1 += moved.opening;
            }
            self.samples.push(Sample::new(moved.opening, moved.closing, churned));
        }
    }

    fn close(&mut self, moved: &Moved, is_existing: bool) {
        if moved.closing.is_positive() {
            let of_existing = if is_existing { moved.closing } else { Annual::ZERO };
            self.heads.closing += 1;
            self.closing_valued += moved.closing;
            self.from_existing += of_existing;
            self.closing_samples.push(Sample::new(moved.closing, of_existing, false));
        }
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

    /// The row with all its rates.
    pub(crate) fn row(&self, options: &RevenueOptions) -> Row {
        let heads = self.heads;
        let by_interval = options.attribution == Attribution::Interval;
        let parts = [Part::Net, Part::Gross, Part::Churned, Part::Grown];
        let mut rates = parts.map(|part| {
            let sum = match part {
                Part::Net => self.retained,
                Part::Gross => self.kept,
                Part::Churned => self.churned_of_opening.1,
                Part::Grown => self.retained - self.kept,
            };
            linearised(sum, self.opening, part, &self.samples)
        });
        let mut from_existing =
            linearised(self.from_existing, self.closing_valued, Part::Net, &self.closing_samples);
        if options.interval == IntervalMethod::Bootstrap {
            let resamples = options.resamples.unwrap_or(RESAMPLES);
            let intervals = bootstrap(parts, &self.samples, options.seed, resamples);
            for (rate, interval) in rates.iter_mut().zip(intervals) {
                *rate = rate.with_interval(interval);
            }
            let [interval] = bootstrap([Part::Net], &self.closing_samples, options.seed, resamples);
            from_existing = from_existing.with_interval(interval);
        }
        let [nrr, grr, churned_revenue, expansion_rate] = rates;
        let logo_churn = self.logo_churn(options);
        let won = self.new + self.reactivation + self.resumed + self.expansion;
        let lost = self.contraction + self.paused + self.churn;
        Row {
            clients: heads,
            opening: self.opening.into(),
            new: self.new.into(),
            reactivation: self.reactivation.into(),
            resumed: self.resumed.into(),
            expansion: self.expansion.into(),
            contraction: self.contraction.into(),
            paused: self.paused.into(),
            churn: self.churn.into(),
            fx: self.fx.into(),
            closing: self.closing.into(),
            joined_and_left: self.joined_and_left.into(),
            paused_lost: self.paused_lost.into(),
            after_cancellations: self.after_cancellations.into(),
            nrr,
            grr,
            logo_churn,
            logo_retention: logo_churn.complement(),
            gross_revenue_churn: grr.complement(),
            churned_revenue,
            net_revenue_churn: nrr.complement(),
            churn_divergence: Divergence::of(
                (self.churned_of_opening.0, heads.opening),
                (self.churned_of_opening.1, self.opening),
            ),
            expansion_rate,
            from_existing,
            quick_ratio: MoneyRatio::new(won, lost),
            arpa: PerHead::new(self.closing, heads.closing),
            flows: (options.grain == Grain::Change).then_some(self.flows),
            transferred_in: by_interval.then(|| self.transferred_in.into()),
            transferred_out: by_interval.then(|| self.transferred_out.into()),
            rounding: None,
        }
    }

    fn logo_churn(&self, options: &RevenueOptions) -> HeadRate {
        let heads = self.heads;
        match options.base {
            LogoBase::Opening => HeadRate::new(self.churned_of_opening.0, heads.opening),
            LogoBase::OpeningPlusNew => {
                let joined = heads.new + heads.reactivated + heads.resumed + heads.joined_and_left;
                let churned = self.churned_of_opening.0 + heads.joined_and_left;
                HeadRate::new(churned, heads.opening + joined)
            }
        }
    }
}

/// How often the bootstrap draws unless said.
pub(crate) const RESAMPLES: u32 = 2_000;

//! Sums over clients, and the rates that follow from them: what stayed, what left, and of how much.

use super::movement::{Moved, MovementKind};
use super::report::{Heads, Row};
use super::settings::{LogoBase, RevenueOptions};
use crate::money::Annual;
use crate::rate::{HeadRate, MoneyRatio, Part, PerHead, Sample, linearised};

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
}

impl Heads {
    pub(crate) fn count(&mut self, moved: &Moved, pays_at_closing: bool) {
        if moved.opening.is_positive() {
            self.opening += 1;
        }
        if pays_at_closing {
            self.closing += 1;
        }
        match moved.kind {
            Some(MovementKind::New) => self.new += 1,
            Some(MovementKind::Reactivation) => self.reactivated += 1,
            Some(MovementKind::Resumed) => self.resumed += 1,
            Some(MovementKind::Paused) => self.paused += 1,
            Some(MovementKind::Churn) => self.churned += 1,
            Some(MovementKind::JoinedAndLeft) => self.joined_and_left += 1,
            Some(MovementKind::PausedLost) => self.paused_lost += 1,
            Some(MovementKind::Expansion | MovementKind::Contraction) | None => {}
        }
    }
}

impl Sums {
    pub(crate) fn add(&mut self, moved: &Moved) {
        self.heads.count(moved, moved.closing.is_positive());
        self.opening += moved.opening;
        self.closing += moved.closing + moved.fx;
        self.fx += moved.fx;
        self.after_cancellations += moved.after_cancellations;
        let line = match moved.kind {
            Some(MovementKind::New) => Some(&mut self.new),
            Some(MovementKind::Reactivation) => Some(&mut self.reactivation),
            Some(MovementKind::Resumed) => Some(&mut self.resumed),
            Some(MovementKind::Expansion) => Some(&mut self.expansion),
            Some(MovementKind::Contraction) => Some(&mut self.contraction),
            Some(MovementKind::Paused) => Some(&mut self.paused),
            Some(MovementKind::Churn) => Some(&mut self.churn),
            Some(MovementKind::JoinedAndLeft) => Some(&mut self.joined_and_left),
            Some(MovementKind::PausedLost) => Some(&mut self.paused_lost),
            None => None,
        };
        if let Some(line) = line {
            *line += moved.amount;
        }
        if moved.opening.is_positive() {
            self.retained += moved.closing;
            self.kept += moved.closing.min(moved.opening);
            let churned = moved.kind == Some(MovementKind::Churn);
            self.samples.push(Sample::new(moved.opening, moved.closing, churned));
        }
    }

    /// The row with all its rates.
    pub(crate) fn row(&self, options: &RevenueOptions) -> Row {
        let heads = self.heads;
        let over_opening = |part, what| linearised(part, self.opening, what, &self.samples);
        let nrr = over_opening(self.retained, Part::Net);
        let grr = over_opening(self.kept, Part::Gross);
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
            logo_churn: logo_churn(heads, options.base),
            gross_revenue_churn: grr.complement(),
            churned_revenue: over_opening(self.churn, Part::Churned),
            net_revenue_churn: nrr.complement(),
            quick_ratio: MoneyRatio::new(won, lost),
            arpa: PerHead::new(self.closing, heads.closing),
        }
    }
}

fn logo_churn(heads: Heads, base: LogoBase) -> HeadRate {
    match base {
        LogoBase::Opening => HeadRate::new(heads.churned, heads.opening),
        LogoBase::OpeningPlusNew => {
            let joined = heads.new + heads.reactivated + heads.resumed + heads.joined_and_left;
            HeadRate::new(heads.churned + heads.joined_and_left, heads.opening + joined)
        }
    }
}

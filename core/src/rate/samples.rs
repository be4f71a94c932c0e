//! What intervals of money rates are made from: the clients behind them, one by one.

use super::float;
use crate::recurring::Annual;

/// What intervals of money rates are made from: one client that paid at opening or at closing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(super) opening: f64,
    retained: f64,
    churned: f64,
    closing: f64,
}

/// Which part of a client's opening a rate is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What is retained of it.
    Net,
    /// The same, and nobody counts for more than at opening.
    Gross,
    /// What left with clients that left.
    Churned,
    /// What is retained above the opening.
    Grown,
}

impl Sample {
    /// A client's opening, what is retained of it, what of it left with the client, and its closing.
    pub(crate) fn new(opening: Annual, retained: Annual, churned: Annual, closing: Annual) -> Self {
        Self {
            opening: float(opening),
            retained: float(retained),
            churned: float(churned),
            closing: float(closing),
        }
    }

    /// A client that pays the same at both ends.
    fn still(StillPaid(paid): StillPaid) -> Self {
        Self { opening: paid, retained: paid, churned: 0.0, closing: paid }
    }

    /// Whether the client paid at opening.
    pub(crate) fn opens(&self) -> bool {
        self.opening > 0.0
    }

    /// Whether it pays at closing.
    pub(crate) fn closes(&self) -> bool {
        self.closing > 0.0
    }

    /// What is paid at closing, as a share of what all pay then: the part of those who paid at opening.
    pub(crate) fn of_closing(&self) -> Self {
        let retained = if self.opens() { self.closing } else { 0.0 };
        Self { opening: self.closing, retained, churned: 0.0, closing: self.closing }
    }

    pub(super) fn part(&self, part: Part) -> f64 {
        match part {
            Part::Net => self.retained,
            Part::Gross => self.retained.min(self.opening),
            Part::Churned => self.churned,
            Part::Grown => (self.retained - self.opening).max(0.0),
        }
    }
}

/// The samples of clients, in the order in which they come. Most pay the same at both ends, which one number says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    /// What those pay who pay the same at both ends; NaN, which is no amount, stands for the next of the others.
    paid: Vec<f64>,
    others: Vec<Sample>,
}

impl Samples {
    /// Adds a client that pays the same at both ends.
    pub(crate) fn push_still(&mut self, paid: StillPaid) {
        self.paid.push(paid.0);
    }

    pub(crate) fn push(&mut self, sample: Sample) {
        self.paid.push(f64::NAN);
        self.others.push(sample);
    }

    /// Adds the samples of the clients behind these.
    pub(crate) fn append(&mut self, after: &mut Self) {
        self.paid.append(&mut after.paid);
        self.others.append(&mut after.others);
    }

    pub(crate) fn clear(&mut self) {
        self.paid.clear();
        self.others.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Sample> {
        let mut others = self.others.iter();
        self.paid.iter().filter_map(move |paid| {
            if paid.is_nan() { others.next().copied() } else { Some(Sample::still(StillPaid(*paid))) }
        })
    }
}

/// What a client pays at both ends, for the sample that it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StillPaid(f64);

impl StillPaid {
    pub(crate) fn new(annual: Annual) -> Self {
        Self(float(annual))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In one list as in another: those who pay the same take a number, the others all four, and the order stays.
    #[test]
    fn samples_keep_their_order() {
        let annual = Annual::from_picos;
        let sample =
            |opening, closing| Sample::new(annual(opening), annual(closing), Annual::ZERO, annual(closing));
        let clients = [(100, 100), (200, 120), (50, 50), (0, 70), (30, 0), (10, 10)];
        let (mut samples, mut behind) = (Samples::default(), Samples::default());
        for (place, (opening, closing)) in clients.into_iter().enumerate() {
            let list = if place < 3 { &mut samples } else { &mut behind };
            if opening == closing {
                list.push_still(StillPaid::new(annual(opening)));
            } else {
                list.push(sample(opening, closing));
            }
        }
        samples.append(&mut behind);
        assert!(samples.iter().eq(clients.map(|(opening, closing)| sample(opening, closing))));
        samples.clear();
        assert_eq!(samples.iter().count() + behind.iter().count(), 0);
    }
}

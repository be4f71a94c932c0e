//! What a client is worth if the figures of one period held for ever: closed forms.
//!
//! With a margin of m a period, retention r = 1 - churn, growth g of the margin and a discount rate d, a payment t periods
//! ahead is worth m q^t with q = r (1 + g) / (1 + d).
//!
//! | form | formula |
//! |---|---|
//! | lifetime | 1 / churn periods |
//! | plain | m / churn |
//! | due | first payment now: m (1 + q + q^2 + ...) = m / (1 - q) |
//! | arrears | first payment after one period, if still there: m q / (1 - q); with g = 0 the margin multiple r / (1 + d - r) of Gupta and Lehmann (2005) |
//! | within a horizon | the first so many payments: m (1 - q^h) / (1 - q) |
//!
//! Where nobody leaves, the plain form has no value: a quiet period makes nobody immortal. Where growth outruns churn and
//! discount together, no form but that of a horizon has one.

use serde::Serialize;

/// What one period says of a client for ever. All rates are a period's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimpleTerms {
    /// What a client leaves a period after the cost of serving it; it may be below 0.
    pub margin: f64,
    /// The share of clients that leaves, 0 to 1.
    pub churn: f64,
    /// By how much a payment is worth less for each period it lies ahead.
    pub discount: f64,
    /// By how much the margin grows each period.
    pub growth: f64,
}

/// Why a lifetime value is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoLtv {
    /// Nobody was there who could leave, or nobody pays.
    NobodyPays,
    /// Nobody left: a period too short, or clients too few, to say how long they stay.
    NobodyLeft,
    /// The margin grows faster than churn and discount take away.
    GrowthOutrunsDiscount,
    /// Too few clients to fit a model to.
    TooFew,
    /// The model gives no finite value without a horizon or a discount.
    Unbounded,
    /// A purchase's value cannot be told: no client of the group has bought again.
    NoRepeatValue,
}

impl NoLtv {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NobodyPays => "nobody_pays",
            Self::NobodyLeft => "nobody_left",
            Self::GrowthOutrunsDiscount => "growth_outruns_discount",
            Self::TooFew => "too_few",
            Self::Unbounded => "unbounded",
            Self::NoRepeatValue => "no_repeat_value",
        }
    }
}

impl SimpleTerms {
    /// Expected periods until a client leaves.
    ///
    /// # Errors
    /// If nobody leaves.
    pub fn lifetime(&self) -> Result<f64, NoLtv> {
        if self.churn > 0.0 { Ok(1.0 / self.churn) } else { Err(NoLtv::NobodyLeft) }
    }

    /// margin / churn: neither growth nor discount.
    ///
    /// ```
    /// use healthfold::lifetime::{NoLtv, SimpleTerms};
    /// let terms = SimpleTerms { margin: 80.0, churn: 0.05, discount: 0.01, growth: 0.0 };
    /// assert!((terms.plain().unwrap() - 1600.0).abs() < 1e-9);
    /// assert!((terms.due().unwrap() - 80.0 * 1.01 / 0.06).abs() < 1e-9);
    /// assert_eq!(SimpleTerms { churn: 0.0, ..terms }.plain(), Err(NoLtv::NobodyLeft));
    /// ```
    ///
    /// # Errors
    /// If nobody leaves.
    pub fn plain(&self) -> Result<f64, NoLtv> {
        Ok(self.margin * self.lifetime()?)
    }

    /// What a payment is worth against the one before it.
    fn step(&self) -> f64 {
        (1.0 - self.churn) * (1.0 + self.growth) / (1.0 + self.discount)
    }

    fn converging(&self) -> Result<f64, NoLtv> {
        let step = self.step();
        if step < 1.0 {
            Ok(step)
        } else if self.churn <= 0.0 && self.growth <= 0.0 {
            Err(NoLtv::NobodyLeft)
        } else {
            Err(NoLtv::GrowthOutrunsDiscount)
        }
    }

    /// Payments at the start of each period, the first now.
    ///
    /// # Errors
    /// If the sum has no end.
    pub fn due(&self) -> Result<f64, NoLtv> {
        Ok(self.margin / (1.0 - self.converging()?))
    }

    /// Payments at the end of each period, of those still there.
    ///
    /// # Errors
    /// If the sum has no end.
    pub fn arrears(&self) -> Result<f64, NoLtv> {
        let step = self.converging()?;
        Ok(self.margin * step / (1.0 - step))
    }

    /// The first so many payments, the first now.
    pub fn due_within(&self, periods: u32) -> f64 {
        let step = self.step();
        if step == 1.0 {
            return self.margin * f64::from(periods);
        }
        self.margin * (1.0 - libm::pow(step, f64::from(periods))) / (1.0 - step)
    }

    /// The first so many payments of those still there, the first after one period.
    pub fn arrears_within(&self, periods: u32) -> f64 {
        self.step() * self.due_within(periods)
    }
}

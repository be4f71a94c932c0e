//! The settings of a question about money, and the period it asks about.

use num_traits::Signed;
use serde_json::{Value, json};

use super::calendar::{self, Calendar, Instant};
use super::exact::{self, Exact};
use super::subscription::RunRate;

/// A period with everything that decides how it is looked at.
pub(crate) struct Question {
    pub start: Instant,
    pub end: Instant,
    pub as_of: Instant,
    pub run_rate: RunRate,
    pub reactivation_within_days: Option<i64>,
    /// Whether new clients count in the base of logo churn.
    pub base: String,
    pub group_by: Option<String>,
    /// The reporting currency. The oracle knows no rates, so all money must be in it.
    pub currency: Option<String>,
    pub only_currency: Option<String>,
}

/// Settings that the oracle knows, but only at this value.
const FIXED: [(&str, &str); 4] =
    [("paused", "own"), ("grain", "net"), ("attribution", "opening"), ("interval", "linearised")];

impl Question {
    /// Reads a period and its options; what the oracle does not know is `not_covered`, never ignored.
    pub(crate) fn new(period: &str, options: &Value, calendar: &Calendar) -> Result<Question, String> {
        let (start, end) = calendar.period(period)?;
        let mut question = Question {
            start,
            end,
            as_of: end,
            run_rate: RunRate::default(),
            reactivation_within_days: None,
            base: "opening".to_owned(),
            group_by: None,
            currency: None,
            only_currency: None,
        };
        for (name, value) in options.as_object().into_iter().flatten() {
            question.set(name, value, calendar)?;
        }
        // Opening at an instant that the question does not see yet makes no sense.
        if question.as_of < start { Err("bad_period".to_owned()) } else { Ok(question) }
    }

    fn set(&mut self, name: &str, value: &Value, calendar: &Calendar) -> Result<(), String> {
        let text = value.as_str().map(str::to_owned);
        match name {
            "period" => {}
            _ if value.is_null() => {}
            "as_of" => self.as_of = calendar.as_of(text.as_deref().unwrap_or_default())?,
            "week_factor" => self.run_rate.weeks = factor(value)?,
            "day_factor" => self.run_rate.days = factor(value)?,
            "past_due_limit_days" => self.run_rate.past_due_limit_days = value.as_i64(),
            "reactivation_within_days" => self.reactivation_within_days = value.as_i64(),
            "base" => self.base = text.unwrap_or_default(),
            "group_by" => self.group_by = text,
            "currency" => self.currency = text,
            "only_currency" => self.only_currency = text,
            "renewal_grace_days" if value == 0 => {}
            "rounded" if value == false => {}
            _ if FIXED.iter().any(|(known, only)| name == *known && value == *only) => {}
            _ => return Err(format!("not_covered: setting `{name}` = {value}")),
        }
        Ok(())
    }

    /// The instant whose state opens the period.
    pub(crate) fn opening(&self) -> Instant {
        self.start - 1
    }

    /// The instant whose state closes the period: its last microsecond, or as_of if that is earlier.
    pub(crate) fn closing(&self) -> Instant {
        self.as_of.min(self.end - 1)
    }

    pub(crate) fn is_partial(&self) -> bool {
        self.as_of < self.end - 1
    }

    pub(crate) fn period_json(&self) -> Value {
        let (start, end) = (calendar::text(self.start), calendar::text(self.end));
        json!({ "start": start, "end": end, "partial": self.is_partial() })
    }

    pub(crate) fn settings_json(&self) -> Value {
        json!({
            "as_of": calendar::text(self.as_of),
            "week_factor": exact::text(&self.run_rate.weeks),
            "day_factor": exact::text(&self.run_rate.days),
            "past_due_limit_days": self.run_rate.past_due_limit_days,
            "reactivation_within_days": self.reactivation_within_days,
            "base": self.base,
            "paused": "own",
            "group_by": self.group_by,
            "currency": self.currency,
            "only_currency": self.only_currency,
        })
    }
}

fn factor(value: &Value) -> Result<Exact, String> {
    exact::read(value).filter(Signed::is_positive).ok_or_else(|| "bad_value".to_owned())
}

//! The fields of an event that a table can fill, and what columns each can be read from.

use super::column::Stuff;
use crate::event::fields::Field;
use crate::event::{
    Attribute, Count, EventKind, FieldSpec, Grade, Moment, Named, Patch, Percent, Price, SetOf,
};
use crate::id::{Text, UserId};
use crate::money::{Amount, Interval};
use crate::quantity::Quantity;
use crate::time::{Day, Instant};

/// What a field takes, which decides the columns it can be read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Text,
    Number,
    Money,
    Whole,
    Flag,
    Instant,
    /// An instant or a date.
    Moment,
    Day,
    /// A list of texts.
    Texts,
    /// Text, a number, true or false, as the column has it.
    Any,
    /// Members of names of their own, each a number or anything.
    Members(Of),
    /// The members `unit` and `count`.
    Interval,
}

/// What the members of an object take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Numbers,
    Anything,
}

/// One field that a column can be mapped to.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The name in the envelope or in `data`.
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    pub(super) required: bool,
    pub(super) in_data: bool,
}

impl Target {
    /// As errors name it.
    pub(super) fn path(&self) -> String {
        if self.in_data { format!("data.{}", self.name) } else { self.name.to_owned() }
    }
}

/// The fields of the events of a type: those of the envelope first.
pub(super) fn targets(kind: EventKind) -> Vec<Target> {
    let envelope = |name, takes, required| Target { name, takes, required, in_data: false };
    let mut targets = vec![
        envelope("id", Takes::Text, false),
        envelope("source", Takes::Text, true),
        envelope("subject", Takes::Text, true),
        envelope("time", Takes::Instant, true),
        envelope("sequence", Takes::Whole, false),
        envelope("recordedtime", Takes::Instant, false),
    ];
    targets.extend(kind.fields().iter().map(|spec| Target {
        name: spec.name,
        takes: takes(spec),
        required: spec.required,
        in_data: true,
    }));
    targets
}

/// A field is known by what it says it expects: each type of field says something else, and words and ids are text.
fn takes(spec: &FieldSpec) -> Takes {
    let known = [
        (<Quantity as Field>::EXPECTS, Takes::Number),
        (<Count as Field>::EXPECTS, Takes::Number),
        (<Percent as Field>::EXPECTS, Takes::Number),
        (<Grade<1, 5> as Field>::EXPECTS, Takes::Number),
        (<Amount as Field>::EXPECTS, Takes::Money),
        (<Price as Field>::EXPECTS, Takes::Money),
        (<i64 as Field>::EXPECTS, Takes::Whole),
        (<bool as Field>::EXPECTS, Takes::Flag),
        (<Instant as Field>::EXPECTS, Takes::Instant),
        (<Moment as Field>::EXPECTS, Takes::Moment),
        (<Day as Field>::EXPECTS, Takes::Day),
        (<SetOf<UserId> as Field>::EXPECTS, Takes::Texts),
        (<Interval as Field>::EXPECTS, Takes::Interval),
        (<Text as Field>::EXPECTS, Takes::Text),
    ];
    if spec.expects == <Named<Percent> as Field>::EXPECTS {
        let of_numbers = spec.schema == <Named<Percent> as Field>::schema();
        return Takes::Members(if of_numbers { Of::Numbers } else { Of::Anything });
    }
    debug_assert_eq!(<Named<Patch<Attribute>> as Field>::EXPECTS, <Named<Percent> as Field>::EXPECTS);
    known.iter().find(|(expects, _)| *expects == spec.expects).map_or(Takes::Text, |(_, takes)| *takes)
}

impl Takes {
    /// For messages.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Text => "text or whole numbers",
            Self::Number => "numbers or text",
            Self::Money => "decimals, whole numbers or text",
            Self::Whole => "whole numbers",
            Self::Flag => "true and false",
            Self::Instant => "timestamps or text",
            Self::Moment => "timestamps, dates or text",
            Self::Day => "dates or text",
            Self::Texts => "lists of text",
            Self::Any => "text, numbers, true and false",
            Self::Members(_) => "structs, or one column for each of its names",
            Self::Interval => "structs {unit, count}, or one column for each",
        }
    }

    /// What a member of the object takes; `None` where there is no such member.
    pub(super) fn member(self, name: &str) -> Option<Self> {
        match (self, name) {
            (_, "") => None,
            (Self::Members(Of::Numbers), _) => Some(Self::Number),
            (Self::Members(Of::Anything), _) => Some(Self::Any),
            (Self::Interval, "unit") => Some(Self::Text),
            (Self::Interval, "count") => Some(Self::Number),
            _ => None,
        }
    }

    /// Whether the field can be read from such a column at all; what needs the caller's word is not asked here.
    pub(super) fn reads(self, stuff: &Stuff) -> bool {
        match (self, stuff) {
            (_, Stuff::Nothing) => true,
            (Self::Text, Stuff::Texts | Stuff::Whole) => true,
            (Self::Number | Self::Money, Stuff::Whole | Stuff::Decimals | Stuff::Floats | Stuff::Texts) => {
                true
            }
            (Self::Whole, Stuff::Whole | Stuff::Decimals | Stuff::Floats) => true,
            (Self::Flag, Stuff::Flags) => true,
            (Self::Instant | Self::Moment, Stuff::Times { .. } | Stuff::Days | Stuff::Texts) => true,
            (Self::Day, Stuff::Days | Stuff::Texts) => true,
            (Self::Texts, Stuff::Lists(of)) => Self::Text.reads(of),
            (Self::Any, Stuff::Texts | Stuff::Whole | Stuff::Decimals | Stuff::Floats | Stuff::Flags) => true,
            (Self::Members(_) | Self::Interval, Stuff::Struct) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_is_no_text_is_known_by_what_it_expects() {
        // A field counts as text only if its schema is that of a text.
        for kind in EventKind::ALL {
            for spec in kind.fields() {
                let schema = spec.schema.to_string();
                let is_text = takes(&spec) == Takes::Text;
                let says_text =
                    !["\"number\"", "\"integer\"", "\"boolean\"", "\"array\"", "\"object\"", "\"date"]
                        .iter()
                        .any(|other| schema.contains(other));
                assert_eq!(is_text, says_text, "{kind}: {} {schema}", spec.name);
            }
        }
    }
}

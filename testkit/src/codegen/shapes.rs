//! What results are made of, whatever the language: the classes that some names need, each after those it is made of, with
//! members of their own and of what is flat in them. Types are told as Python annotates them; a language that writes them
//! otherwise translates.

#![allow(clippy::panic, reason = "a type of the core that has no form in the bindings stops the generator")]

use super::core_types::{Field, Kind, Named, Variant, arguments, path_end};
use std::collections::{BTreeMap, BTreeSet};
use syn::Type;

/// Name, docs, and members by name and annotation.
pub(super) type ByHand = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Structs that write themselves: their members as they come out.
pub(super) const BY_HAND: &[ByHand] = &[
    (
        "Recurring",
        "One line of a revenue report: MRR, rounded for print, and the exact annual figure.",
        &[("mrr", "Decimal"), ("arr", "Decimal")],
    ),
    (
        "MoneyRate",
        "A ratio of money to money, with a 95 % interval.",
        &[
            ("part", "Decimal"),
            ("whole", "Decimal"),
            ("value", "float | None"),
            ("low", "float | None"),
            ("high", "float | None"),
        ],
    ),
    (
        "MoneyRatio",
        "Money over money, without an interval.",
        &[("part", "Decimal"), ("whole", "Decimal"), ("value", "float | None")],
    ),
    ("PerHead", "MRR per head.", &[("part", "Decimal"), ("whole", "int"), ("value", "float | None")]),
    (
        "Rejection",
        "An event that was not taken, and where it stood.",
        &[
            ("index", "int"),
            ("line", "int | None"),
            ("offset", "int | None"),
            ("code", "str"),
            ("message", "str"),
            ("field", "str | None"),
        ],
    ),
    (
        "CohortCell",
        "A cohort at the end of a month.",
        &[
            ("months", "int"),
            ("clients", "int"),
            ("mrr", "Decimal"),
            ("arr", "Decimal"),
            ("clients_share", "float | None"),
            ("mrr_share", "float | None"),
        ],
    ),
    (
        "PartScore",
        "One part of a score: what it is, what was read, and what it adds.",
        &[
            ("group", "tuple[str, ...]"),
            ("signal", "str"),
            ("origin", "Origin"),
            ("direction", "Direction"),
            ("reading", "float | None"),
            ("missing", "Missing | None"),
            ("points", "float | None"),
            ("weight", "float"),
            ("contribution", "float"),
        ],
    ),
    (
        "TableIssue",
        "One fault of the mapping of a table.",
        &[("code", "str"), ("field", "str"), ("message", "str")],
    ),
    (
        "Reading",
        "The value of a signal, always finite, or why there is none.",
        &[("reading", "float | None"), ("missing", "Missing | None")],
    ),
    ("Factors", "Weeks and days in a year.", &[("week_factor", "Decimal"), ("day_factor", "Decimal")]),
    (
        "Rounding",
        "What rounded lines miss to the rounded closing, in units of the currency.",
        &[("mrr", "Decimal"), ("arr", "Decimal")],
    ),
];

/// Lists whose rows are made when they are looked at.
pub(super) const TABLES: &[(&str, &str)] = &[
    ("Movements", "rows"),
    ("RevenueSeries", "rows"),
    ("Cohorts", "cohorts"),
    ("Spells", "spells"),
    ("RfmSummary", "clients"),
    ("SimpleLtv", "clients"),
    ("ObservedLtv", "clients"),
    ("ModelLtv", "clients"),
];

/// Results that are tables beside what they say of themselves, and the member that holds these.
pub(super) const COLUMNS: &[(&str, &str)] =
    &[("ScoreTable", "_native"), ("Applied", "_native"), ("Lifetime", "_native")];

/// Members that a struct is written with and does not hold: the struct, the member, its annotation and docs.
const BESIDE: &[(&str, &str, &str, &str)] = &[(
    "PartColumns",
    "weights",
    "tuple[float | None, ...]",
    "The shares of the score. Points x share is what the part contributes.",
)];

/// Values without parts.
fn leaf(name: &str) -> Option<&'static str> {
    Some(match name {
        "bool" => "bool",
        "f64" => "float",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "i128" => "int",
        "String" | "str" | "Text" | "Currency" | "Month" | "CompactString" | "GroupBy" | "Name" => "str",
        "ClientId" | "EventId" | "SourceId" | "MetricName" | "UserId" | "TicketId" | "IncidentId" => "str",
        "SubscriptionId" | "InvoiceId" | "ChargeId" | "RefundId" | "PaymentPlanId" | "ContactId" => "str",
        "MilestoneName" => "str",
        "Instant" => "datetime",
        "Day" => "date",
        "AsOf" => "datetime | date",
        "Quantity" | "Amount" | "Annual" | "Mrr" | "Factor" | "ExchangeRate" | "TotalAmount" | "Margin"
        | "Aim" => "Decimal",
        "GroupKey" => "bool | int | float | str | None",
        "Model" | "Value" | "FitWarning" | "TrialSplit" => "dict[str, Any]",
        "LtvHorizon" => "int | str | None",
        _ => return None,
    })
}

/// A class of results.
pub(super) struct Class {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) of: Made,
}

/// What a class is made of.
pub(super) enum Made {
    /// Words, with their docs.
    Words(Vec<(String, String)>),
    Record(Vec<Member>),
}

/// A member of a class.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) of: String,
    pub(super) may_be_absent: bool,
}

/// The classes that some names need.
pub(super) fn classes(types: &BTreeMap<String, Named>, names: &[String]) -> Vec<Class> {
    let mut shapes = Shapes { types, done: BTreeSet::new(), classes: Vec::new() };
    names.iter().for_each(|name| shapes.class(name));
    // Faults of models and tables, which come with an error.
    shapes.class("Issue");
    shapes.class("TableIssue");
    shapes.classes
}

struct Shapes<'t> {
    types: &'t BTreeMap<String, Named>,
    done: BTreeSet<String>,
    classes: Vec<Class>,
}

impl Shapes<'_> {
    /// Adds a class after those it is made of.
    fn class(&mut self, name: &str) {
        let by_hand = BY_HAND.iter().find(|(by_hand, _, _)| *by_hand == name).map(|(_, doc, _)| *doc);
        let known = self.types.get(name);
        let Some(doc) = by_hand.or(known.map(|named| named.doc.as_str())) else { return };
        if !self.done.insert(name.to_owned()) {
            return;
        }
        let of = match known.map(|named| &named.kind) {
            Some(Kind::Words(words)) if by_hand.is_none() => {
                Made::Words(words.iter().map(|(_, text, doc)| (text.clone(), doc.clone())).collect())
            }
            _ => Made::Record(self.members(name)),
        };
        self.classes.push(Class { name: name.to_owned(), doc: doc.to_owned(), of });
    }

    /// The members of a struct, those of its flat fields in their place.
    fn members(&mut self, name: &str) -> Vec<Member> {
        let types = self.types;
        if let Some((_, _, members)) = BY_HAND.iter().find(|(by_hand, _, _)| *by_hand == name) {
            for (_, of) in *members {
                self.words_in(of);
            }
            let member = |(name, of): &(&str, &str)| Member {
                name: (*name).to_owned(),
                doc: String::new(),
                of: (*of).to_owned(),
                may_be_absent: false,
            };
            return members.iter().map(member).collect();
        }
        match types.get(name).map(|named| &named.kind) {
            Some(Kind::Struct(fields)) => {
                let mut members = self.of_fields(name, fields);
                let beside = BESIDE.iter().filter(|(of, ..)| *of == name);
                members.extend(beside.map(|(_, member, of, doc)| Member {
                    name: (*member).to_owned(),
                    doc: (*doc).to_owned(),
                    of: (*of).to_owned(),
                    may_be_absent: false,
                }));
                members
            }
            Some(Kind::Untagged(variants)) => self.any_of(variants),
            Some(Kind::Words(_)) | None => panic!("`{name}` is no struct of the core that is serialised"),
        }
    }

    fn of_fields(&mut self, name: &str, fields: &[Field]) -> Vec<Member> {
        let mut members = Vec::new();
        for field in fields {
            if field.flat {
                let optional = path_end(&field.of).as_deref() == Some("Option");
                let inner =
                    if optional { arguments(&field.of).first().cloned() } else { Some(field.of.clone()) };
                let shared = |of: Type| match path_end(&of).as_deref() {
                    Some("Arc" | "Box") => arguments(&of).first().cloned(),
                    _ => Some(of),
                };
                let name = inner.and_then(shared).as_ref().and_then(path_end).unwrap_or_default();
                for member in self.members(&name) {
                    let of = if optional { or_none(&member.of) } else { member.of };
                    members.push(Member { of, may_be_absent: member.may_be_absent || optional, ..member });
                }
            } else {
                let of = self.annotation(&field.of);
                let is_table = TABLES.contains(&(name, field.name.as_str()));
                let of = if is_table { of.replace("tuple[", "Table[").replace(", ...]", "]") } else { of };
                members.push(Member {
                    name: field.name.clone(),
                    doc: field.doc.clone(),
                    of,
                    may_be_absent: field.may_be_absent,
                });
            }
        }
        members
    }

    /// What any of some records has; a member that not all of them have may be absent.
    fn any_of(&mut self, variants: &[Variant]) -> Vec<Member> {
        let each: Vec<Vec<Member>> = variants
            .iter()
            .map(|variant| match variant {
                Variant::Fields(fields) => self.of_fields("", fields),
                Variant::Type(of) => self.members(&path_end(of).unwrap_or_default()),
            })
            .collect();
        let mut members: Vec<Member> = Vec::new();
        for member in each.iter().flatten() {
            let everywhere = each
                .iter()
                .all(|record| record.iter().any(|other| other.name == member.name && !other.may_be_absent));
            let of = if everywhere { member.of.clone() } else { or_none(&member.of) };
            match members.iter_mut().find(|known| known.name == member.name) {
                Some(known) => known.of = union(&known.of, &of),
                None => members.push(Member { of, may_be_absent: !everywhere, ..member.clone() }),
            }
        }
        members
    }

    /// The annotation of a type; classes it names are written.
    fn annotation(&mut self, of: &Type) -> String {
        match of {
            Type::Reference(reference) => return self.annotation(&reference.elem),
            Type::Tuple(tuple) => {
                let items: Vec<String> = tuple.elems.iter().map(|item| self.annotation(item)).collect();
                return format!("tuple[{}]", items.join(", "));
            }
            Type::Array(array) => return format!("tuple[{}, ...]", self.annotation(&array.elem)),
            Type::Slice(slice) => return format!("tuple[{}, ...]", self.annotation(&slice.elem)),
            _ => {}
        }
        let name = path_end(of).unwrap_or_default();
        let inside: Vec<Type> = arguments(of);
        match (name.as_str(), inside.as_slice()) {
            ("Option", [item]) => or_none(&self.annotation(item)),
            ("Vec" | "BTreeSet", [item]) => format!("tuple[{}, ...]", self.annotation(item)),
            ("Box" | "Arc", [item]) => self.annotation(item),
            ("BTreeMap", [_, item]) => format!("dict[str, {}]", self.annotation(item)),
            ("ReasonClasses", []) => "dict[str, str]".to_owned(),
            ("Column", []) => "tuple[float | None, ...]".to_owned(),
            ("Parts", []) => {
                self.class("PartColumns");
                "tuple[PartColumns, ...]".to_owned()
            }
            (name, []) if leaf(name).is_some() => leaf(name).unwrap_or_default().to_owned(),
            (name, [])
                if self.types.contains_key(name)
                    || BY_HAND.iter().any(|(by_hand, _, _)| *by_hand == name) =>
            {
                self.class(name);
                name.to_owned()
            }
            _ => panic!(
                "the type `{name}` of the core has no form in the bindings yet: tell it in testkit/src/codegen/shapes.rs"
            ),
        }
    }

    fn words_in(&mut self, annotation: &str) {
        for name in identifiers(annotation) {
            self.class(&name);
        }
    }
}

fn or_none(of: &str) -> String {
    union(of, "None")
}

fn union(a: &str, b: &str) -> String {
    // No bar stands inside brackets of these annotations, but for tuples of unions, which are not taken apart.
    let mut members: Vec<&str> = if a.contains('[') { vec![a] } else { a.split(" | ").collect() };
    for member in if b.contains('[') { vec![b] } else { b.split(" | ").collect() } {
        let is_there = member == "None" && a.ends_with("| None");
        if !is_there && !members.contains(&member) {
            members.push(member);
        }
    }
    // None comes last.
    let (mut nones, mut members): (Vec<&str>, Vec<&str>) =
        members.into_iter().partition(|member| *member == "None");
    nones.truncate(1);
    members.append(&mut nones);
    members.join(" | ")
}

pub(super) fn identifiers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut quoted = false;
    let mut word = String::new();
    for letter in text.chars().chain(" ".chars()) {
        if letter == '\'' {
            quoted = !quoted;
        }
        if letter.is_alphanumeric() || letter == '_' {
            word.push(letter);
        } else {
            if !word.is_empty() && !quoted && letter != '\'' {
                found.push(word.clone());
            }
            word.clear();
        }
    }
    found
}

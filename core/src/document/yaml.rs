//! YAML 1.2: plain words are read as its core schema has them, so `no` and `on` are text.
//!
//! Aliases, tags, merge keys and several documents are refused: what stands for something else is where YAML readers differ,
//! and how a short text becomes a huge tree.

use super::{Fault, MAX_DEPTH, member};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// Reads YAML.
pub(crate) fn yaml(text: &str) -> Result<Value, Vec<Fault>> {
    let mut tree = Tree { open: Vec::new(), root: None, faults: Vec::new() };
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let taken = match next {
            Ok((event, span)) => tree.take(event, &span.start),
            Err(error) => {
                let place = place(error.marker());
                Err(Fault::new("", format!("must be YAML: {} at {place}", error.info())))
            }
        };
        if let Err(fault) = taken {
            tree.faults.push(fault);
            break;
        }
    }
    match tree.root {
        Some(root) if tree.faults.is_empty() => Ok(root),
        None if tree.faults.is_empty() => Err(vec![Fault::new("", "must be YAML, found nothing")]),
        _ => Err(tree.faults),
    }
}

fn place(mark: &Marker) -> String {
    format!("line {} column {}", mark.line(), mark.col() + 1)
}

/// A list or an object whose end has not come yet.
enum Open {
    List(Vec<Value>),
    /// With the name whose value comes next.
    Object(Map<String, Value>, Option<String>),
}

struct Tree {
    open: Vec<Open>,
    root: Option<Value>,
    faults: Vec<Fault>,
}

impl Tree {
    fn take(&mut self, event: Event<'_>, at: &Marker) -> Result<(), Fault> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(self.refused("one document", "another", at))
            }
            Event::DocumentStart(_) => Ok(()),
            Event::Alias(_) => Err(self.refused("written out", "an alias", at)),
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => Err(self.refused("without tags", "a tag", at)),
            Event::Scalar(text, style, _, None) => self.scalar(&text, style == ScalarStyle::Plain, at),
            Event::SequenceStart(_, None) => self.begin(Open::List(Vec::new()), at),
            Event::MappingStart(_, None) => self.begin(Open::Object(Map::new(), None), at),
            Event::SequenceEnd | Event::MappingEnd => {
                let value = match self.open.pop() {
                    Some(Open::List(items)) => Value::Array(items),
                    Some(Open::Object(members, _)) => Value::Object(members),
                    None => Value::Null,
                };
                self.place_value(value);
                Ok(())
            }
        }
    }

    /// Where the next value stands.
    fn path(&self) -> String {
        self.open.iter().fold(String::new(), |path, open| match open {
            Open::List(items) => format!("{path}[{}]", items.len()),
            Open::Object(_, Some(name)) => member(&path, name),
            Open::Object(_, None) => path,
        })
    }

    fn refused(&self, allowed: &str, found: &str, at: &Marker) -> Fault {
        Fault::new(self.path(), format!("must be {allowed}, found {found} at {}", place(at)))
    }

    fn begin(&mut self, open: Open, at: &Marker) -> Result<(), Fault> {
        if matches!(self.open.last(), Some(Open::Object(_, None))) {
            return Err(self.refused("an object whose names are text", "a list or an object as a name", at));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Fault::too_deep(self.path()));
        }
        self.open.push(open);
        Ok(())
    }

    fn scalar(&mut self, text: &str, plain: bool, at: &Marker) -> Result<(), Fault> {
        if let Some(Open::Object(members, name @ None)) = self.open.last_mut() {
            let (merge, twice) = (plain && text == "<<", members.contains_key(text));
            *name = Some(text.to_owned());
            if merge {
                return Err(self.refused("written out", "a merge key", at));
            }
            if twice {
                self.faults.push(self.refused("named once", "the name again", at));
            }
            return Ok(());
        }
        let value = if plain { plain_value(text) } else { Ok(text.into()) };
        let value = value.unwrap_or_else(|allowed| {
            self.faults.push(self.refused(allowed, &format!("`{}`", shown(text)), at));
            Value::Null
        });
        self.place_value(value);
        Ok(())
    }

    fn place_value(&mut self, value: Value) {
        match self.open.last_mut() {
            Some(Open::List(items)) => items.push(value),
            Some(Open::Object(members, name)) => {
                if let Some(name) = name.take() {
                    members.insert(name, value);
                }
            }
            None => self.root = Some(value),
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A word without quotes by the core schema of YAML 1.2, or what it must be instead.
fn plain_value(text: &str) -> Result<Value, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(true.into()),
        "false" | "False" | "FALSE" => return Ok(false.into()),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return Err("a finite number");
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(number) = text.strip_prefix(prefix).filter(|digits| is_number_of(digits, radix)) {
            return u64::from_str_radix(number, radix).map(Value::from).map_err(|_| "a number below 2^64");
        }
    }
    let Some(whole) = number_form(unsigned) else { return Ok(text.into()) };
    if whole.len() > 1 && whole.starts_with('0') {
        // 010 is 8 to readers of YAML 1.1 and 10 to those of 1.2.
        return Err("a number without leading zeros, or text in quotes");
    }
    let positive = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = positive.parse::<i64>() {
        return Ok(number.into());
    }
    if let Ok(number) = positive.parse::<u64>() {
        return Ok(number.into());
    }
    let number = positive.parse::<f64>().ok().and_then(Number::from_f64);
    number.map(Value::Number).ok_or("a finite number")
}

fn is_number_of(digits: &str, radix: u32) -> bool {
    !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix))
}

/// The digits before the point of what has the form of a number.
fn number_form(text: &str) -> Option<&str> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['-', '+']).unwrap_or(exponent));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| is_number_of(exponent, 10));
    number.then_some(whole)
}

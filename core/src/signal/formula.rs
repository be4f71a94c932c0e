//! A number worked out of other signals: a closed tree of few operations, bounded in depth and size.

use super::doc::{Direction, ParamDoc, SignalDoc};
use super::named::Around;
use super::params::{Faults, Object, Param, found};
use super::{Measure, Missing, Reading, SignalSpec, View};
use serde_json::{Value, json};
use std::cell::Cell;

/// The most levels of a tree.
const MOST_LEVELS: usize = 16;
/// The most numbers, signals and operations in a tree.
const MOST_NODES: usize = 256;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Min,
    Max,
    If,
    Above,
    AtLeast,
    Below,
    AtMost,
    Equals,
}

impl Operator {
    const ALL: [(&'static str, Self); 12] = [
        ("+", Self::Add),
        ("-", Self::Subtract),
        ("*", Self::Multiply),
        ("/", Self::Divide),
        ("min", Self::Min),
        ("max", Self::Max),
        ("if", Self::If),
        (">", Self::Above),
        (">=", Self::AtLeast),
        ("<", Self::Below),
        ("<=", Self::AtMost),
        ("==", Self::Equals),
    ];

    /// How many operands it takes; `None` for one or more.
    fn operands(self) -> Option<usize> {
        match self {
            Self::Add | Self::Multiply | Self::Min | Self::Max => None,
            Self::If => Some(3),
            Self::Subtract
            | Self::Divide
            | Self::Above
            | Self::AtLeast
            | Self::Below
            | Self::AtMost
            | Self::Equals => Some(2),
        }
    }
}

impl Operator {
    /// What it makes of two numbers; `If` never has as few.
    fn of_two(self, a: f64, b: f64) -> Result<f64, Missing> {
        let holds = |holds: bool| Ok(if holds { 1.0 } else { 0.0 });
        match self {
            Self::Add => Ok(a + b),
            Self::Subtract => Ok(a - b),
            Self::Multiply => Ok(a * b),
            Self::Divide if b == 0.0 => Err(Missing::TooLittle),
            Self::Divide => Ok(a / b),
            Self::Min => Ok(a.min(b)),
            Self::Max => Ok(a.max(b)),
            Self::If => Ok(b),
            Self::Above => holds(a > b),
            Self::AtLeast => holds(a >= b),
            Self::Below => holds(a < b),
            Self::AtMost => holds(a <= b),
            Self::Equals => holds(a == b),
        }
    }
}

/// A tree of operations.
#[derive(Clone, Debug, PartialEq)]
enum Expr {
    Number(f64),
    /// A signal of the model, by its place.
    Named(usize),
    /// A signal inside the formula, by its place there.
    Inline(usize),
    Apply(Operator, Vec<Expr>),
}

/// A number worked out of other signals.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Formula {
    expr: Expr,
    /// The signals of the model that it names, each once.
    pub(super) named: Vec<usize>,
    /// The signals that stand inside it.
    pub(super) inline: Vec<SignalSpec>,
}

/// What a tree may be.
const EXPECTS: &str = "a number, the name of a signal of the model, a signal, or an object with one of `+`, `-`, `*`, \
                       `/`, `min`, `max`, `if`, `>`, `>=`, `<`, `<=`, `==`";

impl Formula {
    pub(crate) const KIND: &'static str = "formula";
    pub(crate) const DIRECTION: Direction = Direction::Either;

    pub(crate) fn doc() -> SignalDoc {
        SignalDoc {
            kind: Self::KIND,
            doc: "A number worked out of other signals.",
            unit: "as worked out",
            direction: Self::DIRECTION,
            windowed: false,
            parameters: vec![ParamDoc {
                name: "expr",
                doc: "A tree of numbers, signals and operations.",
                expects: EXPECTS,
                default: None,
                schema: json!({"$ref": "#/$defs/formula"}),
            }],
        }
    }

    pub(crate) fn from_object(
        object: &mut Object<'_>,
        around: Around<'_>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let path = object.path("expr");
        let Some(value) = object.value("expr") else {
            faults.add(path, format!("is missing, it must be {EXPECTS}"));
            return None;
        };
        let mut reader = Reader { around, faults, nodes: 0, named: Vec::new(), inline: Vec::new() };
        let expr = reader.read(&path, value, 1);
        let (nodes, mut named, inline) = (reader.nodes, reader.named, reader.inline);
        if nodes > MOST_NODES {
            faults.add(path, format!("must have at most {MOST_NODES} numbers, signals and operations"));
            return None;
        }
        named.sort_unstable();
        named.dedup();
        Some(Self { expr: expr?, named, inline })
    }
}

/// The JSON Schema of a tree: a definition of the schema of models, which refers to itself.
pub(crate) fn schema() -> Value {
    let tree = || json!({"$ref": "#/$defs/formula"});
    let operation = |(name, operator): (&str, Operator)| {
        let least = operator.operands().unwrap_or(1);
        let most = operator.operands().unwrap_or(MOST_NODES);
        let operands = json!({"type": "array", "items": tree(), "minItems": least, "maxItems": most});
        json!({"type": "object", "properties": {name: operands}, "required": [name], "additionalProperties": false})
    };
    let mut forms = vec![
        json!({"type": "number"}),
        json!({"type": "string", "description": "The name of a signal of the model."}),
        json!({"$ref": "#/$defs/signal"}),
    ];
    forms.extend(Operator::ALL.into_iter().map(operation));
    json!({"description": "A tree of numbers, signals and operations.", "oneOf": forms})
}

/// Reads one tree.
struct Reader<'r> {
    around: Around<'r>,
    faults: &'r mut Faults,
    nodes: usize,
    named: Vec<usize>,
    inline: Vec<SignalSpec>,
}

impl Reader<'_> {
    fn read(&mut self, path: &str, value: &Value, level: usize) -> Option<Expr> {
        self.nodes += 1;
        // One fault for the whole tree, told by whoever began it.
        if self.nodes > MOST_NODES {
            return None;
        }
        if level > MOST_LEVELS {
            self.faults.add(path, format!("is too deep, a formula has at most {MOST_LEVELS} levels"));
            return None;
        }
        match value {
            Value::Number(_) => self.number(path, value),
            Value::String(name) => self.named(path, name),
            Value::Object(members) if members.contains_key("kind") => self.inline(path, value),
            Value::Object(_) => self.apply(path, value, level),
            Value::Null | Value::Bool(_) | Value::Array(_) => {
                self.faults.add(path, format!("must be {}, found {}", EXPECTS, found(value)));
                None
            }
        }
    }

    fn number(&mut self, path: &str, value: &Value) -> Option<Expr> {
        let number = f64::read(value);
        if number.is_none() {
            self.faults.add(path, format!("must be a number, found {}", found(value)));
        }
        number.map(Expr::Number)
    }

    fn named(&mut self, path: &str, name: &str) -> Option<Expr> {
        let Some(names) = self.around.names else {
            let message = "must be a number, an operation or a signal: without a model none has a name";
            self.faults.add(path, format!("{message}, found `{name}`"));
            return None;
        };
        let place = names.find(path, name, self.faults)?;
        self.named.push(place);
        Some(Expr::Named(place))
    }

    fn inline(&mut self, path: &str, value: &Value) -> Option<Expr> {
        if value.get("kind").and_then(Value::as_str) == Some(Formula::KIND) {
            self.faults
                .add(format!("{path}.kind"), "must not be `formula` in a formula: write its tree here");
            return None;
        }
        if value.get("direction").is_some() {
            let message = "is for signals of a model by name, not for one inside a formula";
            self.faults.add(format!("{path}.direction"), message);
        }
        let spec = SignalSpec::from_value(path, value, self.around, self.faults)?;
        // What stands in it again, as in a test and behind it, is read where it stands first.
        let known = self.inline.iter().take(READ_ONCE).position(|known| *known == spec);
        let place = known.unwrap_or(self.inline.len());
        self.inline.push(spec);
        Some(Expr::Inline(place))
    }

    fn apply(&mut self, path: &str, value: &Value, level: usize) -> Option<Expr> {
        let mut object = Object::at(path, value, self.faults)?;
        let mut given = Operator::ALL.into_iter().filter(|(name, _)| value.get(name).is_some());
        let (Some((name, operator)), None) = (given.next(), given.next()) else {
            self.faults.add(path, format!("must be {}, found {}", EXPECTS, found(value)));
            return None;
        };
        let count = value.get(name).and_then(Value::as_array).map(Vec::len);
        let fits = |count: usize| operator.operands().map_or(count >= 1, |wanted| count == wanted);
        if !count.is_some_and(fits) {
            let wanted = operator.operands().map_or("one or more".to_owned(), |wanted| wanted.to_string());
            let given = count.map_or("no list".to_owned(), |count| count.to_string());
            self.faults.add(object.path(name), format!("must be a list of {wanted}, found {given}"));
        }
        let items = value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        // A list of a million operands is one fault, not a million paths.
        let items = items.iter().take(MOST_NODES + 1).enumerate();
        let read: Vec<Option<Expr>> = items
            .map(|(i, item)| self.read(&format!("{}[{i}]", object.path(name)), item, level + 1))
            .collect();
        object.value(name);
        object.finish(self.faults);
        let operands = read.into_iter().collect::<Option<Vec<Expr>>>()?;
        fits(operands.len()).then_some(Expr::Apply(operator, operands))
    }
}

impl Measure for Formula {
    fn read(&self, view: &View<'_>) -> Result<f64, Missing> {
        let run = Run { inline: &self.inline, view, read: [const { Cell::new(None) }; READ_ONCE] };
        run.value(&self.expr)
    }
}

/// So many of the signals inside a formula are read once however often they stand there, the others wherever they stand.
const READ_ONCE: usize = 4;

/// Works out a formula once.
struct Run<'r> {
    inline: &'r [SignalSpec],
    view: &'r View<'r>,
    /// What was read of the signals inside.
    read: [Cell<Option<Reading>>; READ_ONCE],
}

impl Run<'_> {
    /// What a tree comes to; the reason of the first input that is used and missing.
    fn value(&self, expr: &Expr) -> Result<f64, Missing> {
        let value = match expr {
            Expr::Number(number) => *number,
            Expr::Named(place) => self.view.scope.ok_or(Missing::NeverSeen)?.reading(*place).result()?,
            Expr::Inline(place) => self.inline(*place)?,
            Expr::Apply(operator, operands) => self.apply(*operator, operands)?,
        };
        if value.is_finite() { Ok(value) } else { Err(Missing::TooLittle) }
    }

    fn inline(&self, place: usize) -> Result<f64, Missing> {
        let known = self.read.get(place);
        if let Some(reading) = known.and_then(Cell::get) {
            return reading.result();
        }
        let reading = self.inline.get(place).ok_or(Missing::NeverSeen)?.read(self.view);
        known.into_iter().for_each(|cell| cell.set(Some(reading)));
        reading.result()
    }

    fn apply(&self, operator: Operator, operands: &[Expr]) -> Result<f64, Missing> {
        let (first, others) = operands.split_first().ok_or(Missing::TooLittle)?;
        let first = self.value(first)?;
        if operator == Operator::If {
            // The branch that is not taken is not looked at.
            let [then, otherwise] = others else { return Err(Missing::TooLittle) };
            return self.value(if first == 0.0 { otherwise } else { then });
        }
        others.iter().try_fold(first, |so_far, operand| operator.of_two(so_far, self.value(operand)?))
    }
}

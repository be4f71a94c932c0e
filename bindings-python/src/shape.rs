//! What a result looks like in Python, read from the annotations of its class. The classes are generated from the core's
//! own structs (`_results.py`), so nothing is listed twice.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What a text stands for.
#[derive(Default)]
pub(crate) enum Text {
    /// Itself.
    #[default]
    Plain,
    Instant,
    Day,
    /// A day, or an instant.
    Moment,
    Decimal,
    /// A member of an enum: text to member.
    Member(Py<PyDict>),
}

/// What a list stands for.
#[derive(Default)]
pub(crate) enum Items {
    /// A JSON list, whatever is in it.
    #[default]
    Json,
    /// A tuple of one kind of thing.
    Of(Box<Shape>),
    /// A tuple with a kind for each place.
    Each(Vec<Shape>),
}

/// What an object stands for.
#[derive(Default)]
pub(crate) enum Members {
    /// A JSON object.
    #[default]
    Json,
    /// A dict from names to one kind of thing.
    Of(Box<Shape>),
    /// One of our classes.
    Class(Arc<Class>),
}

/// What becomes of each kind of JSON value.
#[derive(Default)]
pub(crate) struct Shape {
    pub(crate) text: Text,
    pub(crate) items: Items,
    pub(crate) members: Members,
}

/// A class of results.
pub(crate) struct Class {
    pub(crate) class: Py<PyType>,
    fields: OnceLock<Vec<Field>>,
}

/// A field of a class, in the order of its arguments.
pub(crate) struct Field {
    /// As JSON spells it.
    pub(crate) name: String,
    pub(crate) shape: Shape,
}

impl Class {
    /// The fields, read when they are first needed: classes may name themselves.
    pub(crate) fn fields(&self, py: Python<'_>) -> PyResult<&[Field]> {
        if let Some(fields) = self.fields.get() {
            return Ok(fields);
        }
        let class = self.class.bind(py);
        let hints = py.import("typing")?.call_method1("get_type_hints", (class,))?;
        let mut fields = Vec::new();
        for field in py.import("dataclasses")?.call_method1("fields", (class,))?.try_iter()? {
            let name: String = field?.getattr("name")?.extract()?;
            if name.starts_with('_') {
                continue;
            }
            let shape = Shape::of(&hints.get_item(&name)?)?;
            // `from` is a word of Python, so its attribute is `from_`.
            let name = name.trim_end_matches('_').to_owned();
            fields.push(Field { name, shape });
        }
        Ok(self.fields.get_or_init(|| fields))
    }
}

/// The class of a name in `healthfold._results`.
pub(crate) fn class(py: Python<'_>, name: &str) -> PyResult<Arc<Class>> {
    static CLASSES: Mutex<Option<HashMap<String, Arc<Class>>>> = Mutex::new(None);
    let known = |name: &str| {
        let classes = CLASSES.lock().unwrap_or_else(PoisonError::into_inner);
        classes.as_ref().and_then(|classes| classes.get(name).cloned())
    };
    if let Some(class) = known(name) {
        return Ok(class);
    }
    let class =
        py.import("healthfold._results")?.getattr(name)?.cast_into::<PyType>().map_err(PyErr::from)?;
    let class = Arc::new(Class { class: class.unbind(), fields: OnceLock::new() });
    let mut classes = CLASSES.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Arc::clone(classes.get_or_insert_default().entry(name.to_owned()).or_insert(class)))
}

struct Words {
    get_origin: Py<PyAny>,
    get_args: Py<PyAny>,
    tuple: Py<PyAny>,
    dict: Py<PyAny>,
    datetime: Py<PyAny>,
    date: Py<PyAny>,
    decimal: Py<PyAny>,
    enumeration: Py<PyType>,
}

impl Words {
    fn get(py: Python<'_>) -> PyResult<&Self> {
        static WORDS: PyOnceLock<Words> = PyOnceLock::new();
        WORDS.get_or_try_init(py, || {
            let of = |module: &str, name: &str| -> PyResult<Py<PyAny>> {
                Ok(py.import(module)?.getattr(name)?.unbind())
            };
            let enumeration = py.import("enum")?.getattr("StrEnum")?;
            Ok(Self {
                get_origin: of("typing", "get_origin")?,
                get_args: of("typing", "get_args")?,
                tuple: of("builtins", "tuple")?,
                dict: of("builtins", "dict")?,
                datetime: of("datetime", "datetime")?,
                date: of("datetime", "date")?,
                decimal: of("decimal", "Decimal")?,
                enumeration: enumeration.cast_into::<PyType>().map_err(PyErr::from)?.unbind(),
            })
        })
    }
}

impl Shape {
    /// The shape of a class of results by its name.
    pub(crate) fn of_class(py: Python<'_>, name: &str) -> PyResult<Self> {
        Ok(Self { members: Members::Class(class(py, name)?), ..Self::default() })
    }

    fn of(hint: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut shape = Self::default();
        shape.add(hint)?;
        Ok(shape)
    }

    /// Takes in one annotation; a union is all of its members.
    fn add(&mut self, hint: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = hint.py();
        let words = Words::get(py)?;
        let origin = words.get_origin.bind(py).call1((hint,))?;
        let args = words.get_args.bind(py).call1((hint,))?.cast_into::<PyTuple>().map_err(PyErr::from)?;
        if origin.is(words.tuple.bind(py)) {
            let open = args.len() == 2 && args.get_item(1)?.is(py.Ellipsis().bind(py));
            self.items = if open {
                Items::Of(Box::new(Self::of(&args.get_item(0)?)?))
            } else {
                Items::Each(args.iter().map(|hint| Self::of(&hint)).collect::<PyResult<_>>()?)
            };
        } else if origin.is(words.dict.bind(py)) {
            self.members = Members::Of(Box::new(Self::of(&args.get_item(1)?)?));
        } else if !origin.is_none() {
            for member in args.iter() {
                self.add(&member)?;
            }
        } else if hint.is(words.datetime.bind(py)) {
            self.text = if matches!(self.text, Text::Day) { Text::Moment } else { Text::Instant };
        } else if hint.is(words.date.bind(py)) {
            self.text = if matches!(self.text, Text::Instant) { Text::Moment } else { Text::Day };
        } else if hint.is(words.decimal.bind(py)) {
            self.text = Text::Decimal;
        } else if let Ok(class) = hint.cast::<PyType>() {
            self.add_class(class, words)?;
        }
        Ok(())
    }

    fn add_class(&mut self, class: &Bound<'_, PyType>, words: &Words) -> PyResult<()> {
        let py = class.py();
        if class.is_subclass(words.enumeration.bind(py))? {
            let members = PyDict::new(py);
            for member in class.try_iter()? {
                let member = member?;
                members.set_item(member.getattr("value")?, member)?;
            }
            self.text = Text::Member(members.unbind());
        } else if class.hasattr("__dataclass_fields__")? {
            let name: String = class.getattr("__name__")?.extract()?;
            self.members = Members::Class(self::class(py, &name)?);
        }
        Ok(())
    }

    /// The shape of one place of a list.
    pub(crate) fn item(&self, place: usize) -> PyResult<Option<&Self>> {
        match &self.items {
            Items::Json => Ok(None),
            Items::Of(shape) => Ok(Some(shape)),
            Items::Each(shapes) => shapes.get(place).map(Some).ok_or_else(|| {
                PyTypeError::new_err("a tuple of a result has more items than its class says")
            }),
        }
    }
}

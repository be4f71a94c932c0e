//! How a result of the core becomes an object of its Python class: serialised straight into it, without text between.

use crate::shape::{Class, Members, Shape, Text};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDate, PyDateTime, PyDict, PyList, PyString, PyTuple, PyTzInfo};
use serde::Serialize;
use serde::ser::{self, Serializer};
use std::fmt::{self, Display};
use std::sync::Arc;

/// A result as an object of a class.
pub(crate) fn object_of<'py, T: Serialize + ?Sized>(
    py: Python<'py>,
    class: &str,
    value: &T,
) -> PyResult<Bound<'py, PyAny>> {
    let shape = Shape::of_class(py, class)?;
    value.serialize(Builder { py, shape: Some(&shape) }).map_err(|Stop(error)| error)
}

/// Results as a tuple of objects of a class.
pub(crate) fn tuple_of<'py, T: Serialize>(
    py: Python<'py>,
    class: &str,
    values: &[T],
) -> PyResult<Bound<'py, PyTuple>> {
    let shape = Shape::of_class(py, class)?;
    let object =
        |value: &T| value.serialize(Builder { py, shape: Some(&shape) }).map_err(|Stop(error)| error);
    PyTuple::new(py, values.iter().map(object).collect::<PyResult<Vec<_>>>()?)
}

/// A JSON tree as dicts and lists.
pub(crate) fn plain<'py, T: Serialize + ?Sized>(py: Python<'py>, value: &T) -> PyResult<Bound<'py, PyAny>> {
    value.serialize(Builder { py, shape: None }).map_err(|Stop(error)| error)
}

/// An exact number from its text.
pub(crate) fn decimal<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    static DECIMAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class =
        DECIMAL.get_or_try_init(py, || py.import("decimal")?.getattr("Decimal").map(Bound::unbind))?.bind(py);
    class.call1((text,))
}

/// An aware datetime in UTC from the text of an instant.
pub(crate) fn instant<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyDateTime>> {
    static UTC: PyOnceLock<Py<PyTzInfo>> = PyOnceLock::new();
    let utc = UTC.get_or_try_init(py, || PyTzInfo::utc(py).map(|utc| utc.to_owned().unbind()))?.bind(py);
    let odd = || PyValueError::new_err(format!("`{text}` is no instant of the core"));
    let part =
        |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<u16>().ok()).ok_or_else(odd);
    let small = |from: usize, to: usize| part(from, to).and_then(|n| u8::try_from(n).map_err(|_| odd()));
    let fraction = text.get(19..).unwrap_or_default().trim_start_matches('.').trim_end_matches('Z');
    let micros =
        if fraction.is_empty() { 0 } else { format!("{fraction:0<6}").parse::<u32>().map_err(|_| odd())? };
    PyDateTime::new(
        py,
        i32::from(part(0, 4)?),
        small(5, 7)?,
        small(8, 10)?,
        small(11, 13)?,
        small(14, 16)?,
        small(17, 19)?,
        micros,
        Some(utc),
    )
}

fn day<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyDate>> {
    let odd = || PyValueError::new_err(format!("`{text}` is no day of the core"));
    let part =
        |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<u16>().ok()).ok_or_else(odd);
    let small = |from: usize, to: usize| part(from, to).and_then(|n| u8::try_from(n).map_err(|_| odd()));
    PyDate::new(py, i32::from(part(0, 4)?), small(5, 7)?, small(8, 10)?)
}

/// Why serialising stopped.
#[derive(Debug)]
pub(crate) struct Stop(PyErr);

impl Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Stop {}

impl ser::Error for Stop {
    fn custom<T: Display>(message: T) -> Self {
        Self(PyValueError::new_err(message.to_string()))
    }
}

impl From<PyErr> for Stop {
    fn from(error: PyErr) -> Self {
        Self(error)
    }
}

type Object<'py> = Bound<'py, PyAny>;

#[derive(Clone, Copy)]
struct Builder<'py, 's> {
    py: Python<'py>,
    /// None: as JSON has it.
    shape: Option<&'s Shape>,
}

macro_rules! numbers {
    ($($name:ident: $number:ty),+ $(,)?) => {$(
        fn $name(self, number: $number) -> Result<Object<'py>, Stop> {
            Ok(number.into_pyobject(self.py).map_err(PyErr::from)?.to_owned().into_any())
        }
    )+};
}

impl<'py, 's> Serializer for Builder<'py, 's> {
    type Ok = Object<'py>;
    type Error = Stop;
    type SerializeSeq = List<'py, 's>;
    type SerializeTuple = List<'py, 's>;
    type SerializeTupleStruct = List<'py, 's>;
    type SerializeTupleVariant = ser::Impossible<Object<'py>, Stop>;
    type SerializeMap = Record<'py, 's>;
    type SerializeStruct = Record<'py, 's>;
    type SerializeStructVariant = ser::Impossible<Object<'py>, Stop>;

    numbers! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_f32: f32, serialize_f64: f64, serialize_char: char,
    }

    fn serialize_str(self, text: &str) -> Result<Object<'py>, Stop> {
        let py = self.py;
        Ok(match self.shape.map(|shape| &shape.text) {
            None | Some(Text::Plain) => PyString::new(py, text).into_any(),
            Some(Text::Instant) => instant(py, text)?.into_any(),
            Some(Text::Day) => day(py, text)?.into_any(),
            Some(Text::Moment) if text.len() == 10 => day(py, text)?.into_any(),
            Some(Text::Moment) => instant(py, text)?.into_any(),
            Some(Text::Decimal) => decimal(py, text)?,
            Some(Text::Member(members)) => match members.bind(py).get_item(text)? {
                Some(member) => member,
                None => {
                    return Err(PyValueError::new_err(format!("`{text}` is no member of its enum")).into());
                }
            },
        })
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Object<'py>, Stop> {
        Ok(PyBytes::new(self.py, bytes).into_any())
    }

    fn serialize_none(self) -> Result<Object<'py>, Stop> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Object<'py>, Stop> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Object<'py>, Stop> {
        Ok(self.py.None().into_bound(self.py))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Object<'py>, Stop> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Object<'py>, Stop> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Object<'py>, Stop> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Object<'py>, Stop> {
        Err(tagged(name))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<List<'py, 's>, Stop> {
        Ok(List { of: self, items: Vec::with_capacity(len.unwrap_or_default()) })
    }

    fn serialize_tuple(self, len: usize) -> Result<List<'py, 's>, Stop> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<List<'py, 's>, Stop> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Stop> {
        Err(tagged(name))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Record<'py, 's>, Stop> {
        let py = self.py;
        let into = match self.shape.map(|shape| &shape.members) {
            None | Some(Members::Json) => Target::Dict(PyDict::new(py), None),
            Some(Members::Of(shape)) => Target::Dict(PyDict::new(py), Some(shape)),
            Some(Members::Class(class)) => {
                let values = vec![None; class.fields(py)?.len()];
                Target::Class { class, values, next: 0 }
            }
        };
        Ok(Record { py, into, key: None })
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Record<'py, 's>, Stop> {
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Stop> {
        Err(tagged(name))
    }
}

/// No result of the core has such a form; one that gets it must be told here how it looks in Python.
fn tagged(name: &str) -> Stop {
    Stop(PyTypeError::new_err(format!("the enum `{name}` of the core has no form in Python")))
}

struct List<'py, 's> {
    of: Builder<'py, 's>,
    items: Vec<Object<'py>>,
}

impl<'py> List<'py, '_> {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        let shape = match self.of.shape {
            Some(shape) => shape.item(self.items.len())?,
            None => None,
        };
        self.items.push(value.serialize(Builder { py: self.of.py, shape })?);
        Ok(())
    }

    fn done(self) -> Result<Object<'py>, Stop> {
        let py = self.of.py;
        Ok(match self.of.shape.map(|shape| &shape.items) {
            None | Some(crate::shape::Items::Json) => PyList::new(py, self.items)?.into_any(),
            Some(_) => PyTuple::new(py, self.items)?.into_any(),
        })
    }
}

macro_rules! lists {
    ($($of:ident: $push:ident),+ $(,)?) => {$(
        impl<'py> ser::$of for List<'py, '_> {
            type Ok = Object<'py>;
            type Error = Stop;
            fn $push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
                self.push(value)
            }
            fn end(self) -> Result<Object<'py>, Stop> {
                self.done()
            }
        }
    )+};
}

lists! { SerializeSeq: serialize_element, SerializeTuple: serialize_element, SerializeTupleStruct: serialize_field }

enum Target<'py, 's> {
    Dict(Bound<'py, PyDict>, Option<&'s Shape>),
    Class { class: &'s Arc<Class>, values: Vec<Option<Object<'py>>>, next: usize },
}

struct Record<'py, 's> {
    py: Python<'py>,
    into: Target<'py, 's>,
    key: Option<String>,
}

impl<'py> Record<'py, '_> {
    fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Stop> {
        let py = self.py;
        match &mut self.into {
            Target::Dict(dict, shape) => {
                dict.set_item(name, value.serialize(Builder { py, shape: *shape })?)?;
            }
            Target::Class { class, values, next } => {
                let fields = class.fields(py)?;
                // Fields come in the order of their class, but for those that are left out.
                let ahead = fields.iter().enumerate().skip(*next).find(|(_, field)| field.name == name);
                let found = ahead.or_else(|| fields.iter().enumerate().find(|(_, field)| field.name == name));
                let Some((place, field)) = found else {
                    let message = format!("{} has no field `{name}`", class.class.bind(py));
                    return Err(PyTypeError::new_err(message).into());
                };
                if let Some(slot) = values.get_mut(place) {
                    *slot = Some(value.serialize(Builder { py, shape: Some(&field.shape) })?);
                }
                *next = place + 1;
            }
        }
        Ok(())
    }

    fn done(self) -> Result<Object<'py>, Stop> {
        match self.into {
            Target::Dict(dict, _) => Ok(dict.into_any()),
            Target::Class { class, values, .. } => {
                let py = self.py;
                let absent = class.fields(py)?.iter().zip(&values).filter(|(_, value)| value.is_none());
                let absent: Vec<&str> = absent.map(|(field, _)| field.name.as_str()).collect();
                // Absent and null are the same to who reads an attribute, and not to who writes JSON.
                let without =
                    if absent.is_empty() { None } else { Some(PyTuple::new(py, absent)?.into_any()) };
                let none = py.None().into_bound(py);
                let values = values.into_iter().map(|value| value.unwrap_or_else(|| none.clone()));
                let arguments: Vec<_> = values.chain(without).collect();
                Ok(class.class.bind(py).call1(PyTuple::new(py, arguments)?)?)
            }
        }
    }
}

impl<'py> ser::SerializeMap for Record<'py, '_> {
    type Ok = Object<'py>;
    type Error = Stop;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Stop> {
        let key = key.serialize(Builder { py: self.py, shape: None })?;
        self.key = Some(key.extract::<String>()?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        let key = self.key.take().unwrap_or_default();
        self.put(&key, value)
    }

    fn end(self) -> Result<Object<'py>, Stop> {
        self.done()
    }
}

impl<'py> ser::SerializeStruct for Record<'py, '_> {
    type Ok = Object<'py>;
    type Error = Stop;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Stop> {
        self.put(name, value)
    }

    fn end(self) -> Result<Object<'py>, Stop> {
        self.done()
    }
}

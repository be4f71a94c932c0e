//! How a Python object becomes the JSON that the core reads. There is one decoder, in the core; this only writes text, and
//! refuses what has no exact text: a naive datetime, a number that is none, an object of another library.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyDate, PyDateTime, PyDict, PyFloat, PyInt, PyList, PyMapping, PySet, PyString, PyTuple,
};
use pyo3::types::{PyFrozenSet, PyType};
use std::fmt::Write as _;

/// What has no text: where, and why.
#[derive(Debug)]
pub(crate) struct WireFault {
    /// From the object, such as `data.amount`; empty for the object itself.
    pub(crate) path: String,
    /// A code of the core.
    pub(crate) code: &'static str,
    /// For people.
    pub(crate) message: String,
}

type Written = Result<(), WireFault>;

/// Deeper than any document the core takes, and not so deep that the stack ends.
const MAX_DEPTH: usize = 200;

/// The JSON text of an object.
pub(crate) fn to_json(object: &Bound<'_, PyAny>) -> Result<String, WireFault> {
    let mut writer = Writer { out: String::new(), depth: 0 };
    let written = writer.write(object);
    written.map_err(|fault| WireFault { path: fault.path.trim_start_matches('.').to_owned(), ..fault })?;
    Ok(writer.out)
}

/// The text of a moment: RFC 3339 in UTC of an aware datetime, the day of a date, text as it stands. `None` for anything else.
pub(crate) fn moment(object: &Bound<'_, PyAny>) -> Result<Option<String>, WireFault> {
    if let Ok(text) = object.cast::<PyString>() {
        return unicode(text).map(Some);
    }
    if let Ok(datetime) = object.cast::<PyDateTime>() {
        return instant(datetime).map(Some);
    }
    if object.cast::<PyDate>().is_ok() {
        return Ok(object.str().ok().map(|day| day.to_string()));
    }
    Ok(None)
}

fn fault(code: &'static str, message: impl Into<String>) -> WireFault {
    WireFault { path: String::new(), code, message: message.into() }
}

/// What Python itself raised, for example from a property.
fn raised(error: PyErr) -> WireFault {
    fault("wrong_type", format!("cannot be read: {error}"))
}

fn unicode(text: &Bound<'_, PyString>) -> Result<String, WireFault> {
    text.to_str().map(str::to_owned).map_err(|_| fault("malformed_json", "text that is no Unicode"))
}

fn instant(datetime: &Bound<'_, PyDateTime>) -> Result<String, WireFault> {
    let fault = |message: String| fault("bad_time", message);
    let iso = || -> PyResult<Option<String>> {
        if datetime.call_method0("utcoffset")?.is_none() {
            return Ok(None);
        }
        let utc = pyo3::types::PyTzInfo::utc(datetime.py())?;
        let moved = datetime.call_method1("astimezone", (utc,))?;
        Ok(Some(moved.call_method0("isoformat")?.extract()?))
    };
    match iso() {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(fault(format!(
            "{} has no time zone, so it is no instant: give it one, such as \
             `.replace(tzinfo=zoneinfo.ZoneInfo(\"Europe/Berlin\"))` or `datetime.timezone.utc`",
            shown(datetime)
        ))),
        Err(error) => Err(fault(format!("{} is no instant: {error}", shown(datetime)))),
    }
}

/// An object as people wrote it, at most so long.
fn shown(object: &Bound<'_, PyAny>) -> String {
    let text =
        object.repr().map_or_else(|_| "an object".to_owned(), |text| text.to_string_lossy().into_owned());
    if text.chars().count() > 80 { text.chars().take(77).chain("...".chars()).collect() } else { text }
}

/// Classes that are told by what they are, not by what they can.
struct Known {
    decimal: Py<PyType>,
    enumeration: Py<PyType>,
    uuid: Py<PyType>,
    mapping: Py<PyType>,
}

impl Known {
    fn get(py: Python<'_>) -> PyResult<&Self> {
        static KNOWN: PyOnceLock<Known> = PyOnceLock::new();
        KNOWN.get_or_try_init(py, || {
            let class = |module: &str, name: &str| -> PyResult<Py<PyType>> {
                Ok(py.import(module)?.getattr(name)?.cast_into::<PyType>().map_err(PyErr::from)?.unbind())
            };
            Ok(Self {
                decimal: class("decimal", "Decimal")?,
                enumeration: class("enum", "Enum")?,
                uuid: class("uuid", "UUID")?,
                mapping: class("collections.abc", "Mapping")?,
            })
        })
    }
}

struct Writer {
    out: String,
    depth: usize,
}

impl Writer {
    fn text(&mut self, text: &str) {
        // Writing a text as JSON cannot fail.
        self.out.push_str(&serde_json::to_string(text).unwrap_or_default());
    }

    fn write(&mut self, object: &Bound<'_, PyAny>) -> Written {
        if self.depth > MAX_DEPTH {
            return Err(fault("limit_exceeded", "nested too deep"));
        }
        if object.is_none() {
            self.out.push_str("null");
        } else if let Ok(flag) = object.cast::<PyBool>() {
            self.out.push_str(if flag.is_true() { "true" } else { "false" });
        } else if let Ok(text) = object.cast::<PyString>() {
            let text = unicode(text)?;
            self.text(&text);
        } else if let Ok(number) = object.cast::<PyInt>() {
            self.integer(number)?;
        } else if let Ok(number) = object.cast::<PyFloat>() {
            self.float(number.value())?;
        } else if let Ok(dict) = object.cast::<PyDict>() {
            self.members(dict.items().iter().map(|pair| pair.extract()))?;
        } else if let Ok(list) = object.cast::<PyList>() {
            self.items(list.iter().map(Ok))?;
        } else if let Ok(tuple) = object.cast::<PyTuple>() {
            self.items(tuple.iter().map(Ok))?;
        } else if let Ok(datetime) = object.cast::<PyDateTime>() {
            let text = instant(datetime)?;
            self.text(&text);
        } else if object.cast::<PyDate>().is_ok() {
            let day = object.str().map_err(raised)?;
            self.text(&day.to_string_lossy());
        } else {
            self.other(object)?;
        }
        Ok(())
    }

    fn integer(&mut self, number: &Bound<'_, PyInt>) -> Written {
        if let Ok(small) = number.extract::<i64>() {
            let _ = write!(self.out, "{small}");
            return Ok(());
        }
        let fault = || fault("out_of_range", "a whole number with too many digits");
        let text = number.str().map_err(|_| fault())?;
        let text = text.to_str().map_err(|_| fault())?.to_owned();
        self.out.push_str(&text);
        Ok(())
    }

    fn float(&mut self, number: f64) -> Written {
        if !number.is_finite() {
            return Err(fault("bad_value", format!("{number} is no number")));
        }
        // The shortest text that reads back as this float: 19.99 stays 19.99.
        self.out.push_str(&serde_json::to_string(&number).unwrap_or_default());
        Ok(())
    }

    fn other(&mut self, object: &Bound<'_, PyAny>) -> Written {
        let py = object.py();
        let known = Known::get(py).map_err(raised)?;
        let is = |class: &Py<PyType>| object.is_instance(class.bind(py)).unwrap_or(false);
        if is(&known.decimal) {
            return self.decimal(object);
        }
        if is(&known.enumeration) {
            let value = object.getattr("value").map_err(raised)?;
            return self.nested(String::new, |writer| writer.write(&value));
        }
        if is(&known.uuid) {
            let text = object.str().map_err(raised)?;
            self.text(&text.to_string_lossy());
            return Ok(());
        }
        if let Ok(model) = object.cast::<crate::model::Model>() {
            self.out.push_str(&model.get().inner.to_json().to_string());
            return Ok(());
        }
        if is(&known.mapping)
            && let Ok(mapping) = object.cast::<PyMapping>()
        {
            let items = mapping.items().map_err(raised)?;
            let pairs = items.iter().map(|pair| pair.extract());
            return self.members(pairs);
        }
        if object.cast::<PySet>().is_ok() || object.cast::<PyFrozenSet>().is_ok() {
            let items = object.try_iter().map_err(raised)?;
            return self.items(items);
        }
        // Scalars and arrays of numpy and of what follows it.
        for way in ["item", "tolist"] {
            if object.hasattr("dtype").unwrap_or(false)
                && let Ok(plain) = object.call_method0(way)
                && !plain.get_type().is(object.get_type())
            {
                return self.nested(String::new, |writer| writer.write(&plain));
            }
        }
        let kind = object.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
        Err(fault("wrong_type", format!("{} of type `{kind}` has no JSON form", shown(object))))
    }

    /// A JSON number, digit by digit.
    fn decimal(&mut self, object: &Bound<'_, PyAny>) -> Written {
        let text = || -> PyResult<Option<String>> {
            if !object.call_method0("is_finite")?.extract::<bool>()? {
                return Ok(None);
            }
            // Plain digits, unless they would fill the memory.
            let magnitude = object.call_method0("adjusted")?.extract::<i64>()?;
            let plain = magnitude.abs() < 64;
            Ok(Some(object.call_method1("__format__", (if plain { "f" } else { "E" },))?.extract()?))
        };
        match text() {
            Ok(Some(text)) => {
                self.out.push_str(&text);
                Ok(())
            }
            Ok(None) => Err(fault("bad_value", format!("{} is no number", shown(object)))),
            Err(error) => Err(raised(error)),
        }
    }

    fn nested(&mut self, step: impl FnOnce() -> String, write: impl FnOnce(&mut Self) -> Written) -> Written {
        self.depth += 1;
        // The path is put together on the way out of a fault.
        write(self).map_err(|fault| WireFault { path: step() + &fault.path, ..fault })?;
        self.depth -= 1;
        Ok(())
    }

    fn members<'py>(
        &mut self,
        pairs: impl Iterator<Item = PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)>>,
    ) -> Written {
        self.out.push('{');
        for (number, pair) in pairs.enumerate() {
            let (key, value) = pair.map_err(raised)?;
            let Ok(name) = key.cast::<PyString>() else {
                return Err(fault("wrong_type", format!("the key {} is no text", shown(&key))));
            };
            let name = unicode(name)?;
            if number > 0 {
                self.out.push(',');
            }
            self.text(&name);
            self.out.push(':');
            self.nested(|| format!(".{name}"), |writer| writer.write(&value))?;
        }
        self.out.push('}');
        Ok(())
    }

    fn items<'py>(&mut self, items: impl Iterator<Item = PyResult<Bound<'py, PyAny>>>) -> Written {
        self.out.push('[');
        for (number, item) in items.enumerate() {
            let item = item.map_err(raised)?;
            if number > 0 {
                self.out.push(',');
            }
            self.nested(|| format!("[{number}]"), |writer| writer.write(&item))?;
        }
        self.out.push(']');
        Ok(())
    }
}

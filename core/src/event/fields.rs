//! Reading the fields of an event: exact, by name, with errors that say which field, what was found and what is allowed.
//!
//! Numbers stay as the text they came in until their type is known, so a decimal never passes through a binary float.

use serde::Serialize;
use std::borrow::Cow;

use super::members::Members;
use super::wire::{Fault, Value};
use super::{EventCode, EventError};

/// The longest string in `data`, in bytes of UTF-8.
pub(crate) const MAX_TEXT: usize = 4_096;
/// The longest id at the envelope and the longest client id anywhere, in bytes of UTF-8.
pub(crate) const MAX_ID: usize = 256;
/// The most elements in a list in `data`.
pub(crate) const MAX_LIST: usize = 65_535;

/// The members of `data` (or of the envelope), read by name.
pub(crate) struct Fields<'a> {
    members: Members<'a>,
    /// What stands before a field's name in errors: `data.` or nothing.
    path: &'static str,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(members: Members<'a>, path: &'static str) -> Self {
        Self { members, path }
    }

    /// Those of `data`.
    pub(crate) fn of_data(members: Members<'a>) -> Self {
        Self::new(members, "data.")
    }

    pub(crate) fn find(&self, name: &str) -> Option<Value<'a>> {
        self.members.find(name)
    }

    /// The field's value; `None` where it is not there and its type has no value for that.
    pub(crate) fn optional<T: Field>(&self, name: &str) -> Result<Option<T>, EventError> {
        match self.find(name) {
            Some(value) => T::read(value).map(Some).map_err(|fault| self.error(name, Some(value), fault)),
            None => Ok(T::absent()),
        }
    }

    /// The field's value, which must be there.
    pub(crate) fn required<T: Field>(&self, name: &str) -> Result<T, EventError> {
        match self.find(name) {
            Some(value) => T::read(value).map_err(|fault| self.error(name, Some(value), fault)),
            None => T::absent().ok_or_else(|| self.missing(name, T::EXPECTS)),
        }
    }

    #[cold]
    fn missing(&self, name: &str, expects: &'static str) -> EventError {
        self.error(name, None, Fault::new(EventCode::MissingField, expects))
    }

    #[cold]
    pub(crate) fn error(&self, name: &str, found: Option<Value<'_>>, fault: Fault) -> EventError {
        let fault = fault.parts();
        let inner = fault.inner.as_deref();
        let field = match inner {
            Some(inner) if inner.starts_with('[') => format!("{}{name}{inner}", self.path),
            Some(inner) => format!("{}{name}.{inner}", self.path),
            None => format!("{}{name}", self.path),
        };
        let found = match inner {
            Some(_) if fault.code != EventCode::MalformedJson => fault.found.as_deref().map(Cow::Borrowed),
            _ => found.map(Value::json),
        };
        EventError::new(fault.code, field, &fault.expected, found.as_deref())
    }
}

/// A type that a field of an event can have: how it is read, and how it is described.
pub(crate) trait Field: Sized + Clone + Serialize {
    /// What is allowed, for messages and the reference.
    const EXPECTS: &'static str;
    /// The JSON Schema of the value.
    fn schema() -> serde_json::Value;
    /// Reads the value.
    fn read(value: Value<'_>) -> Result<Self, Fault>;
    /// The value of a field that is not there; `None` makes the field required.
    fn absent() -> Option<Self> {
        None
    }
    /// Whether empty text says of an optional field that nothing is stated. Of an id it is a fault, and so it is where a
    /// field that is not there has a value: a blank is no number.
    const EMPTY_IS_NOTHING: bool = true;
    /// Whether the value stands for a field that is not there.
    fn is_absent(&self) -> bool {
        false
    }
    /// The value as the wire has it.
    fn to_wire(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or(serde_json::Value::Null)
    }
    /// Writes the value as JSON text: what [`Field::to_wire`] says, with the digits of numbers that are no text. A type
    /// that has one of these of its own needs the other, too.
    fn write_wire(&self, out: &mut String) {
        write_json(out, self);
    }
}

/// Writes JSON text. What fields are made of serialises always, and writing into a text cannot fail.
pub(crate) fn write_json(out: &mut String, value: &(impl Serialize + ?Sized)) {
    /// The serialiser writes bytes: whole pieces of text.
    struct Pieces<'o>(&'o mut String);
    impl std::io::Write for Pieces<'_> {
        fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
            self.0.push_str(std::str::from_utf8(piece).map_err(std::io::Error::other)?);
            Ok(piece.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let written = serde_json::to_writer(Pieces(out), value);
    debug_assert!(written.is_ok(), "{written:?}");
}

/// Writes text as JSON, most of which needs no escape.
pub(crate) fn write_text(out: &mut String, text: &str) {
    // All bytes, without an end before the last: that takes the processor many at a time.
    let odd = text.bytes().fold(false, |odd, byte| odd | (byte < b' ') | (byte == b'"') | (byte == b'\\'));
    if odd {
        return write_json(out, text);
    }
    out.push('"');
    out.push_str(text);
    out.push('"');
}

/// Writes the members of an object, separated by commas.
pub(crate) struct ObjectWriter<'o> {
    out: &'o mut String,
    first: bool,
}

impl<'o> ObjectWriter<'o> {
    pub(crate) fn new(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    /// Writes a name and lets `write` put the value behind it.
    pub(crate) fn member(&mut self, name: &str, write: impl FnOnce(&mut String)) {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
        write_text(self.out, name);
        self.out.push(':');
        write(self.out);
    }

    /// The same of a declared field, whose name needs no look for what has to be escaped.
    pub(crate) fn field(&mut self, name: &'static str, write: impl FnOnce(&mut String)) {
        self.out.push_str(if std::mem::take(&mut self.first) { "\"" } else { ",\"" });
        self.out.push_str(name);
        self.out.push_str("\":");
        write(self.out);
    }

    pub(crate) fn end(self) {
        self.out.push('}');
    }
}

/// Declares an enum whose values are words on the wire.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }
        impl $name {
            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl $crate::event::fields::Field for $name {
            const EXPECTS: &'static str = concat!("one of", $(" `", $word, "`"),+);
            fn schema() -> serde_json::Value {
                serde_json::json!({"enum": [$($word),+]})
            }
            fn read(value: $crate::event::wire::Value<'_>) -> Result<Self, $crate::event::wire::Fault> {
                $crate::event::fields::read_word(value, Self::EXPECTS, &[$(($word, Self::$variant)),+])
            }
            fn write_wire(&self, out: &mut String) {
                $crate::event::fields::write_text(out, self.as_str());
            }
        }
    };
}
pub(crate) use words;

/// Reads one of a closed set of words.
pub(crate) fn read_word<T: Copy>(
    value: Value<'_>,
    expects: &'static str,
    words: &[(&str, T)],
) -> Result<T, Fault> {
    let find = |text: &str| words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if let Some(known) = value.plain_text().and_then(find) {
        return Ok(known);
    }
    find(&value.string(expects)?).ok_or_else(|| Fault::new(EventCode::BadValue, expects))
}

/// What the reference says of one field of an event.
#[derive(Clone, Debug)]
pub struct FieldSpec {
    /// The name on the wire.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// Whether an event without it is refused.
    pub required: bool,
    /// What is allowed.
    pub expects: &'static str,
    /// The JSON Schema of the value.
    pub schema: serde_json::Value,
}

/// What the `data` of one event type can do.
pub(crate) trait Payload: Sized {
    /// The type's name on the wire.
    const KIND: &'static str;
    /// Reads the members of `data`.
    fn decode(fields: &Fields<'_>) -> Result<Self, EventError>;
    /// Reads the `data` of these rows; `wrap` makes that of an event of it.
    #[cfg(feature = "arrow")]
    fn decode_span(
        fields: &dyn super::span::SpanFields,
        rows: &[usize],
        wrap: impl Fn(Self) -> super::EventData,
        sink: &mut impl super::span::RowSink,
    );
    /// `data` as the wire has it.
    fn to_json(&self) -> serde_json::Value;
    /// Writes `data` as JSON text.
    fn write_json(&self, out: &mut String);
    /// The fields, in order of declaration.
    fn specs() -> Vec<FieldSpec>;
}

/// The name of a field without what makes it no keyword.
pub(crate) fn bare(name: &'static str) -> &'static str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// Declares the `data` of one event type: the struct, how it is read, how it is written and what the reference says.
macro_rules! payload {
    (
        $(#[doc = $doc:literal])*
        $name:ident = $kind:literal {
            $($(#[doc = $fdoc:literal])* $field:ident: $type:ty $(= $default:expr)?),* $(,)?
        }
        $(check $check:path)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $($(#[doc = $fdoc])* pub $field: $type),*
        }

        impl $crate::event::fields::Payload for $name {
            const KIND: &'static str = $kind;

            fn decode(fields: &$crate::event::fields::Fields<'_>) -> Result<Self, $crate::event::EventError> {
                let _ = fields;
                let payload = Self {
                    $($field: payload!(@read fields, $crate::event::fields::bare(stringify!($field)), $type $(, $default)?)),*
                };
                $($check(&payload, fields)?;)?
                Ok(payload)
            }

            #[cfg(feature = "arrow")]
            fn decode_span(
                fields: &dyn $crate::event::span::SpanFields,
                rows: &[usize],
                wrap: impl Fn(Self) -> $crate::event::EventData,
                sink: &mut impl $crate::event::span::RowSink,
            ) {
                let mut places = 0_usize..;
                let mut place = || places.next().unwrap_or_default();
                // What a check would name in its error, which nobody reads here.
                let unnamed = $crate::event::fields::Fields::of_data($crate::event::members::Members::with_room_for(0));
                let _ = (fields, &mut place, &unnamed);
                $(let mut $field =
                    $crate::event::span::SpanOf::of(fields, place(), payload!(@absent $type $(, $default)?));)*
                for row in rows.iter().copied() {
                    // All of them first: what stands behind one that is odd belongs to this row, too.
                    $(let $field = $field.next(row, fields);)*
                    $(let Some($field) = $field else {
                        sink.odd(row);
                        continue;
                    };)*
                    let payload = Self { $($field),* };
                    $(if $check(&payload, &unnamed).is_err() {
                        sink.odd(row);
                        continue;
                    })?
                    sink.sound(row, || wrap(payload));
                }
            }

            fn to_json(&self) -> serde_json::Value {
                #[allow(unused_mut, reason = "an event type without fields has nothing to insert")]
                let mut members = serde_json::Map::new();
                $(if !$crate::event::fields::Field::is_absent(&self.$field) {
                    members.insert($crate::event::fields::bare(stringify!($field)).to_owned(), $crate::event::fields::Field::to_wire(&self.$field));
                })*
                serde_json::Value::Object(members)
            }

            fn write_json(&self, out: &mut String) {
                #[allow(unused_mut, reason = "an event type without fields has nothing to write")]
                let mut members = $crate::event::fields::ObjectWriter::new(out);
                $(if !$crate::event::fields::Field::is_absent(&self.$field) {
                    members.field($crate::event::fields::bare(stringify!($field)), |out| {
                        $crate::event::fields::Field::write_wire(&self.$field, out);
                    });
                })*
                members.end();
            }

            fn specs() -> Vec<$crate::event::fields::FieldSpec> {
                vec![$($crate::event::fields::FieldSpec {
                    name: $crate::event::fields::bare(stringify!($field)),
                    doc: concat!($($fdoc),*).trim_ascii(),
                    required: payload!(@required $type $(, $default)?),
                    expects: <$type as $crate::event::fields::Field>::EXPECTS,
                    schema: <$type as $crate::event::fields::Field>::schema(),
                }),*]
            }
        }
    };
    (@read $fields:ident, $name:expr, $type:ty) => { $fields.required::<$type>($name)? };
    (@read $fields:ident, $name:expr, $type:ty, $default:expr) => {
        $fields.optional::<$type>($name)?.unwrap_or($default)
    };
    (@absent $type:ty) => { <$type as $crate::event::fields::Field>::absent() };
    (@absent $type:ty, $default:expr) => {
        <$type as $crate::event::fields::Field>::absent().or_else(|| Some($default))
    };
    (@required $type:ty) => { <$type as $crate::event::fields::Field>::absent().is_none() };
    (@required $type:ty, $default:expr) => { false };
}
pub(crate) use payload;

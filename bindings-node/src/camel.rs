//! How the names of results are written as JavaScript writes them: `as_of` is `asOf`. What comes from outside keeps its
//! names: codes, currencies, the documents of models.

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::io::{self, Write};

/// Members whose own members are data: codes, reasons why a reading is missing.
pub(crate) const MAPS: &[&str] = &["rejected_by_code", "missing"];

/// Members that are documents of the caller, all the way down.
pub(crate) const DOCUMENTS: &[&str] = &["classes", "model"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// Of the library: written in camelCase.
    Own,
    /// Data, but what they hold is of the library.
    Data,
    /// Data all the way down.
    Document,
}

struct Camel {
    plain: CompactFormatter,
    objects: Vec<Names>,
    /// The name that is being written, or the last one.
    name: String,
    in_name: bool,
}

impl Camel {
    fn names(&self) -> Names {
        self.objects.last().copied().unwrap_or(Names::Own)
    }
}

impl Formatter for Camel {
    fn begin_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        let name = self.name.as_str();
        let names = match self.names() {
            Names::Document => Names::Document,
            Names::Own if DOCUMENTS.contains(&name) => Names::Document,
            Names::Own if MAPS.contains(&name) => Names::Data,
            Names::Own | Names::Data => Names::Own,
        };
        self.objects.push(names);
        self.plain.begin_object(writer)
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.objects.pop();
        // What follows in a list does not stand under the last name in here.
        self.name.clear();
        self.plain.end_object(writer)
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.in_name = true;
        self.name.clear();
        self.plain.begin_object_key(writer, first)
    }

    fn end_object_key<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.in_name = false;
        self.plain.end_object_key(writer)
    }

    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        if !self.in_name {
            return writer.write_all(text.as_bytes());
        }
        self.name.push_str(text);
        match self.names() {
            Names::Own => writer.write_all(name(text).as_bytes()),
            Names::Data | Names::Document => writer.write_all(text.as_bytes()),
        }
    }
}

/// A name in camelCase.
pub(crate) fn name(snake: &str) -> String {
    let mut camel = String::with_capacity(snake.len());
    let mut letters = snake.chars().peekable();
    while let Some(letter) = letters.next() {
        match letters.peek() {
            Some(next) if letter == '_' && next.is_ascii_alphanumeric() => {
                camel.push(next.to_ascii_uppercase());
                letters.next();
            }
            _ => camel.push(letter),
        }
    }
    camel
}

/// The JSON text of a result.
pub(crate) fn json<T: Serialize + ?Sized>(result: &T) -> Result<String, serde_json::Error> {
    let mut text = Vec::new();
    let camel = Camel { plain: CompactFormatter, objects: Vec::new(), name: String::new(), in_name: false };
    result.serialize(&mut Serializer::with_formatter(&mut text, camel))?;
    // The serializer writes whole texts.
    String::from_utf8(text).map_err(|error| serde_json::Error::io(io::Error::other(error)))
}

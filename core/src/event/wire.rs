//! One value as it came over the wire: from JSON text or from a row of a table.

use std::borrow::Cow;

use super::EventCode;

/// One value, not yet read as the type that its field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// A number by the grammar of JSON, digit by digit.
    Number(&'a str),
    /// Text as it is meant.
    Text(&'a str),
    /// Text as JSON writes it, in its quotes and with escapes.
    Escaped(&'a str),
    /// An object or a list, as JSON text that is sound.
    Json(&'a str),
}

/// What is wrong with one value; the reader of the object adds the name of the field.
pub(crate) struct Fault {
    pub(crate) code: EventCode,
    /// What is allowed.
    pub(crate) expected: Cow<'static, str>,
    /// A name inside the value, for objects and lists.
    pub(crate) inner: Option<String>,
    /// What was found under that name.
    pub(crate) found: Option<String>,
}

impl Fault {
    pub(crate) fn new(code: EventCode, expected: impl Into<Cow<'static, str>>) -> Self {
        Self { code, expected: expected.into(), inner: None, found: None }
    }

    /// The fault of something inside a list or an object.
    pub(crate) fn inside(self, name: impl Into<String>, found: Option<Value<'_>>) -> Self {
        const SHOWN: usize = 100;
        let found = found.map(|value| value.json().chars().take(SHOWN).collect());
        Self { inner: Some(name.into()), found, ..self }
    }
}

impl<'a> Value<'a> {
    /// The value of JSON text that is known to be sound, without blanks around it.
    pub(crate) fn of_json(text: &'a str) -> Self {
        match text.as_bytes() {
            [b'n', ..] => Self::Null,
            [b't', ..] => Self::Bool(true),
            [b'f', ..] => Self::Bool(false),
            [b'{' | b'[', ..] => Self::Json(text),
            [b'"', ..] if text.contains('\\') => Self::Escaped(text),
            [b'"', inner @ .., b'"'] => Self::Text(text.get(1..=inner.len()).unwrap_or_default()),
            _ => Self::Number(text),
        }
    }

    /// The value as JSON text: the text it came in, if it came as that.
    pub(crate) fn json(self) -> Cow<'a, str> {
        match self {
            Self::Null => "null".into(),
            Self::Bool(flag) => if flag { "true" } else { "false" }.into(),
            Self::Number(text) | Self::Escaped(text) | Self::Json(text) => text.into(),
            Self::Text(text) => serde_json::Value::from(text).to_string().into(),
        }
    }

    pub(crate) fn is_null(self) -> bool {
        self == Self::Null
    }

    /// The text, borrowed where it holds no escape.
    pub(crate) fn string(self, expected: &'static str) -> Result<Cow<'a, str>, Fault> {
        let text = match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Escaped(quoted) => {
                // Refuses lone surrogates, which are no text.
                let unescaped: String = serde_json::from_str(quoted)
                    .map_err(|_| Fault::new(EventCode::MalformedJson, "text without lone surrogates"))?;
                Cow::Owned(unescaped)
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Json(_) => {
                return Err(Fault::new(EventCode::WrongType, expected));
            }
        };
        if text.as_bytes().contains(&0) {
            return Err(Fault::new(EventCode::BadValue, "text without NUL"));
        }
        Ok(text)
    }

    /// The text of a number: a JSON number, or a decimal in a string.
    pub(crate) fn number(self, expected: &'static str) -> Result<Cow<'a, str>, Fault> {
        match self {
            Self::Number(text) => Ok(Cow::Borrowed(text)),
            other => other.string(expected),
        }
    }

    pub(crate) fn bool(self) -> Result<bool, Fault> {
        match self {
            Self::Bool(flag) => Ok(flag),
            _ => Err(Fault::new(EventCode::WrongType, "true or false")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_comes_out_as_it_came_in() {
        for text in
            ["null", "true", "false", "-1.50e3", r#""""#, r#""a\u0041""#, r#""é""#, r#"{"a": 1}"#, "[ ]"]
        {
            assert_eq!(Value::of_json(text).json(), text);
        }
    }

    #[test]
    fn text_that_is_no_json_is_quoted() {
        assert_eq!(Value::Text("a\"b\n").json(), r#""a\"b\n""#);
    }
}

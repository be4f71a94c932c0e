//! One value as it came over the wire: from JSON text or from a row of a table.

use super::EventCode;
use super::fields::ObjectWriter;
use crate::calendar::civil_of;
use crate::quantity::write_scaled;
use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// One value, not yet read as the type that its field has.
#[cfg_attr(not(feature = "arrow"), allow(dead_code, reason = "only tables have values that are no text"))]
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
    /// An object of a row, by its members, of which none has the name of another.
    Object(&'a [(&'a str, Value<'a>)]),
    /// A number of a table, in units of 10^-`scale`: stands for the text of it.
    Decimal {
        units: i64,
        scale: u8,
    },
    /// A time of a table, in microseconds since 1970-01-01T00:00:00Z: stands for the text of it.
    Instant(i64),
    /// A date of a table, in days since 1970-01-01: stands for the text of it.
    Day(i64),
}

/// What is wrong with one value; the reader of the object adds the name of the field. It is rare, and wide: so that values
/// which have none are not moved in its room, it stands apart.
pub(crate) struct Fault(Box<FaultParts>);

/// What a fault says.
pub(crate) struct FaultParts {
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
        Self(Box::new(FaultParts { code, expected: expected.into(), inner: None, found: None }))
    }

    /// The fault of something inside a list or an object.
    pub(crate) fn inside(mut self, name: impl Into<String>, found: Option<Value<'_>>) -> Self {
        const SHOWN: usize = 100;
        self.0.found = found.map(|value| value.json().chars().take(SHOWN).collect());
        self.0.inner = Some(name.into());
        self
    }

    pub(crate) fn parts(self) -> FaultParts {
        *self.0
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
            Self::Decimal { .. } | Self::Object(_) => self.written().into(),
            Self::Instant(_) | Self::Day(_) => format!("\"{}\"", self.written()).into(),
        }
    }

    /// The text that a number, a time, a date or an object of a table stands for.
    fn written(self) -> String {
        let mut text = String::new();
        match self {
            Self::Object(members) => {
                let mut object = ObjectWriter::new(&mut text);
                for (name, value) in members {
                    object.member(name, |out| out.push_str(&value.json()));
                }
                object.end();
            }
            Self::Decimal { units, scale } => write_decimal(&mut text, units.into(), scale.into()),
            Self::Instant(micros) => write_instant(&mut text, micros),
            Self::Day(day) => write_day(&mut text, day),
            _ => {}
        }
        text
    }

    pub(crate) fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }

    /// Text as it is meant, if it came as that and holds no NUL: what most texts do, of which nothing need be said.
    pub(crate) fn plain_text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) if !holds_nul(text) => Some(text),
            _ => None,
        }
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
            Self::Instant(_) | Self::Day(_) => Cow::Owned(self.written()),
            Self::Null
            | Self::Bool(_)
            | Self::Number(_)
            | Self::Json(_)
            | Self::Object(_)
            | Self::Decimal { .. } => return Err(Fault::new(EventCode::WrongType, expected)),
        };
        if holds_nul(&text) {
            return Err(Fault::new(EventCode::BadValue, "text without NUL"));
        }
        Ok(text)
    }

    /// The text of a number: a JSON number, or a decimal in a string.
    pub(crate) fn number(self, expected: &'static str) -> Result<Cow<'a, str>, Fault> {
        match self {
            Self::Number(text) => Ok(Cow::Borrowed(text)),
            Self::Decimal { .. } => Ok(Cow::Owned(self.written())),
            other => other.string(expected),
        }
    }

    /// A number of a table in units of 10^-6, if it has no finer digits; `None` also for what came as text.
    pub(crate) fn micros(self) -> Option<i128> {
        const UP: [i64; 7] = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
        let Self::Decimal { units, scale } = self else { return None };
        UP.get(usize::from(scale)).map(|up| i128::from(units) * i128::from(*up))
    }

    pub(crate) fn bool(self) -> Result<bool, Fault> {
        match self {
            Self::Bool(flag) => Ok(flag),
            _ => Err(Fault::new(EventCode::WrongType, "true or false")),
        }
    }
}

/// Whether a NUL stands in a text.
pub(crate) fn holds_nul(text: &str) -> bool {
    // Most texts are so short that a search would take longer than a look at all their bytes, eight at a time.
    const SHORT: usize = 32;
    if text.len() > SHORT {
        return memchr::memchr(0, text.as_bytes()).is_some();
    }
    let bytes = text.as_bytes();
    if let Some(last) = bytes.last_chunk() {
        // What is left behind whole words is looked at with what stands before it.
        let (words, _) = bytes.as_chunks::<8>();
        return words.iter().chain([last]).any(|word| nul_among(u64::from_le_bytes(*word)));
    }
    bytes.contains(&0)
}

/// Whether one of eight bytes is 0: only there does taking away 1 from each set a highest bit that was not set.
fn nul_among(bytes: u64) -> bool {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    bytes.wrapping_sub(EACH) & !bytes & (EACH << 7) != 0
}

/// Writes a number of units of 10^-`scale`, without zeros behind its last digit.
pub(crate) fn write_decimal(out: &mut String, units: i128, scale: u32) {
    struct Scaled(i128, u32);
    impl fmt::Display for Scaled {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_scaled(f, self.0, self.1)
        }
    }
    match i64::try_from(units) {
        Ok(whole) if scale == 0 => write_whole(out, whole),
        // Writing into a text cannot fail.
        _ => drop(write!(out, "{}", Scaled(units, scale))),
    }
}

/// Writes a whole number.
pub(crate) fn write_whole(out: &mut String, number: i64) {
    out.push_str(itoa::Buffer::new().format(number));
}

/// Writes the date of a day since 1970-01-01.
pub(crate) fn write_day(out: &mut String, day: i64) {
    // What is no day of any calendar is a number that no date looks like.
    if day.unsigned_abs() >= 1 << 40 {
        let _ = write!(out, "{day} days");
        return;
    }
    let (year, month, date) = civil_of(day);
    if (0..10_000).contains(&year) {
        write_digits(out, year, 4);
    } else {
        let _ = write!(out, "{year}");
    }
    out.push('-');
    write_digits(out, month, 2);
    out.push('-');
    write_digits(out, date, 2);
}

/// Writes an instant, given in microseconds since 1970-01-01T00:00:00Z, in UTC.
pub(crate) fn write_instant(out: &mut String, micros: i64) {
    let seconds = micros.div_euclid(1_000_000);
    write_day(out, seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    for (mark, number) in [('T', of_day / 3_600), (':', of_day / 60 % 60), (':', of_day % 60)] {
        out.push(mark);
        write_digits(out, number, 2);
    }
    let fraction = micros.rem_euclid(1_000_000);
    if fraction != 0 {
        out.push('.');
        write_digits(out, fraction, 6);
    }
    out.push('Z');
}

fn write_digits(out: &mut String, number: i64, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10_i64.pow(place) % 10;
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Day, Instant};

    #[test]
    fn a_nul_is_found_wherever_it_stands() {
        assert!(!holds_nul(""));
        for length in 1..40 {
            let sound = "é~\u{80}\u{1}x".chars().cycle().take(length).collect::<String>();
            assert!(!holds_nul(&sound), "{sound:?}");
            for at in sound.char_indices().map(|(at, _)| at) {
                let mut odd = sound.clone();
                odd.insert(at, '\0');
                assert!(holds_nul(&odd), "{odd:?}");
            }
        }
    }

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

    #[test]
    fn values_of_tables_stand_for_their_texts() {
        let decimal = |units, scale| Value::Decimal { units, scale };
        let in_micros =
            [(15, 1), (-7, 6), (2, 0), (5, 7)].map(|(units, scale)| decimal(units, scale).micros());
        assert_eq!(in_micros, [Some(1_500_000), Some(-7), Some(2_000_000), None]);
        assert_eq!(Value::Number("1").micros(), None);
        // 2026-01-05 is 56 years of 365 days, 14 leap days and 4 days behind 1970-01-01.
        let day = 56 * 365 + 14 + 4;
        for (value, text) in [
            (decimal(-125, 2), "-1.25"),
            (decimal(1_200, 2), "12"),
            (Value::Day(day), r#""2026-01-05""#),
            (Value::Instant(day * 86_400_000_000 + 1), r#""2026-01-05T00:00:00.000001Z""#),
        ] {
            assert_eq!(value.json(), text);
        }
    }

    #[test]
    fn days_and_instants_are_written_as_they_print() {
        for number in (-31..84_036).step_by(7) {
            let mut text = String::new();
            write_day(&mut text, i64::from(number));
            assert_eq!(text, Day::from_epoch(number).to_string());
        }
        for (micros, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1, "1970-01-01T00:00:00.000001Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (1_767_607_200_500_000, "2026-01-05T10:00:00.500000Z"),
            // 11 minutes and 12 seconds are 672 seconds.
            (1_767_607_872_000_345, "2026-01-05T10:11:12.000345Z"),
            // The last day of the 400 years from 1600-03-01 on: 30 years of 365 days, 7 leap days, and 31 + 28 days.
            ((30 * 365 + 7 + 31 + 28) * 86_400_000_000, "2000-02-29T00:00:00Z"),
            (Instant::MAX.micros(), "2199-12-31T23:59:59.999999Z"),
        ] {
            let mut out = String::new();
            write_instant(&mut out, micros);
            assert_eq!(out, text);
        }
        for micros in [i64::MIN, i64::MAX] {
            let mut out = String::new();
            write_instant(&mut out, micros);
            assert!(out.parse::<Instant>().is_err(), "{out}");
        }
    }
}

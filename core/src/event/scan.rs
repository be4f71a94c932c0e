//! JSON text read in one pass forward, without a tree.
//!
//! The scan takes only what it is sure of, and gives up on everything else: text that is no JSON, names with escapes,
//! nesting beyond [`DEEPEST`]. Whoever scans turns to the careful reader then, which alone says what is wrong.

use super::wire::Value;
use crate::quantity::Quantity;
use crate::time::Instant;

/// The deepest nesting that is scanned.
const DEEPEST: u32 = 64;

/// JSON text, and how far it is read.
#[derive(Clone)]
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Reads an object; `member` reads each member, from behind the first quote of its name.
    #[inline]
    pub(super) fn each_member(
        &mut self,
        depth: u32,
        mut member: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        self.expect(b'{')?;
        if self.next()? == b'}' {
            self.at += 1;
            return Some(());
        }
        self.expect(b'"')?;
        loop {
            member(self)?;
            // Most logs are written without blanks.
            if self.pass(b",\"") {
                continue;
            }
            let next = self.next()?;
            self.at += 1;
            match next {
                b',' => self.expect(b'"')?,
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Reads the rest of a name, and the colon.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        let Value::Text(name) = self.string()? else { return None };
        self.expect(b':')?;
        Some(name)
    }

    /// The byte that comes next; 0 at the end.
    #[inline]
    pub(super) fn first(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Whether these bytes come next; passes over them then.
    #[inline]
    pub(super) fn pass(&mut self, bytes: &[u8]) -> bool {
        let comes = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(bytes));
        if comes {
            self.at += bytes.len();
        }
        comes
    }

    /// Reads text that an id can have: not empty, at most so many bytes, without escapes.
    #[inline(always)]
    pub(super) fn id(&mut self, longest: usize) -> Option<&'a str> {
        self.expect(b'"')?;
        let bytes = self.text.as_bytes();
        let start = self.at;
        let end = plain(bytes, start);
        if bytes.get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        self.text.get(start..end).filter(|text| (1..=longest).contains(&text.len()))
    }

    /// Reads a time.
    #[inline]
    pub(super) fn instant(&mut self) -> Option<Instant> {
        self.expect(b'"')?;
        let rest = self.text.as_bytes().get(self.at..)?;
        if let Some((time, [b'Z', b'"', ..])) = rest.split_first_chunk::<19>() {
            self.at += time.len() + 2;
            return Instant::of_utc_second(time);
        }
        let Value::Text(text) = self.string()? else { return None };
        text.parse().ok()
    }

    /// Reads a number, or a decimal in text.
    #[inline]
    pub(super) fn quantity(&mut self) -> Option<Quantity> {
        // A whole number of up to two digits is what most counts are.
        let tens = |tens: u8, ones: u8| u32::from(tens - b'0') * 10 + u32::from(ones - b'0');
        let (whole, length) = match self.text.as_bytes().get(self.at..)? {
            [ones @ b'0'..=b'9', b',' | b'}', ..] => (tens(b'0', *ones), 1),
            [first @ b'1'..=b'9', ones @ b'0'..=b'9', b',' | b'}', ..] => (tens(*first, *ones), 2),
            _ => match self.value(DEEPEST)? {
                Value::Number(text) | Value::Text(text) => return Quantity::parse(text).ok(),
                _ => return None,
            },
        };
        self.at += length;
        Some(Quantity::from(whole))
    }

    /// Nothing but blanks may be left.
    pub(super) fn end(&mut self) -> Option<()> {
        self.next().is_none().then_some(())
    }

    /// Reads a value inside an object or a list of a depth.
    pub(super) fn value(&mut self, depth: u32) -> Option<Value<'a>> {
        match self.next()? {
            b'"' => {
                self.at += 1;
                self.string()
            }
            b'-' | b'0'..=b'9' => self.number(),
            b'{' => {
                let start = self.at;
                let mut names = Names::default();
                self.each_member(depth + 1, |scan| {
                    names.add(scan.name()?)?;
                    scan.value(depth + 1).map(|_| ())
                })?;
                self.text.get(start..self.at).map(Value::Json)
            }
            b'[' => {
                let start = self.at;
                self.list(depth + 1)?;
                self.text.get(start..self.at).map(Value::Json)
            }
            b'n' => self.word(b"null", Value::Null),
            b't' => self.word(b"true", Value::Bool(true)),
            b'f' => self.word(b"false", Value::Bool(false)),
            _ => None,
        }
    }

    fn list(&mut self, depth: u32) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        self.expect(b'[')?;
        if self.next()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.value(depth)?;
            let next = self.next()?;
            self.at += 1;
            match next {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    /// The next byte that is no blank, not yet passed.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match *bytes.get(self.at)? {
                byte @ 0x21.. => return Some(byte),
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        if self.first() == byte {
            self.at += 1;
            return Some(());
        }
        (self.next()? == byte).then(|| self.at += 1)
    }

    fn word(&mut self, word: &[u8], value: Value<'a>) -> Option<Value<'a>> {
        self.text.as_bytes().get(self.at..)?.starts_with(word).then(|| {
            self.at += word.len();
            value
        })
    }

    /// Reads the rest of text, behind its first quote.
    #[inline]
    fn string(&mut self) -> Option<Value<'a>> {
        let start = self.at;
        self.at = plain(self.text.as_bytes(), start);
        match self.text.as_bytes().get(self.at)? {
            b'"' => {
                let text = self.text.get(start..self.at)?;
                self.at += 1;
                Some(Value::Text(text))
            }
            b'\\' => self.escaped(start.checked_sub(1)?),
            _ => None,
        }
    }

    /// Reads the rest of text that begins at `start`, from its first escape on.
    fn escaped(&mut self, start: usize) -> Option<Value<'a>> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return self.text.get(start..self.at).map(Value::Escaped);
                }
                b'\\' => {}
                _ => return None,
            }
            let length = match bytes.get(self.at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                b'u' => {
                    let digits = bytes.get(self.at + 2..self.at + 6)?;
                    digits.iter().all(u8::is_ascii_hexdigit).then_some(6)?
                }
                _ => return None,
            };
            self.at = plain(bytes, self.at + length);
        }
    }

    fn number(&mut self) -> Option<Value<'a>> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let digits = |at: usize| {
            let end = bytes.iter().skip(at).position(|b| !b.is_ascii_digit()).map_or(bytes.len(), |n| at + n);
            (end > at).then_some(end)
        };
        let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
        at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits(at)? };
        if bytes.get(at) == Some(&b'.') {
            at = digits(at + 1)?;
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            let signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
            at = digits(at + 1 + usize::from(signed))?;
        }
        self.at = at;
        self.text.get(start..at).map(Value::Number)
    }
}

/// The most names that are kept; an object with more is left to the careful reader.
const MOST_NAMES: usize = 12;

/// The few names of an object's members, kept to see that none comes twice.
#[derive(Default)]
pub(super) struct Names<'a>(Vec<&'a str>);

impl<'a> Names<'a> {
    /// Notes a name that is new, as long as there is room.
    pub(super) fn add(&mut self, name: &'a str) -> Option<()> {
        let new = self.0.len() < MOST_NAMES && !self.0.contains(&name);
        new.then(|| self.0.push(name))
    }
}

/// The place, from `at` on, of the first byte that does not stand for itself in JSON text: a quote, a backslash or a
/// control character; the length of `bytes` if there is none.
#[inline]
fn plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // Eight bytes at once. Below 0x80 a byte is 0, or below 0x20, if taking 1, or 0x20, from it sets its highest bit (see
    // Hacker's Delight, 6-1). A borrow may mark bytes wrongly, but only behind one that is marked rightly.
    let mut rest = bytes.get(at..).unwrap_or_default();
    while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let quote = (word ^ (ONES * u64::from(b'"'))).wrapping_sub(ONES);
        let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
        let control = word.wrapping_sub(ONES * 0x20);
        let found = (quote | backslash | control) & !word & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
        rest = behind;
    }
    for byte in rest {
        if matches!(byte, b'"' | b'\\' | 0..0x20) {
            break;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<Value<'_>> {
        let mut scan = Scan::new(text);
        let value = scan.value(0)?;
        scan.end().map(|()| value)
    }

    #[test]
    fn every_kind_of_value() {
        for (text, expected) in [
            ("null", Value::Null),
            (" true\t", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("-0.5e+10", Value::Number("-0.5e+10")),
            ("0", Value::Number("0")),
            (r#""""#, Value::Text("")),
            (r#""twelve bytes""#, Value::Text("twelve bytes")),
            ("\"é\u{7f}\u{2028}\"", Value::Text("é\u{7f}\u{2028}")),
            (r#""a\"b\\\u00e9\ud800 and more""#, Value::Escaped(r#""a\"b\\\u00e9\ud800 and more""#)),
            (r#"{"a" : [1, {"a":[]}, "]"], "b":{}}"#, Value::Json(r#"{"a" : [1, {"a":[]}, "]"], "b":{}}"#)),
        ] {
            assert_eq!(value(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_sure_is_left_to_the_careful_reader() {
        for text in [
            "",
            "nul",
            "True",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "1 2",
            "\"",
            "\"a",
            r#""\x""#,
            r#""\u12g4""#,
            "\"a\nb\"",
            "\"12345678\u{0}\"",
            "[1,]",
            "[,]",
            "[1",
            "{",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{"\u0061":1}"#,
            r#"{"a":1,"a":2}"#,
            r#"[{"b":{"a":1,"c":2,"a":2}}]"#,
            "{a:1}",
            "NaN",
            "// 1",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(value(&deep(64)).is_some() && value(&deep(65)).is_none());
    }

    #[test]
    fn a_special_byte_is_found_wherever_it_stands() {
        for special in [b'"', b'\\', 0, 0x1f] {
            for length in 0..40 {
                for place in 0..length {
                    for filler in [b'#', b'!', b'[', b']', b' ', 0x7f, 0x80, 0xa2, 0xdc, 0xff] {
                        let mut bytes = vec![filler; length];
                        bytes[place] = special;
                        assert_eq!(plain(&bytes, 0), place);
                        assert_eq!(plain(&bytes, place + 1), length);
                        assert_eq!(plain(&bytes, length + 1), length + 1, "behind the end");
                    }
                }
            }
        }
    }
}

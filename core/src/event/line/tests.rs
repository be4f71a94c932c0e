//! What is read fast is what is read with care: real lines, turned and broken in every way that a producer or a wire may.

use super::*;
use crate::event::members::Members;
use crate::event::wire::Fault;
use proptest::prelude::*;

const ENVELOPE: &[(&str, &[&str])] = &[
    ("specversion", &[r#""1.0""#, r#""1.0""#, "1.0", r#""1\u002e0""#]),
    (
        "id",
        &[r#""e-1""#, r#""e-12345678901234567890123456789""#, r#""a\"b""#, r#""\ud83d\ude00""#, r#""""#, "7"],
    ),
    ("source", &[r#""app""#, r#""https:\/\/a.example\/b""#, r#""é""#, "null"]),
    (
        "type",
        &[
            r#""usage.counted""#,
            r#""usage.counted""#,
            r#""usage.measured""#,
            r#""client.set""#,
            r#""support.ticket_rated""#,
            r#""client.erased""#,
            r#""usage.clicked""#,
        ],
    ),
    ("subject", &[r#""acme""#, r#""c-0000360""#, r#""\ud800""#, "{}"]),
    (
        "time",
        &[
            r#""2026-01-05T10:00:00Z""#,
            r#""2024-02-29T23:59:59.123456Z""#,
            r#""2026-01-05T10:00:00+01:00""#,
            r#""2026-02-29T10:00:00Z""#,
            r#""2016-12-31T23:59:60Z""#,
            r#""1969-12-31T23:30:00-01:00""#,
            r#""2199-12-31t23:59:59z""#,
            "1767607200",
        ],
    ),
    ("sequence", &["0", "-7", "9223372036854775808", "1.0", "null", "1e3"]),
    ("recordedtime", &[r#""2026-01-06T00:00:00Z""#, "null", r#""""#]),
    ("traceparent", &[r#""00-4bf9""#, "[1,{\"a\":[]}]", "true"]),
    ("datacontenttype", &[r#""application/json""#]),
];
const DATA: &[(&str, &[&str])] = &[
    ("metric", &[r#""reports""#, r#""caf\u00e9""#, r#""calls of some length or other""#, r#""""#, "null"]),
    (
        "count",
        &["1", "3", "-0.25", r#""0.1""#, "12.50", "01", "1e3", "1e400", "0.0000001", "1000000000000", "null"],
    ),
    ("value", &["62", "6.2e-1", r#""-0""#, "0.0"]),
    ("user", &[r#""u-7""#, "null", r#""""#, "[]"]),
    ("ticket", &[r#""t-1""#, r#""t\u002d1""#, "7"]),
    ("rating", &["4", "4.0", "6", "null"]),
    ("tags", &[r#"["a","b"]"#, "[]"]),
    ("attributes", &[r#"{"a":1,"b":{"c":2}}"#, r#"{"a":1,"a":1}"#]),
];

/// Members drawn from a list: mostly each once and in order, sometimes left out, turned or twice.
fn members(
    of: &'static [(&'static str, &'static [&'static str])],
) -> impl Strategy<Value = Vec<(String, String)>> {
    let one = |(name, values): &(&'static str, &'static [&'static str])| {
        let (name, values) = (*name, *values);
        let value = prop_oneof![6 => Just(values[0]), 1 => proptest::sample::select(values)];
        let escaped = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), &name[1..]);
        let name =
            prop_oneof![60 => Just(name.to_owned()), 1 => Just(escaped), 1 => Just(name.to_uppercase())];
        (name, value, proptest::bool::weighted(0.9))
            .prop_map(|(name, value, there)| there.then(|| (name, value.to_owned())))
    };
    let all: Vec<_> = of.iter().map(one).collect();
    let turned = (
        all,
        proptest::option::weighted(0.3, any::<u64>()),
        proptest::option::weighted(0.05, any::<prop::sample::Index>()),
    );
    turned.prop_map(|(members, turn, twice)| {
        let mut members: Vec<_> = members.into_iter().flatten().collect();
        if let Some(index) = twice.filter(|_| !members.is_empty()) {
            members.push(members[index.index(members.len())].clone());
        }
        if let Some(turn) = turn {
            members.sort_by_key(|(name, _)| {
                blake3::hash(&[name.as_bytes(), &turn.to_le_bytes()].concat()).as_bytes()[0]
            });
        }
        members
    })
}

fn object(members: &[(String, String)], blank: &str) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{blank}\"{name}\"{blank}:{blank}{value}{blank}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// What happens to bytes on their way.
#[derive(Clone, Debug)]
enum Broken {
    Flip(prop::sample::Index, u8),
    Put(prop::sample::Index, Vec<u8>),
    Cut(prop::sample::Index, usize),
}

fn lines() -> impl Strategy<Value = Vec<u8>> {
    let blank = prop_oneof![5 => Just(""), 1 => Just(" "), 1 => Just("\t \r\n"), 1 => Just("\u{a0}")];
    let pieces: &[&[u8]] = &[
        b"\"",
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"0",
        b"\0",
        b"\n",
        b"\xc3",
        b"\xc3\xa9",
        b"e",
        b".",
    ];
    let broken = prop_oneof![
        (any::<prop::sample::Index>(), 1..=255u8).prop_map(|(at, with)| Broken::Flip(at, with)),
        (any::<prop::sample::Index>(), proptest::sample::select(pieces))
            .prop_map(|(at, piece)| Broken::Put(at, piece.to_vec())),
        (any::<prop::sample::Index>(), 1..4usize).prop_map(|(at, length)| Broken::Cut(at, length)),
    ];
    let broken = prop_oneof![3 => Just(Vec::new()), 1 => proptest::collection::vec(broken, 1..3)];
    (members(ENVELOPE), members(DATA), blank, any::<prop::sample::Index>(), broken).prop_map(
        |(mut envelope, data, blank, place, broken)| {
            let place = envelope.len() - place.index(envelope.len() + 1).min(2).min(envelope.len());
            envelope.insert(place, ("data".to_owned(), object(&data, blank)));
            let mut line = object(&envelope, blank).into_bytes();
            for broken in broken {
                match broken {
                    Broken::Flip(at, with) => {
                        let at = at.index(line.len());
                        line[at] ^= with;
                    }
                    Broken::Put(at, piece) => {
                        let at = at.index(line.len());
                        line.splice(at..at, piece);
                    }
                    Broken::Cut(at, length) => {
                        let at = at.index(line.len());
                        line.drain(at..(at + length).min(line.len()));
                    }
                }
                if line.is_empty() {
                    line.push(b' ');
                }
            }
            line
        },
    )
}

type Told = (crate::event::EventCode, String, Option<String>);

fn told<'t>(members: Result<Members<'t>, Fault>) -> Result<Vec<(String, Value<'t>)>, Told> {
    let all = |members: Members<'t>| members.iter().map(|(name, value)| (name.to_owned(), value)).collect();
    members.map(all).map_err(|fault| {
        let fault = fault.parts();
        (fault.code, fault.expected.into_owned(), fault.inner)
    })
}

/// Members and what is nested in them come out of the scan as out of the careful reader, or not at all.
fn check_members(text: &str) -> Result<(), TestCaseError> {
    let carefully = told(Members::parse_carefully(text).and_then(Members::each_name_once));
    prop_assert_eq!(told(Members::parse(text)), carefully.clone(), "{}", text);
    for (_, value) in carefully.unwrap_or_default() {
        if let Value::Json(text) = value {
            check_members(text)?;
        }
    }
    Ok(())
}

/// Whether a line is read as a view; `None` for a line that is refused.
fn check(line: &[u8]) -> Result<Option<bool>, TestCaseError> {
    let given = SourceId::from("given");
    for source in [None, Some(&given)] {
        let carefully = |text| Event::read_carefully(text, source);
        let event = std::str::from_utf8(line).map_or_else(|_| Event::from_json_of(line, source), carefully);
        let decoded = decode_line(line, source);
        let seen = decoded.as_ref().ok().map(|decoded| matches!(decoded, Decoded::Usage(_)));
        prop_assert_eq!(&decoded.map(Decoded::into_event), &event, "{}", String::from_utf8_lossy(line));
        if source.is_some() {
            return Ok(seen);
        }
    }
    Ok(None)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn fast_is_careful(line in lines()) {
        if let Ok(text) = std::str::from_utf8(&line) {
            check_members(text)?;
        }
        check(&line)?;
    }
}

#[test]
fn what_most_producers_write_is_read_as_a_view() {
    let line = |kind: &str, time: &str, data: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"e-1","source":"app","type":"{kind}","subject":"acmé","time":"{time}","data":{data}}}"#
        )
    };
    for line in [
        line("usage.counted", "2026-01-05T10:00:00Z", r#"{"metric":"m"}"#),
        line(
            "usage.counted",
            "2026-01-05T10:00:00.5Z",
            r#"{"user":null,"metric":"m","count":"1e3","more":[{}]}"#,
        ),
        line("usage.measured", "2026-01-05T10:00:00+00:00", r#"{"metric":"m","value":-0.5,"user":"u"}"#),
        line("usage.counted", "2026-01-05T10:00:00Z", r#"{"metric":"m"}"#)
            .replace(':', ": ")
            .replace(',', ", ")
            .replace("0: 0", "0:0"),
    ] {
        assert_eq!(check(line.as_bytes()).unwrap(), Some(true), "{line}");
    }
    for line in [
        line("usage.counted", "2026-01-05T10:00:00Z", r#"{"metric":"m\u0041"}"#),
        line("client.erased", "2026-01-05T10:00:00Z", "{}"),
    ] {
        assert_eq!(check(line.as_bytes()).unwrap(), Some(false), "{line}");
    }
}

#[test]
fn a_line_has_one_byte_too_many() {
    let line = |pad: usize| {
        format!(
            r#"{{"p":"{}","id":"e","source":"s","type":"usage.counted","subject":"a","time":"2026-01-05T10:00:00Z","data":{{"metric":"m"}}}}"#,
            "x".repeat(pad)
        )
    };
    let most = MAX_LINE - line(0).len();
    assert_eq!(check(line(most).as_bytes()).unwrap(), Some(true));
    assert_eq!(check(line(most + 1).as_bytes()).unwrap(), None);
}

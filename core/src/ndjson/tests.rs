use super::*;

/// Gives a few bytes at a time, so that every boundary falls between two reads.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let n = self.1.min(room.len());
        self.0.read(&mut room[..n])
    }
}

fn read(input: &[u8]) -> Vec<(u64, u64, u64, &'static str)> {
    let seen = read_by(input, 3);
    for at_once in [1_000, usize::MAX] {
        assert_eq!(read_by(input, at_once), seen, "{at_once} bytes at once");
    }
    seen
}

fn read_by(input: &[u8], at_once: usize) -> Vec<(u64, u64, u64, &'static str)> {
    let mut reader = EventReader::new(Trickle(input, at_once), Some("s".into()));
    let mut by_blocks = Vec::new();
    while let Some(mut block) = reader.next_block().unwrap() {
        while let Some(span) = block.next_span(2) {
            let lines: Vec<_> = span.lines().collect();
            let before = block.pass(lines.len() as u64);
            for (place, line) in lines {
                let code = line.decode().map_or_else(|e| e.code.as_str(), |_| "ok");
                by_blocks.push((before + place.index, place.line, place.offset, code));
            }
        }
    }
    let one_by_one = one_by_one(input, at_once);
    assert_eq!(by_blocks, one_by_one);
    one_by_one
}

fn one_by_one(input: &[u8], at_once: usize) -> Vec<(u64, u64, u64, &'static str)> {
    let mut reader = EventReader::new(Trickle(input, at_once), Some("s".into()));
    let mut seen = Vec::new();
    while let Some((place, event)) = reader.next_event().unwrap() {
        let code = event.map_or_else(|e| e.code.as_str(), |_| "ok");
        seen.push((place.index, place.line, place.offset, code));
    }
    seen
}

const GOOD: &str =
    r#"{"id":"1","type":"client.erased","subject":"a","time":"2026-01-01T00:00:00Z","data":{"n":"a,]}\"["}}"#;

#[test]
fn lines_with_mark_blanks_and_carriage_returns() {
    let input = format!("\u{feff}{GOOD}\r\n\r\n  \n {GOOD}\nnonsense\n{GOOD}");
    let g = GOOD.len() as u64;
    assert_eq!(
        read(input.as_bytes()),
        [
            (0, 1, 3, "ok"),
            (1, 4, 3 + g + 2 + 2 + 3 + 1, "ok"),
            (2, 5, 3 + g + 2 + 2 + 3 + 1 + g + 1, "malformed_json"),
            (3, 6, 3 + g + 2 + 2 + 3 + 1 + g + 1 + 9, "ok"),
        ]
    );
}

#[test]
fn a_line_of_two_mebibytes_costs_only_itself() {
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(2 << 20));
    let input = format!("{GOOD}\n{long}\n{GOOD}\n");
    let codes: Vec<_> = read(input.as_bytes()).into_iter().map(|(_, line, _, code)| (line, code)).collect();
    assert_eq!(codes, [(1, "ok"), (2, "too_long"), (3, "ok")]);
}

#[test]
fn a_line_of_exactly_the_limit_is_read() {
    let pad = MAX_LINE - GOOD.len();
    let input =
        format!("{}{}\n{GOOD}\n", GOOD.replace("}}", &format!(",\"p\":\"{}\"}}}}", "x".repeat(pad - 7))), "");
    assert_eq!(input.lines().next().unwrap().len(), MAX_LINE);
    assert_eq!(read(input.as_bytes()).iter().map(|r| r.3).collect::<Vec<_>>(), ["ok", "ok"]);
}

#[test]
fn a_list_of_events() {
    let input = format!(" [ {GOOD} ,\n{GOOD},5, {{]");
    let codes: Vec<_> =
        read(input.as_bytes()).into_iter().map(|(i, line, _, code)| (i, line, code)).collect();
    assert_eq!(codes, [(0, 1, "ok"), (1, 2, "ok"), (2, 2, "wrong_type"), (3, 2, "malformed_json")]);
    assert_eq!(read(b"[]"), []);
    assert_eq!(read(b"[").len(), 1, "a list that does not end is said");
    assert_eq!(read(b""), []);
}

#[test]
fn a_log_longer_than_the_buffer() {
    // About 100 bytes a line: 10 000 of them are several buffers.
    let log = format!("{GOOD}\n").repeat(10_000);
    let length = GOOD.len() as u64 + 1;
    let expected: Vec<_> = (0..10_000).map(|i| (i, i + 1, i * length, "ok")).collect();
    assert_eq!(read(log.as_bytes()), expected);
}

#[test]
fn bytes_that_are_no_text_are_a_bad_line() {
    assert_eq!(read(b"\xef\xbb\n\xff\xfe\n").iter().map(|r| r.3).collect::<Vec<_>>(), ["malformed_json"; 2]);
    let codes = |input: &[u8]| read(input).into_iter().map(|read| read.3).collect::<Vec<_>>();
    let umlaut = GOOD.replace(r#""a""#, r#""ä""#);
    let cut: Vec<u8> = umlaut.bytes().filter(|byte| *byte != 0xa4).collect();
    let log = [umlaut.as_bytes(), &cut, umlaut.as_bytes(), &cut].join(&b'\n');
    assert_eq!(codes(&log), ["ok", "malformed_json", "ok", "malformed_json"]);
}

//! Whole inputs: their forms, their breaks, and bytes turned at random.

use super::*;

#[test]
fn forms_of_input() {
    let expected = {
        let mut engine = engine();
        engine.apply_all(&[event(GOOD), event(ALSO_GOOD)]);
        engine.fingerprint()
    };
    let forms = [
        format!("{GOOD}\n{ALSO_GOOD}"),
        format!("\u{feff}{GOOD}\r\n\r\n  {ALSO_GOOD}  \r\n\n"),
        format!("[{GOOD},{ALSO_GOOD}]"),
        format!("\u{feff}\n [ {GOOD}\n,\r\n{ALSO_GOOD} ]\n\n"),
    ];
    for form in forms {
        let mut engine = engine();
        let applied = read(&mut engine, form.as_bytes());
        assert_eq!((applied.applied, applied.rejected_count()), (2, 0), "{form}");
        assert_eq!(engine.fingerprint(), expected);
    }
    for empty in ["", "\n\n", "\u{feff}", "[]", " [ ] \n"] {
        assert_eq!(read(&mut engine(), empty.as_bytes()), Applied::default(), "{empty:?}");
    }
    // A list with faults: the good ones are in, nothing is dropped in silence.
    for (list, good, bad) in [
        (format!("[{GOOD},{{}},{ALSO_GOOD}]"), 2, 1),
        (format!("[{GOOD},,{ALSO_GOOD}]"), 2, 1),
        (format!("[{GOOD},]"), 1, 1),
        (format!("[{GOOD}"), 0, 1),
        (format!("[{GOOD},{ALSO_GOOD}"), 1, 1),
        (format!("[{GOOD}] {ALSO_GOOD}"), 1, 1),
        (format!("[]{GOOD}"), 0, 1),
        ("[".to_owned(), 0, 1),
        ("[1,\"]\",[2,3],null]".to_owned(), 0, 4),
    ] {
        let applied = read(&mut engine(), list.as_bytes());
        assert_eq!((applied.applied, applied.rejected_count()), (good, bad), "{list}");
    }
    // A source for events that state none.
    let bare = GOOD.replace("\"source\":\"app\",", "");
    let options = ReadOptions { source: Some("app".into()), ..ReadOptions::default() };
    let mut engine = engine();
    read(&mut engine, GOOD.as_bytes());
    assert_eq!(engine.apply_ndjson(bare.as_bytes(), &options).unwrap().duplicates, 1);
}

#[test]
fn where_every_line_is_an_event_a_list_costs_no_other() {
    let options = ReadOptions { one_per_line: true, ..ReadOptions::default() };
    let of = |applied: Applied| -> Vec<(u64, Option<u64>, Option<u64>, EventCode)> {
        let told = |r: &Rejection| (r.index, r.line, r.offset, r.error.code);
        applied.rejected.iter().map(told).collect()
    };
    let mut kept = engine();
    // A mark (3 bytes), a blank line (1), the list from byte 4 on line 2: 5 bytes and its end; then the good one; then `[`.
    let input = format!("\u{feff}\n[{{}}]\n{GOOD}\n[\n");
    let applied = kept.apply_ndjson(input.as_bytes(), &options).unwrap();
    assert_eq!(applied.applied, 1);
    let behind = 4 + 5 + GOOD.len() as u64 + 1;
    let (list, open) = (EventCode::WrongType, EventCode::MalformedJson);
    assert_eq!(of(applied), [(0, Some(2), Some(4), list), (2, Some(4), Some(behind), open)]);

    // In strict mode it is the first bad one, and nothing is applied.
    let mut kept = engine();
    let strict = ReadOptions { strict: true, ..options };
    let Err(ReadError::Strict(first)) = kept.apply_ndjson(input.as_bytes(), &strict) else { panic!() };
    assert_eq!((first.index, first.line, kept.clients().count()), (0, Some(2), 0));
}

#[test]
fn texts_that_come_one_by_one_are_numbered_as_they_come() {
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(ALSO_GOOD).unwrap()).unwrap();
    let marked = format!("\u{feff} {GOOD}\n");
    let refused =
        || Err(EventError { code: EventCode::BadValue, field: None, message: "it has no text".to_owned() });
    let texts = || {
        [
            Ok("[]"),
            refused(),
            Ok(marked.as_str()),
            Ok(""),
            Ok("\u{feff}"),
            Ok(pretty.as_str()),
            Ok(GOOD),
            Ok("nonsense"),
        ]
        .map(|text| text.map(str::as_bytes))
    };
    let mut kept = engine();
    let applied = kept.apply_texts(texts(), &ReadOptions::default()).unwrap();
    assert_eq!((applied.applied, applied.duplicates), (2, 1));
    assert!(applied.rejected.iter().all(|rejection| (rejection.line, rejection.offset) == (None, None)));
    let rejected: Vec<(u64, &str)> =
        applied.rejected.iter().map(|rejection| (rejection.index, rejection.error.code.as_str())).collect();
    let (list, malformed, without) = ("wrong_type", "malformed_json", "bad_value");
    assert_eq!(rejected, [(0, list), (1, without), (3, malformed), (4, malformed), (7, malformed)]);
    assert_eq!(applied.rejected_by_code.get(malformed), Some(&3));

    // In strict mode the first bad one is told, be it a text or not, and nothing is applied.
    let strict = ReadOptions { strict: true, ..ReadOptions::default() };
    for (skipped, bad, code) in [(0, 0, list), (1, 0, without), (2, 1, malformed)] {
        let mut kept = engine();
        let Err(error) = kept.apply_texts(texts().into_iter().skip(skipped), &strict) else { panic!() };
        assert!(error.to_string().starts_with(&format!("event {bad}: ")), "{error}");
        let ReadError::Strict(first) = error else { panic!() };
        assert_eq!((first.index, first.error.code.as_str(), kept.clients().count()), (bad, code, 0));
    }
    let applied = engine().apply_texts([Ok(GOOD.as_bytes()), Ok(pretty.as_bytes())], &strict).unwrap();
    assert_eq!(applied.applied, 2);

    // Sources that are not stated, and types that nobody knows, are as in lines.
    let (plain, odd) = (with("source", Value::Null), with("type", json!("client.blessed")));
    let options = ReadOptions { source: Some("queue".into()), skip_unknown: true, ..ReadOptions::default() };
    let applied = engine().apply_texts([Ok(plain.as_bytes()), Ok(odd.as_bytes())], &options).unwrap();
    assert_eq!((applied.applied, applied.skipped, applied.rejected_count()), (1, 1, 0));
}

#[test]
fn an_input_that_breaks_off_keeps_what_came_before() {
    struct Broken<'a>(&'a [u8]);
    impl std::io::Read for Broken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.len() {
                0 => Err(std::io::Error::other("the cable is out")),
                n => {
                    let n = n.min(buffer.len()).min(7);
                    buffer.get_mut(..n).unwrap().copy_from_slice(self.0.get(..n).unwrap());
                    self.0 = self.0.get(n..).unwrap();
                    Ok(n)
                }
            }
        }
    }
    let input = format!("{GOOD}\n{ALSO_GOOD}\n");
    let mut kept = engine();
    let error = kept.apply_ndjson(std::io::BufReader::new(Broken(input.as_bytes())), &ReadOptions::default());
    assert_eq!(error.unwrap_err().to_string(), "reading failed: the cable is out");
    assert_eq!(kept.clients().count(), 2);
    let mut atomic = engine();
    let options = ReadOptions { strict: true, ..ReadOptions::default() };
    assert!(atomic.apply_ndjson(std::io::BufReader::new(Broken(input.as_bytes())), &options).is_err());
    assert_eq!(atomic.clients().count(), 0);
}

/// A good line with some bytes changed, cut, doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6);
    (logs::event(), changes).prop_map(|(event, changes)| {
        let mut bytes = event.to_json().to_string().into_bytes();
        for (at, byte, change) in changes {
            let at = at.index(bytes.len().max(1)).min(bytes.len());
            match change {
                0 if at < bytes.len() => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => bytes.truncate(at.max(1)),
                _ => {
                    // A byte that means something in JSON.
                    let syntax = b"{}[]\",:\\0-.eEtfn";
                    bytes.insert(at, syntax[usize::from(byte) % syntax.len()]);
                }
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(logs::config())]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Event::from_json(&bytes);
        let applied = read(&mut engine(), &bytes);
        prop_assert_eq!(applied.applied, 0);
    }

    #[test]
    fn no_mutated_line_panics_or_costs_another(bytes in mutated()) {
        prop_assume!(!bytes.contains(&b'\n') && bytes.first() != Some(&b'['));
        let mut engine = engine();
        let input = [GOOD.as_bytes(), b"\n", &bytes, b"\n", ALSO_GOOD.as_bytes()].concat();
        let applied = read(&mut engine, &input);
        prop_assert!(applied.applied >= 2);
        let one = applied.applied - 2 + applied.rejected_count() + applied.duplicates + applied.conflict_count;
        prop_assert!(one <= 1, "one line is one event: {:?}", applied);
        // Alone, as a list, and strictly.
        let _ = read(&mut engine, &[b"[", &bytes[..], b"]"].concat());
        let before = engine.fingerprint();
        if strict(&mut engine, &[&bytes[..], b"\nnonsense"].concat()).is_err() {
            prop_assert_eq!(engine.fingerprint(), before);
        }
        let _ = engine.snapshot();
    }

    #[test]
    fn an_event_is_the_same_after_a_way_through_text(event in logs::event()) {
        let json = event.to_json();
        let back = Event::from_json(json.to_string().as_bytes()).unwrap();
        prop_assert_eq!(&back, &event);
        prop_assert_eq!(&back.to_json(), &json);
        // A line has the members of `data` in the order of their declaration, each as JSON writes it. Identities of rows
        // without an id are made of this text.
        let said = |field: healthfold::FieldSpec| Some(format!("\"{}\":{}", field.name, json["data"].get(field.name)?));
        let members: Vec<String> = event.kind().fields().into_iter().filter_map(said).collect();
        let line = event.to_line();
        let data = format!("\"data\":{{{}}}}}", members.join(","));
        prop_assert!(line.ends_with(&data), "{line}\n{data}");
    }

    #[test]
    fn an_exact_number_is_the_same_after_a_way_through_text(
        micros in prop_oneof![any::<i32>().prop_map(i64::from), -1_000_000_000_000_000_000i64..=1_000_000_000_000_000_000],
    ) {
        let number = healthfold::Quantity::from_micros(micros).unwrap();
        let line = ALSO_GOOD.replace("\"owner\":\"ann\"", &format!("\"attributes\":{{\"k\":{number}}}"));
        let event = event(&line);
        prop_assert_eq!(&Event::from_json(event.to_line().as_bytes()).unwrap(), &event);
        let line = with("data.count", json!(number.to_string()));
        let event = self::event(&line);
        prop_assert_eq!(&Event::from_json(event.to_json().to_string().as_bytes()).unwrap(), &event);
    }
}

#[test]
fn a_source_for_a_whole_call_is_held_to_the_same_limits() {
    let without = GOOD.replace(r#""source":"app","#, "");
    assert_ne!(without, GOOD);
    let also = ALSO_GOOD.replace(r#""source":"app","#, "");
    for (source, code) in [("", "empty_id"), (&"y".repeat(257), "too_long"), ("a\0b", "bad_value")] {
        let options = ReadOptions { source: Some(source.into()), ..ReadOptions::default() };
        let mut engine = engine();
        let applied = engine.apply_ndjson(format!("{without}\n{also}\n").as_bytes(), &options).unwrap();
        let found: Vec<_> =
            applied.rejected.iter().map(|r| (r.error.code.as_str(), r.error.field.as_deref())).collect();
        assert_eq!(found, [(code, Some("source")); 2], "{source}");
        // An event that states its own does not need it.
        assert_eq!(engine.apply_ndjson(GOOD.as_bytes(), &options).unwrap().applied, 1);
    }
    let fits = ReadOptions { source: Some("y".repeat(256).as_str().into()), ..ReadOptions::default() };
    assert_eq!(engine().apply_ndjson(without.as_bytes(), &fits).unwrap().applied, 1);
}

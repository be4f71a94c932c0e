//! The page of the wire format says what the decoder does: every type, every field, every code.
//!
//! That its examples are taken or refused as it says is checked in `documents.rs`.

#![expect(clippy::unwrap_used, reason = "helpers of tests stand outside of test functions")]

use healthfold::{Event, EventCode, EventKind};

/// A section of the page: its heading, without marks, and its lines.
fn sections() -> Vec<(String, Vec<String>)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/wire-format.md");
    let page = std::fs::read_to_string(path).unwrap();
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for line in page.lines() {
        match line.strip_prefix('#') {
            Some(heading) => {
                let heading = heading.trim_start_matches('#').trim().replace('`', "");
                sections.push((heading, Vec::new()));
            }
            None => {
                if let Some((_, lines)) = sections.last_mut() {
                    lines.push(line.to_owned());
                }
            }
        }
    }
    sections
}

/// The lines of the blocks of one language in a section.
fn blocks<'l>(lines: &'l [String], language: &str) -> Vec<&'l str> {
    let fence = format!("```{language}");
    let mut inside = false;
    let mut found = Vec::new();
    for line in lines {
        if line.starts_with("```") {
            inside = *line == fence;
        } else if inside {
            found.push(line.as_str());
        }
    }
    found
}

#[test]
fn every_type_has_a_section_with_an_example_and_its_fields() {
    let sections = sections();
    for kind in EventKind::ALL {
        let (_, lines) = sections
            .iter()
            .find(|(heading, _)| heading == kind.as_str())
            .unwrap_or_else(|| panic!("{kind} has no section"));
        let example =
            blocks(lines, "json").first().copied().unwrap_or_else(|| panic!("{kind} has no example"));
        assert_eq!(Event::from_json(example.as_bytes()).map(|event| event.kind()), Ok(*kind));

        // The names in backticks in the first column of the table, and whether they are required.
        let mut listed: Vec<(String, bool)> = Vec::new();
        for row in lines.iter().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let names = cells[1].split('`').skip(1).step_by(2);
            listed.extend(names.map(|name| (name.to_owned(), cells[2].starts_with("yes"))));
        }
        listed.sort();
        let mut known: Vec<(String, bool)> =
            kind.fields().iter().map(|field| (field.name.to_owned(), field.required)).collect();
        known.sort();
        // What a subscription must have unless it is cancelled is said to be required.
        for (name, required) in &mut listed {
            if *kind == EventKind::SubscriptionSet
                && ["amount", "currency", "interval"].contains(&name.as_str())
            {
                *required = false;
            }
        }
        assert_eq!(listed, known, "{kind}");
    }
}

#[test]
fn every_code_has_a_row_and_a_section() {
    let sections = sections();
    let rows: Vec<&String> =
        sections.iter().flat_map(|(_, lines)| lines).filter(|line| line.starts_with("| `")).collect();
    for code in EventCode::ALL {
        assert!(sections.iter().any(|(heading, _)| heading == code.as_str()), "{code} has no section");
        assert!(rows.iter().any(|row| row.starts_with(&format!("| `{code}` |"))), "{code} has no row");
    }
}

#[test]
fn every_block_is_taken_or_refused_as_it_says() {
    for (heading, lines) in sections() {
        for line in blocks(&lines, "json") {
            let read = Event::from_json(line.as_bytes());
            assert!(read.is_ok(), "{heading}: {line}: {}", read.unwrap_err());
        }
        for line in blocks(&lines, "json-refused") {
            let code = Event::from_json(line.as_bytes()).map_err(|error| error.code.as_str().to_owned());
            assert_eq!(code.map(|event| event.kind()), Err(heading.clone()), "{line}");
        }
    }
}

#[test]
fn the_conflict_of_the_page_is_one() {
    let (_, lines) = sections().into_iter().find(|(heading, _)| heading == "conflicting_event").unwrap();
    let (first, second) = (blocks(&lines, "json")[0], blocks(&lines, "text")[0]);
    let mut engine = healthfold::Engine::new(healthfold::Settings::default()).unwrap();
    assert_eq!(engine.apply(&Event::from_json(first.as_bytes()).unwrap()), Ok(true));
    let error = engine.apply(&Event::from_json(second.as_bytes()).unwrap()).unwrap_err();
    assert_eq!(error.code, EventCode::ConflictingEvent);
}

//! What the documents say is true: their examples are run, and the README's block is the example of that name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by a panic and says what it skipped"
)]

use healthfold::{Event, EventCode};
use healthfold_testkit::case::workspace;

struct Block {
    language: String,
    /// The heading above it, without `#` and backticks.
    heading: String,
    line: usize,
    text: String,
}

fn blocks(path: &str) -> Vec<Block> {
    let page = std::fs::read_to_string(workspace().join(path)).unwrap();
    let (mut blocks, mut open, mut heading) = (Vec::new(), None::<Block>, String::new());
    for (number, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => {
                let (language, heading) = (language.to_owned(), heading.clone());
                open = Some(Block { language, heading, line: number + 1, text: String::new() });
            }
            (None, Some(block)) => block.text.extend([line, "\n"]),
            (None, None) if line.starts_with('#') => {
                heading = line.trim_start_matches('#').trim().replace('`', "");
            }
            (None, None) => {}
        }
    }
    blocks
}

#[test]
fn the_readme_shows_the_quickstart_as_it_is() {
    let example = std::fs::read_to_string(workspace().join("examples/quickstart.rs")).unwrap();
    let shown: Vec<Block> =
        blocks("README.md").into_iter().filter(|block| block.language == "rust").collect();
    assert_eq!(shown.len(), 1, "the README has one block of Rust");
    assert!(shown[0].text == example, "the README's block of Rust is not examples/quickstart.rs");
}

#[test]
fn events_of_the_wire_format_are_taken_or_refused_as_it_says() {
    let (mut taken, mut refused) = (0, 0);
    for Block { language, heading, line, text } in blocks("docs/wire-format.md") {
        for event in text.lines().filter(|line| !line.trim().is_empty()) {
            let read = Event::from_json(event.as_bytes());
            match language.as_str() {
                "json" => {
                    assert!(read.is_ok(), "wire-format.md:{line}: {}", read.unwrap_err());
                    taken += 1;
                }
                "json-refused" => {
                    let code = read.err().map(|error| error.code);
                    assert_eq!(code.map(EventCode::as_str), Some(heading.as_str()), "wire-format.md:{line}");
                    refused += 1;
                }
                _ => {}
            }
        }
    }
    assert!(taken >= healthfold::EventKind::ALL.len() && refused >= 10, "{taken} taken, {refused} refused");
}

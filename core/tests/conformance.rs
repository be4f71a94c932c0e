//! The cases of `conformance/cases`, and the shared ones where they are: three languages, one answer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by a panic and says what it skipped"
)]

use healthfold_testkit::case::{Case, own_cases, shared_data, workspace};

/// Cases that ask for what is not built yet, and why. A case that passes must go from here, and from the list in
/// `conformance/README.md`.
const NOT_YET: &[(&str, &str)] = &[];

fn run(cases: &[Case]) {
    assert!(!cases.is_empty(), "there is no case");
    let mut faults = Vec::new();
    for case in cases {
        let found = case.run();
        match NOT_YET.iter().find(|(name, _)| *name == case.file) {
            Some(_) if found.is_empty() => {
                faults.push(format!("{}: passes, take it from NOT_YET", case.file))
            }
            Some((name, why)) => println!("skipped: case {name}: {why}"),
            None if found.is_empty() => {}
            None => {
                faults.push(format!("{}\n    why: {}\n    {}", case.file, case.why, found.join("\n    ")));
            }
        }
    }
    assert!(faults.is_empty(), "{} of {} cases fail\n\n{}", faults.len(), cases.len(), faults.join("\n\n"));
}

#[test]
fn own_cases_hold() {
    run(&Case::load_folder(&own_cases()).unwrap());
}

#[test]
fn shared_cases_hold() {
    if let Some(folder) = shared_data("cases") {
        run(&Case::load_folder(&folder).unwrap());
    }
}

#[test]
fn names_are_those_of_the_files() {
    for case in Case::load_folder(&own_cases()).unwrap() {
        let (number, name) = case.file.split_once('-').unwrap();
        assert_eq!((number.len(), name), (3, case.name.as_str()), "{}", case.file);
    }
}

#[test]
fn what_is_not_built_yet_is_in_the_readme() {
    let readme = std::fs::read_to_string(workspace().join("conformance/README.md")).unwrap();
    let listed: Vec<&str> = readme
        .split_once("## Not yet")
        .map(|(_, rest)| {
            rest.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
        })
        .unwrap_or_default();
    let names: Vec<&str> = NOT_YET.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, names, "conformance/README.md and NOT_YET differ");
}

//! `docs/models.md` is true: its worked client scores what the page adds up by hand.

use healthfold::{Engine, Model, Settings};

const PAGE: &str = include_str!("../../docs/models.md");

/// What stands in the first fenced block of a language behind a text.
#[expect(clippy::expect_used, reason = "the page is there to be read")]
fn block(behind: &str, language: &str) -> String {
    let page = PAGE.split_once(behind).expect("the text is on the page").1;
    let block = page.split_once(&format!("```{language}\n")).expect("a block comes").1;
    block.split_once("```").expect("the block ends").0.to_owned()
}

#[test]
fn the_worked_client_scores_what_the_page_says() {
    let mut engine = Engine::new(Settings::default()).unwrap();
    let applied = engine
        .apply_ndjson(block("One model, worked end to end", "ndjson").as_bytes(), &Default::default())
        .unwrap();
    assert_eq!((applied.applied, applied.rejected.len()), (8, 0));
    let model = Model::from_json(&block("The model:", "json")).unwrap();
    let health = engine.score(&"acme".into(), &model, "2026-03-10T12:00:00Z".parse().unwrap()).unwrap();
    let close = |found: Option<f64>, by_hand: f64| {
        assert!((found.unwrap() - by_hand).abs() < 1e-9, "{found:?} {by_hand}")
    };
    close(health.score, 55.0);
    close(Some(health.coverage), 0.9);
    close(health.low, 54.9);
    close(health.high, 55.0);
    assert_eq!(health.band, "yellow");
    let contributions: Vec<f64> = health.parts.iter().map(|part| part.contribution).collect();
    for (found, by_hand) in contributions.iter().zip([30.6, 6.3, 0.0, 12.0, 16.0]) {
        close(Some(*found), by_hand);
    }
    close(Some(health.adjustments[0].effect), -4.0);
}

#[test]
fn the_default_model_is_explained_line_by_line() {
    let section = PAGE.split_once("## The default model, line by line").expect("the section").1;
    let section = section.split_once("\n## ").expect("the next section").0;
    let model = Model::default();
    let document = model.to_json();
    for group in document["groups"].as_array().unwrap() {
        let name = group["name"].as_str().unwrap();
        assert!(section.contains(&format!("| {name} ({}", group["weight"])), "group {name} with its weight");
        for part in group["parts"].as_array().unwrap() {
            let signal = part["signal"].as_str().unwrap();
            let line = section
                .lines()
                .find(|line| line.contains(&format!("`{signal}`")))
                .unwrap_or_else(|| panic!("{signal}"));
            assert!(line.contains(&format!("({})", part["weight"])), "{signal} with its weight");
        }
    }
    for limit in document["limits"].as_array().unwrap() {
        assert!(section.contains(&format!("| {} |", limit["cap"].to_string() + ", red")), "{limit}");
    }
}

//! `docs/models.md` is true: its worked client scores what the page adds up by hand.

use healthfold::{Engine, Model, Settings};
use serde_json::Value;

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
        .apply_ndjson(block("One model, worked end to end\n", "ndjson").as_bytes(), &Default::default())
        .unwrap();
    assert_eq!((applied.applied, applied.rejected.len()), (8, 0));
    let model = Model::from_json(&block("The model:", "json")).unwrap();
    let health = engine.score(&"acme".into(), &model, "2026-03-10T12:00:00Z".parse().unwrap()).unwrap();
    let close = |found: Option<f64>, by_hand: f64| {
        assert!((found.unwrap() - by_hand).abs() < 1e-9, "{found:?} {by_hand}")
    };
    close(health.score, 55.0);
    close(health.computed, 55.0);
    close(Some(health.coverage), 0.9);
    close(health.low, 54.9);
    close(health.high, 55.0);
    assert_eq!(health.band, "yellow");
    let by_hand = [
        (Some(8.0), Some(68.0), 0.45, 30.6),
        (Some(0.8), Some(42.0), 0.15, 6.3),
        (None, None, 0.0, 0.0),
        (Some(2.0), Some(60.0), 0.2, 12.0),
        (Some(80.0), Some(80.0), 0.2, 16.0),
    ];
    assert_eq!(health.parts.len(), by_hand.len());
    for (part, (reading, points, weight, contribution)) in health.parts.iter().zip(by_hand) {
        assert_eq!((part.reading.is_some(), part.points.is_some()), (reading.is_some(), points.is_some()));
        reading.into_iter().for_each(|reading| close(part.reading, reading));
        points.into_iter().for_each(|points| close(part.points, points));
        close(Some(part.weight), weight);
        close(Some(part.contribution), contribution);
    }
    close(Some(health.adjustments[0].effect), -4.0);
    close(Some(health.limits[0].effect), -5.9);
}

#[test]
fn what_the_page_says_would_have_been_is_so() {
    let mut engine = Engine::new(Settings::default()).unwrap();
    let mut log = block("One model, worked end to end\n", "ndjson");
    log.push_str(r#"{"id":"9","source":"crm","type":"client.override_set","subject":"acme","time":"2026-03-10T00:00:00Z","data":{"kind":"floor","value":70,"reason":"renewed by word","by":"ann","until":"2026-04-01"}}"#);
    log.push('\n');
    log.push_str(r#"{"id":"10","source":"billing","type":"billing.invoice_paid","subject":"acme","time":"2026-03-10T18:00:00Z","data":{"invoice":"INV-1"}}"#);
    engine.apply_ndjson(log.as_bytes(), &Default::default()).unwrap();
    let model = Model::from_json(&block("The model:", "json")).unwrap();
    let at = |instant: &str| engine.score(&"acme".into(), &model, instant.parse().unwrap()).unwrap();
    let floored = at("2026-03-10T12:00:00Z");
    assert_eq!((floored.score, floored.computed, floored.band.as_str()), (Some(70.0), Some(55.0), "green"));
    let paid = at("2026-03-10T20:00:00Z").computed.unwrap();
    assert!((paid - 60.9).abs() < 1e-9, "{paid}");
}

#[test]
fn the_worked_model_is_the_same_in_three_languages() {
    let model = Model::from_json(&block("The model:", "json")).unwrap();
    assert_eq!(Model::from_toml(&block("### The same model in TOML", "toml")), Ok(model.clone()));
    assert_eq!(Model::from_yaml(&block("### The same model in YAML", "yaml")), Ok(model));
}

/// The section of a heading, to the next heading of its rank.
#[expect(clippy::expect_used, reason = "the page is there to be read")]
fn section(heading: &str) -> &'static str {
    let section = PAGE.split_once(&format!("\n## {heading}\n")).expect("the section").1;
    section.split_once("\n## ").expect("the next section").0
}

#[test]
fn the_shipped_models_are_explained_line_by_line() {
    let headings = ["The default model", "The usage-based model", "The high-touch model"];
    for (name, heading) in Model::SHIPPED.iter().zip(headings) {
        let section = section(&format!("{heading}, line by line"));
        let model = Model::shipped(name).unwrap();
        let document = model.to_json();
        let weight = |of: &Value| of.get("weight").map_or("1".to_owned(), Value::to_string);
        let groups = document["groups"].as_array().unwrap();
        let all: f64 = groups.iter().map(|group| group["weight"].as_f64().unwrap()).sum();
        assert!(section.contains(&format!(" of {all})")), "{name}: the weights add up to {all}");
        for group in groups {
            let group_name = group["name"].as_str().unwrap();
            assert!(
                section.contains(&format!("| {group_name} ({}", weight(group))),
                "{name}: group {group_name}"
            );
            for part in group["parts"].as_array().unwrap() {
                let signal = part["signal"].as_str().unwrap();
                let line = section
                    .lines()
                    .find(|line| line.starts_with('|') && line.contains(&format!("`{signal}`")));
                let line = line.unwrap_or_else(|| panic!("{name}: {signal}"));
                assert!(line.contains(&format!("({})", weight(part))), "{name}: {signal} with its weight");
            }
        }
        for adjustment in document["adjustments"].as_array().into_iter().flatten() {
            assert!(
                section.contains(&format!("| `{}`", adjustment["signal"].as_str().unwrap())),
                "{adjustment}"
            );
        }
        let limits = document["limits"].as_array().unwrap();
        for limit in limits {
            let cap = limit["cap"].as_f64().unwrap();
            let band = model.bands().iter().rev().find(|band| cap >= band.from).unwrap();
            assert!(section.contains(&format!("| {cap}, {} |", band.name)), "{name}: {limit}");
        }
        let rows = section
            .lines()
            .filter(|line| line.ends_with('|') && line.contains(", red |") || line.contains(", yellow |"));
        assert_eq!(rows.count(), limits.len(), "{name}: a row for each limit");
    }
}

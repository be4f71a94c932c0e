//! One client, from its events to its health and its revenue.
#![allow(clippy::print_stdout, reason = "an example shows what it got")]

use healthfold::{Engine, Model, Period, ReadOptions, RevenueOptions, Settings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Events of one client, in any order, from any system. The last one is broken and costs nobody else anything.
    let log = br#"
        {"id":"1","source":"app","type":"usage.counted","subject":"acme","time":"2026-03-05T10:00:00Z","data":{"metric":"reports","user":"u-1"}}
        {"id":"2","source":"app","type":"usage.counted","subject":"acme","time":"2026-03-09T16:20:00Z","data":{"metric":"exports","user":"u-2"}}
        {"id":"3","source":"billing","type":"billing.subscription_set","subject":"acme","time":"2026-02-01T00:00:00Z","data":{"subscription":"s-1","status":"active","amount":"1200","currency":"EUR","interval":{"unit":"year","count":1},"seats":4}}
        {"id":"4","source":"billing","type":"billing.invoice_issued","subject":"acme","time":"2026-02-01T00:00:00Z","data":{"invoice":"i-1","amount":"1200","currency":"EUR","due":"2026-02-15"}}
        {"id":"5","source":"crm","type":"client.sentiment_set","subject":"acme","time":"2026-03-02","data":{"value":80}}"#;

    let mut engine = Engine::new(Settings::default())?;
    let applied = engine.apply_ndjson(&log[..], &ReadOptions::default())?;
    assert_eq!(applied.applied, 4);
    for rejection in &applied.rejected {
        println!("line {:?}: {}: {}", rejection.line, rejection.error.code, rejection.error.message);
    }

    // How is acme, as of the end of 10 March? Nothing here defaults to now.
    let as_of = engine.zone().as_of("2026-03-10")?;
    let health = engine.score(&"acme".into(), &Model::default(), as_of)?;
    println!("acme: {:?}, {}, from {:.0} % of the model", health.score, health.band, health.coverage * 100.0);
    for part in health.parts.iter().filter(|part| part.reading.is_some()) {
        println!("  {:?} {} = {:?}: {:+.1}", part.group, part.signal, part.reading, part.contribution);
    }

    // And how did February go? Money is exact, and a rate carries its base.
    let february = Period::parse("2026-02", engine.zone())?;
    let revenue = engine.revenue(february, &RevenueOptions::default())?;
    println!("{}", serde_json::to_string_pretty(&revenue)?);
    Ok(())
}

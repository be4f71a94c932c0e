//! What keeps a score from 100, the greatest cost first.

use super::result::{Effect, HealthScore, OverrideEffect, PartScore};

/// What costs a client points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CostOf<'s> {
    /// A part that was seen and has not all its points.
    Part(&'s PartScore),
    /// An adjustment or a limit that takes points away.
    Effect(&'s Effect),
    /// A person's override that takes points away.
    Override(&'s OverrideEffect),
}

/// One thing that keeps a score from 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost<'s> {
    /// What it is.
    pub of: CostOf<'s>,
    /// What it costs, in points of the score; above 0.
    pub points: f64,
}

impl Cost<'_> {
    /// The name of the signal, the adjustment or the limit; `override` where a person set the score.
    pub fn name(&self) -> &str {
        match self.of {
            CostOf::Part(part) => &part.signal,
            CostOf::Effect(effect) => effect.name.as_str(),
            CostOf::Override(_) => "override",
        }
    }
}

impl HealthScore {
    /// What keeps the score from 100, greatest first; of equal costs in the order of the model. A part costs its weight
    /// times what it lacks to 100 points, an adjustment, a limit or an override what it takes away. A part that was not
    /// seen costs nothing.
    ///
    /// ```
    /// use healthfold::{Engine, GroupBuilder, Model, Settings};
    /// let mut engine = Engine::new(Settings::default())?;
    /// engine.apply_ndjson(&br#"{"id":"1","source":"app","type":"usage.counted","subject":"acme","time":"2026-01-05T10:00:00Z","data":{"metric":"reports","count":2}}
    /// {"id":"2","source":"crm","type":"client.sentiment_set","subject":"acme","time":"2026-01-05T12:00:00Z","data":{"value":60}}"#[..], &Default::default())?;
    /// let model = Model::builder("two")
    ///     .signal("use", serde_json::json!({"kind": "usage_sum", "metric": "reports", "days": 28}))
    ///     .signal("mood", serde_json::json!({"kind": "sentiment"}))
    ///     .group(GroupBuilder::new("all")
    ///         .part("use", 1.0, serde_json::json!({"points": [[0, 0], [10, 100]]}))
    ///         .part("mood", 3.0, serde_json::json!({"points": [[0, 0], [100, 100]]})))
    ///     .band("red", 0.0)
    ///     .build()?;
    /// let score = engine.score(&"acme".into(), &model, engine.zone().as_of("2026-01-06")?)?;
    /// // A quarter of the 80 points that use lacks, three quarters of the 40 that the mood lacks.
    /// let costs: Vec<_> = score.costs().iter().map(|cost| (cost.name().to_owned(), cost.points)).collect();
    /// assert_eq!(costs, [("mood".to_owned(), 30.0), ("use".to_owned(), 20.0)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn costs(&self) -> Vec<Cost<'_>> {
        let parts = self.parts.iter().filter_map(|part| {
            Some(Cost { of: CostOf::Part(part), points: part.weight * (100.0 - part.points?) })
        });
        let effects = self.adjustments.iter().chain(&self.limits);
        let effects = effects.map(|effect| Cost { of: CostOf::Effect(effect), points: -effect.effect });
        let by_hand = self
            .r#override
            .iter()
            .map(|stated| Cost { of: CostOf::Override(stated), points: -stated.effect });
        let mut costs: Vec<Cost<'_>> =
            parts.chain(effects).chain(by_hand).filter(|cost| cost.points > 0.0).collect();
        costs.sort_by(|a, b| b.points.total_cmp(&a.points));
        costs
    }
}

//! What a model declares of its data, held against the data: judgements that are not one of the declared steps.

use super::set::Model;
use crate::book::Client;
use crate::id::{ClientId, EventRef};
use crate::signal::client::Sentiment;
use crate::time::Instant;
use serde::Serialize;

/// A judgement that the model does not allow.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataFault {
    /// The client.
    pub client: ClientId,
    /// The name of the model of which the signal is.
    pub model: String,
    /// The signal's name there.
    pub signal: String,
    /// When it was stated.
    pub at: Instant,
    /// What was stated.
    pub found: f64,
    /// What may be stated.
    pub allowed: Vec<f64>,
    /// By which event.
    pub event: EventRef,
}

impl std::fmt::Display for DataFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let allowed: Vec<String> = self.allowed.iter().map(f64::to_string).collect();
        let (signal, client, found, allowed) =
            (&self.signal, self.client.as_str(), self.found, allowed.join(", "));
        write!(f, "`{signal}` of client `{client}` must be one of {allowed}, found `{found}`")
    }
}

/// The judgements of a client up to an instant that are off the steps of some signal of the model.
pub(crate) fn check(model: &Model, client: &Client<'_>, as_of: Instant) -> Vec<DataFault> {
    let mut faults = Vec::new();
    for choice in &model.choices {
        for (signal, spec) in &choice.model.signals {
            for judgement in spec.judgements() {
                let Some(allowed) = judgement.allowed() else { continue };
                let fault = |(at, found, event)| DataFault {
                    client: client.id.clone(),
                    model: choice.model.name.clone(),
                    signal: signal.clone(),
                    at,
                    found,
                    allowed: allowed.to_vec(),
                    event,
                };
                faults.extend(off_scale(judgement, allowed, client, as_of).map(fault));
            }
        }
    }
    faults
}

fn off_scale<'a>(
    judgement: &'a Sentiment,
    allowed: &'a [f64],
    client: &'a Client<'_>,
    as_of: Instant,
) -> impl Iterator<Item = (Instant, f64, EventRef)> + 'a {
    let entries = client.state.profile.sentiment.up_to(as_of).iter();
    entries.filter_map(|entry| {
        let found = judgement.stated(entry).filter(|found| !allowed.contains(found))?;
        Some((entry.at(), found, entry.stamp.event()))
    })
}

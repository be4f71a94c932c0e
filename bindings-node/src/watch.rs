//! A book that is kept fresh for the cost of the clients that changed.

use crate::answer::Answer;
use crate::args::Args;
use crate::error::Fault;
use crate::run::{Held, Job, Shared, entry};
use healthfold::{self as core, ClientId};
use napi_derive::napi;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The health of a book by one model, and the revenue of one period.
#[napi]
pub struct Watch {
    shared: Held<Arc<Shared>>,
    inner: Held<Arc<Mutex<core::Watch>>>,
}

impl Watch {
    pub(crate) fn of(shared: Arc<Shared>, inner: Arc<Mutex<core::Watch>>) -> Self {
        Self { shared: Held::new(shared), inner: Held::new(inner) }
    }
}

#[napi]
impl Watch {
    /// A question.
    #[napi]
    pub fn ask(&self, call: String, json: String) -> napi::Result<Job> {
        entry(|| {
            let args = Args::new(&json, BTreeMap::new())?;
            let (shared, inner) = (Arc::clone(&self.shared), Arc::clone(&self.inner));
            Ok(Job::new(move |_| {
                shared.ask(|engine| {
                    let mut watch = inner.lock().unwrap_or_else(PoisonError::into_inner);
                    ask(engine, &mut watch, &call, args)
                })
            }))
        })
    }
}

fn ask(engine: &core::Engine, watch: &mut core::Watch, call: &str, mut args: Args) -> Result<Answer, Fault> {
    match call {
        "refresh" => Answer::of(&watch.refresh(engine, args.as_of(engine)?)?),
        "as_of" => Answer::of(&watch.as_of()),
        "health" => Answer::of(&watch.health()),
        "score" => {
            let client: ClientId = args.client()?;
            Answer::of(
                &watch.score(&client).map(|(score, band)| json!({"score": score, "band": band.as_str()})),
            )
        }
        "revenue" => Answer::of(&watch.revenue(engine)?),
        _ => Err(Fault::Internal(format!("there is no call `{call}`"))),
    }
}

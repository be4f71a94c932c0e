//! The engine: every call becomes a job, which `lib/engine.js` runs at once or on the pool.

use crate::answer::Answer;
use crate::args::Args;
use crate::calls;
use crate::error::{Fault, query};
use crate::model::Model;
use crate::run::{Held, Job, Shared, entry};
use healthfold::{self as core, Limits, Settings};
use napi::bindgen_prelude::{ClassInstance, Uint8Array};
use napi_derive::napi;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An engine.
#[napi]
pub struct Engine {
    shared: Held<Arc<Shared>>,
}

impl Engine {
    pub(crate) fn of(shared: Arc<Shared>) -> Self {
        Self { shared: Held::new(shared) }
    }
}

/// The arguments of a call, with the models among them by their names.
fn args(json: &str, names: Vec<String>, models: Vec<ClassInstance<'_, Model>>) -> Result<Args, Fault> {
    let models: BTreeMap<_, _> =
        names.into_iter().zip(models.iter().map(|model| Arc::clone(&model.inner))).collect();
    Args::new(json, models)
}

#[napi]
impl Engine {
    /// An engine with settings, as a JSON object.
    #[napi]
    pub fn make(settings: String) -> napi::Result<Self> {
        entry(|| {
            let mut args = Args::new(&settings, BTreeMap::new())?;
            let mut settings = Settings { dedupe: args.read_or_default("dedupe")?, ..Settings::default() };
            if let Some(zone) = args.read_or_default::<Option<String>>("timezone")? {
                settings.timezone = zone;
            }
            if let Some(key) = args.read_or_default::<Option<Vec<u8>>>("erasure_key")? {
                settings.erasure_key =
                    <[u8; 32]>::try_from(key).map_err(|_| Fault::value("erasure_key", "must be 32 bytes"))?;
            }
            let Limits { metrics, ids } = settings.limits;
            settings.limits = Limits {
                metrics: args.read_or_default::<Option<u32>>("max_metrics")?.unwrap_or(metrics),
                ids: args.read_or_default::<Option<u32>>("max_ids")?.unwrap_or(ids),
            };
            args.end()?;
            Ok(Self::of(Shared::new(core::Engine::new(settings).map_err(query)?)))
        })
    }

    /// The engine of a snapshot.
    #[napi]
    pub fn restore(snapshot: Uint8Array) -> Job {
        let bytes = snapshot.to_vec();
        Job::new(move |_| Ok(Answer::Engine(Shared::new(core::Engine::restore(&bytes)?))))
    }

    /// A question.
    #[napi]
    pub fn ask(
        &self,
        call: String,
        json: String,
        names: Vec<String>,
        models: Vec<ClassInstance<'_, Model>>,
    ) -> napi::Result<Job> {
        entry(|| {
            let (args, shared) = (args(&json, names, models)?, Arc::clone(&self.shared));
            Ok(Job::new(move |_| shared.ask(|engine| calls::ask(engine, &call, args))))
        })
    }

    /// A change, which may bring bytes or the events of another engine with it.
    #[napi]
    pub fn change(
        &self,
        call: String,
        json: String,
        names: Vec<String>,
        models: Vec<ClassInstance<'_, Model>>,
        bytes: Option<Uint8Array>,
        other: Option<ClassInstance<'_, Engine>>,
    ) -> napi::Result<Job> {
        entry(|| {
            let (mut args, shared) = (args(&json, names, models)?, Arc::clone(&self.shared));
            // A copy: JavaScript may write to its bytes while the pool reads these.
            args.bytes = bytes.map(|bytes| bytes.to_vec()).unwrap_or_default();
            args.other = other.map(|other| Arc::clone(&other.shared));
            Ok(Job::new(move |wanted| calls::change(&shared, &call, args, wanted)))
        })
    }
}

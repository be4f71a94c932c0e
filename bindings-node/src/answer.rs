//! What a call comes to: JSON text, bytes, an engine, or rows that the core holds and that are written when they are looked
//! at, so that a book of a hundred thousand clients never becomes one text.

use crate::camel;
use crate::error::Fault;
use crate::run::{Held, Job, Shared, entry};
use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use healthfold::table::scores_to_arrow;
use healthfold::{
    Applied, ClientLtv, ClientSpell, Cohort, Cohorts, HealthScore, Lifetime, ModelLtv, MovementRow,
    Movements, ObservedLtv, ObservedValue, RevenueReport, RevenueSeries, RfmRow, RfmSummary, ScoreTable,
    SimpleLtv, Spells,
};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use serde::Serialize;
use std::sync::{Arc, Mutex};

/// What a call comes to.
pub enum Answer {
    /// There is nothing to say.
    Nothing,
    /// A result as JSON.
    Json(String),
    /// A result as JSON, and rows that stand in it or beside it.
    Rows(String, Arc<dyn Many>),
    /// Several of these.
    Several(Vec<Self>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An engine.
    Engine(Arc<Shared>),
    /// A book that is kept fresh.
    Watch(Arc<Shared>, Arc<Mutex<healthfold::Watch>>),
}

/// The same, as JavaScript sees it.
#[napi(object, object_from_js = false)]
pub struct Told {
    pub json: Option<String>,
    pub rows: Option<Rows>,
    pub several: Option<Vec<Self>>,
    pub bytes: Option<Uint8Array>,
    pub engine: Option<crate::engine::Engine>,
    pub watch: Option<crate::watch::Watch>,
}

impl Answer {
    pub(crate) fn of<T: Serialize + ?Sized>(result: &T) -> Result<Self, Fault> {
        Ok(Self::Json(json(result)?))
    }

    /// A list of results.
    pub(crate) fn list<T: Serialize + Send + Sync + 'static>(rows: Vec<T>) -> Result<Self, Fault> {
        Ok(Self::Rows("null".to_owned(), Arc::new(List(rows))))
    }

    pub(crate) fn scores(scores: Vec<HealthScore>) -> Result<Self, Fault> {
        Ok(Self::Rows("null".to_owned(), Arc::new(Scores(scores))))
    }

    /// A result, and its table of columns beside it.
    pub(crate) fn beside<T: Serialize + Many + 'static>(result: T) -> Result<Self, Fault> {
        Ok(Self::Rows(json(&result)?, Arc::new(result)))
    }

    /// Results, each with its table of columns beside it.
    pub(crate) fn several<T: Serialize + Many + 'static>(results: Vec<T>) -> Result<Self, Fault> {
        results.into_iter().map(Self::beside).collect::<Result<_, _>>().map(Self::Several)
    }

    pub(crate) fn told(self) -> Told {
        let mut told = Told { json: None, rows: None, several: None, bytes: None, engine: None, watch: None };
        match self {
            Self::Nothing => {}
            Self::Json(json) => told.json = Some(json),
            Self::Rows(json, rows) => {
                told.json = Some(json);
                told.rows = Some(Rows { held: Held::new(rows) });
            }
            Self::Several(answers) => told.several = Some(answers.into_iter().map(Self::told).collect()),
            Self::Bytes(bytes) => told.bytes = Some(Uint8Array::from(bytes)),
            Self::Engine(shared) => told.engine = Some(crate::engine::Engine::of(shared)),
            Self::Watch(shared, watch) => told.watch = Some(crate::watch::Watch::of(shared, watch)),
        }
        told
    }
}

pub(crate) fn json<T: Serialize + ?Sized>(result: &T) -> Result<String, Fault> {
    camel::json(result).map_err(|error| Fault::Internal(format!("an answer has no JSON form: {error}")))
}

type Batch = Option<Result<RecordBatch, ArrowError>>;

/// Rows that the core holds.
pub trait Many: Send + Sync {
    fn len(&self) -> usize;
    /// Some of them as a JSON array.
    fn slice(&self, from: usize, to: usize) -> Result<String, Fault>;
    /// All as a table of columns, where there is one.
    fn batch(&self) -> Batch;
}

fn slice<T: Serialize>(rows: &[T], from: usize, to: usize) -> Result<String, Fault> {
    json(rows.get(from..to.min(rows.len())).unwrap_or_default())
}

struct List<T>(Vec<T>);

impl<T: Serialize + Send + Sync> Many for List<T> {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn slice(&self, from: usize, to: usize) -> Result<String, Fault> {
        slice(&self.0, from, to)
    }
    fn batch(&self) -> Batch {
        None
    }
}

struct Scores(Vec<HealthScore>);

impl Many for Scores {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn slice(&self, from: usize, to: usize) -> Result<String, Fault> {
        slice(&self.0, from, to)
    }
    fn batch(&self) -> Batch {
        Some(scores_to_arrow(&self.0))
    }
}

/// Answers of which the core makes tables itself.
macro_rules! tables {
    ($($of:ident.$rows:ident),+ $(,)?) => {$(
        impl Many for $of {
            fn len(&self) -> usize {
                self.$rows.len()
            }
            fn slice(&self, from: usize, to: usize) -> Result<String, Fault> {
                slice(&self.$rows, from, to)
            }
            fn batch(&self) -> Batch {
                Some(self.to_arrow())
            }
        }
    )+};
}

tables! {
    Movements.rows, RevenueSeries.rows, Cohorts.cohorts, Applied.rejected, ScoreTable.client, Spells.spells,
    RfmSummary.clients, SimpleLtv.clients, ObservedLtv.clients, ModelLtv.clients,
}

impl Many for Lifetime {
    fn len(&self) -> usize {
        self.total.curve.points.len()
    }
    fn slice(&self, from: usize, to: usize) -> Result<String, Fault> {
        slice(&self.total.curve.points, from, to)
    }
    fn batch(&self) -> Batch {
        Some(self.to_arrow())
    }
}

/// Results whose rows are put into them when they are looked at.
macro_rules! opened {
    ($($of:ident.$rows:ident: $row:ty),+ $(,)?) => {$(
        impl From<$of> for Opened<$of> {
            fn from(mut whole: $of) -> Self {
                let rows: Vec<$row> = std::mem::take(&mut whole.$rows);
                let head = json(&whole);
                whole.$rows = rows;
                Self { head, whole }
            }
        }
    )+};
}

/// A result and what it says of itself without its rows.
pub(crate) struct Opened<T> {
    head: Result<String, Fault>,
    whole: T,
}

opened! {
    Movements.rows: MovementRow, RevenueSeries.rows: RevenueReport, Cohorts.cohorts: Cohort, Spells.spells: ClientSpell,
    RfmSummary.clients: RfmRow, SimpleLtv.clients: ClientLtv, ObservedLtv.clients: ObservedValue, ModelLtv.clients: ClientLtv,
}

impl<T: Many + 'static> TryFrom<Opened<T>> for Answer {
    type Error = Fault;

    fn try_from(Opened { head, whole }: Opened<T>) -> Result<Self, Fault> {
        Ok(Self::Rows(head?, Arc::new(whole)))
    }
}

/// Rows that the core holds, for `lib/table.js`.
#[napi]
pub struct Rows {
    held: Held<Arc<dyn Many>>,
}

#[napi]
impl Rows {
    /// How many there are.
    #[napi(getter)]
    pub fn length(&self) -> napi::Result<u32> {
        entry(|| u32::try_from(self.held.len()).map_err(|_| Fault::Internal("too many rows".to_owned())))
    }

    /// Some of them as a JSON array.
    #[napi]
    pub fn slice(&self, from: u32, to: u32) -> napi::Result<String> {
        // Numbers of rows fit.
        entry(|| self.held.slice(from as usize, to as usize))
    }

    /// All of them as a stream of Arrow IPC.
    #[napi]
    pub fn arrow(&self) -> Job {
        let rows = Arc::clone(&self.held);
        Job::new(move |_| {
            let batch = rows.batch().ok_or_else(|| {
                Fault::argument("bad_value", "", "these rows have no table of columns; see `toArray`")
            })?;
            let bytes = batch.and_then(|batch| written(&batch));
            bytes.map(Answer::Bytes).map_err(|error| Fault::Internal(error.to_string()))
        })
    }
}

fn written(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
    writer.write(batch)?;
    writer.into_inner()
}

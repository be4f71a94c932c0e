//! Questions about one client.

use super::Engine;
use crate::args::{self, Spec, When};
use crate::model::Model;
use crate::results::{instant, object_of};
use crate::rows::{List, Rows, Scores};
use healthfold::{ClientId, Every};
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyTuple};

#[pymethods]
impl Engine {
    /// The ids of all clients that can be asked about, in order.
    #[pyo3(signature = () -> "tuple[str, ...]")]
    fn clients<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let ids: Vec<ClientId> =
            self.shared.ask_long(py, |engine| Ok(engine.clients().cloned().collect()))?;
        PyTuple::new(py, ids.iter().map(ClientId::as_str))
    }

    /// The first and the last instant of any event.
    #[pyo3(signature = () -> "tuple[datetime, datetime] | None")]
    fn span<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Option<(Bound<'py, PyDateTime>, Bound<'py, PyDateTime>)>> {
        match self.shared.ask(py, |engine| Ok(engine.span()))? {
            Some((first, last)) => {
                Ok(Some((instant(py, &first.to_string())?, instant(py, &last.to_string())?)))
            }
            None => Ok(None),
        }
    }

    /// One number about a client as of an instant, or why there is none.
    #[pyo3(signature = (client: "str", spec: "SpecLike", *, as_of: "When") -> "Reading")]
    fn signal<'py>(
        &self,
        py: Python<'py>,
        client: &str,
        spec: Spec,
        as_of: When,
    ) -> PyResult<Bound<'py, PyAny>> {
        let client = ClientId::new(client);
        let reading =
            self.shared.ask(py, |engine| Ok(engine.signal(&client, &spec.0, as_of.as_of(engine)?)?))?;
        object_of(py, "Reading", &reading)
    }

    /// A client's health by a model as of an instant, with every part of it.
    #[pyo3(signature = (client: "str", model: "ModelLike", *, as_of: "When") -> "HealthScore")]
    fn score<'py>(
        &self,
        py: Python<'py>,
        client: &str,
        model: Model,
        as_of: When,
    ) -> PyResult<Bound<'py, PyAny>> {
        let client = ClientId::new(client);
        let score =
            self.shared.ask(py, |engine| Ok(engine.score(&client, &model.inner, as_of.as_of(engine)?)?))?;
        object_of(py, "HealthScore", &score)
    }

    /// A client's health day by day, week by week or month by month: as of the last microsecond of each period's last day.
    #[pyo3(signature = (
        client: "str", model: "ModelLike", *, start: "When", end: "When", every: "Every | Literal['day', 'week', 'month'] | None" = None,
    ) -> "Table[HealthScore]")]
    fn score_history<'py>(
        &self,
        py: Python<'py>,
        client: &str,
        model: Model,
        start: When,
        end: When,
        every: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (client, every) = (ClientId::new(client), args::read_or_default::<Every>(py, "every", every)?);
        let scores = self.shared.ask_long(py, move |engine| {
            let (start, end) = (start.instant(engine, "start")?, end.instant(engine, "end")?);
            Ok(engine.score_history(&client, &model.inner, start, end, every)?)
        })?;
        Rows::table(py, "HealthScore", Scores(scores))
    }

    /// Why a client's score changed from `start` to `end`. The model may be another one at the end.
    #[pyo3(signature = (
        client: "str", model: "ModelLike", *, start: "When", end: "When", end_model: "ModelLike | None" = None,
    ) -> "ScoreChange")]
    fn explain_change<'py>(
        &self,
        py: Python<'py>,
        client: &str,
        model: Model,
        start: When,
        end: When,
        end_model: Option<Model>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let client = ClientId::new(client);
        let change = self.shared.ask_long(py, move |engine| {
            let (start, end) = (start.instant(engine, "start")?, end.instant(engine, "end")?);
            let last = end_model.as_ref().map(|model| &*model.inner);
            Ok(engine.explain_change(&client, &model.inner, start, end, last)?)
        })?;
        object_of(py, "ScoreChange", &change)
    }

    /// What happened to a client in [start, end), in order of time: every event that is kept by itself, and usage by day.
    #[pyo3(signature = (client: "str", *, start: "When", end: "When") -> "Table[HistoryRow]")]
    fn timeline<'py>(
        &self,
        py: Python<'py>,
        client: &str,
        start: When,
        end: When,
    ) -> PyResult<Bound<'py, PyAny>> {
        let client = ClientId::new(client);
        let rows = self.shared.ask_long(py, move |engine| {
            Ok(engine.timeline(&client, start.instant(engine, "start")?, end.instant(engine, "end")?)?)
        })?;
        Rows::table(py, "HistoryRow", List(rows))
    }

    /// What does not fit together in a client's events: a reply to a ticket never opened, a retraction of nothing.
    #[pyo3(signature = (client: "str") -> "Table[Anomaly]")]
    fn anomalies<'py>(&self, py: Python<'py>, client: &str) -> PyResult<Bound<'py, PyAny>> {
        let client = ClientId::new(client);
        let rows = self.shared.ask_long(py, move |engine| Ok(engine.anomalies(&client)?))?;
        Rows::table(py, "Anomaly", List(rows))
    }

    /// How far a client is with a set of milestones, due `within_days` calendar days after its first event.
    #[pyo3(signature = (client: "str", milestones: "Sequence[str]", *, within_days: "int", as_of: "When") -> "Activation")]
    fn activation<'py>(
        &self,
        py: Python<'py>,
        client: &str,
        milestones: Vec<String>,
        #[pyo3(from_py_with = args::within_days)] within_days: u32,
        as_of: When,
    ) -> PyResult<Bound<'py, PyAny>> {
        let client = ClientId::new(client);
        let activation = self.shared.ask(py, |engine| {
            Ok(engine.activation(&client, &milestones, within_days, as_of.as_of(engine)?)?)
        })?;
        object_of(py, "Activation", &activation)
    }
}

//! Questions about the health of the book, and whether a number tells of anything.

use super::Engine;
use crate::args::{self, Span, Spec, When};
use crate::error::Fault;
use crate::model::Model;
use crate::results::{object_of, tuple_of};
use crate::rows::{List, Rows, Scores};
use healthfold::{ClientId, Every, Outcome, RankOptions, RollUpOptions, ScoresOf};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

type Asked<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

/// Of whom a question is asked: `only="paying"`, or all.
fn of(py: Python<'_>, only: Asked<'_, '_>) -> PyResult<ScoresOf> {
    args::read_or_default(py, "only", only)
}

#[pymethods]
impl Engine {
    /// The health of all clients, in order of their ids.
    #[pyo3(signature = (
        model: "ModelLike", *, as_of: "When", only: "Only" = None,
    ) -> "Table[HealthScore]")]
    fn scores<'py>(
        &self,
        py: Python<'py>,
        model: Model,
        as_of: When,
        only: Asked<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let of = of(py, only)?;
        let scores = self
            .shared
            .ask_long(py, move |engine| Ok(engine.scores(&model.inner, as_of.as_of(engine)?, of)))?;
        Rows::table(py, "HealthScore", Scores(scores))
    }

    /// The scores of all clients as columns, in order of their ids: the numbers of `scores` for a fraction of the time and memory,
    /// each name once.
    #[pyo3(signature = (model: "ModelLike", *, as_of: "When", only: "Only" = None) -> "ScoreTable")]
    fn score_table<'py>(
        &self,
        py: Python<'py>,
        model: Model,
        as_of: When,
        only: Asked<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let of = of(py, only)?;
        let table = self
            .shared
            .ask_long(py, move |engine| Ok(engine.score_table(&model.inner, as_of.as_of(engine)?, of)))?;
        Rows::beside(object_of(py, "ScoreTable", &table)?, table)
    }

    /// As `score_table` as of several instants, such as the ends of twelve months: a table for each, in the order given, in half
    /// of the time of asking one after the other.
    #[pyo3(signature = (
        model: "ModelLike", *, as_of: "Sequence[When]", only: "Only" = None,
    ) -> "tuple[ScoreTable, ...]")]
    fn score_tables<'py>(
        &self,
        py: Python<'py>,
        model: Model,
        as_of: Vec<When>,
        only: Asked<'_, 'py>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let of = of(py, only)?;
        let tables = self.shared.ask_long(py, move |engine| {
            let as_of = as_of.iter().map(|as_of| as_of.as_of(engine)).collect::<Result<Vec<_>, _>>()?;
            Ok(engine.score_tables(&model.inner, &as_of, of))
        })?;
        let object = |table| Rows::beside(object_of(py, "ScoreTable", &table)?, table);
        PyTuple::new(py, tables.into_iter().map(object).collect::<PyResult<Vec<_>>>()?)
    }

    /// What was stated against what the model declares: judgements that are not one of its steps. Empty where all is well.
    #[pyo3(signature = (model: "ModelLike", *, as_of: "When") -> "Table[DataFault]")]
    fn check_data<'py>(&self, py: Python<'py>, model: Model, as_of: When) -> PyResult<Bound<'py, PyAny>> {
        let faults = self
            .shared
            .ask_long(py, move |engine| Ok(engine.check_data(&model.inner, as_of.as_of(engine)?)))?;
        Rows::table(py, "DataFault", List(faults))
    }

    /// How the book stands: clients and MRR by band.
    #[pyo3(signature = (model: "ModelLike", *, as_of: "When", only: "Only" = None) -> "BookHealth")]
    fn book_health<'py>(
        &self,
        py: Python<'py>,
        model: Model,
        as_of: When,
        only: Asked<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let of = of(py, only)?;
        let health = self
            .shared
            .ask_long(py, move |engine| Ok(engine.book_health(&model.inner, as_of.as_of(engine)?, of)?))?;
        object_of(py, "BookHealth", &health)
    }

    /// How the book stood day by day, week by week or month by month.
    #[pyo3(signature = (
        model: "ModelLike", *, start: "When", end: "When", every: "Every | Literal['day', 'week', 'month'] | None" = None,
        only: "Only" = None,
    ) -> "Table[BookHealth]")]
    fn book_history<'py>(
        &self,
        py: Python<'py>,
        model: Model,
        start: When,
        end: When,
        every: Asked<'_, 'py>,
        only: Asked<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (every, of) = (args::read_or_default::<Every>(py, "every", every)?, of(py, only)?);
        let points = self.shared.ask_long(py, move |engine| {
            let (start, end) = (start.instant(engine, "start")?, end.instant(engine, "end")?);
            Ok(engine.book_history(&model.inner, start, end, every, of)?)
        })?;
        Rows::table(py, "BookHealth", List(points))
    }

    /// What two models say of the same book: who changes band, and the MRR that moved.
    #[pyo3(signature = (
        model_a: "ModelLike", model_b: "ModelLike", *, as_of: "When", only: "Only" = None,
    ) -> "ModelDiff")]
    fn diff<'py>(
        &self,
        py: Python<'py>,
        model_a: Model,
        model_b: Model,
        as_of: When,
        only: Asked<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let of = of(py, only)?;
        let diff = self.shared.ask_long(py, move |engine| {
            Ok(engine.diff(&model_a.inner, &model_b.inner, as_of.as_of(engine)?, of)?)
        })?;
        object_of(py, "ModelDiff", &diff)
    }

    /// The health of a parent and those below it: `depth` is `direct` or `all`, `with_parent` counts the parent itself.
    #[pyo3(signature = (
        parent: "str", model: "ModelLike", *, as_of: "When", only: "Only" = None, depth: "Depth | str | None" = None,
        with_parent: "bool | None" = None,
    ) -> "RollUp")]
    #[expect(clippy::too_many_arguments, reason = "options are arguments in Python")]
    fn roll_up<'py>(
        &self,
        py: Python<'py>,
        parent: &str,
        model: Model,
        as_of: When,
        only: Asked<'_, 'py>,
        depth: Asked<'_, 'py>,
        with_parent: Asked<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (of, parent) = (of(py, only)?, ClientId::new(parent));
        let how: RollUpOptions = args::options(py, &[("depth", depth), ("with_parent", with_parent)])?;
        let rolled = self.shared.ask_long(py, move |engine| {
            Ok(engine.roll_up(&parent, &model.inner, as_of.as_of(engine)?, of, how)?)
        })?;
        object_of(py, "RollUp", &rolled)
    }

    /// The same for every parent.
    #[pyo3(signature = (
        model: "ModelLike", *, as_of: "When", only: "Only" = None, depth: "Depth | str | None" = None,
        with_parent: "bool | None" = None,
    ) -> "Table[RollUp]")]
    fn roll_ups<'py>(
        &self,
        py: Python<'py>,
        model: Model,
        as_of: When,
        only: Asked<'_, 'py>,
        depth: Asked<'_, 'py>,
        with_parent: Asked<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let of = of(py, only)?;
        let how: RollUpOptions = args::options(py, &[("depth", depth), ("with_parent", with_parent)])?;
        let rolled = self.shared.ask_long(py, move |engine| {
            Ok(engine.roll_ups(&model.inner, as_of.as_of(engine)?, of, how)?)
        })?;
        Rows::table(py, "RollUp", List(rolled))
    }

    /// Clients in order of a signal (`by`), or of their score (`model`); those without one last.
    #[pyo3(signature = (
        by: "SpecLike | None" = None, *, model: "ModelLike | None" = None, as_of: "When", only: "Only" = None,
        within: "RankWithin | str | None" = None, order: "RankOrder | str | None" = None,
    ) -> "Table[RankRow]")]
    #[expect(clippy::too_many_arguments, reason = "options are arguments in Python")]
    fn rank<'py>(
        &self,
        py: Python<'py>,
        by: Option<Spec>,
        model: Option<Model>,
        as_of: When,
        only: Asked<'_, 'py>,
        within: Asked<'_, 'py>,
        order: Asked<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let of = of(py, only)?;
        let how: RankOptions = args::options(py, &[("within", within), ("order", order)])?;
        let rows = self.shared.ask_long(py, move |engine| {
            let as_of = as_of.as_of(engine)?;
            match (by, model) {
                (Some(by), None) => Ok(engine.rank(&by.0, as_of, of, how)),
                (None, Some(model)) => Ok(engine.rank_by_score(&model.inner, as_of, of, how)),
                _ => Err(Fault::argument(
                    "bad_value",
                    "by",
                    "`rank` takes a signal `by` or a `model`, and not both",
                )),
            }
        })?;
        Rows::table(py, "RankRow", List(rows))
    }

    /// Subscriptions whose term, or whose self by a known cancellation, ends in a period; with a model also how their clients
    /// are.
    #[pyo3(signature = (period: "PeriodLike", *, as_of: "When", model: "ModelLike | None" = None) -> "Renewals")]
    fn renewals<'py>(
        &self,
        py: Python<'py>,
        period: Span,
        as_of: When,
        model: Option<Model>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let renewals = self.shared.ask_long(py, move |engine| {
            let model = model.as_ref().map(|model| &*model.inner);
            Ok(engine.renewals(period.period(engine)?, as_of.as_of(engine)?, model))
        })?;
        object_of(py, "Renewals", &renewals)
    }

    /// Would users recommend us: the answers of the last `days` calendar days by client, by segment and all together.
    #[pyo3(signature = (*, as_of: "When", days: "int" = 180, only: "Only" = None) -> "BookNps")]
    fn book_nps<'py>(
        &self,
        py: Python<'py>,
        as_of: When,
        #[pyo3(from_py_with = args::days)] days: u32,
        only: Asked<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let of = of(py, only)?;
        let nps =
            self.shared.ask_long(py, move |engine| Ok(engine.book_nps(as_of.as_of(engine)?, days, of)?))?;
        object_of(py, "BookNps", &nps)
    }

    /// Doubts about a model: those of `Model.lint`, and what shows only on a book, such as a signal that never varies.
    #[pyo3(signature = (model: "ModelLike", *, as_of: "When", only: "Only" = None) -> "tuple[Finding, ...]")]
    fn lint<'py>(
        &self,
        py: Python<'py>,
        model: Model,
        as_of: When,
        only: Asked<'_, 'py>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let of = of(py, only)?;
        let findings = self
            .shared
            .ask_long(py, move |engine| Ok(engine.lint(&model.inner, as_of.as_of(engine)?, of)))?;
        tuple_of(py, "Finding", &findings)
    }

    /// How often an outcome came about in the `horizon_days` calendar days after an instant, by ranges of a signal then, cut
    /// at `edges`.
    #[pyo3(signature = (
        spec: "SpecLike", *, edges: "Sequence[float]", outcome: "Outcome | Literal['retained', 'converted']", as_of: "When",
        horizon_days: "int",
    ) -> "Lift")]
    fn lift<'py>(
        &self,
        py: Python<'py>,
        spec: Spec,
        edges: Vec<f64>,
        outcome: &Bound<'py, PyAny>,
        as_of: When,
        #[pyo3(from_py_with = args::horizon_days)] horizon_days: u32,
    ) -> PyResult<Bound<'py, PyAny>> {
        let outcome: Outcome = args::read(py, "outcome", outcome)?;
        let lift = self.shared.ask_long(py, move |engine| {
            Ok(engine.lift(&spec.0, &edges, outcome, as_of.as_of(engine)?, horizon_days)?)
        })?;
        object_of(py, "Lift", &lift)
    }

    /// Whether the signals that a model calls its north star went with staying, `horizon_days` after an instant.
    #[pyo3(signature = (model: "ModelLike", *, as_of: "When", horizon_days: "int") -> "Table[NorthStar]")]
    fn north_star<'py>(
        &self,
        py: Python<'py>,
        model: Model,
        as_of: When,
        #[pyo3(from_py_with = args::horizon_days)] horizon_days: u32,
    ) -> PyResult<Bound<'py, PyAny>> {
        let rows = self.shared.ask_long(py, move |engine| {
            Ok(engine.north_star(&model.inner, as_of.as_of(engine)?, horizon_days)?)
        })?;
        Rows::table(py, "NorthStar", List(rows))
    }
}

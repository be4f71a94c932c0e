//! Questions about money.

use super::Engine;
use crate::args::{self, Span, When};
use crate::error::{Fault, query};
use crate::results::object_of;
use crate::rows::Rows;
use healthfold::{AsOf, Benchmark, Month, PeriodUnit, ReasonClasses, Scorecard, Target};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::str::FromStr;

/// A list or an object that a reader of the core takes as JSON.
fn from_json<T, E: Into<Fault>>(
    py: Python<'_>,
    name: &str,
    object: &Bound<'_, PyAny>,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> PyResult<T> {
    read(&args::json(py, name, object)?).map_err(|error| error.into().raise(py))
}

fn month(py: Python<'_>, name: &'static str, text: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Month>> {
    let Some(text) = text else { return Ok(None) };
    let text = text.str()?;
    let month = Month::holding(&text.to_string_lossy());
    month.map(Some).map_err(|error| query(error.of(name)).raise(py))
}

#[pymethods]
impl Engine {
    /// The recurring revenue of a period: opening, every movement, closing, and the rates that follow from them.
    #[pyo3(signature = (period: "PeriodLike", **settings: "Unpack[RevenueSettings]") -> "RevenueReport")]
    fn revenue<'py>(
        &self,
        py: Python<'py>,
        period: Span,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = args::settings(py, settings)?;
        let report =
            self.shared.ask_long(py, move |engine| Ok(engine.revenue(period.period(engine)?, &options)?))?;
        object_of(py, "RevenueReport", &report)
    }

    /// The reports of consecutive periods, in one pass over the clients, all asked as of one instant.
    #[pyo3(signature = (
        *, start: "When", end: "When", every: "Literal['day', 'week', 'month', 'quarter', 'year']" = "month",
        **settings: "Unpack[RevenueSettings]",
    ) -> "RevenueSeries")]
    fn revenue_series<'py>(
        &self,
        py: Python<'py>,
        start: When,
        end: When,
        every: &str,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let every = PeriodUnit::from_str(every).map_err(|error| query(error).raise(py))?;
        let options = args::settings(py, settings)?;
        let series = self.shared.ask_long(py, move |engine| {
            let (start, end) = (start.beginning(engine, "start")?, end.beginning(engine, "end")?);
            Ok(engine.revenue_series(start, end, every, &options)?)
        })?;
        Rows::within(py, "RevenueSeries", series)
    }

    /// What each client did over a period, with the events behind it.
    #[pyo3(signature = (period: "PeriodLike", **settings: "Unpack[RevenueSettings]") -> "Movements")]
    fn movements<'py>(
        &self,
        py: Python<'py>,
        period: Span,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = args::settings(py, settings)?;
        let movements = self
            .shared
            .ask_long(py, move |engine| Ok(engine.movements(period.period(engine)?, &options)?))?;
        Rows::within(py, "Movements", movements)
    }

    /// Why clients left in a period, by stated reason and by the action that `classes`, a dict from reasons, calls for.
    #[pyo3(signature = (
        period: "PeriodLike", *, classes: "Mapping[str, str] | None" = None, **settings: "Unpack[RevenueSettings]",
    ) -> "ChurnReasons")]
    fn churn_reasons<'py>(
        &self,
        py: Python<'py>,
        period: Span,
        classes: Option<&Bound<'py, PyAny>>,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let read = |text: &str| ReasonClasses::from_json(text).map_err(query);
        let classes =
            classes.map(|classes| from_json(py, "classes", classes, read)).transpose()?.unwrap_or_default();
        let options = args::settings(py, settings)?;
        let reasons = self.shared.ask_long(py, move |engine| {
            Ok(engine.churn_reasons(period.period(engine)?, &classes, &options)?)
        })?;
        object_of(py, "ChurnReasons", &reasons)
    }

    /// Clients by the month in which they began to pay, and what became of them month by month. `start` and `end` are months,
    /// both included.
    #[pyo3(signature = (
        *, as_of: "When", start: "str | date | None" = None, end: "str | date | None" = None,
        **settings: "Unpack[MoneySettings]",
    ) -> "Cohorts")]
    fn cohorts<'py>(
        &self,
        py: Python<'py>,
        as_of: When,
        start: Option<&Bound<'py, PyAny>>,
        end: Option<&Bound<'py, PyAny>>,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let months = (month(py, "start", start)?, month(py, "end", end)?);
        let options = args::settings(py, settings)?;
        let cohorts = self.shared.ask_long(py, move |engine| {
            Ok(engine.cohorts(months, AsOf::At(as_of.as_of(engine)?), &options)?)
        })?;
        Rows::within(py, "Cohorts", cohorts)
    }

    /// The trials that began and those that ended in a period, and how many of them pay.
    #[pyo3(signature = (period: "PeriodLike", **settings: "Unpack[RevenueSettings]") -> "Trials")]
    fn trials<'py>(
        &self,
        py: Python<'py>,
        period: Span,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = args::settings(py, settings)?;
        let trials =
            self.shared.ask_long(py, move |engine| Ok(engine.trials(period.period(engine)?, &options)?))?;
        object_of(py, "Trials", &trials)
    }

    /// The `n` clients with the greatest MRR at an instant.
    #[pyo3(signature = (n: "int", *, as_of: "When", **settings: "Unpack[MoneySettings]") -> "TopClients")]
    fn top<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = args::n)] n: usize,
        as_of: When,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = args::settings(py, settings)?;
        let top = self
            .shared
            .ask_long(py, move |engine| Ok(engine.top(n, AsOf::At(as_of.as_of(engine)?), &options)?))?;
        object_of(py, "TopClients", &top)
    }

    /// Targets of owners, or of the whole book, beside what came of them: a list of {metric, target, owner}.
    #[pyo3(signature = (
        period: "PeriodLike", targets: "Sequence[Mapping[str, Any]]", **settings: "Unpack[RevenueSettings]",
    ) -> "Targets")]
    fn targets<'py>(
        &self,
        py: Python<'py>,
        period: Span,
        targets: &Bound<'py, PyAny>,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let targets = from_json(py, "targets", targets, |text| Target::list_from_json(text).map_err(query))?;
        let options = args::settings(py, settings)?;
        let told = self
            .shared
            .ask_long(py, move |engine| Ok(engine.targets(period.period(engine)?, &targets, &options)?))?;
        object_of(py, "Targets", &told)
    }

    /// Benchmarks of yours beside what came of them: a list of {metric, value, source}.
    #[pyo3(signature = (
        period: "PeriodLike", benchmarks: "Sequence[Mapping[str, Any]]", **settings: "Unpack[RevenueSettings]",
    ) -> "Benchmarks")]
    fn benchmarks<'py>(
        &self,
        py: Python<'py>,
        period: Span,
        benchmarks: &Bound<'py, PyAny>,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let benchmarks =
            from_json(py, "benchmarks", benchmarks, |text| Benchmark::list_from_json(text).map_err(query))?;
        let options = args::settings(py, settings)?;
        let told = self.shared.ask_long(py, move |engine| {
            Ok(engine.benchmarks(period.period(engine)?, &benchmarks, &options)?)
        })?;
        object_of(py, "Benchmarks", &told)
    }

    /// A scorecard filled in for a period: its metrics and nothing else.
    #[pyo3(signature = (
        scorecard: "Mapping[str, Any] | str", period: "PeriodLike", **settings: "Unpack[RevenueSettings]",
    ) -> "ScorecardReport")]
    fn scorecard<'py>(
        &self,
        py: Python<'py>,
        scorecard: &Bound<'py, PyAny>,
        period: Span,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let card = Scorecard::from_json(&args::document(scorecard)?)
            .map_err(|error| Fault::from(error).raise(py))?;
        let options = args::settings(py, settings)?;
        let report = self
            .shared
            .ask_long(py, move |engine| Ok(engine.scorecard(&card, period.period(engine)?, &options)?))?;
        object_of(py, "ScorecardReport", &report)
    }

    /// Cash beside run-rate: what was invoiced, paid, charged and refunded in a period, and what is overdue at its end.
    #[pyo3(signature = (period: "PeriodLike", *, as_of: "When | None" = None) -> "Cash")]
    fn cash<'py>(&self, py: Python<'py>, period: Span, as_of: Option<When>) -> PyResult<Bound<'py, PyAny>> {
        let cash = self.shared.ask_long(py, move |engine| {
            let as_of = as_of.map(|as_of| as_of.moment()).transpose()?;
            Ok(engine.cash(period.period(engine)?, as_of)?)
        })?;
        object_of(py, "Cash", &cash)
    }
}

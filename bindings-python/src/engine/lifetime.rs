//! Questions about how long clients stay and what they are worth.

use super::Engine;
use crate::args::{self, Span, When};
use crate::error::Fault;
use crate::results::object_of;
use crate::rows::Rows;
use healthfold::{Ltv, LtvMethod, TrialSplit};
use pyo3::prelude::*;
use pyo3::types::PyDict;

#[pymethods]
impl Engine {
    /// How long clients stay: Kaplan-Meier curves of their unbroken paying times, the median and the restricted mean; with
    /// `group_by` of each group, and whether the groups last alike.
    #[pyo3(signature = (*, as_of: "When", **settings: "Unpack[LifetimeSettings]") -> "Lifetime")]
    fn lifetime<'py>(
        &self,
        py: Python<'py>,
        as_of: When,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = args::lifetime_settings(py, settings)?;
        let lifetime =
            self.shared.ask_long(py, move |engine| Ok(engine.lifetime(as_of.as_of(engine)?, &options)?))?;
        Rows::beside(object_of(py, "Lifetime", &lifetime)?, lifetime)
    }

    /// The unbroken paying times behind `lifetime`, one by one.
    #[pyo3(signature = (*, as_of: "When", **settings: "Unpack[LifetimeSettings]") -> "Spells")]
    fn spells<'py>(
        &self,
        py: Python<'py>,
        as_of: When,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = args::lifetime_settings(py, settings)?;
        let spells =
            self.shared.ask_long(py, move |engine| Ok(engine.spells(as_of.as_of(engine)?, &options)?))?;
        Rows::within(py, "Spells", spells)
    }

    /// How often, how lately and for how much clients buy without a contract, by their charges.
    #[pyo3(signature = (*, as_of: "When", **settings: "Unpack[LifetimeSettings]") -> "RfmSummary")]
    fn rfm<'py>(
        &self,
        py: Python<'py>,
        as_of: When,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = args::lifetime_settings(py, settings)?;
        let summary =
            self.shared.ask_long(py, move |engine| Ok(engine.rfm(as_of.as_of(engine)?, &options)?))?;
        Rows::within(py, "RfmSummary", summary)
    }

    /// What clients are worth, by a method. `simple`: ARPA x `margin` / monthly logo churn of a `period`, or of the last month
    /// that is over `as_of` an instant. `observed`: what each client has paid. `sbg`, `bdw`: renewals still to come.
    /// `bg_nbd`, `mbg_nbd`, `pareto_nbd`: purchases still to come. Every answer names its method and horizon.
    #[pyo3(signature = (
        *, method: "Literal['simple', 'observed', 'sbg', 'bdw', 'bg_nbd', 'mbg_nbd', 'pareto_nbd']",
        as_of: "When | None" = None, period: "PeriodLike | None" = None, **settings: "Unpack[LtvSettings]",
    ) -> "SimpleLtv | ObservedLtv | ModelLtv")]
    fn ltv<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        as_of: Option<When>,
        period: Option<Span>,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = settings.map_or_else(|| Ok(PyDict::new(py)), |settings| settings.copy())?;
        asked.set_item("method", method)?;
        let options = args::ltv_settings(py, &asked)?;
        if let Some(period) = period.filter(|_| options.method == LtvMethod::Simple) {
            let value = self.shared.ask_long(py, move |engine| {
                let as_of = as_of.map(|as_of| as_of.as_of(engine)).transpose()?;
                Ok(engine.ltv_of_period(period.period(engine)?, as_of, &options)?)
            })?;
            return Rows::within(py, "SimpleLtv", value);
        }
        let as_of = as_of.ok_or_else(|| {
            let message = format!("`ltv` by method `{method}` needs `as_of`");
            Fault::argument("bad_value", "as_of", message).raise(py)
        })?;
        let value =
            self.shared.ask_long(py, move |engine| Ok(engine.ltv(as_of.as_of(engine)?, &options)?))?;
        match value {
            Ltv::Simple(value) => Rows::within(py, "SimpleLtv", *value),
            Ltv::Observed(value) => Rows::within(py, "ObservedLtv", value),
            Ltv::Model(value) => Rows::within(py, "ModelLtv", *value),
        }
    }

    /// The trials that began in a period, split in two by a milestone, by whether the client wrote to support meanwhile, or by
    /// what it is: how many converted, and how many still pay some months on, of all and of the converted.
    #[pyo3(signature = (
        period: "PeriodLike", *, split: "Mapping[str, Any]", months: "int" = 1, **settings: "Unpack[RevenueSettings]",
    ) -> "TrialComparison")]
    fn compare_trials<'py>(
        &self,
        py: Python<'py>,
        period: Span,
        split: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = args::months)] months: u32,
        settings: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let split: TrialSplit = args::read(py, "split", split)?;
        let options = args::settings(py, settings)?;
        let comparison = self.shared.ask_long(py, move |engine| {
            Ok(engine.compare_trials(period.period(engine)?, &split, months, &options)?)
        })?;
        object_of(py, "TrialComparison", &comparison)
    }
}

//! One call of the front door by its name in Python, with JSON arguments, and its answer as JSON.

use healthfold::{
    AsOf, Benchmark, ClientId, Day, Engine, Every, Instant, LifetimeOptions, LtvMethod, LtvOptions, Model,
    ModelError, Month, Period, PeriodError, PeriodUnit, QueryError, ReasonClasses, RevenueOptions, Scorecard,
    ScoresOf, SettingError, SignalSpec, Target, TimeError, TrialSplit,
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable slug of the error, or `not_built` for what this version cannot do.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Refusal {
    fn new(code: &str, message: impl ToString) -> Self {
        Self { code: code.to_owned(), message: message.to_string() }
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        Self::new(error.code(), &error)
    }
}

impl From<ModelError> for Refusal {
    fn from(error: ModelError) -> Self {
        Self::new("invalid_model", &error)
    }
}

impl From<PeriodError> for Refusal {
    fn from(error: PeriodError) -> Self {
        QueryError::from(error).into()
    }
}

impl From<TimeError> for Refusal {
    fn from(error: TimeError) -> Self {
        QueryError::from(error).into()
    }
}

impl From<SettingError> for Refusal {
    fn from(error: SettingError) -> Self {
        QueryError::from(error).into()
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::new("bad_value", &error)
    }
}

/// Puts one question to an engine.
///
/// # Errors
/// The error of the question, by its slug.
pub fn ask(engine: &Engine, call: &str, args: &Value) -> Result<Value, Refusal> {
    let args = Args { engine, members: args.as_object().cloned().unwrap_or_default() };
    match call {
        "signal" => {
            let spec = SignalSpec::from_json(&args.json("spec"))?;
            Ok(serde_json::to_value(engine.signal(&args.client()?, &spec, args.as_of()?)?)?)
        }
        "score" => {
            let model = Model::from_json(&args.json("model"))?;
            Ok(serde_json::to_value(engine.score(&args.client()?, &model, args.as_of()?)?)?)
        }
        "scores" => {
            let (model, of) = (Model::from_json(&args.json("model"))?, args.only()?);
            Ok(serde_json::to_value(engine.scores(&model, args.as_of()?, of))?)
        }
        "score_table" => {
            let (model, of) = (Model::from_json(&args.json("model"))?, args.only()?);
            Ok(serde_json::to_value(engine.score_table(&model, args.as_of()?, of))?)
        }
        "score_tables" => {
            let (model, of) = (Model::from_json(&args.json("model"))?, args.only()?);
            let as_of = Vec::<String>::deserialize(args.value("as_of"))?;
            let as_of = as_of.iter().map(|at| engine.zone().as_of(at)).collect::<Result<Vec<_>, _>>()?;
            Ok(serde_json::to_value(engine.score_tables(&model, &as_of, of))?)
        }
        "explain_change" => {
            let (model, client) = (Model::from_json(&args.json("model"))?, args.client()?);
            let end_model = args.value("end_model");
            let end_model = if end_model.is_null() { None } else { Some(Model::from_value(&end_model)?) };
            let (start, end) = (args.instant("start")?, args.instant("end")?);
            let change = engine.explain_change(&client, &model, start, end, end_model.as_ref())?;
            Ok(serde_json::to_value(change)?)
        }
        "lift" => {
            let (spec, edges) = (SignalSpec::from_json(&args.json("spec"))?, args.value("edges"));
            let (edges, outcome) =
                (Vec::<f64>::deserialize(edges)?, serde_json::from_value(args.value("outcome"))?);
            let days = u32::deserialize(args.value("horizon_days"))?;
            Ok(serde_json::to_value(engine.lift(&spec, &edges, outcome, args.as_of()?, days)?)?)
        }
        "north_star" => {
            let model = Model::from_json(&args.json("model"))?;
            let days = u32::deserialize(args.value("horizon_days"))?;
            Ok(serde_json::to_value(engine.north_star(&model, args.as_of()?, days)?)?)
        }
        "activation" => {
            let milestones = Vec::<String>::deserialize(args.value("milestones"))?;
            let days = u32::deserialize(args.value("within_days"))?;
            let activation = engine.activation(&args.client()?, &milestones, days, args.as_of()?)?;
            Ok(serde_json::to_value(activation)?)
        }
        "check_data" => {
            let model = Model::from_json(&args.json("model"))?;
            Ok(serde_json::to_value(engine.check_data(&model, args.as_of()?))?)
        }
        "timeline" => {
            let (start, end) = (args.instant("start")?, args.instant("end")?);
            Ok(serde_json::to_value(engine.timeline(&args.client()?, start, end)?)?)
        }
        "anomalies" => Ok(serde_json::to_value(engine.anomalies(&args.client()?)?)?),
        "revenue" => Ok(serde_json::to_value(engine.revenue(args.period()?, &args.options()?)?)?),
        "movements" => Ok(serde_json::to_value(engine.movements(args.period()?, &args.options()?)?)?),
        "churn_reasons" => {
            let classes =
                args.members.get("classes").map(|table| ReasonClasses::from_json(&table.to_string()));
            let classes = classes.transpose()?.unwrap_or_default();
            let options = args.options()?;
            Ok(serde_json::to_value(engine.churn_reasons(args.period()?, &classes, &options)?)?)
        }
        "revenue_series" => {
            let (start, end) = (args.beginning("start")?, args.beginning("end")?);
            let every = args.optional("every")?.map_or(Ok(PeriodUnit::Month), |every| every.parse())?;
            Ok(serde_json::to_value(engine.revenue_series(start, end, every, &args.options()?)?)?)
        }
        "score_history" => {
            let (model, client) = (Model::from_json(&args.json("model"))?, args.client()?);
            let (start, end) = (args.instant("start")?, args.instant("end")?);
            Ok(serde_json::to_value(engine.score_history(&client, &model, start, end, args.every()?)?)?)
        }
        "cohorts" => {
            let months = (args.month("start")?, args.month("end")?);
            Ok(serde_json::to_value(engine.cohorts(months, AsOf::At(args.as_of()?), &args.options()?)?)?)
        }
        "trials" => Ok(serde_json::to_value(engine.trials(args.period()?, &args.options()?)?)?),
        "targets" => {
            let targets = args.targets()?;
            Ok(serde_json::to_value(engine.targets(args.period()?, &targets, &args.options()?)?)?)
        }
        "benchmarks" => {
            let benchmarks = Benchmark::list_from_json(&args.json("benchmarks"))?;
            Ok(serde_json::to_value(engine.benchmarks(args.period()?, &benchmarks, &args.options()?)?)?)
        }
        "scorecard" => {
            let card = Scorecard::from_json(&args.json("scorecard"))?;
            Ok(serde_json::to_value(engine.scorecard(&card, args.period()?, &args.options()?)?)?)
        }
        "cash" => {
            let as_of = args.members.contains_key("as_of").then(|| args.as_of().map(AsOf::At)).transpose()?;
            Ok(serde_json::to_value(engine.cash(args.period()?, as_of)?)?)
        }
        "top" => {
            let n = usize::deserialize(args.value("n"))?;
            Ok(serde_json::to_value(engine.top(n, AsOf::At(args.as_of()?), &args.options()?)?)?)
        }
        "ltv" => args.ltv(),
        "lifetime" => Ok(serde_json::to_value(engine.lifetime(args.as_of()?, &args.lifetime_options()?)?)?),
        "spells" => Ok(serde_json::to_value(engine.spells(args.as_of()?, &args.lifetime_options()?)?)?),
        "rfm" => Ok(serde_json::to_value(engine.rfm(args.as_of()?, &args.lifetime_options()?)?)?),
        "compare_trials" => {
            let split = TrialSplit::deserialize(args.value("split"))?;
            let months = Option::<u32>::deserialize(args.value("months"))?.unwrap_or(1);
            let options = args.options()?;
            Ok(serde_json::to_value(engine.compare_trials(args.period()?, &split, months, &options)?)?)
        }
        _ => super::health::ask(call, &args)
            .unwrap_or_else(|| Err(Refusal::new("not_built", format!("there is no call `{call}`")))),
    }
}

pub(super) struct Args<'e> {
    pub(super) engine: &'e Engine,
    pub(super) members: Map<String, Value>,
}

impl Args<'_> {
    pub(super) fn value(&self, name: &str) -> Value {
        self.members.get(name).cloned().unwrap_or_default()
    }

    pub(super) fn json(&self, name: &str) -> String {
        self.value(name).to_string()
    }

    pub(super) fn text(&self, name: &str) -> Result<String, Refusal> {
        String::deserialize(self.value(name))
            .map_err(|error| Refusal::new("bad_value", format!("`{name}`: {error}")))
    }

    fn client(&self) -> Result<ClientId, Refusal> {
        self.text("client").map(ClientId::new)
    }

    fn optional(&self, name: &str) -> Result<Option<String>, Refusal> {
        if self.value(name).is_null() { Ok(None) } else { self.text(name).map(Some) }
    }

    /// By day unless said.
    pub(super) fn every(&self) -> Result<Every, Refusal> {
        let every = self.value("every");
        Ok(if every.is_null() { Every::Day } else { serde_json::from_value(every)? })
    }

    /// An end of a period: a date is its first instant.
    fn beginning(&self, name: &str) -> Result<Instant, Refusal> {
        self.beginning_of(&self.text(name)?)
    }

    fn beginning_of(&self, text: &str) -> Result<Instant, Refusal> {
        match text.parse::<Day>() {
            Ok(day) => Ok(self.engine.zone().start_of(day)),
            Err(_) => Ok(text.parse()?),
        }
    }

    pub(super) fn instant(&self, name: &str) -> Result<Instant, Refusal> {
        Ok(self.engine.zone().as_of(&self.text(name)?)?)
    }

    pub(super) fn as_of(&self) -> Result<Instant, Refusal> {
        self.instant("as_of")
    }

    fn only(&self) -> Result<ScoresOf, Refusal> {
        Ok(if self.value("only").is_null() {
            ScoresOf::All
        } else {
            serde_json::from_value(self.value("only"))?
        })
    }

    fn month(&self, name: &str) -> Result<Option<Month>, Refusal> {
        if self.value(name).is_null() {
            return Ok(None);
        }
        Ok(Some(self.text(name)?.parse()?))
    }

    /// A text, or a pair of instants or dates.
    pub(super) fn period(&self) -> Result<Period, Refusal> {
        if let Value::Array(pair) = self.value("period") {
            let instants: Vec<String> = serde_json::from_value(Value::Array(pair))?;
            let [start, end] = instants.as_slice() else {
                return Err(Refusal::new("bad_period", "a period is a text or two instants"));
            };
            return Ok(Period::between(self.beginning_of(start)?, self.beginning_of(end)?)?);
        }
        Ok(Period::parse(&self.text("period")?, self.engine.zone())?)
    }

    /// A list of {metric, owner, target}; without an owner it is about the whole book.
    fn targets(&self) -> Result<Vec<Target>, Refusal> {
        Ok(Target::list_from_json(&self.json("targets"))?)
    }

    /// Settings of a question about lifetimes: all but the instant.
    fn lifetime_options(&self) -> Result<LifetimeOptions, Refusal> {
        Ok(LifetimeOptions::from_json(&self.without(&["as_of"]))?)
    }

    /// `simple`: of a period, or the last month before an instant. Others: as of an instant.
    fn ltv(&self) -> Result<Value, Refusal> {
        let options = LtvOptions::from_json(&self.without(&["as_of", "period"]))?;
        let asked_at = self.members.contains_key("as_of");
        if options.method == LtvMethod::Simple && self.members.contains_key("period") {
            let period = self.period()?;
            let as_of = asked_at.then(|| self.as_of()).transpose()?;
            return Ok(serde_json::to_value(self.engine.ltv_of_period(period, as_of, &options)?)?);
        }
        Ok(serde_json::to_value(self.engine.ltv(self.as_of()?, &options)?)?)
    }

    /// The members but for some, as one object.
    fn without(&self, own: &[&str]) -> String {
        let mut settings = self.members.clone();
        settings.retain(|name, _| !own.contains(&name.as_str()));
        Value::Object(settings).to_string()
    }

    /// Everything that is not part of the question itself is a setting of it.
    fn options(&self) -> Result<RevenueOptions, Refusal> {
        const OWN: [&str; 13] = [
            "n",
            "period",
            "start",
            "end",
            "every",
            "targets",
            "method",
            "margin",
            "classes",
            "benchmarks",
            "scorecard",
            "split",
            "months",
        ];
        Ok(RevenueOptions::from_json(&self.without(&OWN))?)
    }
}

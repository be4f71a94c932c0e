//! How arguments are read. They come as one JSON object, in which every name is that of the core; each is turned into the
//! text or the type that the core's own readers take.

use crate::camel;
use crate::error::{Fault, query};
use crate::run::Shared;
use healthfold::{self as core, AsOf, ClientId, Instant, Month, Period, RevenueOptions, SignalSpec};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

/// The arguments of a call. What a call reads is taken out; what is left belongs to the settings, or to nobody.
pub(crate) struct Args {
    members: BTreeMap<String, Box<RawValue>>,
    models: BTreeMap<String, Arc<core::Model>>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) other: Option<Arc<Shared>>,
}

impl Args {
    pub(crate) fn new(json: &str, models: BTreeMap<String, Arc<core::Model>>) -> Result<Self, Fault> {
        let members = serde_json::from_str(json).map_err(|error| {
            Fault::argument("bad_value", "options", format!("no object of arguments: {error}"))
        })?;
        Ok(Self { members, models, bytes: Vec::new(), other: None })
    }

    /// An argument; null is none.
    pub(crate) fn take(&mut self, name: &str) -> Option<Box<RawValue>> {
        self.members.remove(name).filter(|value| value.get() != "null")
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| value.get() != "null")
    }

    fn must(&mut self, name: &str) -> Result<Box<RawValue>, Fault> {
        self.take(name).ok_or_else(|| Fault::value(name, "is missing"))
    }

    /// A member of a small set of words, a number, or a list, as the core's own types read them.
    pub(crate) fn read<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, Fault> {
        let value = self.must(name)?;
        serde_json::from_str(value.get()).map_err(|error| Fault::value(name, error))
    }

    /// A whole number.
    pub(crate) fn whole(&mut self, name: &str) -> Result<u32, Fault> {
        let value = self.must(name)?;
        let message = || format!("must be a whole number of at least 0, found `{}`", value.get());
        serde_json::from_str(value.get()).map_err(|_| Fault::value(name, message()))
    }

    /// The same for an argument that may be left out.
    pub(crate) fn whole_or(&mut self, name: &str, default: u32) -> Result<u32, Fault> {
        if self.has(name) {
            return self.whole(name);
        }
        self.members.remove(name);
        Ok(default)
    }

    /// The same for an argument that may be left out.
    pub(crate) fn read_or_default<T: DeserializeOwned + Default>(&mut self, name: &str) -> Result<T, Fault> {
        if self.has(name) {
            return self.read(name);
        }
        self.members.remove(name);
        Ok(T::default())
    }

    /// Several objects of arguments.
    pub(crate) fn each(&mut self, name: &str) -> Result<Vec<Self>, Fault> {
        let each = self.read::<Vec<BTreeMap<String, Box<RawValue>>>>(name)?.into_iter();
        let each =
            each.map(|members| Self { members, models: BTreeMap::new(), bytes: Vec::new(), other: None });
        Ok(each.collect())
    }

    /// Some arguments as one object of settings.
    pub(crate) fn options<T: DeserializeOwned>(&mut self, names: &[&str]) -> Result<T, Fault> {
        let members: BTreeMap<&str, Box<RawValue>> =
            names.iter().filter_map(|name| Some((*name, self.take(name)?))).collect();
        let name = members.keys().next_back().copied().unwrap_or("options");
        let text = text_of(&members);
        serde_json::from_str(&text).map_err(|error| Fault::value(name, error))
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<String, Fault> {
        self.read(name)
    }

    pub(crate) fn client(&mut self) -> Result<ClientId, Fault> {
        self.text("client").map(ClientId::new)
    }

    fn moment(&mut self, name: &str) -> Result<String, Fault> {
        let value = self.must(name)?;
        serde_json::from_str(value.get()).map_err(|_| {
            let message = format!("`{}` is a Date or text, found `{}`", camel::name(name), value.get());
            Fault::argument("bad_time", name, message)
        })
    }

    /// An instant; of a date its last microsecond.
    pub(crate) fn instant(&mut self, engine: &core::Engine, name: &str) -> Result<Instant, Fault> {
        engine.zone().as_of(&self.moment(name)?).map_err(|error| query(error.of(name.to_owned())))
    }

    pub(crate) fn as_of(&mut self, engine: &core::Engine) -> Result<Instant, Fault> {
        self.instant(engine, "as_of")
    }

    /// Several of them.
    pub(crate) fn as_of_each(&mut self, engine: &core::Engine) -> Result<Vec<Instant>, Fault> {
        let as_of: Vec<String> = self.read("as_of")?;
        as_of.iter().map(|as_of| engine.zone().as_of(as_of).map_err(query)).collect()
    }

    pub(crate) fn as_of_or_none(&mut self) -> Result<Option<AsOf>, Fault> {
        let Some(text) = self.read_or_default::<Option<String>>("as_of")? else { return Ok(None) };
        AsOf::from_str(&text).map(Some).map_err(query)
    }

    /// An instant; of a date its beginning.
    pub(crate) fn beginning(&mut self, engine: &core::Engine, name: &str) -> Result<Instant, Fault> {
        beginning(engine, name, &self.moment(name)?)
    }

    pub(crate) fn month(&mut self, name: &str) -> Result<Option<Month>, Fault> {
        let text = self.read_or_default::<Option<String>>(name)?;
        let month = text.map(|text| Month::holding(&text)).transpose();
        month.map_err(|error| query(error.of(name.to_owned())))
    }

    /// Text such as 2026-03, or two instants.
    pub(crate) fn period(&mut self, engine: &core::Engine) -> Result<Period, Fault> {
        match self.period_or_none(engine)? {
            Some(period) => Ok(period),
            None => Err(period_fault()),
        }
    }

    pub(crate) fn period_or_none(&mut self, engine: &core::Engine) -> Result<Option<Period>, Fault> {
        let Some(value) = self.take("period") else { return Ok(None) };
        if let Ok(text) = serde_json::from_str::<String>(value.get()) {
            return Period::parse(&text, engine.zone()).map(Some).map_err(query);
        }
        let ends: Vec<String> = serde_json::from_str(value.get()).map_err(|_| period_fault())?;
        let [start, end] = ends.as_slice() else { return Err(period_fault()) };
        let (start, end) = (beginning(engine, "period", start)?, beginning(engine, "period", end)?);
        Period::between(start, end).map(Some).map_err(query)
    }

    pub(crate) fn model(&mut self, name: &str) -> Result<Arc<core::Model>, Fault> {
        self.model_or_none(name).ok_or_else(|| Fault::value(name, "is missing"))
    }

    pub(crate) fn model_or_none(&mut self, name: &str) -> Option<Arc<core::Model>> {
        self.models.remove(name)
    }

    /// A document: an object, or its JSON text.
    pub(crate) fn document(&mut self, name: &str) -> Result<String, Fault> {
        let value = self.must(name)?;
        Ok(serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned()))
    }

    pub(crate) fn spec(&mut self, name: &str) -> Result<SignalSpec, Fault> {
        Ok(SignalSpec::from_json(&self.document(name)?)?)
    }

    /// What a reader of the core takes as JSON.
    pub(crate) fn json(&mut self, name: &str) -> Result<String, Fault> {
        Ok(self.must(name)?.get().to_owned())
    }

    /// Everything that is left, as settings of a question about money.
    pub(crate) fn settings(self) -> Result<RevenueOptions, Fault> {
        RevenueOptions::from_json(&self.rest()?).map_err(query)
    }

    /// Everything that is left, as the text that the core reads settings from.
    pub(crate) fn rest(mut self) -> Result<String, Fault> {
        if let Some(model) = self.models.remove("model") {
            let document = RawValue::from_string(model.to_json().to_string());
            self.members.insert("model".to_owned(), document.map_err(|error| Fault::value("model", error))?);
        }
        Ok(text_of(&self.members))
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), Fault> {
        match self.members.keys().next() {
            Some(name) => Err(Fault::value(name, "is no option of this call")),
            None => Ok(()),
        }
    }
}

fn text_of<K: AsRef<str>>(members: &BTreeMap<K, Box<RawValue>>) -> String {
    let text = members
        .iter()
        .map(|(name, value)| format!("{}:{}", serde_json::Value::from(name.as_ref()), value.get()));
    format!("{{{}}}", text.collect::<Vec<_>>().join(","))
}

fn beginning(engine: &core::Engine, name: &str, text: &str) -> Result<Instant, Fault> {
    engine.zone().beginning(text).map_err(|error| query(error.of(name.to_owned())))
}

fn period_fault() -> Fault {
    let message =
        "a period is text such as \"2026-03\", \"2026-Q1\", \"2026\" or \"2026-W07\", or [start, end]";
    Fault::argument("bad_period", "period", message)
}

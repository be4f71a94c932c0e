//! The health score: parts into a tree, the tree into one number, then adjustments, limits, override and
//! clamp.

use serde_json::{Value, json};

use super::book::Book;
use super::calendar::{self, Instant};
use super::curve::{self, float};
use super::event::{Event, timeline};
use super::exact;
use super::signal::{self, Reading};
use super::tree::Node;

/// Band edges, and only they, are compared with this tolerance, in the client's favour.
const BAND_TOLERANCE: f64 = 1e-9;

/// One part of a model, read for one client.
pub(crate) struct Part {
    pub group: Vec<String>,
    pub signal: String,
    pub reading: Reading,
    /// What goes into the score; nothing if the part is left out.
    pub points: Option<f64>,
    /// False also for a part whose missing reading is replaced by fixed points.
    pub is_present: bool,
    pub is_required: bool,
}

/// Everything about one client at one instant that a model can ask for.
struct Scorer<'a> {
    book: &'a Book<'a>,
    events: &'a [&'a Event],
    model: &'a Value,
    t: Instant,
}

/// The steps after the tree, on the unclamped running value.
struct Settled {
    adjustments: Vec<Value>,
    limits: Vec<Value>,
    /// The value before the override, not clamped; nothing if no part had points.
    before_override: Option<f64>,
    standing: Option<Value>,
    score: Option<f64>,
    clamp: f64,
}

/// The score of one client, as the HealthScore of the contract.
pub(crate) fn score(
    book: &Book<'_>,
    id: &str,
    events: &[&Event],
    model: &Value,
    t: Instant,
) -> Result<Value, String> {
    for key in ["sources", "currency", "rates", "models"] {
        if model.get(key).is_some() {
            return Err(format!("not_covered: `{key}` in a model"));
        }
    }
    let scorer = Scorer { book, events, model, t };
    let mut parts = Vec::new();
    let root = scorer.group(model, &[], &mut parts)?;

    let actual: Vec<Option<f64>> = parts.iter().map(|part| part.points).collect();
    let present: Vec<bool> = parts.iter().map(|part| part.is_present).collect();
    // The score had every missing part been `points`.
    let had_missing_been = |points: f64| {
        let supposed: Vec<_> =
            parts.iter().map(|p| if p.is_present { p.points } else { Some(points) }).collect();
        scorer.settle(root.points(&supposed)).map(|settled| settled.score)
    };
    let (low, high) = (had_missing_been(0.0)?, had_missing_been(100.0)?);

    let coverage = root.coverage(&present);
    let lacks_required = parts.iter().any(|part| part.is_required && !part.is_present);
    let least = model.get("min_coverage").map_or(0.0, float);
    let settled = scorer.settle(root.points(&actual))?;
    let has_own_score = settled.before_override.is_some() && !lacks_required && coverage >= least;

    let computed = settled.before_override.filter(|_| has_own_score).map(clamped);
    // A standing override of kind score counts also where there is no score of its own.
    let overridden = settled.standing.as_ref().is_some_and(|standing| standing["kind"] == "score");
    let score = settled.score.filter(|_| has_own_score || overridden);

    let mut weights = vec![0.0; parts.len()];
    root.share_out(1.0, &actual, &mut weights);
    let listed: Vec<Value> =
        parts.iter().zip(weights).map(|(part, weight)| part_json(part, weight)).collect();
    Ok(json!({
        "client": id,
        "as_of": calendar::text(t),
        "model": model["name"],
        "version": model["version"],
        "score": score,
        "computed": computed,
        "band": band(model, score),
        "coverage": coverage,
        "low": low,
        "high": high,
        "parts": listed,
        "adjustments": settled.adjustments,
        "limits": settled.limits,
        "override": settled.standing,
        "clamp": settled.clamp,
    }))
}

fn part_json(part: &Part, weight: f64) -> Value {
    json!({
        "group": part.group,
        "signal": part.signal,
        "reading": part.reading.ok(),
        "missing": part.reading.err().map(|why| why.code()),
        "points": part.points,
        "weight": weight,
        "contribution": weight * part.points.unwrap_or(0.0),
    })
}

fn clamped(value: f64) -> f64 {
    value.clamp(0.0, 100.0)
}

/// The last band whose `from` the score reaches.
fn band(model: &Value, score: Option<f64>) -> String {
    let bands = model["bands"].as_array().map_or(&[][..], Vec::as_slice);
    let reached = |score: f64| bands.iter().rev().find(|band| score + BAND_TOLERANCE >= float(&band["from"]));
    let band = score.and_then(reached).and_then(|band| band["name"].as_str());
    band.unwrap_or("unknown").to_owned()
}

impl Scorer<'_> {
    /// Reads a group and everything below it: its parts first, then its groups, in the order of the model.
    fn group(&self, json: &Value, path: &[String], parts: &mut Vec<Part>) -> Result<Node, String> {
        let mut children = Vec::new();
        for part in json["parts"].as_array().into_iter().flatten() {
            let read = self.part(part, path)?;
            children.push(Node::leaf(weight(part), parts.len()));
            parts.push(read);
        }
        for group in json["groups"].as_array().into_iter().flatten() {
            let mut path = path.to_vec();
            path.push(group["name"].as_str().unwrap_or_default().to_owned());
            children.push(self.group(group, &path, parts)?);
        }
        Ok(Node::group(weight(json), json["combine"].as_str().unwrap_or("mean"), children))
    }

    fn part(&self, json: &Value, path: &[String]) -> Result<Part, String> {
        let policy = &json["missing"];
        let mut reading = self.read(&json["signal"], self.t)?;
        if let Some(days) = policy["carry_days"].as_i64() {
            let today = self.book.calendar.day_of(self.t);
            for day in (1..=days).map(|back| today - back) {
                if reading.is_err() {
                    // The newest end of an earlier day that has a value; the reason stays that of today.
                    reading = self.read(&json["signal"], self.book.calendar.end_of(day))?.or(reading);
                }
            }
        }
        let points = match reading {
            Ok(x) => Some(curve::points(&json["curve"], x)?),
            Err(_) => policy.get("points").map(float),
        };
        Ok(Part {
            group: path.to_vec(),
            signal: json["signal"].as_str().unwrap_or_default().to_owned(),
            reading,
            points,
            is_present: reading.is_ok(),
            is_required: policy == "required",
        })
    }

    /// Reads a signal by its name in the model.
    fn read(&self, name: &Value, t: Instant) -> Result<Reading, String> {
        let spec = &self.model["signals"][name.as_str().unwrap_or_default()];
        signal::read(self.book, self.events, spec, t)
    }

    /// Walks a raw value through adjustments, limits, the override and the clamp, and notes the effect of
    /// each.
    fn settle(&self, raw: Option<f64>) -> Result<Settled, String> {
        let mut running = raw.unwrap_or(0.0);
        let mut adjustments = Vec::new();
        for adjustment in self.model["adjustments"].as_array().into_iter().flatten() {
            let reading = self.read(&adjustment["signal"], self.t)?.ok();
            let effect = match reading {
                Some(x) if raw.is_some() => curve::points(&adjustment["curve"], x)?,
                _ => 0.0,
            };
            running += effect;
            adjustments.push(json!({ "name": adjustment["name"], "reading": reading, "effect": effect }));
        }
        let limits = self.limits(&mut running, raw.is_some())?;
        let before_override = raw.map(|_| running);
        let standing = self.standing_override(&mut running, raw.is_some());
        let is_scored =
            raw.is_some() || standing.as_ref().is_some_and(|standing| standing["kind"] == "score");
        let score = is_scored.then(|| clamped(running));
        Ok(Settled {
            adjustments,
            limits,
            before_override,
            standing,
            score,
            clamp: score.map_or(0.0, |score| score - running),
        })
    }

    /// The least set replaces the value, then the greatest floor lifts it, then the least cap holds it down.
    fn limits(&self, running: &mut f64, is_scored: bool) -> Result<Vec<Value>, String> {
        let none = Vec::new();
        let limits = self.model["limits"].as_array().unwrap_or(&none);
        let mut readings = Vec::new();
        let mut holds = Vec::new();
        for limit in limits {
            let reading = self.read(&limit["when"]["signal"], self.t)?.ok();
            holds.push(is_scored && condition_holds(&limit["when"], reading)?);
            readings.push(reading);
        }
        let mut effects = vec![0.0; limits.len()];
        for kind in ["set", "floor", "cap"] {
            let standing = (0..limits.len()).filter(|i| holds[*i] && limits[*i].get(kind).is_some());
            let value = |i: usize| float(&limits[i][kind]);
            // Of equal ones the first declared decides, so a later one must be strictly beyond it.
            let is_beyond = |i: usize, best: usize| match kind {
                "floor" => value(i) > value(best),
                _ => value(i) < value(best),
            };
            let deciding = standing.reduce(|best, i| if is_beyond(i, best) { i } else { best });
            if let Some(i) = deciding {
                let after = bounded(kind, *running, value(i));
                effects[i] = after - *running;
                *running = after;
            }
        }
        let rows = limits.iter().zip(readings).zip(effects);
        Ok(rows
            .map(|((limit, reading), effect)| {
                json!({ "name": limit["name"], "reading": reading, "effect": effect })
            })
            .collect())
    }

    /// The last entry at or before the instant, while it runs.
    fn standing_override(&self, running: &mut f64, is_scored: bool) -> Option<Value> {
        let entries = timeline(self.events, "client.override_set", self.t);
        let last = entries.last()?;
        let until = last.instant("until", self.book.calendar)?;
        if self.t >= until {
            return None;
        }
        let kind = last.text("kind")?;
        let value = exact::float(&last.number("value")?);
        let after = match is_scored || kind == "score" {
            true => bounded(kind, *running, value),
            false => *running,
        };
        let effect = after - *running;
        *running = after;
        Some(json!({
            "kind": kind, "value": value, "by": last.text("by"), "reason": last.text("reason"),
            "until": calendar::text(until), "effect": effect,
        }))
    }
}

fn weight(json: &Value) -> f64 {
    json.get("weight").map_or(1.0, float)
}

/// What a cap, a floor or a value that replaces does to the running value.
fn bounded(kind: &str, running: f64, value: f64) -> f64 {
    match kind {
        "cap" => running.min(value),
        "floor" => running.max(value),
        _ => value,
    }
}

/// The simple condition: one signal against numbers, all of which must hold; false if the signal is missing.
fn condition_holds(when: &Value, reading: Option<f64>) -> Result<bool, String> {
    let mut holds = true;
    for (test, value) in when.as_object().into_iter().flatten() {
        let bound = float(value);
        let passes = |compare: fn(&f64, &f64) -> bool| reading.is_some_and(|x| compare(&x, &bound));
        holds &= match test.as_str() {
            "signal" => true,
            "above" => passes(f64::gt),
            "at_least" => passes(f64::ge),
            "below" => passes(f64::lt),
            "at_most" => passes(f64::le),
            "equals" => passes(f64::eq),
            other => return Err(format!("not_covered: condition `{other}`")),
        };
    }
    Ok(holds && reading.is_some())
}

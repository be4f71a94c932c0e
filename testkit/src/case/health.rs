//! The calls about the health of the book.

use super::question::{Args, Refusal};
use healthfold::{ClientId, Model, RankOptions, RollUpOptions, SignalSpec};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Puts a question about the health of the book; `None` if the call is not one.
pub(super) fn ask(call: &str, args: &Args<'_>) -> Option<Result<Value, Refusal>> {
    Some(match call {
        "book_health" => book_health(args),
        "book_history" => book_history(args),
        "diff" => diff(args),
        "roll_up" => roll_up(args),
        "roll_ups" => roll_ups(args),
        "rank" => rank(args),
        "renewals" => renewals(args),
        "book_nps" => book_nps(args),
        "lint" => lint(args),
        _ => return None,
    })
}

/// Of some arguments those that are there; the others are as they are by default.
fn options<T: DeserializeOwned>(args: &Args<'_>, names: &[&str]) -> Result<T, Refusal> {
    let mut members = args.members.clone();
    members.retain(|name, _| names.contains(&name.as_str()));
    Ok(T::deserialize(Value::Object(members))?)
}

fn of<T: DeserializeOwned + Default>(args: &Args<'_>) -> Result<T, Refusal> {
    let only = args.value("only");
    Ok(if only.is_null() { T::default() } else { T::deserialize(only)? })
}

fn model(args: &Args<'_>, name: &str) -> Result<Model, Refusal> {
    Ok(Model::from_json(&args.json(name))?)
}

fn book_health(args: &Args<'_>) -> Result<Value, Refusal> {
    Ok(serde_json::to_value(args.engine.book_health(&model(args, "model")?, args.as_of()?, of(args)?)?)?)
}

fn book_history(args: &Args<'_>) -> Result<Value, Refusal> {
    let (start, end, every) = (args.instant("start")?, args.instant("end")?, args.every()?);
    Ok(serde_json::to_value(args.engine.book_history(
        &model(args, "model")?,
        start,
        end,
        every,
        of(args)?,
    )?)?)
}

fn diff(args: &Args<'_>) -> Result<Value, Refusal> {
    let (a, b) = (model(args, "model_a")?, model(args, "model_b")?);
    Ok(serde_json::to_value(args.engine.diff(&a, &b, args.as_of()?, of(args)?)?)?)
}

fn roll_up(args: &Args<'_>) -> Result<Value, Refusal> {
    let (parent, model) = (ClientId::new(args.text("parent")?), model(args, "model")?);
    let how: RollUpOptions = options(args, &["depth", "with_parent"])?;
    Ok(serde_json::to_value(args.engine.roll_up(&parent, &model, args.as_of()?, of(args)?, how)?)?)
}

fn roll_ups(args: &Args<'_>) -> Result<Value, Refusal> {
    let how: RollUpOptions = options(args, &["depth", "with_parent"])?;
    Ok(serde_json::to_value(args.engine.roll_ups(&model(args, "model")?, args.as_of()?, of(args)?, how)?)?)
}

fn book_nps(args: &Args<'_>) -> Result<Value, Refusal> {
    let days = u32::deserialize(args.value("days"))?;
    Ok(serde_json::to_value(args.engine.book_nps(args.as_of()?, days, of(args)?)?)?)
}

/// By a signal (`by`), or by the score of a model (`model`).
fn rank(args: &Args<'_>) -> Result<Value, Refusal> {
    let how: RankOptions = options(args, &["within", "order"])?;
    let (as_of, of) = (args.as_of()?, of(args)?);
    if args.value("model").is_null() {
        let by = SignalSpec::from_json(&args.json("by"))?;
        return Ok(serde_json::to_value(args.engine.rank(&by, as_of, of, how))?);
    }
    Ok(serde_json::to_value(args.engine.rank_by_score(&model(args, "model")?, as_of, of, how))?)
}

fn renewals(args: &Args<'_>) -> Result<Value, Refusal> {
    let model = if args.value("model").is_null() { None } else { Some(model(args, "model")?) };
    Ok(serde_json::to_value(args.engine.renewals(args.period()?, args.as_of()?, model.as_ref()))?)
}

/// Of the model alone, or with `as_of` of the model on the book.
fn lint(args: &Args<'_>) -> Result<Value, Refusal> {
    let model = model(args, "model")?;
    if args.value("as_of").is_null() {
        return Ok(serde_json::to_value(model.lint())?);
    }
    Ok(serde_json::to_value(args.engine.lint(&model, args.as_of()?, of(args)?))?)
}

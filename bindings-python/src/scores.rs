//! The scores of a book as an Arrow table: a row for each client, columns for what is said of it.

use crate::arrow::flat;
use crate::rows::Held;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use healthfold::{Column, Name, ScoreTable};
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The scores, beside the object that Python sees.
pub(crate) struct Scores(pub(crate) ScoreTable);

fn numbers(column: &Column) -> ArrayRef {
    Arc::new(Float64Array::from_iter((0..column.values().len()).map(|row| column.get(row))))
}

fn products(a: &Column, b: &Column) -> ArrayRef {
    let product = |row| a.get(row).zip(b.get(row)).map(|(a, b)| a * b);
    Arc::new(Float64Array::from_iter((0..a.values().len()).map(product)))
}

/// The names of places in a list of names.
fn words(places: impl Iterator<Item = Option<u32>>, names: &[Name]) -> ArrayRef {
    let name = |place: Option<u32>| names.get(usize::try_from(place?).ok()?).map(Name::as_str);
    Arc::new(StringArray::from_iter(places.map(name)))
}

impl Scores {
    fn columns(&self) -> Vec<(String, ArrayRef)> {
        let table = &self.0;
        let clients = StringArray::from_iter_values(table.client.iter().map(|client| client.as_str()));
        let mut columns: Vec<(String, ArrayRef)> = vec![
            ("client".to_owned(), Arc::new(clients)),
            ("band".to_owned(), words(table.band.iter().copied().map(Some), &table.bands)),
            ("score".to_owned(), numbers(&table.score)),
            ("computed".to_owned(), numbers(&table.computed)),
            ("coverage".to_owned(), numbers(&table.coverage)),
            ("low".to_owned(), numbers(&table.low)),
            ("high".to_owned(), numbers(&table.high)),
            ("model".to_owned(), words(table.rule.iter().copied(), &table.models)),
            ("stage".to_owned(), words(table.stage.iter().copied(), &table.stages)),
            ("override_effect".to_owned(), numbers(&table.override_effect)),
            ("clamp".to_owned(), numbers(&table.clamp)),
        ];
        for group in &table.groups {
            columns.push((format!("{}_points", group.group.join("_")), numbers(&group.points)));
        }
        for part in &table.parts {
            let name = &part.name.signal;
            columns.push((name.clone(), numbers(&part.readings)));
            columns.push((format!("{name}_points"), numbers(&part.points)));
            columns.push((format!("{name}_contribution"), products(&part.points, &part.weights)));
        }
        for step in &table.steps {
            columns.push((format!("{}_effect", step.name), numbers(&step.effects)));
        }
        columns
    }
}

impl Held for Scores {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn row<'py>(&self, _: Python<'py>, _: &str, _: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(None)
    }

    fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&self.0)
    }

    fn batch(&self, _: Python<'_>, _: &str) -> PyResult<RecordBatch> {
        let mut columns = self.columns();
        // One name may be that of a part, a group and a limit, or of the parts of several models.
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        for (name, _) in &mut columns {
            let times = seen.entry(name.clone()).or_default();
            *times += 1;
            if *times > 1 {
                *name = format!("{name}_{times}");
            }
        }
        flat(columns)
    }
}

//! The parts of a score over all clients, and their shares of it, which are worked out when somebody asks for them.

use super::plan::Plan;
use super::result::PartName;
use super::table::Column;
use super::tree::{ReadPart, Shares};
use crate::signal::Missing;
use serde::{Serialize, Serializer};
use std::sync::{Arc, OnceLock};

/// One part over all clients; rows of clients whom another model of the set fits are empty.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartColumns {
    /// The number of its model in the set; 0 without a set.
    pub model: u32,
    /// What it is.
    #[serde(flatten)]
    pub name: Arc<PartName>,
    /// The values of the signal.
    pub readings: Column,
    /// Why there is none.
    pub missing: Vec<Option<Missing>>,
    /// What the values are worth, 0 to 100.
    pub points: Column,
}

impl PartColumns {
    /// Puts what was read of a client into its row.
    #[inline]
    pub(super) fn set(&mut self, row: usize, read: &ReadPart) {
        self.readings.set(row, read.reading);
        self.missing.get_mut(row).into_iter().for_each(|missing| *missing = read.missing);
        self.points.set(row, read.points);
    }

    /// What was read of a client.
    fn read(&self, row: usize) -> ReadPart {
        let missing = self.missing.get(row).copied().flatten();
        ReadPart { reading: self.readings.get(row), missing, points: self.points.get(row) }
    }
}

/// Every part over all clients: a list of [`PartColumns`] in the order of the document, a group's parts before its groups.
/// Written out, each has its column of [`Parts::weights`], too, as `weights`.
#[derive(Clone, Debug)]
pub struct Parts {
    columns: Vec<PartColumns>,
    plan: Arc<Plan>,
    /// Made when first asked for: few ask, and they would be a third of a table.
    weights: OnceLock<Vec<Column>>,
}

impl Parts {
    /// The parts of the models of a plan, with room for so many clients.
    pub(super) fn new(plan: &Arc<Plan>, rows: usize) -> Self {
        let part = |model: u32, name: &Arc<PartName>| PartColumns {
            model,
            name: name.clone(),
            readings: Column::with_room(rows),
            missing: Vec::with_capacity(rows),
            points: Column::with_room(rows),
        };
        let choices = plan.choices.iter().zip(0..);
        let columns = choices.flat_map(|(of, model)| of.parts.iter().map(move |name| part(model, name)));
        Self { columns: columns.collect(), plan: plan.clone(), weights: OnceLock::new() }
    }

    /// For each part, in the same order, its shares of the score. Points x share is what the part contributes. They follow from
    /// the points, and are worked out when they are first asked for.
    ///
    /// ```
    /// # use healthfold::{Engine, Event, Model, ScoresOf, Settings};
    /// # let mut engine = Engine::new(Settings::default())?;
    /// # engine.apply(&Event::from_json(br#"{"id":"1","source":"crm","type":"client.sentiment_set","subject":"acme",
    /// #     "time":"2026-01-05T10:00:00Z","data":{"value":80}}"#)?)?;
    /// # let model = Model::default();
    /// let table = engine.score_table(&model, engine.zone().as_of("2026-01-06")?, ScoresOf::All);
    /// for (part, weights) in table.parts.iter().zip(table.parts.weights()) {
    ///     println!("{}: {:?} of the score", part.name.signal, weights.get(0));
    /// }
    /// # assert_eq!(table.parts.len(), table.parts.weights().len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn weights(&self) -> &[Column] {
        self.weights.get_or_init(|| self.share_out())
    }

    fn share_out(&self) -> Vec<Column> {
        let rows = self.columns.first().map_or(0, |part| part.missing.len());
        let mut weights: Vec<Column> = self.columns.iter().map(|_| Column::empty(rows)).collect();
        let (mut read, mut values, mut shares) = (Vec::new(), Vec::new(), Shares::default());
        for (of, model) in self.plan.choices.iter().zip(0..) {
            let is_of_model = |(part, _): &(&PartColumns, &mut Column)| part.model == model;
            let (parts, mut weights): (Vec<_>, Vec<_>) =
                self.columns.iter().zip(&mut weights).filter(is_of_model).unzip();
            for row in 0..rows {
                read.clear();
                read.extend(parts.iter().map(|part| part.read(row)));
                // Of whom another model fits nothing was read, and nothing is missing.
                if read.iter().all(|read| read.reading.is_none() && read.missing.is_none()) {
                    continue;
                }
                of.tree.combine(&read, true, &mut values);
                let shares = of.tree.share_out(&read, &values, &mut shares);
                weights.iter_mut().zip(shares).for_each(|(column, share)| column.set(row, Some(*share)));
            }
        }
        weights
    }

    /// To change the columns: what followed from them is worked out anew.
    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, PartColumns> {
        self.weights.take();
        self.columns.iter_mut()
    }
}

impl std::ops::Deref for Parts {
    type Target = [PartColumns];

    fn deref(&self) -> &[PartColumns] {
        &self.columns
    }
}

impl<'p> IntoIterator for &'p Parts {
    type Item = &'p PartColumns;
    type IntoIter = std::slice::Iter<'p, PartColumns>;

    fn into_iter(self) -> Self::IntoIter {
        self.columns.iter()
    }
}

/// Parts are equal where their columns are, those of the weights among them.
impl PartialEq for Parts {
    fn eq(&self, other: &Self) -> bool {
        // One plan makes the same weights of the same columns.
        let same_weights = || self.plan == other.plan || self.weights() == other.weights();
        self.columns == other.columns && same_weights()
    }
}

impl Serialize for Parts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Whole<'p> {
            #[serde(flatten)]
            columns: &'p PartColumns,
            weights: &'p Column,
        }
        let parts = self.columns.iter().zip(self.weights());
        serializer.collect_seq(parts.map(|(columns, weights)| Whole { columns, weights }))
    }
}

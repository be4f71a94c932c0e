//! Which column fills which field: decided once for a table, with all faults at once.

use super::column::Stuff;
use super::field::{Takes, Target, targets};
use super::{Fill, TableOptions};
use crate::error::{TableFault, TableIssue};
use crate::event::EventKind;
use crate::zone::Zone;
use arrow_schema::{DataType, Field, Schema};
use serde_json::Value;

/// Where the cells of a field, or of one member of it, come from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// A column, or a child of a column of structs.
    Column(usize, Option<usize>),
    /// Every row has this one.
    Constant(Value),
}

/// A field, or one member of an object, and what fills it.
#[derive(Clone, Debug)]
pub(super) struct Filled {
    /// The name of the member where the field is an object.
    pub(super) member: Option<String>,
    pub(super) takes: Takes,
    pub(super) origin: Origin,
}

/// A field and what fills it, if anything does; an object by its members, in order of their names.
#[derive(Clone, Debug)]
pub(super) struct Mapped {
    pub(super) target: Target,
    pub(super) cells: Vec<Filled>,
}

/// What fills the fields of the events of a table.
#[derive(Clone, Debug)]
pub(super) struct Mapping {
    /// All that there are, those of the envelope first, each in the order in which they are declared.
    pub(super) fields: Vec<Mapped>,
    pub(super) zone: Option<Zone>,
}

impl Mapping {
    pub(super) fn of(
        kind: EventKind,
        schema: &Schema,
        options: &TableOptions,
    ) -> Result<Self, Vec<TableIssue>> {
        let fields = targets(kind).into_iter().map(|target| Mapped { target, cells: Vec::new() }).collect();
        let mut mapper =
            Mapper { schema, options, zone: None, fields, stated: Vec::new(), issues: Vec::new() };
        mapper.zone();
        for (name, fill) in &options.columns {
            mapper.fill(name, fill);
        }
        for column in schema.fields() {
            mapper.fill_by_name(column.name());
        }
        if let Some(source) = &options.source {
            mapper.default_source(source.as_str());
        }
        mapper.finish()
    }

    /// The columns that are read.
    #[cfg(feature = "parquet")]
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        let cells = self.fields.iter().flat_map(|field| &field.cells);
        cells.filter_map(|cell| match cell.origin {
            Origin::Column(index, _) => Some(index),
            Origin::Constant(_) => None,
        })
    }

    /// From here on the mapping is that of a table of these columns alone, given in order, among which are all that are read.
    #[cfg(feature = "parquet")]
    pub(super) fn project(&mut self, columns: &[usize]) {
        for cell in self.fields.iter_mut().flat_map(|field| &mut field.cells) {
            if let Origin::Column(index, _) = &mut cell.origin {
                *index = columns.binary_search(index).unwrap_or(*index);
            }
        }
    }

    /// The cells of a field that is no object.
    pub(super) fn find(&self, path: &str) -> Option<&Filled> {
        self.fields.iter().find(|field| field.target.path() == path).and_then(|field| field.cells.first())
    }
}

struct Mapper<'o> {
    schema: &'o Schema,
    options: &'o TableOptions,
    zone: Option<Zone>,
    fields: Vec<Mapped>,
    /// The fields and members that the caller names.
    stated: Vec<(usize, Option<String>)>,
    issues: Vec<TableIssue>,
}

impl Mapper<'_> {
    fn fault(&mut self, code: TableFault, field: impl Into<String>, message: impl Into<String>) {
        self.issues.push(TableIssue { code, field: field.into(), message: message.into() });
    }

    fn zone(&mut self) {
        let Some(name) = &self.options.timezone else { return };
        match Zone::named(name) {
            Ok(zone) => self.zone = Some(zone),
            Err(error) => self.fault(TableFault::UnknownZone, "timezone", error.to_string()),
        }
    }

    /// The field of a name, and the member of it.
    fn field(&self, name: &str) -> Option<(usize, Option<String>)> {
        let (name, in_data_only) = match name.strip_prefix("data.") {
            Some(rest) => (rest, true),
            None => (name, false),
        };
        let find = |name: &str| {
            let is_it = |field: &Mapped| field.target.name == name && (field.target.in_data || !in_data_only);
            self.fields.iter().position(is_it)
        };
        if let Some(index) = find(name) {
            return Some((index, None));
        }
        let (name, member) = name.split_once('.')?;
        let index = find(name)?;
        self.fields.get(index)?.target.takes.member(member)?;
        Some((index, Some(member.to_owned())))
    }

    fn fill(&mut self, name: &str, fill: &Fill) {
        let Some((index, member)) = self.field(name) else {
            let known: Vec<String> =
                self.fields.iter().map(|field| format!("`{}`", field.target.name)).collect();
            let message = format!("is no field of these events, which have {}", known.join(", "));
            return self.fault(TableFault::UnknownField, name, message);
        };
        self.stated.push((index, member.clone()));
        match fill {
            Fill::Constant(Value::Null) => {}
            Fill::Constant(value) => {
                let takes = self.takes(index, member.as_deref());
                self.put(index, Filled { member, takes, origin: Origin::Constant(value.clone()) });
            }
            Fill::Column(column) => self.fill_from(index, member, column),
        }
    }

    /// Columns that are named like fields fill these, where the caller states nothing else.
    fn fill_by_name(&mut self, column: &str) {
        let Some((index, member)) = self.field(column) else { return };
        let stated =
            |(field, part): &(usize, Option<String>)| *field == index && (*part == member || part.is_none());
        if !self.stated.iter().any(stated) {
            self.fill_from(index, member, column);
        }
    }

    fn takes(&self, index: usize, member: Option<&str>) -> Takes {
        let takes = self.fields.get(index).map_or(Takes::Any, |field| field.target.takes);
        member.map_or(takes, |member| takes.member(member).unwrap_or(Takes::Any))
    }

    fn path(&self, index: usize, member: Option<&str>) -> String {
        let path = self.fields.get(index).map(|field| field.target.path()).unwrap_or_default();
        member.map_or(path.clone(), |member| format!("{path}.{member}"))
    }

    fn fill_from(&mut self, index: usize, member: Option<String>, name: &str) {
        let path = self.path(index, member.as_deref());
        let mut found = self.schema.fields().iter().enumerate().filter(|(_, field)| field.name() == name);
        let (column, field) = match (found.next(), found.next()) {
            (Some((column, field)), None) => (column, field.clone()),
            (Some(_), Some(_)) => {
                let message = format!("is mapped to column `{name}`, of which the table has several");
                return self.fault(TableFault::UnknownColumn, path, message);
            }
            (None, _) => {
                let names: Vec<String> =
                    self.schema.fields().iter().take(50).map(|field| format!("`{}`", field.name())).collect();
                let message = format!("is mapped to column `{name}`, the table has {}", names.join(", "));
                return self.fault(TableFault::UnknownColumn, path, message);
            }
        };
        let takes = self.takes(index, member.as_deref());
        if !self.readable(&path, takes, &field) {
            return;
        }
        match (takes, field.data_type()) {
            (Takes::Members(_) | Takes::Interval, DataType::Struct(children)) => {
                for (child, place) in children.iter().zip(0..) {
                    // Other members mean nothing, as in JSON.
                    let Some(takes) = takes.member(child.name()) else { continue };
                    if self.readable(&format!("{path}.{}", child.name()), takes, child) {
                        let member = Some(child.name().clone());
                        let origin = Origin::Column(column, Some(place));
                        self.put(index, Filled { member, takes, origin });
                    }
                }
            }
            _ => self.put(index, Filled { member, takes, origin: Origin::Column(column, None) }),
        }
    }

    /// Whether the field can be read from the column; a fault where not.
    fn readable(&mut self, path: &str, takes: Takes, column: &Field) -> bool {
        let name = column.name();
        let Some(stuff) = Stuff::of(column.data_type()).filter(|stuff| takes.reads(stuff)) else {
            let holds =
                Stuff::of(column.data_type()).map_or(column.data_type().to_string(), |stuff| stuff.words());
            let message = format!("takes {}, column `{name}` holds {holds}", takes.words());
            self.fault(TableFault::WrongColumn, path, message);
            return false;
        };
        if takes == Takes::Money && stuff == Stuff::Floats && !self.options.floats_as_money {
            let message = format!(
                "is money, column `{name}` holds binary floats, which are not exact: use decimals, or allow floats for money"
            );
            self.fault(TableFault::FloatMoney, path, message);
            return false;
        }
        let is_naive = match takes {
            Takes::Instant => matches!(stuff, Stuff::Times { zoned: false } | Stuff::Days),
            Takes::Moment => stuff == Stuff::Times { zoned: false },
            _ => false,
        };
        if is_naive && self.options.timezone.is_none() {
            let message =
                format!("is an instant, column `{name}` holds {} and no time zone is stated", stuff.words());
            self.fault(TableFault::NaiveTime, path, message);
            return false;
        }
        true
    }

    /// Fills a field; what is stated for a member stands over what a struct has for it.
    fn put(&mut self, index: usize, filled: Filled) {
        let Some(field) = self.fields.get_mut(index) else { return };
        match field.cells.iter_mut().find(|cell| cell.member == filled.member) {
            Some(cell) => *cell = filled,
            None => field.cells.push(filled),
        }
    }

    fn default_source(&mut self, source: &str) {
        let is_source = |field: &Mapped| field.target.name == "source" && !field.target.in_data;
        if let Some(field) = self.fields.iter_mut().find(|field| is_source(field) && field.cells.is_empty()) {
            let origin = Origin::Constant(source.into());
            field.cells.push(Filled { member: None, takes: Takes::Text, origin });
        }
    }

    fn finish(mut self) -> Result<Mapping, Vec<TableIssue>> {
        let faulty: Vec<String> = self.issues.iter().map(|issue| issue.field.clone()).collect();
        let empty = |field: &&Mapped| field.target.required && field.cells.is_empty();
        let missing: Vec<String> =
            self.fields.iter().filter(empty).map(|field| field.target.path()).collect();
        for path in missing.into_iter().filter(|path| !faulty.contains(path)) {
            let how = if path == "source" { ", and no `source` is given for all rows" } else { "" };
            let message = format!("must be there, but no column or constant fills it{how}");
            self.fault(TableFault::MissingColumn, path, message);
        }
        if !self.issues.is_empty() {
            return Err(self.issues);
        }
        for field in &mut self.fields {
            field.cells.sort_by(|a, b| a.member.cmp(&b.member));
        }
        Ok(Mapping { fields: self.fields, zone: self.zone })
    }
}

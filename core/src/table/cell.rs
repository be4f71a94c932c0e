//! One cell of a table, written as the wire has it, so that the door of events reads it like any other value.

use super::column::{Column, Lists, Values};
use crate::event::fields::write_text;
use crate::event::wire::{self, Value};
use std::fmt::{self, Write as _};

/// What becomes of a cell on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// As the column has it: numbers as numbers, text as text.
    AsItIs,
    /// Text also where the column holds whole numbers: ids.
    Text,
}

/// Whether no cell of a column has to be written: each stands there as the wire has it.
pub(super) fn is_plain(column: &Column, wire: Wire) -> bool {
    match &column.values {
        Values::Nothing | Values::Flags(_) | Values::Texts(_) | Values::Days(_) | Values::Instants(_) => true,
        Values::Whole(_) | Values::Scaled(..) => wire == Wire::AsItIs,
        // Numbers that are so large or so fine are few, and the door says whether their digits matter.
        Values::Natural(_)
        | Values::Decimals(..)
        | Values::Wide(_)
        | Values::Floats(_)
        | Values::Singles(_)
        | Values::Lists(_) => false,
    }
}

/// A cell of such a column, `None` where the row has no value.
pub(super) fn plain_cell(column: &Column, row: usize) -> Option<Value<'_>> {
    let slot = column.slot(row)?;
    match &column.values {
        Values::Flags(flags) => Some(Value::Bool(flags.value(slot))),
        Values::Texts(texts) => Some(Value::Text(texts.get(slot))),
        Values::Days(days) => Some(Value::Day(days.value(slot))),
        Values::Instants(instants) => Some(Value::Instant(instants.value(slot))),
        Values::Whole(numbers) => Some(Value::Decimal { units: numbers.value(slot), scale: 0 }),
        Values::Scaled(units, scale) => Some(Value::Decimal { units: units.value(slot), scale: *scale }),
        _ => None,
    }
}

/// A cell as the wire has it, `None` where the row has no value. What has to be written for it stands in the scratch text.
pub(super) fn cell<'r>(
    column: &'r Column,
    row: usize,
    wire: Wire,
    scratch: &'r mut String,
) -> Option<Value<'r>> {
    if is_plain(column, wire) {
        return plain_cell(column, row);
    }
    Some(written(&column.values, column.slot(row)?, wire, scratch))
}

/// A value of which a text has to be made.
fn written<'r>(values: &Values, slot: usize, wire: Wire, scratch: &'r mut String) -> Value<'r> {
    scratch.clear();
    // Writing into a text cannot fail.
    let written = match values {
        Values::Lists(lists) => {
            write_list(lists, slot, wire, scratch);
            return Value::Json(scratch);
        }
        Values::Whole(numbers) => write!(scratch, "{}", numbers.value(slot)),
        Values::Natural(numbers) => write!(scratch, "{}", numbers.value(slot)),
        Values::Scaled(units, scale) => {
            wire::write_decimal(scratch, units.value(slot).into(), (*scale).into());
            Ok(())
        }
        Values::Decimals(units, scale) => write_decimal(scratch, units.value(slot), *scale),
        Values::Wide(units) => write!(scratch, "{}", units.value_as_string(slot)),
        Values::Floats(numbers) => write!(scratch, "{}", numbers.value(slot)),
        Values::Singles(numbers) => write!(scratch, "{}", numbers.value(slot)),
        Values::Nothing | Values::Flags(_) | Values::Texts(_) | Values::Days(_) | Values::Instants(_) => {
            Ok(())
        }
    };
    debug_assert!(written.is_ok(), "writing into a text cannot fail");
    let is_text = wire == Wire::Text && matches!(values, Values::Whole(_) | Values::Natural(_));
    if is_text { Value::Text(scratch) } else { Value::Number(scratch) }
}

/// Writes a value as JSON.
pub(super) fn write_value(out: &mut String, value: Value<'_>) {
    match value {
        Value::Text(text) => write_text(out, text),
        other => out.push_str(&other.json()),
    }
}

fn write_list(lists: &Lists, slot: usize, wire: Wire, out: &mut String) {
    out.push('[');
    let mut scratch = String::new();
    for (element, index) in lists.range(slot).zip(0..) {
        if index > 0 {
            out.push(',');
        }
        match cell(&lists.elements, element, wire, &mut scratch) {
            Some(value) => write_value(out, value),
            None => out.push_str("null"),
        }
    }
    out.push(']');
}

fn write_decimal(out: &mut String, units: i128, scale: i8) -> fmt::Result {
    match u32::try_from(scale) {
        // More than a decimal of 128 bits can have.
        Ok(39..) => write!(out, "{units}e-{scale}"),
        Ok(scale) => {
            wire::write_decimal(out, units, scale);
            Ok(())
        }
        Err(_) => write!(out, "{units}e{}", scale.unsigned_abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_written_with_their_scale() {
        for (units, scale, text) in
            [(12_345, 2, "123.45"), (-5, 3, "-0.005"), (12, -2, "12e2"), (0, 0, "0"), (100, 2, "1")]
        {
            let mut out = String::new();
            write_decimal(&mut out, units, scale).unwrap();
            assert_eq!(out, text);
        }
    }
}

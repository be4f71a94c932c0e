//! One cell of a table, written as the wire has it, so that the door of events reads it like any other value.

use super::column::{Column, Lists, Values};
use crate::event::wire::Value;
use crate::quantity::write_scaled;
use std::fmt::{self, Write as _};

/// What becomes of a cell on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// As the column has it: numbers as numbers, text as text.
    AsItIs,
    /// Text also where the column holds whole numbers: ids.
    Text,
}

/// A cell as the wire has it, `None` where the row has no value. What has to be written for it stands in the scratch text.
pub(super) fn cell<'r>(
    column: &'r Column,
    row: usize,
    wire: Wire,
    scratch: &'r mut String,
) -> Option<Value<'r>> {
    let slot = column.slot(row)?;
    scratch.clear();
    // Writing into a text cannot fail.
    let written = match &column.values {
        Values::Nothing => return None,
        Values::Flags(flags) => return Some(Value::Bool(flags.value(slot))),
        Values::Texts(texts) => return Some(Value::Text(texts.get(slot))),
        Values::Lists(lists) => {
            write_list(lists, slot, wire, scratch);
            return Some(Value::Json(scratch));
        }
        Values::Days(days) => {
            write_day(scratch, days.value(slot));
            return Some(Value::Text(scratch));
        }
        Values::Instants(instants) => {
            write_instant(scratch, instants.value(slot));
            return Some(Value::Text(scratch));
        }
        Values::Whole(numbers) => write!(scratch, "{}", numbers.value(slot)),
        Values::Natural(numbers) => write!(scratch, "{}", numbers.value(slot)),
        Values::Decimals(units, scale) => write_decimal(scratch, units.value(slot), *scale),
        Values::Wide(units) => write!(scratch, "{}", units.value_as_string(slot)),
        Values::Floats(numbers) => write!(scratch, "{}", numbers.value(slot)),
        Values::Singles(numbers) => write!(scratch, "{}", numbers.value(slot)),
    };
    debug_assert!(written.is_ok(), "writing into a text cannot fail");
    let is_text = wire == Wire::Text && matches!(column.values, Values::Whole(_) | Values::Natural(_));
    Some(if is_text { Value::Text(scratch) } else { Value::Number(scratch) })
}

/// Writes a value as JSON.
pub(super) fn write_value(out: &mut String, value: Value<'_>) {
    match value {
        Value::Text(text) if !needs_escape(text) => {
            out.push('"');
            out.push_str(text);
            out.push('"');
        }
        other => out.push_str(&other.json()),
    }
}

fn needs_escape(text: &str) -> bool {
    text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\')
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
    struct Scaled(i128, u32);
    impl fmt::Display for Scaled {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_scaled(f, self.0, self.1)
        }
    }
    match u32::try_from(scale) {
        // More than a decimal of 128 bits can have.
        Ok(39..) => write!(out, "{units}e-{scale}"),
        Ok(scale) => write!(out, "{}", Scaled(units, scale)),
        Err(_) => write!(out, "{units}e{}", scale.unsigned_abs()),
    }
}

/// Writes the date of a day since 1970-01-01.
pub(super) fn write_day(out: &mut String, day: i64) {
    // Howard Hinnant's civil_from_days. What is no day of any calendar is a number that no date looks like.
    let Some(shifted) = day.checked_add(719_468).filter(|day| day.abs() < 1 << 40) else {
        let _ = write!(out, "{day} days");
        return;
    };
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let date = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if (0..10_000).contains(&year) {
        write_digits(out, year, 4);
    } else {
        let _ = write!(out, "{year}");
    }
    out.push('-');
    write_digits(out, month, 2);
    out.push('-');
    write_digits(out, date, 2);
}

/// Writes an instant, given in microseconds since 1970-01-01T00:00:00Z, in UTC.
pub(super) fn write_instant(out: &mut String, micros: i64) {
    let seconds = micros.div_euclid(1_000_000);
    write_day(out, seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    for (mark, number) in [('T', of_day / 3_600), (':', of_day / 60 % 60), (':', of_day % 60)] {
        out.push(mark);
        write_digits(out, number, 2);
    }
    let fraction = micros.rem_euclid(1_000_000);
    if fraction != 0 {
        out.push('.');
        write_digits(out, fraction, 6);
    }
    out.push('Z');
}

fn write_digits(out: &mut String, number: i64, digits: u32) {
    for place in (0..digits).rev() {
        let digit = number / 10_i64.pow(place) % 10;
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Day, Instant};

    #[test]
    fn days_and_instants_are_written_as_they_print() {
        for number in (-31..84_036).step_by(7) {
            let mut text = String::new();
            write_day(&mut text, i64::from(number));
            assert_eq!(text, Day::from_epoch(number).to_string());
        }
        for (micros, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1, "1970-01-01T00:00:00.000001Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (1_767_607_200_500_000, "2026-01-05T10:00:00.500000Z"),
            (Instant::MAX.micros(), "2199-12-31T23:59:59.999999Z"),
        ] {
            let mut out = String::new();
            write_instant(&mut out, micros);
            assert_eq!(out, text);
        }
        for micros in [i64::MIN, i64::MAX] {
            let mut out = String::new();
            write_instant(&mut out, micros);
            assert!(out.parse::<Instant>().is_err(), "{out}");
        }
    }

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

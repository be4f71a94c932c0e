//! Whether an answer agrees with what a case expects.

use serde_json::Value;

/// What differs, by path; nothing if `found` agrees with `expected`.
///
/// Objects: members that are not named are free. Rows are matched by what names them. Decimal text compares by value,
/// exactly; binary numbers within `tolerance`.
#[must_use]
pub fn differences(expected: &Value, found: &Value, tolerance: f64, path: &str) -> Vec<String> {
    let mut faults = Vec::new();
    compare(expected, found, tolerance, path, &mut faults);
    faults
}

fn compare(expected: &Value, found: &Value, tolerance: f64, path: &str, faults: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(members), Value::Object(of)) => {
            for (name, member) in members {
                let path = format!("{path}.{name}");
                match of.get(name) {
                    Some(found) => compare(member, found, tolerance, &path, faults),
                    None => faults.push(format!("{path}: expected {member}, but it is not there")),
                }
            }
        }
        (Value::Array(rows), Value::Array(of)) if rows.len() == of.len() => {
            for (number, (row, found)) in pairs(rows, of).into_iter().enumerate() {
                let path = format!("{path}[{number}]");
                match found {
                    Some(found) => compare(row, found, tolerance, &path, faults),
                    None => faults.push(format!("{path}: there is no row like {row}")),
                }
            }
        }
        (Value::Array(rows), Value::Array(of)) => {
            let (expected, found) = (rows.len(), of.len());
            faults.push(format!(
                "{path}: expected {expected} rows, found {found}: {}",
                super::shortened(&Value::Array(of.clone()))
            ));
        }
        _ if agree(expected, found, tolerance) => {}
        _ => faults.push(format!("{path}: expected {expected}, found {}", super::shortened(found))),
    }
}

/// Each expected row with the row it is held against: by name where every expected row has one, else by place.
fn pairs<'v>(rows: &'v [Value], of: &'v [Value]) -> Vec<(&'v Value, Option<&'v Value>)> {
    let named = |name: &&str| !rows.is_empty() && rows.iter().all(|row| row.get(name).is_some());
    let Some(name) = ["client", "key", "cohort"].into_iter().find(|name| named(name)) else {
        return rows.iter().zip(of.iter().map(Some)).collect();
    };
    let mut taken = vec![false; of.len()];
    let mut find = |row: &Value| {
        // A client or group has a row for each currency, so that one is part of the name where it is given.
        let same = |candidate: &Value, member: &str| {
            row.get(member).is_none_or(|value| candidate.get(member) == Some(value))
        };
        let place = of
            .iter()
            .zip(&taken)
            .position(|(candidate, taken)| !taken && same(candidate, name) && same(candidate, "currency"))?;
        if let Some(taken) = taken.get_mut(place) {
            *taken = true;
        }
        of.get(place)
    };
    rows.iter().map(|row| (row, find(row))).collect()
}

fn agree(expected: &Value, found: &Value, tolerance: f64) -> bool {
    match (expected, found) {
        (Value::String(expected), Value::String(found)) => match (decimal(expected), decimal(found)) {
            (Some(expected), Some(found)) => expected == found,
            _ => expected == found,
        },
        (Value::Number(expected), Value::Number(found)) => {
            let (Some(expected), Some(found)) = (expected.as_f64(), found.as_f64()) else { return false };
            (found - expected).abs() <= tolerance * expected.abs().max(1.0)
        }
        _ => expected == found,
    }
}

/// A decimal as sign, whole digits without leading and fractional digits without trailing zeros.
fn decimal(text: &str) -> Option<(bool, &str, &str)> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.') {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    Some((negative && !(whole.is_empty() && fraction.is_empty()), whole, fraction))
}

#[cfg(test)]
mod tests {
    use super::differences;
    use serde_json::json;

    #[test]
    fn unnamed_members_are_free_and_named_ones_must_be_there() {
        assert!(differences(&json!({"a": 1}), &json!({"a": 1, "b": 2}), 0.0, "x").is_empty());
        assert_eq!(differences(&json!({"a": null}), &json!({}), 0.0, "x").len(), 1);
        assert_eq!(differences(&json!([1, 2]), &json!([1]), 0.0, "x").len(), 1);
    }

    #[test]
    fn decimals_compare_by_value_and_exactly() {
        let same = |a: &str, b: &str| differences(&json!(a), &json!(b), 1.0, "x").is_empty();
        assert!(same("10", "10.000000"));
        assert!(same("-0", "0.0"));
        assert!(!same("10", "10.000001"), "no tolerance for money");
        assert!(!same("10", "-10"));
        assert!(!differences(&json!("10"), &json!(10), 1.0, "x").is_empty(), "text is no number");
    }

    #[test]
    fn numbers_compare_within_the_tolerance() {
        assert!(differences(&json!(100), &json!(100.00000001), 1e-9, "x").is_empty());
        assert!(!differences(&json!(1), &json!(1.00000001), 1e-9, "x").is_empty());
        assert!(!differences(&json!(0), &json!(null), 1.0, "x").is_empty());
    }

    #[test]
    fn rows_are_matched_by_what_names_them() {
        let expected = json!([{"client": "b", "n": 2}, {"client": "a", "n": 1}]);
        let found = json!([{"client": "a", "n": 1}, {"client": "b", "n": 2}]);
        assert!(differences(&expected, &found, 0.0, "x").is_empty());
        let currencies =
            json!([{"client": "a", "currency": "USD", "n": 2}, {"client": "a", "currency": "EUR", "n": 1}]);
        let found =
            json!([{"client": "a", "currency": "EUR", "n": 1}, {"client": "a", "currency": "USD", "n": 2}]);
        assert!(differences(&currencies, &found, 0.0, "x").is_empty());
        assert_eq!(differences(&json!([{"key": "x"}]), &json!([{"key": null}]), 0.0, "x").len(), 1);
    }
}

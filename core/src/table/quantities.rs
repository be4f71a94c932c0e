//! Quantities of many rows at once, in units of 10^-6.

use super::column::{Column, Values};
use crate::quantity::Quantity;

/// What one row has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    Nothing,
    Is(Quantity),
    /// For the door to refuse, or to read with more care.
    Odd,
}

impl Column {
    /// The quantity of a row, if it has an exact one within the limits.
    pub(super) fn quantity(&self, row: usize) -> Amount {
        let Some(slot) = self.slot(row) else { return Amount::Nothing };
        let quantity = match &self.values {
            Values::Nothing => return Amount::Nothing,
            Values::Whole(numbers) => whole(numbers.value(slot)),
            Values::Natural(numbers) => i64::try_from(numbers.value(slot)).ok().and_then(whole),
            Values::Scaled(units, scale) => scaled(units.value(slot), *scale),
            Values::Decimals(units, scale) => decimal(units.value(slot), *scale),
            Values::Floats(numbers) => float(numbers.value(slot)),
            Values::Texts(texts) => Quantity::parse(texts.get(slot)).ok(),
            Values::Flags(_)
            | Values::Wide(_)
            | Values::Singles(_)
            | Values::Days(_)
            | Values::Instants(_)
            | Values::Lists(_) => None,
        };
        quantity.map_or(Amount::Odd, Amount::Is)
    }
}

impl Column {
    /// Tells each of some things that has one the quantity of the row that is its own; `None` as soon as one is odd.
    pub(super) fn fill_quantities<T>(
        &self,
        things: &mut [T],
        row: impl Fn(&T) -> usize,
        mut put: impl FnMut(&mut T, Quantity),
    ) -> Option<()> {
        if let Values::Whole(numbers) = &self.values {
            return self.fill(things, row, |thing, slot| {
                if let Some(slot) = slot {
                    put(thing, whole(numbers.value(slot))?);
                }
                Some(())
            });
        }
        things.iter_mut().try_for_each(|thing| {
            match self.quantity(row(thing)) {
                Amount::Is(quantity) => put(thing, quantity),
                Amount::Nothing => {}
                Amount::Odd => return None,
            }
            Some(())
        })
    }
}

fn whole(number: i64) -> Option<Quantity> {
    Quantity::from_micros(number.checked_mul(1_000_000)?)
}

fn scaled(units: i64, scale: u8) -> Option<Quantity> {
    let up = 10_i64.checked_pow(6_u32.checked_sub(scale.into())?)?;
    Quantity::from_micros(units.checked_mul(up)?)
}

fn decimal(units: i128, scale: i8) -> Option<Quantity> {
    let micros = match u32::try_from(6 - i32::from(scale)) {
        Ok(more) => units.checked_mul(10_i128.checked_pow(more)?)?,
        Err(_) => {
            let one = 10_i128.checked_pow(u32::try_from(i32::from(scale) - 6).ok()?)?;
            (units % one == 0).then_some(units / one)?
        }
    };
    Quantity::from_micros(i64::try_from(micros).ok()?)
}

/// The shortest decimal that is this float, if it has at most 6 digits behind the point.
#[expect(clippy::cast_possible_truncation, reason = "exact below 10^15")]
fn float(number: f64) -> Option<Quantity> {
    let micros = (number * 1e6).round();
    // Of up to 15 digits only one decimal is nearest to a float, so what comes back to it is the shortest.
    if micros.abs() < 1e15 && micros / 1e6 == number {
        return Quantity::from_micros(micros as i64);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_their_shortest_decimals_or_odd() {
        for text in ["0", "0.1", "-0.000001", "2.5", "123456.789", "999999999.999999", "-3", "0.3"] {
            assert_eq!(float(text.parse().unwrap()), Some(text.parse().unwrap()), "{text}");
        }
        for number in [0.1 + 0.2, 1e-7, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, f64::MIN_POSITIVE]
        {
            assert_eq!(float(number), None, "{number}");
        }
        assert_eq!(float(-0.0), Some(Quantity::ZERO));
    }

    #[test]
    fn decimals_of_any_scale() {
        for (units, scale, text) in
            [(15, 1, "1.5"), (15, -1, "150"), (1_500_000_000, 9, "1.5"), (-1, 6, "-0.000001"), (7, 0, "7")]
        {
            assert_eq!(decimal(units, scale), Some(text.parse().unwrap()), "{units} {scale}");
        }
        for (units, scale, text) in [(15, 1, "1.5"), (-1, 6, "-0.000001"), (7, 0, "7"), (-250, 2, "-2.5")] {
            assert_eq!(scaled(units, scale), Some(text.parse().unwrap()), "{units} {scale}");
        }
        for (units, scale) in [(i64::MAX, 0), (i64::MIN, 5), (1, 7), (10_i64.pow(12) + 1, 0)] {
            assert_eq!(scaled(units, scale), None, "{units} {scale}");
        }
        for (units, scale) in [(1, 7), (i128::MAX, 0), (i128::MIN, 38), (1, -38), (10_i128.pow(12) + 1, 0)] {
            assert_eq!(decimal(units, scale), None, "{units} {scale}");
        }
    }
}

//! One column of a batch of rows, whatever layers it is packed in and whatever width its numbers have.

use crate::zone::Zone;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type,
    Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, RunEndIndexType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, Decimal256Array, Float32Array, Float64Array,
    GenericStringArray, Int64Array, LargeStringArray, OffsetSizeTrait, RunArray, StringArray,
    StringViewArray, StructArray, UInt64Array,
};
use arrow_buffer::{ArrowNativeType, NullBuffer};
use arrow_schema::{DataType, TimeUnit};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// What a column holds, below its packing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stuff {
    Nothing,
    Flags,
    Whole,
    Decimals,
    Floats,
    Texts,
    Days,
    /// Instants, or times on a clock of which the zone is not said.
    Times {
        zoned: bool,
    },
    Lists(Box<Self>),
    Struct,
}

impl Stuff {
    /// `None` for what no field of an event takes.
    pub(super) fn of(kind: &DataType) -> Option<Self> {
        Some(match kind {
            DataType::Null => Self::Nothing,
            DataType::Boolean => Self::Flags,
            kind if kind.is_integer() => Self::Whole,
            kind if kind.is_decimal() => Self::Decimals,
            kind if kind.is_floating() => Self::Floats,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Texts,
            DataType::Date32 | DataType::Date64 => Self::Days,
            DataType::Timestamp(_, zone) => Self::Times { zoned: zone.is_some() },
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                Self::Lists(Box::new(Self::of(item.data_type())?))
            }
            DataType::Dictionary(_, value) => Self::of(value).filter(|stuff| *stuff != Self::Struct)?,
            DataType::RunEndEncoded(_, value) => {
                Self::of(value.data_type()).filter(|stuff| *stuff != Self::Struct)?
            }
            DataType::Struct(_) => Self::Struct,
            _ => return None,
        })
    }

    /// For messages.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Nothing => "nothing".to_owned(),
            Self::Flags => "true and false".to_owned(),
            Self::Whole => "whole numbers".to_owned(),
            Self::Decimals => "decimals".to_owned(),
            Self::Floats => "binary floats".to_owned(),
            Self::Texts => "text".to_owned(),
            Self::Days => "dates".to_owned(),
            Self::Times { zoned: true } => "timestamps".to_owned(),
            Self::Times { zoned: false } => "timestamps without a zone".to_owned(),
            Self::Lists(of) => format!("lists of {}", of.words()),
            Self::Struct => "structs".to_owned(),
        }
    }
}

/// Texts of any layout.
#[derive(Debug)]
pub(super) enum Texts {
    Short(StringArray),
    Large(LargeStringArray),
    View(StringViewArray),
}

impl Texts {
    #[inline]
    pub(super) fn get(&self, slot: usize) -> &str {
        match self {
            Self::Short(array) => array.value(slot),
            Self::Large(array) => array.value(slot),
            Self::View(array) => array.value(slot),
        }
    }
}

impl Texts {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Short(array) => array.len(),
            Self::Large(array) => array.len(),
            Self::View(array) => array.len(),
        }
    }

    /// Whether none holds a NUL, as far as one look at all of them together can tell.
    pub(super) fn are_clean(&self) -> bool {
        fn clean<O: OffsetSizeTrait>(array: &GenericStringArray<O>) -> bool {
            let (offsets, bytes) = (array.value_offsets(), array.value_data());
            let at = |offset: Option<&O>| offset.map_or(0, |offset| offset.as_usize());
            let used = bytes.get(at(offsets.first())..at(offsets.last()));
            used.is_some_and(|bytes| memchr::memchr(0, bytes).is_none())
        }
        match self {
            Self::Short(array) => clean(array),
            Self::Large(array) => clean(array),
            Self::View(_) => false,
        }
    }
}

/// So many digits behind the point no amount or count is finer than.
const SCALE: u8 = 6;

/// The values of a column, in the few forms that are told apart.
#[derive(Debug)]
pub(super) enum Values {
    Nothing,
    Flags(BooleanArray),
    Whole(Int64Array),
    /// Whole numbers of 64 bits without a sign, where one needs the last bit.
    Natural(UInt64Array),
    /// Decimals in units of 10^-`scale`, where all fit 64 bits and have at most [`SCALE`] digits behind the point: most do.
    Scaled(Int64Array, u8),
    Decimals(Decimal128Array, i8),
    Wide(Decimal256Array),
    Floats(Float64Array),
    Singles(Float32Array),
    Texts(Texts),
    /// Days since 1970-01-01.
    Days(Int64Array),
    /// Microseconds since 1970-01-01T00:00:00Z; at the ends of the range where they do not fit.
    Instants(Int64Array),
    Lists(Box<Lists>),
}

/// Lists in rows: where each begins and ends among the elements.
#[derive(Debug)]
pub(super) struct Lists {
    bounds: Vec<(usize, usize)>,
    pub(super) elements: Column,
}

impl Lists {
    pub(super) fn range(&self, slot: usize) -> std::ops::Range<usize> {
        let (start, end) = self.bounds.get(slot).copied().unwrap_or_default();
        start..end
    }
}

/// The rows of one column.
#[derive(Debug)]
pub(super) struct Column {
    /// Of a child of structs, where these are null.
    absent: Option<NullBuffer>,
    /// For packed columns the place of each row's value; [`NO_VALUE`] for none.
    slots: Option<Vec<u32>>,
    nulls: Option<NullBuffer>,
    pub(super) values: Values,
}

const NO_VALUE: u32 = u32::MAX;

impl Column {
    /// Unpacks a column. Times without a zone and dates that stand for times are of `zone`.
    pub(super) fn of(array: &ArrayRef, zone: Option<&Zone>) -> Option<Self> {
        if let Some((slots, values)) = unpacked(array) {
            let inner = Self::of(&values, zone)?;
            // Packed twice: the place of a place.
            let slots = match &inner.slots {
                Some(places) => slots
                    .into_iter()
                    .map(|slot| places.get(slot as usize).copied().unwrap_or(NO_VALUE))
                    .collect(),
                None => slots,
            };
            return Some(Self { slots: Some(slots), ..inner });
        }
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        Some(Self { absent: None, slots: None, nulls, values: values_of(array, zone)? })
    }

    /// Unpacks a child of a column of structs.
    pub(super) fn of_child(structs: &StructArray, child: usize, zone: Option<&Zone>) -> Option<Self> {
        let column = Self::of(structs.columns().get(child)?, zone)?;
        Some(Self { absent: structs.nulls().cloned(), ..column })
    }

    /// What each of some rows has, made of the place of its value; `None` where it has none.
    pub(super) fn each<T>(
        &self,
        rows: impl Iterator<Item = usize>,
        value: impl Fn(usize) -> Option<T>,
    ) -> Vec<Option<T>> {
        if self.every_row() {
            return rows.map(value).collect();
        }
        rows.map(|row| self.slot(row).and_then(&value)).collect()
    }

    /// The place of a row's value; `None` where it has none.
    #[inline]
    pub(super) fn slot(&self, row: usize) -> Option<usize> {
        // In most columns every row has a value, at its own place.
        if self.every_row() { Some(row) } else { self.slot_of(row) }
    }

    /// Whether every row has a value, at its own place.
    pub(super) fn every_row(&self) -> bool {
        self.absent.is_none() && self.slots.is_none() && self.nulls.is_none()
    }

    fn slot_of(&self, row: usize) -> Option<usize> {
        if self.absent.as_ref().is_some_and(|absent| absent.is_null(row)) {
            return None;
        }
        let slot = match &self.slots {
            None => row,
            Some(slots) => slots.get(row).filter(|slot| **slot != NO_VALUE).map(|slot| *slot as usize)?,
        };
        match &self.nulls {
            Some(nulls) if nulls.is_null(slot) => None,
            _ => Some(slot),
        }
    }
}

/// The slots and the values of a dictionary or of runs.
fn unpacked(array: &ArrayRef) -> Option<(Vec<u32>, ArrayRef)> {
    fn keyed<K: ArrowDictionaryKeyType>(array: &ArrayRef) -> Option<(Vec<u32>, ArrayRef)> {
        let array = array.as_dictionary_opt::<K>()?;
        let values = array.values();
        // A key beyond the values says nothing.
        let slot = |key: Option<K::Native>| {
            let slot = key.and_then(|key| key.to_usize()).filter(|slot| *slot < values.len());
            slot.and_then(|slot| u32::try_from(slot).ok()).unwrap_or(NO_VALUE)
        };
        Some((array.keys().iter().map(slot).collect(), values.clone()))
    }
    fn runs<R: RunEndIndexType>(array: &ArrayRef) -> Option<(Vec<u32>, ArrayRef)> {
        let array = array.as_any().downcast_ref::<RunArray<R>>()?;
        let slot = |row| u32::try_from(array.get_physical_index(row)).unwrap_or(NO_VALUE);
        Some(((0..array.len()).map(slot).collect(), array.values().clone()))
    }
    match array.data_type() {
        DataType::Dictionary(key, _) => match **key {
            DataType::Int8 => keyed::<Int8Type>(array),
            DataType::Int16 => keyed::<Int16Type>(array),
            DataType::Int32 => keyed::<Int32Type>(array),
            DataType::Int64 => keyed::<Int64Type>(array),
            DataType::UInt8 => keyed::<UInt8Type>(array),
            DataType::UInt16 => keyed::<UInt16Type>(array),
            DataType::UInt32 => keyed::<UInt32Type>(array),
            DataType::UInt64 => keyed::<UInt64Type>(array),
            _ => None,
        },
        DataType::RunEndEncoded(ends, _) => match ends.data_type() {
            DataType::Int16 => runs::<Int16Type>(array),
            DataType::Int32 => runs::<Int32Type>(array),
            DataType::Int64 => runs::<Int64Type>(array),
            _ => None,
        },
        _ => None,
    }
}

fn values_of(array: &ArrayRef, zone: Option<&Zone>) -> Option<Values> {
    fn whole<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &ArrayRef) -> Option<Values> {
        Some(Values::Whole(array.as_primitive_opt::<T>()?.unary(Into::into)))
    }
    fn decimals<T: ArrowPrimitiveType<Native: Into<i128>>>(array: &ArrayRef, scale: i8) -> Option<Values> {
        let array = array.as_primitive_opt::<T>()?;
        let short = |units: T::Native| i64::try_from(units.into());
        if let Some(scale) = u8::try_from(scale).ok().filter(|scale| *scale <= SCALE)
            && array.values().iter().all(|units| short(*units).is_ok())
        {
            return Some(Values::Scaled(array.unary(|units| short(units).unwrap_or_default()), scale));
        }
        Some(Values::Decimals(array.unary(Into::into), scale))
    }
    fn days<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &ArrayRef, per_day: i64) -> Option<Values> {
        let day = |value: T::Native| value.into().div_euclid(per_day);
        Some(Values::Days(array.as_primitive_opt::<T>()?.unary(day)))
    }
    fn instants<T: ArrowPrimitiveType<Native = i64>>(
        array: &ArrayRef,
        zone: Option<&Zone>,
        to_micros: impl Fn(i64) -> i64,
    ) -> Option<Values> {
        let array = array.as_primitive_opt::<T>()?;
        let in_zone = |value| match zone {
            Some(zone) => zone.instant_of_clock(to_micros(value)),
            None => to_micros(value),
        };
        Some(Values::Instants(array.unary(in_zone)))
    }
    Some(match array.data_type() {
        DataType::Null => Values::Nothing,
        DataType::Boolean => Values::Flags(array.as_boolean_opt()?.clone()),
        DataType::Int8 => whole::<Int8Type>(array)?,
        DataType::Int16 => whole::<Int16Type>(array)?,
        DataType::Int32 => whole::<Int32Type>(array)?,
        DataType::Int64 => Values::Whole(array.as_primitive_opt::<Int64Type>()?.clone()),
        DataType::UInt8 => whole::<UInt8Type>(array)?,
        DataType::UInt16 => whole::<UInt16Type>(array)?,
        DataType::UInt32 => whole::<UInt32Type>(array)?,
        DataType::UInt64 => {
            let array = array.as_primitive_opt::<UInt64Type>()?;
            let short = |number: u64| i64::try_from(number);
            if array.values().iter().all(|number| short(*number).is_ok()) {
                Values::Whole(array.unary(|number| short(number).unwrap_or_default()))
            } else {
                Values::Natural(array.clone())
            }
        }
        DataType::Decimal32(_, scale) => decimals::<Decimal32Type>(array, *scale)?,
        DataType::Decimal64(_, scale) => decimals::<Decimal64Type>(array, *scale)?,
        DataType::Decimal128(_, scale) => decimals::<Decimal128Type>(array, *scale)?,
        DataType::Decimal256(..) => Values::Wide(array.as_primitive_opt::<Decimal256Type>()?.clone()),
        DataType::Float16 => {
            Values::Singles(array.as_primitive_opt::<Float16Type>()?.unary(|half| half.to_f32()))
        }
        DataType::Float32 => Values::Singles(array.as_primitive_opt::<Float32Type>()?.clone()),
        DataType::Float64 => Values::Floats(array.as_primitive_opt::<Float64Type>()?.clone()),
        DataType::Utf8 => Values::Texts(Texts::Short(array.as_string_opt::<i32>()?.clone())),
        DataType::LargeUtf8 => Values::Texts(Texts::Large(array.as_string_opt::<i64>()?.clone())),
        DataType::Utf8View => Values::Texts(Texts::View(array.as_string_view_opt()?.clone())),
        DataType::Date32 => days::<Date32Type>(array, 1)?,
        DataType::Date64 => days::<Date64Type>(array, MILLIS_PER_DAY)?,
        DataType::Timestamp(unit, stated) => {
            let zone = if stated.is_some() { None } else { zone };
            match unit {
                TimeUnit::Second => {
                    instants::<TimestampSecondType>(array, zone, |s| s.saturating_mul(1_000_000))
                }
                TimeUnit::Millisecond => {
                    instants::<TimestampMillisecondType>(array, zone, |ms| ms.saturating_mul(1_000))
                }
                TimeUnit::Microsecond => instants::<TimestampMicrosecondType>(array, zone, |us| us),
                TimeUnit::Nanosecond => {
                    instants::<TimestampNanosecondType>(array, zone, |ns| ns.div_euclid(1_000))
                }
            }?
        }
        DataType::List(_) => {
            let lists = array.as_list_opt::<i32>()?;
            let bounds = (0..lists.len()).map(|row| bounds(lists.offsets(), row)).collect();
            lists_of(bounds, lists.values(), zone)?
        }
        DataType::LargeList(_) => {
            let lists = array.as_list_opt::<i64>()?;
            let bounds = (0..lists.len()).map(|row| bounds(lists.offsets(), row)).collect();
            lists_of(bounds, lists.values(), zone)?
        }
        DataType::FixedSizeList(..) => {
            let lists = array.as_fixed_size_list_opt()?;
            let width = usize::try_from(lists.value_length()).ok()?;
            let bounds = (0..lists.len()).map(|row| (row * width, (row + 1) * width)).collect();
            lists_of(bounds, lists.values(), zone)?
        }
        _ => return None,
    })
}

fn bounds<O: ArrowNativeType>(offsets: &[O], row: usize) -> (usize, usize) {
    let at = |row: usize| offsets.get(row).map_or(0, |offset| offset.as_usize());
    (at(row), at(row + 1))
}

/// Lists over the part of the elements that is theirs, which of a slice is not all.
fn lists_of(mut bounds: Vec<(usize, usize)>, elements: &ArrayRef, zone: Option<&Zone>) -> Option<Values> {
    let from = bounds.first().map_or(0, |(start, _)| *start).min(elements.len());
    let to = bounds.last().map_or(0, |(_, end)| *end).clamp(from, elements.len());
    for (start, end) in &mut bounds {
        *start = (*start).clamp(from, to) - from;
        *end = (*end).clamp(from, to) - from;
    }
    let elements = Column::of(&elements.slice(from, to - from), zone)?;
    Some(Values::Lists(Box::new(Lists { bounds, elements })))
}

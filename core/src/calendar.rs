//! Days and their dates: whole numbers in both directions, since both run once an event.

use jiff::civil;

/// Days since 1970-01-01 of a civil date; `None` if the calendar has no such day.
pub(crate) fn civil_day(year: i64, month: i64, day: i64) -> Option<i64> {
    if let Some(day) = day_of_our_years(year, month, day) {
        return Some(day);
    }
    let date =
        civil::Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
            .ok()?;
    Some(days_from_epoch(date))
}

/// As [`civil_day`], for the years that events are from; runs once an event.
#[inline]
pub(crate) fn day_of_our_years(year: i64, month: i64, day: i64) -> Option<i64> {
    /// The days of a year before each month, and how many the month has, where February has 28.
    const MONTHS: [(i64, i64); 12] = [
        (0, 31),
        (31, 28),
        (59, 31),
        (90, 30),
        (120, 31),
        (151, 30),
        (181, 31),
        (212, 31),
        (243, 30),
        (273, 31),
        (304, 30),
        (334, 31),
    ];
    if !(1970..=2199).contains(&year) {
        return None;
    }
    // Of the hundreds inside only 2100 is no leap year.
    let leap = year % 4 == 0 && year != 2100;
    let leap_days = (year - 1969) / 4 - i64::from(year > 2100);
    let (before, length) = *MONTHS.get(usize::try_from(month - 1).ok()?)?;
    let (before, length) = match month {
        2 => (before, length + i64::from(leap)),
        1 => (before, length),
        _ => (before + i64::from(leap), length),
    };
    (1..=length).contains(&day).then(|| (year - 1970) * 365 + leap_days + before + day - 1)
}

/// Days since 1970-01-01 of a date of the library for time zones.
pub(crate) fn days_from_epoch(date: civil::Date) -> i64 {
    // Howard Hinnant's days_from_civil.
    let (year, month, day) = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The year, month and date of a day since 1970-01-01, of any calendar year.
#[inline]
pub(crate) fn civil_of(day: i64) -> (i64, i64, i64) {
    // Howard Hinnant's civil_from_days.
    let shifted = day.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let date = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, date)
}

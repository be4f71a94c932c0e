use super::*;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

#[test]
fn reads_rfc_3339_and_nothing_else() {
    for (text, same) in [
        ("2026-01-05T10:00:00Z", "2026-01-05T10:00:00Z"),
        ("2026-01-05t10:00:00z", "2026-01-05T10:00:00Z"),
        ("2026-01-05T10:00:00-00:00", "2026-01-05T10:00:00Z"),
        ("2026-01-05T00:30:00+01:00", "2026-01-04T23:30:00Z"),
        ("2026-01-05T10:00:00.1234567Z", "2026-01-05T10:00:00.123456Z"),
        ("2026-01-05T10:00:00.5Z", "2026-01-05T10:00:00.5Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("1969-12-31T23:30:00-01:00", "1970-01-01T00:30:00Z"),
    ] {
        assert_eq!(at(text).to_string(), same, "{text}");
    }
    for text in [
        "2026-01-05 10:00:00Z",
        "2026-01-05T10:00:00",
        "2026-01-05",
        "2026-02-29T00:00:00Z",
        "2026-01-05T24:00:00Z",
        "2026-01-05T10:00Z",
        "2026-01-05T10:00:00.Z",
        "2026-01-05T10:00:00+0100",
        "2026-01-05T10:00:00Z ",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "2199-12-31T23:59:60Z",
        "20x6-01-05T10:00:00Z",
        "",
    ] {
        assert!(text.parse::<Instant>().is_err(), "{text}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 4_000, ..Default::default() })]

    #[test]
    fn the_usual_form_is_read_as_any_other(
        text in "(19[67][0-9]|2[01][0-9]{2}|2026)-(0[0-9]|1[0-4])-[0-3][0-9][Tt][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,7})?(Z|z|[+-]0[0-9]:00|)",
        broken in proptest::option::weighted(0.2, (0..20usize, "[ -~]")),
    ) {
        let mut text = text;
        if let Some((at, with)) = broken {
            text.replace_range(at.min(text.len() - 1)..(at + 1).min(text.len()), &with);
        }
        proptest::prop_assert_eq!(text.parse::<Instant>(), Instant::read(&text));
    }
}

#[test]
fn any_byte_in_any_place_is_read_as_it_is_or_refused() {
    for text in [b"2026-01-05T10:00:00", b"1999-12-31T23:59:59", b"1970-01-01T00:00:00"] {
        for place in 0..text.len() {
            for byte in 0..=u8::MAX {
                let mut odd = *text;
                odd[place] = byte;
                let read = Instant::of_utc_second(&odd);
                let carefully =
                    std::str::from_utf8(&odd).ok().and_then(|text| Instant::read(&format!("{text}Z")).ok());
                // A second 60 and a `t` take the closer look.
                let usual = odd[17] != b'6' && odd[10] == b'T';
                assert_eq!(read, carefully.filter(|_| usual), "{:?}", String::from_utf8_lossy(&odd));
            }
        }
    }
}

#[test]
fn every_day_is_where_the_calendar_has_it() {
    let mut date = civil::date(1970, 1, 1);
    for number in 0..84_006 {
        let (year, month, day) = (date.year().into(), date.month().into(), date.day().into());
        assert_eq!(day_of_our_years(year, month, day), Some(number), "{date}");
        assert_eq!(civil_of(number), (year, month, day), "{date}");
        let of_day = Day::from_epoch(i32::try_from(number).unwrap()).month();
        assert_eq!(of_day.to_string(), format!("{year:04}-{month:02}"));
        let last = date.day() == date.days_in_month();
        assert_eq!(day_of_our_years(year, month, day + 1).is_none(), last, "{date}");
        date = date.tomorrow().unwrap();
    }
    assert_eq!(date, civil::date(2200, 1, 1));
    for (month, day) in [(0, 1), (13, 1), (1, 0)] {
        assert_eq!(day_of_our_years(2026, month, day), None);
    }
}

#[test]
fn months_are_read_as_they_print() {
    for text in ["1970-01", "2026-03", "2199-12"] {
        let month: Month = text.parse().unwrap();
        assert_eq!(month.to_string(), text);
        assert_eq!(serde_json::to_string(&month).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Month>(&format!("\"{text}\"")).unwrap(), month);
    }
    for text in
        ["2026-00", "2026-13", "1969-12", "2200-01", "2026-3", "2026-03-01", "2026", "2026/03", "é026-03"]
    {
        assert!(text.parse::<Month>().is_err(), "{text}");
    }
    assert!(serde_json::from_str::<Month>("24314").is_err());
}

#[test]
fn days_know_their_month_and_the_year_before() {
    let day: Day = "2024-02-29".parse().unwrap();
    assert_eq!(day.month().to_string(), "2024-02");
    assert_eq!(day.a_year_before().to_string(), "2023-02-28");
    assert_eq!(Day::from_epoch(-1).to_string(), "1969-12-31");
    assert_eq!("1970-01-01".parse::<Day>().unwrap().number(), 0);
}
